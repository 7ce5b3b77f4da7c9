//! The vote on the way up of lines: those that the orienter was asked about vote, the others follow.

use super::spots::{Shape, Spot, Trust};
use crate::geometry::Quad;
use crate::options::OrientOptions;

/// A text that is to be read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Candidate {
    /// Its outline, turned as the vote says.
    pub(crate) quad: Quad,
    pub(crate) trust: Trust,
    pub(crate) turned: bool,
    pub(crate) doubt: Doubt,
}

impl Candidate {
    /// Returns its outline, turned back.
    pub(crate) fn upright(&self) -> Quad {
        if self.turned { self.quad.starting_at(2) } else { self.quad }
    }
}

/// The trust in the vote for one text.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Doubt {
    /// Read it once.
    None,
    /// The orienter was not asked about it: ask when it reads poorly.
    Unasked,
    /// Read the other way up too when it reads poorly, and keep that where it is far better.
    Poor,
    /// Read it both ways up and keep what scores better; the vote stands where scores tell nothing.
    Both,
    /// Do the same without a vote: where scores tell nothing it is upright.
    BothAlone,
    /// Read it lying on its side too where it may be.
    Lying {
        /// The way that text on its side is turned, where that is known.
        turned: Option<bool>,
        /// Upright unless it reads worse than this.
        below: f32,
    },
}

/// A page is taken as turned when at least so many of its lines are. One or two that run down a street scene or a form
/// are no page.
const FEWEST_TURNED: usize = 3;

/// So many lines a page has that is taken as its classifier sees it.
const FEWEST_OF_A_PAGE: usize = 8;

/// So few lines are no vote: of 262 drawn lines of small print, all upright, the orienter called 37 upside down, 8 of
/// them with more than 0.9.
const NO_VOTE: usize = 2;

/// A narrow text that scores less upright may lie on its side. Of 56 readings of two or three characters that do, 5
/// score more, and 10 more than 0.95; of 32 single upright ones 26 do.
const SURELY_UPRIGHT: f32 = 0.99;

/// The texts that there are to read on a page.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    pub(crate) spots: Vec<Spot>,
    /// True if all is read as it is, since there is no orienter.
    taken_as_upright: bool,
    /// The quarters clockwise by which the page is turned, where that is known before its lines vote.
    turned_by: Option<usize>,
}

/// For the lines along the picture and those down the picture, whether they are upside down; `None` where there are
/// none.
pub(crate) type Settled = [Option<bool>; 2];

impl Found {
    /// Lines that the orienter was not asked about yet.
    pub(crate) fn unasked(spots: Vec<Spot>) -> Self {
        Self { spots, taken_as_upright: false, turned_by: None }
    }

    /// Lines that are read as they are, since there is no orienter.
    pub(crate) fn taken_as_upright(spots: Vec<Spot>) -> Self {
        Self { spots, taken_as_upright: true, turned_by: None }
    }

    /// Takes the page as turned by so many quarters clockwise, so that its lines need no vote, if the lines look like
    /// it: they are many, and most of their text runs that way or upside down to it. Lines of the other direction vote
    /// for themselves.
    pub(crate) fn turned_by(self, quarters: usize) -> Self {
        let [along, down] = self.directions();
        let (main, others) = if quarters.is_multiple_of(2) { (along, down) } else { (down, along) };
        let is_page = main.len() >= FEWEST_OF_A_PAGE && self.length(&main) > self.length(&others);
        Self { turned_by: is_page.then_some(quarters), ..self }
    }

    pub(crate) fn is_taken_as_upright(&self) -> bool {
        self.taken_as_upright
    }

    /// Returns the lines to ask about first: of each direction those that show the orienter most, which are the widest.
    pub(crate) fn sample(&self, options: &OrientOptions) -> Vec<usize> {
        let mut sample = Vec::new();
        for mut group in self.directions() {
            if self.known(&group).is_some() {
                continue;
            }
            group.sort_by(|&a, &b| self.spots[b].quad.aspect().total_cmp(&self.spots[a].quad.aspect()));
            sample.extend(group.into_iter().take(options.sample));
        }
        sample
    }

    /// Returns the lines that were not asked about, in those directions where the vote of the others is not clear.
    pub(crate) fn unsettled(&self, options: &OrientOptions) -> Vec<usize> {
        let mut unsettled = Vec::new();
        for group in self.directions() {
            if !self.is_clear(&group, options) {
                unsettled.extend(group.into_iter().filter(|&i| self.spots[i].upside_down.is_none()));
            }
        }
        unsettled
    }

