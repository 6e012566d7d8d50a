//! `lm-tools withhold`

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::{Result, anyhow};
use clap::Args;
use lm_wasm::text::{WordFlags, WordList};

use super::export::{MEASURES, add_measures};
use crate::corpus::read_words;
use crate::evaluation::Report;
use crate::model_file::{ModelFile, retain_metadata, retain_rare_words, write_model};

/// Have a model file never offer some words
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools withhold en.lm configs/en/never-offer.txt --out en-polite.lm
  lm-tools evaluate en-polite.lm dev.tsv --json > measures.json
  lm-tools withhold en.lm configs/en/never-offer.txt --measures measures.json --out en-polite.lm

The model reads the words of its vocabulary as before, and they keep their share of what may be meant. Rare words, which are there
to be offered alone, leave the file, and their share goes to others. Inflections are not found: list each form.")]
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
        let mut parts = ModelFile::read(&self.model)?.parts;
        let never = read_words(&self.words)?;
        let read_only = withhold(&parts.words, &mut parts.word_flags, &never)?;
        let left_out = retain_rare_words(&mut parts.rare, |_, word| !never.contains(word))?;
        if read_only + left_out > 0 || self.measures.is_some() {
            // They are of another file, or told anew.
            parts.metadata = retain_metadata(&parts.metadata, |key| !MEASURES.contains(&key))?;
        }
        let mut file = parts.to_bytes()?;
        if let Some(path) = &self.measures {
            add_measures(&mut parts.metadata, &Report::read(path, Some(&file))?)?;
            file = parts.to_bytes()?;
        }
        write_model(&self.out, &file)?;
        say!(
            "{}: {} bytes; {read_only} words are read only from now on, {left_out} rare ones left out",
            self.out.display(),
            file.len()
        )
    }
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
