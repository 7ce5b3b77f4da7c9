//! The shape of a picture in a TIFF file: its size, its samples, and the strips or tiles that it is cut into.

use super::colour::{Alpha, Colour};
use super::compression::Compression;
use super::directory::{Directory, Stored};
use super::fault::{damaged, unsupported};
use crate::error::{Error, ErrorKind, Result};
use crate::image::decode::check_size;
use crate::image::decode::limits::RAISE;
use crate::options::DecodeLimits;

const WIDTH: u64 = 256;
const HEIGHT: u64 = 257;
const BITS: u64 = 258;
const FILL_ORDER: u64 = 266;
const STRIP_OFFSETS: u64 = 273;
const SAMPLES: u64 = 277;
const ROWS_PER_STRIP: u64 = 278;
const STRIP_LENGTHS: u64 = 279;
const PLANAR: u64 = 284;
const PREDICTOR: u64 = 317;
const TILE_WIDTH: u64 = 322;
const TILE_HEIGHT: u64 = 323;
const TILE_OFFSETS: u64 = 324;
const TILE_LENGTHS: u64 = 325;
const EXTRA_SAMPLES: u64 = 338;
const SAMPLE_FORMAT: u64 = 339;

/// Most samples of a pixel; pictures of satellites have some hundreds.
const MOST_SAMPLES: u64 = 4096;

/// Most strips and tiles of a picture: 150 million pixels in tiles of 16x16 are 586,000.
const MOST_CHUNKS: u64 = 1 << 20;

/// Tiles reach beyond the picture. A small one may be cut into tiles that are this large, in pixels of a row of them.
const LEAST_PADDED: u64 = 1 << 22;

/// The kind of number that a sample's bits are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Format {
    Unsigned,
    Signed,
    Float,
}

/// The shape of a picture.
pub(super) struct Layout {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) bits: u32,
    pub(super) format: Format,
    /// Samples of a pixel in the file.
    pub(super) samples: usize,
    /// Samples lie in planes of their own instead of pixel by pixel.
    pub(super) is_planar: bool,
    pub(super) colour: Colour,
    /// It follows the colours.
    pub(super) alpha: Option<Alpha>,
    pub(super) compression: Compression,
    pub(super) predictor: u64,
    /// The first pixel is in the lowest bit of a byte.
    pub(super) is_mirrored: bool,
    pub(super) is_big_endian: bool,
    pub(super) chunks: Chunks,
}

/// The strips or tiles of a picture.
pub(super) struct Chunks {
    pub(super) width: u32,
    pub(super) height: u32,
    pub(super) across: u32,
    pub(super) down: u32,
    pub(super) offsets: Vec<u64>,
    /// Bytes of each; 0 for what the file does not say.
    pub(super) lengths: Vec<u64>,
}

impl Layout {
    /// Reads it from a directory, and refuses what is beyond `limits` or of a variety that is not read.
    pub(super) fn of(stored: &mut dyn Stored, directory: &Directory, limits: &DecodeLimits) -> Result<Self> {
        let (width, height) = size(stored, directory, limits)?;
        let compression = Compression::of(stored, directory)?;
        let (bits, samples) = depth(stored, directory)?;
        let colour = Colour::of(stored, directory, &compression, (bits, samples))?;
        let extra = directory.numbers(stored, EXTRA_SAMPLES, 1).map_err(|_| damaged("its entries lead out of it"))?;
        let alpha = match extra.first() {
            // Transparency of printing inks is for the press.
            _ if samples <= colour.samples() || colour == Colour::Cmyk => None,
            Some(1) => Some(Alpha::Associated),
            Some(2 | 999) => Some(Alpha::Straight),
            Some(_) => None,
            None => Some(Alpha::Undeclared),
        };
        let is_planar = directory.number(stored, PLANAR) == Some(2) && samples > 1;
        let planes = if is_planar { colour.samples() + usize::from(alpha.is_some()) } else { 1 };
        let layout = Self {
            width,
            height,
            bits,
            format: format(stored, directory)?,
            samples,
            is_planar,
            colour,
            alpha,
            predictor: directory.number(stored, PREDICTOR).filter(|_| compression.has_predictor()).unwrap_or(1),
            is_mirrored: directory.number(stored, FILL_ORDER) == Some(2) && compression.has_fill_order(),
            is_big_endian: directory.form().is_big_endian,
            chunks: Chunks::of(stored, directory, (width, height), planes as u64, limits)?,
            compression,
        };
        layout.check_format()?;
        layout.check_memory(limits)?;
        Ok(layout)
    }

    /// Samples that lie side by side in a row of a strip or tile.
    pub(super) fn interleaved(&self) -> usize {
        if self.is_planar { 1 } else { self.samples }
    }

    /// Samples of a pixel that make its colour and its transparency.
    pub(super) fn used(&self) -> usize {
        self.colour.samples() + usize::from(self.alpha.is_some())
    }

    /// Returns the bytes of a row of a strip or tile when it is expanded.
    pub(super) fn row_bytes(&self) -> u64 {
        let bits = u64::from(self.chunks.width) * self.interleaved() as u64 * u64::from(self.bits);
        bits.div_ceil(8)
    }

    fn check_format(&self) -> Result<()> {
        let is_read = match self.format {
            Format::Unsigned => (1..=16).contains(&self.bits) || matches!(self.bits, 24 | 32 | 64),
            Format::Signed => matches!(self.bits, 8 | 16 | 32 | 64),
            Format::Float => matches!(self.bits, 16 | 24 | 32 | 64),
        };
        let is_whole = self.format == Format::Unsigned && self.bits <= 16;
        if !is_read || matches!(self.colour, Colour::Palette(_)) && !is_whole {
            let kind = match self.format {
                Format::Unsigned => "whole numbers",
                Format::Signed => "signed numbers",
                Format::Float => "decimal numbers",
            };
            return Err(unsupported(&format!("its samples are {kind} of {} bits", self.bits)));
        }
        Ok(())
    }

