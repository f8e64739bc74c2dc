//! What each origin finds within the cut-off, added up: counts and capacities within several limits, and the k nearest.

use super::doors::{Joins, Walk};
use super::pairs::{Block, Pairs};
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Found};
use rayon::prelude::*;

/// Facilities within reach of one origin: how many, and what they hold.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Opportunities {
    /// Facilities.
    pub count: u32,
    /// Sum of their capacities.
    pub capacity: f64,
}

/// Cumulative opportunities: origin by origin, classes in order, limits in the order given.
#[derive(Debug, Clone)]
pub struct Counts {
    /// The classes, sorted.
    pub class: Vec<String>,
    /// One entry per origin, class and limit.
    pub within: Vec<Opportunities>,
}

/// The nearest facilities of each class: origin by origin, classes in order, the nearest first.
#[derive(Debug, Clone)]
pub struct NearestFew {
    /// The classes, sorted.
    pub class: Vec<String>,
    /// `k` entries per origin and class; `None` where fewer are within the cut-off.
    pub found: Vec<Option<Found>>,
}

/// How many facilities of each class are within each of the limits, and the sum of their `capacity` (one value per
/// facility; sums run in an order that hangs on the places alone).
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn counts(
    walk: &Walk<'_>,
    joins: &Joins,
    facilities: &Facilities,
    capacity: &[f64],
    limits_ds: &[Deciseconds],
    progress: &Progress,
) -> Result<Counts> {
    let longest_ds = limits_ds.iter().copied().max().unwrap_or_default();
    let class = facilities.classes();
    let class_of = classes_of(facilities, &class);
    let width = class.len() * limits_ds.len();
    let add = |row: &mut [Opportunities], facility: u32, time_ds: Deciseconds| {
        let first = class_of[facility as usize] * limits_ds.len();
        for (entry, &limit_ds) in row[first..].iter_mut().zip(limits_ds) {
            if time_ds <= limit_ds {
                entry.count += 1;
                entry.capacity += capacity[facility as usize];
            }
        }
    };
    let within = tally(walk, joins, longest_ds, (width, Opportunities::default()), add, progress)?;
    Ok(Counts { class, within })
}

/// The `k` nearest facilities of each class within the cut-off; of equally near ones those whose ids come first.
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
) -> Result<NearestFew> {
    let class = facilities.classes();
    let class_of = classes_of(facilities, &class);
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
    const NONE: (Deciseconds, u32) = (Deciseconds::MAX, u32::MAX);
    let found = tally(walk, joins, cutoff_ds, (class.len() * k, NONE), add, progress)?;
    let found = found.into_par_iter().map(|entry| {
        let (time_ds, rank) = entry;
        (entry != NONE).then(|| Found { time_ds, facility: row_of[rank as usize] })
    });
    Ok(NearestFew { class, found: found.collect() })
}

fn classes_of(facilities: &Facilities, class: &[String]) -> Vec<usize> {
    facilities.class.iter().map(|name| class.binary_search(name).expect("classes are complete")).collect()
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
