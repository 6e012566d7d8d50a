//! The file of an n-gram model: what a page would download if it shipped one, so every byte counts.
//!
//! Word numbers are differences to the word before in the same context, probabilities are quantized in equal steps of
//! their logarithm, back-off weights are left out (they follow from the rest), and all is packed with xz.

use std::io::{Read, Write};

use anyhow::{Context, Result, bail, ensure};
use liblzma::read::XzDecoder;
use liblzma::write::XzEncoder;

use super::prune::with_backoffs;
use super::{Level, Trie};
use crate::corpus::sources::Tokenization;
use crate::corpus::{VocabularyParts, WordTable};
use lm_wasm::text::{Vocabulary, WordList};

const MAGIC: &[u8; 8] = b"lm-ngram";
const VERSION: u8 = 2;
/// Levels of a probability: more of them cost bytes and win nothing (results.md).
const LEVELS: f32 = 64.0;
const XZ_LEVEL: u32 = 9;
/// The most bytes that a file may unpack to.
const MOST: u64 = 1 << 30;

/// A model as it is read from a file.
pub struct NgramFile {
    pub vocabulary: Vocabulary,
    /// How the text became tokens.
    pub tokenization: Tokenization,
    pub trie: Trie,
}

/// Whether bytes begin as those of an n-gram model do.
pub fn is_ngram_file(bytes: &[u8]) -> bool {
    bytes.starts_with(MAGIC)
}

/// Writes a model.
pub fn write(trie: &Trie, table: &WordTable, tokenization: Tokenization) -> Result<Vec<u8>> {
    let VocabularyParts { specials, words, flags, mixed } = table.parts()?;
    let mut payload = vec![u8::from(tokenization == Tokenization::Spaces)];
    for part in [specials.as_bytes(), &words, &flags, mixed.as_bytes()] {
        put(&mut payload, part.len() as u32);
        payload.extend(part);
    }
    put(&mut payload, trie.unigrams.len() as u32);
    quantize(&trie.unigrams, &mut payload);
    for level in [&trie.bigrams, &trie.trigrams] {
        let sizes: Vec<u32> = level.starts.windows(2).map(|pair| pair[1] - pair[0]).collect();
        sizes.iter().for_each(|&size| put(&mut payload, size));
        let mut at = 0;
        for size in sizes {
            let mut last = 0;
            for &word in &level.words[at..at + size as usize] {
                put(&mut payload, word - last);
                last = word;
            }
            at += size as usize;
        }
        quantize(&level.probabilities, &mut payload);
    }
    let mut file = MAGIC.to_vec();
    file.push(VERSION);
    let mut encoder = XzEncoder::new(file, XZ_LEVEL);
    encoder.write_all(&payload)?;
    Ok(encoder.finish()?)
}

impl NgramFile {
    /// Reads what [`write`] wrote.
    pub fn read(file: &[u8]) -> Result<NgramFile> {
        let body = file.strip_prefix(MAGIC).context("it is no n-gram model")?;
        let (&version, packed) = body.split_first().context("it ends in its header")?;
        ensure!(version == VERSION, "it is of version {version}, this program reads version {VERSION}: make it anew");
        let mut payload = Vec::new();
        XzDecoder::new(packed).take(MOST).read_to_end(&mut payload).context("it is damaged or truncated")?;
        let mut from = Payload(&payload);
        let tokenization = match from.take(1)? {
            [0] => Tokenization::Words,
            [1] => Tokenization::Spaces,
            _ => bail!("it does not say how its text became tokens"),
        };
        let parts = [from.part()?, from.part()?, from.part()?, from.part()?];
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).context("its vocabulary is not UTF-8");
        let (specials, mixed) = (text(parts[0])?, text(parts[3])?);
        let vocabulary = WordList::decode(parts[1])
            .and_then(|words| Vocabulary::from_parts(&specials, words, parts[2].to_vec(), &mixed))
            .map_err(|reason| anyhow::anyhow!("its vocabulary is damaged: {reason}"))?;
        let rows = from.number()? as usize;
        ensure!(rows == vocabulary.len(), "it has {rows} unigrams and {} tokens", vocabulary.len());
        // Rounded to few levels they do not sum to 1 any more, which the back-off weights take for granted.
        let mut unigrams = from.probabilities(rows)?;
        let sum = unigrams.iter().map(|&x| f64::from(x).exp()).sum::<f64>().ln() as f32;
        unigrams.iter_mut().for_each(|x| *x -= sum);
        let bigrams = from.level(rows, rows)?;
        let trigrams = from.level(bigrams.len(), rows)?;
        ensure!(from.0.is_empty(), "it is longer than its contents");
        let trie = Trie { unigrams, bigrams, trigrams, ..Trie::default() };
        Ok(NgramFile { vocabulary, tokenization, trie: with_backoffs(trie) })
    }
}

/// Appends a number, seven bits a byte, the lowest first.
fn put(to: &mut Vec<u8>, mut number: u32) {
    while number >= 128 {
        to.push(number as u8 | 128);
        number >>= 7;
    }
    to.push(number as u8);
}

