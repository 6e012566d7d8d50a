//! SSE2, which every x86-64 processor has: no detection is needed. For bytes, what the processor turns out to have.

pub mod bytes;

use core::arch::x86_64::*;

use super::Simd;
use super::bytes::BytesKernel;

/// The 128-bit vectors of SSE2.
#[derive(Clone, Copy, Debug)]
pub struct Sse2;

/// Evaluates an expression of intrinsics that work on values alone.
macro_rules! sse2 {
    ($intrinsics:expr) => {
        // SAFETY: they only need SSE2, which is part of the x86-64 architecture.
        unsafe { $intrinsics }
    };
}

/// Loads the 16 bytes of an array.
#[inline(always)]
fn load<T: bytemuck::Pod, const N: usize>(x: &[T; N]) -> __m128i {
    const { assert!(size_of::<[T; N]>() == 16) }
    // SAFETY: the reference is to 16 readable bytes, this load needs no alignment, and x86-64 has SSE2.
    unsafe { _mm_loadu_si128(x.as_ptr().cast()) }
}

/// Stores 16 bytes to an array.
#[inline(always)]
fn store<T: bytemuck::Pod, const N: usize>(x: __m128i, to: &mut [T; N]) {
    const { assert!(size_of::<[T; N]>() == 16) }
    // SAFETY: the reference is to 16 writable bytes of a type without invalid values, this store needs no alignment, and
    // x86-64 has SSE2.
    unsafe { _mm_storeu_si128(to.as_mut_ptr().cast(), x) }
}

/// The shift instructions take their amount from a vector; with a constant it becomes an immediate.
#[inline(always)]
fn count(amount: u32) -> __m128i {
    sse2!(_mm_cvtsi32_si128(amount as i32))
}

impl Simd for Sse2 {
    type F32x4 = __m128;
    type I32x4 = __m128i;
    type I16x8 = __m128i;

    #[inline(always)]
    fn f32_splat(x: f32) -> __m128 {
        sse2!(_mm_set1_ps(x))
    }

    #[inline(always)]
    fn f32_load(x: &[f32; 4]) -> __m128 {
        sse2!(_mm_castsi128_ps(load(x)))
    }

    #[inline(always)]
    fn f32_store(x: __m128, to: &mut [f32; 4]) {
        store(sse2!(_mm_castps_si128(x)), to);
    }

    #[inline(always)]
    fn f32_add(a: __m128, b: __m128) -> __m128 {
        sse2!(_mm_add_ps(a, b))
    }

    #[inline(always)]
    fn f32_sub(a: __m128, b: __m128) -> __m128 {
        sse2!(_mm_sub_ps(a, b))
    }

    #[inline(always)]
    fn f32_mul(a: __m128, b: __m128) -> __m128 {
        sse2!(_mm_mul_ps(a, b))
    }

    #[inline(always)]
    fn f32_div(a: __m128, b: __m128) -> __m128 {
        sse2!(_mm_div_ps(a, b))
    }

    #[inline(always)]
    fn f32_min(a: __m128, b: __m128) -> __m128 {
        sse2!(_mm_min_ps(a, b))
    }

    #[inline(always)]
    fn f32_max(a: __m128, b: __m128) -> __m128 {
        sse2!(_mm_max_ps(a, b))
    }

    #[inline(always)]
    fn f32_to_bits(x: __m128) -> __m128i {
        sse2!(_mm_castps_si128(x))
    }

    #[inline(always)]
    fn i32_splat(x: i32) -> __m128i {
        sse2!(_mm_set1_epi32(x))
    }

    #[inline(always)]
    fn i32_load(x: &[i32; 4]) -> __m128i {
        load(x)
    }

    #[inline(always)]
    fn i32_store(x: __m128i, to: &mut [i32; 4]) {
        store(x, to);
    }

    #[inline(always)]
    fn i32_add(a: __m128i, b: __m128i) -> __m128i {
        sse2!(_mm_add_epi32(a, b))
    }

    #[inline(always)]
    fn i32_and_not(a: __m128i, b: __m128i) -> __m128i {
        sse2!(_mm_andnot_si128(a, b))
    }

    #[inline(always)]
    fn i32_shl(x: __m128i, amount: u32) -> __m128i {
        sse2!(_mm_sll_epi32(x, count(amount)))
    }

    #[inline(always)]
    fn i32_from_bits(x: __m128i) -> __m128 {
        sse2!(_mm_castsi128_ps(x))
    }

    #[inline(always)]
    fn i32_to_f32(x: __m128i) -> __m128 {
        sse2!(_mm_cvtepi32_ps(x))
    }

    #[inline(always)]
    fn i32_horizontal_sums(a: __m128i, b: __m128i, c: __m128i, d: __m128i) -> __m128i {
        let ab = sse2!(_mm_add_epi32(_mm_unpacklo_epi32(a, b), _mm_unpackhi_epi32(a, b)));
        let cd = sse2!(_mm_add_epi32(_mm_unpacklo_epi32(c, d), _mm_unpackhi_epi32(c, d)));
        sse2!(_mm_add_epi32(_mm_unpacklo_epi64(ab, cd), _mm_unpackhi_epi64(ab, cd)))
    }

    #[inline(always)]
    fn i16_load(x: &[i16; 8]) -> __m128i {
        load(x)
    }

    #[inline(always)]
    fn i16_splat(x: i16) -> __m128i {
        sse2!(_mm_set1_epi16(x))
    }

    #[inline(always)]
    fn i16_and(a: __m128i, b: __m128i) -> __m128i {
        sse2!(_mm_and_si128(a, b))
    }

    #[inline(always)]
    fn i16_shr(x: __m128i, amount: u32) -> __m128i {
        sse2!(_mm_sra_epi16(x, count(amount)))
    }

    #[inline(always)]
    fn i16_dot(a: __m128i, b: __m128i) -> __m128i {
        sse2!(_mm_madd_epi16(a, b))
    }

    #[inline(always)]
    fn with_bytes<K: BytesKernel>(kernel: K) -> K::Output {
        bytes::with_best(kernel)
    }
}
