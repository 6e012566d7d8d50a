//! Weight transforms: what the network computes with instead of its float shadow weights.
//!
//! Forward and backward pass see the transformed weights; the update goes to the shadow weights. Unless a method says
//! otherwise the gradient passes straight through (Bengio 2013; Courbariaux 2015): that of the shadow weights is that
//! of the transformed ones. Some methods have numbers of their own beside the weights, learned or fixed: `extra`.

mod binary;
mod codebook;
mod linear;
mod logarithmic;
mod matrix;
mod ngrams;
mod tail;
mod ternary;

use anyhow::{Result, ensure};
use burn::tensor::Tensor;
use rand::rngs::StdRng;
use serde::{Deserialize, Serialize};

pub use matrix::{Computed, Matrix, Spec, norms};
pub use ngrams::{Ngrams, NgramsConfig};
pub use tail::{Tail, TailConfig};

/// A method and its options.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(tag = "method", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Transform {
    /// The weights as they are.
    #[default]
    Float,
    /// `2^bits - 1` levels at equal steps on both sides of zero, up to the largest |w| of an output; with one bit two levels,
    /// the middles of the two halves.
    Linear {
        /// Bits a weight, 1 to 12.
        bits: u8,
        /// Fewer levels than the bits can tell: an odd number. The entropy coder makes a smaller file of them.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        levels: Option<u16>,
        /// Scales are powers of `2^(1 / n)`: so few of them that a file tells each in a few bits.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        scales_per_octave: Option<u8>,
    },
    /// Zero and powers of two, `2^(bits - 1) - 1` of them on either side, up to the one nearest to the largest |w|
    /// (Miyashita 2016, equation 3, with a code for zero).
    Logarithmic {
        /// Bits a weight, 2 to 8.
        bits: u8,
        #[serde(default)]
        per: Group,
    },
    /// The nearest of `2^bits` learned values; they start as the centroids of k-means, and the gradient of a value is
    /// the sum over the weights that it stands for (Han 2016, section 3).
    Codebook {
        /// Bits a weight, 1 to 8.
        bits: u8,
    },
    /// Two levels (BinaryConnect, Courbariaux 2015).
    Binary {
        #[serde(default)]
        per: Group,
        /// The levels are +-scale, and shadow weights are kept within them. If absent, the mean of |w| is the scale
        /// (Rastegari 2016, equation 6).
        #[serde(default)]
        scale: Option<f32>,
        /// Draw the sign in training, + with probability `clip((w / scale + 1) / 2, 0, 1)` (equations 2 and 3).
        #[serde(default)]
        stochastic: bool,
    },
    /// Ternary weight networks (Li & Liu 2016, equations 5 and 6): 0 where |w| <= 0.7 mean|w|, else the sign times the
    /// mean of |w| over what is not 0.
    Ternary {
        #[serde(default)]
        per: Group,
    },
    /// 0 where |w| <= threshold * scale, else the sign times scale; shadow weights are kept within +-scale.
    FixedTernary {
        /// As a share of the scale.
        threshold: f32,
        scale: f32,
        /// Draw in training whether a weight is 0: it is not with probability |w| / scale (Ardakani 2019, section 4).
        #[serde(default)]
        stochastic: bool,
    },
    /// Threshold and scale of least squared error (Hwang & Sung 2014), found once where the quantization starts, then
    /// kept while the weights are retrained.
    OptimalTernary {
        #[serde(default)]
        per: Group,
    },
    /// Trained ternary quantization (Zhu 2017): 0 where |w| <= threshold * max|w|, else a learned level, one for the
    /// positive and one for the negative weights (equations 6 to 8).
    TrainedTernary {
        /// As a share of the largest |w|.
        #[serde(default = "ternary::default_threshold")]
        threshold: f32,
        #[serde(default)]
        per: Group,
    },
}

impl Transform {
    /// Whether a weight of zero stays zero.
    pub fn has_zero(self) -> bool {
        !matches!(
            self,
            Transform::Binary { .. } | Transform::Linear { bits: 1, .. } | Transform::Codebook { bits: 1, .. }
        )
    }

