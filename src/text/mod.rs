//! Words: segmentation and normalization, the vocabulary, casing.
//!
//! The network reads a text as a sequence of [`Token`]s: lower-cased words, numbers (all alike), punctuation marks and
//! line ends. Words are split by Unicode segmentation (UAX 29). The functions expect text in Unicode normalization form
//! C: composing it is the caller's affair (in a page `String.prototype.normalize` does it for nothing).

mod casing;
mod fold;
mod ngrams;
mod rare_words;
mod segment;
mod vocabulary;
mod word_list;

pub use casing::{Casing, match_case};
pub use fold::may_mean;
pub use ngrams::Marked;
pub use rare_words::{RareFlags, RareWords};
pub use segment::{Segment, Token, ends_sentence, normalize, segments, split_prefix, tokens};
pub use vocabulary::{LINE_END, NUMBER, UNKNOWN, Vocabulary, WordFlags};
pub use word_list::WordList;
pub(crate) use word_list::endings;
