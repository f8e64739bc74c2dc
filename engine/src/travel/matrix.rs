//! Times between all origins and all facilities, without a cut-off: what siting and dense comparisons ask for.

use super::doors::{Joined, Joins, Walk};
use super::hierarchy::{Contractions, Hierarchy, Steps};
use super::lanes::{Label, LongTimes};
use super::pairs::{self, Pairs};
use super::positions::Positions;
use super::spare::Spare;
use crate::model::error::Result;
use crate::model::progress::Progress;
use crate::model::times::Deciseconds;
use crate::network::graph::{CLOSED, Network};
use pulp::NullaryFnOnce;
use rayon::prelude::*;
use std::collections::HashMap;

/// Searches side by side.
const TOGETHER: usize = 32;

/// Searches that together cost less than a contraction does: it takes as long as 270 of them on a network of 30,000 nodes, as
/// 570 on one of 1,000,000 (docs/design/2026-11-searches.md).
const FEW: usize = 300;

/// Bytes that a contraction takes for each node, lists and labels of threads included: an estimate from above.
const HIERARCHY_NODE_BYTES: u64 = 1200;

/// Longest time that is told: none is left out, because no way of a city takes years.
const LONGEST_DS: Deciseconds = LongTimes::LONGEST_DS;

/// Sums of the times of two searches that met.
type Met = [[u32; TOGETHER]; TOGETHER];

/// What searches that rise side by side have reached: nodes by importance, with the time of each search.
type Risen = Vec<(u32, LongTimes)>;

/// Tenths of a second between every origin and every facility, origin by origin; none where no way leads, or where one of them is
/// not joined. Few places are searched from as for pairs; for more, the network is contracted first, unless `contractions` has
/// it from the time before.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn matrix(
    walk: &Walk<'_>,
    contractions: &Contractions,
    joins: &Joins,
    progress: &Progress,
) -> Result<Vec<Option<Deciseconds>>> {
    if joins.homes.len().min(joins.facility_snap.len()) <= FEW {
        return by_sweeps(walk, joins, progress);
    }
    let hierarchy = contractions.of(walk, progress)?;
    by_hierarchy(walk, &hierarchy, joins, progress)
}

/// About how many bytes a matrix of so many places takes beside the network, what is found not included.
pub fn memory_bytes(network: &Network, origins: usize, facilities: usize) -> u64 {
    if origins.min(facilities) <= FEW {
        pairs::memory_bytes(network, LONGEST_DS)
    } else {
        network.node_count() as u64 * HIERARCHY_NODE_BYTES
    }
}

/// The matrix by searches from all places of one side.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn by_sweeps(walk: &Walk<'_>, joins: &Joins, progress: &Progress) -> Result<Vec<Option<Deciseconds>>> {
    let columns = joins.facility_snap.len();
    let mut table = vec![None; joins.homes.len() * columns];
    Pairs::between(walk, joins, LONGEST_DS).find(progress, |blocks| {
        for block in blocks {
            for ((&row, &column), &time_ds) in block.origin.iter().zip(&block.facility).zip(&block.time_ds) {
                table[row as usize * columns + column as usize] = Some(time_ds);
            }
        }
        Ok(())
    })?;
    Ok(table)
}

/// The matrix over the contraction hierarchy of the walk.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn by_hierarchy(
    walk: &Walk<'_>,
    hierarchy: &Hierarchy,
    joins: &Joins,
    progress: &Progress,
) -> Result<Vec<Option<Deciseconds>>> {
    let facilities = joins.facility_snap.len();
    let homes =
        joins.homes.iter().map(|(_, home)| home.iter().flat_map(|home| walk.home_legs(home)).collect());
    let mut doors: Vec<Vec<(u32, Deciseconds)>> = vec![Vec::new(); facilities];
    for door in &joins.doors {
        doors[door.facility as usize].extend(walk.door_legs(&door.joined));
    }
    let (homes, doors) = (Places::new(walk, hierarchy, homes.collect()), Places::new(walk, hierarchy, doors));
    progress.begin("walking times of a matrix", homes.row.len())?;
    let falls = risen(&hierarchy.falling, &doors.legs, progress)?;
    let rises = risen(&hierarchy.rising, &homes.legs, progress)?;
    let simd = pulp::Arch::new();
    let rows = rises.into_par_iter().map(|rise| {
        let mut rows = vec![vec![None; facilities]; TOGETHER];
        for (fall, columns) in falls.iter().zip(doors.row.chunks(TOGETHER)) {
            let met = simd.dispatch(Meeting { rise: &rise, fall });
            for (row, met) in rows.iter_mut().zip(&met) {
                for (&column, &sum) in columns.iter().zip(met) {
                    row[column as usize] = LongTimes::met_ds(sum);
                }
            }
        }
        progress.step(TOGETHER)?;
        Ok(rows)
    });
    let rows: Vec<Vec<Vec<Option<Deciseconds>>>> = rows.collect::<Result<_>>()?;
    let mut table = vec![None; homes.row.len() * facilities];
    for (&row, times) in homes.row.iter().zip(rows.into_iter().flatten()) {
        table[row as usize * facilities..][..facilities].copy_from_slice(&times);
    }
    along_edges(walk, joins, facilities, &mut table);
    Ok(table)
}

