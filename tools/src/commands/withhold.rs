//! `lm-tools withhold`

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;
use lm_wasm::format::Bias;
use lm_wasm::text::{Vocabulary, WordFlags};

use super::export::{MEASURES, add_measures};
use crate::corpus::read_words;
use crate::evaluation::Report;
use crate::model_file::{ModelFile, retain_metadata, retain_rare_words, write_model};

/// More would be a word that is never offered.
const MAX_BY: f32 = 20.0;

/// Have a model file never offer some words, or offer them less
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools withhold en.lm configs/en/never-offer.txt --out en-polite.lm
  lm-tools evaluate en-polite.lm dev.tsv --json > measures.json
  lm-tools withhold en.lm configs/en/never-offer.txt --measures measures.json --out en-polite.lm
  lm-tools withhold en.lm --less configs/en/less.txt --out en-without-tom.lm

The model reads the words of its vocabulary as before, and they keep their share of what may be meant. Rare words, which are there
to be offered alone, leave the file, and their share goes to others. Inflections are not found: list each form.

Words of --less are offered where little else is likely, or once they are begun: their logits are lowered by --by, once more each
time that it is done. So a name that one source has in every sixth line is no more likely than in the others.")]
pub struct Arguments {
    /// Model file (.lm)
    model: PathBuf,
    /// Files of words, one a line
    #[arg(required_unless_present = "less")]
    words: Vec<PathBuf>,
    /// File of words that are to be less likely, one a line; may be given more than once
    #[arg(long, value_name = "FILE")]
    less: Vec<PathBuf>,
    /// By how much: their probabilities are divided by e to this power, roughly
    #[arg(long, value_name = "NATS", default_value_t = 3.0)]
    by: f32,
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
        ensure!(self.by > 0.0 && self.by <= MAX_BY, "--by {}: it must be more than 0 and at most {MAX_BY}", self.by);
        let ModelFile { mut parts, vocabulary } = ModelFile::read(&self.model)?;
        let (never, less) = (read_words(&self.words)?, read_words(&self.less)?);
        for (words, files) in [(&never, &self.words), (&less, &self.less)] {
            ensure!(
                files.is_empty() || words.iter().any(|word| vocabulary.find(word).is_some()),
                "the model has none of the {} words listed: a list has one word a line",
                words.len()
            );
        }
        let read_only = withhold(&vocabulary, &mut parts.word_flags, &never);
        let left_out = retain_rare_words(&mut parts.rare, |_, word| !never.contains(word))?;
        let lowered = lower(&vocabulary, &mut parts.output_bias, &less, self.by);
        if read_only + left_out + lowered > 0 || self.measures.is_some() {
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
            "{}: {} bytes; {read_only} words are read only from now on, {left_out} rare ones left out, {lowered} less likely",
            self.out.display(),
            file.len()
        )
    }
}

/// Marks words of the vocabulary as those that are never offered; how many were not before.
fn withhold(vocabulary: &Vocabulary, flags: &mut [u8], never: &HashSet<String>) -> usize {
    let mut marked = 0;
    for row in never.iter().filter_map(|word| vocabulary.exact(word)) {
        let flag = &mut flags[(row - vocabulary.words().start) as usize];
        let before = WordFlags::from_byte(*flag);
        *flag = WordFlags { offered: false, ..before }.to_byte();
        marked += usize::from(before.offered);
    }
    marked
}

/// Lowers the biases of words of the vocabulary, as far as the file has lower ones; of how many.
fn lower(vocabulary: &Vocabulary, bias: &mut Bias, less: &HashSet<String>, by: f32) -> usize {
    let rows = less.iter().filter_map(|word| vocabulary.exact(word));
    rows.map(|row| match bias {
        Bias::F32(values) => values[row as usize] -= by,
        Bias::U8 { step, values, .. } => {
            let value = &mut values[row as usize];
            *value = value.saturating_sub((by / *step).round() as u8);
        }
    })
    .count()
}

#[cfg(test)]
mod tests {
    use super::*;
    use lm_wasm::text::WordList;

    #[test]
    fn biases_are_lowered_as_far_as_they_go() {
        let list = WordList::new(["ann", "bob", "tom"]).unwrap();
        let vocabulary = Vocabulary::from_parts("<unk>\n</s>\n<num>", list, vec![0; 3], "").unwrap();
        let rows = vocabulary.len();
        let less = HashSet::from(["bob", "tom", "zoe"].map(String::from));
        let mut values = vec![7; rows];
        values[rows - 2] = 20;
        let mut bytes = Bias::U8 { min: -3.0, step: 0.25, values };
        let mut floats = Bias::F32(bytes.to_f32());
        let before = bytes.to_f32();
        for (bias, lowest) in [(&mut bytes, -3.0), (&mut floats, f32::NEG_INFINITY)] {
            assert_eq!(lower(&vocabulary, bias, &less, 3.0), 2);
            let mut wanted = before.clone();
            wanted[rows - 2..].iter_mut().for_each(|value| *value = (*value - 3.0).max(lowest));
            assert_eq!(bias.to_f32(), wanted);
        }
    }
}
