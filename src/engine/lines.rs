//! From regions to lines: which way each one is read, and its text.

use super::share::share;
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
}

impl Lines<'_> {
    /// Reads every region, on as many threads as there are readers, and drops what has no text or too low a score.
    ///
    /// # Errors
    /// What a model's run returns.
    pub(super) fn read(&self, readers: &mut [Reader], regions: &[Region]) -> Result<Vec<Line>> {
        let mut quads = reading_quads(regions);
        if let Some(orienter) = self.orienter {
            let turned = share(readers, &quads, |reader, quad| self.upside_down(reader, orienter, quad))?;
            turn_back(&mut quads, &turned, self.orient.threshold);
        }
        // The widest first, so that no thread is left alone with a long one at the end.
        quads.sort_by(|a, b| (b.width() / b.height()).total_cmp(&(a.width() / a.height())));
        let mut lines = share(readers, &quads, |reader, quad| self.read_one(reader, *quad))?;
        lines.retain(|line| line.score >= self.options.min_score && !line.text.is_empty());
        Ok(lines)
    }

    /// Reads the line in `quad`, whatever its score.
    ///
    /// # Errors
    /// What the model's run returns.
    pub(super) fn read_one(&self, reader: &mut Reader, quad: Quad) -> Result<Line> {
        let height = self.alphabet.height();
        let width = (height as f32 * quad.width() / quad.height()).ceil() as u32;
        let strip = rectify(self.picture, &quad, width.clamp(1, self.options.max_strip_width), height)?;
        Ok(Line::new(self.alphabet.read(reader.recognizer.as_mut(), &strip)?, quad))
    }

    fn upside_down(&self, reader: &mut Reader, orienter: &Orienter, quad: &Quad) -> Result<f32> {
        let Some(model) = &mut reader.orienter else { return Ok(0.0) };
        let (width, height) = orienter.strip_size(quad.width() / quad.height());
        orienter.upside_down(model.as_mut(), &rectify(self.picture, quad, width, height)?)
    }
}

/// The regions' outlines, turned so that their text runs along the width. Tall ones are taken as read downwards; the
/// orienter tells those that are read upwards.
fn reading_quads(regions: &[Region]) -> Vec<Quad> {
    let turned = |quad: Quad| if quad.height() >= TALL * quad.width() { quad.starting_at(1) } else { quad };
    regions.iter().map(|region| turned(region.quad)).collect()
}

/// Turns the outlines of lines that are upside down by half a turn.
///
/// The orienter errs on one line in ten, but a page is rarely mixed. So the lines of each direction, along and down the
/// page, vote, and the sure ones alone go against the vote.
fn turn_back(quads: &mut [Quad], probabilities: &[f32], sure: f32) {
    for down in [false, true] {
        let group: Vec<usize> = (0..quads.len()).filter(|&i| runs_down(&quads[i]) == down).collect();
        let vote: f32 = group.iter().map(|&i| probabilities[i] - 0.5).sum();
        let bound = if vote > 0.0 { 1.0 - sure } else { sure };
        for i in group {
            if probabilities[i] > bound {
                quads[i] = quads[i].starting_at(2);
            }
        }
    }
}

fn runs_down(quad: &Quad) -> bool {
    let [start, end, ..] = quad.0;
    (end.y - start.y).abs() > (end.x - start.x).abs()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turned(probabilities: &[f32]) -> Vec<bool> {
        let mut quads: Vec<_> = probabilities.iter().map(|_| Quad::upright(0.0, 0.0, 90.0, 10.0)).collect();
        turn_back(&mut quads, probabilities, 0.9);
        quads.iter().map(|quad| quad.0[0].x > 0.0).collect()
    }

    #[test]
    fn lines_vote_and_sure_ones_go_their_own_way() {
        assert_eq!(turned(&[]), [] as [bool; 0]);
        assert_eq!(turned(&[0.1, 0.7, 0.2]), [false; 3], "an unsure line follows the page");
        assert_eq!(turned(&[0.1, 0.95, 0.2]), [false, true, false], "a sure line does not");
        assert_eq!(turned(&[0.99, 0.4, 0.8]), [true; 3]);
        assert_eq!(turned(&[0.99, 0.05, 0.8]), [true, false, true]);
    }

    #[test]
    fn both_directions_vote_apart() {
        let along = Quad::upright(0.0, 0.0, 90.0, 10.0);
        let down = Quad::upright(0.0, 0.0, 10.0, 90.0).starting_at(1);
        let mut quads = [along, down, along, down];
        turn_back(&mut quads, &[0.1, 0.99, 0.2, 0.6], 0.9);
        assert_eq!(quads, [along, down.starting_at(2), along, down.starting_at(2)]);
    }
}
