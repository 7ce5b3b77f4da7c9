//! The whole pipeline on models that are a few lines of Rust: no weights, no runtime, milliseconds.
#![allow(clippy::expect_used, reason = "a test ends at what it did not expect")]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use ferrocr::engine::{Release, Source, Stages};
use ferrocr::image::Picture;
use ferrocr::models::Role;
use ferrocr::models::session::{Model, ModelSpec, Named, ReadOutputs};
use ferrocr::options::{EngineOptions, RecognizeOptions};
use ferrocr::rules::Rules;
use ferrocr::stop::Reason;
use ferrocr::{Engine, Error, ErrorKind, Result, Stop};

mod fakes;

use fakes::{
    Counting, FakeDetector, FakeOrienter, FakeRecognizer, LETTERS, ParticularRecognizer, StuckRecognizer, spec,
};

fn stages(readers: usize) -> Result<Stages> {
    let recognizer = || Box::new(FakeRecognizer(spec(&[None, None, Some(13)], Some(LETTERS)))) as Box<dyn Model>;
    let orienter = || Box::new(FakeOrienter(spec(&[None, Some(2)], None))) as Box<dyn Model>;
    Stages::new(
        Box::new(FakeDetector(spec(&[None, Some(1), None, None], None))),
        (0..readers).map(|_| recognizer()).collect(),
        (0..readers).map(|_| orienter()).collect(),
    )
}

fn engine(readers: usize) -> Engine {
    let engine = Engine::new(EngineOptions::default());
    engine.load_with(move || stages(readers)).expect("fakes load");
    engine
}

/// A white picture with bars of two greys: (left, top, width, height, left half's grey, right half's).
fn drawn(width: u32, height: u32, bars: &[(u32, u32, u32, u32, u8, u8)]) -> Picture {
    let mut pixels = vec![255; (width * height * 3) as usize];
    for &(left, top, w, h, first, second) in bars {
        for y in top..top + h {
            for x in left..left + w {
                let grey = if x < left + w / 2 { first } else { second };
                let at = ((y * width + x) * 3) as usize;
                pixels[at..at + 3].fill(grey);
            }
        }
    }
    Picture::from_rgb(width, height, pixels).expect("a picture")
}

fn read(engine: &Engine, picture: &Picture) -> String {
    engine.recognize(picture, &RecognizeOptions::default(), &Stop::new()).expect("fakes do not fail").text()
}

#[test]
fn lines_come_in_reading_order_at_their_place() {
    let picture =
        drawn(800, 800, &[(420, 100, 200, 40, 50, 30), (100, 102, 200, 40, 90, 70), (100, 400, 300, 40, 130, 110)]);
    let page = engine(2).recognize(&picture, &RecognizeOptions::default(), &Stop::new()).expect("read");
    // The orienter turns lines whose left is darker; none is here.
    assert_eq!(page.text(), "ed\ncb\ngf");
    let (left, top, right, bottom) = page.lines[2].quad.bounds();
    for (found, drawn) in [(left, 100.0), (top, 400.0), (right, 400.0), (bottom, 440.0)] {
        assert!((found - drawn as f32).abs() < 32.0, "{:?}", page.lines[2].quad);
    }
    assert_eq!(page.lines[0].words.len(), 1);
}

#[test]
fn an_upside_down_line_is_turned_with_its_outline() {
    let picture = drawn(800, 800, &[(100, 100, 300, 40, 30, 70)]);
    let page = engine(1).recognize(&picture, &RecognizeOptions::default(), &Stop::new()).expect("read");
    assert_eq!(page.text(), "db");
    let quad = page.lines[0].quad.0;
    assert!(quad[0].x > quad[1].x && quad[0].y > quad[3].y, "starts at the bottom right: {quad:?}");
}

/// Does not read what is darker than it can bear, and reads all else as `FakeRecognizer` does.
struct SqueamishRecognizer(FakeRecognizer, ErrorKind);

impl Model for SqueamishRecognizer {
    fn spec(&self) -> &ModelSpec {
        self.0.spec()
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        let &[1, 3, height, width] = input.shape else { panic!("shape {:?}", input.shape) };
        if input.data[height / 2 * width + width / 4] < -0.9 {
            return Err(Error::new(self.1, "too dark"));
        }
        self.0.run_named(inputs, stop, read)
    }
}

