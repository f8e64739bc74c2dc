//! Who is served where under a choice: the cheapest and the next cheapest open site of every demand.

use super::instance::Instance;
use super::rules::Choice;

/// No site: the demand is left at its base cost.
pub const LEFT: u32 = u32::MAX;

/// The state of a search without capacities.
#[derive(Debug, Clone)]
pub struct Served {
    /// What serves each demand, or [`LEFT`].
    pub by: Vec<u32>,
    /// What that costs.
    pub cost: Vec<f64>,
    /// What it would cost without that site.
    pub next_cost: Vec<f64>,
    next: Vec<u32>,
}

impl Served {
    /// Under this choice.
    pub fn under(instance: &Instance, choice: &Choice) -> Self {
        let demands = instance.demands();
        let mut served = Self {
            by: vec![LEFT; demands],
            cost: vec![0.0; demands],
            next_cost: vec![0.0; demands],
            next: vec![LEFT; demands],
        };
        for demand in 0..demands {
            served.look(instance, choice, demand);
        }
        served
    }

    /// Find both sites of one demand anew.
    fn look(&mut self, instance: &Instance, choice: &Choice, demand: usize) {
        let base = instance.base[demand];
        let mut open = instance.rows.row(demand).filter(|&(site, _)| choice.inside[site]);
        let (by, cost) = open.next().map_or((LEFT, base), |(site, cost)| (site as u32, cost));
        let (next, next_cost) = open.next().map_or((LEFT, base), |(site, cost)| (site as u32, cost));
        (self.by[demand], self.cost[demand]) = (by, cost);
        (self.next[demand], self.next_cost[demand]) = (next, next_cost);
    }

    /// A site was added to the choice or taken out.
    pub fn changed(&mut self, instance: &Instance, choice: &Choice, site: usize) {
        if !choice.inside[site] {
            for (demand, _) in instance.columns.row(site) {
                if self.by[demand] == site as u32 || self.next[demand] == site as u32 {
                    self.look(instance, choice, demand);
                }
            }
            return;
        }
        for (demand, cost) in instance.columns.row(site) {
            // Pairs of one cost are in the order of sites, which the search of a row keeps to.
            if (cost, site as u32) < (self.cost[demand], self.by[demand]) {
                (self.next[demand], self.next_cost[demand]) = (self.by[demand], self.cost[demand]);
                (self.by[demand], self.cost[demand]) = (site as u32, cost);
            } else if (cost, site as u32) < (self.next_cost[demand], self.next[demand]) {
                (self.next[demand], self.next_cost[demand]) = (site as u32, cost);
            }
        }
    }

    /// What the choice costs, summed in the order of demand.
    pub fn total(&self, instance: &Instance, choice: &Choice) -> f64 {
        let opened: f64 = choice.list.iter().map(|&site| instance.fixed[site as usize]).sum();
        opened + self.cost.iter().sum::<f64>()
    }

    /// What a site would save, not counting what it costs to open.
    pub fn gain(&self, instance: &Instance, site: usize) -> f64 {
        instance.columns.row(site).map(|(demand, cost)| (self.cost[demand] - cost).max(0.0)).sum()
    }

    /// Demands that may not be left and are.
    pub fn missed<'a>(&'a self, instance: &'a Instance) -> impl Iterator<Item = usize> + 'a {
        (0..self.by.len()).filter(|&demand| instance.must[demand] && self.by[demand] == LEFT)
    }
}
