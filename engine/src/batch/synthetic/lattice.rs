//! Where junctions may lie: a warped lattice over the terrain, of which the buildable part is the city.

use super::chance::{Chance, Purpose};
use super::terrain::Terrain;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::plane::Plane;
use crate::model::progress::Progress;
use crate::model::synthetic::{Wanted, middle};
use crate::network::components::joined;
use geo::Coord;
use rayon::prelude::*;
use std::f64::consts::TAU;

/// Metres from junction to junction.
pub const APART_M: f64 = 40.0;
/// Junctions from border to border of an estate, a community (24) and a district (96).
pub const ESTATE: usize = 12;
/// Share of the lattice that is city: the rest is water, ridge and outskirts.
const BUILT: f64 = 0.55;
/// Pieces of the city with fewer junctions than this are no city.
const LEAST_PIECE: usize = 24;
/// No junction.
pub const NONE: u32 = u32::MAX;

/// The lattice of one city and its junctions.
pub struct Lattice {
    /// Points from west to east, and from south to north.
    pub columns: usize,
    /// The ground.
    pub terrain: Terrain,
    /// Junction at each point, row by row from the south; [`NONE`] where nothing is built.
    pub junction: Vec<u32>,
    /// Point of each junction.
    pub point: Vec<u32>,
    chance: Chance,
    plane: Plane,
    warp: Warp,
}

/// Shears that bend the lattice, large ones and small ones: any shear keeps areas and never folds.
#[derive(Debug, Clone, Copy)]
struct Warp {
    turns_m: [f64; 2],
    phases: [f64; 4],
}

/// How far a shear moves a point, as a share of the way between two bends.
const BEND: f64 = 0.05;

impl Lattice {
    /// The lattice of a city, with the best points for its junctions.
    pub fn new(wanted: Wanted, chance: Chance, progress: &Progress) -> Result<Self> {
        let columns = ((wanted.nodes() as f64 / BUILT).sqrt() as usize).div_ceil(ESTATE) * ESTATE + 1;
        let side_m = columns as f64 * APART_M;
        let mut draw = chance.of(Purpose::Relief, 1);
        let turn_m = (side_m / 4.0).clamp(900.0, 2800.0);
        let phases = std::array::from_fn(|_| draw.between(0.0, TAU));
        let warp = Warp { turns_m: [turn_m, turn_m * 0.31], phases };
        let terrain = Terrain::new(side_m, chance);
        let (junction, point, plane) = (vec![], vec![], Plane::at(middle()));
        let mut new = Self { columns, terrain, junction, point, chance, plane, warp };
        progress.begin("synthetic terrain", columns)?;
        let fitness = new.fitness(progress)?;
        new.choose(wanted.nodes(), &fitness);
        Ok(new)
    }

    /// Points of the lattice.
    pub fn points(&self) -> usize {
        self.columns * self.columns
    }

    /// Metres from the middle of the city to its border.
    pub fn half_side_m(&self) -> f64 {
        self.columns as f64 * APART_M / 2.0
    }

    /// Where a point lies, metres east and north of the middle.
    pub fn at(&self, point: usize) -> Coord {
        let straight = self.straight(point);
        let mut draw = self.chance.of(Purpose::Jitter, point as u64);
        let mut off = || draw.between(-0.16, 0.16) * APART_M;
        self.warp.of(Coord { x: straight.x + off(), y: straight.y + off() })
    }

    fn straight(&self, point: usize) -> Coord {
        let half = (self.columns / 2) as f64;
        let (row, column) = (point / self.columns, point % self.columns);
        Coord { x: (column as f64 - half) * APART_M, y: (row as f64 - half) * APART_M }
    }

    /// Where a junction lies.
    pub fn of_junction(&self, junction: u32) -> Coord {
        self.at(self.point[junction as usize] as usize)
    }

    /// A place between the four corners of the lattice's mesh whose south-west corner is `point`, by its shares east and
    /// north.
    pub fn in_mesh(&self, point: usize, east: f64, north: f64) -> Coord {
        let corner = |dx: usize, dy: usize| self.at(point + dx + dy * self.columns);
        let mix = |a: Coord, b: Coord, share: f64| a + (b - a) * share;
        mix(mix(corner(0, 0), corner(1, 0), east), mix(corner(0, 1), corner(1, 1), east), north)
    }

    /// The degrees of a place.
    pub fn place(&self, at: Coord) -> Place {
        let degrees = self.plane.degrees(at);
        Place::new(degrees.x, degrees.y).expect("a city lies around its middle")
    }

    /// The metres of a place.
    pub fn flat(&self, place: Place) -> Coord {
        self.plane.flat(place)
    }

    /// Number of junctions.
    pub fn len(&self) -> usize {
        self.point.len()
    }

