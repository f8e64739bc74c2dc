//! Ground as a set of H3 cells of one resolution: what a tile owns, and what it must see around it.

use super::cell;
use super::finder::Finder;
use super::place::Place;
use h3o::{CellIndex, Resolution};
use std::collections::BTreeSet;

/// The first ring of cells around a cell keeps everything else away by less than an average edge, since where three cells meet it
/// is one side wide: by 0.70 edges at least. Each further ring adds more than one edge (measured on H3's cells of resolutions
/// 7 to 11, 1500 anywhere and those around all pentagons; a regular hexagon has 1.0 and 1.5).
const FIRST_RING_LESS: f64 = 0.35;

/// Points along a line are looked at in steps of at most this length, metres.
pub const STEP_M: f64 = 60.0;

/// A set of cells of one resolution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Region {
    resolution: Resolution,
    cells: BTreeSet<CellIndex>,
}

impl Region {
    /// These cells, which all are of the resolution.
    pub fn new(resolution: Resolution, cells: impl IntoIterator<Item = CellIndex>) -> Self {
        let cells: BTreeSet<CellIndex> = cells.into_iter().collect();
        debug_assert!(cells.iter().all(|cell| cell.resolution() == resolution));
        Self { resolution, cells }
    }

    /// The cells of a resolution in a coarser one.
    pub fn of_tile(tile: CellIndex, resolution: Resolution) -> Self {
        Self::new(resolution, tile.children(resolution))
    }

    /// The resolution of its cells.
    pub fn resolution(&self) -> Resolution {
        self.resolution
    }

    /// Its cells, ascending.
    pub fn cells(&self) -> impl Iterator<Item = CellIndex> + '_ {
        self.cells.iter().copied()
    }

    /// How many cells there are.
    pub fn len(&self) -> usize {
        self.cells.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    /// Whether a place lies in it.
    pub fn holds(&self, place: Place) -> bool {
        self.cells.contains(&cell::at(place, self.resolution))
    }

    /// Whether a line passes it, as far as points in steps of [`STEP_M`] tell.
    pub fn is_passed_by(&self, line: &[Place], finder: &mut Finder) -> bool {
        cells_along(line, finder).into_iter().any(|cell| self.has(cell))
    }

    /// Whether a cell of its resolution is one of its cells.
    pub fn has(&self, cell: CellIndex) -> bool {
        self.cells.contains(&cell)
    }

    /// Its cells within the box around some places, and beside it.
    pub fn around(&self, places: &[Place]) -> impl Iterator<Item = CellIndex> + '_ {
        let ends = |of: fn(Place) -> f64| {
            let degrees = places.iter().map(|&place| of(place));
            (degrees.clone().fold(f64::INFINITY, f64::min), degrees.fold(f64::NEG_INFINITY, f64::max))
        };
        let (west, east) = ends(Place::lon);
        let (south, north) = ends(Place::lat);
        // A cell is at most two edges wide, and some larger than the mean.
        let beside_m = 2.0 * self.resolution.edge_length_m();
        let [lon_m, lat_m] = places.first().map_or([1.0, 1.0], |place| place.degree_m());
        let (lon_deg, lat_deg) = (beside_m / lon_m.max(1.0), beside_m / lat_m);
        self.cells().filter(move |&cell| {
            let centre = cell::centre(cell);
            (west - lon_deg..=east + lon_deg).contains(&centre.lon())
                && (south - lat_deg..=north + lat_deg).contains(&centre.lat())
        })
    }

    /// With all cells that are at most so many steps away.
    #[must_use]
    pub fn grown(&self, rings: u32) -> Self {
        let mut cells = self.cells.clone();
        let mut rim: Vec<CellIndex> = cells.iter().copied().collect();
        for _ in 0..rings {
            let around = rim.iter().flat_map(|cell| cell.grid_disk::<Vec<_>>(1));
            rim = around.filter(|&cell| cells.insert(cell)).collect();
        }
        Self { resolution: self.resolution, cells }
    }

    /// Without the cells that are at most so many steps away from others.
    #[must_use]
    pub fn shrunk(&self, rings: u32) -> Self {
        let mut cells = self.cells.clone();
        for _ in 0..rings {
            let is_inside =
                |cell: &CellIndex| cell.grid_disk::<Vec<_>>(1).iter().all(|near| cells.contains(near));
            cells = cells.iter().copied().filter(is_inside).collect();
        }
        Self { resolution: self.resolution, cells }
    }

    /// With the cells of another.
    #[must_use]
    pub fn and(mut self, cells: impl IntoIterator<Item = CellIndex>) -> Self {
        self.cells.extend(cells);
        self
    }

    /// Those of `other` that are not its own.
    pub fn lacks(&self, other: &Self) -> BTreeSet<CellIndex> {
        other.cells.difference(&self.cells).copied().collect()
    }
}

