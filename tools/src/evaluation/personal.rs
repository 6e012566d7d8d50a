//! What personal words are worth: one person's text is typed from its beginning to its end, once with what was learned
//! from it so far and once without, in the same code as in a page.

use lm_wasm::predict::{Blend, Personal};
use lm_wasm::text::{Token, normalize, segments};
use lm_wasm::{Model, Session};
use serde::{Deserialize, Serialize};

/// Ends of the parts of the text that are told apart, in words.
const PARTS: [u64; 6] = [1_000, 3_000, 10_000, 30_000, 100_000, u64::MAX];

/// Key presses in a part of the text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Words of the part.
    pub words: u64,
    /// Characters, a space behind each word and number included.
    pub characters: u64,
    /// Keystrokes and clicks with the model alone.
    pub model_effort: u64,
    /// Keystrokes and clicks with what was learned before.
    pub personal_effort: u64,
}

impl Part {
    /// Keystroke savings of the model alone, and with personal words.
    pub fn ksr(&self) -> (f64, f64) {
        let saved = |effort: u64| 1.0 - effort as f64 / self.characters.max(1) as f64;
        (saved(self.model_effort), saved(self.personal_effort))
    }

    fn add(&mut self, other: Part) {
        self.words += other.words;
        self.characters += other.characters;
        self.model_effort += other.model_effort;
        self.personal_effort += other.personal_effort;
    }
}

/// Keystroke savings while a text is written.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct PersonalReport {
    /// The parts of the text, each with the number of words at its end.
    pub parts: Vec<(u64, Part)>,
    pub all: Part,
}

/// Types `lines`, each the text of an empty field, and learns every word once it is typed.
pub fn evaluate_personal<'t>(
    model: &Model,
    blend: Blend,
    lines: impl Iterator<Item = &'t str>,
    suggestions: usize,
) -> PersonalReport {
    let mut typist = Typist { model, session: Session::new(model), blend, suggestions };
    let mut learned = Personal::new();
    let mut report = PersonalReport { parts: Vec::new(), all: Part::default() };
    let mut part = Part::default();
    for line in lines {
        part.add(typist.type_line(&mut learned, line));
        let words = report.all.words + part.words;
        if PARTS.get(report.parts.len()).is_some_and(|&end| words >= end) {
            report.close(part);
            part = Part::default();
        }
    }
    report.close(part);
    report
}

impl PersonalReport {
    fn close(&mut self, part: Part) {
        self.all.add(part);
        if part.words > 0 {
            self.parts.push((self.all.words, part));
        }
    }
}

struct Typist<'m> {
    model: &'m Model,
    session: Session,
    blend: Blend,
    suggestions: usize,
}

impl Typist<'_> {
    fn type_line(&mut self, learned: &mut Personal, line: &str) -> Part {
        let nothing = Personal::new();
        let mut part = Part::default();
        let mut before = String::new();
        for segment in segments(line) {
            let characters = segment.text.chars().count() as u64;
            match segment.token {
                Token::Word(word) => {
                    part.words += 1;
                    part.characters += characters + 1;
                    part.model_effort += self.effort(&nothing, &before, segment.text, &word);
                    part.personal_effort += self.effort(learned, &before, segment.text, &word);
                    before.push_str(segment.text);
                    learned.learn(&before);
                    before.push(' ');
                }
                token => {
                    let typed = characters + u64::from(token == Token::Number);
                    part.characters += typed;
                    part.model_effort += typed;
                    part.personal_effort += typed;
                    // A mark stands right behind the word.
                    before.truncate(before.trim_end_matches(' ').len());
                    before.push_str(segment.text);
                    before.push(' ');
                }
            }
        }
        part
    }

    /// Keystrokes until the word is offered and the click that takes it; or all of it and its space.
    fn effort(&mut self, personal: &Personal, before: &str, typed: &str, word: &str) -> u64 {
        let mut text = before.to_owned();
        let mut keystrokes = 0;
        for character in typed.chars() {
            let offered = self.blend.suggest(&mut self.session, self.model, personal, &text, self.suggestions);
            if offered.items.iter().any(|item| normalize(&item.text) == word) {
                break;
            }
            text.push(character);
            keystrokes += 1;
        }
        keystrokes + 1
    }
}
