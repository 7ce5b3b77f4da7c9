//! Reports of releases and unloads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use crate::memory;

/// A report of what was given back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ReleaseReport {
    /// Sessions that were closed.
    pub sessions: usize,
    /// Threads that ended with them, where the system tells.
    pub threads: Option<usize>,
    /// Model files whose lease was given back: from now on any process may remove them.
    pub files: usize,
    /// Resident bytes of the process before, where the system tells.
    pub resident_before: Option<u64>,
    /// Resident bytes of the process after.
    pub resident_after: Option<u64>,
    /// The time for which calls in flight were waited for.
    pub waited: Duration,
}

impl ReleaseReport {
    /// Returns the report of a release that had nothing to give back.
    pub(super) fn of_nothing() -> Self {
        let resident = memory::resident_bytes();
        let (resident_before, resident_after, waited) = (resident, resident, Duration::ZERO);
        Self { sessions: 0, threads: Some(0), files: 0, resident_before, resident_after, waited }
    }
}

/// The outcome of waiting for a release or an unload.
#[derive(Debug, Clone, Copy, PartialEq)]
#[must_use = "it may not be over"]
pub enum Release {
    /// It is over.
    Done(ReleaseReport),
    /// It is done when the load, which this thread is in, has ended: a wait for it would wait for itself.
    Asked,
    /// The wait ended before it was over. The last call out does it.
    Pending {
        /// Calls in flight, a load among them; none when what is released is just being dropped.
        calls: usize,
    },
}

/// The resources that are given back with a content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(in crate::engine) struct Held {
    pub(in crate::engine) sessions: usize,
    pub(in crate::engine) files: usize,
}

/// Content that knows what it holds.
pub(in crate::engine) trait Holding: Send + Sync + 'static {
    fn held(&self) -> Held;
}

/// Drops the content and measures what that gave back. With `trim`, free memory goes back to the system.
pub(super) fn drop_content<T: Holding>(content: Option<Arc<T>>, waited: Duration, trim: bool) -> ReleaseReport {
    let (resident_before, threads_before) = (memory::resident_bytes(), memory::thread_count());
    let held = content.as_deref().map(Holding::held).unwrap_or_default();
    let had_some = content.is_some();
    // Whatever happens in there, others wait for the end of this.
    let _ = catch_unwind(AssertUnwindSafe(|| drop(content)));
    if had_some && trim {
        memory::trim();
    }
    let threads = threads_before.zip(memory::thread_count()).map(|(before, after)| before.saturating_sub(after));
    let resident_after = memory::resident_bytes();
    ReleaseReport { sessions: held.sessions, threads, files: held.files, resident_before, resident_after, waited }
}
