//! Why no choice can be made at all: every reason that can be seen at once, before anything is searched, and what it would take where a
//! search was in vain.

use super::halt::Halt;
use super::instance::Instance;
use super::rules::Rules;
use super::search::{Until, search};
use crate::model::ids::Ids;
use crate::model::problem::Problem;
use crate::model::siting::{Aim, Most, Question};
use crate::model::siting_fault::SitingFault;

/// Ids that a message names; the others are counted.
const NAMED: usize = 10;

/// Every reason why a question has no answer that needs no search; `instance` is the question at its widest.
pub fn faults(question: &Question, instance: &Instance) -> Vec<Problem> {
    let mut problems = Vec::new();
    problems.extend(unreached(question, instance));
    problems.extend(areas(question, &instance.rules));
    problems.extend(money(question, &instance.rules));
    problems.extend(room(question, instance));
    problems
}

/// A problem of a table, of its rows with the people there.
pub fn about(
    question: &Question,
    rows: &[usize],
    fault: impl FnOnce(usize, f64, String) -> SitingFault,
) -> Problem {
    let people = rows.iter().map(|&row| question.demand.people[row]).sum();
    let ids = named(&question.demand.id, rows);
    Problem::of_file("costs", fault(rows.len(), people, ids).into())
}

fn named(ids: &Ids, rows: &[usize]) -> String {
    let mut names: Vec<String> = rows.iter().take(NAMED).map(|&row| ids.text(row)).collect();
    if rows.len() > NAMED {
        names.push(format!("… (+{})", rows.len() - NAMED));
    }
    names.join(", ")
}

fn unreached(question: &Question, instance: &Instance) -> Option<Problem> {
    let rows: Vec<usize> = (0..instance.demands())
        .filter(|&demand| instance.must[demand] && instance.rows.width(demand) == 0)
        .collect();
    let told = |origins, people, ids| SitingFault::Unreached { origins, people, ids };
    (!rows.is_empty()).then(|| about(question, &rows, told))
}

fn areas(question: &Question, rules: &Rules) -> Vec<Problem> {
    let mut problems = Vec::new();
    for (pool, &most) in rules.most.iter().enumerate() {
        let lacking: Vec<&str> = (0..rules.area_name.len())
            .filter(|&area| rules.area_pool[area] as usize == pool)
            .map(|area| rules.area_name[area].as_str())
            .collect();
        if lacking.len() > most {
            let ids =
                named(&Ids::Text(lacking.iter().map(ToString::to_string).collect()), &upto(lacking.len()));
            let fault = SitingFault::TooManyAreas { most, areas: lacking.len(), ids };
            let class = (rules.most.len() > 1).then(|| question.classes[pool].clone());
            let problem = Problem::of_file("sites", fault.into()).in_column("k");
            problems.push(match class {
                Some(class) => problem.with_value(class),
                None => problem,
            });
        }
    }
    problems
}

fn upto(count: usize) -> Vec<usize> {
    (0..count).collect()
}

fn money(question: &Question, rules: &Rules) -> Option<Problem> {
    let needed_yuan: f64 = rules.area_yuan.iter().sum();
    let budget_yuan = question.budget_yuan?;
    let fault = SitingFault::BudgetTooSmall { budget_yuan, needed_yuan };
    (!rules.affords(needed_yuan)).then(|| Problem::of_file("sites", fault.into()).in_column("budget"))
}

/// Room for all who must be served, were the roomiest sites built.
fn room(question: &Question, instance: &Instance) -> Option<Problem> {
    let room = instance.room.as_ref()?;
    let people: f64 = (0..instance.demands())
        .filter(|&demand| instance.must[demand])
        .map(|demand| room.people[demand])
        .sum();
    let open: f64 = instance.open.iter().map(|&site| room.capacity[site as usize]).sum();
    let rules = &instance.rules;
    let built: f64 = rules
        .most
        .iter()
        .enumerate()
        .map(|(pool, &most)| {
            let mut there: Vec<f64> = (0..instance.sites())
                .filter(|&site| rules.candidate[site] && rules.pool[site] as usize == pool)
                .map(|site| room.capacity[site])
                .collect();
            there.sort_unstable_by(|one, other| other.total_cmp(one));
            there.iter().take(most).sum::<f64>()
        })
        .sum();
    let capacity = open + built;
    let fault = SitingFault::CapacityTooSmall { capacity, people };
    let column = if matches!(question.aim, Aim::SetCovering { .. }) { "capacity" } else { "k" };
    (capacity + 1e-6 < people).then(|| Problem::of_file("sites", fault.into()).in_column(column))
}

/// What it would take to serve all who must be served, where that is proved to be more than what may be chosen: the bound of covering
/// them with as few sites, or as few yuan, as can be. Capacities are left aside, which can only make it less.
pub fn needed(question: &Question, halt: &Halt<'_>) -> Vec<Problem> {
    let most = match &question.most {
        Most::Any => None,
        Most::InAll(most) => Some(*most),
        Most::OfClass(most) => Some(most.iter().sum()),
    };
    let mut problems = Vec::new();
    if let Some(most) = most {
        let needed = least_cover(question, false, halt).ceil() as usize;
        if needed > most {
            let fault = SitingFault::TooFewSites { most, needed: Some(needed), class: None };
            problems.push(Problem::of_file("costs", fault.into()).in_column("k"));
        }
    }
    if let Some(budget_yuan) = question.budget_yuan {
        let needed_yuan = least_cover(question, true, halt);
        let fault = SitingFault::BudgetTooSmall { budget_yuan, needed_yuan };
        if !Rules::of(question).affords(needed_yuan) {
            problems.push(Problem::of_file("sites", fault.into()).in_column("budget"));
        }
    }
    problems
}

/// What covering everybody takes at least.
fn least_cover(question: &Question, by_yuan: bool, halt: &Halt<'_>) -> f64 {
    let aim = Aim::SetCovering { limit: question.aim.limit(), by_yuan };
    let free = Question { aim, most: Most::Any, budget_yuan: None, capacitated: false, ..question.clone() };
    search(&Instance::of(&free, None, 1.0), Until::Proved, halt).proved
}
