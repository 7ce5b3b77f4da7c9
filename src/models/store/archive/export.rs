//! Writing an archive.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::super::admission::{Admission, Expected};
use super::super::audit::{State, examine};
use super::super::characters::list_of;
use super::super::digest::Digest;
use super::super::directory::Directory;
use super::super::disk;
use super::super::layout::Layout;
use super::super::names::is_model_name;
use super::super::temporary::{Temporary, unique};
use super::archived::{Archived, check_known};
use super::manifest;
use super::manifest::ArchiveFile;
use super::output::Output;
use super::progress::{ArchiveProgress, Meter};
use super::rules::{MANIFEST, MOST_FILES, longest, name_fault};
use crate::error::{Action, Error, ErrorKind, Hint, Result};
use crate::files::open_regular;
use crate::models::catalog;

/// A file that goes into an archive.
struct Wanted {
    name: String,
    path: PathBuf,
    bytes: u64,
}

/// The files that an export writes, and those that it leaves out.
struct Plan {
    wanted: Vec<Wanted>,
    left_out: Vec<Archived>,
}

/// The export of a directory's models.
pub(in crate::models::store) struct Exporter<'a>(pub(in crate::models::store) &'a Layout);

impl Exporter<'_> {
    /// Writes models into one archive, each with the list of characters beside it; without `names` all models there
    /// are, but for those that are damaged or cannot be read: what an import would refuse.
    pub(in crate::models::store) fn export(
        &self,
        archive: &Path,
        names: &[String],
        progress: &mut dyn FnMut(ArchiveProgress<'_>) -> bool,
    ) -> Result<Vec<Archived>> {
        let target = self.check_target(archive)?;
        let Plan { wanted, left_out } = self.export_plan(names)?;
        let total = wanted.iter().fold(0u64, |total, file| total.saturating_add(file.bytes));
        let mut meter = Meter::new(progress, total);
        let folder = folder_of(&target)?;
        let (temporary, file) = Temporary::create(&folder, &format!(".{}.tmp", unique("ferrocr-export")))?;
        let mut zip = ZipWriter::new(Output::new(file));
        let written = wanted.iter().map(|file| self.add(&mut zip, file, &mut meter)).collect::<Result<Vec<_>>>();
        let written = match written {
            Ok(written) => written,
            // A disk that is full tells more than the work that it ended.
            Err(error) => return Err(failure(&temporary, zip).unwrap_or(error)),
        };
        let finished = add_entry(&mut zip, MANIFEST).and_then(|()| {
            zip.write_all(manifest::text(&written).as_bytes())?;
            zip.finish()?.finish().map_err(ZipError::Io)
        });
        let file = finished.map_err(|error| unwritten(&temporary, error))?;
        disk::sync(&file, &temporary.path())?;
        drop(file);
        temporary.publish(target.file_name().unwrap_or_default())?;
        disk::sync_folder(&folder)?;
        let mut files: Vec<_> = written.iter().map(|file| Archived::new(file, true)).chain(left_out).collect();
        files.sort_by(|one, other| one.name.cmp(&other.name));
        Ok(files)
    }

    /// Returns the archive's path, absolute, if an archive may be there.
    fn check_target(&self, archive: &Path) -> Result<PathBuf> {
        let unfit = |why: &str, hint: &'static str| {
            let message = format!("cannot write an archive to {}: {why}", archive.display());
            Error::new(ErrorKind::InvalidArgument, message).with_hint(hint)
        };
        let name_a_file = "give the path of a file, such as models.zip";
        let target = std::path::absolute(archive);
        let target = target.map_err(|error| unfit(&format!("it is no path: {error}"), name_a_file))?;
        let (Some(folder), Some(_)) = (target.parent(), target.file_name()) else {
            return Err(unfit("it names no file", name_a_file));
        };
        match fs::metadata(&target) {
            Ok(meta) if meta.is_dir() => return Err(unfit("a folder is there", name_a_file)),
            Ok(meta) if !meta.is_file() => return Err(unfit("no regular file is there", name_a_file)),
            _ => {}
        }
        let folder = fs::canonicalize(folder).map_err(|error| Error::io("find the folder", folder, error))?;
        if fs::canonicalize(self.0.dir()).is_ok_and(|dir| folder.starts_with(dir)) {
            return Err(unfit("it is in the model directory", "write it elsewhere: only models belong there"));
        }
        Ok(target)
    }

    /// Returns the files to write, and those to leave out, sorted by name. Nothing is written yet.
    fn export_plan(&self, names: &[String]) -> Result<Plan> {
        let mut left_out = Vec::new();
        let mut models: BTreeSet<_> =
            if names.is_empty() { self.0.list()? } else { names.to_vec() }.into_iter().collect();
        let mut first = None;
        for name in models.clone() {
            if let Err((error, file)) = self.check_content(&name)? {
                if !names.is_empty() {
                    return Err(error);
                }
                models.remove(&name);
                left_out.push(file);
                first.get_or_insert(error);
            }
        }
        if let Some(error) = first.filter(|_| models.is_empty()) {
            return Err(error);
        }
        Ok(Plan { wanted: self.wanted(models)?, left_out })
    }

    /// Looks for a reason to keep a model out of an archive, which an import would refuse.
    fn check_content(&self, name: &str) -> Result<std::result::Result<(), (Error, Archived)>> {
        let mut found = examine(self.0, name)?;
        if let (Some(fault), false) = (self.list_fault(name), found.state == State::Corrupt) {
            (found.state, found.detail) = fault;
        }
        if !matches!(found.state, State::Corrupt | State::Unreadable) {
            return Ok(Ok(()));
        }
        let path = self.0.path(name)?;
        let kind = if found.state == State::Corrupt { ErrorKind::ModelCorrupt } else { ErrorKind::Io };
        let message = format!("{} cannot be archived: {}", path.display(), found.detail);
        let is_known = catalog::find(name).is_some();
        let hint = match is_known {
            true => self.how_to_repair(name),
            false => ["replace it, or remove it with ".into(), self.0.remedy(Action::Remove(name.to_owned()))].into(),
        };
        let file = Archived {
            name: name.to_owned(),
            bytes: found.bytes,
            sha256: found.sha256.unwrap_or_default(),
            is_new: false,
            left_out: Some(found.detail),
        };
        Ok(Err((Error::new(kind, message).with_hint(hint), file)))
    }

    /// Returns why the list of characters beside a model, without which that cannot be used, cannot go along.
    fn list_fault(&self, model: &str) -> Option<(State, String)> {
        let list = list_of(model)?;
        // One that is there and cannot be read would be missed where the archive goes.
        fs::symlink_metadata(self.0.dir().join(&list)).ok()?;
        let most = longest(&list);
        let length = self.0.existing(&list).and_then(|path| {
            let meta = open_regular(&path).and_then(|file| file.metadata());
            meta.map(|meta| meta.len()).map_err(|error| Error::io("read", &path, error))
        });
        let first_line = |error: Error| error.to_string().lines().next().unwrap_or_default().to_owned();
        match length {
            Ok(length) if length <= most => {
                // Its name is that of a known list, and an import would take nothing else under it.
                let known = catalog::owner(&list)?.characters?;
                let verified = Admission(self.0).verify(&list, &Expected::from(&known));
                verified.err().map(|error| (State::Corrupt, first_line(error)))
            }
            Ok(_) => Some((State::Unreadable, format!("its list of characters {list} is longer than {most} bytes"))),
            Err(error) => Some((State::Unreadable, first_line(error))),
        }
    }

    fn wanted(&self, models: BTreeSet<String>) -> Result<Vec<Wanted>> {
        if models.is_empty() {
            let message = format!("there are no models in {}", self.0.dir().display());
            let hint = ["fetch some with ".into(), self.0.remedy(Action::PullDefault)];
            return Err(Error::new(ErrorKind::ModelNotFound, message).with_hint(hint));
        }
        let mut files = models.clone();
        for model in &models {
            self.0.existing(model)?;
            if !is_model_name(model) {
                return Err(unfit(model, "it is no model").with_hint(self.0.how_to_list()));
            }
            // One that is there and cannot be read would be missed where the archive goes.
            let is_there = |list: &String| fs::symlink_metadata(self.0.dir().join(list)).is_ok();
            files.extend(list_of(model).filter(is_there));
        }
        if files.len() > MOST_FILES {
            let message = format!("cannot archive {} files: {MOST_FILES} is the most", files.len());
            return Err(Error::new(ErrorKind::InvalidArgument, message).with_hint("name the models that you need"));
        }
        check_case(&files)?;
        files.into_iter().map(|name| self.wanted_file(name)).collect()
    }

    fn wanted_file(&self, name: String) -> Result<Wanted> {
        if let Some(fault) = name_fault(&name) {
            return Err(unfit(&name, fault).with_hint("rename it"));
        }
        let path = self.0.existing(&name)?;
        let bytes = fs::metadata(&path).map_err(|error| Error::io("read", &path, error))?.len();
        match longest(&name) {
            most if bytes > most => Err(unfit(&name, &format!("it is longer than {most} bytes, as none is"))),
            _ => Ok(Wanted { name, path, bytes }),
        }
    }

    fn add(&self, zip: &mut ZipWriter<Output>, wanted: &Wanted, meter: &mut Meter<'_>) -> Result<ArchiveFile> {
        let unread = |error| Error::io("read", &wanted.path, error);
        let refused = |error: io::Error| Error::new(ErrorKind::Io, "cannot write the archive").with_source(error);
        let mut source = open_regular(&wanted.path).map_err(unread)?;
        let bytes = source.metadata().map_err(unread)?.len();
        add_entry(zip, &wanted.name).map_err(|error| refused(error.into()))?;
        meter.tell(&wanted.name)?;
        let digest = Digest::pour(&mut source, Some(bytes), unread, |chunk| {
            zip.write_all(chunk).map_err(refused)?;
            if zip.get_ref().is_none_or(Output::has_failed) {
                return Err(refused(io::ErrorKind::BrokenPipe.into()));
            }
            meter.add(&wanted.name, chunk.len())
        })?;
        if digest.bytes != bytes {
            let message = format!("{} was changed while it was read", wanted.path.display());
            return Err(Error::new(ErrorKind::Io, message).with_hint("try again"));
        }
        let file = ArchiveFile { name: wanted.name.clone(), bytes, sha256: digest.sha256 };
        check_known(&file).map_err(|error| error.with_hint(self.how_to_repair(&file.name)))?;
        Ok(file)
    }

    fn how_to_repair(&self, name: &str) -> Hint {
        ["fetch it anew with ".into(), self.0.remedy(Action::Pull(vec![name.to_owned()]))].into()
    }
}

