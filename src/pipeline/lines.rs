//! From regions to lines: which way each one is read, and its text.

mod reading;
mod stacks;

use super::share::{Workers, share};
use crate::detect::Region;
use crate::error::{Result, unless_fatal};
use crate::geometry::Quad;
use crate::image::Picture;
use crate::image::warp::rectify;
use crate::options::{OrientOptions, RecognizeOptions};
use crate::orient::Orienter;
use crate::orient::spots::{Trust, spots};
use crate::orient::vote::{Candidate, Doubt, Found, Settled};
use crate::page::{Line, Unread};
use crate::recognize::Alphabet;
use crate::recognize::column::Columns;
use crate::recognize::ink::Ink;
use crate::recognize::{place, spaces};
use crate::runtime::Model;
use crate::stop::Stop;
use crate::timings::{Stage, Watch};
use reading::{are_rotatable, is_far_better, is_far_surer, is_sure, least_score};
use stacks::{POOR, Stack, stacks};

/// Characters that are farther apart than this many times the line's height are of two words. Less far is where one or
/// two marks between Chinese characters were not read. Of 90 drawn lines with leaders, 4 page numbers were glued to
/// their titles, and none is now.
const WIDE_GAP: f32 = 3.0;

/// The sessions that one thread reads lines with.
pub(super) struct Reader {
    pub(super) recognizer: Box<dyn Model>,
    /// Gives the probabilities of all classes, where `recognizer` picks the best ones.
    pub(super) whole: Option<Box<dyn Model>>,
    pub(super) orienter: Option<Box<dyn Model>>,
}

impl Reader {
    /// Counts its sessions.
    pub(super) fn sessions(&self) -> usize {
        let others = [&self.whole, &self.orienter].into_iter().flatten();
        self.recognizer.sessions() + others.map(|model| model.sessions()).sum::<usize>()
    }

    /// Returns the model that reads lines, with or without rules for their text.
    fn recognizer(&mut self, has_rules: bool) -> &mut dyn Model {
        match &mut self.whole {
            Some(whole) if has_rules => whole.as_mut(),
            _ => self.recognizer.as_mut(),
        }
    }
}

/// Reads the lines of one picture.
pub(super) struct Lines<'a> {
    pub(super) picture: &'a Picture,
    pub(super) alphabet: &'a Alphabet,
    pub(super) orienter: Option<&'a Orienter>,
    pub(super) orient: OrientOptions,
    pub(super) options: &'a RecognizeOptions,
    /// Asked before each line, and by each run of a model.
    pub(super) stop: &'a Stop,
    /// Counts the time of all threads.
    pub(super) busy: Watch,
}

/// The outcome of reading a page's texts.
#[derive(Default)]
pub(super) struct Outcome {
    /// Those that could be read, in no particular order.
    pub(super) lines: Vec<Line>,
    /// Those that could not.
    pub(super) unread: Vec<Unread>,
}

