use proptest::prelude::*;

use super::*;
use crate::recognize::ctc::Glyph;

const HEIGHT: u32 = 48;
const STEP: f32 = 8.0;

/// A character is as wide as this says, and stands that far behind the one before.
#[derive(Debug, Clone)]
struct Drawn {
    sign: char,
    gap: usize,
    width: usize,
}

/// A strip of letters that are blocks of ink, and what a recogniser sees of it: `off` moves what it sees.
fn drawn(text: &[Drawn], paper: u8, off: &[f32]) -> (Picture, Decoded, Vec<(usize, usize)>) {
    let width = text.iter().map(|drawn| drawn.gap + drawn.width).sum::<usize>() + 10;
    let (mut levels, mut decoded, mut true_ends) = (vec![paper; width * HEIGHT as usize], Decoded::default(), vec![]);
    let mut at = 0;
    for (drawn, off) in text.iter().zip(off.iter().chain(std::iter::repeat(&0.0))) {
        at += drawn.gap;
        let ends = (at, at + drawn.width);
        at = ends.1;
        decoded.text.push(drawn.sign);
        let middle = (ends.0 + ends.1) as f32 / 2.0 + LAG * STEP + off;
        let (start, end) = ((middle - STEP / 2.0) / width as f32, (middle + STEP / 2.0) / width as f32);
        decoded.glyphs.push(Glyph { text_end: decoded.text.len(), score: 1.0, surest: 1.0, start, end, space: 0.0 });
        true_ends.push(ends);
        if drawn.sign != ' ' {
            for row in levels.chunks_exact_mut(width).skip(14).take(20) {
                row[ends.0..ends.1].fill(255 - paper);
            }
        }
    }
    decoded.step = STEP / width as f32;
    let pixels = levels.into_iter().flat_map(|level| [level; 3]).collect();
    (Picture::from_rgb(width as u32, HEIGHT, pixels).unwrap(), decoded, true_ends)
}

fn letter(gap: usize, width: usize) -> Drawn {
    Drawn { sign: 'x', gap, width }
}

fn space(width: usize) -> Drawn {
    Drawn { sign: ' ', gap: 0, width }
}

/// Ends in columns, of those that are no spaces.
fn fitted(mut decoded: Decoded, strip: &Picture) -> Vec<(f32, f32)> {
    fit(&mut decoded, strip);
    let width = strip.width() as f32;
    let ends = decoded.glyphs.iter().map(|glyph| (glyph.start * width, glyph.end * width));
    ends.zip(decoded.text.chars()).filter(|(_, sign)| *sign != ' ').map(|(ends, _)| ends).collect()
}

fn expected(text: &[Drawn], true_ends: &[(usize, usize)]) -> Vec<(f32, f32)> {
    let letters = text.iter().zip(true_ends).filter(|(drawn, _)| drawn.sign != ' ');
    letters.map(|(_, &(start, end))| (start as f32, end as f32)).collect()
}

fn close(found: &[(f32, f32)], wanted: &[(f32, f32)], most: f32) -> bool {
    let near = |(one, other): (&(f32, f32), &(f32, f32))| (one.0 - other.0).abs().max((one.1 - other.1).abs()) <= most;
    found.len() == wanted.len() && found.iter().zip(wanted).all(near)
}

#[test]
fn characters_are_where_their_ink_is() {
    struct Case {
        name: &'static str,
        text: Vec<Drawn>,
        off: Vec<f32>,
    }
    let cases = [
        Case { name: "one", text: vec![letter(9, 20)], off: vec![3.0] },
        Case { name: "letters", text: vec![letter(6, 20), letter(4, 22), letter(3, 8)], off: vec![5.0, -5.0, 4.0] },
        Case {
            name: "two words",
            text: vec![letter(6, 20), letter(4, 20), space(14), letter(0, 20), letter(4, 18)],
            off: vec![-4.0, 4.0, 3.0, -4.0],
        },
        Case {
            name: "a thin letter between two spaces, seen behind its ink",
            text: vec![letter(6, 22), space(14), letter(0, 5), space(13), letter(0, 22)],
            off: vec![0.0, 2.0, 6.0, 2.0, 0.0],
        },
        Case {
            name: "two spaces in a row",
            text: vec![letter(6, 20), space(12), space(12), letter(0, 20)],
            off: vec![],
        },
        Case {
            name: "a wide letter before thin ones",
            text: vec![letter(8, 40), letter(5, 6), letter(5, 6), letter(5, 6), letter(5, 6)],
            off: vec![],
        },
    ];
    for case in cases {
        for paper in [255, 0] {
            let (strip, decoded, ends) = drawn(&case.text, paper, &case.off);
            let found = fitted(decoded, &strip);
            assert!(close(&found, &expected(&case.text, &ends), 0.01), "{}: {found:?} {ends:?}", case.name);
        }
    }
}

#[test]
fn letters_that_touch_are_parted_half_way() {
    let text = [letter(6, 20), letter(0, 20), letter(0, 20)];
    let (strip, decoded, ends) = drawn(&text, 255, &[2.0, 1.0, -1.0]);
    let found = fitted(decoded, &strip);
    assert!(close(&found, &expected(&text, &ends), 3.0), "{found:?} {ends:?}");
    assert_eq!((found[0].0, found[2].1), (6.0, 66.0));
}

#[test]
fn without_ink_borders_lie_half_way_between_middles() {
    let text = [letter(10, 20), letter(0, 20), space(20), letter(0, 20)];
    let (blank, decoded, ends) = drawn(&text, 255, &[]);
    let blank = Picture::from_rgb(blank.width(), HEIGHT, vec![90; blank.pixels().len()]).unwrap();
    let found = fitted(decoded, &blank);
    assert!(close(&found, &expected(&text, &ends), 0.01), "{found:?} {ends:?}");
}

