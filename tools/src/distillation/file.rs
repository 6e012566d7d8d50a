//! Soft targets on disk: a folder with `targets.json` (whose they are) and `targets.bin`, a record for each position of the
//! corpus.
//!
//! A record has 4 bytes for each word, the most probable first: its row in three bytes, little-endian, and -16 ln P, rounded,
//! at most 255. Where hints are kept, a vector of the teacher follows: a factor in single precision, and a byte for each element.

use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::Manifest;
use crate::corpus::Manifest as CorpusManifest;

const WORD: usize = 4;
/// Bytes of a hint's factor.
const FACTOR: usize = 4;
/// A hint's largest element.
const LEVELS: f32 = 127.0;
/// Steps of a nat.
const STEPS_A_NAT: f32 = 16.0;

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

/// Writes a record: the most probable rows with their log-probabilities, and a hint if there is one.
pub fn write_record(best: impl Iterator<Item = (u32, f32)>, hint: &[f32], layout: Layout, record: &mut [u8]) {
    let (words, rest) = record.split_at_mut(layout.top * WORD);
    write_words(best, words);
    if let Some((factor, elements)) = rest.split_first_chunk_mut() {
        let largest = hint.iter().fold(f32::MIN_POSITIVE, |largest, x| largest.max(x.abs()));
        *factor = (largest / LEVELS).to_le_bytes();
        for (element, x) in elements.iter_mut().zip(hint) {
            *element = ((x / largest * LEVELS).round() as i8).to_le_bytes()[0];
        }
    }
}

/// The rows of the `top` largest values, in falling order; of equals the first.
pub fn largest(values: &[f32], top: usize) -> Vec<u32> {
    let mut best: Vec<u32> = Vec::with_capacity(top + 1);
    let mut least = f32::NEG_INFINITY;
    for (row, &value) in (0..).zip(values) {
        if best.len() == top && value <= least {
            continue;
        }
        let place = best.partition_point(|&other| values[other as usize] >= value);
        best.insert(place, row);
        best.truncate(top);
        least = best.last().map_or(least, |&row| values[row as usize]);
    }
    best
}

/// The `top` most probable rows, with their log-probabilities.
pub fn most_probable(probabilities: &[f32], top: usize) -> impl Iterator<Item = (u32, f32)> {
    largest(probabilities, top).into_iter().map(|row| (row, probabilities[row as usize].ln()))
}

