//! Model files that are trained on with other text.

use std::fs;

use crate::workspace::{TERNARY, Workspace, fail, perplexity, run, sentences, series, succeed};

const NORMALIZED: &str = "\n[normalization]\nmethod = \"batch\"\ngain = 0.3";
const ROWS: &str = "embedding = { method = \"linear\", bits = 3, scales_per_octave = 8 }";

/// A corpus of the words of a model file, with the held-out text of the workspace.
fn prepare(workspace: &Workspace, text: &str, model: &str, out: &str) -> String {
    let [text, valid, out] = [text, "valid.txt", out].map(|name| workspace.text(name));
    let arguments = ["corpus", &text, "--valid", &valid, "--language", "en", "--words-of", model, "--out", &out];
    succeed(&arguments);
    out
}

#[test]
fn a_model_file_computes_in_training_what_it_did() {
    let workspace = Workspace::new();
    let levels = format!("{}\n{NORMALIZED}", TERNARY.replace("embedding = { method = \"linear\", bits = 4 }", ROWS));
    let of_levels = "input = { method = \"linear\", bits = 3, scales_per_octave = 1 }\n\
                     recurrent = { method = \"linear\", bits = 3, scales_per_octave = 1 }";
    let tail = "tied = true\ntail = { after = 20, width = 9 }";
    let lsh = "tied = false\nlsh = { bits = 128 }\noutput = 12";
    for (name, cell, model, weights) in [
        ("shipped", "lstm", tail, levels.as_str()),
        ("gru", "gru", "tied = true", &format!("{TERNARY}{NORMALIZED}")),
        ("levels", "lstm", "tied = true", of_levels),
        ("plain", "lstm", "tied = true", TERNARY),
        ("binary", "lstm", "tied = true", "recurrent = { method = \"binary\", per = \"output\" }"),
        ("float", "lstm", "tied = true", NORMALIZED),
        ("spelling", "lstm", lsh, "output = { method = \"linear\", bits = 8 }"),
    ] {
        let config = workspace.config("config.toml", cell, weights, 20_000);
        let text = fs::read_to_string(&config).unwrap().replace("tied = true", model);
        fs::write(&config, text).unwrap();
        workspace.trained(&config, name);
        let model = workspace.export(name, &format!("{name}.lm"));
        let other = prepare(&workspace, "train.txt", &model, &format!("{name}-corpus"));
        let [out, config_file] = [format!("{name}-again"), "still.toml".to_owned()].map(|name| workspace.text(&name));
        succeed(&["train", "--init", &model, "--corpus", &other, "--out", &out, "--tokens", "1"]);
        // Once more by the config of its card: one step, whose rate is next to nothing.
        succeed(&workspace.exporting(&format!("{name}-again"), &format!("{name}-corpus"), "again.lm"));
        let card = fs::read_to_string(workspace.path("again.md")).unwrap();
        let config = card.split("```").find_map(|block| block.strip_prefix("toml\n")).unwrap();
        let still = config.replace("learning_rate = 0.002\n", "learning_rate = 0.00001\n");
        assert_ne!(still, config);
        fs::write(&config_file, still).unwrap();
        let out = workspace.text(&format!("{name}-still"));
        succeed(&["train", "--config", &config_file, "--init", &model, "--corpus", &other, "--out", &out]);
        let (before, after) = (perplexity(&workspace.path(name)), perplexity(out.as_ref()));
        assert!((after / before - 1.0).abs() < 0.002, "{name}: {before} {after}");
    }
}

