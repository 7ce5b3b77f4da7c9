//! One picture of a TIFF file, of all the varieties that scanners, faxes and programs write.
//!
//! A directory says how the picture is stored ([`layout`]): in strips or tiles ([`chunk`]), which are compressed
//! ([`compression`], [`fax`], [`jpeg`]), of samples of some depth ([`samples`]) that mean colours ([`colour`]). Strips
//! are painted one after the other, so that no more than one of them is in memory besides the picture.

mod chunk;
mod colour;
mod compression;
pub(super) mod directory;
mod fault;
mod fax;
mod jpeg;
mod layout;
mod old_jpeg;
mod samples;

use image::metadata::Orientation;

use self::chunk::{Chunk, Chunks};
use self::colour::Alpha;
use self::colour::{Colour, undo_alpha};
use self::directory::{Directory, Stored};
use self::layout::Layout;
use self::samples::Samples;
use super::fault::cut_off;
use super::pixels;
use crate::buffer;
use crate::error::Result;
use crate::image::Picture;
use crate::options::DecodeLimits;

const ORIENTATION: u64 = 274;

/// Decodes the picture that a directory describes.
///
/// # Errors
/// [`ErrorKind::Image`] when it is damaged, cut off, of a variety that is not read, or beyond `limits`.
pub(super) fn decode(stored: &mut dyn Stored, directory: &Directory, limits: &DecodeLimits) -> Result<Picture> {
    let layout = Layout::of(stored, directory, limits)?;
    let turn = directory.short(stored, ORIENTATION).and_then(|value| Orientation::from_exif(u8::try_from(value).ok()?));
    let mut samples = Samples::of(&layout);
    if samples.is_open() {
        each_row(stored, &layout, &mut |_, planes| {
            for plane in planes {
                samples.is_big_endian = plane.1;
                samples.see(plane.0);
            }
        })?;
        samples.settle();
    }
    let mut painter = Painter::of(&layout, samples)?;
    each_row(stored, &layout, &mut |at, planes| painter.paint(at, planes))?;
    pixels::oriented(painter.finish()?, turn.unwrap_or(Orientation::NoTransforms))
}

/// A row of samples, and whether their bytes go from high to low.
type Plane<'a> = (&'a [u8], bool);

/// Takes the place of a row's first pixel, and the row in each plane.
type RowVisitor<'a> = dyn FnMut((u32, u32), &[Plane<'_>]) + 'a;

/// Shows each row of each strip or tile, with the place of its first pixel.
fn each_row(stored: &mut dyn Stored, layout: &Layout, see: &mut RowVisitor<'_>) -> Result<()> {
    let mut chunks = Chunks::of(stored, layout)?;
    let planes = if layout.is_planar { layout.used() } else { 1 };
    let table = &layout.chunks;
    let in_plane = table.across as usize * table.down as usize;
    for down in 0..table.down {
        let top = down * table.height;
        let rows = table.height.min(layout.height - top);
        for across in 0..table.across {
            let index = (down * table.across + across) as usize;
            let planes = (0..planes).map(|plane| chunks.read(plane * in_plane + index, rows));
            let planes = planes.collect::<Result<Vec<_>>>()?;
            show(&planes, (across * table.width, top), rows, layout, see)?;
        }
    }
    Ok(())
}

fn show(planes: &[Chunk], (left, top): (u32, u32), rows: u32, layout: &Layout, see: &mut RowVisitor<'_>) -> Result<()> {
    let mut shown = Vec::with_capacity(planes.len());
    for row in 0..rows {
        shown.clear();
        shown.extend(planes.iter().filter_map(|plane| Some((plane.row(row)?, plane.is_big_endian))));
        if shown.len() < planes.len() {
            let there = planes.iter().map(Chunk::rows).min().unwrap_or(0);
            return Err(cut_off("TIFF", u64::from(top + there), layout.height.into()));
        }
        see((left, top + row), &shown);
    }
    Ok(())
}

