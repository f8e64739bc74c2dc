//! The coverage table as columns.

use super::repeated;
use crate::model::coverage::{Coverage, Fate};
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use rayon::prelude::*;
use std::sync::Arc;

/// A column in the making.
type Make<'a> = Box<dyn Fn() -> ArrayRef + Send + Sync + 'a>;

/// Columns whose values hardly ever repeat.
pub const DISTINCT: [&str; 3] = ["people_covered", "share", "people_beyond"];

/// Coverage as a table: `area_id`, `class`, `group`, `profile`, `minutes`, `people`, `people_covered`, `share` (0..1; null
/// where nobody lives), and the uncovered people by reason: `people_beyond`, `people_not_connected`, `people_not_snapped`.
pub fn to_batch(coverage: &Coverage) -> RecordBatch {
    let rows = 0..coverage.len();
    let text = |texts: &[String], place: &dyn Fn(usize) -> usize| {
        repeated::at_each(&repeated::texts(texts), rows.clone().map(place))
    };
    let number = |of: &dyn Fn(usize) -> f64| floats(rows.clone().map(of).collect());
    let people_of = |fate: Fate| floats(coverage.of[fate as usize].clone());
    let share = || rows.clone().map(|row| coverage.share(row)).collect::<Float64Array>();
    let columns: [(&str, bool, Make<'_>); 11] = [
        ("area_id", false, Box::new(|| text(&coverage.area_id, &|row| coverage.area(row)))),
        ("class", false, Box::new(|| text(&coverage.class, &|row| coverage.class(row)))),
        ("group", false, Box::new(|| text(&coverage.group, &|row| coverage.group(row)))),
        ("profile", false, Box::new(|| text(std::slice::from_ref(&coverage.profile), &|_| 0))),
        ("minutes", false, Box::new(|| number(&|row| coverage.minutes[coverage.limit(row)]))),
        ("people", false, Box::new(|| number(&|row| coverage.people(row)))),
        ("people_covered", false, Box::new(|| people_of(Fate::Covered))),
        ("share", true, Box::new(|| Arc::new(share()))),
        ("people_beyond", false, Box::new(|| people_of(Fate::Beyond))),
        ("people_not_connected", false, Box::new(|| people_of(Fate::NotConnected))),
        ("people_not_snapped", false, Box::new(|| people_of(Fate::NotSnapped))),
    ];
    // The table of a metropolis is long: its columns are made side by side.
    let made: Vec<_> =
        columns.into_par_iter().map(|(name, nullable, make)| (name, make(), nullable)).collect();
    RecordBatch::try_from_iter_with_nullable(made).expect("all columns have one value per row")
}

fn floats(numbers: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(numbers))
}
