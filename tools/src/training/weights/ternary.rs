//! Ternary weights, by how threshold and levels are found.

use burn::tensor::Tensor;
use rand::rngs::StdRng;

use super::{Gradients, Group, Inputs, Over, Quantized, SMALLEST, above, uniform};
use crate::training::slices::{give, take};

/// Zhu 2017's threshold, as a share of the largest |w|.
pub fn default_threshold() -> f32 {
    0.05
}

/// Threshold 0.7 mean|w|, scale the mean of |w| above it (Li & Liu 2016, equations 5 and 6).
pub fn by_mean(weights: Tensor<2>, over: Over) -> Quantized {
    let magnitude = weights.clone().abs();
    let survives = above(magnitude.clone(), over.mean(magnitude.clone()) * 0.7);
    let survivors = over.sum(survives.clone()).clamp_min(1.0);
    let scales = (over.sum(magnitude * survives.clone()) / survivors).clamp_min(SMALLEST);
    Quantized { integers: weights.sign() * survives, scales }
}

/// Levels of a fixed scale: zero where |w| <= threshold * scale (equation 7 of the talk), or, with `random`, with
/// probability 1 - |w| / scale (Ardakani 2019).
pub fn fixed(weights: Tensor<2>, threshold: f32, scale: f32, random: Option<&mut StdRng>) -> Quantized {
    let share = weights.clone().abs() / scale;
    let limit = match random {
        None => Tensor::full([1, 1], threshold, &weights.device()),
        Some(random) => uniform(&weights, random),
    };
    let scales = Tensor::full([1, 1], scale, &weights.device());
    Quantized { integers: weights.sign() * above(share, limit), scales }
}

/// Two numbers a group, as tensors that broadcast over the weights.
fn pair(extra: &Tensor<2>, inputs: Inputs) -> [Tensor<2>; 2] {
    [0, 1].map(|index| extra.clone().narrow(inputs as usize, index, 1))
}

fn paired(first: Tensor<2>, second: Tensor<2>, inputs: Inputs) -> Tensor<2> {
    Tensor::cat(vec![first, second], inputs as usize)
}

/// Threshold and scale of least squared error for each group (Hwang & Sung 2014, who iterate to it): of the n largest
/// |w| the scale is their mean, and the error is least where (sum of the n largest)^2 / n is greatest.
pub fn optimum(weights: &Tensor<2>, per: Group, inputs: Inputs) -> Tensor<2> {
    let device = weights.device();
    // A group a row.
    let rows = if inputs == Inputs::Rows { weights.clone().transpose() } else { weights.clone() };
    let [outputs, width] = rows.dims();
    let values = take(rows);
    let size = if per == Group::Matrix { outputs * width } else { width };
    let found = values.chunks_exact(size).flat_map(optimum_of).collect();
    let pairs = give(found, [values.len() / size, 2], &device);
    if inputs == Inputs::Rows { pairs.transpose() } else { pairs }
}

fn optimum_of(weights: &[f32]) -> [f32; 2] {
    let mut magnitudes: Vec<f32> = weights.iter().map(|w| w.abs()).collect();
    magnitudes.sort_unstable_by(|a, b| b.total_cmp(a));
    let (mut sum, mut best, mut found) = (0.0, f64::NEG_INFINITY, [0.0, SMALLEST]);
    for (index, &magnitude) in magnitudes.iter().enumerate() {
        sum += f64::from(magnitude);
        let count = index + 1;
        let score = sum * sum / count as f64;
        if score > best {
            best = score;
            let next = magnitudes.get(count).copied().unwrap_or(0.0);
            found = [0.5 * (magnitude + next), ((sum / count as f64) as f32).max(SMALLEST)];
        }
    }
    found
}

/// With threshold and scale as they were found.
pub fn frozen(weights: Tensor<2>, extra: &Tensor<2>, inputs: Inputs) -> Quantized {
    let [threshold, scales] = pair(extra, inputs);
    Quantized { integers: weights.clone().sign() * above(weights.abs(), threshold), scales }
}

/// What the backward pass of trained levels needs.
pub struct Trained {
    /// 1 where the weight is at the positive level, and the same for the negative one.
    positive: Tensor<2>,
    negative: Tensor<2>,
    levels: [Tensor<2>; 2],
    over: Over,
    inputs: Inputs,
}

fn split(weights: &Tensor<2>, threshold: f32, over: Over) -> [Tensor<2>; 2] {
    let limit = over.max(weights.clone().abs()) * threshold;
    [above(weights.clone(), limit.clone()), above(weights.clone().neg(), limit)]
}

/// The means of |w| on either side of the thresholds: what the levels start from.
pub fn first_levels(weights: &Tensor<2>, threshold: f32, over: Over, inputs: Inputs) -> Tensor<2> {
    let [positive, negative] = split(weights, threshold, over).map(|side| {
        let sum = over.sum(weights.clone().abs() * side.clone());
        (sum / over.sum(side).clamp_min(1.0)).clamp_min(SMALLEST)
    });
    paired(positive, negative, inputs)
}

/// Learned levels (Zhu 2017, equation 6).
pub fn trained(
    weights: Tensor<2>,
    extra: &Tensor<2>,
    threshold: f32,
    over: Over,
    inputs: Inputs,
) -> (Tensor<2>, Trained) {
    let levels = pair(extra, inputs);
    let [positive, negative] = split(&weights, threshold, over);
    let values = positive.clone() * levels[0].clone() - negative.clone() * levels[1].clone();
    (values, Trained { positive, negative, levels, over, inputs })
}

