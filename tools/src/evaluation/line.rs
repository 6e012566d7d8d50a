//! The typist and the likelihood of one line.

use lm_wasm::text::{LINE_END, Segment, Token, UNKNOWN, Vocabulary, segments};

use super::{Options, Text};
use crate::corpus::sources::Tokenization;

/// Sums over a line, or over many.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Tally {
    pub words: u64,
    pub unknown_words: u64,
    pub tokens: u64,
    /// Negative log-likelihood of the tokens, in nats.
    pub loss: f64,
    pub known_tokens: u64,
    pub known_loss: f64,
    pub top_1: u64,
    pub top_k: u64,
    /// Characters of the text, a space behind each word and number included.
    pub characters: u64,
    /// Keystrokes and clicks.
    pub effort: u64,
    /// Those that a perfect predictor with the same vocabulary would leave.
    pub least_effort: u64,
}

impl Tally {
    /// Adds another tally.
    pub fn add(&mut self, other: &Tally) {
        self.words += other.words;
        self.unknown_words += other.unknown_words;
        self.tokens += other.tokens;
        self.loss += other.loss;
        self.known_tokens += other.known_tokens;
        self.known_loss += other.known_loss;
        self.top_1 += other.top_1;
        self.top_k += other.top_k;
        self.characters += other.characters;
        self.effort += other.effort;
        self.least_effort += other.least_effort;
    }

    /// exp of the mean negative log-likelihood.
    pub fn perplexity(&self) -> f64 {
        (self.loss / self.tokens.max(1) as f64).exp()
    }

    fn add_likelihood(&mut self, row: u32, log_probability: f32) {
        self.tokens += 1;
        self.loss -= f64::from(log_probability);
        if row != UNKNOWN {
            self.known_tokens += 1;
            self.known_loss -= f64::from(log_probability);
        }
    }

    fn type_out(&mut self, characters: u64) {
        self.characters += characters;
        self.effort += characters;
        self.least_effort += characters;
    }
}

/// Evaluates a line behind what was `read`, and leaves the line's tokens there.
pub fn evaluate_line(vocabulary: &Vocabulary, read: &mut dyn Text, text: &str, options: Options) -> Tally {
    let mut tally = Tally::default();
    let split: Vec<Segment> = match options.tokenization {
        Tokenization::Words => segments(text).collect(),
        Tokenization::Spaces => {
            text.split_whitespace().map(|text| Segment { text, token: Token::Word(text.into()) }).collect()
        }
    };
    for Segment { text, token } in split {
        let row = vocabulary.id(&token);
        tally.add_likelihood(row, read.log_probability(row));
        let characters = text.chars().count() as u64;
        match &token {
            Token::Word(word) => {
                tally.words += 1;
                tally.unknown_words += u64::from(row == UNKNOWN);
                if options.typist {
                    type_word(vocabulary, read, word, options.suggestions, &mut tally);
                }
            }
            Token::Number => tally.type_out(characters + 1),
            Token::Punctuation(_) | Token::LineEnd => tally.type_out(characters),
        }
        read.push(&token, row);
    }
    tally.add_likelihood(LINE_END, read.log_probability(LINE_END));
    tally
}

fn type_word(vocabulary: &Vocabulary, read: &mut dyn Text, word: &str, k: usize, tally: &mut Tally) {
    let whole = word.chars().count() as u64 + 1;
    let Some(number) = vocabulary.find(word).filter(|&number| vocabulary.is_offered(number)) else {
        tally.type_out(whole);
        return;
    };
    tally.characters += whole;
    tally.least_effort += 1;
    let mut keystrokes = 0;
    for (typed, _) in word.char_indices() {
        let prefix = &word[..typed];
        let exclude = vocabulary.find(prefix);
        let place = read.best(prefix, k, exclude).iter().position(|&offered| offered == number);
        if typed == 0 {
            tally.top_1 += u64::from(place == Some(0));
            tally.top_k += u64::from(place.is_some());
        }
        if place.is_some() {
            break;
        }
        keystrokes += 1;
    }
    // The click, or the space behind a word that was typed to its end.
    tally.effort += keystrokes + 1;
}
