//! Isochrones against the table of nearest times, on random towns.

use super::doors::{Joined, Walk};
use super::isochrone::{BUFFER_M, isochrones};
use super::isochrone_cells::isochrone_cells;
use super::nearest::nearest;
use super::nearest_tests::{RandomTown, one_facility, random_town};
use super::spread::{self, Stretch};
use super::tree::Tree;
use crate::io::defaults;
use crate::model::cell;
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Direction, Nearest, Reason};
use crate::network::graph::CLOSED;
use crate::network::line::Line;
use geo::{Area, BooleanOps, Contains, Euclidean, Length, MultiPolygon, Point, Validation};
use h3o::Resolution;
use proptest::prelude::*;

/// A part of an edge is cut to a centimetre, and its time rounded to a tenth of a second: 13 cm for an adult.
const CUT_DS: Deciseconds = 2;

/// Sides are straight in degrees where they were straight on the plane: 2e-9 degrees are 0.2 mm.
const ROUNDING_DEG: f64 = 2e-9;

fn times(walk: &Walk<'_>, homes: &[Place], door: Place) -> Vec<Nearest> {
    let facilities = one_facility(door);
    let ids = Ids::UInt((0..homes.len() as u64).collect());
    nearest(walk, &ids, homes, &facilities, CLOSED - 1, &Progress::default()).unwrap().times.nearest
}

/// Points of every street.
fn street_points(walk: &Walk<'_>) -> Vec<Place> {
    let edges = 0..walk.network.edge_count();
    let shares = [0.0, 0.1, 0.35, 0.5, 0.8, 1.0];
    edges.flat_map(|edge| shares.map(|share| Line::of(walk.network, edge).at(share))).collect()
}

fn all_stretches(walk: &Walk<'_>, doors: &[Joined], limit_ds: Deciseconds) -> Vec<Stretch> {
    let mut tree = Tree::default();
    walk.grow(doors, limit_ds, |_, _| false, &mut tree, &Progress::default()).unwrap();
    let edges = spread::edges(walk, doors, &tree);
    edges.into_iter().flat_map(|edge| spread::stretches(walk, doors, &tree, edge, limit_ds)).collect()
}

fn walk_of<'a>(
    town: &'a crate::network::graph::Network,
    back: bool,
    profile: &'a crate::model::profile::Profile,
) -> Walk<'a> {
    Walk::new(town, profile, if back { Direction::FromFacility } else { Direction::ToFacility })
}

fn first_place(town: &RandomTown) -> Place {
    town.origins()[0]
}

