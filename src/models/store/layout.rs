//! The places of things in the directory, and opening the folders of its bookkeeping.
//!
//! The directory itself may be reached over links: its users choose the path. From there on no link is followed, so
//! what is changed in the bookkeeping lies in the directory.

use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

use super::directory::{Directory, Location};
use super::disk;
use super::follow::follow;
use super::names::{SUFFIXES, fault, is_model_name};
use super::place::{absolute, default_dir};
use super::watch::Watch;
use crate::error::{Action, Error, ErrorKind, Hint, Remedy, Result};
use crate::models::catalog;

/// The hidden folder for all that is no model. It must be inside the directory: a rename cannot cross file systems.
pub(super) const BOOKKEEPING: &str = ".ferrocr";

/// The folder of what is unfinished.
pub(super) const INCOMING: &str = "incoming";

/// The folder of the leases.
pub(super) const LEASES: &str = "leases";

/// The folder of what was removed.
pub(super) const TRASH: &str = "trash";

/// The file with the keep-list.
pub(super) const KEEP: &str = "keep";

/// A model directory: its files by name, and the folders of its bookkeeping. It holds no handle and no lock.
#[derive(Debug, Clone)]
pub(in crate::models) struct Layout {
    dir: PathBuf,
    /// Asked while it waits for other processes.
    pub(super) watch: Watch,
}

impl Layout {
    /// Returns the layout of the directory `dir`, which is absolute and need not exist.
    pub(super) fn new(dir: PathBuf) -> Self {
        Self { dir, watch: Watch::default() }
    }

    /// Returns the same with another watch.
    pub(super) fn with_watch(&self, watch: Watch) -> Self {
        Self { watch, ..self.clone() }
    }

    /// Returns the directory, absolute.
    pub(super) fn dir(&self) -> &Path {
        &self.dir
    }

    /// Returns an action on this directory, for a hint. The directory is named unless it is the one that is meant when
    /// none is named.
    pub(super) fn remedy(&self, action: Action) -> Remedy {
        let default = default_dir().and_then(|dir| absolute(&dir));
        let dir = (!default.is_ok_and(|default| default == self.dir)).then(|| self.dir.clone());
        Remedy::Models { dir, action }
    }

    /// Says where the names of models are shown.
    pub(super) fn how_to_list(&self) -> Hint {
        [self.remedy(Action::List), " shows the names".into()].into()
    }

