//! Regions with text.

use crate::geometry::Quad;

/// A part of the picture that holds one line of text, or a piece of one.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Region {
    /// Its outline in pixels of the picture, as if the text ran from left to right once the page is turned upright.
    pub quad: Quad,
    /// Mean text probability inside of it.
    pub score: f32,
    /// True where that is too low for text. It is read all the same, and kept where the reading leaves no doubt.
    pub is_doubtful: bool,
}
