//! The network of a part of a city is that of the whole, bit for bit: random towns cut into many small tiles, and real cities.
//!
//! Real cities need the folder of real data (`../shared/data` beside the checkout, or `WALKSHED_DATA`); each says so in one
//! line when it is not there.

use h3o::{CellIndex, Resolution};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::iter::once;
use std::path::{Path, PathBuf};
use walkshed::batch::synthetic;
use walkshed::io::defaults;
use walkshed::io::elevation;
use walkshed::io::osm::{self, LeftOut, Wanted};
use walkshed::model::cell;
use walkshed::model::elevation::{Elevation, ElevationGrid};
use walkshed::model::error::Error;
use walkshed::model::finder::Finder;
use walkshed::model::level::Level;
use walkshed::model::place::Place;
use walkshed::model::problem::Fault;
use walkshed::model::progress::Progress;
use walkshed::model::projection::Projection;
use walkshed::model::region::Region;
use walkshed::model::smoothing::Smoothing;
use walkshed::model::street::{
    Barrier, Directions, Gates, Incline, Passage, Square, StairTags, Street, StreetNode, Streets, Walkway,
    WayKind,
};
use walkshed::network::build::{self, Rules};
use walkshed::network::components::connectedness;
use walkshed::network::cut::cut;
use walkshed::network::graph::Network;
use walkshed::network::part::{Kept, Part, TOWN_M, View, from_part};
use walkshed::network::store;

/// A caller gives up after so many rounds; in these towns the whole is seen long before.
const ROUNDS: usize = 400;

/// Streets with the block of every node, and what is to be built of them.
struct City {
    streets: Streets,
    elevation: Elevation,
    resolution: Resolution,
    block: Vec<CellIndex>,
}

/// How a city is cut.
#[derive(Debug, Clone, Copy)]
struct Cutting {
    tiles: Resolution,
    kept_rings: u32,
    seen_rings: u32,
    town_m: f64,
    /// Rings of blocks that are added around those that a part wants.
    more_rings: u32,
    /// Rings of blocks around those seen whose streets are there too.
    beside_rings: u32,
}

/// What came of cutting a city.
#[derive(Debug, Default)]
struct Outcome {
    tiles: usize,
    /// Times that a part wanted to see more.
    asked: usize,
    /// Most times that one did.
    most_asked: usize,
    /// Times that a part left out blocks that were in doubt.
    partly: usize,
    refused: bool,
}

impl City {
    fn new(streets: Streets, elevation: Elevation, resolution: Resolution) -> Self {
        let block = streets.nodes.iter().map(|node| cell::at(node.place, resolution)).collect();
        Self { streets, elevation, resolution, block }
    }

    fn whole(&self, rules: Rules) -> Network {
        let quiet = Progress::default();
        build::from_streets(&self.streets, &self.elevation, rules, LeftOut::default(), &quiet)
            .expect("nobody stops it")
    }

