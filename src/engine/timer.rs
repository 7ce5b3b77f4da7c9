//! A call's timeout.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::error::Result;
use crate::event::EventCount;
use crate::stop::{Reason, Stop};
use crate::threads::spawn;

/// Fires a [`Stop`] after a time, unless it is dropped before. Its thread is gone after the drop.
pub(super) struct Timer {
    over: Arc<(AtomicBool, EventCount)>,
    thread: Option<JoinHandle<()>>,
}

impl Timer {
    /// # Errors
    /// [`crate::ErrorKind::OutOfMemory`] when the system gives no thread.
    pub(super) fn start(after: Duration, stop: &Stop) -> Result<Self> {
        let (over, stop) = (Arc::new((AtomicBool::new(false), EventCount::default())), stop.clone());
        let (shared, started) = (Arc::clone(&over), Instant::now());
        let wait = move || {
            loop {
                let seen = shared.1.current();
                let left = after.saturating_sub(started.elapsed());
                if shared.0.load(Ordering::Acquire) {
                    return;
                }
                if left.is_zero() {
                    return stop.fire(Reason::TimedOut(after));
                }
                shared.1.wait(seen, Some(left));
            }
        };
        Ok(Self { over, thread: Some(spawn("ferrocr-timer", wait)?) })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.over.0.store(true, Ordering::Release);
        self.over.1.advance();
        if let Some(thread) = self.thread.take() {
            // A panic of a watch is none of this call.
            let _ = thread.join();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    #[test]
    fn it_fires_at_its_time() {
        let stop = Stop::new();
        let timer = Timer::start(Duration::from_millis(5), &stop).expect("a thread");
        while stop.check().is_ok() {
            std::thread::yield_now();
        }
        drop(timer);
        assert_eq!(stop.check().expect_err("fired").kind(), ErrorKind::Timeout);
    }

    #[test]
    fn it_does_not_fire_after_its_drop_nor_delay_it() {
        let (stop, started) = (Stop::new(), Instant::now());
        for after in [Duration::from_secs(60), Duration::MAX] {
            drop(Timer::start(after, &stop).expect("a thread"));
        }
        assert!(started.elapsed() < Duration::from_secs(30));
        stop.check().expect("not fired");
    }
}
