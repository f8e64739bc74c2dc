//! Planning areas from tables.

use super::facilities::{add_ids, refuse_if_none};
use super::geometry;
use super::table::Table;
use crate::model::area::Areas;
use crate::model::error::Result;
use crate::model::problem::{Fault, Problem};
use std::collections::HashMap;

/// Read areas: an id, a polygon, and `name`, `level`, `parent_id` where given.
///
/// Rows without usable polygon and rows that repeat an id are left out and added to `rejected`.
///
/// # Errors
/// Problems when a column is missing or no row is left.
pub fn read(table: &Table, id_column: &str, rejected: &mut Vec<Problem>) -> Result<Areas> {
    let mut problems = Vec::new();
    let ids = table.ids(id_column)?;
    let column = table.geometry_column().ok_or_else(|| {
        let found = table.column_names();
        Problem::of_file(&table.name, Fault::MissingColumn { found }).in_column("geometry")
    })?;
    let geometries = table.geometries(&column, &mut problems)?;
    let optional = |name: &str| -> Result<Vec<Option<String>>> {
        if table.has(name) { table.text(name) } else { Ok(vec![None; table.rows()]) }
    };
    let (name, level, parent_id) = (optional("name")?, optional("level")?, optional("parent_id")?);
    let mut areas = Areas::default();
    let mut first_rows: HashMap<String, u64> = HashMap::new();
    for (row, shape) in geometries.into_iter().enumerate() {
        let Some(shape) = shape else { continue };
        let id = ids.text(row);
        let outline = match geometry::polygons_of(shape) {
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
        areas.id.push(id);
        areas.name.push(name[row].clone());
        areas.level.push(level[row].clone());
        areas.parent_id.push(parent_id[row].clone());
        areas.outline.push(Some(outline));
    }
    refuse_if_none(table, areas.id.len(), &mut problems)?;
    add_ids(&ids, &mut problems);
    rejected.append(&mut problems);
    Ok(areas)
}
