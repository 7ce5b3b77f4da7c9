//! Detection: a picture to the regions that hold text, one a line.

pub mod db;
mod region;
mod size;
mod tiles;

pub use region::Region;
use tiles::STRIDE;

use crate::buffer;
use crate::error::{Error, ErrorKind, Result};
use crate::geometry::Quad;
use crate::image::Picture;
use crate::image::tensor::{Scaling, Window, resize, to_bgr_planes};
use crate::image::warp::turned;
use crate::models::Role;
use crate::models::spec;
use crate::options::DetectOptions;
use crate::runtime::{Model, Sides, Tensor};
use crate::stop::Stop;

/// Pictures more elongated than this are given a margin: text that fills a picture from edge to edge has no outline to
/// be found. The ratio is RapidOCR's.
const MAX_ASPECT: u32 = 8;

/// The least height, in pixels, of a line that can be read.
const LEAST_LINE: u32 = 8;

/// The smallest side for a runtime that is best given few shapes. With it no side is longer than 1280, and those of
/// most pages are 960 or 1280, so a stack of them has one to three shapes.
const PLANNED_SIDE: usize = 320;

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

    /// Counts its sessions.
    pub fn sessions(&self) -> usize {
        self.model.sessions()
    }

    /// Finds regions, in no particular order, on a picture whose text is turned clockwise by `quarters`: it is shown to
    /// the model upright.
    ///
    /// # Errors
    /// The errors of the model's run.
    pub fn detect(
        &mut self,
        picture: &Picture,
        quarters: usize,
        options: &DetectOptions,
        stop: &Stop,
    ) -> Result<Vec<Region>> {
        let (view, shown) = seen(picture, quarters, options)?;
        let mut regions = self.regions(&shown, options, stop)?;
        let (right, bottom) = (picture.width() as f32, picture.height() as f32);
        for region in &mut regions {
            region.quad = view.to_picture(&region.quad, right, bottom).clamped(right, bottom);
        }
        regions.retain(|region| region.quad.width() >= 1.0 && region.quad.height() >= 1.0);
        Ok(regions)
    }

    /// Returns the regions on what is seen, in its pixels.
    fn regions(&mut self, shown: &Picture, options: &DetectOptions, stop: &Stop) -> Result<Vec<Region>> {
        let width = shown.width() as usize;
        let tiles = tiles::cover(shown.width(), shown.height(), options.max_side);
        if tiles.len() == 1 {
            return self.run(shown, stop, |map| db::regions(map, width, options, stop))?;
        }
        let mut map = buffer::filled(width * shown.height() as usize, 0.0, "the detector's map")?;
        for tile in tiles {
            self.run(&tile.of(shown)?, stop, |own| tile.put(own, &mut map, width))?;
        }
        db::regions(&map, width, options, stop)
    }

    /// Runs the model once; `take` is given the map.
    fn run<T>(&mut self, shown: &Picture, stop: &Stop, take: impl FnOnce(&[f32]) -> T) -> Result<T> {
        let padded = self.padded(shown)?;
        let input = padded.as_ref().unwrap_or(shown);
        let (columns, rows) = (input.width() as usize, input.height() as usize);
        let data = to_bgr_planes(input, columns)?;
        let (mut take, mut taken) = (Some(take), None);
        self.model.run(Tensor { shape: &[1, 3, rows, columns], data: &data }, stop, &mut |output| {
            let map = spec::plane(output, columns, rows)?;
            let own = padded.is_some().then(|| corner(map, columns, shown)).transpose()?;
            taken = take.take().map(|take| take(own.as_deref().unwrap_or(map)));
            Ok(())
        })?;
        taken.ok_or_else(|| Error::new(ErrorKind::Internal, "the detector gave nothing"))
    }

    /// Returns the picture in the upper left of one whose sides the model is best given, unless its own are that.
    fn padded(&self, shown: &Picture) -> Result<Option<Picture>> {
        let sides = self.model.spec().sides;
        if sides != Sides::Few {
            return Ok(None);
        }
        let side = |own: u32| sides.padded(own as usize, PLANNED_SIDE) as u32;
        let (width, height) = (side(shown.width()), side(shown.height()));
        let is_larger = (width, height) != (shown.width(), shown.height());
        is_larger.then(|| extended(shown, width, height)).transpose()
    }
}

