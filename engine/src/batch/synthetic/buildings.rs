//! Residential buildings and who lives in them.

use super::chance::{Chance, Draws, Purpose};
use super::estates::Estates;
use super::lattice::{Lattice, NONE};
use crate::model::error::Result;
use crate::model::progress::Progress;
use geo::Coord;
use rayon::prelude::*;

/// Share of meshes with a home, in walled estates and elsewhere.
const HOMES_IN_ESTATES: f64 = 0.16;
const HOMES: f64 = 0.10;
/// Floor area of a flat with its share of stairs and lifts, m².
const FLAT_M2: f64 = 82.0;

/// A residential building.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Building {
    /// The mesh that it stands in, by its south-west point.
    pub mesh: usize,
    /// Its middle.
    pub middle: Coord,
    /// Metres along its two sides.
    pub sides_m: [f64; 2],
    /// How far it is turned anticlockwise, radians.
    pub turned: f64,
    /// Floors.
    pub floors: u8,
    /// Households.
    pub households: u32,
    /// People.
    pub people: People,
}

/// People by age; the age groups of the catalogue.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct People {
    /// Everybody.
    pub all: u32,
    /// 0 to 2 years.
    pub infants: u32,
    /// 3 to 5 years.
    pub preschool: u32,
    /// 6 to 11 years.
    pub primary: u32,
    /// 12 to 14 years.
    pub junior: u32,
    /// 60 years and older.
    pub seniors: u32,
    /// People of any age who cannot walk well.
    pub mobility_limited: u32,
}

impl People {
    /// The names of [`People::counts`]: the catalogue's ids of age groups.
    pub const GROUPS: [&'static str; 7] = [
        "infant_0_2",
        "preschool_3_5",
        "primary_6_11",
        "junior_12_14",
        "child_0_14",
        "senior_60_plus",
        "mobility_limited",
    ];

    /// People of each group; children are those of the first four.
    pub fn counts(&self) -> [u32; 7] {
        let children = self.infants + self.preschool + self.primary + self.junior;
        let young = [self.infants, self.preschool, self.primary, self.junior, children];
        [young[0], young[1], young[2], young[3], young[4], self.seniors, self.mobility_limited]
    }
}

/// Build homes in the meshes between streets.
pub fn build(
    lattice: &Lattice,
    estates: &Estates,
    chance: Chance,
    progress: &Progress,
) -> Result<Vec<Building>> {
    progress.begin("synthetic buildings", lattice.columns)?;
    let rows: Vec<Vec<Building>> = (0..lattice.columns - 1)
        .into_par_iter()
        .map(|row| {
            progress.step(1)?;
            let meshes = (0..lattice.columns - 1).map(|column| row * lattice.columns + column);
            Ok(meshes.filter_map(|mesh| building(lattice, estates, chance, mesh)).collect())
        })
        .collect::<Result<_>>()?;
    Ok(rows.concat())
}

fn building(lattice: &Lattice, estates: &Estates, chance: Chance, mesh: usize) -> Option<Building> {
    let corners = [mesh, mesh + 1, mesh + lattice.columns, mesh + lattice.columns + 1];
    if corners.iter().any(|&corner| lattice.junction[corner] == NONE) {
        return None;
    }
    let mut draw = chance.of(Purpose::Building, mesh as u64);
    let walled = estates.of_mesh(lattice.columns, mesh).is_some();
    if !draw.happens(if walled { HOMES_IN_ESTATES } else { HOMES }) {
        return None;
    }
    let middle = lattice.in_mesh(mesh, draw.between(0.46, 0.54), draw.between(0.46, 0.54));
    let floors = floors(&mut draw, walled);
    let sides_m = [draw.between(11.0, 17.0).round(), draw.between(11.0, 15.0).round()];
    let flats = (sides_m[0] * sides_m[1] / FLAT_M2).round().max(1.0) * f64::from(floors);
    let households = (flats * draw.between(0.75, 0.97)).round().max(1.0);
    // Old people stay in old houses, children come with new flats.
    let old = draw.between(0.10, 0.24) + if walled { 0.0 } else { 0.08 };
    let young = draw.between(0.10, 0.20) + if walled { 0.03 } else { 0.0 };
    let people = people(&mut draw, households, old, young);
    let turned = draw.between(-0.35, 0.35);
    Some(Building { mesh, middle, sides_m, turned, floors, households: households as u32, people })
}

fn floors(draw: &mut Draws, walled: bool) -> u8 {
    let (low, high) = match draw.unit() {
        _ if walled => (17.0, 34.0),
        kind if kind < 0.6 => (5.0, 9.0),
        kind if kind < 0.8 => (10.0, 19.0),
        _ => (22.0, 33.0),
    };
    draw.between(low, high).floor() as u8
}

/// People of so many households; a share of a person is a person by chance.
fn people(draw: &mut Draws, households: f64, old: f64, young: f64) -> People {
    let all = (households * draw.between(2.1, 2.8)).round().max(1.0);
    let mut left = all;
    let mut some = |share: f64| {
        let count = (all * share + draw.unit()).floor().min(left);
        left -= count;
        count as u32
    };
    let infants = some(young * 0.16);
    let preschool = some(young * 0.22);
    let primary = some(young * 0.42);
    let junior = some(young * 0.20);
    let seniors = some(old);
    let mobility_limited = (all * (0.01 + 0.07 * old) + draw.unit()).floor() as u32;
    People { all: all as u32, infants, preschool, primary, junior, seniors, mobility_limited }
}

impl Building {
    /// The corners, anticlockwise; the first is not repeated.
    pub fn corners(&self) -> [Coord; 4] {
        let (sin, cos) = self.turned.sin_cos();
        let [half_x, half_y] = self.sides_m.map(|side| side / 2.0);
        let corner = |x: f64, y: f64| Coord {
            x: self.middle.x + x * cos - y * sin,
            y: self.middle.y + x * sin + y * cos,
        };
        [corner(-half_x, -half_y), corner(half_x, -half_y), corner(half_x, half_y), corner(-half_x, half_y)]
    }

    /// Area of all floors, m².
    pub fn floor_area_m2(&self) -> f64 {
        self.sides_m[0] * self.sides_m[1] * f64::from(self.floors)
    }
}
