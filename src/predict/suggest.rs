//! Suggestions for a text.

use super::{Session, window};
use crate::Model;
use crate::text::{ends_sentence, match_case, normalize, split_prefix, tokens};

/// The largest number of suggestions that are made at a time.
pub const MAX_SUGGESTIONS: usize = 100;

/// Words fetched beyond those asked for, to fill the places of words that look like others once they are cased.
const SPARE: usize = 4;

/// The answer to a text.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Suggestions {
    /// The beginning of the word at the caret, as typed; empty behind a space or a mark. A suggestion replaces it.
    pub prefix: String,
    /// In falling order of probability.
    pub items: Vec<Suggestion>,
}

/// A word that may be meant.
#[derive(Clone, Debug, PartialEq)]
pub struct Suggestion {
    /// The whole word, in the case that fits what is typed.
    pub text: String,
    /// P(word | context, prefix): among all words that may be meant by the prefix; among all tokens where it is empty.
    pub probability: f32,
}

impl Session {
    /// Suggests at most `k` (and at most [`MAX_SUGGESTIONS`]) words for the caret at the end of `text`. Only the
    /// [window](window()) of `text` is read, and the answer depends on it alone. The word that is already typed is not
    /// suggested.
    ///
    /// Words that begin as typed and words that have diacritics where plain letters are typed (`zolw` may become `żółw`) are ranked
    /// together, each by its probability in the context: the model knows better than a rule which of `sad` and `sąd` comes next.
    pub fn suggest(&mut self, model: &Model, text: &str, k: usize) -> Suggestions {
        let vocabulary = model.vocabulary();
        let (finished, prefix) = split_prefix(window(text));
        let context = self.tokens_of(model, tokens(finished));
        self.set_context(model, &context);

        let normalized = normalize(prefix);
        let sentence_start = ends_sentence(finished);
        let cased = |number| match_case(prefix, sentence_start, &vocabulary.cased(number));
        // In another case the typed word is a correction, not a repetition.
        let typed = vocabulary.find(&normalized).filter(|&number| is_same(&cased(number), prefix));

        let k = k.min(MAX_SUGGESTIONS);
        let fetched = if k == 0 { 0 } else { k + SPARE };
        let mut items: Vec<Suggestion> = Vec::with_capacity(fetched);
        for (number, probability) in self.top_k(model, &vocabulary.meant_by(&normalized), fetched, typed) {
            let text = cased(number);
            match items.iter_mut().find(|item| item.text == text) {
                Some(item) => item.probability += probability,
                None => items.push(Suggestion { text, probability }),
            }
        }
        Suggestions { prefix: prefix.to_string(), items: best(items, k) }
    }
}

/// The `k` most probable, in falling order, of equals the one that stood first. There are few: by insertion. The library's stable
/// sort would be 2.5 kB more of the compressed wasm.
pub(super) fn best(items: Vec<Suggestion>, k: usize) -> Vec<Suggestion> {
    let mut best: Vec<Suggestion> = Vec::with_capacity(k.min(items.len()));
    for item in items {
        let at = best.partition_point(|other| other.probability >= item.probability);
        if at < k {
            best.truncate(k - 1);
            best.insert(at, item);
        }
    }
    best
}

/// Whether two words differ in nothing but the kind of their apostrophes.
pub(super) fn is_same(word: &str, typed: &str) -> bool {
    word.chars().eq(typed.chars().map(|c| if c == '\u{2019}' { '\'' } else { c }))
}
