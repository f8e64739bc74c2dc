//! Pieces of a network that hang together, and small ones that do not belong.

use super::graph::{CLOSED, Edges, Network};
use super::weight::EdgeTimes;
use crate::model::island::Island;
use crate::model::place::{Place, chord_m};
use crate::model::street::WayKind;
use rstar::RTree;
use rstar::primitives::GeomWithData;
use std::collections::{BTreeMap, BTreeSet};

/// A piece of a street map with less than this length of way, cut off from the rest, is taken for a drawing fault
/// (a garden path whose last metre is missing). Places are joined past it; its length is reported. Own default; r5
/// leaves out pieces of fewer than 40 vertices.
pub const ISLAND_M: f64 = 1000.0;

/// Number of the piece of each node, ignoring directions; numbers follow the lowest node of each piece.
pub fn pieces(nodes: usize, edges: &Edges) -> Vec<u32> {
    joined(nodes, edges.from.iter().copied().zip(edges.to.iter().copied()))
}

/// The many walks across a square are one square, not a length of way.
fn is_way(edges: &Edges, edge: usize) -> bool {
    edges.kind[edge] != WayKind::Square
}

/// Number of the piece of each node when these ends are joined; numbers follow the lowest node of each piece.
pub fn joined(nodes: usize, ends: impl Iterator<Item = (u32, u32)>) -> Vec<u32> {
    let mut parent: Vec<u32> = (0..nodes as u32).collect();
    for (from, to) in ends {
        let (a, b) = (root(&mut parent, from), root(&mut parent, to));
        parent[a.max(b) as usize] = a.min(b);
    }
    (0..nodes as u32).map(|node| root(&mut parent, node)).collect()
}

fn root(parent: &mut [u32], mut node: u32) -> u32 {
    while parent[node as usize] != node {
        let above = parent[parent[node as usize] as usize];
        parent[node as usize] = above;
        node = above;
    }
    node
}

/// What is not known of a part of a city; nothing for a whole one.
#[derive(Debug, Default)]
pub struct Beyond {
    /// At least so long a piece is elsewhere, metres.
    pub longest_m: f64,
    /// Edges that the whole may have otherwise, in more pieces, or leading elsewhere.
    pub edges: BTreeSet<u32>,
    /// Nodes that in the whole may be one with others.
    pub nodes: BTreeSet<u32>,
}

/// The pieces that hang together for certain, known by their lowest nodes.
///
/// A piece that is not open is one of the whole, with all its edges. Of an open one there may be more, and two may be one.
#[derive(Debug)]
pub struct Pieces {
    /// The piece of each node.
    pub of: Vec<u32>,
    /// Whether the piece of this lowest node is open.
    pub open: Vec<bool>,
}

impl Pieces {
    /// Find them.
    pub fn new(nodes: usize, edges: &Edges, beyond: &Beyond) -> Self {
        let certain = (0_u32..).zip(edges.from.iter().copied().zip(edges.to.iter().copied()));
        let of =
            joined(nodes, certain.filter(|(edge, _)| !beyond.edges.contains(edge)).map(|(_, ends)| ends));
        let mut open = vec![false; nodes];
        let ends = |&edge: &u32| [edges.from[edge as usize], edges.to[edge as usize]];
        for node in beyond.edges.iter().flat_map(ends).chain(beyond.nodes.iter().copied()) {
            open[of[node as usize] as usize] = true;
        }
        Self { of, open }
    }

    /// Length of each piece by its lowest node, metres; of an open piece the least that it can be.
    ///
    /// Sums run in the order of the edges. Rounding is monotone, so a sum over fewer lengths of the same order is never more.
    pub fn lengths_m(&self, edges: &Edges, beyond: &Beyond, counts: impl Fn(usize) -> bool) -> Vec<f64> {
        let mut length_m = vec![0.0; self.of.len()];
        let certain = (0..edges.from.len()).filter(|&edge| !beyond.edges.contains(&(edge as u32)));
        for edge in certain.filter(|&edge| counts(edge)) {
            length_m[self.of[edges.from[edge] as usize] as usize] += edges.length_m[edge];
        }
        length_m
    }

    /// Length of the ways of each piece, metres.
    pub fn ways_m(&self, edges: &Edges, beyond: &Beyond) -> Vec<f64> {
        self.lengths_m(edges, beyond, |edge| is_way(edges, edge))
    }
}

/// Mark the edges of small pieces; the longest piece is never one, and an open one is not known to be one.
pub fn mark_islands(nodes: usize, edges: &mut Edges, beyond: &Beyond) {
    let pieces = Pieces::new(nodes, edges, beyond);
    let length_m = pieces.ways_m(edges, beyond);
    let longest = length_m.iter().copied().fold(beyond.longest_m, f64::max);
    for (edge, &from) in edges.from.iter().enumerate() {
        let piece = pieces.of[from as usize] as usize;
        edges.island[edge] = !pieces.open[piece] && length_m[piece] < ISLAND_M && length_m[piece] < longest;
    }
}

