//! How much of a cell an outline covers, exact to the last digits of a number.
//!
//! A general intersection of polygons snaps corners to a grid over both shapes. With an area of 20 km around a cell of
//! 100 m the shares then miss 1e-7, and areas that divide a city between them would lose people.

use geo::{Area, BooleanOps, Coord, LineString, MultiPolygon, Polygon};

/// An overlap narrower than this along a side of the cell is rounding of coordinates: the outline only touches it.
/// Degrees; about 10 nm.
const TOUCH_DEG: f64 = 1e-13;

/// Area that a cell and an outline share, square degrees.
pub fn overlap(cell: &MultiPolygon, outline: &MultiPolygon) -> f64 {
    let of_part = |part: &Polygon| -> f64 {
        match half_planes(part) {
            Some(sides) => outline.iter().map(|polygon| clipped(polygon, &sides)).sum(),
            // Only cells at the poles and on the edges of H3's icosahedron are not convex in degrees.
            None => part.intersection(outline).unsigned_area(),
        }
    };
    let area = cell.iter().map(of_part).sum();
    let width_deg = cell.unsigned_area().sqrt();
    if area > TOUCH_DEG * width_deg { area } else { 0.0 }
}

/// The sides of a convex ring, inside on their left; `None` when it is not convex.
fn half_planes(part: &Polygon) -> Option<Vec<[Coord; 2]>> {
    let mut corners = part.exterior().0.clone();
    if part.signed_area() < 0.0 {
        corners.reverse();
    }
    corners.dedup();
    let sides: Vec<[Coord; 2]> = corners.windows(2).map(|ends| [ends[0], ends[1]]).collect();
    let convex = sides.iter().all(|&side| corners.iter().all(|&corner| left_of(side, corner) >= -1e-18));
    (convex && sides.len() > 2).then_some(sides)
}

/// Twice the area of the triangle of a side and a point: positive when the point is to the left.
fn left_of([start, end]: [Coord; 2], at: Coord) -> f64 {
    (end.x - start.x) * (at.y - start.y) - (end.y - start.y) * (at.x - start.x)
}

fn clipped(polygon: &Polygon, sides: &[[Coord; 2]]) -> f64 {
    let holes: f64 = polygon.interiors().iter().map(|ring| clipped_ring(ring, sides)).sum();
    (clipped_ring(polygon.exterior(), sides) - holes).max(0.0)
}

/// Area of the part of a ring inside all sides. The clipped ring of a concave outline may run to and fro along a side;
/// such runs enclose nothing.
///
/// # Source
/// I. Sutherland and G. Hodgman, "Reentrant polygon clipping", Communications of the ACM 17(1), 1974.
fn clipped_ring(ring: &LineString, sides: &[[Coord; 2]]) -> f64 {
    let mut corners: Vec<Coord> = ring.0.iter().skip(1).copied().collect();
    for &side in sides {
        let mut inside = Vec::with_capacity(corners.len() + 1);
        let Some(&last) = corners.last() else { return 0.0 };
        let mut before = (last, left_of(side, last));
        for &corner in &corners {
            let here = (corner, left_of(side, corner));
            if (before.1 < 0.0) != (here.1 < 0.0) {
                inside.push(before.0 + (here.0 - before.0) * (before.1 / (before.1 - here.1)));
            }
            if here.1 >= 0.0 {
                inside.push(here.0);
            }
            before = here;
        }
        corners = inside;
    }
    Polygon::new(LineString::new(corners), vec![]).unsigned_area()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cell;
    use crate::model::place::Place;
    use geo::{AffineOps, AffineTransform, Scale, coord, polygon};

    fn a_cell() -> MultiPolygon {
        let place = Place::new(106.55, 29.56).unwrap();
        cell::outline(cell::at(place, cell::resolution(10).unwrap()))
    }

    /// Closed formula: the cell's own shape in another size. Half as wide is a quarter of the area; larger holds all.
    #[test]
    fn a_cell_shares_its_own_shape_by_the_square_of_the_size() {
        let whole = a_cell();
        let area = whole.unsigned_area();
        for (factor, expected) in [(1.0, 1.0), (0.5, 0.25), (3.0, 1.0), (500.0, 1.0)] {
            let other = whole.scale(factor);
            assert!((overlap(&whole, &other) / area - expected).abs() < 1e-11, "{factor}");
        }
        let away = whole.affine_transform(&AffineTransform::translate(1.0, 0.0));
        assert!(overlap(&whole, &away).abs() < f64::MIN_POSITIVE);
    }

    /// Independent truth: geo's general intersection, where shapes are of one size and its grid is fine.
    #[test]
    fn a_concave_outline_with_a_hole_is_cut_as_by_the_general_intersection() {
        let whole = a_cell();
        let middle = whole.0[0].exterior().0[0];
        let at = |east: f64, north: f64| coord! { x: middle.x + east * 1e-4, y: middle.y + north * 1e-4 };
        let comb = polygon!(
            exterior: [at(-20.0, -20.0), at(20.0, -20.0), at(20.0, 20.0), at(1.0, -3.0), at(0.0, 20.0), at(-1.0, -3.0), at(-20.0, 20.0)],
            interiors: [[at(-15.0, -12.0), at(15.0, -12.0), at(0.0, -6.0)]],
        );
        let outline = MultiPolygon::new(vec![comb]);
        let general = whole.intersection(&outline).unsigned_area();
        assert!(general > 0.0);
        assert!((overlap(&whole, &outline) / general - 1.0).abs() < 1e-6);
    }
}
