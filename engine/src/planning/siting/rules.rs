//! What may be chosen: so many sites in all or of each class, within a budget, one for each area that has none.
//!
//! Areas are counted for each class, so that each lies within one pool of sites that share a number. That makes the cheapest choice
//! under prices exact: the best site of each area that lacks one, then the best of the rest.

use crate::model::siting::{Most, Question};

/// No area asks for this site.
pub const NO_AREA: u32 = u32::MAX;

/// What sums of money may be apart by rounding alone, relative.
const PENNY: f64 = 1e-9;

/// How often the price of money is halved between its bounds.
const HALVINGS: usize = 30;

/// What may be chosen.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Whether a site may be chosen: it does not exist yet, and alone it costs no more than the budget.
    pub candidate: Vec<bool>,
    /// The pool of each site.
    pub pool: Vec<u32>,
    /// The greatest number of each pool.
    pub most: Vec<usize>,
    /// What each site costs.
    pub yuan: Vec<f64>,
    /// What may be spent.
    pub budget: Option<f64>,
    /// The area of each site that lacks one, or [`NO_AREA`].
    pub area: Vec<u32>,
    /// Pool of each of these areas.
    pub area_pool: Vec<u32>,
    /// The least that a site there costs.
    pub area_yuan: Vec<f64>,
    /// Name of each of these areas.
    pub area_name: Vec<String>,
}

impl Rules {
    /// The rules of a question.
    pub fn of(question: &Question) -> Self {
        let sites = &question.sites;
        let (pool, most) = match &question.most {
            Most::OfClass(most) => (sites.class.clone(), most.clone()),
            Most::InAll(most) => (vec![0; sites.class.len()], vec![*most]),
            Most::Any => (vec![0; sites.class.len()], vec![usize::MAX]),
        };
        let mut rules = Self {
            candidate: sites.existing.iter().map(|existing| !existing).collect(),
            pool,
            most,
            yuan: sites.cost_yuan.iter().map(|yuan| yuan.unwrap_or(0.0)).collect(),
            budget: question.budget_yuan,
            area: vec![NO_AREA; sites.class.len()],
            area_pool: vec![],
            area_yuan: vec![],
            area_name: vec![],
        };
        for site in 0..rules.candidate.len() {
            rules.candidate[site] &= rules.affords(rules.yuan[site]);
        }
        if question.one_per_area {
            rules.ask_for_areas(question);
        }
        rules
    }

    fn ask_for_areas(&mut self, question: &Question) {
        let sites = &question.sites;
        let key = |site: usize| sites.area[site].as_deref().map(|area| (sites.class[site], area));
        let rows = 0..sites.class.len();
        let served: Vec<_> = {
            let mut there: Vec<_> =
                rows.clone().filter(|&site| sites.existing[site]).filter_map(key).collect();
            there.sort_unstable();
            there
        };
        let mut lacking: Vec<_> =
            rows.clone().filter_map(key).filter(|key| served.binary_search(key).is_err()).collect();
        lacking.sort_unstable();
        lacking.dedup();
        self.area_name = lacking.iter().map(|(_, area)| (*area).to_owned()).collect();
        self.area_pool = vec![0; lacking.len()];
        self.area_yuan = vec![f64::INFINITY; lacking.len()];
        for site in rows {
            let Some(area) = key(site).and_then(|key| lacking.binary_search(&key).ok()) else { continue };
            self.area[site] = area as u32;
            self.area_pool[area] = self.pool[site];
            self.area_yuan[area] = self.area_yuan[area].min(self.yuan[site]);
        }
    }

    /// Whether money is within the budget.
    pub fn affords(&self, yuan: f64) -> bool {
        self.budget.is_none_or(|budget| yuan <= budget + PENNY * budget.abs())
    }

