//! One module a subcommand: arguments, what it prints; the work itself lies elsewhere.

pub mod corpus;
pub mod correct;
pub mod distill;
pub mod evaluate;
pub mod export;
pub mod inspect;
pub mod ngram;
pub mod report;
pub mod sizes;
pub mod train;
pub mod withhold;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Result;

/// What a program ends with that Ctrl+C ended.
pub const INTERRUPTED: u8 = 130;

/// Set by the first Ctrl+C, of which a line tells what is done then; a second one ends the program at once.
fn interrupted(what: &'static str) -> Result<Arc<AtomicBool>> {
    let interrupted = Arc::new(AtomicBool::new(false));
    let flag = interrupted.clone();
    ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(INTERRUPTED.into());
        }
        note!("interrupted: {what}");
    })?;
    Ok(interrupted)
}
