//! The words and pairs of words that one person uses: bounded, and fading unless used again.
//!
//! A use weighs 1 when it is learned and half of it [`HALF_LIFE`] words later. Instead of shrinking all weights with
//! each word, the weight of a new use grows; what counts is a weight's ratio to that of a use now.

use std::cmp::Ordering;

use super::window;
use crate::text::{Casing, Token, ends_sentence, may_mean, normalize, split_prefix, tokens};

/// The largest number of words that are kept.
pub const MAX_WORDS: usize = 10_000;

/// The largest number of pairs that are kept.
pub const MAX_PAIRS: usize = 20_000;

/// The largest number of words that are never suggested again.
pub const MAX_BLOCKED: usize = 10_000;

/// After so many learned words a use weighs half.
pub const HALF_LIFE: usize = 5_000;

/// A word that the model does not know may be a slip; it is suggested once its uses weigh this much.
pub const LEAST_OFFERED: f64 = 1.5;

/// 2^(1 / [`HALF_LIFE`]).
const GROWTH: f64 = 1.000_138_639_045_616_4;
/// Weights are scaled back before they can overflow.
const LARGEST_USE: f64 = 1e100;
/// Of as many as may be kept one in so many goes too, so that they do not go one by one.
const EVICTED: usize = 20;
/// Longer words are codes and addresses.
const MAX_WORD_CHARS: usize = 40;
/// The word "before" the first one of a sentence.
pub(super) const START: &str = "";

/// A word with the spelling it was last used in.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Word {
    /// As [`normalize`] has it.
    pub(super) key: String,
    pub(super) spelling: String,
    pub(super) weight: f64,
}

/// Two words that follow each other, both as [`normalize`] has them; the first one is [`START`] for a sentence's start.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Pair {
    pub(super) first: String,
    pub(super) second: String,
    pub(super) weight: f64,
}

/// What somebody's texts have taught so far, and what they never want to see suggested.
///
/// All lists are sorted, so that a prefix or a first word is a slice of them: they are searched with every key and
/// changed once a word.
#[derive(Clone, Debug, PartialEq)]
pub struct Personal {
    pub(super) words: Vec<Word>,
    pub(super) pairs: Vec<Pair>,
    pub(super) blocked: Vec<String>,
    /// What a use weighs now.
    pub(super) one_use: f64,
    /// Sum of the weights of all words.
    total: f64,
}

impl Default for Personal {
    fn default() -> Personal {
        Personal { words: Vec::new(), pairs: Vec::new(), blocked: Vec::new(), one_use: 1.0, total: 0.0 }
    }
}

impl Personal {
    /// Nothing learned, nothing blocked.
    pub fn new() -> Personal {
        Personal::default()
    }

    /// Whether there is nothing that could change a suggestion.
    pub fn is_empty(&self) -> bool {
        self.words.is_empty() && self.blocked.is_empty()
    }

    /// Learns the last word of `text` and the word before it. Gives back the end of the text that teaches the same;
    /// nothing if it does not end with a word: what has digits in it is none.
    pub fn learn(&mut self, text: &str) -> Option<String> {
        let text = window(text);
        let (finished, word) = split_prefix(text.trim_end_matches(['\'', '\u{2019}']));
        if !is_learnable(word) {
            return None;
        }
        let previous = Previous::of(finished);
        self.add_use(&previous, word);
        Some(match previous {
            Previous::Word(previous) => format!("{previous} {word}"),
            Previous::Start => word.to_owned(),
            Previous::Other => format!(", {word}"),
        })
    }

    fn add_use(&mut self, previous: &Previous, word: &str) {
        self.one_use *= GROWTH;
        if self.one_use > LARGEST_USE {
            self.rescale();
        }
        let key = normalize(word).into_owned();
        self.add_word(&key, &spelling_of(word, &key, *previous == Previous::Start), self.one_use);
        if let Some(previous) = previous.key() {
            self.add_pair(previous, &key, self.one_use);
        }
        self.evict();
    }

