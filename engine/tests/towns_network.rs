//! Walking times in synthetic towns are those that a reader works out in the head.
//!
//! **Every town here is made up.** Each is written as a real PBF file and read back through the production path. An
//! adult walks 1.33 m/s, climbs stairs at 0.45 and descends them at 0.60 (`datasets/profiles.toml`).

mod towns;

use towns::walk::{
    LONG_DS, assert_close_s, in_seconds, network, one_class, own_classes, plane, seconds, walk,
};
use towns::{Town, pbf};
use walkshed::io::defaults;
use walkshed::io::osm::LeftOut;
use walkshed::model::elevation::Elevation;
use walkshed::model::ids::Ids;
use walkshed::model::place::Place;
use walkshed::model::progress::Progress;
use walkshed::model::street::Streets;
use walkshed::model::times::{Direction, Found, Reason};
use walkshed::network::build::{self, Rules};
use walkshed::network::components::connectedness;
use walkshed::network::graph::Network;

const ADULT_MPS: f64 = 1.33;
const UP_MPS: f64 = 0.45;
const DOWN_MPS: f64 = 0.60;
const LIFT_S: f64 = 45.0 + 4.0;

// ------------------------------------------------------------------ the desert grid

const BLOCK_M: i32 = 200;
const BLOCKS: i32 = 10;

/// A place in the desert grid: a point of a street, and how far to the east and north of it the place is.
#[derive(Debug, Clone, Copy)]
struct Spot {
    street: (i32, i32),
    off: (i32, i32),
}

impl Spot {
    fn place(self, town: &Town) -> Place {
        town.spot((f64::from(self.street.0 + self.off.0), f64::from(self.street.1 + self.off.1)))
    }

    fn leg_m(self) -> f64 {
        f64::from(self.off.0.abs() + self.off.1.abs())
    }
}

fn desert() -> Town {
    let mut town = Town::new();
    town.grid(BLOCKS as usize, BLOCKS as usize, f64::from(BLOCK_M));
    town
}

fn corners() -> Vec<Spot> {
    let all = (0..=BLOCKS).flat_map(|row| (0..=BLOCKS).map(move |column| (column * BLOCK_M, row * BLOCK_M)));
    all.map(|street| Spot { street, off: (0, 0) }).collect()
}

/// On east-west and north-south streets, at another part of each block.
fn mid_block() -> Vec<Spot> {
    let part = |block: i32| block * BLOCK_M + 30 + 17 * block % 160;
    let along = (0..BLOCKS).flat_map(|row| (0..BLOCKS).map(move |column| (part(column), row * BLOCK_M)));
    let across = (0..BLOCKS).flat_map(|row| (0..BLOCKS).map(move |column| (column * BLOCK_M, part(row))));
    along.chain(across).step_by(7).map(|street| Spot { street, off: (0, 0) }).collect()
}

/// Inside blocks: 40 m from the street in the south or west, and 90 m from it in the middle of a block, where the
/// other three streets are 100 m and more away.
fn off_street() -> Vec<Spot> {
    let inside = |block: i32| {
        let (east, north) = (block * BLOCK_M, (BLOCKS - 1 - block) * BLOCK_M);
        [
            Spot { street: (east + 110, north), off: (0, 40) },
            Spot { street: (east, north + 60), off: (40, 0) },
            Spot { street: (east + 100, north), off: (0, 90) },
            Spot { street: (east, north + 100), off: (90, 0) },
        ]
    };
    (0..BLOCKS).flat_map(inside).collect()
}

fn everywhere() -> Vec<Spot> {
    corners().into_iter().step_by(3).chain(mid_block()).chain(off_street()).collect()
}

/// Metres along the streets of the grid: as far east-west and as far north-south as the places are apart, but between
/// two parallel streets of one block one goes round by the nearer end.
fn grid_m(a: (i32, i32), b: (i32, i32)) -> f64 {
    f64::from(along_m(a.0, b.0, a.1 != b.1) + along_m(a.1, b.1, a.0 != b.0))
}

fn along_m(a: i32, b: i32, on_other_street: bool) -> i32 {
    let start = a.div_euclid(BLOCK_M) * BLOCK_M;
    let inside = |at: i32| at > start && at < start + BLOCK_M;
    if !(on_other_street && inside(a) && inside(b)) {
        return (a - b).abs();
    }
    let by_start = (a - start) + (b - start);
    by_start.min(2 * BLOCK_M - by_start)
}

fn formula_s(a: Spot, b: Spot) -> f64 {
    (a.leg_m() + grid_m(a.street, b.street) + b.leg_m()) / ADULT_MPS
}

