//! Corpora, models and what is measured of them.

use std::fs;

use serde_json::Value;

use crate::workspace::{TERNARY, Workspace, fail, perplexity, run, sentences, succeed};

#[test]
fn from_text_to_a_model_that_has_learned() {
    let workspace = Workspace::new();
    for (cell, weights) in [("lstm", TERNARY), ("gru", TERNARY), ("lstm", "")] {
        let config = workspace.config("config.toml", cell, weights, 60_000);
        let out = format!("run-{cell}-{}", weights.len());
        let output = workspace.train(&config, &out, false).output().unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let model = workspace.export(&out, "tiny.lm");

        let measured = succeed(&["evaluate", &model, &workspace.text("valid.txt"), "--json"]);
        let measured: Value = serde_json::from_str(&measured).unwrap();
        let all = |key: &str| measured["all"][key].as_f64().unwrap();
        // 40 rows; of a line's tokens some are certain, some one of 4 or 5.
        assert!(all("perplexity") < 3.5, "{cell} {weights}: perplexity {}", all("perplexity"));
        assert!(all("ksr") > 0.5 && all("ksr") < all("ceiling"), "{cell}: KSR {}", all("ksr"));
        assert!(all("top_1") < all("top_k"));
        let interval = &measured["all"]["ksr_interval"];
        assert!(interval["low"].as_f64().unwrap() < all("ksr") && all("ksr") < interval["high"].as_f64().unwrap());

        // The trainer's own perplexity and the core's are of the same model on the same text, but for int8 activations.
        let own = workspace.text("own.txt");
        fs::write(&own, "quokkas\n".repeat(20)).unwrap();
        let personal: Value =
            serde_json::from_str(&succeed(&["evaluate", &model, &own, "--personal", "--json"])).unwrap();
        let sum = |name: &str| personal["all"][name].as_u64().unwrap();
        assert_eq!(
            [sum("words"), sum("characters"), sum("model_effort")],
            [20, 160, 160],
            "the model does not know it"
        );
        assert!(sum("personal_effort") < 80, "{personal}");
        assert!(succeed(&["evaluate", &model, &own, "--personal"]).lines().last().unwrap().contains("all"));
        let blend = fail(&["evaluate", &model, &own, "--personal", "--blend", "1.5", "300", "5"]);
        assert!(blend.contains("LARGEST = 1.5"), "{blend}");

        let stream = succeed(&["evaluate", &model, &workspace.text("valid.txt"), "--stream", "--no-typist", "--json"]);
        let stream: Value = serde_json::from_str(&stream).unwrap();
        let (by_core, by_trainer) = (stream["all"]["perplexity"].as_f64().unwrap(), perplexity(&workspace.path(&out)));
        assert!((by_core / by_trainer - 1.0).abs() < 0.03, "{cell}: core {by_core}, trainer {by_trainer}");

        // Texts of lines that are joined: from one line a text to all in one.
        let joined = |bytes: &str, threads: &str| -> Value {
            let valid = workspace.text("valid.txt");
            let arguments =
                ["evaluate", &model, &valid, "--no-typist", "--json", "--join", bytes, "--threads", threads];
            serde_json::from_str(&succeed(&arguments)).unwrap()
        };
        let [alone, some, whole] = ["1", "200", "1000000"].map(|bytes| joined(bytes, "1"));
        // Nothing is left of a text when the next one begins.
        assert_eq!(joined("200", "7"), some);
        let perplexity = |report: &Value| report["all"]["perplexity"].as_f64().unwrap();
        assert_eq!(perplexity(&alone), all("perplexity"));
        assert_eq!(perplexity(&whole), by_core);
        assert_eq!(whole["joined"]["worst"].as_f64(), Some(by_core));
        let part = |name: &str| some["joined"][name].as_f64().unwrap();
        assert_eq!(alone["joined"]["texts"], 400);
        let bytes = fs::metadata(workspace.path("valid.txt")).unwrap().len() as f64;
        assert!(part("texts") >= bytes / 200.0 && part("texts") < 2.0 * bytes / 200.0, "{some}");
        assert!(part("median") < part("worst"), "{some}");

        let card = fs::read_to_string(workspace.path("tiny.md")).unwrap();
        assert!(card.contains("CC0-1.0") && card.contains("units = 24") && !card.contains("```sh"));
        assert!(!card.contains("recurrent weights"));
        let listing = succeed(&["inspect", &model]);
        assert!(listing.contains("language: en") && listing.contains("24 units"));
        let listing: Value = serde_json::from_str(&succeed(&["inspect", &model, "--json"])).unwrap();
        let bytes = fs::metadata(&model).unwrap().len();
        assert_eq!(listing["bytes"].as_u64(), Some(bytes));
    }
    // A card takes the place of a card alone.
    fs::write(workspace.path("tiny.md"), "my notes\n").unwrap();
    assert!(fail(&workspace.exporting("run-lstm-0", "corpus", "tiny.lm")).contains("tiny.md is no card"));
    assert_eq!(fs::read_to_string(workspace.path("tiny.md")).unwrap(), "my notes\n");
}

