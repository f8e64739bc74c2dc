//! Which junctions are joined, and by what: flat ways first, every junction reached, about 2.6 arcs each.

use super::chance::{Chance, Purpose};
use super::estates::Estates;
use super::lattice::{ESTATE, Lattice, NONE};
use crate::model::error::Result;
use crate::model::progress::Progress;
use geo::Coord;
use rayon::prelude::*;

/// Edges per junction: with two arcs each, the 2.6 arcs that walking networks of real cities have.
const EDGES: f64 = 1.3;
/// Steeper than this, a path is stairs; a street is so only where it is steeper still.
const STEEP_PATH: f64 = 0.17;
const STEEP_STREET: f64 = 0.27;
/// Height of a step, as the engine takes it where only steps are told.
pub const STEP_M: f64 = 0.16;

/// A way between two junctions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Street {
    /// Junction at its start.
    pub from: u32,
    /// Junction at its end.
    pub to: u32,
    /// What it is.
    pub kind: Kind,
    /// The number of the line of the lattice that it is a part of, which has one name; even for rows.
    pub line: u32,
}

/// What a way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Main road across the city.
    Primary,
    /// Main road of a district.
    Secondary,
    /// Road around estates.
    Tertiary,
    /// Street.
    Residential,
    /// Alley with cars.
    Service,
    /// Path.
    Footway,
    /// Stairs, with their number of steps; positive when they climb from start to end.
    Steps(i16),
    /// Road over water.
    Bridge,
    /// Road through a ridge.
    Tunnel,
    /// Way inside an estate; for cars too.
    Estate(bool),
    /// Stairs inside an estate.
    EstateSteps(i16),
    /// Way through a gate; only for those who live there.
    Gate(bool),
}

/// The order in which ways are laid: what comes first is kept where both lead to the same place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    Road,
    Path,
    MainCrossing,
    Crossing,
    InEstate,
    IntoEstate,
}

/// A way that may be laid between two points of the lattice.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    rank: Rank,
    /// Less is laid earlier.
    cost: f32,
    from: u32,
    to: u32,
    /// What a gap in the lattice is crossed by.
    over: Option<Kind>,
}

/// Lay the streets; junctions that none reaches are given up.
pub fn lay(
    lattice: &mut Lattice,
    estates: &Estates,
    chance: Chance,
    progress: &Progress,
) -> Result<Vec<Street>> {
    progress.begin("synthetic streets", 4)?;
    let mut candidates = neighbours(lattice, estates, chance, progress)?;
    progress.step(1)?;
    candidates.extend(crossings(lattice, chance));
    candidates.par_sort_unstable_by(|a, b| {
        (a.rank.cmp(&b.rank)).then(a.cost.total_cmp(&b.cost)).then((a.from, a.to).cmp(&(b.from, b.to)))
    });
    progress.step(1)?;
    let mut laid = laid(lattice, &candidates, chance);
    progress.step(1)?;
    laid.sort_unstable_by_key(|candidate| (candidate.from, candidate.to));
    let street = |candidate: &Candidate| street(lattice, chance, candidate);
    let streets = laid.par_iter().map(street).collect();
    progress.step(1)?;
    Ok(streets)
}

/// The candidates that are laid: those that join what was apart, and the cheapest others.
fn laid(lattice: &mut Lattice, candidates: &[Candidate], chance: Chance) -> Vec<Candidate> {
    let mut pieces = Pieces((0..lattice.points() as u32).collect());
    let joins: Vec<bool> =
        candidates.iter().map(|candidate| pieces.join(candidate.from, candidate.to)).collect();
    keep_largest(lattice, &mut pieces);
    let reached = |candidate: &Candidate| lattice.junction[candidate.from as usize] != NONE;
    let mut laid = Vec::new();
    let mut spare = Vec::new();
    for (candidate, joins) in candidates.iter().zip(joins).filter(|(candidate, _)| reached(candidate)) {
        let item = u64::from(candidate.from) << 1 | u64::from(candidate.to == candidate.from + 1);
        let mut draw = chance.of(Purpose::Street, item);
        draw.bits();
        let also = match candidate.rank {
            Rank::Road => draw.happens(0.97),
            Rank::MainCrossing => true,
            Rank::Crossing => draw.happens(0.01),
            Rank::IntoEstate => draw.happens(0.05),
            Rank::Path | Rank::InEstate => false,
        };
        if joins || also {
            laid.push(*candidate);
        } else if matches!(candidate.rank, Rank::Path | Rank::InEstate) {
            spare.push(*candidate);
        }
    }
    spare.sort_unstable_by(|a, b| a.cost.total_cmp(&b.cost).then((a.from, a.to).cmp(&(b.from, b.to))));
    let missing = ((lattice.len() as f64 * EDGES) as usize).saturating_sub(laid.len());
    laid.extend(spare.into_iter().take(missing));
    laid
}

