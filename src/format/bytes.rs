//! Little-endian reading within one section, with the section's name in every error.

use crate::Error;

/// What is said of a section that ends too early.
pub(super) const TOO_SHORT: &str = "it is shorter than its contents";

/// What is said of one that goes on.
pub(super) const TOO_LONG: &str = "it is longer than its contents";

/// One bit a value, the lowest of the first byte first; the bits after the last are zero.
pub(super) fn pack_bits(values: &[bool]) -> Vec<u8> {
    let byte = |eight: &[bool]| eight.iter().zip(0..).map(|(&value, place)| u8::from(value) << place).sum();
    values.chunks(8).map(byte).collect()
}

/// `count` values that [`pack_bits`] has packed; none if the bytes are of another number, or a bit after the last is set.
pub(super) fn unpack_bits(bytes: &[u8], count: usize) -> Option<Vec<bool>> {
    let values: Vec<bool> = (0..count).map_while(|at| Some(bytes.get(at / 8)? >> (at % 8) & 1 == 1)).collect();
    (pack_bits(&values) == bytes && values.len() == count).then_some(values)
}

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
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or(Error::corrupt(self.section, TOO_SHORT))?;
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

    /// The section must end here.
    pub fn finish(self) -> Result<(), Error> {
        if self.bytes.is_empty() {
            return Ok(());
        }
        Err(Error::corrupt(self.section, TOO_LONG))
    }

    /// An error about this section.
    pub fn error(&self, reason: &'static str) -> Error {
        Error::corrupt(self.section, reason)
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unpacking_bits_reverts_packing(values: Vec<bool>) {
            prop_assert_eq!(unpack_bits(&pack_bits(&values), values.len()), Some(values));
        }

        #[test]
        fn bits_have_one_form(bytes: Vec<u8>, short in 0usize..20) {
            let count = (8 * bytes.len()).saturating_sub(short);
            if let Some(values) = unpack_bits(&bytes, count) {
                prop_assert_eq!(values.len(), count);
                prop_assert_eq!(pack_bits(&values), bytes);
            }
        }
    }

    #[test]
    fn the_first_bit_is_the_lowest() {
        assert_eq!(pack_bits(&[true, false, true, false, false, false, false, false, true]), [5, 1]);
        assert_eq!(unpack_bits(&[5, 1], 9).map(|values| values[8]), Some(true));
        assert_eq!(unpack_bits(&[5, 2], 9), None, "a bit after the last");
        assert_eq!(unpack_bits(&[5], 9), None);
        assert_eq!(unpack_bits(&[5, 0], 8), None);
    }
}
