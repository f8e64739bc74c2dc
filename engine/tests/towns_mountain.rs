//! Synthetic mountain towns, one for each rule of stairs, lifts, floors, squares, gates and heights; every answer is a sum
//! that a reader can check with pencil and paper.

mod towns;

use towns::Town;
use towns::walk::{
    LONG_DS, assert_close_s, in_seconds, network, network_by, one_class, plane, profile, seconds, walk,
};
use walkshed::io::defaults;
use walkshed::io::osm::walking::OpenAt;
use walkshed::io::osm::{self, Wanted};
use walkshed::model::elevation::Elevation;
use walkshed::model::ids::Ids;
use walkshed::model::level::Level;
use walkshed::model::place::{Place, Spot};
use walkshed::model::profile::{Profile, SlopeFunction};
use walkshed::model::progress::Progress;
use walkshed::model::street::{Gates, WayKind};
use walkshed::model::times::{Direction, Reason};
use walkshed::network::build::Rules;
use walkshed::network::components;
use walkshed::network::graph::Network;
use walkshed::travel::doors::Walk;
use walkshed::travel::islands::inhabited;
use walkshed::travel::nearest::nearest;

const ADULT_MPS: f64 = 1.33;

/// Seconds of one walk of somebody whom the project does not ship.
fn seconds_of(
    network: &Network,
    who: &Profile,
    from: impl Into<Spot>,
    to: Place,
    way: Direction,
) -> Result<f64, Reason> {
    let walk = Walk::new(network, who, way);
    let found =
        nearest(&walk, &Ids::UInt(vec![0]), &[from.into()], &one_class(&[to]), LONG_DS, &Progress::default());
    in_seconds(found.expect("nobody stops this search").times.nearest[0])
}

/// The speed on stairs between that of short (3 m) and that of long (15 m) ones.
fn stairs_mps(height_m: f64, short_mps: f64, long_mps: f64) -> f64 {
    short_mps + (long_mps - short_mps) * ((height_m - 3.0) / 12.0).clamp(0.0, 1.0)
}

// ------------------------------------------------------------------ stairs and lifts

/// A street at the foot, 125 steps (20 m up) over 40 m to a street at the top, and a lift between both beside them, from
/// level 0 to level 5.
fn stairs_and_lift(stairs: &[(&str, &str)]) -> Town {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let foot = town.street(home).east(100.0).done();
    let top = town.corner(100.0, 40.0);
    let flight = town.street(foot).to(top).kind("steps").tag("incline", "up");
    stairs.iter().fold(flight, |flight, (key, value)| flight.tag(key, value)).done();
    town.street(top).east(100.0).done();
    let lift = town.corner(110.0, 20.0);
    town.street(foot).to(lift).kind("footway").tag("level", "0").done();
    town.street(lift).to(top).kind("footway").tag("level", "5").done();
    town.tag_node(lift, "highway", "elevator");
    town
}

/// From foot or top to the lift: 10 m east and 20 m north.
fn to_the_lift_m() -> f64 {
    (10.0_f64 * 10.0 + 20.0 * 20.0).sqrt()
}

#[test]
fn a_lift_of_five_floors_beats_stairs_of_twenty_metres_up_but_not_down() {
    let town = stairs_and_lift(&[("step_count", "125")]);
    let network = town.network();
    let (home, shop) = (town.spot((0.0, 0.0)), town.spot((200.0, 40.0)));
    let streets_s = 200.0 / ADULT_MPS;
    // 45 s of waiting and 4 s for each of five floors, against 40 m of long stairs (they are higher than 15 m).
    let lift_s = 2.0 * to_the_lift_m() / ADULT_MPS + 45.0 + 5.0 * 4.0;
    assert!(40.0 / 0.60 < lift_s && lift_s < 100.0);
    assert_close_s(seconds(&network, "adult", home, shop), streets_s + 40.0 / 0.45, 3.0);
    assert_close_s(seconds(&network, "adult", shop, home), streets_s + 40.0 / 0.60, 3.0);
    // A wheelchair has the lift only.
    let rolled_s = (200.0 + 2.0 * to_the_lift_m()) / 1.10 + 65.0;
    assert_close_s(seconds(&network, "wheelchair", home, shop), rolled_s, 6.0);
    assert_close_s(seconds(&network, "wheelchair", shop, home), rolled_s, 6.0);
    // A senior rests 2 s for each of 20 m, up but not down: the lift is quicker up, the stairs are not taken.
    let senior_lift_s = (200.0 + 2.0 * to_the_lift_m()) / 0.90 + 65.0;
    assert!(senior_lift_s < 200.0 / 0.90 + 40.0 / 0.30 + 40.0);
    assert_close_s(seconds(&network, "senior", home, shop), senior_lift_s, 6.0);
    let without_lifts = Profile { lift_wait_s: None, ..profile("senior") };
    let up = seconds_of(&network, &without_lifts, home, shop, Direction::ToFacility);
    assert_close_s(up, 200.0 / 0.90 + 40.0 / 0.30 + 20.0 * 2.0, 3.0);
    let down = seconds_of(&network, &without_lifts, home, shop, Direction::FromFacility);
    assert_close_s(down, 200.0 / 0.90 + 40.0 / 0.35, 3.0);
}

