//! The loss of a student beside its teacher's distribution (Hinton 2015).
//!
//! Of `L = H(y, P_S) + lambda H(P_T, P_S)` the first part is the softmax's; this is the second, as far as it concerns the words
//! that the teacher's soft targets name:
//!
//! ```text
//! H(P_T, P_S) = m H(Q_T, Q_S) - m ln P_S(K) - the words beyond K
//! ```
//!
//! where `K` are the words named, `m = P_T(K)` and `Q` the distributions within `K`. `m H(Q_T, Q_S)`, with both logits divided by
//! a temperature, is what is computed: which of the likely words is likelier, which is what suggestions need. How likely they
//! are together, the text itself teaches. So it costs a few rows a position, whatever the vocabulary and the softmax.

use burn::tensor::activation::{log_softmax, softmax};
use burn::tensor::{Tensor, TensorData};

use super::config::{Distillation, HintConfig};
use super::rows::{indices, scatter_sum};
use super::softmax::Loss;
use crate::distillation::Soft;

/// The teacher's part of the loss: `outputs` is `[positions, width]`, `rows` `[rows, width]`, `bias` `[rows, 1]`, `places`
/// where among the rows the words of the soft targets stand. Everything is multiplied with `share`.
pub fn soft_cross_entropy(
    outputs: &Tensor<2>,
    [rows, bias]: [&Tensor<2>; 2],
    soft: &Soft,
    places: &[u32],
    options: Distillation,
    share: f32,
) -> Loss {
    let Distillation { lambda, temperature, .. } = options;
    let (device, [positions, width], count) = (outputs.device(), outputs.dims(), rows.dims()[0]);
    let top = soft.top;
    let places = indices(places.iter().copied(), &device);
    let data = TensorData::new(soft.log_probabilities.clone(), [positions, top]);
    let told: Tensor<2> = Tensor::from_data(data, &device);
    let mass = told.clone().exp().sum_dim(1);
    let wanted = softmax(told / temperature, 1);

    let named = rows.clone().select(0, places.clone()).reshape([positions, top, width]);
    let vectors = outputs.clone().unsqueeze_dim::<3>(1);
    let logits = (named.clone() * vectors.clone()).sum_dim(2).reshape([positions, top]);
    let logits = (logits + bias.clone().select(0, places.clone()).reshape([positions, top])) / temperature;
    let weight = mass * (lambda * share);
    let log_given = log_softmax(logits, 1);
    let loss = (wanted.clone() * log_given.clone()).sum_dim(1).neg() * weight.clone();

    // d H / d logits = given - wanted
    let d = (log_given.exp() - wanted) * weight / temperature;
    let d_named = d.clone().unsqueeze_dim::<3>(2);
    let d_rows = (vectors * d_named.clone()).reshape([positions * top, width]);
    Loss {
        mean: loss.sum_dim(0),
        outputs: (named * d_named).sum_dim(1).reshape([positions, width]),
        rows: scatter_sum(d_rows, places.clone(), count),
        bias: scatter_sum(d.reshape([positions * top, 1]), places, count),
    }
}

/// The loss of hints and its gradients.
pub struct HintLoss {
    /// `[1, 1]`
    pub mean: Tensor<2>,
    /// Of the output vectors.
    pub outputs: Tensor<2>,
    /// Of the matrix.
    pub matrix: Tensor<2>,
}

/// `weight / 2` times the mean squared error of `outputs matrix`, `[positions, width]`, against the teacher's vectors, times
/// `share` (Romero 2015, equation 3).
pub fn hint_loss(outputs: &Tensor<2>, matrix: &Tensor<2>, hints: &[f32], options: HintConfig, share: f32) -> HintLoss {
    let shape = [outputs.dims()[0], options.width];
    let told: Tensor<2> = Tensor::from_data(TensorData::new(hints.to_vec(), shape), &outputs.device());
    let error = outputs.clone().matmul(matrix.clone()) - told;
    let factor = options.weight * share / options.width as f32;
    let d = error.clone() * factor;
    HintLoss {
        mean: (error * d.clone()).sum_dim(1).sum_dim(0) * 0.5,
        outputs: d.clone().matmul(matrix.clone().transpose()),
        matrix: outputs.clone().transpose().matmul(d),
    }
}

#[cfg(test)]
mod tests {
    use super::super::softmax::testing::check;
    use super::*;
    use burn::tensor::{Device, Distribution};

    #[test]
    fn the_gradient_matches_automatic_differentiation() {
        let device = Device::flex();
        device.seed(4);
        let [h, rows, bias] =
            [[2, 3], [5, 3], [5, 1]].map(|shape| Tensor::<2>::random(shape, Distribution::Uniform(-1.0, 1.0), &device));
        let log_probabilities: Vec<f32> = [0.5_f32, 0.2, 0.1, 0.3, 0.3, 0.3].iter().map(|p| p.ln()).collect();
        let soft =
            Soft { top: 3, rows: vec![4, 0, 2, 1, 2, 3], log_probabilities: log_probabilities.clone(), hints: vec![] };
        for temperature in [1.0, 2.5] {
            let options = Distillation { lambda: 0.7, temperature, hint: None };
            let got = soft_cross_entropy(&h, [&rows, &bias], &soft, &soft.rows, options, 0.5);

            check(got, [&h, &rows, &bias].map(Tensor::clone), |[h, rows, bias]| {
                let logits = (h.clone().matmul(rows.transpose()) + bias.transpose()) / temperature;
                let mut loss = Tensor::<2>::zeros([1, 1], &h.device());
                for (position, words) in soft.rows.chunks(3).enumerate() {
                    let told = &log_probabilities[3 * position..3 * position + 3];
                    let powers: Vec<f32> = told.iter().map(|p| (p / temperature).exp()).collect();
                    let mass: f32 = told.iter().map(|p| p.exp()).sum();
                    let places = indices(words.iter().copied(), &h.device());
                    let within = logits.clone().narrow(0, position, 1).select(1, places);
                    let within = log_softmax(within, 1);
                    for (word, power) in powers.iter().enumerate() {
                        let factor = 0.7 * 0.5 * mass * power / powers.iter().sum::<f32>();
                        loss = loss - within.clone().narrow(1, word, 1) * factor;
                    }
                }
                loss
            });
        }
    }
}