/// Edges walked, each off by 0.05 s of rounding and by 1 cm of coordinates. A part of an edge is the difference of two
/// rounded times and counts twice; there are at most two, and two legs.
fn tolerance_s(a: Spot, b: Spot) -> f64 {
    let whole_edges = (grid_m(a.street, b.street) / f64::from(BLOCK_M)).ceil();
    (whole_edges + 2.0 * 2.0 + 2.0) * (0.05 + 0.01 / ADULT_MPS)
}

#[test]
fn walking_times_in_the_desert_grid_equal_the_closed_formula() {
    let (town, spots) = (desert(), everywhere());
    let network = town.network();
    let places: Vec<Place> = spots.iter().map(|spot| spot.place(&town)).collect();
    let to = own_classes(&places);
    for way in [Direction::ToFacility, Direction::FromFacility] {
        let times = walk(&network, "adult", &places, &to, way, LONG_DS).times.nearest;
        for (from, &home) in spots.iter().enumerate() {
            for (shop, &door) in spots.iter().enumerate() {
                let found = in_seconds(times[from * spots.len() + shop]).expect("one grid hangs together");
                let expected = formula_s(home, door);
                let near = (found - expected).abs() <= tolerance_s(home, door);
                assert!(near, "{home:?} to {door:?}: expected {expected:.2} s, found {found} s");
            }
        }
    }
}

#[test]
fn the_desert_grid_has_one_edge_for_every_side_of_a_block() {
    let network = desert().network();
    let sides = (2 * BLOCKS * (BLOCKS + 1)) as usize;
    assert_eq!(network.edge_count(), sides);
    assert_eq!(network.node_count(), corners().len());
    let whole = connectedness(&network);
    assert_eq!(whole.pieces, 1);
    let expected_km = sides as f64 * f64::from(BLOCK_M) / 1000.0;
    let length_km: f64 = network.length_km_by_kind().iter().map(|(_, km)| km).sum();
    assert!((length_km - expected_km).abs() < sides as f64 * 1e-5, "{length_km}");
}

#[test]
fn the_nearest_of_many_shops_is_the_one_with_the_least_formula() {
    let (town, homes) = (desert(), everywhere());
    let network = town.network();
    let shops: Vec<Spot> = mid_block().into_iter().chain(off_street()).step_by(9).collect();
    let place = |spots: &[Spot]| spots.iter().map(|spot| spot.place(&town)).collect::<Vec<_>>();
    let to = one_class(&place(&shops));
    let times = walk(&network, "adult", &place(&homes), &to, Direction::ToFacility, LONG_DS);
    for (&home, nearest) in homes.iter().zip(times.times.nearest) {
        let found = nearest.expect("one grid hangs together");
        let least = shops.iter().map(|&shop| formula_s(home, shop)).fold(f64::INFINITY, f64::min);
        let taken = shops[found.facility() as usize];
        assert!((f64::from(found.time_ds) / 10.0 - least).abs() <= tolerance_s(home, taken), "{home:?}");
        assert!(formula_s(home, taken) <= least + tolerance_s(home, taken), "{home:?} went to {taken:?}");
    }
}

#[test]
fn of_equally_near_shops_the_one_whose_id_comes_first_is_taken() {
    let town = desert();
    let network = town.network();
    // 300 m to the east, west, north and south: a centimetre of coordinates does not move 225.6 s by a tenth.
    let shops = town.spots(&[(1300.0, 1000.0), (700.0, 1000.0), (1000.0, 1300.0), (1000.0, 700.0)]);
    let home = town.spots(&[(1000.0, 1000.0)]);
    for (ids, first) in [([1, 2, 3, 4], 0), ([4, 3, 2, 1], 3), ([3, 4, 1, 2], 2), ([10, 9, 20, 30], 1)] {
        let mut to = one_class(&shops);
        to.id = Ids::UInt(ids.to_vec());
        let found = walk(&network, "adult", &home, &to, Direction::ToFacility, LONG_DS).times.nearest[0];
        assert_eq!(found.map(Found::facility), Ok(first), "{ids:?}");
        assert_close_s(in_seconds(found), 300.0 / ADULT_MPS, 2.0);
    }
}

#[test]
fn a_home_and_a_shop_on_the_same_side_of_a_block_never_go_round_it() {
    let town = desert();
    let network = town.network();
    // 30 m and 170 m along the same side, the home 20 m north of it and the shop 5 m south.
    let (home, shop) = (town.spot((430.0, 620.0)), town.spot((570.0, 595.0)));
    let expected = (20.0 + (170.0 - 30.0) + 5.0) / ADULT_MPS;
    assert_close_s(seconds(&network, "adult", home, shop), expected, 4.0);
    assert_close_s(seconds(&network, "adult", shop, home), expected, 4.0);
    assert_close_s(seconds(&network, "adult", home, home), (20.0 + 20.0) / ADULT_MPS, 2.0);
}