/// 100 m of street, stairs to the north with these tags, 50 m of street: seconds up and down for the adult.
fn up_and_down(stairs_m: f64, tags: &[(&str, &str)]) -> (f64, f64) {
    let mut town = Town::new();
    let foot = town.corner(0.0, 0.0);
    let flight = town.street(foot).north(stairs_m).kind("steps");
    tags.iter().fold(flight, |flight, (key, value)| flight.tag(key, value)).done();
    let network = town.network();
    let (foot, top) = (town.spot((0.0, 0.0)), town.spot((0.0, stairs_m)));
    let walk = |from, to| seconds_of(&network, &profile("adult"), from, to, Direction::ToFacility);
    (walk(foot, top).expect("the stairs go up"), walk(top, foot).expect("the stairs go down"))
}

#[test]
fn the_rise_of_stairs_is_their_steps_else_their_steepness_else_their_floors_else_the_usual() {
    // 50 steps of 0.16 m are 8 m: 16 m walked on steps at a speed between short and long, 4 m of landings.
    let (up_s, down_s) = up_and_down(20.0, &[("step_count", "50"), ("incline", "up"), ("level", "0;9")]);
    assert_close_s(Ok(up_s), 16.0 / stairs_mps(8.0, 0.90, 0.45) + 4.0 / ADULT_MPS, 2.0);
    assert_close_s(Ok(down_s), 16.0 / stairs_mps(8.0, 1.00, 0.60) + 4.0 / ADULT_MPS, 2.0);
    // 25 % of 40 m are 10 m: 20 m of steps, 20 m of landings.
    let (up_s, _) = up_and_down(40.0, &[("incline", "25%"), ("level", "0;9")]);
    assert_close_s(Ok(up_s), 20.0 / stairs_mps(10.0, 0.90, 0.45) + 20.0 / ADULT_MPS, 2.0);
    // Two floors of 3.5 m are 7 m; incline says which way.
    let (up_s, _) = up_and_down(14.0, &[("level", "0;2"), ("incline", "up")]);
    assert_close_s(Ok(up_s), 14.0 / stairs_mps(7.0, 0.90, 0.45), 2.0);
    // Nothing tells: half as high as long, and the mean of up and down.
    let (up_s, down_s) = up_and_down(12.0, &[]);
    let mean_s = f64::midpoint(12.0 / stairs_mps(6.0, 0.90, 0.45), 12.0 / stairs_mps(6.0, 1.00, 0.60));
    assert_close_s(Ok(up_s), mean_s, 2.0);
    assert_close_s(Ok(down_s), mean_s, 2.0);
    // 200 steps on 10 m of map: a stair no steeper than 0.7 is longer than it is drawn.
    let (up_s, _) = up_and_down(10.0, &[("step_count", "200"), ("incline", "up")]);
    assert_close_s(Ok(up_s), 32.0 / 0.7 / 0.45, 2.0);
}

#[test]
fn short_stairs_are_twice_as_fast_as_long_ones_and_flights_that_follow_each_other_are_long() {
    let (up_s, _) = up_and_down(6.0, &[("step_count", "18"), ("incline", "up")]);
    assert_close_s(Ok(up_s), 5.76 / 0.90 + 0.24 / ADULT_MPS, 2.0);
    // Three flights of 8 m each, one after the other: 24 m high, although each is half as high as long stairs.
    let mut town = Town::new();
    let mut corner = town.corner(0.0, 0.0);
    for _ in 0..3 {
        corner =
            town.street(corner).north(16.0).kind("steps").tag("step_count", "50").tag("incline", "up").done();
    }
    let network = town.network();
    let up = seconds(&network, "adult", town.spot((0.0, 0.0)), town.spot((0.0, 48.0)));
    assert_close_s(up, 3.0 * 16.0 / 0.45, 4.0);
    // A count belongs to the whole way: cut in two by a side path, each half has half of the steps.
    let mut town = Town::new();
    let foot = town.corner(0.0, 0.0);
    town.street(foot)
        .north(10.0)
        .north(10.0)
        .kind("steps")
        .tag("step_count", "50")
        .tag("incline", "up")
        .done();
    let landing = town.corner(0.0, 10.0);
    town.street(landing).east(30.0).done();
    let network = town.network();
    let rises: Vec<f32> = network.flights.iter().map(|flight| flight.rise_m).collect();
    assert!(rises.len() == 2 && rises.iter().all(|rise_m| (rise_m - 4.0).abs() < 0.01), "{rises:?}");
}

