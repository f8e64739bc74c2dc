//! The class of each row of a table: by a mapping, as given, by a category of Overture, or by its name.

use super::defaults;
use super::overture::places;
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
    /// `given`, `mapping:<row>`, `overture:<category>` or `name:<part>`.
    pub rule: String,
    /// Classes that fit as well.
    pub others: Vec<String>,
}

/// Classify rows by their value in `column` and their `name`; places of Overture by their categories. Rows without a class are
/// `None` and have a problem; rows with several, and classes that the catalogue does not hold, are told.
///
/// # Errors
/// A problem when there is neither a column of classes nor anything to do without.
pub fn classify(
    table: &Table,
    column: &str,
    rules: Rules<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Option<Classified>>> {
    if let Some(places) = places::facilities(table)? {
        return classify(&places, "class", rules, problems);
    }
    if table.has(places::CATEGORIES) {
        return classify_places(table, rules, problems);
    }
    let by_name = table.has("name") && (rules.catalogue.is_some() || rules.mapping.is_some());
    let given = if by_name && !table.has(column) { vec![None; table.rows()] } else { table.text(column)? };
    let names = if table.has("name") { table.text("name")? } else { vec![None; table.rows()] };
    let mut found = Vec::with_capacity(given.len());
    for (row, (given, name)) in given.iter().zip(&names).enumerate() {
        let given = given.as_deref().map(str::trim).filter(|class| !class.is_empty());
        let one = rules.class_of(given, name.as_deref());
        if one.is_none() && !by_name {
            problems.push(table.problem(row, column, None, Fault::MissingValue));
        } else if let Some(fault) = fault(one.as_ref()) {
            problems.push(table.problem(row, column, name.clone(), fault.into()));
        }
        found.push(one);
    }
    tell_unknown(table, column, rules.catalogue, &found, problems);
    Ok(found)
}

/// Classify [`places::facilities`]: a category is no class of ours, so it counts by a mapping or the project's list alone.
fn classify_places(
    table: &Table,
    rules: Rules<'_>,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Option<Classified>>> {
    let listed = defaults::overture_places();
    let columns = (table.text("class")?, table.text(places::CATEGORIES)?, table.text("name")?);
    let mut found = Vec::with_capacity(table.rows());
    for (row, ((category, categories), name)) in columns.0.iter().zip(&columns.1).zip(&columns.2).enumerate()
    {
        let by_category = || {
            let (class, rule) = listed.class_of(categories.as_deref()?)?;
            let known = rules.catalogue.is_none_or(|catalogue| catalogue.has(class));
            known.then(|| Classified { class: class.to_owned(), rule, others: vec![] })
        };
        let (category, name) = (category.as_deref(), name.as_deref());
        let one = rules.mapped(category, name).or_else(by_category).or_else(|| rules.named(name));
        if let Some(fault) = fault(one.as_ref()) {
            // A category that says nothing is listed, for whoever writes a mapping.
            let value = category.filter(|_| one.is_none()).or(name).map(str::to_owned);
            problems.push(table.problem(row, "class", value, fault.into()));
        }
        found.push(one);
    }
    tell_unknown(table, "class", rules.catalogue, &found, problems);
    Ok(found)
}

impl Rules<'_> {
    fn class_of(&self, given: Option<&str>, name: Option<&str>) -> Option<Classified> {
        let given_class =
            |class: &str| Classified { class: class.to_owned(), rule: GIVEN.to_owned(), others: vec![] };
        self.mapped(given, name).or_else(|| given.map(given_class)).or_else(|| self.named(name))
    }

    fn mapped(&self, given: Option<&str>, name: Option<&str>) -> Option<Classified> {
        let mapped = self.mapping?.class_of(given, name)?;
        Some(Classified {
            class: mapped.rule.class.clone(),
            rule: format!("mapping:{}", mapped.rule.row),
            others: mapped.others.into_iter().map(str::to_owned).collect(),
        })
    }

    fn named(&self, name: Option<&str>) -> Option<Classified> {
        let named = self.catalogue?.classify_name(name?)?;
        Some(Classified {
            class: named.class.id.clone(),
            rule: format!("name:{}", named.part),
            others: named.others.into_iter().map(|class| class.id.clone()).collect(),
        })
    }
}

/// What is to be told of a row: that it has no class, or several.
fn fault(found: Option<&Classified>) -> Option<FacilityFault> {
    let Some(Classified { class, others, .. }) = found else { return Some(FacilityFault::Unclassified) };
    let several = || FacilityFault::AmbiguousClass { taken: class.clone(), others: others.clone() };
    (!others.is_empty()).then(several)
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
