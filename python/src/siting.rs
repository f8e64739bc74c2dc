//! Siting: a search under way, the programs that are left to an exact solver, and the answer.

use super::arrow::{Source, TableArgument, to_table};
use super::error::to_py;
use super::job;
use super::network::{Network, parse_profile};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use walkshed::batch::site;
use walkshed::io;
use walkshed::io::facilities::ids_column;
use walkshed::io::siting::{self as tables, Count, Settings, Tables};
use walkshed::io::table::Table;
use walkshed::model::area::Areas;
use walkshed::model::cell;
use walkshed::model::error::{Error, Result};
use walkshed::model::ids::Ids;
use walkshed::model::place::Place;
use walkshed::model::problem::{Fault, Problem};
use walkshed::model::siting::Aim;
use walkshed::model::times::Direction;
use walkshed::planning::siting::candidates::{Candidate, candidates, cells_of};
use walkshed::planning::siting::program::Program;
use walkshed::planning::siting::{Solve, Verdict};
use walkshed::travel::doors::Walk;

/// The tables of a question.
#[derive(FromPyObject)]
pub struct Given {
    #[pyo3(item)]
    costs: TableArgument,
    #[pyo3(item)]
    demand: Option<TableArgument>,
    #[pyo3(item)]
    sites: Option<TableArgument>,
    #[pyo3(item)]
    existing: Option<TableArgument>,
}

/// A number of sites, or one for each class.
#[derive(FromPyObject)]
pub enum Number {
    /// In all.
    InAll(usize),
    /// Of each class.
    OfClass(BTreeMap<String, usize>),
}

/// What is asked.
#[derive(FromPyObject)]
pub struct Asked {
    #[pyo3(item)]
    problem: String,
    #[pyo3(item)]
    k: Option<Number>,
    #[pyo3(item)]
    limit: Option<f64>,
    #[pyo3(item)]
    unserved_cost: Option<f64>,
    #[pyo3(item)]
    by_yuan: bool,
    #[pyo3(item)]
    budget: Option<f64>,
    #[pyo3(item)]
    at_least_one_per: Option<String>,
    #[pyo3(item)]
    weight: Option<String>,
    #[pyo3(item)]
    capacitated: Option<bool>,
    #[pyo3(item)]
    time_limit_s: Option<f64>,
}

fn positive(name: &str, number: Option<f64>) -> PyResult<()> {
    match number.filter(|number| !(number.is_finite() && *number >= 0.0)) {
        Some(wrong) => Err(PyValueError::new_err(format!("{name} {wrong}: use a number from 0"))),
        None => Ok(()),
    }
}

impl Asked {
    fn understood(self) -> PyResult<Settings> {
        positive("limit", self.limit)?;
        positive("unserved_cost", self.unserved_cost)?;
        positive("budget", self.budget)?;
        positive("time_limit_s", self.time_limit_s)?;
        let limit = self.limit.unwrap_or(f64::INFINITY);
        let aim = match self.problem.as_str() {
            "p_median" => Aim::PMedian { unserved_cost: self.unserved_cost },
            "maximal_covering" => Aim::MaximalCovering { limit },
            "set_covering" => Aim::SetCovering { limit, by_yuan: self.by_yuan },
            "p_center" => Aim::PCenter,
            other => return Err(PyValueError::new_err(format!("no problem {other:?}"))),
        };
        let count = match self.k {
            None => Count::Any,
            Some(Number::InAll(most)) => Count::InAll(most),
            Some(Number::OfClass(most)) => Count::OfClass(most),
        };
        Ok(Settings {
            aim,
            count,
            budget_yuan: self.budget,
            per_area: self.at_least_one_per,
            weight: self.weight,
            capacitated: self.capacitated,
        })
    }
}

/// A search with the best answer so far.
#[pyclass(frozen, name = "SitingSearch")]
pub struct SitingSearch {
    solve: Arc<Mutex<Solve>>,
}

/// What an exact solver takes: see `Program` of the engine.
#[pyclass(frozen, get_all, name = "SitingProgram")]
pub struct SitingProgram {
    site: Vec<u32>,
    cost: Vec<f64>,
    low: Vec<f64>,
    high: Vec<f64>,
    first: Vec<u32>,
    column: Vec<u32>,
    factor: Vec<f64>,
    row_low: Vec<f64>,
    row_high: Vec<f64>,
    offset: f64,
    cutoff: f64,
}