    /// The least sum of `value` over any choice that the rules allow, or a little less: the budget is bounded by a price for money
    /// (its Lagrangian dual, which is the linear relaxation of the knapsack). Fills `least` with the choice at that price.
    pub fn least(&self, value: &[f64], least: &mut Least) {
        let Some(budget) = self.budget else {
            least.price = 0.0;
            least.sum = self.least_at(value, 0.0, least);
            return;
        };
        let mut sum = self.least_at(value, 0.0, least);
        if self.affords(least.spent) {
            (least.price, least.sum) = (0.0, sum);
            return;
        }
        let dearest = (0..value.len())
            .filter(|&site| self.candidate[site] && self.yuan[site] > 0.0)
            .map(|site| -value[site] / self.yuan[site])
            .fold(0.0, f64::max);
        let (mut low, mut high) = (0.0, dearest * 1.001 + f64::MIN_POSITIVE);
        let mut best = (sum, 0.0);
        for _ in 0..HALVINGS {
            let price = 0.5 * (low + high);
            sum = self.least_at(value, price, least) - price * budget;
            if sum > best.0 {
                best = (sum, price);
            }
            if self.affords(least.spent) { high = price } else { low = price }
        }
        // The choice on the affordable side of the break is the one that a search can start from.
        let at_high = self.least_at(value, high, least) - high * budget;
        if at_high > best.0 {
            best = (at_high, high);
        }
        (least.sum, least.price) = best;
    }

    /// The least sum of value and money at a price, without a budget.
    fn least_at(&self, value: &[f64], price: f64, least: &mut Least) -> f64 {
        let priced = |site: usize| value[site] + price * self.yuan[site];
        least.chosen.clear();
        least.best_of_area.clear();
        least.best_of_area.resize(self.area_name.len(), u32::MAX);
        for site in 0..value.len() {
            if self.candidate[site] && self.area[site] != NO_AREA {
                let best = &mut least.best_of_area[self.area[site] as usize];
                if *best == u32::MAX || priced(site) < priced(*best as usize) {
                    *best = site as u32;
                }
            }
        }
        let mut left = self.most.clone();
        for (area, &site) in least.best_of_area.iter().enumerate() {
            least.chosen.push(site);
            let left = &mut left[self.area_pool[area] as usize];
            *left = left.saturating_sub(1);
        }
        let taken = |site: usize, best: &[u32]| {
            self.area[site] != NO_AREA && best[self.area[site] as usize] == site as u32
        };
        for (pool, &left) in left.iter().enumerate() {
            least.rest.clear();
            least.rest.extend((0..value.len()).filter(|&site| {
                self.candidate[site]
                    && self.pool[site] as usize == pool
                    && priced(site) < 0.0
                    && !taken(site, &least.best_of_area)
            }));
            if least.rest.len() > left {
                least.rest.sort_unstable_by(|&one, &other| {
                    priced(one).total_cmp(&priced(other)).then(one.cmp(&other))
                });
                least.rest.truncate(left);
            }
            least.chosen.extend(least.rest.iter().map(|&site| site as u32));
        }
        least.chosen.sort_unstable();
        least.spent = least.chosen.iter().map(|&site| self.yuan[site as usize]).sum();
        least.chosen.iter().map(|&site| priced(site as usize)).sum()
    }
}

/// The cheapest choice at a price, and scratch.
#[derive(Debug, Default)]
pub struct Least {
    /// The sum, at most that of any choice.
    pub sum: f64,
    /// Price of a yuan.
    pub price: f64,
    /// Sites, by id.
    pub chosen: Vec<u32>,
    spent: f64,
    best_of_area: Vec<u32>,
    rest: Vec<usize>,
}

/// A choice that keeps to the rules, apart from areas that still lack a site and can get one.
#[derive(Debug, Clone, PartialEq)]
pub struct Choice {
    /// Whether each site is chosen.
    pub inside: Vec<bool>,
    /// The chosen sites, by id.
    pub list: Vec<u32>,
    of_pool: Vec<usize>,
    of_area: Vec<u32>,
    lacking: Vec<usize>,
    spent: f64,
    reserve: f64,
}

