//! Entropy coding of the words' rows: elements of four bits, each with the frequencies of what stands where about as much is
//! expected of it.
//!
//! Words stand in the order of their letters, so that the rows above are of words that begin alike, often forms of one word; those
//! that end alike tell what form it is. A mean of each, column by column, is known to whoever has decoded the rows before, and what
//! they have in common with a row need not be told again (as pictures are coded without loss: Weinberger, Seroussi & Sapiro
//! 2000).

use std::array;

use super::bytes::pack_bits;
use super::coding::{Coders, INVALID_TABLE, encode_intervals, fill_table, intervals};
use super::container::SectionKind;
use super::limits;
use super::stored::{Stored, Words};
use crate::Error;
use crate::text::endings;

/// Values that four bits have.
const VALUES: usize = 16;
/// Frequencies are in units of one of so many: tables as large as those of bytes would take four times the memory.
const TOTAL: usize = 1 << 10;
/// Means of endings that are kept, in elements, at most: endings share theirs where they are too many. Twice of them would save the Polish
/// model 4 kB and take a page 0.3 MB more.
const MEANS: usize = 1 << 17;
/// Rows that a mean is for, at least: small models have little room for more.
const ROWS_A_MEAN: usize = 16;
/// Contexts: intervals of what is expected, each a quarter of a step, half of them below zero. Twice as many would save the Polish model
/// 1 kB and take a page 0.1 MB more.
const CONTEXTS: usize = 24;
/// Elements are in units of 1 / 2^8 in means.
const MEAN_BITS: u32 = 8;
/// What is expected is so much of the mean of the rows above, and so much of that of the ending, in 1 / 2^5.
const WEIGHTS: [i32; 2] = [16, 28];
const WEIGHT_BITS: u32 = 5;
/// How much of a mean gives way to a new row, in 1 / 2^6: of the rows above, of an ending.
const RATES: [i32; 2] = [24, 6];
const RATE_BITS: u32 = 6;

/// Of each word's row, a number for its ending; the rows of special tokens have 0.
#[derive(Default)]
pub(super) struct Endings {
    wide: Vec<u16>,
    narrow: Vec<u16>,
}

impl Endings {
    /// Those of the words of a list, the last tokens of a vocabulary, of which some have narrow rows.
    pub fn new(words: &[u8], vocabulary: usize, narrow: Option<&[bool]>) -> Endings {
        let of_words = endings(words);
        let specials = vocabulary.saturating_sub(of_words.len());
        let is_narrow = |row: usize| narrow.is_some_and(|rows| rows.get(row) == Some(&true));
        let count = (0..vocabulary).filter(|&row| is_narrow(row)).count();
        // With room for all and no more: what grows takes twice as much, for good in a page.
        let (mut wide, mut narrow) = (Vec::with_capacity(vocabulary - count), Vec::with_capacity(count));
        for row in 0..vocabulary {
            let ending = row.checked_sub(specials).and_then(|word| of_words.get(word).copied()).unwrap_or_default();
            if is_narrow(row) { narrow.push(ending) } else { wide.push(ending) }
        }
        Endings { wide, narrow }
    }

    /// Those of the rows of a section; none if it has no rows of words.
    pub fn of(&self, kind: SectionKind) -> &[u16] {
        match kind {
            SectionKind::Embedding | SectionKind::Output => &self.wide,
            SectionKind::NarrowEmbedding | SectionKind::NarrowOutput => &self.narrow,
            _ => &[],
        }
    }
}

/// What is expected of each element, row by row.
struct Expected<'e> {
    /// Of the rows behind this one.
    endings: &'e [u16],
    /// Of the rows above.
    above: Vec<i16>,
    /// Of the endings, one behind the other.
    of_endings: Vec<i16>,
    /// Where those of the row's ending begin.
    ending: usize,
    /// The row's next element.
    column: usize,
    /// Room for the contexts of a row.
    contexts: Vec<u8>,
}

