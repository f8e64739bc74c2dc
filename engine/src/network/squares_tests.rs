//! Sight lines in squares solved by hand, and against a slow twin on random squares.

use super::squares::{Limits, Ring, lines_within, sight_lines};
use proptest::prelude::*;

type Spot = [f64; 2];

/// All corners take part, or only those where a shortest walk may start, end or bend.
const ALL: Limits = Limits { all: usize::MAX, sighted: usize::MAX };
const FEW: Limits = Limits { all: 0, sighted: usize::MAX };

/// Rings whose corners are numbered in the order in which their places first appear; no entries.
fn drawing(rings: &[&[Spot]]) -> Vec<Ring> {
    let mut places: Vec<Spot> = Vec::new();
    let mut number = |place: Spot| {
        places.iter().position(|&known| distance_m(known, place) == 0.0).unwrap_or_else(|| {
            places.push(place);
            places.len() - 1
        }) as u32
    };
    rings
        .iter()
        .map(|ring| Ring {
            nodes: ring.iter().map(|&place| number(place)).collect(),
            places: ring.to_vec(),
            entry: vec![false; ring.len()],
        })
        .collect()
}

fn enter_at(rings: &mut [Ring], entries: &[u32]) {
    for ring in rings {
        ring.entry = ring.nodes.iter().map(|node| entries.contains(node)).collect();
    }
}

const QUAD: [Spot; 4] = [[0.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]];

#[test]
fn a_quad_is_crossed_on_its_diagonals() {
    assert_eq!(sight_lines(&drawing(&[&QUAD])), [(0, 2), (1, 3)]);
    let mut backwards = QUAD;
    backwards.reverse();
    assert_eq!(sight_lines(&drawing(&[&backwards])), [(0, 2), (1, 3)]);
}

#[test]
fn the_arms_of_an_l_do_not_see_each_other() {
    let corners = [[0.0, 0.0], [100.0, 0.0], [100.0, 50.0], [50.0, 50.0], [50.0, 100.0], [0.0, 100.0]];
    // 1-5 runs through the inner corner 3: its two pieces are there.
    assert_eq!(sight_lines(&drawing(&[&corners])), [(0, 2), (0, 3), (0, 4), (1, 3), (3, 5)]);
}

#[test]
fn the_arms_of_a_u_do_not_see_each_other() {
    let (left, right) =
        ([[30.0, 30.0], [30.0, 90.0], [0.0, 90.0]], [[90.0, 90.0], [60.0, 90.0], [60.0, 30.0]]);
    let corners = [[[0.0, 0.0], [90.0, 0.0]].as_slice(), &right, &left].concat();
    let lines = [(0, 4), (0, 5), (0, 6), (1, 3), (1, 4), (1, 5), (2, 4), (5, 7)];
    assert_eq!(sight_lines(&drawing(&[&corners])), lines);
}

const FOUNTAIN: [Spot; 4] = [[40.0, 40.0], [60.0, 40.0], [60.0, 60.0], [40.0, 60.0]];

#[test]
fn no_line_runs_through_a_hole() {
    let around = [
        [(0, 4), (0, 5), (0, 7)],
        [(1, 4), (1, 5), (1, 6)],
        [(2, 5), (2, 6), (2, 7)],
        [(3, 4), (3, 6), (3, 7)],
    ];
    assert_eq!(sight_lines(&drawing(&[&QUAD, &FOUNTAIN])), around.concat());
    assert_eq!(sight_lines(&drawing(&[&FOUNTAIN, &QUAD])).len(), 12, "the order of rings says nothing");
}

#[test]
fn in_a_large_square_lines_from_entries_pass_by_the_corners_of_the_hole() {
    let mut rings = drawing(&[&QUAD, &FOUNTAIN]);
    assert_eq!(lines_within(&rings, FEW), [], "nobody enters");
    enter_at(&mut rings, &[0, 2]);
    assert_eq!(lines_within(&rings, FEW), [(0, 5), (0, 7), (2, 5), (2, 7)]);
}