#[test]
fn a_time_equal_to_the_cut_off_counts_and_a_tenth_of_a_second_later_does_not() {
    let town = desert();
    let network = town.network();
    let (home, shop) = (town.spots(&[(0.0, 0.0)]), one_class(&town.spots(&[(700.0, 400.0)])));
    let within =
        |cutoff_ds| walk(&network, "adult", &home, &shop, Direction::ToFacility, cutoff_ds).times.nearest[0];
    let time_ds = within(LONG_DS).expect("one grid hangs together").time_ds;
    assert_close_s(Ok(f64::from(time_ds) / 10.0), (700.0 + 400.0) / ADULT_MPS, 7.0);
    assert_eq!(within(time_ds).map(|found| found.time_ds), Ok(time_ds));
    assert_eq!(within(time_ds - 1), Err(Reason::BeyondCutoff));
}

#[test]
fn the_shops_within_the_cut_off_are_those_within_its_metres() {
    let town = desert();
    let network = town.network();
    // One shop every 95 m of the southern street, each a class of its own. 500 s are 665 m, exactly 7 × 95 m: the
    // cut-off lies 20 m past the seventh shop so that rounding cannot move it.
    let shops: Vec<(f64, f64)> = (1..=20).map(|number| (95.0 * f64::from(number), 0.0)).collect();
    let cutoff_s = (665.0 + 20.0) / ADULT_MPS;
    let to = own_classes(&town.spots(&shops));
    let home = town.spots(&[(0.0, 0.0)]);
    let times = walk(&network, "adult", &home, &to, Direction::ToFacility, (cutoff_s * 10.0) as u32);
    let reached: Vec<bool> = times.times.nearest.iter().map(Result::is_ok).collect();
    let expected: Vec<bool> = shops.iter().map(|&(east, _)| east / ADULT_MPS <= cutoff_s).collect();
    assert_eq!(reached, expected);
    assert_eq!(reached.iter().filter(|&&reached| reached).count(), 7);
}

#[test]
fn no_time_is_told_as_too_far_not_connected_or_no_street_near() {
    // Two grids of two by two blocks (2.4 km of street each), 1 km apart, and a home in the sand between them.
    let mut town = Town::new();
    town.grid(2, 2, 200.0);
    for row in [0.0, 200.0, 400.0] {
        let west = town.corner(1400.0, row);
        town.street(west).east(200.0).east(200.0).done();
    }
    for column in [1400.0, 1600.0, 1800.0] {
        let south = town.corner(column, 0.0);
        town.street(south).north(200.0).north(200.0).done();
    }
    let network = town.network();
    assert_eq!((connectedness(&network).pieces, connectedness(&network).island_km), (2, 0.0));
    let homes = town.spots(&[(0.0, 0.0), (1400.0, 0.0), (900.0, 100.0)]);
    let shop = one_class(&town.spots(&[(400.0, 400.0)]));
    let times = walk(&network, "adult", &homes, &shop, Direction::ToFacility, 5999);
    // 800 m take 601.5 s; the cut-off is 599.9 s. The sand is 500 m from either grid, and joining ends at 200 m.
    assert_eq!(
        times.times.nearest,
        [Err(Reason::BeyondCutoff), Err(Reason::NotConnected), Err(Reason::NotSnapped)]
    );
    assert!(times.origin_snap[0].anchor.is_some() && times.origin_snap[1].anchor.is_some());
    let away_m = times.origin_snap[2].nearest_m.expect("there is a street");
    assert!((away_m - (900.0 - 400.0)).abs() < 0.05, "{away_m}");
}

// ------------------------------------------------------------------ stairs, moving stairs and lifts

/// 100 m of street to the foot of the stairs, so many metres of stairs to the north, and 50 m of street at the top.
fn stairs(stairs_m: f64, tags: &[(&str, &str)]) -> Town {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let foot = town.street(home).east(100.0).done();
    let builder = town.street(foot).north(stairs_m).kind("steps");
    let top = tags.iter().fold(builder, |builder, (key, value)| builder.tag(key, value)).done();
    town.street(top).east(50.0).done();
    town
}

const AT_HOME: (f64, f64) = (0.0, 0.0);

#[test]
fn stairs_take_longer_up_than_down() {
    let town = stairs(30.0, &[("incline", "up")]);
    let network = town.network();
    let (home, shop) = (town.spot(AT_HOME), town.spot((150.0, 30.0)));
    let level_s = (100.0 + 50.0) / ADULT_MPS;
    assert_close_s(seconds(&network, "adult", home, shop), level_s + 30.0 / UP_MPS, 3.0);
    assert_close_s(seconds(&network, "adult", shop, home), level_s + 30.0 / DOWN_MPS, 3.0);
}

