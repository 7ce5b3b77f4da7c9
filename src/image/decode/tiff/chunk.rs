//! The strips and tiles of a TIFF file as rows of samples.

use std::io::{Read, SeekFrom};

use super::colour::Colour;
use super::compression::{Compression, deflate, lzw, pack_bits};
use super::directory::Stored;
use super::fault::{damaged, unread, unsupported};
use super::jpeg;
use super::layout::{Format, Layout};
use super::old_jpeg::OldJpeg;
use crate::buffer;
use crate::error::Result;
use crate::image::decode::pixels;

/// The bytes by which compressed data may be longer than what it holds: headers of small tiles.
const HEADERS: u64 = 1 << 20;

/// Rows of samples of a strip or tile.
pub(super) struct Chunk {
    bytes: Vec<u8>,
    row_bytes: usize,
    /// Of samples of several bytes, whatever the file says.
    pub(super) is_big_endian: bool,
}

impl Chunk {
    /// Returns a row, if there are as many.
    pub(super) fn row(&self, index: u32) -> Option<&[u8]> {
        let start = self.row_bytes.checked_mul(index as usize)?;
        self.bytes.get(start..start.checked_add(self.row_bytes)?)
    }

    /// Returns the number of rows that are there.
    pub(super) fn rows(&self) -> u32 {
        self.bytes.len().checked_div(self.row_bytes).unwrap_or(0) as u32
    }
}

/// Reads the strips and tiles of one picture.
pub(super) struct Chunks<'a> {
    stored: &'a mut dyn Stored,
    layout: &'a Layout,
    /// Bytes that may still be read: a file may say of all its strips that they are the same million bytes.
    left: u64,
}

impl<'a> Chunks<'a> {
    pub(super) fn of(stored: &'a mut dyn Stored, layout: &'a Layout) -> Result<Self> {
        let length = stored.seek(SeekFrom::End(0)).map_err(|error| damaged("it cannot be read").with_source(error))?;
        let expanded = layout.row_bytes().saturating_mul(layout.chunks.offsets.len() as u64);
        let expanded = expanded.saturating_mul(layout.chunks.height.into());
        Ok(Self { stored, layout, left: expanded.saturating_mul(4).saturating_add(length).saturating_add(HEADERS) })
    }

    /// Reads the strip or tile at `index` and expands its first `rows` rows, or as many as there are.
    pub(super) fn read(&mut self, index: usize, rows: u32) -> Result<Chunk> {
        let Layout { compression, colour, is_planar, .. } = self.layout;
        let width = self.layout.chunks.width;
        let mut chunk = match (compression, colour) {
            (Compression::Jpeg(tables), _) => {
                let most = self.jpeg_pixels();
                let picture = tables.expand(&self.compressed(index, most * 4)?, most)?;
                self.of_jpeg(picture)?
            }
            (Compression::OldJpeg(old), _) => {
                let most = self.jpeg_pixels();
                let picture = jpeg::expand(&old.file(&self.compressed(index, most * 4)?, width, rows)?, most)?;
                self.of_jpeg(picture)?
            }
            (_, Colour::YCbCr(kind)) if kind.subsampling != (1, 1) => {
                if *is_planar {
                    return Err(unsupported("its colours are subsampled in planes of their own"));
                }
                let blocks = Blocks { subsampling: kind.subsampling, width: width as usize };
                blocks.unpacked(&self.expanded(index, blocks.bytes(rows))?)?
            }
            _ => {
                let row_bytes = self.layout.row_bytes();
                let bytes = self.expanded(index, row_bytes * u64::from(rows))?;
                Chunk { bytes, row_bytes: row_bytes as usize, is_big_endian: self.layout.is_big_endian }
            }
        };
        self.undo_predictor(&mut chunk)?;
        Ok(chunk)
    }

    /// Returns the pixels that a strip or tile may have as a JPEG, which may reach beyond it.
    fn jpeg_pixels(&self) -> u64 {
        let side = |side: u32| u64::from(side).next_multiple_of(64);
        side(self.layout.chunks.width) * side(self.layout.chunks.height)
    }

