//! Tables in and out: Arrow's C interface for objects, paths for files.

use super::error::to_py;
use arrow_array::RecordBatch;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use std::path::PathBuf;
use walkshed::io::table::Table;

/// A table argument: a path, or an object that speaks the Arrow C interface.
#[derive(FromPyObject)]
pub enum TableArgument {
    /// A file, read by the engine.
    Path(PathBuf),
    /// Columns of another library, taken without a copy where the types allow it.
    Arrow(AnyRecordBatch),
}

impl TableArgument {
    /// The table, under the name that its problems carry.
    pub fn into_table(self, py: Python<'_>, name: &str) -> PyResult<Table> {
        match self {
            Self::Path(path) => py.detach(|| Table::read(&path)).map_err(|error| to_py(py, error)),
            Self::Arrow(batches) => {
                let (batches, schema) = batches.into_table()?.into_inner();
                py.detach(|| Table::from_batches(name, &schema, &batches)).map_err(|error| to_py(py, error))
            }
        }
    }
}

/// One batch as a table for Python.
pub fn to_table(batch: RecordBatch) -> PyResult<PyTable> {
    let schema = batch.schema();
    PyTable::try_new(vec![batch], schema)
}
