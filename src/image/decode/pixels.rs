//! Pictures made of what decoders give, in buffers that may fail.

use image::metadata::Orientation;
use image::{ColorType, DynamicImage, ImageBuffer, ImageDecoder, ImageError, Rgb, RgbImage, Rgba, RgbaImage};

use crate::buffer;
use crate::error::Result;
use crate::image::Picture;
use crate::image::warp::turned;

/// The name of the buffers in messages.
pub(super) const WHAT: &str = "the decoded picture";

/// Runs the decoder. `refuse` says what its error means.
pub(super) fn read(decoder: impl ImageDecoder, refuse: impl Fn(ImageError) -> crate::Error) -> Result<Picture> {
    let ((width, height), colour) = (decoder.dimensions(), decoder.color_type());
    let size = usize::try_from(decoder.total_bytes()).unwrap_or(usize::MAX);
    let mut raw = buffer::filled(size, 0u8, WHAT)?;
    decoder.read_image(&mut raw).map_err(refuse)?;
    match colour {
        ColorType::Rgb8 => Picture::from_rgb(width, height, raw),
        ColorType::L8 => Picture::from_interleaved(width, height, 1, &raw),
        ColorType::La8 => Picture::from_interleaved(width, height, 2, &raw),
        ColorType::Rgba8 => Picture::from_interleaved(width, height, 4, &raw),
        wide => narrowed(width, height, wide, &raw),
    }
}

/// Values of 16 or 32 bits to 8, row by row, so that no other copy of the whole is made.
fn narrowed(width: u32, height: u32, colour: ColorType, raw: &[u8]) -> Result<Picture> {
    let channels = if colour.has_alpha() { 4 } else { 3 };
    let mut pixels = buffer::empty(channels * width as usize * height as usize, WHAT)?;
    for row in raw.chunks_exact(usize::from(colour.bytes_per_pixel()) * width as usize) {
        let row = row_of(width, colour, row).unwrap_or_default();
        pixels.extend(if channels == 4 { row.into_rgba8().into_raw() } else { row.into_rgb8().into_raw() });
    }
    if channels == 3 {
        return Picture::from_rgb(width, height, pixels);
    }
    Picture::from_interleaved(width, height, 4, &pixels)
}

/// Returns a row as a picture of its own; none of a kind that does not exist yet.
fn row_of(width: u32, colour: ColorType, row: &[u8]) -> Option<DynamicImage> {
    let shorts = || row.as_chunks().0.iter().map(|&bytes| u16::from_ne_bytes(bytes)).collect();
    let floats = || row.as_chunks().0.iter().map(|&bytes| f32::from_ne_bytes(bytes)).collect();
    match colour {
        ColorType::L16 => ImageBuffer::from_raw(width, 1, shorts()).map(DynamicImage::ImageLuma16),
        ColorType::La16 => ImageBuffer::from_raw(width, 1, shorts()).map(DynamicImage::ImageLumaA16),
        ColorType::Rgb16 => ImageBuffer::from_raw(width, 1, shorts()).map(DynamicImage::ImageRgb16),
        ColorType::Rgba16 => ImageBuffer::from_raw(width, 1, shorts()).map(DynamicImage::ImageRgba16),
        ColorType::Rgb32F => ImageBuffer::<Rgb<f32>, _>::from_raw(width, 1, floats()).map(DynamicImage::ImageRgb32F),
        ColorType::Rgba32F => ImageBuffer::<Rgba<f32>, _>::from_raw(width, 1, floats()).map(DynamicImage::ImageRgba32F),
        ColorType::Rgb8 => RgbImage::from_raw(width, 1, row.to_vec()).map(DynamicImage::ImageRgb8),
        ColorType::Rgba8 => RgbaImage::from_raw(width, 1, row.to_vec()).map(DynamicImage::ImageRgba8),
        _ => None,
    }
}

/// Returns the picture as a viewer shows it.
pub(super) fn oriented(picture: Picture, orientation: Orientation) -> Result<Picture> {
    let (quarters, is_mirrored) = match orientation {
        Orientation::NoTransforms => (0, false),
        Orientation::Rotate90 => (1, false),
        Orientation::Rotate180 => (2, false),
        Orientation::Rotate270 => (3, false),
        Orientation::FlipHorizontal => (0, true),
        Orientation::FlipVertical => (2, true),
        Orientation::Rotate90FlipH => (1, true),
        Orientation::Rotate270FlipH => (3, true),
    };
    let mut picture = turned(picture, quarters)?;
    if is_mirrored {
        let row = 3 * picture.width as usize;
        for row in picture.pixels.chunks_exact_mut(row) {
            row.reverse();
            row.chunks_exact_mut(3).for_each(<[u8]>::reverse);
        }
    }
    Ok(picture)
}

