//! Geometry columns: every `GeoArrow` encoding and WKB, brought to degrees of WGS-84 or of the system that the analysis stays in.

use super::files::unreadable;
use super::native_geometry::{is_pairs, mend};
use super::wkb_bounds;
use crate::model::analysis_crs::{AnalysisCrs, Passage};
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::problem::Fault;
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BinaryArray, RecordBatch, RecordBatchOptions};
use arrow_schema::{ArrowError, DataType, Field, Schema, SchemaRef};
use geo::{
    BoundingRect, Coord, CoordsIter, Geometry, InteriorPoint, MapCoords, MultiPolygon, Polygon, Validation,
};
use geo_traits::to_geo::ToGeoGeometry;
use std::sync::Arc;

/// Key of the extension name in Arrow field metadata.
const EXTENSION: &str = "ARROW:extension:name";
const EXTENSION_METADATA: &str = "ARROW:extension:metadata";

/// Key under which a result in GCJ-02 or BD-09 names its system, on the table and on its geometry.
pub const ANALYSIS_CRS: &str = "walkshed:analysis_crs";

/// WGS-84 longitude and latitude as `GeoParquet` wants it (PROJJSON of OGC:CRS84, shortest form that names it).
const CRS84: &str = r#"{"$schema":"https://proj.org/schemas/v0.7/projjson.schema.json","type":"GeographicCRS","name":"WGS 84 (CRS84)","datum_ensemble":{"name":"World Geodetic System 1984 ensemble","members":[{"name":"World Geodetic System 1984 (Transit)"},{"name":"World Geodetic System 1984 (G2296)"}],"ellipsoid":{"name":"WGS 84","semi_major_axis":6378137,"inverse_flattening":298.257223563},"accuracy":"2.0"},"coordinate_system":{"subtype":"ellipsoidal","axis":[{"name":"Geodetic longitude","abbreviation":"Lon","direction":"east","unit":"degree"},{"name":"Geodetic latitude","abbreviation":"Lat","direction":"north","unit":"degree"}]},"id":{"authority":"OGC","code":"CRS84"}}"#;

/// Whether a field says by its metadata that it holds geometry.
pub fn is_marked(field: &Field) -> bool {
    field.metadata().get(EXTENSION).is_some_and(|name| name.starts_with("geoarrow.") || name == "ogc.wkb")
}

/// Whether a field without metadata is taken for WKB or points, by its name and type.
pub fn is_named(field: &Field) -> bool {
    let binary = matches!(field.data_type(), DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    (binary || is_pairs(field)) && ["geometry", "geom", "wkb_geometry"].contains(&field.name().as_str())
}

/// A batch whose fields carry the geometry metadata of `schema`, and that keeps its label.
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
    let label = schema.metadata().get_key_value(ANALYSIS_CRS);
    let label = label.into_iter().map(|(key, name)| (key.clone(), name.clone())).collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, label));
    RecordBatch::try_new_with_options(schema, batch.columns().to_vec(), &options)
}

