//! Cross-entropy over the vocabulary, with its own gradient: the logits of a whole batch never exist at once (full
//! softmax) or not at all (sampled softmax).

use burn::tensor::{Bool, Device, IndexingUpdateOp, Int, Tensor};

use super::rows::{indices, scatter_sum};
use super::slices;

/// Logits held at once, at most: so many stay near the CPU.
const CHUNK_ELEMENTS: usize = 2 << 20;
/// The same on other devices, which want large products; 128 MiB is what some take in one buffer.
const DEVICE_CHUNK_ELEMENTS: usize = 32 << 20;
/// Stands for minus infinity in logits.
pub(super) const MASKED: f32 = -1e9;

/// A batch's share of the loss, and its gradients.
pub struct Loss {
    /// Sum of the negative log-likelihoods in nats, times the share, `[1, 1]`; left on the device.
    pub mean: Tensor<2>,
    /// Of the output vectors, `[positions, width]`.
    pub outputs: Tensor<2>,
    /// Of the rows, `[rows, width]`.
    pub rows: Tensor<2>,
    /// Of the bias, `[rows, 1]`.
    pub bias: Tensor<2>,
}

impl Loss {
    /// Of both losses together.
    pub fn plus(self, other: Loss) -> Loss {
        Loss {
            mean: self.mean + other.mean,
            outputs: self.outputs + other.outputs,
            rows: self.rows + other.rows,
            bias: self.bias + other.bias,
        }
    }
}

/// How many positions have their logits computed at once.
fn chunk(rows: usize, device: &Device) -> usize {
    let elements = if *device == Device::flex() { CHUNK_ELEMENTS } else { DEVICE_CHUNK_ELEMENTS };
    (elements / rows.max(1)).max(1)
}

/// Cross-entropy of `targets` under softmax over all `rows`: `outputs` is `[positions, width]`, `rows` `[rows, width]`,
/// `bias` `[rows, 1]`. Everything is multiplied with `share`, 1 over the positions of a whole batch. `fused` chooses the
/// way over slices, which is the CPU's.
pub fn full(outputs: &Tensor<2>, [rows, bias]: [&Tensor<2>; 2], targets: &[u32], share: f32, fused: bool) -> Loss {
    by_chunks(outputs, rows, targets, |logits, targets| {
        let (sum, d, d_bias) = gradient(logits, bias, targets, share, fused);
        (sum * share, d, d_bias)
    })
}

/// A loss over all `rows`, some positions at a time: `of` makes of logits that lack their bias, and of their targets, the loss,
/// `[1, 1]`, and its gradients with respect to the logits and to the bias, `[rows, 1]`.
pub(super) fn by_chunks(
    outputs: &Tensor<2>,
    rows: &Tensor<2>,
    targets: &[u32],
    of: impl Fn(Tensor<2>, &[u32]) -> (Tensor<2>, Tensor<2>, Tensor<2>),
) -> Loss {
    let (positions, [count, width]) = (outputs.dims()[0], rows.dims());
    let device = outputs.device();
    let transposed = rows.clone().transpose();
    let mut loss = Loss {
        mean: Tensor::zeros([1, 1], &device),
        outputs: outputs.clone(),
        rows: Tensor::zeros([count, width], &device),
        bias: Tensor::zeros([count, 1], &device),
    };
    let mut gradients = Vec::new();
    let chunk = chunk(count, &device);
    for start in (0..positions).step_by(chunk) {
        let size = chunk.min(positions - start);
        let h = outputs.clone().narrow(0, start, size);
        let (mean, d, d_bias) = of(h.clone().matmul(transposed.clone()), &targets[start..start + size]);
        loss.mean = loss.mean + mean;
        gradients.push(d.clone().matmul(rows.clone()));
        loss.bias = loss.bias + d_bias;
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
    targets: &[u32],
    fused: bool,
) -> f64 {
    let transposed = rows.clone().transpose();
    let (positions, count) = (outputs.dims()[0], rows.dims()[0]);
    let mut sum = 0.0;
    let chunk = chunk(count, &outputs.device());
    for start in (0..positions).step_by(chunk) {
        let size = chunk.min(positions - start);
        let logits = outputs.clone().narrow(0, start, size).matmul(transposed.clone());
        let loss = gradient(logits, bias, &targets[start..start + size], 1.0, fused).0;
        sum += f64::from(loss.into_scalar::<f32>());
    }
    sum
}

/// From logits that lack their bias: the sum of the negative log-likelihoods, `[1, 1]`, and `share` times its gradients
/// with respect to the logits and to the bias, `[rows, 1]`.
fn gradient(
    logits: Tensor<2>,
    bias: &Tensor<2>,
    targets: &[u32],
    share: f32,
    fused: bool,
) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
    if fused {
        return gradient_fused(logits, bias, targets, share);
    }
    let device = logits.device();
    let target = indices(targets.iter().copied(), &device).unsqueeze_dim::<2>(1);
    let logits = logits + bias.clone().transpose();
    let largest = logits.clone().max_dim(1);
    let logits = logits - largest;
    let of_target = logits.clone().gather(1, target.clone());
    let powers = logits.exp();
    let sum = powers.clone().sum_dim(1);
    let loss = (sum.clone().log() - of_target).sum_dim(0);
    // d loss / d logits = probabilities - one-hot
    let minus = Tensor::full([targets.len(), 1], -1.0, &device);
    let d = (powers / sum).scatter(1, target, minus, IndexingUpdateOp::Add) * share;
    let d_bias = d.clone().sum_dim(0).transpose();
    (loss, d, d_bias)
}