impl From<Program> for SitingProgram {
    fn from(program: Program) -> Self {
        let Program { site, cost, low, high, first, column, factor, row_low, row_high, offset, cutoff } =
            program;
        Self { site, cost, low, high, first, column, factor, row_low, row_high, offset, cutoff }
    }
}

/// Sites, assignment, unserved and gain; the objective, the bound, the gap; whether the search was stopped.
type Answer = (PyTable, PyTable, PyTable, PyTable, f64, f64, f64, bool);

impl SitingSearch {
    /// What a search holds is whole after every call, also after one that panicked.
    fn solve(&self) -> MutexGuard<'_, Solve> {
        self.solve.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[pymethods]
impl SitingSearch {
    /// The program that is left to solve, if it has at most so many factors.
    fn program(&self, py: Python<'_>, most: usize) -> Option<SitingProgram> {
        py.detach(|| self.solve().program(most)).map(SitingProgram::from)
    }

    /// Hear what an exact solver says of the last program.
    #[pyo3(signature = (sites, bound, infeasible, cutoff))]
    fn hear(
        &self,
        py: Python<'_>,
        sites: Option<Vec<u32>>,
        bound: Option<f64>,
        infeasible: bool,
        cutoff: f64,
    ) {
        py.detach(|| self.solve().hear(&Verdict { sites, bound, infeasible }, cutoff));
    }

    /// Whether the search was stopped before its end.
    #[getter]
    fn stopped(&self) -> bool {
        self.solve().was_stopped()
    }

    /// Say that the search was asked to stop.
    fn stop(&self) {
        self.solve().stop();
    }

    /// The best answer so far.
    fn answer(&self, py: Python<'_>) -> PyResult<Answer> {
        let told = py.detach(|| {
            let solve = self.solve();
            let answer = solve.siting()?;
            let question = solve.question();
            Ok((
                tables::sites_to_batch(question, &answer),
                tables::assignment_to_batch(question, &answer),
                tables::unserved_to_batch(question, &answer),
                tables::gain_to_batch(question, &answer),
                (answer.objective, answer.bound, answer.gap(), answer.stopped),
            ))
        });
        let (sites, assignment, unserved, gain, (objective, bound, gap, stopped)) =
            told.map_err(|error| to_py(py, error))?;
        let tables = (to_table(sites)?, to_table(assignment)?, to_table(unserved)?, to_table(gain)?);
        Ok((tables.0, tables.1, tables.2, tables.3, objective, bound, gap, stopped))
    }
}

/// Read a question and search; see the Python functions. Ctrl-C ends the search with the best answer so far.
#[pyfunction]
#[pyo3(signature = (given, asked, report=None))]
pub fn siting(
    py: Python<'_>,
    given: Given,
    asked: Asked,
    report: Option<Py<PyAny>>,
) -> PyResult<SitingSearch> {
    let time_limit_s = asked.time_limit_s;
    let settings = asked.understood()?;
    let costs = given.costs.into_source(py, "costs")?;
    let demand = given.demand.map(|table| table.into_source(py, "demand")).transpose()?;
    let sites = given.sites.map(|table| table.into_source(py, "sites")).transpose()?;
    let existing = given.existing.map(|table| table.into_source(py, "existing")).transpose()?;
    let solve = job::run_to_best(py, report.as_ref(), move |progress| {
        progress.begin("reading", 0)?;
        let tables = Tables {
            costs: costs.read()?,
            demand: demand.map(Source::read).transpose()?,
            sites: sites.map(Source::read).transpose()?,
            existing: existing.map(Source::read).transpose()?,
        };
        let question = tables::read(&tables, &settings)?;
        // From here on there is something to give back.
        progress.check()?;
        Solve::start(question, time_limit_s, progress)
    })?;
    Ok(SitingSearch { solve: Arc::new(Mutex::new(solve)) })
}

/// Where candidates are looked for.
#[derive(FromPyObject)]
pub struct Around {
    #[pyo3(item)]
    places: TableArgument,
    #[pyo3(item)]
    areas: Option<TableArgument>,
    #[pyo3(item)]
    land: Option<TableArgument>,
    #[pyo3(item)]
    resolution: u8,
    #[pyo3(item)]
    max_street_m: f64,
    #[pyo3(item)]
    profile: String,
}

/// Centres of cells near streets as candidates; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, around, report=None))]
pub fn siting_candidates(
    py: Python<'_>,
    network: &Network,
    around: Around,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let Some(resolution) = cell::resolution(around.resolution) else {
        return Err(PyValueError::new_err(format!("resolution {}: use 0 to 15", around.resolution)));
    };
    positive("max_street_m", Some(around.max_street_m))?;
    let profile = parse_profile(&around.profile)?;
    let network = Arc::clone(&network.network);
    let places = around.places.into_source(py, "places")?;
    let areas = around.areas.map(|table| table.into_source(py, "areas")).transpose()?;
    let land = around.land.map(|table| table.into_source(py, "land")).transpose()?;
    let max_street_m = around.max_street_m;
    let (found, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected = Vec::new();
        let places = places.read_for(&network)?;
        let mut areas = areas
            .map(|areas| io::areas::read(&areas.read_for(&network)?, "area_id", &mut rejected))
            .transpose()?;
        let land = land.map(|land| outlines(&land.read_for(&network)?, &mut rejected)).transpose()?;
        // Areas stand for their cells; cells, drawn or not, and points for themselves.
        let (id, spots) = if places.geometry_column().is_some() && !places.has("cell") {
            let outlined = io::areas::read(&places, "area_id", &mut rejected)?;
            let cells = cells_of(&outlined, resolution)?;
            areas.get_or_insert(outlined);
            let spots: Vec<Place> = cells.iter().map(|&each| cell::centre(each)).collect();
            (Ids::UInt(cells.into_iter().map(u64::from).collect()), spots)
        } else {
            let origins = io::cells::read_origins(&places, &mut rejected)?;
            (origins.id, origins.spot.iter().map(|spot| spot.place).collect())
        };
        let walk = Walk::new(&network, &profile, Direction::ToFacility);
        let found = candidates(&walk, &spots, areas.as_ref(), land.as_ref(), max_street_m, progress)?;
        Ok((to_batch(&id, &spots, found), rejected))
    })?;
    Ok((to_table(found)?, to_table(io::rejected::to_batch(&rejected))?))
}

