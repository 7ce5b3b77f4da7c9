//! Telling how far an export or import is.

use std::time::Instant;

use crate::error::{Error, ErrorKind, Result};
use crate::models::tick::TICK;

/// The progress of an export or import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveProgress<'a> {
    /// The file at work.
    pub name: &'a str,
    /// Bytes of the whole work that are done.
    pub done: u64,
    /// Bytes of the whole work.
    pub total: u64,
}

/// Is told how far it is, several times a second; saying `false` ends the work.
pub(super) type Tell<'a> = &'a mut dyn FnMut(ArchiveProgress<'_>) -> bool;

/// Counts the bytes of the whole work.
pub(super) struct Meter<'a> {
    tell: Tell<'a>,
    done: u64,
    total: u64,
    told: Instant,
}

impl<'a> Meter<'a> {
    pub(super) fn new(tell: Tell<'a>, total: u64) -> Self {
        Self { tell, done: 0, total, told: Instant::now() }
    }

    /// Counts bytes of the file called `name`.
    pub(super) fn add(&mut self, name: &str, bytes: usize) -> Result<()> {
        // A file that turns out too long is refused a moment later.
        self.done = self.done.saturating_add(bytes as u64).min(self.total);
        if self.told.elapsed() < TICK { Ok(()) } else { self.tell(name) }
    }

    pub(super) fn tell(&mut self, name: &str) -> Result<()> {
        self.told = Instant::now();
        match (self.tell)(ArchiveProgress { name, done: self.done, total: self.total }) {
            true => Ok(()),
            false => Err(Error::new(ErrorKind::Cancelled, format!("the work on {name} was ended early"))),
        }
    }
}
