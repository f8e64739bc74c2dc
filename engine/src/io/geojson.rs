//! `GeoJSON` feature collections as tables.

use super::files::unreadable;
use super::geometry::{encode, wkb_field_as_stated};
use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use arrow_array::cast::AsArray;
use arrow_array::{ArrayRef, BinaryArray, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use geo::Geometry;
use std::path::Path;
use std::sync::Arc;

/// A feature collection as a table: `geometry`, `id` when features have one, and a column per property.
///
/// The standard of 2016 knows WGS-84 only; desktop programs still write the member `crs` of the one before, and
/// mean it. A collection without it states nothing, so that a user can.
///
/// # Errors
/// A problem when the file is no feature collection.
pub fn read(path: &Path, name: &str) -> Result<Table> {
    let text = std::fs::read_to_string(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::InvalidData => {
            Problem::of_file(name, Fault::WrongFormat { expected: "GeoJSON" }).into()
        }
        _ => Error::file(path)(error),
    })?;
    let json: geojson::GeoJson = text.parse().map_err(unreadable(name))?;
    let geojson::GeoJson::FeatureCollection(collection) = json else {
        let fault = Fault::Unreadable { reason: "a FeatureCollection is needed".to_owned() };
        return Err(Problem::of_file(name, fault).into());
    };
    let crs = stated_crs(collection.foreign_members.as_ref());
    let features = collection.features;
    let mut fields = vec![wkb_field_as_stated("geometry", crs.as_deref())];
    let mut columns = vec![encode_features(name, &features)?];
    for key in property_names(&features) {
        let (field, column) = property_column(&key, &features);
        fields.push(field);
        columns.push(column);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(unreadable(name))?;
    Table::from_batches(name, &schema, &[batch])
}

fn stated_crs(members: Option<&geojson::JsonObject>) -> Option<String> {
    let name = &members?.get("crs")?["properties"]["name"];
    (!name.is_null()).then(|| name.as_str().map_or_else(|| name.to_string(), str::to_owned))
}

fn encode_features(name: &str, features: &[geojson::Feature]) -> Result<ArrayRef> {
    let mut encoded: Vec<Option<Vec<u8>>> = Vec::with_capacity(features.len());
    for (row, feature) in features.iter().enumerate() {
        let Some(geometry) = &feature.geometry else {
            encoded.push(None);
            continue;
        };
        let geometry = Geometry::<f64>::try_from(geometry).map_err(|error| {
            let fault = Fault::BadGeometry { reason: error.to_string() };
            Error::from(Problem::of_file(name, fault).at_row(row as u64 + 1))
        })?;
        let bytes = encode(std::iter::once(geometry));
        encoded.push(Some(bytes.as_binary::<i32>().value(0).to_vec()));
    }
    Ok(Arc::new(encoded.iter().map(Option::as_deref).collect::<BinaryArray>()))
}

/// `id` first when features carry one outside their properties, then the properties in order of first use.
fn property_names(features: &[geojson::Feature]) -> Vec<String> {
    let mut names = Vec::new();
    if features.iter().any(|feature| feature.id.is_some()) {
        names.push("id".to_owned());
    }
    let mut seen: std::collections::HashSet<String> = names.iter().cloned().collect();
    for (key, _) in features.iter().filter_map(|feature| feature.properties.as_ref()).flatten() {
        if seen.insert(key.clone()) {
            names.push(key.clone());
        }
    }
    names
}

/// Numbers when every value is a number, text otherwise.
fn property_column(key: &str, features: &[geojson::Feature]) -> (Field, ArrayRef) {
    use serde_json::Value;
    let value = |feature: &geojson::Feature| -> Value {
        let property = feature.properties.as_ref().and_then(|properties| properties.get(key));
        match (property, key, &feature.id) {
            (Some(value), _, _) => value.clone(),
            (None, "id", Some(geojson::feature::Id::String(id))) => Value::String(id.clone()),
            (None, "id", Some(geojson::feature::Id::Number(id))) => Value::Number(id.clone()),
            _ => Value::Null,
        }
    };
    let values: Vec<Value> = features.iter().map(value).collect();
    let present = || values.iter().filter(|value| !value.is_null());
    if present().all(|value| value.as_i64().is_some()) && present().next().is_some() {
        let column = values.iter().map(Value::as_i64).collect::<arrow_array::Int64Array>();
        return (Field::new(key, DataType::Int64, true), Arc::new(column));
    }
    if present().all(Value::is_number) && present().next().is_some() {
        let column = values.iter().map(Value::as_f64).collect::<Float64Array>();
        return (Field::new(key, DataType::Float64, true), Arc::new(column));
    }
    let text = |value: &Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let column = values.iter().map(text).collect::<StringArray>();
    (Field::new(key, DataType::Utf8, true), Arc::new(column))
}
