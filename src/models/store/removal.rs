//! Taking files out of the directory: first a plan, then its execution.
//!
//! The plan is made again while the directory is held alone, so that what it says about use and keeping is still true
//! when files move. Nothing is deleted but unfinished downloads: models go to the trash.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use super::audit::{AuditOptions, Key, PUT_ASIDE, State, audit};
use super::directory::Location;
use super::keep::KeepFile;
use super::keep::KeepList;
use super::layout::INCOMING;
use super::layout::Layout;
use super::lease::Leases;
use super::lock::DirectoryLock;
use super::part::{is_left, take_left};
use super::trash::Trash;
use crate::error::{Action, Error, ErrorKind, Result};

mod neighbours;
mod plan;
mod protected;

use neighbours::Neighbours;
pub use plan::{Decision, Planned};
use plan::{Judged, Why};
use protected::{Protected, processes, refuse_in_use, refuse_spared};

/// Why an unfinished file stays.
const WORKED_ON: &str = "a process may be working on it";

/// A removal that was planned, or done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Removal {
    /// The selected files and the lists of characters that go with them, sorted by name.
    pub files: Vec<Planned>,
    /// By what name [`super::Store::restore`] knows it; none for a dry run, and when nothing was moved to the trash.
    pub removal: Option<String>,
}

/// The files that [`super::Store::prune`] selects: those for which all that is given holds. With nothing given, those
/// that somebody has put aside, whose names begin with `old_`: a model that a newer one can replace goes only where
/// [`State::Old`] is asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The beginning of the name.
    pub prefix: Option<String>,
    /// The state that an audit gives them, one of these; where it is empty, any model file.
    pub states: Vec<State>,
    /// The least time since the file's last change.
    pub older_than: Option<Duration>,
}

/// Options of a removal.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RemoveOptions {
    /// Names and patterns of files to spare, besides the store's keep-list.
    pub keep: Vec<String>,
    /// Names of files that chosen models need.
    pub needed: Vec<String>,
    /// Only make the plan.
    pub dry_run: bool,
    /// True if a plan that could not be carried out is an error, as its execution would be.
    pub strict: bool,
    /// The file in which the audit that tells the states remembers hashes.
    pub memory: Option<PathBuf>,
}

/// A file that was selected, as it was seen then.
struct Selected {
    name: String,
    path: PathBuf,
    meta: Metadata,
    reason: String,
    /// True if a list of characters goes even if a model of it stays.
    is_named: bool,
}

/// The removal of files from a directory.
pub(super) struct Remover<'a>(pub(super) &'a Layout);

