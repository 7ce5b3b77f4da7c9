//! Reading order and structure: from lines in any order to blocks, one after the other as they are read.
//!
//! 1. The page is turned upright and its skew taken out ([`frame`]). Long lines that run across all others, such as a
//!    note in the margin, are read by themselves after them.
//! 2. It is cut into regions of one column each ([`columns`]): the oldest method of layout analysis, the recursive
//!    XY-cut (Nagy and Seth 1984), with the whitespace as Breuel sees it (2002): a gutter is a tall empty rectangle, and
//!    what ends it above and below, such as a heading across all columns, is read before and after its columns.
//!    Columns are told from tables by what stands in them.
//! 3. A region is read row by row ([`rows`]).
//! 4. Rows that stand and look alike make a paragraph ([`paragraphs`]).
//!
//! Columns and rows are read from the right where most letters run to the left.
//!
//! Lengths are compared with the height of lines, so that the size of the picture does not matter.

mod columns;
mod frame;
mod paragraphs;
mod rows;

#[cfg(test)]
mod tests;

use super::line::{Block, Line};
use crate::recognize::bidi::runs_left;
use frame::{Frame, Place};

/// Puts the lines in reading order, and says which of them belong together.
pub(super) fn arrange(lines: Vec<Line>) -> (Vec<Line>, Vec<Block>) {
    let groups = groups(&lines);
    let mut waiting: Vec<Option<Line>> = lines.into_iter().map(Some).collect();
    let mut ordered: Vec<Line> = Vec::with_capacity(waiting.len());
    let mut blocks = Vec::with_capacity(groups.len());
    for group in groups {
        let first = ordered.len();
        ordered.extend(group.iter().filter_map(|place| waiting[place.line].take()));
        blocks.push(Block { lines: first..ordered.len(), quad: frame::outline(&ordered[first..]) });
    }
    (ordered, blocks)
}

/// Returns the places of the lines of each block.
fn groups(lines: &[Line]) -> Vec<Vec<Place>> {
    let mut groups = Vec::new();
    for direction in frame::directions(lines) {
        let regions: Vec<_> = columns::regions(places(lines, &direction)).into_iter().map(rows::of).collect();
        let usual = paragraphs::pitch(regions.iter().map(Vec::as_slice));
        for rows in regions {
            groups.extend(paragraphs::of(rows, usual));
        }
    }
    groups
}

/// Returns the places of some lines, in an order that does not depend on the order in which the lines came: all that
/// follows sorts in a stable way.
fn places(lines: &[Line], some: &[usize]) -> Vec<Place> {
    let frame = Frame::of(some.iter().map(|&i| &lines[i].quad));
    let is_mirrored = runs_left(some.iter().map(|&i| lines[i].text.as_str()));
    let place = |&i: &usize| {
        let place = Place::of(i, &lines[i], &frame);
        if is_mirrored { place.mirrored() } else { place }
    };
    let mut places: Vec<Place> = some.iter().map(place).collect();
    places.sort_by(|a, b| {
        let (one, other) = (&lines[a.line], &lines[b.line]);
        a.compare(b).then_with(|| one.text.cmp(&other.text)).then_with(|| frame.compare(&one.quad, &other.quad))
    });
    places
}
