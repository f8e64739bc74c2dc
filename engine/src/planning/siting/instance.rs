//! The one form that all four problems take: open sites at a fixed cost, serve each demand from the cheapest one that is open, or leave
//! it at its base cost.
//!
//! | problem | cost of a pair | base cost | fixed cost |
//! |---|---|---|---|
//! | p-median | weight × cost | weight × cost unserved, or a penalty | 0 |
//! | maximal covering | 0 within the limit | weight | 0 |
//! | set covering | 0 within the limit | a penalty | 1, or yuan |
//! | p-center, one radius | 0 within the radius | 1 | 0 |
//!
//! Without capacities, sites that exist only lower base costs and are gone from the search.

use super::rules::Rules;
use crate::model::siting::{Aim, Question};

/// Pairs by row: what is at the other end, and its cost.
#[derive(Debug, Clone, Default)]
pub struct Sparse {
    first: Vec<usize>,
    other: Vec<u32>,
    cost: Vec<f64>,
}

impl Sparse {
    /// Ends and costs of a row.
    pub fn row(&self, row: usize) -> impl ExactSizeIterator<Item = (usize, f64)> + '_ {
        let pairs = self.first[row]..self.first[row + 1];
        self.other[pairs.clone()].iter().map(|&other| other as usize).zip(self.cost[pairs].iter().copied())
    }

    /// Number of pairs.
    pub fn pairs(&self) -> usize {
        self.other.len()
    }

    /// Number of pairs of a row.
    pub fn width(&self, row: usize) -> usize {
        self.first[row + 1] - self.first[row]
    }

    fn turned(&self, rows: usize) -> Self {
        let mut first = vec![0_usize; rows + 1];
        for &other in &self.other {
            first[other as usize + 1] += 1;
        }
        for row in 0..rows {
            first[row + 1] += first[row];
        }
        let mut next = first.clone();
        let (mut other, mut cost) = (vec![0_u32; self.pairs()], vec![0.0; self.pairs()]);
        for row in 0..self.first.len() - 1 {
            for pair in self.first[row]..self.first[row + 1] {
                let place = &mut next[self.other[pair] as usize];
                (other[*place], cost[*place]) = (row as u32, self.cost[pair]);
                *place += 1;
            }
        }
        Self { first, other, cost }
    }
}

/// Room in sites for people.
#[derive(Debug, Clone)]
pub struct Room {
    /// People of each demand.
    pub people: Vec<f64>,
    /// How many each site can serve; infinite where it does not say.
    pub capacity: Vec<f64>,
}

/// What is searched.
#[derive(Debug, Clone)]
pub struct Instance {
    /// For each demand the sites that serve it below its base cost, cheapest first.
    pub rows: Sparse,
    /// The same pairs by site.
    pub columns: Sparse,
    /// What each demand costs that is left.
    pub base: Vec<f64>,
    /// Whether leaving it is forbidden, so that its base cost is a penalty.
    pub must: Vec<bool>,
    /// What opening each site costs in the objective.
    pub fixed: Vec<f64>,
    /// What may be chosen.
    pub rules: Rules,
    /// Sites that are open whatever is chosen; only with capacities.
    pub open: Vec<u32>,
    /// Capacities.
    pub room: Option<Room>,
    /// Whether the best cost is a whole number that floats hold exactly.
    pub whole: bool,
}

/// Where whole numbers end in floats.
const EXACT: f64 = 9.0e15;

