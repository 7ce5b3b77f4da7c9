//! Ending one call's work early: on request, at its timeout, or because its engine is released.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::error::{Error, ErrorKind, Result};

/// Why work was ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// The caller asked for it.
    Cancelled,
    /// The call took longer than it was given.
    TimedOut(Duration),
    /// The engine is being released, and not to wait for its calls.
    Freed,
}

impl Reason {
    fn error(self) -> Error {
        match self {
            Self::Cancelled => Error::new(ErrorKind::Cancelled, "the call was cancelled"),
            Self::Freed => {
                Error::new(ErrorKind::Cancelled, "the call was cancelled: its engine's resources are being released")
            }
            Self::TimedOut(after) => {
                let message = format!("the call did not end within its timeout of {} s", after.as_secs_f64());
                Error::new(ErrorKind::Timeout, message).with_hint("give it a longer timeout, or a smaller picture")
            }
        }
    }
}

type End = Arc<dyn Fn(Reason) + Send + Sync>;

#[derive(Default)]
struct State {
    reason: Option<Reason>,
    watches: Vec<(u64, End)>,
    next: u64,
}

/// Tells work that it is to end. Clones are the same token; once fired it stays so.
///
/// Work asks [`Stop::check`] wherever it may end, and [`Stop::watch`]es while it cannot ask.
#[derive(Clone, Default)]
pub struct Stop(Arc<Mutex<State>>);

impl Stop {
    /// Makes a stop that has not fired.
    pub fn new() -> Self {
        Self::default()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that could panic runs while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the work. The first reason counts, later ones are ignored.
    pub fn fire(&self, reason: Reason) {
        let mut state = self.lock();
        if state.reason.is_some() {
            return;
        }
        state.reason = Some(reason);
        let watches = std::mem::take(&mut state.watches);
        drop(state);
        // Without the lock: what is called may ask this very token.
        for (_, end) in watches {
            end(reason);
        }
    }

    /// Refuses to go on once it has fired.
    ///
    /// # Errors
    /// [`ErrorKind::Cancelled`] or [`ErrorKind::Timeout`].
    pub fn check(&self) -> Result<()> {
        self.lock().reason.map_or(Ok(()), |reason| Err(reason.error()))
    }

    /// Has `end` called once when it fires, by the thread that fires it, until the watch is dropped. A call that began
    /// just before the drop may still be running after it, so `end` owns what it touches.
    ///
    /// # Errors
    /// As [`Stop::check`], when it has fired already: `end` is not called then.
    pub fn watch(&self, end: impl Fn() + Send + Sync + 'static) -> Result<Watch> {
        self.watch_reason(Arc::new(move |_| end()))
    }

    /// Fires this one when `other` fires, for the same reason, until the watch is dropped.
    ///
    /// # Errors
    /// As [`Stop::check`] of `other`.
    pub fn follow(&self, other: &Self) -> Result<Watch> {
        let own = self.clone();
        other.watch_reason(Arc::new(move |reason| own.fire(reason)))
    }

    fn watch_reason(&self, end: End) -> Result<Watch> {
        let mut state = self.lock();
        if let Some(reason) = state.reason {
            return Err(reason.error());
        }
        let id = state.next;
        state.next += 1;
        state.watches.push((id, end));
        Ok(Watch { stop: self.clone(), id })
    }
}

impl fmt::Debug for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Stop").field(&self.lock().reason).finish()
    }
}

/// A function that is called when a [`Stop`] fires, as long as this lives.
#[derive(Debug)]
#[must_use = "dropping it ends the watch"]
pub struct Watch {
    stop: Stop,
    id: u64,
}

impl Drop for Watch {
    fn drop(&mut self) {
        let mut state = self.stop.lock();
        let found = state.watches.iter().position(|(id, _)| *id == self.id);
        let ended = found.map(|at| state.watches.swap_remove(at));
        drop(state);
        // Only now, because what it owns may hold watches of its own.
        drop(ended);
    }
}

#[cfg(test)]
mod tests;
