//! Following links one by one.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// The most links that are followed from one to the next; systems follow no more.
const MOST_LINKS: usize = 40;

/// Goes from `path` over the links that it leads to, and gives each of these places, the first included, as a real
/// folder and a name in it.
pub(super) fn follow(path: &Path) -> impl Iterator<Item = (PathBuf, OsString)> + use<> {
    let mut next = Some(path.to_owned());
    let places = std::iter::from_fn(move || {
        let path = next.take()?;
        let name = path.file_name()?.to_owned();
        // The folders on the way may be links too.
        let folder = fs::canonicalize(path.parent()?).ok()?;
        next = fs::read_link(&path).ok().map(|to| folder.join(to));
        Some((folder, name))
    });
    places.take(MOST_LINKS + 1)
}
