//! Ink on a strip: the amount of it in each column.

use std::ops::Range;

use crate::image::Picture;

/// Levels between the mean of ink and the mean of paper, below which nothing is told apart.
const LEAST_CONTRAST: f32 = 24.0;

/// A column with up to this many pixels of ink, of 48, is blank: a dot or a dash is 3 or more high.
const SPECKS: u32 = 1;

/// The columns of a strip that is dark on bright or bright on dark.
///
/// Rules above and below the text are in every column, so what nearly all columns have does not count.
#[derive(Debug, Clone, PartialEq)]
pub struct Ink {
    columns: Vec<u32>,
    height: f32,
}

impl Ink {
    /// Returns the ink of a strip; `None` where no two levels stand out.
    pub fn of(strip: &Picture) -> Option<Self> {
        let levels = levels(strip);
        let paper = Paper::of_levels(&levels)?;
        let mut columns = vec![0u32; strip.width() as usize];
        for row in levels.chunks_exact(columns.len()) {
            for (column, &level) in columns.iter_mut().zip(row) {
                *column += u32::from(paper.is_ink(level));
            }
        }
        Some(Self::from_columns(columns, strip.height()))
    }

    /// Makes it of the number of pixels with ink in each column of a strip that is `height` high.
    pub fn from_columns(mut columns: Vec<u32>, height: u32) -> Self {
        let mut sorted = columns.clone();
        let floor = match sorted.len() {
            0 => 0,
            count => *sorted.select_nth_unstable(count / 10).1,
        };
        columns.iter_mut().for_each(|column| *column = column.saturating_sub(floor));
        Self { columns, height: height.max(1) as f32 }
    }

    /// Returns the number of columns.
    pub fn width(&self) -> usize {
        self.columns.len()
    }

    /// Returns true if a column has no ink; so it is beyond the strip.
    pub fn is_blank(&self, column: usize) -> bool {
        self.columns.get(column).is_none_or(|&pixels| pixels <= SPECKS)
    }

    /// Returns the part of a column that is ink, 0 to 1.
    pub fn share(&self, column: usize) -> f32 {
        self.columns.get(column).map_or(0.0, |&pixels| pixels as f32 / self.height)
    }

    /// Returns the stretch from the first to the last column with ink within `range`; `None` where there is none.
    pub fn trimmed(&self, range: Range<usize>) -> Option<Range<usize>> {
        let first = range.clone().find(|&column| !self.is_blank(column))?;
        let last = range.rev().find(|&column| !self.is_blank(column))?;
        Some(first..last + 1)
    }

    /// Returns the runs of columns with ink within `range`, cut at its ends.
    pub fn strokes(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        self.runs(range, false)
    }

    /// Returns the runs of blank columns that reach into `range`, whole.
    pub fn gaps(&self, range: Range<usize>) -> impl Iterator<Item = Range<usize>> {
        let blank = |column: &usize| self.is_blank(*column);
        let start = (0..range.start.min(self.width())).rev().take_while(blank).last().unwrap_or(range.start);
        let end = (range.end..self.width()).take_while(blank).last().map_or(range.end, |column| column + 1);
        // Those that were brought in by the wider range hang together with what is inside of it.
        let inside = move |gap: &Range<usize>| gap.end > range.start && gap.start < range.end;
        self.runs(start..end, true).filter(inside)
    }

    fn runs(&self, range: Range<usize>, blank: bool) -> impl Iterator<Item = Range<usize>> {
        let end = range.end.min(self.width());
        let mut next = range.start;
        std::iter::from_fn(move || {
            let start = (next..end).find(|&column| self.is_blank(column) == blank)?;
            next = (start..end).find(|&column| self.is_blank(column) != blank).unwrap_or(end);
            Some(start..next)
        })
    }
}

/// The levels of paper.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Paper {
    /// Half way between the mean of ink and the mean of paper: strokes keep their width there when they are blurred.
    border: u8,
    is_bright: bool,
}

impl Paper {
    /// Finds the paper of a strip; `None` where no two levels stand out.
    pub fn of(strip: &Picture) -> Option<Self> {
        Self::of_levels(&levels(strip))
    }

    /// Returns true if a pixel is ink.
    pub fn is_inked(self, pixel: &[u8]) -> bool {
        self.is_ink(level(pixel))
    }

    /// Returns the mean colour of what is paper on a strip.
    pub fn colour(self, strip: &Picture) -> [u8; 3] {
        let (mut sums, mut count) = ([0u64; 3], 0);
        for pixel in strip.pixels().chunks_exact(3).filter(|pixel| !self.is_inked(pixel)) {
            sums.iter_mut().zip(pixel).for_each(|(sum, &value)| *sum += u64::from(value));
            count += 1;
        }
        sums.map(|sum| (sum / count.max(1)) as u8)
    }

