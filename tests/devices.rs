//! The whole pipeline on a device that is not there: it refuses shapes that were not planned, and counts how often it
//! has to prepare itself, which is whenever a session's shape is not that of its last run.
#![allow(clippy::expect_used, reason = "a test ends at what it did not expect")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use ferrocr::engine::{Plan, Release, Sessions, Stages};
use ferrocr::image::Picture;
use ferrocr::models::Role;
use ferrocr::options::{EngineOptions, RecognizeOptions};
use ferrocr::page::Page;
use ferrocr::rules::Rules;
use ferrocr::runtime::{Model, ModelSpec, Named, ReadOutputs, Shaped, Sides, lent_to};
use ferrocr::{Engine, Result, Stop};

mod fakes;

use fakes::{FakeDetector, FakeOrienter, LETTERS, spec};

const STRIPS: [usize; 10] = [160, 320, 480, 640, 960, 1280, 1920, 2560, 3840, 5120];
const PAGES: [usize; 4] = [320, 640, 960, 1280];

fn is_planned(role: Role, shape: &[usize]) -> bool {
    let &[rows, 3, height, width] = shape else { return false };
    // As many as 16 strips of 640 pixels are.
    let full = (16 * 48 * 640 / (height * width)).clamp(1, 16);
    let is_place = match role {
        Role::Detector => PAGES.contains(&height) && PAGES.contains(&width),
        Role::Recognizer => height == 48 && STRIPS.contains(&width),
        Role::Orienter => (height, width) == (48, 192),
        Role::PageOrienter => (height, width) == (224, 224),
    };
    is_place && (rows == 1 || rows == full)
}

/// Gives each of several inputs what the model of one gives.
struct Rows<M>(M);

impl<M: Model> Model for Rows<M> {
    fn spec(&self) -> &ModelSpec {
        self.0.spec()
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        let (rows, mut shape) = (input.shape[0], input.shape.to_vec());
        shape[0] = 1;
        let (mut given, mut all) = (Vec::new(), Vec::new());
        for row in input.data.chunks_exact(input.data.len() / rows) {
            self.0.run_named(&[Named::f32(inputs[0].name, &shape, row)], stop, &mut |outputs| {
                let output = outputs[0].tensor().expect("floats");
                given = output.shape.to_vec();
                all.extend_from_slice(output.data);
                Ok(())
            })?;
        }
        given[0] = rows;
        read(&[Named::f32("y", &given, &all)])
    }
}

/// Reads a letter off each step of eight pixels: its first column's grey, 20 to a letter, and nothing off white. What
/// is beyond the strip has a letter as well, since padding is grey.
struct StepRecognizer(ModelSpec);

impl Model for StepRecognizer {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        let &[1, 3, height, width] = input.shape else { panic!("shape {:?}", input.shape) };
        let steps = width.div_ceil(8);
        let mut data = vec![0.0; steps * 13];
        for (step, row) in data.chunks_exact_mut(13).enumerate() {
            let grey = ((input.data[height / 2 * width + 8 * step] + 1.0) * 127.5) as usize;
            row[if grey > 220 { 0 } else { 1 + grey / 20 }] = 0.9;
        }
        read(&[Named::f32("y", &[1, steps, 13], &data)])
    }
}

/// The shapes that sessions of a role prepared themselves for.
type Prepared = Arc<Mutex<Vec<(Role, Vec<usize>)>>>;

/// A session on the device.
struct Session<M> {
    model: Rows<M>,
    spec: ModelSpec,
    role: Role,
    last: Vec<usize>,
    prepared: Prepared,
}

impl<M: Model> Model for Session<M> {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let shape = inputs[0].tensor().expect("floats").shape;
        assert!(is_planned(self.role, shape), "{} was given {shape:?}", self.role);
        if self.last != shape {
            self.last = shape.to_vec();
            self.prepared.lock().expect("no panic").push((self.role, shape.to_vec()));
            // Other lines come meanwhile, as they do while a device prepares itself.
            std::thread::sleep(Duration::from_millis(20));
        }
        self.model.run_named(inputs, stop, read)
    }
}

fn detector() -> FakeDetector {
    FakeDetector(spec(&[None, Some(1), None, None], None))
}

fn recognizer() -> StepRecognizer {
    StepRecognizer(spec(&[None, None, Some(13)], Some(LETTERS)))
}

fn orienter() -> FakeOrienter {
    FakeOrienter(spec(&[None, Some(2)], None))
}

