//! A file that lies on this machine already: in a mirror that is a directory, or named by the caller.

use std::path::{Path, PathBuf};

use super::delivery::deliver;
use super::failure::{Outcome, SourceFailure};
use super::job::Job;
use super::progress::{Progress, Source, Tell};
use super::space::Place;
use super::watch::{Transfer, watched};
use crate::error::{Error, ErrorKind, Result};
use crate::files::open_regular;
use crate::models::catalog::KnownFile;
use crate::models::store::Part;

/// Copies the file at `path` into the store, as the file `known`.
pub(super) fn copy(place: Place<'_>, known: &KnownFile, path: &Path, progress: Tell<'_>) -> Outcome {
    // Opening a pipe would wait for whoever writes into it.
    let file = open_regular(path).map_err(|error| SourceFailure::Source(error.to_string()))?;
    place.require(known.name, known.bytes.unwrap_or_default())?;
    let state = Transfer::default();
    let work = || deliver(place.store, known, file, &state);
    watched(step_of(known), &state, progress, &|| {}, work)??;
    Part::forget(place.store.layout(), known.name, known.sha256);
    Ok(())
}

/// Returns the first step of a copy.
pub(super) fn step_of(known: &KnownFile) -> Progress<'_> {
    Progress { name: known.name, source: Source::File, host: None, done: 0, total: known.bytes, trouble: None }
}

/// Copies the file of a job out of the one that the caller named, or from beside it: nothing else is tried when it is
/// not what is wanted.
pub(super) fn copy_named(place: Place<'_>, job: &mut Job<'_>, named: &Path, progress: Tell<'_>) -> Result<()> {
    let known = job.file;
    let path = if job.is_list() { beside(named, known.name) } else { named.to_owned() };
    copy(place, &known, &path, progress).map_err(|failure| match failure {
        SourceFailure::Stop(error) => error,
        SourceFailure::Source(why) | SourceFailure::Server(why) => {
            let (what, hint) = if job.is_list() {
                let hint = format!(
                    "put it beside {}, as {}: the model cannot be used without it",
                    named.display(),
                    known.name
                );
                ("the list of characters", hint)
            } else {
                ("the model", format!("name a copy of the file that the catalog calls {}", known.name))
            };
            let message = format!("{} cannot be taken for {what} {}: {why}", path.display(), known.name);
            Error::new(if is_readable(&path) { ErrorKind::ModelCorrupt } else { ErrorKind::Io }, message)
                .with_hint(hint)
        }
    })?;
    job.is_done = true;
    Ok(())
}

/// Returns where the list of characters called `name` may lie beside a model's file: under its own name, or else under
/// the model's, as an engine looks for it.
fn beside(model: &Path, name: &str) -> PathBuf {
    let path = model.with_file_name(name);
    if path.exists() { path } else { model.with_extension("txt") }
}

fn is_readable(path: &Path) -> bool {
    open_regular(path).is_ok()
}
