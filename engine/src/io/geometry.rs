//! Geometry columns: every `GeoArrow` encoding, WKB and `GeoJSON`, always in degrees of WGS-84.

use super::table::{Table, unreadable};
use crate::model::error::{Error, Result};
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, Float64Array, RecordBatch, RecordBatchOptions, StringArray};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use geo::{CoordsIter, Geometry, InteriorPoint, MultiPolygon, Validation};
use geo_traits::to_geo::ToGeoGeometry;
use std::path::Path;
use std::sync::Arc;

/// Key of the extension name in Arrow field metadata.
const EXTENSION: &str = "ARROW:extension:name";
const EXTENSION_METADATA: &str = "ARROW:extension:metadata";

/// WGS-84 longitude and latitude as `GeoParquet` wants it (PROJJSON of OGC:CRS84, shortest form that names it).
const CRS84: &str = r#"{"$schema":"https://proj.org/schemas/v0.7/projjson.schema.json","type":"GeographicCRS","name":"WGS 84 (CRS84)","datum_ensemble":{"name":"World Geodetic System 1984 ensemble","members":[{"name":"World Geodetic System 1984 (Transit)"},{"name":"World Geodetic System 1984 (G2296)"}],"ellipsoid":{"name":"WGS 84","semi_major_axis":6378137,"inverse_flattening":298.257223563},"accuracy":"2.0"},"coordinate_system":{"subtype":"ellipsoidal","axis":[{"name":"Geodetic longitude","abbreviation":"Lon","direction":"east","unit":"degree"},{"name":"Geodetic latitude","abbreviation":"Lat","direction":"north","unit":"degree"}]},"id":{"authority":"OGC","code":"CRS84"}}"#;

/// Codes of geographic systems that agree with WGS-84 to about a metre.
const AS_WGS84: [&str; 4] = ["EPSG:4326", "OGC:CRS84", "EPSG:4490", "EPSG:4979"];

/// Whether a field says by its metadata that it holds geometry.
pub fn is_marked(field: &Field) -> bool {
    field.metadata().get(EXTENSION).is_some_and(|name| name.starts_with("geoarrow.") || name == "ogc.wkb")
}

/// Whether a field without metadata is taken for WKB, by its name and type.
pub fn is_named(field: &Field) -> bool {
    let binary = matches!(field.data_type(), DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    binary && ["geometry", "geom", "wkb_geometry"].contains(&field.name().as_str())
}

/// A batch whose fields carry the geometry metadata of `schema`.
pub fn mark(batch: &RecordBatch, schema: &SchemaRef) -> std::result::Result<RecordBatch, ArrowError> {
    let own = batch.schema();
    let fields: Vec<Field> = own
        .fields()
        .iter()
        .map(|field| match schema.field_with_name(field.name()) {
            Ok(marked) => field.as_ref().clone().with_metadata(marked.metadata().clone()),
            Err(_) => field.as_ref().clone(),
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(batch.num_rows()));
    RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), batch.columns().to_vec(), &options)
}

