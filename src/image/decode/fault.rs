//! Errors that decoders share.

use crate::error::{Error, ErrorKind, Remedy};

/// The advice for pictures that are not read.
pub(super) const CONVERT: [Remedy; 2] =
    [Remedy::text("convert it to PNG"), Remedy::InCode(", or open it with Pillow and pass the image")];

/// Returns a picture of which the file has the first rows alone.
pub(super) fn cut_off(name: &str, rows: u64, height: u64) -> Error {
    let message = format!("the {name} picture is damaged: it is cut off after {rows} of its {height} rows");
    Error::new(ErrorKind::Image, message).with_hint("fetch or save the file again: the end of it is missing")
}
