//! What is in the directory, and in which state: read from the files themselves, without changing any of them.

use std::fmt;
use std::path::PathBuf;
use std::time::SystemTime;

use crate::models::Role;

/// The state of something in the directory. There are no others.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum State {
    /// The content is a known model's.
    Current,
    /// The name begins with `old_`, or a newer model that can do the same is there too.
    Old,
    /// A model by its structure; nothing says what its content should be.
    Unverified,
    /// The content is not that of the known model of this name, or no readable model.
    Corrupt,
    /// Unfinished.
    Partial,
    /// No model.
    Foreign,
    /// It cannot be read.
    Unreadable,
    /// On the keep-list or needed by chosen models, and not there.
    Missing,
    /// Removed, and can be restored.
    Trashed,
}

impl State {
    /// All states, in the order in which a report explains them.
    pub const ALL: [Self; 9] = [
        Self::Current,
        Self::Old,
        Self::Unverified,
        Self::Corrupt,
        Self::Partial,
        Self::Foreign,
        Self::Unreadable,
        Self::Missing,
        Self::Trashed,
    ];

    /// The name in reports, in capitals.
    pub fn name(self) -> &'static str {
        match self {
            Self::Current => "CURRENT",
            Self::Old => "OLD",
            Self::Unverified => "UNVERIFIED",
            Self::Corrupt => "CORRUPT",
            Self::Partial => "PARTIAL",
            Self::Foreign => "FOREIGN",
            Self::Unreadable => "UNREADABLE",
            Self::Missing => "MISSING",
            Self::Trashed => "TRASHED",
        }
    }

    /// Whether somebody should look at it.
    pub fn is_finding(self) -> bool {
        !matches!(self, Self::Current | Self::Trashed)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// One thing that an audit found, or missed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditEntry {
    /// Its name in the directory, or the name it had there before it was trashed; other characters than UTF-8 replaced.
    pub name: String,
    /// Where it lies, or would lie.
    pub path: PathBuf,
    /// Its state.
    pub state: State,
    /// Its length.
    pub bytes: Option<u64>,
    /// When it was changed last; of what is in the trash, when it was removed.
    pub modified: Option<SystemTime>,
    /// SHA-256 of its content in lower-case hexadecimal digits, where it was read.
    pub sha256: Option<String>,
    /// What the model does, by its content.
    pub role: Option<Role>,
    /// The model's generation where its content is known, such as `PP-OCRv6`; else what its file says of itself.
    pub version: Option<String>,
    /// Whether a process uses it now.
    pub in_use: bool,
    /// The processes that are known to use it.
    pub pids: Vec<u32>,
    /// Whether it is on the keep-list.
    pub kept: bool,
    /// Why it is in this state.
    pub detail: String,
    /// What to do about it; empty where there is nothing to do.
    pub action: String,
    /// The removal that took it to the trash.
    pub removal: Option<String>,
}

/// What [`Store::audit`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// The directory.
    pub dir: PathBuf,
    /// What is in it and what is missing, sorted by name; then the unfinished, then the trash.
    pub entries: Vec<AuditEntry>,
}

/// How [`Store::audit`] goes about it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AuditOptions {
    /// Files that have to be there, besides those on the keep-list.
    pub needed: Vec<String>,
    /// A file outside of the directory in which hashes are remembered by the file's size, times and inode. A model that
    /// has not changed since is not read again.
    pub memory: Option<PathBuf>,
}
