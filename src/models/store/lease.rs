//! Leases: the models in use, by process.
//!
//! A user of models puts a file with their names into the folder of leases and keeps it locked. The system frees the
//! lock when the user ends, in whatever way, and a lease that is not locked counts for nothing. One that cannot be read
//! may be about any file, so nothing is removed while it is there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io::{self, Read, Seek};
use std::path::PathBuf;
use std::process;
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use super::characters::list_of;
use super::directory::{Access, Kind, Location};
use super::disk;
use super::layout::LEASES;
use super::layout::Layout;
use super::lock::DirectoryLock;
use super::lock::{self, Attempt, Locked, Mode};
use super::temporary::unique;
use crate::error::{Error, Result};

/// The most that is read of a lease: thousands of names.
const MOST: u64 = 1 << 20;

/// More leases than this are looked through for those of processes that are gone, before one is added: a pool of
/// workers has fewer, and to look at so many takes some milliseconds at most.
const MANY: usize = 32;

/// The number of looks at a lease that is locked and still empty, or that nobody may read yet, and the time between
/// two: its maker finishes it within some microseconds.
const LOOKS: u32 = 5;
const LOOK_AGAIN: Duration = Duration::from_millis(4);

/// Protects models of a store from being removed, until it is dropped or its process ends.
///
/// Only the lease is a locked file: the models themselves may be renamed or deleted by hand at any time. Clones are the
/// same lease, which ends with the last of them.
#[derive(Debug, Clone)]
pub struct Lease {
    _held: Arc<Held>,
}

/// The file of a lease.
#[derive(Debug)]
struct Held {
    at: Location,
    file: Locked,
}

/// The uses of files, as far as they can be told.
#[derive(Debug, Default)]
pub(super) struct Uses {
    /// The files in use, each with the ids of the processes that use it.
    pub(super) files: BTreeMap<String, Vec<u32>>,
    /// Leases that cannot be read, and why: any file may be in use by them.
    pub(super) faults: Vec<(PathBuf, Error)>,
}

impl Uses {
    fn add(&mut self, record: Record) {
        for name in record.names {
            let holders = self.files.entry(name).or_default();
            if !holders.contains(&record.pid) {
                holders.push(record.pid);
            }
        }
    }
}

/// The leases on the models of a directory.
pub(super) struct Leases<'a>(pub(super) &'a Layout);

