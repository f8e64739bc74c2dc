//! Streets → network: ways cut where they meet, squares crossed, lifts entered through a wait, gates opened or shut,
//! heights laid along.

use super::components::{self, Beyond};
use super::floors::Floors;
use super::gates::Estates;
use super::graph::{CLOSED, Edges, GivenTimes, HeightSource, Heights, Network, Origin, Ride, Ways};
use super::heights;
use super::squares::{self, Ring};
use crate::io::osm::LeftOut;
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::elevation::Elevation;
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::level::Level;
use crate::model::place::Place;
use crate::model::plane::Plane;
use crate::model::progress::Progress;
use crate::model::street::{Barrier, Directions, Gates, Square, Streets, Survey, Walkway, WayKind};
use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::LazyLock;

/// Speeds of rides that state no duration, metres per second: an inclined lift of a hillside, a cableway across a river
/// (the one over the Yangtze at Chongqing has up to 8), a passenger ferry of 8 knots (all own defaults).
pub const INCLINED_LIFT_MPS: f64 = 1.0;
/// See [`INCLINED_LIFT_MPS`].
pub const CABLEWAY_MPS: f64 = 5.0;
const FERRY_MPS: f64 = 4.0;

/// A cableway or ferry that ends beside the streets is reached from the nearest corner within this distance (metres).
pub const STATION_M: f64 = 100.0;

/// What becomes of streets that can be read in more than one way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rules {
    /// Farthest that a place is joined unless a profile says less, metres.
    pub max_snap_m: f64,
    /// How private ways and gates are read.
    pub gates: Gates,
    /// Small pieces cut off by at most so many metres are joined to the rest; 0 for never.
    pub join_islands_m: f64,
}

impl Default for Rules {
    fn default() -> Self {
        Self { max_snap_m: crate::model::study::MAX_SNAP_M, gates: Gates::default(), join_islands_m: 0.0 }
    }
}

/// Build the network of an extract; what the extract left out is kept with it.
///
/// # Errors
/// [`Error::Cancelled`] when the user stopped, [`Error::Internal`] beyond 2³¹ edges or vertices.
pub fn from_streets(
    streets: &Streets,
    elevation: &Elevation,
    rules: Rules,
    left_out: LeftOut,
    progress: &Progress,
) -> Result<Network> {
    let mut builder = Builder::drawn(streets, rules.gates, progress)?;
    builder.open_gates();
    builder.join_islands(rules.join_islands_m);
    Ok(builder.finish(elevation, rules, left_out, progress)?.network)
}

/// A network, and what of it was not as its tags say.
pub(super) struct Built {
    pub(super) network: Network,
    /// Edges whose tags of height or steepness were not believed.
    pub(super) not_believed: Vec<u32>,
    /// Lifts that fewer than two ways come to.
    pub(super) lifts_to_nowhere: Vec<Place>,
}

/// Build the network of a survey; its edges are straight between their nodes, whatever length they state.
pub fn from_survey(survey: Survey, max_snap_m: f64) -> Result<Network> {
    refuse_too_large(survey.edges.len() * 2)?;
    let mut edges = Edges { first_vertex: vec![0], ..Edges::default() };
    let mut heights = Heights { first: vec![0], ..Heights::default() };
    for edge in &survey.edges {
        let ends = [edge.from as usize, edge.to as usize];
        edges.push(edge.from, edge.to, edge.length_m, &Walkway { kind: edge.kind, ..Walkway::default() });
        *edges.residents.last_mut().expect("just pushed") = edge.residents;
        edges.draw(&ends.map(|node| survey.place[node]));
        match ends.map(|node| survey.ele_m[node]) {
            [Some(start_m), Some(end_m)] => heights.push(&[start_m, end_m], HeightSource::Sampled),
            _ => heights.push(&[], HeightSource::Unknown),
        }
    }
    let given = survey.timed.then(|| GivenTimes {
        forward_ds: survey.edges.iter().map(|edge| edge.forward_ds.unwrap_or(CLOSED)).collect(),
        backward_ds: survey.edges.iter().map(|edge| edge.backward_ds.unwrap_or(CLOSED)).collect(),
    });
    let flights = heights::surveyed_flights(&edges, &heights);
    let ways = Ways { edges, heights, flights, rides: vec![], walls: vec![], given };
    Ok(Network::new(survey.node_id, survey.place, survey.edge_id, ways, Origin::surveyed(max_snap_m)))
}

