//! Places of characters on a strip: the recogniser tells them roughly, the ink exactly.
//!
//! A recogniser of PP-OCR shows each character in one step of 8 pixels of a strip that is 48 high, somewhere about its
//! middle. That is right to about a quarter of a letter, and says nothing of its ends. These are looked for in the ink:
//! words end at the gap between them, and letters at the column between two middles that has the least ink. On strips
//! without clear ink, borders lie half way between middles.

use std::ops::Range;

use super::ctc::Decoded;
use super::ink::Ink;
use crate::image::Picture;

/// Characters stand this part of a step before the middle of theirs: 0.26 on the mean of 471 letters of six fonts, with
/// a standard deviation of 0.4.
pub(super) const LAG: f32 = 0.25;

/// The cost of a border, as a part of the strip's height that is ink, for each distance between two middles that it is
/// away from the middle between them. It decides between letters that touch. Tried on 300 drawn lines of six fonts.
const OFF_MIDDLE: f32 = 0.25;

/// The part of its width that a gap between words loses for its distance from where the recogniser saw the space. It
/// decides between the gaps at both sides of a thin letter.
const OFF_SPACE: f32 = 0.5;

/// The most steps from the middle of a stroke to where the recogniser saw the character. With 1.5, 1.9 % of 2,900
/// drawn characters have an end that is off by more than a third of a character, with 1.0 2.2 %, without looking at
/// strokes 2.7 %.
const OFF_STROKE: f32 = 1.5;

/// A character as the recogniser saw it, in columns of the strip.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Glimpse {
    middle: f32,
    is_space: bool,
}

/// Moves the ends of all characters of `decoded` to where they stand on `strip`. A space takes what is between the
/// characters beside it.
pub fn fit(decoded: &mut Decoded, strip: &Picture) {
    fit_to(decoded, strip, Ink::of(strip));
}

/// Does the same as [`fit`] with ink that is known.
pub(crate) fn fit_to(decoded: &mut Decoded, strip: &Picture, ink: Option<Ink>) {
    let width = strip.width() as f32;
    let step = decoded.step * width;
    let mut from = 0;
    let seen = decoded.glyphs.iter().map(|glyph| {
        let is_space = decoded.text[from..glyph.text_end].trim().is_empty();
        from = glyph.text_end;
        let middle = (glyph.start + glyph.end) / 2.0 * width - LAG * step;
        Glimpse { middle: middle.clamp(0.0, width), is_space }
    });
    let ruler = Ruler::new(seen.collect(), ink, strip, step);
    for (glyph, (start, end)) in decoded.glyphs.iter_mut().zip(ruler.places()) {
        (glyph.start, glyph.end) = (start / width, end / width);
    }
}

/// One strip that is measured.
struct Ruler {
    seen: Vec<Glimpse>,
    /// Runs of characters without a space.
    words: Vec<Range<usize>>,
    ink: Option<Ink>,
    width: f32,
    height: f32,
    step: f32,
    /// The usual width of a character.
    pitch: f32,
}

impl Ruler {
    fn new(seen: Vec<Glimpse>, ink: Option<Ink>, strip: &Picture, step: f32) -> Self {
        let (width, height) = (strip.width() as f32, strip.height() as f32);
        let words = words(&seen);
        let pitch = pitch(&seen, &words).unwrap_or(height / 2.0);
        Self { seen, words, ink, width, height, step, pitch }
    }

    /// Returns the start and end of each character, in columns: ordered, inside of the strip, and none over another.
    fn places(&self) -> Vec<(f32, f32)> {
        let mut places = vec![None; self.seen.len()];
        for (word, (start, end)) in self.words.iter().zip(self.word_ends()) {
            for (i, place) in word.clone().zip(self.characters(word.clone(), start, end)) {
                places[i] = Some(place);
            }
        }
        self.in_order(&places)
    }

    /// Returns the start and end of each word.
    fn word_ends(&self) -> Vec<(f32, f32)> {
        let (Some(first), Some(last)) = (self.words.first(), self.words.last()) else { return Vec::new() };
        let mut ends = Vec::with_capacity(self.words.len());
        let mut start = self.outer_end(first.start, Side::Start);
        for pair in self.words.windows(2) {
            let (end, next) = self.between(pair[0].end - 1, pair[1].start, start);
            ends.push((start, end));
            start = next;
        }
        ends.push((start, self.outer_end(last.end - 1, Side::End).max(start)));
        ends
    }

    /// Returns the end of the line's first or last character: half of a usual one from its middle, and from there to
    /// where its ink ends.
    fn outer_end(&self, character: usize, side: Side) -> f32 {
        let guess = (self.middle(character) + side.outward() * self.pitch / 2.0).clamp(0.0, self.width);
        let Some(ink) = &self.ink else { return guess };
        // Further inward than to the middle only as far as the middle may be wrong.
        let inward = (self.pitch / 2.0 + self.step) as usize;
        // A wide letter among thin ones, or a Chinese one among Latin ones, is half as wide as the line is high there.
        let outward = (self.height / 2.0) as usize;
        let column = (guess as usize).min(ink.width() - 1);
        let found = match side {
            Side::Start if ink.is_blank(column) => (column..=column + inward).find(|&at| !ink.is_blank(at)),
            Side::End if ink.is_blank(column) => {
                (column.saturating_sub(inward)..=column).rev().find(|&at| !ink.is_blank(at)).map(|at| at + 1)
            }
            Side::Start => (column.saturating_sub(outward)..=column).rev().find(|&at| at == 0 || ink.is_blank(at - 1)),
            Side::End => (column + 1..=column + 1 + outward).find(|&at| ink.is_blank(at)),
        };
        found.map_or(guess, |at| at as f32)
    }

