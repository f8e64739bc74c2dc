//! Tables cut into files: one for each tile, or each part of a tile; made only where what it is computed from changed.

use super::lake::{TableState, Workbench, data_path};
use crate::io::delta::{self, Changes, DataFile, TableShape};
use crate::io::disk::Disk;
use crate::io::geometry;
use crate::io::{geoparquet, hash};
use crate::model::error::{Error, Result};
use crate::model::progress::Progress;
use crate::model::release::TableCounts;
use arrow_array::{Array, ArrayRef, RecordBatch, UInt32Array};
use arrow_cast::cast;
use arrow_schema::{DataType, Field, Schema};
use arrow_select::take::take_record_batch;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Rows of a table that lie in one file.
pub struct Part<'a> {
    /// The tile; `None` for a table that is not cut, `Some(None)` for rows without a place.
    pub tile: Option<Option<i64>>,
    /// What of the tile, such as a class; empty for all.
    pub name: String,
    /// Hash of everything that the rows are computed from; empty where they are there already.
    pub fingerprint: String,
    /// The rows.
    pub make: Box<dyn Fn() -> Result<RecordBatch> + Send + Sync + 'a>,
}

/// A table of a release.
pub struct Table<'a> {
    /// Its name.
    pub name: String,
    /// Columns, as they are written.
    pub schema: Schema,
    /// Whether it is cut by tiles.
    pub tiled: bool,
    /// Columns whose values hardly repeat.
    pub distinct: &'static [&'static str],
    /// Its rows.
    pub parts: Vec<Part<'a>>,
}

/// What became of the parts of a table.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct Made {
    /// Parts of the table.
    pub parts: usize,
    /// Those that were computed, because what they are computed from changed.
    pub computed: usize,
    /// Those that came out other than before, or were not there.
    pub changed: usize,
    /// The tiles of these.
    pub tiles: BTreeSet<String>,
    /// What of the tiles, such as classes.
    pub names: BTreeSet<String>,
}

/// A table with the types that Delta has, and without geometry: the H3 cell is where a row is.
///
/// # Errors
/// A column of a type that tables do not have: our own failure.
pub fn plain(batch: &RecordBatch) -> Result<RecordBatch> {
    let (mut fields, mut columns): (Vec<Field>, Vec<ArrayRef>) = (Vec::new(), Vec::new());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        if geometry::is_marked(field) {
            continue;
        }
        // Ids are text: their type may be another in tomorrow's delivery.
        let is_id = field.name() == "id" || field.name().ends_with("_id");
        let data_type = match field.data_type() {
            _ if is_id => DataType::Utf8,
            DataType::UInt64 | DataType::UInt32 | DataType::Int32 => DataType::Int64,
            DataType::Utf8View | DataType::LargeUtf8 | DataType::Dictionary(..) => DataType::Utf8,
            DataType::Float32 => DataType::Float64,
            other => other.clone(),
        };
        let column = cast(column, &data_type)
            .map_err(|error| Error::Internal(format!("{}: {error}", field.name())))?;
        // A column of nothing but nulls has no type of its own.
        let (column, data_type) = match data_type {
            DataType::Null => (arrow_array::new_null_array(&DataType::Utf8, column.len()), DataType::Utf8),
            known => (column, known),
        };
        fields.push(Field::new(field.name(), data_type, field.is_nullable()));
        columns.push(column);
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns)
        .map_err(|error| Error::Internal(error.to_string()))
}

/// A table whose rows are there, cut by the tile of each row.
///
/// # Errors
/// As of [`plain`].
pub fn tiled<'a>(name: &str, batch: &RecordBatch, tile: &[Option<i64>]) -> Result<Table<'a>> {
    let batch = plain(batch)?;
    let mut rows: BTreeMap<Option<i64>, Vec<u32>> = BTreeMap::new();
    for (row, &tile) in (0..).zip(tile) {
        rows.entry(tile).or_default().push(row);
    }
    let part = |(tile, rows): (Option<i64>, Vec<u32>)| {
        let taken = take_record_batch(&batch, &UInt32Array::from(rows));
        let taken = taken.map_err(|error| Error::Internal(error.to_string()))?;
        let make = Box::new(move || Ok(taken.clone()));
        Ok(Part { tile: Some(tile), name: String::new(), fingerprint: String::new(), make })
    };
    let schema = batch.schema().as_ref().clone();
    let parts = rows.into_iter().map(part).collect::<Result<_>>()?;
    Ok(Table { name: name.to_owned(), schema, tiled: true, distinct: &[], parts })
}

