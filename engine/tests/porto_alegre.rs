//! The fast search against its slow twin on a real city: every cell of Porto Alegre, to schools and healthcare.
//!
//! Needs the folder of real data (`../shared/data` beside the checkout, or `WALKSHED_DATA`); says so in one line when it
//! is not there.

use std::path::PathBuf;
use walkshed::io::cells::read_origins;
use walkshed::io::defaults;
use walkshed::io::elevation;
use walkshed::io::osm::{self, Wanted};
use walkshed::io::table::Table;
use walkshed::model::facility::Facilities;
use walkshed::model::ids::Ids;
use walkshed::model::place::Place;
use walkshed::model::progress::Progress;
use walkshed::model::study::MAX_SNAP_M;
use walkshed::model::times::Direction;
use walkshed::network::build;
use walkshed::network::graph::Network;
use walkshed::travel::doors::Walk;
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
    let heights = elevation::read(&[city.join("elevation.tif")]).expect("the raster is in degrees");
    build::from_streets(&extract.streets, &heights, MAX_SNAP_M, &quiet).expect("nobody stops it")
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
    Facilities {
        id: Ids::UInt((0..found.len() as u64).collect()),
        name: vec![None; found.len()],
        file: vec!["hexgrid.csv".into(); found.len()],
        row: vec![None; found.len()],
        doors: found.iter().map(|&(_, place)| vec![place]).collect(),
        place: found.iter().map(|&(_, place)| place).collect(),
        class: found.into_iter().map(|(class, _)| class).collect(),
    }
}

#[test]
fn every_time_facility_and_reason_equals_the_slow_twin() {
    let Some(city) = folder() else { return };
    let network = network(&city);
    let cells = Table::read(&city.join("hexgrid.csv")).unwrap();
    let origins = read_origins(&cells, &mut Vec::new()).unwrap();
    let facilities = facilities(&cells, &origins.place);
    assert_eq!((origins.place.len(), facilities.len()), (1227, 294));
    let who = defaults::profiles();
    for (profile, direction) in [(&who[0], Direction::ToFacility), (&who[4], Direction::FromFacility)] {
        let walk = Walk::new(&network, profile, direction);
        let fast = nearest(&walk, &origins.id, &origins.place, &facilities, CUTOFF_DS, &Progress::default());
        let slow = oracle::nearest(&walk, &origins.place, &facilities, CUTOFF_DS).unwrap();
        assert_eq!(fast.unwrap().times.nearest, slow, "{} {direction:?}", profile.name);
        assert!(slow.iter().filter(|nearest| nearest.is_ok()).count() > 1500, "most cells reach something");
    }
}
