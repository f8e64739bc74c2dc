//! `isochrones` and `isochrone_cells`.

use super::arrow::{Source, TableArgument, to_table};
use super::job;
use super::network::{Network, parse_direction, parse_profile};
use arrow_array::RecordBatch;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::sync::Arc;
use walkshed::io;
use walkshed::io::cells::Origins;
use walkshed::io::geometry;
use walkshed::model::cell;
use walkshed::model::error::Result;
use walkshed::model::problem::Problem;
use walkshed::model::progress::Progress;
use walkshed::model::study::minutes_to_ds;
use walkshed::travel::doors::Walk;
use walkshed::travel::{isochrone, isochrone_cells as cells};

/// Widest buffer: beyond it a shape says nothing about streets.
const MAX_BUFFER_M: f64 = 1000.0;

/// Shapes and rejected points; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, points, minutes, profile, direction, buffer_m, report=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
pub fn isochrones(
    py: Python<'_>,
    network: &Network,
    points: TableArgument,
    minutes: Vec<f64>,
    profile: &str,
    direction: &str,
    buffer_m: f64,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    if !(buffer_m > 0.0 && buffer_m <= MAX_BUFFER_M) {
        let text = format!("buffer_m {buffer_m}: use metres above 0, at most {MAX_BUFFER_M}");
        return Err(PyValueError::new_err(text));
    }
    around(
        py,
        network,
        points,
        minutes,
        profile,
        direction,
        report,
        move |walk, points, minutes, progress| {
            let found = isochrone::isochrones(walk, &points.spot, &limits_ds(minutes), buffer_m, progress)?;
            Ok(isochrone::to_batch(&points.id, minutes, found))
        },
    )
}

/// Cells and rejected points; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, points, minutes, profile, direction, resolution, report=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
pub fn isochrone_cells(
    py: Python<'_>,
    network: &Network,
    points: TableArgument,
    minutes: Vec<f64>,
    profile: &str,
    direction: &str,
    resolution: u8,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let resolution = cell::resolution(resolution).ok_or_else(|| {
        PyValueError::new_err(format!("resolution {resolution}: an H3 resolution is 0..15"))
    })?;
    around(
        py,
        network,
        points,
        minutes,
        profile,
        direction,
        report,
        move |walk, points, minutes, progress| {
            let limits_ds = limits_ds(minutes);
            let longest_ds = limits_ds.iter().copied().max().unwrap_or_default();
            let found = cells::isochrone_cells(walk, &points.spot, longest_ds, resolution, progress)?;
            Ok(cells::to_batch(&points.id, minutes, &limits_ds, &found))
        },
    )
}

/// What both have in common: arguments read and checked, work on another thread.
#[expect(clippy::too_many_arguments, reason = "the arguments of the public functions, and the work")]
fn around(
    py: Python<'_>,
    network: &Network,
    points: TableArgument,
    minutes: Vec<f64>,
    profile: &str,
    direction: &str,
    report: Option<Py<PyAny>>,
    work: impl FnOnce(&Walk<'_>, &Origins, &[f64], &Progress) -> Result<RecordBatch> + Send + 'static,
) -> PyResult<(PyTable, PyTable)> {
    if let Some(wrong) = minutes.iter().find(|&&minutes| minutes_to_ds(minutes).is_none()) {
        return Err(PyValueError::new_err(format!("minutes {wrong}: use minutes above 0, at most 1440")));
    }
    if minutes.is_empty() {
        return Err(PyValueError::new_err("minutes: give at least one number of minutes"));
    }
    let (profile, direction) = (parse_profile(profile)?, parse_direction(direction)?);
    let points: Source = points.into_source(py, "points")?;
    let network = Arc::clone(&network.network);
    let (found, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected: Vec<Problem> = Vec::new();
        let points = io::cells::read_origins(&points.read_for(&network)?, &mut rejected)?;
        let walk = Walk::new(&network, &profile, direction);
        let found = work(&walk, &points, &minutes, progress)?;
        Ok((geometry::labelled(&found, network.origin.analysis_crs), rejected))
    })?;
    Ok((to_table(found)?, to_table(io::rejected::to_batch(&rejected))?))
}

fn limits_ds(minutes: &[f64]) -> Vec<u32> {
    minutes.iter().filter_map(|&minutes| minutes_to_ds(minutes)).collect()
}
