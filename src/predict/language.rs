//! Which of several models a text is for.

use super::window;
use crate::Model;
use crate::text::{Token, split_prefix, tokens};

/// Each word counts so much of the one behind it: a writer may change languages in the middle of a text.
const RECENCY: f32 = 0.8;

/// How many of the last finished words of `text` the model knows, the last one counted as 1, each before it less (by
/// a factor of 0.8): at most 5. Where several models are asked, the one that knows more is the one to ask for suggestions.
pub fn known_words(model: &Model, text: &str) -> f32 {
    let (finished, _) = split_prefix(window(text));
    tokens(finished)
        .filter_map(|token| match token {
            Token::Word(word) => Some(f32::from(u8::from(model.vocabulary().find(&word).is_some()))),
            _ => None,
        })
        .fold(0.0, |known, word| known * RECENCY + word)
}
