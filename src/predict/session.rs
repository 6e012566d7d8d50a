//! The state of the network along a text, and what it says at the end of it.

use std::borrow::Cow;
use std::ops::Range;

use super::best::Best;
use super::scores::Scores;
use crate::Model;
use crate::nn::{Input, Scratch};
use crate::simd::{Native, math};
use crate::text::{LINE_END, Token, UNKNOWN};

/// So many spellings of unknown words are kept at most beyond those of one text.
const UNKNOWN_KEPT: usize = 64;

/// A context, kept as a stack: its tokens and the network's state after each of them. A changed context is computed anew
/// only from the first token that differs, and taking tokens away costs nothing.
///
/// The bottom of the stack is the state after a line end, for that is what stands before a text. A session belongs to
/// the model it was made with; calling it with another one gives wrong answers or panics.
#[derive(Clone, Debug)]
pub struct Session {
    tokens: Vec<u32>,
    /// The last two tokens before those.
    before: [u32; 2],
    /// One state more than there are tokens.
    states: Vec<f32>,
    scratch: Scratch,
    steps: u64,
    /// Words that are no row, where the network reads spellings: their tokens follow the rows.
    unknown: Vec<String>,
    /// Whether `scratch` holds the query of the present context.
    query_valid: bool,
    scores: Scores,
}

impl Session {
    /// The beginning of a text.
    pub fn new(model: &Model) -> Session {
        let network = model.network();
        let mut session = Session {
            tokens: Vec::new(),
            before: [LINE_END; 2],
            states: vec![0.0; network.state_len()],
            scratch: network.scratch(),
            steps: 0,
            unknown: Vec::new(),
            query_valid: false,
            scores: Scores::new(model.shape().vocabulary),
        };
        session.read(model, LINE_END, 0);
        session
    }

    /// The number of a token: its row. Where the network reads spellings, each unknown word has a number beyond those of rows and
    /// rare words, which is good until the next suggestion, [`rebase`](Self::rebase) or empty context.
    pub fn token(&mut self, model: &Model, token: &Token) -> u32 {
        let row = model.vocabulary().id(token);
        let Token::Word(word) = token else { return row };
        if row != UNKNOWN || !model.network().reads_spellings() {
            return row;
        }
        let known = self.unknown.iter().position(|other| *other == **word);
        let index = known.unwrap_or_else(|| {
            self.unknown.push(word.to_string());
            self.unknown.len() - 1
        });
        model.vocabulary().end() + index as u32
    }

