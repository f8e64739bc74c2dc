//! The instance as a mixed integer program for an exact solver, as small as what is proved allows.
//!
//! Without capacities: for each demand and each cost at which it could be served one variable, "not served at this cost or below"
//! (Cornuéjols, Nemhauser and Wolsey 1980; Elloumi 2010). With capacities: the share that each site serves. Sites, pairs and base costs
//! that no better answer uses, by the reduced costs of the bound, are left out: the program seeks answers below the cutoff only.

use super::instance::{Instance, Room};
use super::lagrange::Bound;
use super::rules::NO_AREA;

/// A program: minimise `cost` · x, `row_low` ≤ A x ≤ `row_high`, `low` ≤ x ≤ `high`, the first columns whole.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Program {
    /// Site of each of the first columns.
    pub site: Vec<u32>,
    /// Cost of each column.
    pub cost: Vec<f64>,
    /// Least value of each column.
    pub low: Vec<f64>,
    /// Greatest value of each column.
    pub high: Vec<f64>,
    /// Where each row begins, and where the last ends.
    pub first: Vec<u32>,
    /// Columns of the rows.
    pub column: Vec<u32>,
    /// Their factors.
    pub factor: Vec<f64>,
    /// Least value of each row.
    pub row_low: Vec<f64>,
    /// Greatest value of each row.
    pub row_high: Vec<f64>,
    /// What is paid whatever is chosen.
    pub offset: f64,
    /// The program holds every answer that costs less than this.
    pub cutoff: f64,
}

impl Program {
    fn column(&mut self, cost: f64, low: f64, high: f64) -> u32 {
        self.cost.push(cost);
        self.low.push(low);
        self.high.push(high);
        self.cost.len() as u32 - 1
    }

    fn row(&mut self, entries: impl IntoIterator<Item = (u32, f64)>, low: f64, high: f64) {
        for (column, factor) in entries {
            self.column.push(column);
            self.factor.push(factor);
        }
        self.first.push(self.column.len() as u32);
        self.row_low.push(low);
        self.row_high.push(high);
    }

    /// The program of an instance; `cutoff` is infinite while no answer is known.
    pub fn of(instance: &Instance, bound: &Bound, cutoff: f64) -> Self {
        let mut program = Self { first: vec![0], cutoff, ..Self::default() };
        let known = Reduced { instance, bound, cutoff, slack: cutoff - bound.cost };
        let column = program.sites(&known);
        match &instance.room {
            None => program.levels(&known, &column),
            Some(room) => program.shares(instance, room, &column),
        }
        program.rules(instance, &column);
        program
    }

    /// A column for each site that a better answer may use.
    fn sites(&mut self, known: &Reduced<'_>) -> Vec<Option<u32>> {
        let instance = known.instance;
        let (out, inside) = known.decided();
        let mut columns = vec![None; instance.sites()];
        for site in 0..instance.sites() {
            if instance.rules.candidate[site] && !out[site] {
                let low = if inside[site] { 1.0 } else { 0.0 };
                columns[site] = Some(self.column(instance.fixed[site], low, 1.0));
                self.site.push(site as u32);
            }
        }
        columns
    }

    /// Rows and columns of demand, cost by cost.
    fn levels(&mut self, known: &Reduced<'_>, columns: &[Option<u32>]) {
        let instance = known.instance;
        for demand in 0..instance.demands() {
            let pairs: Vec<(f64, u32)> = instance
                .rows
                .row(demand)
                .filter(|&(_, cost)| known.may_serve(demand, cost))
                .filter_map(|(site, cost)| Some((cost, columns[site]?)))
                .collect();
            let base = instance.base[demand];
            let must = instance.must[demand] || !known.may_serve(demand, base);
            if pairs.is_empty() && !must {
                self.offset += base;
                continue;
            }
            let first = pairs.first().map_or(base, |&(cost, _)| cost);
            self.offset += first;
            let mut before: Option<u32> = None;
            let mut rest = &pairs[..];
            while let Some(&(cost, _)) = rest.first() {
                let (level, after) = rest.split_at(rest.partition_point(|pair| pair.0 <= cost));
                let next = after.first().map(|&(next, _)| next);
                let next = next.or((!must).then_some(base));
                let missed = next.map(|next| self.column(next - cost, 0.0, 1.0));
                let served = level.iter().map(|&(_, site)| (site, 1.0));
                let carried = before.map(|before| (before, -1.0));
                let low = if before.is_some() { 0.0 } else { 1.0 };
                self.row(served.chain(missed.map(|missed| (missed, 1.0))).chain(carried), low, f64::INFINITY);
                (before, rest) = (missed, after);
            }
            if pairs.is_empty() {
                // Nothing that is left may serve it: no answer is better than the one that is known.
                self.row([], 1.0, f64::INFINITY);
            }
        }
    }

