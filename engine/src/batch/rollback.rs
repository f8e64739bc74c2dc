//! An earlier release published again: nothing is undone, the line of releases goes on.

use super::lake::{Lake, Staged};
use super::refresh::utc;
use crate::io::delta::Changes;
use crate::io::disk::LocalDisk;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::release::Release;
use std::path::Path;

/// Publish the tables of release `to` again, as a new release; `reason` is recorded.
///
/// # Errors
/// A problem when there is no such release or its files are let go of; [`Error::Busy`] when another process publishes.
pub fn roll_back(
    root: &Path,
    to: u64,
    reason: &str,
    unique: &str,
    now_ms: u64,
    progress: &Progress,
) -> Result<Release> {
    let disk = LocalDisk::from_env();
    let lake = Lake::new(root, &disk);
    let none = || Problem::of_file(root.display().to_string(), Fault::NotFound);
    lake.last()?.ok_or_else(none)?;
    let _lock = lake.lock(&utc(now_ms))?;
    lake.recover()?;
    let last = lake.last()?.ok_or_else(none)?;
    let told = |expected: String| {
        let fault = Fault::Setting { expected };
        Error::from(Problem::of_file(root.display().to_string(), fault).with_value(to.to_string()))
    };
    let first = lake.kept_from()?;
    if to < first || to > last {
        return Err(told(format!("a release from {first} to {last}; earlier ones are not kept")));
    }
    if reason.trim().is_empty() {
        return Err(told("a reason, which is recorded".to_owned()));
    }
    let (wanted, now) = (lake.release(to)?, lake.release(last)?);
    let mut staged = Staged::default();
    for name in now.tables.keys().chain(wanted.tables.keys()) {
        let (shape, files) = lake.table(name, to)?;
        let (changes, counts) =
            Changes::between(&lake.table(name, last)?, shape, files.into_values().collect());
        staged.counts.insert(name.clone(), counts);
        staged.tables.insert(name.clone(), changes);
    }
    staged.files.clone_from(&wanted.files);
    let at_ms = now_ms.max(now.published_at_ms + 1);
    let draft = Release {
        cause: "rollback".to_owned(),
        reason: Some(format!("to release {to}: {reason}")),
        published_at: utc(at_ms),
        published_at_ms: at_ms,
        ..wanted
    };
    progress.hold()?;
    let bench = lake.workbench(unique)?;
    lake.publish(&bench, &staged, draft, progress)
}