#[test]
fn two_squares_that_touch_in_a_corner_are_joined_there() {
    let other = [[100.0, 100.0], [200.0, 100.0], [200.0, 200.0], [100.0, 200.0]];
    let mut rings = drawing(&[&QUAD, &other]);
    assert_eq!(sight_lines(&rings), [(0, 2), (1, 3), (2, 5), (4, 6)]);
    enter_at(&mut rings, &[0, 4]);
    assert_eq!(lines_within(&rings, FEW), [(0, 2)], "2-4 is an edge");
}

#[test]
fn an_edge_that_two_squares_share_is_crossed() {
    let other = [[100.0, 0.0], [200.0, 0.0], [200.0, 100.0], [100.0, 100.0]];
    let lines = [(0, 2), (0, 5), (1, 3), (1, 5), (2, 4), (3, 4)];
    assert_eq!(sight_lines(&drawing(&[&QUAD, &other])), lines);
}

#[test]
fn rings_that_cross_themselves_give_no_walk_through_the_crossing() {
    let bow_tie = [[0.0, 0.0], [10.0, 10.0], [10.0, 0.0], [0.0, 10.0]];
    assert_eq!(sight_lines(&drawing(&[&bow_tie])), []);
    let knotted = [[0.0, 0.0], [5.0, 5.0], [10.0, 0.0], [10.0, 10.0], [5.0, 5.0], [0.0, 10.0]];
    assert_eq!(sight_lines(&drawing(&[&knotted])), []);
}

#[test]
fn a_courtyard_may_touch_the_border() {
    // Its corner 4 lies on the side from 0 to 1, which no node cuts: both pieces of the side are walks.
    let court = [[50.0, 0.0], [55.0, 20.0], [45.0, 20.0]];
    let lines = [
        [(0, 2), (0, 4), (0, 6)],
        [(1, 3), (1, 4), (1, 5)],
        [(2, 4), (2, 5), (2, 6)],
        [(3, 4), (3, 5), (3, 6)],
    ];
    assert_eq!(sight_lines(&drawing(&[&QUAD, &court])), lines.concat());
}

#[test]
fn a_courtyard_may_share_an_edge_of_the_border() {
    let outer = [[0.0, 0.0], [40.0, 0.0], [60.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]];
    let court = [[40.0, 0.0], [60.0, 0.0], [60.0, 20.0], [40.0, 20.0]];
    let lines = sight_lines(&drawing(&[&outer, &court]));
    assert!(lines.contains(&(0, 7)) && lines.contains(&(3, 6)));
    for through in [(1, 6), (2, 7), (0, 3), (0, 6), (3, 7), (0, 2)] {
        assert!(!lines.contains(&through), "{through:?}");
    }
}

#[test]
fn corners_along_a_straight_side_see_across_the_square_but_not_along_it() {
    let corners = [[0.0, 0.0], [50.0, 0.0], [100.0, 0.0], [100.0, 100.0], [0.0, 100.0]];
    assert_eq!(sight_lines(&drawing(&[&corners])), [(0, 3), (1, 3), (1, 4), (2, 4)]);
}

#[test]
fn what_is_not_an_outline_gives_no_walk() {
    let none: [(u32, u32); 0] = [];
    assert_eq!(sight_lines(&[]), none);
    assert_eq!(sight_lines(&[Ring::default()]), none);
    for corners in [&QUAD[..1], &QUAD[..2], &QUAD[..3], &[QUAD[0]; 5], &[QUAD[0], QUAD[1], QUAD[0], QUAD[1]]]
    {
        for limits in [ALL, FEW] {
            assert_eq!(lines_within(&drawing(&[corners]), limits), none);
        }
    }
    // A line there and back bounds nothing.
    assert_eq!(sight_lines(&drawing(&[&[QUAD[0], QUAD[1], QUAD[2], QUAD[1]]])), none);
}

#[test]
fn what_cannot_be_read_gives_no_walk() {
    for wrong in [f64::NAN, f64::INFINITY, -1e300] {
        let mut rings = drawing(&[&QUAD, &FOUNTAIN]);
        rings[1].places[2][0] = wrong;
        assert_eq!(sight_lines(&rings), [], "{wrong}");
    }
    let mut rings = drawing(&[&QUAD, &FOUNTAIN]);
    rings[1].entry.pop();
    assert_eq!(sight_lines(&rings), []);
    let mut rings = drawing(&[&QUAD, &FOUNTAIN]);
    rings[1].nodes[2] = 0;
    assert_eq!(sight_lines(&rings), [], "one node in two places");
}

