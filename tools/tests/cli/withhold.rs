//! Words that a model file never offers, or less.

use std::fs;

use lm_wasm::format::ModelParts;
use lm_wasm::text::WordList;
use lm_wasm::{Model, Session};

use crate::workspace::{Workspace, fail, succeed};

const MODEL: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/en-small.lm");

#[test]
fn words_are_withheld() {
    let workspace = Workspace::new();
    let [list, out] = ["never.txt", "out.lm"].map(|name| workspace.text(name));
    let before = Model::from_bytes(&fs::read(MODEL).unwrap()).unwrap();
    let offered = |model: &Model, prefix: &str| {
        let items = Session::new(model).suggest(model, prefix, 8).items;
        items.into_iter().map(|item| item.text).collect::<Vec<_>>()
    };
    let rare = before.vocabulary().rare();
    let rare = rare.cased(rare.most_frequent(0..rare.words().len(), 1)[0]);
    let known = offered(&before, "").remove(0);
    assert!(offered(&before, &rare[..rare.len() - 1]).contains(&rare));
    fs::write(&list, format!("{}\n{rare}\nno-such-word\n", known.to_uppercase())).unwrap();

    let told = succeed(&["withhold", MODEL, &list, "--out", &out]);
    assert!(told.contains("1 words are read only from now on, 1 rare ones left out"), "{told}");
    let after = Model::from_bytes(&fs::read(&out).unwrap()).unwrap();
    assert!(!offered(&after, "").contains(&known));
    assert!(!offered(&after, &rare[..rare.len() - 1]).contains(&rare));
    assert_eq!(offered(&before, "")[1..3], offered(&after, "")[..2]);

    // The rest is as it was, and once more changes nothing.
    let parts = |path: &str| ModelParts::from_bytes(&fs::read(path).unwrap()).unwrap();
    let (old, new) = (parts(MODEL), parts(&out));
    assert_eq!((&new.words, &new.layers), (&old.words, &old.layers));
    let [old, new] = [old, new].map(|parts| WordList::decode(&parts.rare.unwrap().words).unwrap().len());
    assert_eq!(new, old - 1);
    let told = succeed(&["withhold", &out, &list, "--out", &workspace.text("again.lm")]);
    assert!(told.contains("0 words are read only from now on, 0 rare ones left out"), "{told}");
    assert_eq!(fs::read(&out).unwrap(), fs::read(workspace.text("again.lm")).unwrap());

    // Measures are told once, however often.
    let [text, measures, measured] = ["text.txt", "measures.json", "measured.lm"].map(|name| workspace.text(name));
    fs::write(&text, "I would like to go.\n").unwrap();
    fs::write(&measures, succeed(&["evaluate", &out, &text, "--json"])).unwrap();
    for model in [&out, &measured] {
        succeed(&["withhold", model, &list, "--measures", &measures, "--out", &measured]);
    }
    let keys = parts(&measured).metadata.iter().filter(|(key, _)| *key == "perplexity").count();
    assert_eq!(keys, 1);
}

#[test]
fn words_are_made_less_likely() {
    let workspace = Workspace::new();
    let [list, out] = ["less.txt", "out.lm"].map(|name| workspace.text(name));
    let suggest = |path: &str| {
        let model = Model::from_bytes(&fs::read(path).unwrap()).unwrap();
        Session::new(&model).suggest(&model, "I would like ", 50).items
    };
    let before = suggest(MODEL);
    fs::write(&list, format!("{}\nno-such-word\n", before[1].text)).unwrap();
    let told = succeed(&["withhold", MODEL, "--less", &list, "--by", "1.5", "--out", &out]);
    assert!(told.contains("0 words are read only from now on, 0 rare ones left out, 1 less likely"), "{told}");
    let after = suggest(&out);
    let lowered =
        after.iter().find(|item| item.text == before[1].text).unwrap_or_else(|| panic!("{before:?} {after:?}"));
    let factor = before[1].probability / lowered.probability;
    // Biases have steps, and all others gain what it loses.
    assert!((3.2..5.0).contains(&factor), "{factor}");
    assert!(after[0].probability > before[0].probability);
    fs::write(&list, "no-such-word\n").unwrap();
    assert!(fail(&["withhold", MODEL, &list, "--out", &out]).contains("none of the 1 words"));
    fs::write(&list, "to\n").unwrap();
    assert!(fail(&["withhold", MODEL, "--less", &list, "--by", "0", "--out", &out]).contains("--by"));
}

#[test]
fn what_cannot_be_read_is_named() {
    let workspace = Workspace::new();
    let out = workspace.text("out.lm");
    assert!(fail(&["withhold", MODEL, "no-list.txt", "--out", &out]).contains("no-list.txt"));
    assert!(fail(&["withhold", "no-model.lm", MODEL, "--out", &out]).contains("no-model.lm"));
    assert!(!workspace.path("out.lm").exists());
}
