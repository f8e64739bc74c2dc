//! From one door to everywhere: for every node its time and the edge by which the fastest way goes on.

use super::doors::{Joined, Walk};
use crate::model::error::Result;
use crate::model::progress::Progress;
use crate::model::times::Deciseconds;
use crate::network::graph::{CLOSED, EdgeEnd};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Nodes between two looks at the stop button: well under a millisecond.
pub(super) const NODES_PER_LOOK: usize = 2048;

/// At a node from which the door is reached straight.
const NO_EDGE: EdgeEnd = EdgeEnd(u32::MAX);

/// What a search found; working memory that the next on the same thread uses again.
///
/// Of equally fast ways the one found first stays. Nodes are visited by time, then by number, their edges by number, so
/// the choice hangs on the network alone. A node's way leads over nodes visited before it: it has no rounds, whatever
/// edges take no time.
#[derive(Debug, Default)]
pub struct Tree {
    time_ds: Vec<Deciseconds>,
    via: Vec<EdgeEnd>,
    reached: Vec<u32>,
    heap: BinaryHeap<Reverse<(Deciseconds, u32)>>,
}

impl Tree {
    /// Tenths of a second between a node and the door; [`CLOSED`] where it was not reached.
    pub fn time_ds(&self, node: usize) -> Deciseconds {
        self.time_ds[node]
    }

    /// The end of the edge on which the way between node and door goes on; `None` when the door is on an edge that
    /// touches the node, and at nodes that were not reached.
    pub fn via(&self, node: usize) -> Option<EdgeEnd> {
        Some(self.via[node]).filter(|&via| via != NO_EDGE)
    }

    /// The nodes that were reached, in the order in which they were found.
    pub fn reached(&self) -> &[u32] {
        &self.reached
    }

    /// Forget the search before: only what it touched, because a city has many more nodes than a walkshed.
    fn clear(&mut self, nodes: usize) {
        if self.time_ds.len() == nodes {
            for &node in &self.reached {
                self.time_ds[node as usize] = CLOSED;
                self.via[node as usize] = NO_EDGE;
            }
        } else {
            self.time_ds = vec![CLOSED; nodes];
            self.via = vec![NO_EDGE; nodes];
        }
        self.reached.clear();
        self.heap.clear();
    }

    fn offer(&mut self, node: u32, time_ds: Deciseconds, via: EdgeEnd) {
        let known_ds = self.time_ds[node as usize];
        if time_ds < known_ds {
            if known_ds == CLOSED {
                self.reached.push(node);
            }
            self.time_ds[node as usize] = time_ds;
            self.via[node as usize] = via;
            self.heap.push(Reverse((time_ds, node)));
        }
    }
}

impl Walk<'_> {
    /// Grow the tree of fastest ways between the nearest of some doors and the nodes not farther than the cut-off.
    ///
    /// `enough` is told every node with its final time and may end the search.
    pub fn grow(
        &self,
        doors: &[Joined],
        cutoff_ds: Deciseconds,
        mut enough: impl FnMut(u32, Deciseconds) -> bool,
        tree: &mut Tree,
        progress: &Progress,
    ) -> Result<()> {
        tree.clear(self.network.node_count());
        for (node, leg_ds) in doors.iter().flat_map(|door| self.door_legs(door)) {
            if leg_ds <= cutoff_ds {
                tree.offer(node, leg_ds, NO_EDGE);
            }
        }
        let mut visited = 0;
        while let Some(Reverse((time_ds, node))) = tree.heap.pop() {
            if time_ds > tree.time_ds[node as usize] {
                continue;
            }
            if enough(node, time_ds) {
                return Ok(());
            }
            visited += 1;
            if visited % NODES_PER_LOOK == 0 {
                progress.check()?;
            }
            for &end in self.network.around(node as usize) {
                let edge_ds = self.against(end);
                if edge_ds != CLOSED && time_ds + edge_ds <= cutoff_ds {
                    let other = self.network.other_end(end) as u32;
                    tree.offer(other, time_ds + edge_ds, EdgeEnd(end.0 ^ 1));
                }
            }
        }
        Ok(())
    }
}
