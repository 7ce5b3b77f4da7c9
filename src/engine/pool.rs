//! Things that one thread at a time may use, lent and given back.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::bell::Bell;
use crate::error::Result;
use crate::stop::Stop;

/// A set of interchangeable things.
pub(super) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    returned: Arc<Bell>,
    size: usize,
}

/// One or more things out of a pool, given back on drop, also by a panic.
pub(super) struct Lease<'a, T> {
    pool: &'a Pool<T>,
    items: Vec<T>,
}

impl<T> Pool<T> {
    pub(super) fn new(items: Vec<T>) -> Self {
        Self { size: items.len(), idle: Mutex::new(items), returned: Arc::default() }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    fn lock(&self) -> MutexGuard<'_, Vec<T>> {
        // A panic elsewhere cannot leave the vector half changed.
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for at least one, and takes up to `most`.
    ///
    /// # Errors
    /// As [`Stop::check`], when `stop` fires before there is one.
    pub(super) fn take(&self, most: usize, stop: &Stop) -> Result<Lease<'_, T>> {
        let bell = Arc::clone(&self.returned);
        let _watch = stop.watch(move || bell.ring())?;
        loop {
            let heard = self.returned.heard();
            stop.check()?;
            let mut idle = self.lock();
            if !idle.is_empty() {
                let left = idle.len().saturating_sub(most.max(1));
                return Ok(Lease { pool: self, items: idle.split_off(left) });
            }
            drop(idle);
            self.returned.wait(heard, None);
        }
    }
}

impl<T> Deref for Lease<'_, T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.items
    }
}

impl<T> DerefMut for Lease<'_, T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.items
    }
}

impl<T> Drop for Lease<'_, T> {
    fn drop(&mut self) {
        self.pool.lock().append(&mut self.items);
        self.pool.returned.ring();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::stop::Reason;

    #[test]
    fn what_is_lent_comes_back() {
        let pool = Pool::new(vec![1, 2, 3]);
        let take = |most| pool.take(most, &Stop::new()).expect("not stopped");
        let two = take(2);
        assert_eq!((two.len(), take(9).len()), (2, 1));
        drop(two);
        assert_eq!(take(9).len(), 3);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lease = take(1);
            panic!("in use");
        }));
        assert!(panicked.is_err());
        assert_eq!(take(0).len(), 1);
        assert_eq!(take(9).len(), 3);
    }

    #[test]
    fn takers_wait_for_one() {
        let pool = Pool::new(vec![0u32]);
        let take = || pool.take(3, &Stop::new()).expect("not stopped");
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..100).for_each(|_| take()[0] += 1));
            }
        });
        assert_eq!(take()[0], 800);
    }

    #[test]
    fn a_stop_ends_the_wait() {
        let pool = Pool::new(vec![0u32]);
        let (held, stop) = (pool.take(1, &Stop::new()).expect("there"), Stop::new());
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| pool.take(1, &stop).map(|_| ()));
            stop.fire(Reason::Cancelled);
            let error = waiting.join().expect("no panic").expect_err("stopped");
            assert_eq!(error.kind(), ErrorKind::Cancelled);
        });
        drop(held);
        assert_eq!(pool.take(1, &Stop::new()).expect("back").len(), 1);
    }
}
