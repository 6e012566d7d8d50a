//! What a section holds, read from its beginning to its end.

use super::bytes::Reader;
use super::container::Coding;
use super::{coding, context_coding};
use crate::Error;

/// The bytes of a section that are not read yet, whether or not they are entropy-coded.
pub(super) struct Contents<'a> {
    bytes: Bytes<'a>,
    section: &'static str,
}

enum Bytes<'a> {
    Stored(Reader<'a>),
    Coded { decoder: Decoder<'a>, left: usize },
}

enum Decoder<'a> {
    Bytes(coding::Decoder<'a>),
    Text(context_coding::Decoder<'a>),
}

impl<'a> Contents<'a> {
    /// Those of a section that is stored as it is.
    pub fn stored(bytes: &'a [u8], section: &'static str) -> Contents<'a> {
        Contents { bytes: Bytes::Stored(Reader::new(bytes, section)), section }
    }

    /// `length` bytes, entropy-coded.
    pub fn coded(coded: &'a [u8], coding: Coding, length: usize, section: &'static str) -> Result<Contents<'a>, Error> {
        let decoder = match coding {
            Coding::Bytes => Decoder::Bytes(coding::Decoder::new(coded, section)?),
            Coding::Text => Decoder::Text(context_coding::Decoder::new(coded, section)?),
        };
        Ok(Contents { bytes: Bytes::Coded { decoder, left: length }, section })
    }

    /// The section's name.
    pub fn name(&self) -> &'static str {
        self.section
    }

    /// The next bytes, as many as there is room for.
    pub fn fill(&mut self, to: &mut [u8]) -> Result<(), Error> {
        let too_short = self.error("it is shorter than its contents");
        match &mut self.bytes {
            Bytes::Stored(reader) => to.copy_from_slice(reader.take(to.len())?),
            Bytes::Coded { decoder, left } => {
                *left = left.checked_sub(to.len()).ok_or(too_short)?;
                match decoder {
                    Decoder::Bytes(decoder) => decoder.fill(to),
                    Decoder::Text(decoder) => decoder.fill(to),
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

    /// All that is left.
    pub fn rest(&mut self) -> Result<Vec<u8>, Error> {
        match &mut self.bytes {
            Bytes::Stored(reader) => Ok(reader.rest().to_vec()),
            Bytes::Coded { left, .. } => {
                let mut rest = vec![0; *left];
                self.fill(&mut rest).map(|()| rest)
            }
        }
    }

    /// The section must end here.
    pub fn finish(self) -> Result<(), Error> {
        match self.bytes {
            Bytes::Stored(reader) => reader.finish(),
            Bytes::Coded { decoder: Decoder::Bytes(decoder), left: 0 } => decoder.finish(),
            Bytes::Coded { decoder: Decoder::Text(decoder), left: 0 } => decoder.finish(),
            _ => Err(self.error("it is longer than its contents")),
        }
    }

    /// An error about this section.
    pub fn error(&self, reason: &'static str) -> Error {
        Error::corrupt(self.section, reason)
    }
}
