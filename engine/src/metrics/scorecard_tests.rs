//! A standard of one point for each kind of rule, and a community solved by hand.

use super::scorecard::score;
use crate::io::{defaults, standard};
use crate::model::area::Areas;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::scorecard::{Answer, Covered, Facts, PointScore, Scorecard, Status};
use crate::model::standard::{Applies, Standard};
use geo::{MultiPolygon, polygon};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashMap};

/// Points are worth what their numbers say; all of one item.
fn of_points(points: &str) -> Standard {
    let text = format!(
        r#"
schema = "scoring-standard/1"
[standard]
id = "test"
name_zh = "测试"
total_points = 100
[scoring]
item_rule = "weighted_mean"
should_weight = 0.5
[[grade]]
id = "good"
name_zh = "好"
min_score = 60
[[grade]]
id = "poor"
name_zh = "差"
min_score = 0
[[category]]
id = "c"
name_zh = "类"
[[item]]
id = "i"
category = "c"
name_zh = "项"
points = [{points}]
"#
    );
    standard::parse("test.toml", &text).unwrap()
}

/// A square community with a kindergarten of 90 places and unknown floor area, two shops of 40 and 60 m², and a pharmacy outside.
fn facts() -> Facts {
    let mut areas = Areas::default();
    let outline = polygon![(x: 0.0, y: 0.0), (x: 1.0, y: 0.0), (x: 1.0, y: 1.0), (x: 0.0, y: 1.0)];
    areas.push_bare("a".to_owned(), Some(MultiPolygon::new(vec![outline])));
    let class = ["kindergarten", "convenience_store", "convenience_store", "pharmacy"];
    let place = |x| Place::new(x, 0.5).unwrap();
    let facilities = Facilities::new(
        "facilities",
        Ids::Text(["k", "s1", "s2", "p"].map(str::to_owned).to_vec()),
        class.map(str::to_owned).to_vec(),
        vec![place(0.2), place(0.4), place(0.6), place(2.0)],
    );
    let attributes = BTreeMap::from([
        ("places".to_owned(), vec![Some(90.0), None, None, None]),
        ("floor_area_m2".to_owned(), vec![None, Some(40.0), Some(60.0), Some(100.0)]),
        ("classes".to_owned(), vec![Some(5.0), None, None, None]),
    ]);
    let row = |class: &str, minutes_ds, covered| {
        let key = (class.to_owned(), "all".to_owned(), "adult".to_owned(), minutes_ds);
        (key, vec![Some((1000.0, covered))])
    };
    let covered = Covered {
        of: HashMap::from([row("pharmacy", 6000, 750.0), row("kindergarten", 6000, 400.0)]),
        people: HashMap::from([("all".to_owned(), vec![Some(1000.0)]), ("none".to_owned(), vec![Some(0.0)])]),
    };
    let answer =
        |value: &str| Answer { value: value.to_owned(), source: Some("街道办".to_owned()), date: None };
    let answers = [
        ("households", "400"),
        ("cars", "300"),
        ("dwellings", "400"),
        ("m1", "是"),
        ("m2", "灯;梯"),
        ("v", "70%"),
    ];
    let known = class.map(str::to_owned).into_iter().collect();
    Facts {
        areas,
        facilities,
        attributes,
        subtype: vec![None; 4],
        known,
        covered,
        answers: vec![answers.map(|(key, value)| (key.to_owned(), answer(value))).into_iter().collect()],
        profile: "adult".to_owned(),
        applies: Applies::Existing,
        catalogue: defaults::catalogue(),
    }
}

fn card(standard: &Standard, facts: &Facts) -> Scorecard {
    score(standard, facts, &Progress::default()).unwrap()
}

/// The one point of a standard in the community.
fn point(rule: &str) -> PointScore {
    card(&of_points(&format!("{{ id = \"x\", {rule} }}")), &facts()).points.remove(0)
}

/// Status, value, low, high and gap of a rule.
fn found(rule: &str) -> (Status, Option<f64>, f64, f64, Option<f64>) {
    let PointScore { status, outcome, .. } = point(rule);
    let rounded = |value: f64| (value * 1e6).round() / 1e6;
    let gap = outcome.gap.map(|gap| rounded(gap.amount));
    (status, outcome.value.map(rounded), rounded(outcome.score.low), rounded(outcome.score.high), gap)
}

#[test]
fn presence_counts_what_is_inside() {
    use Status::{Fail, Partial, Pass, Unknown};
    let shops = "kind = \"presence\", class = \"convenience_store\"";
    assert_eq!(found(&format!("{shops}, min = 2")), (Pass, Some(2.0), 1.0, 1.0, None));
    assert_eq!(found(&format!("{shops}, min = 4")), (Partial, Some(2.0), 0.5, 0.5, Some(2.0)));
    assert_eq!(
        found(&format!("{shops}, min = 2, min_floor_area_m2 = 50")),
        (Partial, Some(1.0), 0.5, 0.5, Some(1.0))
    );
    assert_eq!(
        found("kind = \"presence\", class = \"pharmacy\", min = 1"),
        (Fail, Some(0.0), 0.0, 0.0, Some(1.0))
    );
    // No nursery is in the table of the whole city: it does not tell.
    assert_eq!(found("kind = \"presence\", class = \"nursery\", min = 1"), (Unknown, None, 0.0, 1.0, None));
    let unsized_one = "kind = \"presence\", class = \"kindergarten\", min = 1, min_floor_area_m2 = 50";
    assert_eq!(found(unsized_one), (Unknown, Some(0.0), 0.0, 1.0, Some(1.0)));
}

