//! The fast search against its slow twin, on random towns and on a real city.

use super::doors::Walk;
use super::nearest::nearest;
use super::node_times::node_times;
use super::oracle;
use crate::io::defaults;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::street::{Survey, SurveyedEdge, WayKind};
use crate::model::times::{Direction, Nearest};
use crate::network::build;
use crate::network::graph::Network;
use proptest::prelude::*;

/// From, to, length in metres, number of the kind, tenths of a second forward and backward.
pub(crate) type RandomEdge = (usize, usize, f64, usize, Option<u32>, Option<u32>, bool);

/// A random surveyed town of about a kilometre: nodes anywhere, edges between any two, some with given times and
/// closed directions, lengths that differ from the drawing.
#[derive(Debug, Clone)]
pub(crate) struct RandomTown {
    pub(crate) nodes: Vec<(f64, f64, f32)>,
    pub(crate) edges: Vec<RandomEdge>,
    pub(crate) timed: bool,
    pub(crate) origins: Vec<(f64, f64)>,
    pub(crate) facilities: Vec<(f64, f64, usize)>,
}

fn spot() -> impl Strategy<Value = (f64, f64)> {
    (0.0..0.01, 0.0..0.01)
}

pub(crate) fn random_town() -> impl Strategy<Value = RandomTown> {
    (2_usize..14).prop_flat_map(|count| {
        let nodes = prop::collection::vec((0.0..0.01, 0.0..0.01, 0.0_f32..60.0), count);
        let seconds = || prop::option::weighted(0.85, 0_u32..3000);
        let private = prop::bool::weighted(0.25);
        let edge = (0..count, 0..count, 0.0..900.0, 0_usize..8, seconds(), seconds(), private);
        let edges = prop::collection::vec(edge, 1..30);
        let origins = prop::collection::vec(spot(), 1..12);
        let facilities = prop::collection::vec((0.0..0.01, 0.0..0.01, 0_usize..3), 1..12);
        (nodes, edges, any::<bool>(), origins, facilities).prop_map(
            |(nodes, edges, timed, origins, facilities)| RandomTown {
                nodes,
                edges,
                timed,
                origins,
                facilities,
            },
        )
    })
}

pub(crate) fn at(east: f64, north: f64) -> Place {
    Place::new(106.55 + east, 29.56 + north).unwrap()
}

/// One facility of one class with one door.
pub(crate) fn one_facility(door: Place) -> Facilities {
    Facilities::new("town", Ids::UInt(vec![0]), vec!["any".to_owned()], vec![door])
}

impl RandomTown {
    pub(crate) fn network(&self, edges: usize) -> Network {
        let survey = Survey {
            node_id: Ids::UInt((0..self.nodes.len() as u64).collect()),
            place: self.nodes.iter().map(|&(east, north, _)| at(east, north)).collect(),
            ele_m: self.nodes.iter().map(|&(.., ele_m)| Some(ele_m)).collect(),
            edge_id: Ids::UInt((0..edges as u64).collect()),
            edges: self.edges[..edges]
                .iter()
                .map(|&(from, to, length_m, kind, forward_ds, backward_ds, residents)| SurveyedEdge {
                    from: from as u32,
                    to: to as u32,
                    length_m,
                    kind: WayKind::ALL[kind],
                    residents,
                    forward_ds,
                    backward_ds,
                })
                .collect(),
            timed: self.timed,
        };
        build::from_survey(survey, 300.0).unwrap()
    }

    pub(crate) fn origins(&self) -> Vec<Place> {
        self.origins.iter().map(|&(east, north)| at(east, north)).collect()
    }

    /// The same facilities in further classes, so that lanes of every number are used.
    fn with_more_classes(mut self, copies: usize) -> Self {
        let own = self.facilities.clone();
        for copy in 1..copies {
            self.facilities.extend(own.iter().map(|&(east, north, class)| (north, east, class + 3 * copy)));
        }
        self
    }

    /// Ids fall while rows rise, so that a tie broken by row instead of id is seen.
    pub(crate) fn facilities(&self) -> Facilities {
        let place: Vec<Place> = self.facilities.iter().map(|&(east, north, _)| at(east, north)).collect();
        let doors = place.iter().map(|&place| vec![place, at(0.005, 0.005)]).collect();
        let ids = Ids::Int((0..place.len() as i64).rev().collect());
        let class = self.facilities.iter().map(|&(.., class)| format!("class {class}")).collect();
        Facilities { doors, ..Facilities::new("town", ids, class, place) }
    }
}