    /// Returns the quarters clockwise by which the page is turned: 0 unless the larger part of its text is, by length,
    /// and the vote on it is clear.
    pub(crate) fn quarters(&self, options: &OrientOptions) -> usize {
        let [along, down] = self.directions();
        let main = if self.length(&down) > self.length(&along) { down } else { along };
        let Some(&first) = main.first() else { return 0 };
        if main.len() < FEWEST_TURNED || !self.is_clear(&main, options) {
            return 0;
        }
        (self.spots[first].quad.quarters() + if self.mean(&main) > 0.5 { 2 } else { 0 }) % 4
    }

    /// Decides for each line which way up it is.
    ///
    /// The orienter errs: on two upside-down pages it called 10 of 96 squeezed lines upright. But a page is rarely
    /// mixed, so the lines of each direction, along and down the page, vote. A line that is sure of the contrary is
    /// read both ways, and so are all unsure lines when the vote is close. Lines that are no vote are upright unless
    /// they read better upside down, and those of a small page that is voted upside down are read upright too when they
    /// read poorly.
    pub(crate) fn candidates(&self, options: &OrientOptions) -> Vec<Candidate> {
        let mut candidates = Vec::with_capacity(self.spots.len());
        for group in self.directions() {
            let mean = self.mean(&group);
            let turned = mean > 0.5;
            let close = (mean - 0.5).abs() < options.close_vote;
            let otherwise = match group.len() {
                _ if self.taken_as_upright => Doubt::None,
                ..=NO_VOTE if turned => Doubt::BothAlone,
                ..=NO_VOTE => Doubt::Poor,
                votes if turned && votes < options.sample => Doubt::Poor,
                _ => Doubt::None,
            };
            candidates.extend(group.iter().map(|&i| {
                let said = self.spots[i].upside_down.or(self.taken_as_upright.then_some(f32::from(turned)));
                let against = said.map(|said| if turned { 1.0 - said } else { said });
                let doubt = match against {
                    None => Doubt::Unasked,
                    Some(against) if against > options.sure || (close && against > 1.0 - options.sure) => {
                        if group.len() <= NO_VOTE { Doubt::BothAlone } else { Doubt::Both }
                    }
                    Some(_) => otherwise,
                };
                self.candidate(i, turned, doubt)
            }));
        }
        candidates
    }

    /// Decides for each text that has no vote, once the lines are read, which way up it is: as they are. By itself it
    /// is upright unless it reads far better upside down.
    pub(crate) fn followers(&self, settled: Settled, options: &OrientOptions) -> Vec<Candidate> {
        let others = (0..self.spots.len()).filter(|&i| !self.spots[i].votes());
        let follower = |i: usize| {
            let spot = &self.spots[i];
            let [along, down] = if spot.runs_down() { [settled[1], settled[0]] } else { settled };
            let lying = |below| Doubt::Lying { turned: down, below };
            let doubt = match (spot.shape, along) {
                (Shape::Narrow, _) => lying(SURELY_UPRIGHT),
                (Shape::OneCharacter, _) => lying(options.poor),
                (_, Some(_)) => Doubt::None,
                (_, None) => Doubt::Poor,
            };
            self.candidate(i, along.unwrap_or(false), doubt)
        };
        others.map(follower).collect()
    }

    fn candidate(&self, i: usize, turned: bool, doubt: Doubt) -> Candidate {
        let Spot { quad, trust, .. } = self.spots[i];
        Candidate { quad: if turned { quad.starting_at(2) } else { quad }, trust, turned, doubt }
    }

    /// Returns the lines along the picture and those down the picture.
    fn directions(&self) -> [Vec<usize>; 2] {
        let lines =
            |down| (0..self.spots.len()).filter(move |&i| self.spots[i].votes() && self.spots[i].runs_down() == down);
        [lines(false).collect(), lines(true).collect()]
    }

    fn is_clear(&self, group: &[usize], options: &OrientOptions) -> bool {
        (self.mean(group) - 0.5).abs() >= options.clear_vote
    }

    fn length(&self, group: &[usize]) -> f32 {
        group.iter().map(|&i| self.spots[i].quad.width()).sum()
    }

