//! Streets → a frozen graph, and places joined to it.

pub mod build;
pub mod components;
mod crs;
pub mod cut;
pub mod edge_index;
mod floors;
mod gates;
pub mod graph;
pub mod heights;
mod known;
mod lifts;
pub mod line;
pub mod offset;
pub mod order;
pub mod overlay;
pub mod part;
mod slope;
pub mod snap;
pub mod squares;
#[cfg(test)]
mod squares_tests;
pub mod store;
mod street_field;
pub mod summary;
pub mod tables;
mod walls;
pub mod weight;
