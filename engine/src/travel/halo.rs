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
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::region::{self, Region, STEP_M, cells_along};
use crate::model::times::Deciseconds;
use crate::network::graph::Network;
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// A street's cells are those of its points; a place joins it between two of them.
const BESIDE_M: f64 = STEP_M / 2.0 + 1.0;

/// Metres per second at which the ground beyond what is seen is guessed; only the number of tries hangs on it.
const GUESS_MPS: f64 = 1.5;

/// The cells that every edge passes.
#[derive(Debug)]
pub struct EdgeCells {
    resolution: Resolution,
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
        let parts = edges.par_chunks(1024).map(|edges| {
            progress.check()?;
            Ok(edges
                .iter()
                .map(|&edge| cells_along(network.vertices_of(edge), resolution))
                .collect::<Vec<_>>())
        });
        let mut all = Self { resolution, first: vec![0], cells: Vec::new() };
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
        let mut edges = asking.joined(&own.grown(joining_rings(farthest_m, cells.resolution)));
        asking.walk(Side::Homes, &mut edges, &mut beyond)?;
        if let HangsOn::TheirPeople(doors) | HangsOn::TheirChoices(doors) = what {
            let doors = asking.doors(&edges, doors);
            edges.extend(asking.joined(&doors));
            reached = reached.and(doors.cells());
            asking.walk(Side::Doors, &mut edges, &mut beyond)?;
        }
        if let HangsOn::TheirChoices(_) = what {
            asking.walk(Side::Homes, &mut edges, &mut beyond)?;
        }
        reached = reached.and(asking.ground(&edges).cells());
    }
    let rings = deciding_rings(farthest_m, cells.resolution);
    let region = reached.grown(rings);
    let guess = region.clone().and(Region::new(cells.resolution, beyond).grown(rings).cells());
    Ok(Needed { region, guess })
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
    /// The edges that pass a region.
    fn joined(&self, region: &Region) -> BTreeSet<usize> {
        let passes = |&edge: &usize| self.cells.of_edge(edge).iter().any(|&cell| region.has(cell));
        (0..self.walk.network.edge_count()).filter(passes).collect()
    }

    /// The cells of edges.
    fn ground(&self, edges: &BTreeSet<usize>) -> Region {
        Region::new(self.cells.resolution, edges.iter().flat_map(|&edge| self.cells.of_edge(edge)).copied())
    }

    /// Where streets lie that any door joins of a facility one of whose doors may join these edges.
    fn doors(&self, edges: &BTreeSet<usize>, doors: &[Vec<Place>]) -> Region {
        let rings = joining_rings(self.walk.max_snap_m(), self.cells.resolution);
        let near = self.ground(edges).grown(rings);
        let reached = doors.iter().filter(|doors| doors.iter().any(|&door| near.holds(door)));
        let cells = reached.flatten().map(|&door| cell::at(door, self.cells.resolution));
        Region::new(self.cells.resolution, cells).grown(rings)
    }

    /// Add the edges at all nodes that are reached within the cut-off from either end of some edges; and to what is beyond what is
    /// seen where the walk ran out of it.
    fn walk(&self, side: Side, edges: &mut BTreeSet<usize>, beyond: &mut BTreeSet<CellIndex>) -> Result<()> {
        let (network, resolution) = (self.walk.network, self.cells.resolution);
        for (node, time_ds) in within(self.walk, side, edges, self.cutoff_ds, self.progress)? {
            edges.extend(network.around(node).iter().map(|end| end.edge()));
            let here = cell::at(network.node_place[node], resolution);
            if !self.seen.has(here) {
                let left_m = f64::from(self.cutoff_ds - time_ds) / 10.0 * GUESS_MPS;
                let around = Region::new(resolution, [here]).grown(region::rings(left_m, resolution));
                beyond.extend(around.cells());
            }
        }
        Ok(())
    }
}

/// The nodes that are reached within the cut-off from either end of some edges, with the time.
fn within(
    walk: &Walk<'_>,
    side: Side,
    edges: &BTreeSet<usize>,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<Vec<(usize, Deciseconds)>> {
    type Label = Lanes<u32, 0, 1>;
    let (network, order) = (walk.network, walk.network.order());
    let mut labels = vec![<Label as super::lanes::Label>::NONE; network.node_count()];
    let mut seeds = Vec::new();
    for &edge in edges {
        for node in [network.edges.from[edge], network.edges.to[edge]] {
            let position = order.position[node as usize];
            if labels[position as usize].offer(0, 0, 0, cutoff_ds) {
                seeds.push(position);
            }
        }
    }
    sweep::settle(walk.arcs(side), &mut labels, seeds, progress)?;
    let reached = (0..labels.len()).filter_map(|position| {
        let (time_ds, _) = labels[position].get(0, cutoff_ds)?;
        Some((order.node_at[position] as usize, time_ds))
    });
    Ok(reached.collect())
}
