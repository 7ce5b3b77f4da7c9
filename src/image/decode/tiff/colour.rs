//! Colours of TIFF files as RGB.

use super::compression::Compression;
use super::directory::{Directory, Stored};
use super::fault::{damaged, unsupported};
use crate::error::Result;

/// The transparency of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Alpha {
    /// Colours are as they are.
    Straight,
    /// Colours were multiplied with it.
    Associated,
    /// The file has one sample more than its colours need, and does not say what it is.
    Undeclared,
}

const PHOTOMETRIC: u64 = 262;
const COLOUR_MAP: u64 = 320;
const INK_SET: u64 = 332;
const COEFFICIENTS: u64 = 529;
const SUBSAMPLING: u64 = 530;
const BLACK_AND_WHITE: u64 = 532;

/// The meaning of a pixel's samples.
#[derive(Debug, PartialEq)]
pub(super) enum Colour {
    WhiteIsZero,
    BlackIsZero,
    Rgb,
    Palette(Vec<[u8; 3]>),
    Cmyk,
    YCbCr(YCbCr),
}

/// Lightness and two differences of colour.
#[derive(Debug, PartialEq)]
pub(super) struct YCbCr {
    /// The amount that each value of the three adds to red, green and blue, in 1/65536.
    added: Box<[[[i32; 3]; 256]; 3]>,
    /// Pixels across and down that have the differences in common, where the compression does not say it.
    pub(super) subsampling: (usize, usize),
}

impl Colour {
    /// Reads it from a directory, and refuses by name what is not read.
    pub(super) fn of(
        stored: &mut dyn Stored,
        directory: &Directory,
        compression: &Compression,
        (bits, samples): (u32, usize),
    ) -> Result<Self> {
        let colour = match directory.number(stored, PHOTOMETRIC) {
            // The older form of JPEG has nothing else, whatever the file says.
            _ if samples == 3 && matches!(compression, Compression::OldJpeg(_)) => {
                Self::YCbCr(YCbCr::of(stored, directory, compression, bits)?)
            }
            // As other readers take it.
            None if samples >= 3 => Self::Rgb,
            None if bits > 8 => Self::BlackIsZero,
            None | Some(0) => Self::WhiteIsZero,
            // 4 is for masks, where they are all that the file has.
            Some(1 | 4) => Self::BlackIsZero,
            Some(2) => Self::Rgb,
            Some(3) => Self::Palette(palette(stored, directory, bits)?),
            Some(5) if directory.number(stored, INK_SET).unwrap_or(1) != 1 => {
                return Err(unsupported("its colours are inks other than cyan, magenta, yellow and black"));
            }
            Some(5) => Self::Cmyk,
            Some(6) if samples == 1 => Self::BlackIsZero,
            Some(6) => Self::YCbCr(YCbCr::of(stored, directory, compression, bits)?),
            Some(other) => return Err(unsupported(&format!("its colours are {}", name(other)))),
        };
        if samples < colour.samples() {
            let message = format!("its pixels have {samples} samples, and its colours need {}", colour.samples());
            return Err(damaged(&message));
        }
        Ok(colour)
    }

    /// Returns the number of samples that make a colour.
    pub(super) fn samples(&self) -> usize {
        match self {
            Self::WhiteIsZero | Self::BlackIsZero | Self::Palette(_) => 1,
            Self::Rgb | Self::YCbCr(_) => 3,
            Self::Cmyk => 4,
        }
    }

    /// Makes RGB of a pixel's samples of 8 bits, without those of a palette.
    pub(super) fn rgb(&self, pixel: &[u8]) -> [u8; 3] {
        match (self, pixel) {
            (Self::WhiteIsZero, [grey, ..]) => [255 - grey; 3],
            (Self::Rgb, [r, g, b, ..]) => [*r, *g, *b],
            (Self::Cmyk, [c, m, y, k, ..]) => [c, m, y].map(|ink| product(255 - ink, 255 - k)),
            (Self::YCbCr(kind), [y, cb, cr, ..]) => kind.rgb([*y, *cb, *cr]),
            (_, [grey, ..]) => [*grey; 3],
            (_, []) => [0; 3],
        }
    }
}