/// How wide a strip of one shape lies outside another, on average along its border: degrees.
fn outside_deg(inner: &MultiPolygon, outer: &MultiPolygon) -> f64 {
    let border_deg: f64 = inner.iter().map(|polygon| Euclidean.length(polygon.exterior())).sum();
    inner.difference(outer).unsigned_area() / border_deg
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// A point of a street is in a stretch when the table's time to it is within the limit, and only then.
    #[test]
    fn a_street_point_is_in_a_stretch_as_the_table_says(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(), limit_ds in 0_u32..9000,
    ) {
        let network = town.network(town.edges.len());
        let profile = &defaults::profiles()[profile];
        let walk = walk_of(&network, back, profile);
        let door = first_place(&town);
        let joined = walk.join_as_doors(&[door], &Progress::default()).unwrap().remove(0).1;
        prop_assume!(!joined.is_empty());
        let stretches = all_stretches(&walk, &joined, limit_ds);
        let points = street_points(&walk);
        let homes = walk.join(&points, &Progress::default()).unwrap();
        let times = times(&walk, &points, door);
        for ((_, home), time) in homes.iter().zip(times) {
            let Some(home) = home.filter(|home| home.leg_ds == 0) else { continue };
            let share = home.anchor.share;
            let inside = stretches.iter().any(|part| {
                // A centimetre, and rounding of degrees where an edge is long and drawn short.
                let slack = 0.02 / network.edges.length_m[home.anchor.edge as usize].max(1.0) + 1e-6;
                part.edge == home.anchor.edge && part.from - slack <= share && share <= part.to + slack
            });
            match time {
                Ok(found) if found.time_ds + CUT_DS <= limit_ds => prop_assert!(inside),
                // A survey's edge may take minutes over a metre: there a centimetre is more than a tenth.
                Ok(found) if found.time_ds > limit_ds + CUT_DS && network.given.is_none() => prop_assert!(!inside),
                Ok(_) => {}
                Err(_) => prop_assert!(!inside || network.given.is_some()),
            }
        }
    }

    /// Shapes are valid, none lies outside a longer one, and each holds the street points reached.
    #[test]
    fn shapes_are_valid_nested_and_hold_the_streets(
        town in random_town(), back in any::<bool>(), limit_ds in 1_u32..4000,
    ) {
        let network = town.network(town.edges.len());
        let adult = &defaults::profiles()[0];
        let walk = walk_of(&network, back, adult);
        let door = first_place(&town);
        let limits = [limit_ds * 3, limit_ds, limit_ds * 2];
        let found = isochrones(&walk, &[door], &limits, BUFFER_M, &Progress::default()).unwrap().remove(0);
        let shapes: Vec<_> = [1, 2, 0].into_iter().filter_map(|position| found[position].as_ref().ok()).collect();
        for shape in &shapes {
            prop_assert!(shape.shape.check_validation().is_ok(), "{:?}", shape.shape.validation_errors());
            prop_assert!(shape.area_m2 > 0.0);
        }
        for pair in shapes.windows(2) {
            let outside = outside_deg(&pair[0].shape, &pair[1].shape);
            prop_assert!(outside < ROUNDING_DEG, "{}", outside);
            prop_assert!(pair[0].area_m2 <= pair[1].area_m2 + 0.01);
        }
        let Ok(shape) = &found[1] else { return Ok(()) };
        let points = street_points(&walk);
        let homes = walk.join(&points, &Progress::default()).unwrap();
        for ((point, time), (_, home)) in points.iter().zip(times(&walk, &points, door)).zip(homes) {
            // 5 m inside: four seconds before the time is over.
            if network.given.is_none() && home.is_some_and(|home| home.leg_ds == 0) && time.is_ok_and(|time| time.time_ds + 40 <= limit_ds) {
                prop_assert!(shape.shape.contains(&Point::new(point.lon(), point.lat())));
            }
        }
    }

    /// Every cell of a street point that is reached, no time above the least of them, and none beyond the limit.
    #[test]
    fn cells_hold_the_street_points_that_are_reached(
        town in random_town(), back in any::<bool>(), limit_ds in 1_u32..9000, resolution in 8_u8..13,
    ) {
        let network = town.network(town.edges.len());
        let adult = &defaults::profiles()[0];
        let walk = walk_of(&network, back, adult);
        let door = first_place(&town);
        let resolution = Resolution::try_from(resolution).unwrap();
        let found = isochrone_cells(&walk, &[door], limit_ds, resolution, &Progress::default()).unwrap().remove(0);
        let joined = walk.join(&[door], &Progress::default()).unwrap()[0].1;
        prop_assert_eq!(joined.is_none(), found == Err(Reason::NotSnapped));
        let Ok(cells) = found else { return Ok(()) };
        prop_assert!(cells.windows(2).all(|pair| pair[0].0 < pair[1].0));
        prop_assert!(cells.iter().all(|&(_, time_ds)| time_ds <= limit_ds));
        let points = street_points(&walk);
        let homes = walk.join(&points, &Progress::default()).unwrap();
        for ((&point, time), (_, home)) in points.iter().zip(times(&walk, &points, door)).zip(homes) {
            let Some(home) = home.filter(|home| home.leg_ds == 0 && spread::opens_onto(&walk, home.anchor.edge)) else { continue };
            if network.given.is_some() || home.anchor.away_m > 1e-6 { continue }
            if let Ok(time) = time && time.time_ds + CUT_DS <= limit_ds {
                let here = cell::at(point, resolution);
                let least = cells.iter().find(|(cell, _)| *cell == here);
                prop_assert!(least.is_some_and(|&(_, least_ds)| least_ds <= time.time_ds + CUT_DS), "{:?} {:?}", least, time);
            }
        }
    }
}
