//! An n-gram model as the typist's predictor.

use lm_wasm::text::{LINE_END, Token, Vocabulary};

use super::count::after;
use super::{NgramContext, NgramFile, Trie};
use crate::evaluation::{Predictor, Text};

/// An n-gram model and its vocabulary.
pub struct NgramPredictor(pub NgramFile);

/// A text that is being read.
struct Ngrams<'a> {
    vocabulary: &'a Vocabulary,
    trie: &'a Trie,
    context: NgramContext,
    /// `ln P(row | context)` of every row; empty if not computed yet.
    scores: Vec<f32>,
}

impl Predictor for NgramPredictor {
    fn vocabulary(&self) -> &Vocabulary {
        &self.0.vocabulary
    }

    fn begin(&self) -> Box<dyn Text + '_> {
        let NgramFile { vocabulary, trie, .. } = &self.0;
        Box::new(Ngrams { vocabulary, trie, context: (None, LINE_END), scores: Vec::new() })
    }
}

impl Ngrams<'_> {
    fn scores(&mut self) -> &[f32] {
        if self.scores.is_empty() {
            self.trie.log_probabilities(self.context, &mut self.scores);
        }
        &self.scores
    }
}

impl Text for Ngrams<'_> {
    fn log_probability(&mut self, row: u32) -> f32 {
        let (before, last) = self.context;
        self.trie.log_probability(before, last, row)
    }

    fn best(&mut self, prefix: &str, k: usize, exclude: Option<u32>) -> Vec<u32> {
        let vocabulary = self.vocabulary;
        let [rows, _] = vocabulary.with_prefix(prefix);
        let scores = self.scores();
        let mut best: Vec<u32> = Vec::with_capacity(k + 1);
        for row in rows.filter(|&row| Some(row) != exclude && vocabulary.is_offered(row)) {
            let score = scores[row as usize];
            if best.len() < k || score > scores[best[best.len() - 1] as usize] {
                let place = best.partition_point(|&other| scores[other as usize] >= score);
                best.insert(place, row);
                best.truncate(k);
            }
        }
        best
    }

    fn push(&mut self, _: &Token, row: u32) {
        self.context = after(self.context, row);
        self.scores.clear();
    }

    fn restart(&mut self) {
        self.push(&Token::LineEnd, LINE_END);
    }

    fn go_on(&mut self) {
        self.push(&Token::LineEnd, LINE_END);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::sources::Tokenization;
    use crate::ngram::count::Counts;
    use crate::ngram::estimate::estimate;
    use lm_wasm::text::{WordFlags, WordList};

    #[test]
    fn the_best_are_those_of_a_plain_loop() {
        let bigrams = vec![([1, 3], 4), ([3, 4], 3), ([3, 5], 1), ([4, 5], 2), ([5, 1], 3)];
        let trigrams = vec![([1, 3, 4], 3), ([1, 3, 5], 1), ([3, 4, 5], 2), ([4, 5, 1], 2)];
        let trie = estimate(&Counts { bigrams, trigrams }, 6).trie;
        let words = WordList::new(["go", "home", "now"]).unwrap();
        let offered = WordFlags { casing: lm_wasm::text::Casing::Lower, offered: true }.to_byte();
        let vocabulary = Vocabulary::from_parts("<unk>\n</s>\n<num>", words, vec![offered; 3], "").unwrap();
        let predictor = NgramPredictor(NgramFile { vocabulary, tokenization: Tokenization::Words, trie });
        let mut text = predictor.begin();
        let word = |word: &'static str| Token::Word(word.into());
        for token in [word("go"), word("home"), Token::Number, word("go")] {
            text.push(&token, predictor.vocabulary().id(&token));
            let mut wanted: Vec<u32> = (3..6).collect();
            wanted.sort_by(|&a, &b| text.log_probability(b).total_cmp(&text.log_probability(a)));
            assert_eq!(text.best("", 3, None), wanted);
            assert_eq!(text.best("", 2, Some(wanted[0])), wanted[1..]);
            assert_eq!(text.best("h", 2, None), [4]);
        }
        text.restart();
        assert_eq!(text.best("", 1, None), [3]);
    }
}
