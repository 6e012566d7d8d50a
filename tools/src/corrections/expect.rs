//! How often a model expects words behind contexts.

use std::collections::HashMap;
use std::fs;
use std::io::ErrorKind;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};
use lm_wasm::text::LINE_END;
use lm_wasm::{Model, Session};
use serde::{Deserialize, Serialize};

use super::{Context, SHIFTS};
use crate::files::replace;
use crate::ngram::{NgramContext, after};
use crate::progress::Progress;

/// Lines that are read as one text.
const LINES: usize = 2;
/// Probabilities are added up as integers, in units of one of so many, so that their order does not matter.
const UNITS: f64 = (1_u64 << 32) as f64;
/// Texts that are read before the sums may be written.
const SEGMENT: usize = 512;
/// How often they are.
const WRITE_EVERY: Duration = Duration::from_secs(60);

/// What was asked, and what the answers are so far.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// The model's identity.
    pub model: String,
    /// The corpus's checksum.
    pub corpus: u64,
    /// Lines that an n-gram stands in, at least.
    pub least: u32,
    /// One text of so many is read.
    pub one_of: usize,
    /// Texts read so far.
    pub texts: usize,
    /// How often each context was asked about.
    pub visits: Vec<u64>,
    /// Of each word of each context, in their order.
    pub sums: Vec<Sums>,
}

/// Sums over all places where the model was asked about a word.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct Sums {
    /// Of its probabilities with each of the shifts.
    shifted: [u64; SHIFTS.len()],
    /// Of the squares of its probability.
    squares: u64,
}

impl Sums {
    fn add_probability(&mut self, probability: f64) {
        for (sum, shift) in self.shifted.iter_mut().zip(SHIFTS) {
            let power = probability * shift.exp();
            *sum += (power / (1.0 - probability + power) * UNITS) as u64;
        }
        self.squares += (probability * probability * UNITS) as u64;
    }

    fn add(&mut self, other: &Sums) {
        self.shifted.iter_mut().zip(other.shifted).for_each(|(sum, other)| *sum += other);
        self.squares += other.squares;
    }
}

impl Asked {
    /// Nothing yet.
    pub fn new(model: String, corpus: u64, least: u32, one_of: usize) -> Asked {
        Asked { model, corpus, least, one_of, texts: 0, visits: Vec::new(), sums: Vec::new() }
    }

    /// What a file has of the same questions, if there is one.
    pub fn resume(self, path: &Path) -> Result<Asked> {
        let text = match fs::read_to_string(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(self),
            text => text.with_context(|| format!("cannot read {}", path.display()))?,
        };
        let other: Asked =
            serde_json::from_str(&text).with_context(|| format!("{} is damaged: delete it", path.display()))?;
        let key = |asked: &Asked| (asked.model.clone(), asked.corpus, asked.least, asked.one_of);
        ensure!(
            key(&self) == key(&other),
            "{} is of another model, corpus, --least or --share: name another file with --sums, or delete it",
            path.display()
        );
        Ok(other)
    }

    fn write(&self, path: &Path) -> Result<()> {
        replace(path, serde_json::to_string(self)?.as_bytes())
            .with_context(|| format!("cannot write {}", path.display()))
    }
}

