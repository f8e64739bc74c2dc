//! All pairs, counts and the k nearest against the slow twin, from both sides and through every width of lanes.

use super::doors::Walk;
use super::hierarchy::Hierarchy;
use super::matrix::{by_hierarchy, by_sweeps};
use super::nearest_tests::{RandomTown, random_town};
use super::oracle;
use super::pairs::Pairs;
use super::tally::{capacities, counts, nearest_few};
use crate::io::defaults;
use crate::model::facility::Facilities;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::times::{Direction, Found};
use crate::network::graph::Network;
use proptest::prelude::*;

fn found(
    walk: &Walk<'_>,
    origins: &[Place],
    facilities: &Facilities,
    cutoff_ds: u32,
) -> Vec<(u32, u32, u32)> {
    let quiet = Progress::default();
    let joins = walk.join_both(origins, facilities, &quiet).unwrap();
    let pairs = Pairs::between(walk, &joins, cutoff_ds);
    let mut all = Vec::new();
    pairs
        .find(&quiet, |blocks| {
            for block in blocks {
                assert!(block.origin.is_sorted());
                let times = block.facility.iter().zip(&block.time_ds);
                all.extend(
                    block
                        .origin
                        .iter()
                        .zip(times)
                        .map(|(&origin, (&facility, &time))| (origin, facility, time)),
                );
            }
            Ok(())
        })
        .unwrap();
    all.sort_unstable();
    all
}

/// Towns whose origins are many or few, so that both sides are searched from.
fn with_side(town: &RandomTown, many: bool) -> RandomTown {
    let mut town = town.clone();
    if many {
        let copies = town.origins.clone();
        town.origins = copies.iter().cycle().take(70).copied().collect();
    }
    town
}