/// Keep the largest piece, and the island in the river.
fn keep_largest(lattice: &mut Lattice, pieces: &mut Pieces) {
    let piece: Vec<u32> = (0..lattice.points() as u32).map(|point| pieces.root(point)).collect();
    let mut size = vec![0_u32; lattice.points()];
    for &point in &lattice.point {
        size[piece[point as usize] as usize] += 1;
    }
    let largest = (0..size.len()).max_by_key(|&root| (size[root], usize::MAX - root)).unwrap_or_default();
    lattice.keep(|lattice, point| {
        piece[point] as usize == largest || lattice.terrain.on_islet(lattice.at(point))
    });
}

/// Neighbours in the lattice.
fn neighbours(
    lattice: &Lattice,
    estates: &Estates,
    chance: Chance,
    progress: &Progress,
) -> Result<Vec<Candidate>> {
    let pairs: Vec<(u32, u32)> = lattice.built_pairs().collect();
    let chunks = pairs.par_chunks(1 << 12).map(|chunk| {
        progress.check()?;
        Ok(chunk.iter().map(|&pair| neighbour(lattice, estates, chance, pair)).collect())
    });
    Ok(chunks.collect::<Result<Vec<Vec<Candidate>>>>()?.concat())
}

fn neighbour(lattice: &Lattice, estates: &Estates, chance: Chance, (from, to): (u32, u32)) -> Candidate {
    let columns = lattice.columns;
    let inside = [from, to].map(|point| estates.of_point(columns, point as usize));
    let rank = match inside {
        [Some(_), Some(_)] => Rank::InEstate,
        [None, None] if line(columns, from, to).is_multiple_of(ESTATE) => Rank::Road,
        [None, None] => Rank::Path,
        _ => Rank::IntoEstate,
    };
    let slope = slope(lattice, from, to).abs();
    let item = u64::from(from) << 1 | u64::from(to == from + 1);
    let unit = chance.of(Purpose::Street, item).unit();
    Candidate { rank, cost: (unit * (0.3 + 5.0 * slope)) as f32, from, to, over: None }
}

/// The row or column of the lattice that two points lie on.
fn line(columns: usize, from: u32, to: u32) -> usize {
    let (from, to) = (from as usize, to as usize);
    if from / columns == to / columns { from / columns } else { from % columns }
}

/// Rise over run from point to point.
fn slope(lattice: &Lattice, from: u32, to: u32) -> f64 {
    let [a, b] = [from, to].map(|point| lattice.at(point as usize));
    (lattice.terrain.height_m(b) - lattice.terrain.height_m(a)) / distance_m(a, b)
}

fn distance_m(a: Coord, b: Coord) -> f64 {
    (b.x - a.x).hypot(b.y - a.y)
}

/// Ways over the gaps of the lattice's rows and columns: bridges, tunnels, and roads over land that is not built.
fn crossings(lattice: &Lattice, chance: Chance) -> Vec<Candidate> {
    let columns = lattice.columns;
    let lines = (0..columns).flat_map(|line| {
        let along = move |row: bool| {
            let point = move |at: usize| if row { line * columns + at } else { at * columns + line };
            (line, (0..columns).map(point).collect::<Vec<usize>>())
        };
        [along(true), along(false)]
    });
    let mut found = Vec::new();
    for (line, points) in lines {
        let built: Vec<usize> = (0..columns).filter(|&at| lattice.junction[points[at]] != NONE).collect();
        let gaps = built.windows(2).filter(|pair| pair[1] > pair[0] + 1);
        found.extend(gaps.filter_map(|pair| crossing(lattice, chance, line, &points[pair[0]..=pair[1]])));
    }
    found
}

