//! From regions to lines: which way each one is read, and its text.

use super::share::{Workers, share};
use crate::detect::Region;
use crate::error::Result;
use crate::geometry::Quad;
use crate::image::Picture;
use crate::image::warp::rectify;
use crate::models::session::Model;
use crate::options::{OrientOptions, RecognizeOptions};
use crate::orient::Orienter;
use crate::page::Line;
use crate::recognize::Alphabet;
use crate::stop::Stop;

/// A region at least this many times as high as wide holds a line that runs down the page. The ratio is PaddleOCR's.
const TALL: f32 = 1.5;

/// The sessions that one thread reads lines with.
pub(super) struct Reader {
    pub(super) recognizer: Box<dyn Model>,
    pub(super) orienter: Option<Box<dyn Model>>,
}

/// Reads the lines of one picture.
pub(super) struct Lines<'a> {
    pub(super) picture: &'a Picture,
    pub(super) alphabet: &'a Alphabet,
    pub(super) orienter: Option<&'a Orienter>,
    pub(super) orient: OrientOptions,
    pub(super) options: RecognizeOptions,
    /// Asked before each line, and by each run of a model.
    pub(super) stop: &'a Stop,
}

/// A line that is to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Candidate {
    quad: Quad,
    /// Read it both ways up and keep what scores better.
    doubtful: bool,
}

impl Lines<'_> {
    /// Reads every region, on as many threads as there are readers, and drops what has no text or too low a score.
    ///
    /// # Errors
    /// What a model's run returns.
    pub(super) fn read(&self, readers: &Workers<'_, Reader>, regions: &[Region]) -> Result<Vec<Line>> {
        let quads = reading_quads(regions);
        let upside_down = match self.orienter {
            Some(orienter) => share(readers, &quads, |reader, quad| self.upside_down(reader, orienter, quad))?,
            None => vec![0.0; quads.len()],
        };
        let mut candidates = candidates(&quads, &upside_down, &self.orient);
        // The widest first, so that no thread is left alone with a long one at the end.
        candidates.sort_by(|a, b| aspect(&b.quad).total_cmp(&aspect(&a.quad)));
        let mut lines = share(readers, &candidates, |reader, candidate| self.read_candidate(reader, *candidate))?;
        lines.retain(|line| line.score >= self.options.min_score && !line.text.is_empty());
        Ok(lines)
    }

    fn read_candidate(&self, reader: &mut Reader, candidate: Candidate) -> Result<Line> {
        let line = self.read_one(reader, candidate.quad)?;
        if !candidate.doubtful {
            return Ok(line);
        }
        let other = self.read_one(reader, candidate.quad.starting_at(2))?;
        Ok(if other.score > line.score { other } else { line })
    }

    /// Reads the line in `quad`, whatever its score.
    ///
    /// # Errors
    /// What the model's run returns.
    pub(super) fn read_one(&self, reader: &mut Reader, quad: Quad) -> Result<Line> {
        self.stop.check()?;
        let height = self.alphabet.height();
        let width = (height as f32 * aspect(&quad)).ceil() as u32;
        let strip = rectify(self.picture, &quad, width.min(self.options.max_strip_width).max(1), height)?;
        Ok(Line::new(self.alphabet.read(reader.recognizer.as_mut(), &strip, self.stop)?, quad))
    }

    /// The probability that the line is upside down, from its middle.
    fn upside_down(&self, reader: &mut Reader, orienter: &Orienter, quad: &Quad) -> Result<f32> {
        let Some(model) = &mut reader.orienter else { return Ok(0.0) };
        self.stop.check()?;
        let part = (orienter.max_aspect() / aspect(quad)).min(1.0);
        let middle = quad.slice(0.5 - part / 2.0, 0.5 + part / 2.0);
        let (width, height) = orienter.strip_size(aspect(&middle));
        orienter.upside_down(model.as_mut(), &rectify(self.picture, &middle, width, height)?, self.stop)
    }
}

fn aspect(quad: &Quad) -> f32 {
    quad.width() / quad.height()
}

/// The regions' outlines, turned so that their text runs along the width. Tall ones are taken as read downwards; the
/// orienter tells those that are read upwards.
fn reading_quads(regions: &[Region]) -> Vec<Quad> {
    let turned = |quad: Quad| if quad.height() >= TALL * quad.width() { quad.starting_at(1) } else { quad };
    regions.iter().map(|region| turned(region.quad)).collect()
}

/// Decides for each line which way up it is.
///
/// The orienter errs: on two upside-down pages it called 10 of 96 squeezed lines upright. But a page is rarely mixed, so
/// the lines of each direction, along and down the page, vote. A line that is sure of the contrary is read both ways,
/// and so are all unsure lines when the vote is close.
fn candidates(quads: &[Quad], upside_down: &[f32], options: &OrientOptions) -> Vec<Candidate> {
    let mut candidates = Vec::with_capacity(quads.len());
    for down in [false, true] {
        let group: Vec<usize> = (0..quads.len()).filter(|&i| runs_down(&quads[i]) == down).collect();
        let mean = group.iter().map(|&i| upside_down[i]).sum::<f32>() / group.len().max(1) as f32;
        let turned = mean > 0.5;
        let close = (mean - 0.5).abs() < options.close_vote;
        candidates.extend(group.into_iter().map(|i| {
            let against = if turned { 1.0 - upside_down[i] } else { upside_down[i] };
            let quad = if turned { quads[i].starting_at(2) } else { quads[i] };
            Candidate { quad, doubtful: against > options.sure || (close && against > 1.0 - options.sure) }
        }));
    }
    candidates
}

fn runs_down(quad: &Quad) -> bool {
    let [start, end, ..] = quad.0;
    (end.y - start.y).abs() > (end.x - start.x).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONG: Quad = Quad::upright(0.0, 0.0, 90.0, 10.0);

    /// For each line whether it is turned and whether it is doubtful.
    fn decided(probabilities: &[f32]) -> Vec<(bool, bool)> {
        let quads = vec![ALONG; probabilities.len()];
        let decided = candidates(&quads, probabilities, &OrientOptions::default());
        decided.iter().map(|candidate| (candidate.quad != ALONG, candidate.doubtful)).collect()
    }

    #[test]
    fn lines_vote_and_sure_ones_are_read_both_ways() {
        let (up, turned) = ((false, false), (true, false));
        assert_eq!(decided(&[]), []);
        assert_eq!(decided(&[0.0, 0.7, 0.1]), [up; 3], "an unsure line follows the page");
        assert_eq!(decided(&[0.0, 0.95, 0.0, 0.0]), [up, (false, true), up, up], "a sure line is looked at twice");
        assert_eq!(decided(&[0.99, 0.6, 0.9]), [turned; 3]);
        assert_eq!(decided(&[0.99, 0.05, 0.99, 0.99]), [turned, (true, true), turned, turned]);
        assert_eq!(decided(&[0.45]), [(false, true)], "a close vote");
        assert_eq!(decided(&[0.02, 0.9]), [up, (false, true)], "a close vote with a sure line");
    }

    #[test]
    fn both_directions_vote_apart() {
        let down = Quad::upright(0.0, 0.0, 10.0, 90.0).starting_at(1);
        let found = candidates(&[ALONG, down, ALONG, down], &[0.1, 0.99, 0.2, 0.6], &OrientOptions::default());
        let quads: Vec<_> = found.iter().map(|candidate| candidate.quad).collect();
        assert_eq!(quads, [ALONG, ALONG, down.starting_at(2), down.starting_at(2)]);
    }
}
