//! State that an engine's calls, releases and idle thread share.

use std::collections::BTreeMap;
use std::mem;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::machine::{Machine, Purpose};
use super::report::{Holding, ReleaseReport, drop_content};
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventCount;
use crate::stop::Stop;
use crate::threads::spawn;

/// A use of the `T` that a release waits for.
pub(in crate::engine) struct Guard<'a, T: Holding> {
    shared: &'a Shared<T>,
    loaded: Option<Arc<T>>,
    id: u64,
}

/// Makes the content, again after an unload: for a call then, whose stop it is given.
pub(super) type Make<T> = Arc<dyn Fn(Option<&Stop>) -> Result<T> + Send + Sync>;

/// An unload that was asked for.
#[derive(Clone)]
pub(super) struct PendingUnload {
    since: Instant,
    pub(super) report: Arc<OnceLock<ReleaseReport>>,
}

/// A release that was asked for. The first who asks says how.
#[derive(Clone, Copy)]
struct Freeing {
    since: Instant,
    trim: bool,
}

pub(super) struct State<T> {
    pub(super) machine: Machine,
    loaded: Option<Arc<T>>,
    pub(super) make: Option<Make<T>>,
    /// Of the calls in flight.
    stops: BTreeMap<u64, Stop>,
    next_call: u64,
    unload: Option<PendingUnload>,
    freeing: Option<Freeing>,
    pub(super) released: Option<ReleaseReport>,
    idle_thread: Option<JoinHandle<()>>,
    last_use: Instant,
}

pub(super) struct Shared<T> {
    state: Mutex<State<T>>,
    /// Advances at every change of the state.
    pub(super) changes: Arc<EventCount>,
    /// Set when a release begins. Apart from the state, as the next one, so that a forked child can ask without the
    /// lock.
    pub(super) closing: AtomicBool,
    /// Set while there is content, from before it is made until it is gone.
    pub(super) holding: AtomicBool,
    idle_unload: Option<Duration>,
}

impl<T: Holding> Shared<T> {
    pub(super) fn new(idle_unload: Option<Duration>) -> Self {
        let state = State {
            machine: Machine::default(),
            loaded: None,
            make: None,
            stops: BTreeMap::new(),
            next_call: 0,
            unload: None,
            freeing: None,
            released: None,
            idle_thread: None,
            last_use: Instant::now(),
        };
        let (closing, holding) = (AtomicBool::new(false), AtomicBool::new(false));
        Self { state: Mutex::new(state), changes: Arc::default(), closing, holding, idle_unload }
    }

    /// Returns the state for a forked child that inherited this one, which never held anything that the child would
    /// need; None where it holds something. Takes no lock: its holder may be a thread that does not exist here.
    pub(super) fn for_child(&self) -> Option<Self> {
        if self.holding.load(Ordering::Acquire) {
            return None;
        }
        let own = Self::new(self.idle_unload);
        if let Ok(former) = self.state.try_lock() {
            own.lock().make.clone_from(&former.make);
        }
        if self.closing.load(Ordering::Acquire) {
            own.closing.store(true, Ordering::Release);
            drop(own.begin_free(false));
        }
        Some(own)
    }

