//! Strips and tiles of a TIFF file that are JPEG pictures.

use zune_core::bytestream::ZCursor;
use zune_core::options::DecoderOptions;
use zune_jpeg::JpegDecoder;

use super::directory::{Directory, Stored};
use super::fault::damaged;
use crate::buffer;
use crate::error::{Error, Result};
use crate::image::decode::jpeg::completed;
use crate::image::decode::pixels;

const TABLES: u64 = 347;

/// Most bytes of tables that strips have in common: four of each kind take less than 3000.
const MOST_TABLES: u64 = 1 << 16;

const START: [u8; 2] = [0xff, 0xd8];
const END: [u8; 2] = [0xff, 0xd9];

/// Tables that all strips have in common, without the marks around them.
pub(super) struct Tables(Vec<u8>);

/// Expanded pixels, with as many samples as the JPEG has.
pub(super) struct Expanded {
    pub(super) bytes: Vec<u8>,
    pub(super) width: usize,
    pub(super) samples: usize,
}

impl Tables {
    pub(super) fn of(stored: &mut dyn Stored, directory: &Directory) -> Result<Self> {
        let bytes = directory.numbers(stored, TABLES, MOST_TABLES).map_err(|_| damaged("it has no JPEG tables"))?;
        let bytes: Vec<u8> = bytes.into_iter().map(|byte| byte as u8).collect();
        let bytes = bytes.strip_prefix(&START).unwrap_or(&bytes);
        Ok(Self(bytes.strip_suffix(&END).unwrap_or(bytes).to_vec()))
    }

    /// Decodes a strip or tile, unless it has more than `most` pixels.
    pub(super) fn expand(&self, compressed: &[u8], most: u64) -> Result<Expanded> {
        let parts = [&START[..], &self.0, compressed.strip_prefix(&START).unwrap_or(compressed)];
        let mut file = buffer::empty(parts.iter().map(|part| part.len()).sum(), pixels::WHAT)?;
        parts.iter().for_each(|part| file.extend_from_slice(part));
        expand(&file, most)
    }
}

/// Decodes a JPEG file to the samples that it has, unless it has more than `most` pixels.
pub(super) fn expand(file: &[u8], most: u64) -> Result<Expanded> {
    let file = completed(file, "TIFF", most)?;
    let options = DecoderOptions::default().set_max_width(usize::MAX).set_max_height(usize::MAX);
    let failed = |error| -> Error { damaged("its JPEG data makes no sense").with_source(error) };
    let mut head = JpegDecoder::new_with_options(ZCursor::new(&*file), options);
    head.decode_headers().map_err(failed)?;
    let Some(((width, height), colours)) = head.dimensions().zip(head.input_colorspace()) else {
        return Err(damaged("its JPEG data has no size"));
    };
    if width as u64 * height as u64 > most {
        return Err(damaged(&format!("a strip or tile of it is a JPEG of {width}x{height} pixels")));
    }
    // As they are: which colours they are is what the TIFF file says.
    let options = options.jpeg_set_out_colorspace(colours);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(&*file), options);
    let bytes = decoder.decode().map_err(failed)?;
    let samples = bytes.len().checked_div(width * height).unwrap_or(0);
    Ok(Expanded { bytes, width, samples })
}
