//! Which part of each cell lies in which area.

use super::overlap::overlap;
use crate::model::area::Areas;
use crate::model::cell;
use crate::model::error::Result;
use crate::model::progress::Progress;
use geo::{Area, BoundingRect, MultiPolygon, Polygon};
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use std::collections::BTreeMap;

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
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn parts(cells: &[CellIndex], areas: &Areas, progress: &Progress) -> Result<Vec<Vec<Part>>> {
    progress.begin("cells to areas", areas.id.len())?;
    let outlined = Outlined::new(cells);
    areas
        .outline
        .par_iter()
        .map(|outline| {
            progress.step(1)?;
            match outline {
                Some(outline) => outlined.parts(outline, progress),
                None => Ok((0..cells.len() as u32).map(|cell| Part { cell, share: 1.0 }).collect()),
            }
        })
        .collect()
}

/// Cells with their outlines, and where these lie. Only cells with people are looked at, however many an area has.
struct Outlined {
    cells: Vec<OutlinedCell>,
    /// Boxes around the pieces of outlines, with the place of the cell.
    boxes: RTree<GeomWithData<Rectangle<[f64; 2]>, usize>>,
}

struct OutlinedCell {
    rows: Vec<u32>,
    outline: MultiPolygon,
    area: f64,
}

impl Outlined {
    fn new(cells: &[CellIndex]) -> Self {
        let mut rows: BTreeMap<CellIndex, Vec<u32>> = BTreeMap::new();
        for (row, &cell) in (0..).zip(cells) {
            rows.entry(cell).or_default().push(row);
        }
        let cells: Vec<OutlinedCell> = rows
            .into_par_iter()
            .map(|(cell, rows)| {
                let outline = cell::outline(cell);
                OutlinedCell { rows, area: outline.unsigned_area(), outline }
            })
            .collect();
        let boxes = cells.iter().enumerate().flat_map(|(place, cell)| {
            cell.outline
                .iter()
                .filter_map(boxed)
                .map(move |rect| GeomWithData::new(Rectangle::from_aabb(rect), place))
        });
        Self { boxes: RTree::bulk_load(boxes.collect()), cells }
    }

    fn parts(&self, outline: &MultiPolygon, progress: &Progress) -> Result<Vec<Part>> {
        let mut places: Vec<usize> = Vec::new();
        for rect in outline.iter().filter_map(boxed) {
            places.extend(self.boxes.locate_in_envelope_intersecting(&rect).map(|found| found.data));
        }
        places.sort_unstable();
        places.dedup();
        let mut parts = Vec::new();
        for cell in places.into_iter().map(|place| &self.cells[place]) {
            progress.check()?;
            let share = overlap(&cell.outline, outline) / cell.area;
            if share > 0.0 {
                let share = whole_if_nearly(share);
                parts.extend(cell.rows.iter().map(|&row| Part { cell: row, share }));
            }
        }
        parts.sort_by_key(|part| part.cell);
        Ok(parts)
    }
}

fn boxed(polygon: &Polygon) -> Option<AABB<[f64; 2]>> {
    let rect = polygon.bounding_rect()?;
    Some(AABB::from_corners([rect.min().x, rect.min().y], [rect.max().x, rect.max().y]))
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
    let mut members: BTreeMap<CellIndex, Vec<Part>> = BTreeMap::new();
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
