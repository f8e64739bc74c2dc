//! The coverage table as columns.

use super::repeated;
use super::table::Table;
use crate::model::coverage::{Coverage, Fate};
use crate::model::error::{Error, Result};
use crate::model::schema::{COVERAGE, Column};
use arrow_array::{ArrayRef, Float64Array, RecordBatch};
use rayon::prelude::*;
use std::collections::HashMap;
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

/// What rows of coverage are by: class, group, profile and minutes, each combination once, in the order in which they come.
#[derive(Debug, Clone, Default)]
pub struct Combinations {
    /// Class, group and profile.
    pub named: Vec<[String; 3]>,
    /// Minutes.
    pub minutes: Vec<f64>,
}

/// Columns of people in a table of coverage, in the order of [`CoverageRows::people`].
pub const PEOPLE: [&str; 5] =
    ["people", "people_covered", "people_beyond", "people_not_connected", "people_not_snapped"];

/// Rows of a table of coverage.
#[derive(Debug, Clone, Default)]
pub struct CoverageRows {
    /// Id of the area of each row.
    pub area_id: Vec<String>,
    /// The combination of each row.
    pub combination: Vec<u32>,
    /// The combinations.
    pub of: Combinations,
    /// The columns of [`PEOPLE`] that the table has; the first two always.
    pub people: Vec<Vec<f64>>,
}

/// Read a table of coverage as it is.
///
/// # Errors
/// Problems when a column is missing, or a row lacks a number or has one that cannot be.
pub fn read(table: &Table) -> Result<CoverageRows> {
    table.require(&COVERAGE, &str::to_owned)?;
    let mut problems = Vec::new();
    let minutes = table.declared_numbers(COVERAGE.column("minutes"), "minutes", &mut problems)?;
    let mut people = Vec::new();
    for name in PEOPLE.into_iter().filter(|name| table.has(name)) {
        let column =
            table.declared_numbers(Column { name, ..COVERAGE.column("people") }, name, &mut problems)?;
        people.push(column.into_iter().flatten().collect());
    }
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let columns = [
        table.text("class")?,
        table.text("group")?,
        if table.has("profile") { table.text("profile")? } else { vec![None; table.rows()] },
    ];
    let mut rows = CoverageRows { people, ..CoverageRows::default() };
    let mut seen: HashMap<([String; 3], u64), u32> = HashMap::new();
    for (row, minutes) in minutes.into_iter().flatten().enumerate() {
        let named = std::array::from_fn(|at| columns[at][row].clone().unwrap_or_default());
        let next = seen.len() as u32;
        let combination = *seen.entry((named, minutes.to_bits())).or_insert_with_key(|(named, _)| {
            rows.of.named.push(named.clone());
            rows.of.minutes.push(minutes);
            next
        });
        rows.combination.push(combination);
    }
    rows.area_id = table.text("area_id")?.into_iter().map(Option::unwrap_or_default).collect();
    Ok(rows)
}

/// Rows as a table, with the columns of [`to_batch`] that they have.
pub fn rows_to_batch(rows: &CoverageRows) -> RecordBatch {
    let of = || rows.combination.iter().map(|&combination| combination as usize);
    let named = |which: usize| {
        let texts: Vec<&str> = rows.of.named.iter().map(|named| named[which].as_str()).collect();
        repeated::at_each(&repeated::texts(&texts), of())
    };
    let share = rows.people[0].iter().zip(&rows.people[1]);
    let share: Float64Array =
        share.map(|(people, covered)| (*people > 0.0).then(|| covered / people)).collect();
    let mut columns = vec![
        ("area_id", repeated::texts(&rows.area_id), false),
        ("class", named(0), false),
        ("group", named(1), false),
        ("profile", named(2), false),
        ("minutes", floats(of().map(|combination| rows.of.minutes[combination]).collect()), false),
        (PEOPLE[0], floats(rows.people[0].clone()), false),
        (PEOPLE[1], floats(rows.people[1].clone()), false),
        ("share", Arc::new(share) as ArrayRef, true),
    ];
    let reasons = PEOPLE.into_iter().zip(&rows.people).skip(2);
    columns.extend(reasons.map(|(name, people)| (name, floats(people.clone()), false)));
    RecordBatch::try_from_iter_with_nullable(columns).expect("all columns have one value per row")
}

fn floats(numbers: Vec<f64>) -> ArrayRef {
    Arc::new(Float64Array::from(numbers))
}
