//! ONNX Runtime: the only file that names `ort`.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock};

use ort::environment::Environment;
use ort::ep::{self, ArbitrarilyConfigurableExecutionProvider, ExecutionProvider, ExecutionProviderDispatch};
use ort::logging::LogLevel;
use ort::session::builder::{GraphOptimizationLevel, SessionBuilder};
use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::{Outlet, TensorElementType, TensorRef};

use super::model::{Element, Model, ModelSpec, Named, Port, ReadOutputs, Value};
use super::provider::Provider;
use crate::buffer;
use crate::error::{Error, ErrorKind, Result};
use crate::onnx::check_size;
use crate::stop::Stop;

struct Runtime {
    path: PathBuf,
    // Kept for the process: ONNX Runtime allows one environment and no second one after it.
    environment: Environment,
}

static RUNTIME: OnceLock<Runtime> = OnceLock::new();
static LOADING: Mutex<()> = Mutex::new(());

/// Loads ONNX Runtime's shared library, once for the process. Later calls keep the library that is there.
///
/// Set `ORT_DISABLE_TELEMETRY=1` in the environment before the first call: from 1.29 on, the official builds otherwise
/// write a device id and start a thread here, and their API for turning that off comes too late.
///
/// # Errors
/// [`ErrorKind::RuntimeUnavailable`] when the file is no ONNX Runtime library of version 1.23 or later.
pub fn load_runtime(library: &Path) -> Result<()> {
    // A panic of another loader left nothing behind that this one could trip over.
    let _one_at_a_time = LOADING.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if RUNTIME.get().is_some() {
        return Ok(());
    }
    let unusable = |error: &dyn std::fmt::Display| {
        let message = format!("cannot use {} as ONNX Runtime: {error}", library.display());
        Error::new(ErrorKind::RuntimeUnavailable, message)
            .with_hint("install ONNX Runtime 1.23 or later, for example with: pip install \"ferrocr[cpu]\"")
    };
    let builder = ort::init_from(library).map_err(|error| unusable(&error))?;
    let environment = builder.with_name("ferrocr").with_telemetry(false).build().map_err(|error| unusable(&error))?;
    // It would print what its errors say too, and what is none of a caller's business.
    environment.set_log_level(LogLevel::Fatal);
    // Nobody else sets it while LOADING is held.
    let _ = RUNTIME.set(Runtime { path: library.to_path_buf(), environment });
    Ok(())
}

/// Returns the library that [`load_runtime`] loaded.
pub fn runtime_path() -> Option<&'static Path> {
    RUNTIME.get().map(|runtime| runtime.path.as_path())
}

/// Returns the providers that the loaded library was built with. Their drivers may still be missing.
///
/// # Errors
/// [`ErrorKind::RuntimeUnavailable`] before [`load_runtime`].
pub fn built_in() -> Result<Vec<Provider>> {
    runtime()?;
    let mut providers = Vec::new();
    for provider in Provider::ALL {
        let (is_there, _) = in_ort(SessionOptions { threads: 1, provider, device: None, keep: Keep::All });
        if is_there().map_err(|error| refused("cannot list the runtime's providers", &error))? {
            providers.push(provider);
        }
    }
    Ok(providers)
}

fn runtime() -> Result<&'static Runtime> {
    RUNTIME.get().ok_or_else(|| {
        Error::new(ErrorKind::RuntimeUnavailable, "ONNX Runtime is not loaded").with_hint("call load_runtime first")
    })
}

fn refused(what: &str, error: &ort::Error) -> Error {
    // The runtime's own text; its type cannot cross threads.
    let (text, message) = (error.to_string(), format!("{what}: {error}"));
    // It has no code of its own for that.
    if ["Failed to allocate memory", "bad_alloc", "bad allocation"].iter().any(|sign| text.contains(sign)) {
        return Error::new(ErrorKind::OutOfMemory, message).with_hint(buffer::HINT);
    }
    Error::new(ErrorKind::Inference, message)
}