    /// Everything that touches the region or passes it, whole.
    fn part(&self, seen: &Region) -> Streets {
        let all = &self.streets;
        let inside: Vec<bool> = self.block.iter().map(|&block| seen.has(block)).collect();
        let touches = |range: &std::ops::Range<usize>| {
            all.refs[range.clone()].iter().any(|&node| inside[node as usize])
        };
        let passes = |range: &std::ops::Range<usize>| {
            let line = all.refs[range.clone()].iter().map(|&node| all.nodes[node as usize].place);
            seen.is_passed_by(&line.collect::<Vec<_>>(), &mut Finder::new(self.resolution))
        };
        let is_seen = |way: &&Street| touches(&way.nodes) || passes(&way.nodes);
        let ways: Vec<&Street> = all.ways.iter().filter(is_seen).collect();
        // People cross squares straight from corner to corner.
        let is_crossed = |square: &Square| {
            let corners = square.rings.iter().flat_map(|ring| &all.refs[ring.clone()]);
            let corners: Vec<Place> = corners.map(|&node| all.nodes[node as usize].place).collect();
            let mut finder = Finder::new(self.resolution);
            corners.iter().any(|&a| corners.iter().any(|&b| seen.is_passed_by(&[a, b], &mut finder)))
        };
        let is_near = |square: &&Square| square.rings.iter().any(touches) || is_crossed(square);
        let squares: Vec<&Square> = all.squares.iter().filter(is_near).collect();
        let runs = ways.iter().map(|way| &way.nodes).chain(squares.iter().flat_map(|square| &square.rings));
        let used: BTreeSet<u32> = runs.flat_map(|run| &all.refs[run.clone()]).copied().collect();
        let number: BTreeMap<u32, u32> = used.iter().copied().zip(0..).collect();
        let mut part = Streets { synthetic: all.synthetic, ..Streets::default() };
        part.nodes = used.iter().map(|&node| all.nodes[node as usize]).collect();
        for way in ways {
            let nodes = copied(&mut part.refs, &all.refs[way.nodes.clone()], &number);
            part.ways.push(Street { nodes, ..way.clone() });
        }
        for square in squares {
            let ring =
                |ring: &std::ops::Range<usize>| copied(&mut part.refs, &all.refs[ring.clone()], &number);
            let rings = square.rings.iter().map(ring).collect();
            part.squares.push(Square { rings, ..square.clone() });
        }
        let mut finder = Finder::new(self.resolution);
        let is_near = |wall: &&[Place; 2]| seen.is_passed_by(&wall[..], &mut finder);
        part.walls = all.walls.iter().filter(is_near).copied().collect();
        let levels =
            all.lift_levels.iter().filter_map(|(node, levels)| Some((*number.get(node)?, levels.clone())));
        part.lift_levels = levels.collect();
        part
    }

    /// Cut the city into tiles, and hold each against the whole, unless one is refused: then none holds.
    fn hold_against_whole(&self, rules: Rules, how: Cutting) -> Outcome {
        let tiles: BTreeSet<CellIndex> =
            self.block.iter().map(|block| block.parent(how.tiles).expect("tiles are coarser")).collect();
        let mut outcome = Outcome { tiles: tiles.len(), ..Outcome::default() };
        let (mut built, mut partly) = (Vec::new(), Vec::new());
        for &tile in &tiles {
            let owned = Region::of_tile(tile, self.resolution);
            let kept = owned.grown(how.kept_rings);
            match self.build(rules, how, [&owned, &kept], &mut outcome, &mut partly) {
                Some(part) => built.push((tile, kept, part)),
                None => return Outcome { refused: true, ..outcome },
            }
        }
        let whole = self.whole(rules);
        for part in partly.iter().chain(built.iter().map(|(.., part)| part)) {
            let expected = uncounted(cut(&whole, &part.region));
            let bytes = |network| store::encode(network).expect("a network");
            let same = bytes(&part.network) == bytes(&expected);
            let around = part.region.cells().next();
            assert!(same, "around {around:?}: {}", difference(&part.network, &expected));
        }
        assert!(built.iter().all(|(_, kept, part)| *kept == part.region));
        let sum = |count: fn(&Kept) -> u64| built.iter().map(|(.., part)| count(part)).sum::<u64>();
        assert_eq!(sum(|part| part.tags_not_believed), whole.origin.tags_not_believed);
        assert_eq!(sum(|part| part.lifts_to_nowhere), whole.origin.lifts_to_nowhere);
        assert!(built.iter().any(|(.., part)| part.mainland));
        outcome
    }

