//! What commands print: a full disk is an error as any other, and a reader that has seen enough (`head`) ends a command quietly.

use std::fmt::Arguments;
use std::io::{self, ErrorKind, Write};

use anyhow::{Context, Result};

/// Prints a line, as `println!`, but whether it could be written is returned.
macro_rules! say {
    ($($argument:tt)*) => { $crate::output::line(format_args!($($argument)*)) };
}

/// Tells whoever watches, as `eprintln!`, but where nobody can be told (a full disk, a closed pipe) the work goes on.
macro_rules! note {
    ($($argument:tt)*) => { $crate::output::watcher(format_args!($($argument)*)) };
}

/// What is said where a line could not be written.
const UNWRITTEN: &str = "what is printed could not be written";

/// What [`say!`] calls.
pub fn line(text: Arguments) -> Result<()> {
    writeln!(io::stdout(), "{text}").context(UNWRITTEN)
}

/// What [`note!`] calls.
pub fn watcher(text: Arguments) {
    let _ = writeln!(io::stderr(), "{text}");
}

/// Whether a command failed because nobody reads what it prints any more.
pub fn is_closed(error: &anyhow::Error) -> bool {
    let cause = error.root_cause().downcast_ref::<io::Error>();
    error.to_string() == UNWRITTEN && cause.is_some_and(|error| error.kind() == ErrorKind::BrokenPipe)
}
