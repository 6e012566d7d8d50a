//! Exponential, logistic function, hyperbolic tangent and logarithm.
//!
//! Own polynomials and no call of a platform's library: the same input gives the same bits everywhere. `exp`, `sigmoid` and
//! `tanh` are as exact as a network needs whose activations are rounded to 8 bits or fewer, and take few operations; the tests
//! measure their errors over the whole range. `ln` (after Cephes' `logf`) is within 2 units in the last place.

#![expect(clippy::excessive_precision, reason = "coefficients are written as they were fitted, and as Cephes has them")]

use super::Simd;

/// Powers of 2 are computed for exponents clamped to +- this bound, beyond which results would not be normal floats.
const EXPONENT_BOUND: f32 = 126.0;

/// 1.5 * 2^23: in the sum the integer nearest to the other summand stands in the lowest bits.
const MAGIC: f32 = 12_582_912.0;

/// ln 2 in two parts, the head with few enough digits that its product with an exponent is exact.
const LN_2_HEAD: f32 = 0.693_359_375;
const LN_2_TAIL: f32 = -2.121_944_40e-4;

/// e to the power of `x`, for `x` clamped to +-87. Within 3e-7 of itself, and 1e-7 more for each unit of `|x|`: `x / ln 2` is rounded
/// once.
#[inline(always)]
pub fn exp<S: Simd>(x: S::F32x4) -> S::F32x4 {
    power_of_2::<S>(x, std::f32::consts::LOG2_E)
}

/// 2 to the power of `x factor`, clamped to +-126.
#[inline(always)]
fn power_of_2<S: Simd>(x: S::F32x4, factor: f32) -> S::F32x4 {
    exp2::<S>(S::f32_min(S::f32_splat(EXPONENT_BOUND), S::f32_mul(x, S::f32_splat(factor))))
}

/// 2 to the power of `x`, which is at most 126 and clamped to no less than -126.
#[inline(always)]
fn exp2<S: Simd>(x: S::F32x4) -> S::F32x4 {
    // 2^t on |t| <= 1/2, highest power first: of least largest relative error, 9e-8 before rounding, where 2^0 must be 1.
    const POLYNOMIAL: [f32; 6] =
        [1.326_472_731e-3, 9.671_512_991e-3, 5.550_733_581e-2, 2.402_224_243e-1, 6.931_470_037e-1, 1.0];

    let x = S::f32_max(S::f32_splat(-EXPONENT_BOUND), x);
    let magic = S::f32_splat(MAGIC);
    let shifted = S::f32_add(x, magic);
    let power = polynomial::<S, 6>(S::f32_sub(x, S::f32_sub(shifted, magic)), POLYNOMIAL);
    // The integer part is added to the exponent field of the result.
    let exponent = S::i32_shl(S::f32_to_bits(shifted), 23);
    S::i32_from_bits(S::i32_add(S::f32_to_bits(power), exponent))
}

/// The logistic function, `1 / (1 + exp(-x))`, within 2e-7.
#[inline(always)]
pub fn sigmoid<S: Simd>(x: S::F32x4) -> S::F32x4 {
    let one = S::f32_splat(1.0);
    let power = power_of_2::<S>(x, -std::f32::consts::LOG2_E);
    S::f32_div(one, S::f32_add(one, power))
}

/// The hyperbolic tangent, `(1 - exp(-2x)) / (1 + exp(-2x))`, within 3e-7; of zero it is zero.
#[inline(always)]
pub fn tanh<S: Simd>(x: S::F32x4) -> S::F32x4 {
    let one = S::f32_splat(1.0);
    let power = power_of_2::<S>(x, -2.0 * std::f32::consts::LOG2_E);
    S::f32_div(S::f32_sub(one, power), S::f32_add(one, power))
}

/// The value of a polynomial at `x`, coefficients of the highest power first (Horner's scheme).
#[inline(always)]
fn polynomial<S: Simd, const N: usize>(x: S::F32x4, coefficients: [f32; N]) -> S::F32x4 {
    let mut value = S::f32_splat(coefficients[0]);
    for &coefficient in &coefficients[1..] {
        value = S::f32_add(S::f32_mul(value, x), S::f32_splat(coefficient));
    }
    value
}

/// The natural logarithm of a normal positive number.
pub fn ln(x: f32) -> f32 {
    // (ln(1 + t) - t + t^2/2) / t^3 on sqrt(1/2) - 1 <= t < sqrt(2) - 1, highest power first.
    const POLYNOMIAL: [f32; 9] = [
        7.037_683_629_2e-2,
        -1.151_461_031_0e-1,
        1.167_699_874_0e-1,
        -1.242_014_084_6e-1,
        1.424_932_278_7e-1,
        -1.666_805_766_5e-1,
        2.000_071_476_5e-1,
        -2.499_999_399_3e-1,
        3.333_333_117_4e-1,
    ];
    // The bits of sqrt(1/2): subtracting them rounds the exponent so that the mantissa is in [sqrt(1/2), sqrt(2)).
    const SQRT_HALF_BITS: u32 = 0x3f35_04f3;

    let offset = x.to_bits().wrapping_sub(SQRT_HALF_BITS);
    let exponent = (offset as i32 >> 23) as f32;
    let t = f32::from_bits((offset & 0x007f_ffff) + SQRT_HALF_BITS) - 1.0;
    let square = t * t;
    let mut value = POLYNOMIAL[0];
    for &coefficient in &POLYNOMIAL[1..] {
        value = value * t + coefficient;
    }
    let tail = value * t * square + exponent * LN_2_TAIL - 0.5 * square;
    (t + tail) + exponent * LN_2_HEAD
}

