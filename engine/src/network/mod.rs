//! Streets → a frozen graph, and places joined to it.

pub mod build;
pub mod components;
pub mod graph;
pub mod snap;
pub mod store;
pub mod tables;
pub mod weight;
