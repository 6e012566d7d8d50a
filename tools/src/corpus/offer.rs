//! Which words of the vocabulary a model offers; the others it reads only.

use std::collections::HashSet;
use std::path::Path;

use anyhow::{Context, Result};
use lm_wasm::text::normalize;

use super::lines::Lines;
use super::sources::Sources;

/// The lists that decide.
pub struct Offer {
    never: HashSet<String>,
    /// If there is a frequency list, the words of it that are frequent enough.
    listed: Option<HashSet<String>>,
}

impl Offer {
    /// Reads the lists that a source list names.
    pub fn read(sources: &Sources, root: &Path) -> Result<Offer> {
        let mut never = HashSet::new();
        for file in &sources.never_offer {
            let mut lines = Lines::open(&root.join(file))?;
            while let Some((_, word)) = lines.next_line()? {
                never.insert(normalize(&word).into_owned());
            }
        }
        let Some(list) = &sources.offer_if_listed else { return Ok(Offer { never, listed: None }) };
        let mut listed = HashSet::new();
        let mut lines = Lines::open(&root.join(&list.path))?;
        while let Some((word, zipf)) = lines.next_line()? {
            let frequency: f64 = zipf.parse().with_context(|| format!("{}: {zipf:?} is not a frequency", list.path))?;
            if frequency >= list.zipf {
                listed.insert(normalize(&word).into_owned());
            }
        }
        Ok(Offer { never, listed: Some(listed) })
    }

    /// Whether a normalized word may be offered. A list that splits words at their apostrophes (`ma'am`) need not have
    /// a word with one.
    pub fn allows(&self, word: &str) -> bool {
        let listed = self.listed.as_ref().is_none_or(|listed| listed.contains(word) || word.contains('\''));
        listed && !self.never.contains(word)
    }
}
