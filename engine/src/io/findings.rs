//! Findings and tallies as tables.

use crate::model::finding::{Finding, Tally};
use crate::model::problem::Problem;
use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use std::sync::Arc;

/// Findings as a table: `level` (error, rejected, warning, note), `file`, `row` (from 1; null where a whole file or a map
/// feature is meant), `id`, `column`, `value`, `reason` (a stable code), what it means (`what`, `what_zh`) and what to do
/// (`fix`, `fix_zh`).
pub fn to_batch(findings: &[Finding]) -> RecordBatch {
    let text = |of: &dyn Fn(&Problem) -> Option<String>| -> ArrayRef {
        Arc::new(findings.iter().map(|finding| of(&finding.problem)).collect::<StringArray>())
    };
    let levels = StringArray::from_iter_values(findings.iter().map(|finding| finding.level.name()));
    let rows: UInt64Array = findings.iter().map(|finding| finding.problem.row).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("level", Arc::new(levels) as ArrayRef, false),
        ("file", text(&|problem| Some(problem.file.clone())), false),
        ("row", Arc::new(rows) as ArrayRef, true),
        ("id", text(&|problem| problem.id.clone()), true),
        ("column", text(&|problem| problem.column.clone()), true),
        ("value", text(&|problem| problem.value.clone()), true),
        ("reason", text(&|problem| Some(problem.fault.code().to_owned())), false),
        ("what", text(&|problem| Some(problem.fault.what().en)), false),
        ("what_zh", text(&|problem| Some(problem.fault.what().zh)), false),
        ("fix", text(&|problem| Some(problem.fault.fix().en)), false),
        ("fix_zh", text(&|problem| Some(problem.fault.fix().zh)), false),
    ])
    .expect("all columns have one value per finding")
}

/// Tallies as a table: `input`, `file`, `unit`, `rows` = `accepted` + `rejected`.
pub fn tallies_to_batch(tallies: &[Tally]) -> RecordBatch {
    let text = |of: &dyn Fn(&Tally) -> String| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(tallies.iter().map(of)))
    };
    let number = |of: fn(&Tally) -> u64| -> ArrayRef {
        Arc::new(UInt64Array::from_iter_values(tallies.iter().map(of)))
    };
    RecordBatch::try_from_iter_with_nullable([
        ("input", text(&|tally| tally.input.to_owned()), false),
        ("file", text(&|tally| tally.file.clone()), false),
        ("unit", text(&|tally| tally.unit.to_owned()), false),
        ("rows", number(|tally| tally.rows), false),
        ("accepted", number(|tally| tally.accepted), false),
        ("rejected", number(|tally| tally.rejected), false),
    ])
    .expect("all columns have one value per tally")
}
