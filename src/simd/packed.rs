//! Rows of integers of 2, 4 or 8 bits, times a vector of 16-bit integers.
//!
//! A row is cut into vectors of eight 16-bit lanes. Each lane holds `16 / BITS` signed fields, lowest bits first; field
//! `f` of lane `l` is column `8 f + l` of the vector's `128 / BITS` columns. So one shift to the left and one arithmetic
//! shift to the right yield eight neighbouring columns, sign extended, ready to be multiplied with eight neighbouring
//! inputs. Ternary weights are 2-bit fields that never hold -2.

use super::Simd;

/// One packed vector.
pub type Lanes = [i16; 8];

/// The largest number of columns in a packed vector; inputs are padded to a multiple of it.
pub const MAX_COLUMNS: usize = columns_per_vector(2);

/// The number of columns that a packed vector holds at `bits` a field.
pub const fn columns_per_vector(bits: usize) -> usize {
    128 / bits
}

/// Packs `row`, padded with zeros, to `packed`, which must have `row.len() / columns_per_vector(bits)` vectors, rounded up.
///
/// The values must fit `bits` bits, signed.
pub fn pack(row: &[i8], bits: usize, packed: &mut [Lanes]) {
    let mask = (1u16 << bits) - 1;
    for (columns, lanes) in row.chunks(columns_per_vector(bits)).zip(packed) {
        *lanes = [0; 8];
        for (column, &value) in columns.iter().enumerate() {
            let field = (value as u16 & mask) << (column / 8 * bits);
            lanes[column % 8] |= field as i16;
        }
    }
}

/// Unpacks the first columns of a row, as many as `row` has room for. The inverse of [`pack`].
pub fn unpack(packed: &[Lanes], bits: usize, row: &mut [i16]) {
    for (columns, lanes) in row.chunks_mut(columns_per_vector(bits)).zip(packed) {
        for (column, value) in columns.iter_mut().enumerate() {
            let above = 16 - bits - column / 8 * bits;
            *value = lanes[column % 8] << above >> (16 - bits);
        }
    }
}

/// `out[r] = sum of packed[r][c] x[c]` over all columns, exact.
///
/// `packed` holds `out.len()` rows of `stride` vectors each, and `x` one input a column, padding included. Sums must fit
/// 32 bits: with inputs within 127 and at most 8192 columns they do.
pub fn matvec<S: Simd, const BITS: usize>(packed: &[Lanes], stride: usize, x: &[i16], out: &mut [i32]) {
    if stride == 0 {
        return out.fill(0);
    }
    let mut quads = packed.chunks_exact(4 * stride);
    let mut outs = out.chunks_exact_mut(4);
    for (quad, out) in (&mut quads).zip(&mut outs) {
        // Four rows at a time share the loads of x, and their sums end in one vector.
        let (ab, cd) = quad.split_at(2 * stride);
        let (a, b) = ab.split_at(stride);
        let (c, d) = cd.split_at(stride);
        let sums = dot4::<S, BITS>([a, b, c, d], x);
        if let Some(out) = out.first_chunk_mut() {
            S::i32_store(sums, out);
        }
    }
    let rest = quads.remainder().chunks_exact(stride);
    for (row, out) in rest.zip(outs.into_remainder()) {
        let mut lanes = [0; 4];
        S::i32_store(dot4::<S, BITS>([row; 4], x), &mut lanes);
        *out = lanes[0];
    }
}

/// The dot products of four rows with `x`.
#[inline(always)]
fn dot4<S: Simd, const BITS: usize>(rows: [&[Lanes]; 4], x: &[i16]) -> S::I32x4 {
    let zero = S::i32_splat(0);
    // Four variables, not an array: LLVM would leave the array in memory.
    let (mut sum0, mut sum1, mut sum2, mut sum3) = (zero, zero, zero, zero);
    let (inputs, _) = x.as_chunks::<8>();
    let vectors = rows[0].iter().zip(rows[1]).zip(rows[2]).zip(rows[3]);
    for ((((a, b), c), d), inputs) in vectors.zip(inputs.chunks_exact(16 / BITS)) {
        let (a, b, c, d) = (S::i16_load(a), S::i16_load(b), S::i16_load(c), S::i16_load(d));
        for (field, input) in inputs.iter().enumerate() {
            let input = S::i16_load(input);
            let above = (16 - BITS - field * BITS) as u32;
            let term = |v| S::i16_dot(S::i16_shr(S::i16_shl(v, above), 16 - BITS as u32), input);
            sum0 = S::i32_add(sum0, term(a));
            sum1 = S::i32_add(sum1, term(b));
            sum2 = S::i32_add(sum2, term(c));
            sum3 = S::i32_add(sum3, term(d));
        }
    }
    S::i32_horizontal_sums(sum0, sum1, sum2, sum3)
}
