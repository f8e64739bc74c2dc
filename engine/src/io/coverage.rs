//! The coverage table as columns.

use crate::model::coverage::CoverageRow;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use std::sync::Arc;

/// Coverage as a table: `area_id`, `class`, `group`, `profile`, `minutes`, `people`, `people_covered`, `share` (0..1; null
/// where nobody lives), and the uncovered people by reason: `people_beyond`, `people_not_connected`, `people_not_snapped`.
pub fn to_batch(rows: &[CoverageRow]) -> RecordBatch {
    let text = |of: fn(&CoverageRow) -> &str| -> ArrayRef {
        Arc::new(StringArray::from_iter_values(rows.iter().map(of)))
    };
    let number =
        |of: fn(&CoverageRow) -> f64| -> ArrayRef { Arc::new(rows.iter().map(of).collect::<Float64Array>()) };
    let share: Float64Array = rows.iter().map(CoverageRow::share).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("area_id", text(|row| &row.area_id), false),
        ("class", text(|row| &row.class), false),
        ("group", text(|row| &row.group), false),
        ("profile", text(|row| &row.profile), false),
        ("minutes", number(|row| row.minutes), false),
        ("people", number(|row| row.people), false),
        ("people_covered", number(|row| row.people_covered), false),
        ("share", Arc::new(share) as ArrayRef, true),
        ("people_beyond", number(|row| row.people_beyond), false),
        ("people_not_connected", number(|row| row.people_not_connected), false),
        ("people_not_snapped", number(|row| row.people_not_snapped), false),
    ])
    .expect("all columns have one value per row")
}
