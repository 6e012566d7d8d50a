//! Rows of floats times a vector of floats, and other plain loops over floats.
//!
//! A sum runs in four lanes, lane `l` over the elements `4 n + l` in rising order, and ends as `(0 + 1) + (2 + 3)`.

use super::Simd;

/// `out[r] = sum of rows[r][c] x[c]` over all columns, in the order of lanes that the module states.
///
/// `rows` holds `out.len()` rows of `x.len()` floats each; `x.len()` must be a multiple of 4.
pub fn matvec<S: Simd>(rows: &[f32], x: &[f32], out: &mut [f32]) {
    if x.is_empty() {
        return out.fill(0.0);
    }
    let (x4, _) = x.as_chunks::<4>();
    let mut quads = rows.chunks_exact(4 * x.len());
    let mut outs = out.chunks_exact_mut(4);
    for (quad, out) in (&mut quads).zip(&mut outs) {
        let (ab, cd) = quad.split_at(2 * x.len());
        let (a, b) = ab.split_at(x.len());
        let (c, d) = cd.split_at(x.len());
        out.copy_from_slice(&dot4::<S>([a, b, c, d], x4));
    }
    let rest = quads.remainder().chunks_exact(x.len());
    for (row, out) in rest.zip(outs.into_remainder()) {
        *out = dot4::<S>([row; 4], x4)[0];
    }
}

/// The dot products of four rows with `x`; four at a time, so that no sum waits for the one before it.
#[inline(always)]
fn dot4<S: Simd>(rows: [&[f32]; 4], x: &[[f32; 4]]) -> [f32; 4] {
    let zero = S::f32_splat(0.0);
    let (mut sum0, mut sum1, mut sum2, mut sum3) = (zero, zero, zero, zero);
    let rows = rows.map(|row| row.as_chunks::<4>().0);
    let vectors = rows[0].iter().zip(rows[1]).zip(rows[2]).zip(rows[3]);
    for ((((a, b), c), d), x) in vectors.zip(x) {
        let x = S::f32_load(x);
        sum0 = S::f32_add(sum0, S::f32_mul(S::f32_load(a), x));
        sum1 = S::f32_add(sum1, S::f32_mul(S::f32_load(b), x));
        sum2 = S::f32_add(sum2, S::f32_mul(S::f32_load(c), x));
        sum3 = S::f32_add(sum3, S::f32_mul(S::f32_load(d), x));
    }
    [sum0, sum1, sum2, sum3].map(|sum| S::f32_horizontal_sum(sum))
}

/// The largest element of `x`, minus infinity if it is empty.
pub fn max<S: Simd>(x: &[f32]) -> f32 {
    max_of_chunks::<S>(x, f32::NEG_INFINITY, |lanes| lanes)
}

/// Adds `y` to `x`, element by element, and returns the largest sum; minus infinity if there is none. Both are of one length.
pub fn add_and_max<S: Simd>(x: &mut [f32], y: &[f32]) -> f32 {
    let (chunks, tail) = x.as_chunks_mut::<4>();
    let (others, others_tail) = y.as_chunks::<4>();
    let mut max = S::f32_splat(f32::NEG_INFINITY);
    for (chunk, other) in chunks.iter_mut().zip(others) {
        let sum = S::f32_add(S::f32_load(chunk), S::f32_load(other));
        S::f32_store(sum, chunk);
        max = S::f32_max(max, sum);
    }
    let mut lanes = [0.0; 4];
    S::f32_store(max, &mut lanes);
    for ((value, other), lane) in tail.iter_mut().zip(others_tail).zip(&mut lanes) {
        *value += other;
        *lane = if *value > *lane { *value } else { *lane };
    }
    horizontal_max::<S>(lanes)
}

/// The largest of four. Without branches: which is the largest cannot be predicted.
#[inline(always)]
fn horizontal_max<S: Simd>([a, b, c, d]: [f32; 4]) -> f32 {
    let max = S::f32_max(S::f32_load(&[a, b, a, b]), S::f32_load(&[c, d, c, d]));
    let mut lanes = [0.0; 4];
    S::f32_store(max, &mut lanes);
    let [a, b, ..] = lanes;
    S::f32_store(S::f32_max(S::f32_load(&[a; 4]), S::f32_load(&[b; 4])), &mut lanes);
    lanes[0]
}