/// Lays out the detector's view of a picture: at the size that the options set, or smaller where characters are
/// larger than they need be.
fn seen(picture: &Picture, quarters: usize, options: &DetectOptions) -> Result<(View, Picture)> {
    let (width, height) = (picture.width(), picture.height());
    let view = View::of(width, height, longest_side(width, height, options), options).turned(quarters);
    let shown = view.show(picture)?;
    let side = view.width.max(view.height);
    if side <= options.least_side {
        return Ok((view, shown));
    }
    let Some(characters) = size::character_height(&shown)? else { return Ok((view, shown)) };
    let wanted = side as f32 * options.character_height / characters;
    // Not for a step of the grid or two: what is seen is scaled once more.
    if wanted > side as f32 - 2.0 * STRIDE as f32 {
        return Ok((view, shown));
    }
    let view = View::of(width, height, (wanted as u32).max(options.least_side), options).turned(quarters);
    let shown = view.show(picture)?;
    Ok((view, shown))
}

/// The detector's view of a picture: the whole of it, scaled, in the middle of its input.
struct View {
    /// The input's size.
    width: u32,
    height: u32,
    /// The scaled picture's size; the rest is margin.
    inner_width: u32,
    inner_height: u32,
    /// By how many quarters clockwise the picture's text is turned: it is turned back by as many.
    quarters: usize,
}

impl View {
    /// Returns the view of a picture whose longer side may be so long for the detector.
    fn of(width: u32, height: u32, longest: u32, options: &DetectOptions) -> Self {
        // As if the picture had a margin that makes it half as elongated as is allowed, or wide enough.
        let least = |long: u32| {
            let is_elongated = long / MAX_ASPECT >= width.min(height);
            if is_elongated { (long / (MAX_ASPECT / 2)).min(options.least_width) } else { 1 }
        };
        let (outer_width, outer_height) = (width.max(least(height)), height.max(least(width)));
        let (seen_width, seen_height) = input_size(outer_width, outer_height, longest, options);
        let inner = |seen: u32, own: u32, outer: u32| {
            let scaled = f64::from(seen) * f64::from(own) / f64::from(outer);
            (scaled.round() as u32).clamp(1, seen)
        };
        Self {
            width: seen_width,
            height: seen_height,
            inner_width: inner(seen_width, width, outer_width),
            inner_height: inner(seen_height, height, outer_height),
            quarters: 0,
        }
    }

    /// Returns the view of the same picture, turned upright.
    fn turned(self, quarters: usize) -> Self {
        if quarters.is_multiple_of(2) {
            return Self { quarters, ..self };
        }
        let Self { width, height, inner_width, inner_height, .. } = self;
        Self { width: height, height: width, inner_width: inner_height, inner_height: inner_width, quarters }
    }

    /// Returns two lengths of the upright page as those of the picture, or the other way round.
    fn along_picture<T>(&self, (across, down): (T, T)) -> (T, T) {
        if self.quarters.is_multiple_of(2) { (across, down) } else { (down, across) }
    }

    /// Returns the left and top margin.
    fn margin(&self) -> (u32, u32) {
        ((self.width - self.inner_width) / 2, (self.height - self.inner_height) / 2)
    }

    fn show(&self, picture: &Picture) -> Result<Picture> {
        let (width, height) = self.along_picture((self.inner_width, self.inner_height));
        let scaled = resize(picture, Window::whole(picture), width, height, Scaling::Smooth)?;
        let scaled = turned(scaled, 4 - self.quarters)?;
        if (self.inner_width, self.inner_height) == (self.width, self.height) {
            return Ok(scaled);
        }
        framed(&scaled, self.width, self.height, self.margin())
    }

    fn to_picture(&self, quad: &Quad, width: f32, height: f32) -> Quad {
        let (left, top) = self.margin();
        let (width, height) = self.along_picture((width, height));
        let (sx, sy) = (width / self.inner_width as f32, height / self.inner_height as f32);
        quad.shifted(-(left as f32), -(top as f32)).scaled(sx, sy).turned(self.quarters, width, height)
    }
}

