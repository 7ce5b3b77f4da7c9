//! What was removed, and how it comes back.
//!
//! Each removal has a folder of its own in the trash, named after its time, in which the files keep their names. There
//! is nothing else to it: a file that is moved back by hand is restored as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::characters::list_of;
use super::command::Action;
use super::{Store, disk, fault};
use crate::error::{Audience, Error, ErrorKind, Result};

/// A file in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// The removal that took it; a later one is greater.
    pub removal: String,
    /// The name it had in the directory.
    pub name: String,
    /// Where it lies now.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// When it was removed.
    pub removed: SystemTime,
}

impl Store {
    /// What the trash holds, the oldest removal first. Left out are folders and names that the store did not make, and
    /// removals that cannot be read, which the audit reports.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when it cannot be read.
    pub fn trashed(&self) -> Result<Vec<Trashed>> {
        let mut found = Vec::new();
        for (removal, path) in folders(&self.trash())? {
            let Some(removed) = time_of(&removal) else { continue };
            // One that cannot be read must not hide the others.
            for (name, path) in files(&path).unwrap_or_default() {
                // Somebody may have taken it out meanwhile.
                let Ok(meta) = fs::symlink_metadata(&path) else { continue };
                if fault(&name).is_none() && !meta.is_dir() {
                    found.push(Trashed { removal: removal.clone(), name, path, bytes: meta.len(), removed });
                }
            }
        }
        Ok(found)
    }

    /// Moves files back to where they were: those of one `removal`, or the latest that has each of `names`, or without
    /// either all of the latest removal. A model that is named brings the list of characters that was removed with it,
    /// unless there is one already. With `dry_run` it only says which.
    ///
    /// # Errors
    /// - [`ErrorKind::ModelNotFound`] when the trash has no such file or removal.
    /// - [`ErrorKind::InvalidArgument`] when a file of that name is in the directory: none is moved then.
    /// - [`ErrorKind::Io`] when a file cannot be moved; all are in the trash then.
    pub fn restore(&self, names: &[String], removal: Option<&str>, dry_run: bool) -> Result<Vec<Trashed>> {
        if !self.may_have_trash() {
            let unknown = names.iter().min().map(|name| self.not_trashed(name));
            return Err(unknown.unwrap_or_else(|| self.nothing_to_restore(removal)));
        }
        let _hold = if dry_run { None } else { Some(self.hold_alone()?) };
        let chosen = self.chosen(names, removal)?;
        for trashed in &chosen {
            if fs::symlink_metadata(self.path(&trashed.name)?).is_ok() {
                return Err(self.in_the_way(trashed, names.is_empty()));
            }
        }
        if !dry_run {
            self.put_back(&chosen)?;
        }
        Ok(chosen)
    }

    /// What is there goes to the trash too when it is removed, and is the latest of its name then. So the removal to
    /// restore has to be named.
    fn in_the_way(&self, trashed: &Trashed, is_whole: bool) -> Error {
        let Trashed { name, removal, .. } = trashed;
        let message = format!("cannot restore {name}: {} has a file of that name", self.dir().display());
        let restore = Action::Restore(removal, (!is_whole).then_some(name));
        Error::new(ErrorKind::InvalidArgument, message).with_hint_for(|reader| {
            format!("{}, then {}", self.how_to(reader, Action::Remove(name)), self.how_to(reader, restore))
        })
    }

    fn put_back(&self, chosen: &[Trashed]) -> Result<()> {
        let moves = chosen.iter().map(|trashed| Ok((trashed.path.clone(), self.path(&trashed.name)?)));
        move_all(&moves.collect::<Result<Vec<_>>>()?)?;
        self.tidy(chosen)
    }