#[test]
fn presence_in_reach_is_what_coverage_tells() {
    use Status::{Pass, Unknown};
    let reach = "kind = \"presence\", class = \"pharmacy\", within = \"reach\"";
    assert_eq!(found(&format!("{reach}, min = 1")), (Pass, None, 1.0, 1.0, None));
    assert_eq!(found(&format!("{reach}, min = 2")), (Unknown, None, 0.5, 1.0, None));
}

#[test]
fn sizes_and_capacities_are_known_or_not() {
    use Status::{Partial, Pass, Unknown};
    let floor = "kind = \"floor_area\", class = \"convenience_store\"";
    assert_eq!(found(&format!("{floor}, min_m2 = 80")), (Partial, Some(60.0), 0.75, 0.75, Some(20.0)));
    assert_eq!(found(&format!("{floor}, min_m2 = 80, agg = \"sum\"")), (Pass, Some(100.0), 1.0, 1.0, None));
    assert_eq!(
        found(&format!("{floor}, min_m2 = 80, zero_at = 0.5")),
        (Partial, Some(60.0), 0.5, 0.5, Some(20.0))
    );
    let unsized_one = "kind = \"floor_area\", class = \"kindergarten\", min_m2 = 80";
    assert_eq!(found(unsized_one), (Unknown, Some(0.0), 0.0, 1.0, Some(80.0)));
    let per = "kind = \"capacity_per\", class = \"kindergarten\", attr = \"places\", base = \"all\", per = 100, target = 10";
    assert_eq!(found(per), (Partial, Some(9.0), 0.9, 0.9, Some(10.0)));
    let per =
        "kind = \"count_per\", class = \"convenience_store\", base = \"households\", per = 100, target = 1";
    assert_eq!(found(per), (Partial, Some(0.5), 0.5, 0.5, Some(2.0)));
    let per = "kind = \"count_per\", class = \"convenience_store\", base = \"flats\", per = 100, target = 1";
    assert_eq!(found(per), (Unknown, None, 0.0, 1.0, None));
    let classes = "kind = \"attribute\", class = \"kindergarten\", attr = \"classes\", min = 6";
    assert_eq!(found(classes), (Status::Fail, Some(5.0), 0.0, 0.0, Some(1.0)));
}

#[test]
fn coverage_is_a_share_on_a_ramp() {
    use Status::{Partial, Unknown};
    let reach = "kind = \"coverage_share\", minutes = 10, zero_at = 0.5, full_at = 1.0";
    assert_eq!(
        found(&format!("{reach}, class = \"pharmacy\"")),
        (Partial, Some(0.75), 0.5, 0.5, Some(250.0))
    );
    // 750 reach a pharmacy, 400 a kindergarten: between 750 and all reach any of the two.
    let any = found(&format!("{reach}, classes = [\"pharmacy\", \"kindergarten\"]"));
    assert_eq!(any, (Unknown, Some(0.75), 0.5, 1.0, Some(250.0)));
    assert_eq!(found(&format!("{reach}, class = \"nursery\"")), (Unknown, None, 0.0, 1.0, None));
    assert_eq!(found(&format!("{reach}, class = \"pharmacy\", profile = \"senior\"")).0, Unknown);
    let nobody = "kind = \"count_per\", class = \"pharmacy\", base = \"none\", per = 1, target = 1";
    assert_eq!(found(nobody).0, Status::NotApplicable);
}

#[test]
fn variety_counts_kinds() {
    let kinds =
        "kind = \"variety\", min_share = 1.0, subtypes = [\"convenience_store\", \"pharmacy\", \"laundry\"]";
    // One is here, one is elsewhere, of laundries nothing is known.
    let third = 0.333_333;
    assert_eq!(found(kinds), (Status::Unknown, Some(third), third, 0.666_667, Some(2.0)));
}

