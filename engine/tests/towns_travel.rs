//! Routes and isochrones in synthetic towns are those that a reader works out in the head.
//!
//! **Every town here is made up.** Each is written as a real PBF file and read back through the production path. An
//! adult walks 1.33 m/s on level ground.

mod towns;

use geo::{Contains, Point, Validation};
use towns::Town;
use towns::walk::{profile, seconds};
use walkshed::model::cell;
use walkshed::model::place::Place;
use walkshed::model::progress::Progress;
use walkshed::model::times::{Direction, Reason};
use walkshed::network::graph::Network;
use walkshed::travel::doors::Walk;
use walkshed::travel::isochrone::{BUFFER_M, Isochrone, isochrones};
use walkshed::travel::isochrone_cells::isochrone_cells;
use walkshed::travel::route::{Leg, NoRoute, Route, RouteEnd, route};
use walkshed::travel::spread;
use walkshed::travel::tree::Tree;

const ADULT_MPS: f64 = 1.33;
const LIFT_S: f64 = 45.0 + 4.0;
const BLOCK_M: f64 = 200.0;
const BLOCKS: usize = 10;
const MIDDLE_M: f64 = 1000.0;

fn desert() -> Town {
    let mut town = Town::new();
    town.grid(BLOCKS, BLOCKS, BLOCK_M);
    town
}

fn shape(network: &Network, who: &str, point: Place, seconds: f64) -> Result<Isochrone, Reason> {
    let who = profile(who);
    let walk = Walk::new(network, &who, Direction::ToFacility);
    let limit_ds = (seconds * 10.0) as u32;
    let found = isochrones(&walk, &[point], &[limit_ds], BUFFER_M, &Progress::default());
    found.expect("nobody stops a test").remove(0).remove(0)
}

fn holds(shape: &Isochrone, place: Place) -> bool {
    shape.shape.contains(&Point::new(place.lon(), place.lat()))
}

// ------------------------------------------------------------------ isochrones

/// Metres of street no farther than `reach_m` from the middle crossing, by the street's own distance to it.
fn formula_m(reach_m: f64) -> f64 {
    let streets = (0..=BLOCKS).map(|row| reach_m - (row as f64 * BLOCK_M - MIDDLE_M).abs());
    let along_m = |left_m: f64| 2.0 * left_m.clamp(0.0, MIDDLE_M);
    2.0 * streets.map(along_m).sum::<f64>()
}

#[test]
fn the_streets_of_the_desert_grid_are_reached_as_far_as_the_closed_formula_says() {
    let (town, adult) = (desert(), profile("adult"));
    let network = town.network();
    for direction in [Direction::ToFacility, Direction::FromFacility] {
        let walk = Walk::new(&network, &adult, direction);
        let middle = town.spot((MIDDLE_M, MIDDLE_M));
        let door = walk.join(&[middle], &Progress::default()).unwrap()[0].1.expect("it is on a street");
        let mut tree = Tree::default();
        for limit_s in [30_u32, 150, 151, 300, 600, 900, 3000] {
            walk.grow(&[door], limit_s * 10, |_, _| false, &mut tree, &Progress::default()).unwrap();
            let reached_m: f64 = spread::edges(&walk, &[door], &tree)
                .into_iter()
                .flat_map(|edge| spread::stretches(&walk, &[door], &tree, edge, limit_s * 10))
                .map(|part| (part.to - part.from) * network.edges.length_m[part.edge as usize])
                .sum();
            let expected_m = formula_m(f64::from(limit_s) * ADULT_MPS);
            // At most 44 cuts; each of at most ten edges before it is rounded to a tenth and lies within a centimetre.
            let tolerance_m = 44.0 * 10.0 * (0.05 * ADULT_MPS + 0.01);
            let off_m = (reached_m - expected_m).abs();
            assert!(
                off_m < tolerance_m.min(0.01 * expected_m + 1.0),
                "{limit_s} s: {reached_m}, not {expected_m}"
            );
        }
    }
}

#[test]
fn a_place_just_within_the_time_is_inside_and_one_a_minute_too_late_is_outside() {
    let town = desert();
    let network = town.network();
    let middle = town.spot((MIDDLE_M, MIDDLE_M));
    let found = shape(&network, "adult", middle, 300.0).unwrap();
    let reach_m = 300.0 * ADULT_MPS; // 399 m: a metre before the second crossing
    let at = |east: f64, north: f64| town.spot((MIDDLE_M + east, MIDDLE_M + north));
    for (east, north) in
        [(reach_m - 5.0, 0.0), (0.0, 5.0 - reach_m), (200.0, reach_m - 205.0), (-200.0, -190.0)]
    {
        assert!(holds(&found, at(east, north)), "{east} {north}");
    }
    for (east, north) in
        [(reach_m + 80.0, 0.0), (400.0, 80.0), (400.0, 2.0), (-300.0, 200.0), (reach_m + 3.0, 0.0)]
    {
        assert!(!holds(&found, at(east, north)), "{east} {north}");
    }
    // Beside the street: as far as the time lasts, at most the buffer. From 24 m before the end of the walk it is 26.0 m
    // to a place 1 m before it and 12 m aside.
    assert!(holds(&found, at(100.0, 24.0)) && !holds(&found, at(100.0, 25.5)));
    assert!(holds(&found, at(reach_m - 20.0, 18.0)) && !holds(&found, at(reach_m - 1.0, 12.0)));
}