/// Appends the lowest value, the step, and a byte each.
fn quantize(values: &[f32], to: &mut Vec<u8>) {
    let (min, max) = values.iter().fold((f32::INFINITY, f32::NEG_INFINITY), |(min, max), &x| (min.min(x), max.max(x)));
    let (min, max) = if values.is_empty() { (0.0, 0.0) } else { (min, max) };
    let step = ((max - min) / (LEVELS - 1.0)).max(f32::MIN_POSITIVE);
    to.extend(min.to_le_bytes());
    to.extend(step.to_le_bytes());
    to.extend(values.iter().map(|value| ((value - min) / step).round() as u8));
}

/// What is not read yet.
struct Payload<'a>(&'a [u8]);

impl<'a> Payload<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(count).context("it is shorter than its contents")?;
        self.0 = rest;
        Ok(taken)
    }

    fn number(&mut self) -> Result<u32> {
        let mut number = 0u64;
        for shift in (0..35).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return u32::try_from(number).context("a number is too large");
            }
        }
        bail!("a number is too long")
    }

    fn part(&mut self) -> Result<&'a [u8]> {
        let length = self.number()? as usize;
        self.take(length)
    }

    fn float(&mut self) -> Result<f32> {
        let bytes = self.take(4)?;
        Ok(f32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }

    fn probabilities(&mut self, count: usize) -> Result<Vec<f32>> {
        let (min, step) = (self.float()?, self.float()?);
        ensure!(min.is_finite() && step.is_finite() && min <= 0.0, "its probabilities are no probabilities");
        // Quantization may carry the largest above 1.
        Ok(self.take(count)?.iter().map(|&byte| (min + step * f32::from(byte)).min(0.0)).collect())
    }

    fn level(&mut self, contexts: usize, rows: usize) -> Result<Level> {
        let mut starts = vec![0u32];
        for _ in 0..contexts {
            let last = starts[starts.len() - 1];
            starts.push(last.checked_add(self.number()?).context("it has too many n-grams")?);
        }
        let mut words = Vec::new();
        for pair in starts.windows(2) {
            let mut last = 0u32;
            for place in pair[0]..pair[1] {
                let step = self.number()?;
                ensure!(step > 0 || place == pair[0], "its words are not in order");
                last = last.checked_add(step).filter(|&word| (word as usize) < rows).context("a word is no token")?;
                words.push(last);
            }
        }
        let probabilities = self.probabilities(words.len())?;
        Ok(Level { starts, words, probabilities })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::corpus::Entry;
    use crate::ngram::Counted;
    use crate::ngram::count::Counts;
    use crate::ngram::estimate::estimate;

    fn table() -> WordTable {
        let specials = ["<unk>", "</s>", "<num>"].map(|name| Entry::special(name.to_owned(), 5.0));
        let word = |token: &str| Entry { token: token.into(), count: 2.0, spelling: token.into(), offered: true };
        WordTable { specials: 3, entries: specials.into_iter().chain(["go", "home", "now"].map(word)).collect() }
    }

    fn counted() -> Counted {
        let bigrams = vec![([1, 3], 4), ([3, 4], 3), ([3, 5], 1), ([4, 5], 2), ([5, 1], 3)];
        let trigrams = vec![([1, 3, 4], 3), ([1, 3, 5], 1), ([3, 4, 5], 2), ([4, 5, 1], 2)];
        estimate(&Counts { bigrams, trigrams }, 6)
    }

    #[test]
    fn what_is_written_is_read() {
        let trie = counted().pruned(f32::NEG_INFINITY);
        let file = write(&trie, &table(), Tokenization::Spaces).unwrap();
        let read = NgramFile::read(&file).unwrap();
        assert_eq!(read.tokenization, Tokenization::Spaces);
        assert_eq!(read.vocabulary.exact("home"), Some(4));
        assert_eq!(
            (&read.trie.bigrams.words, &read.trie.trigrams.starts),
            (&trie.bigrams.words, &trie.trigrams.starts)
        );
        for (a, b) in read.trie.trigrams.probabilities.iter().zip(&trie.trigrams.probabilities) {
            assert!((a - b).abs() < 0.05, "{a} is not {b}");
        }
        let sum: f32 = read.trie.unigrams.iter().map(|unigram| unigram.exp()).sum();
        assert!((sum - 1.0).abs() < 1e-5, "{sum}");
    }

    #[test]
    fn pruning_takes_what_matters_least_and_keeps_sums() {
        let counted = counted();
        assert_eq!(counted.pruned(f32::INFINITY).sizes(), [0, 0]);
        let some = with_backoffs(counted.pruned(1.0));
        assert!(some.bigrams.len() < counted.trie.bigrams.len() && some.bigrams.len() > 0);
        for last in 0..6 {
            for before in (0..6).map(Some).chain([None]) {
                let sum: f32 = (0..6).map(|word| some.log_probability(before, last, word).exp()).sum();
                assert!((sum - 1.0).abs() < 1e-3, "{before:?} {last}: {sum}");
            }
        }
    }

    #[test]
    fn damaged_files_are_refused() {
        let file = write(&counted().trie, &table(), Tokenization::Words).unwrap();
        for length in 0..file.len() {
            assert!(NgramFile::read(&file[..length]).is_err(), "{length} bytes");
        }
        assert!(NgramFile::read(b"lm-ngram\x07").is_err_and(|error| error.to_string().contains("version 7")));
    }
}