#[test]
fn repeated_corners_change_nothing() {
    let twice = [QUAD[0], QUAD[0], QUAD[1], QUAD[2], QUAD[2], QUAD[3], QUAD[0]];
    assert_eq!(sight_lines(&drawing(&[&twice])), [(0, 2), (1, 3)]);
    // Two nodes at one place: both are seen, and zero metres are no line.
    let mut rings = drawing(&[&[QUAD[0], QUAD[1], QUAD[2], QUAD[2], QUAD[3]]]);
    rings[0].nodes[3] = 9;
    assert_eq!(sight_lines(&rings), [(0, 2), (0, 9), (1, 3), (1, 9), (2, 3)]);
}

#[test]
fn a_square_of_very_many_corners_keeps_a_share_of_its_lines() {
    let (rings, few) = (comb(2500), Limits { all: 40, sighted: 120 });
    assert_eq!(rings[0].nodes.len(), 5000);
    assert!(lines_within(&rings, few).len() <= 7140);
}

/// A straight side of `teeth` teeth opposite a straight wall, entered at every corner.
fn comb(teeth: usize) -> Vec<Ring> {
    let tooth = |at: usize| [[at as f64, 0.0], [at as f64 + 0.5, 1.0]];
    let mut corners: Vec<Spot> = (0..teeth - 1).flat_map(tooth).collect();
    corners.extend([[teeth as f64, 90.0], [0.0, 90.0]]);
    let mut rings = drawing(&[&corners]);
    rings[0].entry.fill(true);
    rings
}

// The slow twin: a line is cut wherever it meets a side, and the middle of every piece must be free.

const TOUCH_M: f64 = 1e-9;

struct Twin {
    place: Vec<Spot>,
    sides: Vec<(usize, usize)>,
    entry: Vec<bool>,
}

fn cross(a: Spot, b: Spot, c: Spot) -> f64 {
    (b[0] - a[0]) * (c[1] - a[1]) - (b[1] - a[1]) * (c[0] - a[0])
}

fn distance_m(a: Spot, b: Spot) -> f64 {
    (a[0] - b[0]).hypot(a[1] - b[1])
}

fn along(a: Spot, b: Spot, share: f64) -> Spot {
    [a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share]
}

/// Share of the line at the foot of a place, 0 to 1.
fn foot(a: Spot, b: Spot, place: Spot) -> f64 {
    let dot = (b[0] - a[0]) * (place[0] - a[0]) + (b[1] - a[1]) * (place[1] - a[1]);
    let share = dot / distance_m(a, b).powi(2);
    if share.is_nan() { 0.0 } else { share.clamp(0.0, 1.0) }
}

fn off_line_m(a: Spot, b: Spot, place: Spot) -> f64 {
    distance_m(place, along(a, b, foot(a, b, place)))
}

impl Twin {
    fn new(rings: &[Ring]) -> Self {
        let count = rings.iter().flat_map(|ring| &ring.nodes).max().map_or(0, |&last| last as usize + 1);
        let mut twin = Self { place: vec![[0.0; 2]; count], sides: Vec::new(), entry: vec![false; count] };
        for ring in rings {
            for at in 0..ring.nodes.len() {
                let (node, next) =
                    (ring.nodes[at] as usize, ring.nodes[(at + 1) % ring.nodes.len()] as usize);
                twin.place[node] = ring.places[at];
                twin.entry[node] |= ring.entry[at];
                twin.sides.push((node, next));
            }
        }
        twin
    }

    fn side(&self, &(from, to): &(usize, usize)) -> (Spot, Spot) {
        (self.place[from], self.place[to])
    }

    fn is_side(&self, a: usize, b: usize) -> bool {
        self.sides.contains(&(a, b)) || self.sides.contains(&(b, a))
    }

