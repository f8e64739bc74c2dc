//! Working memory that waits for its next user: one piece for each thread at most, however the work is cut.

use std::sync::{Mutex, PoisonError};

/// Pieces that nobody uses now.
#[derive(Debug)]
pub struct Spare<T>(Mutex<Vec<T>>);

impl<T> Default for Spare<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> Spare<T> {
    /// A piece that waits, or a new one.
    pub fn take(&self, make: impl FnOnce() -> T) -> T {
        let waiting = self.0.lock().unwrap_or_else(PoisonError::into_inner).pop();
        waiting.unwrap_or_else(make)
    }

    /// Leave a piece for the next.
    pub fn put(&self, piece: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(piece);
    }
}
