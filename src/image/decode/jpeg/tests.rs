use std::io::Cursor;

use image::{ImageFormat, Rgb, RgbImage};

use super::*;
use crate::image::decode::decode;
use crate::options::DecodeLimits;

/// A picture of 50x40 pixels that no code makes short.
fn noise() -> Vec<u8> {
    let value = |seed: u32| (seed.wrapping_mul(2_654_435_761) >> 24) as u8;
    let pixel = |x: u32, y: u32| Rgb([value(x + 97 * y), value(x * 3 + y), value(x + 7 * y)]);
    let mut file = Cursor::new(Vec::new());
    RgbImage::from_fn(50, 40, pixel).write_to(&mut file, ImageFormat::Jpeg).expect("a JPEG");
    file.into_inner()
}

fn complete(file: &[u8]) -> Result<Cow<'_, [u8]>> {
    completed(file, "JPEG", u64::MAX)
}

#[test]
fn a_file_is_whole_with_and_without_a_mark_at_its_end() {
    let file = noise();
    assert_eq!(complete(&file).expect("whole"), file);
    let without_mark = &file[..file.len() - 2];
    assert_eq!(complete(without_mark).expect("whole"), file, "the mark is added");
    let with_more = [&file[..], b"of no use \xff\xd8"].concat();
    assert_eq!(complete(&with_more).expect("whole"), with_more);
    let limits = DecodeLimits::default();
    let picture = decode(&file, &limits).expect("a picture");
    for other in [without_mark, &with_more] {
        assert_eq!(decode(other, &limits).expect("a picture"), picture);
    }
}

#[test]
fn a_file_that_is_cut_anywhere_is_refused() {
    let file = noise();
    let mut last = String::new();
    for length in 3..file.len() - 2 {
        let error = decode(&file[..length], &DecodeLimits::default()).expect_err("cut");
        assert!(error.to_string().contains("damaged") && error.hint().is_some(), "{error}");
        let ended = [&file[..length], &END].concat();
        let error = decode(&ended, &DecodeLimits::default()).expect_err("cut, with a mark at the end");
        assert!(error.hint().is_some(), "{error}");
        last = error.to_string();
    }
    assert!(last.contains("cut off after 32 of its 40 rows"), "{last}");
}

#[test]
fn data_that_is_no_code_is_damaged() {
    let mut file = noise();
    let end = file.len() - 2;
    // No code of the encoder's tables has 16 bits of ones; a 0 follows each 255 of data.
    file.splice(end - 200..end, [0xff, 0].repeat(100));
    let text = complete(&file).expect_err("damaged").to_string();
    assert!(text.contains("makes no sense from row"), "{text}");
}

#[test]
fn kinds_that_are_not_read_are_called_by_their_names() {
    let file = noise();
    let at = file.windows(2).position(|pair| pair == [0xff, 0xc0]).expect("a frame");
    for (marker, bits, name) in
        [(0xc3, 8, "lossless"), (0xc9, 8, "arithmetic coding"), (0xc1, 12, "samples of 12 bits"), (0xf7, 8, "JPEG-LS")]
    {
        let mut other = file.clone();
        (other[at + 1], other[at + 4]) = (marker, bits);
        let error = decode(&other, &DecodeLimits::default()).expect_err(name);
        assert!(error.to_string().contains(name) && error.hint().is_some(), "{error}");
    }
}
