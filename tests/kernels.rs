//! Kernels against their scalar twins and against arithmetic by hand.

#![cfg(not(target_arch = "wasm32"))]

mod common;

use common::{ENCODINGS, Random, check_matrix, tensor};
use lm_wasm::format::limits;
use lm_wasm::simd::{Native, Scalar, dense, lookup, math, packed};
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
    fn packed_rows_are_exact(seed: u64, rows in 1usize..10, cols in 1usize..300) {
        let random = &mut Random::new(seed);
        check_packed(random, 4, rows, cols, Draw::Any);
        check_packed(random, 8, rows, cols, Draw::Any);
    }

    #[test]
    fn ternary_rows_are_exact(seed: u64, rows in 1usize..200, cols in 1usize..300, max in 0i8..=63) {
        check_ternary(&mut Random::new(seed), rows, cols, max, Draw::Any);
    }

    #[test]
    fn loops_over_floats_equal_their_scalar_twins(values in prop::collection::vec(-1e3f32..1e3, 0..70), factor in -30f32..30.0) {
        prop_assert_eq!(dense::max_magnitude::<Native>(&values), dense::max_magnitude::<Scalar>(&values));
        let max = values.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        prop_assert_eq!([dense::max::<Native>(&values), dense::max::<Scalar>(&values)], [max; 2]);
        let [native, scalar] = [math::sum_exp::<Native>(&values, max), math::sum_exp::<Scalar>(&values, max)];
        prop_assert_eq!(native.to_bits(), scalar.to_bits());

        let sums: Vec<f32> = values.iter().map(|value| value + factor * value).collect();
        let max = sums.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let others: Vec<f32> = values.iter().map(|value| factor * value).collect();
        let (mut native, mut scalar) = (values.clone(), values.clone());
        prop_assert_eq!(dense::add_and_max::<Native>(&mut native, &others), max);
        prop_assert_eq!(dense::add_and_max::<Scalar>(&mut scalar, &others), max);
        prop_assert_eq!([&native, &scalar], [&sums; 2]);

        let mut native = vec![0i16; values.len()];
        let mut scalar = native.clone();
        dense::quantize::<Native>(&values, factor, &mut native);
        dense::quantize::<Scalar>(&values, factor, &mut scalar);
        let by_hand: Vec<i16> = values.iter().map(|value| (value * factor).round_ties_even() as i16).collect();
        prop_assert_eq!(&native, &by_hand);
        prop_assert_eq!(&scalar, &by_hand);
    }
}

/// Which numbers a check is made with.
#[derive(Clone, Copy, PartialEq)]
enum Draw {
    Any,
    /// The largest in magnitude, all of one sign: what makes sums overflow, if anything does.
    Extreme,
}

fn draw(random: &mut Random, draw: Draw, count: usize, max: i8) -> Vec<i8> {
    (0..count).map(|_| if draw == Draw::Any { random.integer(-max, max) } else { max }).collect()
}

/// Packs random integers of `bits` bits, unpacks them, and multiplies them with random inputs.
fn check_packed(random: &mut Random, bits: usize, rows: usize, cols: usize, numbers: Draw) {
    let mut weights = draw(random, numbers, rows * cols, if bits == 4 { 7 } else { 127 });
    if numbers == Draw::Any {
        weights[0] = if bits == 4 { -8 } else { -128 };
    }
    let x: Vec<i16> = draw(random, numbers, cols, 127).into_iter().map(i16::from).collect();
    let mut inputs = packed::Inputs::new(cols, bits);
    inputs.set(&x);

    let stride = packed::stride(cols, bits);
    let mut lanes = vec![[0; 8]; rows * stride];
    let mut unpacked = vec![0; cols];
    for (row, lanes) in weights.chunks(cols).zip(lanes.chunks_mut(stride)) {
        packed::pack(&in_file(row, bits), bits, lanes);
        packed::unpack(lanes, bits, &mut unpacked);
        assert!(row.iter().map(|&weight| i16::from(weight)).eq(unpacked.iter().copied()));
    }
    let mut native = vec![-1; rows];
    let mut scalar = native.clone();
    packed::matvec::<Native>(&lanes, &inputs, &mut native);
    packed::matvec::<Scalar>(&lanes, &inputs, &mut scalar);
    let wanted = products(&weights, &x);
    assert_eq!(native, wanted);
    assert_eq!(scalar, wanted);
}

/// The bytes that integers take in a file.
fn in_file(row: &[i8], bits: usize) -> Vec<u8> {
    let halves = |pair: &[i8]| (pair[0] as u8 & 15) | pair.get(1).map_or(0, |&high| (high as u8) << 4);
    if bits == 4 { row.chunks(2).map(halves).collect() } else { row.iter().map(|&value| value as u8).collect() }
}

