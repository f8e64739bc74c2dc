//! Tables from files: Parquet, `GeoParquet`, delimited text, `GeoJSON`.

use super::files::{self, Stamp, file_name, guarded, unreadable};
use super::parquet_gate::{self, Allowance};
use super::table::Table;
use super::{delimited, geojson, geometry};
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use arrow_array::RecordBatch;
use arrow_schema::SchemaRef;
use std::path::Path;
use std::sync::Arc;

impl Table {
    /// A table from a file; the kind follows from the ending of its name.
    ///
    /// # Errors
    /// A problem when the file is missing, of another kind, damaged or empty.
    pub fn read(path: &Path) -> Result<Self> {
        let path = &files::local(path);
        let name = file_name(path);
        if !path.is_file() {
            return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
        }
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("parquet" | "geoparquet") => read_parquet(path, &name),
            Some("geojson" | "json") => guarded(&name, || geojson::read(path, &name)),
            Some("csv" | "tsv" | "txt") => guarded(&name, || delimited::read(path, &name)),
            _ => {
                let known = ["parquet", "geoparquet", "csv", "tsv", "geojson"].map(str::to_owned).to_vec();
                let ending = ending.unwrap_or_default();
                Err(Problem::of_file(name, Fault::UnknownName { known })
                    .in_column("file ending")
                    .with_value(ending)
                    .into())
            }
        }
    }
}

fn read_parquet(path: &Path, name: &str) -> Result<Table> {
    let (mut batches, mut bytes) = (Vec::new(), 0);
    let schema = parquet_batches(path, |part| {
        bytes += parquet_gate::memory(&part.raw);
        part.allowance.check(name, bytes)?;
        batches.push(part.marked);
        Ok(())
    })?;
    let schema = batches.first().map_or(schema, RecordBatch::schema);
    guarded(name, || Table::from_batches(name, &schema, &batches))
}

/// Some rows of a Parquet file.
pub struct Part<'a> {
    /// As the file has them.
    pub raw: RecordBatch,
    /// With the geometry marked as such.
    pub marked: RecordBatch,
    /// What the file says of its geometry.
    pub geo: Option<&'a str>,
    allowance: Allowance,
}

/// Take the rows of a Parquet file a few at a time; the answer is its schema.
///
/// # Errors
/// A problem when the file is missing, of another kind or damaged, and what taking says.
pub fn parquet_batches(path: &Path, mut take: impl FnMut(Part<'_>) -> Result<()>) -> Result<SchemaRef> {
    use ::geoparquet::reader::GeoParquetReaderBuilder;
    use parquet::arrow::arrow_reader::{
        ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    };
    let name = &file_name(path);
    let file = files::open(path)?;
    let stamp = Stamp::of(&file).map_err(Error::file(path))?;
    let read = || -> Result<SchemaRef> {
        let (metadata, allowance) = parquet_gate::check(&file, name)?;
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::default())
            .map_err(unreadable(name))?;
        let said = metadata.metadata().file_metadata().key_value_metadata();
        let geo = said.and_then(|said| said.iter().find(|said| said.key == "geo")?.value.clone());
        let own = file.try_clone().map_err(Error::file(path))?;
        let builder = ParquetRecordBatchReaderBuilder::new_with_metadata(own, metadata)
            .with_batch_size(allowance.batch_rows);
        let schema = match builder.geoparquet_metadata() {
            None => builder.schema().clone(),
            Some(metadata) => {
                let metadata = metadata.map_err(unreadable(name))?;
                let coordinates = geoarrow_schema::CoordType::Interleaved;
                builder.geoarrow_schema(&metadata, false, coordinates).map_err(unreadable(name))?
            }
        };
        for raw in builder.build().map_err(unreadable(name))? {
            let raw = raw.map_err(unreadable(name))?;
            let marked = geometry::mark(&raw, &schema).map_err(unreadable(name))?;
            take(Part { raw, marked, geo: geo.as_deref(), allowance })?;
        }
        stamp.check(&file, path)?;
        Ok(schema)
    };
    guarded(name, read)
}
