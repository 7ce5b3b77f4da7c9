//! Which models are in use, by which process.
//!
//! A user of models puts a file with their names into the folder of leases and keeps it locked. The system frees the
//! lock when the user ends, in whatever way, and a lease that is not locked counts for nothing.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::Read;
use std::iter;
use std::path::{Path, PathBuf};
use std::process;

use super::characters::list_of;
use super::lock::{self, Attempt, Mode};
use super::part::unique;
use super::{Store, disk, open_regular};
use crate::error::{Error, Result};

/// The most that is read of a lease: thousands of names.
const MOST: u64 = 1 << 20;

/// Protects models of a store from being removed, until it is dropped or its process ends.
///
/// Only the lease is a locked file: the models themselves may be renamed or deleted by hand at any time.
#[derive(Debug)]
pub struct Lease {
    path: PathBuf,
    file: Option<File>,
    process: u32,
}

impl Store {
    /// Notes that this process uses the files called `names`, and the lists of characters beside them.
    ///
    /// None where that cannot be noted: in a directory that cannot be written, or on a file system without locks. The
    /// models can be used there all the same, but nothing keeps another process from removing them.
    pub fn lease(&self, names: &[String]) -> Option<Lease> {
        self.try_lease(names).ok().flatten()
    }

    fn try_lease(&self, names: &[String]) -> Result<Option<Lease>> {
        let _hold = self.hold_shared()?;
        let folder = self.leases();
        disk::create_folders(&folder)?;
        let path = folder.join(unique("lease"));
        let failed = |error| Error::io("write", &path, error);
        let file = disk::open(&path, true).map_err(failed)?;
        let mut lease = Lease { path: path.clone(), file: Some(file), process: process::id() };
        let Some(file) = &mut lease.file else { return Ok(None) };
        if lock::wait(file, Mode::Exclusive) != Some(Attempt::Held) {
            return Ok(None);
        }
        let names: Vec<_> = names.iter().flat_map(|name| self.with_characters(name)).collect();
        disk::write(file, Record::of_this_process(&names).text().as_bytes()).map_err(failed)?;
        Ok(Some(lease))
    }

    /// A model and, if there is one, the list of characters beside it.
    fn with_characters(&self, name: &str) -> Vec<String> {
        let beside = list_of(name).filter(|list| self.dir().join(list).is_file());
        iter::once(name.to_owned()).chain(beside).collect()
    }

    /// The files in use, each with the ids of the processes that use it. An id counts on the machine of that process.
    pub fn in_use(&self) -> BTreeMap<String, Vec<u32>> {
        let mut found: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for record in self.records() {
            for name in record.names {
                let holders = found.entry(name).or_default();
                if !holders.contains(&record.pid) {
                    holders.push(record.pid);
                }
            }
        }
        found
    }

    fn records(&self) -> Vec<Record> {
        let leases = fs::read_dir(self.leases()).into_iter().flatten().flatten();
        leases.filter_map(|lease| live(&lease.path())).collect()
    }

    /// Removes the leases of processes that are gone. The caller holds the directory alone.
    pub(super) fn sweep_leases_held(&self) -> Result<()> {
        for lease in fs::read_dir(self.leases()).into_iter().flatten().flatten() {
            let path = lease.path();
            if lease.file_name().to_string_lossy().starts_with("lease.") && is_free(&path) {
                disk::remove_file(&path)?;
            }
        }
        Ok(())
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        // A forked child has the file too, and must leave it to the parent.
        if self.process == process::id() {
            // Before it is unlocked, so that nobody sees it without its lock. Renamed or deleted by hand is fine too.
            let _ = disk::remove_file(&self.path);
            if let Some(file) = self.file.take() {
                // A child that was forked meanwhile still has the file open, and closing alone would leave the lock.
                let _ = file.unlock();
            }
        }
    }
}

fn is_free(path: &Path) -> bool {
    open_regular(path).is_ok_and(|file| lock::attempt(&file, Mode::Shared) == Attempt::Held)
}

/// What a lease says, if its holder is still there.
fn live(path: &Path) -> Option<Record> {
    let mut file = open_regular(path).ok()?;
    if lock::attempt(&file, Mode::Shared) != Attempt::Busy {
        return None;
    }
    let mut text = String::new();
    file.by_ref().take(MOST).read_to_string(&mut text).ok()?;
    Record::parse(&text).filter(|record| !record.has_ended())
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
    fn of_this_process(names: &[String]) -> Self {
        let pid = process::id();
        let birth = system().zip(ticks(pid)).map(|(system, ticks)| Birth { system, ticks });
        Self { pid, birth, names: names.to_vec() }
    }

    fn text(&self) -> String {
        let birth = self.birth.as_ref().map(|birth| format!("born {} {}\n", birth.ticks, birth.system));
        let names: String = self.names.iter().map(|name| format!("model {name}\n")).collect();
        format!("pid {}\n{}{names}", self.pid, birth.unwrap_or_default())
    }

    fn parse(text: &str) -> Option<Self> {
        let (mut pid, mut birth, mut names) = (None, None, Vec::new());
        for line in text.lines() {
            match line.split_once(' ')? {
                ("pid", number) => pid = number.parse().ok(),
                ("born", rest) => {
                    let (ticks, system) = rest.split_once(' ')?;
                    birth = Some(Birth { system: system.to_owned(), ticks: ticks.to_owned() });
                }
                ("model", name) => names.push(name.to_owned()),
                _ => {}
            }
        }
        Some(Self { pid: pid?, birth, names })
    }

    /// Whether the process is known to have ended, although its lock is held: a forked child of it lives on, and cannot
    /// use what it inherited.
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

/// When a process began, in clock ticks since the boot; none for one that is not there.
fn ticks(pid: u32) -> Option<String> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The second field is a name in brackets, which may hold anything; the third is the first one after it.
    let fields = stat.rsplit_once(')')?.1;
    fields.split_ascii_whitespace().nth(22 - 3).map(str::to_owned)
}

#[cfg(test)]
mod tests;
