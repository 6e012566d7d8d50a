//! The augmented loss of Inan, Khosravi & Socher (2017, equations 3.4 to 3.6): a word like the target is half right, too.
//!
//! With tied rows, how much another word is like the target `t` is known: `y~ = softmax(L l_t / T)`, `L` being the rows and `l_t`
//! the target's. The loss is `weight H(y~, softmax((L h + b) / T))`, `T` a temperature and `b` the bias; its gradient does not go through `y~`.

use burn::tensor::Tensor;
use burn::tensor::activation::{log_softmax, softmax};

use super::config::Augmented;
use super::rows::indices;
use super::softmax::{Candidates, Gathered, Loss, MASKED, by_chunks};

/// The loss over all `rows`, as [`softmax::full`](super::softmax::full) takes its arguments.
pub fn full(
    outputs: &Tensor<2>,
    [rows, bias]: [&Tensor<2>; 2],
    targets: &[u32],
    options: Augmented,
    share: f32,
) -> Loss {
    let transposed = rows.clone().transpose();
    by_chunks(outputs, rows, targets, |logits, targets| {
        let target = indices(targets.iter().copied(), &rows.device());
        let similarity = rows.clone().select(0, target).matmul(transposed.clone()) / options.temperature;
        let logits = (logits + bias.clone().transpose()) / options.temperature;
        let (mean, d) = cross_entropy(similarity, logits, options, share);
        (mean, d.clone(), d.sum_dim(0).transpose())
    })
}

/// The loss over each position's target and the drawn candidates, as [`softmax::sampled`](super::softmax::sampled) takes its
/// arguments; both distributions are corrected by what was likely to be drawn.
pub fn sampled(
    outputs: &Tensor<2>,
    [rows, bias]: [&Tensor<2>; 2],
    targets: &[u32],
    drawn: &Candidates,
    options: Augmented,
    share: f32,
) -> Loss {
    let gathered = Gathered::new(rows, targets, drawn);
    let [target_correction, candidate_correction] = drawn.corrections(&outputs.device());
    let hits = Candidates::hits(targets, &drawn.places, &outputs.device());
    // Of the target, first, and of the candidates.
    let corrected = |[positive, negative]: [Tensor<2>; 2]| {
        let positive = positive / options.temperature - target_correction.clone();
        let negative = negative / options.temperature - candidate_correction.clone().transpose();
        Tensor::cat(vec![positive, negative.mask_fill(hits.clone(), MASKED)], 1)
    };
    let similarity = corrected(gathered.products(&gathered.target_rows));
    let [target_bias, candidate_bias] = gathered.biases(bias);
    let [positive, negative] = gathered.products(outputs);
    let logits = corrected([positive + target_bias, negative + candidate_bias.transpose()]);
    let (mean, d) = cross_entropy(similarity, logits, options, share);
    gathered.loss(outputs, mean, [d.clone().narrow(1, 0, 1), d.narrow(1, 1, drawn.places.len())])
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
    use super::super::softmax::testing::check;
    use super::*;
    use burn::tensor::{Device, Distribution};

    const OPTIONS: Augmented = Augmented { weight: 0.6, temperature: 1.7 };

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
            places: vec![1, 6, 4],
            log_drawn: vec![-0.3, -0.2, -1.3],
            target_log_drawn: vec![-0.5, -0.2, 0.0, -0.5],
        };
        let got = sampled(h, [rows, bias], &targets, &drawn, OPTIONS, 0.25);
        check(got, inputs.clone(), |inputs| {
            let words: [(&[u32], &[f32]); 4] = [
                (&[2, 1, 6, 4], &[-0.5, -0.3, -0.2, -1.3]),
                (&[6, 1, 4], &[-0.2, -0.3, -1.3]),
                (&[0, 1, 6, 4], &[0.0, -0.3, -0.2, -1.3]),
                (&[2, 1, 6, 4], &[-0.5, -0.3, -0.2, -1.3]),
            ];
            (0..4).map(|p| plain(inputs.clone(), p, words[p].0, words[p].1)).reduce(|a, b| a + b).unwrap()
        });
    }
}
