//! Who is served where when sites hold so many people and no more: the transportation problem, exact.
//!
//! Demands come in one by one and each sends its people along the cheapest way that is left, which may move others to another site:
//! successive shortest paths with potentials (Ford and Fulkerson 1962; Edmonds and Karp 1972). A demand may be split between sites.

use super::instance::{Instance, Room};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// Fewer people than this are nobody.
const NOBODY: f64 = 1e-9;

/// Who goes where.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flow {
    /// Demand, site, and the share of the demand that it serves.
    pub served: Vec<(u32, u32, f64)>,
    /// Share of each demand that is left.
    pub left: Vec<f64>,
    /// What that costs, without opening sites.
    pub cost: f64,
}

/// The cheapest way to serve demand from these sites, with those that are open anyway.
pub fn transport(instance: &Instance, room: &Room, open: &[u32]) -> Flow {
    let mut ways = Ways::new(instance, room, open);
    for demand in 0..instance.demands() {
        ways.send(demand);
    }
    ways.into_flow()
}

/// A distance that can be compared.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Far(f64);

impl Eq for Far {}

impl Ord for Far {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialOrd for Far {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Nodes are demands, then sites, then the end where all people arrive, be they served or left.
struct Ways<'a> {
    instance: &'a Instance,
    room: &'a Room,
    open: Vec<bool>,
    spare: Vec<f64>,
    /// People of each demand at each site, and who is at each site at what cost.
    people: Vec<Vec<(u32, f64)>>,
    guests: Vec<Vec<(u32, f64)>>,
    left: Vec<f64>,
    potential: Vec<f64>,
    distance: Vec<f64>,
    before: Vec<u32>,
    touched: Vec<u32>,
}

impl<'a> Ways<'a> {
    fn new(instance: &'a Instance, room: &'a Room, chosen: &[u32]) -> Self {
        let (demands, sites) = (instance.demands(), instance.sites());
        let mut open = vec![false; sites];
        for &site in chosen.iter().chain(&instance.open) {
            open[site as usize] = true;
        }
        let nodes = demands + sites + 1;
        Self {
            instance,
            room,
            open,
            spare: room.capacity.clone(),
            people: vec![vec![]; demands],
            guests: vec![vec![]; sites],
            left: vec![0.0; demands],
            potential: vec![0.0; nodes],
            distance: vec![f64::INFINITY; nodes],
            before: vec![0; nodes],
            touched: vec![],
        }
    }

    fn end(&self) -> usize {
        self.instance.demands() + self.instance.sites()
    }

    /// Cost of one person of a demand.
    fn each(&self, demand: usize, cost: f64) -> f64 {
        cost / self.room.people[demand]
    }

    fn arcs(&self, node: usize) -> Vec<(usize, f64)> {
        let demands = self.instance.demands();
        if node < demands {
            let sites = self.instance.rows.row(node).filter(|&(site, _)| self.open[site]);
            let sites = sites.map(|(site, cost)| (demands + site, self.each(node, cost)));
            return sites.chain([(self.end(), self.each(node, self.instance.base[node]))]).collect();
        }
        let site = node - demands;
        let onward = (self.spare[site] > NOBODY).then_some((self.end(), 0.0));
        let back = self.guests[site].iter().map(|&(guest, each)| (guest as usize, -each));
        onward.into_iter().chain(back).collect()
    }

    /// Send everybody of a demand somewhere.
    fn send(&mut self, demand: usize) {
        let people = self.room.people[demand];
        if people <= NOBODY {
            let nearest = self.instance.rows.row(demand).find(|&(site, _)| self.open[site]);
            match nearest {
                Some((site, _)) => self.people[demand].push((site as u32, 1.0)),
                None => self.left[demand] = 1.0,
            }
            return;
        }
        let reduced = self.arcs(demand).into_iter().map(|(to, cost)| self.potential[to] - cost);
        self.potential[demand] = reduced.fold(f64::NEG_INFINITY, f64::max);
        let mut waiting = people;
        while waiting > NOBODY * people.max(1.0) {
            self.search(demand);
            let sent = self.along(demand, waiting);
            if sent <= 0.0 {
                break;
            }
            waiting -= sent;
        }
        // What rounding leaves over goes with those who are left.
        self.left[demand] += waiting.max(0.0);
    }

