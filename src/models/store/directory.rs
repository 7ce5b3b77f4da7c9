//! Open directories, in which things are reached by name and no link is followed.
//!
//! The bookkeeping lies in a directory that others may write to. Between a look at a path and its use they can put a
//! link in the place of a folder on it, which would lead the store's renames and deletions elsewhere. So a folder is
//! opened once, as what it is, and what lies in it is named relative to the open folder from then on.

use std::ffi::{OsStr, OsString};
use std::fs::{File, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

#[cfg(any(not(unix), test))]
mod by_path;
mod kinds;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
use by_path as system;
#[cfg(unix)]
use unix as system;

use kinds::unfit;
pub(super) use kinds::{Access, Kind, Opening, Status};
pub(super) use system::{let_all_read, make_usual};

/// The deepest folder in a folder that is removed with all that is in it. What the store and pip put there has three.
const DEEPEST: usize = 64;

/// An open directory.
#[derive(Debug, Clone)]
pub(super) struct Directory {
    handle: Arc<system::Handle>,
    path: PathBuf,
}

impl Directory {
    /// Opens the directory at `path`, over whatever links: it is the caller who names it.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Ok(Self { handle: Arc::new(system::open(path)?), path: path.to_owned() })
    }

    /// Opens a folder in it, and nothing else.
    pub(super) fn folder(&self, name: impl AsRef<OsStr>) -> io::Result<Self> {
        let at = self.at(name);
        let handle = system::open_folder(&self.handle, &at.name).map_err(|error| at.explained(error, Kind::Folder))?;
        Ok(Self { handle: Arc::new(handle), path: at.path() })
    }

    /// Returns the path by which it was reached, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    /// Names what is, or could be, in it.
    pub(super) fn at(&self, name: impl AsRef<OsStr>) -> Location {
        Location { directory: self.clone(), name: name.as_ref().to_owned() }
    }

    /// Returns the names in it, sorted.
    pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = system::names(&self.handle)?;
        names.sort_unstable();
        Ok(names)
    }

    /// Asks the system about it.
    pub(super) fn metadata(&self) -> io::Result<Metadata> {
        system::metadata(&self.handle)
    }

    /// Waits until the names in it are as durable as the bytes behind them.
    pub(super) fn sync(&self) -> io::Result<()> {
        system::sync(&self.handle)
    }
}

/// A name in an open directory.
#[derive(Debug, Clone)]
pub(super) struct Location {
    directory: Directory,
    name: OsString,
}

impl Location {
    /// Returns its path, for messages.
    pub(super) fn path(&self) -> PathBuf {
        self.directory.path.join(&self.name)
    }

    pub(super) fn name(&self) -> &OsStr {
        &self.name
    }

    pub(super) fn directory(&self) -> &Directory {
        &self.directory
    }

    /// Tells what is there; of a link, that it is one.
    pub(super) fn status(&self) -> io::Result<Status> {
        check_name(&self.name)?;
        system::status(&self.directory.handle, &self.name)
    }

    /// Tells whether `file` is what has this name: another process may have moved or removed it since it was opened.
    pub(super) fn is(&self, file: &File) -> bool {
        system::is(&self.directory.handle, &self.name, file)
    }

    /// Opens a regular file and nothing else, without waiting.
    pub(super) fn open(&self, opening: Opening) -> io::Result<File> {
        check_name(&self.name)?;
        let file = system::open_file(&self.directory.handle, &self.name, opening);
        let file = file.map_err(|error| self.explained(error, Kind::File))?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(unfit("it is no regular file")),
        }
    }

    /// Makes a folder, for those who may use the directory that it is in.
    pub(super) fn make_folder(&self) -> io::Result<()> {
        check_name(&self.name)?;
        system::make_folder(&self.directory.handle, &self.name)
    }

    /// Gives it another name, and replaces what had that.
    pub(super) fn rename(&self, to: &Self) -> io::Result<()> {
        system::rename((&self.directory.handle, &self.name), (&to.directory.handle, &to.name))
    }

    /// Gives it another name, which nothing has.
    pub(super) fn rename_to_free(&self, to: &Self) -> io::Result<()> {
        system::rename_to_free((&self.directory.handle, &self.name), (&to.directory.handle, &to.name))
    }

    /// Gives a file a second name, which nothing has.
    pub(super) fn link(&self, to: &Self) -> io::Result<()> {
        system::link((&self.directory.handle, &self.name), (&to.directory.handle, &to.name))
    }

    /// Removes a file or a link.
    pub(super) fn remove(&self) -> io::Result<()> {
        check_name(&self.name)?;
        system::remove(&self.directory.handle, &self.name)
    }

    /// Removes an empty folder.
    pub(super) fn remove_folder(&self) -> io::Result<()> {
        check_name(&self.name)?;
        system::remove_folder(&self.directory.handle, &self.name)
    }

    /// Removes a folder with all that is in it.
    pub(super) fn remove_all(&self) -> io::Result<()> {
        self.remove_all_within(DEEPEST)
    }

    fn remove_all_within(&self, depth: usize) -> io::Result<()> {
        let Some(depth) = depth.checked_sub(1) else {
            return Err(unfit("it has folders in folders, more than ferrocr ever makes"));
        };
        let folder = self.directory.folder(&self.name)?;
        for name in folder.names()? {
            let inner = folder.at(name);
            match inner.status() {
                Ok(status) if status.kind == Kind::Folder => inner.remove_all_within(depth)?,
                Ok(_) => gone_is_fine(inner.remove())?,
                gone => gone_is_fine(gone.map(drop))?,
            }
        }
        self.remove_folder()
    }

    /// Says why something could not be opened as a `wanted`, where what is there says more than the system did.
    fn explained(&self, error: io::Error, wanted: Kind) -> io::Error {
        match self.status().map(|status| status.kind) {
            Ok(Kind::Link) => unfit("it is a link"),
            Ok(Kind::Special) => unfit("it is no regular file"),
            Ok(Kind::Folder) if wanted == Kind::File => unfit("it is no regular file"),
            _ => error,
        }
    }
}

fn gone_is_fine(outcome: io::Result<()>) -> io::Result<()> {
    match outcome {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        outcome => outcome,
    }
}

/// Refuses what would lead out of the directory.
fn check_name(name: &OsStr) -> io::Result<()> {
    let bytes = name.as_encoded_bytes();
    let is_plain = !matches!(bytes, b"" | b"." | b"..") && !bytes.contains(&b'/');
    if is_plain { Ok(()) } else { Err(unfit("it is no plain name")) }
}

#[cfg(test)]
mod tests;
