//! Files ↔ model tables. The only room that knows file formats; everything it accepts is valid afterwards, and
//! everything it does not accept is a [`Problem`](crate::model::problem::Problem).

pub mod areas;
pub mod cells;
pub mod classes;
pub mod coverage;
pub mod defaults;
mod degrees;
mod delimited;
pub mod elevation;
pub mod encoding;
pub mod facilities;
pub mod files;
pub mod findings;
pub mod findings_page;
mod formats;
mod geojson;
pub mod geometry;
pub mod geoparquet;
mod geotiff;
pub mod given;
pub mod hash;
pub mod islands;
pub mod ledger;
pub mod mapping;
pub mod memory;
mod native_geometry;
pub mod neighbours;
mod nested;
pub mod opportunities;
pub mod osm;
pub mod overture;
pub mod pairs;
mod parquet_gate;
#[cfg(test)]
mod parquet_gate_tests;
pub mod population;
pub mod population_raster;
pub mod rejected;
pub mod repeated;
pub mod sources;
pub mod study;
pub mod survey;
pub mod table;
mod thrift;
pub mod times;
mod wkb_bounds;
