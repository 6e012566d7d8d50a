//! Which corrections are worth it, and how large they are.

use std::collections::HashMap;

use lm_wasm::nn;

use super::{Context, SHIFTS, UNSHIFTED, Word};

/// Steps of a correction in one unit of a logit, in the file.
const STEPS: f64 = nn::CORRECTION_STEPS as f64;
/// Standard errors that what is expected may be off.
const ERRORS: f64 = 1.0;
/// The largest correction.
const MOST: f64 = 8.0;
/// What the words that are not corrected keep behind a context, at least.
const LEAST_REST: f64 = 0.01;

/// The corrections that gain at least so many nats of likelihood over all the text. Of the number of lines that an n-gram stands
/// in `discount` is taken off, as the text that is to come has it less often (absolute discounting: Ney 1994).
pub fn fit(contexts: &[Context], discount: f64, threshold: f64) -> Vec<nn::Context> {
    let mut of_last: HashMap<u32, Corrected> = HashMap::new();
    let mut all = Vec::new();
    for context in contexts {
        // Contexts of two tokens come behind the one of the last of them, whose corrections hold for them, too.
        let known = context.before.and_then(|_| of_last.get(&context.last));
        let before = |row| known.map_or(0.0, |known| known.shift(row));
        let wish = |word: &Word| Wish::new(word, context.count, before(word.row), discount);
        let corrected = correct(context.words.iter().map(wish), context.count, threshold);
        let corrections: Vec<(u32, f32)> =
            corrected.words.iter().map(|word| (word.row, word.amount as f32)).filter(|word| word.1 != 0.0).collect();
        if !corrections.is_empty() {
            all.push(nn::Context { last: context.last, before: context.before, corrections });
        }
        if context.before.is_none() {
            of_last.insert(context.last, corrected);
        }
    }
    all
}

/// The corrections behind a context.
struct Corrected {
    /// By rows in ascending order.
    words: Vec<CorrectedWord>,
    /// The logarithm of the factor by which the probability of the rest falls.
    rest_falls: f64,
}

struct CorrectedWord {
    row: u32,
    /// What its odds against all others are shifted by.
    shift: f64,
    /// What is added to its logit.
    amount: f64,
}

impl Corrected {
    /// What the odds of any word against all others are shifted by.
    fn shift(&self, row: u32) -> f64 {
        let at = self.words.binary_search_by_key(&row, |word| word.row);
        at.map_or(-self.rest_falls, |at| self.words[at].shift)
    }
}

/// Makes the words whose wishes gain enough as frequent as wanted, while all others share the rest as before.
fn correct(wishes: impl Iterator<Item = Wish>, count: f64, threshold: f64) -> Corrected {
    let chosen: Vec<Wish> = wishes.filter(|wish| wish.gain() >= threshold).collect();
    let falls = |expected: f64, wanted: f64| {
        ((1.0 - expected / count).max(LEAST_REST) / (1.0 - wanted / count).max(LEAST_REST)).ln()
    };
    let sum = |of: fn(&Wish) -> f64| chosen.iter().map(of).sum::<f64>();
    let rest_falls = falls(sum(|wish| wish.expected), sum(|wish| wish.wanted));
    let word = |wish: &Wish| {
        // A logit counts against those of the rest. What the word takes from these by itself is in the shift of its odds.
        let amount = wish.shift + rest_falls - falls(wish.expected, wish.wanted);
        let amount = (amount.clamp(-MOST, MOST) * STEPS).round() / STEPS;
        CorrectedWord { row: wish.row, shift: wish.shift, amount }
    };
    Corrected { words: chosen.iter().map(word).collect(), rest_falls }
}

/// A correction that may be made.
struct Wish {
    row: u32,
    /// How often the word should be there.
    wanted: f64,
    /// How often it is by the model, as far as that is known to differ.
    expected: f64,
    /// What its odds must be shifted by.
    shift: f64,
}

impl Wish {
    /// That of a word whose odds are shifted already, behind the last token of two.
    fn new(word: &Word, count: f64, before: f64, discount: f64) -> Wish {
        let wanted = word.count * (1.0 - discount / f64::from(word.lines));
        if word.expected[0] <= 0.0 {
            // The model was not asked, or holds it as good as impossible.
            return Wish { row: word.row, wanted, expected: 0.0, shift: 0.0 };
        }
        let expected = shifted(word, count, before);
        // Words that are expected too little by chance would be chosen else.
        let error = ERRORS * word.error * expected / word.expected[UNSHIFTED];
        let nearest = wanted.clamp((expected - error).max(f64::MIN_POSITIVE), expected + error);
        let shift = shift_to(word, count, wanted * expected / nearest) - before;
        Wish { row: word.row, wanted, expected: nearest, shift }
    }

