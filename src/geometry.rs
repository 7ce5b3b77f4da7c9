//! Points, quadrilaterals and rotated rectangles.
//!
//! The frame is the picture's: x grows to the right, y grows down, (0, 0) is the outer corner of the top left pixel and
//! (width, height) the outer corner of the bottom right one.

/// A point in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Point {
    /// To the right.
    pub x: f32,
    /// Down.
    pub y: f32,
}

impl Point {
    /// Returns the point (x, y).
    pub const fn new(x: f32, y: f32) -> Self {
        Self { x, y }
    }

    /// Returns the distance to `other`.
    pub fn distance(self, other: Self) -> f32 {
        (self.x - other.x).hypot(self.y - other.y)
    }

    fn cross(self, a: Self, b: Self) -> f32 {
        (a.x - self.x) * (b.y - self.y) - (a.y - self.y) * (b.x - self.x)
    }
}

/// Four corners, clockwise on the screen, the first one at the text's top left as the text is read.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Quad(pub [Point; 4]);

impl Quad {
    /// Returns the upright rectangle from (left, top) to (right, bottom).
    pub const fn upright(left: f32, top: f32, right: f32, bottom: f32) -> Self {
        Self([Point::new(left, top), Point::new(right, top), Point::new(right, bottom), Point::new(left, bottom)])
    }

    /// Returns the length along the reading direction: the longer of the top and bottom edge.
    pub fn width(&self) -> f32 {
        let [a, b, c, d] = self.0;
        a.distance(b).max(d.distance(c))
    }

    /// Returns the length across the reading direction: the longer of the left and right edge.
    pub fn height(&self) -> f32 {
        let [a, b, c, d] = self.0;
        a.distance(d).max(b.distance(c))
    }

    /// Returns width divided by height.
    pub fn aspect(&self) -> f32 {
        self.width() / self.height()
    }

    /// Returns the arithmetic mean of the corners.
    pub fn center(&self) -> Point {
        let sum = self.0.iter().fold(Point::default(), |s, p| Point::new(s.x + p.x, s.y + p.y));
        Point::new(sum.x / 4.0, sum.y / 4.0)
    }

    /// Returns (left, top, right, bottom) of the smallest upright rectangle around it.
    pub fn bounds(&self) -> (f32, f32, f32, f32) {
        let fold = |f: fn(f32, f32) -> f32, get: fn(&Point) -> f32, start| self.0.iter().map(get).fold(start, f);
        (
            fold(f32::min, |p| p.x, f32::INFINITY),
            fold(f32::min, |p| p.y, f32::INFINITY),
            fold(f32::max, |p| p.x, f32::NEG_INFINITY),
            fold(f32::max, |p| p.y, f32::NEG_INFINITY),
        )
    }

    /// Multiplies every x by `sx` and every y by `sy`.
    #[must_use]
    pub fn scaled(&self, sx: f32, sy: f32) -> Self {
        Self(self.0.map(|p| Point::new(p.x * sx, p.y * sy)))
    }

    /// Moves it by (`dx`, `dy`).
    #[must_use]
    pub fn shifted(&self, dx: f32, dy: f32) -> Self {
        Self(self.0.map(|p| Point::new(p.x + dx, p.y + dy)))
    }

    /// Moves corners that lie outside of a `width` x `height` picture onto its border.
    #[must_use]
    pub fn clamped(&self, width: f32, height: f32) -> Self {
        Self(self.0.map(|p| Point::new(p.x.clamp(0.0, width), p.y.clamp(0.0, height))))
    }

    /// Returns the part between two fractions of the width, 0 at the left edge and 1 at the right one.
    #[must_use]
    pub fn slice(&self, start: f32, end: f32) -> Self {
        let [a, b, c, d] = self.0;
        let at = |p: Point, q: Point, t: f32| Point::new(p.x + (q.x - p.x) * t, p.y + (q.y - p.y) * t);
        Self([at(a, b, start), at(a, b, end), at(d, c, end), at(d, c, start)])
    }

    /// Returns the quarters clockwise by which its reading direction is turned, to the nearest one: 0 to the right, 1
    /// down, 2 to the left, 3 up.
    pub fn quarters(&self) -> usize {
        let [a, b, c, d] = self.0;
        let (x, y) = ((b.x - a.x) + (c.x - d.x), (b.y - a.y) + (c.y - d.y));
        match y.abs() > x.abs() {
            false => 2 * usize::from(x < 0.0),
            true => 1 + 2 * usize::from(y < 0.0),
        }
    }

    /// Returns its place once the whole picture, `width` x `height` before, is turned clockwise by quarters.
    #[must_use]
    pub fn turned(&self, quarters: usize, width: f32, height: f32) -> Self {
        Self(self.0.map(|Point { x, y }| match quarters % 4 {
            0 => Point::new(x, y),
            1 => Point::new(height - y, x),
            2 => Point::new(width - x, height - y),
            _ => Point::new(y, width - x),
        }))
    }

