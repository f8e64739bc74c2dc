//! Heights and slopes along the streets of Lisbon against those of another program.
//!
//! 271 streets of ropensci/slopes with heights and slopes by `ArcMap` 3D Analyst, and the 10 m terrain model that it read.
//! What it did shows in its numbers: heights at the drawn vertices, bilinear; lengths in Web Mercator, which at 38.7° N
//! is 1.28 times too long, so its slopes are that much too small; the mean of |slope| weighted by the length in space.
//!
//! Needs the folder of real data (`../shared/data` beside the checkout, or `WALKSHED_DATA`); says so in one line when it
//! is not there.

use serde_json::Value;
use std::path::{Path, PathBuf};
use walkshed::io::elevation;
use walkshed::model::elevation::Elevation;
use walkshed::model::place::Place;
use walkshed::model::projection::Projection;
use walkshed::model::smoothing::Smoothing;

/// Heights are read at most so far apart (metres), as the engine reads them along an edge.
const SPACING_M: f64 = 10.0;

fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("WALKSHED_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let lisbon = folder.join("lisbon_slopes");
    if lisbon.is_dir() {
        return Some(lisbon);
    }
    eprintln!("not run: there is no real data at {}", lisbon.display());
    None
}

/// A street as drawn, and what the other program found along it.
struct Segment {
    id: f64,
    line: Vec<Place>,
    theirs: Profile,
}

/// Slopes in percent, heights in metres.
#[derive(Clone, Copy)]
struct Profile {
    slope: f64,
    least_m: f64,
    most_m: f64,
    mean_m: f64,
}

/// How lengths are taken for slopes and for their weights.
#[derive(Clone, Copy)]
enum Lengths {
    /// Metres on the ground.
    Ground,
    /// Web Mercator, and weights in space.
    Theirs,
}

fn segments(lisbon: &Path) -> Vec<Segment> {
    let text = std::fs::read_to_string(lisbon.join("lisbon_road_network_epsg3763.geojson"))
        .expect("the file is there");
    let streets: Value = serde_json::from_str(&text).expect("the file is JSON");
    let system = Projection::from_epsg(3763).expect("the system of Portugal");
    let place = |xy: &Value| {
        let (x, y) = (xy[0].as_f64().expect("a number"), xy[1].as_f64().expect("a number"));
        system.place(x, y).expect("a place in Portugal")
    };
    let segment = |street: &Value| {
        let found = |key: &str| street["properties"][key].as_f64().expect("a number");
        let theirs = Profile {
            slope: found("Avg_Slope"),
            least_m: found("Z_Min"),
            most_m: found("Z_Max"),
            mean_m: found("Z_Mean"),
        };
        let line = street["geometry"]["coordinates"].as_array().expect("a list").iter().map(place).collect();
        Segment { id: found("OBJECTID"), line, theirs }
    };
    streets["features"].as_array().expect("a list").iter().map(segment).collect()
}

fn heights(lisbon: &Path, smoothing: Smoothing) -> Elevation {
    // The raster's own keys are missing; README.md of the data says EPSG:3763.
    elevation::read(&[lisbon.join("dem_lisbon.tif")], Some("EPSG:3763"), smoothing)
        .expect("the raster is whole")
}

/// The line with a spot at least every `SPACING_M`.
fn spaced(line: &[Place]) -> Vec<Place> {
    let mut spots = vec![line[0]];
    for pair in line.windows(2) {
        let pieces = (pair[0].distance_m(pair[1]) / SPACING_M).ceil().max(1.0) as usize;
        spots.extend((1..=pieces).map(|piece| pair[0].towards(pair[1], piece as f64 / pieces as f64)));
    }
    spots
}

fn mercator_m(a: Place, b: Place) -> f64 {
    let system = Projection::from_epsg(3857).expect("Web Mercator");
    let (a, b) = (system.xy(a).expect("not a pole"), system.xy(b).expect("not a pole"));
    (b.0 - a.0).hypot(b.1 - a.1)
}

