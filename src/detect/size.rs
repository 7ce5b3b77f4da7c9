//! The size of a picture's characters, judged without a model.

use super::db;
use crate::buffer;
use crate::error::Result;
use crate::image::Picture;

/// A pixel is ink when it is this much darker than the mean around it. Paper's grain is below it on the scans that were
/// looked at, thin grey print above.
const CONTRAST: u32 = 18;

/// The mean around a pixel is that of a square that reaches this far: wider than a stroke, narrower than a shadow.
const REACH: usize = 12;

/// Fewer parts that could be characters say nothing about a page.
const ENOUGH: usize = 100;

/// The characters of a page are of about one height. Where the upper quartile is more than so many times the lower one,
/// the parts are something else. So it is on all of 20 street scenes, which lost .009 of token F1 when they were judged
/// all the same, on 5 of 20 receipts and 2 of 20 forms, and on no book, typescript or Chinese document.
const MOST_SPREAD: u32 = 2;

/// Returns the height that characters have in a picture, in pixels, and rather less than too much: between the lower
/// quartile and the median of all parts that could be a character. Most of these have no ascender, so a line with its
/// outline is about twice as high.
///
/// `None` where few parts look like characters, or their heights differ much. Light text on a dark ground is judged by
/// the holes in it, which are smaller than the characters.
///
/// # Errors
/// [`crate::ErrorKind::OutOfMemory`].
pub(super) fn character_height(picture: &Picture) -> Result<Option<f32>> {
    let mut heights: Vec<u32> = db::parts(&ink(picture)?, picture.width() as usize)?
        .iter()
        .filter(|part| part.could_be_a_character())
        .map(|part| part.height())
        .collect();
    if heights.len() < ENOUGH {
        return Ok(None);
    }
    heights.sort_unstable();
    let quartile = |quarters: usize| heights[quarters * heights.len() / 4];
    let alike = quartile(3) <= MOST_SPREAD * quartile(1);
    Ok(alike.then(|| (quartile(1) + quartile(2)) as f32 / 2.0))
}

impl db::Component {
    /// Returns true for what is neither a speck nor a rule, a frame or a photograph.
    fn could_be_a_character(&self) -> bool {
        let (width, height) = (self.width(), self.height());
        let box_share = 0.15 * (width * height) as f32;
        (4..=80).contains(&height) && (2..=3 * height).contains(&width) && self.area as f32 >= box_share.max(8.0)
    }
}

/// Marks the pixels that are darker than those around them with 1.
fn ink(picture: &Picture) -> Result<Vec<u8>> {
    let (width, height) = (picture.width() as usize, picture.height() as usize);
    let grey = picture
        .pixels()
        .chunks_exact(3)
        .map(|pixel| ((u16::from(pixel[0]) + 2 * u16::from(pixel[1]) + u16::from(pixel[2])) / 4) as u8);
    let grey = buffer::collected(width * height, grey, "the picture in grey")?;
    let row = |y: usize| &grey[y * width..(y + 1) * width];
    // Sums over the rows that the square around the current one covers, one a column.
    let mut columns = vec![0u32; width];
    let mut bits = buffer::empty(grey.len(), "the picture's ink")?;
    (0..REACH.min(height)).for_each(|y| add(&mut columns, row(y)));
    for y in 0..height {
        if y + REACH < height {
            add(&mut columns, row(y + REACH));
        }
        if y > REACH {
            columns.iter_mut().zip(row(y - REACH - 1)).for_each(|(sum, &value)| *sum -= u32::from(value));
        }
        let rows = (y + REACH + 1).min(height) - y.saturating_sub(REACH);
        darker(row(y), &columns, rows as u32, &mut bits);
    }
    Ok(bits)
}

fn add(columns: &mut [u32], row: &[u8]) {
    columns.iter_mut().zip(row).for_each(|(sum, &value)| *sum += u32::from(value));
}

/// Appends the bits of one row; `columns` are sums over `rows` rows.
fn darker(row: &[u8], columns: &[u32], rows: u32, bits: &mut Vec<u8>) {
    let width = row.len();
    let (mut sum, mut count) = (columns[..REACH.min(width)].iter().sum::<u32>(), REACH.min(width) as u32);
    for (x, &value) in row.iter().enumerate() {
        if x + REACH < width {
            sum += columns[x + REACH];
            count += 1;
        }
        if x > REACH {
            sum -= columns[x - REACH - 1];
            count -= 1;
        }
        bits.push(u8::from((u32::from(value) + CONTRAST) * count * rows < sum));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// White, with as many dark marks as fit, each so wide and high, as far apart as they are large.
    fn marked(width: u32, height: u32, (w, h): (u32, u32)) -> Picture {
        let is_dark = |x: u32, y: u32| x % (2 * w) < w && y % (2 * h) < h;
        let grey = |i: u32| if is_dark(i % width, i / width) { 40 } else { 230 };
        Picture::from_rgb(width, height, (0..width * height).flat_map(|i| [grey(i); 3]).collect()).expect("a picture")
    }

    #[test]
    fn characters_are_as_high_as_they_are_drawn() {
        for (size, found) in
            [((6, 9), Some(9.0)), ((10, 14), Some(14.0)), ((2, 3), None), ((60, 9), None), ((60, 90), None)]
        {
            assert_eq!(character_height(&marked(400, 400, size)).expect("memory"), found, "{size:?}");
        }
        assert_eq!(character_height(&marked(40, 40, (6, 9))).expect("memory"), None, "too few");
        // Small marks and large ones side by side.
        let (small, large) = (marked(400, 400, (4, 5)), marked(400, 400, (20, 30)));
        let both = small.pixels().iter().chain(large.pixels()).copied().collect();
        let both = Picture::from_rgb(400, 800, both).expect("a picture");
        assert_eq!(character_height(&both).expect("memory"), Some(5.0), "most are small");
        let (small, large) = (marked(400, 100, (4, 5)), marked(400, 800, (12, 16)));
        let both = small.pixels().iter().chain(large.pixels()).copied().collect();
        assert_eq!(
            character_height(&Picture::from_rgb(400, 900, both).expect("a picture")).expect("memory"),
            None,
            "of two heights"
        );
        let blank = Picture::from_rgb(300, 300, vec![200; 300 * 300 * 3]).expect("a picture");
        assert_eq!(character_height(&blank).expect("memory"), None);
    }

    proptest! {
        #[test]
        fn ink_is_what_the_definition_says(width in 1usize..40, height in 1usize..40, seed in 1u32..1000) {
            let value = |i: u32| (i.wrapping_mul(seed).wrapping_mul(2_654_435_761) >> 24) as u8;
            let pixels: Vec<u8> = (0..(width * height) as u32).flat_map(|i| [value(i); 3]).collect();
            let picture = Picture::from_rgb(width as u32, height as u32, pixels).expect("a picture");
            let found = ink(&picture).expect("memory");
            for (i, &bit) in found.iter().enumerate() {
                let (x, y) = (i % width, i / width);
                let rows = y.saturating_sub(REACH)..(y + REACH + 1).min(height);
                let square = || rows.clone().flat_map(|y| (x.saturating_sub(REACH)..(x + REACH + 1).min(width)).map(move |x| (x, y)));
                let sum: u32 = square().map(|(x, y)| u32::from(value((y * width + x) as u32))).sum();
                let mean = f64::from(sum) / square().count() as f64;
                prop_assert_eq!(bit == 1, f64::from(value(i as u32)) + f64::from(CONTRAST) < mean);
            }
        }
    }
}
