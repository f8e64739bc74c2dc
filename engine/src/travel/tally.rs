//! What each origin finds within the cut-off, added up: counts and capacities within several limits, and the k nearest.

use super::doors::{Joins, Walk};
use super::pairs::{Block, Pairs};
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Found};
use rayon::prelude::*;

/// What is within a limit of an origin, and what it holds.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Held {
    /// Facilities.
    pub count: u32,
    /// Facilities whose capacity is not known.
    pub unknown: u32,
    /// The sum of the capacities that are known.
    pub capacity: f64,
}

/// Cumulative opportunities: how many facilities of each class are within each of the limits. One entry per origin, class and
/// limit: origin by origin, classes sorted, limits in the order given.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn counts(
    walk: &Walk<'_>,
    joins: &Joins,
    facilities: &Facilities,
    limits_ds: &[Deciseconds],
    progress: &Progress,
) -> Result<Vec<u32>> {
    within(walk, joins, facilities, limits_ds, |count, _| *count += 1, progress)
}

/// The same with the sum of `capacity`, which has one value per facility, 0 to 1e9 as tables have them. Sums are exact and rounded
/// once: their bits hang neither on the order in which facilities are found nor on what else there is.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn capacities(
    walk: &Walk<'_>,
    joins: &Joins,
    facilities: &Facilities,
    capacity: &[Option<f64>],
    limits_ds: &[Deciseconds],
    progress: &Progress,
) -> Result<Vec<Held>> {
    let capacity: Vec<Option<i128>> = capacity.iter().map(|known| known.map(in_units)).collect();
    let add = |(count, unknown, sum): &mut (u32, u32, i128), facility: usize| {
        *count += 1;
        match capacity[facility] {
            Some(capacity) => *sum = sum.saturating_add(capacity),
            None => *unknown += 1,
        }
    };
    let sums = within(walk, joins, facilities, limits_ds, add, progress)?;
    let held =
        |(count, unknown, sum): (u32, u32, i128)| Held { count, unknown, capacity: sum as f64 / UNITS };
    Ok(sums.into_par_iter().map(held).collect())
}

/// Capacities are added up in whole units of which so many are one: 2 to the 64th. Then every number from 0.001 on is exact, and
/// four billion facilities of 1e9 each stay in range.
const UNITS: f64 = 18_446_744_073_709_551_616.0;

fn in_units(capacity: f64) -> i128 {
    (capacity * UNITS).round() as i128
}

/// Add every facility to the entries of its class whose limits it is within.
fn within<T: Copy + Default + Send>(
    walk: &Walk<'_>,
    joins: &Joins,
    facilities: &Facilities,
    limits_ds: &[Deciseconds],
    add: impl Fn(&mut T, usize) + Sync,
    progress: &Progress,
) -> Result<Vec<T>> {
    let longest_ds = limits_ds.iter().copied().max().unwrap_or_default();
    let (class_of, classes) = classes_of(facilities);
    let add_to_row = |row: &mut [T], facility: u32, time_ds: Deciseconds| {
        let facility = facility as usize;
        let entries = &mut row[class_of[facility] * limits_ds.len()..];
        for (entry, &limit_ds) in entries.iter_mut().zip(limits_ds) {
            if time_ds <= limit_ds {
                add(entry, facility);
            }
        }
    };
    tally(walk, joins, longest_ds, (classes * limits_ds.len(), T::default()), add_to_row, progress)
}

/// No facility: farther than any.
const NONE: (Deciseconds, u32) = (Deciseconds::MAX, u32::MAX);

/// The `k` nearest facilities of each class within the cut-off, the nearest first; of equally near ones those whose ids come
/// first. `k` entries per origin and class: origin by origin, classes sorted; none where fewer are within the cut-off.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn nearest_few(
    walk: &Walk<'_>,
    joins: &Joins,
    facilities: &Facilities,
    k: usize,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<Vec<Option<Found>>> {
    let (class_of, classes) = classes_of(facilities);
    let rank = facilities.id.ranks();
    let mut row_of = vec![0; rank.len()];
    for (row, &rank) in (0_u32..).zip(&rank) {
        row_of[rank as usize] = row;
    }
    // Time and rank, so that the lesser is the nearer.
    let add = |row: &mut [(Deciseconds, u32)], facility: u32, time_ds: Deciseconds| {
        let first = class_of[facility as usize] * k;
        let nearest = &mut row[first..first + k];
        let new = (time_ds, rank[facility as usize]);
        let at = nearest.partition_point(|known| *known < new);
        if at < k {
            nearest[at..].rotate_right(1);
            nearest[at] = new;
        }
    };
    let found = tally(walk, joins, cutoff_ds, (classes * k, NONE), add, progress)?;
    let found = found.into_par_iter().map(|entry| {
        let (time_ds, rank) = entry;
        (entry != NONE).then(|| Found::new(time_ds, row_of[rank as usize]))
    });
    Ok(found.collect())
}

/// The place of each facility's class among the sorted classes, and how many there are.
fn classes_of(facilities: &Facilities) -> (Vec<usize>, usize) {
    let classes = facilities.classes();
    let of = |name| classes.binary_search(name).expect("classes are complete");
    (facilities.class.iter().map(of).collect(), classes.len())
}

/// A table with `shape.0` entries for each origin, `shape.1` at first, to which every pair is added.
fn tally<T: Copy + Send>(
    walk: &Walk<'_>,
    joins: &Joins,
    cutoff_ds: Deciseconds,
    shape: (usize, T),
    add: impl Fn(&mut [T], u32, Deciseconds) + Sync,
    progress: &Progress,
) -> Result<Vec<T>> {
    let (width, empty) = shape;
    let pairs = Pairs::between(walk, joins, cutoff_ds);
    let mut table = vec![empty; joins.homes.len() * width];
    // How many parts does not show in the table: each row is added to in the order of the blocks.
    let rows_per_part = joins.homes.len().div_ceil(rayon::current_num_threads() * 4).max(1);
    pairs.find(progress, |blocks| {
        table.par_chunks_mut((rows_per_part * width).max(1)).enumerate().for_each(|(part, table)| {
            let first = (part * rows_per_part) as u32;
            for block in &blocks {
                for at in rows_of(block, first, first + rows_per_part as u32) {
                    let row = (block.origin[at] - first) as usize * width;
                    add(&mut table[row..row + width], block.facility[at], block.time_ds[at]);
                }
            }
        });
        progress.check()
    })?;
    Ok(table)
}

/// Where the origins of a range are in a block.
fn rows_of(block: &Block, first: u32, end: u32) -> std::ops::Range<usize> {
    let before = |limit: u32| block.origin.partition_point(|&origin| origin < limit);
    before(first)..before(end)
}
