//! Which way up lines are: those that the orienter was asked about vote, the others follow.

use super::aspect;
use crate::geometry::Quad;
use crate::options::OrientOptions;

/// A line that is to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Candidate {
    /// Its outline, turned as the vote says.
    pub(super) quad: Quad,
    pub(super) doubt: Doubt,
}

/// How far the vote is trusted for one line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Doubt {
    /// Read it once.
    None,
    /// The orienter was not asked about it: ask when it reads poorly.
    Unasked,
    /// Read it both ways up and keep what scores better.
    Both,
}

/// A page is taken as turned when at least so many of its lines are. One or two that run down a street scene or a form
/// are no page.
const FEWEST_TURNED: usize = 3;

/// What there is to read on a page.
#[derive(Debug, Clone)]
pub(in crate::engine) struct Found {
    /// The outlines of its lines, as if none of them were upside down.
    pub(super) quads: Vec<Quad>,
    /// What the orienter says of each, `None` of those that it was not asked about.
    pub(super) upside_down: Vec<Option<f32>>,
}

impl Found {
    /// Lines that the orienter was not asked about yet.
    pub(super) fn unasked(quads: Vec<Quad>) -> Self {
        let upside_down = vec![None; quads.len()];
        Self { quads, upside_down }
    }

    /// Lines that are read as they are, since there is no orienter.
    pub(super) fn taken_as_upright(quads: Vec<Quad>) -> Self {
        let upside_down = vec![Some(0.0); quads.len()];
        Self { quads, upside_down }
    }

    /// The lines to ask about first: of each direction those that show the orienter most, which are the widest.
    pub(super) fn sample(&self, options: &OrientOptions) -> Vec<usize> {
        let mut sample = Vec::new();
        for mut group in self.directions() {
            group.sort_by(|&a, &b| aspect(&self.quads[b]).total_cmp(&aspect(&self.quads[a])));
            sample.extend(group.into_iter().take(options.sample));
        }
        sample
    }

    /// The lines that were not asked about, in those directions where the vote of the others is not clear.
    pub(super) fn unsettled(&self, options: &OrientOptions) -> Vec<usize> {
        let mut unsettled = Vec::new();
        for group in self.directions() {
            if !self.is_clear(&group, options) {
                unsettled.extend(group.into_iter().filter(|&i| self.upside_down[i].is_none()));
            }
        }
        unsettled
    }

    /// By how many quarters clockwise the page is turned: 0 unless the larger part of its text is, by length, and the
    /// vote on it is clear.
    pub(in crate::engine) fn quarters(&self, options: &OrientOptions) -> usize {
        let length = |group: &[usize]| group.iter().map(|&i| self.quads[i].width()).sum::<f32>();
        let [along, down] = self.directions();
        let main = if length(&down) > length(&along) { down } else { along };
        let Some(&first) = main.first() else { return 0 };
        if main.len() < FEWEST_TURNED || !self.is_clear(&main, options) {
            return 0;
        }
        (self.quads[first].quarters() + if self.mean(&main) > 0.5 { 2 } else { 0 }) % 4
    }

    /// Decides for each line which way up it is.
    ///
    /// The orienter errs: on two upside-down pages it called 10 of 96 squeezed lines upright. But a page is rarely
    /// mixed, so the lines of each direction, along and down the page, vote. A line that is sure of the contrary is read
    /// both ways, and so are all unsure lines when the vote is close.
    pub(super) fn candidates(&self, options: &OrientOptions) -> Vec<Candidate> {
        let mut candidates = Vec::with_capacity(self.quads.len());
        for group in self.directions() {
            let mean = self.mean(&group);
            let turned = mean > 0.5;
            let close = (mean - 0.5).abs() < options.close_vote;
            candidates.extend(group.into_iter().map(|i| {
                let quad = if turned { self.quads[i].starting_at(2) } else { self.quads[i] };
                let against = self.upside_down[i].map(|said| if turned { 1.0 - said } else { said });
                let doubt = match against {
                    None => Doubt::Unasked,
                    Some(against) if against > options.sure || (close && against > 1.0 - options.sure) => Doubt::Both,
                    Some(_) => Doubt::None,
                };
                Candidate { quad, doubt }
            }));
        }
        candidates
    }

    /// The lines along the picture and those down the picture.
    fn directions(&self) -> [Vec<usize>; 2] {
        [0, 1].map(|odd| (0..self.quads.len()).filter(|&i| self.quads[i].quarters() % 2 == odd).collect())
    }