    /// Cheapest way from a demand to the end, by costs that potentials make non-negative.
    fn search(&mut self, from: usize) {
        for node in self.touched.drain(..) {
            self.distance[node as usize] = f64::INFINITY;
        }
        let end = self.end();
        let mut heap = BinaryHeap::new();
        self.distance[from] = 0.0;
        self.touched.push(from as u32);
        heap.push(Reverse((Far(0.0), from)));
        while let Some(Reverse((Far(far), node))) = heap.pop() {
            if far > self.distance[node] {
                continue;
            }
            if node == end {
                break;
            }
            for (to, cost) in self.arcs(node) {
                let reduced = (cost + self.potential[node] - self.potential[to]).max(0.0);
                if far + reduced < self.distance[to] {
                    if self.distance[to] == f64::INFINITY {
                        self.touched.push(to as u32);
                    }
                    self.distance[to] = far + reduced;
                    self.before[to] = node as u32;
                    heap.push(Reverse((Far(far + reduced), to)));
                }
            }
        }
        let last = self.distance[end];
        for &node in &self.touched {
            let nearer = self.distance[node as usize] - last;
            if nearer < 0.0 {
                self.potential[node as usize] += nearer;
            }
        }
    }

    /// Send as many of the waiting as the way takes.
    fn along(&mut self, from: usize, waiting: f64) -> f64 {
        let demands = self.instance.demands();
        let mut way = vec![self.end()];
        while let Some(&node) = way.last().filter(|&&node| node != from) {
            way.push(self.before[node] as usize);
        }
        way.reverse();
        let mut sent = waiting;
        for step in way.windows(2) {
            let (node, to) = (step[0], step[1]);
            if node >= demands && to == self.end() {
                sent = sent.min(self.spare[node - demands]);
            } else if node >= demands {
                sent = sent.min(self.at(to, node - demands));
            }
        }
        for step in way.windows(2) {
            let (node, to) = (step[0], step[1]);
            match (node < demands, to == self.end()) {
                (true, true) => self.left[node] += sent,
                (true, false) => self.put(node, to - demands, sent),
                (false, true) => self.spare[node - demands] -= sent,
                (false, false) => self.put(to, node - demands, -sent),
            }
        }
        sent
    }

    fn at(&self, demand: usize, site: usize) -> f64 {
        self.people[demand]
            .iter()
            .find(|(other, _)| *other as usize == site)
            .map_or(0.0, |(_, people)| *people)
    }

    fn put(&mut self, demand: usize, site: usize, people: f64) {
        if let Some(place) = self.people[demand].iter().position(|(other, _)| *other as usize == site) {
            self.people[demand][place].1 += people;
        } else {
            self.people[demand].push((site as u32, people));
            let pair = self.instance.rows.row(demand).find(|&(other, _)| other == site);
            let each = self.each(demand, pair.map_or(0.0, |(_, cost)| cost));
            self.guests[site].push((demand as u32, each));
        }
        if self.at(demand, site) <= NOBODY {
            self.people[demand].retain(|(other, _)| *other as usize != site);
            self.guests[site].retain(|&(guest, _)| guest as usize != demand);
        }
    }

    fn into_flow(self) -> Flow {
        let mut flow = Flow { left: vec![0.0; self.left.len()], ..Flow::default() };
        for (demand, sites) in self.people.iter().enumerate() {
            let people = if self.room.people[demand] > NOBODY { self.room.people[demand] } else { 1.0 };
            let mut shares: Vec<(u32, f64)> =
                sites.iter().map(|&(site, part)| (site, (part / people).min(1.0))).collect();
            shares.sort_unstable_by_key(|&(site, _)| site);
            flow.left[demand] = self.left[demand] / people;
            if flow.left[demand] <= NOBODY {
                flow.left[demand] = 0.0;
            }
            flow.cost += flow.left[demand] * self.instance.base[demand];
            for (site, share) in shares {
                let cost = self.instance.rows.row(demand).find(|&(other, _)| other == site as usize);
                flow.cost += share * cost.map_or(0.0, |pair| pair.1);
                flow.served.push((demand as u32, site, share));
            }
        }
        flow
    }
}
