//! Corrections of frequent n-grams.

use std::fs;

use serde_json::Value;

use crate::workspace::{TERNARY, Workspace, fail, succeed};

/// What a model measures on the held-out text.
fn measures(workspace: &Workspace, model: &str) -> Value {
    let text = succeed(&["evaluate", model, &workspace.text("valid.txt"), "--json"]);
    serde_json::from_str(&text).unwrap()
}

#[test]
fn a_model_is_damped_as_by_its_export() {
    let workspace = Workspace::new();
    workspace.trained(&workspace.config("config.toml", "lstm", TERNARY, 3_000), "run");
    let model = workspace.export("run", "model.lm");
    let [corpus, damped] = ["corpus", "damped.lm"].map(|name| workspace.text(name));
    let damping = ["--damp", "0.5"].map(str::to_owned);
    succeed(&[workspace.exporting("run", "corpus", "damped.lm"), damping.to_vec()].concat());
    let bytes = (fs::metadata(&damped).unwrap().len() + 1200).to_string();
    let correct = |model: &str, name: &str, more: &[&str]| {
        let out = workspace.text(name);
        succeed(&[&["correct", model, &corpus, "--bytes", &bytes, "--out", &out], more].concat());
        out
    };
    let by_export = correct(&damped, "by-export.lm", &[]);
    let by_option = correct(&model, "by-option.lm", &["--damp", "0.5"]);
    assert_eq!(measures(&workspace, &by_option)["all"], measures(&workspace, &by_export)["all"]);
    assert!(succeed(&["inspect", &by_option]).contains("damped: 0.5"));
    let twice = correct(&by_option, "twice.lm", &["--damp", "0.5"]);
    assert!(succeed(&["inspect", &twice]).contains("damped: 0.25"));
}

#[test]
fn a_model_is_corrected_within_its_bytes() {
    let workspace = Workspace::new();
    // Too short a run to learn the language by heart.
    let config = workspace.config("config.toml", "lstm", TERNARY, 3_000);
    workspace.trained(&config, "run");
    let model = workspace.export("run", "model.lm");
    let size = |model: &str| fs::metadata(model).unwrap().len();
    let [corpus, corrected, again] = ["corpus", "corrected.lm", "again.lm"].map(|name| workspace.text(name));
    let correct = |model: &str, bytes: u64, out: &str, more: &[&str]| {
        let bytes = bytes.to_string();
        let arguments = ["correct", model, &corpus, "--bytes", &bytes, "--out", out];
        [&arguments[..], more].concat().into_iter().map(str::to_owned).collect::<Vec<_>>()
    };
    let limit = size(&model) + 1200;
    let told = succeed(&correct(&model, limit, &corrected, &["--threads", "1"]));
    assert!(size(&corrected) <= limit, "{told}");
    let perplexity = |report: &Value| report["all"]["perplexity"].as_f64().unwrap();
    let (before, after) = (measures(&workspace, &model), measures(&workspace, &corrected));
    assert!(perplexity(&after) < 0.85 * perplexity(&before), "{} {}", perplexity(&before), perplexity(&after));

    // Fewer bytes, fewer corrections, of the same answers.
    let count = |told: &str| told.split_whitespace().rev().nth(1).unwrap().parse::<u32>().unwrap();
    let answers = workspace.text("corrected.lm.sums");
    // 256 bytes are left for measures.
    let few = succeed(&correct(&model, size(&corrected) + 156, &again, &["--sums", &answers]));
    assert!(0 < count(&few) && count(&few) < count(&told), "{few} {told}");
    // However many threads; the file says what was measured of it, and what was corrected before counts for nothing.
    let report = workspace.text("measures.json");
    fs::write(&report, after.to_string()).unwrap();
    succeed(&correct(&corrected, limit, &again, &["--measures", &report, "--threads", "3"]));
    assert_eq!(measures(&workspace, &again)["all"], after["all"]);
    assert!(size(&again) <= limit);
    let listing = succeed(&["inspect", &again]);
    assert!(listing.contains(&format!("perplexity: {:.2}", perplexity(&after))), "{listing}");
    assert_eq!(listing.matches("corrections: ").count(), 1, "{listing}");
    // The network may be trained on.
    succeed(&["train", "--init", &again, "--corpus", &corpus, "--out", &workspace.text("on"), "--tokens", "1"]);

    let nowhere = fail(&correct(&model, limit, &workspace.text("none/again.lm"), &["--sums", &answers]));
    assert!(nowhere.contains("cannot write") && nowhere.contains("none/again.lm"), "{nowhere}");
    let small = fail(&correct(&model, size(&model), &again, &["--sums", &answers]));
    assert!(small.contains("ask for more bytes"), "{small}");
    let other = fail(&correct(&model, limit, &again, &["--sums", &answers, "--least", "4"]));
    assert!(other.contains("corrected.lm.sums") && other.contains("--least"), "{other}");
    let discount = fail(&correct(&model, limit, &again, &["--discount", "1"]));
    assert!(discount.contains("--discount 1"), "{discount}");
    fs::write(&answers, "{").unwrap();
    let damaged = fail(&correct(&model, limit, &corrected, &[]));
    assert!(damaged.contains("corrected.lm.sums is damaged"), "{damaged}");

    workspace.prepare(10, "other");
    let words = fail(&["correct", &model, &workspace.text("other"), "--bytes", "100000", "--out", &again]);
    assert!(words.contains("--words-of"), "{words}");
}