/// Links that join islands to the nearest node of what is none, where the gap is at most so wide: node of the rest, node
/// of the island.
pub fn island_bridges(places: &[Place], edges: &Edges, within_m: f64, beyond: &Beyond) -> Vec<(u32, u32)> {
    if within_m <= 0.0 {
        return vec![];
    }
    let mut marked = edges.clone();
    mark_islands(places.len(), &mut marked, beyond);
    let piece = pieces(places.len(), edges);
    let mut of_rest = vec![false; places.len()];
    let mut of_island = vec![false; places.len()];
    for edge in 0..edges.from.len() {
        let side = if marked.island[edge] { &mut of_island } else { &mut of_rest };
        side[edges.from[edge] as usize] = true;
        side[edges.to[edge] as usize] = true;
    }
    let nodes = |of: &[bool]| (0..places.len()).filter(|&node| of[node]).collect::<Vec<_>>();
    let spots = nodes(&of_rest).into_iter().map(|node| GeomWithData::new(places[node].ecef_m(), node as u32));
    let rest = RTree::bulk_load(spots.collect());
    let mut nearest: BTreeMap<u32, (f64, u32, u32)> = BTreeMap::new();
    for node in nodes(&of_island) {
        let point = places[node].ecef_m();
        // Nodes at one place, such as the floors of a building, are equally near: the tree has no order among them.
        let Some(there) = rest.nearest_neighbors(&point).into_iter().min_by_key(|spot| spot.data) else {
            continue;
        };
        let away_m = chord_m(point, *there.geom());
        let best = nearest.entry(piece[node]).or_insert((f64::INFINITY, 0, 0));
        if away_m < best.0 {
            *best = (away_m, there.data, node as u32);
        }
    }
    nearest
        .into_values()
        .filter(|(away_m, ..)| *away_m <= within_m)
        .map(|(_, rest, island)| (rest, island))
        .collect()
}

/// The pieces that a profile's ways fall into, the longest first; a way counts that can be walked at least one way.
///
/// Also the piece of each node: a position in the list, or `None` where the profile has no way at all.
pub fn islands(network: &Network, times: &EdgeTimes) -> (Vec<Island>, Vec<Option<u32>>) {
    let usable = |edge: &usize| times.forward_ds[*edge] != CLOSED || times.backward_ds[*edge] != CLOSED;
    let edges: Vec<usize> = (0..network.edge_count()).filter(usable).collect();
    let ends = edges.iter().map(|&edge| (network.edges.from[edge], network.edges.to[edge]));
    let piece = joined(network.node_count(), ends);
    let mut found: BTreeMap<u32, Island> = BTreeMap::new();
    for &edge in &edges {
        let node = piece[network.edges.from[edge] as usize];
        let (place, left_out) = (network.node_place[node as usize], network.edges.island[edge]);
        let empty = Island { place, edges: 0, length_m: 0.0, left_out, people: 0.0, facilities: 0 };
        let island = found.entry(node).or_insert(empty);
        island.edges += 1;
        island.length_m += if is_way(&network.edges, edge) { network.edges.length_m[edge] } else { 0.0 };
    }
    // A piece is known by its lowest node, so equally long ones have an order.
    let mut islands: Vec<(u32, Island)> = found.into_iter().collect();
    islands.sort_by(|a, b| b.1.length_m.total_cmp(&a.1.length_m).then(a.0.cmp(&b.0)));
    let position: BTreeMap<u32, u32> = islands.iter().map(|(node, _)| *node).zip(0..).collect();
    let of_node = piece.iter().map(|node| position.get(node).copied()).collect();
    (islands.into_iter().map(|(_, island)| island).collect(), of_node)
}

/// How much of a network hangs together.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Connectedness {
    /// Number of pieces.
    pub pieces: usize,
    /// Length of the ways of islands, kilometres.
    pub island_km: f64,
}

/// Count pieces and islands.
pub fn connectedness(network: &Network) -> Connectedness {
    let mut roots = pieces(network.node_count(), &network.edges);
    roots.sort_unstable();
    roots.dedup();
    let edges = &network.edges;
    let islands = (0..network.edge_count()).filter(|&edge| edges.island[edge] && is_way(edges, edge));
    // An empty sum is -0.
    let island_km = islands.map(|edge| edges.length_m[edge] / 1000.0).sum::<f64>() + 0.0;
    Connectedness { pieces: roots.len(), island_km }
}
