//! Errors about TIFF pictures.

use crate::error::{Error, ErrorKind};
use crate::image::decode::fault::CONVERT;

pub(super) fn damaged(why: &str) -> Error {
    Error::new(ErrorKind::Image, format!("the TIFF picture is damaged: {why}"))
        .with_hint("fetch or save the file again")
}

pub(super) fn unsupported(what: &str) -> Error {
    Error::new(ErrorKind::Image, format!("the TIFF picture is of an unsupported variety: {what}")).with_hint(CONVERT)
}
