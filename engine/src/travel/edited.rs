//! A baseline's streets under edits, as searches see them: nothing is copied but the steps of nodes that edits touch.

use super::arcs::{Hop, Side, walks_forward};
use super::baseline::Baseline;
use super::doors::{self, Door, Joined};
use crate::model::error::Result;
use crate::model::place::Spot;
use crate::model::progress::Progress;
use crate::model::times::Deciseconds;
use crate::network::graph::CLOSED;
use crate::network::overlay::Overlay;
use crate::network::snap::{self, Joining, Snap};
use crate::network::weight;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Streets under edits.
pub struct Edited<'a> {
    baseline: &'a Baseline,
    overlay: &'a Overlay,
    /// Times of the edges that edits touch.
    times: BTreeMap<u32, [Deciseconds; 2]>,
    /// Steps of the nodes that edits touch, of searches from doors and from homes, by position; new nodes are numbered on.
    steps: BTreeMap<u32, [Vec<Hop>; 2]>,
    /// One bit for each position: whether its steps are in `steps`.
    is_touched: Vec<u64>,
}

impl<'a> Edited<'a> {
    /// Weigh the edges that edits touch.
    pub fn new(baseline: &'a Baseline, overlay: &'a Overlay) -> Self {
        let time = |edge| (edge, overlay.edge_time(&baseline.profile, &baseline.times, edge));
        let times = overlay.touched().into_iter().map(time).collect();
        let is_touched = vec![0; overlay.node_count().div_ceil(64)];
        let mut edited = Self { baseline, overlay, times, steps: BTreeMap::new(), is_touched };
        edited.find_steps();
        edited
    }

    /// Position of a node.
    pub fn position(&self, node: u32) -> u32 {
        self.baseline.network.order().position.get(node as usize).copied().unwrap_or(node)
    }

    /// Number of nodes.
    pub fn node_count(&self) -> usize {
        self.overlay.node_count()
    }

