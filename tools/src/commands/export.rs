//! `lm-tools export`

use std::collections::HashSet;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;
use clap::builder::NonEmptyStringValueParser;
use lm_wasm::format::Metadata;
use time::OffsetDateTime;
use time::macros::format_description;

use crate::card::{Card, may_be_replaced};
use crate::corpus::sources::{TOKENIZATION, Tokenization};
use crate::corpus::{Manifest, RareWords, read_corpus};
use crate::evaluation::Report;
use crate::export::{damp, model_parts, rare_parts};
use crate::files::replace;
use crate::model_file::{ATTRIBUTION, BEGAN_WITH, DAMPED, write_model};
use crate::training::checkpoint::Checkpoint;
use crate::training::config::Config;
use crate::training::device::ComputeDevice;

/// Turn a run's checkpoint into a model file (.lm) and its card (.md)
#[derive(Args)]
#[command(after_help = "Examples:
  lm-tools export runs/en/model --corpus runs/en/corpus --licence CC-BY-SA-4.0 --out models/en.lm
  lm-tools export runs/mail/model --corpus runs/mail/corpus --licence CC-BY-SA-4.0 --name mail --out mail.lm
  lm-tools evaluate models/en.lm dev.tsv --json > measures.json
  lm-tools export runs/en/model --corpus runs/en/corpus --licence CC-BY-SA-4.0 --measures measures.json --out models/en.lm")]
pub struct Arguments {
    /// Folder of the run
    run: PathBuf,
    /// The prepared corpus that it was trained on
    #[arg(long)]
    corpus: PathBuf,
    /// Model file to write; its card is written beside it, with the ending .md
    #[arg(long)]
    out: PathBuf,
    /// Name of the model, if not the config's
    #[arg(long)]
    name: Option<String>,
    /// Licence of the model file, an SPDX expression
    #[arg(long, value_parser = NonEmptyStringValueParser::new())]
    licence: String,
    /// What `lm-tools evaluate --json` printed for the model: goes into file and card
    #[arg(long)]
    measures: Option<PathBuf>,
    /// Multiply the recurrent weights by this, from 0 to 1, for a network that loses its way in long texts
    #[arg(long, default_value_t = 1.0, value_parser = share)]
    damp: f32,
    /// A command that made the model, for the card; may be repeated
    #[arg(long = "made-by")]
    made_by: Vec<String>,
}

impl Arguments {
    /// Runs the command.
    pub fn run(self) -> Result<()> {
        let card_path = self.out.with_extension("md");
        ensure!(
            card_path != self.out,
            "--out {}: that is where the card goes; name a file that ends in .lm",
            self.out.display()
        );
        ensure!(
            may_be_replaced(&card_path),
            "{} is no card of a model, and the card would take its place: name another file with --out",
            card_path.display()
        );
        let checkpoint = Checkpoint::read(&self.run)?;
        let (mut manifest, table) = read_corpus(&self.corpus)?;
        ensure!(
            checkpoint.position.corpus.is_none_or(|corpus| manifest.checksum == 0 || corpus == manifest.checksum),
            "the run was trained on another text than that of {}, which would be missing from the card: name the corpus of the run",
            self.corpus.display()
        );
        manifest.add_before(&checkpoint.lineage.attributions);
        let network = checkpoint.network(&table, &ComputeDevice::by_name("flex")?)?;
        let config = &checkpoint.config;
        let unfinished = unfinished(config, checkpoint.position.step);
        if let Some(progress) = &unfinished {
            note!("{} is {progress}", self.run.display());
        }
        let mut metadata = self.metadata(&checkpoint, unfinished.as_deref(), &manifest)?;
        let rare = RareWords::read(&self.corpus)?;
        let mut parts = model_parts(config, &network, &table, metadata.clone())?;
        damp(&mut parts, self.damp);
        parts.rare = rare.as_ref().map(rare_parts).transpose()?;
        let mut bytes = parts.to_bytes()?;
        let report = self.measures.as_deref().map(|path| Report::read(path, Some(&bytes))).transpose()?;
        if let Some(report) = &report {
            add_measures(&mut metadata, report)?;
            parts.metadata = metadata.clone();
            bytes = parts.to_bytes()?;
        }
        write_model(&self.out, &bytes)?;
        let card = Card {
            metadata: &metadata,
            manifest: &manifest,
            rare_words: rare.map_or(0, |rare| rare.entries.len()),
            config,
            measured: report.as_ref(),
            bytes: bytes.len(),
            parameters: network.size(),
            commands: &self.made_by,
        };
        let card = card.to_markdown()?;
        replace(&card_path, card.as_bytes()).with_context(|| format!("cannot write {}", card_path.display()))?;
        say!("{}: {} bytes; card {}", self.out.display(), bytes.len(), card_path.display())
    }

