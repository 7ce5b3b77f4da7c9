//! Strips and tiles that are compressed as fax machines send them: CCITT Group 3, Group 4 and modified Huffman.

use hayro_ccitt::{DecodeError, DecodeSettings, Decoder, DecoderContext, EncodingMode, decode};

use super::directory::{Directory, Stored};
use super::fault::damaged;
use crate::buffer;
use crate::error::Result;
use crate::image::decode::pixels;

const COMPRESSION: u64 = 259;
const GROUP_3_OPTIONS: u64 = 292;

/// Bits of the mark that ends a row of Group 3, and twice in a row all data of Group 4.
const END_OF_LINE: u32 = 12;

/// A code of fax machines.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Fax {
    /// Rows of codes that begin at bytes.
    ModifiedHuffman,
    Group3,
    /// Rows may be told by the row before.
    Group3TwoDimensional,
    Group4,
}

impl Fax {
    pub(super) fn of(stored: &mut dyn Stored, directory: &Directory) -> Self {
        match directory.number(stored, COMPRESSION) {
            Some(2) => Self::ModifiedHuffman,
            Some(3) if directory.number(stored, GROUP_3_OPTIONS).unwrap_or(0) & 1 != 0 => Self::Group3TwoDimensional,
            Some(3) => Self::Group3,
            _ => Self::Group4,
        }
    }

    /// Expands rows of `width` bits, in which 1 is black, as far as they go. Rows that are damaged are white where the
    /// code has marks to go on at, as on paper; and so are rows behind the mark that ends the data.
    pub(super) fn expand(self, compressed: &[u8], width: u32, height: u32) -> Result<Vec<u8>> {
        let (encoding, is_aligned) = match self {
            Self::ModifiedHuffman => (EncodingMode::Group3_1D, true),
            Self::Group3 => (EncodingMode::Group3_1D, false),
            Self::Group3TwoDimensional => (EncodingMode::Group3_2D, false),
            Self::Group4 => (EncodingMode::Group4, false),
        };
        let mut settings = DecodeSettings {
            columns: width,
            rows: height,
            end_of_block: self != Self::ModifiedHuffman,
            end_of_line: false,
            rows_are_byte_aligned: is_aligned,
            encoding,
            strict: false,
        };
        let row_bytes = width.div_ceil(8) as usize;
        loop {
            // An eighth of a byte for each pixel.
            let bits = buffer::empty(row_bytes * height as usize, pixels::WHAT)?;
            let mut rows = Rows { bits, row_bytes, width, left: height };
            match decode(compressed, &mut rows, &mut DecoderContext::new(settings)) {
                Ok(read) if is_ended(&compressed[..read.min(compressed.len())]) => {
                    rows.bits.resize(row_bytes * height as usize, 0);
                }
                Ok(_) | Err(DecodeError::UnexpectedEof) => {}
                // Rows may have marks behind them, and the first one none before it.
                Err(_) if !settings.end_of_line && matches!(self, Self::Group3 | Self::Group3TwoDimensional) => {
                    settings.end_of_line = true;
                    continue;
                }
                Err(error) => {
                    let message = format!("its fax code makes no sense in row {} of a strip", height - rows.left);
                    return Err(damaged(&message).with_source(error));
                }
            }
            return Ok(rows.bits);
        }
    }
}

/// Returns true if data ends in two marks that end rows; those of the code of two dimensions have a bit behind each.
fn is_ended(data: &[u8]) -> bool {
    let tail = data.iter().rev().take(5).rev().fold(0u64, |tail, &byte| tail << 8 | u64::from(byte));
    // The last byte is filled up with zeros.
    let tail = tail >> tail.trailing_zeros().min(7);
    let has = |mark: u64, bits: u32| tail & ((1 << (2 * bits)) - 1) == mark << bits | mark;
    has(1, END_OF_LINE) || has(0b11, END_OF_LINE + 1)
}

/// Rows of bits.
struct Rows {
    bits: Vec<u8>,
    row_bytes: usize,
    width: u32,
    left: u32,
}

impl Decoder for Rows {
    fn push_row(&mut self, changes: &[u32]) {
        if self.left == 0 {
            return;
        }
        self.left -= 1;
        let start = self.bits.len();
        self.bits.resize(start + self.row_bytes, 0);
        let row = &mut self.bits[start..];
        for run in changes.chunks(2) {
            blacken(row, run[0], run.get(1).copied().unwrap_or(self.width));
        }
    }
}

/// Sets the bits from `start` to `end`.
fn blacken(row: &mut [u8], start: u32, end: u32) {
    let (first, last) = (start as usize / 8, end as usize / 8);
    let (head, tail) = (0xff >> (start % 8), !(0xff >> (end % 8)));
    if first == last {
        row[first] |= head & tail;
        return;
    }
    row[first] |= head;
    row[first + 1..last].fill(0xff);
    if tail != 0 {
        row[last] |= tail;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_of_bits_begin_and_end_anywhere() {
        for start in 0..24 {
            for end in start + 1..=24 {
                let mut row = [0; 3];
                blacken(&mut row, start, end);
                let bits = u32::from_be_bytes([0, row[0], row[1], row[2]]);
                let expected =
                    (0..24).filter(|bit| (start..end).contains(bit)).fold(0, |all, bit| all | 1 << (23 - bit));
                assert_eq!(bits, expected, "{start} to {end}");
            }
        }
    }

    #[test]
    fn rows_behind_the_end_mark_are_white_and_cut_off_ones_are_missing() {
        // A row of 8 white pixels in Group 4 is one bit; the end mark is twice 000000000001.
        let ended = [0b1100_0000, 0b0000_0100, 0b0000_0000, 0b0100_0000];
        assert_eq!(Fax::Group4.expand(&ended, 8, 5).expect("two rows and the mark"), [0; 5]);
        assert_eq!(Fax::Group4.expand(&[0b1111_1111], 8, 20).expect("eight rows"), [0; 8]);
        let nonsense = Fax::Group4.expand(&[0b1100_0000, 0b0010_0000, 0xff, 0xff], 8, 5).expect_err("no code");
        assert!(nonsense.to_string().contains("row 2"), "{nonsense}");
    }

    #[test]
    fn a_damaged_row_between_marks_is_white_and_the_next_ones_are_read() {
        // Rows of 8 pixels: 4 white and 4 black, something that is no code, 8 black.
        let mark = "000000000001";
        let rows = ["1011011", "00000000111", "00110101000101"];
        let bits = format!("{mark}{}{mark}{}{mark}{}{}", rows[0], rows[1], rows[2], mark.repeat(6));
        let bytes: Vec<u8> = bits
            .as_bytes()
            .chunks(8)
            .map(|byte| byte.iter().enumerate().fold(0, |all, (bit, digit)| all | (digit - b'0') << (7 - bit)))
            .collect();
        assert_eq!(Fax::Group3.expand(&bytes, 8, 3).expect("rows"), [0x0f, 0, 0xff]);
    }
}
