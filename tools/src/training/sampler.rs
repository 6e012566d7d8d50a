//! Draws words in proportion to a power of their count.

use anyhow::{Result, ensure};
use rand::Rng;

/// Between uniform (0) and the unigram distribution (1); word2vec's value (Mikolov 2013).
const POWER: f64 = 0.75;

/// Vose's alias method: a draw costs two random numbers, whatever the vocabulary.
pub struct Sampler {
    accept: Vec<f32>,
    alias: Vec<u32>,
    log_probability: Vec<f32>,
}

impl Sampler {
    /// A sampler over the rows with these counts; a count of 0 is taken as 1, so that every row can be drawn.
    pub fn new(counts: &[f64]) -> Result<Sampler> {
        ensure!(!counts.is_empty(), "the vocabulary is empty");
        let powers: Vec<f64> = counts.iter().map(|count| count.max(1.0).powf(POWER)).collect();
        let mean = powers.iter().sum::<f64>() / powers.len() as f64;
        let log_probability = powers.iter().map(|power| (power / mean / powers.len() as f64).ln() as f32).collect();
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
        Ok(Sampler { accept: share.into_iter().map(|share| share as f32).collect(), alias, log_probability })
    }

    /// Draws a row.
    pub fn draw(&self, random: &mut impl Rng) -> u32 {
        let row = random.random_range(0..self.accept.len());
        if random.random::<f32>() < self.accept[row] { row as u32 } else { self.alias[row] }
    }

    /// Log of the expected number of times that `row` is among `draws`.
    pub fn log_expected(&self, row: u32, draws: usize) -> f32 {
        self.log_probability[row as usize] + (draws as f32).ln()
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
            let log_expected = f64::from(sampler.log_expected(row as u32, 40_000));
            assert!((log_expected - expected.ln()).abs() < 1e-4);
        }
    }
}
