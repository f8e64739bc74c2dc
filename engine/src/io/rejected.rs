//! `rejected.parquet`: every input row that was left out, with file, row, value and what to do.

use crate::model::problem::{Level, Problem};
use arrow_array::{ArrayRef, RecordBatch, StringArray, UInt64Array};
use std::sync::Arc;

/// Problems as a table: `file`, `row` (from 1; null for map features), `id`, `column`, `value`, `reason` (a stable
/// code), `message` and `message_zh`. What is only told of rows that are used is left away.
pub fn to_batch(problems: &[Problem]) -> RecordBatch {
    let problems: Vec<&Problem> =
        problems.iter().filter(|problem| problem.fault.level() <= Level::Rejected).collect();
    let text = |of: &dyn Fn(&Problem) -> Option<String>| -> ArrayRef {
        Arc::new(problems.iter().map(|problem| of(problem)).collect::<StringArray>())
    };
    let rows: UInt64Array = problems.iter().map(|problem| problem.row).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("file", text(&|problem| Some(problem.file.clone())), false),
        ("row", Arc::new(rows) as ArrayRef, true),
        ("id", text(&|problem| problem.id.clone()), true),
        ("column", text(&|problem| problem.column.clone()), true),
        ("value", text(&|problem| problem.value.clone()), true),
        ("reason", text(&|problem| Some(problem.fault.code().to_owned())), false),
        ("message", text(&|problem| Some(problem.message().en)), false),
        ("message_zh", text(&|problem| Some(problem.message().zh)), false),
    ])
    .expect("all columns have one value per problem")
}
