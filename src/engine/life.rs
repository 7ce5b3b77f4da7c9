//! An engine's life: open, closing, closed; and never in a forked child.

use std::mem;
use std::sync::atomic::Ordering;
use std::sync::{Arc, MutexGuard, OnceLock};
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::event::SLICE;
use crate::process::Owner;
use crate::stop::{Reason, Stop};

mod machine;
mod report;
mod shared;

use machine::{Enter, Load};
pub(super) use report::{Held, Holding};
pub use report::{Release, ReleaseReport};
pub(super) use shared::Attempt;
use shared::{Guard, Make, Shared, State, from_own_load, nothing_loaded, released};

/// Owns a `T` from load to release. Everything that uses the `T` holds a [`Guard`], so the release knows when the last
/// one is gone.
///
/// Whoever takes the last obstacle out of the way does the release, also a call that leaves: nobody has to wait for it
/// to be done. [`machine::Machine`] decides, this does.
pub(super) struct Life<T: Holding> {
    shared: Arc<Shared<T>>,
    owner: Owner,
}

/// An unload that was asked for and may not be over.
pub(super) struct Unloading<'a, T: Holding> {
    life: &'a Life<T>,
    report: Arc<OnceLock<ReleaseReport>>,
}

impl<T: Holding> Life<T> {
    /// Returns a life that unloads by itself after `idle_unload` without a call.
    pub(super) fn new(idle_unload: Option<Duration>) -> Self {
        Self { shared: Arc::new(Shared::new(idle_unload)), owner: Owner::this_process() }
    }

    /// Returns the life of the same engine in a forked child, which begins where this one is empty; None where it is
    /// not.
    pub(super) fn for_child(&self) -> Option<Self> {
        let shared = Arc::new(self.shared.for_child()?);
        Some(Self { shared, owner: Owner::this_process() })
    }

    /// Returns true if it is that of a parent process, which keeps what it holds.
    pub(super) fn is_inherited(&self) -> bool {
        !self.owner.is_here()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.shared.lock()
    }

    pub(super) fn is_closed(&self) -> bool {
        self.shared.flags.closing.load(Ordering::Acquire)
    }

    pub(super) fn is_loaded(&self) -> bool {
        // A forked child does not own its parent's models.
        self.owner.is_here() && self.lock().machine.is_loaded()
    }

    /// Counts the calls and loads in flight.
    pub(super) fn calls(&self) -> usize {
        if self.owner.is_here() { self.lock().machine.calls() } else { 0 }
    }

    pub(super) fn check_open(&self) -> Result<()> {
        self.check_process()?;
        if self.lock().machine.is_open() { Ok(()) } else { Err(released()) }
    }

    /// Refuses a forked child. Comes before the lock, which a thread that does not exist there may have held.
    fn check_process(&self) -> Result<()> {
        self.owner.check("this engine")
    }

    /// Makes the `T` unless it is there. One caller makes it, others wait for the outcome, until `stop` fires or
    /// `look_around`, which is asked every [`SLICE`], says no. `make` is kept: the first call after an unload makes the
    /// `T` again.
    pub(super) fn load(
        &self,
        make: impl Fn(&Attempt) -> Result<T> + Send + Sync + 'static,
        stop: &Stop,
        look_around: &dyn Fn() -> Result<()>,
    ) -> Result<()> {
        self.check_process()?;
        let changes = Arc::clone(&self.shared.changes);
        let _watch = stop.watch(move || changes.advance())?;
        loop {
            let seen = self.shared.changes.current();
            stop.check()?;
            let mut state = self.lock();
            let next = state.machine.begin_load();
            let waits_for_itself = state.is_made_here();
            drop(state);
            match next {
                Load::Begin => return self.shared.make(Arc::new(make), stop, false).map(drop),
                Load::Present => return Ok(()),
                Load::Closed => return Err(released()),
                Load::Wait if waits_for_itself => return Err(from_own_load()),
                Load::Wait => self.shared.changes.wait(seen, Some(SLICE)),
            }
            look_around()?;
        }
    }

