//! `lm-tools distill`

use std::path::PathBuf;
use std::thread::available_parallelism;

use anyhow::{Context, Result};
use clap::Args;

use super::INTERRUPTED;
use crate::distillation::Distill;
use crate::training::device::ComputeDevice;

/// Write down what teachers say of a corpus, for students to learn from
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools ngram runs/en/corpus --out runs/en/all.kn
  lm-tools distill runs/en/corpus --teacher runs/en/large --out runs/en/soft
  lm-tools distill runs/en/corpus --teacher runs/en/large=0.7 --teacher runs/en/all.kn=0.3 --top 12 --out runs/en/soft
  lm-tools train --config student.toml --corpus runs/en/corpus --teacher runs/en/soft --out runs/en/student

A teacher is the folder of a run or an n-gram file, with its weight in the mixture. The same command goes on with a folder
where it was interrupted.")]
pub struct Arguments {
    /// The prepared corpus
    corpus: PathBuf,
    /// A teacher, and its weight in the mixture (PATH or PATH=WEIGHT); several of them make an ensemble
    #[arg(long = "teacher", required = true, value_name = "PATH[=WEIGHT]", value_parser = teacher)]
    teachers: Vec<(PathBuf, f64)>,
    /// Words kept of each position
    #[arg(long, default_value_t = 8)]
    top: usize,
    /// Keep hints, too: what the first network among the teachers compares with its output rows (FitNets: Romero 2015)
    #[arg(long)]
    hints: bool,
    /// Only so many tokens from the beginning of the corpus on
    #[arg(long)]
    tokens: Option<u64>,
    /// Positions that are written together, by texts of 4,096 tokens that begin anew and are read side by side: by each core up
    /// to 64 of them, by a GPU up to 512, 8 tokens at once, with a probability of every word for each
    #[arg(long, default_value_t = 1 << 18, value_parser = clap::value_parser!(u64).range(1..=1 << 24))]
    segment: u64,
    /// Folder to write
    #[arg(long)]
    out: PathBuf,
    /// Where networks compute: flex (the CPU), wgpu, cuda or libtorch
    #[arg(long, default_value = "flex")]
    device: String,
}

fn teacher(text: &str) -> Result<(PathBuf, f64), String> {
    let Some((path, weight)) = text.rsplit_once('=') else { return Ok((text.into(), 1.0)) };
    let weight: f64 = weight.parse().map_err(|_| format!("{weight:?} is no weight"))?;
    if weight > 0.0 && weight.is_finite() {
        Ok((path.into(), weight))
    } else {
        Err("a weight is greater than 0".into())
    }
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let interrupted = super::interrupted("writing the segment at work")?;
        let device = ComputeDevice::by_name(&self.device)?;
        let cores = available_parallelism().context("cannot count the processors")?.get();
        let distill = Distill {
            corpus: &self.corpus,
            teachers: &self.teachers,
            top: self.top,
            tokens: self.tokens,
            segment: self.segment,
            hints: self.hints,
            threads: if device.fused { cores } else { 1 },
            device: &device,
            out: &self.out,
            interrupted: &interrupted,
        };
        if !distill.run()? {
            note!("interrupted; the same command goes on");
            std::process::exit(INTERRUPTED.into());
        }
        Ok(())
    }
}