    /// Returns the end of the word whose last character is `left`, and the start of the next, whose first is `right`.
    /// The first word begins at `start`.
    fn between(&self, left: usize, right: usize, start: f32) -> (f32, f32) {
        let (from, to) = (self.middle(left), self.middle(right));
        let half = (self.pitch / 2.0).min((to - from) / 3.0);
        let guess = ((from + half).max(start), (to - half).max(start));
        let spaces = &self.seen[left + 1..right];
        let space = spaces.iter().map(|seen| seen.middle).sum::<f32>() / spaces.len().max(1) as f32;
        let value = |gap: &Range<usize>| {
            let middle = (gap.start + gap.end) as f32 / 2.0;
            gap.len() as f32 - OFF_SPACE * (middle - space).abs()
        };
        let within = from as usize..(to.ceil() as usize).max(from as usize + 1);
        let gaps = self.ink.iter().flat_map(|ink| ink.gaps(within.clone()));
        let Some(gap) =
            gaps.filter(|gap| gap.start as f32 > start).max_by(|one, other| value(one).total_cmp(&value(other)))
        else {
            return guess;
        };
        // A gap that goes on beyond a character has lost that character's ink.
        let (end, next) = (gap.start as f32, gap.end as f32);
        (
            if end < from - self.step { guess.0 } else { end },
            if next > to + self.step { guess.1.max(end) } else { next },
        )
    }

    /// Returns the start and end of each character of a word.
    fn characters(&self, word: Range<usize>, start: f32, end: f32) -> Vec<(f32, f32)> {
        if let Some(strokes) = self.stroke_each(word.clone(), start, end) {
            return strokes;
        }
        let mut borders = vec![start];
        for i in word.start + 1..word.end {
            borders.push(self.border(i - 1, i).clamp(start, end.max(start)));
        }
        borders.push(end.max(start));
        borders.windows(2).zip(word).map(|(ends, i)| self.trimmed(i, ends[0], ends[1])).collect()
    }

    /// Takes a word's strokes for its characters where there are as many, and each is where its character was seen.
    fn stroke_each(&self, word: Range<usize>, start: f32, end: f32) -> Option<Vec<(f32, f32)>> {
        let columns = start as usize..end.ceil() as usize;
        let mut strokes = Vec::with_capacity(word.len());
        for stroke in self.ink.as_ref()?.strokes(columns) {
            let character = word.start + strokes.len();
            let middle = (stroke.start + stroke.end) as f32 / 2.0;
            if character == word.end || (middle - self.middle(character)).abs() > OFF_STROKE * self.step {
                return None;
            }
            strokes.push((stroke.start as f32, stroke.end as f32));
        }
        (strokes.len() == word.len()).then_some(strokes)
    }

    /// Returns the border between two characters of a word.
    fn border(&self, left: usize, right: usize) -> f32 {
        let (from, to) = (self.middle(left), self.middle(right));
        let middle = f32::midpoint(from, to);
        let Some(ink) = &self.ink else { return middle };
        let cost = |column: usize| {
            let away = (column as f32 + 0.5 - middle).abs() / (to - from).max(1.0);
            ink.share(column) + OFF_MIDDLE * away
        };
        let columns = from as usize..(to.ceil() as usize).min(ink.width());
        let best = columns.min_by(|&one, &other| cost(one).total_cmp(&cost(other)));
        best.map_or(middle, |column| column as f32 + 0.5)
    }

    /// Returns the stretch from the first to the last ink of a character between `start` and `end`.
    fn trimmed(&self, character: usize, start: f32, end: f32) -> (f32, f32) {
        let Some(ink) = &self.ink else { return (start, end) };
        match ink.trimmed(start as usize..end.ceil() as usize) {
            Some(found) => ((found.start as f32).max(start), (found.end as f32).min(end)),
            None => {
                let (middle, half) = (self.middle(character), self.pitch / 2.0);
                let (from, to) = (start.max(middle - half), end.min(middle + half));
                if from < to { (from, to) } else { (start, end) }
            }
        }
    }

    /// Puts all places in order and inside of the strip, with what is between characters for spaces.
    fn in_order(&self, places: &[Option<(f32, f32)>]) -> Vec<(f32, f32)> {
        let mut ordered = Vec::with_capacity(places.len());
        let mut reached = 0.0f32;
        for (i, place) in places.iter().enumerate() {
            let next = || places[i..].iter().flatten().next().map_or(self.width, |&(start, _)| start);
            let (start, end) = place.unwrap_or_else(|| (reached, next()));
            let start = start.max(reached).min(self.width);
            reached = end.max(start).min(self.width);
            ordered.push((start, reached));
        }
        ordered
    }

    fn middle(&self, character: usize) -> f32 {
        self.seen[character].middle
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Side {
    Start,
    End,
}

impl Side {
    fn outward(self) -> f32 {
        match self {
            Self::Start => -1.0,
            Self::End => 1.0,
        }
    }
}

fn words(seen: &[Glimpse]) -> Vec<Range<usize>> {
    let mut words = Vec::new();
    let mut start = 0;
    for part in seen.split(|seen| seen.is_space) {
        if !part.is_empty() {
            words.push(start..start + part.len());
        }
        start += part.len() + 1;
    }
    words
}

/// Returns the median of the distances between the middles of neighbours in words.
fn pitch(seen: &[Glimpse], words: &[Range<usize>]) -> Option<f32> {
    let pairs = words.iter().flat_map(|word| seen[word.clone()].windows(2));
    let mut distances: Vec<f32> = pairs.map(|pair| pair[1].middle - pair[0].middle).collect();
    let half = distances.len() / 2;
    (!distances.is_empty()).then(|| *distances.select_nth_unstable_by(half, f32::total_cmp).1)
}

#[cfg(test)]
mod tests;
