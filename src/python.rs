//! The Python module `ferrocr._core`: thin conversions around the core, which knows nothing of Python.

mod call;
mod catalog;
mod engine;
mod error;
mod frames;
mod host;
mod interpreter;
mod interruptible;
mod named;
mod stats;
mod store;

use std::path::PathBuf;
use std::time::Duration;

use pyo3::buffer::PyBuffer;
use pyo3::prelude::*;

use call::call;

use crate::error::{Error, ErrorKind};
use crate::forks;
use crate::options::DetectOptions;
use crate::runtime::{self, Provider};
use crate::stop::Stop;

/// Returns what `work` returns; no other thread's fork falls into it.
#[pyfunction]
fn in_one_piece<'py>(work: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyAny>> {
    let _inside = call(work.py(), || forks::enter(None, &call::signals))?;
    work.call0()
}

/// Lets no other thread begin such work or a first load until [`end_fork`]. What is under way is waited for, at most so
/// many seconds; False when it goes on then.
#[pyfunction]
fn begin_fork(py: Python<'_>, seconds: f64) -> bool {
    py.detach(|| forks::begin_fork(Duration::try_from_secs_f64(seconds).unwrap_or_default()))
}

/// Ends a fork, on both sides.
#[pyfunction]
fn end_fork() {
    forks::end_fork();
}

/// Loads ONNX Runtime's shared library, once for the process.
#[pyfunction]
fn load_runtime(py: Python<'_>, library: PathBuf) -> PyResult<()> {
    call(py, || runtime::load_runtime(&library))
}

/// Returns the library that is loaded, or None.
#[pyfunction]
fn runtime_path() -> Option<PathBuf> {
    runtime::runtime_path().map(PathBuf::from)
}

/// Returns all providers: name, name for people, the package that has it, the extra that installs that, and the memory
/// in 2**20 bytes that may stay after a release.
#[pyfunction]
fn providers() -> Vec<(&'static str, &'static str, &'static str, &'static str, u32)> {
    let facts = Provider::ALL.map(Provider::facts);
    facts.map(|row| (row.name, row.title, row.package, row.extra, row.most_kept_mb)).to_vec()
}

/// Returns the providers that the loaded library was built with.
#[pyfunction]
fn built_in_providers(py: Python<'_>) -> PyResult<Vec<&'static str>> {
    call(py, || Ok(names_of(&runtime::built_in()?)))
}

/// Returns those of them that are worth trying where nobody has chosen one, the best first.
#[pyfunction]
fn automatic_providers(py: Python<'_>) -> PyResult<Vec<&'static str>> {
    call(py, || Ok(names_of(&Provider::worth_trying(&runtime::built_in()?))))
}

fn names_of(providers: &[Provider]) -> Vec<&'static str> {
    providers.iter().map(|provider| provider.name()).collect()
}

/// Returns the resident memory of this process in bytes, or None where the system does not tell.
#[pyfunction]
fn resident_bytes() -> Option<u64> {
    crate::memory::resident_bytes()
}

/// Returns the text regions of a probability map with rows of `width` values: (score, quad in the map's pixels) each.
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
        let options = DetectOptions::default();
        let options = DetectOptions { doubtful_threshold: options.box_threshold, ..options };
        let found = crate::detect::db::regions(&values, width, &options, &Stop::new())?;
        Ok(found.iter().map(|region| (region.score, engine::raw_quad(&region.quad))).collect())
    })
}

#[pymodule(gil_used = false)]
fn _core(module: &Bound<'_, PyModule>) -> PyResult<()> {
    interpreter::claim(module.py())?;
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add_class::<engine::Engine>()?;
    module.add_class::<frames::Frames>()?;
    module.add_class::<engine::Rules>()?;
    module.add_class::<engine::Reading>()?;
    module.add_class::<engine::Stop>()?;
    module.add_class::<stats::Counters>()?;
    module.add_class::<store::Store>()?;
    module.add_class::<store::Lease>()?;
    module.add_function(wrap_pyfunction!(catalog::entries, module)?)?;
    module.add_function(wrap_pyfunction!(catalog::model_sets, module)?)?;
    module.add_function(wrap_pyfunction!(catalog::recognizer_for, module)?)?;
    module.add_function(wrap_pyfunction!(catalog::language_codes, module)?)?;
    module.add_function(wrap_pyfunction!(store::path_text, module)?)?;
    module.add_function(wrap_pyfunction!(store::cache_folder, module)?)?;
    module.add_function(wrap_pyfunction!(regions_of_map, module)?)?;
    module.add_function(wrap_pyfunction!(in_one_piece, module)?)?;
    module.add_function(wrap_pyfunction!(begin_fork, module)?)?;
    module.add_function(wrap_pyfunction!(end_fork, module)?)?;
    module.add_function(wrap_pyfunction!(load_runtime, module)?)?;
    module.add_function(wrap_pyfunction!(runtime_path, module)?)?;
    module.add_function(wrap_pyfunction!(providers, module)?)?;
    module.add_function(wrap_pyfunction!(built_in_providers, module)?)?;
    module.add_function(wrap_pyfunction!(automatic_providers, module)?)?;
    module.add_function(wrap_pyfunction!(resident_bytes, module)?)?;
    module.add_function(wrap_pyfunction!(catalog::roles, module)?)?;
    // PyO3's list for `import *`, which nobody does. The stub of a typed package would have to repeat it.
    module.delattr("__all__")
}
