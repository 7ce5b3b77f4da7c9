//! Decoding by rules: characters that may occur, or sequences of them.

use std::sync::Arc;

use super::charset::Charset;
use super::ctc::{self, Decoded, Glyph};
use super::decoder::{Decoder, Greedy, Part, Steps};
use super::search::{self, Pass};
use crate::error::Result;
use crate::rules::Bound;

/// A character was seen, so there is something: nothing has to be so many times as likely as all that may stand there.
/// Of 48 letters between drawn digits that look like a digit (`S` and 5, `B` and 8) 40 became one with 1, and 47 with
/// 5; of 27 that look like none 6 and 14, with scores below 1e-5.
const SURELY_NOTHING: f32 = 5.0;

/// In a gap there is nothing that could be a character: the blank has at least this part of the space's probability in
/// it. It is less than all, so that a space comes out where it may.
const NOTHING: f32 = 0.1;

/// A line that follows the rules as it stands is read as without them. Of any other one, each character that may not
/// occur becomes the most likely one that may, or is left out where nothing is likelier yet; and where a pattern or
/// words have to be met, the most likely text that meets them is taken.
///
/// Probabilities are those among all characters, also of what the recogniser would not have chosen: a line that is
/// something else gets a low score. What was seen and left out counts in the line's score, with the probability that
/// nothing is there.
#[derive(Debug)]
pub(super) struct Ruled {
    bound: Arc<Bound>,
    /// The blank and the bound classes: a bound class's place is one more here.
    part: Part,
    greedy: Greedy,
}

/// Steps in a row of one class that is seen in them.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    class: usize,
    start: usize,
    end: usize,
}

impl Ruled {
    pub(super) fn new(bound: Arc<Bound>, part: Part, greedy: Greedy) -> Self {
        Self { bound, part, greedy }
    }

    fn place(&self, class: usize) -> Option<usize> {
        self.bound.classes.binary_search(&class).ok()
    }

    /// Returns true if what was seen is as the rules have it, spaces at the ends left out.
    fn is_met(&self, seen: &[Run], charset: &Charset) -> bool {
        let Some(automaton) = &self.bound.automaton else {
            return seen.iter().all(|run| self.place(run.class).is_some());
        };
        let is_space = |run: &Run| is_space(charset, run.class);
        let first = seen.iter().position(|run| !is_space(run)).unwrap_or(seen.len());
        let end = seen.iter().rposition(|run| !is_space(run)).map_or(first, |last| last + 1);
        let places: Option<Vec<_>> = seen[first..end].iter().map(|run| self.place(run.class)).collect();
        places.is_some_and(|places| automaton.takes(places.into_iter()))
    }

    /// Returns what was seen with other characters for those that may not occur.
    fn replaced(&self, best: &[(usize, f32)], seen: &[Run], rows: &[f32], charset: &Charset) -> Decoded {
        let steps = best.len() as f32;
        let mut decoded = Decoded { step: 1.0 / steps.max(1.0), ..Decoded::default() };
        let mut left_out = Vec::new();
        for run in seen {
            let (class, score) = match self.place(run.class) {
                Some(_) => (run.class, best[run.start].1),
                None if is_space(charset, run.class) => continue,
                None => self.instead(*run, rows),
            };
            if class == 0 {
                left_out.push(score);
                continue;
            }
            decoded.text.push_str(charset.character(class));
            let (start, end) = (run.start as f32 / steps, run.end as f32 / steps);
            let surest = match class == run.class {
                true => best[run.start..run.end].iter().map(|&(_, score)| score).fold(score, f32::max),
                false => score,
            };
            decoded.glyphs.push(Glyph { text_end: decoded.text.len(), score, surest, start, end, space: 0.0 });
        }
        scored(decoded, &left_out)
    }

    /// Returns the likeliest class for a run of one that may not occur, with its mean probability; 0 for nothing.
    fn instead(&self, run: Run, rows: &[f32]) -> (usize, f32) {
        let width = self.part.classes().len();
        let mut means = vec![0.0_f32; width];
        for row in rows[run.start * width..run.end * width].chunks_exact(width) {
            means.iter_mut().zip(row).for_each(|(mean, value)| *mean += value / (run.end - run.start) as f32);
        }
        // Of equal ones the first.
        let top = (1..width).reduce(|top, place| if means[place] > means[top] { place } else { top });
        let top = top.filter(|&top| SURELY_NOTHING * means[top] > means[0]).unwrap_or(0);
        (self.part.classes()[top], means[top])
    }

