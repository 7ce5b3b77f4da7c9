//! The Python module `ferrocr._core`: thin conversions around the core, which knows nothing of Python.

mod engine;
mod error;
mod frames;
mod interpreter;
mod interruptible;
mod store;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use crate::error::{Error, ErrorKind, Result};
use crate::options::{DetectOptions, Preset};
use crate::runtime::{self, Provider};
use crate::stop::Stop;

/// Every call into the core: without the interpreter's lock, its error as a Python exception, and a panic as
/// an error too.
fn call<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))).map_err(|error| error::to_python(py, &error))
}

fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = format!("a defect in ferrocr: {}", text.unwrap_or("it gave no reason"));
    Error::new(ErrorKind::Internal, message).with_hint("please report it with the picture or call that caused it")
}

fn provider_of(name: &str) -> Result<Provider> {
    Provider::ALL.into_iter().find(|p| p.name() == name).ok_or_else(|| {
        let message = format!("there is no provider {name:?}; the providers are cpu, cuda and openvino");
        Error::new(ErrorKind::InvalidArgument, message)
    })
}

fn preset_of(name: &str) -> Result<Preset> {
    Preset::ALL.into_iter().find(|preset| preset.name() == name).ok_or_else(|| {
        let names = Preset::ALL.map(Preset::name).join(" and ");
        Error::new(ErrorKind::InvalidArgument, format!("there is no preset {name:?}; the presets are {names}"))
    })
}

/// Loads ONNX Runtime's shared library, once for the process.
#[pyfunction]
fn load_runtime(py: Python<'_>, library: PathBuf) -> PyResult<()> {
    call(py, || runtime::load_runtime(&library))
}

/// The library that is loaded, or None.
#[pyfunction]
fn runtime_path() -> Option<PathBuf> {
    runtime::runtime_path().map(PathBuf::from)
}

/// The providers that the loaded library was built with.
#[pyfunction]
fn built_in_providers(py: Python<'_>) -> PyResult<Vec<&'static str>> {
    call(py, || {
        let mut names = Vec::new();
        for provider in Provider::ALL {
            if provider.is_built_in()? {
                names.push(provider.name());
            }
        }
        Ok(names)
    })
}

/// Resident memory of this process in bytes, or None where the system does not tell.
#[pyfunction]
fn resident_bytes() -> Option<u64> {
    crate::memory::resident_bytes()
}

/// Text regions of a probability map with rows of `width` values: (score, quad in the map's pixels) each.
///
/// For comparing the stage with other implementations.
#[pyfunction]
fn regions_of_map(py: Python<'_>, map: PyBuffer<f32>, width: usize) -> PyResult<Vec<(f32, engine::RawQuad)>> {
    let values = map.to_vec(py)?;
    call(py, || {
        if width == 0 || values.len() % width != 0 {
            let message = format!("{} values are no rows of {width}", values.len());
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let found = crate::detect::db::regions(&values, width, &DetectOptions::default(), &Stop::new())?;
        Ok(found.iter().map(|region| (region.score, engine::raw_quad(&region.quad))).collect())
    })
}

#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::claim(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<engine::Engine>()?;
    module.add_class::<frames::Frames>()?;
    module.add_class::<engine::Reading>()?;
    module.add_class::<engine::Stop>()?;
    module.add_class::<store::Store>()?;
    module.add_class::<store::Lease>()?;
    module.add_class::<store::Protection>()?;
    module.add_function(wrap_pyfunction!(store::entries, module)?)?;
    module.add_function(wrap_pyfunction!(store::model_sets, module)?)?;
    module.add_function(wrap_pyfunction!(store::path_text, module)?)?;
    module.add_function(wrap_pyfunction!(regions_of_map, module)?)?;
    module.add_function(wrap_pyfunction!(load_runtime, module)?)?;
    module.add_function(wrap_pyfunction!(runtime_path, module)?)?;
    module.add_function(wrap_pyfunction!(built_in_providers, module)?)?;
    module.add_function(wrap_pyfunction!(resident_bytes, module)?)?;
    // PyO3's list for `import *`, which nobody does. The stub of a typed package would have to repeat it.
    module.delattr("__all__")
}
