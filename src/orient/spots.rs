//! The places with text on a page: outlines of text, and how much each tells of the way in which it is read.

use crate::geometry::Quad;

/// A region at least this many times as high as wide is no upright text of several characters. The ratio is
/// PaddleOCR's.
const TALL: f32 = 1.5;

/// An outline that is at least this many times as wide as high, or as high as wide, is a line. Shorter outlines hold a
/// few characters. The orienter cannot tell these: of 58 drawn ones of up to three characters, all upright, it called
/// 16 upside down. Single characters of nine fonts, even `l` and `|`, were at most 1.8 times as high as wide, but for
/// exclamation marks.
const LONG: f32 = 2.0;

/// A narrow outline that is no higher than this times the page's lines is one character: text of two that runs down is
/// longer. Those of 420 drawn digits are at most 1.3 times as high as the lines beside them.
const ONE_CHARACTER: f32 = 1.3;

/// The information in an outline about the way in which its text is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    /// A line: the orienter may be asked.
    Long,
    /// A few characters side by side.
    Short,
    /// Higher than wide: a narrow character, or a few that lie on their side.
    Narrow,
    /// As narrow, and no higher than the page's lines: a narrow character.
    OneCharacter,
}

/// The detector's trust in a region.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Trust {
    /// Its score.
    pub(crate) score: f32,
    /// True if it may be no text at all. Then it tells nothing of the page.
    pub(crate) is_doubtful: bool,
}

/// A place with text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Spot {
    /// Its outline, as if it were not upside down. Narrow ones stand upright, and longer ones run down the page.
    pub(crate) quad: Quad,
    pub(crate) shape: Shape,
    /// The detector's trust in it.
    pub(crate) trust: Trust,
    /// The probability that it is upside down, where the orienter was asked.
    pub(crate) upside_down: Option<f32>,
}

impl Spot {
    pub(crate) fn is_long(&self) -> bool {
        self.shape == Shape::Long
    }

    /// Returns true if it has a vote on the way in which the page is read.
    pub(crate) fn votes(&self) -> bool {
        self.is_long() && !self.trust.is_doubtful
    }

    /// Returns true if its text runs down the picture, or up.
    pub(crate) fn runs_down(&self) -> bool {
        !self.quad.quarters().is_multiple_of(2)
    }
}

/// Finds the places of the text in the outlines of some regions.
pub(crate) fn spots(regions: &[(Quad, Trust)]) -> Vec<Spot> {
    let line_height = line_height(regions);
    let spot = |&(quad, trust): &(Quad, Trust)| {
        let height = quad.height() / quad.width();
        let is_one = line_height.is_some_and(|line| quad.height() <= ONE_CHARACTER * line);
        let (quad, shape) = match height {
            _ if height >= LONG => (quad.starting_at(1), Shape::Long),
            _ if height >= TALL => (quad, if is_one { Shape::OneCharacter } else { Shape::Narrow }),
            _ if quad.aspect() >= LONG => (quad, Shape::Long),
            _ => (quad, Shape::Short),
        };
        Spot { quad, shape, trust, upside_down: None }
    };
    regions.iter().map(spot).collect()
}

/// Returns the median height of the lines that run along the page.
fn line_height(regions: &[(Quad, Trust)]) -> Option<f32> {
    let lines = regions.iter().filter(|(quad, trust)| !trust.is_doubtful && quad.aspect() >= LONG);
    let mut heights: Vec<f32> = lines.map(|(line, _)| line.height()).collect();
    heights.sort_by(f32::total_cmp);
    heights.get(heights.len() / 2).copied()
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: Trust = Trust { score: 0.9, is_doubtful: false };

    fn region(width: f32, height: f32) -> Quad {
        Quad::upright(0.0, 0.0, width, height)
    }

    #[test]
    fn outlines_are_told_by_their_shape_and_by_the_lines_beside_them() {
        struct Case {
            name: &'static str,
            size: (f32, f32),
            alone: (Shape, bool),
            beside_a_line: (Shape, bool),
        }
        let (upright, down) = (false, true);
        let cases = [
            Case {
                name: "a line",
                size: (90.0, 10.0),
                alone: (Shape::Long, upright),
                beside_a_line: (Shape::Long, upright),
            },
            Case {
                name: "a digit",
                size: (8.0, 10.0),
                alone: (Shape::Short, upright),
                beside_a_line: (Shape::Short, upright),
            },
            Case {
                name: "a narrow digit",
                size: (6.0, 10.0),
                alone: (Shape::Narrow, upright),
                beside_a_line: (Shape::OneCharacter, upright),
            },
            Case {
                name: "higher than a character",
                size: (9.0, 15.0),
                alone: (Shape::Narrow, upright),
                beside_a_line: (Shape::Narrow, upright),
            },
            Case {
                name: "down the page",
                size: (10.0, 20.0),
                alone: (Shape::Long, down),
                beside_a_line: (Shape::Long, down),
            },
        ];
        for case in cases {
            let told = |regions: &[Quad]| {
                let first = spots(&regions.iter().map(|&quad| (quad, SURE)).collect::<Vec<_>>())[0];
                (first.shape, first.runs_down())
            };
            let shown = region(case.size.0, case.size.1);
            assert_eq!(told(&[shown]), case.alone, "{}", case.name);
            assert_eq!(told(&[shown, region(80.0, 11.0)]), case.beside_a_line, "{} beside a line", case.name);
        }
        assert!(spots(&[]).is_empty());
        let doubtful = (region(80.0, 11.0), Trust { score: 0.4, is_doubtful: true });
        assert_eq!(spots(&[(region(6.0, 10.0), SURE), doubtful])[0].shape, Shape::Narrow, "it may be no line");
    }
}
