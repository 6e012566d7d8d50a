//! The vocabulary: which row of the network is which token.
//!
//! Rows `0..specials` are tokens that are not words: `<unk>`, `</s>`, `<num>`, then punctuation marks. The words follow
//! in ascending order of their bytes, so that every prefix is one contiguous range of rows. Behind the rows are the numbers of
//! the [rare words](RareWords), in the same order: they can be offered, but as part of a text they are `<unk>`.

use std::iter;
use std::ops::Range;

use super::{Casing, RareWords, Token, WordList};

/// The row of every word that the vocabulary lacks.
pub const UNKNOWN: u32 = 0;
/// The row of a line's end, which is also what stands before the first word of a text.
pub const LINE_END: u32 = 1;
/// The row of every number.
pub const NUMBER: u32 = 2;
/// The names of the first rows, in order.
const NAMED: [&str; 3] = ["<unk>", "</s>", "<num>"];

/// What a model says of a word besides its spelling, in one byte of the file: bits 0 and 1 the [`Casing`], bit 2 that
/// the word is read but never offered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WordFlags {
    /// How the word is usually written.
    pub casing: Casing,
    /// Whether the word may be suggested.
    pub offered: bool,
}

impl WordFlags {
    const NEVER_OFFERED: u8 = 4;

    /// The byte that stands in the file.
    pub fn to_byte(self) -> u8 {
        self.casing.to_bits() | if self.offered { 0 } else { Self::NEVER_OFFERED }
    }

    /// The inverse of [`to_byte`](Self::to_byte).
    pub fn from_byte(byte: u8) -> WordFlags {
        WordFlags { casing: Casing::from_bits(byte), offered: byte & Self::NEVER_OFFERED == 0 }
    }
}

/// Words and other tokens <-> rows of the network.
#[derive(Debug, Clone)]
pub struct Vocabulary {
    /// Punctuation marks, at rows 3 and up.
    marks: Vec<char>,
    words: WordList,
    /// Of each word its [`WordFlags`].
    flags: Vec<u8>,
    /// Spellings of the words of mixed casing, with their index, in ascending order.
    mixed: Vec<(u32, String)>,
    rare: RareWords,
}

