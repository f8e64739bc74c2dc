//! Pieces of a network as a table.

use crate::model::island::Island;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, UInt64Array};
use std::sync::Arc;

/// `island` (0 is the longest), `edges`, `length_km`, `lon`, `lat` (a place on it), `left_out` (taken for a drawing
/// fault; places are joined past it), `people`, `facilities` (whose nearest street is on it).
pub fn to_batch(islands: &[Island]) -> RecordBatch {
    let number = |of: fn(&Island) -> f64| -> ArrayRef {
        Arc::new(islands.iter().map(of).map(Some).collect::<Float64Array>())
    };
    let count = |of: fn(&Island) -> u64| -> ArrayRef {
        Arc::new(islands.iter().map(of).map(Some).collect::<UInt64Array>())
    };
    let left_out: BooleanArray = islands.iter().map(|island| Some(island.left_out)).collect();
    RecordBatch::try_from_iter([
        ("island", Arc::new(UInt64Array::from_iter_values(0..islands.len() as u64)) as ArrayRef),
        ("edges", count(|island| island.edges as u64)),
        ("length_km", number(|island| island.length_m / 1000.0)),
        ("lon", number(|island| island.place.lon())),
        ("lat", number(|island| island.place.lat())),
        ("left_out", Arc::new(left_out)),
        ("people", number(|island| island.people)),
        ("facilities", count(|island| island.facilities)),
    ])
    .expect("all columns have one value per island")
}
