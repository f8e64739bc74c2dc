//! What no choice of sites can better, proved: Lagrangian relaxation of "every demand is served once".
//!
//! With a multiplier for each demand the problem falls apart into one sum for each site, and the least choice of sums under the
//! rules is a bound. Multipliers climb by subgradients (Held, Wolfe and Crowder 1974; for the p-median Cornuéjols, Fisher and Nemhauser
//! 1977 and Narula, Ogbu and Samuelsson 1977; for maximal covering Galvão and `ReVelle` 1996), deflected by the step before (Camerini,
//! Fratta and Maffioli 1975). Every bound is lowered by what rounding of its sums may have added (Higham 2002, section 4.2).

use super::instance::{Instance, Room};
use super::rules::Least;

/// A bound with what proves it.
#[derive(Debug, Clone)]
pub struct Bound {
    /// No choice costs less.
    pub cost: f64,
    /// Multiplier of each demand.
    pub multiplier: Vec<f64>,
    /// Priced sum of each site.
    pub value: Vec<f64>,
    /// The choice with the least sum, by id.
    pub chosen: Vec<u32>,
}

/// How far multipliers go on in their old direction.
const DEFLECTION: f64 = 0.9;

/// Steps without a better bound after which they become shorter, and by how much.
const PATIENCE: usize = 12;
const SHORTER: f64 = 0.75;

/// Shorter than this, steps lead nowhere.
const SHORTEST: f64 = 1e-4;

/// A climb, to be taken step by step.
pub struct Climb<'a> {
    instance: &'a Instance,
    multiplier: Vec<f64>,
    direction: Vec<f64>,
    slope: Vec<f64>,
    value: Vec<f64>,
    /// With capacities, who each site would serve and which share.
    shares: Vec<Vec<(u32, f64)>>,
    least: Least,
    length: f64,
    in_vain: usize,
    widest: usize,
    /// The best bound so far.
    pub best: Bound,
}

impl<'a> Climb<'a> {
    /// From multipliers that a first answer suggests: between what serving costs and what it would cost without that site.
    pub fn new(instance: &'a Instance, start: Vec<f64>) -> Self {
        let sites = instance.sites();
        let best = Bound {
            cost: f64::NEG_INFINITY,
            multiplier: start.clone(),
            value: vec![0.0; sites],
            chosen: vec![],
        };
        let mut climb = Self {
            instance,
            direction: vec![0.0; start.len()],
            slope: vec![0.0; start.len()],
            multiplier: start,
            value: vec![],
            shares: vec![],
            least: Least::default(),
            length: 1.5,
            in_vain: 0,
            widest: (0..sites).map(|site| instance.columns.width(site)).max().unwrap_or(0),
            best,
        };
        climb.keep_within();
        climb
    }

    /// Whether steps have become too short to lead anywhere.
    pub fn ended(&self) -> bool {
        self.length < SHORTEST
    }

    /// The choice of the last step, those first that it wants most.
    pub fn wanted(&self) -> Vec<u32> {
        let mut wanted = self.least.chosen.clone();
        wanted.sort_by(|&one, &other| self.value[one as usize].total_cmp(&self.value[other as usize]));
        wanted
    }

    /// All sites, those first that the multipliers want most.
    pub fn ranking(&self) -> Vec<u32> {
        let mut sites: Vec<u32> = (0..self.value.len() as u32).collect();
        sites.sort_by(|&one, &other| self.value[one as usize].total_cmp(&self.value[other as usize]));
        sites
    }

    /// One step: the bound at the multipliers, then new multipliers; `target` is the cost of the best answer.
    pub fn step(&mut self, target: f64) {
        self.evaluate();
        let bound = self.bound();
        if bound > self.best.cost {
            let gained = bound - self.best.cost;
            self.in_vain = if gained > 1e-6 * bound.abs() { 0 } else { self.in_vain + 1 };
            self.best.cost = bound;
            self.best.multiplier.clone_from(&self.multiplier);
            let price = self.least.price;
            self.best.value =
                (0..self.value.len()).map(|s| self.value[s] + price * self.instance.rules.yuan[s]).collect();
            self.best.chosen.clone_from(&self.least.chosen);
        } else {
            self.in_vain += 1;
        }
        if self.in_vain >= PATIENCE {
            self.length *= SHORTER;
            self.in_vain = 0;
            self.multiplier.clone_from(&self.best.multiplier);
            self.direction.fill(0.0);
            self.evaluate();
        }
        self.move_on(target);
    }

