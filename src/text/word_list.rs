//! A sorted list of words: compact in the file, flat in memory.
//!
//! In the file the list is front-coded (Witten, Moffat & Bell, Managing Gigabytes, section 4.1): each word is told by
//! the number of bytes that it shares with the one before and by the rest. In memory it is one string and the words'
//! ends, so that word <-> index is a binary search and a slice.

use std::ops::Range;

/// The largest value of a control byte's half; in the suffix half it says that a length byte follows.
const NIBBLE: usize = 15;
/// Longer words are refused: they are not words.
pub const MAX_WORD_BYTES: usize = 100;

/// Sorted, distinct words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WordList {
    text: String,
    ends: Vec<u32>,
}

impl WordList {
    /// Takes words in ascending order of their bytes; the reason if they are not, or not all of 1 to
    /// 100 bytes (`MAX_WORD_BYTES`).
    pub fn new<'w>(words: impl IntoIterator<Item = &'w str>) -> Result<WordList, &'static str> {
        let mut list = WordList::default();
        for word in words {
            list.push(word)?;
        }
        Ok(list)
    }

    fn push(&mut self, word: &str) -> Result<(), &'static str> {
        if word.is_empty() || word.len() > MAX_WORD_BYTES {
            return Err("a word is empty or too long");
        }
        if !self.is_empty() && self.get(self.len() - 1) >= word {
            return Err("words are not in ascending order");
        }
        self.text.push_str(word);
        self.ends.push(u32::try_from(self.text.len()).map_err(|_| "the word list is too long")?);
        Ok(())
    }

    /// Front-codes the list. A word is a control byte (low half: bytes shared with the word before, at most 15; high
    /// half: length of the rest, 15 if a byte with the length follows) and the rest.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.text.len());
        let mut previous: &[u8] = &[];
        for index in 0..self.len() {
            let word = self.get(index).as_bytes();
            let shared = previous.iter().zip(word).take_while(|(a, b)| a == b).count().min(NIBBLE);
            let rest = &word[shared..];
            bytes.push((shared | rest.len().min(NIBBLE) << 4) as u8);
            if rest.len() >= NIBBLE {
                bytes.push(rest.len() as u8);
            }
            bytes.extend_from_slice(rest);
            previous = word;
        }
        bytes
    }

    /// Reads a front-coded list; the reason if `bytes` are not one.
    pub fn decode(bytes: &[u8]) -> Result<WordList, &'static str> {
        let (words, length) = sizes(bytes);
        let mut list = WordList { text: String::with_capacity(length), ends: Vec::with_capacity(words) };
        let mut word: Vec<u8> = Vec::new();
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
            list.push(std::str::from_utf8(&word).map_err(|_| "a word is not UTF-8")?)?;
        }
        Ok(list)
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The word at `index`, which is less than [`WordList::len`].
    pub fn get(&self, index: usize) -> &str {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.text[start..self.ends[index] as usize]
    }

    /// The index of `word`.
    pub fn find(&self, word: &str) -> Option<usize> {
        let at = self.partition_point(|other| other < word);
        (at < self.len() && self.get(at) == word).then_some(at)
    }

    /// The words that begin with `prefix`.
    pub fn with_prefix(&self, prefix: &str) -> Range<usize> {
        let start = self.partition_point(|word| word < prefix);
        let end = self.partition_point(|word| word < prefix || word.starts_with(prefix));
        start..end
    }

    fn partition_point(&self, before: impl Fn(&str) -> bool) -> usize {
        let (mut low, mut high) = (0, self.len());
        while low < high {
            let middle = low + (high - low) / 2;
            if before(self.get(middle)) { low = middle + 1 } else { high = middle }
        }
        low
    }
}

/// The number of words of a front-coded list and of their bytes, as its control bytes tell them: memory that grew word by word
/// would take twice as much at the end, for good in a page.
fn sizes(bytes: &[u8]) -> (usize, usize) {
    let (mut words, mut length, mut at) = (0, 0, 0);
    while let Some(&control) = bytes.get(at) {
        let long = control as usize >> 4 == NIBBLE;
        let rest = if long { bytes.get(at + 1).map_or(0, |&rest| rest as usize) } else { control as usize >> 4 };
        words += 1;
        length += (control as usize & NIBBLE) + rest;
        at += 1 + usize::from(long) + rest;
    }
    (words, length)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn round_trip(words in prop::collection::btree_set("[a-cąż]{1,24}", 0..80)) {
            let list = WordList::new(words.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(sizes(&list.encode()), (list.len(), list.text.len()));
            prop_assert_eq!(WordList::decode(&list.encode()).unwrap(), list);
        }

        #[test]
        fn ranges_and_places(words in prop::collection::btree_set("[a-cż]{1,5}", 1..60), prefix in "[a-cż]{0,3}") {
            let list = WordList::new(words.iter().map(String::as_str)).unwrap();
            let found: BTreeSet<_> = list.with_prefix(&prefix).map(|i| list.get(i).to_owned()).collect();
            let wanted: BTreeSet<_> = words.iter().filter(|w| w.starts_with(&prefix)).cloned().collect();
            prop_assert_eq!(found, wanted);
            for (index, word) in words.iter().enumerate() {
                prop_assert_eq!(list.find(word), Some(index));
            }
            prop_assert_eq!(list.find(&format!("{prefix}zz")), None);
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
