//! Entropy coding of sections: asymmetric numeral systems (Duda 2013, rANS) over bytes with one table of frequencies.
//!
//! Weights of a section are alike and nearly independent of each other, so a table of byte frequencies is nearly all there
//! is to know about them.

use std::convert::Infallible;

use constriction::backends::ReadWords;
use constriction::stream::Decode;
use constriction::stream::model::{SmallContiguousCategoricalEntropyModel, SmallContiguousLookupDecoderModel};
use constriction::stream::stack::{AnsCoder, DefaultAnsCoder};
use constriction::{Stack, UnwrapInfallible};

use super::bytes::{Reader, pack_bits, unpack_bits};
use crate::Error;

/// Frequencies are in units of 1 / 2^12.
const TOTAL: usize = 1 << 12;

/// Codes bytes; none if they are all the same, or none at all.
pub(super) fn encode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut counts = [0; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    let occurring: Vec<u8> = (0..=255).filter(|&byte| counts[usize::from(byte)] > 0).collect();
    if occurring.len() < 2 {
        return None;
    }
    let frequencies = frequencies(&occurring.iter().map(|&byte| counts[usize::from(byte)]).collect::<Vec<_>>());
    let model = SmallContiguousCategoricalEntropyModel::<Vec<u16>>::from_nonzero_fixed_point_probabilities(
        frequencies.iter(),
        false,
    )
    .ok()?;
    let mut places = [0; 256];
    occurring.iter().enumerate().for_each(|(place, &byte)| places[usize::from(byte)] = place);
    let mut coder = DefaultAnsCoder::new();
    coder.encode_iid_symbols_reverse(bytes.iter().map(|&byte| places[usize::from(byte)]), &model).ok()?;
    let (words, state) = coder.into_raw_parts();

    let mut coded = pack_bits(&counts.map(|count| count > 0));
    coded.extend(frequencies.iter().flat_map(|frequency| frequency.to_le_bytes()));
    coded.extend(state.to_le_bytes());
    coded.extend(words.iter().rev().flat_map(|word| word.to_le_bytes()));
    Some(coded)
}

/// Counts scaled to the sum [`TOTAL`], each at least 1: what is too much or too little goes to the most frequent.
fn frequencies(counts: &[usize]) -> Vec<u16> {
    let sum: usize = counts.iter().sum();
    let mut scaled: Vec<usize> = counts.iter().map(|count| (count * TOTAL / sum).max(1)).collect();
    while let excess @ 1.. = scaled.iter().sum::<usize>().saturating_sub(TOTAL) {
        // Shared out, for the most frequent alone may have too little.
        let largest = (0..scaled.len()).max_by_key(|&place| scaled[place]).unwrap_or(0);
        scaled[largest] -= excess.min(scaled[largest] / 2);
    }
    let missing = TOTAL - scaled.iter().sum::<usize>();
    if let Some(largest) = (0..scaled.len()).max_by_key(|&place| scaled[place]) {
        scaled[largest] += missing;
    }
    scaled.into_iter().map(|frequency| frequency as u16).collect()
}

/// Bytes as they are decoded.
pub(super) struct Decoder<'a> {
    /// The bytes that occur.
    occurring: Vec<u8>,
    model: SmallContiguousLookupDecoderModel,
    coder: AnsCoder<u32, u64, Words<'a>>,
    section: &'static str,
}