    /// Returns the text of a way through the strip's steps.
    fn searched(&self, seen: &[Run], rows: &[f32], path: &[Pass], charset: &Charset) -> Decoded {
        let (width, steps) = (self.part.classes().len(), path.len() as f32);
        let mut decoded = Decoded { step: 1.0 / steps.max(1.0), ..Decoded::default() };
        for (step, pass) in path.iter().enumerate().filter(|(_, pass)| pass.place != 0) {
            let (end, score) = ((step + 1) as f32 / steps, rows[step * width + pass.place]);
            if pass.begins {
                decoded.text.push_str(charset.character(self.part.classes()[pass.place]));
                let start = step as f32 / steps;
                decoded.glyphs.push(Glyph {
                    text_end: decoded.text.len(),
                    score,
                    surest: score,
                    start,
                    end,
                    space: 0.0,
                });
            } else if let Some(last) = decoded.glyphs.last_mut() {
                last.end = end;
                last.surest = last.surest.max(score);
            }
        }
        let is_left_out = |run: &&Run| path[run.start..run.end].iter().all(|pass| pass.place == 0);
        let left_out = seen.iter().filter(is_left_out).filter(|run| !is_space(charset, run.class));
        let left_out: Vec<f32> = left_out.map(|run| rows[run.start * width]).collect();
        scored(decoded, &left_out)
    }
}

impl Decoder for Ruled {
    fn decode(&self, steps: &Steps<'_>, charset: &Charset) -> Result<Decoded> {
        let (best, spaces) = self.greedy.seen(steps)?;
        let seen = runs(&best);
        if self.is_met(&seen, charset) {
            return Ok(ctc::decode(&best, &spaces, charset));
        }
        let (_, mut rows) = steps.best_with(&self.part)?;
        let Some(automaton) = &self.bound.automaton else { return Ok(self.replaced(&best, &seen, &rows, charset)) };
        let width = self.part.classes().len();
        for step in seen.iter().filter(|run| is_space(charset, run.class)).flat_map(|run| run.start..run.end) {
            rows[step * width] = rows[step * width].max(NOTHING * best[step].1);
        }
        let path = search::most_likely(automaton, &rows, width, |step| is_other(&best, step))?;
        Ok(match path {
            Some(path) => self.searched(&seen, &rows, &path, charset),
            None => Decoded { step: 1.0 / (best.len() as f32).max(1.0), ..Decoded::default() },
        })
    }
}

/// Returns true if another character was seen in a step than in the one before, with nothing between them.
fn is_other(best: &[(usize, f32)], step: usize) -> bool {
    let Some(before) = step.checked_sub(1).map(|before| best[before].0) else { return false };
    let own = best[step].0;
    before != 0 && own != 0 && before != own
}

fn is_space(charset: &Charset, class: usize) -> bool {
    charset.character(class).trim().is_empty()
}

/// Returns the runs of classes that are no blank.
fn runs(best: &[(usize, f32)]) -> Vec<Run> {
    let mut runs = Vec::new();
    let mut start = 0;
    for own in best.chunk_by(|one, next| one.0 == next.0) {
        let end = start + own.len();
        if own[0].0 != 0 {
            runs.push(Run { class: own[0].0, start, end });
        }
        start = end;
    }
    runs
}

/// Returns the text with its score: the mean of its characters and of those that were left out.
fn scored(decoded: Decoded, left_out: &[f32]) -> Decoded {
    let count = decoded.glyphs.len() + left_out.len();
    let sum: f32 = decoded.glyphs.iter().map(|glyph| glyph.score).chain(left_out.iter().copied()).sum();
    Decoded { score: if decoded.glyphs.is_empty() { 0.0 } else { sum / count as f32 }, ..decoded }
}

#[cfg(test)]
mod tests;
