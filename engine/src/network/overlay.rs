//! Edits of streets laid over a network that stays as it is.
//!
//! A street that a link is joined to is cut there, and its pieces take exactly the times of the street: those of a piece
//! are differences of the times from the street's ends, so a walk through it is as long as before, to the tenth of a second.
//! Places stay joined to the streets of the baseline that are still open, and not to new links: a link that is added can
//! only shorten walks.

use super::graph::{
    CLOSED, Edges, Flight, GivenTimes, HeightSource, Heights, Network, Ride, Ways, height_at,
};
use super::heights::surveyed_flights;
use super::line::Line;
use super::snap::Anchor;
use super::weight::{self, EdgeTimes, Split};
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::profile::Profile;
use crate::model::street::{Directions, WayKind};
use crate::model::times::Deciseconds;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// A link is joined to the corner of a street, not beside it, where its end is so near to the corner along the street.
const CORNER_M: f64 = 1.0;

/// A link that ends so near to a street ends on it.
const ON_STREET_M: f64 = 0.5;

/// What an end of a link is joined to.
#[derive(Debug, Clone, PartialEq)]
pub enum End {
    /// The nearest point of a street.
    Street(Anchor),
    /// The ends of other links that have this name.
    Joint(String),
}

/// A new link, ready to be laid.
#[derive(Debug, Clone)]
pub struct Link {
    /// Its id.
    pub id: String,
    /// What it is.
    pub kind: WayKind,
    /// Where it goes, its ends first and last.
    pub line: Vec<Place>,
    /// What its ends are joined to.
    pub ends: [End; 2],
    /// Length, metres.
    pub length_m: f64,
    /// How much higher its second end is, metres, where that is known.
    pub rise_m: Option<f64>,
    /// Floors, seconds of the ride beyond them, and the share of a wait.
    pub ride: Option<Ride>,
    /// In which directions it may be walked.
    pub directions: Directions,
    /// Whether a wheelchair may pass, where that is known.
    pub wheelchair: Option<bool>,
    /// Ramps beside stairs, for wheelchairs and for pushchairs.
    pub ramps: [bool; 2],
    /// Whether stairs have a handrail.
    pub handrail: Option<bool>,
}

/// A piece of a street that is cut.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Piece {
    /// Its number; the first keeps that of the street.
    pub edge: u32,
    /// Where it begins, 0..1 of the street's length.
    pub start: f64,
    /// Where it ends.
    pub end: f64,
    /// Its first node.
    pub from: u32,
    /// Its second node.
    pub to: u32,
}

/// Seconds that an edit gives an edge, tenths: forward and backward; none leaves a direction as it was.
pub type Retimed = [Option<Deciseconds>; 2];

/// Edits of streets over a baseline. Numbers of nodes and edges go on from those of the baseline.
#[derive(Debug)]
pub struct Overlay {
    /// The network that stays as it is.
    pub base: Arc<Network>,
    /// The pieces of each street that is cut, in order along it.
    pub cuts: BTreeMap<u32, Vec<Piece>>,
    /// Edges that nobody may walk; a street of the baseline is closed with all its pieces.
    pub closed: BTreeSet<u32>,
    /// Edges with other times, streets of the baseline by the time of the whole.
    pub retimed: BTreeMap<u32, Retimed>,
    /// Places of new nodes, and whether everybody may stand there.
    nodes: Vec<(Place, bool)>,
    /// What is new: links, and the last steps between them and the streets. Its nodes are those of `ends`.
    links: Network,
    /// Nodes of each edge of `links` in the whole network.
    ends: Vec<[u32; 2]>,
    /// The street that each piece with a number of its own is of.
    street_of: BTreeMap<u32, u32>,
}

impl Overlay {
    /// Lay links over a network, and close and retime edges. `closed` and `retimed` may name links, in their order, by
    /// numbers from that of the first new edge.
    pub fn lay(
        base: &Arc<Network>,
        links: &[Link],
        closed: BTreeSet<u32>,
        retimed: BTreeMap<u32, Retimed>,
    ) -> Self {
        let mut laying = Laying::new(base);
        for link in links {
            laying.add(link);
        }
        laying.finish(closed, retimed)
    }

