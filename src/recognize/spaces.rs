//! Spaces that the recogniser has not seen, by the ink: words of forms stand far apart and are read as one.

use unicode_script::{Script, UnicodeScript};

use super::ctc::Decoded;
use super::ink::Ink;
use super::place::LAG;

/// The least width of a space, as a part of the strip's height. Within words of scans, forms and PDF pages that were
/// made worse, the widest of 32,000 gaps is 0.27 high; on receipts it is less than 0.33. Between 0.33 and 0.42 nothing
/// changes. docs/decisions.md has what else was tried.
const LEAST: f32 = 0.37;

/// A gap so many times as wide as the line's usual one between characters is a space. Letters of titles that are spaced
/// are up to 1.2 times as far apart as they usually are. With 1.8 to 3 the same spaces were found but for three.
const WIDE: f32 = 2.2;

/// A gap between letters is at least so many times as wide as the line's usual space, where it has any: in a line of a
/// receipt, `L` and `T` stand as far apart as words of other lines do. With 0.7 to 1 two tokens of 20 receipts differ.
const OF_SPACE: f32 = 0.8;

/// With fewer gaps in a line, what is usual is chance, unless a space is likely: on scenes single words were parted.
const FEWEST: usize = 6;

/// A space of at least this probability is likely. From 0.1 to 0.2 the same words of scenes are parted but for two, and
/// from 0.3 on half as many.
const LIKELY: f32 = 0.15;

/// The least width of a likely space, as a part of the strip's height. With 0.1 more words of PDF pages are parted than
/// are found.
const LIKELY_LEAST: f32 = 0.13;

/// A gap so many times as wide as the usual one can be a likely space. With 2.2 two words of forms fewer are parted.
const LIKELY_WIDE: f32 = 1.5;

/// A gap between two characters.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Gap {
    /// The number of the character after it.
    before: usize,
    /// In columns of the strip.
    width: usize,
    /// The largest probability of a space in it.
    space: f32,
    kind: Kind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// With a space in it that was read.
    Space,
    /// Between two digits, which receipts print further apart than letters.
    Digits,
    /// Between two others of which words are made, in a script that has spaces.
    Letters,
    /// Beside a sign, or a letter of another script.
    Other,
}

/// Puts a space where `ink` has a gap between letters or digits that is much wider than the line's usual one, or is
/// wider and the recogniser has half seen a space in it. `height` is the strip's.
pub fn part(decoded: &mut Decoded, ink: &Ink, height: u32) {
    let (gaps, height) = (gaps(decoded, ink), height as f32);
    let usual = |is_one: fn(Kind) -> bool| usual(gaps.iter().filter(|gap| is_one(gap.kind)));
    let Some(letters) = usual(|kind| kind != Kind::Space) else { return };
    let digits = usual(|kind| kind == Kind::Digits).unwrap_or(0);
    let space = usual(|kind| kind == Kind::Space).unwrap_or(0);
    let is_told = gaps.iter().filter(|gap| gap.kind != Kind::Space).count() >= FEWEST;
    let is_space = |gap: &Gap| {
        let usual = match gap.kind {
            Kind::Space | Kind::Other => return false,
            Kind::Letters => letters,
            Kind::Digits => letters.max(digits),
        };
        let (width, usual) = (gap.width as f32, usual as f32);
        let is_wide = width >= (LEAST * height).max(OF_SPACE * space as f32).max(WIDE * usual);
        let is_likely = gap.space >= LIKELY && width >= (LIKELY_LEAST * height).max(LIKELY_WIDE * usual);
        is_told && is_wide || is_likely
    };
    let spaces: Vec<usize> = gaps.iter().filter(|gap| is_space(gap)).map(|gap| gap.before).collect();
    decoded.space(|glyph| spaces.contains(&glyph));
}

