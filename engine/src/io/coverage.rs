//! The coverage table as columns.

use super::repeated::{self, at_places};
use crate::model::coverage::Coverage;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, UInt32Array};
use rayon::prelude::*;
use std::sync::Arc;

/// A column in the making.
type Make<'a> = Box<dyn Fn() -> ArrayRef + Send + Sync + 'a>;

/// Columns whose values hardly ever repeat.
pub const DISTINCT: [&str; 3] = ["people_covered", "share", "people_beyond"];

/// Coverage as a table: `area_id`, `class`, `group`, `profile`, `minutes`, `people`, `people_covered`, `share` (0..1; null
/// where nobody lives), and the uncovered people by reason: `people_beyond`, `people_not_connected`, `people_not_snapped`.
pub fn to_batch(coverage: &Coverage) -> RecordBatch {
    let [classes, groups, limits] =
        [coverage.class.len(), coverage.group.len(), coverage.minutes.len()].map(|count| count as u32);
    let rows = 0..coverage.len() as u32;
    let each = |place: &dyn Fn(u32) -> u32| UInt32Array::from_iter_values(rows.clone().map(place));
    // Minutes change fastest, then groups, classes and areas.
    let area = |row: u32| row / (classes * groups * limits);
    let group = |row: u32| row / limits % groups;
    let group_of_area = |row: u32| area(row) * groups + group(row);
    let share = |row: u32| coverage.share(row as usize, group_of_area(row) as usize);
    let text =
        |texts: &[String], place: &dyn Fn(u32) -> u32| at_places(&repeated::texts(texts), &each(place));
    let number = |numbers: &[f64], place: &dyn Fn(u32) -> u32| at_places(&floats(numbers), &each(place));
    let columns: [(&str, bool, Make<'_>); 11] = [
        ("area_id", false, Box::new(|| text(&coverage.area_id, &area))),
        ("class", false, Box::new(|| text(&coverage.class, &|row| row / (groups * limits) % classes))),
        ("group", false, Box::new(|| text(&coverage.group, &group))),
        ("profile", false, Box::new(|| text(std::slice::from_ref(&coverage.profile), &|_| 0))),
        ("minutes", false, Box::new(|| number(&coverage.minutes, &|row| row % limits))),
        ("people", false, Box::new(|| number(&coverage.people, &group_of_area))),
        ("people_covered", false, Box::new(|| floats(&coverage.of[0]))),
        ("share", true, Box::new(|| Arc::new(rows.clone().map(share).collect::<Float64Array>()))),
        ("people_beyond", false, Box::new(|| floats(&coverage.of[1]))),
        ("people_not_connected", false, Box::new(|| floats(&coverage.of[2]))),
        ("people_not_snapped", false, Box::new(|| floats(&coverage.of[3]))),
    ];
    // The table of a metropolis is long: its columns are made side by side.
    let made: Vec<_> =
        columns.into_par_iter().map(|(name, nullable, make)| (name, make(), nullable)).collect();
    RecordBatch::try_from_iter_with_nullable(made).expect("all columns have one value per row")
}

fn floats(numbers: &[f64]) -> ArrayRef {
    Arc::new(Float64Array::from(numbers.to_vec()))
}
