//! `detect_crs`.

use super::arrow::{TableArgument, to_table};
use super::job;
use super::network::Network;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::sync::Arc;
use walkshed::io;
use walkshed::network::offset::{self, Source};

/// What each source of a table looks like, and rejected rows; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, places, report=None))]
pub fn detect_crs(
    py: Python<'_>,
    network: &Network,
    places: TableArgument,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let places = places.into_source(py, "places")?;
    let network = Arc::clone(&network.network);
    let (found, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected = Vec::new();
        let sources = io::sources::read(&places.read_for(&network)?, &mut rejected)?;
        let stated = &sources.stated;
        let mut verdicts = Vec::new();
        for (name, place) in &sources.place {
            let verdict = offset::detect(&network, Source { stated, place }, progress)?;
            verdicts.push((name.clone(), place.len(), verdict));
        }
        Ok((offset::to_batch(stated, &verdicts), rejected))
    })?;
    Ok((to_table(found)?, to_table(io::rejected::to_batch(&rejected))?))
}
