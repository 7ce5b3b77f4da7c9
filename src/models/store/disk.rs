//! Every change that the store makes on the disk.
//!
//! They stand in one place so that a test can end the process before each of them and look at what is left. A process
//! that is killed between two of these leaves a directory that the next command understands.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use super::directory::{self, Access, Directory, Location, Opening};
use crate::error::{Error, ErrorKind, Result};

/// Makes a directory and those above it, over whatever links, and opens it.
pub(super) fn make_directory(path: &Path) -> Result<Directory> {
    step();
    let made = fs::create_dir_all(path);
    made.and_then(|()| Directory::open(path)).map_err(|error| failed("create the directory", path, error))
}

/// Opens a folder, which is made if it is not there. A link is not followed.
pub(super) fn make_folder(at: &Location) -> Result<Directory> {
    let open = || at.directory().folder(at.name());
    let opened = match open() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            step();
            match at.make_folder() {
                // Another process may have been faster.
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(error),
                _ => open(),
            }
        }
        opened => opened,
    };
    opened.map_err(|error| failed("create the directory", &at.path(), error))
}

/// Makes a folder that is not there yet.
pub(super) fn make_new_folder(at: &Location) -> io::Result<Directory> {
    step();
    at.make_folder()?;
    at.directory().folder(at.name())
}

/// Opens a file for writing, which is made if it is not there. A link is not followed: what it leads to is none of the
/// store's files.
pub(super) fn open(at: &Location, access: Access) -> io::Result<File> {
    step();
    at.open(Opening::Make(access))
}

/// Makes a file that is not there yet.
pub(super) fn open_new(at: &Location, access: Access) -> io::Result<File> {
    step();
    at.open(Opening::MakeNew(access))
}

/// Opens a file of the bookkeeping that is there. A link is not followed.
///
/// If that is allowed also for writing, although nothing is written: some network file systems lock no other file
/// for one alone.
pub(super) fn open_there(at: &Location) -> io::Result<File> {
    match at.open(Opening::Write) {
        Err(error) if matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem) => {
            at.open(Opening::Read)
        }
        outcome => outcome,
    }
}

/// Lets every user read a file, whatever this process lets them do with files that it makes.
pub(super) fn let_all_read(file: &File) {
    step();
    // Not every file system has permissions. Who cannot read the file then says so.
    let _ = directory::let_all_read(file);
}

/// Gives a file that only its maker could open the permissions that new files have.
pub(super) fn make_usual(file: &File) {
    step();
    // As above.
    let _ = directory::make_usual(file);
}

/// Makes the error of a failure at `path`, with advice where the reason is that something of another kind is in its
/// place or above it.
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
            failed.with_hint(format!("ferrocr did not put {} there: remove it", path.display()))
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
pub(super) fn replace(from: &Location, to: &Location) -> Result<()> {
    step();
    from.rename(to).map_err(|error| Error::io("put in place", &to.path(), error))
}

/// Moves a file to a name that nothing has.
pub(super) fn move_to_free(from: &Location, to: &Location) -> Result<()> {
    step();
    from.rename_to_free(to).map_err(|error| match error.kind() {
        io::ErrorKind::AlreadyExists => {
            Error::new(ErrorKind::InvalidArgument, format!("{} is there already", to.path().display()))
        }
        _ => Error::io("move to", &to.path(), error),
    })
}

/// Gives a file a second name, which nothing has.
pub(super) fn link(from: &Location, to: &Location) -> io::Result<()> {
    step();
    from.link(to)
}

/// Removes a file for good.
pub(super) fn remove_file(at: &Location) -> Result<()> {
    step();
    at.remove().map_err(|error| Error::io("remove", &at.path(), error))
}

/// Removes an empty folder; one that is not empty or not there stays as it is.
pub(super) fn remove_if_empty(at: &Location) {
    step();
    // Somebody may have put something there meanwhile, which is just what this must not lose.
    let _ = at.remove_folder();
}

/// Removes a folder with all that is in it.
pub(super) fn remove_folder(at: &Location) -> Result<()> {
    step();
    at.remove_all().map_err(|error| Error::io("remove", &at.path(), error))
}

/// Makes names as durable as the bytes behind them.
pub(super) fn sync_folder(folder: &Directory) -> Result<()> {
    step();
    folder.sync().map_err(|error| Error::io("write the directory", folder.path(), error))
}

/// Returns the bytes that this user may still write where `path` lies, where the system tells.
#[cfg(unix)]
pub(in crate::models) fn free_bytes(path: &Path) -> Option<u64> {
    let volume = path.ancestors().find_map(|path| rustix::fs::statvfs(path).ok())?;
    volume.f_bavail.checked_mul(volume.f_frsize)
}

/// Returns none: elsewhere it is not asked for, and a full disk is then noticed while writing.
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

    fn write(at: &Location, text: &str) {
        fs::write(at.path(), text).unwrap();
    }

    #[test]
    fn a_move_replaces_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let folder = Directory::open(folder.path()).unwrap();
        let (from, to) = (folder.at("a"), folder.at("b"));
        write(&from, "a");
        write(&to, "b");
        move_to_free(&from, &to).unwrap_err();
        assert_eq!((fs::read(from.path()).unwrap(), fs::read(to.path()).unwrap()), (b"a".to_vec(), b"b".to_vec()));
        fs::remove_file(to.path()).unwrap();
        move_to_free(&from, &to).unwrap();
        assert_eq!(fs::read(to.path()).unwrap(), b"a");
    }

    #[test]
    #[cfg(unix)]
    fn only_regular_files_are_opened_and_no_link_is_followed() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};
        use std::os::unix::fs::symlink;

        let dir = tempfile::tempdir().unwrap();
        let folder = Directory::open(dir.path()).unwrap();
        let [pipe, link, dangling, inner, target] =
            ["pipe", "link", "dangling", "folder", "target"].map(|name| folder.at(name));
        mknodat(CWD, pipe.path(), FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).unwrap();
        fs::create_dir(inner.path()).unwrap();
        symlink(target.path(), dangling.path()).unwrap();
        write(&folder.at("file"), "");
        symlink("file", link.path()).unwrap();
        for at in [&pipe, &link, &dangling, &inner] {
            for error in [open(at, Access::Usual).unwrap_err(), open_there(at).unwrap_err()] {
                let error = failed("open", &at.path(), error);
                let hint = format!("{} there: remove it", at.path().display());
                assert!(error.hint().is_some_and(|found| found.ends_with(&hint)), "{error}");
            }
        }
        assert!(!target.path().exists(), "nothing is made where a link leads");
        open_there(&folder.at("file")).unwrap();
    }

    #[test]
    fn a_file_in_a_directory_s_place_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        fs::write(&file, "").unwrap();
        for path in [file.clone(), file.join("a"), file.join("a/b")] {
            let error = make_directory(&path).unwrap_err();
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
