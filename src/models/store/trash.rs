//! The trash: removed files, and bringing them back.
//!
//! Each removal has a folder of its own in the trash, named after its time, in which the files keep their names. There
//! is nothing else to it: a file that is moved back by hand is restored as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::process;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::characters::list_of;
use super::directory::{Directory, Kind, Location};
use super::disk;
use super::layout::Layout;
use super::layout::TRASH;
use super::lock::DirectoryLock;
use super::names::fault;
use crate::error::{Action, Error, ErrorKind, Result};

/// The last time that a name of a removal can have, in the year 2286.
const LAST_TIME: u64 = 9_999_999_999_999;

/// The last call of a time whose name is still greater, as a text, than those before it.
const LAST_CALL: u64 = 9999;

/// The names that are tried for a new removal.
const TRIES: u32 = 64;

/// A file in the trash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trashed {
    /// The removal that took it. A later one is greater, also where the clock was set back between the two.
    pub removal: String,
    /// The name it had in the directory.
    pub name: String,
    /// Its path in the trash.
    pub path: PathBuf,
    /// Its length.
    pub bytes: u64,
    /// When it was removed.
    pub removed: SystemTime,
}

/// The trash of a directory.
pub(super) struct Trash<'a>(pub(super) &'a Layout);

impl Trash<'_> {
    /// Lists the trash, the oldest removal first.
    pub(super) fn trashed(&self) -> Result<Vec<Trashed>> {
        match self.0.open_folder(TRASH)? {
            None => Ok(Vec::new()),
            Some(trash) => trashed(&trash),
        }
    }

    /// Moves files back to where they were: those of one `removal`, or the latest that has each of `names`, or without
    /// either all of the latest removal.
    pub(super) fn restore(&self, names: &[String], removal: Option<&str>, dry_run: bool) -> Result<Vec<Trashed>> {
        if !self.may_have_trash() {
            let unknown = names.iter().min().map(|name| self.not_trashed(name));
            return Err(unknown.unwrap_or_else(|| self.nothing_to_restore(removal)));
        }
        let _hold = if dry_run { None } else { Some(DirectoryLock(self.0).hold_alone()?) };
        let chosen = self.chosen(names, removal)?;
        for trashed in &chosen {
            if fs::symlink_metadata(self.0.path(&trashed.name)?).is_ok() {
                return Err(self.in_the_way(trashed, names.is_empty()));
            }
        }
        if !dry_run {
            self.put_back(&chosen)?;
        }
        Ok(chosen)
    }

    /// Returns the error for a file in the way. It goes to the trash too when it is removed, and is the latest of its
    /// name then. So the removal to restore has to be named.
    fn in_the_way(&self, trashed: &Trashed, is_whole: bool) -> Error {
        let Trashed { name, removal, .. } = trashed;
        let message = format!("cannot restore {name}: {} has a file of that name", self.0.dir().display());
        let remove = self.0.remedy(Action::Remove(name.clone()));
        let name = (!is_whole).then(|| name.clone());
        let restore = self.0.remedy(Action::Restore { name, removal: Some(removal.clone()) });
        Error::new(ErrorKind::InvalidArgument, message).with_hint([remove, ", then ".into(), restore])
    }

    fn put_back(&self, chosen: &[Trashed]) -> Result<()> {
        let trash = self.0.make_folder(TRASH)?;
        let root = self.0.open_root()?;
        let moves = chosen.iter().map(|trashed| Ok((trashed.within(&trash)?, root.at(&trashed.name))));
        move_all(&moves.collect::<Result<Vec<_>>>()?)?;
        let removals: BTreeSet<_> = chosen.iter().map(|trashed| &trashed.removal).collect();
        removals.into_iter().for_each(|removal| disk::remove_if_empty(&trash.at(removal)));
        if chosen.is_empty() { Ok(()) } else { disk::sync_folder(&root) }
    }

    /// Deletes for good what was removed at least `older_than` ago, or all; with `dry_run` it only says what.
    pub(super) fn purge(&self, older_than: Option<Duration>, dry_run: bool) -> Result<Vec<Trashed>> {
        if !self.may_have_trash() {
            return Ok(Vec::new());
        }
        let _hold = if dry_run { None } else { Some(DirectoryLock(self.0).hold_alone()?) };
        let now = SystemTime::now();
        let is_old = |trashed: &Trashed| {
            // The clock may have been set back.
            let age = now.duration_since(trashed.removed).unwrap_or_default();
            older_than.is_none_or(|bound| age >= bound)
        };
        let chosen: Vec<_> = self.trashed()?.into_iter().filter(is_old).collect();
        if !dry_run {
            let trash = self.0.make_folder(TRASH)?;
            for trashed in &chosen {
                disk::remove_file(&trashed.within(&trash)?)?;
            }
            // Also those that a killed removal made and did not fill.
            for (removal, _) in removals(&trash)? {
                disk::remove_if_empty(&trash.at(removal));
            }
        }
        Ok(chosen)
    }

    /// Returns false where nothing was ever removed: to hold the directory would make it.
    fn may_have_trash(&self) -> bool {
        !fs::symlink_metadata(self.0.trash()).is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
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

    /// Returns the lists of characters that were removed together with models that are chosen, where there is none.
    fn lists_with(&self, chosen: &[Trashed], trashed: &[Trashed]) -> Vec<Trashed> {
        let lists = chosen.iter().filter_map(|model| Some((list_of(&model.name)?, &model.removal)));
        // Several models may have the same list.
        let lists: BTreeMap<_, _> = lists.collect();
        let is_wanted = |found: &&Trashed| {
            lists.get(&found.name) == Some(&&found.removal)
                && chosen.iter().all(|chosen| chosen.name != found.name)
                && fs::symlink_metadata(self.0.dir().join(&found.name)).is_err()
        };
        trashed.iter().filter(is_wanted).cloned().collect()
    }

    fn nothing_to_restore(&self, removal: Option<&str>) -> Error {
        let message = match removal {
            Some(removal) => format!("the trash of {} has no removal {removal}", self.0.dir().display()),
            None => format!("the trash of {} is empty", self.0.dir().display()),
        };
        self.not_found(message)
    }

    fn not_trashed(&self, name: &str) -> Error {
        let message = format!("the trash of {} has no {name}", self.0.dir().display());
        self.not_found(message)
    }

    fn not_found(&self, message: String) -> Error {
        let hint = [self.0.remedy(Action::Audit), " shows what is in the trash".into()];
        Error::new(ErrorKind::ModelNotFound, message).with_hint(hint)
    }

    /// Moves files of the directory to the trash, as one removal, whose name it gives. The caller holds the directory.
    ///
    /// When one cannot be moved, those before it are moved back.
    pub(super) fn discard_held(&self, names: &[String]) -> Result<String> {
        let root = self.0.open_root()?;
        let (removal, folder) = self.new_removal()?;
        let to_folder = |name: &String| self.0.path(name).map(|_| (root.at(name), folder.directory.at(name)));
        let moves = names.iter().map(to_folder).collect::<Result<Vec<_>>>();
        if let Err(error) = moves.and_then(|moves| move_all(&moves)) {
            disk::remove_if_empty(&folder.at);
            return Err(error);
        }
        disk::sync_folder(&folder.directory)?;
        disk::sync_folder(&root)?;
        Ok(removal)
    }

    /// Gives each file its new name, in one step and durably; what has that name goes to the trash, all of it as one
    /// removal. The caller holds the directory.
    pub(super) fn publish_held(&self, files: &[(Location, Location)]) -> Result<()> {
        let mut removal = None;
        for (from, to) in files {
            self.make_room(to, &mut removal)?;
            disk::replace(from, to)?;
        }
        disk::sync_folder(&self.0.open_root()?)
    }

    /// Brings what is `at` a place into the folder of `removal`, which is made for the first of them.
    fn make_room(&self, at: &Location, removal: &mut Option<Directory>) -> Result<()> {
        let Ok(status) = at.status() else { return Ok(()) };
        if status.kind == Kind::Folder {
            let message = format!("cannot put a model at {}: a folder is there", at.path().display());
            return Err(Error::new(ErrorKind::Io, message).with_hint("move that folder away"));
        }
        let folder = match removal.take() {
            Some(folder) => folder,
            None => self.new_removal()?.1.directory,
        };
        // A second name, so that the file's own is never without a file.
        if disk::link(at, &folder.at(at.name())).is_err() {
            disk::move_to_free(at, &folder.at(at.name()))?;
        }
        disk::sync_folder(&folder)?;
        *removal = Some(folder);
        Ok(())
    }

    /// Makes the folder of a new removal, after all that there are.
    ///
    /// Its name does not go by the clock alone, which may have been ahead when another one was made.
    fn new_removal(&self) -> Result<(String, NewRemoval)> {
        let trash = self.0.make_folder(TRASH)?;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis();
        let now = Sequence { time: u64::try_from(now).unwrap_or(u64::MAX).min(LAST_TIME), call: 0 };
        let latest = removals(&trash)?.into_iter().filter_map(|(removal, _)| Sequence::of(&removal)).max();
        let mut sequence = latest.map_or(now, |latest| latest.next().max(now));
        for _ in 0..TRIES {
            let removal = format!("{:013}-{:04}-{}", sequence.time, sequence.call, process::id());
            let at = trash.at(&removal);
            match disk::make_new_folder(&at) {
                Ok(directory) => return Ok((removal, NewRemoval { at, directory })),
                // Another thread was faster.
                Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => sequence = sequence.next(),
                Err(error) => return Err(Error::io("create the directory", &at.path(), error)),
            }
        }
        let message = format!("cannot find a name for a new removal in {}", trash.path().display());
        let hint = [self.0.remedy(Action::Purge), " empties the trash".into()];
        Err(Error::new(ErrorKind::Io, message).with_hint(hint))
    }
}

