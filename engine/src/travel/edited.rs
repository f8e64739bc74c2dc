//! A baseline's streets under edits, as searches see them: nothing is copied but the steps of nodes that edits touch.

use super::arcs::{Hop, Side};
use super::baseline::Baseline;
use super::doors::{self, Door, Joined};
use crate::model::error::Result;
use crate::model::place::Spot;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Direction};
use crate::network::graph::CLOSED;
use crate::network::overlay::Overlay;
use crate::network::snap::{self, Joining};
use crate::network::weight;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Streets under edits.
pub struct Edited<'a> {
    baseline: &'a Baseline,
    overlay: &'a Overlay,
    /// Times of the edges that edits touch.
    times: BTreeMap<u32, [Deciseconds; 2]>,
    /// Steps of the nodes that edits touch, of searches from doors and from homes, by position; new nodes are numbered on.
    steps: HashMap<u32, [Vec<Hop>; 2]>,
    /// One bit for each position: whether its steps are in `steps`.
    is_touched: Vec<u64>,
}

impl<'a> Edited<'a> {
    /// Weigh the edges that edits touch.
    pub fn new(baseline: &'a Baseline, overlay: &'a Overlay) -> Self {
        let time = |edge| (edge, overlay.edge_time(&baseline.profile, &baseline.times, edge));
        let times = overlay.touched().into_iter().map(time).collect();
        let is_touched = vec![0; overlay.node_count().div_ceil(64)];
        let mut edited = Self { baseline, overlay, times, steps: HashMap::new(), is_touched };
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

    /// Positions whose steps are not those of the baseline, in order.
    pub fn touched_positions(&self) -> BTreeSet<u32> {
        self.steps.keys().copied().collect()
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
        let walked_forward = match self.baseline.direction {
            Direction::ToFacility => !leaves_first,
            Direction::FromFacility => leaves_first,
        };
        self.time(edge)[usize::from(!walked_forward)]
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
            let now = self.overlay.street_time_now(&self.baseline.times, street);
            let before = [self.baseline.times.forward_ds[edge], self.baseline.times.backward_ds[edge]];
            for (leaves_first, here, arrival) in [(true, from, to), (false, to, from)] {
                if network.is_private_passage(edge, arrival as usize) {
                    continue;
                }
                let forward = (self.baseline.direction == Direction::FromFacility) == leaves_first;
                let way = usize::from(!forward);
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
        let ends = self.overlay.ends(home.anchor.edge).map(|node| self.position(node));
        let [start_ds, end_ds] = home.legs(self.baseline.direction == Direction::ToFacility);
        [(ends[0], start_ds), (ends[1], end_ds)]
    }

    /// From the two ends of its edge to a door, or back; closed at the street end of a private way.
    pub fn door_legs(&self, door: &Joined) -> [(u32, Deciseconds); 2] {
        let edge = door.anchor.edge;
        let nodes = self.overlay.ends(edge);
        let [start_ds, end_ds] = door.legs(self.baseline.direction == Direction::FromFacility);
        let open = |node: u32, time_ds: Deciseconds| {
            let passage = self.overlay.is_residents(edge) && self.overlay.is_public(node);
            (self.position(node), if passage { CLOSED } else { time_ds })
        };
        [open(nodes[0], start_ds), open(nodes[1], end_ds)]
    }

    /// Along one edge, legs included.
    pub fn along_edge(&self, home: &Joined, door: &Joined) -> Deciseconds {
        doors::along(self.time(home.anchor.edge), self.baseline.direction, home, door)
    }

    /// Whether a place that is joined to an edge of the baseline is joined to it still, with other times.
    pub fn is_cut_or_retimed(&self, street: u32) -> bool {
        self.times.contains_key(&street)
    }

    /// Join places to the streets of the baseline that are open.
    pub fn join(&self, spots: &[Spot], public: bool, progress: &Progress) -> Result<Vec<Option<Joined>>> {
        let baseline = self.baseline;
        let joining = Joining {
            times: &baseline.times,
            closed: Some(&self.overlay.closed),
            limit_m: baseline.max_snap_m(),
            public,
            islands: false,
        };
        let snaps = snap::snap(&baseline.network, joining, spots, progress)?;
        Ok(snaps.into_iter().map(|snap| snap.anchor.map(|anchor| self.joined(anchor))).collect())
    }

    /// Join the doors of one facility, as [`super::doors::Walk::join_as_doors`] does.
    pub fn join_doors(&self, facility: u32, spots: &[Spot], progress: &Progress) -> Result<Vec<Door>> {
        let mut doors = Vec::with_capacity(spots.len());
        for (spot, joined) in spots.iter().zip(self.join(spots, false, progress)?) {
            let Some(joined) = joined else { continue };
            doors.push(Door { facility, joined });
            if self.overlay.is_residents(joined.anchor.edge) {
                let outside = self.join(std::slice::from_ref(spot), true, progress)?;
                doors.extend(outside.into_iter().flatten().map(|joined| Door { facility, joined }));
            }
        }
        Ok(doors)
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