fn refuse_too_large(count: usize) -> Result<()> {
    if count < (u32::MAX / 2) as usize {
        return Ok(());
    }
    Err(Error::Internal(format!("a network of {count} parts; the limit is {}", u32::MAX / 2)))
}

impl Edges {
    /// Add an edge of a way; its vertices follow by [`Edges::draw`].
    fn push(&mut self, from: u32, to: u32, length_m: f64, way: &Walkway) {
        self.from.push(from);
        self.to.push(to);
        self.length_m.push(length_m);
        self.kind.push(way.kind);
        self.directions.push(way.directions);
        self.level.push(way.level().filter(|_| !way.kind.changes_floor()));
        self.joinable.push(way.joinable && way.kind.has_doors());
        self.residents.push(false);
        self.wheelchair.push(way.wheelchair);
        self.island.push(false);
    }

    fn draw(&mut self, places: &[Place]) {
        self.vertices.extend_from_slice(places);
        self.first_vertex.push(self.vertices.len() as u32);
    }
}

/// A network in the making.
pub struct Builder<'a> {
    pub(super) streets: &'a Streets,
    gates: Gates,
    floors: Floors,
    /// Whether ways are cut at the node.
    cut: Vec<bool>,
    /// The network node where ways meet, by street node.
    pub(super) node_of: Vec<Option<u32>>,
    /// The same where ways of several floors pass, by street node and group of floors (but the first).
    pub(super) node_on_floor: BTreeMap<(u32, usize), u32>,
    /// The street node of each network node.
    pub(super) street_node: Vec<u32>,
    node_id: Vec<i64>,
    pub(super) node_place: Vec<Place>,
    node_ele_m: Vec<Option<f32>>,
    /// Floors of network nodes whose ways say so.
    pub(super) node_level: BTreeMap<u32, Level>,
    edge_id: Vec<i64>,
    pub(super) edges: Edges,
    /// The street nodes that an edge of a way hangs on, as a range of [`Streets::refs`]. Other edges hang on their ends.
    pub(super) along: Vec<Range<usize>>,
    /// What the tags say of each edge's way, and how much of the way the edge is.
    ways: Vec<&'a Walkway>,
    way_share: Vec<f64>,
    /// Whether stairs climb from first to second node by the floors at their ends.
    floor_climbs: BTreeMap<usize, bool>,
    pub(super) rides: Vec<Ride>,
    /// Lift node (street node), and the network node at which a way ends before it.
    pub(super) lift_doors: Vec<(u32, u32)>,
    /// Gate (street node), and the network node at which a way ends at it.
    gate_sides: Vec<(u32, u32)>,
    /// Lifts that fewer than two ways come to.
    pub(super) lifts_to_nowhere: Vec<Place>,
    /// What is not known of a part of a city.
    pub(super) beyond: Beyond,
}

/// What is true of a link that no way draws.
static LINK: LazyLock<Walkway> = LazyLock::new(|| Walkway { joinable: false, ..Walkway::default() });

impl<'a> Builder<'a> {
    fn new(streets: &'a Streets, gates: Gates) -> Self {
        Self {
            streets,
            gates,
            floors: Floors::new(streets),
            cut: cuts(streets),
            node_of: vec![None; streets.nodes.len()],
            node_on_floor: BTreeMap::new(),
            street_node: Vec::new(),
            node_id: Vec::new(),
            node_place: Vec::new(),
            node_ele_m: Vec::new(),
            node_level: BTreeMap::new(),
            edge_id: Vec::new(),
            edges: Edges { first_vertex: vec![0], ..Edges::default() },
            along: Vec::new(),
            ways: Vec::new(),
            way_share: Vec::new(),
            floor_climbs: BTreeMap::new(),
            rides: Vec::new(),
            lift_doors: Vec::new(),
            gate_sides: Vec::new(),
            lifts_to_nowhere: Vec::new(),
            beyond: Beyond::default(),
        }
    }