#[test]
fn an_n_gram_model_of_a_size_is_made_and_measured() {
    let workspace = Workspace::new();
    let measure = |bytes: &str| {
        let model = workspace.text("tiny.kn");
        succeed(&["ngram", &workspace.text("corpus"), "--bytes", bytes, "--out", &model]);
        let length = fs::metadata(&model).unwrap().len();
        assert!(length <= bytes.parse().unwrap(), "{length} bytes, not {bytes}");
        let measured = succeed(&["evaluate", &model, &workspace.text("valid.txt"), "--json"]);
        let measured: Value = serde_json::from_str(&measured).unwrap();
        ["perplexity", "ksr"].map(|key| measured["all"][key].as_f64().unwrap())
    };
    let [[small, small_ksr], [whole, whole_ksr]] = [measure("300"), measure("100000")];
    assert!(whole < 3.5 && whole_ksr > 0.5, "perplexity {whole}, KSR {whole_ksr}");
    assert!(small > 1.1 * whole && small_ksr < whole_ksr, "perplexity {small}, KSR {small_ksr}");

    let rounded = fail(&["evaluate", &workspace.text("tiny.kn"), &workspace.text("valid.txt"), "--activations", "5"]);
    assert!(rounded.contains("--activations works with the model files of networks"), "{rounded}");
    let too_few = fail(&["ngram", &workspace.text("corpus"), "--bytes", "100", "--out", &workspace.text("x.kn")]);
    assert!(too_few.contains("the vocabulary alone takes"), "{too_few}");
}

#[test]
fn text_that_was_tokenized_before_keeps_its_capitals() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    fs::write(path("text.txt"), "I met McDonald with an iPhone in London\n".repeat(20)).unwrap();
    let (text, out) = (path("text.txt"), path("corpus"));
    succeed(&["corpus", &text, "--language", "en", "--valid", &text, "--tokenization", "spaces", "--out", &out]);
    succeed(&["ngram", &out, "--out", &path("all.kn")]);
    let config = "name = \"tiny\"\n[model]\ncell = \"lstm\"\nlayers = 1\nunits = 4\nembedding = 4\ntied = true\n[training]\n\
                  batch = 2\nbptt = 5\ntokens = 10\nlearning_rate = 0.01\n";
    fs::write(path("config.toml"), config).unwrap();
    succeed(&["train", "--config", &path("config.toml"), "--corpus", &out, "--out", &path("run")]);
    succeed(&["export", &path("run"), "--corpus", &out, "--licence", "CC0-1.0", "--out", &path("tiny.lm")]);
    // Models of both kinds say it of themselves.
    for model in ["all.kn", "tiny.lm"] {
        let measured = |options: &[&str]| {
            let measured = succeed(&[&["evaluate", &path(model), &text, "--json"], options].concat());
            serde_json::from_str::<Value>(&measured).unwrap()["all"]["out_of_vocabulary"].as_f64().unwrap()
        };
        assert_eq!(measured(&[]), 0.0, "{model}");
        assert!(measured(&["--tokenization", "words"]) > 0.0, "{model}");
        let en = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/en.lm");
        let compare = ["evaluate", &path(model), &text, "--against", en];
        assert!(fail(&compare).contains("choose with --tokenization"));
        assert!(succeed(&[&compare[..], &["--tokenization", "words"]].concat()).contains("less the other"));
    }
    // A folder that is being prepared has words and tokens of different texts.
    fs::remove_file(folder.path().join("corpus/corpus.json")).unwrap();
    assert!(fail(&["ngram", &out, "--out", &path("all.kn")]).contains("no prepared corpus"));
}

