//! The cells of many places, quicker than one by one: most lie well inside a cell that is known already.

use super::cell;
use super::place::Place;
use h3o::{CellIndex, LatLng, Resolution};
use rayon::prelude::*;
use std::collections::HashMap;

/// Finds the cells of places: those of [`cell::at`].
///
/// A place inside the circle that a cell's sides leave around its centre lies in that cell; only for others H3 is asked. Which circle
/// may hold a place is remembered by squares of longitude and latitude.
#[derive(Debug)]
pub struct Finder {
    resolution: Resolution,
    /// How many squares a degree has.
    squares: f64,
    /// The cell that was found last in a square.
    last: HashMap<[i32; 2], (CellIndex, Core)>,
    cores: HashMap<CellIndex, Core>,
}

/// Squares are so large a part of a cell's edge.
const SQUARE_SHARE: f64 = 0.5;

/// Metres of a degree of latitude.
const DEGREE_M: f64 = 111_000.0;

/// Circles are smaller than sides allow by so much: more than a plane differs from the sphere over one small cell, and than H3's
/// outlines differ from where its cells end.
const CORE_SHARE: f64 = 0.97;

/// Coarser cells are too large for a plane.
const COARSEST: Resolution = Resolution::Seven;

/// Nearer the poles meridians run together within a cell.
const FARTHEST_NORTH: f64 = 80.0;

/// The middle of a cell: a centre, degrees of longitude for one of latitude, and the square of the radius, degrees of latitude.
#[derive(Debug, Clone, Copy)]
struct Core {
    lon: f64,
    lat: f64,
    narrow: f64,
    radius_2: f64,
}

impl Finder {
    /// A finder of cells of a resolution.
    pub fn new(resolution: Resolution) -> Self {
        let squares = DEGREE_M / (resolution.edge_length_m() * SQUARE_SHARE);
        Self { resolution, squares, last: HashMap::new(), cores: HashMap::new() }
    }

    /// The cell that holds a place.
    pub fn at(&mut self, place: Place) -> CellIndex {
        let square = [place.lon(), place.lat()].map(|degrees| (degrees * self.squares) as i32);
        if let Some((cell, core)) = self.last.get(&square)
            && core.holds(place)
        {
            return *cell;
        }
        let cell = cell::at(place, self.resolution);
        let core = *self.cores.entry(cell).or_insert_with(|| Core::of(cell));
        if core.holds(place) {
            self.last.insert(square, (cell, core));
        }
        cell
    }
}

/// The cells that hold places, by all threads.
pub fn cells_at(places: &[Place], resolution: Resolution) -> Vec<CellIndex> {
    let find = |places: &[Place]| {
        let mut finder = Finder::new(resolution);
        places.iter().map(|&place| finder.at(place)).collect::<Vec<_>>()
    };
    places.par_chunks(1 << 15).flat_map_iter(find).collect()
}

impl Core {
    fn of(cell: CellIndex) -> Self {
        let centre = LatLng::from(cell);
        let (lon, lat) = (centre.lng(), centre.lat());
        let mut core = Self { lon, lat, narrow: lat.to_radians().cos(), radius_2: 0.0 };
        if cell.resolution() >= COARSEST && lat.abs() < FARTHEST_NORTH {
            let corners: Vec<[f64; 2]> =
                cell.boundary().iter().map(|at| core.away_from_centre(at.lng(), at.lat())).collect();
            let next = corners.iter().cycle().skip(1);
            let nearest_2 =
                corners.iter().zip(next).map(|(a, b)| distance_2(a, b)).fold(f64::INFINITY, f64::min);
            core.radius_2 = nearest_2 * CORE_SHARE * CORE_SHARE;
        }
        core
    }

    fn away_from_centre(&self, lon: f64, lat: f64) -> [f64; 2] {
        [(lon - self.lon) * self.narrow, lat - self.lat]
    }

    fn holds(&self, place: Place) -> bool {
        let [east, north] = self.away_from_centre(place.lon(), place.lat());
        east * east + north * north < self.radius_2
    }
}

/// The square of the distance between the origin and the line through two points; nothing where they are one.
fn distance_2([ax, ay]: &[f64; 2], [bx, by]: &[f64; 2]) -> f64 {
    let (east, north) = (bx - ax, by - ay);
    let length_2 = east * east + north * north;
    if length_2 > 0.0 { (ax * by - ay * bx).powi(2) / length_2 } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// A place anywhere, at a pole as well as not.
    fn anywhere() -> impl Strategy<Value = Place> {
        (-180.0..180.0, -90.0..90.0).prop_map(|(lon, lat)| Place::new(lon, lat).unwrap())
    }

    /// The middle of a cell that lies on two faces of H3's icosahedron, or of a pentagon's neighbour.
    fn awkward() -> impl Strategy<Value = Place> {
        let has_more_corners = |cell: &CellIndex| cell.boundary().len() > 6 || cell.is_pentagon();
        let all = || CellIndex::base_cells().flat_map(|cell| cell.children(Resolution::Three));
        let coarse: Vec<CellIndex> = all().filter(has_more_corners).collect();
        (0..coarse.len(), any::<u64>()).prop_map(move |(number, seed)| {
            let mut cell = coarse[number];
            for step in 0..7 {
                let finer = cell.resolution().succ().unwrap();
                let inside: Vec<CellIndex> = cell.children(finer).filter(has_more_corners).collect();
                let Some(next) = inside.get((seed >> (8 * step)) as usize % inside.len().max(1)) else {
                    break;
                };
                cell = *next;
            }
            cell::centre(cell)
        })
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(1000))]

        /// A walk through cells finds the cells that H3 finds.
        #[test]
        fn cells_are_those_of_h3(
            from in prop_oneof![anywhere(), awkward()], resolution in 5_u8..=12,
            steps in prop::collection::vec((-0.4..0.4, -0.4..0.4), 1..200),
        ) {
            let resolution = cell::resolution(resolution).unwrap();
            let mut finder = Finder::new(resolution);
            let step_deg = resolution.edge_length_m() / 111_320.0;
            let (mut lon, mut lat) = (from.lon(), from.lat());
            let mut places = Vec::new();
            for (east, north) in steps {
                lon += east * step_deg / lat.to_radians().cos().max(0.01);
                lat += north * step_deg;
                let Some(place) = Place::new(lon, lat) else { break };
                places.push(place);
                prop_assert_eq!(finder.at(place), cell::at(place, resolution), "{:?}", place);
            }
            let expected: Vec<CellIndex> = places.iter().map(|&place| cell::at(place, resolution)).collect();
            prop_assert_eq!(cells_at(&places, resolution), expected);
        }
    }

    #[test]
    fn most_places_are_found_without_h3() {
        let cell = cell::at(Place::new(106.55, 29.56).unwrap(), Resolution::Nine);
        let core = Core::of(cell);
        let centre = cell::centre(cell);
        let side = 100;
        let off = |number: i32| f64::from(number - side / 2) / f64::from(side) * 0.008;
        let places =
            (0..side * side).map(|at| (centre.lon() + off(at % side), centre.lat() + off(at / side)));
        let inside: Vec<Place> = places
            .filter_map(|(lon, lat)| Place::new(lon, lat))
            .filter(|&place| cell::at(place, Resolution::Nine) == cell)
            .collect();
        let found = inside.iter().filter(|&&place| core.holds(place)).count();
        assert!(found * 10 > inside.len() * 7, "{found} of {}", inside.len());
    }
}