impl Leases<'_> {
    /// Notes that this process uses the files called `names`, what they lead to if they are links, and the lists of
    /// characters beside them.
    pub(super) fn lease(&self, names: &[String]) -> Result<Option<Lease>> {
        let names = self.guarded(names);
        // A directory that is not there is not made: the models of an engine may all lie elsewhere.
        if names.is_empty() || !self.0.dir().is_dir() {
            return Ok(None);
        }
        self.sweep_many_leases();
        match DirectoryLock(self.0).hold_briefly().and_then(|_hold| self.lease_held(names)) {
            Err(error) if is_forbidden(&error) => Ok(None),
            outcome => outcome,
        }
    }

    /// Removes the leases of processes that are gone, when there are many and nobody else is at work in the directory.
    ///
    /// A process that ends in whatever way but the usual one leaves its lease, and only removals look for them.
    fn sweep_many_leases(&self) {
        let leases = self.0.open_folder(LEASES).ok().flatten();
        if leases.and_then(|leases| leases.names().ok()).is_none_or(|names| names.len() <= MANY) {
            return;
        }
        if let Some(_hold) = DirectoryLock(self.0).try_hold_alone() {
            // They count for nothing, and the next one tries again.
            let _ = self.sweep_leases_held();
        }
    }

    /// Makes a lease. The caller holds the directory.
    fn lease_held(&self, names: BTreeSet<String>) -> Result<Option<Lease>> {
        let at = self.0.make_folder(LEASES)?.at(unique("lease"));
        let failed = |error| Error::io("write", &at.path(), error);
        // Until it is locked nobody else can open it: who can could lock it first.
        let file = Locked::new(disk::open_new(&at, Access::Owner).map_err(failed)?);
        let mut held = Held { at: at.clone(), file };
        // Locked only when it is complete: nobody then takes it for one that cannot be read.
        disk::write(&mut held.file, Record::of_this_process(names).text().as_bytes()).map_err(failed)?;
        let is_locked = DirectoryLock(self.0).lock_new(&held.file)?;
        // A private lease would keep other users from removing anything.
        disk::let_all_read(&held.file);
        Ok(is_locked.then(|| Lease { _held: Arc::new(held) }))
    }

    /// Returns all files of the directory that are needed by who uses those called `names`.
    fn guarded(&self, names: &[String]) -> BTreeSet<String> {
        let models = names.iter().flat_map(|name| self.0.names_along(&self.0.dir().join(name)));
        let with_characters = |name: String| {
            let list = list_of(&name).map(|list| self.0.dir().join(list)).filter(|list| list.is_file());
            let lists = list.map(|list| self.0.names_along(&list)).unwrap_or_default();
            lists.into_iter().chain([name])
        };
        models.flat_map(with_characters).collect()
    }

    /// Returns the files in use, each with the ids of the processes that use it.
    pub(super) fn in_use(&self) -> Result<BTreeMap<String, Vec<u32>>> {
        let uses = self.uses();
        match uses.faults.into_iter().next() {
            None => Ok(uses.files),
            Some((_, error)) => Err(error.named("cannot tell which models are in use")),
        }
    }

    /// Returns the files in use, and what cannot be read.
    pub(super) fn uses(&self) -> Uses {
        let mut uses = Uses::default();
        let listed = match self.0.open_folder(LEASES) {
            Ok(None) => return uses,
            Err(error) => Err(error),
            Ok(Some(leases)) => leases
                .names()
                .map(|names| names.into_iter().map(|name| leases.at(name)).collect::<Vec<_>>())
                .map_err(|error| disk::failed("list the leases", leases.path(), error)),
        };
        match listed {
            Err(error) => uses.faults.push((self.0.leases(), error)),
            Ok(leases) => {
                for at in leases {
                    match live(&at) {
                        Ok(record) => record.into_iter().for_each(|record| uses.add(record)),
                        Err(error) => uses.faults.push((at.path(), unread(&at, error))),
                    }
                }
            }
        }
        uses
    }

    /// Removes the leases of processes that are gone. The caller holds the directory alone.
    pub(super) fn sweep_leases_held(&self) -> Result<()> {
        let Some(leases) = self.0.open_folder(LEASES)? else { return Ok(()) };
        for name in leases.names().unwrap_or_default() {
            let at = leases.at(&name);
            if name.to_string_lossy().starts_with("lease.") && is_free(&at) {
                disk::remove_file(&at)?;
            }
        }
        Ok(())
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        // A forked child has the file too, and must leave it to the parent.
        if self.file.is_ours() {
            // Before it is unlocked, so that nobody sees it without its lock. Renamed or deleted by hand is fine too.
            let _ = disk::remove_file(&self.at);
        }
    }
}

/// Tells an error that says that this user may not write from all others.
fn is_forbidden(error: &Error) -> bool {
    matches!(error.io_kind(), Some(io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem))
}

fn is_free(at: &Location) -> bool {
    Locked::open(at).is_ok_and(|file| lock::attempt(&file, Mode::Shared) == Attempt::Held)
}

fn unread(at: &Location, error: io::Error) -> Error {
    Error::io("read the lease", &at.path(), error)
        .with_hint("end the processes that use these models, and remove that file if it is still there then")
}

