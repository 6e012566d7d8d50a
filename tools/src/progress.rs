//! Progress of long work: a bar on a terminal, plain lines elsewhere.

use std::io::IsTerminal;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

/// How often a plain line is printed where there is no terminal.
const LINE_EVERY: Duration = Duration::from_secs(30);

/// Shows how far a piece of work is; several threads may report to one.
pub struct Progress {
    bar: ProgressBar,
    label: String,
    plain: bool,
    last_line: Mutex<Instant>,
}

impl Progress {
    /// Work whose length is known.
    pub fn bar(label: &str, length: u64) -> Progress {
        let template = "{prefix} {wide_bar} {human_pos}/{human_len} {msg} ETA {eta}";
        Progress::new(label, ProgressBar::new(length), template)
    }

    /// Work whose length is not known.
    pub fn spinner(label: &str) -> Progress {
        Progress::new(label, ProgressBar::no_length(), "{prefix} {spinner} {human_pos} lines, {per_sec}")
    }

    fn new(label: &str, bar: ProgressBar, template: &str) -> Progress {
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_prefix(label.to_owned());
        let plain = !std::io::stderr().is_terminal();
        Progress { bar, label: label.to_owned(), plain, last_line: Mutex::new(Instant::now()) }
    }

    /// `count` more units are done.
    pub fn add(&self, count: u64) {
        self.bar.inc(count);
        self.maybe_line(String::new);
    }

    /// `position` units are done; `message` tells more.
    pub fn set(&self, position: u64, message: impl Fn() -> String) {
        self.bar.set_position(position);
        if !self.plain {
            self.bar.set_message(message());
        }
        self.maybe_line(message);
    }

    /// Tells something that stays to be read.
    pub fn line(&self, text: &str) {
        if self.plain {
            note!("{}: {text}", self.label);
        } else {
            self.bar.println(format!("{}: {text}", self.label));
        }
    }

    fn maybe_line(&self, message: impl Fn() -> String) {
        if !self.plain {
            return;
        }
        // Whoever finds the lock taken leaves the line to the thread that has it.
        let Ok(mut last) = self.last_line.try_lock() else { return };
        if last.elapsed() < LINE_EVERY {
            return;
        }
        *last = Instant::now();
        let of = |length| format!("/{length}, ETA {} s", self.bar.eta().as_secs());
        let of = self.bar.length().map_or(String::new(), of);
        note!("{}: {}{of} {}", self.label, self.bar.position(), message());
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.bar.finish_and_clear();
    }
}
