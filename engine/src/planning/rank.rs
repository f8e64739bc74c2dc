//! Which of many candidates to build, and in which order: greedy, every gain counted again exactly beside what is chosen already.
//!
//! Gains overlap: a second canteen beside the first serves hardly anybody more, and a lift may be worth little without the bridge
//! at its top. So nothing is added up; every candidate is answered together with those chosen before it. Candidates that only
//! help together are one candidate (a project of several edits). Of equal gains the candidate that comes first.
//!
//! Source of the rule: G. L. Nemhauser, L. A. Wolsey, M. L. Fisher, "An analysis of approximations for maximizing submodular
//! set functions I", Mathematical Programming 14, 1978: greedy covers at least 1 − 1/e of the best where gains only shrink. Links
//! can make each other worth more, so for them nothing is promised.

use super::what_if::City;
use crate::model::coverage::EVERYBODY;
use crate::model::edit::{Change, Edit};
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::scenario::Scenario;
use crate::model::study::minutes_to_ds;
use crate::model::times::{Deciseconds, Nearest};
use std::collections::BTreeSet;

/// Something that may be built.
#[derive(Debug, Clone)]
pub struct Candidate {
    /// Its id.
    pub id: String,
    /// Its edits.
    pub edits: Vec<Edit>,
    /// What it costs, yuan.
    pub cost_yuan: f64,
}

/// What is counted as gain.
#[derive(Debug, Clone)]
pub struct Objective {
    /// People covered within these minutes more than before; without, minutes that people save.
    pub minutes: Option<f64>,
    /// Classes that count; all when empty.
    pub classes: Vec<String>,
    /// The group whose people count, or everybody.
    pub group: String,
    /// The profile that walks.
    pub profile: String,
}

/// What may be chosen.
#[derive(Debug, Clone)]
pub enum Rule {
    /// So many, those of the greatest gain.
    Best {
        /// How many.
        count: usize,
    },
    /// Those of the greatest gain per yuan, within what there is each year.
    PerYuan {
        /// Yuan of each year.
        yearly_yuan: Vec<f64>,
        /// Whether what is left in a year may be spent in the next.
        carry: bool,
    },
}

/// One choice.
#[derive(Debug, Clone, PartialEq)]
pub struct Step {
    /// Position of the candidate.
    pub candidate: usize,
    /// The year, from 0; 0 where there are no years.
    pub year: usize,
    /// What it adds beside all that were chosen before.
    pub gain: f64,
    /// What it would add alone.
    pub alone: f64,
    /// All that is gained with it.
    pub total: f64,
}

/// The choices, in their order.
#[derive(Debug, Clone, Default)]
pub struct Order {
    /// One after the other.
    pub steps: Vec<Step>,
    /// What every candidate would add alone.
    pub alone: Vec<f64>,
    /// Whether the user stopped it: what stands here was chosen before.
    pub stopped: bool,
}

/// Choose, one after the other. When the user stops it, what is chosen so far is the answer.
///
/// # Errors
/// Faults of the edits of any candidate, a class, group or profile that is not there; [`Error::Cancelled`] when the user stopped before
/// the first choice.
pub fn order(
    city: &City,
    candidates: &[Candidate],
    rule: &Rule,
    objective: &Objective,
    progress: &Progress,
) -> Result<Order> {
    let ranking = Ranking::new(city, candidates, objective)?;
    let steps = match rule {
        Rule::Best { count } => *count,
        Rule::PerYuan { .. } => candidates.len(),
    };
    progress.begin("candidates", candidates.len() * (1 + steps.min(candidates.len())))?;
    let mut order = Order::default();
    match ranking.choose(rule, &mut order, progress) {
        Err(Error::Cancelled) if !order.steps.is_empty() => order.stopped = true,
        other => other?,
    }
    Ok(order)
}

struct Ranking<'a> {
    city: &'a City,
    candidates: &'a [Candidate],
    objective: &'a Objective,
    profile: usize,
    limit_ds: Option<Deciseconds>,
    people: &'a [f64],
}

impl<'a> Ranking<'a> {
    fn new(city: &'a City, candidates: &'a [Candidate], objective: &'a Objective) -> Result<Self> {
        let unknown = |column: &str, value: &str, known: Vec<String>| -> Error {
            Problem::of_file("objective", Fault::UnknownName { known })
                .in_column(column)
                .with_value(value)
                .into()
        };
        let profiles: Vec<String> =
            city.question.profiles.iter().map(|profile| profile.name.clone()).collect();
        let profile = profiles.iter().position(|name| *name == objective.profile);
        let profile = profile.ok_or_else(|| unknown("profile", &objective.profile, profiles))?;
        let opened =
            candidates.iter().flat_map(|candidate| &candidate.edits).filter_map(|edit| match &edit.change {
                Change::OpenFacility(open) => open.class.clone(),
                _ => None,
            });
        let classes: BTreeSet<String> = city.inputs.ledger.classes().into_iter().chain(opened).collect();
        if let Some(class) = objective.classes.iter().find(|class| !classes.contains(*class)) {
            return Err(unknown("classes", class, classes.into_iter().collect()));
        }
        let cells = &city.inputs.cells;
        let groups: Vec<String> = cells.groups.iter().map(|group| group.name.clone()).collect();
        let people = if objective.group == EVERYBODY {
            &cells.people
        } else {
            let place = groups.iter().position(|name| *name == objective.group);
            &cells.groups[place.ok_or_else(|| unknown("group", &objective.group, groups))?].people
        };
        let limit_ds = objective.minutes.and_then(minutes_to_ds);
        Ok(Self { city, candidates, objective, profile, limit_ds, people })
    }