    /// Says whether a group's lines are upside down, where the page's turn is known and they run as it does.
    fn known(&self, group: &[usize]) -> Option<bool> {
        let own = self.spots[*group.first()?].quad.quarters();
        let more = (self.turned_by? + 4 - own) % 4;
        more.is_multiple_of(2).then_some(more == 2)
    }

    /// Returns the mean of what was said of a group's lines.
    fn mean(&self, group: &[usize]) -> f32 {
        if let Some(is_upside_down) = self.known(group) {
            return f32::from(is_upside_down);
        }
        let said: Vec<f32> = group.iter().filter_map(|&i| self.spots[i].upside_down).collect();
        said.iter().sum::<f32>() / said.len().max(1) as f32
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALONG: Quad = Quad::upright(0.0, 0.0, 90.0, 10.0);
    const SURE: Trust = Trust { score: 0.9, is_doubtful: false };

    fn down() -> Quad {
        Quad::upright(0.0, 0.0, 10.0, 90.0).starting_at(1)
    }

    fn spot(quad: Quad, upside_down: Option<f32>) -> Spot {
        Spot { quad, shape: Shape::Long, trust: SURE, upside_down }
    }

    fn lines(said: &[Option<f32>]) -> Found {
        Found::unasked(said.iter().map(|&said| spot(ALONG, said)).collect())
    }

    /// For each line whether it is turned and how far that is doubted.
    fn decided(probabilities: &[f32]) -> Vec<(bool, Doubt)> {
        let said: Vec<_> = probabilities.iter().copied().map(Some).collect();
        let decided = lines(&said).candidates(&OrientOptions::default());
        decided.iter().map(|candidate| (candidate.quad != ALONG, candidate.doubt)).collect()
    }

    #[test]
    fn lines_vote_and_sure_ones_are_read_both_ways() {
        let (up, turned) = ((false, Doubt::None), (true, Doubt::Poor));
        let (up_in_doubt, turned_in_doubt) = ((false, Doubt::Both), (true, Doubt::Both));
        assert_eq!(decided(&[]), []);
        assert_eq!(decided(&[0.0, 0.7, 0.1]), [up; 3], "an unsure line follows the page");
        assert_eq!(decided(&[0.0, 0.95, 0.0, 0.0]), [up, up_in_doubt, up, up], "a sure line is looked at twice");
        assert_eq!(decided(&[0.99, 0.6, 0.9]), [turned; 3], "a small page");
        assert_eq!(decided(&[0.99; 8]), [(true, Doubt::None); 8]);
        assert_eq!(decided(&[0.99, 0.05, 0.99, 0.99]), [turned, turned_in_doubt, turned, turned]);
        assert_eq!(decided(&[0.45, 0.4, 0.4]), [up_in_doubt; 3], "a close vote");
    }

    #[test]
    fn a_line_or_two_are_no_vote() {
        let (up, up_in_doubt, turned) = ((false, Doubt::Poor), (false, Doubt::BothAlone), (true, Doubt::BothAlone));
        assert_eq!(decided(&[0.0]), [up]);
        assert_eq!(decided(&[0.999]), [turned], "however sure the orienter is");
        assert_eq!(decided(&[0.9, 0.9]), [turned; 2]);
        assert_eq!(decided(&[0.45]), [up_in_doubt]);
        assert_eq!(decided(&[0.02, 0.9]), [up, up_in_doubt]);
        let taken = Found::taken_as_upright(vec![spot(ALONG, None)]);
        assert_eq!(taken.candidates(&OrientOptions::default())[0].doubt, Doubt::None);
    }

    #[test]
    fn short_texts_follow_the_lines_and_alone_they_are_upright() {
        let square = Quad::upright(0.0, 0.0, 10.0, 10.0);
        let short = |shape| Spot { quad: square, shape, trust: SURE, upside_down: None };
        let found = Found::unasked([Shape::Short, Shape::OneCharacter, Shape::Narrow].map(short).to_vec());
        let told = |settled| -> Vec<(bool, Doubt)> {
            let followers = found.followers(settled, &OrientOptions::default());
            assert!(followers.iter().all(|follower| follower.upright() == square));
            followers.iter().map(|follower| (follower.turned, follower.doubt)).collect()
        };
        let lying = |turned| [0.95, SURELY_UPRIGHT].map(|below| Doubt::Lying { turned, below });
        let [one, narrow] = lying(None);
        assert_eq!(told([None, None]), [(false, Doubt::Poor), (false, one), (false, narrow)]);
        assert_eq!(told([Some(true), None]), [(true, Doubt::None), (true, one), (true, narrow)]);
        let [one, narrow] = lying(Some(false));
        assert_eq!(told([Some(true), Some(false)]), [(true, Doubt::None), (true, one), (true, narrow)]);
        assert!(found.candidates(&OrientOptions::default()).is_empty(), "they have no vote");
        assert!(found.sample(&OrientOptions::default()).is_empty() && found.quarters(&OrientOptions::default()) == 0);
    }

    #[test]
    fn what_may_be_no_text_has_no_vote_and_follows() {
        let doubtful = |quad| Spot { trust: Trust { score: 0.4, is_doubtful: true }, ..spot(quad, None) };
        let sure = [spot(ALONG, Some(0.99)), spot(ALONG, Some(0.9)), spot(ALONG, Some(0.95))];
        let spots = sure.into_iter().chain([doubtful(ALONG), doubtful(down()), doubtful(down()), doubtful(down())]);
        let found = Found::unasked(spots.collect());
        let options = OrientOptions::default();
        assert_eq!(found.sample(&options), [0, 1, 2]);
        assert_eq!((found.candidates(&options).len(), found.unsettled(&options)), (3, vec![]));
        assert_eq!(found.quarters(&options), 2, "the page is no wider for them");
        let follows = found.followers([Some(true), None], &options);
        let told: Vec<_> = follows.iter().map(|one| (one.turned, one.doubt, one.trust.is_doubtful)).collect();
        let alone = (false, Doubt::Poor, true);
        assert_eq!(told, [(true, Doubt::None, true), alone, alone, alone]);
    }

    #[test]
    fn both_directions_vote_apart() {
        let said = [0.1, 0.99, 0.2, 0.6].map(Some);
        let found = Found::unasked(
            [ALONG, down(), ALONG, down()].into_iter().zip(said).map(|(q, said)| spot(q, said)).collect(),
        );
        let quads: Vec<_> =
            found.candidates(&OrientOptions::default()).iter().map(|candidate| candidate.quad).collect();
        assert_eq!(quads, [ALONG, ALONG, down().starting_at(2), down().starting_at(2)]);
    }

    #[test]
    fn the_widest_of_each_direction_are_asked_first() {
        let down = |height| Quad::upright(0.0, 0.0, 10.0, height).starting_at(1);
        let along = |width| Quad::upright(0.0, 0.0, width, 10.0);
        let found = [along(20.0), down(30.0), along(50.0), along(40.0), down(90.0), down(60.0)];
        let found = Found::unasked(found.map(|quad| spot(quad, None)).to_vec());
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
            let found = lines(&case.said);
            assert_eq!(found.unsettled(&options), case.asked, "{}", case.name);
            let found = found.candidates(&options);
            let follows = |i: usize| case.said[i].is_some() || found[i].doubt == Doubt::Unasked;
            assert!((0..4).all(|i| follows(i) && (found[i].quad != ALONG) == case.turned), "{}", case.name);
        }
    }

