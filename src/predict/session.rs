//! The state of the network along a text, and what it says at the end of it.

use std::ops::Range;

use crate::Model;
use crate::nn::Scratch;
use crate::simd::{Native, math};
use crate::text::{LINE_END, UNKNOWN};

/// A context, kept as a stack: its tokens and the network's state after each of them. A changed context is computed anew
/// only from the first token that differs, and taking tokens away costs nothing.
///
/// The bottom of the stack is the state after a line end, for that is what stands before a text. A session belongs to
/// the model it was made with; calling it with another one gives wrong answers or panics.
#[derive(Clone, Debug)]
pub struct Session {
    tokens: Vec<u32>,
    /// One state more than there are tokens.
    states: Vec<f32>,
    scratch: Scratch,
    logits: Vec<f32>,
    /// Whether `logits` are those of the present context.
    logits_valid: bool,
    /// The log-sum-exp of all logits, if it has been asked for.
    normalizer: Option<f32>,
}

impl Session {
    /// The beginning of a text.
    pub fn new(model: &Model) -> Session {
        let network = model.network();
        let mut session = Session {
            tokens: Vec::new(),
            states: vec![0.0; network.state_len()],
            scratch: network.scratch(),
            logits: vec![0.0; model.shape().vocabulary],
            logits_valid: false,
            normalizer: None,
        };
        network.step(LINE_END, &mut session.states, &mut session.scratch);
        session
    }

    /// The tokens read.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// Makes `tokens` the context. Costs a step for each token behind the first that differs from the present context.
    pub fn set_context(&mut self, model: &Model, tokens: &[u32]) {
        let common = self.tokens.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        if common < self.tokens.len() {
            self.tokens.truncate(common);
            self.states.truncate((common + 1) * model.network().state_len());
            self.forget_logits();
        }
        for &token in &tokens[common..] {
            self.push(model, token);
        }
    }

    /// Reads one more token. A number that is no row of the vocabulary is read as an unknown word.
    pub fn push(&mut self, model: &Model, token: u32) {
        let row = if (token as usize) < self.logits.len() { token } else { UNKNOWN };
        let top = self.states.len() - model.network().state_len();
        self.states.extend_from_within(top..);
        let state = self.states.len() - model.network().state_len();
        model.network().step(row, &mut self.states[state..], &mut self.scratch);
        self.tokens.push(token);
        self.forget_logits();
    }

    /// Makes the present state the bottom of the stack, as if it were the beginning of a text: so a long stream of
    /// tokens can be read in bounded memory.
    pub fn rebase(&mut self, model: &Model) {
        let top = self.states.len() - model.network().state_len();
        self.states.drain(..top);
        self.tokens.clear();
    }

    fn forget_logits(&mut self) {
        self.logits_valid = false;
        self.normalizer = None;
    }

    /// The logits of all rows as the next token: computed once a context.
    pub fn logits(&mut self, model: &Model) -> &[f32] {
        if !self.logits_valid {
            let top = self.states.len() - model.network().state_len();
            let rows = 0..self.logits.len();
            model.network().logits(rows, &self.states[top..], &mut self.scratch, &mut self.logits);
            self.logits_valid = true;
        }
        &self.logits
    }

    /// The natural logarithm of P(`id` | context) over all tokens; minus infinity if there is no such row.
    pub fn log_probability(&mut self, model: &Model, id: u32) -> f32 {
        self.logits(model);
        let normalizer = self.normalizer_of(0..self.logits.len());
        self.logits.get(id as usize).map_or(f32::NEG_INFINITY, |logit| logit - normalizer)
    }

    /// The `k` most probable words among those of `range` that may be offered, without `exclude`, each with
    /// P(word | context, the word is in `range`), in falling order of it; of equals the one with the lower row first.
    pub fn top_k(&mut self, model: &Model, range: Range<u32>, k: usize, exclude: Option<u32>) -> Vec<(u32, f32)> {
        self.logits(model);
        let end = (range.end as usize).min(self.logits.len());
        let range = (range.start as usize).min(end)..end;
        let mut best: Vec<(u32, f32)> = Vec::with_capacity(k.min(range.len()));
        for (row, &logit) in (range.start as u32..).zip(&self.logits[range.clone()]) {
            let is_better = match best.last() {
                Some(&(_, last)) if best.len() >= k => logit > last,
                _ => k > 0,
            };
            if is_better && Some(row) != exclude && model.vocabulary().is_offered(row) {
                best.truncate(k - 1);
                let at = best.partition_point(|&(_, other)| other >= logit);
                best.insert(at, (row, logit));
            }
        }
        let normalizer = self.normalizer_of(range);
        for (_, value) in &mut best {
            // Rounding may carry the one word of a range above 1.
            *value = math::exp_scalar::<Native>(*value - normalizer).min(1.0);
        }
        best
    }

    /// The log-sum-exp of the logits, which must be valid, in `range`.
    fn normalizer_of(&mut self, range: Range<usize>) -> f32 {
        if range.len() < self.logits.len() {
            return math::log_sum_exp::<Native>(&self.logits[range]);
        }
        *self.normalizer.get_or_insert_with(|| math::log_sum_exp::<Native>(&self.logits))
    }
}