fn gaps(decoded: &Decoded, ink: &Ink) -> Vec<Gap> {
    let width = ink.width() as f32;
    let middle = |glyph: usize| {
        let glyph = &decoded.glyphs[glyph];
        (((glyph.start + glyph.end) / 2.0 - LAG * decoded.step) * width).max(0.0)
    };
    let text = |glyph: usize| decoded.glyph_text(glyph);
    let seen: Vec<usize> = (0..decoded.glyphs.len()).filter(|&glyph| !text(glyph).trim().is_empty()).collect();
    let pairs = seen.windows(2);
    pairs
        .map(|pair| {
            let (left, right) = (pair[0], pair[1]);
            let (from, to) = (middle(left) as usize, middle(right).ceil() as usize);
            let blank = ink.gaps(from..to.max(from + 1)).map(|gap| gap.end.min(to).saturating_sub(gap.start.max(from)));
            let kind = if right - left > 1 { Kind::Space } else { kind(text(left), text(right)) };
            Gap { before: right, width: blank.max().unwrap_or(0), space: decoded.glyphs[right].space, kind }
        })
        .collect()
}

fn kind(left: &str, right: &str) -> Kind {
    let (Some(left), Some(right)) = (left.chars().next_back(), right.chars().next()) else { return Kind::Other };
    let makes_words = |character: char| {
        character.is_ascii_digit()
            || character.is_alphabetic()
                && matches!(character.script(), Script::Latin | Script::Greek | Script::Cyrillic)
    };
    match (left, right) {
        _ if !makes_words(left) || !makes_words(right) => Kind::Other,
        _ if left.is_ascii_digit() && right.is_ascii_digit() => Kind::Digits,
        _ => Kind::Letters,
    }
}

/// Returns the median width, of two in the middle the larger one; `None` without gaps.
fn usual<'a>(gaps: impl Iterator<Item = &'a Gap>) -> Option<usize> {
    let mut widths: Vec<usize> = gaps.map(|gap| gap.width).collect();
    let half = widths.len() / 2;
    (!widths.is_empty()).then(|| *widths.select_nth_unstable(half).1)
}

#[cfg(test)]
mod tests {
    use super::super::ctc::Glyph;
    use super::*;

    /// Characters of five columns of ink each, so many blank columns after each. Their places lag behind as the
    /// recogniser's do.
    fn line(characters: &[(&str, usize)]) -> (Decoded, Ink) {
        let width: usize = characters.iter().map(|(_, blank)| 5 + blank).sum();
        let (mut columns, mut decoded) = (Vec::new(), Decoded { step: 8.0 / width as f32, ..Decoded::default() });
        for (text, blank) in characters {
            let middle = columns.len() as f32 + 2.5 + 2.0;
            decoded.text.push_str(text);
            let (start, end) = ((middle - 4.0) / width as f32, (middle + 4.0) / width as f32);
            decoded.glyphs.push(Glyph {
                text_end: decoded.text.len(),
                score: 0.9,
                surest: 0.9,
                start,
                end,
                space: 0.0,
            });
            columns.extend([if text.trim().is_empty() { 0 } else { 20 }; 5]);
            columns.extend(vec![0; *blank]);
        }
        // Rules take a tenth of the columns for their own: without blank ones there would be no ink.
        (decoded, Ink::from_columns(columns, 48))
    }

    #[test]
    fn a_likely_space_needs_a_narrower_gap() {
        struct Case {
            name: &'static str,
            blank: usize,
            space: f32,
            text: &'static str,
        }
        let cases = [
            Case { name: "likely", blank: 7, space: 0.15, text: "WB 3no" },
            Case { name: "not likely", blank: 7, space: 0.14, text: "WB3no" },
            Case { name: "no gap", blank: 6, space: 0.4, text: "WB3no" },
            Case { name: "not known", blank: 7, space: 0.0, text: "WB3no" },
        ];
        for case in cases {
            let (mut decoded, ink) = line(&[("W", 2), ("B", case.blank), ("3", 2), ("n", 2), ("o", 2)]);
            decoded.glyphs[2].space = case.space;
            part(&mut decoded, &ink, 48);
            assert_eq!(decoded.text, case.text, "{}", case.name);
        }
        let (mut decoded, ink) = line(&[("W", 6), ("B", 8), ("3", 6), ("n", 6), ("o", 6)]);
        decoded.glyphs[2].space = 0.4;
        part(&mut decoded, &ink, 48);
        assert_eq!(decoded.text, "WB3no", "not wider than usual");
    }