    fn choose(&self, rule: &Rule, order: &mut Order, progress: &Progress) -> Result<()> {
        for at in 0..self.candidates.len() {
            order.alone.push(self.value(&[at], progress)?);
            progress.step(1)?;
        }
        match rule {
            Rule::Best { count } => {
                while order.steps.len() < *count {
                    let worth = |gain: f64, _: &Candidate| gain;
                    let Some(step) = self.best(order, 0, |_| true, worth, progress)? else { break };
                    order.steps.push(step);
                }
            }
            Rule::PerYuan { yearly_yuan, carry } => {
                let mut left_yuan = 0.0;
                for (year, yuan) in yearly_yuan.iter().enumerate() {
                    left_yuan = yuan + if *carry { left_yuan } else { 0.0 };
                    let worth =
                        |gain: f64, candidate: &Candidate| gain / candidate.cost_yuan.max(f64::MIN_POSITIVE);
                    loop {
                        let affordable = |candidate: &Candidate| candidate.cost_yuan <= left_yuan;
                        let Some(step) = self.best(order, year, affordable, worth, progress)? else { break };
                        left_yuan -= self.candidates[step.candidate].cost_yuan;
                        order.steps.push(step);
                    }
                }
            }
        }
        Ok(())
    }

    /// The candidate that is worth most beside those that are chosen; none where none adds anything.
    fn best(
        &self,
        order: &Order,
        year: usize,
        may: impl Fn(&Candidate) -> bool,
        worth: impl Fn(f64, &Candidate) -> f64,
        progress: &Progress,
    ) -> Result<Option<Step>> {
        let chosen: Vec<usize> = order.steps.iter().map(|step| step.candidate).collect();
        let before = order.steps.last().map_or(0.0, |step| step.total);
        let mut best: Option<(f64, Step)> = None;
        for (at, candidate) in self.candidates.iter().enumerate() {
            progress.check()?;
            if chosen.contains(&at) || !may(candidate) {
                continue;
            }
            let alone = order.alone[at];
            let total = if chosen.is_empty() {
                alone
            } else {
                let with: Vec<usize> = chosen.iter().copied().chain([at]).collect();
                self.value(&with, progress)?
            };
            progress.step(1)?;
            let gain = total - before;
            let value = worth(gain, candidate);
            if gain > 0.0 && best.as_ref().is_none_or(|(most, _)| value > *most) {
                best = Some((value, Step { candidate: at, year, gain, alone, total }));
            }
        }
        Ok(best.map(|(_, step)| step))
    }

    /// What some candidates add together.
    fn value(&self, chosen: &[usize], progress: &Progress) -> Result<f64> {
        let candidates = chosen.iter().map(|&at| &self.candidates[at]);
        let edits = candidates.clone().flat_map(|candidate| candidate.edits.clone()).collect();
        let file = candidates.map(|candidate| candidate.id.clone()).collect::<Vec<_>>().join(" + ");
        let scenario = Scenario { name: file.clone(), file, edits, id: String::new() };
        let (class, changed) = self.city.changes(&scenario, self.profile, progress)?;
        let counts: Vec<bool> = class
            .iter()
            .map(|class| self.objective.classes.is_empty() || self.objective.classes.contains(class))
            .collect();
        let mut sum = 0.0;
        for entry in changed.iter().filter(|entry| counts[entry.class as usize]) {
            // Who moves in is nobody's gain.
            let Some(before) = self.city.before(self.profile, entry.origin, entry.class) else { continue };
            sum += self.people[entry.origin as usize] * self.gain(before, entry.nearest);
        }
        Ok(sum)
    }

    /// What one person gains: covered or not, or minutes.
    fn gain(&self, before: Nearest, after: Nearest) -> f64 {
        if let Some(limit_ds) = self.limit_ds {
            let is_covered = |nearest: Nearest| nearest.is_ok_and(|found| found.time_ds <= limit_ds);
            return f64::from(u8::from(is_covered(after))) - f64::from(u8::from(is_covered(before)));
        }
        let walk_ds = |nearest: Nearest| nearest.map_or(self.city.cutoff_ds(), |found| found.time_ds);
        (f64::from(walk_ds(before)) - f64::from(walk_ds(after))) / 600.0
    }
}
