//! Facilities from tables, and as a table.

use super::geometry;
use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::level::Level;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{Field, Schema};
use geo::{Geometry, MultiPoint, Point};
use std::collections::HashMap;
use std::sync::Arc;

/// Names of the columns that a user may call otherwise.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Column of the id.
    pub id: &'a str,
    /// Column of the class.
    pub class: &'a str,
}

impl Default for Columns<'_> {
    fn default() -> Self {
        Self { id: "id", class: "class" }
    }
}

/// Read facilities: `id`, `class`, a place, and `name` and `level` (the floor) where given. Points in a geometry column are the doors.
///
/// Rows without class or usable place, and rows that repeat id and class of an earlier one, are left out and added
/// to `rejected`.
///
/// # Errors
/// Problems when a column is missing or no row is left.
pub fn read(table: &Table, columns: Columns<'_>, rejected: &mut Vec<Problem>) -> Result<Facilities> {
    let mut problems = Vec::new();
    let ids = table.ids(columns.id)?;
    let class = table.text(columns.class)?;
    let place = table.located("cell", &mut problems)?.place;
    let doors = doors(table, &mut problems)?;
    let level = levels(table)?;
    let name = if table.has("name") { table.text("name")? } else { vec![None; table.rows()] };
    let mut first_rows: HashMap<(String, &str), u64> = HashMap::new();
    let mut rows = Vec::new();
    for row in 0..table.rows() {
        let Some(class) = class[row].as_deref().filter(|class| !class.trim().is_empty()) else {
            problems.push(table.problem(row, columns.class, None, Fault::MissingValue));
            continue;
        };
        if place[row].is_none() {
            continue;
        }
        let first_row = *first_rows.entry((ids.text(row), class)).or_insert(row as u64 + 1);
        if first_row == row as u64 + 1 {
            rows.push(row);
        } else {
            problems.push(table.problem(
                row,
                columns.id,
                Some(ids.text(row)),
                Fault::DuplicateId { first_row },
            ));
        }
    }
    refuse_if_none(table, rows.len(), &mut problems)?;
    add_ids(&ids, &mut problems);
    rejected.append(&mut problems);
    let place: Vec<Place> = rows.iter().filter_map(|&row| place_of_row(&place, row)).collect();
    Ok(Facilities {
        id: ids.pick(&rows),
        class: rows.iter().filter_map(|&row| class[row].clone()).collect(),
        name: rows.iter().map(|&row| name[row].clone()).collect(),
        file: vec![table.name.as_str().into(); rows.len()],
        row: rows.iter().map(|&row| Some(row as u64 + 1)).collect(),
        doors: rows
            .iter()
            .zip(&place)
            .map(|(&row, &place)| doors[row].clone().unwrap_or(vec![place]))
            .collect(),
        place,
        level: rows.iter().map(|&row| level[row]).collect(),
    })
}

/// The floors in a column `level`, where there is one; text that names none or several says nothing.
pub fn levels(table: &Table) -> Result<Vec<Option<Level>>> {
    if !table.has("level") {
        return Ok(vec![None; table.rows()]);
    }
    let one = |text: String| match Level::parse_list(&text).as_slice() {
        [level] => Some(*level),
        _ => None,
    };
    Ok(table.text("level")?.into_iter().map(|text| text.and_then(one)).collect())
}

/// The doors of rows whose geometry is points; they may lie elsewhere than `lon` and `lat`.
fn doors(table: &Table, problems: &mut Vec<Problem>) -> Result<Vec<Option<Vec<Place>>>> {
    let Some(column) = table.geometry_column() else { return Ok(vec![None; table.rows()]) };
    let of_row = |geometry: Option<Geometry>| match geometry {
        Some(Geometry::Point(at)) => Place::new(at.x(), at.y()).map(|door| vec![door]),
        Some(Geometry::MultiPoint(points)) => points.iter().map(|at| Place::new(at.x(), at.y())).collect(),
        _ => None,
    };
    let already_told = problems.len();
    let doors = table.geometries(&column, problems)?.into_iter().map(of_row).collect();
    // Rows without usable geometry were told when their place was read, or have lon and lat.
    problems.truncate(already_told);
    Ok(doors)
}