#[test]
fn a_block_is_a_hole_and_the_area_is_that_of_the_streets() {
    let town = desert();
    let network = town.network();
    let found = shape(&network, "adult", town.spot((MIDDLE_M, MIDDLE_M)), 36_000.0).unwrap();
    assert!(found.shape.is_valid());
    assert_eq!(found.shape.0.len(), 1);
    assert_eq!(found.shape.0[0].interiors().len(), BLOCKS * BLOCKS);
    // Outer square of 2050 m with rounded corners, without 100 holes of 150 m; sides lie up to 2 % of 25 m inside.
    let expected_m2 = 2050.0_f64.powi(2) - (4.0 - std::f64::consts::PI) * 25.0 * 25.0 - 100.0 * 150.0 * 150.0;
    assert!((found.area_m2 / expected_m2 - 1.0).abs() < 1e-3, "{} {expected_m2}", found.area_m2);
    assert!(!holds(&found, town.spot((MIDDLE_M + 100.0, MIDDLE_M + 100.0))));
}

#[test]
fn a_point_far_from_streets_or_with_too_little_time_has_a_reason() {
    let town = desert();
    let network = town.network();
    assert_eq!(shape(&network, "adult", town.spot((-300.0, 0.0)), 300.0).unwrap_err(), Reason::NotSnapped);
    // 133 m to the street are 100 seconds.
    assert_eq!(shape(&network, "adult", town.spot((-133.0, 0.0)), 99.0).unwrap_err(), Reason::BeyondCutoff);
    // Ten seconds are left: a circle of 13.3 m.
    let disc = shape(&network, "adult", town.spot((-133.0, 0.0)), 110.0).unwrap();
    assert!(disc.area_m2 > 500.0 && disc.area_m2 < 556.0, "{}", disc.area_m2);
}

#[test]
fn a_one_way_is_reached_from_one_side_only() {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    let middle = town.street(west).east(300.0).tag("oneway:foot", "yes").done();
    town.street(middle).east(300.0).done();
    let network = town.network();
    // The facility is in the east of the one-way: from the west people come, and from the two-way street not back.
    let found = shape(&network, "adult", town.spot((200.0, 0.0)), 600.0).unwrap();
    assert!(holds(&found, town.spot((10.0, 0.0))));
    assert!(!holds(&found, town.spot((250.0, 0.0))));
}

#[test]
fn nobody_is_reached_on_a_bridge() {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    let bank = town.street(west).east(100.0).done();
    let other = town.street(bank).east(200.0).tag("bridge", "yes").done();
    town.street(other).east(100.0).done();
    let network = town.network();
    let found = shape(&network, "adult", town.spot((0.0, 0.0)), 600.0).unwrap();
    assert_eq!(found.shape.0.len(), 2);
    assert!(holds(&found, town.spot((390.0, 0.0))) && !holds(&found, town.spot((200.0, 0.0))));
}

#[test]
fn a_shape_on_the_antimeridian_is_cut_in_two() {
    let mut town = Town::at(179.9999, -16.8);
    let east = town.corner(0.0, 0.0);
    town.street(east).west(300.0).done();
    let network = town.network();
    let found = shape(&network, "adult", town.spot((0.0, 0.0)), 600.0).unwrap();
    assert!(found.shape.is_valid());
    assert_eq!(found.shape.0.len(), 2);
    let expected_m2 = 300.0 * 50.0 + std::f64::consts::PI * 25.0 * 25.0;
    assert!((found.area_m2 / expected_m2 - 1.0).abs() < 0.02, "{}", found.area_m2);
    let mut corners = found.shape.iter().flat_map(|polygon| polygon.exterior().0.clone());
    assert!(corners.all(|at| at.x.abs() <= 180.0 && at.x.abs() > 179.9));
}

