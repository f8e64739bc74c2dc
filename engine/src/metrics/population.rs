//! People brought to the cells of the study: whoever comes in comes out.

use super::inside::Inside;
use super::overlap::overlap;
use crate::model::cell;
use crate::model::error::{Error, Result};
use crate::model::finder::cells_at;
use crate::model::place::Place;
use crate::model::population::{ByEvidence, Cells, Dwellings, Group, Home, Residents, Spread};
use crate::model::population_fault::PopulationFault;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use geo::{BoundingRect, Coord, MultiPolygon};
use h3o::geom::{ContainmentMode, TilerBuilder};
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use rstar::primitives::GeomWithData;
use rstar::{AABB, RTree};
use std::borrow::Cow;
use std::collections::{BTreeMap, HashMap};
use std::sync::OnceLock;

/// Where people can be, by cell of the study: how much, and the mean place of it.
#[derive(Debug, Default, Clone)]
pub struct ByCell(HashMap<CellIndex, Spot>);

/// What is in one cell: the sum of weights, and of weighted degrees.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
pub struct Spot {
    /// Floor area of homes, or length of streets.
    pub weight: f64,
    /// Sum of longitudes times weights.
    pub lon: f64,
    /// Sum of latitudes times weights.
    pub lat: f64,
}

impl ByCell {
    /// Sum the weights of places by cell, in their order. Places must not straddle the antimeridian within one cell.
    pub fn of(dwellings: &Dwellings, resolution: Resolution) -> Self {
        let cells = cells_at(&dwellings.place, resolution);
        let mut spots: HashMap<CellIndex, Spot> = HashMap::new();
        for ((cell, &place), &weight) in cells.into_iter().zip(&dwellings.place).zip(&dwellings.weight) {
            if weight > 0.0 {
                let spot = spots.entry(cell).or_default();
                spot.weight += weight;
                spot.lon += place.lon() * weight;
                spot.lat += place.lat() * weight;
            }
        }
        Self(spots)
    }

    /// Cells with what is in them; of cells that come twice the last counts.
    pub fn new(spots: impl IntoIterator<Item = (CellIndex, Spot)>) -> Self {
        Self(spots.into_iter().collect())
    }

    /// All cells with what is in them, ascending.
    pub fn sorted(&self) -> Vec<(CellIndex, Spot)> {
        let mut spots: Vec<(CellIndex, Spot)> = self.0.iter().map(|(&cell, &spot)| (cell, spot)).collect();
        spots.sort_unstable_by_key(|(cell, _)| *cell);
        spots
    }

    /// Whether there is nothing anywhere.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// With the cells of another.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    fn weight(&self, cell: CellIndex) -> f64 {
        self.0.get(&cell).map_or(0.0, |spot| spot.weight)
    }

    /// The mean place of what is in a cell; its centre where nothing is.
    fn place(&self, cell: CellIndex) -> Place {
        let mean = |spot: &Spot| Place::new(spot.lon / spot.weight, spot.lat / spot.weight);
        self.0.get(&cell).and_then(mean).unwrap_or_else(|| cell::centre(cell))
    }
}

/// Places that weigh something and are looked for in outlines.
pub trait InOutlines: Sync {
    /// The weight of those in an outline by cell, cells ascending; each cell's sum runs in the order of the places.
    ///
    /// # Errors
    /// What reading them says, where they are not in memory.
    fn in_outline(&self, outline: &MultiPolygon) -> Result<Vec<(CellIndex, f64)>>;
}

/// Places in memory.
#[derive(Debug)]
pub struct Room<'d> {
    dwellings: Cow<'d, Dwellings>,
    resolution: Resolution,
    /// Row of each dwelling by its place; built when an outline asks first.
    index: OnceLock<RTree<GeomWithData<[f64; 2], u32>>>,
}

