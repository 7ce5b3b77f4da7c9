//! Calls into the core, and out of it.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;

use super::error;
use crate::error::{Error, ErrorKind, Result};

/// Makes a call into the core: without the interpreter's lock, its error as a Python exception, and a panic as
/// an error too.
pub(super) fn call<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T> + Send) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    outcome.unwrap_or_else(|panic| Err(panicked(panic.as_ref()))).map_err(|error| error::to_python(py, &error))
}

pub(super) fn panicked(panic: &(dyn std::any::Any + Send)) -> Error {
    let text = panic.downcast_ref::<&str>().copied().or_else(|| panic.downcast_ref::<String>().map(String::as_str));
    let message = format!("a defect in ferrocr: {}", text.unwrap_or("it gave no reason"));
    Error::new(ErrorKind::Internal, message).with_hint("please report it with the picture or call that caused it")
}

/// Lets Ctrl-C through, on the main thread.
pub(super) fn signals() -> Result<()> {
    attached(|_| Ok(()))
}

/// Runs what may raise, after signals were seen to. At the end of the interpreter it is refused.
pub(super) fn attached<T>(work: impl FnOnce(Python<'_>) -> PyResult<T>) -> Result<T> {
    let outcome = Python::try_attach(|py| {
        py.check_signals()?;
        work(py)
    });
    outcome.unwrap_or_else(|| Err(PyRuntimeError::new_err("the interpreter is ending"))).map_err(error::raised)
}
