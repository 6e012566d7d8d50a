//! Teachers and students.

use std::fs;

use crate::workspace::{TERNARY, Workspace, fail, perplexity, series, succeed, wait_for};

#[test]
fn a_student_learns_from_teachers() {
    let workspace = Workspace::new();
    let path = |name: &str| workspace.text(name);
    let config = workspace.config("teacher.toml", "lstm", "", 40_000);
    workspace.trained(&config, "teacher");
    succeed(&["ngram", &path("corpus"), "--out", &path("all.kn")]);
    let (network, ngrams) = (format!("{}=0.7", path("teacher")), format!("{}=0.3", path("all.kn")));
    let corpus = path("corpus");
    let distill = |top: &str| {
        let (top, out) = (top.to_owned(), path("soft"));
        let teachers = ["distill", &corpus, "--teacher", &network, "--teacher", &ngrams];
        let options = ["--segment", "10000", "--hints", "--top", &top, "--out", &out];
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
    let perplexity = perplexity(&workspace.path("student"));
    assert!(perplexity < 3.0, "{perplexity}");

    assert!(fail(&student(None, "other")).contains("name the folder of soft targets"));
    assert!(fail(&student(Some("corpus"), "other")).contains("holds no soft targets"));
    assert!(fail(&distill("5")).contains("name another folder with --out"));
    let no_teacher = ["distill", &corpus, "--teacher", &path("train.txt"), "--out", &path("other")];
    assert!(fail(&no_teacher).contains("neither the folder of a run nor an n-gram file"));
}

#[test]
fn a_teacher_learns_beside_its_student() {
    let workspace = Workspace::new();
    workspace.config("teacher.toml", "gru", "", 1000);
    let config = workspace.config("student.toml", "lstm", TERNARY, 40_000);
    let joint = "distillation = { lambda = 1.0 }\n[training.joint]\nteacher = \"teacher.toml\"\ntop = 4\n";
    fs::write(&config, fs::read_to_string(&config).unwrap() + joint).unwrap();
    workspace.trained(&config, "whole");
    let perplexity = perplexity(&workspace.path("whole"));
    assert!(perplexity < 3.5, "{perplexity}");
    workspace.export("whole", "student.lm");

    // Both go on where they were.
    let folder = workspace.path("killed");
    let mut child = workspace.train(&config, "killed", false).spawn().unwrap();
    wait_for(&mut child, "a line of the log", || !series(&folder, "train", "loss").is_empty());
    child.kill().unwrap();
    child.wait().unwrap();
    assert!(workspace.train(&config, "killed", true).status().unwrap().success());
    for (event, key) in [("train", "loss"), ("valid", "perplexity")] {
        assert_eq!(series(&folder, event, key), series(&workspace.path("whole"), event, key), "{event}");
    }

    let two = workspace.train(&config, "two", false).args(["--teacher", &workspace.text("whole")]).output().unwrap();
    assert!(String::from_utf8_lossy(&two.stderr).contains("--teacher contradicts training.joint"));
}
