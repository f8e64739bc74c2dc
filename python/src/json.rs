//! What the engine tells as JSON.

use super::error::to_py;
use pyo3::prelude::*;
use walkshed::model::error::Error;

/// A report as the text that Python parses.
pub fn to_json(py: Python<'_>, value: &impl serde::Serialize) -> PyResult<String> {
    serde_json::to_string(value).map_err(|error| to_py(py, Error::Internal(error.to_string())))
}