    /// How well one can build on each point; minus infinity in the water.
    fn fitness(&self, progress: &Progress) -> Result<Vec<f32>> {
        let heights: Vec<Vec<f32>> = (0..self.columns)
            .into_par_iter()
            .map(|row| {
                progress.step(1)?;
                let point = |column| self.at(row * self.columns + column);
                Ok((0..self.columns).map(|column| self.terrain.height_m(point(column)) as f32).collect())
            })
            .collect::<Result<_>>()?;
        let at = |row: usize, column: usize| f64::from(heights[row][column]);
        let last = self.columns - 1;
        let fit = |point: usize| -> f32 {
            let (row, column) = (point / self.columns, point % self.columns);
            let place = self.at(point);
            if self.terrain.on_islet(place) {
                return f32::INFINITY;
            }
            let bank_m = self.terrain.bank_m(place);
            if bank_m <= 6.0 {
                return f32::NEG_INFINITY;
            }
            let (west, east) = (column.saturating_sub(2), (column + 2).min(last));
            let (south, north) = (row.saturating_sub(2), (row + 2).min(last));
            let rise = (at(row, east) - at(row, west)).hypot(at(north, column) - at(south, column));
            let away = place.x.hypot(place.y) / self.half_side_m();
            let ridge = self.terrain.ridges_m(place, bank_m) / 60.0;
            -(ridge + rise / (4.0 * APART_M) * 2.5 + 1.6 * away * away) as f32
        };
        let rows = (0..self.columns).into_par_iter().map(|row| {
            progress.check()?;
            Ok((0..self.columns).map(|column| fit(row * self.columns + column)).collect())
        });
        Ok(rows.collect::<Result<Vec<Vec<f32>>>>()?.concat())
    }

    /// Take the fittest points, but no small pieces; more are taken for those that were given up.
    fn choose(&mut self, wanted: usize, fitness: &[f32]) {
        let mut order: Vec<u32> = (0..fitness.len() as u32).collect();
        order.retain(|&point| fitness[point as usize] > f32::NEG_INFINITY);
        order.par_sort_unstable_by(|&a, &b| {
            fitness[b as usize].total_cmp(&fitness[a as usize]).then(a.cmp(&b))
        });
        let mut count = wanted.min(order.len());
        for _ in 0..6 {
            self.junction = vec![NONE; fitness.len()];
            for &point in &order[..count] {
                self.junction[point as usize] = 0;
            }
            self.drop_small_pieces();
            let missing = wanted.saturating_sub(self.len());
            if missing * 500 < wanted || count == order.len() {
                break;
            }
            count = (count + missing).min(order.len());
        }
    }

    /// Neighbours east and north of a point where both are built.
    pub fn built_pairs(&self) -> impl Iterator<Item = (u32, u32)> + '_ {
        let built = |point: usize| self.junction[point] != NONE;
        let points = (0..self.points()).filter(move |&point| built(point));
        points.flat_map(move |point| {
            let (row, column) = (point / self.columns, point % self.columns);
            let east = (column + 1 < self.columns).then_some(point + 1);
            let north = (row + 1 < self.columns).then_some(point + self.columns);
            let pairs = [east, north].into_iter().flatten().filter(move |&other| built(other));
            pairs.map(move |other| (point as u32, other as u32))
        })
    }

    fn drop_small_pieces(&mut self) {
        let piece = joined(self.points(), self.built_pairs());
        let mut size = vec![0_usize; self.points()];
        for point in (0..self.points()).filter(|&point| self.junction[point] != NONE) {
            size[piece[point] as usize] += 1;
        }
        self.keep(|lattice, point| {
            size[piece[point] as usize] >= LEAST_PIECE || lattice.terrain.on_islet(lattice.at(point))
        });
    }

    /// Keep the junctions at some of the points, numbered anew.
    pub fn keep(&mut self, wanted: impl Fn(&Self, usize) -> bool) {
        self.point.clear();
        for point in 0..self.points() {
            if self.junction[point] == NONE {
                continue;
            }
            if wanted(self, point) {
                self.junction[point] = self.point.len() as u32;
                self.point.push(point as u32);
            } else {
                self.junction[point] = NONE;
            }
        }
    }
}

impl Warp {
    fn of(self, at: Coord) -> Coord {
        let bend = |turn_m: f64, along: f64, phase: f64| BEND * turn_m * (TAU * along / turn_m + phase).sin();
        self.turns_m.iter().zip(self.phases.chunks(2)).fold(at, |at, (&turn_m, phases)| {
            let x = at.x + bend(turn_m, at.y, phases[0]);
            Coord { x, y: at.y + bend(turn_m * 1.3, x, phases[1]) }
        })
    }
}
