//! `straight_line` and `detour`.

use super::arrow::{TableArgument, to_table};
use super::job;
use super::network::parse_day;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use walkshed::io;
use walkshed::io::costs::Ends;
use walkshed::io::table::Table;
use walkshed::metrics::straight;
use walkshed::model::error::Result;
use walkshed::model::facility::Facilities;
use walkshed::model::ledger::Day;
use walkshed::model::place::Place;
use walkshed::model::problem::Problem;
use walkshed::model::times::{Found, Reason, Times};

/// Name of the profile of straight lines.
const STRAIGHT: &str = "straight_line";

fn read_open(table: &Table, day: Option<Day>, rejected: &mut Vec<Problem>) -> Result<Facilities> {
    let ledger = io::facilities::read(table, io::facilities::Columns::default(), rejected)?;
    rejected.extend(ledger.status_problems(day));
    Ok(ledger.pick(&ledger.open_on(day)?))
}

fn positive(name: &str, value: f64) -> PyResult<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(PyValueError::new_err(format!("{name} {value}: use a number above 0")))
}

/// The nearest facility of every class in a straight line; see the Python function.
#[pyfunction]
#[pyo3(signature = (origins, facilities, radius_m, speed_mps, as_of, report=None))]
pub fn straight_line(
    py: Python<'_>,
    origins: TableArgument,
    facilities: TableArgument,
    radius_m: f64,
    speed_mps: f64,
    as_of: Option<&str>,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    positive("radius_m", radius_m)?;
    positive("speed_mps", speed_mps)?;
    let day = as_of.map(parse_day).transpose()?;
    let (origins, facilities) =
        (origins.into_source(py, "origins")?, facilities.into_source(py, "facilities")?);
    let (batch, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected = Vec::new();
        let origins = io::cells::read_origins(&origins.read()?, &mut rejected)?;
        let facilities = read_open(&facilities.read()?, day, &mut rejected)?;
        let places: Vec<Place> = origins.spot.iter().map(|spot| spot.place).collect();
        let found = straight::nearest(&places, &facilities, radius_m, progress)?;
        let nearest = found.iter().map(|found| {
            found
                .map(|found| Found::new(found.time_ds(speed_mps), found.facility))
                .ok_or(Reason::BeyondCutoff)
        });
        let times = Times {
            profile: STRAIGHT.to_owned(),
            origin: origins.id,
            class: facilities.classes(),
            nearest: nearest.collect(),
            facility: facilities.id,
        };
        let distance_m = found.iter().map(|found| found.map(|found| found.distance_m));
        Ok((io::times::straight_to_batch(&times, distance_m), rejected))
    })?;
    Ok((to_table(batch)?, to_table(io::rejected::to_batch(&rejected))?))
}

/// How much longer walks are than straight lines; see the Python function.
#[pyfunction]
pub fn detour(
    py: Python<'_>,
    times: TableArgument,
    origins: TableArgument,
    facilities: TableArgument,
    speed_mps: f64,
) -> PyResult<PyTable> {
    positive("speed_mps", speed_mps)?;
    let (origins, facilities) =
        (origins.into_source(py, "origins")?, facilities.into_source(py, "facilities")?);
    let times = times.into_source(py, "times")?;
    let batch = job::run(py, None, move |_| {
        let mut rejected = Vec::new();
        let origins = io::cells::read_origins(&origins.read()?, &mut rejected)?;
        let columns = io::facilities::Columns::default();
        let facilities = io::facilities::read(&facilities.read()?, columns, &mut rejected)?;
        let ends = Ends::of(&facilities);
        let pairs = io::costs::read(&times.read()?, Some(origins.id), &ends)?;
        let at = |origin: u32, facility: u32| {
            straight::distance_m(origins.spot[origin as usize].place, &facilities.doors[facility as usize])
        };
        let costs = &pairs.costs;
        let distance_m =
            costs.origin.iter().zip(&costs.facility).map(|(&origin, &facility)| at(origin, facility));
        let distance_m: Vec<f64> = distance_m.collect();
        Ok(io::opportunities::detours_to_batch(&pairs, &ends, &distance_m, speed_mps))
    })?;
    to_table(batch)
}
