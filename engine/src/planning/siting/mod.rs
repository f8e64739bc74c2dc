//! Where the next facilities go, with a proof of how good the answer is.
//!
//! A question becomes an [`instance::Instance`]; `search` finds a choice and a bound; where these differ, a [`Program`] can be
//! given to an exact solver, whose answer is judged here again. How each part works and why it is right:
//! docs/design/2026-11-siting.md.

pub mod candidates;
pub mod instance;
pub mod program;

mod answer;
mod capacitated;
mod centre;
mod greedy;
mod halt;
mod interchange;
mod lagrange;
mod possible;
mod rules;
mod search;
mod served;
mod transport;

#[cfg(test)]
mod siting_tests;

use self::centre::Radii;
use self::halt::Halt;
use self::instance::Instance;
use self::program::Program;
use self::rules::Choice;
use self::search::{Best, Found, Until, judged};
use crate::model::error::{Error, Result};
use crate::model::problem::Problem;
use crate::model::progress::Progress;
use crate::model::siting::{Aim, Question, Siting};
use crate::model::siting_fault::SitingFault;

/// How often penalties are raised for a choice that leaves out somebody who must be served, and by what.
const RAISES: usize = 4;
const HARDER: f64 = 16.0;

/// A question with the best answer so far and what is proved.
pub struct Solve {
    question: Question,
    instance: Instance,
    best: Best,
    found: Found,
    /// No answer costs less.
    proved: f64,
    /// For p-center, what is known of each radius.
    radii: Option<Radii>,
    /// Whether the exact solver has said all that it can.
    exhausted: bool,
    /// Whether it is proved that no choice serves all who must be served.
    impossible: bool,
    /// What that would take, where it is proved to be too much.
    needed: Vec<Problem>,
    stopped: bool,
}

/// What an exact solver says of a program.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// The sites of its best answer.
    pub sites: Option<Vec<u32>>,
    /// Its bound, in the program's own costs with the offset.
    pub bound: Option<f64>,
    /// Whether it proved that the program has no answer.
    pub infeasible: bool,
}

/// Relative error that is taken off what a solver that computes in floats calls a bound: its own tolerance.
const SOLVER: f64 = 1e-6;

impl Solve {
    /// Search until something is proved, the effort is spent, or it is asked to stop.
    ///
    /// # Errors
    /// Every reason why there is no answer; cancelled when stopped before there was one.
    pub fn start(question: Question, time_limit_s: Option<f64>, progress: &Progress) -> Result<Self> {
        let halt = Halt::new(progress, time_limit_s);
        let widest = Instance::of(&question, None, 1.0);
        let faults = possible::faults(&question, &widest);
        if !faults.is_empty() {
            return Err(Error::Input(faults));
        }
        let (instance, found, radii) = if question.aim == Aim::PCenter {
            centre::least_radius(&question, widest, &halt)
        } else {
            let (instance, found) = raise_penalties(&question, widest, &halt);
            (instance, found, None)
        };
        let in_vain = found.best.missed > 0 && !halt.asked();
        let needed = if in_vain { possible::needed(&question, &halt) } else { vec![] };
        let no_radius = radii.as_ref().is_some_and(|_| in_vain && found.proved > 0.0);
        Ok(Self {
            proved: found.proved,
            best: found.best.clone(),
            stopped: found.stopped,
            question,
            instance,
            found,
            radii,
            exhausted: no_radius || !needed.is_empty(),
            impossible: no_radius,
            needed,
        })
    }

    /// The question.
    pub fn question(&self) -> &Question {
        &self.question
    }

    /// The program that is left to solve, if any and if it has at most so many factors.
    pub fn program(&self, most: usize) -> Option<Program> {
        if self.exhausted {
            return None;
        }
        let program = match &self.radii {
            Some(radii) => radii.program(&self.question)?,
            None if self.proved >= self.best.cost && self.best.missed == 0 => return None,
            None => {
                let known = self.best.missed == 0;
                let cutoff = if known { self.instance.cutoff(self.best.cost) } else { f64::INFINITY };
                Program::of(&self.instance, &self.found.bound, cutoff)
            }
        };
        (program.column.len() <= most).then_some(program)
    }

