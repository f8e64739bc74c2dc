//! Towns by chance, with all that makes a part of a town hard to tell from the whole.

use h3o::Resolution;
use std::collections::BTreeMap;
use std::path::Path;
use walkshed::io::defaults;
use walkshed::io::osm::{self, Wanted};
use walkshed::model::cell;
use walkshed::model::elevation::Elevation;
use walkshed::model::facility::Facilities;
use walkshed::model::ids::Ids;
use walkshed::model::level::Level;
use walkshed::model::place::Place;
use walkshed::model::population::{Cells, Group};
use walkshed::model::progress::Progress;
use walkshed::model::street::{Directions, Gates, WayKind};
use walkshed::network::build::{self, Rules};
use walkshed::network::graph::{
    CLOSED, Edges, Flight, GivenTimes, HeightSource, Heights, Network, Origin, Ride, Ways,
};

/// Numbers by chance, the same for one seed.
pub struct Chance(pub u64);

impl Chance {
    fn bits(&mut self) -> u64 {
        // SplitMix64 (Steele, Lea & Flood 2014).
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ bits >> 31
    }

    pub fn below(&mut self, count: usize) -> usize {
        (self.bits() % count as u64) as usize
    }

    pub fn unit(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1_u64 << 53) as f64
    }

    pub fn happens(&mut self, share: f64) -> bool {
        self.unit() < share
    }

    pub fn one_of<T: Clone>(&mut self, choices: &[T]) -> T {
        choices[self.below(choices.len())].clone()
    }

    /// Up to so many metres to either side.
    fn off(&mut self, metres: f64) -> f64 {
        (self.unit() - 0.5) * 2.0 * metres
    }
}

/// What there is in a town, and who walks to what.
pub struct Town {
    pub network: Network,
    pub cells: Cells,
    pub facilities: Facilities,
    pub capacity: Vec<Option<f64>>,
}

/// Metres around a place.
#[derive(Clone, Copy)]
pub struct Ground {
    pub lon: f64,
    pub lat: f64,
}

/// On the plain, in the north, and across the antimeridian.
pub const GROUNDS: [Ground; 3] = [
    Ground { lon: 106.55, lat: 29.56 },
    Ground { lon: 24.94, lat: 60.17 },
    Ground { lon: 179.999, lat: -16.8 },
];

impl Ground {
    pub fn at(self, [east_m, north_m]: [f64; 2]) -> Place {
        let lon = self.lon + east_m / (111_320.0 * self.lat.to_radians().cos());
        let lon = if lon > 180.0 { lon - 360.0 } else { lon };
        Place::new(lon, self.lat + north_m / 110_850.0).expect("in range")
    }
}

/// How large a town is, how far its places may be from streets, and of which resolution its cells are.
#[derive(Clone, Copy)]
pub struct Size {
    pub ground: Ground,
    pub side_m: f64,
    pub nodes: usize,
    pub snap_m: f64,
    pub cells: Resolution,
}

pub fn town(chance: &mut Chance, size: Size) -> Town {
    let nodes: Vec<[f64; 2]> =
        (0..size.nodes).map(|_| [chance.unit() * size.side_m, chance.unit() * size.side_m]).collect();
    let mut ends = Vec::new();
    for from in 0..nodes.len() {
        let mut near: Vec<usize> = (0..nodes.len()).filter(|&node| node != from).collect();
        near.sort_by(|&a, &b| away_m(nodes[from], nodes[a]).total_cmp(&away_m(nodes[from], nodes[b])));
        ends.extend(near.iter().take(chance.below(3)).map(|&to| (from, to)));
        if chance.happens(0.06) {
            ends.push((from, near[near.len() / 2]));
        }
    }
    ends.push((0, 1));
    let lines: Vec<Vec<[f64; 2]>> =
        ends.iter().map(|&(from, to)| bent(chance, nodes[from], nodes[to])).collect();
    let network = network(chance, size, &nodes, &ends, &lines);
    let spots = |chance: &mut Chance, count: usize, off_m: f64| -> Vec<Place> {
        (0..count).map(|_| size.ground.at(beside(chance, &lines, off_m))).collect()
    };
    let homes = spots(chance, 40, size.snap_m);
    let doors = spots(chance, 30, size.snap_m);
    let others = spots(chance, 30, size.snap_m);
    let facilities = facilities(chance, doors, &others);
    // Fractions that no binary number is, so that the order of a sum shows.
    let capacity = (0..30).map(|_| chance.happens(0.9).then(|| 0.1 + chance.unit() * 1000.0)).collect();
    Town { network, cells: cells(chance, &homes, size.cells), facilities, capacity }
}

