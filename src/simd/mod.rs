//! A 128-bit vector trait, the types that implement it, and the kernels over it.
//!
//! [`Simd`] names the operations the kernels need. [`Scalar`] defines them in plain Rust; every other type is a thin
//! wrapper of one instruction set and must give the very same bits, floats included: lanes are never reordered, no
//! multiply-add is fused. A kernel is generic over the trait, so that running it with [`Scalar`] is its scalar twin.
//!
//! To add an instruction set, implement [`Simd`] in a file of its own and let [`Native`] choose it.

#[cfg(target_arch = "aarch64")]
mod aarch64;
pub mod bytes;
pub mod dense;
pub mod lookup;
pub mod math;
pub mod packed;
mod scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
mod wasm32;
#[cfg(target_arch = "x86_64")]
mod x86_64;

#[cfg(target_arch = "aarch64")]
pub use aarch64::Neon;
pub use scalar::Scalar;
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub use wasm32::Simd128;
#[cfg(all(target_arch = "wasm32", target_feature = "relaxed-simd"))]
pub use wasm32::relaxed_lookups_take_the_lower_bits;
#[cfg(target_arch = "x86_64")]
pub use x86_64::Sse2;

/// The best implementation this build may rely on.
#[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
pub type Native = Simd128;
/// The best implementation this build may rely on.
#[cfg(target_arch = "x86_64")]
pub type Native = Sse2;
/// The best implementation this build may rely on.
#[cfg(target_arch = "aarch64")]
pub type Native = Neon;
/// The best implementation this build may rely on.
#[cfg(not(any(
    target_arch = "aarch64",
    target_arch = "x86_64",
    all(target_arch = "wasm32", target_feature = "simd128")
)))]
pub type Native = Scalar;

use std::hint::black_box;

use bytes::BytesKernel;

/// An array of 32-bit elements that is soon overwritten. It holds zeros, but compilers do not know: for those V8 leaves the module,
/// which was 1 % of a step.
#[inline(always)]
pub fn unset<T: bytemuck::Pod, const N: usize>() -> [T; N] {
    // As integers, for LLVM stores floats one by one.
    [black_box(0_u32); N].map(bytemuck::cast)
}

/// Operations on 128-bit vectors. Integer arithmetic wraps; float arithmetic is IEEE 754 single precision, rounded to
/// nearest, lane by lane.
#[allow(missing_docs, reason = "the plain operations are named by what they do; the others are documented")]
pub trait Simd {
    /// Four floats.
    type F32x4: Copy;
    /// Four 32-bit integers.
    type I32x4: Copy;
    /// Eight 16-bit integers.
    type I16x8: Copy;

    fn f32_splat(x: f32) -> Self::F32x4;
    fn f32_load(x: &[f32; 4]) -> Self::F32x4;
    fn f32_store(x: Self::F32x4, to: &mut [f32; 4]);
    fn f32_add(a: Self::F32x4, b: Self::F32x4) -> Self::F32x4;
    fn f32_sub(a: Self::F32x4, b: Self::F32x4) -> Self::F32x4;
    fn f32_mul(a: Self::F32x4, b: Self::F32x4) -> Self::F32x4;
    fn f32_div(a: Self::F32x4, b: Self::F32x4) -> Self::F32x4;
    /// `a < b ? a : b`, so `b` where either is NaN.
    fn f32_min(a: Self::F32x4, b: Self::F32x4) -> Self::F32x4;
    /// `a > b ? a : b`, so `b` where either is NaN.
    fn f32_max(a: Self::F32x4, b: Self::F32x4) -> Self::F32x4;
    /// The bits of the floats.
    fn f32_to_bits(x: Self::F32x4) -> Self::I32x4;

