//! Normalization of the products that go into the gates, each of the two (input and recurrent) by itself.
//!
//! Batch normalization (Cooijmans 2017, as Ardakani 2019 trains binary and ternary LSTMs with) takes mean and deviation
//! of every output over the sequences of a batch; layer normalization (Ba 2016, equations 20 to 22) over the outputs of
//! one product. Towards the end of training both are held at their running averages: then a normalization is a factor
//! and a summand of each output, which the exported model carries in its scales and biases.

use burn::tensor::Tensor;
use serde::{Deserialize, Serialize};

/// Keeps the deviation from 0.
pub const EPSILON: f32 = 1e-5;

/// A method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    Batch,
    Layer,
    /// Of the weights, not of the products: each output has a learned norm (Salimans & Kingma 2016, equation 2).
    Weight,
}

/// The normalization of one kind of product.
#[derive(Clone)]
pub struct Norm {
    pub method: Method,
    /// Learned factor, `[1, outputs]`.
    pub gain: Tensor<2>,
    /// Mean and variance (rows) to normalize with; where absent, the batch's own.
    pub constants: Option<Tensor<2>>,
}

/// What the backward pass needs.
pub struct NormTape {
    normalized: Tensor<2>,
    /// 1 over the deviation; broadcasts.
    inverse: Tensor<2>,
}

/// A normalized product.
pub struct Normalized {
    pub values: Tensor<2>,
    pub tape: NormTape,
    /// Mean and variance that were met, `[2, outputs]`.
    pub statistics: Tensor<2>,
}

/// 1 over the deviation, from a variance.
pub fn inverse_deviation(variance: Tensor<2>) -> Tensor<2> {
    (variance + EPSILON).sqrt().recip()
}

impl Norm {
    /// Over which dimension a product's own mean is taken.
    fn dimension(&self) -> usize {
        match self.method {
            Method::Batch => 0,
            Method::Layer | Method::Weight => 1,
        }
    }

    /// Normalizes a product, `[rows, outputs]`.
    pub fn forward(&self, product: Tensor<2>) -> Normalized {
        let [_, outputs] = product.dims();
        let (mean, variance) = match &self.constants {
            Some(constants) => (constants.clone().narrow(0, 0, 1), constants.clone().narrow(0, 1, 1)),
            None => {
                let mean = product.clone().mean_dim(self.dimension());
                let centred = product.clone() - mean.clone();
                (mean, (centred.clone() * centred).mean_dim(self.dimension()))
            }
        };
        let inverse = inverse_deviation(variance.clone());
        let normalized = (product - mean.clone()) * inverse.clone();
        // A layer's statistics are one number a row: their mean stands for every output.
        let of_outputs = |x: Tensor<2>| if x.dims()[1] == 1 { x.mean_dim(0).expand([1, outputs]) } else { x };
        Normalized {
            values: normalized.clone() * self.gain.clone(),
            tape: NormTape { normalized, inverse },
            statistics: Tensor::cat(vec![of_outputs(mean), of_outputs(variance)], 0),
        }
    }

    /// Gradients of the product and of the gain, `[1, outputs]`, from that of the normalized product.
    pub fn backward(&self, tape: NormTape, gradient: Tensor<2>) -> (Tensor<2>, Tensor<2>) {
        let NormTape { normalized, inverse } = tape;
        let gain = (gradient.clone() * normalized.clone()).sum_dim(0);
        let d = gradient * self.gain.clone();
        if self.constants.is_some() {
            return (d * inverse, gain);
        }
        let mean = d.clone().mean_dim(self.dimension());
        let along = (d.clone() * normalized.clone()).mean_dim(self.dimension());
        ((d - mean - normalized * along) * inverse, gain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    fn random(shape: [usize; 2]) -> Tensor<2> {
        Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &Device::flex())
    }

    fn assert_close(name: &str, got: Tensor<2>, want: Tensor<2>) {
        let difference: f32 = (got - want).abs().max().into_scalar();
        assert!(difference < 2e-5, "{name} differs by {difference}");
    }

    /// The equations as they stand in the papers, for automatic differentiation.
    fn plain(method: Method, x: Tensor<2>, gain: Tensor<2>, constants: Option<Tensor<2>>) -> Tensor<2> {
        let dimension = if method == Method::Batch { 0 } else { 1 };
        let mean = match &constants {
            Some(constants) => constants.clone().narrow(0, 0, 1),
            None => x.clone().mean_dim(dimension),
        };
        let centred = x - mean;
        let variance = match constants {
            Some(constants) => constants.narrow(0, 1, 1),
            None => centred.clone().powi_scalar(2).mean_dim(dimension),
        };
        gain * centred / (variance + EPSILON).sqrt()
    }

    #[test]
    fn matches_automatic_differentiation() {
        Device::flex().seed(5);
        for method in [Method::Batch, Method::Layer] {
            for constant in [false, true] {
                let (x, gain, upstream) = (random([6, 4]), random([1, 4]), random([6, 4]));
                let constants = constant.then(|| random([2, 4]).abs());
                let norm = Norm { method, gain: gain.clone(), constants: constants.clone() };
                let got = norm.forward(x.clone());
                let (d_x, d_gain) = norm.backward(got.tape, upstream.clone());

                let [x, gain] = [x, gain].map(|tensor| Tensor::<2>::from_inner(tensor).require_grad());
                let want = plain(method, x.clone(), gain.clone(), constants.map(Tensor::from_inner));
                let gradients = (want.clone() * Tensor::from_inner(upstream)).sum().backward();
                assert_close("values", got.values, want.inner());
                assert_close("product", d_x, x.grad(&gradients).unwrap());
                assert_close("gain", d_gain, gain.grad(&gradients).unwrap());
            }
        }
    }

    #[test]
    fn statistics_are_of_the_outputs() {
        let device = Device::flex();
        let x = Tensor::<2>::from_floats([[1.0, 2.0], [3.0, 6.0]], &device);
        let gain = Tensor::ones([1, 2], &device);
        let statistics = |method| {
            let norm = Norm { method, gain: gain.clone(), constants: None };
            crate::training::slices::take(norm.forward(x.clone()).statistics)
        };
        assert_eq!(statistics(Method::Batch), [2.0, 4.0, 1.0, 4.0]);
        // Rows (1, 2) and (3, 6): means 1.5 and 4.5, variances 0.25 and 2.25.
        assert_eq!(statistics(Method::Layer), [3.0, 3.0, 1.25, 1.25]);
    }
}
