//! Writing Parquet: `GeoParquet` where a column holds geometry. Same rows, same bytes.

use super::geometry::ANALYSIS_CRS;
use crate::model::error::{Error, Result};
use crate::model::progress::Progress;
use ::geoparquet::writer::{GeoParquetRecordBatchEncoder, GeoParquetWriterOptionsBuilder};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use geoarrow_schema::error::GeoArrowResult;
use parquet::arrow::ArrowWriter;
use parquet::arrow::arrow_writer::{ArrowRowGroupWriterFactory, compute_leaves};
use parquet::basic::{Compression, ZstdLevel};
use parquet::file::metadata::KeyValue;
use parquet::file::properties::{WriterProperties, WriterPropertiesBuilder};
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::ColumnPath;
use rayon::prelude::*;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Rows per row group: a table of a large city is a handful of groups that readers take in parallel.
pub const ROW_GROUP_ROWS: usize = 1 << 17;

/// Write one table to a new file and wait until it is on the disk; the caller's folder is published as a whole.
///
/// # Errors
/// When the file exists or the file system refuses; [`Error::Cancelled`] between two row groups.
pub fn write(path: &Path, batch: &RecordBatch, progress: &Progress) -> Result<()> {
    let mut writer = TableWriter::create(path, &batch.schema(), &[])?;
    writer.write(batch, progress)?;
    writer.finish()
}

/// A table without geometry as the bytes of a file. Columns whose values are nearly all `distinct` are written as they are.
///
/// # Errors
/// Never on the columns of tables: what the writer cannot write is our own failure.
pub fn encode(batch: &RecordBatch, distinct: &[&str]) -> Result<Vec<u8>> {
    let failed = |error: parquet::errors::ParquetError| Error::Internal(error.to_string());
    let mut writer =
        ArrowWriter::try_new(Vec::new(), batch.schema(), Some(properties(distinct))).map_err(failed)?;
    writer.write(batch).map_err(failed)?;
    writer.into_inner().map_err(failed)
}

pub(super) fn properties(distinct: &[&str]) -> WriterProperties {
    let plain = |properties: WriterPropertiesBuilder, column: &&str| {
        properties.set_column_dictionary_enabled(ColumnPath::from(*column), false)
    };
    distinct
        .iter()
        .fold(WriterProperties::builder(), plain)
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_max_row_group_row_count(Some(ROW_GROUP_ROWS))
        .set_created_by(concat!("walkshed ", env!("CARGO_PKG_VERSION")).to_owned())
        .build()
}

/// A file that is written batch by batch, so that no table need be in memory whole.
pub struct TableWriter {
    path: PathBuf,
    file: File,
    writer: SerializedFileWriter<File>,
    columns: ArrowRowGroupWriterFactory,
    row_groups: usize,
    schema: SchemaRef,
    geo: Option<GeoParquetRecordBatchEncoder>,
    label: Option<String>,
}

impl TableWriter {
    /// Begin a new file for batches of this schema. Columns whose values are nearly all `distinct` are written as they are:
    /// looking for repeats would take most of the time.
    ///
    /// # Errors
    /// When the file exists or the file system refuses.
    pub fn create(path: &Path, schema: &SchemaRef, distinct: &[&str]) -> Result<Self> {
        let file = File::create_new(path).map_err(Error::file(path))?;
        let refused = refused(path);
        let label = schema.metadata().get(ANALYSIS_CRS).cloned();
        let geo = encoder(schema).map_err(|error| refused(error.to_string()))?;
        let schema =
            geo.as_ref().map_or_else(|| Arc::clone(schema), GeoParquetRecordBatchEncoder::target_schema);
        let own = file.try_clone().map_err(Error::file(path))?;
        let (writer, columns) = ArrowWriter::try_new(own, Arc::clone(&schema), Some(properties(distinct)))
            .and_then(ArrowWriter::into_serialized_writer)
            .map_err(|error| refused(error.to_string()))?;
        Ok(Self { path: path.to_owned(), file, writer, columns, row_groups: 0, schema, geo, label })
    }

    /// Append rows: a row group for every [`ROW_GROUP_ROWS`] of them, its columns written side by side.
    ///
    /// # Errors
    /// When the file system refuses; [`Error::Cancelled`] between two row groups.
    pub fn write(&mut self, batch: &RecordBatch, progress: &Progress) -> Result<()> {
        let refused = refused(&self.path);
        let batch = match &mut self.geo {
            None => batch.clone(),
            Some(geo) => geo.encode_record_batch(batch).map_err(|error| refused(error.to_string()))?,
        };
        for first in (0..batch.num_rows()).step_by(ROW_GROUP_ROWS) {
            progress.check()?;
            let rows = batch.slice(first, ROW_GROUP_ROWS.min(batch.num_rows() - first));
            self.row_group(&rows).map_err(|error| refused(error.to_string()))?;
        }
        Ok(())
    }

    fn row_group(&mut self, rows: &RecordBatch) -> parquet::errors::Result<()> {
        let mut leaves = Vec::new();
        for (field, column) in self.schema.fields().iter().zip(rows.columns()) {
            leaves.extend(compute_leaves(field, column)?);
        }
        let writers = self.columns.create_column_writers(self.row_groups)?;
        let written = writers.into_par_iter().zip(leaves).map(|(mut writer, leaf)| {
            writer.write(&leaf)?;
            writer.close()
        });
        let written = written.collect::<parquet::errors::Result<Vec<_>>>()?;
        let mut row_group = self.writer.next_row_group()?;
        for column in written {
            column.append_to_row_group(&mut row_group)?;
        }
        row_group.close()?;
        self.row_groups += 1;
        Ok(())
    }

    /// Write what a reader needs to know, and wait until all is on the disk.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn finish(mut self) -> Result<()> {
        let refused = refused(&self.path);
        if let Some(geo) = self.geo {
            let key = geo_key(geo, self.label.is_some()).map_err(|error| refused(error.to_string()))?;
            self.writer.append_key_value_metadata(key);
        }
        if let Some(system) = self.label {
            self.writer.append_key_value_metadata(KeyValue::new(ANALYSIS_CRS.to_owned(), system));
        }
        self.writer.close().map_err(|error| refused(error.to_string()))?;
        self.file.sync_all().map_err(Error::file(&self.path))
    }
}

fn refused(path: &Path) -> impl Fn(String) -> Error + use<> {
    let path = path.to_owned();
    move |error| Error::file(&path)(std::io::Error::other(error))
}

/// What turns geometry columns into those of `GeoParquet`, where there are any.
fn encoder(schema: &SchemaRef) -> GeoArrowResult<Option<GeoParquetRecordBatchEncoder>> {
    let has_geometry = schema.fields().iter().any(|field| super::geometry::is_marked(field));
    let options = GeoParquetWriterOptionsBuilder::default().build();
    has_geometry.then(|| GeoParquetRecordBatchEncoder::try_new(schema, &options)).transpose()
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