    /// Refuses strips and tiles that would take more memory expanded than the largest picture takes.
    fn check_memory(&self, limits: &DecodeLimits) -> Result<()> {
        // A picture of 16 bits with transparency is the largest kind that is common.
        let most = limits.max_pixels.max(LEAST_PADDED).saturating_mul(8);
        let planes = if self.is_planar { self.used() as u64 } else { 1 };
        let rows = u64::from(self.chunks.height.min(self.height));
        let chunk = self.row_bytes().saturating_mul(rows).saturating_mul(planes);
        let padded = u64::from(self.chunks.width) * u64::from(self.chunks.across) * u64::from(self.height);
        if chunk <= most && padded <= 2 * limits.max_pixels.max(LEAST_PADDED) {
            return Ok(());
        }
        let message = format!("the TIFF picture needs more memory than max_pixels={} allows", limits.max_pixels);
        Err(Error::new(ErrorKind::Image, message).with_hint([RAISE, "save the picture anew in smaller strips".into()]))
    }
}

impl Chunks {
    fn of(
        stored: &mut dyn Stored,
        directory: &Directory,
        (width, height): (u32, u32),
        planes: u64,
        limits: &DecodeLimits,
    ) -> Result<Self> {
        let is_tiled = directory.has(TILE_WIDTH);
        let mut side = |tag| directory.number(stored, tag).map_or(0, |side| u32::try_from(side).unwrap_or(u32::MAX));
        let (tile, tags) = if is_tiled {
            // Some writers say of tiles where they are as if they were strips.
            let has_own = directory.has(TILE_OFFSETS);
            let tags = if has_own { (TILE_OFFSETS, TILE_LENGTHS) } else { (STRIP_OFFSETS, STRIP_LENGTHS) };
            ((side(TILE_WIDTH), side(TILE_HEIGHT)), tags)
        } else {
            let rows = if directory.has(ROWS_PER_STRIP) { side(ROWS_PER_STRIP) } else { height };
            ((width, rows.min(height)), (STRIP_OFFSETS, STRIP_LENGTHS))
        };
        if tile.0 == 0 || tile.1 == 0 {
            return Err(damaged("its strips or tiles have no pixels"));
        }
        let (across, down) = (width.div_ceil(tile.0), height.div_ceil(tile.1));
        let wanted = u64::from(across) * u64::from(down) * planes;
        if wanted > MOST_CHUNKS.min(limits.max_pixels.saturating_mul(planes)) {
            return Err(unsupported(&format!("it is cut into {wanted} strips or tiles")));
        }
        let mut numbers =
            |tag| directory.numbers(stored, tag, wanted).map_err(|_| damaged("its table of strips leads out of it"));
        let (offsets, mut lengths) = (numbers(tags.0)?, numbers(tags.1)?);
        if (offsets.len() as u64) < wanted {
            let message = format!("it has {} of the {wanted} strips or tiles that it needs", offsets.len());
            return Err(damaged(&message));
        }
        lengths.resize(offsets.len(), 0);
        Ok(Self { width: tile.0, height: tile.1, across, down, offsets, lengths })
    }
}

fn size(stored: &mut dyn Stored, directory: &Directory, limits: &DecodeLimits) -> Result<(u32, u32)> {
    let mut side = |tag, name| match directory.number(stored, tag) {
        None | Some(0) => Err(damaged(&format!("it says no {name}"))),
        Some(side) => Ok(u32::try_from(side).unwrap_or(u32::MAX)),
    };
    let (width, height) = (side(WIDTH, "width")?, side(HEIGHT, "height")?);
    check_size(width, height, limits)?;
    Ok((width, height))
}

/// Bits of a sample, and samples of a pixel.
fn depth(stored: &mut dyn Stored, directory: &Directory) -> Result<(u32, usize)> {
    let bits =
        directory.numbers(stored, BITS, MOST_SAMPLES).map_err(|_| damaged("its bits per sample lead out of it"))?;
    let samples = directory.number(stored, SAMPLES).unwrap_or(bits.len().max(1) as u64);
    let first = bits.first().copied().unwrap_or(1);
    if bits.iter().take(samples as usize).any(|&other| other != first) {
        let bits: Vec<_> = bits.iter().take(5).map(u64::to_string).collect();
        return Err(unsupported(&format!("its samples have different depths, {} bits", bits.join(", "))));
    }
    if samples == 0 || samples > MOST_SAMPLES || first == 0 {
        return Err(damaged(&format!("it says that pixels have {samples} samples of {first} bits")));
    }
    Ok((u32::try_from(first).unwrap_or(u32::MAX).min(1 << 16), samples as usize))
}

fn format(stored: &mut dyn Stored, directory: &Directory) -> Result<Format> {
    let formats = directory.numbers(stored, SAMPLE_FORMAT, MOST_SAMPLES).unwrap_or_default();
    if formats.windows(2).any(|pair| pair[0] != pair[1]) {
        return Err(unsupported("its samples are of different kinds"));
    }
    match formats.first() {
        // 4 is for samples of which nothing is known.
        None | Some(1 | 4) => Ok(Format::Unsigned),
        Some(2) => Ok(Format::Signed),
        Some(3) => Ok(Format::Float),
        Some(5 | 6) => Err(unsupported("its samples are complex numbers")),
        Some(other) => Err(damaged(&format!("it has samples of the unknown kind {other}"))),
    }
}
