//! Reading an archive that anybody may have made.

use std::collections::HashMap;
use std::io::{self, Read, Seek, SeekFrom};
use std::str;

use zip::ZipArchive;
use zip::read::{ArchiveOffset, Config, ZipFileEntry};
use zip::result::ZipError;

use super::super::digest::Digest;
use super::manifest::{self, ArchiveFile, Fault};
use super::rules::{MANIFEST, MOST_FILES, name_fault, shown};
use crate::error::{Error, ErrorKind, Remedy, Result};

/// The longest list of files. A thousand rows with names as long as any file system takes them have 400 kB.
const MOST_MANIFEST: u64 = 1 << 20;

/// The zip directory lies at the end and has to be this near to it. Of a thousand long names it has 350 kB.
const MOST_DIRECTORY: u64 = 1 << 22;

/// The most bytes that finding and reading the directory may read in all: it is looked at several times.
const MOST_LOOKS: u64 = 4 * MOST_DIRECTORY;

/// The most that an archive's files together may be longer than itself, as a factor. Models hardly compress: 1.1 is
/// usual.
const MOST_GROWTH: u64 = 100;

/// The bytes that files may have beyond that, so that a tiny archive may hold a well compressed list of characters.
const GROWTH_SLACK: u64 = 1 << 20;

/// The archive begins where the file begins.
const CONFIG: Config = Config { archive_offset: ArchiveOffset::Known(0) };

/// An archive whose list of files fits its entries. The content of the entries has not been looked at.
#[derive(Debug)]
pub struct Archive<R> {
    zip: ZipArchive<R>,
    subject: String,
    files: Vec<ArchiveFile>,
    /// The index of each file among the entries.
    entries: Vec<usize>,
}

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory and the list of `source`, which messages call `subject`.
    ///
    /// # Errors
    /// [`ErrorKind::ModelCorrupt`] for bytes that are no archive of models, and for one with something in it that a
    /// model archive has not; [`ErrorKind::Io`] when `source` cannot be read.
    pub fn open(subject: &str, mut source: R) -> Result<Self> {
        let failed = |error| foreign(subject, ZipError::Io(error));
        let length = source.seek(SeekFrom::End(0)).map_err(failed)?;
        // With these bounds first, so that nothing that follows reads or keeps more.
        let near = Near { source: &mut source, start: length.saturating_sub(MOST_DIRECTORY), left: MOST_LOOKS };
        ZipArchive::with_config(CONFIG, near).map_err(|error| foreign(subject, error))?;
        let zip = ZipArchive::with_config(CONFIG, source).map_err(|error| foreign(subject, error))?;
        let mut archive = Self { zip, subject: subject.to_owned(), files: Vec::new(), entries: Vec::new() };
        let mut entries = archive.check_entries()?;
        let files = archive.read_manifest(entries.remove(MANIFEST))?;
        archive.check_bounds(&files, length)?;
        for file in files {
            let entry = entries.remove(&file.name);
            archive.entries.push(archive.check_size(&file, entry)?);
            archive.files.push(file);
        }
        match entries.keys().min() {
            None => Ok(archive),
            Some(extra) => Err(archive.damaged(format!("the entry {} is not in its list", shown(extra)))),
        }
    }

    /// Returns the files, in the order of the archive's list.
    pub fn files(&self) -> &[ArchiveFile] {
        &self.files
    }

    /// Returns the archive's name in messages.
    pub fn subject(&self) -> &str {
        &self.subject
    }

    /// Gives the content of the file at `index` to `sink`, chunk after chunk, and checks it against the list. What
    /// `sink` got counts for nothing before this has returned.
    ///
    /// # Errors
    /// [`ErrorKind::ModelCorrupt`] for other content than the list says, [`ErrorKind::InvalidArgument`] when there is
    /// no such file, [`ErrorKind::Io`] when the archive cannot be read, and what `sink` returns.
    pub fn copy(&mut self, index: usize, sink: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let (Some(file), Some(&position)) = (self.files.get(index), self.entries.get(index)) else {
            let message = format!("{} has no file number {index}", self.subject);
            return Err(Error::new(ErrorKind::InvalidArgument, message));
        };
        let of = format!("the entry {} of {}", shown(&file.name), self.subject);
        let entry = self.zip.by_index(position).map_err(|error| unreadable(&of, error))?;
        // One byte more shows that there is more, and makes the last of them be checked.
        let mut source = entry.take(file.bytes.saturating_add(1));
        let failed = |error| unreadable(&of, ZipError::Io(error));
        let digest = Digest::pour(&mut source, Some(file.bytes), failed, sink)?;
        let why = if digest.bytes > file.bytes {
            format!("is longer than the {} bytes that its list says", file.bytes)
        } else if digest.bytes < file.bytes {
            format!("has {} bytes, and its list says {}", digest.bytes, file.bytes)
        } else if digest.sha256 != file.sha256 {
            format!("has SHA-256 {}, and its list says {}", digest.sha256, file.sha256)
        } else {
            return Ok(());
        };
        Err(damage(format!("{of} {why}")))
    }

    /// Returns the index of each entry by its name, if all of them are plain files.
    fn check_entries(&mut self) -> Result<HashMap<String, usize>> {
        if self.zip.len() > MOST_FILES + 1 {
            return Err(self.damaged(format!("it has more than {MOST_FILES} files")));
        }
        let mut found = HashMap::new();
        for index in 0..self.zip.len() {
            let entry = self.zip.by_index_data(index).map_err(|error| unreadable(&self.subject, error))?;
            let name = str::from_utf8(entry.name_raw());
            let name = name.map_err(|_| self.damaged("the name of an entry is no UTF-8".to_owned()))?;
            if let Some(fault) = entry_fault(&entry).or_else(|| name_fault(name)) {
                return Err(self.damaged(format!("the entry {}: {fault}", shown(name))));
            }
            found.insert(name.to_owned(), index);
        }
        // Also that no entry is there twice, and that entries do not lie in each other, which would multiply them.
        let consistent = self.zip.validate_header_consistency();
        consistent.map_err(|error| unreadable(&self.subject, error))?;
        Ok(found)
    }

    fn read_manifest(&mut self, entry: Option<usize>) -> Result<Vec<ArchiveFile>> {
        let Some(entry) = entry else { return Err(no_archive(&self.subject, &format!("it has no {MANIFEST}"))) };
        let of = format!("the entry \"{MANIFEST}\" of {}", self.subject);
        let entry = self.zip.by_index(entry).map_err(|error| unreadable(&of, error))?;
        let mut text = Vec::new();
        let read = entry.take(MOST_MANIFEST + 1).read_to_end(&mut text);
        read.map_err(|error| unreadable(&of, ZipError::Io(error)))?;
        if text.len() as u64 > MOST_MANIFEST {
            return Err(damage(format!("{of} is longer than {MOST_MANIFEST} bytes")));
        }
        manifest::parse(&text).map_err(|fault| match fault {
            Fault::Foreign(why) => no_archive(&self.subject, &why),
            Fault::Version(why) => damage(format!("cannot read {of}: {why}"))
                .with_hint("use the release of ferrocr that made the archive, or make it anew with this one"),
            Fault::Wrong(why) => damage(format!("{of} is wrong: {why}")),
        })
    }

    /// Refuses archives that would fill a disk.
    fn check_bounds(&self, files: &[ArchiveFile], length: u64) -> Result<()> {
        let total = files.iter().fold(0u64, |total, file| total.saturating_add(file.bytes));
        let most = length.saturating_mul(MOST_GROWTH).saturating_add(GROWTH_SLACK);
        match total > most {
            true => Err(self.damaged(format!("its {length} bytes claim to hold {total}"))),
            false => Ok(()),
        }
    }

    fn check_size(&self, file: &ArchiveFile, entry: Option<usize>) -> Result<usize> {
        let name = shown(&file.name);
        let index = entry.ok_or_else(|| self.damaged(format!("the file {name} of its list is missing")))?;
        let entry = self.zip.by_index_data(index).map_err(|error| unreadable(&self.subject, error))?;
        match entry.size() == file.bytes {
            true => Ok(index),
            false => {
                let why = format!("the entry {name} has {} bytes, and its list says {}", entry.size(), file.bytes);
                Err(self.damaged(why))
            }
        }
    }

    fn damaged(&self, why: String) -> Error {
        damage(format!("the archive {} cannot be used: {why}", self.subject))
    }
}

