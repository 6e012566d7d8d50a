//! What the benchmarks time inside a browser: the kernels by themselves, and a model of any size without the text around
//! it. `benches/core.mjs` calls it in batches, so that the call from JavaScript does not count.

mod kernel;
mod network;
mod synthetic;

pub use kernel::{Kernel, Stream, spin};
pub use network::Core;
