//! Every change that the store makes on the disk.
//!
//! They stand in one place so that a test can end the process before each of them and look at what is left. A process
//! that is killed between two of these leaves a directory that the next command understands.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};

/// Makes a folder and those above it.
pub(super) fn create_folders(path: &Path) -> Result<()> {
    step();
    fs::create_dir_all(path).map_err(|error| failed("create the directory", path, error))
}

/// Makes a folder that is not there yet.
pub(super) fn create_folder(path: &Path) -> Result<()> {
    step();
    fs::create_dir(path).map_err(|error| Error::io("create the directory", path, error))
}

/// Opens a file for writing; with `is_new` it must not be there yet. A link is not followed: what it leads to is none of
/// the store's files.
pub(super) fn open(path: &Path, is_new: bool) -> io::Result<File> {
    step();
    let mut options = OpenOptions::new();
    // Reading too: an unfinished download is hashed before it goes on.
    options.read(true).write(true).truncate(false);
    if is_new {
        options.create_new(true)
    } else {
        options.create(true)
    };
    open_plain(&mut options, path)
}

/// Opens a file of the bookkeeping that is there. A link is not followed.
///
/// Where that is allowed also for writing, although nothing is written: some network file systems lock no other file
/// for one alone.
pub(super) fn open_there(path: &Path) -> io::Result<File> {
    match open_plain(OpenOptions::new().read(true).write(true), path) {
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            open_plain(OpenOptions::new().read(true), path)
        }
        outcome => outcome,
    }
}

/// Opens a regular file and nothing else, without waiting.
fn open_plain(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        use std::os::unix::fs::OpenOptionsExt;
        // Opening a pipe would otherwise wait for its other end.
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    let irregular = |what| io::Error::new(io::ErrorKind::InvalidInput, what);
    let is_link = || fs::symlink_metadata(path).is_ok_and(|meta| meta.is_symlink());
    match options.open(path) {
        Ok(file) if file.metadata()?.is_file() => Ok(file),
        Ok(_) => Err(irregular("it is no regular file")),
        Err(_) if is_link() => Err(irregular("it is a link")),
        outcome => outcome,
    }
}

/// Lets every user read a file, whatever this process lets them do with files that it makes.
pub(super) fn let_all_read(file: &File) {
    step();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // Not every file system has permissions. Who cannot read the file then says so.
        let _ = file.set_permissions(fs::Permissions::from_mode(0o644));
    }
}

/// What failed at `path`, with advice where the reason is that something of another kind is in its place or above it.
pub(super) fn failed(verb: &str, path: &Path, error: io::Error) -> Error {
    let kind = error.kind();
    let failed = Error::io(verb, path, error);
    let is_in_the_way = |path: &&Path| fs::metadata(path).is_ok_and(|meta| !meta.is_dir());
    let is_irregular = || fs::symlink_metadata(path).is_ok_and(|meta| !meta.is_file());
    match kind {
        io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists => match path.ancestors().find(is_in_the_way) {
            Some(file) => failed.with_hint(format!(
                "{} is a file: name a directory for the models, or move that file away",
                file.display()
            )),
            None => failed,
        },
        io::ErrorKind::InvalidInput | io::ErrorKind::IsADirectory if is_irregular() => {
            failed.with_hint("ferrocr did not put it there: remove it")
        }
        _ => failed,
    }
}

/// Writes all of `bytes`.
pub(super) fn write(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    step();
    file.write_all(bytes)
}

/// Cuts a file off after `bytes`.
pub(super) fn cut(file: &File, bytes: u64) -> io::Result<()> {
    step();
    file.set_len(bytes)
}

/// Waits until a file's bytes are safe.
pub(super) fn sync(file: &File, path: &Path) -> Result<()> {
    step();
    file.sync_all().map_err(|error| Error::io("write", path, error))
}

/// Gives a file another name in one step, and replaces what had it.
pub(super) fn replace(from: &Path, to: &Path) -> Result<()> {
    step();
    fs::rename(from, to).map_err(|error| Error::io("put in place", to, error))
}

/// Moves a file to a name that nothing has.
pub(super) fn move_to_free(from: &Path, to: &Path) -> Result<()> {
    step();
    rename_to_free(from, to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::InvalidArgument, format!("{} is there already", to.display()))
        }
        _ => Error::io("move to", to, error),
    })
}

/// Gives a file a second name, which nothing has.
pub(super) fn link(from: &Path, to: &Path) -> io::Result<()> {
    step();
    fs::hard_link(from, to)
}

/// Removes a file for good.
pub(super) fn remove_file(path: &Path) -> Result<()> {
    step();
    fs::remove_file(path).map_err(|error| Error::io("remove", path, error))
}

/// Removes an empty folder; one that is not empty or not there stays as it is.
pub(super) fn remove_if_empty(path: &Path) {
    step();
    // Somebody may have put something there meanwhile, which is just what this must not lose.
    let _ = fs::remove_dir(path);
}

