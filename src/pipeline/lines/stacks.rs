//! Pieces that stand on each other: text that runs down the picture and was found character by character.

use crate::geometry::Quad;

/// The middles of pieces of one text are no further apart than this times the width of the wider one.
const ASIDE: f32 = 0.25;

/// The wider of two pieces is at most so many times as wide as the other: `8` and `1` have the same height, which is
/// their width here.
const WIDER: f32 = 1.5;

/// Pieces of one text are no further apart than this times the width of the narrower one. As the detector outlines them
/// they overlap, and so do rows of a table that are set close.
const APART: f32 = 0.25;

/// A stack is at least so many times as high as wide, and so is a line that runs down.
const HIGH: f32 = 2.0;

/// An outline that fills less of the upright rectangle around it lies askew.
const UPRIGHT: f32 = 0.8;

/// Pieces that read better than this in the mean are what they are by themselves. Numbers that were found in pieces
/// have .67 on a form and .78 on a drawn one; a column of digits in close rows, six of which were taken for a line that
/// runs down, has .95.
pub(super) const POOR: f32 = 0.9;

/// Pieces that may be one text.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Stack {
    /// Their places in the list.
    pub(super) pieces: Vec<usize>,
    /// The upright rectangle around them.
    pub(super) quad: Quad,
}

/// Finds the stacks among outlines, however each of them is read. Each piece is in one of them at most.
pub(super) fn stacks(outlines: &[Quad]) -> Vec<Stack> {
    let mut pieces: Vec<Piece> = outlines.iter().enumerate().filter_map(|(at, quad)| Piece::of(at, quad)).collect();
    pieces.sort_by(|a, b| a.top.total_cmp(&b.top));
    let mut is_taken = vec![false; pieces.len()];
    let mut found = Vec::new();
    for first in 0..pieces.len() {
        if is_taken[first] {
            continue;
        }
        let mut stack = vec![first];
        let mut last = first;
        while let Some(next) = next(&pieces, &is_taken, last) {
            stack.push(next);
            last = next;
        }
        let around = stack[1..].iter().fold(pieces[first], |around, &i| around.joined(&pieces[i]));
        if stack.len() > 1 && around.height() >= HIGH * around.width() {
            stack.iter().for_each(|&i| is_taken[i] = true);
            let quad = Quad::upright(around.left, around.top, around.right, around.bottom);
            found.push(Stack { pieces: stack.iter().map(|&i| pieces[i].at).collect(), quad });
        }
    }
    found
}

/// Returns the piece that stands below the one at `last`; they are sorted by their upper edges.
fn next(pieces: &[Piece], is_taken: &[bool], last: usize) -> Option<usize> {
    let above = &pieces[last];
    let lowest = above.bottom + APART * above.width();
    let below = (last + 1..pieces.len()).take_while(|&i| pieces[i].top <= lowest);
    below.filter(|&i| !is_taken[i]).find(|&i| pieces[i].stands_below(above))
}

/// The extent of an outline.
#[derive(Debug, Clone, Copy)]
struct Piece {
    at: usize,
    left: f32,
    top: f32,
    right: f32,
    bottom: f32,
}

impl Piece {
    /// Returns the extent of an outline that may be a piece of a stack: it is upright, and no line along the picture.
    fn of(at: usize, quad: &Quad) -> Option<Self> {
        let (left, top, right, bottom) = quad.bounds();
        let piece = Self { at, left, top, right, bottom };
        let area = piece.width() * piece.height();
        let is_upright = quad.width() * quad.height() >= UPRIGHT * area && area > 0.0;
        (is_upright && piece.width() < HIGH * piece.height()).then_some(piece)
    }

    fn width(&self) -> f32 {
        self.right - self.left
    }

    fn height(&self) -> f32 {
        self.bottom - self.top
    }

    fn stands_below(&self, above: &Self) -> bool {
        let (wide, narrow) = (self.width().max(above.width()), self.width().min(above.width()));
        let aside = ((self.left + self.right) - (above.left + above.right)).abs() / 2.0;
        aside <= ASIDE * wide && wide <= WIDER * narrow && self.top - above.bottom <= APART * narrow
    }