/// The folder of a removal that was just made.
struct NewRemoval {
    at: Location,
    directory: Directory,
}

impl Trashed {
    /// Returns its place in the open `trash`.
    fn within(&self, trash: &Directory) -> Result<Location> {
        let folder = trash.folder(&self.removal);
        let folder = folder.map_err(|error| disk::failed("open", &trash.path().join(&self.removal), error))?;
        Ok(folder.at(&self.name))
    }
}

/// The beginning of a removal's name, by which they are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct Sequence {
    /// Milliseconds since 1970.
    time: u64,
    call: u64,
}

impl Sequence {
    /// Returns the beginning of a removal's name; none for a name that no removal has. What is in other folders is
    /// somebody's own and never deleted, so the name has to be exactly as [`Trash::new_removal`] makes it.
    fn of(removal: &str) -> Option<Self> {
        let parts: Vec<_> = removal.split('-').collect();
        let &[time, call, _] = parts.as_slice() else { return None };
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|digit| digit.is_ascii_digit());
        if time.len() != 13 || call.len() < 4 || !parts.into_iter().all(is_number) {
            return None;
        }
        Some(Self { time: time.parse().ok()?, call: call.parse().ok()? })
    }

    /// Returns the next one, which is greater also as a text.
    fn next(self) -> Self {
        match self.call < LAST_CALL || self.time == LAST_TIME {
            true => Self { call: self.call.saturating_add(1), ..self },
            false => Self { time: self.time + 1, call: 0 },
        }
    }
}