    /// All that is drawn, before any gate opens.
    pub(super) fn drawn(streets: &'a Streets, gates: Gates, progress: &Progress) -> Result<Self> {
        progress.begin("building the network", streets.ways.len() + streets.squares.len())?;
        let mut builder = Self::new(streets, gates);
        let sights = builder.sight_lines(progress)?;
        for way in 0..streets.ways.len() {
            builder.add_way(way);
            progress.step(1)?;
        }
        for (square, from, to) in sights {
            builder.add_sight_line(square, from, to);
        }
        builder.add_lifts();
        builder.join_stations();
        Ok(builder)
    }

    fn add_way(&mut self, number: usize) {
        let streets = self.streets;
        let way = &streets.ways[number];
        let refs = &streets.refs[way.nodes.clone()];
        let first_edge = self.edges.from.len();
        let mut start = 0;
        for at in 1..refs.len() {
            if at + 1 == refs.len() || self.cut[refs[at] as usize] {
                self.add_piece(number, start, at);
                start = at;
            }
        }
        self.share_out(&way.way, first_edge);
        let climbs =
            match (self.floors.of(streets, number, 0), self.floors.of(streets, number, refs.len() - 1)) {
                (&[start], &[end]) if start != end => Some(end > start),
                _ => None,
            };
        let edges = first_edge..self.edges.from.len();
        self.floor_climbs
            .extend(climbs.into_iter().flat_map(|climbs| edges.clone().map(move |edge| (edge, climbs))));
    }

    /// Add the piece of a way between two cuts.
    fn add_piece(&mut self, number: usize, start: usize, end: usize) {
        let streets = self.streets;
        let street = &streets.ways[number];
        let refs = &streets.refs[street.nodes.start + start..=street.nodes.start + end];
        let mut places: Vec<Place> = Vec::with_capacity(refs.len());
        for (at, &node) in refs.iter().enumerate() {
            if at == 0 || node != refs[at - 1] {
                places.push(streets.nodes[node as usize].place);
            }
        }
        if places.len() < 2 {
            return;
        }
        let length_m = places.windows(2).map(|pair| pair[0].distance_m(pair[1])).sum();
        let floors = [start, end].map(|at| self.floors.of(streets, number, at).to_vec());
        let from = self.end(refs[0], &floors[0]);
        let to = self.end(refs[refs.len() - 1], &floors[1]);
        self.edges.push(from, to, length_m, &street.way);
        *self.edges.residents.last_mut().expect("just pushed") = self.gates.for_residents(street.way.passage);
        self.edges.draw(&places);
        let whole = street.way.kind.changes_floor() || !is_walked(street.way.kind);
        let piece = street.nodes.start + start..street.nodes.start + end + 1;
        self.along.push(if whole { street.nodes.clone() } else { piece });
        self.edge_id.push(street.id);
        self.ways.push(&street.way);
        self.way_share.push(1.0);
    }

    /// Each piece of a way has its share of what is said of the whole: steps, floors, one wait.
    fn share_out(&mut self, way: &Walkway, first_edge: usize) {
        let edges = first_edge..self.edges.from.len();
        let whole_m: f64 = self.edges.length_m[edges.clone()].iter().sum();
        let pieces = edges.len() as f64;
        for edge in edges {
            let share = if whole_m > 0.0 { self.edges.length_m[edge] / whole_m } else { 1.0 / pieces };
            self.way_share[edge] = share;
            self.rides.extend(ride(way, whole_m, share).map(|ride| Ride { edge: edge as u32, ..ride }));
        }
    }

