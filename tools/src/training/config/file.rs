//! Reads configs, and the configs that they stand upon.

use std::fs;
use std::path::{Path, PathBuf};

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
        let mut table: Table = toml::from_str(&text).with_context(invalid)?;
        locate_teacher(&mut table, path);
        let mut config: Config = if table.contains_key(BASE) || joint_teacher(&mut table).is_some() {
            let mut table = with_base(table, path, 1)?;
            take_in_teacher(&mut table).with_context(invalid)?;
            Value::Table(table).try_into().with_context(invalid)?
        } else {
            // From the text, so that an error can show the line.
            toml::from_str(&text).with_context(invalid)?
        };
        config.align_teacher();
        config.check().with_context(|| format!("{} is not a valid config", path.display()))?;
        Ok(config)
    }
}

/// Where a config names the config of a teacher that is trained beside.
fn joint_teacher(table: &mut Table) -> Option<&mut Value> {
    table.get_mut("training")?.get_mut("joint")?.get_mut("teacher")
}

/// Makes the teacher's path, which is relative to the config at `path`, one that can be opened from here.
fn locate_teacher(table: &mut Table, path: &Path) {
    if let Some(Value::String(teacher)) = joint_teacher(table) {
        *teacher = beside(path, teacher).to_string_lossy().into_owned();
    }
}

/// Puts the teacher's config in the place of its path.
fn take_in_teacher(table: &mut Table) -> Result<()> {
    let Some(teacher) = joint_teacher(table) else { return Ok(()) };
    let Value::String(path) = teacher else { bail!("training.joint.teacher must be the path of a config") };
    let path = Path::new(&*path);
    let mut config = with_base(read_table(path)?, path, 1)?;
    ensure!(joint_teacher(&mut config).is_none(), "training.joint.teacher: {} has a teacher itself", path.display());
    *teacher = Value::Table(config);
    Ok(())
}

fn beside(path: &Path, other: &str) -> PathBuf {
    path.parent().unwrap_or(Path::new("")).join(other)
}

fn read_table(path: &Path) -> Result<Table> {
    let mut table = toml::from_str(&read_text(path)?).with_context(|| format!("{} is not TOML", path.display()))?;
    locate_teacher(&mut table, path);
    Ok(table)
}

fn read_text(path: &Path) -> Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

/// A config upon the one that it names as its base.
fn with_base(mut table: Table, path: &Path, depth: usize) -> Result<Table> {
    let Some(base) = table.remove(BASE) else { return Ok(table) };
    ensure!(depth <= MAX_BASES, "{}: more than {MAX_BASES} configs stand upon one another", path.display());
    let Value::String(base) = base else { bail!("{}: base must be the path of another config", path.display()) };
    let base = beside(path, &base);
    let mut merged = with_base(read_table(&base)?, &base, depth + 1)?;
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
    use crate::corpus::sources::Sources;
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
    fn a_teacher_is_told_by_its_path() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            path
        };
        let distillation = "distillation = { lambda = 1.0 }\n";
        let joint = |teacher: &str| format!("[training.joint]\nteacher = \"{teacher}\"\n");
        write("good.toml", GOOD);
        write("large.toml", "base = \"good.toml\"\n[model]\nunits = 64\n[training]\nlearning_rate = 0.5\nbatch = 2\n");
        write("students/small.toml", &format!("{GOOD}{distillation}{}", joint("../large.toml")));
        // From another folder the path is still that of the config that tells it.
        let path =
            write("smaller.toml", "base = \"students/small.toml\"\n[model]\nunits = 8\n[training]\ntokens = 64\n");
        let config = Config::read(&path).unwrap();
        let joint_teacher = config.training.joint.as_ref().unwrap();
        let teacher = &joint_teacher.teacher;
        assert_eq!((config.model.units, teacher.model.units, joint_teacher.top), (8, 64, 8));
        assert_eq!((teacher.training.batch, teacher.training.tokens, teacher.training.learning_rate), (4, 64, 0.5));
        assert_eq!(toml::from_str::<Config>(&toml::to_string(&config).unwrap()).unwrap(), config);

        let error = |text: &str| format!("{:#}", Config::read(&write("bad.toml", text)).unwrap_err());
        assert!(error(&format!("{GOOD}{}", joint("large.toml"))).contains("without training.distillation"));
        assert!(error(&format!("{GOOD}{distillation}{}", joint("missing.toml"))).contains("missing.toml"));
        assert!(error(&format!("{GOOD}{distillation}{}", joint("smaller.toml"))).contains("has a teacher itself"));
        let hints = "distillation = { lambda = 1.0, hint = { weight = 1.0, width = 8 } }\n";
        assert!(error(&format!("{GOOD}{hints}{}", joint("large.toml"))).contains("gives no hints"));
        write("taught.toml", &format!("{GOOD}{distillation}"));
        assert!(error(&format!("{GOOD}{distillation}{}", joint("taught.toml"))).contains("learns from the text alone"));
        write("broken.toml", "base = \"good.toml\"\n[model]\nunits = 0\n");
        assert!(
            error(&format!("{GOOD}{distillation}{}", joint("broken.toml")))
                .contains("training.joint.teacher: model.units")
        );
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
                } else if path.file_name().unwrap().to_string_lossy().starts_with("corpus") {
                    Sources::read(&path).unwrap();
                } else if path.extension().is_some_and(|extension| extension == "toml") {
                    let mut config = Config::read(&path).unwrap();
                    config.shrink();
                    config.check().unwrap_or_else(|error| panic!("{}, --quick: {error:#}", path.display()));
                    read += 1;
                }
            }
        }
        assert!(read > 40, "{read}");
    }
}