#[test]
fn answers_count_as_they_are_given() {
    use Status::{Partial, Pass, Unknown};
    let standard = of_points(
        r#"
        { id = "m1", kind = "manual", ask = "有", scale = "bool" },
        { id = "m2", kind = "manual", ask = "设施", scale = "checklist", checklist = ["灯", "梯", "亭", "栏"] },
        { id = "m3", kind = "manual", ask = "比例", scale = "share" },
        { id = "v", kind = "survey", ask = "满意", zero_at = 0.5, full_at = 0.9 },
        { id = "r", kind = "ratio", num = "cars", den = "dwellings", target = 1.0 },
        { id = "n", kind = "ratio", num = "lifts", den = "dwellings", target = 1.0 },
        "#,
    );
    let card = card(&standard, &facts());
    let found: Vec<(Status, f64)> = card
        .points
        .iter()
        .map(|point| (point.status, (point.outcome.score.low * 1e6).round() / 1e6))
        .collect();
    let expected =
        [(Pass, 1.0), (Partial, 0.5), (Unknown, 0.0), (Partial, 0.5), (Partial, 0.75), (Unknown, 0.0)];
    assert_eq!(found, expected);
    let evidence = &card.points[4].outcome.evidence;
    assert!(evidence.en.contains("300 of dwellings 400: 0.750, 1 asked for [街道办]"), "{}", evidence.en);
    assert!(evidence.zh.contains("cars 300 / dwellings 400 = 0.750，要求 1［街道办］"), "{}", evidence.zh);
    // Six points of one item: each a sixth of 100, two of them unknown.
    let total = &card.totals[0];
    let near = |a: f64, b: f64| (a - b).abs() < 1e-9;
    assert!(near(total.low, 275.0 / 6.0) && near(total.high, 475.0 / 6.0), "{total:?}");
    assert!(near(total.observed.unwrap(), 100.0 * 2.75 / 4.0) && near(total.known_weight, 400.0 / 6.0));
    assert_eq!((total.grade_low, total.grade_high), (Some(1), Some(0)));
}

#[test]
fn several_rules_are_their_best_or_their_worst() {
    use Status::{Partial, Pass};
    let rules = "rules = [{ kind = \"presence\", class = \"convenience_store\", min = 2 }, { kind = \"floor_area\", class = \"convenience_store\", min_m2 = 80 }]";
    assert_eq!(found(&format!("kind = \"any_of\", {rules}")), (Pass, Some(2.0), 1.0, 1.0, None));
    assert_eq!(found(&format!("kind = \"all_of\", {rules}")), (Partial, Some(60.0), 0.75, 0.75, Some(20.0)));
}

#[test]
fn what_does_not_apply_is_worth_nothing_and_wishes_half() {
    let standard = of_points(
        r#"
        { id = "n", kind = "presence", class = "pharmacy", min = 1, applies = "new" },
        { id = "e", kind = "presence", class = "convenience_store", min = 1, applies = "existing" },
        { id = "s", kind = "presence", class = "pharmacy", min = 1, need = "should" },
        "#,
    );
    let weights = |card: &Scorecard| card.points.iter().map(|point| point.weight).collect::<Vec<f64>>();
    let mut facts = facts();
    let existing = card(&standard, &facts);
    assert!(
        weights(&existing).iter().zip([0.0, 200.0 / 3.0, 100.0 / 3.0]).all(|(a, b)| (a - b).abs() < 1e-9)
    );
    assert_eq!(existing.points[0].status, Status::NotApplicable);
    // The wish is not there, what must be is.
    assert_eq!(existing.items[0].status, Status::Pass);
    facts.answers[0]
        .insert("built".to_owned(), Answer { value: "新建".to_owned(), source: None, date: None });
    let new = card(&standard, &facts);
    assert_eq!(new.points[1].status, Status::NotApplicable);
    assert_eq!(new.items[0].status, Status::Fail);
}

proptest! {
    /// Whatever is answered: totals are the sums of their points, and lie between nothing and the whole. To know more narrows them.
    #[test]
    fn totals_are_sums_and_knowing_more_narrows_them(
        answers in prop::collection::vec((0_usize..200, 0.0_f64..1.0), 0..60), chongqing in any::<bool>(), new in any::<bool>(),
    ) {
        let standard = standard::read(if chongqing { "chongqing_illustrative" } else { "mohurd_2020" }).unwrap();
        let mut facts = facts();
        facts.applies = if new { Applies::New } else { Applies::Existing };
        let before = card(&standard, &facts);
        let leaves: Vec<(String, bool)> = standard
            .leaves()
            .map(|(key, rule)| (key, rule.kind() == "manual" && format!("{rule:?}").contains("Bool")))
            .collect();
        for (at, share) in answers {
            let (key, yes_or_no) = &leaves[at % leaves.len()];
            let value = if *yes_or_no { share.round().to_string() } else { share.to_string() };
            facts.answers[0].insert(key.clone(), Answer { value, source: None, date: None });
        }
        let after = card(&standard, &facts);
        for card in [&before, &after] {
            let total = &card.totals[0];
            let sum = |of: fn(&PointScore) -> f64| card.points.iter().map(of).sum::<f64>();
            prop_assert!((sum(|point| point.weight) - 100.0).abs() < 1e-9);
            prop_assert!((sum(|point| point.weight * point.outcome.score.low) - total.low).abs() < 1e-9);
            prop_assert!(0.0 <= total.low && total.low <= total.high && total.high <= 100.0 + 1e-9);
            let observed = total.observed.unwrap();
            prop_assert!((0.0..=100.0 + 1e-9).contains(&observed));
        }
        prop_assert!(before.totals[0].low <= after.totals[0].low + 1e-9);
        prop_assert!(after.totals[0].high <= before.totals[0].high + 1e-9);
    }
}