fn gradient_fused(
    logits: Tensor<2>,
    bias: &Tensor<2>,
    targets: &[u32],
    share: f32,
) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
    let [positions, count] = logits.dims();
    let device = bias.device();
    let bias = slices::take(bias.clone());
    let mut d = slices::take(logits);
    let mut d_bias = vec![0.0; count];
    let mut loss = 0.0;
    for (row, &target) in d.chunks_exact_mut(count).zip(targets) {
        row.iter_mut().zip(&bias).for_each(|(x, b)| *x += b);
        let largest = slices::max(row);
        let of_target = f64::from(row[target as usize] - largest);
        slices::exp_minus(row, largest);
        let sum = slices::sum(row, |x| x);
        loss += f64::from(sum).ln() - of_target;
        let scale = share / sum;
        row.iter_mut().for_each(|x| *x *= scale);
        row[target as usize] -= share;
        d_bias.iter_mut().zip(&*row).for_each(|(sum, x)| *sum += x);
    }
    let tensor = |values, shape| slices::give(values, shape, &device);
    (tensor(vec![loss as f32], [1, 1]), tensor(d, [positions, count]), tensor(d_bias, [count, 1]))
}

/// Words drawn for a batch, and what corrects their logits.
pub struct Candidates {
    /// Places of the drawn words among the rows; each once.
    pub places: Vec<u32>,
    /// log of the probability that each is drawn.
    pub log_drawn: Vec<f32>,
    /// The same for the targets.
    pub target_log_drawn: Vec<f32>,
}

impl Candidates {
    /// Where a position's target, one of `targets` (places among the rows), is among the candidates, `[positions, candidates]`.
    pub(super) fn hits(targets: &[u32], candidates: &[u32], device: &Device) -> Tensor<2, Bool> {
        let size = [targets.len(), candidates.len()];
        let target = indices(targets.iter().copied(), device).unsqueeze_dim::<2>(1).expand(size);
        indices(candidates.iter().copied(), device).unsqueeze_dim::<2>(0).expand(size).equal(target)
    }

    /// What corrects the logits of the targets, `[positions, 1]`, and of the candidates, `[candidates, 1]`.
    pub(super) fn corrections(&self, device: &Device) -> [Tensor<2>; 2] {
        [&self.target_log_drawn, &self.log_drawn]
            .map(|values| Tensor::<1>::from_floats(values.as_slice(), device).unsqueeze_dim(1))
    }
}

/// The rows of the targets and of the candidates, taken out of the table.
pub(super) struct Gathered {
    /// Rows of the table.
    count: usize,
    target: Tensor<1, Int>,
    candidate: Tensor<1, Int>,
    pub target_rows: Tensor<2>,
    candidate_rows: Tensor<2>,
}

impl Gathered {
    pub fn new(rows: &Tensor<2>, targets: &[u32], drawn: &Candidates) -> Gathered {
        let device = rows.device();
        let (target, candidate) =
            (indices(targets.iter().copied(), &device), indices(drawn.places.iter().copied(), &device));
        Gathered {
            count: rows.dims()[0],
            target_rows: rows.clone().select(0, target.clone()),
            candidate_rows: rows.clone().select(0, candidate.clone()),
            target,
            candidate,
        }
    }

