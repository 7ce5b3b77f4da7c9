//! `_core.Rules`: what the lines of a call follow, prepared once for all of its pictures.

use std::sync::Arc;

use pyo3::prelude::*;

use crate::python::call::call;
use crate::rules;

/// Characters, a pattern or words, with what they were made of, for copies in other processes.
#[pyclass(frozen, module = "ferrocr._core")]
pub(in crate::python) struct Rules(pub(super) Arc<rules::Rules>, Given);

type Given = (Option<String>, Option<String>, Option<Vec<String>>);

#[pymethods]
impl Rules {
    /// Returns None where nothing is given.
    #[staticmethod]
    #[pyo3(signature = (allow, pattern, words))]
    fn of(
        py: Python<'_>,
        allow: Option<String>,
        pattern: Option<String>,
        words: Option<Vec<String>>,
    ) -> PyResult<Option<Self>> {
        let rules = call(py, || rules::Rules::new(allow.as_deref(), pattern.as_deref(), words.as_deref()))?;
        Ok(rules.map(|rules| Self(Arc::new(rules), (allow, pattern, words))))
    }

    /// Returns what it was made of.
    #[getter]
    fn given(&self) -> Given {
        self.1.clone()
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Given)> {
        Ok((py.get_type::<Self>().getattr("of")?, self.1.clone()))
    }
}