    /// The network node at which an edge ends: shared where ways of a floor meet, its own before a closed or private gate
    /// or a lift's door.
    fn end(&mut self, street_node: u32, levels: &[Level]) -> u32 {
        let node = self.streets.nodes[street_node as usize];
        let shut = match node.barrier {
            Barrier::None => false,
            Barrier::Closed => true,
            Barrier::PrivateGate => self.gates != Gates::Open,
            Barrier::Gate => self.gates == Gates::Closed,
        };
        if shut || node.lift {
            let side = self.add_node(street_node, node.id, node.ele_m);
            self.note_level(side, levels);
            if node.lift && !shut {
                self.lift_doors.push((street_node, side));
            } else if node.barrier != Barrier::Closed {
                self.gate_sides.push((street_node, side));
            }
            return side;
        }
        let group = self.floors.group(street_node, levels);
        let known = match group {
            0 => self.node_of[street_node as usize],
            _ => self.node_on_floor.get(&(street_node, group)).copied(),
        };
        let meeting = known.unwrap_or_else(|| self.add_node(street_node, node.id, node.ele_m));
        if group == 0 {
            self.node_of[street_node as usize] = Some(meeting);
        } else {
            self.node_on_floor.insert((street_node, group), meeting);
        }
        self.note_level(meeting, levels);
        meeting
    }

    fn note_level(&mut self, node: u32, levels: &[Level]) {
        if let [level] = levels {
            self.node_level.entry(node).or_insert(*level);
        }
    }

    /// Add a network node at the place of a street node, and give its number.
    pub(super) fn add_node(&mut self, street_node: u32, id: i64, ele_m: Option<f32>) -> u32 {
        self.street_node.push(street_node);
        self.node_id.push(id);
        self.node_place.push(self.streets.nodes[street_node as usize].place);
        self.node_ele_m.push(ele_m);
        self.node_id.len() as u32 - 1
    }

    /// Add a straight edge that no way draws, and give its number.
    pub(super) fn add_link(&mut self, id: i64, from: u32, to: u32, length_m: f64, kind: WayKind) -> usize {
        self.edges.push(from, to, length_m, &LINK);
        let edge = self.edges.from.len() - 1;
        self.edges.kind[edge] = kind;
        self.edges.draw(&[from, to].map(|node| self.node_place[node as usize]));
        self.edge_id.push(id);
        self.ways.push(&LINK);
        self.way_share.push(1.0);
        edge
    }

    /// What can be crossed straight, square by square: pairs of street nodes that see each other. Ways are cut there.
    fn sight_lines(&mut self, progress: &Progress) -> Result<Vec<(usize, u32, u32)>> {
        let mut lines = Vec::new();
        for (number, square) in self.streets.squares.iter().enumerate() {
            progress.step(1)?;
            if square.way.kind == WayKind::Lift {
                continue;
            }
            let found = squares::sight_lines(&self.rings(square));
            let open = |node: u32| self.streets.nodes[node as usize].barrier == Barrier::None;
            lines.extend(
                found.into_iter().filter(|&(a, b)| open(a) && open(b)).map(|(from, to)| (number, from, to)),
            );
        }
        for &(_, from, to) in &lines {
            self.cut[from as usize] = true;
            self.cut[to as usize] = true;
        }
        Ok(lines)
    }

    /// The outlines of a square in metres around its first corner.
    fn rings(&self, square: &Square) -> Vec<Ring> {
        let streets = self.streets;
        let place = |node: u32| streets.nodes[node as usize].place;
        let origin =
            square.rings.first().and_then(|ring| streets.refs.get(ring.start)).map(|&node| place(node));
        let Some(origin) = origin else { return vec![] };
        let flat = Plane::at(origin);
        let ring = |range: &Range<usize>| {
            let nodes = streets.refs[range.clone()].to_vec();
            Ring {
                places: nodes.iter().map(|&node| flat.flat(place(node)).into()).collect(),
                entry: nodes.iter().map(|&node| self.cut[node as usize]).collect(),
                nodes,
            }
        };
        square.rings.iter().map(ring).collect()
    }

