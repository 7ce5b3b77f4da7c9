//! Reports of audits.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::SystemTime;

use super::state::State;
use crate::error::Hint;
use crate::models::catalog::Entry;
use crate::models::role::Role;
use crate::onnx::Summary;
use crate::text::path_text;

/// One thing that an audit found, or missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its name in the directory, or the name it had there before it was trashed; other characters than UTF-8 replaced.
    pub name: String,
    /// Its path, or the one that it would have.
    pub path: PathBuf,
    /// Its state.
    pub state: State,
    /// Its length.
    pub bytes: Option<u64>,
    /// When it was changed last; of what is in the trash, when it was removed.
    pub modified: Option<SystemTime>,
    /// SHA-256 of its content in lower-case hexadecimal digits, where it was read.
    pub sha256: Option<String>,
    /// The model's role, by its content.
    pub role: Option<Role>,
    /// The model's generation where its content is known, such as `PP-OCRv6`; else what its file says of itself.
    pub version: Option<String>,
    /// True if a process uses it now.
    pub in_use: bool,
    /// The processes that are known to use it.
    pub pids: Vec<u32>,
    /// True if it is on the keep-list.
    pub kept: bool,
    /// Why it is in this state.
    pub detail: String,
    /// The suggested action; none where there is nothing to do.
    pub action: Option<Hint>,
    /// The removal that took it to the trash.
    pub removal: Option<String>,
}

impl AuditEntry {
    pub(super) fn new(name: &str, path: PathBuf, state: State) -> Self {
        Self {
            name: name.to_owned(),
            path,
            state,
            bytes: None,
            modified: None,
            sha256: None,
            role: None,
            version: None,
            in_use: false,
            pids: Vec::new(),
            kept: false,
            detail: String::new(),
            action: None,
            removal: None,
        }
    }
}

/// The report of [`crate::models::store::Store::audit`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The directory.
    pub dir: PathBuf,
    /// The files that are in it and those that are missing, sorted by name; then the unfinished, then the trash.
    pub entries: Vec<AuditEntry>,
}

/// Options of [`crate::models::store::Store::audit`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditOptions {
    /// Files that have to be there, besides those on the keep-list.
    pub needed: Vec<String>,
    /// A file outside of the directory in which hashes are remembered by the file's size, times and inode. A model that
    /// has not changed since is not read again. One inside of the directory is not used.
    pub memory: Option<PathBuf>,
    /// True if everything is read, whatever is remembered. What is learned is remembered all the same.
    pub rehash: bool,
}

/// The facts about one model file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Its entry in an audit.
    pub entry: AuditEntry,
    /// The file's own description, if it is a readable model.
    pub summary: Option<Summary>,
    /// The known model that has its content; else the one that has its name.
    pub catalog: Option<&'static Entry>,
}

impl Audit {
    /// Returns true if there is nothing that somebody should look at.
    pub fn is_clean(&self) -> bool {
        self.findings().next().is_none()
    }

    /// Returns the entries that somebody should look at, in the order of [`Audit::entries`].
    pub fn findings(&self) -> impl Iterator<Item = &AuditEntry> {
        self.entries.iter().filter(|entry| entry.state.is_finding())
    }

    /// Returns a line `STATE: path` for each entry. What could break a line or hide in it is escaped, as [`path_text`]
    /// does.
    pub fn text(&self) -> String {
        self.entries.iter().fold(String::new(), |mut text, entry| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}: {}", entry.state, path_text(&entry.path));
            text
        })
    }
}