    /// The numbers of the tokens of a text.
    pub(super) fn tokens_of<'a>(&mut self, model: &Model, tokens: impl Iterator<Item = Token<'a>>) -> Vec<u32> {
        if self.unknown.len() > UNKNOWN_KEPT {
            self.set_context(model, &[]);
        }
        tokens.map(|token| self.token(model, &token)).collect()
    }

    /// The tokens read.
    pub fn tokens(&self) -> &[u32] {
        &self.tokens
    }

    /// How many tokens the network has read so far: what of the session's work is not asked for, but grows with the edits.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// Makes `tokens` the context. Costs a step for each token behind the first that differs from the present context.
    pub fn set_context(&mut self, model: &Model, tokens: &[u32]) {
        let common = self.tokens.iter().zip(tokens).take_while(|(a, b)| a == b).count();
        if common < self.tokens.len() {
            self.tokens.truncate(common);
            self.states.truncate((common + 1) * model.network().state_len());
            self.forget_scores();
        }
        for &token in &tokens[common..] {
            self.push(model, token);
        }
        if self.tokens.is_empty() {
            self.unknown.clear();
        }
    }

    /// Reads one more token. A number that is no [token](Self::token) is read as an unknown word.
    pub fn push(&mut self, model: &Model, token: u32) {
        let top = self.states.len() - model.network().state_len();
        self.states.extend_from_within(top..);
        self.read(model, token, self.states.len() - model.network().state_len());
        self.steps += 1;
        self.tokens.push(token);
        self.forget_scores();
    }

    /// Moves the state that begins at `state` on by a token.
    fn read(&mut self, model: &Model, token: u32, state: usize) {
        let network = model.network();
        let row = self.row(token);
        let beyond = token.checked_sub(model.vocabulary().end());
        let unknown = beyond.and_then(|index| self.unknown.get(index as usize));
        let spelling = network.reads_spellings().then(|| match unknown {
            Some(word) => Cow::Borrowed(word.as_str()),
            None => Cow::Owned(model.vocabulary().name(row)),
        });
        let input = Input { row, spelling: spelling.as_deref().unwrap_or_default() };
        network.step(input, &mut self.states[state..], &mut self.scratch);
    }

    /// The row that a token is read as.
    fn row(&self, token: u32) -> u32 {
        if (token as usize) < self.scores.len() { token } else { UNKNOWN }
    }

    /// Makes the present state the bottom of the stack, as if it were the beginning of a text: so a long stream of
    /// tokens can be read in bounded memory.
    pub fn rebase(&mut self, model: &Model) {
        let top = self.states.len() - model.network().state_len();
        self.states.drain(..top);
        self.before = self.last_tokens();
        self.tokens.clear();
        self.unknown.clear();
    }

    /// The last two tokens of the context, the last one last.
    fn last_tokens(&self) -> [u32; 2] {
        let last = match self.tokens[..] {
            [.., before, last] => [before, last],
            [last] => [self.before[1], last],
            [] => self.before,
        };
        last.map(|token| self.row(token))
    }

    fn forget_scores(&mut self) {
        self.query_valid = false;
        self.scores.forget();
    }

    /// The logits of all rows as the next token: computed once a context.
    pub fn logits(&mut self, model: &Model) -> &[f32] {
        self.logits_of(model, 0..self.scores.len())
    }

    /// The logits of a range of rows: computed once a context.
    fn logits_of(&mut self, model: &Model, rows: Range<usize>) -> &[f32] {
        let network = model.network();
        if !self.query_valid {
            let top = self.states.len() - network.state_len();
            network.query(&self.states[top..], &mut self.scratch);
            self.query_valid = true;
            model.corrections().find(self.last_tokens(), |row, amount| self.scores.correct(row, amount));
        }
        self.scores.get(rows, |rows, to| network.logits(rows, &self.scratch, to))
    }

    /// The natural logarithm of P(`number` | context) over all tokens, where `number` is a row or a
    /// [rare word](crate::text::RareWords); minus infinity if it is neither.
    pub fn log_probability(&mut self, model: &Model, number: u32) -> f32 {
        let normalizer = self.normalizer(model);
        match model.vocabulary().rare_index(number) {
            Some(index) => self.unknown(model) + model.vocabulary().rare().log_share(index) - normalizer,
            None => self.logits(model).get(number as usize).map_or(f32::NEG_INFINITY, |logit| logit - normalizer),
        }
    }

    /// The `k` most probable words that may be offered among those of `words`, ranges of numbers that do not overlap, without
    /// `exclude`, each with its logit, in falling order of it; of equals the one that stands first. Costs nothing for the rows
    /// outside of the ranges, and no probability: that is [`top_k`](Self::top_k).
    pub fn best(&mut self, model: &Model, words: &[Range<u32>], k: usize, exclude: Option<u32>) -> Vec<(u32, f32)> {
        let vocabulary = model.vocabulary();
        let mut best = Best::new(k);
        for range in words {
            let (rows, rare) = self.rows_and_rare(model, range);
            self.logits_of(model, rows.clone());
            self.scores.improve(&mut best, rows, |row| Some(row) != exclude && vocabulary.is_offered(row));
            for index in vocabulary.rare().most_frequent(rare, k + usize::from(exclude.is_some())) {
                let number = (vocabulary.len() + index) as u32;
                if Some(number) != exclude {
                    best.offer(number, self.unknown(model) + vocabulary.rare().log_share(index));
                }
            }
        }
        best.into_items()
    }

    /// What [`best`](Self::best) finds, each with P(word | context, it is one of `words`) in place of its logit.
    pub fn top_k(&mut self, model: &Model, words: &[Range<u32>], k: usize, exclude: Option<u32>) -> Vec<(u32, f32)> {
        let mut best = self.best(model, words, k, exclude);
        let normalizer = self.log_sum_exp(model, words);
        for (_, value) in &mut best {
            // Rounding may carry the one word of a range above 1.
            *value = math::exp_scalar::<Native>(*value - normalizer).min(1.0);
        }
        best
    }

    /// P(one of `words` | context) over all tokens.
    pub(super) fn mass(&mut self, model: &Model, words: &[Range<u32>]) -> f64 {
        let log_mass = self.log_sum_exp(model, words) - self.normalizer(model);
        f64::from(math::exp_scalar::<Native>(log_mass).min(1.0))
    }

    /// `ln(sum of exp(logit))` over words; minus infinity if there is none.
    fn log_sum_exp(&mut self, model: &Model, words: &[Range<u32>]) -> f32 {
        let mut sum = f32::NEG_INFINITY;
        for range in words {
            let (rows, rare) = self.rows_and_rare(model, range);
            self.logits_of(model, rows.clone());
            sum = log_add(sum, self.scores.log_sum_exp(rows));
            if !rare.is_empty() {
                let words = model.vocabulary().rare();
                sum = log_add(
                    sum,
                    self.unknown(model) + words.log_share_of_first_level() + math::ln(words.share_of(rare)),
                );
            }
        }
        sum
    }

    /// `ln(sum of exp(logit))` over all tokens.
    fn normalizer(&mut self, model: &Model) -> f32 {
        self.logits(model);
        self.scores.log_sum_exp(0..self.scores.len())
    }

    /// The logit of the unknown word.
    fn unknown(&mut self, model: &Model) -> f32 {
        self.logits_of(model, UNKNOWN as usize..UNKNOWN as usize + 1)[0]
    }

    /// The rows and the indices of rare words of a range of numbers.
    fn rows_and_rare(&self, model: &Model, range: &Range<u32>) -> (Range<usize>, Range<usize>) {
        let (rows, rare) = (self.scores.len(), model.vocabulary().rare().words().len());
        let part = |from: usize, end: usize| {
            let place = |number: u32| (number as usize).clamp(from, end) - from;
            place(range.start)..place(range.end).max(place(range.start))
        };
        (part(0, rows), part(rows, rows + rare))
    }
}

/// `ln(exp(a) + exp(b))`
#[inline(never)]
fn log_add(a: f32, b: f32) -> f32 {
    let (least, most) = (a.min(b), a.max(b));
    if least == f32::NEG_INFINITY { most } else { most + math::ln(1.0 + math::exp_scalar::<Native>(least - most)) }
}