#[test]
fn walking_from_the_facility_goes_down_the_stairs_that_lead_up_to_it() {
    let town = stairs(30.0, &[("incline", "up")]);
    let network = town.network();
    let (home, shop) = (town.spots(&[AT_HOME]), one_class(&town.spots(&[(150.0, 30.0)])));
    let back = walk(&network, "adult", &home, &shop, Direction::FromFacility, LONG_DS).times.nearest[0];
    assert_close_s(in_seconds(back), (100.0 + 50.0) / ADULT_MPS + 30.0 / DOWN_MPS, 3.0);
}

#[test]
fn a_home_halfway_up_the_stairs_walks_half_of_them() {
    let town = stairs(30.0, &[("incline", "up")]);
    let network = town.network();
    let (halfway, shop) = (town.spot((100.0, 15.0)), town.spot((150.0, 30.0)));
    assert_close_s(seconds(&network, "adult", halfway, shop), 15.0 / UP_MPS + 50.0 / ADULT_MPS, 4.0);
    assert_close_s(seconds(&network, "adult", shop, halfway), 15.0 / DOWN_MPS + 50.0 / ADULT_MPS, 4.0);
}

#[test]
fn stairs_that_do_not_say_which_end_is_higher_take_the_mean_of_up_and_down() {
    let town = stairs(30.0, &[]);
    let network = town.network();
    let (home, shop) = (town.spot(AT_HOME), town.spot((150.0, 30.0)));
    let expected = (100.0 + 50.0) / ADULT_MPS + f64::midpoint(30.0 / UP_MPS, 30.0 / DOWN_MPS);
    assert_close_s(seconds(&network, "adult", home, shop), expected, 3.0);
    assert_close_s(seconds(&network, "adult", shop, home), expected, 3.0);
}

#[test]
fn terrain_tells_which_end_of_untagged_stairs_is_higher() {
    let town = stairs(30.0, &[]);
    // The ground falls 0.1 m on each metre to the north: the stairs descend 3 m from their first node.
    let network = network(&town.extract(), &plane(&town, |_, north_m| 200.0 - 0.1 * north_m));
    let (foot, top) = (town.spot((100.0, 0.0)), town.spot((100.0, 30.0)));
    // A terrain model smears stairs out: they count as 20 % steep at least, so these are 6 m high, a quarter of the way
    // from short ones (3 m) to long ones (15 m).
    assert_close_s(seconds(&network, "adult", foot, top), 30.0 / (1.00 - (1.00 - DOWN_MPS) / 4.0), 1.0);
    assert_close_s(seconds(&network, "adult", top, foot), 30.0 / (0.90 - (0.90 - UP_MPS) / 4.0), 1.0);
}

#[test]
fn a_moving_stair_carries_only_in_its_direction() {
    // Up the moving stair it is 100 + 20 + 50 m; the way back leads round over 50 + 300 + 20 + 300 + 100 m of street.
    let escalator_mps = 0.43;
    let mut town = stairs(20.0, &[("conveying", "forward")]);
    let top_end = town.corner(150.0, 20.0);
    let foot = town.corner(100.0, 0.0);
    town.street(top_end).east(300.0).south(20.0).west(300.0).to(foot).done();
    let network = town.network();
    let (home, shop) = (town.spot(AT_HOME), town.spot((150.0, 20.0)));
    let up_s = 100.0 / ADULT_MPS + 20.0 / escalator_mps + 50.0 / ADULT_MPS;
    assert_close_s(seconds(&network, "adult", home, shop), up_s, 3.0);
    let round_s = (300.0 + 20.0 + 300.0 + 50.0 + 100.0) / ADULT_MPS;
    assert_close_s(seconds(&network, "adult", shop, home), round_s, 3.0);
}

#[test]
fn a_moving_stair_without_another_way_leaves_the_way_back_unconnected() {
    let town = stairs(20.0, &[("conveying", "forward")]);
    let network = town.network();
    let (home, shop) = (town.spot(AT_HOME), town.spot((150.0, 20.0)));
    assert!(seconds(&network, "adult", home, shop).is_ok());
    assert_eq!(seconds(&network, "adult", shop, home), Err(Reason::NotConnected));
}

#[test]
fn passing_through_a_lift_costs_one_ride() {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let lift = town.street(home).east(100.0).done();
    town.street(lift).east(60.0).done();
    town.street(lift).north(40.0).done();
    town.tag_node(lift, "highway", "elevator");
    let network = town.network();
    let [home, east, north] = [(0.0, 0.0), (160.0, 0.0), (100.0, 40.0)].map(|spot| town.spot(spot));
    assert_close_s(seconds(&network, "adult", home, east), (100.0 + 60.0) / ADULT_MPS + LIFT_S, 4.0);
    assert_close_s(seconds(&network, "adult", home, north), (100.0 + 40.0) / ADULT_MPS + LIFT_S, 4.0);
    assert_close_s(seconds(&network, "wheelchair", east, north), (60.0 + 40.0) / 1.10 + LIFT_S, 4.0);
}

