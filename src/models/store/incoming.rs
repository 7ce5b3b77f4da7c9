//! A file that is still being written, and the one step in which it gets its name.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::digest::Digest;
use crate::error::{Error, Result};

/// An unfinished file. Dropping it before [`Incoming::publish`] removes it.
#[derive(Debug)]
pub(super) struct Incoming {
    path: PathBuf,
    file: Option<File>,
}

impl Incoming {
    /// An empty file in `folder` for what will be called `name`.
    pub(super) fn create(folder: &Path, name: &str) -> Result<Self> {
        let path = folder.join(unique(name));
        let file = OpenOptions::new().write(true).create_new(true).open(&path);
        let file = file.map_err(|error| Error::io("create", &path, error))?;
        Ok(Self { path, file: Some(file) })
    }

    /// Writes all of `source` to the file, and waits until it is on the disk.
    pub(super) fn fill(&mut self, source: &mut dyn Read, limit: Option<u64>) -> Result<Digest> {
        let Some(file) = &mut self.file else {
            return Err(Error::io("write", &self.path, io::ErrorKind::NotFound.into()));
        };
        let digest = Digest::read(source, limit, |chunk| file.write_all(chunk));
        let digest = digest.map_err(|error| Error::io("copy a model to", &self.path, error))?;
        file.sync_all().map_err(|error| Error::io("write", &self.path, error))?;
        Ok(digest)
    }

    /// Gives the file its name in one step, replacing what had it.
    pub(super) fn publish(mut self, path: &Path) -> Result<()> {
        // Windows renames no open file.
        self.file = None;
        fs::rename(&self.path, path).map_err(|error| Error::io("put in place", path, error))?;
        self.path = PathBuf::new();
        path.parent().map_or(Ok(()), sync_directory)
    }
}

impl Drop for Incoming {
    fn drop(&mut self) {
        self.file = None;
        if !self.path.as_os_str().is_empty() {
            // Nobody is left to tell; what stays behind lies where unfinished files lie.
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// A folder for unfinished things. Dropping it removes it with all that is in it.
#[derive(Debug)]
pub(in crate::models) struct Folder(PathBuf);

impl Folder {
    /// An empty folder inside of `parent`.
    pub(super) fn create(parent: &Path, name: &str) -> Result<Self> {
        let path = parent.join(unique(name));
        fs::create_dir(&path).map_err(|error| Error::io("create the directory", &path, error))?;
        Ok(Self(path))
    }

    /// Where it is.
    pub(in crate::models) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // Nobody is left to tell; what stays behind lies where unfinished files lie.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A name no other call uses: the counter tells calls apart, the process id processes, and the time machines that share
/// the directory or a process id that is used again.
fn unique(name: &str) -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{name}.{}.{time:x}.{call}.part", process::id())
}

/// Makes the new name as durable as the bytes. Only Unix can, and needs it.
#[cfg(unix)]
fn sync_directory(path: &Path) -> Result<()> {
    File::open(path).and_then(|dir| dir.sync_all()).map_err(|error| Error::io("write the directory", path, error))
}

#[cfg(not(unix))]
fn sync_directory(_: &Path) -> Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_published_is_removed() {
        let dir = tempfile::tempdir().unwrap();
        let mut incoming = Incoming::create(dir.path(), "a.onnx").unwrap();
        incoming.fill(&mut &b"abc"[..], None).unwrap();
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
        drop(incoming);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn publishing_moves_the_bytes() {
        let dir = tempfile::tempdir().unwrap();
        let mut incoming = Incoming::create(dir.path(), "a.onnx").unwrap();
        incoming.fill(&mut &b"abc"[..], None).unwrap();
        let path = dir.path().join("a.onnx");
        incoming.publish(&path).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"abc");
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
    }

    #[test]
    fn a_folder_goes_with_all_that_is_in_it() {
        let dir = tempfile::tempdir().unwrap();
        let folder = Folder::create(dir.path(), "a").unwrap();
        fs::write(folder.path().join("x"), "x").unwrap();
        drop(folder);
        assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
    }

    #[test]
    fn two_for_the_same_name_do_not_meet() {
        let dir = tempfile::tempdir().unwrap();
        let first = Incoming::create(dir.path(), "a.onnx").unwrap();
        let second = Incoming::create(dir.path(), "a.onnx").unwrap();
        assert_ne!(first.path, second.path);
    }
}