fn place_of_row(place: &[Option<Geometry>], row: usize) -> Option<Place> {
    place[row].as_ref().and_then(geometry::place_of)
}

/// Every problem of a row carries the id that the user knows the row by.
pub fn add_ids(ids: &Ids, problems: &mut [Problem]) {
    for problem in problems.iter_mut().filter(|problem| problem.id.is_none()) {
        problem.id = problem.row.map(|row| ids.text(row as usize - 1));
    }
}

/// An error with all problems when no row of a table is left.
pub fn refuse_if_none(table: &Table, rows: usize, problems: &mut [Problem]) -> Result<()> {
    if rows > 0 {
        return Ok(());
    }
    problems.sort_by_key(|problem| problem.row);
    let first = problems.first().map(ToString::to_string).unwrap_or_default();
    Err(Error::Input(vec![Problem::of_file(&table.name, Fault::AllRejected { first })]))
}

/// Facilities as a table that [`read`] reads back: `id`, `class`, `name`, `lon`, `lat`, `level` (floor), `doors` (how many), `snap_m`
/// (distance of the nearest door to its street; null when no door is joined), `geometry` (the door, or all doors).
pub fn to_batch(facilities: &Facilities, snap_m: &[Option<f64>]) -> RecordBatch {
    let doors: UInt64Array = facilities.doors.iter().map(|doors| Some(doors.len() as u64)).collect();
    let number = |of: fn(Place) -> f64| -> ArrayRef {
        Arc::new(facilities.place.iter().map(|&place| of(place)).collect::<Float64Array>())
    };
    let point = |door: &Place| Point::new(door.lon(), door.lat());
    let points = facilities.doors.iter().map(|doors| match doors.as_slice() {
        [door] => Geometry::Point(point(door)),
        doors => Geometry::MultiPoint(MultiPoint::new(doors.iter().map(point).collect())),
    });
    let rows = (0..facilities.len()).map(Some);
    let level: Float64Array =
        facilities.level.iter().map(|level| level.map(|level| f64::from(level.0) / 10.0)).collect();
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("id", ids_column(&facilities.id, rows), false),
        ("class", Arc::new(StringArray::from_iter_values(&facilities.class)), false),
        ("name", Arc::new(facilities.name.iter().cloned().collect::<StringArray>()), true),
        ("lon", number(Place::lon), false),
        ("lat", number(Place::lat), false),
        ("level", Arc::new(level), true),
        ("doors", Arc::new(doors), false),
        ("snap_m", Arc::new(snap_m.iter().copied().collect::<Float64Array>()), true),
    ];
    with_geometry(columns, geometry::encode(points))
}

/// A batch of plain columns and a last one called `geometry`.
pub fn with_geometry(columns: Vec<(&str, ArrayRef, bool)>, geometry: ArrayRef) -> RecordBatch {
    let mut fields: Vec<Field> = Vec::new();
    let mut arrays = Vec::new();
    for (name, array, nullable) in columns {
        fields.push(Field::new(name, array.data_type().clone(), nullable));
        arrays.push(array);
    }
    fields.push(geometry::wkb_field("geometry"));
    arrays.push(geometry);
    RecordBatch::try_new(Arc::new(Schema::new(fields)), arrays).expect("columns have one length")
}

/// Ids of some rows as a column of their own type; null where there is no row.
pub fn ids_column(ids: &Ids, rows: impl Iterator<Item = Option<usize>>) -> ArrayRef {
    match ids {
        Ids::Text(ids) => Arc::new(rows.map(|row| row.map(|row| ids[row].as_str())).collect::<StringArray>()),
        Ids::Int(ids) => Arc::new(rows.map(|row| row.map(|row| ids[row])).collect::<Int64Array>()),
        Ids::UInt(ids) => Arc::new(rows.map(|row| row.map(|row| ids[row])).collect::<UInt64Array>()),
    }
}
