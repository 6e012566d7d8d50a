//! `lm-tools inspect`

use std::collections::HashMap;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use lm_wasm::Model;
use lm_wasm::format::{Lsh, SectionInfo, inspect};
use serde_json::json;

use crate::ngram::is_ngram_file;

/// Show what is in a model file: metadata, sections, bytes, shapes
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools inspect models/en.lm
  lm-tools inspect models/en.lm --json")]
pub struct Arguments {
    /// Model file (.lm)
    model: PathBuf,
    /// Print as JSON
    #[arg(long)]
    json: bool,
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let bytes = std::fs::read(&self.model).with_context(|| format!("cannot read {}", self.model.display()))?;
        let name = || self.model.display().to_string();
        ensure!(!is_ngram_file(&bytes), "{} is an n-gram model: lm-tools evaluate measures it", name());
        let sections = inspect(&bytes).with_context(name)?;
        let model = Model::from_bytes(&bytes).with_context(name)?;
        let lsh = model.network().lsh().map(|lsh| (lsh, collisions(lsh, &model)));
        if self.json {
            let sections: Vec<_> = sections.iter().map(to_json).collect();
            let metadata: Vec<_> = model.metadata().iter().collect();
            return say!(
                "{}",
                serde_json::to_string_pretty(&json!({
                    "bytes": bytes.len(),
                    "metadata": metadata,
                    "sections": sections,
                    "lsh": lsh.map(|(lsh, collisions)| json!({
                        "bits": lsh.bits,
                        "shortest": lsh.shortest,
                        "longest": lsh.longest,
                        "whole": lsh.whole,
                        "shape": lsh.shape,
                        "seed": lsh.seed,
                        "collisions": collisions,
                    })),
                }))?
            );
        }
        say!("{}: {} bytes", name(), bytes.len())?;
        for (key, value) in model.metadata().iter() {
            say!("  {key}: {value}")?;
        }
        let shape = model.shape();
        say!(
            "{:?}, {} layer(s) of {} units, embedding {}, output {:?} {}, {} rows",
            shape.cell,
            shape.layers,
            shape.hidden,
            shape.embedding,
            shape.output,
            shape.output_width,
            shape.vocabulary
        )?;
        if let Some((Lsh { bits, shortest, longest, whole, shape, .. }, collisions)) = lsh {
            say!(
                "codes of {bits} bits by n-grams of {shortest} to {longest} characters, the whole word counted {whole} times, \
                 its shape {shape}; {collisions} tokens share theirs with another"
            )?;
        }
        say!("{:<25} {:>9} {:>9}  {:<20} shape", "section", "offset", "bytes", "encoding")?;
        sections.iter().try_for_each(print)
    }
}

/// How many tokens have the same code as another.
fn collisions(lsh: Lsh, model: &Model) -> usize {
    let mut tokens: HashMap<Vec<u64>, usize> = HashMap::new();
    for row in 0..model.vocabulary().len() as u32 {
        let mut code = vec![0; lsh.bits / 64];
        lsh.code(&model.vocabulary().name(row), &mut code);
        *tokens.entry(code).or_default() += 1;
    }
    tokens.values().filter(|&&tokens| tokens > 1).sum()
}

fn print(section: &SectionInfo) -> Result<()> {
    let shape = section.shape.map_or(String::new(), |(rows, cols)| format!("{rows} x {cols}"));
    let name = format!("{} {}", section.kind.name(), section.index);
    let encoding = format!("{}{}", section.encoding, if section.is_coded { ", coded" } else { "" });
    say!("{name:<25} {:>9} {:>9}  {encoding:<20} {shape}", section.offset, section.length)
}

fn to_json(section: &SectionInfo) -> serde_json::Value {
    json!({
        "section": section.kind.name(),
        "index": section.index,
        "offset": section.offset,
        "bytes": section.length,
        "encoding": section.encoding,
        "entropy_coded": section.is_coded,
        "shape": section.shape.map(|(rows, cols)| [rows, cols]),
    })
}
