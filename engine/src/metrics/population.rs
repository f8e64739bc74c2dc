//! People brought to the cells of the study: whoever comes in comes out.

use super::overlap::overlap;
use crate::model::cell;
use crate::model::error::{Error, Result};
use crate::model::place::Place;
use crate::model::population::{Cells, Dwellings, Group, Home, Households};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use geo::{BoundingRect, MultiPolygon};
use h3o::geom::{ContainmentMode, TilerBuilder};
use h3o::{CellIndex, Resolution};
use std::collections::{BTreeMap, HashMap};

/// Where people can be, by cell of the study: how much, and the mean place of it.
#[derive(Debug, Default)]
pub struct Room {
    by_cell: HashMap<CellIndex, Spot>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Spot {
    weight: f64,
    lon: f64,
    lat: f64,
}

impl Room {
    /// Sum the weights of places by cell. Places must not straddle the antimeridian within one cell.
    pub fn new(dwellings: &Dwellings, resolution: Resolution) -> Self {
        let mut by_cell: HashMap<CellIndex, Spot> = HashMap::new();
        for (&place, &weight) in dwellings.place.iter().zip(&dwellings.weight) {
            if weight > 0.0 {
                let spot = by_cell.entry(cell::at(place, resolution)).or_default();
                spot.weight += weight;
                spot.lon += place.lon() * weight;
                spot.lat += place.lat() * weight;
            }
        }
        Self { by_cell }
    }

    fn weight(&self, cell: CellIndex) -> f64 {
        self.by_cell.get(&cell).map_or(0.0, |spot| spot.weight)
    }

    /// The mean place of what is in a cell; its centre where nothing is.
    fn place(&self, cell: CellIndex) -> Place {
        let mean = |spot: &Spot| Place::new(spot.lon / spot.weight, spot.lat / spot.weight);
        self.by_cell.get(&cell).and_then(mean).unwrap_or_else(|| cell::centre(cell))
    }
}

/// Where people can be, best knowledge first.
#[derive(Debug, Default)]
pub struct Evidence {
    /// Residential buildings by floor area.
    pub buildings: Room,
    /// Walkable streets by length.
    pub streets: Room,
}

impl Evidence {
    /// Where the people of a cell step out.
    fn place(&self, cell: CellIndex) -> Place {
        let rooms = [&self.buildings, &self.streets];
        let room = rooms.into_iter().find(|room| room.weight(cell) > 0.0).unwrap_or(&self.streets);
        room.place(cell)
    }

