//! How far a tile must see: everything that people may walk to within the cut-off, and what decides where places join streets
//! there.
//!
//! Found on the streets themselves and not from a speed, so that fast ways (cableways, escalators, surveyed seconds) count as
//! they are. The argument that this is enough is in docs/design/2026-11-tiles.md.

use super::arcs::Side;
use super::doors::Walk;
use super::lanes::Lanes;
use super::sweep;
use crate::model::cell;
use crate::model::error::Result;
use crate::model::finder::{Finder, cells_at};
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::region::{self, Region, STEP_M, cells_along};
use crate::model::times::Deciseconds;
use crate::network::graph::{CLOSED, EdgeEnd, Network};
use crate::network::weight::split;
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// A street's cells are those of its points; a place joins it between two of them.
const BESIDE_M: f64 = STEP_M / 2.0 + 1.0;

/// Edges that are not longer are taken as reached from end to end.
const SHORT_M: f64 = 300.0;

/// Metres per second at which the ground beyond what is seen is guessed; only the number of tries hangs on it.
const GUESS_MPS: f64 = 1.5;

/// The cells that every edge passes, and those of nodes.
#[derive(Debug)]
pub struct EdgeCells {
    resolution: Resolution,
    /// The cell of each node.
    pub node: Vec<CellIndex>,
    first: Vec<u32>,
    cells: Vec<CellIndex>,
}

impl EdgeCells {
    /// Look along every edge.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped.
    pub fn of(network: &Network, resolution: Resolution, progress: &Progress) -> Result<Self> {
        let edges: Vec<usize> = (0..network.edge_count()).collect();
        let parts = edges.par_chunks(1 << 14).map(|edges| {
            progress.check()?;
            let mut finder = Finder::new(resolution);
            Ok(edges
                .iter()
                .map(|&edge| cells_along(network.vertices_of(edge), &mut finder))
                .collect::<Vec<_>>())
        });
        let node = cells_at(&network.node_place, resolution);
        let mut all = Self { resolution, node, first: vec![0], cells: Vec::new() };
        for cells in parts.collect::<Result<Vec<_>>>()?.into_iter().flatten() {
            all.cells.extend(cells);
            all.first.push(all.cells.len() as u32);
        }
        Ok(all)
    }

    /// The cells of an edge.
    pub fn of_edge(&self, edge: usize) -> &[CellIndex] {
        &self.cells[self.first[edge] as usize..self.first[edge + 1] as usize]
    }
}

/// Rings of cells around a street that hold every place that may join it from so far.
pub fn joining_rings(farthest_m: f64, resolution: Resolution) -> u32 {
    region::rings(farthest_m + BESIDE_M, resolution)
}

/// Rings of cells around a street that hold all other streets that a place near it might join instead.
pub fn deciding_rings(farthest_m: f64, resolution: Resolution) -> u32 {
    region::rings(2.0 * (farthest_m + BESIDE_M), resolution)
}

