//! An engine's life: open, closing, closed; and never in a forked child.

use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::memory;

/// What a release gave back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReleaseReport {
    /// Sessions that were closed.
    pub sessions: usize,
    /// Threads that ended with them, where the system tells.
    pub threads: Option<usize>,
    /// Resident bytes of the process before, where the system tells.
    pub resident_before: Option<u64>,
    /// Resident bytes of the process after.
    pub resident_after: Option<u64>,
    /// How long calls in flight were waited for.
    pub waited: Duration,
}

#[derive(Debug, Clone, Copy)]
enum Phase {
    Open,
    Closing,
    Closed(ReleaseReport),
}

struct State<T> {
    phase: Phase,
    /// Calls that hold a [`Call`].
    calls: usize,
    /// A caller is making what `loaded` will hold.
    loading: bool,
    loaded: Option<std::sync::Arc<T>>,
}

/// Owns a `T` from load to release. Everything that uses the `T` holds a [`Call`], so the release knows when the last
/// one is gone.
pub(super) struct Life<T> {
    state: Mutex<State<T>>,
    changed: Condvar,
    process: u32,
    /// Set when a release begins. Apart from the state, so that a forked child can ask without the lock.
    closing: AtomicBool,
}

/// A use of the `T` that a release waits for.
pub(super) struct Call<'a, T> {
    life: &'a Life<T>,
    loaded: Option<std::sync::Arc<T>>,
}

impl<T> Life<T> {
    pub(super) fn new() -> Self {
        let state = State { phase: Phase::Open, calls: 0, loading: false, loaded: None };
        Self {
            state: Mutex::new(state),
            changed: Condvar::new(),
            process: std::process::id(),
            closing: AtomicBool::new(false),
        }
    }

    /// The state changes only in steps that cannot panic, so a poisoned lock still holds a whole one.
    fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait_while<'a>(
        &self,
        state: MutexGuard<'a, State<T>>,
        busy: impl Fn(&State<T>) -> bool,
    ) -> MutexGuard<'a, State<T>> {
        self.changed.wait_while(state, |state| busy(state)).unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn is_closed(&self) -> bool {
        self.closing.load(Ordering::Acquire)
    }

    pub(super) fn is_loaded(&self) -> bool {
        // What a forked child inherited is not its own.
        self.check_process().is_ok() && self.lock().loaded.is_some()
    }

    pub(super) fn check_open(&self) -> Result<()> {
        self.check_process()?;
        check_phase(&self.lock())
    }

    /// The lock of a forked child may have been held by a thread that does not exist there, so this comes before it.
    fn check_process(&self) -> Result<()> {
        if std::process::id() == self.process {
            return Ok(());
        }
        let message = format!("this engine belongs to process {}, which forked this one", self.process);
        Err(Error::new(ErrorKind::Forked, message).with_hint("make a new engine in the child process"))
    }

    /// Makes the `T` unless it is there. One caller makes it, others wait for the outcome.
    pub(super) fn load(&self, open: impl FnOnce() -> Result<T>) -> Result<()> {
        self.check_process()?;
        let mut state = self.wait_while(self.lock(), |state| state.loading);
        check_phase(&state)?;
        if state.loaded.is_some() {
            return Ok(());
        }
        state.loading = true;
        drop(state);
        // Ends the loading also when `open` panics.
        let loading = Loading(self);
        let opened = open()?;
        loading.0.lock().loaded = Some(std::sync::Arc::new(opened));
        Ok(())
    }

    /// Begins a use.
    pub(super) fn enter(&self) -> Result<Call<'_, T>> {
        self.check_process()?;
        let mut state = self.lock();
        check_phase(&state)?;
        let Some(loaded) = state.loaded.clone() else {
            return Err(Error::new(ErrorKind::ModelNotFound, "no models are loaded").with_hint("call load first"));
        };
        state.calls += 1;
        Ok(Call { life: self, loaded: Some(loaded) })
    }

    /// Refuses new uses, waits for those in flight, drops the `T`, and measures. `count` tells its sessions.
    pub(super) fn free(&self, count: impl FnOnce(&T) -> usize) -> Result<ReleaseReport> {
        self.check_process()?;
        let mut state = self.lock();
        if !matches!(state.phase, Phase::Open) {
            state = self.wait_while(state, |state| matches!(state.phase, Phase::Closing));
            if let Phase::Closed(report) = state.phase {
                return Ok(report);
            }
        }
        state.phase = Phase::Closing;
        self.closing.store(true, Ordering::Release);
        let started = Instant::now();
        state = self.wait_while(state, |state| state.calls > 0 || state.loading);
        let loaded = state.loaded.take();
        drop(state);
        let report = release(loaded, count, started.elapsed());
        self.lock().phase = Phase::Closed(report);
        self.changed.notify_all();
        Ok(report)
    }
}

