//! NEON (Advanced SIMD), which every 64-bit ARM processor has: no detection is needed.

use core::arch::aarch64::*;

use super::Simd;
use super::bytes::{Bytes, BytesKernel};

/// The 128-bit vectors of NEON.
#[derive(Clone, Copy, Debug)]
pub struct Neon;

/// Evaluates an expression of intrinsics that work on values alone.
macro_rules! neon {
    ($intrinsics:expr) => {
        // SAFETY: they only need NEON, which is part of the AArch64 architecture.
        unsafe { $intrinsics }
    };
}

impl Simd for Neon {
    type F32x4 = float32x4_t;
    type I32x4 = int32x4_t;
    type I16x8 = int16x8_t;

    #[inline(always)]
    fn f32_splat(x: f32) -> float32x4_t {
        neon!(vdupq_n_f32(x))
    }

    #[inline(always)]
    fn f32_load(x: &[f32; 4]) -> float32x4_t {
        // SAFETY: the reference is to 16 readable bytes, and AArch64 has NEON.
        unsafe { vld1q_f32(x.as_ptr()) }
    }

    #[inline(always)]
    fn f32_store(x: float32x4_t, to: &mut [f32; 4]) {
        // SAFETY: the reference is to 16 writable bytes, and AArch64 has NEON.
        unsafe { vst1q_f32(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn f32_add(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        neon!(vaddq_f32(a, b))
    }

    #[inline(always)]
    fn f32_sub(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        neon!(vsubq_f32(a, b))
    }

    #[inline(always)]
    fn f32_mul(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        neon!(vmulq_f32(a, b))
    }

    #[inline(always)]
    fn f32_div(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        neon!(vdivq_f32(a, b))
    }

    #[inline(always)]
    fn f32_min(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        // vminq_f32 returns NaN where either is NaN.
        neon!(vbslq_f32(vcltq_f32(a, b), a, b))
    }

    #[inline(always)]
    fn f32_max(a: float32x4_t, b: float32x4_t) -> float32x4_t {
        neon!(vbslq_f32(vcgtq_f32(a, b), a, b))
    }

    #[inline(always)]
    fn f32_to_bits(x: float32x4_t) -> int32x4_t {
        neon!(vreinterpretq_s32_f32(x))
    }

    #[inline(always)]
    fn i32_splat(x: i32) -> int32x4_t {
        neon!(vdupq_n_s32(x))
    }

    #[inline(always)]
    fn i32_load(x: &[i32; 4]) -> int32x4_t {
        // SAFETY: the reference is to 16 readable bytes, and AArch64 has NEON.
        unsafe { vld1q_s32(x.as_ptr()) }
    }

    #[inline(always)]
    fn i32_store(x: int32x4_t, to: &mut [i32; 4]) {
        // SAFETY: the reference is to 16 writable bytes, and AArch64 has NEON.
        unsafe { vst1q_s32(to.as_mut_ptr(), x) }
    }

    #[inline(always)]
    fn i32_add(a: int32x4_t, b: int32x4_t) -> int32x4_t {
        neon!(vaddq_s32(a, b))
    }

    #[inline(always)]
    fn i32_and_not(a: int32x4_t, b: int32x4_t) -> int32x4_t {
        neon!(vbicq_s32(b, a))
    }

    #[inline(always)]
    fn i32_shl(x: int32x4_t, amount: u32) -> int32x4_t {
        neon!(vshlq_s32(x, vdupq_n_s32(amount as i32)))
    }

    #[inline(always)]
    fn i32_from_bits(x: int32x4_t) -> float32x4_t {
        neon!(vreinterpretq_f32_s32(x))
    }

    #[inline(always)]
    fn i32_to_f32(x: int32x4_t) -> float32x4_t {
        neon!(vcvtq_f32_s32(x))
    }

    #[inline(always)]
    fn i32_horizontal_sums(a: int32x4_t, b: int32x4_t, c: int32x4_t, d: int32x4_t) -> int32x4_t {
        neon!(vpaddq_s32(vpaddq_s32(a, b), vpaddq_s32(c, d)))
    }

    #[inline(always)]
    fn i16_load(x: &[i16; 8]) -> int16x8_t {
        // SAFETY: the reference is to 16 readable bytes, and AArch64 has NEON.
        unsafe { vld1q_s16(x.as_ptr()) }
    }

    #[inline(always)]
    fn i16_splat(x: i16) -> int16x8_t {
        neon!(vdupq_n_s16(x))
    }

    #[inline(always)]
    fn i16_and(a: int16x8_t, b: int16x8_t) -> int16x8_t {
        neon!(vandq_s16(a, b))
    }

    #[inline(always)]
    fn i16_shr(x: int16x8_t, amount: u32) -> int16x8_t {
        // A shift to the left by a negative amount.
        neon!(vshlq_s16(x, vdupq_n_s16(-(amount as i16))))
    }

    #[inline(always)]
    fn i16_dot(a: int16x8_t, b: int16x8_t) -> int32x4_t {
        neon!(vpaddq_s32(vmull_s16(vget_low_s16(a), vget_low_s16(b)), vmull_high_s16(a, b)))
    }

    #[inline(always)]
    fn with_bytes<K: BytesKernel>(kernel: K) -> K::Output {
        kernel.run::<uint8x16_t>()
    }
}

impl Bytes for uint8x16_t {
    const PARTS: usize = 2;

    #[inline(always)]
    fn zero() -> Self {
        neon!(vdupq_n_u8(0))
    }

    #[inline(always)]
    fn load(x: &[u8; 32], part: usize) -> Self {
        Self::load_table(&x.as_chunks::<16>().0[part])
    }

    #[inline(always)]
    fn load_table(x: &[u8; 16]) -> Self {
        // SAFETY: the reference is to 16 readable bytes, and AArch64 has NEON.
        unsafe { vld1q_u8(x.as_ptr()) }
    }

    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; 32], part: usize) {
        let half = &mut to.as_chunks_mut::<16>().0[part];
        // SAFETY: the reference is to 16 writable bytes, and AArch64 has NEON.
        unsafe { vst1q_u8(half.as_mut_ptr(), self) }
    }

    #[inline(always)]
    fn store(self, to: &mut [u16; 16], part: usize) {
        let half = &mut to.as_chunks_mut::<8>().0[part];
        // SAFETY: the reference is to 16 writable bytes, and AArch64 has NEON.
        unsafe { vst1q_u16(half.as_mut_ptr(), vreinterpretq_u16_u8(self)) }
    }

    #[inline(always)]
    fn high_nibbles(self, _: Self) -> Self {
        neon!(vshrq_n_u8::<4>(self))
    }

    #[inline(always)]
    fn lookup(self, indices: Self) -> Self {
        neon!(vqtbl1q_u8(self, indices))
    }

    #[inline(always)]
    fn lookup_low(self, bytes: Self, mask: Self) -> Self {
        self.lookup(neon!(vandq_u8(bytes, mask)))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        neon!(vaddq_u8(self, other))
    }

    #[inline(always)]
    fn add_words(self, other: Self) -> Self {
        neon!(vreinterpretq_u8_u16(vaddq_u16(vreinterpretq_u16_u8(self), vreinterpretq_u16_u8(other))))
    }

    #[inline(always)]
    fn high_bytes(self) -> Self {
        neon!(vreinterpretq_u8_u16(vshrq_n_u16::<8>(vreinterpretq_u16_u8(self))))
    }
}
