//! The limits on the size of pictures.

use crate::error::{Error, ErrorKind, Remedy, Result};
use crate::options::DecodeLimits;

/// Refuses sizes beyond `limits`.
///
/// # Errors
/// [`ErrorKind::Image`], naming the size, the limit and its option.
pub fn check_size(width: u32, height: u32, limits: &DecodeLimits) -> Result<()> {
    let pixels = u64::from(width) * u64::from(height);
    let over = if pixels > limits.max_pixels {
        format!("has {pixels} pixels, more than max_pixels={}", limits.max_pixels)
    } else if width.max(height) > limits.max_side {
        format!("has a side longer than max_side={}", limits.max_side)
    } else {
        return Ok(());
    };
    Err(Error::new(ErrorKind::Image, format!("the {width}x{height} picture {over}")).with_hint(TOO_LARGE))
}

/// The way around a limit. The command line has no options for them.
pub(super) const RAISE: Remedy = Remedy::InCode("raise the limit if you trust the source, or ");

/// The advice for too large pictures.
pub(super) const TOO_LARGE: [Remedy; 2] = [RAISE, Remedy::text("scale the picture down first")];

pub(super) fn check_length(length: u64, limits: &DecodeLimits) -> Result<()> {
    if length <= limits.max_bytes {
        return Ok(());
    }
    let message = format!("the file is longer than max_bytes={}", limits.max_bytes);
    Err(Error::new(ErrorKind::Image, message).with_hint("store the picture compressed, for example as PNG"))
}
