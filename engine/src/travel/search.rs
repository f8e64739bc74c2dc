//! From many doors at once: for every node the nearest door, by Dijkstra's algorithm on the graph against the walk.

use super::doors::Walk;
use crate::model::error::Result;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Direction};
use crate::network::graph::{CLOSED, EdgeEnd};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Time and door of a node in one number: tenths of a second in the upper half, the rank of the facility in the
/// lower. Comparing labels compares times first and breaks ties by rank, so the answer does not hang on the order
/// in which nodes are visited.
pub type Label = u64;

/// No door within the cut-off.
pub const NOT_REACHED: Label = Label::MAX;

/// A label of this time and rank.
pub const fn label(time_ds: Deciseconds, rank: u32) -> Label {
    (time_ds as u64) << 32 | rank as u64
}

/// Time of a label.
pub const fn time_ds(label: Label) -> Deciseconds {
    (label >> 32) as Deciseconds
}

/// Rank of a label.
pub const fn rank(label: Label) -> u32 {
    label as u32
}

/// Nodes between two looks at the stop button: well under a millisecond.
pub(super) const NODES_PER_LOOK: usize = 2048;

/// Working memory of a search, used again by the next on the same thread.
#[derive(Debug, Default)]
pub struct Scratch {
    labels: Vec<Label>,
    heap: BinaryHeap<Reverse<(Label, u32)>>,
}

impl Walk<'_> {
    /// Tenths of a second over an edge, in the direction in which a search from doors must count it: when people walk
    /// to the facility, the walk goes from the far node to this one.
    pub(super) fn against(&self, end: EdgeEnd) -> Deciseconds {
        if self.network.is_private_passage(end.edge(), self.network.other_end(end)) {
            return CLOSED;
        }
        let leaves_forward = end.is_start();
        let walked_forward = match self.direction {
            Direction::ToFacility => !leaves_forward,
            Direction::FromFacility => leaves_forward,
        };
        let times = if walked_forward { &self.times.forward_ds } else { &self.times.backward_ds };
        times[end.edge()]
    }

    /// For every node the nearest of the doors, not farther than the cut-off; [`NOT_REACHED`] elsewhere.
    ///
    /// `doors` are nodes with the label of a door there. Smallest label first: a node's label is final when it leaves
    /// the heap, because no edge takes less than nothing.
    pub fn nearest_door<'s>(
        &self,
        doors: impl Iterator<Item = (u32, Label)>,
        cutoff_ds: Deciseconds,
        scratch: &'s mut Scratch,
        progress: &Progress,
    ) -> Result<&'s [Label]> {
        let Scratch { labels, heap } = scratch;
        labels.clear();
        labels.resize(self.network.node_count(), NOT_REACHED);
        heap.clear();
        for (node, at_door) in doors {
            if time_ds(at_door) <= cutoff_ds && at_door < labels[node as usize] {
                labels[node as usize] = at_door;
                heap.push(Reverse((at_door, node)));
            }
        }
        let mut visited = 0;
        while let Some(Reverse((here, node))) = heap.pop() {
            if here > labels[node as usize] {
                continue;
            }
            visited += 1;
            if visited % NODES_PER_LOOK == 0 {
                progress.check()?;
            }
            for &end in self.network.around(node as usize) {
                let edge_ds = self.against(end);
                if edge_ds == CLOSED || time_ds(here) + edge_ds > cutoff_ds {
                    continue;
                }
                let there = here + label(edge_ds, 0);
                let other = self.network.other_end(end);
                if there < labels[other] {
                    labels[other] = there;
                    heap.push(Reverse((there, other as u32)));
                }
            }
        }
        Ok(labels)
    }

    /// Which nodes any of the doors is connected with, whatever the time.
    pub fn connected(&self, doors: impl Iterator<Item = u32>, progress: &Progress) -> Result<Vec<bool>> {
        let mut connected = vec![false; self.network.node_count()];
        let mut queue: Vec<u32> = Vec::new();
        for node in doors {
            if !std::mem::replace(&mut connected[node as usize], true) {
                queue.push(node);
            }
        }
        let mut visited = 0;
        while let Some(node) = queue.pop() {
            visited += 1;
            if visited % NODES_PER_LOOK == 0 {
                progress.check()?;
            }
            for &end in self.network.around(node as usize) {
                let other = self.network.other_end(end);
                if self.against(end) != CLOSED && !std::mem::replace(&mut connected[other], true) {
                    queue.push(other as u32);
                }
            }
        }
        Ok(connected)
    }
}
