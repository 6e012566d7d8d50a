//! The vector that a matrix is multiplied with.

use super::Matrix;
use crate::simd::{Native, dense, lookup, packed};

/// The largest magnitude of an activation that meets rows of 4 or 8 bits.
const MAX_PACKED: i16 = 127;

/// What the magnitudes of a group of activations that meet ternary weights come to before rounding, at most: so little that the
/// kernel can sum them up in 8 bits afterwards, which is where it is fastest (docs/performance.md).
const MAX_GROUP: f32 = lookup::MAX_GROUP as f32 - lookup::GROUP_COLS as f32 / 2.0;

// Their magnitudes are summed up by eights.
const _: () = assert!(lookup::GROUP_COLS == 8);

/// Below this magnitude a vector counts as zero: the quotient of 127 and it would overflow.
const TINY: f32 = 1e-30;

/// A vector in the form that the kernel of its matrix wants: floats, or integers with one scale, `value ~ scale * integer`.
/// Integers that meet ternary weights are of up to 7 bits, fewer where many neighbours are large; others of 8 bits, within +-127.
/// Its memory is taken once, but for 7-bit integers of which four are too large for a byte together.
#[derive(Clone, Debug)]
pub struct Activations {
    values: Vec<f32>,
    integers: Vec<i16>,
    scale: f32,
    max: i16,
    /// Whether groups of neighbours must be small enough for the fastest kernel.
    grouped: bool,
    form: Form,
}

/// What a kernel takes.
#[derive(Clone, Debug)]
pub(super) enum Form {
    /// Padded with zeros to a multiple of 4.
    Floats(Vec<f32>),
    Tables(lookup::Tables),
    Packed(packed::Inputs),
}

impl Activations {
    /// A zero vector of as many elements as `matrix`, which it will be multiplied with, has columns.
    pub fn new(matrix: &Matrix) -> Activations {
        let form = matrix.input_form();
        let ternary = matches!(form, Form::Tables(_));
        Activations {
            values: vec![0.0; matrix.cols()],
            integers: vec![0; matrix.cols()],
            scale: 0.0,
            max: if ternary { lookup::MAX_INPUT } else { MAX_PACKED },
            grouped: ternary,
            form,
        }
    }

    /// A zero vector that rounds to `bits` bits, sign included and whatever the kernel likes, if that is told: at most 7 where the
    /// matrix is ternary, 8 where it is of other integers. Floats are left alone.
    pub fn with_bits(matrix: &Matrix, bits: Option<u32>) -> Activations {
        let mut activations = Activations::new(matrix);
        if let Some(bits) = bits {
            activations.max = activations.max.min((1 << (bits.clamp(2, 8) - 1)) - 1);
            activations.grouped = false;
        }
        activations
    }

    /// Takes over `values`, which must be as many as the vector has elements, and quantizes them by the step
    /// `max |x| / 127`; where they meet ternary weights by `max |x| / 63`, or `/ 123` of the largest sum of the magnitudes of eight
    /// neighbours if that is more.
    pub fn set(&mut self, values: &[f32]) {
        self.values.copy_from_slice(values);
        self.quantize();
    }

    fn quantize(&mut self) {
        if !matches!(self.form, Form::Floats(_)) {
            let (mut max, mut levels) = (dense::max_magnitude::<Native>(&self.values), f32::from(self.max));
            if self.grouped {
                let group = dense::max_magnitude_of_eights::<Native>(&self.values);
                if group * levels > max * MAX_GROUP {
                    (max, levels) = (group, MAX_GROUP);
                }
            }
            let (scale, factor) = if max < TINY { (0.0, 0.0) } else { (max / levels, levels / max) };
            self.scale = scale;
            dense::quantize::<Native>(&self.values, factor, &mut self.integers);
        }
        self.arrange();
    }

    /// Takes over a row of `table`, which must have at most as many columns as the vector elements; the others are zero.
    /// A row of integers is taken as it is, without rounding, if they are in range.
    pub fn set_row(&mut self, table: &Matrix, row: usize) {
        let (integers, others) = self.integers.split_at_mut(table.cols());
        others.fill(0);
        match table.integer_row(row, integers) {
            Some(scale) => {
                self.scale = scale;
                for (value, &integer) in self.values.iter_mut().zip(&self.integers) {
                    *value = f32::from(integer) * scale;
                }
                if self.integers.iter().all(|integer| integer.abs() <= self.max) {
                    return self.arrange();
                }
            }
            None => {
                self.values.fill(0.0);
                if let Some(floats) = table.float_row(row) {
                    self.values[..floats.len()].copy_from_slice(floats);
                }
            }
        }
        self.quantize();
    }

