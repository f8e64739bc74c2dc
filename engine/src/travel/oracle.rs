//! The slow, obvious twin of [`nearest`](super::nearest): for tests and benches, never for work.
//!
//! Every home and door becomes a node that cuts its edge; one plain search forward from each origin, without cut-off,
//! visits everything; the best facility of each class is picked at the end. It shares with the fast version only the
//! joining of places and the times of edges, which have truths of their own.

use super::doors::{Joined, Walk};
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Direction, Found, Nearest, Reason};
use crate::network::graph::CLOSED;
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A plain directed graph: for every node the nodes behind its arcs and their tenths of a second.
struct Graph {
    arcs: Vec<Vec<(usize, u64)>>,
}

impl Graph {
    fn add(&mut self, from: usize, to: usize, time_ds: u64) {
        self.arcs[from].push((to, time_ds));
    }

    /// Times from one node to all others.
    fn times_from(&self, start: usize) -> Vec<Option<u64>> {
        let mut times = vec![None; self.arcs.len()];
        let mut heap = BinaryHeap::from([Reverse((0, start))]);
        while let Some(Reverse((time_ds, node))) = heap.pop() {
            if times[node].is_some() {
                continue;
            }
            times[node] = Some(time_ds);
            for &(other, arc_ds) in &self.arcs[node] {
                heap.push(Reverse((time_ds + arc_ds, other)));
            }
        }
        times
    }
}

/// Tenths of a second between an origin and each facility; none where no way leads.
type Times = Vec<Option<u64>>;

/// Nearest facility of every class (sorted) from every origin, origin by origin.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn nearest(
    walk: &Walk<'_>,
    origins: &[Place],
    facilities: &Facilities,
    cutoff_ds: Deciseconds,
) -> Result<Vec<Nearest>> {
    let ranks = facilities.id.ranks();
    let mut answers = Vec::new();
    for times in times(walk, origins, facilities)? {
        for class in facilities.classes() {
            let Some(times) = &times else {
                answers.push(Err(Reason::NotSnapped));
                continue;
            };
            let of_class = (0..facilities.len()).filter(|&row| facilities.class[row] == class);
            let best = of_class.filter_map(|row| Some((times[row]?, ranks[row], row))).min();
            answers.push(match best {
                None => Err(Reason::NotConnected),
                Some((time_ds, ..)) if time_ds > u64::from(cutoff_ds) => Err(Reason::BeyondCutoff),
                Some((time_ds, _, row)) => Ok(Found::new(time_ds as Deciseconds, row as u32)),
            });
        }
    }
    Ok(answers)
}

/// Every origin and facility within the cut-off of each other, with the time between them, in order.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn pairs(
    walk: &Walk<'_>,
    origins: &[Place],
    facilities: &Facilities,
    cutoff_ds: Deciseconds,
) -> Result<Vec<(u32, u32, Deciseconds)>> {
    let within = |time_ds: &u64| *time_ds <= u64::from(cutoff_ds);
    let mut pairs = Vec::new();
    for (origin, times) in (0..).zip(times(walk, origins, facilities)?) {
        for (facility, time_ds) in (0..).zip(times.into_iter().flatten()) {
            pairs.extend(time_ds.filter(within).map(|time_ds| (origin, facility, time_ds as Deciseconds)));
        }
    }
    Ok(pairs)
}

/// For each origin the times to all facilities; none where the origin is not joined.
fn times(walk: &Walk<'_>, origins: &[Place], facilities: &Facilities) -> Result<Vec<Option<Times>>> {
    let progress = Progress::default();
    let doors = walk.join_doors(facilities, &progress)?.1;
    let homes = walk.join(origins, &progress)?.into_iter().map(|(_, joined)| joined);
    let joined: Vec<Option<Joined>> = homes.chain(doors.iter().map(|door| Some(door.joined))).collect();
    let graph = cut_at_places(walk, &joined);
    let nodes = walk.network.node_count();
    let of_origin = |origin: usize| {
        joined[origin]?;
        let from_here = graph.times_from(place_node(nodes, origin));
        let mut times = vec![None; facilities.len()];
        for (number, door) in doors.iter().enumerate() {
            let known: &mut Option<u64> = &mut times[door.facility as usize];
            let at_door = from_here[place_node(nodes, origins.len() + number)];
            *known = [*known, at_door].into_iter().flatten().min();
        }
        Some(times)
    };
    Ok((0..origins.len()).map(of_origin).collect())
}

