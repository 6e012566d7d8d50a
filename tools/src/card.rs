//! The model card: what people must know of a model file, in Markdown.

use std::fmt::Write;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;

use anyhow::Result;
use lm_wasm::format::Metadata;

use crate::corpus::{Manifest, SourceSummary};
use crate::evaluation::{Measures, Report, percent};
use crate::model_file::{BEGAN_WITH, DAMPED};
use crate::training::config::Config;

/// What a card is made of.
pub struct Card<'a> {
    pub metadata: &'a Metadata,
    pub manifest: &'a Manifest,
    /// Number of words beyond the vocabulary.
    pub rare_words: usize,
    pub config: &'a Config,
    pub measured: Option<&'a Report>,
    pub bytes: usize,
    pub parameters: usize,
    /// The commands that made the model.
    pub commands: &'a [String],
}

/// Whether a card may be written to a path: what is no card there is somebody's.
pub fn may_be_replaced(path: &Path) -> bool {
    match fs::read_to_string(path) {
        Ok(text) => text.lines().next().is_none_or(|line| line.starts_with("# ") && line.ends_with(" model")),
        Err(error) => error.kind() == ErrorKind::NotFound,
    }
}

impl Card<'_> {
    /// The card as Markdown.
    pub fn to_markdown(&self) -> Result<String> {
        let get = |key: &str| self.metadata.get(key).unwrap_or("-");
        let mut text = String::new();
        writeln!(text, "# {}: {} model\n", get("name"), get("language"))?;
        writeln!(text, "| | |\n|---|---|")?;
        writeln!(text, "| language | {} |", get("language"))?;
        writeln!(text, "| licence | {} |", get("licence"))?;
        writeln!(text, "| made | {} with lm-tools {} |", get("date"), get("lm-tools"))?;
        writeln!(text, "| size | {} bytes, {} parameters |", self.bytes, self.parameters)?;
        writeln!(text, "| vocabulary | {} rows{} |", self.manifest.rows, self.rare_words())?;
        writeln!(text, "| trained on | {} |", get("trained_on"))?;
        for (_, model) in self.metadata.iter().filter(|(key, _)| *key == BEGAN_WITH) {
            writeln!(text, "| began with | the model {model} |")?;
        }
        if let Some(factor) = self.metadata.get(DAMPED) {
            writeln!(text, "| changed at export | recurrent weights times {factor} |")?;
        }
        writeln!(text)?;
        self.write_measures(&mut text)?;
        writeln!(text, "## Made by\n")?;
        if !self.commands.is_empty() {
            writeln!(text, "```sh")?;
            self.commands.iter().try_for_each(|command| writeln!(text, "{command}"))?;
            writeln!(text, "```\n")?;
        }
        writeln!(text, "With the config\n\n```toml\n{}```\n", toml::to_string(self.config)?)?;
        writeln!(
            text,
            "## Text and attributions\n\nTokens are those of the source; the weight says how often its text is seen in one pass.\n"
        )?;
        write_sources(&mut text, &self.manifest.sources)?;
        if !self.manifest.before.is_empty() {
            writeln!(text, "\nThe words, and what the network may have been trained on before:\n")?;
            write_sources(&mut text, &self.manifest.before)?;
        }
        if !self.manifest.lists.is_empty() {
            writeln!(text, "\nLists that rare words are taken from: {}", self.manifest.lists.join("; "))?;
        }
        Ok(text)
    }

    fn rare_words(&self) -> String {
        if self.rare_words == 0 {
            String::new()
        } else {
            format!("; {} rare words are completed, too", self.rare_words)
        }
    }

    fn write_measures(&self, text: &mut String) -> Result<()> {
        let Some(report) = self.measured else { return Ok(()) };
        let k = report.suggestions;
        let span = report.span();
        writeln!(text, "## Measured\n\nOn {}, {span}, {k} suggestions.\n", report.texts.join(", "))?;
        writeln!(
            text,
            "| text | words | perplexity | unknown words | top-1 | top-{k} | KSR (95 % interval) | ceiling |\n\
             |---|---:|---:|---:|---:|---:|---:|---:|"
        )?;
        for (source, measures) in
            report.by_source.iter().map(|(name, row)| (name.as_str(), row)).chain([("all", &report.all)])
        {
            writeln!(text, "| {source} | {} |", row(measures))?;
        }
        writeln!(text)?;
        Ok(())
    }
}

fn write_sources(text: &mut String, sources: &[SourceSummary]) -> std::fmt::Result {
    writeln!(text, "| source | tokens | weight | attribution |\n|---|---:|---:|---|")?;
    sources.iter().try_for_each(|SourceSummary { path, tokens, weight, attribution, .. }| {
        let (path, attribution) = (cell(path), cell(attribution));
        match tokens {
            // A model file has attributions alone.
            0 => writeln!(text, "| {path} | - | - | {attribution} |"),
            _ => writeln!(text, "| {path} | {tokens} | {weight} | {attribution} |"),
        }
    })
}

/// Text that stays in its cell.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").split_whitespace().collect::<Vec<_>>().join(" ")
}

fn row(measures: &Measures) -> String {
    let mut cells =
        vec![measures.words.to_string(), format!("{:.1}", measures.perplexity), percent(measures.out_of_vocabulary)];
    if let Some(typing) = &measures.typing {
        cells.extend([percent(typing.top_1), percent(typing.top_k), typing.savings(), percent(typing.ceiling)]);
    }
    cells.join(" | ")
}
