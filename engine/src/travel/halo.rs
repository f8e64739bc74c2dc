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
use crate::model::region::{self, Region};
use crate::model::times::Deciseconds;
use crate::network::graph::Network;
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use std::collections::BTreeSet;

/// Points along a street are looked at in steps of at most this length, metres.
const STEP_M: f64 = 60.0;

/// A street's cells are those of its points; a place joins it between two of them, and may pass over a street behind a wall.
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
            Ok(edges.iter().map(|&edge| along(network.vertices_of(edge), resolution)).collect::<Vec<_>>())
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

/// The cells of points of a line that are close to one another; one cell after the other, some twice.
fn along(line: &[Place], resolution: Resolution) -> Vec<CellIndex> {
    let mut cells: Vec<CellIndex> =
        line.first().map(|&place| cell::at(place, resolution)).into_iter().collect();
    for ends in line.windows(2) {
        let steps = (ends[0].distance_m(ends[1]) / STEP_M).ceil().max(1.0);
        for step in 1..=steps as u32 {
            let place = ends[0].towards(ends[1], f64::from(step) / steps);
            let cell = cell::at(place, resolution);
            if cells.last() != Some(&cell) {
                cells.push(cell);
            }
        }
    }
    cells
}

/// Rings of cells around a street that hold every place that may join it from so far.
pub fn joining_rings(farthest_m: f64, resolution: Resolution) -> u32 {
    region::rings(farthest_m + BESIDE_M, resolution)
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
    let farthest_m = walks.iter().map(Walk::max_snap_m).fold(0.0, f64::max);
    let rings = joining_rings(farthest_m, cells.resolution);
    let zone = own.grown(rings);
    let mut reached: BTreeSet<CellIndex> = zone.cells().collect();
    let mut beyond: BTreeSet<CellIndex> = BTreeSet::new();
    for walk in walks {
        let network = walk.network;
        let near = (0..network.edge_count())
            .filter(|&edge| cells.of_edge(edge).iter().any(|&cell| zone.has(cell)))
            .collect::<Vec<_>>();
        for (node, time_ds) in within(walk, &near, cutoff_ds, progress)? {
            for end in network.around(node) {
                reached.extend(cells.of_edge(end.edge()));
            }
            let home = cell::at(network.node_place[node], cells.resolution);
            if !seen.has(home) {
                let left_m = f64::from(cutoff_ds - time_ds) / 10.0 * GUESS_MPS;
                let around = Region::new(cells.resolution, [home]);
                beyond.extend(around.grown(region::rings(left_m, cells.resolution)).cells());
            }
        }
        reached.extend(near.iter().flat_map(|&edge| cells.of_edge(edge)));
    }
    // A facility that is reached stands so far from a street that is reached, and whatever street it joins lies so far again.
    let region = Region::new(cells.resolution, reached).grown(2 * rings);
    let guess = region.clone().and(Region::new(cells.resolution, beyond).grown(2 * rings).cells());
    Ok(Needed { region, guess })
}

/// The nodes that are reached within the cut-off from either end of some edges, with the time.
fn within(
    walk: &Walk<'_>,
    edges: &[usize],
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
    sweep::settle(walk.arcs(Side::Homes), &mut labels, seeds, progress)?;
    let reached = (0..labels.len()).filter_map(|position| {
        let (time_ds, _) = labels[position].get(0, cutoff_ds)?;
        Some((order.node_at[position] as usize, time_ds))
    });
    Ok(reached.collect())
}
