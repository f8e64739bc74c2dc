//! `GeoJSON` feature collections as tables.

use super::files::{self, unreadable};
use super::geometry::{encode_some, wkb_field_as_stated};
use super::table::Table;
use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use arrow_schema::{DataType, Field, Schema};
use geo::Geometry;
use serde_json::Value;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Arc;

/// A feature collection as a table: `geometry`, `id` when features have one, and a column per property.
///
/// The standard of 2016 knows WGS-84 only; desktop programs still write the member `crs` of the one before, and
/// mean it. A collection without it states nothing, so that a user can. A geometry that is none costs its row, not the file.
///
/// # Errors
/// A problem when the file is no feature collection.
pub fn read(path: &Path, name: &str) -> Result<Table> {
    let bytes = files::read_bytes(path, Amount::TextBytes)?;
    let wrong = |_| Error::from(Problem::of_file(name, Fault::WrongFormat { expected: "GeoJSON" }));
    // The parser itself refuses more than 128 objects and lists inside each other.
    let text = String::from_utf8(bytes).map_err(wrong)?;
    let mut json: Value =
        serde_json::from_str(text.trim_start_matches('\u{feff}')).map_err(unreadable(name))?;
    let features = match json["features"].take() {
        Value::Array(features) if json["type"] == "FeatureCollection" => features,
        _ => {
            let fault = Fault::Unreadable { reason: "a FeatureCollection is needed".to_owned() };
            return Err(Problem::of_file(name, fault).into());
        }
    };
    let crs = stated_crs(&json["crs"]["properties"]["name"]);
    let (geometries, broken) = geometries(&features);
    let mut fields = vec![wkb_field_as_stated("geometry", crs.as_deref())];
    let mut columns = vec![encode_some(geometries.into_iter())];
    for key in property_names(&features) {
        let (field, column) = property_column(&key, &features);
        fields.push(field);
        columns.push(column);
    }
    let schema = Arc::new(Schema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), columns).map_err(unreadable(name))?;
    Ok(Table::from_batches(name, &schema, &[batch])?.with_broken(broken))
}

fn stated_crs(name: &Value) -> Option<String> {
    (!name.is_null()).then(|| name.as_str().map_or_else(|| name.to_string(), str::to_owned))
}

/// The geometry of every feature, and what is wrong with those that have one and do not give it.
fn geometries(features: &[Value]) -> (Vec<Option<Geometry>>, BTreeMap<usize, Fault>) {
    let mut broken = BTreeMap::new();
    let mut one = |(row, feature): (usize, &Value)| {
        let geometry = feature.get("geometry").filter(|geometry| !geometry.is_null())?;
        decode(geometry).map_err(|reason| broken.insert(row, Fault::BadGeometry { reason })).ok()
    };
    let geometries = features.iter().enumerate().map(&mut one).collect();
    (geometries, broken)
}

fn decode(geometry: &Value) -> std::result::Result<Geometry, String> {
    let geometry: geojson::Geometry =
        serde_json::from_value(geometry.clone()).map_err(|error| error.to_string())?;
    Geometry::try_from(&geometry).map_err(|error| error.to_string())
}

fn property<'a>(feature: &'a Value, key: &str) -> Option<&'a Value> {
    let own = feature.get("properties").and_then(|properties| properties.get(key));
    own.or_else(|| feature.get("id").filter(|_| key == "id"))
}

/// `id` first when features carry one outside their properties, then the properties in order of first use.
fn property_names(features: &[Value]) -> Vec<String> {
    let mut names = Vec::new();
    if features.iter().any(|feature| feature.get("id").is_some()) {
        names.push("id".to_owned());
    }
    let mut seen: HashSet<String> = names.iter().cloned().collect();
    let properties = features.iter().filter_map(|feature| feature.get("properties")?.as_object());
    for key in properties.flat_map(serde_json::Map::keys) {
        // A property of this name would be taken for the geometry.
        if key != "geometry" && seen.insert(key.clone()) {
            names.push(key.clone());
        }
    }
    names
}

/// Numbers when every value is a number, text otherwise.
fn property_column(key: &str, features: &[Value]) -> (Field, ArrayRef) {
    let values: Vec<&Value> =
        features.iter().map(|feature| property(feature, key).unwrap_or(&Value::Null)).collect();
    let present = || values.iter().filter(|value| !value.is_null());
    if present().all(|value| value.as_i64().is_some()) && present().next().is_some() {
        let column = values.iter().map(|value| value.as_i64()).collect::<arrow_array::Int64Array>();
        return (Field::new(key, DataType::Int64, true), Arc::new(column));
    }
    if present().all(|value| value.is_number()) && present().next().is_some() {
        let column = values.iter().map(|value| value.as_f64()).collect::<Float64Array>();
        return (Field::new(key, DataType::Float64, true), Arc::new(column));
    }
    let text = |value: &&Value| match value {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    };
    let column = values.iter().map(text).collect::<StringArray>();
    (Field::new(key, DataType::Utf8, true), Arc::new(column))
}