impl InOutlines for Room<'_> {
    fn in_outline(&self, outline: &MultiPolygon) -> Result<Vec<(CellIndex, f64)>> {
        Ok(self.weights_of(&self.within(outline)))
    }
}

impl<'d> Room<'d> {
    /// Places, and the resolution of the cells by which they are added up.
    pub fn new(dwellings: &'d Dwellings, resolution: Resolution) -> Self {
        Self { dwellings: Cow::Borrowed(dwellings), resolution, index: OnceLock::new() }
    }

    /// The same of places that are nobody else's.
    pub fn of(dwellings: Dwellings, resolution: Resolution) -> Room<'static> {
        Room { dwellings: Cow::Owned(dwellings), resolution, index: OnceLock::new() }
    }

    /// These places as streets.
    pub fn streets(&self) -> Streets<'_> {
        Streets { by_cell: ByCell::of(&self.dwellings, self.resolution), lines: self }
    }

    /// Rows of the dwellings whose place lies in an outline, ascending. A building counts where its centre is, whole.
    fn within(&self, outline: &MultiPolygon) -> Vec<u32> {
        let Some(frame) = outline.bounding_rect() else { return Vec::new() };
        let index = self.index.get_or_init(|| {
            let site = |(row, place): (u32, &Place)| GeomWithData::new([place.lon(), place.lat()], row);
            RTree::bulk_load((0..).zip(&self.dwellings.place).map(site).collect())
        });
        let inside = Inside::new(outline);
        let frame = AABB::from_corners([frame.min().x, frame.min().y], [frame.max().x, frame.max().y]);
        let holds = |site: &&GeomWithData<[f64; 2], u32>| {
            inside.holds(Coord { x: site.geom()[0], y: site.geom()[1] })
        };
        let mut rows: Vec<u32> =
            index.locate_in_envelope(&frame).filter(holds).map(|site| site.data).collect();
        rows.sort_unstable();
        rows
    }

    /// The cells of these dwellings, with their weight.
    fn weights_of(&self, rows: &[u32]) -> Vec<(CellIndex, f64)> {
        let mut weights: BTreeMap<CellIndex, f64> = BTreeMap::new();
        for &row in rows {
            let (place, weight) = (self.dwellings.place[row as usize], self.dwellings.weight[row as usize]);
            if weight > 0.0 {
                *weights.entry(cell::at(place, self.resolution)).or_default() += weight;
            }
        }
        weights.into_iter().collect()
    }
}

/// Weights divided by their sum; none where they add up to nothing.
fn in_shares(weights: Vec<(CellIndex, f64)>) -> Vec<(CellIndex, f64)> {
    let total: f64 = weights.iter().map(|(_, weight)| weight).sum();
    let positive = weights.into_iter().filter(|(_, weight)| *weight > 0.0);
    positive.map(|(cell, weight)| (cell, weight / total)).collect()
}

/// Where people can be, best knowledge first.
pub struct Evidence<'d> {
    /// Residential buildings by floor area.
    buildings: Buildings<'d>,
    /// Walkable streets by length, as points that stand for some metres each.
    streets: Streets<'d>,
}

struct Buildings<'d> {
    by_cell: ByCell,
    room: Room<'d>,
}

/// Walkable streets: how much of them is in each cell, and what finds them in outlines.
pub struct Streets<'d> {
    /// By cell.
    pub by_cell: ByCell,
    /// By outline.
    pub lines: &'d dyn InOutlines,
}

/// By which evidence the people of a row came to their cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Basis {
    Placed,
    Buildings,
    Streets,
    Area,
}

/// What was found, or what is wrong with the home.
type OrFault<T> = std::result::Result<T, Fault>;

/// The cells of one row of people.
struct Shares {
    basis: Basis,
    /// Cells with shares that add up to 1.
    cells: Vec<(CellIndex, f64)>,
    /// Rows of the buildings in the outline, where buildings were looked for.
    buildings: Vec<u32>,
}

