//! Text in the order in which it is read.
//!
//! A recogniser sees a line from its left to its right. Where letters run to the left, as those of Arabic and Hebrew, and
//! numbers among them do not, text is another order of the same characters. Unicode's bidirectional algorithm (UAX #9)
//! leads from text to its places; applied to the places it leads back, which is what PaddleOCR and RapidOCR do too.

use std::iter::once;

use unicode_bidi::{BidiClass, BidiInfo, Level, bidi_class};

use super::ctc::{Decoded, Glyph};

/// Pairs that are drawn as each other where text runs to the left.
const MIRRORED: [(char, char); 9] = [
    ('(', ')'),
    ('[', ']'),
    ('{', '}'),
    ('<', '>'),
    ('\u{ab}', '\u{bb}'),
    ('\u{2039}', '\u{203a}'),
    ('\u{2264}', '\u{2265}'),
    ('\u{27e8}', '\u{27e9}'),
    ('\u{ff08}', '\u{ff09}'),
];

/// Returns true if more letters run to the left than to the right.
pub(crate) fn runs_left<'a>(texts: impl IntoIterator<Item = &'a str>) -> bool {
    let strong = texts.into_iter().flat_map(str::chars).filter_map(runs);
    let (left, right): (Vec<_>, Vec<_>) = strong.partition(|runs| *runs == Runs::Left);
    left.len() > right.len()
}

/// The direction of a letter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Runs {
    Left,
    Right,
}

/// Returns the direction of a character that has one.
fn runs(c: char) -> Option<Runs> {
    match bidi_class(c) {
        BidiClass::R | BidiClass::AL => Some(Runs::Left),
        BidiClass::L => Some(Runs::Right),
        _ => None,
    }
}

/// Returns the direction of a line as it stands from left to right: that of both its ends, or else of most letters.
fn base(seen: &str) -> Level {
    let mut strong = seen.chars().filter_map(runs);
    let (first, last) = (strong.next(), strong.next_back());
    let is_left = match (first, last.or(first)) {
        (Some(first), Some(last)) if first == last => first == Runs::Left,
        _ => runs_left([seen]),
    };
    if is_left { Level::rtl() } else { Level::ltr() }
}

impl Decoded {
    /// Brings characters that stand from left to right into the order in which they are read. Their places stay.
    pub(crate) fn put_in_reading_order(&mut self) {
        if !self.text.chars().any(|c| runs(c) == Some(Runs::Left)) {
            return;
        }
        let info = BidiInfo::new(&self.text, Some(base(&self.text)));
        let starts = once(0).chain(self.glyphs.iter().map(|glyph| glyph.text_end));
        let glyphs: Vec<(&str, Level, Glyph)> = starts
            .zip(&self.glyphs)
            .filter_map(|(start, glyph)| {
                Some((self.text.get(start..glyph.text_end)?, *info.levels.get(start)?, *glyph))
            })
            .collect();
        let levels: Vec<Level> = glyphs.iter().map(|(_, level, _)| *level).collect();
        let mut text = String::with_capacity(self.text.len());
        let mut ordered = Vec::with_capacity(glyphs.len());
        for (of, level, glyph) in BidiInfo::reorder_visual(&levels).into_iter().filter_map(|i| glyphs.get(i)) {
            text.extend(of.chars().map(|c| if level.is_rtl() { mirrored(c) } else { c }));
            ordered.push(Glyph { text_end: text.len(), ..*glyph });
        }
        (self.text, self.glyphs) = (text, ordered);
    }
}

