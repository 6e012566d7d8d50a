//! A sorted list of words, front-coded (Witten, Moffat & Bell, Managing Gigabytes, section 4.1): each word is told by the number
//! of bytes that it shares with the one before and by the rest.
//!
//! In memory the list begins anew with every 16th word, so that word <-> index is a binary search and a short walk. A flat
//! list of 100,000 Polish words would take twice as much.

use std::ops::Range;

/// The largest value of a control byte's half; in the suffix half it says that a length byte follows.
const NIBBLE: usize = 15;
/// Longer words are refused: they are not words.
pub const MAX_WORD_BYTES: usize = 100;
/// So many words begin with one that is written out.
const BLOCK: usize = 16;

/// Sorted, distinct words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WordList {
    /// The rests of the words.
    text: String,
    words: Vec<Word>,
    /// Where in `text` each block begins.
    starts: Vec<u32>,
}

/// A word by the one before it; at most [`MAX_WORD_BYTES`] each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Word {
    /// Bytes in common, whole characters.
    shared: u8,
    /// Bytes of the rest.
    rest: u8,
}

/// A walk along the list.
pub struct Walk<'a> {
    list: &'a WordList,
    /// The index of the next word.
    next: usize,
    /// Where in the text its rest begins.
    at: usize,
    word: String,
}

impl WordList {
    /// Takes words in ascending order of their bytes; the reason if they are not, or not all of 1 to
    /// 100 bytes (`MAX_WORD_BYTES`).
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<WordList, &'static str> {
        let mut list = WordList::default();
        let mut last = String::new();
        for word in words {
            list.push(&mut last, word)?;
        }
        Ok(list)
    }

    /// Appends a word and makes it the `last` one.
    fn push(&mut self, last: &mut String, word: &str) -> Result<(), &'static str> {
        if word.is_empty() || word.len() > MAX_WORD_BYTES {
            return Err("a word is empty or too long");
        }
        if !self.is_empty() && last.as_str() >= word {
            return Err("words are not in ascending order");
        }
        let mut shared = 0;
        if self.len().is_multiple_of(BLOCK) {
            self.starts.push(u32::try_from(self.text.len()).map_err(|_| "the word list is too long")?);
        } else {
            shared = word.floor_char_boundary(in_common(last, word));
        }
        self.text.push_str(&word[shared..]);
        self.words.push(Word { shared: shared as u8, rest: (word.len() - shared) as u8 });
        last.clear();
        last.push_str(word);
        Ok(())
    }

    /// Front-codes the list for a file. A word is a control byte (low half: bytes shared with the word before, at most 15; high
    /// half: length of the rest, 15 if a byte with the length follows) and the rest.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.text.len());
        let mut previous = String::new();
        let mut walk = self.walk();
        while let Some(word) = walk.next() {
            let shared = in_common(&previous, word).min(NIBBLE);
            let rest = &word.as_bytes()[shared..];
            bytes.push((shared | rest.len().min(NIBBLE) << 4) as u8);
            if rest.len() >= NIBBLE {
                bytes.push(rest.len() as u8);
            }
            bytes.extend_from_slice(rest);
            previous.clear();
            previous.push_str(word);
        }
        bytes
    }

    /// Reads a front-coded list; the reason if `bytes` are not one.
    pub fn decode(bytes: &[u8]) -> Result<WordList, &'static str> {
        let mut list = WordList::with_room_for(bytes);
        let (mut word, mut last): (Vec<u8>, _) = (Vec::new(), String::new());
        let mut bytes = bytes.iter().copied();
        while let Some(control) = bytes.next() {
            let (shared, mut rest) = (control as usize & NIBBLE, control as usize >> 4);
            if rest == NIBBLE {
                rest = bytes.next().ok_or("the word list ends inside a word")? as usize;
            }
            if shared > word.len() {
                return Err("a word shares more than the one before has");
            }
            word.truncate(shared);
            word.extend(bytes.by_ref().take(rest));
            if word.len() != shared + rest {
                return Err("the word list ends inside a word");
            }
            list.push(&mut last, std::str::from_utf8(&word).map_err(|_| "a word is not UTF-8")?)?;
        }
        list.text.shrink_to_fit();
        Ok(list)
    }

    /// An empty list with room for a front-coded one: memory that grew word by word would take twice as much at the end, for
    /// good in a page.
    fn with_room_for(bytes: &[u8]) -> WordList {
        let (mut words, mut at) = (0_usize, 0);
        while let Some(&control) = bytes.get(at) {
            let long = control as usize >> 4 == NIBBLE;
            let rest = if long { bytes.get(at + 1).map_or(0, |&rest| rest as usize) } else { control as usize >> 4 };
            words += 1;
            at += 1 + usize::from(long) + rest;
        }
        let blocks = words.div_ceil(BLOCK);
        WordList {
            // The rests, less a control byte each, and what the first words of the blocks share, by guess.
            text: String::with_capacity(bytes.len().saturating_sub(words) + blocks * NIBBLE / 2),
            words: Vec::with_capacity(words),
            starts: Vec::with_capacity(blocks),
        }
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.words.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// The word at `index`, which is less than [`WordList::len`].
    pub fn get(&self, index: usize) -> String {
        let mut walk = self.walk();
        walk.seek(index);
        walk.word
    }

    /// A walk from the first word on.
    pub fn walk(&self) -> Walk<'_> {
        Walk { list: self, next: 0, at: 0, word: String::with_capacity(MAX_WORD_BYTES) }
    }

    /// The index of `word`.
    pub fn find(&self, word: &str) -> Option<usize> {
        let (at, found) = self.partition_point(&|other| other < word);
        (at < self.len() && found == word).then_some(at)
    }

    /// The words that begin with `prefix`.
    pub fn with_prefix(&self, prefix: &str) -> Range<usize> {
        let start = self.partition_point(&|word| word < prefix).0;
        let end = self.partition_point(&|word| word < prefix || word.starts_with(prefix)).0;
        start..end
    }

    /// The first word that is not `before`, and its index; an empty one and the list's length if there is none.
    fn partition_point(&self, before: &dyn Fn(&str) -> bool) -> (usize, String) {
        let first = |block: usize| {
            let start = self.starts[block] as usize;
            &self.text[start..start + self.words[block * BLOCK].rest as usize]
        };
        let (mut low, mut high) = (0, self.starts.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if before(first(middle)) { low = middle + 1 } else { high = middle }
        }
        // The words before that block's first may not all be.
        let mut walk = self.walk();
        walk.go_to(low.saturating_sub(1));
        loop {
            let index = walk.next;
            match walk.next() {
                Some(word) if before(word) => {}
                Some(word) => return (index, word.to_owned()),
                None => return (index, String::new()),
            }
        }
    }
}

