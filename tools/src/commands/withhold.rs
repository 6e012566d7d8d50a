//! `lm-tools withhold`

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::{Context, Result, anyhow};
use clap::Args;
use lm_wasm::Model;
use lm_wasm::format::{ModelParts, RareParts};
use lm_wasm::text::{WordFlags, WordList, normalize};

use super::export::{MEASURES, add_measures};
use crate::corpus::Lines;
use crate::evaluation::Report;
use crate::files::replace;
use crate::model_file::{retain_metadata, retain_rare_words};

/// Have a model file never offer some words
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools withhold en.lm configs/en/never-offer.txt --out en-polite.lm
  lm-tools evaluate en-polite.lm dev.tsv --json > measures.json
  lm-tools withhold en.lm configs/en/never-offer.txt --measures measures.json --out en-polite.lm

The model reads the words of its vocabulary as before, and nothing that is suggested becomes likelier by it than it was beside them. Rare
words, which are there to be offered alone, leave the file. Inflections are not found: list each form.")]
pub struct Arguments {
    /// Model file (.lm)
    model: PathBuf,
    /// Files of words, one a line
    #[arg(required = true)]
    words: Vec<PathBuf>,
    /// What `lm-tools evaluate --json` printed of the file, to stand in it
    #[arg(long)]
    measures: Option<PathBuf>,
    /// Model file to write
    #[arg(long)]
    out: PathBuf,
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let file = std::fs::read(&self.model).with_context(|| format!("cannot read {}", self.model.display()))?;
        let mut parts =
            ModelParts::from_bytes(&file).with_context(|| format!("{} cannot be used", self.model.display()))?;
        let never = read_words(&self.words)?;
        let read_only = withhold(&parts.words, &mut parts.word_flags, &never)?;
        let left_out = parts.rare.as_mut().map_or(Ok(0), |rare| leave_out(rare, &never))?;
        // An empty list is none.
        parts.rare = parts.rare.filter(|rare| !rare.flags.is_empty());
        if read_only + left_out > 0 {
            // They were measured of another file.
            parts.metadata = retain_metadata(&parts.metadata, |key| !MEASURES.contains(&key))?;
        }
        let mut file = parts.to_bytes()?;
        if let Some(path) = &self.measures {
            add_measures(&mut parts.metadata, &Report::read(path, Some(&file))?)?;
            file = parts.to_bytes()?;
        }
        // What cannot be loaded must not be written.
        Model::from_bytes(&file).context("the file does not load")?;
        replace(&self.out, &file).with_context(|| format!("cannot write {}", self.out.display()))?;
        say!(
            "{}: {} bytes; {read_only} words are read only from now on, {left_out} rare ones left out",
            self.out.display(),
            file.len()
        )
    }
}

fn read_words(files: &[PathBuf]) -> Result<HashSet<String>> {
    let mut words = HashSet::new();
    for file in files {
        let mut lines = Lines::open(file)?;
        while let Some((_, word)) = lines.next_line()? {
            words.insert(normalize(&word).into_owned());
        }
    }
    Ok(words)
}

/// Marks words of the vocabulary as those that are never offered; how many were not before.
fn withhold(words: &[u8], flags: &mut [u8], never: &HashSet<String>) -> Result<usize> {
    let list = WordList::decode(words).map_err(|reason| anyhow!(reason))?;
    let mut marked = 0;
    for place in never.iter().filter_map(|word| list.find(word)) {
        let before = WordFlags::from_byte(flags[place]);
        flags[place] = WordFlags { offered: false, ..before }.to_byte();
        marked += usize::from(before.offered);
    }
    Ok(marked)
}

/// Takes words out of the rare ones; how many. The others are as probable as before.
fn leave_out(rare: &mut RareParts, never: &HashSet<String>) -> Result<usize> {
    let before = rare.flags.len();
    retain_rare_words(rare, |_, word| !never.contains(word))?;
    Ok(before - rare.flags.len())
}
