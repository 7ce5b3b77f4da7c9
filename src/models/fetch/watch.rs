//! Work on a thread of its own, so that `progress` is heard also while a source is silent.

use std::io;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread;

use super::failure::SourceFailure;
use super::progress::{Progress, Tell};
use crate::error::{Error, ErrorKind};
use crate::models::tick::TICK;

/// State that the thread that fetches and the one that watches share.
#[derive(Default)]
pub(super) struct Transfer {
    /// Bytes that are there, with those of earlier downloads.
    pub(super) arrived: AtomicU64,
    /// Bytes in all, once a server says so.
    pub(super) total: OnceLock<u64>,
    /// True if the work is no longer wanted.
    pub(super) is_ended: AtomicBool,
}

/// Runs `work` on another thread, which has ended when this returns, and tells how far it is: `what` is told with the
/// numbers of `state`.
///
/// When the caller says no, `end` is called, which must make a silent source fail.
pub(super) fn watched<T: Send>(
    what: Progress<'_>,
    state: &Transfer,
    progress: Tell<'_>,
    end: &dyn Fn(),
    work: impl FnOnce() -> T + Send,
) -> Result<T, SourceFailure> {
    let mut tell = || {
        // In this order: whoever hears of the first byte hears how many there will be, if that is known.
        let done = state.arrived.load(Ordering::Acquire);
        let total = what.total.or_else(|| state.total.get().copied());
        progress(Progress { done, total, ..what })
    };
    // Before anything is asked for: whoever hears of it may forbid it.
    if !tell() {
        return Err(SourceFailure::cancelled(what.name));
    }
    thread::scope(|scope| {
        let (alive, ended) = mpsc::channel::<()>();
        let fetch = move || {
            // It is dropped when the work has ended, in whatever way.
            let _alive = alive;
            work()
        };
        let worker = thread::Builder::new().spawn_scoped(scope, fetch).map_err(no_thread)?;
        // Also when `progress` panics: the scope waits for the worker.
        let mut interrupt = Interrupt(Some((state, end)));
        if !watch(&ended, &mut tell) {
            return Err(SourceFailure::cancelled(what.name));
        }
        interrupt.0 = None;
        worker.join().map_err(|_| {
            let message = format!("the transfer of {} panicked", what.name);
            SourceFailure::Stop(Error::new(ErrorKind::Internal, message))
        })
    })
}

fn no_thread(error: io::Error) -> SourceFailure {
    let message = "cannot start the thread that downloads";
    SourceFailure::Stop(
        Error::new(ErrorKind::Internal, message).with_source(error).with_hint("allow this process more threads"),
    )
}

/// Ends the work at once when the watch is left early.
struct Interrupt<'a>(Option<(&'a Transfer, &'a dyn Fn())>);

impl Drop for Interrupt<'_> {
    fn drop(&mut self) {
        if let Some((state, end)) = self.0 {
            state.is_ended.store(true, Ordering::Relaxed);
            end();
        }
    }
}

/// Calls `tell` again and again until the work has ended, and once after; `false` as soon as `tell` says so.
fn watch(ended: &Receiver<()>, tell: &mut dyn FnMut() -> bool) -> bool {
    while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
        if !tell() {
            return false;
        }
    }
    tell()
}
