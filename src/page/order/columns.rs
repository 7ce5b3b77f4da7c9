//! Columns: where text stands beside other text, and is read to its end before the other is begun.

use super::frame::Place;
use super::rows;
use super::rows::Row;

mod gutters;

use gutters::{Band, Gutter};

/// Cuts within cuts. Real pages have three or four: what is below a heading, its columns, and a third one of them.
const MOST_CUTS: usize = 24;

/// Of all gutters that a region has, so many are looked at, the tallest first.
const MOST_TRIED: usize = 32;

/// A column has at least so many lines of running text. Two lines beside two others are as likely cells of a table.
const FEWEST_LINES: usize = 3;

/// A line of running text is at least so many heights wide, about 16 Latin letters. Prices, dates and most labels of
/// forms are narrower.
const RUNNING: f64 = 8.0;

/// The part of a column's text, by length, that stands in such lines. The rest is headings, numbers of formulas and the
/// ends of paragraphs.
const MOSTLY: f64 = 0.6;

/// The part of the shorter column's lines that have text beside them.
const BESIDE: f64 = 0.5;

/// A line has another one beside it when that is within so many heights above or below. Lines of print are 1.2 to 1.6
/// heights apart, and columns have paragraphs.
const NEAR: f64 = 1.5;

/// Two lines are level when their middles differ by at most this part of the height. Of lines that have nothing to do
/// with each other half are.
const LEVEL: f64 = 0.35;

/// Where more than this part of the lines are level with one in the other column, they may be rows of a table.
const ROWS: f64 = 0.75;

/// Then they are columns all the same where half of the lines fill this part of their column.
const FILLED: f64 = 0.75;

/// Rows that are further apart, in heights, are those of a form. Text in columns is set closely.
const LOOSE: f64 = 2.2;

/// A first or last row is no part of the columns when this much is between it and the next one, in heights.
const APART: f64 = 1.5;

/// Regions without columns, one after the other as they are read.
pub(super) fn regions(places: Vec<Place>) -> Vec<Vec<Place>> {
    let mut regions = Vec::new();
    cut(places, 0, &mut regions);
    regions
}

fn cut(mut places: Vec<Place>, depth: usize, regions: &mut Vec<Vec<Place>>) {
    if places.is_empty() {
        return;
    }
    match if depth < MOST_CUTS { parts(&mut places) } else { None } {
        Some(parts) => parts.into_iter().for_each(|part| cut(part, depth + 1, regions)),
        None => regions.push(places),
    }
}

/// What is above a gutter, on its left, on its right, and below it, if there is one between columns.
fn parts(places: &mut [Place]) -> Option<[Vec<Place>; 4]> {
    if places.len() < 2 * FEWEST_LINES {
        return None;
    }
    let unit = median(places.iter().map(Place::height))?;
    let bands = gutters::bands(places, unit);
    let mut gutters = gutters::between(places, &bands, unit);
    gutters.sort_by(|a, b| b.height(&bands).total_cmp(&a.height(&bands)));
    let sides = |gutter: &Gutter| sides(places, &bands, gutter);
    let two_sided = gutters.iter().filter(|gutter| is_two_sided(places, &bands, gutter));
    two_sided.take(MOST_TRIED).find_map(|gutter| {
        let gutter = trimmed(gutter, places, &bands, unit);
        let [left, right] = sides(&gutter);
        let beside = gutter.range(&bands);
        let (above, below) = (&places[..beside.start], &places[beside.end..]);
        are_columns(&left, &right, unit).then(|| [above.to_vec(), left, right, below.to_vec()])
    })
}

fn sides(places: &[Place], bands: &[Band], gutter: &Gutter) -> [Vec<Place>; 2] {
    let (left, right) = gutter.places(places, bands).iter().partition(|place| place.center() < gutter.x);
    [left, right]
}

