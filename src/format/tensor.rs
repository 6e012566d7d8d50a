//! Matrices and bias vectors as sections of a file.

use std::array;

use half::f16;

use super::bytes::{Reader, TOO_SHORT};
use super::contents::Contents;
use super::stored::Stored;
use super::{limits, trits};
use crate::Error;

/// A matrix of a model file: rows are outputs, columns inputs, row-major; element `(r, c)` is `value * scale of r`.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor {
    /// Outputs.
    pub rows: usize,
    /// Inputs.
    pub cols: usize,
    /// The elements before scaling, `rows * cols` of them.
    pub values: Values,
    /// No scale (then it is 1), one for all rows, or one a row. Floats have none.
    pub scales: Vec<f16>,
}

/// The elements of a [`Tensor`], row by row.
#[derive(Clone, Debug, PartialEq)]
pub enum Values {
    /// Floats, 4 bytes each.
    F32(Vec<f32>),
    /// -1, 0 or 1, five to a byte.
    Ternary(Vec<i8>),
    /// -8 to 7, two to a byte.
    Signed4(Vec<i8>),
    /// -128 to 127, one a byte.
    Signed8(Vec<i8>),
}

/// A bias vector of a model file.
#[derive(Clone, Debug, PartialEq)]
pub enum Bias {
    /// Floats, 4 bytes each.
    F32(Vec<f32>),
    /// One byte each: element `i` is `min + step * values[i]`.
    U8 {
        /// What 0 stands for.
        min: f32,
        /// The difference between neighbouring values.
        step: f32,
        /// The bytes.
        values: Vec<u8>,
    },
}

/// Bytes before a tensor's scales.
const SIZES_LENGTH: usize = 16;
const BIAS_F32: u32 = 1;
const BIAS_U8: u32 = 9;

impl Values {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Values::F32(values) => values.len(),
            Values::Ternary(values) | Values::Signed4(values) | Values::Signed8(values) => values.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn encoding(&self) -> Encoding {
        match self {
            Values::F32(_) => Encoding::F32,
            Values::Ternary(_) => Encoding::Ternary,
            Values::Signed4(_) => Encoding::Signed4,
            Values::Signed8(_) => Encoding::Signed8,
        }
    }

    fn in_range(&self) -> bool {
        match self {
            Values::F32(values) => all_allowed(values),
            Values::Ternary(values) => values.iter().all(|value| (-1..=1).contains(value)),
            Values::Signed4(values) => values.iter().all(|value| (-8..=7).contains(value)),
            Values::Signed8(_) => true,
        }
    }

    fn write(&self, to: &mut Vec<u8>) {
        match self {
            Values::F32(values) => write_f32s(values, to),
            Values::Ternary(values) => to.extend(trits::pack(values)),
            Values::Signed4(values) => to.extend(values.chunks(2).map(pack_halves)),
            Values::Signed8(values) => to.extend(values.iter().map(|&value| value as u8)),
        }
    }
}

/// How the elements of a tensor stand in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Encoding {
    F32 = 1,
    Ternary = 2,
    Signed4 = 4,
    Signed8 = 8,
}

impl Encoding {
    fn from_code(code: u32) -> Option<Encoding> {
        [Encoding::F32, Encoding::Ternary, Encoding::Signed4, Encoding::Signed8].into_iter().find(|&e| e as u32 == code)
    }

    /// The bytes that so many elements take.
    fn length(self, elements: usize) -> usize {
        match self {
            Encoding::F32 => 4 * elements,
            Encoding::Ternary => elements.div_ceil(5),
            Encoding::Signed4 => elements.div_ceil(2),
            Encoding::Signed8 => elements,
        }
    }

    /// The name, for listings.
    pub fn name(self) -> &'static str {
        match self {
            Encoding::F32 => "f32",
            Encoding::Ternary => "ternary",
            Encoding::Signed4 => "signed 4-bit",
            Encoding::Signed8 => "signed 8-bit",
        }
    }
}

/// A matrix on its way out of a file: what a [`Tensor`] is, without memory for its elements, which come row by row.
pub(crate) struct TensorReader<'r, 'a> {
    pub rows: usize,
    pub cols: usize,
    pub encoding: Encoding,
    /// None, one for all rows, or one a row.
    pub scales: Vec<f32>,
    elements: &'r mut Contents<'a>,
}

