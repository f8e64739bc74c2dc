//! In which system the places of a source are, told by how they lie to the streets. It proposes; it changes nothing.
//!
//! Doors and houses stand beside streets, seldom on them, seldom far from them. Moved away by some hundred metres, the same
//! points lie anywhere. So every system that the numbers could be in is tried: the points are brought to where they would be,
//! and their distances to the streets are scored. The score must stand out by a sharp peak, against the scores of the same
//! points at some 80,000 other offsets. Method, figures and limits: docs/design/2026-11-systems.md.

use super::graph::Network;
use super::street_field::{Cell, PER_METRE, StreetField, cell_at, tile_of};
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::crs::Crs;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::plane::Plane;
use crate::model::problem::{Bilingual, Fault, Problem};
use crate::model::progress::Progress;
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray, UInt64Array};
use geo::Coord;
use rayon::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Fewer places than this (in different cells of 5 m) say nothing.
const FEWEST: usize = 30;
/// So many places are enough; of more, a sample is looked at.
const ENOUGH: usize = 2_000;
/// Tiles of the field at most, 4 KiB each: 48 MiB, more than 1,000 km².
const MOST_TILES: usize = 12_000;
/// Places are sampled by squares of this side, the fullest first (metres).
const WINDOW_M: f64 = 1_000.0;

/// Offsets are tried in steps of so many cells (10 m), up to so many steps: BD-09 is up to 1.5 km from WGS-84.
const STEP: i32 = 2;
const REACH: i32 = 160;
/// A peak is sharp against the scores within 80 m around it.
const AROUND: i32 = 8;
/// A system's peak may lie up to 20 m beside it: platforms are some metres off the model.
const BESIDE: i32 = 2;
/// Systems whose offsets are closer than this cannot be told apart (metres).
const APART_M: f64 = 60.0;

/// How sharp a peak must be, in standard deviations of the scores elsewhere: of a system, and of an offset that was not
/// looked for but found among all.
const SHARP: f64 = 4.5;
const SHARP_ANYWHERE: f64 = 10.0;
/// How much sharper than any other that is tried.
const SHARPER: f64 = 1.5;
/// What random points reach at one system, and anywhere, at best: the rival of every verdict.
const CHANCE: f64 = 3.0;
const CHANCE_ANYWHERE: f64 = 7.0;

/// Points for a distance to the nearest street below so many metres: how much more frequent it is where points belong than
/// where they are moved, as hundredths of a natural logarithm. For doors and signs, and for the middles of houses; rounded means
/// of the facilities and houses of three extracts (Helsinki 2019, Munich 2020, Heidelberg 2024). Beyond, streets are missing.
const SCORES: [(f64, [i32; 2]); 9] = [
    (2.5, [40, -80]),
    (7.5, [70, -10]),
    (12.5, [30, 60]),
    (17.5, [-15, 115]),
    (22.5, [-70, 85]),
    (30.0, [-95, 60]),
    (40.0, [-110, 35]),
    (55.0, [-130, -50]),
    (f64::INFINITY, [-130, -130]),
];

/// Places of one source, in the system of the network's analysis, as they were read.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// The system that the source states, or was taken to be in.
    pub stated: &'a Crs,
    /// Its places.
    pub place: &'a [Place],
}

/// What the places look like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LooksLike {
    /// Places of this system.
    System(AnalysisCrs),
    /// Places that are all off by the same metres, which no known system explains.
    Other,
}

impl LooksLike {
    /// The name in tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::System(system) => system.name(),
            Self::Other => "other",
        }
    }
}

/// What was found about a source.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Verdict {
    /// What its places look like; `None` when the evidence is too weak to say.
    pub looks_like: Option<LooksLike>,
    /// 0..1, how sure that is; `None` without verdict.
    pub confidence: Option<f64>,
    /// How far the places, as they were read, lie east of where the streets put them, metres; `None` without verdict.
    pub east_m: Option<f64>,
    /// How far north, metres; `None` without verdict.
    pub north_m: Option<f64>,
}

