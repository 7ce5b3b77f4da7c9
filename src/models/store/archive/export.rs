//! Writing an archive.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use zip::result::ZipError;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, DateTime, System, ZipWriter};

use super::super::characters::list_of;
use super::super::command::Action;
use super::super::digest::Digest;
use super::super::part::unique;
use super::super::{LONGEST_MODEL, Store, disk, is_model_name};
use super::output::Output;
use super::{ArchiveFile, ArchiveProgress, Archived, MANIFEST, MOST_FILES, Meter, check_known, manifest, name_fault};
use crate::error::{Error, ErrorKind, Result};

/// A file that goes into an archive.
struct Wanted {
    name: String,
    path: PathBuf,
    bytes: u64,
}

impl Store {
    /// Writes models into one archive, each with the list of characters beside it; without `names` all models there are.
    ///
    /// The archive appears under its name in one step, when it is complete, and replaces a file that was there. The same
    /// models give the same bytes. The directory is only read. `progress` is called on this thread; when it gives
    /// `false` the export ends. A process that is killed may leave a hidden file beside the archive, whose name begins
    /// with `.ferrocr-export`.
    ///
    /// # Errors
    /// - [`ErrorKind::Cancelled`] when `progress` said so.
    /// - [`ErrorKind::ModelNotFound`] when a model is not there, or none at all.
    /// - [`ErrorKind::ModelCorrupt`] when a model with a name of the catalog has other content: an archive would spread
    ///   the damage.
    /// - [`ErrorKind::InvalidArgument`] for an archive inside of the model directory or in the place of a folder, for
    ///   names that are no model's, and for what an archive cannot hold.
    /// - [`ErrorKind::Io`] when something cannot be read or written. No archive is there then, or the one before.
    pub fn export(
        &self,
        archive: &Path,
        names: &[String],
        progress: &mut dyn FnMut(ArchiveProgress<'_>) -> bool,
    ) -> Result<Vec<Archived>> {
        let target = self.check_target(archive)?;
        let wanted = self.wanted(names)?;
        let total = wanted.iter().fold(0u64, |total, file| total.saturating_add(file.bytes));
        let mut meter = Meter::new(progress, total);
        let (temporary, file) = Temporary::beside(&target)?;
        let mut zip = ZipWriter::new(Output::new(file));
        let written = wanted.iter().map(|file| self.add(&mut zip, file, &mut meter)).collect::<Result<Vec<_>>>();
        let written = match written {
            Ok(written) => written,
            // A disk that is full tells more than the work that it ended.
            Err(error) => return Err(temporary.failure(zip).unwrap_or(error)),
        };
        let finished = add_entry(&mut zip, MANIFEST).and_then(|()| {
            zip.write_all(manifest::text(&written).as_bytes())?;
            zip.finish()?.finish().map_err(ZipError::Io)
        });
        let file = finished.map_err(|error| temporary.unwritten(error))?;
        disk::sync(&file, &temporary.path)?;
        drop(file);
        temporary.publish(&target)?;
        Ok(written.iter().map(|file| Archived::new(file, true)).collect())
    }

    /// The archive's path, absolute, if an archive may be there.
    fn check_target(&self, archive: &Path) -> Result<PathBuf> {
        let unfit = |why: &str, hint: &str| {
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
        if fs::canonicalize(self.dir()).is_ok_and(|dir| folder.starts_with(dir)) {
            return Err(unfit("it is in the model directory", "write it elsewhere: only models belong there"));
        }
        Ok(target)
    }

    /// The files to write, sorted by name.
    fn wanted(&self, names: &[String]) -> Result<Vec<Wanted>> {
        let models: BTreeSet<_> = if names.is_empty() { self.list()? } else { names.to_vec() }.into_iter().collect();
        if models.is_empty() {
            let message = format!("there are no models in {}", self.dir().display());
            return Err(Error::new(ErrorKind::ModelNotFound, message)
                .with_hint_for(|reader| format!("fetch some with {}", self.how_to(reader, Action::PullDefault))));
        }
        let mut files = models.clone();
        for model in &models {
            self.existing(model)?;
            if !is_model_name(model) {
                return Err(unfit(model, "it is no model").with_hint_for(|reader| self.how_to_list(reader)));
            }
            // One that is there and cannot be read would be missed where the archive goes.
            let is_there = |list: &String| fs::symlink_metadata(self.dir().join(list)).is_ok();
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
        let path = self.existing(&name)?;
        let bytes = fs::metadata(&path).map_err(|error| Error::io("read", &path, error))?.len();
        match bytes > LONGEST_MODEL {
            true => Err(unfit(&name, &format!("it is longer than {LONGEST_MODEL} bytes, as no model is"))),
            false => Ok(Wanted { name, path, bytes }),
        }
    }

    fn add(&self, zip: &mut ZipWriter<Output>, wanted: &Wanted, meter: &mut Meter<'_>) -> Result<ArchiveFile> {
        let unread = |error| Error::io("read", &wanted.path, error);
        let refused = |error: io::Error| Error::new(ErrorKind::Io, "cannot write the archive").with_source(error);
        let mut source = File::open(&wanted.path).map_err(unread)?;
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
        let repair = |reader| format!("fetch it anew with {}", self.how_to(reader, Action::Pull(&[&file.name])));
        check_known(&file).map_err(|error| error.with_hint_for(repair))?;
        Ok(file)
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

/// An archive that is not complete. Dropping it removes it.
struct Temporary {
    path: PathBuf,
    is_published: bool,
}

impl Temporary {
    /// In the same folder, because a rename cannot cross file systems.
    fn beside(target: &Path) -> Result<(Self, File)> {
        let path = target.with_file_name(format!(".{}.tmp", unique("ferrocr-export")));
        let file = disk::open(&path, true).map_err(|error| Error::io("create", &path, error))?;
        Ok((Self { path, is_published: false }, file))
    }

    fn unwritten(&self, error: ZipError) -> Error {
        Error::io("write", &self.path, error.into())
    }

    /// What failed while writing, if that ended the work.
    fn failure(&self, zip: ZipWriter<Output>) -> Option<Error> {
        if !zip.get_ref().is_some_and(Output::has_failed) {
            return None;
        }
        let finished = zip.finish().and_then(|output| output.finish().map_err(ZipError::Io));
        finished.err().map(|error| self.unwritten(error))
    }

    fn publish(mut self, target: &Path) -> Result<()> {
        disk::replace(&self.path, target)?;
        self.is_published = true;
        target.parent().map_or(Ok(()), disk::sync_folder)
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_published {
            // Nobody is left to tell.
            let _ = disk::remove_file(&self.path);
        }
    }
}