    fn add_sight_line(&mut self, square: usize, from: u32, to: u32) {
        let square = &self.streets.squares[square];
        let way = &square.way;
        let [from, to] = [from, to].map(|node| self.end(node, &way.levels));
        let places = [from, to].map(|node| self.node_place[node as usize]);
        self.edges.push(from, to, places[0].distance_m(places[1]), way);
        let edge = self.edges.from.len() - 1;
        self.edges.kind[edge] = WayKind::Square;
        self.edges.directions[edge] = Directions::Both;
        self.edges.residents[edge] = self.gates.for_residents(way.passage);
        self.edges.draw(&places);
        self.edge_id.push(square.id);
        self.ways.push(way);
        self.way_share.push(1.0);
    }

    /// Cableways and ferries that end beside the streets.
    fn join_stations(&mut self) {
        let mut on_street = vec![false; self.node_id.len()];
        for edge in (0..self.edges.from.len()).filter(|&edge| is_walked(self.edges.kind[edge])) {
            on_street[self.edges.from[edge] as usize] = true;
            on_street[self.edges.to[edge] as usize] = true;
        }
        let ends = (0..self.edges.from.len()).filter(|&edge| !is_walked(self.edges.kind[edge]));
        let mut stations: Vec<u32> =
            ends.flat_map(|edge| [self.edges.from[edge], self.edges.to[edge]]).collect();
        stations.sort_unstable();
        stations.dedup();
        for station in stations.into_iter().filter(|&station| !on_street[station as usize]) {
            let place = self.node_place[station as usize];
            let streets = (0..on_street.len()).filter(|&node| on_street[node]);
            let distances = streets.map(|node| (place.distance_m(self.node_place[node]), node as u32));
            let near = distances.filter(|(away_m, _)| *away_m <= STATION_M);
            if let Some((away_m, node)) = near.min_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1))) {
                self.add_link(self.node_id[station as usize], node, station, away_m, WayKind::Footway);
            }
        }
    }

    fn open_gates(&mut self) {
        if !self.gate_sides.is_empty() {
            self.pass(&self.estates());
        }
    }

    /// What gates hold together.
    pub(super) fn estates(&self) -> Estates {
        Estates::new(&self.gate_sides, self.node_id.len(), &self.edges, &self.beyond)
    }

    /// Open the gates of estates.
    pub(super) fn pass(&mut self, estates: &Estates) {
        let becomes = estates.open_for_residents(&mut self.edges);
        for node in self.edges.from.iter_mut().chain(&mut self.edges.to) {
            *node = becomes[*node as usize];
        }
    }

    pub(super) fn join_islands(&mut self, within_m: f64) {
        let bridges = components::island_bridges(&self.node_place, &self.edges, within_m, &self.beyond);
        for (from, to) in bridges {
            let length_m = self.node_place[from as usize].distance_m(self.node_place[to as usize]);
            self.add_link(self.node_id[from as usize], from, to, length_m, WayKind::Footway);
        }
    }

    /// What heights are made from.
    pub(super) fn heights<'b>(&'b self, elevation: &'b Elevation) -> heights::Sources<'b> {
        heights::Sources {
            edges: &self.edges,
            node_place: &self.node_place,
            node_ele_m: &self.node_ele_m,
            ways: &self.ways,
            way_share: &self.way_share,
            floor_climbs: &self.floor_climbs,
            elevation,
        }
    }

    pub(super) fn finish(
        mut self,
        elevation: &Elevation,
        rules: Rules,
        left_out: LeftOut,
        progress: &Progress,
    ) -> Result<Built> {
        refuse_too_large(self.edges.vertices.len().max(self.edge_id.len()))?;
        components::mark_islands(self.node_place.len(), &mut self.edges, &self.beyond);
        self.drop_unused_nodes();
        let heights::Found { heights, flights, not_believed } = self.heights(elevation).find(progress)?;
        let origin = Origin {
            max_snap_m: rules.max_snap_m,
            gates: rules.gates,
            join_islands_m: rules.join_islands_m,
            analysis_crs: AnalysisCrs::default(),
            voids: (elevation.voids.found, elevation.voids.filled),
            tags_not_believed: not_believed.len() as u64,
            lifts_to_nowhere: self.lifts_to_nowhere.len() as u64,
            left_out,
            synthetic: self.streets.synthetic,
        };
        let ways = Ways {
            edges: self.edges,
            heights,
            flights,
            rides: self.rides,
            walls: self.streets.walls.clone(),
            given: None,
        };
        let (node_id, edge_id) = (Ids::Int(self.node_id), Ids::Int(self.edge_id));
        let network = Network::new(node_id, self.node_place, edge_id, ways, origin);
        Ok(Built { network, not_believed, lifts_to_nowhere: self.lifts_to_nowhere })
    }

    /// Nodes that became others at gates are no longer needed.
    fn drop_unused_nodes(&mut self) {
        let mut used = vec![false; self.node_id.len()];
        for &node in self.edges.from.iter().chain(&self.edges.to) {
            used[node as usize] = true;
        }
        let mut number = vec![0; used.len()];
        for (kept, node) in (0..).zip((0..used.len()).filter(|&node| used[node])) {
            number[node] = kept;
        }
        let mut keep = used.iter();
        self.node_id.retain(|_| *keep.next().expect("one mark for each node"));
        let mut keep = used.iter();
        self.node_place.retain(|_| *keep.next().expect("one mark for each node"));
        let mut keep = used.iter();
        self.node_ele_m.retain(|_| *keep.next().expect("one mark for each node"));
        for node in self.edges.from.iter_mut().chain(&mut self.edges.to) {
            *node = number[*node as usize];
        }
    }
}

