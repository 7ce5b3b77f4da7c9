//! The keep-list: what must not be removed, and has to be there.
//!
//! It is a text file in the store's bookkeeping with an entry a line, which an operator may also write by hand. An
//! entry is a file name, or a pattern in which `*` stands for any characters and `?` for one.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Read};

use glob::Pattern;

use super::directory::Opening;
use super::disk;
use super::layout::KEEP;
use super::layout::Layout;
use super::lock::DirectoryLock;
use super::names::fault;
use super::part::Part;
use crate::error::{Action, Error, ErrorKind, Hint, Result};

/// Begins a line that is no entry.
const COMMENT: char = '#';

/// The longest keep-list: tens of thousands of names as long as any file system takes them.
const MOST: u64 = 16 << 20;

/// Names and patterns of files.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct KeepList {
    entries: BTreeSet<String>,
}

impl KeepList {
    /// Returns a list of these entries.
    ///
    /// # Errors
    /// [`ErrorKind::InvalidArgument`] for an entry that no file name can match.
    pub fn new<S: AsRef<str>>(entries: &[S]) -> Result<Self> {
        let checked = |entry: &S| match fault(entry.as_ref()) {
            None if entry.as_ref().trim() != entry.as_ref() => {
                Err(unfit(entry.as_ref(), "it begins or ends with a space"))
            }
            None if entry.as_ref().starts_with(COMMENT) => Err(unfit(entry.as_ref(), "it looks like a comment")),
            None => Ok(entry.as_ref().to_owned()),
            Some(fault) => Err(unfit(entry.as_ref(), fault)),
        };
        Ok(Self { entries: entries.iter().map(checked).collect::<Result<_>>()? })
    }

    /// Returns the sorted entries.
    pub fn entries(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(String::as_str)
    }

    /// Returns true if an entry names or matches `name`.
    pub fn holds(&self, name: &str) -> bool {
        self.holder(name).is_some()
    }

    /// Returns an entry that names `name`, else one that matches it.
    pub(super) fn holder(&self, name: &str) -> Option<&str> {
        let matching = || self.entries.iter().find(|entry| is_match(entry, name));
        self.entries.get(name).or_else(matching).map(String::as_str)
    }

    /// Entries that match none of `names`.
    pub fn unmatched(&self, names: &[String]) -> Vec<String> {
        let is_idle = |entry: &&String| !names.iter().any(|name| *name == ***entry || is_match(entry, name));
        self.entries.iter().filter(is_idle).cloned().collect()
    }

    /// Refuses a list with an entry that matches none of `names`: it is likely mistyped, and what it was to protect is
    /// not.
    ///
    /// `hint` says what to do about the first of them.
    pub(super) fn check(&self, names: &[String], hint: impl FnOnce(&str) -> Hint) -> Result<()> {
        let idle = self.unmatched(names);
        let Some(first) = idle.first() else { return Ok(()) };
        let entries: Vec<_> = idle.iter().map(|entry| format!("{entry:?}")).collect();
        let message = match entries.as_slice() {
            [entry] => format!("the keep entry {entry} matches no model in the directory"),
            _ => format!("the keep entries {} match no model in the directory", entries.join(", ")),
        };
        Err(Error::new(ErrorKind::InvalidArgument, message).with_hint(hint(first)))
    }

    fn parse(text: &str) -> Self {
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with(COMMENT));
        Self { entries: lines.map(str::to_owned).collect() }
    }

    fn text(&self) -> String {
        let lines: String = self.entries.iter().map(|entry| format!("{entry}\n")).collect();
        format!("{COMMENT} Models that ferrocr does not remove: a file name or a pattern a line.\n{lines}")
    }
}

fn read(file: File) -> io::Result<String> {
    let mut text = String::new();
    match file.take(MOST + 1).read_to_string(&mut text)? as u64 > MOST {
        true => Err(io::Error::new(io::ErrorKind::InvalidData, format!("it is longer than {MOST} bytes"))),
        false => Ok(text),
    }
}

fn unfit(entry: &str, fault: &str) -> Error {
    Error::new(ErrorKind::InvalidArgument, format!("{entry:?} cannot be kept: {fault}"))
        .with_hint("an entry is a file name in the directory, or a pattern with * and ?")
}

/// Returns true if the entry is a pattern that matches `name`. Only `*` and `?` are special: brackets occur in file
/// names.
fn is_match(entry: &str, name: &str) -> bool {
    let escaped = entry.chars().fold(String::new(), |mut escaped, letter| {
        match letter {
            '[' => escaped.push_str("[[]"),
            ']' => escaped.push_str("[]]"),
            // The pattern's own `**` stands for folders, which a name has none of, and `***` is an error there.
            '*' if escaped.ends_with('*') => {}
            _ => escaped.push(letter),
        }
        escaped
    });
    entry.contains(['*', '?']) && Pattern::new(&escaped).is_ok_and(|pattern| pattern.matches(name))
}

/// The file with the keep-list of a directory.
pub(super) struct KeepFile<'a>(pub(super) &'a Layout);

impl KeepFile<'_> {
    /// Returns the keep-list of this directory; empty where there is none.
    pub(super) fn keep_list(&self) -> Result<KeepList> {
        let Some(bookkeeping) = self.0.open_bookkeeping()? else { return Ok(KeepList::default()) };
        match bookkeeping.at(KEEP).open(Opening::Read).and_then(read) {
            Ok(text) => Ok(KeepList::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(KeepList::default()),
            Err(error) => Err(disk::failed("read the keep-list", &self.0.keep_file(), error)),
        }
    }

    /// Adds entries to the keep-list.
    pub(super) fn keep(&self, entries: &[String]) -> Result<KeepList> {
        self.change_keep(entries, &[])
    }

    /// Takes entries off the keep-list.
    pub(super) fn unkeep(&self, entries: &[String]) -> Result<KeepList> {
        self.change_keep(&[], entries)
    }

    /// Adds some entries to the keep-list and takes others off it, all or none.
    pub(super) fn change_keep(&self, add: &[String], remove: &[String]) -> Result<KeepList> {
        let added = KeepList::new(add)?;
        if !add.is_empty() {
            added.check(&self.0.list()?, |_| self.0.how_to_list())?;
        }
        // First only a look: a mistyped entry makes no directory.
        let planned = self.changed_keep_list(&added, remove)?;
        if add.is_empty() && remove.is_empty() {
            return Ok(planned);
        }
        let mut part = Part::create(self.0, "keep")?;
        let _hold = DirectoryLock(self.0).hold_alone()?;
        let list = self.changed_keep_list(&added, remove)?;
        part.append(&mut list.text().as_bytes(), None)?;
        let bookkeeping = self.0.make_bookkeeping()?;
        part.put_in_place(&bookkeeping.at(KEEP))?;
        disk::sync_folder(&bookkeeping)?;
        Ok(list)
    }

    fn changed_keep_list(&self, added: &KeepList, remove: &[String]) -> Result<KeepList> {
        let mut list = self.keep_list()?;
        list.entries.extend(added.entries.iter().cloned());
        if let Some(unknown) = remove.iter().find(|entry| !list.entries.contains(*entry)) {
            let message = format!("{unknown:?} is not on the keep-list of {}", self.0.dir().display());
            return Err(Error::new(ErrorKind::InvalidArgument, message)
                .with_hint([self.0.remedy(Action::Keep), " shows the list".into()]));
        }
        list.entries.retain(|entry| !remove.contains(entry));
        Ok(list)
    }
}

#[cfg(test)]
mod tests;
