//! Narrow rows for rare words: the table of a large vocabulary spends its columns where the text is (Grave 2017, adaptive
//! softmax; Baevski & Auli 2019, adaptive input). Unlike there, the columns of a narrow row are the first of the wide ones,
//! so that no further projection stands between.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};
use twox_hash::XxHash64;

use crate::training::rows::Rows;
use crate::training::slices::give;

/// Which rows are narrow, by a config.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TailConfig {
    /// The most frequent words: their rows are wide, all others narrow.
    pub after: usize,
    /// Columns of a narrow row.
    pub width: usize,
}

/// The narrow rows of a table.
#[derive(Clone)]
pub struct Tail {
    width: usize,
    is_narrow: Arc<[bool]>,
}

impl TailConfig {
    /// Of each row, given its count, whether it is narrow. Of equal counts the first rows are wide. None where the vocabulary is
    /// so small that all are.
    pub fn narrow_rows(self, counts: &[f64]) -> Option<Vec<bool>> {
        if counts.len() <= self.after {
            return None;
        }
        let mut order: Vec<usize> = (0..counts.len()).collect();
        order.sort_by(|&a, &b| counts[b].total_cmp(&counts[a]).then(a.cmp(&b)));
        let mut is_narrow = vec![false; counts.len()];
        order.iter().skip(self.after).for_each(|&row| is_narrow[row] = true);
        Some(is_narrow)
    }
}

impl Tail {
    /// The tail of a vocabulary with these counts, if it has one.
    pub fn new(config: TailConfig, counts: &[f64]) -> Option<Tail> {
        Some(Tail { width: config.width, is_narrow: config.narrow_rows(counts)?.into() })
    }

    /// XXH64 of which rows are narrow.
    pub fn checksum(&self) -> u64 {
        let bytes: Vec<u8> = self.is_narrow.iter().copied().map(u8::from).collect();
        XxHash64::oneshot(0, &bytes)
    }

    /// Makes zeros of what narrow rows do not have; `values` are those of `rows`.
    pub fn cut(&self, values: Tensor<2>, rows: &Rows) -> Tensor<2> {
        let [count, columns] = values.dims();
        let mask = self.mask(rows, [count, columns], &values.device());
        values * mask
    }

    fn mask(&self, rows: &Rows, shape: [usize; 2], device: &Device) -> Tensor<2> {
        let mut mask = vec![1.0; shape[0] * shape[1]];
        for (place, row) in mask.chunks_exact_mut(shape[1]).enumerate() {
            if self.is_narrow[rows.at(place)] {
                row[self.width..].fill(0.0);
            }
        }
        give(mask, shape, device)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{tensor, values};
    use super::*;

    #[test]
    fn rare_words_have_narrow_rows() {
        let config = TailConfig { after: 2, width: 1 };
        assert_eq!(config.narrow_rows(&[5.0, 1.0, 5.0, 9.0]).unwrap(), [false, true, true, false]);
        assert!(config.narrow_rows(&[5.0, 1.0]).is_none());
        let tail = Tail::new(config, &[5.0, 1.0, 5.0, 9.0]).unwrap();
        let cut = |rows: Rows, count: usize| values(tail.cut(tensor(&vec![2.0; count * 2], [count, 2]), &rows));
        assert_eq!(cut(Rows::All, 4), [2.0, 2.0, 2.0, 0.0, 2.0, 0.0, 2.0, 2.0]);
        assert_eq!(cut(Rows::Some(vec![2, 3]), 2), [2.0, 0.0, 2.0, 2.0]);
    }
}
