//! The end of a load that takes too long, or that its caller no longer wants.

use std::time::Duration;

use super::timer::Timer;
use crate::error::{Error, ErrorKind, Result};
use crate::stop::{Stop, Watch};

/// The longest load. The default models take less than a second on two cores; a file that is made to take for ever must
/// not take a service with it.
const LONGEST_LOAD: Duration = Duration::from_secs(120);

/// A load that is under way.
pub(super) struct Loading {
    stop: Stop,
    callers: Stop,
    _follows: Watch,
    _timer: Timer,
}

impl Loading {
    /// Begins one that ends with `callers`, if there is such, and after [`LONGEST_LOAD`] in any case.
    pub(super) fn begin(callers: Option<&Stop>) -> Result<Self> {
        Self::begin_for(LONGEST_LOAD, callers)
    }

    fn begin_for(longest: Duration, callers: Option<&Stop>) -> Result<Self> {
        let (stop, callers) = (Stop::new(), callers.cloned().unwrap_or_default());
        let follows = stop.follow(&callers)?;
        let timer = Timer::start(longest, &stop)?;
        Ok(Self { stop, callers, _follows: follows, _timer: timer })
    }

    /// Ends the load when it fires.
    pub(super) fn stop(&self) -> &Stop {
        &self.stop
    }

    /// Gives the error of a model that was not loaded: that it took too long is said of the model, not of the call.
    pub(super) fn explained(&self, model: &str, error: Error) -> Error {
        if error.kind() != ErrorKind::Timeout || self.callers.check().is_err() {
            return error;
        }
        let message = format!("{model} was not loaded within {} seconds", LONGEST_LOAD.as_secs());
        Error::new(ErrorKind::ModelCorrupt, message)
            .with_hint("use a model that ONNX Runtime can prepare faster, or a machine with less other work")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::Reason;

    fn error_of(loading: &Loading) -> Error {
        while loading.stop().check().is_ok() {
            std::thread::yield_now();
        }
        loading.explained("a.onnx", loading.stop().check().expect_err("it has fired"))
    }

    #[test]
    fn a_load_that_takes_too_long_is_the_model_s_fault() {
        let loading = Loading::begin_for(Duration::ZERO, None).expect("a thread");
        let error = error_of(&loading);
        assert_eq!(error.kind(), ErrorKind::ModelCorrupt);
        assert!(error.to_string().starts_with("a.onnx was not loaded within 120 seconds\n"), "{error}");
    }

    #[test]
    fn a_load_ends_with_its_call_for_the_call_s_reason() {
        for (reason, kind) in
            [(Reason::Cancelled, ErrorKind::Cancelled), (Reason::TimedOut(Duration::from_secs(3)), ErrorKind::Timeout)]
        {
            let callers = Stop::new();
            let loading = Loading::begin(Some(&callers)).expect("a thread");
            assert!(loading.stop().check().is_ok());
            callers.fire(reason);
            assert_eq!(error_of(&loading).kind(), kind);
            assert!(Loading::begin(Some(&callers)).is_err(), "none begins for a call that is over");
        }
    }

    #[test]
    fn another_error_stays_as_it_is() {
        let loading = Loading::begin(None).expect("a thread");
        let error = loading.explained("a.onnx", Error::new(ErrorKind::Inference, "refused"));
        assert_eq!(error.kind(), ErrorKind::Inference);
    }
}
