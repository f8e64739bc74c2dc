//! Which part of each cell lies in which area.

use super::overlap::overlap;
use super::population::cells_touching;
use crate::model::area::Areas;
use crate::model::cell;
use crate::model::error::Result;
use crate::model::problem::Problem;
use crate::model::progress::Progress;
use geo::Area;
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use std::collections::HashMap;

/// A part of a cell that lies in an area.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    /// Row of the cell.
    pub cell: u32,
    /// Share of the cell's area, 0..1.
    pub share: f64,
}

/// For every area the parts of cells in it, cells in order. A cell across a border is shared by area.
///
/// # Errors
/// A problem when an area has more cells than the limit; [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn parts(cells: &[CellIndex], areas: &Areas, progress: &Progress) -> Result<Vec<Vec<Part>>> {
    progress.begin("cells to areas", areas.id.len())?;
    let mut rows: HashMap<CellIndex, Vec<u32>> = HashMap::with_capacity(cells.len());
    let mut resolutions: Vec<Resolution> = Vec::new();
    for (row, &cell) in (0..).zip(cells) {
        rows.entry(cell).or_default().push(row);
        if !resolutions.contains(&cell.resolution()) {
            resolutions.push(cell.resolution());
        }
    }
    areas
        .outline
        .par_iter()
        .zip(&areas.id)
        .map(|(outline, id)| {
            progress.step(1)?;
            let Some(outline) = outline else {
                return Ok((0..cells.len() as u32).map(|cell| Part { cell, share: 1.0 }).collect());
            };
            let mut parts = Vec::new();
            for &resolution in &resolutions {
                let too_many = |fault| Problem::of_file("areas", fault).with_id(id);
                for cell in cells_touching(outline, resolution).map_err(too_many)? {
                    progress.check()?;
                    let Some(rows) = rows.get(&cell) else { continue };
                    let whole = cell::outline(cell);
                    let share = overlap(&whole, outline) / whole.unsigned_area();
                    if share > 0.0 {
                        parts.extend(
                            rows.iter().map(|&row| Part { cell: row, share: whole_if_nearly(share) }),
                        );
                    }
                }
            }
            parts.sort_by_key(|part| part.cell);
            Ok(parts)
        })
        .collect()
}

/// The people of each area, cells in order.
pub fn people(parts: &[Vec<Part>], people: &[f64]) -> Vec<f64> {
    let of_area =
        |parts: &Vec<Part>| parts.iter().fold(0.0, |sum, part| sum + people[part.cell as usize] * part.share);
    parts.iter().map(of_area).collect()
}

/// The intersection of a cell with an area around it differs from the cell in the last digits.
fn whole_if_nearly(share: f64) -> f64 {
    if share > 1.0 - 1e-9 { 1.0 } else { share }
}

/// The parents of cells as areas, ids in hexadecimal; exact, because every cell has one parent.
pub fn parents(cells: &[CellIndex], resolution: Resolution) -> (Areas, Vec<Vec<Part>>) {
    let mut members: std::collections::BTreeMap<CellIndex, Vec<Part>> = std::collections::BTreeMap::new();
    for (row, cell) in (0..).zip(cells) {
        if let Some(parent) = cell.parent(resolution) {
            members.entry(parent).or_default().push(Part { cell: row, share: 1.0 });
        }
    }
    let mut areas = Areas::default();
    let mut parts = Vec::with_capacity(members.len());
    for (parent, cells) in members {
        areas.push_bare(parent.to_string(), Some(cell::outline(parent)));
        parts.push(cells);
    }
    (areas, parts)
}
