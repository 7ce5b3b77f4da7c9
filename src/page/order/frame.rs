//! The frame in which a page stands upright and its lines lie level.

use std::cmp::Ordering;

use crate::geometry::{Point, Quad};
use crate::page::line::Line;

/// A line across all others is read by itself when it is as long as so many lines are high. Shorter ones are headings
/// of a table's narrow columns, numbers stamped on a form, or single characters, which look as if they ran down the
/// page: they are read where they stand.
const LONG: f32 = 10.0;

/// A quarter turn and a skew. Quarter turns are exact, and so is the whole frame for a page without skew: the same page
/// elsewhere, or turned, has the same places.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame {
    /// By how many quarters clockwise the text is turned.
    turn: usize,
    /// The point that the skew turns around, after the quarter turn: the top left of everything.
    origin: (f64, f64),
    /// Cosine and sine of the skew.
    skew: (f64, f64),
}

impl Frame {
    /// Returns the frame of most of the text in `quads`, each counting by its length.
    pub(super) fn of<'a>(quads: impl Iterator<Item = &'a Quad> + Clone) -> Self {
        let turn = main_turn(quads.clone());
        let slope = slope(quads.clone(), turn);
        let length = slope.hypot(1.0);
        let corners = quads.flat_map(|quad| quad.0).map(|corner| upright(corner, turn));
        let origin = corners.fold((f64::INFINITY, f64::INFINITY), |low, (x, y)| (low.0.min(x), low.1.min(y)));
        Self { turn, origin, skew: (1.0 / length, slope / length) }
    }

    fn enter(&self, point: Point) -> (f64, f64) {
        let ((x, y), (cos, sin)) = (upright(point, self.turn), self.skew);
        let (x, y) = (x - self.origin.0, y - self.origin.1);
        (x * cos + y * sin, y * cos - x * sin)
    }

    fn leave(&self, (x, y): (f64, f64)) -> Point {
        let (cos, sin) = self.skew;
        let (x, y) = (x * cos - y * sin + self.origin.0, y * cos + x * sin + self.origin.1);
        let (x, y) = turned_back((x, y), 4 - self.turn);
        Point::new(x as f32, y as f32)
    }

    /// Compares in any total order of outlines that the frame's quarter turn and place do not change.
    pub(super) fn compare(&self, one: &Quad, other: &Quad) -> Ordering {
        let flat = |quad: &Quad| quad.0.map(|corner| self.enter(corner));
        let corners = flat(one).into_iter().zip(flat(other));
        corners.fold(Ordering::Equal, |order, ((x, y), (u, v))| {
            order.then_with(|| x.total_cmp(&u)).then_with(|| y.total_cmp(&v))
        })
    }
}

/// The place of a line in the frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place {
    /// The index of the line.
    pub(super) line: usize,
    pub(super) left: f64,
    pub(super) top: f64,
    pub(super) right: f64,
    pub(super) bottom: f64,
    /// The line's turn in quarters, whatever the frame's is.
    pub(super) turn: usize,
    /// True if it is written in letters, more than in digits.
    pub(super) is_prose: bool,
}

impl Place {
    pub(super) fn of(line: usize, content: &Line, frame: &Frame) -> Self {
        let corners = content.quad.0.map(|corner| frame.enter(corner));
        // The edges' middles: the box around a line that is still a little askew would reach into its neighbours.
        let edges = |mut values: [f64; 4]| {
            values.sort_by(f64::total_cmp);
            ((values[0] + values[1]) / 2.0, (values[2] + values[3]) / 2.0)
        };
        let ((left, right), (top, bottom)) =
            (edges(corners.map(|corner| corner.0)), edges(corners.map(|corner| corner.1)));
        let turn = turn_of(&content.quad).unwrap_or(frame.turn);
        Self { line, left, top, right, bottom, turn, is_prose: is_prose(&content.text) }
    }

    /// Returns the place as a mirror shows it: text that runs to the left is put in order like text that runs to the
    /// right.
    pub(super) fn mirrored(self) -> Self {
        Self { left: -self.right, right: -self.left, ..self }
    }

    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    pub(super) fn height(&self) -> f64 {
        self.bottom - self.top
    }

    pub(super) fn middle(&self) -> f64 {
        (self.top + self.bottom) / 2.0
    }

    pub(super) fn center(&self) -> f64 {
        (self.left + self.right) / 2.0
    }

    pub(super) fn compare(&self, other: &Self) -> Ordering {
        let keys = |place: &Self| [place.top, place.left, place.bottom, place.right];
        let pairs = keys(self).into_iter().zip(keys(other));
        pairs.fold(Ordering::Equal, |order, (a, b)| order.then_with(|| a.total_cmp(&b)))
    }
}