impl<'r, 'a> TensorReader<'r, 'a> {
    /// Reads what stands before the elements.
    pub(super) fn new(section: &'r mut Contents<'a>) -> Result<Self, Error> {
        let code = section.u32()?;
        let [rows, cols, scales] = [section.u32()? as usize, section.u32()? as usize, section.u32()? as usize];
        check_sizes(section.name(), rows, cols)?;
        check_scale_count(section.name(), code, rows, scales)?;
        // One by one: memory for all of their bytes would be a page's for good.
        let mut scales = vec![0.0; scales];
        for scale in &mut scales {
            let mut bytes = [0; 2];
            section.fill(&mut bytes)?;
            *scale = f16::from_le_bytes(bytes).to_f32();
        }
        if !scales.iter().all(|scale| scale.is_finite()) {
            return Err(section.error("a scale is not finite"));
        }
        let encoding = Encoding::from_code(code).ok_or(section.error("its element encoding is unknown"))?;
        // Before somebody takes memory for all elements.
        if encoding.length(rows * cols) > section.len() {
            return Err(section.error(TOO_SHORT));
        }
        Ok(TensorReader { rows, cols, encoding, scales, elements: section })
    }

    /// Calls `with` for each row of a matrix of floats.
    pub fn for_each_row_of_floats(&mut self, with: &mut dyn FnMut(&[f32])) -> Result<(), Error> {
        let (mut bytes, mut floats) = (vec![0; 4 * self.cols], vec![0.0; self.cols]);
        for _ in 0..self.rows {
            self.elements.fill(&mut bytes)?;
            floats.iter_mut().zip(bytes.as_chunks().0).for_each(|(to, &float)| *to = f32::from_le_bytes(float));
            if !all_allowed(&floats) {
                return Err(self.elements.error("an element is out of range or not finite"));
            }
            with(&floats);
        }
        Ok(())
    }

    /// Calls `with` for each row of a matrix of integers.
    pub fn for_each_row_of_integers(&mut self, with: &mut dyn FnMut(&[i8])) -> Result<(), Error> {
        match self.encoding {
            Encoding::Ternary => self.unpack_rows(trits::unpack, with),
            Encoding::Signed4 => self.unpack_rows(|byte| Some([(byte as i8) << 4 >> 4, byte as i8 >> 4]), with),
            _ => self.unpack_rows(|byte| Some([byte as i8]), with),
        }
    }

    /// Calls `with` for each row of a matrix of 4- or 8-bit integers with the row's bytes; a row of 4 bits begins in the low
    /// half of the first byte.
    pub fn for_each_row_of_bytes(&mut self, with: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
        let bits = if self.encoding == Encoding::Signed4 { 4 } else { 8 };
        let mut bytes = vec![0; (self.cols * bits).div_ceil(8)];
        if !(self.cols * bits).is_multiple_of(8) {
            // Every other row begins in the middle of a byte.
            return self.for_each_row_of_integers(&mut |row| {
                bytes.iter_mut().zip(row.chunks(2)).for_each(|(byte, pair)| *byte = pack_halves(pair));
                with(&bytes);
            });
        }
        for _ in 0..self.rows {
            self.elements.fill(&mut bytes)?;
            with(&bytes);
        }
        Ok(())
    }

    /// Calls `with` for each row of elements of which a byte holds `N`.
    fn unpack_rows<const N: usize>(
        &mut self,
        unpack: impl Fn(u8) -> Option<[i8; N]>,
        with: &mut dyn FnMut(&[i8]),
    ) -> Result<(), Error> {
        let (mut bytes, mut row) = (vec![0; self.cols.div_ceil(N)], vec![0; self.cols + 2 * N]);
        // Elements of the row that stand in the last byte of the row before.
        let mut held = 0;
        for _ in 0..self.rows {
            let bytes = &mut bytes[..self.cols.saturating_sub(held).div_ceil(N)];
            self.elements.fill(bytes)?;
            for (&byte, elements) in bytes.iter().zip(row[held..].as_chunks_mut().0) {
                *elements = unpack(byte).ok_or(self.elements.error("a byte holds no five ternary digits"))?;
            }
            with(&row[..self.cols]);
            let read = held + N * bytes.len();
            row.copy_within(self.cols..read, 0);
            held = read - self.cols;
        }
        if row[..held].iter().any(|&element| element != 0) {
            return Err(self.elements.error("its padding is not zero"));
        }
        Ok(())
    }

