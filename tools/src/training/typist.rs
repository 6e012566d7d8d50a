//! What the network under training would save a typist of held-out text.

use std::path::Path;

use anyhow::{Context, Result};
use lm_wasm::Model;
use lm_wasm::format::Metadata;

use super::config::Config;
use super::network::Network;
use crate::corpus::{Manifest, WordTable, read_valid};
use crate::evaluation::{Line, Options, Span, Typing, evaluate};
use crate::export::model_parts;

/// Suggestions offered at a time.
const SUGGESTIONS: usize = 3;

/// Held-out lines to type.
pub struct Typist<'a> {
    lines: Vec<Line>,
    manifest: &'a Manifest,
    table: &'a WordTable,
}

impl<'a> Typist<'a> {
    /// A typist of `count` lines, spread evenly over the held-out text; none if that is 0.
    pub fn new(
        corpus: &Path,
        manifest: &'a Manifest,
        table: &'a WordTable,
        count: usize,
    ) -> Result<Option<Typist<'a>>> {
        if count == 0 {
            return Ok(None);
        }
        let all = read_valid(corpus).context("training.typist_lines asks for held-out text")?;
        let step = (all.len() / count).max(1);
        let lines = all.into_iter().step_by(step).take(count);
        let lines = lines.map(|text| Line { source: String::new(), text }).collect();
        Ok(Some(Typist { lines, manifest, table }))
    }

    /// Types the lines with the help of the network, in the code that a page runs.
    pub fn measure(&self, config: &Config, network: &Network) -> Result<Typing> {
        let bytes = model_parts(config, network, self.table, Metadata::new())?.to_bytes()?;
        let model = Model::from_bytes(&bytes)?;
        let options = Options {
            suggestions: SUGGESTIONS,
            tokenization: self.manifest.tokenization,
            span: Span::Line,
            typist: true,
            threads: config.training.shards,
        };
        let report = evaluate(&model, None, Vec::new(), &self.lines, options);
        report.all.typing.context("a typist was asked for")
    }
}
