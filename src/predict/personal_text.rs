//! Personal words as text, for keeping them and for taking them along.
//!
//! The first line is [`HEADER`], then columns separated by tabs: `word`, weight, spelling; `pair`, weight, first,
//! second (an empty first one for the start of a sentence); `block`, word. Weights count thousandths of a use.

use std::fmt::Write;

use super::Personal;
use super::personal::is_learnable;
use crate::Error;
use crate::text::normalize;

const HEADER: &str = "lm-wasm personal words 1";
const THOUSANDTHS: f64 = 1000.0;

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
            .map(|(line, text)| Line::parse(text).map_err(|reason| Error::PersonalWords { line, reason }))
            .collect::<Result<_, _>>()?;
        lines.into_iter().for_each(|line| self.add(line));
        self.evict();
        Ok(())
    }

    fn add(&mut self, line: Line) {
        let weight = |thousandths: u32| f64::from(thousandths) / THOUSANDTHS * self.one_use;
        match line {
            Line::Word(thousandths, spelling) => {
                let weight = weight(thousandths);
                self.add_word(&normalize(spelling), spelling, weight);
            }
            Line::Pair(thousandths, first, second) => {
                let weight = weight(thousandths);
                self.add_pair(&normalize(first), &normalize(second), weight);
            }
            Line::Block(word) => self.block(word),
        }
    }
}

enum Line<'t> {
    Word(u32, &'t str),
    Pair(u32, &'t str, &'t str),
    Block(&'t str),
}

impl Line<'_> {
    fn parse(line: &str) -> Result<Line<'_>, &'static str> {
        let columns: Vec<&str> = line.split('\t').collect();
        let weight = |text: &str| text.parse().map_err(|_| "the weight is not a whole number");
        let word = |text| if is_learnable(text) { Ok(text) } else { Err("it has no word of letters where one is due") };
        match columns[..] {
            ["word", thousandths, spelling] => Ok(Line::Word(weight(thousandths)?, word(spelling)?)),
            ["pair", thousandths, "", second] => Ok(Line::Pair(weight(thousandths)?, "", word(second)?)),
            ["pair", thousandths, first, second] => Ok(Line::Pair(weight(thousandths)?, word(first)?, word(second)?)),
            ["block", blocked] => Ok(Line::Block(word(blocked)?)),
            _ => Err("it is neither word, pair nor block with their columns"),
        }
    }
}
