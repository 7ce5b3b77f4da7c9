use std::ops::Range;

use super::*;
use crate::pipeline::pool::Pool;
use crate::runtime::{Element, ModelSpec, Named, Port, ReadOutputs};

/// Knows two things: a square around the middle of the strip's height is 字, and a speck below the middle that is closer
/// to what comes before is 、. So it sees none of the commas of a column, which stand in the upper right of their
/// square.
struct Squares(ModelSpec);

impl Squares {
    fn new() -> Self {
        let port = |shape: &[Option<usize>]| Port { name: "x".into(), shape: shape.to_vec(), element: Element::F32 };
        Self(ModelSpec {
            name: "squares.onnx".into(),
            inputs: vec![port(&[None, Some(3), Some(48), None])],
            outputs: vec![port(&[None, None, Some(3)])],
            characters: Some("字\n、".into()),
            ..ModelSpec::default()
        })
    }
}

impl Model for Squares {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        let &[1, 3, height, width] = input.shape else { panic!("shape {:?}", input.shape) };
        let dark = |x: usize, y: usize| input.data[y * width + x] < 0.0;
        let mut parts: Vec<(Range<usize>, bool)> = Vec::new();
        for x in 0..width {
            let is_square = dark(x, height / 2);
            if !(is_square || (height / 2..height).any(|y| dark(x, y))) {
                continue;
            }
            match parts.last_mut() {
                Some((part, square)) if part.end == x => (*part, *square) = (part.start..x + 1, *square || is_square),
                _ => parts.push((x..x + 1, is_square)),
            }
        }
        let mut data: Vec<f32> = [1.0, 0.0, 0.0].repeat(width);
        for (i, (part, is_square)) in parts.iter().enumerate() {
            let before = if i == 0 { part.start } else { part.start - parts[i - 1].0.end };
            let after = parts.get(i + 1).map_or(width, |(next, _)| next.start) - part.end;
            let middle = 3 * (part.start + part.end) / 2;
            match (is_square, before < after) {
                (true, _) => data[middle / 3 * 3..][..3].copy_from_slice(&[0.0, 0.9, 0.1]),
                (false, true) => data[middle / 3 * 3..][..3].copy_from_slice(&[0.0, 0.1, 0.9]),
                (false, false) => {}
            }
        }
        read(&[Named::f32("y", &[1, width, 3], &data)])
    }
}

/// A column of cells of 40 pixels in the middle of a white page, `、` in the upper right of its cell.
fn drawn(text: &str) -> (Picture, Quad) {
    let (width, height) = (200usize, 40 * text.chars().count() + 80);
    let mut pixels = vec![255u8; 3 * width * height];
    for (i, c) in text.chars().enumerate() {
        let (left, top, side) = if c == '字' { (84, 4, 32) } else { (106, 2, 10) };
        for y in 40 + 40 * i + top..40 + 40 * i + top + side {
            pixels[3 * (y * width + left)..3 * (y * width + left + side)].fill(0);
        }
    }
    let picture = Picture::from_rgb(width as u32, height as u32, pixels).expect("a picture");
    (picture, Quad::upright(74.0, 34.0, 126.0, height as f32 - 34.0).starting_at(1))
}

#[test]
fn a_column_gets_its_commas_and_a_lying_line_stays_as_it_is() {
    struct Case {
        drawn: &'static str,
        turns: usize,
        read: &'static str,
    }
    let cases = [
        Case { drawn: "字字、字字字", turns: 0, read: "字字、字字字" },
        Case { drawn: "字字、字字字", turns: 2, read: "字字、字字字" },
        Case { drawn: "字、字字、字", turns: 0, read: "字、字字、字" },
        Case { drawn: "字字字", turns: 0, read: "字字字" },
        Case { drawn: "字字、字字字", turns: 3, read: "字字字字字" },
    ];
    for case in cases {
        let (picture, quad) = drawn(case.drawn);
        let quad = quad.turned(case.turns, picture.width() as f32, picture.height() as f32);
        let picture = crate::image::warp::turned(picture, case.turns).expect("a turned picture");
        let model = Squares::new();
        let alphabet = Alphabet::of(model.spec(), None, None).expect("it fits");
        let mut reader = Reader { recognizer: Box::new(model), whole: None, orienter: None };
        let lines = Lines {
            picture: &picture,
            alphabet: &alphabet,
            orienter: None,
            orient: OrientOptions::default(),
            options: &RecognizeOptions::default(),
            stop: &Stop::new(),
            busy: Watch::default(),
        };
        let line = lines.read_one(&mut reader, quad).expect("read");
        assert_eq!(line.text, case.read, "{} turned by {}", case.drawn, case.turns);
    }
}

/// Reads as many `a` as the strip has squares, or `b` where it is one: text that runs up or down is wide, and its
/// pieces are not.
struct Wide {
    spec: ModelSpec,
    /// The scores of wide strips and of others.
    scores: (f32, f32),
    /// The part of the characters of a wide strip that it sees.
    share: f32,
}

impl Wide {
    fn new(scores: (f32, f32), share: f32) -> Self {
        let spec = ModelSpec { characters: Some("a\nb".into()), ..Squares::new().0 };
        let outputs = vec![Port { shape: vec![None, None, Some(4)], ..spec.outputs[0].clone() }];
        Self { spec: ModelSpec { outputs, ..spec }, scores, share }
    }
}

