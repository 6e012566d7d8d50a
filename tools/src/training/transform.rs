//! Weight transforms: what the network computes with instead of its float shadow weights.
//!
//! Forward and backward pass see the transformed weights; the update goes to the shadow weights. The gradient passes
//! straight through (Bengio 2013; Courbariaux 2015): that of the shadow weights is that of the transformed ones.

use anyhow::{Result, ensure};
use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// A method and its options.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "lowercase", deny_unknown_fields)]
pub enum Transform {
    /// The weights as they are.
    #[default]
    Float,
    /// Ternary weight networks (Li & Liu 2016, equations 5 and 6): 0 where |w| <= 0.7 mean|w|, else the sign times the
    /// mean of |w| over what is not 0.
    Ternary {
        /// What shares a threshold and a scale.
        #[serde(default)]
        per: Group,
    },
    /// 2^bits - 1 equal steps on both sides of zero, up to the largest |w| of an output.
    Linear {
        /// Bits a weight.
        bits: u8,
    },
}

/// What shares a threshold and a scale.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Group {
    /// The whole matrix.
    #[default]
    Matrix,
    /// The weights of one output.
    Output,
}

/// Which dimension of a weight matrix runs over the inputs of an output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inputs {
    /// `[inputs, outputs]`: the layers and the projection.
    Rows = 0,
    /// `[outputs, inputs]`: tables with a row a token.
    Columns = 1,
}

/// Transformed weights as the product of integers and scales.
pub struct Quantized {
    /// Same shape as the weights.
    pub integers: Tensor<2>,
    /// Broadcasts over the weights: `[1, 1]`, `[1, outputs]` or `[outputs, 1]`.
    pub scales: Tensor<2>,
}

/// The smallest scale: a group of zeros must not divide by zero.
const SMALLEST: f32 = 1e-8;

impl Transform {
    /// Refuses impossible options.
    pub fn check(&self) -> Result<()> {
        if let Transform::Linear { bits } = self {
            ensure!(matches!(bits, 2..=8), "bits = {bits} is not in 2 to 8");
        }
        Ok(())
    }

    /// The weights that the network computes with.
    pub fn apply(&self, weights: Tensor<2>, inputs: Inputs) -> Tensor<2> {
        match self.quantize(weights.clone(), inputs) {
            Some(Quantized { integers, scales }) => integers * scales,
            None => weights,
        }
    }

    /// The integers and scales behind [`Transform::apply`]; none for floats.
    pub fn quantize(&self, weights: Tensor<2>, inputs: Inputs) -> Option<Quantized> {
        match *self {
            Transform::Float => None,
            Transform::Ternary { per } => Some(ternary(weights, per, inputs)),
            Transform::Linear { bits } => Some(linear(weights, bits, inputs)),
        }
    }
}

fn ternary(weights: Tensor<2>, per: Group, inputs: Inputs) -> Quantized {
    let sum = |x: Tensor<2>| match per {
        Group::Matrix => x.sum_dim(0).sum_dim(1),
        Group::Output => x.sum_dim(inputs as usize),
    };
    let magnitude = weights.clone().abs();
    let count = match per {
        Group::Matrix => weights.shape().num_elements(),
        Group::Output => weights.dims()[inputs as usize],
    };
    let threshold = sum(magnitude.clone()) * (0.7 / count as f32);
    let survives = magnitude.clone().greater(threshold.expand(weights.dims())).float();
    let survivors = sum(survives.clone()).clamp_min(1.0);
    let scales = (sum(magnitude * survives.clone()) / survivors).clamp_min(SMALLEST);
    Quantized { integers: weights.sign() * survives, scales }
}

fn linear(weights: Tensor<2>, bits: u8, inputs: Inputs) -> Quantized {
    let largest = ((1_u32 << (bits - 1)) - 1) as f32;
    let scales = weights.clone().abs().max_dim(inputs as usize).clamp_min(SMALLEST) / largest;
    Quantized { integers: (weights / scales.clone()).round(), scales }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, TensorData};

    fn tensor(values: Vec<f32>, shape: [usize; 2]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn applied(transform: Transform, values: &[f32], shape: [usize; 2], inputs: Inputs) -> Vec<f32> {
        transform.apply(tensor(values.to_vec(), shape), inputs).into_data().try_into_vec().unwrap()
    }

    #[test]
    fn ternary_of_a_matrix() {
        // mean |w| = 0.5, threshold 0.35, survivors 0.9, 0.7, 0.4 of mean 2/3.
        let got = applied(Transform::Ternary { per: Group::Matrix }, &[0.9, -0.7, 0.0, 0.4], [2, 2], Inputs::Rows);
        let scale = 2.0 / 3.0;
        for (got, want) in got.iter().zip([scale, -scale, 0.0, scale]) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    #[test]
    fn ternary_of_an_output() {
        let weights = [1.0, 0.1, -3.0, 0.1];
        // Outputs are columns: (1, -3) and (0.1, 0.1).
        let columns = applied(Transform::Ternary { per: Group::Output }, &weights, [2, 2], Inputs::Rows);
        assert_eq!(columns, [0.0, 0.1, -3.0, 0.1]);
        // Outputs are rows: (1, 0.1) and (-3, 0.1).
        let rows = applied(Transform::Ternary { per: Group::Output }, &weights, [2, 2], Inputs::Columns);
        assert_eq!(rows, [1.0, 0.0, -3.0, 0.0]);
    }

    #[test]
    fn linear_steps() {
        let got = applied(Transform::Linear { bits: 4 }, &[0.7, -0.34, 0.06, 0.0], [1, 4], Inputs::Columns);
        for (got, want) in got.iter().zip([0.7, -0.3, 0.1, 0.0]) {
            assert!((got - want).abs() < 1e-6, "{got} {want}");
        }
    }

    #[test]
    fn zeros_stay_zeros() {
        for transform in [Transform::Ternary { per: Group::Output }, Transform::Linear { bits: 3 }] {
            assert_eq!(applied(transform, &[0.0; 6], [3, 2], Inputs::Rows), [0.0; 6]);
        }
    }
}
