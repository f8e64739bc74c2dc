//! The fast search against its slow twin on a real city: every cell of Porto Alegre, to schools and healthcare.
//!
//! Needs the folder of real data (`../shared/data` beside the checkout, or `WALKSHED_DATA`); says so in one line when it
//! is not there.

use geo::{Area, BooleanOps, Validation};
use h3o::Resolution;
use std::path::PathBuf;
use std::time::Instant;
use walkshed::io::cells::read_origins;
use walkshed::io::defaults;
use walkshed::io::elevation;
use walkshed::io::osm::{self, Wanted};
use walkshed::io::table::Table;
use walkshed::model::facility::Facilities;
use walkshed::model::ids::Ids;
use walkshed::model::place::Place;
use walkshed::model::progress::Progress;
use walkshed::model::smoothing::Smoothing;
use walkshed::model::times::Direction;
use walkshed::network::build::{self, Rules};
use walkshed::network::graph::Network;
use walkshed::travel::doors::Walk;
use walkshed::travel::isochrone::{BUFFER_M, isochrones};
use walkshed::travel::isochrone_cells::isochrone_cells;
use walkshed::travel::nearest::nearest;
use walkshed::travel::oracle;

const CUTOFF_DS: u32 = 9000;

fn folder() -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("WALKSHED_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let city = folder.join("porto_alegre");
    if city.is_dir() {
        return Some(city);
    }
    eprintln!("not run: there is no real data at {}", city.display());
    None
}

fn network(city: &std::path::Path) -> Network {
    let rules = defaults::walking_rules();
    let wanted = Wanted { rules: &rules, catalogue: None, buildings: None };
    let quiet = Progress::default();
    let extract = osm::read(&city.join("streets.osm.pbf"), wanted, &quiet).expect("the extract is whole");
    let heights = elevation::read(&[city.join("elevation.tif")], None, Smoothing::SavitzkyGolay);
    let heights = heights.expect("the raster is in degrees");
    build::from_streets(&extract.streets, &heights, Rules::default(), extract.left_out, &quiet)
        .expect("nobody stops it")
}

/// One row for each cell with schools, and one for each with healthcare.
fn facilities(cells: &Table, place: &[Place]) -> Facilities {
    let mut problems = Vec::new();
    let mut found: Vec<(String, Place)> = Vec::new();
    for class in ["schools", "healthcare"] {
        let counts = cells.numbers(class, &mut problems).expect("the column is there");
        let here = counts.iter().zip(place).filter(|(count, _)| count.is_some_and(|count| count > 0.0));
        found.extend(here.map(|(_, &place)| (class.to_owned(), place)));
    }
    assert!(problems.is_empty());
    let ids = Ids::UInt((0..found.len() as u64).collect());
    let (class, place) = found.into_iter().unzip();
    Facilities::new("hexgrid.csv", ids, class, place)
}

/// Every shape of a real city is valid and holds the shorter ones; the figures are printed (`-- --nocapture`).
#[test]
fn isochrones_are_valid_nested_and_quick() {
    let Some(city) = folder() else { return };
    let network = network(&city);
    let cells = Table::read(&city.join("hexgrid.csv")).unwrap();
    let points: Vec<Place> = read_origins(&cells, &mut Vec::new())
        .unwrap()
        .spot
        .into_iter()
        .map(|spot| spot.place)
        .step_by(25)
        .collect();
    let adult = &defaults::profiles()[0];
    let walk = Walk::new(&network, adult, Direction::ToFacility);
    let quiet = Progress::default();
    walk.join(&points[..1], &quiet).unwrap();
    for limits_ds in [&[9000][..], &[3000, 6000, 9000]] {
        let one_core = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        let began = Instant::now();
        let found = one_core.install(|| isochrones(&walk, &points, limits_ds, BUFFER_M, &quiet)).unwrap();
        let each_ms = began.elapsed().as_secs_f64() * 1e3 / points.len() as f64;
        eprintln!("{} points, limits {limits_ds:?}: {each_ms:.1} ms each on one core", points.len());
        let again = isochrones(&walk, &points, limits_ds, BUFFER_M, &quiet).unwrap();
        assert_eq!(found, again, "the same on any number of threads");
        for shapes in found {
            let shapes: Vec<_> = shapes.into_iter().flatten().collect();
            for shape in &shapes {
                assert!(shape.shape.is_valid(), "{:?}", shape.shape.validation_errors());
            }
            for pair in shapes.windows(2) {
                // The grid of the union is some millionths of a metre wide, a border tens of kilometres long.
                let outside = pair[0].shape.difference(&pair[1].shape).unsigned_area();
                assert!(outside < 1e-6 * pair[0].shape.unsigned_area(), "{outside}");
            }
        }
    }
    let began = Instant::now();
    let found = isochrone_cells(&walk, &points, 9000, Resolution::Ten, &quiet).unwrap();
    let each_ms = began.elapsed().as_secs_f64() * 1e3 / points.len() as f64;
    let count: usize = found.iter().flatten().map(Vec::len).sum();
    eprintln!("cells: {count} in all, {each_ms:.1} ms each");
}

#[test]
fn every_time_facility_and_reason_equals_the_slow_twin() {
    let Some(city) = folder() else { return };
    let network = network(&city);
    let cells = Table::read(&city.join("hexgrid.csv")).unwrap();
    let origins = read_origins(&cells, &mut Vec::new()).unwrap();
    let places: Vec<Place> = origins.spot.iter().map(|spot| spot.place).collect();
    let facilities = facilities(&cells, &places);
    assert_eq!((places.len(), facilities.len()), (1227, 294));
    let who = defaults::profiles();
    for (profile, direction) in [(&who[0], Direction::ToFacility), (&who[4], Direction::FromFacility)] {
        let walk = Walk::new(&network, profile, direction);
        let fast = nearest(&walk, &origins.id, &places, &facilities, CUTOFF_DS, &Progress::default());
        let slow = oracle::nearest(&walk, &places, &facilities, CUTOFF_DS).unwrap();
        assert_eq!(fast.unwrap().times.nearest, slow, "{} {direction:?}", profile.name);
        assert!(slow.iter().filter(|nearest| nearest.is_ok()).count() > 1000, "most cells reach something");
    }
}
