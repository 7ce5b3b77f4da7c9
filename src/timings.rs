//! The time of a call by stage.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, Instant};

/// A part of a picture's way to its page. No two of a call go on at the same time, so their times add up to the call's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Waiting for a load, for an unload, or for sessions that other calls have.
    Wait,
    /// Reading and decoding the file.
    Decode,
    /// Finding regions with text.
    Detect,
    /// Telling which way up page and lines are.
    Orient,
    /// Cutting lines out.
    Cut,
    /// Reading lines.
    Recognize,
    /// Putting lines in order.
    Order,
}

impl Stage {
    /// All of them, in the order in which a picture meets them.
    pub const ALL: [Self; 7] =
        [Self::Wait, Self::Decode, Self::Detect, Self::Orient, Self::Cut, Self::Recognize, Self::Order];
}

/// The time of a call by stage, or that of several calls together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Timings {
    /// From the call's begin to its page.
    pub total: Duration,
    stages: [Duration; Stage::ALL.len()],
}

impl Timings {
    /// Returns those with a total, and the time of each of [`Stage::ALL`].
    pub fn new(total: Duration, stages: [Duration; Stage::ALL.len()]) -> Self {
        Self { total, stages }
    }

    /// Returns the time of a stage.
    pub fn of(&self, stage: Stage) -> Duration {
        self.stages[stage as usize]
    }

    /// Adds those of another call.
    pub fn add(&mut self, other: &Self) {
        self.total += other.total;
        for (sum, more) in self.stages.iter_mut().zip(other.stages) {
            *sum += more;
        }
    }
}

/// The clocks of one call. Several threads may use it, and their times add up.
#[derive(Debug, Default)]
pub(crate) struct Watch {
    nanos: [AtomicU64; Stage::ALL.len()],
    /// Counts the calls that wait.
    queue: Arc<AtomicUsize>,
}

impl Watch {
    /// Returns the clocks of a call that is counted in `queue` while it waits.
    pub(crate) fn new(queue: Arc<AtomicUsize>) -> Self {
        Self { queue, ..Self::default() }
    }

    /// Does `work`, and counts its time for the stage.
    pub(crate) fn time<T>(&self, stage: Stage, work: impl FnOnce() -> T) -> T {
        let started = Instant::now();
        let outcome = work();
        self.add(stage, started.elapsed());
        outcome
    }

    /// Does `work`, which waits for others; the call is one that waits meanwhile.
    pub(crate) fn wait<T>(&self, work: impl FnOnce() -> T) -> T {
        let _queued = Queued::begin(&self.queue);
        self.time(Stage::Wait, work)
    }

    /// Does `work`, of which threads with the clocks `busy` do parts at the same time. Its time is divided among their
    /// stages as theirs is, and is that of `stage` where they do nothing.
    pub(crate) fn divide<T>(&self, stage: Stage, busy: &Self, work: impl FnOnce() -> T) -> T {
        let (before, started) = (busy.nanos(), Instant::now());
        let outcome = work();
        let (passed, after) = (started.elapsed(), busy.nanos());
        let parts = Stage::ALL.map(|stage| after[stage as usize] - before[stage as usize]);
        let sum: u64 = parts.iter().sum();
        if sum == 0 {
            self.add(stage, passed);
        } else {
            Stage::ALL.iter().zip(parts).for_each(|(&stage, part)| {
                self.add(stage, passed.mul_f64(part as f64 / sum as f64));
            });
        }
        outcome
    }

    /// Returns what it has counted of a call that took so long.
    pub(crate) fn timings(&self, total: Duration) -> Timings {
        Timings::new(total, self.nanos().map(Duration::from_nanos))
    }

    fn add(&self, stage: Stage, time: Duration) {
        let nanos = u64::try_from(time.as_nanos()).unwrap_or(u64::MAX);
        self.nanos[stage as usize].fetch_add(nanos, Ordering::Relaxed);
    }

    fn nanos(&self) -> [u64; Stage::ALL.len()] {
        Stage::ALL.map(|stage| self.nanos[stage as usize].load(Ordering::Relaxed))
    }
}

/// A call that waits, from here to the drop.
struct Queued<'a>(&'a AtomicUsize);

impl<'a> Queued<'a> {
    fn begin(queue: &'a AtomicUsize) -> Self {
        queue.fetch_add(1, Ordering::Relaxed);
        Self(queue)
    }
}

impl Drop for Queued<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use std::thread::sleep;

    use super::*;

    const MOMENT: Duration = Duration::from_millis(2);

    #[test]
    fn each_stage_has_its_time_and_a_wait_is_counted() {
        let queue = Arc::<AtomicUsize>::default();
        let watch = Watch::new(Arc::clone(&queue));
        assert_eq!(watch.time(Stage::Decode, || sleep(MOMENT)), ());
        assert_eq!(watch.wait(|| queue.load(Ordering::Relaxed)), 1);
        assert_eq!(queue.load(Ordering::Relaxed), 0);
        let timings = watch.timings(Duration::from_secs(1));
        assert!(timings.of(Stage::Decode) >= MOMENT && timings.of(Stage::Wait) > Duration::ZERO, "{timings:?}");
        assert!(timings.of(Stage::Order).is_zero() && timings.total == Duration::from_secs(1));
    }

    #[test]
    fn the_time_of_threads_is_divided_as_theirs_is() {
        let (watch, busy) = (Watch::default(), Watch::default());
        // Two threads that have done this before, and do it now.
        busy.add(Stage::Orient, Duration::from_secs(5));
        watch.divide(Stage::Order, &busy, || {
            busy.add(Stage::Cut, Duration::from_secs(1));
            busy.add(Stage::Recognize, Duration::from_secs(3));
            sleep(MOMENT);
        });
        let timings = watch.timings(Duration::ZERO);
        let (cut, recognize) = (timings.of(Stage::Cut), timings.of(Stage::Recognize));
        assert!(cut + recognize >= MOMENT - Duration::from_nanos(2) && timings.of(Stage::Orient).is_zero());
        assert!((recognize.as_secs_f64() / cut.as_secs_f64() - 3.0).abs() < 0.01, "{timings:?}");
        assert!(timings.of(Stage::Order).is_zero());
        watch.divide(Stage::Order, &busy, || sleep(MOMENT));
        assert!(watch.timings(Duration::ZERO).of(Stage::Order) >= MOMENT, "nobody did anything");
    }

    #[test]
    fn times_of_calls_add_up() {
        let one = Timings::new(MOMENT, [MOMENT; 7]);
        let mut sum = Timings::default();
        sum.add(&one);
        sum.add(&one);
        assert_eq!(sum, Timings::new(2 * MOMENT, [2 * MOMENT; 7]));
    }
}