impl Walk<'_> {
    /// The next word.
    pub fn next(&mut self) -> Option<&str> {
        let &Word { shared, rest } = self.list.words.get(self.next)?;
        let end = self.at + usize::from(rest);
        self.word.truncate(shared.into());
        self.word.push_str(&self.list.text[self.at..end]);
        (self.next, self.at) = (self.next + 1, end);
        Some(&self.word)
    }

    /// The word at `index`. To go on to one that is not far costs less than [`WordList::get`].
    pub fn seek(&mut self, index: usize) -> Option<&str> {
        if index < self.next || index / BLOCK != self.next / BLOCK {
            self.go_to(index / BLOCK);
        }
        while self.next < index {
            self.next()?;
        }
        self.next()
    }

    fn go_to(&mut self, block: usize) {
        let start = self.list.starts.get(block).map_or(self.list.text.len(), |&start| start as usize);
        (self.next, self.at) = ((block * BLOCK).min(self.list.len()), start);
        self.word.clear();
    }
}

/// Bytes at the beginning that two words have in common.
fn in_common(a: &str, b: &str) -> usize {
    a.bytes().zip(b.bytes()).take_while(|(a, b)| a == b).count()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn round_trip(words in prop::collection::btree_set("[a-cąćźż]{1,24}", 0..80)) {
            let list = WordList::new(words.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(WordList::decode(&list.encode()).unwrap(), list);
        }

        #[test]
        fn ranges_and_places(words in prop::collection::btree_set("[a-cźż]{1,5}", 1..60), prefix in "[a-cźż]{0,3}") {
            let list = WordList::new(words.iter().map(String::as_str)).unwrap();
            let found: BTreeSet<_> = list.with_prefix(&prefix).map(|i| list.get(i)).collect();
            let wanted: BTreeSet<_> = words.iter().filter(|w| w.starts_with(&prefix)).cloned().collect();
            prop_assert_eq!(found, wanted);
            for (index, word) in words.iter().enumerate() {
                prop_assert_eq!(list.find(word), Some(index));
            }
            prop_assert_eq!(list.find(&format!("{prefix}zz")), None);
        }

        #[test]
        fn a_walk_goes_anywhere(
            words in prop::collection::btree_set("[a-cąćźż]{1,6}", 0..120),
            places in prop::collection::vec(0usize..130, 0..40),
        ) {
            let list = WordList::new(words.iter().map(String::as_str)).unwrap();
            let words: Vec<&String> = words.iter().collect();
            let mut walk = list.walk();
            for place in places {
                prop_assert_eq!(walk.seek(place), words.get(place).map(|word| word.as_str()));
                prop_assert_eq!(walk.next(), words.get(place + 1).map(|word| word.as_str()));
            }
        }

        #[test]
        fn any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = WordList::decode(&bytes);
        }
    }

    #[test]
    fn bad_lists() {
        assert!(WordList::new(["b", "a"]).is_err());
        assert!(WordList::new(["a", "a"]).is_err());
        assert!(WordList::new([""]).is_err());
        assert!(WordList::decode(&[0x10]).is_err());
        assert!(WordList::decode(&[0x11, b'a']).is_err());
    }
}