    /// Rows and columns of demand that may be split between sites with room.
    fn shares(&mut self, instance: &Instance, room: &Room, columns: &[Option<u32>]) {
        let mut guests: Vec<Vec<(u32, f64)>> = vec![vec![]; instance.sites()];
        for demand in 0..instance.demands() {
            let mut shares = Vec::new();
            for (site, cost) in instance.rows.row(demand) {
                if columns[site].is_none() && !instance.open.contains(&(site as u32)) {
                    continue;
                }
                let share = self.column(cost, 0.0, 1.0);
                shares.push((share, 1.0));
                guests[site].push((share, room.people[demand]));
                if let Some(open) = columns[site] {
                    self.row([(share, 1.0), (open, -1.0)], f64::NEG_INFINITY, 0.0);
                }
            }
            if !instance.must[demand] {
                shares.push((self.column(instance.base[demand], 0.0, 1.0), 1.0));
            }
            self.row(shares, 1.0, 1.0);
        }
        for (site, guests) in guests.into_iter().enumerate() {
            let capacity = room.capacity[site];
            if guests.is_empty() || capacity.is_infinite() {
                continue;
            }
            match columns[site] {
                Some(open) => {
                    self.row(guests.into_iter().chain([(open, -capacity)]), f64::NEG_INFINITY, 0.0);
                }
                None => self.row(guests, f64::NEG_INFINITY, capacity),
            }
        }
    }

    fn rules(&mut self, instance: &Instance, columns: &[Option<u32>]) {
        let rules = &instance.rules;
        let of = |keep: &dyn Fn(usize) -> bool| -> Vec<(u32, f64)> {
            let kept = (0..columns.len()).filter(|&site| keep(site));
            kept.filter_map(|site| Some((columns[site]?, 1.0))).collect()
        };
        for (pool, &most) in rules.most.iter().enumerate() {
            if most < instance.sites() {
                self.row(of(&|site| rules.pool[site] as usize == pool), f64::NEG_INFINITY, most as f64);
            }
        }
        for area in 0..rules.area_name.len() {
            let there = of(&|site| rules.area[site] != NO_AREA && rules.area[site] as usize == area);
            self.row(there, 1.0, f64::INFINITY);
        }
        if let Some(budget) = rules.budget {
            let spent = self.site.clone();
            let spent = (0..).zip(spent).map(|(column, site)| (column, rules.yuan[site as usize]));
            self.row(spent.collect::<Vec<_>>(), f64::NEG_INFINITY, budget);
        }
    }
}

/// What the bound tells of answers below the cutoff.
struct Reduced<'a> {
    instance: &'a Instance,
    bound: &'a Bound,
    cutoff: f64,
    slack: f64,
}

impl Reduced<'_> {
    /// Whether a demand is served at this cost in any answer below the cutoff: that costs at least the bound and what the multiplier
    /// does not pay.
    fn may_serve(&self, demand: usize, cost: f64) -> bool {
        self.cutoff.is_infinite() || cost - self.bound.multiplier[demand] < self.slack
    }

    /// Sites that no answer below the cutoff uses, and those that all use.
    fn decided(&self) -> (Vec<bool>, Vec<bool>) {
        let (sites, rules) = (self.instance.sites(), &self.instance.rules);
        let (mut out, mut inside) = (vec![false; sites], vec![false; sites]);
        if self.cutoff.is_infinite() {
            return (out, inside);
        }
        let value = &self.bound.value;
        let mut chosen = vec![false; sites];
        for &site in &self.bound.chosen {
            chosen[site as usize] = true;
        }
        for pool in 0..rules.most.len() {
            let of_pool = |site: &usize| rules.candidate[*site] && rules.pool[*site] as usize == pool;
            let here = || (0..sites).filter(of_pool);
            let count = here().filter(|&site| chosen[site]).count();
            let worst =
                here().filter(|&site| chosen[site]).map(|site| value[site]).fold(f64::NEG_INFINITY, f64::max);
            // A site that comes in can at best push out the worst one, or come in beside them.
            let makes_room = if count < rules.most[pool] { worst.max(0.0) } else { worst };
            let next = here().filter(|&site| !chosen[site]).map(|site| value[site]).fold(0.0, f64::min);
            for site in here() {
                if chosen[site] {
                    inside[site] = next - value[site] > self.slack;
                } else {
                    out[site] = value[site] - makes_room > self.slack;
                }
            }
        }
        (out, inside)
    }
}
