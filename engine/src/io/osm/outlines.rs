//! Outlines from the node lists of ways: closed ways, and multipolygons whose rings come in pieces.

use crate::model::place::Place;
use geo::{Contains, Coord, GeodesicArea, LineString, MultiPolygon, Point, Polygon};

/// Runs of node ids joined end to end into closed rings. Pieces that close no ring are left over and counted.
pub fn close_rings(mut pieces: Vec<Vec<i64>>) -> (Vec<Vec<i64>>, usize) {
    let mut rings = Vec::new();
    let mut left_over = 0;
    pieces.retain(|piece| piece.len() > 1);
    while let Some(mut ring) = pieces.pop() {
        let mut parts = 1;
        while ring.first() != ring.last() {
            let end = *ring.last().expect("a ring has nodes");
            let Some(next) =
                pieces.iter().position(|piece| piece.first() == Some(&end) || piece.last() == Some(&end))
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
    let mut polygons: Vec<Polygon> =
        outer.into_iter().map(|places| Polygon::new(ring(places), vec![])).collect();
    for places in inner {
        let corner = places.first().map(|place| Point::new(place.lon(), place.lat()));
        let holder = |polygon: &&mut Polygon| corner.is_some_and(|corner| polygon.contains(&corner));
        if let Some(polygon) = polygons.iter_mut().find(holder) {
            polygon.interiors_push(ring(places));
        }
    }
    MultiPolygon::new(polygons)
}

/// Area of an outline, square metres, whichever way round its rings are drawn: the geodesic area of a clockwise ring
/// is that of the rest of the earth, so each ring counts by its size.
pub fn area_m2(outline: &MultiPolygon) -> f64 {
    let of_ring = |ring: &LineString| Polygon::new(ring.clone(), vec![]).geodesic_area_signed().abs();
    let of_polygon = |polygon: &Polygon| {
        let holes: f64 = polygon.interiors().iter().map(of_ring).sum();
        (of_ring(polygon.exterior()) - holes).max(0.0)
    };
    outline.iter().map(of_polygon).sum()
}

#[cfg(test)]
mod tests {
    use super::{area_m2, close_rings, polygons};
    use crate::model::place::Place;

    /// A square of `side` metres near the equator, where a degree is 110,574 m north and 111,320 m east.
    fn square(side: f64, clockwise: bool) -> Vec<Place> {
        let (east, north) = (side / 111_319.5 / 2.0, side / 110_574.4 / 2.0);
        let mut corners =
            vec![(-east, -north), (east, -north), (east, north), (-east, north), (-east, -north)];
        if clockwise {
            corners.reverse();
        }
        corners.into_iter().map(|(lon, lat)| Place::new(lon, lat).unwrap()).collect()
    }

    #[test]
    fn an_area_does_not_hang_on_the_way_round() {
        for (outer, inner) in [(false, false), (false, true), (true, false), (true, true)] {
            let court = polygons(vec![square(100.0, outer)], vec![square(40.0, inner)]);
            assert!((area_m2(&court) - (100.0 * 100.0 - 40.0 * 40.0)).abs() < 1.0);
        }
    }

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