    fn is_clear(&self, group: &[usize], options: &OrientOptions) -> bool {
        (self.mean(group) - 0.5).abs() >= options.clear_vote
    }

    /// The mean of what was said of a group's lines.
    fn mean(&self, group: &[usize]) -> f32 {
        let said: Vec<f32> = group.iter().filter_map(|&i| self.upside_down[i]).collect();
        said.iter().sum::<f32>() / said.len().max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONG: Quad = Quad::upright(0.0, 0.0, 90.0, 10.0);

    /// For each line whether it is turned and how far that is doubted.
    fn decided(probabilities: &[f32]) -> Vec<(bool, Doubt)> {
        let quads = vec![ALONG; probabilities.len()];
        let said: Vec<_> = probabilities.iter().copied().map(Some).collect();
        let decided = Found { quads, upside_down: said }.candidates(&OrientOptions::default());
        decided.iter().map(|candidate| (candidate.quad != ALONG, candidate.doubt)).collect()
    }

    #[test]
    fn lines_vote_and_sure_ones_are_read_both_ways() {
        let (up, turned) = ((false, Doubt::None), (true, Doubt::None));
        let (up_in_doubt, turned_in_doubt) = ((false, Doubt::Both), (true, Doubt::Both));
        assert_eq!(decided(&[]), []);
        assert_eq!(decided(&[0.0, 0.7, 0.1]), [up; 3], "an unsure line follows the page");
        assert_eq!(decided(&[0.0, 0.95, 0.0, 0.0]), [up, up_in_doubt, up, up], "a sure line is looked at twice");
        assert_eq!(decided(&[0.99, 0.6, 0.9]), [turned; 3]);
        assert_eq!(decided(&[0.99, 0.05, 0.99, 0.99]), [turned, turned_in_doubt, turned, turned]);
        assert_eq!(decided(&[0.45]), [up_in_doubt], "a close vote");
        assert_eq!(decided(&[0.02, 0.9]), [up, up_in_doubt], "a close vote with a sure line");
    }

    #[test]
    fn both_directions_vote_apart() {
        let down = Quad::upright(0.0, 0.0, 10.0, 90.0).starting_at(1);
        let quads = vec![ALONG, down, ALONG, down];
        let found = Found { quads, upside_down: [0.1, 0.99, 0.2, 0.6].map(Some).to_vec() };
        let quads: Vec<_> =
            found.candidates(&OrientOptions::default()).iter().map(|candidate| candidate.quad).collect();
        assert_eq!(quads, [ALONG, ALONG, down.starting_at(2), down.starting_at(2)]);
    }

    #[test]
    fn the_widest_of_each_direction_are_asked_first() {
        let down = |height| Quad::upright(0.0, 0.0, 10.0, height).starting_at(1);
        let along = |width| Quad::upright(0.0, 0.0, width, 10.0);
        let found = [along(20.0), down(30.0), along(50.0), along(40.0), down(90.0), down(60.0)];
        let found = Found::unasked(found.to_vec());
        let options = OrientOptions { sample: 2, ..Default::default() };
        assert_eq!(found.sample(&options), [2, 3, 4, 5]);
        assert_eq!(found.sample(&OrientOptions { sample: 9, ..options }).len(), 6);
    }

    #[test]
    fn the_others_are_asked_unless_the_sample_is_clear() {
        struct Case {
            name: &'static str,
            said: [Option<f32>; 4],
            asked: &'static [usize],
            turned: bool,
        }
        let cases = [
            Case { name: "clearly upright", said: [Some(0.0), Some(0.3), None, None], asked: &[], turned: false },
            Case { name: "clearly turned", said: [Some(1.0), None, Some(0.8), None], asked: &[], turned: true },
            Case { name: "one of each", said: [Some(1.0), None, Some(0.0), None], asked: &[1, 3], turned: false },
            Case { name: "all asked", said: [0.4, 0.6, 0.7, 0.8].map(Some), asked: &[], turned: true },
        ];
        for case in cases {
            let options = OrientOptions::default();
            let found = Found { quads: vec![ALONG; 4], upside_down: case.said.to_vec() };
            assert_eq!(found.unsettled(&options), case.asked, "{}", case.name);
            let found = found.candidates(&options);
            let follows = |i: usize| case.said[i].is_some() || found[i].doubt == Doubt::Unasked;
            assert!((0..4).all(|i| follows(i) && (found[i].quad != ALONG) == case.turned), "{}", case.name);
        }
    }
}