fn away_m(a: [f64; 2], b: [f64; 2]) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn bent(chance: &mut Chance, from: [f64; 2], to: [f64; 2]) -> Vec<[f64; 2]> {
    let bends = chance.below(4);
    let off_m = if chance.happens(0.3) { away_m(from, to) * 0.4 } else { 15.0 };
    let between = (1..=bends).map(|bend| {
        let share = bend as f64 / (bends + 1) as f64;
        [0, 1].map(|axis| from[axis] + (to[axis] - from[axis]) * share + chance.off(off_m))
    });
    std::iter::once(from).chain(between.collect::<Vec<_>>()).chain([to]).collect()
}

/// A place beside some street; now and then exactly at its corner, where all streets that meet are equally near.
fn beside(chance: &mut Chance, lines: &[Vec<[f64; 2]>], off_m: f64) -> [f64; 2] {
    let line = &lines[chance.below(lines.len())];
    let piece = chance.below(line.len() - 1);
    let share = if chance.happens(0.1) { 0.0 } else { chance.unit() };
    let off_m = if chance.happens(0.1) { 0.0 } else { off_m };
    [0, 1].map(|axis| line[piece][axis] * (1.0 - share) + line[piece + 1][axis] * share + chance.off(off_m))
}

const KINDS: [WayKind; 5] =
    [WayKind::Steps, WayKind::Cableway, WayKind::Escalator, WayKind::Lift, WayKind::Ferry];

fn network(
    chance: &mut Chance,
    size: Size,
    nodes: &[[f64; 2]],
    ends: &[(usize, usize)],
    lines: &[Vec<[f64; 2]>],
) -> Network {
    let quarter = [chance.unit() * size.side_m, chance.unit() * size.side_m];
    let is_quarter = |node: usize| away_m(nodes[node], quarter) < size.side_m / 5.0;
    let ele_m: Vec<f32> = nodes.iter().map(|_| chance.unit() as f32 * 20.0).collect();
    let hilly = chance.happens(0.5);
    let mut ways = Ways {
        edges: Edges { first_vertex: vec![0], ..Edges::default() },
        heights: Heights { first: vec![0], ..Heights::default() },
        ..Ways::default()
    };
    for (number, (&(from, to), line)) in (0..).zip(ends.iter().zip(lines)) {
        let drawn_m: f64 = line.windows(2).map(|ends| away_m(ends[0], ends[1])).sum();
        let kind = if chance.happens(0.15) {
            chance.one_of(&KINDS)
        } else {
            chance.one_of(&[WayKind::Footway, WayKind::Street])
        };
        let edges = &mut ways.edges;
        edges.from.push(from as u32);
        edges.to.push(to as u32);
        edges.length_m.push(drawn_m * (1.0 + chance.unit() * 0.2));
        edges.kind.push(kind);
        edges.directions.push(if chance.happens(0.12) {
            chance.one_of(&[Directions::Forward, Directions::Backward])
        } else {
            Directions::Both
        });
        edges.level.push(chance.happens(0.1).then(|| Level(chance.below(2) as i16 * 10)));
        edges.joinable.push(kind.has_doors() && chance.happens(0.95));
        edges.residents.push(chance.happens(0.1) || is_quarter(from) && is_quarter(to));
        edges.wheelchair.push(chance.one_of(&[None, None, Some(true), Some(false)]));
        edges.island.push(chance.happens(0.03));
        edges.vertices.extend(line.iter().map(|&spot| size.ground.at(spot)));
        edges.first_vertex.push(edges.vertices.len() as u32);
        let samples = [ele_m[from], ele_m[to]];
        ways.heights.push(if hilly { &samples } else { &[] }, HeightSource::Sampled);
        add_special(chance, &mut ways, number, kind, drawn_m);
    }
    ways.walls = (0..25).map(|number| wall(chance, size, number)).collect();
    if chance.happens(0.3) {
        let given = |chance: &mut Chance| match chance.below(10) {
            0 => CLOSED,
            1 | 2 => 0,
            _ => chance.below(3000) as u32,
        };
        let column = |chance: &mut Chance| ends.iter().map(|_| given(chance)).collect::<Vec<_>>();
        ways.given = Some(GivenTimes { forward_ds: column(chance), backward_ds: column(chance) });
    }
    let place = nodes.iter().map(|&node| size.ground.at(node)).collect();
    let ids = |count: usize| Ids::Int((0..count as i64).collect());
    Network::new(ids(nodes.len()), place, ids(ends.len()), ways, Origin::surveyed(size.snap_m))
}