    /// Number of the first edge that is not of the baseline.
    pub fn first_new_edge(&self) -> usize {
        self.base.edge_count()
    }

    /// Number of nodes with those that are new.
    pub fn node_count(&self) -> usize {
        self.base.node_count() + self.nodes.len()
    }

    /// Number of edges with those that are new.
    pub fn edge_count(&self) -> usize {
        self.base.edge_count() + self.ends.len() + self.street_of.len()
    }

    /// Whether nothing is changed.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty() && self.closed.is_empty() && self.retimed.is_empty()
    }

    /// The street of the baseline that an edge is, or is a piece of; none for links.
    pub fn street(&self, edge: u32) -> Option<u32> {
        if (edge as usize) < self.base.edge_count() { Some(edge) } else { self.street_of.get(&edge).copied() }
    }

    /// The piece of a street that a number names, where the street is cut.
    fn piece(&self, edge: u32) -> Option<(u32, Piece)> {
        let street = self.street(edge)?;
        let piece = self.cuts.get(&street)?.iter().find(|piece| piece.edge == edge)?;
        Some((street, *piece))
    }

    /// First and second node of an edge.
    pub fn ends(&self, edge: u32) -> [u32; 2] {
        if let Some((_, piece)) = self.piece(edge) {
            return [piece.from, piece.to];
        }
        let (edge, first) = (edge as usize, self.base.edge_count());
        match edge.checked_sub(first) {
            Some(link) => self.ends[link],
            None => [self.base.edges.from[edge], self.base.edges.to[edge]],
        }
    }

    /// Whether an edge is only for those who live there.
    pub fn is_residents(&self, edge: u32) -> bool {
        self.street(edge).is_some_and(|street| self.base.edges.residents[street as usize])
    }

    /// Whether somebody who does not live behind a gate may stand at a node. Nodes of the baseline stay as they are.
    pub fn is_public(&self, node: u32) -> bool {
        match (node as usize).checked_sub(self.base.node_count()) {
            Some(new) => self.nodes[new].1,
            None => self.base.public[node as usize],
        }
    }

    /// Edges whose numbers are not of the baseline, or whose ends or times are not.
    pub fn touched(&self) -> BTreeSet<u32> {
        let new = self.base.edge_count() as u32..self.edge_count() as u32;
        let cut = self.cuts.keys().copied();
        let closed = self.closed.iter().copied();
        cut.chain(closed).chain(self.retimed.keys().copied()).chain(new).collect()
    }

    /// Where a place that is joined to a street of the baseline stands now: the piece, and the share of its length.
    pub fn locate(&self, anchor: Anchor) -> Anchor {
        let Some(pieces) = self.cuts.get(&anchor.edge) else { return anchor };
        let last = pieces.len() - 1;
        let at = pieces.iter().position(|piece| anchor.share <= piece.end).unwrap_or(last);
        let Piece { edge, start, end, .. } = pieces[at];
        let share = if end > start { ((anchor.share - start) / (end - start)).clamp(0.0, 1.0) } else { 0.0 };
        Anchor { edge, share, ..anchor }
    }

    /// Tenths of a second over an edge, forward and backward, where it is not what it is in the baseline. `base` holds the
    /// times of the baseline.
    pub fn edge_time(&self, profile: &Profile, base: &EdgeTimes, edge: u32) -> [Deciseconds; 2] {
        if let Some((street, piece)) = self.piece(edge) {
            let at = |share: f64| self.split_street(profile, base, street, share);
            let (start, end) = (at(piece.start), at(piece.end));
            return [
                minus(end.from_start_ds, start.from_start_ds),
                minus(end.to_start_ds, start.to_start_ds),
            ];
        }
        match self.street(edge) {
            Some(street) => self.street_time(base, street),
            None => self.link_time(profile, edge),
        }
    }

    /// The time of a whole street of the baseline under the edits, forward and backward.
    pub fn street_time(&self, base: &EdgeTimes, street: u32) -> [Deciseconds; 2] {
        if self.closed.contains(&street) {
            return [CLOSED; 2];
        }
        let own = [base.forward_ds[street as usize], base.backward_ds[street as usize]];
        self.retimed.get(&street).map_or(own, |retimed| changed(own, retimed))
    }

    fn link_time(&self, profile: &Profile, edge: u32) -> [Deciseconds; 2] {
        if self.closed.contains(&edge) {
            return [CLOSED; 2];
        }
        let link = edge as usize - self.base.edge_count();
        let own = weight::edge_time(&self.links, profile, link);
        self.retimed.get(&edge).map_or(own, |retimed| changed(own, retimed))
    }

    /// Times between the ends of a street of the baseline and the point at a share of its length.
    fn split_street(&self, profile: &Profile, base: &EdgeTimes, street: u32, share: f64) -> Split {
        let is_changed = self.closed.contains(&street) || self.retimed.contains_key(&street);
        if is_changed || share <= 0.0 || share >= 1.0 {
            return by_share(self.street_time(base, street), share.clamp(0.0, 1.0));
        }
        weight::split(&self.base, profile, base, street as usize, share)
    }

    /// Times between the ends of an edge and a point of it, where these are not what they are in the baseline. `street_share`
    /// is where the point is on the whole street.
    pub fn split(&self, profile: &Profile, base: &EdgeTimes, edge: u32, street_share: f64) -> Option<Split> {
        let Some(street) = self.street(edge) else {
            return Some(by_share(self.link_time(profile, edge), street_share));
        };
        let Some((_, piece)) = self.piece(edge) else {
            let is_changed = self.retimed.contains_key(&street) || self.closed.contains(&street);
            return is_changed.then(|| self.split_street(profile, base, street, street_share));
        };
        let at = |share: f64| self.split_street(profile, base, street, share);
        let (start, here, end) = (at(piece.start), at(street_share), at(piece.end));
        Some(Split {
            from_start_ds: minus(here.from_start_ds, start.from_start_ds),
            to_end_ds: minus(end.from_start_ds, here.from_start_ds),
            to_start_ds: minus(here.to_start_ds, start.to_start_ds),
            from_end_ds: minus(end.to_start_ds, here.to_start_ds),
        })
    }

    /// Where a point of an edge is on its whole street; of links it is the same.
    pub fn street_share(&self, edge: u32, share: f64) -> f64 {
        self.piece(edge).map_or(share, |(_, piece)| piece.start + share * (piece.end - piece.start))
    }

    /// Times of all edges of the edited network.
    pub fn edge_times(&self, profile: &Profile) -> EdgeTimes {
        let base = weight::edge_times(&self.base, profile);
        let mut times = EdgeTimes { baseline: Some(Arc::new(base.clone())), ..base.clone() };
        times.forward_ds.resize(self.edge_count(), CLOSED);
        times.backward_ds.resize(self.edge_count(), CLOSED);
        for edge in self.touched() {
            let [forward, backward] = self.edge_time(profile, &base, edge);
            times.forward_ds[edge as usize] = forward;
            times.backward_ds[edge as usize] = backward;
        }
        times
    }
}

