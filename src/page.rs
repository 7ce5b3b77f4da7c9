//! What was read: a page of blocks of lines of words.

mod order;

use std::ops::Range;

use crate::geometry::Quad;
use crate::recognize::ctc::Decoded;

/// The text of one picture.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// Width of the picture in pixels, after its EXIF turn.
    pub width: u32,
    /// Height of the picture in pixels, after its EXIF turn.
    pub height: u32,
    /// Lines in reading order.
    pub lines: Vec<Line>,
    /// Which of them belong together: every line is in one block, and blocks have the order of their lines.
    pub blocks: Vec<Block>,
}

/// Lines that belong together: a paragraph, a heading, a row of a table or a form.
#[derive(Debug, Clone, PartialEq)]
pub struct Block {
    /// Which of the page's lines they are.
    pub lines: Range<usize>,
    /// The smallest rectangle around them whose sides run as their text does; the first corner is at the text's top left.
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
    /// What spaces separate.
    pub words: Vec<Word>,
}

/// A run of characters without a space.
#[derive(Debug, Clone, PartialEq)]
pub struct Word {
    /// Its text.
    pub text: String,
    /// Mean probability of its characters, 0 to 1.
    pub score: f32,
    /// Its outline: the line's, cut where its first and last character stand.
    pub quad: Quad,
}

impl Page {
    /// A page of lines in any order: they are put in reading order, and in blocks.
    pub fn new(width: u32, height: u32, lines: Vec<Line>) -> Self {
        let (lines, blocks) = order::arrange(lines);
        Self { width, height, lines, blocks }
    }

    /// The lines' texts, one a line.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}

impl Line {
    /// A line from a strip's characters and the strip's outline.
    pub fn new(decoded: Decoded, quad: Quad) -> Self {
        let words = words(&decoded, &quad);
        Self { text: decoded.text.trim().to_owned(), score: decoded.score, quad, words }
    }
}

fn words(decoded: &Decoded, quad: &Quad) -> Vec<Word> {
    let mut words: Vec<Word> = Vec::new();
    let (mut text_start, mut open) = (0, None::<(usize, f32, f32, f32, usize)>);
    for glyph in &decoded.glyphs {
        let is_space = decoded.text[text_start..glyph.text_end].trim().is_empty();
        open = match open {
            Some(word) if is_space => {
                words.push(word_of(decoded, quad, word, text_start));
                None
            }
            None if is_space => None,
            Some((from, start, _, sum, count)) => Some((from, start, glyph.end, sum + glyph.score, count + 1)),
            None => Some((text_start, glyph.start, glyph.end, glyph.score, 1)),
        };
        text_start = glyph.text_end;
    }
    words.extend(open.map(|word| word_of(decoded, quad, word, text_start)));
    words
}

fn word_of(
    decoded: &Decoded,
    quad: &Quad,
    (from, start, end, sum, count): (usize, f32, f32, f32, usize),
    to: usize,
) -> Word {
    Word { text: decoded.text[from..to].to_owned(), score: sum / count as f32, quad: quad.slice(start, end) }
}
