//! The kinds of things in a directory, and the ways to open them.

use std::io;

/// The kinds of things in a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Kind {
    File,
    Folder,
    Link,
    /// A pipe, a socket or a device.
    Special,
}

/// The facts about something that can be told without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) struct Status {
    pub(in super::super) kind: Kind,
    pub(in super::super) bytes: u64,
}

/// The users who may open a file that is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Access {
    /// Whoever the process lets open its new files.
    Usual,
    /// The owner, and those who may write to the folder: whoever can open a file can lock it.
    Writers,
    /// The owner.
    Owner,
}

/// The ways to open a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Opening {
    /// It has to be there, and is opened for reading.
    Read,
    /// It has to be there, and is opened for reading and writing.
    Write,
    /// It is made unless it is there.
    Make(Access),
    /// It is made, and must not be there.
    MakeNew(Access),
}

/// Returns the error about something that is not what it has to be.
pub(super) fn unfit(why: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, why)
}
