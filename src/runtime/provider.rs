//! Execution providers: the names that options use, and the settings of each.

use serde_json::json;

/// An execution provider, which a session runs on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Provider {
    /// ONNX Runtime's own kernels on the processor.
    #[default]
    Cpu,
    /// An NVIDIA GPU.
    Cuda,
    /// Intel's OpenVINO on the processor.
    OpenVino,
}

impl Provider {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cuda, Self::OpenVino];

    /// Returns the name that options and messages use.
    pub fn name(self) -> &'static str {
        match self {
            Self::Cpu => "cpu",
            Self::Cuda => "cuda",
            Self::OpenVino => "openvino",
        }
    }

    /// Returns those of the `built_in` ones that are worth trying where nobody has chosen one, the best first.
    ///
    /// OpenVINO is worth it where the processor computes in bfloat16. In one run each, on two cores, it took 0.50 of the
    /// plain provider's processor time on an Intel Xeon with AMX and 0.65 on an AMD EPYC with AVX-512, both with
    /// bfloat16, and 1.14 on an AMD EPYC without either. See docs/decisions.md.
    pub fn worth_trying(built_in: &[Self]) -> Vec<Self> {
        Self::best_first(built_in, has_bfloat16())
    }

    fn best_first(built_in: &[Self], has_bfloat16: bool) -> Vec<Self> {
        let is_worth_it = |provider: &Self| *provider != Self::OpenVino || has_bfloat16;
        let by_speed = [Self::Cuda, Self::OpenVino, Self::Cpu].into_iter();
        by_speed.filter(|provider| built_in.contains(provider) && is_worth_it(provider)).collect()
    }

    /// Returns the multiple that sides which differ between runs are best rounded up to; 0 where any will do.
    pub(super) fn step(self) -> usize {
        if self == Self::OpenVino { OPENVINO_STEP } else { 0 }
    }
}

/// In pixels. On 19 pages, the first of their process, any width took 1.96 s of processor time a page, steps of 32 took
/// 1.28 and of 64 1.03; on 42 pages steps of 64 and 128 took 1.03 and 1.04. See docs/decisions.md.
const OPENVINO_STEP: usize = 64;

/// Prepared operations that a session of OpenVINO remembers, of which a model has about 100 for each shape. With 300,
/// 1,000 and 5,000 of them 42 pages peaked at 761, 886 and 916 MB, and took the same time.
const OPENVINO_REMEMBERS: usize = 1000;

/// Settings of OpenVINO beyond the provider's own options, as JSON.
pub(super) fn openvino_config() -> String {
    // Its own default where the processor computes with it, which ONNX Runtime's provider leaves out.
    let precision = if has_bfloat16() { "bf16" } else { "f32" };
    // Pinned threads of two sessions would share a core. Each shape that is remembered takes memory, up to gigabytes.
    let processor = json!({
        "INFERENCE_PRECISION_HINT": precision,
        "ENABLE_CPU_PINNING": false,
        "CPU_RUNTIME_CACHE_CAPACITY": OPENVINO_REMEMBERS.to_string(),
    });
    json!({ "CPU": processor }).to_string()
}

fn has_bfloat16() -> bool {
    #[cfg(target_arch = "x86_64")]
    return std::arch::is_x86_feature_detected!("avx512bf16");
    #[cfg(not(target_arch = "x86_64"))]
    false
}

#[cfg(test)]
mod tests {
    use super::Provider::{Cpu, Cuda, OpenVino};
    use super::*;

    #[test]
    fn openvino_is_worth_trying_where_the_processor_has_bfloat16() {
        assert_eq!(Provider::best_first(&Provider::ALL, true), [Cuda, OpenVino, Cpu]);
        assert_eq!(Provider::best_first(&Provider::ALL, false), [Cuda, Cpu]);
        assert_eq!(Provider::best_first(&[Cpu, OpenVino], true), [OpenVino, Cpu]);
        assert_eq!(Provider::best_first(&[OpenVino, Cpu], false), [Cpu]);
        assert_eq!(Provider::worth_trying(&[Cpu]), [Cpu]);
    }
}