#[test]
fn sizes_are_compared() {
    let workspace = Workspace::new();
    let (small, large) = (workspace.text("small.kn"), workspace.text("large.kn"));
    for (model, bytes) in [(&large, "100000"), (&small, "300")] {
        succeed(&["ngram", &workspace.text("corpus"), "--bytes", bytes, "--out", model]);
    }
    assert!(fail(&["sizes", &small]).contains("lm-tools evaluate"));
    for (model, name) in [(&small, "small.json"), (&large, "large.json")] {
        let measured = succeed(&["evaluate", model, &workspace.text("valid.txt"), "--json"]);
        fs::write(workspace.path(name), measured).unwrap();
    }
    let curves = workspace.text("sizes.svg");
    let table = succeed(&["sizes", &large, &small, "--curves", &curves]);
    let rows: Vec<Vec<&str>> = table.lines().map(|line| line.split('|').map(str::trim).collect()).collect();
    assert_eq!((rows.len(), rows[2][1], rows[3][1], rows[3][2]), (4, "small", "large", "n-grams"), "{table}");
    assert_eq!(rows[0][7], "top-3");
    assert!(fail(&["inspect", &large]).contains("is an n-gram model"));
    assert_eq!(rows[3][3], fs::metadata(&large).unwrap().len().to_string());
    assert!(rows[2][8].contains(" to "), "{table}");
    assert!(fs::read_to_string(&curves).unwrap().contains("n-grams"));

    fs::write(workspace.path("other.txt"), "the cat sat\n").unwrap();
    let other = succeed(&["evaluate", &small, &workspace.text("other.txt"), "--json"]);
    fs::write(workspace.path("small.json"), other).unwrap();
    assert!(fail(&["sizes", &small, &large]).contains("measured on different texts"));
    let measured = succeed(&["evaluate", &large, &workspace.text("valid.txt"), "-k", "1", "--json"]);
    fs::write(workspace.path("large.json"), measured).unwrap();
    let measured = succeed(&["evaluate", &small, &workspace.text("valid.txt"), "--json"]);
    fs::write(workspace.path("small.json"), measured).unwrap();
    assert!(fail(&["sizes", &small, &large]).contains("in different ways"));
    let measured = succeed(&["evaluate", &large, &workspace.text("valid.txt"), "--join", "100", "--json"]);
    fs::write(workspace.path("large.json"), measured).unwrap();
    assert!(fail(&["sizes", &small, &large]).contains("in different ways"));
    fs::copy(workspace.path("small.json"), workspace.path("large.json")).unwrap();
    assert!(fail(&["sizes", &small, &large]).contains("large.json has the measures of another model"));
}