#[test]
fn a_line_that_cannot_be_read_does_not_cost_the_page_the_others() {
    let read = |kind, bars: &[(u32, u32, u32, u32, u8, u8)]| {
        let engine = Engine::new(EngineOptions::default());
        let open = move || {
            let recognizer = FakeRecognizer(spec(&[None, None, Some(13)], Some(LETTERS)));
            Stages::new(
                Box::new(FakeDetector(spec(&[None, Some(1), None, None], None))),
                vec![Box::new(SqueamishRecognizer(recognizer, kind))],
                vec![Box::new(FakeOrienter(spec(&[None, Some(2)], None)))],
            )
        };
        engine.load_with(open).expect("fakes load");
        engine.recognize(&drawn(800, 800, bars), &RecognizeOptions::default(), &Stop::new())
    };
    let (good, dark) = ((100, 100, 300, 40, 90, 70), (100, 300, 300, 40, 3, 3));
    // A line, and what is too short to be one.
    for bad in [dark, (100, 300, 30, 40, 3, 3)] {
        for kind in [ErrorKind::Inference, ErrorKind::Image, ErrorKind::ModelMismatch] {
            let page = read(kind, &[good, bad]).expect("one line can be read");
            assert_eq!(page.text(), "ed");
            let [unread] = page.unread.as_slice() else { panic!("{:?}", page.unread) };
            assert!(unread.reason == "too dark" && (unread.quad.center().y - 320.0).abs() < 16.0, "{unread:?}");
        }
        for kind in [ErrorKind::Cancelled, ErrorKind::Timeout, ErrorKind::ResourcesFreed] {
            assert_eq!(read(kind, &[good, bad]).expect_err("the call was ended").kind(), kind);
        }
        let error = read(ErrorKind::Inference, &[bad]).expect_err("nothing can be read: the model is at fault");
        assert_eq!(error.kind(), ErrorKind::Inference);
    }
    assert!(read(ErrorKind::Inference, &[good]).expect("read").unread.is_empty());
}

#[test]
fn a_clear_vote_spares_the_orienter_questions_and_turned_lines_are_read_all_the_same() {
    let read = |sample: usize| {
        let mut options = EngineOptions::default();
        options.orient.sample = sample;
        let (engine, asked) = (Engine::new(options), Arc::new(AtomicUsize::new(0)));
        let count = Arc::clone(&asked);
        let open = move || {
            let orienter = FakeOrienter(spec(&[None, Some(2)], None));
            Stages::new(
                Box::new(FakeDetector(spec(&[None, Some(1), None, None], None))),
                vec![Box::new(ParticularRecognizer(spec(&[None, None, Some(13)], Some(LETTERS))))],
                vec![Box::new(Counting(orienter, Arc::clone(&count)))],
            )
        };
        engine.load_with(open).expect("fakes load");
        let mut bars: Vec<_> = (0..15).map(|i| (100, 20 + 45 * i, 300, 20, 90, 70)).collect();
        bars.extend([(500, 20, 150, 20, 70, 90), (500, 200, 150, 20, 70, 90)]);
        let page = engine.recognize(&drawn(800, 800, &bars), &RecognizeOptions::default(), &Stop::new());
        (page.expect("fakes do not fail"), asked.load(Ordering::SeqCst))
    };
    let (plain, all) = read(usize::MAX);
    let (page, asked) = read(8);
    assert_eq!((all, asked), (17, 8 + 2), "two lines read poorly");
    assert_eq!(page, plain);
    assert!(page.lines.iter().all(|line| line.text == "b"), "{}", page.text());
}

/// Time says this only by chance: a page must cost the runs that it needs and no others.
#[test]
fn a_page_costs_one_run_of_the_detector_and_one_a_line_of_the_recogniser() {
    let engine = Engine::new(EngineOptions::default());
    let runs = [(); 3].map(|()| Arc::new(AtomicUsize::new(0)));
    let [detected, recognized, oriented] = runs.clone();
    let open = move || {
        let detector = FakeDetector(spec(&[None, Some(1), None, None], None));
        let recognizer = ParticularRecognizer(spec(&[None, None, Some(13)], Some(LETTERS)));
        let orienter = FakeOrienter(spec(&[None, Some(2)], None));
        Stages::new(
            Box::new(Counting(detector, Arc::clone(&detected))),
            vec![Box::new(Counting(recognizer, Arc::clone(&recognized)))],
            vec![Box::new(Counting(orienter, Arc::clone(&oriented)))],
        )
    };
    engine.load_with(open).expect("fakes load");
    let bars: Vec<_> = (0..15).map(|i| (100, 20 + 45 * i, 300, 20, 90, 70)).collect();
    assert_eq!(read(&engine, &drawn(800, 800, &bars)).lines().count(), 15);
    let sample = EngineOptions::default().orient.sample;
    assert_eq!(runs.map(|runs| runs.load(Ordering::SeqCst)), [1, 15, sample]);
}

