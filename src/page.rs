//! Pages: blocks of lines of words.

mod line;
mod order;

pub use line::{Block, Char, Line, Word};

use crate::geometry::Quad;
use crate::timings::Timings;

/// The text of one picture.
#[derive(Debug, Clone)]
pub struct Page {
    /// Width of the picture in pixels, after its EXIF turn.
    pub width: u32,
    /// Height of the picture in pixels, after its EXIF turn.
    pub height: u32,
    /// Lines in reading order.
    pub lines: Vec<Line>,
    /// The groups of lines that belong together: every line is in one block, and blocks have the order of their lines.
    pub blocks: Vec<Block>,
    /// Places with text that could not be read, while others could.
    pub unread: Vec<Unread>,
    /// The time that it took.
    pub timings: Timings,
}

/// Pages with the same text are equal, however long they took.
impl PartialEq for Page {
    fn eq(&self, other: &Self) -> bool {
        let Self { width, height, lines, blocks, unread, timings: _ } = self;
        (width, height) == (&other.width, &other.height)
            && (lines, blocks, unread) == (&other.lines, &other.blocks, &other.unread)
    }
}

/// A place with text that could not be read.
#[derive(Debug, Clone, PartialEq)]
pub struct Unread {
    /// Its outline.
    pub quad: Quad,
    /// The error's text.
    pub reason: String,
}

impl Page {
    /// Returns a page of lines in any order: they are put in reading order, and in blocks.
    pub fn new(width: u32, height: u32, lines: Vec<Line>) -> Self {
        let (lines, blocks) = order::arrange(lines);
        Self { width, height, lines, blocks, unread: Vec::new(), timings: Timings::default() }
    }

    /// Returns the lines' texts, one a line.
    pub fn text(&self) -> String {
        self.lines.iter().map(|line| line.text.as_str()).collect::<Vec<_>>().join("\n")
    }
}
