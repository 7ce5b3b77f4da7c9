//! Columns: where text stands beside other text, and is read to its end before the other is begun.

mod gutters;
mod sides;

use super::frame::Place;
use gutters::{Band, Gutter};
use sides::{FEWEST_LINES, Side};

/// Cuts within cuts. Real pages have three or four: what is below a heading, its columns, and a third one of them.
const MOST_CUTS: usize = 24;

/// Of all gutters that a region has, so many are looked at, the tallest first.
const MOST_TRIED: usize = 32;

/// A first or last row is no part of the columns when this much is between it and the next one, in heights.
const APART: f64 = 1.5;

/// Regions without columns, one after the other as they are read.
pub(super) fn regions(places: Vec<Place>) -> Vec<Vec<Place>> {
    let mut regions = Vec::new();
    cut(places, 0, &mut regions);
    regions
}

fn cut(places: Vec<Place>, depth: usize, regions: &mut Vec<Vec<Place>>) {
    if places.is_empty() {
        return;
    }
    match if depth < MOST_CUTS { parts(&places) } else { None } {
        Some(parts) => parts.into_iter().for_each(|part| cut(part, depth + 1, regions)),
        None => regions.push(places),
    }
}

/// Parts the places into those above a gutter between columns, on its left, on its right, and below it, if there is
/// one.
fn parts(places: &[Place]) -> Option<[Vec<Place>; 4]> {
    if places.len() < 2 * FEWEST_LINES {
        return None;
    }
    let region = Region::of(places)?;
    let gutters = region.gutters();
    gutters.iter().take(MOST_TRIED).find_map(|gutter| {
        let gutter = region.trimmed(gutter);
        let [left, right] = region.sides(&gutter);
        let beside = gutter.places(&region.bands);
        let (above, below) = (&region.places[..beside.start], &region.places[beside.end..]);
        let are_columns = Side::of(&left, region.unit).is_column_beside(&Side::of(&right, region.unit));
        are_columns.then(|| [above.to_vec(), left, right, below.to_vec()])
    })
}

/// A part of the page that may have columns.
struct Region {
    /// From top to bottom.
    places: Vec<Place>,
    /// At least one.
    bands: Vec<Band>,
    /// The height of its lines.
    unit: f64,
}

impl Region {
    /// Makes a block of places; `None` without any.
    fn of(places: &[Place]) -> Option<Self> {
        let unit = sides::median(places.iter().map(Place::height))?;
        let (places, bands) = gutters::bands(places, unit);
        Some(Self { places, bands, unit })
    }

    /// Returns its gutters, the tallest first.
    fn gutters(&self) -> Vec<Gutter> {
        let mut gutters = gutters::between(&self.places, &self.bands, self.unit);
        gutters.sort_by(|a, b| b.height(&self.bands).total_cmp(&a.height(&self.bands)));
        gutters
    }

    fn sides(&self, gutter: &Gutter) -> [Vec<Place>; 2] {
        let beside = &self.places[gutter.places(&self.bands)];
        let (left, right) = beside.iter().partition(|place| gutter.has_on_its_left(place));
        [left, right]
    }

    /// Returns the gutter without rows at its ends that belong to what is above or below the columns: a date on the
    /// right over a letter, the last line of a full-width paragraph, the number of the page.
    fn trimmed(&self, gutter: &Gutter) -> Gutter {
        let mut trimmed = gutter.clone();
        while trimmed.bands.len() > 1 {
            let (first, last) = (trimmed.bands.start, trimmed.bands.end - 1);
            let above = first.checked_sub(1).map(|above| self.gap(above));
            if self.is_outside(gutter, first, self.gap(first), above) {
                trimmed.bands.start += 1;
                continue;
            }
            let below = (last + 1 < self.bands.len()).then(|| self.gap(last));
            if !self.is_outside(gutter, last, self.gap(last - 1), below) {
                break;
            }
            trimmed.bands.end -= 1;
        }
        trimmed
    }

    /// Returns the free space below a band, as far as the middle halves of lines, which bands are drawn around.
    fn gap(&self, upper: usize) -> f64 {
        self.bands[upper + 1].top - self.bands[upper].bottom
    }

    /// Returns true if a band at the end of a gutter is a row that does not belong to the columns, by what is free
    /// between it and the next one of them, and between it and what is outside.
    fn is_outside(&self, gutter: &Gutter, band: usize, inner: f64, outer: Option<f64>) -> bool {
        let [left, right] = self.sides(&Gutter { bands: band..band + 1, ..*gutter });
        let is_closer = (left.is_empty() || right.is_empty()) && outer.is_some_and(|outer| outer < inner);
        let is_apart = inner > (APART + 0.5) * self.unit;
        let is_text = || [&left, &right].into_iter().all(|side| Side::of(side, self.unit).is_running(1));
        self.bands[band].is_row(self.unit) && (is_closer || is_apart && !is_text())
    }
}