/// Removes a folder with all that is in it.
pub(super) fn remove_folder(path: &Path) -> Result<()> {
    step();
    fs::remove_dir_all(path).map_err(|error| Error::io("remove", path, error))
}

/// Makes names as durable as the bytes behind them. Only Unix can, and needs it.
pub(super) fn sync_folder(path: &Path) -> Result<()> {
    step();
    if cfg!(unix) {
        File::open(path).and_then(|dir| dir.sync_all()).map_err(|error| Error::io("write the directory", path, error))
    } else {
        Ok(())
    }
}

#[cfg(target_os = "linux")]
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    use rustix::fs::{CWD, RenameFlags, renameat_with};
    match renameat_with(CWD, from, CWD, to, RenameFlags::NOREPLACE) {
        // Not every file system has this.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS | rustix::io::Errno::OPNOTSUPP) => {
            rename_if_free(from, to)
        }
        outcome => Ok(outcome?),
    }
}

#[cfg(not(target_os = "linux"))]
fn rename_to_free(from: &Path, to: &Path) -> io::Result<()> {
    rename_if_free(from, to)
}

/// Two steps: whoever else puts a file there in between, without the store's lock, loses it.
fn rename_if_free(from: &Path, to: &Path) -> io::Result<()> {
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

/// Bytes that this user may still write where `path` lies, where the system tells.
#[cfg(unix)]
pub(in crate::models) fn free_bytes(path: &Path) -> Option<u64> {
    let volume = path.ancestors().find_map(|path| rustix::fs::statvfs(path).ok())?;
    volume.f_bavail.checked_mul(volume.f_frsize)
}

/// Not asked for elsewhere: a full disk is then noticed while writing.
#[cfg(not(unix))]
pub(in crate::models) fn free_bytes(_: &Path) -> Option<u64> {
    None
}

#[cfg(not(test))]
fn step() {}

#[cfg(test)]
pub(super) use steps::step;

/// Ends this process before a change of the disk, as if it had been killed there: nothing is unwound or dropped.
#[cfg(test)]
pub(in crate::models) mod steps {
    use std::process;
    use std::sync::atomic::{AtomicU64, Ordering};

    /// Exit code of a process that ended at its step.
    pub(in crate::models) const ENDED: i32 = 86;

    static LEFT: AtomicU64 = AtomicU64::new(u64::MAX);

    /// Lets this process make `steps` more changes.
    pub(in crate::models) fn end_after(steps: u64) {
        LEFT.store(steps, Ordering::SeqCst);
    }

    pub(in crate::models::store) fn step() {
        let left = LEFT.load(Ordering::SeqCst);
        if left == 0 {
            process::exit(ENDED);
        }
        if left != u64::MAX {
            LEFT.store(left - 1, Ordering::SeqCst);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_replaces_nothing() {
        let dir = tempfile::tempdir().unwrap();
        let (from, to) = (dir.path().join("a"), dir.path().join("b"));
        for rename in [move_to_free, |from: &Path, to: &Path| {
            rename_if_free(from, to).map_err(|error| Error::io("move to", to, error))
        }] {
            fs::write(&from, "a").unwrap();
            fs::write(&to, "b").unwrap();
            rename(&from, &to).unwrap_err();
            assert_eq!((fs::read(&from).unwrap(), fs::read(&to).unwrap()), (b"a".to_vec(), b"b".to_vec()));
            fs::remove_file(&to).unwrap();
            rename(&from, &to).unwrap();
            assert_eq!(fs::read(&to).unwrap(), b"a");
        }
    }

    #[test]
    #[cfg(unix)]
    fn only_regular_files_are_opened_and_no_link_is_followed() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        use std::os::unix::fs::symlink;

        let dir = tempfile::tempdir().unwrap();
        let [pipe, link, dangling, folder, target] =
            ["pipe", "link", "dangling", "folder", "target"].map(|name| dir.path().join(name));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        fs::create_dir(&folder).unwrap();
        symlink(&target, &dangling).unwrap();
        fs::write(dir.path().join("file"), "").unwrap();
        symlink("file", &link).unwrap();
        for path in [&pipe, &link, &dangling, &folder] {
            for error in [open(path, false).unwrap_err(), open_there(path).unwrap_err()] {
                let error = failed("open", path, error);
                assert!(error.hint().is_some_and(|hint| hint.contains("remove it")), "{path:?}: {error}");
            }
        }
        assert!(!target.exists(), "nothing is made where a link leads");
        open_there(&dir.path().join("file")).unwrap();
    }

    #[test]
    fn a_file_in_a_directory_s_place_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("a"), file.join("a/b")] {
            let error = create_folders(&path).unwrap_err();
            let named = format!("{} is a file", file.display());
            assert!(error.hint().is_some_and(|hint| hint.starts_with(&named)), "{error}");
        }
    }

    #[test]
    #[cfg(unix)]
    fn free_space_is_told_also_for_a_folder_that_is_not_there_yet() {
        let dir = tempfile::tempdir().unwrap();
        assert!(free_bytes(&dir.path().join("not/there")).is_some_and(|bytes| bytes > 0));
    }
}