    /// Cells and shares (adding up to 1) by the best evidence that there is; by area where there is none.
    fn share_out(&self, cells: &[(CellIndex, f64)]) -> Vec<(CellIndex, f64)> {
        for room in [&self.buildings, &self.streets] {
            let total: f64 = cells.iter().map(|&(cell, _)| room.weight(cell)).sum();
            if total > 0.0 {
                let weights = cells.iter().map(|&(cell, _)| (cell, room.weight(cell) / total));
                return weights.filter(|(_, share)| *share > 0.0).collect();
            }
        }
        let total: f64 = cells.iter().map(|(_, area)| area).sum();
        cells.iter().map(|&(cell, area)| (cell, area / total)).collect()
    }
}

/// Bring people to cells.
///
/// A coarser cell is refined to where people can be: to its children by floor area of residential buildings, else by
/// length of walkable streets, else by area. A finer cell goes to its parent, a point to its cell, an outline to the
/// cells it covers, by area. Every sum is taken in the order of the rows and cells, so the answer does not change
/// from run to run.
///
/// # Errors
/// A problem when a home has more cells than the limit; [`Error::Cancelled`] when the user stopped.
pub fn to_cells(
    households: &Households,
    resolution: Resolution,
    evidence: &Evidence,
    progress: &Progress,
) -> Result<Cells> {
    progress.begin("people to cells", households.home.len())?;
    let columns = 1 + households.groups.len();
    let mut sums: BTreeMap<CellIndex, Vec<f64>> = BTreeMap::new();
    for (row, home) in households.home.iter().enumerate() {
        let shares = shares(home, resolution, evidence).map_err(|fault| too_many(home, fault))?;
        for (cell, share) in shares {
            let sum = sums.entry(cell).or_insert_with(|| vec![0.0; columns]);
            sum[0] += households.people[row] * share;
            for (column, group) in sum[1..].iter_mut().zip(&households.groups) {
                *column += group.people[row] * share;
            }
        }
        progress.step(1)?;
    }
    Ok(Cells {
        place: sums.keys().map(|&cell| evidence.place(cell)).collect(),
        people: sums.values().map(|sum| sum[0]).collect(),
        groups: (1..columns)
            .map(|column| Group {
                name: households.groups[column - 1].name.clone(),
                people: sums.values().map(|sum| sum[column]).collect(),
            })
            .collect(),
        cell: sums.into_keys().collect(),
    })
}

/// Spread a total over residential buildings by floor area.
pub fn from_buildings(
    dwellings: &Dwellings,
    total: f64,
    resolution: Resolution,
    evidence: &Evidence,
) -> Cells {
    let floor_area_m2: f64 = dwellings.weight.iter().sum();
    let mut people: BTreeMap<CellIndex, f64> = BTreeMap::new();
    for (&place, &weight) in dwellings.place.iter().zip(&dwellings.weight) {
        *people.entry(cell::at(place, resolution)).or_default() += total * weight / floor_area_m2;
    }
    Cells {
        place: people.keys().map(|&cell| evidence.place(cell)).collect(),
        people: people.values().copied().collect(),
        groups: Vec::new(),
        cell: people.into_keys().collect(),
    }
}

/// The problem of a home that has too many cells, with its cell or the middle of its outline.
fn too_many(home: &Home, fault: Fault) -> Error {
    let value = match home {
        Home::Point(place) => format!("{} {}", place.lon(), place.lat()),
        Home::Cell(cell) => cell.to_string(),
        Home::Outline(outline) => {
            let middle = outline.bounding_rect().map(geo::Rect::center).unwrap_or_default();
            format!("{:.4} {:.4}", middle.x, middle.y)
        }
    };
    Problem::of_file("population", fault).with_value(value).into()
}

type Shares = Vec<(CellIndex, f64)>;

/// The cells of a home with shares that add up to 1.
fn shares(home: &Home, resolution: Resolution, evidence: &Evidence) -> std::result::Result<Shares, Fault> {
    Ok(match home {
        Home::Point(place) => vec![(cell::at(*place, resolution), 1.0)],
        Home::Cell(cell) => {
            if let Some(parent) = cell.parent(resolution) {
                return Ok(vec![(parent, 1.0)]);
            }
            cell::refuse_too_many(resolution, |finer| cell.children_count(finer))?;
            let children: Vec<_> = cell.children(resolution).map(|child| (child, child.area_m2())).collect();
            evidence.share_out(&children)
        }
        Home::Outline(outline) => outline_shares(outline, resolution)?,
    })
}

/// Cells that an outline touches, by the area of the overlap. An outline too small for its overlaps to be measured is
/// a point.
fn outline_shares(outline: &MultiPolygon, resolution: Resolution) -> std::result::Result<Shares, Fault> {
    let overlaps: Shares = cells_touching(outline, resolution)?
        .into_iter()
        .map(|cell| (cell, overlap(&cell::outline(cell), outline)))
        .filter(|(_, area)| *area > 0.0)
        .collect();
    let total: f64 = overlaps.iter().map(|(_, area)| area).sum();
    if total > 0.0 {
        return Ok(overlaps.into_iter().map(|(cell, area)| (cell, area / total)).collect());
    }
    let middle = outline.bounding_rect().map(geo::Rect::center).unwrap_or_default();
    let place = Place::new(middle.x, middle.y).expect("outlines are checked at the door");
    Ok(vec![(cell::at(place, resolution), 1.0)])
}

/// All cells that share a point with an outline, ascending.
///
/// # Errors
/// A fault when there would be more than the limit; it is estimated before any is made.
pub fn cells_touching(
    outline: &MultiPolygon,
    resolution: Resolution,
) -> std::result::Result<Vec<CellIndex>, Fault> {
    cell::refuse_too_many(resolution, |resolution| cell::estimate(outline, resolution))?;
    let mut tiler = TilerBuilder::new(resolution).containment_mode(ContainmentMode::Covers).build();
    for polygon in &outline.0 {
        // A ring without extent covers nothing; the caller treats what is left as a point.
        let _ = tiler.add(polygon.clone());
    }
    let mut cells: Vec<CellIndex> = tiler.into_coverage().collect();
    cells.sort_unstable();
    cells.dedup();
    Ok(cells)
}