impl YCbCr {
    fn of(stored: &mut dyn Stored, directory: &Directory, compression: &Compression, bits: u32) -> Result<Self> {
        if bits != 8 {
            return Err(unsupported(&format!("its colours are YCbCr with {bits} bits")));
        }
        // JPEG says of these itself what counts.
        let is_told = !matches!(compression, Compression::Jpeg(_));
        let says = |tag, stored: &mut dyn Stored| if is_told { directory.ratios(stored, tag, 6) } else { Vec::new() };
        let shares = says(COEFFICIENTS, stored).try_into().unwrap_or([0.299, 0.587, 0.114]);
        let black_and_white = says(BLACK_AND_WHITE, stored);
        let black_and_white = black_and_white.try_into().unwrap_or([0.0, 255.0, 128.0, 255.0, 128.0, 255.0]);
        let subsampling = match directory.numbers(stored, SUBSAMPLING, 2).unwrap_or_default()[..] {
            _ if compression.is_jpeg() => (1, 1),
            [across @ (1 | 2 | 4), down @ (1 | 2 | 4)] => (across as usize, down as usize),
            [] => (2, 2),
            _ => return Err(damaged("its colours are for other than 1, 2 or 4 pixels")),
        };
        Ok(Self { added: Box::new(added(shares, black_and_white)), subsampling })
    }

    fn rgb(&self, [y, cb, cr]: [u8; 3]) -> [u8; 3] {
        let [y, cb, cr] = [(0, y), (1, cb), (2, cr)].map(|(sample, value)| &self.added[sample][usize::from(value)]);
        [0, 1, 2].map(|colour| ((y[colour] + cb[colour] + cr[colour] + (1 << 15)) >> 16).clamp(0, 255) as u8)
    }
}

/// Returns the amount that each value of lightness and of both differences adds to each colour, from the shares of the
/// colours in the lightness and from the values of black and white.
fn added([red, green, blue]: [f64; 3], black_and_white: [f64; 6]) -> [[[i32; 3]; 256]; 3] {
    let factors = [
        [1.0, (1.0 - red - blue) / green, 1.0],
        [0.0, -blue * (2.0 - 2.0 * blue) / green, 2.0 - 2.0 * blue],
        [2.0 - 2.0 * red, -red * (2.0 - 2.0 * red) / green, 0.0],
    ];
    let mut all = [[[0; 3]; 256]; 3];
    for (sample, values) in all.iter_mut().enumerate() {
        let (black, white) = (black_and_white[2 * sample], black_and_white[2 * sample + 1]);
        let most = if sample == 0 { 255.0 } else { 127.0 };
        for (value, colours) in values.iter_mut().enumerate() {
            let value = (value as f64 - black) * most / (white - black);
            // Three of them are added: files may say that black is white.
            *colours = factors[sample].map(|factor| (value * factor * 65536.0).round().clamp(-6e8, 6e8) as i32);
        }
    }
    all
}

/// Palettes have values of 16 bits, and those of some writers only 8.
fn palette(stored: &mut dyn Stored, directory: &Directory, bits: u32) -> Result<Vec<[u8; 3]>> {
    let count = 1 << bits.min(16);
    let values = directory.numbers(stored, COLOUR_MAP, 3 * count as u64).unwrap_or_default();
    if values.len() < 3 * count {
        return Err(damaged(&format!("its palette has {} of {count} colours", values.len() / 3)));
    }
    let shift = if values.iter().all(|value| *value < 256) { 0 } else { 8 };
    let value = |index: usize| (values[index] >> shift) as u8;
    Ok((0..count).map(|index| [value(index), value(count + index), value(2 * count + index)]).collect())
}

/// Returns the name of colours that are not read.
fn name(code: u64) -> String {
    let name = match code {
        8 => "CIE L*a*b*",
        9 => "ICC L*a*b*",
        10 => "ITU L*a*b*",
        32803 => "those of a camera's sensor (CFA)",
        32844 | 32845 => "logarithms of luminance (LogLuv)",
        34892 => "those of a camera's sensor (raw)",
        51177 => "a depth map",
        _ => return format!("of the unknown kind {code}"),
    };
    name.to_owned()
}

/// Makes colours that were multiplied with their transparency what they were before.
pub(super) fn undo_alpha([r, g, b]: [u8; 3], alpha: u8, kind: Alpha) -> [u8; 4] {
    if kind != Alpha::Associated || alpha == 0 {
        return [r, g, b, alpha];
    }
    let before = |value: u8| (u32::from(value) * 255 / u32::from(alpha)).min(255) as u8;
    [before(r), before(g), before(b), alpha]
}

/// Returns the product of two shares of 255.
fn product(one: u8, other: u8) -> u8 {
    ((u32::from(one) * u32::from(other) + 127) / 255) as u8
}
