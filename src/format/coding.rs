//! Entropy coding of sections: asymmetric numeral systems (Duda 2013, rANS) over bytes with one table of frequencies.
//!
//! Weights of a section are alike and nearly independent of each other, so a table of byte frequencies is nearly all there
//! is to know about them. Bytes take turns at [`STATES`] coders that share the words (Giesen, *Interleaved entropy coders*,
//! 2014): what a decoder waits for, the look-up and the product of one byte, then goes on for several at once.

use super::bytes::{pack_bits, unpack_bits};
use super::stored::{Stored, Words};
use crate::Error;

/// Frequencies are in units of 1 / 2^12.
pub(super) const TOTAL_BITS: u32 = 12;
pub(super) const TOTAL: usize = 1 << TOTAL_BITS;
/// Coders that take turns.
const STATES: usize = 4;
/// The least that a state is between bytes, and what it is at the beginning: one word.
pub(super) const LEAST: u64 = 1 << u32::BITS;
/// What is said of words and states that cannot be.
pub(super) const INVALID_CODE: &str = "its coded bytes are invalid";
/// What is said of tables that cannot be.
pub(super) const INVALID_TABLE: &str = "its table of frequencies is invalid";

/// Codes bytes; none if they are all the same, or none at all.
pub(super) fn encode(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut counts = [0; 256];
    bytes.iter().for_each(|&byte| counts[usize::from(byte)] += 1);
    if counts.iter().filter(|&&count| count > 0).count() < 2 {
        return None;
    }
    let intervals = intervals::<TOTAL>(&counts);
    let mut coded = pack_bits(&counts.map(|count| count > 0));
    let frequencies = intervals.iter().map(|interval| interval.1 as u16).filter(|&frequency| frequency > 0);
    coded.extend(frequencies.flat_map(u16::to_le_bytes));
    coded.extend(encode_intervals::<TOTAL>(bytes.iter().map(|&byte| intervals[usize::from(byte)])));
    Some(coded)
}

/// Where the interval of each value begins and its length, in units of 1 / `TOTAL`, by how often values occur.
pub(super) fn intervals<const TOTAL: usize>(counts: &[usize]) -> Vec<(u64, u64)> {
    let occurring: Vec<usize> = counts.iter().copied().filter(|&count| count > 0).collect();
    let mut frequencies = frequencies(&occurring, TOTAL).into_iter();
    let mut end = 0;
    let interval = |&count: &usize| {
        let frequency = if count > 0 { frequencies.next().map_or(0, u64::from) } else { 0 };
        end += frequency;
        (end - frequency, frequency)
    };
    counts.iter().map(interval).collect()
}

/// The states and words that stand for values with these intervals.
pub(super) fn encode_intervals<const TOTAL: usize>(values: impl Iterator<Item = (u64, u64)>) -> Vec<u8> {
    let (mut states, mut words) = ([LEAST; STATES], Vec::new());
    let values: Vec<_> = values.collect();
    // The decoder gives the last value that was coded first.
    for (at, &(start, frequency)) in values.iter().enumerate().rev() {
        let state = &mut states[at % STATES];
        if *state >> (2 * u32::BITS - TOTAL.ilog2()) >= frequency {
            words.push(*state as u32);
            *state >>= u32::BITS;
        }
        *state = (*state / frequency) << TOTAL.ilog2() | (*state % frequency + start);
    }
    let states = states.into_iter().flat_map(u64::to_le_bytes);
    states.chain(words.iter().rev().flat_map(|word| word.to_le_bytes())).collect()
}