impl Vocabulary {
    /// Builds a vocabulary from the parts that stand in a model file; the reason if they do not fit together.
    ///
    /// `specials` are the names of the first rows, one a line: `<unk>`, `</s>`, `<num>`, then punctuation marks of one
    /// character. `flags` has a byte of [`WordFlags`] for each of the words, and `mixed` the
    /// spelling of each word of mixed casing, one a line, in the words' order.
    pub fn from_parts(
        specials: &str,
        words: WordList,
        flags: Vec<u8>,
        mixed: &str,
    ) -> Result<Vocabulary, &'static str> {
        if flags.len() != words.len() {
            return Err("there are not as many word flags as words");
        }
        if flags.iter().any(|&byte| WordFlags::from_byte(byte).to_byte() != byte) {
            return Err("unknown word flags");
        }
        let (marks, mixed) = (parse_specials(specials)?, parse_mixed(mixed, &words, &flags)?);
        Ok(Vocabulary { marks, mixed, words, flags, rare: RareWords::default() })
    }

    /// The same with rare words to complete; the reason if one of them is in the vocabulary.
    pub fn with_rare_words(self, rare: RareWords) -> Result<Vocabulary, &'static str> {
        if self.words.has_one_of(rare.words()) {
            return Err("a rare word is in the vocabulary, too");
        }
        Ok(Vocabulary { rare, ..self })
    }

    /// One beyond the numbers of rows and rare words.
    pub fn end(&self) -> u32 {
        (self.len() + self.rare.words().len()) as u32
    }

    /// Number of rows: special tokens and words.
    pub fn len(&self) -> usize {
        self.first_word() + self.words.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    fn first_word(&self) -> usize {
        NAMED.len() + self.marks.len()
    }

    /// The rows that are words.
    pub fn words(&self) -> Range<u32> {
        self.first_word() as u32..self.len() as u32
    }

    /// The row of a token; [`UNKNOWN`] if it has none.
    pub fn id(&self, token: &Token) -> u32 {
        match token {
            Token::Word(word) => self.exact(word).unwrap_or(UNKNOWN),
            Token::Number => NUMBER,
            Token::LineEnd => LINE_END,
            Token::Punctuation(mark) => {
                self.marks.iter().position(|m| m == mark).map_or(UNKNOWN, |at| (NAMED.len() + at) as u32)
            }
        }
    }

    /// The row of a normalized word.
    pub fn exact(&self, word: &str) -> Option<u32> {
        self.words.find(word).map(|index| (self.first_word() + index) as u32)
    }

    /// The number of a normalized word: its row, or its place among the rare words.
    pub fn find(&self, word: &str) -> Option<u32> {
        let rare = || self.rare.words().find(word).map(|index| (self.len() + index) as u32);
        self.exact(word).or_else(rare)
    }

    /// The numbers of the words that begin with a normalized prefix: rows, then rare words. Without a prefix every row.
    pub fn with_prefix(&self, prefix: &str) -> [Range<u32>; 2] {
        if prefix.is_empty() {
            return [0..self.len() as u32, 0..0];
        }
        let (rows, rare) = (self.words.with_prefix(prefix), self.rare.words().with_prefix(prefix));
        [self.numbers(self.first_word(), rows), self.numbers(self.len(), rare)]
    }

    /// The numbers of the words that may be meant by a normalized prefix, see [`may_mean`](super::may_mean): ranges that do not
    /// overlap. Without a prefix every row.
    pub fn meant_by(&self, prefix: &str) -> Vec<Range<u32>> {
        if prefix.is_empty() {
            return iter::once(0..self.len() as u32).collect();
        }
        let rows = self.words.meant_by(prefix).into_iter().map(|range| self.numbers(self.first_word(), range));
        let rare = self.rare.words().meant_by(prefix).into_iter().map(|range| self.numbers(self.len(), range));
        rows.chain(rare).collect()
    }

    /// The numbers of words whose indices are told, and the first one's number.
    fn numbers(&self, first: usize, indices: Range<usize>) -> Range<u32> {
        (first + indices.start) as u32..(first + indices.end) as u32
    }

    /// The words behind the rows.
    pub fn rare(&self) -> &RareWords {
        &self.rare
    }

    /// The index among the words of a row that is one.
    fn word_index(&self, id: u32) -> Option<usize> {
        (id as usize).checked_sub(self.first_word()).filter(|&index| index < self.words.len())
    }

    /// The index among the rare words of a number that is one's.
    pub fn rare_index(&self, number: u32) -> Option<usize> {
        (number as usize).checked_sub(self.len()).filter(|&index| index < self.rare.words().len())
    }

    /// The normalized word of a number, or the name of a special token; `<unk>` for a number that is not there.
    pub fn name(&self, id: u32) -> String {
        if let Some(index) = self.word_index(id) {
            return self.words.get(index);
        }
        if let Some(index) = self.rare_index(id) {
            return self.rare.words().get(index);
        }
        match NAMED.get(id as usize) {
            Some(name) => (*name).to_owned(),
            None => self.marks.get(id as usize - NAMED.len()).map_or(NAMED[0].to_owned(), char::to_string),
        }
    }

    /// The word of a number as it is usually written.
    pub fn cased(&self, id: u32) -> String {
        if let Some(index) = self.rare_index(id) {
            return self.rare.cased(index);
        }
        let Some(index) = self.word_index(id) else { return self.name(id) };
        match WordFlags::from_byte(self.flags[index]).casing {
            Casing::Mixed => match self.mixed.binary_search_by_key(&(index as u32), |(word, _)| *word) {
                Ok(at) => self.mixed[at].1.clone(),
                Err(_) => self.words.get(index),
            },
            casing => casing.apply(&self.words.get(index)),
        }
    }

    /// Whether the number is that of a word that may be suggested.
    pub fn is_offered(&self, id: u32) -> bool {
        match self.word_index(id) {
            Some(index) => WordFlags::from_byte(self.flags[index]).offered,
            None => self.rare_index(id).is_some(),
        }
    }
}

fn parse_specials(specials: &str) -> Result<Vec<char>, &'static str> {
    let mut lines = specials.lines();
    if !NAMED.iter().all(|name| lines.next() == Some(name)) {
        return Err("the special tokens do not begin with <unk>, </s>, <num>");
    }
    lines
        .map(|line| {
            let mut chars = line.chars();
            chars.next().filter(|_| chars.next().is_none()).ok_or("a punctuation mark is not one character")
        })
        .collect()
}

