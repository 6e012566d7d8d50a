//! WebAssembly's fixed-width SIMD (`simd128`), and of relaxed SIMD the table look-up.

use super::Simd;
use super::bytes::{Bytes, BytesKernel};
use core::arch::wasm32::*;
#[cfg(target_feature = "relaxed-simd")]
use std::hint::black_box;

/// Whether this build is right here: the relaxed table look-up must take the lower four bits of an index from 16 to 127, as that
/// of x86-64 does. The standard leaves it open whether there are zeros instead, but an engine must keep to one of the two.
#[cfg(target_feature = "relaxed-simd")]
pub fn relaxed_lookups_take_the_lower_bits() -> bool {
    // Not known to compilers, which would have to choose: wasm-opt reckons with zeros.
    let indices = black_box([16_u8; 16]);
    u8x16_extract_lane::<0>(i8x16_relaxed_swizzle(u8x16_splat(1), load(&indices))) == 1
}

/// WebAssembly's 128-bit vectors.
#[derive(Clone, Copy, Debug)]
pub struct Simd128;

/// Loads the 16 bytes of an array.
#[inline(always)]
fn load<T: bytemuck::Pod, const N: usize>(x: &[T; N]) -> v128 {
    const { assert!(size_of::<[T; N]>() == 16) }
    // SAFETY: the reference is to 16 readable bytes, and v128.load needs no alignment.
    unsafe { v128_load(x.as_ptr().cast()) }
}

/// Stores 16 bytes to an array.
#[inline(always)]
fn store<T: bytemuck::Pod, const N: usize>(x: v128, to: &mut [T; N]) {
    const { assert!(size_of::<[T; N]>() == 16) }
    // SAFETY: the reference is to 16 writable bytes of a type without invalid values, and v128.store needs no alignment.
    unsafe { v128_store(to.as_mut_ptr().cast(), x) }
}

impl Simd for Simd128 {
    type F32x4 = v128;
    type I32x4 = v128;
    type I16x8 = v128;

    #[inline(always)]
    fn f32_splat(x: f32) -> v128 {
        f32x4_splat(x)
    }

    #[inline(always)]
    fn f32_load(x: &[f32; 4]) -> v128 {
        load(x)
    }

    #[inline(always)]
    fn f32_store(x: v128, to: &mut [f32; 4]) {
        store(x, to);
    }

    #[inline(always)]
    fn f32_add(a: v128, b: v128) -> v128 {
        f32x4_add(a, b)
    }

    #[inline(always)]
    fn f32_sub(a: v128, b: v128) -> v128 {
        f32x4_sub(a, b)
    }

    #[inline(always)]
    fn f32_mul(a: v128, b: v128) -> v128 {
        f32x4_mul(a, b)
    }

    #[inline(always)]
    fn f32_div(a: v128, b: v128) -> v128 {
        f32x4_div(a, b)
    }

    #[inline(always)]
    fn f32_min(a: v128, b: v128) -> v128 {
        // pmin(b, a) is `a < b ? a : b`.
        f32x4_pmin(b, a)
    }

    #[inline(always)]
    fn f32_max(a: v128, b: v128) -> v128 {
        // pmax(b, a) is `b < a ? a : b`.
        f32x4_pmax(b, a)
    }

    #[inline(always)]
    fn f32_to_bits(x: v128) -> v128 {
        x
    }

    #[inline(always)]
    fn i32_splat(x: i32) -> v128 {
        i32x4_splat(x)
    }

    #[inline(always)]
    fn i32_load(x: &[i32; 4]) -> v128 {
        load(x)
    }

    #[inline(always)]
    fn i32_store(x: v128, to: &mut [i32; 4]) {
        store(x, to);
    }

    #[inline(always)]
    fn i32_add(a: v128, b: v128) -> v128 {
        i32x4_add(a, b)
    }

    #[inline(always)]
    fn i32_and_not(a: v128, b: v128) -> v128 {
        v128_andnot(b, a)
    }