    /// Returns the same outline with the corner that was `first` (0 to 3) at the front: reading direction turned by
    /// quarters.
    #[must_use]
    pub fn starting_at(&self, first: usize) -> Self {
        let q = self.0;
        Self([q[first % 4], q[(first + 1) % 4], q[(first + 2) % 4], q[(first + 3) % 4]])
    }
}

/// A rectangle of any angle.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RotatedRect {
    /// The point at which its diagonals cross.
    pub center: Point,
    /// Length of the side along `axis`.
    pub width: f32,
    /// Length of the other side.
    pub height: f32,
    /// Unit vector along the width.
    pub axis: Point,
}

impl RotatedRect {
    /// Returns the length of its outline.
    pub fn perimeter(&self) -> f32 {
        2.0 * (self.width + self.height)
    }

    /// Returns the enclosed area.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// Returns it with every side moved outward by `distance`: the smallest rectangle around a round-cornered offset of
    /// this one.
    #[must_use]
    pub fn expanded(&self, distance: f32) -> Self {
        Self { width: self.width + 2.0 * distance, height: self.height + 2.0 * distance, ..*self }
    }

    /// Returns its corners for text that is read left to right: of the four cyclic orders the one whose top edge points
    /// most to the right. A rectangle that stands upright stays upright, however tall it is.
    pub fn corners(&self) -> Quad {
        let (u, c) = (self.axis, self.center);
        let v = Point::new(-u.y, u.x);
        let at = |s: f32, t: f32| {
            let (a, b) = (s * self.width / 2.0, t * self.height / 2.0);
            Point::new(c.x + a * u.x + b * v.x, c.y + a * u.y + b * v.y)
        };
        let quad = Quad([at(-1.0, -1.0), at(1.0, -1.0), at(1.0, 1.0), at(-1.0, 1.0)]);
        // The k-th edge has the direction of u turned clockwise by k quarters: (u, v, -u, -v).
        let rightward = [u.x, v.x, -u.x, -v.x];
        let first = (0..4).fold(0, |best, k| if rightward[k] > rightward[best] { k } else { best });
        quad.starting_at(first)
    }
}