/// The profile along spots, or `None` where a height is unknown.
fn profile(spots: &[Place], ground: &Elevation, lengths: Lengths) -> Option<Profile> {
    let heights =
        spots.iter().map(|&spot| ground.sample_m(spot).map(f64::from)).collect::<Option<Vec<_>>>()?;
    let (mut slopes, mut means, mut whole) = (0.0, 0.0, 0.0);
    for (pair, height) in spots.windows(2).zip(heights.windows(2)) {
        let climb = (height[1] - height[0]).abs();
        let (length, weight) = match lengths {
            Lengths::Ground => (pair[0].distance_m(pair[1]), pair[0].distance_m(pair[1])),
            Lengths::Theirs => {
                let length = mercator_m(pair[0], pair[1]);
                (length, length.hypot(climb))
            }
        };
        slopes += 100.0 * climb / length * weight;
        means += f64::midpoint(height[0], height[1]) * weight;
        whole += weight;
    }
    let least_m = heights.iter().copied().fold(f64::INFINITY, f64::min);
    let most_m = heights.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    Some(Profile { slope: slopes / whole, least_m, most_m, mean_m: means / whole })
}

/// Their profile with slopes per metre on the ground.
fn on_the_ground(segment: &Segment) -> Profile {
    let length = |of: fn(Place, Place) -> f64| -> f64 {
        segment.line.windows(2).map(|pair| of(pair[0], pair[1])).sum()
    };
    let stretch = length(mercator_m) / length(Place::distance_m);
    Profile { slope: segment.theirs.slope * stretch, ..segment.theirs }
}

/// Median, 90th and 95th percentile and greatest of absolute differences.
#[derive(Debug)]
struct Spread {
    median: f64,
    p90: f64,
    p95: f64,
    most: f64,
}

impl Spread {
    fn of(mut differences: Vec<f64>) -> Self {
        differences.sort_by(f64::total_cmp);
        let at = |share: f64| differences[((differences.len() - 1) as f64 * share).round() as usize];
        Self { median: at(0.5), p90: at(0.9), p95: at(0.95), most: at(1.0) }
    }
}

struct Spreads {
    slope: Spread,
    least: Spread,
    most: Spread,
    mean: Spread,
}

fn spreads(what: &str, pairs: &[Pair]) -> Spreads {
    let spread = |name: &str, of: fn(&Profile) -> f64| {
        let spread = Spread::of(pairs.iter().map(|(_, a, b)| (of(a) - of(b)).abs()).collect());
        let Spread { median, p90, p95, most } = spread;
        eprintln!(
            "{what:<34} {:>3} {name:<10} median {median:.3}  p90 {p90:.3}  p95 {p95:.3}  max {most:.3}",
            pairs.len()
        );
        spread
    };
    let bias =
        pairs.iter().map(|(_, ours, theirs)| ours.slope - theirs.slope).sum::<f64>() / pairs.len() as f64;
    eprintln!("{what}: mean of ours less theirs {bias:+.3} pp");
    print_worst(pairs);
    Spreads {
        slope: spread("slope, pp", |profile| profile.slope),
        least: spread("lowest, m", |profile| profile.least_m),
        most: spread("highest, m", |profile| profile.most_m),
        mean: spread("mean, m", |profile| profile.mean_m),
    }
}

/// The streets that still are what the other program measured.
///
/// The sample was cut to a window and at junctions afterwards: streets that were longer keep the numbers of the whole
/// (five lines are there two to four times, with different ones). Heights tell them, so that slopes do not choose.
fn uncut<'a>(segments: &'a [Segment], raw: &Elevation) -> Vec<&'a Segment> {
    let same = |a: f64, b: f64| (a - b).abs() < 0.01;
    let whole = |segment: &&Segment| {
        let found = profile(&segment.line, raw, Lengths::Theirs);
        found.is_some_and(|found| {
            same(found.least_m, segment.theirs.least_m) && same(found.most_m, segment.theirs.most_m)
        })
    };
    segments.iter().filter(whole).collect()
}

type Pair<'a> = (&'a Segment, Profile, Profile);

/// Streets with what we find and what they found, where we know every height.
fn pairs<'a>(
    segments: impl IntoIterator<Item = &'a Segment>,
    both: impl Fn(&Segment) -> Option<(Profile, Profile)>,
) -> Vec<Pair<'a>> {
    let pair = |segment: &'a Segment| both(segment).map(|(ours, theirs)| (segment, ours, theirs));
    segments.into_iter().filter_map(pair).collect()
}