/// Reads a lease, if its holder is still there.
fn live(at: &Location) -> io::Result<Option<Record>> {
    let file = match open_soon(at) {
        // Its holder has removed it meanwhile.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        // No store makes folders there; an audit tells of them.
        Err(_) if at.status().is_ok_and(|status| status.kind == Kind::Folder) => return Ok(None),
        file => file?,
    };
    let unfit = |why| io::Error::new(io::ErrorKind::InvalidData, why);
    let mut text = String::new();
    for look in 0..LOOKS {
        if look > 0 {
            thread::sleep(LOOK_AGAIN);
        }
        if lock::attempt(&file, Mode::Shared) != Attempt::Busy {
            return Ok(None);
        }
        (&*file).rewind()?;
        if (&*file).take(MOST).read_to_string(&mut text)? as u64 == MOST {
            return Err(unfit("it is too long"));
        }
        if !text.is_empty() {
            break;
        }
    }
    let record = Record::parse(&text).ok_or_else(|| unfit("a process has it locked, and it does not say which"))?;
    Ok((!record.has_ended()).then_some(record))
}

/// Opens a lease. One that nobody else may open may be about to be locked, and then everybody may.
fn open_soon(at: &Location) -> io::Result<Locked> {
    for _ in 1..LOOKS {
        match Locked::open(at) {
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => thread::sleep(LOOK_AGAIN),
            outcome => return outcome,
        }
    }
    Locked::open(at)
}

/// A process and the models that it uses.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Record {
    pid: u32,
    /// Tells the process from a later one with the same id, where the system helps.
    birth: Option<Birth>,
    names: Vec<String>,
}

/// The system that a process runs in, and when it began there.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Birth {
    system: String,
    ticks: String,
}

impl Record {
    fn of_this_process(names: impl IntoIterator<Item = String>) -> Self {
        let pid = process::id();
        let birth = system().zip(ticks(pid)).map(|(system, ticks)| Birth { system, ticks });
        Self { pid, birth, names: names.into_iter().collect() }
    }

    fn text(&self) -> String {
        let birth = self.birth.as_ref().map(|birth| format!("born {} {}\n", birth.ticks, birth.system));
        let names: String = self.names.iter().map(|name| format!("model {name}\n")).collect();
        format!("pid {}\n{}{names}", self.pid, birth.unwrap_or_default())
    }

    /// Reads a record from `text`; none if it does not name the process. A line that says nothing is left out, and the
    /// first that names a process counts.
    fn parse(text: &str) -> Option<Self> {
        let (mut pid, mut birth, mut names) = (None, None, Vec::new());
        for (key, value) in text.lines().filter_map(|line| line.split_once(' ')) {
            match key {
                "pid" => pid = pid.or(value.parse().ok()),
                "born" if birth.is_none() => {
                    let both = value.split_once(' ');
                    birth = both.map(|(ticks, system)| Birth { system: system.to_owned(), ticks: ticks.to_owned() });
                }
                "model" => names.push(value.to_owned()),
                _ => {}
            }
        }
        Some(Self { pid: pid?, birth, names })
    }

    /// Returns true if the process is known to have ended, although its lock is held: a forked child of it lives on,
    /// and cannot use what it inherited.
    fn has_ended(&self) -> bool {
        let Some(birth) = &self.birth else { return false };
        system().as_ref() == Some(&birth.system) && ticks(self.pid).as_ref() != Some(&birth.ticks)
    }
}

/// This boot of this machine and this space of process ids; the same for all processes that see each other's ids.
fn system() -> Option<String> {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").ok()?;
    let space = fs::read_link("/proc/self/ns/pid").ok()?;
    Some(format!("{}/{}", boot.trim(), space.to_str()?))
}

/// Returns the time at which a process began, in clock ticks since the boot; none for one that is not there.
fn ticks(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in brackets, which may hold anything; the third is the first one after it.
    let fields = stat.rsplit_once(')')?.1;
    fields.split_ascii_whitespace().nth(22 - 3).map(str::to_owned)
}

#[cfg(test)]
mod tests;