impl Lines<'_> {
    /// Finds the texts in the regions, and asks the orienter about them: not about lines that a clear vote
    /// spares it, or that it fails on. Nor about those of a page of which it is known by how many quarters it is turned.
    ///
    /// # Errors
    /// Those of a model's run, unless others of the lines can be asked.
    pub(super) fn find(
        &self,
        readers: &Workers<'_, Reader>,
        regions: &[Region],
        turned_by: Option<usize>,
    ) -> Result<Found> {
        let trust = |region: &Region| Trust { score: region.score, is_doubtful: region.is_doubtful };
        let spots = spots(&regions.iter().map(|region| (region.quad, trust(region))).collect::<Vec<_>>());
        let of_page = |found: Found| match turned_by {
            Some(quarters) => found.turned_by(quarters),
            None => found,
        };
        let Some(orienter) = self.orienter else { return Ok(of_page(Found::taken_as_upright(spots))) };
        let mut found = of_page(Found::unasked(spots));
        let (mut answered, mut failed) = (false, None);
        for lines_to_ask in [Found::sample, Found::unsettled] {
            let lines = lines_to_ask(&found, &self.orient);
            let ask = |reader: &mut Reader, &i: &usize| {
                unless_fatal(self.upside_down(reader, orienter, &found.spots[i].quad))
            };
            for (&i, answer) in lines.iter().zip(share(readers, &lines, ask)?) {
                match answer {
                    Ok(answer) => (answered, found.spots[i].upside_down) = (true, Some(answer)),
                    Err(error) => failed = failed.or(Some(error)),
                }
            }
        }
        match failed {
            Some(error) if !answered => Err(error),
            _ => Ok(found),
        }
    }

    /// Reads every text, on as many threads as there are readers, and drops what has no text or too low a score. Lines
    /// come first: which way up they are read decides for what is too short to tell.
    ///
    /// # Errors
    /// Those of a model's run, unless others of the texts can be read.
    pub(super) fn read(&self, readers: &Workers<'_, Reader>, found: &Found) -> Result<Outcome> {
        let mut read = self.read_all(readers, found.candidates(&self.orient))?;
        let settled = self.settled(found, &read);
        read.extend(self.read_all(readers, found.followers(settled, &self.orient))?);
        self.join_stacks(readers, &mut read)?;
        let mut outcome = Outcome::default();
        let (mut any, mut failed) = (false, None);
        let is_alone = read.len() == 1;
        for (candidate, reading) in read {
            match reading {
                Ok(line) => {
                    any = true;
                    // A lone character is what there is to read, however it scores.
                    let is_kept = self.is_kept(&candidate, &line) || (is_alone && self.is_enough(&candidate, &line));
                    outcome.lines.extend(is_kept.then_some(line));
                }
                Err(error) => {
                    // A doubtful one may be no text.
                    if !candidate.trust.is_doubtful {
                        outcome.unread.push(Unread { quad: candidate.quad, reason: error.to_string() });
                    }
                    failed = failed.or(Some(error));
                }
            }
        }
        match failed {
            // It was no line's fault.
            Some(error) if !any => Err(error),
            _ => Ok(outcome),
        }
    }

    /// Reads candidates; each comes back with its reading, or what kept it from being read.
    fn read_all(
        &self,
        readers: &Workers<'_, Reader>,
        mut candidates: Vec<Candidate>,
    ) -> Result<Vec<(Candidate, Result<Line>)>> {
        // The widest first, so that no thread is left alone with a long one at the end.
        candidates.sort_by(|a, b| b.quad.aspect().total_cmp(&a.quad.aspect()));
        let readings =
            share(readers, &candidates, |reader, candidate| unless_fatal(self.read_candidate(reader, candidate)))?;
        Ok(candidates.into_iter().zip(readings).collect())
    }

    /// Puts one line in the place of pieces that stand on each other and read poorly, where together they read surely:
    /// the detector finds a number that runs down a page's margin digit by digit.
    ///
    /// # Errors
    /// Those of a model's run that end the call.
    fn join_stacks(&self, readers: &Workers<'_, Reader>, read: &mut Vec<(Candidate, Result<Line>)>) -> Result<()> {
        let outlines: Vec<_> = read.iter().map(|(candidate, _)| candidate.quad).collect();
        let mut poor = stacks(&outlines);
        poor.retain(|stack| mean_score(stack, read) < POOR);
        let lines = share(readers, &poor, |reader, stack| self.read_down(reader, stack))?;
        let mut is_piece = vec![false; read.len()];
        let mut joined = Vec::new();
        for (stack, line) in poor.iter().zip(lines) {
            let Some(line) = line.filter(|line| is_sure(line) && is_far_surer(line.score, mean_score(stack, read)))
            else {
                continue;
            };
            stack.pieces.iter().for_each(|&i| is_piece[i] = true);
            // As sure as the surest of them.
            let trust = stack.pieces.iter().map(|&i| read[i].0.trust).max_by(|a, b| a.score.total_cmp(&b.score));
            let Some(trust) = trust else { continue };
            joined.push((Candidate { quad: line.quad, trust, turned: false, doubt: Doubt::None }, Ok(line)));
        }
        let mut pieces = is_piece.into_iter();
        read.retain(|_| pieces.next() != Some(true));
        read.extend(joined);
        Ok(())
    }

    /// Reads pieces together as text that runs down, and as text that runs up, whichever scores better. It has as many
    /// characters as there are pieces at least: strokes beside each other are no text.
    fn read_down(&self, reader: &mut Reader, stack: &Stack) -> Result<Option<Line>> {
        let mut best: Option<Line> = None;
        for first in [1, 3] {
            let line = self.read_again(reader, stack.quad.starting_at(first))?;
            let is_better = |line: &Line| best.as_ref().is_none_or(|best| line.score > best.score);
            best = line.filter(is_better).or(best);
        }
        let characters = |line: &Line| line.text.chars().filter(|character| character.is_alphanumeric()).count();
        Ok(best.filter(|line| characters(line) >= stack.pieces.len()))
    }

    fn is_kept(&self, candidate: &Candidate, line: &Line) -> bool {
        line.score >= least_score(candidate.trust, self.options.min_score) && !line.text.is_empty()
    }

    /// Returns true if a line scores as much as was asked for, with no more for the detector's doubts.
    fn is_enough(&self, candidate: &Candidate, line: &Line) -> bool {
        !candidate.trust.is_doubtful && line.score >= self.options.min_score && !line.text.is_empty()
    }

    /// Tells which way up the lines of each direction were read, the larger part of them by length.
    fn settled(&self, found: &Found, read: &[(Candidate, Result<Line>)]) -> Settled {
        let mut lengths = [None, None];
        for (candidate, line) in read {
            let Ok(line) = line else { continue };
            if self.is_kept(candidate, line) {
                let turned = candidate.turned != (line.quad != candidate.quad);
                let length = line.quad.width();
                let sum = lengths[line.quad.quarters() % 2].get_or_insert(0.0);
                *sum += if turned { length } else { -length };
            }
        }
        lengths.map(|sum: Option<f32>| sum.map(|sum| sum > 0.0).or(found.is_taken_as_upright().then_some(false)))
    }

    fn read_candidate(&self, reader: &mut Reader, candidate: &Candidate) -> Result<Line> {
        let Candidate { quad, turned, doubt, .. } = *candidate;
        let line = self.read_one(reader, quad)?;
        let is_poor = line.score < self.orient.poor;
        match (doubt, self.orienter) {
            (Doubt::Lying { turned, below }, _) if line.score < below => self.lying(reader, candidate, line, turned),
            (Doubt::Poor, _) if is_poor => {
                let other = self.read_again(reader, quad.starting_at(2))?;
                Ok(other.filter(|other| is_far_better(other, &line) && !are_rotatable(other, &line)).unwrap_or(line))
            }
            (Doubt::Both, _) => self.better(reader, line, false),
            (Doubt::BothAlone, _) => self.better(reader, line, turned),
            (Doubt::Unasked, Some(orienter)) if is_poor => {
                let against = unless_fatal(self.upside_down(reader, orienter, &quad))?;
                if against.is_ok_and(|against| against > self.orient.sure) {
                    self.better(reader, line, false)
                } else {
                    Ok(line)
                }
            }
            _ => Ok(line),
        }
    }

    /// Returns the line, or what it is the other way up if that scores better. Where scores tell nothing, `or_other`
    /// decides.
    fn better(&self, reader: &mut Reader, line: Line, or_other: bool) -> Result<Line> {
        let Some(other) = self.read_again(reader, line.quad.starting_at(2))? else { return Ok(line) };
        let is_other = if are_rotatable(&line, &other) { or_other } else { other.score > line.score };
        Ok(if is_other { other } else { line })
    }

    /// Returns the narrow candidate as it was read upright, or what it is lying on its side if that is another text and
    /// far better. `turned` says whether lines that run as it would do then are upside down.
    fn lying(&self, reader: &mut Reader, candidate: &Candidate, upright: Line, turned: Option<bool>) -> Result<Line> {
        let mut best = upright;
        for turned in [false, true].into_iter().filter(|way| turned.is_none_or(|turned| turned == *way)) {
            let quad = candidate.upright().starting_at(if turned { 3 } else { 1 });
            let lying = self.read_again(reader, quad)?;
            let is_it = |lying: &Line| lying.text != best.text && is_far_better(lying, &best);
            best = lying.filter(is_it).unwrap_or(best);
        }
        Ok(best)
    }

    /// Reads once more what was read before; what fails then costs nothing.
    fn read_again(&self, reader: &mut Reader, quad: Quad) -> Result<Option<Line>> {
        Ok(unless_fatal(self.read_one(reader, quad))?.ok())
    }

    /// Reads the line in `quad`, whatever its score.
    ///
    /// # Errors
    /// The errors of the model's run.
    pub(super) fn read_one(&self, reader: &mut Reader, quad: Quad) -> Result<Line> {
        self.stop.check()?;
        let height = self.alphabet.height();
        let width = (height as f32 * quad.aspect() * self.options.squeeze).ceil() as u32;
        let width = width.min(self.options.max_strip_width).max(1);
        let strip = self.busy.time(Stage::Cut, || rectify(self.picture, &quad, width, height))?;
        self.busy.time(Stage::Recognize, || self.read_strip(reader, quad, &strip))
    }

    fn read_strip(&self, reader: &mut Reader, quad: Quad, strip: &Picture) -> Result<Line> {
        let recognizer = reader.recognizer(self.options.rules.is_some());
        let decoded = self.alphabet.read(recognizer, strip, self.stop)?;
        let ink = Ink::of(strip);
        let mut decoded = if self.alphabet.takes_additions() {
            let columns = Columns { picture: self.picture, alphabet: self.alphabet, stop: self.stop };
            let mut decoded = columns.completed(recognizer, &quad, strip, decoded)?;
            decoded.part(WIDE_GAP * strip.height() as f32 / strip.width() as f32);
            if let Some(ink) = &ink {
                spaces::part(&mut decoded, ink, strip.height());
            }
            decoded
        } else {
            decoded
        };
        // Not before: in a column the ink of a mark that was left out would count as that of its neighbour.
        place::fit_to(&mut decoded, strip, ink);
        decoded.put_in_reading_order();
        Ok(Line::new(&decoded, quad, self.options.characters))
    }

    /// Returns the probability that the line is upside down, from its middle.
    fn upside_down(&self, reader: &mut Reader, orienter: &Orienter, quad: &Quad) -> Result<f32> {
        let Some(model) = &mut reader.orienter else { return Ok(0.0) };
        self.stop.check()?;
        let part = (orienter.max_aspect() / quad.aspect()).min(1.0);
        let middle = quad.slice(0.5 - part / 2.0, 0.5 + part / 2.0);
        let (width, height) = orienter.strip_size(middle.aspect());
        self.busy.time(Stage::Orient, || {
            orienter.upside_down(model.as_mut(), &rectify(self.picture, &middle, width, height)?, self.stop)
        })
    }
}

/// Returns the mean score of a stack's pieces, each as much as it is high.
fn mean_score(stack: &Stack, read: &[(Candidate, Result<Line>)]) -> f32 {
    let (mut sum, mut heights) = (0.0, 0.0);
    for (candidate, line) in stack.pieces.iter().map(|&i| &read[i]) {
        let (_, top, _, bottom) = candidate.quad.bounds();
        sum += (bottom - top) * line.as_ref().map_or(0.0, |line| line.score);
        heights += bottom - top;
    }
    sum / heights
}

#[cfg(test)]
mod tests;