    /// Deletes for good what was removed at least `older_than` ago, or all; with `dry_run` it only says what.
    ///
    /// # Errors
    /// [`ErrorKind::Io`] when a file cannot be deleted; those before it are gone then.
    pub fn purge(&self, older_than: Option<Duration>, dry_run: bool) -> Result<Vec<Trashed>> {
        if !self.may_have_trash() {
            return Ok(Vec::new());
        }
        let _hold = if dry_run { None } else { Some(self.hold_alone()?) };
        let now = SystemTime::now();
        let is_old = |trashed: &Trashed| {
            // The clock may have been set back.
            let age = now.duration_since(trashed.removed).unwrap_or_default();
            older_than.is_none_or(|bound| age >= bound)
        };
        let chosen: Vec<_> = self.trashed()?.into_iter().filter(is_old).collect();
        if !dry_run {
            for trashed in &chosen {
                disk::remove_file(&trashed.path)?;
            }
            // Also those that a killed removal made and did not fill.
            for (removal, path) in folders(&self.trash())? {
                if time_of(&removal).is_some() {
                    disk::remove_if_empty(&path);
                }
            }
        }
        Ok(chosen)
    }

    /// False where nothing was ever removed: to hold the directory would make it.
    fn may_have_trash(&self) -> bool {
        !fs::symlink_metadata(self.trash()).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
    }

    fn chosen(&self, names: &[String], removal: Option<&str>) -> Result<Vec<Trashed>> {
        let mut trashed = self.trashed()?;
        if let Some(removal) = removal {
            trashed.retain(|trashed| trashed.removal == removal);
        }
        if names.is_empty() {
            let latest = trashed.last().map(|trashed| trashed.removal.clone());
            let Some(latest) = latest else { return Err(self.nothing_to_restore(removal)) };
            trashed.retain(|trashed| trashed.removal == latest);
            return Ok(trashed);
        }
        let names: BTreeSet<_> = names.iter().collect();
        let latest = |name: &&String| trashed.iter().rev().find(|trashed| trashed.name == **name).cloned();
        let mut chosen: Vec<_> =
            names.iter().map(|name| latest(name).ok_or_else(|| self.not_trashed(name))).collect::<Result<_>>()?;
        chosen.extend(self.lists_with(&chosen, &trashed));
        chosen.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(chosen)
    }

    /// The lists of characters that were removed together with models that are chosen, where there is none.
    fn lists_with(&self, chosen: &[Trashed], trashed: &[Trashed]) -> Vec<Trashed> {
        let lists = chosen.iter().filter_map(|model| Some((list_of(&model.name)?, &model.removal)));
        // Several models may have the same list.
        let lists: BTreeMap<_, _> = lists.collect();
        let is_wanted = |found: &&Trashed| {
            lists.get(&found.name) == Some(&&found.removal)
                && chosen.iter().all(|chosen| chosen.name != found.name)
                && fs::symlink_metadata(self.dir().join(&found.name)).is_err()
        };
        trashed.iter().filter(is_wanted).cloned().collect()
    }

    fn nothing_to_restore(&self, removal: Option<&str>) -> Error {
        let message = match removal {
            Some(removal) => format!("the trash of {} has no removal {removal}", self.dir().display()),
            None => format!("the trash of {} is empty", self.dir().display()),
        };
        Error::new(ErrorKind::ModelNotFound, message).with_hint_for(|reader| self.how_to_look(reader))
    }

    fn not_trashed(&self, name: &str) -> Error {
        let message = format!("the trash of {} has no {name}", self.dir().display());
        Error::new(ErrorKind::ModelNotFound, message).with_hint_for(|reader| self.how_to_look(reader))
    }

    fn how_to_look(&self, reader: Audience) -> String {
        format!("{} shows what is in the trash", self.how_to(reader, Action::Audit))
    }

    /// Moves files of the directory to the trash, as one removal, whose name it gives. The caller holds the directory.
    ///
    /// When one cannot be moved, those before it are moved back.
    pub(super) fn discard_held(&self, names: &[String]) -> Result<String> {
        let removal = self.new_removal()?;
        let folder = self.trash().join(&removal);
        let moves = names.iter().map(|name| Ok((self.path(name)?, folder.join(name)))).collect::<Result<Vec<_>>>();
        if let Err(error) = moves.and_then(|moves| move_all(&moves)) {
            disk::remove_if_empty(&folder);
            return Err(error);
        }
        disk::sync_folder(&folder)?;
        disk::sync_folder(self.dir())?;
        Ok(removal)
    }