    /// Positions whose steps are not those of the baseline.
    pub fn touched_positions(&self) -> impl Iterator<Item = u32> + '_ {
        self.steps.keys().copied()
    }

    /// The time of an edge, forward and backward.
    fn time(&self, edge: u32) -> [Deciseconds; 2] {
        let times = &self.baseline.times;
        self.times
            .get(&edge)
            .copied()
            .unwrap_or_else(|| [times.forward_ds[edge as usize], times.backward_ds[edge as usize]])
    }

    fn find_steps(&mut self) {
        let touched: Vec<u32> = self.times.keys().copied().collect();
        let (network, first_new) = (&self.baseline.network, self.overlay.first_new_edge());
        let mut nodes: BTreeSet<u32> = touched.iter().flat_map(|&edge| self.overlay.ends(edge)).collect();
        for &edge in touched.iter().filter(|&&edge| (edge as usize) < first_new) {
            nodes.extend([network.edges.from[edge as usize], network.edges.to[edge as usize]]);
        }
        let mut at_node: HashMap<u32, Vec<(u32, bool)>> = HashMap::new();
        for &edge in &touched {
            let [from, to] = self.overlay.ends(edge);
            at_node.entry(from).or_default().push((edge, true));
            at_node.entry(to).or_default().push((edge, false));
        }
        for node in nodes {
            let mut ends: Vec<(u32, bool)> = at_node.remove(&node).unwrap_or_default();
            if (node as usize) < network.node_count() {
                let untouched =
                    network.around(node as usize).iter().map(|end| (end.edge() as u32, end.is_start()));
                ends.extend(untouched.filter(|(edge, _)| !self.times.contains_key(edge)));
            }
            let steps = [Side::Doors, Side::Homes].map(|side| self.hops_of(&ends, side));
            let position = self.position(node);
            self.is_touched[position as usize / 64] |= 1 << (position % 64);
            self.steps.insert(position, steps);
        }
    }

    fn hops_of(&self, ends: &[(u32, bool)], side: Side) -> Vec<Hop> {
        let hop = |&(edge, is_start): &(u32, bool)| {
            let [from, to] = self.overlay.ends(edge);
            let (here, other) = if is_start { (from, to) } else { (to, from) };
            let time_ds = match side {
                Side::Doors => self.against(edge, is_start, other),
                Side::Homes => self.against(edge, !is_start, here),
            };
            (time_ds != CLOSED).then(|| Hop { to: self.position(other), time_ds })
        };
        ends.iter().filter_map(hop).collect()
    }

    /// As [`super::doors::Walk::against`]: what a search from doors counts for leaving an edge's first or second node towards
    /// `arrival`.
    fn against(&self, edge: u32, leaves_first: bool, arrival: u32) -> Deciseconds {
        if self.overlay.is_residents(edge) && self.overlay.is_public(arrival) {
            return CLOSED;
        }
        self.time(edge)[usize::from(!walks_forward(self.baseline.direction, leaves_first))]
    }

    /// The steps from a position after the edits.
    pub fn hops(&self, position: u32, side: Side) -> &[Hop] {
        if self.is_touched[position as usize / 64] >> (position % 64) & 1 == 1 {
            return self.steps.get(&position).map_or(&[], |steps| &steps[side as usize]);
        }
        self.baseline.arcs[side as usize].from(position as usize)
    }

    /// Steps of searches from doors that are no more, or take longer: from, to, tenths of a second before, and whether nothing
    /// is left of them. A street that is only cut loses nothing: its pieces take as long.
    pub fn lost_steps(&self) -> Vec<(u32, u32, Deciseconds, bool)> {
        let network = &self.baseline.network;
        let streets =
            self.overlay.closed.iter().chain(self.overlay.retimed.keys()).copied().collect::<BTreeSet<u32>>();
        let mut lost = Vec::new();
        for street in streets.into_iter().filter(|&street| (street as usize) < network.edge_count()) {
            let edge = street as usize;
            let [from, to] = [network.edges.from[edge], network.edges.to[edge]];
            let now = self.overlay.street_time(&self.baseline.times, street);
            let before = [self.baseline.times.forward_ds[edge], self.baseline.times.backward_ds[edge]];
            for (leaves_first, here, arrival) in [(true, from, to), (false, to, from)] {
                if network.is_private_passage(edge, arrival as usize) {
                    continue;
                }
                let way = usize::from(!walks_forward(self.baseline.direction, leaves_first));
                if before[way] != CLOSED && now[way] > before[way] {
                    lost.push((self.position(here), self.position(arrival), before[way], now[way] == CLOSED));
                }
            }
        }
        lost
    }

    /// The steps from a position before the edits.
    pub fn hops_before(&self, position: u32, side: Side) -> &[Hop] {
        let is_old = (position as usize) < self.baseline.network.node_count();
        if is_old { self.baseline.arcs[side as usize].from(position as usize) } else { &[] }
    }

    /// The street of the baseline that an edge is, or is a piece of; none for links.
    pub fn street(&self, edge: u32) -> Option<u32> {
        self.overlay.street(edge)
    }

    /// From a home to the two ends of its edge, or back: positions and tenths of a second.
    pub fn home_legs(&self, home: &Joined) -> [(u32, Deciseconds); 2] {
        self.at_positions(home.home_legs(self.overlay.ends(home.anchor.edge), self.baseline.direction))
    }

    /// From the two ends of its edge to a door, or back; closed at the street end of a private way.
    pub fn door_legs(&self, door: &Joined) -> [(u32, Deciseconds); 2] {
        let edge = door.anchor.edge;
        let is_passage = |node: u32| self.overlay.is_residents(edge) && self.overlay.is_public(node);
        self.at_positions(door.door_legs(self.overlay.ends(edge), self.baseline.direction, is_passage))
    }

    fn at_positions(&self, legs: [(u32, Deciseconds); 2]) -> [(u32, Deciseconds); 2] {
        legs.map(|(node, leg_ds)| (self.position(node), leg_ds))
    }

    /// Along one edge, legs included.
    pub fn along_edge(&self, home: &Joined, door: &Joined) -> Deciseconds {
        doors::along(self.time(home.anchor.edge), self.baseline.direction, home, door)
    }

    /// Join places to the streets of the baseline that are open.
    pub fn join(
        &self,
        spots: &[Spot],
        public: bool,
        progress: &Progress,
    ) -> Result<Vec<(Snap, Option<Joined>)>> {
        let baseline = self.baseline;
        let joining = Joining {
            times: &baseline.times,
            closed: Some(&self.overlay.closed),
            limit_m: baseline.max_snap_m(),
            public,
            islands: false,
        };
        let snaps = snap::snap(&baseline.network, joining, spots, progress)?;
        Ok(snaps.into_iter().map(|snap| (snap, snap.anchor.map(|anchor| self.joined(anchor)))).collect())
    }

    /// Join the doors of one facility.
    pub fn join_doors(&self, facility: u32, spots: &[Spot], progress: &Progress) -> Result<Vec<Door>> {
        let joins = self.join(spots, false, progress)?;
        let is_private = |edge| self.overlay.is_residents(edge);
        let joins =
            doors::with_public_doors(joins, spots, is_private, |outside| self.join(outside, true, progress))?;
        Ok(joins.into_iter().flat_map(|(_, doors)| doors).map(|joined| Door { facility, joined }).collect())
    }

    /// The times of a place that is joined to a street of the baseline.
    pub fn joined(&self, anchor: snap::Anchor) -> Joined {
        let (baseline, overlay) = (self.baseline, self.overlay);
        doors::overlaid_place(overlay, &baseline.profile, &baseline.times, anchor).unwrap_or_else(|| {
            let edge = anchor.edge as usize;
            let split =
                weight::split(&baseline.network, &baseline.profile, &baseline.times, edge, anchor.share);
            Joined { anchor, split, leg_ds: weight::leg_ds(&baseline.profile, anchor.away_m) }
        })
    }
}
