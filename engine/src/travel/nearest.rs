//! The nearest facility of every class from every origin: all classes spread over the network together.

use super::arcs::{Arcs, Side};
use super::doors::{Door, Joined, Joins, Walk};
use super::lanes::{Connected, Label, Lanes, Nearest as Near, Word};
use super::sweep;
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::place::Spot;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Found, Nearest, Reason, Times};
use crate::network::graph::CLOSED;
use crate::network::snap::Snap;
use rayon::prelude::*;
use std::collections::HashMap;

/// Nearest times, and how places were joined.
#[derive(Debug, Clone)]
pub struct NearestTimes {
    /// The table.
    pub times: Times,
    /// One entry per origin.
    pub origin_snap: Vec<Snap>,
    /// One entry per facility: its nearest joined door, or the nearest street when none is.
    pub facility_snap: Vec<Snap>,
}

/// Classes that are searched for together at most.
const TOGETHER: usize = 32;

/// Origins whose times one thread looks up at a time.
const ORIGINS_PER_STEP: usize = 1024;

/// Nearest times from `origins` to the facilities of each class, not longer than the cut-off.
///
/// Equally near facilities: the one whose id comes first.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn nearest(
    walk: &Walk<'_>,
    origin_id: &Ids,
    origins: &[impl Into<Spot> + Copy + Sync],
    facilities: &Facilities,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<NearestTimes> {
    let joins = walk.join_both(origins, facilities, progress)?;
    let times = Times {
        profile: walk.profile.name.clone(),
        origin: origin_id.clone(),
        class: facilities.classes(),
        facility: facilities.id.clone(),
        nearest: search(walk, &joins, facilities, cutoff_ds, progress)?,
    };
    let origin_snap = joins.homes.into_iter().map(|(snap, _)| snap).collect();
    Ok(NearestTimes { times, origin_snap, facility_snap: joins.facility_snap })
}

/// The same of places that are joined already: origin by origin, classes in order.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn search(
    walk: &Walk<'_>,
    joins: &Joins,
    facilities: &Facilities,
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<Vec<Nearest>> {
    let class = facilities.classes();
    progress.begin("walking times", class.len())?;
    let ranked = by_class(facilities, &class, &joins.doors);
    let search = Search { walk, arcs: walk.arcs(Side::Doors), homes: &joins.homes, cutoff_ds, progress };
    let mut nearest = vec![Err(Reason::NotSnapped); joins.homes.len() * class.len()];
    for (number, group) in ranked.chunks(TOGETHER).enumerate() {
        let columns = Columns { all: class.len(), first: number * TOGETHER };
        search.group(group, columns, &mut nearest)?;
        progress.step(group.len())?;
    }
    Ok(nearest)
}

/// How each facility would be joined: its nearest joined door, or the nearest street when none is.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn join_facilities(walk: &Walk<'_>, facilities: &Facilities, progress: &Progress) -> Result<Vec<Snap>> {
    Ok(walk.join_doors(facilities, progress)?.0)
}

/// The facilities of one class.
struct Class {
    /// Their rows, in the order of their ids: the place of a facility here is its rank.
    rows: Vec<u32>,
    /// Their doors, with the rank of the facility.
    doors: Vec<(u32, Joined)>,
}

fn by_class(facilities: &Facilities, class: &[String], doors: &[Door]) -> Vec<Class> {
    let of = |row: usize| class.binary_search(&facilities.class[row]).expect("classes are complete");
    let by_id = facilities.id.ranks();
    let mut in_order: Vec<usize> = (0..facilities.len()).collect();
    in_order.sort_unstable_by_key(|&row| by_id[row]);
    let mut classes: Vec<Class> = class.iter().map(|_| Class { rows: vec![], doors: vec![] }).collect();
    let mut rank = vec![0; facilities.len()];
    for row in in_order {
        let rows = &mut classes[of(row)].rows;
        rank[row] = rows.len() as u32;
        rows.push(row as u32);
    }
    for door in doors {
        let row = door.facility as usize;
        classes[of(row)].doors.push((rank[row], door.joined));
    }
    classes
}

