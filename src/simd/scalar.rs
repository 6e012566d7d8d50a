//! The definition of every vector operation, in plain Rust.

use super::Simd;
use super::bytes::BytesKernel;
use std::array::from_fn;

/// The reference: each operation written out lane by lane.
#[derive(Clone, Copy, Debug)]
pub struct Scalar;

impl Simd for Scalar {
    type F32x4 = [f32; 4];
    type I32x4 = [i32; 4];
    type I16x8 = [i16; 8];

    #[inline(always)]
    fn f32_splat(x: f32) -> [f32; 4] {
        [x; 4]
    }

    #[inline(always)]
    fn f32_load(x: &[f32; 4]) -> [f32; 4] {
        *x
    }

    #[inline(always)]
    fn f32_store(x: [f32; 4], to: &mut [f32; 4]) {
        *to = x;
    }

    #[inline(always)]
    fn f32_add(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        from_fn(|i| a[i] + b[i])
    }

    #[inline(always)]
    fn f32_sub(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        from_fn(|i| a[i] - b[i])
    }

    #[inline(always)]
    fn f32_mul(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        from_fn(|i| a[i] * b[i])
    }

    #[inline(always)]
    fn f32_div(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        from_fn(|i| a[i] / b[i])
    }

    #[inline(always)]
    fn f32_min(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        from_fn(|i| if a[i] < b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn f32_max(a: [f32; 4], b: [f32; 4]) -> [f32; 4] {
        from_fn(|i| if a[i] > b[i] { a[i] } else { b[i] })
    }

    #[inline(always)]
    fn f32_to_bits(x: [f32; 4]) -> [i32; 4] {
        x.map(|lane| lane.to_bits() as i32)
    }

    #[inline(always)]
    fn i32_splat(x: i32) -> [i32; 4] {
        [x; 4]
    }

    #[inline(always)]
    fn i32_load(x: &[i32; 4]) -> [i32; 4] {
        *x
    }

    #[inline(always)]
    fn i32_store(x: [i32; 4], to: &mut [i32; 4]) {
        *to = x;
    }

    #[inline(always)]
    fn i32_add(a: [i32; 4], b: [i32; 4]) -> [i32; 4] {
        from_fn(|i| a[i].wrapping_add(b[i]))
    }

    #[inline(always)]
    fn i32_and_not(a: [i32; 4], b: [i32; 4]) -> [i32; 4] {
        from_fn(|i| !a[i] & b[i])
    }

    #[inline(always)]
    fn i32_shl(x: [i32; 4], amount: u32) -> [i32; 4] {
        x.map(|lane| lane << amount)
    }

    #[inline(always)]
    fn i32_from_bits(x: [i32; 4]) -> [f32; 4] {
        x.map(|lane| f32::from_bits(lane as u32))
    }

    #[inline(always)]
    fn i32_to_f32(x: [i32; 4]) -> [f32; 4] {
        x.map(|lane| lane as f32)
    }

    #[inline(always)]
    fn i32_horizontal_sums(a: [i32; 4], b: [i32; 4], c: [i32; 4], d: [i32; 4]) -> [i32; 4] {
        [a, b, c, d].map(|x| x.iter().fold(0, |sum: i32, &lane| sum.wrapping_add(lane)))
    }

    #[inline(always)]
    fn i16_load(x: &[i16; 8]) -> [i16; 8] {
        *x
    }

    #[inline(always)]
    fn i16_splat(x: i16) -> [i16; 8] {
        [x; 8]
    }

    #[inline(always)]
    fn i16_and(a: [i16; 8], b: [i16; 8]) -> [i16; 8] {
        from_fn(|i| a[i] & b[i])
    }

    #[inline(always)]
    fn i16_shr(x: [i16; 8], amount: u32) -> [i16; 8] {
        x.map(|lane| lane >> amount)
    }

    #[inline(always)]
    fn i16_dot(a: [i16; 8], b: [i16; 8]) -> [i32; 4] {
        let product = |i: usize| i32::from(a[i]) * i32::from(b[i]);
        from_fn(|i| product(2 * i).wrapping_add(product(2 * i + 1)))
    }

    #[inline(always)]
    fn with_bytes<K: BytesKernel>(kernel: K) -> K::Output {
        kernel.run::<[u8; 32]>()
    }
}
