//! Reading a picture while its caller does something else.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use crate::error::{Error, ErrorKind, Result};
use crate::event::EventCount;
use crate::image::Picture;
use crate::image::decode::frames::Frames;
use crate::page::Page;
use crate::process::Owner;
use crate::stop::{Reason, Stop};
use crate::threads::spawn;

/// A picture that is read later: whatever its owner does meanwhile, it stays the same.
pub enum Source {
    /// A file's content, and what messages call it.
    Encoded(Vec<u8>, Option<String>),
    /// Pixels.
    Picture(Picture),
    /// A page of a TIFF file, counted from 0 on.
    Frame(Arc<Frames>, usize),
}

/// A picture that is being read by a thread of its own, begun by [`super::Engine::begin`].
///
/// Dropping it ends the reading early, and waits for that: no longer than decoding the picture or a node of a model
/// takes.
pub struct Reading {
    outcome: Arc<Outcome>,
    thread: Arc<Joined>,
    stop: Stop,
    owner: Owner,
    // Last: the thread, which has it too, is gone before.
    _engine: Arc<dyn Any + Send + Sync>,
}

/// The outcome of a reading.
#[derive(Default)]
pub(super) struct Outcome {
    page: Mutex<Option<thread::Result<Result<Page>>>>,
    /// The call has begun, so a release waits for it; or it never will.
    begun: AtomicBool,
    is_over: AtomicBool,
    /// Advances when one of these changes.
    changed: EventCount,
}

/// A thread that several may wait for.
struct Joined(Mutex<Option<JoinHandle<()>>>);

/// The threads of an engine that read ahead.
#[derive(Default)]
pub(super) struct Threads(Mutex<Vec<Weak<Joined>>>);

impl Reading {
    /// Begins `work` on a thread of its own, one of `threads`, and waits until its call has begun. `engine` lives until
    /// the thread is gone.
    ///
    /// # Errors
    /// [`ErrorKind::OutOfMemory`] when the system gives no thread.
    pub(super) fn begin(
        engine: Arc<dyn Any + Send + Sync>,
        threads: &Threads,
        work: impl FnOnce(&Stop, &Outcome) -> Result<Page> + Send + 'static,
    ) -> Result<Self> {
        let (outcome, stop) = (Arc::<Outcome>::default(), Stop::new());
        let (own, shared) = (stop.clone(), Arc::clone(&outcome));
        let work = move || {
            let page = catch_unwind(AssertUnwindSafe(|| work(&own, &shared)));
            shared.finish(page);
        };
        let thread = Arc::new(Joined(Mutex::new(Some(spawn("ferrocr-ahead", work)?))));
        threads.add(&thread);
        outcome.wait_for_begin();
        Ok(Self { outcome, thread, stop, owner: Owner::this_process(), _engine: engine })
    }

    /// Waits for the page, at most for `limit`: None when it is not there then. It is given away once.
    ///
    /// A timeout is for the caller to count, who knows since when the picture is waited for: see [`Reading::time_out`].
    ///
    /// # Errors
    /// The errors of [`super::Engine::recognize_encoded`]; [`ErrorKind::Forked`] in a forked child.
    pub fn wait(&self, limit: Duration) -> Result<Option<Page>> {
        self.owner.check("this reading")?;
        let started = Instant::now();
        loop {
            let seen = self.outcome.changed.current();
            // Asked first: between it and the look, the page may come.
            let was_over = self.outcome.is_over();
            match self.outcome.lock().take() {
                Some(Ok(page)) => {
                    self.thread.join();
                    return page.map(Some);
                }
                Some(Err(panic)) => resume_unwind(panic),
                None if was_over => return Err(given_away()),
                None => {}
            }
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            self.outcome.changed.wait(seen, Some(left));
        }
    }

    /// Returns true if there is nothing left to wait for.
    pub fn is_over(&self) -> bool {
        !self.owner.is_here() || self.outcome.is_over()
    }

    /// Ends it early; it gives [`ErrorKind::Cancelled`].
    pub fn cancel(&self) {
        self.fire(Reason::Cancelled);
    }

    /// Ends it early, because it was waited for so long; it gives [`ErrorKind::Timeout`].
    pub fn time_out(&self, after: Duration) {
        self.fire(Reason::TimedOut(after));
    }

    /// Ends it early, and waits until its thread is gone.
    pub fn end(&self) {
        if self.owner.is_here() {
            self.cancel();
            self.thread.join();
        }
    }

    fn fire(&self, reason: Reason) {
        // The lock of a forked child may have been held by a thread that does not exist there.
        if self.owner.is_here() {
            self.stop.fire(reason);
        }
    }
}

impl Drop for Reading {
    fn drop(&mut self) {
        if !self.owner.is_here() {
            // There is no such thread here that could be detached.
            return std::mem::forget(Arc::clone(&self.thread));
        }
        self.end();
    }
}

impl Outcome {
    fn finish(&self, page: thread::Result<Result<Page>>) {
        *self.lock() = Some(page);
        self.is_over.store(true, Ordering::Release);
        self.begin();
    }

    /// Notes that the call has begun, so that a release waits for it.
    pub(super) fn begin(&self) {
        self.begun.store(true, Ordering::Release);
        self.changed.advance();
    }

    fn wait_for_begin(&self) {
        loop {
            let seen = self.changed.current();
            if self.begun.load(Ordering::Acquire) {
                return;
            }
            self.changed.wait(seen, None);
        }
    }

    fn is_over(&self) -> bool {
        self.is_over.load(Ordering::Acquire)
    }

    fn lock(&self) -> MutexGuard<'_, Option<thread::Result<Result<Page>>>> {
        self.page.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Joined {
    fn lock(&self) -> MutexGuard<'_, Option<JoinHandle<()>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for its end; whoever comes second waits for the first.
    fn join(&self) {
        let mut handle = self.lock();
        if let Some(thread) = handle.take() {
            // Its panic is part of the outcome.
            let _ = thread.join();
        }
    }
}

impl Threads {
    fn add(&self, thread: &Arc<Joined>) {
        let mut known = self.lock();
        known.retain(|thread| thread.strong_count() > 0);
        known.push(Arc::downgrade(thread));
    }

    /// Waits until all of them have ended. Their calls are over, or will be refused.
    pub(super) fn join(&self) {
        let known = std::mem::take(&mut *self.lock());
        known.iter().filter_map(Weak::upgrade).for_each(|thread| thread.join());
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Joined>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn given_away() -> Error {
    Error::new(ErrorKind::InvalidArgument, "this picture's page was taken before")
}
