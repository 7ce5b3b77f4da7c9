//! `_core.Counters`, and counts and timings as tuples: `ferrocr.stats` makes its dataclasses of them.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;
use std::time::Duration;

use pyo3::prelude::*;

use crate::engine::{self, Stats};
use crate::timings::{Stage, Timings};

// The whole, and the stages in their order.
pub(super) type RawTimings = (f32, f32, f32, f32, f32, f32, f32, f32);
type RawErrors = BTreeMap<String, u64>;
// Calls, pages, bytes, errors, calls in flight, those that wait, loads, their errors, their seconds, crashes, and the
// seconds of pages.
pub(super) type RawStats = (u64, u64, u64, RawErrors, u64, u64, u64, RawErrors, f64, u64, Vec<f64>);

/// Seconds beyond which a time is cut off: one that another process has sent may be anything, and sums have bounds.
const LONGEST: f32 = 1e6;

/// Counts for an engine whose models are in other processes, by the names of exceptions.
#[pyclass(frozen, module = "ferrocr._core")]
pub(super) struct Counters(engine::Counters<String>);

#[pymethods]
impl Counters {
    #[new]
    fn new() -> Self {
        Self(engine::Counters::default())
    }

    /// Counts a call that begins, and waits.
    fn begin(&self) {
        self.0.begin();
        self.0.queue().fetch_add(1, Ordering::Relaxed);
    }

    /// Counts a call that does not wait any more.
    fn go_on(&self) {
        self.0.queue().fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts the bytes of a call's picture.
    fn took(&self, size: usize) {
        self.0.took(size);
    }

    /// Counts a call that has ended with a page.
    fn read(&self, timings: RawTimings) {
        let (total, wait, decode, detect, orient, cut, recognize, order) = timings;
        let stages = [wait, decode, detect, orient, cut, recognize, order].map(seconds);
        self.0.end(Ok(&Timings::new(seconds(total), stages)));
    }

    /// Counts a call that has ended with an error.
    fn failed(&self, error: String) {
        self.0.end(Err(error));
    }

    /// Counts a load that has ended, after so many seconds or with an error.
    #[pyo3(signature = (taken, error=None))]
    fn loaded(&self, taken: f32, error: Option<String>) {
        self.0.loaded(error.map_or(Ok(seconds(taken)), Err));
    }

    /// Counts a process that has ended unasked.
    fn crashed(&self) {
        self.0.crashed();
    }

    /// Returns all of it at one moment.
    fn stats(&self) -> RawStats {
        raw_stats(self.0.stats(), |name| name)
    }
}

/// Returns a time; what is none, which may come from another process, is no time at all.
fn seconds(value: f32) -> Duration {
    Duration::try_from_secs_f32(value.min(LONGEST)).unwrap_or_default()
}

pub(super) fn raw_timings(timings: &Timings) -> RawTimings {
    let [wait, decode, detect, orient, cut, recognize, order] = Stage::ALL.map(|stage| timings.of(stage).as_secs_f32());
    (timings.total.as_secs_f32(), wait, decode, detect, orient, cut, recognize, order)
}

/// Returns counts with the names of errors; kinds of one name are counted together.
pub(super) fn raw_stats<K: Ord>(stats: Stats<K>, name: impl Fn(K) -> String) -> RawStats {
    let named = |errors: BTreeMap<K, u64>| {
        let mut sums = RawErrors::new();
        errors.into_iter().for_each(|(kind, count)| *sums.entry(name(kind)).or_default() += count);
        sums
    };
    let Stats { calls, pages, bytes, errors, in_flight, queued, loads, load_errors, load_time, crashes, timings } =
        stats;
    let stages = Stage::ALL.map(|stage| timings.of(stage).as_secs_f64());
    let seconds = [timings.total.as_secs_f64()].into_iter().chain(stages).collect();
    let (errors, load_errors) = (named(errors), named(load_errors));
    let load_seconds = load_time.as_secs_f64();
    (calls, pages, bytes, errors, in_flight, queued, loads, load_errors, load_seconds, crashes, seconds)
}
