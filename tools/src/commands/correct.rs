//! `lm-tools correct`

use std::collections::HashSet;
use std::path::PathBuf;
use std::thread::available_parallelism;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use lm_wasm::Model;
use lm_wasm::format::{Bias, Metadata, ModelParts, RareParts};

use super::INTERRUPTED;
use super::export::{MEASURES, add_measures, share};
use crate::corpus::{Manifest, TokenReader, WordTable, read_corpus};
use crate::corrections::{Asked, choose, contexts, expect};
use crate::evaluation::Report;
use crate::export::{bias_in_bytes, damp};
use crate::files::check_writable;
use crate::model_file::{ATTRIBUTION, DAMPED, ModelFile, identity, retain_metadata, retain_rare_words, write_model};

/// The key of what a file says of its corrections.
const CORRECTIONS: &str = "corrections";
/// Bytes left for measures, so that a file with them has the same corrections as one without.
const ROOM: usize = 256;

/// Correct a model file where it tells frequent n-grams badly
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools correct en.lm runs/en/corpus --bytes 1500000 --out en-corrected.lm
  lm-tools evaluate en-corrected.lm dev.tsv --json > measures.json
  lm-tools correct en.lm runs/en/corpus --bytes 1500000 --measures measures.json --out en-corrected.lm

The words that a corpus often has behind one or two tokens are counted, and the model is asked how often it expects them
there. Where the two differ most, an amount is added to the word's logit from then on. Corrections that the model has already are
replaced.

Asking takes long. What was answered is kept, so that the same command goes on where it was interrupted, and another size or
discount needs no more of it.")]
pub struct Arguments {
    /// Model file (.lm)
    model: PathBuf,
    /// A prepared corpus of the model's words (`lm-tools corpus --words-of`), best the one that it was trained on
    corpus: PathBuf,
    /// Largest size of the file in bytes
    #[arg(long)]
    bytes: usize,
    /// Keep no more than so many of the rare words, the most frequent ones: it leaves room for corrections
    #[arg(long)]
    rare_words: Option<usize>,
    /// Multiply the recurrent weights by this, from 0 to 1, for a network that loses its way in long texts
    #[arg(long, default_value_t = 1.0, value_parser = share)]
    damp: f32,
    /// Lines that differ in which an n-gram must be
    #[arg(long, default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..))]
    least: u32,
    /// How many of its lines do not count, since other text has it less often
    #[arg(long, default_value_t = 0.75)]
    discount: f64,
    /// The share of the text that the model is asked about: all of it, a half, a third and so on, whatever is nearest
    #[arg(long, default_value_t = 0.25)]
    share: f64,
    /// File that keeps what was answered [default: OUT with .sums at its end]
    #[arg(long)]
    sums: Option<PathBuf>,
    /// What `lm-tools evaluate --json` printed of the corrected model, to stand in the file
    #[arg(long)]
    measures: Option<PathBuf>,
    /// Threads [default: all cores]
    #[arg(long)]
    threads: Option<usize>,
    /// Model file to write
    #[arg(long)]
    out: PathBuf,
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        ensure!(
            (0.0..1.0).contains(&self.discount),
            "--discount {}: it must be at least 0 and less than 1",
            self.discount
        );
        ensure!(self.share > 0.0 && self.share <= 1.0, "--share {}: it must be more than 0 and at most 1", self.share);
        let one_of = (1.0 / self.share).round() as usize;
        let mut parts = ModelParts { corrections: None, ..ModelFile::read(&self.model)?.parts };
        if let Bias::U8 { .. } = parts.output_bias {
            // Files of before have it in finer steps, and no room for corrections by that.
            parts.output_bias = bias_in_bytes(&parts.output_bias.to_f32());
        }
        if self.damp != 1.0 {
            damp(&mut parts, self.damp);
            parts.metadata = damped(&parts.metadata, self.damp)?;
        }
        let alone = parts.to_bytes()?;
        let model = Model::from_bytes(&alone)?;
        if let Some(count) = self.rare_words {
            keep_most_frequent(&mut parts.rare, count)?;
        }
        let (manifest, table) = read_corpus(&self.corpus)?;
        self.check_words(&model, &table)?;
        let about = |count| about(&parts.metadata, count, &manifest);
        let without = ModelParts { metadata: about(0)?, ..parts.clone() }.to_bytes()?.len();
        ensure!(
            without < self.bytes.saturating_sub(ROOM),
            "--bytes {}: without any correction the file has {without} bytes already: ask for more bytes, or leave rare words out (--rare-words)",
            self.bytes
        );
        let sums = self.sums.clone().unwrap_or_else(|| self.out.with_added_extension("sums"));
        for path in [&self.out, &sums] {
            check_writable(path).with_context(|| format!("cannot write {}", path.display()))?;
        }
        let reader = TokenReader::open(&self.corpus.join("train.tokens"), table.entries.len())?;
        let mut tokens = vec![0; reader.len() as usize];
        reader.read(0, &mut tokens)?;