    fn is_free(&self, place: Spot, tolerance_m: f64) -> bool {
        let sides = || self.sides.iter().map(|side| self.side(side));
        let is_above = |at: Spot| at[1] > place[1];
        let east_of = |a: Spot, b: Spot| along(a, b, (place[1] - a[1]) / (b[1] - a[1]))[0] > place[0];
        let crossed = sides().filter(|&(a, b)| is_above(a) != is_above(b) && east_of(a, b)).count();
        crossed % 2 == 1 || sides().any(|(a, b)| off_line_m(a, b, place) <= tolerance_m)
    }

    fn sees(&self, from: usize, to: usize) -> bool {
        let (a, b) = (self.place[from], self.place[to]);
        let mut cuts = vec![0.0, 1.0];
        for (c, d) in self.sides.iter().map(|side| self.side(side)) {
            let (at_c, at_d) = (cross(a, b, c), cross(a, b, d));
            cuts.extend([foot(a, b, c), foot(a, b, d)]);
            if at_c * at_d < 0.0 {
                cuts.push(foot(a, b, along(c, d, at_c / (at_c - at_d))));
            }
        }
        cuts.sort_by(f64::total_cmp);
        let pieces = cuts.windows(2).filter(|cut| (cut[1] - cut[0]) * distance_m(a, b) > TOUCH_M);
        pieces.into_iter().all(|cut| self.is_free(along(a, b, f64::midpoint(cut[0], cut[1])), TOUCH_M))
    }

    fn has_corner_on(&self, from: usize, to: usize) -> bool {
        let (a, b) = (self.place[from], self.place[to]);
        let mut others = (0..self.place.len()).filter(|&other| other != from && other != to);
        others.any(|other| off_line_m(a, b, self.place[other]) < TOUCH_M)
    }

    /// Lengths between all nodes over the sides and these lines (Floyd 1962).
    fn shortest_m(&self, lines: impl Iterator<Item = (usize, usize)>) -> Vec<Vec<f64>> {
        let count = self.place.len();
        let mut shortest = vec![vec![f64::INFINITY; count]; count];
        for (a, b) in self.sides.iter().copied().chain(lines) {
            shortest[a][b] = distance_m(self.place[a], self.place[b]);
            shortest[b][a] = shortest[a][b];
        }
        for through in 0..count {
            let onwards = shortest[through].clone();
            for row in &mut shortest {
                let to_there = row[through];
                for (known, onward) in row.iter_mut().zip(&onwards) {
                    *known = known.min(to_there + onward);
                }
            }
        }
        shortest
    }

    /// Sides that cross between corners, or lie partly on one another: there the rings do not say what bounds what.
    fn is_entangled(&self) -> bool {
        let inside = |a: Spot, b: Spot, c: Spot| {
            cross(a, b, c) == 0.0
                && off_line_m(a, b, c) < TOUCH_M
                && distance_m(a, c) > 0.0
                && distance_m(b, c) > 0.0
        };
        self.sides.iter().map(|side| self.side(side)).any(|(a, b)| {
            self.sides.iter().map(|side| self.side(side)).any(|(c, d)| {
                let crossing = cross(a, b, c) * cross(a, b, d) < 0.0 && cross(c, d, a) * cross(c, d, b) < 0.0;
                let overlaps = cross(a, b, c) == 0.0
                    && cross(a, b, d) == 0.0
                    && (inside(a, b, c) || inside(a, b, d) || inside(c, d, a) || inside(c, d, b));
                crossing || overlaps
            })
        })
    }
}

fn pairs(count: usize) -> impl Iterator<Item = (usize, usize)> {
    (0..count).flat_map(move |from| (from + 1..count).map(move |to| (from, to)))
}

fn star(corners: std::ops::Range<usize>, reach_m: std::ops::Range<f64>) -> impl Strategy<Value = Vec<Spot>> {
    prop::collection::vec((0.0..0.8, reach_m), corners).prop_map(|corners| {
        let share = std::f64::consts::TAU / corners.len() as f64;
        let turned =
            corners.iter().zip(0..).map(|(&(turn, reach_m), at)| ((f64::from(at) + turn) * share, reach_m));
        turned.map(|(turn, reach_m): (f64, f64)| [reach_m * turn.cos(), reach_m * turn.sin()]).collect()
    })
}