    /// Adds to the weight of a word; an empty spelling tells nothing about how it is written.
    pub(super) fn add_word(&mut self, key: &str, spelling: &str, weight: f64) {
        let at = self.words.binary_search_by(|word| (*word.key).cmp(key)).unwrap_or_else(|at| {
            self.words.insert(at, Word { key: key.to_owned(), spelling: key.to_owned(), weight: 0.0 });
            at
        });
        let word = &mut self.words[at];
        word.weight += weight;
        if !spelling.is_empty() {
            spelling.clone_into(&mut word.spelling);
        }
        self.total += weight;
    }

    pub(super) fn add_pair(&mut self, first: &str, second: &str, weight: f64) {
        let at = self.pairs.binary_search_by(|pair| pair.cmp(first, second)).unwrap_or_else(|at| {
            self.pairs.insert(at, Pair { first: first.to_owned(), second: second.to_owned(), weight: 0.0 });
            at
        });
        self.pairs[at].weight += weight;
    }

    fn rescale(&mut self) {
        let pairs = self.pairs.iter_mut().map(|pair| &mut pair.weight);
        self.words.iter_mut().map(|word| &mut word.weight).chain(pairs).for_each(|weight| *weight /= self.one_use);
        self.total /= self.one_use;
        self.one_use = 1.0;
    }

    /// Drops the lightest words and pairs where there are too many.
    pub(super) fn evict(&mut self) {
        if self.words.len() > MAX_WORDS {
            let least = heaviest(
                &self.words.iter().map(|word| word.weight).collect::<Vec<_>>(),
                MAX_WORDS - MAX_WORDS / EVICTED,
            );
            self.words.retain(|word| word.weight >= least);
            // Only imported weights are equal in such numbers.
            self.words.truncate(MAX_WORDS);
            self.sum_up();
        }
        if self.pairs.len() > MAX_PAIRS {
            let least = heaviest(
                &self.pairs.iter().map(|pair| pair.weight).collect::<Vec<_>>(),
                MAX_PAIRS - MAX_PAIRS / EVICTED,
            );
            self.pairs.retain(|pair| pair.weight >= least);
            self.pairs.truncate(MAX_PAIRS);
        }
    }

    fn sum_up(&mut self) {
        self.total = self.words.iter().map(|word| word.weight).sum();
    }

    /// Forgets a word and the pairs it is part of.
    pub fn forget(&mut self, word: &str) {
        let key = normalize(word);
        self.words.retain(|word| word.key != key);
        self.pairs.retain(|pair| pair.first != key && pair.second != key);
        self.sum_up();
    }

    /// Never suggests a word again; without effect on what cannot be one, or where too many are blocked already.
    pub fn block(&mut self, word: &str) {
        if !may_be_blocked(word) || self.blocked.len() >= MAX_BLOCKED {
            return;
        }
        let key = normalize(word);
        if let Err(at) = self.blocked.binary_search_by(|other| (**other).cmp(&key)) {
            self.blocked.insert(at, key.into_owned());
        }
    }

    /// Takes [`Personal::block`] back.
    pub fn unblock(&mut self, word: &str) {
        let key = normalize(word);
        self.blocked.retain(|other| *other != key);
    }

    /// Whether a word, written in whatever case, is never to be suggested.
    pub fn is_blocked(&self, word: &str) -> bool {
        let key = normalize(word);
        self.blocked.binary_search_by(|other| (**other).cmp(&key)).is_ok()
    }

    /// The number of words.
    pub fn word_count(&self) -> usize {
        self.words.len()
    }

    /// The number of pairs.
    pub fn pair_count(&self) -> usize {
        self.pairs.len()
    }

    /// The words that begin with a normalized prefix, or may be meant by its plain letters.
    pub(super) fn meant_by(&self, prefix: &str) -> Vec<&Word> {
        let start = self.words.partition_point(|word| *word.key < *prefix);
        let len = self.words[start..].partition_point(|word| word.key.starts_with(prefix));
        let (before, others) = self.words.split_at(start);
        let (exact, after) = others.split_at(len);
        let accented = before.iter().chain(after).filter(|word| !word.key.is_ascii() && may_mean(prefix, &word.key));
        exact.iter().chain(accented).collect()
    }

