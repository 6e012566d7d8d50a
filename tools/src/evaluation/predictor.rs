//! What the typist asks: of a network or of another kind of model.

use lm_wasm::text::{LINE_END, Token, Vocabulary};
use lm_wasm::{Model, Session};

/// A model that predicts the next token.
pub trait Predictor: Sync {
    /// Its tokens.
    fn vocabulary(&self) -> &Vocabulary;

    /// An empty text.
    fn begin(&self) -> Box<dyn Text + '_>;
}

/// A text that is being read.
pub trait Text {
    /// `ln P(row | text)`.
    fn log_probability(&mut self, row: u32) -> f32;

    /// The numbers of the `k` most probable words with a prefix that may be offered, without `exclude`.
    fn best(&mut self, prefix: &str, k: usize, exclude: Option<u32>) -> Vec<u32>;

    /// Reads one more token, `row` being the vocabulary's row of it.
    fn push(&mut self, token: &Token, row: u32);

    /// Forgets all that was read.
    fn restart(&mut self);

    /// Ends a line. What was read so far still counts, but is not gone back to.
    fn go_on(&mut self);
}

impl Predictor for Model {
    fn vocabulary(&self) -> &Vocabulary {
        Model::vocabulary(self)
    }

    fn begin(&self) -> Box<dyn Text + '_> {
        Box::new(Network { model: self, session: Session::new(self) })
    }
}

struct Network<'a> {
    model: &'a Model,
    session: Session,
}

impl Text for Network<'_> {
    fn log_probability(&mut self, row: u32) -> f32 {
        self.session.log_probability(self.model, row)
    }

    fn best(&mut self, prefix: &str, k: usize, exclude: Option<u32>) -> Vec<u32> {
        let words = self.model.vocabulary().with_prefix(prefix);
        self.session.best(self.model, &words, k, exclude).into_iter().map(|(number, _)| number).collect()
    }

    fn push(&mut self, token: &Token, _: u32) {
        let token = self.session.token(self.model, token);
        self.session.push(self.model, token);
    }

    fn restart(&mut self) {
        // An empty context would be what was read up to the last line that was gone on from.
        self.session = Session::new(self.model);
    }

    fn go_on(&mut self) {
        self.session.push(self.model, LINE_END);
        self.session.rebase(self.model);
    }
}
