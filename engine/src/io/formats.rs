//! Tables from files: Parquet, `GeoParquet`, delimited text, `GeoJSON`.

use super::files::{self, Stamp, file_name, guarded, unreadable};
use super::table::Table;
use super::{delimited, geojson, geometry, parquet_gate};
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use arrow_array::RecordBatch;
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
    use ::geoparquet::reader::GeoParquetReaderBuilder;
    use parquet::arrow::arrow_reader::{
        ArrowReaderMetadata, ArrowReaderOptions, ParquetRecordBatchReaderBuilder,
    };
    let file = files::open(path)?;
    let stamp = Stamp::of(&file).map_err(Error::file(path))?;
    let read = || -> Result<Table> {
        let (metadata, allowance) = parquet_gate::check(&file, name)?;
        let metadata = ArrowReaderMetadata::try_new(Arc::new(metadata), ArrowReaderOptions::default())
            .map_err(unreadable(name))?;
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
        let (mut batches, mut bytes) = (Vec::new(), 0);
        for batch in builder.build().map_err(unreadable(name))? {
            let batch = batch.map_err(unreadable(name))?;
            bytes += parquet_gate::memory(&batch);
            allowance.check(name, bytes)?;
            batches.push(geometry::mark(&batch, &schema).map_err(unreadable(name))?);
        }
        let schema = batches.first().map_or(schema, RecordBatch::schema);
        stamp.check(&file, path)?;
        Table::from_batches(name, &schema, &batches)
    };
    guarded(name, read)
}
