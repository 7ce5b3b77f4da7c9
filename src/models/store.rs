//! A directory of model files: what is there, and how a file gets in.
//!
//! What lies on the disk is the truth: there is no index that could go stale, and removing a file by hand is allowed at
//! any time. Bookkeeping lies in the hidden folder `.ferrocr` inside the directory. Other processes may write to the
//! same directory, so a file appears under its name only when all of its bytes are there and verified.

use std::env;
use std::fs::{self, DirEntry};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::catalog::{self, Entry};
use crate::error::{Audience, Error, ErrorKind, Result};
use crate::files::open_regular;
use crate::onnx::LONGEST_MODEL;

mod archive;
mod audit;
mod characters;
mod command;
mod digest;
mod directory;
mod disk;
mod follow;
mod keep;
mod layout;
mod lease;
mod lock;
mod names;
mod part;
mod removal;
mod space;
mod temporary;
mod text;
mod trash;

pub use archive::{Archive, ArchiveFile, ArchiveProgress, Archived, ImportOptions};
pub(in crate::models) use command::Action;

pub use audit::{Audit, AuditEntry, AuditOptions, Examination, Inspection, State};
use digest::Digest;
pub(super) use disk::free_bytes;
#[cfg(test)]
pub(super) use disk::steps;
use follow::follow;
pub use keep::KeepList;
use layout::BOOKKEEPING;
pub use lease::Lease;
use lock::Watch;
use names::{SUFFIXES, fault, is_model_name};
pub(super) use part::{Folder, Part};
pub use removal::{Decision, Planned, Removal, RemoveOptions, Selection};
pub use text::path_text;
pub use trash::Trashed;

/// Environment variable that names the model directory.
pub(super) const DIR_VARIABLE: &str = "FERROCR_MODEL_DIR";

/// What a file's content has to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Length, if it is known.
    pub bytes: Option<u64>,
    /// SHA-256 in hexadecimal digits, of either case.
    pub sha256: &'a str,
}

impl From<&Entry> for Expected<'static> {
    fn from(entry: &Entry) -> Self {
        Self { bytes: entry.bytes, sha256: entry.sha256 }
    }
}

/// A model directory. It holds no handle and no lock: making one, keeping it and dropping it cost nothing.
#[derive(Debug, Clone)]
pub struct Store {
    dir: PathBuf,
    /// Asked while it waits for other processes.
    watch: Watch,
}

