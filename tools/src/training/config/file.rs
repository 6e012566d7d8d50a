//! Reads configs, and the configs that they stand upon.

use std::fs;
use std::path::Path;

use anyhow::{Context, Result, bail, ensure};
use toml::{Table, Value};

use super::Config;

/// Key of the config that another stands upon.
const BASE: &str = "base";
/// Configs that may stand upon one another.
const MAX_BASES: usize = 8;

impl Config {
    /// Reads and checks a config.
    pub fn read(path: &Path) -> Result<Config> {
        let invalid = || format!("{} is not a valid config", path.display());
        let text = read_text(path)?;
        let table: Table = toml::from_str(&text).with_context(invalid)?;
        let config: Config = if table.contains_key(BASE) {
            Value::Table(with_base(table, path, 1)?).try_into().with_context(invalid)?
        } else {
            // From the text, so that an error can show the line.
            toml::from_str(&text).with_context(invalid)?
        };
        config.check().with_context(|| format!("{} is not a valid config", path.display()))?;
        Ok(config)
    }
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A config upon the one that it names as its base.
fn with_base(mut table: Table, path: &Path, depth: usize) -> Result<Table> {
    let Some(base) = table.remove(BASE) else { return Ok(table) };
    ensure!(depth <= MAX_BASES, "{}: more than {MAX_BASES} configs stand upon one another", path.display());
    let Value::String(base) = base else { bail!("{}: base must be the path of another config", path.display()) };
    let base = path.parent().unwrap_or(Path::new("")).join(base);
    let below = toml::from_str(&read_text(&base)?).with_context(|| format!("{} is not TOML", base.display()))?;
    let mut merged = with_base(below, &base, depth + 1)?;
    merge(&mut merged, table);
    Ok(merged)
}

/// Puts the entries of `over` into `table`; sections are merged, all else is replaced.
fn merge(table: &mut Table, over: Table) {
    for (key, value) in over {
        match (table.get_mut(&key), value) {
            // A method with its options is one value: options of another method must not stay.
            (Some(Value::Table(below)), Value::Table(over)) if !over.contains_key("method") => merge(below, over),
            (_, value) => {
                table.insert(key, value);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::GOOD;
    use super::*;
    use crate::training::weights::{Group, Transform};

    #[test]
    fn a_config_stands_upon_another() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            fs::write(folder.path().join(name), text).unwrap();
            folder.path().join(name)
        };
        write("good.toml", GOOD);
        let binary = "base = \"good.toml\"\nname = \"binary\"\n[weights]\nembedding = { method = \"binary\" , per = \"output\"}\n";
        write("binary.toml", binary);
        let path = write("long.toml", "base = \"binary.toml\"\n[training]\ntokens = 5000\n");
        let config = Config::read(&path).unwrap();
        assert_eq!((config.name.as_str(), config.training.tokens, config.training.batch), ("binary", 5000, 4));
        assert_eq!(config.weights.input, Transform::Ternary { per: Group::Matrix });
        assert_eq!(config.weights.embedding, Transform::Binary { per: Group::Output, scale: None, stochastic: false });

        let error = |name: &str, text: &str| format!("{:#}", Config::read(&write(name, text)).unwrap_err());
        assert!(error("self.toml", "base = \"self.toml\"").contains("more than 8 configs"));
        assert!(error("lost.toml", "base = \"missing.toml\"").contains("missing.toml"));
        assert!(error("odd.toml", "base = 3").contains("base must be the path"));
        assert!(error("typo.toml", "base = \"good.toml\"\n[weights]\ninptu = 1").contains("inptu"));
    }

    #[test]
    fn the_configs_that_come_along_are_good() {
        let mut read = 0;
        let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join("../configs")];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                } else if path.file_name().is_some_and(|name| name != "corpus.toml") {
                    Config::read(&path).unwrap();
                    read += 1;
                }
            }
        }
        assert!(read > 40, "{read}");
    }
}
