//! Finding the files of models that somebody chose.

use std::path::{Path, PathBuf};

use super::catalog;
use super::fetch::{self, Progress, PullOptions};
use super::store::Store;
use crate::error::{Error, ErrorKind, Result};

/// A model as it is chosen: a catalog name, the name of a file in the model directory, or a path to a file anywhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    /// The name or path.
    pub path: PathBuf,
    /// True if a plain file name is one in the model directory, and not in the working directory.
    pub may_be_name: bool,
}

impl Choice {
    fn path_in(&self, store: &Store) -> Result<PathBuf> {
        let path = &self.path;
        if self.may_be_name && path.file_name().is_none_or(|name| name == path.as_os_str()) {
            return Ok(store.dir().join(path));
        }
        std::path::absolute(path).map_err(|error| Error::io("find", path, error))
    }
}

/// Returns the paths of models in the order in which they are chosen, after fetching those of the catalog that are
/// missing. `sources` is asked where there are such; `progress` is told of downloads, and its error ends them.
///
/// # Errors
/// [`ErrorKind::ModelNotFound`] when a file is missing and not in the catalog, and what [`fetch::pull`] returns.
pub fn resolve<'a>(
    store: &Store,
    choices: impl IntoIterator<Item = &'a Choice>,
    sources: &dyn Fn() -> Result<PullOptions>,
    progress: &mut dyn FnMut(Progress<'_>) -> Result<()>,
) -> Result<Vec<PathBuf>> {
    let paths = choices.into_iter().map(|choice| choice.path_in(store)).collect::<Result<Vec<_>>>()?;
    let mut missing = Vec::new();
    for path in paths.iter().filter(|path| !path.is_file()) {
        missing.push(known(store, path)?);
    }
    if missing.is_empty() {
        return Ok(paths);
    }
    let mut raised = None;
    let mut tell = |step: Progress<'_>| {
        raised = progress(step).err();
        raised.is_none()
    };
    let outcome = fetch::pull(store, &missing, &sources()?, &mut tell);
    raised.map_or(outcome, Err).map(|_| paths)
}

fn known(store: &Store, path: &Path) -> Result<&'static catalog::Entry> {
    let gone = || Error::new(ErrorKind::ModelNotFound, format!("there is no model file {}", path.display()));
    let within = path.strip_prefix(store.dir()).ok().filter(|rest| rest.components().count() == 1);
    let name = within.and_then(Path::to_str).ok_or_else(gone)?;
    match catalog::find(name) {
        Some(entry) => Ok(entry),
        // Its error names file and directory.
        None => Err(store.existing(name).err().unwrap_or_else(gone)),
    }
}
