//! `_core.Frames`: the pages of a TIFF file.

use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;

use super::call::call;
use crate::image::decode::frames;

/// A TIFF file whose pages an engine can be given.
#[pyclass(frozen, module = "ferrocr._core")]
pub(super) struct Frames(pub(super) Arc<frames::Frames>);

#[pymethods]
impl Frames {
    #[staticmethod]
    fn of_file(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        call(py, || Ok(Self(Arc::new(frames::Frames::of_file(&path)?))))
    }

    /// Returns the bytes are shared, not copied.
    #[staticmethod]
    fn of_bytes(py: Python<'_>, data: PyBackedBytes) -> PyResult<Self> {
        call(py, || Ok(Self(Arc::new(frames::Frames::of_bytes(data)?))))
    }

    #[getter]
    fn count(&self) -> usize {
        self.0.count()
    }

    /// Returns the pixels to the inch that a page gives.
    fn dpi(&self, index: usize) -> Option<f64> {
        self.0.dpi(index)
    }

    /// Waits for a page that is being decoded.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        call(py, || {
            self.0.close();
            Ok(())
        })
    }
}
