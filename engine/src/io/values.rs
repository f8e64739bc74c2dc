//! Values that are spread over people, and the curve that shows how.

use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::problem::Fault;
use crate::model::schema::VALUES;
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use std::sync::Arc;

/// Columns of one length.
#[derive(Debug, Clone)]
pub struct Values {
    /// What each has.
    pub value: Vec<f64>,
    /// How many people have it.
    pub weight: Vec<f64>,
    /// Their income, where the table has it.
    pub income: Option<Vec<f64>>,
    /// Their group, a number below `groups`; all of one where the table has none.
    pub group: Vec<u32>,
    /// How many groups there are.
    pub groups: usize,
}

/// Read `value`, `weight` and, where given, `income` and `group`.
///
/// # Errors
/// A problem for every row that lacks one of them or has one that cannot be.
pub fn read(table: &Table) -> Result<Values> {
    table.require(&VALUES, &str::to_owned)?;
    let mut problems = Vec::new();
    let value = table.declared_numbers(VALUES.column("value"), "value", &mut problems)?;
    let weight = table.declared_numbers(VALUES.column("weight"), "weight", &mut problems)?;
    let income = if table.has("income") {
        let mut income = table.declared_numbers(VALUES.column("income"), "income", &mut problems)?;
        for (row, income) in income.iter_mut().enumerate().filter(|(_, income)| income.is_none()) {
            // Where nobody lives nobody earns: whatever stands there counts for nothing.
            *income = Some(0.0);
            if weight[row] != Some(0.0) {
                problems.push(table.problem(row, "income", None, Fault::MissingValue));
            }
        }
        Some(income)
    } else {
        None
    };
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let names = if table.has("group") { table.text("group")? } else { vec![None; table.rows()] };
    let mut sorted = names.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let all = |numbers: Vec<Option<f64>>| numbers.into_iter().flatten().collect();
    Ok(Values {
        value: all(value),
        weight: all(weight),
        income: income.map(all),
        group: names.iter().map(|name| sorted.partition_point(|known| known < name) as u32).collect(),
        groups: sorted.len(),
    })
}

/// A Lorenz curve as a table: `people_share`, `value_share`.
pub fn curve_to_batch(curve: &[(f64, f64)]) -> RecordBatch {
    let (people, value): (Vec<f64>, Vec<f64>) = curve.iter().copied().unzip();
    RecordBatch::try_from_iter_with_nullable([
        ("people_share", Arc::new(Float64Array::from(people)) as ArrayRef, false),
        ("value_share", Arc::new(Float64Array::from(value)) as ArrayRef, false),
    ])
    .expect("both columns have one value per point")
}