fn changed(own: [Deciseconds; 2], retimed: &Retimed) -> [Deciseconds; 2] {
    // Nobody gets through where they could not before: seconds are for those who can use the link.
    let one =
        |own: Deciseconds, given: Option<Deciseconds>| if own == CLOSED { own } else { given.unwrap_or(own) };
    [one(own[0], retimed[0]), one(own[1], retimed[1])]
}

fn by_share(whole: [Deciseconds; 2], share: f64) -> Split {
    let part = |whole: Deciseconds| {
        if whole == CLOSED {
            return (CLOSED, CLOSED);
        }
        let first = weight::tenths(f64::from(whole) / 10.0 * share).min(whole);
        (first, whole - first)
    };
    let (from_start_ds, to_end_ds) = part(whole[0]);
    let (to_start_ds, from_end_ds) = part(whole[1]);
    Split { from_start_ds, to_end_ds, from_end_ds, to_start_ds }
}

fn minus(a: Deciseconds, b: Deciseconds) -> Deciseconds {
    if a == CLOSED || b == CLOSED { CLOSED } else { a.saturating_sub(b) }
}

/// Links on their way into an overlay.
struct Laying<'a> {
    base: &'a Arc<Network>,
    /// Where streets are cut: the node at each share, by street. Shares are not negative, so their bits are in their order.
    at_share: BTreeMap<u32, BTreeMap<u64, u32>>,
    nodes: Vec<(Place, bool)>,
    joints: BTreeMap<String, u32>,
    edge_id: Vec<String>,
    edges: Edges,
    heights: Heights,
    rides: Vec<Ride>,
    stairs: BTreeMap<u32, ([bool; 2], Option<bool>)>,
    ends: Vec<[u32; 2]>,
    /// Last steps between links and streets: nodes and metres. They come after all links, whose numbers are known before.
    steps: Vec<([u32; 2], [Place; 2])>,
}