fn fast(walk: &Walk<'_>, origins: &[Place], facilities: &Facilities, cutoff_ds: u32) -> Vec<Nearest> {
    let ids = Ids::UInt((0..origins.len() as u64).collect());
    nearest(walk, &ids, origins, facilities, cutoff_ds, &Progress::default()).unwrap().times.nearest
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    /// Times, facilities and reasons agree in every entry, for every profile and both directions.
    #[test]
    fn the_search_equals_its_slow_twin(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(),
        cutoff_ds in prop_oneof![0_u32..12_000, 30_000_u32..80_000], copies in prop_oneof![Just(1), Just(3), Just(13)],
    ) {
        let town = town.with_more_classes(copies);
        let network = town.network(town.edges.len());
        let profile = &defaults::profiles()[profile];
        let direction = if back { Direction::FromFacility } else { Direction::ToFacility };
        let walk = Walk::new(&network, profile, direction);
        let (origins, facilities) = (town.origins(), town.facilities());
        let slow = oracle::nearest(&walk, &origins, &facilities, cutoff_ds).unwrap();
        prop_assert_eq!(fast(&walk, &origins, &facilities, cutoff_ds), slow);
    }

    /// Times at nodes are those of the table for homes that stand on the nodes.
    #[test]
    fn times_at_nodes_are_those_of_homes_there(
        town in random_town(), profile in 0_usize..5, back in any::<bool>(), cutoff_ds in 0_u32..50_000,
    ) {
        let network = town.network(town.edges.len());
        let profile = &defaults::profiles()[profile];
        let direction = if back { Direction::FromFacility } else { Direction::ToFacility };
        let walk = Walk::new(&network, profile, direction);
        let facilities = town.facilities();
        let quiet = Progress::default();
        let joins = walk.join_both(&network.node_place, &facilities, &quiet).unwrap();
        let at_nodes = node_times(&walk, &joins, &facilities, cutoff_ds, &quiet).unwrap();
        let table = fast(&walk, &network.node_place, &facilities, cutoff_ds);
        let classes = facilities.classes().len();
        for (node, (snap, home)) in joins.homes.iter().enumerate() {
            // A node where nobody walks is joined elsewhere, and one on another street to that street.
            let Some(home) = home.filter(|_| snap.nearest_m == Some(0.0)) else { continue };
            let own = network.around(node).iter().any(|end| end.edge() == home.anchor.edge as usize);
            let whole = [0.0, 1.0].contains(&home.anchor.share);
            let open = walk.home_legs(&home).contains(&(node as u32, 0));
            if own && whole && open {
                for class in 0..classes {
                    let slow = table[node * classes + class].ok().map(|found| found.time_ds);
                    let quick = at_nodes.get(node, class);
                    prop_assert!(slow <= quick || quick.is_none());
                    prop_assert!(quick.is_none() || slow.is_some());
                }
            }
        }
    }

    /// The way home over a network is the way there over its reverse: slopes turned round, seconds exchanged.
    #[test]
    fn from_the_facility_is_to_it_over_the_reversed_network(
        town in random_town(), profile in 0_usize..5, cutoff_ds in 0_u32..12_000,
    ) {
        let mut reversed = town.clone();
        reversed.nodes.iter_mut().for_each(|node| node.2 = -node.2);
        reversed.edges.iter_mut().for_each(|edge| std::mem::swap(&mut edge.4, &mut edge.5));
        let profile = &defaults::profiles()[profile];
        let times = |town: &RandomTown, direction| {
            let network = town.network(town.edges.len());
            fast(&Walk::new(&network, profile, direction), &town.origins(), &town.facilities(), cutoff_ds)
        };
        prop_assert_eq!(times(&town, Direction::ToFacility), times(&reversed, Direction::FromFacility));
    }

    /// One more facility never lengthens a time.
    #[test]
    fn a_new_facility_never_lengthens_a_time(town in random_town()) {
        let network = town.network(town.edges.len());
        let adult = &defaults::profiles()[0];
        let walk = Walk::new(&network, adult, Direction::ToFacility);
        let all = town.facilities();
        let fewer = all.pick(&(0..all.len() - 1).collect::<Vec<_>>());
        let before = fast(&walk, &town.origins(), &fewer, 9000);
        let after = fast(&walk, &town.origins(), &all, 9000);
        let (classes, all_classes) = (fewer.classes(), all.classes());
        for origin in 0..town.origins.len() {
            for (position, class) in classes.iter().enumerate() {
                let same = all_classes.iter().position(|other| other == class).unwrap();
                let (was, is) = (before[origin * classes.len() + position], after[origin * all_classes.len() + same]);
                if let Ok(was) = was {
                    prop_assert!(is.is_ok_and(|is| is.time_ds <= was.time_ds));
                }
            }
        }
    }

    /// One more street never lengthens a time between places that stand on street corners: it cannot come nearer to
    /// them than the streets that meet there. (A place off the street may be joined to the new street instead; see
    /// docs/design/2026-11-joining.md.)
    #[test]
    fn a_new_street_never_lengthens_a_time(town in random_town(), back in any::<bool>()) {
        prop_assume!(town.edges.len() > 1);
        let ends = |&(from, to, ..): &RandomEdge| [from, to];
        let corners: Vec<usize> = town.edges[..town.edges.len() - 1].iter().flat_map(ends).collect();
        let mut town = town.clone();
        town.timed = false;
        for edge in &mut town.edges {
            edge.3 %= 3;
            edge.6 = false;
        }
        town.origins = corners.iter().map(|&node| (town.nodes[node].0, town.nodes[node].1)).collect();
        town.facilities = vec![(town.nodes[corners[0]].0, town.nodes[corners[0]].1, 0)];
        let mut facilities = town.facilities();
        facilities.doors = vec![vec![facilities.place[0]]];
        let direction = if back { Direction::FromFacility } else { Direction::ToFacility };
        let times = |edges: usize| {
            let network = town.network(edges);
            let adult = &defaults::profiles()[0];
            let walk = Walk::new(&network, adult, direction);
            fast(&walk, &town.origins(), &facilities, 36_000)
        };
        for (was, is) in times(town.edges.len() - 1).into_iter().zip(times(town.edges.len())) {
            if let Ok(was) = was {
                prop_assert!(is.is_ok_and(|is| is.time_ds <= was.time_ds));
            }
        }
    }
}
