//! Columns of vertical text: square characters that stand upright, one below the other.
//!
//! PP-OCR reads a column like a line that lies on its side, and knows characters well that way. But it leaves out marks:
//! of commas, full stops, brackets and long vowels up to nine of ten. They leave holes of a character's size with ink in
//! them. A hole is read once more, its neighbours stood upright beside it: as it is, which brings commas and full stops,
//! and turned, which brings what vertical print turns, such as brackets and dashes. What comes out counts only where the
//! neighbours are read as before, so lines of a page that is turned by a quarter stay as they are.

use std::ops::Range;

use super::{Lines, Reader, aspect};
use crate::error::Result;
use crate::geometry::Quad;
use crate::image::Picture;
use crate::image::warp::rectify;
use crate::recognize::ctc::{Decoded, Glyph};

/// The part of a line's characters that are square. Other lines that run down are Latin, and lie on their side.
const MOSTLY_SQUARE: f32 = 0.6;

/// How far apart characters of a column are, in widths of the column's outline, which is a little wider than they are.
/// Print has 0.7 to 1; what is spaced more widely is found as single characters.
const PITCH: Range<f32> = 0.6..1.3;

/// Of what is left at the ends of a column, this much of a character is room for one: outlines are drawn a third of a
/// character wider than the text.
const ROOM_AT_END: f32 = 0.55;

/// Larger holes are spaces, or something else than text. Two marks in a row are usual, three occur.
const MOST_CELLS: usize = 3;

/// A hole has something in it when its light and dark differ by this part of what they do in the whole column.
const INK: f32 = 0.5;

/// A mark in a hole is taken from this probability on; the marks of 60 drawn columns have 0.8 and more.
const SURE: f32 = 0.5;

/// A character with its place along the column, in fractions of its length.
#[derive(Debug, Clone, PartialEq)]
struct Character {
    text: String,
    score: f32,
    start: f32,
    end: f32,
}

impl Character {
    fn middle(&self) -> f32 {
        (self.start + self.end) / 2.0
    }

    fn is_square(&self) -> bool {
        self.text.chars().all(is_square)
    }
}

/// A stretch of a column that was read as nothing.
#[derive(Debug, Clone, PartialEq)]
struct Hole {
    /// How many of the column's characters are above it.
    at: usize,
    start: f32,
    end: f32,
    /// How many characters it has room for.
    cells: usize,
}

/// A column as it was read.
#[derive(Debug)]
struct Column {
    /// From top to bottom, without spaces.
    characters: Vec<Character>,
    /// From the middle of one character to the middle of the next, in fractions of the column's length.
    pitch: f32,
}

impl Lines<'_> {
    /// A column's reading with what was missing in it; any other line's as it is. `strip` is what was read, of `quad`.
    ///
    /// # Errors
    /// What the model's run returns.
    pub(super) fn completed(
        &self,
        reader: &mut Reader,
        (quad, strip): (&Quad, &Picture),
        decoded: Decoded,
    ) -> Result<Decoded> {
        if quad.quarters().is_multiple_of(2) {
            return Ok(decoded);
        }
        let Some(mut column) = Column::of(&decoded, 1.0 / aspect(quad)) else { return Ok(decoded) };
        let mut found = false;
        // From the bottom up, so that what is put in moves no hole that is still to be read.
        for hole in column.holes(strip).into_iter().rev() {
            let mut best: Option<Vec<Character>> = None;
            for is_lying in [false, true] {
                let marks = self.read_hole(reader, quad, (&column, &hole), is_lying)?;
                let is_better = |marks: &Vec<Character>| best.as_ref().is_none_or(|best| least(marks) > least(best));
                best = marks.filter(is_better).or(best);
            }
            let Some(marks) = best.filter(|marks| least(marks) >= SURE) else { continue };
            column.characters.splice(hole.at..hole.at, marks);
            found = true;
        }
        Ok(if found { column.decoded() } else { decoded })
    }

    /// What a hole holds: `None` where it or its neighbours are read as something else than they can be.
    fn read_hole(
        &self,
        reader: &mut Reader,
        quad: &Quad,
        (column, hole): (&Column, &Hole),
        is_lying: bool,
    ) -> Result<Option<Vec<Character>>> {
        let mut cells = Vec::with_capacity(hole.cells + 2);
        let mut stand = |middle: f32, is_lying: bool| -> Result<()> {
            let cell = cell(quad, middle, column.pitch, is_lying);
            let width = (self.alphabet.height() as f32 * aspect(&cell)).ceil() as u32;
            cells.push(rectify(self.picture, &cell, width.max(1), self.alphabet.height())?);
            Ok(())
        };
        let (above, below) = column.neighbours(hole);
        above.map_or(Ok(()), |above| stand(above.middle(), false))?;
        hole.middles().try_for_each(|middle| stand(middle, is_lying))?;
        below.map_or(Ok(()), |below| stand(below.middle(), false))?;
        let strip = side_by_side(&cells)?;
        let read = characters(&self.alphabet.read(reader.recognizer.as_mut(), &strip, self.stop)?);
        Ok(between(&read, above, below).map(|marks| hole.filled(marks)).filter(|marks| !marks.is_empty()))
    }
}