impl Remover<'_> {
    /// Moves the files called `names` to the trash, all or none.
    pub(super) fn remove(&self, names: &[String], options: &RemoveOptions) -> Result<Removal> {
        let names: BTreeSet<_> = names.iter().collect();
        let selected = names.into_iter().map(|name| self.named(name)).collect::<Result<Vec<_>>>()?;
        self.carry_out(&selected, options, |files| {
            refuse_in_use(files)?;
            refuse_spared(self.0, files)
        })
    }

    /// Moves the selected model files to the trash, and spares what is kept or needed.
    pub(super) fn prune(&self, selection: &Selection, options: &RemoveOptions) -> Result<Removal> {
        let selected = self.select(selection, options)?;
        self.carry_out(&selected, options, refuse_in_use)
    }

    /// Returns a file of the directory, whatever it is.
    fn named(&self, name: &str) -> Result<Selected> {
        let path = self.0.path(name)?;
        match fs::symlink_metadata(&path) {
            Ok(meta) if meta.is_dir() => Err(self.0.missing(name, "is a folder, not a file,")),
            Ok(meta) => Ok(Selected { name: name.to_owned(), path, meta, reason: "named".to_owned(), is_named: true }),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Err(self.0.missing(name, "is not there")),
            Err(error) => Err(Error::io("read", &path, error)),
        }
    }

    fn select(&self, selection: &Selection, options: &RemoveOptions) -> Result<Vec<Selected>> {
        let is_open = selection.prefix.is_none() && selection.states.is_empty() && selection.older_than.is_none();
        let prefix = if is_open { Some(PUT_ASIDE) } else { selection.prefix.as_deref() };
        let states = selection.states.as_slice();
        let mut selected = if states.is_empty() { self.all_models()? } else { self.in_states(states, options)? };
        let now = SystemTime::now();
        selected.retain(|file| {
            let changed = file.meta.modified().unwrap_or(now);
            // A file from the future is new.
            let age = now.duration_since(changed).unwrap_or_default();
            prefix.is_none_or(|prefix| file.name.starts_with(prefix))
                && selection.older_than.is_none_or(|bound| age >= bound)
        });
        Ok(selected)
    }

    fn all_models(&self) -> Result<Vec<Selected>> {
        let found = self.0.list()?.into_iter().map(|name| {
            let path = self.0.path(&name).ok()?;
            // Another process may have removed it meanwhile.
            let meta = fs::symlink_metadata(&path).ok()?;
            Some(Selected { name, path, meta, reason: "selected".to_owned(), is_named: false })
        });
        Ok(found.flatten().collect())
    }

    fn in_states(&self, states: &[State], options: &RemoveOptions) -> Result<Vec<Selected>> {
        if let Some(state) = states.iter().find(|state| matches!(state, State::Missing | State::Trashed)) {
            let message = format!("files in the state {state} cannot be removed");
            return Err(Error::new(ErrorKind::InvalidArgument, message)
                .with_hint([self.0.remedy(Action::Purge), " deletes what is in the trash".into()]));
        }
        let options =
            AuditOptions { needed: options.needed.clone(), memory: options.memory.clone(), ..AuditOptions::default() };
        let found = audit(self.0, &options)?.entries.into_iter().filter(|entry| states.contains(&entry.state));
        let selected = found.filter_map(|entry| {
            let meta = fs::symlink_metadata(&entry.path).ok()?;
            let reason = format!("{}: {}", entry.state, entry.detail);
            Some(Selected { name: entry.name, path: entry.path, meta, reason, is_named: false })
        });
        Ok(selected.collect())
    }

    /// Decides about each file, and moves those that go unless `refuse` or the options forbid it.
    fn carry_out(
        &self,
        selected: &[Selected],
        options: &RemoveOptions,
        refuse: impl FnOnce(&[Judged]) -> Result<()>,
    ) -> Result<Removal> {
        let planned = |files: Vec<Judged>| files.into_iter().map(|file| file.planned).collect();
        if options.dry_run || selected.is_empty() {
            let files = self.plan(selected, options)?;
            if options.strict {
                refuse(&files)?;
            }
            return Ok(Removal { files: planned(files), removal: None });
        }
        let _hold = DirectoryLock(self.0).hold_alone()?;
        let files = self.plan(selected, options)?;
        refuse(&files)?;
        Leases(self.0).sweep_leases_held()?;
        let mut files: Vec<Planned> = planned(files);
        let removal = self.execute_held(&mut files)?;
        Ok(Removal { files, removal })
    }

    fn plan(&self, selected: &[Selected], options: &RemoveOptions) -> Result<Vec<Judged>> {
        let protected = self.protected(options)?;
        let neighbours = Neighbours::of(self.0.dir(), &self.0.list()?);
        let mut files: Vec<_> = selected.iter().map(|file| self.decide(file, &protected, &neighbours)).collect();
        let is_going = |file: &&Judged| file.planned.decision == Decision::Remove;
        let going: BTreeSet<_> = files.iter().filter(is_going).map(|file| file.planned.name.clone()).collect();
        for (file, selected) in files.iter_mut().zip(selected).filter(|(_, selected)| !selected.is_named) {
            let models = neighbours.lists.models_of(&selected.name);
            if let Some(model) = models.iter().find(|&model| !going.contains(model)) {
                file.stay(model);
            }
        }
        let selected: BTreeSet<_> = selected.iter().map(|file| file.name.as_str()).collect();
        for (list, models) in neighbours.lists.iter() {
            if models.iter().all(|model| going.contains(model)) && !selected.contains(list) {
                files.extend(self.list_beside(list, models, &protected, &neighbours));
            }
        }
        files.sort_by_cached_key(|file| (file.planned.name.clone(), file.planned.path.clone()));
        Ok(files)
    }

    fn protected(&self, options: &RemoveOptions) -> Result<Protected> {
        let models = self.0.list()?;
        let stored = KeepFile(self.0).keep_list()?;
        stored.check(&models, |entry| {
            let unkeep = self.0.remedy(Action::Unkeep(entry.to_owned()));
            ["put that model back, or take the entry off with ".into(), unkeep].into()
        })?;
        let given = KeepList::new(&options.keep)?;
        given.check(&models, |_| self.0.how_to_list())?;
        Ok(Protected {
            in_use: Leases(self.0).in_use()?,
            stored,
            given,
            needed: options.needed.iter().cloned().collect(),
        })
    }

    /// Returns the list of characters that goes with `models`, if there is one and nothing speaks against it.
    fn list_beside(
        &self,
        list: &str,
        models: &[String],
        protected: &Protected,
        neighbours: &Neighbours,
    ) -> Option<Judged> {
        let reason = format!("list of characters of {}", models.join(" and "));
        let judged = self.decide(&Selected { reason, ..self.named(list).ok()? }, protected, neighbours);
        (judged.planned.decision == Decision::Remove).then_some(judged)
    }

    fn decide(&self, file: &Selected, protected: &Protected, neighbours: &Neighbours) -> Judged {
        let why = self.why_spared(file, protected, neighbours);
        let (decision, reason) = match &why {
            Some(why) => (Decision::Kept, Some(why.text())),
            None => self.verdict(file, protected, neighbours),
        };
        let reason = reason.unwrap_or_else(|| file.reason.clone());
        let (name, path, bytes) = (file.name.clone(), file.path.clone(), file.meta.len());
        let is_unfinished = path.parent() == Some(&self.0.incoming());
        Judged { planned: Planned { name, path, bytes, decision, reason, is_unfinished }, why }
    }

    fn why_spared(&self, file: &Selected, protected: &Protected, neighbours: &Neighbours) -> Option<Why> {
        if file.path.parent() == Some(&self.0.incoming()) {
            return None;
        }
        if file.meta.is_dir() || self.0.path(&file.name).ok().as_ref() != Some(&file.path) {
            return Some(Why::ByHand);
        }
        match fs::symlink_metadata(&file.path) {
            Ok(meta) if is_unchanged(&file.meta, &meta) => protected.reason(&file.name, neighbours),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Some(Why::Gone),
            _ => Some(Why::Changed),
        }
    }

    /// Returns an unfinished file or folder.
    fn unfinished(&self, file: &Selected) -> Option<Location> {
        Some(self.0.open_folder(INCOMING).ok()??.at(file.path.file_name()?))
    }

    /// Decides about a file that nobody wants to keep, and says why it stays.
    fn verdict(&self, file: &Selected, protected: &Protected, neighbours: &Neighbours) -> (Decision, Option<String>) {
        if file.path.parent() == Some(&self.0.incoming()) {
            return match self.unfinished(file).and_then(|at| is_left(&at)) {
                Some(true) => (Decision::Remove, None),
                _ => (Decision::InUse(Vec::new()), Some(WORKED_ON.to_owned())),
            };
        }
        match protected.users(&file.name, neighbours) {
            None => (Decision::Remove, None),
            Some(pids) => (Decision::InUse(pids.clone()), Some(format!("in use by {}", processes(&pids)))),
        }
    }

    /// Moves what goes to the trash. The caller holds the directory alone.
    fn execute_held(&self, files: &mut [Planned]) -> Result<Option<String>> {
        let (incoming, path) = (self.0.open_folder(INCOMING)?, self.0.incoming());
        let (unfinished, models): (Vec<_>, Vec<_>) = files
            .iter_mut()
            .filter(|file| file.decision == Decision::Remove)
            .partition(|file| file.path.parent() == Some(&path));
        let names: Vec<_> = models.iter().map(|file| file.name.clone()).collect();
        let removal = if names.is_empty() { None } else { Some(Trash(self.0).discard_held(&names)?) };
        for file in unfinished {
            let at = incoming.as_ref().zip(file.path.file_name()).map(|(incoming, name)| incoming.at(name));
            match at.and_then(|at| take_left(&at)) {
                Some(left) => left.remove()?,
                // A pull has gone on with it since it was planned: for that it need not hold the directory.
                None => (file.decision, file.reason) = (Decision::InUse(Vec::new()), WORKED_ON.to_owned()),
            }
        }
        Ok(removal)
    }
}

/// Returns true if a file is still the one that it was, with the content that it had.
fn is_unchanged(before: &Metadata, now: &Metadata) -> bool {
    before.file_type() == now.file_type()
        && before.len() == now.len()
        && before.modified().ok() == now.modified().ok()
        // This tells a program that sets the time back after writing, or another file in its place.
        && Key::of(before) == Key::of(now)
}

#[cfg(test)]
mod tests;
