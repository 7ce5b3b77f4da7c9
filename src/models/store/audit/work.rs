//! One audit, from the survey of the directory to the report.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{MAIN_SEPARATOR_STR, Path, PathBuf};
use std::time::SystemTime;

use super::super::characters::list_of;
use super::super::keep::KeepFile;
use super::super::keep::KeepList;
use super::super::layout::Layout;
use super::super::lease::Leases;
use super::super::lease::Uses;
use super::super::names::SUFFIXES;
use super::super::trash::Trash;
use super::content::{self, Content, Job, Outcome, read_all};
use super::judge::{Verdict, action, can_replace, difference, judge, rank, state_of_list};
use super::memory::Memory;
use super::report::{Audit, AuditEntry, AuditOptions, Inspection};
use super::state::State;
use super::structure::{self, Structure};
use super::survey::{Found, Kind, look, survey};
use crate::error::{Action, Result};
use crate::files::open_regular;
use crate::models::catalog::{Entry, KnownFile};
use crate::onnx::{Summary, read_model};

/// One audit with all that it goes by.
pub(super) struct Auditor<'a> {
    pub(super) layout: &'a Layout,
    options: &'a AuditOptions,
    pub(super) catalog: &'static [Entry],
    now: SystemTime,
    keep: KeepList,
    /// Why the keep-list could not be read.
    pub(super) keep_fault: Option<String>,
    /// The files in use, and the leases that cannot be read.
    pub(super) uses: Uses,
}

/// A file of the directory and what reading it gave; nothing for what is not read.
type Examined = (Found, Option<Outcome>);

impl<'a> Auditor<'a> {
    pub(super) fn new(
        layout: &'a Layout,
        options: &'a AuditOptions,
        catalog: &'static [Entry],
        now: SystemTime,
    ) -> Self {
        let (keep, keep_fault) = match KeepFile(layout).keep_list() {
            Ok(keep) => (keep, None),
            Err(error) => (KeepList::default(), Some(error.to_string())),
        };
        Self { layout, options, catalog, now, keep, keep_fault, uses: Leases(layout).uses() }
    }

    pub(super) fn audit(&self) -> Result<Audit> {
        let found = survey(self.layout)?;
        let missing = self.missing(&found);
        let mut entries = self.judge_all(self.read(found));
        self.note_wanted(&mut entries);
        entries.extend(missing);
        self.note_missing_lists(&mut entries);
        entries.sort_by(|one, other| (&one.name, &one.path).cmp(&(&other.name, &other.path)));
        entries.extend(self.bookkeeping());
        Ok(Audit { dir: self.layout.dir().to_owned(), entries })
    }

    pub(super) fn inspect(&self, name: &str) -> Result<Inspection> {
        let path = self.layout.existing(name)?;
        let missing = |why: &str| self.layout.missing(name, why);
        let found = look(self.layout, &path, name.as_ref()).ok_or_else(|| missing("is not there"))?;
        if found.kind != Kind::Model {
            return Err(missing(&format!("has none of the suffixes {}", SUFFIXES.join(", "))));
        }
        let mut looked = self.read(vec![found]);
        if self.may_be_replaced(&looked) {
            looked = self.read(survey(self.layout)?);
        }
        let content = looked.iter().find(|(found, _)| found.path == path).and_then(|(_, outcome)| content_of(outcome));
        let known = content.and_then(|content| content::known(self.catalog, content.bytes, &content.sha256));
        let catalog = known.or_else(|| self.catalog.iter().find(|entry| entry.name == name));
        let entry = self.judge_all(looked).into_iter().find(|entry| entry.path == path);
        Ok(Inspection { entry: entry.ok_or_else(|| missing("is not there"))?, summary: summary(&path), catalog })
    }

    /// Returns true if the catalog has a newer model for what the only file that was looked at holds.
    fn may_be_replaced(&self, looked: &[Examined]) -> bool {
        let contents = looked.iter().filter_map(|(_, outcome)| content_of(outcome));
        contents
            .filter_map(|content| content::known(self.catalog, content.bytes, &content.sha256))
            .any(|known| self.catalog.iter().any(|newer| can_replace(newer, known)))
    }