    /// Sums of sites at the multipliers, the least choice, and the slope there.
    fn evaluate(&mut self) {
        self.value.clone_from(&self.instance.fixed);
        match &self.instance.room {
            None => self.sum_up(),
            Some(room) => self.sum_up_within(room),
        }
        self.instance.rules.least(&self.value, &mut self.least);
        self.slope.fill(1.0);
        for &site in self.least.chosen.iter().chain(&self.instance.open) {
            if self.instance.room.is_some() {
                for &(demand, share) in &self.shares[site as usize] {
                    self.slope[demand as usize] -= share;
                }
                continue;
            }
            for (demand, cost) in self.instance.columns.row(site as usize) {
                if cost < self.multiplier[demand] {
                    self.slope[demand] -= 1.0;
                }
            }
        }
    }

    fn sum_up(&mut self) {
        for (demand, &multiplier) in self.multiplier.iter().enumerate() {
            for (site, cost) in self.instance.rows.row(demand) {
                if cost >= multiplier {
                    break;
                }
                self.value[site] += cost - multiplier;
            }
        }
    }

    /// With capacities each site takes whom it saves most for one person, until it is full.
    fn sum_up_within(&mut self, room: &Room) {
        self.shares.resize(self.value.len(), vec![]);
        for site in 0..self.value.len() {
            let mut offers: Vec<(f64, usize, f64)> = self
                .instance
                .columns
                .row(site)
                .map(|(demand, cost)| (cost - self.multiplier[demand], demand))
                .filter(|&(saved, _)| saved < 0.0)
                .map(|(saved, demand)| (saved / room.people[demand], demand, saved))
                .collect();
            offers.sort_unstable_by(|one, other| one.0.total_cmp(&other.0).then(one.1.cmp(&other.1)));
            let mut places = room.capacity[site];
            self.shares[site].clear();
            for (_, demand, saved) in offers {
                let people = room.people[demand];
                let share = if people <= places { 1.0 } else { places / people };
                if share <= 0.0 {
                    break;
                }
                places -= people * share;
                self.value[site] += saved * share;
                self.shares[site].push((demand as u32, share));
            }
        }
    }

    /// What is proved at these multipliers, rounding taken off.
    fn bound(&self) -> f64 {
        let open: f64 = self.instance.open.iter().map(|&site| self.value[site as usize]).sum();
        let multipliers: f64 = self.multiplier.iter().sum();
        let rules = &self.instance.rules;
        let price = self.least.price;
        let size: f64 = multipliers
            + self
                .value
                .iter()
                .zip(&self.instance.fixed)
                .map(|(value, fixed)| value.abs() + 2.0 * fixed)
                .sum::<f64>()
            + price * (rules.budget.unwrap_or(0.0) + rules.yuan.iter().sum::<f64>());
        let terms = (self.multiplier.len() + self.value.len() + 4 * self.widest + 16) as f64;
        multipliers + open + self.least.sum - terms * f64::EPSILON * size
    }

    fn move_on(&mut self, target: f64) {
        let mut steepness = 0.0;
        for demand in 0..self.multiplier.len() {
            let (low, high) = self.range(demand);
            let at = self.multiplier[demand];
            let mut slope = self.slope[demand] + DEFLECTION * self.direction[demand];
            // Against a wall there is no way on.
            if (slope > 0.0 && at >= high) || (slope < 0.0 && at <= low) {
                slope = 0.0;
            }
            self.direction[demand] = slope;
            steepness += slope * slope;
        }
        if steepness == 0.0 {
            self.length = 0.0;
            return;
        }
        let here = self.best.cost;
        let ahead = (target - here).max(1e-7 * target.abs()).max(1e-12);
        let step = self.length * ahead / steepness;
        for (multiplier, direction) in self.multiplier.iter_mut().zip(&self.direction) {
            *multiplier += step * direction;
        }
        self.keep_within();
    }

    /// A multiplier below the cheapest way serves nobody, and one above the base cost is never paid.
    fn range(&self, demand: usize) -> (f64, f64) {
        let high = self.instance.base[demand];
        (self.instance.rows.row(demand).next().map_or(high, |(_, cost)| cost).min(high), high)
    }

    fn keep_within(&mut self) {
        for demand in 0..self.multiplier.len() {
            let (low, high) = self.range(demand);
            self.multiplier[demand] = self.multiplier[demand].clamp(low, high);
        }
    }
}
