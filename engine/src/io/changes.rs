//! What a scenario changes, as tables: cells whose nearest facility is another or at another time, and who gains and loses.

use super::facilities::with_geometry;
use super::geometry;
use crate::model::cell;
use crate::model::population::Cells;
use crate::model::times::{Nearest, Reason};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use geo::Geometry;
use rayon::prelude::*;
use std::sync::Arc;

/// A cell and a class before and after.
#[derive(Debug, Clone)]
pub struct ChangedCell<'a> {
    /// Row of the cell.
    pub row: usize,
    /// The class.
    pub class: &'a str,
    /// Who walks.
    pub profile: &'a str,
    /// What it was; none where nobody lived.
    pub before: Option<Nearest>,
    /// What it is.
    pub after: Nearest,
    /// Ids of the facilities.
    pub facility: [Option<String>; 2],
}

/// Changed cells as a table: `cell` (u64), `class`, `profile`, `people` and the groups (after the edits), `before_s`, `after_s` (null where none is reached),
/// `change_s` (after less before; null where one of them is), `reason_before`, `reason_after`, `facility_before`,
/// `facility_after`, `geometry` (the hexagon).
pub fn cells_to_batch(rows: &[ChangedCell<'_>], cells: &Cells) -> RecordBatch {
    let seconds = |nearest: Option<Nearest>| Some(f64::from(nearest?.ok()?.time_ds) / 10.0);
    let number = |of: &dyn Fn(&ChangedCell<'_>) -> Option<f64>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<Float64Array>())
    };
    let text = |of: &dyn Fn(&ChangedCell<'_>) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let reason = |nearest: Option<Nearest>| nearest?.err().map(|reason| Reason::name(reason).to_owned());
    let people = |people: &[f64]| number(&|row| Some(people[row.row]));
    let outline = |row: &ChangedCell<'_>| match cell::outline(cells.cell[row.row]).0.as_slice() {
        [polygon] => Geometry::Polygon(polygon.clone()),
        parts => Geometry::MultiPolygon(geo::MultiPolygon::new(parts.to_vec())),
    };
    let ids = rows.iter().map(|row| u64::from(cells.cell[row.row]));
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("cell", Arc::new(UInt64Array::from_iter_values(ids)), false),
        ("class", text(&|row| Some(row.class.to_owned())), false),
        ("profile", text(&|row| Some(row.profile.to_owned())), false),
        ("people", people(&cells.people), false),
    ];
    columns.extend(cells.groups.iter().map(|group| (group.name.as_str(), people(&group.people), false)));
    columns.extend([
        ("before_s", number(&|row| seconds(row.before)), true),
        ("after_s", number(&|row| seconds(Some(row.after))), true),
        ("change_s", number(&|row| Some(seconds(Some(row.after))? - seconds(row.before)?)), true),
        ("reason_before", text(&|row| reason(row.before)), true),
        ("reason_after", text(&|row| reason(Some(row.after))), true),
        ("facility_before", text(&|row| row.facility[0].clone()), true),
        ("facility_after", text(&|row| row.facility[1].clone()), true),
    ]);
    let outlines: Vec<Geometry> = rows.par_iter().map(outline).collect();
    with_geometry(columns, geometry::encode(outlines.into_iter()))
}

/// Who gains and who loses in an area.
#[derive(Debug, Clone)]
pub struct GainRow<'a> {
    /// The area; none is everywhere, each cell counted once.
    pub area_id: Option<&'a str>,
    /// The class.
    pub class: &'a str,
    /// The group, or everybody.
    pub group: &'a str,
    /// Who walks.
    pub profile: &'a str,
    /// People whose walk is shorter, whose walk is longer, and minutes that all of them save.
    pub people: [f64; 3],
}

/// Gains as a table: `area_id` (null: everywhere, each cell counted once), `class`, `group`, `profile`, `people_gaining`,
/// `people_losing`, `people_minutes_saved`.
pub fn gains_to_batch(rows: &[GainRow<'_>]) -> RecordBatch {
    let text = |of: fn(&GainRow<'_>) -> Option<String>| -> ArrayRef {
        Arc::new(rows.iter().map(of).collect::<StringArray>())
    };
    let number = |at: usize| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.people[at])))
    };
    RecordBatch::try_from_iter_with_nullable([
        ("area_id", text(|row| row.area_id.map(str::to_owned)), true),
        ("class", text(|row| Some(row.class.to_owned())), false),
        ("group", text(|row| Some(row.group.to_owned())), false),
        ("profile", text(|row| Some(row.profile.to_owned())), false),
        ("people_gaining", number(0), false),
        ("people_losing", number(1), false),
        ("people_minutes_saved", number(2), false),
    ])
    .expect("all columns have one value per row")
}
