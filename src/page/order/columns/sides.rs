//! The two sides of a gutter: columns of text, or cells of a table, items and prices, labels and fields.

use crate::page::order::frame::Place;
use crate::page::order::rows::{self, Row};

/// A column has at least so many lines of running text. Two lines beside two others are as likely cells of a table.
pub(super) const FEWEST_LINES: usize = 3;

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

/// The part of the lines that may be level with one in the other column; if more are, they may be rows of a table.
const ROWS: f64 = 0.75;

/// Then they are columns all the same where half of the lines fill this part of their column.
const FILLED: f64 = 0.75;

/// Rows that are further apart, in heights, are those of a form. Text in columns is set closely.
const LOOSE: f64 = 2.2;

/// One side of a gutter.
pub(super) struct Side<'a> {
    places: &'a [Place],
    unit: f64,
}

impl<'a> Side<'a> {
    /// Makes a side of places in a region whose lines are `unit` high.
    pub(super) fn of(places: &'a [Place], unit: f64) -> Self {
        Self { places, unit }
    }

    /// Returns true if both are columns of text.
    pub(super) fn is_column_beside(&self, other: &Self) -> bool {
        if !self.is_running(FEWEST_LINES) || !other.is_running(FEWEST_LINES) {
            return false;
        }
        let (fewer, more) = if self.places.len() <= other.places.len() { (self, other) } else { (other, self) };
        let distances = fewer.distances(more);
        let part = |bound: f64| {
            let within = distances.iter().filter(|distance| **distance <= bound * self.unit);
            within.count() as f64 / distances.len() as f64
        };
        part(NEAR) >= BESIDE && (part(LEVEL) <= ROWS || self.is_filled() && other.is_filled())
    }

    /// Returns true if at least so many lines, and most of the text, are running text.
    pub(super) fn is_running(&self, fewest: usize) -> bool {
        let is_running = |place: &&Place| place.is_prose && place.width() >= RUNNING * self.unit;
        let running: Vec<f64> = self.places.iter().filter(is_running).map(Place::width).collect();
        let all: f64 = self.places.iter().map(Place::width).sum();
        running.len() >= fewest && running.iter().sum::<f64>() >= MOSTLY * all
    }

    /// Returns the distance, above or below, of each of its lines to the nearest one of the other side.
    fn distances(&self, other: &Self) -> Vec<f64> {
        let mut middles: Vec<f64> = other.places.iter().map(Place::middle).collect();
        middles.sort_by(f64::total_cmp);
        let distance = |place: &Place| {
            let after = middles.partition_point(|&other| other < place.middle());
            let around = middles[after.saturating_sub(1)..].iter().take(2);
            around.map(|other| (other - place.middle()).abs()).fold(f64::INFINITY, f64::min)
        };
        self.places.iter().map(distance).collect()
    }

    /// Returns true if its lines are about as wide as the column and close to each other, as those of a text are and
    /// those of a table or a form are not.
    fn is_filled(&self) -> bool {
        let rows = rows::of(self.places.to_vec());
        let left = rows.iter().map(|row| row.left).fold(f64::INFINITY, f64::min);
        let right = rows.iter().map(|row| row.right).fold(f64::NEG_INFINITY, f64::max);
        let fill = median(rows.iter().map(|row| row.fill(right - left)));
        let pitch = median(rows.windows(2).map(|pair| Row::pitch(&pair[0], &pair[1])));
        fill.is_some_and(|fill| fill >= FILLED) && pitch.is_some_and(|pitch| pitch <= LOOSE)
    }
}

pub(super) fn median(values: impl Iterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.collect();
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