impl Verdict {
    const UNKNOWN: Self = Self { looks_like: None, confidence: None, east_m: None, north_m: None };

    /// The fault of a source that looks like another system than the stated one; `None` where it does not, or nothing is known.
    pub fn fault(&self, stated: &Crs) -> Option<Fault> {
        let (looks_like, confidence) = (self.looks_like?, self.confidence?);
        if looks_like == LooksLike::System(degrees_of(stated)) {
            return None;
        }
        let system = match looks_like {
            LooksLike::System(system) => Some(system.name()),
            LooksLike::Other => None,
        };
        let (east_m, north_m) = (self.east_m?, self.north_m?);
        Some(Fault::OffsetSuspected {
            stated: stated.to_string(),
            looks_like: system,
            east_m,
            north_m,
            confidence,
        })
    }

    fn message(&self, source: &str, stated: &Crs) -> Option<Bilingual> {
        self.fault(stated).map(|fault| Problem::of_file(source, fault).message())
    }
}

/// Look at the places of a source. The same places give the same verdict, in any order and on any number of threads.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn detect(network: &Network, source: Source<'_>, progress: &Progress) -> Result<Verdict> {
    progress.begin("looking for an offset", 2 * REACH as usize + 1)?;
    let system = network.origin.analysis_crs;
    let places: Vec<Place> = source.place.iter().map(|&place| system.back(place)).collect();
    let Some(origin) = middle(&places) else { return Ok(Verdict::UNKNOWN) };
    let plane = Plane::at(origin);
    let (sample, tiles) = sample(&places, &plane);
    if sample.len() < FEWEST {
        return Ok(Verdict::UNKNOWN);
    }
    let field = StreetField::new(network, &plane, |place| system.back(place), &tiles, progress)?;
    let readings = readings(source.stated, origin, &sample, &plane);
    let as_read = cells(&sample, &plane);
    let surface = Surface::new(&field, &as_read, REACH, progress)?;
    Ok(judge(&field, &surface, &readings, sample.len()))
}

fn middle(places: &[Place]) -> Option<Place> {
    let median = |of: fn(Place) -> f64| {
        let mut values: Vec<f64> = places.iter().map(|&place| of(place)).collect();
        values.sort_unstable_by(f64::total_cmp);
        values.get(values.len() / 2).copied()
    };
    Place::new(median(Place::lon)?, median(Place::lat)?)
}

/// The places to look at, one for each cell, and the tiles around them: from the fullest windows, as many as are enough.
fn sample(places: &[Place], plane: &Plane) -> (Vec<Place>, BTreeSet<Cell>) {
    let mut by_cell: BTreeMap<Cell, Place> = BTreeMap::new();
    for &place in places {
        let kept = by_cell.entry(cell_at(plane.flat(place))).or_insert(place);
        if order_of(place) < order_of(*kept) {
            *kept = place;
        }
    }
    let mut windows: BTreeMap<Cell, Vec<(Cell, Place)>> = BTreeMap::new();
    for (cell, place) in by_cell {
        let at = plane.flat(place);
        let window = ((at.x / WINDOW_M).floor() as i32, (at.y / WINDOW_M).floor() as i32);
        windows.entry(window).or_default().push((cell, place));
    }
    let mut fullest: Vec<(Cell, Vec<(Cell, Place)>)> = windows.into_iter().collect();
    fullest.sort_by_key(|(window, places)| (std::cmp::Reverse(places.len()), *window));
    let (mut chosen, mut tiles) = (Vec::new(), BTreeSet::new());
    for (_, places) in fullest {
        if chosen.len() >= ENOUGH || tiles.len() >= MOST_TILES {
            break;
        }
        tiles.extend(places.iter().flat_map(|&(cell, _)| tiles_around(cell)));
        chosen.extend(places.into_iter().map(|(_, place)| place));
    }
    chosen.sort_unstable_by_key(|&place| order_of(place));
    chosen.truncate(ENOUGH);
    (chosen, tiles)
}

