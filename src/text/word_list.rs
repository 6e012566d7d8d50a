//! A sorted list of words, front-coded (Witten, Moffat & Bell, Managing Gigabytes, section 4.1): each word is told by the number
//! of bytes that it does not share with the end of the one before, and by the rest.
//!
//! In memory the list begins anew with every 32nd word, so that word <-> index is a binary search and a short walk. A flat
//! list of 100,000 Polish words would take twice as much.

use std::ops::Range;

use super::fold::plain_letters;

/// Bytes below are no letters: they tell how many bytes the word before is cut by.
const LEAST_LETTER: u8 = 32;
/// Says that so many bytes are cut off, and that another number follows.
const MORE: u8 = LEAST_LETTER - 1;
/// Longer words are refused: they are not words.
pub const MAX_WORD_BYTES: usize = 100;
/// Bytes of a word's ending, which tell much of how it is used.
const ENDING: usize = 3;
/// So many words begin with one that is written out.
const BLOCK: usize = 32;

/// Beginnings that are looked for at most to find what may be meant: what is typed in Polish takes some dozens, a list that is
/// made for it could take millions.
const MOST_SPELLINGS: usize = 4096;

/// Sorted, distinct words.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct WordList {
    /// Of each word, by how much the one before is cut, in whole characters, and the rest.
    text: String,
    len: usize,
    /// Where in `text` each block begins.
    starts: Vec<u32>,
    /// The letters with diacritics that occur, in the order of their first words.
    accents: Vec<char>,
}

/// A walk along the list.
pub struct Walk<'a> {
    list: &'a WordList,
    /// The index of the next word.
    next: usize,
    /// Where in the text it begins.
    at: usize,
    word: String,
}

/// A search for what may be meant by plain letters.
struct Search<'a> {
    list: &'a WordList,
    /// The beginning that is looked for.
    spelling: String,
    found: Vec<Range<usize>>,
    /// How many more beginnings may be looked for.
    left: usize,
}

impl Search<'_> {
    /// Finds the words that begin with the spelling, and behind it may mean `typed`.
    fn spell(&mut self, typed: &str) {
        let Some(left) = self.left.checked_sub(1) else { return };
        self.left = left;
        let range = self.list.with_prefix(&self.spelling);
        if range.is_empty() {
            return;
        }
        let Some(first) = typed.chars().next() else {
            self.found.push(range);
            return;
        };
        self.spell_behind(first, &typed[first.len_utf8()..]);
        for &letter in &self.list.accents {
            let plain = plain_letters(letter).unwrap_or_default();
            // The beginning of several letters for one is a beginning, too.
            if letter != first && (typed.starts_with(plain) || plain.starts_with(typed)) {
                self.spell_behind(letter, &typed[plain.len().min(typed.len())..]);
            }
        }
    }

    fn spell_behind(&mut self, letter: char, typed: &str) {
        let length = self.spelling.len();
        self.spelling.push(letter);
        self.spell(typed);
        self.spelling.truncate(length);
    }
}

