//! Tables in and out: Arrow's C interface for objects, paths for files.

use super::error::to_py;
use super::job;
use arrow_array::RecordBatch;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use pyo3_arrow::input::AnyRecordBatch;
use std::path::PathBuf;
use walkshed::io::table::Table;
use walkshed::model::analysis_crs::AnalysisCrs;
use walkshed::model::crs::Crs;
use walkshed::model::error::Result;
use walkshed::model::extent::Extent;
use walkshed::model::problem::{Fault, Problem};
use walkshed::network::graph::Network;

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

/// A table that was read at once: see the Python function `read_table`.
#[pyclass(frozen, name = "FileTable")]
pub struct FileTable {
    table: Table,
}

#[pymethods]
impl FileTable {
    /// Name of the file.
    #[getter]
    fn name(&self) -> &str {
        &self.table.name
    }

    #[getter]
    fn rows(&self) -> usize {
        self.table.rows()
    }

    #[getter]
    fn columns(&self) -> Vec<String> {
        self.table.column_names()
    }

    /// What was noticed while it was read, for people: English and Chinese.
    fn notes(&self) -> Vec<(String, String)> {
        let messages = self.table.notes().iter().map(Problem::message);
        messages.map(|message| (message.en, message.zh)).collect()
    }
}

impl FileTable {
    /// The table.
    pub fn table(&self) -> Table {
        self.table.clone()
    }
}

/// Columns that a Python library read from a file, under the file's name.
///
/// With `crs_known` false the format could state the system of its places, and does not.
/// `encoding` is what the text was read in where nothing states it.
#[pyfunction]
#[pyo3(signature = (columns, name, *, crs_known=true, untyped=false, encoding=None))]
pub fn file_table(
    py: Python<'_>,
    columns: AnyRecordBatch,
    name: &str,
    crs_known: bool,
    untyped: bool,
    encoding: Option<String>,
) -> PyResult<FileTable> {
    // The columns are still to be read: a file that is cut off ends here.
    let unreadable = |error: PyErr| {
        let fault = Fault::Unreadable { reason: error.value(py).to_string() };
        to_py(py, Problem::of_file(name, fault).into())
    };
    let table = columns.into_table().map_err(|error| unreadable(error.into()))?;
    let (batches, schema) = table.into_inner();
    let made =
        whole(name, &batches).and_then(|()| Table::from_batches(name, &schema, &batches)).map(|table| {
            let table = if crs_known { table } else { table.without_crs() };
            let table = if untyped { table.untyped(None) } else { table };
            match encoding {
                Some(encoding) => table.with_note(Fault::GuessedEncoding { encoding }),
                None => table,
            }
        });
    Ok(FileTable { table: made.map_err(|error| to_py(py, error))? })
}

/// Whether bytes can only be Chinese text of the GB family.
#[pyfunction]
pub fn is_gb(bytes: &[u8]) -> bool {
    walkshed::io::encoding::is_gb(bytes)
}

/// A file that the engine reads, at once and under another name.
#[pyfunction]
pub fn read_file(py: Python<'_>, path: PathBuf, name: String) -> PyResult<FileTable> {
    let table = job::run(py, None, move |_| Table::read(&path).map(|table| table.renamed(&name)))?;
    Ok(FileTable { table })
}

/// A table argument: a path, or an object that speaks the Arrow C interface, or one of both in another system.
#[derive(FromPyObject)]
pub enum TableArgument {
    /// A table in a system that the user names.
    InCrs(Py<TableInCrs>),
    /// A table that was read at once.
    Read(Py<FileTable>),
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
            Self::Read(table) => Source::Read(table.get().table()),
            Self::Path(path) => Source::Path(path),
            Self::Arrow(batches) => Source::Columns { name, table: batches.into_table()? },
        })
    }
}

/// A table that a worker is still to read.
pub enum Source {
    /// A table in a system that the user names.
    InCrs(Box<Source>, Crs),
    /// A table that was read at once.
    Read(Table),
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
            Self::Read(table) => Ok(table),
            Self::Path(path) => Table::read(&path),
            Self::Columns { name, table } => {
                let (batches, schema) = table.into_inner();
                whole(name, &batches)?;
                Table::from_batches(name, &schema, &batches)
            }
        }
    }
}

/// Refuse columns whose buffers do not hold what their types say: what comes over the C interface is typed, not checked.
fn whole(name: &str, batches: &[RecordBatch]) -> Result<()> {
    let schema = batches.first().map(RecordBatch::schema);
    for (position, field) in schema.iter().flat_map(|schema| schema.fields().iter().enumerate()) {
        for batch in batches {
            batch.column(position).to_data().validate_full().map_err(|error| {
                let fault = Fault::Unreadable { reason: error.to_string() };
                Problem::of_file(name, fault).in_column(field.name())
            })?;
        }
    }
    Ok(())
}

impl Source {
    /// The table, its places brought to the system of a network's analysis and checked against its streets.
    pub fn read_for(self, network: &Network) -> Result<Table> {
        let table = self.read()?.analysed_in(network.origin.analysis_crs);
        Ok(table.near(Extent::of(&network.node_place)))
    }
}

/// A system of analysis by its name.
pub fn parse_analysis_crs(name: &str) -> PyResult<AnalysisCrs> {
    AnalysisCrs::from_name(name).ok_or_else(|| {
        PyValueError::new_err(format!("analysis_crs {name:?}: use {}", AnalysisCrs::NAMES.join(", ")))
    })
}

/// Batches of one schema, at least one, as a table for Python.
pub fn to_tables(batches: Vec<RecordBatch>) -> PyResult<PyTable> {
    let schema = batches[0].schema();
    PyTable::try_new(batches, schema)
}

/// One batch as a table for Python.
pub fn to_table(batch: RecordBatch) -> PyResult<PyTable> {
    let schema = batch.schema();
    PyTable::try_new(vec![batch], schema)
}
