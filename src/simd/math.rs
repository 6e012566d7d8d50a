//! Exponential, logistic function, hyperbolic tangent and logarithm.
//!
//! Own polynomials (after Cephes' `expf`, `tanhf`, `logf`) and no call of a platform's library: the same input gives the
//! same bits everywhere. Bounds of the error, in units in the last place, measured by the tests over the whole range:
//! `exp` 2, `sigmoid` 3, `tanh` 3, `ln` 2.

#![expect(clippy::excessive_precision, reason = "coefficients are written as Cephes has them")]

use super::Simd;

/// `exp(x)` is computed for `x` clamped to +- this bound, beyond which results would not be normal floats.
const EXP_BOUND: f32 = 87.0;

/// 1.5 * 2^23: in the sum the integer nearest to the other summand stands in the lowest bits.
const MAGIC: f32 = 12_582_912.0;

/// ln 2 in two parts, the head with few enough digits that its product with an exponent is exact.
const LN_2_HEAD: f32 = 0.693_359_375;
const LN_2_TAIL: f32 = -2.121_944_40e-4;

/// e to the power of `x`, for `x` clamped to +-87.
#[inline(always)]
pub fn exp<S: Simd>(x: S::F32x4) -> S::F32x4 {
    // (exp(r) - 1 - r) / r^2 on |r| <= ln 2 / 2, highest power first.
    const POLYNOMIAL: [f32; 6] = [
        1.987_569_150_0e-4,
        1.398_199_950_7e-3,
        8.333_451_907_3e-3,
        4.166_579_589_4e-2,
        1.666_666_545_9e-1,
        5.000_000_120_1e-1,
    ];

    let x = S::f32_min(S::f32_splat(EXP_BOUND), x);
    let x = S::f32_max(S::f32_splat(-EXP_BOUND), x);
    // x = n ln 2 + r
    let magic = S::f32_splat(MAGIC);
    let shifted = S::f32_add(S::f32_mul(x, S::f32_splat(std::f32::consts::LOG2_E)), magic);
    let n = S::f32_sub(shifted, magic);
    let r = S::f32_sub(x, S::f32_mul(n, S::f32_splat(LN_2_HEAD)));
    let r = S::f32_sub(r, S::f32_mul(n, S::f32_splat(LN_2_TAIL)));
    let square = S::f32_mul(r, r);
    let power = S::f32_add(S::f32_mul(polynomial::<S, 6>(r, POLYNOMIAL), square), r);
    let power = S::f32_add(power, S::f32_splat(1.0));
    // n is added to the exponent field of the result.
    let exponent = S::i32_shl(S::f32_to_bits(shifted), 23);
    S::i32_from_bits(S::i32_add(S::f32_to_bits(power), exponent))
}

/// The logistic function, `1 / (1 + exp(-x))`.
#[inline(always)]
pub fn sigmoid<S: Simd>(x: S::F32x4) -> S::F32x4 {
    let one = S::f32_splat(1.0);
    S::f32_div(one, S::f32_add(one, exp::<S>(S::f32_sub(S::f32_splat(0.0), x))))
}

