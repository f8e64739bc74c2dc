//! Walking time on an edge, by profile and direction, in whole tenths of a second.
//!
//! Streets: the profile's slope function over every piece of the height profile, at most 10 m long. Stairs: speeds of
//! their own, by the height of the whole flight. Lifts, cableways, ferries: a wait and a ride.

use super::graph::{CLOSED, Flight, HeightSource, Network};
use super::slope::STEEPEST;
use crate::model::profile::{Profile, Wheels};
use crate::model::street::{Directions, WayKind};
use crate::model::times::Deciseconds;
use rayon::prelude::*;
use std::sync::Arc;

/// Stairs of at most one storey are short, those of five storeys and more are long; speeds change evenly between. The
/// long outdoor stairway of the measurements (Kretz et al.) is higher than that, the short ones have one flight.
const SHORT_STAIRS_M: f64 = 3.0;
const LONG_STAIRS_M: f64 = 15.0;

/// A slope that is too steep for somebody is one that stays so over this length (metres): a terrain model says nothing
/// about less.
const STEEP_OVER_M: f64 = 30.0;

/// Times of all edges for one profile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeTimes {
    /// First node to second; [`CLOSED`] where one may not walk.
    pub forward_ds: Vec<Deciseconds>,
    /// Second node to first; [`CLOSED`] where one may not walk.
    pub backward_ds: Vec<Deciseconds>,
    /// Those of the network that was edited, where it was.
    pub baseline: Option<Arc<EdgeTimes>>,
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
    if let Some(overlay) = &network.overlay {
        return overlay.edge_times(profile);
    }
    if let Some(given) = &network.given {
        let (forward_ds, backward_ds) = (given.forward_ds.clone(), given.backward_ds.clone());
        return EdgeTimes { forward_ds, backward_ds, baseline: None };
    }
    let both = (0..network.edge_count()).into_par_iter().map(|edge| edge_time(network, profile, edge).into());
    let both: Vec<(Deciseconds, Deciseconds)> = both.collect();
    let (forward_ds, backward_ds) = both.into_iter().unzip();
    EdgeTimes { forward_ds, backward_ds, baseline: None }
}

/// The time of one edge as its columns tell it, forward and backward.
pub(super) fn edge_time(network: &Network, profile: &Profile, edge: usize) -> [Deciseconds; 2] {
    [true, false].map(|forward| seconds(network, profile, edge, forward, 1.0).map_or(CLOSED, tenths))
}

