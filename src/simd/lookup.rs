//! Ternary rows times a vector of small integers, by looking up what four weights contribute in two tables.
//!
//! Four weights have 81 values, and a table that a byte shuffle reads has 16 entries. Every one of the 81 is a sum of one of
//! 15 [firsts](FIRSTS) and one of 8 [seconds](SECONDS), so a byte holds the weights of four columns: the number of a first
//! in its lower four bits, that of a second above them, and a highest bit that is always zero. For each four inputs two
//! [tables](Tables) of 16 bytes list what the firsts and the seconds contribute. (Bitnet.cpp's TL1, Wang 2025, has a table
//! for every two columns, whose numbers take four bits; tables for groups of inputs are those of T-MAC, Wei 2024.) Where a
//! shuffle looks at no more than the lower four bits and the highest, as that of x86-64, the byte is an index as it is.
//!
//! The matrix lies in blocks of 64 rows: for four columns the bytes of the rows, one after the other.
//!
//! Sums are exact. They are kept in 8 bits over eight columns, or four, as the magnitudes of the inputs allow, then in 16 bits, one accumulator for the bytes at odd places and one for both, and at the end of a chunk in 32 bits.

use std::hint::black_box;

use super::bytes::{Bytes, BytesKernel};
use super::{Native, Simd};

/// Rows of a block.
pub const ROWS: usize = 64;

/// The weights of four columns in a block of rows, a byte a row.
pub type Codes = [[u8; 32]; 2];

/// The largest magnitude of an input.
pub const MAX_INPUT: i16 = 63;

/// Columns that share a byte.
const COLS: usize = 4;

/// [`Codes`] of a group, whose sums share a byte where the inputs allow.
const GROUP: usize = 2;

/// [`Codes`] of a turn of the fastest loop: a row is padded to a multiple of so many.
const TURN: usize = 2 * GROUP;

/// Columns whose sums fit 8 bits if their inputs' magnitudes come to no more than [`MAX_GROUP`].
pub const GROUP_COLS: usize = COLS * GROUP;

/// See [`GROUP_COLS`].
pub const MAX_GROUP: u16 = i8::MAX as u16;

/// Sums of bytes that fit 16 bits.
const CHUNK: usize = 256;

/// What each sum of bytes is raised by, so that it is not negative.
const RAISE: u8 = 128;

/// What the first table lists: each of five times the first three inputs, with the fourth times -1, 0 and 1.
const FIRSTS: [[i8; COLS]; 15] = {
    const OF_THREE: [[i8; 3]; 5] = [[-1, 0, 0], [0, -1, 0], [0, 1, 0], [1, 0, 0], [1, 0, -1]];
    let mut firsts = [[0; COLS]; 15];
    let mut at = 0;
    while at < 15 {
        let [a, b, c] = OF_THREE[at / 3];
        firsts[at] = [a, b, c, at as i8 % 3 - 1];
        at += 1;
    }
    firsts
};

/// What the second table lists. With the five of [`FIRSTS`] they make all 27 values of three weights; found by a search.
const SECONDS: [[i8; COLS]; 8] = [
    [0, 0, 0, 0],
    [0, 0, 1, 0],
    [0, 0, -1, 0],
    [0, 1, 0, 0],
    [0, 1, 1, 0],
    [0, -1, 0, 0],
    [0, -1, 1, 0],
    [-1, 0, -1, 0],
];

/// The byte of each four weights, the first counting 27.
const CODES: [u8; 81] = {
    let mut codes = [u8::MAX; 81];
    let mut code = 0;
    while code < 8 * 16 {
        if let Some(weights) = weights_of(code) {
            codes[number_of(weights)] = code;
        }
        code += 1;
    }
    let mut number = 0;
    while number < codes.len() {
        assert!(codes[number] != u8::MAX, "some weights are no sum of a first and a second");
        number += 1;
    }
    codes
};

/// What the firsts and the seconds of a byte come to; none if it is not that of ternary weights.
const fn weights_of(code: u8) -> Option<[i8; COLS]> {
    let (first, second) = (code as usize % 16, code as usize / 16);
    if first >= FIRSTS.len() {
        return None;
    }
    let mut weights = [0; COLS];
    let mut at = 0;
    while at < COLS {
        weights[at] = FIRSTS[first][at] + SECONDS[second][at];
        if weights[at].abs() > 1 {
            return None;
        }
        at += 1;
    }
    Some(weights)
}