impl<'a> Laying<'a> {
    fn new(base: &'a Arc<Network>) -> Self {
        Self {
            base,
            at_share: BTreeMap::new(),
            nodes: vec![],
            joints: BTreeMap::new(),
            edge_id: vec![],
            edges: Edges { first_vertex: vec![0], ..Edges::default() },
            heights: Heights { first: vec![0], ..Heights::default() },
            rides: vec![],
            stairs: BTreeMap::new(),
            ends: vec![],
            steps: vec![],
        }
    }

    fn add(&mut self, link: &Link) {
        let last = link.line.len() - 1;
        let from = self.end(link.line[0], &link.ends[0]);
        let to = self.end(link.line[last], &link.ends[1]);
        let edge = self.ends.len() as u32;
        self.push([from, to], link.kind, link.length_m, &link.line);
        let at = edge as usize;
        self.edge_id.push(link.id.clone());
        self.edges.directions[at] = link.directions;
        self.edges.wheelchair[at] = link.wheelchair;
        match link.rise_m {
            Some(rise_m) => self.heights.push(&[0.0, rise_m as f32], HeightSource::Tagged),
            None => self.heights.push(&[], HeightSource::Unknown),
        }
        self.rides.extend(link.ride.map(|ride| Ride { edge, ..ride }));
        if link.kind == WayKind::Steps {
            self.stairs.insert(edge, (link.ramps, link.handrail));
        }
    }

    fn push(&mut self, ends: [u32; 2], kind: WayKind, length_m: f64, line: &[Place]) {
        self.ends.push(ends);
        self.edges.from.push(ends[0]);
        self.edges.to.push(ends[1]);
        self.edges.length_m.push(length_m);
        self.edges.kind.push(kind);
        self.edges.directions.push(Directions::Both);
        self.edges.level.push(None);
        self.edges.joinable.push(false);
        self.edges.residents.push(false);
        self.edges.wheelchair.push(None);
        self.edges.island.push(false);
        self.edges.vertices.extend_from_slice(line);
        self.edges.first_vertex.push(self.edges.vertices.len() as u32);
    }

    /// The node at which a link ends: a joint's, one of the street, or its own with a step to the street.
    fn end(&mut self, place: Place, end: &End) -> u32 {
        match end {
            End::Joint(name) => {
                if let Some(&node) = self.joints.get(name) {
                    return node;
                }
                let node = self.node(place, true);
                self.joints.insert(name.clone(), node);
                node
            }
            End::Street(anchor) => {
                let (street, at) = self.street_node(*anchor);
                if anchor.away_m <= ON_STREET_M {
                    return street;
                }
                let own = self.node(place, true);
                self.steps.push(([own, street], [place, at]));
                own
            }
        }
    }

    fn node(&mut self, place: Place, public: bool) -> u32 {
        self.nodes.push((place, public));
        (self.base.node_count() + self.nodes.len() - 1) as u32
    }

    /// The node of a street at a point of it, and its place: a corner, or a cut.
    fn street_node(&mut self, anchor: Anchor) -> (u32, Place) {
        let (edges, edge) = (&self.base.edges, anchor.edge as usize);
        let corner = |node: u32| (node, self.base.node_place[node as usize]);
        if anchor.share * edges.length_m[edge] <= CORNER_M || anchor.share <= 0.0 {
            return corner(edges.from[edge]);
        }
        if (1.0 - anchor.share) * edges.length_m[edge] <= CORNER_M || anchor.share >= 1.0 {
            return corner(edges.to[edge]);
        }
        let place = Line::of(self.base, edge).at(anchor.share);
        let key = anchor.share.to_bits();
        if let Some(&node) = self.at_share.get(&anchor.edge).and_then(|cuts| cuts.get(&key)) {
            return (node, place);
        }
        let node = self.node(place, !edges.residents[edge]);
        self.at_share.entry(anchor.edge).or_default().insert(key, node);
        (node, place)
    }

