//! A user's mapping from values and names to facility classes.

use super::table::Table;
use crate::model::error::Result;
use crate::model::mapping::{Mapping, Rule};
use crate::model::name::half_width;
use crate::model::problem::{Fault, Problem};
use std::collections::HashMap;

/// Read a mapping: `class`, and `from` (a value of the class column of the facilities), `name_contains` (a part of the
/// name) or both. Width and case of letters make no difference.
///
/// Rows without class, without both of the others, and rows that ask for what an earlier one asks are left out and added
/// to `problems`.
///
/// # Errors
/// Problems when a column is missing or no row is left.
pub fn read(table: &Table, problems: &mut Vec<Problem>) -> Result<Mapping> {
    let mut own = Vec::new();
    let class = filled(table, "class")?;
    let one_is_needed = if table.has("from") { "from" } else { "name_contains" };
    table.text(one_is_needed)?;
    let optional =
        |column| if table.has(column) { filled(table, column) } else { Ok(vec![None; class.len()]) };
    let (from, part) = (optional("from")?, optional("name_contains")?);
    let mut first_rows: HashMap<(Option<String>, Option<String>), u64> = HashMap::new();
    let mut rules = Vec::new();
    for (row, class) in class.into_iter().enumerate() {
        let asked = (from[row].as_deref().map(half_width), part[row].as_deref().map(half_width));
        let fault = match (&class, &asked) {
            (None, _) => Some(("class", Fault::MissingValue)),
            (_, (None, None)) => Some((one_is_needed, Fault::MissingValue)),
            _ => {
                let first_row = *first_rows.entry(asked.clone()).or_insert(row as u64 + 1);
                (first_row <= row as u64).then_some((one_is_needed, Fault::DuplicateId { first_row }))
            }
        };
        match (fault, class) {
            (None, Some(class)) => {
                rules.push(Rule { row: row as u64 + 1, from: asked.0, name_contains: asked.1, class });
            }
            (Some((column, fault)), _) => own.push(table.problem(row, column, from[row].clone(), fault)),
            (None, None) => {}
        }
    }
    table.refuse_if_none(rules.len(), &mut own)?;
    problems.append(&mut own);
    Ok(Mapping::new(rules))
}

fn filled(table: &Table, column: &str) -> Result<Vec<Option<String>>> {
    let trimmed = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok(table.text(column)?.into_iter().map(|text| text.and_then(trimmed)).collect())
}