fn tiles_around((x, y): Cell) -> impl Iterator<Item = Cell> {
    let reach = STEP * (REACH + AROUND);
    let (low, high) = (tile_of((x - reach, y - reach)), tile_of((x + reach, y + reach)));
    (low.0..=high.0).flat_map(move |column| (low.1..=high.1).map(move |row| (column, row)))
}

/// An order of places that has nothing to do with where they are (the finalizer of splitmix64).
fn order_of(place: Place) -> (u64, u64, u64) {
    let (lon, lat) = (place.lon().to_bits(), place.lat().to_bits());
    let mut mixed = lon ^ lat.rotate_left(32);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    (mixed ^ (mixed >> 31), lon, lat)
}

fn cells(places: &[Place], plane: &Plane) -> Vec<Cell> {
    places.iter().map(|&place| cell_at(plane.flat(place))).collect()
}

/// The sample read as if its numbers were in a system.
struct Reading {
    system: AnalysisCrs,
    /// Where the places would be.
    cells: Vec<Cell>,
    /// How far they are, as they were read, from there: mean metres east and north.
    offset_m: Coord,
}

/// Degrees that a source states: those of a plane count as WGS-84, because whoever projected the points took them for that.
const fn degrees_of(stated: &Crs) -> AnalysisCrs {
    match stated {
        Crs::Epsg(_) => AnalysisCrs::Wgs84,
        Crs::Gcj02 => AnalysisCrs::Gcj02,
        Crs::Bd09 => AnalysisCrs::Bd09,
    }
}

/// The systems that the numbers could be in, the stated one first; only such as can be told apart there.
fn readings(stated: &Crs, origin: Place, sample: &[Place], plane: &Plane) -> Vec<Reading> {
    let stated = degrees_of(stated);
    let mut systems = vec![stated];
    // Outside the box of the model nobody has a reason to use GCJ-02 or BD-09.
    if AnalysisCrs::Gcj02.moved(origin) != origin {
        systems.extend(AnalysisCrs::ALL.into_iter().filter(|&system| system != stated));
    }
    let mut readings: Vec<Reading> = Vec::new();
    for system in systems {
        let places: Vec<Place> = sample.iter().map(|&place| system.back(stated.moved(place))).collect();
        let mut offset_m = Coord { x: 0.0, y: 0.0 };
        for (&read, &there) in sample.iter().zip(&places) {
            let step = plane.flat(read) - plane.flat(there);
            offset_m = offset_m + step / sample.len() as f64;
        }
        if readings.iter().all(|other| length_m(other.offset_m - offset_m) >= APART_M) {
            readings.push(Reading { system, cells: cells(&places, plane), offset_m });
        }
    }
    readings
}

fn length_m(step: Coord) -> f64 {
    step.x.hypot(step.y)
}

/// Sums of the scores of all places, one surface for each column of [`SCORES`], over offsets on a square grid. Whole numbers:
/// the order of adding does not matter.
struct Surface {
    reach: i32,
    sharpness: [Vec<f64>; 2],
}

impl Surface {
    fn new(field: &StreetField, cells: &[Cell], reach: i32, progress: &Progress) -> Result<Self> {
        let tables = score_tables();
        let side = (2 * reach + 1) as usize;
        let rows: Vec<[Vec<i32>; 2]> = (-reach..=reach)
            .into_par_iter()
            .map(|row| {
                let mut sums = [vec![0_i32; side], vec![0_i32; side]];
                for &(x, y) in cells {
                    for (number, column) in (-reach..=reach).enumerate() {
                        let distance = usize::from(field.at((x + STEP * column, y + STEP * row)));
                        sums[0][number] += tables[0][distance];
                        sums[1][number] += tables[1][distance];
                    }
                }
                progress.step(1)?;
                Ok(sums)
            })
            .collect::<Result<_>>()?;
        let whole = |of: usize| rows.iter().flat_map(|row| row[of].iter().copied()).collect::<Vec<i32>>();
        Ok(Self { reach, sharpness: [sharpness(&whole(0), side), sharpness(&whole(1), side)] })
    }