/// Puts rows of samples into a picture.
struct Painter<'a> {
    layout: &'a Layout,
    samples: Samples,
    /// Interleaved, with transparency where the file has it.
    pixels: Vec<u8>,
    /// The samples of a row, which are pixels one after the other, and those of one plane.
    row: Vec<u8>,
    plane: Vec<u8>,
}

impl<'a> Painter<'a> {
    fn of(layout: &'a Layout, samples: Samples) -> Result<Self> {
        let channels = if layout.alpha.is_some() { 4 } else { 3 };
        // Within the limits: the size was checked.
        let size = layout.width as usize * layout.height as usize * channels;
        let pixels = buffer::filled(size, 0, pixels::WHAT)?;
        Ok(Self { layout, samples, pixels, row: Vec::new(), plane: Vec::new() })
    }

    fn paint(&mut self, (left, top): (u32, u32), planes: &[Plane<'_>]) {
        let layout = self.layout;
        let columns = layout.chunks.width.min(layout.width - left) as usize;
        let channels = if layout.alpha.is_some() { 4 } else { 3 };
        let start = (top as usize * layout.width as usize + left as usize) * channels;
        self.read(planes, columns);
        let step = if layout.is_planar { layout.used() } else { layout.samples };
        let target = self.pixels[start..start + columns * channels].chunks_exact_mut(channels);
        let pixels = target.zip(self.row.chunks_exact(step));
        let alpha_of = |samples: &[u8]| samples.get(layout.colour.samples()).copied().unwrap_or(255);
        if let (Colour::Palette(palette), [(row, _), ..]) = (&layout.colour, planes) {
            let values = self.samples.whole(row).step_by(layout.interleaved());
            for ((pixel, samples), value) in pixels.zip(values) {
                // The palette has a colour for each value that the bits can hold.
                let rgb = palette.get(usize::from(value)).copied().unwrap_or_default();
                put(pixel, rgb, alpha_of(samples), layout.alpha);
            }
            return;
        }
        for (pixel, samples) in pixels {
            put(pixel, layout.colour.rgb(samples), alpha_of(samples), layout.alpha);
        }
    }

    /// Fills the row with samples of 8 bits.
    fn read(&mut self, planes: &[Plane<'_>], columns: usize) {
        if let [(row, is_big_endian)] = planes {
            self.samples.is_big_endian = *is_big_endian;
            self.samples.read(row, columns * self.layout.samples, &mut self.row);
            return;
        }
        self.row.clear();
        self.row.resize(columns * planes.len(), 0);
        for (index, (row, is_big_endian)) in planes.iter().enumerate() {
            self.samples.is_big_endian = *is_big_endian;
            self.samples.read(row, columns, &mut self.plane);
            let places = self.row.iter_mut().skip(index).step_by(planes.len());
            places.zip(&self.plane).for_each(|(place, value)| *place = *value);
        }
    }

    fn finish(self) -> Result<Picture> {
        let Layout { width, height, .. } = *self.layout;
        let mut pixels = self.pixels;
        if self.layout.alpha == Some(Alpha::Undeclared) && pixels.iter().skip(3).step_by(4).all(|alpha| *alpha == 0) {
            // A sample that nobody used.
            pixels.iter_mut().skip(3).step_by(4).for_each(|alpha| *alpha = 255);
        }
        match self.layout.alpha {
            Some(_) => Picture::from_interleaved(width, height, 4, &pixels),
            None => Picture::from_rgb(width, height, pixels),
        }
    }
}

fn put(pixel: &mut [u8], rgb: [u8; 3], alpha: u8, kind: Option<Alpha>) {
    match kind {
        Some(kind) => pixel.copy_from_slice(&undo_alpha(rgb, alpha, kind)),
        None => pixel.copy_from_slice(&rgb),
    }
}

#[cfg(test)]
mod tests;
