//! Taking files out of the directory: first a plan, then its execution.
//!
//! The plan is made again while the directory is held alone, so that what it says about use and keeping is still true
//! when files move. Nothing is deleted but unfinished downloads: models go to the trash.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Metadata};
use std::iter;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use super::audit::{AuditOptions, State};
use super::keep::KeepList;
use super::part::is_left;
use super::{Store, disk, is_model_name};
use crate::error::{Error, ErrorKind, Result};

/// What becomes of a file that was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It goes.
    Remove,
    /// It stays, because these processes use it; none where a process is known to use it and does not say which it is.
    InUse(Vec<u32>),
    /// It stays, because it is kept or needed, or is not what can be removed.
    Kept,
}

/// A file that was selected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Planned {
    /// Its name.
    pub name: String,
    /// Where it lies before the removal.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// What becomes of it.
    pub decision: Decision,
    /// Why it was selected, or why it stays.
    pub reason: String,
    /// Whether it is an unfinished download, which is deleted for good.
    pub is_unfinished: bool,
}

/// A removal that was planned, or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The selected files, sorted by name.
    pub files: Vec<Planned>,
    /// By what name [`Store::restore`] knows it; none for a dry run, and when nothing was moved to the trash.
    pub removal: Option<String>,
}

/// Which files [`Store::prune`] selects: those for which all that is given holds. With nothing given, the old ones.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// How the name begins.
    pub prefix: Option<String>,
    /// The state that an audit gives them, one of these; where it is empty, any model file.
    pub states: Vec<State>,
    /// How long ago the file was changed last, at least.
    pub older_than: Option<Duration>,
}

/// What a removal spares.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Names and patterns of files to spare, besides the store's keep-list.
    pub keep: Vec<String>,
    /// Names of files that chosen models need.
    pub needed: Vec<String>,
    /// Only make the plan.
    pub dry_run: bool,
    /// Whether a plan that could not be carried out is an error, as its execution would be.
    pub strict: bool,
    /// Where the audit that tells the states remembers hashes.
    pub memory: Option<PathBuf>,
}

/// A file that was selected, as it was seen then.
struct Selected {
    name: String,
    path: PathBuf,
    meta: Metadata,
    reason: String,
}

/// What is not to be removed, and why.
struct Guard {
    in_use: BTreeMap<String, Vec<u32>>,
    stored: KeepList,
    given: KeepList,
    needed: BTreeSet<String>,
}

impl Store {
    /// Moves the files called `names` to the trash, all or none.
    ///
    /// # Errors
    /// - [`ErrorKind::ModelNotFound`] when one is not there.
    /// - [`ErrorKind::ModelInUse`] when a process uses one, [`ErrorKind::ModelKept`] when one is kept or needed; with
    ///   `dry_run` the plan says so instead, unless it is `strict`.
    /// - [`ErrorKind::InvalidArgument`] for a name that is no file name, and for a keep entry that matches nothing.
    /// - [`ErrorKind::Io`] when a file cannot be moved; all are where they were then.
    pub fn remove(&self, names: &[String], options: &RemoveOptions) -> Result<Removal> {
        let names: BTreeSet<_> = names.iter().collect();
        let selected = names.into_iter().map(|name| self.named(name)).collect::<Result<Vec<_>>>()?;
        let removal = self.carry_out(&selected, options, |files| {
            refuse_in_use(files)?;
            refuse_kept(files)
        })?;
        Ok(removal)
    }

    /// Moves the selected model files to the trash, and spares what is kept or needed.
    ///
    /// Left-behind unfinished downloads, where [`State::Partial`] is selected, are deleted for good.
    ///
    /// # Errors
    /// - [`ErrorKind::ModelInUse`] when a process uses one of those that would go: none is moved then. With `dry_run`
    ///   the plan says so instead, unless it is `strict`.
    /// - [`ErrorKind::InvalidArgument`] for a keep entry that matches nothing, and for states that cannot be removed.
    /// - [`ErrorKind::Io`] when the directory cannot be read or a file cannot be moved; all are where they were then.
    pub fn prune(&self, selection: &Selection, options: &RemoveOptions) -> Result<Removal> {
        let selected = self.select(selection, options)?;
        self.carry_out(&selected, options, refuse_in_use)
    }

