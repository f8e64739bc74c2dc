//! Tables in and out: Arrow's C interface for objects, paths for files.

use arrow_array::RecordBatch;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use std::path::PathBuf;
use walkshed::io::table::Table;
use walkshed::model::crs::Crs;
use walkshed::model::error::Result;

/// A table whose places are in another system than the file or the object says; see the Python function.
#[pyclass(frozen, name = "TableInCrs")]
pub struct TableInCrs {
    table: Py<PyAny>,
    crs: Crs,
}

/// A table and the system of its places.
#[pyfunction]
pub fn in_crs(table: Py<PyAny>, crs: &str) -> PyResult<TableInCrs> {
    let Some(crs) = Crs::from_name(crs) else {
        let known = "use an EPSG code such as \"EPSG:4545\", \"gcj02\" or \"bd09\"";
        return Err(PyValueError::new_err(format!(
            "crs {crs:?}: unknown, or its datum cannot be placed; {known}"
        )));
    };
    Ok(TableInCrs { table, crs })
}

/// A table argument: a path, or an object that speaks the Arrow C interface, or one of both in another system.
#[derive(FromPyObject)]
pub enum TableArgument {
    /// A table in a system that the user names.
    InCrs(Py<TableInCrs>),
    /// A file, read by the engine.
    Path(PathBuf),
    /// Columns of another library, taken without a copy where the types allow it.
    Arrow(AnyRecordBatch),
}

impl TableArgument {
    /// The part that needs Python; `name` is the one that the table's problems carry.
    pub fn into_source(self, py: Python<'_>, name: &'static str) -> PyResult<Source> {
        Ok(match self {
            Self::InCrs(stated) => {
                let stated = stated.get();
                let table = stated.table.extract::<Self>(py)?.into_source(py, name)?;
                Source::InCrs(Box::new(table), stated.crs.clone())
            }
            Self::Path(path) => Source::Path(path),
            Self::Arrow(batches) => Source::Columns { name, table: batches.into_table()? },
        })
    }
}

/// A table that a worker is still to read.
pub enum Source {
    /// A table in a system that the user names.
    InCrs(Box<Source>, Crs),
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
            Self::InCrs(source, crs) => Ok(source.read()?.in_crs(crs)),
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