#[test]
fn ramps_open_stairs_to_wheels_and_a_missing_handrail_slows_the_senior() {
    let ends = |town: &Town| (town.spot((0.0, 0.0)), town.spot((200.0, 40.0)));
    let steps = ("step_count", "125");
    let ramp = |tag| {
        let mut town = stairs_and_lift(&[steps, (tag, "yes")]);
        let lift = town.corner(110.0, 20.0);
        town.tag_node(lift, "operational_status", "out_of_order");
        town
    };
    let (by_wheelchair, by_stroller) = (ramp("ramp:wheelchair"), ramp("ramp:stroller"));
    let (home, shop) = ends(&by_wheelchair);
    assert_close_s(
        seconds(&by_wheelchair.network(), "wheelchair", home, shop),
        200.0 / 1.10 + 40.0 / 0.50,
        3.0,
    );
    assert_eq!(seconds(&by_stroller.network(), "wheelchair", home, shop), Err(Reason::NotConnected));
    assert_close_s(seconds(&by_stroller.network(), "stroller", home, shop), 200.0 / 1.10 + 40.0 / 0.40, 3.0);
    // Without a ramp the pushchair is carried.
    assert_close_s(seconds(&ramp("ramp").network(), "stroller", home, shop), 200.0 / 1.10 + 40.0 / 0.40, 3.0);
    assert_close_s(seconds(&ramp("lit").network(), "stroller", home, shop), 200.0 / 1.10 + 40.0 / 0.20, 3.0);
    let no_lift = Profile { lift_wait_s: None, ..profile("senior") };
    let down = |handrail| {
        let network = stairs_and_lift(&[steps, ("handrail", handrail)]).network();
        seconds_of(&network, &no_lift, home, shop, Direction::FromFacility)
    };
    assert_close_s(down("yes"), 200.0 / 0.90 + 40.0 / 0.35, 3.0);
    assert_close_s(down("no"), 200.0 / 0.90 + 40.0 / (0.35 * 0.8), 3.0);
}

#[test]
fn a_street_that_is_no_way_for_wheelchairs_is_one_for_everybody_else() {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let shop = town.street(home).east(100.0).tag("wheelchair", "no").done();
    town.street(home).north(100.0).east(100.0).to(shop).done();
    let network = town.network();
    let (home, shop) = (town.spot((0.0, 0.0)), town.spot((100.0, 0.0)));
    assert_close_s(seconds(&network, "adult", home, shop), 100.0 / ADULT_MPS, 1.0);
    assert_close_s(seconds(&network, "wheelchair", home, shop), 300.0 / 1.10, 2.0);
}

#[test]
fn an_escalator_only_goes_up_and_the_stairs_beside_it_lead_down() {
    let mut town = Town::new();
    let foot = town.corner(0.0, 0.0);
    let top =
        town.street(foot).north(30.0).kind("steps").tag("conveying", "forward").tag("incline", "up").done();
    town.street(foot)
        .west(5.0)
        .north(30.0)
        .to(top)
        .kind("steps")
        .tag("step_count", "94")
        .tag("incline", "up")
        .done();
    let network = town.network();
    let (foot, top) = (town.spot((0.0, 0.0)), town.spot((0.0, 30.0)));
    assert_close_s(seconds(&network, "adult", foot, top), 30.0 / 0.43, 1.0);
    // 94 steps are 15.04 m: long stairs of 30.08 m, and 9.92 m of landings on 40 m of way.
    assert_close_s(seconds(&network, "adult", top, foot), 30.08 / 0.60 + 9.92 / ADULT_MPS, 2.0);
    assert_eq!(seconds(&network, "wheelchair", foot, top), Err(Reason::NotSnapped));
}

