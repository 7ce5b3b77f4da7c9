//! Room for what decoders make besides the picture, and would end the process for where there is none.

use image::ImageFormat;

use crate::buffer;
use crate::error::Result;
use crate::options::DecodeLimits;

/// Less than this is not asked for: it is there, or nothing is.
const LITTLE: u64 = 1 << 20;

/// Returns the bytes that a decoder may take at once, where it asks: the limit, or a part of it that there is room for.
pub(super) fn most_at_once(limits: &DecodeLimits) -> u64 {
    // 16-bit RGBA is the largest pixel that a codec here produces.
    let mut most = limits.max_pixels.saturating_mul(8);
    while most > LITTLE && !buffer::has_room(most) {
        most = most / 4 * 3;
    }
    most
}

/// Refuses a picture whose decoder makes copies of the whole without asking.
///
/// # Errors
/// [`crate::ErrorKind::OutOfMemory`].
pub(super) fn check(bytes: &[u8], format: ImageFormat, limits: &DecodeLimits) -> Result<()> {
    let of_pixel = match format {
        // The frame, its planes and its transparency; then the picture.
        ImageFormat::WebP => webp_size(bytes).map(|pixels| (pixels, 4 + 4)),
        ImageFormat::Jpeg => jpeg_size(bytes),
        _ => None,
    };
    match of_pixel {
        // Larger pictures are refused as such.
        Some((pixels, each)) if pixels <= limits.max_pixels && pixels * each > LITTLE => {
            buffer::check_room(pixels * each, "decoding the picture")
        }
        _ => Ok(()),
    }
}

/// Returns the pixels of a WebP picture, as its first chunk says.
fn webp_size(bytes: &[u8]) -> Option<u64> {
    let side = |at: usize, bytes_of: usize| {
        let mut value = [0; 4];
        value[..bytes_of].copy_from_slice(bytes.get(at..at + bytes_of)?);
        Some(u64::from(u32::from_le_bytes(value)))
    };
    match bytes.get(12..16)? {
        b"VP8X" => Some((side(24, 3)? + 1) * (side(27, 3)? + 1)),
        b"VP8L" => {
            let packed = side(21, 4)?;
            Some(((packed & 0x3fff) + 1) * ((packed >> 14 & 0x3fff) + 1))
        }
        b"VP8 " => Some((side(26, 2)? & 0x3fff) * (side(28, 2)? & 0x3fff)),
        _ => None,
    }
}

/// Returns the pixels of a JPEG picture, and bytes that each takes. One that comes in several scans is kept as
/// coefficients of 16 bits until the last one.
fn jpeg_size(bytes: &[u8]) -> Option<(u64, u64)> {
    const PICTURE: u64 = 3;
    let mut frame = None;
    let mut at = 2;
    loop {
        let (&mark, &kind) = (bytes.get(at)?, bytes.get(at + 1)?);
        if mark != 0xff {
            return None;
        }
        let segment = bytes.get(at + 4..)?;
        let number = |at: usize| Some(u64::from(u16::from_be_bytes([*segment.get(at)?, *segment.get(at + 1)?])));
        match kind {
            0xff => {
                at += 1;
                continue;
            }
            0xc0..=0xcf if !matches!(kind, 0xc4 | 0xc8 | 0xcc) => {
                let components = usize::from(*segment.get(5)?);
                let values = values_of_pixel(segment.get(6..6 + 3 * components)?);
                frame = Some((number(1)? * number(3)?, components, values, kind & 3 == 2));
            }
            0xda => {
                let (pixels, components, values, is_progressive) = frame?;
                let in_scans = is_progressive || usize::from(*segment.first()?) < components;
                return Some((pixels, PICTURE + if in_scans { 2 * values } else { 0 }));
            }
            _ => {}
        }
        at += 2 + usize::from(u16::from_be_bytes([*bytes.get(at + 2)?, *bytes.get(at + 3)?]));
    }
}

/// Values that a pixel has in a JPEG file, rounded up: some components may have fewer than the picture has pixels. Each
/// is described by three bytes, the second of which says how many it has across and down.
fn values_of_pixel(components: &[u8]) -> u64 {
    let factors = components.iter().skip(1).step_by(3).map(|&byte| (u64::from(byte >> 4), u64::from(byte & 15)));
    let across = factors.clone().map(|(across, _)| across).max().unwrap_or(0);
    let down = factors.clone().map(|(_, down)| down).max().unwrap_or(0);
    factors.map(|(across, down)| across * down).sum::<u64>().div_ceil((across * down).max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The beginning of a file; of its components the first one has more values.
    fn jpeg(frame: u8, in_scan: u8, more: u8) -> Vec<u8> {
        let mut bytes = vec![0xff, 0xd8, 0xff, 0xe0, 0, 4, 1, 2, 0xff, 0xff, frame, 0, 17, 8, 0, 200, 1, 0, 3];
        bytes.extend([1, more, 0, 2, 0x11, 0, 3, 0x11, 0]);
        bytes.extend([0xff, 0xda, 0, 12, in_scan]);
        bytes
    }

    #[test]
    fn a_jpeg_in_scans_takes_more_than_one_in_one_piece() {
        assert_eq!(jpeg_size(&jpeg(0xc0, 3, 0x11)), Some((200 * 256, 3)));
        assert_eq!(jpeg_size(&jpeg(0xc0, 1, 0x11)), Some((200 * 256, 9)));
        assert_eq!(jpeg_size(&jpeg(0xc2, 3, 0x11)), Some((200 * 256, 9)));
        assert_eq!(jpeg_size(&jpeg(0xc2, 3, 0x22)), Some((200 * 256, 7)), "one and a half values a pixel");
        assert_eq!(jpeg_size(&jpeg(0xc2, 3, 0)), Some((200 * 256, 7)), "what is no number of values counts for none");
        for cut in 0..jpeg(0xc0, 3, 0x11).len() {
            assert_eq!(jpeg_size(&jpeg(0xc0, 3, 0x11)[..cut]), None);
        }
        assert_eq!(jpeg_size(&[0; 64]), None);
    }

    #[test]
    fn webp_of_every_kind_tells_its_size() {
        let file = |kind: &[u8; 4], rest: &[u8]| [b"RIFF\0\0\0\0WEBP", &kind[..], &[0; 4], rest].concat();
        let wide = [0, 0, 0, 0, 9, 0, 0, 1, 1, 0];
        assert_eq!(webp_size(&file(b"VP8X", &wide)), Some(10 * 258));
        let packed = (9u32 | 257 << 14).to_le_bytes();
        assert_eq!(webp_size(&file(b"VP8L", &[&[0x2f], &packed[..]].concat())), Some(10 * 258));
        assert_eq!(webp_size(&file(b"VP8 ", &[0, 0, 0, 0x9d, 1, 0x2a, 10, 0, 2, 1])), Some(10 * 258));
        assert_eq!(webp_size(&file(b"VP8X", &[])), None);
        assert_eq!(webp_size(b"RIFF"), None);
    }
}