fn parse_mixed(mixed: &str, words: &WordList, flags: &[u8]) -> Result<Vec<(u32, String)>, &'static str> {
    let indices = (0..).zip(flags).filter(|&(_, &byte)| WordFlags::from_byte(byte).casing == Casing::Mixed);
    let mut spellings = mixed.lines();
    let parsed: Vec<(u32, String)> =
        indices.clone().zip(&mut spellings).map(|((index, _), spelling)| (index, spelling.to_owned())).collect();
    if parsed.len() != indices.count() || spellings.next().is_some() {
        return Err("there are not as many spellings as words of mixed casing");
    }
    if parsed.iter().any(|(index, spelling)| super::normalize(spelling) != words.get(*index as usize)) {
        return Err("a spelling is not of its word");
    }
    Ok(parsed)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens;

    fn vocabulary() -> Vocabulary {
        let words = WordList::new(["go", "gone", "i'm", "iphone", "london", "the"]).unwrap();
        Vocabulary::from_parts("<unk>\n</s>\n<num>\n.\n,", words, vec![0, 4, 1, 3, 1, 0], "iPhone").unwrap()
    }

    #[test]
    fn rows_of_tokens() {
        let vocabulary = vocabulary();
        let rows: Vec<u32> = tokens("The iPhone, 5 gizmos.\n").map(|token| vocabulary.id(&token)).collect();
        assert_eq!(rows, [10, 8, 4, NUMBER, UNKNOWN, 3, LINE_END]);
        assert_eq!(vocabulary.len(), 11);
        assert_eq!(vocabulary.words(), 5..11);
    }

    #[test]
    fn ranges_and_spellings() {
        let vocabulary = vocabulary();
        assert_eq!(vocabulary.with_prefix("go")[0], 5..7);
        assert_eq!(vocabulary.with_prefix("")[0], 0..11);
        assert!(vocabulary.with_prefix("x").iter().all(Range::is_empty));
        assert_eq!(vocabulary.cased(8), "iPhone");
        assert_eq!(vocabulary.cased(7), "I'm");
        assert_eq!(vocabulary.cased(9), "London");
        assert_eq!(vocabulary.name(4), ",");
        assert_eq!(vocabulary.name(999), "<unk>");
        assert!(vocabulary.is_offered(5) && !vocabulary.is_offered(6) && !vocabulary.is_offered(0));
    }

    #[test]
    fn rare_words_are_behind_the_rows() {
        let words = WordList::new(["gondola", "oslo"]).unwrap();
        let rare = RareWords::from_parts(words, vec![0, 5], -1.0).unwrap();
        let vocabulary = vocabulary().with_rare_words(rare).unwrap();
        assert_eq!((vocabulary.len(), vocabulary.end()), (11, 13));
        assert_eq!(vocabulary.with_prefix("go"), [5..7, 11..12]);
        assert_eq!(vocabulary.meant_by("go"), [5..7, 11..12]);
        assert_eq!(vocabulary.find("gone"), Some(6));
        assert_eq!(vocabulary.find("oslo"), Some(12));
        assert_eq!(vocabulary.id(&Token::Word("oslo".into())), UNKNOWN);
        assert_eq!((vocabulary.name(12), vocabulary.cased(12)), ("oslo".to_owned(), "Oslo".to_owned()));
        assert_eq!((vocabulary.name(13), vocabulary.cased(13)), ("<unk>".to_owned(), "<unk>".to_owned()));
        assert!(vocabulary.is_offered(12) && !vocabulary.is_offered(13));
    }

    #[test]
    fn a_rare_word_is_no_row() {
        for (words, fits) in [(["aaa", "zzz"], true), (["aaa", "gone"], false), (["go", "zzz"], false)] {
            let rare = RareWords::from_parts(WordList::new(words).unwrap(), vec![0, 0], -1.0).unwrap();
            assert_eq!(vocabulary().with_rare_words(rare).is_ok(), fits, "{words:?}");
        }
    }

    #[test]
    fn parts_that_do_not_fit() {
        let words = || WordList::new(["a", "b"]).unwrap();
        let specials = "<unk>\n</s>\n<num>";
        assert!(Vocabulary::from_parts(specials, words(), vec![0, 0], "").is_ok());
        assert!(Vocabulary::from_parts(specials, words(), vec![0], "").is_err());
        assert!(Vocabulary::from_parts(specials, words(), vec![0, 9], "").is_err());
        assert!(Vocabulary::from_parts(specials, words(), vec![0, 3], "").is_err());
        assert!(Vocabulary::from_parts(specials, words(), vec![0, 3], "A").is_err());
        assert!(Vocabulary::from_parts("<unk>\n</s>", words(), vec![0, 0], "").is_err());
        assert!(Vocabulary::from_parts("<unk>\n</s>\n<num>\n..", words(), vec![0, 0], "").is_err());
    }
}