/// What an answer of a home hangs on. Each is one walk farther than the one before.
#[derive(Debug, Clone, Copy)]
pub enum HangsOn<'a> {
    /// Facilities that its people reach: nearest, pairs, counts, capacities.
    Facilities,
    /// All who come to those by any of their doors (given for every facility): catchments in which they share them.
    TheirPeople(&'a [Vec<Place>]),
    /// All that those people reach: catchments in which they choose.
    TheirChoices(&'a [Vec<Place>]),
}

/// What a search must see so that its answers for all homes in a region are those of the whole network.
#[derive(Debug)]
pub struct Needed {
    /// The ground that must be seen.
    pub region: Region,
    /// The same, and what is likely to be asked for next where the search ran out of what it sees.
    pub guess: Region,
}

/// Everything that is reached within the cut-off from streets that homes in `own` may join, with what decides how places join
/// there. `seen` is where the network is whole. Answers for `own` are exact where `seen` holds all of it.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn needed(
    walks: &[Walk<'_>],
    cells: &EdgeCells,
    own: &Region,
    seen: &Region,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<Needed> {
    needed_for(HangsOn::Facilities, walks, cells, own, seen, cutoff_ds, progress)
}

/// The same for answers that hang on more than facilities.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn needed_for(
    what: HangsOn,
    walks: &[Walk<'_>],
    cells: &EdgeCells,
    own: &Region,
    seen: &Region,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<Needed> {
    let farthest_m = walks.iter().map(Walk::max_snap_m).fold(0.0, f64::max);
    let mut reached = own.grown(joining_rings(farthest_m, cells.resolution));
    let mut beyond: BTreeSet<CellIndex> = BTreeSet::new();
    for walk in walks {
        let asking = Asking { walk, cells, seen, cutoff_ds, progress };
        let mut streets = Reached::default();
        let zone = own.grown(joining_rings(farthest_m, cells.resolution));
        let seeds = asking.join(&zone, &mut streets);
        asking.walk(Side::Homes, seeds, &mut streets, &mut beyond)?;
        if let HangsOn::TheirPeople(doors) | HangsOn::TheirChoices(doors) = what {
            let doors = asking.doors(&streets, doors);
            let mut seeds = asking.ends(&streets);
            seeds.extend(asking.join(&doors, &mut streets));
            reached = reached.and(doors.cells());
            asking.walk(Side::Doors, seeds, &mut streets, &mut beyond)?;
        }
        if let HangsOn::TheirChoices(_) = what {
            asking.walk(Side::Homes, asking.ends(&streets), &mut streets, &mut beyond)?;
        }
        reached = reached.and(asking.ground(&streets).cells());
    }
    let rings = deciding_rings(farthest_m, cells.resolution);
    let region = reached.grown(rings);
    let guess = region.clone().and(Region::new(cells.resolution, beyond).grown(rings).cells());
    Ok(Needed { region, guess })
}

/// Streets that are reached: edges, and of those that are reached in part the cells where they are.
#[derive(Default)]
struct Reached {
    edges: BTreeSet<usize>,
    partly: BTreeMap<usize, BTreeSet<CellIndex>>,
}

impl Reached {
    fn add_whole(&mut self, edge: usize) {
        self.edges.insert(edge);
        self.partly.remove(&edge);
    }

    fn add_part(&mut self, edge: usize, cells: impl IntoIterator<Item = CellIndex>) {
        if self.edges.insert(edge) || self.partly.contains_key(&edge) {
            self.partly.entry(edge).or_default().extend(cells);
        }
    }
}

/// What one walker needs.
struct Asking<'a> {
    walk: &'a Walk<'a>,
    cells: &'a EdgeCells,
    seen: &'a Region,
    cutoff_ds: Deciseconds,
    progress: &'a Progress,
}

impl Asking<'_> {
    /// Add the edges that pass a region, as far as people come who join them there; and when they are at their ends.
    fn join(&self, region: &Region, streets: &mut Reached) -> Seeds {
        let network = self.walk.network;
        let passes = |&edge: &usize| self.cells.of_edge(edge).iter().any(|&cell| region.has(cell));
        let mut finder = Finder::new(self.cells.resolution);
        let mut seeds = Seeds::new();
        for edge in (0..network.edge_count()).filter(passes) {
            if network.edges.length_m[edge] <= SHORT_M {
                streets.add_whole(edge);
                seeds.extend(self.ends_of(edge));
                continue;
            }
            let (legs, cells) = self.out_of(region, edge, &mut finder);
            streets.add_part(edge, cells);
            let ends = self.ends_of(edge).into_iter().zip(legs).map(|((node, _), leg_ds)| (node, leg_ds));
            seeds.extend(ends.filter(|(_, leg_ds)| *leg_ds <= self.cutoff_ds));
        }
        seeds
    }

    /// Both ends of all streets, as if somebody set out there.
    fn ends(&self, streets: &Reached) -> Seeds {
        streets.edges.iter().flat_map(|&edge| self.ends_of(edge)).collect()
    }

    fn ends_of(&self, edge: usize) -> [(u32, Deciseconds); 2] {
        let edges = &self.walk.network.edges;
        [(edges.from[edge], 0), (edges.to[edge], 0)]
    }

    /// Where people come to on a long edge that they join in a region: when they are at its ends, and its cells as far as they come.
    fn out_of(
        &self,
        region: &Region,
        edge: usize,
        finder: &mut Finder,
    ) -> ([Deciseconds; 2], Vec<CellIndex>) {
        let points = self.points(edge, finder);
        let inside = |point: &Point| region.has(point.cell);
        // They may join it anywhere between two points.
        let first = points.iter().position(inside).unwrap_or(0).saturating_sub(1);
        let last =
            points.iter().rposition(inside).map_or(points.len() - 1, |at| (at + 1).min(points.len() - 1));
        let is_left = |between: Deciseconds| between > self.cutoff_ds;
        let mut cells: Vec<CellIndex> = points[first..=last].iter().map(|point| point.cell).collect();
        // What is connected hangs on the edge, and no other tile may see both of its ends.
        cells.extend(self.ends_of(edge).map(|(node, _)| self.cells.node[node as usize]));
        for point in points[..first].iter().rev() {
            cells.push(point.cell);
            if is_left(apart(points[first].from_start, point.from_start)) {
                break;
            }
        }
        for point in &points[last + 1..] {
            cells.push(point.cell);
            if is_left(apart(points[last].from_end, point.from_end)) {
                break;
            }
        }
        let quicker = |legs: [Deciseconds; 2]| legs[0].min(legs[1]);
        ([quicker(points[first].from_start), quicker(points[last].from_end)], cells)
    }

    /// Points of an edge from its start to its end, none far from the next.
    fn points(&self, edge: usize, finder: &mut Finder) -> Vec<Point> {
        let (walk, network) = (self.walk, self.walk.network);
        let line = network.vertices_of(edge);
        let pieces_m: Vec<f64> = line.windows(2).map(|ends| ends[0].distance_m(ends[1])).collect();
        let length_m: f64 = pieces_m.iter().sum();
        let mut point = |place: Place, at_m: f64| {
            let share = if length_m > 0.0 { (at_m / length_m).min(1.0) } else { 0.0 };
            let legs = split(network, walk.profile, &walk.times, edge, share);
            Point {
                cell: finder.at(place),
                from_start: [legs.from_start_ds, legs.to_start_ds],
                from_end: [legs.from_end_ds, legs.to_end_ds],
            }
        };
        let (mut points, mut passed_m) = (vec![point(line[0], 0.0)], 0.0);
        for (ends, piece_m) in line.windows(2).zip(pieces_m) {
            let steps = (piece_m / STEP_M).ceil().max(1.0);
            for step in 1..=steps as u32 {
                let share = f64::from(step) / steps;
                points.push(point(ends[0].short_way(ends[1], share), passed_m + piece_m * share));
            }
            passed_m += piece_m;
        }
        points
    }

    /// The cells of streets where they are reached.
    fn ground(&self, streets: &Reached) -> Region {
        let whole = streets.edges.iter().filter(|edge| !streets.partly.contains_key(edge));
        let whole = whole.flat_map(|&edge| self.cells.of_edge(edge));
        Region::new(self.cells.resolution, whole.chain(streets.partly.values().flatten()).copied())
    }

    /// Where streets lie that any door joins of a facility one of whose doors may join these edges.
    fn doors(&self, streets: &Reached, doors: &[Vec<Place>]) -> Region {
        let rings = joining_rings(self.walk.max_snap_m(), self.cells.resolution);
        let near = self.ground(streets).grown(rings);
        let reached = doors.iter().filter(|doors| doors.iter().any(|&door| near.holds(door)));
        let cells = reached.flatten().map(|&door| cell::at(door, self.cells.resolution));
        Region::new(self.cells.resolution, cells).grown(rings)
    }

    /// Add what is reached within the cut-off by those who are at some nodes so early; and to what is beyond what is seen where the
    /// walk ran out of it.
    fn walk(
        &self,
        side: Side,
        seeds: Seeds,
        streets: &mut Reached,
        beyond: &mut BTreeSet<CellIndex>,
    ) -> Result<()> {
        let (network, resolution) = (self.walk.network, self.cells.resolution);
        let reached = within(self.walk, side, seeds, self.cutoff_ds, self.progress)?;
        let time_ds: HashMap<usize, Deciseconds> = reached.iter().copied().collect();
        let mut finder = Finder::new(resolution);
        for (node, at_ds) in reached {
            for &end in network.around(node) {
                if time_ds.contains_key(&network.other_end(end)) {
                    streets.add_whole(end.edge());
                } else {
                    streets.add_part(end.edge(), self.part(end, at_ds, &mut finder));
                }
            }
            let here = self.cells.node[node];
            if !self.seen.has(here) {
                let left_m = f64::from(self.cutoff_ds - at_ds) / 10.0 * GUESS_MPS;
                let around = Region::new(resolution, [here]).grown(region::rings(left_m, resolution));
                beyond.extend(around.cells());
            }
        }
        Ok(())
    }

    /// The cells of an edge as far as it is reached from one of its ends, and of one point more.
    fn part(&self, end: EdgeEnd, at_ds: Deciseconds, finder: &mut Finder) -> Vec<CellIndex> {
        let mut points = self.points(end.edge(), finder);
        if !end.is_start() {
            points.reverse();
        }
        let legs = |point: &Point| if end.is_start() { point.from_start } else { point.from_end };
        let is_reached =
            |point: &&Point| at_ds + apart(legs(point), [0, 0]).min(self.cutoff_ds + 1) <= self.cutoff_ds;
        let count = points.iter().take_while(is_reached).count();
        points[..points.len().min(count + 1)].iter().map(|point| point.cell).collect()
    }
}

/// Nodes, and when people are there.
type Seeds = Vec<(u32, Deciseconds)>;

/// A point of an edge, and the time between it and either end: there, and back.
struct Point {
    cell: CellIndex,
    from_start: [Deciseconds; 2],
    from_end: [Deciseconds; 2],
}

/// The time between two points of an edge by the quicker direction, from those between them and one end.
fn apart(far: [Deciseconds; 2], near: [Deciseconds; 2]) -> Deciseconds {
    let of = |way: usize| if far[way] >= CLOSED { CLOSED } else { far[way].saturating_sub(near[way]) };
    of(0).min(of(1))
}

/// The nodes that are reached within the cut-off by those who are at some nodes so early, with the time.
fn within(
    walk: &Walk<'_>,
    side: Side,
    starts: Seeds,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<Vec<(usize, Deciseconds)>> {
    type Label = Lanes<u32, 0, 1>;
    let (network, order) = (walk.network, walk.network.order());
    let mut labels = vec![<Label as super::lanes::Label>::NONE; network.node_count()];
    let mut seeds = Vec::new();
    for (node, time_ds) in starts {
        let position = order.position[node as usize];
        if labels[position as usize].offer(0, time_ds, 0, cutoff_ds) {
            seeds.push(position);
        }
    }
    sweep::settle(walk.arcs(side), &mut labels, seeds, progress)?;
    let reached = (0..labels.len()).filter_map(|position| {
        let (time_ds, _) = labels[position].get(0, cutoff_ds)?;
        Some((order.node_at[position] as usize, time_ds))
    });
    Ok(reached.collect())
}
