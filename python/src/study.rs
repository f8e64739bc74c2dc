//! `run` and `validate`.

use super::arrow::to_table;
use super::error::to_py;
use super::job;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::path::PathBuf;
use walkshed::batch::study;
use walkshed::io;
use walkshed::model::age_group::{AgeGroup, Ages};
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

/// A group of the catalogue: id, Chinese name, English name, first and last age, headings.
type AgeGroupRow = (String, String, String, Option<u16>, Option<u16>, Vec<String>);

/// The catalogue's age groups.
#[pyfunction]
pub fn age_groups() -> Vec<AgeGroupRow> {
    let row = |group: AgeGroup| {
        let first = group.ages().map(|ages| ages.first);
        let last = group.ages().map(|ages| ages.last).filter(|&last| last < Ages::NO_END);
        (group.id, group.name_zh, group.name_en, first, last, group.headings)
    };
    io::defaults::catalogue().age_group.into_iter().map(row).collect()
}

fn json(py: Python<'_>, value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| to_py(py, Error::Internal(error.to_string())))
}
