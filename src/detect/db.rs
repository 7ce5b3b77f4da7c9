//! Differentiable Binarization's post-processing: a probability map to boxes.
//!
//! After Liao et al., "Real-time Scene Text Detection with Differentiable Binarization" (2020): the map is cut at a
//! threshold, each connected part gets its smallest rectangle, and the rectangle grows by area x ratio / perimeter.

use super::region::Region;
use crate::buffer;
use crate::error::Result;
use crate::geometry::{Point, RotatedRect, convex_hull, min_area_rect};
use crate::options::DetectOptions;
use crate::stop::Stop;

/// Parts thinner than this, in pixels of the map, are noise.
const MIN_SIDE: f32 = 3.0;

/// The name of the parts of a map in messages.
const WHAT: &str = "the parts of the picture";

/// Of parts that are so many times as long as high, only the pixels that belong to text are judged. Where dots lead
/// from a title to a page number, the part is thin between its ends, and the rectangle around it mostly empty: of three
/// drawn pages of five such lines, two lost four and five of them. With 8, five texts more are found on 60 scenes,
/// forms and receipts, curved ones that are read poorly: scenes had .617 instead of .631, which they keep with 16.
const LONG: f32 = 16.0;

/// So much of such a rectangle has to belong to text. The dots alone fill about a third of it.
const LEAST_SHARE: f32 = 0.25;

/// Regions of a probability map with rows of `width` values, in the map's pixels; the first `max_regions` by the row in
/// which they begin.
///
/// The map's size alone bounds time and memory, whatever is on it: parts do not touch, so there are few large ones. Of
/// a dozen hostile maps of 1280 x 1280 values the worst, corners inside of corners, took 0.3 s, and the one with the
/// most parts, single pixels, 0.1 s; an empty one takes 2 ms. Of the largest, 384 x 41664 values, corners took 4.8 s
/// and single pixels 1.9 s: so `stop` is asked before each part.
///
/// # Errors
/// Those of [`Stop::check`].
pub fn regions(map: &[f32], width: usize, options: &DetectOptions, stop: &Stop) -> Result<Vec<Region>> {
    let runs = runs(map, width, options.threshold)?;
    let mut found = Vec::new();
    for mut outline in outlines(&runs)? {
        if found.len() == options.max_regions {
            break;
        }
        stop.check()?;
        let Some(rect) = min_area_rect(&convex_hull(&mut outline)) else { continue };
        found.extend(region(map, width, &rect, options));
    }
    Ok(found)
}

fn region(map: &[f32], width: usize, rect: &RotatedRect, options: &DetectOptions) -> Option<Region> {
    if rect.width.min(rect.height) < MIN_SIDE {
        return None;
    }
    let mut score = mean_inside(map, width, rect, |_| true).mean;
    if score < options.box_threshold && rect.width.max(rect.height) >= LONG * rect.width.min(rect.height) {
        let set = mean_inside(map, width, rect, |value| value > options.threshold);
        // Bounded below, so that a frame is not taken for a line.
        score = if set.share >= LEAST_SHARE { set.mean } else { score };
    }
    let is_doubtful = score < options.box_threshold;
    if is_doubtful && score < options.doubtful_threshold {
        return None;
    }
    let grown = rect.expanded(rect.area() * options.unclip_ratio / rect.perimeter());
    Some(Region { quad: grown.corners(), score, is_doubtful })
}

/// Neighbouring set pixels of one row: columns `start` to `end` inclusive.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Run {
    row: u32,
    start: u32,
    end: u32,
}

/// Runs of the thresholded map, each pixel grown by one to the right and below.
///
/// The growth joins parts that one pixel separates, and makes a part's pixel indices span its full extent: from the
/// left edge of the first pixel to the right edge of the last.
fn runs(map: &[f32], width: usize, threshold: f32) -> Result<Vec<Run>> {
    let mut runs = Vec::new();
    let (mut above, mut here, mut grown) = (vec![0u8; width], vec![0u8; width], vec![0u8; width]);
    for (row, values) in map.chunks_exact(width).enumerate() {
        for (bit, &value) in here.iter_mut().zip(values) {
            *bit = u8::from(value > threshold);
        }
        grown[0] = here[0] | above[0];
        for x in 1..width {
            grown[x] = here[x] | here[x - 1] | above[x] | above[x - 1];
        }
        append_runs(&mut runs, row as u32, &grown)?;
        std::mem::swap(&mut above, &mut here);
    }
    Ok(runs)
}

