//! From the folders of runs to what people read: a table in Markdown, curves as SVG.
//!
//! Runs that differ in their seed alone are one experiment: its row shows their means, with the range behind them.

pub mod curves;
pub mod sizes;
pub mod table;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use lm_wasm::format::{SectionKind, inspect};

use crate::evaluation::Report;
use crate::training::checkpoint::Checkpoint;
use crate::training::config::Config;
use crate::training::log::{Event, read_log};

/// Names of the files beside a run's log.
pub const MODEL: &str = "model.lm";
pub const VALID: &str = "valid.json";
pub const TEST: &str = "test.json";

/// What is known of a run.
pub struct Run {
    pub config: Config,
    pub parameters: usize,
    pub layer_bits: f64,
    /// What was measured on held-out text in the course of the run.
    pub validations: Vec<Validation>,
    /// Seconds of training, if it has ended.
    pub seconds: Option<f64>,
    /// Bytes of the exported model.
    pub bytes: Option<u64>,
    /// Bytes of the recurrent layers' weights in it.
    pub layer_bytes: Option<usize>,
    /// What `lm-tools evaluate --json` said of the exported model.
    pub valid: Option<Report>,
    pub test: Option<Report>,
}

/// A measurement in the course of a run.
#[derive(Debug, Clone, Copy)]
pub struct Validation {
    /// Tokens trained on so far.
    pub trained: u64,
    pub perplexity: f64,
    pub click_ratio: Option<f64>,
}

/// Runs of one config, with different seeds.
pub struct Experiment {
    pub name: String,
    pub runs: Vec<Run>,
}

impl Run {
    /// Reads a run's folder.
    pub fn read(folder: &Path) -> Result<Run> {
        let config = Checkpoint::read(folder)?.config;
        let per_step = config.tokens_a_step();
        let (mut parameters, mut bits, mut validations, mut seconds) = (0, 0.0, Vec::new(), None);
        for event in read_log(folder)? {
            match event {
                Event::Start { parameters: count, layer_bits, .. } => (parameters, bits) = (count, layer_bits),
                Event::Valid { step, perplexity, typing, .. } => validations.push(Validation {
                    trained: step * per_step,
                    perplexity,
                    click_ratio: typing.map(|typing| typing.click_ratio),
                }),
                Event::End { seconds: total, .. } => seconds = Some(total),
                Event::Train { .. } => {}
            }
        }
        let model = folder.join(MODEL);
        let bytes = fs::read(&model).ok();
        let report = |name: &str| read_report(&folder.join(name), bytes.as_deref());
        let (valid, test) = (report(VALID)?, report(TEST)?);
        let layer_bytes = bytes.as_deref().map(layer_bytes).transpose().with_context(|| model.display().to_string())?;
        Ok(Run {
            config,
            parameters,
            layer_bits: bits,
            validations,
            seconds,
            bytes: bytes.map(|bytes| bytes.len() as u64),
            layer_bytes,
            valid,
            test,
        })
    }
}

fn layer_bytes(model: &[u8]) -> Result<usize> {
    let is_layer = |kind: SectionKind| matches!(kind, SectionKind::LayerInput | SectionKind::LayerRecurrent);
    Ok(inspect(model)?.iter().filter(|section| is_layer(section.kind)).map(|section| section.length).sum())
}

/// What `lm-tools evaluate --json` printed to a file about a model, if that is there.
fn read_report(path: &Path, model: Option<&[u8]>) -> Result<Option<Report>> {
    if !path.exists() {
        return Ok(None);
    }
    Report::read(path, model).map(Some)
}

/// Reads runs and puts those together that differ in their seed alone, in the order in which they are named.
pub fn read_experiments(folders: &[PathBuf]) -> Result<Vec<Experiment>> {
    let mut places: BTreeMap<String, usize> = BTreeMap::new();
    let mut experiments: Vec<Experiment> = Vec::new();
    for folder in folders {
        let run = Run::read(folder)?;
        let name = run.config.name.clone();
        let Some(&place) = places.get(&name) else {
            places.insert(name.clone(), experiments.len());
            experiments.push(Experiment { name, runs: vec![run] });
            continue;
        };
        let first = &experiments[place].runs[0];
        ensure!(
            without_seed(&first.config) == without_seed(&run.config),
            "{}: another run named {name:?} has another config; give them different names",
            folder.display()
        );
        if experiments[place].runs.iter().any(|other| other.config.training.seed == run.config.training.seed) {
            bail!("{}: another run named {name:?} has the same seed", folder.display());
        }
        experiments[place].runs.push(run);
    }
    let runs = || experiments.iter().flat_map(|experiment| &experiment.runs);
    for reports in [runs().map(|run| &run.valid).collect::<Vec<_>>(), runs().map(|run| &run.test).collect()] {
        let mut reports = reports.into_iter().flatten();
        let first = reports.next().map(Report::conditions);
        ensure!(
            reports.all(|report| Some(report.conditions()) == first),
            "the runs were measured on different texts or in different ways: evaluate all alike"
        );
    }
    Ok(experiments)
}

/// A row of a table in Markdown.
fn row(cells: &[String]) -> String {
    format!("| {} |", cells.join(" | "))
}

fn without_seed(config: &Config) -> Config {
    let mut config = config.clone();
    config.training.seed = 0;
    config.corpus = None;
    config
}
