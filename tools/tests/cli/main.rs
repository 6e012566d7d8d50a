//! The command line from text to model file, and what it says when something is wrong.

mod adapt;
mod correct;
mod init;
mod models;
mod students;
mod training;
mod withhold;
mod workspace;