    /// Nats by which the text gets more likely if this one is fulfilled, and the rest of the words make room for it.
    fn gain(&self) -> f64 {
        let Wish { wanted, expected, .. } = *self;
        if expected > 0.0 { wanted * (wanted / expected).ln() - (wanted - expected) } else { 0.0 }
    }
}

/// How often a word is expected of `count` times with its odds shifted. Between the shifts that were tried the odds are taken as
/// exponential, as they are for a word that is always as probable.
fn shifted(word: &Word, count: f64, shift: f64) -> f64 {
    let behind = SHIFTS.partition_point(|&tried| tried < shift).clamp(1, SHIFTS.len() - 1);
    let [low, high] = [behind - 1, behind].map(|at| log_odds(word.expected[at], count));
    let log_odds = low + (high - low) * (shift - SHIFTS[behind - 1]) / (SHIFTS[behind] - SHIFTS[behind - 1]);
    count / (1.0 + (-log_odds).exp())
}

/// The shift with which a word is expected so often.
fn shift_to(word: &Word, count: f64, wanted: f64) -> f64 {
    let behind = word.expected.partition_point(|&expected| expected < wanted).clamp(1, SHIFTS.len() - 1);
    let [low, high] = [behind - 1, behind].map(|at| log_odds(word.expected[at], count));
    let share = (log_odds(wanted, count) - low) / (high - low).max(f64::MIN_POSITIVE);
    (SHIFTS[behind - 1] + (SHIFTS[behind] - SHIFTS[behind - 1]) * share).clamp(-MOST, MOST)
}

fn log_odds(times: f64, count: f64) -> f64 {
    (times / (count - times).max(LEAST_REST * count)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A word that is as probable wherever its context stands, `count` times.
    fn word(row: u32, count: f64, lines: u32, expected: f64, of: f64) -> Word {
        let shifted = |shift: f64| of * expected * shift.exp() / (of - expected + expected * shift.exp());
        Word { row, count, lines, expected: SHIFTS.map(shifted), error: 0.0 }
    }

    #[test]
    fn corrected_words_are_as_frequent_as_wanted() {
        let words =
            vec![word(3, 400.0, 400, 40.0, 1000.0), word(4, 2.0, 2, 1.9, 1000.0), word(7, 50.0, 50, 250.0, 1000.0)];
        let context = Context { last: 1, before: None, count: 1000.0, words };
        let got = fit(&[context], 0.0, 5.0);
        assert_eq!(got.len(), 1);
        let amounts = &got[0].corrections;
        assert_eq!(amounts.iter().map(|&(row, _)| row).collect::<Vec<_>>(), [3, 7], "the third would gain nothing");
        // By the model 0.04, 0.25 and 0.71 for all others.
        let powers = [0.04 * f64::from(amounts[0].1).exp(), 0.25 * f64::from(amounts[1].1).exp()];
        let sum = powers[0] + powers[1] + 0.71;
        // Amounts are rounded to halves.
        assert!((powers[0] / sum - 0.4).abs() < 0.07 && (powers[1] / sum - 0.05).abs() < 0.015, "{powers:?}");
    }

    #[test]
    fn contexts_of_two_tokens_begin_with_what_is_corrected_behind_one() {
        let of = |before, expected| Context {
            last: 1,
            before,
            count: 1000.0,
            words: vec![word(3, 400.0, 400, expected, 1000.0)],
        };
        // Behind the two it is as frequent as behind the last of them, and the model expects as little of it.
        let got = fit(&[of(None, 40.0), of(Some(2), 40.0)], 0.0, 5.0);
        assert_eq!(got.iter().map(|context| context.before).collect::<Vec<_>>(), [None], "{got:?}");
        let got = fit(&[of(None, 40.0), of(Some(2), 4.0)], 0.0, 5.0);
        assert_eq!(got.len(), 2);
        // Odds of 1 / 24 became 2 / 3, those of 1 / 249 a sixteenth as much.
        let wanted = (2.0f32 / 3.0 * 249.0 / 16.0).ln();
        assert!((got[1].corrections[0].1 - wanted).abs() <= 0.3, "{got:?}");
    }

    #[test]
    fn rare_ngrams_count_for_less() {
        let of = |lines| Context { last: 1, before: None, count: 100.0, words: vec![word(3, 6.0, lines, 1.0, 100.0)] };
        let amount = |lines| fit(&[of(lines)], 0.75, 0.1)[0].corrections[0].1;
        assert!(amount(1) < amount(6));
        assert!(fit(&[of(2)], 0.75, 5.0).is_empty() && !fit(&[of(6)], 0.75, 4.0).is_empty());
    }
}
