//! `lm-tools report`

use std::fs;
use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use crate::report::{curves, read_experiments, table};

/// Compare runs: a table in Markdown, curves as SVG
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools report runs/en-1m/float-1 runs/en-1m/float-2 runs/en-1m/ternary-1 --ratios-to float
  lm-tools report runs/en-1m/* --curves curves.svg --tokens 929591

Runs of one name that differ in their seed alone are one row, with the mean over them and the range. A run's folder may also
hold its exported model as model.lm and what `lm-tools evaluate --json` said of it as valid.json and test.json; figures that
are missing are a dash.")]
pub struct Arguments {
    /// Folders of runs
    #[arg(required = true)]
    runs: Vec<PathBuf>,
    /// Tell each perplexity as a ratio to that of this experiment (the name in its config)
    #[arg(long)]
    ratios_to: Option<String>,
    /// Write curves of the experiments to this file
    #[arg(long, requires = "tokens")]
    curves: Option<PathBuf>,
    /// Tokens of one pass through the training text
    #[arg(long, value_parser = clap::value_parser!(u64).range(1..))]
    tokens: Option<u64>,
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let experiments = read_experiments(&self.runs)?;
        if let (Some(path), Some(tokens)) = (self.curves, self.tokens) {
            fs::write(&path, curves::svg(&experiments, tokens)?)
                .with_context(|| format!("cannot write {}", path.display()))?;
        }
        say!("{}", table::markdown(&experiments, self.ratios_to.as_deref())?)
    }
}
