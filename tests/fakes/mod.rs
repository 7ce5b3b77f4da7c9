//! Models that are a few lines of Rust.
#![allow(dead_code, reason = "each test uses some of them")]

pub(crate) mod cores;
pub(crate) mod machine;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::time::Duration;

use ferrocr::models::session::{Element, Model, ModelSpec, Named, Port, ReadOutputs};
use ferrocr::{Result, Stop};

pub(crate) fn spec(output: &[Option<usize>], characters: Option<&str>) -> ModelSpec {
    let port = |shape: &[Option<usize>]| Port { name: "x".into(), shape: shape.to_vec(), element: Element::F32 };
    ModelSpec {
        name: "fake.onnx".into(),
        inputs: vec![port(&[None, Some(3), None, None])],
        outputs: vec![port(output)],
        characters: characters.map(str::to_owned),
        ..ModelSpec::default()
    }
}

/// Text is where the picture is not white.
pub(crate) struct FakeDetector(pub(crate) ModelSpec);

impl Model for FakeDetector {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        let &[1, 3, height, width] = input.shape else { panic!("shape {:?}", input.shape) };
        let map: Vec<f32> = input.data[..height * width].iter().map(|&v| if v < 0.9 { 1.0 } else { 0.0 }).collect();
        read(&[Named::f32("y", &[1, 1, height, width], &map)])
    }
}

/// Reads the colour of the strip's middle in the first half of its steps and of its last quarter in the others: the
/// letter that the grey value counts, 20 to a letter. Very dark strips give a poor score.
pub(crate) struct FakeRecognizer(pub(crate) ModelSpec);

pub(crate) const LETTERS: &str = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\nk";

impl Model for FakeRecognizer {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        let &[1, 3, height, width] = input.shape else { panic!("shape {:?}", input.shape) };
        let grey = |x: usize| ((input.data[height / 2 * width + x] + 1.0) * 127.5) as usize;
        let mut data = vec![0.0; 4 * 13];
        for (step, x) in [width / 4, width / 4, 3 * width / 4, 3 * width / 4].into_iter().enumerate() {
            data[step * 13 + 1 + grey(x) / 20] = if grey(x) < 10 { 0.2 } else { 0.9 };
        }
        read(&[Named::f32("y", &[1, 4, 13], &data)])
    }
}

/// Upside down is what is darker on its left.
pub(crate) struct FakeOrienter(pub(crate) ModelSpec);

impl Model for FakeOrienter {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        let &[1, 3, height, width] = input.shape else { panic!("shape {:?}", input.shape) };
        let row = &input.data[height / 2 * width..][..width];
        let turned = f32::from(u8::from(row[width / 8] < row[width / 2] - 0.01));
        read(&[Named::f32("y", &[1, 2], &[1.0 - turned, turned])])
    }
}

/// Reads lines that are darker on their left poorly: they are upside down.
pub(crate) struct ParticularRecognizer(pub(crate) ModelSpec);

impl Model for ParticularRecognizer {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, inputs: &[Named<'_>], _: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        let input = inputs[0].tensor().expect("floats");
        let &[1, 3, height, width] = input.shape else { panic!("shape {:?}", input.shape) };
        let row = &input.data[height / 2 * width..][..width];
        let turned = row[width / 4] < row[3 * width / 4] - 0.01;
        let mut data = vec![0.0; 13];
        data[if turned { 1 } else { 2 }] = if turned { 0.7 } else { 0.97 };
        read(&[Named::f32("y", &[1, 1, 13], &data)])
    }
}

/// Counts how often it is run.
pub(crate) struct Counting<M>(pub(crate) M, pub(crate) Arc<AtomicUsize>);

impl<M: Model> Model for Counting<M> {
    fn spec(&self) -> &ModelSpec {
        self.0.spec()
    }

    fn run_named(&mut self, inputs: &[Named<'_>], stop: &Stop, read: &mut ReadOutputs<'_>) -> Result<()> {
        self.1.fetch_add(1, Ordering::SeqCst);
        self.0.run_named(inputs, stop, read)
    }
}

/// Reads nothing before its stop fires, and says that it is at work.
pub(crate) struct StuckRecognizer(pub(crate) ModelSpec, pub(crate) Arc<AtomicUsize>);

impl Model for StuckRecognizer {
    fn spec(&self) -> &ModelSpec {
        &self.0
    }

    fn run_named(&mut self, _: &[Named<'_>], stop: &Stop, _: &mut ReadOutputs<'_>) -> Result<()> {
        let (fired, ended) = mpsc::channel();
        let _watch = stop.watch(move || fired.send(()).unwrap_or_default())?;
        self.1.fetch_add(1, Ordering::SeqCst);
        ended.recv_timeout(Duration::from_secs(60)).expect("the stop fires");
        stop.check()
    }
}
