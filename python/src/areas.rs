//! `check_areas`; which area and which cell a place is in.

use super::arrow::{TableArgument, parse_analysis_crs, to_table};
use super::job;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use walkshed::io;
use walkshed::metrics::{neighbours, whose};
use walkshed::model::cell;
use walkshed::model::place::Place;

/// What cannot be meant in a table of areas; see the Python function.
#[pyfunction]
#[pyo3(signature = (areas, cells, report=None))]
pub fn check_areas(
    py: Python<'_>,
    areas: TableArgument,
    cells: Option<TableArgument>,
    report: Option<Py<PyAny>>,
) -> PyResult<PyTable> {
    let areas = areas.into_source(py, "areas")?;
    let cells = cells.map(|cells| cells.into_source(py, "cells")).transpose()?;
    let found = job::run(py, report.as_ref(), move |progress| {
        let mut findings = Vec::new();
        let areas = io::areas::read(&areas.read()?, "area_id", &mut findings)?;
        let cells = match cells {
            Some(cells) => Some(io::cells::read_people(&cells.read()?, Some(&[]))?.cells),
            None => None,
        };
        findings.extend(neighbours::findings(&areas, cells.as_ref(), progress)?);
        Ok(findings)
    })?;
    to_table(io::neighbours::to_batch(&found))
}

/// The id of the first area that holds each place; none where no area does, or the place cannot be.
#[pyfunction]
pub fn areas_of_places(
    py: Python<'_>,
    areas: TableArgument,
    lon: Vec<f64>,
    lat: Vec<f64>,
) -> PyResult<Vec<Option<String>>> {
    let areas = areas.into_source(py, "areas")?;
    job::run(py, None, move |_| {
        let areas = io::areas::read(&areas.read()?, "area_id", &mut Vec::new())?;
        let at = lon.iter().zip(&lat).map(|(&lon, &lat)| Place::new(lon, lat));
        let (rows, places): (Vec<usize>, Vec<Place>) =
            at.enumerate().filter_map(|(row, place)| Some((row, place?))).unzip();
        let mut found = vec![None; lon.len()];
        for (area, inside) in whose::inside_areas(&areas, &places).into_iter().enumerate() {
            for place in inside {
                found[rows[place as usize]].get_or_insert_with(|| areas.id[area].clone());
            }
        }
        Ok(found)
    })
}

/// The H3 cell of each place in the system of the analysis; none where the place cannot be.
#[pyfunction]
pub fn cells_of_places(
    lon: Vec<f64>,
    lat: Vec<f64>,
    resolution: u8,
    analysis_crs: &str,
) -> PyResult<Vec<Option<u64>>> {
    let system = parse_analysis_crs(analysis_crs)?;
    let resolution = cell::resolution(resolution)
        .ok_or_else(|| pyo3::exceptions::PyValueError::new_err("resolution: use 0..15"))?;
    let of = |(lon, lat): (f64, f64)| {
        Place::new(lon, lat).map(|place| u64::from(cell::at(system.moved(place), resolution)))
    };
    Ok(lon.into_iter().zip(lat).map(of).collect())
}
