//! Waiting for something to change, without holding what changes.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// The longest wait between two looks at Python's signals, or at others who may end it: short enough for Ctrl-C to feel
/// immediate.
pub(crate) const SLICE: Duration = Duration::from_millis(50);

/// A count of changes that can be waited for. A waiter reads the count first, then looks at the state, then waits for
/// a higher count: a change between the look and the wait is not lost.
///
/// It is apart from the state that it is about, so that a [`crate::stop::Stop`] can hold it without holding sessions.
#[derive(Debug, Default)]
pub(crate) struct EventCount {
    count: Mutex<u64>,
    advanced: Condvar,
}

impl EventCount {
    fn lock(&self) -> MutexGuard<'_, u64> {
        self.count.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns the number of changes so far.
    pub(crate) fn current(&self) -> u64 {
        *self.lock()
    }

    /// Counts a change and wakes all waiters.
    pub(crate) fn advance(&self) {
        *self.lock() += 1;
        self.advanced.notify_all();
    }

    /// Waits until the count is higher than `seen`, at most for `limit`.
    pub(crate) fn wait(&self, seen: u64, limit: Option<Duration>) {
        let waiting = |count: &mut u64| *count == seen;
        match limit {
            None => drop(self.advanced.wait_while(self.lock(), waiting).unwrap_or_else(PoisonError::into_inner)),
            Some(limit) => {
                let outcome = self.advanced.wait_timeout_while(self.lock(), limit, waiting);
                drop(outcome.unwrap_or_else(PoisonError::into_inner));
            }
        }
    }
}
