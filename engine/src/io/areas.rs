//! Planning areas from tables, and as a table.

use super::facilities::{add_ids, with_geometry};
use super::geometry;
use super::table::Table;
use crate::model::area::{self, Areas, CommunityLevel};
use crate::model::area_fault::AreaFault;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::schema::AREAS;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use geo::Geometry;
use rayon::prelude::*;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Read how areas hang together: `area_id` and `parent_id`; outlines are not looked at.
///
/// # Errors
/// Problems when a column is missing, an id is there twice, a parent is no area, or parents lead round in a circle.
pub fn read_family(table: &Table) -> Result<Areas> {
    let found = || Fault::MissingColumn { found: table.column_names() };
    for column in ["area_id", "parent_id"] {
        if !table.has(column) {
            return Err(Problem::of_file(&table.name, found()).in_column(column).into());
        }
    }
    let (ids, parent_id) = (table.ids("area_id")?, table.codes("parent_id")?);
    let mut areas = Areas { file: table.name.clone(), ..Areas::default() };
    let mut first_rows: HashMap<String, u64> = HashMap::new();
    let mut problems = Vec::new();
    for (row, parent) in parent_id.into_iter().enumerate() {
        let first_row = *first_rows.entry(ids.text(row)).or_insert(row as u64 + 1);
        if first_row != row as u64 + 1 {
            problems.push(table.problem(
                row,
                "area_id",
                Some(ids.text(row)),
                Fault::DuplicateId { first_row },
            ));
        }
        areas.push_bare(ids.text(row), None);
        areas.parent_id[row] = parent;
    }
    let parents = areas.parents();
    for (row, parent) in parents.iter().enumerate() {
        let value = areas.parent_id[row].clone();
        if value.is_some() && parent.is_none() {
            let known = areas.id.iter().take(3).cloned().collect();
            problems.push(table.problem(row, "parent_id", value, Fault::UnknownName { known }));
        } else if area::above(&parents, row).last().is_some_and(|&top| parents[top].is_some()) {
            let expected = "parents that end at one without a parent".to_owned();
            problems.push(table.problem(row, "parent_id", value, Fault::Setting { expected }));
        }
    }
    if problems.is_empty() { Ok(areas) } else { Err(Error::Input(problems)) }
}

/// Read areas: an id, a polygon, and `name`, `level`, `parent_id`, `code` where given.
///
/// Rows without usable polygon and rows that repeat an id are left out and added to `findings`, with
/// warnings of names, codes, levels and parents that cannot be meant.
///
/// # Errors
/// Problems when a column is missing or no row is left.
pub fn read(table: &Table, id_column: &str, findings: &mut Vec<Problem>) -> Result<Areas> {
    let mut problems = Vec::new();
    table.require(&AREAS, &|name| if name == "area_id" { id_column } else { name }.to_owned())?;
    let ids = table.ids(id_column)?;
    let column = table.geometry_column().ok_or_else(|| {
        let found = table.column_names();
        Problem::of_file(&table.name, Fault::MissingColumn { found }).in_column("geometry")
    })?;
    let geometries = table.geometries(&column, &mut problems)?;
    let optional = |name: &str| -> Result<Vec<Option<String>>> {
        if table.has(name) { table.codes(name) } else { Ok(vec![None; table.rows()]) }
    };
    let (name, level) = (optional("name")?, optional("level")?);
    let (parent_id, code) = (optional("parent_id")?, optional("code")?);
    let mut areas = Areas { file: table.name.clone(), ..Areas::default() };
    let mut first_rows: HashMap<String, u64> = HashMap::new();
    let outlines: Vec<_> = geometries.into_par_iter().map(|shape| shape.map(geometry::polygons_of)).collect();
    for (row, outline) in outlines.into_iter().enumerate() {
        let Some(outline) = outline else { continue };
        let id = ids.text(row);
        let outline = match outline {
            Ok(outline) => outline,
            Err(fault) => {
                problems.push(table.problem(row, &column, None, fault));
                continue;
            }
        };
        let first_row = *first_rows.entry(id.clone()).or_insert(row as u64 + 1);
        if first_row != row as u64 + 1 {
            problems.push(table.problem(row, id_column, Some(id), Fault::DuplicateId { first_row }));
            continue;
        }
        areas.row.push(Some(row as u64 + 1));
        areas.id.push(id);
        areas.name.push(name[row].clone());
        areas.level.push(level[row].clone());
        areas.parent_id.push(parent_id[row].clone());
        areas.code.push(code[row].clone());
        areas.outline.push(Some(outline));
    }
    table.refuse_if_none(areas.id.len(), &mut problems)?;
    add_ids(&ids, &mut problems);
    problems.extend(warnings(&areas));
    findings.append(&mut problems);
    Ok(areas)
}

