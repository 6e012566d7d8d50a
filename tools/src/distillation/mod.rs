//! What teachers say of a corpus, for students to learn from (Hinton 2015): of each token's successor the most probable
//! words, computed once and kept on disk.
//!
//! A teacher is a trained network or an n-gram model; several are mixed, `P_T = sum of w_i P_i`. Only the `top` most probable
//! words are kept. [`training::distillation`](crate::training::distillation) makes a loss of them.

mod file;
mod teacher;

use std::fs;
use std::io::ErrorKind;
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use lm_wasm::text::LINE_END;
use serde::{Deserialize, Serialize};
use serde_json::json;
use twox_hash::XxHash64;

use file::{Layout, SoftWriter, most_probable, write_record};
pub use file::{Soft, SoftReader, largest};
use teacher::{Stream, Teacher};

use crate::corpus::{Manifest as CorpusManifest, TokenReader, read_corpus};
use crate::files::replace;
use crate::progress::Progress;
use crate::training::device::ComputeDevice;

/// Tokens of the texts that a segment is cut into, to be read side by side: not by the machine's cores, so that every machine
/// cuts them the same way.
const TEXT: usize = 4096;
/// Tokens of each that are read at once.
const STEPS: usize = 8;
/// Texts that a thread reads side by side at most: as many as the CPU's memory has room for.
const TEXTS: usize = 64;
/// The same on other devices: as many as keep a GPU busy.
const DEVICE_TEXTS: usize = 512;

/// Whose soft targets they are: of use for this corpus alone, and a run goes on only with the same teachers.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Manifest {
    pub corpus: CorpusManifest,
    pub teachers: Vec<TeacherName>,
    /// Words kept of each position.
    pub top: usize,
    /// Positions asked for, from the beginning of the corpus on.
    pub tokens: u64,
    /// Positions that are computed and written together, by texts that begin anew.
    pub segment: u64,
    /// Elements of a hint, if there are hints.
    #[serde(default)]
    pub hint: Option<usize>,
}

impl Manifest {
    const FILE: &str = "targets.json";

    /// That of a folder, if it has one.
    fn read(folder: &Path) -> Result<Option<Manifest>> {
        let path = folder.join(Self::FILE);
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).map(Some).with_context(|| format!("{} is damaged", path.display())),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    fn write(&self, folder: &Path) -> Result<()> {
        let path = folder.join(Self::FILE);
        let text = serde_json::to_string_pretty(self)?;
        replace(&path, text.as_bytes()).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Distinguishes soft targets from others: by all but the teachers' paths and how much of the corpus was asked for.
    fn identity(&self) -> u64 {
        let teachers: Vec<(u64, f64)> = self.teachers.iter().map(|name| (name.checksum, name.weight)).collect();
        let identity = json!([self.corpus, teachers, self.top, self.segment, self.hint]);
        XxHash64::oneshot(0, identity.to_string().as_bytes())
    }

    fn layout(&self) -> Layout {
        Layout { top: self.top, hint: self.hint }
    }

    #[cfg(test)]
    fn of(corpus: CorpusManifest) -> Manifest {
        Manifest { corpus, teachers: Vec::new(), top: 1, tokens: 1, segment: 1, hint: None }
    }
}

/// A teacher and its share.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct TeacherName {
    /// The folder of a run, or an n-gram file.
    pub path: PathBuf,
    /// Of the teacher's bytes, so that another one in its place is noticed.
    pub checksum: u64,
    /// Weight of its probabilities; all weights together are 1.
    pub weight: f64,
}

/// A run of `lm-tools distill`.
pub struct Distill<'a> {
    pub corpus: &'a Path,
    /// Paths and weights.
    pub teachers: &'a [(PathBuf, f64)],
    pub top: usize,
    /// All of the corpus if not told.
    pub tokens: Option<u64>,
    /// Computed at once.
    pub segment: u64,
    /// Whether to keep what the first network among the teachers compares with its output rows (FitNets: Romero 2015).
    pub hints: bool,
    /// Where networks among the teachers compute.
    pub device: &'a ComputeDevice,
    /// Threads that texts are shared among.
    pub threads: usize,
    pub out: &'a Path,
    /// Set from outside to end after the current segment.
    pub interrupted: &'a AtomicBool,
}

