//! Rows of integers of 4 or 8 bits, times a vector of 16-bit integers.
//!
//! Packed rows are as in a model file, columns one after the other, lowest bits first, and so a 16-bit lane holds
//! `16 / BITS` neighbouring columns, its fields. All fields but the last are stored raised by `2^(BITS - 1)`, which makes
//! them unsigned: a mask yields `field << place`, where sign extension would take two shifts. The [inputs](Inputs) make up for
//! the places: those of lower fields are shifted to the left instead, so that all products are `2^SHIFT` times as large,
//! and what the raise adds is the same for all rows and taken off at the end. Arithmetic wraps, and the result fits 32 bits.

use std::array::from_fn;
use std::hint::black_box;

use super::Simd;

/// One packed vector.
pub type Lanes = [i16; 8];

/// The number of columns that a packed vector holds at `bits` a field.
pub const fn columns_per_vector(bits: usize) -> usize {
    128 / bits
}

/// The number of vectors of a row.
pub const fn stride(cols: usize, bits: usize) -> usize {
    cols.div_ceil(columns_per_vector(bits))
}

/// What products are shifted by: the place of the last but one field.
const fn product_shift(bits: usize) -> usize {
    16 - 2 * bits
}

/// The bit of each field of a lane but the last that raises it.
const fn raise(bits: usize) -> i16 {
    if bits == 4 { 0x0888 } else { 0x0080 }
}

/// Packs a row of integers of `bits` bits that lie one after the other as in a model file, two's complement, the first in
/// the low half of a byte; the last vector is padded with zeros.
pub fn pack(row: &[u8], bits: usize, packed: &mut [Lanes]) {
    let raise = raise(bits);
    for (bytes, lanes) in row.chunks(16).zip(packed) {
        let mut padded = [0; 16];
        padded[..bytes.len()].copy_from_slice(bytes);
        for (lane, &bytes) in lanes.iter_mut().zip(padded.as_chunks::<2>().0) {
            *lane = i16::from_le_bytes(bytes) ^ raise;
        }
    }
}

/// Unpacks the first columns of a row, as many as `row` has room for. The inverse of [`pack`].
pub fn unpack(packed: &[Lanes], bits: usize, row: &mut [i16]) {
    for (columns, lanes) in row.chunks_mut(columns_per_vector(bits)).zip(packed) {
        for (column, value) in columns.iter_mut().enumerate() {
            let (lane, field) = (column / (16 / bits), column % (16 / bits));
            let above = 16 - bits - field * bits;
            *value = (lanes[lane] ^ raise(bits)) << above >> (16 - bits);
        }
    }
}

/// A vector of integers, arranged for the multiplication with rows of one width.
#[derive(Clone, Debug)]
pub struct Inputs {
    bits: usize,
    /// For each packed vector one vector a field, whose lane `l` belongs to that field of lane `l`.
    fields: Vec<[i16; 8]>,
    /// What the raised fields add to each row's sum.
    raised: i32,
}

impl Inputs {
    /// `len` zeros, for rows of 4 or 8 bits.
    pub fn new(len: usize, bits: usize) -> Inputs {
        Inputs { bits, fields: vec![[0; 8]; stride(len, bits) * (16 / bits)], raised: 0 }
    }

    /// Takes over `x`, which must be as long as at first and of 8-bit integers.
    pub fn set(&mut self, x: &[i16]) {
        let Inputs { bits, fields, .. } = self;
        let per_lane = 16 / *bits;
        let mut raised = 0i32;
        for (columns, fields) in x.chunks(columns_per_vector(*bits)).zip(fields.chunks_mut(per_lane)) {
            for (column, &input) in columns.iter().enumerate() {
                let (lane, field) = (column / per_lane, column % per_lane);
                // The last field is shifted down to its lowest place and has its sign.
                let last = field == per_lane - 1;
                let place = if last { 0 } else { field * *bits };
                fields[field][lane] = input << (product_shift(*bits) - place);
                raised += if last { 0 } else { i32::from(input) };
            }
        }
        self.raised = (raised << (*bits - 1)).wrapping_mul(1 << product_shift(*bits));
    }
}

