//! Any quadrilateral of a picture as an upright picture.

use super::Picture;
use super::tensor::{Scaling, Window, resize};
use crate::buffer;
use crate::error::Result;
use crate::geometry::{Point, Quad};

/// The largest distance, in pixels, of a quad's corners from an upright rectangle that is cut out without a warp: less
/// than a pixel, which is finer than the detector's map tells a box.
const UPRIGHT_TOLERANCE: f32 = 0.75;

/// Cuts `quad` out of `picture` and scales it to `width` x `height`.
///
/// Lines of a page that is turned by quarters are cut out like upright ones, and turned after that: no pixel is looked
/// up twice.
///
/// Outside of the picture its border is repeated.
///
/// # Errors
/// [`crate::ErrorKind::Image`] when the quad's part inside of the picture is empty.
pub fn rectify(picture: &Picture, quad: &Quad, width: u32, height: u32) -> Result<Picture> {
    let quarters = quad.quarters();
    if let Some(window) = upright_window(picture, &quad.starting_at(4 - quarters)) {
        let (across, down) = if quarters.is_multiple_of(2) { (width, height) } else { (height, width) };
        let cut = resize(picture, window, across, down, Scaling::Nearest4)?;
        return turned(cut, 4 - quarters);
    }
    let own = warp(picture, quad, sampled(quad.width(), width), sampled(quad.height(), height))?;
    resize(&own, Window::whole(&own), width, height, Scaling::Nearest4)
}

/// Returns the picture turned clockwise by quarters.
///
/// # Errors
/// [`crate::ErrorKind::OutOfMemory`].
pub fn turned(picture: Picture, quarters: usize) -> Result<Picture> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let pixels = picture.pixels();
    let pixel = |x: usize, y: usize| {
        let at = 3 * (y * width + x);
        [pixels[at], pixels[at + 1], pixels[at + 2]]
    };
    match quarters % 4 {
        0 => Ok(picture),
        2 => {
            let all = pixels.chunks_exact(3).rev().flatten().copied();
            let all = buffer::collected(pixels.len(), all, "the turned picture")?;
            Picture::from_rgb(picture.width(), picture.height(), all)
        }
        one_or_three => {
            let mut all = buffer::empty(pixels.len(), "the turned picture")?;
            for x in 0..width {
                let column = (0..height)
                    .map(|y| if one_or_three == 1 { pixel(x, height - 1 - y) } else { pixel(width - 1 - x, y) });
                all.extend(column.flatten());
            }
            Picture::from_rgb(picture.height(), picture.width(), all)
        }
    }
}

/// A warped line has its own size, which keeps what the picture shows of it, up to this multiple of the target's: a
/// region as large as a page costs no more than a line.
const OVERSAMPLING: u32 = 2;

fn sampled(own: f32, target: u32) -> u32 {
    (own.round().max(1.0) as u32).min(target.saturating_mul(OVERSAMPLING))
}

fn upright_window(picture: &Picture, quad: &Quad) -> Option<Window> {
    let (left, top, right, bottom) = quad.bounds();
    let upright = Quad::upright(left, top, right, bottom);
    let near = quad.0.iter().zip(upright.0).all(|(a, b)| a.distance(b) <= UPRIGHT_TOLERANCE);
    let (left, top) = (f64::from(left).max(0.0), f64::from(top).max(0.0));
    let (right, bottom) =
        (f64::from(right).min(picture.width().into()), f64::from(bottom).min(picture.height().into()));
    let (width, height) = (right - left, bottom - top);
    (near && width >= 1.0 && height >= 1.0).then_some(Window { left, top, width, height })
}

/// The projective map from the unit square to a quad, after Heckbert, "Fundamentals of Texture Mapping and Image
/// Warping" (1989), section 2.2.3.
struct Projection {
    x: [f32; 3],
    y: [f32; 3],
    w: [f32; 2],
}

impl Projection {
    fn new(quad: &Quad) -> Self {
        let [p0, p1, p2, p3] = quad.0;
        let (dx1, dx2, sx) = (p1.x - p2.x, p3.x - p2.x, p0.x - p1.x + p2.x - p3.x);
        let (dy1, dy2, sy) = (p1.y - p2.y, p3.y - p2.y, p0.y - p1.y + p2.y - p3.y);
        let determinant = dx1 * dy2 - dx2 * dy1;
        // A quad without area has no perspective; its affine part still gives every pixel a place.
        let (g, h) = if determinant.abs() < 1e-6 {
            (0.0, 0.0)
        } else {
            ((sx * dy2 - dx2 * sy) / determinant, (dx1 * sy - sx * dy1) / determinant)
        };
        Self {
            x: [p1.x - p0.x + g * p1.x, p3.x - p0.x + h * p3.x, p0.x],
            y: [p1.y - p0.y + g * p1.y, p3.y - p0.y + h * p3.y, p0.y],
            w: [g, h],
        }
    }

