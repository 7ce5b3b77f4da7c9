//! Finding the files of models that somebody chose.

use std::path::{Path, PathBuf};

use super::catalog;
use super::characters::MODEL_IN_FOLDER;
use super::fetch::{self, Progress, PullOptions};
use super::store::Store;
use crate::error::{Error, ErrorKind, Result};

/// A model as it is chosen: a catalog name, the name of a file in the model directory, or a path to a file anywhere, or
/// to a folder with an `inference.onnx`.
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
        let path = std::path::absolute(path).map_err(|error| Error::io("find", path, error))?;
        // A folder that PaddlePaddle publishes.
        let within = path.join(MODEL_IN_FOLDER);
        Ok(if within.is_file() { within } else { path })
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
    for path in &paths {
        if path.is_file() {
            missing.extend(lacking_its_list(store, path)?);
        } else {
            missing.push(known(store, path)?);
        }
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

/// Returns the name of a file that lies in the store.
fn name_in<'a>(store: &Store, path: &'a Path) -> Option<&'a str> {
    let within = path.strip_prefix(store.dir()).ok().filter(|rest| rest.components().count() == 1);
    within.and_then(Path::to_str)
}

/// Returns a model of the catalog without the list of characters that goes with it. One of that name with other content
/// may need none.
fn lacking_its_list(store: &Store, path: &Path) -> Result<Option<&'static catalog::Entry>> {
    let Some(entry) = name_in(store, path).and_then(catalog::find) else { return Ok(None) };
    let Some(list) = entry.characters else { return Ok(None) };
    if store.dir().join(list.name).symlink_metadata().is_ok() {
        return Ok(None);
    }
    let found = store.examine(entry.name)?;
    Ok((found.sha256.as_deref() == Some(entry.sha256)).then_some(entry))
}

fn known(store: &Store, path: &Path) -> Result<&'static catalog::Entry> {
    let gone = || Error::new(ErrorKind::ModelNotFound, format!("there is no model file {}", path.display()));
    let name = name_in(store, path).ok_or_else(gone)?;
    match catalog::find(name) {
        Some(entry) => Ok(entry),
        // Its error names file and directory.
        None => Err(store.existing(name).err().unwrap_or_else(gone)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_a_model_stands_for_it() {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        let folder = dir.path().join("PP-OCRv5_mobile_rec");
        std::fs::create_dir(&folder).unwrap();
        let find = |path: &Path| {
            let choice = Choice { path: path.to_owned(), may_be_name: true };
            let sources = || Err(Error::new(ErrorKind::Internal, "nothing is fetched"));
            resolve(&store, [&choice], &sources, &mut |_| Ok(()))
        };
        assert_eq!(find(&folder).unwrap_err().kind(), ErrorKind::ModelNotFound, "it has none yet");
        let model = folder.join(MODEL_IN_FOLDER);
        std::fs::write(&model, "x").unwrap();
        assert_eq!(find(&folder).unwrap(), std::slice::from_ref(&model));
        assert_eq!(find(&model).unwrap(), [model]);
    }
}
