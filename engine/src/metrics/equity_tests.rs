//! Measures of equity beside their definitions by pairs, at known points, and what must not change them.

use super::equity::{Concentration, Poverty, Short, concentration_index, fgt, gini, lorenz, palma, theil};
use proptest::prelude::*;

fn near(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-9 * a.abs().max(b.abs()).max(1.0)
}

fn some_near(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => near(a, b),
        (a, b) => a == b,
    }
}

/// Value, weight, income and group of each.
fn any_people() -> impl Strategy<Value = Vec<(f64, f64, f64, u32)>> {
    let value = prop_oneof![Just(0.0), 0.1_f64..100.0];
    let weight = prop_oneof![Just(0.0), 0.1_f64..50.0];
    let income = (0_u32..6).prop_map(|income| f64::from(income) * 1000.0);
    prop::collection::vec((value, weight, income, 0_u32..3), 1..25)
}

type Columns = (Vec<f64>, Vec<f64>, Vec<f64>, Vec<u32>);

fn columns(people: &[(f64, f64, f64, u32)]) -> Columns {
    let pick = |of: fn(&(f64, f64, f64, u32)) -> f64| people.iter().map(of).collect();
    (pick(|p| p.0), pick(|p| p.1), pick(|p| p.2), people.iter().map(|p| p.3).collect())
}

/// Gini as the mean difference of all pairs of people over twice the mean.
fn gini_by_pairs(value: &[f64], weight: &[f64]) -> Option<f64> {
    let people: f64 = weight.iter().sum();
    let mean = value.iter().zip(weight).map(|(value, weight)| value * weight).sum::<f64>() / people;
    if !(people > 0.0 && mean > 0.0) {
        return None;
    }
    let all = || value.iter().zip(weight);
    let differences: f64 = all().flat_map(|(a, p)| all().map(move |(b, q)| (a - b).abs() * p * q)).sum();
    Some(differences / (2.0 * mean * people * people))
}

