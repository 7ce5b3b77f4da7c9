//! Reading a picture while its caller does something else.

use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::Engine;
use crate::error::{Error, ErrorKind, Result};
use crate::event::EventCount;
use crate::image::Picture;
use crate::image::decode::frames::Frames;
use crate::image::decode::{check_size, decode};
use crate::options::RecognizeOptions;
use crate::page::Page;
use crate::pipeline::Call;
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

/// A picture that is being read by a thread of its own, begun by [`Engine::begin`].
///
/// Dropping it ends the reading early, and waits for that: no longer than decoding the picture or a node of a model
/// takes.
pub struct Reading {
    outcome: Arc<Outcome>,
    thread: Arc<Joined>,
    stop: Stop,
    owner: Owner,
    // Last: the thread, which has it too, is gone before.
    _engine: Arc<Engine>,
}

/// What came of it.
#[derive(Default)]
struct Outcome {
    page: Mutex<Option<thread::Result<Result<Page>>>>,
    /// The call has begun, so a release waits for it; or it never will.
    begun: AtomicBool,
    told: AtomicBool,
    /// Advances when one of these changes.
    changed: EventCount,
}

/// A thread that several may wait for.
struct Joined(Mutex<Option<JoinHandle<()>>>);

/// The threads of an engine that read ahead.
#[derive(Default)]
pub(super) struct Threads(Mutex<Vec<Weak<Joined>>>);

impl Engine {
    /// Reads a picture in the background, in a call that has begun when this returns: a load or an unload that is under
    /// way comes first. Pictures begun earlier are served first. `options` hold for this picture alone,
    /// except for their timeout: see [`Reading::wait`].
    ///
    /// # Errors
    /// [`ErrorKind::ResourcesFreed`] after [`Engine::free`], [`ErrorKind::Forked`] in a forked child, and
    /// [`ErrorKind::Internal`] when the system gives no thread.
    pub fn begin(self: &Arc<Self>, source: Source, options: &RecognizeOptions) -> Result<Reading> {
        self.check_open()?;
        let (outcome, stop, turn) = (Arc::<Outcome>::default(), Stop::new(), self.next_turn());
        let options = RecognizeOptions { timeout: None, ..*options };
        let (engine, own, told) = (Arc::clone(self), stop.clone(), Arc::clone(&outcome));
        let work = move || {
            let page = catch_unwind(AssertUnwindSafe(|| {
                engine.read_source(source, Call { turn, stop: &own, options: &options }, &told)
            }));
            told.tell(page);
        };
        let thread = Arc::new(Joined(Mutex::new(Some(spawn("ferrocr-ahead", work)?))));
        self.own().threads.add(&thread);
        outcome.wait_for_begin();
        Ok(Reading { outcome, thread, stop, owner: Owner::this_process(), _engine: Arc::clone(self) })
    }

    fn read_source(&self, source: Source, call: Call<'_>, outcome: &Outcome) -> Result<Page> {
        self.call(call.options, call.stop, |stages, stop| {
            outcome.begin();
            let limits = &self.options().decode;
            let picture = match source {
                Source::Picture(picture) => {
                    check_size(picture.width(), picture.height(), limits)?;
                    picture
                }
                Source::Encoded(bytes, name) => decode(&bytes, limits).map_err(|error| match &name {
                    Some(name) => error.named(name),
                    None => error,
                })?,
                Source::Frame(frames, index) => frames.decode(index, limits)?,
            };
            stages.read(&picture, self.options(), Call { stop, ..call })
        })
    }
}

impl Reading {
    /// Waits for the page, at most for `limit`: None when it is not there then. It is given away once.
    ///
    /// A timeout is for the caller to count, who knows since when the picture is waited for: see [`Reading::time_out`].
    ///
    /// # Errors
    /// What [`Engine::recognize_encoded`] returns; [`ErrorKind::Forked`] in a forked child.
    pub fn wait(&self, limit: Duration) -> Result<Option<Page>> {
        self.owner.check("this reading")?;
        let started = Instant::now();
        loop {
            let seen = self.outcome.changed.current();
            // Asked first: between it and the look, the page may come.
            let was_told = self.outcome.is_told();
            match self.outcome.lock().take() {
                Some(Ok(page)) => {
                    self.thread.join();
                    return page.map(Some);
                }
                Some(Err(panic)) => resume_unwind(panic),
                None if was_told => return Err(given_away()),
                None => {}
            }
            let left = limit.saturating_sub(started.elapsed());
            if left.is_zero() {
                return Ok(None);
            }
            self.outcome.changed.wait(seen, Some(left));
        }
    }

    /// Whether there is nothing left to wait for.
    pub fn is_over(&self) -> bool {
        !self.owner.is_here() || self.outcome.is_told()
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
    fn tell(&self, page: thread::Result<Result<Page>>) {
        *self.lock() = Some(page);
        self.told.store(true, Ordering::Release);
        self.begin();
    }

    fn begin(&self) {
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

    fn is_told(&self) -> bool {
        self.told.load(Ordering::Acquire)
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
