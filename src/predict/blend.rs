//! Suggestions of the model and of the personal words together.
//!
//! The personal words are a small language model of their own, a pair model that falls back to single words (a cache
//! model: Kuhn & De Mori 1990, with the Dirichlet smoothing of MacKay & Peto 1995):
//!
//! ```text
//! P_personal(w | v) = (c(v w) + MU c(w) / C) / (c(v) + MU)
//! ```
//!
//! where `v` is the word before, `c` what the uses of a word or pair weigh, `c(v)` the sum over the pairs that begin with
//! `v`, `C` the sum over all words. The two models are interpolated (Jelinek & Mercer 1980), the more is learned the
//! more for the personal one, and the result is divided by what both give to all words with the typed prefix:
//!
//! ```text
//! P(w) = (1 - L) P_model(w | text) + L P_personal(w | v),   L = LARGEST C / (C + KAPPA)
//! ```

use std::slice::from_ref;

use super::personal::{LEAST_OFFERED, Personal, Previous, Word, heaviest};
use super::suggest::{best, is_same};
use super::{MAX_SUGGESTIONS, Session, Suggestion, Suggestions, window};
use crate::Model;
use crate::text::{ends_sentence, match_case, may_mean, normalize, split_prefix};

/// Weight of the personal model where much is learned.
const LARGEST: f64 = 0.3;
/// When so many uses are learned the personal model has half of its largest weight.
const KAPPA: f64 = 300.0;
/// How many uses the single words are worth beside the pairs.
const MU: f64 = 5.0;
/// Of the personal words so many are looked at, the likeliest ones by themselves.
const CANDIDATES: usize = 64;

/// How the two models are weighed; [`Blend::default`] is what ships.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Blend {
    /// Weight of the personal model where much is learned, from 0 to 1.
    pub largest: f64,
    /// When so many uses are learned the personal model has half of its largest weight.
    pub kappa: f64,
    /// How many uses the single words are worth beside the pairs.
    pub mu: f64,
}

impl Default for Blend {
    fn default() -> Blend {
        Blend { largest: LARGEST, kappa: KAPPA, mu: MU }
    }
}

impl Blend {
    /// What [`Session::suggest`] does, with personal words: those that the model does not know are suggested too, and none that
    /// is blocked.
    pub fn suggest(
        self,
        session: &mut Session,
        model: &Model,
        personal: &Personal,
        text: &str,
        k: usize,
    ) -> Suggestions {
        if personal.is_empty() {
            return session.suggest(model, text, k);
        }
        let k = k.min(MAX_SUGGESTIONS);
        let (finished, prefix) = split_prefix(window(text));
        let normalized = normalize(prefix);
        let blocked = personal.blocked.iter().filter(|word| may_mean(&normalized, word));
        let base = session.suggest(model, text, k + blocked.count());
        let model_mass = session.mass(model, &model.vocabulary().meant_by(&normalized));

        let share = self.share(personal);
        let mut items: Vec<Suggestion> = Vec::with_capacity(base.items.len() + CANDIDATES);
        let (likely, mass) = self.likely(personal, &Previous::of(finished), &normalized);
        let whole = (1.0 - share) * model_mass + share * mass;
        let blended = |model: f64, personal: f64| (((1.0 - share) * model + share * personal) / whole).min(1.0) as f32;

        let sentence_start = ends_sentence(finished);
        let mut taken: Vec<&str> = Vec::with_capacity(CANDIDATES);
        for (word, probability) in likely {
            let number = model.vocabulary().find(&word.key);
            let offered = match number {
                Some(number) => model.vocabulary().is_offered(number),
                None => word.weight >= LEAST_OFFERED * personal.one_use,
            };
            // The model's lists know rare words in lower case or with capitals, their writer knows "McCall".
            let row = number.filter(|&number| model.vocabulary().rare_index(number).is_none());
            let spelling = row.map_or_else(|| word.spelling.clone(), |row| model.vocabulary().cased(row));
            let text = match_case(prefix, sentence_start, &spelling);
            if offered && !is_same(&text, prefix) {
                let known = number.map_or(0.0, |number| session.mass(model, from_ref(&(number..number + 1))));
                items.push(Suggestion { text, probability: blended(known, probability) });
                taken.push(&word.key);
            }
        }
        for Suggestion { text, probability } in base.items {
            if !taken.contains(&&*normalize(&text)) {
                items.push(Suggestion { text, probability: blended(f64::from(probability) * model_mass, 0.0) });
            }
        }
        items.retain(|item| !personal.is_blocked(&item.text));
        Suggestions { prefix: base.prefix, items: best(items, k) }
    }

    /// The weight of the personal model.
    fn share(self, personal: &Personal) -> f64 {
        let uses = personal.uses();
        self.largest * uses / (uses + self.kappa)
    }

    /// The likeliest personal words with a prefix, each with its P_personal, and the P_personal of all with the prefix.
    fn likely<'p>(self, personal: &'p Personal, previous: &Previous, prefix: &str) -> (Vec<(&'p Word, f64)>, f64) {
        let followers = previous.key().map_or(&[][..], |first| personal.followers(first));
        let followed = followers.iter().map(|pair| pair.weight).sum::<f64>() / personal.one_use;
        let of_pair = |word: &Word| match followers.binary_search_by(|pair| pair.second.cmp(&word.key)) {
            Ok(at) => followers[at].weight / personal.one_use,
            Err(_) => 0.0,
        };
        let of_word = |word: &Word| self.mu * word.weight / personal.one_use / personal.uses();
        let probability = |word: &Word| (of_pair(word) + of_word(word)) / (followed + self.mu);

        let words = personal.meant_by(prefix);
        let probabilities: Vec<f64> = words.iter().map(|&word| probability(word)).collect();
        let mass = probabilities.iter().sum();
        let mut likely: Vec<(&Word, f64)> = words.into_iter().zip(probabilities.iter().copied()).collect();
        if likely.len() > CANDIDATES {
            let least = heaviest(&probabilities, CANDIDATES);
            likely.retain(|(_, probability)| *probability >= least);
        }
        (likely, mass)
    }
}