impl WordList {
    /// Takes words in ascending order of their bytes; the reason if they are not, or not all of 1 to
    /// 100 bytes (`MAX_WORD_BYTES`) that are none of control.
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
        if word.is_empty() || word.len() > MAX_WORD_BYTES || word.bytes().any(|byte| byte < LEAST_LETTER) {
            return Err("a word is empty, too long or not of letters");
        }
        if !self.is_empty() && last.as_str() >= word {
            return Err("words are not in ascending order");
        }
        if self.len.is_multiple_of(BLOCK) {
            self.starts.push(u32::try_from(self.text.len()).map_err(|_| "the word list is too long")?);
            last.clear();
        }
        let shared = word.floor_char_boundary(in_common(last.as_bytes(), word.as_bytes()));
        cut(last.len() - shared).for_each(|byte| self.text.push(char::from(byte)));
        let rest = &word[shared..];
        self.text.push_str(rest);
        for letter in rest.chars().filter(|letter| !letter.is_ascii() && plain_letters(*letter).is_some()) {
            if !self.accents.contains(&letter) {
                self.accents.push(letter);
            }
        }
        self.len += 1;
        last.clear();
        last.push_str(word);
        Ok(())
    }

    /// Front-codes the list for a file: of each word the number of bytes at the end of the word before that it does not begin with
    /// (a byte of 31 for each 31 of them, and one for what is left), and the rest.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(self.text.len());
        let mut previous = String::new();
        let mut walk = self.walk();
        while let Some(word) = walk.next() {
            let shared = in_common(previous.as_bytes(), word.as_bytes());
            bytes.extend(cut(previous.len() - shared));
            bytes.extend_from_slice(&word.as_bytes()[shared..]);
            previous.clear();
            previous.push_str(word);
        }
        bytes
    }

    /// Reads a front-coded list; the reason if `bytes` are not one.
    pub fn decode(bytes: &[u8]) -> Result<WordList, &'static str> {
        let blocks = count(bytes).div_ceil(BLOCK);
        // With room for all: memory that grew word by word would take twice as much at the end, for good in a page. What the
        // first words of the blocks share is a guess.
        let (text, starts) = (String::with_capacity(bytes.len() + blocks * 8), Vec::with_capacity(blocks));
        let mut list = WordList { text, starts, ..WordList::default() };
        let (mut word, mut last): (Vec<u8>, _) = (Vec::new(), String::new());
        let mut at = 0;
        if bytes.first().is_some_and(|&byte| byte >= LEAST_LETTER) {
            return Err("the word list begins inside a word");
        }
        while at < bytes.len() {
            let (cut, rest) = read_word(bytes, at);
            let shared = word.len().checked_sub(cut).ok_or("a word shares more than the one before has")?;
            word.truncate(shared);
            word.extend_from_slice(&bytes[rest.clone()]);
            at = rest.end;
            list.push(&mut last, std::str::from_utf8(&word).map_err(|_| "a word is not UTF-8")?)?;
        }
        list.text.shrink_to_fit();
        Ok(list)
    }

    /// Number of words.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there is no word.
    pub fn is_empty(&self) -> bool {
        self.len == 0
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
        let (at, is_there) = self.search(word, false);
        is_there.then_some(at)
    }

    /// The words that begin with `prefix`.
    pub fn with_prefix(&self, prefix: &str) -> Range<usize> {
        self.search(prefix, false).0..self.search(prefix, true).0
    }

    /// The words that may be meant by `typed`, as [`may_mean`](super::may_mean) has it, those that begin with it among them:
    /// ranges that do not overlap, none of them empty.
    pub fn meant_by(&self, typed: &str) -> Vec<Range<usize>> {
        let mut search = Search {
            list: self,
            spelling: String::with_capacity(typed.len()),
            found: Vec::new(),
            left: MOST_SPELLINGS,
        };
        search.spell(typed);
        search.found
    }

    /// Whether the other list has a word of this one.
    pub fn has_one_of(&self, other: &WordList) -> bool {
        let (mut own, mut others) = (self.walk(), other.walk());
        let mut is_left = own.next().is_some();
        while let Some(word) = others.next() {
            while is_left && own.word.as_str() < word {
                is_left = own.next().is_some();
            }
            if is_left && own.word == word {
                return true;
            }
        }
        false
    }

    /// The index of the first word that is not less than `target` nor, if `past` is set, begins with it; and whether it is the
    /// target.
    fn search(&self, target: &str, past: bool) -> (usize, bool) {
        let (text, target) = (self.text.as_bytes(), target.as_bytes());
        let is_before = |word: &[u8], target: &[u8]| word < target || past && word.starts_with(target);
        let first = |&start: &u32| &text[read_word(text, start as usize).1];
        // The words before that block's first may not all be.
        let block = self.starts.partition_point(|start| is_before(first(start), target)).saturating_sub(1);
        let mut at = self.starts.get(block).map_or(text.len(), |&start| start as usize);
        let mut index = block * BLOCK;
        // Of the word before: its bytes, and how many of them it begins with as the target does.
        let (mut length, mut common) = (0, 0);
        while at < text.len() {
            let (cut, rest) = read_word(text, at);
            let shared = if index.is_multiple_of(BLOCK) { 0 } else { length - cut };
            (length, at) = (shared + rest.len(), rest.end);
            // Otherwise it differs from the target where the word before does, which is before it.
            if shared <= common {
                let (rest, wanted) = (&text[rest], &target[shared..]);
                if !is_before(rest, wanted) {
                    return (index, rest == wanted);
                }
                common = shared + in_common(rest, wanted);
            }
            index += 1;
        }
        (index, false)
    }
}

