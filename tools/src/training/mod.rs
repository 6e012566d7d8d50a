//! Training: network, loss, optimizer, weight transforms, runs.

pub mod adam;
mod augmented;
pub mod batches;
mod cell;
pub mod checkpoint;
pub mod config;
pub mod device;
mod distillation;
mod init;
mod joint;
pub mod layer;
mod learner;
pub mod log;
mod low_rank;
pub mod lsh;
pub mod network;
pub mod norm;
mod of_model;
mod open;
mod rows;
pub mod run;
mod sampler;
pub mod slices;
mod softmax;
mod step;
#[cfg(test)]
mod step_tests;
mod typist;
pub mod weights;
mod wider;