/// Asks a model how often it expects each word of the contexts, and keeps the answers in a file; whether all were asked.
pub fn expect(
    model: &Model,
    tokens: &[u32],
    contexts: &mut [Context],
    mut asked: Asked,
    path: &Path,
    threads: usize,
    interrupted: &AtomicBool,
) -> Result<bool> {
    let words = contexts.iter().map(|context| context.words.len()).sum();
    if asked.texts == 0 {
        (asked.visits, asked.sums) = (vec![0; contexts.len()], vec![Sums::default(); words]);
    }
    ensure!(
        (asked.visits.len(), asked.sums.len()) == (contexts.len(), words),
        "{} is damaged: delete it",
        path.display()
    );
    let texts = texts(tokens, asked.one_of, contexts);
    let progress = Progress::bar("asking the model", texts.len() as u64);
    let mut written = Instant::now();
    while asked.texts < texts.len() && !interrupted.load(Ordering::Relaxed) {
        progress.set(asked.texts as u64, String::new);
        let end = texts.len().min(asked.texts + SEGMENT);
        ask(model, &texts[asked.texts..end], contexts, &mut asked, threads);
        asked.texts = end;
        if written.elapsed() > WRITE_EVERY || end == texts.len() || interrupted.load(Ordering::Relaxed) {
            asked.write(path)?;
            written = Instant::now();
        }
    }
    let mut sums = asked.sums.iter();
    for (context, &visits) in contexts.iter_mut().zip(&asked.visits) {
        let scale = context.count / UNITS / visits.max(1) as f64;
        for (word, sums) in context.words.iter_mut().zip(&mut sums) {
            word.expected = sums.shifted.map(|sum| sum as f64 * scale);
            word.error = (sums.squares as f64 * UNITS).sqrt() * scale;
        }
    }
    Ok(asked.texts == texts.len())
}

/// Asks about some texts, which threads share among them.
fn ask(model: &Model, texts: &[Text], contexts: &[Context], asked: &mut Asked, threads: usize) {
    let mut words = 0;
    let firsts: Vec<usize> = contexts
        .iter()
        .map(|context| {
            words += context.words.len();
            words - context.words.len()
        })
        .collect();
    let next = AtomicUsize::new(0);
    let work = || {
        let (mut visits, mut sums) = (vec![0; contexts.len()], vec![Sums::default(); words]);
        let mut session = Session::new(model);
        while let Some(text) = texts.get(next.fetch_add(1, Ordering::Relaxed)) {
            text.ask(model, &mut session, |context, log_probability| {
                visits[context] += 1;
                for (word, sums) in contexts[context].words.iter().zip(&mut sums[firsts[context]..]) {
                    sums.add_probability(f64::from(log_probability(word.row).exp()).min(1.0));
                }
            });
        }
        (visits, sums)
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        for worker in workers {
            let (visits, sums) = worker.join().unwrap_or_else(|panic| resume_unwind(panic));
            asked.visits.iter_mut().zip(visits).for_each(|(all, own)| *all += own);
            asked.sums.iter_mut().zip(&sums).for_each(|(all, own)| all.add(own));
        }
    });
}

/// Lines, and where in them the model is asked.
struct Text<'a> {
    tokens: &'a [u32],
    questions: Vec<Question>,
}

/// What is expected in place of a token, behind a context.
struct Question {
    token: usize,
    context: usize,
}

impl Text<'_> {
    /// Hands over each context with what gives the logarithm of the probability of a row behind it.
    fn ask(&self, model: &Model, session: &mut Session, mut tell: impl FnMut(usize, &dyn Fn(u32) -> f32)) {
        session.set_context(model, &[]);
        let mut questions = self.questions.iter().peekable();
        for (at, &token) in self.tokens.iter().enumerate() {
            if questions.peek().is_some_and(|question| question.token == at) {
                let log_probability = session.log_probability(model, token);
                let logits = session.logits(model);
                let normalizer = logits[token as usize] - log_probability;
                while let Some(question) = questions.next_if(|question| question.token == at) {
                    tell(question.context, &|row| logits[row as usize] - normalizer);
                }
            }
            session.push(model, token);
        }
    }
}

/// One text of so many, and where contexts stand in them.
fn texts<'a>(tokens: &'a [u32], one_of: usize, contexts: &[Context]) -> Vec<Text<'a>> {
    let places: HashMap<NgramContext, usize> =
        contexts.iter().zip(0..).map(|(context, place)| ((context.before, context.last), place)).collect();
    let mut texts = Vec::new();
    let mut rest = tokens;
    for number in 0.. {
        let length = rest.split_inclusive(|&token| token == LINE_END).take(LINES).map(<[u32]>::len).sum();
        let (text, others) = rest.split_at(length);
        if text.is_empty() {
            break;
        }
        if number % one_of == 0 {
            texts.push(Text { tokens: text, questions: questions(text, &places) });
        }
        rest = others;
    }
    texts
}

