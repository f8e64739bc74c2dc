//! `lorenz`, `gini`, `theil`, `palma`, `concentration_index` and `fgt`.

use super::arrow::{TableArgument, to_table};
use super::job;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use walkshed::io::values::{self, Values};
use walkshed::metrics::equity::{self, Concentration, Short};
use walkshed::model::error::Result;

/// Read the values and measure them.
fn measured<T: Send + 'static>(
    py: Python<'_>,
    table: TableArgument,
    measure: impl FnOnce(Values) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let table = table.into_source(py, "values")?;
    job::run(py, None, move |_| measure(values::read(&table.read()?)?))
}

/// The Lorenz curve; see the Python function.
#[pyfunction]
pub fn lorenz(py: Python<'_>, table: TableArgument) -> PyResult<PyTable> {
    let curve = measured(py, table, |of| Ok(equity::lorenz(&of.value, &of.weight)))?;
    to_table(values::curve_to_batch(&curve.unwrap_or_default()))
}

/// The index of Gini; see the Python function.
#[pyfunction]
pub fn gini(py: Python<'_>, table: TableArgument) -> PyResult<Option<f64>> {
    measured(py, table, |of| Ok(equity::gini(&of.value, &of.weight)))
}

/// The index of Theil: total, between and within groups; see the Python function.
#[pyfunction]
pub fn theil(py: Python<'_>, table: TableArgument) -> PyResult<Option<(f64, f64, f64)>> {
    measured(py, table, |of| {
        let found = equity::theil(&of.value, &of.weight, &of.group, of.groups);
        Ok(found.map(|found| (found.total, found.between, found.within)))
    })
}

/// The ratio of Palma; see the Python function.
#[pyfunction]
pub fn palma(py: Python<'_>, table: TableArgument) -> PyResult<Option<f64>> {
    measured(py, table, |of| {
        let rank_by = of.income.as_ref().unwrap_or(&of.value);
        Ok(equity::palma(&of.value, rank_by, &of.weight))
    })
}

/// The concentration index; see the Python function.
#[pyfunction]
pub fn concentration_index(py: Python<'_>, table: TableArgument, corrected: bool) -> PyResult<Option<f64>> {
    let kind = if corrected { Concentration::Corrected } else { Concentration::Standard };
    measured(py, table, move |of| {
        let rank_by = of.income.as_ref().unwrap_or(&of.value);
        Ok(equity::concentration_index(&of.value, rank_by, &of.weight, kind))
    })
}

/// Incidence, depth and severity of falling short; see the Python function.
#[pyfunction]
pub fn fgt(
    py: Python<'_>,
    table: TableArgument,
    limit: f64,
    above: bool,
) -> PyResult<Option<(f64, f64, f64)>> {
    let short = if above { Short::Above } else { Short::Below };
    measured(py, table, move |of| {
        let found = equity::fgt(&of.value, &of.weight, limit, short);
        Ok(found.map(|found| (found.incidence, found.depth, found.severity)))
    })
}