    fn integers(&mut self) -> Result<Vec<i8>, Error> {
        let mut integers = Vec::new();
        self.for_each_row_of_integers(&mut |row| integers.extend(row)).map(|()| integers)
    }

    /// The same with memory for its elements.
    pub(super) fn into_tensor(mut self) -> Result<Tensor, Error> {
        let values = match self.encoding {
            Encoding::F32 => {
                let mut floats = Vec::new();
                self.for_each_row_of_floats(&mut |row| floats.extend(row))?;
                Values::F32(floats)
            }
            Encoding::Ternary => Values::Ternary(self.integers()?),
            Encoding::Signed4 => Values::Signed4(self.integers()?),
            Encoding::Signed8 => Values::Signed8(self.integers()?),
        };
        let scales = self.scales.into_iter().map(f16::from_f32).collect();
        Ok(Tensor { rows: self.rows, cols: self.cols, values, scales })
    }
}

impl Tensor {
    /// Hands itself over as if it came out of a section.
    pub(crate) fn read<T>(
        &self,
        section: &'static str,
        with: impl FnOnce(TensorReader) -> Result<T, Error>,
    ) -> Result<T, Error> {
        self.check(section)?;
        let bytes = self.write();
        with(TensorReader::new(&mut Contents::stored(Stored::all(&&bytes[..]), section))?)
    }

    /// Checks that the sizes are within the limits and agree with each other, and that every number is allowed.
    pub(super) fn check(&self, section: &'static str) -> Result<(), Error> {
        check_sizes(section, self.rows, self.cols)?;
        if self.values.len() != self.rows * self.cols {
            return Err(Error::corrupt(section, "the number of elements is not rows times columns"));
        }
        check_scale_count(section, self.values.encoding() as u32, self.rows, self.scales.len())?;
        if !self.values.in_range() {
            return Err(Error::corrupt(section, "an element is out of range or not finite"));
        }
        if !self.scales.iter().all(|scale| scale.is_finite()) {
            return Err(Error::corrupt(section, "a scale is not finite"));
        }
        Ok(())
    }

    /// The bytes of a section, of a checked tensor.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in [self.values.encoding() as u32, self.rows as u32, self.cols as u32, self.scales.len() as u32] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.scales.iter().flat_map(|scale| scale.to_le_bytes()));
        self.values.write(&mut bytes);
        bytes
    }
}

/// How many bytes stand before the elements of a written tensor: sizes and scales.
pub(super) fn head_length(written: &[u8]) -> usize {
    let [.., scales] = written_sizes(written);
    SIZES_LENGTH + 2 * scales as usize
}

/// The columns of a written tensor whose elements are halves of bytes.
pub(super) fn columns_of_halves(written: &[u8]) -> Option<usize> {
    let [encoding, _, columns, _] = written_sizes(written);
    (encoding == Encoding::Signed4 as u32).then_some(columns as usize)
}

/// Element encoding, rows, columns and number of scales of a written tensor.
fn written_sizes(written: &[u8]) -> [u32; SIZES_LENGTH / 4] {
    array::from_fn(|at| u32::from_le_bytes(written[..SIZES_LENGTH].as_chunks().0[at]))
}

fn check_sizes(section: &'static str, rows: usize, cols: usize) -> Result<(), Error> {
    if rows == 0 || cols == 0 {
        return Err(Error::corrupt(section, "a matrix has at least one row and one column"));
    }
    Error::check_limit("number of rows of a matrix", rows, limits::VOCABULARY)?;
    Error::check_limit("number of columns of a matrix", cols, limits::UNITS)?;
    Error::check_limit("number of elements of a matrix", rows.saturating_mul(cols), limits::ELEMENTS)
}

fn check_scale_count(section: &'static str, code: u32, rows: usize, scales: usize) -> Result<(), Error> {
    let allowed = match code {
        code if code == Encoding::F32 as u32 => scales == 0,
        _ => scales == 0 || scales == 1 || scales == rows,
    };
    if allowed {
        return Ok(());
    }
    Err(Error::corrupt(section, "the number of scales is neither 0 nor, of integers, 1 or one a row"))
}

