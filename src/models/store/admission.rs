//! The way of a file into the directory, and the check of its content.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use super::digest::Digest;
use super::layout::Layout;
use super::part::Part;
use crate::error::{Error, ErrorKind, Result};
use crate::files::open_regular;
use crate::models::catalog::{Entry, KnownFile};
use crate::onnx::LONGEST_MODEL;

/// The content that a file has to have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Expected<'a> {
    /// Length, if it is known.
    pub bytes: Option<u64>,
    /// SHA-256 in hexadecimal digits, of either case.
    pub sha256: &'a str,
}

impl From<&Entry> for Expected<'static> {
    fn from(entry: &Entry) -> Self {
        Self { bytes: entry.bytes, sha256: entry.sha256 }
    }
}

impl From<&KnownFile> for Expected<'static> {
    fn from(file: &KnownFile) -> Self {
        Self { bytes: file.bytes, sha256: file.sha256 }
    }
}

/// The admission of files into a directory.
pub(super) struct Admission<'a>(pub(super) &'a Layout);

impl Admission<'_> {
    /// Copies the file `from` into the directory as `name`, if it is what is expected.
    pub(super) fn admit(&self, name: &str, expected: &Expected<'_>, from: &Path) -> Result<PathBuf> {
        let mut file = open_regular(from).map_err(|error| Error::io("open", from, error))?;
        self.admit_from(name, expected, &mut file)
    }

    /// Reads `source` to its end into the directory as `name`, if it is what is expected.
    pub(super) fn admit_from(&self, name: &str, expected: &Expected<'_>, source: &mut dyn Read) -> Result<PathBuf> {
        let path = self.0.path(name)?;
        if self.verify(name, expected).is_ok() {
            return Ok(path);
        }
        let mut part = Part::create(self.0, name)?;
        let digest = part.append(source, expected.bytes)?;
        self.check(name, expected, &digest)?;
        part.publish(self.0, name)
    }

    /// Checks that the file called `name` is what is expected.
    pub(super) fn verify(&self, name: &str, expected: &Expected<'_>) -> Result<()> {
        let path = self.0.existing(name)?;
        let mut file = open_regular(&path).map_err(|error| match error.kind() {
            // Another process may remove it in between.
            io::ErrorKind::NotFound => self.0.missing(name, "is not there"),
            _ => Error::io("open", &path, error),
        })?;
        let longest = expected.bytes.unwrap_or(LONGEST_MODEL);
        let digest = match file.metadata() {
            // A length tells it; whatever else is there may be more than could be read in a day.
            Ok(meta) if meta.len() > longest => Ok(Digest { bytes: meta.len(), sha256: String::new() }),
            Ok(_) => Digest::read(&mut file, Some(longest)),
            Err(error) => Err(error),
        };
        self.check(name, expected, &digest.map_err(|error| Error::io("read", &path, error))?)
    }

    /// Compares what was found with what is expected; the length first, because it tells more.
    pub(super) fn check(&self, name: &str, expected: &Expected<'_>, found: &Digest) -> Result<()> {
        let what = match expected.bytes {
            Some(bytes) if found.bytes > bytes => format!("it is longer than the expected {bytes} bytes"),
            Some(bytes) if found.bytes < bytes => format!("expected {bytes} bytes, found {}", found.bytes),
            None if found.bytes > LONGEST_MODEL => format!("it is longer than {LONGEST_MODEL} bytes, as no model is"),
            _ if expected.sha256.eq_ignore_ascii_case(&found.sha256) => return Ok(()),
            _ => format!("expected SHA-256 {}, found {}", expected.sha256, found.sha256),
        };
        let message = format!("wrong content for {}: {what}", self.0.dir().join(name).display());
        Err(Error::new(ErrorKind::ModelCorrupt, message).with_hint(self.0.how_to_mend(name, true)))
    }
}