    fn at(&self, of: usize, column: i32, row: i32) -> f64 {
        let side = 2 * self.reach + 1;
        self.sharpness[of][((row + self.reach) * side + column + self.reach) as usize]
    }

    /// Offsets within a circle of so many steps around the middle.
    #[expect(clippy::unused_self, reason = "the offsets of a surface, whichever")]
    fn within(&self, steps: i32) -> impl Iterator<Item = (i32, i32)> {
        (-steps..=steps)
            .flat_map(move |row| (-steps..=steps).map(move |column| (column, row)))
            .filter(move |(column, row)| column * column + row * row <= steps * steps)
    }
}

/// How much higher each value is than the mean of the square around it.
fn sharpness(sums: &[i32], side: usize) -> Vec<f64> {
    let around = AROUND as usize;
    let mut below = vec![0_i64; (side + 1) * (side + 1)];
    for row in 0..side {
        for column in 0..side {
            below[(row + 1) * (side + 1) + column + 1] = i64::from(sums[row * side + column])
                + below[row * (side + 1) + column + 1]
                + below[(row + 1) * (side + 1) + column]
                - below[row * (side + 1) + column];
        }
    }
    let sharp = |position: usize| {
        let (row, column) = (position / side, position % side);
        let (south, north) = (row.saturating_sub(around), (row + around + 1).min(side));
        let (west, east) = (column.saturating_sub(around), (column + around + 1).min(side));
        let corner = |row: usize, column: usize| below[row * (side + 1) + column];
        let sum = corner(north, east) - corner(south, east) - corner(north, west) + corner(south, west);
        f64::from(sums[position]) - sum as f64 / ((north - south) * (east - west)) as f64
    };
    (0..side * side).map(sharp).collect()
}

/// [`SCORES`] by quarters of a metre.
fn score_tables() -> [[i32; 256]; 2] {
    let score = |of: usize, quarters: usize| {
        let metres = quarters as f64 / PER_METRE;
        SCORES.iter().find(|(below_m, _)| metres < *below_m).map_or(0, |(_, scores)| scores[of])
    };
    std::array::from_fn(|of| std::array::from_fn(|quarters| score(of, quarters)))
}

/// Mean and standard deviation of a surface where no reading explains a peak.
struct Elsewhere {
    mean: f64,
    deviation: f64,
}

impl Elsewhere {
    fn of(surface: &Surface, of: usize, readings: &[Reading]) -> Self {
        let values: Vec<f64> = surface
            .within(REACH)
            .filter(|&offset| !is_explained(offset, readings))
            .map(|(column, row)| surface.at(of, column, row))
            .collect();
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>();
        Self { mean, deviation: (squares / count).sqrt() }
    }

    /// How many standard deviations a value stands out.
    fn peak(&self, value: f64) -> f64 {
        if self.deviation > 0.0 { (value - self.mean) / self.deviation } else { 0.0 }
    }
}

/// Whether moving the places as they were read by this offset brings them to where a reading puts them.
fn is_explained((column, row): (i32, i32), readings: &[Reading]) -> bool {
    let moved_m =
        Coord { x: f64::from(column * STEP), y: f64::from(row * STEP) } * super::street_field::CELL_M;
    readings.iter().any(|reading| length_m(reading.offset_m + moved_m) < APART_M)
}

