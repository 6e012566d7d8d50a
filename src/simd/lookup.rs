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
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// Of each input `x` the bytes `|x| - x`, `|x|`, `|x| + x` and 0, those of two pairs together. Padded with zeros.
    contributions: Vec<[u32; 4]>,
    /// Those of two pairs together.
    tables: Vec<[u8; 32]>,
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
            contributions: vec![[0; 4]; pairs / 2],
            tables: vec![[0; 32]; pairs / 2],
            in_byte: 1,
            raised: vec![0; pairs.div_ceil(CHUNK)],
        }
    }

    /// Makes the tables of `x`, which must be as long as at first and within [`MAX_INPUT`].
    pub fn set<S: Simd>(&mut self, x: &[i16]) {
        for (bytes, &input) in self.contributions.as_flattened_mut().iter_mut().zip(x) {
            *bytes = contributions_of(input);
        }
        S::with_bytes(MakeTables { contributions: &self.contributions, tables: &mut self.tables });
        // With more than one chunk the kernel is not worth more code: 2048 columns are one of whole groups.
        let fits_one_chunk = |pairs: usize| x.len() <= 2 * CHUNK * pairs;
        let (largest, sum) = magnitudes_of_groups::<S>(x);
        self.raised.clear();
        if fits_one_chunk(GROUP) && largest <= i32::from(MAX_GROUP) {
            self.in_byte = GROUP;
            return self.raised.push(sum as u16);
        }
        self.in_byte =
            if fits_one_chunk(2) && x.chunks(4).all(|inputs| magnitude(inputs) <= MAX_GROUP) { 2 } else { 1 };
        self.raised.extend(x.chunks(2 * CHUNK * self.in_byte).map(magnitude));
    }

    /// One table after the other.
    fn all(&self) -> &[[u8; 16]] {
        bytemuck::cast_slice(&self.tables)
    }
}

/// What an input adds to entries, with a weight of -1, 0 and 1, raised so that it is not negative.
#[inline(always)]
fn contributions_of(input: i16) -> u32 {
    let (x, magnitude) = (i32::from(input), i32::from(input.abs()));
    ((magnitude - x) | magnitude << 8 | (magnitude + x) << 16).to_le() as u32
}

/// The sum of magnitudes.
#[inline(always)]
fn magnitude(inputs: &[i16]) -> u16 {
    inputs.iter().map(|input| input.unsigned_abs()).sum()
}

/// The largest sum of the magnitudes of a group, and the sum of all.
fn magnitudes_of_groups<S: Simd>(x: &[i16]) -> (i32, i32) {
    let (fours, tail) = x.as_chunks::<{ 4 * GROUP_COLS }>();
    let mut last = [0; 4 * GROUP_COLS];
    last[..tail.len()].copy_from_slice(tail);
    let sums = fours.iter().chain([&last]).flat_map(|groups| magnitudes_of_four::<S>(groups));
    sums.fold((0, 0), |(largest, all), sum| (largest.max(sum), all + sum))
}

/// The sums of the magnitudes of four groups.
#[inline(always)]
fn magnitudes_of_four<S: Simd>(x: &[i16; 4 * GROUP_COLS]) -> [i32; 4] {
    let (groups, _) = x.as_chunks::<GROUP_COLS>();
    let [a, b, c, d] = [0, 1, 2, 3].map(|at| {
        let x = S::i16_load(&groups[at]);
        // |x| is x, less twice itself if it is negative.
        let subtracted = S::i16_and(S::i16_shr(x, 15), S::i16_splat(-2));
        S::i32_add(S::i16_dot(x, S::i16_splat(1)), S::i16_dot(x, subtracted))
    });
    let mut sums = [0; 4];
    S::i32_store(S::i32_horizontal_sums(a, b, c, d), &mut sums);
    sums
}

struct MakeTables<'a> {
    contributions: &'a [[u32; 4]],
    tables: &'a mut [[u8; 32]],
}

impl BytesKernel for MakeTables<'_> {
    type Output = ();

    /// An entry is the sum of what its two inputs add: each is looked up, for all entries at once.
    #[inline(always)]
    fn run<B: Bytes>(self) {
        const OF_FIRST: [u8; 32] = places(0);
        const OF_SECOND: [u8; 32] = places(1);
        for part in 0..B::PARTS {
            // V8 would make them anew for each table, see `sum_part`.
            let first = B::load(black_box(&OF_FIRST), part);
            let second = B::load(black_box(&OF_SECOND), part);
            for (contributions, tables) in self.contributions.iter().zip(&mut *self.tables) {
                let contributions = B::load_table(bytemuck::cast_ref(contributions));
                contributions.lookup(first).add(contributions.lookup(second)).store_bytes(tables, part);
            }
        }
    }
}

/// Where the contribution of the first or the second input of a pair to each entry is, of two pairs.
const fn places(input: u8) -> [u8; 32] {
    // There is a zero, for what is no entry.
    let mut places = [3; 32];
    let mut entry = 0;
    while entry < 9 {
        let weight = if input == 0 { entry / 3 } else { entry % 3 };
        places[entry as usize] = 4 * input + weight;
        places[16 + entry as usize] = 8 + 4 * input + weight;
        entry += 1;
    }
    places
}

/// `sums[r] = sum of w[r][c] x[c]` over all columns, exact, for the rows of a block and the inputs `x` of the tables.
pub fn block_sums<S: Simd>(block: &[Indices], x: &Tables, sums: &mut [i32; ROWS]) {
    debug_assert_eq!(block.len(), x.all().len());
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
        add_chunk::<B, IN_BYTE>(self.block, self.x.all(), raised, self.sums, false);
    }

    #[inline(always)]
    fn chunks<B: Bytes>(self) {
        self.sums.fill(0);
        let chunks = self.block.chunks(CHUNK).zip(self.x.all().chunks(CHUNK));
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
