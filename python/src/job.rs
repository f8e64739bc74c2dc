//! Long work: the GIL released, Ctrl-C heard, progress told.

use super::error::to_py;
use pyo3::exceptions::PyKeyboardInterrupt;
use pyo3::prelude::*;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread::{self, JoinHandle};
use std::time::Duration;
use walkshed::model::error::{Error, Result};
use walkshed::model::progress::Progress;

/// How often the waiting thread looks at signals; well under the half second that Ctrl-C may take.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long a stopped worker has to end before it is left behind.
const GRACE: Duration = Duration::from_millis(200);

/// The same where what the worker has by then is wanted.
const GRACE_FOR_BEST: Duration = Duration::from_millis(400);

/// Run work on another thread while this one listens.
///
/// `report` is called with stage, pieces done and pieces in all. An exception from it, or Ctrl-C, stops the work. Work
/// in the middle of a step that cannot be cut short is left behind: it ends at its next look at the progress, and
/// nobody sees its result. Work that holds something on the disk is waited for.
pub fn run<T: Send + 'static>(
    py: Python<'_>,
    report: Option<&Py<PyAny>>,
    work: impl FnOnce(&Progress) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    supervise(py, report, work, GRACE, |_| false)
}

/// As [`run`], but Ctrl-C only asks the work to end: what it has by then is the result. Work that has nothing yet, or does not end in
/// time, raises it.
pub fn run_to_best<T: Send + 'static>(
    py: Python<'_>,
    report: Option<&Py<PyAny>>,
    work: impl FnOnce(&Progress) -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let is_ctrl_c =
        |interruption: &PyErr| Python::attach(|py| interruption.is_instance_of::<PyKeyboardInterrupt>(py));
    supervise(py, report, work, GRACE_FOR_BEST, is_ctrl_c)
}

/// After an interruption the work has `grace` to end; then its result counts where it is `wanted`, else it is thrown away.
fn supervise<T: Send + 'static>(
    py: Python<'_>,
    report: Option<&Py<PyAny>>,
    work: impl FnOnce(&Progress) -> Result<T> + Send + 'static,
    grace: Duration,
    wanted: impl Fn(&PyErr) -> bool + Sync,
) -> PyResult<T> {
    let progress = Arc::new(Progress::default());
    let outcome = py.detach(|| {
        let (worker, ended) = start(Arc::clone(&progress), work);
        while ended.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
            let Err(interruption) = Python::attach(|py| look(py, report, &progress)) else { continue };
            progress.cancel();
            let in_time = ended.recv_timeout(grace) != Err(RecvTimeoutError::Timeout);
            if in_time && wanted(&interruption) {
                break;
            }
            if in_time || progress.holds() {
                drop(worker.join());
            }
            return Err(interruption);
        }
        let panicked = |_| Err(Error::Internal("a worker panicked; its message is above".to_owned()));
        Ok(worker.join().unwrap_or_else(panicked))
    })?;
    outcome.map_err(|error| to_py(py, error))
}

/// The worker, and a channel that closes when it ends.
fn start<T: Send + 'static>(
    progress: Arc<Progress>,
    work: impl FnOnce(&Progress) -> Result<T> + Send + 'static,
) -> (JoinHandle<Result<T>>, Receiver<()>) {
    let (end, ended) = channel::<()>();
    let worker = thread::spawn(move || {
        // The sender goes with the worker: when it ends, even by a panic, the channel closes and the wait is over.
        let _end = end;
        work(&progress)
    });
    (worker, ended)
}

fn look(py: Python<'_>, report: Option<&Py<PyAny>>, progress: &Progress) -> PyResult<()> {
    py.check_signals()?;
    if let Some(report) = report {
        report.call1(py, progress.state())?;
    }
    Ok(())
}
