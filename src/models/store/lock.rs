//! Locks between processes, on files that are only there to be locked.
//!
//! The system gives a lock back when its holder ends, in whatever way. Model files are never locked. Whoever can open a
//! file can lock it, so files that are locked can be opened by those alone who may write to the directory. A file
//! system without locks is used without them: what is lost then is said at each lock.

use std::fs::{File, TryLockError};
use std::io;
use std::ops::{Deref, DerefMut};
use std::thread;
use std::time::{Duration, Instant};

use super::directory::{Access, Directory, Location};
use super::disk;
use super::layout::Layout;
use super::watch::Watch;
use crate::error::{Error, ErrorKind, Result};
use crate::process::Owner;

/// The time for which a process that changes the directory waits for others that do. They hold the lock for some
/// renames only.
const PATIENCE: Duration = Duration::from_secs(30);

/// The time for which a process waits that only wants a lease: it can do without. Removing 300 files in one go, and
/// restoring them, took up to 47 ms each on two busy cores.
const LEASE_PATIENCE: Duration = Duration::from_secs(1);

/// The time between two looks.
const PAUSE: Duration = Duration::from_millis(2);

/// The time between two looks whether to wait on: short enough for Ctrl-C to feel immediate.
const ASK: Duration = Duration::from_millis(50);

/// Name of the file that is locked by who holds the directory.
const LOCK: &str = "lock";

/// Name of the file that is locked by who waits to hold the directory alone.
const GATE: &str = "gate";

/// Names of the lock files, for who asks what belongs to the bookkeeping.
pub(super) const NAMES: [&str; 2] = [LOCK, GATE];

/// The outcome of an attempt to lock a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Attempt {
    /// It is locked until it is unlocked, or closed by all who have it open.
    Held,
    /// Another one holds a lock on it.
    Busy,
    /// This file system has no locks.
    Unsupported,
}

/// The mode of a lock.
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

/// A wait for other processes, of whatever number of locks.
struct Wait<'a> {
    started: Instant,
    patience: Duration,
    watch: &'a Watch,
    asked: Option<Instant>,
}

impl<'a> Wait<'a> {
    fn new(patience: Duration, watch: &'a Watch) -> Self {
        Self { started: Instant::now(), patience, watch, asked: None }
    }

    /// Lets some time pass; false when there was enough of it.
    fn pause(&mut self) -> Result<bool> {
        if self.asked.is_none_or(|asked| asked.elapsed() >= ASK) {
            self.watch.look()?;
            self.asked = Some(Instant::now());
        }
        thread::sleep(PAUSE);
        Ok(self.started.elapsed() <= self.patience)
    }

    /// Tries to lock `file` until it is no longer busy; none when that took too long.
    fn lock(&mut self, file: &File, mode: Mode) -> Result<Option<Attempt>> {
        loop {
            match attempt(file, mode) {
                Attempt::Busy => {
                    if !self.pause()? {
                        return Ok(None);
                    }
                }
                outcome => return Ok(Some(outcome)),
            }
        }
    }
}

/// An open file that this process locks, or tries to. Dropping it frees the lock.
///
/// Closing it would not be enough: a child that was forked meanwhile has the same open file for as long as it lives.
/// The lock is its parent's alone, so dropping it in the child frees nothing.
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

    /// Returns a file of the bookkeeping that is there; see [`disk::open_there`].
    pub(super) fn open(at: &Location) -> io::Result<Self> {
        disk::open_there(at).map(Self::new)
    }

    /// Returns the same open file as a child has it that was forked just now.
    #[cfg(test)]
    pub(super) fn in_a_child(&self) -> Self {
        Self { file: self.file.try_clone().unwrap(), owner: Owner::parent() }
    }

    /// Returns true if this is the process that opened it, and not a child that was forked from it.
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

