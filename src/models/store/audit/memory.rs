//! The memory of earlier audits about files that have not changed since.
//!
//! A text file with a line for each file: what tells its content from any other, then the hash and what the bytes are.
//! Nothing depends on it: a line that is damaged or of another version of the program is left out, and the file read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::super::disk;
use super::super::temporary::{Temporary, unique};
use super::content::Content;
use super::key::Key;
use super::structure::Structure;
use crate::error::{Error, Result};
use crate::files::open_regular;
use crate::models::Role;

/// The first line. What bytes are is for the program to say, so another version asks them again.
const HEADER: &str = concat!("ferrocr models seen, 2, ", env!("CARGO_PKG_VERSION"));

/// Lines that are written: some hundred directories of the size that one engine needs, in 3 MB at most.
const MOST: usize = 10_000;

/// Bytes that are read: several times what is ever written.
const MOST_BYTES: u64 = 16 << 20;

#[derive(Debug, Clone, PartialEq, Eq)]
struct Line {
    key: Key,
    sha256: String,
    structure: Option<Structure>,
}

/// The remembered files.
#[derive(Debug, Default)]
pub(super) struct Memory {
    path: Option<PathBuf>,
    /// One for each device and inode.
    lines: BTreeMap<(u64, u64), Line>,
    /// Those that were asked for or learned now.
    seen: BTreeSet<(u64, u64)>,
    has_news: bool,
}

impl Memory {
    /// Loads the memory from the file at `path`; it is empty where that is not there or is something else.
    pub(super) fn load(path: Option<&Path>) -> Self {
        let mut bytes = Vec::new();
        if let Some(Ok(file)) = path.map(open_regular) {
            // Lines that were read before a failure are as good as they were.
            let _ = file.take(MOST_BYTES).read_to_end(&mut bytes);
        }
        let lines = parse(&String::from_utf8_lossy(&bytes));
        Self { path: path.map(Path::to_owned), lines, ..Self::default() }
    }

    /// Returns the content of the file with this key.
    pub(super) fn recall(&mut self, key: &Key) -> Option<Content> {
        let line = self.lines.get(&key.file).filter(|line| line.key == *key)?;
        self.seen.insert(key.file);
        Some(Content {
            bytes: key.bytes,
            sha256: line.sha256.clone(),
            structure: line.structure.clone(),
            is_changing: false,
            key: Some(*key),
        })
    }

    /// Remembers what a file holds that was read after `now`, if a later change of it cannot go unseen.
    pub(super) fn learn(&mut self, content: &Content, now: SystemTime) {
        let Some(key) = content.key.filter(|key| self.path.is_some() && key.is_settled(now)) else { return };
        let line = Line { key, sha256: content.sha256.clone(), structure: content.structure.clone() };
        self.seen.insert(key.file);
        if self.lines.get(&key.file) != Some(&line) {
            self.lines.insert(key.file, line);
            self.has_news = true;
        }
    }

    /// Writes the file, if there is something new. It is only a help: where it cannot be written, nothing happens.
    pub(super) fn save(&mut self) {
        if let Some(path) = self.path.take().filter(|_| self.has_news) {
            self.shrink();
            let text = self.text();
            let _ = write(&path, &text);
        }
    }

    /// Leaves out what was not seen now, and then others, until the rest fits.
    fn shrink(&mut self) {
        let mut surplus = self.lines.len().saturating_sub(MOST);
        for is_kept in [true, false] {
            let seen = &self.seen;
            self.lines.retain(|file, _| {
                let goes = surplus > 0 && !(is_kept && seen.contains(file));
                surplus -= usize::from(goes);
                !goes
            });
        }
    }

    fn text(&self) -> String {
        self.lines.values().fold(format!("{HEADER}\n"), |mut text, line| {
            let line = line.text();
            // Writing to a string cannot fail.
            let _ = writeln!(text, "{}\t{line}", check(&line));
            text
        })
    }
}

/// Writes the file, which appears under its name when it is whole; another process may do the same, and the later one
/// stays.
fn write(path: &Path, text: &str) -> Result<()> {
    let Some((folder, name)) = path.parent().zip(path.file_name()) else { return Ok(()) };
    let folder = disk::make_directory(folder)?;
    let (temporary, mut file) = Temporary::create(&folder, &unique(&name.to_string_lossy()))?;
    disk::write(&mut file, text.as_bytes()).map_err(|error| Error::io("write", &temporary.path(), error))?;
    temporary.publish(name)
}

fn parse(text: &str) -> BTreeMap<(u64, u64), Line> {
    let mut lines = text.lines();
    if lines.next() != Some(HEADER) {
        return BTreeMap::new();
    }
    let whole = lines.filter_map(|line| line.split_once('\t').filter(|(sum, line)| check(line) == *sum));
    whole.filter_map(|(_, line)| Line::parse(line)).map(|line| (line.key.file, line)).collect()
}

/// Tells a damaged line from a whole one: FNV-1a, which needs no more than a line.
fn check(line: &str) -> String {
    let sum = line
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |sum, byte| (sum ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{sum:016x}")
}

impl Line {
    fn text(&self) -> String {
        let Key { file, bytes, written, changed } = self.key;
        let (kind, role, words) = match &self.structure {
            None => ("known", None, ""),
            Some(Structure::Ort) => ("ort", None, ""),
            Some(Structure::Onnx { role, version }) => ("onnx", *role, version.as_deref().unwrap_or_default()),
            Some(Structure::Neither(why)) => ("neither", None, why.as_str()),
        };
        format!(
            "{}\t{}\t{bytes}\t{}\t{}\t{}\t{}\t{}\t{kind}\t{}\t{words}",
            file.0,
            file.1,
            written.0,
            written.1,
            changed.0,
            changed.1,
            self.sha256,
            role.map_or_else(String::new, |role| role.to_string())
        )
    }

    fn parse(text: &str) -> Option<Self> {
        let fields: Vec<_> = text.split('\t').collect();
        let &[dev, inode, bytes, written, written_rest, changed, changed_rest, sha256, kind, role, words] =
            fields.as_slice()
        else {
            return None;
        };
        let time = |seconds: &str, rest: &str| Some((seconds.parse().ok()?, rest.parse().ok()?));
        let key = Key {
            file: (dev.parse().ok()?, inode.parse().ok()?),
            bytes: bytes.parse().ok()?,
            written: time(written, written_rest)?,
            changed: time(changed, changed_rest)?,
        };
        let structure = match kind {
            "known" => None,
            "ort" => Some(Structure::Ort),
            "onnx" => Some(Structure::Onnx {
                role: Role::named(role),
                version: Some(words.to_owned()).filter(|words| !words.is_empty()),
            }),
            "neither" => Some(Structure::Neither(words.to_owned())),
            _ => return None,
        };
        Some(Self { key, sha256: sha256.to_owned(), structure })
    }
}

#[cfg(test)]
mod tests;
