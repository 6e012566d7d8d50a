//! Entropy coding of text: asymmetric numeral systems as in [`coding`](super::coding), each byte with the frequencies of what
//! follows the byte before it (a model of order 1; Witten, Neal & Cleary 1987).
//!
//! A word list gets a quarter (English) to two fifths (Polish) shorter than with one table for all. Each byte waits for the
//! one before it, so that this is no coding for matrices.

use std::array;

use super::bytes::{pack_bits, unpack_bits};
use super::coding::{INVALID_CODE, INVALID_TABLE, LEAST, TOTAL, TOTAL_BITS, frequencies};
use super::stored::{Stored, Words};
use crate::Error;

/// Codes bytes; none if there are none.
pub(super) fn encode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut set = [false; 256];
    bytes.iter().for_each(|&byte| set[usize::from(byte)] = true);
    let occurring: Vec<u8> = (0..=255).filter(|&byte| set[usize::from(byte)]).collect();
    let first = *occurring.first()?;
    let context = |at: usize| if at == 0 { first } else { bytes[at - 1] };
    let mut counts = vec![[0; 256]; 256];
    bytes.iter().enumerate().for_each(|(at, &byte)| counts[usize::from(context(at))][usize::from(byte)] += 1);

    let mut coded = pack_bits(&set);
    let mut intervals = vec![[(0, 0); 256]; 256];
    for &before in &occurring {
        let counts = &mut counts[usize::from(before)];
        if counts.iter().all(|&count| count == 0) {
            // Nothing follows the last byte, but every table has something.
            counts[usize::from(first)] = 1;
        }
        let following: Vec<u8> = occurring.iter().copied().filter(|&byte| counts[usize::from(byte)] > 0).collect();
        let counted: Vec<usize> = following.iter().map(|&byte| counts[usize::from(byte)]).collect();
        let frequencies = frequencies(&counted, TOTAL);
        coded.extend(pack_bits(&occurring.iter().map(|byte| following.contains(byte)).collect::<Vec<_>>()));
        coded.extend(frequencies.iter().flat_map(|frequency| frequency.to_le_bytes()));
        let mut start = 0;
        for (&byte, &frequency) in following.iter().zip(&frequencies) {
            intervals[usize::from(before)][usize::from(byte)] = (start, u64::from(frequency));
            start += u64::from(frequency);
        }
    }

    // The decoder gives the last byte that was coded first.
    let (mut state, mut words) = (LEAST, Vec::new());
    for (at, &byte) in bytes.iter().enumerate().rev() {
        let (start, frequency) = intervals[usize::from(context(at))][usize::from(byte)];
        if state >> (2 * u32::BITS - TOTAL_BITS) >= frequency {
            words.push(state as u32);
            state >>= u32::BITS;
        }
        state = (state / frequency) << TOTAL_BITS | (state % frequency + start);
    }
    coded.extend(state.to_le_bytes());
    coded.extend(words.iter().rev().flat_map(|word: &u32| word.to_le_bytes()));
    Some(coded)
}

/// Stretches of the values of a state's lowest bits, of each of which a table tells where to begin to look.
const STRETCHES: usize = 256;

/// Bytes as they are decoded.
pub(super) struct Decoder<'a> {
    /// The bytes that occur, in rising order.
    occurring: Vec<u8>,
    /// Of each of them, what may follow it.
    following: Vec<Table>,
    /// The place of the last byte among those that occur.
    context: usize,
    state: u64,
    words: Words<'a>,
    section: &'static str,
}

/// What may follow a byte.
struct Table {
    intervals: Vec<Interval>,
    /// The place of the interval that the first value of each stretch is in: a byte is found in the first or second one that is looked
    /// at, where halving their number takes six steps, each of which waits for the one before.
    first: [u8; STRETCHES],
}

/// The values of a state's lowest bits that stand for a byte.
struct Interval {
    start: u16,
    length: u16,
    /// Its place among the bytes that occur.
    byte: u8,
}

impl Interval {
    fn end(&self) -> usize {
        usize::from(self.start + self.length)
    }
}

