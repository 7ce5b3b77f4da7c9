//! What is in the directory, and in which state: read from the files themselves, without changing any of them.

use std::fmt::{self, Write as _};
use std::path::{MAIN_SEPARATOR, Path, PathBuf};
use std::time::SystemTime;

use super::Store;
use crate::error::Result;
use crate::models::Role;
use crate::models::catalog::{self, Entry};
use crate::onnx::Summary;

mod bookkeeping;
mod content;
mod examine;
mod judge;
mod memory;
mod structure;
mod survey;
mod work;

pub use examine::Examination;
pub(super) use examine::{Needed, damage};
pub(super) use judge::PUT_ASIDE;
pub(super) use memory::Key;
use work::Auditor;

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
    /// has not changed since is not read again. One inside of the directory is not used.
    pub memory: Option<PathBuf>,
    /// Whether everything is read, whatever is remembered. What is learned is remembered all the same.
    pub rehash: bool,
}

/// What is known of one model file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// What an audit says of it.
    pub entry: AuditEntry,
    /// What the file says of itself, if it is a readable model.
    pub summary: Option<Summary>,
    /// The known model that has its content; else the one that has its name.
    pub catalog: Option<&'static Entry>,
}

impl Audit {
    /// Whether there is nothing that somebody should look at.
    pub fn is_clean(&self) -> bool {
        self.findings().next().is_none()
    }

    /// What somebody should look at, in the order of [`Audit::entries`].
    pub fn findings(&self) -> impl Iterator<Item = &AuditEntry> {
        self.entries.iter().filter(|entry| entry.state.is_finding())
    }

    /// A line `STATE: path` for each entry. What could break a line or hide in it is escaped, as [`path_text`] does.
    pub fn text(&self) -> String {
        self.entries.iter().fold(String::new(), |mut text, entry| {
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}: {}", entry.state, path_text(&entry.path));
            text
        })
    }
}

impl Store {
    /// Looks at everything in the directory and says in which state it is. Nothing in the directory is changed.
    ///
    /// What cannot be read is reported as such and ends nothing. The content of models is read by all processors at
    /// once, unless it is remembered. A directory that is not there has nothing but missing files.
    ///
    /// # Errors
    /// [`crate::ErrorKind::Io`] when the directory is there but cannot be listed.
    pub fn audit(&self, options: &AuditOptions) -> Result<Audit> {
        Auditor::new(self, options, catalog::entries(), SystemTime::now()).audit()
    }

    /// Looks at the model file called `name`. Nothing in the directory is changed.
    ///
    /// Other models are read only where a newer one among them could make this one old.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelNotFound`] when there is no such model file, and what [`Store::existing`] says.
    pub fn inspect(&self, name: &str, options: &AuditOptions) -> Result<Inspection> {
        Auditor::new(self, options, catalog::entries(), SystemTime::now()).inspect(name)
    }
}

/// A path as a report prints it: in one line, and with nothing in it that a terminal would obey.
///
/// Escapes have the form of Python's `repr`, so that a path can be had back from them. A byte that is no UTF-8 is
/// `\udc` and its two hexadecimal digits.
pub fn path_text(path: &Path) -> String {
    let mut text = String::new();
    for chunk in path.as_os_str().as_encoded_bytes().utf8_chunks() {
        chunk.valid().chars().for_each(|letter| push_letter(&mut text, letter));
        chunk.invalid().iter().for_each(|byte| text.push_str(&format!("\\udc{byte:02x}")));
    }
    text
}

fn push_letter(text: &mut String, letter: char) {
    match (letter, u32::from(letter)) {
        // The escapes begin with it. Where it separates folders, it is in no name.
        ('\\', _) if MAIN_SEPARATOR != '\\' => text.push_str("\\\\"),
        ('\n' | '\r' | '\t', _) => text.extend(letter.escape_default()),
        (_, code @ ..=0xff) if is_unsafe(letter) => text.push_str(&format!("\\x{code:02x}")),
        (_, code) if is_unsafe(letter) => text.push_str(&format!("\\u{code:04x}")),
        _ => text.push(letter),
    }
}

/// Whether a terminal or a reader of lines may take it for something else than a letter.
pub(super) fn is_unsafe(letter: char) -> bool {
    // Beside control characters: what cannot be seen, what ends a line, and what turns the direction of writing.
    letter.is_control()
        || matches!(letter, '\u{ad}' | '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}')
        || matches!(letter, '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests;