impl Instance {
    /// A question; `radius` for p-center, `harder` raises penalties.
    pub fn of(question: &Question, radius: Option<f64>, harder: f64) -> Self {
        let aim = question.aim;
        let limit = radius.unwrap_or(aim.limit());
        let fixed = fixed_costs(question);
        let demand = &question.demand;
        let penalty = harder * penalty(question, &fixed);
        let pair_cost = |row: usize, cost: f64| match aim {
            Aim::PMedian { .. } => demand.weight[row] * cost,
            _ => 0.0,
        };
        let mut must: Vec<bool> = demand.weight.iter().map(|&weight| weight > 0.0).collect();
        let mut base: Vec<f64> = (0..demand.weight.len())
            .map(|row| match aim {
                _ if demand.weight[row] <= 0.0 => 0.0,
                Aim::PMedian { unserved_cost } => demand.weight[row] * unserved_cost.unwrap_or(penalty),
                Aim::MaximalCovering { .. } => demand.weight[row],
                Aim::SetCovering { .. } => penalty,
                Aim::PCenter => 1.0,
            })
            .collect();
        if matches!(aim, Aim::MaximalCovering { .. } | Aim::PMedian { unserved_cost: Some(_) }) {
            must.fill(false);
        }
        let mut rows = Sparse { first: vec![0], ..Sparse::default() };
        for row in 0..base.len() {
            if !question.capacitated {
                let there = question.reach.of(row).find(|&(site, _)| question.sites.existing[site as usize]);
                if let Some((_, cost)) = there.filter(|&(_, cost)| cost <= limit) {
                    must[row] = false;
                    base[row] = base[row].min(pair_cost(row, cost));
                }
            }
            for (site, cost) in question.reach.of(row) {
                let searched = question.capacitated || !question.sites.existing[site as usize];
                if searched && cost <= limit && pair_cost(row, cost) < base[row] {
                    rows.other.push(site);
                    rows.cost.push(pair_cost(row, cost));
                }
            }
            rows.first.push(rows.other.len());
        }
        let columns = rows.turned(question.sites.existing.len());
        let open = (0..question.sites.existing.len() as u32)
            .filter(|&site| question.capacitated && question.sites.existing[site as usize])
            .collect();
        let room = question.capacitated.then(|| Room {
            people: demand.people.clone(),
            capacity: question.sites.capacity.iter().map(|most| most.unwrap_or(f64::INFINITY)).collect(),
        });
        let whole = is_whole(&rows, &base, &fixed, room.as_ref());
        Self { rows, columns, base, must, fixed, rules: Rules::of(question), open, room, whole }
    }

    /// Number of demands.
    pub fn demands(&self) -> usize {
        self.base.len()
    }

    /// Number of sites.
    pub fn sites(&self) -> usize {
        self.fixed.len()
    }

    /// The least that every answer costs, given that it costs more than `bound`.
    pub fn rounded_up(&self, bound: f64) -> f64 {
        if self.whole { bound.ceil() } else { bound }
    }

    /// What an answer must cost less than to be better than one of `cost`: a whole step, where there are only whole costs.
    pub fn cutoff(&self, cost: f64) -> f64 {
        if self.whole { cost - 1.0 + 1e-6 } else { cost - 1e-9 * cost.abs() }
    }
}

/// Whether the cost of every best choice is a whole number. With room people move one by one where all numbers of people are whole, so
/// what counts is the cost of one person.
fn is_whole(rows: &Sparse, base: &[f64], fixed: &[f64], room: Option<&Room>) -> bool {
    let is_whole = |number: f64| number.fract() == 0.0;
    let small = base.iter().sum::<f64>() + fixed.iter().sum::<f64>() < EXACT;
    let each = |demand: usize, cost: f64| match room {
        Some(room) if room.people[demand] > 0.0 => cost / room.people[demand],
        _ => cost,
    };
    let costs = (0..base.len()).all(|demand| {
        let pairs = rows.row(demand).all(|(_, cost)| is_whole(each(demand, cost)));
        pairs && is_whole(each(demand, base[demand]))
    });
    let people = room.is_none_or(|room| {
        let capacities = room.capacity.iter().filter(|capacity| capacity.is_finite());
        room.people.iter().chain(capacities).all(|&people| is_whole(people))
    });
    small && costs && people && fixed.iter().all(|&fixed| is_whole(fixed))
}

fn fixed_costs(question: &Question) -> Vec<f64> {
    let sites = &question.sites;
    (0..sites.existing.len())
        .map(|site| match question.aim {
            Aim::SetCovering { .. } if sites.existing[site] => 0.0,
            Aim::SetCovering { by_yuan: true, .. } => sites.cost_yuan[site].unwrap_or(0.0),
            Aim::SetCovering { by_yuan: false, .. } => 1.0,
            _ => 0.0,
        })
        .collect()
}

/// What it costs to leave one person (p-median) or one demand who has to be served: more than any site that could serve it.
fn penalty(question: &Question, fixed: &[f64]) -> f64 {
    let dearest = match question.aim {
        Aim::PMedian { .. } => question.reach.cost.iter().copied().fold(0.0, f64::max),
        _ => fixed.iter().copied().fold(0.0, f64::max),
    };
    (2.0 * dearest).ceil() + 1.0
}