    /// Takes a JPEG's pixels, which have to have the width and the samples that the file says.
    fn of_jpeg(&self, picture: jpeg::Expanded) -> Result<Chunk> {
        let (wanted, width) = (self.layout.interleaved(), self.layout.chunks.width as usize);
        if picture.samples != wanted || picture.width < width {
            let message = format!(
                "a strip or tile of {width} pixels with {wanted} samples is a JPEG of {} with {}",
                picture.width, picture.samples
            );
            return Err(damaged(&message));
        }
        let row_bytes = picture.width * picture.samples;
        Ok(Chunk { bytes: picture.bytes, row_bytes, is_big_endian: self.layout.is_big_endian })
    }

    /// Returns the first `wanted` bytes of a strip or tile, or as many as there are.
    fn expanded(&mut self, index: usize, wanted: u64) -> Result<Vec<u8>> {
        let compressed = self.compressed(index, wanted)?;
        let size = wanted as usize;
        buffer::check_room(wanted, pixels::WHAT)?;
        match &self.layout.compression {
            Compression::Lzw => lzw(&compressed, size),
            Compression::Deflate => deflate(&compressed, size),
            Compression::PackBits => pack_bits(&compressed, size),
            Compression::Fax(fax) => {
                if self.layout.bits != 1 || self.layout.interleaved() != 1 {
                    return Err(damaged("it is compressed as a fax, and has more than one bit a pixel"));
                }
                let (width, row_bytes) = (self.layout.chunks.width, self.layout.row_bytes());
                fax.expand(&compressed, width, wanted.checked_div(row_bytes).unwrap_or(0) as u32)
            }
            Compression::None | Compression::Jpeg(_) | Compression::OldJpeg(_) => Ok(compressed),
        }
    }

    /// Returns the bytes of a strip or tile in the file, without more than `wanted` expanded ones can come from.
    fn compressed(&mut self, index: usize, wanted: u64) -> Result<Vec<u8>> {
        let chunks = &self.layout.chunks;
        let (mut offset, length) = (chunks.offsets[index], chunks.lengths[index]);
        let most = match self.layout.compression {
            Compression::None => wanted,
            _ => wanted.saturating_mul(2).saturating_add(HEADERS),
        };
        // Others than these tell themselves where they end, and writers often told it wrongly.
        let is_told = match self.layout.compression {
            Compression::None => false,
            Compression::OldJpeg(_) => chunks.offsets.len() > 1,
            _ => true,
        };
        if let (Compression::OldJpeg(OldJpeg { data: Some(data), .. }), 1) =
            (&self.layout.compression, chunks.offsets.len())
        {
            offset = *data;
        }
        let length = if is_told && length != 0 { length.min(most) } else { most };
        let mut bytes = Vec::new();
        let read = self.stored.seek(SeekFrom::Start(offset)).and_then(|_| {
            // No room is made for what is not there.
            (&mut *self.stored).take(length).read_to_end(&mut bytes)
        });
        read.map_err(|error| unread("its strips cannot be read", error, length))?;
        self.left = self.left.checked_sub(bytes.len() as u64).ok_or_else(|| damaged("its strips overlap"))?;
        if self.layout.is_mirrored {
            bytes.iter_mut().for_each(|byte| *byte = byte.reverse_bits());
        }
        Ok(bytes)
    }

    /// Makes samples of what is stored as differences to the samples before.
    fn undo_predictor(&self, chunk: &mut Chunk) -> Result<()> {
        let Layout { bits, predictor, format, .. } = *self.layout;
        let step = self.layout.interleaved();
        let bytes = bits as usize / 8;
        match (predictor, bits) {
            (1, _) => {}
            (2, 8) => rows(chunk).for_each(|row| add_bytes(row, step)),
            (2, 16 | 24 | 32 | 64) => {
                let is_big_endian = chunk.is_big_endian;
                rows(chunk).for_each(|row| add_numbers(row, step, bytes, is_big_endian));
            }
            (3, 16 | 24 | 32 | 64) if format == Format::Float => {
                rows(chunk).for_each(|row| {
                    add_bytes(row, step);
                    gather_bytes(row, bytes);
                });
                chunk.is_big_endian = true;
            }
            (2 | 3, _) => return Err(unsupported(&format!("it has differences of samples of {bits} bits"))),
            _ => return Err(damaged(&format!("it has the unknown predictor {predictor}"))),
        }
        Ok(())
    }
}

fn rows(chunk: &mut Chunk) -> impl Iterator<Item = &mut [u8]> {
    chunk.bytes.chunks_exact_mut(chunk.row_bytes.max(1))
}

