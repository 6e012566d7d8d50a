//! What one model has more than another on the same text.

use std::array::from_fn;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::{Interval, intervals};
use super::line::Tally;
use super::{Line, Options};

/// How the measures of a model differ from those of another.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Comparison {
    /// The other model, as in [`Report`](super::Report).
    pub model: String,
    pub all: Differences,
    pub by_source: BTreeMap<String, Differences>,
}

/// Those of a text. Lines are drawn anew for both models together: easy ones are easy for both, so that a difference is surer
/// than what it is one of.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Differences {
    /// The quotient of the perplexities; none if the models do not know the same words.
    pub perplexity: Option<Difference>,
    /// What the typist found with one, less what it found with the other.
    #[serde(flatten)]
    pub typing: Option<TypingDifferences>,
}

/// See [`Typing`](super::Typing).
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct TypingDifferences {
    pub top_k: Difference,
    pub ksr: Difference,
}

/// A difference or quotient, and its 95 % bootstrap interval over lines.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Difference {
    pub value: f64,
    pub interval: Interval,
}

/// Compares what two models had on lines.
pub fn compare(model: String, lines: &[Line], ours: &[Tally], theirs: &[Tally], options: Options) -> Comparison {
    let mut by_source: BTreeMap<String, Vec<[Tally; 2]>> = BTreeMap::new();
    let mut all = Vec::new();
    for (line, (&ours, &theirs)) in lines.iter().zip(ours.iter().zip(theirs)) {
        by_source.entry(line.source.clone()).or_default().push([ours, theirs]);
        all.push([ours, theirs]);
    }
    let of_source = |(source, pairs): (String, Vec<_>)| (source, differences(&pairs, options));
    Comparison { model, all: differences(&all, options), by_source: by_source.into_iter().map(of_source).collect() }
}

fn differences(pairs: &[[Tally; 2]], options: Options) -> Differences {
    // Of each line how much the one has more than the other, and of how much.
    let of_line = |[ours, theirs]: &[Tally; 2]| {
        [
            theirs.effort as f64 - ours.effort as f64,
            ours.characters as f64,
            ours.top_k as f64 - theirs.top_k as f64,
            ours.words as f64,
            ours.loss - theirs.loss,
            ours.tokens as f64,
        ]
    };
    let statistics = |[saved, characters, hits, words, loss, tokens]: [f64; 6]| {
        [saved / characters.max(1.0), hits / words.max(1.0), (loss / tokens.max(1.0)).exp()]
    };
    let lines: Vec<[f64; 6]> = pairs.iter().map(of_line).collect();
    let sums = from_fn(|number| lines.iter().map(|line| line[number]).sum());
    let (values, intervals) = (statistics(sums), intervals(&lines, statistics));
    let [ksr, top_k, perplexity] = from_fn(|at| Difference { value: values[at], interval: intervals[at] });
    let same_words = pairs.iter().all(|[ours, theirs]| ours.unknown_words == theirs.unknown_words);
    Differences {
        perplexity: same_words.then_some(perplexity),
        typing: options.typist.then_some(TypingDifferences { top_k, ksr }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::sources::Tokenization;
    use crate::evaluation::Span;

    #[test]
    fn a_difference_that_all_lines_have_is_surer_than_what_it_is_one_of() {
        let options =
            Options { suggestions: 3, tokenization: Tokenization::Words, span: Span::Line, typist: true, threads: 1 };
        // Easy lines and hard ones; the other model needs one key in ten more, and a tenth of a nat.
        let pairs: Vec<[Tally; 2]> = (0..400)
            .map(|line| {
                let ours = Tally {
                    words: 2,
                    top_k: line % 2,
                    tokens: 10,
                    loss: 10.0 * (line % 2) as f64,
                    characters: 10,
                    effort: 9 * (line % 2),
                    ..Tally::default()
                };
                [ours, Tally { effort: ours.effort + 1, loss: ours.loss + 1.0, top_k: 0, ..ours }]
            })
            .collect();
        let Differences { perplexity, typing } = differences(&pairs, options);
        let TypingDifferences { top_k, ksr } = typing.unwrap();
        let near = |difference: Difference, low: f64, value: f64, high: f64| {
            let Difference { value: found, interval } = difference;
            for (found, wanted) in [(interval.low, low), (found, value), (interval.high, high)] {
                assert!((found - wanted).abs() < 0.01, "{difference:?}");
            }
        };
        near(ksr, 0.1, 0.1, 0.1);
        near(perplexity.unwrap(), (-0.1_f64).exp(), (-0.1_f64).exp(), (-0.1_f64).exp());
        // Half of the lines have one hit more, in two words.
        near(top_k, 0.2255, 0.25, 0.2745);

        let other_words: Vec<_> =
            pairs.iter().map(|&[ours, theirs]| [ours, Tally { unknown_words: 1, ..theirs }]).collect();
        assert!(differences(&other_words, Options { typist: false, ..options }).perplexity.is_none());
        assert!(differences(&other_words, Options { typist: false, ..options }).typing.is_none());
    }
}
