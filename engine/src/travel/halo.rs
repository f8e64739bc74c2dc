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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HangsOn {
    /// Facilities that its people reach: nearest, pairs, counts, capacities.
    Facilities,
    /// All who come to those: catchments in which they share them.
    TheirPeople,
    /// All that those people reach: catchments in which they choose.
    TheirChoices,
}

impl HangsOn {
    /// Where each of the walks begins: forth from homes, back from doors, and forth again.
    fn walks(self) -> &'static [Side] {
        &[Side::Homes, Side::Doors, Side::Homes][..=self as usize]
    }
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
    let zone = own.grown(joining_rings(farthest_m, cells.resolution));
    let mut reached: BTreeSet<CellIndex> = zone.cells().collect();
    let mut beyond: BTreeSet<CellIndex> = BTreeSet::new();
    for walk in walks {
        let network = walk.network;
        let joined = |edge: usize| cells.of_edge(edge).iter().any(|&cell| zone.has(cell));
        let mut edges: BTreeSet<usize> = (0..network.edge_count()).filter(|&edge| joined(edge)).collect();
        for &side in what.walks() {
            for (node, time_ds) in within(walk, side, &edges, cutoff_ds, progress)? {
                edges.extend(network.around(node).iter().map(|end| end.edge()));
                let home = cell::at(network.node_place[node], cells.resolution);
                if !seen.has(home) {
                    let left_m = f64::from(cutoff_ds - time_ds) / 10.0 * GUESS_MPS;
                    let around = Region::new(cells.resolution, [home]);
                    beyond.extend(around.grown(region::rings(left_m, cells.resolution)).cells());
                }
            }
        }
        reached.extend(edges.iter().flat_map(|&edge| cells.of_edge(edge)));
    }
    let rings = deciding_rings(farthest_m, cells.resolution);
    let region = Region::new(cells.resolution, reached).grown(rings);
    let guess = region.clone().and(Region::new(cells.resolution, beyond).grown(rings).cells());
    Ok(Needed { region, guess })
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
