use super::*;

/// A reading with characters of one size at these middles.
fn reading(letters: &[(&str, f32)]) -> Decoded {
    let mut decoded = Decoded { score: 0.9, ..Default::default() };
    for (text, middle) in letters {
        decoded.text.push_str(text);
        let text_end = decoded.text.len();
        decoded.glyphs.push(Glyph {
            text_end,
            score: 0.9,
            surest: 0.9,
            start: middle - 0.01,
            end: middle + 0.01,
            space: 0.0,
        });
    }
    decoded
}

/// Ten pixels a hundredth: dark at these hundredths.
fn strip(dark: &[usize]) -> Picture {
    let row = (0..1000).flat_map(|x| [if dark.contains(&(x / 10)) { 20 } else { 240 }; 3]);
    Picture::from_rgb(1000, 1, row.collect()).expect("a picture")
}

#[test]
fn holes_are_where_there_is_room_and_ink() {
    struct Case {
        name: &'static str,
        letters: &'static [(&'static str, f32)],
        dark: &'static [usize],
        holes: &'static [(usize, usize)],
    }
    let cases = [
        Case {
            name: "none",
            letters: &[("字", 0.1), ("字", 0.3), ("字", 0.5), ("字", 0.7), ("字", 0.9)],
            dark: &[10, 20, 30, 50, 70, 90],
            holes: &[],
        },
        Case {
            name: "one within",
            letters: &[("字", 0.1), ("字", 0.3), ("字", 0.7), ("字", 0.9)],
            dark: &[10, 30, 46, 70, 90],
            holes: &[(2, 1)],
        },
        Case {
            name: "a space",
            letters: &[("字", 0.1), ("字", 0.3), ("字", 0.7), ("字", 0.9)],
            dark: &[10, 30, 70, 90],
            holes: &[],
        },
        Case {
            name: "beside what lies on its side",
            letters: &[("字", 0.1), ("字", 0.3), ("x", 0.7), ("字", 0.9)],
            dark: &[10, 30, 46, 70, 90],
            holes: &[],
        },
        Case {
            name: "two in a row, and one at each end",
            letters: &[("字", 0.2), ("字", 0.3), ("字", 0.4), ("字", 0.7), ("字", 0.8)],
            dark: &[8, 20, 30, 40, 50, 60, 70, 80, 92],
            holes: &[(0, 1), (3, 2), (5, 1)],
        },
    ];
    for case in cases {
        let column = Column::of(&reading(case.letters), 0.16).expect("a column");
        let holes: Vec<_> = column
            .holes(&strip(case.dark), Ground::of(&strip(case.dark)).expect("ink"))
            .iter()
            .map(|hole| (hole.at, hole.cells))
            .collect();
        assert_eq!(holes, case.holes, "{}", case.name);
    }
}

#[test]
fn latin_lines_and_single_characters_are_no_columns() {
    for letters in [&[("a", 0.1), ("b", 0.2), ("字", 0.3)][..], &[("字", 0.5)], &[]] {
        assert!(Column::of(&reading(letters), 0.1).is_none(), "{letters:?}");
    }
}

#[test]
fn what_is_put_in_has_its_place_and_the_text_goes_on() {
    let column = Column::of(&reading(&[("字", 0.1), ("母", 0.3), (" ", 0.4), ("元", 0.7)]), 0.2).expect("a column");
    let hole = column.hole(2).expect("room");
    let mark = Character { text: "、".into(), score: 0.5, surest: 0.5, start: 0.4, end: 0.6, space: None };
    let marks = hole.filled(std::slice::from_ref(&mark));
    assert!((marks[0].middle() - 0.5).abs() < 1e-4, "{marks:?}");
    assert!(hole.filled(&vec![mark; 3]).is_empty(), "more than there is room for");
    let mut filled = column;
    filled.fill(&hole, marks);
    let decoded = filled.decoded();
    assert_eq!(decoded.text, "字母、元");
    assert_eq!(decoded.glyphs.iter().map(|glyph| glyph.text_end).collect::<Vec<_>>(), [3, 6, 9, 12]);
    assert!((decoded.score - 0.8).abs() < 1e-4);
}