/// Counts scaled to the sum `total`, each at least 1: what is too much or too little goes to the most frequent.
pub(super) fn frequencies(counts: &[usize], total: usize) -> Vec<u16> {
    let sum: usize = counts.iter().sum();
    let mut scaled: Vec<usize> = counts.iter().map(|count| (count * total / sum).max(1)).collect();
    while let excess @ 1.. = scaled.iter().sum::<usize>().saturating_sub(total) {
        // Shared out, for the most frequent alone may have too little.
        let largest = (0..scaled.len()).max_by_key(|&place| scaled[place]).unwrap_or(0);
        scaled[largest] -= excess.min(scaled[largest] / 2);
    }
    let missing = total - scaled.iter().sum::<usize>();
    if let Some(largest) = (0..scaled.len()).max_by_key(|&place| scaled[place]) {
        scaled[largest] += missing;
    }
    scaled.into_iter().map(|frequency| frequency as u16).collect()
}

/// Lays the intervals of values with these frequencies, in units of 1 / `TOTAL`, one behind the other. For each value of a state's lowest
/// bits a table has what it stands for, the frequency of that and the place within its interval, from the lowest bits on: 8, 12 and 12.
/// Whether they fill the table.
pub(super) fn fill_table<const TOTAL: usize>(
    table: &mut [u32; TOTAL],
    values: impl Iterator<Item = (u8, [u8; 2])>,
) -> bool {
    let mut end = 0;
    for (value, frequency) in values {
        let frequency = u32::from(u16::from_le_bytes(frequency));
        let Some(interval) = table.get_mut(end..end + frequency as usize) else { return false };
        let entries = (0..).map(|place| place << 20 | frequency << 8 | u32::from(value));
        interval.iter_mut().zip(entries).for_each(|(to, entry)| *to = entry);
        end += frequency as usize;
    }
    end == TOTAL
}

/// The coders that take turns, and the words that they share.
pub(super) struct Coders<'a> {
    /// From the one whose turn it is on.
    states: [u64; STATES],
    words: Words<'a>,
    section: &'static str,
}

impl<'a> Coders<'a> {
    /// Reads the states.
    pub fn new(mut coded: Stored<'a>, section: &'static str) -> Result<Coders<'a>, Error> {
        let mut states = [0; STATES];
        for state in &mut states {
            *state = u64::from_le_bytes(coded.array(section)?);
        }
        let words = Words::new(coded).filter(|_| states.iter().all(|&state| state >= LEAST));
        let words = words.ok_or(Error::corrupt(section, INVALID_CODE))?;
        Ok(Coders { states, words, section })
    }

    /// Lets `take` have so many values, at most [`Words::MOST`].
    #[inline(always)]
    pub fn give(&mut self, values: usize, take: impl FnOnce(&mut Turns)) {
        // A value takes a word at most.
        self.words.refill(values);
        // In variables of their own the states stay in registers.
        let mut turns = Turns { states: self.states, words: self.words.at_hand(), taken: self.words.taken };
        take(&mut turns);
        let Turns { states, taken, .. } = turns;
        (self.states, self.words.taken) = (states, taken);
    }

    /// Checks that all has been decoded.
    pub fn finish(self) -> Result<(), Error> {
        if self.states == [LEAST; STATES] && self.words.are_taken() {
            return Ok(());
        }
        Err(Error::corrupt(self.section, "its coded bytes are not what was coded"))
    }
}

/// Bytes as they are decoded.
pub(super) struct Decoder<'a> {
    table: Box<[u32; TOTAL]>,
    coders: Coders<'a>,
}

impl<'a> Decoder<'a> {
    /// Reads the table of frequencies.
    pub fn new(mut coded: Stored<'a>, section: &'static str) -> Result<Decoder<'a>, Error> {
        let set = unpack_bits(&coded.take(32, section)?, 256).unwrap_or_default();
        let occurring: Vec<u8> = (0..=255).zip(set).filter_map(|(byte, occurs)| occurs.then_some(byte)).collect();
        let frequencies = coded.take(2 * occurring.len(), section)?;
        let frequencies = frequencies.as_chunks::<2>().0;
        let mut table = Box::new([0; TOTAL]);
        let values = occurring.iter().copied().zip(frequencies.iter().copied());
        if occurring.len() < 2 || frequencies.contains(&[0; 2]) || !fill_table(&mut table, values) {
            return Err(Error::corrupt(section, INVALID_TABLE));
        }
        Ok(Decoder { table, coders: Coders::new(coded, section)? })
    }

    /// Decodes the next bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for bytes in bytes.chunks_mut(Words::MOST) {
            let table = &self.table;
            self.coders.give(bytes.len(), |turns| bytes.iter_mut().for_each(|byte| *byte = turns.next(table)));
        }
    }

    /// Checks that all has been decoded.
    pub fn finish(self) -> Result<(), Error> {
        self.coders.finish()
    }
}

