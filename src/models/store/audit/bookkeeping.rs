//! The audit of the store's bookkeeping: unfinished downloads, the trash, and what does not belong there.

use std::collections::BTreeSet;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use super::super::layout::{BOOKKEEPING, INCOMING};
use super::super::trash::Trash;
use super::super::{Trashed, lock, part, trash};
use super::judge::action;
use super::report::AuditEntry;
use super::state::State;
use super::survey::{children, special};
use super::work::Auditor;
use crate::error::Action;

/// Says that nobody knows what something in the bookkeeping is for.
const STRAY: &str = "the store did not put it there";

impl Auditor<'_> {
    /// Reports on the bookkeeping; its own files are not mentioned. The trash comes last.
    pub(super) fn bookkeeping(&self) -> Vec<AuditEntry> {
        let mut entries = Vec::new();
        // A link in its place was mentioned with the files of the directory.
        if !is_folder(&self.layout.bookkeeping()) {
            return entries;
        }
        for path in self.list(&self.layout.bookkeeping(), &mut entries) {
            // Somebody may have taken it away meanwhile.
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            match file_name(&path).as_str() {
                name if lock::NAMES.contains(&name) && meta.is_file() => {}
                // Its readability is reported below.
                "keep" => {}
                "incoming" if meta.is_dir() => self.incoming(&mut entries),
                "leases" if meta.is_dir() => self.leases(&mut entries),
                "trash" if meta.is_dir() => {}
                _ => entries.push(self.stray(path, STRAY)),
            }
        }
        if let Some(fault) = &self.keep_fault {
            entries.push(self.hidden(self.layout.keep_file(), State::Unreadable, fault.clone()));
        }
        self.unreadable_leases(&mut entries);
        entries.sort_by(|one, other| one.path.cmp(&other.path));
        self.trash(&mut entries);
        entries
    }

    /// Lists a folder. One that cannot be listed becomes an entry.
    fn list(&self, folder: &Path, entries: &mut Vec<AuditEntry>) -> Vec<PathBuf> {
        if !is_folder(folder) {
            return Vec::new();
        }
        children(folder).unwrap_or_else(|error| {
            entries.push(self.hidden(folder.to_owned(), State::Unreadable, error.to_string()));
            Vec::new()
        })
    }

    fn incoming(&self, entries: &mut Vec<AuditEntry>) {
        for path in self.list(&self.layout.incoming(), entries) {
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            let suffix = path.extension().and_then(|suffix| suffix.to_str()).unwrap_or_default();
            let sum = if meta.is_dir() { sum(&path) } else { meta.is_file().then_some(meta.len()) };
            match sum {
                Some(bytes) if [part::RESUMABLE, part::TEMPORARY].contains(&suffix) => {
                    entries.push(self.unfinished(path, &meta, bytes));
                }
                _ => entries.push(self.stray(path, STRAY)),
            }
        }
    }

    fn unfinished(&self, path: PathBuf, meta: &Metadata, bytes: u64) -> AuditEntry {
        let incoming = self.layout.open_folder(INCOMING).ok().flatten();
        let at = incoming.zip(path.file_name()).map(|(incoming, name)| incoming.at(name));
        let is_left = at.and_then(|at| part::is_left(&at));
        let is_resumable = path.extension().is_some_and(|suffix| suffix == part::RESUMABLE);
        let detail = match is_left {
            Some(false) => "unfinished; a process works on it",
            Some(true) if is_resumable => "unfinished; the next pull of this model goes on with it",
            Some(true) => "unfinished; its maker has ended and left it behind",
            None => "unfinished; this user or file system cannot tell whether a process works on it",
        };
        let mut entry = self.hidden(path, State::Partial, detail.to_owned());
        entry.bytes = Some(bytes);
        entry.modified = meta.modified().ok();
        entry.in_use = is_left == Some(false);
        entry.action = action(self.layout, &entry, self.catalog);
        let model = self.catalog.iter().find(|known| entry.name.starts_with(&format!("{}.", known.name)));
        if let Some(model) = model.filter(|_| is_resumable && !entry.in_use) {
            let pull = self.layout.remedy(Action::Pull(vec![model.name.to_owned()]));
            let prune = self.layout.remedy(Action::Prune(Some("partial")));
            entry.action = Some([pull, ", or ".into(), prune].into());
        }
        entry
    }

    fn leases(&self, entries: &mut Vec<AuditEntry>) {
        for path in self.list(&self.layout.leases(), entries) {
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            let is_lease = meta.is_file() && file_name(&path).starts_with("lease.");
            let is_told_below = self.uses.faults.iter().any(|(fault, _)| *fault == path);
            if !is_lease && !is_told_below {
                entries.push(self.stray(path, STRAY));
            }
        }
    }

    /// Reports leases that cannot be read, unless they or their folder were reported before.
    fn unreadable_leases(&self, entries: &mut Vec<AuditEntry>) {
        for (path, error) in &self.uses.faults {
            if !entries.iter().any(|entry| path.starts_with(&entry.path)) {
                let why = error.to_string().lines().next().unwrap_or_default().to_owned();
                let detail = format!("{why}; while it is there, nobody can tell which models are in use");
                entries.push(self.hidden(path.clone(), State::Unreadable, detail));
            }
        }
    }

    /// Reports the trash: the oldest removal first, then what is no removal.
    fn trash(&self, entries: &mut Vec<AuditEntry>) {
        let trashed = match Trash(self.layout).trashed() {
            Ok(trashed) => trashed,
            // A file or a link in its place was mentioned before.
            Err(_) if !is_folder(&self.layout.trash()) => return,
            Err(error) => {
                entries.push(self.hidden(self.layout.trash(), State::Unreadable, error.to_string()));
                return;
            }
        };
        let taken: BTreeSet<_> = trashed.iter().map(|trashed| trashed.path.clone()).collect();
        entries.extend(trashed.into_iter().map(|trashed| self.trashed(trashed)));
        for path in self.list(&self.layout.trash(), entries) {
            let is_removal = path.file_name().and_then(|name| name.to_str()).is_some_and(trash::is_removal);
            if !(is_removal && is_folder(&path)) {
                entries.push(self.stray(path, STRAY));
                continue;
            }
            for path in self.list(&path, entries) {
                if !taken.contains(&path) && fs::symlink_metadata(&path).is_ok() {
                    entries.push(self.stray(path, STRAY));
                }
            }
        }
    }

    fn trashed(&self, trashed: Trashed) -> AuditEntry {
        let mut entry = AuditEntry::new(&trashed.name, trashed.path, State::Trashed);
        entry.bytes = Some(trashed.bytes);
        entry.modified = Some(trashed.removed);
        entry.removal = Some(trashed.removal);
        entry.detail = "removed".to_owned();
        entry.action = action(self.layout, &entry, self.catalog);
        entry
    }

    fn stray(&self, path: PathBuf, why: &str) -> AuditEntry {
        let meta = fs::symlink_metadata(&path).ok();
        let mut entry = self.hidden(path, State::Foreign, why.to_owned());
        entry.bytes = meta.as_ref().filter(|meta| meta.is_file()).map(Metadata::len);
        entry.modified = meta.and_then(|meta| meta.modified().ok());
        entry
    }

    /// Returns an entry of the bookkeeping: what has a model's name there is not that model.
    fn hidden(&self, path: PathBuf, state: State, detail: String) -> AuditEntry {
        let mut entry = AuditEntry::new(&file_name(&path), path, state);
        entry.detail = detail;
        entry.action = match state {
            State::Foreign => Some(format!("move it out of {BOOKKEEPING}").into()),
            _ => action(self.layout, &entry, self.catalog),
        };
        entry
    }
}

/// Links to folders lead out of the bookkeeping.
fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

/// Returns the bytes of all files in a folder; none if there is something in it that must not be opened.
fn sum(folder: &Path) -> Option<u64> {
    let mut folders = vec![folder.to_owned()];
    let mut bytes: u64 = 0;
    while let Some(folder) = folders.pop() {
        // Folders that cannot be listed are not counted, nor files that go meanwhile.
        for path in children(&folder).unwrap_or_default() {
            let Ok(meta) = fs::symlink_metadata(&path) else { continue };
            match special(&meta) {
                Some(_) => return None,
                None if meta.is_dir() => folders.push(path),
                None => bytes = bytes.saturating_add(meta.len()),
            }
        }
    }
    Some(bytes)
}
