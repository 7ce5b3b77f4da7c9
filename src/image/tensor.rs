//! Pictures to the number arrays that the models take.

use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::Picture;
use crate::buffer;
use crate::error::{Error, ErrorKind, Result};

/// An upright part of a picture in pixels; edges may lie between pixels.
///
/// The scaler adds a width to its left edge in f64. Widths are taken in f64 too: rounded to f32 they would reach up to
/// 1.5e-5 pixels beyond the picture's edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Window {
    /// Left edge.
    pub left: f64,
    /// Top edge.
    pub top: f64,
    /// Width, more than 0.
    pub width: f64,
    /// Height, more than 0.
    pub height: f64,
}

impl Window {
    /// Returns the whole of `picture`.
    pub fn whole(picture: &Picture) -> Self {
        Self { left: 0.0, top: 0.0, width: picture.width().into(), height: picture.height().into() }
    }
}

/// The weights of pixels between pixels, or of many pixels in one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scaling {
    /// A triangle filter as wide as the scale asks for: nothing is skipped when a picture shrinks a lot.
    Smooth,
    /// Bilinear between the four nearest pixels, as PP-OCR models saw it in training: it keeps thin strokes sharp.
    Nearest4,
}

impl Scaling {
    fn algorithm(self) -> ResizeAlg {
        match self {
            Self::Smooth => ResizeAlg::Convolution(FilterType::Bilinear),
            Self::Nearest4 => ResizeAlg::Interpolation(FilterType::Bilinear),
        }
    }
}

/// Scales the `window` of `picture` to `width` x `height`.
///
/// # Errors
/// [`ErrorKind::Image`] when the window is empty or not inside of the picture, [`ErrorKind::OutOfMemory`].
pub fn resize(picture: &Picture, window: Window, width: u32, height: u32, scaling: Scaling) -> Result<Picture> {
    let whole = window == Window::whole(picture);
    if whole && (width, height) == (picture.width(), picture.height()) {
        let pixels = buffer::copied(picture.pixels(), "the scaled picture")?;
        return Picture::from_rgb(width, height, pixels);
    }
    let mut pixels = buffer::filled(width as usize * height as usize * 3, 0, "the scaled picture")?;
    // Room for the picture that is scaled across and not yet down.
    buffer::check_room(3 * u64::from(width) * window.height.ceil() as u64, "scaling the picture")?;
    let failed = |error: &dyn std::fmt::Display| {
        let size = (picture.width(), picture.height());
        Error::new(
            ErrorKind::Image,
            format!("cannot scale {window:?} of a {size:?} picture to {width}x{height}: {error}"),
        )
    };
    let source = ImageRef::new(picture.width(), picture.height(), picture.pixels(), PixelType::U8x3)
        .map_err(|error| failed(&error))?;
    let mut target =
        Image::from_slice_u8(width, height, &mut pixels, PixelType::U8x3).map_err(|error| failed(&error))?;
    let options =
        ResizeOptions::new().resize_alg(scaling.algorithm()).crop(window.left, window.top, window.width, window.height);
    Resizer::new().resize(&source, &mut target, &options).map_err(|error| failed(&error))?;
    Picture::from_rgb(width, height, pixels)
}

/// Returns a `1 x 3 x height x width` array, planes in the order blue, green, red, values from -1 to 1: what PP-OCR
/// models are trained on. Columns to the right of the picture are 0.
///
/// # Errors
/// [`ErrorKind::Internal`] when `width` is less than the picture's, [`ErrorKind::OutOfMemory`].
pub fn to_bgr_planes(picture: &Picture, width: usize) -> Result<Vec<f32>> {
    let (own, height) = (picture.width() as usize, picture.height() as usize);
    if width < own {
        return Err(Error::new(ErrorKind::Internal, format!("a {own} pixel wide picture in a {width} wide tensor")));
    }
    let plane = width * height;
    let mut data = buffer::filled(3 * plane, 0.0, "a model's input")?;
    let (blue, rest) = data.split_at_mut(plane);
    let (green, red) = rest.split_at_mut(plane);
    for (y, row) in picture.pixels().chunks_exact(own * 3).enumerate() {
        let span = y * width..y * width + own;
        let planes = blue[span.clone()].iter_mut().zip(&mut green[span.clone()]).zip(&mut red[span]);
        for (pixel, ((b, g), r)) in row.chunks_exact(3).zip(planes) {
            *r = normalised(pixel[0]);
            *g = normalised(pixel[1]);
            *b = normalised(pixel[2]);
        }
    }
    Ok(data)
}