    /// Gives each file its new name, in one step and durably; what has that name goes to the trash, all of it as one
    /// removal. The caller holds the directory.
    pub(super) fn publish_held(&self, files: &[(PathBuf, PathBuf)]) -> Result<()> {
        let mut removal = None;
        for (from, to) in files {
            self.make_room(to, &mut removal)?;
            disk::replace(from, to)?;
        }
        disk::sync_folder(self.dir())
    }

    /// Brings what has the name `path` into the folder of `removal`, which is made for the first of them.
    fn make_room(&self, path: &Path, removal: &mut Option<PathBuf>) -> Result<()> {
        let (Ok(meta), Some(name)) = (fs::symlink_metadata(path), path.file_name()) else { return Ok(()) };
        if meta.is_dir() {
            let message = format!("cannot put a model at {}: a folder is there", path.display());
            return Err(Error::new(ErrorKind::Io, message).with_hint("move that folder away"));
        }
        let folder = match removal.take() {
            Some(folder) => folder,
            None => self.trash().join(self.new_removal()?),
        };
        // A second name, so that the file's own is never without a file.
        if disk::link(path, &folder.join(name)).is_err() {
            disk::move_to_free(path, &folder.join(name))?;
        }
        disk::sync_folder(&folder)?;
        *removal = Some(folder);
        Ok(())
    }

    /// Makes the folder of a new removal.
    fn new_removal(&self) -> Result<String> {
        static CALLS: AtomicU64 = AtomicU64::new(0);
        disk::create_folders(&self.trash())?;
        let time = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let call = CALLS.fetch_add(1, Ordering::Relaxed);
        let removal = format!("{time:013}-{call:04}-{}", process::id());
        disk::create_folder(&self.trash().join(&removal))?;
        Ok(removal)
    }

    /// Removes the removals' folders that are empty now.
    fn tidy(&self, taken: &[Trashed]) -> Result<()> {
        let removals: BTreeSet<_> = taken.iter().filter_map(|trashed| trashed.path.parent()).collect();
        for removal in removals {
            disk::remove_if_empty(removal);
        }
        match taken.is_empty() {
            true => Ok(()),
            false => disk::sync_folder(self.dir()),
        }
    }
}

/// Moves files to names that nothing has, all or none: when one cannot be moved, those before it are moved back.
fn move_all(moves: &[(PathBuf, PathBuf)]) -> Result<()> {
    for (index, (from, to)) in moves.iter().enumerate() {
        if let Err(error) = disk::move_to_free(from, to) {
            let moved = moves.iter().take(index).rev();
            // One that cannot be moved back does not hold up the others.
            let stuck: Vec<_> = moved.filter_map(|(from, to)| disk::move_to_free(to, from).err()).collect();
            return Err(stuck.into_iter().next().unwrap_or(error));
        }
    }
    Ok(())
}

/// When a removal was made, by its name; none for a name that no removal has. What is in other folders is somebody's
/// own and never deleted, so the name has to be exactly as [`Store::new_removal`] makes it.
pub(super) fn time_of(removal: &str) -> Option<SystemTime> {
    let parts: Vec<_> = removal.split('-').collect();
    let &[time, call, _] = parts.as_slice() else { return None };
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
    if time.len() != 13 || call.len() < 4 || !parts.into_iter().all(is_number) {
        return None;
    }
    UNIX_EPOCH.checked_add(Duration::from_millis(time.parse().ok()?))
}

/// Links to folders lead out of the trash: what is there was not removed.
pub(super) fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|meta| meta.is_dir())
}

fn folders(path: &Path) -> Result<Vec<(String, PathBuf)>> {
    Ok(files(path)?.into_iter().filter(|(_, path)| is_folder(path)).collect())
}

/// Sorted names and paths; none where there is no such folder.
fn files(path: &Path) -> Result<Vec<(String, PathBuf)>> {
    let entries = match fs::read_dir(path) {
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| Error::io("list", path, error))?,
    };
    let named = |entry: fs::DirEntry| Some((entry.file_name().into_string().ok()?, entry.path()));
    let mut found: Vec<_> = entries.flatten().filter_map(named).collect();
    found.sort_unstable();
    Ok(found)
}

#[cfg(test)]
mod tests;
