//! An engine on a machine that is not there: models that take as long as the real ones do on one core, and pages of
//! several kinds.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::Duration;

use ferrocr::engine::{Plan, Reading, Sessions, Source, Stages};
use ferrocr::image::Picture;
use ferrocr::models::Role;
use ferrocr::options::{DetectOptions, EngineOptions, RecognizeOptions};
use ferrocr::runtime::{Model, ModelSpec, Named, ReadOutputs};
use ferrocr::{Engine, Result, Stop};

use super::cores::Cores;
use super::{FakeDetector, FakeOrienter, FakeRecognizer, LETTERS, spec};

/// Seconds that a run takes one thread, and seconds on one core that all threads of its session share, by the input's
/// width. Measured with the default models on AMD's Zen 4 with AVX-512.
type Cost = fn(usize) -> (f64, f64);

/// For a page of 960x1280 pixels together with decoding, scaling and its boxes, which one thread does.
const DETECTOR: Cost = |_| (0.08, 0.30);

const ORIENTER: Cost = |_| (0.001, 0.0);

const RECOGNIZER: Cost = |width| (0.0, 0.001 + 70e-6 * width as f64);

/// A model that works on simulated cores, and then gives what another model gives.
struct Working<M> {
    model: M,
    cores: Arc<Cores>,
    threads: usize,
    cost: Cost,
}

impl<M: Model> Model for Working<M> {
    fn spec(&self) -> &ModelSpec {
        self.model.spec()
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let width = inputs[0].tensor().map_or(0, |tensor| tensor.shape[3]);
        let (alone, together) = (self.cost)(width);
        self.cores.work(alone, 1);
        self.cores.work(together, self.threads);
        self.model.run_named(inputs, stop, read)
    }
}

/// Returns an engine for so many threads, as it is made of models in files.
fn engine(cores: &Arc<Cores>, threads: usize) -> Arc<Engine> {
    // Less to compute that takes no simulated time.
    let detect = DetectOptions { max_side: 640, least_side: 640, ..DetectOptions::default() };
    let options = EngineOptions { threads: Some(threads), detect, ..EngineOptions::default() };
    let engine = Engine::new(options.clone());
    let cores = Arc::clone(cores);
    engine.load_with(move || stages(&cores, &options)).expect("fakes load");
    Arc::new(engine)
}

fn stages(cores: &Arc<Cores>, options: &EngineOptions) -> Result<Stages> {
    fn sessions<M: Model + 'static>(
        cores: &Arc<Cores>,
        threads: &[usize],
        model: impl Fn() -> M,
        cost: Cost,
    ) -> Sessions {
        let working = |&threads| Working { model: model(), cores: Arc::clone(cores), threads, cost };
        Sessions::from(threads.iter().map(|threads| Box::new(working(threads)) as Box<dyn Model>).collect::<Vec<_>>())
    }
    let Plan { detectors, readers, .. } = Plan::of(options, true);
    let recognizer = || FakeRecognizer(spec(&[None, None, Some(13)], Some(LETTERS)));
    let models = BTreeMap::from([
        (
            Role::Detector,
            sessions(cores, &detectors, || FakeDetector(spec(&[None, Some(1), None, None], None)), DETECTOR),
        ),
        (Role::Recognizer, sessions(cores, &readers, recognizer, RECOGNIZER)),
        (Role::Orienter, sessions(cores, &readers, || FakeOrienter(spec(&[None, Some(2)], None)), ORIENTER)),
    ]);
    Stages::with(models, options)
}

/// Returns a white page with bars of one size in a grid.
fn page(across: u32, down: u32, bar: (u32, u32)) -> Picture {
    let (width, height) = (480, 640);
    let mut pixels = vec![255; (width * height * 3) as usize];
    for row in 0..down {
        for column in 0..across {
            let (left, top) = (10 + column * (width - 10) / across, 10 + row * (height - 10) / down);
            for y in top..top + bar.1 {
                let at = ((y * width + left) * 3) as usize;
                pixels[at..at + bar.0 as usize * 3].fill(90);
            }
        }
    }
    Picture::from_rgb(width, height, pixels).expect("a picture")
}

/// Returns pages like a form, a book's, a scene and a photo, in turn: 55 short lines, 33 long ones, 4 and 19.
pub(crate) fn pages(count: usize) -> Vec<Picture> {
    let kinds = [page(5, 11, (50, 10)), page(1, 33, (250, 11)), page(1, 4, (60, 15)), page(1, 19, (80, 15))];
    (0..count).map(|number| kinds[(number + number / kinds.len()) % kinds.len()].clone()).collect()
}

/// Reads pages in order, `ahead` of them before the one in front is done.
fn read_many(engine: &Arc<Engine>, pages: &[Picture], ahead: usize) {
    let mut begun: VecDeque<Reading> = VecDeque::new();
    let mut left = pages.iter();
    loop {
        while begun.len() <= ahead
            && let Some(page) = left.next()
        {
            let source = Source::Picture(page.clone());
            begun.push_back(engine.begin(source, &RecognizeOptions::default()).expect("a reading"));
        }
        let Some(first) = begun.pop_front() else { return };
        while first.wait(Duration::MAX).expect("fakes do not fail").is_none() {}
    }
}

/// Reads pages with so many threads that call the engine.
fn read_together(engine: &Engine, pages: &[Picture], callers: usize) {
    let next = AtomicUsize::new(0);
    thread::scope(|scope| {
        for _ in 0..callers {
            scope.spawn(|| {
                while let Some(page) = pages.get(next.fetch_add(1, Ordering::Relaxed)) {
                    engine.recognize(page, &RecognizeOptions::default(), &Stop::new()).expect("fakes do not fail");
                }
            });
        }
    });
}

/// Seconds a page on so many cores, and the part of the cores that is used.
pub(crate) struct Outcome {
    /// One engine in a loop, a page after the other.
    pub(crate) alone: (f64, f64),
    /// One engine that reads ahead.
    pub(crate) many: (f64, f64),
    /// One engine with a calling thread for each core.
    pub(crate) together: (f64, f64),
    /// An engine for every two cores, as separate processes would have them.
    pub(crate) apart: (f64, f64),
}

/// Reads pages in each way.
pub(crate) fn compare(cores: usize, pages: &[Picture]) -> Outcome {
    let options = EngineOptions { threads: Some(cores), ..EngineOptions::default() };
    let ahead = Plan::of(&options, true).ahead;
    let timed = |engines: usize, threads: usize, scene: &dyn Fn(&[Arc<Engine>])| {
        let simulated = Cores::new(cores);
        let engines: Vec<_> = (0..engines).map(|_| engine(&simulated, threads)).collect();
        let (seconds, used) = simulated.time(|| scene(&engines));
        (seconds / pages.len() as f64, used)
    };
    let each_its_own = |engines: &[Arc<Engine>]| {
        thread::scope(|scope| {
            for (number, engine) in engines.iter().enumerate() {
                let own: Vec<_> = pages.iter().skip(number).step_by(engines.len()).cloned().collect();
                scope.spawn(move || read_many(engine, &own, 2));
            }
        });
    };
    Outcome {
        alone: timed(1, cores, &|engines| read_many(&engines[0], pages, 0)),
        many: timed(1, cores, &|engines| read_many(&engines[0], pages, ahead)),
        together: timed(1, cores, &|engines| read_together(&engines[0], pages, cores)),
        apart: timed(cores / 2, 2, &each_its_own),
    }
}
