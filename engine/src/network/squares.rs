//! Squares are crossed straight wherever one can see: sight lines between the corners of a pedestrian area.
//!
//! A shortest walk among obstacles bends only at their corners (Lozano-Pérez & Wesley 1979, "An algorithm for planning
//! collision-free paths among polyhedral obstacles"), so the lines between corners that see each other, together with
//! the edges of the rings, hold every shortest walk from corner to corner. Geometry only: no graph here.
//!
//! Every question is answered by the sign of an exact orientation (Shewchuk 1997) of places as they are given, so there
//! is no tolerance: two walls one centimetre apart, the step of OSM, stay apart, and a touch is a shared place or a
//! corner that lies exactly on a side.

use geo::Coord;
use geo::kernels::{Kernel, Orientation, RobustKernel};

/// A closed line around a square or around a hole in it. The last corner is joined to the first.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Ring {
    /// Number of the node at each corner.
    pub nodes: Vec<u32>,
    /// Where each corner is: east and north in local metres.
    pub places: Vec<[f64; 2]>,
    /// Whether another way meets the ring at the corner.
    pub entry: Vec<bool>,
}

/// Up to so many corners all take part: 780 lines at most.
pub const MAX_CORNERS: usize = 40;

/// In a larger square so many corners at most take part: 7140 lines at most.
pub const MAX_SIGHTED: usize = 120;

/// In a square of more corners, none is searched for bends, which takes the square of this number of steps.
const MAX_SEARCHED: usize = 4000;

/// No square reaches so far: beyond half a turn of the earth a coordinate is a mistake.
const FARTHEST_M: f64 = 2e7;

/// How many corners take part; tests choose less, to see large squares in small ones.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    pub(super) all: usize,
    pub(super) sighted: usize,
}

/// The straight walks inside a square between corners of its rings: pairs of ring nodes that see each other, the
/// smaller number first, sorted, without the edges of the rings, which are walked anyway.
///
/// Inside is where a line outwards crosses the rings an odd number of times; order and orientation of the rings say
/// nothing. A line ends at the first corner it meets: what lies behind is the next line. No line crosses an edge of a
/// ring, except one that two rings share: it bounds nothing.
///
/// In a square of more than [`MAX_CORNERS`] corners only those take part at which a shortest walk between entries may
/// start, end or bend: entries, corners where rings touch, and reflex corners, these only for lines that touch them
/// and pass by. Such walks stay exact. Of more than [`MAX_SIGHTED`] of these, entries come first, reflex corners last,
/// and of the group that does not fit every so-many-th along the rings is taken. What is lost then is exactness: a walk
/// from an entry left out follows the edge to the next corner that takes part, a walk around an obstacle may bend
/// at the corner beside. No walk is ever shorter than the true one. In a square of more than 4000 corners only entries
/// take part.
///
/// Rings that cannot be read (columns of different length, a coordinate that is no number, one node in two places)
/// give no lines: what they bound is not known. Where rings cross without a node there is no corner to walk through.
pub fn sight_lines(rings: &[Ring]) -> Vec<(u32, u32)> {
    lines_within(rings, Limits { all: MAX_CORNERS, sighted: MAX_SIGHTED })
}

pub(super) fn lines_within(rings: &[Ring], limits: Limits) -> Vec<(u32, u32)> {
    let Some(square) = Square::new(rings) else {
        return Vec::new();
    };
    let edges = ring_edges(rings);
    let mut lines = Vec::new();
    for (from, to) in square.sight_lines(limits) {
        for &one in &square.spots[from].nodes {
            for &other in &square.spots[to].nodes {
                let line = (one.min(other), one.max(other));
                if edges.binary_search(&line).is_err() {
                    lines.push(line);
                }
            }
        }
    }
    lines.sort_unstable();
    lines
}

fn ring_edges(rings: &[Ring]) -> Vec<(u32, u32)> {
    let mut edges: Vec<_> = rings
        .iter()
        .flat_map(|ring| closed_pairs(&ring.nodes))
        .map(|(from, to)| (from.min(to), from.max(to)))
        .collect();
    edges.sort_unstable();
    edges
}

/// Each value with its successor, the last with the first.
fn closed_pairs<T: Copy>(values: &[T]) -> impl Iterator<Item = (T, T)> {
    values.iter().copied().zip(values.iter().copied().cycle().skip(1))
}

