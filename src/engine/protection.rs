//! Protecting an engine's model files from removal while they are loaded.

use std::path::PathBuf;

use crate::error::{Error, ErrorKind, Result};
use crate::models::store::{Lease, Store};

/// The model files of an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ModelFiles {
    /// Finds regions with text.
    pub detector: PathBuf,
    /// Reads a line.
    pub recognizer: PathBuf,
    /// Tells whether a line is upside down; without it every line is taken as upright.
    pub orienter: Option<PathBuf>,
}

impl ModelFiles {
    /// Returns the files in the order of detector, recogniser and, if there is one, orienter.
    pub(super) fn in_order(paths: Vec<PathBuf>) -> Result<Self> {
        let mut paths = paths.into_iter();
        match (paths.next(), paths.next(), paths.next()) {
            (Some(detector), Some(recognizer), orienter) => Ok(Self { detector, recognizer, orienter }),
            _ => Err(Error::new(ErrorKind::Internal, "an engine has a detector and a recogniser")),
        }
    }

    /// Names of those that lie in `store`, by whatever way they are reached. A lease on a link holds what it leads to.
    pub(super) fn names_in(&self, store: &Store) -> Vec<String> {
        let files = [Some(&self.detector), Some(&self.recognizer), self.orienter.as_ref()];
        files.into_iter().flatten().filter_map(|file| store.names_along(file).into_iter().next()).collect()
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
