//! Walls and fences: nobody steps through them on the way between a place and its street.

use crate::model::place::Place;
use geo::{Coord, Intersects, Line};
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree, RTreeObject};

/// The straight pieces of all walls, in degrees: whether two lines cross does not depend on the scale of the axes.
#[derive(Debug)]
pub struct Walls {
    tree: RTree<GeomWithData<Box2, Line>>,
}

/// What a straight piece covers.
#[derive(Debug, Clone, Copy)]
struct Box2(AABB<[f64; 2]>);

impl RTreeObject for Box2 {
    type Envelope = AABB<[f64; 2]>;

    fn envelope(&self) -> Self::Envelope {
        self.0
    }
}

impl Walls {
    /// Index walls.
    pub fn new(walls: &[[Place; 2]]) -> Self {
        let piece = |wall: &[Place; 2]| {
            let line = Line::new(coord(wall[0]), coord(wall[1]));
            GeomWithData::new(around(&line), line)
        };
        Self { tree: RTree::bulk_load(walls.iter().map(piece).collect()) }
    }

    /// Whether a wall stands between two places. One that touches either end stands beside it: a door in a wall, a wall
    /// that begins at the kerb.
    pub fn between(&self, from: Place, to: Place) -> bool {
        let leg = Line::new(coord(from.towards(to, 0.01)), coord(from.towards(to, 0.99)));
        self.tree.locate_in_envelope_intersecting(&around(&leg).0).any(|wall| wall.data.intersects(&leg))
    }
}

fn coord(place: Place) -> Coord {
    Coord { x: place.lon(), y: place.lat() }
}

fn around(line: &Line) -> Box2 {
    Box2(AABB::from_corners([line.start.x, line.start.y], [line.end.x, line.end.y]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wall_stands_between_what_it_parts_and_not_beside_what_it_touches() {
        let at = |x: f64, y: f64| Place::new(106.5 + x / 1e5, 29.5 + y / 1e5).expect("in range");
        let walls = Walls::new(&[[at(0.0, 10.0), at(100.0, 10.0)], [at(100.0, 10.0), at(100.0, 50.0)]]);
        assert!(walls.between(at(50.0, 0.0), at(50.0, 20.0)));
        assert!(walls.between(at(90.0, 20.0), at(110.0, 21.0)));
        assert!(!walls.between(at(50.0, 0.0), at(80.0, 9.0)));
        assert!(!walls.between(at(50.0, 10.0), at(50.0, 20.0)));
        assert!(!walls.between(at(110.0, 0.0), at(110.0, 60.0)));
        assert!(!Walls::new(&[]).between(at(0.0, 0.0), at(1.0, 1.0)));
    }
}
