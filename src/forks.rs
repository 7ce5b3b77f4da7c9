//! Work that no fork may fall into: the first load of a process, and the start of another one.
//!
//! A child has no thread but the one that forked, and whatever lock another thread held stays taken there for ever:
//! those of Python's imports, and those that ONNX Runtime's library holds while it sets itself up. So a fork waits for
//! what runs here, and this for a fork. Downloads stay outside, since no fork may wait for a server.

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use crate::error::Result;

/// The number of the thread that is inside, or 0. No lock, which a child could find taken.
static INSIDE: AtomicU64 = AtomicU64::new(0);

thread_local! {
    static THREAD: u64 = {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        NEXT.fetch_add(1, Ordering::Relaxed)
    };
}

/// Pauses between two looks at whether another thread is inside, for some tenths of a second at most.
const PAUSES: [Duration; 2] = [Duration::from_millis(1), Duration::from_millis(20)];

/// A thread's stay inside. One that was inside already stays there.
#[derive(Debug)]
#[must_use = "dropping it ends the stay"]
pub(crate) struct Inside {
    is_first: bool,
}

/// Waits until no other thread is inside, at most for `limit`: None when the time is over before.
///
/// # Errors
/// The error of `look_around`, which is asked in between.
pub(crate) fn enter(limit: Option<Duration>, look_around: &dyn Fn() -> Result<()>) -> Result<Option<Inside>> {
    let (started, own, [mut pause, longest]) = (Instant::now(), THREAD.with(|&own| own), PAUSES);
    loop {
        match INSIDE.compare_exchange(0, own, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => return Ok(Some(Inside { is_first: true })),
            Err(owner) if owner == own => return Ok(Some(Inside { is_first: false })),
            Err(_) if limit.is_some_and(|limit| started.elapsed() >= limit) => return Ok(None),
            Err(_) => sleep(pause),
        }
        pause = longest.min(2 * pause);
        look_around()?;
    }
}

/// Does `work`, into which no other thread's fork falls.
///
/// A fork by this thread itself goes through, and both sides go on with the work, without a guard.
///
/// # Errors
/// The errors of `work`, and of `look_around` while another thread is inside.
pub(crate) fn in_one_piece<T>(look_around: &dyn Fn() -> Result<()>, work: impl FnOnce() -> Result<T>) -> Result<T> {
    let _inside = enter(None, look_around)?;
    work()
}

/// Lets nobody in until [`end_fork`], for whoever is about to fork. Who is inside is waited for, at most for `limit`:
/// false when it goes on then.
pub fn begin_fork(limit: Duration) -> bool {
    let inside = enter(Some(limit), &|| Ok(())).ok().flatten();
    let is_alone = inside.is_some();
    std::mem::forget(inside);
    is_alone
}

/// Ends a fork, on both sides. A thread that was inside is not any more: in the child it may not exist.
pub fn end_fork() {
    INSIDE.store(0, Ordering::Release);
}

impl Drop for Inside {
    fn drop(&mut self) {
        if self.is_first {
            // It may have been ended by a fork, and another thread be inside.
            let own = THREAD.with(|&own| own);
            let _ = INSIDE.compare_exchange(own, 0, Ordering::AcqRel, Ordering::Acquire);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Mutex, PoisonError};
    use std::thread;

    use super::*;
    use crate::error::{Error, ErrorKind};

    /// The gate is one for the process.
    static ALONE: Mutex<()> = Mutex::new(());

    fn try_elsewhere() -> bool {
        let limit = Some(Duration::ZERO);
        thread::scope(|scope| scope.spawn(|| enter(limit, &|| Ok(())).unwrap().is_some()).join().unwrap())
    }

    #[test]
    fn one_thread_is_inside_at_a_time_and_any_number_of_times() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let first = enter(None, &|| Ok(())).unwrap().unwrap();
        drop(enter(None, &|| Ok(())).unwrap().unwrap());
        assert!(!try_elsewhere(), "the inner stay ended, the outer did not");
        let refuse = || Err(Error::new(ErrorKind::Cancelled, "on purpose"));
        let ended = thread::scope(|scope| scope.spawn(|| in_one_piece(&refuse, || Ok(()))).join().unwrap());
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Cancelled);
        drop(first);
        assert!(try_elsewhere());
        in_one_piece(&refuse, || Ok(())).expect("nobody is waited for");
    }

    #[test]
    fn a_fork_waits_for_what_is_inside_but_not_for_ever() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let inside = enter(None, &|| Ok(())).unwrap();
        let begin = || thread::scope(|scope| scope.spawn(|| begin_fork(Duration::from_millis(2))).join().unwrap());
        assert!(!begin());
        drop(inside);
        assert!(begin());
        assert!(!try_elsewhere(), "it waits for the fork");
        end_fork();
        assert!(try_elsewhere());
    }

    #[test]
    fn a_fork_by_the_thread_that_is_inside_ends_its_stay_alone() {
        let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
        let inside = enter(None, &|| Ok(())).unwrap();
        assert!(begin_fork(Duration::ZERO), "it waits for nobody");
        end_fork();
        let other = thread::spawn(|| std::mem::forget(enter(None, &|| Ok(())).unwrap()));
        other.join().unwrap();
        drop(inside);
        assert!(!try_elsewhere(), "the other's stay goes on");
        end_fork();
    }
}
