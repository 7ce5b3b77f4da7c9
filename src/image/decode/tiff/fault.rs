//! Errors about TIFF pictures.

use std::io;

use crate::buffer;
use crate::error::{Error, ErrorKind};
use crate::image::decode::fault::CONVERT;
use crate::image::decode::pixels;

pub(super) fn damaged(why: &str) -> Error {
    Error::new(ErrorKind::Image, format!("the TIFF picture is damaged: {why}"))
        .with_hint("fetch or save the file again")
}

/// Returns the error of reading a part of so many bytes, which may be a lack of memory.
pub(super) fn unread(why: &str, error: io::Error, bytes: u64) -> Error {
    if error.kind() == io::ErrorKind::OutOfMemory {
        return buffer::out_of_memory(bytes, pixels::WHAT);
    }
    damaged(why).with_source(error)
}

pub(super) fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Image, format!("the TIFF picture is of an unsupported variety: {what}")).with_hint(CONVERT)
}