fn normalised(value: u8) -> f32 {
    f32::from(value) * (2.0 / 255.0) - 1.0
}

/// The mean and the standard deviation of red, green and blue in ImageNet's pictures, where 1 is white.
const IMAGENET: [(f32, f32); 3] = [(0.485, 0.229), (0.456, 0.224), (0.406, 0.225)];

/// Returns a `1 x 3 x height x width` array, planes in the order red, green, blue, each with its mean in ImageNet's
/// pictures taken away and divided by its deviation: what classifiers of PaddleClas are trained on.
///
/// # Errors
/// [`ErrorKind::OutOfMemory`].
pub fn to_imagenet_planes(picture: &Picture) -> Result<Vec<f32>> {
    let pixels = picture.pixels();
    let values = IMAGENET.iter().enumerate().flat_map(|(channel, (mean, deviation))| {
        pixels.iter().skip(channel).step_by(3).map(move |&value| (f32::from(value) / 255.0 - mean) / deviation)
    });
    buffer::collected(pixels.len(), values, "a model's input")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn planes_are_blue_green_red_and_padded() {
        let picture = Picture::from_rgb(1, 2, vec![255, 0, 51, 0, 255, 204]).expect("a picture");
        let data = to_bgr_planes(&picture, 2).expect("wide enough");
        assert_eq!(data.len(), 12);
        let expected = [-0.6, 0.0, 0.6, 0.0, -1.0, 0.0, 1.0, 0.0, 1.0, 0.0, -1.0, 0.0];
        for (found, expected) in data.iter().zip(expected) {
            assert!((found - expected).abs() < 1e-6, "{data:?}");
        }
        assert!(to_bgr_planes(&picture, 0).is_err());
    }

    #[test]
    fn imagenet_s_planes_are_red_green_blue_around_their_means() {
        let picture = Picture::from_rgb(2, 1, vec![124, 116, 104, 255, 0, 51]).expect("a picture");
        let data = to_imagenet_planes(&picture).expect("memory");
        let expected = [0.0, 2.2489, 0.0, -2.0357, 0.0, -0.9156];
        assert!(
            data.len() == 6 && data.iter().zip(expected).all(|(found, known)| (found - known).abs() < 0.01),
            "{data:?}"
        );
    }

    #[test]
    fn a_window_outside_is_an_error() {
        let picture = Picture::from_rgb(4, 4, vec![9; 48]).expect("a picture");
        let window = Window { left: 2.0, top: 0.0, width: 3.0, height: 4.0 };
        assert_eq!(resize(&picture, window, 2, 2, Scaling::Smooth).expect_err("outside").kind(), ErrorKind::Image);
    }

    proptest! {
        #[test]
        fn an_even_picture_stays_even(
            w in 1u32..40, h in 1u32..40, to_w in 1u32..60, to_h in 1u32..60, value in any::<u8>(),
        ) {
            let picture = Picture::from_rgb(w, h, vec![value; (w * h * 3) as usize]).expect("a picture");
            for scaling in [Scaling::Smooth, Scaling::Nearest4] {
                let scaled = resize(&picture, Window::whole(&picture), to_w, to_h, scaling).expect("inside");
                prop_assert_eq!((scaled.width(), scaled.height()), (to_w, to_h));
                prop_assert!(scaled.pixels().iter().all(|&v| v.abs_diff(value) <= 1));
            }
        }
    }
}
