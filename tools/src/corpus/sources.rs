//! What a corpus is made of: the source list, a TOML file or the command line.

use std::collections::HashSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use lm_wasm::format::Metadata;
use serde::{Deserialize, Serialize};

/// Words of the largest vocabulary, and of the longest list beside it.
const MOST_WORDS: usize = 1_000_000;

/// The key of a model's metadata for how its text became tokens, where that is not the core's own way.
pub const TOKENIZATION: &str = "tokenization";

/// How lines become tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Tokenization {
    /// The core's own: Unicode words, lower-cased, numbers and marks as tokens.
    #[default]
    Words,
    /// Split at spaces, taken as it is: for text that was tokenized before (Penn Treebank and its like).
    Spaces,
}

impl Tokenization {
    /// How the text became tokens that a model file was trained on.
    pub fn of_model(metadata: &Metadata) -> Tokenization {
        match metadata.get(TOKENIZATION) {
            Some("spaces") => Tokenization::Spaces,
            _ => Tokenization::Words,
        }
    }
}

/// A source list.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sources {
    /// BCP 47 tag of the language.
    pub language: String,
    /// Size of the vocabulary, special tokens not counted.
    #[serde(default = "default_words")]
    pub words: usize,
    /// So many words beyond the vocabulary are completed, though the network knows them as unknown words alone.
    #[serde(default)]
    pub rare_words: usize,
    #[serde(default)]
    pub tokenization: Tokenization,
    /// Lines that stay together when the text is shuffled, so that a conversation keeps its turns.
    #[serde(default = "default_block_lines")]
    pub block_lines: usize,
    #[serde(default = "default_seed")]
    pub seed: u64,
    /// Files of words (one a line) that a model reads but never offers.
    #[serde(default)]
    pub never_offer: Vec<String>,
    /// A frequency list that a word must stand in to be offered: misspellings and rare names are read only.
    #[serde(default)]
    pub offer_if_listed: Option<FrequencyList>,
    /// Spelling lists (one word a line): what is in none of them and near a much more frequent word that is, is not offered.
    #[serde(default)]
    pub spelling: Vec<SpellingList>,
    /// Held-out files, for the perplexity told while training.
    #[serde(default)]
    pub valid: Vec<String>,
    /// The training text.
    pub source: Vec<Source>,
}

/// Words with their frequencies in the language at large.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FrequencyList {
    /// Lines of `word<TAB>Zipf frequency`, a `.tsv` file, possibly with `.xz`.
    pub path: String,
    /// The least Zipf frequency (log10 of occurrences in 10^9 words; van Heuven 2014) of a word of the vocabulary that is offered.
    pub zipf: f64,
    /// Who made it and under which licence: goes into the model's card where rare words are taken from it.
    #[serde(default)]
    pub attribution: String,
}

/// Words as they are rightly written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpellingList {
    /// One word a line.
    pub path: String,
    /// Who made it and under which licence: goes into the model's card where rare words are taken from it.
    #[serde(default)]
    pub attribution: String,
}

/// A file of training text.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Source {
    /// Path, relative to the root given on the command line.
    pub path: String,
    /// How often its text is seen in one pass: 2 is twice, 0.5 every second block.
    #[serde(default = "default_weight")]
    pub weight: f64,
    /// Who made it and under which licence: goes into the model's card.
    #[serde(default)]
    pub attribution: String,
}

/// The default of [`Sources::words`].
pub fn default_words() -> usize {
    20_000
}

/// The default of [`Sources::block_lines`].
pub fn default_block_lines() -> usize {
    40
}

/// The default of [`Sources::seed`].
pub fn default_seed() -> u64 {
    1
}

fn default_weight() -> f64 {
    1.0
}

/// Whether it has the form of a language tag (RFC 5646): what a page keeps personal words by.
fn is_language_tag(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let language = parts.next().unwrap_or_default();
    let mut rest =
        parts.map(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    (2..=3).contains(&language.len())
        && language.bytes().all(|byte| byte.is_ascii_alphabetic())
        && rest.all(|valid| valid)
}

impl Sources {
    /// Reads a source list.
    pub fn read(path: &Path) -> Result<Sources> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a valid source list", path.display()))
    }

    /// Who made the frequency list and the spelling lists.
    pub fn attributions_of_lists(&self) -> Vec<String> {
        let frequencies = self.offer_if_listed.iter().map(|list| &list.attribution);
        let spellings = self.spelling.iter().map(|list| &list.attribution);
        frequencies.chain(spellings).filter(|attribution| !attribution.is_empty()).cloned().collect()
    }

    /// Refuses what cannot work before anything is read.
    pub fn check(&self, root: &Path) -> Result<()> {
        if self.source.is_empty() {
            bail!("no source given: name at least one text file");
        }
        if !is_language_tag(&self.language) {
            bail!("language = {:?}: a tag is wanted, such as en or pt-BR", self.language);
        }
        if !(1..=MOST_WORDS).contains(&self.words) {
            bail!("words = {}: a vocabulary has 1 to 1,000,000 words", self.words);
        }
        if self.rare_words > MOST_WORDS {
            bail!("rare_words = {}: at most 1,000,000 words are completed", self.rare_words);
        }
        if self.rare_words > 0 && self.tokenization == Tokenization::Spaces {
            bail!("rare_words = {}: words split at spaces are not completed", self.rare_words);
        }
        if self.block_lines == 0 {
            bail!("block_lines = 0: a block has at least one line");
        }
        let mut seen = HashSet::new();
        for source in &self.source {
            if !(source.weight > 0.0 && source.weight <= 100.0) {
                bail!("{}: weight {} is not in (0, 100]", source.path, source.weight);
            }
            if !seen.insert(&source.path) {
                bail!("{} is named twice: give it a weight instead", source.path);
            }
        }
        let sources = self.source.iter().map(|source| &source.path);
        let lists = self.offer_if_listed.iter().map(|list| &list.path);
        let spellings = self.spelling.iter().map(|list| &list.path);
        let files = sources.chain(lists).chain(spellings).chain(&self.never_offer).chain(&self.valid);
        for file in files {
            let path = root.join(file);
            if !path.is_file() {
                bail!("{} does not exist or is no file", path.display());
            }
        }
        Ok(())
    }
}
