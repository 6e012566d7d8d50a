//! Ternary rows times a vector of small integers, by looking up the contribution of two weights at a time.
//!
//! A pair of weights has nine values. For each pair of inputs `(a, b)` a [table](Tables) of 16 bytes lists what each of
//! them contributes, `v a + w b` at index `3 (v + 1) + (w + 1)`, raised by `|a| + |b|`, so that it is not negative. The
//! weights are stored as such indices, four bits each, in blocks of 64 rows: for a pair of columns the 64 indices of the
//! rows are 32 bytes. Rows 0 to 15 are in the low halves of even bytes, 16 to 31 in those of odd bytes, the others likewise
//! in the high halves. So one byte shuffle does 32 weights (TL1 of Wang 2025, "Bitnet.cpp: Efficient Edge Inference for
//! Ternary LLMs"; tables for groups of inputs are those of Wei 2024, "T-MAC").
//!
//! Sums are exact. They are kept in 8 bits over as many pairs as the magnitudes of the inputs allow, then in 16 bits, one
//! accumulator for the bytes at odd places and one for both, and at the end of a chunk of pairs in 32 bits.

use std::hint::black_box;

use super::Simd;
use super::bytes::{Bytes, BytesKernel};

/// Rows of a block.
pub const ROWS: usize = 64;

/// The indices of a pair of columns in a block of rows.
pub type Indices = [u8; 32];

/// The largest magnitude of an input.
pub const MAX_INPUT: i16 = 63;

/// Pairs of columns that are worked at together: a row is padded to a multiple of so many indices.
const GROUP: usize = 4;

/// Columns whose sums fit 8 bits if their inputs' magnitudes come to no more than [`MAX_GROUP`].
pub const GROUP_COLS: usize = 2 * GROUP;

/// See [`GROUP_COLS`]. Entries are raised by magnitudes, so that a sum is up to twice as large.
pub const MAX_GROUP: u16 = u8::MAX as u16 / 2;

/// The index of two zero weights.
const ZEROS: u8 = 4;

/// Pairs whose sums fit 16 bits where each entry needs 8; where two or four of them together do, it is twice or four times as many.
const CHUNK: usize = 256;

/// The number of [`Indices`] that a block of `cols` columns takes.
pub const fn block_len(cols: usize) -> usize {
    cols.div_ceil(2).next_multiple_of(GROUP)
}

/// The indices of weights that are all zero, what a block is full of before rows are packed to it.
pub const NO_WEIGHTS: Indices = [ZEROS | ZEROS << 4; 32];

/// Packs ternary values to row number `row` of a block.
pub fn pack_row(values: &[i8], row: usize, block: &mut [Indices]) {
    let (byte, shift) = place(row);
    let index = |first: i8, second: i8| (3 * (first + 1) + second + 1) as u8;
    let (pairs, last) = values.as_chunks::<2>();
    let indices = pairs.iter().map(|&[first, second]| index(first, second));
    for (indices, index) in block.iter_mut().zip(indices.chain(last.iter().map(|&last| index(last, 0)))) {
        indices[byte] = indices[byte] & !(15 << shift) | index << shift;
    }
}

/// Unpacks the first columns of a row, as many as `to` has room for, from matrices of `cols` columns.
pub fn unpack(packed: &[Indices], cols: usize, row: usize, to: &mut [i16]) {
    let len = block_len(cols);
    let block = &packed[row / ROWS * len..][..len];
    let (byte, shift) = place(row);
    for (indices, pair) in block.iter().zip(to.chunks_mut(2)) {
        let index = i16::from(indices[byte] >> shift & 15);
        for (value, weight) in pair.iter_mut().zip([index / 3 - 1, index % 3 - 1]) {
            *value = weight;
        }
    }
}

/// The byte of a row's index, and the place of the index in it.
fn place(row: usize) -> (usize, usize) {
    (row % 16 * 2 + row % 32 / 16, row % ROWS / 32 * 4)
}

