//! A model of any size, from tokens to the best words.

use lm_wasm::format::ModelParts;
use lm_wasm::{Model, Session};
use wasm_bindgen::prelude::*;

use crate::synthetic;

/// A random model at the beginning of a text.
#[wasm_bindgen]
pub struct Core {
    model: Model,
    session: Session,
    token: u32,
}

#[wasm_bindgen]
impl Core {
    /// `units` columns of embedding and of output rows, these in the encoding `rows`: ternary, 4-bit, 8-bit or f32.
    #[wasm_bindgen(constructor)]
    pub fn new(words: usize, units: usize, rows: &str) -> Result<Core, JsError> {
        Core::of(synthetic::model(words, units, rows))
    }

    /// Tied rows of 4 bits, of `width` columns for `wide` of the words and of `narrow` for the others.
    pub fn tied(words: usize, units: usize, width: usize, wide: usize, narrow: usize) -> Result<Core, JsError> {
        Core::of(synthetic::tied_model(words, units, width, wide, narrow))
    }

    /// Reads a token, so many times, without asking for what may follow.
    pub fn read(&mut self, times: u32) {
        for _ in 0..times {
            self.push();
        }
    }

    /// Reads a token and finds the `k` best words to follow with their probabilities, so many times.
    pub fn step(&mut self, times: u32, k: usize) {
        for _ in 0..times {
            self.push();
            let best = self.session.top_k(&self.model, &self.model.vocabulary().with_prefix(""), k, None);
            self.token = best.first().map_or(self.token, |best| best.0);
        }
    }

    /// The same without their probabilities.
    pub fn step_best(&mut self, times: u32, k: usize) {
        for _ in 0..times {
            self.push();
            let best = self.session.best(&self.model, &self.model.vocabulary().with_prefix(""), k, None);
            self.token = best.first().map_or(self.token, |best| best.0);
        }
    }

    /// Finds the `k` best words that begin with a prefix, so many times, in a context that has been read.
    pub fn key(&mut self, times: u32, prefix: &str, k: usize) -> u32 {
        let mut sum = 0;
        for _ in 0..times {
            let words = self.model.vocabulary().with_prefix(prefix);
            let best = self.session.top_k(&self.model, &words, k, None);
            sum += best.first().map_or(0, |best| best.0 & 1);
        }
        sum
    }

    fn of(parts: ModelParts) -> Result<Core, JsError> {
        let model = Model::from_parts(parts)?;
        let session = Session::new(&model);
        Ok(Core { model, session, token: 7 })
    }

    fn push(&mut self) {
        self.token = self.token.wrapping_mul(31).wrapping_add(1) % self.model.vocabulary().len() as u32;
        self.session.push(&self.model, self.token);
        self.session.rebase(&self.model);
    }
}
