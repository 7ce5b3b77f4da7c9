//! Waiting for something to change, without holding what changes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Rings whenever something changed. Who waits counts the rings first, then looks, then waits for one more: a ring
/// between the look and the wait is not lost.
///
/// Apart from what it tells of, so that a [`crate::stop::Stop`] can hold it without holding sessions.
#[derive(Debug, Default)]
pub(super) struct Bell {
    rings: Mutex<u64>,
    rung: Condvar,
}

impl Bell {
    fn lock(&self) -> MutexGuard<'_, u64> {
        self.rings.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How often it rang so far.
    pub(super) fn heard(&self) -> u64 {
        *self.lock()
    }

    pub(super) fn ring(&self) {
        *self.lock() += 1;
        self.rung.notify_all();
    }

    /// Waits until it has rung more than `heard` times, at most for `limit`.
    pub(super) fn wait(&self, heard: u64, limit: Option<Duration>) {
        let waiting = |rings: &mut u64| *rings == heard;
        match limit {
            None => drop(self.rung.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner)),
            Some(limit) => {
                let outcome = self.rung.wait_timeout_while(self.lock(), limit, waiting);
                drop(outcome.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }
}