/// Options of a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionOptions {
    /// Threads of one run, the caller's included.
    pub threads: usize,
    /// The provider that it runs on.
    pub provider: Provider,
    /// The provider's device, where it has several; `None` for the first one.
    pub device: Option<u32>,
    /// The memory of a run that is kept for the next one.
    pub keep: Keep,
}

/// The memory of a run that a session keeps for its next one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Keep {
    /// All of it: for inputs that are bounded.
    All,
    /// All of it after runs on at most so many elements; after a larger one what is not in use is given back.
    UpTo(usize),
    /// Nothing: every tensor is allocated anew, which is slower.
    Nothing,
}

/// A model in ONNX Runtime.
pub struct OrtModel {
    spec: ModelSpec,
    session: Session,
    /// Runs on more elements give memory back.
    shrink_above: Option<usize>,
}

impl OrtModel {
    /// Makes a session from a model's bytes; [`crate::onnx::flush_denormals`] has conditioned them. Ends early when
    /// `stop` fires, at the next step of the runtime that can end: one that computes a constant cannot.
    ///
    /// # Errors
    /// [`ErrorKind::Inference`] when the runtime refuses it, what [`crate::onnx::check_size`] returns, and what
    /// [`Stop::check`] returns.
    pub fn from_bytes(name: &str, bytes: &[u8], options: SessionOptions, stop: &Stop) -> Result<Self> {
        let failed = |error: &ort::Error| {
            let refused = || refused(&format!("ONNX Runtime does not load {name}"), error);
            stop.check().err().unwrap_or_else(refused)
        };
        check_size(bytes).map_err(|error| error.named(name))?;
        let mut builder = builder(&runtime()?.environment, options).map_err(|error| failed(&error))?;
        let canceler = builder.canceler();
        // Its error would say that there is nothing to end.
        let _watch = stop.watch(move || drop(canceler.cancel()))?;
        let session = builder.commit_from_memory(bytes).map_err(|error| failed(&error))?;
        let characters = session.metadata().map_err(|error| failed(&error))?.custom("character");
        let spec = ModelSpec {
            name: name.to_owned(),
            inputs: session.inputs().iter().map(port).collect(),
            outputs: session.outputs().iter().map(port).collect(),
            characters,
            sides: options.provider.facts().sides,
        };
        let shrink_above = match options.keep {
            Keep::UpTo(elements) if options.provider.facts().shrinks => Some(elements),
            _ => None,
        };
        Ok(Self { spec, session, shrink_above })
    }

    fn run_options(&self, elements: usize) -> ort::Result<RunOptions> {
        let mut options = RunOptions::new()?;
        if self.shrink_above.is_some_and(|most| elements > most) {
            options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
        }
        Ok(options)
    }

    /// Takes the characters from a list beside the file where the file itself has none.
    #[must_use]
    pub fn with_characters(mut self, list: Option<&str>) -> Self {
        self.spec.characters = self.spec.characters.or_else(|| list.map(str::to_owned));
        self
    }
}

fn builder(environment: &Environment, options: SessionOptions) -> ort::Result<SessionBuilder> {
    let builder = Session::builder(environment)?
        // Failures are returned, and are not to be printed as well.
        .with_log_level(LogLevel::Fatal)?
        .with_optimization_level(GraphOptimizationLevel::All)?
        .with_intra_threads(options.threads)?
        // Pictures and lines differ in size: a plan made for one shape serves no other and only holds memory.
        .with_memory_pattern(false)?
        // Spinning workers burn a core between the calls of a mostly idle service.
        .with_intra_op_spinning(false)?;
    // Last in any case: it runs what the others cannot.
    let mut providers = vec![in_ort(SessionOptions { provider: Provider::Cpu, ..options }).1];
    if options.provider != Provider::Cpu {
        providers.insert(0, in_ort(options).1.error_on_failure());
    }
    Ok(builder.with_execution_providers(providers)?)
}

