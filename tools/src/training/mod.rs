//! Training: network, loss, optimizer, weight transforms, runs.

pub mod adam;
mod batches;
mod cell;
pub mod checkpoint;
pub mod config;
pub mod device;
mod layer;
mod log;
pub mod network;
mod rows;
pub mod run;
mod sampler;
mod softmax;
pub mod transform;
