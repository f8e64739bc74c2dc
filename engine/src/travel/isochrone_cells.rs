//! Isochrones as H3 cells: every cell that holds a street part from which a point is reached in time.

use super::doors::{Joined, Walk};
use super::spread::{self, Run};
use super::tree::Tree;
use crate::io::facilities::ids_column;
use crate::model::cell;
use crate::model::error::Result;
use crate::model::ids::Ids;
use crate::model::place::Spot;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Reason};
use crate::network::line::Line;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Where a street goes over into another cell is found to this length, metres. A corner of a cell that a street cuts
/// by less may be missed.
const BORDER_M: f64 = 0.1;

/// Edges between two looks at the stop button: about a millisecond.
const EDGES_PER_LOOK: usize = 256;

/// Cells by number with the least time of their streets, or why there is none.
pub type Cells = std::result::Result<Vec<(CellIndex, Deciseconds)>, Reason>;

/// Cells of every point within a limit; reasons as in [`isochrones`](super::isochrone::isochrones).
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn isochrone_cells(
    walk: &Walk<'_>,
    points: &[impl Into<Spot> + Copy + Sync],
    limit_ds: Deciseconds,
    resolution: Resolution,
    progress: &Progress,
) -> Result<Vec<Cells>> {
    let joined = walk.join_as_doors(points, progress)?;
    progress.begin("isochrones", points.len())?;
    joined
        .into_par_iter()
        .map_init(Tree::default, |tree, (_, doors)| {
            let found = if doors.is_empty() {
                Err(Reason::NotSnapped)
            } else {
                of_doors(walk, &doors, limit_ds, resolution, tree, progress)?
            };
            progress.step(1)?;
            Ok(found)
        })
        .collect()
}

fn of_doors(
    walk: &Walk<'_>,
    doors: &[Joined],
    limit_ds: Deciseconds,
    resolution: Resolution,
    tree: &mut Tree,
    progress: &Progress,
) -> Result<Cells> {
    walk.grow(doors, limit_ds, |_, _| false, tree, progress)?;
    let mut cells = BTreeMap::new();
    for (number, edge) in spread::edges(walk, doors, tree).into_iter().enumerate() {
        if number % EDGES_PER_LOOK == 0 {
            progress.check()?;
        }
        if !spread::opens_onto(walk, edge) {
            continue;
        }
        let line = Line::of(walk.network, edge as usize);
        for run in spread::runs(walk, doors, tree, edge) {
            if let Some(cut) = run.cut(walk, limit_ds) {
                Crossing { walk, line: &line, run, resolution, cells: &mut cells }.visit(cut);
            }
        }
    }
    let cells: Vec<(CellIndex, Deciseconds)> = cells.into_iter().collect();
    Ok(if cells.is_empty() { Err(Reason::BeyondCutoff) } else { Ok(cells) })
}

/// One run of an edge on its way through cells.
struct Crossing<'a> {
    walk: &'a Walk<'a>,
    line: &'a Line<'a>,
    run: Run<'a>,
    resolution: Resolution,
    cells: &'a mut BTreeMap<CellIndex, Deciseconds>,
}

impl Crossing<'_> {
    /// Along the run a cell's least time is where the run enters it: its start, or just past a border.
    fn visit(&mut self, cut: f64) {
        let stops = self.line.stops(self.run.ends().0, cut);
        let mut before = (stops[0], self.cell(stops[0]));
        self.enter(before);
        for &stop in &stops[1..] {
            let here = (stop, self.cell(stop));
            self.cross(before, here);
            before = here;
        }
    }

    /// Two points of one straight piece: cells are as good as convex, so between two points of a cell is the cell.
    fn cross(&mut self, before: (f64, CellIndex), after: (f64, CellIndex)) {
        if before.1 == after.1 {
            return;
        }
        let length_m = self.line.at(before.0).distance_m(self.line.at(after.0));
        let share = f64::midpoint(before.0, after.0);
        if length_m < BORDER_M || share.total_cmp(&before.0).is_eq() {
            self.enter(after);
            return;
        }
        let middle = (share, self.cell(share));
        self.cross(before, middle);
        self.cross(middle, after);
    }

    fn enter(&mut self, (share, cell): (f64, CellIndex)) {
        let time_ds = self.run.time_ds(self.walk, share);
        self.cells.entry(cell).and_modify(|least_ds| *least_ds = time_ds.min(*least_ds)).or_insert(time_ds);
    }

    fn cell(&self, share: f64) -> CellIndex {
        cell::at(self.line.at(share), self.resolution)
    }
}

/// A row of the table.
struct Row {
    point: usize,
    minutes: Option<f64>,
    found: std::result::Result<(CellIndex, Deciseconds), Reason>,
}

/// Cells as a table, point by point, cells by number: `id`, `cell` (u64), `minutes` (the least of those asked for within
/// which a street of the cell is reached), `time_s` (the least time of its streets), `reason`. A point without cells has
/// one row for each of the minutes, with nulls and a reason.
pub fn to_batch(ids: &Ids, minutes: &[f64], limits_ds: &[Deciseconds], found: &[Cells]) -> RecordBatch {
    let mut ranked: Vec<(Deciseconds, f64)> =
        limits_ds.iter().copied().zip(minutes.iter().copied()).collect();
    ranked.sort_by_key(|&(limit_ds, _)| limit_ds);
    let least =
        |time_ds| ranked.iter().find(|&&(limit_ds, _)| time_ds <= limit_ds).map(|&(_, minutes)| minutes);
    let mut rows: Vec<Row> = Vec::new();
    for (point, found) in found.iter().enumerate() {
        match found {
            Ok(cells) => rows.extend(cells.iter().map(|&(cell, time_ds)| Row {
                point,
                minutes: least(time_ds),
                found: Ok((cell, time_ds)),
            })),
            Err(reason) => rows.extend(minutes.iter().map(|&minutes| Row {
                point,
                minutes: Some(minutes),
                found: Err(*reason),
            })),
        }
    }
    let cell: UInt64Array = rows.iter().map(|row| row.found.ok().map(|(cell, _)| u64::from(cell))).collect();
    let time: Float64Array =
        rows.iter().map(|row| row.found.ok().map(|(_, time_ds)| f64::from(time_ds) / 10.0)).collect();
    let reason: StringArray = rows.iter().map(|row| row.found.err().map(Reason::name)).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("id", ids_column(ids, rows.iter().map(|row| Some(row.point))), false),
        ("cell", Arc::new(cell) as ArrayRef, true),
        ("minutes", Arc::new(rows.iter().map(|row| row.minutes).collect::<Float64Array>()), false),
        ("time_s", Arc::new(time), true),
        ("reason", Arc::new(reason), true),
    ])
    .expect("all columns have one value per row")
}
