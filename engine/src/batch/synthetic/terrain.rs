//! The ground: two rivers that meet, ridges that they cut through, hills between. Closed formulas of a place, so that
//! streets, stairs and the raster agree.

use super::chance::{Chance, Purpose};
use geo::Coord;
use std::f64::consts::TAU;

/// Height of the water, metres above the sea: about that of the Yangtze at Chongqing.
pub const WATER_M: f64 = 170.0;

/// The ground of one city. Places are metres east and north of its middle.
#[derive(Debug, Clone)]
pub struct Terrain {
    side_m: f64,
    chance: Chance,
    main: River,
    side_river: River,
    islet: Islet,
    ridges: Vec<Ridge>,
    hills: Vec<Hills>,
    terrace_m: f64,
    terrace_wide_m: f64,
}

/// A river's middle line: where it runs across, by how far it has come; shares of the city's side.
#[derive(Debug, Clone, Copy)]
struct River {
    at: f64,
    bends: [(f64, f64, f64); 2],
    wide_m: f64,
}

impl River {
    fn across(&self, along: f64) -> f64 {
        let bend = |(size, turns, phase): (f64, f64, f64)| size * (TAU * turns * along + phase).sin();
        self.at + self.bends.into_iter().map(bend).sum::<f64>()
    }

    /// Metres to the middle line of a place given along and across.
    fn distance_m(&self, along: f64, across: f64, side_m: f64) -> f64 {
        (across - self.across(along)).abs() / self.slant(along) * side_m
    }

    /// How much longer the way straight across the map is than that to the nearest point of the middle line.
    fn slant(&self, along: f64) -> f64 {
        const STEP: f64 = 1e-4;
        let slope = (self.across(along + STEP) - self.across(along - STEP)) / (2.0 * STEP);
        (1.0 + slope * slope).sqrt()
    }

    /// Where both banks run across, so many metres from the middle line.
    fn banks(&self, along: f64, half_m: f64, side_m: f64) -> [f64; 2] {
        [-1.0, 1.0].map(|side| self.across(along) + side * half_m * self.slant(along) / side_m)
    }
}

/// An island in the main river, which no bridge leads to.
#[derive(Debug, Clone, Copy)]
struct Islet {
    along: f64,
    half_long_m: f64,
    half_wide_m: f64,
}

#[derive(Debug, Clone, Copy)]
struct Ridge {
    at: f64,
    phase: f64,
    high_m: f64,
    wide_m: f64,
}

/// Hills of one size: chance heights on a grid, smoothly joined.
#[derive(Debug, Clone, Copy)]
struct Hills {
    apart_m: f64,
    high_m: f64,
    number: u64,
}

impl Terrain {
    /// The ground of a city of this width.
    pub fn new(side_m: f64, chance: Chance) -> Self {
        let mut draw = chance.of(Purpose::Relief, 0);
        let wide_m = (side_m / 45.0).clamp(90.0, 700.0);
        let mut river = |at: f64, wide_m: f64| River {
            at: at + draw.between(-0.03, 0.03),
            bends: [
                (draw.between(0.06, 0.10), draw.between(1.0, 1.5), draw.between(0.0, TAU)),
                (draw.between(0.02, 0.03), draw.between(2.5, 3.4), draw.between(0.0, TAU)),
            ],
            wide_m,
        };
        let (main, side_river) = (river(0.42, wide_m), river(0.5, wide_m * 0.6));
        let islet = Islet {
            along: draw.between(0.2, 0.35),
            half_long_m: (side_m * 0.03).clamp(110.0, 600.0),
            half_wide_m: (wide_m * 0.6).clamp(55.0, 250.0),
        };
        let places: &[f64] = if side_m < 12_000.0 { &[0.16, 0.84] } else { &[0.08, 0.30, 0.68, 0.91] };
        let ridge_wide_m = (side_m / (places.len() as f64 * 8.0)).clamp(60.0, 1100.0);
        let ridges = places.iter().map(|at| Ridge {
            at: at + draw.between(-0.03, 0.03),
            phase: draw.between(0.0, TAU),
            high_m: (ridge_wide_m * draw.between(0.4, 0.55)).min(420.0),
            wide_m: ridge_wide_m,
        });
        let ridges = ridges.collect();
        let largest_m = (side_m / 5.0).clamp(420.0, 2600.0);
        let hills = (0..4).map(|number| {
            let apart_m = largest_m / 2.2_f64.powi(number);
            Hills { apart_m, high_m: apart_m * 0.115, number: number as u64 }
        });
        let hills = hills.filter(|hills| hills.apart_m > 180.0).collect();
        let (terrace_m, terrace_wide_m) =
            ((side_m * 0.02).clamp(35.0, 120.0), (side_m * 0.08).clamp(200.0, 2500.0));
        Self { side_m, chance, main, side_river, islet, ridges, hills, terrace_m, terrace_wide_m }
    }

    /// Height in metres above the sea.
    pub fn height_m(&self, at: Coord) -> f64 {
        let bank_m = self.bank_m(at);
        if bank_m <= 0.0 {
            return WATER_M
                + if self.on_islet(at) { 9.0 * (1.0 - self.islet_share(at)).max(0.0) } else { 0.0 };
        }
        let rising = |wide_m: f64| 1.0 - (-bank_m / wide_m).exp();
        let terrace_m = 7.0 * rising(25.0) + self.terrace_m * rising(self.terrace_wide_m);
        let hills_m: f64 = self.hills.iter().map(|hills| self.hills_m(*hills, at)).sum();
        WATER_M + terrace_m + hills_m.max(-0.6 * terrace_m) * rising(120.0) + self.ridges_m(at, bank_m)
    }