/// Returns callers of a model on the device.
fn on_device<M: Model + 'static>(role: Role, callers: usize, model: fn() -> M, prepared: &Prepared) -> Sessions {
    let prepared = Arc::clone(prepared);
    let session = move || {
        let (model, last) = (Rows(model()), Vec::new());
        let spec = ModelSpec { sides: Sides::Few, ..model.spec().clone() };
        Box::new(Session { model, spec, role, last, prepared: Arc::clone(&prepared) }) as Box<dyn Model>
    };
    let shaped = Shaped::new(session(), Box::new(move |_| Ok(session())));
    lent_to(callers, Box::new(shaped)).into()
}

fn device(options: &EngineOptions) -> (Engine, Prepared) {
    let (engine, prepared) = (Engine::new(options.clone()), Prepared::default());
    let (own, options) = (Arc::clone(&prepared), options.clone());
    let open = move || {
        let plan = Plan::of_device(&options);
        let models = BTreeMap::from([
            (Role::Detector, on_device(Role::Detector, plan.detectors.len(), detector, &own)),
            (Role::Recognizer, on_device(Role::Recognizer, plan.readers.len(), recognizer, &own)),
            (Role::Orienter, on_device(Role::Orienter, plan.readers.len(), orienter, &own)),
        ]);
        Stages::with(models, &options)
    };
    engine.load_with(open).expect("fakes load");
    (engine, prepared)
}

fn processor() -> Engine {
    let engine = Engine::new(EngineOptions::default());
    let open = || {
        let (one, two) = (Box::new(recognizer()), Box::new(recognizer()));
        Stages::new(Box::new(detector()), vec![one, two], vec![Box::new(orienter()), Box::new(orienter())])
    };
    engine.load_with(open).expect("fakes load");
    engine
}

/// Draws a page with rows of bars, each of several greys from its left to its right.
fn page(number: u32, width: u32, height: u32) -> Picture {
    let mut pixels = vec![255; (width * height * 3) as usize];
    for row in 0..(height - 40) / 60 {
        let (left, top) = (20 + 7 * number, 20 + 60 * row);
        let length = (width - left - 20) * (1 + (row * 7 + number) % 9) / 9;
        for x in left..left + length {
            // Lighter on the left: it is upright.
            let grey = 180 - 20 * ((x - left) * (2 + row % 5) / length + row % 3);
            for y in top..top + 30 {
                let at = ((y * width + x) * 3) as usize;
                pixels[at..at + 3].fill(grey as u8);
            }
        }
    }
    Picture::from_rgb(width, height, pixels).expect("a picture")
}

fn pages() -> Vec<Picture> {
    let sizes = [(800, 1100), (1100, 800), (300, 200), (1600, 400), (420, 2600)];
    sizes.into_iter().zip(0..).map(|((width, height), number)| page(number, width, height)).collect()
}

fn read(engine: &Engine, picture: &Picture) -> Page {
    engine.recognize(picture, &RecognizeOptions::default(), &Stop::new()).expect("fakes do not fail")
}

/// Compares what pages say. Places of words may differ by a step: the last one of a strip that is not padded is cut off
/// somewhere.
fn assert_same(one: &Page, other: &Page) {
    assert_eq!(one.text(), other.text());
    for (one, other) in one.lines.iter().zip(&other.lines) {
        assert_eq!((one.quad, one.score), (other.quad, other.score));
        let step = one.quad.height() / 6.0;
        for (one, other) in one.words.iter().zip(&other.words) {
            for (a, b) in one.quad.0.iter().zip(&other.quad.0) {
                assert!((a.x - b.x).abs() <= step && (a.y - b.y).abs() <= step, "{one:?} {other:?}");
            }
        }
    }
}

#[test]
fn a_device_reads_the_same_in_planned_shapes_and_prepares_each_once() {
    let (plain, options) = (processor(), EngineOptions::default());
    let (engine, prepared) = device(&options);
    for picture in pages() {
        let expected = read(&plain, &picture);
        assert!(expected.lines.len() > 1, "{}x{}", picture.width(), picture.height());
        (0..2).for_each(|_| assert_same(&read(&engine, &picture), &expected));
    }
    let prepared = prepared.lock().expect("no panic");
    let different: BTreeSet<_> = prepared.iter().collect();
    assert_eq!(different.len(), prepared.len(), "a shape was prepared twice: {prepared:?}");
    let of = |role| prepared.iter().filter(|(own, _)| *own == role).count();
    assert!(of(Role::Recognizer) <= 2 * STRIPS.len() && of(Role::Orienter) <= 2, "{prepared:?}");
    assert!(of(Role::Detector) <= PAGES.len() * PAGES.len() + 1, "{prepared:?}");
    assert!(prepared.iter().any(|(role, shape)| *role == Role::Recognizer && shape[0] > 1), "lines go together");
    // Each of the sessions has one shape, and is given back.
    let Release::Done(report) = engine.free(false, None, true) else { panic!("no timeout") };
    assert_eq!(report.sessions, prepared.len());
}