impl Bias {
    /// The number of elements.
    pub fn len(&self) -> usize {
        match self {
            Bias::F32(values) => values.len(),
            Bias::U8 { values, .. } => values.len(),
        }
    }

    /// Whether there is no element.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The name of the encoding, for listings.
    pub fn encoding(&self) -> &'static str {
        match self {
            Bias::F32(_) => "f32",
            Bias::U8 { .. } => "8-bit",
        }
    }

    /// The elements as floats.
    pub fn to_f32(&self) -> Vec<f32> {
        match self {
            Bias::F32(values) => values.clone(),
            Bias::U8 { min, step, values } => values.iter().map(|&value| min + step * f32::from(value)).collect(),
        }
    }

    pub(super) fn check(&self, section: &'static str) -> Result<(), Error> {
        let allowed = match self {
            Bias::F32(values) => all_allowed(values),
            Bias::U8 { min, step, .. } => all_allowed(&[*min, *step]),
        };
        if allowed {
            return Ok(());
        }
        Err(Error::corrupt(section, "an element is out of range or not finite"))
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let code = match self {
            Bias::F32(_) => BIAS_F32,
            Bias::U8 { .. } => BIAS_U8,
        };
        bytes.extend(code.to_le_bytes());
        bytes.extend((self.len() as u32).to_le_bytes());
        match self {
            Bias::F32(values) => write_f32s(values, &mut bytes),
            Bias::U8 { min, step, values } => {
                write_f32s(&[*min, *step], &mut bytes);
                bytes.extend(values);
            }
        }
        bytes
    }

    pub(super) fn read(bytes: &[u8], section: &'static str) -> Result<Bias, Error> {
        let mut from = Reader::new(bytes, section);
        let code = from.u32()?;
        let count = from.u32()? as usize;
        Error::check_limit("number of elements of a bias", count, limits::VOCABULARY)?;
        let bias = match code {
            BIAS_F32 => Bias::F32(from.f32s(count)?),
            BIAS_U8 => Bias::U8 { min: from.f32()?, step: from.f32()?, values: from.take(count)?.to_vec() },
            _ => return Err(from.error("its element encoding is unknown")),
        };
        from.finish()?;
        bias.check(section)?;
        Ok(bias)
    }
}

/// False for NaN as well.
fn all_allowed(values: &[f32]) -> bool {
    values.iter().all(|value| value.abs() <= limits::MAGNITUDE)
}

/// One or two integers of 4 bits in a byte, the first in the low half.
fn pack_halves(pair: &[i8]) -> u8 {
    let high = pair.get(1).copied().unwrap_or(0);
    (pair[0] as u8 & 15) | ((high as u8) << 4)
}

fn write_f32s(values: &[f32], to: &mut Vec<u8>) {
    to.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Reads a tensor of one row from its bytes.
    fn read(encoding: u32, cols: u32, elements: &[u8]) -> Result<Tensor, Error> {
        let mut section: Vec<u8> = [encoding, 1, cols, 0].iter().flat_map(|field| field.to_le_bytes()).collect();
        section.extend(elements);
        let section = &section[..];
        let mut contents = Contents::stored(Stored::all(&section), "test");
        let tensor = TensorReader::new(&mut contents)?.into_tensor()?;
        contents.finish().map(|()| tensor)
    }

    #[test]
    fn what_fills_up_the_last_byte_is_zero() {
        // The digits 2, 0, 1, then 1, 1 for padding; then one of the two is 2.
        assert_eq!(read(2, 3, &[2 + 9 + 27 + 81]).map(|tensor| tensor.values), Ok(Values::Ternary(vec![1, -1, 0])));
        assert!(read(2, 3, &[2 + 9 + 27 + 2 * 81]).is_err());
        assert!(read(2, 3, &[243]).is_err(), "no five digits");
        assert_eq!(read(4, 3, &[0xf1, 0x07]).map(|tensor| tensor.values), Ok(Values::Signed4(vec![1, -1, 7])));
        assert!(read(4, 3, &[0xf1, 0x17]).is_err());
    }

    #[test]
    fn a_section_is_as_long_as_its_elements() {
        assert!(read(8, 3, &[1, 2]).is_err());
        assert!(read(8, 3, &[1, 2, 3, 4]).is_err());
        assert!(read(1, 1, &f32::NAN.to_le_bytes()).is_err());
    }
}