/// The largest magnitude in `x`, 0 if it is empty.
pub fn max_magnitude<S: Simd>(x: &[f32]) -> f32 {
    max_of_chunks::<S>(x, 0.0, |lanes| magnitudes::<S>(lanes))
}

#[inline(always)]
fn magnitudes<S: Simd>(x: S::F32x4) -> S::F32x4 {
    S::i32_from_bits(S::i32_and_not(S::i32_splat(i32::MIN), S::f32_to_bits(x)))
}

/// The largest sum of the magnitudes of eight neighbours, added from the first to the last; eights begin where `x` does.
pub fn max_magnitude_of_eights<S: Simd>(x: &[f32]) -> f32 {
    let (fours, tail) = x.as_chunks::<32>();
    let mut last = [0.0; 32];
    last[..tail.len()].copy_from_slice(tail);
    let mut max = magnitudes_of_eights::<S>(&last);
    for four in fours {
        max = S::f32_max(max, magnitudes_of_eights::<S>(four));
    }
    let mut lanes = [0.0; 4];
    S::f32_store(max, &mut lanes);
    horizontal_max::<S>(lanes)
}

/// The sums of the magnitudes of four times eight.
#[inline(always)]
fn magnitudes_of_eights<S: Simd>(x: &[f32; 32]) -> S::F32x4 {
    let elements = |at: usize| magnitudes::<S>(S::f32_load(&[x[at], x[8 + at], x[16 + at], x[24 + at]]));
    (1..8).fold(elements(0), |sum, at| S::f32_add(sum, elements(at)))
}

/// The largest lane of `function` over four elements of `x` at a time, the last ones padded with `padding`.
#[inline(always)]
fn max_of_chunks<S: Simd>(x: &[f32], padding: f32, function: impl Fn(S::F32x4) -> S::F32x4) -> f32 {
    let (chunks, tail) = x.as_chunks::<4>();
    let mut last = [padding; 4];
    last[..tail.len()].copy_from_slice(tail);
    let mut max = function(S::f32_load(&last));
    for chunk in chunks {
        max = S::f32_max(max, function(S::f32_load(chunk)));
    }
    let mut lanes = [0.0; 4];
    S::f32_store(max, &mut lanes);
    horizontal_max::<S>(lanes)
}

/// `out[i] = x[i] factor`, rounded to the nearest integer, ties to even. The products must be within 32767.
pub fn quantize<S: Simd>(x: &[f32], factor: f32, out: &mut [i16]) {
    // Adding 1.5 * 2^23 leaves the rounded value in the lowest bits of the sum.
    const MAGIC: f32 = 12_582_912.0;
    let (chunks, tail) = x.as_chunks::<4>();
    let (outs, out_tail) = out.split_at_mut(x.len() - tail.len());
    let (magic, factor4) = (S::f32_splat(MAGIC), S::f32_splat(factor));
    for (chunk, out) in chunks.iter().zip(outs.as_chunks_mut::<4>().0) {
        let sum = S::f32_add(S::f32_mul(S::f32_load(chunk), factor4), magic);
        let mut lanes = [0; 4];
        S::i32_store(S::f32_to_bits(sum), &mut lanes);
        *out = lanes.map(|bits| bits.wrapping_sub(MAGIC.to_bits() as i32) as i16);
    }
    for (value, out) in tail.iter().zip(out_tail) {
        let bits = (value * factor + MAGIC).to_bits() as i32;
        *out = bits.wrapping_sub(MAGIC.to_bits() as i32) as i16;
    }
}

/// `out[i] = sums[i] scales[i] factor`, from exact integer sums to floats.
pub fn dequantize<S: Simd>(sums: &[i32], scales: &[f32], factor: f32, out: &mut [f32]) {
    let factor4 = S::f32_splat(factor);
    let (sums4, sums_tail) = sums.as_chunks::<4>();
    let (scales4, scales_tail) = scales.as_chunks::<4>();
    let (outs4, out_tail) = out.as_chunks_mut::<4>();
    for ((sums, scales), out) in sums4.iter().zip(scales4).zip(outs4) {
        let scale = S::f32_mul(S::f32_load(scales), factor4);
        S::f32_store(S::f32_mul(S::i32_to_f32(S::i32_load(sums)), scale), out);
    }
    for ((&sum, scale), out) in sums_tail.iter().zip(scales_tail).zip(out_tail) {
        *out = sum as f32 * (scale * factor);
    }
}
