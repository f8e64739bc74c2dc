//! A folder of a choice of sites, which appears whole or not at all.

use super::publish::Staging;
use crate::io::geoparquet::TableWriter;
use crate::model::error::{Error, Result};
use crate::model::progress::Progress;
use arrow_array::RecordBatch;
use std::path::Path;

/// The file by which a folder is known as an earlier choice of sites.
const SITING: &str = "site.json";

/// Look whether a choice may be published there, before any work.
///
/// # Errors
/// A problem when something else stands there.
pub fn check(out: &Path) -> Result<()> {
    Staging::check_marked(out, SITING)
}

/// Publish tables, each at least one batch, as Parquet files of their names, and the report.
///
/// # Errors
/// As [`check`], or when the file system refuses.
pub fn publish(
    out: &Path,
    tables: &[(String, Vec<RecordBatch>)],
    report: &str,
    progress: &Progress,
) -> Result<()> {
    progress.hold()?;
    let staging = Staging::begin_marked(out, SITING)?;
    for (name, batches) in tables {
        let Some(first) = batches.first() else { continue };
        let mut writer =
            TableWriter::create(&staging.folder().join(format!("{name}.parquet")), &first.schema(), &[])?;
        for batch in batches {
            writer.write(batch, progress)?;
        }
        writer.finish()?;
    }
    let path = staging.folder().join(SITING);
    std::fs::write(&path, report).map_err(Error::file(&path))?;
    staging.publish()
}