#[test]
fn two_models_are_compared_on_the_same_lines() {
    let workspace = Workspace::new();
    let (small, large) = (workspace.text("small.kn"), workspace.text("large.kn"));
    for (model, bytes) in [(&large, "100000"), (&small, "300")] {
        succeed(&["ngram", &workspace.text("corpus"), "--bytes", bytes, "--out", model]);
    }
    let valid = workspace.text("valid.txt");
    let evaluate = |arguments: &[&str]| -> Value {
        serde_json::from_str(&succeed(&[&["evaluate"], arguments, &[&valid, "--json"]].concat())).unwrap()
    };
    let (of_small, of_large) = (evaluate(&[&small]), evaluate(&[&large]));
    assert!(of_small.get("against").is_none());
    let both = evaluate(&[&large, "--against", &small]);
    assert_eq!(both["all"], of_large["all"]);
    assert_eq!(both["against"]["model"], of_small["model"]);

    let differences = &both["against"]["all"];
    let near =
        |found: &Value, wanted: f64| assert!((found.as_f64().unwrap() - wanted).abs() < 1e-9, "{found} {wanted}");
    for measure in ["ksr", "top_k"] {
        let [a, b] = [&of_large, &of_small].map(|report| report["all"][measure].as_f64().unwrap());
        near(&differences[measure]["value"], a - b);
    }
    let [a, b] = [&of_large, &of_small].map(|report| report["all"]["perplexity"].as_f64().unwrap());
    near(&differences["perplexity"]["value"], a / b);
    let ends = |interval: &Value| [&interval["low"], &interval["high"]].map(|end| end.as_f64().unwrap());
    let [low, high] = ends(&differences["ksr"]["interval"]);
    let value = differences["ksr"]["value"].as_f64().unwrap();
    assert!(low <= value && value <= high && low < high, "{differences}");
    assert_eq!(both["against"]["by_source"].as_object().unwrap().len(), 1);

    let own = evaluate(&[&large, "--against", &large]);
    assert_eq!(ends(&own["against"]["all"]["ksr"]["interval"]), [0.0, 0.0]);
    let table = succeed(&["evaluate", &large, &valid, "--against", &small]);
    assert!(table.contains("less the other") && table.contains(&format!("{:+.2} (", 100.0 * value)), "{table}");
    let perplexity_alone = succeed(&["evaluate", &large, &valid, "--against", &small, "--no-typist"]);
    assert!(perplexity_alone.contains(&format!("{:.3} (", a / b)), "{perplexity_alone}");
    assert!(fail(&["evaluate", &large, &valid, "--against", &workspace.text("none.kn")]).contains("none.kn"));
}

#[test]
fn lines_of_a_source_are_joined_wherever_they_stand() {
    let workspace = Workspace::new();
    succeed(&["ngram", &workspace.text("corpus"), "--out", &workspace.text("tiny.kn")]);
    let lines = sentences(60, 3);
    let labelled: Vec<String> =
        lines.lines().zip(["a", "b", "c"].iter().cycle()).map(|(line, source)| format!("{source}\t{line}")).collect();
    let mut grouped = labelled.clone();
    grouped.sort_by(|a, b| a[..1].cmp(&b[..1]));
    let texts = |lines: &[String]| {
        fs::write(workspace.path("text.tsv"), lines.join("\n")).unwrap();
        let arguments =
            ["evaluate", &workspace.text("tiny.kn"), &workspace.text("text.tsv"), "--join", "1000", "--json"];
        serde_json::from_str::<Value>(&succeed(&arguments)).unwrap()["joined"]["texts"].as_u64().unwrap()
    };
    assert_eq!((texts(&labelled), texts(&grouped)), (3, 3));
}

#[test]
fn words_that_the_text_was_not_prepared_with_are_refused() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "", 80);
    workspace.trained(&config, "run");
    let table = workspace.path("corpus/vocabulary.tsv");
    let whole = fs::read_to_string(&table).unwrap();
    let house = "house\t";
    let count = whole.lines().find(|line| line.starts_with(house)).unwrap().split('\t').nth(1).unwrap();
    for (edited, reason) in [
        (whole.clone() + "zebra\t1\tzebra\tyes\n", "prepare the corpus again"),
        (whole.replace(&format!("\n{house}"), "\nhorse\t"), "prepare the corpus again"),
        (whole.replace(&format!("\n{house}{count}"), &format!("\n{house}NaN")), "not a count"),
    ] {
        assert_ne!(edited, whole);
        fs::write(&table, edited).unwrap();
        let corpus = workspace.text("corpus");
        for arguments in [
            &["train", "--config", &config, "--corpus", &corpus, "--out", &workspace.text("other")][..],
            &["ngram", &corpus, "--out", &workspace.text("tiny.kn")],
        ] {
            let refused = fail(arguments);
            assert!(refused.contains(reason) && refused.contains("vocabulary.tsv"), "{refused}");
        }
        assert!(fail(&workspace.exporting("run", "corpus", "tiny.lm")).contains(reason));
    }
    // What a word looks like, and whether it is offered, is for people to say.
    fs::write(&table, whole.replace("\tyes\n", "\tno\n")).unwrap();
    workspace.export("run", "tiny.lm");
}

