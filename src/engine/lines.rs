//! From regions to lines: which way each one is read, and its text.

mod column;
mod vote;

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
use crate::recognize::place;
use crate::stop::Stop;
use vote::{Candidate, Doubt};

pub(super) use vote::Found;

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

impl Lines<'_> {
    /// What there is to read in the regions, and what the orienter says of it: nothing of lines that a clear vote
    /// spares it.
    ///
    /// # Errors
    /// What a model's run returns.
    pub(super) fn find(&self, readers: &Workers<'_, Reader>, regions: &[Region]) -> Result<Found> {
        let quads = reading_quads(regions);
        let Some(orienter) = self.orienter else { return Ok(Found::taken_as_upright(quads)) };
        let mut found = Found::unasked(quads);
        for lines_to_ask in [Found::sample, Found::unsettled] {
            let lines = lines_to_ask(&found, &self.orient);
            let answers = share(readers, &lines, |reader, &i| self.upside_down(reader, orienter, &found.quads[i]))?;
            lines.iter().zip(answers).for_each(|(&i, answer)| found.upside_down[i] = Some(answer));
        }
        Ok(found)
    }

    /// Reads every line, on as many threads as there are readers, and drops what has no text or too low a score.
    ///
    /// # Errors
    /// What a model's run returns.
    pub(super) fn read(&self, readers: &Workers<'_, Reader>, found: &Found) -> Result<Vec<Line>> {
        let mut candidates = found.candidates(&self.orient);
        // The widest first, so that no thread is left alone with a long one at the end.
        candidates.sort_by(|a, b| aspect(&b.quad).total_cmp(&aspect(&a.quad)));
        let mut lines = share(readers, &candidates, |reader, candidate| self.read_candidate(reader, *candidate))?;
        lines.retain(|line| line.score >= self.options.min_score && !line.text.is_empty());
        Ok(lines)
    }

    fn read_candidate(&self, reader: &mut Reader, candidate: Candidate) -> Result<Line> {
        let line = self.read_one(reader, candidate.quad)?;
        let both_ways = match (candidate.doubt, self.orienter) {
            (Doubt::Both, _) => true,
            (Doubt::Unasked, Some(orienter)) if line.score < self.orient.poor => {
                self.upside_down(reader, orienter, &candidate.quad)? > self.orient.sure
            }
            _ => false,
        };
        if !both_ways {
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
        let width = (height as f32 * aspect(&quad) * self.options.squeeze).ceil() as u32;
        let strip = rectify(self.picture, &quad, width.min(self.options.max_strip_width).max(1), height)?;
        let decoded = self.alphabet.read(reader.recognizer.as_mut(), &strip, self.stop)?;
        let mut decoded = self.completed(reader, (&quad, &strip), decoded)?;
        // Not before: in a column the ink of a mark that was left out would count as that of its neighbour.
        place::fit(&mut decoded, &strip);
        Ok(Line::new(&decoded, quad, self.options.characters))
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
