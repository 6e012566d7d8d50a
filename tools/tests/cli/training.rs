//! Training runs: begun, stopped, gone on with, compared.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::workspace::{TERNARY, Workspace, events, fail, perplexity, run, series, succeed, wait_for};

const STARTED: &str = "start = 0.5\ninput = { method = \"optimal-ternary\" }\n\
                       recurrent = { method = \"trained-ternary\" }\n[weights.gates.forget]\n\
                       recurrent = { method = \"codebook\", bits = 2 }\n\
                       [normalization]\nmethod = \"batch\"\nfreeze = 0.7\nopen = 2.0";

#[test]
fn runs_are_compared_in_a_report() {
    let workspace = Workspace::new();
    let typist = |config: &str, name: &str| {
        let text = fs::read_to_string(config).unwrap();
        let text = text.replace("valid_runs = 2", "valid_runs = 4\ntypist_lines = 30").replace("\"tiny\"", name);
        fs::write(config, text).unwrap();
    };
    let float = workspace.config("float.toml", "lstm", "", 30_000);
    let mixed = workspace.config("mixed.toml", "lstm", STARTED, 30_000);
    typist(&float, "\"float\"");
    typist(&mixed, "\"mixed\"");
    let mut folders = Vec::new();
    for (config, out, seed) in [(&float, "float-1", "1"), (&float, "float-2", "2"), (&mixed, "mixed-1", "1")] {
        let output = workspace.train(config, out, false).args(["--seed", seed]).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let model = workspace.export(out, &format!("{out}/model.lm"));
        let measured = succeed(&["evaluate", &model, &workspace.text("valid.txt"), "--json"]);
        fs::write(workspace.path(out).join("test.json"), measured).unwrap();
        folders.push(workspace.text(out));
    }
    // Before the weights are transformed there is no model to type with.
    let typed = |out: &str| {
        let log = events(&workspace.path(out));
        log.iter().filter(|line| line["event"] == "valid").map(|line| line["typing"].is_object()).collect::<Vec<_>>()
    };
    assert_eq!(typed("float-1"), [true; 4]);
    assert_eq!(typed("mixed-1"), [false, false, true, true]);

    let curves = workspace.text("curves.svg");
    let folders: Vec<&str> = folders.iter().map(String::as_str).collect();
    let arguments =
        [&["report", "--ratios-to", "float", "--curves", &curves, "--tokens", "20000"][..], &folders].concat();
    let table = succeed(&arguments);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
    assert_eq!((rows.len(), rows[2][1], rows[2][2], rows[3][1]), (4, "float", "2", "mixed"));
    // The last column compares with the float row; the float row has a range.
    assert_eq!(rows[2][rows[2].len() - 2], "1.000");
    assert!(rows[2][8].contains('(') && !rows[3][8].contains('('), "{table}");
    assert!(rows[3][5].parse::<f64>().unwrap() < 2.0, "{table}");
    let ratio = |table: &str| table.lines().last().unwrap().split('|').map(str::trim).nth_back(1).unwrap().to_owned();
    assert!(ratio(&table).parse::<f64>().is_ok(), "{table}");
    let curves = fs::read_to_string(curves).unwrap();
    assert!(curves.contains("mixed") && curves.contains("click ratio"));
    assert!(fail(&["report", folders[0], folders[0]]).contains("the same seed"));
    // Of other unknown words perplexity says something else.
    let test = workspace.path("mixed-1/test.json");
    let mut measures: Value = serde_json::from_str(&fs::read_to_string(&test).unwrap()).unwrap();
    measures["all"]["out_of_vocabulary"] = 0.5.into();
    fs::write(&test, measures.to_string()).unwrap();
    let other = succeed(&["report", "--ratios-to", "float", folders[0], folders[2]]);
    assert!(ratio(&other) == "-" && other.contains("50.00 %"), "{other}");
    let unknown = fail(&["report", "--ratios-to", "double", folders[0], folders[2]]);
    assert!(unknown.contains("double") && unknown.contains("float, mixed"), "{unknown}");
}

#[test]
fn a_method_that_needs_trained_weights_says_so() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "input = { method = \"optimal-ternary\" }", 1000);
    let output = workspace.train(&config, "run", false).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("weights.start"));
}

