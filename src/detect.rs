//! Detection: a picture to the regions that hold text, one a line.

pub mod db;

use crate::error::Result;
use crate::geometry::Quad;
use crate::image::Picture;
use crate::image::tensor::{Scaling, Window, resize, to_bgr_planes};
use crate::models::Role;
use crate::models::session::Model;
use crate::models::spec;
use crate::options::DetectOptions;

/// A part of the picture that holds one line of text, or a piece of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Its outline in pixels of the picture, as if the text ran from left to right.
    pub quad: Quad,
    /// Mean text probability inside of it.
    pub score: f32,
}

/// The sides of what a detector takes are multiples of this: its features are 32 times coarser than the picture.
const STRIDE: u32 = 32;

/// Pictures more elongated than this are given a margin: text that fills a picture from edge to edge has no outline to
/// be found. The ratio is RapidOCR's.
const MAX_ASPECT: u32 = 8;

/// A DB text detector: PP-OCR's of any version.
pub struct Detector {
    model: Box<dyn Model>,
}

impl Detector {
    /// Takes a model after checking that it is a detector.
    ///
    /// # Errors
    /// [`crate::ErrorKind::ModelMismatch`] when inputs or outputs are not `[N, 3, H, W]` and `[N, 1, H, W]`.
    pub fn new(model: Box<dyn Model>) -> Result<Self> {
        spec::check(model.spec(), Role::Detector)?;
        Ok(Self { model })
    }

    /// Finds regions, in no particular order.
    ///
    /// # Errors
    /// What the model's run returns.
    pub fn detect(&mut self, picture: &Picture, options: &DetectOptions) -> Result<Vec<Region>> {
        let padded = with_margin(picture)?;
        let (seen, margin) = padded.as_ref().map_or((picture, (0, 0)), |(padded, margin)| (padded, *margin));
        let (width, height) = input_size(seen.width(), seen.height(), options);
        let input = to_bgr_planes(&resize(seen, Window::whole(seen), width, height, Scaling::Smooth)?, width as usize)?;
        let (columns, rows) = (width as usize, height as usize);
        let mut regions = Vec::new();
        self.model.run(spec::input(&[1, 3, rows, columns], &input), &mut |output| {
            regions = db::regions(spec::plane(output, columns, rows)?, columns, options);
            Ok(())
        })?;
        let (sx, sy) = (seen.width() as f32 / width as f32, seen.height() as f32 / height as f32);
        let (right, bottom) = (picture.width() as f32, picture.height() as f32);
        for region in &mut regions {
            let moved = region.quad.scaled(sx, sy).shifted(-(margin.0 as f32), -(margin.1 as f32));
            region.quad = moved.clamped(right, bottom);
        }
        regions.retain(|region| region.quad.width() >= 1.0 && region.quad.height() >= 1.0);
        Ok(regions)
    }
}

/// Width and height that the detector sees of a picture.
pub fn input_size(width: u32, height: u32, options: &DetectOptions) -> (u32, u32) {
    let (short, long) = (f64::from(width.min(height)), f64::from(width.max(height)));
    let enlarged = (f64::from(options.min_side) / short).max(1.0);
    let scale = enlarged.min(f64::from(options.max_side) / long);
    let side = |length: u32| {
        let steps = (f64::from(length) * scale / f64::from(STRIDE)).round();
        (steps as u32).max(1) * STRIDE
    };
    (side(width), side(height))
}

/// The picture in the middle of a larger one, and the (left, top) margin; `None` where it needs none.
fn with_margin(picture: &Picture) -> Result<Option<(Picture, (u32, u32))>> {
    let (width, height) = (picture.width(), picture.height());
    let margin = if width > height.saturating_mul(MAX_ASPECT) {
        (0, (width / (MAX_ASPECT / 2) - height) / 2)
    } else if height > width.saturating_mul(MAX_ASPECT) {
        ((height / (MAX_ASPECT / 2) - width) / 2, 0)
    } else {
        return Ok(None);
    };
    Ok(Some((framed(picture, margin)?, margin)))
}

/// A frame in the colour of the border's mean around the picture.
fn framed(picture: &Picture, (left, top): (u32, u32)) -> Result<Picture> {
    let (width, height) = (picture.width() + 2 * left, picture.height() + 2 * top);
    let colour = border_colour(picture);
    let row_bytes = 3 * picture.width() as usize;
    let side: Vec<u8> = colour.iter().copied().cycle().take(3 * left as usize).collect();
    let band: Vec<u8> = colour.iter().copied().cycle().take(3 * width as usize * top as usize).collect();
    let mut pixels = Vec::with_capacity(3 * width as usize * height as usize);
    pixels.extend(&band);
    for row in picture.pixels().chunks_exact(row_bytes) {
        pixels.extend(&side);
        pixels.extend(row);
        pixels.extend(&side);
    }
    pixels.extend(&band);
    Picture::from_rgb(width, height, pixels)
}

fn border_colour(picture: &Picture) -> [u8; 3] {
    let row_bytes = 3 * picture.width() as usize;
    let pixels = picture.pixels();
    let edges = [&pixels[..row_bytes], &pixels[pixels.len() - row_bytes..]];
    let mut sums = [0u64; 3];
    for pixel in edges.iter().flat_map(|edge| edge.chunks_exact(3)) {
        for (sum, &value) in sums.iter_mut().zip(pixel) {
            *sum += u64::from(value);
        }
    }
    sums.map(|sum| (sum / (2 * u64::from(picture.width()))) as u8)
}
