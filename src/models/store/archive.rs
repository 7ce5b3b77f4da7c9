//! Models in one file, for machines without a network.
//!
//! # Format
//! A zip archive without folders. Each model is an entry of its own name; the list of characters beside a model, which
//! has the model's name with the suffix `.txt`, goes along. One more entry says what the others have to be, in JSON:
//!
//! ```json
//! {"format": "ferrocr-models", "version": 1,
//!  "files": [{"name": "a.onnx", "bytes": 3, "sha256": "ba7816bf..."}]}
//! ```
//!
//! It is called `ferrocr-models.json` and lists every other entry. [`Store::export`] writes entries uncompressed, in the
//! order of their names, with the list last and all times the same: the same models give the same bytes. Reading also
//! takes what another program packed again, compressed or in another order. Keys it does not know are left alone; a
//! change that an older reader must not ignore gets another version.
//!
//! # Trust
//! An archive is foreign bytes. Its list says nothing about who made it, so a name of the catalog has to come with the
//! catalog's hash; other models are as good as the way by which the archive came.

use std::time::{Duration, Instant};

use super::{LONGEST_MODEL, fault, is_model_name};
use crate::error::{Error, ErrorKind, Result};
use crate::models::{LONGEST_LIST, catalog};

mod export;
mod import;
mod manifest;
mod output;
mod read;

pub use import::ImportOptions;
pub use manifest::ArchiveFile;
pub use read::Archive;

/// Name of the entry that lists the others.
const MANIFEST: &str = "ferrocr-models.json";

/// The most files of an archive, many times the catalog.
const MOST_FILES: usize = 1000;

/// How often progress is told: often enough to look alive and to end soon, seldom enough to cost nothing.
const TICK: Duration = Duration::from_millis(100);

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its name, in the archive as in the directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its content in lower-case hexadecimal digits.
    pub sha256: String,
    /// Of an import: whether it was put in place, or would be. A file that is there with this content is left alone. Of
    /// an export: whether it was written.
    pub is_new: bool,
    /// Why an export left it out; the hash is empty where it could not be read.
    pub left_out: Option<String>,
}

impl Archived {
    fn new(file: &ArchiveFile, is_new: bool) -> Self {
        let ArchiveFile { name, bytes, sha256 } = file.clone();
        Self { name, bytes, sha256, is_new, left_out: None }
    }
}

/// How far an export or import is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveProgress<'a> {
    /// The file at work.
    pub name: &'a str,
    /// Bytes of the whole work that are done.
    pub done: u64,
    /// Bytes of the whole work.
    pub total: u64,
}

/// Is told how far it is, several times a second; saying `false` ends the work.
type Tell<'a> = &'a mut dyn FnMut(ArchiveProgress<'_>) -> bool;

/// Counts the bytes of the whole work.
struct Meter<'a> {
    tell: Tell<'a>,
    done: u64,
    total: u64,
    told: Instant,
}

impl<'a> Meter<'a> {
    fn new(tell: Tell<'a>, total: u64) -> Self {
        Self { tell, done: 0, total, told: Instant::now() }
    }

    /// Counts bytes of the file called `name`.
    fn add(&mut self, name: &str, bytes: usize) -> Result<()> {
        // A file that turns out too long is refused a moment later.
        self.done = self.done.saturating_add(bytes as u64).min(self.total);
        if self.told.elapsed() < TICK { Ok(()) } else { self.tell(name) }
    }

    fn tell(&mut self, name: &str) -> Result<()> {
        self.told = Instant::now();
        match (self.tell)(ArchiveProgress { name, done: self.done, total: self.total }) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Cancelled, format!("the work on {name} was ended early"))),
        }
    }
}

/// The most bytes that the file called `name` may have: a list of characters is read as a whole.
fn longest(name: &str) -> u64 {
    if is_model_name(name) { LONGEST_MODEL } else { LONGEST_LIST }
}

/// Why `name` cannot be in an archive, which is read on all platforms.
fn name_fault(name: &str) -> Option<&'static str> {
    match fault(name) {
        None if name.ends_with([' ', '.']) => Some("it ends with a space or a dot"),
        fault => fault,
    }
}

/// Refuses other content under the name of a known model. Case does not count: on some systems both are one file.
fn check_known(file: &ArchiveFile) -> Result<()> {
    let entry = catalog::entries().iter().find(|entry| entry.name.eq_ignore_ascii_case(&file.name));
    match entry {
        Some(entry) if !entry.sha256.eq_ignore_ascii_case(&file.sha256) => {
            let message = format!(
                "{} is not the known model of that name: expected SHA-256 {}, found {}",
                file.name, entry.sha256, file.sha256
            );
            Err(Error::new(ErrorKind::ModelCorrupt, message))
        }
        _ => Ok(()),
    }
}

/// Whether the content is that of a known model, of whatever name.
fn is_known(file: &ArchiveFile) -> bool {
    catalog::entries().iter().any(|entry| entry.sha256 == file.sha256)
}

/// A foreign name in a message: quoted, and not longer than a line.
fn shown(name: &str) -> String {
    let start: String = name.chars().take(100).collect();
    if start.len() < name.len() { format!("{start:?}...") } else { format!("{name:?}") }
}

#[cfg(test)]
mod tests;
