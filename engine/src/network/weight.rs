//! Walking time on an edge, by profile and direction, in whole tenths of a second.
//!
//! The model of this version is simple: Tobler's slope function between the vertices of a way, scaled to the
//! profile's level speed; one speed up and one down for stairs; one speed for escalators; wait and ride of a lift in
//! one number.

use super::graph::{CLOSED, Network};
use crate::model::profile::Profile;
use crate::model::street::{Directions, Incline, WayKind};
use crate::model::times::Deciseconds;
use rayon::prelude::*;

/// A climb of less than this over a flight says nothing about which end is higher: terrain models are not that fine.
const LEVEL_RISE_M: f32 = 0.5;

/// Slopes beyond this are faults of the terrain model; no street is steeper (the steepest known has 0.35).
const STEEPEST: f64 = 0.6;

/// Times of all edges for one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeTimes {
    /// First node to second; [`CLOSED`] where one may not walk.
    pub forward_ds: Vec<Deciseconds>,
    /// Second node to first; [`CLOSED`] where one may not walk.
    pub backward_ds: Vec<Deciseconds>,
}

/// Times between a point of an edge and the edge's two ends. The two parts of a direction add up to its whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// First node → point.
    pub from_start_ds: Deciseconds,
    /// Point → second node.
    pub to_end_ds: Deciseconds,
    /// Second node → point.
    pub from_end_ds: Deciseconds,
    /// Point → first node.
    pub to_start_ds: Deciseconds,
}

/// Times of every edge.
pub fn edge_times(network: &Network, profile: &Profile) -> EdgeTimes {
    if let Some(given) = &network.given {
        return EdgeTimes { forward_ds: given.forward_ds.clone(), backward_ds: given.backward_ds.clone() };
    }
    let both: Vec<(Deciseconds, Deciseconds)> = (0..network.edge_count())
        .into_par_iter()
        .map(|edge| {
            let whole = |forward| seconds(network, profile, edge, forward, 1.0).map_or(CLOSED, tenths);
            (whole(true), whole(false))
        })
        .collect();
    let (forward_ds, backward_ds) = both.into_iter().unzip();
    EdgeTimes { forward_ds, backward_ds }
}

/// Times between the ends of an edge and the point at `share` of its length.
pub fn split(network: &Network, profile: &Profile, times: &EdgeTimes, edge: usize, share: f64) -> Split {
    let (forward, backward) = (times.forward_ds[edge], times.backward_ds[edge]);
    let part = |whole: Deciseconds, forward: bool| {
        if whole == CLOSED {
            return (CLOSED, CLOSED);
        }
        let first = match &network.given {
            Some(_) => tenths(f64::from(whole) / 10.0 * share),
            None => tenths(seconds(network, profile, edge, forward, share).unwrap_or_default()),
        };
        (first.min(whole), whole - first.min(whole))
    };
    let (from_start_ds, to_end_ds) = part(forward, true);
    // The walk backward covers the same first `share` of the edge, last.
    let (to_start_ds, from_end_ds) = part(backward, false);
    Split { from_start_ds, to_end_ds, from_end_ds, to_start_ds }
}

/// A walk off the streets, at the profile's level speed.
pub fn leg_ds(profile: &Profile, away_m: f64) -> Deciseconds {
    tenths(away_m / profile.flat_mps)
}

fn tenths(seconds: f64) -> Deciseconds {
    (seconds * 10.0).round().min(f64::from(CLOSED - 1)) as Deciseconds
}

