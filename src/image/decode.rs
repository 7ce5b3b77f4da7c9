//! Encoded files to pictures, under limits that hold before pixels are allocated.

mod content;
mod fault;
pub mod frames;
mod jpeg;
mod limits;
mod pixels;
mod room;
mod source;
mod tiff;

use std::io::{Cursor, ErrorKind as IoErrorKind, Read};
use std::path::Path;

use image::error::{ImageError, LimitErrorKind};
use image::{ImageDecoder, ImageFormat, ImageReader, Limits};

use self::fault::CONVERT;
pub use self::limits::check_size;
use self::limits::{TOO_LARGE, check_length};
use self::source::open_picture;
use super::Picture;
use crate::buffer;
use crate::error::{Error, ErrorKind, Hint, Result};
use crate::options::DecodeLimits;

/// Decodes JPEG, PNG, TIFF, BMP, GIF or WebP (the first page or frame), told apart by content.
///
/// Grey, palette, alpha, CMYK, 1-bit and 16-bit pictures become 8-bit RGB; an EXIF orientation is applied, so the
/// picture is as a viewer shows it.
///
/// # Errors
/// [`ErrorKind::Image`] when the content is of no known format, is damaged, or exceeds `limits`.
pub fn decode(bytes: &[u8], limits: &DecodeLimits) -> Result<Picture> {
    let format = format_of(bytes, limits)?;
    if format == ImageFormat::Tiff {
        return frames::decode_first(bytes, limits);
    }
    room::check(bytes, format, limits)?;
    let bytes = match format {
        ImageFormat::Jpeg => jpeg::completed(bytes, "JPEG", limits.max_pixels)?,
        _ => bytes.into(),
    };
    let mut reader = ImageReader::with_format(Cursor::new(bytes), format);
    reader.limits(codec_limits(limits));
    let mut decoder = reader.into_decoder().map_err(|error| damaged(format, error, limits))?;
    let (width, height) = decoder.dimensions();
    check_size(width, height, limits)?;
    // A tag that cannot be read is no reason to refuse the picture.
    let orientation = decoder.orientation().unwrap_or(image::metadata::Orientation::NoTransforms);
    pixels::oriented(pixels::read(decoder, |error| damaged(format, error, limits))?, orientation)
}

/// Reads a picture's file unless it is longer than `limits` allow.
///
/// # Errors
/// [`ErrorKind::Io`] when it cannot be read or is no regular file, [`ErrorKind::Image`] when it is too long.
pub fn read_file(path: &Path, limits: &DecodeLimits) -> Result<Vec<u8>> {
    let file = open_picture(path)?;
    let length = file.metadata().map_err(|error| Error::io("read", path, error))?.len();
    let check = |length| check_length(length, limits).map_err(|error| error.named(&path.display().to_string()));
    check(length)?;
    let mut bytes = Vec::new();
    // Measured while reading: the file may grow meanwhile.
    let read = file.take(limits.max_bytes.saturating_add(1)).read_to_end(&mut bytes);
    read.map_err(|error| Error::io("read", path, error))?;
    check(bytes.len() as u64)?;
    Ok(bytes)
}

fn format_of(bytes: &[u8], limits: &DecodeLimits) -> Result<ImageFormat> {
    check_length(bytes.len() as u64, limits)?;
    if bytes.is_empty() {
        return Err(Error::new(ErrorKind::Image, "the file is empty").with_hint("fetch or save the file again"));
    }
    content::format_of(bytes)
}

fn codec_limits(limits: &DecodeLimits) -> Limits {
    let mut codec = Limits::default();
    codec.max_image_width = Some(limits.max_side);
    codec.max_image_height = Some(limits.max_side);
    codec.max_alloc = Some(room::most_at_once(limits));
    codec
}

fn damaged(format: ImageFormat, error: ImageError, limits: &DecodeLimits) -> Error {
    let name = format.to_mime_type().trim_start_matches("image/").to_uppercase();
    if let ImageError::Limits(limit) = &error {
        let what = match limit.kind() {
            LimitErrorKind::DimensionError => format!("has a side longer than max_side={}", limits.max_side),
            _ if room::most_at_once(limits) < limits.max_pixels.saturating_mul(8) => {
                return Error::new(
                    ErrorKind::OutOfMemory,
                    format!("there is no memory for decoding the {name} picture"),
                )
                .with_hint(buffer::HINT);
            }
            _ => format!("needs more memory than max_pixels={} allows", limits.max_pixels),
        };
        return Error::new(ErrorKind::Image, format!("the {name} picture {what}")).with_hint(TOO_LARGE);
    }
    if matches!(&error, ImageError::IoError(error) if error.kind() == IoErrorKind::OutOfMemory) {
        return Error::new(ErrorKind::OutOfMemory, format!("there is no memory for the {name} file"))
            .with_hint(buffer::HINT);
    }
    let (what, hint): (_, Hint) = match error {
        ImageError::Unsupported(_) => ("is of an unsupported variety", CONVERT.into()),
        _ => ("is damaged", "fetch or save the file again".into()),
    };
    Error::new(ErrorKind::Image, format!("the {name} picture {what}")).with_source(error).with_hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_is_no_regular_file_is_refused_at_once() {
        use rustix::fs::{CWD, FileType, Mode, mknodat};

        let dir = tempfile::tempdir().expect("a folder");
        let (pipe, file, link) = (dir.path().join("pipe"), dir.path().join("file"), dir.path().join("link"));
        mknodat(CWD, &pipe, FileType::Fifo, Mode::RUSR | Mode::WUSR, 0).expect("a pipe");
        std::fs::write(&file, "content").expect("a file");
        std::os::unix::fs::symlink(&file, &link).expect("a link");
        let limits = DecodeLimits::default();
        for path in [&pipe, dir.path(), Path::new("/dev/null")] {
            let error = read_file(path, &limits).expect_err("refused");
            assert!(error.kind() == ErrorKind::Io && error.hint().is_some(), "{error}");
            assert!(error.to_string().contains("no regular file"), "{error}");
        }
        assert_eq!(read_file(&link, &limits).expect("it leads to a file"), b"content");
    }
}
