//! A file or folder that is still being written, and the one step in which a file gets its name.
//!
//! Both lie in the folder for unfinished things and are locked by whoever works on them. Once its maker is gone the
//! lock is free, which tells what was left behind from what is still growing.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use super::digest::{Digest, Hasher};
use super::directory::{Access, Directory, Kind, Location, Status};
use super::disk;
use super::layout::INCOMING;
use super::layout::Layout;
use super::lock::DirectoryLock;
use super::lock::{self, Attempt, Locked, Mode};
use super::temporary::unique;
use super::trash::Trash;
use crate::error::{Error, Result};

/// Ends the name of a download that a later one goes on with.
pub(super) const RESUMABLE: &str = "part";

/// Ends the name of what is worth nothing once its maker is gone.
pub(super) const TEMPORARY: &str = "tmp";

/// Name of the lock inside of a [`Folder`].
const FOLDER_LOCK: &str = ".lock";

/// The most times that a file is opened again because others took and removed it before it was locked. Each time is one
/// of them done.
const TRIES: u32 = 16;

/// An unfinished file that only this call works on.
#[derive(Debug)]
pub(in crate::models) struct Part {
    at: Location,
    file: Locked,
    /// True if a later call may go on with what this one leaves.
    stays: bool,
}

impl Part {
    /// Returns an empty file for what will be called `name`; nobody else ever works on it, and it goes when it is
    /// dropped.
    pub(in crate::models) fn create(layout: &Layout, name: &str) -> Result<Self> {
        // Between its making and its lock it looks left behind: whoever sweeps holds the directory alone.
        let _hold = DirectoryLock(layout).hold_shared()?;
        let at = layout.make_folder(INCOMING)?.at(format!("{}.{TEMPORARY}", unique(name)));
        let file = make_locked(layout, &at)?;
        Ok(Self { at, file, stays: false })
    }

    /// Returns the unfinished download of `name` with the hash `sha256`, with the bytes that are there; none while
    /// another call works on it, in whatever process.
    ///
    /// Without locks it is a file of its own, which starts empty.
    pub(in crate::models) fn claim(layout: &Layout, name: &str, sha256: &str) -> Result<Option<Self>> {
        let at = layout.make_folder(INCOMING)?.at(resumable(name, sha256));
        match claim_file(&at)? {
            None => Ok(None),
            Some((_, Attempt::Unsupported)) => Self::create(layout, name).map(Some),
            Some((file, _)) => Ok(Some(Self { at, file, stays: true })),
        }
    }

    /// Returns the bytes that have arrived of the unfinished download of `name`, whoever works on it.
    pub(in crate::models) fn arrived(layout: &Layout, name: &str, sha256: &str) -> u64 {
        unfinished(layout, name, sha256).map_or(0, |status| status.bytes)
    }

    /// Removes the unfinished download of `name`, which arrived in another way, unless a call works on it.
    pub(in crate::models) fn forget(layout: &Layout, name: &str, sha256: &str) {
        if unfinished(layout, name, sha256).is_some()
            // An audit sees files that cannot be removed now.
            && let Ok(Some(part)) = Self::claim(layout, name, sha256)
        {
            part.discard();
        }
    }

    /// Returns the bytes that are there.
    pub(in crate::models) fn len(&self) -> Result<u64> {
        self.file.metadata().map(|meta| meta.len()).map_err(|error| Error::io("read", &self.at.path(), error))
    }

    /// Returns its name among the unfinished.
    #[cfg(test)]
    pub(super) fn name(&self) -> &std::ffi::OsStr {
        self.at.name()
    }

    /// Returns the bytes that have arrived, to be read through the handle that has the lock: where locks are mandatory
    /// no other one can.
    pub(in crate::models) fn content(&self) -> &File {
        &self.file
    }

    /// Cuts it off after `bytes`, and writes on from there.
    pub(in crate::models) fn cut(&mut self, bytes: u64) -> Result<()> {
        let cut = disk::cut(&self.file, bytes).and_then(|()| self.file.seek(SeekFrom::Start(bytes)));
        cut.map(|_| ()).map_err(|error| Error::io("write", &self.at.path(), error))
    }

