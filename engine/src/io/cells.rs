//! Cells with people as a table, and origins of walks from tables.

use super::facilities::{add_ids, levels, with_geometry};
use super::geometry;
use super::population::count_fault;
use super::table::Table;
use crate::model::cell;
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::place::{Place, Spot};
use crate::model::population::{Cells, Group};
use crate::model::problem::{Fault, Problem};
use crate::model::times::{Nearest, Reason};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use geo::Geometry;
use h3o::CellIndex;
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

/// Places to walk from or to, with the ids that their rows have.
#[derive(Debug, Clone)]
pub struct Origins {
    /// File name, or the name of the argument.
    pub name: String,
    /// Id of each row.
    pub id: Ids,
    /// Place and floor of each row.
    pub spot: Vec<Spot>,
    /// The row of the table that each came from.
    pub row: Vec<usize>,
}

impl Origins {
    /// A problem of one place, with the row, id and coordinates that the user knows it by.
    pub fn problem(&self, at: usize, fault: Fault) -> Problem {
        let place = self.spot[at].place;
        Problem::of_file(&self.name, fault)
            .at_row(self.row[at] as u64 + 1)
            .with_id(self.id.text(at))
            .with_value(format!("lon {} lat {}", place.lon(), place.lat()))
    }
}

/// Read origins: `id` (else `cell`), a place, and `level` (the floor) where given.
///
/// Rows without usable place and rows that repeat an id are left out and added to `rejected`.
///
/// # Errors
/// Problems when a column is missing or no row is left.
pub fn read_origins(table: &Table, rejected: &mut Vec<Problem>) -> Result<Origins> {
    let mut problems = Vec::new();
    let id_column = if table.has("id") || !table.has("cell") { "id" } else { "cell" };
    let ids = table.ids(id_column)?;
    let place = table.located("cell", &mut problems)?.place;
    let mut first_rows: HashMap<String, u64> = HashMap::new();
    let mut rows = Vec::new();
    let mut spots = Vec::new();
    let levels = levels(table)?;
    for (row, place) in place.iter().enumerate() {
        let Some(place) = place.as_ref().and_then(geometry::place_of) else { continue };
        let first_row = *first_rows.entry(ids.text(row)).or_insert(row as u64 + 1);
        if first_row != row as u64 + 1 {
            problems.push(table.problem(
                row,
                id_column,
                Some(ids.text(row)),
                Fault::DuplicateId { first_row },
            ));
            continue;
        }
        rows.push(row);
        spots.push(Spot { place, level: levels[row] });
    }
    table.refuse_if_none(rows.len(), &mut problems)?;
    add_ids(&ids, &mut problems);
    rejected.append(&mut problems);
    Ok(Origins { name: table.name.clone(), id: ids.pick(&rows), spot: spots, row: rows })
}

/// Read homes: places as in [`read_origins`], and `people` where given, else one for each row.
///
/// # Errors
/// Problems when a column is missing, people are no number or less than none, or no row is left.
pub fn read_homes(table: &Table, rejected: &mut Vec<Problem>) -> Result<(Vec<Spot>, Vec<f64>)> {
    let origins = read_origins(table, rejected)?;
    if !table.has("people") {
        let people = vec![1.0; origins.spot.len()];
        return Ok((origins.spot, people));
    }
    let mut problems = Vec::new();
    let people = counts(table, "people", &mut problems)?;
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let people = origins.row.iter().map(|&row| people[row]).collect();
    Ok((origins.spot, people))
}

/// Cells whose people are not covered: `area_id`, `cell`, `people`, `time_s` (null where nothing is reached), `reason` (null
/// where it takes longer).
pub fn uncovered_to_batch<'a>(rows: impl Iterator<Item = (&'a str, CellIndex, f64, Nearest)>) -> RecordBatch {
    let rows: Vec<_> = rows.collect();
    let time_s: Float64Array =
        rows.iter().map(|(.., nearest)| nearest.ok().map(|found| f64::from(found.time_ds) / 10.0)).collect();
    let reason: StringArray = rows.iter().map(|(.., nearest)| nearest.err().map(Reason::name)).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("area_id", Arc::new(StringArray::from_iter_values(rows.iter().map(|row| row.0))) as ArrayRef, false),
        ("cell", Arc::new(UInt64Array::from_iter_values(rows.iter().map(|row| u64::from(row.1)))), false),
        ("people", Arc::new(Float64Array::from_iter_values(rows.iter().map(|row| row.2))), false),
        ("time_s", Arc::new(time_s), true),
        ("reason", Arc::new(reason), true),
    ])
    .expect("all columns have one value per cell")
}

/// Columns of a table of cells that are not population groups.
const NOT_GROUPS: [&str; 8] = ["cell", "id", "people", "households", "lon", "lat", "snap_m", "resolution"];