impl<'e> Expected<'e> {
    fn new(columns: usize, endings: &'e [u16]) -> Expected<'e> {
        let kept = (MEANS / columns).min(endings.len() / ROWS_A_MEAN).max(1) * columns;
        let (above, of_endings, contexts) = (vec![0; columns], vec![0; kept], vec![0; columns]);
        // As if the row before the first had ended.
        Expected { endings, above, of_endings, ending: 0, column: columns, contexts }
    }

    /// Takes in the next elements. `tell` is handed some at a time with their contexts, to fill in what they are, if that is not known. Contexts
    /// are found for all of a row before its first element, which leaves the least to do between one element and the next.
    #[inline(always)]
    fn take(&mut self, mut elements: &mut [u8], mut tell: impl FnMut(&[u8], &mut [u8])) {
        let columns = self.above.len();
        while !elements.is_empty() {
            if self.column == columns {
                let (&ending, behind) = self.endings.split_first().unwrap_or((&0, &[]));
                self.ending = usize::from(ending) * columns % self.of_endings.len();
                (self.endings, self.column) = (behind, 0);
            }
            let end = columns.min(self.column + elements.len());
            let (now, later) = elements.split_at_mut(end - self.column);
            let above = &mut self.above[self.column..end];
            let of_ending = &mut self.of_endings[self.ending..][self.column..end];
            let contexts = &mut self.contexts[self.column..end];
            for ((to, &above), &ending) in contexts.iter_mut().zip(&*above).zip(&*of_ending) {
                *to = context(above, ending);
            }
            tell(contexts, now);
            approach(above, now, RATES[0]);
            approach(of_ending, now, RATES[1]);
            (self.column, elements) = (end, later);
        }
    }
}

/// Where an element stands of which so much is expected.
#[inline(always)]
fn context(above: i16, ending: i16) -> u8 {
    let expected = i32::from(above) * WEIGHTS[0] + i32::from(ending) * WEIGHTS[1];
    let quarters = expected >> (MEAN_BITS - 2 + WEIGHT_BITS);
    (quarters + CONTEXTS as i32 / 2).clamp(0, CONTEXTS as i32 - 1) as u8
}

/// Moves means towards elements of four bits, in one place of the wasm.
#[inline(never)]
fn approach(means: &mut [i16], elements: &[u8], rate: i32) {
    for (mean, element) in means.iter_mut().zip(elements) {
        let element = i32::from((element << 4) as i8 >> 4) << MEAN_BITS;
        let before = i32::from(*mean);
        *mean = (before + (((element - before) * rate) >> RATE_BITS)) as i16;
    }
}

/// Codes rows of so many columns, two elements a byte; none if there are none.
pub(super) fn encode(bytes: &[u8], columns: usize, endings: &[u16]) -> Option<Vec<u8>> {
    if bytes.is_empty() {
        return None;
    }
    let mut halves: Vec<u8> = bytes.iter().flat_map(|byte| [byte & 15, byte >> 4]).collect();
    let mut elements: Vec<(usize, usize)> = Vec::with_capacity(halves.len());
    Expected::new(columns, endings).take(&mut halves, |contexts, halves| {
        elements.extend(contexts.iter().zip(&*halves).map(|(&context, &half)| (context.into(), half.into())));
    });
    let mut counts = [[0; VALUES]; CONTEXTS];
    elements.iter().for_each(|&(context, half)| counts[context][half] += 1);
    let occurs: [bool; VALUES] = array::from_fn(|half| counts.iter().any(|counts| counts[half] > 0));
    // Where nothing stands, all that occurs is as likely.
    let unused = |counts: &&mut [usize; VALUES]| counts.iter().all(|&count| count == 0);
    counts.iter_mut().filter(unused).for_each(|counts| *counts = occurs.map(usize::from));
    let intervals = counts.map(|counts| intervals::<TOTAL>(&counts));

    let mut coded = (columns as u32).to_le_bytes().to_vec();
    coded.extend(pack_bits(&occurs));
    for intervals in &intervals {
        let told = intervals.iter().zip(occurs).filter(|(_, occurs)| *occurs);
        coded.extend(told.flat_map(|((_, frequency), _)| (*frequency as u16).to_le_bytes()));
    }
    coded.extend(encode_intervals::<TOTAL>(elements.iter().map(|&(context, half)| intervals[context][half])));
    Some(coded)
}

/// Rows as they are decoded.
pub(super) struct Decoder<'a> {
    /// Of each context.
    tables: Vec<[u32; TOTAL]>,
    coders: Coders<'a>,
    expected: Expected<'a>,
    /// Room for elements, one a byte.
    halves: Vec<u8>,
}