    /// Whether weights that are all multiplied with a number become the same levels times that number, whenever it happens.
    pub fn follows_scale(self) -> bool {
        match self {
            Transform::Float
            | Transform::Linear { .. }
            | Transform::Logarithmic { .. }
            | Transform::Ternary { .. }
            | Transform::Binary { scale: None, .. } => true,
            Transform::Codebook { .. }
            | Transform::Binary { .. }
            | Transform::FixedTernary { .. }
            | Transform::OptimalTernary { .. }
            | Transform::TrainedTernary { .. } => false,
        }
    }
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

/// What the backward pass of a transform needs.
enum Tape {
    /// The gradient passes straight through.
    Straight,
    Trained(Box<ternary::Trained>),
    Codebook(codebook::Assignment),
}

/// The gradients that a transform passes on.
struct Gradients {
    weights: Tensor<2>,
    extra: Option<Tensor<2>>,
}

/// The smallest scale: a group of zeros must not divide by zero.
const SMALLEST: f32 = 1e-8;

impl Transform {
    /// Equal steps, as many as so many bits can tell.
    pub fn linear(bits: u8) -> Transform {
        Transform::Linear { bits, levels: None, scales_per_octave: None }
    }

    /// Refuses impossible options.
    pub fn check(&self) -> Result<()> {
        let bits_in = |bits: u8, low: u8, high: u8| -> Result<()> {
            ensure!((low..=high).contains(&bits), "bits = {bits} is not in {low} to {high}");
            Ok(())
        };
        let positive = |name: &str, value: f32| -> Result<()> {
            ensure!(value > 0.0 && value.is_finite(), "{name} = {value} must be greater than 0");
            Ok(())
        };
        let share = |name: &str, value: f32| -> Result<()> {
            ensure!((0.0..1.0).contains(&value), "{name} = {value} must be a share of 1");
            Ok(())
        };
        match *self {
            Transform::Float | Transform::Ternary { .. } | Transform::OptimalTernary { .. } => Ok(()),
            Transform::Linear { bits, levels, scales_per_octave } => {
                bits_in(bits, 1, 12)?;
                check_levels(bits, levels)?;
                ensure!(scales_per_octave != Some(0), "scales_per_octave = 0 leaves no scale");
                Ok(())
            }
            Transform::Logarithmic { bits, .. } => bits_in(bits, 2, 8),
            Transform::Codebook { bits } => bits_in(bits, 1, 8),
            Transform::Binary { scale: Some(scale), .. } => positive("scale", scale),
            Transform::Binary { stochastic, .. } => {
                ensure!(!stochastic, "stochastic = true needs a scale: the probabilities are told in its units");
                Ok(())
            }
            Transform::FixedTernary { threshold, scale, .. } => {
                share("threshold", threshold).and_then(|()| positive("scale", scale))
            }
            Transform::TrainedTernary { threshold, .. } => share("threshold", threshold),
        }
    }

    /// What shares a scale, where the method lets one choose or decides.
    pub fn group(&self) -> Group {
        match *self {
            Transform::Logarithmic { per, .. }
            | Transform::Binary { per, scale: None, .. }
            | Transform::Ternary { per }
            | Transform::OptimalTernary { per }
            | Transform::TrainedTernary { per, .. } => per,
            Transform::Codebook { .. } => Group::Matrix,
            // Linear scales belong to outputs; fixed scales don't depend on the weights at all.
            Transform::Float | Transform::Linear { .. } | Transform::Binary { .. } | Transform::FixedTernary { .. } => {
                Group::Output
            }
        }
    }

    /// Bits that tell one of the method's values.
    pub fn bits(&self) -> f64 {
        match *self {
            Transform::Float => 32.0,
            Transform::Linear { levels: Some(levels), .. } => f64::from(levels).log2(),
            Transform::Linear { bits, .. } | Transform::Logarithmic { bits, .. } | Transform::Codebook { bits } => {
                bits.into()
            }
            Transform::Binary { .. } => 1.0,
            Transform::Ternary { .. }
            | Transform::FixedTernary { .. }
            | Transform::OptimalTernary { .. }
            | Transform::TrainedTernary { .. } => 3_f64.log2(),
        }
    }