/// The hyperbolic tangent.
#[inline(always)]
pub fn tanh<S: Simd>(x: S::F32x4) -> S::F32x4 {
    // (tanh(x) - x) / x^3 in powers of x^2 on |x| < 0.625, highest power first.
    const POLYNOMIAL: [f32; 5] =
        [-5.704_988_727_45e-3, 2.063_908_879_54e-2, -5.373_971_555_31e-2, 1.333_144_220_36e-1, -3.333_328_194_22e-1];

    let sign = S::i32_and(S::f32_to_bits(x), S::i32_splat(i32::MIN));
    let magnitude = S::i32_from_bits(S::i32_and_not(S::i32_splat(i32::MIN), S::f32_to_bits(x)));

    let square = S::f32_mul(magnitude, magnitude);
    let small = S::f32_mul(S::f32_mul(polynomial::<S, 5>(square, POLYNOMIAL), square), magnitude);
    let small = S::f32_add(small, magnitude);

    let one = S::f32_splat(1.0);
    let power = exp::<S>(S::f32_add(magnitude, magnitude));
    let large = S::f32_sub(one, S::f32_div(S::f32_splat(2.0), S::f32_add(power, one)));

    let tanh = S::f32_select(S::f32_less(magnitude, S::f32_splat(0.625)), small, large);
    S::i32_from_bits(S::i32_or(S::f32_to_bits(tanh), sign))
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

/// `sum of exp(x - max)`, for `max` no less than any element, in the order of lanes that [`dense`](super::dense) states. Each term
/// is within 1e-6 of itself for each unit of `max - x`; below 2^-126 terms count as that.
pub fn sum_exp<S: Simd>(x: &[f32], max: f32) -> f32 {
    let (chunks, tail) = x.as_chunks::<4>();
    let max4 = S::f32_splat(max);
    let mut sum = S::f32_splat(0.0);
    for chunk in chunks {
        sum = S::f32_add(sum, exp_of_negative::<S>(S::f32_sub(S::f32_load(chunk), max4)));
    }
    let sum = S::f32_horizontal_sum(sum);
    tail.iter().fold(sum, |sum, value| sum + of_one::<S>(exp_of_negative::<S>, value - max))
}

/// [`exp`] of what is not positive, in two thirds of the operations: with one rounding of `x / ln 2`, whose error grows with `x` while
/// the result shrinks.
#[inline(always)]
fn exp_of_negative<S: Simd>(x: S::F32x4) -> S::F32x4 {
    // 2^t on |t| <= 1/2, highest power first: of least largest relative error, 7e-8 before rounding.
    const POLYNOMIAL: [f32; 6] =
        [1.327_647_245e-3, 9.675_540_961e-3, 5.550_713_092e-2, 2.402_212_024e-1, 6.931_469_440e-1, 1.000_000_119];

    let t = S::f32_max(S::f32_splat(-126.0), S::f32_mul(x, S::f32_splat(std::f32::consts::LOG2_E)));
    let magic = S::f32_splat(MAGIC);
    let shifted = S::f32_add(t, magic);
    let power = polynomial::<S, 6>(S::f32_sub(t, S::f32_sub(shifted, magic)), POLYNOMIAL);
    let exponent = S::i32_shl(S::f32_to_bits(shifted), 23);
    S::i32_from_bits(S::i32_add(S::f32_to_bits(power), exponent))
}

/// [`exp`] of one number.
pub fn exp_scalar<S: Simd>(x: f32) -> f32 {
    of_one::<S>(exp::<S>, x)
}

/// A function of four numbers, of one.
#[inline(always)]
fn of_one<S: Simd>(function: impl Fn(S::F32x4) -> S::F32x4, x: f32) -> f32 {
    let mut lanes = [0.0; 4];
    S::f32_store(function(S::f32_splat(x)), &mut lanes);
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
    fn exp_is_within_2_ulps() {
        for x in floats(87.0) {
            let got = apply::<Native>(exp::<Native>, x);
            assert!(ulps(got, f64::from(x).exp()) <= 2.0, "exp({x}) = {got}");
            assert_eq!(got.to_bits(), apply::<Scalar>(exp::<Scalar>, x).to_bits());
        }
        assert_eq!(exp_scalar::<Native>(f32::NEG_INFINITY), exp_scalar::<Native>(-87.0));
        assert_eq!(exp_scalar::<Native>(f32::MAX), exp_scalar::<Native>(87.0));
    }

    #[test]
    fn terms_of_sums_are_within_1e_6() {
        for x in floats(80.0).filter(|&x| x <= 0.0) {
            let got = apply::<Native>(exp_of_negative::<Native>, x);
            assert!(
                (f64::from(got) / f64::from(x).exp() - 1.0).abs() < 1e-6 * f64::from(x).abs().max(1.0),
                "exp({x}) = {got}"
            );
            assert_eq!(got.to_bits(), apply::<Scalar>(exp_of_negative::<Scalar>, x).to_bits());
        }
        assert_eq!(apply::<Native>(exp_of_negative::<Native>, f32::MIN), f32::MIN_POSITIVE * 1.000_000_1);
    }

    #[test]
    fn sigmoid_is_within_3_ulps() {
        for x in floats(80.0) {
            let got = apply::<Native>(sigmoid::<Native>, x);
            let wanted = 1.0 / (1.0 + (-f64::from(x)).exp());
            assert!(ulps(got, wanted) <= 3.0, "sigmoid({x}) = {got}");
            assert_eq!(got.to_bits(), apply::<Scalar>(sigmoid::<Scalar>, x).to_bits());
        }
        assert_eq!(apply::<Native>(sigmoid::<Native>, f32::MAX), 1.0);
        assert!(apply::<Native>(sigmoid::<Native>, f32::MIN) < 1e-37);
    }

    #[test]
    fn tanh_is_within_3_ulps() {
        for x in floats(f32::MAX) {
            let got = apply::<Native>(tanh::<Native>, x);
            assert!(ulps(got, f64::from(x).tanh()) <= 3.0, "tanh({x}) = {got}");
            assert_eq!(got.to_bits(), apply::<Scalar>(tanh::<Scalar>, x).to_bits());
        }
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