    /// Reads the models and lists of characters among what was found, except what is remembered.
    fn read(&self, found: Vec<Found>) -> Vec<Examined> {
        let mut memory = Memory::load(self.memory().as_deref());
        let mut looked: Vec<Examined> = Vec::with_capacity(found.len());
        let mut jobs = Vec::new();
        let mut places = Vec::new();
        for found in found {
            let Some(job) = self.job(&found) else {
                looked.push((found, None));
                continue;
            };
            let remembered = found.key.as_ref().filter(|_| !self.options.rehash).and_then(|key| memory.recall(key));
            let remembered = remembered.filter(|content| self.is_enough(&job, content));
            if remembered.is_none() {
                jobs.push(job);
                places.push(looked.len());
            }
            looked.push((found, remembered.map(Outcome::Read)));
        }
        for (place, outcome) in places.into_iter().zip(read_all(&jobs, self.catalog)) {
            if let Outcome::Read(content) = &outcome {
                memory.learn(content, self.now);
            }
            if let Some((_, slot)) = looked.get_mut(place) {
                *slot = Some(outcome);
            }
        }
        memory.save();
        looked
    }

    fn job(&self, found: &Found) -> Option<Job> {
        let is_unknown = match found.kind {
            Kind::Model => !self.catalog.iter().any(|entry| entry.name == found.name),
            Kind::Characters(_) => false,
            _ => return None,
        };
        Some(Job { path: found.path.clone(), bytes: found.bytes.unwrap_or_default(), is_unknown })
    }

    /// Returns true if what is remembered of a file is all that reading it would give.
    fn is_enough(&self, job: &Job, content: &Content) -> bool {
        !job.is_unknown
            || content.structure.is_some()
            || content::known(self.catalog, content.bytes, &content.sha256).is_some()
    }

    /// Returns the memory's path, which is never inside of the directory: nothing is written there.
    fn memory(&self) -> Option<PathBuf> {
        let path = std::path::absolute(self.options.memory.as_ref()?).ok()?;
        let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
        let dir = real(self.layout.dir());
        let is_inside = path.starts_with(self.layout.dir()) || path.ancestors().any(|above| real(above) == dir);
        (!is_inside).then_some(path)
    }

    fn judge_all(&self, looked: Vec<Examined>) -> Vec<AuditEntry> {
        let mut entries = Vec::with_capacity(looked.len());
        let mut known = Vec::new();
        let mut lists = Vec::new();
        for (found, outcome) in looked {
            let content = match outcome {
                Some(Outcome::Gone) => continue,
                Some(Outcome::Failed(why)) => {
                    entries.push(self.plain(Found { kind: Kind::Unreadable(why), ..found }));
                    continue;
                }
                Some(Outcome::Read(content)) => content,
                None => {
                    entries.push(self.plain(found));
                    continue;
                }
            };
            if let Kind::Characters(models) = &found.kind {
                lists.push((entries.len(), models.clone()));
                entries.push(AuditEntry { sha256: Some(content.sha256), ..self.plain(found) });
                continue;
            }
            let verdict = judge(&found.name, &content, self.catalog);
            known.extend(verdict.known.filter(|_| verdict.state == State::Current).map(|entry| (entries.len(), entry)));
            entries.push(self.model(found, content, verdict));
        }
        self.find_old(&mut entries, &known);
        judge_lists(&mut entries, &lists);
        self.find_changed_lists(&mut entries);
        for entry in &mut entries {
            entry.action = action(self.layout, entry, self.catalog);
        }
        entries
    }

