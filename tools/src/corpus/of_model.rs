//! The words of a model file as a prepared corpus has them.

use std::path::Path;

use lm_wasm::format::ModelParts;

use super::rare::{RareWord, RareWords};
use super::vocabulary::{Entry, WordTable};
use super::{SourceSummary, Words};
use crate::model_file::ModelFile;

/// Tokens that the counts are of: a model keeps probabilities alone.
const TOKENS: f64 = 1e7;

impl Words {
    /// Those of a model file, which was read from `path`.
    pub fn of_model(file: &ModelFile, path: &Path) -> Words {
        let attributions = file.parts.metadata.iter().filter(|(key, _)| *key == "attribution");
        let source = |attribution: &str| SourceSummary {
            path: path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
            weight: 1.0,
            lines: 0,
            tokens: 0,
            attribution: attribution.to_owned(),
        };
        Words {
            table: WordTable::of_model(file),
            rare: rare_words(file),
            lists: Vec::new(),
            before: attributions.map(|(_, attribution)| source(attribution)).collect(),
        }
    }
}

impl WordTable {
    /// The rows of a model file, with counts that its output bias lets expect.
    pub fn of_model(ModelFile { parts, vocabulary }: &ModelFile) -> WordTable {
        let specials = vocabulary.words().start as usize;
        let entries = counts(parts).into_iter().zip(0..).map(|(count, row)| {
            let offered = vocabulary.is_offered(row);
            Entry { token: vocabulary.name(row), count, spelling: vocabulary.cased(row), offered }
        });
        WordTable { specials, entries: entries.collect() }
    }
}

/// Narrow rows are rarer than all others, as when they were chosen.
fn counts(parts: &ModelParts) -> Vec<f64> {
    let bias = parts.output_bias.to_f32();
    let largest = bias.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut counts: Vec<f64> = bias.iter().map(|bias| f64::from(bias - largest).exp()).collect();
    let sum: f64 = counts.iter().sum();
    counts.iter_mut().for_each(|count| *count *= TOKENS / sum);
    if let Some(narrow) = &parts.narrow {
        let of_wide = counts.iter().zip(&narrow.rows).filter(|(_, is_narrow)| !**is_narrow).map(|(count, _)| *count);
        let most = 0.999 * of_wide.fold(f64::INFINITY, f64::min);
        for (count, _) in counts.iter_mut().zip(&narrow.rows).filter(|(_, is_narrow)| **is_narrow) {
            *count = count.min(most);
        }
    }
    counts
}

fn rare_words(ModelFile { vocabulary, .. }: &ModelFile) -> Option<RareWords> {
    let rare = vocabulary.rare();
    let entries = (0..rare.words().len()).map(|index| RareWord {
        word: rare.words().get(index),
        probability: f64::from(rare.log_share(index)).exp(),
        spelling: rare.cased(index),
    });
    Some(RareWords { entries: entries.collect() }).filter(|rare| !rare.entries.is_empty())
}