/// The field of a WKB column in WGS-84 degrees.
pub fn wkb_field(name: &str) -> Field {
    let metadata = [
        (EXTENSION.to_owned(), "geoarrow.wkb".to_owned()),
        (EXTENSION_METADATA.to_owned(), format!(r#"{{"crs":{CRS84},"crs_type":"projjson"}}"#)),
    ];
    Field::new(name, DataType::Binary, true).with_metadata(metadata.into())
}

/// Geometries as a WKB column for [`wkb_field`].
pub fn encode(geometries: impl Iterator<Item = Geometry>) -> ArrayRef {
    Arc::new(BinaryArray::from_iter_values(geometries.map(|geometry| encode_one(&geometry))))
}

/// The same where some rows have no geometry.
pub fn encode_some(geometries: impl Iterator<Item = Option<Geometry>>) -> ArrayRef {
    let encoded = geometries.map(|geometry| geometry.as_ref().map(encode_one));
    Arc::new(encoded.collect::<BinaryArray>())
}

fn encode_one(geometry: &Geometry) -> Vec<u8> {
    let mut bytes = Vec::new();
    wkb::writer::write_geometry(&mut bytes, geometry, &wkb::writer::WriteOptions::default())
        .expect("writing to memory does not fail");
    bytes
}

/// The geometries of a column; unusable rows are `None` and have a problem.
pub fn decode(
    table: &Table,
    array: &ArrayRef,
    field: &Field,
    problems: &mut Vec<Problem>,
) -> Result<Vec<Option<Geometry>>> {
    check_crs(table, field)?;
    let wkb = as_wkb(table, array, field)?;
    let mut geometries = Vec::with_capacity(wkb.len());
    for row in 0..wkb.len() {
        let decoded = if wkb.is_null(row) { Err(Fault::MissingValue) } else { decode_one(wkb.value(row)) };
        match decoded {
            Ok(geometry) => geometries.push(Some(geometry)),
            Err(fault) => {
                problems.push(table.problem(row, field.name(), None, fault));
                geometries.push(None);
            }
        }
    }
    Ok(geometries)
}

fn decode_one(bytes: &[u8]) -> std::result::Result<Geometry, Fault> {
    let bad = |reason: String| Fault::BadGeometry { reason };
    let wkb = wkb::reader::read_wkb(bytes).map_err(|error| bad(error.to_string()))?;
    let geometry = wkb.try_to_geometry().ok_or_else(|| bad("it is empty".to_owned()))?;
    if geometry.coords_count() == 0 {
        return Err(bad("it is empty".to_owned()));
    }
    let misplaced = geometry.coords_iter().find(|at| Place::new(at.x, at.y).is_none());
    match misplaced {
        Some(at) if Place::new(at.y, at.x).is_some() => Err(Fault::SwappedLonLat),
        Some(at) => Err(bad(format!("{} {} is outside longitude and latitude", at.x, at.y))),
        None => Ok(geometry),
    }
}

/// Any encoding to WKB, the one that every library writes.
fn as_wkb(table: &Table, array: &ArrayRef, field: &Field) -> Result<BinaryArray> {
    let binary = |array: &dyn Array| {
        let cast = arrow_cast::cast(array, &DataType::Binary).map_err(unreadable(&table.name))?;
        Ok(cast.as_binary::<i32>().clone())
    };
    let plain = matches!(array.data_type(), DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    if plain {
        return binary(array);
    }
    let native = geoarrow_array::array::from_arrow_array(array, field).map_err(unreadable(&table.name))?;
    let wkb = geoarrow_array::cast::to_wkb::<i32>(native.as_ref()).map_err(unreadable(&table.name))?;
    binary(wkb.inner())
}

fn check_crs(table: &Table, field: &Field) -> Result<()> {
    let Some(metadata) = field.metadata().get(EXTENSION_METADATA).filter(|text| !text.is_empty()) else {
        return Ok(());
    };
    let metadata: serde_json::Value = serde_json::from_str(metadata).map_err(unreadable(&table.name))?;
    let name = match &metadata["crs"] {
        serde_json::Value::Null => return Ok(()),
        serde_json::Value::String(text) => code_in_text(text),
        crs => authority_code(crs),
    };
    refuse_unknown_crs(&table.name, field.name(), &name)
}

/// The code of a PROJJSON object, or its name when it has none.
fn authority_code(crs: &serde_json::Value) -> String {
    let text = |value: &serde_json::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    match (&crs["id"]["authority"], &crs["id"]["code"]) {
        (serde_json::Value::Null, _) | (_, serde_json::Value::Null) => text(&crs["name"]),
        (authority, code) => format!("{}:{}", text(authority), text(code)),
    }
}

/// A CRS given as text may be a code or a whole PROJJSON.
fn code_in_text(text: &str) -> String {
    match serde_json::from_str::<serde_json::Value>(text) {
        Ok(crs) if crs.is_object() => authority_code(&crs),
        _ => text.to_owned(),
    }
}

/// A problem when a coordinate reference system is not WGS-84 or the same to about a metre.
pub fn refuse_unknown_crs(file: &str, column: &str, name: &str) -> Result<()> {
    if AS_WGS84.iter().any(|known| name.eq_ignore_ascii_case(known)) || name == "WGS 84" {
        return Ok(());
    }
    Err(Problem::of_file(file, Fault::UnsupportedCrs).in_column(column).with_value(name).into())
}

/// A point to walk to or from: the point itself, or a point inside an outline.
pub fn place_of(geometry: &Geometry) -> Option<Place> {
    let point = geometry.interior_point()?;
    Place::new(point.x(), point.y())
}

/// The polygons of an area's geometry.
///
/// # Errors
/// A fault when the geometry is no polygon, crosses itself, or crosses the antimeridian unsplit.
pub fn polygons_of(geometry: Geometry) -> std::result::Result<MultiPolygon, Fault> {
    let bad = |reason: String| Fault::BadGeometry { reason };
    let polygons = match geometry {
        Geometry::Polygon(polygon) => MultiPolygon::new(vec![polygon]),
        Geometry::MultiPolygon(polygons) => polygons,
        Geometry::Rect(rect) => MultiPolygon::new(vec![rect.to_polygon()]),
        _ => return Err(bad("an area must be a polygon".to_owned())),
    };
    polygons.check_validation().map_err(|error| bad(error.to_string()))?;
    Ok(polygons)
}

/// A `GeoJSON` feature collection as a table: `geometry`, `id` when features have one, and a column per property.
pub fn read_geojson(path: &Path, name: &str) -> Result<Table> {
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
    let features = collection.features;
    let mut fields = vec![wkb_field("geometry")];
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
