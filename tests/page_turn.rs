//! Pages whose turn a classifier tells, on models that are a few lines of Rust.
#![allow(clippy::expect_used, reason = "a test ends at what it did not expect")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use ferrocr::engine::Stages;
use ferrocr::image::Picture;
use ferrocr::models::Role;
use ferrocr::models::session::{Model, ModelSpec, Named, ReadOutputs};
use ferrocr::options::{EngineOptions, RecognizeOptions};
use ferrocr::{Engine, Error, ErrorKind, Result, Stop};

mod fakes;

use fakes::{Counting, FakeDetector, FakeOrienter, FakeRecognizer, LETTERS, spec};

/// The probabilities that a classifier gives the four turns; none where it fails.
type Answer = Option<[f32; 4]>;

struct FakePageOrienter(ModelSpec, Answer);

impl Model for FakePageOrienter {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        assert_eq!(input.shape, [1, 3, 224, 224]);
        let answer = self.1.ok_or_else(|| Error::new(ErrorKind::Inference, "out of order"))?;
        read(&[Named::f32("y", &[1, 4], &answer)])
    }
}

/// The text of a page, the quarters by which its lines are turned, and how often detector and orienter were run.
#[derive(Debug, PartialEq)]
struct Outcome {
    text: String,
    quarters: Vec<usize>,
    detected: usize,
    asked: usize,
}

fn read(picture: &Picture, page: Option<Answer>, has_orienter: bool) -> Outcome {
    let (detected, asked) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let counts = (Arc::clone(&detected), Arc::clone(&asked));
    let mut options = EngineOptions::default();
    // The fake's readings are poor ones, about which the orienter would be asked after all.
    options.orient.poor = 0.0;
    let engine = Engine::new(options);
    let open = move || {
        let detector = FakeDetector(spec(&[None, Some(1), None, None], None));
        let recognizer = FakeRecognizer(spec(&[None, None, Some(13)], Some(LETTERS)));
        let orienter = FakeOrienter(spec(&[None, Some(2)], None));
        let mut models: BTreeMap<Role, Vec<Box<dyn Model>>> = BTreeMap::new();
        models.insert(Role::Detector, vec![Box::new(Counting(detector, Arc::clone(&counts.0)))]);
        models.insert(Role::Recognizer, vec![Box::new(recognizer)]);
        if has_orienter {
            models.insert(Role::Orienter, vec![Box::new(Counting(orienter, Arc::clone(&counts.1)))]);
        }
        if let Some(answer) = page {
            models.insert(Role::PageOrienter, vec![Box::new(FakePageOrienter(spec(&[None, Some(4)], None), answer))]);
        }
        let models = models.into_iter().map(|(role, models)| (role, models.into())).collect();
        Stages::with(models, &EngineOptions::default())
    };
    engine.load_with(open).expect("fakes load");
    let page = engine.recognize(picture, &RecognizeOptions::default(), &Stop::new()).expect("fakes do not fail");
    Outcome {
        text: page.text().replace('\n', ""),
        quarters: page.lines.iter().map(|line| line.quad.quarters()).collect(),
        detected: detected.load(Ordering::SeqCst),
        asked: asked.load(Ordering::SeqCst),
    }
}

/// A page of so many lines of two greys, the brighter half first, turned clockwise by quarters.
fn page(lines: u32, quarters: usize) -> Picture {
    const SIDE: usize = 400;
    let mut pixels = vec![255; SIDE * SIDE * 3];
    for line in 0..lines as usize {
        for y in 8 + 32 * line..22 + 32 * line {
            for x in 50..200 {
                let (mut at, grey) = ((x, y), if x < 125 { 90 } else { 70 });
                for _ in 0..quarters {
                    at = (SIDE - 1 - at.1, at.0);
                }
                pixels[(at.1 * SIDE + at.0) * 3..][..3].fill(grey);
            }
        }
    }
    Picture::from_rgb(SIDE as u32, SIDE as u32, pixels).expect("a picture")
}

fn sure(quarters: usize) -> Option<Answer> {
    let mut answer = [0.02; 4];
    answer[quarters] = 0.94;
    Some(Some(answer))
}

fn upright(lines: usize, quarters: usize, detected: usize, asked: usize) -> Outcome {
    Outcome { text: "ed".repeat(lines), quarters: vec![quarters; lines], detected, asked }
}

#[test]
fn a_page_whose_turn_is_sure_is_looked_at_once_and_no_line_is_asked_about() {
    for quarters in 0..4 {
        let picture = page(12, quarters);
        let voted = read(&picture, None, true);
        // Upside-down lines are where the detector finds them.
        let looks = if quarters == 0 { 1 } else { 2 };
        assert_eq!(voted, upright(12, quarters, looks, 8 * looks), "{quarters}");
        assert_eq!(read(&picture, sure(quarters), true), upright(12, quarters, 1, 0), "{quarters}");
        assert_eq!(read(&picture, sure(quarters), false), upright(12, quarters, 1, 0), "{quarters}, no orienter");
    }
}

#[test]
fn lines_vote_where_it_is_not_sure_or_fails() {
    let picture = page(12, 2);
    let voted = read(&picture, None, true);
    for answer in [Some([0.1, 0.84, 0.03, 0.03]), Some([0.25; 4]), Some([f32::NAN; 4]), None] {
        assert_eq!(read(&picture, Some(answer), true), voted, "{answer:?}");
    }
}

#[test]
fn a_turn_that_the_lines_do_not_bear_out_is_no_turn() {
    // A few lines are no page, whatever it looks like; and these lines run the other way.
    for (lines, turn) in [(3, 2), (7, 2), (7, 1), (12, 1), (12, 3)] {
        let picture = page(lines, 0);
        let voted = read(&picture, None, true);
        let misled = read(&picture, sure(turn), true);
        assert_eq!((&misled.text, &misled.quarters), (&voted.text, &voted.quarters), "{lines} lines, {turn}");
        assert_eq!((voted.detected, misled.detected), (1, 2));
    }
}

#[test]
fn lines_of_the_other_direction_vote_for_themselves() {
    let mut pixels = page(12, 0).pixels().to_vec();
    // Three lines that run up the right side, the brighter half first.
    for y in 50..200 {
        for x in (240..380).filter(|x| x % 48 < 14) {
            pixels[(y * 400 + x) * 3..][..3].fill(if y < 125 { 70 } else { 90 });
        }
    }
    let picture = Picture::from_rgb(400, 400, pixels).expect("a picture");
    let found = read(&picture, sure(0), true);
    assert_eq!(found.quarters.iter().filter(|&&quarters| quarters == 3).count(), 3, "{found:?}");
    assert_eq!((found.text.len(), found.asked), (2 * 15, 3), "{found:?}");
}
