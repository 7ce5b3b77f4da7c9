//! Things that one thread at a time may use, lent and given back.

use std::ops::{Deref, DerefMut};
use std::sync::{Condvar, Mutex, PoisonError};

/// A set of interchangeable things.
pub(super) struct Pool<T> {
    idle: Mutex<Vec<T>>,
    returned: Condvar,
    size: usize,
}

/// One or more things out of a pool, given back on drop, also by a panic.
pub(super) struct Lease<'a, T> {
    pool: &'a Pool<T>,
    items: Vec<T>,
}

impl<T> Pool<T> {
    pub(super) fn new(items: Vec<T>) -> Self {
        Self { size: items.len(), idle: Mutex::new(items), returned: Condvar::new() }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Waits for at least one, and takes up to `most`.
    pub(super) fn take(&self, most: usize) -> Lease<'_, T> {
        // A panic elsewhere cannot leave the vector half changed.
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        let mut idle = self.returned.wait_while(idle, |idle| idle.is_empty()).unwrap_or_else(PoisonError::into_inner);
        let left = idle.len().saturating_sub(most.max(1));
        Lease { pool: self, items: idle.split_off(left) }
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
        self.pool.idle.lock().unwrap_or_else(PoisonError::into_inner).append(&mut self.items);
        self.pool.returned.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_lent_comes_back() {
        let pool = Pool::new(vec![1, 2, 3]);
        let two = pool.take(2);
        assert_eq!((two.len(), pool.take(9).len()), (2, 1));
        drop(two);
        assert_eq!(pool.take(9).len(), 3);
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lease = pool.take(1);
            panic!("in use");
        }));
        assert!(panicked.is_err());
        assert_eq!(pool.take(0).len(), 1);
        assert_eq!(pool.take(9).len(), 3);
    }

    #[test]
    fn takers_wait_for_one() {
        let pool = Pool::new(vec![0u32]);
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| (0..100).for_each(|_| pool.take(3)[0] += 1));
            }
        });
        assert_eq!(pool.take(1)[0], 800);
    }
}