impl<'a> Decoder<'a> {
    /// Reads the tables of frequencies.
    pub fn new(mut coded: Stored<'a>, section: &'static str) -> Result<Decoder<'a>, Error> {
        let set = unpack_bits(&coded.take(32, section)?, 256).unwrap_or_default();
        let occurring: Vec<u8> = (0..=255).zip(set).filter_map(|(byte, occurs)| occurs.then_some(byte)).collect();
        let mut following = Vec::with_capacity(occurring.len());
        for _ in &occurring {
            following.push(read_table(&mut coded, occurring.len(), section)?);
        }
        let state = u64::from_le_bytes(coded.array(section)?);
        let words = Words::new(coded).filter(|_| state >= LEAST && !occurring.is_empty());
        let words = words.ok_or(Error::corrupt(section, INVALID_CODE))?;
        Ok(Decoder { occurring, following, context: 0, state, words, section })
    }

    /// Decodes the next bytes. Whatever was coded decodes to something; only [`finish`](Self::finish) tells whether it was
    /// meant.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        // A byte takes a word at most.
        for bytes in bytes.chunks_mut(Words::MOST) {
            self.words.refill(bytes.len());
            self.fill_from_words(bytes);
        }
    }

    fn fill_from_words(&mut self, bytes: &mut [u8]) {
        let (mut state, mut context, mut taken) = (self.state, self.context, self.words.taken);
        let words = self.words.at_hand();
        for byte in bytes {
            let Table { intervals, first } = &self.following[context];
            let slot = state as usize % TOTAL;
            let mut place = usize::from(first[slot / (TOTAL / STRETCHES)]);
            let Interval { start, length, byte: found } = loop {
                let interval = &intervals[place];
                if slot < interval.end() {
                    break interval;
                }
                place += 1;
            };
            state = (state >> TOTAL_BITS) * u64::from(*length) + (slot as u64 - u64::from(*start));
            if state < LEAST {
                state = state << u32::BITS | words.get(taken).map_or(0, |&word| u32::from_le_bytes(word).into());
                taken += 1;
            }
            context = usize::from(*found);
            *byte = self.occurring[context];
        }
        (self.state, self.context, self.words.taken) = (state, context, taken);
    }

    /// Checks that all has been decoded.
    pub fn finish(self) -> Result<(), Error> {
        if self.state == LEAST && self.words.are_taken() {
            return Ok(());
        }
        Err(Error::corrupt(self.section, "its coded bytes are not what was coded"))
    }
}

/// What may follow a byte; at least one does, and the first interval begins at zero.
fn read_table(from: &mut Stored, occurring: usize, section: &'static str) -> Result<Table, Error> {
    let set = unpack_bits(&from.take(occurring.div_ceil(8), section)?, occurring).unwrap_or_default();
    let following: Vec<u8> = (0..=255).zip(set).filter_map(|(byte, follows)| follows.then_some(byte)).collect();
    let frequencies = from.take(2 * following.len(), section)?;
    let mut total = 0;
    let mut intervals = Vec::with_capacity(following.len());
    for (byte, &frequency) in following.into_iter().zip(frequencies.as_chunks().0) {
        let length = u16::from_le_bytes(frequency);
        if length == 0 || total + usize::from(length) > TOTAL {
            return Err(Error::corrupt(section, INVALID_TABLE));
        }
        intervals.push(Interval { start: total as u16, length, byte });
        total += usize::from(length);
    }
    if total != TOTAL {
        return Err(Error::corrupt(section, INVALID_TABLE));
    }
    let mut place = 0;
    let first = array::from_fn(|stretch| {
        place +=
            intervals[place..].iter().take_while(|interval| interval.end() <= stretch * (TOTAL / STRETCHES)).count();
        place as u8
    });
    Ok(Table { intervals, first })
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::super::stored::tests::{check_long, in_two_pieces};
    use super::*;
    use proptest::prelude::*;

    fn decode(coded: &[u8], first: usize, length: usize) -> Result<Vec<u8>, Error> {
        let mut decoder = Decoder::new(Stored::all(&coded), "test")?;
        let bytes = in_two_pieces(first, length, |piece| decoder.fill(piece));
        decoder.finish().map(|()| bytes)
    }

    proptest! {
        #[test]
        fn decoding_reverts_coding(
            bytes in prop::collection::vec(prop_oneof![9 => 0u8..5, 1 => any::<u8>()], 1..3000),
            first in 0usize..100,
        ) {
            let coded = encode(&bytes).unwrap();
            prop_assert_eq!(decode(&coded, first, bytes.len()), Ok(bytes));
        }

        #[test]
        fn no_bytes_do_harm(coded: Vec<u8>, length in 0usize..100) {
            decode(&coded, 30, length).ok();
        }

        #[test]
        fn changed_bytes_do_no_harm(bytes in prop::collection::vec(0u8..9, 1..300), at: prop::sample::Index, to: u8) {
            let mut coded = encode(&bytes).unwrap();
            let at = at.index(coded.len());
            coded[at] = to;
            decode(&coded, 30, bytes.len()).ok();
        }
    }

    #[test]
    fn more_bytes_than_are_fetched_at_a_time_are_decoded() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 26) as u8).collect();
        check_long(&encode(&bytes).unwrap(), &bytes, |coded| decode(coded, 70_001, bytes.len()));
    }

    #[test]
    fn the_length_is_that_of_the_conditional_entropy() {
        // After 0 comes 0 or 1, after 1 comes 2, after 2 comes 0: one bit for each 0, none for the others.
        let mut bytes = vec![];
        let mut random = 1_u32;
        for _ in 0..40_000 {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            bytes.extend_from_slice(if random >> 31 == 0 { &[0] } else { &[1, 2, 0] });
        }
        let coded = encode(&bytes).unwrap();
        assert!((coded.len() as f64 - 40_000.0 / 8.0).abs() < 90.0, "{} bytes", coded.len());
        assert_eq!(encode(&[]), None);
    }
}