    /// The network of a tile as soon as enough is seen; none where it is refused.
    fn build(
        &self,
        rules: Rules,
        how: Cutting,
        [owned, kept]: [&Region; 2],
        outcome: &mut Outcome,
        partly: &mut Vec<Kept>,
    ) -> Option<Kept> {
        let mut seen = kept.grown(how.seen_rings);
        for round in 0..ROUNDS {
            let view = View { seen: &seen, kept, owned, town_m: how.town_m };
            let streets = self.part(&seen.grown(how.beside_rings));
            let wants: BTreeSet<CellIndex> =
                match from_part(&streets, &self.elevation, rules, view, &Progress::default()) {
                    Ok(Part::Network(built)) if built.doubts.is_empty() => return Some(*built),
                    Ok(Part::Network(built)) => {
                        assert_eq!(built.region, doubtless(kept, &built));
                        let wants = built.doubts.values().flatten().copied().collect();
                        outcome.partly += 1;
                        partly.push(*built);
                        wants
                    }
                    Ok(Part::Wants(wants)) => wants,
                    Err(Error::Input(problems)) => {
                        assert!(matches!(problems[0].fault, Fault::TwoTowns { .. }), "{problems:?}");
                        return None;
                    }
                    Err(error) => panic!("{error}"),
                };
            assert!(!wants.is_empty() && wants.iter().all(|&block| !seen.has(block)));
            outcome.asked += 1;
            outcome.most_asked = outcome.most_asked.max(round + 1);
            seen = seen.and(Region::new(self.resolution, wants).grown(how.more_rings).cells());
        }
        panic!("no end after {ROUNDS} rounds, {} blocks seen", seen.len());
    }
}

/// What is kept without the blocks that are in doubt.
fn doubtless(kept: &Region, built: &Kept) -> Region {
    Region::new(kept.resolution(), kept.cells().filter(|block| !built.doubts.contains_key(block)))
}

fn copied(refs: &mut Vec<u32>, run: &[u32], number: &BTreeMap<u32, u32>) -> std::ops::Range<usize> {
    let start = refs.len();
    refs.extend(run.iter().map(|node| number[node]));
    start..refs.len()
}

fn uncounted(mut network: Network) -> Network {
    network.origin.voids = (0, 0);
    network.origin.tags_not_believed = 0;
    network.origin.lifts_to_nowhere = 0;
    network
}

/// The first column that differs, in words.
fn difference(found: &Network, expected: &Network) -> String {
    let (a, b) = (&found.edges, &expected.edges);
    if found.node_id != expected.node_id {
        return format!("nodes {:?}\n{:?}", found.node_id, expected.node_id);
    }
    if found.edge_id != expected.edge_id || a.from != b.from || a.to != b.to {
        return format!(
            "edges {:?} {:?} {:?}\n{:?} {:?} {:?}",
            found.edge_id, a.from, a.to, expected.edge_id, b.from, b.to
        );
    }
    let columns = [
        ("lengths", a.length_m == b.length_m),
        ("kinds", a.kind == b.kind),
        ("levels", a.level == b.level),
        ("residents", a.residents == b.residents),
        ("islands", a.island == b.island),
        ("vertices", a.vertices == b.vertices),
        ("heights", found.heights.ele_m == expected.heights.ele_m),
        ("sources of heights", found.heights.source == expected.heights.source),
        ("stairs", found.flights == expected.flights),
        ("rides", found.rides == expected.rides),
        ("walls", found.walls == expected.walls),
        ("origin", found.origin == expected.origin),
    ];
    columns.iter().filter(|(_, same)| !same).map(|(name, _)| *name).collect::<Vec<_>>().join(", ")
}

/// Numbers by chance, the same for one seed.
struct Chance(u64);

