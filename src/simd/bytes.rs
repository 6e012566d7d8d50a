//! Vectors of bytes, what the [look-up kernel](super::lookup) is made of: of 16 bytes, or of 32 where a processor has them.

use std::array::from_fn;

/// Operations on the bytes of a register, read as such or as 16-bit integers, the lower byte first. All arithmetic wraps.
/// What a register holds is a part of 32 bytes: all of them, or one half. The implementation by `[u8; 32]` defines them.
pub trait Bytes: Copy {
    /// The number of registers that 32 bytes take.
    const PARTS: usize;
    /// All zero.
    fn zero() -> Self;
    /// A part of the bytes of an array.
    fn load(x: &[u8; 32], part: usize) -> Self;
    /// An array's bytes, over again in every 16 of the register.
    fn load_table(x: &[u8; 16]) -> Self;
    /// Writes the bytes to that part of an array.
    fn store_bytes(self, to: &mut [u8; 32], part: usize);
    /// Writes the 16-bit integers to that part of an array.
    fn store(self, to: &mut [u16; 16], part: usize);
    /// The upper four bits of each byte. `mask` must be 15 in every byte.
    fn high_nibbles(self, mask: Self) -> Self;
    /// Byte `i` of the result is the one at `indices[i]` among those 16 of `self` which `i` is in. Indices must be below 16.
    fn lookup(self, indices: Self) -> Self;
    /// The same, where the indices are the lower four bits of bytes below 128. `mask` must be 15 in every byte.
    fn lookup_low(self, bytes: Self, mask: Self) -> Self;
    /// Sums of bytes.
    fn add(self, other: Self) -> Self;
    /// Sums of 16-bit integers.
    fn add_words(self, other: Self) -> Self;
    /// The upper byte of each 16-bit integer, as a 16-bit integer.
    fn high_bytes(self) -> Self;
}

/// What is to be run with the best implementation of [`Bytes`] that the processor has.
pub trait BytesKernel {
    /// What it yields.
    type Output;
    /// Does the work. Must be `#[inline(always)]`, so that it is compiled for the instruction set of its caller.
    fn run<B: Bytes>(self) -> Self::Output;
}

impl Bytes for [u8; 32] {
    const PARTS: usize = 1;

    #[inline(always)]
    fn zero() -> Self {
        [0; 32]
    }

    #[inline(always)]
    fn load(x: &[u8; 32], _: usize) -> Self {
        *x
    }

    #[inline(always)]
    fn load_table(x: &[u8; 16]) -> Self {
        from_fn(|i| x[i % 16])
    }

    #[inline(always)]
    fn store_bytes(self, to: &mut [u8; 32], _: usize) {
        *to = self;
    }

    #[inline(always)]
    fn store(self, to: &mut [u16; 16], _: usize) {
        *to = from_fn(|i| u16::from_le_bytes([self[2 * i], self[2 * i + 1]]));
    }

    #[inline(always)]
    fn high_nibbles(self, _: Self) -> Self {
        self.map(|byte| byte >> 4)
    }

    #[inline(always)]
    fn lookup(self, indices: Self) -> Self {
        debug_assert!(indices.iter().all(|&index| index < 16));
        from_fn(|i| self[i / 16 * 16 + usize::from(indices[i] & 15)])
    }

    #[inline(always)]
    fn lookup_low(self, bytes: Self, _: Self) -> Self {
        debug_assert!(bytes.iter().all(|&byte| byte < 128));
        self.lookup(bytes.map(|byte| byte & 15))
    }

    #[inline(always)]
    fn add(self, other: Self) -> Self {
        from_fn(|i| self[i].wrapping_add(other[i]))
    }

    #[inline(always)]
    fn add_words(self, other: Self) -> Self {
        let word = |x: &[u8; 32], i: usize| u16::from_le_bytes([x[i / 2 * 2], x[i / 2 * 2 + 1]]);
        from_fn(|i| word(&self, i).wrapping_add(word(&other, i)).to_le_bytes()[i % 2])
    }

    #[inline(always)]
    fn high_bytes(self) -> Self {
        from_fn(|i| if i % 2 == 0 { self[i + 1] } else { 0 })
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::simd::{Native, Scalar, Simd};
    use proptest::prelude::*;

    /// Every operation, on the same inputs.
    struct All<'a>(&'a [u8; 32], &'a [u8; 32]);

    impl BytesKernel for All<'_> {
        type Output = Vec<[u16; 16]>;

        #[inline(always)]
        fn run<B: Bytes>(self) -> Vec<[u16; 16]> {
            let mut results = vec![[0; 16]; 10];
            for part in 0..B::PARTS {
                let (a, b) = (B::load(self.0, part), B::load(self.1, part));
                let mask = B::load_table(&[15; 16]);
                let mut bytes = [0; 32];
                a.store_bytes(&mut bytes, part);
                let (a_high, b_high) = (a.high_nibbles(mask), b.high_nibbles(mask));
                let table = B::load_table(self.0.first_chunk().unwrap());
                let values = [
                    B::zero(),
                    table,
                    a_high,
                    a.lookup(b_high),
                    table.lookup(a_high),
                    a.lookup_low(B::load(&self.1.map(|byte| byte & 127), part), mask),
                    a.add(b),
                    a.add_words(b),
                    a.high_bytes(),
                    B::load(&bytes, part),
                ];
                for (value, result) in values.into_iter().zip(&mut results) {
                    value.store(result, part);
                }
            }
            results
        }
    }

    proptest! {
        #[test]
        fn every_implementation_equals_the_scalar_one(a: [u8; 32], b: [u8; 32]) {
            let wanted = Scalar::with_bytes(All(&a, &b));
            prop_assert_eq!(Native::with_bytes(All(&a, &b)), wanted.clone());
            #[cfg(target_arch = "x86_64")]
            {
                use crate::simd::x86_64::bytes::{with_avx2, with_ssse3};
                prop_assert_eq!(with_ssse3(All(&a, &b)).unwrap_or(wanted.clone()), wanted.clone());
                prop_assert_eq!(with_avx2(All(&a, &b)).unwrap_or(wanted.clone()), wanted);
            }
        }
    }
}
