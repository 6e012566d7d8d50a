//! A table with a row a token, whose rare tokens may have narrow rows.

use std::ops::Range;

use super::{Activations, Matrix};
use crate::simd::unset;

/// Rows that are looked at together.
const BLOCK: usize = 64;

/// The embedding or the output rows: a matrix, or two of different widths, the columns of the narrow one being the first
/// of the wide one's.
#[derive(Clone, Debug)]
pub struct Table {
    wide: Matrix,
    narrow: Option<Narrow>,
}

#[derive(Clone, Debug)]
struct Narrow {
    matrix: Matrix,
    /// Of each block of rows: which are narrow, from the lowest bit on, and how many before the block are.
    blocks: Vec<(u64, u32)>,
}

/// The vector that a table is multiplied with.
#[derive(Clone, Debug)]
pub struct TableInput {
    wide: Activations,
    narrow: Option<Activations>,
}

impl Table {
    /// Takes over matrices whose shapes have been checked, and of each row whether it is narrow.
    pub(crate) fn new(wide: Matrix, narrow: Option<(Matrix, &[bool])>) -> Table {
        let Some((matrix, rows)) = narrow else { return Table { wide, narrow: None } };
        let mut before = 0;
        let blocks = rows.chunks(BLOCK).map(|rows| {
            let bits: u64 = rows.iter().zip(0..).map(|(&is_narrow, place)| u64::from(is_narrow) << place).sum();
            let block = (bits, before);
            before += bits.count_ones();
            block
        });
        let blocks = blocks.collect();
        Table { wide, narrow: Some(Narrow { matrix, blocks }) }
    }

    /// A zero vector to multiply the table with, see [`Activations::with_bits`].
    pub fn input(&self, bits: Option<u32>) -> TableInput {
        TableInput {
            wide: Activations::with_bits(&self.wide, bits),
            narrow: self.narrow.as_ref().map(|narrow| Activations::with_bits(&narrow.matrix, bits)),
        }
    }

    /// Makes `x` the row of a token, with zeros for what a narrow one does not have.
    pub fn read_row(&self, row: usize, x: &mut Activations) {
        match self.narrow.as_ref().map(|narrow| (narrow, narrow.place(row))) {
            None => x.set_row(&self.wide, row),
            Some((_, (place, false))) => x.set_row(&self.wide, row - place),
            Some((narrow, (place, true))) => x.set_row(&narrow.matrix, place),
        }
    }

    /// The products of a range of rows with `x`; `out` is as long as the range.
    #[inline]
    pub fn matvec_rows(&self, rows: Range<usize>, x: &TableInput, mut out: &mut [f32]) {
        let (Some(narrow), Some(narrow_x)) = (&self.narrow, &x.narrow) else {
            return self.wide.matvec_rows(rows, &x.wide, out);
        };
        let mut sums = unset::<_, BLOCK>();
        let mut start = rows.start;
        while start < rows.end {
            let end = ((start / BLOCK + 1) * BLOCK).min(rows.end);
            let first = narrow.place(start).0;
            let bits = narrow.bits(start..end);
            let count = bits.count_ones() as usize;
            let wide = start - first..end - first - count;
            let (block, rest) = out.split_at_mut(end - start);
            let sums_of_narrow = &mut sums[..count];
            narrow.matrix.matvec_rows(first..first + count, narrow_x, sums_of_narrow);
            scatter(sums_of_narrow, bits, block);
            let sums_of_wide = &mut sums[..wide.len()];
            self.wide.matvec_rows(wide, &x.wide, sums_of_wide);
            scatter(sums_of_wide, !bits, block);
            (out, start) = (rest, end);
        }
    }
}

/// Writes each of the sums to the place of the next bit that is set.
fn scatter(sums: &[f32], mut places: u64, out: &mut [f32]) {
    for &sum in sums {
        if let Some(out) = out.get_mut(places.trailing_zeros() as usize) {
            *out = sum;
        }
        places &= places.wrapping_sub(1);
    }
}

impl Narrow {
    /// How many rows before `row` are narrow, and whether it is.
    fn place(&self, row: usize) -> (usize, bool) {
        let (bits, before) = self.blocks[row / BLOCK];
        let bit = row % BLOCK;
        (before as usize + (bits & ((1 << bit) - 1)).count_ones() as usize, bits >> bit & 1 == 1)
    }

    /// Which of some rows of one block are narrow, from the lowest bit on.
    fn bits(&self, rows: Range<usize>) -> u64 {
        let bits = self.blocks[rows.start / BLOCK].0 >> (rows.start % BLOCK);
        if rows.len() == BLOCK { bits } else { bits & ((1 << rows.len()) - 1) }
    }
}

impl TableInput {
    /// Takes over as many values as wide rows have columns.
    pub fn set(&mut self, values: &[f32]) {
        self.wide.set(values);
        if let Some(narrow) = &mut self.narrow {
            let width = narrow.len();
            narrow.set(&values[..width]);
        }
    }
}