impl Column {
    /// `None` for what is no column of square characters. `width` is that of the column, in fractions of its length.
    fn of(decoded: &Decoded, width: f32) -> Option<Self> {
        let characters = characters(decoded);
        let square = characters.iter().filter(|character| character.is_square()).count();
        if (square as f32) < MOSTLY_SQUARE * characters.len() as f32 {
            return None;
        }
        let mut steps: Vec<f32> = characters
            .windows(2)
            .filter(|pair| pair.iter().all(Character::is_square))
            .map(|pair| pair[1].middle() - pair[0].middle())
            .collect();
        steps.sort_by(f32::total_cmp);
        // The lower third: every second step may be across a mark in a short column, and none is less than a character's.
        let pitch = *steps.get(steps.len().checked_sub(1)? / 3)?;
        let pitch = pitch.clamp(PITCH.start * width, PITCH.end * width);
        Some(Self { characters, pitch })
    }

    /// Its holes from top to bottom, as `strip` shows them.
    fn holes(&self, strip: &Picture) -> Vec<Hole> {
        let least_ink = INK * contrast(strip, 0.0, 1.0);
        let holes = (0..=self.characters.len()).filter_map(|at| self.hole(at));
        holes.filter(|hole| contrast(strip, hole.start, hole.end) >= least_ink).collect()
    }

    /// The hole above the character `at`, if there is room for one.
    fn hole(&self, at: usize) -> Option<Hole> {
        let above = at.checked_sub(1).and_then(|above| self.characters.get(above));
        let below = self.characters.get(at);
        let is_square = [above, below].into_iter().flatten().all(Character::is_square);
        let start = above.map_or(0.0, |above| above.middle() + self.pitch / 2.0);
        let end = below.map_or(1.0, |below| below.middle() - self.pitch / 2.0);
        let rounding = if above.is_some() && below.is_some() { 0.5 } else { 1.0 - ROOM_AT_END };
        let cells = ((end - start) / self.pitch + rounding).max(0.0) as usize;
        (is_square && (1..=MOST_CELLS).contains(&cells)).then_some(Hole { at, start, end, cells })
    }

    fn neighbours(&self, hole: &Hole) -> (Option<&Character>, Option<&Character>) {
        let above = hole.at.checked_sub(1).and_then(|above| self.characters.get(above));
        (above, self.characters.get(hole.at))
    }

    fn decoded(self) -> Decoded {
        let mut decoded = Decoded::default();
        let count = self.characters.len().max(1) as f32;
        for Character { text, score, start, end } in self.characters {
            decoded.text.push_str(&text);
            decoded.score += score / count;
            decoded.glyphs.push(Glyph { text_end: decoded.text.len(), score, start, end });
        }
        decoded
    }
}

impl Hole {
    fn step(&self, parts: usize) -> f32 {
        (self.end - self.start) / parts as f32
    }

    /// The middles of the characters that it has room for.
    fn middles(&self) -> impl Iterator<Item = f32> + use<> {
        let (start, step) = (self.start, self.step(self.cells));
        (0..self.cells).map(move |i| start + (i as f32 + 0.5) * step)
    }