impl Distill<'_> {
    /// Writes soft targets, going on where an earlier run of the same teachers ended; whether all of them are there now.
    pub fn run(&self) -> Result<bool> {
        let (corpus, table) = read_corpus(self.corpus)?;
        let tokens = TokenReader::open(&self.corpus.join("train.tokens"), table.entries.len())?;
        let most = table.entries.len().min(255);
        ensure!((1..=most).contains(&self.top), "--top {} is not in 1 to {most}", self.top);
        let total: f64 = self.teachers.iter().map(|(_, weight)| weight).sum();
        let mut teachers = Vec::new();
        let mut names = Vec::new();
        for (path, weight) in self.teachers {
            let (teacher, checksum) = teacher::read(path, &table, self.device)?;
            names.push(TeacherName { path: path.clone(), checksum, weight: weight / total });
            teachers.push((teacher, (weight / total) as f32));
        }
        let wanted = self.tokens.unwrap_or(u64::MAX).min(tokens.len());
        let hint = teachers.iter().find_map(|(teacher, _)| teacher.hint_width()).filter(|_| self.hints);
        ensure!(hint.is_some() || !self.hints, "--hints: no teacher is a network");
        let manifest = Manifest { corpus, teachers: names, top: self.top, tokens: wanted, segment: self.segment, hint };
        let mut writer = SoftWriter::open(self.out, &manifest)?;
        let progress = Progress::bar("distilling", wanted);
        while writer.written() < wanted {
            progress.set(writer.written(), String::new);
            let length = self.segment.min(wanted - writer.written());
            let ensemble = Ensemble { teachers: &teachers, rows: table.entries.len(), layout: manifest.layout() };
            writer.append(&self.segment(&tokens, writer.written()..writer.written() + length, &ensemble)?)?;
            if self.interrupted.load(Ordering::Relaxed) {
                return Ok(writer.written() == wanted);
            }
        }
        Ok(true)
    }

    /// The records of some positions, computed as texts side by side that begin anew.
    fn segment(&self, reader: &TokenReader, positions: Range<u64>, ensemble: &Ensemble) -> Result<Vec<u8>> {
        let length = (positions.end - positions.start) as usize;
        let mut tokens = vec![0; length];
        reader.read(positions.start, &mut tokens)?;
        let share = TEXT * length.div_ceil(TEXT).div_ceil(self.threads);
        let record = ensemble.layout.length();
        let mut records = vec![0; length * record];
        let shares = tokens.chunks(share).zip(records.chunks_mut(share * record));
        let most = TEXT * if self.device.fused { TEXTS } else { DEVICE_TEXTS };
        let answer = |(tokens, records): (&[u32], &mut [u8])| {
            let parts = tokens.chunks(most).zip(records.chunks_mut(most * record));
            parts.for_each(|(tokens, records)| ensemble.answer(tokens, records));
        };
        std::thread::scope(|scope| {
            let threads: Vec<_> = shares.map(|share| scope.spawn(move || answer(share))).collect();
            threads.into_iter().for_each(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
        });
        Ok(records)
    }
}

/// The teachers, and what is written of their answers.
struct Ensemble<'a> {
    teachers: &'a [(Box<dyn Teacher>, f32)],
    rows: usize,
    layout: Layout,
}