    fn joined(self, other: &Self) -> Self {
        Self {
            at: self.at,
            left: self.left.min(other.left),
            top: self.top.min(other.top),
            right: self.right.max(other.right),
            bottom: self.bottom.max(other.bottom),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A piece of 20 pixels in width, in the middle of a column at `x`.
    fn piece(x: f32, top: f32, bottom: f32) -> Quad {
        Quad::upright(x - 10.0, top, x + 10.0, bottom)
    }

    #[test]
    fn pieces_that_stand_on_each_other_are_a_stack() {
        struct Case {
            name: &'static str,
            outlines: Vec<Quad>,
            stacks: Vec<Vec<usize>>,
        }
        let three =
            |x: f32, gap: f32| [0.0, 20.0 + gap, 40.0 + 2.0 * gap].map(|top| piece(x, top, top + 20.0)).to_vec();
        let cases = [
            Case { name: "one above the other", outlines: three(50.0, 0.0), stacks: vec![vec![0, 1, 2]] },
            Case {
                name: "overlapping, as they are outlined",
                outlines: three(50.0, -6.0),
                stacks: vec![vec![0, 1, 2]],
            },
            Case { name: "a little apart", outlines: three(50.0, 4.0), stacks: vec![vec![0, 1, 2]] },
            Case { name: "rows of a table", outlines: three(50.0, 8.0), stacks: vec![] },
            Case {
                name: "two columns, in any order",
                outlines: [three(90.0, 0.0), three(50.0, 1.0)].concat().into_iter().rev().collect(),
                stacks: vec![vec![2, 1, 0], vec![5, 4, 3]],
            },
            Case {
                name: "one beside the column",
                outlines: vec![piece(50.0, 0.0, 20.0), piece(58.0, 20.0, 40.0), piece(50.0, 22.0, 44.0)],
                stacks: vec![vec![0, 2]],
            },
            Case { name: "no higher than two lines", outlines: three(50.0, 0.0)[..1].to_vec(), stacks: vec![] },
            Case {
                name: "not twice as high as wide",
                outlines: vec![piece(50.0, 0.0, 18.0), piece(50.0, 18.0, 36.0)],
                stacks: vec![],
            },
            Case {
                name: "a wider one",
                outlines: vec![piece(50.0, 0.0, 40.0), Quad::upright(30.0, 40.0, 70.0, 70.0)],
                stacks: vec![],
            },
            Case {
                name: "lines of text",
                outlines: (0..4_u8).map(|i| f32::from(20 * i)).map(|y| Quad::upright(0.0, y, 45.0, y + 20.0)).collect(),
                stacks: vec![],
            },
            Case {
                name: "a piece that was read lying",
                outlines: vec![piece(50.0, 0.0, 40.0).starting_at(1), piece(50.0, 40.0, 60.0)],
                stacks: vec![vec![0, 1]],
            },
            Case {
                name: "a piece that lies askew",
                outlines: vec![piece(0.0, 0.0, 40.0), piece(0.0, 36.0, 64.0)]
                    .into_iter()
                    .map(|quad| Quad(quad.0.map(|p| crate::geometry::Point::new(p.x + 0.5 * p.y, p.y - 0.5 * p.x))))
                    .collect(),
                stacks: vec![],
            },
        ];
        for case in cases {
            let found: Vec<_> = stacks(&case.outlines).into_iter().map(|stack| stack.pieces).collect();
            assert_eq!(found, case.stacks, "{}", case.name);
        }
        assert_eq!(stacks(&three(50.0, 2.0))[0].quad, Quad::upright(40.0, 0.0, 60.0, 64.0));
    }

    proptest! {
        #[test]
        fn no_piece_is_in_two_stacks(places in prop::collection::vec((0u8..40, 0u8..200, 4u8..30, 4u8..30), 0..60)) {
            let outlines: Vec<_> = places
                .into_iter()
                .map(|(x, y, w, h)| [x, y, w, h].map(f32::from))
                .map(|[x, y, w, h]| Quad::upright(x, y, x + w, y + h))
                .collect();
            let found = stacks(&outlines);
            let mut pieces: Vec<_> = found.iter().flat_map(|stack| stack.pieces.clone()).collect();
            let count = pieces.len();
            pieces.sort_unstable();
            pieces.dedup();
            prop_assert_eq!(pieces.len(), count);
            prop_assert!(found.iter().all(|stack| stack.pieces.len() > 1));
            prop_assert!(found.iter().all(|stack| stack.quad.height() >= HIGH * stack.quad.width()));
        }
    }
}