#[test]
fn spaces_stay_where_nothing_is_put_in() {
    let letters = [("한", 0.1), ("글", 0.2), (" ", 0.25), ("을", 0.3), (" ", 0.4), ("字", 0.5), ("字", 0.6)];
    let whole = reading(&letters);
    let column = || Column::of(&whole, 0.1).expect("a column");
    assert_eq!(column().decoded().glyphs, whole.glyphs);
    let hole = column().hole(3).expect("room");
    let mark = Character { text: "。".into(), score: 0.9, surest: 0.9, start: 0.0, end: 0.0, space: None };
    for (marks, text) in [(vec![], "한글 을 字字"), (hole.filled(&[mark]), "한글 을。字字")] {
        let mut column = column();
        column.fill(&hole, marks);
        assert_eq!(column.decoded().text, text);
    }
}

#[test]
fn neighbours_have_to_come_out_as_before() {
    let read = |texts: &[&str]| -> Vec<Character> {
        texts
            .iter()
            .map(|&text| Character { text: text.into(), score: 1.0, surest: 1.0, start: 0.0, end: 0.1, space: None })
            .collect()
    };
    let (above, below) = (&read(&["字"])[0], &read(&["母"])[0]);
    struct Case {
        read: &'static [&'static str],
        between: Option<&'static [&'static str]>,
    }
    let cases = [
        Case { read: &["字", "、", "母"], between: Some(&["、"]) },
        Case { read: &["字", "。", "「", "母"], between: Some(&["。", "「"]) },
        Case { read: &["字", "母"], between: Some(&[]) },
        Case { read: &["学", "、", "母"], between: None },
        Case { read: &["字", "1", "母"], between: None },
        Case { read: &["字", "Ｉ", "母"], between: None },
        Case { read: &["字", "!", "母"], between: None },
        Case { read: &["字"], between: None },
        Case { read: &[], between: None },
    ];
    for case in cases {
        let all = read(case.read);
        let found = between(&all, Some(above), Some(below));
        let texts = found.map(|found| found.iter().map(|mark| mark.text.as_str()).collect::<Vec<_>>());
        assert_eq!(texts.as_deref(), case.between, "{:?}", case.read);
    }
    assert_eq!(between(&read(&["、", "母"]), None, Some(below)).map(<[_]>::len), Some(1), "at the column's head");
}

#[test]
fn small_ink_is_moved_to_where_horizontal_print_has_it() {
    // A hole 60 wide and high, with a neighbour's foot at its top and a rectangle in it.
    let hole = |left: usize, top: usize, width: usize, height: usize| {
        let mut pixels = vec![230u8; 3 * 60 * 60];
        pixels[..3 * 60 * 3].fill(10);
        for y in top..top + height {
            pixels[3 * (60 * y + left)..3 * (60 * y + left + width)].fill(10);
        }
        Picture::from_rgb(60, 60, pixels).expect("a picture")
    };
    let shown = hole(40, 10, 12, 9);
    let ground = Ground::of(&shown).expect("ink");
    let cell = speck(&shown, ground, 48).expect("a picture").expect("a speck");
    let dark: Vec<usize> = (0..48 * 48).filter(|i| ground.paper.is_inked(&cell.pixels()[3 * i..3 * i + 3])).collect();
    assert_eq!(dark.len(), 12 * 9);
    assert!(dark.iter().all(|i| (3..15).contains(&(i % 48)) && (36..45).contains(&(i / 48))), "{dark:?}");
    assert_eq!(cell.pixels()[0], 230);
    assert!(speck(&hole(28, 8, 5, 45), ground, 48).expect("looked at").is_none(), "a long vowel");
    assert!(speck(&hole(0, 0, 0, 0), ground, 48).expect("looked at").is_none(), "nothing of its own");
}
