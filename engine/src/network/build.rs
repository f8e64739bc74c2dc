//! Streets → network: ways cut at crossings, heights along them, gates closed, lifts entered through a wait.

use super::components;
use super::graph::{CLOSED, Edges, GivenTimes, Network, Vertices};
use crate::model::elevation::Elevation;
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::street::{Directions, Incline, Street, StreetNode, Streets, Survey, WayKind};
use rayon::prelude::*;

/// Build the network of an extract.
///
/// # Errors
/// [`Error::Cancelled`] when the user stopped, [`Error::Internal`] beyond 2³¹ edges or vertices.
pub fn from_streets(
    streets: &Streets,
    elevation: &Elevation,
    max_snap_m: f64,
    progress: &Progress,
) -> Result<Network> {
    progress.begin("building the network", streets.ways.len())?;
    let mut builder = Builder::new(streets);
    for way in &streets.ways {
        builder.add_way(way);
        progress.step(1)?;
    }
    builder.add_lift_rides();
    refuse_too_large(builder.vertices.place.len().max(builder.edge_id.len()))?;
    let Builder { node_id, node_place, edge_id, mut edges, mut vertices, .. } = builder;
    vertices.ele_m = heights(&vertices.place, elevation, progress)?;
    level_off_ground(&edges, &mut vertices);
    components::mark_islands(node_place.len(), &mut edges);
    Ok(Network::new(Ids::Int(node_id), node_place, Ids::Int(edge_id), edges, vertices, None, max_snap_m))
}

/// Build the network of a survey; its edges are straight between their nodes, whatever length they state.
pub fn from_survey(survey: Survey, max_snap_m: f64) -> Result<Network> {
    refuse_too_large(survey.edges.len() * 2)?;
    let mut edges = Edges { first_vertex: vec![0], ..Edges::default() };
    let mut vertices = Vertices::default();
    for edge in &survey.edges {
        edges.push(edge.from, edge.to, edge.length_m, edge.kind);
        for node in [edge.from, edge.to] {
            vertices.place.push(survey.place[node as usize]);
            vertices.ele_m.push(survey.ele_m[node as usize].unwrap_or(f32::NAN));
        }
        edges.first_vertex.push(vertices.place.len() as u32);
    }
    let given = survey.timed.then(|| GivenTimes {
        forward_ds: survey.edges.iter().map(|edge| edge.forward_ds.unwrap_or(CLOSED)).collect(),
        backward_ds: survey.edges.iter().map(|edge| edge.backward_ds.unwrap_or(CLOSED)).collect(),
    });
    Ok(Network::new(survey.node_id, survey.place, survey.edge_id, edges, vertices, given, max_snap_m))
}

fn refuse_too_large(count: usize) -> Result<()> {
    if count < (u32::MAX / 2) as usize {
        return Ok(());
    }
    Err(Error::Internal(format!("a network of {count} parts; the limit is {}", u32::MAX / 2)))
}

impl Edges {
    /// Add an ordinary edge; its vertices are added by the caller.
    fn push(&mut self, from: u32, to: u32, length_m: f64, kind: WayKind) {
        self.from.push(from);
        self.to.push(to);
        self.length_m.push(length_m);
        self.kind.push(kind);
        self.directions.push(Directions::Both);
        self.incline.push(Incline::Unknown);
        self.off_ground.push(false);
        self.ride_share.push(1.0);
        self.island.push(false);
    }
}

struct Builder<'a> {
    streets: &'a Streets,
    /// Whether ways are cut at the node.
    cut: Vec<bool>,
    /// The network node of each street node where ways meet; `None` until first used.
    node_of: Vec<Option<u32>>,
    node_id: Vec<i64>,
    node_place: Vec<Place>,
    edge_id: Vec<i64>,
    edges: Edges,
    vertices: Vertices,
    /// Lift node (street node), and the copy of it at which a way ends.
    lift_doors: Vec<(u32, u32)>,
}

impl<'a> Builder<'a> {
    fn new(streets: &'a Streets) -> Self {
        Self {
            streets,
            cut: cuts(streets),
            node_of: vec![None; streets.nodes.len()],
            node_id: Vec::new(),
            node_place: Vec::new(),
            edge_id: Vec::new(),
            edges: Edges { first_vertex: vec![0], ..Edges::default() },
            vertices: Vertices::default(),
            lift_doors: Vec::new(),
        }
    }

