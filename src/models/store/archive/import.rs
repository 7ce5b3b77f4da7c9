//! Taking an archive's files into the directory.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io;
use std::path::Path;

use super::super::admission::Admission;
use super::super::admission::Expected;
use super::super::audit::{Needed, damage};
use super::super::directory::{Access, Location};
use super::super::disk::{self, free_bytes};
use super::super::layout::Layout;
use super::super::lock::DirectoryLock;
use super::super::part::Folder;
use super::super::part::Incoming;
use super::super::space::require_space;
use super::super::trash::Trash;
use super::archived::{Archived, check_known, is_known};
use super::manifest::ArchiveFile;
use super::progress::{ArchiveProgress, Meter};
use super::read::Archive;
use super::rules::shown;
use crate::error::{Action, Error, ErrorKind, Remedy, Result};
use crate::files::open_regular;

/// Options of [`crate::models::store::Store::import`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ImportOptions {
    /// True if files that are there with other content are replaced; they go to the trash.
    pub replace: bool,
    /// True if everything is verified and nothing changed.
    pub dry_run: bool,
}

/// The file in the directory under the name of an archive's file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    Free,
    Same,
    Other,
}

/// A file of the archive, and where it goes.
struct Item {
    file: ArchiveFile,
    place: Place,
}

impl Item {
    fn is_wanted(&self) -> bool {
        self.place != Place::Same
    }
}

/// The import of an archive's files into a directory.
pub(in crate::models::store) struct Importer<'a>(pub(in crate::models::store) &'a Layout);

impl Importer<'_> {
    /// Takes the files of an archive into the directory.
    pub(in crate::models::store) fn import(
        &self,
        archive: &Path,
        options: ImportOptions,
        progress: &mut dyn FnMut(ArchiveProgress<'_>) -> bool,
    ) -> Result<Vec<Archived>> {
        let mut source = open(archive)?;
        for file in source.files() {
            let blamed = |error: Error| error.named(source.subject()).with_hint("make the archive anew");
            check_known(file).map_err(blamed)?;
        }
        if !options.dry_run {
            // Only room is lost when that fails.
            let _ = Incoming(self.0).sweep();
        }
        let there = self.names_by_case()?;
        let with_place = |file: &ArchiveFile| Ok(Item { place: self.place(file, &there)?, file: file.clone() });
        let mut items = source.files().iter().map(with_place).collect::<Result<Vec<_>>>()?;
        self.check_conflicts(archive, options, &items)?;
        let wanted: Vec<_> = items.iter().filter(|item| item.is_wanted()).map(|item| item.file.bytes).collect();
        if !wanted.is_empty() {
            let bytes = wanted.iter().copied().fold(0, u64::saturating_add);
            require_space(self.0, &archive.display().to_string(), bytes, free_bytes(self.0.dir()))?;
        }
        let changes = !options.dry_run && !wanted.is_empty();
        let folder = if changes { Some(Folder::create(self.0, "import")?) } else { None };
        take_all(&mut source, &items, folder.as_ref(), progress)?;
        if let Some(folder) = folder {
            self.put_in_place(archive, options, &mut items, &folder)?;
        }
        Ok(items.iter().map(|item| Archived::new(&item.file, item.is_wanted())).collect())
    }

    /// Returns the names in the directory, by what they are where case does not count.
    fn names_by_case(&self) -> Result<BTreeMap<String, BTreeSet<String>>> {
        let mut names: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let entries = match fs::read_dir(self.0.dir()) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(names),
            entries => entries.map_err(|error| self.0.unreadable(error))?,
        };
        for entry in entries {
            if let Ok(name) = entry.map_err(|error| self.0.unreadable(error))?.file_name().into_string() {
                names.entry(name.to_lowercase()).or_default().insert(name);
            }
        }
        Ok(names)
    }

    fn place(&self, file: &ArchiveFile, there: &BTreeMap<String, BTreeSet<String>>) -> Result<Place> {
        let path = self.0.path(&file.name)?;
        let alike = there.get(&file.name.to_lowercase()).filter(|names| !names.contains(&file.name));
        if let Some(other) = alike.and_then(BTreeSet::first) {
            return Err(self.alike(&file.name, other));
        }
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Place::Free),
            Err(error) => return Err(Error::io("read", &path, error)),
            Ok(meta) if meta.is_dir() => {
                let message = format!("cannot put a model at {}: a folder is there", path.display());
                return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint("move that folder away"));
            }
            Ok(_) => {}
        }
        let verified =
            Admission(self.0).verify(&file.name, &Expected { bytes: Some(file.bytes), sha256: &file.sha256 });
        match verified.map_err(|error| (error.kind(), error)) {
            Ok(()) => Ok(Place::Same),
            // Also a link that leaves the directory: the name is taken.
            Err((ErrorKind::ModelCorrupt | ErrorKind::ModelNotFound, _)) => Ok(Place::Other),
            Err((_, error)) => Err(error),
        }
    }

    /// Returns the error for names that differ in case only. Both could lie here, but not on every system, and no
    /// archive could hold both.
    fn alike(&self, name: &str, other: &str) -> Error {
        let message =
            format!("cannot put {name} into {}: {other} is there and differs in case only", self.0.dir().display());
        Error::new(ErrorKind::InvalidArgument, message).with_hint([
            format!("rename that file to {name}, or remove it with ").into(),
            self.0.remedy(Action::Remove(other.to_owned())),
        ])
    }

    fn check_conflicts(&self, archive: &Path, options: ImportOptions, items: &[Item]) -> Result<()> {
        let taken = items.iter().filter(|item| item.place == Place::Other);
        let taken: Vec<_> = taken.map(|item| item.file.name.as_str()).collect();
        if taken.is_empty() || options.replace {
            return Ok(());
        }
        let message = format!(
            "cannot import {}: {} has other content under {}",
            archive.display(),
            self.0.dir().display(),
            taken.join(", ")
        );
        Err(Error::new(ErrorKind::InvalidArgument, message).with_hint([
            Remedy::Option { keyword: "replace=True", flag: "--replace" },
            " puts the archive's files in their place, and moves those that are there to the trash".into(),
        ]))
    }

    /// Gives the verified files in `folder` their names.
    fn put_in_place(&self, archive: &Path, options: ImportOptions, items: &mut [Item], folder: &Folder) -> Result<()> {
        let _hold = DirectoryLock(self.0).hold_alone()?;
        let there = self.names_by_case()?;
        for item in items.iter_mut().filter(|item| item.place == Place::Free) {
            // Another process may have put something there meanwhile.
            item.place = self.place(&item.file, &there)?;
        }
        self.check_conflicts(archive, options, items)?;
        let mut wanted: Vec<_> = items.iter().filter(|item| item.is_wanted()).map(|item| &item.file.name).collect();
        // A model without its list of characters cannot be used, a list without its model does no harm.
        wanted.sort_by_key(|name| !name.ends_with(".txt"));
        let named = |name: &String| Ok((folder.at(name), self.0.at(name)?));
        Trash(self.0).publish_held(&wanted.into_iter().map(named).collect::<Result<Vec<_>>>()?)
    }
}