/// A table that is one file.
///
/// # Errors
/// As of [`plain`].
pub fn whole<'a>(name: &str, batch: &RecordBatch) -> Result<Table<'a>> {
    let batch = plain(batch)?;
    let schema = batch.schema().as_ref().clone();
    let make = Box::new(move || Ok(batch.clone()));
    let part = Part { tile: None, name: String::new(), fingerprint: String::new(), make };
    Ok(Table { name: name.to_owned(), schema, tiled: false, distinct: &[], parts: vec![part] })
}

/// What a table of a release is made from, and where to.
pub struct Workshop<'a> {
    /// The disk.
    pub disk: &'a dyn Disk,
    /// Where new files wait; none when nothing is written.
    pub bench: Option<&'a Workbench>,
    /// Whether what did not change is computed again too.
    pub full: bool,
    /// Progress.
    pub progress: &'a Progress,
}

/// What a table changes, what it counts then, and what became of its parts.
pub type Outcome = (Changes, TableCounts, Made);

impl Workshop<'_> {
    /// Make what is new of a table, and compare it with what there was.
    ///
    /// # Errors
    /// The system refuses, or the user stopped.
    pub fn table(&self, table: &Table<'_>, before: &TableState, id: &str) -> Result<Outcome> {
        let (shape_before, files_before) = before;
        let schema = delta::schema(&table.schema, table.tiled)?;
        let id = shape_before.as_ref().map_or(id, |shape| &shape.id).to_owned();
        let shape = TableShape { id, schema, tiled: table.tiled };
        let same_shape = shape_before.as_ref() == Some(&shape);
        let known: BTreeMap<(Option<i64>, &str), &DataFile> =
            files_before.values().map(|file| ((file.tile, file.part.as_str()), file)).collect();
        let is_same = |part: &Part<'_>, file: &&DataFile| {
            same_shape && !self.full && !part.fingerprint.is_empty() && part.fingerprint == file.fingerprint
        };
        let files: Vec<(DataFile, bool)> = table
            .parts
            .par_iter()
            .map(|part| {
                self.progress.step(1)?;
                let was = known.get(&(part.tile.flatten(), part.name.as_str())).copied();
                match was.filter(|file| is_same(part, file)) {
                    Some(file) => Ok((file.clone(), false)),
                    None => Ok((self.file(table, part)?, !part.fingerprint.is_empty())),
                }
            })
            .collect::<Result<_>>()?;
        let mut made = Made {
            parts: files.len(),
            computed: files.iter().filter(|(_, computed)| *computed).count(),
            ..Made::default()
        };
        for (file, _) in files.iter().filter(|(file, _)| !files_before.contains_key(&file.path)) {
            made.changed += 1;
            made.tiles.extend(file.tile.map(|tile| format!("{tile:x}")));
            made.names.extend((!file.part.is_empty()).then(|| file.part.clone()));
        }
        let files = files.into_iter().map(|(file, _)| file).collect();
        let (changes, counts) = Changes::between(before, Some(shape), files);
        Ok((changes, counts, made))
    }

    /// The rows of a part as a file, which waits to be published.
    fn file(&self, table: &Table<'_>, part: &Part<'_>) -> Result<DataFile> {
        let batch = (part.make)()?;
        let contents = geoparquet::encode(&batch, table.distinct)?;
        let sha256 = hash::of_bytes(&contents);
        if let Some(bench) = self.bench {
            let path = bench.path(&sha256);
            if self.disk.read(&path)?.is_none() {
                self.disk.write(&path, &contents, None)?;
            }
        }
        Ok(DataFile {
            path: data_path(part.tile, &sha256),
            tile: part.tile.flatten(),
            part: part.name.clone(),
            bytes: contents.len() as u64,
            rows: batch.num_rows() as u64,
            sha256,
            fingerprint: part.fingerprint.clone(),
            stats: delta::stats(&batch),
        })
    }
}
