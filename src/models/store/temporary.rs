//! Names that nobody else uses, and files that appear under their own name when they are whole.

use std::ffi::OsStr;
use std::fs::File;
use std::path::PathBuf;
use std::process;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use super::directory::{Access, Directory, Location};
use super::disk;
use crate::error::{Error, Result};

/// A file that is not complete. Dropping it removes it.
pub(super) struct Temporary {
    at: Location,
    is_published: bool,
}

impl Temporary {
    /// Makes the file called `name` in the folder that it is to stay in, because a rename cannot cross file systems.
    pub(super) fn create(folder: &Directory, name: &str) -> Result<(Self, File)> {
        let at = folder.at(name);
        let file = disk::open_new(&at, Access::Usual).map_err(|error| Error::io("create", &at.path(), error))?;
        Ok((Self { at, is_published: false }, file))
    }

    /// Returns its path, for messages.
    pub(super) fn path(&self) -> PathBuf {
        self.at.path()
    }

    /// Gives it its own name in one step, and replaces what had that.
    pub(super) fn publish(mut self, name: &OsStr) -> Result<()> {
        disk::replace(&self.at, &self.at.directory().at(name))?;
        self.is_published = true;
        Ok(())
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if !self.is_published {
            // Nobody is left to tell.
            let _ = disk::remove_file(&self.at);
        }
    }
}

/// Returns a name no other call uses: the counter tells calls apart, the process id processes, and the time machines
/// that share the directory or a process id that is used again.
pub(super) fn unique(name: &str) -> String {
    static CALLS: AtomicU64 = AtomicU64::new(0);
    let call = CALLS.fetch_add(1, Ordering::Relaxed);
    let time = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    format!("{name}.{}.{time:x}.{call}", process::id())
}