#[test]
fn an_inclined_lift_drawn_in_two_pieces_is_one_ride() {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let below = town.street(home).east(100.0).done();
    let landing = town.corner(100.0, 30.0);
    let above = town.street(below).north(30.0).north(30.0).kind("elevator").done();
    town.street(above).east(50.0).done();
    town.street(landing).east(50.0).done();
    let network = town.network();
    // One wait, and 60 m at 1 m/s.
    let ride_s = 45.0 + 60.0;
    let [home, top, halfway] = [(0.0, 0.0), (150.0, 60.0), (150.0, 30.0)].map(|spot| town.spot(spot));
    assert_close_s(seconds(&network, "adult", home, top), (100.0 + 50.0) / ADULT_MPS + ride_s, 4.0);
    assert_close_s(seconds(&network, "adult", home, halfway), (100.0 + 50.0) / ADULT_MPS + ride_s / 2.0, 4.0);
}

#[test]
fn a_wheelchair_takes_the_long_way_round_the_stairs() {
    let mut town = stairs(30.0, &[("incline", "up")]);
    let (home, shop) = (town.corner(0.0, 0.0), town.corner(150.0, 30.0));
    town.street(home).west(200.0).north(30.0).east(350.0).to(shop).done();
    let network = town.network();
    let (home, shop) = (town.spot(AT_HOME), town.spot((150.0, 30.0)));
    assert_close_s(seconds(&network, "adult", home, shop), (100.0 + 50.0) / ADULT_MPS + 30.0 / UP_MPS, 3.0);
    assert_close_s(seconds(&network, "wheelchair", home, shop), (200.0 + 30.0 + 350.0) / 1.10, 3.0);
}

#[test]
fn a_wheelchair_is_joined_to_the_street_and_not_to_the_nearer_stairs() {
    let town = stairs(30.0, &[("incline", "up")]);
    let network = town.network();
    // 2 m east of the stairs and 20 m north of their foot: 10 m south of the street at the top.
    let (home, shop) = (town.spot((102.0, 20.0)), town.spot((150.0, 30.0)));
    assert_close_s(seconds(&network, "wheelchair", home, shop), (10.0 + (50.0 - 2.0)) / 1.10, 3.0);
    assert_close_s(
        seconds(&network, "adult", home, shop),
        2.0 / ADULT_MPS + 10.0 / UP_MPS + 50.0 / ADULT_MPS,
        4.0,
    );
}

// ------------------------------------------------------------------ gates, private ways, bridges, gaps and islands

#[test]
fn a_private_gate_forces_a_detour_and_a_public_one_does_not() {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let gate = town.corner(100.0, 0.0);
    let shop = town.street(home).to(gate).east(100.0).done();
    town.street(home).north(150.0).east(200.0).to(shop).done();
    town.tag_node(gate, "barrier", "gate");
    let walk =
        |town: &Town| seconds(&town.network(), "adult", town.spot((0.0, 0.0)), town.spot((200.0, 0.0)));
    assert_close_s(walk(&town), (100.0 + 100.0) / ADULT_MPS, 2.0);
    town.tag_node(gate, "access", "private");
    assert_close_s(walk(&town), (150.0 + 200.0 + 150.0) / ADULT_MPS, 2.0);
    town.tag_node(gate, "foot", "yes");
    assert_close_s(walk(&town), (100.0 + 100.0) / ADULT_MPS, 2.0);
}

#[test]
fn a_closed_way_is_left_out_and_counted_by_its_tag() {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let shop = town.street(home).north(150.0).east(200.0).south(150.0).done();
    town.street(home).to(shop).tag("access", "no").done();
    town.street(home).south(500.0).kind("motorway").done();
    let extract = town.extract();
    let left_out = &extract.left_out.ways["street"];
    let left_out: Vec<(&str, u64)> =
        left_out.iter().map(|(reason, &count)| (reason.as_str(), count)).collect();
    assert_eq!(left_out, [("access=no", 1), ("highway=motorway", 1)]);
    let network = network(&extract, &Elevation::default());
    let (home, shop) = (town.spot((0.0, 0.0)), town.spot((200.0, 0.0)));
    assert_close_s(seconds(&network, "adult", home, shop), (150.0 + 200.0 + 150.0) / ADULT_MPS, 1.0);
}

