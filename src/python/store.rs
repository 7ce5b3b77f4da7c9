//! `_core.Store`: what `ferrocr.ModelStore` is a wrapper of, and the catalog.

use std::path::PathBuf;

use pyo3::prelude::*;

use super::{call, error};
use crate::error::{Error, ErrorKind};
use crate::models::catalog::{self, Entry};
use crate::models::fetch::{self, Progress, PullOptions};

type RawEntry = (&'static str, String, String, Vec<&'static str>, Option<u64>, &'static str, &'static str, Vec<String>);

/// Every model of the catalog, in the order of `CatalogEntry`'s fields.
#[pyfunction]
#[pyo3(name = "catalog")]
pub(super) fn entries() -> Vec<RawEntry> {
    catalog::entries().iter().map(raw_entry).collect()
}

fn raw_entry(entry: &'static Entry) -> RawEntry {
    let wheel = entry.wheel.map(|wheel| format!("pip:{}=={}", wheel.package, wheel.version));
    (
        entry.name,
        entry.role.to_string(),
        entry.family.to_string(),
        entry.languages.to_vec(),
        entry.bytes,
        entry.sha256,
        entry.licence,
        [entry.address.to_owned()].into_iter().chain(wheel).collect(),
    )
}

/// Every model set: its name, detector, recogniser and orienter.
#[pyfunction]
pub(super) fn model_sets() -> Vec<(&'static str, &'static str, &'static str, &'static str)> {
    catalog::sets().iter().map(|set| (set.name, set.detector, set.recognizer, set.orienter)).collect()
}

/// The core's model directory.
#[pyclass(frozen, module = "ferrocr._core")]
pub(super) struct Store(crate::models::store::Store);

#[pymethods]
impl Store {
    #[new]
    fn new(py: Python<'_>, directory: Option<PathBuf>) -> PyResult<Self> {
        call(py, || {
            let directory = directory.map_or_else(crate::models::store::Store::default_dir, Ok)?;
            crate::models::store::Store::open(directory).map(Self)
        })
    }

    #[getter]
    fn directory(&self) -> String {
        self.0.dir().to_string_lossy().into_owned()
    }

    fn list(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        call(py, || self.0.list())
    }

    fn existing(&self, py: Python<'_>, name: &str) -> PyResult<String> {
        call(py, || self.0.existing(name)).map(|path| path.to_string_lossy().into_owned())
    }

    #[pyo3(signature = (names, *, mirror, file, python, offline, progress))]
    #[expect(clippy::too_many_arguments, reason = "they are the keywords of one Python call")]
    fn pull(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        mirror: Option<String>,
        file: Option<PathBuf>,
        python: Option<PathBuf>,
        offline: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<String>> {
        let entries = names.iter().map(|name| known(name)).collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|unknown| error::to_python(py, &unknown))?;
        let options = PullOptions { mirror, file, python, offline, ..PullOptions::default() };
        let mut raised = None;
        let paths = call(py, || {
            let mut tell = |step: Progress<'_>| match told(progress.as_ref(), &step) {
                Ok(()) => true,
                Err(exception) => {
                    raised = Some(exception);
                    false
                }
            };
            fetch::pull(&self.0, &entries, &options, &mut tell)
        });
        match raised {
            Some(exception) => Err(exception),
            None => Ok(paths?.into_iter().map(|path| path.to_string_lossy().into_owned()).collect()),
        }
    }
}

fn known(name: &str) -> Result<&'static Entry, Error> {
    catalog::find(name)
        .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, format!("the catalog has no model {name:?}")))
}

/// Passes a step on, and lets Ctrl-C through. What either raises ends the download.
fn told(progress: Option<&Py<PyAny>>, step: &Progress<'_>) -> PyResult<()> {
    Python::attach(|py| {
        py.check_signals()?;
        if let Some(progress) = progress {
            progress.call1(py, (step.name, step.source.to_string(), step.done, step.total))?;
        }
        Ok(())
    })
}
