//! Pages whose order is known, as they lie and askew, turned and moved.

use std::time::{Duration, Instant};

use proptest::prelude::*;

use super::*;
use crate::geometry::{Point, Quad};

fn line(text: &str, left: f32, top: f32, right: f32, bottom: f32) -> Line {
    Line { text: text.into(), score: 1.0, quad: Quad::upright(left, top, right, bottom), words: vec![] }
}

/// A line of print 20 pixels high.
fn print(text: &str, left: f32, top: f32, width: f32) -> Line {
    line(text, left, top, left + width, top + 20.0)
}

/// Lines `name`a, `name`b and so on of a column of text, 28 pixels from one to the next, with a ragged right side.
fn column(name: &str, left: f32, top: f32, width: f32, lines: usize) -> Vec<Line> {
    let letter = |i: usize| char::from(b'a' + i as u8);
    let ragged = |i: usize| width * [1.0, 0.93, 0.98, 0.9, 0.96][i % 5];
    (0..lines).map(|i| print(&format!("{name}{}", letter(i)), left, top + 28.0 * i as f32, ragged(i))).collect()
}

/// The lines' texts, with a bar between blocks.
fn read(lines: Vec<Line>) -> String {
    let (lines, blocks) = arrange(lines);
    let text = |block: &Block| lines[block.lines.clone()].iter().map(|l| l.text.as_str()).collect::<Vec<_>>().join(" ");
    blocks.iter().map(text).collect::<Vec<_>>().join(" | ")
}

