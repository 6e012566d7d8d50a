//! Where to compute.

use anyhow::{Result, bail};
use burn::tensor::Device;

/// A device by name.
pub struct ComputeDevice {
    pub name: String,
    pub device: Device,
    /// Whether cells run fused over slices of the device's memory.
    pub fused: bool,
}

impl ComputeDevice {
    /// `flex` (the CPU), `wgpu` or `cuda`.
    pub fn by_name(name: &str) -> Result<ComputeDevice> {
        let (device, fused) = match name {
            "flex" => (Device::flex(), true),
            #[cfg(feature = "wgpu")]
            "wgpu" => (Device::wgpu(burn::tensor::DeviceKind::DefaultDevice), false),
            #[cfg(feature = "cuda")]
            "cuda" => (Device::cuda(0), false),
            #[cfg(not(feature = "wgpu"))]
            "wgpu" => return Err(not_built(name)),
            #[cfg(not(feature = "cuda"))]
            "cuda" => return Err(not_built(name)),
            other => bail!("{other:?} is no device: flex (the CPU), wgpu or cuda"),
        };
        Ok(ComputeDevice { name: name.to_owned(), device, fused })
    }
}

#[cfg(not(all(feature = "wgpu", feature = "cuda")))]
fn not_built(name: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "this lm-tools was built without {name}: build it with cargo build --release -p lm-tools --features {name}"
    )
}
