//! The one place where an [`Error`] becomes a Python exception.
//!
//! The classes are written in Python, and none of their code runs here: a signal or the end of the interpreter could
//! fall into it, and CPython ends a daemon thread that runs Python code then, through whatever called that.

use std::error::Error as _;

use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyType;

use crate::error::{Error, ErrorKind};

static EXCEPTIONS: PyOnceLock<Py<PyModule>> = PyOnceLock::new();

/// Returns the class in `ferrocr.exceptions` for each kind.
pub(super) fn class_name(kind: ErrorKind) -> &'static str {
    match kind {
        ErrorKind::InvalidArgument => "InvalidArgumentError",
        ErrorKind::Image => "ImageError",
        ErrorKind::ImageNotFound => "ImageNotFoundError",
        ErrorKind::ModelNotFound => "ModelNotFoundError",
        ErrorKind::ModelCorrupt => "ModelCorruptError",
        ErrorKind::ModelMismatch => "ModelMismatchError",
        ErrorKind::ModelInUse => "ModelInUseError",
        ErrorKind::ModelKept => "ModelKeptError",
        ErrorKind::Download => "DownloadError",
        ErrorKind::Io => "StorageError",
        ErrorKind::RuntimeUnavailable => "RuntimeUnavailableError",
        ErrorKind::Inference => "InferenceError",
        ErrorKind::OutOfMemory => "OutOfMemoryError",
        ErrorKind::ResourcesFreed => "ResourcesFreedError",
        ErrorKind::Forked => "ForkedError",
        ErrorKind::Cancelled => "OcrCancelledError",
        ErrorKind::Timeout => "OcrTimeoutError",
        ErrorKind::Callback | ErrorKind::Internal => "OcrError",
    }
}

/// Returns the error of work that `exception` ended, which [`to_python`] gives back.
pub(super) fn raised(exception: PyErr) -> Error {
    Error::new(ErrorKind::Callback, "a function of Python's raised an exception").with_source(exception)
}

/// Returns the exception for `error`, which is the one that ended the work where there is such. An error of a package
/// that is too broken to have the class comes instead.
pub(super) fn to_python(py: Python<'_>, error: &Error) -> PyErr {
    if let Some(raised) = error.source().and_then(|source| source.downcast_ref::<PyErr>()) {
        return raised.clone_ref(py);
    }
    exception(py, error).unwrap_or_else(|raised| {
        let context = PyRuntimeError::new_err(error.to_string()).into_value(py);
        // The rest of its text is lost where an exception's class does not allow that.
        let _ = raised.value(py).setattr("__context__", context);
        raised
    })
}

fn exception(py: Python<'_>, error: &Error) -> PyResult<PyErr> {
    let class = class(py, class_name(error.kind()))?;
    let text = error.to_string();
    // One of Python's own classes holds what an exception consists of.
    let mut base = class.clone();
    while base.module()? != "builtins" {
        base = base.getattr("__base__")?.cast_into()?;
    }
    let exception = base.call_method1("__new__", (&class, &text))?;
    base.call_method1("__init__", (&exception, &text))?;
    exception.setattr("hint", error.hint())?;
    exception.setattr("shell_hint", error.shell_hint())?;
    Ok(PyErr::from_value(exception))
}

fn class<'py>(py: Python<'py>, name: &str) -> PyResult<Bound<'py, PyType>> {
    let module = EXCEPTIONS.get_or_try_init(py, || PyModule::import(py, "ferrocr.exceptions").map(Bound::unbind))?;
    Ok(module.bind(py).getattr(name)?.cast_into::<PyType>()?)
}