/// Whether one comes to a way and leaves it on foot anywhere.
pub(super) fn is_walked(kind: WayKind) -> bool {
    !matches!(kind, WayKind::Cableway | WayKind::Ferry)
}

/// The share of a ride that a piece of its way is.
fn ride(way: &Walkway, whole_m: f64, share: f64) -> Option<Ride> {
    let floors = match (way.kind, way.levels.as_slice()) {
        (WayKind::Lift, [low, .., high]) if way.duration_s.is_none() => low.floors_to(*high) * share as f32,
        _ => 0.0,
    };
    let mps = match way.kind {
        WayKind::Lift if floors > 0.0 => f64::INFINITY,
        WayKind::Lift => INCLINED_LIFT_MPS,
        WayKind::Cableway => CABLEWAY_MPS,
        WayKind::Ferry => FERRY_MPS,
        _ => return None,
    };
    let ride_s = way.duration_s.map_or(whole_m / mps, f64::from) * share;
    Some(Ride { edge: 0, wait_share: share as f32, floors, ride_s: ride_s as f32 })
}

/// Ways are cut where they end, where two meet or one meets itself, at gates and at lifts.
fn cuts(streets: &Streets) -> Vec<bool> {
    let mut seen = vec![false; streets.nodes.len()];
    let stops = |node: &crate::model::street::StreetNode| node.barrier != Barrier::None || node.lift;
    let mut cut: Vec<bool> = streets.nodes.iter().map(stops).collect();
    for way in &streets.ways {
        let refs = &streets.refs[way.nodes.clone()];
        for (at, &node) in refs.iter().enumerate() {
            if at > 0 && refs[at - 1] == node {
                continue;
            }
            let node = node as usize;
            cut[node] |= seen[node] || at == 0 || at + 1 == refs.len();
            seen[node] = true;
        }
    }
    // The corners of a lift's outline are its doors.
    for square in streets.squares.iter().filter(|square| square.way.kind == WayKind::Lift) {
        for ring in &square.rings {
            streets.refs[ring.clone()].iter().for_each(|&node| cut[node as usize] = true);
        }
    }
    cut
}