impl Choice {
    /// Nothing chosen.
    pub fn none(rules: &Rules) -> Self {
        let mut choice = Self {
            inside: vec![false; rules.candidate.len()],
            list: vec![],
            of_pool: vec![],
            of_area: vec![],
            lacking: vec![],
            spent: 0.0,
            reserve: 0.0,
        };
        choice.count(rules);
        choice
    }

    /// Count again, so that sums do not depend on the way here.
    fn count(&mut self, rules: &Rules) {
        self.of_pool = vec![0; rules.most.len()];
        self.of_area = vec![0; rules.area_name.len()];
        self.lacking = vec![0; rules.most.len()];
        self.spent = 0.0;
        for &site in &self.list {
            let site = site as usize;
            self.of_pool[rules.pool[site] as usize] += 1;
            self.spent += rules.yuan[site];
            if rules.area[site] != NO_AREA {
                self.of_area[rules.area[site] as usize] += 1;
            }
        }
        self.reserve = 0.0;
        for (area, &sites) in self.of_area.iter().enumerate() {
            if sites == 0 {
                self.lacking[rules.area_pool[area] as usize] += 1;
                self.reserve += rules.area_yuan[area];
            }
        }
    }

    /// Whether a site may be added such that every area can still get one.
    pub fn can_add(&self, rules: &Rules, site: usize) -> bool {
        if self.inside[site] || !rules.candidate[site] {
            return false;
        }
        let pool = rules.pool[site] as usize;
        let area = rules.area[site];
        let fills = area != NO_AREA && self.of_area[area as usize] == 0;
        let reserve = self.reserve - if fills { rules.area_yuan[area as usize] } else { 0.0 };
        self.of_pool[pool] + 1 + self.lacking[pool] - usize::from(fills) <= rules.most[pool]
            && rules.affords(self.spent + rules.yuan[site] + reserve)
    }

    /// Whether a chosen site may go.
    pub fn can_drop(&self, rules: &Rules, site: usize) -> bool {
        let area = rules.area[site];
        area == NO_AREA || self.of_area[area as usize] > 1
    }

    /// Whether one may be added in place of another.
    pub fn can_swap(&self, rules: &Rules, add: usize, drop: usize) -> bool {
        let (pool, area) = (rules.pool[add] as usize, rules.area[drop]);
        let same_pool = rules.pool[drop] as usize == pool;
        (self.can_drop(rules, drop) || area == rules.area[add])
            && (same_pool || self.of_pool[pool] + 1 + self.lacking[pool] <= rules.most[pool])
            && rules.affords(self.spent - rules.yuan[drop] + rules.yuan[add] + self.reserve)
    }

    /// Whether no area lacks a site.
    pub fn complete(&self) -> bool {
        self.lacking.iter().all(|&lacking| lacking == 0)
    }

    /// Whether an area lacks a site that this would give it.
    pub fn fills(&self, rules: &Rules, site: usize) -> bool {
        rules.area[site] != NO_AREA && self.of_area[rules.area[site] as usize] == 0
    }

    /// Add a site.
    pub fn add(&mut self, rules: &Rules, site: usize) {
        self.inside[site] = true;
        let place = self.list.partition_point(|&other| (other as usize) < site);
        self.list.insert(place, site as u32);
        self.count(rules);
    }

    /// Take a site out.
    pub fn drop(&mut self, rules: &Rules, site: usize) {
        self.inside[site] = false;
        self.list.retain(|&other| other as usize != site);
        self.count(rules);
    }

    /// As many of these, in this order, as the rules allow.
    pub fn of(rules: &Rules, sites: &[u32]) -> Self {
        let mut choice = Self::none(rules);
        for &site in sites {
            if choice.can_add(rules, site as usize) {
                choice.add(rules, site as usize);
            }
        }
        choice
    }

    /// Whether the rules allow this choice.
    pub fn allowed(rules: &Rules, sites: &[u32]) -> bool {
        let choice = Self::of(rules, sites);
        choice.list.len() == sites.len() && choice.complete()
    }
}