#[test]
fn a_lift_that_is_shut_on_a_tuesday_or_broken_is_no_way() {
    let lift = |key: &str, value: &str, at: OpenAt| {
        let mut town = stairs_and_lift(&[("step_count", "125")]);
        let lift = town.corner(110.0, 20.0);
        town.tag_node(lift, key, value);
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("town.osm.pbf");
        town.write_pbf(&path);
        let rules = defaults::walking_rules().at(at);
        let wanted = Wanted { rules: &rules, catalogue: None, buildings: None };
        let extract = osm::read(&path, wanted, &Progress::default()).unwrap();
        let reached = seconds(
            &network(&extract, &Elevation::default()),
            "wheelchair",
            town.spot((0.0, 0.0)),
            town.spot((200.0, 40.0)),
        );
        (extract.left_out.lift_nodes, reached.is_ok())
    };
    let tuesday = OpenAt::parse("2026-06-16T10:00").unwrap();
    assert_eq!(lift("opening_hours", "Mo-Su 06:00-24:00", tuesday), (0, true));
    assert_eq!(lift("opening_hours", "Sa,Su 10:00-18:00", tuesday), (1, false));
    assert_eq!(lift("opening_hours", "Sa,Su 10:00-18:00", OpenAt::Always), (0, true));
    assert_eq!(
        lift("opening_hours", "Sa,Su 10:00-18:00", OpenAt::parse("2026-06-20T11:00").unwrap()),
        (0, true)
    );
    assert_eq!(lift("operational_status", "out_of_order", tuesday), (1, false));
    assert_eq!(lift("access", "private", tuesday), (1, false));
}

// ------------------------------------------------------------------ cableways and ferries

#[test]
fn a_cableway_and_a_ferry_are_taken_by_those_who_wait_for_them() {
    for (key, value, mps) in [("aerialway", "gondola", 5.0), ("route", "ferry", 4.0)] {
        let mut town = Town::new();
        let near = town.corner(0.0, 0.0);
        town.street(near).west(1500.0).done();
        let far = town.corner(1000.0, 0.0);
        town.street(far).east(1500.0).done();
        // The stations stand 40 m from the ends of the streets.
        let (here, there) = (town.corner(40.0, 0.0), town.corner(960.0, 0.0));
        town.street(here).to(there).kind("no").tag(key, value).done();
        let network = town.network();
        let (home, shop) = (town.spot((-100.0, 0.0)), town.spot((1100.0, 0.0)));
        assert_eq!(seconds(&network, "adult", home, shop), Err(Reason::NotConnected));
        let rider = Profile { cableway_wait_s: Some(300.0), ferry_wait_s: Some(300.0), ..profile("adult") };
        let ride = seconds_of(&network, &rider, home, shop, Direction::ToFacility);
        assert_close_s(ride, (100.0 + 40.0 + 40.0 + 100.0) / ADULT_MPS + 300.0 + 920.0 / mps, 6.0);
    }
}

// ------------------------------------------------------------------ floors

/// Two corridors that cross at one node, one on each floor, and stairs between their eastern ends.
fn two_floors() -> Town {
    let mut town = Town::new();
    let west = town.corner(-600.0, 0.0);
    let east = town.street(west).east(600.0).east(60.0).kind("footway").tag("level", "0").done();
    let south = town.corner(0.0, -600.0);
    let north = town.street(south).north(600.0).north(60.0).kind("footway").tag("level", "1").done();
    town.street(east).to(north).kind("steps").tag("level", "0;1").tag("step_count", "18").done();
    town
}

#[test]
fn corridors_of_two_floors_that_share_a_node_meet_at_the_stairs_only() {
    let town = two_floors();
    let network = town.network();
    let below = Spot { place: town.spot((-20.0, 0.0)), level: Some(Level::GROUND) };
    let above = town.spot((0.0, -30.0));
    let mut to = one_class(&[above]);
    to.level = vec![Level::from_number(1.0)];
    let adult = profile("adult");
    let walk = Walk::new(&network, &adult, Direction::ToFacility);
    let found = nearest(&walk, &Ids::UInt(vec![0]), &[below], &to, LONG_DS, &Progress::default()).unwrap();
    // 20 m to the crossing, 60 m east, stairs of 84.85 m with 18 steps (2.88 m up on 5.76 m), 60 m south, 30 m more.
    let stairs_m = 60.0 * 2.0_f64.sqrt();
    let stairs_s = 5.76 / 0.90 + (stairs_m - 5.76) / ADULT_MPS;
    assert_close_s(
        in_seconds(found.times.nearest[0]),
        (20.0 + 60.0 + 60.0 + 30.0) / ADULT_MPS + stairs_s,
        6.0,
    );
    assert_eq!(components::connectedness(&network).pieces, 1);
}

