//! Matrices of floats, of ternary weights or of packed integers.

use std::ops::Range;

use super::Activations;
use super::activations::Form;
use crate::Error;
use crate::format::{CheckedMatrix, Encoding, Tensor, TensorReader};
use crate::simd::{Native, Simd, dense, lookup, packed, unset};

/// Rows of sums at a time: their integers stay on the stack.
const BLOCK: usize = lookup::ROWS;

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
    /// Blocks of rows, see [`lookup`].
    Ternary { blocks: Vec<lookup::Codes>, scales: Scales },
    /// Rows of 4 or 8 bits, see [`packed`].
    Packed { bits: usize, lanes: Vec<packed::Lanes>, scales: Scales },
}

/// What an integer of a row stands for.
#[derive(Clone, Debug)]
enum Scales {
    OneForAll(f32),
    OneARow(Vec<f32>),
}

impl Matrix {
    /// Packs a tensor for the kernels.
    ///
    /// # Errors
    ///
    /// If the sizes do not fit together or exceed a [limit](crate::format::limits), or an element is out of range.
    pub fn new(tensor: &Tensor) -> Result<Matrix, Error> {
        tensor.read("matrix", Matrix::read)
    }

    /// Packs a matrix for the kernels as it is read.
    pub(crate) fn read(mut tensor: TensorReader) -> Result<Matrix, Error> {
        let scales = Scales::new(std::mem::take(&mut tensor.scales));
        let weights = match tensor.encoding {
            Encoding::F32 => Weights::F32(pad_rows(&mut tensor)?),
            Encoding::Ternary => Weights::Ternary { blocks: pack_ternary(&mut tensor)?, scales },
            Encoding::Signed4 => Weights::Packed { bits: 4, lanes: pack(&mut tensor, 4)?, scales },
            Encoding::Signed8 => Weights::Packed { bits: 8, lanes: pack(&mut tensor, 8)?, scales },
        };
        Ok(Matrix { rows: tensor.rows, cols: tensor.cols, weights })
    }

    /// Outputs.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Inputs.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// The form of a vector that this matrix is multiplied with, all zeros.
    pub(super) fn input_form(&self) -> Form {
        match &self.weights {
            Weights::F32(_) => Form::Floats(vec![0.0; self.cols.next_multiple_of(4)]),
            Weights::Ternary { .. } => Form::Tables(lookup::Tables::new(self.cols)),
            Weights::Packed { bits, .. } => Form::Packed(packed::Inputs::new(self.cols, *bits)),
        }
    }

    /// `out = W x`, for `x` of `cols` elements and `out` of `rows`.
    pub fn matvec(&self, x: &Activations, out: &mut [f32]) {
        self.matvec_rows(0..self.rows, x, out);
    }

    /// The elements of `W x` in a range of rows, `out` being as long as the range. `x` must have been made
    /// [for](Activations::new) this matrix or one of the same number of columns and kind of elements.
    pub fn matvec_rows(&self, rows: Range<usize>, x: &Activations, out: &mut [f32]) {
        self.matvec_rows_with::<Native>(rows, x, out);
    }

    /// [`matvec_rows`](Self::matvec_rows) by the kernels of a given vector type; all give the same bits.
    pub fn matvec_rows_with<S: Simd>(&self, rows: Range<usize>, x: &Activations, out: &mut [f32]) {
        debug_assert_eq!((x.len(), out.len()), (self.cols, rows.len()));
        match (&self.weights, x.form()) {
            (Weights::F32(values), Form::Floats(x)) => {
                dense::matvec::<S>(&values[rows.start * x.len()..rows.end * x.len()], x, out);
            }
            (Weights::Ternary { blocks, scales }, Form::Tables(tables)) => {
                let len = lookup::block_len(self.cols);
                let mut sums = unset::<_, BLOCK>();
                for (rows, out) in split(rows, out) {
                    let first = rows.start / BLOCK;
                    lookup::block_sums::<S>(&blocks[first * len..], tables, &mut sums);
                    let sums = &sums[rows.start % BLOCK..][..rows.len()];
                    scales.apply::<S>(rows, sums, x.scale(), out);
                }
            }
            (Weights::Packed { bits, lanes, scales }, Form::Packed(inputs)) => {
                let stride = packed::stride(self.cols, *bits);
                let mut sums = unset::<_, BLOCK>();
                for (start, out) in rows.step_by(BLOCK).zip(out.chunks_mut(BLOCK)) {
                    let rows = start..start + out.len();
                    let sums = &mut sums[..out.len()];
                    packed::matvec::<S>(&lanes[rows.start * stride..rows.end * stride], inputs, sums);
                    scales.apply::<S>(rows, sums, x.scale(), out);
                }
            }
            _ => debug_assert!(false, "the activations were made for another kind of matrix"),
        }
    }

