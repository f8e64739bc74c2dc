//! Writing Parquet: `GeoParquet` where a column holds geometry. Same rows, same bytes.

use super::geometry::ANALYSIS_CRS;
use crate::model::error::{Error, Result};
use crate::model::progress::Progress;
use ::geoparquet::writer::{GeoParquetRecordBatchEncoder, GeoParquetWriterOptionsBuilder};
use arrow_array::RecordBatch;
use geoarrow_schema::error::GeoArrowResult;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::Path;

/// Rows per row group: a table of a large city is a handful of groups that readers take in parallel.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// Write one table to a new file and wait until it is on the disk; the caller's folder is published as a whole.
///
/// # Errors
/// When the file exists or the file system refuses; [`Error::Cancelled`] between two row groups.
pub fn write(path: &Path, batch: &RecordBatch, progress: &Progress) -> Result<()> {
    let file = File::create_new(path).map_err(Error::file(path))?;
    let refused = |error: String| Error::file(path)(std::io::Error::other(error));
    let label = batch.schema().metadata().get(ANALYSIS_CRS).cloned();
    let mut geo = encoder(batch).map_err(|error| refused(error.to_string()))?;
    let batch = match &mut geo {
        None => batch.clone(),
        Some(geo) => geo.encode_record_batch(batch).map_err(|error| refused(error.to_string()))?,
    };
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(concat!("walkshed ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let mut writer = ArrowWriter::try_new(&file, batch.schema(), Some(properties))
        .map_err(|error| refused(error.to_string()))?;
    for first in (0..batch.num_rows()).step_by(ROW_GROUP_ROWS) {
        progress.check()?;
        let rows = batch.slice(first, ROW_GROUP_ROWS.min(batch.num_rows() - first));
        writer.write(&rows).map_err(|error| refused(error.to_string()))?;
    }
    if let Some(geo) = geo {
        let key = geo_key(geo, label.is_some()).map_err(|error| refused(error.to_string()))?;
        writer.append_key_value_metadata(key);
    }
    if let Some(system) = label {
        writer.append_key_value_metadata(KeyValue::new(ANALYSIS_CRS.to_owned(), system));
    }
    writer.close().map_err(|error| refused(error.to_string()))?;
    file.sync_all().map_err(Error::file(path))
}

/// What turns geometry columns into those of `GeoParquet`, where there are any.
fn encoder(batch: &RecordBatch) -> GeoArrowResult<Option<GeoParquetRecordBatchEncoder>> {
    let has_geometry = batch.schema().fields().iter().any(|field| super::geometry::is_marked(field));
    let options = GeoParquetWriterOptionsBuilder::default().build();
    has_geometry.then(|| GeoParquetRecordBatchEncoder::try_new(batch.schema_ref(), &options)).transpose()
}

/// The `geo` metadata. The library keeps geometry types as a set without order; the same rows must give the same bytes.
///
/// A system that no register has is `null`, which means unknown: were it left away, readers would take WGS-84.
fn geo_key(geo: GeoParquetRecordBatchEncoder, unregistered: bool) -> serde_json::Result<KeyValue> {
    let mut metadata = serde_json::to_value(geo.into_geoparquet_metadata())?;
    for column in metadata["columns"].as_object_mut().into_iter().flat_map(|columns| columns.values_mut()) {
        if let Some(types) = column["geometry_types"].as_array_mut() {
            types.sort_by_key(ToString::to_string);
        }
        if unregistered {
            column["crs"] = serde_json::Value::Null;
        }
    }
    Ok(KeyValue::new("geo".to_owned(), metadata.to_string()))
}
