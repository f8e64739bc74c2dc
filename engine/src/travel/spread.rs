//! How far one gets along every street within a time, cut exactly where the time runs out.

use super::doors::{Joined, Walk, plus};
use super::tree::Tree;
use crate::model::times::Deciseconds;
use crate::network::graph::CLOSED;
use crate::network::snap::Anchor;

/// A cut is found to this length (metres): a tenth of a second is thirteen times as long.
const CUT_M: f64 = 0.01;

/// A part of an edge from all of whose points the door is reached in time (or that is reached from it).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Stretch {
    /// Number of the edge.
    pub edge: u32,
    /// Where it begins, 0..1 of the edge's length.
    pub from: f64,
    /// Where it ends.
    pub to: f64,
}

/// The door as seen from a point of an edge: where the way to it leaves the edge.
#[derive(Debug, Clone, Copy)]
enum Exit<'a> {
    /// At the first node, whose time this is.
    First(Deciseconds),
    /// At the second node.
    Second(Deciseconds),
    /// At the door, which is on this edge; the points before it.
    DoorBefore(&'a Joined),
    /// The same; the points after it.
    DoorAfter(&'a Joined),
}

/// The points of an edge whose way to the door goes by one exit. Times grow with the distance from it.
#[derive(Debug, Clone, Copy)]
pub struct Run<'a> {
    /// Number of the edge.
    pub edge: u32,
    exit: Exit<'a>,
}

impl Run<'_> {
    /// Where it begins, at the exit, and the end of the edge to which it leads.
    pub fn ends(&self) -> (f64, f64) {
        match self.exit {
            Exit::First(_) => (0.0, 1.0),
            Exit::Second(_) => (1.0, 0.0),
            Exit::DoorBefore(door) => (door.anchor.share, 0.0),
            Exit::DoorAfter(door) => (door.anchor.share, 1.0),
        }
    }

    /// Time between the point at a share and the door, by this exit; [`CLOSED`] where the edge may not be walked so.
    pub fn time_ds(&self, walk: &Walk<'_>, share: f64) -> Deciseconds {
        let point = walk.joined(Anchor { edge: self.edge, share, away_m: 0.0 });
        match self.exit {
            Exit::First(node_ds) => plus(node_ds, walk.home_legs(&point)[0].1),
            Exit::Second(node_ds) => plus(node_ds, walk.home_legs(&point)[1].1),
            Exit::DoorBefore(door) | Exit::DoorAfter(door) => walk.along_edge(&point, door),
        }
    }

    /// The farthest share within a limit; `None` when even the nearest is beyond it.
    pub fn cut(&self, walk: &Walk<'_>, limit_ds: Deciseconds) -> Option<f64> {
        let within = |share| self.time_ds(walk, share) <= limit_ds;
        let (mut inside, mut outside) = self.ends();
        if within(outside) {
            return Some(outside);
        }
        if !within(inside) {
            return None;
        }
        let length_m = walk.network.edges.length_m[self.edge as usize];
        // A survey may give minutes for an edge that is drawn in no length: then a share of a thousandth is near enough.
        let near_enough = CUT_M / length_m.max(10.0);
        while (outside - inside).abs() > near_enough {
            let middle = f64::midpoint(inside, outside);
            *(if within(middle) { &mut inside } else { &mut outside }) = middle;
        }
        Some(inside)
    }
}

/// The edges that doors are on or a tree has come to, in order.
pub fn edges(walk: &Walk<'_>, doors: &[Joined], tree: &Tree) -> Vec<u32> {
    let ends = tree.reached().iter().flat_map(|&node| walk.network.around(node as usize));
    let mut edges: Vec<u32> = ends.map(|end| end.edge() as u32).collect();
    edges.extend(doors.iter().map(|door| door.anchor.edge));
    edges.sort_unstable();
    edges.dedup();
    edges
}

/// The runs of an edge.
pub fn runs<'a>(
    walk: &Walk<'_>,
    doors: &'a [Joined],
    tree: &Tree,
    edge: u32,
) -> impl Iterator<Item = Run<'a>> {
    let ends = [walk.network.edges.from[edge as usize], walk.network.edges.to[edge as usize]];
    let [first_ds, second_ds] = ends.map(|node| tree.time_ds(node as usize));
    let nodes = [
        (first_ds < CLOSED).then_some(Exit::First(first_ds)),
        (second_ds < CLOSED).then_some(Exit::Second(second_ds)),
    ];
    let here = doors.iter().filter(move |door| door.anchor.edge == edge);
    let at_doors = here.flat_map(|door| [Exit::DoorBefore(door), Exit::DoorAfter(door)]);
    nodes.into_iter().flatten().chain(at_doors).map(move |exit| Run { edge, exit })
}

/// The parts of an edge within a limit, apart from each other and in order.
pub fn stretches(
    walk: &Walk<'_>,
    doors: &[Joined],
    tree: &Tree,
    edge: u32,
    limit_ds: Deciseconds,
) -> Vec<Stretch> {
    let mut parts: Vec<(f64, f64)> = runs(walk, doors, tree, edge)
        .filter_map(|run| {
            let (start, cut) = (run.ends().0, run.cut(walk, limit_ds)?);
            Some((start.min(cut), start.max(cut)))
        })
        .collect();
    parts.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut apart: Vec<Stretch> = Vec::new();
    for (from, to) in parts {
        match apart.last_mut() {
            Some(last) if from <= last.to => last.to = last.to.max(to),
            _ => apart.push(Stretch { edge, from, to }),
        }
    }
    apart
}

/// Whether homes and doors open onto an edge, as in joining: nobody is reached on a cableway or below a bridge.
pub fn opens_onto(walk: &Walk<'_>, edge: u32) -> bool {
    let edges = &walk.network.edges;
    edges.joinable[edge as usize]
}
