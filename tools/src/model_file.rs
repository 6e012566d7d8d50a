//! Model files as a beginning: for other text of the same words (`lm-tools corpus --words-of`), for the training on it
//! (`lm-tools train --init`), and for files that differ in parts.

use std::fs;
use std::hash::Hasher;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use lm_wasm::Model;
use lm_wasm::format::{Metadata, ModelParts, RareParts, SectionKind, inspect};
use lm_wasm::text::{Vocabulary, WordList};
use twox_hash::XxHash64;

use crate::files::replace;
use crate::ngram::is_ngram_file;

/// Keys of the metadata that may stand there more than once: what those whose text it was trained on want to be told, and the
/// model files before it.
pub const ATTRIBUTION: &str = "attribution";
pub const BEGAN_WITH: &str = "began_with";
/// The key of the factor that recurrent weights were multiplied by.
pub const DAMPED: &str = "damped";

/// Which model a file holds, whatever it says about itself: XXH64 of all sections but the metadata, of an n-gram model of the
/// whole file, in hexadecimal digits.
pub fn identity(file: &[u8]) -> Result<String> {
    let mut hasher = XxHash64::with_seed(0);
    if is_ngram_file(file) {
        hasher.write(file);
    } else {
        let sections = inspect(file)?.into_iter().filter(|section| section.kind != SectionKind::Metadata);
        sections.for_each(|section| hasher.write(&file[section.offset..][..section.length]));
    }
    Ok(format!("{:016x}", hasher.finish()))
}

/// A model file.
pub struct ModelFile {
    pub parts: ModelParts,
    pub vocabulary: Vocabulary,
}

impl ModelFile {
    /// Whether a path is that of a model file, where a folder might stand, too.
    pub fn is_at(path: &Path) -> bool {
        path.extension().is_some_and(|ending| ending == "lm") && !path.is_dir()
    }

    /// Reads and checks a model file.
    pub fn read(path: &Path) -> Result<ModelFile> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        let damaged = || format!("{} cannot be used", path.display());
        let vocabulary = Model::from_bytes(&bytes).with_context(damaged)?.vocabulary().clone();
        Ok(ModelFile { parts: ModelParts::from_bytes(&bytes).with_context(damaged)?, vocabulary })
    }

    /// What the file says about itself.
    pub fn about(&self, key: &str) -> Option<&str> {
        self.parts.metadata.get(key)
    }

    /// The same where it may say several things.
    pub fn all_about(&self, key: &str) -> Vec<String> {
        self.parts.metadata.iter().filter(|entry| entry.0 == key).map(|(_, value)| value.to_owned()).collect()
    }
}

/// The entries of a model's metadata whose keys stay.
pub fn retain_metadata(before: &Metadata, stays: impl Fn(&str) -> bool) -> Result<Metadata> {
    let mut metadata = Metadata::new();
    for (key, value) in before.iter().filter(|(key, _)| stays(key)) {
        metadata.push(key, value)?;
    }
    Ok(metadata)
}

/// Keeps those rare words that are wanted by their places and spellings, as probable as before; how many it leaves out.
pub fn retain_rare_words(rare: &mut Option<RareParts>, is_wanted: impl Fn(usize, &str) -> bool) -> Result<usize> {
    let Some(before) = rare.take() else { return Ok(0) };
    let words = WordList::decode(&before.words).map_err(|reason| anyhow!(reason))?;
    let kept: Vec<(usize, String)> = (0..words.len())
        .map(|place| (place, words.get(place)))
        .filter(|(place, word)| is_wanted(*place, word))
        .collect();
    let list = WordList::new(kept.iter().map(|(_, word)| &**word)).map_err(|reason| anyhow!(reason))?;
    let flags: Vec<u8> = kept.iter().map(|&(place, _)| before.flags[place]).collect();
    let left_out = words.len() - flags.len();
    // An empty list is none.
    *rare = (!flags.is_empty()).then(|| RareParts { words: list.encode(), flags, log_share: before.log_share });
    Ok(left_out)
}

/// Writes a model file, if it can be loaded.
pub fn write_model(path: &Path, file: &[u8]) -> Result<()> {
    Model::from_bytes(file).context("the model does not load")?;
    replace(path, file).with_context(|| format!("cannot write {}", path.display()))
}
