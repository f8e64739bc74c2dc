//! Pieces of a network that hang together, and small ones that do not belong.

use super::graph::{Edges, Network};

/// A piece of a street map with less than this length of way, cut off from the rest, is taken for a drawing fault
/// (a garden path whose last metre is missing). Places are joined past it; its length is reported. Own default; r5
/// leaves out pieces of fewer than 40 vertices.
const ISLAND_M: f64 = 1000.0;

/// Number of the piece of each node, ignoring directions; numbers follow the lowest node of each piece.
pub fn pieces(nodes: usize, edges: &Edges) -> Vec<u32> {
    let mut parent: Vec<u32> = (0..nodes as u32).collect();
    for (&from, &to) in edges.from.iter().zip(&edges.to) {
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

/// Mark the edges of small pieces; the longest piece is never one.
pub fn mark_islands(nodes: usize, edges: &mut Edges) {
    let piece = pieces(nodes, edges);
    let mut length_m = vec![0.0; nodes];
    for (edge, &from) in edges.from.iter().enumerate() {
        length_m[piece[from as usize] as usize] += edges.length_m[edge];
    }
    let longest = length_m.iter().copied().fold(0.0, f64::max);
    for (edge, &from) in edges.from.iter().enumerate() {
        let length_m = length_m[piece[from as usize] as usize];
        edges.island[edge] = length_m < ISLAND_M && length_m < longest;
    }
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
    let lengths = network.edges.length_m.iter().zip(&network.edges.island);
    let island_km = lengths.filter(|(_, island)| **island).map(|(length_m, _)| length_m / 1000.0).sum();
    Connectedness { pieces: roots.len(), island_km }
}
