//! `coverage`.

use super::arrow::{TableArgument, parse_analysis_crs, to_table, to_tables};
use super::job;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use walkshed::io;
use walkshed::metrics::apportion;
use walkshed::metrics::coverage::coverage as cover;
use walkshed::metrics::together::together as join_classes;
use walkshed::model::area::Areas;
use walkshed::model::cell;
use walkshed::model::error::{Error, Result};
use walkshed::model::problem::Fault;
use walkshed::model::study::minutes_to_ds;

/// Areas of a coverage: one for all, the parents of cells, or a table of outlines.
#[derive(FromPyObject)]
pub enum AreasArgument {
    /// H3 resolution of the parents.
    Parents(u8),
    /// Outlines.
    Table(TableArgument),
}

/// Coverage of areas by cells and their times; see the Python function.
#[pyfunction]
#[pyo3(signature = (times, cells, areas, minutes, groups, together, profile, analysis_crs, report=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
pub fn coverage(
    py: Python<'_>,
    times: TableArgument,
    cells: TableArgument,
    areas: Option<AreasArgument>,
    minutes: Vec<f64>,
    groups: Option<Vec<String>>,
    together: Vec<Vec<String>>,
    profile: &str,
    analysis_crs: &str,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let system = parse_analysis_crs(analysis_crs)?;
    if let Some(wrong) = minutes.iter().find(|&&minutes| minutes_to_ds(minutes).is_none()) {
        return Err(PyValueError::new_err(format!("minutes {wrong}: use minutes above 0, at most 1440")));
    }
    if minutes.is_empty() {
        return Err(PyValueError::new_err("minutes: give at least one number of minutes"));
    }
    let (times, cells) = (times.into_source(py, "times")?, cells.into_source(py, "cells")?);
    let parents = match &areas {
        Some(AreasArgument::Parents(number)) => Some(
            cell::resolution(*number)
                .ok_or_else(|| PyValueError::new_err(format!("areas {number}: an H3 resolution is 0..15")))?,
        ),
        _ => None,
    };
    let table = match areas {
        Some(AreasArgument::Table(table)) => Some(table.into_source(py, "areas")?),
        _ => None,
    };
    let profile = profile.to_owned();
    let (batches, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected = Vec::new();
        let cells = cells.read()?;
        let people = io::cells::read_people(&cells, groups.as_deref())?;
        let all_times = io::times::read(&times.read()?, &people.id, &profile)?;
        let (areas, parts) = match (parents, table) {
            (Some(resolution), _) => {
                // A cell coarser than the areas lies in no one of them, and its people would be lost.
                if let Some(row) = people.cell.iter().position(|cell| cell.resolution() < resolution) {
                    let fault = Fault::Setting {
                        expected: format!("a cell of resolution {resolution} or finer, as the areas are"),
                    };
                    let value = people.cell[row].to_string();
                    return Err(Error::Input(vec![cells.problem(row, "cell", Some(value), fault)]));
                }
                apportion::parents(&people.cell, resolution)
            }
            (None, table) => {
                let areas = match table {
                    Some(table) => {
                        io::areas::read(&table.read()?.analysed_in(system), "area_id", &mut rejected)?
                    }
                    None => Areas::everywhere(),
                };
                let parts = apportion::parts(&people.cell, &areas, progress)?;
                (areas, parts)
            }
        };
        progress.begin("coverage", areas.id.len() * all_times.len())?;
        let batch = |times| {
            let times = &join_classes(times, &together);
            let coverage = cover(times, &people.cells, &areas.id, &parts, &minutes, progress)?;
            Ok(io::coverage::to_batch(&coverage))
        };
        Ok((all_times.iter().map(batch).collect::<Result<Vec<_>>>()?, rejected))
    })?;
    Ok((to_tables(batches)?, to_table(io::rejected::to_batch(&rejected))?))
}