/// The field of a WKB column in WGS-84 degrees.
pub fn wkb_field(name: &str) -> Field {
    wkb_with(name, format!(r#"{{"crs":{CRS84},"crs_type":"projjson"}}"#))
}

/// The field of a WKB column whose file states this system, or none.
pub fn wkb_field_as_stated(name: &str, crs: Option<&str>) -> Field {
    wkb_with(name, crs.map_or_else(String::new, |crs| serde_json::json!({ "crs": crs }).to_string()))
}

fn wkb_with(name: &str, metadata: String) -> Field {
    let metadata =
        [(EXTENSION.to_owned(), "geoarrow.wkb".to_owned()), (EXTENSION_METADATA.to_owned(), metadata)];
    Field::new(name, DataType::Binary, true).with_metadata(metadata.into())
}

/// The columns of a result, its geometry labelled with the system of the analysis.
///
/// No register has GCJ-02 and BD-09: a column in one of them states no system to other programs, which must not take it for
/// WGS-84, and names it to us.
pub fn labelled(batch: &RecordBatch, system: AnalysisCrs) -> RecordBatch {
    if system.is_wgs84() {
        return batch.clone();
    }
    let schema = batch.schema();
    let label = |field: &Arc<Field>| {
        if !is_marked(field) {
            return field.as_ref().clone();
        }
        let mut metadata = field.metadata().clone();
        metadata.insert(EXTENSION_METADATA.to_owned(), "{}".to_owned());
        metadata.insert(ANALYSIS_CRS.to_owned(), system.name().to_owned());
        field.as_ref().clone().with_metadata(metadata)
    };
    let fields: Vec<Field> = schema.fields().iter().map(label).collect();
    let mut metadata = schema.metadata().clone();
    metadata.insert(ANALYSIS_CRS.to_owned(), system.name().to_owned());
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata));
    RecordBatch::try_new(schema, batch.columns().to_vec()).expect("only metadata change")
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

/// The geometries of a column in degrees of the analysis; what is wrong with the unusable ones.
///
/// # Errors
/// A problem when the column is in no encoding of geometry.
pub fn decode(
    name: &str,
    array: &ArrayRef,
    field: &Field,
    passage: &Passage,
) -> Result<Vec<std::result::Result<Geometry, Fault>>> {
    let wkb = as_wkb(name, array, field)?;
    let one =
        |row| if wkb.is_null(row) { Err(Fault::MissingValue) } else { decode_one(wkb.value(row), passage) };
    Ok((0..wkb.len()).map(one).collect())
}

fn decode_one(bytes: &[u8], passage: &Passage) -> std::result::Result<Geometry, Fault> {
    let bad = |reason: String| Fault::BadGeometry { reason };
    if let Some(reason) = wkb_bounds::fault(bytes) {
        return Err(bad(reason));
    }
    let wkb = wkb::reader::read_wkb(bytes).map_err(|error| bad(error.to_string()))?;
    let geometry = wkb.try_to_geometry().ok_or_else(|| bad("it is empty".to_owned()))?;
    if geometry.coords_count() == 0 {
        return Err(bad("it is empty".to_owned()));
    }
    if !passage.keeps_numbers() {
        return geometry.try_map_coords(|at| degrees_of(at, passage));
    }
    let misplaced = geometry.coords_iter().find(|at| Place::new(at.x, at.y).is_none());
    match misplaced {
        Some(at) => Err(misplaced_fault(at)),
        None => Ok(geometry),
    }
}

fn degrees_of(at: Coord, passage: &Passage) -> std::result::Result<Coord, Fault> {
    match passage.place(at.x, at.y) {
        Some(place) => Ok(Coord { x: place.lon(), y: place.lat() }),
        None if passage.is_from_degrees() => Err(misplaced_fault(at)),
        None => Err(Fault::BadGeometry {
            reason: format!("{} {} is outside its coordinate reference system", at.x, at.y),
        }),
    }
}

/// How the reason ends where numbers are no degrees.
const NO_DEGREES: &str = " is outside longitude and latitude";

/// What is wrong with numbers that are no longitude and latitude.
fn misplaced_fault(at: Coord) -> Fault {
    if Place::new(at.y, at.x).is_some() {
        return Fault::SwappedLonLat;
    }
    Fault::BadGeometry { reason: format!("{} {}{NO_DEGREES}", at.x, at.y) }
}

/// Any encoding to WKB, the one that every library writes.
fn as_wkb(name: &str, array: &ArrayRef, field: &Field) -> Result<BinaryArray> {
    let binary = |array: &dyn Array| {
        let cast = arrow_cast::cast(array, &DataType::Binary).map_err(unreadable(name))?;
        Ok(cast.as_binary::<i32>().clone())
    };
    let plain = matches!(array.data_type(), DataType::Binary | DataType::LargeBinary | DataType::BinaryView);
    if plain {
        return binary(array);
    }
    let (array, field) = mend(array, field).map_err(unreadable(name))?;
    let native = geoarrow_array::array::from_arrow_array(&array, &field).map_err(unreadable(name))?;
    let wkb = geoarrow_array::cast::to_wkb::<i32>(native.as_ref()).map_err(unreadable(name))?;
    binary(wkb.inner())
}

/// The name of the system that a geometry column says it is in; `None` when it says none.
///
/// # Errors
/// A problem when its metadata are not what they should be.
pub fn stated_crs(name: &str, field: &Field) -> Result<Option<String>> {
    if let Some(system) = field.metadata().get(ANALYSIS_CRS) {
        return Ok(Some(system.clone()));
    }
    let Some(metadata) = field.metadata().get(EXTENSION_METADATA).filter(|text| !text.is_empty()) else {
        return Ok(None);
    };
    let metadata: serde_json::Value = serde_json::from_str(metadata).map_err(unreadable(name))?;
    Ok(match &metadata["crs"] {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some(code_in_text(text)),
        crs => Some(authority_code(crs)),
    })
}

/// Whether a column says that its lines follow great circles.
pub fn is_spherical(field: &Field) -> bool {
    let metadata = field.metadata().get(EXTENSION_METADATA);
    let metadata: Option<serde_json::Value> = metadata.and_then(|text| serde_json::from_str(text).ok());
    metadata.is_some_and(|metadata| metadata["edges"] == "spherical")
}

/// Whether more than half of the geometries hold numbers that are no degrees, whichever way round.
pub fn are_no_degrees(decoded: &[std::result::Result<Geometry, Fault>]) -> bool {
    let outside = |found: &&std::result::Result<Geometry, Fault>| matches!(found, Err(Fault::BadGeometry { reason }) if reason.ends_with(NO_DEGREES));
    decoded.iter().filter(outside).count() * 2 > decoded.len()
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
    // Degrees are a plane here, in which such an outline is the rest of the earth.
    let spans = |polygon: &Polygon| polygon.bounding_rect().is_some_and(|rect| rect.width() > 180.0);
    if polygons.iter().any(spans) {
        return Err(Fault::CrossesAntimeridian);
    }
    polygons.check_validation().map_err(|error| bad(error.to_string()))?;
    Ok(polygons)
}
