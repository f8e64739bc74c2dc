//! The log of a Delta Lake table: what each version adds and takes away, as lines of JSON that every reader of Delta knows.
//!
//! Source: the Delta transaction log protocol, <https://github.com/delta-io/delta/blob/master/PROTOCOL.md> (reader
//! version 1, writer version 2: no optional feature). Why the entries are made here and not by a library:
//! docs/design/2026-11-tables.md.

use crate::model::error::{Error, Result};
use crate::model::release::TableCounts;
use arrow_array::cast::AsArray;
use arrow_array::types::{Float64Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use arrow_schema::{DataType, Schema};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// The column by which tables are cut: the H3 parent of what a row is about.
pub const TILE: &str = "tile";

/// The folder of the log inside a table's.
pub const LOG: &str = "_delta_log";

/// The file that a row lies in, as the log has it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataFile {
    /// Where it lies inside the table's folder.
    pub path: String,
    /// The tile of its rows; none where they have no place, or the table is not cut.
    pub tile: Option<i64>,
    /// What of the tile it holds, such as a class; empty where it holds all.
    pub part: String,
    /// Size.
    pub bytes: u64,
    /// Rows.
    pub rows: u64,
    /// SHA-256 of its contents.
    pub sha256: String,
    /// Hash of everything that its rows were computed from; empty where they are always computed.
    pub fingerprint: String,
    /// Smallest and largest values of columns, for readers that pass over files.
    pub stats: String,
}

/// A table as its log describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TableShape {
    /// Id of the table, a UUID.
    pub id: String,
    /// Its columns, without [`TILE`], in the words of Delta.
    pub schema: String,
    /// Whether it is cut by [`TILE`].
    pub tiled: bool,
}

/// What a version changes.
#[derive(Debug, Clone, Default)]
pub struct Changes {
    /// The shape of the table, where it is new or another.
    pub shape: Option<TableShape>,
    /// Files that it adds.
    pub added: Vec<DataFile>,
    /// Files that it takes away.
    pub removed: Vec<DataFile>,
}

impl Changes {
    /// What turns one state of a table into another, and what it counts then.
    pub fn between(
        before: &(Option<TableShape>, BTreeMap<String, DataFile>),
        shape: Option<TableShape>,
        files: Vec<DataFile>,
    ) -> (Self, TableCounts) {
        let mut changes = Self { shape: shape.filter(|it| before.0.as_ref() != Some(it)), ..Self::default() };
        let mut counts = TableCounts { files: files.len() as u64, ..TableCounts::default() };
        let mut left = before.1.clone();
        for file in files {
            counts.rows += file.rows;
            counts.bytes += file.bytes;
            if left.remove(&file.path).as_ref() != Some(&file) {
                changes.added.push(file);
            }
        }
        changes.removed = left.into_values().collect();
        counts.files_added = changes.added.len() as u64;
        counts.files_removed = changes.removed.len() as u64;
        (changes, counts)
    }
}

/// What is said of the commit itself.
#[derive(Debug, Clone, Copy)]
pub struct Commit<'a> {
    /// The version; the same for all tables of a release.
    pub version: u64,
    /// Milliseconds since 1970.
    pub at_ms: u64,
    /// Why, such as `refresh`.
    pub cause: &'a str,
}

/// The log entry of a version.
pub fn entry(commit: Commit<'_>, changes: &Changes) -> String {
    let at_ms = commit.at_ms;
    let info = json!({ "commitInfo": {
        "timestamp": at_ms,
        "operation": "WRITE",
        "operationParameters": { "mode": "Overwrite", "partitionBy": "[\"tile\"]" },
        "engineInfo": concat!("walkshed/", env!("CARGO_PKG_VERSION")),
        "walkshed": { "release": commit.version, "cause": commit.cause },
    }});
    let mut lines = vec![info];
    if commit.version == 0 {
        lines.push(json!({ "protocol": { "minReaderVersion": 1, "minWriterVersion": 2 } }));
    }
    if let Some(shape) = &changes.shape {
        lines.push(json!({ "metaData": {
            "id": shape.id,
            "format": { "provider": "parquet", "options": {} },
            "schemaString": shape.schema,
            "partitionColumns": if shape.tiled { vec![TILE] } else { vec![] },
            "configuration": {},
            "createdTime": at_ms,
        }}));
    }
    lines.extend(changes.removed.iter().map(|file| {
        json!({ "remove": {
            "path": file.path,
            "deletionTimestamp": at_ms,
            "dataChange": true,
            "extendedFileMetadata": true,
            "partitionValues": partition(file),
            "size": file.bytes,
        }})
    }));
    lines.extend(changes.added.iter().map(|file| {
        json!({ "add": {
            "path": file.path,
            "partitionValues": partition(file),
            "size": file.bytes,
            "modificationTime": at_ms,
            "dataChange": true,
            "stats": file.stats,
            "tags": { "part": file.part, "sha256": file.sha256, "fingerprint": file.fingerprint },
        }})
    }));
    lines.into_iter().map(|line| line.to_string() + "\n").collect()
}

