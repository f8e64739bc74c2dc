//! How many people of an area reach a class of facility within some minutes.

use super::apportion::Part;
use crate::model::coverage::{Coverage, EVERYBODY, Fate};
use crate::model::error::Result;
use crate::model::population::Cells;
use crate::model::progress::Progress;
use crate::model::study::minutes_to_ds;
use crate::model::times::{Deciseconds, Nearest, Reason, Times};
use rayon::prelude::*;

/// Where the nearest facility of each class is, from every cell.
pub trait NearestOf: Sync {
    /// Who walks.
    fn profile(&self) -> &str;
    /// The classes, sorted.
    fn classes(&self) -> Vec<String>;
    /// The nearest of a class from a cell, by their places.
    fn nearest(&self, cell: usize, class: usize) -> Nearest;
}

impl NearestOf for Times {
    fn profile(&self) -> &str {
        &self.profile
    }

    fn classes(&self) -> Vec<String> {
        self.class.clone()
    }

    fn nearest(&self, cell: usize, class: usize) -> Nearest {
        self.nearest[cell * self.class.len() + class]
    }
}

/// Sum people by what their cell's time says, for every area, class, group and threshold.
///
/// `times` has one origin per cell, in the order of the cells; `parts` are those of each area. Areas do not know of each other:
/// many of them may be done some at a time. Sums run in the order of the parts, whatever the number of threads.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn coverage(
    times: &impl NearestOf,
    cells: &Cells,
    area_ids: &[String],
    parts: &[Vec<Part>],
    minutes: &[f64],
    progress: &Progress,
) -> Result<Coverage> {
    let groups: Vec<(&str, &[f64])> = std::iter::once((EVERYBODY, cells.people.as_slice()))
        .chain(cells.groups.iter().map(|group| (group.name.as_str(), group.people.as_slice())))
        .collect();
    let limits_ds: Vec<Deciseconds> =
        minutes.iter().map(|&minutes| minutes_to_ds(minutes).unwrap_or_default()).collect();
    let class = times.classes();
    let sums = Sums { times, classes: class.len(), groups: &groups, limits_ds: &limits_ds };
    let of_area: Vec<AreaSums> = parts
        .par_iter()
        .map(|parts| {
            progress.step(1)?;
            Ok(sums.of_area(parts))
        })
        .collect::<Result<_>>()?;
    let column = |fate: usize| of_area.iter().flat_map(|area| area.of[fate].iter().copied()).collect();
    Ok(Coverage {
        profile: times.profile().to_owned(),
        area_id: area_ids.to_vec(),
        class,
        group: groups.iter().map(|(name, _)| (*name).to_owned()).collect(),
        minutes: minutes.to_vec(),
        people: of_area.iter().flat_map(|area| area.people.iter().copied()).collect(),
        of: std::array::from_fn(column),
    })
}

/// What is summed up for an area.
struct Sums<'a, T> {
    times: &'a T,
    classes: usize,
    groups: &'a [(&'a str, &'a [f64])],
    limits_ds: &'a [Deciseconds],
}

/// The people of one area, by group, and by class, group and threshold.
struct AreaSums {
    people: Vec<f64>,
    of: [Vec<f64>; Fate::COUNT],
}

impl<T: NearestOf> Sums<'_, T> {
    fn of_area(&self, parts: &[Part]) -> AreaSums {
        let (groups, limits, classes) = (self.groups.len(), self.limits_ds.len(), self.classes);
        // People of each part, group by group, so that the innermost loop runs over groups side by side.
        let in_part = |&Part { cell, share }: &Part| {
            self.groups.iter().map(move |(_, people)| people[cell as usize] * share)
        };
        let weights: Vec<f64> = parts.iter().flat_map(in_part).collect();
        let mut people = vec![0.0; groups];
        for weights in weights.chunks(groups) {
            add(&mut people, weights);
        }
        let mut of: [Vec<f64>; Fate::COUNT] =
            std::array::from_fn(|_| Vec::with_capacity(classes * groups * limits));
        let mut sums = vec![0.0; limits * Fate::COUNT * groups];
        for class in 0..classes {
            sums.fill(0.0);
            for (part, weights) in parts.iter().zip(weights.chunks(groups)) {
                let nearest = self.times.nearest(part.cell as usize, class);
                for (limit, &limit_ds) in self.limits_ds.iter().enumerate() {
                    let first = (limit * Fate::COUNT + fate(nearest, limit_ds) as usize) * groups;
                    add(&mut sums[first..first + groups], weights);
                }
            }
            for group in 0..groups {
                for limit in 0..limits {
                    for (fate, column) in of.iter_mut().enumerate() {
                        column.push(sums[(limit * Fate::COUNT + fate) * groups + group]);
                    }
                }
            }
        }
        AreaSums { people, of }
    }
}

fn add(sums: &mut [f64], weights: &[f64]) {
    for (sum, weight) in sums.iter_mut().zip(weights) {
        *sum += weight;
    }
}

fn fate(nearest: Nearest, limit_ds: Deciseconds) -> Fate {
    match nearest {
        Ok(found) if found.time_ds <= limit_ds => Fate::Covered,
        Ok(_) | Err(Reason::BeyondCutoff) => Fate::Beyond,
        Err(Reason::NotConnected) => Fate::NotConnected,
        Err(Reason::NotSnapped) => Fate::NotSnapped,
    }
}