/// Which columns of the table a group of classes fills.
#[derive(Debug, Clone, Copy)]
struct Columns {
    all: usize,
    first: usize,
}

struct Search<'a> {
    walk: &'a Walk<'a>,
    arcs: Arcs<'a>,
    homes: &'a [(Snap, Option<Joined>)],
    cutoff_ds: Deciseconds,
    progress: &'a Progress,
}

impl Search<'_> {
    /// Choose lanes that are wide enough, and no more of them than are needed.
    fn group(&self, classes: &[Class], columns: Columns, table: &mut [Nearest]) -> Result<()> {
        let most = classes.iter().map(|class| class.rows.len()).max().unwrap_or_default() as u64;
        let small = self.cutoff_ds <= Near::<32>::LONGEST_DS && most <= Near::<32>::RANKS;
        match (small, classes.len()) {
            (true, ..=4) => self.fill::<u32, 16, 4>(classes, columns, table),
            (true, ..=16) => self.fill::<u32, 16, 16>(classes, columns, table),
            (true, _) => self.fill::<u32, 16, 32>(classes, columns, table),
            (false, ..=8) => self.fill::<u64, 32, 8>(classes, columns, table),
            (false, _) => self.fill::<u64, 32, 32>(classes, columns, table),
        }
    }

    fn fill<W: Word, const RANK: u32, const N: usize>(
        &self,
        classes: &[Class],
        columns: Columns,
        table: &mut [Nearest],
    ) -> Result<()> {
        let labels = self.spread::<W, RANK, N>(classes)?;
        let on_edge = on_edge(classes);
        let here = |row: &mut [Nearest], home: usize| {
            let row = &mut row[columns.first..columns.first + classes.len()];
            if let Some(joined) = &self.homes[home].1 {
                let best = self.at_home(joined, &labels, on_edge.get(&joined.anchor.edge));
                for (lane, entry) in row.iter_mut().enumerate() {
                    let found = best.get(lane, self.cutoff_ds).map(|(time_ds, rank)| Found {
                        time_ds,
                        facility: classes[lane].rows[rank as usize],
                    });
                    *entry = found.ok_or(Reason::BeyondCutoff);
                }
            }
        };
        table.par_chunks_mut(columns.all * ORIGINS_PER_STEP).enumerate().try_for_each(|(part, rows)| {
            for (home, row) in (part * ORIGINS_PER_STEP..).zip(rows.chunks_mut(columns.all)) {
                here(row, home);
            }
            self.progress.check()
        })?;
        self.tell_unconnected(classes, &labels, &on_edge, columns, table)
    }

    /// The nearest of every class at every node.
    fn spread<W: Word, const RANK: u32, const N: usize>(
        &self,
        classes: &[Class],
    ) -> Result<Vec<Lanes<W, RANK, N>>> {
        let mut labels = vec![Lanes::NONE; self.arcs.node_count()];
        let mut seeds = Vec::new();
        for (lane, class) in classes.iter().enumerate() {
            for (rank, door) in &class.doors {
                for (node, leg_ds) in self.walk.door_legs(door) {
                    let position = self.arcs.order.position[node as usize];
                    if labels[position as usize].offer(lane, leg_ds, *rank, self.cutoff_ds) {
                        seeds.push(position);
                    }
                }
            }
        }
        sweep::settle(&self.arcs, &mut labels, seeds, self.progress)?;
        Ok(labels)
    }

    /// The nearest of every class from a home: over the ends of its edge, or along the edge.
    fn at_home<W: Word, const RANK: u32, const N: usize>(
        &self,
        home: &Joined,
        labels: &[Lanes<W, RANK, N>],
        neighbours: Option<&Vec<Neighbour>>,
    ) -> Lanes<W, RANK, N> {
        let mut best = Lanes::NONE;
        for (node, leg_ds) in self.walk.home_legs(home) {
            best.improve(&labels[self.arcs.order.position[node as usize] as usize], leg_ds);
        }
        for neighbour in neighbours.into_iter().flatten() {
            let time_ds = self.walk.along_edge(home, &neighbour.door);
            best.offer(neighbour.lane, time_ds, neighbour.rank, self.cutoff_ds);
        }
        best
    }

    /// Where nothing was reached: is it far, or is there no way at all?
    fn tell_unconnected<W: Word, const RANK: u32, const N: usize>(
        &self,
        classes: &[Class],
        labels: &[Lanes<W, RANK, N>],
        on_edge: &HashMap<u32, Vec<Neighbour>>,
        columns: Columns,
        table: &mut [Nearest],
    ) -> Result<()> {
        if !table.par_iter().any(|entry| *entry == Err(Reason::BeyondCutoff)) {
            return Ok(());
        }
        let connected = self.connected(classes, labels)?;
        let at_home = |home: &Joined| {
            let open = self.walk.home_legs(home).into_iter().filter(|(_, leg_ds)| *leg_ds < CLOSED);
            let over_nodes =
                open.map(|(node, _)| connected[self.arcs.order.position[node as usize] as usize].0);
            let neighbours = on_edge.get(&home.anchor.edge).into_iter().flatten();
            let along = neighbours.filter(|neighbour| self.walk.along_edge(home, &neighbour.door) < CLOSED);
            over_nodes.chain(along.map(|neighbour| 1 << neighbour.lane)).fold(0, |all, one| all | one)
        };
        table.par_chunks_mut(columns.all * ORIGINS_PER_STEP).enumerate().try_for_each(|(part, rows)| {
            for (home, row) in (part * ORIGINS_PER_STEP..).zip(rows.chunks_mut(columns.all)) {
                let row = &mut row[columns.first..columns.first + classes.len()];
                let Some(joined) =
                    self.homes[home].1.as_ref().filter(|_| row.contains(&Err(Reason::BeyondCutoff)))
                else {
                    continue;
                };
                let connected = at_home(joined);
                for (lane, entry) in row.iter_mut().enumerate() {
                    if *entry == Err(Reason::BeyondCutoff) && connected >> lane & 1 == 0 {
                        *entry = Err(Reason::NotConnected);
                    }
                }
            }
            self.progress.check()
        })
    }

    /// The classes that each node is connected with, whatever the time: those that were reached, and what hangs on them.
    fn connected<W: Word, const RANK: u32, const N: usize>(
        &self,
        classes: &[Class],
        labels: &[Lanes<W, RANK, N>],
    ) -> Result<Vec<Connected>> {
        let mut connected: Vec<Connected> =
            labels.par_iter().map(|label| Connected(label.reached())).collect();
        for (lane, class) in classes.iter().enumerate() {
            let legs = class.doors.iter().flat_map(|(_, door)| self.walk.door_legs(door));
            for (node, _) in legs.filter(|(_, leg_ds)| *leg_ds < CLOSED) {
                connected[self.arcs.order.position[node as usize] as usize].0 |= 1 << lane;
            }
        }
        let seeds: Vec<u32> = (0..).zip(&connected).filter(|(_, set)| set.0 != 0).map(|(at, _)| at).collect();
        sweep::settle(&self.arcs, &mut connected, seeds, self.progress)?;
        Ok(connected)
    }
}

/// A door as seen from a home on its edge.
struct Neighbour {
    lane: usize,
    rank: u32,
    door: Joined,
}

fn on_edge(classes: &[Class]) -> HashMap<u32, Vec<Neighbour>> {
    let mut on_edge: HashMap<u32, Vec<Neighbour>> = HashMap::new();
    for (lane, class) in classes.iter().enumerate() {
        for &(rank, door) in &class.doors {
            on_edge.entry(door.anchor.edge).or_default().push(Neighbour { lane, rank, door });
        }
    }
    on_edge
}