const fn number_of(weights: [i8; COLS]) -> usize {
    let [a, b, c, d] = weights;
    (27 * (a + 1) + 9 * (b + 1) + 3 * (c + 1) + d + 1) as usize
}

/// The number of [`Codes`] that a block of `cols` columns takes.
pub const fn block_len(cols: usize) -> usize {
    cols.div_ceil(COLS).next_multiple_of(TURN)
}

/// Weights that are all zero, what a block is full of before rows are packed to it.
pub const NO_WEIGHTS: Codes = [[CODES[number_of([0; COLS])]; 32]; 2];

/// Packs ternary values to row number `row` of a block.
pub fn pack_row(values: &[i8], row: usize, block: &mut [Codes]) {
    let (fours, tail) = values.as_chunks::<COLS>();
    let mut last = [0; COLS];
    last[..tail.len()].copy_from_slice(tail);
    for (codes, &weights) in block.iter_mut().zip(fours.iter().chain([&last])) {
        codes.as_flattened_mut()[row] = CODES[number_of(weights)];
    }
}

/// Unpacks the first columns of a row, as many as `to` has room for, from matrices of `cols` columns.
pub fn unpack(packed: &[Codes], cols: usize, row: usize, to: &mut [i16]) {
    let len = block_len(cols);
    let block = &packed[row / ROWS * len..][..len];
    for (codes, values) in block.iter().zip(to.chunks_mut(COLS)) {
        let weights = weights_of(codes.as_flattened()[row % ROWS]).unwrap_or_default();
        for (value, weight) in values.iter_mut().zip(weights) {
            *value = i16::from(weight);
        }
    }
}

/// The tables of a vector of inputs.
#[derive(Clone, Debug, PartialEq)]
pub struct Tables {
    /// What tables are made of, left from the last time: of each input `x` the bytes `-x`, 0, `x` and 0, those of four together.
    /// Padded with zeros.
    contributions: Vec<[u32; COLS]>,
    /// The first and the second table of four inputs. Those of all, or of all with every third and fourth input zero, and then
    /// of all with every first and second.
    tables: Vec<[u8; 32]>,
    /// How many sums of two entries, one after the other, fit 8 bits: 2 or 1.
    in_byte: usize,
}

impl Tables {
    /// Those of `len` zeros.
    pub fn new(len: usize) -> Tables {
        let fours = block_len(len);
        let mut zeros = Tables { contributions: vec![[0; COLS]; fours], tables: vec![[0; 32]; fours], in_byte: 1 };
        zeros.make::<Native>(&[]);
        zeros
    }

    /// Makes the tables of `x`, which must be as long as at first and within [`MAX_INPUT`].
    pub fn set<S: Simd>(&mut self, x: &[i16]) {
        let fours = self.contributions.len();
        // With more than one chunk the kernel is not worth more code: 2048 columns are one of whole groups.
        let whole_groups = x.len() <= GROUP_COLS * CHUNK && largest_group::<S>(x) <= i32::from(MAX_GROUP);
        self.in_byte = if whole_groups { GROUP } else { 1 };
        let fit = whole_groups || x.chunks(COLS).all(|inputs| magnitude(inputs) <= MAX_GROUP);
        self.tables.resize(if fit { fours } else { 2 * fours }, [0; 32]);
        self.make::<S>(x);
    }

    /// Makes as many tables as there is room for.
    fn make<S: Simd>(&mut self, x: &[i16]) {
        let Tables { contributions, tables, in_byte } = self;
        let fours = contributions.len();
        let halves = tables.len() > fours;
        let raise = RAISE / *in_byte as u8;
        for (half, tables) in tables.chunks_mut(fours.max(1)).enumerate() {
            for (bytes, &input) in contributions.as_flattened_mut().iter_mut().zip(x) {
                *bytes = contributions_of(input);
            }
            if halves {
                contributions.iter_mut().for_each(|bytes| bytes[COLS / 2 * (1 - half)..][..COLS / 2].fill(0));
            }
            S::with_bytes(MakeTables { contributions, tables, raise });
        }
    }
}

