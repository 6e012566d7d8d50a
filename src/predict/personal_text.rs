//! Personal words as text, for keeping them and for taking them along.
//!
//! The first line is [`HEADER`], then columns separated by tabs: `word`, weight, spelling; `pair`, weight, first,
//! second (an empty first one for the start of a sentence); `block`, word. Weights count thousandths of a use.

use std::fmt::Write;
use std::num::NonZeroU32;

use super::Personal;
use super::personal::{MAX_BLOCKED, MAX_PAIRS, MAX_WORDS, is_learnable, may_be_blocked};
use crate::Error;
use crate::text::normalize;

const HEADER: &str = "lm-wasm personal words 1";
const THOUSANDTHS: f64 = 1000.0;
/// An export has no more lines behind the header.
const MAX_LINES: usize = MAX_WORDS + MAX_PAIRS + MAX_BLOCKED;

impl Personal {
    /// All of it as text; uses that weigh less than a thousandth are left out.
    pub fn export(&self) -> String {
        let mut text = format!("{HEADER}\n");
        let thousandths = |weight: f64| (weight / self.one_use * THOUSANDTHS).round() as u32;
        for word in self.words.iter().filter(|word| thousandths(word.weight) > 0) {
            let _ = writeln!(text, "word\t{}\t{}", thousandths(word.weight), word.spelling);
        }
        for pair in self.pairs.iter().filter(|pair| thousandths(pair.weight) > 0) {
            let _ = writeln!(text, "pair\t{}\t{}\t{}", thousandths(pair.weight), pair.first, pair.second);
        }
        for word in &self.blocked {
            let _ = writeln!(text, "block\t{word}");
        }
        text
    }

    /// Adds what [`Personal::export`] gave.
    ///
    /// # Errors
    ///
    /// [`Error::PersonalWords`] with the number of the line that is at fault; nothing is added then.
    pub fn import(&mut self, text: &str) -> Result<(), Error> {
        let mut lines = (1..).zip(text.lines());
        if lines.next().map(|(_, line)| line) != Some(HEADER) {
            return Err(Error::PersonalWords { line: 1, reason: "it must be `lm-wasm personal words 1`" });
        }
        let lines: Vec<Line> = lines
            .map(|(line, text)| {
                let parsed = if line > MAX_LINES + 1 { Err("there are too many lines") } else { Line::parse(text) };
                parsed.map_err(|reason| Error::PersonalWords { line, reason })
            })
            .collect::<Result<_, _>>()?;
        lines.into_iter().for_each(|line| self.add(line));
        self.evict();
        Ok(())
    }

    fn add(&mut self, line: Line) {
        let weight = |thousandths: NonZeroU32| f64::from(thousandths.get()) / THOUSANDTHS * self.one_use;
        match line {
            Line::Word(thousandths, spelling) => {
                let weight = weight(thousandths);
                self.add_word(&normalize(spelling), spelling, weight);
            }
            // Earlier versions learned pairs that begin with a code.
            Line::Pair(_, first, _) if !first.is_empty() && !is_learnable(first) => {}
            Line::Pair(thousandths, first, second) => {
                let weight = weight(thousandths);
                self.add_pair(&normalize(first), &normalize(second), weight);
            }
            Line::Block(word) => self.block(word),
        }
    }
}

enum Line<'t> {
    Word(NonZeroU32, &'t str),
    Pair(NonZeroU32, &'t str, &'t str),
    Block(&'t str),
}

impl Line<'_> {
    fn parse(line: &str) -> Result<Line<'_>, &'static str> {
        let columns: Vec<&str> = line.split('\t').collect();
        let weight = |text: &str| text.parse().map_err(|_| "the weight is not a whole number from 1");
        let word = |text| if is_learnable(text) { Ok(text) } else { Err("it has no word of letters where one is due") };
        match columns[..] {
            ["word", thousandths, spelling] => Ok(Line::Word(weight(thousandths)?, word(spelling)?)),
            ["pair", thousandths, first, second] => Ok(Line::Pair(weight(thousandths)?, first, word(second)?)),
            ["block", blocked] if may_be_blocked(blocked) => Ok(Line::Block(blocked)),
            _ => Err("it is neither word, pair nor block with their columns"),
        }
    }
}
