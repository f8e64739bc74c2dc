//! Gates of estates: those who live behind one pass it, nobody else does.

use super::components::{Beyond, Pieces, joined};
use super::graph::Edges;
use std::collections::{BTreeMap, BTreeSet};

/// The pieces of a network before any gate opens, and the gates between them.
///
/// A gate leads into private ways where one of its ways is private already, or where a piece of the network hangs on the rest
/// by such gates only: of all pieces that gates hold together the longest is the town, the others are estates, and their ways
/// become private. A gate inside one piece leads nowhere that is not reached otherwise, and stays shut. An open piece is no
/// estate.
pub struct Estates {
    /// Street nodes of gates, each with the network nodes at which its ways end, two or more.
    pub gates: BTreeMap<u32, Vec<u32>>,
    /// The pieces.
    pub pieces: Pieces,
    /// Their lengths by their lowest nodes, metres.
    pub length_m: Vec<f64>,
}

impl Estates {
    /// Look at gates from both sides: street nodes of gates, each with a network node at which a way ends there.
    pub fn new(sides: &[(u32, u32)], nodes: usize, edges: &Edges, beyond: &Beyond) -> Self {
        let mut gates: BTreeMap<u32, Vec<u32>> = BTreeMap::new();
        for &(gate, node) in sides {
            gates.entry(gate).or_default().push(node);
        }
        gates.retain(|_, nodes| nodes.len() > 1);
        let pieces = Pieces::new(nodes, edges, beyond);
        let length_m = pieces.lengths_m(edges, beyond, |_| true);
        Self { gates, pieces, length_m }
    }

    /// The piece of a node.
    pub fn piece(&self, node: u32) -> u32 {
        self.pieces.of[node as usize]
    }

    /// Whether more may hang on a piece than is known.
    pub fn is_open(&self, piece: u32) -> bool {
        self.pieces.open[piece as usize]
    }

    /// Open private gates for those who live behind them: their ways become private. Gives the node that each node becomes.
    pub fn open_for_residents(&self, edges: &mut Edges) -> Vec<u32> {
        let mut becomes: Vec<u32> = (0..self.pieces.of.len() as u32).collect();
        let town = self.towns();
        let private_end = private_ends(becomes.len(), edges);
        for edge in 0..edges.from.len() {
            let piece = self.piece(edges.from[edge]);
            let hangs = town.get(&piece).is_some_and(|&town| town != piece);
            edges.residents[edge] |= hangs && !self.is_open(piece);
        }
        for nodes in self.gates.values() {
            let lead_apart = self.lead_apart(nodes) == Some(true);
            if lead_apart || nodes.iter().any(|&node| private_end[node as usize]) {
                for &node in nodes {
                    becomes[node as usize] = nodes[0];
                }
            }
        }
        becomes
    }

    /// Whether the sides of a gate lie in more than one piece; unknown where several open ones may be one.
    pub fn lead_apart(&self, sides: &[u32]) -> Option<bool> {
        let pieces: BTreeSet<u32> = sides.iter().map(|&node| self.piece(node)).collect();
        let several = pieces.len() > 1;
        (!several || pieces.iter().any(|&piece| !self.is_open(piece))).then_some(several)
    }

    /// The sides of gates of which it is unknown whether they open.
    pub fn undecided(&self) -> impl Iterator<Item = &Vec<u32>> {
        self.gates.values().filter(|sides| self.lead_apart(sides).is_none())
    }

    /// For every piece at a gate, the piece that is its town.
    fn towns(&self) -> BTreeMap<u32, u32> {
        let through_gates = self.gates.values().flat_map(|nodes| {
            let first = self.piece(nodes[0]);
            nodes.iter().map(move |&node| (first, self.piece(node)))
        });
        let held_together = joined(self.pieces.of.len(), through_gates);
        let mut longest: BTreeMap<u32, (f64, u32)> = BTreeMap::new();
        let at_gates: BTreeSet<u32> = self.gates.values().flatten().map(|&node| self.piece(node)).collect();
        for &piece in &at_gates {
            let length_m = self.length_m[piece as usize];
            let entry = longest.entry(held_together[piece as usize]).or_insert((length_m, piece));
            if length_m > entry.0 {
                *entry = (length_m, piece);
            }
        }
        at_gates.iter().map(|&piece| (piece, longest[&held_together[piece as usize]].1)).collect()
    }
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