    fn add_way(&mut self, way: &Street) {
        let refs = &self.streets.refs[way.nodes.clone()];
        let pieces = refs.len() - 1;
        let mut start = 0;
        let first_edge = self.edges.from.len();
        for at in 1..=pieces {
            if at == pieces || self.cut[refs[at] as usize] {
                self.add_edge(way, &refs[start..=at]);
                start = at;
            }
        }
        // An inclined lift drawn as one way is one wait, however many landings cut it.
        let parts = (self.edges.from.len() - first_edge).max(1) as f32;
        for edge in first_edge..self.edges.from.len() {
            self.edges.ride_share[edge] = 1.0 / parts;
        }
    }

    fn add_edge(&mut self, way: &Street, refs: &[u32]) {
        let first_vertex = self.vertices.place.len();
        for (at, &node) in refs.iter().enumerate() {
            if at == 0 || node != refs[at - 1] {
                self.vertices.place.push(self.streets.nodes[node as usize].place);
            }
        }
        let places = &self.vertices.place[first_vertex..];
        if places.len() < 2 {
            self.vertices.place.truncate(first_vertex);
            return;
        }
        let length_m = places.windows(2).map(|pair| pair[0].distance_m(pair[1])).sum();
        let (from, to) = (self.end(refs[0]), self.end(refs[refs.len() - 1]));
        self.edges.push(from, to, length_m, way.kind);
        let edge = self.edges.from.len() - 1;
        self.edges.directions[edge] = way.directions;
        self.edges.incline[edge] = way.incline;
        self.edges.off_ground[edge] = way.off_ground;
        self.edges.first_vertex.push(self.vertices.place.len() as u32);
        self.edge_id.push(way.id);
    }

    /// The network node at which an edge ends: shared where ways meet, its own at a closed gate or a lift door.
    fn end(&mut self, street_node: u32) -> u32 {
        let node = self.streets.nodes[street_node as usize];
        if node.blocked {
            return self.add_node(node);
        }
        if node.lift {
            let door = self.add_node(node);
            self.lift_doors.push((street_node, door));
            return door;
        }
        if let Some(known) = self.node_of[street_node as usize] {
            return known;
        }
        let new = self.add_node(node);
        self.node_of[street_node as usize] = Some(new);
        new
    }

    fn add_node(&mut self, node: StreetNode) -> u32 {
        self.node_id.push(node.id);
        self.node_place.push(node.place);
        self.node_id.len() as u32 - 1
    }

    /// From each door of a lift node half a ride into the cabin: whoever passes pays one.
    fn add_lift_rides(&mut self) {
        let mut doors = std::mem::take(&mut self.lift_doors);
        doors.sort_unstable();
        for lift in doors.chunk_by(|a, b| a.0 == b.0).filter(|lift| lift.len() > 1) {
            let node = self.streets.nodes[lift[0].0 as usize];
            let cabin = self.add_node(node);
            for &(_, door) in lift {
                self.edges.push(door, cabin, 0.0, WayKind::Lift);
                let edge = self.edges.from.len() - 1;
                self.edges.ride_share[edge] = 0.5;
                self.vertices.place.extend([node.place, node.place]);
                self.edges.first_vertex.push(self.vertices.place.len() as u32);
                self.edge_id.push(node.id);
            }
        }
    }
}

/// Ways are cut where they end, where two meet or one meets itself, at gates and at lifts.
fn cuts(streets: &Streets) -> Vec<bool> {
    let mut seen = vec![false; streets.nodes.len()];
    let mut cut: Vec<bool> = streets.nodes.iter().map(|node| node.blocked || node.lift).collect();
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
    cut
}

fn heights(places: &[Place], elevation: &Elevation, progress: &Progress) -> Result<Vec<f32>> {
    if elevation.grids.is_empty() {
        return Ok(vec![f32::NAN; places.len()]);
    }
    let sampled: Vec<Vec<f32>> = places
        .par_chunks(1 << 14)
        .map(|chunk| {
            progress.check()?;
            Ok(chunk.iter().map(|&place| elevation.sample_m(place).unwrap_or(f32::NAN)).collect())
        })
        .collect::<Result<_>>()?;
    Ok(sampled.concat())
}

/// Between the ends of a bridge or a tunnel the terrain is not the way: heights run straight.
fn level_off_ground(edges: &Edges, vertices: &mut Vertices) {
    for edge in (0..edges.from.len()).filter(|&edge| edges.off_ground[edge]) {
        let range = edges.first_vertex[edge] as usize..edges.first_vertex[edge + 1] as usize;
        let (start, end) = (vertices.ele_m[range.start], vertices.ele_m[range.end - 1]);
        let mut walked_m = 0.0;
        for at in range.start + 1..range.end {
            walked_m += vertices.place[at - 1].distance_m(vertices.place[at]);
            let share = if edges.length_m[edge] > 0.0 { walked_m / edges.length_m[edge] } else { 1.0 };
            vertices.ele_m[at] = start + (end - start) * share.min(1.0) as f32;
        }
    }
}