/// The tables of a vector of inputs.
#[derive(Clone, Debug)]
pub struct Tables {
    /// Padded with zeros.
    inputs: Vec<[i16; 2]>,
    tables: Vec<[u8; 16]>,
    /// How many entries, one after the other, have sums that fit 8 bits: 4, 2 or 1.
    in_byte: usize,
    /// What the entries of each chunk are raised by, all together: of one, unless `in_byte` is 1.
    raised: Vec<u16>,
}

impl Tables {
    /// Those of `len` zeros.
    pub fn new(len: usize) -> Tables {
        let pairs = block_len(len);
        Tables {
            inputs: vec![[0; 2]; pairs],
            tables: vec![[0; 16]; pairs],
            in_byte: 1,
            raised: vec![0; pairs.div_ceil(CHUNK)],
        }
    }

    /// Makes the tables of `x`, which must be as long as at first and within [`MAX_INPUT`].
    pub fn set(&mut self, x: &[i16]) {
        self.inputs.as_flattened_mut()[..x.len()].copy_from_slice(x);
        for (table, &pair) in self.tables.iter_mut().zip(&self.inputs) {
            *table = table_of(pair);
        }
        // With more than one chunk the kernel is not worth more code: 2048 columns are one of whole groups.
        let fits = |pairs: usize| {
            self.inputs.len() <= CHUNK * pairs && self.inputs.chunks(pairs).all(|pairs| magnitude(pairs) <= MAX_GROUP)
        };
        self.in_byte = if fits(GROUP) {
            GROUP
        } else if fits(2) {
            2
        } else {
            1
        };
        self.raised.clear();
        self.raised.extend(self.inputs.chunks(CHUNK * self.in_byte).map(magnitude));
    }
}

/// What the entries of pairs of inputs are raised by.
fn magnitude(pairs: &[[i16; 2]]) -> u16 {
    pairs.as_flattened().iter().map(|input| input.unsigned_abs()).sum()
}

/// `|a| + |b| + v a + w b` for all pairs `(v, w)` of weights.
#[inline(always)]
fn table_of(pair: [i16; 2]) -> [u8; 16] {
    // Where v, and where w, is 1 and where it is -1: sums of masked bytes, which compilers make vectors of.
    const PLUS: [[u8; 16]; 2] = masks(1);
    const MINUS: [[u8; 16]; 2] = masks(-1);
    let raised = magnitude(&[pair]) as u8;
    let [a, b] = pair.map(|input| input as u8);
    std::array::from_fn(|i| {
        let plus = (a & PLUS[0][i]).wrapping_add(b & PLUS[1][i]);
        let minus = (a & MINUS[0][i]).wrapping_add(b & MINUS[1][i]);
        raised.wrapping_add(plus).wrapping_sub(minus)
    })
}

const fn masks(weight: i32) -> [[u8; 16]; 2] {
    let mut masks = [[0; 16]; 2];
    let mut index = 0;
    while index < 9 {
        if index / 3 - 1 == weight {
            masks[0][index as usize] = 255;
        }
        if index % 3 - 1 == weight {
            masks[1][index as usize] = 255;
        }
        index += 1;
    }
    masks
}

/// `sums[r] = sum of w[r][c] x[c]` over all columns, exact, for the rows of a block and the inputs `x` of the tables.
pub fn block_sums<S: Simd>(block: &[Indices], x: &Tables, sums: &mut [i32; ROWS]) {
    debug_assert_eq!(block.len(), x.tables.len());
    S::with_bytes(BlockSums { block, x, sums });
}

struct BlockSums<'a> {
    block: &'a [Indices],
    x: &'a Tables,
    sums: &'a mut [i32; ROWS],
}

impl BytesKernel for BlockSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<B: Bytes>(self) {
        match self.x.in_byte {
            GROUP.. => self.one_chunk::<B, GROUP>(),
            2.. => self.one_chunk::<B, 2>(),
            _ => self.chunks::<B>(),
        }
    }
}

impl BlockSums<'_> {
    #[inline(always)]
    fn one_chunk<B: Bytes, const IN_BYTE: usize>(self) {
        let raised = self.x.raised.first().copied().unwrap_or_default();
        add_chunk::<B, IN_BYTE>(self.block, &self.x.tables, raised, self.sums, false);
    }

    #[inline(always)]
    fn chunks<B: Bytes>(self) {
        self.sums.fill(0);
        let chunks = self.block.chunks(CHUNK).zip(self.x.tables.chunks(CHUNK));
        for ((block, tables), &raised) in chunks.zip(&self.x.raised) {
            add_chunk::<B, 1>(block, tables, raised, self.sums, true);
        }
    }
}