    /// Adds all of `source` to what is there, and gives the digest of the whole, which is safe on the disk then.
    ///
    /// With a `limit`, reading ends once there are more bytes than that.
    pub(in crate::models) fn append(&mut self, source: &mut dyn Read, limit: Option<u64>) -> Result<Digest> {
        let at = &self.at;
        let failed = |error| Error::io("copy a model to", &at.path(), error);
        let mut hasher = Hasher::default();
        let start = self.file.seek(SeekFrom::Start(0));
        let before = start.and_then(|_| hasher.read(&mut *self.file, None, |_| Ok(())));
        before.map_err(failed)?;
        let file = &mut self.file;
        hasher.read(source, limit, |chunk| disk::write(file, chunk)).map_err(failed)?;
        disk::sync(&self.file, &self.at.path())?;
        Ok(hasher.finish())
    }

    /// Gives the file its name in the directory in one step. What had the name goes to the trash.
    pub(in crate::models) fn publish(mut self, layout: &Layout, name: &str) -> Result<PathBuf> {
        let path = layout.path(name)?;
        let _hold = DirectoryLock(layout).hold_shared()?;
        disk::make_usual(&self.file);
        Trash(layout).publish_held(&[(self.at.clone(), layout.at(name)?)])?;
        // It is no longer there to be removed.
        self.stays = true;
        Ok(path)
    }

    /// Gives the file its name in the bookkeeping in one step, and replaces what had it.
    pub(super) fn put_in_place(&self, to: &Location) -> Result<()> {
        disk::make_usual(&self.file);
        disk::replace(&self.at, to)
    }

    /// Removes it, with all that arrived.
    pub(in crate::models) fn discard(mut self) {
        self.stays = false;
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let is_empty = || self.file.metadata().is_ok_and(|meta| meta.len() == 0);
        // A forked child has the file too, and must leave it to its parent. What was published has another name now,
        // and its old one may be another call's.
        if self.file.is_ours() && (!self.stays || is_empty()) && self.at.is(&self.file) {
            // Nobody is left to tell; what stays behind lies where unfinished files lie.
            let _ = disk::remove_file(&self.at);
        }
    }
}

/// A folder for unfinished things. Dropping it removes it with all that is in it.
#[derive(Debug)]
pub(in crate::models) struct Folder {
    at: Location,
    directory: Directory,
    lock: Locked,
}

impl Folder {
    /// Returns an empty folder, but for its lock.
    pub(in crate::models) fn create(layout: &Layout, name: &str) -> Result<Self> {
        let _hold = DirectoryLock(layout).hold_shared()?;
        let at = layout.make_folder(INCOMING)?.at(format!("{}.{TEMPORARY}", unique(name)));
        let made = disk::make_new_folder(&at);
        let directory = made.map_err(|error| Error::io("create the directory", &at.path(), error))?;
        let lock = make_locked(layout, &directory.at(FOLDER_LOCK))?;
        Ok(Self { at, directory, lock })
    }

    /// Returns its path.
    #[cfg(test)]
    pub(super) fn path(&self) -> &std::path::Path {
        self.directory.path()
    }

    /// Returns a file in it.
    pub(super) fn at(&self, name: &str) -> Location {
        self.directory.at(name)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A forked child leaves it to its parent.
        if self.lock.is_ours() {
            // Nobody is left to tell; what stays behind lies where unfinished files lie.
            let _ = disk::remove_folder(&self.at);
        }
    }
}

/// The folder of what is unfinished.
pub(super) struct Incoming<'a>(pub(super) &'a Layout);

impl Incoming<'_> {
    /// Returns the folder for unfinished files, in the same file system as the models; it is made if it is not there.
    pub(super) fn scratch(&self) -> Result<PathBuf> {
        self.0.make_folder(INCOMING).map(|incoming| incoming.path().to_owned())
    }

    /// Removes what calls that are gone left behind and nobody goes on with.
    pub(super) fn sweep(&self) -> Result<()> {
        let Ok(Some(incoming)) = self.0.open_folder(INCOMING) else { return Ok(()) };
        let suffix = format!(".{TEMPORARY}");
        let found = incoming.names().unwrap_or_default().into_iter();
        let leftovers: Vec<_> = found.filter(|name| name.to_string_lossy().ends_with(&suffix)).collect();
        if leftovers.is_empty() {
            return Ok(());
        }
        let _hold = DirectoryLock(self.0).hold_alone()?;
        for name in leftovers {
            if let Some(left) = take_left(&incoming.at(name)) {
                left.remove()?;
            }
        }
        Ok(())
    }
}