    /// The marks at their places; none where there are more of them than it has room for.
    fn filled(&self, marks: &[Character]) -> Vec<Character> {
        if marks.len() > self.cells {
            return Vec::new();
        }
        let step = self.step(marks.len().max(1));
        let place = |(i, mark): (usize, &Character)| {
            let start = self.start + i as f32 * step;
            Character { start, end: start + step, ..mark.clone() }
        };
        marks.iter().enumerate().map(place).collect()
    }
}

/// The characters of a reading, without spaces.
fn characters(decoded: &Decoded) -> Vec<Character> {
    let starts = std::iter::once(0).chain(decoded.glyphs.iter().map(|glyph| glyph.text_end));
    let all = starts.zip(&decoded.glyphs).map(|(from, glyph)| Character {
        text: decoded.text[from..glyph.text_end].to_owned(),
        score: glyph.score,
        start: glyph.start,
        end: glyph.end,
    });
    all.filter(|character| !character.text.trim().is_empty()).collect()
}

/// What was read between the neighbours: `None` unless they come out as before, and only marks and square characters
/// between them.
fn between<'a>(
    mut read: &'a [Character],
    above: Option<&Character>,
    below: Option<&Character>,
) -> Option<&'a [Character]> {
    if let Some(above) = above {
        read = read.split_first().filter(|(first, _)| first.text == above.text)?.1;
    }
    if let Some(below) = below {
        read = read.split_last().filter(|(last, _)| last.text == below.text)?.1;
    }
    read.iter().all(|mark| mark.text.chars().all(|c| is_square(c) || is_mark(c))).then_some(read)
}

/// The least probability of some characters.
fn least(characters: &[Character]) -> f32 {
    characters.iter().map(|character| character.score).fold(f32::INFINITY, f32::min)
}

/// Letters and marks that take a square in Chinese, Japanese and Korean print; not the wide forms of Latin letters and
/// digits, which is what a long vowel that stands upright is read as.
fn is_square(c: char) -> bool {
    matches!(c,
        '\u{3001}'..='\u{30ff}' | '\u{3105}'..='\u{312f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}' | '\u{ff3b}'..='\u{ff40}'
        | '\u{ff5b}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}')
}

/// Marks that are written in such print and have no square form of their own, or are read as their narrow form.
fn is_mark(c: char) -> bool {
    matches!(c, ',' | '.' | ':' | ';' | '!' | '?' | '(' | ')' | '—' | '…' | '·' | '“' | '”' | '‘' | '’')
}

/// The outline of one character of a column: upright, or turned as the column is read.
fn cell(column: &Quad, middle: f32, pitch: f32, is_lying: bool) -> Quad {
    let across = column.slice(middle - pitch / 2.0, middle + pitch / 2.0);
    if !is_lying {
        return across.starting_at(3);
    }
    // As wide as high, so that a mark is as large as it is among the upright ones.
    let part = aspect(&across) / 2.0;
    across.starting_at(1).slice(0.5 - part, 0.5 + part).starting_at(3)
}

/// Pictures of one height as one, from left to right.
///
/// # Errors
/// [`crate::ErrorKind::Image`] when there are none.
fn side_by_side(pictures: &[Picture]) -> Result<Picture> {
    let width: u32 = pictures.iter().map(Picture::width).sum();
    let height = pictures.first().map_or(0, Picture::height);
    let mut pixels = Vec::with_capacity(3 * width as usize * height as usize);
    for y in 0..height as usize {
        for picture in pictures {
            let row = 3 * picture.width() as usize;
            pixels.extend_from_slice(&picture.pixels()[y * row..(y + 1) * row]);
        }
    }
    Picture::from_rgb(width, height, pixels)
}

/// How much light and dark differ between two fractions of a strip's width.
fn contrast(strip: &Picture, start: f32, end: f32) -> f32 {
    let width = strip.width() as usize;
    let column = |at: f32| ((at * width as f32) as usize).min(width);
    let columns = column(start)..column(end).max(column(start));
    let greens = strip
        .pixels()
        .chunks_exact(3 * width)
        .flat_map(|row| row[3 * columns.start..3 * columns.end].chunks_exact(3).map(|pixel| pixel[1]));
    let (low, high) = greens.fold((u8::MAX, u8::MIN), |(low, high), green| (low.min(green), high.max(green)));
    f32::from(high.saturating_sub(low))
}

#[cfg(test)]
mod tests;
