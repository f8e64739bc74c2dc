//! Tables in and out: Arrow's C interface for objects, paths for files.

use arrow_array::RecordBatch;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use std::path::PathBuf;
use walkshed::io::table::Table;
use walkshed::model::error::Result;

/// A table argument: a path, or an object that speaks the Arrow C interface.
#[derive(FromPyObject)]
pub enum TableArgument {
    /// A file, read by the engine.
    Path(PathBuf),
    /// Columns of another library, taken without a copy where the types allow it.
    Arrow(AnyRecordBatch),
}

impl TableArgument {
    /// The part that needs Python; `name` is the one that the table's problems carry.
    pub fn into_source(self, name: &'static str) -> PyResult<Source> {
        Ok(match self {
            Self::Path(path) => Source::Path(path),
            Self::Arrow(batches) => Source::Columns { name, table: batches.into_table()? },
        })
    }
}

/// A table that a worker is still to read.
pub enum Source {
    /// A file.
    Path(PathBuf),
    /// Columns of another library.
    Columns {
        /// Name of the argument.
        name: &'static str,
        /// The columns.
        table: PyTable,
    },
}

impl Source {
    /// The table.
    pub fn read(self) -> Result<Table> {
        match self {
            Self::Path(path) => Table::read(&path),
            Self::Columns { name, table } => {
                let (batches, schema) = table.into_inner();
                Table::from_batches(name, &schema, &batches)
            }
        }
    }
}

/// One batch as a table for Python.
pub fn to_table(batch: RecordBatch) -> PyResult<PyTable> {
    let schema = batch.schema();
    PyTable::try_new(vec![batch], schema)
}
