//! Which points lie in an outline, when many are asked.

use geo::{Coord, LineString, MultiPolygon};

/// An outline cut into strips of latitude: a point looks only at the sides in its own strip.
///
/// A point on the border belongs to one of two neighbours that have the same corners, never to both and never to none:
/// a side counts from its southern end on, without its northern end, and is looked at from south to north whichever
/// way round it is drawn, so that both neighbours come to the same number.
#[derive(Debug)]
pub struct Inside {
    south: f64,
    strip: f64,
    sides: Vec<Vec<[Coord; 2]>>,
}

/// Sides of an outline per strip: few to look at, few strips to build.
const SIDES_PER_STRIP: usize = 8;

impl Inside {
    /// Cut an outline into strips.
    pub fn new(outline: &MultiPolygon) -> Self {
        let rings =
            || outline.iter().flat_map(|part| std::iter::once(part.exterior()).chain(part.interiors()));
        let sides: Vec<[Coord; 2]> =
            rings().flat_map(LineString::lines).filter_map(|line| rising(line.start, line.end)).collect();
        let south = sides.iter().map(|side| side[0].y).fold(f64::INFINITY, f64::min);
        let north = sides.iter().map(|side| side[1].y).fold(f64::NEG_INFINITY, f64::max);
        let count = sides.len() / SIDES_PER_STRIP + 1;
        let mut inside =
            Self { south, strip: (north - south) / count as f64, sides: vec![Vec::new(); count] };
        for side in sides {
            for strip in inside.strip_of(side[0].y)..=inside.strip_of(side[1].y) {
                inside.sides[strip].push(side);
            }
        }
        inside
    }

    fn strip_of(&self, lat: f64) -> usize {
        (((lat - self.south) / self.strip) as usize).min(self.sides.len() - 1)
    }

    /// Whether a point lies in the outline: a line to its west crosses an odd number of sides.
    pub fn holds(&self, at: Coord) -> bool {
        if at.y < self.south {
            return false;
        }
        let west = |side: &&[Coord; 2]| {
            let [low, high] = **side;
            low.y <= at.y
                && at.y < high.y
                && low.x + (high.x - low.x) * ((at.y - low.y) / (high.y - low.y)) <= at.x
        };
        self.sides[self.strip_of(at.y)].iter().filter(west).count() % 2 == 1
    }
}

/// A side from south to north; `None` when it runs along a parallel, for it is crossed by nothing that does so too.
fn rising(a: Coord, b: Coord) -> Option<[Coord; 2]> {
    match a.y.total_cmp(&b.y) {
        std::cmp::Ordering::Less => Some([a, b]),
        std::cmp::Ordering::Greater => Some([b, a]),
        std::cmp::Ordering::Equal => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use geo::{Contains, Point, Polygon, polygon};
    use proptest::prelude::*;

    /// A star of this many points around a centre, with a hole like it.
    fn star(centre: (f64, f64), radii: &[f64]) -> Polygon {
        let ring = |size: f64| -> LineString {
            let angle = |corner: usize| corner as f64 / radii.len() as f64 * std::f64::consts::TAU;
            let corners = radii.iter().enumerate().map(|(corner, radius)| Coord {
                x: centre.0 + size * radius * angle(corner).cos(),
                y: centre.1 + size * radius * angle(corner).sin(),
            });
            corners.collect()
        };
        Polygon::new(ring(1.0), vec![ring(0.4)])
    }

    proptest! {
        /// The slow and obvious twin: geo looks at every side.
        #[test]
        fn as_many_points_are_inside_as_when_every_side_is_looked_at(
            radii in prop::collection::vec(0.2..1.0, 3..60),
            points in prop::collection::vec((-3.2..1.2, -1.2..1.2), 200),
        ) {
            let outline = MultiPolygon::new(vec![star((0.0, 0.0), &radii), star((-2.0, 0.1), &radii)]);
            let inside = Inside::new(&outline);
            for (x, y) in points {
                prop_assert_eq!(inside.holds(Coord { x, y }), outline.contains(&Point::new(x, y)));
            }
        }
    }

    /// Four squares around a corner, drawn in both directions: every point of a grid that lies on their sides and
    /// corners has one owner.
    #[test]
    fn a_point_on_a_border_belongs_to_one_neighbour() {
        let square = |x: f64, y: f64, turned: bool| {
            let mut ring =
                polygon![(x: x, y: y), (x: x + 1.0, y: y), (x: x + 1.0, y: y + 1.0), (x: x, y: y + 1.0)];
            if turned {
                ring.exterior_mut(|ring| ring.0.reverse());
            }
            Inside::new(&MultiPolygon::new(vec![ring]))
        };
        let town = [
            square(0.0, 0.0, false),
            square(1.0, 0.0, true),
            square(0.0, 1.0, true),
            square(1.0, 1.0, false),
        ];
        for step in 0..64 {
            let at = Coord { x: f64::from(step % 8) / 4.0, y: f64::from(step / 8) / 4.0 };
            assert_eq!(town.iter().filter(|square| square.holds(at)).count(), 1, "{at:?}");
        }
    }
}
