//! Pictures: decoded pixels, and what the stages make of them.

pub mod decode;
pub mod tensor;
pub mod warp;

use std::ops::Range;

use crate::buffer;
use crate::error::{Error, ErrorKind, Result};

/// The name of its pixels in messages.
const WHAT: &str = "the picture";

/// An RGB picture with 8 bits a channel, rows from top to bottom without gaps.
#[derive(Debug, Clone, PartialEq)]
pub struct Picture {
    width: u32,
    height: u32,
    pixels: Vec<u8>,
}

impl Picture {
    /// Returns a picture from `pixels` of `width` x `height` x 3 bytes.
    ///
    /// # Errors
    /// [`ErrorKind::Image`] when a side is zero or the length does not fit.
    pub fn from_rgb(width: u32, height: u32, pixels: Vec<u8>) -> Result<Self> {
        let expected = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(3);
        if expected == 0 || pixels.len() as u64 != expected {
            let message = format!("{} bytes are no {width}x{height} RGB picture, which has {expected}", pixels.len());
            return Err(Error::new(ErrorKind::Image, message));
        }
        Ok(Self { width, height, pixels })
    }

    /// Returns a picture from interleaved pixels with `channels` of 1 (grey), 2 (grey, alpha), 3 (RGB) or 4 (RGB,
    /// alpha). Transparent pixels are laid over white, or over black where what is opaque is bright.
    ///
    /// # Errors
    /// [`ErrorKind::Image`] for other channel counts, or when the length does not fit.
    pub fn from_interleaved(width: u32, height: u32, channels: u32, data: &[u8]) -> Result<Self> {
        let expected = u64::from(width).saturating_mul(u64::from(height)).saturating_mul(channels.into());
        if data.len() as u64 != expected {
            let message = format!("{} bytes are no {width}x{height}x{channels} picture ({expected})", data.len());
            return Err(Error::new(ErrorKind::Image, message));
        }
        let pixels = match channels {
            1 => buffer::collected(3 * data.len(), data.iter().flat_map(|&v| [v; 3]), WHAT)?,
            2 => flatten(data.chunks_exact(2).map(|p| [p[0], p[0], p[0], p[1]]))?,
            3 => buffer::copied(data, WHAT)?,
            4 => flatten(data.chunks_exact(4).map(|p| [p[0], p[1], p[2], p[3]]))?,
            _ => {
                let message = format!("a picture has 1 to 4 channels, not {channels}");
                return Err(Error::new(ErrorKind::Image, message));
            }
        };
        Self::from_rgb(width, height, pixels)
    }

    /// Returns a copy of some of its columns and rows.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`] when there are none, or they are not all in the picture.
    pub fn part(&self, columns: Range<u32>, rows: Range<u32>) -> Result<Self> {
        if columns.is_empty() || rows.is_empty() || columns.end > self.width || rows.end > self.height {
            let message = format!("no columns {columns:?} and rows {rows:?} in {}x{} pixels", self.width, self.height);
            return Err(Error::new(ErrorKind::Internal, message));
        }
        let kept = 3 * columns.start as usize..3 * columns.end as usize;
        let all = self.pixels.chunks_exact(3 * self.width as usize);
        let mut pixels = buffer::empty(kept.len() * rows.len(), WHAT)?;
        for row in all.skip(rows.start as usize).take(rows.len()) {
            pixels.extend_from_slice(&row[kept.clone()]);
        }
        Self::from_rgb(columns.end - columns.start, rows.end - rows.start, pixels)
    }

    /// Returns the width in pixels, at least 1.
    pub fn width(&self) -> u32 {
        self.width
    }

    /// Returns the height in pixels, at least 1.
    pub fn height(&self) -> u32 {
        self.height
    }

    /// Returns the bytes, `width * height * 3` of them.
    pub fn pixels(&self) -> &[u8] {
        &self.pixels
    }
}

/// Lays RGBA pixels over the background that the opaque part stands out from.
fn flatten(rgba: impl ExactSizeIterator<Item = [u8; 4]> + Clone) -> Result<Vec<u8>> {
    let (mut weight, mut light) = (0u64, 0u64);
    for [r, g, b, a] in rgba.clone() {
        // Rec. 601 luma in 1/256.
        light += (u64::from(r) * 77 + u64::from(g) * 150 + u64::from(b) * 29) * u64::from(a);
        weight += u64::from(a);
    }
    // A fully opaque picture comes out unchanged on either background.
    let background: u32 = if light > weight * 128 * 256 { 0 } else { 255 };
    let blend = |value: u8, alpha: u8| {
        let (value, alpha) = (u32::from(value), u32::from(alpha));
        ((value * alpha + background * (255 - alpha) + 127) / 255) as u8
    };
    let count = 3 * rgba.len();
    buffer::collected(count, rgba.flat_map(|[r, g, b, a]| [blend(r, a), blend(g, a), blend(b, a)]), WHAT)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_become_rgb() {
        struct Case {
            name: &'static str,
            channels: u32,
            data: &'static [u8],
            rgb: [u8; 3],
        }
        let cases = [
            Case { name: "grey", channels: 1, data: &[7], rgb: [7, 7, 7] },
            Case { name: "opaque grey", channels: 2, data: &[7, 255], rgb: [7, 7, 7] },
            Case { name: "rgb", channels: 3, data: &[1, 2, 3], rgb: [1, 2, 3] },
            Case { name: "dark on nothing lies on white", channels: 4, data: &[0, 0, 0, 0], rgb: [255; 3] },
            Case { name: "half dark", channels: 4, data: &[0, 0, 0, 128], rgb: [127; 3] },
            Case { name: "half bright lies on black", channels: 4, data: &[255, 255, 255, 128], rgb: [128; 3] },
        ];
        for case in cases {
            let picture = Picture::from_interleaved(1, 1, case.channels, case.data).expect(case.name);
            assert_eq!(picture.pixels(), case.rgb, "{}", case.name);
        }
    }

    #[test]
    fn wrong_lengths_are_refused() {
        for (width, height, channels, length) in [(2, 2, 3, 11), (0, 4, 1, 0), (1, 1, 5, 5), (u32::MAX, u32::MAX, 4, 1)]
        {
            let error = Picture::from_interleaved(width, height, channels, &vec![0; length]).expect_err("refused");
            assert_eq!(error.kind(), ErrorKind::Image);
        }
    }
}
