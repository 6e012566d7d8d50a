//! Matrices of floats or of packed integers.

use std::ops::Range;

use super::Activations;
use crate::Error;
use crate::format::{Tensor, Values};
use crate::simd::{Native, Simd, dense, packed};

/// Rows of sums at a time: their integers stay on the stack.
const BLOCK: usize = 64;

/// A matrix of `rows` outputs and `cols` inputs: a layer's weights, or a table with a row a token.
///
/// How the elements lie in memory is private, so that a kernel with another layout can take a kind of them over.
#[derive(Clone, Debug)]
pub struct Matrix {
    rows: usize,
    cols: usize,
    weights: Weights,
}

#[derive(Clone, Debug)]
enum Weights {
    /// Rows padded with zeros to a multiple of 4 columns.
    F32(Vec<f32>),
    Packed {
        bits: Bits,
        /// Vectors a row.
        stride: usize,
        lanes: Vec<packed::Lanes>,
        /// One a row.
        scales: Vec<f32>,
    },
}

#[derive(Clone, Copy, Debug)]
enum Bits {
    Two = 2,
    Four = 4,
    Eight = 8,
}

impl Matrix {
    /// Packs a tensor for the kernels.
    ///
    /// # Errors
    ///
    /// If the sizes do not fit together or exceed a [limit](crate::format::limits), or an element is out of range.
    pub fn new(tensor: &Tensor) -> Result<Matrix, Error> {
        tensor.check("matrix")?;
        let (bits, values) = match &tensor.values {
            Values::F32(values) => return Ok(Matrix::floats(tensor.rows, tensor.cols, values)),
            Values::Ternary(values) => (Bits::Two, values),
            Values::Signed4(values) => (Bits::Four, values),
            Values::Signed8(values) => (Bits::Eight, values),
        };
        let stride = tensor.cols.div_ceil(packed::columns_per_vector(bits as usize));
        let mut lanes = vec![[0; 8]; tensor.rows * stride];
        for (row, lanes) in values.chunks(tensor.cols).zip(lanes.chunks_mut(stride)) {
            packed::pack(row, bits as usize, lanes);
        }
        let scales = match tensor.scales.as_slice() {
            [] => vec![1.0; tensor.rows],
            [scale] => vec![scale.to_f32(); tensor.rows],
            scales => scales.iter().map(|scale| scale.to_f32()).collect(),
        };
        Ok(Matrix { rows: tensor.rows, cols: tensor.cols, weights: Weights::Packed { bits, stride, lanes, scales } })
    }

    fn floats(rows: usize, cols: usize, values: &[f32]) -> Matrix {
        let stride = cols.next_multiple_of(4);
        let mut padded = vec![0.0; rows * stride];
        for (row, padded) in values.chunks(cols).zip(padded.chunks_mut(stride)) {
            padded[..cols].copy_from_slice(row);
        }
        Matrix { rows, cols, weights: Weights::F32(padded) }
    }

    /// Outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// `out = W x`, for `x` of `cols` elements and `out` of `rows`.
    pub fn matvec(&self, x: &Activations, out: &mut [f32]) {
        self.matvec_rows(0..self.rows, x, out);
    }

    /// The elements of `W x` in a range of rows, `out` being as long as the range.
    pub fn matvec_rows(&self, rows: Range<usize>, x: &Activations, out: &mut [f32]) {
        self.matvec_rows_with::<Native>(rows, x, out);
    }

    /// [`matvec_rows`](Self::matvec_rows) by the kernels of a given vector type; all give the same bits.
    pub fn matvec_rows_with<S: Simd>(&self, rows: Range<usize>, x: &Activations, out: &mut [f32]) {
        debug_assert_eq!((x.len(), out.len()), (self.cols, rows.len()));
        match &self.weights {
            Weights::F32(values) => {
                let stride = self.cols.next_multiple_of(4);
                dense::matvec::<S>(&values[rows.start * stride..rows.end * stride], x.padded_values(), out);
            }
            Weights::Packed { bits, stride, lanes, scales } => {
                let (x, x_scale) = x.quantized();
                let mut sums = [0; BLOCK];
                for (block, out) in out.chunks_mut(BLOCK).enumerate() {
                    let start = rows.start + block * BLOCK;
                    let end = start + out.len();
                    let sums = &mut sums[..out.len()];
                    let lanes = &lanes[start * stride..end * stride];
                    match bits {
                        Bits::Two => packed::matvec::<S, 2>(lanes, *stride, x, sums),
                        Bits::Four => packed::matvec::<S, 4>(lanes, *stride, x, sums),
                        Bits::Eight => packed::matvec::<S, 8>(lanes, *stride, x, sums),
                    }
                    dense::dequantize::<S>(sums, &scales[start..end], x_scale, out);
                }
            }
        }
    }

    /// Writes the integers of a row to `to` and returns their scale; none if the elements are floats.
    pub(super) fn integer_row(&self, row: usize, to: &mut [i16]) -> Option<f32> {
        match &self.weights {
            Weights::F32(_) => None,
            Weights::Packed { bits, stride, lanes, scales } => {
                packed::unpack(&lanes[row * stride..(row + 1) * stride], *bits as usize, to);
                Some(scales[row])
            }
        }
    }

    /// The floats of a row; none if the elements are integers.
    pub(super) fn float_row(&self, row: usize) -> Option<&[f32]> {
        match &self.weights {
            Weights::F32(values) => {
                let start = row * self.cols.next_multiple_of(4);
                Some(&values[start..start + self.cols])
            }
            Weights::Packed { .. } => None,
        }
    }
}
