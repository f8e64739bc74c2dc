//! Files and the words of the libraries that read them.

use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use std::path::Path;

/// The last part of a path, the name by which users know a file.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// For `map_err`: a library's words about a file it cannot read.
pub fn unreadable<E: std::fmt::Display>(name: &str) -> impl Fn(E) -> Error {
    move |error| Problem::of_file(name, Fault::Unreadable { reason: error.to_string() }).into()
}

/// A decoder that panics on a damaged file must not take the process with it.
pub fn guarded<T>(name: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(unreadable(name)("the decoder gave up; the file is damaged")))
}
