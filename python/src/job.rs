//! Long work: the GIL released, Ctrl-C heard, progress told.

use super::error::to_py;
use pyo3::prelude::*;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::thread;
use std::time::Duration;
use walkshed::model::error::{Error, Result};
use walkshed::model::progress::Progress;

/// How often the waiting thread looks at signals; well under the half second that Ctrl-C may take.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Run work on another thread while this one listens.
///
/// `report` is called with stage, pieces done and pieces in all. An exception from it, or Ctrl-C, stops the work; the
/// call returns when the work has stopped.
pub fn run<T: Send>(
    py: Python<'_>,
    report: Option<&Py<PyAny>>,
    work: impl FnOnce(&Progress) -> Result<T> + Send,
) -> PyResult<T> {
    let progress = Progress::default();
    let outcome = py.detach(|| {
        thread::scope(|scope| {
            let (done, wait) = channel::<()>();
            let progress = &progress;
            // The sender goes with the worker: when it ends, even by a panic, the channel closes and the wait is over.
            let worker = scope.spawn(move || {
                let _done = done;
                work(progress)
            });
            let mut interrupted = None;
            while wait.recv_timeout(LOOK_EVERY) == Err(RecvTimeoutError::Timeout) {
                if interrupted.is_none()
                    && let Err(error) = Python::attach(|py| look(py, report, progress))
                {
                    progress.cancel();
                    interrupted = Some(error);
                }
            }
            let panicked = |_| Err(Error::Internal("a worker panicked; its message is above".to_owned()));
            (worker.join().unwrap_or_else(panicked), interrupted)
        })
    });
    match outcome {
        (_, Some(interruption)) => Err(interruption),
        (result, None) => result.map_err(|error| to_py(py, error)),
    }
}

fn look(py: Python<'_>, report: Option<&Py<PyAny>>, progress: &Progress) -> PyResult<()> {
    py.check_signals()?;
    if let Some(report) = report {
        report.call1(py, progress.state())?;
    }
    Ok(())
}