    #[inline(always)]
    fn i32_shl(x: v128, amount: u32) -> v128 {
        i32x4_shl(x, amount)
    }

    #[inline(always)]
    fn i32_from_bits(x: v128) -> v128 {
        x
    }

    #[inline(always)]
    fn i32_to_f32(x: v128) -> v128 {
        f32x4_convert_i32x4(x)
    }

    #[inline(always)]
    fn i32_horizontal_sums(a: v128, b: v128, c: v128, d: v128) -> v128 {
        let ab = i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(a, b), i32x4_shuffle::<2, 6, 3, 7>(a, b));
        let cd = i32x4_add(i32x4_shuffle::<0, 4, 1, 5>(c, d), i32x4_shuffle::<2, 6, 3, 7>(c, d));
        i32x4_add(i32x4_shuffle::<0, 1, 4, 5>(ab, cd), i32x4_shuffle::<2, 3, 6, 7>(ab, cd))
    }

    #[inline(always)]
    fn i16_load(x: &[i16; 8]) -> v128 {
        load(x)
    }

    #[inline(always)]
    fn i16_splat(x: i16) -> v128 {
        i16x8_splat(x)
    }

    #[inline(always)]
    fn i16_and(a: v128, b: v128) -> v128 {
        v128_and(a, b)
    }

    #[inline(always)]
    fn i16_shr(x: v128, amount: u32) -> v128 {
        i16x8_shr(x, amount)
    }

    #[inline(always)]
    fn i16_dot(a: v128, b: v128) -> v128 {
        i32x4_dot_i16x8(a, b)
    }

    #[inline(always)]
    fn with_bytes<K: BytesKernel>(kernel: K) -> K::Output {
        kernel.run::<v128>()
    }
}

impl Bytes for v128 {
    const PARTS: usize = 2;

    #[inline(always)]
    fn zero() -> Self {
        u8x16_splat(0)
    }

    #[inline(always)]
    fn load(x: &[u8; 32], part: usize) -> Self {
        load(&x.as_chunks::<16>().0[part])
    }

    #[inline(always)]
    fn load_table(x: &[u8; 16]) -> Self {
        load(x)
    }

    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; 32], part: usize) {
        store(self, &mut to.as_chunks_mut::<16>().0[part]);
    }

    #[inline(always)]
    fn store(self, to: &mut [u16; 16], part: usize) {
        store(self, &mut to.as_chunks_mut::<8>().0[part]);
    }

    #[inline(always)]
    fn high_nibbles(self, mask: Self) -> Self {
        // x86-64 has no shift of bytes: engines make two instructions of one, and a constant for each.
        v128_and(u16x8_shr(self, 4), mask)
    }

    #[inline(always)]
    fn lookup(self, indices: Self) -> Self {
        // The relaxed instruction leaves open what indices above 15 give, of which there are none, and spares x86-64 what their
        // zeros cost.
        #[cfg(target_feature = "relaxed-simd")]
        return i8x16_relaxed_swizzle(self, indices);
        #[cfg(not(target_feature = "relaxed-simd"))]
        i8x16_swizzle(self, indices)
    }

    #[cfg(target_feature = "relaxed-simd")]
    #[inline(always)]
    fn lookup_low(self, bytes: Self, _: Self) -> Self {
        // See `relaxed_lookups_take_the_lower_bits`.
        i8x16_relaxed_swizzle(self, bytes)
    }

    #[cfg(not(target_feature = "relaxed-simd"))]
    #[inline(always)]
    fn lookup_low(self, bytes: Self, mask: Self) -> Self {
        self.lookup(v128_and(bytes, mask))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        u8x16_add(self, other)
    }

    #[inline(always)]
    fn add_words(self, other: Self) -> Self {
        u16x8_add(self, other)
    }

    #[inline(always)]
    fn high_bytes(self) -> Self {
        u16x8_shr(self, 8)
    }
}