/// `sum of exp(x - max)`, for `max` no less than any element, in the order of lanes that [`dense`](super::dense) states. Terms
/// below 2^-126 count as that.
pub fn sum_exp<S: Simd>(x: &[f32], max: f32) -> f32 {
    let (chunks, tail) = x.as_chunks::<4>();
    // As exp has it, without the bound that no difference exceeds.
    let term = |x| exp2::<S>(S::f32_mul(x, S::f32_splat(std::f32::consts::LOG2_E)));
    let max4 = S::f32_splat(max);
    let mut sum = S::f32_splat(0.0);
    for chunk in chunks {
        sum = S::f32_add(sum, term(S::f32_sub(S::f32_load(chunk), max4)));
    }
    let sum = S::f32_horizontal_sum(sum);
    tail.iter().fold(sum, |sum, value| sum + exp_scalar::<S>(value - max))
}

/// [`exp`] of one number.
pub fn exp_scalar<S: Simd>(x: f32) -> f32 {
    let mut lanes = [0.0; 4];
    S::f32_store(exp::<S>(S::f32_splat(x)), &mut lanes);
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::{Native, Scalar};

    /// The distance of `got` from `wanted` in units in the last place of `wanted` as a float.
    fn ulps(got: f32, wanted: f64) -> f64 {
        let rounded = (wanted as f32).abs().max(f32::MIN_POSITIVE);
        let unit = f64::from(f32::from_bits(rounded.to_bits() + 1)) - f64::from(rounded);
        (f64::from(got) - wanted).abs() / unit
    }

    fn apply<S: Simd>(function: impl Fn(S::F32x4) -> S::F32x4, x: f32) -> f32 {
        let mut lanes = [0.0; 4];
        S::f32_store(function(S::f32_splat(x)), &mut lanes);
        lanes[2]
    }

    /// Every 997th float of both signs up to `bound`.
    fn floats(bound: f32) -> impl Iterator<Item = f32> {
        (0..=bound.to_bits()).step_by(997).map(f32::from_bits).flat_map(|x| [x, -x])
    }

    #[test]
    fn errors_of_exp_grow_slowly() {
        for x in floats(87.0) {
            let got = apply::<Native>(exp::<Native>, x);
            let error = (f64::from(got) / f64::from(x).exp() - 1.0).abs();
            assert!(error < 3e-7 + 1e-7 * f64::from(x.abs()), "exp({x}) = {got}");
            assert_eq!(got.to_bits(), apply::<Scalar>(exp::<Scalar>, x).to_bits());
        }
        assert_eq!(exp_scalar::<Native>(0.0), 1.0);
        assert_eq!(exp_scalar::<Native>(f32::NEG_INFINITY), f32::MIN_POSITIVE);
        assert_eq!(exp_scalar::<Native>(f32::MAX), 126.0f32.exp2());
    }

    #[test]
    fn sigmoid_is_within_2e_7() {
        for x in floats(f32::MAX) {
            let got = apply::<Native>(sigmoid::<Native>, x);
            let wanted = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!((f64::from(got) - wanted).abs() < 2e-7, "sigmoid({x}) = {got}");
            assert_eq!(got.to_bits(), apply::<Scalar>(sigmoid::<Scalar>, x).to_bits());
        }
        assert_eq!(apply::<Native>(sigmoid::<Native>, 0.0), 0.5);
        assert_eq!(apply::<Native>(sigmoid::<Native>, f32::MAX), 1.0);
        assert!(apply::<Native>(sigmoid::<Native>, f32::MIN) < 1e-37);
    }

    #[test]
    fn tanh_is_within_3e_7() {
        for x in floats(f32::MAX) {
            let got = apply::<Native>(tanh::<Native>, x);
            assert!((f64::from(got) - f64::from(x).tanh()).abs() < 3e-7, "tanh({x}) = {got}");
            assert_eq!(got.to_bits(), apply::<Scalar>(tanh::<Scalar>, x).to_bits());
        }
        assert_eq!(apply::<Native>(tanh::<Native>, 0.0), 0.0);
    }

    #[test]
    fn ln_is_within_2_ulps() {
        for x in floats(f32::MAX).filter(|&x| x >= f32::MIN_POSITIVE) {
            let wanted = f64::from(x).ln();
            // Next to 1 the result is a difference; there the absolute error counts.
            let got = ln(x);
            assert!(ulps(got, wanted) <= 2.0 || (f64::from(got) - wanted).abs() < 1e-8, "ln({x}) = {got}");
        }
    }

    #[test]
    fn sums_of_exponentials() {
        for count in [0u8, 1, 3, 4, 70] {
            let x: Vec<f32> = (0..count).map(|i| f32::from(i) / 8.0).collect();
            let max = f32::from(count) / 8.0;
            let wanted: f64 = x.iter().map(|&x| f64::from(x - max).exp()).sum();
            let got = sum_exp::<Native>(&x, max);
            assert!((f64::from(got) - wanted).abs() <= 1e-5);
            assert_eq!(got.to_bits(), sum_exp::<Scalar>(&x, max).to_bits());
        }
    }
}