#[test]
fn a_model_file_learns_other_text() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", &format!("{TERNARY}{NORMALIZED}"), 20_000);
    workspace.trained(&config, "run");
    let model = workspace.export("run", "model.lm");
    let other = "I like the red car today.\nWe want a garden in London!\n";
    fs::write(workspace.path("mail.txt"), other.repeat(600)).unwrap();
    fs::write(workspace.path("valid.txt"), other.repeat(40)).unwrap();
    let corpus = prepare(&workspace, "mail.txt", &model, "mail");
    let out = workspace.text("tuned");
    let arguments = ["train", "--init", &model, "--corpus", &corpus, "--out", &out, "--tokens"];
    succeed(&[&arguments[..6], &[&workspace.text("untuned"), "--tokens", "1"]].concat());
    succeed(&[&arguments[..], &["40000"]].concat());
    let (before, after) = (perplexity(&workspace.path("untuned")), perplexity(&workspace.path("tuned")));
    assert!(after < 0.8 * before, "{before} {after}");

    succeed(&["train", "--corpus", &corpus, "--out", &out, "--resume"]);
    succeed(&workspace.exporting("tuned", "mail", "tuned.lm"));
    let card = fs::read_to_string(workspace.path("tuned.md")).unwrap();
    assert!(card.contains("mail.txt"), "{card}");

    let text = fs::read_to_string(&config).unwrap();
    for normalization in ["method = \"layer\"\nfreeze = 0.0", "method = \"batch\"\nfreeze = 0.5"] {
        let other = text.replace("method = \"batch\"", normalization);
        fs::write(&config, other).unwrap();
        let refused = fail(&[&["train", "--config", &config], &arguments[1..5], &["--out", "refused"]].concat());
        assert!(refused.contains("freeze = 0.0"), "{refused}");
    }
    // The rate falls to zero however short the text is.
    fs::write(workspace.path("note.txt"), other.repeat(150)).unwrap();
    let short = prepare(&workspace, "note.txt", &model, "note");
    succeed(&["train", "--init", &model, "--corpus", &short, "--out", &workspace.text("short")]);
    let rates = series(&workspace.path("short"), "train", "learning_rate");
    let &(steps, rate) = rates.last().unwrap();
    assert!(steps < 20 && rate < 0.0002, "{rates:?}");

    let refused = fail(&["train", "--corpus", &corpus, "--out", "refused"]);
    assert!(refused.contains("no config"), "{refused}");
    let missing = workspace.text("missing.lm");
    let refused = fail(&["train", "--init", &missing, "--corpus", &corpus, "--out", "refused"]);
    assert!(refused.contains("missing.lm"), "{refused}");
}

#[test]
fn a_model_file_learns_other_words() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", &format!("{TERNARY}{NORMALIZED}"), 20_000);
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text.replace("tied = true", "tied = true\ntail = { after = 25, width = 9 }")).unwrap();
    workspace.trained(&config, "run");
    let model = workspace.export("run", "model.lm");
    fs::write(workspace.path("zoo.txt"), "I like the zebra.\n".repeat(300)).unwrap();
    let [zoo, valid, corpus] = ["zoo.txt", "valid.txt", "zoo"].map(|name| workspace.text(name));
    let arguments = ["corpus", &zoo, "--valid", &valid, "--language", "en", "--out", &corpus, "--words"];
    succeed(&[&arguments[..], &["9", "--words-of", &model]].concat());
    let train = |out: &str, tokens: &str| {
        let out = workspace.text(out);
        succeed(&["train", "--init", &model, "--corpus", &corpus, "--out", &out, "--tokens", tokens]);
        perplexity(out.as_ref())
    };
    // What the network knows it knows as before.
    let (before, after) = (perplexity(&workspace.path("run")), train("begun", "1"));
    assert!((after / before - 1.0).abs() < 0.03, "{before} {after}");
    fs::copy(&zoo, &valid).unwrap();
    succeed(&[&arguments[..], &["9", "--words-of", &model]].concat());
    let (begun, trained) = (train("begun-zoo", "1"), train("trained-zoo", "100000"));
    assert!(trained < 3.0 && begun > 10.0 * trained, "{begun} {trained}");
    // A vocabulary of its own has next to nothing but zebras that the model does not know.
    succeed(&[&arguments[..], &["4"]].concat());
    let own = train("own", "1");
    assert!(own < 2.0 * begun, "{begun} {own}");

    let old = workspace.text("corpus");
    let refused = fail(&[&arguments[..], &["9", "--words-of", &old]].concat());
    assert!(refused.contains("a model file alone"), "{refused}");
}