/// Moves files to names that nothing has, all or none: when one cannot be moved, those before it are moved back.
fn move_all(moves: &[(Location, Location)]) -> Result<()> {
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

/// Tells a name that a removal can have.
pub(super) fn is_removal(name: &str) -> bool {
    Sequence::of(name).is_some()
}

/// Returns the folders of removals, in their order. Links to folders lead out of the trash: what is there was not
/// removed.
fn removals(trash: &Directory) -> Result<Vec<(String, Directory)>> {
    let names = trash.names().map_err(|error| Error::io("list", trash.path(), error))?;
    let named = names.into_iter().filter_map(|name| name.into_string().ok());
    let mut found: Vec<_> = named.filter_map(|name| Some((Sequence::of(&name)?, name))).collect();
    found.sort_unstable();
    // One that cannot be read must not hide the others.
    let open = |(_, name): (_, String)| trash.folder(&name).ok().map(|folder| (name, folder));
    Ok(found.into_iter().filter_map(open).collect())
}

/// Lists the open trash, the oldest removal first.
fn trashed(trash: &Directory) -> Result<Vec<Trashed>> {
    let mut found = Vec::new();
    for (removal, folder) in removals(trash)? {
        let Some(removed) = time_of(&removal, &folder) else { continue };
        for name in folder.names().unwrap_or_default() {
            let at = folder.at(&name);
            // Somebody may have taken it out meanwhile.
            let (Ok(name), Ok(status)) = (name.into_string(), at.status()) else { continue };
            if fault(&name).is_none() && status.kind != Kind::Folder {
                let (removal, path, bytes) = (removal.clone(), at.path(), status.bytes);
                found.push(Trashed { removal, name, path, bytes, removed });
            }
        }
    }
    Ok(found)
}

/// Returns the time of a removal. Its name may say a later time than it was, after a removal that was made while the
/// clock was ahead; its folder was changed last when files came into it, or later when some were taken out.
fn time_of(removal: &str, folder: &Directory) -> Option<SystemTime> {
    let named = UNIX_EPOCH.checked_add(Duration::from_millis(Sequence::of(removal)?.time))?;
    let changed = folder.metadata().and_then(|meta| meta.modified()).unwrap_or(named);
    Some(named.min(changed))
}

#[cfg(test)]
mod tests;