/// An unfinished file or folder that its maker has left behind. While this is there, no call takes it up.
#[derive(Debug)]
pub(super) struct Leftover {
    at: Location,
    is_folder: bool,
    _lock: Option<Locked>,
}

impl Leftover {
    /// Removes it for good.
    pub(super) fn remove(self) -> Result<()> {
        // It is unlocked after that: whoever waits for the lock then sees that the file is gone.
        match self.is_folder {
            true => disk::remove_folder(&self.at),
            false => disk::remove_file(&self.at),
        }
    }
}

/// Returns the unfinished file or folder `at` some place, if nobody works on it any more; none also where that cannot
/// be told.
///
/// The caller holds the directory alone: a folder is made a moment before its lock.
pub(super) fn take_left(at: &Location) -> Option<Leftover> {
    let (is_folder, lock_at) = lock_of(at)?;
    let lock = match Locked::open(&lock_at) {
        Ok(lock) if lock::attempt(&lock, Mode::Exclusive) == Attempt::Held && lock_at.is(&lock) => Some(lock),
        Err(error) if is_folder && error.kind() == io::ErrorKind::NotFound => None,
        _ => return None,
    };
    Some(Leftover { at: at.clone(), is_folder, _lock: lock })
}

/// Tells whether nobody works any more on the unfinished file or folder `at` some place; none where that cannot be
/// told.
///
/// A call may take it up right after this: who removes it needs [`take_left`].
pub(super) fn is_left(at: &Location) -> Option<bool> {
    let (_, lock_at) = lock_of(at)?;
    match Locked::open(&lock_at) {
        Ok(file) => match lock::attempt(&file, Mode::Shared) {
            Attempt::Held => Some(true),
            Attempt::Busy => Some(false),
            Attempt::Unsupported => None,
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => Some(true),
        Err(_) => None,
    }
}

/// Tells a folder from a file, and finds the file that is locked by who works on it; none if it is gone.
fn lock_of(at: &Location) -> Option<(bool, Location)> {
    match at.status().ok()?.kind {
        Kind::Folder => Some((true, at.directory().folder(at.name()).ok()?.at(FOLDER_LOCK))),
        _ => Some((false, at.clone())),
    }
}

/// Returns a new file, locked where there are locks. The caller holds the directory.
fn make_locked(layout: &Layout, at: &Location) -> Result<Locked> {
    let made = disk::open_new(at, Access::Writers);
    let file = Locked::new(made.map_err(|error| disk::failed("create", &at.path(), error))?);
    DirectoryLock(layout).lock_new(&file)?;
    Ok(file)
}

/// Returns the file `at` some place, which is made if it is not there, and how locking it came out; none while another
/// call has it.
fn claim_file(at: &Location) -> Result<Option<(Locked, Attempt)>> {
    for _ in 0..TRIES {
        let opened = disk::open(at, Access::Writers);
        let file = Locked::new(opened.map_err(|error| disk::failed("open", &at.path(), error))?);
        match lock::attempt(&file, Mode::Exclusive) {
            Attempt::Busy => return Ok(None),
            // The one before, or a sweep, has put it in place or removed it since it was opened.
            Attempt::Held if !at.is(&file) => {}
            outcome => return Ok(Some((file, outcome))),
        }
    }
    Ok(None)
}

/// Returns the unfinished download of `name`; none where there is none, or where that cannot be seen.
fn unfinished(layout: &Layout, name: &str, sha256: &str) -> Option<Status> {
    layout.open_folder(INCOMING).ok()??.at(resumable(name, sha256)).status().ok()
}

/// Returns the name of the unfinished download of `name`: the hash tells it from one of another version.
fn resumable(name: &str, sha256: &str) -> String {
    let start: String = sha256.chars().take(16).flat_map(char::to_lowercase).collect();
    format!("{name}.{start}.{RESUMABLE}")
}

#[cfg(test)]
mod tests;