#[test]
fn a_shop_on_a_floor_joins_its_floor_and_a_home_without_one_the_street() {
    let town = two_floors();
    let network = town.network();
    let adult = profile("adult");
    let walk = Walk::new(&network, &adult, Direction::ToFacility);
    // 3 m from the corridor above, 20 m from the one below.
    let place = town.spot((3.0, -20.0));
    let join = |level: Option<f64>| {
        let spot = Spot { place, level: level.and_then(Level::from_number) };
        let edge = walk.join(&[spot], &Progress::default()).unwrap()[0].1.unwrap().anchor.edge;
        network.edges.level[edge as usize].map(|level| f64::from(level.0) / 10.0)
    };
    assert_eq!(join(Some(1.0)), Some(1.0));
    assert_eq!(join(Some(0.0)), Some(0.0));
    assert_eq!(join(None), Some(0.0));
    // Nobody has drawn a seventh floor.
    assert_eq!(join(Some(7.0)), Some(0.0));
}

#[test]
fn a_corridor_that_is_repeated_lies_on_every_floor_and_stairs_join_the_copies() {
    let mut town = Town::new();
    let street = town.corner(-1200.0, 0.0);
    let hall = town.street(street).east(1200.0).done();
    town.street(hall).north(100.0).kind("corridor").tag("level", "0").tag("repeat_on", "1-2").done();
    let tower = town.corner(0.0, 0.0);
    let landing =
        town.street(tower).west(6.0).kind("steps").tag("level", "0;1").tag("step_count", "18").done();
    town.street(landing).to(tower).kind("steps").tag("level", "1;2").tag("step_count", "18").done();
    let network = town.network();
    let floors: Vec<Option<Level>> = (0..network.edge_count())
        .filter(|&edge| network.edges.kind[edge] == WayKind::Corridor)
        .map(|edge| network.edges.level[edge])
        .collect();
    let all: Vec<Option<Level>> = [0.0, 1.0, 2.0].map(Level::from_number).to_vec();
    assert_eq!(floors, all);
}

// ------------------------------------------------------------------ squares

fn square(tags: &[(&str, &str)]) -> Town {
    let mut town = Town::new();
    town.ring(&[(0.0, 0.0), (100.0, 0.0), (100.0, 60.0), (0.0, 60.0)], tags);
    let (south_west, north_east) = (town.corner(0.0, 0.0), town.corner(100.0, 60.0));
    town.street(south_west).west(50.0).done();
    town.street(north_east).east(50.0).done();
    town
}

#[test]
fn a_square_is_crossed_straight_and_a_ring_road_is_walked_round() {
    let across_m = (100.0_f64 * 100.0 + 60.0 * 60.0).sqrt();
    for (tags, expected_m) in [
        (vec![("highway", "pedestrian"), ("area", "yes")], across_m),
        (vec![("railway", "platform")], across_m),
        (vec![("railway", "platform"), ("area", "no")], 160.0),
        (vec![("highway", "pedestrian")], 160.0),
    ] {
        let town = square(&tags);
        let (home, shop) = (town.spot((-50.0, 0.0)), town.spot((150.0, 60.0)));
        let found = seconds(&town.network(), "adult", home, shop);
        assert_close_s(found, (50.0 + expected_m + 50.0) / ADULT_MPS, 4.0);
    }
}

#[test]
fn a_building_in_the_middle_of_a_square_is_walked_round_along_its_corners() {
    let mut town = Town::new();
    town.multipolygon(
        &[(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0)],
        &[(30.0, 30.0), (70.0, 30.0), (70.0, 70.0), (30.0, 70.0)],
        &[("highway", "pedestrian"), ("area", "yes")],
    );
    let (south_west, north_east) = (town.corner(0.0, 0.0), town.corner(100.0, 100.0));
    town.street(south_west).west(50.0).done();
    town.street(north_east).east(50.0).done();
    let (home, shop) = (town.spot((-50.0, 0.0)), town.spot((150.0, 100.0)));
    // By the corner at 70, 30: twice the same slanted way.
    let half_m = (70.0_f64 * 70.0 + 30.0 * 30.0).sqrt();
    assert_close_s(
        seconds(&town.network(), "adult", home, shop),
        (50.0 + 2.0 * half_m + 50.0) / ADULT_MPS,
        4.0,
    );
}

// ------------------------------------------------------------------ gates

/// A street of 400 m; an estate north of it whose path leads from one gate to the other, 30 m behind the street; homes
/// inside; a long way round for everybody else.
fn estate(inner: &[(&str, &str)], gate: &[(&str, &str)]) -> Town {
    let mut town = Town::new();
    let (west, east) = (town.corner(0.0, 0.0), town.corner(300.0, 0.0));
    town.street(west).south(600.0).east(300.0).to(east).done();
    let (west_gate, east_gate) = (town.corner(0.0, 30.0), town.corner(300.0, 30.0));
    town.street(west).to(west_gate).done();
    town.street(east).to(east_gate).done();
    let path = town.street(west_gate).east(150.0).to(east_gate).kind("service");
    inner.iter().fold(path, |path, (key, value)| path.tag(key, value)).done();
    for node in [west_gate, east_gate] {
        for (key, value) in gate {
            town.tag_node(node, key, value);
        }
    }
    town
}

