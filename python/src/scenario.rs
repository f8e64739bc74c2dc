//! `Scenario` and `Baseline`: edits, and what they change of a city that is prepared once.

use super::arrow::{TableArgument, to_table, to_tables};
use super::error::to_py;
use super::job;
use super::json::to_json;
use super::network::{Network, parse_day, parse_direction, parse_profile};
use super::study::{GivenTable, given};
use arrow_array::RecordBatch;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use serde::Deserialize;
use std::path::PathBuf;
use std::sync::Arc;
use walkshed::batch::scenario::run;
use walkshed::io;
use walkshed::io::memory::MemoryLimit;
use walkshed::io::pairs::PairColumns;
use walkshed::io::scenario;
use walkshed::model::area::Areas;
use walkshed::model::error::Result;
use walkshed::model::ids::Ids;
use walkshed::model::problem::Problem;
use walkshed::model::scenario::Scenario;
use walkshed::planning::rank::{self, Candidate, Objective, Rule};
use walkshed::planning::what_if::{City, Inputs, Question};
use walkshed::planning::{areas, facilities, people, streets};

/// Read a scenario from TOML: name, file, id and edits as JSON.
#[pyfunction]
pub fn read_scenario(py: Python<'_>, path: PathBuf) -> PyResult<(String, String, String)> {
    let read = scenario::read(&path).and_then(|read| Ok((scenario::to_json(&read.edits)?, read)));
    read.map(|(json, read)| (read.name, read.id, json)).map_err(|error| to_py(py, error))
}

/// Check edits in JSON: their id, and the edits as they are understood.
#[pyfunction]
pub fn check_edits(py: Python<'_>, edits: &str) -> PyResult<(String, String)> {
    let read = scenario::from_json("scenario", edits);
    let read = read.and_then(|read| Ok((read.id, scenario::to_json(&read.edits)?)));
    read.map_err(|error| to_py(py, error))
}

fn parse(py: Python<'_>, name: &str, edits: &str) -> PyResult<Scenario> {
    scenario::from_json(name, edits).map_err(|error| to_py(py, error))
}

/// The streets under the edits of a scenario, which facilities that are searched for are edited by too.
#[pyfunction]
pub fn with_scenario(py: Python<'_>, network: &Network, name: &str, edits: &str) -> PyResult<Network> {
    let plan = Arc::new(parse(py, name, edits)?);
    let base = match &network.network.overlay {
        Some(overlay) => Arc::clone(&overlay.base),
        None => Arc::clone(&network.network),
    };
    let of_streets = Arc::clone(&plan);
    let network = job::run(py, None, move |_| Ok(streets::overlay(&base, &of_streets)?.network()))?;
    Ok(Network { network: Arc::new(network), contractions: Arc::default(), plan: Some(plan) })
}

/// A table of facilities under the edits of a scenario: which rows stay, where each is, and what comes after them.
#[pyfunction]
pub fn edit_facilities(py: Python<'_>, edits: &str, table: TableArgument) -> PyResult<(PyTable, PyTable)> {
    let plan = parse(py, "scenario", edits)?;
    let table = table.into_source(py, "facilities")?;
    edited(py, move |rejected| {
        let ledger = io::facilities::read(&table.read()?, io::facilities::Columns::default(), rejected)?;
        let edits = facilities::resolve(&plan, &ledger, None)?;
        let edited = edits.apply(ledger);
        Ok(io::facilities::to_batch(&edited, &vec![None; edited.len()], None))
    })
}

/// A table under edits, and the rows of it that were left out.
fn edited(
    py: Python<'_>,
    edit: impl FnOnce(&mut Vec<Problem>) -> Result<RecordBatch> + Send + 'static,
) -> PyResult<(PyTable, PyTable)> {
    let (batch, rejected) = job::run(py, None, move |_| {
        let mut rejected = Vec::new();
        Ok((edit(&mut rejected)?, rejected))
    })?;
    Ok((to_table(batch)?, to_table(io::rejected::to_batch(&rejected))?))
}

/// A city that is prepared once, to be asked what scenarios change.
#[pyclass(frozen, module = "walkshed._engine")]
pub struct Baseline {
    city: Arc<City>,
}

/// What a city is, and what is asked of it.
#[derive(FromPyObject)]
pub struct CityArgument {
    #[pyo3(item)]
    cells: TableArgument,
    #[pyo3(item)]
    facilities: TableArgument,
    #[pyo3(item)]
    areas: Option<TableArgument>,
    #[pyo3(item)]
    minutes: Vec<f64>,
    #[pyo3(item)]
    profiles: Vec<String>,
    #[pyo3(item)]
    direction: String,
    #[pyo3(item)]
    groups: Option<Vec<String>>,
    #[pyo3(item)]
    as_of: Option<String>,
}

