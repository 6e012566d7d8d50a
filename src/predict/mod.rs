//! From the text before the caret to suggestions.
//!
//! [`window`](window()) bounds how much of the text is read, [`Session`] keeps the network's state after each finished
//! word, and the word being typed is a range of rows among cached logits.

mod scores;
mod session;
mod suggest;
mod window;

pub use session::Session;
pub use suggest::{MAX_SUGGESTIONS, Suggestion, Suggestions};
pub use window::{WINDOW_MAX, WINDOW_MIN, window};