#[test]
fn steps_with_long_gradients_are_left_out() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", TERNARY, 4000);
    let plain = fs::read_to_string(&config).unwrap();
    let perplexities = |out: &str, skip: &str| {
        fs::write(&config, plain.replace("reset =", &format!("skip = {skip}\nreset ="))).unwrap();
        workspace.trained(&config, out);
        let valid = series(&workspace.path(out), "valid", "perplexity");
        [valid[0].1, valid[1].1]
    };
    // All are longer than the one, none is longer than the other.
    let [first, last] = perplexities("none", "1e-9");
    assert_eq!(first, last);
    let [first, last] = perplexities("all", "1e9");
    assert!(last < first);
}

#[test]
fn a_quick_run_is_small() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "gru", TERNARY, 100_000_000);
    let text = fs::read_to_string(&config).unwrap().replace("units = 24", "units = 2000");
    fs::write(&config, text).unwrap();
    let output = workspace.train(&config, "run", false).arg("--quick").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let last = events(&workspace.path("run")).pop().unwrap();
    assert_eq!((&last["event"], last["step"].as_u64()), (&Value::from("end"), Some(300_000 / 80)));
}

#[test]
fn a_killed_run_resumes_and_ends_the_same() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", STARTED, 40_000);
    workspace.trained(&config, "whole");

    let folder = workspace.path("killed");
    let mut child = workspace.train(&config, "killed", false).spawn().unwrap();
    wait_for(&mut child, "a line of the log", || !series(&folder, "train", "loss").is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(events(&folder).iter().all(|line| line["event"] != "end"));

    let manifest = workspace.path("corpus/corpus.json");
    let kept = fs::read_to_string(&manifest).unwrap();
    let mut other: Value = serde_json::from_str(&kept).unwrap();
    other["checksum"] = 1.into();
    fs::write(&manifest, other.to_string()).unwrap();
    let refused = workspace.train(&config, "killed", true).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("started with another corpus"));
    fs::write(&manifest, kept).unwrap();

    let refused = workspace.train(&config, "killed", false).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--resume"));
    assert!(workspace.train(&config, "killed", true).status().unwrap().success());
    for (event, key) in [("train", "loss"), ("valid", "perplexity")] {
        assert_eq!(series(&folder, event, key), series(&workspace.path("whole"), event, key), "{event}");
    }
}

#[test]
fn narrow_rows_are_those_of_the_corpus_that_was_learned_from() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 2_000);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("tied = true", "tied = true\ntail = { after = 8, width = 4 }")).unwrap();
    workspace.trained(&config, "run");
    workspace.export("run", "right.lm");

    let table = workspace.path("corpus/vocabulary.tsv");
    let text = fs::read_to_string(&table).unwrap();
    let mut rows: Vec<Vec<&str>> = text.lines().map(|line| line.split('\t').collect()).collect();
    // The words are the same, their counts those of others.
    let counts: Vec<&str> = rows[4..].iter().rev().map(|row| row[1]).collect();
    for (row, count) in rows[4..].iter_mut().zip(counts) {
        row[1] = count;
    }
    let rows: Vec<String> = rows.iter().map(|row| row.join("\t")).collect();
    fs::write(&table, rows.join("\n") + "\n").unwrap();
    let refused = fail(&workspace.exporting("run", "corpus", "wrong.lm"));
    assert!(refused.contains("other rows would be narrow"), "{refused}");
}

#[test]
fn an_interrupted_run_writes_a_checkpoint() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 100_000_000);
    let text = fs::read_to_string(&config).unwrap().replace("checkpoint_minutes = 0.00001", "checkpoint_minutes = 999");
    fs::write(&config, text).unwrap();
    let folder = workspace.path("run");
    let mut child = workspace.train(&config, "run", false).spawn().unwrap();
    wait_for(&mut child, "a line of the log", || !series(&folder, "train", "loss").is_empty());
    assert!(!folder.join("checkpoint.safetensors").exists());
    let log = series(&folder, "train", "loss").len();
    let second = workspace.train(&config, "run", false).output().unwrap();
    assert!(String::from_utf8_lossy(&second.stderr).contains("another `lm-tools train` is at work in"));
    assert!(series(&folder, "train", "loss").len() >= log, "the log is the first one's");
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stderr).contains("go on with: lm-tools train --resume --corpus "));
    assert!(folder.join("checkpoint.safetensors").exists());

    // Whoever holds the lock keeps others from going on, too.
    let lock = fs::File::create(folder.join("train.lock")).unwrap();
    lock.try_lock().unwrap();
    let second = workspace.train(&config, "run", true).output().unwrap();
    assert!(String::from_utf8_lossy(&second.stderr).contains("another `lm-tools train` is at work in"));
    drop(lock);

    // What cannot be gone on with is refused by name.
    let other = workspace.config("other.toml", "gru", "", 100_000_000);
    let refused = workspace.train(&other, "run", true).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another config"));
    let bytes = fs::read(folder.join("checkpoint.safetensors")).unwrap();
    let mut flipped = bytes.clone();
    flipped[bytes.len() - 2] ^= 1;
    for damaged in [&bytes[..bytes.len() / 2], &flipped] {
        fs::write(folder.join("checkpoint.safetensors"), damaged).unwrap();
        let refused = workspace.train(&config, "run", true).output().unwrap();
        assert_eq!(refused.status.code(), Some(1));
        assert!(String::from_utf8_lossy(&refused.stderr).contains("checkpoint.safetensors is damaged"));
    }
}