#[test]
fn a_line_down_the_page_is_read_along_its_length() {
    let picture = drawn(800, 800, &[(100, 100, 40, 300, 50, 50)]);
    let page = engine(1).recognize(&picture, &RecognizeOptions::default(), &Stop::new()).expect("read");
    assert_eq!(page.text(), "c");
    assert!(page.lines[0].quad.width() > 2.0 * page.lines[0].quad.height());
}

#[test]
fn long_pictures_are_read_to_their_end_with_lines_across_the_tiles() {
    // Every 130 pixels a line, so that some lie where two tiles meet.
    let bars: Vec<_> = (0..40).map(|i| (60, 60 + 130 * i, 300, 40, 90, 70)).collect();
    let down = engine(2).recognize(&drawn(420, 5300, &bars), &RecognizeOptions::default(), &Stop::new());
    let down = down.expect("read");
    assert_eq!(down.text(), vec!["ed"; 40].join("\n"));
    for (line, bar) in down.lines.iter().zip(&bars) {
        let (left, top, right, bottom) = line.quad.bounds();
        let (centre_x, centre_y) = ((left + right) / 2.0, (top + bottom) / 2.0);
        assert!((centre_x - 210.0).abs() < 8.0 && (centre_y - (bar.1 + 20) as f32).abs() < 8.0, "{:?}", line.quad);
    }
    // One line from end to end, over several tiles.
    let across = engine(1).recognize(
        &drawn(5000, 420, &[(200, 180, 4600, 60, 90, 70)]),
        &RecognizeOptions::default(),
        &Stop::new(),
    );
    let across = across.expect("read");
    assert_eq!(across.text(), "ed");
    assert!(across.lines[0].quad.width() > 4500.0, "{:?}", across.lines[0].quad);
}

#[test]
fn poor_lines_are_dropped_by_the_bound_of_the_call() {
    let picture = drawn(800, 800, &[(100, 100, 300, 40, 5, 5)]);
    let engine = engine(1);
    assert_eq!(read(&engine, &picture), "");
    let all = RecognizeOptions { min_score: 0.0, ..Default::default() };
    assert_eq!(engine.recognize(&picture, &all, &Stop::new()).expect("read").text(), "a");
    assert_eq!(read(&engine, &picture), "", "the option did not stick");
}

#[test]
fn any_number_of_readers_and_callers_reads_the_same() {
    let bars: Vec<_> =
        (0..40).map(|i| (50 + i % 4 * 180, 20 + i / 4 * 75, 150, 30, 90 + i as u8, 60 + i as u8)).collect();
    let picture = drawn(800, 800, &bars);
    let alone = engine(1).recognize(&picture, &RecognizeOptions::default(), &Stop::new()).expect("read");
    assert_eq!(alone.lines.len(), 40);
    let shared = engine(3);
    std::thread::scope(|scope| {
        let callers: Vec<_> = (0..4)
            .map(|_| scope.spawn(|| shared.recognize(&picture, &RecognizeOptions::default(), &Stop::new())))
            .collect();
        for caller in callers {
            assert_eq!(caller.join().expect("no panic").expect("read"), alone);
        }
    });
}

#[test]
fn odd_sizes_are_read() {
    let engine = engine(2);
    for (width, height) in [(1, 1), (1, 900), (4000, 12), (12, 4000), (33, 31), (65_535, 1), (1, 65_535)] {
        read(&engine, &drawn(width, height, &[]));
    }
    let strip = drawn(1200, 40, &[(0, 0, 1200, 40, 90, 70)]);
    assert_eq!(read(&engine, &strip), "ed", "text from edge to edge");
}

