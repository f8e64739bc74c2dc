//! The class of each row of a table: by a mapping, as given, or by its name.

use super::table::Table;
use crate::model::catalogue::Catalogue;
use crate::model::error::Result;
use crate::model::facility_fault::FacilityFault;
use crate::model::mapping::Mapping;
use crate::model::problem::{Fault, Problem};
use std::collections::{BTreeMap, BTreeSet};

/// The rule of a class that the row itself states.
pub const GIVEN: &str = "given";

/// How rows find their class.
#[derive(Debug, Clone, Copy, Default)]
pub struct Rules<'a> {
    /// Classes known by name; rows without class are left out when absent.
    pub catalogue: Option<&'a Catalogue>,
    /// The user's own rules, which go before what a row says.
    pub mapping: Option<&'a Mapping>,
}

/// The class of a row, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Classified {
    /// The class.
    pub class: String,
    /// `given`, `mapping:<row>` or `name:<part>`.
    pub rule: String,
    /// Classes that fit as well.
    pub others: Vec<String>,
}

/// Classify rows by their value in `column` and their `name`. Rows without a class are `None` and have a problem; rows with
/// several, and classes that the catalogue does not hold, are told.
///
/// # Errors
/// A problem when there is neither a column of classes nor anything to do without.
pub fn classify(
    table: &Table,
    column: &str,
    rules: Rules<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Option<Classified>>> {
    let by_name = table.has("name") && (rules.catalogue.is_some() || rules.mapping.is_some());
    let given = if by_name && !table.has(column) { vec![None; table.rows()] } else { table.text(column)? };
    let names = if table.has("name") { table.text("name")? } else { vec![None; table.rows()] };
    let mut found = Vec::with_capacity(given.len());
    for (row, (given, name)) in given.iter().zip(&names).enumerate() {
        let given = given.as_deref().map(str::trim).filter(|class| !class.is_empty());
        let one = rules.class_of(given, name.as_deref());
        match &one {
            None if by_name => {
                problems.push(table.problem(row, column, name.clone(), FacilityFault::Unclassified.into()));
            }
            None => problems.push(table.problem(row, column, None, Fault::MissingValue)),
            Some(Classified { class, others, .. }) if !others.is_empty() => {
                let fault = FacilityFault::AmbiguousClass { taken: class.clone(), others: others.clone() };
                problems.push(table.problem(row, column, name.clone(), fault.into()));
            }
            Some(_) => {}
        }
        found.push(one);
    }
    tell_unknown(table, column, rules.catalogue, &found, problems);
    Ok(found)
}

impl Rules<'_> {
    fn class_of(&self, given: Option<&str>, name: Option<&str>) -> Option<Classified> {
        if let Some(mapped) = self.mapping.and_then(|mapping| mapping.class_of(given, name)) {
            return Some(Classified {
                class: mapped.rule.class.clone(),
                rule: format!("mapping:{}", mapped.rule.row),
                others: mapped.others.into_iter().map(str::to_owned).collect(),
            });
        }
        if let Some(given) = given {
            return Some(Classified { class: given.to_owned(), rule: GIVEN.to_owned(), others: vec![] });
        }
        let named = self.catalogue?.classify_name(name?)?;
        Some(Classified {
            class: named.class.id.clone(),
            rule: format!("name:{}", named.part),
            others: named.others.into_iter().map(|class| class.id.clone()).collect(),
        })
    }
}

/// Classes that the catalogue does not hold, once each, at their first row.
fn tell_unknown(
    table: &Table,
    column: &str,
    catalogue: Option<&Catalogue>,
    found: &[Option<Classified>],
    problems: &mut Vec<Problem>,
) {
    let Some(catalogue) = catalogue else { return };
    let mut rows: BTreeMap<&str, (usize, u64)> = BTreeMap::new();
    for (row, classified) in found.iter().enumerate() {
        let Some(Classified { class, .. }) = classified else { continue };
        rows.entry(class).or_insert((row, 0)).1 += 1;
    }
    rows.retain(|class, _| !catalogue.has(class));
    for (class, (row, count)) in rows {
        let fault = FacilityFault::UnknownClass { rows: count, near: catalogue.near(class) };
        problems.push(table.problem(row, column, Some(class.to_owned()), fault.into()));
    }
}

/// Rules of a mapping that no row needed.
pub fn tell_unused<'a>(
    table: &Table,
    mapping: &Mapping,
    used: impl Iterator<Item = &'a str>,
    problems: &mut Vec<Problem>,
) {
    let used: BTreeSet<&str> = used.collect();
    for rule in mapping.rules().iter().filter(|rule| !used.contains(format!("mapping:{}", rule.row).as_str()))
    {
        let value = rule.from.clone().or_else(|| rule.name_contains.clone());
        problems.push(table.problem(rule.row as usize - 1, "class", value, FacilityFault::UnusedRule.into()));
    }
}
