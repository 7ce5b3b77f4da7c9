//! Lines of words of characters, and blocks of lines.

use std::ops::Range;

use crate::geometry::Quad;
use crate::recognize::ctc::{Decoded, Glyph};

/// A word with a character whose largest probability is smaller is doubtful. Chosen on one half of 40 labelled forms
/// and receipts, where such words are 9.9 % of all and 63 % of the wrong ones; on the other half they are 10.4 % and 74 %,
/// and on 100 pictures of all kinds 9.0 % and 61 %. docs/decisions.md has what else was tried.
const SURE: f32 = 0.89;

/// Lines that belong together: a paragraph, a heading, a row of a table or a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// The range of the page's lines.
    pub lines: Range<usize>,
    /// The smallest rectangle around them whose sides run as their text does; the first corner is at the text's top
    /// left.
    pub quad: Quad,
}

/// A line of text as the detector saw it: a table's cell or a column's line is a line of its own.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// Its text.
    pub text: String,
    /// Mean probability of its characters, 0 to 1.
    pub score: f32,
    /// Its outline in pixels of the picture; the first corner is at the text's top left, however the text is turned.
    pub quad: Quad,
    /// The words, which spaces separate.
    pub words: Vec<Word>,
}

/// A run of characters without a space.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Its text.
    pub text: String,
    /// Mean probability of its characters, 0 to 1.
    pub score: f32,
    /// Its outline: as high as the line, from the first ink of its characters to their last.
    pub quad: Quad,
    /// Its characters in the order in which they are read, where they were asked for.
    pub characters: Vec<Char>,
    /// True if it is likely to be wrong: one of its characters is not sure at any of its steps.
    pub doubtful: bool,
}

/// A character as the recogniser knows it; some languages write it with several code points.
#[derive(Debug, Clone, PartialEq)]
pub struct Char {
    /// Its text.
    pub text: String,
    /// Its probability, 0 to 1.
    pub score: f32,
    /// Its outline: as high as the line, from its first to its last ink. Those of neighbours do not overlap.
    pub quad: Quad,
}

impl Line {
    /// Returns a line from a strip's characters and the strip's outline. Its words have `characters` where these are
    /// wanted.
    pub fn new(decoded: &Decoded, quad: Quad, characters: bool) -> Self {
        let words = words(decoded, &quad, characters);
        Self { text: decoded.text.trim().to_owned(), score: decoded.score, quad, words }
    }
}

fn words(decoded: &Decoded, quad: &Quad, characters: bool) -> Vec<Word> {
    let mut starts = std::iter::once(0).chain(decoded.glyphs.iter().map(|glyph| glyph.text_end));
    let texts = decoded.glyphs.iter().map(|glyph| &decoded.text[starts.next().unwrap_or_default()..glyph.text_end]);
    let glyphs: Vec<(&str, &Glyph)> = texts.zip(&decoded.glyphs).collect();
    let runs = glyphs.split(|(text, _)| text.trim().is_empty());
    runs.filter_map(|run| word(run, quad, characters)).collect()
}

/// Returns the word that some characters are; None for none. They stand in the order in which they are read.
fn word(run: &[(&str, &Glyph)], quad: &Quad, characters: bool) -> Option<Word> {
    let start = run.iter().map(|(_, glyph)| glyph.start).reduce(f32::min)?;
    let end = run.iter().map(|(_, glyph)| glyph.end).reduce(f32::max)?;
    let one = |&(text, glyph): &(&str, &Glyph)| Char {
        text: text.to_owned(),
        score: glyph.score,
        quad: quad.slice(glyph.start, glyph.end),
    };
    Some(Word {
        text: run.iter().map(|(text, _)| *text).collect(),
        score: run.iter().map(|(_, glyph)| glyph.score).sum::<f32>() / run.len() as f32,
        quad: quad.slice(start, end),
        characters: if characters { run.iter().map(one).collect() } else { Vec::new() },
        // Also what is no number.
        doubtful: !run.iter().all(|(_, glyph)| glyph.surest >= SURE),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUAD: Quad = Quad::upright(0.0, 0.0, 100.0, 10.0);

    /// Characters of a tenth of the strip each.
    fn decoded(signs: &[&str]) -> Decoded {
        let mut decoded = Decoded { score: 0.5, ..Decoded::default() };
        for (i, sign) in (0u8..).zip(signs) {
            decoded.text.push_str(sign);
            let start = f32::from(i) / 10.0;
            let score = 1.0 / f32::from(i + 1);
            let surest = score;
            decoded.glyphs.push(Glyph {
                text_end: decoded.text.len(),
                score,
                surest,
                start,
                end: start + 0.1,
                space: 0.0,
            });
        }
        decoded
    }

    #[test]
    fn words_are_what_spaces_separate() {
        let line = Line::new(&decoded(&[" ", "é", "b", " ", "\u{3000}", "क्ष"]), QUAD, false);
        let words: Vec<_> = line.words.iter().map(|word| (word.text.as_str(), word.quad, word.score)).collect();
        let [one, two] = [QUAD.slice(0.1, 0.2 + 0.1), QUAD.slice(0.5, 0.5 + 0.1)];
        assert_eq!(words, [("éb", one, (1.0 / 2.0 + 1.0 / 3.0) / 2.0), ("क्ष", two, 1.0 / 6.0)]);
        assert_eq!(line.text, "éb \u{3000}क्ष");
        assert!(line.words.iter().all(|word| word.characters.is_empty()), "nobody asked for them");
    }

    #[test]
    fn a_word_is_the_hull_of_its_characters() {
        let line = Line::new(&decoded(&["a", "क्ष", " ", "c"]), QUAD, true);
        let texts: Vec<Vec<_>> =
            line.words.iter().map(|word| word.characters.iter().map(|one| one.text.as_str()).collect()).collect();
        assert_eq!(texts, [vec!["a", "क्ष"], vec!["c"]]);
        for word in &line.words {
            let (first, last) = (&word.characters[0], &word.characters[word.characters.len() - 1]);
            assert_eq!((word.quad.0[0], word.quad.0[3]), (first.quad.0[0], first.quad.0[3]));
            assert_eq!((word.quad.0[1], word.quad.0[2]), (last.quad.0[1], last.quad.0[2]));
        }
    }

    #[test]
    fn a_word_with_a_character_that_is_never_sure_is_doubtful() {
        let doubtful = |sure: [f32; 2]| {
            let mut decoded = decoded(&["a", "b"]);
            decoded.glyphs.iter_mut().zip(sure).for_each(|(glyph, surest)| glyph.surest = surest);
            Line::new(&decoded, QUAD, false).words[0].doubtful
        };
        assert!(!doubtful([0.89, 1.0]));
        assert!(doubtful([0.99, 0.88]) && doubtful([f32::NAN, 1.0]));
    }

    #[test]
    fn no_characters_are_no_words() {
        for signs in [&[][..], &[" "], &[" ", " "]] {
            assert_eq!(Line::new(&decoded(signs), QUAD, true).words, []);
        }
    }
}
