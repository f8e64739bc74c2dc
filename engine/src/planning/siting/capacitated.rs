//! Choices where sites can be full: what they cost is a transportation problem.

use super::halt::Halt;
use super::instance::{Instance, Room};
use super::rules::Choice;
use super::transport::transport;

/// Judging one swap looks at the pairs of the choice. This many are looked at in all, some seconds; what is left is for the multipliers
/// and the exact solver.
const MOST_PAIRS: usize = 2_000_000;

/// Cost of a choice, and how many demands it leaves that may not be left.
pub fn cost(instance: &Instance, room: &Room, chosen: &[u32]) -> (f64, usize) {
    let flow = transport(instance, room, chosen);
    let missed = (0..instance.demands()).filter(|&demand| instance.must[demand] && flow.left[demand] > 0.0);
    let opened: f64 = chosen.iter().map(|&site| instance.fixed[site as usize]).sum();
    (opened + flow.cost, missed.count())
}

/// The wanted sites, then others by rank: all that the rules allow, or, where sites cost something, as many as serve everybody.
pub fn complete(
    instance: &Instance,
    room: &Room,
    wanted: &[u32],
    ranking: &[u32],
    halt: &Halt<'_>,
) -> Choice {
    let rules = &instance.rules;
    let mut choice = Choice::of(rules, wanted);
    for &site in ranking {
        let site = site as usize;
        if !choice.can_add(rules, site) || halt.asked() {
            continue;
        }
        let free = instance.fixed[site] == 0.0 || choice.fills(rules, site);
        if free || cost(instance, room, &choice.list).1 > 0 {
            choice.add(rules, site);
        }
    }
    choice
}

/// Drop what is not worth its cost, then swap while that helps and the work is not too much.
pub fn improve(instance: &Instance, room: &Room, mut choice: Choice, halt: &Halt<'_>) -> Choice {
    let rules = &instance.rules;
    let mut now = cost(instance, room, &choice.list);
    let better =
        |found: (f64, usize), now: (f64, usize)| (found.1, found.0) < (now.1, now.0 - 1e-9 * now.0.abs());
    for site in choice.list.clone() {
        let site = site as usize;
        if instance.fixed[site] <= 0.0 || !choice.can_drop(rules, site) || halt.asked() {
            continue;
        }
        let mut fewer = choice.clone();
        fewer.drop(rules, site);
        let found = cost(instance, room, &fewer.list);
        if better(found, now) {
            (choice, now) = (fewer, found);
        }
    }
    let mut looks = MOST_PAIRS / instance.rows.pairs().max(1);
    let mut again = true;
    while again {
        again = false;
        for into in (0..instance.sites()).filter(|&site| rules.candidate[site]) {
            for out in choice.list.clone() {
                let out = out as usize;
                if halt.asked() || looks == 0 {
                    return choice;
                }
                if choice.inside[into] || !choice.can_swap(rules, into, out) {
                    continue;
                }
                looks -= 1;
                let mut other = choice.clone();
                other.drop(rules, out);
                other.add(rules, into);
                let found = cost(instance, room, &other.list);
                if better(found, now) {
                    (choice, now, again) = (other, found, true);
                }
            }
        }
    }
    choice
}
