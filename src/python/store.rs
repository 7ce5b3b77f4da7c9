//! `_core.Store`: what `ferrocr.ModelStore` is a wrapper of, and the catalog.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use pyo3::call::PyCallArgs;
use pyo3::prelude::*;

mod raw;

use super::call::{attached, call, signals};
use super::error;
use crate::error::{Error, ErrorKind};
use crate::models::catalog::{self, Entry};
use crate::models::fetch::{self, Packages, Progress, PullOptions, Trouble};
use crate::models::store::{
    self, ArchiveProgress, AuditOptions, Expected, ImportOptions, RemoveOptions, Selection, State,
};
use crate::models::{self, Choice};
use crate::process::Owner;
use raw::{RawArchived, RawEntry, RawInspection, RawRemoval, RawTrashed};
pub(super) use raw::{RawChoice, RawSources, RawStep};

/// Returns a path as a line of a report has it.
#[pyfunction]
pub(super) fn path_text(path: PathBuf) -> String {
    crate::models::store::path_text(&path)
}

/// Returns the folder of this user's files that a program can make anew; `None` for a user without a home.
#[pyfunction]
pub(super) fn cache_folder() -> Option<OsString> {
    crate::models::store::cache_dir().map(PathBuf::into_os_string)
}

/// The core's model directory.
#[pyclass(frozen, module = "ferrocr._core")]
pub(super) struct Store(store::Store);

#[pymethods]
impl Store {
    #[new]
    fn new(py: Python<'_>, directory: Option<PathBuf>) -> PyResult<Self> {
        call(py, || {
            let directory = directory.map_or_else(store::Store::default_dir, Ok)?;
            store::Store::open(directory).map(Self)
        })
    }

    #[getter]
    fn directory(&self) -> OsString {
        self.0.dir().into()
    }

    fn list(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        call(py, || self.0.list())
    }

    fn existing(&self, py: Python<'_>, name: &str) -> PyResult<OsString> {
        call(py, || self.0.existing(name)).map(PathBuf::into_os_string)
    }