/// Returns the largest longer side of a picture for the detector: `max_side`, or more for an elongated one, so that its
/// shorter side stays `least_width` long.
fn longest_side(width: u32, height: u32, options: &DetectOptions) -> u32 {
    let (short, long) = (width.min(height), width.max(height));
    if short < LEAST_LINE {
        return options.max_side;
    }
    let aspect = f64::from(long) / f64::from(short.max(options.least_width.min(long / (MAX_ASPECT / 2))));
    let wanted = (f64::from(options.least_width) * aspect).min((options.max_area as f64 * aspect).sqrt());
    (wanted as u32).max(options.max_side)
}

/// Returns the width and height that the detector sees of a picture.
fn input_size(width: u32, height: u32, longest: u32, options: &DetectOptions) -> (u32, u32) {
    let (short, long) = (f64::from(width.min(height)), f64::from(width.max(height)));
    let enlarged = (f64::from(options.min_side) / short).min(f64::from(options.enlarged_side) / long).max(1.0);
    let scale = enlarged.min(f64::from(longest) / long);
    let side = |length: u32| {
        let steps = (f64::from(length) * scale / f64::from(STRIDE)).round();
        (steps as u32).max(1) * STRIDE
    };
    (side(width), side(height))
}

/// Returns the picture in the upper left of a larger one, over which its last column and its last row are repeated: an
/// edge that is no edge of the picture's would be seen as one of text. On 20 scenes F1 was .679 so, .649 with the
/// border's colour, .654 with grey, .670 with the picture mirrored, and .688 without padding; see docs/decisions.md.
fn extended(picture: &Picture, width: u32, height: u32) -> Result<Picture> {
    let row_bytes = 3 * width as usize;
    let mut pixels = buffer::empty(row_bytes * height as usize, "the extended picture")?;
    for row in picture.pixels().chunks_exact(3 * picture.width() as usize) {
        let last = &row[row.len() - 3..];
        pixels.extend_from_slice(row);
        (picture.width()..width).for_each(|_| pixels.extend_from_slice(last));
    }
    let last = pixels.len().saturating_sub(row_bytes);
    (picture.height()..height).for_each(|_| pixels.extend_from_within(last..last + row_bytes));
    Picture::from_rgb(width, height, pixels)
}

/// Returns the part of a map with rows of `width` values that shows the picture in its upper left.
fn corner(map: &[f32], width: usize, shown: &Picture) -> Result<Vec<f32>> {
    let (columns, rows) = (shown.width() as usize, shown.height() as usize);
    let mut own = buffer::empty(columns * rows, "the detector's map")?;
    map.chunks_exact(width).take(rows).for_each(|row| own.extend_from_slice(&row[..columns]));
    Ok(own)
}

