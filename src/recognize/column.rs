//! Columns of vertical text: square characters that stand upright, one below the other.
//!
//! PP-OCR reads a column like a line that lies on its side, and knows letters well that way. But it leaves out marks:
//! of commas, full stops, brackets and long vowels up to nine of ten. They leave holes with ink in them. A hole is read
//! once more, its neighbours upright beside it, and what is in it as horizontal print has it: what is small, a comma or
//! a full stop, in the lower left of its square, and what is large, a bracket or a dash, turned back. What comes out
//! counts only where the neighbours are read as before, so lines of a page turned by a quarter stay as they are.
//!
//! Places are the recogniser's steps here, not yet the ink: what was left out would count as its neighbours' ink.

use std::ops::Range;

use super::Alphabet;
use super::ctc::{Decoded, Glyph};
use super::ink::Paper;
use crate::error::{Result, unless_fatal};
use crate::geometry::Quad;
use crate::image::Picture;
use crate::image::warp::rectify;
use crate::runtime::Model;
use crate::stop::Stop;

/// The part of a line's characters that are square. Other lines that run down are Latin, and lie on their side.
const MOSTLY_SQUARE: f32 = 0.6;

/// The distance between characters of a column, in widths of the column's outline, which is a little wider than they
/// are. Print has 0.7 to 1; what is spaced more widely is found as single characters.
const PITCH: Range<f32> = 0.6..1.3;

/// This much of a character's length between two others is room for a mark, which may be set in half of a square. On
/// 120 drawn pages of five fonts 0.2, 0.35, 0.45 and 0.55 leave 114, 65, 56 and 52 errors in 4,753 characters where
/// marks take a square; where they take half of one 336, 311, 311 and 322.
const ROOM: f32 = 0.45;

/// The same at the ends of a column, whose outline is drawn a third of a character longer than the text. On the same
/// pages, marks in whole squares, with `ROOM` at 0.35 yet: 0.35, 0.45, 0.55, 0.65, 0.75 leave 69, 64, 65, 72, 76.
const ROOM_AT_END: f32 = 0.55;

/// Larger holes are spaces, or something else than text. Two marks in a row are usual, three occur.
const MOST_CELLS: usize = 3;

/// A hole is looked at with this much of a character above and below it: a mark may stand close to its neighbour. Tried
/// likewise: 0, 0.08, 0.15, 0.22 and 0.3 leave 67, 64, 65, 69 and 72.
const BEYOND: f32 = 0.15;

/// The largest width and height, in characters, of a comma or a full stop. Tried likewise:
/// 0.4 to 0.8 leave 65.
const SMALL: f32 = 0.6;

/// Marks are taken from this probability on. In 60 drawn columns right ones have 0.8 and more.
const SURE: f32 = 0.5;

/// A character with its place along the column, in fractions of its length.
#[derive(Debug, Clone, PartialEq)]
struct Character {
    text: String,
    score: f32,
    surest: f32,
    start: f32,
    end: f32,
    /// The space that was read before it.
    space: Option<Glyph>,
}

impl Character {
    fn middle(&self) -> f32 {
        (self.start + self.end) / 2.0
    }

    fn is_square(&self) -> bool {
        self.text.chars().all(is_square)
    }

    /// Returns true if it is a mark that horizontal print has in the lower left of its square.
    fn is_speck(&self) -> bool {
        matches!(self.text.as_str(), "、" | "。" | "，" | ",")
    }
}

/// A stretch of a column that was read as nothing.
#[derive(Debug, Clone, PartialEq)]
struct Hole {
    /// The number of the column's characters above it.
    at: usize,
    start: f32,
    end: f32,
    /// The number of characters that it has room for.
    cells: usize,
}

/// A column as it was read.
#[derive(Debug)]
struct Column {
    /// From top to bottom.
    characters: Vec<Character>,
    /// From the middle of one character to the middle of the next, in fractions of the column's length.
    pitch: f32,
    /// A step of the recogniser, in the same fractions.
    step: f32,
}

/// Completes the columns of one picture.
pub(crate) struct Columns<'a> {
    pub(crate) picture: &'a Picture,
    pub(crate) alphabet: &'a Alphabet,
    pub(crate) stop: &'a Stop,
}

