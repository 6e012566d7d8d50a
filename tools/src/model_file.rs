//! Model files as a beginning: for other text of the same words (`lm-tools corpus --words-of`), and for the training on it
//! (`lm-tools train --init`).

use std::fs;
use std::path::Path;

use anyhow::{Context, Result};
use lm_wasm::Model;
use lm_wasm::format::ModelParts;
use lm_wasm::text::Vocabulary;

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

    /// What those whose text it was trained on want to be told.
    pub fn attributions(&self) -> Vec<String> {
        let told = self.parts.metadata.iter().filter(|(key, _)| *key == "attribution");
        told.map(|(_, attribution)| attribution.to_owned()).collect()
    }
}