/// Returns the picture on a larger one in the mean colour of its border.
fn framed(picture: &Picture, width: u32, height: u32, (left, top): (u32, u32)) -> Result<Picture> {
    let colour = border_colour(picture);
    let count = 3 * width as usize * height as usize;
    let mut pixels = buffer::collected(count, colour.into_iter().cycle(), "the framed picture")?;
    let own = 3 * picture.width() as usize;
    let rows = pixels.chunks_exact_mut(3 * width as usize).skip(top as usize);
    for (target, row) in rows.zip(picture.pixels().chunks_exact(own)) {
        let start = 3 * left as usize;
        target[start..start + own].copy_from_slice(row);
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_seen_is_bounded_and_leads_back(
            width in 1u32..70_000, height in 1u32..70_000, quarters in 0usize..4,
        ) {
            let options = DetectOptions::default();
            let view = View::of(width, height, longest_side(width, height, &options), &options).turned(quarters);
            let (short, long) = (view.width.min(view.height), view.width.max(view.height));
            prop_assert!(long <= options.max_side + STRIDE || short <= options.least_width + STRIDE);
            prop_assert!(u64::from(short - STRIDE / 2) * u64::from(long - STRIDE / 2) <= options.max_area);
            prop_assert!(view.width.is_multiple_of(STRIDE) && view.height.is_multiple_of(STRIDE));
            let (left, top) = view.margin();
            let (right, bottom) = (left + view.inner_width, top + view.inner_height);
            prop_assert!(right <= view.width && bottom <= view.height);
            let seen = Quad::upright(left as f32, top as f32, right as f32, bottom as f32);
            let found = view.to_picture(&seen, width as f32, height as f32);
            prop_assert_eq!(found.quarters(), quarters);
            let (_, _, right, bottom) = found.bounds();
            prop_assert!((right - width as f32).abs() < 0.01 * width as f32);
            prop_assert!((bottom - height as f32).abs() < 0.01 * height as f32);
        }
    }

    #[test]
    fn pages_with_large_characters_are_shown_smaller() {
        // Dark marks in rows, so wide and high, as far apart as they are large.
        let page = |side: u32, (w, h): (u32, u32)| {
            let grey = |i: u32| if i % side % (2 * w) < w && i / side % (2 * h) < h { 40 } else { 230 };
            Picture::from_rgb(side, side, (0..side * side).flat_map(|i| [grey(i); 3]).collect()).expect("a picture")
        };
        struct Case {
            name: &'static str,
            side: u32,
            mark: (u32, u32),
            seen: u32,
        }
        let cases = [
            Case { name: "small print", side: 1280, mark: (5, 8), seen: 1280 },
            Case { name: "ten pixels where eight are enough", side: 1280, mark: (6, 10), seen: 1024 },
            Case { name: "a gain too small for another look", side: 896, mark: (5, 8), seen: 896 },
            Case { name: "a headline", side: 1280, mark: (20, 40), seen: 736 },
            Case { name: "small as it is", side: 736, mark: (20, 40), seen: 736 },
        ];
        for case in cases {
            let (picture, options) = (page(case.side, case.mark), DetectOptions::default());
            let (view, shown) = seen(&picture, 0, &options).expect("it scales");
            assert_eq!((view.width, view.height), (case.seen, case.seen), "{}", case.name);
            assert_eq!(shown, view.show(&picture).expect("it scales"), "{}", case.name);
            let never = DetectOptions { character_height: f32::INFINITY, ..options };
            assert_eq!(seen(&picture, 0, &never).expect("it scales").0.width, case.side, "{}", case.name);
        }
    }

    #[test]
    fn small_pictures_are_enlarged_and_long_ones_stay_wide_enough() {
        let sizes = [
            ((100, 100), (736, 736)),
            ((600, 400), (960, 640)),
            ((340, 76), (960, 224)),
            ((1100, 500), (1088, 512)),
            ((3000, 1000), (1280, 416)),
            ((1000, 3000), (416, 1280)),
            ((1080, 12_000), (384, 4256)),
            ((12_000, 300), (12_000, 288)),
            ((5, 12_000), (32, 1280)),
        ];
        for ((width, height), seen) in sizes {
            let options = DetectOptions::default();
            let longest = longest_side(width, height, &options);
            assert_eq!(input_size(width, height, longest, &options), seen, "{width}x{height}");
        }
    }

    #[test]
    fn a_picture_is_extended_by_its_last_column_and_row_and_cut_out_again() {
        let picture = Picture::from_rgb(2, 2, (1..=12).collect()).expect("a picture");
        let extended = extended(&picture, 3, 4).expect("there is memory");
        let rows = [[1, 2, 3, 4, 5, 6, 4, 5, 6], [7, 8, 9, 10, 11, 12, 10, 11, 12]];
        assert_eq!(extended.pixels(), [rows[0], rows[1], rows[1], rows[1]].concat());
        let map: Vec<f32> = (0..12u8).map(f32::from).collect();
        assert_eq!(corner(&map, 3, &picture).expect("there is memory"), [0.0, 1.0, 3.0, 4.0]);
    }

    #[test]
    fn only_elongated_pictures_get_a_margin() {
        let options = DetectOptions::default();
        for (width, height, margin) in [(800, 800, false), (800, 101, false), (800, 99, true), (12, 4000, true)] {
            let view = View::of(width, height, longest_side(width, height, &options), &options);
            assert_eq!(view.margin() != (0, 0), margin, "{width}x{height}");
        }
    }
}