    fn i32_splat(x: i32) -> Self::I32x4;
    fn i32_load(x: &[i32; 4]) -> Self::I32x4;
    fn i32_store(x: Self::I32x4, to: &mut [i32; 4]);
    fn i32_add(a: Self::I32x4, b: Self::I32x4) -> Self::I32x4;
    /// `!a & b`.
    fn i32_and_not(a: Self::I32x4, b: Self::I32x4) -> Self::I32x4;
    /// Shift to the left by `amount` < 32 bits.
    fn i32_shl(x: Self::I32x4, amount: u32) -> Self::I32x4;
    /// The floats with these bits.
    fn i32_from_bits(x: Self::I32x4) -> Self::F32x4;
    /// The nearest floats.
    fn i32_to_f32(x: Self::I32x4) -> Self::F32x4;
    /// Lane `n` of the result is the sum of the lanes of argument `n`.
    fn i32_horizontal_sums(a: Self::I32x4, b: Self::I32x4, c: Self::I32x4, d: Self::I32x4) -> Self::I32x4;

    fn i16_load(x: &[i16; 8]) -> Self::I16x8;
    fn i16_splat(x: i16) -> Self::I16x8;
    fn i16_and(a: Self::I16x8, b: Self::I16x8) -> Self::I16x8;
    /// Arithmetic shift to the right by `amount` < 16 bits.
    fn i16_shr(x: Self::I16x8, amount: u32) -> Self::I16x8;
    /// Products of lanes, neighbours summed: lane `n` is `a[2n] b[2n] + a[2n+1] b[2n+1]`.
    fn i16_dot(a: Self::I16x8, b: Self::I16x8) -> Self::I32x4;

    /// Runs a kernel with the longest [`Bytes`](bytes::Bytes) that the processor has.
    fn with_bytes<K: BytesKernel>(kernel: K) -> K::Output;

    /// `(x0 + x1) + (x2 + x3)`, the order in which every float kernel ends.
    #[inline(always)]
    fn f32_horizontal_sum(x: Self::F32x4) -> f32 {
        let mut lanes = [0.0; 4];
        Self::f32_store(x, &mut lanes);
        (lanes[0] + lanes[1]) + (lanes[2] + lanes[3])
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// Runs every operation of `S` on the inputs and returns all bits that come out.
    fn all_operations<S: Simd>(a: [i32; 4], b: [i32; 4], shift: u32) -> Vec<i32> {
        let mut bits = Vec::new();
        let (x, y) = (S::i32_load(&a), S::i32_load(&b));
        let (f, g) = (S::i32_from_bits(x), S::i32_from_bits(y));
        let halves: [[i16; 8]; 2] = [bytemuck::cast(a), bytemuck::cast(b)];
        let (p, q) = (S::i16_load(&halves[0]), S::i16_load(&halves[1]));

        for float in [
            S::f32_add(f, g),
            S::f32_sub(f, g),
            S::f32_mul(f, g),
            S::f32_div(f, g),
            S::f32_min(f, g),
            S::f32_max(f, g),
            S::f32_splat(f32::from_bits(a[0] as u32)),
            S::i32_to_f32(x),
        ] {
            let mut lanes = [0.0; 4];
            S::f32_store(float, &mut lanes);
            // The payload of a NaN is the one thing IEEE 754 leaves open.
            bits.extend(lanes.map(|lane| if lane.is_nan() { i32::MAX } else { lane.to_bits() as i32 }));
        }
        for integer in [
            S::i32_add(x, y),
            S::i32_and_not(x, y),
            S::i32_shl(x, shift),
            S::i32_splat(a[1]),
            S::i32_horizontal_sums(x, y, S::i32_add(x, y), S::i32_splat(b[2])),
            S::i16_dot(p, q),
            S::i16_dot(S::i16_and(p, q), S::i16_splat(halves[0][1])),
            S::i16_dot(S::i16_shr(p, shift % 16), q),
        ] {
            let mut lanes = [0; 4];
            S::i32_store(integer, &mut lanes);
            bits.extend(lanes);
        }
        bits
    }

    proptest! {
        #[test]
        fn native_operations_equal_the_scalar_ones(
            a: [i32; 4],
            b: [i32; 4],
            small in prop::array::uniform4(-4.0f32..4.0),
            shift in 0u32..32,
        ) {
            prop_assert_eq!(all_operations::<Native>(a, b, shift), all_operations::<Scalar>(a, b, shift));
            let small = small.map(|x| x.to_bits() as i32);
            prop_assert_eq!(all_operations::<Native>(small, b, shift), all_operations::<Scalar>(small, b, shift));
        }
    }
}
