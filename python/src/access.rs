//! `cumulative`, `gravity`, `closest` and `two_step_fca`: access from pairs.

use super::arrow::{Source, TableArgument, to_table};
use super::job;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use walkshed::io::costs::{self, Ends, Pairs};
use walkshed::io::opportunities;
use walkshed::metrics::floating_catchment::{Catchments, Variant};
use walkshed::metrics::gravity::Offers;
use walkshed::metrics::{closest as nearest, cumulative as opportunities_within, gravity as weighted};
use walkshed::model::decay::Decay;
use walkshed::model::error::Result;

/// Both sides of a question about facilities of several classes.
#[derive(FromPyObject)]
pub struct Sides {
    #[pyo3(item)]
    pairs: TableArgument,
    #[pyo3(item)]
    facilities: TableArgument,
    #[pyo3(item)]
    origins: Option<TableArgument>,
    #[pyo3(item)]
    capacity: Option<String>,
}

/// The same, still to be read.
struct Unread {
    pairs: Source,
    facilities: Source,
    origins: Option<Source>,
    capacity: Option<String>,
}

impl Sides {
    fn into_unread(self, py: Python<'_>) -> PyResult<Unread> {
        Ok(Unread {
            pairs: self.pairs.into_source(py, "pairs")?,
            facilities: self.facilities.into_source(py, "facilities")?,
            origins: self.origins.map(|origins| origins.into_source(py, "origins")).transpose()?,
            capacity: self.capacity,
        })
    }
}

impl Unread {
    /// Read both sides; `needed` when no facility may lack its capacity.
    fn read(self, needed: bool) -> Result<(Pairs, Ends)> {
        let ends = costs::read_ends(&self.facilities.read()?, self.capacity.as_deref(), needed)?;
        let origins = self.origins.map(|origins| costs::read_origin_ids(&origins.read()?)).transpose()?;
        Ok((costs::read(&self.pairs.read()?, origins, &ends)?, ends))
    }
}

fn parse_decay(json: &str) -> PyResult<Decay> {
    let decay: Decay = serde_json::from_str(json)
        .map_err(|error| PyValueError::new_err(format!("decay: {error}; use walkshed.Decay")))?;
    match decay.fault() {
        Some((name, expected)) => Err(PyValueError::new_err(format!("decay, {name}: use {expected}"))),
        None => Ok(decay),
    }
}

/// Refuse a decay that cannot be.
#[pyfunction]
pub fn check_decay(decay: &str) -> PyResult<()> {
    parse_decay(decay).map(|_| ())
}

/// Facilities within several limits; see the Python function.
#[pyfunction]
pub fn cumulative(py: Python<'_>, sides: Sides, minutes: Vec<f64>) -> PyResult<PyTable> {
    if let Some(wrong) = minutes.iter().find(|minutes| !(**minutes > 0.0 && minutes.is_finite())) {
        return Err(PyValueError::new_err(format!("minutes {wrong}: use minutes above 0")));
    }
    if minutes.is_empty() {
        return Err(PyValueError::new_err("minutes: give at least one number of minutes"));
    }
    let unread = sides.into_unread(py)?;
    let batch = job::run(py, None, move |_| {
        let asked = unread.capacity.is_some();
        let (Pairs { origin, costs }, ends) = unread.read(false)?;
        let within = opportunities_within::cumulative(
            &costs,
            origin.len(),
            &ends.class,
            ends.classes.len(),
            &ends.capacity,
            &minutes,
        );
        let held = asked.then(|| within.iter().map(|within| (within.capacity, within.unknown)).collect());
        let count = within.iter().map(|within| within.count).collect();
        Ok(opportunities::counts_to_batch(&origin, &ends.classes, &minutes, count, held))
    })?;
    to_table(batch)
}

/// All facilities, weighted by how far they are; see the Python function.
#[pyfunction]
pub fn gravity(py: Python<'_>, sides: Sides, decay: &str) -> PyResult<PyTable> {
    let decay = parse_decay(decay)?;
    let unread = sides.into_unread(py)?;
    let batch = job::run(py, None, move |_| {
        let (Pairs { origin, costs }, ends) = unread.read(true)?;
        let amount: Vec<f64> = ends.capacity.iter().flatten().copied().collect();
        let offers = Offers { amount: &amount, class: &ends.class, classes: ends.classes.len() };
        let access = weighted::gravity(&costs, origin.len(), offers, &decay);
        Ok(opportunities::access_by_class_to_batch(&origin, &ends.classes, access))
    })?;
    to_table(batch)
}

/// The nearest few of each class; see the Python function.
#[pyfunction]
pub fn closest(py: Python<'_>, sides: Sides, k: usize) -> PyResult<PyTable> {
    if k == 0 {
        return Err(PyValueError::new_err("k 0: use a number above 0"));
    }
    let unread = sides.into_unread(py)?;
    let batch = job::run(py, None, move |_| {
        let (Pairs { origin, costs }, ends) = unread.read(false)?;
        let found = nearest::closest(&costs, origin.len(), &ends.class, k);
        Ok(opportunities::closest_to_batch(&origin, &ends, &found))
    })?;
    to_table(batch)
}

/// Floating catchments; see the Python function.
#[pyfunction]
pub fn two_step_fca(
    py: Python<'_>,
    pairs: TableArgument,
    demand: TableArgument,
    supply: TableArgument,
    variant: &str,
    decay: &str,
) -> PyResult<PyTable> {
    let decay = parse_decay(decay)?;
    let method: Variant = variant.parse().map_err(|()| {
        let known = "2sfca, e2sfca, 3sfca, m2sfca, gaussian, bfca or spatial_availability";
        PyValueError::new_err(format!("variant {variant:?}: use {known}"))
    })?;
    let (pairs, demand, supply) = (
        pairs.into_source(py, "pairs")?,
        demand.into_source(py, "demand")?,
        supply.into_source(py, "supply")?,
    );
    let batch = job::run(py, None, move |_| {
        let (origin, people) = costs::read_demand(&demand.read()?)?;
        let ends = costs::read_supply(&supply.read()?)?;
        let Pairs { origin, costs } = costs::read(&pairs.read()?, Some(origin), &ends)?;
        let capacity: Vec<f64> = ends.capacity.iter().flatten().copied().collect();
        let access =
            Catchments { costs: &costs, people: &people, capacity: &capacity }.access(method, &decay);
        Ok(opportunities::access_to_batch(&origin, access))
    })?;
    to_table(batch)
}