/// The way over one gap, whose ends are built and nothing between.
fn crossing(lattice: &Lattice, chance: Chance, line: usize, points: &[usize]) -> Option<Candidate> {
    let (&first, &last) = (points.first()?, points.last()?);
    let places: Vec<Coord> = points.iter().map(|&point| lattice.at(point)).collect();
    let terrain = &lattice.terrain;
    if [places[0], places[places.len() - 1]].iter().any(|&end| terrain.on_islet(end)) {
        return None;
    }
    let between = &places[1..places.len() - 1];
    let wet = between.iter().filter(|&&place| terrain.is_water(place)).count();
    let ends_m = terrain.height_m(places[0]).max(terrain.height_m(places[places.len() - 1]));
    let highest_m = between.iter().map(|&place| terrain.height_m(place)).fold(0.0, f64::max);
    let over = if wet > 0 {
        Kind::Bridge
    } else if highest_m > ends_m + 12.0 {
        Kind::Tunnel
    } else {
        Kind::Residential
    };
    let length = between.len() as f64;
    let longest = if over == Kind::Tunnel { 50.0 } else { 22.0 };
    let main = line.is_multiple_of(2 * ESTATE) && over != Kind::Residential && length <= longest;
    let main = main && chance.of(Purpose::Crossing, first as u64).happens(0.75);
    let rank = if main { Rank::MainCrossing } else { Rank::Crossing };
    Some(Candidate { rank, cost: length as f32, from: first as u32, to: last as u32, over: Some(over) })
}

fn street(lattice: &Lattice, chance: Chance, candidate: &Candidate) -> Street {
    let &Candidate { rank, from, to, over, .. } = candidate;
    let columns = lattice.columns;
    let row = from as usize / columns == to as usize / columns;
    let line = line(columns, from, to);
    let [start, end] = [from, to].map(|point| lattice.junction[point as usize]);
    let item = u64::from(from) << 1 | u64::from(to == from + 1);
    let mut draw = chance.of(Purpose::StreetKind, item);
    let grade = slope(lattice, from, to);
    let length_m = distance_m(lattice.at(from as usize), lattice.at(to as usize));
    let steps = (grade * length_m / STEP_M).round() as i16;
    let kind = match (over, rank) {
        (Some(over), _) => over,
        (None, Rank::IntoEstate) => Kind::Gate(draw.happens(0.7)),
        (None, Rank::InEstate) if grade.abs() > STEEP_PATH => Kind::EstateSteps(steps),
        (None, Rank::InEstate) => Kind::Estate(draw.happens(0.4)),
        _ if line.is_multiple_of(4 * ESTATE) => Kind::Primary,
        _ if line.is_multiple_of(2 * ESTATE) => Kind::Secondary,
        _ if line.is_multiple_of(ESTATE) && grade.abs() > STEEP_STREET => Kind::Steps(steps),
        _ if line.is_multiple_of(ESTATE) => Kind::Tertiary,
        _ if grade.abs() > STEEP_PATH => Kind::Steps(steps),
        _ if line.is_multiple_of(ESTATE / 2) || draw.happens(0.3) => Kind::Residential,
        _ if draw.happens(0.2) => Kind::Service,
        _ => Kind::Footway,
    };
    Street { from: start, to: end, kind, line: (line * 2 + usize::from(!row)) as u32 }
}

impl Kind {
    /// Steps of stairs for everybody, and whether they climb from start to end.
    pub fn public_steps(self) -> Option<i16> {
        match self {
            Self::Steps(steps) => Some(steps),
            _ => None,
        }
    }
}

/// Points that are joined, by a tree whose root is the lowest.
struct Pieces(Vec<u32>);

impl Pieces {
    fn root(&mut self, mut point: u32) -> u32 {
        while self.0[point as usize] != point {
            let above = self.0[self.0[point as usize] as usize];
            self.0[point as usize] = above;
            point = above;
        }
        point
    }

    /// Join two points; false where they were already.
    fn join(&mut self, from: u32, to: u32) -> bool {
        let (a, b) = (self.root(from), self.root(to));
        self.0[a.max(b) as usize] = a.min(b);
        a != b
    }
}
