//! How far each small cell of ground lies from the nearest street, around some places only.

use super::graph::Network;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::plane::Plane;
use crate::model::progress::Progress;
use crate::model::street::WayKind;
use geo::Coord;
use std::collections::BTreeSet;

/// Side of a cell, metres: finer than the pavement and the rounding of map platforms.
pub const CELL_M: f64 = 5.0;
/// Distances are kept in quarters of a metre; everything beyond is far.
pub const PER_METRE: f64 = 4.0;
pub const FAR: u8 = u8::MAX;
/// Cells of a tile's side.
const TILE: i32 = 64;
/// Streets are looked at in pieces of at most this length (metres), so that the box around one is small.
const PIECE_M: f64 = 100.0;
/// Edges between two looks at the stop button: about a millisecond.
const EDGES_PER_LOOK: usize = 256;
/// In the table of tiles: none here.
const NO_TILE: u32 = u32::MAX;

/// A cell, counted east and north from the origin of the plane.
pub type Cell = (i32, i32);

/// The cell of a point of the plane.
pub fn cell_at(at: Coord) -> Cell {
    ((at.x / CELL_M).floor() as i32, (at.y / CELL_M).floor() as i32)
}

/// The tile of a cell.
pub fn tile_of((x, y): Cell) -> Cell {
    (x.div_euclid(TILE), y.div_euclid(TILE))
}

/// Distances to the nearest street by cell, in tiles that are only where they are wanted.
#[derive(Debug)]
pub struct StreetField {
    west: i32,
    south: i32,
    columns: i32,
    rows: i32,
    number: Vec<u32>,
    distance: Vec<u8>,
}

impl StreetField {
    /// Lay the streets of a network into the wanted tiles. `to_wgs84` brings the network's places to the plane's system.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped.
    pub fn new(
        network: &Network,
        plane: &Plane,
        to_wgs84: impl Fn(Place) -> Place,
        wanted: &BTreeSet<Cell>,
        progress: &Progress,
    ) -> Result<Self> {
        let mut field = Self::empty(wanted);
        for edge in 0..network.edge_count() {
            if edge % EDGES_PER_LOOK == 0 {
                progress.check()?;
            }
            if !is_drawn(network.edges.kind[edge]) {
                continue;
            }
            let line = network.vertices_of(edge).iter().map(|&place| plane.flat(to_wgs84(place)));
            let line: Vec<Coord> = line.collect();
            line.windows(2).for_each(|ends| field.lay(ends[0], ends[1]));
        }
        Ok(field)
    }

    fn empty(wanted: &BTreeSet<Cell>) -> Self {
        let range = |of: fn(&Cell) -> i32| {
            let least = wanted.iter().map(of).min().unwrap_or_default();
            (least, wanted.iter().map(of).max().unwrap_or_default() - least + 1)
        };
        let ((west, columns), (south, rows)) = (range(|tile| tile.0), range(|tile| tile.1));
        let mut number = vec![NO_TILE; (columns * rows) as usize];
        for (count, tile) in (0..).zip(wanted) {
            number[((tile.1 - south) * columns + tile.0 - west) as usize] = count;
        }
        let distance = vec![FAR; wanted.len() * (TILE * TILE) as usize];
        Self { west, south, columns, rows, number, distance }
    }

    /// Quarters of a metre between the middle of a cell and the nearest street; [`FAR`] beyond, and where nothing is laid.
    pub fn at(&self, cell: Cell) -> u8 {
        self.position(cell).map_or(FAR, |position| self.distance[position])
    }

    fn position(&self, cell: Cell) -> Option<usize> {
        let tile = tile_of(cell);
        let (column, row) = (tile.0 - self.west, tile.1 - self.south);
        if !(0..self.columns).contains(&column) || !(0..self.rows).contains(&row) {
            return None;
        }
        let number = self.number[(row * self.columns + column) as usize];
        let inside = cell.1.rem_euclid(TILE) * TILE + cell.0.rem_euclid(TILE);
        (number != NO_TILE).then(|| number as usize * (TILE * TILE) as usize + inside as usize)
    }

