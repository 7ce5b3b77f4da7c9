//! The pace of reports of progress.

use std::time::Duration;

/// The time between two reports of progress: often enough to look alive and to end soon, seldom enough to cost nothing.
pub(super) const TICK: Duration = Duration::from_millis(100);