impl Chance {
    fn bits(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea & Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    fn below(&mut self, count: usize) -> usize {
        (self.bits() % count as u64) as usize
    }

    fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    fn happens(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }
}

/// Junctions on a side of a random town.
const SIDE: usize = 12;

/// How much of what is hard a random town has.
#[derive(Debug, Clone, Copy)]
struct Taste {
    /// Metres between junctions, about.
    step_m: f64,
    ways: usize,
    gates: f64,
    off_ground: f64,
    steps: f64,
    levels: f64,
    lifts: f64,
    rides: f64,
    squares: usize,
}

/// Towns of footways, dense or in pieces.
const PLAIN: Taste = Taste {
    step_m: 55.0,
    ways: 90,
    gates: 0.0,
    off_ground: 0.0,
    steps: 0.0,
    levels: 0.0,
    lifts: 0.0,
    rides: 0.0,
    squares: 0,
};

/// Towns that are hard in one way, and some that are hard in all.
fn taste() -> impl Strategy<Value = Taste> {
    let hard = prop_oneof![
        Just(Taste { gates: 0.05, ..PLAIN }),
        Just(Taste { gates: 0.25, ..PLAIN }),
        Just(Taste { off_ground: 0.6, steps: 0.3, ..PLAIN }),
        Just(Taste { levels: 0.8, steps: 0.3, lifts: 0.05, ..PLAIN }),
        Just(Taste { rides: 0.25, step_m: 90.0, ..PLAIN }),
        Just(Taste { squares: 5, ways: 60, ..PLAIN }),
        Just(Taste { squares: 5, levels: 0.8, lifts: 0.1, ..PLAIN }),
        Just(Taste {
            gates: 0.1,
            off_ground: 0.3,
            steps: 0.2,
            levels: 0.3,
            lifts: 0.05,
            rides: 0.05,
            squares: 2,
            ..PLAIN
        }),
    ];
    (hard, prop_oneof![Just(1.0), Just(0.4)])
        .prop_map(|(taste, share)| Taste { ways: (taste.ways as f64 * share) as usize, ..taste })
}

fn metres(east_m: f64, north_m: f64) -> Place {
    Place::new(106.55 + east_m / 96_900.0, 29.56 + north_m / 110_850.0).expect("on the earth")
}

/// A random town: ways that wander over a grid, each with tags of its own, and beside it a street that is long enough to be
/// no island.
fn random_town(seed: u64, taste: Taste) -> Streets {
    let mut chance = Chance(seed);
    let mut streets = Streets::default();
    // Ids in an order that has nothing to do with places.
    let mut number: Vec<u32> = (0..(SIDE * SIDE) as u32).collect();
    for at in (1..number.len()).rev() {
        number.swap(at, chance.below(at + 1));
    }
    let mut spots = vec![0; number.len()];
    for (spot, &node) in number.iter().enumerate() {
        spots[node as usize] = spot;
    }
    for (id, &spot) in (1..).zip(&spots) {
        let (column, row) = (spot % SIDE, spot / SIDE);
        let off = |chance: &mut Chance| (chance.unit() - 0.5) * 30.0;
        let place = metres(
            column as f64 * taste.step_m + off(&mut chance),
            row as f64 * taste.step_m + off(&mut chance),
        );
        let barrier = if chance.happens(taste.gates) {
            chance.one_of(&[Barrier::Gate, Barrier::PrivateGate, Barrier::PrivateGate, Barrier::Closed])
        } else {
            Barrier::None
        };
        let lift = chance.happens(taste.lifts);
        let ele_m = chance.happens(0.1).then(|| 200.0 + chance.unit() as f32 * 20.0);
        if lift && chance.happens(0.5) {
            streets.lift_levels.insert(id as u32 - 1, vec![Level(0), Level(30)]);
        }
        streets.nodes.push(StreetNode { id, place, ele_m, barrier, lift });
    }
    for id in 1..=taste.ways as i64 {
        let nodes = wander(&mut chance, &number, &mut streets.refs);
        let way = random_way(&mut chance, taste);
        streets.ways.push(Street { id, nodes, way });
    }
    for _ in 0..taste.squares {
        add_square(&mut chance, &number, &mut streets);
    }
    for _ in 0..20 {
        let [east_m, north_m] = [0; 2].map(|_: i32| chance.unit() * SIDE as f64 * taste.step_m);
        let [east_2_m, north_2_m] = [east_m, north_m].map(|metres| metres + chance.unit() * 80.0);
        streets.walls.push([metres(east_m, north_m), metres(east_2_m, north_2_m)]);
    }
    add_mainland(&mut streets);
    streets
}

fn add_mainland(streets: &mut Streets) {
    let first = streets.nodes.len() as u32;
    for end in 0..2 {
        let place = metres(5000.0 + f64::from(end) * 1200.0, 0.0);
        let id = 1_000_000 + i64::from(end);
        streets.nodes.push(StreetNode { id, place, ele_m: None, barrier: Barrier::None, lift: false });
    }
    let start = streets.refs.len();
    streets.refs.extend([first, first + 1]);
    streets.ways.push(Street { id: 1_000_000, nodes: start..start + 2, way: Walkway::default() });
}

fn wander(chance: &mut Chance, number: &[u32], refs: &mut Vec<u32>) -> std::ops::Range<usize> {
    let start = refs.len();
    let (mut column, mut row) = (chance.below(SIDE), chance.below(SIDE));
    let straight = chance.happens(0.5);
    let mut step = chance.below(4);
    refs.push(number[row * SIDE + column]);
    for _ in 0..=chance.below(6) {
        step = if straight { step } else { chance.below(4) };
        (column, row) = match step {
            0 => (column + 1, row),
            1 => (column.wrapping_sub(1), row),
            2 => (column, row + 1),
            _ => (column, row.wrapping_sub(1)),
        };
        (column, row) = (column % SIDE, row % SIDE);
        if column == 0 && step == 0 || row == 0 && step == 2 || column > SIDE || row > SIDE {
            break;
        }
        refs.push(number[row * SIDE + column]);
    }
    if refs.len() == start + 1 {
        refs.push(number[chance.below(number.len())]);
    }
    start..refs.len()
}

fn random_way(chance: &mut Chance, taste: Taste) -> Walkway {
    let kind = if chance.happens(taste.rides) {
        chance.one_of(&[WayKind::Cableway, WayKind::Ferry, WayKind::Lift, WayKind::Escalator])
    } else if chance.happens(taste.steps) {
        WayKind::Steps
    } else {
        chance.one_of(&[WayKind::Footway, WayKind::Street, WayKind::Corridor])
    };
    let off_ground = chance.happens(taste.off_ground);
    let levels = if chance.happens(taste.levels) {
        chance.one_of(&[
            vec![Level(0)],
            vec![Level(10)],
            vec![Level(0), Level(10)],
            vec![Level(10), Level(20)],
        ])
    } else {
        vec![]
    };
    let inclines = [Incline::Unknown, Incline::Unknown, Incline::Up, Incline::Down, Incline::Grade(0.08)];
    Walkway {
        kind,
        directions: chance.one_of(&[Directions::Both, Directions::Both, Directions::Forward]),
        incline: chance.one_of(&inclines),
        levels,
        on_ground: !off_ground,
        layer: if off_ground { chance.one_of(&[-1, 1, 1, 2]) } else { 0 },
        joinable: chance.happens(0.8),
        passage: if chance.happens(taste.gates) {
            chance.one_of(&[Passage::Residents, Passage::Customers])
        } else {
            Passage::Open
        },
        stairs: StairTags {
            step_count: chance.happens(0.4).then(|| 5 + chance.below(60) as u16),
            ..StairTags::default()
        },
        wheelchair: None,
        duration_s: chance.happens(0.3).then_some(90.0),
    }
}

/// A rectangle of the grid, walked around: a square, or the shaft of a lift.
fn add_square(chance: &mut Chance, number: &[u32], streets: &mut Streets) {
    let large = chance.happens(0.2);
    let size = |chance: &mut Chance| if large { SIDE - 1 } else { 1 + chance.below(3) };
    let (wide, high) = (size(chance), size(chance));
    let (west, south) = (chance.below(SIDE - wide), chance.below(SIDE - high));
    let bottom = (west..west + wide).map(|column| (column, south));
    let right = (south..south + high).map(|row| (west + wide, row));
    let top = (west + 1..=west + wide).rev().map(|column| (column, south + high));
    let back = (south + 1..=south + high).rev().map(|row| (west, row));
    let ring: Vec<u32> =
        bottom.chain(right).chain(top).chain(back).map(|(column, row)| number[row * SIDE + column]).collect();
    let lift = !large && chance.happens(0.3);
    let kind = if lift { WayKind::Lift } else { WayKind::Footway };
    let levels = chance.one_of(&[vec![], vec![Level(0)], vec![Level(0), Level(10)]]);
    let way = Walkway { kind, levels, ..Walkway::default() };
    let id = 10_000 + streets.squares.len() as i64;
    if !lift {
        let start = streets.refs.len();
        streets.refs.extend(ring.iter().chain(ring.first()));
        streets.ways.push(Street { id, nodes: start..streets.refs.len(), way: way.clone() });
    }
    let start = streets.refs.len();
    streets.refs.extend(ring);
    streets.squares.push(Square { id, rings: once(start..streets.refs.len()).collect(), way });
}

/// A terrain that is rough enough for every node to have a height of its own, with voids.
fn random_terrain(seed: u64) -> Elevation {
    let mut chance = Chance(seed ^ 0xdead_beef);
    let (width, height) = (40, 40);
    let rough = |chance: &mut Chance| {
        if chance.happens(0.03) { f32::NAN } else { 200.0 + chance.unit() as f32 * 15.0 }
    };
    let heights_m = (0..width * height).map(|_| rough(&mut chance)).collect();
    let corner = metres(-100.0, 900.0);
    let grid = ElevationGrid {
        projection: Projection::Degrees,
        left: corner.lon(),
        top: corner.lat(),
        step_x: 30.0 / 96_900.0,
        step_y: 30.0 / 110_850.0,
        width,
        heights_m,
        window: None,
    };
    Elevation { grids: vec![grid], ..Elevation::default() }
}

fn rules(gates: Gates, join_islands_m: f64) -> Rules {
    Rules { gates, join_islands_m, ..Rules::default() }
}

const ALL_GATES: [Gates; 3] = [Gates::Open, Gates::Tagged, Gates::Closed];

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(100) })]

    /// Blocks are so small that parts want to see more again and again.
    #[test]
    fn a_part_of_a_random_town_is_the_part_of_its_network(
        seed in any::<u64>(), taste in taste(), gates in 0_usize..3, join_islands_m in prop_oneof![Just(0.0), Just(30.0), Just(80.0)],
        terrain in any::<bool>(), town_m in prop_oneof![Just(1500.0), Just(4000.0), Just(1e9)], fine in any::<bool>(), beside_rings in 0_u32..2,
    ) {
        let elevation = if terrain { random_terrain(seed) } else { Elevation::default() };
        let (blocks, tiles) = if fine { (Resolution::Eleven, Resolution::Ten) } else { (Resolution::Ten, Resolution::Nine) };
        let city = City::new(random_town(seed, taste), elevation, blocks);
        let how = Cutting { tiles, kept_rings: 0, seen_rings: 0, town_m, more_rings: 0, beside_rings };
        let outcome = city.hold_against_whole(rules(ALL_GATES[gates], join_islands_m), how);
        prop_assume!(!outcome.refused);
    }
}