impl Shares {
    fn new(basis: Basis, cells: Vec<(CellIndex, f64)>) -> Self {
        Self { basis, cells, buildings: Vec::new() }
    }
}

impl<'d> Evidence<'d> {
    /// Evidence from residential buildings and streets.
    pub fn new(buildings: &'d Dwellings, streets: Streets<'d>, resolution: Resolution) -> Self {
        let by_cell = ByCell::of(buildings, resolution);
        Self { buildings: Buildings { by_cell, room: Room::new(buildings, resolution) }, streets }
    }

    /// What there is of a kind by cell.
    pub fn by_cell(&self, streets: bool) -> &ByCell {
        if streets { &self.streets.by_cell } else { &self.buildings.by_cell }
    }

    /// Where the people of a cell step out.
    fn place(&self, cell: CellIndex) -> Place {
        let buildings = &self.buildings.by_cell;
        if buildings.weight(cell) > 0.0 { buildings.place(cell) } else { self.streets.by_cell.place(cell) }
    }

    /// What people may be spread by, best first.
    fn bases(spread: Spread) -> &'static [Basis] {
        match spread {
            Spread::Buildings => &[Basis::Buildings, Basis::Streets],
            Spread::Streets => &[Basis::Streets],
            Spread::Area => &[],
        }
    }

    /// The cells of a home.
    fn shares(&self, home: &Home, resolution: Resolution, spread: Spread) -> Result<OrFault<Shares>> {
        Ok(match home {
            Home::Point(place) => Ok(Shares::new(Basis::Placed, vec![(cell::at(*place, resolution), 1.0)])),
            Home::Cell(cell) => match cell.parent(resolution) {
                Some(parent) => Ok(Shares::new(Basis::Placed, vec![(parent, 1.0)])),
                None => self.shares_of_cell(*cell, resolution, spread),
            },
            Home::Outline(outline) => return self.shares_of_outline(outline, resolution, spread),
        })
    }

    fn shares_of_cell(&self, cell: CellIndex, resolution: Resolution, spread: Spread) -> OrFault<Shares> {
        cell::refuse_too_many(resolution, |finer| cell.children_count(finer))?;
        let by_weight = |&basis: &Basis| {
            let by_cell = self.by_cell(basis == Basis::Streets);
            let weights = cell.children(resolution).map(|child| (child, by_cell.weight(child)));
            Some(Shares::new(basis, in_shares(weights.collect()))).filter(|shares| !shares.cells.is_empty())
        };
        let best = Self::bases(spread).iter().find_map(by_weight);
        Ok(best.unwrap_or_else(|| {
            let areas = cell.children(resolution).map(|child| (child, child.area_m2()));
            Shares::new(Basis::Area, in_shares(areas.collect()))
        }))
    }

    fn shares_of_outline(
        &self,
        outline: &MultiPolygon,
        resolution: Resolution,
        spread: Spread,
    ) -> Result<OrFault<Shares>> {
        let mut buildings = Vec::new();
        for &basis in Self::bases(spread) {
            let weights = if basis == Basis::Buildings {
                buildings = self.buildings.room.within(outline);
                self.buildings.room.weights_of(&buildings)
            } else {
                self.streets.lines.in_outline(outline)?
            };
            let cells = in_shares(weights);
            if !cells.is_empty() {
                return Ok(Ok(Shares { basis, cells, buildings }));
            }
        }
        let cells = outline_shares(outline, resolution);
        Ok(cells.map(|cells| Shares { basis: Basis::Area, cells, buildings }))
    }
}

/// People in their cells, and how they came there.
#[derive(Debug)]
pub struct Settled {
    /// The cells.
    pub cells: Cells,
    /// How many people came by which evidence.
    pub by: ByEvidence,
    /// What a planner should know about it.
    pub findings: Vec<Problem>,
}