fn walk<'a>(
    network: &'a Network,
    profiles: &'a [crate::model::profile::Profile],
    which: usize,
    back: bool,
) -> Walk<'a> {
    let direction = if back { Direction::FromFacility } else { Direction::ToFacility };
    Walk::new(network, &profiles[which], direction)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(700))]

    /// Every pair within the cut-off, with the slow twin's time, once; whichever side is searched from.
    #[test]
    fn all_pairs_equal_the_slow_twin(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(), many in any::<bool>(),
        cutoff_ds in prop_oneof![0_u32..12_000, 30_000_u32..80_000],
    ) {
        let town = with_side(&town, many);
        let network = town.network(town.edges.len());
        let profiles = defaults::profiles();
        let walk = walk(&network, &profiles, profile, back);
        let (origins, facilities) = (town.origins(), town.facilities());
        let slow = oracle::pairs(&walk, &origins, &facilities, cutoff_ds).unwrap();
        prop_assert_eq!(found(&walk, &origins, &facilities, cutoff_ds), slow);
    }

    /// A matrix has the slow twin's time of every pair, by sweeps and over a contraction hierarchy.
    #[test]
    fn a_matrix_equals_the_slow_twin(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(), many in any::<bool>(),
    ) {
        let town = with_side(&town, many);
        let network = town.network(town.edges.len());
        let profiles = defaults::profiles();
        let walk = walk(&network, &profiles, profile, back);
        let (origins, facilities) = (town.origins(), town.facilities());
        let quiet = Progress::default();
        let joins = walk.join_both(&origins, &facilities, &quiet).unwrap();
        let found = by_hierarchy(&walk, &Hierarchy::new(&walk, &quiet).unwrap(), &joins, &quiet).unwrap();
        let swept = by_sweeps(&walk, &joins, &quiet).unwrap();
        let mut slow = vec![None; origins.len() * facilities.len()];
        for (origin, facility, time_ds) in oracle::pairs(&walk, &origins, &facilities, u32::MAX).unwrap() {
            slow[origin as usize * facilities.len() + facility as usize] = Some(time_ds);
        }
        prop_assert_eq!(&swept, &slow);
        prop_assert_eq!(found, slow);
    }

    /// Edges of years: sums beyond all numbers are no way, and nothing wraps or stops.
    #[test]
    fn a_matrix_over_edges_of_years_tells_what_can_be_told(
        town in random_town(), years_ds in 400_000_000_u32..1_073_741_823,
    ) {
        let mut town = town.clone();
        town.timed = true;
        for edge in &mut town.edges {
            edge.4 = edge.4.map(|time_ds| time_ds + years_ds);
            edge.5 = edge.5.map(|time_ds| time_ds + years_ds);
        }
        let network = town.network(town.edges.len());
        let profiles = defaults::profiles();
        let walk = walk(&network, &profiles, 0, false);
        let (origins, facilities) = (town.origins(), town.facilities());
        let quiet = Progress::default();
        let joins = walk.join_both(&origins, &facilities, &quiet).unwrap();
        let found = by_hierarchy(&walk, &Hierarchy::new(&walk, &quiet).unwrap(), &joins, &quiet).unwrap();
        prop_assert_eq!(&found, &by_sweeps(&walk, &joins, &quiet).unwrap());
        for (origin, facility, time_ds) in oracle::pairs(&walk, &origins, &facilities, 2_000_000_000).unwrap() {
            prop_assert_eq!(found[origin as usize * facilities.len() + facility as usize], Some(time_ds));
        }
    }

    /// Counts, capacities and the k nearest are what one reads off the pairs.
    #[test]
    fn counts_and_the_nearest_few_are_read_off_the_pairs(
        town in random_town(), back in any::<bool>(), many in any::<bool>(), k in 1_usize..5,
        limits_ds in prop::collection::vec(0_u32..12_000, 1..4),
    ) {
        let town = with_side(&town, many);
        let network = town.network(town.edges.len());
        let profiles = defaults::profiles();
        let walk = walk(&network, &profiles, 0, back);
        let (origins, facilities) = (town.origins(), town.facilities());
        let classes = facilities.classes();
        let cutoff_ds = limits_ds.iter().copied().max().unwrap();
        let pairs = oracle::pairs(&walk, &origins, &facilities, cutoff_ds).unwrap();
        let capacity: Vec<Option<f64>> =
            (0..facilities.len()).map(|row| (row % 3 > 0).then_some(row as f64 + 1.0)).collect();
        let quiet = Progress::default();
        let joins = walk.join_both(&origins, &facilities, &quiet).unwrap();
        let counted = counts(&walk, &joins, &facilities, &limits_ds, &quiet).unwrap();
        let held = capacities(&walk, &joins, &facilities, &capacity, &limits_ds, &quiet).unwrap();
        let few = nearest_few(&walk, &joins, &facilities, k, cutoff_ds, &quiet).unwrap();
        let rank = facilities.id.ranks();
        let (mut counts, mut found) = (counted.iter().zip(&held), few.chunks(k));
        for origin in 0..origins.len() as u32 {
            for class in &classes {
                let of_class: Vec<&(u32, u32, u32)> = pairs
                    .iter()
                    .filter(|pair| pair.0 == origin && facilities.class[pair.1 as usize] == *class)
                    .collect();
                for &limit_ds in &limits_ds {
                    let within: Vec<usize> =
                        of_class.iter().filter(|pair| pair.2 <= limit_ds).map(|pair| pair.1 as usize).collect();
                    let (&count, &held) = counts.next().unwrap();
                    prop_assert_eq!((count as usize, held.count), (within.len(), count));
                    let known = within.iter().filter_map(|&row| capacity[row]);
                    let sum = known.clone().sum::<f64>();
                    prop_assert!((held.capacity - sum).abs() < 1e-9, "whole numbers add up exactly");
                    prop_assert_eq!(held.unknown as usize, within.len() - known.count());
                }
                let mut nearest: Vec<(u32, u32, u32)> =
                    of_class.iter().map(|pair| (pair.2, rank[pair.1 as usize], pair.1)).collect();
                nearest.sort_unstable();
                let expected: Vec<Option<Found>> = (0..k)
                    .map(|at| nearest.get(at).map(|&(time_ds, _, facility)| Found::new(time_ds, facility)))
                    .collect();
                prop_assert_eq!(found.next().unwrap(), &expected[..]);
            }
        }
    }
}