impl Ring {
    fn is_readable(&self) -> bool {
        let count = self.nodes.len();
        self.places.len() == count
            && self.entry.len() == count
            && self.places.iter().flatten().all(|metres| metres.abs() < FARTHEST_M)
    }
}

/// A place where a ring has a corner, however many rings and nodes meet there.
struct Spot {
    place: Coord<f64>,
    nodes: Vec<u32>,
    entry: bool,
    /// The other ends of the ring edges that end here, one for each.
    neighbours: Vec<usize>,
    /// Position along the rings, of the first corner here.
    order: usize,
}

/// An edge between two spots, whichever rings walk it.
struct Side {
    ends: [usize; 2],
    /// Whether one side of it is free and the other is not: an edge walked twice bounds nothing.
    wall: bool,
}

/// How a spot takes part in sight lines.
#[derive(Clone, Copy, PartialEq)]
enum Part {
    /// Lines end here from everywhere.
    Open,
    /// A walk only bends here, so only lines that touch the corner and pass by are of use.
    Bend,
}

/// The rings as one drawing.
struct Square {
    /// Sorted by place.
    spots: Vec<Spot>,
    sides: Vec<Side>,
}

/// On which side of a line each spot lies, and the line.
struct Look {
    from: usize,
    to: usize,
    turns: Vec<Orientation>,
}

impl Square {
    fn new(rings: &[Ring]) -> Option<Self> {
        if !rings.iter().all(Ring::is_readable) {
            return None;
        }
        let spots = spots(rings);
        let mut nodes: Vec<u32> = spots.iter().flat_map(|spot| spot.nodes.iter().copied()).collect();
        nodes.sort_unstable();
        if nodes.windows(2).any(|pair| pair[0] == pair[1]) {
            return None;
        }
        let mut square = Self { spots, sides: Vec::new() };
        square.add_sides(rings);
        Some(square)
    }

    fn add_sides(&mut self, rings: &[Ring]) {
        let mut ends = Vec::new();
        for ring in rings {
            let spots: Vec<usize> = ring.places.iter().map(|&place| self.spot_at(place)).collect();
            ends.extend(closed_pairs(&spots).filter(|(from, to)| from != to));
        }
        for &(from, to) in &ends {
            self.spots[from].neighbours.push(to);
            self.spots[to].neighbours.push(from);
        }
        let mut ends: Vec<[usize; 2]> = ends.iter().map(|&(from, to)| [from.min(to), from.max(to)]).collect();
        ends.sort_unstable();
        self.sides = ends
            .chunk_by(|one, other| one == other)
            .map(|walked| Side { ends: walked[0], wall: walked.len() % 2 == 1 })
            .collect();
    }

    fn spot_at(&self, place: [f64; 2]) -> usize {
        let place = coord(place);
        self.spots.partition_point(|spot| (spot.place.x, spot.place.y) < (place.x, place.y))
    }

    /// Pairs of spots, each once.
    fn sight_lines(&self, limits: Limits) -> Vec<(usize, usize)> {
        let part = self.taking_part(limits);
        let mut look = self.look(0, 0);
        let mut lines = Vec::new();
        for (at, &(from, from_part)) in part.iter().enumerate() {
            for &(to, to_part) in &part[at + 1..] {
                self.turn(&mut look, from, to);
                let useful = (from_part == Part::Open || self.passes_by(&look, from))
                    && (to_part == Part::Open || self.passes_by(&look, to));
                if useful && self.is_free(&look) {
                    lines.push((from, to));
                }
            }
        }
        lines
    }

    fn taking_part(&self, limits: Limits) -> Vec<(usize, Part)> {
        let mut along: Vec<usize> = (0..self.spots.len()).collect();
        if along.len() <= limits.all {
            return along.into_iter().map(|spot| (spot, Part::Open)).collect();
        }
        along.sort_unstable_by_key(|&spot| self.spots[spot].order);
        let (entries, others): (Vec<_>, Vec<_>) = along.into_iter().partition(|&spot| self.spots[spot].entry);
        let (joints, bends) = self.joints_and_bends(&others);
        let exact = entries.len() + joints.len() + bends.len() <= limits.sighted;
        let mut part: Vec<(usize, Part)> = Vec::new();
        for (group, role) in [(entries, Part::Open), (joints, Part::Open), (bends, Part::Bend)] {
            let room = limits.sighted - part.len();
            // Beside a corner left out, a walk bends where it does not touch: lines must come from everywhere.
            part.extend(thinned(&group, room).map(|spot| (spot, if exact { role } else { Part::Open })));
        }
        part
    }