#[test]
fn ways_that_only_cross_in_plan_are_not_joined() {
    // A street to the east, a bridge over it to the north, and a ramp from the bridge's end back to the street.
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    let east = town.street(west).east(200.0).done();
    let south = town.corner(100.0, -100.0);
    let north = town.street(south).north(200.0).tag("bridge", "yes").done();
    town.street(north).east(100.0).to(east).done();
    town.street(south).south(50.0).done();
    let network = town.network();
    let (home, shop) = (town.spot((0.0, 0.0)), town.spot((100.0, -150.0)));
    // Not 100 m to the middle of the bridge and 150 m south, but the ramp and the whole bridge.
    let round_m = 200.0 + (100.0 + 100.0) + 200.0 + 50.0;
    assert_close_s(seconds(&network, "adult", home, shop), round_m / ADULT_MPS, 4.0);
}

#[test]
fn no_door_opens_onto_a_bridge() {
    let mut town = Town::new();
    let south = town.corner(0.0, -100.0);
    let north = town.street(south).north(200.0).tag("bridge", "yes").done();
    let end = town.street(north).east(60.0).done();
    town.street(end).east(140.0).done();
    let network = town.network();
    // The home is 10 m from the bridge but 100 m south of the street, which it is joined to; the shop is 60 m on.
    let (home, shop) = (town.spot((60.0, 0.0)), town.spot((120.0, 100.0)));
    assert_close_s(seconds(&network, "adult", home, shop), (100.0 + 60.0) / ADULT_MPS, 3.0);
}

#[test]
fn a_way_is_split_where_the_extract_lacks_a_node() {
    // Five nodes 100 m apart to the east; the way names a sixth between the third and the fourth that the file lacks.
    let town = Town::new();
    let node = |number: i64| {
        let (lon, lat) = town.lon_lat(100.0 * number as f64, 0.0);
        pbf::Node { id: number, lon, lat, tags: vec![] }
    };
    let nodes: Vec<pbf::Node> = (1..=5).map(node).collect();
    let tags = vec![("highway".to_owned(), "footway".to_owned())];
    let ways = [pbf::Way { id: 7, nodes: vec![1, 2, 3, 99, 4, 5], tags }];
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("gap.osm.pbf");
    pbf::write(&path, &nodes, &ways, &[]).unwrap();
    let extract = towns::walk::extract(&path);
    assert_eq!(extract.left_out.missing_nodes, 1);
    assert_eq!(extract.streets.ways.iter().map(|way| way.nodes.len()).collect::<Vec<_>>(), [3, 2]);
    let network = network(&extract, &Elevation::default());
    let [first, third, fifth] = [(100.0, 0.0), (300.0, 0.0), (500.0, 0.0)].map(|spot| town.spot(spot));
    assert_close_s(seconds(&network, "adult", first, third), (100.0 + 100.0) / ADULT_MPS, 1.0);
    // The longer piece of 200 m is the town; the shorter one of 100 m is an island and passed over.
    let away = walk(&network, "adult", &[fifth], &one_class(&[first]), Direction::ToFacility, LONG_DS);
    let nearest_m = away.origin_snap[0].nearest_m.expect("there is a street");
    assert!((nearest_m - 200.0).abs() < 0.02, "{nearest_m}");
}

#[test]
fn an_island_beside_a_home_is_passed_over() {
    // 1.2 km of street to the east; 200 m of garden path that touches nothing, 40 m north of it.
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    town.street(west).east(1200.0).done();
    let garden = town.corner(300.0, 40.0);
    town.street(garden).east(200.0).kind("footway").done();
    let network = town.network();
    let whole = connectedness(&network);
    assert_eq!(whole.pieces, 2);
    assert!((whole.island_km - 200.0 / 1000.0).abs() < 1e-4, "{}", whole.island_km);
    // The home is 10 m north of the path and so 50 m north of the street.
    let (home, shop) = (town.spot((400.0, 50.0)), town.spot((1000.0, 0.0)));
    assert_close_s(seconds(&network, "adult", home, shop), (50.0 + 600.0) / ADULT_MPS, 3.0);
}

#[test]
fn a_path_that_is_one_way_on_foot_is_walked_round_against_its_direction() {
    let mut town = Town::new();
    let start = town.corner(0.0, 0.0);
    let end = town.street(start).east(100.0).kind("footway").tag("oneway:foot", "yes").done();
    town.street(end).north(80.0).west(100.0).to(start).done();
    let network = town.network();
    // 20 m and 80 m along the one-way path, so that the walk begins and ends inside it.
    let (first, second) = (town.spot((20.0, 0.0)), town.spot((80.0, 0.0)));
    assert_close_s(seconds(&network, "adult", first, second), (80.0 - 20.0) / ADULT_MPS, 2.0);
    let round_m = 20.0 + 80.0 + 100.0 + 80.0 + 20.0;
    assert_close_s(seconds(&network, "adult", second, first), round_m / ADULT_MPS, 5.0);
    // From the facility at `second` to a home at `first` people walk the same way round.
    let to = one_class(&[second]);
    let back = walk(&network, "adult", &[first], &to, Direction::FromFacility, LONG_DS).times.nearest[0];
    assert_close_s(in_seconds(back), round_m / ADULT_MPS, 5.0);
}