    /// The pairs that begin with a word, sorted by the second one.
    pub(super) fn followers(&self, first: &str) -> &[Pair] {
        let start = self.pairs.partition_point(|pair| *pair.first < *first);
        let len = self.pairs[start..].partition_point(|pair| pair.first == first);
        &self.pairs[start..start + len]
    }

    /// How many uses all words weigh.
    pub(super) fn uses(&self) -> f64 {
        self.total / self.one_use
    }
}

impl Pair {
    fn cmp(&self, first: &str, second: &str) -> Ordering {
        (*self.first).cmp(first).then_with(|| (*self.second).cmp(second))
    }
}

/// What stands before a word.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Previous {
    Word(String),
    /// Nothing: a sentence begins.
    Start,
    /// A mark within a sentence, a number or a code.
    Other,
}

impl Previous {
    /// What stands at the end of a text that ends at a word boundary.
    pub(super) fn of(finished: &str) -> Previous {
        if ends_sentence(finished) {
            return Previous::Start;
        }
        // A word is no longer than this, and the text may be long.
        let tail = finished.len().saturating_sub(4 * MAX_WORD_CHARS);
        match tokens(&finished[finished.ceil_char_boundary(tail)..]).last() {
            Some(Token::Word(word)) if is_learnable(&word) => Previous::Word(word.into_owned()),
            _ => Previous::Other,
        }
    }

    /// The first half of the pair; none where a pair would tell nothing.
    pub(super) fn key(&self) -> Option<&str> {
        match self {
            Previous::Word(word) => Some(word),
            Previous::Start => Some(START),
            Previous::Other => None,
        }
    }
}

/// Whether something is a word, and not a code, a number or a key pressed for long.
pub(super) fn is_learnable(word: &str) -> bool {
    word.chars().any(char::is_alphabetic)
        && !word.chars().any(|c| c.is_numeric() || c.is_control())
        && word.chars().nth(MAX_WORD_CHARS).is_none()
}

/// Whether something can stand in a line of the exported text. Models know words with digits, and those may be unwanted.
pub(super) fn may_be_blocked(word: &str) -> bool {
    !word.is_empty() && !word.contains(char::is_control)
}

/// How a word is written, as far as its use tells: a capital at the start of a sentence does not.
fn spelling_of(word: &str, normalized: &str, sentence_start: bool) -> String {
    if sentence_start && Casing::of(word) == Casing::Title {
        return String::new();
    }
    let spelling = word.replace(['\u{2019}', '\u{2018}', '\u{02BC}'], "'");
    if normalize(&spelling) == normalized { spelling } else { String::new() }
}

/// The least of the `count` largest weights, of which there are as many or more; none is negative. Byte by byte from the highest on, for the
/// bits of such floats are in their order: the library's selection would be 2 kB more of the compressed wasm.
#[inline(never)]
pub(super) fn heaviest(weights: &[f64], count: usize) -> f64 {
    let (mut found, mut known, mut left) = (0, 0, count);
    for shift in (0..u64::BITS).step_by(8).rev() {
        let mut counts = [0; 256];
        for bits in weights.iter().map(|weight| weight.to_bits()).filter(|bits| bits & known == found) {
            counts[usize::from((bits >> shift) as u8)] += 1;
        }
        let mut byte = 255;
        while byte > 0 && counts[byte] < left {
            left -= counts[byte];
            byte -= 1;
        }
        found |= (byte as u64) << shift;
        known |= 255 << shift;
    }
    f64::from_bits(found)
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_heaviest(
            weights in prop::collection::vec(prop_oneof![0.0..1e-300, 0.0..3.0, 1e6..1e9, Just(0.0)], 1..80),
            count: prop::sample::Index,
        ) {
            let count = 1 + count.index(weights.len());
            let mut sorted = weights.clone();
            sorted.sort_by(f64::total_cmp);
            prop_assert_eq!(heaviest(&weights, count), sorted[weights.len() - count]);
        }
    }
}
