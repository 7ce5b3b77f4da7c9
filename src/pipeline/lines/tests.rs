use std::ops::Range;

use super::*;
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
        };
        let line = lines.read_one(&mut reader, quad).expect("read");
        assert_eq!(line.text, case.read, "{} turned by {}", case.drawn, case.turns);
    }
}
