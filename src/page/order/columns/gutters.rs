//! Gutters: tall stretches of a region in which nothing stands.

use std::ops::Range;

use crate::page::order::frame::Place;

/// A gutter is at least so many heights wide. Spaces between words are narrower, and columns of newspapers are one
/// height apart.
const GUTTER: f64 = 0.75;

/// Whitespace is looked for on a grid of this part of the height...
const CELL: f64 = 0.125;

/// ...and of at most so many cells, for regions that are extremely wide. 1,024 are 128 heights, a wide table.
const MOST_CELLS: f64 = 1024.0;

/// A stretch of a region from its left to its right, between two horizontal lines that cross no text.
#[derive(Debug, Clone)]
pub(super) struct Band {
    /// Which places stand in it.
    pub(super) places: Range<usize>,
    pub(super) top: f64,
    pub(super) bottom: f64,
}

impl Band {
    /// Whether it is as high as a single row.
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

    /// Which places stand on its left and right.
    pub(super) fn places(&self, bands: &[Band]) -> Range<usize> {
        bands[self.bands.start].places.start..bands[self.bands.end - 1].places.end
    }

    pub(super) fn has_on_its_left(&self, place: &Place) -> bool {
        place.center() < self.x
    }
}

/// The stretch of a line that makes bands: the middle half, since outlines of lines that are set closely overlap. Of
/// what is much higher than a line, such as an initial, only as much as a line's height.
fn core(place: &Place, unit: f64) -> (f64, f64) {
    let reach = (place.height() / 4.0).min(unit / 2.0);
    (place.middle() - reach, place.middle() + reach)
}

/// The places from top to bottom, and the bands that they stand in.
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

/// Every gutter, each as tall as it can be.
pub(super) fn between(places: &[Place], bands: &[Band], unit: f64) -> Vec<Gutter> {
    let Some(grid) = Grid::of(places, unit) else { return Vec::new() };
    let mut open: Vec<Option<usize>> = vec![None; grid.cells];
    let mut gutters = Vec::new();
    for (i, band) in bands.iter().enumerate() {
        let free = grid.free(&places[band.places.clone()]);
        close(&mut open, &free, |cells, start| gutters.push(grid.gutter(cells, start..i)));
        open.iter_mut().zip(&free).filter(|(_, free)| **free).for_each(|(open, _)| *open = open.or(Some(i)));
    }
    let end = bands.len();
    close(&mut open, &vec![false; grid.cells], |cells, start| gutters.push(grid.gutter(cells, start..end)));
    gutters
}

/// Tells of neighbouring cells that have been open since the same band and are free no more.
fn close(open: &mut [Option<usize>], free: &[bool], mut ends: impl FnMut(Range<usize>, usize)) {
    let mut run: Option<(Range<usize>, usize)> = None;
    for (cell, open) in open.iter_mut().enumerate() {
        let start = if free[cell] { None } else { open.take() };
        run = match (run, start) {
            (Some((cells, since)), Some(start)) if since == start => Some((cells.start..cell + 1, since)),
            (run, start) => {
                run.into_iter().for_each(|(cells, since)| ends(cells, since));
                start.map(|start| (cell..cell + 1, start))
            }
        };
    }
    run.into_iter().for_each(|(cells, since)| ends(cells, since));
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
    /// `None` for places that have no extent.
    fn of(places: &[Place], unit: f64) -> Option<Self> {
        let left = places.iter().map(|place| place.left).fold(f64::INFINITY, f64::min);
        let right = places.iter().map(|place| place.right).fold(f64::NEG_INFINITY, f64::max);
        let cell = (CELL * unit).max((right - left) / MOST_CELLS);
        let is_usable = cell > 0.0 && cell.is_finite();
        let cells = ((right - left) / cell).ceil();
        let gutter = (GUTTER * unit / cell).round().max(1.0) as usize;
        is_usable.then_some(Self { left, cell, cells: cells.clamp(1.0, MOST_CELLS) as usize, gutter })
    }

    /// Of each cell, whether it and those after it are a gutter among these places.
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

    fn gutter(&self, cells: Range<usize>, bands: Range<usize>) -> Gutter {
        let middle = (cells.start + cells.end - 1 + self.gutter) as f64 / 2.0;
        Gutter { x: self.left + middle * self.cell, bands }
    }
}
