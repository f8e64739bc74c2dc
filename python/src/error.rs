//! Engine errors → Python exceptions: the user's fault, the system's, or ours.

use pyo3::create_exception;
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use walkshed::model::error::Error;
use walkshed::model::problem::{ArchiveRisk, Fault, Problem};

create_exception!(
    walkshed,
    InputError,
    PyValueError,
    "The input is refused; `problems` lists every fault found."
);
create_exception!(walkshed, BusyError, PyRuntimeError, "Another process holds what this one needs.");
create_exception!(walkshed, InternalError, PyRuntimeError, "walkshed itself failed; please report it.");

/// A file that a Python library cannot read, and why.
#[pyclass(frozen)]
pub struct Refusal {
    problem: Problem,
}

impl Refusal {
    /// The problem.
    pub fn problem(&self) -> Problem {
        self.problem.clone()
    }
}

/// Why a file is not read: the code of a fault, with its detail.
#[pyfunction]
#[pyo3(signature = (file, reason, *, detail=None, known=vec![], column=None, value=None))]
pub fn refusal(
    file: String,
    reason: &str,
    detail: Option<String>,
    known: Vec<String>,
    column: Option<String>,
    value: Option<String>,
) -> PyResult<Refusal> {
    let detail = detail.unwrap_or_default();
    let fault = match reason {
        "not_found" => Fault::NotFound,
        "empty_table" => Fault::EmptyTable,
        "unreadable" => Fault::Unreadable { reason: detail },
        "unknown_encoding" => Fault::UnknownEncoding,
        "missing_library" => Fault::MissingLibrary { install: detail },
        "missing_part" => Fault::MissingPart { part: detail },
        "unknown_name" => Fault::UnknownName { known },
        "missing_column" => Fault::MissingColumn { found: known },
        "unsafe_archive" => {
            let risk = ArchiveRisk::from_name(&detail);
            Fault::UnsafeArchive(risk.ok_or_else(|| PyValueError::new_err(format!("no risk {detail:?}")))?)
        }
        other => return Err(PyValueError::new_err(format!("no fault {other:?}"))),
    };
    let mut problem = Problem::of_file(file, fault);
    (problem.column, problem.value) = (column, value);
    Ok(Refusal { problem })
}

/// Raise what was refused.
#[pyfunction]
pub fn refuse(py: Python<'_>, refusals: Vec<Py<Refusal>>) -> PyResult<()> {
    let problems = refusals.iter().map(|refusal| refusal.get().problem()).collect();
    Err(to_py(py, Error::Input(problems)))
}

/// The exception for an engine error.
pub fn to_py(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Input(problems) => input_error(py, &problems).unwrap_or_else(|failure| failure),
        Error::Busy { .. } => BusyError::new_err(error.to_string()),
        Error::Cancelled => PyKeyboardInterrupt::new_err(error.to_string()),
        Error::File { path, source } => {
            PyOSError::new_err((source.raw_os_error(), source.to_string(), path.display().to_string()))
        }
        other => InternalError::new_err(other.to_string()),
    }
}

fn input_error(py: Python<'_>, problems: &[Problem]) -> PyResult<PyErr> {
    let text = Error::Input(problems.to_vec()).to_string();
    let error = InputError::new_err(text);
    let list = PyList::empty(py);
    for problem in problems {
        list.append(problem_dict(py, problem)?)?;
    }
    error.value(py).setattr("problems", list)?;
    let refusals = problems.iter().map(|problem| Py::new(py, Refusal { problem: problem.clone() }));
    error.value(py).setattr("refusals", refusals.collect::<PyResult<Vec<_>>>()?)?;
    Ok(error)
}

fn problem_dict<'py>(py: Python<'py>, problem: &Problem) -> PyResult<Bound<'py, PyDict>> {
    let message = problem.message();
    let dict = PyDict::new(py);
    dict.set_item("file", &problem.file)?;
    dict.set_item("row", problem.row)?;
    dict.set_item("id", &problem.id)?;
    dict.set_item("column", &problem.column)?;
    dict.set_item("value", &problem.value)?;
    dict.set_item("reason", problem.fault.code())?;
    dict.set_item("message", message.en)?;
    dict.set_item("message_zh", message.zh)?;
    Ok(dict)
}