    /// Judges the entries at these places, which hold known models: those become old that another one can replace.
    fn find_old(&self, entries: &mut [AuditEntry], known: &[(usize, &'static Entry)]) {
        let names: Vec<_> = known.iter().map(|&(place, _)| entries.get(place).map(|it| it.name.clone())).collect();
        for &(place, older) in known {
            let Some(entry) = entries.get_mut(place) else { continue };
            if entry.kept || self.options.needed.contains(&entry.name) {
                continue;
            }
            let newer = known.iter().zip(&names).filter(|((_, newer), _)| can_replace(newer, older));
            let best = newer.max_by_key(|((_, newer), _)| (newer.family, rank(newer.size)));
            if let Some(((_, newer), Some(name))) = best {
                entry.state = State::Old;
                entry.detail = format!("{}; {name} of {} can do the same", entry.detail, newer.family);
            }
        }
    }

    /// Returns the lists of characters without which models among the entries cannot be used: the name that each has to
    /// have here, what it has to be, and the model's name. What was put aside needs none.
    fn lists_of(&self, entries: &[AuditEntry]) -> Vec<(String, KnownFile, String)> {
        let current = entries.iter().filter(|entry| entry.state == State::Current);
        let list = |entry: &AuditEntry| {
            let known = content::known(self.catalog, entry.bytes?, entry.sha256.as_ref()?)?;
            Some((list_of(&entry.name)?, known.characters?, entry.name.clone()))
        };
        current.filter_map(list).collect()
    }

    /// Finds among the entries the lists of characters of known models that have other content than goes with these.
    fn find_changed_lists(&self, entries: &mut [AuditEntry]) {
        for (list, known, _) in self.lists_of(entries) {
            let is_list = |entry: &&mut AuditEntry| entry.name == list && entry.sha256.is_some();
            if let Some(entry) = entries.iter_mut().find(is_list)
                && let (Some(bytes), Some(sha256)) = (entry.bytes, entry.sha256.as_deref())
                && sha256 != known.sha256
            {
                entry.state = State::Corrupt;
                entry.detail = format!("{}; {}", entry.detail, difference(&known, bytes, sha256));
            }
        }
    }

    /// Reports lists of characters of known models that are not there, or cannot be used.
    fn note_missing_lists(&self, entries: &mut Vec<AuditEntry>) {
        for (list, _, model) in self.lists_of(entries) {
            let why = format!("{model} cannot be used without this list of characters");
            match entries.iter_mut().find(|entry| entry.name == list) {
                None => entries.push(self.missing_entry(&list, &why)),
                Some(entry) if matches!(entry.state, State::Foreign | State::Unreadable) => {
                    entry.detail = format!("{}; {why}", entry.detail);
                }
                Some(_) => {}
            }
        }
    }

    /// Returns the entry of a model that was read.
    fn model(&self, found: Found, content: Content, verdict: Verdict) -> AuditEntry {
        let mut entry = self.entry(&found.name, found.path, verdict.state);
        entry.bytes = Some(content.bytes);
        entry.modified = found.modified;
        entry.detail = verdict.detail;
        match (verdict.known, content.structure) {
            (Some(known), _) => (entry.role, entry.version) = (Some(known.role), Some(known.family.to_string())),
            (None, Some(Structure::Onnx { role, version })) => (entry.role, entry.version) = (role, version),
            _ => {}
        }
        entry.sha256 = Some(content.sha256).filter(|hash| verdict.state != State::Foreign && !hash.is_empty());
        entry
    }

    /// Returns the entry of what was not read, or whose content says nothing of its state.
    fn plain(&self, found: Found) -> AuditEntry {
        let (state, detail) = match &found.kind {
            Kind::Characters(models) => (State::Unverified, format!("list of characters of {}", models.join(" and "))),
            Kind::Unfinished => (State::Partial, "unfinished, as its suffix says".to_owned()),
            Kind::Foreign(why) => (State::Foreign, why.clone()),
            Kind::Unreadable(why) => (State::Unreadable, why.clone()),
            Kind::Model | Kind::Other => {
                (State::Foreign, format!("its name has none of the suffixes {}", SUFFIXES.join(", ")))
            }
        };
        let mut entry = self.entry(&found.name, found.path, state);
        (entry.bytes, entry.modified, entry.detail) = (found.bytes, found.modified, detail);
        if let Kind::Characters(models) = &found.kind {
            // Using or keeping a model includes its list.
            for model in models {
                self.flag(&mut entry, model);
            }
        }
        entry
    }

    /// Returns an entry with what the store knows of the name.
    pub(super) fn entry(&self, name: &str, path: PathBuf, state: State) -> AuditEntry {
        let mut entry = AuditEntry::new(name, path, state);
        self.flag(&mut entry, name);
        entry
    }

    fn flag(&self, entry: &mut AuditEntry, name: &str) {
        entry.kept |= self.keep.holds(name);
        let pids = self.uses.files.get(name).into_iter().flatten();
        entry.in_use |= self.uses.files.contains_key(name);
        entry.pids.extend(pids);
        entry.pids.sort_unstable();
        entry.pids.dedup();
    }

    /// Returns the names that have to be there and are not listed, with the reasons.
    fn wanted(&self, listed: &[String]) -> BTreeMap<String, Vec<&'static str>> {
        let mut wanted: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for entry in self.keep.unmatched(listed) {
            wanted.entry(entry).or_default().push("the keep-list names it");
        }
        for name in self.options.needed.iter().collect::<BTreeSet<_>>() {
            if !listed.contains(name) {
                wanted.entry(name.clone()).or_default().push("chosen models need it");
            }
        }
        wanted
    }

    /// Reports names that have to be there, of which there is nothing.
    fn missing(&self, found: &[Found]) -> Vec<AuditEntry> {
        let models = found.iter().filter(|found| found.kind == Kind::Model);
        let listed: Vec<_> = models.map(|found| found.name.clone()).collect();
        let there: BTreeSet<_> = found.iter().map(|found| found.name.as_str()).collect();
        let wanted = self.wanted(&listed).into_iter().filter(|(name, _)| !there.contains(name.as_str()));
        wanted.map(|(name, reasons)| self.missing_entry(&name, &reasons.join(", and "))).collect()
    }

    /// Returns the entry of a file that is not there, and why it should be.
    fn missing_entry(&self, name: &str, why: &str) -> AuditEntry {
        // Not joined as a path: an entry that was written by hand may begin with a separator.
        let mut path = self.layout.dir().as_os_str().to_owned();
        path.push(MAIN_SEPARATOR_STR);
        path.push(name);
        let mut entry = self.entry(name, path.into(), State::Missing);
        entry.detail = format!("it is not there, and {why}");
        entry.action = action(self.layout, &entry, self.catalog);
        let trashed = Trash(self.layout).trashed().unwrap_or_default();
        let mut known = self.catalog.iter().flat_map(|entry| entry.files());
        let bytes = known.find(|known| known.name == name).and_then(|known| known.bytes);
        // Which may be there because it was another.
        let latest = trashed.iter().rev().find(|trashed| trashed.name == name);
        if latest.is_some_and(|trashed| bytes.is_none_or(|bytes| trashed.bytes == bytes)) {
            let restore = Action::Restore { name: Some(name.to_owned()), removal: None };
            entry.action = Some(self.layout.remedy(restore).into());
        }
        entry
    }

    /// Says of what has a wanted model's name, but is none that could be used, that it is in the way.
    fn note_wanted(&self, entries: &mut [AuditEntry]) {
        let wanted = self.wanted(&[]);
        for entry in entries.iter_mut().filter(|entry| matches!(entry.state, State::Foreign | State::Partial)) {
            if let Some(reasons) = wanted.get(&entry.name) {
                entry.detail = format!("{}; a model of this name is missing: {}", entry.detail, reasons.join(", and "));
            }
        }
    }
}

/// Gives the lists of characters at these places the state that follows from those of their models.
fn judge_lists(entries: &mut [AuditEntry], lists: &[(usize, Vec<String>)]) {
    let states: BTreeMap<_, _> = entries.iter().map(|entry| (entry.name.clone(), entry.state)).collect();
    for (place, models) in lists {
        if let Some(entry) = entries.get_mut(*place) {
            let states: Vec<_> = models.iter().filter_map(|model| states.get(model)).copied().collect();
            entry.state = state_of_list(&states);
        }
    }
}

fn content_of(outcome: &Option<Outcome>) -> Option<&Content> {
    match outcome {
        Some(Outcome::Read(content)) => Some(content),
        _ => None,
    }
}

/// Returns the file's own description, if it is a readable model.
fn summary(path: &Path) -> Option<Summary> {
    let bytes = open_regular(path).and_then(read_model).ok()?.ok()?;
    structure::model(&bytes).ok()
}

#[cfg(test)]
mod tests;