#[test]
fn text_that_cannot_be_prepared_leaves_the_corpus_before() {
    let workspace = Workspace::new();
    fs::write(workspace.path("latin1.txt"), b"good line\nb\xe4d line\n").unwrap();
    let corpus = workspace.text("corpus");
    fail(&["corpus", &workspace.text("latin1.txt"), "--language", "en", "--out", &corpus]);
    succeed(&["ngram", &corpus, "--out", &workspace.text("tiny.kn")]);
}

#[test]
fn bad_input_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let out = path("out");
    let corpus = |file: &str| fail(&["corpus", file, "--language", "en", "--out", &out]);
    assert!(corpus(&path("missing.txt")).contains("missing.txt does not exist"));
    fs::write(path("empty.txt"), "\n \n").unwrap();
    assert!(corpus(&path("empty.txt")).contains("the corpus is empty"));
    fs::write(path("latin1.txt"), b"good line\nb\xe4d line\n").unwrap();
    assert!(corpus(&path("latin1.txt")).contains("latin1.txt: line 2 is not UTF-8"));
    assert!(fail(&["corpus", &path("empty.txt"), "--out", &out]).contains("--language is needed"));
    assert!(corpus(&(path("empty.txt") + "=many")).contains("\"many\" is not a weight"));
    fs::write(path("few.txt"), "a line\n").unwrap();
    assert!(corpus(&(path("few.txt") + "=0.000001")).contains("no text is left"));
    for tag in ["", "english", "e1", "en-", "pt_BR"] {
        let refused = fail(&["corpus", &path("few.txt"), "--language", tag, "--out", &out]);
        assert!(refused.contains(&format!("language = {tag:?}: a tag is wanted")), "{refused}");
    }
    assert!(!folder.path().join("out").exists(), "what is refused leaves no folder");

    fs::write(path("config.toml"), "name = \"x\"\nflavour = 1\n").unwrap();
    let train = |config: &str| fail(&["train", "--config", config, "--corpus", &out, "--out", &path("run")]);
    assert!(train(&path("config.toml")).contains("unknown field `flavour`"));
    assert!(train(&path("none.toml")).contains("none.toml"));

    fs::write(path("not.lm"), "hello").unwrap();
    for command in ["inspect", "evaluate"] {
        let arguments = [command, &path("not.lm"), &path("latin1.txt")];
        assert!(fail(&arguments[..if command == "inspect" { 2 } else { 3 }]).contains("not.lm"));
    }
    assert_eq!(run(&["evaluate"]).status.code(), Some(2));
    let en = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/en-small.lm");
    assert!(fail(&["evaluate", en, &path("few.txt"), &path("few.txt")]).contains("named twice"));
    fs::create_dir(path("other")).unwrap();
    fs::copy(path("few.txt"), path("other/few.txt")).unwrap();
    let measured = succeed(&["evaluate", en, &path("few.txt"), &path("other/few.txt")]);
    assert!(measured.contains(&path("few.txt")) && measured.contains(&path("other/few.txt")), "{measured}");
    assert!(fail(&["evaluate", &path("other"), &path("few.txt")]).contains("export the model first"));
    let valid = ["corpus", &path("few.txt"), "--language", "en", "--valid", &path("empty.txt"), "--out", &out];
    assert!(fail(&valid).contains("no line of held-out text"));
    assert!(
        fail(&["export", &path("run"), "--corpus", &out, "--licence", "x", "--out", &path("x.lm")])
            .contains("checkpoint")
    );
}

