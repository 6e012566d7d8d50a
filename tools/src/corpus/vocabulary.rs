//! The vocabulary as a table that people can read and edit: `vocabulary.tsv`.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, anyhow, bail, ensure};
use lm_wasm::text::{Casing, Vocabulary, WordFlags, WordList};
use twox_hash::XxHash64;

/// One row of the network.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// The normalized word, or the name of a special token.
    pub token: String,
    /// Weighted occurrences in the training text.
    pub count: f64,
    /// How the word is usually written.
    pub spelling: String,
    /// Whether it may be suggested.
    pub offered: bool,
}

impl Entry {
    /// A row that is not a word.
    pub fn special(name: String, count: f64) -> Entry {
        Entry { spelling: name.clone(), token: name, count, offered: false }
    }
}

/// All rows in order: special tokens, then the words sorted.
#[derive(Debug, Clone, PartialEq)]
pub struct WordTable {
    /// Number of rows that are not words.
    pub specials: usize,
    /// The rows.
    pub entries: Vec<Entry>,
}

/// What a model file holds of a vocabulary; see [`Vocabulary::from_parts`].
pub struct VocabularyParts {
    pub specials: String,
    pub words: Vec<u8>,
    pub flags: Vec<u8>,
    pub mixed: String,
}

const HEADER: &str = "token\tcount\tspelling\toffered";

impl WordTable {
    /// The weighted occurrences of each row.
    pub fn counts(&self) -> Vec<f64> {
        self.entries.iter().map(|entry| entry.count).collect()
    }

    /// XXH64 of the tokens: whether rows are those of another vocabulary.
    pub fn checksum(&self) -> u64 {
        let tokens: Vec<&str> = self.entries.iter().map(|entry| entry.token.as_str()).collect();
        XxHash64::oneshot(0, tokens.join("\n").as_bytes())
    }

    /// Writes the table as tab-separated values.
    pub fn write(&self, path: &Path) -> Result<()> {
        let mut text = format!("{HEADER}\n");
        for (row, Entry { token, count, spelling, offered }) in self.entries.iter().enumerate() {
            let offered = if row < self.specials {
                "special"
            } else if *offered {
                "yes"
            } else {
                "no"
            };
            text += &format!("{token}\t{count}\t{spelling}\t{offered}\n");
        }
        fs::write(path, text).with_context(|| format!("cannot write {}", path.display()))
    }

    /// Reads a table that [`WordTable::write`] wrote.
    pub fn read(path: &Path) -> Result<WordTable> {
        let text = fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))?;
        let mut lines = text.lines();
        if lines.next() != Some(HEADER) {
            bail!("{}: not a vocabulary table (its first line must be {HEADER:?})", path.display());
        }
        let mut table = WordTable { specials: 0, entries: Vec::new() };
        for (number, line) in lines.enumerate() {
            let parsed = parse(line).with_context(|| format!("{}: line {}", path.display(), number + 2))?;
            table.specials += usize::from(parsed.1);
            table.entries.push(parsed.0);
        }
        ensure!(
            table.entries.first().is_some_and(|entry| entry.token == "<unk>"),
            "{}: the first row of a vocabulary must be <unk>",
            path.display()
        );
        Ok(table)
    }

    /// The parts of a model file.
    pub fn parts(&self) -> Result<VocabularyParts> {
        let (specials, words) = self.entries.split_at(self.specials);
        let names: Vec<&str> = specials.iter().map(|entry| entry.token.as_str()).collect();
        let list = WordList::new(words.iter().map(|entry| entry.token.as_str())).map_err(|reason| anyhow!(reason))?;
        // Tokens of a text that was tokenized before may have capitals themselves; they are not to be restored.
        let casing = |entry: &Entry| {
            if entry.spelling == entry.token { Casing::Lower } else { Casing::of(&entry.spelling) }
        };
        let mixed = words.iter().filter(|entry| casing(entry) == Casing::Mixed);
        Ok(VocabularyParts {
            specials: names.join("\n"),
            words: list.encode(),
            flags: words.iter().map(|e| WordFlags { casing: casing(e), offered: e.offered }.to_byte()).collect(),
            mixed: mixed.map(|entry| entry.spelling.as_str()).collect::<Vec<_>>().join("\n"),
        })
    }

    /// The vocabulary that the core reads.
    pub fn vocabulary(&self) -> Result<Vocabulary> {
        let parts = self.parts()?;
        WordList::decode(&parts.words)
            .and_then(|words| Vocabulary::from_parts(&parts.specials, words, parts.flags, &parts.mixed))
            .map_err(|reason| anyhow!(reason))
    }
}

/// An entry and whether it is a special token.
fn parse(line: &str) -> Result<(Entry, bool)> {
    let fields: Vec<&str> = line.split('\t').collect();
    let &[token, count, spelling, offered] = fields.as_slice() else {
        bail!("expected 4 fields, found {}", fields.len())
    };
    let count: f64 = count.parse().with_context(|| format!("{count:?} is not a count"))?;
    ensure!(count.is_finite() && count >= 0.0, "{count} is not a count");
    let offered_or_special = match offered {
        "yes" => (true, false),
        "no" => (false, false),
        "special" => (false, true),
        other => bail!("{other:?} is none of yes, no, special"),
    };
    let entry = Entry { token: token.into(), count, spelling: spelling.into(), offered: offered_or_special.0 };
    Ok((entry, offered_or_special.1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn table_round_trip() {
        let entry = |token: &str, spelling: &str, offered| Entry {
            token: token.into(),
            count: 1.5,
            spelling: spelling.into(),
            offered,
        };
        let specials = ["<unk>", "</s>", "<num>", "."].map(|name| Entry::special(name.into(), 2.0));
        let words = [entry("damn", "damn", false), entry("iphone", "iPhone", true), entry("usa", "USA", true)];
        let table = WordTable { specials: 4, entries: specials.into_iter().chain(words).collect() };
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("vocabulary.tsv");
        table.write(&path).unwrap();
        assert_eq!(WordTable::read(&path).unwrap(), table);
        let vocabulary = table.vocabulary().unwrap();
        assert_eq!(vocabulary.cased(5), "iPhone");
        assert!(!vocabulary.is_offered(4));
    }
}
