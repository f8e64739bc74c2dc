//! Routes against the table of nearest times, on random towns.

use super::doors::Walk;
use super::nearest::nearest;
use super::nearest_tests::{RandomTown, at, one_facility, random_town};
use super::route::{Leg, NoRoute, Route, RouteEnd, route};
use crate::io::defaults;
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Direction, Reason};
use crate::network::graph::{CLOSED, Network};
use proptest::prelude::*;

fn walked(walk: &Walk<'_>, origin: Place, destination: Place) -> Route {
    route(walk, origin, destination, &Progress::default()).unwrap()
}

/// The time of one pair by the table, without cut-off.
fn by_table(walk: &Walk<'_>, origin: Place, destination: Place) -> Result<Deciseconds, Reason> {
    let facilities = one_facility(destination);
    let times =
        nearest(walk, &Ids::UInt(vec![0]), &[origin], &facilities, CLOSED - 1, &Progress::default()).unwrap();
    times.times.nearest[0].map(|found| found.time_ds)
}

fn total_ds(legs: &[Leg]) -> Deciseconds {
    legs.iter().map(|leg| leg.time_ds).sum()
}

/// Places at corners and on the middle of edges, where ties and parts of no length are, and anywhere.
fn places(town: &RandomTown) -> Vec<Place> {
    let corners = town.nodes.iter().take(3).map(|&(east, north, _)| at(east, north));
    let middles = town.edges.iter().take(3).map(|&(from, to, ..)| {
        let (a, b) = (town.nodes[from], town.nodes[to]);
        at(f64::midpoint(a.0, b.0), f64::midpoint(a.1, b.1))
    });
    corners.chain(middles).chain(town.origins().into_iter().take(3)).collect()
}

/// Whether each leg begins where the one before ended. What takes no tenth of a second is left out: 1 cm of street or 0.1 m
/// of the way to it.
fn hangs_together(legs: &[Leg]) -> bool {
    legs.windows(2).all(|pair| {
        let (end, start) = (pair[0].line[pair[0].line.len() - 1], pair[1].line[0]);
        end.distance_m(start) < 0.5
    })
}

fn edges_exist(network: &Network, legs: &[Leg]) -> bool {
    legs.iter().all(|leg| leg.edges.iter().all(|&edge| Some(network.edges.kind[edge as usize]) == leg.kind))
}

/// A survey may state a length of nothing between two places far apart: the leg is drawn nevertheless.
#[test]
fn a_street_of_no_stated_length_is_a_leg() {
    let town = RandomTown {
        nodes: vec![(0.001, 0.001, 0.0), (0.009, 0.001, 0.0)],
        edges: vec![(0, 1, 0.0, 0, None, None, false)],
        timed: false,
        origins: Vec::new(),
        facilities: Vec::new(),
    };
    let network = town.network(1);
    let adult = &defaults::profiles()[0];
    let walk = Walk::new(&network, adult, Direction::ToFacility);
    let legs = walked(&walk, at(0.002, 0.001), at(0.008, 0.001)).unwrap();
    assert_eq!(legs.iter().map(|leg| (leg.time_ds, leg.edges.len())).collect::<Vec<_>>(), [(0, 1)]);
    assert!(hangs_together(&legs));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(800))]

    #[test]
    fn the_legs_add_up_to_the_time_of_the_table(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(),
    ) {
        let network = town.network(town.edges.len());
        let profile = &defaults::profiles()[profile];
        let direction = if back { Direction::FromFacility } else { Direction::ToFacility };
        let walk = Walk::new(&network, profile, direction);
        let places = places(&town);
        for &origin in &places {
            for &destination in &places {
                let found = walked(&walk, origin, destination);
                match (by_table(&walk, origin, destination), &found) {
                    (Ok(time_ds), Ok(legs)) => {
                        prop_assert_eq!(total_ds(legs), time_ds);
                        prop_assert!(hangs_together(legs), "{:?}", legs);
                        prop_assert!(edges_exist(&network, legs));
                        prop_assert!(legs.windows(2).all(|pair| pair[0].kind.is_none() || pair[0].kind != pair[1].kind));
                    }
                    // The table does not say when the destination is not joined, but that nobody gets there.
                    (Err(Reason::NotConnected), Err(NoRoute::NotSnapped { place: RouteEnd::Destination, .. })) => {}
                    (Err(reason), Err(none)) => prop_assert_eq!(none.reason(), reason),
                    (table, route) => prop_assert!(false, "{:?} but {:?}", table, route),
                }
                prop_assert_eq!(walked(&walk, origin, destination), found);
            }
        }
    }

    /// The way back from the facility is the way to it on the network turned round: what goes up goes down.
    #[test]
    fn a_leg_back_is_drawn_and_climbed_as_it_is_walked(town in random_town()) {
        // On private ways home and facility are not the same: one leaves from where the other is not let in.
        let mut town = town;
        town.edges.iter_mut().for_each(|edge| edge.6 = false);
        let network = town.network(town.edges.len());
        let adult = &defaults::profiles()[0];
        let walk = Walk::new(&network, adult, Direction::FromFacility);
        let there = Walk::new(&network, adult, Direction::ToFacility);
        let (a, b) = (places(&town)[0], *places(&town).last().unwrap());
        // From b to a is one walk, whichever of the two is called the facility.
        let (back, forth) = (walked(&walk, a, b), walked(&there, b, a));
        if let (Ok(back), Ok(forth)) = (back, forth) {
            prop_assert_eq!(total_ds(&back), total_ds(&forth));
            let rise = |legs: &[Leg]| legs.iter().filter(|leg| leg.kind.is_some())
                .map(|leg| leg.climb_m.unwrap() - leg.descent_m.unwrap()).sum::<f64>();
            let same_way = |a: &[Leg], b: &[Leg]| a.iter().map(|leg| &leg.edges).eq(b.iter().map(|leg| &leg.edges));
            if same_way(&back, &forth) {
                prop_assert!((rise(&back) - rise(&forth)).abs() < 1e-6);
                let first = |legs: &[Leg]| legs.first().map(|leg| leg.line[0]);
                prop_assert_eq!(first(&back), first(&forth));
            }
        }
    }
}
