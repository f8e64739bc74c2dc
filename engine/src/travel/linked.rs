//! Which nodes of a part of a network lead to one another, told so that parts can be put together: what is connected with what
//! hangs on the whole network, however far.

use super::arcs::{Arcs, Side};
use super::doors::Walk;
use crate::model::error::Result;
use crate::model::progress::Progress;

/// Groups of nodes that all lead to one another, and the steps from group to group, as a search from doors goes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The group of each node.
    pub of_node: Vec<u32>,
    /// Number of groups.
    pub groups: u32,
    /// From group to group, sorted, each once.
    pub steps: Vec<(u32, u32)>,
}

/// Groups between two looks at the stop button.
const NODES_PER_LOOK: usize = 1 << 14;

/// Not looked at yet.
const NEW: u32 = u32::MAX;

/// The strongly connected groups of a walk's network (R. Tarjan, SIAM Journal on Computing 1, 1972), without recursion.
///
/// `is_whole` tells the nodes that have all their edges. Only steps between two of them count: whether others are ends of public
/// ways, and so whether one may pass from one private way to the next, the part cannot tell.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn linked(walk: &Walk<'_>, is_whole: impl Fn(usize) -> bool, progress: &Progress) -> Result<Linked> {
    let (arcs, order) = (walk.arcs(Side::Doors), walk.network.order());
    let whole: Vec<bool> = order.node_at.iter().map(|&node| is_whole(node as usize)).collect();
    let mut search = Search::new(whole);
    for root in 0..arcs.node_count() {
        if root % NODES_PER_LOOK == 0 {
            progress.check()?;
        }
        if search.number[root] == NEW {
            search.from(arcs, root);
        }
    }
    let mut steps: Vec<(u32, u32)> = (0..arcs.node_count())
        .flat_map(|from| arcs.from(from).iter().map(move |hop| (from, hop.to as usize)))
        .filter(|&(from, to)| search.counts(from, to))
        .map(|(from, to)| (search.group[from], search.group[to]))
        .filter(|(from, to)| from != to)
        .collect();
    steps.sort_unstable();
    steps.dedup();
    let of_node = order.position.iter().map(|&position| search.group[position as usize]).collect();
    Ok(Linked { of_node, groups: search.groups, steps })
}

/// Tarjan's search: numbers in the order of discovery, the lowest number that each node leads back to, and who is open.
struct Search {
    whole: Vec<bool>,
    number: Vec<u32>,
    low: Vec<u32>,
    group: Vec<u32>,
    open: Vec<u32>,
    next: u32,
    groups: u32,
    /// Nodes on the way down, each with the next of its steps.
    way: Vec<(u32, u32)>,
}

impl Search {
    fn new(whole: Vec<bool>) -> Self {
        let column = || vec![NEW; whole.len()];
        let (number, low, group) = (column(), column(), column());
        Self { number, low, group, open: Vec::new(), next: 0, groups: 0, way: Vec::new(), whole }
    }

    fn counts(&self, from: usize, to: usize) -> bool {
        self.whole[from] && self.whole[to]
    }

    fn enter(&mut self, node: u32) {
        self.number[node as usize] = self.next;
        self.low[node as usize] = self.next;
        self.next += 1;
        self.open.push(node);
        self.way.push((node, 0));
    }

    fn from(&mut self, arcs: &Arcs, root: usize) {
        self.enter(root as u32);
        while let Some(&mut (node, ref mut step)) = self.way.last_mut() {
            let at = node as usize;
            if let Some(hop) = arcs.from(at).get(*step as usize) {
                *step += 1;
                let to = hop.to as usize;
                if !self.counts(at, to) {
                    continue;
                }
                if self.number[to] == NEW {
                    self.enter(hop.to);
                } else if self.group[to] == NEW {
                    self.low[at] = self.low[at].min(self.number[to]);
                }
                continue;
            }
            self.way.pop();
            if let Some(&(above, _)) = self.way.last() {
                self.low[above as usize] = self.low[above as usize].min(self.low[at]);
            }
            if self.low[at] == self.number[at] {
                self.close(node);
            }
        }
    }

    /// Everything that was opened since a node is one group.
    fn close(&mut self, node: u32) {
        while let Some(member) = self.open.pop() {
            self.group[member as usize] = self.groups;
            if member == node {
                break;
            }
        }
        self.groups += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::io::defaults;
    use crate::model::times::Direction;
    use crate::travel::nearest_tests::random_town;
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(300))]

        /// Two nodes are in one group just where each leads to the other, by trying every step again and again.
        #[test]
        fn groups_are_those_of_trying_everything(town in random_town()) {
            let network = town.network(town.edges.len());
            let adult = &defaults::profiles()[0];
            let walk = Walk::new(&network, adult, Direction::ToFacility);
            let found = linked(&walk, |_| true, &Progress::default()).unwrap();
            let (arcs, order) = (walk.arcs(Side::Doors), network.order());
            let nodes = arcs.node_count();
            let mut leads = vec![vec![false; nodes]; nodes];
            for (from, leads) in leads.iter_mut().enumerate() {
                leads[from] = true;
                while (0..nodes).any(|at| {
                    leads[at] && arcs.from(at).iter().any(|hop| !std::mem::replace(&mut leads[hop.to as usize], true))
                }) {}
            }
            let group = |position: usize| found.of_node[order.node_at[position] as usize];
            for (a, from_a) in leads.iter().enumerate() {
                for (b, from_b) in leads.iter().enumerate() {
                    prop_assert_eq!(group(a) == group(b), from_a[b] && from_b[a]);
                }
                for hop in arcs.from(a) {
                    let step = (group(a), group(hop.to as usize));
                    prop_assert!(step.0 == step.1 || found.steps.binary_search(&step).is_ok());
                }
            }
        }
    }
}