fn order(lines: Vec<Line>) -> String {
    arrange(lines).0.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn names(lines: &[Line]) -> String {
    lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join(" ")
}

fn mapped(lines: &[Line], map: impl Fn(Point) -> Point) -> Vec<Line> {
    lines.iter().map(|line| Line { quad: Quad(line.quad.0.map(&map)), ..line.clone() }).collect()
}

/// The lines as they lie when their page is turned clockwise by quarters.
fn turned(lines: &[Line], quarters: usize) -> Vec<Line> {
    (0..quarters).fold(lines.to_vec(), |lines, _| mapped(&lines, |p| Point::new(-p.y, p.x)))
}

fn askew(lines: &[Line], degrees: f32) -> Vec<Line> {
    let (sin, cos) = degrees.to_radians().sin_cos();
    mapped(lines, |p| Point::new(p.x * cos - p.y * sin, p.y * cos + p.x * sin))
}

/// Some order that depends on the seed only.
fn shuffled(mut lines: Vec<Line>, seed: u64) -> Vec<Line> {
    let length = lines.len();
    for i in 0..length {
        lines.swap(i, (seed.rotate_left(i as u32) as usize) % length);
    }
    lines
}

/// A page, its lines in the order in which they are to be read.
struct Case {
    name: &'static str,
    lines: Vec<Line>,
}

fn case(name: &'static str, parts: &[Vec<Line>]) -> Case {
    Case { name, lines: parts.concat() }
}

fn text_pages() -> Vec<Case> {
    let heading = |top: f32| vec![line("heading", 250.0, top, 750.0, top + 36.0)];
    let two = |top: f32| [column("a", 0.0, top, 460.0, 12), column("b", 500.0, top, 460.0, 12)].concat();
    vec![
        case("nothing", &[]),
        case("one line", &[column("a", 0.0, 0.0, 300.0, 1)]),
        case("one column", &[column("a", 0.0, 0.0, 600.0, 20)]),
        case("two columns whose lines are level", &[two(0.0)]),
        case(
            "two columns whose lines are not level",
            &[column("a", 0.0, 0.0, 460.0, 12), column("b", 500.0, 13.0, 460.0, 12)],
        ),
        case("two columns below a heading", &[heading(0.0), two(60.0)]),
        case(
            "three columns below a heading",
            &[
                vec![line("heading", 100.0, 0.0, 850.0, 40.0)],
                column("a", 0.0, 70.0, 300.0, 9),
                column("b", 330.0, 70.0, 300.0, 9),
                column("c", 660.0, 70.0, 300.0, 5),
            ],
        ),
        case(
            "a heading over two of three columns",
            &[
                column("a", 0.0, 0.0, 300.0, 12),
                vec![line("heading", 360.0, 0.0, 930.0, 36.0)],
                column("b", 330.0, 60.0, 300.0, 9),
                column("c", 660.0, 60.0, 300.0, 9),
            ],
        ),
        case(
            "columns below a paragraph, whose last line is short",
            &[
                column("a", 0.0, 0.0, 960.0, 4),
                vec![print("end", 0.0, 112.0, 200.0)],
                column("b", 0.0, 180.0, 460.0, 9),
                column("c", 500.0, 180.0, 460.0, 8),
            ],
        ),
        case(
            "columns, a heading, and columns again",
            &[two(0.0), heading(380.0), column("c", 0.0, 460.0, 460.0, 6), column("d", 500.0, 460.0, 460.0, 6)],
        ),
        case(
            "a date on the right above columns, and a number of the page on the left below",
            &[vec![print("date", 760.0, 0.0, 200.0)], two(120.0), vec![print("page", 0.0, 520.0, 60.0)]],
        ),
        case(
            "a column that begins far below the other",
            &[column("a", 0.0, 0.0, 460.0, 14), column("b", 500.0, 196.0, 460.0, 7)],
        ),
        case(
            "columns with paragraphs at the same height",
            &[
                column("a", 0.0, 0.0, 460.0, 5),
                column("b", 0.0, 180.0, 460.0, 5),
                column("c", 500.0, 0.0, 460.0, 5),
                column("d", 500.0, 180.0, 460.0, 5),
            ],
        ),
    ]
}

fn row_pages() -> Vec<Case> {
    let receipt = |top: f32| -> Vec<Line> {
        let items = [("coffee", 120.0), ("cake", 80.0), ("mineral water", 260.0), ("apple pie large", 280.0)];
        let row = |(i, &(item, width)): (usize, &(&str, f32))| {
            let top = top + 28.0 * i as f32;
            vec![print(item, 0.0, top, width), print(&format!("{i}.50"), 440.0, top + 2.0, 60.0)]
        };
        items.iter().enumerate().flat_map(row).collect()
    };
    let form = |right: f32| -> Vec<Line> {
        let labels = [("name", 80.0, 200.0), ("company", 170.0, 320.0), ("date", 70.0, 90.0), ("reason", 210.0, 380.0)];
        let row = |(i, &(label, width, field)): (usize, &(&str, f32, f32))| {
            let top = 56.0 * i as f32;
            vec![print(label, 0.0, top, width), print(&format!("{label} field"), right, top, field)]
        };
        labels.iter().enumerate().flat_map(row).collect()
    };
    let cell = |i: usize| print(&format!("cell{i}"), (i % 5) as f32 * 200.0, (i / 5) as f32 * 30.0, 90.0);
    vec![
        case(
            "a receipt",
            &[
                vec![print("shop", 150.0, 0.0, 200.0)],
                receipt(60.0),
                vec![print("total", 0.0, 200.0, 100.0), print("8.00", 440.0, 200.0, 60.0)],
            ],
        ),
        case("a form", &[form(300.0)]),
        case("a form with wide labels", &[column("a", 0.0, -200.0, 700.0, 5), form(260.0)]),
        case("a table", &[(0..40).map(cell).collect()]),
        case(
            "an address on the left and a signature on the right, further down",
            &[column("a", 0.0, 0.0, 300.0, 5), column("b", 600.0, 300.0, 300.0, 4), column("c", 0.0, 600.0, 300.0, 4)],
        ),
        case("a staircase", &[vec![print("a", 100.0, 15.0, 90.0), print("b", 0.0, 30.0, 90.0)]]),
    ]
}

#[test]
fn pages_are_read_in_their_order_however_they_lie() {
    for Case { name, lines } in text_pages().into_iter().chain(row_pages()) {
        let expected = names(&lines);
        for degrees in [0.0, 2.0, -2.0, 5.0] {
            for quarters in 0..4 {
                let page = shuffled(turned(&askew(&lines, degrees), quarters), 0x9E37_79B9_7F4A_7C15);
                assert_eq!(order(page), expected, "{name}, {degrees} degrees and {quarters} quarters");
            }
        }
    }
}

#[test]
fn paragraphs_are_told_by_space_print_and_indents() {
    struct Case {
        name: &'static str,
        lines: Vec<Line>,
        blocks: &'static str,
    }
    let indented = |top: f32, name: &str| {
        [vec![print(&format!("{name}0"), 30.0, top, 570.0)], column(&format!("{name}+"), 0.0, top + 28.0, 600.0, 3)]
            .concat()
    };
    let cases = [
        Case {
            name: "space",
            lines: [column("a", 0.0, 0.0, 600.0, 3), column("b", 0.0, 100.0, 600.0, 3)].concat(),
            blocks: "aa ab ac | ba bb bc",
        },
        Case {
            name: "another print",
            lines: [vec![line("title", 0.0, 0.0, 300.0, 36.0)], column("a", 0.0, 42.0, 600.0, 3)].concat(),
            blocks: "title | aa ab ac",
        },
        Case {
            name: "an indent",
            lines: [indented(0.0, "a"), indented(112.0, "b")].concat(),
            blocks: "a0 a+a a+b a+c | b0 b+a b+b b+c",
        },
        Case {
            name: "a dialogue in justified text",
            lines: vec![
                print("a", 0.0, 0.0, 600.0),
                print("b", 0.0, 28.0, 600.0),
                print("c", 0.0, 56.0, 600.0),
                print("d", 0.0, 84.0, 200.0),
                print("e", 30.0, 112.0, 400.0),
                print("f", 30.0, 140.0, 300.0),
                print("g", 30.0, 168.0, 570.0),
                print("h", 0.0, 196.0, 600.0),
            ],
            blocks: "a b c d | e | f | g h",
        },
        Case {
            name: "centred lines above justified text",
            lines: [
                vec![print("x", 150.0, 0.0, 300.0), print("y", 100.0, 28.0, 400.0), print("z", 130.0, 56.0, 340.0)],
                (0..6).map(|i| print(["a", "b", "c", "d", "e", "f"][i], 0.0, 120.0 + 28.0 * i as f32, 600.0)).collect(),
            ]
            .concat(),
            blocks: "x y z | a b c d e f",
        },
        Case {
            name: "centred lines",
            lines: vec![print("a", 0.0, 0.0, 400.0), print("b", 80.0, 28.0, 240.0), print("c", 10.0, 56.0, 380.0)],
            blocks: "a b c",
        },
        Case {
            name: "double spacing",
            lines: (0..8).map(|i| print(&i.to_string(), 0.0, 46.0 * i as f32, 600.0)).collect(),
            blocks: "0 1 2 3 4 5 6 7",
        },
        Case {
            name: "a line in two pieces",
            lines: vec![
                print("a", 0.0, 0.0, 600.0),
                print("b", 0.0, 28.0, 290.0),
                print("c", 315.0, 28.0, 285.0),
                print("d", 0.0, 56.0, 600.0),
            ],
            blocks: "a b c d",
        },
        Case {
            name: "rows of a table",
            lines: vec![
                print("tea", 0.0, 0.0, 60.0),
                print("2.50", 300.0, 0.0, 60.0),
                print("cake", 0.0, 28.0, 60.0),
                print("3.50", 300.0, 28.0, 60.0),
            ],
            blocks: "tea 2.50 | cake 3.50",
        },
        Case {
            name: "two columns",
            lines: [column("a", 0.0, 0.0, 400.0, 3), column("b", 440.0, 0.0, 400.0, 3)].concat(),
            blocks: "aa ab ac | ba bb bc",
        },
    ];
    for Case { name, lines, blocks } in cases {
        for quarters in 0..4 {
            assert_eq!(read(turned(&lines, quarters)), blocks, "{name}, {quarters} quarters");
            assert_eq!(read(turned(&askew(&lines, 2.0), quarters)), blocks, "{name}, askew, {quarters} quarters");
        }
    }
}

#[test]
fn a_note_along_the_margin_is_read_after_the_text() {
    let note = turned(&[print("note", -500.0, -60.0, 400.0)], 3);
    let page = [note, vec![line("heading", 0.0, 0.0, 960.0, 40.0)], column("a", 0.0, 70.0, 460.0, 14)];
    let page = [page.concat(), column("b", 500.0, 70.0, 460.0, 14)].concat();
    let read = read(page);
    assert!(read.starts_with("heading | aa ") && read.ends_with(" bn | note"), "{read}");
}

#[test]
fn a_narrow_heading_of_a_table_is_read_where_it_stands() {
    let mut page = vec![print("name", 0.0, 100.0, 80.0)];
    page.extend(turned(&[print("tall", -160.0, 200.0, 110.0)], 3));
    page.push(print("price", 300.0, 100.0, 80.0));
    page.extend(
        (0..12).map(|i| print(&format!("item {i}"), (i % 3) as f32 * 150.0, 200.0 + (i / 3) as f32 * 30.0, 80.0)),
    );
    assert_eq!(order(page.clone()), names(&page));
}

#[test]
fn numbers_beside_text_are_no_column() {
    let amounts = |i: usize| print(&format!("1{i}.00 x 20{i}.00 = 2000.00"), 500.0, 30.0 * i as f32, 300.0);
    let items = |i: usize| print(&format!("a fine item{i}"), 0.0, 30.0 * i as f32, 400.0);
    let page: Vec<Line> = (0..6).flat_map(|i| [items(i), amounts(i)]).collect();
    assert_eq!(order(page.clone()), names(&page));
}

#[test]
fn an_outline_lies_as_its_lines_do() {
    let lines = [print("a", 100.0, 10.0, 300.0), print("b", 80.0, 40.0, 200.0)];
    let outline = Quad::upright(80.0, 10.0, 400.0, 60.0);
    for quarters in 0..4 {
        let expected = turned(&[Line { quad: outline, ..lines[0].clone() }], quarters)[0].quad;
        assert_eq!(frame::outline(&turned(&lines, quarters)), expected, "{quarters} quarters");
        let expected = askew(&turned(&[Line { quad: outline, ..lines[0].clone() }], quarters), 3.0)[0].quad;
        let found = frame::outline(&askew(&turned(&lines, quarters), 3.0));
        for (found, expected) in found.0.into_iter().zip(expected.0) {
            assert!(found.distance(expected) < 0.01, "{quarters} quarters, askew: {found:?}, {expected:?}");
        }
    }
}

#[test]
fn thousands_of_lines_take_no_time() {
    let at = |i: usize, x: f32, y: f32, width: f32| print(&format!("number{i}"), x, y, width);
    type Layout = fn(usize) -> (f32, f32, f32);
    let layouts: [(&str, Layout); 6] = [
        ("a table", |i| ((i % 40) as f32 * 100.0, (i / 40) as f32 * 30.0, 80.0)),
        ("a long column", |i| (0.0, i as f32 * 30.0, 300.0 + (i * 7919 % 300) as f32)),
        ("one row", |i| (i as f32 * 30.0, 0.0, 20.0)),
        ("a staircase", |i| (i as f32 * 30.0, i as f32 * 30.0, 300.0)),
        ("columns", |i| ((i % 8) as f32 * 330.0, (i / 8) as f32 * 30.0, 300.0)),
        ("one place", |_| (0.0, 0.0, 100.0)),
    ];
    for (name, layout) in layouts {
        let page = (0..4000).map(layout).enumerate().map(|(i, (x, y, width))| at(i, x, y, width)).collect();
        let started = Instant::now();
        let (lines, _) = arrange(page);
        // Without optimisation it is a tenth of a second; what grows with the cube of the lines takes minutes.
        assert!(started.elapsed() < Duration::from_secs(10), "{name}: {:?}", started.elapsed());
        assert_eq!(lines.len(), 4000, "{name}");
    }
}

/// Any line, upright: numbers of pixels are whole, so that moving and scaling is exact.
fn any_line() -> impl Strategy<Value = (i16, i16, i16, i16)> {
    (0i16..600, 0i16..600, 0i16..400, 0i16..60)
}

/// Any corners at all, and some that are no numbers.
fn any_quad() -> impl Strategy<Value = Quad> {
    let any = prop_oneof![8 => -1000f32..1000.0, 1 => any::<f32>(), 1 => Just(0.0)];
    prop::collection::vec((any.clone(), any), 4).prop_map(|p| Quad([0, 1, 2, 3].map(|i| Point::new(p[i].0, p[i].1))))
}

#[test]
fn vertical_columns_are_read_from_right_to_left() {
    let column = |text: &str, right: f32, letters: f32| {
        let quad = Quad::upright(right - 22.0, 40.0, right, 40.0 + 20.0 * letters).starting_at(1);
        Line { text: text.into(), score: 1.0, quad, words: vec![] }
    };
    let page = [("一", 500.0, 15.0), ("二", 465.0, 14.0), ("三", 430.0, 15.0), ("四", 395.0, 4.0)];
    let page: Vec<Line> = page.into_iter().map(|(text, right, letters)| column(text, right, letters)).collect();
    assert_eq!(read(shuffled(page.clone(), 77)), "一 二 三 四");
    assert_eq!(read(shuffled(askew(&page, 3.0), 77)), "一 二 三 四");
    let short: Vec<Line> =
        ["春", "眠", "不", "觉"].iter().zip(0..).map(|(text, i)| column(text, 500.0 - 35.0 * i as f32, 5.0)).collect();
    assert_eq!(order(shuffled(short, 5)), "春 眠 不 觉", "a poem");
}

/// The page as it would be in Hebrew: each letter another one, and what was on the left is on the right.
fn in_hebrew(lines: &[Line]) -> Vec<Line> {
    let letter =
        |c: char| if c.is_ascii_lowercase() { char::from_u32(0x5d0 + u32::from(c) % 27).unwrap_or(c) } else { c };
    let mirrored = |line: &Line| {
        let (left, top, right, bottom) = line.quad.bounds();
        let quad = Quad::upright(2000.0 - right, top, 2000.0 - left, bottom);
        Line { quad, text: line.text.chars().map(letter).collect(), ..line.clone() }
    };
    lines.iter().map(mirrored).collect()
}

#[test]
fn columns_and_rows_of_letters_that_run_left_are_read_from_the_right() {
    let page = [
        vec![print("heading", 300.0, 0.0, 400.0)],
        column("one", 0.0, 60.0, 440.0, 8),
        column("two", 520.0, 60.0, 440.0, 8),
    ];
    let row = |top: f32| (0..4).map(move |i| print("cell", 240.0 * i as f32, top, 90.0 + 9.0 * i as f32));
    let table: Vec<Line> = (0..5).flat_map(|i| row(400.0 + 40.0 * i as f32)).collect();
    for page in [page.concat(), table, [page.concat(), vec![print("of abc", 0.0, 340.0, 900.0)]].concat()] {
        let hebrew = in_hebrew(&page);
        let expected: Vec<_> = arrange(page).0.iter().map(|line| 2000.0 - line.quad.bounds().2).collect();
        let found: Vec<_> = arrange(shuffled(hebrew, 7)).0.iter().map(|line| line.quad.bounds().0).collect();
        assert_eq!(found, expected);
    }
}

proptest! {
    #[test]
    fn a_grid_is_read_row_by_row_however_it_is_turned(
        columns in 1usize..6, rows in 1usize..6, turn in 0usize..4, seed in any::<u64>(),
    ) {
        let cell = |i: usize| {
            let (x, y) = ((i % columns) as f32 * 100.0, (i / columns) as f32 * 30.0);
            line(&char::from(b'A' + i as u8).to_string(), x, y, x + 80.0, y + 20.0)
        };
        let lines: Vec<_> = (0..rows * columns).map(cell).collect();
        let expected = names(&lines);
        prop_assert_eq!(order(shuffled(turned(&lines, turn), seed)), expected);
    }

    #[test]
    fn every_line_comes_out_once_whatever_the_corners(quads in prop::collection::vec(any_quad(), 0..40)) {
        let lines: Vec<Line> =
            quads.iter().enumerate().map(|(i, &quad)| Line { quad, ..line(&format!("text{i}"), 0.0, 0.0, 0.0, 0.0) }).collect();
        let (ordered, blocks) = arrange(lines);
        let mut numbers: Vec<usize> = ordered.iter().map(|line| line.text["text".len()..].parse().expect("a number")).collect();
        numbers.sort_unstable();
        prop_assert!(numbers.into_iter().eq(0..quads.len()));
        prop_assert!(blocks.iter().all(|block| !block.lines.is_empty()));
        prop_assert!(blocks.into_iter().flat_map(|block| block.lines).eq(0..quads.len()));
    }

    #[test]
    fn neither_the_inputs_order_nor_the_pages_place_size_and_turn_matter(
        places in prop::collection::vec(any_line(), 1..40), slope in 0i8..2, seed in any::<u64>(),
        move_x in -500i16..500, move_y in -500i16..500, quarters in 0usize..4,
    ) {
        // A long line says which way is up, and perhaps a skew.
        let mut lines = vec![line("long", 0.0, 700.0, 20_000.0, 730.0)];
        lines.extend(places.iter().enumerate().map(|(i, &(x, y, width, height))| {
            let [x, y, width, height] = [x, y, width, height].map(f32::from);
            line(&format!("text{i}"), x, y, x + width, y + height)
        }));
        if slope > 0 {
            lines = mapped(&lines, |p| Point::new(p.x * 64.0 - p.y * 2.0, p.y * 64.0 + p.x * 2.0));
        }
        let expected = read(lines.clone());
        prop_assert_eq!(&read(shuffled(lines.clone(), seed)), &expected);
        let elsewhere = mapped(&lines, |p| Point::new(p.x + f32::from(move_x), p.y + f32::from(move_y)));
        prop_assert_eq!(&read(elsewhere), &expected);
        prop_assert_eq!(&read(mapped(&lines, |p| Point::new(p.x * 0.25, p.y * 0.25))), &expected);
        prop_assert_eq!(&read(turned(&lines, quarters)), &expected);
    }
}
