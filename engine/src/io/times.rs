//! Nearest times as a table, and back.

use super::facilities::ids_column;
use super::repeated;
use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::problem::{Fault, Problem};
use crate::model::times::{Found, Nearest, Reason, Times};
use arrow_array::{Array, ArrayRef, Float64Array, RecordBatch, StringArray};
use std::collections::{BTreeSet, HashMap};
use std::ops::Range;
use std::sync::Arc;

/// Times as a table: `origin_id`, `class`, `profile`, `time_s` (seconds; null when not reached), `facility_id` (null
/// when not reached), `reason` (null when reached). Rows: origin by origin, classes sorted.
pub fn to_batch(times: &Times) -> RecordBatch {
    rows_to_batch(times, 0..times.origin.len())
}

/// The rows of some origins.
pub fn rows_to_batch(times: &Times, origins: Range<usize>) -> RecordBatch {
    let classes = times.class.len();
    let nearest = &times.nearest[origins.start * classes..origins.end * classes];
    let found = || nearest.iter().map(|nearest| nearest.ok());
    let seconds: Float64Array =
        found().map(|found| found.map(|found| f64::from(found.time_ds) / 10.0)).collect();
    let rows = 0..nearest.len();
    let origin = ids_column(&times.origin, rows.clone().map(|row| Some(origins.start + row / classes)));
    let class = repeated::at_each(&repeated::texts(&times.class), rows.clone().map(|row| row % classes));
    let profile = repeated::texts(std::slice::from_ref(&times.profile));
    let profile = repeated::at_each(&profile, rows.map(|_| 0));
    let facility =
        repeated::at(&repeated::ids(&times.facility), found().map(|found| found.map(Found::facility)));
    let reason = nearest.iter().map(|nearest| nearest.err().map(|reason| reason as u32));
    let reason = repeated::at(&repeated::texts(&Reason::ALL.map(Reason::name)), reason);
    RecordBatch::try_from_iter_with_nullable([
        ("origin_id", origin, false),
        ("class", class, false),
        ("profile", profile, false),
        ("time_s", Arc::new(seconds) as ArrayRef, true),
        ("facility_id", facility, true),
        ("reason", reason, true),
    ])
    .expect("all columns have one value per origin and class")
}

/// Times of straight lines as a table: the same columns, and `distance_m` (null when not reached).
pub fn straight_to_batch(times: &Times, distance_m: impl Iterator<Item = Option<f64>>) -> RecordBatch {
    let batch = to_batch(times);
    let distance_m: ArrayRef = Arc::new(distance_m.collect::<Float64Array>());
    let schema = batch.schema();
    let columns = schema.fields().iter().zip(batch.columns());
    let columns =
        columns.map(|(field, column)| (field.name().as_str(), Arc::clone(column), field.is_nullable()));
    RecordBatch::try_from_iter_with_nullable(columns.chain([("distance_m", distance_m, true)]))
        .expect("all columns have one value per origin and class")
}

/// Times of one profile brought back from a table, for the rows of `people` only.
///
/// `time_s` counts in whole tenths of a second; `profile` may be absent and is then `profile`.
///
/// # Errors
/// Problems when a column is missing, a reason is unknown, or a row of `people` has no time for a class.
pub fn read(table: &Table, people: &Ids, profile: &str) -> Result<Vec<Times>> {
    let mut problems = Vec::new();
    let origin = table.ids("origin_id")?;
    let class = required(table, "class")?;
    let time_s = table.numbers("time_s", &mut problems)?;
    let reason = if table.has("reason") { Some(table.strings("reason")?) } else { None };
    let walker = if table.has("profile") { Some(required(table, "profile")?) } else { None };
    let row_of = people.rows_of(&origin);
    let mut tables: Vec<Builder> = Vec::new();
    let classes: BTreeSet<&str> = class.iter().flatten().collect();
    let classes: Vec<String> = classes.into_iter().map(str::to_owned).collect();
    let class_position: HashMap<&str, usize> = classes.iter().map(String::as_str).zip(0..).collect();
    for row in 0..table.rows() {
        let Some(home) = row_of[row] else { continue };
        let reason = reason.as_ref().filter(|reason| reason.is_valid(row)).map(|reason| reason.value(row));
        let nearest = match nearest(time_s[row], reason) {
            Ok(nearest) => nearest,
            Err(fault) => {
                problems.push(table.problem(row, "time_s", reason.map(str::to_owned), fault));
                continue;
            }
        };
        let who = walker.as_ref().map_or(profile, |walker| walker.value(row));
        // There are few profiles.
        let at = tables.iter().position(|table| table.profile == who).unwrap_or_else(|| {
            tables.push(Builder::new(who, people.len() * classes.len()));
            tables.len() - 1
        });
        let entry = home * classes.len() + class_position[class.value(row)];
        if let Some((_, first_row)) = tables[at].nearest[entry].replace((nearest, row as u64 + 1)) {
            let fault = Fault::DuplicateId { first_row };
            problems.push(table.problem(row, "origin_id", Some(origin.text(row)), fault));
        }
    }
    if tables.is_empty() && problems.is_empty() {
        let fault = Fault::Unreadable { reason: "no origin_id is the id of a cell".to_owned() };
        problems.push(Problem::of_file(&table.name, fault));
    }
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    tables.into_iter().map(|builder| builder.finish(table, people, &classes)).collect()
}

struct Builder {
    profile: String,
    /// The entry of each cell and class, and the row that gave it, from 1.
    nearest: Vec<Option<(Nearest, u64)>>,
}

impl Builder {
    fn new(profile: &str, entries: usize) -> Self {
        Self { profile: profile.to_owned(), nearest: vec![None; entries] }
    }

    /// A cell that the table of times does not hold at all would silently count as covered or not: it is refused.
    fn finish(self, table: &Table, people: &Ids, classes: &[String]) -> Result<Times> {
        let missing = self.nearest.iter().position(Option::is_none);
        if let Some(entry) = missing {
            let (home, class) = (entry / classes.len(), &classes[entry % classes.len()]);
            let fault =
                Fault::Setting { expected: format!("a row for every cell and class; none for {class}") };
            return Err(Problem::of_file(&table.name, fault).with_id(people.text(home)).into());
        }
        Ok(Times {
            profile: self.profile,
            origin: people.clone(),
            class: classes.to_vec(),
            facility: Ids::Text(vec![]),
            nearest: self.nearest.into_iter().flatten().map(|(nearest, _)| nearest).collect(),
        })
    }
}

fn nearest(time_s: Option<f64>, reason: Option<&str>) -> std::result::Result<Nearest, Fault> {
    let known = || Reason::ALL.map(|reason| reason.name().to_owned()).to_vec();
    match (time_s, reason) {
        (Some(seconds), None) if (0.0..1e8).contains(&seconds) => {
            Ok(Ok(Found::new((seconds * 10.0).round() as u32, 0)))
        }
        (Some(_), None) => Err(Fault::OutOfRange { range: "0..1e8" }),
        (None, None) => Ok(Err(Reason::BeyondCutoff)),
        (_, Some(name)) => {
            Reason::from_name(name).map(Err).ok_or_else(|| Fault::UnknownName { known: known() })
        }
    }
}

/// A column of text, as Arrow keeps it; none missing.
fn required(table: &Table, column: &str) -> Result<StringArray> {
    let values = table.strings(column)?;
    let missing: Vec<Problem> = (0..values.len())
        .filter(|&row| values.is_null(row))
        .map(|row| table.problem(row, column, None, Fault::MissingValue))
        .collect();
    if missing.is_empty() { Ok(values) } else { Err(Error::Input(missing)) }
}