#[test]
fn spaces_take_what_is_between_characters() {
    let text = [letter(6, 20), space(14), letter(0, 20)];
    let (strip, mut decoded, _) = drawn(&text, 255, &[]);
    fit(&mut decoded, &strip);
    let [before, space, after] = decoded.glyphs[..] else { panic!("three of them") };
    assert_eq!((space.start, space.end), (before.end, after.start));
}

#[test]
fn nothing_has_no_place() {
    let strip = Picture::from_rgb(1, HEIGHT, vec![0; 3 * HEIGHT as usize]).unwrap();
    let mut decoded = Decoded::default();
    fit(&mut decoded, &strip);
    assert_eq!(decoded, Decoded::default());
}

/// The gap with the largest value, by a look at every pair of columns.
fn plain_gap(ink: &Ink, from: usize, to: usize, space: f32) -> Option<(f32, f32)> {
    let mut best = None;
    for start in 0..ink.width() {
        for end in start + 1..=ink.width() {
            let whole = (start == 0 || !ink.is_blank(start - 1)) && (end == ink.width() || !ink.is_blank(end));
            if start == 0 || !whole || start >= to || end <= from || !(start..end).all(|column| ink.is_blank(column)) {
                continue;
            }
            let value = (end - start) as f32 - OFF_SPACE * ((start + end) as f32 / 2.0 - space).abs();
            if best.is_none_or(|(most, _)| value >= most) {
                best = Some((value, (start as f32, end as f32)));
            }
        }
    }
    best.map(|(_, ends)| ends)
}

fn any_text() -> impl Strategy<Value = Vec<Drawn>> {
    let drawn = prop_oneof![
        5 => (0usize..6, 4usize..40).prop_map(|(gap, width)| letter(gap, width)),
        1 => (8usize..30).prop_map(space),
    ];
    prop::collection::vec(drawn, 1..25)
}

proptest! {
    #[test]
    fn places_are_ordered_and_inside_whatever_is_seen(
        middles in prop::collection::vec((0f32..1.0, any::<bool>()), 0..20),
        pixels in prop::collection::vec(any::<u8>(), 1..90),
        step in 0.1f32..40.0,
    ) {
        let width = pixels.len();
        let pixels: Vec<u8> = (0..HEIGHT).flat_map(|row| pixels.iter().map(move |&p| p.wrapping_mul(row as u8 | 1)))
            .flat_map(|level| [level; 3]).collect();
        let strip = Picture::from_rgb(width as u32, HEIGHT, pixels).unwrap();
        let mut middles = middles;
        middles.sort_by(|one, other| one.0.total_cmp(&other.0));
        let mut decoded = Decoded { step: step / width as f32, ..Decoded::default() };
        for (middle, is_space) in middles {
            decoded.text.push(if is_space { ' ' } else { 'x' });
            let glyph = Glyph { text_end: decoded.text.len(), score: 1.0, surest: 1.0, start: middle, end: (middle + 0.1).min(1.0), space: 0.0 };
            decoded.glyphs.push(glyph);
        }
        fit(&mut decoded, &strip);
        let ends: Vec<f32> = decoded.glyphs.iter().flat_map(|glyph| [glyph.start, glyph.end]).collect();
        prop_assert!(ends.iter().all(|end| (0.0..=1.0).contains(end)), "{ends:?}");
        prop_assert!(ends.is_sorted(), "{ends:?}");
    }

    #[test]
    fn words_end_where_their_ink_ends(text in any_text(), off in prop::collection::vec(-2f32..2.0, 25)) {
        let (strip, decoded, ends) = drawn(&text, 255, &off);
        let found = fitted(decoded, &strip);
        let is_space = |i: usize| text.get(i).is_none_or(|drawn| drawn.sign == ' ');
        let letters: Vec<usize> = (0..text.len()).filter(|&i| !is_space(i)).collect();
        for (&i, found) in letters.iter().zip(found) {
            // At the ends of the line a wide letter may be taken for several.
            if i > 0 && is_space(i - 1) && letters[0] != i {
                prop_assert!((found.0 - ends[i].0 as f32).abs() < 0.01, "{} begins at {}: {text:?}", i, found.0);
            }
            if is_space(i + 1) && letters.last() != Some(&i) {
                prop_assert!((found.1 - ends[i].1 as f32).abs() < 0.01, "{} ends at {}: {text:?}", i, found.1);
            }
        }
    }

    #[test]
    fn gaps_equal_their_plain_twin(columns in prop::collection::vec(0u32..9, 20..80), from in 0.0f32..1.0, to in 0.0f32..1.0) {
        let width = columns.len() as f32;
        let (from, to) = (from.min(to) * (width - 2.0), (from.max(to) * width).max(from.min(to) * (width - 2.0) + 1.0));
        let seen = [(from, false), ((from + to) / 2.0, true), (to, false)];
        let seen: Vec<_> = seen.map(|(middle, is_space)| Glimpse { middle, is_space }).into();
        let ink = Ink::from_columns(columns, 9);
        let plain = plain_gap(&ink, from as usize, to.ceil() as usize, (from + to) / 2.0);
        let strip = Picture::from_rgb(width as u32, 9, vec![0; 27 * width as usize]).unwrap();
        // A step that wide leaves gaps as they are.
        let ruler = Ruler::new(seen, Some(ink), &strip, width);
        if let Some(plain) = plain {
            prop_assert_eq!(ruler.between(0, 2, 0.0), plain);
        }
    }
}
