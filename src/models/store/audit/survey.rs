//! A survey of the directory, by what can be told without opening its files.

use std::ffi::OsStr;
use std::fs::{self, Metadata};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::characters::Lists;
use super::super::layout::BOOKKEEPING;
use super::super::layout::Layout;
use super::super::names::{fault, is_model_name};
use super::key::Key;
use crate::error::Result;
use crate::models::LONGEST_LIST;
use crate::text::path_text;

/// Suffixes that programs give to what they have not finished.
const UNFINISHED: [&str; 6] = ["part", "tmp", "download", "crdownload", "incomplete", "partial"];

/// Something in the directory.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) name: String,
    pub(super) path: PathBuf,
    pub(super) kind: Kind,
    pub(super) bytes: Option<u64>,
    pub(super) modified: Option<SystemTime>,
    /// Of the file, or of that which a link leads to.
    pub(super) key: Option<Key>,
}

/// The kind of a thing in the directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Kind {
    /// A model by its name, which the store lists.
    Model,
    /// The list of characters of these models.
    Characters(Vec<String>),
    /// Unfinished by its name.
    Unfinished,
    /// A regular file with another name.
    Other,
    /// Nothing that the store would open, because of this.
    Foreign(String),
    /// Nothing could be told, because of this.
    Unreadable(String),
}

/// Returns everything in the directory but its bookkeeping, sorted by name.
pub(super) fn survey(layout: &Layout) -> Result<Vec<Found>> {
    let entries = match fs::read_dir(layout.dir()) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(|error| layout.unreadable(error))?,
    };
    let mut found = Vec::new();
    for entry in entries {
        let entry = entry.map_err(|error| layout.unreadable(error))?;
        if entry.file_name() != BOOKKEEPING || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(look(layout, &entry.path(), &entry.file_name()));
        }
    }
    found.sort_by(|one, other| (&one.name, &one.path).cmp(&(&other.name, &other.path)));
    pair_lists(&mut found);
    Ok(found)
}

/// Looks at one thing in the directory; none if it has gone meanwhile.
pub(super) fn look(layout: &Layout, path: &Path, name: &OsStr) -> Option<Found> {
    let (meta, kind) = match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
        Err(error) => (None, Kind::Unreadable(error.to_string())),
        Ok(meta) => {
            let kind = kind(layout, path, name, &meta);
            let is_opened = !matches!(kind, Kind::Foreign(_));
            (if is_opened { fs::metadata(path).ok() } else { Some(meta) }, kind)
        }
    };
    Some(Found {
        name: name.to_string_lossy().into_owned(),
        path: path.to_owned(),
        bytes: meta.as_ref().filter(|meta| meta.is_file()).map(Metadata::len),
        modified: meta.as_ref().and_then(|meta| meta.modified().ok()),
        key: meta.as_ref().and_then(Key::of),
        kind,
    })
}

fn kind(layout: &Layout, path: &Path, name: &OsStr, meta: &Metadata) -> Kind {
    let Some(name) = name.to_str() else { return Kind::Foreign("its name is not UTF-8".to_owned()) };
    if let Some(what) = irregular(layout, path, meta) {
        return Kind::Foreign(what);
    }
    let suffix = Path::new(name).extension().and_then(OsStr::to_str).unwrap_or_default();
    match fault(name) {
        Some(_) if name.starts_with('.') => Kind::Foreign("a hidden file".to_owned()),
        Some(fault) => Kind::Foreign(format!("no model can have its name: {fault}")),
        None if is_model_name(name) => Kind::Model,
        None if UNFINISHED.iter().any(|known| known.eq_ignore_ascii_case(suffix)) => Kind::Unfinished,
        None => Kind::Other,
    }
}

/// Describes a thing that is no regular file in the directory, and no link to one.
fn irregular(layout: &Layout, path: &Path, meta: &Metadata) -> Option<String> {
    if meta.is_symlink() {
        return astray(layout, path);
    }
    special(meta).or_else(|| meta.is_dir().then(|| "a folder".to_owned()))
}

/// Describes a thing that must not be opened: a pipe would not give control back.
pub(super) fn special(meta: &Metadata) -> Option<String> {
    let is_plain = meta.is_file() || meta.is_dir() || meta.is_symlink();
    (!is_plain).then(|| "a special file, such as a pipe, a socket or a device".to_owned())
}

/// Describes the target of a link, if that is no regular file in the directory.
fn astray(layout: &Layout, path: &Path) -> Option<String> {
    let to = fs::canonicalize(path).or_else(|_| fs::read_link(path)).unwrap_or_default();
    let to = path_text(&to);
    match fs::metadata(path) {
        Err(error) => Some(format!("a link that leads nowhere, to {to}: {error}")),
        Ok(_) if layout.leaves(path) => Some(format!("a link that leaves the directory's models, to {to}")),
        Ok(meta) if meta.is_dir() => Some(format!("a link to the folder {to}")),
        Ok(meta) => special(&meta).map(|what| format!("a link to {to}, {what}")),
    }
}

/// Finds the models' lists of characters among the other files.
fn pair_lists(found: &mut [Found]) {
    let models = found.iter().filter(|found| found.kind == Kind::Model);
    let lists = Lists::of(models.map(|model| model.name.as_str()));
    for other in found.iter_mut().filter(|found| found.kind == Kind::Other) {
        let models = lists.models_of(&other.name);
        if models.is_empty() {
            continue;
        }
        other.kind = match other.bytes {
            Some(bytes) if bytes > LONGEST_LIST => {
                let models = models.join(" and ");
                Kind::Foreign(format!("it has the name of the list of characters of {models}, and is longer than any"))
            }
            _ => Kind::Characters(models.to_vec()),
        };
    }
}

/// Lists a folder of the bookkeeping, sorted; nothing where there is none.
pub(super) fn children(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries?,
    };
    let mut paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<io::Result<Vec<_>>>()?;
    paths.sort_unstable();
    Ok(paths)
}