#[test]
fn a_run_tells_how_it_ended() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 3_000);
    let output = workspace.train(&config, "run", false).output().unwrap();
    let (told, notes) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap());
    let perplexity = format!("held-out perplexity {:.1}", perplexity(&workspace.path("run")));
    assert!(told.contains(&perplexity) && told.contains("lm-tools export"), "{told}");
    assert_eq!(notes.matches("held-out perplexity").count(), 2, "{notes}");
    assert!(notes.contains(" parameters, ") && notes.contains(" passes"), "{notes}");
}

#[cfg(target_os = "linux")]
#[test]
fn a_run_that_nobody_can_be_told_of_goes_on() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 3_000);
    let full = fs::File::create("/dev/full").unwrap();
    assert!(workspace.train(&config, "run", false).stderr(full).status().unwrap().success());
    assert_eq!(events(&workspace.path("run")).last().unwrap()["event"], "end");
}

#[test]
fn a_checkpoint_that_cannot_be_written_ends_the_run_at_its_end_alone() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 3_000);
    // A folder in the place of what is written first.
    fs::create_dir_all(workspace.path("run/checkpoint.safetensors.tmp")).unwrap();
    let output = workspace.train(&config, "run", false).output().unwrap();
    let notes = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{notes}");
    assert!(notes.contains("the run goes on") && notes.contains("held-out perplexity"), "{notes}");
}

#[test]
fn a_device_that_was_not_built_says_how_to_build_it() {
    if cfg!(feature = "wgpu") {
        return;
    }
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 1000);
    let mut command = workspace.train(&config, "run", false);
    let output = command.args(["--device", "wgpu"]).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("--features wgpu"));
}

#[test]
fn what_a_crash_leaves_of_a_log_is_no_loss() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 8_000);
    workspace.trained(&config, "run");
    let log = workspace.path("run/log.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    // A line that is being written, or that has no end.
    fs::write(&log, format!("{text}{{\"event\":\"tr")).unwrap();
    succeed(&["report", &workspace.text("run")]);
    fs::write(&log, [text.as_bytes(), &[0xff, 0xfe]].concat()).unwrap();
    assert!(workspace.train(&config, "run", true).status().unwrap().success());
    let kept = fs::read_to_string(&log).unwrap();
    assert!(kept.starts_with(&text), "{kept}");
}

#[test]
fn a_perplexity_beyond_all_numbers_is_told() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 4_000);
    workspace.trained(&config, "run");
    let log = workspace.path("run/log.jsonl");
    let text = fs::read_to_string(&log).unwrap();
    let (start, rest) = text.rsplit_once("\"perplexity\":").unwrap();
    let (_, end) = rest.split_once('}').unwrap();
    // What is written of a network that has come apart: JSON has no infinity.
    fs::write(&log, format!("{start}\"perplexity\":null}}{end}")).unwrap();
    let table = succeed(&["report", &workspace.text("run")]);
    assert!(table.contains("inf"), "{table}");
}

#[test]
fn a_run_that_is_not_finished_is_exported_as_such() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 100_000_000);
    let folder = workspace.path("run");
    let mut child = workspace.train(&config, "run", false).spawn().unwrap();
    wait_for(&mut child, "a checkpoint", || folder.join("checkpoint.safetensors").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    let exported = run(&workspace.exporting("run", "corpus", "run.lm"));
    assert!(exported.status.success() && String::from_utf8_lossy(&exported.stderr).contains("is not finished"));
    assert!(fs::read_to_string(workspace.path("run.md")).unwrap().contains("of 100000000 tokens"));
    assert!(fail(&workspace.exporting("run", "corpus", "run.md")).contains("where the card goes"));
}