    fn metadata(
        &self,
        Checkpoint { config, lineage, .. }: &Checkpoint,
        unfinished: Option<&str>,
        manifest: &Manifest,
    ) -> Result<Metadata> {
        let today = OffsetDateTime::now_utc().date().format(format_description!("[year]-[month]-[day]"))?;
        let mut metadata = Metadata::new();
        metadata.push("name", self.name.as_ref().unwrap_or(&config.name))?;
        metadata.push("language", &manifest.language)?;
        metadata.push("licence", &self.licence)?;
        metadata.push("date", &today)?;
        metadata.push("lm-tools", env!("CARGO_PKG_VERSION"))?;
        let mut trained_on =
            format!("a corpus of {} tokens from {} sources", manifest.train_tokens, manifest.sources.len());
        if !manifest.before.is_empty() {
            trained_on += &format!(", with the words of text from {} sources before", manifest.before.len());
        }
        if let Some(progress) = unfinished {
            trained_on += &format!("; {progress}");
        }
        metadata.push("trained_on", &trained_on)?;
        let mut told = HashSet::new();
        for model in lineage.models.iter().filter(|model| told.insert(*model)) {
            metadata.push(BEGAN_WITH, model)?;
            if !model.ends_with(&format!("({})", self.licence)) {
                note!("the run began with {model}: see whether what comes of it may be given under {}", self.licence);
            }
        }
        if manifest.tokenization == Tokenization::Spaces {
            metadata.push(TOKENIZATION, "spaces")?;
        }
        let mut told = HashSet::from([""]);
        for attribution in manifest.attributions().filter(|attribution| told.insert(attribution)) {
            metadata.push(ATTRIBUTION, attribution)?;
        }
        if self.damp != 1.0 {
            metadata.push(DAMPED, &self.damp.to_string())?;
        }
        Ok(metadata)
    }
}

/// The keys of [`add_measures`].
pub(super) const MEASURES: [&str; 5] = ["perplexity", "ksr", "top_k", "suggestions", "measured_on"];

pub(super) fn add_measures(metadata: &mut Metadata, report: &Report) -> Result<()> {
    metadata.push("perplexity", &format!("{:.2}", report.all.perplexity))?;
    if let Some(typing) = &report.all.typing {
        metadata.push("ksr", &format!("{:.4}", typing.ksr))?;
        metadata.push("top_k", &format!("{:.4}", typing.top_k))?;
        metadata.push("suggestions", &report.suggestions.to_string())?;
    }
    Ok(metadata.push("measured_on", &format!("{}, {}", report.texts.join(", "), report.span()))?)
}

/// How far a run is that has not done all its steps.
fn unfinished(config: &Config, done: u64) -> Option<String> {
    let tokens = done * config.tokens_a_step();
    (done < config.steps()).then(|| format!("not finished: {tokens} of {} tokens", config.training.tokens))
}

pub(super) fn share(text: &str) -> Result<f32, String> {
    let share = text.parse().map_err(|_| "it is no number".to_owned())?;
    if (0.0..=1.0).contains(&share) { Ok(share) } else { Err("it must be from 0 to 1".to_owned()) }
}
