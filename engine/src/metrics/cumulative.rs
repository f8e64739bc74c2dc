//! Cumulative opportunities from pairs: how many facilities of each class are within some minutes, and what they hold.
//!
//! `travel::tally` counts on the network without keeping pairs; this is for pairs that are there, from wherever.

use crate::model::costs::Costs;

/// What is within reach.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Within {
    /// Number of facilities.
    pub count: u32,
    /// Sum of the capacities that are known.
    pub capacity: f64,
    /// Facilities whose capacity is not known.
    pub unknown: u32,
}

/// Origin by origin, class by class, limit by limit; a time equal to a limit counts. `capacity` and `class` are those of each
/// facility.
pub fn cumulative(
    costs: &Costs,
    origins: usize,
    class: &[u32],
    classes: usize,
    capacity: &[Option<f64>],
    limits_min: &[f64],
) -> Vec<Within> {
    let mut within = vec![Within::default(); origins * classes * limits_min.len()];
    for ((&origin, &facility), &minutes) in costs.origin.iter().zip(&costs.facility).zip(&costs.minutes) {
        let first = (origin as usize * classes + class[facility as usize] as usize) * limits_min.len();
        for (entry, _) in within[first..].iter_mut().zip(limits_min).filter(|(_, limit)| minutes <= **limit) {
            entry.count += 1;
            match capacity[facility as usize] {
                Some(capacity) => entry.capacity += capacity,
                None => entry.unknown += 1,
            }
        }
    }
    within
}
