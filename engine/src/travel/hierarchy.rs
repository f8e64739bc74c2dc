//! A contraction hierarchy: nodes in an order of importance, with shortcuts, so that the fastest way between any two places
//! first only rises and then only falls.
//!
//! Worth making where many times are asked for over the whole network; where only a walkshed is searched, sweeps are quicker
//! than the making (docs/design/2026-11-searches.md).
//!
//! # Source
//! R. Geisberger, P. Sanders, D. Schultes, D. Delling, "Contraction hierarchies: faster and simpler hierarchical routing in road
//! networks", WEA 2008.

use super::arcs::{Arcs, Hop, Side};
use super::doors::Walk;
use crate::model::error::Result;
use crate::model::profile::Profile;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Direction};
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Mutex, PoisonError};

/// Nodes that the search for another way round a node visits before it gives up. Giving up costs a shortcut that is not
/// needed, never a wrong time.
const WITNESSES: usize = 50;

/// Nodes between two looks at the stop button.
const NODES_PER_LOOK: usize = 64;

/// Nodes by importance: the least first.
#[derive(Debug)]
pub struct Hierarchy {
    /// Importance of the node at each position.
    pub rank: Vec<u32>,
    /// Steps from each node to more important ones, by importance.
    pub rising: Steps,
    /// The same for ways that come down to a node: from where, more important, a step leads here.
    pub falling: Steps,
}

/// Steps of all nodes.
#[derive(Debug, Default)]
pub struct Steps {
    first: Vec<u32>,
    hops: Vec<Hop>,
}

impl Steps {
    /// The steps of a node.
    #[expect(clippy::inline_always, reason = "part of the innermost loop of every search")]
    #[inline(always)]
    pub fn of(&self, node: usize) -> &[Hop] {
        &self.hops[self.first[node] as usize..self.first[node + 1] as usize]
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.first.len() - 1
    }

    /// Steps by position, renumbered by importance.
    fn by_rank(of_position: &mut [Vec<Hop>], rank: &[u32]) -> Self {
        let mut at = vec![0; rank.len()];
        for (position, &rank) in rank.iter().enumerate() {
            at[rank as usize] = position;
        }
        let mut steps = Self { first: vec![0], hops: Vec::new() };
        for position in at {
            let mut hops = std::mem::take(&mut of_position[position]);
            for hop in &mut hops {
                hop.to = rank[hop.to as usize];
            }
            hops.sort_unstable_by_key(|hop| hop.to);
            steps.hops.extend(hops);
            steps.first.push(steps.hops.len() as u32);
        }
        steps
    }
}

/// The nodes that are not contracted yet, and the steps between them.
struct Rest {
    out: Vec<Vec<Hop>>,
    back: Vec<Vec<Hop>>,
    /// How many contractions lie below each node.
    depth: Vec<u32>,
}

/// Keep the quicker of two steps to the same node.
fn quicker(hops: &mut Vec<Hop>, hop: Hop) {
    match hops.iter_mut().find(|known| known.to == hop.to) {
        Some(known) => known.time_ds = known.time_ds.min(hop.time_ds),
        None => hops.push(hop),
    }
}

/// The time of two steps. Surveys may state years for one: a sum beyond every time that is told stays there and never wraps.
fn both(into: Hop, onward: Hop) -> Deciseconds {
    into.time_ds.saturating_add(onward.time_ds)
}

impl Rest {
    fn new(arcs: &Arcs) -> Self {
        let nodes = arcs.node_count();
        let mut rest = Self { out: vec![vec![]; nodes], back: vec![vec![]; nodes], depth: vec![0; nodes] };
        for from in 0..nodes {
            for &hop in arcs.from(from).iter().filter(|hop| hop.to as usize != from) {
                rest.add(from as u32, hop);
            }
        }
        rest
    }

    fn add(&mut self, from: u32, hop: Hop) {
        quicker(&mut self.out[from as usize], hop);
        quicker(&mut self.back[hop.to as usize], Hop { to: from, time_ds: hop.time_ds });
    }

    /// The shortcuts that keep all times when a node is taken out.
    fn shortcuts(&self, node: usize, scratch: &mut Witness) -> Vec<(u32, Hop)> {
        let mut shortcuts = Vec::new();
        for into in &self.back[node] {
            let onward = self.out[node].iter().filter(|onward| onward.to != into.to);
            let Some(longest_ds) = onward.clone().map(|onward| both(*into, *onward)).max() else {
                continue;
            };
            scratch.search(self, into.to, node as u32, longest_ds);
            for onward in onward {
                let time_ds = both(*into, *onward);
                if scratch.time_ds(onward.to).is_none_or(|other_ds| other_ds > time_ds) {
                    shortcuts.push((into.to, Hop { to: onward.to, time_ds }));
                }
            }
        }
        shortcuts
    }

    /// How late a node should be taken out: few steps more, and evenly over the map.
    fn lateness(&self, node: usize, shortcuts: usize) -> i64 {
        let steps = self.out[node].len() + self.back[node].len();
        2 * shortcuts as i64 - steps as i64 + i64::from(self.depth[node])
    }