/// A town of a few long ways, each corner in a block of its own.
fn drawn(corners: &[(f64, f64)], ways: &[(&[u32], Walkway)]) -> Streets {
    let mut streets = Streets::default();
    for (id, &(east_m, north_m)) in (1..).zip(corners) {
        let place = metres(east_m, north_m);
        streets.nodes.push(StreetNode { id, place, ele_m: None, barrier: Barrier::None, lift: false });
    }
    for (id, (nodes, way)) in (1..).zip(ways) {
        let start = streets.refs.len();
        streets.refs.extend_from_slice(nodes);
        streets.ways.push(Street { id, nodes: start..streets.refs.len(), way: way.clone() });
    }
    add_mainland(&mut streets);
    streets
}

fn on(levels: &[i16]) -> Walkway {
    Walkway { levels: levels.iter().map(|&level| Level(level)).collect(), ..Walkway::default() }
}

fn hold_drawn(streets: Streets, gates: Gates, town_m: f64) -> Outcome {
    let city = City::new(streets, Elevation::default(), Resolution::Eleven);
    let tiles = Resolution::Ten;
    let how = Cutting { tiles, kept_rings: 0, seen_rings: 0, town_m, more_rings: 0, beside_rings: 0 };
    let outcome = city.hold_against_whole(rules(gates, 0.0), how);
    assert!(outcome.asked > 0 && outcome.partly > 0);
    outcome
}