/// The same for ternary rows and inputs up to `max`.
fn check_ternary(random: &mut Random, rows: usize, cols: usize, max: i8, numbers: Draw) {
    let weights = draw(random, numbers, rows * cols, 1);
    let x: Vec<i16> = draw(random, numbers, cols, max).into_iter().map(i16::from).collect();
    let blocks = pack_ternary(&weights, cols);
    let mut unpacked = vec![0; cols];
    for (row, weights) in weights.chunks(cols).enumerate() {
        lookup::unpack(&blocks, cols, row, &mut unpacked);
        assert!(weights.iter().map(|&weight| i16::from(weight)).eq(unpacked.iter().copied()));
    }
    let mut tables = lookup::Tables::new(cols);
    let mut unset = [-1; lookup::ROWS];
    lookup::block_sums::<Native>(&blocks, &tables, &mut unset);
    assert_eq!(unset, [0; lookup::ROWS]);
    check_sums(&weights, &x, &mut tables);
}

fn pack_ternary(weights: &[i8], cols: usize) -> Vec<lookup::Codes> {
    let len = lookup::block_len(cols);
    let mut blocks = vec![lookup::NO_WEIGHTS; (weights.len() / cols).div_ceil(lookup::ROWS) * len];
    for (row, weights) in weights.chunks(cols).enumerate() {
        lookup::pack_row(weights, row % lookup::ROWS, &mut blocks[row / lookup::ROWS * len..][..len]);
    }
    blocks
}

/// Multiplies ternary rows with inputs, by tables that other inputs may have been in.
fn check_sums(weights: &[i8], x: &[i16], tables: &mut lookup::Tables) {
    tables.set::<Native>(x);
    let mut of_scalar = lookup::Tables::new(x.len());
    of_scalar.set::<Scalar>(x);
    assert_eq!(*tables, of_scalar);

    let blocks = pack_ternary(weights, x.len());
    let wanted = products(weights, x);
    for (block, wanted) in wanted.chunks(lookup::ROWS).enumerate() {
        let blocks = &blocks[block * lookup::block_len(x.len())..];
        let (mut native, mut scalar) = ([-1; lookup::ROWS], [-1; lookup::ROWS]);
        lookup::block_sums::<Native>(blocks, tables, &mut native);
        lookup::block_sums::<Scalar>(blocks, tables, &mut scalar);
        assert_eq!(&native[..wanted.len()], wanted);
        assert_eq!(native, scalar);
        assert!(native[wanted.len()..].iter().all(|&padding| padding == 0));
    }
}

fn products(weights: &[i8], x: &[i16]) -> Vec<i32> {
    let product = |row: &[i8]| row.iter().zip(x).map(|(&weight, &input)| i32::from(weight) * i32::from(input)).sum();
    weights.chunks(x.len()).map(product).collect()
}

#[test]
fn the_largest_sums_do_not_overflow() {
    let random = &mut Random::new(1);
    for cols in [limits::UNITS, limits::UNITS - 1, 2048, 513] {
        check_packed(random, 4, 2, cols, Draw::Extreme);
        check_packed(random, 8, 2, cols, Draw::Extreme);
        for max in [15, 31, 63] {
            check_ternary(random, 2, cols, max, Draw::Extreme);
        }
    }
}

#[test]
fn all_ternary_rows_of_eight_columns_are_exact() {
    let row = |number: i32| (0..8).map(move |col| (number / 3_i32.pow(col) % 3 - 1) as i8);
    let weights: Vec<i8> = (0..3_i32.pow(8)).flat_map(row).collect();
    for x in [[63, -61, 7, 29, 15, -16, 17, -63], [16, -16, 16, -16, 16, -16, 16, -15], [32, 32, 32, 31, 0, 0, 0, 0]] {
        check_sums(&weights, &x, &mut lookup::Tables::new(8));
    }
}

/// Sums are kept in 8 and in 16 bits as long as they fit: rows of the signs of the inputs have the largest, and inputs whose
/// magnitudes come to 127 and 128 by fours and eights are where one way ends and the next begins.
#[test]
fn the_largest_sums_of_every_way_do_not_overflow() {
    let groups: [&[i16]; 6] =
        [&[16, 16, 16, 16, 16, 16, 16, 15], &[16; 8], &[32, 32, 32, 31], &[32; 4], &[63, 63, 1, 0], &[63]];
    for cols in [1, 7, 1024, 1040, 2047, 2048, 2064, limits::UNITS] {
        let mut tables = lookup::Tables::new(cols);
        for group in groups.into_iter().chain(groups) {
            let sign = |col: usize| if col * col % 7 > 2 { -1 } else { 1 };
            let x: Vec<i16> = group.iter().cycle().take(cols).enumerate().map(|(col, x)| x * sign(col)).collect();
            let signs = x.iter().map(|x| x.signum() as i8);
            let weights: Vec<i8> = signs.clone().chain(signs.map(|sign| -sign)).collect();
            check_sums(&weights, &x, &mut tables);
        }
    }
}
