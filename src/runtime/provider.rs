//! Execution providers: one row each.

use serde_json::json;

use super::shapes::Sides;
use crate::error::{Error, ErrorKind, Result};

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

/// A provider's own options by name.
pub(super) type Settings = Vec<(&'static str, String)>;

/// The facts of a provider: a row of [`Provider::facts`].
#[derive(Debug)]
pub struct Facts {
    /// The name that options and messages use.
    pub name: &'static str,
    /// Its name for people.
    pub title: &'static str,
    /// The Python package whose ONNX Runtime has it.
    pub package: &'static str,
    /// The extra of this package that installs it.
    pub extra: &'static str,
    /// Its place among those that are tried where nobody has chosen one; the lowest comes first.
    rank: u8,
    /// True if it is tried then only where the processor computes in bfloat16.
    needs_bfloat16: bool,
    /// True if its sessions share the processor as threads do, so that there may be one for each of many cores. Others
    /// have threads, memory or a device of their own; more than four sessions were not tried there.
    pub shares_processor: bool,
    /// True if a model's head is computed here instead.
    ///
    /// An accelerator has the probabilities in its own memory, and computes the head along with the rest.
    pub takes_heads_off: bool,
    /// True if the best class of each step is picked on the device, where all classes can come out: two numbers a step
    /// are brought over then, and not 18,710 probabilities.
    pub picks_best: bool,
    /// True if it can give back what a large run took. Only tried on the processor: other providers have arenas of
    /// their own, and refuse to shrink one that they lack.
    pub(super) shrinks: bool,
    /// The sides that inputs which differ between runs are best padded to.
    pub sides: Sides,
    /// True if there may be several devices to choose from.
    pub has_devices: bool,
    /// True if it needs libraries that Python packages of their own bring, in places where the system does not look.
    pub needs_libraries: bool,
    /// Its options for so many threads, on this device or the first one.
    pub(super) settings: fn(usize, Option<u32>) -> Settings,
    /// Memory in 2**20 bytes that may stay after the first release beyond that before the first load: the libraries
    /// with their tables (28 MB with ONNX Runtime 1.32), what Python imports for the first picture, and what the C
    /// library keeps in pieces. With the default models that is 36 to 54 MB, and 117 MB with OpenVINO; the models
    /// themselves, if kept, take more than 200. The libraries for a GPU are larger than the bound, and what they keep
    /// is told as a problem too.
    pub most_kept_mb: u32,
}

const CPU: Facts = Facts {
    name: "cpu",
    title: "the processor",
    package: "onnxruntime",
    extra: "cpu",
    rank: 2,
    needs_bfloat16: false,
    shares_processor: true,
    takes_heads_off: true,
    picks_best: false,
    shrinks: true,
    sides: Sides::Any,
    has_devices: false,
    needs_libraries: false,
    settings: |_, _| Vec::new(),
    most_kept_mb: 100,
};

const CUDA: Facts = Facts {
    name: "cuda",
    title: "CUDA",
    package: "onnxruntime-gpu",
    extra: "gpu",
    rank: 0,
    needs_bfloat16: false,
    shares_processor: false,
    takes_heads_off: false,
    picks_best: true,
    shrinks: false,
    sides: Sides::Few,
    has_devices: true,
    needs_libraries: true,
    settings: |_, device| cuda_settings(device),
    most_kept_mb: 100,
};

const OPENVINO: Facts = Facts {
    name: "openvino",
    title: "OpenVINO",
    package: "onnxruntime-openvino",
    extra: "openvino",
    rank: 1,
    // In one run each, on two cores, it took 0.50 of the plain provider's processor time on an Intel Xeon
    // with AMX and 0.65 on an AMD EPYC with AVX-512, both with bfloat16, and 1.14 on an AMD EPYC without
    // either. See docs/decisions.md.
    needs_bfloat16: true,
    shares_processor: false,
    takes_heads_off: true,
    picks_best: false,
    shrinks: false,
    // In pixels. On 19 pages, the first of their process, any width took 1.96 s of processor time a page,
    // steps of 32 took 1.28 and of 64 1.03; on 42 pages steps of 64 and 128 took 1.03 and 1.04. See
    // docs/decisions.md.
    sides: Sides::Steps(64),
    has_devices: false,
    needs_libraries: false,
    settings: |threads, _| openvino_settings(threads),
    most_kept_mb: 160,
};

impl Provider {
    /// All of them, the default first.
    pub const ALL: [Self; 3] = [Self::Cpu, Self::Cuda, Self::OpenVino];

    /// Returns the provider's row.
    pub fn facts(self) -> &'static Facts {
        match self {
            Self::Cpu => &CPU,
            Self::Cuda => &CUDA,
            Self::OpenVino => &OPENVINO,
        }
    }

    /// Returns the name that options and messages use.
    pub fn name(self) -> &'static str {
        self.facts().name
    }

    /// Returns those of the `built_in` ones that are worth trying where nobody has chosen one, the best first.
    pub fn worth_trying(built_in: &[Self]) -> Vec<Self> {
        Self::best_first(built_in, has_bfloat16())
    }

    /// Refuses the choice of a device where none of the providers has any to choose from.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`].
    pub fn check_device(providers: &[Self], device: Option<u32>) -> Result<()> {
        let Some(device) = device else { return Ok(()) };
        if providers.iter().any(|provider| provider.facts().has_devices) {
            return Ok(());
        }
        let names = providers.iter().map(|provider| provider.name()).collect::<Vec<_>>().join(" or ");
        let with: Vec<_> = Self::ALL.into_iter().filter(|one| one.facts().has_devices).map(Self::name).collect();
        let message = format!("device_id={device} chooses a device, and the provider {names} has none to choose from");
        let hint = format!("leave it out, or take a provider that has devices: {}", with.join(", "));
        Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(hint))
    }

    fn best_first(built_in: &[Self], has_bfloat16: bool) -> Vec<Self> {
        let mut worth = built_in.to_vec();
        worth.retain(|provider| has_bfloat16 || !provider.facts().needs_bfloat16);
        worth.sort_by_key(|provider| provider.facts().rank);
        worth
    }
}

