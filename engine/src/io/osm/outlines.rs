//! Outlines from the node lists of ways: closed ways, and multipolygons whose rings come in pieces.

use crate::model::place::Place;
use geo::{Contains, Coord, LineString, MultiPolygon, Point, Polygon};

/// Runs of node ids joined end to end into closed rings. Pieces that close no ring are left over and counted.
pub fn close_rings(mut pieces: Vec<Vec<i64>>) -> (Vec<Vec<i64>>, usize) {
    let mut rings = Vec::new();
    let mut left_over = 0;
    pieces.retain(|piece| piece.len() > 1);
    while let Some(mut ring) = pieces.pop() {
        let mut parts = 1;
        while ring.first() != ring.last() {
            let end = *ring.last().expect("a ring has nodes");
            let Some(next) = pieces.iter().position(|piece| piece.first() == Some(&end) || piece.last() == Some(&end))
            else {
                break;
            };
            let mut piece = pieces.swap_remove(next);
            if piece.first() != Some(&end) {
                piece.reverse();
            }
            ring.extend_from_slice(&piece[1..]);
            parts += 1;
        }
        if ring.first() == ring.last() && ring.len() >= 4 {
            rings.push(ring);
        } else {
            left_over += parts;
        }
    }
    (rings, left_over)
}

/// Polygons of outer and inner rings; an inner ring belongs to the first outer ring that holds its first corner.
pub fn polygons(outer: Vec<Vec<Place>>, inner: Vec<Vec<Place>>) -> MultiPolygon {
    let ring = |places: Vec<Place>| -> LineString {
        places.into_iter().map(|place| Coord { x: place.lon(), y: place.lat() }).collect()
    };
    let mut polygons: Vec<Polygon> = outer.into_iter().map(|places| Polygon::new(ring(places), vec![])).collect();
    for places in inner {
        let corner = places.first().map(|place| Point::new(place.lon(), place.lat()));
        let holder = |polygon: &&mut Polygon| corner.is_some_and(|corner| polygon.contains(&corner));
        if let Some(polygon) = polygons.iter_mut().find(holder) {
            polygon.interiors_push(ring(places));
        }
    }
    MultiPolygon::new(polygons)
}

#[cfg(test)]
mod tests {
    use super::close_rings;

    #[test]
    fn pieces_in_any_direction_close_a_ring() {
        let (rings, left_over) = close_rings(vec![vec![1, 2, 3], vec![5, 4, 3], vec![5, 1]]);
        assert_eq!((rings.len(), left_over), (1, 0));
        assert_eq!(rings[0].len(), 6);
    }

    #[test]
    fn open_pieces_are_counted() {
        assert_eq!(close_rings(vec![vec![1, 2, 3], vec![7, 8, 9, 7]]), (vec![vec![7, 8, 9, 7]], 1));
        assert_eq!(close_rings(vec![vec![1, 2, 1]]), (vec![], 1));
    }
}
