//! The ways in which the strips and tiles of a TIFF file are compressed, and their expansion.

use std::io::Read;

use flate2::read::ZlibDecoder;
use weezl::decode::Decoder as LzwDecoder;
use weezl::{BitOrder, LzwStatus};

use super::directory::{Directory, Stored};
use super::fault::{damaged, unread, unsupported};
use super::fax::Fax;
use super::jpeg::Tables;
use super::old_jpeg::OldJpeg;
use crate::buffer;
use crate::error::Result;
use crate::image::decode::pixels;

const COMPRESSION: u64 = 259;

/// Bytes that are made room for at first; more where they come.
const FIRST_ROOM: usize = 1 << 16;

/// The most bytes that a run of [`pack_bits`] stands for.
const LONGEST_RUN: usize = 128;

/// The compression of strips and tiles.
pub(super) enum Compression {
    None,
    Lzw,
    Deflate,
    PackBits,
    Fax(Fax),
    Jpeg(Tables),
    OldJpeg(OldJpeg),
}

impl Compression {
    /// Reads it from a directory, and refuses by name what is not read.
    pub(super) fn of(stored: &mut dyn Stored, directory: &Directory) -> Result<Self> {
        match directory.number(stored, COMPRESSION).unwrap_or(1) {
            1 => Ok(Self::None),
            2..=4 => Ok(Self::Fax(Fax::of(stored, directory))),
            5 => Ok(Self::Lzw),
            6 => OldJpeg::of(stored, directory).map(Self::OldJpeg),
            7 => Tables::of(stored, directory).map(Self::Jpeg),
            8 | 32946 => Ok(Self::Deflate),
            32773 => Ok(Self::PackBits),
            other => Err(unsupported(&format!("it is compressed with {}", name(other)))),
        }
    }

    /// Samples may be stored as differences to their neighbours.
    pub(super) fn has_predictor(&self) -> bool {
        matches!(self, Self::Lzw | Self::Deflate)
    }

    /// Returns true if the file may have the bits of each byte in the other order.
    pub(super) fn has_fill_order(&self) -> bool {
        !matches!(self, Self::Jpeg(_) | Self::OldJpeg(_))
    }

    pub(super) fn is_jpeg(&self) -> bool {
        matches!(self, Self::Jpeg(_) | Self::OldJpeg(_))
    }
}

/// Returns the name of a compression that is not read.
fn name(code: u64) -> String {
    let name = match code {
        9 | 10 => "JBIG",
        32766 => "NeXT's run lengths",
        32771 => "run lengths of fax machines, aligned to words",
        32809 => "ThunderScan's run lengths",
        32908 | 32909 => "Pixar's compression",
        33003 | 33004 | 33005 | 34712 => "JPEG 2000",
        34661 => "JBIG",
        34676 | 34677 => "SGI's logarithmic compression",
        34887 => "LERC",
        34892 => "lossy JPEG of digital negatives",
        34925 => "LZMA",
        34926 | 50000 => "Zstandard",
        34927 | 50001 => "WebP",
        50002 | 52546 => "JPEG XL",
        _ => return format!("a method that has no name, {code}"),
    };
    name.to_owned()
}

/// Expands LZW codes, as far as they go.
pub(super) fn lzw(compressed: &[u8], wanted: usize) -> Result<Vec<u8>> {
    // Before TIFF 6 codes began at the other end of bytes, and such data begins with the code that clears the table.
    let is_old = matches!(compressed, [0, second, ..] if second & 1 == 1);
    let mut decoder =
        if is_old { LzwDecoder::new(BitOrder::Lsb, 8) } else { LzwDecoder::with_tiff_size_switch(BitOrder::Msb, 8) };
    let (mut expanded, mut rest) = (Vec::new(), compressed);
    while expanded.len() < wanted {
        let start = expanded.len();
        let room = (2 * start).max(FIRST_ROOM).min(wanted);
        buffer::reserve_exactly(&mut expanded, room - start, pixels::WHAT)?;
        expanded.resize(room, 0);
        let mut end = start;
        while end < expanded.len() {
            let result = decoder.decode_bytes(rest, &mut expanded[end..]);
            rest = rest.get(result.consumed_in..).unwrap_or_default();
            end += result.consumed_out;
            match result.status {
                Ok(LzwStatus::Ok) if result.consumed_in + result.consumed_out > 0 => {}
                Ok(_) => {
                    expanded.truncate(end);
                    return Ok(expanded);
                }
                Err(error) => return Err(damaged("its LZW data makes no sense").with_source(error)),
            }
        }
    }
    Ok(expanded)
}

/// Expands deflated bytes, as far as they go.
pub(super) fn deflate(compressed: &[u8], wanted: usize) -> Result<Vec<u8>> {
    let mut expanded = Vec::new();
    match ZlibDecoder::new(compressed).take(wanted as u64).read_to_end(&mut expanded) {
        Ok(_) => Ok(expanded),
        // The data ends early: what there is tells how far it came.
        Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => Ok(expanded),
        Err(error) => Err(unread("its deflated data makes no sense", error, wanted as u64)),
    }
}

/// Expands runs of equal bytes, as far as they go.
pub(super) fn pack_bits(compressed: &[u8], wanted: usize) -> Result<Vec<u8>> {
    let (mut expanded, mut rest) = (Vec::new(), compressed);
    while let [head, after @ ..] = rest {
        let left = wanted - expanded.len();
        if left == 0 {
            break;
        }
        let count = usize::from(*head);
        if expanded.capacity() < expanded.len() + left.min(LONGEST_RUN) {
            let room = (2 * expanded.len()).max(FIRST_ROOM).min(wanted);
            let more = room - expanded.len();
            buffer::reserve_exactly(&mut expanded, more, pixels::WHAT)?;
        }
        rest = match *head {
            0..=127 => {
                let (bytes, after) = after.split_at((count + 1).min(after.len()));
                expanded.extend_from_slice(&bytes[..bytes.len().min(left)]);
                after
            }
            128 => after,
            129.. => {
                let Some((byte, after)) = after.split_first() else { break };
                expanded.resize(expanded.len() + (257 - count).min(left), *byte);
                after
            }
        };
    }
    Ok(expanded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_end_where_the_picture_or_the_data_does() {
        struct Case {
            name: &'static str,
            compressed: &'static [u8],
            expanded: &'static [u8],
        }
        let cases = [
            Case { name: "a run and bytes as they are", compressed: &[254, 7, 1, 8, 9], expanded: &[7, 7, 7, 8, 9] },
            Case { name: "nothing to do", compressed: &[128, 128, 0, 1], expanded: &[1] },
            Case { name: "more than is wanted", compressed: &[129, 5], expanded: &[5; 8] },
            Case { name: "the data ends in bytes", compressed: &[9, 1, 2], expanded: &[1, 2] },
            Case { name: "the data ends in a run", compressed: &[254], expanded: &[] },
        ];
        for case in cases {
            assert_eq!(pack_bits(case.compressed, 8).unwrap(), case.expanded, "{}", case.name);
        }
    }
}