    fn finish(mut self, closed: BTreeSet<u32>, retimed: BTreeMap<u32, Retimed>) -> Overlay {
        for (ends, line) in std::mem::take(&mut self.steps) {
            self.push(ends, WayKind::Footway, line[0].distance_m(line[1]), &line);
            self.edge_id.push(String::new());
            self.heights.push(&[], HeightSource::Unknown);
        }
        let mut flights = surveyed_flights(&self.edges, &self.heights);
        for flight in &mut flights {
            let (ramps, handrail) = self.stairs[&flight.edge];
            flight.height_m = flight.rise_m;
            [flight.wheelchair_ramp, flight.stroller_ramp] = ramps;
            flight.handrail = handrail;
        }
        let (cuts, street_of) = self.pieces();
        // The links by themselves are columns to weigh; how they hang together is told by `ends`.
        let mut edges = self.edges;
        edges.from.fill(0);
        edges.to.fill(0);
        let ways = Ways { edges, heights: self.heights, flights, rides: self.rides, ..Ways::default() };
        let place = self.base.node_place.first().copied().into_iter().collect::<Vec<_>>();
        let node_id = Ids::UInt(vec![0; place.len()]);
        let links = Network::new(node_id, place, Ids::Text(self.edge_id), ways, self.base.origin.clone());
        Overlay {
            base: Arc::clone(self.base),
            cuts,
            closed,
            retimed,
            nodes: self.nodes,
            links,
            ends: self.ends,
            street_of,
        }
    }

    /// What every street that is cut is cut into.
    fn pieces(&self) -> (BTreeMap<u32, Vec<Piece>>, BTreeMap<u32, u32>) {
        let edges = &self.base.edges;
        let mut next = (self.base.edge_count() + self.ends.len()) as u32;
        let (mut cuts, mut street_of) = (BTreeMap::new(), BTreeMap::new());
        for (&street, at) in &self.at_share {
            let mut pieces = Vec::with_capacity(at.len() + 1);
            let (mut edge, mut start, mut from) = (street, 0.0, edges.from[street as usize]);
            for (&share, &node) in at {
                let end = f64::from_bits(share);
                pieces.push(Piece { edge, start, end, from, to: node });
                (edge, start, from) = (next, end, node);
                street_of.insert(next, street);
                next += 1;
            }
            pieces.push(Piece { edge, start, end: 1.0, from, to: edges.to[street as usize] });
            cuts.insert(street, pieces);
        }
        (cuts, street_of)
    }
}

impl Overlay {
    /// The edited network, for every kind of search. The baseline's columns are copied, its index of streets is shared.
    pub fn network(self: &Arc<Self>) -> Network {
        let base = &self.base;
        let mut node_place = base.node_place.clone();
        node_place.extend(self.nodes.iter().map(|(place, _)| *place));
        let node_id = with_new(&base.node_id, self.nodes.len());
        let ways = Ways {
            edges: self.edges(),
            heights: Heights { first: vec![0], ..Heights::default() },
            ..Ways::default()
        };
        let mut made = self.with_heights(ways);
        made.walls = Vec::new();
        made.given = base.given.as_ref().map(|given| self.given(given));
        let mut network = Network::new(node_id, node_place, self.edge_id(), made, base.origin.clone());
        network.public.clone_from(&base.public);
        network.public.extend(self.nodes.iter().map(|(_, public)| *public));
        network.overlay = Some(Arc::clone(self));
        network
    }