fn by(town: &Town, gates: Gates) -> Network {
    network_by(&town.extract(), &Elevation::default(), Rules { gates, ..Rules::default() })
}

const PRIVATE_GATE: [(&str, &str); 2] = [("barrier", "gate"), ("access", "private")];
const GATE: [(&str, &str); 1] = [("barrier", "gate")];

#[test]
fn an_estate_lets_its_residents_out_and_home_and_nobody_through() {
    let round_s = (600.0 + 300.0 + 600.0) / ADULT_MPS;
    let through_s = (30.0 + 300.0 + 30.0) / ADULT_MPS;
    let private: &[(&str, &str)] = &[("access", "private")];
    // Private ways with or without gates, and ways without tags behind private gates, are the same estate.
    for town in [estate(private, &[]), estate(private, &PRIVATE_GATE), estate(&[], &PRIVATE_GATE)] {
        let network = by(&town, Gates::Tagged);
        let (west, east, inside) = (town.spot((0.0, 0.0)), town.spot((300.0, 0.0)), town.spot((100.0, 30.0)));
        assert_close_s(seconds(&network, "adult", west, east), round_s, 4.0);
        // Out by either gate, whichever is nearer to where one goes; and home again.
        assert_close_s(seconds(&network, "adult", inside, east), (200.0 + 30.0) / ADULT_MPS, 4.0);
        assert_close_s(seconds(&network, "adult", inside, west), (100.0 + 30.0) / ADULT_MPS, 4.0);
        let back = walk(&network, "adult", &[inside], &one_class(&[east]), Direction::FromFacility, LONG_DS);
        assert_close_s(in_seconds(back.times.nearest[0]), (200.0 + 30.0) / ADULT_MPS, 4.0);
        assert_close_s(seconds(&by(&town, Gates::Open), "adult", west, east), through_s, 4.0);
    }
}

#[test]
fn a_gate_without_a_word_is_open_unless_all_gates_are_closed() {
    let town = estate(&[], &GATE);
    let (west, east) = (town.spot((0.0, 0.0)), town.spot((300.0, 0.0)));
    let through_s = (30.0 + 300.0 + 30.0) / ADULT_MPS;
    assert_close_s(seconds(&by(&town, Gates::Tagged), "adult", west, east), through_s, 4.0);
    assert_close_s(
        seconds(&by(&town, Gates::Closed), "adult", west, east),
        (600.0 + 300.0 + 600.0) / ADULT_MPS,
        4.0,
    );
}

#[test]
fn a_kindergarten_in_an_estate_is_reached_from_inside_by_its_path_and_from_outside_at_the_street() {
    let town = estate(&[("access", "private")], &[]);
    let network = by(&town, Gates::Tagged);
    let kindergarten = town.spot((60.0, 30.0));
    let neighbour = town.spot((200.0, 30.0));
    assert_close_s(seconds(&network, "adult", neighbour, kindergarten), 140.0 / ADULT_MPS, 2.0);
    // From outside: the nearest public point is the gate's street end, 60 m west of the door.
    let outside = town.spot((0.0, 0.0));
    assert_close_s(seconds(&network, "adult", outside, kindergarten), (30.0 + 60.0) / ADULT_MPS, 3.0);
}

#[test]
fn a_wall_sends_a_house_to_the_street_on_its_own_side() {
    let mut town = Town::new();
    let south = town.corner(0.0, 0.0);
    town.street(south).east(1200.0).done();
    let north = town.corner(0.0, 60.0);
    town.street(north).east(1200.0).done();
    let house = town.spot((600.0, 20.0));
    let joined_m = |town: &Town| {
        let network = town.network();
        let adult = profile("adult");
        let walk = Walk::new(&network, &adult, Direction::ToFacility);
        walk.join(&[house], &Progress::default()).unwrap()[0].0.nearest_m.unwrap()
    };
    assert!((joined_m(&town) - 20.0).abs() < 0.05);
    let wall = town.corner(500.0, 10.0);
    town.street(wall).east(200.0).kind("no").tag("barrier", "retaining_wall").done();
    assert!((joined_m(&town) - 40.0).abs() < 0.05);
}

// ------------------------------------------------------------------ heights

type Formula = fn(f64) -> f64;

