//! Opening a picture's file.

use std::fs::File;
use std::io::ErrorKind as IoErrorKind;
use std::path::Path;

use crate::error::{Error, ErrorKind, Result};
use crate::files::open_regular;

pub(super) fn open_picture(path: &Path) -> Result<File> {
    let failed = |error| Error::io("read", path, error);
    // A pipe is refused: nobody could end the wait for who writes to it.
    open_regular(path).map_err(|error| match error.kind() {
        IoErrorKind::NotFound => {
            Error::new(ErrorKind::ImageNotFound, format!("there is no picture file {}", path.display()))
        }
        IoErrorKind::InvalidInput => failed(error).with_hint("give a file, or the bytes that were read from elsewhere"),
        _ => failed(error),
    })
}
