//! Things that one thread at a time may use, lent and given back.

use std::ops::{Deref, DerefMut};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::call::Turn;
use crate::error::Result;
use crate::event::EventCount;
use crate::stop::Stop;

/// A set of things that do the same.
pub(super) struct Pool<T> {
    state: Mutex<State<T>>,
    /// Advances when a thing is back, and when one who waited does not any more.
    changed: Arc<EventCount>,
    size: usize,
}

struct State<T> {
    /// With their places, in the order of those.
    idle: Vec<(usize, T)>,
    /// Turns of those who want one now.
    waiting: Vec<Turn>,
}

/// One thing out of a pool, given back on drop, also by a panic.
pub(super) struct Pooled<'a, T> {
    pool: &'a Pool<T>,
    item: Option<(usize, T)>,
}

/// The end of a pool from which something is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    First,
    Last,
}

impl<T> Pool<T> {
    pub(super) fn new(items: Vec<T>) -> Self {
        let size = items.len();
        let idle = items.into_iter().enumerate().collect();
        Self { state: Mutex::new(State { idle, waiting: Vec::new() }), changed: Arc::default(), size }
    }

    pub(super) fn size(&self) -> usize {
        self.size
    }

    /// Adds up what `count` says of those that are not lent.
    pub(super) fn sum(&self, count: impl Fn(&T) -> usize) -> usize {
        self.lock().idle.iter().map(|(_, item)| count(item)).sum()
    }

    fn lock(&self) -> MutexGuard<'_, State<T>> {
        // A panic elsewhere cannot leave the vectors half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there is one for this turn. Of those who wait, the lowest turn is served first.
    ///
    /// # Errors
    /// As [`Stop::check`], when `stop` fires before there is one.
    pub(super) fn take(&self, turn: Turn, stop: &Stop) -> Result<Pooled<'_, T>> {
        self.take_from(End::Last, turn, stop)
    }

    /// Does as [`Pool::take`], and takes the one that is nearest to this end of the list that the pool was made of.
    pub(super) fn take_from(&self, end: End, turn: Turn, stop: &Stop) -> Result<Pooled<'_, T>> {
        stop.check()?;
        if let Some(item) = self.lock().take(end, turn) {
            return Ok(Pooled { pool: self, item: Some(item) });
        }
        let changes = Arc::clone(&self.changed);
        let _watch = stop.watch(move || changes.advance())?;
        let _wait = Wait::begin(self, turn);
        loop {
            let seen = self.changed.current();
            stop.check()?;
            if let Some(item) = self.lock().take(end, turn) {
                return Ok(Pooled { pool: self, item: Some(item) });
            }
            self.changed.wait(seen, None);
        }
    }
}

impl<T> State<T> {
    /// Takes one that is left when all who come first have theirs.
    fn take(&mut self, end: End, turn: Turn) -> Option<(usize, T)> {
        let before = self.waiting.iter().filter(|&&other| other < turn).count();
        if self.idle.len() <= before {
            return None;
        }
        match end {
            End::First => Some(self.idle.remove(0)),
            End::Last => self.idle.pop(),
        }
    }
}

/// Somebody who waits, from here to the drop.
struct Wait<'a, T> {
    pool: &'a Pool<T>,
    turn: Turn,
}

impl<'a, T> Wait<'a, T> {
    fn begin(pool: &'a Pool<T>, turn: Turn) -> Self {
        pool.lock().waiting.push(turn);
        Self { pool, turn }
    }
}

impl<T> Drop for Wait<'_, T> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        let found = state.waiting.iter().position(|&turn| turn == self.turn);
        found.map(|at| state.waiting.swap_remove(at));
        drop(state);
        // Others that let this one go first may have something to take now.
        self.pool.changed.advance();
    }
}

impl<T> Deref for Pooled<'_, T> {
    type Target = T;

    fn deref(&self) -> &T {
        // Only `drop` takes it.
        #[allow(clippy::expect_used)]
        &self.item.as_ref().expect("a lease holds what is lent").1
    }
}

impl<T> DerefMut for Pooled<'_, T> {
    fn deref_mut(&mut self) -> &mut T {
        #[allow(clippy::expect_used)]
        &mut self.item.as_mut().expect("a lease holds what is lent").1
    }
}

impl<T> Drop for Pooled<'_, T> {
    fn drop(&mut self) {
        let mut state = self.pool.lock();
        if let Some(item) = self.item.take() {
            let place = state.idle.partition_point(|(place, _)| *place < item.0);
            state.idle.insert(place, item);
        }
        drop(state);
        self.pool.changed.advance();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;
    use crate::stop::Reason;

    fn take<T>(pool: &Pool<T>, turn: Turn) -> Pooled<'_, T> {
        pool.take(turn, &Stop::new()).expect("not stopped")
    }

    #[test]
    fn what_is_lent_comes_back() {
        let pool = Pool::new(vec![1, 2]);
        let (one, two) = (take(&pool, 0), take(&pool, 0));
        assert_eq!(*one + *two, 3);
        drop((one, two));
        let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            let _lease = take(&pool, 0);
            panic!("in use");
        }));
        assert!(panicked.is_err());
        assert_eq!(*take(&pool, 0) + *take(&pool, 0), 3);
        assert_eq!(pool.lock().idle.len(), pool.size());
    }

    #[test]
    fn either_end_of_the_list_can_be_taken_whatever_was_given_back_last() {
        let pool = Pool::new(vec!["wide", "narrow", "narrowest"]);
        let from = |end| pool.take_from(end, 0, &Stop::new()).expect("not stopped");
        for _ in 0..2 {
            let (first, last, middle) = (from(End::First), from(End::Last), from(End::First));
            assert_eq!((*first, *middle, *last), ("wide", "narrow", "narrowest"));
            drop((last, first, middle));
        }
    }

    #[test]
    fn takers_wait_for_one() {
        let pool = Pool::new(vec![0u32]);
        std::thread::scope(|scope| {
            for turn in 0..8 {
                let pool = &pool;
                scope.spawn(move || (0..100).for_each(|_| *take(pool, turn) += 1));
            }
        });
        assert_eq!(*take(&pool, 0), 800);
        assert!(pool.lock().waiting.is_empty());
    }

    #[test]
    fn the_lowest_turn_is_served_first() {
        let pool = Pool::new(vec![Vec::new()]);
        let held = take(&pool, 0);
        std::thread::scope(|scope| {
            for turn in [5, 3, 9, 1, 7] {
                let pool = &pool;
                scope.spawn(move || take(pool, turn).push(turn));
            }
            while pool.lock().waiting.len() < 5 {
                std::thread::yield_now();
            }
            drop(held);
        });
        assert_eq!(*take(&pool, 0), [1, 3, 5, 7, 9]);
    }

    #[test]
    fn a_stop_ends_the_wait_and_lets_others_go_on() {
        let pool = Pool::new(vec![0u32]);
        let (held, stop) = (take(&pool, 0), Stop::new());
        std::thread::scope(|scope| {
            let first = scope.spawn(|| pool.take(1, &stop).map(|_| ()));
            let second = scope.spawn(|| *take(&pool, 2));
            while pool.lock().waiting.len() < 2 {
                std::thread::yield_now();
            }
            stop.fire(Reason::Cancelled);
            let error = first.join().expect("no panic").expect_err("stopped");
            assert_eq!(error.kind(), ErrorKind::Cancelled);
            drop(held);
            assert_eq!(second.join().expect("no panic"), 0);
        });
    }
}