/// What an input adds to entries, with a weight of -1, 0 and 1.
#[inline(always)]
fn contributions_of(input: i16) -> u32 {
    let x = u32::from(input as u8);
    (x.wrapping_neg() & 255 | x << 16).to_le()
}

/// The sum of magnitudes.
#[inline(always)]
fn magnitude(inputs: &[i16]) -> u16 {
    inputs.iter().map(|input| input.unsigned_abs()).sum()
}

/// The largest sum of the magnitudes of a group.
fn largest_group<S: Simd>(x: &[i16]) -> i32 {
    let (four_groups, tail) = x.as_chunks::<{ 4 * GROUP_COLS }>();
    let mut last = [0; 4 * GROUP_COLS];
    last[..tail.len()].copy_from_slice(tail);
    four_groups.iter().chain([&last]).flat_map(|groups| magnitudes_of_four::<S>(groups)).fold(0, i32::max)
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
    contributions: &'a [[u32; COLS]],
    tables: &'a mut [[u8; 32]],
    /// What the entries of second tables are raised by.
    raise: u8,
}

impl BytesKernel for MakeTables<'_> {
    type Output = ();

    /// An entry is the sum of what the four inputs add: each is looked up, for all entries at once.
    #[inline(always)]
    fn run<B: Bytes>(self) {
        const PLACES: [[u8; 32]; COLS] = [places(0), places(1), places(2), places(3)];
        let mut raises = [0; 32];
        raises[16..].fill(self.raise);
        for part in 0..B::PARTS {
            // V8 would make them anew for each table, see `sum_part`.
            let [a, b, c, d] = [0, 1, 2, 3].map(|input| B::load(black_box(&PLACES[input]), part));
            let raise = B::load(&raises, part);
            for (contributions, tables) in self.contributions.iter().zip(&mut *self.tables) {
                let contributions = B::load_table(bytemuck::cast_ref(contributions));
                let of_two = contributions.lookup(a).add(contributions.lookup(b));
                let of_others = contributions.lookup(c).add(contributions.lookup(d));
                of_two.add(of_others).add(raise).store_bytes(tables, part);
            }
        }
    }
}

/// Where the contribution of an input to each entry of both tables is.
const fn places(input: u8) -> [u8; 32] {
    let mut places = [4 * input + 1; 32];
    let mut entry = 0;
    while entry < FIRSTS.len() {
        places[entry] = (4 * input as i8 + 1 + FIRSTS[entry][input as usize]) as u8;
        entry += 1;
    }
    let mut entry = 0;
    while entry < SECONDS.len() {
        places[16 + entry] = (4 * input as i8 + 1 + SECONDS[entry][input as usize]) as u8;
        entry += 1;
    }
    places
}

/// `sums[r] = sum of w[r][c] x[c]` over all columns, exact, for the rows of the first of `blocks` and the inputs `x` of the
/// tables.
pub fn block_sums<S: Simd>(blocks: &[Codes], x: &Tables, sums: &mut [i32; ROWS]) {
    let len = x.contributions.len();
    debug_assert!(blocks.len().is_multiple_of(len.max(1)), "the rows have another length than the inputs");
    let (block, others) = blocks.split_at(len);
    let next = others.get(..len).unwrap_or(block);
    S::with_bytes(BlockSums { block, next, x, sums });
}

struct BlockSums<'a> {
    block: &'a [Codes],
    /// What will be asked for after it, if that is known; as long.
    next: &'a [Codes],
    x: &'a Tables,
    sums: &'a mut [i32; ROWS],
}

impl BytesKernel for BlockSums<'_> {
    type Output = ();

    #[inline(always)]
    fn run<B: Bytes>(self) {
        let BlockSums { block, next, x, sums } = self;
        if x.in_byte == GROUP {
            return add_chunk::<B, GROUP, TURN>(block, next, &x.tables, sums, false);
        }
        sums.fill(0);
        for tables in x.tables.chunks(block.len().max(1)) {
            for (block, tables) in block.chunks(CHUNK).zip(tables.chunks(CHUNK)) {
                add_chunk::<B, 1, 1>(block, block, tables, sums, true);
            }
        }
    }
}

