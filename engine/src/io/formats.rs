//! Tables from files: Parquet, `GeoParquet`, delimited text, `GeoJSON`.

use super::files::{self, Stamp, file_name, guarded, unreadable};
use super::table::Table;
use super::{geojson, geometry, parquet_gate};
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use arrow_array::{ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use std::path::Path;
use std::sync::Arc;

impl Table {
    /// A table from a file; the kind follows from the ending of its name.
    ///
    /// # Errors
    /// A problem when the file is missing, of another kind, damaged or empty.
    pub fn read(path: &Path) -> Result<Self> {
        let name = file_name(path);
        if !path.is_file() {
            return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
        }
        let ending = path.extension().map(|ending| ending.to_string_lossy().to_lowercase());
        match ending.as_deref() {
            Some("parquet" | "geoparquet") => read_parquet(path, &name),
            Some("geojson" | "json") => guarded(&name, || geojson::read(path, &name)),
            Some("csv" | "txt") => read_delimited(path, &name, b','),
            Some("tsv") => read_delimited(path, &name, b'\t'),
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
    use parquet::arrow::arrow_reader::{ArrowReaderMetadata, ParquetRecordBatchReaderBuilder};
    let file = files::open(path)?;
    let stamp = Stamp::of(&file).map_err(Error::file(path))?;
    let read = || -> Result<Table> {
        let (metadata, allowance) = parquet_gate::check(&file, name)?;
        let metadata =
            ArrowReaderMetadata::try_new(Arc::new(metadata), Default::default()).map_err(unreadable(name))?;
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

/// Delimited text by polars, every column as text: numbers are parsed later, where a fault can name its row.
fn read_delimited(path: &Path, name: &str, separator: u8) -> Result<Table> {
    use polars::prelude::{CsvReadOptions, SerReader};
    let read = || -> Result<Table> {
        let frame = CsvReadOptions::default()
            .with_has_header(true)
            .with_infer_schema_length(Some(0))
            .map_parse_options(|options| options.with_separator(separator))
            .try_into_reader_with_file_path(Some(path.to_owned()))
            .and_then(SerReader::finish)
            .map_err(|error| match error {
                polars::error::PolarsError::NoData(_) => {
                    Error::from(Problem::of_file(name, Fault::EmptyTable))
                }
                other => unreadable(name)(other),
            })?;
        let mut fields = Vec::new();
        let mut columns: Vec<ArrayRef> = Vec::new();
        for column in frame.columns() {
            let text = column.str().map_err(unreadable(name))?;
            fields.push(Field::new(
                column.name().as_str().trim_start_matches('\u{feff}'),
                DataType::Utf8,
                true,
            ));
            columns.push(Arc::new(text.iter().collect::<StringArray>()));
        }
        let schema = Arc::new(Schema::new(fields));
        let batch = RecordBatch::try_new(schema.clone(), columns).map_err(unreadable(name))?;
        Ok(Table::from_batches(name, &schema, &[batch])?.untyped())
    };
    guarded(name, read)
}