fn append_runs(runs: &mut Vec<Run>, row: u32, bits: &[u8]) -> Result<()> {
    // A row has no more: between two of them is a pixel.
    buffer::reserve(runs, bits.len().div_ceil(2), WHAT)?;
    let mut x = 0;
    while let Some(start) = bits[x..].iter().position(|&bit| bit != 0).map(|offset| x + offset) {
        let end = bits[start..].iter().position(|&bit| bit == 0).map_or(bits.len(), |offset| start + offset);
        runs.push(Run { row, start: start as u32, end: end as u32 - 1 });
        x = end;
    }
    Ok(())
}

/// The extent of a connected part in pixels, both ends included, and how many pixels it has.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Component {
    left: u32,
    right: u32,
    top: u32,
    bottom: u32,
    pub(super) area: u32,
}

impl Component {
    pub(super) fn width(&self) -> u32 {
        self.right - self.left + 1
    }

    pub(super) fn height(&self) -> u32 {
        self.bottom - self.top + 1
    }

    fn joined(self, other: Self) -> Self {
        Self {
            left: self.left.min(other.left),
            right: self.right.max(other.right),
            top: self.top.min(other.top),
            bottom: self.bottom.max(other.bottom),
            area: self.area + other.area,
        }
    }
}

/// Returns the connected parts of set pixels, in rows of `width`.
///
/// # Errors
/// [`crate::ErrorKind::OutOfMemory`].
pub(super) fn parts(bits: &[u8], width: usize) -> Result<Vec<Component>> {
    let mut runs = Vec::new();
    bits.chunks_exact(width).enumerate().try_for_each(|(row, bits)| append_runs(&mut runs, row as u32, bits))?;
    let mut parents = connected(&runs)?;
    let of_run = |&Run { row, start, end }: &Run| Component {
        left: start,
        right: end,
        top: row,
        bottom: row,
        area: end - start + 1,
    };
    let mut parts = buffer::collected(runs.len(), runs.iter().map(of_run), WHAT)?;
    // A part's first run leads it, and gathers the others.
    for i in 0..runs.len() {
        let root = root(&mut parents, i as u32) as usize;
        if root != i {
            parts[root] = parts[root].joined(parts[i]);
        }
    }
    let mut at = 0;
    parts.retain(|_| {
        at += 1;
        parents[at - 1] as usize == at - 1
    });
    Ok(parts)
}

/// Returns the end points of the runs of each connected part.
fn outlines(runs: &[Run]) -> Result<Vec<Vec<Point>>> {
    collect_outlines(runs, &mut connected(runs)?)
}

/// Returns for each run an earlier one of the same part, or itself; diagonal neighbours are connected.
fn connected(runs: &[Run]) -> Result<Vec<u32>> {
    let mut parents = buffer::collected(runs.len(), 0..runs.len() as u32, WHAT)?;
    let mut above = 0;
    for (i, run) in runs.iter().enumerate() {
        // `above` is the first run of the row before that can still touch this one or a later one.
        while above < i
            && (runs[above].row + 1 < run.row || (runs[above].row < run.row && runs[above].end + 1 < run.start))
        {
            above += 1;
        }
        let touching = runs[above..i].iter().take_while(|other| other.row < run.row && other.start <= run.end + 1);
        for offset in 0..touching.count() {
            join(&mut parents, (above + offset) as u32, i as u32);
        }
    }
    Ok(parents)
}

fn collect_outlines(runs: &[Run], parents: &mut [u32]) -> Result<Vec<Vec<Point>>> {
    let mut outlines: Vec<Vec<Point>> = Vec::new();
    let mut place = buffer::filled(runs.len(), u32::MAX, WHAT)?;
    for (i, run) in runs.iter().enumerate() {
        let root = root(parents, i as u32) as usize;
        if place[root] == u32::MAX {
            place[root] = outlines.len() as u32;
            buffer::reserve(&mut outlines, 1, WHAT)?;
            outlines.push(Vec::new());
        }
        let outline = &mut outlines[place[root] as usize];
        buffer::reserve(outline, 2, WHAT)?;
        outline.push(Point::new(run.start as f32, run.row as f32));
        outline.push(Point::new(run.end as f32, run.row as f32));
    }
    Ok(outlines)
}

fn root(parents: &mut [u32], mut i: u32) -> u32 {
    while parents[i as usize] != i {
        parents[i as usize] = parents[parents[i as usize] as usize];
        i = parents[i as usize];
    }
    i
}

fn join(parents: &mut [u32], a: u32, b: u32) {
    let (a, b) = (root(parents, a), root(parents, b));
    // The earlier run leads, so that parts come in the order of their first run.
    parents[a.max(b) as usize] = a.min(b);
}

/// Some of a rectangle's pixels.
struct Inside {
    /// The mean of their values, 0 without any.
    mean: f32,
    /// Their share of the rectangle's pixels.
    share: f32,
}

