//! Checks before anything is computed, and their report: tables and a page that appear together.

use super::check;
use super::publish::Staging;
use super::study::{self, Validation};
use crate::io;
use crate::io::given::Given;
use crate::model::error::{Error, Result};
use crate::model::finding::Findings;
use crate::model::progress::Progress;
use std::path::{Path, PathBuf};

/// The file by which a folder is known as an earlier report.
const MARK: &str = "findings.parquet";

/// What was found in the inputs of a study.
#[derive(Debug)]
pub struct Checked {
    /// What a run would compute on; none when the study is refused.
    pub ready: Option<Validation>,
    /// Everything that was found, and the rows of every input.
    pub findings: Findings,
}

/// Check everything that a run of a study would read. What stops it is a finding, too.
///
/// # Errors
/// [`Error::Cancelled`] when the user stopped, [`Error::File`] when the file system refuses.
pub fn study(path: &Path, given: &Given, progress: &Progress) -> Result<Checked> {
    let mut found = Vec::new();
    match study::validate(path, given, &mut found, progress) {
        Ok(ready) => {
            let findings = Findings::new(vec![], ready.rejected.clone(), ready.totals.clone());
            Ok(Checked { ready: Some(ready), findings })
        }
        Err(Error::Input(errors)) => {
            Ok(Checked { ready: None, findings: Findings::new(errors, found, vec![]) })
        }
        Err(other) => Err(other),
    }
}

/// Look at files one by one, without a study.
///
/// # Errors
/// As for a study.
pub fn files(paths: &[PathBuf], given: &Given, progress: &Progress) -> Result<Findings> {
    let mut all = Findings::default();
    for path in paths {
        all.extend(check::file(path, given, progress)?);
    }
    Ok(all)
}

/// Write the report to a folder, which appears whole or not at all: `findings.parquet`, `totals.parquet`, `report.html`. An
/// earlier report there is replaced.
///
/// # Errors
/// A problem when something else stands there; [`Error::File`] when the file system refuses.
pub fn publish(out: &Path, title: &str, findings: &Findings, progress: &Progress) -> Result<()> {
    progress.hold()?;
    let staging = Staging::begin_marked(out, MARK)?;
    let file = |name: &str| staging.folder().join(name);
    io::geoparquet::write(&file(MARK), &io::findings::to_batch(&findings.all), progress)?;
    io::geoparquet::write(
        &file("totals.parquet"),
        &io::findings::tallies_to_batch(&findings.tallies),
        progress,
    )?;
    io::findings_page::write(&file("report.html"), title, findings)?;
    staging.publish()
}
