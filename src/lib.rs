//! Private predictive text: a word-level ternary LSTM or GRU language model of about a megabyte, run where the text is.
//!
//! Words go in, the network steps once a word, the prefix being typed is a range of output rows, suggestions come out.
//!
//! | module | job |
//! |---|---|
//! | [`error`] | the one [`Error`], with advice in its message |
//! | [`mod@format`] | the `.lm` model file, reader and writer |
//! | [`text`] | words of a text, vocabulary, casing |
//! | [`simd`] | one vector trait, a scalar type that defines it, a thin type for each instruction set, the kernels over it |
//! | [`nn`] | matrices, LSTM and GRU steps, the output layer |
//! | [`model`] | bytes to a checked [`Model`] |
//! | [`predict`] | text before the caret to suggestions |
//! | `web` | the boundary to JavaScript, in the wasm build alone |
//!
//! What always holds:
//!
//! - Dependencies run one way: `simd, format <- nn <- model <- predict <- web`, `text <- model`.
//! - The library does no I/O and holds no clock and no randomness: the same input gives the same bits on every platform.
//! - Every kernel has a scalar twin that defines it and equals it bit for bit.
//! - A model file is hostile until checked: sizes before memory is taken, every index before use. After
//!   [`Model::from_bytes`] nothing can fail, and nothing panics on any text.

pub mod error;
pub mod format;
pub mod model;
pub mod nn;
pub mod predict;
pub mod simd;
pub mod text;
#[cfg(target_arch = "wasm32")]
pub mod web;

pub use error::{Error, ErrorKind};
pub use model::Model;
pub use predict::{Session, Suggestion, Suggestions};