/// Gathers those of the rectangle's pixels, its border included, whose values `counts`.
fn mean_inside(map: &[f32], width: usize, rect: &RotatedRect, counts: impl Fn(f32) -> bool) -> Inside {
    let height = map.len() / width;
    let corners = rect.corners().0;
    let (_, top, _, bottom) = rect.corners().bounds();
    let rows = (top.round().max(0.0) as usize)..=(bottom.round().max(0.0) as usize).min(height - 1);
    let (mut sum, mut count, mut all) = (0.0f64, 0usize, 0usize);
    for row in rows {
        let Some((left, right)) = span_at(&corners, (row as f32).clamp(top, bottom)) else { continue };
        let first = (left.round().max(0.0) as usize).min(width - 1);
        let last = (right.round().max(0.0) as usize).min(width - 1);
        let values = &map[row * width + first..=row * width + last];
        all += values.len();
        for &value in values.iter().filter(|&&value| counts(value)) {
            sum += f64::from(value);
            count += 1;
        }
    }
    let share = |part: f64, whole: usize| if whole == 0 { 0.0 } else { (part / whole as f64) as f32 };
    Inside { mean: share(sum, count), share: share(count as f64, all) }
}

/// Returns the places at which a horizontal line at `y` enters and leaves a convex outline.
fn span_at(corners: &[Point; 4], y: f32) -> Option<(f32, f32)> {
    let mut span: Option<(f32, f32)> = None;
    for i in 0..4 {
        let (a, b) = (corners[i], corners[(i + 1) % 4]);
        if (a.y - y) * (b.y - y) > 0.0 {
            continue;
        }
        let ends = if a.y == b.y { [a.x, b.x] } else { [a.x + (b.x - a.x) * (y - a.y) / (b.y - a.y); 2] };
        for x in ends {
            span = Some(span.map_or((x, x), |(left, right)| (left.min(x), right.max(x))));
        }
    }
    span
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::Reason;
    use proptest::prelude::*;

    fn map_of(rows: &[&str]) -> (Vec<f32>, usize) {
        let value = |c| if c == '#' { 0.9 } else { 0.0 };
        (rows.iter().flat_map(|row| row.chars().map(value)).collect(), rows[0].len())
    }

    #[test]
    fn parts_join_as_documented() {
        struct Case {
            name: &'static str,
            rows: &'static [&'static str],
            parts: usize,
        }
        let cases = [
            Case { name: "nothing", rows: &["....", "...."], parts: 0 },
            Case { name: "one gap joins", rows: &["##.##"], parts: 1 },
            Case { name: "two gaps part", rows: &["##..##"], parts: 2 },
            Case { name: "diagonal", rows: &["#....", ".#...", "..#.."], parts: 1 },
            Case { name: "a fork that closes late", rows: &["#......#", "#......#", "########"], parts: 1 },
            Case { name: "rows apart", rows: &["##", "..", "..", "..", "##"], parts: 2 },
        ];
        for case in cases {
            let (map, width) = map_of(case.rows);
            assert_eq!(
                outlines(&runs(&map, width, 0.3).expect("memory")).expect("memory").len(),
                case.parts,
                "{}",
                case.name
            );
        }
    }

    #[test]
    fn parts_are_as_large_as_their_pixels() {
        let (map, width) = map_of(&["##...#", "#....#", "..#...", ".....#"]);
        let bits: Vec<u8> = map.iter().map(|&value| u8::from(value > 0.0)).collect();
        let found: Vec<_> =
            parts(&bits, width).expect("memory").iter().map(|part| (part.width(), part.height(), part.area)).collect();
        assert_eq!(found, [(2, 2, 3), (1, 2, 2), (1, 1, 1), (1, 1, 1)]);
    }

    #[test]
    fn a_box_grows_by_area_over_perimeter() {
        let (width, height) = (100, 60);
        let mut map = vec![0.0; width * height];
        for y in 20..30 {
            map[y * width + 30..y * width + 70].fill(0.8);
        }
        let options = DetectOptions::default();
        let found = regions(&map, width, &options, &Stop::new()).expect("not stopped");
        assert_eq!(found.len(), 1);
        let grow = 400.0 * options.unclip_ratio / 100.0;
        let (left, top, right, bottom) = found[0].quad.bounds();
        for (found, expected) in [(left, 30.0 - grow), (top, 20.0 - grow), (right, 70.0 + grow), (bottom, 30.0 + grow)]
        {
            assert!((found - expected).abs() < 0.01, "{found} is not {expected}");
        }
        let sure = DetectOptions { box_threshold: 0.9, doubtful_threshold: 0.9, ..options };
        assert!(regions(&map, width, &sure, &Stop::new()).expect("not stopped").is_empty());
        let stop = Stop::new();
        stop.fire(Reason::Cancelled);
        assert!(regions(&map, width, &options, &stop).is_err(), "the call was ended");
    }

    #[test]
    fn what_may_be_text_is_a_doubtful_region() {
        let (width, height) = (100, 60);
        let options = DetectOptions::default();
        // The score is somewhat lower than the probability: the box reaches a pixel further.
        for (probability, found) in
            [(0.9, Some(false)), (0.62, Some(false)), (0.5, Some(true)), (0.42, Some(true)), (0.33, None)]
        {
            let mut map = vec![0.0; width * height];
            (20..30).for_each(|y| map[y * width + 30..y * width + 70].fill(probability));
            let regions = regions(&map, width, &options, &Stop::new()).expect("not stopped");
            assert_eq!(regions.first().map(|region| region.is_doubtful), found, "{probability}");
            assert!(regions.iter().all(|region| region.is_doubtful == (region.score < options.box_threshold)));
            assert!(regions.iter().all(|region| region.score >= options.doubtful_threshold));
        }
    }

    #[test]
    fn a_long_part_that_is_thin_between_its_ends_is_a_region() {
        let (width, height) = (400, 60);
        let found = |thin: usize| {
            let mut map = vec![0.0; width * height];
            for y in 20..36 {
                map[y * width + 30..y * width + 70].fill(0.9);
                map[y * width + 350..y * width + 370].fill(0.9);
            }
            for y in 36 - thin..36 {
                map[y * width + 30..y * width + 370].fill(0.9);
            }
            let options = DetectOptions { unclip_ratio: 0.0, ..Default::default() };
            let found = regions(&map, width, &options, &Stop::new()).expect("not stopped");
            found.iter().map(|region| region.quad.bounds()).collect::<Vec<_>>()
        };
        assert_eq!(found(5), [(30.0, 20.0, 370.0, 36.0)]);
        assert_eq!(found(1), [], "two texts on a rule");
    }

    #[test]
    fn hostile_maps_give_bounded_regions() {
        struct Case {
            name: &'static str,
            is_set: fn(usize, usize) -> bool,
            found: usize,
        }
        let cases = [
            Case { name: "a checkerboard is one part", is_set: |x, y| (x + y) % 2 == 0, found: 1 },
            Case { name: "single pixels are noise", is_set: |x, y| x % 3 == 0 && y % 3 == 0, found: 0 },
            Case { name: "dots are left out from the bottom up", is_set: |x, y| x % 5 < 3 && y % 5 < 3, found: 1000 },
            Case { name: "corners inside of corners", is_set: |x, y| x.min(y) % 3 == 0, found: 99 },
        ];
        let side = 300;
        let options = DetectOptions { box_threshold: 0.0, max_regions: 1000, ..Default::default() };
        for case in cases {
            let map: Vec<f32> = (0..side * side).map(|i| f32::from((case.is_set)(i % side, i / side))).collect();
            let found = regions(&map, side, &options, &Stop::new()).expect("not stopped");
            assert_eq!(found.len(), case.found, "{}", case.name);
            let lowest = found.iter().map(|region| region.quad.bounds().3).fold(0.0, f32::max);
            assert!(case.found < 1000 || lowest < 100.0, "{}: {lowest}", case.name);
        }
    }

    proptest! {
        #[test]
        fn any_map_gives_bounded_regions(
            width in 1usize..40, values in prop::collection::vec(prop_oneof![Just(0.0f32), 0f32..1.0, Just(f32::NAN)], 40..800),
        ) {
            let whole = values.len() / width * width;
            let options = DetectOptions { box_threshold: 0.0, max_regions: 7, ..Default::default() };
            let found = regions(&values[..whole], width, &options, &Stop::new()).expect("not stopped");
            prop_assert!(found.len() <= 7);
            prop_assert!(found.iter().all(|r| r.quad.0.iter().all(|p| p.x.is_finite() && p.y.is_finite())));
        }

        #[test]
        fn a_drawn_rectangle_is_found_where_it_is(x in 5usize..40, y in 5usize..40, w in 8usize..50, h in 6usize..20) {
            let (width, height) = (100, 70);
            let mut map = vec![0.0; width * height];
            for row in y..y + h {
                map[row * width + x..row * width + x + w].fill(1.0);
            }
            let options = DetectOptions { unclip_ratio: 0.0, ..Default::default() };
            let found = regions(&map, width, &options, &Stop::new()).expect("not stopped");
            prop_assert_eq!(found.len(), 1);
            let (l, t, r, b) = found[0].quad.bounds();
            let expected = [x as f32, y as f32, (x + w) as f32, (y + h) as f32];
            for (found, expected) in [l, t, r, b].into_iter().zip(expected) {
                prop_assert!((found - expected).abs() < 0.01);
            }
        }
    }
}