#[test]
fn the_words_of_a_model_file_are_those_of_its_corpus() {
    let workspace = Workspace::new();
    let words: Vec<String> = ('a'..='z').map(|letter| format!("{letter}ardvark {letter}ardvark Mc{letter} ")).collect();
    let text = format!("{}{}", words.concat(), sentences(500, 3));
    fs::write(workspace.path("text.txt"), text).unwrap();
    fs::write(workspace.path("never.txt"), "water\n").unwrap();
    let [text, never, corpus] = ["text.txt", "never.txt", "corpus"].map(|name| workspace.text(name));
    let arguments = ["corpus", &text, "--language", "en", "--words", "26", "--rare-words", "20", "--out", &corpus];
    succeed(&[&arguments[..], &["--never-offer", &never]].concat());
    let config = workspace.config("config.toml", "lstm", TERNARY, 80);
    workspace.trained(&config, "run");
    let model = workspace.export("run", "model.lm");
    let attributed = workspace.text("of-model");
    succeed(&["corpus", &text, "--language", "en", "--words-of", &model, "--out", &attributed]);

    let columns = |folder: &str, file: &str, columns: &[usize]| -> Vec<Vec<String>> {
        let table = fs::read_to_string(workspace.path(folder).join(file)).unwrap();
        let pick = |line: &str| {
            let fields: Vec<&str> = line.split('\t').collect();
            columns.iter().map(|&column| fields[column].to_owned()).collect()
        };
        table.lines().map(pick).collect()
    };
    let vocabulary = |folder: &str| columns(folder, "vocabulary.tsv", &[0, 2, 3]);
    assert_eq!(vocabulary("corpus"), vocabulary("of-model"));
    assert!(vocabulary("corpus").iter().any(|fields| fields == &["water", "water", "no"]));
    let rare = |folder: &str| columns(folder, "rare_words.tsv", &[0, 2]);
    assert_eq!(rare("corpus"), rare("of-model"));
    let probabilities = |folder: &str| -> f64 {
        let rows = columns(folder, "rare_words.tsv", &[1]);
        rows.iter().skip(1).map(|row| row[0].parse::<f64>().unwrap()).sum()
    };
    let (counted, kept) = (probabilities("corpus"), probabilities("of-model"));
    assert!((kept / counted - 1.0).abs() < 0.01, "{counted} {kept}");
    let tokens = |folder: &str| fs::read(workspace.path(folder).join("train.tokens")).unwrap();
    assert_eq!(tokens("corpus"), tokens("of-model"));

    // The words of the text come beside them.
    fs::write(workspace.path("zoo.txt"), "zebras zebras giraffes giraffes hippos aardvark aardvark aardvark\n")
        .unwrap();
    fs::write(workspace.path("never.txt"), "hippos\ngiraffes\n").unwrap();
    let [zoo, of_zoo] = ["zoo.txt", "zoo"].map(|name| workspace.text(name));
    let arguments = ["corpus", &zoo, "--language", "en", "--words-of", &model, "--out", &of_zoo];
    let refused = fail(&[&arguments[..], &["--never-offer", &never]].concat());
    assert!(refused.contains("--rare-words"), "{refused}");
    succeed(&[&arguments[..], &["--never-offer", &never, "--rare-words", "1"]].concat());
    let (before, mut after) = (rare("corpus"), rare("zoo"));
    let added: Vec<Vec<String>> = after.extract_if(.., |row| !before.contains(row)).collect();
    // What the model has already is not the one.
    assert_eq!(added, [["zebras", "zebras"]]);
    assert_eq!(after, before);
    succeed(&[&arguments[..], &["--rare-words", "0"]].concat());
    assert!(!workspace.path("zoo/rare_words.tsv").exists());

    // What a source list says of words goes for those that it adds.
    let list = format!("language = \"en\"\nnever_offer = [{never:?}]\n[[source]]\npath = {zoo:?}\nweight = 1.0\n");
    fs::write(workspace.path("zoo.toml"), list).unwrap();
    let list = workspace.text("zoo.toml");
    succeed(&["corpus", &list, "--words-of", &model, "--words", "3", "--out", &of_zoo]);
    let zoo = vocabulary("zoo");
    for (word, offered) in [("giraffes", "no"), ("zebras", "yes"), ("water", "no")] {
        assert!(zoo.iter().any(|fields| fields == &[word, word, offered]), "{word}: {zoo:?}");
    }
}

