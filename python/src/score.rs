//! `standards`, `requirements` and `score`.

use super::arrow::{Source, TableArgument, to_table};
use super::error::to_py;
use super::job;
use super::json::to_json;
use super::network::parse_day;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::path::PathBuf;
use walkshed::batch::score::{Request, run as score_folder};
use walkshed::io::scorecard::{self, Settings, Tables};
use walkshed::io::{defaults, rejected as rejections, standard};
use walkshed::metrics::scorecard::score as scored;
use walkshed::model::standard::Applies;

/// The tables of a scorecard.
#[derive(FromPyObject)]
pub struct Given {
    #[pyo3(item)]
    coverage: TableArgument,
    #[pyo3(item)]
    facilities: TableArgument,
    #[pyo3(item)]
    areas: TableArgument,
    #[pyo3(item)]
    survey: Option<TableArgument>,
}

/// How communities are scored.
#[derive(FromPyObject)]
pub struct How {
    #[pyo3(item)]
    level: Option<String>,
    #[pyo3(item)]
    profile: String,
    #[pyo3(item)]
    built: String,
    #[pyo3(item)]
    complete: Vec<String>,
    #[pyo3(item)]
    as_of: Option<String>,
}

impl How {
    fn understood(self) -> PyResult<(Option<String>, Settings)> {
        let applies = match self.built.as_str() {
            "existing" => Applies::Existing,
            "new" => Applies::New,
            other => return Err(PyValueError::new_err(format!("built {other:?}: use existing or new"))),
        };
        let day = self.as_of.as_deref().map(parse_day).transpose()?;
        Ok((self.level, Settings { profile: self.profile, applies, complete: self.complete, day }))
    }
}

/// The standards that come with the project: id, and names in Chinese and English.
#[pyfunction]
pub fn standards(py: Python<'_>) -> PyResult<Vec<(String, String, String)>> {
    let read = |(name, _)| standard::read(name).map(|found| (found.id, found.name_zh, found.name_en));
    defaults::STANDARDS.into_iter().map(read).collect::<Result<_, _>>().map_err(|error| to_py(py, error))
}

/// What a standard is called, and what may be said of it: id, then each in Chinese and English.
#[pyfunction]
pub fn standard_names(py: Python<'_>, standard: &str) -> PyResult<(String, [String; 2], [String; 2])> {
    let found = standard::read(standard).map_err(|error| to_py(py, error))?;
    Ok((found.id, [found.name_zh, found.name_en], [found.status_zh, found.status]))
}

/// What a standard asks coverage for; see the Python function.
#[pyfunction]
pub fn requirements(py: Python<'_>, standard: &str, profile: &str) -> PyResult<PyTable> {
    let standard = standard::read(standard).map_err(|error| to_py(py, error))?;
    to_table(scorecard::asked_to_batch(&standard, profile))
}

/// Points, items, totals, and the rows that were left out; see the Python function.
#[pyfunction]
#[pyo3(signature = (standard, tables, how, report=None))]
pub fn score(
    py: Python<'_>,
    standard: String,
    tables: Given,
    how: How,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable, PyTable, PyTable)> {
    let (level, settings) = how.understood()?;
    let coverage = tables.coverage.into_source(py, "coverage")?;
    let facilities = tables.facilities.into_source(py, "facilities")?;
    let areas = tables.areas.into_source(py, "areas")?;
    let answers = tables.survey.map(|survey| survey.into_source(py, "survey")).transpose()?;
    let [points, items, totals, rejected] = job::run(py, report.as_ref(), move |progress| {
        let standard = standard::read(&standard)?;
        let mut rejected = Vec::new();
        let tables = Tables {
            facilities: facilities.read()?,
            areas: areas.read()?,
            answers: answers.map(Source::read).transpose()?,
        };
        let areas = scorecard::read_areas(&tables.areas, level.as_deref(), &mut rejected)?;
        let covered = scorecard::read_coverage(&coverage.read()?, &standard, &areas, &settings.profile)?;
        let facts = scorecard::read(&standard, &tables, areas, covered, settings, &mut rejected)?;
        let card = scored(&standard, &facts, progress)?;
        Ok([
            scorecard::points_to_batch(&card, &facts),
            scorecard::items_to_batch(&card, &facts),
            scorecard::totals_to_batch(&card, &facts),
            rejections::to_batch(&rejected),
        ])
    })?;
    Ok((to_table(points)?, to_table(items)?, to_table(totals)?, to_table(rejected)?))
}

/// Score the communities of a run folder and publish the tables; what stands in `score.json`.
#[pyfunction]
#[pyo3(signature = (run, standard, out, survey, facilities, how, report=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
pub fn score_run(
    py: Python<'_>,
    run: PathBuf,
    standard: String,
    out: PathBuf,
    survey: Option<TableArgument>,
    facilities: Option<TableArgument>,
    how: How,
    report: Option<Py<PyAny>>,
) -> PyResult<String> {
    let (level, settings) = how.understood()?;
    let survey = survey.map(|survey| survey.into_source(py, "survey")).transpose()?;
    let facilities = facilities.map(|table| table.into_source(py, "facilities")).transpose()?;
    let made = job::run(py, report.as_ref(), move |progress| {
        let answers = survey.map(Source::read).transpose()?;
        let facilities = facilities.map(Source::read).transpose()?;
        let request =
            Request { run: &run, standard: &standard, answers, facilities, level, settings, out: &out };
        score_folder(request, progress)
    })?;
    to_json(py, &made)
}
