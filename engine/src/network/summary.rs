//! What a network is made of: lengths, climbs and sources of heights by kind of way.

use super::graph::{HeightSource, Network};
use crate::model::street::WayKind;

/// The edges of one kind.
#[derive(Debug, Clone, PartialEq, serde::Serialize)]
pub struct OfKind {
    /// Name of the kind.
    pub kind: &'static str,
    /// Ways of the source that are, or hold, such edges.
    pub ways: usize,
    /// Edges.
    pub edges: usize,
    /// Length, kilometres.
    pub length_km: f64,
    /// Metres up plus metres down along all edges, where heights are known.
    pub climb_m: f64,
    /// Length whose heights come from each source, kilometres, in the order of [`HeightSource::ALL`].
    pub height_km: [f64; 5],
    /// Length for residents only, kilometres.
    pub residents_km: f64,
}

/// The network by kind of way, kinds in order; a kind that does not occur is left out.
pub fn by_kind(network: &Network) -> Vec<OfKind> {
    WayKind::ALL.into_iter().map(|kind| of_kind(network, kind)).filter(|found| found.edges > 0).collect()
}

fn of_kind(network: &Network, kind: WayKind) -> OfKind {
    let edges: Vec<usize> =
        (0..network.edge_count()).filter(|&edge| network.edges.kind[edge] == kind).collect();
    let mut ids: Vec<String> = edges.iter().map(|&edge| network.edge_id.text(edge)).collect();
    ids.sort_unstable();
    ids.dedup();
    let mut found = OfKind {
        kind: kind.name(),
        ways: ids.len(),
        edges: edges.len(),
        length_km: 0.0,
        climb_m: 0.0,
        height_km: [0.0; HeightSource::ALL.len()],
        residents_km: 0.0,
    };
    for edge in edges {
        let length_km = network.edges.length_m[edge] / 1000.0;
        found.length_km += length_km;
        found.height_km[network.heights.source[edge] as usize] += length_km;
        found.residents_km += if network.edges.residents[edge] { length_km } else { 0.0 };
        found.climb_m += network.climb(edge, 0.0, 1.0).map_or(0.0, |climb| climb.up_m + climb.down_m);
    }
    found
}

impl Network {
    /// The whole length by kind of way, kilometres, kinds in order.
    pub fn length_km_by_kind(&self) -> Vec<(WayKind, f64)> {
        let mut length_um = [0; WayKind::ALL.len()];
        for (kind, &length_m) in self.edges.kind.iter().zip(&self.edges.length_m) {
            length_um[*kind as usize] += micrometres(length_m);
        }
        by_kind_km(length_um)
    }
}

/// Lengths by kind in kilometres, of the kinds that there are.
pub fn by_kind_km(length_um: [i64; WayKind::ALL.len()]) -> Vec<(WayKind, f64)> {
    let kinds = WayKind::ALL.into_iter().zip(length_um).filter(|(_, length_um)| *length_um > 0);
    kinds.map(|(kind, length_um)| (kind, length_um as f64 / 1e9)).collect()
}

/// A length in whole micrometres: sums are exact, so that they do not hang on the order of edges.
pub fn micrometres(length_m: f64) -> i64 {
    (length_m * 1e6).round() as i64
}
