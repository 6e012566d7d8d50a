//! Bytes on x86-64: AVX2 or SSSE3, whichever the processor turns out to have.

use core::arch::x86_64::*;

use super::{load, store};
use crate::simd::bytes::{Bytes, BytesKernel};

/// Runs a kernel with the best vectors that this processor has.
pub fn with_best<K: BytesKernel>(kernel: K) -> K::Output {
    if is_x86_feature_detected!("avx2") {
        // SAFETY: the processor has AVX2.
        return unsafe { run_avx2(kernel) };
    }
    if is_x86_feature_detected!("ssse3") {
        // SAFETY: the processor has SSSE3.
        return unsafe { run_ssse3(kernel) };
    }
    kernel.run::<[u8; 32]>()
}

/// Runs a kernel with SSSE3; none if the processor lacks it.
#[cfg(test)]
pub fn with_ssse3<K: BytesKernel>(kernel: K) -> Option<K::Output> {
    // SAFETY: the processor has SSSE3.
    is_x86_feature_detected!("ssse3").then(|| unsafe { run_ssse3(kernel) })
}

/// Runs a kernel with AVX2; none if the processor lacks it.
#[cfg(test)]
pub fn with_avx2<K: BytesKernel>(kernel: K) -> Option<K::Output> {
    // SAFETY: the processor has AVX2.
    is_x86_feature_detected!("avx2").then(|| unsafe { run_avx2(kernel) })
}

#[target_feature(enable = "avx2")]
fn run_avx2<K: BytesKernel>(kernel: K) -> K::Output {
    kernel.run::<Avx2>()
}

#[target_feature(enable = "ssse3")]
fn run_ssse3<K: BytesKernel>(kernel: K) -> K::Output {
    kernel.run::<Ssse3>()
}

/// Evaluates an expression of intrinsics that work on values alone, in a vector type whose instructions the processor has.
macro_rules! detected {
    ($intrinsics:expr) => {
        // SAFETY: values of this type are only made by kernels that run after the instruction set was detected.
        unsafe { $intrinsics }
    };
}

/// A 256-bit vector. Private: only [`run_avx2`] makes one.
#[derive(Clone, Copy)]
struct Avx2(__m256i);

impl Bytes for Avx2 {
    const PARTS: usize = 1;

    #[inline(always)]
    fn zero() -> Self {
        Avx2(detected!(_mm256_setzero_si256()))
    }

    #[inline(always)]
    fn load(x: &[u8; 32], _: usize) -> Self {
        // SAFETY: AVX2 was detected; the reference is to 32 readable bytes, and this load needs no alignment.
        Avx2(unsafe { _mm256_loadu_si256(x.as_ptr().cast()) })
    }

    #[inline(always)]
    fn load_table(x: &[u8; 16]) -> Self {
        // SAFETY: AVX2 was detected; the reference is to 16 readable bytes, and this load needs no alignment.
        Avx2(unsafe { _mm256_broadcastsi128_si256(_mm_loadu_si128(x.as_ptr().cast())) })
    }

    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; 32], _: usize) {
        // SAFETY: AVX2 was detected; the reference is to 32 writable bytes, and this store needs no alignment.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn store(self, to: &mut [u16; 16], _: usize) {
        // SAFETY: AVX2 was detected; the reference is to 32 writable bytes, and this store needs no alignment.
        unsafe { _mm256_storeu_si256(to.as_mut_ptr().cast(), self.0) }
    }

    #[inline(always)]
    fn high_nibbles(self, mask: Self) -> Self {
        Avx2(detected!(_mm256_and_si256(_mm256_srli_epi16::<4>(self.0), mask.0)))
    }

    #[inline(always)]
    fn lookup(self, indices: Self) -> Self {
        Avx2(detected!(_mm256_shuffle_epi8(self.0, indices.0)))
    }

    #[inline(always)]
    fn lookup_low(self, bytes: Self, _: Self) -> Self {
        // The instruction looks at the lower four bits and the highest, which is zero.
        Avx2(detected!(_mm256_shuffle_epi8(self.0, bytes.0)))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Avx2(detected!(_mm256_add_epi8(self.0, other.0)))
    }

    #[inline(always)]
    fn add_words(self, other: Self) -> Self {
        Avx2(detected!(_mm256_add_epi16(self.0, other.0)))
    }

    #[inline(always)]
    fn high_bytes(self) -> Self {
        Avx2(detected!(_mm256_srli_epi16::<8>(self.0)))
    }
}

/// A 128-bit vector. Private: only [`run_ssse3`] makes one.
#[derive(Clone, Copy)]
struct Ssse3(__m128i);

impl Bytes for Ssse3 {
    const PARTS: usize = 2;

    #[inline(always)]
    fn zero() -> Self {
        Ssse3(detected!(_mm_setzero_si128()))
    }

    #[inline(always)]
    fn load(x: &[u8; 32], part: usize) -> Self {
        Ssse3(load(&x.as_chunks::<16>().0[part]))
    }

    #[inline(always)]
    fn load_table(x: &[u8; 16]) -> Self {
        Ssse3(load(x))
    }

    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; 32], part: usize) {
        store(self.0, &mut to.as_chunks_mut::<16>().0[part]);
    }

    #[inline(always)]
    fn store(self, to: &mut [u16; 16], part: usize) {
        store(self.0, &mut to.as_chunks_mut::<8>().0[part]);
    }

    #[inline(always)]
    fn high_nibbles(self, mask: Self) -> Self {
        Ssse3(detected!(_mm_and_si128(_mm_srli_epi16::<4>(self.0), mask.0)))
    }

    #[inline(always)]
    fn lookup(self, indices: Self) -> Self {
        Ssse3(detected!(_mm_shuffle_epi8(self.0, indices.0)))
    }

    #[inline(always)]
    fn lookup_low(self, bytes: Self, _: Self) -> Self {
        // As above.
        Ssse3(detected!(_mm_shuffle_epi8(self.0, bytes.0)))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        Ssse3(detected!(_mm_add_epi8(self.0, other.0)))
    }

    #[inline(always)]
    fn add_words(self, other: Self) -> Self {
        Ssse3(detected!(_mm_add_epi16(self.0, other.0)))
    }

    #[inline(always)]
    fn high_bytes(self) -> Self {
        Ssse3(detected!(_mm_srli_epi16::<8>(self.0)))
    }
}
