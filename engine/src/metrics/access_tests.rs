//! Measures of access beside their formulas over dense matrices, and what they must keep.

use super::closest::closest;
use super::cumulative::{Within, cumulative};
use super::floating_catchment::{Catchments, Variant};
use super::gravity::{Offers, gravity};
use crate::model::costs::Costs;
use crate::model::decay::Decay;
use proptest::prelude::*;

/// A small city: minutes of every home to every facility, none where out of reach.
#[derive(Debug, Clone)]
struct City {
    minutes: Vec<Vec<Option<f64>>>,
    people: Vec<f64>,
    capacity: Vec<f64>,
    class: Vec<u32>,
}

const CLASSES: usize = 3;

fn any_city() -> impl Strategy<Value = City> {
    (1_usize..7, 1_usize..6).prop_flat_map(|(homes, facilities)| {
        let minutes = prop::option::weighted(0.8, (0_u32..400).prop_map(|tenths| f64::from(tenths) / 10.0));
        (
            prop::collection::vec(prop::collection::vec(minutes, facilities), homes),
            prop::collection::vec(prop_oneof![Just(0.0), 1.0_f64..1000.0], homes),
            prop::collection::vec(prop_oneof![Just(0.0), 1.0_f64..100.0], facilities),
            prop::collection::vec(0_u32..CLASSES as u32, facilities),
        )
            .prop_map(|(minutes, people, capacity, class)| City { minutes, people, capacity, class })
    })
}

impl City {
    fn costs(&self) -> Costs {
        let mut costs = Costs::default();
        for (origin, row) in self.minutes.iter().enumerate() {
            for (facility, minutes) in
                row.iter().enumerate().filter_map(|(at, minutes)| Some((at, (*minutes)?)))
            {
                costs.origin.push(origin as u32);
                costs.facility.push(facility as u32);
                costs.minutes.push(minutes);
            }
        }
        costs
    }

    fn access(&self, variant: Variant, decay: &Decay) -> Vec<f64> {
        let costs = self.costs();
        Catchments { costs: &costs, people: &self.people, capacity: &self.capacity }.access(variant, decay)
    }

    fn weight(&self, decay: &Decay, home: usize, facility: usize) -> f64 {
        self.minutes[home][facility].map_or(0.0, |minutes| decay.weight(minutes))
    }

    /// Sum over homes of what they weigh at a facility.
    fn over_homes(&self, of: impl Fn(usize) -> f64) -> f64 {
        (0..self.people.len()).map(of).sum()
    }

    fn over_facilities(&self, of: impl Fn(usize) -> f64) -> f64 {
        (0..self.capacity.len()).map(of).sum()
    }

    /// The formulas as they are printed, term by term.
    fn by_formula(&self, variant: Variant, decay: &Decay) -> Vec<f64> {
        let f = |i: usize, j: usize| self.weight(decay, i, j);
        let (p, s) = (&self.people, &self.capacity);
        let over = |of: f64, whole: f64| if whole > 0.0 { of / whole } else { 0.0 };
        let chosen = |i: usize, j: usize| over(f(i, j), self.over_facilities(|j| f(i, j)));
        let received = |i: usize, j: usize| over(f(i, j), self.over_homes(|i| f(i, j)));
        let home = |i: usize| match variant {
            Variant::TwoStep => {
                self.over_facilities(|j| f(i, j) * over(s[j], self.over_homes(|k| p[k] * f(k, j))))
            }
            Variant::Modified => {
                self.over_facilities(|j| f(i, j) * f(i, j) * over(s[j], self.over_homes(|k| p[k] * f(k, j))))
            }
            Variant::ThreeStep => self.over_facilities(|j| {
                chosen(i, j) * f(i, j) * over(s[j], self.over_homes(|k| chosen(k, j) * p[k] * f(k, j)))
            }),
            Variant::Balanced => self
                .over_facilities(|j| received(i, j) * over(s[j], self.over_homes(|k| p[k] * chosen(k, j)))),
            Variant::SpatialAvailability => {
                self.over_facilities(|j| s[j] * over(p[i] * f(i, j), self.over_homes(|k| p[k] * f(k, j))))
            }
        };
        (0..p.len()).map(home).collect()
    }

    /// Capacity of the facilities that anybody reaches.
    fn reached(&self, decay: &Decay) -> f64 {
        let anybody = |j: usize| self.over_homes(|i| self.people[i] * self.weight(decay, i, j)) > 0.0;
        self.over_facilities(|j| if anybody(j) { self.capacity[j] } else { 0.0 })
    }

    fn used(&self, access: &[f64]) -> f64 {
        access.iter().zip(&self.people).map(|(each, people)| each * people).sum()
    }
}

fn any_weights() -> impl Strategy<Value = Decay> {
    (0_usize..4, 5.0_f64..40.0).prop_map(|(kind, limit_min)| match kind {
        0 => Decay::Step { limit_min },
        1 => Decay::Rings { limit_min },
        2 => Decay::GaussianBand { limit_min },
        _ => Decay::Exponential { per_min: 0.7 / limit_min },
    })
}

const VARIANTS: [Variant; 5] = [
    Variant::TwoStep,
    Variant::ThreeStep,
    Variant::Modified,
    Variant::Balanced,
    Variant::SpatialAvailability,
];

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