/// Makes `sums` those of at most `CHUNK * IN_BYTE` tables, or adds them to it.
#[inline(always)]
fn add_chunk<B: Bytes, const IN_BYTE: usize, const AT_ONCE: usize>(
    block: &[Codes],
    next: &[Codes],
    tables: &[[u8; 32]],
    sums: &mut [i32; ROWS],
    add: bool,
) {
    debug_assert_eq!(block.len(), next.len());
    // One part after the other: the sums of both and what is loaded for them would be more than 16 registers hold.
    let mut halves = [Words::default(), Words::default()];
    for part in 0..B::PARTS {
        sum_part::<B, IN_BYTE, AT_ONCE>(block, next, tables, part, &mut halves);
    }
    let raised = (block.len() / IN_BYTE) as u16 * u16::from(RAISE);
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
    /// Of row `2 n`, plus 256 times that of row `2 n + 1`.
    both: [u16; 16],
    /// Of row `2 n + 1`.
    odd: [u16; 16],
}

/// Writes a part of the sums over at most `CHUNK * IN_BYTE` tables, of both halves of the rows.
#[inline(always)]
fn sum_part<B: Bytes, const IN_BYTE: usize, const AT_ONCE: usize>(
    block: &[Codes],
    next: &[Codes],
    tables: &[[u8; 32]],
    part: usize,
    [low_words, high_words]: &mut [Words; 2],
) {
    // V8 makes a constant anew, with three instructions, wherever it is used. This one it does not know.
    let mask = B::load_table(black_box(&[15; 16]));
    let zero = B::zero();
    // Variables, not an array: LLVM would leave the array in memory.
    let (mut low_both, mut low_odd, mut high_both, mut high_odd) = (zero, zero, zero, zero);
    let groups = block.as_chunks::<AT_ONCE>().0.iter().zip(tables.as_chunks::<AT_ONCE>().0);
    // What the second half of the bytes is loaded from is in the first cache by now, so there is time to fetch the next block.
    let fetch = part == 1 && IN_BYTE == GROUP;
    let mut fetched = 0;
    for ((codes, tables), next) in groups.zip(next.as_chunks::<AT_ONCE>().0) {
        if fetch {
            fetched |= next.iter().fold(0, |bytes, codes| bytes | codes[0][0]);
        }
        for first in (0..AT_ONCE).step_by(IN_BYTE) {
            let (mut low, mut high) = look_up::<B>(&codes[first], &tables[first], part, mask);
            for at in first + 1..first + IN_BYTE {
                let (more_low, more_high) = look_up::<B>(&codes[at], &tables[at], part, mask);
                low = low.add(more_low);
                high = high.add(more_high);
            }
            low_both = low_both.add_words(low);
            low_odd = low_odd.add_words(low.high_bytes());
            high_both = high_both.add_words(high);
            high_odd = high_odd.add_words(high.high_bytes());
        }
    }
    if fetch {
        black_box(fetched);
    }
    low_both.store(&mut low_words.both, part);
    low_odd.store(&mut low_words.odd, part);
    high_both.store(&mut high_words.both, part);
    high_odd.store(&mut high_words.odd, part);
}

#[inline(always)]
fn look_up<B: Bytes>(codes: &Codes, tables: &[u8; 32], part: usize, mask: B) -> (B, B) {
    let [firsts, seconds] = [0, 1].map(|at| B::load_table(&tables.as_chunks::<16>().0[at]));
    let of = |codes: B| firsts.lookup_low(codes, mask).add(seconds.lookup(codes.high_nibbles(mask)));
    (of(B::load(&codes[0], part)), of(B::load(&codes[1], part)))
}

impl Words {
    /// Those of the rows, less what they were raised by.
    #[inline(always)]
    fn sums(self, raised: u16) -> [i32; ROWS / 2] {
        let mut sums = [0; ROWS / 2];
        for ((rows, both), odd) in sums.as_chunks_mut::<2>().0.iter_mut().zip(self.both).zip(self.odd) {
            let even = both.wrapping_sub(odd << 8);
            *rows = [even, odd].map(|sum| i32::from(sum.wrapping_sub(raised) as i16));
        }
        sums
    }
}
