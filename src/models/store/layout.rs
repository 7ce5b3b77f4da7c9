//! The places of things in the directory, and opening the folders of its bookkeeping.
//!
//! The directory itself may be reached over links: its users choose the path. From there on no link is followed, so what
//! is changed in the bookkeeping lies in the directory.

use std::io;
use std::path::PathBuf;

use super::directory::{Directory, Location};
use super::{Store, disk};
use crate::error::Result;

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

impl Store {
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

    /// A file of the directory, by its name.
    ///
    /// # Errors
    /// Those of [`Store::path`], and [`crate::ErrorKind::Io`] when the directory cannot be opened.
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
