//! The coverage table as columns.

use super::repeated;
use crate::model::coverage::{Combination, Coverage};
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use std::sync::Arc;

/// Coverage as a table: `area_id`, `class`, `group`, `profile`, `minutes`, `people`, `people_covered`, `share` (0..1; null
/// where nobody lives), and the uncovered people by reason: `people_beyond`, `people_not_connected`, `people_not_snapped`.
pub fn to_batch(coverage: Coverage) -> RecordBatch {
    let rows = coverage.len();
    let text = |texts: &[String], of: fn(Combination) -> usize| {
        repeated::at_each(&repeated::texts(texts), (0..rows).map(|row| of(coverage.combination(row))))
    };
    let number = |of: &dyn Fn(usize) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values((0..rows).map(of)))
    };
    let area_id = text(&coverage.area_id, |at| at.area);
    let class = text(&coverage.class, |at| at.class);
    let group = text(&coverage.group, |at| at.group);
    let profile = text(std::slice::from_ref(&coverage.profile), |_| 0);
    let minutes = number(&|row| coverage.minutes[coverage.combination(row).minutes]);
    let people = number(&|row| coverage.people(row));
    let share: Float64Array = (0..rows).map(|row| coverage.share(row)).collect();
    let [covered, beyond, not_connected, not_snapped] =
        coverage.of.map(|people| Arc::new(Float64Array::from(people)) as ArrayRef);
    RecordBatch::try_from_iter_with_nullable([
        ("area_id", area_id, false),
        ("class", class, false),
        ("group", group, false),
        ("profile", profile, false),
        ("minutes", minutes, false),
        ("people", people, false),
        ("people_covered", covered, false),
        ("share", Arc::new(share) as ArrayRef, true),
        ("people_beyond", beyond, false),
        ("people_not_connected", not_connected, false),
        ("people_not_snapped", not_snapped, false),
    ])
    .expect("all columns have one value per row")
}
