//! Reading files by all processors at once.

use std::cmp::Reverse;
use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::iter;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::SystemTime;

use super::super::digest::{Digest, Hasher};
use super::key::{Key, notes_changes};
use super::structure::Structure;
use crate::files::open_regular;
use crate::models::catalog::Entry;
use crate::onnx::{LONGEST_MODEL, look_over};

/// Only one file larger than this is in memory at a time: three times the largest of the default models.
const LARGE: u64 = 64 << 20;

/// As in [`super::super::digest`]: the hash finds in the cache what was read.
const CHUNK: usize = 64 * 1024;

/// The content of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Content {
    pub(super) bytes: u64,
    pub(super) sha256: String,
    /// None where it does not matter: the name or the hash says what the file has to be.
    pub(super) structure: Option<Structure>,
    /// True if somebody wrote to it while it was read.
    pub(super) is_changing: bool,
    /// The key that tells this content from a later one in the same file, where that is known.
    pub(super) key: Option<Key>,
}

/// The outcome of reading a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    Read(Content),
    /// It is no longer there.
    Gone,
    /// Why it could not be read.
    Failed(String),
}

/// A file to read.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub(super) path: PathBuf,
    /// About how long it is.
    pub(super) bytes: u64,
    /// True if its structure is wanted, if the catalog does not know its hash.
    pub(super) is_unknown: bool,
}

impl Job {
    fn is_large(&self) -> bool {
        self.is_unknown && self.bytes > LARGE
    }
}

/// Reads all files, the longest first, so that no processor is left with a long one at the end.
pub(super) fn read_all(jobs: &[Job], catalog: &[Entry]) -> Vec<Outcome> {
    let mut order: Vec<_> = jobs.iter().enumerate().collect();
    order.sort_by_key(|(_, job)| Reverse(job.bytes));
    // One thread reads all of the large ones: never two at a time.
    let (large, others): (Vec<_>, Vec<_>) = order.into_iter().partition(|(_, job)| job.is_large());
    let next = AtomicUsize::new(0);
    let outcomes = Mutex::new(vec![Outcome::Gone; jobs.len()]);
    let work = |first: &[(usize, &Job)]| {
        let mut buffer = Vec::new();
        let others = iter::from_fn(|| others.get(next.fetch_add(1, Ordering::Relaxed)));
        for (index, job) in first.iter().chain(others) {
            let outcome = read(job, catalog, &mut buffer);
            if let Some(slot) = outcomes.lock().unwrap_or_else(PoisonError::into_inner).get_mut(*index) {
                *slot = outcome;
            }
        }
    };
    let helpers = thread::available_parallelism().map_or(1, usize::from).min(jobs.len()).saturating_sub(1);
    thread::scope(|scope| {
        for _ in 0..helpers {
            // If the system allows no more threads, the others do the work.
            let _ = thread::Builder::new().spawn_scoped(scope, || work(&[]));
        }
        work(&large);
    });
    outcomes.into_inner().unwrap_or_else(PoisonError::into_inner)
}

/// Reads a file, and once again if somebody wrote to it meanwhile.
pub(super) fn read(job: &Job, catalog: &[Entry], buffer: &mut Vec<u8>) -> Outcome {
    let mut content = read_once(job, catalog, buffer);
    if content.as_ref().is_ok_and(|content| content.is_changing) {
        content = read_once(job, catalog, buffer);
    }
    if buffer.len() as u64 > LARGE {
        *buffer = Vec::new();
    }
    match content {
        Ok(content) => Outcome::Read(content),
        Err(error) if error.kind() == io::ErrorKind::NotFound && fs::symlink_metadata(&job.path).is_err() => {
            Outcome::Gone
        }
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

fn read_once(job: &Job, catalog: &[Entry], buffer: &mut Vec<u8>) -> io::Result<Content> {
    let mut file = open_regular(&job.path)?;
    let before = file.metadata()?;
    if before.len() > LONGEST_MODEL {
        // Its length tells it; what else is there may be more than could be read in a day.
        let structure = Structure::neither("no ONNX model: it is longer than 2 GiB, which none can be");
        let sha256 = String::new();
        return Ok(Content { bytes: before.len(), sha256, structure: Some(structure), is_changing: false, key: None });
    }
    let (digest, structure) = match job.is_unknown {
        false => (Digest::read(&mut file, Some(before.len()))?, None),
        true => read_unknown(&mut file, before.len(), catalog, buffer)?,
    };
    let after = file.metadata()?;
    let is_changing = stamp(&before) != stamp(&after) || digest.bytes != before.len();
    let is_settled = |key: &Key| !is_changing && Key::of(&after).as_ref() == Some(key);
    let key = Key::of(&before).filter(|key| is_settled(key) && notes_changes(&file));
    Ok(Content { bytes: digest.bytes, sha256: digest.sha256, structure, is_changing, key })
}

fn stamp(meta: &Metadata) -> (u64, Option<SystemTime>) {
    (meta.len(), meta.modified().ok())
}

/// Hashes a file and, if the catalog does not know the hash, looks at its structure.
fn read_unknown(
    file: &mut File,
    bytes: u64,
    catalog: &[Entry],
    buffer: &mut Vec<u8>,
) -> io::Result<(Digest, Option<Structure>)> {
    // A large file need not be in memory to know that it is no model.
    let outline = if bytes > LARGE { look_over(file)? } else { Ok(()) };
    let (digest, structure) = match (outline, usize::try_from(bytes)) {
        (Ok(()), Ok(length)) => {
            let (digest, filled) = load(file, length, buffer)?;
            (digest, Structure::of(buffer.get(..filled).unwrap_or_default()))
        }
        (Ok(()), Err(_)) => return Err(io::ErrorKind::FileTooLarge.into()),
        (Err(why), _) => (Digest::read(file, Some(bytes))?, Structure::neither(&why.to_string())),
    };
    match known(catalog, digest.bytes, &digest.sha256) {
        Some(_) => Ok((digest, None)),
        None => Ok((digest, Some(structure))),
    }
}

/// Reads about `bytes` into the start of the buffer, which is kept from file to file because new memory costs time, and
/// hashes them on the way. Gives how many there were: at most one more, since an end has to be seen.
fn load(file: &mut File, bytes: usize, buffer: &mut Vec<u8>) -> io::Result<(Digest, usize)> {
    let room = bytes.saturating_add(1);
    if buffer.len() < room {
        buffer.try_reserve_exact(room - buffer.len()).map_err(|_| io::ErrorKind::OutOfMemory)?;
        buffer.resize(room, 0);
    }
    let mut hasher = Hasher::default();
    let mut filled: usize = 0;
    while let Some(free) = buffer.get_mut(filled..room.min(filled.saturating_add(CHUNK))) {
        let count = match file.read(free) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            read => read?,
        };
        if count == 0 {
            break;
        }
        hasher.update(free.get(..count).unwrap_or_default());
        filled = filled.saturating_add(count);
    }
    Ok((hasher.finish(), filled))
}

/// Returns the catalog's entry with this content.
pub(super) fn known<'a>(catalog: &'a [Entry], bytes: u64, sha256: &str) -> Option<&'a Entry> {
    catalog.iter().find(|entry| entry.sha256 == sha256 && entry.bytes.is_none_or(|expected| expected == bytes))
}

#[cfg(test)]
mod tests;
