//! Counts words and their spellings, and chooses the vocabulary.

use std::collections::HashMap;

use lm_wasm::text::{Casing, Segment, Token, ends_sentence, normalize, segments};

use super::vocabulary::{Entry, WordTable};

/// When more word types than this are held, those seen least so far are forgotten (lossy counting, Manku & Motwani 2002):
/// with a vocabulary of 100,000 words a type forgotten again and again would not have made it.
const MAX_TYPES: usize = 8_000_000;
/// A punctuation mark is a row of its own if at least this share of all tokens is.
const MARK_SHARE: f64 = 1e-4;

/// How often a word was seen, and how it was written.
#[derive(Default, Clone)]
struct Seen {
    count: f64,
    /// Occurrences by casing (lower, title, upper, mixed) inside a sentence, where capitals mean something.
    inside: [u32; 4],
    /// The same at the start of a sentence.
    initial: [u32; 4],
    mixed: HashMap<String, u32>,
}

/// Counts of a corpus.
#[derive(Default)]
pub struct Counts {
    words: HashMap<String, Seen>,
    marks: HashMap<char, f64>,
    numbers: f64,
    lines: f64,
    tokens: f64,
}

impl Counts {
    /// Counts a line's tokens, each for `weight`.
    pub fn add_line(&mut self, line: &str, weight: f64) {
        let mut initial = true;
        for Segment { text, token } in segments(line) {
            self.tokens += weight;
            match token {
                Token::Word(word) => self.add_word(&word, text, initial, weight),
                Token::Number => self.numbers += weight,
                Token::Punctuation(mark) => *self.marks.entry(mark).or_default() += weight,
                Token::LineEnd => {}
            }
            initial = initial && !text.contains(char::is_alphanumeric) || ends_sentence(text);
        }
        self.end_line(weight);
    }

    /// Counts a line of words split at spaces and otherwise taken as they are.
    pub fn add_split_line(&mut self, line: &str, weight: f64) {
        for word in line.split_whitespace() {
            self.tokens += weight;
            if word != "<unk>" {
                self.add_word(word, word, false, weight);
            }
        }
        self.end_line(weight);
    }

    fn end_line(&mut self, weight: f64) {
        self.lines += weight;
        self.tokens += weight;
        if self.words.len() > MAX_TYPES {
            self.forget(MAX_TYPES / 2);
        }
    }

    /// Keeps at most so many words: forgets those seen once, then, if they are still too many, those seen twice ...
    fn forget(&mut self, most: usize) {
        let mut times = 0;
        while self.words.len() > most {
            times += 1;
            self.words.retain(|_, seen| seen.times() > times);
        }
    }

    fn add_word(&mut self, word: &str, typed: &str, initial: bool, weight: f64) {
        if !self.words.contains_key(word) {
            self.words.insert(word.to_owned(), Seen::default());
        }
        let Some(seen) = self.words.get_mut(word) else { return };
        let casing = Casing::of(typed);
        seen.count += weight;
        let place = if initial { &mut seen.initial } else { &mut seen.inside };
        place[casing as usize] += 1;
        if casing == Casing::Mixed {
            *seen.mixed.entry(typed.replace(['\u{2019}', '\u{2018}', '\u{02BC}'], "'")).or_default() += 1;
        }
    }

    /// The words, each with its weighted occurrences.
    pub fn words(&self) -> impl Iterator<Item = (&str, f64)> {
        self.words.iter().map(|(word, seen)| (word.as_str(), seen.count))
    }

    /// How a word is usually written; none if it was not seen.
    pub fn spelling(&self, word: &str) -> Option<String> {
        self.words.get(word).map(|seen| seen.spelling(word))
    }

    /// Number of word types held.
    pub fn types(&self) -> usize {
        self.words.len()
    }