/// Rows whose cells are looked for at once, by all threads: enough work to share, little to keep.
const ROWS_AT_ONCE: usize = 1024;

/// Bring people to cells.
///
/// A coarser cell is refined to its children and an outline to the cells in it by what `spread` says: by floor area of the
/// residential buildings whose centres lie in it, else by length of its walkable streets, else by area. A finer cell goes
/// to its parent, a point to its cell. Every sum is taken in the order of the rows and cells, so the answer does not
/// change from run to run, whatever the number of threads.
///
/// # Errors
/// A problem when a home has more cells than the limit; [`Error::Cancelled`] when the user stopped.
pub fn to_cells(
    residents: &Residents,
    resolution: Resolution,
    evidence: &Evidence<'_>,
    spread: Spread,
    progress: &Progress,
) -> Result<Settled> {
    progress.begin("people to cells", residents.home.len())?;
    let columns: Vec<&[f64]> = std::iter::once(&residents.people)
        .chain(&residents.households)
        .chain(residents.groups.iter().map(|group| &group.people))
        .map(Vec::as_slice)
        .collect();
    let mut sums: BTreeMap<CellIndex, Vec<f64>> = BTreeMap::new();
    let room = &evidence.buildings.room;
    let housed = vec![false; room.dwellings.place.len()];
    let mut account =
        Account { residents, room, spread, by: ByEvidence::default(), housed, findings: Vec::new() };
    for first in (0..residents.home.len()).step_by(ROWS_AT_ONCE) {
        let homes = &residents.home[first..residents.home.len().min(first + ROWS_AT_ONCE)];
        let found: Vec<Shares> = homes
            .par_iter()
            .enumerate()
            .map(|(row, home)| {
                progress.step(1)?;
                let shares = evidence.shares(home, resolution, spread)?;
                shares.map_err(|fault| too_many(residents, first + row, fault))
            })
            .collect::<Result<_>>()?;
        for (row, shares) in (first..).zip(found) {
            for &(cell, share) in &shares.cells {
                let sum = sums.entry(cell).or_insert_with(|| vec![0.0; columns.len()]);
                for (sum, column) in sum.iter_mut().zip(&columns) {
                    *sum += column[row] * share;
                }
            }
            account.add(row, &shares);
        }
    }
    let column = |number: usize| sums.values().map(|sum| sum[number]).collect::<Vec<f64>>();
    let first_group = 1 + usize::from(residents.households.is_some());
    let groups = (first_group..).zip(&residents.groups);
    let cells = Cells {
        place: sums.keys().map(|&cell| evidence.place(cell)).collect(),
        people: column(0),
        households: residents.households.is_some().then(|| column(1)),
        groups: groups.map(|(at, group)| Group { name: group.name.clone(), people: column(at) }).collect(),
        cell: sums.into_keys().collect(),
    };
    let (by, findings) = account.findings();
    Ok(Settled { cells, by, findings })
}

/// Who came to their cells by which evidence, and which buildings had nobody.
struct Account<'a> {
    residents: &'a Residents,
    room: &'a Room<'a>,
    spread: Spread,
    by: ByEvidence,
    /// Whether the outline of any row holds the building.
    housed: Vec<bool>,
    findings: Vec<Problem>,
}

