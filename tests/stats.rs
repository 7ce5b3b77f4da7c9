//! Counts of an engine's calls, on fake models.
#![allow(clippy::expect_used, reason = "a test ends at what it did not expect")]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use ferrocr::engine::{Source, Stages};
use ferrocr::image::Picture;
use ferrocr::options::{EngineOptions, RecognizeOptions};
use ferrocr::stop::Reason;
use ferrocr::timings::Stage;
use ferrocr::{Engine, Error, ErrorKind, Stop};

mod fakes;

use fakes::{FakeDetector, FakeRecognizer, LETTERS, spec};

fn engine(readers: usize) -> Arc<Engine> {
    let engine = Arc::new(Engine::new(EngineOptions::default()));
    let recognizer = || Box::new(FakeRecognizer(spec(&[None, None, Some(13)], Some(LETTERS)))) as _;
    let open = move || {
        let detector = FakeDetector(spec(&[None, Some(1), None, None], None));
        Stages::new(Box::new(detector), (0..readers).map(|_| recognizer()).collect(), Vec::new())
    };
    engine.load_with(open).expect("fakes load");
    engine
}

/// A page with as many bars as wanted.
fn page(bars: u32) -> Picture {
    let (width, height) = (640, 640);
    let mut pixels = vec![255; 3 * width * height];
    for bar in 0..bars as usize {
        for row in 40 + 80 * bar..80 + 80 * bar {
            pixels[3 * (row * width + 100)..3 * (row * width + 400)].fill(90);
        }
    }
    Picture::from_rgb(width as u32, height as u32, pixels).expect("a picture")
}

#[test]
fn the_time_of_a_page_is_that_of_its_stages() {
    for readers in [1, 3] {
        let engine = engine(readers);
        let options = RecognizeOptions::default();
        let page = engine.recognize(&page(7), &options, &Stop::new()).expect("read");
        assert_eq!(page.lines.len(), 7);
        let sum: Duration = Stage::ALL.iter().map(|&stage| page.timings.of(stage)).sum();
        assert!(sum <= page.timings.total + Duration::from_micros(1), "{:?}", page.timings);
        for stage in [Stage::Detect, Stage::Cut, Stage::Recognize, Stage::Order] {
            assert!(!page.timings.of(stage).is_zero(), "{stage:?} {:?}", page.timings);
        }
        assert_eq!(engine.stats().timings, page.timings);
    }
}

#[test]
fn calls_end_with_a_page_or_an_error() {
    let (engine, options, stop) = (engine(2), RecognizeOptions::default(), Stop::new());
    engine.recognize(&page(1), &options, &stop).expect("read");
    engine.recognize_encoded(b"no picture", &options, &stop).expect_err("none");
    engine.recognize_file("missing.png".as_ref(), &options, &stop).expect_err("missing");
    engine.read_file("missing.png".as_ref()).expect_err("missing");
    let ended = Stop::new();
    ended.fire(Reason::Cancelled);
    engine.recognize(&page(1), &options, &ended).expect_err("cancelled");
    let reading = engine.begin(Source::Picture(page(2)), &options).expect("begun");
    let read = reading.wait(Duration::MAX).expect("read").expect("there");
    assert_eq!(read.lines.len(), 2);
    let (stats, size) = (engine.stats(), 3 * 640 * 640);
    assert_eq!((stats.calls, stats.pages, stats.in_flight, stats.queued), (6, 2, 0, 0));
    assert_eq!(stats.bytes, 2 * size + 10, "of what was begun");
    let errors = [(ErrorKind::Image, 1), (ErrorKind::ImageNotFound, 2), (ErrorKind::Cancelled, 1)];
    assert_eq!(stats.errors, BTreeMap::from(errors));
    assert_eq!((stats.loads, stats.load_errors.len(), stats.crashes), (1, 0, 0));

    let _ = engine.begin_unload().expect("open").wait(None);
    engine.recognize(&page(1), &options, &stop).expect("loaded anew");
    let _ = engine.free(false, None, false);
    engine.recognize(&page(1), &options, &stop).expect_err("freed");
    engine.recognize_line(&page(1)).expect_err("freed");
    let stats = engine.stats();
    assert_eq!((stats.calls, stats.pages, stats.loads), (7, 3, 2), "what is refused is no call");
}

#[test]
fn a_load_that_fails_is_no_call() {
    let engine = Engine::new(EngineOptions::default());
    let fail = || Err(Error::new(ErrorKind::ModelCorrupt, "on purpose"));
    engine.load_with(fail).expect_err("it fails");
    let stats = engine.stats();
    assert_eq!((stats.calls, stats.loads), (0, 0));
    assert_eq!(stats.load_errors, BTreeMap::from([(ErrorKind::ModelCorrupt, 1)]));
}