fn unfit(name: &str, why: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{name:?} cannot be archived: {why}"))
}

/// Refuses names that are one file where case does not count.
fn check_case(names: &BTreeSet<String>) -> Result<()> {
    let mut seen = BTreeSet::new();
    match names.iter().find(|name| !seen.insert(name.to_lowercase())) {
        None => Ok(()),
        Some(name) => Err(unfit(name, "another name differs in case only, and some systems see no difference")
            .with_hint("rename one of them, or name the models that you need")),
    }
}

/// Begins an entry. Nothing in it tells when or where it was made; no file needs the form for those beyond 4 GiB.
fn add_entry(zip: &mut ZipWriter<Output>, name: &str) -> std::result::Result<(), ZipError> {
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .last_modified_time(DateTime::DEFAULT)
        .system(System::Unix)
        .unix_permissions(0o644);
    zip.start_file(name, options)
}

/// Opens the folder that an archive goes to.
fn folder_of(target: &Path) -> Result<Directory> {
    let folder = target.parent().unwrap_or(target);
    Directory::open(folder).map_err(|error| Error::io("open the folder", folder, error))
}

fn unwritten(temporary: &Temporary, error: ZipError) -> Error {
    Error::io("write", &temporary.path(), error.into())
}

/// Returns what failed while writing, if that ended the work.
fn failure(temporary: &Temporary, zip: ZipWriter<Output>) -> Option<Error> {
    if !zip.get_ref().is_some_and(Output::has_failed) {
        return None;
    }
    let finished = zip.finish().and_then(|output| output.finish().map_err(ZipError::Io));
    finished.err().map(|error| unwritten(temporary, error))
}