impl Account<'_> {
    fn add(&mut self, row: usize, shares: &Shares) {
        let people = self.residents.people[row];
        *match shares.basis {
            Basis::Placed => &mut self.by.placed,
            Basis::Buildings => &mut self.by.buildings,
            Basis::Streets => &mut self.by.streets,
            Basis::Area => &mut self.by.area,
        } += people;
        for &building in &shares.buildings {
            self.housed[building as usize] = true;
        }
        if shares.basis == Basis::Area && self.spread != Spread::Area && people > 0.0 {
            self.findings.push(self.residents.problem(row, PopulationFault::NoHomes { people }.into()));
        }
    }

    /// What a planner should know: who was spread by less than the best evidence, and which homes are nobody's.
    fn findings(mut self) -> (ByEvidence, Vec<Problem>) {
        let file = &self.residents.file;
        if self.spread == Spread::Buildings && self.by.streets + self.by.area > 0.0 {
            let ByEvidence { buildings, streets, area, .. } = self.by;
            let fault = PopulationFault::PeopleSpread { buildings, streets, area };
            self.findings.push(Problem::of_file(file, fault.into()));
        }
        let in_outlines = self.residents.home.iter().any(|home| matches!(home, Home::Outline(_)));
        let outside = || (0..self.housed.len()).filter(|&building| !self.housed[building]);
        if in_outlines && self.spread == Spread::Buildings && outside().next().is_some() {
            let rows: Vec<u32> = outside().map(|building| building as u32).collect();
            // Cell by cell: the sum does not hang on the order in which buildings of different cells are read.
            let floor_area_m2 = self.room.weights_of(&rows).iter().map(|(_, weight)| weight).sum();
            let (buildings, of) = (outside().count(), self.housed.len());
            let fault = PopulationFault::HomesOutside { buildings, of, floor_area_m2 };
            self.findings.push(Problem::of_file(file, fault.into()));
        }
        (self.by, self.findings)
    }
}

/// Spread a total over cells by what is in them: residential buildings by floor area, or streets by length.
pub fn from_total(by_cell: &ByCell, total: f64, evidence: &Evidence<'_>) -> Cells {
    let spots = by_cell.sorted();
    let weight: f64 = spots.iter().map(|(_, spot)| spot.weight).sum();
    Cells {
        place: spots.iter().map(|&(cell, _)| evidence.place(cell)).collect(),
        people: spots.iter().map(|(_, spot)| total * spot.weight / weight).collect(),
        households: None,
        groups: Vec::new(),
        cell: spots.into_iter().map(|(cell, _)| cell).collect(),
    }
}

/// The problem of a home that has too many cells, with its cell or the middle of its outline.
fn too_many(residents: &Residents, row: usize, fault: Fault) -> Error {
    let value = match &residents.home[row] {
        Home::Point(place) => format!("{} {}", place.lon(), place.lat()),
        Home::Cell(cell) => cell.to_string(),
        Home::Outline(outline) => {
            let middle = outline.bounding_rect().map(geo::Rect::center).unwrap_or_default();
            format!("{:.4} {:.4}", middle.x, middle.y)
        }
    };
    residents.problem(row, fault).with_value(value).into()
}

/// Groups that have more people in some cells than there are, as rasters of two methods may say.
pub fn exceeding_groups(file: &str, cells: &Cells) -> Vec<Problem> {
    let mut findings = Vec::new();
    for group in &cells.groups {
        let excess: Vec<f64> = group
            .people
            .iter()
            .zip(&cells.people)
            .map(|(group, people)| group - people)
            .filter(|excess| *excess > 1e-6)
            .collect();
        if !excess.is_empty() {
            let fault =
                PopulationFault::MoreThanPeopleInCells { cells: excess.len(), excess: excess.iter().sum() };
            findings.push(Problem::of_file(file, fault.into()).in_column(&group.name));
        }
    }
    findings
}

/// Cells that an outline touches, by the area of the overlap. An outline too small for its overlaps to be measured is
/// a point.
fn outline_shares(outline: &MultiPolygon, resolution: Resolution) -> OrFault<Vec<(CellIndex, f64)>> {
    let overlaps: Vec<(CellIndex, f64)> = cells_touching(outline, resolution)?
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
    for polygon in cell::with_short_edges(outline) {
        // A ring without extent covers nothing; the caller treats what is left as a point.
        let _ = tiler.add(polygon);
    }
    let mut cells: Vec<CellIndex> = tiler.into_coverage().collect();
    cells.sort_unstable();
    cells.dedup();
    Ok(cells)
}
