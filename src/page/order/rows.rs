//! Rows: lines side by side, which are read from left to right.

use super::frame::{Place, overlap};

/// Two lines stand in one row when their vertical overlap is at least this part of the lower one's height. Half is the
/// natural bound: below it a line belongs more to the row above or below.
const SAME_ROW: f64 = 0.5;

/// Two lines are one above the other, not side by side, when their horizontal overlap is more than this part of the
/// shorter one's width. Neighbours in a row overlap a little where their outlines were drawn generously.
const STACKED: f64 = 0.5;

/// A gap of fewer heights is one between words: the detector splits lines at wide spaces, such as those after a number
/// or a full stop in justified text.
const WORD_GAP: f64 = 1.5;

/// Lines of one row, from left to right.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// At least one.
    pub(super) places: Vec<Place>,
    pub(super) left: f64,
    pub(super) right: f64,
    pub(super) middle: f64,
    pub(super) height: f64,
}

/// Returns the rows of a region from top to bottom.
pub(super) fn of(mut places: Vec<Place>) -> Vec<Row> {
    places.sort_by(|a, b| a.middle().total_cmp(&b.middle()));
    let mut rows: Vec<Open> = Vec::new();
    for place in places {
        match rows.last_mut() {
            Some(row) if row.takes(&place) => row.push(place),
            _ => rows.push(Open { places: vec![place], last: place }),
        }
    }
    rows.into_iter().map(|row| Row::of(row.places)).collect()
}

/// A row that may go on.
struct Open {
    /// By their middles from left to right.
    places: Vec<Place>,
    /// The one that came last.
    last: Place,
}

impl Open {
    /// Returns true if the place is level with the row's last one, and not above or below one of them. As none of them
    /// are above each other, it is enough to look at its neighbours.
    fn takes(&self, place: &Place) -> bool {
        let common = overlap((self.last.top, self.last.bottom), (place.top, place.bottom));
        let is_level = common >= SAME_ROW * self.last.height().min(place.height());
        let at = self.position(place);
        let neighbours = &self.places[at.saturating_sub(1)..self.places.len().min(at + 1)];
        is_level && !neighbours.iter().any(|other| is_stacked(other, place))
    }

    fn push(&mut self, place: Place) {
        self.places.insert(self.position(&place), place);
        self.last = place;
    }

    fn position(&self, place: &Place) -> usize {
        self.places.partition_point(|other| other.center() <= place.center())
    }
}

fn is_stacked(one: &Place, other: &Place) -> bool {
    overlap((one.left, one.right), (other.left, other.right)) > STACKED * one.width().min(other.width())
}

impl Row {
    fn of(mut places: Vec<Place>) -> Self {
        places.sort_by(|a, b| a.left.total_cmp(&b.left));
        let mean = |value: fn(&Place) -> f64| places.iter().map(value).sum::<f64>() / places.len() as f64;
        let (middle, height) = (mean(Place::middle), mean(Place::height));
        let left = places.iter().map(|place| place.left).fold(f64::INFINITY, f64::min);
        let right = places.iter().map(|place| place.right).fold(f64::NEG_INFINITY, f64::max);
        Self { places, left, right, middle, height }
    }

    pub(super) fn width(&self) -> f64 {
        self.right - self.left
    }

    /// Returns the distance of the lower row's middle below the upper one's, in heights.
    pub(super) fn pitch(upper: &Self, lower: &Self) -> f64 {
        2.0 * (lower.middle - upper.middle) / (lower.height + upper.height)
    }

    /// Returns the part of a width, its own or a column's, that is text.
    pub(super) fn fill(&self, width: f64) -> f64 {
        self.places.iter().map(Place::width).sum::<f64>() / width
    }

    /// Returns true if it is one line of text, though perhaps found in pieces, and not cells of a table or a form.
    pub(super) fn is_one_line(&self) -> bool {
        self.places.windows(2).all(|pair| pair[1].left - pair[0].right < WORD_GAP * self.height)
    }
}
