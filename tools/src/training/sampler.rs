//! Draws words in proportion to a power of their count.

use anyhow::{Result, ensure};
use rand::Rng;

/// Between uniform (0) and the unigram distribution (1); word2vec's value (Mikolov 2013).
const POWER: f64 = 0.75;

/// Vose's alias method: a draw costs two random numbers, whatever the vocabulary.
pub struct Sampler {
    accept: Vec<f32>,
    alias: Vec<u32>,
    probability: Vec<f64>,
}

impl Sampler {
    /// A sampler over the rows with these counts; a count of 0 is taken as 1, so that every row can be drawn.
    pub fn new(counts: &[f64]) -> Result<Sampler> {
        ensure!(!counts.is_empty(), "the vocabulary is empty");
        let powers: Vec<f64> = counts.iter().map(|count| count.max(1.0).powf(POWER)).collect();
        let mean = powers.iter().sum::<f64>() / powers.len() as f64;
        let probability = powers.iter().map(|power| power / mean / powers.len() as f64).collect();
        let mut share: Vec<f64> = powers.iter().map(|power| power / mean).collect();
        let mut alias: Vec<u32> = (0..share.len() as u32).collect();
        let (mut small, mut large): (Vec<u32>, Vec<u32>) =
            (0..share.len() as u32).partition(|&row| share[row as usize] < 1.0);
        while let (Some(less), Some(&more)) = (small.pop(), large.last()) {
            alias[less as usize] = more;
            share[more as usize] -= 1.0 - share[less as usize];
            if share[more as usize] < 1.0 {
                large.pop();
                small.push(more);
            }
        }
        // What is left over is 1 but for rounding.
        for row in small.into_iter().chain(large) {
            share[row as usize] = 1.0;
        }
        Ok(Sampler { accept: share.into_iter().map(|share| share as f32).collect(), alias, probability })
    }

    /// Draws a row.
    fn draw(&self, random: &mut impl Rng) -> u32 {
        let row = random.random_range(0..self.accept.len());
        if random.random::<f32>() < self.accept[row] { row as u32 } else { self.alias[row] }
    }

    /// Draws so many rows; each of those that were drawn, once, in ascending order.
    pub fn draw_distinct(&self, draws: usize, random: &mut impl Rng) -> Vec<u32> {
        let mut rows: Vec<u32> = (0..draws).map(|_| self.draw(random)).collect();
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// Log of the probability that `row` is among `draws`.
    pub fn log_drawn(&self, row: u32, draws: usize) -> f32 {
        let missed = draws as f64 * (-self.probability[row as usize]).ln_1p();
        (-missed.exp_m1()).ln() as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{SeedableRng, rngs::StdRng};

    #[test]
    fn draws_follow_the_counts() {
        let sampler = Sampler::new(&[1.0, 16.0, 81.0, 0.0]).unwrap();
        let mut random = StdRng::seed_from_u64(5);
        let mut seen = [0_u32; 4];
        for _ in 0..40_000 {
            seen[sampler.draw(&mut random) as usize] += 1;
        }
        // Shares 1, 8, 27, 1 of 37.
        for (row, (seen, share)) in seen.iter().zip([1.0, 8.0, 27.0, 1.0]).enumerate() {
            let expected = 40_000.0 * share / 37.0;
            assert!((f64::from(*seen) - expected).abs() < 5.0 * f64::sqrt(expected), "{row}: {seen} of {expected}");
        }
    }

    #[test]
    fn rows_are_among_the_draws_as_often_as_told() {
        let sampler = Sampler::new(&[1.0, 16.0, 81.0, 0.0]).unwrap();
        let mut random = StdRng::seed_from_u64(6);
        let mut seen = [0_u32; 4];
        for _ in 0..10_000 {
            let drawn = sampler.draw_distinct(5, &mut random);
            assert!(drawn.is_sorted_by(|a, b| a < b));
            drawn.iter().for_each(|&row| seen[row as usize] += 1);
        }
        for (row, seen) in seen.into_iter().enumerate() {
            let expected = sampler.log_drawn(row as u32, 5).exp();
            assert!((seen as f32 / 10_000.0 - expected).abs() < 0.02, "{row}: {seen} of {expected}");
        }
        // A rare row among few draws, a frequent one among many.
        assert!((sampler.log_drawn(0, 1).exp() * 37.0 - 1.0).abs() < 1e-5);
        assert_eq!(sampler.log_drawn(2, 1000), 0.0);
    }
}
