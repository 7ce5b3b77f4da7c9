//! Locks between processes, on files that are only there to be locked.
//!
//! The system gives a lock back when its holder ends, in whatever way. Model files are never locked. A file system
//! without locks is used without them: what is lost then is said at each lock.

use std::fs::{self, File, TryLockError};
use std::io;
use std::ops::{Deref, DerefMut};
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use super::{Store, disk};
use crate::error::{Error, ErrorKind, Result};
use crate::process::Owner;

/// How long a process waits for others that change the directory. They hold the lock for some renames only.
const PATIENCE: Duration = Duration::from_secs(30);

/// How often it looks.
const PAUSE: Duration = Duration::from_millis(2);

/// Name of the file that is locked by who holds the directory.
const LOCK: &str = "lock";

/// Name of the file that is locked by who waits to hold the directory alone.
const GATE: &str = "gate";

/// Names of the lock files, for who asks what belongs to the bookkeeping.
pub(super) const NAMES: [&str; 2] = [LOCK, GATE];

/// How an attempt to lock a file came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is locked until it is unlocked, or closed by all who have it open.
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
    wait_since(file, mode, Instant::now())
}

fn wait_since(file: &File, mode: Mode, started: Instant) -> Option<Attempt> {
    loop {
        match attempt(file, mode) {
            Attempt::Busy if started.elapsed() > PATIENCE => return None,
            Attempt::Busy => thread::sleep(PAUSE),
            outcome => return Some(outcome),
        }
    }
}

/// An open file that this process locks, or tries to. Dropping it frees the lock.
///
/// Closing it would not be enough: a child that was forked meanwhile has the same open file for as long as it lives. The
/// lock is its parent's alone, so dropping it in the child frees nothing.
#[derive(Debug)]
pub(super) struct Locked {
    file: File,
    owner: Owner,
}

impl Locked {
    /// Answers for the lock on `file` from now on, which may be taken later.
    pub(super) fn new(file: File) -> Self {
        Self { file, owner: Owner::this_process() }
    }

    /// A file of the bookkeeping that is there; see [`disk::open_there`].
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        disk::open_there(path).map(Self::new)
    }

    /// The same open file as a child has it that was forked just now.
    #[cfg(test)]
    pub(super) fn in_a_child(&self) -> Self {
        Self { file: self.file.try_clone().unwrap(), owner: Owner::parent() }
    }

    /// Whether this is the process that opened it, and not a child that was forked from it.
    pub(super) fn is_ours(&self) -> bool {
        self.owner.is_here()
    }
}

impl Deref for Locked {
    type Target = File;

    fn deref(&self) -> &File {
        &self.file
    }
}

impl DerefMut for Locked {
    fn deref_mut(&mut self) -> &mut File {
        &mut self.file
    }
}

impl Drop for Locked {
    fn drop(&mut self) {
        if self.is_ours() {
            // It may not have been locked, and closing comes next.
            let _ = self.file.unlock();
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
    _lock: Locked,
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

    /// Holds the directory alone if nobody else holds it or waits for it, and this file system has locks.
    pub(super) fn try_hold_alone(&self) -> Option<Hold> {
        let locked = |name| {
            let path = self.bookkeeping().join(name);
            let file = Locked::new(disk::open(&path, false).ok()?);
            (attempt(&file, Mode::Exclusive) == Attempt::Held && is_at(&file, &path)).then_some(file)
        };
        let _gate = locked(GATE)?;
        locked(LOCK).map(|lock| Hold { _lock: lock })
    }

    /// The caller must not hold the directory already: it would wait for one who waits for it.
    fn hold(&self, mode: Mode) -> Result<Hold> {
        let started = Instant::now();
        disk::create_folders(&self.bookkeeping())?;
        let _gate = self.pass_gate(mode, started)?;
        let path = self.bookkeeping().join(LOCK);
        while started.elapsed() <= PATIENCE {
            let file = disk::open(&path, false).map_err(|error| disk::failed("open", &path, error))?;
            let lock = Locked::new(file);
            match wait_since(&lock, mode, started) {
                None => break,
                Some(outcome) if outcome == Attempt::Unsupported || is_at(&lock, &path) => {
                    return Ok(Hold { _lock: lock });
                }
                // Somebody removed the file by hand while this one waited.
                Some(_) => thread::sleep(PAUSE),
            }
        }
        Err(self.busy())
    }

    /// Lets those who wait to hold the directory alone go first: they keep the gate locked until they hold it. Without
    /// a gate, others who hold it together by turns would never all be away.
    fn pass_gate(&self, mode: Mode, started: Instant) -> Result<Option<Locked>> {
        // It is about fairness only: who may not open it goes without.
        let Ok(gate) = disk::open(&self.bookkeeping().join(GATE), false) else { return Ok(None) };
        let gate = Locked::new(gate);
        match wait_since(&gate, mode, started) {
            None => Err(self.busy()),
            Some(_) => Ok((mode == Mode::Exclusive).then_some(gate)),
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
mod tests;
