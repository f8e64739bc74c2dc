//! Walks through a town: a town is read as a city would be, and a walk is asked for in metres from its origin.

use super::Town;
use std::path::PathBuf;
use walkshed::io::defaults;
use walkshed::io::osm::{self, Extract, Wanted};
use walkshed::model::elevation::{Elevation, ElevationGrid};
use walkshed::model::facility::Facilities;
use walkshed::model::ids::Ids;
use walkshed::model::place::Place;
use walkshed::model::profile::Profile;
use walkshed::model::progress::Progress;
use walkshed::model::projection::Projection;
use walkshed::model::times::{Direction, Nearest, Reason};
use walkshed::network::build::{self, Rules};
use walkshed::network::graph::Network;
use walkshed::travel::doors::Walk;
use walkshed::travel::nearest::{NearestTimes, nearest};

/// Long enough to cross any town of the tests: three hours.
pub const LONG_DS: u32 = 108_000;

impl Town {
    /// A place so many metres east and north of the origin.
    pub fn spot(&self, (east_m, north_m): (f64, f64)) -> Place {
        let (lon, lat) = self.lon_lat(east_m, north_m);
        Place::new(lon, lat).expect("a town lies on the earth")
    }

    /// Places, each so many metres east and north of the origin.
    pub fn spots(&self, spots: &[(f64, f64)]) -> Vec<Place> {
        spots.iter().map(|&spot| self.spot(spot)).collect()
    }

    /// The town written as a PBF file and read back: streets, facilities and homes.
    pub fn extract(&self) -> Extract {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let path: PathBuf = folder.path().join("town.osm.pbf");
        self.write_pbf(&path);
        extract(&path)
    }

    /// The town's streets on flat ground.
    pub fn network(&self) -> Network {
        network(&self.extract(), &Elevation::default())
    }
}

/// An extract read with the rules of the project.
pub fn extract(path: &std::path::Path) -> Extract {
    let (rules, catalogue, buildings) =
        (defaults::walking_rules(), defaults::catalogue(), defaults::building_rules());
    let wanted = Wanted { rules: &rules, catalogue: Some(&catalogue), buildings: Some(&buildings) };
    osm::read(path, wanted, &Progress::default()).expect("a town is a whole extract")
}

/// The streets of an extract on this ground.
pub fn network(extract: &Extract, ground: &Elevation) -> Network {
    network_by(extract, ground, Rules::default())
}

/// The streets of an extract on this ground, read by these rules.
pub fn network_by(extract: &Extract, ground: &Elevation, rules: Rules) -> Network {
    let left_out = extract.left_out.clone();
    build::from_streets(&extract.streets, ground, rules, left_out, &Progress::default())
        .expect("a town is small")
}

/// The profile of this name, as the project ships it.
pub fn profile(name: &str) -> Profile {
    defaults::profiles().into_iter().find(|profile| profile.name == name).expect("a known profile")
}

/// One facility at each place, all of one class.
pub fn one_class(places: &[Place]) -> Facilities {
    facilities(places, |_| "shop".to_owned())
}

/// One facility at each place, each a class of its own, so that one question gives the time to every one of them.
pub fn own_classes(places: &[Place]) -> Facilities {
    facilities(places, |row| format!("class {row:05}"))
}

fn facilities(places: &[Place], class: impl Fn(usize) -> String) -> Facilities {
    let ids = Ids::UInt((0..places.len() as u64).collect());
    Facilities::new("town", ids, (0..places.len()).map(class).collect(), places.to_vec())
}

/// Nearest times of one profile, with how the places were joined.
pub fn walk(
    network: &Network,
    who: &str,
    from: &[Place],
    to: &Facilities,
    way: Direction,
    cutoff_ds: u32,
) -> NearestTimes {
    let profile = profile(who);
    let walk = Walk::new(network, &profile, way);
    let ids = Ids::UInt((0..from.len() as u64).collect());
    nearest(&walk, &ids, from, to, cutoff_ds, &Progress::default()).expect("nobody stops a test")
}

/// Seconds of one walk in the direction of its words, or why there is none.
pub fn seconds(network: &Network, who: &str, from: Place, to: Place) -> Result<f64, Reason> {
    let times = walk(network, who, &[from], &one_class(&[to]), Direction::ToFacility, LONG_DS);
    in_seconds(times.times.nearest[0])
}

/// A nearest time in seconds.
pub fn in_seconds(nearest: Nearest) -> Result<f64, Reason> {
    nearest.map(|found| f64::from(found.time_ds) / 10.0)
}

/// Whether a time is the expected one but for rounding: every edge and every leg is a whole tenth of a second (0.05 s
/// off at most), and the file keeps each end of an edge to half a centimetre.
#[track_caller]
pub fn assert_close_s(found: Result<f64, Reason>, expected_s: f64, edges: f64) {
    let rounding_s = edges * (0.05 + 0.01 / 0.45);
    let found = found.unwrap_or_else(|reason| panic!("expected {expected_s:.2} s, found {}", reason.name()));
    assert!((found - expected_s).abs() <= rounding_s, "expected {expected_s:.2} s, found {found} s");
}

/// Heights of 600 m around the town's origin, from a formula of metres east and north. The raster is fine enough
/// (about 3 m) that it follows any plane exactly.
pub fn plane(town: &Town, height_at: impl Fn(f64, f64) -> f64) -> Elevation {
    let (origin, step, width) = (town.spot((0.0, 0.0)), 3e-5, 401_usize);
    let (one_east, one_north) = (town.spot((100.0, 0.0)), town.spot((0.0, 100.0)));
    let (west, north) = (origin.lon() - 200.0 * step, origin.lat() + 200.0 * step);
    let (degree_east_m, degree_north_m) =
        (100.0 / (one_east.lon() - origin.lon()), 100.0 / (one_north.lat() - origin.lat()));
    let at = |row: usize, column: usize| {
        let east_m = (column as f64 - 200.0) * step * degree_east_m;
        let north_m = (200.0 - row as f64) * step * degree_north_m;
        height_at(east_m, north_m) as f32
    };
    let pixels = (0..width).flat_map(|row| (0..width).map(move |column| (row, column)));
    let heights_m = pixels.map(|(row, column)| at(row, column)).collect();
    let projection = Projection::Degrees;
    let grid = ElevationGrid {
        projection,
        left: west,
        top: north,
        step_x: step,
        step_y: step,
        width,
        heights_m,
        window: None,
    };
    Elevation { grids: vec![grid], ..Elevation::default() }
}