    /// Takes over signs: 1 for each bit that is set, from the lowest of the first word on, -1 for each other.
    pub fn set_signs(&mut self, bits: &[u64]) {
        self.scale = 1.0;
        let elements = self.values.iter_mut().zip(&mut self.integers);
        for (at, (value, integer)) in elements.enumerate() {
            *integer = if bits[at / 64] >> (at % 64) & 1 == 1 { 1 } else { -1 };
            *value = f32::from(*integer);
        }
        self.arrange();
    }

    fn arrange(&mut self) {
        match &mut self.form {
            Form::Floats(padded) => padded[..self.values.len()].copy_from_slice(&self.values),
            Form::Tables(tables) => tables.set::<Native>(&self.integers),
            Form::Packed(inputs) => inputs.set(&self.integers),
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether the vector has no element.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// The elements, as they were before rounding.
    pub fn values(&self) -> &[f32] {
        &self.values
    }

    pub(super) fn form(&self) -> &Form {
        &self.form
    }

    /// What an integer of 1 stands for.
    pub(super) fn scale(&self) -> f32 {
        self.scale
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::format::{Tensor, Values};
    use proptest::prelude::*;

    fn ternary(cols: usize) -> Matrix {
        Matrix::new(&Tensor { rows: 1, cols, values: Values::Ternary(vec![0; cols]), scales: vec![] }).unwrap()
    }

    fn signed(cols: usize, value: i8) -> Matrix {
        Matrix::new(&Tensor { rows: 1, cols, values: Values::Signed8(vec![value; cols]), scales: vec![] }).unwrap()
    }

    #[test]
    fn quantization_is_within_half_a_step() {
        let values: Vec<f32> = (0..77).map(|i| (i as f32 * 0.7).sin() * 3.0).collect();
        for (matrix, bits, max) in [
            (ternary(77), Some(8), 63),
            (ternary(77), Some(5), 15),
            (signed(77, 0), None, 127),
            (signed(77, 0), Some(6), 31),
        ] {
            let mut x = Activations::with_bits(&matrix, bits);
            x.set(&values);
            assert_eq!(x.integers.iter().map(|integer| integer.abs()).max(), Some(max));
            assert_rounded(&x, &values);
        }
    }

    fn assert_rounded(x: &Activations, values: &[f32]) {
        for (value, &integer) in values.iter().zip(&x.integers) {
            assert!((value - f32::from(integer) * x.scale).abs() <= x.scale * 0.500_01);
        }
    }

    #[test]
    fn groups_that_meet_ternary_weights_are_small_enough_to_be_summed_up_in_8_bits() {
        let all = |value: fn(usize) -> f32| (0..77).map(value).collect::<Vec<f32>>();
        for (values, largest_group) in [
            // The steps that 123 allow are 15.4 and 16.4.
            (all(|_| 1.0), 8 * 15),
            (all(|i| if i % 8 < 7 { -1.0 } else { 0.5 }), 7 * 16 + 8),
            // No sum is large: all of 7 bits.
            (all(|i| if i == 40 { -5.0 } else { 0.1 }), 63 + 7),
            (all(|_| 0.0), 0),
        ] {
            let mut x = Activations::new(&ternary(77));
            x.set(&values);
            assert_rounded(&x, &values);
            let sums = x.integers.chunks(8).map(|group| group.iter().map(|integer| integer.abs()).sum::<i16>());
            assert_eq!(sums.max(), Some(largest_group));
        }
    }

    proptest! {
        #[test]
        fn no_group_is_too_large(values in prop::collection::vec(-1.0f32..1.0, 1..100)) {
            let mut x = Activations::new(&ternary(values.len()));
            x.set(&values);
            for group in x.integers.chunks(lookup::GROUP_COLS) {
                prop_assert!(group.iter().map(|integer| integer.unsigned_abs()).sum::<u16>() <= lookup::MAX_GROUP);
            }
        }
    }

    #[test]
    fn the_smallest_numbers_do_no_harm() {
        for value in [0.0, f32::from_bits(1), -f32::MIN_POSITIVE, 1e-29] {
            let mut x = Activations::new(&signed(3, 0));
            x.set(&[value, 0.0, -value]);
            assert!(x.scale.is_finite() && x.integers.iter().all(|integer| integer.abs() <= 127));
        }
    }

    #[test]
    fn a_row_is_rounded_only_where_the_kernel_cannot_take_it() {
        let mut x = Activations::new(&ternary(5));
        x.set_row(&signed(5, -31), 0);
        assert_eq!((x.integers[0], x.scale), (-31, 1.0));
        x.set_row(&signed(5, -128), 0);
        assert_eq!((x.integers[0], x.scale), (-25, 5.0 * 128.0 / MAX_GROUP));
        assert_eq!(x.values(), [-128.0; 5]);
    }
}