#[test]
fn cells_have_the_time_at_which_the_street_enters_them() {
    let (town, adult) = (desert(), profile("adult"));
    let network = town.network();
    let walk = Walk::new(&network, &adult, Direction::ToFacility);
    let middle = town.spot((MIDDLE_M, MIDDLE_M));
    let resolution = cell::resolution(10).unwrap();
    let cells =
        isochrone_cells(&walk, &[middle], 6000, resolution, &Progress::default()).unwrap().remove(0).unwrap();
    // Slow twin: every metre of every street by the closed formula.
    let mut least = std::collections::BTreeMap::new();
    for street in 0..=BLOCKS {
        for metre in 0..=2000 {
            let (along_m, across_m) = (f64::from(metre), street as f64 * BLOCK_M);
            let time_s = ((along_m - MIDDLE_M).abs() + (across_m - MIDDLE_M).abs()) / ADULT_MPS;
            for spot in [(along_m, across_m), (across_m, along_m)] {
                let here = cell::at(town.spot(spot), resolution);
                let known = least.entry(here).or_insert(f64::INFINITY);
                *known = time_s.min(*known);
            }
        }
    }
    least.retain(|_, time_s| *time_s <= 600.0);
    let missed = least.iter().filter(|(here, _)| !cells.iter().any(|(cell, _)| cell == *here)).count();
    assert_eq!(missed, 0);
    assert!(cells.len() <= least.len() + 12, "only corners that are cut by less than a metre are more");
    for (cell, time_ds) in cells {
        if let Some(time_s) = least.get(&cell) {
            let off_s = f64::from(time_ds) / 10.0 - time_s;
            // The twin steps by a metre; ten edges are rounded.
            assert!((-1.0 / ADULT_MPS - 0.6..0.6).contains(&off_s), "{off_s}");
        }
    }
}

// ------------------------------------------------------------------ routes

fn walked(network: &Network, who: &str, way: Direction, from: Place, to: Place) -> Route {
    let who = profile(who);
    let walk = Walk::new(network, &who, way);
    route(&walk, from, to, &Progress::default()).expect("nobody stops a test")
}

fn kinds(legs: &[Leg]) -> Vec<&'static str> {
    legs.iter().map(Leg::kind_name).collect()
}

fn lift_town() -> Town {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let lift = town.street(home).east(50.0).east(50.0).done();
    town.street(lift).north(40.0).done();
    town.tag_node(lift, "highway", "elevator");
    town
}

#[test]
fn a_wait_belongs_to_its_leg_and_streets_of_one_kind_are_one_leg() {
    let town = lift_town();
    let network = town.network();
    let (home, shop) = (town.spot((0.0, 13.3)), town.spot((113.3, 40.0)));
    let legs = walked(&network, "adult", Direction::ToFacility, home, shop).unwrap();
    assert_eq!(kinds(&legs), ["off_street", "street", "lift", "street", "off_street"]);
    let expected =
        [(13.3, 10.0), (100.0, 100.0 / ADULT_MPS), (0.0, LIFT_S), (40.0, 40.0 / ADULT_MPS), (13.3, 10.0)];
    for (leg, (length_m, time_s)) in legs.iter().zip(expected) {
        assert!((leg.length_m - length_m).abs() < 0.02, "{leg:?}");
        assert!((f64::from(leg.time_ds) / 10.0 - time_s).abs() < 0.2, "{leg:?}");
    }
    let total_s = f64::from(legs.iter().map(|leg| leg.time_ds).sum::<u32>()) / 10.0;
    assert_eq!(Ok(total_s), seconds(&network, "adult", home, shop));
    assert_eq!((legs[0].line[0], legs[4].line[1]), (home, shop));
}

#[test]
fn the_way_back_is_told_in_the_order_in_which_it_is_walked() {
    let town = lift_town();
    let network = town.network();
    let (home, shop) = (town.spot((0.0, 20.0)), town.spot((100.0, 40.0)));
    let legs = walked(&network, "adult", Direction::FromFacility, home, shop).unwrap();
    assert_eq!(kinds(&legs), ["street", "lift", "street", "off_street"]);
    assert!((legs[0].length_m - 40.0).abs() < 0.02);
    assert_eq!(legs[3].line[1], home);
}

#[test]
fn neighbours_on_one_street_do_not_go_round_by_a_corner() {
    let town = desert();
    let network = town.network();
    let (home, shop) = (town.spot((30.0, 0.0)), town.spot((163.0, 0.0)));
    let legs = walked(&network, "adult", Direction::ToFacility, home, shop).unwrap();
    assert_eq!(kinds(&legs), ["street"]);
    assert!((legs[0].length_m - 133.0).abs() < 0.03 && legs[0].edges.len() == 1, "{legs:?}");
    let nowhere = walked(&network, "adult", Direction::ToFacility, home, home);
    assert_eq!(nowhere, Ok(Vec::new()), "no leg, no time");
}

#[test]
fn no_route_says_which_place_is_far_from_streets_or_that_there_is_no_way() {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let end = town.street(home).east(300.0).done();
    town.street(end).north(30.0).kind("steps").done();
    let above = town.corner(300.0, 30.0);
    town.street(above).east(400.0).done();
    let network = town.network();
    let (home, above, far) = (town.spot((0.0, 0.0)), town.spot((600.0, 30.0)), town.spot((0.0, 250.0)));
    let way = |from, to| walked(&network, "wheelchair", Direction::ToFacility, from, to).unwrap_err();
    assert_eq!(way(home, above), NoRoute::NotConnected);
    for (none, end) in [(way(far, home), RouteEnd::Origin), (way(home, far), RouteEnd::Destination)] {
        let NoRoute::NotSnapped { place, nearest_m: Some(nearest_m) } = none else { panic!("{none:?}") };
        assert_eq!(place, end);
        assert!((nearest_m - 250.0).abs() < 0.05);
    }
}