    /// Writes the integers of a row to `to` and returns their scale; none if the elements are floats.
    pub(super) fn integer_row(&self, row: usize, to: &mut [i16]) -> Option<f32> {
        match &self.weights {
            Weights::F32(_) => None,
            Weights::Ternary { blocks, scales } => {
                lookup::unpack(blocks, self.cols, row, to);
                Some(scales.of(row))
            }
            Weights::Packed { bits, lanes, scales } => {
                let stride = packed::stride(self.cols, *bits);
                packed::unpack(&lanes[row * stride..(row + 1) * stride], *bits, to);
                Some(scales.of(row))
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
            _ => None,
        }
    }
}

impl CheckedMatrix for Matrix {
    fn shape(&self) -> (usize, usize) {
        (self.rows, self.cols)
    }

    /// Reading has done it.
    fn check(&self, _: &'static str) -> Result<(), Error> {
        Ok(())
    }
}

fn pad_rows(tensor: &mut TensorReader) -> Result<Vec<f32>, Error> {
    let stride = tensor.cols.next_multiple_of(4);
    let mut padded = Vec::with_capacity(tensor.rows * stride);
    tensor.for_each_row_of_floats(&mut |row| {
        padded.extend(row);
        padded.resize(padded.len().next_multiple_of(stride), 0.0);
    })?;
    Ok(padded)
}

fn pack_ternary(tensor: &mut TensorReader) -> Result<Vec<lookup::Codes>, Error> {
    let len = lookup::block_len(tensor.cols);
    let mut blocks = vec![lookup::NO_WEIGHTS; tensor.rows.div_ceil(BLOCK) * len];
    let mut row = 0;
    tensor.for_each_row_of_integers(&mut |values| {
        lookup::pack_row(values, row % BLOCK, &mut blocks[row / BLOCK * len..][..len]);
        row += 1;
    })?;
    Ok(blocks)
}

fn pack(tensor: &mut TensorReader, bits: usize) -> Result<Vec<packed::Lanes>, Error> {
    let stride = packed::stride(tensor.cols, bits);
    let mut lanes = vec![[0; 8]; tensor.rows * stride];
    let mut rows = lanes.chunks_exact_mut(stride);
    tensor.for_each_row_of_bytes(&mut |bytes| {
        if let Some(lanes) = rows.next() {
            packed::pack(bytes, bits, lanes);
        }
    })?;
    Ok(lanes)
}

/// Cuts a range of rows, and `out` with it, where a block of rows begins.
fn split(rows: Range<usize>, mut out: &mut [f32]) -> impl Iterator<Item = (Range<usize>, &mut [f32])> {
    let mut start = rows.start;
    std::iter::from_fn(move || {
        let end = ((start / BLOCK + 1) * BLOCK).min(rows.end);
        let (block, rest) = std::mem::take(&mut out).split_at_mut_checked(end.checked_sub(start)?)?;
        out = rest;
        let rows = start..end;
        start = end;
        (!rows.is_empty()).then_some((rows, block))
    })
}

impl Scales {
    fn new(scales: Vec<f32>) -> Scales {
        match scales[..] {
            [] => Scales::OneForAll(1.0),
            [scale] => Scales::OneForAll(scale),
            _ => Scales::OneARow(scales),
        }
    }

    fn of(&self, row: usize) -> f32 {
        match self {
            Scales::OneForAll(scale) => *scale,
            Scales::OneARow(scales) => scales[row],
        }
    }

    /// `out = sums * scale of the row * factor`.
    fn apply<S: Simd>(&self, rows: Range<usize>, sums: &[i32], factor: f32, out: &mut [f32]) {
        match self {
            Scales::OneForAll(scale) => dense::dequantize::<S>(sums, &[*scale; BLOCK][..rows.len()], factor, out),
            Scales::OneARow(scales) => dense::dequantize::<S>(sums, &scales[rows], factor, out),
        }
    }
}
