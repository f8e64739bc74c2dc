//! Gravity: all facilities, each weighted by how far it is.

use crate::model::costs::Costs;
use crate::model::decay::Decay;

/// What is offered at the end of walks: how much by each facility, and of which class it is.
#[derive(Debug, Clone, Copy)]
pub struct Offers<'a> {
    /// What each facility counts: 1, or its capacity.
    pub amount: &'a [f64],
    /// Its class, a position below `classes`.
    pub class: &'a [u32],
    /// Number of classes.
    pub classes: usize,
}

/// Σ over facilities of amount × weight of the way, origin by origin, class by class. Sums run in the order of the pairs.
///
/// # Source
/// W. G. Hansen, "How accessibility shapes land use", Journal of the American Institute of Planners 25, 1959.
pub fn gravity(costs: &Costs, origins: usize, offers: Offers<'_>, decay: &Decay) -> Vec<f64> {
    let mut access = vec![0.0; origins * offers.classes];
    for ((&origin, &facility), &minutes) in costs.origin.iter().zip(&costs.facility).zip(&costs.minutes) {
        let class = offers.class[facility as usize] as usize;
        access[origin as usize * offers.classes + class] +=
            offers.amount[facility as usize] * decay.weight(minutes);
    }
    access
}
