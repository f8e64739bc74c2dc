//! The two rivers as outlines, for maps: along the formulas of the terrain, so that what is water there is water here.

use super::terrain::Terrain;
use geo::Coord;

/// Corners of a bank from one end of the city to the other.
const CORNERS: usize = 160;
const ISLAND_CORNERS: usize = 48;

/// Outlines of the water, closed, metres from the middle.
pub struct Water {
    /// The main river.
    pub main: Vec<Coord>,
    /// The island in it.
    pub island: Vec<Coord>,
    /// The side river; its mouth lies in the main river.
    pub side: Vec<Coord>,
}

impl Water {
    /// The rivers of a city, as far as so many metres from its middle.
    pub fn new(terrain: &Terrain, half_m: f64) -> Self {
        let far = half_m / terrain.side_m();
        let run =
            |from: f64, to: f64| (0..=CORNERS).map(move |at| from + (to - from) * at as f64 / CORNERS as f64);
        let main = run(-far, far).map(|along| terrain.main_banks(along));
        let side = run(terrain.mouth(), far).map(|along| terrain.side_banks(along));
        let shore = (0..ISLAND_CORNERS).map(|at| terrain.island_shore(at as f64 / ISLAND_CORNERS as f64));
        Self { main: ring(main), side: ring(side), island: closed(shore.collect()) }
    }
}

/// Along one bank, back along the other, to the first corner again.
fn ring(banks: impl Iterator<Item = [Coord; 2]>) -> Vec<Coord> {
    let (mut ring, back): (Vec<Coord>, Vec<Coord>) = banks.map(|[there, back]| (there, back)).unzip();
    ring.extend(back.into_iter().rev());
    closed(ring)
}

fn closed(mut ring: Vec<Coord>) -> Vec<Coord> {
    ring.extend(ring.first().copied());
    ring
}

#[cfg(test)]
mod tests {
    use super::Water;
    use crate::batch::synthetic::chance::Chance;
    use crate::batch::synthetic::terrain::Terrain;
    use geo::{Contains, Coord, Distance, Euclidean, LineString, Point, Polygon};

    #[test]
    fn what_is_water_on_the_ground_is_water_on_the_map() {
        for (seed, side_m) in [(1, 4_000.0), (2, 12_500.0), (3, 40_000.0)] {
            let terrain = Terrain::new(side_m, Chance::new(seed));
            let water = Water::new(&terrain, side_m / 2.0 + 300.0);
            let ring = |ring: &[Coord]| LineString::from(ring.to_vec());
            let main = Polygon::new(ring(&water.main), vec![ring(&water.island)]);
            let side = Polygon::new(ring(&water.side), vec![]);
            let (mut wet, mut dry) = (0, 0);
            for step in 0..120 * 120 {
                let share = |part: i32| (f64::from(part) + 0.5) / 120.0 - 0.5;
                let at = Coord { x: share(step % 120) * side_m, y: share(step / 120) * side_m };
                let place = Point::from(at);
                // Between two corners the bank bends; there a few metres are either.
                let near = [&main, &side].iter().any(|outline| {
                    let rings = std::iter::once(outline.exterior()).chain(outline.interiors());
                    rings.into_iter().any(|ring| Euclidean.distance(&place, ring) < side_m / 1500.0)
                });
                if near {
                    continue;
                }
                let drawn = main.contains(&place) || side.contains(&place);
                assert_eq!(drawn, terrain.is_water(at), "{at:?} of seed {seed}");
                *(if drawn { &mut wet } else { &mut dry }) += 1;
            }
            assert!(wet > 100 && dry > 5_000, "{wet} wet, {dry} dry");
        }
    }
}