    /// Hear what an exact solver says of the program that [`Solve::program`] gave; nothing is believed that can be judged here.
    pub fn hear(&mut self, verdict: &Verdict, cutoff: f64) {
        if let Some(radii) = &mut self.radii {
            if let Some((best, instance)) = radii.hear(&self.question, verdict) {
                (self.best, self.instance) = (best, instance);
            } else if !verdict.infeasible {
                self.exhausted = true;
            }
            self.impossible = radii.none_left();
            return;
        }
        self.exhausted = true;
        let rules = &self.instance.rules;
        if let Some(sites) = verdict.sites.as_ref().filter(|sites| Choice::allowed(rules, sites)) {
            let found = judged(&self.instance, Choice::of(rules, sites), None);
            if (found.missed, found.cost) < (self.best.missed, self.best.cost) {
                self.best = found;
            }
        }
        if verdict.infeasible && cutoff.is_infinite() {
            self.impossible = true;
        }
        let bound = if verdict.infeasible { Some(cutoff) } else { verdict.bound.map(lowered) };
        if let Some(bound) = bound.filter(|bound| bound.is_finite()) {
            // Below the cutoff the program holds every answer; what it left out costs at least the cutoff.
            let bound = self.instance.rounded_up(bound.min(cutoff));
            self.proved = self.proved.max(bound).min(self.best.cost);
        }
    }

    /// Whether the search was stopped before its end.
    pub fn was_stopped(&self) -> bool {
        self.stopped
    }

    /// Say that the search was asked to stop.
    pub fn stop(&mut self) {
        self.stopped = true;
    }

    /// The answer.
    ///
    /// # Errors
    /// A problem when the best choice leaves out somebody who must be served.
    pub fn siting(&self) -> Result<Siting> {
        if self.best.missed > 0 {
            let missed = (self.needed.is_empty() || self.impossible).then(|| self.missed());
            return Err(Error::Input(self.needed.iter().cloned().chain(missed).collect()));
        }
        let (question, instance) = (&self.question, &self.instance);
        let limit = question.aim.limit();
        let (built, steps) = answer::steps(question, instance, &self.best.choice.list, limit);
        let (service, left) = answer::service(question, instance, &built, limit);
        let objective = answer::objective(question, &built, &service, &left)
            .ok_or_else(|| Error::Internal("an answer that serves all has no objective".to_owned()))?;
        let unserved = answer::unserved(question, instance, &left, limit);
        let bound = self.told_bound(objective);
        Ok(Siting { built, service, unserved, objective, bound, steps, stopped: self.stopped })
    }

    /// The bound in the words of the question, at the side of the objective where it belongs.
    fn told_bound(&self, objective: f64) -> f64 {
        if let Some(radii) = &self.radii {
            return radii.lowest().min(objective);
        }
        match self.question.aim {
            Aim::MaximalCovering { .. } => {
                let all: f64 = self.question.demand.weight.iter().sum();
                let rounding = self.question.demand.weight.len() as f64 * f64::EPSILON * all;
                let rounding = if self.instance.whole { 0.0 } else { rounding };
                if self.proved >= self.best.cost {
                    objective
                } else {
                    (all - self.proved + rounding).max(objective)
                }
            }
            _ => self.proved.min(objective),
        }
    }

    fn missed(&self) -> Problem {
        let instance = &self.instance;
        let limit = self.question.aim.limit();
        let (_, left) = answer::service(&self.question, instance, &self.best.choice.list, limit);
        let rows: Vec<usize> =
            (0..left.len()).filter(|&demand| instance.must[demand] && left[demand] > 0.0).collect();
        possible::about(&self.question, &rows, |origins, people, ids| {
            if self.impossible {
                SitingFault::Impossible { origins, people, ids }
            } else {
                SitingFault::NoneFound { origins, people, ids }
            }
        })
    }
}

fn lowered(bound: f64) -> f64 {
    bound - SOLVER * bound.abs().max(1.0)
}

/// Search with penalties that are raised until the best choice serves all who must be served.
fn raise_penalties(question: &Question, widest: Instance, halt: &Halt<'_>) -> (Instance, Found) {
    let mut instance = widest;
    let mut found = search::search(&instance, Until::Proved, halt);
    let mut harder = 1.0;
    for _ in 0..RAISES {
        if found.best.missed == 0 || found.stopped {
            break;
        }
        harder *= HARDER;
        instance = Instance::of(question, None, harder);
        found = search::search(&instance, Until::Proved, halt);
    }
    (instance, found)
}
