//! How evenly something is spread over people: inequality, concentration by income, and poverty against a limit.
//!
//! `value` is what each has (a share, minutes, places for each person), `weight` how many people have it. All values are finite
//! and not below 0, weights likewise, and both of one length; `None` where the measure is not defined: nobody, or nothing to share.

/// Everybody's value and weight, from the least value to the greatest.
fn ascending(value: &[f64], weight: &[f64]) -> Vec<(f64, f64)> {
    let mut sorted: Vec<(f64, f64)> =
        value.iter().copied().zip(weight.iter().copied()).filter(|(_, weight)| *weight > 0.0).collect();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0));
    sorted
}

/// Mean and total weight; `None` without people.
fn mean(of: impl Iterator<Item = (f64, f64)>) -> Option<(f64, f64)> {
    let (sum, people) =
        of.fold((0.0, 0.0), |(sum, people), (value, weight)| (sum + value * weight, people + weight));
    (people > 0.0).then(|| (sum / people, people))
}

/// The Lorenz curve: share of people, from those with the least, and the share of everything that they have; from (0, 0) to (1, 1).
///
/// # Source
/// M. O. Lorenz, "Methods of measuring the concentration of wealth", 1905.
pub fn lorenz(value: &[f64], weight: &[f64]) -> Option<Vec<(f64, f64)>> {
    let sorted = ascending(value, weight);
    let (mean, people) = mean(sorted.iter().copied())?;
    if mean <= 0.0 {
        return None;
    }
    let mut curve = vec![(0.0, 0.0)];
    let (mut so_many, mut so_much) = (0.0, 0.0);
    for (value, weight) in sorted {
        so_many += weight;
        so_much += value * weight;
        curve.push((so_many / people, so_much / (mean * people)));
    }
    Some(curve)
}

/// The index of Gini: twice the area between the Lorenz curve and the line of equality; 0 where all have the same, towards 1 where
/// one has all.
pub fn gini(value: &[f64], weight: &[f64]) -> Option<f64> {
    let curve = lorenz(value, weight)?;
    let below: f64 = curve.windows(2).map(|step| (step[1].0 - step[0].0) * (step[0].1 + step[1].1)).sum();
    // Rounding may fall a hair below.
    Some((1.0 - below).max(0.0))
}

/// The index T of Theil and its parts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Theil {
    /// Between and within together.
    pub total: f64,
    /// What is left when everybody has the mean of the group.
    pub between: f64,
    /// The mean of the groups' own indices, by what each group has.
    pub within: f64,
}

/// T = Σ p (a/μ) ln(a/μ), with 0 ln 0 = 0: nobody is left out. `group` below `groups` for each.
///
/// # Source
/// H. Theil, "Economics and Information Theory", 1967.
pub fn theil(value: &[f64], weight: &[f64], group: &[u32], groups: usize) -> Option<Theil> {
    let all = || value.iter().copied().zip(weight.iter().copied());
    let (mean_of_all, people) = mean(all())?;
    if mean_of_all <= 0.0 {
        return None;
    }
    let index = |of: &mut dyn Iterator<Item = (f64, f64)>, mean: f64, people: f64| -> f64 {
        of.map(|(value, weight)| weight / people * entropy(value / mean)).sum()
    };
    let total = index(&mut all(), mean_of_all, people);
    let (mut between, mut within) = (0.0, 0.0);
    for wanted in 0..groups as u32 {
        let members = || all().zip(group).filter(move |(_, group)| **group == wanted).map(|(entry, _)| entry);
        let Some((mean_of_group, people_of_group)) = mean(members()) else { continue };
        let ratio = mean_of_group / mean_of_all;
        between += people_of_group / people * entropy(ratio);
        if mean_of_group > 0.0 {
            within +=
                people_of_group / people * ratio * index(&mut members(), mean_of_group, people_of_group);
        }
    }
    Some(Theil { total, between, within })
}

/// x ln x.
fn entropy(ratio: f64) -> f64 {
    if ratio > 0.0 { ratio * ratio.ln() } else { 0.0 }
}

