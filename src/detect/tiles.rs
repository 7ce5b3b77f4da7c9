//! Tiles: pictures too large for one run of the detector are shown to it in parts, whose maps become one.

use std::ops::Range;

use crate::error::Result;
use crate::image::Picture;

/// The sides of what a detector takes are multiples of this: its features are 32 times coarser than the picture.
pub(super) const STRIDE: u32 = 32;

/// Neighbouring tiles show at least so many pixels twice, and each keeps its half of them, so that none decides about a
/// line that it sees a part of. On five labelled pages and a chat in tiles of 640 pixels, 32 left 5.3 % of the text's
/// pixels other than in a single run, and 64 to 256 left 4.1 to 4.7 %, which is what another frame changes anyway.
const OVERLAP: u32 = 128;

/// One run's part of a large input.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Tile {
    /// The part that is shown to the model.
    pub(super) columns: Range<u32>,
    pub(super) rows: Range<u32>,
    /// The part of the map that is kept.
    kept_columns: Range<u32>,
    kept_rows: Range<u32>,
}

impl Tile {
    fn width(&self) -> u32 {
        self.columns.end - self.columns.start
    }

    /// Cuts its part out of the input `shown`.
    pub(super) fn of(&self, shown: &Picture) -> Result<Picture> {
        shown.part(self.columns.clone(), self.rows.clone())
    }

    /// Copies what is kept of the tile's own map to its place in the `width` wide map of all.
    pub(super) fn put<T: Copy>(&self, own: &[T], map: &mut [T], width: usize) {
        let kept = self.kept_columns.start as usize..self.kept_columns.end as usize;
        let from = kept.start - self.columns.start as usize;
        for y in self.kept_rows.clone() {
            let own_row = (y - self.rows.start) as usize * self.width() as usize + from;
            let row = y as usize * width;
            map[row + kept.start..row + kept.end].copy_from_slice(&own[own_row..own_row + kept.len()]);
        }
    }
}

/// Tiles of one size that show all of an input, none with a longer side than `most`, rounded to `STRIDE`, or twice
/// `OVERLAP` where that is longer.
///
/// Their kept parts cover each pixel once.
pub(super) fn cover(width: u32, height: u32, most: u32) -> Vec<Tile> {
    let columns = spans(width, most);
    let rows = spans(height, most);
    let tile = |(rows, kept_rows): &(Range<u32>, Range<u32>)| {
        let rows = (rows.clone(), kept_rows.clone());
        columns.iter().cloned().map(move |(columns, kept_columns)| Tile {
            columns,
            rows: rows.0.clone(),
            kept_columns,
            kept_rows: rows.1.clone(),
        })
    };
    rows.iter().flat_map(tile).collect()
}

/// Returns the stretches along one side that each tile shows and keeps.
fn spans(length: u32, most: u32) -> Vec<(Range<u32>, Range<u32>)> {
    let most = (most.saturating_add(STRIDE / 2) / STRIDE * STRIDE).max(2 * OVERLAP);
    if length <= most {
        return vec![(0..length, 0..length)];
    }
    let count = (length - OVERLAP).div_ceil(most - OVERLAP);
    let side = ((length + (count - 1) * OVERLAP).div_ceil(count)).next_multiple_of(STRIDE).min(most);
    let start = |i: u32| (u64::from(length - side) * u64::from(i) / u64::from(count - 1)) as u32;
    // Between two tiles, in the middle of what both show.
    let border = |i: u32| (start(i) + start(i - 1) + side) / 2;
    (0..count)
        .map(|i| {
            let from = if i == 0 { 0 } else { border(i) };
            let to = if i + 1 == count { length } else { border(i + 1) };
            (start(i)..start(i) + side, from..to)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_run_is_enough_for_what_is_small() {
        for (width, height) in [(32, 32), (1280, 1280), (1280, 32)] {
            let [tile] = &cover(width, height, 1280)[..] else { panic!("{width}x{height} in several tiles") };
            assert_eq!((&tile.columns, &tile.rows), (&tile.kept_columns, &tile.kept_rows));
            assert_eq!((&tile.columns, &tile.rows), (&(0..width), &(0..height)));
        }
    }

    proptest! {
        #[test]
        fn tiles_show_everything_and_keep_it_once(columns in 1u32..24, rows in 1u32..24, most in 256u32..400) {
            let (width, height) = (columns * STRIDE, rows * STRIDE);
            let tiles = cover(width, height, most);
            let size = (tiles[0].columns.len(), tiles[0].rows.len());
            prop_assert!(size.0.max(size.1) <= (most + STRIDE / 2) as usize);
            prop_assert!(size.0.is_multiple_of(STRIDE as usize) && size.1.is_multiple_of(STRIDE as usize));
            let mut map = vec![0; (width * height) as usize];
            for tile in &tiles {
                prop_assert_eq!((tile.columns.len(), tile.rows.len()), size);
                // Each value says where it lies.
                let place = |y: u32| tile.columns.clone().map(move |x| y * width + x);
                let own: Vec<u32> = tile.rows.clone().flat_map(place).collect();
                tile.put(&own, &mut map, width as usize);
            }
            prop_assert!(map.iter().enumerate().all(|(i, &value)| value as usize == i));
            let kept: usize = tiles.iter().map(|tile| tile.kept_columns.len() * tile.kept_rows.len()).sum();
            prop_assert_eq!(kept, map.len());
            for (a, b) in tiles.iter().zip(&tiles[1..]) {
                prop_assert!(a.rows != b.rows || a.columns.end >= b.columns.start + OVERLAP);
            }
        }
    }
}