#[test]
fn a_car_one_way_street_is_walked_both_ways() {
    let mut town = Town::new();
    let start = town.corner(0.0, 0.0);
    town.street(start).east(300.0).tag("oneway", "yes").done();
    let network = town.network();
    let (first, second) = (town.spot((0.0, 0.0)), town.spot((300.0, 0.0)));
    assert_close_s(seconds(&network, "adult", second, first), 300.0 / ADULT_MPS, 1.0);
}

// ------------------------------------------------------------------ doors of outlines

#[test]
fn a_park_is_entered_where_its_outline_meets_a_street() {
    // A park of 300 m by 300 m whose southern side lies on a street at (200, 0) only; its middle is 150 m inside.
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let gate = town.corner(200.0, 0.0);
    town.street(home).to(gate).done();
    town.ring(&[(200.0, 0.0), (500.0, 0.0), (500.0, 300.0), (200.0, 300.0)], &[("leisure", "park")]);
    let extract = town.extract();
    let parks = extract.facilities.clone().expect("a catalogue was given");
    assert_eq!(parks.class, ["community_park"]);
    assert_eq!(parks.doors[0].len(), 1);
    let door_m = parks.doors[0][0].distance_m(town.spot((200.0, 0.0)));
    assert!(door_m < 0.01, "{door_m}");
    let network = network(&extract, &Elevation::default());
    let times = walk(&network, "adult", &town.spots(&[(0.0, 0.0)]), &parks, Direction::ToFacility, LONG_DS);
    assert_close_s(in_seconds(times.times.nearest[0]), 200.0 / ADULT_MPS, 2.0);
}

#[test]
fn a_building_is_entered_by_its_entrance_although_another_corner_touches_a_street() {
    // The kindergarten's south-west corner stands on the street; its entrance is the north-east corner, where a path
    // of 60 m ends that leaves the street 60 m further east.
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    let touch = town.corner(100.0, 0.0);
    let turn = town.corner(220.0, 0.0);
    town.street(home).to(touch).to(turn).done();
    let entrance = town.corner(160.0, 40.0);
    town.street(turn).north(40.0).to(entrance).kind("footway").done();
    let corners = [(100.0, 0.0), (160.0, 0.0), (160.0, 40.0), (100.0, 40.0)];
    town.ring(&corners, &[("building", "kindergarten"), ("amenity", "kindergarten")]);
    town.tag_node(entrance, "entrance", "main");
    let extract = town.extract();
    let schools = extract.facilities.clone().expect("a catalogue was given");
    let network = network(&extract, &Elevation::default());
    let times = walk(&network, "adult", &town.spots(&[(0.0, 0.0)]), &schools, Direction::ToFacility, LONG_DS);
    assert_eq!(schools.doors[0].len(), 1);
    assert_close_s(in_seconds(times.times.nearest[0]), (220.0 + 40.0 + 60.0) / ADULT_MPS, 3.0);
}

#[test]
fn a_shop_drawn_as_a_node_is_walked_to_from_the_nearest_street() {
    let mut town = Town::new();
    let home = town.corner(0.0, 0.0);
    town.street(home).east(400.0).done();
    town.shop(300.0, 25.0, &[("shop", "supermarket"), ("name", "山城超市")]);
    let extract = town.extract();
    let shops = extract.facilities.clone().expect("a catalogue was given");
    assert_eq!(shops.class, ["supermarket"]);
    assert_eq!(shops.name[0].as_deref(), Some("山城超市"));
    let network = network(&extract, &Elevation::default());
    let times = walk(&network, "adult", &town.spots(&[(0.0, 0.0)]), &shops, Direction::ToFacility, LONG_DS);
    assert_close_s(in_seconds(times.times.nearest[0]), (300.0 + 25.0) / ADULT_MPS, 3.0);
}

// ------------------------------------------------------------------ slopes

/// A street of 300 m to the east with a vertex at each 100 m.
fn eastern_street() -> Town {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    town.street(west).east(100.0).east(100.0).east(100.0).done();
    town
}

fn times_up_and_down(town: &Town, ground: &Elevation) -> (f64, f64) {
    let network: Network = network(&town.extract(), ground);
    let (home, shop) = (town.spot((0.0, 0.0)), town.spot((300.0, 0.0)));
    let to = one_class(&[shop]);
    let time = |way| in_seconds(walk(&network, "adult", &[home], &to, way, LONG_DS).times.nearest[0]);
    let both = (time(Direction::ToFacility), time(Direction::FromFacility));
    (both.0.expect("the street leads there"), both.1.expect("the street leads back"))
}