    /// The bound that shadow weights are kept within, and start in.
    pub fn bound(&self) -> Option<f32> {
        match *self {
            Transform::Binary { scale, .. } => scale,
            Transform::FixedTernary { scale, .. } => Some(scale),
            _ => None,
        }
    }

    /// Whether threshold and scale are found once, from weights that training has formed.
    pub fn needs_trained_weights(&self) -> bool {
        matches!(self, Transform::OptimalTernary { .. })
    }

    /// Whether the method's extra numbers are learned; none if it has none.
    fn learns_extra(&self) -> Option<bool> {
        match self {
            Transform::Codebook { .. } | Transform::TrainedTernary { .. } => Some(true),
            Transform::OptimalTernary { .. } => Some(false),
            _ => None,
        }
    }

    /// The extra numbers that the method starts with, given the weights where it starts. Two a group,
    /// `[2, groups]` or, with inputs in columns, `[groups, 2]`; of a codebook `[1, values]`.
    fn first_extra(&self, weights: &Tensor<2>, inputs: Inputs) -> Option<Tensor<2>> {
        match *self {
            Transform::Codebook { bits } => Some(codebook::centroids(weights, bits)),
            Transform::TrainedTernary { threshold, per } => {
                Some(ternary::first_levels(weights, threshold, grouped(per, inputs), inputs))
            }
            Transform::OptimalTernary { per } => Some(ternary::optimum(weights, per, inputs)),
            _ => None,
        }
    }

    /// The weights that the network computes with. Where the method draws, it does with `random` in training, and
    /// rounds without.
    fn apply(
        &self,
        weights: Tensor<2>,
        extra: Option<&Tensor<2>>,
        inputs: Inputs,
        random: Option<&mut StdRng>,
    ) -> (Tensor<2>, Tape) {
        match (*self, extra) {
            (Transform::Float, _) => (weights, Tape::Straight),
            (Transform::Codebook { .. }, Some(extra)) => {
                let (values, assignment) = codebook::nearest(weights, extra);
                (values, Tape::Codebook(assignment))
            }
            (Transform::TrainedTernary { threshold, per }, Some(extra)) => {
                let (values, trained) = ternary::trained(weights, extra, threshold, grouped(per, inputs), inputs);
                (values, Tape::Trained(Box::new(trained)))
            }
            _ => {
                let Quantized { integers, scales } = self.integers(weights, extra, inputs, random);
                (integers * scales, Tape::Straight)
            }
        }
    }

    /// The gradients of the shadow weights and of the extra numbers from those of the transformed weights.
    fn backward(tape: Tape, gradient: Tensor<2>) -> Gradients {
        match tape {
            Tape::Straight => Gradients { weights: gradient, extra: None },
            Tape::Trained(trained) => trained.backward(gradient),
            Tape::Codebook(assignment) => Gradients { extra: Some(assignment.sums(&gradient)), weights: gradient },
        }
    }

    /// The integers and scales behind [`Transform::apply`], for a file; none for floats. Levels that are no multiples
    /// of one scale (learned ones) are put on the 8-bit grid of their output.
    fn quantize(&self, weights: Tensor<2>, extra: Option<&Tensor<2>>, inputs: Inputs) -> Option<Quantized> {
        match self {
            Transform::Float => None,
            Transform::Codebook { .. } | Transform::TrainedTernary { .. } => {
                Some(linear::quantize(self.apply(weights, extra, inputs, None).0, 8, None, None, inputs))
            }
            _ => Some(self.integers(weights, extra, inputs, None)),
        }
    }

