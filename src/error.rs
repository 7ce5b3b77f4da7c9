//! The one error type of the crate.
//!
//! A message says what failed, which file or value it was, and where; [`Error::hint`] says what to do about it and is
//! kept apart so that a caller can show it on a line of its own.

use std::error::Error as StdError;
use std::fmt;
use std::path::Path;

mod call;
mod command;
mod hint;
mod remedy;

pub use hint::Hint;
pub(crate) use remedy::{Action, Remedy};

/// A result with this crate's [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// The kind of a failure. Each kind is one exception class in Python.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// An argument is out of its documented range.
    InvalidArgument,
    /// The picture cannot be decoded, or is larger than the limits allow.
    Image,
    /// There is no picture file of that name.
    ImageNotFound,
    /// A model file is not in the model directory and may not be fetched.
    ModelNotFound,
    /// A model file's content does not match its hash or is no readable model.
    ModelCorrupt,
    /// A readable model whose inputs, outputs or characters do not fit the role it was given.
    ModelMismatch,
    /// A process uses a model file that was to be removed.
    ModelInUse,
    /// A model file that was to be removed is on the keep-list, or needed by models that the caller named.
    ModelKept,
    /// No source could deliver a model.
    Download,
    /// A file or directory could not be read or written.
    Io,
    /// ONNX Runtime's library is missing, too old or ambiguous.
    RuntimeUnavailable,
    /// ONNX Runtime refused a session or a run.
    Inference,
    /// The system has no memory for it.
    OutOfMemory,
    /// The engine was freed; it never reopens.
    ResourcesFreed,
    /// The engine belongs to the parent of this forked process.
    Forked,
    /// The caller asked for the work to end early.
    Cancelled,
    /// The work took longer than the caller allowed.
    Timeout,
    /// A function of the caller's failed; the source says how.
    Callback,
    /// A defect of this crate.
    Internal,
}

/// An error with its kind, a message for people, a hint, and the error that caused it.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    hint: Option<Hint>,
    source: Option<Box<dyn StdError + Send + Sync>>,
}

impl Error {
    /// Returns an error of `kind`. The message starts in lower case and has no full stop at its end.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self { kind, message: message.into(), hint: None, source: None }
    }

    /// Adds what the reader can do about it.
    #[must_use]
    pub fn with_hint(mut self, hint: impl Into<Hint>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Adds the error that caused this one; its text becomes part of what [`fmt::Display`] prints.
    #[must_use]
    pub fn with_source(mut self, source: impl Into<Box<dyn StdError + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Puts the file or value that the message is about in front of it.
    #[must_use]
    pub fn named(mut self, subject: &str) -> Self {
        self.message = format!("{subject}: {}", self.message);
        self
    }

    /// Returns the error of a failed operation on a file or directory, for example `Error::io("read", path, error)`.
    ///
    /// If it is memory that is missing, the kind says so.
    pub fn io(verb: &str, path: &Path, source: std::io::Error) -> Self {
        let is_memory = source.kind() == std::io::ErrorKind::OutOfMemory;
        let kind = if is_memory { ErrorKind::OutOfMemory } else { ErrorKind::Io };
        let error = Self::new(kind, format!("cannot {verb} {}", path.display())).with_source(source);
        if is_memory { error.with_hint("give the process more memory, or smaller files") } else { error }
    }

    /// Returns the kind of failure.
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// Returns the kind of the system's error that it stands on, if there is one.
    pub(crate) fn io_kind(&self) -> Option<std::io::ErrorKind> {
        let source = std::error::Error::source(self)?.downcast_ref::<std::io::Error>()?;
        Some(source.kind())
    }

    /// Returns the advice for somebody who uses the library.
    pub fn hint(&self) -> Option<String> {
        self.hint.as_ref().map(Hint::for_library)
    }

    /// Returns the advice for somebody who uses the command line.
    pub fn shell_hint(&self) -> Option<String> {
        self.hint.as_ref().map(Hint::for_shell)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if let Some(source) = &self.source {
            // Some libraries end their messages with a line break.
            write!(f, ": {}", source.to_string().trim_end())?;
        }
        if let Some(hint) = self.hint() {
            write!(f, "\n{hint}")?;
        }
        Ok(())
    }
}

impl StdError for Error {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn StdError + 'static))
    }
}

/// Lets only those failures through that end a whole call: others of its lines need not fail for one.
///
/// # Errors
/// Those that end the whole call.
pub(crate) fn unless_fatal<T>(outcome: Result<T>) -> Result<Result<T>> {
    use ErrorKind::{Image, Inference, Internal, ModelMismatch};
    match outcome {
        Err(error) if !matches!(error.kind(), Image | Inference | Internal | ModelMismatch) => Err(error),
        outcome => Ok(outcome),
    }
}
