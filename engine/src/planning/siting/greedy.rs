//! Sites added one by one, each time the one that saves most.
//!
//! What a site saves never grows while others are added, so an old figure is an upper bound and few are looked at anew: M. Minoux,
//! "Accelerated greedy algorithms for maximizing submodular set functions", 1978. With a budget also by what a yuan saves; the better
//! of both is kept (Khuller, Moss and Naor 1999).

use super::halt::Halt;
use super::instance::Instance;
use super::rules::Choice;
use super::served::Served;
use std::cmp::Ordering;
use std::collections::BinaryHeap;

/// A site and what it was last seen to save, for one unit of what it costs.
#[derive(Debug, PartialEq)]
struct Offer {
    worth: f64,
    site: u32,
}

impl Eq for Offer {}

impl Ord for Offer {
    fn cmp(&self, other: &Self) -> Ordering {
        self.worth.total_cmp(&other.worth).then(other.site.cmp(&self.site))
    }
}

impl PartialOrd for Offer {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// What a saving is divided by.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Per {
    /// Nothing: the greatest saving.
    Site,
    /// What the site costs in yuan.
    Yuan,
    /// What it costs in the objective (Chvátal 1979 for set covering).
    Fixed,
}

impl Per {
    fn worth(self, instance: &Instance, site: usize, gain: f64) -> f64 {
        let cost = match self {
            Self::Site => return gain - instance.fixed[site],
            Self::Yuan => instance.rules.yuan[site],
            Self::Fixed => instance.fixed[site],
        };
        if cost > 0.0 { gain / cost } else { f64::INFINITY * gain.signum() }
    }
}

/// Add to a choice until nothing more is saved or allowed; areas that still lack a site then get the one that saves most.
pub fn fill(instance: &Instance, choice: &mut Choice, served: &mut Served, per: Per, halt: &Halt<'_>) {
    let rules = &instance.rules;
    let offer = |served: &Served, site: usize| {
        let gain = served.gain(instance, site);
        let saves = gain > instance.fixed[site] && gain > 0.0;
        saves.then(|| Offer { worth: per.worth(instance, site, gain), site: site as u32 })
    };
    let mut heap: BinaryHeap<Offer> = (0..instance.sites())
        .filter(|&site| rules.candidate[site] && !choice.inside[site])
        .filter_map(|site| offer(served, site))
        .collect();
    // A site that an area's claim keeps out now may be let in once that area has one.
    let mut kept_out = Vec::new();
    while let Some(Offer { site, .. }) = heap.pop() {
        if halt.asked() {
            return;
        }
        let Some(fresh) = offer(served, site as usize) else { continue };
        if heap.peek().is_some_and(|next| fresh < *next) {
            heap.push(fresh);
        } else if choice.can_add(rules, site as usize) {
            choice.add(rules, site as usize);
            served.changed(instance, choice, site as usize);
            heap.extend(kept_out.drain(..));
        } else {
            kept_out.push(fresh);
        }
    }
    fill_areas(instance, choice, served);
}

fn fill_areas(instance: &Instance, choice: &mut Choice, served: &mut Served) {
    let rules = &instance.rules;
    while !choice.complete() {
        let open =
            (0..instance.sites()).filter(|&site| choice.fills(rules, site) && choice.can_add(rules, site));
        let worth = |site: usize| served.gain(instance, site) - instance.fixed[site];
        let best = open
            .map(|site| (worth(site), site))
            .reduce(|one, other| if other.0 > one.0 { other } else { one });
        let Some((_, site)) = best else { return };
        choice.add(rules, site);
        served.changed(instance, choice, site);
    }
}
