//! One module a subcommand: arguments, what it prints; the work itself lies elsewhere.

pub mod corpus;
pub mod evaluate;
pub mod export;
pub mod inspect;
pub mod ngram;
pub mod report;
pub mod train;
