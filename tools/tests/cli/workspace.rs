//! The command line and a corpus to try it on.

use std::ffi::OsStr;
use std::fmt::Debug;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;
use tempfile::TempDir;

pub fn lm_tools<S: AsRef<OsStr>>(arguments: &[S]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lm-tools"));
    command.args(arguments).stdin(Stdio::null());
    command
}

pub fn run<S: AsRef<OsStr>>(arguments: &[S]) -> Output {
    lm_tools(arguments).output().unwrap()
}

pub fn succeed<S: AsRef<OsStr> + Debug>(arguments: &[S]) -> String {
    let output = run(arguments);
    assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

pub fn fail<S: AsRef<OsStr> + Debug>(arguments: &[S]) -> String {
    let output = run(arguments);
    assert_eq!(output.status.code(), Some(1), "{arguments:?} {}", String::from_utf8_lossy(&output.stdout));
    String::from_utf8(output.stderr).unwrap()
}

/// A folder with text of a tiny language, prepared as a corpus.
pub struct Workspace {
    folder: TempDir,
}

impl Workspace {
    pub fn new() -> Workspace {
        let workspace = Workspace { folder: tempfile::tempdir().unwrap() };
        fs::write(workspace.path("train.txt"), sentences(4000, 1)).unwrap();
        fs::write(workspace.path("valid.txt"), sentences(400, 2)).unwrap();
        workspace.prepare(40, "corpus");
        workspace
    }

    /// Prepares the text as a corpus of so many words.
    pub fn prepare(&self, words: usize, out: &str) {
        let [train, valid, out] = ["train.txt", "valid.txt", out].map(|name| self.text(name));
        let words = words.to_string();
        succeed(&["corpus", &train, "--language", "en", "--words", &words, "--valid", &valid, "--out", &out]);
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn text(&self, name: &str) -> String {
        self.path(name).to_string_lossy().into_owned()
    }

    pub fn config(&self, name: &str, cell: &str, weights: &str, tokens: u64) -> String {
        let config = format!(
            "name = \"tiny\"\n[model]\ncell = \"{cell}\"\nlayers = 1\nunits = 24\nembedding = 16\ntied = true\n\
             [weights]\n{weights}\n[training]\nbatch = 8\nbptt = 10\ntokens = {tokens}\nlearning_rate = 0.01\n\
             warmup = 10\nreset = 0.3\ncheckpoint_minutes = 0.00001\nvalid_runs = 2\n\
             dropout = {{ input = 0.1, output = 0.1 }}\nsoftmax = {{ method = \"sampled\", negatives = 16 }}\n"
        );
        fs::write(self.path(name), config).unwrap();
        self.text(name)
    }

    /// Trains to the end.
    pub fn trained(&self, config: &str, out: &str) {
        let output = self.train(config, out, false).output().unwrap();
        assert!(output.status.success(), "{config}: {}", String::from_utf8_lossy(&output.stderr));
    }

    pub fn train(&self, config: &str, out: &str, resume: bool) -> Command {
        let (corpus, out) = (self.text("corpus"), self.text(out));
        let mut arguments = vec!["train", "--config", config, "--corpus", &corpus, "--out", &out];
        if resume {
            arguments.push("--resume");
        }
        let mut command = lm_tools(&arguments);
        command.stderr(Stdio::piped());
        command
    }

    pub fn export(&self, out: &str, model: &str) -> String {
        succeed(&self.exporting(out, "corpus", model));
        self.text(model)
    }

    /// The arguments that export a run with a corpus.
    pub fn exporting(&self, out: &str, corpus: &str, model: &str) -> Vec<String> {
        let [out, corpus, model] = [out, corpus, model].map(|name| self.text(name));
        ["export", &out, "--corpus", &corpus, "--licence", "CC0-1.0", "--out", &model].map(str::to_owned).to_vec()
    }
}

/// Lines of a language in which each word leaves few choices for the next.
pub fn sentences(count: usize, seed: u64) -> String {
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

pub fn events(folder: &Path) -> Vec<Value> {
    let log = fs::read_to_string(folder.join("log.jsonl")).unwrap_or_default();
    log.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// Loss or perplexity by step, of lines of the log of one kind.
pub fn series(folder: &Path, event: &str, key: &str) -> Vec<(u64, f64)> {
    let of_kind = |line: &&Value| line["event"] == event;
    events(folder)
        .iter()
        .filter(of_kind)
        .map(|line| (line["step"].as_u64().unwrap(), line[key].as_f64().unwrap()))
        .collect()
}

/// The perplexity of held-out text when a run ended.
pub fn perplexity(folder: &Path) -> f64 {
    series(folder, "valid", "perplexity").last().unwrap().1
}

pub fn wait_for(child: &mut Child, what: &str, ready: impl Fn() -> bool) {
    let start = Instant::now();
    while !ready() {
        assert!(child.try_wait().unwrap().is_none(), "the run ended before {what}");
        assert!(start.elapsed() < Duration::from_secs(120), "{what} did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Weights of few bits.
pub const TERNARY: &str = "embedding = { method = \"linear\", bits = 4 }\ninput = { method = \"ternary\" }\n\
                       recurrent = { method = \"ternary\", per = \"output\" }\nprojection = { method = \"ternary\" }";
