//! The logits of one context, computed where they are asked for, with what finds the best of them and their sum quickly.

use std::ops::Range;

use super::best::Best;
use crate::simd::{Native, dense, math};

/// Rows that are computed and summed up together. The kernel for ternary rows does as many at a time.
const BLOCK: usize = 64;

/// Logits in blocks of rows. Of each block that is known its largest logit is kept, and, once it was asked for, the sum of
/// the exponentials relative to it. So the best of many rows, and the probability of each, take little more than a look at
/// every block. All sums have an order that depends on the rows alone, not on what was asked before.
#[derive(Clone, Debug)]
pub(super) struct Scores {
    logits: Vec<f32>,
    blocks: Vec<Block>,
    corrections: Vec<Correction>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Block {
    /// None as long as the block's logits are not those of the context.
    max: Option<f32>,
    /// `sum of exp(logit - max)`
    sum: Option<f32>,
    /// The place behind that of the last correction told of the block, 0 if there is none.
    corrections: usize,
}

/// What is added to a logit once it is computed.
#[derive(Clone, Copy, Debug)]
struct Correction {
    row: usize,
    amount: f32,
    /// The correction of the same block that was told before, as in [`Block`].
    before: usize,
}

impl Scores {
    /// Unknown logits of so many rows.
    pub fn new(rows: usize) -> Scores {
        let blocks = vec![Block::default(); rows.div_ceil(BLOCK)];
        Scores { logits: vec![0.0; rows], blocks, corrections: Vec::new() }
    }

    /// The number of rows.
    pub fn len(&self) -> usize {
        self.logits.len()
    }

    /// Makes all logits unknown and uncorrected, for a new context.
    pub fn forget(&mut self) {
        self.blocks.fill(Block::default());
        self.corrections.clear();
    }

    /// Has an amount added to a logit that is not known yet.
    pub fn correct(&mut self, row: u32, amount: f32) {
        let row = row as usize;
        let last = &mut self.blocks[row / BLOCK].corrections;
        self.corrections.push(Correction { row, amount, before: *last });
        *last = self.corrections.len();
    }

    /// The logits of `rows`. Those not known yet are computed, as few as the blocks allow: `compute` is given the rows of a block
    /// and the places of their logits, and returns the largest.
    pub fn get(&mut self, rows: Range<usize>, mut compute: impl FnMut(Range<usize>, &mut [f32]) -> f32) -> &[f32] {
        let blocks = rows.start / BLOCK..rows.end.div_ceil(BLOCK);
        for (block, at) in self.blocks[blocks.clone()].iter_mut().zip(blocks).filter(|(block, _)| block.max.is_none()) {
            let rows = at * BLOCK..((at + 1) * BLOCK).min(self.logits.len());
            let logits = &mut self.logits[rows.clone()];
            block.max = Some(compute(rows.clone(), logits));
            let mut next = block.corrections;
            while let Some(&Correction { row, amount, before }) = self.corrections.get(next.wrapping_sub(1)) {
                logits[row - rows.start] += amount;
                next = before;
            }
            if block.corrections > 0 {
                block.max = Some(largest(logits));
            }
        }
        &self.logits[rows]
    }

    /// Looks among `rows` for better ones that `is_wanted`; of equal logits the one with the lower row is better. The logits of
    /// `rows` must be known.
    pub fn improve(&self, best: &mut Best, rows: Range<usize>, is_wanted: impl Fn(u32) -> bool) {
        for rows in split(rows) {
            if self.blocks[rows.start / BLOCK].max.is_some_and(|max| !best.would_take(max)) {
                continue;
            }
            for (row, &logit) in (rows.start as u32..).zip(&self.logits[rows]) {
                if best.would_take(logit) && is_wanted(row) {
                    best.offer(row, logit);
                }
            }
        }
    }