    /// The biases of the targets, `[positions, 1]`, and of the candidates, `[candidates, 1]`.
    pub fn biases(&self, bias: &Tensor<2>) -> [Tensor<2>; 2] {
        [&self.target, &self.candidate].map(|places| bias.clone().select(0, places.clone()))
    }

    /// The products of vectors, `[positions, width]`, with their target, `[positions, 1]`, and with the candidates,
    /// `[positions, candidates]`.
    pub fn products(&self, vectors: &Tensor<2>) -> [Tensor<2>; 2] {
        [
            (vectors.clone() * self.target_rows.clone()).sum_dim(1),
            vectors.clone().matmul(self.candidate_rows.clone().transpose()),
        ]
    }

    /// A loss with these gradients with respect to what [`products`](Self::products) of `outputs` and biases make.
    pub fn loss(self, outputs: &Tensor<2>, mean: Tensor<2>, [d_target, d_candidate]: [Tensor<2>; 2]) -> Loss {
        let Gathered { count, target, candidate, target_rows, candidate_rows } = self;
        let d_rows = scatter_sum(d_candidate.clone().transpose().matmul(outputs.clone()), candidate.clone(), count)
            + scatter_sum(outputs.clone() * d_target.clone(), target.clone(), count);
        let d_bias = scatter_sum(d_candidate.clone().sum_dim(0).transpose(), candidate, count)
            + scatter_sum(d_target.clone(), target, count);
        Loss { mean, outputs: d_candidate.matmul(candidate_rows) + target_rows * d_target, rows: d_rows, bias: d_bias }
    }
}

/// Cross-entropy of `targets` (places among the rows) under softmax over each position's target and the drawn
/// candidates. A candidate that is the position's target is left out.
pub fn sampled(
    outputs: &Tensor<2>,
    [rows, bias]: [&Tensor<2>; 2],
    targets: &[u32],
    drawn: &Candidates,
    share: f32,
    fused: bool,
) -> Loss {
    let gathered = Gathered::new(rows, targets, drawn);
    let [target_bias, candidate_bias] = gathered.biases(bias);
    let [target_correction, candidate_correction] = drawn.corrections(&outputs.device());
    let [positive, negative] = gathered.products(outputs);
    let positive = positive + (target_bias - target_correction);
    let negative = negative + (candidate_bias - candidate_correction).transpose();
    let scores = Scores { positive, negative, targets, candidates: &drawn.places, share };
    let (mean, d_positive, d_negative) = if fused { scores.gradient_fused() } else { scores.gradient() };
    gathered.loss(outputs, mean, [d_positive, d_negative])
}

/// What a position gives its target, `[positions, 1]`, and the candidates, `[positions, candidates]`.
struct Scores<'a> {
    positive: Tensor<2>,
    negative: Tensor<2>,
    targets: &'a [u32],
    candidates: &'a [u32],
    share: f32,
}

impl Scores<'_> {
    /// `share` times the sum of the losses, and the gradients of that with respect to both: probabilities - one-hot.
    fn gradient(self) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
        let hits = Candidates::hits(self.targets, self.candidates, &self.positive.device());
        let negative = self.negative.mask_fill(hits, MASKED);
        let largest = negative.clone().max_dim(1).max_pair(self.positive.clone());
        let powers = (negative - largest.clone()).exp();
        let positive = self.positive - largest;
        let target_power = positive.clone().exp();
        let sum = powers.clone().sum_dim(1) + target_power.clone();
        let mean = (sum.clone().log() - positive).sum_dim(0) * self.share;
        let scale = sum.recip() * self.share;
        (mean, target_power * scale.clone() - self.share, powers * scale)
    }

    fn gradient_fused(self) -> (Tensor<2>, Tensor<2>, Tensor<2>) {
        let ([positions, count], device) = (self.negative.dims(), self.positive.device());
        let (mut positive, mut negative) = (slices::take(self.positive), slices::take(self.negative));
        let share = self.share;
        let mut loss = 0.0;
        let rows = negative.chunks_exact_mut(count);
        for ((row, positive), target) in rows.zip(&mut positive).zip(self.targets) {
            for (score, candidate) in row.iter_mut().zip(self.candidates) {
                *score = if candidate == target { MASKED } else { *score };
            }
            let largest = slices::max(row).max(*positive);
            slices::exp_minus(row, largest);
            let power = (*positive - largest).exp();
            let sum = slices::sum(row, |x| x) + power;
            loss += f64::from(sum.ln() - (*positive - largest));
            let scale = share / sum;
            row.iter_mut().for_each(|x| *x *= scale);
            *positive = power * scale - share;
        }
        let tensor = |values, shape| slices::give(values, shape, &device);
        let mean = (loss * f64::from(share)) as f32;
        (tensor(vec![mean], [1, 1]), tensor(positive, [positions, 1]), tensor(negative, [positions, count]))
    }
}