fn add_special(chance: &mut Chance, ways: &mut Ways, edge: u32, kind: WayKind, drawn_m: f64) {
    match kind {
        WayKind::Steps => ways.flights.push(Flight {
            edge,
            rise_m: drawn_m as f32 / 4.0,
            stairs_m: drawn_m as f32,
            height_m: 4.0,
            climbs: chance.one_of(&[None, Some(true), Some(false)]),
            wheelchair_ramp: chance.happens(0.3),
            stroller_ramp: chance.happens(0.3),
            handrail: None,
        }),
        WayKind::Cableway | WayKind::Ferry | WayKind::Lift => ways.rides.push(Ride {
            edge,
            wait_share: 0.3,
            floors: 1.0,
            // Five to twenty times as fast as people walk.
            ride_s: (drawn_m / (6.0 + chance.unit() * 20.0)) as f32,
        }),
        _ => {}
    }
}

/// Some walls are so long that neither end is near what they part.
fn wall(chance: &mut Chance, size: Size, number: usize) -> [Place; 2] {
    let from = [chance.unit() * size.side_m, chance.unit() * size.side_m];
    let long_m = if number.is_multiple_of(5) { 900.0 } else { 60.0 };
    let to = [from[0] + chance.off(long_m), from[1] + chance.off(long_m)];
    [from, to].map(|end| {
        // Not across the antimeridian, where walls are straight in degrees the long way round.
        let place = size.ground.at(end);
        if (place.lon() - size.ground.lon).abs() > 180.0 { size.ground.at([0.0, end[1]]) } else { place }
    })
}

/// Ids in an order that has nothing to do with rows, and doors that are near one another or not.
fn facilities(chance: &mut Chance, places: Vec<Place>, others: &[Place]) -> Facilities {
    let mut ids: Vec<i64> = (0..places.len() as i64).collect();
    for at in (1..ids.len()).rev() {
        ids.swap(at, chance.below(at + 1));
    }
    let class = places.iter().map(|_| format!("class {}", chance.below(3))).collect();
    let doors = places
        .iter()
        .zip(others)
        .map(|(&place, &other)| if chance.happens(0.4) { vec![place, other] } else { vec![place] });
    let (doors, level) = (
        doors.collect::<Vec<_>>(),
        places.iter().map(|_| chance.happens(0.15).then(|| Level(chance.below(2) as i16 * 10))).collect(),
    );
    Facilities { doors, level, ..Facilities::new("town", Ids::Int(ids), class, places) }
}