    /// A file of the directory, whatever it is.
    fn named(&self, name: &str) -> Result<Selected> {
        let path = self.path(name)?;
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => Err(self.missing(name, "is a folder, not a file,")),
            Ok(meta) => Ok(Selected { name: name.to_owned(), path, meta, reason: "named".to_owned() }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(self.missing(name, "is not there")),
            Err(error) => Err(Error::io("read", &path, error)),
        }
    }

    fn select(&self, selection: &Selection, options: &RemoveOptions) -> Result<Vec<Selected>> {
        let is_open = selection.prefix.is_none() && selection.states.is_empty() && selection.older_than.is_none();
        let old = [State::Old];
        let states = if is_open { &old } else { selection.states.as_slice() };
        let mut selected = if states.is_empty() { self.all_models()? } else { self.in_states(states, options)? };
        let now = SystemTime::now();
        selected.retain(|file| {
            let changed = file.meta.modified().unwrap_or(now);
            // A file from the future is new.
            let age = now.duration_since(changed).unwrap_or_default();
            selection.prefix.as_ref().is_none_or(|prefix| file.name.starts_with(prefix.as_str()))
                && selection.older_than.is_none_or(|bound| age >= bound)
        });
        Ok(selected)
    }

    fn all_models(&self) -> Result<Vec<Selected>> {
        let found = self.list()?.into_iter().map(|name| {
            let path = self.path(&name).ok()?;
            // Another process may have removed it meanwhile.
            let meta = fs::symlink_metadata(&path).ok()?;
            Some(Selected { name, path, meta, reason: "selected".to_owned() })
        });
        Ok(found.flatten().collect())
    }

    fn in_states(&self, states: &[State], options: &RemoveOptions) -> Result<Vec<Selected>> {
        if let Some(state) = states.iter().find(|state| matches!(state, State::Missing | State::Trashed)) {
            let message = format!("files in the state {state} cannot be removed");
            return Err(Error::new(ErrorKind::InvalidArgument, message)
                .with_hint("`ferrocr models purge` deletes what is in the trash"));
        }
        let audit =
            AuditOptions { needed: options.needed.clone(), memory: options.memory.clone(), ..AuditOptions::default() };
        let found = self.audit(&audit)?.entries.into_iter().filter(|entry| states.contains(&entry.state));
        let selected = found.filter_map(|entry| {
            let meta = fs::symlink_metadata(&entry.path).ok()?;
            let reason = format!("{}: {}", entry.state, entry.detail);
            Some(Selected { name: entry.name, path: entry.path, meta, reason })
        });
        Ok(selected.collect())
    }

    /// Decides about each file, and moves those that go unless `refuse` or the options forbid it.
    fn carry_out(
        &self,
        selected: &[Selected],
        options: &RemoveOptions,
        refuse: impl FnOnce(&[Planned]) -> Result<()>,
    ) -> Result<Removal> {
        if options.dry_run || selected.is_empty() {
            let files = self.plan(selected, options)?;
            if options.strict {
                refuse(&files)?;
            }
            return Ok(Removal { files, removal: None });
        }
        let _hold = self.hold_alone()?;
        let files = self.plan(selected, options)?;
        refuse(&files)?;
        self.sweep_leases_held()?;
        let removal = self.execute_held(&files)?;
        Ok(Removal { files, removal })
    }

    fn plan(&self, selected: &[Selected], options: &RemoveOptions) -> Result<Vec<Planned>> {
        let guard = self.guard(options)?;
        let mut files: Vec<_> = selected.iter().map(|file| self.decide(file, &guard)).collect();
        files.sort_by(|one, other| (&one.name, &one.path).cmp(&(&other.name, &other.path)));
        Ok(files)
    }

    fn guard(&self, options: &RemoveOptions) -> Result<Guard> {
        let models = self.list()?;
        let stored = self.keep_list()?;
        stored
            .check(&models, "put that model back, or take the entry off with `ferrocr models keep --remove ENTRY`")?;
        let given = KeepList::new(&options.keep)?;
        given.check(&models, "`ferrocr models list` shows the names")?;
        Ok(Guard { in_use: self.in_use(), stored, given, needed: options.needed.iter().cloned().collect() })
    }

    fn decide(&self, file: &Selected, guard: &Guard) -> Planned {
        let (decision, reason) = self.verdict(file, guard);
        let reason = reason.unwrap_or_else(|| file.reason.clone());
        Planned {
            name: file.name.clone(),
            path: file.path.clone(),
            bytes: file.meta.len(),
            decision,
            reason,
            is_unfinished: file.path.parent() == Some(&self.incoming()),
        }
    }