/// Seconds over the first `share` of an edge's length, walked forward or backward; `None` where one may not walk.
fn seconds(network: &Network, profile: &Profile, edge: usize, forward: bool, share: f64) -> Option<f64> {
    let edges = &network.edges;
    let allowed = match edges.directions[edge] {
        Directions::Both => true,
        Directions::Forward => forward,
        Directions::Backward => !forward,
    };
    if !allowed {
        return None;
    }
    match edges.kind[edge] {
        WayKind::Lift => Some(profile.lift_s * f64::from(edges.ride_share[edge]) * share),
        WayKind::Escalator => Some(edges.length_m[edge] * share / profile.escalator_mps?),
        WayKind::Steps => stair_seconds(network, profile, edge, forward).map(|whole| whole * share),
        // Only a survey holds these, and it gives their times.
        WayKind::Cableway | WayKind::Ferry => None,
        WayKind::Footway | WayKind::Street | WayKind::Crossing | WayKind::Corridor | WayKind::Platform => {
            Some(sloped_seconds(network, profile.flat_mps, edge, forward, share))
        }
    }
}

fn stair_seconds(network: &Network, profile: &Profile, edge: usize, forward: bool) -> Option<f64> {
    let length_m = network.edges.length_m[edge];
    let (up_s, down_s) = (length_m / profile.stairs_up_mps?, length_m / profile.stairs_down_mps?);
    Some(match climbs_forward(network, edge) {
        None => f64::midpoint(up_s, down_s),
        Some(climbs) => {
            if climbs == forward {
                up_s
            } else {
                down_s
            }
        }
    })
}

/// Whether the second end is higher: as tagged, else by the terrain; `None` when neither says.
fn climbs_forward(network: &Network, edge: usize) -> Option<bool> {
    match network.edges.incline[edge] {
        Incline::Up => return Some(true),
        Incline::Down => return Some(false),
        Incline::Unknown => {}
    }
    let vertices = network.vertices_of(edge);
    let rise_m = network.vertices.ele_m[vertices.end - 1] - network.vertices.ele_m[vertices.start];
    (rise_m.abs() >= LEVEL_RISE_M).then_some(rise_m > 0.0)
}

/// Tobler's function piece by piece. A stated length that differs from the drawn one stretches every piece alike.
fn sloped_seconds(network: &Network, flat_mps: f64, edge: usize, forward: bool, share: f64) -> f64 {
    let vertices = network.vertices_of(edge);
    let heights = &network.vertices.ele_m[vertices];
    let drawn_m: f64 = network.piece_lengths_m(edge).sum();
    let length_m = network.edges.length_m[edge];
    if drawn_m <= 0.0 {
        return length_m * share / flat_mps;
    }
    let stretch = length_m / drawn_m;
    let mut left_m = drawn_m * share;
    let mut seconds = 0.0;
    for (piece_m, ends) in network.piece_lengths_m(edge).zip(heights.windows(2)) {
        let part_m = piece_m.min(left_m);
        if part_m <= 0.0 {
            break;
        }
        let rise_m = f64::from(ends[1] - ends[0]) * if forward { 1.0 } else { -1.0 };
        let slope = if rise_m.is_finite() { rise_m / (piece_m * stretch) } else { 0.0 };
        seconds += part_m * stretch / tobler_mps(flat_mps, slope);
        left_m -= part_m;
    }
    seconds
}

/// Walking speed on a slope (rise over run, positive uphill), scaled so that level ground gives `flat_mps`.
///
/// # Source
/// W. Tobler, "Three presentations on geographical analysis and modeling", NCGIA report 93-1, 1993:
/// 6 km/h · exp(−3.5 · |slope + 0.05|).
pub fn tobler_mps(flat_mps: f64, slope: f64) -> f64 {
    let slope = slope.clamp(-STEEPEST, STEEPEST);
    flat_mps * (-3.5 * ((slope + 0.05).abs() - 0.05)).exp()
}

#[cfg(test)]
mod tests {
    use super::tobler_mps;

    /// Published values of the unscaled function, metres per second, whose level speed is 1.399.
    #[test]
    fn tobler_gives_the_published_speeds() {
        let level = 6.0 / 3.6 * (-3.5_f64 * 0.05).exp();
        for (slope, mps) in
            [(-0.20, 0.986), (-0.10, 1.399), (-0.05, 1.667), (0.0, 1.399), (0.05, 1.174), (0.20, 0.695)]
        {
            assert!((tobler_mps(level, slope) - mps).abs() < 0.0006, "{slope}");
        }
    }
}
