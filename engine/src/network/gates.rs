//! Gates of estates: those who live behind one pass it, nobody else does.

use super::components::{joined, pieces};
use super::graph::Edges;
use std::collections::{BTreeMap, BTreeSet};

/// Open private gates for those who live behind them.
///
/// `sides` are street nodes of gates, each with the network nodes at which ways end there. A gate leads into private ways
/// where one of its ways is private already, or where a piece of the network hangs on the rest by such gates only: of all
/// pieces that gates hold together the longest is the town, the others are estates, and their ways become private. A gate
/// inside one piece leads nowhere that is not reached otherwise, and stays shut.
///
/// Gives the node that each node becomes.
pub fn open_for_residents(sides: &[(u32, u32)], nodes: usize, edges: &mut Edges) -> Vec<u32> {
    let mut becomes: Vec<u32> = (0..nodes as u32).collect();
    let gates = by_gate(sides);
    if gates.is_empty() {
        return becomes;
    }
    let piece = pieces(nodes, edges);
    let town = towns(&gates, &piece, edges);
    let private_end = private_ends(nodes, edges);
    for edge in 0..edges.from.len() {
        let piece = piece[edges.from[edge] as usize];
        edges.residents[edge] |= town.get(&piece).is_some_and(|&town| town != piece);
    }
    for nodes in gates.values() {
        let first = nodes[0];
        let apart = nodes.iter().any(|&node| piece[node as usize] != piece[first as usize]);
        if apart || nodes.iter().any(|&node| private_end[node as usize]) {
            for &node in nodes {
                becomes[node as usize] = first;
            }
        }
    }
    becomes
}

fn by_gate(sides: &[(u32, u32)]) -> BTreeMap<u32, Vec<u32>> {
    let mut gates: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
    for &(gate, node) in sides {
        gates.entry(gate).or_default().push(node);
    }
    gates.retain(|_, nodes| nodes.len() > 1);
    gates
}

/// For every piece at a gate, the piece that is its town. Pieces are known by their lowest nodes.
fn towns(gates: &BTreeMap<u32, Vec<u32>>, piece: &[u32], edges: &Edges) -> BTreeMap<u32, u32> {
    let mut length_m: BTreeMap<u32, f64> = BTreeMap::new();
    for (edge, &from) in edges.from.iter().enumerate() {
        *length_m.entry(piece[from as usize]).or_default() += edges.length_m[edge];
    }
    let through_gates = gates.values().flat_map(|nodes| {
        let first = piece[nodes[0] as usize];
        nodes.iter().map(move |&node| (first, piece[node as usize]))
    });
    let held_together = joined(piece.len(), through_gates);
    let mut longest: BTreeMap<u32, (f64, u32)> = BTreeMap::new();
    let at_gates: BTreeSet<u32> = gates.values().flatten().map(|&node| piece[node as usize]).collect();
    for &piece in &at_gates {
        let length_m = length_m.get(&piece).copied().unwrap_or_default();
        let entry = longest.entry(held_together[piece as usize]).or_insert((length_m, piece));
        if length_m > entry.0 {
            *entry = (length_m, piece);
        }
    }
    at_gates.iter().map(|&piece| (piece, longest[&held_together[piece as usize]].1)).collect()
}

/// Nodes at which a private way ends.
fn private_ends(nodes: usize, edges: &Edges) -> Vec<bool> {
    let mut private = vec![false; nodes];
    for edge in (0..edges.from.len()).filter(|&edge| edges.residents[edge]) {
        private[edges.from[edge] as usize] = true;
        private[edges.to[edge] as usize] = true;
    }
    private
}