fn judge(field: &StreetField, surface: &Surface, readings: &[Reading], points: usize) -> Verdict {
    let elsewhere = [0, 1].map(|of| Elsewhere::of(surface, of, readings));
    let peak = |surface: &Surface, (column, row): (i32, i32)| {
        let of = |of: usize| elsewhere[of].peak(surface.at(of, column, row));
        of(0).max(of(1))
    };
    let mut found: Vec<(f64, LooksLike, Coord)> = Vec::new();
    for reading in readings {
        let Ok(near) = Surface::new(field, &reading.cells, BESIDE + AROUND, &Progress::default()) else {
            continue;
        };
        let highest = near.within(BESIDE).map(|offset| peak(&near, offset)).fold(f64::NEG_INFINITY, f64::max);
        found.push((highest, LooksLike::System(reading.system), reading.offset_m));
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let others = surface.within(REACH - AROUND).filter(|&offset| !is_explained(offset, readings));
    let other = others.map(|offset| (peak(surface, offset), offset)).max_by(|a, b| a.0.total_cmp(&b.0));
    let Some(&(highest, looks_like, offset_m)) = found.first() else { return Verdict::UNKNOWN };
    let second = found.get(1).map_or(CHANCE, |second| second.0);
    let verdict = |looks_like, confidence, offset_m: Coord| Verdict {
        looks_like: Some(looks_like),
        confidence: Some(confidence),
        east_m: Some(offset_m.x),
        north_m: Some(offset_m.y),
    };
    if let Some((anywhere, (column, row))) = other
        && anywhere >= SHARP_ANYWHERE
        && anywhere >= highest + 2.0 * SHARPER
    {
        let back_m =
            Coord { x: f64::from(-column * STEP), y: f64::from(-row * STEP) } * super::street_field::CELL_M;
        return verdict(LooksLike::Other, confidence(anywhere, &[highest, CHANCE_ANYWHERE]), back_m);
    }
    if points >= FEWEST && highest >= SHARP && highest >= second + SHARPER {
        let rivals: Vec<f64> = found[1..].iter().map(|other| other.0).chain([CHANCE]).collect();
        return verdict(looks_like, confidence(highest, &rivals), offset_m);
    }
    Verdict::UNKNOWN
}

/// How likely the sharpest of some peaks is the true one, each weighing as the likelihood ratio of a normal deviate; the square
/// root of it, because the scores elsewhere have heavier tails than that.
fn confidence(peak: f64, rivals: &[f64]) -> f64 {
    let weight = |other: f64| ((other.max(0.0).powi(2) - peak.powi(2)) / 4.0).exp();
    1.0 / (1.0 + rivals.iter().map(|&other| weight(other)).sum::<f64>())
}

/// Verdicts as a table, one row per source: `source`, `points`, `stated`, `looks_like` (null when nothing can be said; `other`
/// for an offset that no known system explains), `confidence` (0..1), `offset_east_m`, `offset_north_m` (from where the streets
/// put the points to where they were read; null without verdict), `message`, `message_zh` (null where all is as stated).
pub fn to_batch(stated: &Crs, verdicts: &[(String, usize, Verdict)]) -> RecordBatch {
    let number = |of: fn(&Verdict) -> Option<f64>| -> ArrayRef {
        Arc::new(verdicts.iter().map(|(_, _, verdict)| of(verdict)).collect::<Float64Array>())
    };
    let names = verdicts.iter().map(|(_, _, verdict)| verdict.looks_like.map(LooksLike::name));
    let messages: Vec<_> =
        verdicts.iter().map(|(source, _, verdict)| verdict.message(source, stated)).collect();
    let points: UInt64Array = verdicts.iter().map(|(_, points, _)| Some(*points as u64)).collect();
    let stated = stated.to_string();
    RecordBatch::try_from_iter_with_nullable([
        ("source", text(verdicts.iter().map(|(source, _, _)| Some(source.clone()))), false),
        ("points", Arc::new(points) as ArrayRef, false),
        ("stated", text(verdicts.iter().map(|_| Some(stated.clone()))), false),
        ("looks_like", text(names.map(|name| name.map(str::to_owned))), true),
        ("confidence", number(|verdict| verdict.confidence), true),
        ("offset_east_m", number(|verdict| verdict.east_m), true),
        ("offset_north_m", number(|verdict| verdict.north_m), true),
        ("message", text(messages.iter().map(|message| message.as_ref().map(|both| both.en.clone()))), true),
        (
            "message_zh",
            text(messages.iter().map(|message| message.as_ref().map(|both| both.zh.clone()))),
            true,
        ),
    ])
    .expect("all columns have one value per source")
}

fn text(values: impl Iterator<Item = Option<String>>) -> ArrayRef {
    Arc::new(values.collect::<StringArray>())
}