/// `out[r] = sum of packed[r][c] x[c]` over all columns, exact. `packed` holds `out.len()` rows of the width and length that
/// `x` is arranged for. With at most 8192 columns sums fit 32 bits.
pub fn matvec<S: Simd>(packed: &[Lanes], x: &Inputs, out: &mut [i32]) {
    match x.bits {
        4 => matvec_of::<S, 4, 4>(packed, x, out),
        _ => matvec_of::<S, 8, 2>(packed, x, out),
    }
}

fn matvec_of<S: Simd, const BITS: usize, const FIELDS: usize>(packed: &[Lanes], x: &Inputs, out: &mut [i32]) {
    let (fields, _) = x.fields.as_chunks::<FIELDS>();
    let stride = fields.len();
    if stride == 0 {
        return out.fill(0);
    }
    // V8 makes a constant anew, with three instructions, wherever it is used. These it does not know.
    let masks = from_fn(|field| S::i16_splat(black_box((((1u32 << BITS) - 1) << (field * BITS)) as i16)));
    let store = |sums, out: &mut [i32]| {
        let mut lanes = [0; 4];
        S::i32_store(sums, &mut lanes);
        for (out, sum) in out.iter_mut().zip(lanes) {
            *out = sum.wrapping_sub(x.raised) >> product_shift(BITS);
        }
    };
    // Four rows at a time share the loads of x, and their sums end in one vector.
    let mut quads = packed.chunks_exact(4 * stride);
    let mut outs = out.chunks_exact_mut(4);
    for (quad, out) in (&mut quads).zip(&mut outs) {
        let (ab, cd) = quad.split_at(2 * stride);
        let (a, b) = ab.split_at(stride);
        let (c, d) = cd.split_at(stride);
        store(dot4::<S, BITS, FIELDS>([a, b, c, d], fields, &masks), out);
    }
    let rest = quads.remainder();
    if !rest.is_empty() {
        // One more for all that are left, in the place of those that are missing the last.
        let last = rest.len() - stride;
        let row = |at: usize| &rest[last.min(at * stride)..][..stride];
        store(dot4::<S, BITS, FIELDS>([row(0), row(1), row(2), row(2)], fields, &masks), outs.into_remainder());
    }
}

/// The dot products of four rows with the inputs, raised and shifted; `masks` are those of the fields.
#[inline(always)]
fn dot4<S: Simd, const BITS: usize, const FIELDS: usize>(
    rows: [&[Lanes]; 4],
    fields: &[[[i16; 8]; FIELDS]],
    masks: &[S::I16x8; FIELDS],
) -> S::I32x4 {
    let zero = S::i32_splat(0);
    // Four variables, not an array: LLVM would leave the array in memory.
    let (mut sum0, mut sum1, mut sum2, mut sum3) = (zero, zero, zero, zero);
    let vectors = rows[0].iter().zip(rows[1]).zip(rows[2]).zip(rows[3]);
    for ((((a, b), c), d), fields) in vectors.zip(fields) {
        let (a, b, c, d) = (S::i16_load(a), S::i16_load(b), S::i16_load(c), S::i16_load(d));
        for (field, input) in fields.iter().enumerate() {
            let input = S::i16_load(input);
            let last = field == FIELDS - 1;
            let value = |v| if last { S::i16_shr(v, 16 - BITS as u32) } else { S::i16_and(v, masks[field]) };
            sum0 = S::i32_add(sum0, S::i16_dot(value(a), input));
            sum1 = S::i32_add(sum1, S::i16_dot(value(b), input));
            sum2 = S::i32_add(sum2, S::i16_dot(value(c), input));
            sum3 = S::i32_add(sum3, S::i16_dot(value(d), input));
        }
    }
    S::i32_horizontal_sums(sum0, sum1, sum2, sum3)
}