#[test]
fn what_began_with_a_model_file_tells_of_it() {
    let workspace = Workspace::new();
    let list = |name: &str, text: &str, attribution: &str| {
        let list = format!(
            "language = \"en\"\nwords = 30\n[[source]]\npath = {:?}\nweight = 1.0\nattribution = {attribution:?}\n",
            workspace.text(text)
        );
        fs::write(workspace.path(name), list).unwrap();
        workspace.text(name)
    };
    let first = list("first.toml", "train.txt", "the first author, CC-BY-4.0");
    fs::write(workspace.path("mail.txt"), sentences(500, 7)).unwrap();
    let second = list("second.toml", "mail.txt", "the second author, CC0-1.0");
    let [corpus, mail, tuned, again] = ["corpus", "mail", "tuned", "again"].map(|name| workspace.text(name));
    succeed(&["corpus", &first, "--out", &corpus]);
    let config = workspace.config("config.toml", "lstm", TERNARY, 80);
    workspace.trained(&config, "run");
    let model = workspace.export("run", "model.lm");
    // A vocabulary of its own, whose corpus knows nothing of the model.
    succeed(&["corpus", &second, "--out", &mail]);
    succeed(&["train", "--init", &model, "--corpus", &mail, "--out", &tuned, "--tokens", "80"]);
    succeed(&["train", "--corpus", &mail, "--out", &tuned, "--resume"]);
    let config = workspace.config("again.toml", "lstm", &format!("{TERNARY}{NORMALIZED}\nfreeze = 0.0"), 80);
    succeed(&["train", "--config", &config, "--init", &tuned, "--corpus", &mail, "--out", &again]);
    for run in ["tuned", "again"] {
        let exported = [&workspace.exporting(run, "mail", "mail.lm")[..], &["--name".into(), "post".into()]].concat();
        succeed(&exported);
        let card = fs::read_to_string(workspace.path("mail.md")).unwrap();
        for told in [
            "# post: en model",
            "| began with | the model tiny (CC0-1.0) |",
            "the second author",
            "| (before) | - | - | the first author, CC-BY-4.0 |",
        ] {
            assert!(card.contains(told), "{told:?} is missing:\n{card}");
        }
        let info = succeed(&["inspect", &workspace.text("mail.lm")]);
        for told in ["post", "tiny (CC0-1.0)", "the first author", "the second author"] {
            assert!(info.contains(told), "{told:?} is missing:\n{info}");
        }
    }
    // And what began with that tells of both, and of the text of each run before.
    let [post, third, fourth] = ["mail.lm", "third", "fourth"].map(|name| workspace.text(name));
    let train = |from: &str, text: &str, author: &str, out: &str| {
        let list = list("list.toml", text, author);
        succeed(&["corpus", &list, "--words-of", &post, "--out", &format!("{out}-corpus")]);
        let config = ["--config", &config, "--corpus", &format!("{out}-corpus"), "--out", out];
        succeed(&[&["train", "--init", from][..], &config].concat());
    };
    train(&post, "train.txt", "the third author | and others", &third);
    train(&third, "mail.txt", "the fourth author", &fourth);
    let exporting =
        workspace.exporting("fourth", "fourth-corpus", "last.lm").join("\n").replace("CC0-1.0", "CC-BY-4.0");
    let output = run(&exporting.split('\n').collect::<Vec<_>>());
    let warned = String::from_utf8_lossy(&output.stderr);
    assert!(warned.contains("began with post (CC0-1.0)") && warned.contains("CC-BY-4.0"), "{warned}");
    let info = succeed(&["inspect", &workspace.text("last.lm")]);
    let authors = ["the first", "the second", "the third", "the fourth"];
    for told in ["post (CC0-1.0)", "tiny (CC0-1.0)"].into_iter().chain(authors) {
        assert_eq!(info.matches(told).count(), 1, "{told:?} is told once:\n{info}");
    }
    // Two of one name and licence are told as one.
    let named = [&workspace.exporting("fourth", "fourth-corpus", "named.lm")[..], &["--name".into(), "post".into()]];
    succeed(&named.concat());
    let fifth = workspace.text("fifth");
    train(&workspace.text("named.lm"), "mail.txt", "the fifth author", &fifth);
    succeed(&workspace.exporting("fifth", "fifth-corpus", "fifth.lm"));
    let info = succeed(&["inspect", &workspace.text("fifth.lm")]);
    assert_eq!(info.matches("post (CC0-1.0)").count(), 1, "{info}");
    let card = fs::read_to_string(workspace.path("last.md")).unwrap();
    assert!(card.contains("the third author \\| and others"), "{card}");
}

#[test]
fn measures_of_another_model_are_refused() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", TERNARY, 800);
    workspace.trained(&config, "run");
    let exporting = |options: &[&str]| {
        let options = options.iter().map(|option| option.to_string());
        workspace.exporting("run", "corpus", "tiny.lm").into_iter().chain(options).collect::<Vec<_>>()
    };
    succeed(&exporting(&[]));
    let (model, measures) = (workspace.text("tiny.lm"), workspace.text("measures.json"));
    let measured = succeed(&["evaluate", &model, &workspace.text("valid.txt"), "--stream", "--json"]);
    fs::write(&measures, measured).unwrap();
    succeed(&exporting(&["--measures", &measures]));
    let info = succeed(&["inspect", &model]);
    assert!(info.contains("measured_on: valid.txt, lines as one stream"), "{info}");
    let refused = fail(&exporting(&["--measures", &measures, "--damp", "0.5"]));
    assert!(refused.contains("measures.json has the measures of another model"), "{refused}");
}
