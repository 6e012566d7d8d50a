//! The augmented loss of Inan, Khosravi & Socher (2017, equations 3.4 to 3.6): a word like the target is half right, too.
//!
//! With tied rows, how much another word is like the target `t` is known: `y~ = softmax(L l_t / T)`, `L` being the rows and `l_t`
//! the target's. The loss is `weight H(y~, softmax((L h + b) / T))`, `T` a temperature and `b` the bias; its gradient does not go through `y~`.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};

use super::config::Augmented;
use super::rows::{indices, scatter_sum};
use super::softmax::{CHUNK_ELEMENTS, Candidates, Loss, MASKED};

/// The loss over all `rows`, as [`softmax::full`](super::softmax::full) takes its arguments.
pub fn full(
    outputs: &Tensor<2>,
    [rows, bias]: [&Tensor<2>; 2],
    targets: &[u32],
    options: Augmented,
    share: f32,
) -> Loss {
    let (positions, count, device) = (outputs.dims()[0], rows.dims()[0], outputs.device());
    let chunk = (CHUNK_ELEMENTS / count).max(1);
    let mut sum: Option<Loss> = None;
    let mut gradients = Vec::new();
    for start in (0..positions).step_by(chunk) {
        let size = chunk.min(positions - start);
        let h = outputs.clone().narrow(0, start, size);
        let target = indices(targets[start..start + size].iter().copied(), &device);
        let similarity = rows.clone().select(0, target).matmul(rows.clone().transpose()) / options.temperature;
        let logits = (h.clone().matmul(rows.clone().transpose()) + bias.clone().transpose()) / options.temperature;
        let (mean, d) = cross_entropy(similarity, logits, options, share);
        gradients.push(d.clone().matmul(rows.clone()));
        let part =
            Loss { mean, outputs: h.clone(), rows: d.clone().transpose().matmul(h), bias: d.sum_dim(0).transpose() };
        sum = Some(match sum {
            Some(sum) => Loss {
                mean: sum.mean + part.mean,
                rows: sum.rows + part.rows,
                bias: sum.bias + part.bias,
                outputs: sum.outputs,
            },
            None => part,
        });
    }
    let sum = sum.expect("a batch has at least one position");
    Loss { outputs: Tensor::cat(gradients, 0), ..sum }
}

/// The loss over each position's target and the drawn candidates, as [`softmax::sampled`](super::softmax::sampled) takes its
/// arguments; both distributions are corrected by what is expected to be drawn.
pub fn sampled(
    outputs: &Tensor<2>,
    [rows, bias]: [&Tensor<2>; 2],
    targets: &[u32],
    drawn: &Candidates,
    options: Augmented,
    share: f32,
) -> Loss {
    let (device, count, positions) = (outputs.device(), rows.dims()[0], outputs.dims()[0]);
    let column = |values: &[f32]| Tensor::<1>::from_floats(values, &device).unsqueeze_dim::<2>(1);
    let target = indices(targets.iter().copied(), &device);
    let candidate = indices(drawn.places.iter().copied(), &device);
    let (target_rows, candidate_rows) =
        (rows.clone().select(0, target.clone()), rows.clone().select(0, candidate.clone()));
    let expected = (column(&drawn.target_log_expected), column(&drawn.log_expected).transpose());
    let hits = {
        let size = [positions, drawn.places.len()];
        let of_target = target.clone().unsqueeze_dim::<2>(1).expand(size);
        candidate.clone().unsqueeze_dim::<2>(0).expand(size).equal(of_target)
    };
    // What `vectors` give the target, first, and the candidates.
    let scores = |vectors: &Tensor<2>, bias: Option<&Tensor<2>>| {
        let of = |places| bias.map(|bias| bias.clone().select(0, places));
        let mut positive = (vectors.clone() * target_rows.clone()).sum_dim(1);
        let mut negative = vectors.clone().matmul(candidate_rows.clone().transpose());
        if let (Some(target), Some(candidate)) = (of(target.clone()), of(candidate.clone())) {
            positive = positive + target;
            negative = negative + candidate.transpose();
        }
        let positive = positive / options.temperature - expected.0.clone();
        let negative = negative / options.temperature - expected.1.clone();
        Tensor::cat(vec![positive, negative.mask_fill(hits.clone(), MASKED)], 1)
    };
    let (mean, d) = cross_entropy(scores(&target_rows, None), scores(outputs, Some(bias)), options, share);
    let (d_target, d_candidate) = (d.clone().narrow(1, 0, 1), d.narrow(1, 1, drawn.places.len()));
    Loss {
        mean,
        outputs: target_rows * d_target.clone() + d_candidate.clone().matmul(candidate_rows),
        rows: scatter_sum(outputs.clone() * d_target.clone(), target.clone(), count)
            + scatter_sum(d_candidate.clone().transpose().matmul(outputs.clone()), candidate.clone(), count),
        bias: scatter_sum(d_target, target, count) + scatter_sum(d_candidate.sum_dim(0).transpose(), candidate, count),
    }
}