    /// Locks the state. It changes only in steps that cannot panic, so a poisoned lock still holds a whole one.
    pub(super) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the content after [`Machine`] said so; with `stop`, for a call that goes on with it.
    pub(super) fn make(self: &Arc<Self>, make: Make<T>, stop: Option<&Stop>) -> Result<Option<Guard<'_, T>>> {
        self.holding.store(true, Ordering::Release);
        let loading = Loading(self);
        let loaded = Arc::new(make(stop)?);
        // One that unloaded by itself may not have ended yet.
        self.join_idle_thread();
        let idle_thread = self.idle_unload.map(|after| self.start_idle_thread(after)).transpose()?;
        let mut state = self.lock();
        state.idle_thread = idle_thread;
        state.loaded = Some(loaded);
        let former = state.make.replace(make);
        state.last_use = Instant::now();
        mem::forget(loading);
        let (entered, duty) = state.machine.end_load(true, stop.is_some());
        let call = stop.filter(|_| entered).map(|stop| self.begin_call(&mut state, stop));
        drop(state);
        drop(former);
        self.changes.advance();
        self.perform(duty);
        Ok(call)
    }

    /// Returns the call that the machine let in.
    pub(super) fn begin_call<'a>(&'a self, state: &mut State<T>, stop: &Stop) -> Guard<'a, T> {
        let id = state.next_call;
        state.next_call += 1;
        state.stops.insert(id, stop.clone());
        Guard { shared: self, loaded: state.loaded.clone(), id }
    }

    pub(super) fn end_call(&self, id: u64) {
        let mut state = self.lock();
        let stop = state.stops.remove(&id);
        state.last_use = Instant::now();
        let duty = state.machine.leave();
        drop(state);
        drop(stop);
        self.changes.advance();
        self.perform(duty);
    }

    /// Asks for the end, does it when nothing is in the way, and says which calls could be ended early. `trim` counts
    /// when nobody asked before.
    pub(super) fn begin_free(&self, trim: bool) -> Vec<Stop> {
        let mut state = self.lock();
        state.freeing.get_or_insert_with(|| Freeing { since: Instant::now(), trim });
        let duty = state.machine.begin_free();
        let stops = state.stops.values().cloned().collect();
        drop(state);
        self.changes.advance();
        self.perform(duty);
        stops
    }

    /// Asks for an unload, or joins the one that is not over.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ResourcesFreed`] when the engine ends.
    pub(super) fn begin_unload(&self) -> Result<Arc<OnceLock<ReleaseReport>>> {
        let mut state = self.lock();
        if !state.machine.is_open() {
            return Err(released());
        }
        let (asked, duty) = ask_for_unload(&mut state);
        drop(state);
        self.changes.advance();
        self.perform(duty);
        Ok(asked)
    }

    /// Drops the content where the machine said so, and what comes after that.
    fn perform(&self, mut duty: Option<Purpose>) {
        while let Some(purpose) = duty {
            self.join_idle_thread();
            let mut state = self.lock();
            // An unload stays known until it is over: who asks meanwhile joins it.
            let content = state.loaded.take();
            let (since, trim) = match purpose {
                Purpose::Release => {
                    (state.freeing.map(|asked| asked.since), state.freeing.is_none_or(|asked| asked.trim))
                }
                Purpose::Unload => (state.unload.as_ref().map(|asked| asked.since), true),
            };
            drop(state);
            let report = drop_content(content, since.map_or(Duration::ZERO, |since| since.elapsed()), trim);
            let mut state = self.lock();
            let make = state.make.take_if(|_| purpose == Purpose::Release);
            match (purpose, state.unload.take()) {
                (Purpose::Release, _) => state.released = Some(report),
                // Nobody else sets it.
                (Purpose::Unload, asked) => drop(asked.map(|asked| asked.report.set(report))),
            }
            self.holding.store(false, Ordering::Release);
            duty = state.machine.end_drop();
            drop(state);
            drop(make);
            self.changes.advance();
        }
    }

    fn start_idle_thread(self: &Arc<Self>, after: Duration) -> Result<JoinHandle<()>> {
        let shared = Arc::clone(self);
        spawn("ferrocr-idle", move || shared.unload_when_idle(after))
    }

    /// Ends when the content is gone, by this thread or by another.
    fn unload_when_idle(&self, after: Duration) {
        loop {
            let seen = self.changes.current();
            let mut state = self.lock();
            if state.machine.is_gone() {
                return;
            }
            let left = state.machine.is_idle().then(|| after.saturating_sub(state.last_use.elapsed()));
            if left == Some(Duration::ZERO) {
                let (_, duty) = ask_for_unload(&mut state);
                drop(state);
                return self.perform(duty);
            }
            drop(state);
            self.changes.wait(seen, left);
        }
    }

    /// Waits for the end of the idle thread whose content is gone or going. It does not wait for itself: whoever comes
    /// next does.
    pub(super) fn join_idle_thread(&self) {
        let mut state = self.lock();
        let (own, is_loaded) = (thread::current().id(), state.machine.is_loaded());
        let handle = state.idle_thread.take_if(|handle| !is_loaded && handle.thread().id() != own);
        drop(state);
        self.changes.advance();
        if let Some(handle) = handle {
            let _ = handle.join();
        }
    }
}

/// Returns the unload that is under way, or a new one, with what the machine says to it.
fn ask_for_unload<T>(state: &mut State<T>) -> (Arc<OnceLock<ReleaseReport>>, Option<Purpose>) {
    let asked = || PendingUnload { since: Instant::now(), report: Arc::default() };
    let report = Arc::clone(&state.unload.get_or_insert_with(asked).report);
    (report, state.machine.begin_unload())
}

/// Ends a load that failed, also by a panic.
struct Loading<'a, T: Holding>(&'a Shared<T>);

impl<T: Holding> Drop for Loading<'_, T> {
    fn drop(&mut self) {
        let mut state = self.0.lock();
        self.0.holding.store(false, Ordering::Release);
        let (_, duty) = state.machine.end_load(false, false);
        drop(state);
        self.0.changes.advance();
        self.0.perform(duty);
    }
}

impl<T: Holding> Deref for Guard<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // Only `drop` takes it.
        #[allow(clippy::expect_used)]
        self.loaded.as_deref().expect("a call holds what it uses")
    }
}

impl<T: Holding> Drop for Guard<'_, T> {
    fn drop(&mut self) {
        // Before the call is over: the release must hold the last reference, so that what it drops is gone then.
        self.loaded = None;
        self.shared.end_call(self.id);
    }
}

pub(super) fn released() -> Error {
    Error::new(ErrorKind::ResourcesFreed, "this engine's resources have been released")
        .with_hint("make a new OcrEngine; a released one never reopens")
}

pub(super) fn nothing_loaded() -> Error {
    Error::new(ErrorKind::ModelNotFound, "no models are loaded").with_hint("call load first")
}
