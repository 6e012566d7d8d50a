//! `lm-tools sizes`

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::report::sizes::{Measured, markdown, svg};

/// Compare models of different sizes: a table in Markdown, keystroke savings over bytes as SVG
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools evaluate small.lm dev.tsv --json > small.json
  lm-tools evaluate ngrams.kn dev.tsv --json > ngrams.json
  lm-tools sizes small.lm ngrams.kn --curves sizes.svg

What was measured of a model is read from the file of the same name that ends in .json.")]
pub struct Arguments {
    /// Networks (.lm) and n-gram models (.kn)
    #[arg(required = true)]
    models: Vec<PathBuf>,
    /// Write keystroke savings over sizes to this file
    #[arg(long)]
    curves: Option<PathBuf>,
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let models = Measured::read_all(&self.models)?;
        if let Some(path) = self.curves {
            fs::write(&path, svg(&models)?).with_context(|| format!("cannot write {}", path.display()))?;
        }
        say!("{}", markdown(&models))
    }
}