/// Outlines without ids.
fn outlines(table: &Table, rejected: &mut Vec<Problem>) -> Result<Areas> {
    let column = table.geometry_column().ok_or_else(|| {
        let found = table.column_names();
        Problem::of_file(&table.name, Fault::MissingColumn { found }).in_column("geometry")
    })?;
    let mut areas = Areas::default();
    for (row, shape) in table.geometries(&column, rejected)?.into_iter().enumerate() {
        match shape.map(io::geometry::polygons_of) {
            Some(Ok(outline)) => areas.push_bare((row + 1).to_string(), Some(outline)),
            Some(Err(fault)) => rejected.push(table.problem(row, &column, None, fault)),
            None => {}
        }
    }
    if areas.id.is_empty() { Err(Error::Input(std::mem::take(rejected))) } else { Ok(areas) }
}

/// Candidates by id.
fn to_batch(id: &Ids, spots: &[Place], mut found: Vec<Candidate>) -> RecordBatch {
    let rank = id.ranks();
    found.sort_by_key(|candidate| rank[candidate.row]);
    let rows = || found.iter().map(|candidate| candidate.row);
    let number = |of: &dyn Fn(&Candidate) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(found.iter().map(of)))
    };
    let area: StringArray = found.iter().map(|candidate| candidate.area.as_deref()).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("id", ids_column(id, rows().map(Some)), false),
        ("lon", number(&|candidate| spots[candidate.row].lon()), false),
        ("lat", number(&|candidate| spots[candidate.row].lat()), false),
        ("area_id", Arc::new(area) as ArrayRef, true),
        ("street_m", number(&|candidate| candidate.street_m), false),
    ])
    .expect("all columns have one value per candidate")
}

/// Look whether a choice of sites may be published there.
#[pyfunction]
pub fn check_siting(py: Python<'_>, out: PathBuf) -> PyResult<()> {
    site::check(&out).map_err(|error| to_py(py, error))
}

/// Publish the tables of a choice of sites and its report as a folder.
#[pyfunction]
pub fn publish_siting(
    py: Python<'_>,
    out: PathBuf,
    tables: Vec<(String, PyTable)>,
    report: String,
) -> PyResult<()> {
    let whole = |(name, table): (String, PyTable)| {
        let (mut batches, schema) = table.into_inner();
        if batches.is_empty() {
            batches.push(RecordBatch::new_empty(schema));
        }
        (name, batches)
    };
    let tables: Vec<(String, Vec<RecordBatch>)> = tables.into_iter().map(whole).collect();
    job::run(py, None, move |progress| site::publish(&out, &tables, &report, progress))
}