/// Returns why an entry is none that an archive of models has.
fn entry_fault(entry: &ZipFileEntry<'_>) -> Option<&'static str> {
    /// The bits that tell kinds of files apart, and the kind of a plain one; none at all says nothing.
    const KIND: u32 = 0o170_000;
    const PLAIN: [u32; 2] = [0, 0o100_000];
    if entry.is_dir() {
        Some("it is a folder")
    } else if entry.unix_mode().is_some_and(|mode| !PLAIN.contains(&(mode & KIND))) {
        Some("it is a link, a folder or a device")
    } else if entry.encrypted() {
        Some("it is encrypted")
    } else {
        None
    }
}

fn damage(message: String) -> Error {
    Error::new(ErrorKind::ModelCorrupt, message).with_hint("copy the archive again, or make it anew")
}

fn no_archive(subject: &str, why: &str) -> Error {
    Error::new(ErrorKind::ModelCorrupt, format!("{subject} is no archive of models: {why}"))
        .with_hint(["such an archive is made by ".into(), Remedy::Export])
}

fn foreign(subject: &str, error: ZipError) -> Error {
    match system_error(error) {
        Ok(error) => Error::new(ErrorKind::Io, format!("cannot read {subject}")).with_source(error),
        Err(error) => no_archive(subject, &error.to_string()),
    }
}

fn unreadable(subject: &str, error: ZipError) -> Error {
    match system_error(error) {
        Ok(error) => Error::new(ErrorKind::Io, format!("cannot read {subject}")).with_source(error),
        Err(error) => damage(format!("{subject} is damaged")).with_source(error),
    }
}

/// Returns the system's error. All other errors about an archive are about its bytes.
fn system_error(error: ZipError) -> std::result::Result<io::Error, ZipError> {
    match error {
        ZipError::Io(error) if error.raw_os_error().is_some() => Ok(error),
        other => Err(other),
    }
}

/// The end of a source, of which only so much may be read. What an archive's directory says about its own size decides
/// how much memory is asked for.
struct Near<'a, R> {
    source: &'a mut R,
    start: u64,
    left: u64,
}

impl<R: Read + Seek> Read for Near<'_, R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.source.stream_position()? < self.start || self.left == 0 {
            return Err(io::Error::new(io::ErrorKind::InvalidData, "its directory is too long"));
        }
        let most = buffer.len().min(usize::try_from(self.left).unwrap_or(usize::MAX));
        let count = self.source.read(buffer.get_mut(..most).unwrap_or_default())?;
        self.left = self.left.saturating_sub(count as u64);
        Ok(count)
    }
}

impl<R: Seek> Seek for Near<'_, R> {
    fn seek(&mut self, position: SeekFrom) -> io::Result<u64> {
        self.source.seek(position)
    }
}
