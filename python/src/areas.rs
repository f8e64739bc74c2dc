//! `check_areas`.

use super::arrow::{TableArgument, to_table};
use super::job;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use walkshed::io;
use walkshed::metrics::neighbours;

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
