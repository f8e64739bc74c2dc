//! A walk's network made ready for searches: only what a search reads, in the order in which it reads it.

use super::doors::Walk;
use crate::model::times::{Deciseconds, Direction};
use crate::network::graph::{CLOSED, EdgeEnd};
use crate::network::order::Order;
use rayon::prelude::*;
use std::ops::Range;

/// Where a search begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// At the doors of facilities, against the walk to them.
    Doors,
    /// At homes.
    Homes,
}

/// A step from one node to the next.
#[derive(Debug, Clone, Copy)]
pub struct Hop {
    /// Position of the next node.
    pub to: u32,
    /// Tenths of a second.
    pub time_ds: Deciseconds,
}

/// The steps of one walk as seen from one side. Nodes are known by their positions in the network's [`Order`].
#[derive(Debug)]
pub struct Arcs {
    first: Vec<u32>,
    hops: Vec<Hop>,
}

/// Bytes of a walk's steps and order: two numbers to order each node and one to find its steps.
pub const PER_NODE_BYTES: usize = 3 * size_of::<u32>();
/// The times of an edge in both directions, and a step each.
pub const PER_EDGE_BYTES: usize = 2 * (size_of::<Deciseconds>() + size_of::<Hop>());

/// Nodes that one thread makes ready at a time.
const NODES_PER_PART: usize = 1 << 14;

/// Whether people walk an edge from its first node to its second where a search from doors leaves its first node, or its second.
pub(super) const fn walks_forward(direction: Direction, leaves_first: bool) -> bool {
    match direction {
        Direction::ToFacility => !leaves_first,
        Direction::FromFacility => leaves_first,
    }
}

impl Walk<'_> {
    /// Tenths of a second over an edge, in the direction in which a search from doors must count it: when people walk
    /// to the facility, the walk goes from the far node to this one.
    pub(super) fn against(&self, end: EdgeEnd) -> Deciseconds {
        if self.network.is_private_passage(end.edge(), self.network.other_end(end)) {
            return CLOSED;
        }
        let times = if walks_forward(self.direction, end.is_start()) {
            &self.times.forward_ds
        } else {
            &self.times.backward_ds
        };
        times[end.edge()]
    }

    /// The steps that a search from one side takes.
    pub fn arcs(&self, side: Side) -> &Arcs {
        self.arcs[side as usize].get_or_init(|| self.make_arcs(side))
    }

    fn make_arcs(&self, side: Side) -> Arcs {
        let order = self.network.order();
        let parts: Vec<(Vec<u32>, Vec<Hop>)> =
            order.node_at.par_chunks(NODES_PER_PART).map(|nodes| self.part(order, nodes, side)).collect();
        let mut first = Vec::with_capacity(order.node_at.len() + 1);
        let mut hops = Vec::with_capacity(parts.iter().map(|(_, hops)| hops.len()).sum());
        first.push(0);
        for (ends, part) in parts {
            let before = hops.len() as u32;
            first.extend(ends.into_iter().map(|end| before + end));
            hops.extend(part);
        }
        Arcs { first, hops }
    }

    /// Where each node's steps end, and the steps.
    fn part(&self, order: &Order, nodes: &[u32], side: Side) -> (Vec<u32>, Vec<Hop>) {
        let (mut ends, mut hops) = (Vec::with_capacity(nodes.len()), Vec::with_capacity(nodes.len() * 3));
        for &node in nodes {
            for &end in self.network.around(node as usize) {
                // From homes the walk itself is followed: what a search from doors does against it, from the other end.
                let time_ds = match side {
                    Side::Doors => self.against(end),
                    Side::Homes => self.against(EdgeEnd(end.0 ^ 1)),
                };
                if time_ds != CLOSED {
                    hops.push(Hop { to: order.position[self.network.other_end(end)], time_ds });
                }
            }
            ends.push(hops.len() as u32);
        }
        (ends, hops)
    }
}

impl Arcs {
    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.first.len() - 1
    }

    /// The steps from a node.
    #[expect(clippy::inline_always, reason = "part of the innermost loop of every search")]
    #[inline(always)]
    pub fn from(&self, position: usize) -> &[Hop] {
        &self.hops[self.first[position] as usize..self.first[position + 1] as usize]
    }

    /// Positions in this range from which a step leads out of it.
    pub fn border(&self, range: Range<usize>) -> Vec<u32> {
        let leaves =
            |position: &usize| self.from(*position).iter().any(|hop| !range.contains(&(hop.to as usize)));
        range.clone().filter(leaves).map(|position| position as u32).collect()
    }
}
