//! The pure stages on fixed inputs of the size of a scanned page: everything but the runtime's share.
#![allow(missing_docs, reason = "criterion's macros make public items")]
#![allow(clippy::expect_used, reason = "a benchmark ends at what it did not expect")]

use std::hint::black_box;

use criterion::{Criterion, criterion_group, criterion_main};
use ferrocr::detect::db;
use ferrocr::geometry::{Point, Quad};
use ferrocr::image::Picture;
use ferrocr::image::tensor::{Scaling, Window, resize, to_bgr_planes};
use ferrocr::image::warp::rectify;
use ferrocr::models::onnx::LinearHead;
use ferrocr::options::DetectOptions;
use ferrocr::recognize::charset::Charset;
use ferrocr::recognize::ctc;
use ferrocr::recognize::head::Head;
use ferrocr::stop::Stop;

/// A4 at 200 dpi.
const WIDTH: u32 = 1654;
const HEIGHT: u32 = 2339;

fn page() -> Picture {
    let pixels = (0..WIDTH * HEIGHT * 3).map(|i| (i.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    Picture::from_rgb(WIDTH, HEIGHT, pixels).expect("a picture")
}

/// A probability map with 60 lines of five words.
fn map() -> (Vec<f32>, usize) {
    let (width, height) = (1408, 1984);
    let mut map = vec![0.0; width * height];
    for line in 0..60 {
        for word in 0..5 {
            for y in 0..18 {
                let start = (20 + line * 32 + y) * width + 40 + word * 260;
                map[start..start + 220].fill(0.9);
            }
        }
    }
    (map, width)
}

fn stages(criterion: &mut Criterion) {
    let page = page();
    let whole = Window::whole(&page);
    criterion.bench_function("scale a page for the detector", |b| {
        b.iter(|| resize(black_box(&page), whole, 1408, 1984, Scaling::Smooth));
    });
    criterion.bench_function("page to planes", |b| b.iter(|| to_bgr_planes(black_box(&page), WIDTH as usize)));
    let (map, width) = map();
    criterion.bench_function("regions of a map", |b| {
        b.iter(|| db::regions(black_box(&map), width, &DetectOptions::default(), &Stop::new()));
    });
    let upright = Quad::upright(100.0, 100.0, 900.0, 140.0);
    criterion.bench_function("cut an upright line", |b| b.iter(|| rectify(black_box(&page), &upright, 960, 48)));
    let skewed = Quad(upright.0.map(|p| Point::new(p.x, p.y + p.x / 20.0)));
    criterion.bench_function("cut a skewed line", |b| b.iter(|| rectify(black_box(&page), &skewed, 960, 48)));
    let list: Vec<String> = (0..18708u32).map(|i| char::from_u32(0x4e00 + i).unwrap_or('?').to_string()).collect();
    let charset = Charset::new(&list.join("\n"), Some(18710)).expect("fits");
    let output: Vec<f32> = (0..120 * 18710u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 8) as f32).collect();
    criterion.bench_function("decode a line of 18,710 classes", |b| {
        b.iter(|| ctc::decode(&ctc::best_classes(black_box(&output), 18710, None), &[], &charset));
    });
}

/// The head of PP-OCRv6 on a strip of 960 pixels: 0.54 billion floating point operations, so 1 ms is 539 GFLOP/s.
/// Scores are like those of text: one class is far above all others.
fn heads(criterion: &mut Criterion) {
    const INPUTS: usize = 120;
    const STEPS: usize = 120;
    for classes in [18_710, 1_500] {
        let value = |i: usize| ((i as u32).wrapping_mul(2_654_435_761) >> 8) as f32 / (1 << 23) as f32 - 1.0;
        let weights: Vec<f32> = (0..INPUTS * classes).map(value).collect();
        // A step's values are the weights of its class.
        let of_class = |class: usize| weights.iter().skip(class).step_by(classes).map(|weight| weight * 0.5);
        let features: Vec<f32> = (0..STEPS).flat_map(|step| of_class(step * 157 % classes)).collect();
        let layer = LinearHead { inputs: INPUTS, classes, weights: weights.clone(), bias: vec![0.0; classes] };
        let head = Head::new(&layer, None);
        criterion.bench_function(&format!("best of {classes} classes for 120 steps"), |b| {
            b.iter(|| head.best(black_box(&features)));
        });
    }
}

criterion_group!(benches, stages, heads);
criterion_main!(benches);