    /// Whether a place is in a river, and not on its island.
    pub fn is_water(&self, at: Coord) -> bool {
        self.bank_m(at) <= 0.0 && !self.on_islet(at)
    }

    /// Whether a place is on the island.
    pub fn on_islet(&self, at: Coord) -> bool {
        self.islet_share(at) < 1.0
    }

    /// Height of the ridges alone, metres; where they stand nobody builds.
    pub fn ridges_m(&self, at: Coord, bank_m: f64) -> f64 {
        let along = at.y / self.side_m + 0.5;
        let heights = self.ridges.iter().map(|ridge| {
            let line = ridge.at + 0.025 * (TAU * 1.4 * along + ridge.phase).sin() - 0.5;
            let away = (at.x - line * self.side_m) / ridge.wide_m;
            ridge.high_m * (-away * away).exp() * (1.0 - (-(bank_m / (1.5 * ridge.wide_m)).powi(2)).exp())
        });
        heights.sum()
    }

    /// Metres from the nearest bank; below zero in the water.
    pub fn bank_m(&self, at: Coord) -> f64 {
        let (x, y) = (at.x / self.side_m + 0.5, at.y / self.side_m + 0.5);
        let to_main = self.main.distance_m(x, y, self.side_m) - self.half_main_m(x);
        if y < self.main.across(x) {
            return to_main;
        }
        to_main.min(self.side_river.distance_m(y, x, self.side_m) - self.side_river.wide_m * 0.5)
    }

    /// Half the width of the main river, metres: it widens around its island.
    fn half_main_m(&self, along: f64) -> f64 {
        let widening = 2.6 * (-((along - self.islet.along) / 0.05).powi(2)).exp();
        self.main.wide_m * (0.5 + widening * 0.5)
    }

    /// Width of the city, metres.
    pub fn side_m(&self) -> f64 {
        self.side_m
    }

    /// Both banks of the main river, by how far east of the middle, a share of the city's side.
    pub fn main_banks(&self, east: f64) -> [Coord; 2] {
        let along = east + 0.5;
        let banks = self.main.banks(along, self.half_main_m(along), self.side_m);
        banks.map(|across| Coord { x: east, y: across - 0.5 } * self.side_m)
    }

    /// Both banks of the side river, by how far north of the middle, a share of the city's side.
    pub fn side_banks(&self, north: f64) -> [Coord; 2] {
        let banks = self.side_river.banks(north + 0.5, self.side_river.wide_m * 0.5, self.side_m);
        banks.map(|across| Coord { x: across - 0.5, y: north } * self.side_m)
    }

    /// How far north of the middle the side river's middle line meets that of the main river, a share of the city's side.
    pub fn mouth(&self) -> f64 {
        // The side river lies north of the main one from its mouth on: halve between far south and far north.
        let (mut south, mut north) = (0.0, 1.0);
        for _ in 0..40 {
            let middle = f64::midpoint(south, north);
            if middle < self.main.across(self.side_river.across(middle)) {
                south = middle;
            } else {
                north = middle;
            }
        }
        north - 0.5
    }

    /// The shore of the island, by a share of the way round.
    pub fn island_shore(&self, turn: f64) -> Coord {
        let middle = Coord { x: self.islet.along - 0.5, y: self.main.across(self.islet.along) - 0.5 };
        let (sin, cos) = (TAU * turn).sin_cos();
        middle * self.side_m + Coord { x: cos * self.islet.half_long_m, y: sin * self.islet.half_wide_m }
    }

    /// 0 in the middle of the island, 1 on its shore.
    fn islet_share(&self, at: Coord) -> f64 {
        let middle = Coord { x: self.islet.along - 0.5, y: self.main.across(self.islet.along) - 0.5 };
        let (east, north) = (at.x - middle.x * self.side_m, at.y - middle.y * self.side_m);
        (east / self.islet.half_long_m).powi(2) + (north / self.islet.half_wide_m).powi(2)
    }

    fn hills_m(&self, hills: Hills, at: Coord) -> f64 {
        let (x, y) = (at.x / hills.apart_m + 1000.0, at.y / hills.apart_m + 1000.0);
        let corner = |dx: f64, dy: f64| {
            let item = ((x.floor() + dx) as u64) << 32 | (y.floor() + dy) as u64;
            self.chance.of(Purpose::Hills, item.wrapping_mul(8) + hills.number).between(-1.0, 1.0)
        };
        let (sx, sy) = (smooth(x.fract()), smooth(y.fract()));
        let south = corner(0.0, 0.0) * (1.0 - sx) + corner(1.0, 0.0) * sx;
        let north = corner(0.0, 1.0) * (1.0 - sx) + corner(1.0, 1.0) * sx;
        hills.high_m * (south * (1.0 - sy) + north * sy)
    }
}

/// From 0 to 1 without a kink at either end.
fn smooth(share: f64) -> f64 {
    share * share * (3.0 - 2.0 * share)
}
