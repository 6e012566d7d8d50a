//! Kernels against their scalar twins and against arithmetic by hand.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{ENCODINGS, Random, check_matrix, tensor};
use lm_wasm::simd::{Native, Scalar, dense, math, packed};
use proptest::prelude::*;

proptest! {
    #[test]
    fn matrices_multiply_as_they_are_written(seed: u64, rows in 1usize..150, cols in 1usize..200) {
        let random = &mut Random::new(seed);
        for encoding in ENCODINGS {
            let tensor = tensor(random, encoding, rows, cols);
            check_matrix(random, &tensor);
        }
    }

    #[test]
    fn integer_rows_are_exact(seed: u64, rows in 1usize..10, cols in 1usize..300) {
        let random = &mut Random::new(seed);
        check_integers::<2>(random, rows, cols, -2, 1);
        check_integers::<4>(random, rows, cols, -8, 7);
        check_integers::<8>(random, rows, cols, -128, 127);
    }

    #[test]
    fn loops_over_floats_equal_their_scalar_twins(values in prop::collection::vec(-1e3f32..1e3, 0..70), factor in -30f32..30.0) {
        prop_assert_eq!(dense::max_magnitude::<Native>(&values), dense::max_magnitude::<Scalar>(&values));
        let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        prop_assert_eq!([dense::max::<Native>(&values), dense::max::<Scalar>(&values)], [max; 2]);
        prop_assert_eq!(
            math::log_sum_exp::<Native>(&values).to_bits(),
            math::log_sum_exp::<Scalar>(&values).to_bits()
        );

        let mut native = vec![0i16; values.len()];
        let mut scalar = native.clone();
        dense::quantize::<Native>(&values, factor, &mut native);
        dense::quantize::<Scalar>(&values, factor, &mut scalar);
        let by_hand: Vec<i16> = values.iter().map(|value| (value * factor).round_ties_even() as i16).collect();
        prop_assert_eq!(&native, &by_hand);
        prop_assert_eq!(&scalar, &by_hand);
    }
}

/// Packs random integers of `BITS` bits, unpacks them, and multiplies them with random inputs.
fn check_integers<const BITS: usize>(random: &mut Random, rows: usize, cols: usize, min: i8, max: i8) {
    let weights: Vec<i8> = (0..rows * cols).map(|_| random.integer(min, max)).collect();
    let mut x = vec![0i16; cols.next_multiple_of(packed::MAX_COLUMNS)];
    x[..cols].fill_with(|| i16::from(random.integer(-128, 127)));

    let stride = cols.div_ceil(packed::columns_per_vector(BITS));
    let mut lanes = vec![[0; 8]; rows * stride];
    let mut unpacked = vec![0; cols];
    let mut wanted = Vec::new();
    for (row, lanes) in weights.chunks(cols).zip(lanes.chunks_mut(stride)) {
        packed::pack(row, BITS, lanes);
        packed::unpack(lanes, BITS, &mut unpacked);
        assert!(row.iter().map(|&weight| i16::from(weight)).eq(unpacked.iter().copied()));
        wanted.push(row.iter().zip(&x).map(|(&weight, &input)| i32::from(weight) * i32::from(input)).sum());
    }
    let mut native = vec![-1; rows];
    let mut scalar = native.clone();
    packed::matvec::<Native, BITS>(&lanes, stride, &x, &mut native);
    packed::matvec::<Scalar, BITS>(&lanes, stride, &x, &mut scalar);
    assert_eq!(native, wanted);
    assert_eq!(scalar, wanted);
}
