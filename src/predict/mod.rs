//! From the text before the caret to suggestions.
//!
//! [`window`](window()) bounds how much of the text is read, [`Session`] keeps the network's state after each finished
//! word, and the word being typed is a range of rows among cached logits. [`Personal`] holds what one person's texts
//! taught, [`Blend`] weighs it against the model.

mod best;
mod blend;
mod language;
mod personal;
mod personal_text;
mod scores;
mod session;
mod suggest;
mod window;

pub use blend::Blend;
pub use language::known_words;
pub use personal::{HALF_LIFE, LEAST_OFFERED, MAX_BLOCKED, MAX_PAIRS, MAX_WORDS, Personal};
pub use session::Session;
pub use suggest::{MAX_SUGGESTIONS, Suggestion, Suggestions};
pub use window::{WINDOW_MAX, WINDOW_MIN, window};