#[pymethods]
impl Baseline {
    #[staticmethod]
    #[pyo3(signature = (network, city, report=None))]
    fn prepare(
        py: Python<'_>,
        network: &Network,
        city: CityArgument,
        report: Option<Py<PyAny>>,
    ) -> PyResult<(Self, PyTable)> {
        let cells = city.cells.into_source(py, "cells")?;
        let facilities = city.facilities.into_source(py, "facilities")?;
        let areas = city.areas.map(|areas| areas.into_source(py, "areas")).transpose()?;
        let profiles = city.profiles.iter().map(|json| parse_profile(json)).collect::<PyResult<_>>()?;
        let question =
            Question { profiles, direction: parse_direction(&city.direction)?, minutes: city.minutes };
        let day = city.as_of.as_deref().map(parse_day).transpose()?;
        let groups = city.groups;
        let network = Arc::clone(&network.network);
        let (city, rejected) = job::run(py, report.as_ref(), move |progress| {
            let mut rejected = Vec::new();
            let table = cells.read_for(&network)?;
            let cells = io::cells::read_inhabited(&table, groups.as_deref(), &mut rejected)?;
            let columns = io::facilities::Columns::default();
            let ledger = io::facilities::read(&facilities.read_for(&network)?, columns, &mut rejected)?;
            let areas = match areas {
                Some(table) => {
                    let table = table.read()?.analysed_in(network.origin.analysis_crs);
                    io::areas::read(&table, "area_id", &mut rejected)?
                }
                None => Areas::everywhere(),
            };
            let inputs = Inputs { network, cells, ledger, day, areas, parents: None };
            MemoryLimit::new(None).check("Baseline", City::memory_bytes(&inputs, &question))?;
            let city = City::prepare(inputs, question, progress)?;
            rejected.extend(city.unjoined());
            Ok((city, rejected))
        })?;
        Ok((Self { city: Arc::new(city) }, to_table(io::rejected::to_batch(&rejected))?))
    }

    /// The coverage of the baseline.
    fn coverage(&self, py: Python<'_>) -> PyResult<PyTable> {
        to_tables(py.detach(|| self.city.coverage.iter().map(io::coverage::to_batch).collect()))
    }

    /// What a scenario changes: coverage of the areas and classes that it touches, changed cells, gains.
    #[pyo3(signature = (name, edits, report=None))]
    fn answer(
        &self,
        py: Python<'_>,
        name: &str,
        edits: &str,
        report: Option<Py<PyAny>>,
    ) -> PyResult<(PyTable, PyTable, PyTable)> {
        let plan = parse(py, name, edits)?;
        let city = Arc::clone(&self.city);
        let (coverage, cells, gains) = job::run(py, report.as_ref(), move |progress| {
            let answer = city.answer(&plan, progress)?;
            let coverage = answer.coverage.iter().map(io::coverage::to_batch).collect::<Vec<_>>();
            let cells = io::changes::cells_to_batch(&city.changed_cells(&answer), city.cells(&answer));
            Ok((coverage, cells, io::changes::gains_to_batch(&city.gains(&answer))))
        })?;
        Ok((to_tables(coverage)?, to_table(cells)?, to_table(gains)?))
    }

    /// The cells whose pairs a scenario can touch, and their pairs.
    #[pyo3(signature = (name, edits, profile, catchments, report=None))]
    fn reach(
        &self,
        py: Python<'_>,
        name: &str,
        edits: &str,
        profile: usize,
        catchments: bool,
        report: Option<Py<PyAny>>,
    ) -> PyResult<(Vec<u64>, PyTable)> {
        let plan = parse(py, name, edits)?;
        let city = Arc::clone(&self.city);
        let (cells, pairs) = job::run(py, report.as_ref(), move |progress| {
            let found = city.reach(&plan, profile, catchments, progress)?;
            let cell: Vec<u64> = found.cells.cell.iter().map(|&cell| u64::from(cell)).collect();
            let touched = found.origins.iter().map(|&origin| cell[origin as usize]).collect();
            let columns = PairColumns::new(&Ids::UInt(cell), &found.ledger);
            let origin = found.pairs.iter().map(|pair| pair.0).collect();
            let facility = found.pairs.iter().map(|pair| pair.1).collect();
            let time_ds: Vec<u32> = found.pairs.iter().map(|pair| pair.2).collect();
            Ok((touched, columns.batch(origin, facility, &time_ds)))
        })?;
        Ok((cells, to_table(pairs)?))
    }
}

