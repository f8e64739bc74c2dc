//! A piece of the network that one profile cannot leave on foot.

use super::place::Place;

/// A piece of the network, with who and what is on it.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct Island {
    /// A place on it.
    #[serde(skip)]
    pub place: Place,
    /// Number of edges.
    pub edges: usize,
    /// Length of its ways, metres.
    pub length_m: f64,
    /// It is taken for a drawing fault, and places are joined past it.
    pub left_out: bool,
    /// People whose nearest street is on it.
    pub people: f64,
    /// Facilities whose nearest street is on it.
    pub facilities: u64,
}