fn check_phase<T>(state: &State<T>) -> Result<()> {
    match state.phase {
        Phase::Open => Ok(()),
        Phase::Closing | Phase::Closed(_) => {
            Err(Error::new(ErrorKind::ResourcesFreed, "this engine's resources have been released")
                .with_hint("make a new OcrEngine; a released one never reopens"))
        }
    }
}

fn release<T>(loaded: Option<std::sync::Arc<T>>, count: impl FnOnce(&T) -> usize, waited: Duration) -> ReleaseReport {
    let (resident_before, threads_before) = (memory::resident_bytes(), memory::thread_count());
    let sessions = loaded.as_deref().map_or(0, count);
    let had_some = loaded.is_some();
    drop(loaded);
    if had_some {
        memory::trim();
    }
    let threads = threads_before.zip(memory::thread_count()).map(|(before, after)| before.saturating_sub(after));
    ReleaseReport { sessions, threads, resident_before, resident_after: memory::resident_bytes(), waited }
}

struct Loading<'a, T>(&'a Life<T>);

impl<T> Drop for Loading<'_, T> {
    fn drop(&mut self) {
        self.0.lock().loading = false;
        self.0.changed.notify_all();
    }
}

impl<T> Deref for Call<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // Only `drop` takes it.
        #[allow(clippy::expect_used)]
        self.loaded.as_deref().expect("a call holds what it uses")
    }
}

impl<T> Drop for Call<'_, T> {
    fn drop(&mut self) {
        // Before the count goes down: the release must hold the last reference, so that what it drops is gone then.
        self.loaded = None;
        self.life.lock().calls -= 1;
        self.life.changed.notify_all();
    }
}

impl<T> Drop for Life<T> {
    fn drop(&mut self) {
        if std::process::id() != self.process {
            // The child owns no thread of the sessions; destroying them there would crash.
            let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
            std::mem::forget(state.loaded.take());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::AtomicUsize;

    /// Counts itself down when dropped.
    struct Held<'a>(&'a AtomicUsize);

    impl Drop for Held<'_> {
        fn drop(&mut self) {
            self.0.fetch_sub(1, Ordering::SeqCst);
        }
    }

    #[test]
    fn free_waits_for_calls_and_all_get_one_report() {
        let alive = AtomicUsize::new(1);
        let life = Life::new();
        life.load(|| Ok(Held(&alive))).expect("open");
        let call = life.enter().expect("loaded");
        std::thread::scope(|scope| {
            let reports: Vec<_> = (0..4).map(|_| scope.spawn(|| life.free(|_| 3).expect("own process"))).collect();
            while !life.is_closed() {
                std::thread::yield_now();
            }
            assert_eq!(life.enter().map(|_| ()).expect_err("closing").kind(), ErrorKind::ResourcesFreed);
            assert_eq!(alive.load(Ordering::SeqCst), 1, "the call still uses it");
            drop(call);
            let reports: Vec<_> = reports.into_iter().map(|thread| thread.join().expect("no panic")).collect();
            assert_eq!(alive.load(Ordering::SeqCst), 0);
            assert!(reports.iter().all(|report| *report == reports[0] && report.sessions == 3));
        });
        assert_eq!(life.free(|_| 9).expect("again").sessions, 3);
        assert_eq!(life.load(|| Ok(Held(&alive))).expect_err("closed").kind(), ErrorKind::ResourcesFreed);
    }

    #[test]
    fn a_failed_load_can_be_tried_again() {
        let life = Life::new();
        let failed = life.load(|| Err(Error::new(ErrorKind::ModelNotFound, "not yet")));
        assert_eq!(failed.expect_err("refused").kind(), ErrorKind::ModelNotFound);
        assert_eq!(life.enter().map(|_| ()).expect_err("empty").kind(), ErrorKind::ModelNotFound);
        life.load(|| Ok(5)).expect("now");
        life.load(|| unreachable!("it is there")).expect("kept");
        assert_eq!(*life.enter().expect("loaded"), 5);
    }

    #[test]
    fn a_panic_while_loading_blocks_nobody() {
        let life: Life<u8> = Life::new();
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| life.load(|| panic!("broken model"))));
        assert!(panicked.is_err());
        life.load(|| Ok(1)).expect("the next one loads");
    }

    #[test]
    fn an_engine_that_loaded_nothing_frees_nothing() {
        let report = Life::<u8>::new().free(|_| 1).expect("own process");
        assert_eq!(report.sessions, 0);
    }
}