/// Places in an order in which neighbours search together.
struct Places {
    /// The row of each.
    row: Vec<u32>,
    /// Where its ways begin: nodes by importance, and the way to each.
    legs: Vec<Vec<(u32, Deciseconds)>>,
}

impl Places {
    /// `legs` of each row: nodes of the network, and the way to each.
    fn new(walk: &Walk<'_>, hierarchy: &Hierarchy, mut legs: Vec<Vec<(u32, Deciseconds)>>) -> Self {
        let position = &walk.network.order().position;
        let mut row: Vec<u32> = (0..legs.len() as u32).collect();
        row.sort_by_key(|&row| legs[row as usize].first().map(|&(node, _)| position[node as usize]));
        let ranked = |leg: (u32, Deciseconds)| (hierarchy.rank[position[leg.0 as usize] as usize], leg.1);
        let legs =
            row.iter().map(|&row| std::mem::take(&mut legs[row as usize]).into_iter().map(ranked).collect());
        Self { legs: legs.collect(), row }
    }
}

/// Search upwards from all places, 32 that follow one another together.
fn risen(steps: &Steps, places: &[Vec<(u32, Deciseconds)>], progress: &Progress) -> Result<Vec<Risen>> {
    let simd = pulp::Arch::new();
    let spare = Spare::default();
    let make = || Scratch {
        labels: vec![LongTimes::NONE; steps.node_count()],
        waiting: Positions::none(steps.node_count()),
    };
    places
        .par_chunks(TOGETHER)
        .map(|places| {
            progress.check()?;
            let mut scratch = spare.take(make);
            let risen = simd.dispatch(Rising { steps, places, scratch: &mut scratch });
            spare.put(scratch);
            Ok(risen)
        })
        .collect()
}

struct Scratch {
    labels: Vec<LongTimes>,
    waiting: Positions,
}

/// Searches that rise together. A struct and no closure: only so is the work compiled for each set of instructions.
struct Rising<'a> {
    steps: &'a Steps,
    places: &'a [Vec<(u32, Deciseconds)>],
    scratch: &'a mut Scratch,
}

impl NullaryFnOnce for Rising<'_> {
    type Output = Risen;

    #[expect(clippy::inline_always, reason = "compiled for the instructions of its caller")]
    #[inline(always)]
    fn call(self) -> Risen {
        let Scratch { labels, waiting } = self.scratch;
        for (lane, place) in self.places.iter().enumerate() {
            for &(node, leg_ds) in place {
                if labels[node as usize].offer(lane, leg_ds, 0, LONGEST_DS) {
                    waiting.insert(node as usize);
                }
            }
        }
        // Steps only rise, so one sweep upward meets each node after all that lead to it.
        let mut risen = Vec::new();
        waiting.sweep(
            true,
            #[inline(always)]
            |waiting, node| {
                let here = std::mem::replace(&mut labels[node], LongTimes::NONE);
                for hop in self.steps.of(node) {
                    if labels[hop.to as usize].improve(&here, hop.time_ds) {
                        waiting.insert(hop.to as usize);
                    }
                }
                risen.push((node as u32, here));
            },
        );
        risen
    }
}

/// Two bundles of searches; they meet at the top of every way. A struct and no closure, as above.
struct Meeting<'a> {
    rise: &'a Risen,
    fall: &'a Risen,
}

impl NullaryFnOnce for Meeting<'_> {
    type Output = Met;

    #[expect(clippy::inline_always, reason = "compiled for the instructions of its caller")]
    #[inline(always)]
    fn call(self) -> Met {
        let mut met = LongTimes::not_met();
        let (mut rise, mut fall) = (self.rise.iter().peekable(), self.fall.iter().peekable());
        while let (Some((up, here)), Some((down, there))) = (rise.peek(), fall.peek()) {
            match up.cmp(down) {
                std::cmp::Ordering::Less => _ = rise.next(),
                std::cmp::Ordering::Greater => _ = fall.next(),
                std::cmp::Ordering::Equal => {
                    here.meet(there, &mut met);
                    rise.next();
                    fall.next();
                }
            }
        }
        met
    }
}

/// Homes and doors on one edge need not go over its ends.
fn along_edges(walk: &Walk<'_>, joins: &Joins, facilities: usize, table: &mut [Option<Deciseconds>]) {
    let mut on_edge: HashMap<u32, Vec<(usize, &Joined)>> = HashMap::new();
    for door in &joins.doors {
        on_edge.entry(door.joined.anchor.edge).or_default().push((door.facility as usize, &door.joined));
    }
    for (origin, (_, home)) in joins.homes.iter().enumerate() {
        let Some(home) = home else { continue };
        for &(facility, door) in on_edge.get(&home.anchor.edge).into_iter().flatten() {
            let time_ds = walk.along_edge(home, door);
            let entry = &mut table[origin * facilities + facility];
            if time_ds < CLOSED {
                *entry = Some(entry.map_or(time_ds, |known| known.min(time_ds)));
            }
        }
    }
}
