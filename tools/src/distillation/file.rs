//! Soft targets on disk: a folder with `targets.json` (the question) and `targets.bin`, a record for each position of the
//! corpus.
//!
//! A record has 4 bytes for each word, the most probable first: its row in three bytes, little-endian, and -16 ln P, rounded,
//! at most 255. Where hints are kept, a vector of the teacher follows: a factor in single precision, and a byte for each element.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::Question;
use crate::corpus::Manifest;

const WORD: usize = 4;
/// Bytes of a hint's factor.
const FACTOR: usize = 4;
/// A hint's largest element.
const LEVELS: f32 = 127.0;
/// Steps of a nat.
const STEPS: f32 = 16.0;

/// What a record holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Words.
    pub top: usize,
    /// Elements of a hint, if there are hints.
    pub hint: Option<usize>,
}

impl Layout {
    /// Bytes of a record.
    pub fn length(self) -> usize {
        self.top * WORD + self.hint.map_or(0, |width| FACTOR + width)
    }
}

/// Writes a record: the most probable rows, and a hint if there is one.
pub fn write_record(probabilities: &[f32], hint: &[f32], layout: Layout, record: &mut [u8]) {
    let (words, rest) = record.split_at_mut(layout.top * WORD);
    write_words(probabilities, layout.top, words);
    if let Some((factor, elements)) = rest.split_first_chunk_mut() {
        let largest = hint.iter().fold(f32::MIN_POSITIVE, |largest, x| largest.max(x.abs()));
        *factor = (largest / LEVELS).to_le_bytes();
        for (element, x) in elements.iter_mut().zip(hint) {
            *element = ((x / largest * LEVELS).round() as i8).to_le_bytes()[0];
        }
    }
}

fn write_words(probabilities: &[f32], top: usize, record: &mut [u8]) {
    let mut best: Vec<u32> = Vec::with_capacity(top + 1);
    let mut least = f32::NEG_INFINITY;
    for (row, &probability) in (0..).zip(probabilities) {
        if best.len() == top && probability <= least {
            continue;
        }
        let place = best.partition_point(|&other| probabilities[other as usize] >= probability);
        best.insert(place, row);
        best.truncate(top);
        least = best.last().map_or(least, |&row| probabilities[row as usize]);
    }
    for (word, row) in record.chunks_exact_mut(WORD).zip(best) {
        let steps = (-STEPS * probabilities[row as usize].ln()).round().clamp(0.0, 255.0) as u32;
        word.copy_from_slice(&(row | steps << 24).to_le_bytes());
    }
}

/// Appends records to a folder.
pub struct SoftWriter {
    path: PathBuf,
    file: File,
    record: usize,
    written: u64,
}

impl SoftWriter {
    /// Begins a folder, or goes on with one that was begun with the same question.
    pub fn open(folder: &Path, question: &Question) -> Result<SoftWriter> {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let (manifest, path) = (folder.join("targets.json"), folder.join("targets.bin"));
        let text = serde_json::to_string_pretty(question)?;
        match fs::read_to_string(&manifest) {
            Ok(before) => ensure!(
                before == text,
                "{} holds soft targets of other teachers, another corpus or other options: name another folder with --out",
                folder.display()
            ),
            Err(_) => fs::write(&manifest, &text).with_context(|| format!("cannot write {}", manifest.display()))?,
        }
        let open = || -> std::io::Result<(File, u64)> {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        };
        let (file, length) = open().with_context(|| format!("cannot open {}", path.display()))?;
        let record = question.layout().length();
        // A segment that was not written to its end is written anew.
        let segment = question.segment * record as u64;
        let whole = if length == question.tokens * record as u64 { length } else { length / segment * segment };
        file.set_len(whole).with_context(|| format!("cannot cut {}", path.display()))?;
        Ok(SoftWriter { path, file, record, written: whole / record as u64 })
    }

    /// Positions written so far.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Appends the records of a segment.
    pub fn append(&mut self, records: &[u8]) -> Result<()> {
        let failed = || format!("cannot write {} (what stands there so far is kept)", self.path.display());
        self.file.write_all(records).and_then(|()| self.file.sync_data()).with_context(failed)?;
        self.written += (records.len() / self.record) as u64;
        Ok(())
    }
}