/// Verifies all files of an archive, and writes those that are wanted to `folder`.
fn take_all(
    source: &mut Archive<File>,
    items: &[Item],
    folder: Option<&Folder>,
    progress: &mut dyn FnMut(ArchiveProgress<'_>) -> bool,
) -> Result<()> {
    let mut meter = Meter::new(progress, items.iter().fold(0, |total, item| item.file.bytes.saturating_add(total)));
    for (index, item) in items.iter().enumerate() {
        let folder = folder.filter(|_| item.is_wanted());
        // Under its own name: a file system that cannot have it says so before anything is in place.
        let into = folder.map(|folder| folder.at(&item.file.name));
        take(source, index, &item.file, into.as_ref(), &mut meter)?;
    }
    items.last().map_or(Ok(()), |last| meter.tell(&last.file.name))
}

fn open(archive: &Path) -> Result<Archive<File>> {
    // A pipe would keep this waiting.
    let file = open_regular(archive).map_err(|error| match error.kind() {
        io::ErrorKind::InvalidInput => Error::io("read", archive, error).with_hint("give the path of an archive"),
        _ => Error::io("open", archive, error),
    })?;
    Archive::open(&archive.display().to_string(), file)
}

/// Verifies one file of an archive, and writes it where it is wanted.
fn take(
    source: &mut Archive<File>,
    index: usize,
    file: &ArchiveFile,
    into: Option<&Location>,
    meter: &mut Meter<'_>,
) -> Result<()> {
    meter.tell(&file.name)?;
    let mut output = None;
    if let Some(at) = into {
        let file = disk::open_new(at, Access::Usual).map_err(|error| Error::io("create", &at.path(), error))?;
        output = Some((file, at));
    }
    let needed = if is_known(file) { Needed::Nothing } else { Needed::of(&file.name) };
    let mut held = Vec::new();
    source.copy(index, &mut |chunk| {
        if let Some((output, at)) = &mut output {
            disk::write(output, chunk).map_err(|error| Error::io("write", &at.path(), error))?;
        }
        let wanted = chunk.get(..needed.most().saturating_sub(held.len()).min(chunk.len())).unwrap_or_default();
        let reserved = held.try_reserve(wanted.len());
        reserved.map_err(|error| Error::io("check", Path::new(&file.name), error.into()))?;
        held.extend_from_slice(wanted);
        meter.add(&file.name, chunk.len())
    })?;
    if let Some((output, at)) = output {
        disk::sync(&output, &at.path())?;
    }
    // As strictly as an audit, which would call it damaged the next moment.
    match damage(&file.name, &held).filter(|_| needed != Needed::Nothing) {
        None => Ok(()),
        Some(why) => {
            let subject = format!("the entry {} of {}", shown(&file.name), source.subject());
            Err(Error::new(ErrorKind::ModelCorrupt, format!("{subject}: {why}"))
                .with_hint("make the archive anew, without this file"))
        }
    }
}
