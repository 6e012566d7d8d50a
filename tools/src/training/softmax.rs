//! Cross-entropy over the vocabulary, with its own gradient: the logits of a whole batch never exist at once (full
//! softmax) or not at all (sampled softmax).

use burn::tensor::{IndexingUpdateOp, Int, Tensor};

use super::rows::{indices, scatter_sum};

/// Logits held at once, at most.
const CHUNK_ELEMENTS: usize = 4 << 20;
/// Stands for minus infinity in logits.
const MASKED: f32 = -1e9;

/// The loss and its gradients.
pub struct Loss {
    /// Mean negative log-likelihood in nats, `[1, 1]`, left on the device.
    pub mean: Tensor<2>,
    /// Of the output vectors, `[positions, width]`.
    pub outputs: Tensor<2>,
    /// Of the rows, `[rows, width]`.
    pub rows: Tensor<2>,
    /// Of the bias, `[rows, 1]`.
    pub bias: Tensor<2>,
}

/// How many positions have their logits computed at once.
fn chunk(rows: usize) -> usize {
    (CHUNK_ELEMENTS / rows.max(1)).max(1)
}

/// Cross-entropy of `targets` under softmax over all `rows`: `outputs` is `[positions, width]`, `rows` `[rows, width]`,
/// `bias` `[rows, 1]`.
pub fn full(outputs: &Tensor<2>, rows: &Tensor<2>, bias: &Tensor<2>, targets: &Tensor<1, Int>) -> Loss {
    let positions = outputs.dims()[0];
    let (count, width) = (rows.dims()[0], rows.dims()[1]);
    let device = outputs.device();
    let (transposed, bias_row) = (rows.clone().transpose(), bias.clone().transpose());
    let share = 1.0 / positions as f32;
    let mut loss = Loss {
        mean: Tensor::zeros([1, 1], &device),
        outputs: outputs.clone(),
        rows: Tensor::zeros([count, width], &device),
        bias: Tensor::zeros([count, 1], &device),
    };
    let mut gradients = Vec::new();
    for start in (0..positions).step_by(chunk(count)) {
        let size = chunk(count).min(positions - start);
        let h = outputs.clone().narrow(0, start, size);
        let target = targets.clone().narrow(0, start, size).unsqueeze_dim::<2>(1);
        let (log_likelihood, probabilities) = softmax(h.clone(), &transposed, &bias_row, &target);
        loss.mean = loss.mean - log_likelihood.sum_dim(0) * share;
        // d loss / d logits = (probabilities - one-hot) / positions
        let minus = Tensor::full([size, 1], -1.0, &device);
        let d = probabilities.scatter(1, target, minus, IndexingUpdateOp::Add) * share;
        gradients.push(d.clone().matmul(rows.clone()));
        loss.bias = loss.bias + d.clone().sum_dim(0).transpose();
        loss.rows = loss.rows + d.transpose().matmul(h);
    }
    loss.outputs = Tensor::cat(gradients, 0);
    loss
}

/// Sum of the negative log-likelihoods of `targets` under softmax over all `rows`.
pub fn negative_log_likelihood(
    outputs: Tensor<2>,
    rows: &Tensor<2>,
    bias: &Tensor<2>,
    targets: &Tensor<1, Int>,
) -> f64 {
    let (transposed, bias_row) = (rows.clone().transpose(), bias.clone().transpose());
    let (positions, count) = (outputs.dims()[0], rows.dims()[0]);
    let mut sum = 0.0;
    for start in (0..positions).step_by(chunk(count)) {
        let size = chunk(count).min(positions - start);
        let target = targets.clone().narrow(0, start, size).unsqueeze_dim::<2>(1);
        let (log_likelihood, _) = softmax(outputs.clone().narrow(0, start, size), &transposed, &bias_row, &target);
        sum -= f64::from(log_likelihood.sum().into_scalar::<f32>());
    }
    sum
}

/// Log-likelihoods of the targets, `[positions, 1]`, and all probabilities.
fn softmax(h: Tensor<2>, transposed: &Tensor<2>, bias: &Tensor<2>, target: &Tensor<2, Int>) -> (Tensor<2>, Tensor<2>) {
    let logits = h.matmul(transposed.clone()) + bias.clone();
    let largest = logits.clone().max_dim(1);
    let logits = logits - largest;
    let of_target = logits.clone().gather(1, target.clone());
    let powers = logits.exp();
    let sum = powers.clone().sum_dim(1);
    (of_target - sum.clone().log(), powers / sum)
}

/// Words drawn for a batch, and what corrects their logits.
pub struct Candidates {
    /// Places of the drawn words among the rows.
    pub places: Vec<u32>,
    /// log of the expected number of times that each is drawn.
    pub log_expected: Vec<f32>,
    /// The same for the targets.
    pub target_log_expected: Vec<f32>,
}