fn mirrored(c: char) -> char {
    let pair = MIRRORED.iter().find(|(open, close)| c == *open || c == *close);
    pair.map_or(c, |&(open, close)| if c == open { close } else { open })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Characters a tenth of the strip wide each.
    fn seen(characters: &[&str]) -> Decoded {
        let mut decoded = Decoded::default();
        for (i, character) in characters.iter().enumerate() {
            decoded.text.push_str(character);
            let (start, end) = (i as f32 / 10.0, (i + 1) as f32 / 10.0);
            decoded.glyphs.push(Glyph {
                text_end: decoded.text.len(),
                score: 1.0,
                surest: 1.0,
                start,
                end,
                space: 0.0,
            });
        }
        decoded
    }

    fn read(line: &str) -> String {
        let mut decoded =
            seen(&line.chars().map(String::from).collect::<Vec<_>>().iter().map(String::as_str).collect::<Vec<_>>());
        decoded.put_in_reading_order();
        decoded.text
    }

    #[test]
    fn letters_that_run_left_are_turned_round_and_what_runs_right_among_them_is_not() {
        struct Case {
            name: &'static str,
            /// As it stands from left to right.
            seen: &'static str,
            read: &'static str,
        }
        let cases = [
            Case { name: "Latin", seen: "abc (12) def", read: "abc (12) def" },
            Case { name: "Hebrew", seen: "\u{5d3}\u{5d2} \u{5d1}\u{5d0}", read: "\u{5d0}\u{5d1} \u{5d2}\u{5d3}" },
            Case { name: "a number", seen: "\u{5d1} 1996 \u{5d0}", read: "\u{5d0} 1996 \u{5d1}" },
            Case {
                name: "Arabic digits",
                seen: "\u{628} \u{661}\u{669}\u{669}\u{666} \u{627}",
                read: "\u{627} \u{661}\u{669}\u{669}\u{666} \u{628}",
            },
            Case { name: "an amount", seen: "12,50 \u{5d0}", read: "\u{5d0} 12,50" },
            Case {
                name: "a Latin name",
                seen: "\u{5d2}\u{5d3} Ab Cd \u{5d1}\u{5d0}",
                read: "\u{5d0}\u{5d1} Ab Cd \u{5d3}\u{5d2}",
            },
            Case { name: "most of it Latin", seen: "\u{5d1} Abc Def \u{5d0}", read: "\u{5d0} Abc Def \u{5d1}" },
            Case { name: "Latin at its end", seen: "Ab \u{5d2}\u{5d1}\u{5d0}", read: "\u{5d0}\u{5d1}\u{5d2} Ab" },
            Case { name: "Latin with a name", seen: "of Abc \u{5d1}\u{5d0}", read: "of Abc \u{5d0}\u{5d1}" },
            Case { name: "a word in Latin text", seen: "say \u{5d1}\u{5d0} now", read: "say \u{5d0}\u{5d1} now" },
            Case { name: "brackets", seen: "(\u{5d1}\u{5d0})", read: "(\u{5d0}\u{5d1})" },
            Case { name: "an item of a list", seen: "\u{5d0} (1", read: "1) \u{5d0}" },
            Case { name: "a full stop", seen: ".\u{5d1}\u{5d0}", read: "\u{5d0}\u{5d1}." },
            Case { name: "nothing", seen: "", read: "" },
        ];
        for case in cases {
            assert_eq!(read(case.seen), case.read, "{}", case.name);
        }
    }

    #[test]
    fn places_stay_with_their_characters_however_many_code_points_they_have() {
        // A ligature of two letters, and a letter with its vowel.
        let mut decoded = seen(&["\u{644}\u{627}", " ", "a", "b", " ", "\u{628}\u{64e}", "\u{62a}"]);
        decoded.put_in_reading_order();
        assert_eq!(decoded.text, "\u{62a}\u{628}\u{64e} ab \u{644}\u{627}");
        let starts: Vec<_> = decoded.glyphs.iter().map(|glyph| (glyph.start * 10.0).round() as i32).collect();
        assert_eq!(starts, [6, 5, 4, 2, 3, 1, 0]);
        let ends: Vec<_> = decoded.glyphs.iter().map(|glyph| glyph.text_end).collect();
        assert_eq!(ends, [2, 6, 7, 8, 9, 10, 14]);
    }

    proptest! {
        #[test]
        fn no_character_is_lost_or_split_whatever_stands_there(
            line in "[a-c0-9 .,()\u{5d0}-\u{5d4}\u{627}-\u{62a}\u{64e}\u{660}-\u{664}\u{2028}\u{202a}-\u{202e}\u{2066}-\u{2069}\n]{0,24}",
        ) {
            let sorted = |text: &str| {
                let mut all: Vec<char> = text.chars().map(|c| if c == ')' { '(' } else { c }).collect();
                all.sort_unstable();
                all
            };
            prop_assert_eq!(sorted(&read(&line)), sorted(&line));
        }
    }
}
