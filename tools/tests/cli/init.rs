//! Runs that begin with the weights of another (`--init`), or go on with other text.

use std::fs;

use serde_json::Value;

use crate::workspace::{TERNARY, Workspace, events, fail, perplexity, sentences, series, succeed, wait_for};

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let workspace = Workspace::new();
    let float = workspace.config("float.toml", "lstm", "", 60_000);
    workspace.trained(&float, "float");
    let ternary = workspace.config("ternary.toml", "lstm", TERNARY, 8_000);
    let mut losses = Vec::new();
    for init in [None, Some(workspace.text("float"))] {
        let out = format!("ternary-{}", init.is_some());
        let mut command = workspace.train(&ternary, &out, false);
        let status = command.args(init.iter().flat_map(|init| ["--init", init])).status().unwrap();
        assert!(status.success());
        losses.push(series(&workspace.path(&out), "train", "loss")[0].1);
    }
    assert!(losses[1] < 0.6 * losses[0], "{losses:?}");
}

#[test]
fn a_run_that_began_with_another_resumes() {
    let workspace = Workspace::new();
    let float = workspace.config("float.toml", "lstm", "", 8_000);
    workspace.trained(&float, "float");
    let optimal = "input = { method = \"optimal-ternary\" }\nrecurrent = { method = \"optimal-ternary\" }";
    let config = workspace.config("config.toml", "lstm", optimal, 40_000);
    let mut child = workspace.train(&config, "run", false).args(["--init", &workspace.text("float")]).spawn().unwrap();
    let folder = workspace.path("run");
    wait_for(&mut child, "a checkpoint", || folder.join("checkpoint.safetensors").exists());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(workspace.train(&config, "run", true).status().unwrap().success());
    assert_eq!(events(&folder).pop().unwrap()["event"], "end");
}

#[test]
fn a_narrower_embedding_begins_with_the_singular_vectors_of_a_wider_one() {
    let workspace = Workspace::new();
    let wide = workspace.config("wide.toml", "lstm", "", 20_000);
    workspace.trained(&wide, "wide");
    let text = fs::read_to_string(&wide).unwrap();
    let narrow = |name: &str, width: usize| {
        let narrow = text.replace("embedding = 16", &format!("embedding = {width}"));
        fs::write(workspace.path("narrow.toml"), still(&narrow)).unwrap();
        let config = workspace.text("narrow.toml");
        let status = workspace.train(&config, name, false).args(["--init", &workspace.text("wide")]).status().unwrap();
        assert!(status.success());
        perplexity(&workspace.path(name))
    };
    // The language has few words: most of the table is in its first directions.
    let before = perplexity(&workspace.path("wide"));
    let (most, few) = (narrow("most", 15), narrow("few", 2));
    assert!(most < 1.1 * before && few > 1.3 * before, "{before} {most} {few}");
}

#[test]
fn a_wider_network_takes_over_a_smaller_one() {
    let workspace = Workspace::new();
    let small = workspace.config("small.toml", "lstm", "", 20_000);
    workspace.trained(&small, "small");
    let larger = still(&fs::read_to_string(&small).unwrap()).replace("units = 24", "units = 40");
    fs::write(workspace.path("larger.toml"), larger.replace("embedding = 16", "embedding = 20")).unwrap();
    let larger = workspace.text("larger.toml");
    let small = workspace.text("small");
    assert!(workspace.train(&larger, "larger", false).args(["--init", &small]).status().unwrap().success());
    let (before, after) = (perplexity(&workspace.path("small")), perplexity(&workspace.path("larger")));
    assert!((after / before - 1.0).abs() < 0.01, "{before} {after}");
    // Not the other way about.
    let config = workspace.text("small.toml");
    let refused =
        workspace.train(&config, "again", false).args(["--init", &workspace.text("larger")]).output().unwrap();
    let refused = String::from_utf8(refused.stderr).unwrap();
    assert!(refused.contains("or a larger network's"), "{refused}");
}

