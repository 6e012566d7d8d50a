//! The vector that a matrix is multiplied with.

use super::Matrix;
use crate::simd::{Native, dense, packed};

/// The largest magnitude of a quantized activation.
const MAX_QUANTIZED: f32 = 127.0;

/// Below this magnitude a vector counts as zero: the quotient of 127 and it would overflow.
const TINY: f32 = 1e-30;

/// A vector in the two forms that matrices want: floats, and integers within +-128 with one scale,
/// `value ~ scale * integer`. Its memory is taken once, for the longest vector it will hold.
#[derive(Clone, Debug)]
pub struct Activations {
    len: usize,
    /// Padded with zeros to a multiple of 4.
    values: Vec<f32>,
    /// Padded with zeros to a multiple of [`packed::MAX_COLUMNS`].
    quantized: Vec<i16>,
    scale: f32,
}

impl Activations {
    /// A zero vector of `len` elements.
    pub fn new(len: usize) -> Activations {
        Activations {
            len,
            values: vec![0.0; len.next_multiple_of(4)],
            quantized: vec![0; len.next_multiple_of(packed::MAX_COLUMNS)],
            scale: 0.0,
        }
    }

    /// Takes over `values`, which must be as many as the vector has elements, and quantizes them by the step
    /// `max |x| / 127`.
    pub fn set(&mut self, values: &[f32]) {
        self.values[..self.len].copy_from_slice(values);
        let max = dense::max_magnitude::<Native>(values);
        let (scale, factor) = if max < TINY { (0.0, 0.0) } else { (max / MAX_QUANTIZED, MAX_QUANTIZED / max) };
        self.scale = scale;
        dense::quantize::<Native>(values, factor, &mut self.quantized[..self.len]);
    }

    /// Takes over a row of `table`, which must have as many columns as the vector elements. A row of integers is taken
    /// as it is, without rounding.
    pub fn set_row(&mut self, table: &Matrix, row: usize) {
        match table.integer_row(row, &mut self.quantized[..self.len]) {
            Some(scale) => {
                self.scale = scale;
                for (value, &integer) in self.values.iter_mut().zip(&self.quantized[..self.len]) {
                    *value = f32::from(integer) * scale;
                }
            }
            None => {
                if let Some(values) = table.float_row(row) {
                    self.set(values);
                }
            }
        }
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether the vector has no element.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The elements.
    pub fn values(&self) -> &[f32] {
        &self.values[..self.len]
    }

    /// The elements, padded with zeros to a multiple of 4.
    pub(super) fn padded_values(&self) -> &[f32] {
        &self.values
    }

    /// The integers, padded with zeros, and what 1 stands for.
    pub(super) fn quantized(&self) -> (&[i16], f32) {
        (&self.quantized, self.scale)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantization_is_within_half_a_step() {
        let values: Vec<f32> = (0..77).map(|i| (i as f32 * 0.7).sin() * 3.0).collect();
        let mut x = Activations::new(values.len());
        x.set(&values);
        let (quantized, scale) = x.quantized();
        assert_eq!(quantized.iter().map(|q| q.abs()).max(), Some(127));
        for (value, &integer) in values.iter().zip(quantized) {
            assert!((value - f32::from(integer) * scale).abs() <= scale * 0.500_01);
        }
        assert!(quantized[values.len()..].iter().all(|&padding| padding == 0));
    }

    #[test]
    fn the_smallest_numbers_do_no_harm() {
        for value in [0.0, f32::from_bits(1), -f32::MIN_POSITIVE, 1e-29] {
            let mut x = Activations::new(3);
            x.set(&[value, 0.0, -value]);
            let (quantized, scale) = x.quantized();
            assert!(scale.is_finite() && quantized.iter().all(|q| q.abs() <= 127));
        }
    }
}
