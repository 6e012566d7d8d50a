//! What a text often has behind one or two tokens.

use std::collections::HashMap;

use lm_wasm::text::LINE_END;

use super::{Context, SHIFTS, Word};
use crate::ngram::after;

/// A word behind a context.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Ngram {
    last: u32,
    before: Option<u32>,
    word: u32,
    /// Its line: of those that are alike, sources may be repeated, the first.
    line: u32,
}

/// Contexts in ascending order of their tokens, the last one first, with those words that `are_of_use` and are behind them in at
/// least so many lines that differ. None goes across a line's end but for that.
pub fn contexts(tokens: &[u32], are_of_use: &dyn Fn(u32) -> bool, least: u32) -> Vec<Context> {
    let mut first = HashMap::new();
    let mut all = Vec::with_capacity(2 * tokens.len());
    for (number, words) in (0..).zip(tokens.split_inclusive(|&token| token == LINE_END)) {
        let line: u32 = *first.entry(words).or_insert(number);
        let mut context = (None, LINE_END);
        for &word in words {
            let (before, last) = context;
            all.push(Ngram { last, before: None, word, line });
            all.extend(before.map(|before| Ngram { last, before: Some(before), word, line }));
            context = after(context, word);
        }
    }
    all.sort_unstable();
    let of_context = |all: &[Ngram]| {
        let words = all.chunk_by(|a, b| a.word == b.word).map(|all| Word {
            row: all[0].word,
            count: all.len() as f64,
            lines: all.chunk_by(|a, b| a.line == b.line).count() as u32,
            expected: [0.0; SHIFTS.len()],
            error: 0.0,
        });
        let words = words.filter(|word| word.lines >= least && are_of_use(word.row)).collect();
        Context { last: all[0].last, before: all[0].before, count: all.len() as f64, words }
    };
    let contexts = all.chunk_by(|a, b| (a.last, a.before) == (b.last, b.before)).map(of_context);
    contexts.filter(|context| !context.words.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_of_enough_lines_are_counted() {
        // 5 6 7, three times 5 6 8 of which two lines are the same, 5 9 6, and a line that says 8 7 twice.
        let text = [5, 6, 7, 1, 5, 6, 8, 1, 5, 6, 8, 1, 4, 5, 6, 8, 1, 5, 9, 6, 1, 3, 8, 7, 8, 7, 1];
        let word = |row, count, lines| Word { row, count, lines, expected: [0.0; SHIFTS.len()], error: 0.0 };
        let wanted = [
            (1, None, 6.0, vec![word(5, 4.0, 3)]),
            (5, None, 5.0, vec![word(6, 4.0, 3)]),
            (5, Some(1), 4.0, vec![word(6, 3.0, 2)]),
            (6, None, 5.0, vec![word(8, 3.0, 2)]),
            (6, Some(5), 4.0, vec![word(8, 3.0, 2)]),
        ];
        let wanted = wanted.map(|(last, before, count, words)| Context { last, before, count, words });
        assert_eq!(contexts(&text, &|row| row != 1, 2), wanted);
    }
}