impl Columns<'_> {
    /// Returns a column's reading with what was missing in it; any other line's as it is. `strip` is what was read, of
    /// `quad`.
    ///
    /// # Errors
    /// The errors of the model's run.
    pub(crate) fn completed(
        &self,
        model: &mut dyn Model,
        quad: &Quad,
        strip: &Picture,
        decoded: Decoded,
    ) -> Result<Decoded> {
        if quad.quarters().is_multiple_of(2) {
            return Ok(decoded);
        }
        let Some(mut column) = Column::of(&decoded, 1.0 / quad.aspect()) else { return Ok(decoded) };
        let Some(ground) = Ground::of(strip) else { return Ok(decoded) };
        let mut found = false;
        // From the bottom up, so that what is put in moves no hole that is still to be read.
        for hole in column.holes(strip, ground).into_iter().rev() {
            // A failure here costs nothing but the mark.
            let specks = unless_fatal(self.read_hole(model, quad, Some(ground), &column, &hole))?.unwrap_or(None);
            // A small bracket in the lower left is read as another one: only a speck is what it is there.
            let is_right = specks.as_ref().is_some_and(|marks| marks.iter().all(Character::is_speck));
            let turned = |model: &mut dyn Model| unless_fatal(self.read_hole(model, quad, None, &column, &hole));
            let marks = if is_right { specks } else { turned(model)?.unwrap_or(None) };
            let marks = marks.unwrap_or_default();
            found |= !marks.is_empty();
            column.fill(&hole, marks);
        }
        Ok(if found { column.decoded() } else { decoded })
    }

    /// Reads a hole, small ink moved where it is told from paper, and else all of it turned: returns nothing where it
    /// or its neighbours are read as something else than they can be, or nothing is small.
    fn read_hole(
        &self,
        model: &mut dyn Model,
        quad: &Quad,
        ground: Option<Ground>,
        column: &Column,
        hole: &Hole,
    ) -> Result<Option<Vec<Character>>> {
        let half = column.pitch / 2.0;
        let (above, below) = column.neighbours(hole);
        let upright =
            |letter: &Character| self.cut(quad.slice(letter.middle() - half, letter.middle() + half).starting_at(3));
        let mut cells = Vec::with_capacity(hole.cells + 2);
        cells.extend(above.map(upright).transpose()?);
        let mut specks = 0;
        for stretch in hole.stretches() {
            let speck = ground.map(|ground| self.speck(quad, &stretch, column.pitch, ground)).transpose()?.flatten();
            specks += usize::from(speck.is_some());
            let middle = (stretch.start + stretch.end) / 2.0;
            cells.push(speck.map_or_else(|| self.cut(lying(quad, middle, column.pitch)), Ok)?);
        }
        if ground.is_some() && specks == 0 {
            return Ok(None);
        }
        cells.extend(below.map(upright).transpose()?);
        let read = self.alphabet.read(model, &side_by_side(&cells)?, self.stop)?;
        let read = characters(&read);
        let marks = between(&read, above, below).filter(|marks| marks.iter().all(|mark| mark.score >= SURE));
        Ok(marks.map(|marks| hole.filled(marks)).filter(|marks| !marks.is_empty()))
    }

    /// Cuts out what a stretch of a column shows, if it is small.
    fn speck(&self, quad: &Quad, stretch: &Range<f32>, pitch: f32, ground: Ground) -> Result<Option<Picture>> {
        let (side, beyond) = (self.alphabet.height(), BEYOND * pitch);
        let whole = quad.slice(stretch.start - beyond, stretch.end + beyond).starting_at(3);
        let scale = side as f32 / (pitch * quad.width());
        let pixels = |length: f32| ((length * scale).round() as u32).clamp(1, 4 * side);
        let shown = rectify(self.picture, &whole, pixels(whole.width()), pixels(whole.height()))?;
        speck(&shown, ground, side)
    }

    /// Returns a part of the picture at a strip's height.
    fn cut(&self, quad: Quad) -> Result<Picture> {
        let height = self.alphabet.height();
        let width = (height as f32 * quad.aspect()).ceil() as u32;
        rectify(self.picture, &quad, width.clamp(1, 4 * height), height)
    }
}