    /// The vocabulary of the `size` most frequent words, those marked that may be offered.
    pub fn vocabulary(&self, size: usize, offered: &dyn Fn(&str) -> bool) -> WordTable {
        let mut words: Vec<(&String, &Seen)> = self.words.iter().filter(|(word, _)| word.len() <= 100).collect();
        words.sort_by(|(a, x), (b, y)| y.count.total_cmp(&x.count).then(a.cmp(b)));
        words.truncate(size);
        words.sort_by_key(|(word, _)| *word);
        let known: f64 = words.iter().map(|(_, seen)| seen.count).sum();
        let mut marks: Vec<(char, f64)> = self
            .marks
            .iter()
            .map(|(&mark, &count)| (mark, count))
            .filter(|(_, n)| *n >= MARK_SHARE * self.tokens)
            .collect();
        marks.sort_by(|a, b| b.1.total_cmp(&a.1).then(a.0.cmp(&b.0)));
        let marked: f64 = marks.iter().map(|(_, count)| count).sum();
        let unknown = self.tokens - known - marked - self.numbers - self.lines;
        let special = |name: &str, count: f64| Entry::special(name.to_owned(), count.max(0.0));
        let specials = [special("<unk>", unknown), special("</s>", self.lines), special("<num>", self.numbers)];
        let entries = specials
            .into_iter()
            .chain(marks.iter().map(|(mark, count)| special(&mark.to_string(), *count)))
            .chain(words.into_iter().map(|(word, seen)| Entry {
                token: word.clone(),
                count: seen.count,
                spelling: seen.spelling(word),
                offered: offered(word),
            }))
            .collect();
        WordTable { specials: 3 + marks.len(), entries }
    }
}

impl Seen {
    /// How often it was seen, whatever its text weighs.
    fn times(&self) -> u32 {
        self.inside.iter().chain(&self.initial).sum()
    }

    /// The usual spelling: the most frequent casing inside sentences, or at their start where there is nothing else.
    fn spelling(&self, word: &str) -> String {
        let counts = if self.inside.iter().any(|&n| n > 0) { &self.inside } else { &self.initial };
        let casings = [Casing::Lower, Casing::Title, Casing::Upper, Casing::Mixed];
        // `max_by_key` keeps the last of equals: lower case must come last to win ties.
        let casing = casings.into_iter().rev().max_by_key(|&casing| counts[casing as usize]).unwrap_or(Casing::Lower);
        let mixed = || self.mixed.iter().max_by(|a, b| a.1.cmp(b.1).then(b.0.cmp(a.0))).map(|(spelling, _)| spelling);
        let spelling = match casing {
            Casing::Mixed => mixed().cloned().unwrap_or_else(|| word.to_owned()),
            casing => casing.apply(word),
        };
        if normalize(&spelling) == word { spelling } else { word.to_owned() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_and_spellings() {
        let mut counts = Counts::default();
        counts.add_line("The iPhone is in London. The USA, i think!", 1.0);
        counts.add_line("the iPhone the I I Tom", 2.0);
        let table = counts.vocabulary(100, &|word| word != "tom");
        let entry = |token: &str| table.entries.iter().find(|entry| entry.token == token).unwrap();
        assert_eq!((entry("the").count, entry("the").spelling.as_str()), (6.0, "the"));
        assert_eq!(entry("i").spelling, "I");
        assert_eq!(entry("iphone").spelling, "iPhone");
        assert_eq!(entry("london").spelling, "London");
        assert_eq!(entry("usa").spelling, "USA");
        assert!(!entry("tom").offered && entry("the").offered);
        assert_eq!(entry("</s>").count, 3.0);
        assert_eq!(entry("<unk>").count, 0.0);
        assert_eq!(table.specials, 6);
    }

    #[test]
    fn what_is_seen_least_is_forgotten_first_whatever_its_weight() {
        let mut counts = Counts::default();
        counts.add_split_line("once once2 twice twice", 5.0);
        counts.add_split_line("thrice thrice thrice", 0.1);
        let words = |counts: &Counts| {
            let mut words: Vec<String> = counts.words().map(|(word, _)| word.to_owned()).collect();
            words.sort();
            words
        };
        counts.forget(3);
        assert_eq!(words(&counts), ["thrice", "twice"]);
        counts.forget(1);
        assert_eq!(words(&counts), ["thrice"]);
    }

    #[test]
    fn rare_words_are_unknown() {
        let mut counts = Counts::default();
        counts.add_split_line("a a a b b c <unk>", 1.0);
        let table = counts.vocabulary(2, &|_| true);
        assert_eq!(table.entries[0].count, 2.0);
        assert_eq!(table.entries[3..].iter().map(|e| e.token.as_str()).collect::<Vec<_>>(), ["a", "b"]);
    }
}
