//! Tables of any source: Parquet, `GeoParquet`, CSV, `GeoJSON` and Arrow, with columns read under one set of rules.

use super::geometry;
use crate::model::cell;
use crate::model::error::{Error, Result};
use crate::model::extent::Extent;
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type, UInt64Type};
use arrow_array::{Array, ArrayRef, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use geo::Geometry;
use h3o::CellIndex;
use std::fs::File;
use std::path::Path;
use std::sync::Arc;

/// A table in memory with the name that its problems carry.
#[derive(Debug, Clone)]
pub struct Table {
    /// File name, or the name of the argument.
    pub name: String,
    batch: RecordBatch,
    /// Every column is text because the source has no types.
    untyped: bool,
    /// Where its places are expected.
    near: Option<Extent>,
}

/// What the rows of a place column say. Rows without a usable place are `None` and have a problem.
#[derive(Debug, Default)]
pub struct Located {
    /// One geometry per row: a point, an outline, or a cell's centre.
    pub place: Vec<Option<Geometry>>,
    /// The cell of each row, where cells gave the places.
    pub cell: Option<Vec<Option<CellIndex>>>,
}

impl Table {
    /// A table from Arrow batches of one schema.
    ///
    /// # Errors
    /// A problem when there is no row.
    pub fn from_batches(name: &str, schema: &Arc<Schema>, batches: &[RecordBatch]) -> Result<Self> {
        let batch = arrow_select::concat::concat_batches(schema, batches).map_err(unreadable(name))?;
        if batch.num_rows() == 0 {
            return Err(Problem::of_file(name, Fault::EmptyTable).into());
        }
        Ok(Self { name: name.to_owned(), batch, untyped: false, near: None })
    }

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
            Some("geojson" | "json") => geometry::read_geojson(path, &name),
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

    /// The same table, whose places are expected here: one that would be here only with its coordinates exchanged
    /// was given the wrong way round.
    #[must_use]
    pub fn near(mut self, extent: Extent) -> Self {
        self.near = Some(extent);
        self
    }

    /// Number of rows.
    pub fn rows(&self) -> usize {
        self.batch.num_rows()
    }

    /// Names of the columns.
    pub fn column_names(&self) -> Vec<String> {
        self.batch.schema().fields().iter().map(|field| field.name().clone()).collect()
    }

    /// Names of the columns that hold numbers.
    pub fn number_columns(&self) -> Vec<String> {
        let schema = self.batch.schema();
        let numeric = |field: &&Arc<Field>| field.data_type().is_numeric();
        schema.fields().iter().filter(numeric).map(|field| field.name().clone()).collect()
    }

    /// Whether a column of this name exists.
    pub fn has(&self, column: &str) -> bool {
        self.batch.schema().index_of(column).is_ok()
    }

    /// A problem at a row of this table, counted from 0 here and from 1 in the text.
    pub fn problem(&self, row: usize, column: &str, value: Option<String>, fault: Fault) -> Problem {
        let mut problem = Problem::of_file(&self.name, fault).at_row(row as u64 + 1).in_column(column);
        problem.value = value;
        problem
    }

    fn column(&self, column: &str) -> Result<(ArrayRef, Field)> {
        let schema = self.batch.schema();
        let Ok(position) = schema.index_of(column) else {
            let found = self.column_names();
            return Err(Problem::of_file(&self.name, Fault::MissingColumn { found })
                .in_column(column)
                .into());
        };
        Ok((self.batch.column(position).clone(), schema.field(position).clone()))
    }

    /// A column as text; missing values are `None`.
    pub fn text(&self, column: &str) -> Result<Vec<Option<String>>> {
        let strings = self.strings(column)?;
        Ok((0..strings.len())
            .map(|row| strings.is_valid(row).then(|| strings.value(row).to_owned()))
            .collect())
    }

    fn strings(&self, column: &str) -> Result<StringArray> {
        let (array, _) = self.column(column)?;
        let text = arrow_cast::cast(&array, &DataType::Utf8).map_err(unreadable(&self.name))?;
        Ok(text.as_string::<i32>().clone())
    }

    /// A column as numbers. Missing and non-finite values are `None` without a problem; text that is no number is
    /// `None` with one.
    pub fn numbers(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<f64>>> {
        let (array, _) = self.column(column)?;
        let is_text = matches!(array.data_type(), DataType::Utf8 | DataType::LargeUtf8 | DataType::Utf8View);
        if is_text {
            return self.numbers_from_text(column, problems);
        }
        let numbers = arrow_cast::cast(&array, &DataType::Float64).map_err(unreadable(&self.name))?;
        let numbers = numbers.as_primitive::<Float64Type>();
        Ok(numbers.iter().map(|number| number.filter(|number| number.is_finite())).collect())
    }

    fn numbers_from_text(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<f64>>> {
        let text = self.text(column)?;
        let mut numbers = Vec::with_capacity(text.len());
        for (row, value) in text.into_iter().enumerate() {
            let value = value.filter(|value| !value.trim().is_empty());
            let number = value.as_ref().and_then(|value| value.trim().parse::<f64>().ok());
            if let (None, Some(_)) = (number, &value) {
                problems.push(self.problem(row, column, value, Fault::NotANumber));
            }
            numbers.push(number.filter(|number| number.is_finite()));
        }
        Ok(numbers)
    }

    /// A column of ids in the type that it has: whole numbers stay numbers, everything else becomes text. In delimited
    /// text, which has no types, a column of nothing but whole numbers is numbers.
    ///
    /// # Errors
    /// A problem for every missing id.
    pub fn ids(&self, column: &str) -> Result<Ids> {
        let (array, _) = self.column(column)?;
        let missing: Vec<Problem> = (0..array.len())
            .filter(|&row| array.is_null(row))
            .map(|row| self.problem(row, column, None, Fault::MissingValue))
            .collect();
        if !missing.is_empty() {
            return Err(Error::Input(missing));
        }
        let whole = |to: &DataType| arrow_cast::cast(&array, to).map_err(unreadable(&self.name));
        Ok(match array.data_type() {
            DataType::UInt64 => {
                Ids::UInt(whole(&DataType::UInt64)?.as_primitive::<UInt64Type>().values().to_vec())
            }
            kind if kind.is_integer() => {
                Ids::Int(whole(&DataType::Int64)?.as_primitive::<Int64Type>().values().to_vec())
            }
            _ => {
                let text: Vec<String> = self.text(column)?.into_iter().flatten().collect();
                match whole_numbers(&text) {
                    Some(numbers) if self.untyped => Ids::Int(numbers),
                    _ => Ids::Text(text),
                }
            }
        })
    }

    /// Where each row is: `lon` + `lat`, a geometry column, or H3 cells under `cell_column`, in this order.
    pub fn located(&self, cell_column: &str, problems: &mut Vec<Problem>) -> Result<Located> {
        if self.has("lon") && self.has("lat") {
            let located = self.located_by_degrees(problems)?;
            return Ok(self.without_swapped(located, "lon, lat", problems));
        }
        if let Some(column) = self.geometry_column() {
            let place = self.geometries(&column, problems)?;
            return Ok(self.without_swapped(Located { place, cell: None }, &column, problems));
        }
        if self.has(cell_column) {
            return self.located_by_cells(cell_column, problems);
        }
        let found = self.column_names();
        let wanted = format!("lon + lat, geometry or {cell_column}");
        Err(Problem::of_file(&self.name, Fault::MissingColumn { found }).in_column(wanted).into())
    }

    fn without_swapped(&self, mut located: Located, column: &str, problems: &mut Vec<Problem>) -> Located {
        let Some(near) = self.near else { return located };
        for (row, place) in located.place.iter_mut().enumerate() {
            let Some(found) = place.as_ref().and_then(geometry::place_of) else { continue };
            if near.looks_swapped(found) {
                let value = format!("{}, {}", found.lon(), found.lat());
                problems.push(self.problem(row, column, Some(value), Fault::SwappedLonLat));
                *place = None;
            }
        }
        located
    }

    fn located_by_degrees(&self, problems: &mut Vec<Problem>) -> Result<Located> {
        let lon = self.numbers("lon", problems)?;
        let lat = self.numbers("lat", problems)?;
        let known: Vec<u64> = problems.iter().filter_map(|problem| problem.row).collect();
        let mut place = Vec::with_capacity(lon.len());
        for (row, (lon, lat)) in lon.into_iter().zip(lat).enumerate() {
            let found = match (lon, lat) {
                (Some(lon), Some(lat)) => Place::new(lon, lat).ok_or_else(|| self.bad_degrees(row, lon, lat)),
                (None, _) => Err(self.problem(row, "lon", None, Fault::MissingValue)),
                (_, None) => Err(self.problem(row, "lat", None, Fault::MissingValue)),
            };
            let place_or_problem = found.map(|place| Geometry::Point((place.lon(), place.lat()).into()));
            match place_or_problem {
                Ok(point) => place.push(Some(point)),
                Err(problem) => {
                    if !known.contains(&(row as u64 + 1)) {
                        problems.push(problem);
                    }
                    place.push(None);
                }
            }
        }
        Ok(Located { place, cell: None })
    }

    fn bad_degrees(&self, row: usize, lon: f64, lat: f64) -> Problem {
        if !(-90.0..=90.0).contains(&lat) {
            let swapped = Place::new(lat, lon).is_some();
            let fault = if swapped { Fault::SwappedLonLat } else { Fault::OutOfRange { range: "-90..90" } };
            return self.problem(row, "lat", Some(lat.to_string()), fault);
        }
        self.problem(row, "lon", Some(lon.to_string()), Fault::OutOfRange { range: "-180..180" })
    }

    fn located_by_cells(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Located> {
        let cells = self.cells(column, problems)?;
        let centre = |cell: CellIndex| {
            let centre = cell::centre(cell);
            Geometry::Point((centre.lon(), centre.lat()).into())
        };
        let place = cells.iter().map(|cell| cell.map(centre)).collect();
        Ok(Located { place, cell: Some(cells) })
    }

    /// A column of H3 cells: u64, i64 or hexadecimal text; in text also decimal, as a column of u64 stands in CSV (18
    /// digits, which are too many for a hexadecimal id).
    pub fn cells(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<CellIndex>>> {
        let (array, _) = self.column(column)?;
        let whole = array.data_type().is_integer();
        let values = self.text(column)?;
        let mut cells = Vec::with_capacity(values.len());
        for (row, value) in values.into_iter().enumerate() {
            let found = value.as_ref().and_then(|value| {
                let decimal = || value.trim().parse().ok().and_then(cell::from_id);
                if whole { decimal() } else { cell::from_hex(value).or_else(decimal) }
            });
            if found.is_none() {
                let fault = if value.is_some() { Fault::NotACell } else { Fault::MissingValue };
                problems.push(self.problem(row, column, value, fault));
            }
            cells.push(found);
        }
        Ok(cells)
    }

    /// The name of the geometry column: the one marked as such, else one called `geometry` or `geom`.
    pub fn geometry_column(&self) -> Option<String> {
        let schema = self.batch.schema();
        let marked = schema.fields().iter().find(|field| geometry::is_marked(field));
        let named = || schema.fields().iter().find(|field| geometry::is_named(field));
        marked.or_else(named).map(|field| field.name().clone())
    }

    /// The geometries of a column in degrees; `None` where missing or unusable, with a problem.
    pub fn geometries(&self, column: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<Geometry>>> {
        let (array, field) = self.column(column)?;
        geometry::decode(self, &array, &field, problems)
    }
}

/// The last part of a path, the name by which users know a file.
pub fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

/// For `map_err`: a library's words about a file it cannot read.
pub fn unreadable<E: std::fmt::Display>(name: &str) -> impl Fn(E) -> Error {
    move |error| Problem::of_file(name, Fault::Unreadable { reason: error.to_string() }).into()
}

fn read_parquet(path: &Path, name: &str) -> Result<Table> {
    use ::geoparquet::reader::GeoParquetReaderBuilder;
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
    let file = File::open(path).map_err(Error::file(path))?;
    let read = || -> Result<Table> {
        let builder = ParquetRecordBatchReaderBuilder::try_new(file).map_err(unreadable(name))?;
        let schema = match builder.geoparquet_metadata() {
            None => builder.schema().clone(),
            Some(metadata) => {
                let metadata = metadata.map_err(unreadable(name))?;
                let coordinates = geoarrow_schema::CoordType::Interleaved;
                builder.geoarrow_schema(&metadata, false, coordinates).map_err(unreadable(name))?
            }
        };
        let mut batches = Vec::new();
        for batch in builder.build().map_err(unreadable(name))? {
            let batch = batch.map_err(unreadable(name))?;
            batches.push(geometry::mark(&batch, &schema).map_err(unreadable(name))?);
        }
        let schema = batches.first().map_or(schema, RecordBatch::schema);
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
        Ok(Table { untyped: true, ..Table::from_batches(name, &schema, &[batch])? })
    };
    guarded(name, read)
}

/// The numbers, when every text is one exactly as it would be printed: "007" is a name.
fn whole_numbers(text: &[String]) -> Option<Vec<i64>> {
    text.iter().map(|text| text.parse::<i64>().ok().filter(|number| number.to_string() == *text)).collect()
}

/// A decoder that panics on a damaged file must not take the process with it.
pub fn guarded<T>(name: &str, read: impl FnOnce() -> Result<T>) -> Result<T> {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(read))
        .unwrap_or_else(|_| Err(unreadable(name)("the decoder gave up; the file is damaged")))
}