/// Returns the length that two stretches have in common; negative for those that are apart.
pub(super) fn overlap((start, end): (f64, f64), (other_start, other_end): (f64, f64)) -> f64 {
    end.min(other_end) - start.max(other_start)
}

/// Returns the lines that run along or against most of the text, and those that run across it, each direction by
/// itself.
pub(super) fn directions(lines: &[Line]) -> Vec<Vec<usize>> {
    let main = main_turn(lines.iter().map(|line| &line.quad));
    let mut heights: Vec<f32> = lines.iter().map(|line| line.quad.height()).collect();
    heights.sort_by(f32::total_cmp);
    let long = heights.get(heights.len() / 2).map_or(0.0, |height| LONG * height);
    let mut directions = [const { Vec::new() }; 3];
    for (i, Line { quad, .. }) in lines.iter().enumerate() {
        let direction = match turn_of(quad).map(|turn| (turn + 4 - main) % 4) {
            Some(across @ (1 | 3)) if quad.width() >= long => across.div_ceil(2),
            _ => 0,
        };
        directions[direction].push(i);
    }
    directions.into_iter().filter(|direction| !direction.is_empty()).collect()
}

/// Returns the smallest rectangle around lines whose sides run as their text does, its first corner at the text's top
/// left.
pub(super) fn outline(lines: &[Line]) -> Quad {
    let frame = Frame::of(lines.iter().map(|line| &line.quad));
    let corners = lines.iter().flat_map(|line| line.quad.0).map(|corner| frame.enter(corner));
    let empty = (f64::INFINITY, f64::INFINITY, f64::NEG_INFINITY, f64::NEG_INFINITY);
    let (left, top, right, bottom) =
        corners.fold(empty, |(l, t, r, b), (x, y)| (l.min(x), t.min(y), r.max(x), b.max(y)));
    Quad([(left, top), (right, top), (right, bottom), (left, bottom)].map(|corner| frame.leave(corner)))
}

/// Returns the quarters clockwise by which most of the text is turned, each line counting by its length.
fn main_turn<'a>(quads: impl Iterator<Item = &'a Quad>) -> usize {
    let mut lengths = [const { Vec::new() }; 4];
    for quad in quads {
        if let Some(turn) = turn_of(quad) {
            lengths[turn].push(f64::from(quad.width()));
        }
    }
    // Sorted, because a sum of the same numbers in another order may be another one.
    let sums = lengths.map(|mut lengths| {
        lengths.sort_by(f64::total_cmp);
        lengths.iter().sum::<f64>()
    });
    (0..4).fold(0, |best, turn| if sums[turn] > sums[best] { turn } else { best })
}

/// Returns the quarters clockwise by which a line is turned: `None` where it has no length.
fn turn_of(quad: &Quad) -> Option<usize> {
    let direction = direction(quad);
    (0..4).find(|&turn| {
        let (x, y) = turned_back(direction, turn);
        x > 0.0 && -x < y && y <= x
    })
}

/// Returns the way from the middle of the line's start to the middle of its end, times two.
fn direction(quad: &Quad) -> (f64, f64) {
    let [a, b, c, d] = quad.0.map(|corner| (f64::from(corner.x), f64::from(corner.y)));
    ((b.0 - a.0) + (c.0 - d.0), (b.1 - a.1) + (c.1 - d.1))
}

/// Returns the fall of the text for each pixel to the right once the page is turned upright: the median over all of its
/// length, since the outline of a short line says little.
fn slope<'a>(quads: impl Iterator<Item = &'a Quad>, turn: usize) -> f64 {
    let mut slopes: Vec<(f64, f64)> = quads
        .map(|quad| turned_back(direction(quad), turn))
        .filter(|(x, y)| x.abs() > 0.0 && y.abs() <= x.abs())
        .map(|(x, y)| (y / x, x.abs()))
        .collect();
    slopes.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let half = slopes.iter().map(|(_, weight)| weight).sum::<f64>() / 2.0;
    let mut seen = 0.0;
    let median = slopes.iter().find(|(_, weight)| {
        seen += weight;
        seen >= half
    });
    median.map_or(0.0, |(slope, _)| *slope)
}

fn upright(point: Point, turn: usize) -> (f64, f64) {
    turned_back((f64::from(point.x), f64::from(point.y)), turn)
}

/// Returns the point turned counterclockwise by quarters.
fn turned_back((x, y): (f64, f64), turn: usize) -> (f64, f64) {
    match turn % 4 {
        0 => (x, y),
        1 => (y, -x),
        2 => (-x, -y),
        _ => (-y, x),
    }
}

fn is_prose(text: &str) -> bool {
    let count = |is: fn(char) -> bool| text.chars().filter(|&c| is(c)).count();
    count(char::is_alphabetic) > count(char::is_numeric)
}