/// Print the three pairs with the farthest slopes.
fn print_worst(pairs: &[Pair]) {
    let off = |pair: &Pair| (pair.1.slope - pair.2.slope).abs();
    let mut pairs: Vec<&Pair> = pairs.iter().collect();
    pairs.sort_by(|a, b| off(b).total_cmp(&off(a)));
    for (segment, ours, theirs) in pairs.into_iter().take(3) {
        let length_m: f64 = segment.line.windows(2).map(|pair| pair[0].distance_m(pair[1])).sum();
        eprintln!(
            "  OBJECTID {} ({length_m:.1} m): slope {:.2} theirs {:.2}, heights {:.1}..{:.1} theirs {:.1}..{:.1}",
            segment.id, ours.slope, theirs.slope, ours.least_m, ours.most_m, theirs.least_m, theirs.most_m
        );
    }
}

/// The three farthest of all streets are rests of longer ones: 2631 is the 18.6 m at the edge of the window of a street
/// between 20.8 m and 33.5 m, 2663 half a metre of one up to 84.0 m, 1897 30 m of one up to 75.2 m. The three farthest
/// of the uncut ones (3125, 2092, 506; 0.11 to 0.14) look cut as well, away from their lowest and highest points: 506 is
/// drawn exactly as 3140, with other numbers.
#[test]
fn the_other_programs_numbers_come_back_by_its_own_rule() {
    let Some(lisbon) = folder() else { return };
    let (segments, raw) = (segments(&lisbon), heights(&lisbon, Smoothing::None));
    assert_eq!(segments.len(), 271);
    let both = |segment: &Segment| Some((profile(&segment.line, &raw, Lengths::Theirs)?, segment.theirs));
    let every = spreads("their rule, every street", &pairs(&segments, both));
    let kept = pairs(uncut(&segments, &raw), both);
    assert!(kept.len() >= 235, "{}", kept.len());
    let kept = spreads("their rule, uncut streets", &kept);
    assert!(every.slope.median < 0.001 && every.least.p90 < 0.01 && every.most.p90 < 0.01);
    assert!(kept.slope.p95 < 0.001 && kept.mean.p95 < 0.001, "{:?} {:?}", kept.slope, kept.mean);
    assert!(kept.slope.most < 0.2, "{:?}", kept.slope);
}

/// Smoothed, the farthest are streets shorter than the filter's window (3031, 7 m; 2796, 19 m; 2661, 14 m): there the
/// other program believes a single step between two pixels.
#[test]
fn slopes_read_every_ten_metres_stay_near_the_other_programs() {
    let Some(lisbon) = folder() else { return };
    let (segments, raw) = (segments(&lisbon), heights(&lisbon, Smoothing::None));
    let smooth = heights(&lisbon, Smoothing::SavitzkyGolay);
    // 4241 as R counts them: `summary(raster::values(dem_lisbon_raster))` in the README of ropensci/slopes.
    assert_eq!(smooth.voids.found, 4241);
    let compare = |what: &str, ground: &Elevation| {
        let both = |segment: &Segment| {
            Some((profile(&spaced(&segment.line), ground, Lengths::Ground)?, on_the_ground(segment)))
        };
        spreads(what, &pairs(uncut(&segments, &raw), both))
    };
    let plain = compare("every 10 m on the ground", &raw);
    assert!(
        plain.slope.median < 0.01 && plain.slope.p95 < 0.1 && plain.slope.most < 0.7,
        "{:?}",
        plain.slope
    );
    assert!(plain.least.most < 0.01 && plain.most.most < 0.01 && plain.mean.p95 < 0.05);
    let smooth = compare("every 10 m on the ground, smoothed", &smooth);
    assert!(smooth.slope.median < 0.3 && smooth.slope.p95 < 2.5, "{:?}", smooth.slope);
    for heights in [&smooth.least, &smooth.most, &smooth.mean] {
        assert!(heights.median < 0.1 && heights.p95 < 0.7 && heights.most < 1.6, "{heights:?}");
    }
}
