//! Bytes on their way from a source into the store.

use std::io::{self, Read};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::{Error, ErrorKind};
use crate::models::catalog::Entry;
use crate::models::store::{Expected, Store};

/// The most that is taken of a file whose length the catalog does not know: several times the largest model there is,
/// and little enough for any disk.
const MOST: u64 = 512 << 20;

/// How one source did for one file.
pub(super) type Outcome = Result<(), Trouble>;

/// Why a source did not deliver.
#[derive(Debug)]
pub(super) enum Trouble {
    /// This file cannot be had there.
    Source(String),
    /// Nothing can be had there: its server cannot be reached.
    Server(String),
    /// No other source would do better: the caller ended it, or the directory cannot be written.
    Stop(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        Self::Stop(error)
    }
}

impl Trouble {
    /// The caller ended it.
    pub(super) fn cancelled(name: &str) -> Self {
        Self::Stop(Error::new(ErrorKind::Cancelled, format!("the download of {name} was ended early")))
    }
}

/// The most bytes that can be the right ones.
pub(super) fn limit(entry: &Entry) -> u64 {
    entry.bytes.unwrap_or(MOST)
}

/// Reads `source` into the store. `arrived` counts the bytes for whoever watches.
pub(super) fn deliver(store: &Store, entry: &Entry, source: impl Read, arrived: &AtomicU64) -> Outcome {
    let mut counted = Counted { source, arrived, count: 0, limit: limit(entry), failure: None };
    let outcome = store.admit_from(entry.name, &Expected::from(entry), &mut counted);
    match (outcome, counted.failure) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(why)) => Err(Trouble::Source(why)),
        (Err(error), None) if error.kind() == ErrorKind::ModelCorrupt => {
            // The advice would be to fetch it, which is just what failed.
            Err(Trouble::Source(error.to_string().lines().next().unwrap_or_default().to_owned()))
        }
        (Err(error), None) => Err(Trouble::Stop(error)),
    }
}

/// A reader that counts, ends at a limit, and remembers that it was the source that failed and not the disk.
struct Counted<'a, R> {
    source: R,
    arrived: &'a AtomicU64,
    count: u64,
    limit: u64,
    failure: Option<String>,
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(buffer).and_then(|count| {
            self.count = self.count.saturating_add(count as u64);
            self.arrived.store(self.count, Ordering::Relaxed);
            match self.count > self.limit {
                true => Err(io::Error::other(format!("it is longer than {} bytes", self.limit))),
                false => Ok(count),
            }
        });
        match &read {
            Err(error) if error.kind() != io::ErrorKind::Interrupted => {
                self.failure = Some(format!("after {} bytes: {error}", self.count));
            }
            _ => {}
        }
        read
    }
}