#[test]
fn a_run_goes_on_with_other_text_of_the_same_words() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 8_000);
    workspace.trained(&config, "run");
    fs::write(workspace.path("mail.txt"), format!("zebras {}", sentences(500, 4))).unwrap();
    let (mail, corpus, other) = (workspace.text("mail.txt"), workspace.text("corpus"), workspace.text("other"));
    let prepared = succeed(&["corpus", &mail, "--language", "en", "--words-of", &corpus, "--out", &other, "--json"]);
    let manifest: Value = serde_json::from_str(&prepared).unwrap();
    assert_eq!(manifest["before"].as_array().unwrap().len(), 1);
    let unknown = manifest["unknown_share"].as_f64().unwrap() * manifest["train_tokens"].as_f64().unwrap();
    assert!((unknown - 1.0).abs() < 1e-6, "zebras alone: {unknown}");
    let table = |corpus: &str| fs::read_to_string(workspace.path(corpus).join("vocabulary.tsv")).unwrap();
    assert_eq!(table("corpus"), table("other"));

    let arguments = ["train", "--config", &config, "--corpus", &other, "--init", &workspace.text("run")];
    succeed(&[&arguments[..], &["--out", &workspace.text("tuned")]].concat());
    succeed(&workspace.exporting("tuned", "other", "tuned.lm"));
    let card = fs::read_to_string(workspace.path("tuned.md")).unwrap();
    assert!(
        card.contains("mail.txt") && card.contains("may have been trained on before") && card.contains("train.txt")
    );

    let refused = fail(&workspace.exporting("tuned", "corpus", "tuned.lm"));
    assert!(refused.contains("trained on another text"), "{refused}");

    for (language, out, reason) in [("pl", &other, "is of the language en"), ("en", &corpus, "another folder")] {
        let refused = fail(&["corpus", &mail, "--language", language, "--words-of", &corpus, "--out", out]);
        assert!(refused.contains(reason), "{refused}");
    }
}

/// What makes a config's run one of a single step that changes nothing.
fn still(config: &str) -> String {
    let text = config.replace("learning_rate = 0.01", "learning_rate = 1e-12");
    let (start, rest) = text.split_once("tokens = ").unwrap();
    let (_, end) = rest.split_once('\n').unwrap();
    format!("{start}tokens = 80\n{end}")
}

#[test]
fn learned_levels_are_taken_over() {
    let workspace = Workspace::new();
    for method in ["codebook\", bits = 2", "trained-ternary\""] {
        let weights = format!("input = {{ method = \"{method} }}\nrecurrent = {{ method = \"{method} }}");
        let config = workspace.config("config.toml", "lstm", &weights, 20_000);
        let run = &method[..4];
        workspace.trained(&config, run);
        let text = still(&fs::read_to_string(&config).unwrap());
        fs::write(&config, text).unwrap();
        let (init, again) = (workspace.text(run), format!("{run}-again"));
        assert!(workspace.train(&config, &again, false).args(["--init", &init]).status().unwrap().success());
        let (before, after) = (perplexity(&workspace.path(run)), perplexity(&workspace.path(&again)));
        assert!((after / before - 1.0).abs() < 1e-3, "{method}: {before} {after}");
    }
}

#[test]
fn what_another_run_computes_otherwise_is_refused() {
    let workspace = Workspace::new();
    let normalization = "[normalization]\nmethod = \"batch\"\nfreeze = 0.5\nopen = 2.0";
    let config = workspace.config("config.toml", "lstm", normalization, 4_000);
    workspace.trained(&config, "run");
    let text = still(&fs::read_to_string(&config).unwrap());
    let binary = "recurrent = { method = \"binary\" }\n[normalization]";
    let larger = text.replace("open = 2.0", "").replace("units = 24", "units = 30").replace("[normalization]", binary);
    for (config, reason) in [
        (text.clone(), "opened already"),
        (text.replace(normalization, ""), "layers.0.input.gain"),
        (text.replace("tied = true", "tied = false"), "of the same cell, layers, tied and lsh alone"),
        (text.replace("layers = 1", "layers = 2"), "of the same cell, layers, tied and lsh alone"),
        (larger, "binary weights"),
    ] {
        fs::write(workspace.path("other.toml"), &config).unwrap();
        let mut train = workspace.train(&workspace.text("other.toml"), "other", false);
        let refused = train.args(["--init", &workspace.text("run")]).output().unwrap();
        let error = String::from_utf8_lossy(&refused.stderr);
        assert!(!refused.status.success() && error.contains(reason), "{error}");
        assert!(!workspace.path("other").exists(), "what is refused leaves no folder");
    }
}
