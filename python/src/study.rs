//! `run` and `validate`.

use super::arrow::to_table;
use super::error::to_py;
use super::job;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::path::PathBuf;
use walkshed::batch::study;
use walkshed::io;
use walkshed::model::error::Error;

/// Run a study; its report as JSON.
#[pyfunction]
#[pyo3(signature = (path, out, report=None))]
pub fn run_study(py: Python<'_>, path: PathBuf, out: PathBuf, report: Option<Py<PyAny>>) -> PyResult<String> {
    let result = job::run(py, report.as_ref(), move |progress| study::run(&path, &out, progress))?;
    json(py, &result)
}

/// Check a study; its validation as JSON, and the rows that would be left out.
#[pyfunction]
#[pyo3(signature = (path, report=None))]
pub fn validate_study(
    py: Python<'_>,
    path: PathBuf,
    report: Option<Py<PyAny>>,
) -> PyResult<(String, PyTable)> {
    let result = job::run(py, report.as_ref(), move |progress| study::validate(&path, progress))?;
    Ok((json(py, &result)?, to_table(io::rejected::to_batch(&result.rejected))?))
}

fn json(py: Python<'_>, value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| to_py(py, Error::Internal(error.to_string())))
}
