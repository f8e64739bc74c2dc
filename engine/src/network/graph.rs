//! The walking network: columns of nodes and edges, never changed after it is built.
//!
//! ```text
//! for at in network.around(node) {            // edges that touch a node
//!     let other = network.other_end(at);
//! }
//! ```

use super::snap::EdgeIndex;
use crate::model::ids::Ids;
use crate::model::place::{Place, chord_m};
use crate::model::street::{Directions, Incline, WayKind};
use crate::model::times::Deciseconds;
use std::ops::Range;
use std::sync::OnceLock;

/// One end of an edge, as seen from the node it touches: edge number × 2, plus 1 at the edge's second node.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeEnd(pub u32);

impl EdgeEnd {
    /// Number of the edge.
    pub const fn edge(self) -> usize {
        (self.0 >> 1) as usize
    }

    /// Whether the node is the edge's first: leaving it means walking forward.
    pub const fn is_start(self) -> bool {
        self.0 & 1 == 0
    }
}

/// One column per property of an edge.
#[derive(Debug, Clone, Default)]
pub struct Edges {
    /// First node.
    pub from: Vec<u32>,
    /// Second node.
    pub to: Vec<u32>,
    /// Length along the way, metres.
    pub length_m: Vec<f64>,
    /// What the edge is to somebody who walks.
    pub kind: Vec<WayKind>,
    /// In which directions it may be walked.
    pub directions: Vec<Directions>,
    /// Which end is higher, as tagged.
    pub incline: Vec<Incline>,
    /// On a bridge or in a tunnel.
    pub off_ground: Vec<bool>,
    /// For lifts: how much of one wait and ride the edge is. A lift node is half a ride from each way to it.
    pub ride_share: Vec<f32>,
    /// Part of a small piece that is cut off from the rest; places are not joined to it.
    pub island: Vec<bool>,
    /// Where the vertices of each edge begin; one more entry than edges.
    pub first_vertex: Vec<u32>,
}

/// The vertices of all edges, both ends included.
#[derive(Debug, Clone, Default)]
pub struct Vertices {
    /// Where.
    pub place: Vec<Place>,
    /// Height in metres; NaN where unknown.
    pub ele_m: Vec<f32>,
}

/// Seconds that a survey gives for every profile, tenths; [`CLOSED`] where one may not walk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenTimes {
    /// First node to second.
    pub forward_ds: Vec<Deciseconds>,
    /// Second node to first.
    pub backward_ds: Vec<Deciseconds>,
}

/// A direction that may not be walked. Inside the engine only; tables say null. Half of the range, so that a sum of
/// two does not overflow.
pub const CLOSED: Deciseconds = Deciseconds::MAX / 2;

/// A walking network.
#[derive(Debug)]
pub struct Network {
    /// Ids of the nodes in the source.
    pub node_id: Ids,
    /// Places of the nodes.
    pub node_place: Vec<Place>,
    /// Ids of the edges in the source: the way for OpenStreetMap, so not unique.
    pub edge_id: Ids,
    /// The edges.
    pub edges: Edges,
    /// Their vertices.
    pub vertices: Vertices,
    /// Seconds from a survey.
    pub given: Option<GivenTimes>,
    /// Farthest that a place is joined, metres.
    pub max_snap_m: f64,
    first_end: Vec<u32>,
    ends: Vec<EdgeEnd>,
    index: OnceLock<EdgeIndex>,
}

impl Network {
    /// Freeze columns into a network.
    pub fn new(
        node_id: Ids,
        node_place: Vec<Place>,
        edge_id: Ids,
        edges: Edges,
        vertices: Vertices,
        given: Option<GivenTimes>,
        max_snap_m: f64,
    ) -> Self {
        let (first_end, ends) = ends_by_node(node_place.len(), &edges);
        let index = OnceLock::new();
        Self { node_id, node_place, edge_id, edges, vertices, given, max_snap_m, first_end, ends, index }
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.node_place.len()
    }

    /// Number of edges; each is one street in both directions.
    pub fn edge_count(&self) -> usize {
        self.edges.from.len()
    }

    /// The edges that touch a node.
    pub fn around(&self, node: usize) -> &[EdgeEnd] {
        &self.ends[self.first_end[node] as usize..self.first_end[node + 1] as usize]
    }

    /// The node at the other end.
    pub fn other_end(&self, end: EdgeEnd) -> usize {
        let ends = if end.is_start() { &self.edges.to } else { &self.edges.from };
        ends[end.edge()] as usize
    }

    /// Positions of an edge's vertices.
    pub fn vertices_of(&self, edge: usize) -> Range<usize> {
        self.edges.first_vertex[edge] as usize..self.edges.first_vertex[edge + 1] as usize
    }

    /// Lengths of the straight pieces of an edge as drawn, metres.
    pub fn piece_lengths_m(&self, edge: usize) -> impl Iterator<Item = f64> + '_ {
        let places = &self.vertices.place[self.vertices_of(edge)];
        places.windows(2).map(|pair| chord_m(pair[0].ecef_m(), pair[1].ecef_m()))
    }

    /// Where the streets are, for joining places; built at first use.
    pub fn index(&self) -> &EdgeIndex {
        self.index.get_or_init(|| EdgeIndex::build(self))
    }

    /// The whole length by kind of way, kilometres, kinds in order.
    pub fn length_km_by_kind(&self) -> Vec<(WayKind, f64)> {
        WayKind::ALL
            .into_iter()
            .map(|kind| {
                let lengths = self.edges.kind.iter().zip(&self.edges.length_m);
                (kind, lengths.filter(|(other, _)| **other == kind).map(|(_, length)| length / 1000.0).sum())
            })
            .filter(|(_, length_km)| *length_km > 0.0)
            .collect()
    }
}

/// Edge ends sorted by node, edges ascending at each node.
fn ends_by_node(nodes: usize, edges: &Edges) -> (Vec<u32>, Vec<EdgeEnd>) {
    let mut first = vec![0_u32; nodes + 1];
    for &node in edges.from.iter().chain(&edges.to) {
        first[node as usize + 1] += 1;
    }
    for node in 0..nodes {
        first[node + 1] += first[node];
    }
    let mut next = first.clone();
    let mut ends = vec![EdgeEnd(0); edges.from.len() * 2];
    for edge in 0..edges.from.len() {
        for (node, side) in [(edges.from[edge], 0), (edges.to[edge], 1)] {
            ends[next[node as usize] as usize] = EdgeEnd((edge as u32) << 1 | side);
            next[node as usize] += 1;
        }
    }
    (first, ends)
}
