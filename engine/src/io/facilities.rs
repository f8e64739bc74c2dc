//! Facilities from tables, and as a table.

use super::classes::{self, Rules};
use super::overture::places;
use super::table::Table;
use super::{geometry, ledger};
use crate::model::catalogue::Catalogue;
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::ledger::Day;
use crate::model::level::Level;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::schema::FACILITIES;
use arrow_array::{ArrayRef, Float64Array, Int64Array, RecordBatch, StringArray, UInt64Array};
use arrow_schema::{Field, Schema};
use geo::{Geometry, MultiPoint, Point};
use std::collections::HashMap;
use std::sync::Arc;

/// Names of the columns that a user may call otherwise, and how rows find their class.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Column of the id.
    pub id: &'a str,
    /// Column of the class.
    pub class: &'a str,
    /// How rows find their class.
    pub rules: Rules<'a>,
}

impl Default for Columns<'_> {
    fn default() -> Self {
        Self { id: "id", class: "class", rules: Rules::default() }
    }
}

impl<'a> Columns<'a> {
    /// The names that columns have where the user says nothing; rows without class find theirs in this catalogue.
    pub fn usual(catalogue: &'a Catalogue) -> Self {
        Self { rules: Rules { catalogue: Some(catalogue), mapping: None }, ..Self::default() }
    }
}

/// Read facilities: `id`, `class`, a place, `name` and `level` (the floor) where given, and the columns of a ledger
/// ([`ledger::read`]). Points in a geometry column are the doors.
///
/// A table of Overture's places is taken as [`places::facilities`] says it.
///
/// Rows without class or usable place, with a value that cannot be, and rows that repeat id and class of an earlier one,
/// are left out and added to `problems`, as is what is only to be told of rows that are kept.
///
/// # Errors
/// Problems when a column is missing or no row is left.
pub fn read(table: &Table, columns: Columns<'_>, problems: &mut Vec<Problem>) -> Result<Facilities> {
    if let Some(table) = places::facilities(table)? {
        return read(&table, Columns { class: "class", ..columns }, problems);
    }
    let mut own = Vec::new();
    table.require(&FACILITIES, &|name| if name == "id" { columns.id } else { name }.to_owned())?;
    let ids = table.ids(columns.id)?;
    let class = classes::classify(table, columns.class, columns.rules, &mut own)?;
    let place = table.located("cell", &mut own)?.place;
    let doors = doors(table, &mut own)?;
    let level = levels(table)?;
    let mut entry = ledger::read(table, &mut own)?;
    let name = if table.has("name") { table.text("name")? } else { vec![None; table.rows()] };
    let mut first_rows: HashMap<(String, &str), u64> = HashMap::new();
    let mut rows = Vec::new();
    for row in 0..table.rows() {
        let (Some(classified), Some(_), Some(_)) = (&class[row], &place[row], &entry[row]) else { continue };
        let first_row = *first_rows.entry((ids.text(row), &classified.class)).or_insert(row as u64 + 1);
        if first_row == row as u64 + 1 {
            rows.push(row);
        } else {
            own.push(table.problem(row, columns.id, Some(ids.text(row)), Fault::DuplicateId { first_row }));
        }
    }
    table.refuse_if_none(rows.len(), &mut own)?;
    add_ids(&ids, &mut own);
    problems.append(&mut own);
    let kept: Vec<Place> = rows.iter().filter_map(|&row| place_of_row(&place, row)).collect();
    let class_of = |&row: &usize| class[row].as_ref().map(|classified| classified.class.clone());
    let mut facilities =
        Facilities::new(&table.name, ids.pick(&rows), rows.iter().filter_map(class_of).collect(), kept);
    for (position, &row) in rows.iter().enumerate() {
        facilities.name[position].clone_from(&name[row]);
        facilities.level[position] = level[row];
        facilities.row[position] = Some(row as u64 + 1);
        if let Some(doors) = &doors[row] {
            facilities.doors[position].clone_from(doors);
        }
        let mut entry = entry[row].take().unwrap_or_default();
        entry.outline |= matches!(place[row], Some(Geometry::Polygon(_) | Geometry::MultiPolygon(_)));
        let rule = class[row].as_ref().map(|classified| classified.rule.clone());
        // A ledger that walkshed wrote tells how its classes were found.
        if entry.class_rule.is_none() || rule.as_deref() != Some(classes::GIVEN) {
            entry.class_rule = rule;
        }
        facilities.entry[position] = entry;
    }
    Ok(facilities)
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

/// Facilities as a table that [`read`] reads back: `id`, `class`, `name`, `lon`, `lat`, `level` (floor), the columns of a ledger
/// and `state` (its status on the day), `doors` (how many), `snap_m` (distance of the nearest door to its street; null when
/// no door is joined, and for facilities that are not open), `geometry` (the door, or all doors).
pub fn to_batch(facilities: &Facilities, snap_m: &[Option<f64>], day: Option<Day>) -> RecordBatch {
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
    let mut columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("id", ids_column(&facilities.id, rows), false),
        ("class", Arc::new(StringArray::from_iter_values(&facilities.class)), false),
        ("name", Arc::new(facilities.name.iter().cloned().collect::<StringArray>()), true),
        ("lon", number(Place::lon), false),
        ("lat", number(Place::lat), false),
        ("level", Arc::new(level), true),
    ];
    columns.extend(ledger::columns(&facilities.entry, day));
    columns.extend([
        ("doors", Arc::new(doors) as ArrayRef, false),
        ("snap_m", Arc::new(snap_m.iter().copied().collect::<Float64Array>()), true),
    ]);
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
