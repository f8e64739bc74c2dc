//! Engine errors → Python exceptions: the user's fault, the system's, or ours.

use pyo3::create_exception;
use pyo3::exceptions::{PyKeyboardInterrupt, PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use walkshed::model::error::Error;
use walkshed::model::problem::Problem;

create_exception!(
    walkshed,
    InputError,
    PyValueError,
    "The input is refused; `problems` lists every fault found."
);
create_exception!(walkshed, InternalError, PyRuntimeError, "walkshed itself failed; please report it.");

/// The exception for an engine error.
pub fn to_py(py: Python<'_>, error: Error) -> PyErr {
    match error {
        Error::Input(problems) => input_error(py, &problems).unwrap_or_else(|failure| failure),
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