    /// Returns the sorted names of the model files; none for a directory that is empty or not there.
    pub(super) fn list(&self) -> Result<Vec<String>> {
        let entries = match fs::read_dir(&self.dir) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| self.unreadable(error))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            let entry = entry.map_err(|error| self.unreadable(error))?;
            let Ok(name) = entry.file_name().into_string() else { continue };
            if is_model_name(&name) && self.is_listed(&entry) {
                names.push(name);
            }
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Returns the absolute path of the file called `name`, which need not exist.
    pub(super) fn path(&self, name: &str) -> Result<PathBuf> {
        match fault(name) {
            None => Ok(self.dir.join(name)),
            Some(fault) => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("{name:?} is no file name in the model directory: {fault}"),
            )),
        }
    }

    /// Returns the absolute path of the file called `name`, which is there.
    pub(super) fn existing(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name)?;
        match fs::metadata(&path) {
            Ok(meta) if !meta.is_file() => Err(self.missing(name, "is no regular file")),
            Ok(_) if self.leaves(&path) => Err(self.missing(name, "is a link that leaves the directory")),
            Ok(_) => Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.missing(name, "is not there")),
            Err(error) => Err(disk::failed("read", &path, error)),
        }
    }

    /// Returns the names of the files in the directory that `path` goes through: its own, and those of the links that
    /// it follows.
    pub(super) fn names_along(&self, path: &Path) -> Vec<String> {
        let Ok(dir) = fs::canonicalize(&self.dir) else { return Vec::new() };
        let Ok(path) = std::path::absolute(path) else { return Vec::new() };
        let here = follow(&path).filter(|(folder, _)| *folder == dir);
        let names = here.filter_map(|(_, name)| name.into_string().ok());
        names.filter(|name| fault(name).is_none()).collect()
    }

    /// Returns the error for a model file that cannot be used, and `why`: that it is not there, for example.
    pub(super) fn missing(&self, name: &str, why: &str) -> Error {
        let message = format!("the model file {name} {why} in {}", self.dir.display());
        Error::new(ErrorKind::ModelNotFound, message).with_hint(self.how_to_mend(name, false))
    }

    /// Returns what to do about a model file that is missing, or there with wrong content.
    pub(super) fn how_to_mend(&self, name: &str, is_there: bool) -> Hint {
        match catalog::owner(name) {
            Some(entry) => ["fetch it with ".into(), self.remedy(Action::Pull(vec![entry.name.to_owned()]))].into(),
            None if is_there => {
                format!("put the right file in the place of {name}, or give the hash that it has").into()
            }
            None if fs::symlink_metadata(self.dir.join(name)).is_err() => {
                format!("{name} is not in the catalog: put the file there yourself").into()
            }
            None if !is_model_name(name) => {
                format!("names of models end with .{}: rename it", SUFFIXES.join(", .")).into()
            }
            None => "put the model itself there: a file, or a link to one of the directory".into(),
        }
    }

    /// Returns true if a directory entry is a regular file, or a link to one inside of the directory.
    fn is_listed(&self, entry: &DirEntry) -> bool {
        match entry.file_type() {
            Ok(kind) if kind.is_file() => true,
            Ok(kind) if kind.is_symlink() => is_regular(&entry.path()) && !self.leaves(&entry.path()),
            _ => false,
        }
    }

    /// Returns true if `path`, in the directory, is a link to something outside of it, or to its bookkeeping.
    pub(super) fn leaves(&self, path: &Path) -> bool {
        let is_link = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
        is_link
            && match (fs::canonicalize(path), fs::canonicalize(&self.dir)) {
                (Ok(target), Ok(dir)) => !target.starts_with(&dir) || target.starts_with(dir.join(BOOKKEEPING)),
                _ => true,
            }
    }

    pub(super) fn unreadable(&self, error: io::Error) -> Error {
        disk::failed("list the model directory", &self.dir, error)
    }

    pub(super) fn bookkeeping(&self) -> PathBuf {
        self.dir().join(BOOKKEEPING)
    }

    pub(super) fn incoming(&self) -> PathBuf {
        self.bookkeeping().join(INCOMING)
    }

    pub(super) fn keep_file(&self) -> PathBuf {
        self.bookkeeping().join(KEEP)
    }

    pub(super) fn leases(&self) -> PathBuf {
        self.bookkeeping().join(LEASES)
    }

    pub(super) fn trash(&self) -> PathBuf {
        self.bookkeeping().join(TRASH)
    }

    /// Opens the directory, which has to be there.
    pub(super) fn open_root(&self) -> Result<Directory> {
        Directory::open(self.dir()).map_err(|error| disk::failed("open", self.dir(), error))
    }

    /// Opens the folder of the bookkeeping; none where there is none.
    pub(super) fn open_bookkeeping(&self) -> Result<Option<Directory>> {
        let root = Directory::open(self.dir()).map_err(|error| (self.dir().to_owned(), error));
        there(root.and_then(|root| folder(&root, BOOKKEEPING)))
    }

    /// Opens the folder called `name` in the bookkeeping; none where there is none.
    pub(super) fn open_folder(&self, name: &str) -> Result<Option<Directory>> {
        match self.open_bookkeeping()? {
            None => Ok(None),
            Some(bookkeeping) => there(folder(&bookkeeping, name)),
        }
    }

    /// Opens the folder of the bookkeeping, which is made if it is not there, as is the directory.
    pub(super) fn make_bookkeeping(&self) -> Result<Directory> {
        disk::make_folder(&disk::make_directory(self.dir())?.at(BOOKKEEPING))
    }

    /// Opens the folder called `name` in the bookkeeping, which is made if it is not there.
    pub(super) fn make_folder(&self, name: &str) -> Result<Directory> {
        disk::make_folder(&self.make_bookkeeping()?.at(name))
    }

    /// Returns a file of the directory, by its name.
    ///
    /// # Errors
    /// Those of [`Layout::path`], and [`crate::ErrorKind::Io`] when the directory cannot be opened.
    pub(super) fn at(&self, name: &str) -> Result<Location> {
        self.path(name)?;
        Ok(self.open_root()?.at(name))
    }
}

type Opened = std::result::Result<Directory, (PathBuf, io::Error)>;

fn folder(directory: &Directory, name: &str) -> Opened {
    directory.folder(name).map_err(|error| (directory.path().join(name), error))
}

fn there(opened: Opened) -> Result<Option<Directory>> {
    match opened {
        Ok(directory) => Ok(Some(directory)),
        Err((_, error)) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err((path, error)) => Err(disk::failed("open", &path, error)),
    }
}

/// Follows links. One that leads nowhere, or where this user may not look, is no file that could be read.
fn is_regular(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file())
}