/// Times between the ends of an edge and the point at `share` of its length.
pub fn split(network: &Network, profile: &Profile, times: &EdgeTimes, edge: usize, share: f64) -> Split {
    if let (Some(overlay), Some(baseline)) = (&network.overlay, &times.baseline)
        && let Some(split) =
            overlay.split(profile, baseline, edge as u32, overlay.street_share(edge as u32, share))
    {
        return split;
    }
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

/// A walk off the streets.
pub fn leg_ds(profile: &Profile, away_m: f64) -> Deciseconds {
    tenths(away_m / profile.off_street_mps.unwrap_or(profile.flat_mps))
}

/// Whole tenths of a second.
pub(super) fn tenths(seconds: f64) -> Deciseconds {
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
    let in_wheelchair = profile.wheels == Some(Wheels::Wheelchair);
    if !allowed || in_wheelchair && edges.wheelchair[edge] == Some(false) {
        return None;
    }
    match edges.kind[edge] {
        WayKind::Lift => {
            Some(ride_seconds(network, edge, profile.lift_wait_s?, profile.lift_s_per_floor) * share)
        }
        WayKind::Cableway => Some(ride_seconds(network, edge, profile.cableway_wait_s?, 0.0) * share),
        WayKind::Ferry => Some(ride_seconds(network, edge, profile.ferry_wait_s?, 0.0) * share),
        WayKind::Escalator => Some(edges.length_m[edge] * share / profile.escalator_mps?),
        WayKind::Steps => stair_seconds(network, profile, edge, forward).map(|whole| whole * share),
        WayKind::Footway
        | WayKind::Street
        | WayKind::Crossing
        | WayKind::Corridor
        | WayKind::Platform
        | WayKind::Square => {
            let declared_fit = in_wheelchair && edges.wheelchair[edge] == Some(true);
            if !declared_fit && profile.max_slope.is_some_and(|limit| steepest(network, edge) > limit) {
                return None;
            }
            Some(sloped_seconds(network, profile, edge, forward, share))
        }
    }
}

fn ride_seconds(network: &Network, edge: usize, wait_s: f64, s_per_floor: f64) -> f64 {
    // A lift of a survey without times is one wait and one floor.
    let (wait_share, floors, ride_s) =
        network.ride(edge).map_or((1.0, 1.0, 0.0), |ride| (ride.wait_share, ride.floors, ride.ride_s));
    wait_s * f64::from(wait_share) + s_per_floor * f64::from(floors) + f64::from(ride_s)
}

/// Stairs, and the landings between them; a ramp beside them where one is pushed.
fn stair_seconds(network: &Network, profile: &Profile, edge: usize, forward: bool) -> Option<f64> {
    let length_m = network.edges.length_m[edge];
    let flight = network.flight(edge).expect("stairs have a flight");
    let has_ramp = match profile.wheels {
        None => false,
        Some(Wheels::Stroller) => flight.stroller_ramp,
        Some(Wheels::Wheelchair) => flight.wheelchair_ramp,
    };
    if let Some(ramp_mps) = profile.ramp_mps.filter(|_| has_ramp) {
        return Some(length_m / ramp_mps);
    }
    let landings_s = (length_m - f64::from(flight.stairs_m)).max(0.0) / profile.flat_mps;
    let (up_s, down_s) = (up_seconds(profile, flight)?, down_seconds(profile, flight)?);
    let steps_s = match flight.climbs {
        None => f64::midpoint(up_s, down_s),
        Some(climbs) if climbs == forward => up_s,
        Some(_) => down_s,
    };
    Some(steps_s + landings_s)
}

fn up_seconds(profile: &Profile, flight: &Flight) -> Option<f64> {
    let long_mps = profile.stairs_up_mps?;
    let mps = by_height(flight, profile.short_stairs_up_mps.unwrap_or(long_mps), long_mps);
    Some(
        f64::from(flight.stairs_m) / (mps * grip(profile, flight))
            + profile.rest_s_per_m * f64::from(flight.rise_m),
    )
}

fn down_seconds(profile: &Profile, flight: &Flight) -> Option<f64> {
    let long_mps = profile.stairs_down_mps?;
    let mps = by_height(flight, profile.short_stairs_down_mps.unwrap_or(long_mps), long_mps);
    Some(f64::from(flight.stairs_m) / (mps * grip(profile, flight)))
}

/// The speed between that of short and that of long stairs.
fn by_height(flight: &Flight, short_mps: f64, long_mps: f64) -> f64 {
    let share = (f64::from(flight.height_m) - SHORT_STAIRS_M) / (LONG_STAIRS_M - SHORT_STAIRS_M);
    short_mps + (long_mps - short_mps) * share.clamp(0.0, 1.0)
}

fn grip(profile: &Profile, flight: &Flight) -> f64 {
    if flight.handrail == Some(false) { profile.no_handrail_factor } else { 1.0 }
}

/// The slope function piece by piece over the first `share` of the edge's length.
fn sloped_seconds(network: &Network, profile: &Profile, edge: usize, forward: bool, share: f64) -> f64 {
    let length_m = network.edges.length_m[edge];
    let heights = network.heights_of(edge);
    let pieces = heights.len().saturating_sub(1);
    if pieces == 0 || length_m <= 0.0 {
        return length_m * share / profile.flat_mps;
    }
    let piece_m = length_m / pieces as f64;
    let whole = share * pieces as f64;
    let mut seconds = 0.0;
    for (piece, ends) in heights.windows(2).enumerate() {
        let part = (whole - piece as f64).clamp(0.0, 1.0);
        if part <= 0.0 {
            break;
        }
        let rise_m = f64::from(ends[1] - ends[0]) * if forward { 1.0 } else { -1.0 };
        seconds += part * piece_m / (profile.flat_mps * profile.slope.factor(rise_m / piece_m));
    }
    seconds
}

/// The steepest slope of an edge, rise over run: as tagged, else over at least 30 m of the terrain.
pub fn steepest(network: &Network, edge: usize) -> f64 {
    let heights = network.heights_of(edge);
    let pieces = heights.len().saturating_sub(1);
    let length_m = network.edges.length_m[edge];
    if pieces == 0 || length_m <= 0.0 {
        return 0.0;
    }
    let rise = |a: usize, b: usize| f64::from(heights[b] - heights[a]).abs();
    if network.heights.source[edge] == HeightSource::Tagged {
        return rise(0, pieces) / length_m;
    }
    let piece_m = length_m / pieces as f64;
    let over = ((STEEP_OVER_M / piece_m).ceil() as usize).clamp(1, pieces);
    let run_m = (over as f64 * piece_m).max(STEEP_OVER_M);
    (0..=pieces - over).map(|at| rise(at, at + over) / run_m).fold(0.0, f64::max).min(STEEPEST)
}
