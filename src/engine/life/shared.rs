//! State that an engine's calls, releases and idle thread share.

use std::collections::BTreeMap;
use std::mem;
use std::ops::Deref;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::thread::{self, JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use super::machine::{Machine, Purpose};
use super::report::{Holding, ReleaseReport, drop_content};
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventCount;
use crate::process::Owner;
use crate::stop::Stop;
use crate::threads::spawn;

/// A use of the `T` that a release waits for.
pub(in crate::engine) struct Guard<'a, T: Holding> {
    shared: &'a Shared<T>,
    loaded: Option<Arc<T>>,
    id: u64,
}

/// Makes the content, again after an unload.
pub(super) type Make<T> = Arc<dyn Fn(&Attempt) -> Result<T> + Send + Sync>;

/// One try to make the content, for a load or for the call that needs it.
#[derive(Clone)]
pub(in crate::engine) struct Attempt {
    stop: Stop,
    flags: Arc<Flags>,
    owner: Owner,
}

impl Attempt {
    /// Returns one of a process.
    #[cfg(test)]
    pub(super) fn for_tests(owner: Owner) -> Self {
        Self { stop: Stop::new(), flags: Arc::default(), owner }
    }

    /// Returns what ends it early.
    pub(in crate::engine) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Refuses to go on once the engine is closed, the load or call is to end, or this is a forked child, which has
    /// none of the threads that it would go on with.
    pub(in crate::engine) fn check(&self) -> Result<()> {
        self.owner.check("this engine")?;
        if self.flags.closing.load(Ordering::Acquire) { Err(released()) } else { self.stop.check() }
    }

    /// Notes that something is held from now on, which a child that is forked meanwhile cannot use.
    pub(in crate::engine) fn hold(&self) {
        self.flags.holding.store(true, Ordering::Release);
    }
}

/// The part of the state that a forked child can ask for without the lock.
#[derive(Default)]
pub(super) struct Flags {
    /// Set when a release begins.
    pub(super) closing: AtomicBool,
    /// Set while there is content, from before its sessions are made until they are gone.
    pub(super) holding: AtomicBool,
}

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
    /// The thread that makes the content, while it does.
    maker: Option<ThreadId>,
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
    pub(super) flags: Arc<Flags>,
    idle_unload: Option<Duration>,
}

impl<T: Holding> Shared<T> {
    pub(super) fn new(idle_unload: Option<Duration>) -> Self {
        let state = State {
            machine: Machine::default(),
            loaded: None,
            make: None,
            maker: None,
            stops: BTreeMap::new(),
            next_call: 0,
            unload: None,
            freeing: None,
            released: None,
            idle_thread: None,
            last_use: Instant::now(),
        };
        Self { state: Mutex::new(state), changes: Arc::default(), flags: Arc::default(), idle_unload }
    }

    /// Returns the state for a forked child that inherited this one, which never held anything that the child would
    /// need; None where it holds something. Takes no lock: its holder may be a thread that does not exist here.
    pub(super) fn for_child(&self) -> Option<Self> {
        if self.flags.holding.load(Ordering::Acquire) {
            return None;
        }
        let own = Self::new(self.idle_unload);
        if let Ok(former) = self.state.try_lock() {
            own.lock().make.clone_from(&former.make);
        }
        if self.flags.closing.load(Ordering::Acquire) {
            own.flags.closing.store(true, Ordering::Release);
            drop(own.begin_free(false));
        }
        Some(own)
    }

    /// Locks the state. It changes only in steps that cannot panic, so a poisoned lock still holds a whole one.
    pub(super) fn lock(&self) -> MutexGuard<'_, State<T>> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the content after [`Machine`] said so; with `enters`, for a call that goes on with it.
    pub(super) fn make(self: &Arc<Self>, make: Make<T>, stop: &Stop, enters: bool) -> Result<Option<Guard<'_, T>>> {
        let attempt = Attempt { stop: stop.clone(), flags: Arc::clone(&self.flags), owner: Owner::this_process() };
        let loading = Loading { shared: self, owner: attempt.owner };
        self.lock().maker = Some(thread::current().id());
        let loaded = make(&attempt).map_err(|error| self.overtaken(error))?;
        attempt.hold();
        let loaded = Arc::new(loaded);
        // One that unloaded by itself may not have ended yet.
        self.join_idle_thread();
        let idle_thread = self.idle_unload.map(|after| self.start_idle_thread(after)).transpose()?;
        let mut state = self.lock();
        state.idle_thread = idle_thread;
        state.maker = None;
        state.loaded = Some(loaded);
        let former = state.make.replace(make);
        state.last_use = Instant::now();
        mem::forget(loading);
        let (entered, duty) = state.machine.end_load(true, enters);
        let call = entered.then(|| self.begin_call(&mut state, stop));
        drop(state);
        drop(former);
        self.changes.advance();
        self.perform(duty);
        Ok(call)
    }

    /// Returns the better reason for a load that failed: a release that began meanwhile has given back what it stood
    /// on.
    fn overtaken(&self, error: Error) -> Error {
        let is_of_caller = matches!(error.kind(), ErrorKind::Callback | ErrorKind::Forked);
        if !is_of_caller && self.flags.closing.load(Ordering::Acquire) { released() } else { error }
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
        if state.is_made_here() || !self.flags.holding.load(Ordering::Acquire) {
            return Ok(Arc::new(OnceLock::from(ReleaseReport::of_nothing())));
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
            self.flags.holding.store(false, Ordering::Release);
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

impl<T> State<T> {
    /// Returns true if this thread makes the content, so that it would wait for itself.
    pub(super) fn is_made_here(&self) -> bool {
        self.maker == Some(thread::current().id())
    }
}

/// Ends a load that failed, also by a panic.
struct Loading<'a, T: Holding> {
    shared: &'a Shared<T>,
    owner: Owner,
}

impl<T: Holding> Drop for Loading<'_, T> {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            // The child that a callback forked: the load is its parent's, and so are the locks.
            return;
        }
        let mut state = self.shared.lock();
        self.shared.flags.holding.store(false, Ordering::Release);
        state.maker = None;
        let (_, duty) = state.machine.end_load(false, false);
        drop(state);
        self.shared.changes.advance();
        self.shared.perform(duty);
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

/// Refuses a callback what the load that calls it would have to end for.
pub(super) fn from_own_load() -> Error {
    let message = "this engine is loading its models: `progress` can call neither load nor recognize";
    Error::new(ErrorKind::InvalidArgument, message).with_hint("return from it first: the load goes on then")
}

pub(super) fn nothing_loaded() -> Error {
    Error::new(ErrorKind::ModelNotFound, "no models are loaded").with_hint("call load first")
}