#[test]
fn a_model_in_the_wrong_role_is_refused() {
    let detector = || Box::new(FakeDetector(spec(&[None, Some(1), None, None], None))) as Box<dyn Model>;
    let error = Stages::new(detector(), vec![detector()], vec![]).map(|_| ()).expect_err("a detector reads no lines");
    assert_eq!(error.kind(), ErrorKind::ModelMismatch);
    assert!(error.to_string().contains("fake.onnx"), "{error}");
    let short = Box::new(FakeRecognizer(spec(&[None, None, Some(13)], Some("a\nb"))));
    let error = Stages::new(detector(), vec![short], vec![]).map(|_| ()).expect_err("two characters, 13 classes");
    assert!(error.to_string().contains("13 classes"), "{error}");
}

#[test]
fn a_freed_engine_refuses_everything_and_reports_again() {
    let engine = engine(2);
    let Release::Done(report) = engine.free(false, None, true) else { panic!("no timeout") };
    assert_eq!((report.sessions, report.files), (5, 0));
    assert_eq!(engine.free(true, Some(Duration::ZERO), true), Release::Done(report));
    let picture = drawn(10, 10, &[]);
    let refused = [
        engine.recognize(&picture, &RecognizeOptions::default(), &Stop::new()).map(|_| ()),
        engine.recognize_encoded(b"", &RecognizeOptions::default(), &Stop::new()).map(|_| ()),
        engine.load_with(|| stages(1)),
        engine.check_open(),
    ];
    for outcome in refused {
        assert_eq!(outcome.expect_err("freed").kind(), ErrorKind::ResourcesFreed);
    }
}

#[test]
fn limits_hold_for_pixels_from_memory_too() {
    let mut options = EngineOptions::default();
    options.decode.max_pixels = 99;
    let engine = Engine::new(options);
    engine.load_with(|| stages(1)).expect("fakes load");
    let error =
        engine.recognize(&drawn(10, 10, &[]), &RecognizeOptions::default(), &Stop::new()).expect_err("100 pixels");
    assert!(error.kind() == ErrorKind::Image && error.to_string().contains("max_pixels=99"), "{error}");
}

/// An engine with one reader that is stuck at its first line, and how often one was begun.
fn stuck_engine() -> (Engine, Arc<AtomicUsize>) {
    let (engine, begun) = (Engine::new(EngineOptions::default()), Arc::new(AtomicUsize::new(0)));
    let count = Arc::clone(&begun);
    let open = move || {
        let detector = Box::new(FakeDetector(spec(&[None, Some(1), None, None], None)));
        let recognizer = StuckRecognizer(spec(&[None, None, Some(13)], Some(LETTERS)), Arc::clone(&count));
        Stages::new(detector, vec![Box::new(recognizer)], vec![])
    };
    engine.load_with(open).expect("fakes load");
    (engine, begun)
}

fn one_line() -> Picture {
    drawn(800, 800, &[(100, 100, 300, 40, 90, 70)])
}

fn wait_for(begun: &AtomicUsize, count: usize) {
    let started = Instant::now();
    while begun.load(Ordering::SeqCst) < count {
        assert!(started.elapsed() < Duration::from_secs(60), "the model never ran");
        std::thread::yield_now();
    }
}

#[test]
fn a_page_that_is_alone_has_the_widest_detector_and_another_one_leaves_it() {
    let runs = [Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0))];
    let (engine, begun) = (Engine::new(EngineOptions::default()), Arc::new(AtomicUsize::new(0)));
    let (own_runs, count) = (runs.clone(), Arc::clone(&begun));
    let open = move || {
        let detector = |runs: &Arc<AtomicUsize>| {
            let plain = FakeDetector(spec(&[None, Some(1), None, None], None));
            Box::new(Counting(plain, Arc::clone(runs))) as Box<dyn Model>
        };
        let recognizer = StuckRecognizer(spec(&[None, None, Some(13)], Some(LETTERS)), Arc::clone(&count));
        let recognizers: Vec<Box<dyn Model>> = vec![Box::new(recognizer)];
        let detectors: Vec<_> = own_runs.iter().map(detector).collect();
        let models = [(Role::Detector, detectors.into()), (Role::Recognizer, recognizers.into())];
        Stages::with(models.into(), &EngineOptions::default())
    };
    engine.load_with(open).expect("fakes load");
    let counts = || runs.each_ref().map(|count| count.load(Ordering::SeqCst));
    let (blank, stop) = (drawn(800, 800, &[]), Stop::new());
    std::thread::scope(|scope| {
        let first = scope.spawn(|| engine.recognize(&one_line(), &RecognizeOptions::default(), &stop));
        wait_for(&begun, 1);
        assert_eq!(counts(), [1, 0], "nobody else was there");
        read(&engine, &blank);
        assert_eq!(counts(), [1, 1], "a page was being read");
        stop.fire(Reason::Cancelled);
        first.join().expect("no panic").expect_err("cancelled");
    });
    read(&engine, &blank);
    assert_eq!(counts(), [2, 1]);
}

