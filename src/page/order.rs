//! Reading order: rows from top to bottom, each from left to right.

use super::Line;
use crate::geometry::{Point, Quad};

/// Two lines stand in one row when their vertical overlap is at least this part of the lower one's height. Half is the
/// natural bound: below it a line belongs more to the row above or below.
const SAME_ROW: f32 = 0.5;

/// Sorts lines as a page in one column is read: along the direction that most of the text runs in, so that a turned
/// page is read as if it were upright.
pub fn sort(lines: &mut Vec<Line>) {
    let turn = main_turn(lines);
    let mut placed: Vec<(Place, Line)> = lines.drain(..).map(|line| (Place::of(&line, turn), line)).collect();
    placed.sort_by(|(a, _), (b, _)| a.middle.total_cmp(&b.middle));
    let mut rows: Vec<Vec<(Place, Line)>> = Vec::new();
    for item in placed {
        match rows.last_mut() {
            Some(row) if row.last().is_some_and(|(last, _)| last.shares_a_row(&item.0)) => row.push(item),
            _ => rows.push(vec![item]),
        }
    }
    for row in &mut rows {
        row.sort_by(|(a, _), (b, _)| a.start.total_cmp(&b.start));
    }
    lines.extend(rows.into_iter().flatten().map(|(_, line)| line));
}

/// By how many quarters clockwise the text of most of the page is turned, each line counting by its length.
fn main_turn(lines: &[Line]) -> usize {
    let mut lengths = [0.0; 4];
    for line in lines {
        let [start, end, ..] = line.quad.0;
        let (dx, dy) = (end.x - start.x, end.y - start.y);
        let turn = if dx.abs() >= dy.abs() {
            if dx >= 0.0 { 0 } else { 2 }
        } else if dy > 0.0 {
            1
        } else {
            3
        };
        lengths[turn] += line.quad.width();
    }
    (0..4).fold(0, |best, turn| if lengths[turn] > lengths[best] { turn } else { best })
}

/// Where a line stands when its page is turned upright.
#[derive(Debug, Clone, Copy)]
struct Place {
    start: f32,
    top: f32,
    middle: f32,
    bottom: f32,
}

impl Place {
    fn of(line: &Line, turn: usize) -> Self {
        let upright = Quad(line.quad.0.map(|p| match turn {
            0 => p,
            1 => Point::new(p.y, -p.x),
            2 => Point::new(-p.x, -p.y),
            _ => Point::new(-p.y, p.x),
        }));
        let (start, top, _, bottom) = upright.bounds();
        Self { start, top, middle: upright.center().y, bottom }
    }

    fn shares_a_row(&self, other: &Self) -> bool {
        let overlap = self.bottom.min(other.bottom) - self.top.max(other.top);
        overlap >= SAME_ROW * (self.bottom - self.top).min(other.bottom - other.top)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(text: &str, left: f32, top: f32, right: f32, bottom: f32) -> Line {
        Line { text: text.into(), score: 1.0, quad: Quad::upright(left, top, right, bottom), words: vec![] }
    }

    fn sorted(mut lines: Vec<Line>) -> String {
        sort(&mut lines);
        lines.iter().map(|line| line.text.as_str()).collect()
    }

    #[test]
    fn rows_then_columns() {
        struct Case {
            name: &'static str,
            lines: Vec<Line>,
            order: &'static str,
        }
        let cases = [
            Case { name: "none", lines: vec![], order: "" },
            Case {
                name: "a price beside its item, two pixels lower",
                lines: vec![
                    line("b", 300.0, 12.0, 350.0, 32.0),
                    line("c", 0.0, 40.0, 100.0, 60.0),
                    line("a", 0.0, 10.0, 100.0, 30.0),
                ],
                order: "abc",
            },
            Case {
                name: "a staircase is no row",
                lines: vec![line("b", 0.0, 30.0, 90.0, 50.0), line("a", 100.0, 15.0, 190.0, 35.0)],
                order: "ab",
            },
        ];
        for case in cases {
            assert_eq!(sorted(case.lines), case.order, "{}", case.name);
        }
    }

    /// The line as it lies when its page is turned clockwise by quarters.
    fn turned(mut line: Line, turn: usize) -> Line {
        for _ in 0..turn {
            line.quad = Quad(line.quad.0.map(|p| Point::new(-p.y, p.x)));
        }
        line
    }

    proptest! {
        #[test]
        fn a_grid_is_read_row_by_row_however_it_is_turned(
            columns in 1usize..6, rows in 1usize..6, turn in 0usize..4, seed in any::<u64>(),
        ) {
            let cell = |i: usize| {
                let (x, y) = ((i % columns) as f32 * 100.0, (i / columns) as f32 * 30.0);
                turned(line(&char::from(b'A' + i as u8).to_string(), x, y, x + 80.0, y + 20.0), turn)
            };
            let mut lines: Vec<_> = (0..rows * columns).map(cell).collect();
            let expected: String = lines.iter().map(|l| l.text.as_str()).collect();
            let length = lines.len();
            for i in 0..length {
                lines.swap(i, (seed.rotate_left(i as u32) as usize) % length);
            }
            prop_assert_eq!(sorted(lines), expected);
        }
    }
}