impl Model for Wide {
    fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let &[1, 3, height, width] = inputs[0].tensor().expect("floats").shape else { panic!("no strip") };
        let mut data: Vec<f32> = [1.0, 0.0, 0.0, 0.0].repeat(width);
        let is_wide = width >= 2 * height;
        let count = if is_wide { (self.share * width as f32 / height as f32).round() as usize } else { 1 };
        let score = if is_wide { self.scores.0 } else { self.scores.1 };
        let rest = (1.0 - score) / 3.0;
        let step = if is_wide { [rest, score, rest, rest] } else { [rest, rest, score, rest] };
        (0..count).for_each(|i| data[4 * (i * width / count + width / count / 2)..][..4].copy_from_slice(&step));
        read(&[Named::f32("y", &[1, width, 4], &data)])
    }
}

/// Returns the texts that are read in some regions, and the outline of the last one.
fn read_by(model: impl Fn() -> Wide, regions: &[Region], min_score: f32) -> (Vec<String>, Option<Quad>) {
    let picture = Picture::from_rgb(300, 300, vec![255; 3 * 300 * 300]).expect("a picture");
    let alphabet = Alphabet::of(model().spec(), None, None).expect("it fits");
    let reader = || Reader { recognizer: Box::new(model()), whole: None, orienter: None };
    let pool = Pool::new(vec![reader(), reader()]);
    let stop = Stop::new();
    let lines = Lines {
        picture: &picture,
        alphabet: &alphabet,
        orienter: None,
        orient: OrientOptions::default(),
        options: &RecognizeOptions { min_score, ..RecognizeOptions::default() },
        stop: &stop,
        busy: Watch::default(),
    };
    let readers = Workers { pool: &pool, turn: 0, stop: &stop, busy: &lines.busy };
    let found = lines.find(&readers, regions, None).expect("found");
    let outcome = lines.read(&readers, &found).expect("read");
    let last = outcome.lines.last().map(|line| line.quad);
    let mut texts: Vec<_> = outcome.lines.into_iter().map(|line| line.text).collect();
    texts.sort_unstable();
    (texts, last)
}

#[test]
fn pieces_that_stand_on_each_other_are_one_line_where_that_reads_better() {
    let piece = |i: u8| {
        let top = 20.0 + 22.0 * f32::from(i);
        Region { quad: Quad::upright(50.0, top, 70.0, top + 24.0), score: 0.7, is_doubtful: false }
    };
    let beside = Region { quad: Quad::upright(200.0, 20.0, 220.0, 40.0), score: 0.9, is_doubtful: false };
    let regions = [piece(0), piece(1), piece(2), beside];
    struct Case {
        name: &'static str,
        scores: (f32, f32),
        share: f32,
        texts: &'static [&'static str],
    }
    let apart = &["b", "b", "b", "b"];
    let cases = [
        Case { name: "far better", scores: (0.999, 0.7), share: 1.0, texts: &["aaa", "b"] },
        Case { name: "pieces that read well", scores: (0.999, 0.92), share: 1.0, texts: apart },
        Case { name: "not surely", scores: (0.94, 0.7), share: 1.0, texts: apart },
        Case { name: "not far better", scores: (0.96, 0.86), share: 1.0, texts: apart },
        Case { name: "fewer characters than pieces", scores: (0.999, 0.7), share: 0.67, texts: apart },
    ];
    for case in cases {
        let (texts, last) = read_by(|| Wide::new(case.scores, case.share), &regions, 0.5);
        assert_eq!(texts, case.texts, "{}", case.name);
        if case.texts != apart {
            assert_eq!(last, Some(Quad::upright(50.0, 20.0, 70.0, 88.0).starting_at(1)));
        }
    }
    // Pieces that are left out by themselves count too.
    assert_eq!(read_by(|| Wide::new((0.999, 0.3), 1.0), &regions, 0.5).0, ["aaa"]);
}

#[test]
fn what_the_detector_doubts_is_kept_where_it_reads_surely() {
    let region = |score, is_doubtful| Region { quad: Quad::upright(20.0, 20.0, 40.0, 40.0), score, is_doubtful };
    for (region, score, min_score, is_kept) in [
        (region(0.9, false), 0.55, 0.5, true),
        (region(0.9, false), 0.45, 0.5, false),
        (region(0.55, false), 0.6, 0.5, false),
        (region(0.55, false), 0.8, 0.5, true),
        (region(0.55, false), 0.3, 0.0, true),
        (region(0.4, true), 0.9, 0.0, false),
        (region(0.4, true), 0.97, 0.5, true),
    ] {
        let line = Region { quad: Quad::upright(20.0, 100.0, 80.0, 120.0), score: 0.9, is_doubtful: false };
        let read = |regions: &[Region]| read_by(|| Wide::new((0.999, score), 1.0), regions, min_score).0;
        assert_eq!(read(&[region, line]).contains(&"b".to_owned()), is_kept, "{region:?}, {score} of {min_score}");
        let is_kept_alone = is_kept || (!region.is_doubtful && score >= min_score);
        assert_eq!(read(&[region]), vec!["b"; usize::from(is_kept_alone)], "{region:?} alone, {score} of {min_score}");
    }
}