    fn integers(
        &self,
        weights: Tensor<2>,
        extra: Option<&Tensor<2>>,
        inputs: Inputs,
        random: Option<&mut StdRng>,
    ) -> Quantized {
        match *self {
            Transform::Linear { bits, levels, scales_per_octave } => {
                linear::quantize(weights, bits, levels, scales_per_octave, inputs)
            }
            Transform::Logarithmic { bits, per } => logarithmic::quantize(weights, bits, grouped(per, inputs)),
            Transform::Binary { scale: None, per, .. } => binary::by_mean(weights, grouped(per, inputs)),
            Transform::Binary { scale: Some(scale), stochastic, .. } => {
                binary::fixed(weights, scale, random.filter(|_| stochastic))
            }
            Transform::Ternary { per } => ternary::by_mean(weights, grouped(per, inputs)),
            Transform::FixedTernary { threshold, scale, stochastic } => {
                ternary::fixed(weights, threshold, scale, random.filter(|_| stochastic))
            }
            Transform::OptimalTernary { .. } => {
                ternary::frozen(weights, extra.expect("the matrix keeps threshold and scale"), inputs)
            }
            Transform::Float | Transform::Codebook { .. } | Transform::TrainedTernary { .. } => {
                unreachable!("has no integers of its own")
            }
        }
    }
}

/// The dimensions that a group's reductions run over.
#[derive(Clone, Copy)]
enum Over {
    Everything,
    Dimension(usize),
}

fn grouped(per: Group, inputs: Inputs) -> Over {
    match per {
        Group::Matrix => Over::Everything,
        Group::Output => Over::Dimension(inputs as usize),
    }
}

impl Over {
    fn sum(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Over::Everything => x.sum_dim(0).sum_dim(1),
            Over::Dimension(dimension) => x.sum_dim(dimension),
        }
    }

    fn max(self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Over::Everything => x.max_dim(0).max_dim(1),
            Over::Dimension(dimension) => x.max_dim(dimension),
        }
    }

    fn mean(self, x: Tensor<2>) -> Tensor<2> {
        let count = match self {
            Over::Everything => x.shape().num_elements(),
            Over::Dimension(dimension) => x.dims()[dimension],
        };
        self.sum(x) * (1.0 / count as f32)
    }
}

/// 1 where `x > threshold` (which broadcasts), else 0.
fn above(x: Tensor<2>, threshold: Tensor<2>) -> Tensor<2> {
    let shape = x.dims();
    x.greater(threshold.expand(shape)).float()
}

/// Numbers drawn evenly from [0, 1), one a weight.
fn uniform(like: &Tensor<2>, random: &mut StdRng) -> Tensor<2> {
    use rand::Rng;
    let shape = like.dims();
    super::slices::give((0..shape[0] * shape[1]).map(|_| random.random()).collect(), shape, &like.device())
}

/// How many levels linear quantization has, from two bits on.
fn linear_levels(bits: u8, levels: Option<u16>) -> u16 {
    levels.unwrap_or((1 << bits) - 1)
}

fn check_levels(bits: u8, levels: Option<u16>) -> Result<()> {
    let Some(levels) = levels else { return Ok(()) };
    ensure!(bits > 1, "bits = 1 takes no levels: it has two");
    let (least, most) = ((1 << (bits - 1)) + 1, linear_levels(bits, None));
    ensure!(
        levels % 2 == 1 && (least..=most).contains(&levels),
        "levels = {levels} must be an odd number from {least} to {most} with bits = {bits}"
    );
    Ok(())
}

#[cfg(test)]
mod testing {
    use super::*;
    use burn::tensor::{Device, TensorData};

    pub fn tensor(values: &[f32], shape: [usize; 2]) -> Tensor<2> {
        Tensor::from_data(TensorData::new(values.to_vec(), shape), &Device::flex())
    }

    pub fn values(tensor: Tensor<2>) -> Vec<f32> {
        super::super::slices::take(tensor)
    }

    /// The weights that a method makes of these, with its own first extra numbers, and without chance.
    pub fn applied(transform: Transform, weights: &[f32], shape: [usize; 2], inputs: Inputs) -> Vec<f32> {
        let weights = tensor(weights, shape);
        let extra = transform.first_extra(&weights, inputs);
        values(transform.apply(weights, extra.as_ref(), inputs, None).0)
    }

