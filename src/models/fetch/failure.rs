//! Failures of sources, and what they mean for the next one.

use std::time::Duration;

use super::progress::{Progress, Tell, Trouble};
use crate::error::{Error, ErrorKind};

/// The outcome of one source for one file.
pub(super) type Outcome = Result<(), SourceFailure>;

/// The failure of a source.
#[derive(Debug)]
pub(super) enum SourceFailure {
    /// This file cannot be had there.
    Source(String),
    /// Nothing can be had there: its server cannot be reached, or is too slow.
    Server(String),
    /// No other source would do better: the caller ended it, or the directory cannot be written.
    Stop(Error),
}

impl From<Error> for SourceFailure {
    fn from(error: Error) -> Self {
        Self::Stop(error)
    }
}

impl SourceFailure {
    /// Returns the failure of a download that its caller ended.
    pub(super) fn cancelled(name: &str) -> Self {
        Self::Stop(Error::new(ErrorKind::Cancelled, format!("the download of {name} was ended early")))
    }

    /// Returns the outcome, after the failure of a source that is left has been told with the step `what`.
    pub(super) fn told<T>(outcome: Result<T, Self>, what: Progress<'_>, progress: Tell<'_>) -> Result<T, Self> {
        match outcome {
            Err(Self::Source(why) | Self::Server(why))
                if !progress(Progress { trouble: Some(Trouble::Left(&why)), ..what }) =>
            {
                Err(Self::cancelled(what.name))
            }
            outcome => outcome,
        }
    }

    /// Returns its reason.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Source(why) | Self::Server(why) => why.clone(),
            Self::Stop(error) => error.to_string(),
        }
    }

    /// Says after how many tries it came to this.
    pub(super) fn after_tries(self, tries: u32) -> Self {
        let said = |why: String| if tries > 1 { format!("{why} (tried {tries} times)") } else { why };
        match self {
            Self::Source(why) => Self::Source(said(why)),
            Self::Server(why) => Self::Server(said(why)),
            Self::Stop(error) => Self::Stop(error),
        }
    }
}

/// The failure of one try at a server, and its meaning for the next one.
#[derive(Debug)]
pub(super) enum TryFailure {
    /// No other try at this source would do better.
    Final(SourceFailure),
    /// Another try may bring what is missing; the server may have said after which time.
    Transient(SourceFailure, Option<Duration>),
    /// The part is worth nothing. Unless all of it came from this try, the source may be right nevertheless.
    Unfit { why: String, is_resumed: bool },
}

impl TryFailure {
    /// Returns the same where there is no other try.
    pub(super) fn into_source_failure(self) -> SourceFailure {
        match self {
            Self::Final(failure) | Self::Transient(failure, _) => failure,
            Self::Unfit { why, .. } => SourceFailure::Source(why),
        }
    }
}

impl From<Error> for TryFailure {
    fn from(error: Error) -> Self {
        Self::Final(SourceFailure::Stop(error))
    }
}