    fn lay(&mut self, start: Coord, end: Coord) {
        let pieces = ((end.x - start.x).hypot(end.y - start.y) / PIECE_M).ceil().max(1.0);
        let at = |share: f64| Coord {
            x: start.x + (end.x - start.x) * share,
            y: start.y + (end.y - start.y) * share,
        };
        for piece in 0..pieces as usize {
            self.lay_piece(at(piece as f64 / pieces), at((piece as f64 + 1.0) / pieces));
        }
    }

    fn lay_piece(&mut self, start: Coord, end: Coord) {
        let far_m = f64::from(FAR) / PER_METRE;
        let low = cell_at(Coord { x: start.x.min(end.x) - far_m, y: start.y.min(end.y) - far_m });
        let high = cell_at(Coord { x: start.x.max(end.x) + far_m, y: start.y.max(end.y) + far_m });
        let tiles = [low, (low.0, high.1), (high.0, low.1), high];
        // The box is smaller than a tile, so its corners touch every tile that it does.
        if tiles.into_iter().all(|corner| self.position(corner).is_none()) {
            return;
        }
        for y in low.1..=high.1 {
            for x in low.0..=high.0 {
                let Some(position) = self.position((x, y)) else { continue };
                let middle = Coord { x: (f64::from(x) + 0.5) * CELL_M, y: (f64::from(y) + 0.5) * CELL_M };
                let quarters = (distance_m(middle, start, end) * PER_METRE).min(f64::from(FAR)) as u8;
                self.distance[position] = self.distance[position].min(quarters);
            }
        }
    }
}

/// Whether a kind of way is a line on the ground: nobody has drawn the walks across a square, and lifts, cableways and ferries
/// say nothing about where houses stand.
fn is_drawn(kind: WayKind) -> bool {
    !matches!(kind, WayKind::Square | WayKind::Lift | WayKind::Cableway | WayKind::Ferry)
}

/// Distance between a point and a straight line between two, metres.
fn distance_m(point: Coord, start: Coord, end: Coord) -> f64 {
    let (x, y) = (end.x - start.x, end.y - start.y);
    let squared = x * x + y * y;
    let along = (point.x - start.x) * x + (point.y - start.y) * y;
    let share = if squared > 0.0 { (along / squared).clamp(0.0, 1.0) } else { 0.0 };
    (start.x + x * share - point.x).hypot(start.y + y * share - point.y)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Slow twin: every cell against every street.
        #[test]
        fn every_cell_knows_its_nearest_street(
            corners in proptest::collection::vec((-400.0..900.0, -300.0..700.0), 2..12),
        ) {
            let wanted: BTreeSet<Cell> = [(0, 0), (-1, 0), (0, 1), (2, -1)].into();
            let mut field = StreetField::empty(&wanted);
            let corners: Vec<Coord> = corners.into_iter().map(|(x, y)| Coord { x, y }).collect();
            corners.windows(2).for_each(|ends| field.lay(ends[0], ends[1]));
            for cell in (-80..200).step_by(7).flat_map(|x| (-80..140).step_by(5).map(move |y| (x, y))) {
                let middle = Coord { x: (f64::from(cell.0) + 0.5) * CELL_M, y: (f64::from(cell.1) + 0.5) * CELL_M };
                let nearest_m = corners.windows(2).map(|ends| distance_m(middle, ends[0], ends[1]));
                let nearest_m = nearest_m.fold(f64::INFINITY, f64::min);
                let found = field.at(cell);
                if wanted.contains(&tile_of(cell)) {
                    let expected = (nearest_m * PER_METRE).min(f64::from(FAR));
                    // Cut into pieces, a line is rounded anew.
                    prop_assert!((f64::from(found) - expected.floor()).abs() <= 1.0, "{cell:?} {found} {expected}");
                    prop_assert!((f64::from(found) - expected).abs() < 1.0 + 1e-6);
                } else {
                    prop_assert_eq!(found, FAR);
                }
            }
        }
    }
}
