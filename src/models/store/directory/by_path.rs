//! Directories by their paths, for systems that open nothing relative to an open directory. Links are refused at each
//! step; one that is put in a folder's place at that very moment is not noticed.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

use super::kinds::{Access, Kind, Opening, Status, unfit};

pub(super) type Handle = PathBuf;

type At<'a> = (&'a Handle, &'a OsStr);

pub(super) fn open(path: &Path) -> io::Result<Handle> {
    // Without the links that led there: those that appear later are not meant.
    let path = fs::canonicalize(path)?;
    match fs::metadata(&path)?.is_dir() {
        true => Ok(path),
        false => Err(io::ErrorKind::NotADirectory.into()),
    }
}

/// Refuses what has become a link since it was opened.
fn there(directory: &Handle) -> io::Result<&Handle> {
    match kind(&fs::symlink_metadata(directory)?) {
        Kind::Link => Err(unfit("it is a link")),
        _ => Ok(directory),
    }
}

pub(super) fn open_folder(directory: &Handle, name: &OsStr) -> io::Result<Handle> {
    let path = directory.join(name);
    match status(directory, name)?.kind {
        Kind::Folder => Ok(path),
        _ => Err(io::ErrorKind::NotADirectory.into()),
    }
}

pub(super) fn names(directory: &Handle) -> io::Result<Vec<OsString>> {
    fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.file_name())).collect()
}

pub(super) fn metadata(directory: &Handle) -> io::Result<Metadata> {
    fs::metadata(directory)
}

/// Does nothing: only Unix can, and needs it.
pub(super) fn sync(_: &Handle) -> io::Result<()> {
    Ok(())
}

pub(super) fn status(directory: &Handle, name: &OsStr) -> io::Result<Status> {
    let found = fs::symlink_metadata(directory.join(name))?;
    Ok(Status { kind: kind(&found), bytes: found.len() })
}

fn kind(found: &Metadata) -> Kind {
    match found.file_type() {
        kind if kind.is_symlink() => Kind::Link,
        kind if kind.is_dir() => Kind::Folder,
        kind if kind.is_file() => Kind::File,
        _ => Kind::Special,
    }
}

pub(super) fn is(directory: &Handle, name: &OsStr, file: &File) -> bool {
    match (file.metadata(), fs::symlink_metadata(directory.join(name))) {
        (Ok(open), Ok(named)) => open.len() == named.len() && open.created().ok() == named.created().ok(),
        _ => false,
    }
}

pub(super) fn open_file(directory: &Handle, name: &OsStr, opening: Opening) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true);
    match opening {
        Opening::Read => {}
        Opening::Write => drop(options.write(true)),
        Opening::Make(access) => drop(allow(access, &mut options).create(true)),
        Opening::MakeNew(access) => drop(allow(access, &mut options).create_new(true)),
    }
    if status(directory, name).is_ok_and(|found| found.kind != Kind::File) {
        return Err(unfit("it is no regular file"));
    }
    options.open(there(directory)?.join(name))
}

/// Leaves it to the directory who may open the file: that is inherited here.
fn allow(_: Access, options: &mut OpenOptions) -> &mut OpenOptions {
    options.write(true)
}

/// Permissions are inherited here.
pub(in super::super) fn let_all_read(_: &File) -> io::Result<()> {
    Ok(())
}

/// Does nothing, as [`let_all_read`].
pub(in super::super) fn make_usual(_: &File) -> io::Result<()> {
    Ok(())
}

pub(super) fn make_folder(directory: &Handle, name: &OsStr) -> io::Result<()> {
    fs::create_dir(directory.join(name))
}

pub(super) fn rename((from, name): At<'_>, (to, new_name): At<'_>) -> io::Result<()> {
    fs::rename(from.join(name), to.join(new_name))
}

/// Renames in two steps: whoever else puts a file there in between, without the store's lock, loses it.
pub(super) fn rename_to_free(from: At<'_>, to: At<'_>) -> io::Result<()> {
    match status(to.0, to.1) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => rename(from, to),
    }
}

pub(super) fn link((from, name): At<'_>, (to, new_name): At<'_>) -> io::Result<()> {
    fs::hard_link(from.join(name), to.join(new_name))
}

pub(super) fn remove(directory: &Handle, name: &OsStr) -> io::Result<()> {
    fs::remove_file(directory.join(name))
}

pub(super) fn remove_folder(directory: &Handle, name: &OsStr) -> io::Result<()> {
    fs::remove_dir(directory.join(name))
}