/// Cells under the edits of a scenario.
#[pyfunction]
#[pyo3(signature = (edits, cells, groups=None))]
pub fn edit_cells(
    py: Python<'_>,
    edits: &str,
    cells: TableArgument,
    groups: Option<Vec<String>>,
) -> PyResult<(PyTable, PyTable)> {
    let plan = parse(py, "scenario", edits)?;
    let cells = cells.into_source(py, "cells")?;
    edited(py, move |rejected| {
        let cells = io::cells::read_inhabited(&cells.read()?, groups.as_deref(), rejected)?;
        let edited = people::apply(&plan, cells)?;
        Ok(io::cells::to_batch(&edited, &vec![None; edited.cell.len()]))
    })
}

/// Areas under the edits of a scenario; their people are not counted.
#[pyfunction]
pub fn edit_areas(py: Python<'_>, edits: &str, table: TableArgument) -> PyResult<(PyTable, PyTable)> {
    let plan = parse(py, "scenario", edits)?;
    let table = table.into_source(py, "areas")?;
    edited(py, move |rejected| {
        let read = io::areas::read(&table.read()?, "area_id", rejected)?;
        let edited = areas::apply(&plan, read)?;
        Ok(io::areas::to_batch(&edited, &vec![0.0; edited.id.len()]))
    })
}

/// Answer scenarios of a study and publish the answers; the report as JSON.
#[pyfunction]
#[pyo3(signature = (study, plans, out, tables, report=None))]
pub fn run_scenarios(
    py: Python<'_>,
    study: PathBuf,
    plans: Vec<PathBuf>,
    out: PathBuf,
    tables: Vec<GivenTable>,
    report: Option<Py<PyAny>>,
) -> PyResult<String> {
    let given = given(tables);
    let found = job::run(py, report.as_ref(), move |progress| run(&study, &plans, &out, &given, progress))?;
    to_json(py, &found)
}

/// A candidate as Python tells it.
#[derive(Deserialize)]
struct ToldCandidate {
    id: String,
    edits: String,
    cost_yuan: f64,
}

/// A rule as Python tells it: so many, or within what there is each year.
#[derive(Deserialize)]
struct ToldRule {
    best: Option<usize>,
    #[serde(default)]
    yearly_yuan: Vec<f64>,
    #[serde(default)]
    carry: bool,
}

/// What is counted, as Python tells it.
#[derive(Deserialize)]
struct ToldObjective {
    minutes: Option<f64>,
    classes: Vec<String>,
    group: String,
    profile: String,
}

/// Candidate, year, gain and total of each step; what every candidate adds alone; whether the user stopped it.
type Chosen = (Vec<(usize, usize, f64, f64)>, Vec<f64>, bool);

/// Choose candidates one beside the other; see the Python functions.
#[pyfunction]
#[pyo3(signature = (baseline, candidates, rule, objective, report=None))]
pub fn build_order(
    py: Python<'_>,
    baseline: &Baseline,
    candidates: &str,
    rule: &str,
    objective: &str,
    report: Option<Py<PyAny>>,
) -> PyResult<Chosen> {
    let told: Vec<ToldCandidate> = told(candidates)?;
    let candidates: Vec<Candidate> = told
        .into_iter()
        .map(|told| {
            let edits = parse(py, &told.id, &told.edits)?.edits;
            Ok(Candidate { id: told.id, edits, cost_yuan: told.cost_yuan })
        })
        .collect::<PyResult<_>>()?;
    let ToldRule { best, yearly_yuan, carry } = self::told(rule)?;
    let rule = best.map_or(Rule::PerYuan { yearly_yuan, carry }, |count| Rule::Best { count });
    let ToldObjective { minutes, classes, group, profile } = self::told(objective)?;
    let objective = Objective { minutes, classes, group, profile };
    let city = Arc::clone(&baseline.city);
    let found = job::run_to_best(py, report.as_ref(), move |progress| {
        rank::order(&city, &candidates, &rule, &objective, progress)
    })?;
    let steps = found.steps.iter().map(|step| (step.candidate, step.year, step.gain, step.total));
    Ok((steps.collect(), found.alone, found.stopped))
}

fn told<T: serde::de::DeserializeOwned>(json: &str) -> PyResult<T> {
    serde_json::from_str(json).map_err(|error| PyValueError::new_err(error.to_string()))
}
