//! `lm-tools`: train, quantize, evaluate and export lm-wasm models.

// `note!` and `say!` instead: those that cannot be printed end nothing, or are an error.
#![warn(clippy::print_stderr, clippy::print_stdout)]

#[macro_use]
mod output;

mod card;
mod commands;
mod corpus;
mod corrections;
mod distillation;
mod evaluation;
mod export;
mod files;
mod model_file;
mod ngram;
mod progress;
mod report;
mod threshold;
mod training;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Train, quantize, evaluate and export small language models for lm-wasm
#[derive(Parser)]
#[command(version, max_term_width = 100)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Corpus(commands::corpus::Arguments),
    Correct(commands::correct::Arguments),
    Train(commands::train::Arguments),
    Distill(commands::distill::Arguments),
    Evaluate(commands::evaluate::Arguments),
    Export(commands::export::Arguments),
    Inspect(commands::inspect::Arguments),
    Ngram(commands::ngram::Arguments),
    Report(commands::report::Arguments),
    Sizes(commands::sizes::Arguments),
    Withhold(commands::withhold::Arguments),
}

fn main() -> ExitCode {
    let result = match Cli::parse().command {
        Command::Corpus(arguments) => arguments.run(),
        Command::Correct(arguments) => arguments.run(),
        Command::Train(arguments) => arguments.run(),
        Command::Distill(arguments) => arguments.run(),
        Command::Evaluate(arguments) => arguments.run(),
        Command::Export(arguments) => arguments.run(),
        Command::Inspect(arguments) => arguments.run(),
        Command::Ngram(arguments) => arguments.run(),
        Command::Report(arguments) => arguments.run(),
        Command::Sizes(arguments) => arguments.run(),
        Command::Withhold(arguments) => arguments.run(),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if output::is_closed(&error) => ExitCode::SUCCESS,
        Err(error) => {
            note!("lm-tools: {error:#}");
            ExitCode::FAILURE
        }
    }
}