#[test]
fn each_slope_function_slows_and_speeds_by_its_own_formula() {
    let mut town = Town::new();
    let foot = town.corner(0.0, 0.0);
    town.street(foot).east(300.0).done();
    let network = network(&town.extract(), &plane(&town, |east_m, _| 250.0 + 0.12 * east_m));
    let (foot, top) = (town.spot((0.0, 0.0)), town.spot((300.0, 0.0)));
    let campbell: Formula = |slope| {
        let degrees = slope.atan().to_degrees();
        38.892 / (std::f64::consts::PI * 13.328 * (1.0 + ((degrees + 1.568) / 13.328).powi(2))) + 0.404
            - 0.003_23 * degrees
    };
    let formulas: [(SlopeFunction, Formula); 5] = [
        (SlopeFunction::Tobler, |slope| (-3.5 * (slope + 0.05).abs()).exp()),
        (SlopeFunction::IrmischerClarke, |slope| 0.11 + (-(100.0 * slope + 5.0).powi(2) / 1800.0).exp()),
        (SlopeFunction::CampbellP10, campbell),
        (SlopeFunction::MarquezPerez, |slope| (-5.3 * (0.7 * slope + 0.03).abs()).exp()),
        (SlopeFunction::Level, |_| 1.0),
    ];
    for (slope, formula) in formulas {
        let who = Profile { slope, ..profile("adult") };
        let up = seconds_of(&network, &who, foot, top, Direction::ToFacility);
        let down = seconds_of(&network, &who, foot, top, Direction::FromFacility);
        assert_close_s(up, 300.0 / (ADULT_MPS * formula(0.12) / formula(0.0)), 3.0);
        assert_close_s(down, 300.0 / (ADULT_MPS * formula(-0.12) / formula(0.0)), 3.0);
        assert!(slope == SlopeFunction::Level || up.unwrap() > down.unwrap());
    }
}

#[test]
fn a_wheelchair_climbs_eight_per_cent_and_not_ten() {
    for (slope, passes) in [(0.08, true), (0.10, false)] {
        let mut town = Town::new();
        let foot = town.corner(0.0, 0.0);
        town.street(foot).east(200.0).done();
        let network = network(&town.extract(), &plane(&town, move |east_m, _| 250.0 + slope * east_m));
        let found = seconds(&network, "wheelchair", town.spot((0.0, 0.0)), town.spot((200.0, 0.0)));
        assert_eq!(found.is_ok(), passes, "{slope}: {found:?}");
    }
}

#[test]
fn between_the_banks_nothing_of_the_valley_is_walked_on_bridges_under_roofs_or_underground() {
    for (key, value) in
        [("bridge", "yes"), ("tunnel", "yes"), ("covered", "yes"), ("indoor", "yes"), ("layer", "1")]
    {
        let mut town = Town::new();
        let west = town.corner(0.0, 0.0);
        let bank = town.street(west).east(20.0).done();
        // Two pieces, with stairs at the middle down to a path in the valley: the middle is not as high as the valley.
        let middle = town.corner(120.0, 0.0);
        let other = town.corner(220.0, 0.0);
        town.street(bank).to(middle).tag(key, value).done();
        town.street(middle).to(other).tag(key, value).done();
        town.street(other).east(20.0).done();
        let path = town.street(middle).north(40.0).kind("steps").done();
        town.street(path).north(50.0).kind("footway").done();
        let valley = |east_m: f64, _: f64| if (26.0..214.0).contains(&east_m) { 220.0 } else { 250.0 };
        let network = network(&town.extract(), &plane(&town, valley));
        let found = seconds(&network, "adult", town.spot((0.0, 0.0)), town.spot((240.0, 0.0)));
        // The middle hangs between the banks, pulled a little by the stairs (by a tenth of what a way of their length
        // would): at 248.9 m on a bridge, 246.7 m under a roof, 244.4 m in a tunnel. Never the valley's 220 m, which
        // would take 240 s more.
        let level_s = 240.0 / ADULT_MPS;
        let found = found.unwrap();
        assert!(found > level_s - 2.0 && found < level_s + 20.0, "{key}: {found}");
    }
}

#[test]
fn tags_win_over_the_terrain_where_they_agree_with_it() {
    let street = |tags: &[(&str, &str)], ele: Option<(&str, &str)>| {
        let mut town = Town::new();
        let foot = town.corner(0.0, 0.0);
        let way = town.street(foot).east(80.0);
        let top = tags.iter().fold(way, |way, (key, value)| way.tag(key, value)).done();
        if let Some((low, high)) = ele {
            town.tag_node(foot, "ele", low);
            town.tag_node(top, "ele", high);
        }
        // The terrain says 6 m up on 80 m.
        let network = network(&town.extract(), &plane(&town, |east_m, _| 250.0 + 0.075 * east_m));
        let climb = network.climb(0, 0.0, 1.0).unwrap();
        (climb.up_m - climb.down_m, network.origin.tags_not_believed)
    };
    let near = |(found_m, not_believed): (f64, u64), rise_m: f64, count: u64| {
        assert!((found_m - rise_m).abs() < 0.05 && not_believed == count, "{found_m} {not_believed}");
    };
    near(street(&[], None), 6.0, 0);
    near(street(&[("incline", "10%")], None), 8.0, 0);
    near(street(&[("incline", "35%")], None), 6.0, 1);
    near(street(&[("incline", "10%")], Some(("251", "256.5"))), 5.5, 0);
    near(street(&[], Some(("251", "290"))), 6.0, 1);
}

