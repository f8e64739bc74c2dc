//! What checking found: every problem with its level, and for every input how many rows came in and what became of them.

use super::error::{Error, Result};
use super::problem::{Level, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// One thing that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct Finding {
    /// How grave it is.
    pub level: Level,
    /// What, where, and what to do.
    pub problem: Problem,
}

/// The rows of one input: `rows` = `accepted` + `rejected`, always.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Tally {
    /// What the input is to the study: `facilities`, `population`, `areas`, …
    pub input: &'static str,
    /// File name, or the name of the argument.
    pub file: String,
    /// What is counted: `rows`, `pixels`, `ways`, …
    pub unit: &'static str,
    /// How many came in.
    pub rows: u64,
    /// How many are used.
    pub accepted: u64,
    /// How many are left out, each with a reason.
    pub rejected: u64,
}

impl Tally {
    /// The tally of an input that is counted by its parts.
    pub fn of(input: &'static str, file: String, unit: &'static str, accepted: u64, rejected: u64) -> Self {
        Self { input, file, unit, rows: accepted + rejected, accepted, rejected }
    }

    /// The tally, whose parts are the whole.
    ///
    /// # Errors
    /// Our own failure when they are not: a row would be lost without a word.
    pub fn balanced(self) -> Result<Self> {
        if self.rows == self.accepted + self.rejected {
            return Ok(self);
        }
        let Self { input, file, unit, rows, accepted, rejected } = self;
        Err(Error::Internal(format!(
            "{input} {file}: {rows} {unit} came in, {accepted} are used and {rejected} are listed as left out"
        )))
    }
}

/// Findings in the order of gravity, then file, row and reason; and the tallies of all inputs.
#[derive(Debug, Clone, Default)]
pub struct Findings {
    /// All findings, sorted.
    pub all: Vec<Finding>,
    /// What became of the rows of each input.
    pub tallies: Vec<Tally>,
}

impl Findings {
    /// Problems that stopped the work, problems of single rows, and the tallies.
    pub fn new(errors: Vec<Problem>, of_rows: Vec<Problem>, tallies: Vec<Tally>) -> Self {
        let stopping = errors.into_iter().map(|problem| Finding { level: Level::Error, problem });
        let others = of_rows.into_iter().map(|problem| Finding { level: problem.fault.level(), problem });
        let mut findings = Self { all: stopping.chain(others).collect(), tallies };
        findings.sort();
        findings
    }

    /// Add what was found in another input.
    pub fn extend(&mut self, other: Self) {
        self.all.extend(other.all);
        self.tallies.extend(other.tallies);
        self.sort();
    }

    fn sort(&mut self) {
        let place = |problem: &Problem| (problem.file.clone(), problem.row, problem.fault.code());
        self.all.sort_by_cached_key(|finding| (finding.level, place(&finding.problem)));
    }

    /// Whether nothing stops the work.
    pub fn ready(&self) -> bool {
        self.all.iter().all(|finding| finding.level != Level::Error)
    }

    /// Number of findings by level and code.
    pub fn counts(&self) -> BTreeMap<(Level, &'static str), usize> {
        let mut counts = BTreeMap::new();
        for finding in &self.all {
            *counts.entry((finding.level, finding.problem.fault.code())).or_default() += 1;
        }
        counts
    }
}

/// How many rows of a file are left out: rows with several problems count once.
pub fn rejected_rows(problems: &[Problem], file: &str) -> u64 {
    let of_file = problems.iter().filter(|problem| problem.file == file);
    let rejected = of_file.filter(|problem| problem.fault.level() == Level::Rejected);
    rejected.filter_map(|problem| problem.row).collect::<BTreeSet<u64>>().len() as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::problem::Fault;

    #[test]
    fn a_tally_that_loses_a_row_is_our_own_failure() {
        let tally = |accepted, rejected| Tally {
            input: "areas",
            file: "a.csv".into(),
            unit: "rows",
            rows: 9,
            accepted,
            rejected,
        };
        assert!(tally(7, 2).balanced().is_ok());
        assert!(matches!(tally(7, 1).balanced(), Err(Error::Internal(_))));
    }

    #[test]
    fn a_row_with_two_problems_is_rejected_once_and_findings_come_gravest_first() {
        let at = |row, fault| Problem::of_file("a.csv", fault).at_row(row);
        let rows = vec![at(4, Fault::NotANumber), at(2, Fault::MissingValue), at(2, Fault::NotACell)];
        assert_eq!(rejected_rows(&rows, "a.csv"), 2);
        assert_eq!(rejected_rows(&rows, "b.csv"), 0);
        let found = Findings::new(vec![Problem::of_file("z.csv", Fault::EmptyTable)], rows, vec![]);
        assert!(!found.ready());
        let order: Vec<_> =
            found.all.iter().map(|finding| (finding.level.name(), finding.problem.row)).collect();
        assert_eq!(
            order,
            [("error", None), ("rejected", Some(2)), ("rejected", Some(2)), ("rejected", Some(4))]
        );
        assert_eq!(found.counts().values().sum::<usize>(), 4);
    }
}
