//! Samples of any depth as 8 bits.

use super::layout::{Format, Layout};

/// Reads the samples of a row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    bits: u32,
    format: Format,
    pub(super) is_big_endian: bool,
    /// The values that become 0 and 255, of samples whose depth does not say it.
    range: (f64, f64),
}

impl Samples {
    pub(super) fn of(layout: &Layout) -> Self {
        Self {
            bits: layout.bits,
            format: layout.format,
            is_big_endian: layout.is_big_endian,
            range: (f64::INFINITY, f64::NEG_INFINITY),
        }
    }

    /// Returns true if black and white are known only when all samples were seen: decimal numbers may be meant from 0
    /// to 1 or to 255, and whole numbers of more than 16 bits hardly ever use them all.
    pub(super) fn is_open(&self) -> bool {
        match self.format {
            Format::Unsigned => self.bits > 16,
            // As other readers take them: 8 bits with a sign come from programs that meant none.
            Format::Signed => self.bits > 8,
            Format::Float => true,
        }
    }

    /// Looks at a row of samples that are open.
    pub(super) fn see(&mut self, row: &[u8]) {
        let finite = self.values(row).filter(|value| value.is_finite());
        self.range = finite.fold(self.range, |(low, high), value| (low.min(value), high.max(value)));
    }

    /// Decides about black and white when all rows were seen: the smallest of the usual ranges that has them all.
    pub(super) fn settle(&mut self) {
        let (low, high) = self.range;
        let mut usual = [1.0, 255.0, 65535.0].into_iter();
        self.range = match usual.find(|most| low >= 0.0 && high <= *most) {
            // Whole numbers from 0 to 1 are as dark as they seem.
            Some(most) if self.format == Format::Float => (0.0, most),
            Some(most) => (0.0, most.max(255.0)),
            None => (low.min(0.0), high),
        };
    }

    /// Gives the first `count` samples of a row as 8 bits.
    pub(super) fn read(&self, row: &[u8], count: usize, out: &mut Vec<u8>) {
        out.clear();
        match self.bits {
            _ if self.is_open() => {
                let (low, high) = self.range;
                let scale = 255.0 / (high - low);
                // Values that are no number become 0.
                out.extend(self.values(row).take(count).map(|value| ((value - low) * scale).round() as u8));
            }
            8 => out.extend_from_slice(&row[..count.min(row.len())]),
            // 1, 3, 15, 127: all of them stand for white.
            bits @ ..8 => {
                let most = (1 << bits) - 1;
                out.extend(self.whole(row).take(count).map(|value| (u32::from(value) * 255 / most) as u8));
            }
            bits => out.extend(self.whole(row).take(count).map(|value| (value >> (bits - 8)) as u8)),
        }
    }

    /// Returns the samples of a row as they are; of 16 bits at most.
    pub(super) fn whole(self, row: &[u8]) -> impl Iterator<Item = u16> {
        // Samples of 16 bits have the file's order of bytes, all others go from high to low.
        let is_swapped = self.bits == 16 && !self.is_big_endian;
        let (bits, mask) = (self.bits, (1u32 << self.bits.min(16)) - 1);
        (0..row.len() * 8 / bits.max(1) as usize).map(move |index| {
            let start = index * bits as usize;
            let byte = |place: usize| u32::from(row.get(start / 8 + place).copied().unwrap_or(0));
            let window = byte(0) << 16 | byte(1) << 8 | byte(2);
            let value = (window >> (24 - start as u32 % 8 - bits) & mask) as u16;
            if is_swapped { value.swap_bytes() } else { value }
        })
    }

    /// Returns the samples of a row that are open.
    fn values(self, row: &[u8]) -> impl Iterator<Item = f64> {
        let Self { bits, format, is_big_endian, .. } = self;
        row.chunks_exact((bits as usize / 8).max(1)).map(move |bytes| {
            let add = |sum: u64, &byte: &u8| sum << 8 | u64::from(byte);
            let value = if is_big_endian { bytes.iter().fold(0, add) } else { bytes.iter().rev().fold(0, add) };
            match (format, bits) {
                (Format::Unsigned, _) => value as f64,
                (Format::Signed, _) => ((value << (64 - bits)) as i64 >> (64 - bits)) as f64,
                (Format::Float, 16) => small_float(value, 5, 10),
                (Format::Float, 24) => small_float(value, 7, 16),
                (Format::Float, 32) => f32::from_bits(value as u32).into(),
                (Format::Float, _) => f64::from_bits(value),
            }
        })
    }
}

