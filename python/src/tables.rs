//! The folder of tables: refresh, history, rollback, verification.

use super::job;
use super::json::to_json;
use super::study::{GivenTable, given};
use super::tiles::TiledRun;
use arrow_select::concat::concat_batches;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};
use walkshed::batch::lake::Lake;
use walkshed::batch::refresh::{Extra, Request, is_due, on_day, refresh as run_refresh};
use walkshed::batch::rollback;
use walkshed::io::disk::LocalDisk;
use walkshed::io::memory::MemoryLimit;
use walkshed::model::error::{Error, Result};

/// What is asked of a refresh.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct RefreshOptions {
    study: PathBuf,
    tables: Option<PathBuf>,
    full: bool,
    dry_run: bool,
    as_of: Option<String>,
    overrides: BTreeMap<String, String>,
    any_file_system: bool,
    memory_limit: Option<u64>,
    /// Now, for tests; else the clock of the machine.
    now_ms: Option<u64>,
}

/// Bring the tables of a study up to its inputs; what was done as JSON.
#[pyfunction]
#[pyo3(signature = (options, tables, extra, tiles=None, report=None))]
pub fn refresh(
    py: Python<'_>,
    options: RefreshOptions,
    tables: Vec<GivenTable>,
    extra: Vec<(String, PyTable)>,
    tiles: Option<&TiledRun>,
    report: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (given, now_ms) = (given(tables), options.now_ms.unwrap_or_else(now_ms));
    let tiles = tiles.map(|tiles| Arc::clone(&tiles.run));
    let done = job::run(py, report.as_ref(), move |progress| {
        let extra = extra.into_iter().map(extra_table).collect::<Result<_>>()?;
        let request = Request {
            study: &options.study,
            tables: options.tables.as_deref(),
            given: &given,
            extra,
            full: options.full,
            dry_run: options.dry_run,
            as_of: options.as_of,
            overrides: options.overrides,
            any_file_system: options.any_file_system,
            memory: MemoryLimit::new(options.memory_limit),
            now_ms,
            tiles: tiles.as_deref(),
        };
        run_refresh(&request, progress)
    })?;
    to_json(py, &done)
}

/// Whether a refresh would have anything to do.
#[pyfunction]
pub fn refresh_is_due(py: Python<'_>, options: RefreshOptions, tables: Vec<GivenTable>) -> PyResult<bool> {
    let given = given(tables);
    job::run(py, None, move |_| {
        is_due(&Request {
            study: &options.study,
            tables: options.tables.as_deref(),
            given: &given,
            extra: Vec::new(),
            full: options.full,
            dry_run: true,
            as_of: options.as_of,
            overrides: options.overrides,
            any_file_system: options.any_file_system,
            memory: MemoryLimit::new(options.memory_limit),
            now_ms: 0,
            tiles: None,
        })
    })
}

fn extra_table((name, table): (String, PyTable)) -> Result<Extra> {
    let (batches, schema) = table.into_inner();
    let rows = concat_batches(&schema, &batches).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(Extra { name, rows })
}

/// The records of all releases as JSON, and the first whose files are kept.
#[pyfunction]
pub fn releases(py: Python<'_>, folder: PathBuf) -> PyResult<(String, u64)> {
    let (history, kept_from) = job::run(py, None, move |_| {
        let disk = LocalDisk::default();
        let lake = Lake::new(&folder, &disk);
        Ok((lake.history()?, lake.kept_from()?))
    })?;
    Ok((to_json(py, &history)?, kept_from))
}

/// A file of a table: path inside it, tile, part, rows, bytes, SHA-256.
type FileRow = (String, Option<i64>, String, u64, u64, String);

/// The files of a table at a release, in the order of their paths, and its columns in the words of Delta.
#[pyfunction]
pub fn table_files(
    py: Python<'_>,
    folder: PathBuf,
    table: String,
    release: u64,
) -> PyResult<(Vec<FileRow>, Option<String>)> {
    job::run(py, None, move |_| {
        let disk = LocalDisk::default();
        let (shape, files) = Lake::new(&folder, &disk).table(&table, release)?;
        let row = |file: walkshed::io::delta::DataFile| {
            (file.path, file.tile, file.part, file.rows, file.bytes, file.sha256)
        };
        Ok((files.into_values().map(row).collect(), shape.map(|shape| shape.schema)))
    })
}

/// Every file that is not as its hash says: path, what is wrong.
#[pyfunction]
#[pyo3(signature = (folder, report=None))]
pub fn verify_tables(
    py: Python<'_>,
    folder: PathBuf,
    report: Option<Py<PyAny>>,
) -> PyResult<Vec<(String, &'static str)>> {
    job::run(py, report.as_ref(), move |progress| {
        let disk = LocalDisk::default();
        let damaged = Lake::new(&folder, &disk).verify(progress)?;
        Ok(damaged.into_iter().map(|it| (it.path, it.what)).collect())
    })
}

/// Publish an earlier release again; the record of the new one as JSON.
#[pyfunction]
#[pyo3(signature = (folder, to, reason, report=None))]
pub fn roll_back(
    py: Python<'_>,
    folder: PathBuf,
    to: u64,
    reason: String,
    report: Option<Py<PyAny>>,
) -> PyResult<String> {
    let now_ms = now_ms();
    let release = job::run(py, report.as_ref(), move |progress| {
        let unique = format!("{}-{now_ms}", std::process::id());
        rollback::roll_back(&folder, to, &reason, &unique, now_ms, progress)
    })?;
    to_json(py, &release)
}

fn now_ms() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as u64)
}

/// Name, folder of tables, projects, requests, day.
type Sources = (String, PathBuf, Option<PathBuf>, Option<PathBuf>, Option<String>);

/// What a study is called, where it keeps its tables, the files that only they ask for, and the day on which facilities are
/// open.
#[pyfunction]
#[pyo3(signature = (study, as_of=None))]
pub fn refresh_sources(py: Python<'_>, study: PathBuf, as_of: Option<String>) -> PyResult<Sources> {
    job::run(py, None, move |_| {
        let read = on_day(&study, as_of)?;
        let refresh = read.refresh;
        Ok((read.study.name, refresh.tables, refresh.projects, refresh.requests, read.study.as_of))
    })
}