/// A star with up to two smaller ones in it, in steps of a grid: on the coarse ones corners touch sides, fall on
/// straight lines and meet in one place.
fn square() -> impl Strategy<Value = Vec<Ring>> {
    let outer = prop_oneof![3 => star(3..16, 15.0..60.0), 1 => star(41..60, 30.0..90.0)];
    let hole = || prop_oneof![star(3..12, 3.0..15.0), star(20..30, 3.0..12.0)];
    let holes = prop::collection::vec((hole(), -20.0..20.0, -20.0..20.0), 0..3);
    let grid_m = prop::sample::select(vec![1e-9, 0.01, 1.0, 5.0]);
    (outer, holes, grid_m, prop::collection::vec(prop::bool::weighted(0.3), 200)).prop_map(
        |(outer, holes, grid_m, entries)| {
            let snap = |at: f64| (at / grid_m).round() * grid_m;
            let mut rings = vec![outer];
            for (hole, east_m, north_m) in holes {
                rings.push(hole.iter().map(|at| [at[0] + east_m, at[1] + north_m]).collect());
            }
            for place in rings.iter_mut().flatten() {
                *place = place.map(snap);
            }
            let slices: Vec<&[Spot]> = rings.iter().map(Vec::as_slice).collect();
            let mut rings = drawing(&slices);
            let entries: Vec<u32> = (0..200).filter(|&node| entries[node as usize]).collect();
            enter_at(&mut rings, &entries);
            rings
        },
    )
}

fn numbers(lines: &[(u32, u32)]) -> impl Iterator<Item = (usize, usize)> {
    lines.iter().map(|&(from, to)| (from as usize, to as usize))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever the rings look like: sorted, once, never an edge, and every 200th of a line is on free ground.
    #[test]
    fn no_walk_is_invented(rings in square()) {
        let twin = Twin::new(&rings);
        let all = lines_within(&rings, ALL);
        for (from, to) in numbers(&all) {
            prop_assert!(from < to && !twin.is_side(from, to));
            for step in 1..200 {
                let place = along(twin.place[from], twin.place[to], f64::from(step) / 200.0);
                prop_assert!(twin.is_free(place, 1e-6), "{from}-{to} at {place:?}");
            }
        }
        for limits in [FEW, Limits { all: 0, sighted: 9 }] {
            let some = lines_within(&rings, limits);
            prop_assert!(some.is_sorted_by(|one, next| one < next));
            prop_assert!(some.iter().all(|line| all.binary_search(line).is_ok()));
            prop_assert!(limits.sighted > 9 || some.len() <= 36);
        }
    }

    #[test]
    fn two_corners_see_each_other_as_the_twin_sees(
        rings in square().prop_filter("entangled", |rings| !Twin::new(rings).is_entangled()),
    ) {
        let twin = Twin::new(&rings);
        let lines = lines_within(&rings, ALL);
        for (from, to) in pairs(twin.place.len()).filter(|&(from, to)| !twin.is_side(from, to)) {
            let found = lines.binary_search(&(from as u32, to as u32)).is_ok();
            // Past a corner within rounding of the line, the line and its two pieces are the same walk.
            if found || !twin.has_corner_on(from, to) {
                prop_assert_eq!(found, twin.sees(from, to), "{}-{}", from, to);
            }
        }
    }

    #[test]
    fn walks_between_entries_are_shortest(
        rings in square().prop_filter("entangled", |rings| !Twin::new(rings).is_entangled()),
    ) {
        let twin = Twin::new(&rings);
        let truth = twin.shortest_m(pairs(twin.place.len()).filter(|&(from, to)| twin.sees(from, to)));
        let (usual, all, few) = (sight_lines(&rings), lines_within(&rings, ALL), lines_within(&rings, FEW));
        for (lines, everywhere) in [(all, true), (usual, false), (few, false)] {
            let found = twin.shortest_m(numbers(&lines));
            for (from, to) in pairs(twin.place.len()) {
                if everywhere || (twin.entry[from] && twin.entry[to]) {
                    let (found_m, true_m) = (found[from][to], truth[from][to]);
                    prop_assert!(
                        found_m.to_bits() == true_m.to_bits() || (found_m - true_m).abs() < 1e-6,
                        "{from} to {to}: {found_m} m, in truth {true_m} m",
                    );
                }
            }
        }
    }
}