    /// Begins a use. Waits for a load or an unload that is under way, until `stop` fires.
    pub(super) fn enter(&self, stop: &Stop) -> Result<Guard<'_, T>> {
        self.check_open()?;
        let changes = Arc::clone(&self.shared.changes);
        let _watch = stop.watch(move || changes.advance())?;
        loop {
            let seen = self.shared.changes.current();
            stop.check()?;
            let mut state = self.lock();
            let make = state.make.clone();
            match (state.machine.enter(make.is_some()), make) {
                (Enter::In, _) => return Ok(self.shared.begin_call(&mut state, stop)),
                (Enter::Load, Some(make)) => {
                    drop(state);
                    return self.load_again(make, stop);
                }
                (Enter::Load | Enter::Empty, _) => return Err(nothing_loaded()),
                (Enter::Closed, _) => return Err(released()),
                (Enter::Wait, _) if state.is_made_here() => return Err(from_own_load()),
                (Enter::Wait, _) => drop(state),
            }
            self.shared.changes.wait(seen, None);
        }
    }

    fn load_again(&self, make: Make<T>, stop: &Stop) -> Result<Guard<'_, T>> {
        self.shared.make(make, stop, true)?.ok_or_else(released)
    }

    /// Refuses new uses, waits for those in flight and for a load, at most for `timeout`, and drops the `T`. With
    /// `cancel`, ends those in flight early. Whoever does it gives free memory back to the system when the first who
    /// asked wanted `trim`.
    ///
    /// A callback of the load that is under way does not wait: the release is done when the load has ended. In a forked
    /// child there is nothing to free: the `T`, its calls and its threads are the parent's.
    pub(super) fn free(&self, cancel: bool, timeout: Option<Duration>, trim: bool) -> Release {
        self.shared.flags.closing.store(true, Ordering::Release);
        if self.is_inherited() {
            return Release::Done(ReleaseReport::of_nothing());
        }
        let started = Instant::now();
        let stops = self.shared.begin_free(trim);
        for stop in stops.iter().filter(|_| cancel) {
            stop.fire(Reason::Freed);
        }
        drop(stops);
        if self.lock().is_made_here() {
            return Release::Asked;
        }
        let released = |state: &State<T>| state.released;
        let outcome =
            self.wait(started, timeout, released).map_or_else(|calls| Release::Pending { calls }, Release::Done);
        if matches!(outcome, Release::Done(_)) {
            self.shared.join_idle_thread();
        }
        outcome
    }

    /// Asks for an unload, or joins the one that is under way; uses that begin now wait until it is over. It is done as
    /// soon as no call is in flight, whoever waits for it. While a load has nothing yet, there is nothing to do.
    pub(super) fn begin_unload(&self) -> Result<Unloading<'_, T>> {
        self.check_process()?;
        Ok(Unloading { life: self, report: self.shared.begin_unload()? })
    }

    /// Waits until `outcome` is there, at most for `timeout`: the number of calls in flight is what it fails with.
    fn wait<R>(
        &self,
        started: Instant,
        timeout: Option<Duration>,
        outcome: impl Fn(&State<T>) -> Option<R>,
    ) -> std::result::Result<R, usize> {
        loop {
            let seen = self.shared.changes.current();
            let state = self.lock();
            if let Some(outcome) = outcome(&state) {
                return Ok(outcome);
            }
            let calls = state.machine.calls();
            drop(state);
            let left = timeout.map(|timeout| timeout.saturating_sub(started.elapsed()));
            if left == Some(Duration::ZERO) {
                return Err(calls);
            }
            self.shared.changes.wait(seen, left);
        }
    }
}

impl<T: Holding> Unloading<'_, T> {
    /// Waits until it is over, at most for `timeout`.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResourcesFreed`] when a release came first and took what was to be unloaded.
    pub(super) fn wait(&self, timeout: Option<Duration>) -> Result<Release> {
        self.life.check_process()?;
        let report = || self.report.get().copied().map(Ok);
        let outcome = self.life.wait(Instant::now(), timeout, |state| {
            report().or_else(|| state.machine.is_closed().then(|| Err(released())))
        });
        match outcome {
            Err(calls) => Ok(Release::Pending { calls }),
            Ok(report) => {
                let report = report?;
                self.life.shared.join_idle_thread();
                Ok(Release::Done(report))
            }
        }
    }
}

impl<T: Holding> Drop for Life<T> {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            // The child owns no thread of the sessions; destroying them there would crash.
            return mem::forget(Arc::clone(&self.shared));
        }
        // No call can be in flight, as each borrows this. The idle thread may be unloading, and is waited for.
        let _ = self.free(false, None, true);
    }
}

#[cfg(test)]
mod tests;