#[test]
fn a_timeout_ends_a_call_that_works_and_one_that_waits_for_its_turn() {
    let (engine, begun) = stuck_engine();
    // Long enough for the detector, without which this would try less but hold as well.
    let brief = RecognizeOptions { timeout: Some(Duration::from_millis(400)), ..Default::default() };
    let error = engine.recognize(&one_line(), &brief, &Stop::new()).expect_err("stuck");
    assert!(error.kind() == ErrorKind::Timeout && error.to_string().contains("0.4 s"), "{error}");
    let stop = Stop::new();
    let before = begun.load(Ordering::SeqCst);
    std::thread::scope(|scope| {
        let works = scope.spawn(|| engine.recognize(&one_line(), &RecognizeOptions::default(), &stop));
        wait_for(&begun, before + 1);
        let waits = engine.recognize(&one_line(), &brief, &Stop::new()).expect_err("the only reader is lent");
        assert_eq!(waits.kind(), ErrorKind::Timeout);
        assert_eq!(begun.load(Ordering::SeqCst), before + 1, "it never had its turn");
        stop.fire(Reason::Cancelled);
        assert_eq!(works.join().expect("no panic").expect_err("cancelled").kind(), ErrorKind::Cancelled);
    });
    let long = RecognizeOptions { timeout: Some(Duration::from_secs(3600)), ..Default::default() };
    let picture = drawn(100, 100, &[]);
    assert_eq!(engine.recognize(&picture, &long, &Stop::new()).expect("nothing to read").lines, []);
}

#[test]
fn a_cancelled_token_ends_its_own_calls_only() {
    let (engine, begun) = stuck_engine();
    let (stop, options) = (Stop::new(), RecognizeOptions::default());
    std::thread::scope(|scope| {
        let call = scope.spawn(|| engine.recognize(&one_line(), &options, &stop));
        wait_for(&begun, 1);
        stop.fire(Reason::Cancelled);
        assert_eq!(call.join().expect("no panic").expect_err("cancelled").kind(), ErrorKind::Cancelled);
    });
    let again = engine.recognize(&one_line(), &options, &stop).expect_err("it stays cancelled");
    assert_eq!((again.kind(), begun.load(Ordering::SeqCst)), (ErrorKind::Cancelled, 1));
    engine.recognize(&drawn(100, 100, &[]), &options, &Stop::new()).expect("the engine goes on");
}

#[test]
fn a_cancelling_release_does_not_wait_for_a_stuck_model() {
    let (engine, begun) = stuck_engine();
    std::thread::scope(|scope| {
        let calls: Vec<_> = (0..3)
            .map(|_| scope.spawn(|| engine.recognize(&one_line(), &RecognizeOptions::default(), &Stop::new())))
            .collect();
        wait_for(&begun, 1);
        let pending = engine.free(false, Some(Duration::from_millis(5)), true);
        assert!(matches!(pending, Release::Pending { calls: 1..=3 }), "{pending:?}");
        let Release::Done(report) = engine.free(true, None, true) else { panic!("no timeout") };
        assert_eq!(report.sessions, 2);
        for call in calls {
            let kind = call.join().expect("no panic").expect_err("ended").kind();
            assert!(matches!(kind, ErrorKind::Cancelled | ErrorKind::ResourcesFreed), "{kind:?}");
        }
    });
}

#[test]
fn an_unloaded_engine_loads_again_at_the_next_call() {
    let engine = engine(1);
    let before = read(&engine, &one_line());
    let done = engine.begin_unload().expect("open").wait(None).expect("open");
    assert!(matches!(done, Release::Done(report) if report.sessions == 3), "{done:?}");
    assert!(!engine.is_loaded() && !engine.is_closed());
    assert_eq!(read(&engine, &one_line()), before);
    assert!(engine.is_loaded());
}

