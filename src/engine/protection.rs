//! Protecting an engine's model files from removal while they are loaded.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};
use crate::models::Role;
use crate::models::store::{Lease, Store};

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

/// The lease on those of an engine's files that lie in a store.
#[derive(Debug, Default)]
pub(super) struct Protection(Option<(Lease, usize)>);

impl Protection {
    /// Takes the lease. Where there can be none, the models can be used all the same: an engine reads each file once,
    /// and works from memory then. `warn` is told where one would be possible: somebody has held the directory's lock
    /// for too long.
    ///
    /// # Errors
    /// The errors of the watch of [`Store::watched`] and of `warn`.
    pub(super) fn of(files: &ModelFiles, store: &Store, warn: impl FnOnce(&Error) -> Result<()>) -> Result<Self> {
        let names = files.names_in(store);
        match store.lease(&names) {
            Ok(lease) => Ok(Self(lease.map(|lease| (lease, names.len())))),
            Err(error) if error.kind() == ErrorKind::Io => warn(&error).map(|()| Self::default()),
            Err(error) => Err(error),
        }
    }

    /// Returns the number of files that are leased.
    pub(super) fn files(&self) -> usize {
        self.0.as_ref().map_or(0, |&(_, files)| files)
    }
}
