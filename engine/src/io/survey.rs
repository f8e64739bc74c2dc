//! Surveyed networks from tables of nodes and edges, and networks as such tables.

use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::schema::{EDGES, NODES};
use crate::model::street::{Survey, SurveyedEdge, WayKind};
use crate::model::times::Deciseconds;
use geo::Geometry;
use std::collections::HashMap;

/// Read a network: nodes `id, lon, lat [, ele_m]`, edges `from, to, length_m [, id, kind, residents,
/// forward_s, backward_s]`.
///
/// # Errors
/// Every fault of both tables; a network with a hole is not built.
pub fn read(nodes: &Table, edges: &Table) -> Result<Survey> {
    let mut problems = Vec::new();
    nodes.require(&NODES, &str::to_owned)?;
    edges.require(&EDGES, &str::to_owned)?;
    let node_id = nodes.ids("id")?;
    let place = places(nodes, &mut problems)?;
    let ele_m = nodes.declared_numbers(NODES.column("ele_m"), "ele_m", &mut problems)?;
    let ele_m = ele_m.into_iter().map(|height| height.map(|height| height as f32)).collect();
    repeated(nodes, &node_id, &mut problems);
    let timed = edges.has("forward_s") || edges.has("backward_s");
    let read = edge_rows(edges, &node_id, timed, &mut problems)?;
    let edge_id =
        if edges.has("id") { edges.ids("id")? } else { Ids::UInt((0..edges.rows() as u64).collect()) };
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    Ok(Survey { node_id, place: place.into_iter().flatten().collect(), ele_m, edge_id, edges: read, timed })
}

fn places(nodes: &Table, problems: &mut Vec<Problem>) -> Result<Vec<Option<Place>>> {
    let located = nodes.located("cell", problems)?;
    let point = |geometry: Option<Geometry>| match geometry {
        Some(Geometry::Point(point)) => Place::new(point.x(), point.y()),
        _ => None,
    };
    Ok(located.place.into_iter().map(point).collect())
}

fn repeated(table: &Table, ids: &Ids, problems: &mut Vec<Problem>) {
    let mut first_rows: HashMap<String, u64> = HashMap::new();
    for row in 0..ids.len() {
        let first_row = *first_rows.entry(ids.text(row)).or_insert(row as u64 + 1);
        if first_row != row as u64 + 1 {
            problems.push(table.problem(row, "id", Some(ids.text(row)), Fault::DuplicateId { first_row }));
        }
    }
}

fn edge_rows(
    table: &Table,
    nodes: &Ids,
    timed: bool,
    problems: &mut Vec<Problem>,
) -> Result<Vec<SurveyedEdge>> {
    let (from, to) = (ends(table, "from", nodes, problems)?, ends(table, "to", nodes, problems)?);
    let length_m = table.declared_numbers(EDGES.column("length_m"), "length_m", problems)?;
    let kind = kinds(table, timed, problems)?;
    let forward_ds = tenths(table, "forward_s", problems)?;
    let backward_ds = tenths(table, "backward_s", problems)?;
    let residents = residents(table)?;
    let mut edges = Vec::with_capacity(table.rows());
    for row in 0..table.rows() {
        if let (Some(from), Some(to), Some(length_m), Some(kind)) =
            (from[row], to[row], length_m[row], kind[row])
        {
            let (forward_ds, backward_ds, residents) = (forward_ds[row], backward_ds[row], residents[row]);
            edges.push(SurveyedEdge { from, to, length_m, kind, residents, forward_ds, backward_ds });
        }
    }
    Ok(edges)
}

fn ends(table: &Table, column: &str, nodes: &Ids, problems: &mut Vec<Problem>) -> Result<Vec<Option<u32>>> {
    let ids = table.ids(column)?;
    let rows = nodes.rows_of(&ids);
    for (row, found) in rows.iter().enumerate() {
        if found.is_none() {
            problems.push(table.problem(row, column, Some(ids.text(row)), Fault::UnknownNode));
        }
    }
    Ok(rows.into_iter().map(|row| row.map(|row| row as u32)).collect())
}

/// Edges that are only for those who live there: `residents` true, 1 or the like; false when absent.
fn residents(table: &Table) -> Result<Vec<bool>> {
    if !table.has("residents") {
        return Ok(vec![false; table.rows()]);
    }
    let yes = |text: String| matches!(text.trim().to_lowercase().as_str(), "true" | "1" | "yes");
    Ok(table.text("residents")?.into_iter().map(|text| text.is_some_and(yes)).collect())
}

fn tenths(table: &Table, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<Deciseconds>>> {
    let seconds = table.declared_numbers(EDGES.column(column), column, problems)?;
    let tenths = |seconds: f64| (seconds * 10.0).round() as Deciseconds;
    Ok(seconds.into_iter().map(|seconds| seconds.map(tenths)).collect())
}

fn kinds(table: &Table, timed: bool, problems: &mut Vec<Problem>) -> Result<Vec<Option<WayKind>>> {
    if !table.has("kind") {
        return Ok(vec![Some(WayKind::Footway); table.rows()]);
    }
    let names = table.text("kind")?;
    let mut kinds = Vec::with_capacity(names.len());
    for (row, name) in names.into_iter().enumerate() {
        let kind = name.as_deref().map_or(Some(WayKind::Footway), WayKind::from_name);
        let fault = match kind {
            None => {
                Some(Fault::UnknownName { known: WayKind::ALL.map(|kind| kind.name().to_owned()).to_vec() })
            }
            Some(WayKind::Cableway | WayKind::Ferry) if !timed => Some(Fault::Setting {
                expected: "forward_s and backward_s: its time does not follow from length".into(),
            }),
            Some(_) => None,
        };
        problems.extend(fault.map(|fault| table.problem(row, "kind", name, fault)));
        kinds.push(kind);
    }
    Ok(kinds)
}
