//! Counts of what an engine does.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::process::PerProcess;
use crate::timings::Timings;

/// The work of an engine in this process since it was made, and that of this moment. Each call has ended with a page or with an
/// error, or is in flight.
///
/// `K` is the kind of an error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stats<K: Ord> {
    /// Pictures that were begun.
    pub calls: u64,
    /// Pictures that were read.
    pub pages: u64,
    /// Bytes of pictures as they came: of files, or of pixels.
    pub bytes: u64,
    /// Pictures that were not read, by the reason.
    pub errors: BTreeMap<K, u64>,
    /// Calls that have begun and not ended.
    pub in_flight: u64,
    /// Those of them that wait: for a load, for an unload, or for a detector that others have.
    pub queued: u64,
    /// Times that models were loaded.
    pub loads: u64,
    /// Loads that failed, by the reason.
    pub load_errors: BTreeMap<K, u64>,
    /// Time of the loads that succeeded.
    pub load_time: Duration,
    /// Processes with models that ended unasked. An engine in this process has none.
    pub crashes: u64,
    /// Time of the pictures that were read.
    pub timings: Timings,
}

impl<K: Ord> Default for Stats<K> {
    fn default() -> Self {
        Self {
            calls: 0,
            pages: 0,
            bytes: 0,
            errors: BTreeMap::new(),
            in_flight: 0,
            queued: 0,
            loads: 0,
            load_errors: BTreeMap::new(),
            load_time: Duration::ZERO,
            crashes: 0,
            timings: Timings::default(),
        }
    }
}

/// Counts for [`Stats`]. A forked child counts for itself, from nothing on.
#[derive(Debug)]
pub struct Counters<K: Ord>(PerProcess<Own<K>>);

#[derive(Debug)]
struct Own<K: Ord> {
    /// Held for a few additions at a time.
    stats: Mutex<Stats<K>>,
    /// Apart, because a call changes it in the midst of its work. It does while it is in flight, so that who has the
    /// lock reads no more than there are calls.
    queue: Arc<AtomicUsize>,
}

impl<K: Ord> Own<K> {
    fn new() -> Self {
        Self { stats: Mutex::default(), queue: Arc::default() }
    }
}

impl<K: Ord> Default for Counters<K> {
    fn default() -> Self {
        Self(PerProcess::new(Own::new()))
    }
}

impl<K: Ord + Clone> Counters<K> {
    fn own(&self) -> &Own<K> {
        // A parent's lock may be held by a thread that does not exist here.
        self.0.get(|_| Some(Own::new()))
    }

    fn lock(&self) -> MutexGuard<'_, Stats<K>> {
        self.own().stats.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a call that begins.
    pub fn begin(&self) {
        let mut stats = self.lock();
        stats.calls += 1;
        stats.in_flight += 1;
    }

    /// Counts the bytes of a call's picture.
    pub fn took(&self, bytes: usize) {
        self.lock().bytes += bytes as u64;
    }

    /// Counts a call that has ended with a page, which took so long, or with an error.
    pub fn end(&self, outcome: Result<&Timings, K>) {
        let mut stats = self.lock();
        stats.in_flight = stats.in_flight.saturating_sub(1);
        match outcome {
            Ok(timings) => {
                stats.pages += 1;
                stats.timings.add(timings);
            }
            Err(kind) => *stats.errors.entry(kind).or_default() += 1,
        }
    }

    /// Counts a load that has ended.
    pub fn loaded(&self, outcome: Result<Duration, K>) {
        let mut stats = self.lock();
        match outcome {
            Ok(time) => {
                stats.loads += 1;
                stats.load_time += time;
            }
            Err(kind) => *stats.load_errors.entry(kind).or_default() += 1,
        }
    }

    /// Counts a process that has ended unasked.
    pub fn crashed(&self) {
        self.lock().crashes += 1;
    }

    /// Returns the number of calls that wait, to be changed by those who do while they are in flight.
    pub fn queue(&self) -> Arc<AtomicUsize> {
        Arc::clone(&self.own().queue)
    }

    /// Returns all of it at one moment.
    pub fn stats(&self) -> Stats<K> {
        let own = self.own();
        let stats = own.stats.lock().unwrap_or_else(PoisonError::into_inner);
        let queued = own.queue.load(Ordering::Relaxed) as u64;
        Stats { queued, ..stats.clone() }
    }
}

#[cfg(test)]
mod tests {
    use std::thread;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(1);

    #[test]
    fn each_call_has_ended_or_is_in_flight_at_every_moment() {
        let counters = Counters::<&str>::default();
        let page = Timings::new(3 * MOMENT, [MOMENT; 7]);
        thread::scope(|scope| {
            for name in ["a", "b"] {
                let (counters, page) = (&counters, &page);
                scope.spawn(move || {
                    for turn in 0..500 {
                        counters.begin();
                        counters.queue().fetch_add(1, Ordering::Relaxed);
                        counters.queue().fetch_sub(1, Ordering::Relaxed);
                        counters.took(10);
                        counters.end(if turn % 5 == 0 { Err(name) } else { Ok(page) });
                    }
                });
            }
            loop {
                let stats = counters.stats();
                let ended = stats.pages + stats.errors.values().sum::<u64>();
                assert_eq!(stats.calls, ended + stats.in_flight, "{stats:?}");
                assert!(stats.queued <= stats.in_flight && stats.in_flight <= 2, "{stats:?}");
                assert_eq!(stats.timings.total, 3 * MOMENT * u32::try_from(stats.pages).unwrap(), "{stats:?}");
                if ended == 1000 {
                    break;
                }
            }
        });
        let stats = counters.stats();
        assert_eq!((stats.pages, stats.bytes), (800, 10_000));
        assert_eq!(stats.errors, BTreeMap::from([("a", 100), ("b", 100)]));
    }

    #[test]
    fn loads_and_crashes_are_counted_apart() {
        let counters = Counters::<&str>::default();
        counters.loaded(Ok(MOMENT));
        counters.loaded(Ok(MOMENT));
        counters.loaded(Err("missing"));
        counters.crashed();
        let stats = counters.stats();
        assert_eq!((stats.loads, stats.load_time, stats.crashes), (2, 2 * MOMENT, 1));
        assert_eq!(stats.load_errors, BTreeMap::from([("missing", 1)]));
        assert_eq!((stats.calls, stats.in_flight, stats.errors.len()), (0, 0, 0));
    }
}