/// Returns a decimal number of a sign, an exponent and a fraction of so many bits.
fn small_float(value: u64, exponent_bits: u32, fraction_bits: u32) -> f64 {
    let fraction = (value & ((1 << fraction_bits) - 1)) as f64 / f64::from(1 << fraction_bits);
    let most = (1 << exponent_bits) - 1;
    let (exponent, bias) = ((value >> fraction_bits) as i32 & most, most / 2);
    let size = match exponent {
        0 => fraction * f64::from(1 - bias).exp2(),
        _ if exponent == most => f64::NAN,
        _ => (1.0 + fraction) * f64::from(exponent - bias).exp2(),
    };
    if value >> (exponent_bits + fraction_bits) & 1 == 1 { -size } else { size }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn samples(bits: u32, format: Format, is_big_endian: bool) -> Samples {
        Samples { bits, format, is_big_endian, range: (f64::INFINITY, f64::NEG_INFINITY) }
    }

    fn read(mut samples: Samples, row: &[u8]) -> Vec<u8> {
        if samples.is_open() {
            samples.see(row);
            samples.settle();
        }
        let mut out = Vec::new();
        samples.read(row, usize::MAX, &mut out);
        out
    }

    #[test]
    fn whole_numbers_of_any_depth_become_8_bits() {
        let whole = |bits, is_big_endian, row: &[u8]| read(samples(bits, Format::Unsigned, is_big_endian), row);
        assert_eq!(whole(1, false, &[0b1010_0000]), [255, 0, 255, 0, 0, 0, 0, 0]);
        assert_eq!(whole(2, false, &[0b0001_1011]), [0, 85, 170, 255]);
        assert_eq!(whole(4, true, &[0x0f, 0x80]), [0, 255, 136, 0]);
        assert_eq!(whole(8, true, &[3, 200]), [3, 200]);
        assert_eq!(whole(12, false, &[0xff, 0xf1, 0x23]), [255, 0x12]);
        assert_eq!(whole(16, false, &[0x34, 0x12]), [0x12]);
        assert_eq!(whole(16, true, &[0x12, 0x34]), [0x12]);
        assert_eq!(whole(32, true, &[0, 0, 0, 200, 0, 0, 0, 3]), [200, 3]);
        assert_eq!(whole(32, false, &[0, 0, 1, 0, 0, 0, 2, 0]), [128, 255]);
    }

    #[test]
    fn signed_and_decimal_numbers_lie_between_their_least_and_largest() {
        let floats = |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<_>>();
        let float = |values| read(samples(32, Format::Float, false), &floats(values));
        assert_eq!(float(&[0.0, 0.5, 1.0]), [0, 128, 255]);
        assert_eq!(float(&[0.0, 31.0, 200.0]), [0, 31, 200]);
        assert_eq!(float(&[-1.0, 0.0, 1.0]), [0, 128, 255]);
        assert_eq!(float(&[f32::NAN, f32::INFINITY, 1.0]), [0, 255, 255]);
        assert_eq!(float(&[0.0, 0.0]), [0, 0]);
        assert_eq!(read(samples(16, Format::Signed, true), &[0xff, 0x00, 0, 0, 1, 0]), [0, 128, 255]);
        // Half of one, one, and minus two of 16 bits; one of 24 bits.
        assert_eq!(read(samples(16, Format::Float, true), &[0x38, 0, 0x3c, 0]), [128, 255]);
        assert_eq!(read(samples(16, Format::Float, true), &[0xc0, 0, 0x3c, 0]), [0, 255]);
        assert_eq!(read(samples(24, Format::Float, true), &[0x3f, 0, 0, 0x3e, 0, 0]), [255, 128]);
    }
}