/// `weight * share` times the cross-entropy of two softmax distributions, `[1, 1]`, and its gradient with respect to the second
/// one's logits before they were divided by the temperature.
fn cross_entropy(wanted: Tensor<2>, given: Tensor<2>, options: Augmented, share: f32) -> (Tensor<2>, Tensor<2>) {
    let factor = options.weight * share;
    let (wanted, given) = (softmax(wanted, 1), log_softmax(given, 1));
    let loss = (wanted.clone() * given.clone()).sum_dim(1).sum_dim(0) * -factor;
    (loss, (given.exp() - wanted) * (factor / options.temperature))
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::tensor::{Device, Distribution};

    const OPTIONS: Augmented = Augmented { weight: 0.6, temperature: 1.7 };

    fn check(got: Loss, [h, rows, bias]: [Tensor<2>; 3], plain: impl Fn([Tensor<2>; 3]) -> Tensor<2>) {
        let [h, rows, bias] = [h, rows, bias].map(|tensor| Tensor::<2>::from_inner(tensor).require_grad());
        let loss = plain([h.clone(), rows.clone(), bias.clone()]);
        let gradients = loss.backward();
        for (got, want) in [
            (got.mean, loss.inner()),
            (got.outputs, h.grad(&gradients).unwrap()),
            (got.rows, rows.grad(&gradients).unwrap()),
            (got.bias, bias.grad(&gradients).unwrap()),
        ] {
            let difference: f32 = (got - want).abs().max().into_scalar();
            assert!(difference < 1e-5, "{difference}");
        }
    }

    #[test]
    fn gradients_match_automatic_differentiation() {
        let device = Device::flex();
        device.seed(6);
        let inputs = || {
            [[4, 3], [7, 3], [7, 1]].map(|shape| Tensor::<2>::random(shape, Distribution::Uniform(-1.0, 1.0), &device))
        };
        let targets = [2, 6, 0, 2];
        let inputs = inputs();
        let [h, rows, bias] = &inputs;
        // The words that are compared are the target and some more; `y~` is no function of what is trained.
        let plain = |[h, rows, bias]: [Tensor<2>; 3], position: usize, words: &[u32], correction: &[f32]| {
            let places = || indices(words.iter().copied(), &h.device());
            let correction = Tensor::<1>::from_floats(correction, &h.device()).unsqueeze_dim::<2>(0);
            let some = rows.clone().select(0, places());
            let target = indices([targets[position]], &h.device());
            let similarity = rows.clone().select(0, target).matmul(some.clone().transpose()) / OPTIONS.temperature;
            let wanted = Tensor::from_inner(softmax(similarity - correction.clone(), 1).inner());
            let logits =
                h.clone().narrow(0, position, 1).matmul(some.transpose()) + bias.select(0, places()).transpose();
            let given = log_softmax(logits / OPTIONS.temperature - correction, 1);
            (wanted * given).sum_dim(1) * (-OPTIONS.weight * 0.25)
        };
        let got = full(h, [rows, bias], &targets, OPTIONS, 0.25);
        check(got, inputs.clone(), |inputs| {
            (0..4).map(|p| plain(inputs.clone(), p, &[0, 1, 2, 3, 4, 5, 6], &[0.0; 7])).reduce(|a, b| a + b).unwrap()
        });
        let drawn = Candidates {
            places: vec![1, 6, 1],
            log_expected: vec![0.3, -0.2, 0.3],
            target_log_expected: vec![0.5, -0.2, 0.1, 0.5],
        };
        let got = sampled(h, [rows, bias], &targets, &drawn, OPTIONS, 0.25);
        check(got, inputs.clone(), |inputs| {
            let words: [(&[u32], &[f32]); 4] = [
                (&[2, 1, 6, 1], &[0.5, 0.3, -0.2, 0.3]),
                (&[6, 1, 1], &[-0.2, 0.3, 0.3]),
                (&[0, 1, 6, 1], &[0.1, 0.3, -0.2, 0.3]),
                (&[2, 1, 6, 1], &[0.5, 0.3, -0.2, 0.3]),
            ];
            (0..4).map(|p| plain(inputs.clone(), p, words[p].0, words[p].1)).reduce(|a, b| a + b).unwrap()
        });
    }
}