/// One place for each cell, anywhere in it.
fn cells(chance: &mut Chance, homes: &[Place], resolution: Resolution) -> Cells {
    let place_of: BTreeMap<_, _> = homes.iter().map(|&home| (cell::at(home, resolution), home)).collect();
    let people = |chance: &mut Chance| -> Vec<f64> {
        place_of.iter().map(|_| if chance.happens(0.1) { 0.0 } else { chance.unit() * 30.0 }).collect()
    };
    Cells {
        cell: place_of.keys().copied().collect(),
        place: place_of.values().copied().collect(),
        people: people(chance),
        households: None,
        groups: vec![Group { name: "children".to_owned(), people: people(chance) }],
    }
}

/// A real city, with homes and facilities beside its streets by chance.
pub fn real(streets: &Path, homes: usize, count: usize) -> Town {
    let walking = defaults::walking_rules();
    let wanted = Wanted { rules: &walking, catalogue: None, buildings: None };
    let quiet = Progress::default();
    let extract = osm::read(streets, wanted, &quiet).expect("the extract is whole");
    let (flat, rules) = (Elevation::default(), Rules { gates: Gates::Tagged, ..Rules::default() });
    let network =
        build::from_streets(&extract.streets, &flat, rules, extract.left_out, &quiet).expect("built");
    let chance = &mut Chance(7);
    let vertices = &network.edges.vertices;
    let spots = |chance: &mut Chance, count: usize| -> Vec<Place> {
        let beside = |chance: &mut Chance| {
            let street = vertices[chance.below(vertices.len())];
            let off_m = chance.one_of(&[0.0, 30.0, 230.0]);
            Ground { lon: street.lon(), lat: street.lat() }.at([chance.off(off_m), chance.off(off_m)])
        };
        (0..count).map(|_| beside(chance)).collect()
    };
    let (homes, doors, others) = (spots(chance, homes), spots(chance, count), spots(chance, count));
    let facilities = facilities(chance, doors, &others);
    let capacity = (0..count).map(|_| chance.happens(0.9).then(|| 0.1 + chance.unit() * 1000.0)).collect();
    Town { cells: cells(chance, &homes, Resolution::Ten), network, facilities, capacity }
}

/// A home on one street, and a school between it and another street that is a little nearer and leads nowhere: so far apart that a
/// small halo of blocks of resolution 9 does not hold the other street.
pub fn between_two_streets(bearing: f64, from: [f64; 2]) -> Town {
    let ground = GROUNDS[0];
    let along = |metres: f64, across_m: f64| {
        let (sin, cos) = bearing.sin_cos();
        [from[0] + metres * sin + across_m * cos, from[1] + metres * cos - across_m * sin]
    };
    let nodes = [along(-20.0, 0.0), along(0.0, 0.0), along(456.0, -10.0), along(456.0, 10.0)]
        .map(|node| ground.at(node));
    let edges = Edges {
        from: vec![0, 2],
        to: vec![1, 3],
        length_m: vec![20.0; 2],
        kind: vec![WayKind::Street; 2],
        directions: vec![Directions::Both; 2],
        level: vec![None; 2],
        joinable: vec![true; 2],
        residents: vec![false; 2],
        wheelchair: vec![None; 2],
        island: vec![false; 2],
        first_vertex: vec![0, 2, 4],
        vertices: nodes.to_vec(),
    };
    let ids = |count: i64| Ids::Int((0..count).collect());
    let ways = Ways { edges, heights: Heights::unknown(2), ..Ways::default() };
    let network = Network::new(ids(4), nodes.to_vec(), ids(2), ways, Origin::surveyed(230.0));
    let home = ground.at(along(-20.0, 0.0));
    let cells = Cells {
        cell: vec![cell::at(home, Resolution::Ten)],
        place: vec![home],
        people: vec![1.0],
        households: None,
        groups: vec![],
    };
    let school = ground.at(along(229.0, 0.0));
    let facilities = Facilities::new("town", ids(1), vec!["school".to_owned()], vec![school]);
    Town { network, cells, facilities, capacity: vec![Some(1.0)] }
}