impl<'a> Decoder<'a> {
    /// Reads the number of columns and the tables of frequencies.
    pub fn new(mut coded: Stored<'a>, endings: &'a [u16], section: &'static str) -> Result<Decoder<'a>, Error> {
        let columns = u32::from_le_bytes(coded.array(section)?) as usize;
        if columns == 0 || columns > limits::UNITS {
            return Err(Error::corrupt(section, "its rows are of no allowed length"));
        }
        let set = u16::from_le_bytes(coded.array(section)?);
        let occurring: Vec<u8> = (0..VALUES as u8).filter(|half| set >> half & 1 == 1).collect();
        let mut tables = vec![[0; TOTAL]; CONTEXTS];
        for table in &mut tables {
            let frequencies = coded.take(2 * occurring.len(), section)?;
            if !fill_table(table, occurring.iter().copied().zip(frequencies.as_chunks().0.iter().copied())) {
                return Err(Error::corrupt(section, INVALID_TABLE));
            }
        }
        let (coders, expected) = (Coders::new(coded, section)?, Expected::new(columns, endings));
        Ok(Decoder { tables, coders, expected, halves: vec![0; Words::MOST] })
    }

    /// Decodes the next bytes.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for bytes in bytes.chunks_mut(Words::MOST / 2) {
            let halves = &mut self.halves[..2 * bytes.len()];
            let (tables, expected) = (&self.tables, &mut self.expected);
            self.coders.give(halves.len(), |turns| {
                expected.take(halves, |contexts, halves| {
                    let next = |&context: &u8| turns.next(&tables[usize::from(context)]);
                    halves.iter_mut().zip(contexts.iter().map(next)).for_each(|(to, half)| *to = half);
                });
            });
            bytes.iter_mut().zip(halves.as_chunks().0).for_each(|(to, [low, high])| *to = low | high << 4);
        }
    }

    /// Checks that all has been decoded.
    pub fn finish(self) -> Result<(), Error> {
        self.coders.finish()
    }
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::super::stored::tests::{check_long, in_two_pieces};
    use super::*;
    use proptest::prelude::*;

    fn decode(coded: &[u8], endings: &[u16], first: usize, length: usize) -> Result<Vec<u8>, Error> {
        let mut decoder = Decoder::new(Stored::all(&coded), endings, "test")?;
        let bytes = in_two_pieces(first, length, |piece| decoder.fill(piece));
        decoder.finish().map(|()| bytes)
    }

    proptest! {
        #[test]
        fn decoding_reverts_coding(
            bytes in prop::collection::vec(prop_oneof![9 => 0u8..5, 1 => any::<u8>()], 1..2000),
            columns in 1usize..40,
            endings in prop::collection::vec(any::<u16>(), 0..200),
            first in 0usize..100,
        ) {
            let coded = encode(&bytes, columns, &endings).unwrap();
            prop_assert_eq!(decode(&coded, &endings, first, bytes.len()), Ok(bytes));
        }

        #[test]
        fn no_bytes_do_harm(coded: Vec<u8>, length in 0usize..100) {
            decode(&coded, &[1, 2], 30, length).ok();
        }

        #[test]
        fn changed_bytes_do_no_harm(bytes in prop::collection::vec(0u8..9, 1..300), at: prop::sample::Index, to: u8) {
            let mut coded = encode(&bytes, 7, &[3; 20]).unwrap();
            let at = at.index(coded.len());
            coded[at] = to;
            decode(&coded, &[3; 20], 30, bytes.len()).ok();
        }
    }

    #[test]
    fn more_bytes_than_are_fetched_at_a_time_are_decoded() {
        let bytes: Vec<u8> = (0..300_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
        let endings: Vec<u16> = (0..9000).map(|row| row % 11).collect();
        check_long(&encode(&bytes, 64, &endings).unwrap(), &bytes, |coded| {
            decode(coded, &endings, 70_001, bytes.len())
        });
    }

    #[test]
    fn what_rows_have_in_common_with_those_before_costs_little() {
        let hash = |number: u32| (number + 1).wrapping_mul(2_654_435_761) >> 16;
        // 2,000 rows, each one of five.
        let length = |kind: &dyn Fn(u32) -> u32, endings: &[u16]| {
            let row = |at: u32| (0..16).map(move |byte| (hash(16 * kind(at) + byte) & 0x33) as u8);
            encode(&(0..2000).flat_map(row).collect::<Vec<_>>(), 32, endings).unwrap().len()
        };
        let any = |at: u32| hash(at) % 5;
        let endings: Vec<u16> = (0..2000).map(|at| any(at) as u16).collect();
        let (above, by_ending, neither) = (length(&|at| at / 400, &[]), length(&any, &endings), length(&any, &[]));
        assert!(above < neither / 2 && by_ending < neither / 2, "{above} and {by_ending}, {neither}");
    }

    #[test]
    fn narrow_rows_have_their_own_endings() {
        // Two special tokens, then "bona", "fona", "rona", "zet": the first three end alike.
        let words = b"bona\x04fona\x04rona\x04zet";
        let endings = Endings::new(words, 6, Some(&[true, false, true, false, false, true]));
        let [embedding, narrow] = [SectionKind::Embedding, SectionKind::NarrowEmbedding].map(|kind| endings.of(kind));
        assert_eq!((embedding.len(), narrow.len()), (3, 3));
        assert_eq!((embedding[0], narrow[0]), (0, 0));
        assert_eq!((embedding[1], embedding[2]), (narrow[1], narrow[1]));
        assert_ne!(narrow[2], narrow[1]);
        assert!(endings.of(SectionKind::LayerInput).is_empty());
        // Of all rows, if none are narrow; more words than rows do no harm.
        assert_eq!(Endings::new(words, 6, None).of(SectionKind::Output).len(), 6);
        assert_eq!(Endings::new(words, 2, None).of(SectionKind::Output).len(), 2);
    }

    #[test]
    fn rows_of_no_allowed_length_are_refused() {
        assert_eq!(encode(&[], 3, &[]), None);
        let coded = encode(&[1, 2, 3], 3, &[]).unwrap();
        for columns in [0, limits::UNITS as u32 + 1, u32::MAX] {
            let coded = [&columns.to_le_bytes(), &coded[4..]].concat();
            assert!(decode(&coded, &[], 0, 3).is_err(), "{columns}");
        }
    }
}