#[cfg(test)]
mod tests {
    use image::error::{ParameterError, ParameterErrorKind};
    use image::{ImageResult, Luma, LumaA};

    use super::*;

    /// A decoder of a picture that is there.
    struct Ready(DynamicImage);

    impl ImageDecoder for Ready {
        fn dimensions(&self) -> (u32, u32) {
            (self.0.width(), self.0.height())
        }

        fn color_type(&self) -> ColorType {
            self.0.color()
        }

        fn read_image(self, buf: &mut [u8]) -> ImageResult<()> {
            if buf.len() != self.0.as_bytes().len() {
                return Err(ImageError::Parameter(ParameterError::from_kind(ParameterErrorKind::DimensionMismatch)));
            }
            buf.copy_from_slice(self.0.as_bytes());
            Ok(())
        }

        fn read_image_boxed(self: Box<Self>, buf: &mut [u8]) -> ImageResult<()> {
            (*self).read_image(buf)
        }
    }

    fn value(x: u32, y: u32, channel: u32) -> u16 {
        ((x * 7919 + y * 104_729 + channel * 1_299_709) % 65_536) as u16
    }

    /// A picture of each kind of pixels.
    fn of_every_kind() -> Vec<DynamicImage> {
        let (w, h) = (5, 3);
        let short = |x, y| [0, 1, 2, 3].map(|channel| value(x, y, channel));
        let byte = |x, y| short(x, y).map(|value| (value >> 8) as u8);
        let float = |x, y| short(x, y).map(|value| f32::from(value) / 60_000.0 - 0.04);
        vec![
            ImageBuffer::from_fn(w, h, |x, y| Luma([byte(x, y)[0]])).into(),
            ImageBuffer::from_fn(w, h, |x, y| LumaA([byte(x, y)[0], byte(x, y)[1]])).into(),
            ImageBuffer::from_fn(w, h, |x, y| Rgb([byte(x, y)[0], byte(x, y)[1], byte(x, y)[2]])).into(),
            ImageBuffer::from_fn(w, h, |x, y| Rgba(byte(x, y))).into(),
            ImageBuffer::from_fn(w, h, |x, y| Luma([short(x, y)[0]])).into(),
            ImageBuffer::from_fn(w, h, |x, y| LumaA([short(x, y)[0], short(x, y)[1]])).into(),
            ImageBuffer::from_fn(w, h, |x, y| Rgb([short(x, y)[0], short(x, y)[1], short(x, y)[2]])).into(),
            ImageBuffer::from_fn(w, h, |x, y| Rgba(short(x, y))).into(),
            ImageBuffer::from_fn(w, h, |x, y| Rgb([float(x, y)[0], float(x, y)[1], float(x, y)[2]])).into(),
            ImageBuffer::from_fn(w, h, |x, y| Rgba(float(x, y))).into(),
        ]
    }

    /// The plain way, with copies of the whole.
    fn plain(picture: DynamicImage) -> Picture {
        let (width, height) = (picture.width(), picture.height());
        if picture.color().has_alpha() {
            return Picture::from_interleaved(width, height, 4, picture.into_rgba8().as_raw()).unwrap();
        }
        Picture::from_rgb(width, height, picture.into_rgb8().into_raw()).unwrap()
    }

    #[test]
    fn every_kind_of_pixels_is_what_the_plain_way_makes_of_it() {
        for picture in of_every_kind() {
            let colour = picture.color();
            let read = read(Ready(picture.clone()), |error| panic!("{error}")).unwrap();
            assert_eq!(read, plain(picture), "{colour:?}");
        }
    }

    #[test]
    fn every_orientation_is_what_the_plain_way_makes_of_it() {
        let picture = of_every_kind().swap_remove(2);
        for orientation in (1..=8).map(|exif| Orientation::from_exif(exif).unwrap()) {
            let mut expected = picture.clone();
            expected.apply_orientation(orientation);
            assert_eq!(oriented(plain(picture.clone()), orientation).unwrap(), plain(expected), "{orientation:?}");
        }
    }
}
