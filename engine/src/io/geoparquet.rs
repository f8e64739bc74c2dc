//! Writing Parquet: `GeoParquet` where a column holds geometry. Same rows, same bytes.

use crate::model::error::{Error, Result};
use ::geoparquet::writer::{GeoParquetRecordBatchEncoder, GeoParquetWriterOptionsBuilder};
use arrow_array::RecordBatch;
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::WriterProperties;
use std::fs::File;
use std::path::Path;

/// Rows per row group: a table of a large city is a handful of groups that readers take in parallel.
const ROW_GROUP_ROWS: usize = 1 << 17;

/// Write one table to a new file and wait until it is on the disk.
///
/// The caller writes into a folder that is published as a whole; see [`crate::io::geoparquet`] and the batch room.
pub fn write(path: &Path, batch: &RecordBatch) -> Result<()> {
    let file = File::create_new(path).map_err(Error::file(path))?;
    write_to(&file, batch).map_err(|reason| Error::Internal(format!("{}: {reason}", path.display())))?;
    file.sync_all().map_err(Error::file(path))
}

fn write_to(file: &File, batch: &RecordBatch) -> std::result::Result<(), String> {
    let text = |error: &dyn std::fmt::Display| error.to_string();
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3).map_err(|error| text(&error))?))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(concat!("walkshed ", env!("CARGO_PKG_VERSION")).to_owned())
        .build();
    let has_geometry = batch.schema().fields().iter().any(|field| super::geometry::is_marked(field));
    if !has_geometry {
        let mut writer =
            ArrowWriter::try_new(file, batch.schema(), Some(properties)).map_err(|error| text(&error))?;
        writer.write(batch).map_err(|error| text(&error))?;
        writer.close().map_err(|error| text(&error))?;
        return Ok(());
    }
    let options = GeoParquetWriterOptionsBuilder::default().build();
    let mut geo =
        GeoParquetRecordBatchEncoder::try_new(batch.schema_ref(), &options).map_err(|error| text(&error))?;
    let mut writer =
        ArrowWriter::try_new(file, geo.target_schema(), Some(properties)).map_err(|error| text(&error))?;
    let encoded = geo.encode_record_batch(batch).map_err(|error| text(&error))?;
    writer.write(&encoded).map_err(|error| text(&error))?;
    writer.append_key_value_metadata(geo_key(geo).map_err(|error| text(&error))?);
    writer.close().map_err(|error| text(&error))?;
    Ok(())
}

/// The `geo` metadata. The library keeps geometry types as a set without order; the same rows must give the same bytes.
fn geo_key(geo: GeoParquetRecordBatchEncoder) -> serde_json::Result<KeyValue> {
    let mut metadata = serde_json::to_value(geo.into_geoparquet_metadata())?;
    for column in metadata["columns"].as_object_mut().into_iter().flat_map(|columns| columns.values_mut()) {
        if let Some(types) = column["geometry_types"].as_array_mut() {
            types.sort_by_key(ToString::to_string);
        }
    }
    Ok(KeyValue::new("geo".to_owned(), metadata.to_string()))
}
