//! `run` and `validate`.

use super::arrow::{FileTable, to_table};
use super::error::Refusal;
use super::job;
use super::json::to_json;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::path::PathBuf;
use walkshed::batch::study;
use walkshed::batch::validate::{self, Checked};
use walkshed::io;
use walkshed::io::given::Given;
use walkshed::io::hash::InputFile;
use walkshed::io::memory::MemoryLimit;
use walkshed::model::age_group::{AgeGroup, Ages};
use walkshed::model::error::Error;
use walkshed::model::problem::{Level, Problem};
use walkshed::model::study::TableFile;

/// The files of a study that hold tables: path, layer.
#[pyfunction]
pub fn study_files(py: Python<'_>, path: PathBuf) -> PyResult<Vec<(PathBuf, Option<String>)>> {
    let study = job::run(py, None, move |_| io::study::read(&path))?;
    Ok(study.table_files().into_iter().map(|file| (file.path, file.layer)).collect())
}

/// A study as `run.json` tells it: every setting, whether it was stated or not.
#[pyfunction]
pub fn read_study(py: Python<'_>, path: PathBuf) -> PyResult<String> {
    let study = job::run(py, None, move |_| io::study::read(&path))?;
    to_json(py, &study)
}

/// A table that Python read for a study, or why it did not.
#[derive(FromPyObject)]
pub struct GivenTable {
    #[pyo3(item)]
    path: PathBuf,
    #[pyo3(item)]
    layer: Option<String>,
    #[pyo3(item)]
    table: Option<Py<FileTable>>,
    #[pyo3(item)]
    refusals: Vec<Py<Refusal>>,
    /// Size and SHA-256 of a file that was fetched.
    #[pyo3(item)]
    fetched: Option<(u64, String)>,
}

/// What Python read, by path.
pub fn given(tables: Vec<GivenTable>) -> Given {
    let mut given = Given::default();
    for GivenTable { path, layer, table, refusals, fetched } in tables {
        if let Some((bytes, sha256)) = fetched {
            given.add_fetched(InputFile { path: path.display().to_string(), bytes, sha256 });
        }
        let table = match table {
            Some(table) => Ok(table.get().table()),
            None => Err(Error::Input(refusals.iter().map(|refusal| refusal.get().problem()).collect())),
        };
        given.add(TableFile { path, layer }, table);
    }
    given
}

/// Run a study; its report as JSON.
#[pyfunction]
#[pyo3(signature = (path, out, tables, memory_limit=None, report=None))]
pub fn run_study(
    py: Python<'_>,
    path: PathBuf,
    out: PathBuf,
    tables: Vec<GivenTable>,
    memory_limit: Option<u64>,
    report: Option<Py<PyAny>>,
) -> PyResult<String> {
    let given = given(tables);
    let result = job::run(py, report.as_ref(), move |progress| {
        study::run_given(&path, &out, &given, MemoryLimit::new(memory_limit), progress)
    })?;
    to_json(py, &result)
}

/// What checking found: the state of a study that can run as JSON, findings, totals, the problems that stop it, rows that
/// are left out, and the page.
type Found = (Option<String>, PyTable, PyTable, PyTable, PyTable, String);

/// Check a study, or files one by one, and write the report where one is wanted.
#[pyfunction]
#[pyo3(signature = (study, files, tables, out, title, report=None))]
pub fn validate_inputs(
    py: Python<'_>,
    study: Option<PathBuf>,
    files: Vec<PathBuf>,
    tables: Vec<GivenTable>,
    out: Option<PathBuf>,
    title: String,
    report: Option<Py<PyAny>>,
) -> PyResult<Found> {
    let given = given(tables);
    let (found, page) = job::run(py, report.as_ref(), move |progress| {
        let found = match study {
            Some(path) => validate::study(&path, &given, progress)?,
            None => Checked { ready: None, findings: validate::files(&files, &given, progress)? },
        };
        if let Some(out) = out {
            validate::publish(&out, &title, &found.findings, progress)?;
        }
        let page = io::findings_page::to_html(&title, &found.findings);
        Ok((found, page))
    })?;
    let ready = found.ready.as_ref().map(|ready| to_json(py, ready)).transpose()?;
    let all = &found.findings.all;
    let of_level = |level: Level| -> Vec<Problem> {
        all.iter().filter(|finding| finding.level == level).map(|finding| finding.problem.clone()).collect()
    };
    Ok((
        ready,
        to_table(io::findings::to_batch(all))?,
        to_table(io::findings::tallies_to_batch(&found.findings.tallies))?,
        to_table(io::rejected::to_batch(&of_level(Level::Error)))?,
        to_table(io::rejected::to_batch(&of_level(Level::Rejected)))?,
        page,
    ))
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
