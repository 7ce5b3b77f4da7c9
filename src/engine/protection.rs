//! Protecting an engine's model files from removal while they are loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use crate::error::{Error, ErrorKind, Result};
use crate::models::Role;
use crate::models::store::{Lease, Store};
use crate::stop::Stop;

/// The model files of an engine, one for each role that it has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles(BTreeMap<Role, PathBuf>);

impl FromIterator<(Role, PathBuf)> for ModelFiles {
    fn from_iter<I: IntoIterator<Item = (Role, PathBuf)>>(files: I) -> Self {
        Self(files.into_iter().collect())
    }
}

impl ModelFiles {
    /// Returns the files in the order of their roles.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Role, &Path)> {
        self.0.iter().map(|(&role, path)| (role, path.as_path()))
    }

    /// Names of those that lie in `store`, by whatever way they are reached. A lease on a link holds what it leads to.
    pub(super) fn names_in(&self, store: &Store) -> Vec<String> {
        self.iter().filter_map(|(_, file)| store.names_along(file).into_iter().next()).collect()
    }
}

/// The lease on those of an engine's files that lie in a store. Clones are the same lease.
///
/// It is taken before the engine is loaded, so that nothing that a load must not wait in is waited in.
#[derive(Debug, Clone)]
pub struct Protection {
    store: Store,
    lease: Option<(Lease, usize)>,
    fault: Option<Arc<Error>>,
}

impl Protection {
    /// Takes the lease. Where there can be none, the models can be used all the same: an engine reads each file once,
    /// and works from memory then.
    ///
    /// # Errors
    /// The error of the watch of [`Store::watched`].
    pub fn of(files: &ModelFiles, store: &Store) -> Result<Self> {
        let names = files.names_in(store);
        let (lease, fault) = match store.lease(&names) {
            Ok(lease) => (lease.map(|lease| (lease, names.len())), None),
            Err(error) if error.kind() == ErrorKind::Io => (None, Some(Arc::new(error))),
            Err(error) => return Err(error),
        };
        // The watch is about this wait alone.
        Ok(Self { store: store.unwatched(), lease, fault })
    }

    /// Returns the number of files that are leased.
    pub fn files(&self) -> usize {
        self.lease.as_ref().map_or(0, |&(_, files)| files)
    }

    /// Returns why there is no lease where one is possible: somebody has held the directory's lock for too long.
    pub fn fault(&self) -> Option<&Error> {
        self.fault.as_deref()
    }
}

/// Gives each load of an engine its protection: the first the one that was taken for it, a later one its own.
pub(super) struct Protections {
    files: ModelFiles,
    first: Mutex<Option<Protection>>,
    store: Option<Store>,
}

impl Protections {
    pub(super) fn new(files: ModelFiles, first: Option<Protection>) -> Self {
        let store = first.as_ref().map(|protection| protection.store.clone());
        Self { files, first: Mutex::new(first), store }
    }

    /// Returns the protection of the next load, which `stop` ends early; none for an engine whose files nobody
    /// protects.
    pub(super) fn next(&self, stop: Option<&Stop>) -> Result<Option<Protection>> {
        let first = self.first.lock().unwrap_or_else(PoisonError::into_inner).take();
        if first.is_some() {
            return Ok(first);
        }
        let Some(store) = &self.store else { return Ok(None) };
        let stop = stop.cloned().unwrap_or_default();
        Protection::of(&self.files, &store.watched(move || stop.check())).map(Some)
    }
}