/// The most probable words behind some positions, `top` of each, and the hints.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Soft {
    pub top: usize,
    pub rows: Vec<u32>,
    pub log_probabilities: Vec<f32>,
    pub hints: Vec<f32>,
}

impl Soft {
    /// Those of some of the `positions`, in the order told.
    pub fn select(&self, positions: usize, places: impl Iterator<Item = usize> + Clone) -> Soft {
        Soft {
            top: self.top,
            rows: select(&self.rows, self.top, places.clone()),
            log_probabilities: select(&self.log_probabilities, self.top, places.clone()),
            hints: select(&self.hints, self.hints.len() / positions, places),
        }
    }
}

/// Rows of `width` elements.
fn select<T: Copy>(all: &[T], width: usize, places: impl Iterator<Item = usize>) -> Vec<T> {
    places.flat_map(|place| &all[place * width..(place + 1) * width]).copied().collect()
}

/// Reads soft targets at any place, without holding them.
pub struct SoftReader {
    path: PathBuf,
    file: File,
    layout: Layout,
    rows: usize,
}

impl SoftReader {
    /// Opens a folder, whose soft targets must be of this corpus and reach up to `tokens`.
    pub fn open(folder: &Path, corpus: &Manifest, tokens: u64) -> Result<SoftReader> {
        let manifest = folder.join("targets.json");
        let text = fs::read_to_string(&manifest).with_context(|| {
            format!("{} holds no soft targets (make them with `lm-tools distill`)", folder.display())
        })?;
        let question: Question =
            serde_json::from_str(&text).with_context(|| format!("{} is damaged", manifest.display()))?;
        ensure!(
            serde_json::to_value(&question.corpus)? == serde_json::to_value(corpus)?,
            "the soft targets in {} are of another corpus",
            folder.display()
        );
        let path = folder.join("targets.bin");
        let open = || -> std::io::Result<(File, u64)> {
            let file = File::open(&path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        };
        let (file, length) = open().with_context(|| format!("cannot open {}", path.display()))?;
        let there = length / question.layout().length() as u64;
        ensure!(
            there >= tokens,
            "{} has soft targets of {there} positions, this training reads {tokens}: go on with `lm-tools distill`",
            folder.display()
        );
        Ok(SoftReader { path, file, layout: question.layout(), rows: corpus.rows })
    }

    /// What there is of each position.
    pub fn layout(&self) -> Layout {
        self.layout
    }

    /// Appends the soft targets of `count` positions from `start` on.
    pub fn read(&self, start: u64, count: usize, to: &mut Soft) -> Result<()> {
        let record = self.layout.length();
        let mut bytes = vec![0; count * record];
        self.file
            .read_exact_at(&mut bytes, start * record as u64)
            .with_context(|| format!("cannot read {} at position {start}", self.path.display()))?;
        for record in bytes.chunks_exact(record) {
            let (words, hint) = record.split_at(self.layout.top * WORD);
            for word in words.as_chunks::<WORD>().0 {
                let word = u32::from_le_bytes(*word);
                let row = word & 0x00ff_ffff;
                if row as usize >= self.rows {
                    bail!("{} is damaged at position {start}: make the soft targets again", self.path.display());
                }
                to.rows.push(row);
                to.log_probabilities.push(-((word >> 24) as f32) / STEPS);
            }
            if let Some((factor, elements)) = hint.split_first_chunk() {
                let factor = f32::from_le_bytes(*factor);
                to.hints.extend(elements.iter().map(|&byte| f32::from(byte as i8) * factor));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_has_the_most_probable_rows() {
        let probabilities = [0.1, 0.3, 0.05, 0.3, 0.0, 0.25];
        let mut record = [0; 16];
        write_words(&probabilities, 4, &mut record);
        let words: Vec<(u32, f32)> = record
            .as_chunks::<WORD>()
            .0
            .iter()
            .map(|word| u32::from_le_bytes(*word))
            .map(|word| (word & 0xff_ffff, (-((word >> 24) as f32) / STEPS).exp()))
            .collect();
        assert_eq!(words.iter().map(|word| word.0).collect::<Vec<_>>(), [1, 3, 5, 0]);
        for (row, probability) in words {
            assert!((probability / probabilities[row as usize] - 1.0).abs() < 0.033, "{row}: {probability}");
        }
        // A probability of zero is told as the least that there is.
        write_words(&[0.0, 1.0], 2, &mut record[..8]);
        assert_eq!(record[7], 255);
    }
}