/// Adds to each byte the one `step` bytes before.
fn add_bytes(row: &mut [u8], step: usize) {
    for index in step..row.len() {
        row[index] = row[index].wrapping_add(row[index - step]);
    }
}

/// Adds to each number of so many bytes the one `step` numbers before.
fn add_numbers(row: &mut [u8], step: usize, bytes: usize, is_big_endian: bool) {
    let distance = step * bytes;
    for start in (distance..row.len().saturating_sub(bytes - 1)).step_by(bytes) {
        let mut carry = 0;
        for place in 0..bytes {
            let index = start + if is_big_endian { bytes - 1 - place } else { place };
            let sum = u16::from(row[index]) + u16::from(row[index - distance]) + carry;
            (row[index], carry) = (sum as u8, sum >> 8);
        }
    }
}

/// Puts the bytes of each number beside each other, highest first, which lie in the row with the highest of all first.
fn gather_bytes(row: &mut [u8], bytes: usize) {
    let count = row.len() / bytes;
    let apart = row.to_vec();
    for (index, number) in row.chunks_exact_mut(bytes).enumerate() {
        for (place, byte) in number.iter_mut().enumerate() {
            *byte = apart[place * count + index];
        }
    }
}

/// Blocks of pixels that have the differences of colour in common: first the lightness of each, then both differences.
struct Blocks {
    subsampling: (usize, usize),
    width: usize,
}

impl Blocks {
    fn row_bytes(&self) -> usize {
        let (across, down) = self.subsampling;
        self.width.div_ceil(across) * (across * down + 2)
    }

    /// Returns the bytes of so many rows of pixels.
    fn bytes(&self, rows: u32) -> u64 {
        self.row_bytes() as u64 * u64::from(rows).div_ceil(self.subsampling.1 as u64)
    }

    /// Returns three samples for each pixel.
    fn unpacked(&self, blocks: &[u8]) -> Result<Chunk> {
        let (across, down) = self.subsampling;
        let block_rows = blocks.chunks_exact(self.row_bytes());
        let mut bytes = buffer::empty(block_rows.len() * down * self.width * 3, pixels::WHAT)?;
        for block_row in block_rows {
            for y in 0..down {
                for x in 0..self.width {
                    let block = &block_row[x / across * (across * down + 2)..][..across * down + 2];
                    bytes.extend([block[y * across + x % across], block[across * down], block[across * down + 1]]);
                }
            }
        }
        Ok(Chunk { bytes, row_bytes: 3 * self.width, is_big_endian: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn differences_are_summed_in_either_order_of_bytes() {
        let mut bytes = [1, 10, 2, 20, 255, 1];
        add_bytes(&mut bytes, 2);
        assert_eq!(bytes, [1, 10, 3, 30, 2, 31]);
        let mut big = [0x00, 0xff, 0x00, 0x01, 0xff, 0xff];
        add_numbers(&mut big, 1, 2, true);
        assert_eq!(big, [0x00, 0xff, 0x01, 0x00, 0x00, 0xff]);
        let mut little = [0xff, 0x00, 0x01, 0x00, 0xff, 0xff];
        add_numbers(&mut little, 1, 2, false);
        assert_eq!(little, [0xff, 0x00, 0x00, 0x01, 0xff, 0x00]);
        let mut apart = [1, 2, 3, 4, 5, 6];
        gather_bytes(&mut apart, 2);
        assert_eq!(apart, [1, 4, 2, 5, 3, 6]);
    }

    #[test]
    fn pixels_of_a_block_share_their_colour() {
        // Three pixels in two rows, by blocks of 2x2: the last block reaches beyond the picture.
        let blocks = Blocks { subsampling: (2, 2), width: 3 };
        assert_eq!((blocks.row_bytes(), blocks.bytes(3)), (12, 24));
        let chunk = blocks.unpacked(&[1, 2, 3, 4, 50, 60, 5, 6, 7, 8, 70, 80]).unwrap();
        assert_eq!(chunk.row(0), Some(&[1, 50, 60, 2, 50, 60, 5, 70, 80][..]));
        assert_eq!(chunk.row(1), Some(&[3, 50, 60, 4, 50, 60, 7, 70, 80][..]));
        assert_eq!((chunk.row(2), chunk.rows()), (None, 2));
    }
}
