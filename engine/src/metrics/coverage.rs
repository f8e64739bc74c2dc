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
    let mut sums = Sums::new(cells, parts.len(), &times.classes(), minutes);
    let parts: Vec<&[Part]> = parts.iter().map(Vec::as_slice).collect();
    sums.add(times, cells, &parts, progress)?;
    Ok(sums.coverage(times.profile(), area_ids))
}

/// The people of areas by what is so of them, in the making: cells may come some at a time, as long as those of each area come
/// in their order.
#[derive(Debug)]
pub struct Sums {
    class: Vec<String>,
    group: Vec<String>,
    minutes: Vec<f64>,
    limits_ds: Vec<Deciseconds>,
    of_area: Vec<AreaSums>,
}

/// The people of one area, by group, and by class, group and threshold.
#[derive(Debug, Clone)]
struct AreaSums {
    people: Vec<f64>,
    of: [Vec<f64>; Fate::COUNT],
}

impl Sums {
    /// Nobody yet, in so many areas; groups are those of the cells, everybody first.
    pub fn new(cells: &Cells, areas: usize, class: &[String], minutes: &[f64]) -> Self {
        let groups = cells.groups.iter().map(|group| group.name.clone());
        let group: Vec<String> = std::iter::once(EVERYBODY.to_owned()).chain(groups).collect();
        let rows = class.len() * group.len() * minutes.len();
        let nobody =
            AreaSums { people: vec![0.0; group.len()], of: std::array::from_fn(|_| vec![0.0; rows]) };
        Self {
            class: class.to_vec(),
            minutes: minutes.to_vec(),
            limits_ds: minutes.iter().map(|&minutes| minutes_to_ds(minutes).unwrap_or_default()).collect(),
            of_area: vec![nobody; areas],
            group,
        }
    }

    /// About how many bytes it holds.
    pub fn memory_bytes(areas: usize, classes: usize, groups: usize, limits: usize) -> u64 {
        (areas * (classes * groups * limits * Fate::COUNT + groups) * size_of::<f64>()) as u64
    }

    /// Add the people of parts, area by area.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped.
    pub fn add(
        &mut self,
        times: &impl NearestOf,
        cells: &Cells,
        parts: &[&[Part]],
        progress: &Progress,
    ) -> Result<()> {
        let groups: Vec<&[f64]> = std::iter::once(cells.people.as_slice())
            .chain(cells.groups.iter().map(|group| group.people.as_slice()))
            .collect();
        let adding = Adding { times, classes: self.class.len(), groups: &groups, limits_ds: &self.limits_ds };
        self.of_area.par_iter_mut().zip(parts).try_for_each(|(sums, parts)| {
            progress.step(1)?;
            adding.add(sums, parts);
            Ok(())
        })
    }

    /// The table of these sums.
    pub fn coverage(self, profile: &str, area_ids: &[String]) -> Coverage {
        let column =
            |fate: usize| self.of_area.iter().flat_map(|area| area.of[fate].iter().copied()).collect();
        Coverage {
            profile: profile.to_owned(),
            area_id: area_ids.to_vec(),
            people: self.of_area.iter().flat_map(|area| area.people.iter().copied()).collect(),
            of: std::array::from_fn(column),
            class: self.class,
            group: self.group,
            minutes: self.minutes,
        }
    }
}

/// What is added to sums.
struct Adding<'a, T> {
    times: &'a T,
    classes: usize,
    groups: &'a [&'a [f64]],
    limits_ds: &'a [Deciseconds],
}

impl<T: NearestOf> Adding<'_, T> {
    fn add(&self, sums: &mut AreaSums, parts: &[Part]) {
        if parts.is_empty() {
            return;
        }
        let groups = self.groups.len();
        // People of each part, group by group, so that the innermost loop runs over groups side by side.
        let in_part = |&Part { cell, share }: &Part| {
            self.groups.iter().map(move |people| people[cell as usize] * share)
        };
        let weights: Vec<f64> = parts.iter().flat_map(in_part).collect();
        for weights in weights.chunks(groups) {
            add(&mut sums.people, weights);
        }
        let mut of_class = vec![0.0; self.limits_ds.len() * Fate::COUNT * groups];
        for class in 0..self.classes {
            self.each_of_class(class, |at, place, fate| of_class[at] = sums.of[fate][place]);
            for (part, weights) in parts.iter().zip(weights.chunks(groups)) {
                let nearest = self.times.nearest(part.cell as usize, class);
                for (limit, &limit_ds) in self.limits_ds.iter().enumerate() {
                    let first = (limit * Fate::COUNT + fate(nearest, limit_ds) as usize) * groups;
                    add(&mut of_class[first..first + groups], weights);
                }
            }
            self.each_of_class(class, |at, place, fate| sums.of[fate][place] = of_class[at]);
        }
    }

    /// The sums of a class: where each is while it is added to, and where it stands in the columns.
    fn each_of_class(&self, class: usize, mut visit: impl FnMut(usize, usize, usize)) {
        let (groups, limits) = (self.groups.len(), self.limits_ds.len());
        for group in 0..groups {
            for limit in 0..limits {
                let place = (class * groups + group) * limits + limit;
                for fate in 0..Fate::COUNT {
                    visit((limit * Fate::COUNT + fate) * groups + group, place, fate);
                }
            }
        }
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
