//! A study tile by tile: the driver's side and the worker's.

use super::error::to_py;
use super::job;
use super::json::to_json;
use super::study::{GivenTable, given};
use pyo3::prelude::*;
use pyo3::types::PyBytes;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use walkshed::batch::tiles::{self, Options};

/// A tiled run, which stays in the process that began it.
#[pyclass(frozen)]
pub struct TiledRun {
    pub run: Arc<Mutex<tiles::TiledRun>>,
    report: Option<Py<PyAny>>,
}

#[pymethods]
impl TiledRun {
    #[new]
    #[expect(clippy::too_many_arguments, reason = "what Python passes by name")]
    #[pyo3(signature = (study, work, tables, *, memory_limit, tile_resolution, parallel, report=None))]
    fn new(
        py: Python<'_>,
        study: PathBuf,
        work: PathBuf,
        tables: Vec<GivenTable>,
        memory_limit: Option<u64>,
        tile_resolution: Option<u8>,
        parallel: u32,
        report: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let given = given(tables);
        let options = Options { memory_bytes: memory_limit, tile_resolution, parallel };
        let run = job::run(py, report.as_ref(), move |progress| {
            tiles::TiledRun::open(&study, &work, given, options, progress)
        })?;
        Ok(Self { run: Arc::new(Mutex::new(run)), report })
    }

    /// The tiles and what was done with them, as JSON.
    #[getter]
    fn summary(&self, py: Python<'_>) -> PyResult<String> {
        let summary = py.detach(|| self.run.lock().unwrap_or_else(PoisonError::into_inner).summary());
        to_json(py, &summary)
    }

    /// The next stage and the tiles to be done in it; none when all are.
    fn stage(&self, py: Python<'_>) -> PyResult<Option<tiles::Job>> {
        let run = Arc::clone(&self.run);
        job::run(py, self.report.as_ref(), move |progress| {
            run.lock().unwrap_or_else(PoisonError::into_inner).stage(progress)
        })
    }

    /// Take a receipt that came back from a worker.
    fn accept(&self, py: Python<'_>, stage: &str, receipt: &[u8]) -> PyResult<()> {
        let accepted =
            py.detach(|| self.run.lock().unwrap_or_else(PoisonError::into_inner).accept(stage, receipt));
        accepted.map_err(|error| to_py(py, error))
    }

    /// Put all tiles together and publish the folder; its report as JSON.
    fn finish(&self, py: Python<'_>, out: PathBuf) -> PyResult<String> {
        let run = Arc::clone(&self.run);
        let report = job::run(py, self.report.as_ref(), move |progress| {
            run.lock().unwrap_or_else(PoisonError::into_inner).finish(&out, progress)
        })?;
        to_json(py, &report)
    }
}

/// Do a stage of one tile on so many threads; its receipt.
#[pyfunction]
#[pyo3(signature = (work, stage, key, threads, report=None))]
pub fn tile_job(
    py: Python<'_>,
    work: PathBuf,
    stage: String,
    key: String,
    threads: usize,
    report: Option<Py<PyAny>>,
) -> PyResult<Bound<'_, PyBytes>> {
    let receipt =
        job::run(py, report.as_ref(), move |progress| tiles::job(&work, &stage, &key, threads, progress))?;
    Ok(PyBytes::new(py, &receipt))
}
