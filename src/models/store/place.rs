//! The place of a model directory.

use std::env;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// Environment variable that names the model directory.
pub(in crate::models) const DIR_VARIABLE: &str = "FERROCR_MODEL_DIR";

/// Returns the directory for a caller who chose none: `FERROCR_MODEL_DIR`, else `ferrocr/models` in the user's data.
///
/// # Errors
/// [`ErrorKind::Io`] when the platform knows no data directory for this user.
pub(super) fn default_dir() -> Result<PathBuf> {
    let named = env::var_os(DIR_VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
    named.or_else(|| Some(dirs::data_dir()?.join("ferrocr").join("models"))).ok_or_else(|| {
        Error::new(ErrorKind::Io, "cannot choose a model directory: this user has no data directory")
            .with_hint(format!("set {DIR_VARIABLE} to the directory that shall hold the models"))
    })
}

/// Returns the folder of this user's files that a program can make anew; `None` for a user without a home.
#[cfg(feature = "python")]
pub(crate) fn cache_dir() -> Option<PathBuf> {
    dirs::cache_dir()
}

/// Makes `dir` absolute, so that a later change of the working directory does not move it.
///
/// # Errors
/// [`ErrorKind::InvalidArgument`] when `dir` is empty or no system could have it.
pub(super) fn absolute(dir: &Path) -> Result<PathBuf> {
    if dir.as_os_str().is_empty() {
        return Err(Error::new(ErrorKind::InvalidArgument, "the model directory's path is empty"));
    }
    if dir.as_os_str().as_encoded_bytes().contains(&0) {
        let message = format!("the model directory's path {dir:?} has a NUL");
        return Err(Error::new(ErrorKind::InvalidArgument, message));
    }
    std::path::absolute(dir).map_err(|error| Error::io("make absolute the path", dir, error))
}