#[test]
fn pictures_read_ahead_give_the_pages_of_calls() {
    let (engine, pictures) = (Arc::new(engine(2)), [drawn(100, 100, &[]), one_line(), drawn(700, 90, &[])]);
    let options = RecognizeOptions::default();
    let begun: Vec<_> = pictures
        .iter()
        .map(|picture| engine.begin(Source::Picture(picture.clone()), &options).expect("begun"))
        .collect();
    for (reading, picture) in begun.iter().zip(&pictures) {
        let page = reading.wait(Duration::MAX).expect("read").expect("over");
        assert_eq!(page, engine.recognize(picture, &options, &Stop::new()).expect("read"));
        assert!(reading.is_over());
        assert_eq!(reading.wait(Duration::MAX).expect_err("given away").kind(), ErrorKind::InvalidArgument);
    }
    let damaged = engine.begin(Source::Encoded(vec![1, 2], Some("a.png".into())), &options).expect("begun");
    let error = damaged.wait(Duration::MAX).expect_err("no picture");
    assert!(error.kind() == ErrorKind::Image && error.to_string().contains("a.png"), "{error}");
}

#[test]
fn pictures_read_ahead_end_early_for_every_reason() {
    let (engine, begun) = stuck_engine();
    let engine = Arc::new(engine);
    let begin = || engine.begin(Source::Picture(one_line()), &RecognizeOptions::default()).expect("begun");
    let (first, second, third, dropped) = (begin(), begin(), begin(), begin());
    wait_for(&begun, 1);
    assert_eq!(first.wait(Duration::from_millis(1)).expect("not over"), None);
    assert!(!first.is_over());
    drop(dropped);
    first.time_out(Duration::from_secs(7));
    let error = first.wait(Duration::MAX).expect_err("timed out");
    assert!(error.kind() == ErrorKind::Timeout && error.to_string().contains("7 s"), "{error}");
    second.cancel();
    assert_eq!(second.wait(Duration::MAX).expect_err("cancelled").kind(), ErrorKind::Cancelled);
    let pending = engine.free(false, Some(Duration::ZERO), true);
    assert!(matches!(pending, Release::Pending { calls: 1 }), "what was begun is waited for: {pending:?}");
    assert!(matches!(engine.free(true, None, true), Release::Done(_)));
    // The thread is gone, and what it left is there.
    assert_eq!(third.wait(Duration::MAX).expect_err("freed").kind(), ErrorKind::Cancelled);
    third.end();
    let refused = engine.begin(Source::Picture(one_line()), &RecognizeOptions::default());
    assert_eq!(refused.map(|_| ()).expect_err("freed").kind(), ErrorKind::ResourcesFreed);
}

#[test]
fn rules_of_a_call_are_no_other_calls() {
    let picture = drawn(800, 800, &[(100, 100, 300, 40, 90, 70), (100, 300, 300, 40, 130, 110)]);
    let engine = engine(2);
    let read = |rules: Option<Rules>| {
        let options = RecognizeOptions { min_score: 0.0, rules: rules.map(Arc::new), ..RecognizeOptions::default() };
        engine.recognize(&picture, &options, &Stop::new()).map(|page| page.text())
    };
    let of = |allow, pattern, words: Option<&[String]>| Rules::new(allow, pattern, words).expect("a rule");
    let words = ["fg".to_owned(), "gf".to_owned()];
    let kinds: [(&(dyn Fn() -> Option<Rules> + Sync), &str); 4] = [
        (&|| None, "ed\ngf"),
        (&|| of(Some("edf"), None, None), "ed\nf"),
        (&|| of(None, Some("e.|gf"), None), "ed\ngf"),
        // Nothing speaks for either word in the first line, which has no score.
        (&|| of(None, None, Some(&words)), "gf\ngf"),
    ];
    std::thread::scope(|scope| {
        for (rules, text) in kinds.into_iter().cycle().take(40) {
            let read = &read;
            scope.spawn(move || assert_eq!(read(rules()).expect("read"), text));
        }
    });
    let error = read(of(Some("a1"), None, None)).expect_err("no 1");
    assert!(error.kind() == ErrorKind::InvalidArgument && error.to_string().contains("'1'"), "{error}");
}