fn write_words(best: impl Iterator<Item = (u32, f32)>, record: &mut [u8]) {
    for (word, (row, log_probability)) in record.chunks_exact_mut(WORD).zip(best) {
        let steps = (-STEPS_A_NAT * log_probability).round().clamp(0.0, 255.0) as u32;
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
    /// Begins a folder, or goes on with one that was begun by the same teachers on the same corpus; it may get longer.
    pub fn open(folder: &Path, manifest: &Manifest) -> Result<SoftWriter> {
        fs::create_dir_all(folder).with_context(|| format!("cannot create {}", folder.display()))?;
        let path = folder.join("targets.bin");
        let begun = Manifest::read(folder)?;
        if let Some(begun) = &begun {
            ensure!(
                begun.identity() == manifest.identity(),
                "{} holds soft targets of other teachers, another corpus or other options: name another folder with --out",
                folder.display()
            );
        }
        let open = || -> std::io::Result<(File, u64)> {
            let file = OpenOptions::new().create(true).append(true).open(&path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        };
        let (file, length) = open().with_context(|| format!("cannot open {}", path.display()))?;
        let record = manifest.layout().length();
        // Nothing that is there already is thrown away because less is asked for.
        if let Some(begun) = begun.as_ref().filter(|begun| begun.tokens > manifest.tokens)
            && length == begun.tokens * record as u64
        {
            return Ok(SoftWriter { path, file, record, written: begun.tokens });
        }
        manifest.write(folder)?;
        // A segment that was not written to its end is written anew, and all of it where nothing says whose it is.
        let segment = manifest.segment * record as u64;
        let whole = match begun {
            None => 0,
            Some(_) if length == manifest.tokens * record as u64 => length,
            Some(_) => length / segment * segment,
        };
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
    identity: u64,
}

impl SoftReader {
    /// Opens a folder, whose soft targets must be of this corpus and reach up to `tokens`.
    pub fn open(folder: &Path, corpus: &CorpusManifest, tokens: u64) -> Result<SoftReader> {
        let manifest = Manifest::read(folder)?.with_context(|| {
            format!("{} holds no soft targets (make them with `lm-tools distill`)", folder.display())
        })?;
        ensure!(manifest.corpus == *corpus, "the soft targets in {} are of another corpus", folder.display());
        let path = folder.join("targets.bin");
        let open = || -> std::io::Result<(File, u64)> {
            let file = File::open(&path)?;
            let length = file.metadata()?.len();
            Ok((file, length))
        };
        let (file, length) = open().with_context(|| format!("cannot open {}", path.display()))?;
        let there = length / manifest.layout().length() as u64;
        ensure!(
            there >= tokens,
            "{} has soft targets of {there} positions, this training reads {tokens}: go on with `lm-tools distill` \
             (without --tokens, or with more)",
            folder.display()
        );
        Ok(SoftReader { path, file, layout: manifest.layout(), rows: corpus.rows, identity: manifest.identity() })
    }

    /// Distinguishes these soft targets from others.
    pub fn identity(&self) -> u64 {
        self.identity
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
                to.log_probabilities.push(-((word >> 24) as f32) / STEPS_A_NAT);
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
        write_words(most_probable(&probabilities, 4), &mut record);
        let words: Vec<(u32, f32)> = record
            .as_chunks::<WORD>()
            .0
            .iter()
            .map(|word| u32::from_le_bytes(*word))
            .map(|word| (word & 0xff_ffff, (-((word >> 24) as f32) / STEPS_A_NAT).exp()))
            .collect();
        assert_eq!(words.iter().map(|word| word.0).collect::<Vec<_>>(), [1, 3, 5, 0]);
        for (row, probability) in words {
            assert!((probability / probabilities[row as usize] - 1.0).abs() < 0.033, "{row}: {probability}");
        }
        // A probability of zero is told as the least that there is.
        write_words(most_probable(&[0.0, 1.0], 2), &mut record[..8]);
        assert_eq!(record[7], 255);
    }

    #[test]
    fn records_come_back() {
        let layout = Layout { top: 2, hint: Some(3) };
        let folder = tempfile::tempdir().unwrap();
        let manifest = Manifest { top: 2, tokens: 2, segment: 2, hint: Some(3), ..Manifest::of(corpus(3)) };
        let mut writer = SoftWriter::open(folder.path(), &manifest).unwrap();
        let mut records = vec![0; 2 * layout.length()];
        let (first, second) = records.split_at_mut(layout.length());
        write_record(most_probable(&[0.25, 0.5, 0.25], 2), &[1.0, -2.0, 0.5], layout, first);
        write_record(most_probable(&[0.1, 0.1, 0.8], 2), &[0.0; 3], layout, second);
        writer.append(&records).unwrap();

        let reader = SoftReader::open(folder.path(), &corpus(3), 2).unwrap();
        let mut soft = Soft { top: 2, ..Soft::default() };
        reader.read(0, 2, &mut soft).unwrap();
        assert_eq!(soft.rows, [1, 0, 2, 0]);
        for (got, wanted) in soft.hints.iter().zip([1.0_f32, -2.0, 0.5, 0.0, 0.0, 0.0]) {
            assert!((got - wanted).abs() < 0.01, "{:?}", soft.hints);
        }
        let again = soft.select(2, [1, 0].into_iter());
        assert_eq!((again.rows, again.hints[3..].to_vec()), (vec![2, 0, 1, 0], soft.hints[..3].to_vec()));

        assert!(SoftReader::open(folder.path(), &corpus(3), 3).is_err(), "there are but two");
        assert!(SoftReader::open(folder.path(), &corpus(4), 2).is_err(), "another corpus");
        // Less may be asked for, and all stays; more may be; without a manifest all is made anew.
        assert_eq!(SoftWriter::open(folder.path(), &Manifest { tokens: 1, ..manifest.clone() }).unwrap().written(), 2);
        assert!(SoftReader::open(folder.path(), &corpus(3), 2).is_ok());
        let longer = Manifest { tokens: 4, ..manifest };
        assert_eq!(SoftWriter::open(folder.path(), &longer).unwrap().written(), 2);
        assert!(SoftWriter::open(folder.path(), &Manifest { top: 1, ..longer.clone() }).is_err());
        fs::remove_file(folder.path().join("targets.json")).unwrap();
        assert_eq!(SoftWriter::open(folder.path(), &longer).unwrap().written(), 0);
    }

    fn corpus(rows: usize) -> CorpusManifest {
        let text = format!(
            "{{\"language\": \"en\", \"tokenization\": \"words\", \"rows\": {rows}, \"train_tokens\": 9, \"valid_tokens\": 0, \
             \"unknown_share\": 0, \"sources\": []}}"
        );
        serde_json::from_str(&text).unwrap()
    }
}
