//! The interpreter of a process that the module belongs to.
//!
//! Types, and the classes of exceptions, are kept once for the process. A second interpreter would be given those of
//! the first, which are none of its own, and which are gone when the first one ends.

use pyo3::exceptions::PyImportError;
use pyo3::prelude::*;

/// Has nothing in it: an interpreter that can make it is the one that made it first.
#[pymodule(submodule, gil_used = false)]
fn first_interpreter(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}

/// Refuses every interpreter but the first that asks.
///
/// PyO3 compares the numbers of interpreters, which are never given twice, where it makes a module from within another
/// one; where Python makes a module it does not.
pub(super) fn claim(py: Python<'_>) -> PyResult<()> {
    first_interpreter::_PYO3_DEF.make_module(py).map(drop).map_err(|error| {
        if !error.is_instance_of::<PyImportError>(py) {
            return error;
        }
        let message = "another interpreter of this process has imported ferrocr, and it can belong to one alone\n\
                       import it in the main interpreter only, or use processes instead of subinterpreters";
        PyImportError::new_err(message)
    })
}