/// The right to change the directory, or to rely on it not being changed, until it is dropped.
///
/// Without locks two commands may meet; each single change is one rename and stays whole.
#[derive(Debug)]
pub(super) struct Hold {
    _lock: Locked,
}

/// The lock on a model directory, which processes hold alone or together.
pub(super) struct DirectoryLock<'a>(pub(super) &'a Layout);

impl DirectoryLock<'_> {
    /// Waits until nobody removes or restores files.
    pub(super) fn hold_shared(&self) -> Result<Hold> {
        self.hold(Mode::Shared, PATIENCE)
    }

    /// Waits as [`DirectoryLock::hold_shared`] does, but not for long.
    pub(super) fn hold_briefly(&self) -> Result<Hold> {
        self.hold(Mode::Shared, LEASE_PATIENCE)
    }

    /// Waits until nobody else holds the directory in any way.
    pub(super) fn hold_alone(&self) -> Result<Hold> {
        self.hold(Mode::Exclusive, PATIENCE)
    }

    /// Holds the directory alone if nobody else holds it or waits for it, and this file system has locks.
    pub(super) fn try_hold_alone(&self) -> Option<Hold> {
        let bookkeeping = self.0.make_bookkeeping().ok()?;
        let locked = |name| {
            let at = bookkeeping.at(name);
            let file = Locked::new(disk::open(&at, Access::Writers).ok()?);
            (attempt(&file, Mode::Exclusive) == Attempt::Held && at.is(&file)).then_some(file)
        };
        let _gate = locked(GATE)?;
        locked(LOCK).map(|lock| Hold { _lock: lock })
    }

    /// Locks a file alone that was just made: nobody else knows of it, or only looks at it. False without locks.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when who looks at it takes about a second, and those of the watch.
    pub(super) fn lock_new(&self, file: &Locked) -> Result<bool> {
        let outcome = Wait::new(LEASE_PATIENCE, &self.0.watch).lock(file, Mode::Exclusive)?;
        outcome.map(|outcome| outcome == Attempt::Held).ok_or_else(|| self.busy(LEASE_PATIENCE))
    }

    /// Waits for the lock. The caller must not hold the directory already: it would wait for one who waits for it.
    fn hold(&self, mode: Mode, patience: Duration) -> Result<Hold> {
        let mut wait = Wait::new(patience, &self.0.watch);
        let _gate = self.pass_gate(&self.0.make_bookkeeping()?, mode, &mut wait)?;
        loop {
            // Somebody may have removed the folder by hand while this one waited.
            let at = self.0.make_bookkeeping()?.at(LOCK);
            let file = disk::open(&at, Access::Writers).map_err(|error| disk::failed("open", &at.path(), error))?;
            let lock = Locked::new(file);
            match wait.lock(&lock, mode)? {
                None => return Err(self.busy(patience)),
                Some(outcome) if outcome == Attempt::Unsupported || at.is(&lock) => return Ok(Hold { _lock: lock }),
                // Or the file.
                Some(_) if wait.pause()? => {}
                Some(_) => return Err(self.busy(patience)),
            }
        }
    }

    /// Lets those who wait to hold the directory alone go first: they keep the gate locked until they hold it. Without
    /// a gate, others who hold it together by turns would never all be away.
    fn pass_gate(&self, bookkeeping: &Directory, mode: Mode, wait: &mut Wait<'_>) -> Result<Option<Locked>> {
        // It is about fairness only: who may not open it goes without.
        let Ok(gate) = disk::open(&bookkeeping.at(GATE), Access::Writers) else { return Ok(None) };
        let gate = Locked::new(gate);
        match wait.lock(&gate, mode)? {
            None => Err(self.busy(wait.patience)),
            Some(_) => Ok((mode == Mode::Exclusive).then_some(gate)),
        }
    }

    fn busy(&self, patience: Duration) -> Error {
        let message = format!(
            "another process holds the lock of the model directory {}, and did not give it back within {} s",
            self.0.dir().display(),
            patience.as_secs()
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
