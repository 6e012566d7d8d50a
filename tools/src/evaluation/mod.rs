//! How good a model is on held-out text: perplexity, next-word hits and a simulated typist.
//!
//! The typist enters a text word by word. Before each keystroke the predictor offers k words for what is typed so far,
//! the empty prefix included. If the wanted word is among them, one click enters it and the space behind it; otherwise
//! the next character costs a keystroke, and a word typed to its end costs one more for its space. Numbers are typed
//! out the same way; a mark costs its characters. Click ratio = (clicks + keystrokes) / characters, spaces included;
//! keystroke savings (KSR) = 1 - click ratio. Words outside the vocabulary are typed out and stay in the count.

mod bootstrap;
mod comparison;
mod floats;
mod line;
mod personal;
mod predictor;

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use serde::{Deserialize, Deserializer, Serialize};

pub use bootstrap::Interval;
pub use comparison::{Comparison, Difference, Differences, TypingDifferences};
pub use floats::with_float_weights;
use line::{Tally, evaluate_line};
pub use personal::evaluate_personal;
pub use predictor::{Predictor, Text};

use crate::corpus::sources::Tokenization;
use crate::model_file::identity;
use crate::progress::Progress;

/// A line of held-out text and the source it is from.
pub struct Line {
    pub source: String,
    pub text: String,
}

/// What is one text, from whose beginning the state is carried on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Each line, as the text of an empty field.
    Line,
    /// Lines of a source that follow each other, up to so many bytes; a line with more is one by itself.
    Bytes(usize),
    /// All lines, as the perplexity of benchmarks is told.
    Stream,
}

impl Span {
    /// The lines of each text.
    fn texts(self, lines: &[Line]) -> Vec<Range<usize>> {
        let mut texts: Vec<Range<usize>> = Vec::new();
        let mut bytes = 0;
        for (index, line) in lines.iter().enumerate() {
            // Its end, too.
            bytes += line.text.len() + 1;
            match texts.last_mut() {
                Some(text) if self.joins(&lines[text.start], line, bytes) => text.end = index + 1,
                _ => {
                    texts.push(index..index + 1);
                    bytes = line.text.len() + 1;
                }
            }
        }
        texts
    }

    /// Whether a text that begins with one line goes on with another, with which it has so many bytes.
    fn joins(self, first: &Line, next: &Line, bytes: usize) -> bool {
        match self {
            Span::Line => false,
            Span::Bytes(most) => bytes <= most && first.source == next.source,
            Span::Stream => true,
        }
    }
}

/// How to evaluate.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// Suggestions offered at a time.
    pub suggestions: usize,
    pub tokenization: Tokenization,
    pub span: Span,
    /// Whether to run the typist, which costs more than the perplexity.
    pub typist: bool,
    pub threads: usize,
}

/// The measures of a text.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Measures {
    pub lines: u64,
    pub words: u64,
    /// Tokens whose likelihood was measured, line ends among them.
    pub tokens: u64,
    /// exp of the mean negative log-likelihood, an unknown word counted as `<unk>`.
    #[serde(deserialize_with = "or_infinite")]
    pub perplexity: f64,
    /// The same over the tokens that are not `<unk>`.
    #[serde(deserialize_with = "or_infinite")]
    pub known_perplexity: f64,
    /// Share of the words that are not in the vocabulary.
    pub out_of_vocabulary: f64,
    #[serde(flatten)]
    pub typing: Option<Typing>,
}

/// What the typist found.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Typing {
    /// Share of the words that were the best suggestion before anything of them was typed.
    pub top_1: f64,
    /// Share of the words that were among the suggestions before anything of them was typed.
    pub top_k: f64,
    pub click_ratio: f64,
    /// Keystroke savings: 1 - click ratio.
    pub ksr: f64,
    /// 95 % bootstrap interval of the keystroke savings, over lines.
    pub ksr_interval: Interval,
    /// Keystroke savings of a perfect predictor with the same vocabulary.
    pub ceiling: f64,
}

impl Typing {
    /// Keystroke savings with their interval, as tables have them.
    pub fn savings(&self) -> String {
        let Interval { low, high } = self.ksr_interval;
        format!("{:.2} % ({:.1} to {:.1})", 100.0 * self.ksr, 100.0 * low, 100.0 * high)
    }
}

/// A share, as tables have it.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// How texts of several lines differ: a network may lose its way in one.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Joined {
    /// The most bytes of a text.
    pub bytes: usize,
    pub texts: usize,
    /// Perplexities of the median and of the worst text.
    #[serde(deserialize_with = "or_infinite")]
    pub median: f64,
    #[serde(deserialize_with = "or_infinite")]
    pub worst: f64,
}

/// All measures, overall and by source.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Report {
    /// Which model was measured ([`identity`]); empty if it was not kept.
    #[serde(default)]
    pub model: String,
    /// Names of the files that were read.
    pub texts: Vec<String>,
    pub suggestions: usize,
    pub stream: bool,
    /// If lines were joined to texts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub joined: Option<Joined>,
    pub all: Measures,
    pub by_source: BTreeMap<String, Measures>,
    /// If there was another model to compare with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub against: Option<Comparison>,
}

impl Report {
    /// How far the state was carried on, in words.
    pub fn span(&self) -> String {
        match &self.joined {
            Some(joined) => format!("lines joined to texts of up to {} bytes", joined.bytes),
            None if self.stream => "lines as one stream".to_owned(),
            None => "each line a text by itself".to_owned(),
        }
    }