impl Store {
    /// The directory for a caller who chose none: `FERROCR_MODEL_DIR`, else `ferrocr/models` in the user's data.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the platform knows no data directory for this user.
    pub fn default_dir() -> Result<PathBuf> {
        let named = env::var_os(DIR_VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
        named.or_else(|| Some(dirs::data_dir()?.join("ferrocr").join("models"))).ok_or_else(|| {
            Error::new(ErrorKind::Io, "cannot choose a model directory: this user has no data directory")
                .with_hint(format!("set {DIR_VARIABLE} to the directory that shall hold the models"))
        })
    }

    /// The store in `dir`, made absolute now so that a later change of the working directory does not move it.
    ///
    /// Nothing on the disk is read or made; the directory need not exist.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] when `dir` is empty or no system could have it.
    pub fn open(dir: impl AsRef<Path>) -> Result<Self> {
        let dir = dir.as_ref();
        if dir.as_os_str().is_empty() {
            return Err(Error::new(ErrorKind::InvalidArgument, "the model directory's path is empty"));
        }
        if dir.as_os_str().as_encoded_bytes().contains(&0) {
            let message = format!("the model directory's path {dir:?} has a NUL");
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        }
        let dir = std::path::absolute(dir).map_err(|error| Error::io("make absolute the path", dir, error))?;
        Ok(Self { dir, watch: Watch::default() })
    }

    /// The directory, absolute.
    pub fn dir(&self) -> &Path {
        &self.dir
    }

    /// Sorted names of the model files; none for a directory that is empty or not there.
    ///
    /// A model file is a regular file, or a link to one inside of the directory, with suffix `.onnx`, `.ort` or `.bin`
    /// in any case, and not hidden. Left out are sub-folders; links that leave the directory or lead nowhere; and names
    /// that are no UTF-8 or that [`Store::path`] refuses, which could not be asked for. The audit reports all of them.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when the directory is there but cannot be read.
    pub fn list(&self) -> Result<Vec<String>> {
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

    /// Absolute path of the file called `name`, which need not exist.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for a name that is no plain, visible file name: nothing outside of the directory
    /// and none of its bookkeeping can be named.
    pub fn path(&self, name: &str) -> Result<PathBuf> {
        match fault(name) {
            None => Ok(self.dir.join(name)),
            Some(fault) => Err(Error::new(
                ErrorKind::InvalidArgument,
                format!("{name:?} is no file name in the model directory: {fault}"),
            )),
        }
    }

    /// Absolute path of the file called `name`, which is there.
    ///
    /// # Errors
    /// [`ErrorKind::ModelNotFound`] when it is not there, no regular file, or a link that leaves the directory, and what
    /// [`Store::path`] says.
    pub fn existing(&self, name: &str) -> Result<PathBuf> {
        let path = self.path(name)?;
        match fs::metadata(&path) {
            Ok(meta) if !meta.is_file() => Err(self.missing(name, "is no regular file")),
            Ok(_) if self.leaves(&path) => Err(self.missing(name, "is a link that leaves the directory")),
            Ok(_) => Ok(path),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(self.missing(name, "is not there")),
            Err(error) => Err(disk::failed("read", &path, error)),
        }
    }

    /// Names of the files in the directory that `path` goes through: its own, and those of the links that it follows. The
    /// directory may be reached in another way than by the path that the store has.
    pub(crate) fn names_along(&self, path: &Path) -> Vec<String> {
        let Ok(dir) = fs::canonicalize(&self.dir) else { return Vec::new() };
        let Ok(path) = std::path::absolute(path) else { return Vec::new() };
        let here = follow(&path).filter(|(folder, _)| *folder == dir);
        let names = here.filter_map(|(_, name)| name.into_string().ok());
        names.filter(|name| fault(name).is_none()).collect()
    }

    /// Copies the file `from` into the directory as `name`, if it is what is expected.
    ///
    /// # Errors
    /// As [`Store::admit_from`].
    pub fn admit(&self, name: &str, expected: &Expected<'_>, from: &Path) -> Result<PathBuf> {
        let mut file = open_regular(from).map_err(|error| Error::io("open", from, error))?;
        self.admit_from(name, expected, &mut file)
    }

    /// Reads `source` to its end into the directory as `name`, if it is what is expected.
    ///
    /// The bytes are hashed while they are written to a temporary file, which takes its name in one step after it is
    /// safe on the disk. A file that is there already with the right content is left alone and `source` is not read;
    /// one with other content goes to the trash.
    ///
    /// # Errors
    /// [`ErrorKind::ModelCorrupt`] for other content than expected, [`ErrorKind::Io`] when reading or writing failed.
    /// After an error the directory holds the same models as before.
    pub fn admit_from(&self, name: &str, expected: &Expected<'_>, source: &mut dyn Read) -> Result<PathBuf> {
        let path = self.path(name)?;
        if self.verify(name, expected).is_ok() {
            return Ok(path);
        }
        let mut part = Part::create(self, name)?;
        let digest = part.append(source, expected.bytes)?;
        self.check(name, expected, &digest)?;
        part.publish(self, name)
    }

    /// Whether the file called `name` is what is expected.
    ///
    /// # Errors
    /// [`ErrorKind::ModelCorrupt`] when its length or hash differs, and what [`Store::existing`] says.
    pub fn verify(&self, name: &str, expected: &Expected<'_>) -> Result<()> {
        let path = self.existing(name)?;
        let mut file = open_regular(&path).map_err(|error| match error.kind() {
            // Another process may remove it in between.
            io::ErrorKind::NotFound => self.missing(name, "is not there"),
            _ => Error::io("open", &path, error),
        })?;
        let longest = expected.bytes.unwrap_or(LONGEST_MODEL);
        let digest = match file.metadata() {
            // A length tells it; whatever else is there may be more than could be read in a day.
            Ok(meta) if meta.len() > longest => Ok(Digest { bytes: meta.len(), sha256: String::new() }),
            Ok(_) => Digest::read(&mut file, Some(longest)),
            Err(error) => Err(error),
        };
        self.check(name, expected, &digest.map_err(|error| Error::io("read", &path, error))?)
    }

    /// Compares what was found with what is expected; the length first, because it tells more.
    pub(super) fn check(&self, name: &str, expected: &Expected<'_>, found: &Digest) -> Result<()> {
        let what = match expected.bytes {
            Some(bytes) if found.bytes > bytes => format!("it is longer than the expected {bytes} bytes"),
            Some(bytes) if found.bytes < bytes => format!("expected {bytes} bytes, found {}", found.bytes),
            None if found.bytes > LONGEST_MODEL => format!("it is longer than {LONGEST_MODEL} bytes, as no model is"),
            _ if expected.sha256.eq_ignore_ascii_case(&found.sha256) => return Ok(()),
            _ => format!("expected SHA-256 {}, found {}", expected.sha256, found.sha256),
        };
        let message = format!("wrong content for {}: {what}", self.dir.join(name).display());
        Err(Error::new(ErrorKind::ModelCorrupt, message).with_hint_for(|reader| self.advice(reader, name, true)))
    }

    /// The error for a model file that cannot be used, and `why`: that it is not there, for example.
    pub(crate) fn missing(&self, name: &str, why: &str) -> Error {
        let message = format!("the model file {name} {why} in {}", self.dir.display());
        Error::new(ErrorKind::ModelNotFound, message).with_hint_for(|reader| self.advice(reader, name, false))
    }

    /// Returns what to do about a model file that is missing, or there with wrong content.
    fn advice(&self, reader: Audience, name: &str, is_there: bool) -> String {
        match catalog::find(name) {
            Some(_) => format!("fetch it with {}", self.how_to(reader, Action::Pull(&[name]))),
            None if is_there => format!("put the right file in the place of {name}, or give the hash that it has"),
            None if fs::symlink_metadata(self.dir.join(name)).is_err() => {
                format!("{name} is not in the catalog: put the file there yourself")
            }
            None if !is_model_name(name) => format!("names of models end with .{}: rename it", SUFFIXES.join(", .")),
            None => "put the model itself there: a file, or a link to one of the directory".to_owned(),
        }
    }

    /// Whether a directory entry is a regular file, or a link to one inside of the directory.
    fn is_listed(&self, entry: &DirEntry) -> bool {
        match entry.file_type() {
            Ok(kind) if kind.is_file() => true,
            Ok(kind) if kind.is_symlink() => is_regular(&entry.path()) && !self.leaves(&entry.path()),
            _ => false,
        }
    }

    /// Whether `path`, in the directory, is a link to something outside of it, or to its bookkeeping.
    fn leaves(&self, path: &Path) -> bool {
        let is_link = fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
        is_link
            && match (fs::canonicalize(path), fs::canonicalize(&self.dir)) {
                (Ok(target), Ok(dir)) => !target.starts_with(&dir) || target.starts_with(dir.join(BOOKKEEPING)),
                _ => true,
            }
    }

    fn unreadable(&self, error: io::Error) -> Error {
        disk::failed("list the model directory", &self.dir, error)
    }
}

/// Follows links. One that leads nowhere, or where this user may not look, is no file that could be read.
fn is_regular(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|meta| meta.is_file())
}

#[cfg(test)]
mod killed;
#[cfg(test)]
#[cfg(unix)]
mod links;
#[cfg(test)]
mod tests;