/// Which of two floors a ramp leaves from is told by the floor at its other end, a kilometre away.
#[test]
fn the_floor_at_one_end_is_told_at_the_other() {
    let corners =
        [(0.0, 0.0), (-600.0, 0.0), (0.0, 600.0), (40.0, 0.0), (1200.0, 0.0), (1800.0, 0.0), (40.0, -600.0)];
    let ramp: &[u32] = &[0, 3, 4];
    let streets = drawn(
        &corners,
        &[
            (&[1, 0], on(&[0])),
            (&[0, 2], on(&[10])),
            (ramp, on(&[0, 10])),
            (&[3, 6], on(&[])),
            (&[4, 5], on(&[0])),
        ],
    );
    assert!(!hold_drawn(streets, Gates::Open, TOWN_M).refused);
}

/// Which way stairs climb is told by the floors at their ends, each a kilometre away.
#[test]
fn stairs_are_known_by_both_their_ends() {
    let corners = [
        (-1200.0, 0.0),
        (0.0, 0.0),
        (40.0, 0.0),
        (1200.0, 0.0),
        (0.0, 600.0),
        (40.0, 600.0),
        (-1800.0, 0.0),
        (1800.0, 0.0),
    ];
    let stairs = Walkway { kind: WayKind::Steps, ..on(&[0, 10]) };
    let streets = drawn(
        &corners,
        &[
            (&[0, 1, 2, 3], stairs),
            (&[1, 4], on(&[])),
            (&[2, 5], on(&[])),
            (&[0, 6], on(&[0])),
            (&[3, 7], on(&[10])),
        ],
    );
    assert!(!hold_drawn(streets, Gates::Open, TOWN_M).refused);
}

