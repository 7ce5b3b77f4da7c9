//! Gutters: tall stretches of a region in which nothing stands.

use std::ops::Range;

use crate::page::order::frame::Place;

/// A gutter is at least so many heights wide. Spaces between words are narrower, and columns of newspapers are one
/// height apart.
const GUTTER: f64 = 0.75;

/// Whitespace is looked for on a grid of this part of the height...
const CELL: f64 = 0.125;

/// ...and of at most so many cells, for regions that are extremely wide. The pages that were looked at have up to 400.
const MOST_CELLS: f64 = 512.0;

/// A stretch of a region from its left to its right, between two horizontal lines that cross no text.
#[derive(Debug, Clone)]
pub(super) struct Band {
    /// The places in it.
    pub(super) places: Range<usize>,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Band {
    /// Returns true if it is as high as a single row.
    pub(super) fn is_row(&self, unit: f64) -> bool {
        self.bottom - self.top <= unit
    }
}

/// Whitespace around `x` through some bands.
#[derive(Debug, Clone)]
pub(super) struct Gutter {
    pub(super) x: f64,
    /// At least one.
    pub(super) bands: Range<usize>,
}

impl Gutter {
    pub(super) fn height(&self, bands: &[Band]) -> f64 {
        bands[self.bands.end - 1].bottom - bands[self.bands.start].top
    }

    /// Returns the places on its left and right.
    pub(super) fn places(&self, bands: &[Band]) -> Range<usize> {
        bands[self.bands.start].places.start..bands[self.bands.end - 1].places.end
    }

    pub(super) fn has_on_its_left(&self, place: &Place) -> bool {
        place.center() < self.x
    }
}

/// Returns the stretch of a line that makes bands: the middle half, since outlines of lines that are set closely
/// overlap. Of what is much higher than a line, such as an initial, only as much as a line's height.
fn core(place: &Place, unit: f64) -> (f64, f64) {
    let reach = (place.height() / 4.0).min(unit / 2.0);
    (place.middle() - reach, place.middle() + reach)
}

/// Returns the places from top to bottom, and the bands that they stand in.
pub(super) fn bands(places: &[Place], unit: f64) -> (Vec<Place>, Vec<Band>) {
    let mut places = places.to_vec();
    places.sort_by(|a, b| core(a, unit).0.total_cmp(&core(b, unit).0));
    let mut bands: Vec<Band> = Vec::new();
    for (i, place) in places.iter().enumerate() {
        let (top, bottom) = core(place, unit);
        match bands.last_mut() {
            Some(band) if top < band.bottom => {
                band.places.end = i + 1;
                band.bottom = band.bottom.max(bottom);
            }
            _ => bands.push(Band { places: i..i + 1, top, bottom }),
        }
    }
    (places, bands)
}

/// Returns every gutter with something on both sides, each as tall as it can be.
pub(super) fn between(places: &[Place], bands: &[Band], unit: f64) -> Vec<Gutter> {
    let Some(grid) = Grid::of(places, unit) else { return Vec::new() };
    let mut stretches: Vec<Option<Stretch>> = vec![None; grid.cells];
    let mut gutters = Vec::new();
    for (i, band) in bands.iter().enumerate() {
        let places = &places[band.places.clone()];
        let free = grid.free(places);
        grid.close(&mut stretches, &free, i, &mut gutters);
        let (left, right) = extent(places);
        for (cell, stretch) in stretches.iter_mut().enumerate().filter(|(cell, _)| free[*cell]) {
            let x = grid.x(cell);
            let stretch = stretch.get_or_insert(Stretch { start: i, has_left: false, has_right: false });
            stretch.has_left |= left < x;
            stretch.has_right |= right > x;
        }
    }
    grid.close(&mut stretches, &vec![false; grid.cells], bands.len(), &mut gutters);
    gutters
}

/// Returns the left and right end of the places.
fn extent(places: &[Place]) -> (f64, f64) {
    let empty = (f64::INFINITY, f64::NEG_INFINITY);
    places.iter().fold(empty, |(left, right), place| (left.min(place.left), right.max(place.right)))
}

/// Whitespace at a cell, from a band on.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Stretch {
    start: usize,
    /// True if something stands on its left.
    has_left: bool,
    has_right: bool,
}

/// A region's width in cells.
struct Grid {
    left: f64,
    cell: f64,
    cells: usize,
    /// Cells of the narrowest gutter.
    gutter: usize,
}

impl Grid {
    /// Makes them of places; `None` where these have no extent.
    fn of(places: &[Place], unit: f64) -> Option<Self> {
        let (left, right) = extent(places);
        let cell = (CELL * unit).max((right - left) / MOST_CELLS);
        let is_usable = cell > 0.0 && cell.is_finite();
        let cells = ((right - left) / cell).ceil();
        let gutter = (GUTTER * unit / cell).round().max(1.0) as usize;
        is_usable.then_some(Self { left, cell, cells: cells.clamp(1.0, MOST_CELLS) as usize, gutter })
    }

    /// Returns for each cell whether it and those after it are a gutter among these places.
    fn free(&self, places: &[Place]) -> Vec<bool> {
        let mut empty = vec![true; self.cells];
        for place in places {
            let [first, last] = [place.left, place.right].map(|x| ((x - self.left) / self.cell).floor() as usize);
            let last = last.min(self.cells - 1);
            empty[first.min(last)..=last].fill(false);
        }
        let mut length = 0;
        let mut free: Vec<bool> = empty
            .iter()
            .rev()
            .map(|&empty| {
                length = if empty { length + 1 } else { 0 };
                length >= self.gutter
            })
            .collect();
        free.reverse();
        free
    }

    /// Takes the stretches that end at a band, and makes a gutter of neighbouring ones that are alike.
    fn close(&self, stretches: &mut [Option<Stretch>], free: &[bool], end: usize, gutters: &mut Vec<Gutter>) {
        let mut last: Option<(usize, Stretch)> = None;
        for (cell, stretch) in stretches.iter_mut().enumerate().filter(|(cell, _)| !free[*cell]) {
            let Some(ended) = stretch.take().filter(|stretch| stretch.has_left && stretch.has_right) else { continue };
            match gutters.last_mut() {
                Some(gutter) if cell > 0 && last == Some((cell - 1, ended)) => gutter.x += self.cell / 2.0,
                _ => gutters.push(Gutter { x: self.x(cell), bands: ended.start..end }),
            }
            last = Some((cell, ended));
        }
    }

    /// Returns the middle of the narrowest gutter that begins at a cell.
    fn x(&self, cell: usize) -> f64 {
        self.left + (cell as f64 + self.gutter as f64 / 2.0) * self.cell
    }
}
