//! Better by small steps: add a site, drop one, or put one in the place of another, until none of these helps.
//!
//! Vertex substitution: M. B. Teitz, P. Bart 1968. For a site that comes in, the best one to go out is found in one look at the demand
//! that it could serve (R. A. Whitaker 1983): what each open site would lose is known, and only the losses of those that it relieves
//! change. Sites come in the order of their ids and the first step that helps is taken.

use super::halt::Halt;
use super::instance::Instance;
use super::rules::Choice;
use super::served::{LEFT, Served};

/// Steps after which a search ends even if more would help; far more than were ever seen.
const MOST_STEPS: usize = 100_000;

/// Less than this of the whole is rounding, not a gain.
const NOTHING: f64 = 1e-11;

/// Losses and reliefs of open sites.
struct Ledger {
    loss: Vec<f64>,
    relief: Vec<f64>,
    relieved: Vec<u32>,
}

impl Ledger {
    fn of(instance: &Instance, served: &Served) -> Self {
        let sites = instance.sites();
        let mut ledger = Self { loss: vec![0.0; sites], relief: vec![0.0; sites], relieved: vec![] };
        ledger.count(served);
        ledger
    }

    fn count(&mut self, served: &Served) {
        self.loss.fill(0.0);
        for (demand, &by) in served.by.iter().enumerate() {
            if by != LEFT {
                self.loss[by as usize] += served.next_cost[demand] - served.cost[demand];
            }
        }
    }

    /// What a site would save if it came in, and what it would take off the loss of each open one.
    fn look(&mut self, instance: &Instance, served: &Served, site: usize) -> f64 {
        for open in self.relieved.drain(..) {
            self.relief[open as usize] = 0.0;
        }
        let mut gain = 0.0;
        for (demand, cost) in instance.columns.row(site) {
            let (now, next) = (served.cost[demand], served.next_cost[demand]);
            if cost >= next {
                continue;
            }
            gain += (now - cost).max(0.0);
            let by = served.by[demand];
            if by != LEFT {
                if self.relief[by as usize] == 0.0 {
                    self.relieved.push(by);
                }
                self.relief[by as usize] += next - now.max(cost);
            }
        }
        gain
    }
}

/// What helps.
enum Step {
    Add,
    Swap(usize),
}

/// Take steps until none helps or it is asked to stop; whether any was taken.
pub fn improve(instance: &Instance, choice: &mut Choice, served: &mut Served, halt: &Halt<'_>) -> bool {
    let mut ledger = Ledger::of(instance, served);
    let least = NOTHING * served.total(instance, choice).abs() + f64::MIN_POSITIVE;
    let mut improved = drop_idle(instance, choice, served, &mut ledger);
    let candidates: Vec<usize> =
        (0..instance.sites()).filter(|&site| instance.rules.candidate[site]).collect();
    let (mut in_vain, mut steps) = (0, 0);
    for &site in candidates.iter().cycle() {
        if in_vain > candidates.len() || steps > MOST_STEPS || halt.asked() {
            break;
        }
        in_vain += 1;
        if choice.inside[site] || instance.columns.width(site) == 0 {
            continue;
        }
        let Some(step) = best_step(instance, choice, served, &mut ledger, site, least) else { continue };
        if let Step::Swap(open) = step {
            choice.drop(&instance.rules, open);
            served.changed(instance, choice, open);
        }
        choice.add(&instance.rules, site);
        served.changed(instance, choice, site);
        ledger.count(served);
        drop_idle(instance, choice, served, &mut ledger);
        (improved, in_vain, steps) = (true, 0, steps + 1);
    }
    improved
}

fn best_step(
    instance: &Instance,
    choice: &Choice,
    served: &Served,
    ledger: &mut Ledger,
    site: usize,
    least: f64,
) -> Option<Step> {
    let gain = ledger.look(instance, served, site) - instance.fixed[site];
    if gain > least && choice.can_add(&instance.rules, site) {
        return Some(Step::Add);
    }
    let mut best: Option<(f64, usize)> = None;
    for &open in &choice.list {
        let open = open as usize;
        let saved = gain - ledger.loss[open] + ledger.relief[open] + instance.fixed[open];
        if saved > best.map_or(least, |(saved, _)| saved) && choice.can_swap(&instance.rules, site, open) {
            best = Some((saved, open));
        }
    }
    best.map(|(_, open)| Step::Swap(open))
}

/// Drop sites that cost more to open than they save, the last by id first.
fn drop_idle(instance: &Instance, choice: &mut Choice, served: &mut Served, ledger: &mut Ledger) -> bool {
    let mut dropped = false;
    for open in choice.list.clone().into_iter().rev() {
        let open = open as usize;
        if instance.fixed[open] > ledger.loss[open] && choice.can_drop(&instance.rules, open) {
            choice.drop(&instance.rules, open);
            served.changed(instance, choice, open);
            ledger.count(served);
            dropped = true;
        }
    }
    dropped
}
