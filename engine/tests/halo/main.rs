//! The union of tiles is the whole, bit for bit, for all that hangs on who reaches what: nearest facilities and why there is none,
//! pairs, counts, capacities, floating catchments and coverage. And nothing of what a tile sees may be left out.
//!
//! Real cities need the folder of real data (`../shared/data` beside the checkout, or `WALKSHED_DATA`); each says so in one
//! line when it is not there.
#![expect(clippy::unwrap_used, reason = "a test stops where something is missing")]

mod tiles;
mod town;

use h3o::Resolution;
use proptest::prelude::*;
use std::path::PathBuf;
use tiles::{Asked, Breach, hold_against_whole};
use town::{Chance, GROUNDS, Size, between_two_streets, town};
use walkshed::io::defaults;
use walkshed::model::profile::Profile;
use walkshed::model::times::Direction;

/// A question to a random town, both made of a seed.
fn by_chance(seed: u64) -> (town::Town, Asked) {
    let chance = &mut Chance(seed);
    let (tiles, blocks) = if chance.happens(0.5) {
        (Resolution::Nine, Resolution::Eleven)
    } else {
        (Resolution::Eight, Resolution::Ten)
    };
    let snap_m = chance.one_of(&[15.0, 40.0, 90.0, 200.0]);
    let size = Size {
        ground: chance.one_of(&GROUNDS),
        side_m: if tiles == Resolution::Nine { 1000.0 } else { 2600.0 },
        nodes: 20 + chance.below(50),
        snap_m,
        cells: chance.one_of(&[blocks, Resolution::Twelve]),
    };
    let profile = |chance: &mut Chance| {
        let own_m = chance.happens(0.3).then(|| chance.unit() * 1.5 * snap_m + 1.0);
        Profile { max_snap_m: own_m, ..chance.one_of(&defaults::profiles()) }
    };
    let asked = Asked {
        profiles: vec![profile(chance), profile(chance)],
        direction: chance.one_of(&[Direction::ToFacility, Direction::FromFacility]),
        cutoff_ds: chance.one_of(&[600, 2400, 6000]) + chance.below(100) as u32,
        tiles,
        blocks,
    };
    (town(chance, size), asked)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn tiles_of_a_random_town_are_the_town(seed in any::<u64>()) {
        let (town, asked) = by_chance(seed);
        let outcome = hold_against_whole(&town, &asked, Breach::None);
        prop_assert_eq!(outcome, Ok(()));
    }
}

/// Whoever leaves a rule out is found out by some town.
#[test]
#[ignore = "looks through thousands of towns for minutes"]
fn every_rule_is_needed() {
    for breach in Breach::ALL {
        let fails = |&seed: &u64| {
            let (town, asked) = by_chance(seed);
            hold_against_whole(&town, &asked, breach).is_err()
        };
        let first = (0..2000).find(fails);
        assert!(first.is_some(), "{breach:?} is not seen");
    }
}

/// Where a school may stand on one street or another, every tile knows which.
#[test]
fn schools_between_two_streets_stand_where_they_stand() {
    let asked = Asked {
        profiles: defaults::profiles()[..1].to_vec(),
        direction: Direction::ToFacility,
        cutoff_ds: 6000,
        tiles: Resolution::Eight,
        blocks: Resolution::Nine,
    };
    for turn in (0..72).step_by(5) {
        let bearing = f64::from(turn).to_radians() * 5.0;
        for step in 0..8 {
            let town = between_two_streets(bearing, [f64::from(step) * 50.0, f64::from(turn) * 7.0]);
            assert_eq!(hold_against_whole(&town, &asked, Breach::None), Ok(()));
        }
    }
}

/// The folder of a real city.
fn folder(city: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data");
    let folder = std::env::var_os("WALKSHED_DATA").map_or_else(|| PathBuf::from(beside), PathBuf::from);
    let city = folder.join(city);
    if city.is_dir() {
        return Some(city);
    }
    eprintln!("not run: there is no real data at {}", city.display());
    None
}

fn hold_city(city: &str, streets: &str) {
    let Some(folder) = folder(city) else { return };
    let town = town::real(&folder.join(streets), 20_000, 600);
    let asked = Asked {
        profiles: defaults::profiles()[..2].to_vec(),
        direction: Direction::ToFacility,
        cutoff_ds: 6000,
        tiles: Resolution::Eight,
        blocks: Resolution::Nine,
    };
    assert_eq!(hold_against_whole(&town, &asked, Breach::None), Ok(()));
}

#[test]
fn tiles_of_helsinki_are_helsinki() {
    hold_city("helsinki", "centre.osm.pbf");
}

#[test]
#[ignore = "takes minutes"]
fn tiles_of_porto_alegre_are_porto_alegre() {
    hold_city("porto_alegre", "streets.osm.pbf");
}

/// A street that takes longer than the cut-off leads out of the tile: what lies beyond is connected all the same.
#[test]
fn streets_longer_than_a_walk_connect() {
    let (town, asked) = by_chance(8_876_161_606_741_607_916);
    assert_eq!(hold_against_whole(&town, &asked, Breach::None), Ok(()));
}