        let mut contexts = contexts(&tokens, &|row| model.vocabulary().is_offered(row), self.least);
        let asked = Asked::new(identity(&alone)?, manifest.checksum, self.least, one_of).resume(&sums)?;
        let threads = self.threads.or(available_parallelism().ok().map(Into::into)).unwrap_or(1).max(1);
        let interrupted = super::interrupted("writing what was answered so far")?;
        if !expect(&model, &tokens, &mut contexts, asked, &sums, threads, &interrupted)? {
            note!("interrupted; the same command goes on");
            std::process::exit(INTERRUPTED.into());
        }

        let room = self.bytes.saturating_sub(ROOM);
        let (mut file, count) = choose(&parts, &contexts, self.discount, room, &about)?;
        if let Some(path) = &self.measures {
            let mut parts = ModelParts::from_bytes(&file)?;
            add_measures(&mut parts.metadata, &Report::read(path, Some(&file))?)?;
            file = parts.to_bytes()?;
            ensure!(
                file.len() <= self.bytes,
                "with the measures of {} the file has {} bytes, more than --bytes {}: measure fewer texts, or of shorter names",
                path.display(),
                file.len(),
                self.bytes
            );
        }
        write_model(&self.out, &file)?;
        say!("{}: {} bytes, {count} corrections", self.out.display(), file.len())
    }

    fn check_words(&self, model: &Model, table: &WordTable) -> Result<()> {
        let vocabulary = model.vocabulary();
        let same = |(row, token): (u32, &str)| vocabulary.name(row) == token;
        let tokens = table.entries.iter().map(|entry| entry.token.as_str());
        if vocabulary.len() != table.entries.len() || !(0..).zip(tokens).all(same) {
            bail!(
                "{} has other words than {}: prepare the text with `lm-tools corpus --words-of {}`",
                self.corpus.display(),
                self.model.display(),
                self.model.display()
            );
        }
        Ok(())
    }
}

/// Keeps the most frequent of some rare words; of words that are as frequent the first.
fn keep_most_frequent(rare: &mut Option<RareParts>, count: usize) -> Result<()> {
    let flags: &[u8] = rare.as_ref().map_or(&[], |rare| &rare.flags);
    let mut places: Vec<usize> = (0..flags.len()).collect();
    // Bits 2 and up are the level.
    places.sort_by_key(|&place| flags[place] >> 2);
    let kept: HashSet<usize> = places.into_iter().take(count).collect();
    retain_rare_words(rare, |place, _| kept.contains(&place)).map(|_| ())
}

/// What a model says of itself once its recurrent weights are multiplied by a factor, which may not be the first.
fn damped(before: &Metadata, factor: f32) -> Result<Metadata> {
    let mut metadata = retain_metadata(before, |key| key != DAMPED)?;
    let earlier: f64 =
        before.get(DAMPED).map_or(Ok(1.0), str::parse).context("the model says no factor as `damped`")?;
    // Of a product of decimals six places are told.
    let factor = (earlier * f64::from(factor) * 1e6).round() / 1e6;
    metadata.push(DAMPED, &factor.to_string())?;
    Ok(metadata)
}

/// What a model says of itself, without measures, and what corrects it.
fn about(before: &Metadata, count: usize, manifest: &Manifest) -> Result<Metadata> {
    let mut metadata = retain_metadata(before, |key| key != CORRECTIONS && !MEASURES.contains(&key))?;
    let mut told: HashSet<&str> = before.iter().filter(|entry| entry.0 == ATTRIBUTION).map(|entry| entry.1).collect();
    told.insert("");
    for attribution in manifest.attributions().filter(|attribution| told.insert(attribution)) {
        metadata.push(ATTRIBUTION, attribution)?;
    }
    metadata.push(CORRECTIONS, &format!("{count}, of a corpus of {} tokens", manifest.train_tokens))?;
    Ok(metadata)
}