    #[test]
    fn a_gap_that_is_much_wider_than_usual_is_a_space() {
        struct Case {
            name: &'static str,
            line: &'static [(&'static str, usize)],
            text: &'static str,
        }
        let cases = [
            Case {
                name: "words",
                line: &[("n", 3), ("n", 3), ("o", 3), ("f", 3), ("i", 18), ("t", 3), ("s", 3)],
                text: "nnofi ts",
            },
            Case {
                name: "too narrow",
                line: &[("n", 3), ("n", 3), ("o", 3), ("f", 3), ("i", 17), ("t", 3), ("s", 3)],
                text: "nnofits",
            },
            Case {
                name: "spaced",
                line: &[("n", 9), ("n", 9), ("o", 9), ("f", 9), ("i", 19), ("t", 9), ("s", 9)],
                text: "nnofits",
            },
            Case {
                name: "spaced, wide",
                line: &[("n", 9), ("n", 9), ("o", 9), ("f", 9), ("i", 20), ("t", 9), ("s", 9)],
                text: "nnofi ts",
            },
            Case { name: "few", line: &[("n", 3), ("o", 3), ("f", 3), ("i", 30), ("t", 3), ("s", 3)], text: "nofits" },
            Case {
                name: "Greek, Cyrillic",
                line: &[("α", 3), ("α", 3), ("β", 30), ("ж", 3), ("я", 3), ("я", 3), ("я", 3)],
                text: "ααβ жяяя",
            },
            Case {
                name: "Chinese",
                line: &[("中", 3), ("文", 30), ("中", 3), ("文", 3), ("中", 3), ("文", 3), ("中", 3)],
                text: "中文中文中文中",
            },
            Case {
                name: "a sign",
                line: &[("n", 3), ("n", 3), ("a", 3), (":", 30), ("b", 3), ("c", 30), (".", 3)],
                text: "nna:bc.",
            },
            Case { name: "seen", line: &[("a", 3), ("b", 5), (" ", 20), ("c", 3), ("d", 3)], text: "ab cd" },
            Case {
                name: "narrower than spaces",
                line: &[("a", 3), ("b", 3), ("c", 22), (" ", 0), ("d", 3), ("L", 20), ("T", 3), ("e", 3), ("e", 3)],
                text: "abc dLTee",
            },
            Case {
                name: "as wide as spaces",
                line: &[("a", 3), ("b", 3), ("c", 19), (" ", 0), ("d", 3), ("L", 20), ("T", 3), ("e", 3), ("e", 3)],
                text: "abc dL Tee",
            },
            Case {
                name: "numbers",
                line: &[("9", 3), ("0", 3), ("1", 3), ("2", 3), ("3", 20), ("4", 3), ("5", 3)],
                text: "90123 45",
            },
            Case {
                name: "digits apart",
                line: &[
                    ("N", 2),
                    ("o", 2),
                    ("N", 2),
                    ("o", 2),
                    ("N", 2),
                    ("o", 2),
                    ("N", 20),
                    ("1", 19),
                    ("2", 19),
                    ("3", 2),
                ],
                text: "NoNoNoN 123",
            },
            Case { name: "nothing", line: &[], text: "" },
        ];
        for case in cases {
            let (mut decoded, ink) = line(case.line);
            part(&mut decoded, &ink, 48);
            assert_eq!(decoded.text, case.text, "{}", case.name);
            assert_eq!(decoded.glyphs.len(), case.text.chars().count(), "{}", case.name);
            let (text, glyphs) = (decoded.text.clone(), decoded.glyphs.clone());
            part(&mut decoded, &ink, 48);
            assert_eq!((decoded.text, decoded.glyphs), (text, glyphs), "{}: once is enough", case.name);
        }
    }
}
