//! Paragraphs: rows one below the other that stand and look alike.

use super::frame::{Place, overlap};
use super::rows::Row;

/// A row that is more than so many times the usual distance below the one above begins a paragraph. The middles of
/// outlines vary by a tenth of it, with what reaches above and below the letters; half a line is the smallest space
/// that printers set between paragraphs.
const BREAK: f64 = 1.35;

/// Rows further apart than so many heights are not lines of one text. Typescripts with double spacing have 2.4.
const FURTHEST: f64 = 2.8;

/// The distance where a region and its page have too few rows to tell: ordinary print has 1.2 to 1.6 heights.
const USUAL: f64 = 1.6;

/// As many distances tell what is usual.
const ENOUGH: usize = 4;

/// Rows whose heights differ by more than this factor are in different print. Outlines of the same print differ by up
/// to 1.4: some lines have no letter that reaches up or down.
const OTHER_PRINT: f64 = 1.5;

/// The part of the shorter row's width that must be above or below the other.
const BELOW: f64 = 0.5;

/// A row that begins so many heights further to the right than its neighbours is the first one of a paragraph, and none
/// if it is much more: then it is centred, or a formula.
const INDENT: std::ops::Range<f64> = 0.6..8.0;

/// Of rows that begin or end together, edges differ by at most so many heights.
const EDGE: f64 = 0.7;

/// A line of justified text that ends so many heights before the margin is the last one of its paragraph.
const SHORT: f64 = 2.0;

/// Groups the rows of a region. `usual` is the page's distance between rows.
pub(super) fn of(rows: Vec<Row>, usual: Option<f64>) -> Vec<Vec<Place>> {
    let usual = pitch([rows.as_slice()].into_iter()).or(usual).unwrap_or(USUAL);
    let margins = Margins::of(&rows);
    let begins: Vec<bool> = (0..rows.len()).map(|i| begins(&rows, i, usual, margins.as_ref())).collect();
    let mut blocks: Vec<Vec<Place>> = Vec::new();
    for (row, begins) in rows.into_iter().zip(begins) {
        match blocks.last_mut() {
            Some(block) if !begins => block.extend(row.places),
            _ => blocks.push(row.places),
        }
    }
    blocks
}

/// Returns the usual distance from row to row in heights: the lower quartile, since some of them are between
/// paragraphs.
pub(super) fn pitch<'a>(regions: impl Iterator<Item = &'a [Row]>) -> Option<f64> {
    let mut pitches: Vec<f64> = regions
        .flat_map(|rows| rows.windows(2))
        .filter(|pair| are_alike(&pair[0], &pair[1]))
        .map(|pair| Row::pitch(&pair[0], &pair[1]))
        .filter(|pitch| *pitch <= FURTHEST)
        .collect();
    pitches.sort_by(f64::total_cmp);
    (pitches.len() >= ENOUGH).then(|| pitches[pitches.len() / 4])
}

fn begins(rows: &[Row], i: usize, usual: f64, margins: Option<&Margins>) -> bool {
    let Some(above) = i.checked_sub(1).map(|above| &rows[above]) else { return true };
    let distance = Row::pitch(above, &rows[i]);
    let is_near = distance <= FURTHEST && distance <= BREAK * usual;
    !is_near
        || !are_alike(above, &rows[i])
        || is_indented(above, &rows[i], rows.get(i + 1))
        || margins.is_some_and(|margins| margins.tell_apart(above, &rows[i]))
}

/// Returns true if both are lines of text in the same print and direction, one below the other.
fn are_alike(above: &Row, row: &Row) -> bool {
    let turn = |row: &Row| row.places.first().map(|place| place.turn);
    let common = overlap((above.left, above.right), (row.left, row.right));
    above.is_one_line()
        && row.is_one_line()
        && turn(above) == turn(row)
        && above.height.max(row.height) <= OTHER_PRINT * above.height.min(row.height)
        && common >= BELOW * above.width().min(row.width())
}

/// Returns true if the row begins further to the right than those around it, but ends as they do.
fn is_indented(above: &Row, row: &Row, below: Option<&Row>) -> bool {
    let Some(below) = below else { return false };
    let edge = EDGE * row.height;
    let begins_inside = |other: &Row| INDENT.contains(&((row.left - other.left) / row.height));
    (above.left - below.left).abs() <= edge
        && begins_inside(above)
        && begins_inside(below)
        && row.right >= above.right.max(below.right) - edge
}

/// The margins of justified text.
struct Margins {
    left: f64,
    right: f64,
}

impl Margins {
    /// Finds the margins; `None` unless at least half of the rows begin together, and half end together.
    fn of(rows: &[Row]) -> Option<Self> {
        let margin = |edge: fn(&Row) -> f64| {
            let mut edges: Vec<f64> = rows.iter().map(edge).collect();
            edges.sort_by(f64::total_cmp);
            let median = *edges.get(edges.len() / 2)?;
            let there = rows.iter().filter(|row| (edge(row) - median).abs() <= EDGE * row.height).count();
            (2 * there >= rows.len()).then_some(median)
        };
        Some(Self { left: margin(|row| row.left)?, right: margin(|row| row.right)? })
    }

    /// Returns true if a row is indented and the one above is a last one: paragraphs of one line, such as those of a
    /// dialogue.
    fn tell_apart(&self, above: &Row, row: &Row) -> bool {
        let (before, after) = (row.left - self.left, self.right - row.right);
        let is_centred = (before - after).abs() <= EDGE * row.height;
        let is_last = above.right < self.right - SHORT * above.height;
        is_last && !is_centred && INDENT.contains(&(before / row.height))
    }
}