#[cfg(target_os = "linux")]
#[test]
fn what_cannot_be_printed_is_an_error_unless_nobody_reads_on() {
    use crate::workspace::lm_tools;
    use std::process::Stdio;

    let inspect = |stdout: Stdio| {
        let model = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/en.lm");
        let child = lm_tools(&["inspect", model]).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    let (code, error) = inspect(fs::File::create("/dev/full").unwrap().into());
    assert_eq!(code, Some(1));
    assert!(error.contains("could not be written: No space left on device"), "{error}");

    let unread = || std::io::pipe().unwrap().1;
    assert_eq!(inspect(unread().into()), (Some(0), String::new()));

    // What is to be written is written nevertheless.
    let workspace = Workspace::new();
    let (model, curves) = (workspace.text("ngrams.kn"), workspace.text("sizes.svg"));
    for arguments in [
        &["ngram", &workspace.text("corpus"), "--bytes", "300", "--out", &model][..],
        &["sizes", &model, "--curves", &curves],
    ] {
        assert!(lm_tools(arguments).stdout(unread()).status().unwrap().success());
        let measured = succeed(&["evaluate", &model, &workspace.text("valid.txt"), "--json"]);
        fs::write(workspace.path("ngrams.json"), measured).unwrap();
    }
    assert!(fs::read_to_string(&curves).unwrap().contains("n-grams"));
}

#[test]
fn lists_decide_which_words_are_offered() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("text.txt"), "damn this wierd house, isn't it\n").unwrap();
    fs::write(folder.path().join("bad.txt"), "Damn\n").unwrap();
    fs::write(folder.path().join("frequencies.tsv"), "damn\t4.5\nthis\t7\nhouse\t5\nit\t7\nwierd\t2.6\n").unwrap();
    let sources = "language = \"en\"\nwords = 10\nnever_offer = [\"bad.txt\"]\n\
                   offer_if_listed = { path = \"frequencies.tsv\", zipf = 3.0 }\n[[source]]\npath = \"text.txt\"\n";
    let list = folder.path().join("sources.toml");
    fs::write(&list, sources).unwrap();
    let (list, root) = (list.to_string_lossy(), folder.path().to_string_lossy());
    succeed(&["corpus", &list, "--root", &root, "--out", &root]);
    let table = fs::read_to_string(folder.path().join("vocabulary.tsv")).unwrap();
    let marked = |mark: &str| -> Vec<&str> {
        table.lines().filter(|line| line.ends_with(mark)).filter_map(|line| line.split('\t').next()).collect()
    };
    assert_eq!(marked("\tyes"), ["house", "isn't", "it", "this"]);
    assert_eq!(marked("\tno"), ["damn", "wierd"]);
}

#[test]
fn words_beyond_the_vocabulary_are_completed() {
    let workspace = Workspace::new();
    let text = format!(
        "{}{}",
        sentences(500, 3),
        "we like marmalade.\nthe dog likes cucumbers. we see cucumbers!\n".repeat(3)
    );
    fs::write(workspace.path("text.txt"), text).unwrap();
    let corpus = |rare: &str| {
        let (text, out) = (workspace.text("text.txt"), workspace.text("corpus"));
        let arguments = ["corpus", &text, "--language", "en", "--words", "21", "--rare-words", rare, "--out", &out];
        let output = run(&[&arguments[..], &["--json"]].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        // Nothing but the summary, which a script reads.
        assert!(serde_json::from_slice::<Value>(&output.stdout).unwrap()["train_tokens"].is_u64());
        String::from_utf8(output.stderr).unwrap()
    };
    assert!(corpus("5").contains("3 rare words"), "likes, marmalade, cucumbers");
    let config = workspace.config("config.toml", "lstm", TERNARY, 4_000);
    assert!(workspace.train(&config, "run", false).output().unwrap().status.success());
    let own = workspace.text("own.txt");
    fs::write(&own, "marmalade\n").unwrap();
    let ksr = |model: &str| {
        let measured: Value = serde_json::from_str(&succeed(&["evaluate", model, &own, "--json"])).unwrap();
        measured["all"]["ksr"].as_f64().unwrap()
    };
    // One letter tells it from all others, and a click ends it: two of ten.
    let model = workspace.export("run", "rare.lm");
    assert!((ksr(&model) - 0.8).abs() < 1e-9);
    assert!(fs::read_to_string(workspace.path("rare.md")).unwrap().contains("3 rare words"));

    corpus("0");
    assert_eq!(ksr(&workspace.export("run", "plain.lm")), 0.0);
}