    /// Returns the files of models, in the order of the choices: a name or path, and True for what may be a name. Where
    /// some are missing, `sources` says where they are fetched from.
    #[pyo3(signature = (choices, *, sources, progress))]
    fn resolve(
        &self,
        py: Python<'_>,
        choices: Vec<RawChoice>,
        sources: Py<PyAny>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<OsString>> {
        let (choices, sources) = (choices.into_iter().map(choice_of).collect::<Vec<_>>(), || {
            attached(|py| sources.call0(py)?.extract::<RawSources>(py).map(pull_options))
        });
        let mut tell = |step: Progress<'_>| report(progress.as_ref(), raw_step(step));
        let paths = self.waiting(py, |store| models::resolve(store, &choices, &sources, &mut tell))?;
        Ok(paths.into_iter().map(PathBuf::into_os_string).collect())
    }

    #[pyo3(signature = (names, *, file, sources, progress))]
    fn pull(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        file: Option<PathBuf>,
        sources: RawSources,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<OsString>> {
        let entries = names.iter().map(|name| known(name)).collect::<Result<Vec<_>, _>>();
        let entries = entries.map_err(|unknown| error::to_python(py, &unknown))?;
        let options = PullOptions { file, ..pull_options(sources) };
        let mut raised = None;
        let mut tell = |step: Progress<'_>| note(&mut raised, || report(progress.as_ref(), raw_step(step)));
        let paths = self.waiting(py, |store| fetch::pull(store, &entries, &options, &mut tell));
        let paths = raised.map_or(paths, |error| Err(error::to_python(py, &error)))?;
        Ok(paths.into_iter().map(PathBuf::into_os_string).collect())
    }

    /// Returns the hash of a file that has the given one, or the catalog's.
    fn verify(&self, py: Python<'_>, name: &str, sha256: Option<String>) -> PyResult<String> {
        call(py, || {
            if let Some(sha256) = sha256 {
                return self
                    .0
                    .verify(name, &Expected { bytes: None, sha256: &sha256 })
                    .map(|()| sha256.to_ascii_lowercase());
            }
            let known = catalog::find(name).ok_or_else(|| no_reference(name))?;
            self.0.verify_known(known).map(|()| known.sha256.to_owned())
        })
    }

    /// Judges a file's content as an audit does: its state, hash and the reason.
    fn examine(&self, py: Python<'_>, name: &str) -> PyResult<(&'static str, Option<String>, String)> {
        call(py, || self.0.examine(name)).map(|found| (found.state.name(), found.sha256, found.detail))
    }

    #[pyo3(signature = (*, needed, rehash, memory))]
    fn audit(
        &self,
        py: Python<'_>,
        needed: Vec<String>,
        rehash: bool,
        memory: Option<PathBuf>,
    ) -> PyResult<Vec<RawEntry>> {
        let options = AuditOptions { needed, rehash, memory };
        call(py, || self.0.audit(&options)).map(|audit| audit.entries.into_iter().map(raw::entry).collect())
    }

    fn inspect(&self, py: Python<'_>, name: &str) -> PyResult<RawInspection> {
        call(py, || self.0.inspect(name, &AuditOptions::default())).map(raw::inspection)
    }

    #[pyo3(signature = (names, *, keep, needed, dry_run, strict))]
    fn remove(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        keep: Vec<String>,
        needed: Vec<String>,
        dry_run: bool,
        strict: bool,
    ) -> PyResult<RawRemoval> {
        let options = RemoveOptions { keep, needed, dry_run, strict, memory: None };
        self.waiting(py, |store| store.remove(&names, &options)).map(raw::removal)
    }

    #[pyo3(signature = (*, prefix, states, older_than, keep, needed, dry_run, strict, memory))]
    #[allow(clippy::too_many_arguments, reason = "keyword arguments, as Python has them")]
    fn prune(
        &self,
        py: Python<'_>,
        prefix: Option<String>,
        states: Vec<String>,
        older_than: Option<f64>,
        keep: Vec<String>,
        needed: Vec<String>,
        dry_run: bool,
        strict: bool,
        memory: Option<PathBuf>,
    ) -> PyResult<RawRemoval> {
        let options = RemoveOptions { keep, needed, dry_run, strict, memory };
        self.waiting(py, |store| {
            let states = states.iter().map(|name| state(name)).collect::<Result<_, _>>()?;
            let older_than = older_than.map(age).transpose()?;
            store.prune(&Selection { prefix, states, older_than }, &options)
        })
        .map(raw::removal)
    }

    #[pyo3(signature = (names, *, removal, dry_run))]
    fn restore(
        &self,
        py: Python<'_>,
        names: Vec<String>,
        removal: Option<String>,
        dry_run: bool,
    ) -> PyResult<Vec<RawTrashed>> {
        self.waiting(py, |store| store.restore(&names, removal.as_deref(), dry_run)).map(raw::trashed)
    }

    #[pyo3(signature = (*, older_than, dry_run))]
    fn purge(&self, py: Python<'_>, older_than: Option<f64>, dry_run: bool) -> PyResult<Vec<RawTrashed>> {
        self.waiting(py, |store| store.purge(older_than.map(age).transpose()?, dry_run)).map(raw::trashed)
    }

    fn kept(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        call(py, || self.0.keep_list()).map(|list| list.entries().map(str::to_owned).collect())
    }

    fn change_keep(&self, py: Python<'_>, add: Vec<String>, remove: Vec<String>) -> PyResult<Vec<String>> {
        let list = self.waiting(py, |store| store.change_keep(&add, &remove))?;
        Ok(list.entries().map(str::to_owned).collect())
    }

    fn lease(&self, py: Python<'_>, names: Vec<String>) -> PyResult<Lease> {
        self.waiting(py, |store| {
            for name in &names {
                store.path(name)?;
            }
            Ok(Lease(Mutex::new(store.lease(&names)?), Owner::this_process()))
        })
    }

    #[pyo3(signature = (archive, names, *, progress))]
    fn export(
        &self,
        py: Python<'_>,
        archive: PathBuf,
        names: Vec<String>,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<RawArchived>> {
        self.watched(py, progress.as_ref(), |store, tell| store.export(&archive, &names, tell)).map(raw::archived)
    }

    #[pyo3(signature = (archive, *, replace, dry_run, progress))]
    fn import_archive(
        &self,
        py: Python<'_>,
        archive: PathBuf,
        replace: bool,
        dry_run: bool,
        progress: Option<Py<PyAny>>,
    ) -> PyResult<Vec<RawArchived>> {
        let options = ImportOptions { replace, dry_run };
        self.watched(py, progress.as_ref(), |store, tell| store.import(&archive, options, tell)).map(raw::archived)
    }

    fn in_use(&self, py: Python<'_>) -> PyResult<BTreeMap<String, Vec<u32>>> {
        call(py, || self.0.in_use())
    }
}

impl Store {
    pub(super) fn core(&self) -> store::Store {
        self.0.clone()
    }

    /// Runs work that may wait for other processes. Ctrl-C ends that.
    fn waiting<T: Send>(
        &self,
        py: Python<'_>,
        work: impl FnOnce(&store::Store) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        call(py, || work(&self.0.watched(signals)))
    }

    /// Runs work on an archive, whose steps `progress` is told. What it raises ends the work.
    fn watched<T: Send>(
        &self,
        py: Python<'_>,
        progress: Option<&Py<PyAny>>,
        work: impl FnOnce(&store::Store, &mut dyn FnMut(ArchiveProgress<'_>) -> bool) -> Result<T, Error> + Send,
    ) -> PyResult<T> {
        let mut raised = None;
        let mut tell =
            |step: ArchiveProgress<'_>| note(&mut raised, || report(progress, (step.name, step.done, step.total)));
        let outcome = self.waiting(py, |store| work(store, &mut tell));
        raised.map_or(outcome, |error| Err(error::to_python(py, &error)))
    }
}

/// The core's lease. A forked child has no part in it, and takes no lock that a thread of its parent may have held.
#[pyclass(frozen, module = "ferrocr._core")]
pub(super) struct Lease(Mutex<Option<store::Lease>>, Owner);

#[pymethods]
impl Lease {
    #[getter]
    fn held(&self) -> bool {
        self.1.is_here() && self.lock().is_some()
    }

    fn release(&self, py: Python<'_>) -> PyResult<()> {
        call(py, || {
            if self.1.is_here() {
                drop(self.lock().take());
            }
            Ok(())
        })
    }
}

impl Lease {
    fn lock(&self) -> MutexGuard<'_, Option<store::Lease>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Returns the options of a pull from `sources`.
pub(super) fn pull_options((mirror, packages, offline): RawSources) -> PullOptions {
    let (links, indexes, trusted_hosts, certificates, proxy) = packages;
    let packages = Packages { links, indexes, trusted_hosts, certificates, proxy };
    PullOptions { mirror, packages, offline, ..PullOptions::default() }
}

pub(super) fn choice_of((path, may_be_name): RawChoice) -> Choice {
    Choice { path, may_be_name }
}

/// Returns a download's step as callbacks get it.
pub(super) fn raw_step(step: Progress<'_>) -> RawStep<'_> {
    let Progress { name, source, host, done, total, trouble } = step;
    let trouble = trouble.map(|trouble| match trouble {
        Trouble::Again(why) => (why, true),
        Trouble::Left(why) => (why, false),
    });
    (name, host.map_or_else(|| source.to_string(), str::to_owned), done, total, trouble)
}

fn no_reference(name: &str) -> Error {
    Error::new(
        ErrorKind::InvalidArgument,
        format!("{name} is not in the catalog, so nothing says what its hash should be"),
    )
    .with_hint("give the SHA-256 that it should have")
}

fn state(name: &str) -> Result<State, Error> {
    State::ALL.into_iter().find(|state| state.name().eq_ignore_ascii_case(name)).ok_or_else(|| {
        let names: Vec<_> = State::ALL.iter().map(|state| state.name().to_ascii_lowercase()).collect();
        Error::new(
            ErrorKind::InvalidArgument,
            format!("there is no state {name:?}; the states are {}", names.join(", ")),
        )
    })
}

fn age(seconds: f64) -> Result<Duration, Error> {
    Duration::try_from_secs_f64(seconds)
        .map_err(|_| Error::new(ErrorKind::InvalidArgument, format!("an age is a number of seconds, not {seconds}")))
}

fn known(name: &str) -> Result<&'static Entry, Error> {
    catalog::find(name)
        .ok_or_else(|| Error::new(ErrorKind::InvalidArgument, format!("the catalog has no model {name:?}")))
}

/// Passes a step on, and lets Ctrl-C through. What either raises ends the work, as the end of the interpreter does.
fn report(progress: Option<&Py<PyAny>>, step: impl for<'py> PyCallArgs<'py>) -> Result<(), Error> {
    attached(|py| progress.map_or(Ok(()), |progress| progress.call1(py, step).map(drop)))
}

/// Takes a step and says whether to go on. The first error ends the work, and is kept: later steps are not taken.
fn note(raised: &mut Option<Error>, step: impl FnOnce() -> Result<(), Error>) -> bool {
    if raised.is_none() {
        *raised = step().err();
    }
    raised.is_none()
}