    /// Of these spots, those where rings touch, and those where the free space turns by more than 180 degrees.
    fn joints_and_bends(&self, spots: &[usize]) -> (Vec<usize>, Vec<usize>) {
        if self.spots.len() > MAX_SEARCHED {
            return (Vec::new(), Vec::new());
        }
        let touching = self.touching();
        let (joints, plain): (Vec<usize>, Vec<usize>) = spots.iter().partition(|&&spot| {
            let Spot { nodes, neighbours, .. } = &self.spots[spot];
            touching[spot] || nodes.len() > 1 || neighbours.len() != 2 || neighbours[0] == neighbours[1]
        });
        let mut look = self.look(0, 0);
        let bends = plain.into_iter().filter(|&spot| self.is_bend(&mut look, spot)).collect();
        (joints, bends)
    }

    /// Spots that lie on a side between its ends, and the ends of that side, which are their neighbours.
    fn touching(&self) -> Vec<bool> {
        let mut touching = vec![false; self.spots.len()];
        for side in &self.sides {
            let [from, to] = side.ends.map(|end| self.spots[end].place);
            for (spot, at) in self.spots.iter().zip(0..) {
                // Cheap first: hardly any spot is in the box of a side.
                if within_box(from, to, spot.place)
                    && is_between(from, to, spot.place)
                    && orient(from, to, spot.place) == Orientation::Collinear
                {
                    touching[at] = true;
                    touching[side.ends[0]] = true;
                    touching[side.ends[1]] = true;
                }
            }
        }
        touching
    }

    /// Whether the free space turns by more than 180 degrees at a spot where just two walls end.
    fn is_bend(&self, look: &mut Look, spot: usize) -> bool {
        let [before, after] = self.spots[spot].neighbours[..] else {
            return false;
        };
        self.turn(look, spot, after);
        match look.turns[before] {
            // The narrow angle is on the left of the wall to the next corner.
            Orientation::CounterClockwise => !self.left_is_free(look),
            Orientation::Clockwise => self.left_is_free(look),
            Orientation::Collinear => false,
        }
    }

    fn look(&self, from: usize, to: usize) -> Look {
        Look { from, to, turns: vec![Orientation::Collinear; self.spots.len()] }
    }

    fn turn(&self, look: &mut Look, from: usize, to: usize) {
        (look.from, look.to) = (from, to);
        let (start, end) = (self.spots[from].place, self.spots[to].place);
        for (turn, spot) in look.turns.iter_mut().zip(&self.spots) {
            *turn = orient(start, end, spot.place);
        }
    }

    /// Whether the walls at one end of the line are on one side of it: a shortest walk bends around, not into, a corner.
    fn passes_by(&self, look: &Look, end: usize) -> bool {
        let sides = &self.spots[end].neighbours;
        let on = |side| sides.iter().any(|&neighbour| look.turns[neighbour] == side);
        !(on(Orientation::Clockwise) && on(Orientation::CounterClockwise))
    }

    /// Whether the line is a walk: no corner on it, no wall across it, and free space or an edge under it.
    fn is_free(&self, look: &Look) -> bool {
        if self.meets_corner(look) || self.sides.iter().any(|side| side.wall && self.crosses(look, side)) {
            return false;
        }
        // Nothing touches the line between its ends now, so it is free all along or nowhere.
        self.sides.iter().any(|side| self.covers(look, side)) || self.left_is_free(look)
    }

    fn meets_corner(&self, look: &Look) -> bool {
        let (from, to) = (self.spots[look.from].place, self.spots[look.to].place);
        let mut spots = self.spots.iter().zip(&look.turns);
        spots.any(|(spot, &turn)| turn == Orientation::Collinear && is_between(from, to, spot.place))
    }

