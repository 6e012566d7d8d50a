//! Matrices and bias vectors as sections of a file.

use half::f16;

use super::bytes::Reader;
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

const ENCODING_F32: u32 = 1;
const ENCODING_TERNARY: u32 = 2;
const ENCODING_SIGNED4: u32 = 4;
const ENCODING_SIGNED8: u32 = 8;
const ENCODING_U8: u32 = 9;

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

    /// The name of the encoding, for listings.
    pub fn encoding(&self) -> &'static str {
        match self {
            Values::F32(_) => "f32",
            Values::Ternary(_) => "ternary",
            Values::Signed4(_) => "signed 4-bit",
            Values::Signed8(_) => "signed 8-bit",
        }
    }

    fn code(&self) -> u32 {
        match self {
            Values::F32(_) => ENCODING_F32,
            Values::Ternary(_) => ENCODING_TERNARY,
            Values::Signed4(_) => ENCODING_SIGNED4,
            Values::Signed8(_) => ENCODING_SIGNED8,
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

    fn read(code: u32, count: usize, from: &mut Reader) -> Result<Values, Error> {
        Ok(match code {
            ENCODING_F32 => Values::F32(from.f32s(count)?),
            ENCODING_TERNARY => {
                let bytes = from.take(count.div_ceil(trits::TRITS_PER_BYTE))?;
                let values = trits::unpack(bytes, count).ok_or(from.error("a byte holds no five ternary digits"))?;
                Values::Ternary(values)
            }
            ENCODING_SIGNED4 => {
                let bytes = from.take(count.div_ceil(2))?;
                Values::Signed4(unpack_nibbles(bytes, count).ok_or(from.error("its padding is not zero"))?)
            }
            ENCODING_SIGNED8 => Values::Signed8(from.take(count)?.iter().map(|&byte| byte as i8).collect()),
            _ => return Err(from.error("its element encoding is unknown")),
        })
    }
}

/// Low half of a byte first. None if the unused half of the last byte is not zero.
fn unpack_nibbles(bytes: &[u8], count: usize) -> Option<Vec<i8>> {
    let mut values: Vec<i8> = bytes.iter().flat_map(|&byte| [(byte as i8) << 4 >> 4, byte as i8 >> 4]).collect();
    let padding = values.split_off(count);
    padding.iter().all(|&value| value == 0).then_some(values)
}

impl Tensor {
    /// Checks that the sizes are within the limits and agree with each other, and that every number is allowed.
    pub(crate) fn check(&self, section: &'static str) -> Result<(), Error> {
        check_sizes(section, self.rows, self.cols)?;
        if self.values.len() != self.rows * self.cols {
            return Err(Error::corrupt(section, "the number of elements is not rows times columns"));
        }
        check_scale_count(section, self.values.code(), self.rows, self.scales.len())?;
        if !self.values.in_range() {
            return Err(Error::corrupt(section, "an element is out of range or not finite"));
        }
        if !self.scales.iter().all(|scale| scale.is_finite()) {
            return Err(Error::corrupt(section, "a scale is not finite"));
        }
        Ok(())
    }

    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        for field in [self.values.code(), self.rows as u32, self.cols as u32, self.scales.len() as u32] {
            bytes.extend(field.to_le_bytes());
        }
        bytes.extend(self.scales.iter().flat_map(|scale| scale.to_le_bytes()));
        self.values.write(&mut bytes);
        bytes
    }

    pub(super) fn read(bytes: &[u8], section: &'static str) -> Result<Tensor, Error> {
        let mut from = Reader::new(bytes, section);
        let code = from.u32()?;
        let [rows, cols, scale_count] = [from.u32()? as usize, from.u32()? as usize, from.u32()? as usize];
        check_sizes(section, rows, cols)?;
        check_scale_count(section, code, rows, scale_count)?;
        let (scales, _) = from.take(2 * scale_count)?.as_chunks::<2>();
        let scales = scales.iter().map(|&scale| f16::from_le_bytes(scale)).collect();
        let values = Values::read(code, rows * cols, &mut from)?;
        from.finish()?;
        let tensor = Tensor { rows, cols, values, scales };
        tensor.check(section)?;
        Ok(tensor)
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
        ENCODING_F32 => scales == 0,
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
            Bias::F32(_) => ENCODING_F32,
            Bias::U8 { .. } => ENCODING_U8,
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
            ENCODING_F32 => Bias::F32(from.f32s(count)?),
            ENCODING_U8 => Bias::U8 { min: from.f32()?, step: from.f32()?, values: from.take(count)?.to_vec() },
            _ => return Err(from.error("its element encoding is unknown")),
        };
        from.finish()?;
        bias.check(section)?;
        Ok(bias)
    }
}

fn all_allowed(values: &[f32]) -> bool {
    // False for NaN as well.
    values.iter().all(|value| value.abs() <= limits::MAGNITUDE)
}

fn write_f32s(values: &[f32], to: &mut Vec<u8>) {
    to.extend(values.iter().flat_map(|value| value.to_le_bytes()));
}
