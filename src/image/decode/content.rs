//! Telling formats apart by how files begin.

use image::ImageFormat;

use super::fault::CONVERT;
use crate::error::{Error, ErrorKind, Hint, Remedy, Result};

const READ: &str = "the content is no JPEG, PNG, TIFF, BMP, GIF or WebP";

/// Bytes in which a text says what it is.
const HEAD: usize = 1024;

/// Formats of pictures that are not read, by their first bytes.
const OTHERS: [(&[u8], &str); 23] = [
    (b"\0\0\0\x0cjP  \r\n\x87\n", "JPEG 2000"),
    (b"\xff\x4f\xff\x51", "JPEG 2000"),
    (b"\0\0\0\x0cJXL \r\n\x87\n", "JPEG XL"),
    (b"\xff\x0a", "JPEG XL"),
    (b"\0\0\x01\0", "ICO"),
    (b"\0\0\x02\0", "a cursor (CUR)"),
    (b"icns", "ICNS"),
    (b"8BPS", "PSD"),
    (b"gimp xcf", "XCF"),
    (b"AT&TFORM", "DjVu"),
    (b"\x97JB2\r\n\x1a\n", "JBIG2"),
    (b"qoif", "QOI"),
    (b"DDS ", "DDS"),
    (b"\x76\x2f\x31\x01", "OpenEXR"),
    (b"#?RADIANCE", "Radiance HDR"),
    (b"farbfeld", "farbfeld"),
    (b"\x0a\x05\x01", "PCX"),
    (b"/* XPM */", "XPM"),
    (b"\xd7\xcd\xc6\x9a", "WMF"),
    (b"FUJIFILMCCD-RAW", "a camera's raw picture"),
    (b"SIMPLE  =", "FITS"),
    (b"%!PS", "PostScript"),
    (b"\xc5\xd0\xd3\xc6", "PostScript"),
];

/// Files that are no pictures and are taken for some, by their first bytes.
const NO_PICTURES: [(&[u8], &str, &str); 6] = [
    (b"%PDF-", "a PDF", "recognize_document reads PDF files"),
    (b"PK\x03\x04", "a ZIP archive or an office document", "give the pictures in it, or the document as PDF"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "an office document", "give it as PDF"),
    (b"Rar!", "an archive", "give the pictures in it"),
    (b"\x1f\x8b", "compressed with gzip", "give what is in it"),
    (b"version https://git-lfs", "a pointer of Git LFS, not the picture itself", "run: git lfs pull"),
];

/// Brands of files that are boxes in boxes.
const BRANDS: [(&[&[u8; 4]], &str); 4] = [
    (&[b"avif", b"avis"], "AVIF"),
    (&[b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"mif1", b"msf1"], "HEIC"),
    (&[b"crx "], "a camera's raw picture"),
    (&[b"isom", b"iso2", b"mp41", b"mp42", b"avc1", b"qt  ", b"M4V "], "a film"),
];

/// Tells the format of a file that has bytes.
///
/// # Errors
/// [`ErrorKind::Image`] for all that is not read; the error names it if it is known.
pub(super) fn format_of(bytes: &[u8]) -> Result<ImageFormat> {
    // The form of TIFF with offsets of 64 bits is not known to the guess.
    if [&b"II*\0"[..], b"MM\0*", b"II+\0", b"MM\0+"].iter().any(|mark| bytes.starts_with(mark)) {
        return Ok(ImageFormat::Tiff);
    }
    let known = [ImageFormat::Jpeg, ImageFormat::Png, ImageFormat::Bmp, ImageFormat::Gif, ImageFormat::WebP];
    image::guess_format(bytes).ok().filter(|format| known.contains(format)).ok_or_else(|| unknown(bytes))
}

fn unknown(bytes: &[u8]) -> Error {
    if let Some((_, name, hint)) = NO_PICTURES.iter().find(|(mark, ..)| bytes.starts_with(mark)) {
        return refused(name, *hint);
    }
    match other_picture(bytes) {
        Some("HEIC") => {
            refused("HEIC", pillow(", or open it with Pillow with the pillow-heif plugin and pass the image"))
        }
        Some("JPEG XL") => {
            refused("JPEG XL", pillow(", or open it with Pillow with the pillow-jxl-plugin and pass the image"))
        }
        Some("a film") => refused("a film", "give pictures of it"),
        Some(name) => refused(name, CONVERT),
        None if is_text(bytes, &["<!doctype html", "<html"]) => {
            refused("an HTML page", "where it was fetched from, there may be a message instead of the picture")
        }
        None => Error::new(ErrorKind::Image, READ).with_hint("convert the file to one of these formats"),
    }
}