/// The coders while they decode.
pub(super) struct Turns<'w> {
    states: [u64; STATES],
    words: &'w [[u8; 4]],
    taken: usize,
}

impl Turns<'_> {
    /// The next value, by the table of its frequencies. Whatever was coded decodes to something; only [`Coders::finish`] tells whether it
    /// was meant.
    #[inline(always)]
    pub fn next<const TOTAL: usize>(&mut self, table: &[u32; TOTAL]) -> u8 {
        let [state, second, third, last] = self.states;
        let entry = table[state as usize % TOTAL];
        let reduced = (state >> TOTAL.ilog2()) * u64::from(entry >> 8 & 0xfff) + u64::from(entry >> 20);
        // Whether a word is due cannot be foreseen: a choice of values costs less than a branch that is often mistaken.
        let word = self.words.get(self.taken).map_or(0, |&word| u32::from_le_bytes(word));
        let is_due = reduced < LEAST;
        let state = if is_due { reduced << u32::BITS | u64::from(word) } else { reduced };
        self.taken += usize::from(is_due);
        self.states = [second, third, last, state];
        entry as u8
    }
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
            bytes in prop::collection::vec(prop_oneof![9 => 0u8..5, 1 => any::<u8>()], 0..3000),
            first in 0usize..100,
        ) {
            if let Some(coded) = encode(&bytes) {
                prop_assert_eq!(decode(&coded, first, bytes.len()), Ok(bytes));
            }
        }

        #[test]
        fn no_bytes_do_harm(coded: Vec<u8>, length in 0usize..100) {
            decode(&coded, 30, length).ok();
        }

        #[test]
        fn changed_bytes_do_no_harm(bytes in prop::collection::vec(0u8..9, 2..300), at: prop::sample::Index, to: u8) {
            if let Some(mut coded) = encode(&bytes) {
                let at = at.index(coded.len());
                coded[at] = to;
                decode(&coded, 30, bytes.len()).ok();
            }
        }

        #[test]
        fn frequencies_are_of_the_right_sum(counts in prop::collection::vec(prop_oneof![1usize..4, 1usize..1_000_000], 2..=256)) {
            let frequencies = frequencies(&counts, TOTAL);
            prop_assert!(frequencies.iter().all(|&frequency| frequency > 0));
            prop_assert_eq!(frequencies.iter().map(|&frequency| usize::from(frequency)).sum::<usize>(), TOTAL);
        }
    }

    #[test]
    fn more_bytes_than_are_fetched_at_a_time_are_decoded() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        check_long(&encode(&bytes).unwrap(), &bytes, |coded| decode(coded, 70_001, bytes.len()));
    }

    #[test]
    fn the_length_is_that_of_the_entropy() {
        // 0 to 3 with probabilities of 1/2, 1/4, 1/8, 1/8: 1.75 bits each.
        let bytes: Vec<u8> = (0..80_000).map(|i| [0, 0, 0, 0, 1, 1, 2, 3][i % 8]).collect();
        let coded = encode(&bytes).unwrap();
        assert!((coded.len() as f64 - 1.75 / 8.0 * 80_000.0).abs() < 90.0, "{} bytes", coded.len());
        assert!(decode(&coded, 0, bytes.len() / 2).is_err());
        assert!(decode(&coded, 0, bytes.len() + 1).is_err());
        assert_eq!(encode(&[7; 100]), None);
        assert_eq!(encode(&[]), None);
    }
}
