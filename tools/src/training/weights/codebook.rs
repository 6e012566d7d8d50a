//! Learned codebooks: each weight is the nearest of a few values, and the values are trained.
//!
//! Runs over slices on every device: a nearest value has no gradient, and no device does better at a handful of values.

use burn::tensor::{Device, Tensor};

use crate::training::slices::{give, take};

/// Rounds of Lloyd's algorithm: by then hardly a weight moves.
const ROUNDS: usize = 25;

/// Which value each weight has.
pub struct Assignment {
    places: Vec<u16>,
    values: usize,
    device: Device,
}

/// The centroids of k-means over all weights, begun at equal steps from the least to the greatest (Han 2016, section
/// 3.2: linear initialization), in ascending order, `[1, 2^bits]`.
pub fn centroids(weights: &Tensor<2>, bits: u8) -> Tensor<2> {
    let device = weights.device();
    let weights = take(weights.clone());
    let (low, high) = weights.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(l, h), &w| (l.min(w), h.max(w)));
    let count = 1_usize << bits;
    let step = (high - low) / (count - 1) as f32;
    let mut centroids: Vec<f32> = (0..count).map(|index| low + step * index as f32).collect();
    for _ in 0..ROUNDS {
        let places = nearest_places(&weights, &centroids);
        let (sums, counts) = sums(&places, &weights, count);
        for ((centroid, sum), count) in centroids.iter_mut().zip(sums).zip(counts) {
            if count > 0 {
                *centroid = (sum / f64::from(count)) as f32;
            }
        }
    }
    centroids.sort_unstable_by(f32::total_cmp);
    give(centroids, [1, count], &device)
}

/// The value nearest to each weight.
pub fn nearest(weights: Tensor<2>, codebook: &Tensor<2>) -> (Tensor<2>, Assignment) {
    let (shape, device) = (weights.dims(), weights.device());
    let codebook = take(codebook.clone());
    let places = nearest_places(&take(weights), &codebook);
    let values = places.iter().map(|&place| codebook[place as usize]).collect();
    (give(values, shape, &device), Assignment { places, values: codebook.len(), device })
}

impl Assignment {
    /// The gradients of the values: sums over the weights that have them (Han 2016, equation 3).
    pub fn sums(&self, gradient: &Tensor<2>) -> Tensor<2> {
        let (sums, _) = sums(&self.places, &take(gradient.clone()), self.values);
        give(sums.into_iter().map(|sum| sum as f32).collect(), [1, self.values], &self.device)
    }
}

/// Places of the values nearest to each weight. Training may have changed the values' order.
fn nearest_places(weights: &[f32], codebook: &[f32]) -> Vec<u16> {
    let mut order: Vec<u16> = (0..codebook.len() as u16).collect();
    order.sort_by(|&a, &b| codebook[a as usize].total_cmp(&codebook[b as usize]));
    let sorted: Vec<f32> = order.iter().map(|&place| codebook[place as usize]).collect();
    let borders: Vec<f32> = sorted.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).collect();
    weights.iter().map(|w| order[borders.partition_point(|border| border < w)]).collect()
}

fn sums(places: &[u16], values: &[f32], count: usize) -> (Vec<f64>, Vec<u32>) {
    let (mut sums, mut counts) = (vec![0.0; count], vec![0; count]);
    for (&place, &value) in places.iter().zip(values) {
        sums[place as usize] += f64::from(value);
        counts[place as usize] += 1;
    }
    (sums, counts)
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use super::super::{Inputs, Transform};

    #[test]
    fn clusters_are_found() {
        let transform = Transform::Codebook { bits: 2 };
        let weights = [0.31, 0.29, -0.98, -1.0, 1.0, 0.98, -0.33, -0.35];
        let got = applied(transform, &weights, [4, 2], Inputs::Rows);
        assert_close(&got, &[0.3, 0.3, -0.99, -0.99, 0.99, 0.99, -0.34, -0.34]);
    }

    #[test]
    fn gradients_are_summed_by_value() {
        let transform = Transform::Codebook { bits: 1 };
        // The order of the values does not matter.
        let codebook = tensor(&[0.5, -0.25], [1, 2]);
        let (values_of, tape) =
            transform.apply(tensor(&[0.2, -0.1, 0.13, 0.12], [2, 2]), Some(&codebook), Inputs::Rows, None);
        assert_close(&values(values_of), &[0.5, -0.25, 0.5, -0.25]);
        let gradients = Transform::backward(tape, tensor(&[1.0, 2.0, 4.0, 8.0], [2, 2]));
        assert_close(&values(gradients.extra.unwrap()), &[5.0, 10.0]);
        assert_close(&values(gradients.weights), &[1.0, 2.0, 4.0, 8.0]);
    }
}
