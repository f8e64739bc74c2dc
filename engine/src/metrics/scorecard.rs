//! A standard held against communities: points, items, totals and grades, each with what it stands on.
//!
//! What is not known is never nothing: a point that the facts do not decide has a score from … to …, and so has the total.

use super::rules::Judge;
use super::whose::inside_areas;
use crate::model::error::Result;
use crate::model::progress::Progress;
use crate::model::scorecard::{Facts, ItemScore, Outcome, PointScore, Score, Scorecard, Status, Total};
use crate::model::standard::{Applies, Item, Point, Scoring, Standard};
use rayon::prelude::*;

/// Areas between two looks at the stop button.
const AREAS_PER_STEP: usize = 16;

/// Score every community.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn score(standard: &Standard, facts: &Facts, progress: &Progress) -> Result<Scorecard> {
    progress.begin("scoring communities", facts.areas.id.len())?;
    let inside = inside_areas(&facts.areas, &facts.facilities.place);
    let areas: Vec<usize> = (0..facts.areas.id.len()).collect();
    let scored = areas.par_chunks(AREAS_PER_STEP).map(|areas| {
        progress.step(areas.len())?;
        Ok(areas.iter().map(|&area| of_area(standard, facts, area, &inside[area])).collect::<Vec<_>>())
    });
    let scored: Vec<Vec<AreaScore>> = scored.collect::<Result<_>>()?;
    let mut card = Scorecard { standard: standard.clone(), points: vec![], items: vec![], totals: vec![] };
    for of_area in scored.into_iter().flatten() {
        card.points.extend(of_area.points);
        card.items.extend(of_area.items);
        card.totals.push(of_area.total);
    }
    Ok(card)
}

/// The part of a scorecard that is one community's.
struct AreaScore {
    points: Vec<PointScore>,
    items: Vec<ItemScore>,
    total: Total,
}

fn of_area(standard: &Standard, facts: &Facts, area: usize, inside: &[u32]) -> AreaScore {
    let judge = Judge { facts, area, inside };
    let kind = judge.kind();
    let outcomes: Vec<Vec<Outcome>> = standard
        .items
        .iter()
        .map(|item| item.points.iter().map(|point| judge.outcome(&point.rule, &point.id)).collect())
        .collect();
    let applies = |item: usize, at: usize| {
        let point = &standard.items[item].points[at];
        (point.applies == Applies::All || point.applies == kind) && outcomes[item][at].applies
    };
    let worth = worth(standard, &applies);
    let (mut points, mut items) = (Vec::new(), Vec::new());
    for (item, outcomes) in outcomes.iter().enumerate() {
        let first = points.len();
        for (at, outcome) in outcomes.iter().enumerate() {
            let status = if applies(item, at) { outcome.score.status() } else { Status::NotApplicable };
            points.push(PointScore {
                area: area as u32,
                item: item as u32,
                point: at as u32,
                status,
                weight: worth[item][at],
                outcome: outcome.clone(),
            });
        }
        items.push(of_item(&standard.items[item], item, &points[first..]));
    }
    let total = total(standard, area, &points);
    AreaScore { points, items, total }
}

/// What each point is worth of the total, item by item. What does not apply is worth nothing, and what is left is worth the more:
/// a community can always earn the whole.
fn worth(standard: &Standard, applies: &dyn Fn(usize, usize) -> bool) -> Vec<Vec<f64>> {
    let of_item = |(item, of): (usize, &Item)| -> Vec<f64> {
        let weight = |(at, point): (usize, &Point)| if applies(item, at) { point.weight } else { 0.0 };
        let weights: Vec<f64> = of.points.iter().enumerate().map(weight).collect();
        let whole: f64 = weights.iter().sum();
        match standard.scoring {
            Scoring::WeightedMean { item_points } if whole > 0.0 => {
                weights.iter().map(|weight| item_points * weight / whole).collect()
            }
            _ => weights,
        }
    };
    let mut worth: Vec<Vec<f64>> = standard.items.iter().enumerate().map(of_item).collect();
    let sum: f64 = worth.iter().flatten().sum();
    if sum > 0.0 {
        worth.iter_mut().flatten().for_each(|worth| *worth *= standard.total_points / sum);
    }
    worth
}

/// An item passes when all that it must have is there, and fails when one of that is not.
fn of_item(item: &Item, at: usize, points: &[PointScore]) -> ItemScore {
    let sum = |of: fn(&PointScore) -> f64| points.iter().map(of).sum::<f64>();
    let applying = || points.iter().filter(|point| point.status != Status::NotApplicable);
    let must = || applying().filter(|point| item.points[point.point as usize].must);
    let status = if applying().next().is_none() {
        Status::NotApplicable
    } else if must().any(|point| matches!(point.status, Status::Fail | Status::Partial)) {
        Status::Fail
    } else if must().any(|point| point.status == Status::Unknown) {
        // One whose best is not enough fails, whatever else is unknown.
        if must().any(|point| point.outcome.score.high < 1.0) { Status::Fail } else { Status::Unknown }
    } else {
        Status::Pass
    };
    ItemScore {
        area: points[0].area,
        item: at as u32,
        status,
        weight: sum(|point| point.weight),
        low: sum(|point| point.weight * point.outcome.score.low),
        high: sum(|point| point.weight * point.outcome.score.high),
    }
}

fn total(standard: &Standard, area: usize, points: &[PointScore]) -> Total {
    let sum =
        |of: &dyn Fn(&PointScore) -> f64| points.iter().map(|point| point.weight * of(point)).sum::<f64>();
    let known = |score: Score| if score.low < score.high { 0.0 } else { 1.0 };
    let (low, high) = (sum(&|point| point.outcome.score.low), sum(&|point| point.outcome.score.high));
    let known_weight = sum(&|point| known(point.outcome.score));
    let earned = sum(&|point| known(point.outcome.score) * point.outcome.score.low);
    // Sums of many parts end a hair beside whole numbers.
    let grade = |score: f64| standard.grades.iter().position(|grade| score >= grade.min_score - 1e-9);
    Total {
        area: area as u32,
        low,
        high,
        observed: (known_weight > 0.0).then(|| earned / known_weight * standard.total_points),
        known_weight,
        weakest: weakest(standard, points),
        grade_low: grade(low),
        grade_high: grade(high),
    }
}

/// The category in which most is known to be lost; of equals the first.
fn weakest(standard: &Standard, points: &[PointScore]) -> Option<usize> {
    let mut lost = vec![0.0; standard.categories.len()];
    for point in points.iter().filter(|point| point.outcome.score.low >= point.outcome.score.high) {
        lost[standard.items[point.item as usize].category] += point.weight * (1.0 - point.outcome.score.low);
    }
    let most = lost.iter().copied().fold(0.0, f64::max);
    lost.iter().position(|lost| *lost >= most).filter(|_| most > 0.0)
}
