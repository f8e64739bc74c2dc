//! How long work tells where it stands and hears that it should stop.

use super::error::Error;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

/// Shared by the thread that works and the thread that watches.
///
/// Work is cut into pieces of at most a few milliseconds; [`Progress::step`] is called after each.
#[derive(Debug, Default)]
pub struct Progress {
    stage: Mutex<String>,
    done: AtomicU64,
    total: AtomicU64,
    cancelled: AtomicBool,
    holds: AtomicBool,
}

impl Progress {
    /// Begin a stage of `total` pieces (0 when unknown).
    pub fn begin(&self, stage: &str, total: usize) -> Result<(), Error> {
        stage.clone_into(&mut self.stage.lock().unwrap_or_else(PoisonError::into_inner));
        self.done.store(0, Ordering::Relaxed);
        self.total.store(total as u64, Ordering::Relaxed);
        self.check()
    }

    /// Count `pieces` as done.
    ///
    /// # Errors
    /// [`Error::Cancelled`] once [`Progress::cancel`] was called.
    pub fn step(&self, pieces: usize) -> Result<(), Error> {
        self.done.fetch_add(pieces as u64, Ordering::Relaxed);
        self.check()
    }

    /// Ask the work to stop at its next step.
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::SeqCst);
    }

    /// From here on the work has something on the disk to tidy up: whoever stops it waits until it has ended. Before,
    /// work in the middle of a step that cannot be cut short may be left behind.
    pub fn hold(&self) -> Result<(), Error> {
        self.holds.store(true, Ordering::SeqCst);
        self.check()
    }

    /// Whether the work must be waited for.
    pub fn holds(&self) -> bool {
        self.holds.load(Ordering::SeqCst)
    }

    /// An error once the work was asked to stop.
    pub fn check(&self) -> Result<(), Error> {
        if self.cancelled.load(Ordering::SeqCst) { Err(Error::Cancelled) } else { Ok(()) }
    }

    /// Stage, pieces done, pieces in all (0 when unknown).
    pub fn state(&self) -> (String, u64, u64) {
        let stage = self.stage.lock().unwrap_or_else(PoisonError::into_inner).clone();
        (stage, self.done.load(Ordering::Relaxed), self.total.load(Ordering::Relaxed))
    }
}
