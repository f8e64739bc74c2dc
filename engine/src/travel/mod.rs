//! Who reaches what, in what time.

pub mod arcs;
pub mod baseline;
pub mod doors;
pub mod edited;
pub mod halo;
pub mod hierarchy;
mod index;
pub mod islands;
pub mod isochrone;
pub mod isochrone_cells;
#[cfg(test)]
mod isochrone_tests;
pub mod lanes;
pub mod linked;
pub mod matrix;
pub mod nearest;
#[cfg(test)]
pub(crate) mod nearest_tests;
pub mod node_times;
pub mod oracle;
pub mod pairs;
#[cfg(test)]
mod pairs_tests;
pub mod positions;
pub mod route;
#[cfg(test)]
mod route_tests;
pub mod spare;
pub mod spread;
pub mod sweep;
pub mod tally;
pub mod touched;
pub mod tree;
pub mod united;
pub mod update;