    /// What must be equal where measures are compared: the text and how it was read.
    pub fn conditions(&self) -> impl PartialEq {
        let Measures { lines, words, .. } = self.all;
        (self.texts.clone(), lines, words, self.suggestions, self.span())
    }

    /// Reads what `lm-tools evaluate --json` printed to a file; refuses that of another model than the one of
    /// these bytes, if it is there.
    pub fn read(path: &Path, model: Option<&[u8]>) -> Result<Report> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let report: Report = serde_json::from_str(&text)
            .with_context(|| format!("{} is not what `lm-tools evaluate --json` prints", path.display()))?;
        if let Some(model) = model.filter(|_| !report.model.is_empty()) {
            ensure!(
                report.model == identity(model)?,
                "{} has the measures of another model: evaluate this one (`lm-tools evaluate --json`)",
                path.display()
            );
        }
        Ok(report)
    }
}

/// Reads a number where JSON, which has no infinity, may have `null` for it.
pub fn or_infinite<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
}

/// Evaluates a model on lines of text, and compares it with another of this [`identity`].
pub fn evaluate(
    model: &dyn Predictor,
    against: Option<(&dyn Predictor, String)>,
    texts: Vec<String>,
    lines: &[Line],
    options: Options,
) -> Report {
    let texts_of_lines = options.span.texts(lines);
    let tallies = tally(model, lines, &texts_of_lines, options);
    let against = against.map(|(other, identity)| {
        let others = tally(other, lines, &texts_of_lines, options);
        comparison::compare(identity, lines, &tallies, &others, options)
    });
    let joined = match options.span {
        Span::Bytes(bytes) => Some(joined(bytes, &texts_of_lines, &tallies)),
        Span::Line | Span::Stream => None,
    };
    let mut by_source: BTreeMap<String, Vec<Tally>> = BTreeMap::new();
    for (line, tally) in lines.iter().zip(&tallies) {
        by_source.entry(line.source.clone()).or_default().push(*tally);
    }
    Report {
        model: String::new(),
        texts,
        suggestions: options.suggestions,
        stream: options.span == Span::Stream,
        joined,
        all: measures(&tallies, options),
        by_source: by_source.into_iter().map(|(source, tallies)| (source, measures(&tallies, options))).collect(),
        against,
    }
}

/// One tally a line, each text from its beginning, on several threads.
fn tally(model: &dyn Predictor, lines: &[Line], texts: &[Range<usize>], options: Options) -> Vec<Tally> {
    let next = AtomicUsize::new(0);
    let progress = Progress::bar("evaluating", lines.len() as u64);
    let worker = || {
        let mut read = model.begin();
        let mut done = Vec::new();
        loop {
            let Some(text) = texts.get(next.fetch_add(1, Ordering::Relaxed)) else { return done };
            read.restart();
            for index in text.clone() {
                if index > text.start {
                    read.go_on();
                }
                done.push((index, evaluate_line(model.vocabulary(), &mut *read, &lines[index].text, options)));
                progress.add(1);
            }
        }
    };
    let mut tallies = vec![Tally::default(); lines.len()];
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..options.threads.max(1)).map(|_| scope.spawn(worker)).collect();
        for worker in workers {
            for (index, tally) in worker.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)) {
                tallies[index] = tally;
            }
        }
    });
    tallies
}

fn joined(bytes: usize, texts: &[Range<usize>], tallies: &[Tally]) -> Joined {
    let perplexity = |text: &Range<usize>| {
        let mut sum = Tally::default();
        tallies[text.clone()].iter().for_each(|tally| sum.add(tally));
        sum.perplexity()
    };
    let mut perplexities: Vec<f64> = texts.iter().map(perplexity).collect();
    perplexities.sort_by(f64::total_cmp);
    let at = |index: usize| perplexities.get(index).copied().unwrap_or(f64::INFINITY);
    Joined { bytes, texts: texts.len(), median: at(texts.len() / 2), worst: at(texts.len().saturating_sub(1)) }
}

fn interval_of_savings(tallies: &[Tally]) -> Interval {
    let lines: Vec<[f64; 2]> =
        tallies.iter().map(|tally| [(tally.characters - tally.effort) as f64, tally.characters as f64]).collect();
    let [interval] = bootstrap::intervals(&lines, |[saved, characters]| [saved / characters.max(1.0)]);
    interval
}

fn measures(tallies: &[Tally], options: Options) -> Measures {
    let mut sum = Tally::default();
    tallies.iter().for_each(|tally| sum.add(tally));
    let share = |part: u64, whole: u64| part as f64 / whole.max(1) as f64;
    let typing = options.typist.then(|| {
        let saved = |effort: u64| 1.0 - share(effort, sum.characters);
        Typing {
            top_1: share(sum.top_1, sum.words),
            top_k: share(sum.top_k, sum.words),
            click_ratio: share(sum.effort, sum.characters),
            ksr: saved(sum.effort),
            ksr_interval: interval_of_savings(tallies),
            ceiling: saved(sum.least_effort),
        }
    });
    Measures {
        lines: tallies.len() as u64,
        words: sum.words,
        tokens: sum.tokens,
        perplexity: sum.perplexity(),
        known_perplexity: (sum.known_loss / sum.known_tokens.max(1) as f64).exp(),
        out_of_vocabulary: share(sum.unknown_words, sum.words),
        typing,
    }
}