#[cfg(test)]
pub(super) mod testing {
    use super::*;

    /// Compares loss and gradients with automatic differentiation of `plain`, of outputs, rows and bias.
    pub fn check(got: Loss, [h, rows, bias]: [Tensor<2>; 3], plain: impl Fn([Tensor<2>; 3]) -> Tensor<2>) {
        let [h, rows, bias] = [h, rows, bias].map(|tensor| Tensor::<2>::from_inner(tensor).require_grad());
        let loss = plain([h.clone(), rows.clone(), bias.clone()]);
        let gradients = loss.backward();
        assert_close("loss", got.mean, loss.inner());
        assert_close("outputs", got.outputs, h.grad(&gradients).unwrap());
        assert_close("rows", got.rows, rows.grad(&gradients).unwrap());
        assert_close("bias", got.bias, bias.grad(&gradients).unwrap());
    }

    fn assert_close(name: &str, got: Tensor<2>, want: Tensor<2>) {
        let difference: f32 = (got - want).abs().max().into_scalar();
        assert!(difference < 1e-5, "{name} differs by {difference}");
    }
}

#[cfg(test)]
mod tests {
    use super::testing::check;
    use super::*;
    use burn::tensor::{Distribution, activation::log_softmax};

    fn inputs() -> [Tensor<2>; 3] {
        let device = Device::flex();
        device.seed(3);
        [[6, 4], [9, 4], [9, 1]].map(|shape| Tensor::random(shape, Distribution::Uniform(-1.0, 1.0), &device))
    }

    const TARGETS: [u32; 6] = [0, 8, 3, 3, 1, 5];
    const SHARE: f32 = 1.0 / 6.0;

    #[test]
    fn full_softmax_matches_automatic_differentiation() {
        for fused in [false, true] {
            let [h, rows, bias] = inputs();
            let got = full(&h, [&rows, &bias], &TARGETS, SHARE, fused);
            let total = negative_log_likelihood(h.clone(), &rows, &bias, &TARGETS, fused);
            let mean: f32 = got.mean.clone().into_scalar();
            assert!((total / 6.0 - f64::from(mean)).abs() < 1e-5);
            check(got, [h, rows, bias], |[h, rows, bias]| {
                let logits = h.clone().matmul(rows.transpose()) + bias.transpose();
                let targets = indices(TARGETS, &h.device()).unsqueeze_dim::<2>(1);
                log_softmax(logits, 1).gather(1, targets).mean().neg().reshape([1, 1])
            });
        }
    }

    #[test]
    fn sampled_softmax_matches_automatic_differentiation() {
        sampled_matches_automatic_differentiation(false);
        sampled_matches_automatic_differentiation(true);
    }

    fn sampled_matches_automatic_differentiation(fused: bool) {
        let [h, rows, bias] = inputs();
        // Candidate 3 is the target of two positions.
        let drawn = Candidates {
            places: vec![3, 7, 2, 4],
            log_drawn: vec![-0.5, -0.2, 0.0, -0.3],
            target_log_drawn: vec![-0.3, -0.4, -0.5, -0.5, 0.0, -1.2],
        };
        let got = sampled(&h, [&rows, &bias], &TARGETS, &drawn, SHARE, fused);
        check(got, [h, rows, bias], |[h, rows, bias]| {
            let device = h.device();
            let column = |values: &[f32]| Tensor::<1>::from_floats(values, &device).unsqueeze_dim::<2>(1);
            let (target, candidate) = (indices(TARGETS, &device), indices([3, 7, 2, 4], &device));
            let positive = (h.clone() * rows.clone().select(0, target.clone())).sum_dim(1)
                + bias.clone().select(0, target)
                - column(&drawn.target_log_drawn);
            let negative = h.matmul(rows.select(0, candidate.clone()).transpose())
                + (bias.select(0, candidate) - column(&drawn.log_drawn)).transpose();
            let mut hits = [[0.0; 4]; 6];
            hits[2][0] = MASKED;
            hits[3][0] = MASKED;
            let negative = negative + Tensor::from_floats(hits, &device);
            log_softmax(Tensor::cat(vec![positive, negative], 1), 1).narrow(1, 0, 1).mean().neg().reshape([1, 1])
        });
    }
}