    fn verdict(&self, file: &Selected, guard: &Guard) -> (Decision, Option<String>) {
        let stays = |why: String| (Decision::Kept, Some(why));
        if file.path.parent() == Some(&self.incoming()) {
            return match is_left(&file.path) {
                Some(true) => (Decision::Remove, None),
                _ => (Decision::InUse(Vec::new()), Some("a process may be working on it".to_owned())),
            };
        }
        if file.meta.is_dir() || self.path(&file.name).ok().as_ref() != Some(&file.path) {
            return stays("it is a folder, hidden or in the bookkeeping: remove it by hand".to_owned());
        }
        if !fs::symlink_metadata(&file.path).is_ok_and(|meta| is_unchanged(&file.meta, &meta)) {
            return stays("it has changed meanwhile".to_owned());
        }
        // What holds for a model holds for the list of characters beside it.
        let names: Vec<_> = iter::once(file.name.clone()).chain(models_beside(&self.dir, &file.name)).collect();
        let pids: BTreeSet<_> = names.iter().filter_map(|name| guard.in_use.get(name)).flatten().copied().collect();
        let pids: Vec<_> = pids.into_iter().collect();
        match names.iter().find_map(|name| guard.reason(name)) {
            Some(why) => stays(why.to_owned()),
            None if pids.is_empty() => (Decision::Remove, None),
            None => (Decision::InUse(pids.clone()), Some(format!("in use by {}", processes(&pids)))),
        }
    }

    /// Moves what goes to the trash. The caller holds the directory alone.
    fn execute_held(&self, files: &[Planned]) -> Result<Option<String>> {
        let going = files.iter().filter(|file| file.decision == Decision::Remove);
        let (unfinished, models): (Vec<_>, Vec<_>) =
            going.partition(|file| file.path.parent() == Some(&self.incoming()));
        let names: Vec<_> = models.iter().map(|file| file.name.clone()).collect();
        let removal = if names.is_empty() { None } else { Some(self.discard_held(&names)?) };
        for file in unfinished {
            match file.path.is_dir() {
                true => disk::remove_folder(&file.path)?,
                false => disk::remove_file(&file.path)?,
            }
        }
        Ok(removal)
    }
}

impl Guard {
    /// Why a file is to be spared.
    fn reason(&self, name: &str) -> Option<&'static str> {
        if self.stored.holds(name) {
            Some("on the keep-list")
        } else if self.given.holds(name) {
            Some("to be kept")
        } else if self.needed.contains(name) {
            Some("needed by the chosen models")
        } else {
            None
        }
    }
}

/// The models whose list of characters `name` is.
fn models_beside(dir: &Path, name: &str) -> Vec<String> {
    let Some(stem) = name.strip_suffix(".txt") else { return Vec::new() };
    let names = super::SUFFIXES.iter().map(|suffix| format!("{stem}.{suffix}"));
    names.filter(|name| is_model_name(name) && dir.join(name).exists()).collect()
}

fn is_unchanged(before: &Metadata, now: &Metadata) -> bool {
    before.file_type() == now.file_type() && before.len() == now.len() && before.modified().ok() == now.modified().ok()
}

fn refuse_in_use(files: &[Planned]) -> Result<()> {
    let in_use = |file: &Planned| match &file.decision {
        Decision::InUse(pids) if !pids.is_empty() => Some(format!("{} by {}", file.name, processes(pids))),
        _ => None,
    };
    let used: Vec<_> = files.iter().filter_map(in_use).collect();
    if used.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::ModelInUse, format!("nothing was removed: in use are {}", used.join(", ")))
        .with_hint("free the engines of these processes or end them, or spare the files with `--keep NAME`"))
}

fn refuse_kept(files: &[Planned]) -> Result<()> {
    let kept: Vec<_> = files
        .iter()
        .filter(|file| file.decision == Decision::Kept)
        .map(|file| format!("{} is spared ({})", file.name, file.reason))
        .collect();
    if kept.is_empty() {
        return Ok(());
    }
    Err(Error::new(ErrorKind::ModelKept, format!("nothing was removed: {}", kept.join(", ")))
        .with_hint("`ferrocr models keep --remove NAME` takes a file off the keep-list"))
}

fn processes(pids: &[u32]) -> String {
    let list: Vec<_> = pids.iter().map(u32::to_string).collect();
    match pids {
        [_] => format!("process {}", list.concat()),
        _ => format!("processes {}", list.join(", ")),
    }
}

#[cfg(test)]
mod tests;
