//! The walking network: columns of nodes and edges, never changed after it is built.
//!
//! ```text
//! for at in network.around(node) {            // edges that touch a node
//!     let other = network.other_end(at);
//! }
//! ```

use super::edge_index::EdgeIndex;
use super::order::Order;
use super::overlay::Overlay;
use crate::io::osm::LeftOut;
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::ids::Ids;
use crate::model::level::Level;
use crate::model::place::{Place, chord_m};
use crate::model::street::{Directions, Gates, WayKind};
use crate::model::times::Deciseconds;
use std::ops::Range;
use std::sync::{Arc, OnceLock};

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
    /// The floor that the edge is on, where it is on one and the source says.
    pub level: Vec<Option<Level>>,
    /// Homes and doors without a floor may open onto it.
    pub joinable: Vec<bool>,
    /// Only for those who live there.
    pub residents: Vec<bool>,
    /// Whether a wheelchair may or may not pass, where the source says.
    pub wheelchair: Vec<Option<bool>>,
    /// Part of a small piece that is cut off from the rest; places are not joined to it.
    pub island: Vec<bool>,
    /// Where the vertices of each edge begin; one more entry than edges.
    pub first_vertex: Vec<u32>,
    /// Where the vertices are.
    pub vertices: Vec<Place>,
}

/// Heights along the edges: evenly spaced samples, both ends included, at most [`SAMPLE_M`] apart where the terrain is
/// sampled; two where the height runs straight; none where it is unknown.
#[derive(Debug, Clone, Default)]
pub struct Heights {
    /// Where the samples of each edge begin; one more entry than edges.
    pub first: Vec<u32>,
    /// Metres above the sea.
    pub ele_m: Vec<f32>,
    /// Where the heights of each edge come from.
    pub source: Vec<HeightSource>,
}

/// Farthest that two samples of the terrain are apart, metres.
pub const SAMPLE_M: f64 = 10.0;

/// Where the heights of an edge come from. The order is the code on disk: append only.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[repr(u8)]
pub enum HeightSource {
    /// From nowhere: the edge counts as level.
    #[default]
    Unknown = 0,
    /// From the terrain model, or measured by a survey.
    Sampled = 1,
    /// Straight between its ends: a bridge, a tunnel, a way under a roof.
    Interpolated = 2,
    /// From tags of the source: heights, steepness, steps, floors.
    Tagged = 3,
    /// Stairs whose rise nothing tells: the usual steepness of stairs.
    Usual = 4,
}

impl HeightSource {
    /// All sources, in the order of their codes.
    pub const ALL: [Self; 5] = [Self::Unknown, Self::Sampled, Self::Interpolated, Self::Tagged, Self::Usual];
}

/// What stairs are, beyond an edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Flight {
    /// Number of the edge.
    pub edge: u32,
    /// How much higher one end is than the other, metres.
    pub rise_m: f32,
    /// Metres walked on steps; what is left of the edge is landings.
    pub stairs_m: f32,
    /// Height of all stairs that follow one another without a pause, this edge among them, metres.
    pub height_m: f32,
    /// Whether it climbs from its first node to its second, where anything tells.
    pub climbs: Option<bool>,
    /// A ramp beside the steps takes a wheelchair.
    pub wheelchair_ramp: bool,
    /// A ramp beside the steps takes a pushchair.
    pub stroller_ramp: bool,
    /// Whether there is a handrail, where the source says.
    pub handrail: Option<bool>,
}

/// What a lift, a cableway or a ferry is, beyond an edge.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Ride {
    /// Number of the edge.
    pub edge: u32,
    /// How much of one wait the edge is: a lift node is half a wait from each way to it.
    pub wait_share: f32,
    /// Floors that the lift moves.
    pub floors: f32,
    /// Seconds of the ride beyond the floors.
    pub ride_s: f32,
}

