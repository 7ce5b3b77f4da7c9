//! Reading order: rows from top to bottom, each from left to right.

use super::Line;

/// Two lines stand in one row when their vertical overlap is at least this part of the lower one's height. Half is the
/// natural bound: below it a line belongs more to the row above or below.
const SAME_ROW: f32 = 0.5;

/// Sorts lines as a page in one column is read.
pub fn sort(lines: &mut Vec<Line>) {
    lines.sort_by(|a, b| middle(a).total_cmp(&middle(b)));
    let mut rows: Vec<Vec<Line>> = Vec::new();
    for line in lines.drain(..) {
        match rows.last_mut() {
            Some(row) if row.last().is_some_and(|last| share_a_row(last, &line)) => row.push(line),
            _ => rows.push(vec![line]),
        }
    }
    for row in &mut rows {
        row.sort_by(|a, b| a.quad.bounds().0.total_cmp(&b.quad.bounds().0));
    }
    lines.extend(rows.into_iter().flatten());
}

fn middle(line: &Line) -> f32 {
    line.quad.center().y
}

fn share_a_row(a: &Line, b: &Line) -> bool {
    let ((_, top_a, _, bottom_a), (_, top_b, _, bottom_b)) = (a.quad.bounds(), b.quad.bounds());
    let overlap = bottom_a.min(bottom_b) - top_a.max(top_b);
    overlap >= SAME_ROW * (bottom_a - top_a).min(bottom_b - top_b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Quad;
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

    proptest! {
        #[test]
        fn a_grid_is_read_row_by_row(columns in 1usize..6, rows in 1usize..6, seed in any::<u64>()) {
            let cell = |i: usize| {
                let (x, y) = ((i % columns) as f32 * 100.0, (i / columns) as f32 * 30.0);
                line(&char::from(b'A' + i as u8).to_string(), x, y, x + 80.0, y + 20.0)
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
