//! A file that lies on this machine already: in a mirror that is a directory, or named by the caller.

use std::path::Path;

use super::delivery::deliver;
use super::failure::{Outcome, SourceFailure};
use super::progress::{Progress, Source, Tell};
use super::space::Place;
use super::watch::{Transfer, watched};
use crate::error::{Error, ErrorKind, Result};
use crate::files::open_regular;
use crate::models::catalog::Entry;
use crate::models::store::Part;

/// Copies the file at `path` into the store.
pub(super) fn copy(place: Place<'_>, entry: &Entry, path: &Path, progress: Tell<'_>) -> Outcome {
    // Opening a pipe would wait for whoever writes into it.
    let file = open_regular(path).map_err(|error| SourceFailure::Source(error.to_string()))?;
    place.require(entry.name, entry.bytes.unwrap_or_default())?;
    let state = Transfer::default();
    let work = || deliver(place.store, entry, file, &state);
    let what = Progress { name: entry.name, source: Source::File, host: None, done: 0, total: entry.bytes };
    watched(what, &state, progress, &|| {}, work)??;
    Part::forget(place.store.layout(), entry.name, entry.sha256);
    Ok(())
}

/// Copies the file that the caller named: nothing else is tried when it is not what is wanted.
pub(super) fn copy_named(place: Place<'_>, entry: &Entry, path: &Path, progress: Tell<'_>) -> Result<()> {
    copy(place, entry, path, progress).map_err(|failure| match failure {
        SourceFailure::Stop(error) => error,
        SourceFailure::Source(why) | SourceFailure::Server(why) => {
            let message = format!("{} cannot be taken for the model {}: {why}", path.display(), entry.name);
            Error::new(if is_readable(path) { ErrorKind::ModelCorrupt } else { ErrorKind::Io }, message)
                .with_hint(format!("name a copy of the file that the catalog calls {}", entry.name))
        }
    })
}

fn is_readable(path: &Path) -> bool {
    open_regular(path).is_ok()
}
