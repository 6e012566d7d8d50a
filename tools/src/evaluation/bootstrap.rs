//! Bootstrap intervals (Efron 1979).

use rand::rngs::StdRng;
use rand::{Rng, SeedableRng};
use serde::{Deserialize, Serialize};

use super::line::Tally;

const RESAMPLES: usize = 1000;

/// Bounds of a 95 % interval.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Interval {
    pub low: f64,
    pub high: f64,
}

/// The percentile interval of sum(part) / sum(whole) when lines are drawn anew.
pub fn interval(tallies: &[Tally], parts: impl Fn(&Tally) -> (u64, u64)) -> Interval {
    let parts: Vec<(u64, u64)> = tallies.iter().map(parts).collect();
    let mut random = StdRng::seed_from_u64(1);
    let mut resample = |_| {
        let draw = |(part, whole), _| {
            let drawn = parts[random.random_range(0..parts.len())];
            (part + drawn.0, whole + drawn.1)
        };
        let (part, whole) = (0..parts.len()).fold((0, 0), draw);
        part as f64 / whole.max(1) as f64
    };
    let mut ratios: Vec<f64> = if parts.is_empty() { vec![0.0] } else { (0..RESAMPLES).map(&mut resample).collect() };
    ratios.sort_by(f64::total_cmp);
    let at = |share: f64| ratios[((ratios.len() - 1) as f64 * share).round() as usize];
    Interval { low: at(0.025), high: at(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_interval_is_as_wide_as_it_should_be() {
        // 400 lines that save all or nothing: a proportion of 0.5 with standard error 0.025.
        let tallies: Vec<Tally> =
            (0..400).map(|i| Tally { characters: 10, effort: 10 * (i % 2), ..Tally::default() }).collect();
        let Interval { low, high } = interval(&tallies, |tally| (tally.characters - tally.effort, tally.characters));
        assert!((low - 0.451).abs() < 0.01 && (high - 0.549).abs() < 0.01, "{low} {high}");
    }
}