/// A table of cells for coverage: ids to match times with, the cells, and their people.
#[derive(Debug, Clone)]
pub struct PeopleTable {
    /// Id of each row: `id`, else `cell`.
    pub id: Ids,
    /// Cell of each row.
    pub cell: Vec<CellIndex>,
    /// People and groups.
    pub cells: Cells,
}

/// Read `cell`, `people` and groups; `groups` names the group columns, otherwise every other number column is one.
///
/// # Errors
/// Problems when a column is missing, or any row has no cell, no people or fewer than none.
pub fn read_people(table: &Table, groups: Option<&[String]>) -> Result<PeopleTable> {
    let mut problems = Vec::new();
    let cell = table.cells("cell", &mut problems)?;
    let id = table.ids(if table.has("id") { "id" } else { "cell" })?;
    let names: Vec<String> = match groups {
        Some(names) => names.to_vec(),
        None => {
            table.number_columns().into_iter().filter(|name| !NOT_GROUPS.contains(&name.as_str())).collect()
        }
    };
    let people = counts(table, "people", &mut problems)?;
    let mut group_columns = Vec::new();
    for name in names {
        let people = counts(table, &name, &mut problems)?;
        group_columns.push(Group { name, people });
    }
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let cell: Vec<CellIndex> = cell.into_iter().flatten().collect();
    let place = cell.iter().map(|&cell| cell::centre(cell)).collect();
    Ok(PeopleTable {
        id,
        cells: Cells { cell: cell.clone(), place, people, households: None, groups: group_columns },
        cell,
    })
}

/// Cells with their people and the place where these step out: `lon`, `lat` where given, else the centre. Rows that repeat a
/// cell, or have no place, are left out and added to `rejected`.
///
/// # Errors
/// Problems as of [`read_people`] and [`read_origins`].
pub fn read_inhabited(
    table: &Table,
    groups: Option<&[String]>,
    rejected: &mut Vec<Problem>,
) -> Result<Cells> {
    let people = read_people(table, groups)?;
    let origins = read_origins(table, rejected)?;
    let pick = |column: &[f64]| origins.row.iter().map(|&row| column[row]).collect::<Vec<f64>>();
    let of_group = |group: &Group| Group { name: group.name.clone(), people: pick(&group.people) };
    Ok(Cells {
        cell: origins.row.iter().map(|&row| people.cell[row]).collect(),
        place: origins.spot.iter().map(|spot| spot.place).collect(),
        people: pick(&people.cells.people),
        households: None,
        groups: people.cells.groups.iter().map(of_group).collect(),
    })
}

fn counts(table: &Table, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<f64>> {
    let values = table.numbers(column, problems)?;
    // Text that is no number was told when the column was read.
    let told: HashSet<Option<u64>> = problems.iter().map(|problem| problem.row).collect();
    let rows = (0..values.len()).filter(|&row| !told.contains(&Some(row as u64 + 1)));
    problems.extend(rows.filter_map(|row| count_fault(table, row, column, values[row])));
    Ok(values.into_iter().map(Option::unwrap_or_default).collect())
}

/// Cells as a table: `cell` (u64), `lon`, `lat` (where its people step out), `people`, `households`
/// where the source has them, one column per group, `snap_m`
/// (distance to the joined street; null when there is none in reach), `geometry` (the hexagon).
pub fn to_batch(cells: &Cells, snap_m: &[Option<f64>]) -> RecordBatch {
    let number = |of: fn(Place) -> f64| -> ArrayRef {
        Arc::new(cells.place.iter().map(|&place| of(place)).collect::<Float64Array>())
    };
    let ids = cells.cell.iter().map(|&cell| u64::from(cell));
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("cell", Arc::new(UInt64Array::from_iter_values(ids)), false),
        ("lon", number(Place::lon), false),
        ("lat", number(Place::lat), false),
        ("people", Arc::new(Float64Array::from(cells.people.clone())), false),
    ];
    if let Some(households) = &cells.households {
        columns.push(("households", Arc::new(Float64Array::from(households.clone())), false));
    }
    for group in &cells.groups {
        columns.push((&group.name, Arc::new(Float64Array::from(group.people.clone())), false));
    }
    columns.push(("snap_m", Arc::new(snap_m.iter().copied().collect::<Float64Array>()), true));
    let outline = |&cell: &CellIndex| match cell::outline(cell).0.as_slice() {
        [polygon] => Geometry::Polygon(polygon.clone()),
        parts => Geometry::MultiPolygon(geo::MultiPolygon::new(parts.to_vec())),
    };
    let outlines: Vec<Geometry> = cells.cell.par_iter().map(outline).collect();
    with_geometry(columns, geometry::encode(outlines.into_iter()))
}