/// Tobler's function (1993), scaled to the speed on level ground.
fn tobler_mps(flat_mps: f64, slope: f64) -> f64 {
    flat_mps * (-3.5 * ((slope + 0.05).abs() - 0.05)).exp()
}

/// Heights are kept as `f32`: 0.03 mm at 250 m, which is 3e-7 of slope, far below the rounding of times.
const SLOPE_ROUNDING_S: f64 = 0.05 + 3.0 * 0.02;

#[test]
fn a_hill_is_slower_to_the_facility_and_faster_from_it_by_toblers_function() {
    let town = eastern_street();
    // 8 m on each 100 m, all the way up to the east.
    let (up_s, down_s) = times_up_and_down(&town, &plane(&town, |east_m, _| 250.0 + 0.08 * east_m));
    assert!((up_s - 300.0 / tobler_mps(ADULT_MPS, 0.08)).abs() <= SLOPE_ROUNDING_S, "{up_s}");
    assert!((down_s - 300.0 / tobler_mps(ADULT_MPS, -0.08)).abs() <= SLOPE_ROUNDING_S, "{down_s}");
    assert!(up_s > 300.0 / ADULT_MPS + 60.0 && down_s < up_s);
}

#[test]
fn every_piece_between_two_vertices_has_its_own_slope() {
    let town = eastern_street();
    // Up 10 m to the first vertex, level to the second, down 20 m to the end: not the mean slope of -10 m on 300 m.
    let height_m = |east_m: f64, _: f64| match east_m {
        east_m if east_m < 100.0 => 250.0 + 0.1 * east_m,
        east_m if east_m < 200.0 => 260.0,
        _ => 260.0 - 0.2 * (east_m - 200.0),
    };
    let (there_s, back_s) = times_up_and_down(&town, &plane(&town, height_m));
    let walk_s =
        |slopes: [f64; 3]| slopes.iter().map(|&slope| 100.0 / tobler_mps(ADULT_MPS, slope)).sum::<f64>();
    // Heights are taken every 10 m at most, so a bend of the ground is rounded off within one such piece: at each of the
    // two bends up to half of it is walked at the wrong one of two slopes (1.07 against 0.75 s per metre).
    let bend_s = 2.0 * 5.0 * (1.07 - 0.75);
    assert!((there_s - walk_s([0.1, 0.0, -0.2])).abs() <= SLOPE_ROUNDING_S + bend_s, "{there_s}");
    assert!((back_s - walk_s([-0.1, 0.0, 0.2])).abs() <= SLOPE_ROUNDING_S + bend_s, "{back_s}");
}

#[test]
fn a_bridge_runs_straight_over_the_valley_below_it() {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    let bank = town.street(west).east(20.0).done();
    let other = town.street(bank).east(100.0).east(60.0).east(100.0).tag("bridge", "yes").done();
    town.street(other).east(20.0).done();
    // A valley 30 m deep between the banks at 20 m and 280 m.
    let valley = |east_m: f64, _: f64| if (21.0..279.0).contains(&east_m) { 220.0 } else { 250.0 };
    let network = network(&town.extract(), &plane(&town, valley));
    let (home, shop) = (town.spot((0.0, 0.0)), town.spot((300.0, 0.0)));
    let found = seconds(&network, "adult", home, shop);
    assert_close_s(found, (20.0 + 260.0 + 20.0) / ADULT_MPS, 3.0);
}

#[test]
fn a_town_without_terrain_is_flat_in_both_directions() {
    let town = eastern_street();
    let (there_s, back_s) = times_up_and_down(&town, &Elevation::default());
    assert_close_s(Ok(there_s), 300.0 / ADULT_MPS, 1.0);
    assert_eq!(there_s.to_bits(), back_s.to_bits());
}

#[test]
fn a_town_of_motorways_is_refused_because_nobody_can_walk_there() {
    let mut town = Town::new();
    let west = town.corner(0.0, 0.0);
    town.street(west).east(500.0).kind("motorway").done();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("fast.osm.pbf");
    town.write_pbf(&path);
    let rules = defaults::walking_rules();
    let wanted = walkshed::io::osm::Wanted { rules: &rules, catalogue: None, buildings: None };
    let refused = walkshed::io::osm::read(&path, wanted, &Progress::default()).unwrap_err().to_string();
    assert!(
        refused.starts_with("fast.osm.pbf: the extract holds no way that people may walk on"),
        "{refused}"
    );
    let (flat, quiet) = (Elevation::default(), Progress::default());
    let nothing =
        build::from_streets(&Streets::default(), &flat, Rules::default(), LeftOut::default(), &quiet);
    assert_eq!(nothing.unwrap().edge_count(), 0);
}