proptest! {
    #[test]
    fn floating_catchments_are_their_formulas(city in any_city(), decay in any_weights()) {
        for variant in VARIANTS {
            let (fast, slow) = (city.access(variant, &decay), city.by_formula(variant, &decay));
            prop_assert!(fast.iter().zip(&slow).all(|(a, b)| near(*a, *b)), "{variant:?}: {fast:?} {slow:?}");
        }
    }

    /// All that anybody reaches is given out, no more; the modified method gives out no more than there is.
    #[test]
    fn floating_catchments_conserve_supply(city in any_city(), decay in any_weights()) {
        let reached = city.reached(&decay);
        for variant in [Variant::TwoStep, Variant::ThreeStep] {
            prop_assert!(near(city.used(&city.access(variant, &decay)), reached), "{variant:?}");
        }
        prop_assert!(city.used(&city.access(Variant::Modified, &decay)) <= reached * (1.0 + 1e-9));
        prop_assert!(near(city.access(Variant::SpatialAvailability, &decay).iter().sum(), reached));
    }

    /// Balanced: everybody is counted once at the facilities, and the ratios of all facilities are given out.
    #[test]
    fn balanced_catchments_conserve_people_and_ratios(city in any_city(), decay in any_weights()) {
        let f = |i: usize, j: usize| city.weight(&decay, i, j);
        let chosen = |i: usize, j: usize| {
            let all = city.over_facilities(|j| f(i, j));
            if all > 0.0 { f(i, j) / all } else { 0.0 }
        };
        let demand = |j: usize| city.over_homes(|i| city.people[i] * chosen(i, j));
        let with_a_way = |i: usize| city.over_facilities(|j| f(i, j)) > 0.0;
        let people = city.over_homes(|i| if with_a_way(i) { city.people[i] } else { 0.0 });
        prop_assert!(near(city.over_facilities(demand), people));
        let ratio = |j: usize| if demand(j) > 0.0 { city.capacity[j] / demand(j) } else { 0.0 };
        prop_assert!(near(city.access(Variant::Balanced, &decay).iter().sum(), city.over_facilities(ratio)));
    }

    /// Twice the people and twice the places: the same for each.
    #[test]
    fn floating_catchments_do_not_depend_on_scale(city in any_city(), decay in any_weights(), by in 0.1_f64..10.0) {
        let mut larger = city.clone();
        larger.people.iter_mut().chain(&mut larger.capacity).for_each(|number| *number *= by);
        for variant in VARIANTS.into_iter().take(4) {
            let (before, after) = (city.access(variant, &decay), larger.access(variant, &decay));
            prop_assert!(before.iter().zip(&after).all(|(a, b)| near(*a, *b)));
        }
    }

    #[test]
    fn gravity_counts_and_the_closest_are_read_off_the_matrix(city in any_city(), decay in any_weights(), k in 1_usize..4) {
        let (costs, homes) = (city.costs(), city.people.len());
        let offers = Offers { amount: &city.capacity, class: &city.class, classes: CLASSES };
        let access = gravity(&costs, homes, offers, &decay);
        let limits = [5.0, 15.0];
        let known: Vec<Option<f64>> = city.capacity.iter().map(|&held| Some(held).filter(|held| *held > 0.0)).collect();
        let within = cumulative(&costs, homes, &city.class, CLASSES, &known, &limits);
        let mut near_ones = closest(&costs, homes, &city.class, k).into_iter().peekable();
        for home in 0..homes {
            for class in 0..CLASSES {
                let mut of_class: Vec<(f64, usize)> = (0..city.class.len())
                    .filter(|&at| city.class[at] as usize == class)
                    .filter_map(|at| Some((city.minutes[home][at]?, at)))
                    .collect();
                of_class.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
                let sum: f64 = of_class.iter().map(|&(minutes, at)| city.capacity[at] * decay.weight(minutes)).sum();
                prop_assert!(near(access[home * CLASSES + class], sum));
                for (at, limit) in limits.into_iter().enumerate() {
                    let reached = || of_class.iter().filter(|(minutes, _)| *minutes <= limit).map(|&(_, at)| known[at]);
                    let expected = Within {
                        count: reached().count() as u32,
                        capacity: within[(home * CLASSES + class) * 2 + at].capacity,
                        unknown: reached().filter(Option::is_none).count() as u32,
                    };
                    prop_assert_eq!(within[(home * CLASSES + class) * 2 + at], expected);
                    prop_assert!(near(expected.capacity, reached().flatten().sum()));
                }
                for (rank, &(minutes, at)) in (1..).zip(&of_class).take(k) {
                    let found = near_ones.next();
                    let found = found.map(|close| (close.origin as usize, close.facility as usize, close.rank, close.minutes));
                    prop_assert_eq!(found, Some((home, at, rank, minutes)));
                }
            }
        }
        prop_assert_eq!(near_ones.peek(), None);
    }
}

/// Two homes of 100 and 300 people, two clinics of 10 and 6 doctors: the second home reaches both, the first one only its own.
#[test]
fn two_homes_and_two_clinics_by_hand() {
    let city = City {
        minutes: vec![vec![Some(5.0), None], vec![Some(12.0), Some(3.0)]],
        people: vec![100.0, 300.0],
        capacity: vec![10.0, 6.0],
        class: vec![0, 0],
    };
    let access = city.access(Variant::TwoStep, &Decay::Step { limit_min: 15.0 });
    assert_eq!(access, [10.0 / 400.0, 10.0 / 400.0 + 6.0 / 300.0]);
    // Rings of 5, 10 and 15 minutes: the long walk of the second home weighs 0.22.
    let access = city.access(Variant::TwoStep, &Decay::Rings { limit_min: 15.0 });
    let first = 10.0 / (100.0 + 0.22 * 300.0);
    assert!(near(access[0], first) && near(access[1], 0.22 * first + 6.0 / 300.0));
    // Balanced: the second home divides its people in halves, and so is the first clinic's ratio divided.
    let access = city.access(Variant::Balanced, &Decay::Step { limit_min: 15.0 });
    assert!(near(access[0], 0.5 * 10.0 / 250.0) && near(access[1], 0.5 * 10.0 / 250.0 + 6.0 / 150.0));
}