    fn take_out(&mut self, node: usize, shortcuts: Vec<(u32, Hop)>) {
        let below = self.depth[node] + 1;
        for at in 0..self.out[node].len() {
            let to = self.out[node][at].to as usize;
            self.back[to].retain(|hop| hop.to as usize != node);
            self.depth[to] = self.depth[to].max(below);
        }
        for at in 0..self.back[node].len() {
            let from = self.back[node][at].to as usize;
            self.out[from].retain(|hop| hop.to as usize != node);
            self.depth[from] = self.depth[from].max(below);
        }
        for (from, hop) in shortcuts {
            self.add(from, hop);
        }
    }
}

/// A short search for ways round a node.
#[derive(Default)]
struct Witness {
    time_ds: Vec<Deciseconds>,
    reached: Vec<u32>,
    heap: BinaryHeap<Reverse<(Deciseconds, u32)>>,
}

impl Witness {
    fn time_ds(&self, node: u32) -> Option<Deciseconds> {
        Some(self.time_ds[node as usize]).filter(|&time_ds| time_ds < Deciseconds::MAX)
    }

    fn offer(&mut self, node: u32, time_ds: Deciseconds) {
        let known = &mut self.time_ds[node as usize];
        if time_ds < *known {
            if *known == Deciseconds::MAX {
                self.reached.push(node);
            }
            *known = time_ds;
            self.heap.push(Reverse((time_ds, node)));
        }
    }

    /// Times from a node, not through another, up to a limit; what is not settled may be too long, never too short.
    fn search(&mut self, rest: &Rest, from: u32, without: u32, limit_ds: Deciseconds) {
        self.time_ds.resize(rest.out.len(), Deciseconds::MAX);
        for node in self.reached.drain(..) {
            self.time_ds[node as usize] = Deciseconds::MAX;
        }
        self.heap.clear();
        self.offer(from, 0);
        let mut visited = 0;
        while let Some(Reverse((time_ds, node))) = self.heap.pop() {
            if time_ds > self.time_ds[node as usize] {
                continue;
            }
            visited += 1;
            if visited > WITNESSES {
                break;
            }
            for hop in &rest.out[node as usize] {
                let next_ds = time_ds.saturating_add(hop.time_ds);
                if hop.to != without && next_ds <= limit_ds {
                    self.offer(hop.to, next_ds);
                }
            }
        }
    }
}

impl Hierarchy {
    /// Contract node after node, the least important first.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped.
    pub fn new(walk: &Walk<'_>, progress: &Progress) -> Result<Self> {
        let arcs = walk.arcs(Side::Homes);
        let nodes = arcs.node_count();
        progress.begin("contracting the network", nodes)?;
        let mut rest = Rest::new(arcs);
        let lateness = (0..nodes).into_par_iter().map_init(Witness::default, |scratch, node| {
            let shortcuts = rest.shortcuts(node, scratch).len();
            Reverse((rest.lateness(node, shortcuts), node as u32))
        });
        let mut queue: BinaryHeap<Reverse<(i64, u32)>> = lateness.collect::<Vec<_>>().into();
        let (mut rank, mut scratch) = (vec![0; nodes], Witness::default());
        let mut contracted = 0;
        while let Some(Reverse((_, node))) = queue.pop() {
            let shortcuts = rest.shortcuts(node as usize, &mut scratch);
            let now = rest.lateness(node as usize, shortcuts.len());
            // What was taken out meanwhile may have made it more important than the next.
            if queue.peek().is_some_and(|Reverse(next)| (now, node) > *next) {
                queue.push(Reverse((now, node)));
                continue;
            }
            rank[node as usize] = contracted as u32;
            contracted += 1;
            rest.take_out(node as usize, shortcuts);
            if contracted % NODES_PER_LOOK == 0 {
                progress.step(NODES_PER_LOOK)?;
            }
        }
        let rising = Steps::by_rank(&mut rest.out, &rank);
        let falling = Steps::by_rank(&mut rest.back, &rank);
        Ok(Self { rank, rising, falling })
    }
}

/// The latest hierarchy of one network, kept because making it takes longer than whatever is asked of it.
#[derive(Debug, Default)]
pub struct Contractions {
    latest: Mutex<Option<(Profile, Direction, Arc<Hierarchy>)>>,
}

impl Contractions {
    /// The hierarchy of a walk of the network, made unless the one before it was of the same profile and direction.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped.
    pub fn of(&self, walk: &Walk<'_>, progress: &Progress) -> Result<Arc<Hierarchy>> {
        if let Some((profile, direction, made)) = &*self.latest.lock().unwrap_or_else(PoisonError::into_inner)
            && (profile, *direction) == (walk.profile, walk.direction)
        {
            return Ok(Arc::clone(made));
        }
        // Not under the lock: whoever waits for it could not be stopped.
        let made = Arc::new(Hierarchy::new(walk, progress)?);
        let kept = (walk.profile.clone(), walk.direction, Arc::clone(&made));
        *self.latest.lock().unwrap_or_else(PoisonError::into_inner) = Some(kept);
        Ok(made)
    }
}