impl<'a> Decoder<'a> {
    /// Reads the table of frequencies.
    pub fn new(coded: &'a [u8], section: &'static str) -> Result<Decoder<'a>, Error> {
        let mut from = Reader::new(coded, section);
        let set = unpack_bits(from.take(32)?, 256).unwrap_or_default();
        let occurring: Vec<u8> = (0..=255).zip(set).filter_map(|(byte, occurs)| occurs.then_some(byte)).collect();
        let (frequencies, _) = from.take(2 * occurring.len())?.as_chunks::<2>();
        let frequencies: Vec<u16> = frequencies.iter().map(|&bytes| u16::from_le_bytes(bytes)).collect();
        let sum: usize = frequencies.iter().map(|&frequency| usize::from(frequency)).sum();
        if occurring.len() < 2 || frequencies.contains(&0) || sum != TOTAL {
            return Err(from.error("its table of frequencies is invalid"));
        }
        let model = SmallContiguousLookupDecoderModel::from_nonzero_fixed_point_probabilities(&frequencies, false)
            .map_err(|()| from.error("its table of frequencies is invalid"))?;
        let state = from.u64()?;
        let words = Words(from.rest());
        if words.0.len() % 4 != 0 || (state < 1 << 32 && !words.0.is_empty()) {
            return Err(from.error("its coded bytes are invalid"));
        }
        Ok(Decoder { occurring, model, coder: AnsCoder::from_raw_parts(words, state), section })
    }

    /// Decodes the next bytes. Whatever was coded decodes to something; only [`finish`](Self::finish) tells whether it was
    /// meant.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for byte in bytes {
            let place: usize = self.coder.decode_symbol(&self.model).unwrap_infallible();
            *byte = self.occurring.get(place).copied().unwrap_or_default();
        }
    }

    /// Checks that all has been decoded.
    pub fn finish(self) -> Result<(), Error> {
        let (words, state) = self.coder.into_raw_parts();
        if state == 0 && words.0.is_empty() {
            return Ok(());
        }
        Err(Error::corrupt(self.section, "its coded bytes are not what was coded"))
    }
}

/// Words of a coder, from the first on.
struct Words<'a>(&'a [u8]);

impl ReadWords<u32, Stack> for Words<'_> {
    type ReadError = Infallible;

    fn read(&mut self) -> Result<Option<u32>, Infallible> {
        let Some((word, rest)) = self.0.split_first_chunk() else { return Ok(None) };
        self.0 = rest;
        Ok(Some(u32::from_le_bytes(*word)))
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decode(coded: &[u8], length: usize) -> Result<Vec<u8>, Error> {
        let mut decoder = Decoder::new(coded, "test")?;
        let mut bytes = vec![0; length];
        // In pieces, as sections are read.
        let (first, rest) = bytes.split_at_mut(length / 3);
        decoder.fill(first);
        decoder.fill(rest);
        decoder.finish().map(|()| bytes)
    }

    proptest! {
        #[test]
        fn decoding_reverts_coding(bytes in prop::collection::vec(prop_oneof![9 => 0u8..5, 1 => any::<u8>()], 0..3000)) {
            if let Some(coded) = encode(&bytes) {
                prop_assert_eq!(decode(&coded, bytes.len()), Ok(bytes));
            }
        }

        #[test]
        fn no_bytes_do_harm(coded: Vec<u8>, length in 0usize..100) {
            decode(&coded, length).ok();
        }

        #[test]
        fn changed_bytes_do_no_harm(bytes in prop::collection::vec(0u8..9, 2..300), at: prop::sample::Index, to: u8) {
            if let Some(mut coded) = encode(&bytes) {
                let at = at.index(coded.len());
                coded[at] = to;
                decode(&coded, bytes.len()).ok();
            }
        }

        #[test]
        fn frequencies_are_of_the_right_sum(counts in prop::collection::vec(prop_oneof![1usize..4, 1usize..1_000_000], 2..=256)) {
            let frequencies = frequencies(&counts);
            prop_assert!(frequencies.iter().all(|&frequency| frequency > 0));
            prop_assert_eq!(frequencies.iter().map(|&frequency| usize::from(frequency)).sum::<usize>(), TOTAL);
        }
    }

    #[test]
    fn the_length_is_that_of_the_entropy() {
        // 0 to 3 with probabilities of 1/2, 1/4, 1/8, 1/8: 1.75 bits each.
        let bytes: Vec<u8> = (0..80_000).map(|i| [0, 0, 0, 0, 1, 1, 2, 3][i % 8]).collect();
        let coded = encode(&bytes).unwrap();
        assert!((coded.len() as f64 - 1.75 / 8.0 * 80_000.0).abs() < 60.0, "{} bytes", coded.len());
        assert!(decode(&coded, bytes.len() / 2).is_err());
        assert_eq!(encode(&[7; 100]), None);
        assert_eq!(encode(&[]), None);
    }
}
