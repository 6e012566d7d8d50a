//! The locality-sensitive hash of a model that reads spellings, as a section of the file.

use super::SectionKind as Kind;
use super::bytes::Reader;
use super::limits;
use crate::Error;

/// How a spelling becomes a code of bits; [`code`](Lsh::code) computes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lsh {
    /// Bits of a code, a multiple of 64.
    pub bits: usize,
    /// Characters of the shortest n-grams.
    pub shortest: u8,
    /// Characters of the longest n-grams.
    pub longest: u8,
    /// How many n-grams the whole word counts as.
    pub whole: u8,
    /// How many n-grams the word's shape counts as.
    pub shape: u8,
    /// Chooses the hyperplanes.
    pub seed: u32,
}

impl Lsh {
    pub(super) fn write(&self) -> Vec<u8> {
        let Lsh { bits, shortest, longest, whole, shape, seed } = *self;
        [(bits as u32).to_le_bytes(), [shortest, longest, whole, shape], seed.to_le_bytes()].concat()
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Lsh, Error> {
        let mut from = Reader::new(bytes, Kind::Lsh.name());
        let bits = from.u32()? as usize;
        let [shortest, longest, whole, shape] = from.array()?;
        let seed = from.u32()?;
        from.finish()?;
        let lsh = Lsh { bits, shortest, longest, whole, shape, seed };
        lsh.check().map(|()| lsh)
    }

    /// Whether there can be such codes.
    ///
    /// # Errors
    ///
    /// If the bits are not words of 64, or sizes are not within their [limits].
    pub fn check(&self) -> Result<(), Error> {
        let corrupt = |reason| Err(Error::corrupt(Kind::Lsh.name(), reason));
        Error::check_limit("bits of a code", self.bits, limits::UNITS)?;
        Error::check_limit("length of n-grams", self.longest.into(), limits::NGRAM)?;
        if self.bits == 0 || !self.bits.is_multiple_of(64) {
            return corrupt("the bits of a code are not a multiple of 64");
        }
        if self.shortest == 0 || self.shortest > self.longest.min(limits::SHORTEST_NGRAM) {
            return corrupt(
                "the shortest n-grams are longer than the longest or than a word of one letter with its two ends",
            );
        }
        Ok(())
    }
}
