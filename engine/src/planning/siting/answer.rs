//! A choice told in the words of the question: who is served where, who is not and why, and what each site adds.

use super::instance::Instance;
use super::rules::Choice;
use super::served::Served;
use super::transport::transport;
use crate::model::costs::Groups;
use crate::model::siting::{Aim, Question, Service, Step, Unserved};

/// Who is served where by these sites and the existing ones; and the share of each demand that is not.
pub fn service(
    question: &Question,
    instance: &Instance,
    built: &[u32],
    limit: f64,
) -> (Vec<Service>, Vec<f64>) {
    if let Some(room) = &instance.room {
        return by_room(question, transport(instance, room, built));
    }
    let mut nearest = Nearest::before(question, limit);
    for &site in built {
        nearest.open(site);
    }
    nearest.service()
}

/// The nearest open site of every demand, while sites are opened one by one.
struct Nearest<'a> {
    question: &'a Question,
    limit: f64,
    /// Pairs of each site: the demand, and the place of the pair.
    pairs: Groups,
    demand: Vec<u32>,
    best: Vec<Option<usize>>,
}

impl<'a> Nearest<'a> {
    /// With those that exist.
    fn before(question: &'a Question, limit: f64) -> Self {
        // Nobody goes further than what is charged for those who are not served.
        let limit = match question.aim {
            Aim::PMedian { unserved_cost: Some(most) } => limit.min(most),
            _ => limit,
        };
        let reach = &question.reach;
        let demands = question.demand.people.len();
        let width = |demand: usize| reach.first[demand + 1] - reach.first[demand];
        let demand =
            (0..demands).flat_map(|demand| std::iter::repeat_n(demand as u32, width(demand))).collect();
        let sites = question.sites.existing.len();
        let pairs = Groups::of(&reach.site, sites);
        let mut nearest = Self { question, limit, pairs, demand, best: vec![None; demands] };
        for site in (0..sites).filter(|&site| question.sites.existing[site]) {
            nearest.open(site as u32);
        }
        nearest
    }

    fn open(&mut self, site: u32) {
        for &pair in self.pairs.members(site as usize) {
            let pair = pair as usize;
            if self.question.reach.cost[pair] > self.limit {
                continue;
            }
            // Pairs of a demand stand in the order in which they are preferred.
            let best = &mut self.best[self.demand[pair] as usize];
            if best.is_none_or(|best| pair < best) {
                *best = Some(pair);
            }
        }
    }

    fn service(&self) -> (Vec<Service>, Vec<f64>) {
        let reach = &self.question.reach;
        let mut left = vec![1.0; self.best.len()];
        let mut services = Vec::new();
        for (demand, best) in self.best.iter().enumerate() {
            if let Some(pair) = *best {
                let (site, cost) = (reach.site[pair], reach.cost[pair]);
                services.push(Service { demand: demand as u32, site, cost, share: 1.0 });
                left[demand] = 0.0;
            }
        }
        (services, left)
    }
}

fn by_room(question: &Question, flow: super::transport::Flow) -> (Vec<Service>, Vec<f64>) {
    let cost_of = |demand: u32, site: u32| {
        let pair = question.reach.of(demand as usize).find(|&(other, _)| other == site);
        pair.map_or(0.0, |(_, cost)| cost)
    };
    let mut services: Vec<Service> = flow
        .served
        .into_iter()
        .map(|(demand, site, share)| Service { demand, site, cost: cost_of(demand, site), share })
        .collect();
    services.sort_by(|one, other| {
        one.demand.cmp(&other.demand).then(one.cost.total_cmp(&other.cost)).then(one.site.cmp(&other.site))
    });
    (services, flow.left)
}

/// What the aim counts, from who is served where; none while somebody who has to be served is not.
pub fn objective(question: &Question, built: &[u32], services: &[Service], left: &[f64]) -> Option<f64> {
    let weight = &question.demand.weight;
    let missed = || (0..left.len()).any(|demand| left[demand] > 0.0 && weight[demand] > 0.0);
    let weighed = |of: &dyn Fn(&Service) -> f64| -> f64 {
        services.iter().map(|service| weight[service.demand as usize] * service.share * of(service)).sum()
    };
    match question.aim {
        Aim::PMedian { unserved_cost: None } | Aim::SetCovering { .. } | Aim::PCenter if missed() => None,
        Aim::PMedian { unserved_cost } => {
            let unserved = left.iter().zip(weight).map(|(left, weight)| left * weight).sum::<f64>();
            Some(weighed(&|service| service.cost) + unserved * unserved_cost.unwrap_or(0.0))
        }
        Aim::MaximalCovering { .. } => Some(weighed(&|_| 1.0)),
        Aim::SetCovering { by_yuan, .. } => {
            let yuan = |&site: &u32| question.sites.cost_yuan[site as usize].unwrap_or(0.0);
            Some(if by_yuan { built.iter().map(yuan).sum() } else { built.len() as f64 })
        }
        Aim::PCenter => {
            let counted = services.iter().filter(|service| weight[service.demand as usize] > 0.0);
            Some(counted.map(|service| service.cost).fold(0.0, f64::max))
        }
    }
}

/// Why each part that is left is left.
pub fn unserved(
    question: &Question,
    instance: &Instance,
    left: &[f64],
    limit: f64,
) -> Vec<(u32, f64, Unserved)> {
    let rest = (0..left.len()).filter(|&demand| left[demand] > 0.0);
    let why = |demand: usize| {
        if !question.reach.of(demand).any(|(_, cost)| cost <= limit) {
            return Unserved::NoSite;
        }
        if instance.room.is_some() && left[demand] < 1.0 { Unserved::Full } else { Unserved::NotChosen }
    };
    rest.map(|demand| (demand as u32, left[demand], why(demand))).collect()
}

/// The chosen sites in the order in which each saves most, ties by id; and what is reached on the way.
pub fn steps(question: &Question, instance: &Instance, chosen: &[u32], limit: f64) -> (Vec<u32>, Vec<Step>) {
    let rules = &instance.rules;
    let mut choice = Choice::none(rules);
    let mut served = Served::under(instance, &choice);
    let mut nearest = Nearest::before(question, limit);
    let mut told = |order: &[u32]| {
        if instance.room.is_some() {
            return step(question, order, &service(question, instance, order, limit));
        }
        if let Some(&site) = order.last() {
            nearest.open(site);
        }
        step(question, order, &nearest.service())
    };
    let mut rest: Vec<u32> = chosen.to_vec();
    rest.sort_unstable();
    let mut order = Vec::new();
    let mut steps = vec![told(&order)];
    while !rest.is_empty() {
        let gains = rest.iter().map(|&site| served.gain(instance, site as usize));
        let (place, _) = gains
            .enumerate()
            .reduce(|one, other| if other.1 > one.1 { other } else { one })
            .expect("not empty");
        let site = rest.remove(place);
        choice.add(rules, site as usize);
        served.changed(instance, &choice, site as usize);
        order.push(site);
        steps.push(told(&order));
    }
    (order, steps)
}

fn step(question: &Question, built: &[u32], (services, left): &(Vec<Service>, Vec<f64>)) -> Step {
    let sum = |of: &[f64]| -> f64 {
        services.iter().map(|service| of[service.demand as usize] * service.share).sum()
    };
    Step {
        site: built.last().copied(),
        objective: objective(question, built, services, left),
        people: sum(&question.demand.people),
        weight: sum(&question.demand.weight),
        cost_yuan: built.iter().map(|&site| question.sites.cost_yuan[site as usize].unwrap_or(0.0)).sum(),
    }
}
