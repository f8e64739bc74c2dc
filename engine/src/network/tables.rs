//! A network as tables, for other programs: the same columns that [`crate::io::survey`] reads.

use super::graph::{CLOSED, Climb, HeightSource, Network};
use super::weight::edge_times;
use crate::io::facilities::ids_column;
use crate::model::place::Place;
use crate::model::profile::Profile;
use crate::model::street::WayKind;
use crate::model::times::Deciseconds;
use arrow_array::{
    ArrayRef, BooleanArray, Float32Array, Float64Array, RecordBatch, StringArray, UInt32Array,
};
use std::sync::Arc;

/// Nodes: `id` (position, unique), `lon`, `lat`, `ele_m` (null where unknown), `source_id` (of the street source; a
/// closed gate or a lift is several nodes of one source id).
pub fn nodes(network: &Network) -> RecordBatch {
    let mut ele_m: Vec<Option<f32>> = vec![None; network.node_count()];
    for edge in 0..network.edge_count() {
        // Heights from tags tell how much higher one end is, not how high it is.
        if !matches!(network.heights.source[edge], HeightSource::Sampled | HeightSource::Interpolated) {
            continue;
        }
        // Stairs begin at the height of their first node, but may end beside that of their second.
        let heights = network.heights_of(edge);
        let second = if network.edges.kind[edge] == WayKind::Steps { None } else { heights.last() };
        for (node, height) in [(network.edges.from[edge], heights.first()), (network.edges.to[edge], second)]
        {
            ele_m[node as usize] = ele_m[node as usize].or(height.copied());
        }
    }
    let number = |of: fn(Place) -> f64| -> ArrayRef {
        Arc::new(network.node_place.iter().map(|&place| of(place)).collect::<Float64Array>())
    };
    let count = network.node_count();
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new((0..count as u32).collect::<UInt32Array>()) as ArrayRef, false),
        ("lon", number(Place::lon), false),
        ("lat", number(Place::lat), false),
        ("ele_m", Arc::new(ele_m.into_iter().collect::<Float32Array>()), true),
        ("source_id", ids_column(&network.node_id, (0..count).map(Some)), false),
    ])
    .expect("all columns have one value per node")
}

/// Edges: `id` (position, unique), `from`, `to` (ids of nodes), `length_m`, `kind`, `forward_s`, `backward_s` (seconds for
/// this profile; null where it may not walk), `climb_m`, `descent_m` (from first to second node; null where heights are
/// unknown), `level` (floor; null where there is none), `residents` (only for those who live there), `source_id` (the
/// way), `island`.
pub fn edges(network: &Network, profile: &Profile) -> RecordBatch {
    let (edges, times) = (&network.edges, edge_times(network, profile));
    let count = network.edge_count();
    let seconds = |times: &[Deciseconds]| -> ArrayRef {
        let seconds = |&time_ds: &Deciseconds| (time_ds != CLOSED).then(|| f64::from(time_ds) / 10.0);
        Arc::new(times.iter().map(seconds).collect::<Float64Array>())
    };
    let metres = |of: fn(Climb) -> f64| -> ArrayRef {
        Arc::new((0..count).map(|edge| network.climb(edge, 0.0, 1.0).map(of)).collect::<Float64Array>())
    };
    let level: Float64Array =
        edges.level.iter().map(|level| level.map(|level| f64::from(level.0) / 10.0)).collect();
    let kinds = edges.kind.iter().map(|kind| kind.name());
    RecordBatch::try_from_iter_with_nullable([
        ("id", Arc::new((0..count as u32).collect::<UInt32Array>()) as ArrayRef, false),
        ("from", Arc::new(UInt32Array::from(edges.from.clone())), false),
        ("to", Arc::new(UInt32Array::from(edges.to.clone())), false),
        ("length_m", Arc::new(Float64Array::from(edges.length_m.clone())), false),
        ("kind", Arc::new(StringArray::from_iter_values(kinds)), false),
        ("forward_s", seconds(&times.forward_ds), true),
        ("backward_s", seconds(&times.backward_ds), true),
        ("climb_m", metres(|climb| climb.up_m), true),
        ("descent_m", metres(|climb| climb.down_m), true),
        ("level", Arc::new(level), true),
        ("residents", Arc::new(BooleanArray::from(edges.residents.clone())), false),
        ("source_id", ids_column(&network.edge_id, (0..count).map(Some)), false),
        ("island", Arc::new(BooleanArray::from(edges.island.clone())), false),
    ])
    .expect("all columns have one value per edge")
}

/// The drawn lines of all edges, vertex by vertex: `edge` (position), `kind`, `lon`, `lat`.
pub fn lines(network: &Network) -> RecordBatch {
    let count = network.edge_count();
    let edge_of = || (0..count).flat_map(|edge| network.edges.vertices_of(edge).map(move |_| edge));
    let number = |of: fn(Place) -> f64| -> ArrayRef {
        Arc::new(network.edges.vertices.iter().map(|&place| of(place)).collect::<Float64Array>())
    };
    let kinds: Vec<&str> = edge_of().map(|edge| network.edges.kind[edge].name()).collect();
    RecordBatch::try_from_iter([
        ("edge", Arc::new(edge_of().map(|edge| edge as u32).collect::<UInt32Array>()) as ArrayRef),
        ("kind", Arc::new(StringArray::from(kinds))),
        ("lon", number(Place::lon)),
        ("lat", number(Place::lat)),
    ])
    .expect("all columns have one value per vertex")
}