/// Makes `sums` those over at most `CHUNK * IN_BYTE` pairs, or adds them to it.
#[inline(always)]
fn add_chunk<B: Bytes, const IN_BYTE: usize>(
    block: &[Indices],
    tables: &[[u8; 16]],
    raised: u16,
    sums: &mut [i32; ROWS],
    add: bool,
) {
    // One part after the other: the sums of both and what is loaded for them would be more than 16 registers hold.
    let mut halves = [Words::default(), Words::default()];
    for part in 0..B::PARTS {
        sum_part::<B, IN_BYTE>(block, tables, part, &mut halves);
    }
    for (words, rows) in halves.into_iter().zip(sums.chunks_exact_mut(ROWS / 2)) {
        let sums = words.sums(raised);
        if add {
            rows.iter_mut().zip(sums).for_each(|(row, sum)| *row += sum);
        } else {
            rows.copy_from_slice(&sums);
        }
    }
}

/// The sums of 32 rows in 16 bits.
#[derive(Default)]
struct Words {
    /// Of row `n`, plus 256 times that of row `n + 16`.
    both: [u16; 16],
    /// Of row `n + 16`.
    odd: [u16; 16],
}

/// Writes a part of the sums over at most `CHUNK * IN_BYTE` pairs, those of the low halves of bytes and those of the high ones.
#[inline(always)]
fn sum_part<B: Bytes, const IN_BYTE: usize>(
    block: &[Indices],
    tables: &[[u8; 16]],
    part: usize,
    [low_words, high_words]: &mut [Words; 2],
) {
    // V8 makes a constant anew, with three instructions, wherever it is used. This one it does not know.
    let mask = B::load_table(black_box(&[15; 16]));
    let zero = B::zero();
    // Variables, not an array: LLVM would leave the array in memory.
    let (mut low_both, mut low_odd, mut high_both, mut high_odd) = (zero, zero, zero, zero);
    let (block, tables) = (block.as_chunks::<GROUP>().0, tables.as_chunks::<GROUP>().0);
    for (indices, tables) in block.iter().zip(tables) {
        for first in (0..GROUP).step_by(IN_BYTE) {
            let (mut low, mut high) = look_up(B::load(&indices[first], part), &tables[first], mask);
            for at in first + 1..first + IN_BYTE {
                let (more_low, more_high) = look_up(B::load(&indices[at], part), &tables[at], mask);
                low = low.add(more_low);
                high = high.add(more_high);
            }
            low_both = low_both.add_words(low);
            low_odd = low_odd.add_words(low.high_bytes());
            high_both = high_both.add_words(high);
            high_odd = high_odd.add_words(high.high_bytes());
        }
    }
    low_both.store(&mut low_words.both, part);
    low_odd.store(&mut low_words.odd, part);
    high_both.store(&mut high_words.both, part);
    high_odd.store(&mut high_words.odd, part);
}

#[inline(always)]
fn look_up<B: Bytes>(indices: B, table: &[u8; 16], mask: B) -> (B, B) {
    let table = B::load_table(table);
    let (low, high) = indices.nibbles(mask);
    (table.lookup(low), table.lookup(high))
}

impl Words {
    /// Those of the rows, less what the entries were raised by.
    #[inline(always)]
    fn sums(self, raised: u16) -> [i32; ROWS / 2] {
        let mut sums = [0; ROWS / 2];
        let (even_rows, odd_rows) = sums.split_at_mut(ROWS / 4);
        for ((row, both), odd) in even_rows.iter_mut().zip(self.both).zip(self.odd) {
            *row = i32::from(both.wrapping_sub(odd << 8).wrapping_sub(raised) as i16);
        }
        for (row, odd) in odd_rows.iter_mut().zip(self.odd) {
            *row = i32::from(odd.wrapping_sub(raised) as i16);
        }
        sums
    }
}