proptest! {
    #[test]
    fn gini_is_the_mean_difference_of_all_pairs(people in any_people()) {
        let (value, weight, ..) = columns(&people);
        let index = gini(&value, &weight);
        prop_assert!(some_near(index, gini_by_pairs(&value, &weight)));
        prop_assert!(index.is_none_or(|index| (0.0..=1.0).contains(&index)));
    }

    /// Other units, other numbers of people in the same proportion, another order: the same.
    #[test]
    fn nothing_depends_on_scale_or_order(people in any_people(), by in 0.1_f64..20.0) {
        let (value, weight, income, group) = columns(&people);
        let larger: Vec<f64> = value.iter().map(|value| value * by).collect();
        let more: Vec<f64> = weight.iter().map(|weight| weight * by).collect();
        let mut turned = people.clone();
        turned.reverse();
        let (value_r, weight_r, income_r, group_r) = columns(&turned);
        let total = |value: &[f64], weight: &[f64], group: &[u32]| theil(value, weight, group, 3).map(|theil| theil.total);
        prop_assert!(some_near(gini(&value, &weight), gini(&larger, &more)));
        prop_assert!(some_near(gini(&value, &weight), gini(&value_r, &weight_r)));
        prop_assert!(some_near(total(&value, &weight, &group), total(&larger, &more, &group)));
        prop_assert!(some_near(total(&value, &weight, &group), total(&value_r, &weight_r, &group_r)));
        prop_assert!(some_near(palma(&value, &income, &weight), palma(&larger, &income, &more)));
        prop_assert!(some_near(palma(&value, &income, &weight), palma(&value_r, &income_r, &weight_r)));
        for kind in [Concentration::Standard, Concentration::Corrected] {
            let index = concentration_index(&value, &income, &weight, kind);
            prop_assert!(some_near(index, concentration_index(&value_r, &income_r, &weight_r, kind)));
            prop_assert!(some_near(index, concentration_index(&larger, &income, &more, kind)));
        }
    }

    #[test]
    fn theil_is_what_is_between_and_within(people in any_people()) {
        let (value, weight, _, group) = columns(&people);
        if let Some(found) = theil(&value, &weight, &group, 3) {
            prop_assert!(near(found.total, found.between + found.within));
            prop_assert!(found.total >= -1e-12 && found.between >= -1e-12 && found.within >= -1e-12);
        }
    }

    /// By one's own value, concentration is the index of Gini.
    #[test]
    fn concentration_by_the_value_itself_is_gini(people in any_people()) {
        let (value, weight, ..) = columns(&people);
        let index = concentration_index(&value, &value, &weight, Concentration::Standard);
        prop_assert!(some_near(index, gini(&value, &weight)));
    }

    #[test]
    fn the_lorenz_curve_rises_below_the_line_of_equality(people in any_people()) {
        let (value, weight, ..) = columns(&people);
        let Some(curve) = lorenz(&value, &weight) else { return Ok(()) };
        prop_assert_eq!(curve[0], (0.0, 0.0));
        let last = curve[curve.len() - 1];
        prop_assert!(near(last.0, 1.0) && near(last.1, 1.0));
        prop_assert!(curve.iter().all(|(people, value)| *value <= people + 1e-9));
        prop_assert!(curve.windows(2).all(|step| step[0].0 <= step[1].0 && step[0].1 <= step[1].1 + 1e-15));
    }

    /// Fewer fall short of a lower limit, and gaps are no greater than incidence.
    #[test]
    fn poverty_is_ordered(people in any_people(), limit in 1.0_f64..100.0) {
        let (value, weight, ..) = columns(&people);
        let Some(found) = fgt(&value, &weight, limit, Short::Below) else { return Ok(()) };
        prop_assert!(found.severity <= found.depth + 1e-12 && found.depth <= found.incidence + 1e-12);
        let lower = fgt(&value, &weight, limit / 2.0, Short::Below);
        prop_assert!(lower.is_some_and(|lower| lower.incidence <= found.incidence));
    }
}

#[test]
fn known_points() {
    assert_eq!(gini(&[5.0, 5.0, 5.0], &[1.0, 2.0, 3.0]), Some(0.0));
    assert!(near(gini(&[0.0, 0.0, 0.0, 8.0], &[1.0; 4]).unwrap(), 0.75));
    assert_eq!(gini(&[0.0, 0.0], &[1.0, 1.0]), None);
    assert_eq!(gini(&[1.0], &[0.0]), None);
    // One of four has all: ln 4.
    assert!(near(theil(&[0.0, 0.0, 0.0, 8.0], &[1.0; 4], &[0; 4], 1).unwrap().total, 4_f64.ln()));
    // Ten people, incomes 1 to 10, values as incomes: 10 over the mean of 1 to 4.
    let ten: Vec<f64> = (1..=10).map(f64::from).collect();
    assert!(near(palma(&ten, &ten, &[1.0; 10]).unwrap(), 4.0));
    // Only the richest of two has something.
    let concentrated = |kind| concentration_index(&[0.0, 1.0], &[1.0, 2.0], &[1.0, 1.0], kind).unwrap();
    assert!(near(concentrated(Concentration::Standard), 0.5));
    assert!(near(concentrated(Concentration::Corrected), 1.0));
    let found = fgt(&[2.0, 8.0, 10.0], &[1.0, 1.0, 2.0], 10.0, Short::Below).unwrap();
    assert!(near(found.incidence, 0.5) && near(found.depth, (0.8 + 0.2) / 4.0));
    assert!(near(found.severity, (0.64 + 0.04) / 4.0));
    let minutes = fgt(&[10.0, 20.0], &[3.0, 1.0], 10.0, Short::Above);
    assert_eq!(minutes, Some(Poverty { incidence: 0.25, depth: 0.25, severity: 0.25 }));
}
