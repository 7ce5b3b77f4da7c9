//! Threads that cannot always be had.

use std::thread::{Builder, JoinHandle, Scope, ScopedJoinHandle};

use crate::error::{Error, ErrorKind, Result};

/// Starts a thread.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`] when the system gives none: it has no memory for its stack, most likely.
pub(crate) fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>> {
    Builder::new().name(name.to_owned()).spawn(work).map_err(|error| {
        let message = format!("cannot start the thread {name}");
        Error::new(ErrorKind::OutOfMemory, message)
            .with_source(error)
            .with_hint("give this process more memory, or allow it more threads")
    })
}

/// Work that is done by another thread meanwhile, or by this one when it is waited for: where the system gives no more
/// threads, work is slower and not lost.
pub(crate) struct Task<'scope, T, F> {
    thread: Option<ScopedJoinHandle<'scope, T>>,
    work: F,
}

impl<'scope, T: Send + 'scope, F: Fn() -> T + Copy + Send + 'scope> Task<'scope, T, F> {
    pub(crate) fn begin(scope: &'scope Scope<'scope, '_>, work: F) -> Self {
        Self { thread: begin(scope, work), work }
    }

    pub(crate) fn wait(self) -> T {
        self.thread.map_or_else(self.work, joined)
    }
}

/// Starts a scoped thread; none where the system gives no more. [`Scope::spawn`] would panic there.
pub(crate) fn begin<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Option<ScopedJoinHandle<'scope, T>> {
    #[cfg(test)]
    if USED_UP.get() {
        return None;
    }
    Builder::new().spawn_scoped(scope, work).ok()
}

/// Waits for a scoped thread's result; its panic goes on in this thread, as if the work had been done here.
pub(crate) fn joined<T>(thread: ScopedJoinHandle<'_, T>) -> T {
    thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
}

#[cfg(test)]
thread_local! {
    static USED_UP: std::cell::Cell<bool> = const { std::cell::Cell::new(false) };
}

/// Does `work` as if the system gave this thread no more threads.
#[cfg(test)]
pub(crate) fn without_threads<T>(work: impl FnOnce() -> T) -> T {
    USED_UP.set(true);
    let outcome = work();
    USED_UP.set(false);
    outcome
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_thread_can_be_started_this_one_does_the_work() {
        let own = std::thread::current().id();
        let task = || std::thread::scope(|scope| Task::begin(scope, || std::thread::current().id()).wait());
        assert_eq!(without_threads(task), own);
        assert_ne!(task(), own, "where there are threads, another one does it");
    }
}