fn is_two_sided(places: &[Place], bands: &[Band], gutter: &Gutter) -> bool {
    let beside = gutter.places(places, bands);
    beside.iter().any(|place| place.center() < gutter.x) && beside.iter().any(|place| place.center() >= gutter.x)
}

/// The gutter without rows at its ends that belong to what is above or below the columns: a date on the right over a
/// letter, the last line of a full-width paragraph, the number of the page.
fn trimmed(gutter: &Gutter, places: &[Place], bands: &[Band], unit: f64) -> Gutter {
    let mut left = gutter.clone();
    while left.bands.len() > 1 {
        let (first, last) = (left.bands.start, left.bands.end - 1);
        let gap = |upper: usize| bands[upper + 1].top - bands[upper].bottom;
        let above = first.checked_sub(1).map(gap);
        let below = (last + 1 < bands.len()).then(|| gap(last));
        let is_outside = |band: usize, inner: f64, outer: Option<f64>| {
            let [on_left, on_right] = sides(places, bands, &Gutter { x: left.x, bands: band..band + 1 });
            let one_sided = on_left.is_empty() || on_right.is_empty();
            // Bands are drawn around the middle halves of lines.
            bands[band].is_row(unit)
                && (inner > (APART + 0.5) * unit && !(is_running(&on_left, 1, unit) && is_running(&on_right, 1, unit))
                    || one_sided && outer.is_some_and(|outer| outer < inner))
        };
        if is_outside(first, gap(first), above) {
            left.bands.start += 1;
        } else if is_outside(last, gap(last - 1), below) {
            left.bands.end -= 1;
        } else {
            break;
        }
    }
    left
}

fn are_columns(left: &[Place], right: &[Place], unit: f64) -> bool {
    if !is_running(left, FEWEST_LINES, unit) || !is_running(right, FEWEST_LINES, unit) {
        return false;
    }
    let (fewer, more) = if left.len() <= right.len() { (left, right) } else { (right, left) };
    let mut middles: Vec<f64> = more.iter().map(Place::middle).collect();
    middles.sort_by(f64::total_cmp);
    let within = |bound: f64| {
        let near = fewer.iter().filter(|place| distance(&middles, place.middle()) <= bound * unit);
        near.count() as f64 / fewer.len() as f64
    };
    within(NEAR) >= BESIDE && (within(LEVEL) <= ROWS || is_filled(left) && is_filled(right))
}

/// Whether at least so many lines, and most of the text, are running text.
fn is_running(side: &[Place], fewest: usize, unit: f64) -> bool {
    let running = side.iter().filter(|place| place.is_prose && place.width() >= RUNNING * unit);
    let (count, length) = running.fold((0, 0.0), |(count, length), place| (count + 1, length + place.width()));
    count >= fewest && length >= MOSTLY * side.iter().map(Place::width).sum::<f64>()
}

/// How far the nearest of some sorted numbers is.
fn distance(sorted: &[f64], number: f64) -> f64 {
    let after = sorted.partition_point(|&other| other < number);
    let nearest = sorted[after.saturating_sub(1)..].iter().take(2).map(|other| (other - number).abs());
    nearest.fold(f64::INFINITY, f64::min)
}

/// Whether its lines are about as wide as the column and close to each other, as those of a text are and those of a
/// table or a form are not.
fn is_filled(side: &[Place]) -> bool {
    let rows = rows::of(side.to_vec());
    let left = rows.iter().map(|row| row.left).fold(f64::INFINITY, f64::min);
    let right = rows.iter().map(|row| row.right).fold(f64::NEG_INFINITY, f64::max);
    let pitch = |pair: &[Row]| 2.0 * (pair[1].middle - pair[0].middle) / (pair[0].height + pair[1].height);
    median(rows.iter().map(|row| row.fill(right - left))).is_some_and(|fill| fill >= FILLED)
        && median(rows.windows(2).map(pitch)).is_some_and(|pitch| pitch <= LOOSE)
}

fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
