//! `synth`.

use super::error::to_py;
use super::job;
use super::json::to_json;
use pyo3::prelude::*;
use std::path::PathBuf;
use walkshed::batch::synthetic;
use walkshed::model::error::Error;
use walkshed::model::synthetic::Wanted;

/// Make a synthetic city; its manifest as JSON.
#[pyfunction]
#[pyo3(signature = (out, nodes, seed, report=None))]
pub fn synth(
    py: Python<'_>,
    out: PathBuf,
    nodes: i64,
    seed: i64,
    report: Option<Py<PyAny>>,
) -> PyResult<String> {
    let wanted = Wanted::new(nodes, seed).map_err(|problems| to_py(py, Error::Input(problems)))?;
    let manifest = job::run(py, report.as_ref(), move |progress| synthetic::write(wanted, &out, progress))?;
    to_json(py, &manifest)
}