/// Cross-entropy of `targets` (places among the rows) under softmax over each position's target and the drawn
/// candidates. A candidate that is the position's target is left out.
pub fn sampled(outputs: &Tensor<2>, rows: &Tensor<2>, bias: &Tensor<2>, targets: &[u32], drawn: &Candidates) -> Loss {
    let device = outputs.device();
    let (positions, count) = (outputs.dims()[0], rows.dims()[0]);
    let column = |values: &[f32]| Tensor::<1>::from_floats(values, &device).unsqueeze_dim::<2>(1);
    let (target, candidate) =
        (indices(targets.iter().copied(), &device), indices(drawn.places.iter().copied(), &device));

    let target_rows = rows.clone().select(0, target.clone());
    let candidate_rows = rows.clone().select(0, candidate.clone());
    let target_bias = bias.clone().select(0, target.clone()) - column(&drawn.target_log_expected);
    let candidate_bias = bias.clone().select(0, candidate.clone()) - column(&drawn.log_expected);
    let positive = (outputs.clone() * target_rows.clone()).sum_dim(1) + target_bias;
    let negative = outputs.clone().matmul(candidate_rows.clone().transpose()) + candidate_bias.transpose();
    let size = [positions, drawn.places.len()];
    let hits =
        (candidate.clone().unsqueeze_dim::<2>(0).expand(size)).equal(target.clone().unsqueeze_dim::<2>(1).expand(size));
    let negative = negative.mask_fill(hits, MASKED);

    let largest = negative.clone().max_dim(1).max_pair(positive.clone());
    let powers = (negative - largest.clone()).exp();
    let positive = positive - largest;
    let target_power = positive.clone().exp();
    let sum = powers.clone().sum_dim(1) + target_power.clone();
    let mean = (sum.clone().log() - positive).mean_dim(0);
    // d loss / d logits = (probabilities - one-hot) / positions
    let share = sum.recip() / positions as f32;
    let d_negative = powers * share.clone();
    let d_positive = target_power * share - 1.0 / positions as f32;

    let d_rows = scatter_sum(d_negative.clone().transpose().matmul(outputs.clone()), candidate.clone(), count)
        + scatter_sum(outputs.clone() * d_positive.clone(), target.clone(), count);
    let d_bias = scatter_sum(d_negative.clone().sum_dim(0).transpose(), candidate, count)
        + scatter_sum(d_positive.clone(), target, count);
    Loss { mean, outputs: d_negative.matmul(candidate_rows) + target_rows * d_positive, rows: d_rows, bias: d_bias }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution, activation::log_softmax};

    fn assert_close(name: &str, got: Tensor<2>, want: Tensor<2>) {
        let difference: f32 = (got - want).abs().max().into_scalar();
        assert!(difference < 1e-5, "{name} differs by {difference}");
    }

    fn inputs() -> [Tensor<2>; 3] {
        let device = Device::flex();
        device.seed(3);
        [[6, 4], [9, 4], [9, 1]].map(|shape| Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &device))
    }

    /// Compares loss and gradients with automatic differentiation of `plain`.
    fn check(got: Loss, [h, rows, bias]: [Tensor<2>; 3], plain: impl Fn([Tensor<2>; 3]) -> Tensor<2>) {
        let [h, rows, bias] = [h, rows, bias].map(|tensor| Tensor::<2>::from_inner(tensor).require_grad());
        let loss = plain([h.clone(), rows.clone(), bias.clone()]);
        let gradients = loss.backward();
        assert_close("loss", got.mean, loss.inner());
        assert_close("outputs", got.outputs, h.grad(&gradients).unwrap());
        assert_close("rows", got.rows, rows.grad(&gradients).unwrap());
        assert_close("bias", got.bias, bias.grad(&gradients).unwrap());
    }

    const TARGETS: [u32; 6] = [0, 8, 3, 3, 1, 5];

    #[test]
    fn full_softmax_matches_automatic_differentiation() {
        let [h, rows, bias] = inputs();
        let targets = indices(TARGETS, &h.device());
        let got = full(&h, &rows, &bias, &targets);
        let total = negative_log_likelihood(h.clone(), &rows, &bias, &targets);
        let mean: f32 = got.mean.clone().into_scalar();
        assert!((total / 6.0 - f64::from(mean)).abs() < 1e-5);
        check(got, [h, rows, bias], |[h, rows, bias]| {
            let logits = h.clone().matmul(rows.transpose()) + bias.transpose();
            let targets = indices(TARGETS, &h.device()).unsqueeze_dim::<2>(1);
            log_softmax(logits, 1).gather(1, targets).mean().neg().reshape([1, 1])
        });
    }

    #[test]
    fn sampled_softmax_matches_automatic_differentiation() {
        let [h, rows, bias] = inputs();
        // Candidate 3 is the target of two positions; 7 is drawn twice.
        let drawn = Candidates {
            places: vec![3, 7, 2, 7],
            log_expected: vec![0.5, -0.2, 0.1, -0.2],
            target_log_expected: vec![0.3, -0.4, 0.5, 0.5, 0.0, 0.2],
        };
        let got = sampled(&h, &rows, &bias, &TARGETS, &drawn);
        check(got, [h, rows, bias], |[h, rows, bias]| {
            let device = h.device();
            let column = |values: &[f32]| Tensor::<1>::from_floats(values, &device).unsqueeze_dim::<2>(1);
            let (target, candidate) = (indices(TARGETS, &device), indices([3, 7, 2, 7], &device));
            let positive = (h.clone() * rows.clone().select(0, target.clone())).sum_dim(1)
                + bias.clone().select(0, target)
                - column(&drawn.target_log_expected);
            let negative = h.matmul(rows.select(0, candidate.clone()).transpose())
                + (bias.select(0, candidate) - column(&drawn.log_expected)).transpose();
            let mut hits = [[0.0; 4]; 6];
            hits[2][0] = MASKED;
            hits[3][0] = MASKED;
            let negative = negative + Tensor::from_floats(hits, &device);
            log_softmax(Tensor::cat(vec![positive, negative], 1), 1).narrow(1, 0, 1).mean().neg().reshape([1, 1])
        });
    }
}
