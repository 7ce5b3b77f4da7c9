//! Directories by their descriptors.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, PermissionsExt, fchown};
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, statat};

use super::kinds::{Access, Kind, Opening, Status};

pub(super) type Handle = File;

type At<'a> = (&'a Handle, &'a OsStr);

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

/// Opening a pipe would otherwise wait for its other end.
const PLAIN: OFlags = OFlags::NOFOLLOW.union(OFlags::NONBLOCK).union(OFlags::CLOEXEC);

pub(super) fn open(path: &Path) -> io::Result<Handle> {
    Ok(openat(CWD, path, FOLDER, Mode::empty())?.into())
}

pub(super) fn open_folder(directory: &Handle, name: &OsStr) -> io::Result<Handle> {
    Ok(openat(directory, name, FOLDER | OFlags::NOFOLLOW, Mode::empty())?.into())
}

pub(super) fn names(directory: &Handle) -> io::Result<Vec<OsString>> {
    // With a place of its own in the list: others read the same directory.
    let mut names = Vec::new();
    for entry in Dir::read_from(directory)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." {
            names.push(OsStr::from_bytes(name).to_owned());
        }
    }
    Ok(names)
}

pub(super) fn metadata(directory: &Handle) -> io::Result<Metadata> {
    directory.metadata()
}

pub(super) fn sync(directory: &Handle) -> io::Result<()> {
    directory.sync_all()
}

pub(super) fn status(directory: &Handle, name: &OsStr) -> io::Result<Status> {
    let found = statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)?;
    let kind = match FileType::from_raw_mode(found.st_mode) {
        FileType::RegularFile => Kind::File,
        FileType::Directory => Kind::Folder,
        FileType::Symlink => Kind::Link,
        _ => Kind::Special,
    };
    Ok(Status { kind, bytes: u64::try_from(found.st_size).unwrap_or_default() })
}

pub(super) fn is(directory: &Handle, name: &OsStr, file: &File) -> bool {
    match (fstat(file), statat(directory, name, AtFlags::SYMLINK_NOFOLLOW)) {
        (Ok(open), Ok(named)) => (open.st_dev, open.st_ino) == (named.st_dev, named.st_ino),
        _ => false,
    }
}

pub(super) fn open_file(directory: &Handle, name: &OsStr, opening: Opening) -> io::Result<File> {
    let (flags, access) = match opening {
        Opening::Read => (OFlags::RDONLY, None),
        Opening::Write => (OFlags::RDWR, None),
        Opening::Make(access) => (OFlags::RDWR | OFlags::CREATE, Some(access)),
        Opening::MakeNew(access) => (OFlags::RDWR | OFlags::CREATE | OFlags::EXCL, Some(access)),
    };
    let mode = match access {
        Some(Access::Usual) => 0o666,
        Some(Access::Writers) => writers(directory)?,
        Some(Access::Owner) | None => 0o600,
    };
    let file = File::from(openat(directory, name, flags | PLAIN, Mode::from_bits_truncate(mode as _))?);
    if access == Some(Access::Writers) {
        // Of what another user made, only that user can set it. Not every file system has permissions.
        let _ = hand_over(&file, directory, mode);
    }
    Ok(file)
}

/// Returns the permissions of a file that only those may open who may write to the directory.
fn writers(directory: &Handle) -> io::Result<u32> {
    let writing = directory.metadata()?.mode() & 0o022;
    // Reading is the bit beside writing.
    Ok(0o600 | writing | writing << 1)
}

/// Gives a file or folder these permissions, and the group of the directory that it is in, if they are others.
fn hand_over(file: &File, directory: &Handle, mode: u32) -> io::Result<()> {
    let (own, around) = (file.metadata()?, directory.metadata()?);
    if own.gid() != around.gid() && mode & 0o070 != 0 {
        fchown(file, None, Some(around.gid()))?;
    }
    if own.mode() & 0o1777 != mode {
        file.set_permissions(fs::Permissions::from_mode(mode | own.mode() & 0o2000))?;
    }
    Ok(())
}

/// Lets every user read a file, whatever this process lets them do with files that it makes.
pub(in super::super) fn let_all_read(file: &File) -> io::Result<()> {
    file.set_permissions(fs::Permissions::from_mode(0o644))
}

/// Gives a file the permissions that this process gives to new files.
pub(in super::super) fn make_usual(file: &File) -> io::Result<()> {
    file.set_permissions(fs::Permissions::from_mode(0o666 & !umask()))
}

/// Returns the permissions that this process takes from new files. Elsewhere than on Linux they can only be asked for
/// by changing them, which other threads would notice: there they are those that most systems begin with.
fn umask() -> u32 {
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let digits = status.lines().find_map(|line| line.strip_prefix("Umask:"));
    digits.and_then(|digits| u32::from_str_radix(digits.trim(), 8).ok()).unwrap_or(0o022)
}

pub(super) fn make_folder(directory: &Handle, name: &OsStr) -> io::Result<()> {
    rustix::fs::mkdirat(directory, name, Mode::from_bits_truncate(0o777))?;
    // All who may use the directory may use the folder, whatever this process lets others do with folders that it
    // makes. What cannot be set stays as it is.
    let set = |folder: Handle| hand_over(&folder, directory, directory.metadata()?.mode() & 0o1777);
    let _ = open_folder(directory, name).and_then(set);
    Ok(())
}

pub(super) fn rename((from, name): At<'_>, (to, new_name): At<'_>) -> io::Result<()> {
    Ok(rustix::fs::renameat(from, name, to, new_name)?)
}

#[cfg(target_os = "linux")]
pub(super) fn rename_to_free(from: At<'_>, to: At<'_>) -> io::Result<()> {
    match rustix::fs::renameat_with(from.0, from.1, to.0, to.1, rustix::fs::RenameFlags::NOREPLACE) {
        // Not every file system has this.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
            rename_if_free(from, to)
        }
        outcome => Ok(outcome?),
    }
}

#[cfg(not(target_os = "linux"))]
pub(super) fn rename_to_free(from: At<'_>, to: At<'_>) -> io::Result<()> {
    rename_if_free(from, to)
}

/// Renames in two steps: whoever else puts a file there in between, without the store's lock, loses it.
pub(super) fn rename_if_free(from: At<'_>, to: At<'_>) -> io::Result<()> {
    match status(to.0, to.1) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => rename(from, to),
    }
}

pub(super) fn link((from, name): At<'_>, (to, new_name): At<'_>) -> io::Result<()> {
    Ok(rustix::fs::linkat(from, name, to, new_name, AtFlags::empty())?)
}

pub(super) fn remove(directory: &Handle, name: &OsStr) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(directory, name, AtFlags::empty())?)
}

pub(super) fn remove_folder(directory: &Handle, name: &OsStr) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(directory, name, AtFlags::REMOVEDIR)?)
}
