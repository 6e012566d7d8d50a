//! Bootstrap intervals (Efron 1979).

use std::array::from_fn;

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

const RESAMPLES: usize = 1000;

/// Bounds of a 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The percentile intervals of what is computed from the sums of all lines' numbers, when lines are drawn anew.
pub fn intervals<const N: usize, const M: usize>(
    lines: &[[f64; N]],
    statistics: impl Fn([f64; N]) -> [f64; M],
) -> [Interval; M] {
    let mut random = StdRng::seed_from_u64(1);
    let mut resample = || {
        let mut sums = [0.0; N];
        for _ in lines {
            let drawn = lines[random.random_range(0..lines.len())];
            sums.iter_mut().zip(drawn).for_each(|(sum, number)| *sum += number);
        }
        statistics(sums)
    };
    let resamples: Vec<[f64; M]> = (0..RESAMPLES).map(|_| resample()).collect();
    from_fn(|statistic| {
        let mut values: Vec<f64> = resamples.iter().map(|resample| resample[statistic]).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: f64| values[((RESAMPLES - 1) as f64 * share).round() as usize];
        Interval { low: at(0.025), high: at(0.975) }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_as_wide_as_it_should_be() {
        // 400 lines that save all or nothing: a proportion of 0.5 with standard error 0.025.
        let lines: Vec<[f64; 2]> = (0..400).map(|i| [f64::from(10 * (i % 2)), 10.0]).collect();
        let [Interval { low, high }] = intervals(&lines, |[saved, all]| [saved / all]);
        assert!((low - 0.451).abs() < 0.01 && (high - 0.549).abs() < 0.01, "{low} {high}");
    }
}
