//! What a section holds, read from its beginning to its end.

use std::mem;

use super::bytes::{TOO_LONG, TOO_SHORT};
use super::container::Coding;
use super::stored::{self, Stored};
use super::{coding, context_coding, row_coding};
use crate::Error;

/// The bytes of a section that are not read yet, whether or not they are entropy-coded.
pub(super) struct Contents<'a> {
    bytes: Bytes<'a>,
    section: &'static str,
}

enum Bytes<'a> {
    Stored(stored::Bytes<'a>),
    Coded { decoder: Decoder<'a>, left: usize, then: Option<Box<Part<'a>>> },
}

/// The elements of a matrix, behind what stands before them.
struct Part<'a> {
    coded: Stored<'a>,
    /// Of the words, if they are coded as rows of words.
    endings: Option<&'a [u16]>,
    length: usize,
}

enum Decoder<'a> {
    Bytes(coding::Decoder<'a>),
    Text(context_coding::Decoder<'a>),
    Rows(Box<row_coding::Decoder<'a>>),
}

impl<'a> Decoder<'a> {
    fn bytes(coded: Stored<'a>, section: &'static str) -> Result<Self, Error> {
        coding::Decoder::new(coded, section).map(Decoder::Bytes)
    }

    fn text(coded: Stored<'a>, section: &'static str) -> Result<Self, Error> {
        context_coding::Decoder::new(coded, section).map(Decoder::Text)
    }

    fn fill(&mut self, to: &mut [u8]) {
        match self {
            Decoder::Bytes(decoder) => decoder.fill(to),
            Decoder::Text(decoder) => decoder.fill(to),
            Decoder::Rows(decoder) => decoder.fill(to),
        }
    }

    fn finish(self) -> Result<(), Error> {
        match self {
            Decoder::Bytes(decoder) => decoder.finish(),
            Decoder::Text(decoder) => decoder.finish(),
            Decoder::Rows(decoder) => decoder.finish(),
        }
    }
}

impl<'a> Contents<'a> {
    /// Those of a section that is stored as it is.
    pub fn stored(bytes: Stored<'a>, section: &'static str) -> Contents<'a> {
        Contents { bytes: Bytes::Stored(stored::Bytes::new(bytes)), section }
    }

    /// `length` bytes, entropy-coded; if they are the rows of words, those have these endings.
    pub fn coded(
        coded: Stored<'a>,
        coding: Coding,
        length: usize,
        endings: &'a [u16],
        section: &'static str,
    ) -> Result<Contents<'a>, Error> {
        let bytes = match coding {
            Coding::Bytes => Bytes::Coded { decoder: Decoder::bytes(coded, section)?, left: length, then: None },
            Coding::Text => Bytes::Coded { decoder: Decoder::text(coded, section)?, left: length, then: None },
            Coding::Matrix => matrix(coded, length, None, section)?,
            Coding::Rows => matrix(coded, length, Some(endings), section)?,
        };
        Ok(Contents { bytes, section })
    }

    /// The section's name.
    pub fn name(&self) -> &'static str {
        self.section
    }

    /// The next bytes, as many as there is room for.
    #[inline(never)]
    pub fn fill(&mut self, to: &mut [u8]) -> Result<(), Error> {
        let too_short = self.error(TOO_SHORT);
        match &mut self.bytes {
            Bytes::Stored(bytes) if to.len() <= bytes.len() => bytes.fill(to),
            Bytes::Stored(_) => return Err(too_short),
            Bytes::Coded { decoder, left, then } => {
                let (now, behind) = to.split_at_mut(to.len().min(*left));
                decoder.fill(now);
                *left -= now.len();
                if !behind.is_empty() {
                    let Part { coded, endings, length } = *then.take().ok_or(too_short)?;
                    *left = length;
                    // Not made before: somebody has taken memory for all elements by now, and this lies on top of that.
                    let elements = match endings {
                        None => Decoder::bytes(coded, self.section)?,
                        Some(endings) => {
                            Decoder::Rows(Box::new(row_coding::Decoder::new(coded, endings, self.section)?))
                        }
                    };
                    mem::replace(decoder, elements).finish()?;
                    return self.fill(behind);
                }
            }
        }
        Ok(())
    }

    pub fn u32(&mut self) -> Result<u32, Error> {
        let mut bytes = [0; 4];
        self.fill(&mut bytes)?;
        Ok(u32::from_le_bytes(bytes))
    }

    /// How many bytes are left, as far as the section tells.
    pub fn len(&self) -> usize {
        match &self.bytes {
            Bytes::Stored(bytes) => bytes.len(),
            Bytes::Coded { left, then, .. } => *left + then.as_ref().map_or(0, |part| part.length),
        }
    }

    /// All that is left.
    pub fn rest(&mut self) -> Result<Vec<u8>, Error> {
        let mut rest = vec![0; self.len()];
        self.fill(&mut rest).map(|()| rest)
    }

    /// The section must end here.
    pub fn finish(self) -> Result<(), Error> {
        match self.bytes {
            Bytes::Stored(bytes) if bytes.len() == 0 => Ok(()),
            Bytes::Coded { decoder, left: 0, then: None } => decoder.finish(),
            _ => Err(self.error(TOO_LONG)),
        }
    }

    /// An error about this section.
    pub fn error(&self, reason: &'static str) -> Error {
        Error::corrupt(self.section, reason)
    }
}

/// What a matrix's section holds: its head, in one of the two ways, then its elements, which may be coded as rows of words.
fn matrix<'a>(
    mut coded: Stored<'a>,
    length: usize,
    endings: Option<&'a [u16]>,
    section: &'static str,
) -> Result<Bytes<'a>, Error> {
    let mut field = || coded.array(section).map(u32::from_le_bytes);
    let [coding, head, stored] = [field()?, field()?, field()?];
    let stored = coded.split_off(stored as usize, section)?;
    let decoder = match Coding::from_code(coding) {
        Some(Coding::Bytes) => Decoder::bytes(stored, section)?,
        Some(Coding::Text) => Decoder::text(stored, section)?,
        _ => return Err(Error::Unsupported { section, what: "an unknown entropy coding" }),
    };
    let elements = length.checked_sub(head as usize).ok_or(Error::corrupt(section, TOO_SHORT))?;
    let then = Box::new(Part { coded, endings, length: elements });
    Ok(Bytes::Coded { decoder, left: head as usize, then: Some(then) })
}