    /// `ln(sum of exp(logit))` over `rows`, whose logits must be known; minus infinity if there is none.
    pub fn log_sum_exp(&mut self, rows: Range<usize>) -> f32 {
        let whole = |rows: &Range<usize>| rows.len() == BLOCK;
        let max_of = |rows: Range<usize>| match self.blocks[rows.start / BLOCK].max {
            Some(max) if whole(&rows) => max,
            _ => largest(&self.logits[rows]),
        };
        let max = split(rows.clone()).map(max_of).fold(f32::NEG_INFINITY, f32::max);
        if max == f32::NEG_INFINITY {
            return max;
        }
        // Single precision within a block, double between them: 2^20 small terms still add up.
        let mut total = 0.0f64;
        for rows in split(rows) {
            let block = &mut self.blocks[rows.start / BLOCK];
            let logits = &self.logits[rows.clone()];
            total += f64::from(match block.max {
                Some(own) if whole(&rows) => {
                    let sum = *block.sum.get_or_insert_with(|| math::sum_exp::<Native>(logits, own));
                    sum * math::exp_scalar::<Native>(own - max)
                }
                _ => math::sum_exp::<Native>(logits, max),
            });
        }
        max + math::ln(total as f32)
    }
}

#[inline(never)]
fn largest(logits: &[f32]) -> f32 {
    dense::max::<Native>(logits)
}

/// Cuts a range of rows where a block begins.
fn split(rows: Range<usize>) -> impl Iterator<Item = Range<usize>> {
    let blocks = rows.start / BLOCK..rows.end.div_ceil(BLOCK);
    blocks
        .map(move |block| (block * BLOCK).max(rows.start)..((block + 1) * BLOCK).min(rows.end))
        .filter(|rows| !rows.is_empty())
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn asking_in_pieces_gives_what_a_plain_loop_gives(
            // Few different values: many are equal.
            logits in prop::collection::vec((-40i8..40).prop_map(|x| f32::from(x) / 4.0), 1..400),
            ranges in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6),
            k in 0usize..12,
            excluded in 0u32..7,
        ) {
            let mut scores = Scores::new(logits.len());
            let mut computed = vec![0; logits.len()];
            for (a, b) in ranges {
                let (a, b) = (a.index(logits.len() + 1), b.index(logits.len() + 1));
                let rows = a.min(b)..a.max(b);
                let got = scores.get(rows.clone(), |rows, to| {
                    to.copy_from_slice(&logits[rows.clone()]);
                    computed[rows].iter_mut().for_each(|times| *times += 1);
                    dense::max::<Native>(to)
                });
                prop_assert_eq!(got, &logits[rows.clone()]);

                let is_wanted = |row: u32| row % 7 != excluded;
                let mut wanted: Vec<(u32, f32)> = rows.clone().map(|row| (row as u32, logits[row])).collect();
                wanted.retain(|&(row, _)| is_wanted(row));
                wanted.sort_by(|a, b| b.1.total_cmp(&a.1));
                wanted.truncate(k);
                let mut best = Best::new(k);
                scores.improve(&mut best, rows.clone(), is_wanted);
                prop_assert_eq!(best.into_items(), wanted);

                let sum: f64 = logits[rows.clone()].iter().map(|&logit| f64::from(logit).exp()).sum();
                let log_sum = scores.log_sum_exp(rows.clone());
                prop_assert!(rows.is_empty() == (log_sum == f32::NEG_INFINITY));
                prop_assert!(rows.is_empty() || (f64::from(log_sum) - sum.ln()).abs() < 1e-5);
                // The same bits, whatever else was asked.
                let mut fresh = Scores::new(logits.len());
                fresh.get(0..logits.len(), |rows, to| {
                    to.copy_from_slice(&logits[rows]);
                    dense::max::<Native>(to)
                });
                prop_assert_eq!(fresh.log_sum_exp(rows).to_bits(), log_sum.to_bits());
            }
            prop_assert!(computed.iter().all(|&times| times <= 1));
        }
    }

    #[test]
    fn many_equal_terms_add_up() {
        for count in [1usize, 63, 64, 65, 100_003] {
            let mut scores = Scores::new(count);
            scores.get(0..count, |_, to| {
                to.fill(2.5);
                2.5
            });
            let wanted = 2.5 + (count as f64).ln();
            assert!((f64::from(scores.log_sum_exp(0..count)) - wanted).abs() < 2e-6);
        }
    }

    #[test]
    fn only_the_blocks_asked_for_are_computed() {
        let mut scores = Scores::new(1000);
        let mut computed = Vec::new();
        let mut ask = |rows: Range<usize>| {
            scores.get(rows, |rows, _| {
                computed.push(rows);
                0.0
            });
        };
        ask(100..110);
        ask(120..140);
        ask(900..1000);
        ask(0..1000);
        let blocks = |rows: Range<usize>| split(rows).collect::<Vec<_>>();
        assert_eq!(computed, [blocks(64..192), blocks(896..1000), blocks(0..64), blocks(192..896)].concat());
    }
}