impl Ensemble<'_> {
    /// Writes what the teachers say behind each of `tokens`, which are texts of [`TEXT`] tokens, the last maybe a shorter one.
    fn answer(&self, tokens: &[u32], records: &mut [u8]) {
        let texts: Vec<&[u32]> = tokens.chunks(TEXT).collect();
        let text = texts[0].len();
        let record = self.layout.length();
        let mut streams: Vec<(Box<dyn Stream + '_>, f32)> =
            self.teachers.iter().map(|(teacher, weight)| (teacher.begin(texts.len()), *weight)).collect();
        for start in (0..text).step_by(STEPS) {
            // Texts that are at their end are read on as line ends, and what is said of that is thrown away.
            let steps = STEPS.min(text - start);
            let at = |step: usize, index: usize| texts[index].get(start + step).copied().unwrap_or(LINE_END);
            let batch: Vec<u32> =
                (0..steps).flat_map(|step| (0..texts.len()).map(move |index| at(step, index))).collect();
            let Layout { top, hint } = self.layout;
            let told = self.most_probable(&mut streams, &batch);
            let width = hint.unwrap_or(0);
            for place in 0..batch.len() {
                let (step, index) = (start + place / texts.len(), place % texts.len());
                if step < texts[index].len() {
                    let position = index * TEXT + step;
                    let words = top * place..top * (place + 1);
                    let best = told.rows[words.clone()].iter().zip(&told.log_probabilities[words]);
                    let hint = &told.hints[place * width..(place + 1) * width];
                    let record = &mut records[position * record..(position + 1) * record];
                    write_record(best.map(|(row, p)| (*row, *p)), hint, self.layout, record);
                }
            }
        }
    }

    /// What the teachers together hold most probable behind each of `tokens`.
    fn most_probable(&self, streams: &mut [(Box<dyn Stream + '_>, f32)], tokens: &[u32]) -> Soft {
        let top = self.layout.top;
        if let [(stream, _)] = streams
            && let Some(soft) = stream.most_probable(tokens, top)
        {
            return soft;
        }
        let mut mixture = vec![0.0; tokens.len() * self.rows];
        for (stream, weight) in streams.iter_mut() {
            stream.read(tokens, *weight, &mut mixture);
        }
        let hints = streams.iter().map(|(stream, _)| stream.hints()).find(|hints| !hints.is_empty());
        let mut soft = Soft { top, hints: hints.unwrap_or_default().to_vec(), ..Soft::default() };
        for probabilities in mixture.chunks_exact(self.rows) {
            for (row, log_probability) in most_probable(probabilities, top) {
                soft.rows.push(row);
                soft.log_probabilities.push(log_probability);
            }
        }
        soft
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;

    const ROWS: usize = 7;

    /// Holds a row likely that the token and the number of those before it in the text tell.
    struct Counter {
        /// Whether it answers by itself, as a network on a device does.
        alone: bool,
    }

    struct Counting<'a> {
        counter: &'a Counter,
        texts: usize,
        read: usize,
        hints: Vec<f32>,
    }

    impl Teacher for Counter {
        fn begin(&self, texts: usize) -> Box<dyn Stream + '_> {
            Box::new(Counting { counter: self, texts, read: 0, hints: Vec::new() })
        }
    }

    impl Counting<'_> {
        fn rows(&mut self, tokens: &[u32]) -> Vec<u32> {
            let before = |place: usize| self.read + place / self.texts;
            let rows: Vec<u32> =
                tokens.iter().enumerate().map(|(place, token)| (token + before(place) as u32) % ROWS as u32).collect();
            self.hints = rows.iter().map(|&row| row as f32).collect();
            self.read += tokens.len() / self.texts;
            rows
        }
    }

    impl Stream for Counting<'_> {
        fn read(&mut self, tokens: &[u32], weight: f32, mixture: &mut [f32]) {
            for (row, mixed) in self.rows(tokens).into_iter().zip(mixture.chunks_exact_mut(ROWS)) {
                mixed[row as usize] += weight;
            }
        }

        fn most_probable(&mut self, tokens: &[u32], top: usize) -> Option<Soft> {
            self.counter.alone.then(|| {
                let rows = self.rows(tokens);
                Soft { top, log_probabilities: vec![0.0; rows.len()], rows, hints: self.hints.clone() }
            })
        }

        fn hints(&self) -> &[f32] {
            &self.hints
        }
    }

    #[test]
    fn texts_are_cut_alike_by_whatever_computes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tokens");
        // Two texts and a shorter one, behind something else.
        let (start, length) = (100, 2 * TEXT + 1808);
        let tokens: Vec<u32> = (0..start + length).map(|i| (i * i % ROWS) as u32).collect();
        fs::write(&path, tokens.iter().flat_map(|token| token.to_le_bytes()).collect::<Vec<u8>>()).unwrap();
        let reader = TokenReader::open(&path, ROWS).unwrap();
        for (alone, threads, hint) in [(false, 1, None), (false, 2, Some(1)), (false, 5, None), (true, 1, Some(1))] {
            let device = ComputeDevice { name: "test".into(), device: Device::flex(), fused: !alone };
            let distill = Distill {
                corpus: folder.path(),
                teachers: &[],
                top: 1,
                tokens: None,
                segment: 1 << 18,
                hints: hint.is_some(),
                device: &device,
                threads,
                out: folder.path(),
                interrupted: &AtomicBool::new(false),
            };
            let layout = Layout { top: 1, hint };
            let teachers: [(Box<dyn Teacher>, f32); 1] = [(Box::new(Counter { alone }), 1.0)];
            let ensemble = Ensemble { teachers: &teachers, rows: ROWS, layout };
            let records = distill.segment(&reader, start as u64..(start + length) as u64, &ensemble).unwrap();
            for (place, record) in records.chunks_exact(layout.length()).enumerate() {
                let wanted = (tokens[start + place] as usize + place % TEXT) % ROWS;
                assert_eq!(record[0] as usize, wanted, "position {place}, {threads} threads");
                if hint.is_some() {
                    let factor = f32::from_le_bytes(record[4..8].try_into().unwrap());
                    let hint = factor * f32::from(record[8] as i8);
                    assert!((hint - wanted as f32).abs() < 1e-3, "{hint} {wanted}");
                }
            }
            assert_eq!(records.len(), length * layout.length());
        }
    }
}