/// Everything about edges: their columns, and what only some of them have.
#[derive(Debug, Clone, Default)]
pub struct Ways {
    /// One entry per edge.
    pub edges: Edges,
    /// Heights along them.
    pub heights: Heights,
    /// Stairs, by edge.
    pub flights: Vec<Flight>,
    /// Lifts, cableways and ferries, by edge.
    pub rides: Vec<Ride>,
    /// Straight pieces of walls and fences, which no leg between place and street steps through.
    pub walls: Vec<[Place; 2]>,
    /// Seconds from a survey.
    pub given: Option<GivenTimes>,
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
    /// Heights along them.
    pub heights: Heights,
    /// Stairs, by edge.
    pub flights: Vec<Flight>,
    /// Lifts, cableways and ferries, by edge.
    pub rides: Vec<Ride>,
    /// Straight pieces of walls and fences, which no leg between place and street steps through.
    pub walls: Vec<[Place; 2]>,
    /// Seconds from a survey.
    pub given: Option<GivenTimes>,
    /// How it was made.
    pub origin: Origin,
    /// Whether somebody who does not live behind a gate may stand at the node.
    pub public: Vec<bool>,
    /// The edits that made it from another network; none for a network of its own.
    pub overlay: Option<Arc<Overlay>>,
    first_end: Vec<u32>,
    ends: Vec<EdgeEnd>,
    index: OnceLock<EdgeIndex>,
    order: OnceLock<Order>,
}

/// How a network was made: the rules that it was made by, and what its source held beside.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Origin {
    /// Farthest that a place is joined unless a profile says less, metres.
    pub max_snap_m: f64,
    /// How private ways and gates were read.
    pub gates: Gates,
    /// Pieces cut off by at most so many metres were joined to the rest.
    pub join_islands_m: f64,
    /// The system of all its places.
    #[serde(default)]
    pub analysis_crs: AnalysisCrs,
    /// Pixels of the terrain model without a height, and how many of them were filled from their neighbours.
    pub voids: (u64, u64),
    /// Heights and steepness in tags that contradict the terrain or themselves, and were not believed.
    pub tags_not_believed: u64,
    /// Lifts that fewer than two ways come to.
    pub lifts_to_nowhere: u64,
    /// What the extract holds and the network does not.
    pub left_out: LeftOut,
    /// Whether the extract says that it is made up.
    #[serde(default)]
    pub synthetic: bool,
}

impl Origin {
    /// A network from elsewhere.
    pub fn surveyed(max_snap_m: f64) -> Self {
        Self {
            max_snap_m,
            gates: Gates::default(),
            join_islands_m: 0.0,
            analysis_crs: AnalysisCrs::default(),
            voids: (0, 0),
            tags_not_believed: 0,
            lifts_to_nowhere: 0,
            left_out: LeftOut::default(),
            synthetic: false,
        }
    }
}

/// Metres climbed and descended on a walk.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Climb {
    /// Metres up.
    pub up_m: f64,
    /// Metres down.
    pub down_m: f64,
}

impl Network {
    /// Freeze columns into a network.
    pub fn new(node_id: Ids, node_place: Vec<Place>, edge_id: Ids, ways: Ways, origin: Origin) -> Self {
        let Ways { edges, heights, flights, rides, walls, given } = ways;
        let (first_end, ends) = ends_by_node(node_place.len(), &edges);
        let mut public = vec![false; node_place.len()];
        for edge in (0..edges.from.len()).filter(|&edge| !edges.residents[edge]) {
            public[edges.from[edge] as usize] = true;
            public[edges.to[edge] as usize] = true;
        }
        let index = OnceLock::new();
        Self {
            node_id,
            node_place,
            edge_id,
            edges,
            heights,
            flights,
            rides,
            walls,
            given,
            origin,
            public,
            overlay: None,
            first_end,
            ends,
            index,
            order: OnceLock::new(),
        }
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

    /// Whether nobody walks through the edge as part of a longer walk: private ways lead those who live on them out to
    /// the street and home again, and nobody from one street to another. `arrival` is the node at which a search that
    /// started at doors arrives.
    pub fn is_private_passage(&self, edge: usize, arrival: usize) -> bool {
        self.edges.residents[edge] && self.public[arrival]
    }

    /// Places of an edge's vertices.
    pub fn vertices_of(&self, edge: usize) -> &[Place] {
        &self.edges.vertices[self.edges.vertices_of(edge)]
    }

    /// Lengths of the straight pieces of an edge as drawn, metres.
    pub fn piece_lengths_m(&self, edge: usize) -> impl Iterator<Item = f64> + '_ {
        self.vertices_of(edge).windows(2).map(|pair| chord_m(pair[0].ecef_m(), pair[1].ecef_m()))
    }