impl Column {
    /// Makes a column of a reading; `None` for what is no column of square characters. `width` is that of the column,
    /// in fractions of its length.
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
        // The lower third: every second step may be across a mark in a short column, and none is less than a
        // character's.
        let pitch = *steps.get(steps.len().checked_sub(1)? / 3)?;
        let pitch = pitch.clamp(PITCH.start * width, PITCH.end * width);
        Some(Self { characters, pitch, step: decoded.step })
    }

    /// Returns its holes from top to bottom, as `strip` shows them.
    fn holes(&self, strip: &Picture, ground: Ground) -> Vec<Hole> {
        let holes = (0..=self.characters.len()).filter_map(|at| self.hole(at));
        holes.filter(|hole| ground.has_ink_between(strip, hole.start, hole.end)).collect()
    }

    /// Returns the hole above the character `at`, if there is room for one.
    fn hole(&self, at: usize) -> Option<Hole> {
        let above = at.checked_sub(1).and_then(|above| self.characters.get(above));
        let below = self.characters.get(at);
        let is_square = [above, below].into_iter().flatten().all(Character::is_square);
        let start = above.map_or(0.0, |above| above.middle() + self.pitch / 2.0);
        let end = below.map_or(1.0, |below| below.middle() - self.pitch / 2.0);
        let room = if above.is_some() && below.is_some() { ROOM } else { ROOM_AT_END };
        let cells = ((end - start) / self.pitch + 1.0 - room).max(0.0) as usize;
        (is_square && (1..=MOST_CELLS).contains(&cells)).then_some(Hole { at, start, end, cells })
    }

    fn neighbours(&self, hole: &Hole) -> (Option<&Character>, Option<&Character>) {
        let above = hole.at.checked_sub(1).and_then(|above| self.characters.get(above));
        (above, self.characters.get(hole.at))
    }

    /// Puts marks into a hole. A space that was read there was what the hole looks like.
    fn fill(&mut self, hole: &Hole, marks: Vec<Character>) {
        if let (false, Some(below)) = (marks.is_empty(), self.characters.get_mut(hole.at)) {
            below.space = None;
        }
        self.characters.splice(hole.at..hole.at, marks);
    }

    fn decoded(self) -> Decoded {
        let mut decoded = Decoded { step: self.step, ..Decoded::default() };
        for Character { text, score, surest, start, end, space } in self.characters {
            if let Some(space) = space {
                decoded.text.push(' ');
                decoded.glyphs.push(Glyph { text_end: decoded.text.len(), ..space });
            }
            decoded.text.push_str(&text);
            decoded.glyphs.push(Glyph { text_end: decoded.text.len(), score, surest, start, end, space: 0.0 });
        }
        let sum: f32 = decoded.glyphs.iter().map(|glyph| glyph.score).sum();
        decoded.score = sum / decoded.glyphs.len().max(1) as f32;
        decoded
    }
}

impl Hole {
    fn step(&self, parts: usize) -> f32 {
        (self.end - self.start) / parts as f32
    }

    /// Returns the places of the characters that it has room for.
    fn stretches(&self) -> impl Iterator<Item = Range<f32>> + use<> {
        let (start, step) = (self.start, self.step(self.cells));
        (0..self.cells).map(move |i| start + i as f32 * step..start + (i + 1) as f32 * step)
    }

    /// Returns the marks at their places; none where there are more of them than it has room for.
    fn filled(&self, marks: &[Character]) -> Vec<Character> {
        if marks.len() > self.cells {
            return Vec::new();
        }
        let step = self.step(marks.len().max(1));
        let place = |(i, mark): (usize, &Character)| {
            let start = self.start + i as f32 * step;
            Character { start, end: start + step, space: None, ..mark.clone() }
        };
        marks.iter().enumerate().map(place).collect()
    }
}

/// Returns the characters of a reading; those after a space have it.
fn characters(decoded: &Decoded) -> Vec<Character> {
    let mut characters = Vec::with_capacity(decoded.glyphs.len());
    let (mut from, mut space) = (0, None);
    for glyph in &decoded.glyphs {
        let text = &decoded.text[from..glyph.text_end];
        from = glyph.text_end;
        if text.trim().is_empty() {
            space = Some(*glyph);
        } else {
            let Glyph { score, surest, start, end, .. } = *glyph;
            characters.push(Character { text: text.to_owned(), score, surest, start, end, space: space.take() });
        }
    }
    characters
}

/// Returns what was read between the neighbours: `None` unless they come out as before, and only marks and square
/// characters between them.
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