/// A lift has a door at a far corner of its outline.
#[test]
fn a_lift_is_known_by_all_its_doors() {
    let corners = [(0.0, 0.0), (1200.0, 0.0), (1200.0, 20.0), (-600.0, 0.0), (1800.0, 0.0)];
    let mut streets = drawn(&corners, &[(&[3, 0], on(&[0])), (&[1, 4], on(&[10]))]);
    let start = streets.refs.len();
    streets.refs.extend([0, 1, 2]);
    let way = Walkway { kind: WayKind::Lift, ..on(&[0, 10]) };
    streets.squares.push(Square { id: 1, rings: once(start..start + 3).collect(), way });
    assert!(!hold_drawn(streets, Gates::Open, TOWN_M).refused);
}

/// Streets of 600 m from corner to corner, the first of which is a gate.
fn gated(corners: &[(f64, f64)], streets: &[[u32; 2]]) -> Streets {
    let ways: Vec<(&[u32], Walkway)> = streets.iter().map(|ends| (&ends[..], Walkway::default())).collect();
    let mut streets = drawn(corners, &ways);
    streets.nodes[0].barrier = Barrier::PrivateGate;
    streets
}

/// Each side of the gate is as long as a town: which of them is the estate, no tile can tell.
#[test]
fn two_towns_at_a_gate_are_refused() {
    let corners = [(0.0, 0.0), (600.0, 0.0), (1200.0, 0.0), (-600.0, 0.0), (-1200.0, 0.0), (-1800.0, 0.0)];
    let streets = || gated(&corners, &[[0, 1], [1, 2], [0, 3], [3, 4], [4, 5]]);
    assert!(hold_drawn(streets(), Gates::Tagged, 500.0).refused);
    assert!(!hold_drawn(streets(), Gates::Tagged, TOWN_M).refused);
}

