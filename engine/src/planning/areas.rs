//! New areas, and other borders of areas.

use crate::model::area::Areas;
use crate::model::edit::{Change, SetArea};
use crate::model::edit_fault::EditFault;
use crate::model::error::{Error, Result};
use crate::model::problem::Problem;
use crate::model::scenario::Scenario;
use geo::{Area, LineString, MultiPolygon, Polygon};

/// The areas after the edits of a scenario: rows keep their order, new areas come after them.
///
/// # Errors
/// Outlines that are none.
pub fn apply(scenario: &Scenario, mut areas: Areas) -> Result<Areas> {
    let mut problems = Vec::new();
    for (number, edit) in (1..).zip(&scenario.edits) {
        let Change::SetArea(area) = &edit.change else { continue };
        match outline(area) {
            Ok(outline) => set(&mut areas, area, outline),
            Err(reason) => {
                let fault = EditFault::BadOutline { reason: reason.to_owned() };
                let problem = Problem::of_file(&scenario.file, fault.into()).at_row(number);
                problems.push(problem.in_column("outline").with_value(&area.id));
            }
        }
    }
    if problems.is_empty() { Ok(areas) } else { Err(Error::Input(problems)) }
}

fn outline(area: &SetArea) -> std::result::Result<MultiPolygon, &'static str> {
    if area.outline.is_empty() || area.outline.iter().any(|ring| ring.len() < 3) {
        return Err("a ring has fewer than three corners");
    }
    let mut rings =
        area.outline.iter().map(|ring| ring.iter().map(|&at| (at[0], at[1])).collect::<LineString>());
    let outer = rings.next().ok_or("it has no ring")?;
    let polygon = Polygon::new(outer, rings.collect());
    if polygon.unsigned_area() > 0.0 { Ok(polygon.into()) } else { Err("it has no area") }
}

fn set(areas: &mut Areas, area: &SetArea, outline: MultiPolygon) {
    let row = areas.id.iter().position(|id| *id == area.id).unwrap_or_else(|| {
        areas.push_bare(area.id.clone(), None);
        areas.id.len() - 1
    });
    areas.outline[row] = Some(outline);
    let keep = |old: &mut Option<String>, new: &Option<String>| {
        if new.is_some() {
            old.clone_from(new);
        }
    };
    keep(&mut areas.name[row], &area.name);
    keep(&mut areas.level[row], &area.level);
    keep(&mut areas.parent_id[row], &area.parent_id);
}
