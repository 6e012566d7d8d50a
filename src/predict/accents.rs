//! Suggestions for what is typed in plain letters: `zolw` may become `żółw`.
//!
//! Words that begin as typed and words that may be meant are ranked together, each by its probability in the context: the
//! model knows better than a rule which of `sad` and `sąd` comes next.

use super::suggest::best;
use super::{MAX_SUGGESTIONS, Session, Suggestion, Suggestions, window};
use crate::Model;
use crate::simd::{Native, math};
use crate::text::{ends_sentence, match_case, normalize, split_prefix};

/// What [`Session::suggest`] does, with the words that have diacritics where plain letters are typed.
pub(super) fn suggest(session: &mut Session, model: &Model, text: &str, k: usize) -> Suggestions {
    let k = k.min(MAX_SUGGESTIONS);
    let mut suggestions = session.suggest(model, text, k);
    let (finished, prefix) = split_prefix(window(text));
    let meant = meant_by(model, &normalize(prefix));
    if meant.is_empty() {
        return suggestions;
    }
    let mass = mass_of(&suggestions, session, model);
    let probabilities: Vec<f64> = meant.iter().map(|&row| probability_of(session, model, row)).collect();
    let whole = mass + probabilities.iter().sum::<f64>();
    if whole <= 0.0 {
        return suggestions;
    }
    for item in &mut suggestions.items {
        item.probability = (f64::from(item.probability) * mass / whole) as f32;
    }
    let sentence_start = ends_sentence(finished);
    for (row, probability) in meant.into_iter().zip(probabilities) {
        if model.vocabulary().is_offered(row) {
            let text = match_case(prefix, sentence_start, &model.vocabulary().cased(row));
            suggestions.items.push(Suggestion { text, probability: (probability / whole) as f32 });
        }
    }
    Suggestions { items: best(suggestions.items, k), ..suggestions }
}

/// The words that may be meant by a normalized prefix and do not begin with it.
fn meant_by(model: &Model, prefix: &str) -> Vec<u32> {
    let accented = model.vocabulary().accented(prefix);
    accented.filter(|&row| !model.vocabulary().name(row).starts_with(prefix)).collect()
}

/// P_model of all words that suggestions were chosen from: what their probabilities, told among these, are worth among all
/// tokens.
pub(super) fn mass_of(suggestions: &Suggestions, session: &mut Session, model: &Model) -> f64 {
    if suggestions.prefix.is_empty() {
        return 1.0;
    }
    let first = suggestions.items.first().filter(|item| item.probability > 0.0);
    let row = first.and_then(|item| model.vocabulary().exact(&normalize(&item.text)));
    match (first, row) {
        (Some(item), Some(row)) => (probability_of(session, model, row) / f64::from(item.probability)).min(1.0),
        _ => 0.0,
    }
}

/// P_model of a row among all tokens.
pub(super) fn probability_of(session: &mut Session, model: &Model, row: u32) -> f64 {
    f64::from(math::exp_scalar::<Native>(session.log_probability(model, row)))
}
