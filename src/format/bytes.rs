//! Little-endian reading within one section, with the section's name in every error.

use crate::Error;

/// The bytes of a section that are not read yet.
pub(super) struct Reader<'a> {
    bytes: &'a [u8],
    section: &'static str,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8], section: &'static str) -> Reader<'a> {
        Reader { bytes, section }
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], Error> {
        let (taken, rest) = self
            .bytes
            .split_at_checked(count)
            .ok_or(Error::corrupt(self.section, "it is shorter than its contents"))?;
        self.bytes = rest;
        Ok(taken)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Result<[u8; N], Error> {
        let mut array = [0; N];
        array.copy_from_slice(self.take(N)?);
        Ok(array)
    }

    pub fn u32(&mut self) -> Result<u32, Error> {
        Ok(u32::from_le_bytes(self.array()?))
    }

    pub fn u64(&mut self) -> Result<u64, Error> {
        Ok(u64::from_le_bytes(self.array()?))
    }

    pub fn f32(&mut self) -> Result<f32, Error> {
        Ok(f32::from_le_bytes(self.array()?))
    }

    /// The next `count` floats.
    pub fn f32s(&mut self, count: usize) -> Result<Vec<f32>, Error> {
        let (floats, _) = self.take(4 * count)?.as_chunks::<4>();
        Ok(floats.iter().map(|&float| f32::from_le_bytes(float)).collect())
    }

    /// All that is left.
    pub fn rest(&mut self) -> &'a [u8] {
        std::mem::take(&mut self.bytes)
    }

    /// The section must end here.
    pub fn finish(self) -> Result<(), Error> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        Err(Error::corrupt(self.section, "it is longer than its contents"))
    }

    /// An error about this section.
    pub fn error(&self, reason: &'static str) -> Error {
        Error::corrupt(self.section, reason)
    }
}
