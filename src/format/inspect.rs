//! A listing of a file's sections, for people.

use super::bytes::unpack_bits;
use super::container::{self, Form, Section};
use super::row_coding::Endings;
use super::tensor::{Bias, TensorReader};
use super::{SectionKind, Shape};
use crate::Error;

/// What a listing says of one section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionInfo {
    /// What it holds.
    pub kind: SectionKind,
    /// The layer it belongs to, 0 where there is only one of its kind.
    pub index: u32,
    /// Where it begins in the file.
    pub offset: usize,
    /// Its length in the file, in bytes.
    pub length: usize,
    /// Whether it is entropy-coded in the file.
    pub is_coded: bool,
    /// The encoding of its elements: `text`, `bytes`, `f32`, `ternary`, …
    pub encoding: &'static str,
    /// Rows and columns of a matrix; length and 1 of a bias.
    pub shape: Option<(usize, usize)>,
}

/// Lists the sections of a model file in their order.
///
/// # Errors
///
/// If the frame of the file or one of its matrices is damaged; whether the parts agree is not checked here.
pub fn inspect(file: &[u8]) -> Result<Vec<SectionInfo>, Error> {
    let sections = container::read(&file)?;
    let endings = endings(&sections)?;
    sections.iter().map(|section| describe(section, &endings)).collect()
}

/// The endings of the words, if a section is coded by them.
fn endings(sections: &[Section]) -> Result<Endings, Error> {
    if !sections.iter().any(Section::needs_endings) {
        return Ok(Endings::default());
    }
    let bytes = |kind: SectionKind| {
        let section = sections.iter().find(|section| section.kind == kind);
        section.map_or(Ok(Vec::new()), Section::expand)
    };
    let shape = Shape::read(&bytes(SectionKind::Shape)?)?;
    shape.check()?;
    let narrow = unpack_bits(&bytes(SectionKind::NarrowRows)?, shape.vocabulary);
    Ok(Endings::new(&bytes(SectionKind::Words)?, shape.vocabulary, narrow.as_deref()))
}

fn describe(section: &Section, endings: &Endings) -> Result<SectionInfo, Error> {
    let (encoding, shape) = match section.kind.form() {
        Form::Text => section.expand().map(|_| ("text", None))?,
        Form::Bytes => section.expand().map(|_| ("bytes", None))?,
        Form::Matrix => {
            let (encoding, tensor) = section.read(endings, |contents| {
                let reader = TensorReader::new(contents)?;
                Ok((reader.encoding, reader.into_tensor()?))
            })?;
            (encoding.name(), Some((tensor.rows, tensor.cols)))
        }
        Form::Bias => {
            let bias = Bias::read(&section.expand()?, section.kind.name())?;
            (bias.encoding(), Some((bias.len(), 1)))
        }
    };
    Ok(SectionInfo {
        kind: section.kind,
        index: section.index,
        offset: section.offset,
        length: section.length,
        is_coded: section.is_coded(),
        encoding,
        shape,
    })
}