impl Trained {
    /// The levels' gradients are sums over their weights (equation 7); a weight's is multiplied with its level, or with
    /// 1 where it is zero (equation 8).
    pub fn backward(self, gradient: Tensor<2>) -> Gradients {
        let Trained { positive, negative, levels: [up, down], over, inputs } = self;
        let extra = paired(
            over.sum(gradient.clone() * positive.clone()),
            over.sum(gradient.clone() * negative.clone()).neg(),
            inputs,
        );
        let zero = positive.clone().neg() - negative.clone() + 1.0;
        let weights = gradient * (positive * up + negative * down + zero);
        Gradients { weights, extra: Some(extra) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Transform;
    use super::super::testing::*;
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn by_mean_of_a_matrix() {
        // mean |w| = 0.5, threshold 0.35, survivors 0.9, 0.7, 0.4 of mean 2/3.
        let got = applied(Transform::Ternary { per: Group::Matrix }, &[0.9, -0.7, 0.0, 0.4], [2, 2], Inputs::Rows);
        let scale = 2.0 / 3.0;
        assert_close(&got, &[scale, -scale, 0.0, scale]);
    }

    #[test]
    fn by_mean_of_an_output() {
        let weights = [1.0, 0.1, -3.0, 0.1];
        // Outputs are columns: (1, -3) and (0.1, 0.1).
        let columns = applied(Transform::Ternary { per: Group::Output }, &weights, [2, 2], Inputs::Rows);
        assert_eq!(columns, [0.0, 0.1, -3.0, 0.1]);
        // Outputs are rows: (1, 0.1) and (-3, 0.1).
        let rows = applied(Transform::Ternary { per: Group::Output }, &weights, [2, 2], Inputs::Columns);
        assert_eq!(rows, [1.0, 0.0, -3.0, 0.0]);
    }

    #[test]
    fn fixed_threshold() {
        let transform = Transform::FixedTernary { threshold: 0.5, scale: 1.0, stochastic: false };
        assert_eq!(transform.bound(), Some(1.0));
        let got = applied(transform, &[0.6, -0.4, 0.5, -0.51], [4, 1], Inputs::Rows);
        assert_eq!(got, [1.0, 0.0, 0.0, -1.0]);
    }

    #[test]
    fn chance_keeps_the_mean() {
        let transform = Transform::FixedTernary { threshold: 0.5, scale: 2.0, stochastic: true };
        let weights = vec![-0.5; 4000];
        let mut random = StdRng::seed_from_u64(3);
        let drawn = values(transform.apply(tensor(&weights, [4000, 1]), None, Inputs::Rows, Some(&mut random)).0);
        assert!(drawn.iter().all(|&x| x == 0.0 || x == -2.0));
        // A weight is -2 with probability 1/4; the mean's deviation is 2 * sqrt(3/16 / 4000).
        let mean = drawn.iter().sum::<f32>() / 4000.0;
        assert!((mean + 0.5).abs() < 5.0 * 0.0137, "{mean}");
    }

    #[test]
    fn the_optimum_has_the_least_error() {
        let weights: Vec<f32> = (0..40).map(|i| (i as f32 * 0.9).sin().powi(3)).collect();
        let error = |values: &[f32]| values.iter().zip(&weights).map(|(a, b)| (a - b) * (a - b)).sum::<f32>();
        let got = applied(Transform::OptimalTernary { per: Group::Matrix }, &weights, [8, 5], Inputs::Rows);
        // No threshold and scale of a fine grid is better.
        for threshold in (0..50).map(|i| i as f32 * 0.02) {
            for scale in (1..50).map(|i| i as f32 * 0.02) {
                let other: Vec<f32> =
                    weights.iter().map(|w| if w.abs() > threshold { w.signum() * scale } else { 0.0 }).collect();
                assert!(error(&got) <= error(&other) + 1e-6);
            }
        }
    }

    #[test]
    fn the_optimum_of_outputs_is_kept() {
        let transform = Transform::OptimalTernary { per: Group::Output };
        for (inputs, shape) in [(Inputs::Rows, [2, 2]), (Inputs::Columns, [2, 2])] {
            let extra = transform.first_extra(&tensor(&[1.0, 4.0, 0.9, -0.1], shape), inputs).unwrap();
            let later = tensor(&[0.1, 9.0, 2.0, 0.0], shape);
            let got = values(transform.apply(later, Some(&extra), inputs, None).0);
            let want = match inputs {
                // Columns (1, 0.9): threshold 0.45, scale 0.95; (4, -0.1): threshold 2.05, scale 4.
                Inputs::Rows => [0.0, 4.0, 0.95, 0.0],
                // Rows (1, 4): the two have the greater score, threshold 0.5, scale 2.5 against 16 of the 4 alone.
                Inputs::Columns => [0.0, 4.0, 0.9, 0.0],
            };
            assert_close(&got, &want);
        }
    }

    #[test]
    fn trained_levels_and_their_gradients() {
        let transform = Transform::TrainedTernary { threshold: 0.1, per: Group::Matrix };
        // Threshold 0.1: the weights are +, -, 0, -.
        let weights = tensor(&[1.0, -0.5, 0.05, -0.2], [2, 2]);
        let first = transform.first_extra(&weights, Inputs::Rows).unwrap();
        assert_close(&values(first), &[1.0, 0.35]);
        let levels = tensor(&[2.0, 3.0], [2, 1]);
        let (computed, tape) = transform.apply(weights, Some(&levels), Inputs::Rows, None);
        assert_close(&values(computed), &[2.0, -3.0, 0.0, -3.0]);
        let gradients = Transform::backward(tape, tensor(&[0.1, 0.2, 0.3, 0.4], [2, 2]));
        assert_close(&values(gradients.extra.unwrap()), &[0.1, -0.6]);
        assert_close(&values(gradients.weights), &[0.2, 0.6, 0.3, 1.2]);
    }
}