/// A table that is not cut says nothing of tiles; its files lie in no folder of one.
fn partition(file: &DataFile) -> Map<String, Value> {
    let mut values = Map::new();
    if file.path.starts_with(TILE) {
        values.insert(TILE.to_owned(), file.tile.map_or(Value::Null, |tile| tile.to_string().into()));
    }
    values
}

/// The table that the entries of a log, from the first on, amount to.
///
/// # Errors
/// What is wrong with which entry, in words.
pub fn replay<'a>(
    entries: impl Iterator<Item = &'a str>,
) -> std::result::Result<(Option<TableShape>, BTreeMap<String, DataFile>), String> {
    let (mut shape, mut files) = (None, BTreeMap::new());
    for (version, text) in entries.enumerate() {
        let told = |what: String| format!("version {version}: {what}");
        for line in text.lines() {
            let action: Action = serde_json::from_str(line).map_err(|error| told(error.to_string()))?;
            if let Some(meta) = action.meta_data {
                let tiled = meta.partition_columns.iter().any(|column| column == TILE);
                shape = Some(TableShape { id: meta.id, schema: meta.schema_string, tiled });
            }
            if let Some(remove) = action.remove {
                files.remove(&remove.path);
            }
            if let Some(add) = action.add {
                let file = add.file().map_err(told)?;
                files.insert(file.path.clone(), file);
            }
        }
    }
    Ok((shape, files))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Action {
    meta_data: Option<MetaData>,
    add: Option<Add>,
    remove: Option<Remove>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct MetaData {
    id: String,
    schema_string: String,
    partition_columns: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Add {
    path: String,
    partition_values: BTreeMap<String, Option<String>>,
    size: u64,
    #[serde(default)]
    stats: String,
    #[serde(default)]
    tags: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Remove {
    path: String,
}

impl Add {
    /// Only files that walkshed wrote carry the tags; those of another writer make the table somebody else's.
    fn file(mut self) -> std::result::Result<DataFile, String> {
        let mut tag = |name: &str| {
            let absent = || format!("the file {} has no tag {name}: another program wrote it", self.path);
            self.tags.remove(name).ok_or_else(absent)
        };
        let (part, sha256, fingerprint) = (tag("part")?, tag("sha256")?, tag("fingerprint")?);
        let tile = self.partition_values.remove(TILE).flatten();
        let tile = tile.map(|tile| tile.parse().map_err(|_| format!("{tile} is no tile"))).transpose()?;
        let rows = serde_json::from_str::<Value>(&self.stats).ok();
        let rows = rows.and_then(|stats| stats["numRecords"].as_u64());
        let rows = rows.ok_or_else(|| format!("the file {} does not tell its rows", self.path))?;
        Ok(DataFile {
            path: self.path,
            tile,
            part,
            bytes: self.size,
            rows,
            sha256,
            fingerprint,
            stats: self.stats,
        })
    }
}

/// Columns in the words of Delta, which has no unsigned numbers; [`TILE`] last where the table is cut.
///
/// # Errors
/// A type that tables do not have: our own failure.
pub fn schema(schema: &Schema, tiled: bool) -> Result<String> {
    let mut fields = Vec::new();
    for field in schema.fields() {
        let kind = kind(field.data_type()).ok_or_else(|| {
            Error::Internal(format!("column {} of type {} in a table", field.name(), field.data_type()))
        })?;
        let name = field.name();
        fields.push(json!({ "name": name, "type": kind, "nullable": field.is_nullable(), "metadata": {} }));
    }
    if tiled {
        fields.push(json!({ "name": TILE, "type": "long", "nullable": true, "metadata": {} }));
    }
    Ok(json!({ "type": "struct", "fields": fields }).to_string())
}

fn kind(data_type: &DataType) -> Option<&'static str> {
    match data_type {
        DataType::Utf8 => Some("string"),
        DataType::Int64 => Some("long"),
        DataType::Int32 => Some("integer"),
        DataType::Float64 => Some("double"),
        DataType::Boolean => Some("boolean"),
        DataType::Date32 => Some("date"),
        _ => None,
    }
}

/// Longest text that is told as a smallest or largest value.
const LONGEST: usize = 32;

/// How many rows, and the smallest and largest values and nulls of each column, as the log tells them.
pub fn stats(batch: &RecordBatch) -> String {
    let (mut least, mut most, mut nulls) = (Map::new(), Map::new(), Map::new());
    for (field, column) in batch.schema().fields().iter().zip(batch.columns()) {
        nulls.insert(field.name().clone(), column.null_count().into());
        if let Some((low, high)) = ends(column.as_ref()) {
            least.insert(field.name().clone(), low);
            most.insert(field.name().clone(), high);
        }
    }
    json!({ "numRecords": batch.num_rows(), "minValues": least, "maxValues": most, "nullCount": nulls })
        .to_string()
}

/// The smallest and the largest value of a column; none where there are none, or texts too long to be told.
fn ends(column: &dyn Array) -> Option<(Value, Value)> {
    match column.data_type() {
        DataType::Int64 => {
            let values = || column.as_primitive::<Int64Type>().iter().flatten();
            Some((values().min()?.into(), values().max()?.into()))
        }
        DataType::Float64 => {
            let values = || column.as_primitive::<Float64Type>().iter().flatten();
            let is_told = values().all(f64::is_finite);
            is_told.then_some((values().reduce(f64::min)?.into(), values().reduce(f64::max)?.into()))
        }
        DataType::Utf8 => {
            let values = || column.as_string::<i32>().iter().flatten();
            let (low, high) = (values().min()?, values().max()?);
            (low.len() <= LONGEST && high.len() <= LONGEST).then(|| (low.into(), high.into()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, tile: Option<i64>) -> DataFile {
        DataFile {
            path: path.to_owned(),
            tile,
            part: "clinic".to_owned(),
            bytes: 7,
            rows: 3,
            sha256: "ab".to_owned(),
            fingerprint: "cd".to_owned(),
            stats: json!({ "numRecords": 3 }).to_string(),
        }
    }

    #[test]
    fn what_is_written_is_what_is_replayed() {
        let shape =
            TableShape { id: "0".to_owned(), schema: "{\"type\":\"struct\"}".to_owned(), tiled: true };
        let (one, two) = (file("tile=5/a.parquet", Some(5)), file("tile=x/b.parquet", None));
        let first = Changes { shape: Some(shape.clone()), added: vec![one.clone()], removed: vec![] };
        let second = Changes { shape: None, added: vec![two.clone()], removed: vec![one.clone()] };
        let commit = |version| Commit { version, at_ms: 1000 + version, cause: "refresh" };
        let texts = [entry(commit(0), &first), entry(commit(1), &second)];
        let (found, files) = replay(texts[..1].iter().map(String::as_str)).unwrap();
        assert_eq!((found, files.into_values().collect()), (Some(shape.clone()), vec![one]));
        let (found, files) = replay(texts.iter().map(String::as_str)).unwrap();
        assert_eq!((found, files.into_values().collect()), (Some(shape), vec![two]));
    }

    #[test]
    fn a_file_of_another_program_is_told() {
        let foreign = r#"{"add":{"path":"x.parquet","partitionValues":{},"size":1,"modificationTime":1,"dataChange":true}}"#;
        let told = replay([foreign].into_iter()).unwrap_err();
        assert!(told.contains("x.parquet") && told.contains("another program"), "{told}");
    }
}