    /// The number of edge of the baseline that each edge's properties are those of, or the link's.
    fn sources(&self) -> impl Iterator<Item = (u32, Result<u32, usize>)> + '_ {
        let base = self.base.edge_count() as u32;
        (0..self.edge_count() as u32)
            .map(move |edge| (edge, self.street(edge).ok_or_else(|| (edge - base) as usize)))
    }

    fn edges(&self) -> Edges {
        let mut made = Edges { first_vertex: vec![0], ..Edges::default() };
        for (edge, source) in self.sources() {
            let (of, at) = match source {
                Ok(street) => (&self.base.edges, street as usize),
                Err(link) => (&self.links.edges, link),
            };
            let [from, to] = self.ends(edge);
            made.from.push(from);
            made.to.push(to);
            made.kind.push(of.kind[at]);
            made.directions.push(of.directions[at]);
            made.level.push(of.level[at]);
            made.joinable.push(of.joinable[at]);
            made.residents.push(of.residents[at]);
            made.wheelchair.push(of.wheelchair[at]);
            made.island.push(of.island[at]);
            if let Some((_, piece)) = self.piece(edge) {
                made.length_m.push(of.length_m[at] * (piece.end - piece.start));
                let line = Line::of(&self.base, at);
                let stops = line.stops(piece.start, piece.end).into_iter();
                made.vertices.extend(stops.map(|share| line.at(share)));
            } else {
                made.length_m.push(of.length_m[at]);
                made.vertices.extend_from_slice(&of.vertices[of.vertices_of(at)]);
            }
            made.first_vertex.push(made.vertices.len() as u32);
        }
        made
    }

    /// Heights, stairs and rides: of pieces as much as they are of their street.
    fn with_heights(&self, mut ways: Ways) -> Ways {
        for (edge, source) in self.sources() {
            let (of, at) = match source {
                Ok(street) => (&*self.base, street as usize),
                Err(link) => (&self.links, link),
            };
            let (start, end) = self.piece(edge).map_or((0.0, 1.0), |(_, piece)| (piece.start, piece.end));
            let heights = of.heights_of(at);
            if start <= 0.0 && end >= 1.0 {
                ways.heights.push(heights, of.heights.source[at]);
            } else {
                ways.heights.push(&part_of_heights(heights, start, end), of.heights.source[at]);
            }
            let share = (end - start) as f32;
            ways.flights.extend(of.flight(at).map(|flight| Flight {
                edge,
                rise_m: flight.rise_m * share,
                stairs_m: flight.stairs_m * share,
                ..*flight
            }));
            ways.rides.extend(of.ride(at).map(|ride| Ride {
                edge,
                wait_share: ride.wait_share * share,
                floors: ride.floors * share,
                ride_s: ride.ride_s * share,
            }));
        }
        ways
    }

    /// A survey's seconds: that there are any says how points of its untouched edges are timed.
    fn given(&self, given: &GivenTimes) -> GivenTimes {
        let mut given = given.clone();
        given.forward_ds.resize(self.edge_count(), CLOSED);
        given.backward_ds.resize(self.edge_count(), CLOSED);
        given
    }

    fn edge_id(&self) -> Ids {
        if self.ends.is_empty() {
            return self.base.edge_id.clone();
        }
        let id = |(_, source): (u32, Result<u32, usize>)| match source {
            Ok(street) => self.base.edge_id.text(street as usize),
            Err(link) => self.links.edge_id.text(link),
        };
        Ids::Text(self.sources().map(id).collect())
    }
}

/// New nodes have no id in the source: numbers below all others, or what they are.
fn with_new(ids: &Ids, new: usize) -> Ids {
    let mut ids = ids.clone();
    match &mut ids {
        Ids::Text(ids) => ids.extend((1..=new).map(|number| format!("new/{number}"))),
        Ids::Int(ids) => {
            let least = ids.iter().copied().min().unwrap_or_default().min(0);
            ids.extend((1..=new as i64).map(|number| least - number));
        }
        Ids::UInt(ids) => {
            let greatest = ids.iter().copied().max().unwrap_or_default();
            ids.extend((1..=new as u64).map(|number| greatest.saturating_add(number)));
        }
    }
    ids
}

/// Heights of a part of an edge, as many as the whole has.
fn part_of_heights(heights: &[f32], start: f64, end: f64) -> Vec<f32> {
    let last = heights.len().saturating_sub(1);
    let share = |number: usize| start + (end - start) * number as f64 / last as f64;
    (0..heights.len()).filter_map(|number| Some(height_at(heights, share(number))? as f32)).collect()
}