#[test]
fn pages_that_are_read_at_the_same_time_share_runs() {
    let (plain, (engine, prepared)) = (processor(), device(&EngineOptions::default()));
    let pictures = pages();
    let expected: Vec<_> = pictures.iter().map(|picture| read(&plain, picture)).collect();
    std::thread::scope(|scope| {
        for at in 0..pictures.len() {
            let (engine, pictures, expected) = (&engine, &pictures, &expected);
            scope.spawn(move || {
                for at in [at, (at + 1) % pictures.len()] {
                    assert_same(&read(engine, &pictures[at]), &expected[at]);
                }
            });
        }
    });
    let prepared = prepared.lock().expect("no panic");
    assert_eq!(prepared.iter().collect::<BTreeSet<_>>().len(), prepared.len(), "{prepared:?}");
}

/// Reads what `StepRecognizer` does, and gives of each step the best class alone.
struct Picking(StepRecognizer);

impl Model for Picking {
    fn spec(&self) -> &ModelSpec {
        self.0.spec()
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        self.0.run_named(inputs, stop, &mut |outputs| {
            let output = outputs[0].tensor().expect("floats");
            let best =
                |row: &[f32]| row.iter().position(|value| *value > 0.0).map_or([0.0, 1.0], |at| [at as f32, 0.9]);
            let picked: Vec<f32> = output.data.chunks_exact(13).flat_map(best).collect();
            read(&[Named::f32("y", &[1, output.shape[1], 2], &picked)])
        })
    }
}

#[test]
fn a_device_that_picks_reads_by_rules_with_the_whole_model() {
    let prepared = Prepared::default();
    let (own, engine) = (Arc::clone(&prepared), Engine::new(EngineOptions::default()));
    let picking = || Picking(StepRecognizer(spec(&[None, None, Some(2)], Some(LETTERS))));
    engine
        .load_with(move || {
            let plan = Plan::of_device(&EngineOptions::default());
            let whole = on_device(Role::Recognizer, plan.readers.len(), recognizer, &own).models;
            let recognizers = on_device(Role::Recognizer, plan.readers.len(), picking, &own);
            let models = BTreeMap::from([
                (Role::Detector, on_device(Role::Detector, plan.detectors.len(), detector, &own)),
                (Role::Recognizer, Sessions { picked_of: Some(13), whole, ..recognizers }),
                (Role::Orienter, on_device(Role::Orienter, plan.readers.len(), orienter, &own)),
            ]);
            Stages::with(models, &EngineOptions::default())
        })
        .expect("fakes load");
    let plain = processor();
    let rules = Rules::new(Some("abcdfghijk"), None, None).expect("a rule").map(Arc::new);
    let ruled = RecognizeOptions { min_score: 0.0, rules, ..RecognizeOptions::default() };
    std::thread::scope(|scope| {
        for picture in pages() {
            let (engine, plain, ruled) = (&engine, &plain, &ruled);
            scope.spawn(move || {
                let by_rules = |engine: &Engine| engine.recognize(&picture, ruled, &Stop::new()).expect("read");
                assert_same(&read(engine, &picture), &read(plain, &picture));
                let (found, expected) = (by_rules(engine), by_rules(plain));
                // Where a word ends whose last letter may not occur depends on the steps, which padding moves.
                let lines =
                    |page: &Page| page.lines.iter().map(|line| (line.text.clone(), line.score)).collect::<Vec<_>>();
                assert_eq!(lines(&found), lines(&expected));
                assert!(!found.text().contains('e') && !found.text().is_empty());
            });
        }
    });
}

#[test]
fn with_little_memory_a_device_reads_lines_alone() {
    let options = EngineOptions { low_memory: true, ..EngineOptions::default() };
    let (plain, (engine, prepared)) = (processor(), device(&options));
    for picture in pages() {
        assert_same(&read(&engine, &picture), &read(&plain, &picture));
    }
    let prepared = prepared.lock().expect("no panic");
    assert!(prepared.iter().all(|(_, shape)| shape[0] == 1), "{prepared:?}");
}
