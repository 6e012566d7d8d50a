//! `lm-tools train`

use std::path::PathBuf;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;

use crate::corpus::read_corpus;
use crate::model_file::ModelFile;
use crate::training::checkpoint::{Checkpoint, check_folder};
use crate::training::config::Config;
use crate::training::device::ComputeDevice;
use crate::training::run::{Ending, Run, Summary};

/// How often a model file is trained with the text, if nothing is said.
const PASSES: u64 = 2;

/// Train a model on a prepared corpus
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools train --config configs/en/model.toml --corpus runs/en/corpus --out runs/en/model
  lm-tools train --config configs/en/model.toml --corpus runs/en/corpus --out runs/en/model --resume
  lm-tools train --init models/en.lm --corpus runs/mail/corpus --out runs/mail/model
  lm-tools train --config configs/en/studies/retrained.toml --corpus runs/en/corpus --init runs/en/float --out runs/en/retrained
  lm-tools train --config student.toml --corpus runs/en/corpus --teacher runs/en/soft --out runs/en/student
  lm-tools train --config configs/en-1m/ternary.toml --corpus runs/en-1m/corpus --seed 2 --out runs/en-1m/ternary-2

A run writes log.jsonl and, every few minutes and when interrupted (Ctrl+C), a checkpoint to go on from.")]
pub struct Arguments {
    /// What to train and how (TOML); may be left out where a model file is trained on (--init), and with --resume
    #[arg(long)]
    config: Option<PathBuf>,
    /// Prepared corpus, if not the one that the config names
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// Folder of the run
    #[arg(long)]
    out: PathBuf,
    /// Go on with the run in the folder
    #[arg(long)]
    resume: bool,
    /// Begin with the weights of a model file (.lm) or of another run of the same shape (its folder), not with random ones:
    /// a model is trained on with other text, a float network quantized and retrained so. A tied embedding may be narrower
    /// than the other run's: it begins as the low-rank factor. A network may have more units or a wider embedding, and other
    /// narrow rows
    #[arg(long, conflicts_with = "resume")]
    init: Option<PathBuf>,
    /// Folder of soft targets (`lm-tools distill`), for a config with training.distillation
    #[arg(long)]
    teacher: Option<PathBuf>,
    /// Another seed than the config's
    #[arg(long)]
    seed: Option<u64>,
    /// Train on so many tokens instead of the config's; two passes if there is none
    #[arg(long)]
    tokens: Option<u64>,
    /// Try a config out in a minute or two: a small network on few tokens, with all methods as they are
    #[arg(long, conflicts_with = "tokens")]
    quick: bool,
    /// Where to compute: flex (the CPU), wgpu, cuda or libtorch
    #[arg(long, default_value = CPU)]
    device: String,
}

/// Where is computed if nothing is said.
const CPU: &str = "flex";

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let mut config = self.read_config()?;
        config.training.seed = self.seed.unwrap_or(config.training.seed);
        config.training.tokens = self.tokens.unwrap_or(config.training.tokens);
        if self.quick {
            config.shrink();
        }
        config.align_teacher();
        config.check()?;
        let device = ComputeDevice::by_name(&self.device)?;
        let corpus = self.corpus.or_else(|| config.corpus.clone());
        let corpus = corpus.context("no corpus: name one with --corpus or in the config")?;
        let interrupted = super::interrupted("writing a checkpoint")?;
        let run = Run {
            config: &config,
            corpus: &corpus,
            folder: &self.out,
            device: &device,
            resume: self.resume,
            init: self.init.as_deref(),
            teacher: self.teacher.as_deref(),
            interrupted: &interrupted,
        };
        let (corpus, out) = (corpus.display(), self.out.display());
        match run.train()? {
            Ending::Finished(Summary { tokens, seconds, perplexity }) => {
                let perplexity = perplexity.map_or(String::new(), |it| format!(", held-out perplexity {it:.1}"));
                say!(
                    "{out}: {tokens} tokens in {seconds:.0} s{perplexity}; next: lm-tools export {out} --corpus {corpus}"
                )
            }
            Ending::Interrupted => {
                let teacher = self.teacher.map_or(String::new(), |path| format!(" --teacher {}", path.display()));
                let device =
                    Some(self.device).filter(|name| name != CPU).map_or(String::new(), |it| format!(" --device {it}"));
                note!(
                    "interrupted; go on with: lm-tools train --resume --corpus {corpus} --out {out}{teacher}{device}"
                );
                std::process::exit(super::INTERRUPTED.into())
            }
        }
    }

    /// The config; without one, that of the run to go on with, or how to train a model file on.
    fn read_config(&self) -> Result<Config> {
        match (&self.config, &self.init) {
            (Some(path), _) => Config::read(path),
            (None, _) if self.resume => {
                check_folder(&self.out, true)?;
                Ok(Checkpoint::read(&self.out)?.config)
            }
            (None, Some(model)) if ModelFile::is_at(model) => {
                ensure!(!self.quick, "--quick makes networks small, and a model file keeps its shape: say --tokens");
                let corpus = self.corpus.as_deref().context("no corpus: name one with --corpus")?;
                let (manifest, table) = read_corpus(corpus)?;
                Config::of_model(model, &table, self.tokens.unwrap_or(PASSES * manifest.train_tokens))
            }
            _ => bail!("no config: name one with --config, or a model file (.lm) to train on with --init"),
        }
    }
}