    fn at(&self, u: f32, v: f32) -> Point {
        let w = self.w[0] * u + self.w[1] * v + 1.0;
        let w = if w.abs() < 1e-6 { 1e-6 } else { w };
        Point::new((self.x[0] * u + self.x[1] * v + self.x[2]) / w, (self.y[0] * u + self.y[1] * v + self.y[2]) / w)
    }
}

fn warp(picture: &Picture, quad: &Quad, width: u32, height: u32) -> Result<Picture> {
    let projection = Projection::new(quad);
    let mut pixels = buffer::empty(width as usize * height as usize * 3, "a line")?;
    for y in 0..height {
        let v = (y as f32 + 0.5) / height as f32;
        for x in 0..width {
            let u = (x as f32 + 0.5) / width as f32;
            pixels.extend(sample(picture, projection.at(u, v)));
        }
    }
    Picture::from_rgb(width, height, pixels)
}

/// Returns the bicubic look-up (Keys 1981, a = -0.5) at a point of the picture's frame, where pixel centres lie at
/// halves.
///
/// Pages that were scanned askew spend as much time here as in the detector: rows are summed first, which takes 60
/// products instead of 96, and only points near the border look up their pixels one by one.
fn sample(picture: &Picture, point: Point) -> [u8; 3] {
    let (right, bottom) = (picture.width() as i32 - 1, picture.height() as i32 - 1);
    // The clamp also keeps the casts below in range, whatever the point.
    let x = (point.x - 0.5).clamp(-1.0, right as f32 + 1.0);
    let y = (point.y - 0.5).clamp(-1.0, bottom as f32 + 1.0);
    // Rounds down, since nothing is below -1; `floor` is a call into a library on processors of the common baseline.
    let (column, row) = ((x + 1.0) as i32 - 1, (y + 1.0) as i32 - 1);
    let (across, down) = (weights(x - column as f32), weights(y - row as f32));
    let inside = column >= 1 && column + 2 <= right;
    let mut sum = [0.0f32; 3];
    for (dy, wy) in (-1..).zip(down) {
        let line = (row + dy).clamp(0, bottom) as usize * picture.width() as usize;
        let four =
            if inside { neighbours(picture, line + column as usize - 1) } else { near_border(picture, line, column) };
        let mut total = [0.0f32; 3];
        for (pixel, wx) in four.chunks_exact(3).zip(across) {
            for (total, &value) in total.iter_mut().zip(pixel) {
                *total += wx * f32::from(value);
            }
        }
        for (sum, total) in sum.iter_mut().zip(total) {
            *sum += wy * total;
        }
    }
    // `as` saturates, so overshoot of the kernel ends at 0 and 255.
    sum.map(|value| (value + 0.5) as u8)
}

/// Returns four pixels side by side, from the one at `index` on.
fn neighbours(picture: &Picture, index: usize) -> [u8; 12] {
    let mut four = [0; 12];
    four.copy_from_slice(&picture.pixels()[3 * index..3 * index + 12]);
    four
}

/// Returns the same of the row that begins at the pixel `line`, around `column`; beyond the picture its border repeats.
fn near_border(picture: &Picture, line: usize, column: i32) -> [u8; 12] {
    let right = picture.width() as i32 - 1;
    let mut four = [0; 12];
    for (pixel, dx) in four.chunks_exact_mut(3).zip(-1..) {
        let at = 3 * (line + (column + dx).clamp(0, right) as usize);
        pixel.copy_from_slice(&picture.pixels()[at..at + 3]);
    }
    four
}

