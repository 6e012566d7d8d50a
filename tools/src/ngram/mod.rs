//! An n-gram language model to hold ours against: interpolated modified Kneser-Ney (Chen & Goodman 1998, equations 16 and
//! 17), pruned (Seymore & Rosenfeld 1996) and quantized to a size in bytes, evaluated by the same code as networks.

mod count;
mod estimate;
mod file;
mod predictor;
mod prune;

use anyhow::Result;

use crate::corpus::TokenReader;

pub use count::after;
pub use file::{NgramFile, is_ngram_file, write};
pub use predictor::NgramPredictor;

/// What a token is followed by, and how probable that is: a trie of unigrams, bigrams and trigrams. Probabilities and
/// back-off weights are natural logarithms.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Trie {
    /// `ln P(w)` of each token.
    pub unigrams: Vec<f32>,
    /// What `ln P(w)` is added to behind each token where no bigram is there.
    pub unigram_backoffs: Vec<f32>,
    /// The bigrams, by their first token.
    pub bigrams: Level,
    /// What `ln P(w | v)` is added to behind each bigram where no trigram is there.
    pub bigram_backoffs: Vec<f32>,
    /// The trigrams, by the bigram they begin with.
    pub trigrams: Level,
}

/// The last token, and the one before it if that is of the same line.
pub type NgramContext = (Option<u32>, u32);

/// The n-grams of one length, sorted by context and word.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Level {
    /// Where those of each context begin, and where the last end: one more than there are contexts.
    pub starts: Vec<u32>,
    /// The last token of each.
    pub words: Vec<u32>,
    /// `ln P(word | context)`.
    pub probabilities: Vec<f32>,
}

impl Level {
    /// The places of the n-grams of a context.
    pub fn of(&self, context: usize) -> std::ops::Range<usize> {
        self.starts[context] as usize..self.starts[context + 1] as usize
    }

    /// The place of an n-gram.
    pub fn find(&self, context: usize, word: u32) -> Option<usize> {
        let range = self.of(context);
        self.words[range.clone()].binary_search(&word).ok().map(|at| range.start + at)
    }

    /// The number of n-grams.
    pub fn len(&self) -> usize {
        self.words.len()
    }
}

impl Trie {
    /// `ln P(word | before, last)`; without `before` the context is `last` alone.
    pub fn log_probability(&self, before: Option<u32>, last: u32, word: u32) -> f32 {
        let lower = |word: u32| match self.bigrams.find(last as usize, word) {
            Some(bigram) => self.bigrams.probabilities[bigram],
            None => self.unigram_backoffs[last as usize] + self.unigrams[word as usize],
        };
        match before.and_then(|before| self.bigrams.find(before as usize, last)) {
            None => lower(word),
            Some(context) => match self.trigrams.find(context, word) {
                Some(trigram) => self.trigrams.probabilities[trigram],
                None => self.bigram_backoffs[context] + lower(word),
            },
        }
    }

    /// [`log_probability`](Self::log_probability) of every token.
    pub fn log_probabilities(&self, (before, last): NgramContext, to: &mut Vec<f32>) {
        let backoff = self.unigram_backoffs[last as usize];
        to.clear();
        to.extend(self.unigrams.iter().map(|unigram| unigram + backoff));
        for bigram in self.bigrams.of(last as usize) {
            to[self.bigrams.words[bigram] as usize] = self.bigrams.probabilities[bigram];
        }
        if let Some(context) = before.and_then(|before| self.bigrams.find(before as usize, last)) {
            let backoff = self.bigram_backoffs[context];
            to.iter_mut().for_each(|probability| *probability += backoff);
            for trigram in self.trigrams.of(context) {
                to[self.trigrams.words[trigram] as usize] = self.trigrams.probabilities[trigram];
            }
        }
    }

    /// The number of bigrams and trigrams.
    pub fn sizes(&self) -> [usize; 2] {
        [self.bigrams.len(), self.trigrams.len()]
    }
}

/// A trie with how often each of its n-grams was met, for pruning.
pub struct Counted {
    pub trie: Trie,
    pub bigram_counts: Vec<u32>,
    pub trigram_counts: Vec<u32>,
}

impl Counted {
    /// Counts and estimates all n-grams of a token stream.
    pub fn read(tokens: &TokenReader, rows: usize) -> Result<Counted> {
        Ok(estimate::estimate(&count::count(tokens)?, rows))
    }

    /// The trie without those n-grams whose loss matters least: `threshold` is the least gain in nats over all the text.
    /// It has no back-off weights, as a file has none.
    pub fn pruned(&self, threshold: f32) -> Trie {
        prune::prune(self, threshold)
    }
}