    /// Parts the levels where that explains most of their variance (Otsu, "A threshold selection method from gray-level
    /// histograms", 1979). More than half of a strip is paper, also with bold capitals.
    fn of_levels(levels: &[u8]) -> Option<Self> {
        let mut counts = [0u32; 256];
        levels.iter().for_each(|&level| counts[usize::from(level)] += 1);
        let all = levels.len() as f64;
        let sum: f64 = (0u32..).zip(counts).map(|(level, count)| f64::from(level) * f64::from(count)).sum();
        let (mut dark, mut dark_sum) = (0.0, 0.0);
        let mut best = (0.0, 0.0, 0.0, false);
        for (level, count) in (0u32..).zip(counts) {
            dark += f64::from(count);
            dark_sum += f64::from(level) * f64::from(count);
            let bright = all - dark;
            if dark == 0.0 || bright == 0.0 {
                continue;
            }
            let (low, high) = (dark_sum / dark, (sum - dark_sum) / bright);
            let between = dark * bright * (high - low) * (high - low);
            if between > best.0 {
                best = (between, low, high, dark < bright);
            }
        }
        let (_, low, high, is_bright) = best;
        let stands_out = high - low >= f64::from(LEAST_CONTRAST);
        stands_out.then_some(Self { border: f64::midpoint(low, high) as u8, is_bright })
    }

    fn is_ink(self, level: u8) -> bool {
        if self.is_bright { level <= self.border } else { level > self.border }
    }
}

fn levels(strip: &Picture) -> Vec<u8> {
    strip.pixels().chunks_exact(3).map(level).collect()
}

/// Returns the brightness of a pixel.
fn level(pixel: &[u8]) -> u8 {
    ((u16::from(pixel[0]) + 2 * u16::from(pixel[1]) + u16::from(pixel[2])) / 4) as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A strip of rows of signs: `#` is ink.
    fn strip(rows: &[&str], ink: u8, paper: u8) -> Picture {
        let pixels =
            rows.iter().flat_map(|row| row.bytes()).flat_map(|sign| [if sign == b'#' { ink } else { paper }; 3]);
        Picture::from_rgb(rows[0].len() as u32, rows.len() as u32, pixels.collect()).unwrap()
    }

    #[test]
    fn ink_is_what_the_smaller_part_of_a_strip_is() {
        let rows = ["..#..###..", "..#..#.#..", "..#..#.#..", "..#..###.."];
        for (ink, paper) in [(0, 255), (255, 0), (90, 140), (200, 120)] {
            let ink = Ink::of(&strip(&rows, ink, paper)).unwrap();
            let shares: Vec<_> = (0..10).map(|column| ink.share(column)).collect();
            assert_eq!(shares, [0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 0.5, 1.0, 0.0, 0.0]);
            assert_eq!(ink.strokes(0..10).collect::<Vec<_>>(), [2..3, 5..8]);
            assert_eq!(ink.gaps(1..6).collect::<Vec<_>>(), [0..2, 3..5]);
            assert_eq!(ink.gaps(3..4).next(), Some(3..5));
            assert_eq!((ink.trimmed(0..7), ink.trimmed(8..10)), (Some(2..7), None));
        }
    }

    #[test]
    fn a_rule_through_all_columns_is_no_ink() {
        let ink =
            Ink::of(&strip(&["..##..##..", "..##..##..", "..........", "##########", ".........."], 0, 255)).unwrap();
        assert_eq!(ink.strokes(0..10).collect::<Vec<_>>(), [2..4, 6..8]);
    }

    #[test]
    fn a_strip_of_one_level_has_none() {
        assert_eq!(Ink::of(&strip(&["...."], 0, 255)), None);
        assert_eq!(Ink::of(&strip(&["..#."], 130, 140)), None, "too little contrast");
    }

    proptest! {
        #[test]
        fn gaps_and_strokes_are_what_a_look_at_each_column_says(
            columns in prop::collection::vec(0u32..4, 1..40), from in 0usize..40, length in 1usize..40,
        ) {
            let ink = Ink::from_columns(columns, 4);
            let range = from.min(ink.width() - 1)..(from + length).min(ink.width()).max(from.min(ink.width() - 1) + 1);
            let strokes: Vec<usize> = ink.strokes(range.clone()).flatten().collect();
            let expected: Vec<usize> = range.clone().filter(|&column| !ink.is_blank(column)).collect();
            prop_assert_eq!(&strokes, &expected);
            let ends = expected.first().zip(expected.last()).map(|(&first, &last)| first..last + 1);
            prop_assert_eq!(ink.trimmed(range.clone()), ends);
            for gap in ink.gaps(range.clone()) {
                prop_assert!(gap.clone().all(|column| ink.is_blank(column)));
                prop_assert!(gap.start == 0 || !ink.is_blank(gap.start - 1), "{:?} goes on before", gap);
                prop_assert!(gap.end == ink.width() || !ink.is_blank(gap.end), "{:?} goes on", gap);
            }
            let inside = ink.gaps(range.clone()).flatten().filter(|column| range.contains(column));
            prop_assert!(inside.eq(range.clone().filter(|&column| ink.is_blank(column))));
        }
    }
}
