//! Long calls that Ctrl-C ends.

use std::cell::Cell;
use std::mem;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::thread::{Builder, JoinHandle};

use pyo3::prelude::*;

use super::call::call as call_core;
use crate::error::Result;
use crate::event::SLICE;
use crate::process::Owner;
use crate::stop::{Reason, Stop};

/// Does the same as [`super::call::call`], for work that may take long and that `stop` ends.
///
/// Python handles signals on its main thread alone, and not while that works. So there another thread does the work,
/// and this one looks for signals. Where the system gives no other thread, a signal waits for the end of the work.
pub(super) fn call<T: Send + 'static>(
    py: Python<'_>,
    stop: &Stop,
    work: impl Fn(&Stop) -> Result<T> + Send + Sync + 'static,
) -> PyResult<T> {
    let work = Arc::new(work);
    let working = if is_main_thread(py)? { Working::begin(&work, stop) } else { None };
    match working {
        Some(working) => working.wait(py, stop),
        None => call_core(py, || work(stop)),
    }
}

thread_local! {
    /// The process in which this was found not to be the main thread; in a forked child it may be that.
    static IS_OTHER: Cell<Option<Owner>> = const { Cell::new(None) };
}

/// Asks Python, other threads but once: a daemon thread that runs Python code when the interpreter ends is ended there,
/// and what called that with it. A signal may fall into the question, and its handler may raise.
fn is_main_thread(py: Python<'_>) -> PyResult<bool> {
    if IS_OTHER.get().is_some_and(Owner::is_here) {
        return Ok(false);
    }
    let threading = py.import("threading")?;
    let main = threading.call_method0("main_thread")?.getattr("ident")?;
    let is_main = main.eq(threading.call_method0("get_ident")?)?;
    IS_OTHER.set((!is_main).then(Owner::this_process));
    Ok(is_main)
}

/// Work that another thread does. Not scoped: a child that is forked by a signal's handler has no such thread, and
/// would wait for it for ever.
struct Working<T> {
    thread: JoinHandle<Result<T>>,
    /// Hears nothing, until the work has ended in whatever way.
    ended: Receiver<()>,
    owner: Owner,
}

impl<T: Send + 'static> Working<T> {
    /// Begins the work; None when the system gives no thread.
    fn begin(work: &Arc<impl Fn(&Stop) -> Result<T> + Send + Sync + 'static>, stop: &Stop) -> Option<Self> {
        let (alive, ended) = mpsc::channel();
        let (work, stop) = (Arc::clone(work), stop.clone());
        let all = move || {
            let _alive = alive;
            work(&stop)
        };
        let thread = Builder::new().name("ferrocr-call".to_owned()).spawn(all).ok()?;
        Some(Self { thread, ended, owner: Owner::this_process() })
    }

    /// Returns the thread has ended when this returns.
    fn wait(mut self, py: Python<'_>, stop: &Stop) -> PyResult<T> {
        loop {
            let ended = &mut self.ended;
            if py.detach(move || ended.recv_timeout(SLICE)) != Err(RecvTimeoutError::Timeout) {
                return call_core(py, || self.end());
            }
            let signal = py.check_signals().err();
            if let Err(forked) = self.owner.check("this call") {
                // There is no such thread here that could be detached.
                mem::forget(self);
                return signal.map_or_else(|| call_core(py, || Err(forked)), Err);
            }
            if let Some(signal) = signal {
                py.detach(|| {
                    stop.fire(Reason::Cancelled);
                    // The outcome does not count any more, and a panic was printed.
                    let _ = catch_unwind(AssertUnwindSafe(|| self.end()));
                });
                return Err(signal);
            }
        }
    }

    /// Returns its panic goes on in this thread, as if the work had been done here.
    fn end(self) -> Result<T> {
        self.thread.join().unwrap_or_else(|panic| resume_unwind(panic))
    }
}