/// Both sides of the gate go on beyond what the tile sees, and meet there.
#[test]
fn two_sides_of_a_gate_may_be_one_town() {
    let corners = [(0.0, 0.0), (600.0, 0.0), (1200.0, 0.0), (1200.0, 600.0), (600.0, 600.0), (0.0, 600.0)];
    let ring = gated(&corners, &[[0, 1], [1, 2], [2, 3], [3, 4], [4, 5], [5, 0]]);
    assert!(!hold_drawn(ring, Gates::Tagged, 500.0).refused);
}

/// The folder of a real city.
fn folder(city: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("WALKSHED_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let city = folder.join(city);
    if city.is_dir() {
        return Some(city);
    }
    eprintln!("not run: there is no real data at {}", city.display());
    None
}

fn read(streets: &Path, rasters: &[PathBuf]) -> City {
    let walking = defaults::walking_rules();
    let wanted = Wanted { rules: &walking, catalogue: None, buildings: None };
    let extract = osm::read(streets, wanted, &Progress::default()).expect("the extract is whole");
    let heights = elevation::read(rasters, None, Smoothing::SavitzkyGolay).expect("rasters that are read");
    City::new(extract.streets, heights, Resolution::Nine)
}

/// Tiles of five square kilometres, with a street or two around them.
const TILES: Cutting = Cutting {
    tiles: Resolution::Seven,
    kept_rings: 1,
    seen_rings: 1,
    town_m: TOWN_M,
    more_rings: 1,
    beside_rings: 0,
};

fn hold(city: &City, name: &str, how: Cutting) {
    for gates in ALL_GATES {
        for join_islands_m in [0.0, 30.0] {
            let outcome = city.hold_against_whole(rules(gates, join_islands_m), how);
            eprintln!("{name}, {gates:?}, {join_islands_m}: {outcome:?}");
            assert!(!outcome.refused && outcome.tiles > 1);
        }
    }
}

#[test]
fn helsinki_in_parts_is_helsinki() {
    let Some(folder) = folder("helsinki") else { return };
    let city = read(&folder.join("centre.osm.pbf"), &[]);
    hold(&city, "Helsinki", Cutting { tiles: Resolution::Eight, ..TILES });
}

#[test]
fn porto_alegre_in_parts_is_porto_alegre() {
    let Some(folder) = folder("porto_alegre") else { return };
    let city = read(&folder.join("streets.osm.pbf"), &[folder.join("elevation.tif")]);
    hold(&city, "Porto Alegre", TILES);
}

#[test]
fn portland_in_parts_is_portland() {
    let Some(folder) = folder("portland") else { return };
    let city = read(&folder.join("streets.osm.pbf"), &[folder.join("elevation_west.tif")]);
    hold(&city, "Portland", Cutting { tiles: Resolution::Eight, ..TILES });
}

#[test]
fn munich_in_parts_is_munich() {
    let Some(folder) = folder("munich") else { return };
    let city = read(&folder.join("centre.osm.pbf"), &[]);
    hold(&city, "Munich", Cutting { tiles: Resolution::Eight, ..TILES });
}

#[test]
fn the_mountain_city_in_parts_is_the_mountain_city() {
    let folder = tempfile::tempdir().unwrap();
    let wanted = walkshed::model::synthetic::Wanted::new(4000, 7).expect("the numbers are in their ranges");
    let out = folder.path().join("city");
    synthetic::write(wanted, &out, &Progress::default()).expect("a city");
    let city = read(&out.join("streets.osm.pbf"), &[out.join("terrain.tif")]);
    assert!(connectedness(&city.whole(Rules::default())).pieces > 1);
    hold(&city, "the mountain city", TILES);
}
