//! The log of a run: one JSON object a line, in `log.jsonl`.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::evaluation::{Typing, or_infinite};
use crate::files::replace;

/// The file's name in a run's folder.
const FILE: &str = "log.jsonl";

/// A line of the log.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// The run begins or goes on.
    Start {
        step: u64,
        parameters: usize,
        /// Mean bits of a weight of the recurrent layers.
        #[serde(default)]
        layer_bits: f64,
        device: String,
        version: String,
    },
    /// Training goes on.
    Train {
        step: u64,
        tokens: u64,
        #[serde(deserialize_with = "or_infinite")]
        loss: f64,
        learning_rate: f64,
        #[serde(deserialize_with = "or_infinite")]
        gradient_norm: f64,
        tokens_per_second: f64,
        seconds: f64,
    },
    /// Held-out text was read, its lines as one stream.
    Valid {
        step: u64,
        tokens: u64,
        #[serde(deserialize_with = "or_infinite")]
        loss: f64,
        #[serde(deserialize_with = "or_infinite")]
        perplexity: f64,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        typing: Option<Typing>,
    },
    /// The run is finished.
    End { step: u64, seconds: f64 },
}

impl Event {
    fn step(&self) -> u64 {
        match self {
            Event::Start { step, .. }
            | Event::Train { step, .. }
            | Event::Valid { step, .. }
            | Event::End { step, .. } => *step,
        }
    }
}

/// The lines of the log of a run's folder.
pub fn read_log(folder: &Path) -> Result<Vec<Event>> {
    let path = folder.join(FILE);
    let text = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{}: line {} is damaged", path.display(), number + 1))
    };
    // What has no end is being written, or a crash cut it short.
    let whole = text.rfind('\n').map_or("", |end| &text[..end]);
    whole.lines().enumerate().map(line).collect()
}

/// Appends to a log.
pub struct Log {
    path: PathBuf,
    file: File,
}

impl Log {
    /// Opens the log of a run's folder; lines from behind `step`, which a killed run wrote after its last checkpoint,
    /// are dropped.
    pub fn open(folder: &Path, step: u64) -> Result<Log> {
        let path = folder.join(FILE);
        let old = match fs::read(&path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            read => read.with_context(|| format!("cannot read {}", path.display()))?,
        };
        // A line that a crash left damaged is dropped, too.
        let kept: String = String::from_utf8_lossy(&old)
            .lines()
            .filter(|line| serde_json::from_str::<Event>(line).is_ok_and(|event| event.step() <= step))
            .flat_map(|line| [line, "\n"])
            .collect();
        replace(&path, kept.as_bytes()).with_context(|| format!("cannot write {}", path.display()))?;
        let file = OpenOptions::new().append(true).open(&path);
        Ok(Log { file: file.with_context(|| format!("cannot open {}", path.display()))?, path })
    }

    /// Appends a line.
    pub fn write(&mut self, event: &Event) -> Result<()> {
        let line = serde_json::to_string(event)? + "\n";
        self.file.write_all(line.as_bytes()).with_context(|| format!("cannot write {}", self.path.display()))
    }
}