/// Returns the corners of the smallest convex polygon around `points`, by Andrew's monotone chain. Sorts `points`.
///
/// Fewer than three corners come back when all points lie on a line.
pub fn convex_hull(points: &mut Vec<Point>) -> Vec<Point> {
    points.sort_by(|a, b| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    points.dedup();
    if points.len() < 3 {
        return points.clone();
    }
    let mut hull: Vec<Point> = Vec::with_capacity(points.len().min(64));
    extend_chain(&mut hull, points.iter().copied(), 0);
    let lower = hull.len() - 1;
    extend_chain(&mut hull, points.iter().rev().skip(1).copied(), lower);
    hull.pop();
    hull
}

fn extend_chain(hull: &mut Vec<Point>, points: impl Iterator<Item = Point>, keep: usize) {
    for point in points {
        while hull.len() >= keep + 2 && hull[hull.len() - 2].cross(hull[hull.len() - 1], point) <= 0.0 {
            hull.pop();
        }
        hull.push(point);
    }
}

/// Returns the rectangle of least area around a convex polygon. It shares a side with the polygon, so every side is
/// tried.
///
/// Returns `None` for an empty polygon.
pub fn min_area_rect(hull: &[Point]) -> Option<RotatedRect> {
    let first = *hull.first()?;
    let mut best: Option<RotatedRect> = None;
    for (i, &a) in hull.iter().enumerate() {
        let b = hull[(i + 1) % hull.len()];
        let length = a.distance(b);
        if length <= 0.0 {
            continue;
        }
        let rect = rect_along(hull, Point::new((b.x - a.x) / length, (b.y - a.y) / length));
        if best.is_none_or(|best| rect.area() < best.area()) {
            best = Some(rect);
        }
    }
    Some(best.unwrap_or(RotatedRect { center: first, width: 0.0, height: 0.0, axis: Point::new(1.0, 0.0) }))
}

fn rect_along(points: &[Point], axis: Point) -> RotatedRect {
    let mut low = Point::new(f32::INFINITY, f32::INFINITY);
    let mut high = Point::new(f32::NEG_INFINITY, f32::NEG_INFINITY);
    for p in points {
        let along = p.x * axis.x + p.y * axis.y;
        let across = p.y * axis.x - p.x * axis.y;
        low = Point::new(low.x.min(along), low.y.min(across));
        high = Point::new(high.x.max(along), high.y.max(across));
    }
    let middle = Point::new((low.x + high.x) / 2.0, (low.y + high.y) / 2.0);
    let center = Point::new(middle.x * axis.x - middle.y * axis.y, middle.x * axis.y + middle.y * axis.x);
    RotatedRect { center, width: high.x - low.x, height: high.y - low.y, axis }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn rect(cx: f32, cy: f32, w: f32, h: f32, degrees: f32) -> RotatedRect {
        let (sin, cos) = degrees.to_radians().sin_cos();
        RotatedRect { center: Point::new(cx, cy), width: w, height: h, axis: Point::new(cos, sin) }
    }

    #[test]
    fn hull_of_a_grid_is_its_corners() {
        let mut points: Vec<_> = (0..25).map(|i| Point::new((i % 5) as f32, (i / 5) as f32)).collect();
        let hull = convex_hull(&mut points);
        assert_eq!(hull.len(), 4);
        assert!(hull.contains(&Point::new(4.0, 4.0)));
    }

    #[test]
    fn degenerate_hulls_have_a_rectangle() {
        let mut line: Vec<_> = (0..4).map(|i| Point::new(i as f32, 2.0)).collect();
        let hull = convex_hull(&mut line);
        let found = min_area_rect(&hull).map(|r| (r.width.max(r.height), r.width.min(r.height)));
        assert_eq!(found, Some((3.0, 0.0)));
        assert_eq!(min_area_rect(&[Point::new(1.0, 1.0)]).map(|r| r.area()), Some(0.0));
        assert_eq!(min_area_rect(&[]), None);
    }

    #[test]
    fn corners_start_at_the_top_left_of_upright_text() {
        for (axis_degrees, w, h) in [(0.0, 10.0, 4.0), (90.0, 4.0, 10.0), (180.0, 10.0, 4.0), (-90.0, 4.0, 10.0)] {
            let Quad([a, b, _, _]) = rect(50.0, 50.0, w, h, axis_degrees).corners();
            assert!((a.x - 45.0).abs() < 1e-3 && (a.y - 48.0).abs() < 1e-3, "{axis_degrees}: {a:?}");
            assert!((b.x - 55.0).abs() < 1e-3, "{axis_degrees}: {b:?}");
        }
    }

    #[test]
    fn a_quad_turns_with_its_picture() {
        let quad = Quad::upright(10.0, 5.0, 30.0, 9.0);
        for quarters in 0..8 {
            assert_eq!(quad.turned(quarters, 100.0, 50.0).quarters(), quarters % 4);
            let mut by_one = quad;
            let (mut width, mut height) = (100.0, 50.0);
            for _ in 0..quarters {
                by_one = by_one.turned(1, width, height);
                (width, height) = (height, width);
            }
            assert_eq!(by_one, quad.turned(quarters, 100.0, 50.0));
        }
        assert_eq!(quad.starting_at(2).quarters(), 2, "upside down");
        assert_eq!(rect(0.0, 0.0, 9.0, 2.0, 44.0).corners().quarters(), 0);
    }

    proptest! {
        #[test]
        fn the_rectangle_of_a_rectangle_is_itself(
            cx in -500f32..500.0, cy in -500f32..500.0, w in 2f32..300.0, h in 2f32..300.0, degrees in -180f32..180.0,
        ) {
            let made = rect(cx, cy, w, h, degrees);
            let mut points = made.corners().0.to_vec();
            let hull = convex_hull(&mut points);
            let found = min_area_rect(&hull).expect("four points");
            let tolerance = 0.02 * (w + h);
            prop_assert!((found.area() - made.area()).abs() <= tolerance * (w + h));
            prop_assert!(found.center.distance(made.center) <= tolerance);
            prop_assert!((found.width.max(found.height) - w.max(h)).abs() <= tolerance);
        }

        #[test]
        fn the_rectangle_holds_every_point(raw in prop::collection::vec((-200f32..200.0, -200f32..200.0), 1..60)) {
            let mut points: Vec<_> = raw.iter().map(|&(x, y)| Point::new(x, y)).collect();
            let hull = convex_hull(&mut points);
            let r = min_area_rect(&hull).expect("not empty");
            for p in &points {
                let (dx, dy) = (p.x - r.center.x, p.y - r.center.y);
                prop_assert!((dx * r.axis.x + dy * r.axis.y).abs() <= r.width / 2.0 + 0.05);
                prop_assert!((dy * r.axis.x - dx * r.axis.y).abs() <= r.height / 2.0 + 0.05);
            }
        }

        #[test]
        fn corners_run_clockwise_and_to_the_right(w in 1f32..99.0, h in 1f32..99.0, degrees in -180f32..180.0) {
            let Quad([a, b, c, _]) = rect(0.0, 0.0, w, h, degrees).corners();
            prop_assert!(a.cross(b, c) > 0.0);
            prop_assert!(b.x - a.x >= (b.y - a.y).abs() - 1e-3);
        }
    }
}