    fn crosses(&self, look: &Look, side: &Side) -> bool {
        let [one, other] = side.ends.map(|end| look.turns[end]);
        if !opposite(one, other) {
            return false;
        }
        let [start, end] = side.ends.map(|end| self.spots[end].place);
        let turn_to = |spot: usize| orient(start, end, self.spots[spot].place);
        opposite(turn_to(look.from), turn_to(look.to))
    }

    /// Whether the line, on which there is no corner, is a piece of the side.
    fn covers(&self, look: &Look, side: &Side) -> bool {
        let [start, end] = side.ends.map(|end| self.spots[end].place);
        side.ends.iter().all(|&end| look.turns[end] == Orientation::Collinear)
            && [look.from, look.to]
                .iter()
                .all(|&spot| side.ends.contains(&spot) || is_between(start, end, self.spots[spot].place))
    }

    /// Whether the space just after the start of the line, on its left, is free.
    ///
    /// Counts the walls ahead on the line, shifted to the left by less than any distance in the drawing: a spot on the
    /// line is then on its right, and a wall that ends at the start is behind.
    fn left_is_free(&self, look: &Look) -> bool {
        let ahead = self.sides.iter().filter(|side| side.wall && self.is_ahead(look, side)).count();
        ahead % 2 == 1
    }

    fn is_ahead(&self, look: &Look, side: &Side) -> bool {
        let is_left = |end: usize| look.turns[end] == Orientation::CounterClockwise;
        let [one, other] = side.ends;
        let (left, right) = match (is_left(one), is_left(other)) {
            (true, false) => (one, other),
            (false, true) => (other, one),
            _ => return false,
        };
        let start = self.spots[look.from].place;
        orient(self.spots[left].place, self.spots[right].place, start) == Orientation::Clockwise
    }
}

/// The places of all corners, each once, sorted.
fn spots(rings: &[Ring]) -> Vec<Spot> {
    let corners = rings.iter().flat_map(|ring| ring.places.iter().zip(&ring.nodes).zip(&ring.entry));
    let mut corners: Vec<_> = corners
        .enumerate()
        .map(|(order, ((&place, &node), &entry))| (coord(place), node, entry, order))
        .collect();
    corners.sort_by(|(a, ..), (b, ..)| a.x.total_cmp(&b.x).then(a.y.total_cmp(&b.y)));
    let at_one_place = corners.chunk_by(|one, other| one.0 == other.0);
    at_one_place
        .map(|here| {
            let mut nodes: Vec<u32> = here.iter().map(|&(_, node, ..)| node).collect();
            nodes.sort_unstable();
            nodes.dedup();
            let entry = here.iter().any(|&(_, _, entry, _)| entry);
            Spot { place: here[0].0, nodes, entry, neighbours: Vec::new(), order: here[0].3 }
        })
        .collect()
}

fn coord([east_m, north_m]: [f64; 2]) -> Coord<f64> {
    // Minus zero is the same place as zero, but sorts apart.
    Coord { x: east_m + 0.0, y: north_m + 0.0 }
}

/// As many as there is room for, evenly along the group.
fn thinned(group: &[usize], room: usize) -> impl Iterator<Item = usize> {
    let (count, room) = (group.len(), room.min(group.len()));
    let is_kept = move |at: usize| at * room / count != (at + 1) * room / count;
    group.iter().enumerate().filter(move |&(at, _)| is_kept(at)).map(|(_, &spot)| spot)
}

fn orient(from: Coord<f64>, to: Coord<f64>, place: Coord<f64>) -> Orientation {
    RobustKernel::orient2d(from, to, place)
}

fn opposite(one: Orientation, other: Orientation) -> bool {
    one != other && one != Orientation::Collinear && other != Orientation::Collinear
}

/// Whether a place on the line lies between its ends; neither end does.
fn is_between(from: Coord<f64>, to: Coord<f64>, place: Coord<f64>) -> bool {
    let between = |from: f64, to: f64, at: f64| from.min(to) < at && at < from.max(to);
    between(from.x, to.x, place.x) || between(from.y, to.y, place.y)
}

fn within_box(from: Coord<f64>, to: Coord<f64>, place: Coord<f64>) -> bool {
    let within = |from: f64, to: f64, at: f64| from.min(to) <= at && at <= from.max(to);
    within(from.x, to.x, place.x) && within(from.y, to.y, place.y)
}