fn cuda_settings(device: Option<u32>) -> Settings {
    let mut settings = vec![
        // The exhaustive search, its default, took 1.2 to 2.9 s for a strip on an H200, and this one 0.4. The run
        // itself took 3 and 2.5 ms, and 80 to 90 without any search.
        ("cudnn_conv_algo_search", "HEURISTIC".to_owned()),
        // Each session has memory of its own, and there is one for each shape: it would be doubled whenever it grows.
        ("arena_extend_strategy", "kSameAsRequested".to_owned()),
    ];
    settings.extend(device.map(|device| ("device_id", device.to_string())));
    settings
}

/// Prepared operations that a session of OpenVINO remembers, of which a model has about 100 for each shape. With 300,
/// 1,000 and 5,000 of them 42 pages peaked at 761, 886 and 916 MB, and took the same time.
const OPENVINO_REMEMBERS: usize = 1000;

fn openvino_settings(threads: usize) -> Settings {
    // Its own default where the processor computes with it, which ONNX Runtime's provider leaves out.
    let precision = if has_bfloat16() { "bf16" } else { "f32" };
    // Pinned threads of two sessions would share a core. Each shape that is remembered takes memory, up to gigabytes.
    let processor = json!({
        "INFERENCE_PRECISION_HINT": precision,
        "ENABLE_CPU_PINNING": false,
        "CPU_RUNTIME_CACHE_CAPACITY": OPENVINO_REMEMBERS.to_string(),
    });
    vec![
        ("device_type", "CPU".to_owned()),
        ("num_of_threads", threads.to_string()),
        // Settings beyond the provider's own options.
        ("load_config", json!({ "CPU": processor }).to_string()),
    ]
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
    fn a_device_can_be_chosen_where_there_are_devices() {
        assert!(cuda_settings(Some(3)).contains(&("device_id", "3".to_owned())));
        assert!(cuda_settings(None).iter().all(|(key, _)| *key != "device_id"));
        Provider::check_device(&[Cuda, Cpu], Some(1)).unwrap();
        Provider::check_device(&[Cpu], None).unwrap();
        let error = Provider::check_device(&[OpenVino, Cpu], Some(1)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidArgument);
        let text = error.to_string();
        assert!(text.contains("device_id=1") && text.contains("openvino or cpu") && text.contains("cuda"), "{text}");
    }

    #[test]
    fn openvino_is_worth_trying_where_the_processor_has_bfloat16() {
        assert_eq!(Provider::best_first(&Provider::ALL, true), [Cuda, OpenVino, Cpu]);
        assert_eq!(Provider::best_first(&Provider::ALL, false), [Cuda, Cpu]);
        assert_eq!(Provider::best_first(&[Cpu, OpenVino], true), [OpenVino, Cpu]);
        assert_eq!(Provider::best_first(&[OpenVino, Cpu], false), [Cpu]);
        assert_eq!(Provider::worth_trying(&[Cpu]), [Cpu]);
    }
}