/// Rings of cells around a region that hold everything within so many metres of it.
pub fn rings(within_m: f64, resolution: Resolution) -> u32 {
    if within_m > 0.0 { (within_m / resolution.edge_length_m() + FIRST_RING_LESS).ceil() as u32 } else { 0 }
}

/// The cells of points of a line, none of which is farther than [`STEP_M`] from the next: in their order, some twice. A line that
/// crosses the antimeridian goes the short way round.
pub fn cells_along(line: &[Place], finder: &mut Finder) -> Vec<CellIndex> {
    let mut cells: Vec<CellIndex> = line.first().map(|&place| finder.at(place)).into_iter().collect();
    for ends in line.windows(2) {
        let steps = (ends[0].distance_m(ends[1]) / STEP_M).ceil().max(1.0);
        for step in 1..=steps as u32 {
            let cell = finder.at(ends[0].short_way(ends[1], f64::from(step) / steps));
            if cells.last() != Some(&cell) {
                cells.push(cell);
            }
        }
    }
    cells
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(2000))]

        /// Whatever lies within the distance of a place of the region lies in the grown region, all over the earth.
        #[test]
        fn rings_hold_what_is_near(
            lon in -180.0..180.0, lat in -85.0..85.0, bearing in 0.0..std::f64::consts::TAU, share in 0.9..1.0,
            count in 1_u32..8, resolution in 7_u8..=11, corner in 0_usize..6,
        ) {
            let resolution = cell::resolution(resolution).unwrap();
            let within_m = (f64::from(count) - FIRST_RING_LESS) * resolution.edge_length_m();
            prop_assert_eq!(rings(within_m * 0.999, resolution), count);
            let home = cell::at(Place::new(lon, lat).unwrap(), resolution);
            let region = Region::new(resolution, [home]);
            // From a corner of the cell, the farthest out.
            let outline = cell::outline(home);
            let corners: Vec<_> = outline.0[0].exterior().coords().collect();
            let from = corners[corner % corners.len()];
            let metres = within_m * share;
            let north: f64 = from.y + metres * bearing.cos() / 111_320.0;
            let east: f64 = from.x + metres * bearing.sin() / (111_320.0 * from.y.to_radians().cos());
            prop_assume!(east.abs() <= 180.0);
            let grown = region.grown(rings(within_m, resolution));
            prop_assert!(grown.holds(Place::new(east, north).unwrap()), "{within_m} {resolution}");
        }
    }

    #[test]
    fn a_line_across_the_antimeridian_stays_there() {
        let line = [179.999, -179.998].map(|lon| Place::new(lon, -16.8).unwrap());
        let mut finder = Finder::new(Resolution::Nine);
        let cells = cells_along(&line, &mut finder);
        let around = Region::new(Resolution::Nine, [cell::at(line[0], Resolution::Nine)]).grown(3);
        assert!(cells.len() > 1 && cells.iter().all(|&cell| around.has(cell)));
        assert_eq!(cells.last(), Some(&cell::at(line[1], Resolution::Nine)));
        assert!(Region::new(Resolution::Nine, [cells[0]]).is_passed_by(&line, &mut finder));
    }

    #[test]
    fn a_region_grows_ring_by_ring() {
        let home = cell::at(Place::new(106.55, 29.56).unwrap(), Resolution::Nine);
        let region = Region::new(Resolution::Nine, [home]);
        assert_eq!([0, 1, 2, 3].map(|rings| region.grown(rings).len()), [1, 7, 19, 37]);
        let tile = Region::of_tile(home.parent(Resolution::Seven).unwrap(), Resolution::Nine);
        assert_eq!(tile.len(), 49);
        assert_eq!(tile.lacks(&tile.grown(1)).len(), tile.grown(1).len() - 49);
        assert!(tile.lacks(&region).is_empty());
        assert_eq!(tile.grown(3).shrunk(3), tile);
        assert_eq!([1, 2, 3].map(|rings| region.grown(2).shrunk(rings).len()), [7, 1, 0]);
    }
}
