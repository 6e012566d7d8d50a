//! The search for what fits into a file of a size: the higher a threshold, the less is kept and the smaller the file.

use anyhow::Result;

use crate::progress::Progress;

/// Halves an interval of logarithms of thresholds `steps` times and returns the largest file of at most `bytes` bytes that was
/// made on the way, with what came with it. `make` is given such a logarithm; where it makes nothing, too little was kept.
pub fn largest_within<T>(
    label: &str,
    steps: u64,
    (mut low, mut high): (f64, f64),
    bytes: usize,
    make: impl Fn(f64) -> Result<Option<(Vec<u8>, T)>>,
) -> Result<Option<(Vec<u8>, T)>> {
    let progress = Progress::bar(label, steps);
    let mut best = None;
    for _ in 0..steps {
        let middle = (low + high) / 2.0;
        match make(middle)? {
            Some(made) if made.0.len() <= bytes => (high, best) = (middle, Some(made)),
            Some(_) => low = middle,
            None => high = middle,
        }
        progress.add(1);
    }
    Ok(best)
}
