//! Files of an archive.

use super::manifest::ArchiveFile;
use crate::error::{Error, ErrorKind, Result};
use crate::models::catalog;

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archived {
    /// Its name, in the archive as in the directory.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its content in lower-case hexadecimal digits.
    pub sha256: String,
    /// Of an import: whether it was put in place, or would be. A file that is there with this content is left alone. Of
    /// an export: whether it was written.
    pub is_new: bool,
    /// Why an export left it out; the hash is empty where it could not be read.
    pub left_out: Option<String>,
}

impl Archived {
    pub(super) fn new(file: &ArchiveFile, is_new: bool) -> Self {
        let ArchiveFile { name, bytes, sha256 } = file.clone();
        Self { name, bytes, sha256, is_new, left_out: None }
    }
}

/// Refuses other content under the name of a known file. Case does not count: on some systems both are one file.
pub(super) fn check_known(file: &ArchiveFile) -> Result<()> {
    let mut files = catalog::entries().iter().flat_map(|entry| entry.files());
    match files.find(|known| known.name.eq_ignore_ascii_case(&file.name)) {
        Some(known) if !known.sha256.eq_ignore_ascii_case(&file.sha256) => {
            let what = if catalog::find(known.name).is_some() { "model" } else { "list of characters" };
            let message = format!(
                "{} is not the known {what} of that name: expected SHA-256 {}, found {}",
                file.name, known.sha256, file.sha256
            );
            Err(Error::new(ErrorKind::ModelCorrupt, message))
        }
        _ => Ok(()),
    }
}

/// Returns true if the content is that of a known model, of whatever name.
pub(super) fn is_known(file: &ArchiveFile) -> bool {
    catalog::entries().iter().any(|entry| entry.sha256 == file.sha256)
}
