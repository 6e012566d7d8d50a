//! Corrections of a model's logits behind frequent n-grams: which are worth their bytes, and how large they are.
//!
//! The words that a corpus often has behind one or two tokens are counted, the model is asked how often it expects them
//! there, and where the two differ most a correction makes up for it: the weights of a maximum-entropy model over n-grams beside
//! the network (Mikolov 2011), set in one step.

mod count;
mod expect;
mod fit;

use anyhow::{Context as _, Result};
use lm_wasm::format::{CorrectionParts, Metadata, ModelParts};

pub use count::contexts;
pub use expect::{Asked, expect};

use crate::threshold::largest_within;

/// Steps of the search for a size; each halves the interval of thresholds.
const SEARCH: u64 = 14;
/// The first interval: least gains in nats over all the text, as natural logarithms.
const THRESHOLDS: (f64, f64) = (-3.0, 12.0);

/// What the odds of a word are shifted by, as logarithms, to see how often it is expected then.
pub const SHIFTS: [f64; 5] = [-1.0, 0.0, 1.0, 2.0, 4.0];
/// The place of no shift among them.
pub const UNSHIFTED: usize = 1;

/// A context of one or two tokens, and the words that are often behind it.
#[derive(Debug, Clone, PartialEq)]
pub struct Context {
    pub last: u32,
    /// The token before the last, if it counts.
    pub before: Option<u32>,
    /// How often anything is behind it.
    pub count: f64,
    pub words: Vec<Word>,
}

/// A word behind a context.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Word {
    pub row: u32,
    /// How often it is there.
    pub count: f64,
    /// In how many lines that differ.
    pub lines: u32,
    /// How often it is there by the model, with each of [`SHIFTS`].
    pub expected: [f64; SHIFTS.len()],
    /// The standard error of the one without a shift, as the model was asked about a sample.
    pub error: f64,
}

/// Gives a model as many corrections as a file of so many bytes has room for; the file, and how many they are. `about` tells
/// what the file says of itself with so many.
pub fn choose(
    parts: &ModelParts,
    contexts: &[Context],
    discount: f64,
    bytes: usize,
    about: &dyn Fn(usize) -> Result<Metadata>,
) -> Result<(Vec<u8>, usize)> {
    let make = |threshold: f64| {
        let chosen = fit::fit(contexts, discount, threshold.exp());
        let count: usize = chosen.iter().map(|context| context.corrections.len()).sum();
        let (metadata, corrections) = (about(count)?, Some(CorrectionParts::new(&chosen)));
        let file = ModelParts { metadata, corrections, ..parts.clone() }.to_bytes()?;
        Ok((count > 0).then_some((file, count)))
    };
    let best = largest_within("choosing", SEARCH, THRESHOLDS, bytes, make)?;
    best.context("there is no room for corrections: ask for more bytes")
}
