//! The command line from text to model file, and what it says when something is wrong.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

fn lm_tools<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lm-tools"));
    command.args(arguments).stdin(Stdio::null());
    command
}

fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    lm_tools(arguments).output().unwrap()
}

fn succeed<S: AsRef<OsStr> + Debug>(arguments: &[S]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn fail<S: AsRef<OsStr> + Debug>(arguments: &[S]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?} {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// A folder with text of a tiny language, prepared as a corpus.
struct Workspace {
    folder: TempDir,
}

impl Workspace {
    fn new() -> Workspace {
        let workspace = Workspace { folder: tempfile::tempdir().unwrap() };
        fs::write(workspace.path("train.txt"), sentences(4000, 1)).unwrap();
        fs::write(workspace.path("valid.txt"), sentences(400, 2)).unwrap();
        succeed(&[
            "corpus",
            &workspace.text("train.txt"),
            "--language",
            "en",
            "--words",
            "40",
            "--valid",
            &workspace.text("valid.txt"),
            "--out",
            &workspace.text("corpus"),
        ]);
        workspace
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    fn config(&self, name: &str, cell: &str, weights: &str, tokens: u64) -> String {
        let config = format!(
            "name = \"tiny\"\n[model]\ncell = \"{cell}\"\nlayers = 1\nunits = 24\nembedding = 16\ntied = true\n\
             [weights]\n{weights}\n[training]\nbatch = 8\nbptt = 10\ntokens = {tokens}\nlearning_rate = 0.01\n\
             warmup = 10\nreset = 0.3\ncheckpoint_minutes = 0.00001\nvalid_runs = 2\n\
             dropout = {{ input = 0.1, output = 0.1 }}\nsoftmax = {{ method = \"sampled\", negatives = 16 }}\n"
        );
        fs::write(self.path(name), config).unwrap();
        self.text(name)
    }

    fn train(&self, config: &str, out: &str, resume: bool) -> Command {
        let (corpus, out) = (self.text("corpus"), self.text(out));
        let mut arguments = vec!["train", "--config", config, "--corpus", &corpus, "--out", &out];
        if resume {
            arguments.push("--resume");
        }
        let mut command = lm_tools(&arguments);
        command.stderr(Stdio::piped());
        command
    }

    fn export(&self, out: &str, model: &str) -> String {
        let model = self.text(model);
        succeed(&[
            "export",
            &self.text(out),
            "--corpus",
            &self.text("corpus"),
            "--licence",
            "CC0-1.0",
            "--out",
            &model,
        ]);
        model
    }
}

/// Lines of a language in which each word leaves few choices for the next.
fn sentences(count: usize, seed: u64) -> String {
    let mut state = seed;
    let mut choose = |words: &[&str]| {
        state = state.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        words[(state >> 33) as usize % words.len()].to_owned()
    };
    let mut text = String::new();
    for _ in 0..count {
        let who = choose(&["I", "we", "the cat", "the dog", "Tom"]);
        let does = choose(&["see", "like", "want", "have"]);
        let what = choose(&["a house", "a garden", "some water", "the red car", "3 apples"]);
        let end = choose(&[".", "!", " today.", " in London."]);
        text += &format!("{who} {does} {what}{end}\n");
    }
    text
}

fn events(folder: &Path) -> Vec<Value> {
    let log = fs::read_to_string(folder.join("log.jsonl")).unwrap_or_default();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Loss or perplexity by step, of lines of the log of one kind.
fn series(folder: &Path, event: &str, key: &str) -> Vec<(u64, f64)> {
    let of_kind = |line: &&Value| line["event"] == event;
    events(folder)
        .iter()
        .filter(of_kind)
        .map(|line| (line["step"].as_u64().unwrap(), line[key].as_f64().unwrap()))
        .collect()
}

fn wait_for(child: &mut Child, what: &str, ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before {what}");
        assert!(start.elapsed() < Duration::from_secs(120), "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

const TERNARY: &str = "embedding = { method = \"linear\", bits = 4 }\ninput = { method = \"ternary\" }\n\
                       recurrent = { method = \"ternary\", per = \"output\" }\nprojection = { method = \"ternary\" }";

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

        let stream = succeed(&["evaluate", &model, &workspace.text("valid.txt"), "--stream", "--no-typist", "--json"]);
        let stream: Value = serde_json::from_str(&stream).unwrap();
        let (by_core, by_trainer) = (
            stream["all"]["perplexity"].as_f64().unwrap(),
            series(&workspace.path(&out), "valid", "perplexity").last().unwrap().1,
        );
        assert!((by_core / by_trainer - 1.0).abs() < 0.03, "{cell}: core {by_core}, trainer {by_trainer}");

        let card = fs::read_to_string(workspace.path("tiny.md")).unwrap();
        assert!(card.contains("CC0-1.0") && card.contains("units = 24"));
        let listing = succeed(&["inspect", &model]);
        assert!(listing.contains("language: en") && listing.contains("24 units"));
        let listing: Value = serde_json::from_str(&succeed(&["inspect", &model, "--json"])).unwrap();
        let bytes = fs::metadata(&model).unwrap().len();
        assert_eq!(listing["bytes"].as_u64(), Some(bytes));
    }
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

    let too_few = fail(&["ngram", &workspace.text("corpus"), "--bytes", "100", "--out", &workspace.text("x.kn")]);
    assert!(too_few.contains("the vocabulary alone takes"), "{too_few}");
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
    assert_eq!(rows[3][3], fs::metadata(&large).unwrap().len().to_string());
    assert!(rows[2][8].contains(" to "), "{table}");
    assert!(fs::read_to_string(&curves).unwrap().contains("n-grams"));

    fs::write(workspace.path("other.txt"), "the cat sat\n").unwrap();
    let other = succeed(&["evaluate", &small, &workspace.text("other.txt"), "--json"]);
    fs::write(workspace.path("small.json"), other).unwrap();
    assert!(fail(&["sizes", &small, &large]).contains("measured on different texts"));
}

const STARTED: &str = "start = 0.5\ninput = { method = \"optimal-ternary\" }\n\
                       recurrent = { method = \"trained-ternary\" }\n[weights.gates.forget]\n\
                       recurrent = { method = \"codebook\", bits = 2 }\n\
                       [normalization]\nmethod = \"batch\"\nfreeze = 0.7";

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
    let curves = fs::read_to_string(curves).unwrap();
    assert!(curves.contains("mixed") && curves.contains("click ratio"));
    assert!(fail(&["report", folders[0], folders[0]]).contains("the same seed"));
}

#[test]
fn a_method_that_needs_trained_weights_says_so() {
    let workspace = Workspace::new();
    let config = workspace.config("config.toml", "lstm", "input = { method = \"optimal-ternary\" }", 1000);
    let output = workspace.train(&config, "run", false).output().unwrap();
    assert!(String::from_utf8_lossy(&output.stderr).contains("weights.start"));
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
    assert!(workspace.train(&config, "whole", false).status().unwrap().success());

    let folder = workspace.path("killed");
    let mut child = workspace.train(&config, "killed", false).spawn().unwrap();
    wait_for(&mut child, "a line of the log", || !series(&folder, "train", "loss").is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(events(&folder).iter().all(|line| line["event"] != "end"));

    let refused = workspace.train(&config, "killed", false).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("--resume"));
    assert!(workspace.train(&config, "killed", true).status().unwrap().success());
    for (event, key) in [("train", "loss"), ("valid", "perplexity")] {
        assert_eq!(series(&folder, event, key), series(&workspace.path("whole"), event, key), "{event}");
    }
}

#[test]
fn a_run_begins_with_the_weights_of_another() {
    let workspace = Workspace::new();
    let float = workspace.config("float.toml", "lstm", "", 60_000);
    assert!(workspace.train(&float, "float", false).status().unwrap().success());
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
fn a_narrower_embedding_begins_with_the_singular_vectors_of_a_wider_one() {
    let workspace = Workspace::new();
    let wide = workspace.config("wide.toml", "lstm", "", 20_000);
    assert!(workspace.train(&wide, "wide", false).status().unwrap().success());
    let text = fs::read_to_string(&wide).unwrap();
    let narrow = |name: &str, width: usize| {
        let narrow =
            text.replace("embedding = 16", &format!("embedding = {width}")).replace("tokens = 20000", "tokens = 80");
        let narrow = narrow.replace("learning_rate = 0.01", "learning_rate = 0.0000001");
        fs::write(workspace.path("narrow.toml"), narrow).unwrap();
        let config = workspace.text("narrow.toml");
        let status = workspace.train(&config, name, false).args(["--init", &workspace.text("wide")]).status().unwrap();
        assert!(status.success());
        series(&workspace.path(name), "valid", "perplexity").last().unwrap().1
    };
    // The language has few words: most of the table is in its first directions.
    let before = series(&workspace.path("wide"), "valid", "perplexity").last().unwrap().1;
    let (most, few) = (narrow("most", 15), narrow("few", 2));
    assert!(most < 1.1 * before && few > 1.3 * before, "{before} {most} {few}");
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
    Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130));
    assert!(String::from_utf8_lossy(&output.stderr).contains("go on with --resume"));
    assert!(folder.join("checkpoint.safetensors").exists());

    // What cannot be gone on with is refused by name.
    let other = workspace.config("other.toml", "gru", "", 100_000_000);
    let refused = workspace.train(&other, "run", true).output().unwrap();
    assert!(String::from_utf8_lossy(&refused.stderr).contains("another config"));
    let bytes = fs::read(folder.join("checkpoint.safetensors")).unwrap();
    fs::write(folder.join("checkpoint.safetensors"), &bytes[..bytes.len() / 2]).unwrap();
    let damaged = workspace.train(&config, "run", true).output().unwrap();
    assert_eq!(damaged.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&damaged.stderr).contains("checkpoint.safetensors is damaged"));
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
    assert!(
        fail(&["export", &path("run"), "--corpus", &out, "--licence", "x", "--out", &path("x.lm")])
            .contains("checkpoint")
    );
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
fn a_student_learns_from_teachers() {
    let workspace = Workspace::new();
    let path = |name: &str| workspace.text(name);
    let config = workspace.config("teacher.toml", "lstm", "", 40_000);
    assert!(workspace.train(&config, "teacher", false).status().unwrap().success());
    succeed(&["ngram", &path("corpus"), "--out", &path("all.kn")]);
    let (network, ngrams) = (format!("{}=0.7", path("teacher")), format!("{}=0.3", path("all.kn")));
    let corpus = path("corpus");
    let distill = |top: &str| {
        let (top, out) = (top.to_owned(), path("soft"));
        let teachers = ["distill", &corpus, "--teacher", &network, "--teacher", &ngrams];
        let options = ["--segment", "1000", "--hints", "--top", &top, "--out", &out];
        teachers.iter().chain(&options).map(|&argument| argument.to_owned()).collect::<Vec<_>>()
    };
    succeed(&distill("4"));

    // Behind `we` or `i` one of four words follows: that is what a record of four words says.
    let rows: Vec<String> = fs::read_to_string(path("corpus/vocabulary.tsv"))
        .unwrap()
        .lines()
        .skip(1)
        .map(|line| line.split('\t').next().unwrap().to_owned())
        .collect();
    let tokens = fs::read(path("corpus/train.tokens")).unwrap();
    let tokens = tokens.chunks_exact(4).map(|row| u32::from_le_bytes(row.try_into().unwrap()) as usize);
    let targets = fs::read(path("soft/targets.bin")).unwrap();
    // Four words, and a hint of 16 elements with its factor.
    let record = 16 + 4 + 16;
    assert_eq!(targets.len(), tokens.len() * record);
    let mut seen = 0;
    for (token, record) in tokens.zip(targets.chunks_exact(record)) {
        let record = &record[..16];
        if ["we", "i"].contains(&rows[token].as_str()) {
            let mut words: Vec<&str> = record
                .chunks_exact(4)
                .map(|word| rows[u32::from_le_bytes([word[0], word[1], word[2], 0]) as usize].as_str())
                .collect();
            words.sort_unstable();
            assert_eq!(words, ["have", "like", "see", "want"]);
            let mass: f64 = record.chunks_exact(4).map(|word| (-f64::from(word[3]) / 16.0).exp()).sum();
            assert!((0.9..1.1).contains(&mass), "{mass}");
            seen += 1;
        }
    }
    assert!(seen > 1000);

    // What was cut off is made again, the same.
    fs::write(path("soft/targets.bin"), &targets[..targets.len() / 2 + 3]).unwrap();
    let config = fs::read_to_string(path("teacher.toml")).unwrap()
        + "distillation = { lambda = 1.0, hint = { weight = 0.1, width = 16 } }\n";
    fs::write(path("student.toml"), config).unwrap();
    let student = |teacher: Option<&str>, out: &str| {
        let fixed = ["train", "--config", &path("student.toml"), "--corpus", &corpus, "--out", &path(out)];
        let teacher = teacher.into_iter().flat_map(|teacher| ["--teacher".to_owned(), path(teacher)]);
        fixed.map(str::to_owned).into_iter().chain(teacher).collect::<Vec<_>>()
    };
    assert!(fail(&student(Some("soft"), "student")).contains("go on with `lm-tools distill`"));
    succeed(&distill("4"));
    assert_eq!(fs::read(path("soft/targets.bin")).unwrap(), targets);
    succeed(&student(Some("soft"), "student"));
    let perplexity = series(&workspace.path("student"), "valid", "perplexity").last().unwrap().1;
    assert!(perplexity < 3.0, "{perplexity}");

    assert!(fail(&student(None, "other")).contains("name the folder of soft targets"));
    assert!(fail(&student(Some("corpus"), "other")).contains("holds no soft targets"));
    assert!(fail(&distill("5")).contains("name another folder with --out"));
    let no_teacher = ["distill", &corpus, "--teacher", &path("train.txt"), "--out", &path("other")];
    assert!(fail(&no_teacher).contains("neither the folder of a run nor an n-gram file"));
}