#[test]
fn climbs_add_up_along_an_edge_and_turn_round_with_the_walk() {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    town.street(west).east(300.0).done();
    let hills = |east_m: f64, _: f64| 250.0 + 8.0 * (east_m / 30.0).sin();
    let network = network(&town.extract(), &plane(&town, hills));
    let whole = network.climb(0, 0.0, 1.0).unwrap();
    // From 0 to 300 m the sine goes through one and a half waves and a bit: up 8, down 16, up 16, then down.
    let end_m = 8.0 * 10.0_f64.sin();
    assert!((whole.up_m - (8.0 + 16.0)).abs() < 0.6, "{whole:?}");
    assert!((whole.up_m - whole.down_m - end_m).abs() < 0.01, "{whole:?}");
    let back = network.climb(0, 1.0, 0.0).unwrap();
    assert!((back.up_m - whole.down_m).abs() < 1e-9 && (back.down_m - whole.up_m).abs() < 1e-9);
    for share in [0.01, 0.2, 0.333, 0.5, 0.77] {
        let (first, second) = (network.climb(0, 0.0, share).unwrap(), network.climb(0, share, 1.0).unwrap());
        assert!((first.up_m + second.up_m - whole.up_m).abs() < 1e-9, "{share}");
    }
}

// ------------------------------------------------------------------ islands, and how far one is joined

#[test]
fn an_island_is_reported_with_who_and_what_is_on_it_and_joined_when_asked() {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    town.street(west).east(1500.0).done();
    // 300 m of path that begins 8 m from the street.
    let gap = town.corner(600.0, 8.0);
    town.street(gap).north(300.0).kind("footway").done();
    let home = Spot::from(town.spot((605.0, 200.0)));
    let adult = profile("adult");
    let on_island = |network: &Network| {
        let walk = Walk::new(network, &adult, Direction::ToFacility);
        let shop = one_class(&[town.spot((595.0, 250.0))]);
        let found = inhabited(&walk, &[home], &[70.0], Some(&shop), &Progress::default()).unwrap();
        found
            .iter()
            .map(|island| (island.length_m.round(), island.left_out, island.people, island.facilities))
            .collect::<Vec<_>>()
    };
    let apart = town.network();
    assert_eq!(on_island(&apart), [(1500.0, false, 0.0, 0), (300.0, true, 70.0, 1)]);
    let rules = Rules { join_islands_m: 610.0, ..Rules::default() };
    // The nearest node of the street is its end, 600 m away: nodes are joined, not points between them.
    let joined = network_by(&town.extract(), &Elevation::default(), rules);
    assert_eq!(on_island(&joined).len(), 1);
    let rules = Rules { join_islands_m: 599.0, ..Rules::default() };
    assert_eq!(on_island(&network_by(&town.extract(), &Elevation::default(), rules)).len(), 2);
    // With a corner of the street opposite, ten metres are enough.
    let opposite = town.corner(600.0, 0.0);
    town.street(opposite).south(30.0).done();
    town.street(west).to(opposite).done();
    let rules = Rules { join_islands_m: 10.0, ..Rules::default() };
    let joined = network_by(&town.extract(), &Elevation::default(), rules);
    let (from, to) = (town.spot((600.0, 0.0)), town.spot((600.0, 108.0)));
    assert_close_s(seconds(&joined, "adult", from, to), 108.0 / ADULT_MPS, 2.0);
}

#[test]
fn a_profile_may_go_slower_off_the_street_and_less_far() {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    town.street(west).east(300.0).done();
    let network = town.network();
    let (home, shop) = (town.spot((0.0, 60.0)), town.spot((300.0, 0.0)));
    let slow = Profile { off_street_mps: Some(0.5), ..profile("adult") };
    assert_close_s(
        seconds_of(&network, &slow, home, shop, Direction::ToFacility),
        60.0 / 0.5 + 300.0 / ADULT_MPS,
        2.0,
    );
    let near = Profile { max_snap_m: Some(50.0), ..profile("adult") };
    assert_eq!(seconds_of(&network, &near, home, shop, Direction::ToFacility), Err(Reason::NotSnapped));
}
