//! Matrices and bias vectors as sections of a file.

use half::f16;

use super::bytes::Reader;
use super::container::Section;
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
            Values::Signed4(values) => to.extend(values.chunks(2).map(|pair| {
                let high = pair.get(1).copied().unwrap_or(0);
                (pair[0] as u8 & 15) | ((high as u8) << 4)
            })),
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

    /// Bytes of so many elements.
    fn len(self, count: usize) -> usize {
        match self {
            Encoding::F32 => 4 * count,
            Encoding::Ternary => count.div_ceil(trits::TRITS_PER_BYTE),
            Encoding::Signed4 => count.div_ceil(2),
            Encoding::Signed8 => count,
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

/// A matrix that is still in the file, perhaps entropy-coded: nothing but its shape has been read.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StoredTensor<'a> {
    section: Section<'a>,
    pub rows: usize,
    pub cols: usize,
}

impl<'a> StoredTensor<'a> {
    /// Reads the shape alone.
    pub(super) fn new(section: Section<'a>) -> Result<StoredTensor<'a>, Error> {
        let start = section.start::<12>()?;
        let mut fields = Reader::new(&start, section.kind.name());
        let [_, rows, cols] = [fields.u32()?, fields.u32()?, fields.u32()?];
        Ok(StoredTensor { section, rows: rows as usize, cols: cols as usize })
    }

    /// Takes the matrix out of the file, checks it and hands it over. The memory that takes is free again afterwards.
    pub fn read<T>(&self, with: impl FnOnce(&TensorView) -> T) -> Result<T, Error> {
        let bytes = self.section.expand()?;
        Ok(with(&TensorView::read(&bytes, self.section.kind.name())?))
    }
}

/// A matrix where it stands in a file, checked: what a [`Tensor`] is, without memory of its own.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TensorView<'a> {
    pub rows: usize,
    pub cols: usize,
    pub encoding: Encoding,
    scales: &'a [[u8; 2]],
    elements: &'a [u8],
}

impl<'a> TensorView<'a> {
    /// Reads a section.
    pub fn read(bytes: &'a [u8], section: &'static str) -> Result<TensorView<'a>, Error> {
        let mut from = Reader::new(bytes, section);
        let code = from.u32()?;
        let [rows, cols, scale_count] = [from.u32()? as usize, from.u32()? as usize, from.u32()? as usize];
        check_sizes(section, rows, cols)?;
        check_scale_count(section, code, rows, scale_count)?;
        let (scales, _) = from.take(2 * scale_count)?.as_chunks::<2>();
        let encoding = Encoding::from_code(code).ok_or(from.error("its element encoding is unknown"))?;
        let elements = from.take(encoding.len(rows * cols))?;
        from.finish()?;
        let view = TensorView { rows, cols, encoding, scales, elements };
        if !view.scales().all(|scale| scale.is_finite()) {
            return Err(Error::corrupt(section, "a scale is not finite"));
        }
        view.check_elements().map_err(|reason| Error::corrupt(section, reason))?;
        Ok(view)
    }

    fn check_elements(&self) -> Result<(), &'static str> {
        let count = self.rows * self.cols;
        let check = match self.encoding {
            Encoding::F32 if !self.floats().all(is_allowed) => Some("an element is out of range or not finite"),
            Encoding::Ternary if !trits::are_valid(self.elements, count) => Some("a byte holds no five ternary digits"),
            Encoding::Signed4 if count % 2 == 1 && self.elements[count / 2] >> 4 != 0 => {
                Some("its padding is not zero")
            }
            _ => None,
        };
        check.map_or(Ok(()), Err)
    }

    /// No scale, one for all rows, or one a row.
    pub fn scales(&self) -> impl ExactSizeIterator<Item = f16> + 'a {
        self.scales.iter().map(|&scale| f16::from_le_bytes(scale))
    }

    /// The elements of a matrix of floats, row by row.
    pub fn floats(&self) -> impl Iterator<Item = f32> + 'a {
        self.elements.as_chunks::<4>().0.iter().map(|&float| f32::from_le_bytes(float))
    }

    /// Calls `with` for each row of a matrix of 4- or 8-bit integers with the row's bytes; a row of 4 bits begins in the low
    /// half of the first byte.
    pub fn for_each_row_of_bytes(&self, mut with: impl FnMut(&[u8])) {
        let bits = if self.encoding == Encoding::Signed4 { 4 } else { 8 };
        if (self.cols * bits).is_multiple_of(8) {
            return self.elements.chunks_exact(self.cols * bits / 8).for_each(with);
        }
        // Every other row begins in the middle of a byte.
        let half = |at: usize| self.elements[at / 2] >> (at % 2 * 4) & 15;
        let mut bytes = vec![0; self.cols.div_ceil(2)];
        for row in 0..self.rows {
            let (start, end) = (row * self.cols, (row + 1) * self.cols);
            for (byte, at) in bytes.iter_mut().zip((start..end).step_by(2)) {
                *byte = half(at) | if at + 1 < end { half(at + 1) << 4 } else { 0 };
            }
            with(&bytes);
        }
    }

    /// Calls `with` for each row of a ternary matrix.
    pub fn for_each_ternary_row(&self, mut with: impl FnMut(&[i8])) {
        let mut row = vec![0; self.cols];
        for number in 0..self.rows {
            trits::unpack_from(self.elements, number * self.cols, &mut row);
            with(&row);
        }
    }

    /// The same with memory of its own.
    pub(super) fn to_tensor(self) -> Tensor {
        let count = self.rows * self.cols;
        let signed = |byte: &u8| *byte as i8;
        let halves = |byte: &u8| [(*byte as i8) << 4 >> 4, *byte as i8 >> 4];
        let values = match self.encoding {
            Encoding::F32 => Values::F32(self.floats().collect()),
            Encoding::Ternary => {
                let mut trits = vec![0; count];
                trits::unpack_from(self.elements, 0, &mut trits);
                Values::Ternary(trits)
            }
            Encoding::Signed4 => Values::Signed4(self.elements.iter().flat_map(halves).take(count).collect()),
            Encoding::Signed8 => Values::Signed8(self.elements.iter().map(signed).collect()),
        };
        Tensor { rows: self.rows, cols: self.cols, values, scales: self.scales().collect() }
    }
}

impl Tensor {
    /// The bytes of a section, for a [`TensorView`].
    pub(crate) fn to_section(&self, section: &'static str) -> Result<Vec<u8>, Error> {
        self.check(section)?;
        Ok(self.write())
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

fn all_allowed(values: &[f32]) -> bool {
    values.iter().copied().all(is_allowed)
}

/// False for NaN as well.
fn is_allowed(value: f32) -> bool {
    value.abs() <= limits::MAGNITUDE
}

fn write_f32s(values: &[f32], to: &mut Vec<u8>) {
    to.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}
