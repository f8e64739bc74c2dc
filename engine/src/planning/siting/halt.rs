//! When a search ends early: when the user asks, or when the time that the user gave is over.

use crate::model::progress::Progress;
use std::time::{Duration, Instant};

/// Asked between any two pieces of a search.
#[derive(Debug)]
pub struct Halt<'a> {
    progress: &'a Progress,
    until: Option<Instant>,
}

impl<'a> Halt<'a> {
    /// From now on.
    pub fn new(progress: &'a Progress, time_limit_s: Option<f64>) -> Self {
        let span = time_limit_s.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
        Self { progress, until: span.and_then(|span| Instant::now().checked_add(span)) }
    }

    /// Whether to stop.
    pub fn asked(&self) -> bool {
        self.progress.check().is_err() || self.until.is_some_and(|until| Instant::now() >= until)
    }

    /// Tell where the search stands.
    pub fn tell(&self, stage: &str, total: usize) {
        // That it was asked to stop is heard by `asked`.
        drop(self.progress.begin(stage, total));
    }

    /// Count pieces as done.
    pub fn step(&self, pieces: usize) {
        drop(self.progress.step(pieces));
    }
}