impl Walk<'_> {
    /// The next word.
    pub fn next(&mut self) -> Option<&str> {
        if self.next == self.list.len {
            return None;
        }
        if self.next.is_multiple_of(BLOCK) {
            self.word.clear();
        }
        let (cut, rest) = read_word(self.list.text.as_bytes(), self.at);
        self.word.truncate(self.word.len() - cut);
        self.word.push_str(&self.list.text[rest.clone()]);
        (self.next, self.at) = (self.next + 1, rest.end);
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

/// Of each word of a front-coded list of any bytes, a number that words with the same last three bytes have in common.
pub(crate) fn endings(list: &[u8]) -> Vec<u16> {
    let (mut word, mut at, mut endings): (Vec<u8>, _, _) = (Vec::new(), 0, Vec::with_capacity(count(list)));
    while at < list.len() {
        let (cut, rest) = read_word(list, at);
        word.truncate(word.len().saturating_sub(cut));
        word.extend_from_slice(&list[rest.clone()]);
        at = rest.end;
        let ending = word.iter().rev().take(ENDING).fold(0, |ending, &byte| ending << 8 | u32::from(byte));
        // Knuth's multiplicative hash.
        endings.push((ending.wrapping_mul(0x9e37_79b1) >> 16) as u16);
    }
    endings
}

/// The number of words of a front-coded list.
fn count(list: &[u8]) -> usize {
    list.iter().filter(|&&byte| byte < MORE).count()
}

/// The bytes that tell that a word is cut by so many.
fn cut(count: usize) -> impl Iterator<Item = u8> {
    let more = usize::from(MORE);
    std::iter::repeat_n(MORE, count / more).chain([(count % more) as u8])
}

/// Of the word that begins at `at`, by how much the one before is cut, and where the rest is. Any bytes can be read, as long as
/// there is one at `at`; at least one is.
fn read_word(bytes: &[u8], at: usize) -> (usize, Range<usize>) {
    let mut cut = 0;
    let numbers = bytes[at..].iter().take_while(|&&byte| byte < LEAST_LETTER);
    let mut begin = at;
    for &byte in numbers {
        (cut, begin) = (cut + usize::from(byte), begin + 1);
        if byte < MORE {
            break;
        }
    }
    let rest = bytes[begin..].iter().take_while(|&&byte| byte >= LEAST_LETTER).count();
    (cut, begin..begin + rest)
}

/// Bytes at the beginning that two have in common.
fn in_common(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use crate::text::may_mean;
    use proptest::prelude::*;
    use std::collections::BTreeSet;

    proptest! {
        #[test]
        fn round_trip(words in prop::collection::btree_set("[a-cąćźż]{1,24}", 0..80)) {
            let list = WordList::new(words.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(WordList::decode(&list.encode()).unwrap(), list);
        }

        #[test]
        fn ranges_and_places(words in prop::collection::btree_set("[a-cźż]{1,5}", 1..300), prefix in "[a-cźż]{0,3}") {
            let list = WordList::new(words.iter().map(String::as_str)).unwrap();
            let found: BTreeSet<_> = list.with_prefix(&prefix).map(|i| list.get(i)).collect();
            let wanted: BTreeSet<_> = words.iter().filter(|w| w.starts_with(&prefix)).cloned().collect();
            prop_assert_eq!(found, wanted);
            for (index, word) in words.iter().enumerate() {
                prop_assert_eq!(list.find(word), Some(index));
            }
            prop_assert_eq!(list.find(&prefix).is_some(), words.contains(&prefix));
        }

        #[test]
        fn what_is_meant(words in prop::collection::btree_set("[azżśæoeß]{1,5}", 1..60), typed in "[azżsoe]{0,4}") {
            let list = WordList::new(words.iter().map(String::as_str)).unwrap();
            let found: Vec<usize> = list.meant_by(&typed).into_iter().flatten().collect();
            let wanted: BTreeSet<_> = (0..words.len()).filter(|&index| may_mean(&typed, &list.get(index))).collect();
            prop_assert_eq!(found.len(), wanted.len());
            prop_assert_eq!(BTreeSet::from_iter(found), wanted);
        }

        #[test]
        fn words_in_common(
            a in prop::collection::btree_set("[a-c]{1,4}", 0..20),
            b in prop::collection::btree_set("[a-c]{1,4}", 0..20),
        ) {
            let list = |words: &BTreeSet<String>| WordList::new(words.iter().map(String::as_str)).unwrap();
            prop_assert_eq!(list(&a).has_one_of(&list(&b)), !a.is_disjoint(&b));
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
    fn long_words_are_cut_by_more_than_one_byte() {
        let long = ["a".repeat(100), format!("{}b", "a".repeat(38)), "b".repeat(62), "c".into()];
        let list = WordList::new(long.iter().map(String::as_str)).unwrap();
        assert_eq!(WordList::decode(&list.encode()).unwrap(), list);
        assert_eq!([0, 1, 2, 3].map(|index| list.get(index)), long);
    }

    #[test]
    fn a_search_ends() {
        // All words of 13 letters that are a or á: each of them may be meant.
        let spelling = |word: u32| (0..13).map(|bit| if word >> bit & 1 == 0 { 'a' } else { 'á' }).collect::<String>();
        let words: BTreeSet<String> = (0..1 << 13).map(spelling).collect();
        let list = WordList::new(words.iter().map(String::as_str)).unwrap();
        let found = list.meant_by(&"a".repeat(13));
        assert!((1000..=MOST_SPELLINGS).contains(&found.len()), "{}", found.len());
        assert_eq!(list.meant_by("aaaaa").into_iter().flatten().count(), 1 << 13);
    }

    #[test]
    fn the_bytes_are_those_of_the_format() {
        let list = WordList::new(["go", "gone", "got", "hi"]).unwrap();
        assert_eq!(list.encode(), b"\0go\0ne\x02t\x03hi");
    }

    #[test]
    fn bad_lists() {
        assert!(WordList::new(["b", "a"]).is_err());
        assert!(WordList::new(["a", "a"]).is_err());
        assert!(WordList::new([""]).is_err());
        assert!(WordList::new(["a\tb"]).is_err());
        for bytes in [&b"a"[..], b"\0", b"\x01a", b"\0a\x01", b"\0b\x01a", b"\0a\x1f", b"\0\xff"] {
            assert!(WordList::decode(bytes).is_err(), "{bytes:?}");
        }
    }
}