/// Mean value of the tenth with the highest `rank_by` over that of the four tenths with the lowest; by income it is the ratio of
/// Palma. Who stands on the border counts in part.
///
/// # Source
/// J. G. Palma, "Homogeneous middles vs. heterogeneous tails", 2011.
pub fn palma(value: &[f64], rank_by: &[f64], weight: &[f64]) -> Option<f64> {
    let mut ranked: Vec<(f64, f64, f64)> = rank_by
        .iter()
        .zip(value)
        .zip(weight)
        .map(|((rank, value), weight)| (*rank, *value, *weight))
        .collect();
    ranked.sort_by(|a, b| a.0.total_cmp(&b.0));
    let people: f64 = weight.iter().sum();
    let poor = mean_of_first(ties(&ranked), 0.4 * people)?;
    ranked.reverse();
    let rich = mean_of_first(ties(&ranked), 0.1 * people)?;
    (poor > 0.0).then(|| rich / poor)
}

/// Those of one rank as one, so that the order of equals does not count: mean value and weight.
fn ties(ranked: &[(f64, f64, f64)]) -> impl Iterator<Item = (f64, f64)> {
    let equals = ranked.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq());
    equals.filter_map(|equals| mean(equals.iter().map(|&(_, value, weight)| (value, weight))))
}

fn mean_of_first(entries: impl Iterator<Item = (f64, f64)>, people: f64) -> Option<f64> {
    let mut left = people;
    mean(entries.map_while(|(value, weight)| {
        let taken = weight.min(left);
        left -= taken;
        (taken > 0.0).then_some((value, taken))
    }))
    .map(|(mean, _)| mean)
}

/// Which concentration index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Concentration {
    /// 2/μ Σ s (r − ½)(a − μ).
    Standard,
    /// The same × 4μ / (greatest − least possible value): for values with bounds, by G. Erreygers, "Correcting the concentration
    /// index", Journal of Health Economics 28, 2009. The bounds here are the greatest and the least value found.
    Corrected,
}

/// Whether those with more income have more: −1 where the poorest has all, 0 where income makes no difference, 1 where the richest
/// has all. Those of one income have one rank.
///
/// # Source
/// N. Kakwani, A. Wagstaff, E. van Doorslaer, Journal of Econometrics 77, 1997.
pub fn concentration_index(
    value: &[f64],
    income: &[f64],
    weight: &[f64],
    kind: Concentration,
) -> Option<f64> {
    let (mean_of_all, people) = mean(value.iter().copied().zip(weight.iter().copied()))?;
    if mean_of_all <= 0.0 {
        return None;
    }
    let mut by_income: Vec<(f64, f64, f64)> = income
        .iter()
        .zip(value)
        .zip(weight)
        .map(|((income, value), weight)| (*income, *value, *weight))
        .collect();
    by_income.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut sum) = (0.0, 0.0);
    for (value, weight) in ties(&by_income) {
        let share = weight / people;
        sum += share * (below + share / 2.0 - 0.5) * (value - mean_of_all);
        below += share;
    }
    let index = 2.0 * sum / mean_of_all;
    match kind {
        Concentration::Standard => Some(index),
        Concentration::Corrected => {
            let lived =
                || value.iter().zip(weight).filter(|(_, weight)| **weight > 0.0).map(|(value, _)| *value);
            let (least, greatest) = (lived().fold(f64::INFINITY, f64::min), lived().fold(0.0, f64::max));
            (greatest > least).then(|| index * 4.0 * mean_of_all / (greatest - least))
        }
    }
}

/// How many fall short of a limit, how far, and how unevenly.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Poverty {
    /// Share of people on the wrong side of the limit.
    pub incidence: f64,
    /// Mean gap as a share of the limit, nought for those who do not fall short.
    pub depth: f64,
    /// Mean square of that gap.
    pub severity: f64,
}

/// Which side of the limit falls short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Short {
    /// Those with less: of places, shares, facilities.
    Below,
    /// Those with more: of minutes, metres.
    Above,
}

/// The family FGT 0, 1 and 2.
///
/// # Source
/// J. Foster, J. Greer, E. Thorbecke, "A class of decomposable poverty measures", Econometrica 52, 1984.
pub fn fgt(value: &[f64], weight: &[f64], limit: f64, short: Short) -> Option<Poverty> {
    let gap = |value: f64| match short {
        Short::Below => (limit - value) / limit,
        Short::Above => (value - limit) / limit,
    };
    let of = |power: i32| {
        let gaps = value
            .iter()
            .map(|&value| Some(gap(value)).filter(|gap| *gap > 0.0).map_or(0.0, |gap| gap.powi(power)));
        mean(gaps.zip(weight.iter().copied())).map(|(mean, _)| mean)
    };
    Some(Poverty { incidence: of(0)?, depth: of(1)?, severity: of(2)? })
}
