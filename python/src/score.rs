//! `standards`, `requirements` and `score`.

use super::arrow::{Source, TableArgument, to_table};
use super::error::to_py;
use super::job;
use super::network::parse_day;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
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

/// The standards that come with the project: id, and names in Chinese and English.
#[pyfunction]
pub fn standards(py: Python<'_>) -> PyResult<Vec<(String, String, String)>> {
    let read = |(name, _)| standard::read(name).map(|found| (found.id, found.name_zh, found.name_en));
    defaults::STANDARDS.into_iter().map(read).collect::<Result<_, _>>().map_err(|error| to_py(py, error))
}

/// What a standard asks coverage for; see the Python function.
#[pyfunction]
pub fn requirements(py: Python<'_>, standard: &str, profile: &str) -> PyResult<PyTable> {
    let standard = standard::read(standard).map_err(|error| to_py(py, error))?;
    to_table(scorecard::asked_to_batch(&standard, profile))
}

/// Points, items, totals, and the rows that were left out; see the Python function.
#[pyfunction]
#[pyo3(signature = (standard, tables, profile, built, complete, as_of, report=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
pub fn score(
    py: Python<'_>,
    standard: String,
    tables: Given,
    profile: String,
    built: &str,
    complete: Vec<String>,
    as_of: Option<&str>,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable, PyTable, PyTable)> {
    let applies = match built {
        "existing" => Applies::Existing,
        "new" => Applies::New,
        _ => return Err(PyValueError::new_err(format!("built {built:?}: use existing or new"))),
    };
    let day = as_of.map(parse_day).transpose()?;
    let settings = Settings { profile, applies, complete, day };
    let coverage = tables.coverage.into_source(py, "coverage")?;
    let facilities = tables.facilities.into_source(py, "facilities")?;
    let areas = tables.areas.into_source(py, "areas")?;
    let answers = tables.survey.map(|survey| survey.into_source(py, "survey")).transpose()?;
    let [points, items, totals, rejected] = job::run(py, report.as_ref(), move |progress| {
        let standard = standard::read(&standard)?;
        let tables = Tables {
            coverage: coverage.read()?,
            facilities: facilities.read()?,
            areas: areas.read()?,
            answers: answers.map(Source::read).transpose()?,
        };
        let mut rejected = Vec::new();
        let facts = scorecard::read(&standard, &tables, defaults::catalogue(), settings, &mut rejected)?;
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
