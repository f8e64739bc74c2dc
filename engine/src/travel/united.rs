//! Many small shapes as one: neighbours first, so that what they have in common is gone before more are joined. All at once
//! takes seconds where ten thousand of them lie on each other, as on the squares of a centre.

use crate::network::order;
use geo::{BoundingRect, Coord, MultiPoint, MultiPolygon, Polygon, Rect, unary_union};
use rayon::prelude::*;

/// Pieces that are united at once, and shapes that grew of them.
const PIECES: usize = 8;
const SHAPES: usize = 4;

/// The union of all pieces.
pub fn united(pieces: &[Polygon]) -> MultiPolygon {
    let near: Vec<&Polygon> = along_curve(pieces);
    let mut shapes: Vec<MultiPolygon> =
        near.par_chunks(PIECES).map(|pieces| unary_union(pieces.iter().copied())).collect();
    while shapes.len() > 1 {
        shapes = shapes.par_chunks(SHAPES).map(unary_union).collect();
    }
    shapes.pop().unwrap_or_else(|| MultiPolygon::new(vec![]))
}

/// The pieces in an order in which near ones follow one another.
fn along_curve(pieces: &[Polygon]) -> Vec<&Polygon> {
    let middle = |piece: &Polygon| piece.bounding_rect().map(Rect::center).unwrap_or_default();
    let middles: Vec<Coord> = pieces.iter().map(middle).collect();
    let bounds = MultiPoint::from(middles.clone()).bounding_rect();
    let Some(around) = bounds else { return Vec::new() };
    let share = |at: f64, from: f64, length: f64| if length > 0.0 { (at - from) / length } else { 0.0 };
    let mut along: Vec<(u32, usize)> = middles
        .iter()
        .enumerate()
        .map(|(piece, at)| {
            let east = share(at.x, around.min().x, around.width());
            let north = share(at.y, around.min().y, around.height());
            (order::along_curve(east, north), piece)
        })
        .collect();
    along.sort_unstable();
    along.into_iter().map(|(_, piece)| &pieces[piece]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Area, BooleanOps, LineString};
    use proptest::prelude::*;

    proptest! {
        /// The slow twin unites all pieces at once.
        #[test]
        fn neighbours_first_or_all_at_once_is_the_same_ground(
            corners in prop::collection::vec((0.0..300.0, 0.0..300.0, 1.0..40.0, 1.0..40.0), 0..120)
        ) {
            let diamond = |&(x, y, wide, high): &(f64, f64, f64, f64)| {
                let ring = [(x - wide, y), (x, y - high), (x + wide, y), (x, y + high)];
                Polygon::new(LineString::from(ring.to_vec()), vec![])
            };
            let pieces: Vec<Polygon> = corners.iter().map(diamond).collect();
            let (found, at_once) = (united(&pieces), unary_union(&pieces));
            let apart_m2 = found.xor(&at_once).unsigned_area();
            // The grid of the union is some millionths of a metre wide.
            let around_m: f64 = corners.iter().map(|(_, _, wide, high)| 4.0 * wide.hypot(*high)).sum();
            prop_assert!(apart_m2 <= 1e-5 * around_m, "{apart_m2} m² along {around_m} m");
        }
    }
}