/// Asks the loaded library whether it has a provider.
type IsThere = fn() -> ort::Result<bool>;

/// Returns the provider of the options as `ort` has it.
fn in_ort(options: SessionOptions) -> (IsThere, ExecutionProviderDispatch) {
    match options.provider {
        Provider::Cpu => {
            let processor = ep::CPU::default().with_arena_allocator(options.keep != Keep::Nothing);
            (ep::CPU::is_available, processor.build())
        }
        Provider::Cuda => with_settings::<ep::CUDA>(options),
        Provider::OpenVino => with_settings::<ep::OpenVINO>(options),
    }
}

fn with_settings<P>(options: SessionOptions) -> (IsThere, ExecutionProviderDispatch)
where
    P: ExecutionProvider + ArbitrarilyConfigurableExecutionProvider + Default + Into<ExecutionProviderDispatch>,
{
    let settings = (options.provider.facts().settings)(options.threads, options.device);
    let set = |provider: P, (key, value)| provider.with_arbitrary_config(key, value);
    (P::is_available, settings.into_iter().fold(P::default(), set).into())
}

fn port(outlet: &Outlet) -> Port {
    let shape =
        outlet.dtype().tensor_shape().map(|shape| shape.iter().map(|&side| usize::try_from(side).ok()).collect());
    Port {
        name: outlet.name().to_owned(),
        shape: shape.unwrap_or_default(),
        element: match outlet.dtype().tensor_type() {
            Some(TensorElementType::Float32) => Element::F32,
            _ => Element::Other,
        },
    }
}

impl Model for OrtModel {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let name = &self.spec.name;
        let failed = |error: &ort::Error| {
            refused(&format!("ONNX Runtime failed to run {name} on {}", shapes_text(inputs)), error)
        };
        let elements = inputs.iter().filter_map(Named::tensor).map(|tensor| tensor.data.len()).sum();
        // New ones each time: those that were terminated once stay so.
        let options = Arc::new(self.run_options(elements).map_err(|error| failed(&error))?);
        let ending = Arc::clone(&options);
        // Its error would say that there is nothing to end.
        let _watch = stop.watch(move || drop(ending.terminate()))?;
        let given = inputs.iter().map(input).collect::<ort::Result<Vec<_>>>().map_err(|error| failed(&error))?;
        let outputs = self.session.run_with_options(given, &options);
        let outputs = outputs.map_err(|error| stop.check().err().unwrap_or_else(|| failed(&error)))?;
        stop.check()?;
        let floats = self.spec.outputs.iter().enumerate().filter(|(_, port)| port.element == Element::F32);
        let tensors = floats.map(|(index, port)| {
            let (shape, data) = outputs[index].try_extract_tensor::<f32>()?;
            let shape: Vec<usize> = shape.iter().map(|&side| usize::try_from(side).unwrap_or(0)).collect();
            Ok((port.name.as_str(), shape, data))
        });
        let tensors: Vec<_> = tensors.collect::<ort::Result<_>>().map_err(|error| failed(&error))?;
        let lent: Vec<_> = tensors.iter().map(|(name, shape, data)| Named::f32(name, shape, data)).collect();
        read(&lent)
    }
}

/// Returns an input as the runtime takes it; nothing is copied.
fn input<'a>(input: &Named<'a>) -> ort::Result<(&'a str, SessionInputValue<'a>)> {
    match input.value {
        Value::F32(tensor) => Ok((input.name, TensorRef::from_array_view((tensor.shape, tensor.data))?.into())),
    }
}

/// Names the shapes of inputs.
fn shapes_text(inputs: &[Named<'_>]) -> String {
    let shapes: Vec<_> = inputs.iter().filter_map(Named::tensor).map(|tensor| tensor.shape).collect();
    match shapes.as_slice() {
        [shape] => format!("an input of shape {shape:?}"),
        shapes => format!("inputs of shapes {shapes:?}"),
    }
}