/// Letters and marks that take a square in Chinese, Japanese and Korean print; not the wide forms of Latin letters and
/// digits, which is what a long vowel that stands upright is read as.
fn is_square(c: char) -> bool {
    matches!(c,
        '\u{3001}'..='\u{30ff}' | '\u{3105}'..='\u{312f}' | '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}'
        | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}' | '\u{ff01}'..='\u{ff0f}' | '\u{ff1a}'..='\u{ff20}'
        | '\u{ff3b}'..='\u{ff40}' | '\u{ff5b}'..='\u{ff60}' | '\u{20000}'..='\u{3fffd}')
}

/// Marks of such print that have no square form of their own, or are read as their narrow form. Not the exclamation
/// mark, which is another thing that a long vowel looks like.
fn is_mark(c: char) -> bool {
    matches!(c, ',' | '(' | ')' | '—' | '…' | '·' | '“' | '”' | '‘' | '’')
}

/// Returns the outline of one character of a column as the column is read: as wide as high, so that a mark is as large
/// as it is among the upright ones.
fn lying(column: &Quad, middle: f32, pitch: f32) -> Quad {
    let across = column.slice(middle - pitch / 2.0, middle + pitch / 2.0);
    let part = across.aspect() / 2.0;
    across.starting_at(1).slice(0.5 - part, 0.5 + part).starting_at(3)
}

/// Draws small ink of a hole in the lower left of a square of its own.
///
/// # Errors
/// None: the square has a size.
fn speck(hole: &Picture, ground: Ground, side: u32) -> Result<Option<Picture>> {
    let width = hole.width() as usize;
    let rows: Vec<&[u8]> = hole.pixels().chunks_exact(3 * width).collect();
    let mut runs: Vec<(usize, Range<usize>)> = Vec::new();
    for (y, row) in rows.iter().enumerate() {
        let count = row.chunks_exact(3).filter(|pixel| ground.paper.is_inked(pixel)).count();
        match runs.last_mut() {
            _ if count == 0 => {}
            Some((sum, run)) if run.end == y => (*sum, run.end) = (*sum + count, y + 1),
            _ => runs.push((count, y..y + 1)),
        }
    }
    // Ink that touches the ends belongs to the neighbours.
    let own = runs.into_iter().filter(|(_, run)| run.start > 0 && run.end < rows.len());
    let Some((_, tall)) = own.max_by_key(|(sum, _)| *sum) else { return Ok(None) };
    let is_inked = |x: &usize| rows[tall.clone()].iter().any(|row| ground.paper.is_inked(&row[3 * x..3 * x + 3]));
    let (Some(left), Some(right)) = ((0..width).find(is_inked), (0..width).rev().find(is_inked)) else {
        return Ok(None);
    };
    let wide = left..right + 1;
    let most = (SMALL * side as f32) as usize;
    if wide.len() > most || tall.len() > most {
        return Ok(None);
    }
    let (margin, side) = (side as usize / 16, side as usize);
    let mut pixels: Vec<u8> = ground.colour.into_iter().cycle().take(3 * side * side).collect();
    for (row, y) in rows[tall.clone()].iter().zip(side - margin - tall.len()..) {
        let from = 3 * (y * side + margin);
        pixels[from..from + 3 * wide.len()].copy_from_slice(&row[3 * wide.start..3 * wide.end]);
    }
    Picture::from_rgb(side as u32, side as u32, pixels).map(Some)
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

/// The difference between ink and paper in one column.
#[derive(Debug, Clone, Copy)]
struct Ground {
    paper: Paper,
    /// The colour in which the paper is drawn on.
    colour: [u8; 3],
}

impl Ground {
    /// Finds the ground of a strip; `None` where ink does not stand out.
    fn of(strip: &Picture) -> Option<Self> {
        let paper = Paper::of(strip)?;
        Some(Self { paper, colour: paper.colour(strip) })
    }

    /// Returns true if there is ink between two fractions of a strip's width.
    fn has_ink_between(self, strip: &Picture, start: f32, end: f32) -> bool {
        let width = strip.width() as usize;
        let [start, end] = [start, end].map(|at| 3 * ((at * width as f32) as usize).min(width));
        let is_inked = |row: &[u8]| row[start..end.max(start)].chunks_exact(3).any(|pixel| self.paper.is_inked(pixel));
        strip.pixels().chunks_exact(3 * width).any(is_inked)
    }
}

#[cfg(test)]
mod tests;
