//! Where to compute.

use std::panic::{AssertUnwindSafe, catch_unwind};

use anyhow::{Result, bail, ensure};
use burn::tensor::{Device, Tensor};

/// A device by name.
pub struct ComputeDevice {
    pub name: String,
    pub device: Device,
    /// Whether cells run fused over slices of the device's memory.
    pub fused: bool,
}

impl ComputeDevice {
    /// `flex` (the CPU), `wgpu`, `cuda`, or one of [`libtorch`].
    pub fn by_name(name: &str) -> Result<ComputeDevice> {
        if let Some((_, device)) = libtorch().into_iter().find(|(known, _)| *known == name) {
            return ComputeDevice { name: name.to_owned(), device, fused: false }.in_reach();
        }
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
            #[cfg(not(feature = "libtorch"))]
            "libtorch" | "libtorch-cpu" => return Err(not_built("libtorch")),
            other => bail!("{other:?} is no device: flex (the CPU), wgpu, cuda, libtorch or libtorch-cpu"),
        };
        ComputeDevice { name: name.to_owned(), device, fused }.in_reach()
    }

    /// Refuses a device that is not there, which is noticed at its first use.
    fn in_reach(self) -> Result<ComputeDevice> {
        let usable = || catch_unwind(AssertUnwindSafe(|| Tensor::<1>::ones([1], &self.device).into_data())).is_ok();
        ensure!(
            self.fused || usable(),
            "{} cannot be used here (see above): leave --device out to compute on the CPU, or see \"Devices\" in docs/training.md",
            self.name
        );
        Ok(self)
    }
}

/// Whether a device adds many rows to few at once, as LibTorch does; CubeCL's kernel takes them one by one.
pub fn scatters_at_once(device: &Device) -> bool {
    libtorch().iter().any(|(_, known)| known == device)
}

/// LibTorch's devices, by name: the first CUDA GPU and the CPU. burn will drop them one day; on an H100 wgpu came nowhere near
/// them (docs/performance.md).
#[cfg(feature = "libtorch")]
#[expect(deprecated, reason = "see above")]
pub fn libtorch() -> [(&'static str, Device); 2] {
    [("libtorch", Device::libtorch_cuda(0)), ("libtorch-cpu", Device::libtorch())]
}

#[cfg(not(feature = "libtorch"))]
pub fn libtorch() -> [(&'static str, Device); 0] {
    []
}

#[cfg(not(all(feature = "wgpu", feature = "cuda", feature = "libtorch")))]
fn not_built(name: &str) -> anyhow::Error {
    anyhow::anyhow!(
        "this lm-tools was built without {name}: build it with cargo build --release -p lm-tools --features {name}"
    )
}