fn pillow(with_plugin: &'static str) -> [Remedy; 2] {
    ["convert it to PNG".into(), Remedy::InCode(with_plugin)]
}

fn refused(name: &str, hint: impl Into<Hint>) -> Error {
    Error::new(ErrorKind::Image, format!("{READ}, it is {name}")).with_hint(hint)
}

/// Returns the name of a format of pictures that is not read.
fn other_picture(bytes: &[u8]) -> Option<&'static str> {
    if let Some((_, name)) = OTHERS.iter().find(|(mark, _)| bytes.starts_with(mark)) {
        return Some(name);
    }
    if let [b'P', kind, space, ..] = bytes {
        let is_netpbm = matches!(kind, b'1'..=b'7' | b'F' | b'f') && space.is_ascii_whitespace();
        if is_netpbm {
            return Some(match kind {
                b'1' | b'4' => "PBM",
                b'2' | b'5' => "PGM",
                b'3' | b'6' => "PPM",
                b'7' => "PAM",
                _ => "PFM",
            });
        }
    }
    if bytes.get(4..8) == Some(b"ftyp") {
        let end = bytes.get(..4).map_or(0, |length| u32::from_be_bytes([length[0], length[1], length[2], length[3]]));
        let brands = &bytes[8..bytes.len().min(end as usize).clamp(8, HEAD)];
        let has = |brand: &&[u8; 4]| brands.chunks_exact(4).any(|found| found == *brand);
        return BRANDS.iter().find(|(known, _)| known.iter().any(has)).map(|(_, name)| *name);
    }
    is_text(bytes, &["<svg"]).then_some("SVG")
}

/// Returns true if a text begins with one of these, or an XML file has it near its beginning.
fn is_text(bytes: &[u8], marks: &[&str]) -> bool {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(HEAD)]).to_ascii_lowercase();
    let head = head.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    let is_xml = head.starts_with("<?xml") || head.starts_with("<!--");
    marks.iter().any(|mark| head.starts_with(mark) || is_xml && head.contains(mark))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_read_is_called_by_its_name_with_a_hint() {
        let cases: [(&[u8], &str, &str); 14] = [
            (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "HEIC", "pillow-heif"),
            (b"\0\0\0\x1cftypmif1\0\0\0\0avifmif1miaf", "AVIF", "Pillow"),
            (b"\0\0\0\x18ftypmif1\0\0\0\0mif1heic", "HEIC", "pillow-heif"),
            (b"\0\0\0\x18ftypisom\0\0\0\0isomiso2", "a film", "pictures"),
            (b"\0\0\0\x0cjP  \r\n\x87\n\0\0", "JPEG 2000", "Pillow"),
            (b"\xff\x0a\xfa\x1f", "JPEG XL", "pillow-jxl-plugin"),
            (b"P6\n3 2\n255\n", "PPM", "Pillow"),
            (b"P4 3 2\n", "PBM", "Pillow"),
            (b"\0\0\x01\0\x01\0\x10\x10", "ICO", "Pillow"),
            (b"8BPS\0\x01", "PSD", "Pillow"),
            (b"<?xml version='1.0'?>\n<svg xmlns=''>", "SVG", "PNG"),
            (b"\n<!DOCTYPE HTML><title>404</title>", "an HTML page", "message"),
            (b"%PDF-1.7", "a PDF", "recognize_document"),
            (b"PK\x03\x04\x14\0", "a ZIP archive", "PDF"),
        ];
        for (bytes, name, hint) in cases {
            let error = format_of(bytes).expect_err(name);
            assert!(error.to_string().contains(&format!("it is {name}")), "{error}");
            assert!(error.hint().is_some_and(|text| text.contains(hint)), "{error}");
            // It takes code.
            assert!(error.shell_hint().is_some_and(|text| !text.contains("Pillow")), "{error}");
        }
        for bytes in [&b"hello"[..], b"P6", b"Pages", b"\0\0\0\x08ftyp", b"\0\0\0\0ftypheic", b"<p>"] {
            let error = format_of(bytes).expect_err("unknown");
            assert!(error.hint().is_some() && !error.to_string().contains("it is"), "{error}");
        }
    }
}