/// A place is two nodes: where it is, and its point on the street.
fn place_node(nodes: usize, place: usize) -> usize {
    nodes + 2 * place
}

fn point_node(nodes: usize, place: usize) -> usize {
    nodes + 2 * place + 1
}

fn same_point(a: &Joined, b: &Joined) -> bool {
    a.anchor.share.total_cmp(&b.anchor.share).is_eq()
}

fn cut_at_places(walk: &Walk<'_>, joined: &[Option<Joined>]) -> Graph {
    let nodes = walk.network.node_count();
    let mut graph = Graph { arcs: vec![Vec::new(); nodes + 2 * joined.len()] };
    let mut on_edge: Vec<Vec<(usize, Joined)>> = vec![Vec::new(); walk.network.edge_count()];
    for (place, joined) in joined.iter().enumerate() {
        if let Some(joined) = joined {
            graph.add(place_node(nodes, place), point_node(nodes, place), u64::from(joined.leg_ds));
            graph.add(point_node(nodes, place), place_node(nodes, place), u64::from(joined.leg_ds));
            on_edge[joined.anchor.edge as usize].push((place, *joined));
        }
    }
    for (edge, places) in on_edge.iter_mut().enumerate() {
        places.sort_by(|a, b| a.1.anchor.share.total_cmp(&b.1.anchor.share));
        for pair in places.windows(2).filter(|pair| same_point(&pair[0].1, &pair[1].1)) {
            graph.add(point_node(nodes, pair[0].0), point_node(nodes, pair[1].0), 0);
            graph.add(point_node(nodes, pair[1].0), point_node(nodes, pair[0].0), 0);
        }
        add_edge(walk, edge, places, &mut graph);
    }
    graph
}

/// The edge as a chain: first node, its places in order, second node. Reversed when people walk from the facility, so
/// that a search from the origin always finds the times that are asked for.
fn add_edge(walk: &Walk<'_>, edge: usize, places: &[(usize, Joined)], graph: &mut Graph) {
    let (network, nodes) = (walk.network, walk.network.node_count());
    let (forward, backward) = (walk.times.forward_ds[edge], walk.times.backward_ds[edge]);
    let mut chain = vec![(network.edges.from[edge] as usize, 0, 0)];
    for (place, joined) in places {
        chain.push((point_node(nodes, *place), joined.split.from_start_ds, joined.split.to_start_ds));
    }
    chain.push((network.edges.to[edge] as usize, forward, backward));
    for pair in chain.windows(2) {
        let (near, far) = (pair[0], pair[1]);
        let mut add = |from, to, time_ds| match walk.direction {
            Direction::ToFacility => graph.add(from, to, u64::from(time_ds)),
            Direction::FromFacility => graph.add(to, from, u64::from(time_ds)),
        };
        // Nobody enters a private way from the street, whichever way the walk is told.
        let leaves = |node: usize| node >= nodes || !(network.edges.residents[edge] && network.public[node]);
        let (out, back) = match walk.direction {
            Direction::ToFacility => (leaves(near.0), leaves(far.0)),
            Direction::FromFacility => (leaves(far.0), leaves(near.0)),
        };
        if forward != CLOSED && out {
            add(near.0, far.0, far.1 - near.1);
        }
        if backward != CLOSED && back {
            add(far.0, near.0, far.2 - near.2);
        }
    }
}