    pub fn assert_close(got: &[f32], want: &[f32]) {
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-6, "{got} is not {want}");
        }
    }

    /// Every method, with some of its options.
    pub fn all() -> Vec<Transform> {
        let groups = [Group::Matrix, Group::Output];
        let mut all: Vec<Transform> = [1, 2, 3, 4, 8, 12].map(Transform::linear).to_vec();
        all.push(Transform::Linear { bits: 4, levels: Some(11), scales_per_octave: Some(8) });
        all.extend([1, 2, 4].map(|bits| Transform::Codebook { bits }));
        for per in groups {
            all.extend([2, 3, 4].map(|bits| Transform::Logarithmic { bits, per }));
            all.push(Transform::Binary { per, scale: None, stochastic: false });
            all.push(Transform::Ternary { per });
            all.push(Transform::OptimalTernary { per });
            all.push(Transform::TrainedTernary { threshold: 0.05, per });
        }
        for stochastic in [false, true] {
            all.push(Transform::Binary { per: Group::Matrix, scale: Some(0.3), stochastic });
            all.push(Transform::FixedTernary { threshold: 0.5, scale: 0.3, stochastic });
        }
        all
    }
}

#[cfg(test)]
mod tests {
    use super::testing::*;
    use super::*;

    #[test]
    fn what_a_file_holds_is_what_the_network_computes_with() {
        let weights: Vec<f32> = (0..24).map(|i| ((i * 7 % 24) as f32 - 11.5) * 0.02).collect();
        for inputs in [Inputs::Rows, Inputs::Columns] {
            for transform in all() {
                transform.check().unwrap();
                let weights = tensor(&weights, [4, 6]);
                let extra = transform.first_extra(&weights, inputs);
                let computed = values(transform.apply(weights.clone(), extra.as_ref(), inputs, None).0);
                let Quantized { integers, scales } = transform.quantize(weights, extra.as_ref(), inputs).unwrap();
                let steps: f32 = scales.clone().max().into_scalar();
                for integer in values(integers.clone()) {
                    assert_eq!(integer, integer.round(), "{transform:?}");
                }
                // Learned levels are rounded to 8 bits; all others are exact.
                let allowed = if transform.learns_extra() == Some(true) { steps * 0.5 + 1e-6 } else { 1e-6 };
                for (file, computed) in values(integers * scales).iter().zip(computed) {
                    assert!((file - computed).abs() <= allowed, "{transform:?} {inputs:?}: {file} {computed}");
                }
            }
        }
    }

    #[test]
    fn zeros_give_finite_weights() {
        for transform in all() {
            for value in applied(transform, &[0.0; 6], [3, 2], Inputs::Rows) {
                assert!(value.is_finite(), "{transform:?}");
            }
        }
    }

    #[test]
    fn the_gradient_passes_straight_through() {
        let transform = Transform::Ternary { per: Group::Matrix };
        let (_, tape) = transform.apply(tensor(&[0.4, -0.1], [1, 2]), None, Inputs::Rows, None);
        let gradients = Transform::backward(tape, tensor(&[3.0, -2.0], [1, 2]));
        assert_eq!(values(gradients.weights), [3.0, -2.0]);
        assert!(gradients.extra.is_none());
    }

    #[test]
    fn impossible_options_are_refused() {
        let error = |transform: Transform| transform.check().unwrap_err().to_string();
        assert!(error(Transform::linear(13)).contains("bits = 13"));
        for levels in [7, 10, 17] {
            assert!(
                error(Transform::Linear { bits: 4, levels: Some(levels), scales_per_octave: None })
                    .contains("an odd number from 9 to 15")
            );
        }
        let no_scale = Transform::Linear { bits: 4, levels: None, scales_per_octave: Some(0) };
        assert!(error(no_scale).contains("scales_per_octave = 0"));
        assert!(
            error(Transform::Linear { bits: 1, levels: Some(2), scales_per_octave: None }).contains("takes no levels")
        );
        assert!(error(Transform::Logarithmic { bits: 1, per: Group::Matrix }).contains("bits = 1"));
        let unscaled = Transform::Binary { per: Group::Matrix, scale: None, stochastic: true };
        assert!(error(unscaled).contains("needs a scale"));
        let fixed = |threshold, scale| Transform::FixedTernary { threshold, scale, stochastic: false };
        assert!(error(fixed(1.5, 1.0)).contains("threshold = 1.5"));
        assert!(error(fixed(0.5, 0.0)).contains("scale = 0"));
    }
}
