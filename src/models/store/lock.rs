//! Locks between processes, on files that are only there to be locked.
//!
//! The system gives a lock back when its holder ends, in whatever way. Model files are never locked. A file system
//! without locks is used without them: what is lost then is said at each lock.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{Store, disk};
use crate::error::{Error, ErrorKind, Result};

/// How long a process waits for others that change the directory. They hold the lock for some renames only.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(2);

/// How an attempt to lock a file came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is locked until it is closed.
    Held,
    /// Another one holds a lock on it.
    Busy,
    /// This file system has no locks.
    Unsupported,
}

/// Whether others may hold the same lock beside.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mode {
    /// Not with an exclusive one.
    Shared,
    /// Alone.
    Exclusive,
}

/// Tries to lock `file`, without waiting.
pub(super) fn attempt(file: &File, mode: Mode) -> Attempt {
    #[cfg(test)]
    if testing::are_missing() {
        return Attempt::Unsupported;
    }
    let outcome = match mode {
        Mode::Shared => file.try_lock_shared(),
        Mode::Exclusive => file.try_lock(),
    };
    match outcome {
        Ok(()) => Attempt::Held,
        Err(TryLockError::WouldBlock) => Attempt::Busy,
        // Each system has its own way to say no.
        Err(TryLockError::Error(_)) => Attempt::Unsupported,
    }
}

/// Tries until it is no longer busy.
pub(super) fn wait(file: &File, mode: Mode) -> Option<Attempt> {
    let started = Instant::now();
    loop {
        match attempt(file, mode) {
            Attempt::Busy if started.elapsed() > PATIENCE => return None,
            Attempt::Busy => thread::sleep(PAUSE),
            outcome => return Some(outcome),
        }
    }
}

/// Whether `path` still names the open `file`: another process may have moved or removed it before it was locked.
pub(super) fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::symlink_metadata(path)) {
        (Ok(open), Ok(named)) => is_same(&open, &named),
        _ => false,
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.len() == other.len() && one.created().ok() == other.created().ok()
}

/// The right to change the directory, or to rely on it not being changed, until it is dropped.
///
/// Without locks two commands may meet; each single change is one rename and stays whole.
#[derive(Debug)]
pub(super) struct Hold {
    _file: File,
}

impl Store {
    /// Waits until nobody removes or restores files.
    pub(super) fn hold_shared(&self) -> Result<Hold> {
        self.hold(Mode::Shared)
    }

    /// Waits until nobody else holds the directory in any way.
    pub(super) fn hold_alone(&self) -> Result<Hold> {
        self.hold(Mode::Exclusive)
    }

    fn hold(&self, mode: Mode) -> Result<Hold> {
        disk::create_folders(&self.bookkeeping())?;
        let path = self.bookkeeping().join("lock");
        loop {
            let file = disk::open(&path, false).map_err(|error| Error::io("open", &path, error))?;
            match wait(&file, mode) {
                None => return Err(self.busy()),
                // Without locks, or somebody removed the file by hand while this one waited.
                Some(outcome) if outcome == Attempt::Unsupported || is_at(&file, &path) => {
                    return Ok(Hold { _file: file });
                }
                Some(_) => {}
            }
        }
    }

    fn busy(&self) -> Error {
        let message = format!(
            "another process has been changing the model directory {} for {} seconds",
            self.dir().display(),
            PATIENCE.as_secs()
        );
        Error::new(ErrorKind::Io, message)
            .with_source(io::Error::from(io::ErrorKind::TimedOut))
            .with_hint("look for a stopped ferrocr process, end it and try again")
    }
}

/// A file system without locks, for the thread of a test.
#[cfg(test)]
pub(super) mod testing {
    use std::cell::Cell;

    thread_local! {
        static MISSING: Cell<bool> = const { Cell::new(false) };
    }

    pub(super) fn are_missing() -> bool {
        MISSING.get()
    }

    /// Runs `work` as if the file system had no locks.
    pub(in crate::models) fn without_locks<T>(work: impl FnOnce() -> T) -> T {
        MISSING.set(true);
        let outcome = work();
        MISSING.set(false);
        outcome
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path()).unwrap();
        (dir, store)
    }

    #[test]
    fn one_alone_or_many_together() {
        let (_dir, store) = store();
        let path = store.bookkeeping().join("lock");
        let first = store.hold_shared().unwrap();
        let _second = store.hold_shared().unwrap();
        let other = disk::open(&path, false).unwrap();
        assert_eq!(attempt(&other, Mode::Exclusive), Attempt::Busy);
        drop(first);
        assert_eq!(attempt(&other, Mode::Exclusive), Attempt::Busy);
        drop(_second);
        assert_eq!(attempt(&other, Mode::Exclusive), Attempt::Held);
        assert_eq!(attempt(&disk::open(&path, false).unwrap(), Mode::Shared), Attempt::Busy);
    }

    #[test]
    fn a_lock_file_that_was_removed_by_hand_holds_nobody_up() {
        let (_dir, store) = store();
        let held = store.hold_alone().unwrap();
        fs::remove_dir_all(store.bookkeeping()).unwrap();
        let _again = store.hold_alone().unwrap();
        drop(held);
    }

    #[test]
    fn without_locks_nobody_waits() {
        let (_dir, store) = store();
        testing::without_locks(|| {
            let _first = store.hold_alone().unwrap();
            let _second = store.hold_alone().unwrap();
        });
    }
}
