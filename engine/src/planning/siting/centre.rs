//! The least radius within which everybody is served: each radius is a question of covering, and the radii that matter are the costs of
//! pairs (Minieka 1970). A radius counts as too small only when that is proved, and as large enough only when a choice was found.

use super::Verdict;
use super::halt::Halt;
use super::instance::Instance;
use super::lagrange::Bound;
use super::program::Program;
use super::rules::Choice;
use super::search::{Best, Found, Until, judged, search};
use crate::model::siting::Question;

/// What is known of each radius.
#[derive(Debug, Clone)]
pub struct Radii {
    /// Costs of pairs, ascending, each once.
    radius: Vec<f64>,
    /// Below this place every radius is proved too small.
    low: usize,
    /// At this place a choice was found.
    high: usize,
}

impl Radii {
    /// From the greatest of the cheapest ways to the greatest cost.
    fn of(question: &Question, instance: &Instance) -> Self {
        let mut radius = question.reach.cost.clone();
        radius.sort_unstable_by(f64::total_cmp);
        radius.dedup();
        let all = (0..instance.demands()).filter(|&demand| question.demand.weight[demand] > 0.0);
        let cheapest = all.filter_map(|demand| question.reach.of(demand).next()).map(|(_, cost)| cost);
        let least = cheapest.fold(0.0, f64::max);
        let low = radius.partition_point(|&radius| radius < least);
        Self { high: radius.len(), low, radius }
    }

    /// No answer is below this.
    pub fn lowest(&self) -> f64 {
        self.radius.get(self.low).copied().unwrap_or(0.0)
    }

    /// Whether every radius is proved too small.
    pub fn none_left(&self) -> bool {
        self.low >= self.radius.len()
    }

    fn middle(&self) -> Option<usize> {
        (self.low < self.high).then(|| usize::midpoint(self.low, self.high).min(self.radius.len() - 1))
    }

    /// The covering program of a radius about which nothing is known.
    pub fn program(&self, question: &Question) -> Option<Program> {
        let instance = Instance::of(question, Some(self.radius[self.middle()?]), 1.0);
        let nothing = Bound { cost: 0.0, multiplier: vec![], value: vec![], chosen: vec![] };
        Some(Program::of(&instance, &nothing, f64::INFINITY))
    }

    /// What an exact solver says of it; the better choice, if it has one.
    pub fn hear(&mut self, question: &Question, verdict: &Verdict) -> Option<(Best, Instance)> {
        let middle = self.middle()?;
        if verdict.infeasible {
            self.low = middle + 1;
            return None;
        }
        let instance = Instance::of(question, Some(self.radius[middle]), 1.0);
        let sites = verdict.sites.as_ref().filter(|sites| Choice::allowed(&instance.rules, sites))?;
        let best = judged(&instance, Choice::of(&instance.rules, sites), None);
        if best.missed > 0 {
            return None;
        }
        self.high = middle;
        self.shrink(question, &instance, &best);
        Some((best, instance))
    }

    /// A choice may do better than the radius that it was found for.
    fn shrink(&mut self, question: &Question, instance: &Instance, best: &Best) {
        let (services, left) = super::answer::service(question, instance, &best.choice.list, f64::INFINITY);
        if let Some(found) = super::answer::objective(question, &best.choice.list, &services, &left) {
            self.high = self.high.min(self.radius.partition_point(|&radius| radius < found));
        }
    }
}

/// Bisect the radii; those that stay undecided are left between the bound and the answer.
pub fn least_radius(
    question: &Question,
    widest: Instance,
    halt: &Halt<'_>,
) -> (Instance, Found, Option<Radii>) {
    let mut radii = Radii::of(question, &widest);
    // The widest radius first: whether there is any answer.
    let mut found = search_at(&widest, halt);
    let mut instance = widest;
    if found.best.missed > 0 {
        return (instance, found, Some(radii));
    }
    radii.high = radii.radius.len() - 1;
    radii.shrink(question, &instance, &found.best);
    let mut stopped = found.stopped;
    let (mut low, mut undecided) = (radii.low, false);
    while low < radii.high && !halt.asked() {
        let middle = usize::midpoint(low, radii.high);
        let narrower = Instance::of(question, Some(radii.radius[middle]), 1.0);
        let here = search_at(&narrower, halt);
        if here.best.missed == 0 {
            radii.high = middle;
            radii.shrink(question, &narrower, &here.best);
            (instance, found) = (narrower, here);
        } else {
            low = middle + 1;
            undecided |= here.proved <= 0.0;
            if !undecided {
                radii.low = low;
            }
        }
        stopped |= halt.asked();
    }
    if undecided {
        stopped |= prove(question, &mut radii, halt);
    }
    found.stopped = stopped || (halt.asked() && radii.low < radii.high);
    (instance, found, Some(radii))
}

fn search_at(instance: &Instance, halt: &Halt<'_>) -> Found {
    search(instance, Until::Decided, halt)
}

/// Raise the bound as far as smaller radii can be proved too small.
fn prove(question: &Question, radii: &mut Radii, halt: &Halt<'_>) -> bool {
    let (mut low, mut high) = (radii.low, radii.high);
    while low < high {
        if halt.asked() {
            return true;
        }
        let middle = usize::midpoint(low, high);
        let narrower = Instance::of(question, Some(radii.radius[middle]), 1.0);
        let here = search_at(&narrower, halt);
        if here.proved > 0.0 {
            low = middle + 1;
            radii.low = low;
        } else {
            high = middle;
        }
    }
    false
}