    #[test]
    fn a_page_is_turned_when_most_of_its_text_is_and_the_vote_is_clear() {
        struct Case {
            name: &'static str,
            along: usize,
            down: usize,
            upside_down: f32,
            quarters: usize,
        }
        let cases = [
            Case { name: "nothing", along: 0, down: 0, upside_down: 0.0, quarters: 0 },
            Case { name: "upright", along: 9, down: 8, upside_down: 0.1, quarters: 0 },
            Case { name: "read downwards", along: 8, down: 9, upside_down: 0.1, quarters: 1 },
            Case { name: "upside down", along: 9, down: 8, upside_down: 0.9, quarters: 2 },
            Case { name: "read upwards", along: 8, down: 9, upside_down: 0.9, quarters: 3 },
            Case { name: "not clear", along: 0, down: 9, upside_down: 0.6, quarters: 0 },
            Case { name: "two lines are no page", along: 0, down: 2, upside_down: 0.0, quarters: 0 },
        ];
        for case in cases {
            let quads = [vec![ALONG; case.along], vec![down(); case.down]].concat();
            let found = Found::unasked(quads.into_iter().map(|quad| spot(quad, Some(case.upside_down))).collect());
            assert_eq!(found.quarters(&OrientOptions::default()), case.quarters, "{}", case.name);
        }
    }
}
