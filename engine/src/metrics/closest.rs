//! The nearest few facilities of each class, from pairs that are there.

use crate::model::costs::{Close, Costs, Groups};

/// At most `k` of each class for every origin: origin by origin, class by class, the nearest first; of equally near ones the
/// earlier row.
pub fn closest(costs: &Costs, origins: usize, class: &[u32], k: usize) -> Vec<Close> {
    let by_origin = Groups::of(&costs.origin, origins);
    let mut found = Vec::new();
    for origin in 0..origins {
        let mut near: Vec<(u32, f64, u32)> = by_origin
            .members(origin)
            .iter()
            .map(|&pair| (costs.facility[pair as usize], costs.minutes[pair as usize]))
            .map(|(facility, minutes)| (class[facility as usize], minutes, facility))
            .collect();
        near.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)).then(a.2.cmp(&b.2)));
        for of_class in near.chunk_by(|a, b| a.0 == b.0) {
            for (rank, &(_, minutes, facility)) in (1..).zip(of_class).take(k) {
                found.push(Close { origin: origin as u32, facility, rank, minutes });
            }
        }
    }
    found
}