fn weights(t: f32) -> [f32; 4] {
    const A: f32 = -0.5;
    let near = |d: f32| ((A + 2.0) * d - (A + 3.0)) * d * d + 1.0;
    let far = |d: f32| ((A * d - 5.0 * A) * d + 8.0 * A) * d - 4.0 * A;
    [far(t + 1.0), near(t), near(1.0 - t), far(2.0 - t)]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn gradient(width: u32, height: u32) -> Picture {
        let pixels = (0..height).flat_map(|y| (0..width).flat_map(move |x| [x as u8, y as u8, 100]));
        Picture::from_rgb(width, height, pixels.collect()).expect("a picture")
    }

    #[test]
    fn a_quarter_turn_moves_the_corners() {
        let picture = gradient(40, 20);
        // Read upwards along the left edge: the text's top left is the picture's bottom left.
        let quad = Quad::upright(0.0, 0.0, 40.0, 20.0).starting_at(3);
        let turned = rectify(&picture, &quad, 20, 40).expect("inside");
        assert_eq!(turned.pixels()[..2], [0, 19]);
        assert_eq!(turned.pixels()[19 * 3..19 * 3 + 2], [0, 0]);
    }

    #[test]
    fn a_picture_turned_four_times_by_a_quarter_is_itself() {
        let picture = gradient(3, 2);
        let once = turned(picture.clone(), 1).expect("turned");
        assert_eq!((once.width(), once.height()), (2, 3));
        assert_eq!(once.pixels()[..6], [0, 1, 100, 0, 0, 100], "its left column is the top row");
        for quarters in 0..4 {
            let by_one = (0..quarters).try_fold(picture.clone(), |picture, _| turned(picture, 1)).expect("turned");
            assert_eq!(turned(picture.clone(), quarters).expect("turned"), by_one);
            assert_eq!(turned(by_one, 4 - quarters).expect("turned"), picture);
        }
    }

    #[test]
    fn outside_of_the_picture_its_border_repeats() {
        let picture = gradient(10, 10);
        let quad =
            Quad([(-30.0, -30.0), (-20.0, -25.0), (-20.0, -15.0), (-30.0, -20.0)].map(|(x, y)| Point::new(x, y)));
        let cut = rectify(&picture, &quad, 5, 5).expect("a picture");
        assert!(cut.pixels().chunks_exact(3).all(|p| p == [0, 0, 100]));
    }

    #[test]
    fn a_box_whose_width_rounds_up_beyond_the_edge_is_cut_out() {
        // In f32, 300 - 14.883068 is a little more than it is.
        let picture = Picture::from_rgb(300, 300, vec![7; 3 * 300 * 300]).expect("a picture");
        for quarters in 0..4 {
            for quad in [Quad::upright(14.883_068, 9.0, 300.0, 40.0), Quad::upright(9.0, 14.883_068, 40.0, 300.0)] {
                rectify(&picture, &quad.starting_at(quarters), 48, 48).expect("inside");
            }
        }
    }

    /// The definition: sixteen pixels, each with its weight.
    fn plain_sample(picture: &Picture, point: Point) -> [f32; 3] {
        let (right, bottom) = (picture.width() as i32 - 1, picture.height() as i32 - 1);
        let (x, y) = (point.x - 0.5, point.y - 0.5);
        let (column, row) = (x.floor() as i32, y.floor() as i32);
        let (across, down) = (weights(x - column as f32), weights(y - row as f32));
        let mut sum = [0.0f32; 3];
        for (dy, wy) in (-1..).zip(down) {
            for (dx, wx) in (-1..).zip(across) {
                let at = (row + dy).clamp(0, bottom) * (right + 1) + (column + dx).clamp(0, right);
                for (sum, &value) in sum.iter_mut().zip(&picture.pixels()[3 * at as usize..]) {
                    *sum += wx * wy * f32::from(value);
                }
            }
        }
        sum
    }

    proptest! {
        #[test]
        fn a_sample_is_what_the_definition_says(
            width in 1u32..9, height in 1u32..9, x in -0.4f32..9.4, y in -0.4f32..9.4, seed in 1u32..1000,
        ) {
            let (x, y) = (x.min(width as f32 + 0.4), y.min(height as f32 + 0.4));
            let pixels = (0..3 * width * height).map(|i| (i.wrapping_mul(seed).wrapping_mul(2_654_435_761) >> 24) as u8);
            let picture = Picture::from_rgb(width, height, pixels.collect()).expect("a picture");
            let (fast, plain) = (sample(&picture, Point::new(x, y)), plain_sample(&picture, Point::new(x, y)));
            for (fast, plain) in fast.into_iter().zip(plain) {
                prop_assert!((f32::from(fast) - plain.clamp(0.0, 255.0)).abs() < 0.51, "{fast} is not {plain}");
            }
        }

        #[test]
        fn any_quad_gives_a_picture_of_the_size_asked_for(
            raw in prop::array::uniform8(-80f32..120.0), width in 1u32..30, height in 1u32..30,
        ) {
            let quad = Quad([0, 2, 4, 6].map(|i| Point::new(raw[i], raw[i + 1])));
            let cut = rectify(&gradient(40, 30), &quad, width, height).expect("a picture");
            prop_assert_eq!((cut.width(), cut.height()), (width, height));
        }

        #[test]
        fn a_box_that_reaches_an_edge_is_cut_out(
            width in 2u32..2000, height in 2u32..2000, left in 0f32..1.0, top in 0f32..1.0, quarters in 0usize..4,
        ) {
            let picture = Picture::from_rgb(width, height, vec![7; (3 * width * height) as usize]).expect("a picture");
            let (right, bottom) = (width as f32, height as f32);
            let quad = Quad::upright(left * (right - 1.0), top * (bottom - 1.0), right, bottom).starting_at(quarters);
            let cut = rectify(&picture, &quad, 9, 5).expect("inside");
            prop_assert!(cut.pixels().iter().all(|&value| value == 7));
        }

        #[test]
        fn the_fast_way_and_the_warp_agree(
            left in 0u32..10, top in 0u32..10, w in 4u32..20, h in 4u32..20, quarters in 0usize..4,
        ) {
            let picture = gradient(40, 40);
            let (l, t) = (left as f32, top as f32);
            let quad = Quad::upright(l, t, l + w as f32, t + h as f32).starting_at(quarters);
            let (w, h) = if quarters.is_multiple_of(2) { (w, h) } else { (h, w) };
            let fast = rectify(&picture, &quad, w, h).expect("inside");
            let plain = warp(&picture, &quad, w, h).expect("inside");
            prop_assert!(fast.pixels().iter().zip(plain.pixels()).all(|(a, b)| a.abs_diff(*b) <= 1));
        }
    }
}