    /// Heights along an edge, evenly spaced; empty where unknown.
    pub fn heights_of(&self, edge: usize) -> &[f32] {
        self.heights.of(edge)
    }

    /// Stairs of an edge.
    pub fn flight(&self, edge: usize) -> Option<&Flight> {
        let found = self.flights.binary_search_by_key(&(edge as u32), |flight| flight.edge);
        found.ok().map(|at| &self.flights[at])
    }

    /// The ride of an edge.
    pub fn ride(&self, edge: usize) -> Option<&Ride> {
        self.rides.binary_search_by_key(&(edge as u32), |ride| ride.edge).ok().map(|at| &self.rides[at])
    }

    /// Metres up and down between two points of an edge (shares of its length, in the order of the walk); `None` where
    /// heights are unknown.
    pub fn climb(&self, edge: usize, start: f64, end: f64) -> Option<Climb> {
        let heights = self.heights_of(edge);
        let last = heights.len().checked_sub(1).filter(|&last| last > 0)?;
        let at = |share: f64| height_at(heights, share).unwrap_or_default();
        let (low, high) = (start.min(end), start.max(end));
        let inner =
            (0..=last).map(|sample| sample as f64 / last as f64).filter(|&share| share > low && share < high);
        let line: Vec<f64> = [low].into_iter().chain(inner).chain([high]).map(at).collect();
        let mut climb = Climb::default();
        for pair in line.windows(2) {
            climb.up_m += (pair[1] - pair[0]).max(0.0);
            climb.down_m += (pair[0] - pair[1]).max(0.0);
        }
        Some(if start <= end { climb } else { Climb { up_m: climb.down_m, down_m: climb.up_m } })
    }

    /// The same network, whose index is still to be built.
    pub(super) fn without_index(mut self) -> Self {
        self.index = OnceLock::new();
        self
    }

    /// The network that places are joined to: the one that was edited, or this one.
    pub fn ground(&self) -> &Self {
        self.overlay.as_ref().map_or(self, |overlay| &overlay.base)
    }

    /// Where the streets are, for joining places; built at first use. An edited network has that of its baseline.
    pub fn index(&self) -> &EdgeIndex {
        let ground = self.ground();
        ground.index.get_or_init(|| EdgeIndex::build(ground))
    }

    /// The nodes in the order in which searches use them, made at first use.
    pub fn order(&self) -> &Order {
        self.order.get_or_init(|| Order::of(&self.node_place))
    }
}

impl Edges {
    /// Whether doors may open onto an edge: homes and doors without a floor, or those on its floor.
    pub fn has_doors(&self, edge: usize) -> bool {
        self.joinable[edge] || self.level[edge].is_some() && self.kind[edge].has_doors()
    }

    /// Positions of an edge's vertices.
    pub fn vertices_of(&self, edge: usize) -> Range<usize> {
        self.first_vertex[edge] as usize..self.first_vertex[edge + 1] as usize
    }
}

impl Heights {
    /// Heights along an edge, evenly spaced; empty where unknown.
    pub fn of(&self, edge: usize) -> &[f32] {
        &self.ele_m[self.first[edge] as usize..self.first[edge + 1] as usize]
    }

    /// No heights at all.
    pub fn unknown(edges: usize) -> Self {
        Self { first: vec![0; edges + 1], ele_m: vec![], source: vec![HeightSource::Unknown; edges] }
    }

    /// Add the samples of the next edge.
    pub fn push(&mut self, samples: &[f32], source: HeightSource) {
        if self.first.is_empty() {
            self.first.push(0);
        }
        self.ele_m.extend_from_slice(samples);
        self.first.push(self.ele_m.len() as u32);
        self.source.push(source);
    }
}

/// The height at a share of a length whose heights are evenly spaced; none where they are unknown.
pub fn height_at(heights: &[f32], share: f64) -> Option<f64> {
    let last = heights.len().checked_sub(1).filter(|&last| last > 0)?;
    let position = (share.clamp(0.0, 1.0) * last as f64).min(last as f64);
    let before = (position as usize).min(last - 1);
    let (low, high) = (f64::from(heights[before]), f64::from(heights[before + 1]));
    Some(low + (high - low) * (position - before as f64))
}

/// Edge ends sorted by node, edges ascending at each node.
pub(super) fn ends_by_node(nodes: usize, edges: &Edges) -> (Vec<u32>, Vec<EdgeEnd>) {
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
