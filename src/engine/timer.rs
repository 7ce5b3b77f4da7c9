//! A call's timeout.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{Builder, JoinHandle};
use std::time::{Duration, Instant};

use super::bell::Bell;
use crate::error::{Error, ErrorKind, Result};
use crate::stop::{Reason, Stop};

/// Fires a [`Stop`] after a time, unless it is dropped before. Its thread is gone after the drop.
pub(super) struct Timer {
    over: Arc<(AtomicBool, Bell)>,
    thread: Option<JoinHandle<()>>,
}

impl Timer {
    /// # Errors
    /// [`ErrorKind::Internal`] when the system gives no thread.
    pub(super) fn start(after: Duration, stop: &Stop) -> Result<Self> {
        let (over, stop) = (Arc::new((AtomicBool::new(false), Bell::default())), stop.clone());
        let (shared, started) = (Arc::clone(&over), Instant::now());
        let wait = move || {
            loop {
                let heard = shared.1.heard();
                let left = after.saturating_sub(started.elapsed());
                if shared.0.load(Ordering::Acquire) {
                    return;
                }
                if left.is_zero() {
                    return stop.fire(Reason::TimedOut(after));
                }
                shared.1.wait(heard, Some(left));
            }
        };
        Ok(Self { over, thread: Some(spawn("ferrocr-timer", wait)?) })
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.over.0.store(true, Ordering::Release);
        self.over.1.ring();
        if let Some(thread) = self.thread.take() {
            // A panic of a watch is none of this call.
            let _ = thread.join();
        }
    }
}

/// Starts a thread.
///
/// # Errors
/// [`ErrorKind::Internal`] when the system gives none.
pub(super) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(|error| {
        let message = format!("cannot start the thread {name}");
        Error::new(ErrorKind::Internal, message).with_source(error).with_hint("allow this process more threads")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

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