/// Where the contexts with a place stand in a text.
fn questions(text: &[u32], places: &HashMap<NgramContext, usize>) -> Vec<Question> {
    let mut context: NgramContext = (None, LINE_END);
    let mut questions = Vec::new();
    for (at, &token) in text.iter().enumerate() {
        let of_two = context.0.map(|_| context);
        let known = [Some((None, context.1)), of_two].into_iter().flatten().filter_map(|context| places.get(&context));
        questions.extend(known.map(|&context| Question { token: at, context }));
        context = after(context, token);
    }
    questions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corrections::UNSHIFTED;

    #[test]
    fn texts_are_two_lines_of_so_many() {
        let text = [5, 6, 1, 5, 6, 1, 7, 7, 1, 7, 1, 5, 6, 1];
        let context = |before, last| Context { last, before, count: 3.0, words: Vec::new() };
        let contexts = [context(None, 5), context(Some(5), 6)];
        let of = |one_of| {
            let texts = texts(&text, one_of, &contexts);
            let questions =
                |text: &Text| text.questions.iter().map(|question| (question.token, question.context)).collect();
            texts.iter().map(|text| (text.tokens.len(), questions(text))).collect::<Vec<(usize, Vec<_>)>>()
        };
        let first = vec![(1, 0), (2, 1), (4, 0), (5, 1)];
        assert_eq!(of(1), [(6, first.clone()), (5, vec![]), (3, vec![(1, 0), (2, 1)])]);
        assert_eq!(of(2), [(6, first), (3, vec![(1, 0), (2, 1)])]);
    }

    #[test]
    fn what_was_interrupted_goes_on() {
        let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/fixtures/pl.lm");
        let model = Model::from_bytes(&fs::read(file).unwrap()).unwrap();
        let rows = model.vocabulary().len() as u32;
        let tokens: Vec<u32> = (0..3000).map(|i| if i % 9 == 8 { LINE_END } else { (i * i + 5) % 17 % rows }).collect();
        let all = crate::corrections::contexts(&tokens, &|row| row > LINE_END, 2);
        let folder = tempfile::tempdir().unwrap();
        let [whole, parts] = ["whole", "parts"].map(|name| folder.path().join(name));
        let asked = || Asked::new("model".to_owned(), 1, 2, 2);
        let run = |asked: Asked, path: &Path, threads, interrupted| {
            let mut contexts = all.clone();
            let done = expect(&model, &tokens, &mut contexts, asked, path, threads, &AtomicBool::new(interrupted));
            (done.unwrap(), contexts)
        };
        let (done, wanted) = run(asked(), &whole, 1, false);
        let all_words = wanted.iter().flat_map(|context| &context.words);
        assert!(
            done && all_words.clone().all(|word| word.error <= word.expected[UNSHIFTED])
                && all_words.clone().any(|word| word.error > 0.0)
        );

        assert!(!run(asked(), &parts, 1, true).0);
        // The first of the texts, as an interrupted run leaves them.
        let texts = texts(&tokens, 2, &all);
        let mut some = asked();
        (some.visits, some.sums) =
            (vec![0; all.len()], vec![Sums::default(); all.iter().map(|context| context.words.len()).sum()]);
        ask(&model, &texts[..texts.len() / 3], &all, &mut some, 1);
        some.texts = texts.len() / 3;
        some.write(&parts).unwrap();
        assert_eq!(run(asked().resume(&parts).unwrap(), &parts, 3, false), (true, wanted));
        assert_eq!(fs::read(&parts).unwrap(), fs::read(&whole).unwrap());
        let other = Asked::new("another".to_owned(), 1, 2, 2);
        assert!(other.resume(&parts).unwrap_err().to_string().contains("another model"));
    }
}