/// What cannot be meant in names, codes, levels and parents. The areas are kept.
fn warnings(areas: &Areas) -> Vec<Problem> {
    let parents = areas.parents();
    let any_name = areas.name.iter().any(Option::is_some);
    let digits = usual_digits(areas);
    let mut names: HashMap<(Option<String>, Option<&str>, &str), usize> = HashMap::new();
    let mut codes: HashMap<&str, usize> = HashMap::new();
    let mut found = Vec::new();
    for area in 0..areas.id.len() {
        let mut tell = |column: &str, value: Option<&String>, fault: AreaFault| {
            let mut problem = areas.problem(area, fault.into()).in_column(column);
            problem.value = value.cloned();
            found.push(problem);
        };
        let level = areas.level[area].as_ref();
        if level.is_some() && areas.community_level(area).is_none() {
            tell("level", level, AreaFault::UnknownLevel);
        }
        if let Some(fault) = parent_fault(areas, &parents, area) {
            tell("parent_id", areas.parent_id[area].as_ref(), fault);
        }
        match areas.name[area].as_deref() {
            None if any_name => tell("name", None, AreaFault::MissingName),
            None => {}
            Some(name) => {
                let key = (areas.level_name(area), areas.parent_id[area].as_deref(), name);
                let first = *names.entry(key).or_insert(area);
                if first != area {
                    let first = areas.id[first].clone();
                    tell("name", areas.name[area].as_ref(), AreaFault::DuplicateName { first });
                }
            }
        }
        if let Some(code) = &areas.code[area] {
            let first = *codes.entry(code).or_insert(area);
            if first != area {
                tell("code", Some(code), AreaFault::DuplicateCode { first: areas.id[first].clone() });
            }
            if let Some(&digits) =
                digits.get(&areas.level_name(area)).filter(|&&digits| !is_code(code, digits))
            {
                tell("code", Some(code), AreaFault::BadCode { digits });
            }
        }
    }
    found
}

fn parent_fault(areas: &Areas, parents: &[Option<usize>], row: usize) -> Option<AreaFault> {
    areas.parent_id[row].as_ref()?;
    let Some(parent) = parents[row] else { return Some(AreaFault::UnknownParent) };
    let above = area::above(parents, row);
    let last = above.last().copied().unwrap_or(parent);
    if parents[last] == Some(row) || parent == row {
        let around = std::iter::once(row).chain(above).chain([row]).map(|area| areas.id[area].as_str());
        return Some(AreaFault::ParentCycle { cycle: around.collect::<Vec<_>>().join(" → ") });
    }
    let (own, theirs) = areas.community_level(row).zip(areas.community_level(parent))?;
    let expected = own.above();
    (expected != Some(theirs)).then(|| AreaFault::ParentLevel {
        parent_level: areas.level[parent].clone().unwrap_or_default(),
        expected: expected.map_or("none 无", CommunityLevel::name),
    })
}

/// The number of digits that most codes of a level have, by level, where most have one.
fn usual_digits(areas: &Areas) -> BTreeMap<Option<String>, usize> {
    let mut counts: BTreeMap<Option<String>, BTreeMap<usize, usize>> = BTreeMap::new();
    for (area, code) in areas.code.iter().enumerate().filter_map(|(area, code)| Some((area, code.as_ref()?)))
    {
        let digits = if is_code(code, code.len()) { code.len() } else { 0 };
        *counts.entry(areas.level_name(area)).or_default().entry(digits).or_default() += 1;
    }
    let most = |counts: BTreeMap<usize, usize>| {
        let all: usize = counts.values().sum();
        counts.into_iter().find(|&(digits, count)| digits > 0 && 2 * count > all).map(|(digits, _)| digits)
    };
    counts.into_iter().filter_map(|(level, counts)| Some((level, most(counts)?))).collect()
}

fn is_code(code: &str, digits: usize) -> bool {
    code.len() == digits && code.bytes().all(|byte| byte.is_ascii_digit())
}

/// Areas as a table that [`read`] reads back: `area_id`, `name`, `level`, `parent_id`, `code`, `people`, `geometry` (null for
/// the area that is everywhere).
pub fn to_batch(areas: &Areas, people: &[f64]) -> RecordBatch {
    let text =
        |column: &[Option<String>]| -> ArrayRef { Arc::new(column.iter().cloned().collect::<StringArray>()) };
    let columns: Vec<(&str, ArrayRef, bool)> = vec![
        ("area_id", Arc::new(StringArray::from_iter_values(&areas.id)), false),
        ("name", text(&areas.name), true),
        ("level", text(&areas.level), true),
        ("parent_id", text(&areas.parent_id), true),
        ("code", text(&areas.code), true),
        ("people", Arc::new(Float64Array::from(people.to_vec())), false),
    ];
    let outlines = areas.outline.iter().map(|outline| outline.clone().map(Geometry::MultiPolygon));
    with_geometry(columns, geometry::encode_some(outlines))
}
