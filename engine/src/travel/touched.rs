//! Pairs under edits: those of the origins whose pairs the edits can touch, every pair of each of them.
//!
//! Measures of access are made from pairs; an origin whose pairs no edit can touch keeps its value. Floating catchments look
//! farther: what an origin gets hangs on who else comes to its facilities. With `catchments` the touched origins are those
//! whose measure can change so, and the pairs are closed: every pair of every facility that one of them reaches, and every pair
//! of everybody who comes there. A measure of all steps over these pairs is, for the touched origins, that of a whole run.

use super::arcs::{Hop, Side};
use super::baseline::Baseline;
use super::doors::Joined;
use super::spare::Spare;
use super::tree::NODES_PER_LOOK;
use super::update::{Edits, Updating};
use crate::model::error::Result;
use crate::model::progress::Progress;
use crate::model::times::Deciseconds;
use crate::network::graph::CLOSED;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

/// Pairs of touched origins. New origins and facilities are numbered on from those of the baseline.
#[derive(Debug, Default)]
pub struct Touched {
    /// The touched origins, in order.
    pub origins: Vec<u32>,
    /// Origin, facility and tenths of a second; facility by facility, origins in order.
    pub pairs: Vec<(u32, u32, Deciseconds)>,
}

/// What is touched beside streets, doors and homes: rows of facilities that hold another amount, rows of origins where another
/// number of people live.
#[derive(Debug, Default)]
pub struct Amounts<'a> {
    /// Facilities.
    pub facilities: &'a [u32],
    /// Origins.
    pub origins: &'a [u32],
}

/// The pairs that edits can touch.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn touched(
    baseline: &Baseline,
    edits: &Edits<'_>,
    amounts: &Amounts<'_>,
    catchments: bool,
    progress: &Progress,
) -> Result<Touched> {
    let updating = Updating::new(baseline, edits, progress)?;
    let touching = Touching::new(&updating);
    let mut origins = touching.origins()?;
    if !catchments {
        let pairs = touching.columns(&touching.facilities_of(&origins)?, Some(&origins))?;
        return Ok(Touched { origins: origins.into_iter().collect(), pairs });
    }
    origins.extend(amounts.origins);
    let mut reached = touching.facilities_of(&origins)?;
    reached.extend(amounts.facilities.iter().copied().filter(|&row| touching.is_there(row)));
    origins.extend(touching.columns(&reached, None)?.into_iter().map(|(origin, ..)| origin));
    origins.extend(touching.before(&origins)?);
    let with = touching.columns(&touching.facilities_of(&origins)?, None)?;
    let all: BTreeSet<u32> =
        with.into_iter().map(|(origin, ..)| origin).chain(origins.iter().copied()).collect();
    let pairs = touching.columns(&touching.facilities_of(&all)?, Some(&all))?;
    Ok(Touched { origins: origins.into_iter().collect(), pairs })
}

struct Touching<'a> {
    updating: &'a Updating<'a>,
    /// Homes that are joined otherwise, by the positions at the ends of their edge.
    homes_at: HashMap<u32, Vec<u32>>,
    /// Doors that are joined otherwise, by facility.
    doors_of: HashMap<u32, Vec<Joined>>,
    spare: Spare<Times>,
}

impl<'a> Touching<'a> {
    fn new(updating: &'a Updating<'a>) -> Self {
        let mut homes_at: HashMap<u32, Vec<u32>> = HashMap::new();
        for (&row, home) in &updating.homes {
            for (position, _) in home.iter().flat_map(|home| updating.edited.home_legs(home)) {
                homes_at.entry(position).or_default().push(row);
            }
        }
        let mut doors_of: HashMap<u32, Vec<Joined>> = HashMap::new();
        for door in &updating.new_doors {
            doors_of.entry(door.facility).or_default().push(door.joined);
        }
        Self { updating, homes_at, doors_of, spare: Spare::default() }
    }

    fn baseline(&self) -> &'a Baseline {
        self.updating.baseline
    }

    /// The home of an origin now.
    fn home(&self, origin: u32) -> Option<Joined> {
        let changed = self.updating.homes.get(&origin).copied();
        changed.or_else(|| self.baseline().homes.get(origin as usize).map(|(_, home)| *home)).flatten()
    }

    /// The doors of a facility now.
    fn doors(&self, facility: u32) -> impl Iterator<Item = Joined> + '_ {
        let baseline = self.baseline();
        let is_old = (facility as usize) < baseline.facilities.len();
        let old = is_old.then(|| baseline.doors_of.of(facility)).into_iter().flatten();
        let there = old.filter(|door| !self.updating.gone.contains(door));
        let new = self.doors_of.get(&facility).into_iter().flatten().copied();
        there.map(|&door| baseline.doors[door as usize].joined).chain(new)
    }

    fn is_there(&self, facility: u32) -> bool {
        self.doors(facility).next().is_some()
    }

    /// Spread from seeds over steps, within the cut-off.
    fn spread<'s>(
        &self,
        seeds: impl IntoIterator<Item = (u32, Deciseconds)>,
        hops: impl Fn(u32) -> &'s [Hop],
        times: &mut Times,
    ) -> Result<()> {
        let cutoff_ds = self.baseline().cutoff_ds;
        times.forget();
        for (position, time_ds) in seeds {
            times.offer(position, time_ds, cutoff_ds);
        }
        let mut visited = 0;
        while let Some(Reverse((time_ds, position))) = times.heap.pop() {
            if time_ds > times.get(position) {
                continue;
            }
            for hop in hops(position) {
                times.offer(hop.to, time_ds.saturating_add(hop.time_ds), cutoff_ds);
            }
            visited += 1;
            if visited % NODES_PER_LOOK == 0 {
                self.updating.progress.check()?;
            }
        }
        Ok(())
    }

    fn times(&self) -> Times {
        self.spare.take(|| Times::new(self.updating.edited.node_count()))
    }

    /// Homes at the positions that were reached: those of the baseline, and those that are joined otherwise.
    fn homes_reached(&self, times: &Times) -> BTreeSet<u32> {
        let baseline = self.baseline();
        let nodes = baseline.network.node_count();
        let old = times.reached.iter().filter(|&&position| (position as usize) < nodes);
        let old = old.flat_map(|&position| baseline.homes_at.of(position));
        let new = times.reached.iter().filter_map(|position| self.homes_at.get(position)).flatten();
        old.chain(new).copied().collect()
    }

    /// The origins whose pairs the edits can touch: a superset.
    fn origins(&self) -> Result<BTreeSet<u32>> {
        let (updating, baseline) = (self.updating, self.baseline());
        let mut found: BTreeSet<u32> = updating.homes.keys().copied().collect();
        let mut times = self.times();
        // Before: from doors and steps that are no more.
        let gone = updating.gone.iter().map(|&door| baseline.doors[door as usize].joined);
        let gone: Vec<Joined> = gone.collect();
        let mut seeds: Vec<(u32, Deciseconds)> =
            gone.iter().flat_map(|door| baseline.door_legs(door)).collect();
        seeds.extend(updating.lost.iter().map(|&(_, to, time_ds, _)| (to, time_ds)));
        self.spread(seeds, |position| updating.edited.hops_before(position, Side::Doors), &mut times)?;
        found.extend(self.homes_reached(&times));
        found.extend(gone.iter().flat_map(|door| baseline.homes_on.of(door.anchor.edge)));
        // After: from doors and steps that are new.
        let mut seeds: Vec<(u32, Deciseconds)> = Vec::new();
        for door in &updating.new_doors {
            seeds.extend(updating.edited.door_legs(&door.joined));
            let street = updating.edited.street(door.joined.anchor.edge);
            found.extend(street.map(|street| baseline.homes_on.of(street)).into_iter().flatten());
        }
        for position in updating.edited.touched_positions() {
            seeds.extend(updating.edited.hops(position, Side::Doors).iter().map(|hop| (hop.to, hop.time_ds)));
        }
        self.spread(seeds, |position| updating.edited.hops(position, Side::Doors), &mut times)?;
        found.extend(self.homes_reached(&times));
        self.spare.put(times);
        Ok(found)
    }

    /// The facilities that some origins may reach now: a superset.
    fn facilities_of(&self, origins: &BTreeSet<u32>) -> Result<BTreeSet<u32>> {
        let (updating, baseline) = (self.updating, self.baseline());
        let homes: Vec<Joined> = origins.iter().filter_map(|&origin| self.home(origin)).collect();
        let seeds = homes.iter().flat_map(|home| updating.edited.home_legs(home));
        let mut times = self.times();
        self.spread(seeds, |position| updating.edited.hops(position, Side::Homes), &mut times)?;
        let nodes = baseline.network.node_count();
        let old = times.reached.iter().filter(|&&position| (position as usize) < nodes);
        let mut doors: Vec<u32> = old.flat_map(|&position| baseline.doors_at.of(position)).copied().collect();
        let mut edges: HashSet<u32> = HashSet::new();
        for home in &homes {
            edges.insert(home.anchor.edge);
            doors.extend(
                updating
                    .edited
                    .street(home.anchor.edge)
                    .map(|street| baseline.doors_on.of(street))
                    .into_iter()
                    .flatten(),
            );
        }
        let there = doors.into_iter().filter(|door| !updating.gone.contains(door));
        let mut found: BTreeSet<u32> = there.map(|door| baseline.doors[door as usize].facility).collect();
        let is_reached = |joined: &Joined| {
            let legs = updating.edited.door_legs(joined);
            edges.contains(&joined.anchor.edge)
                || legs.iter().any(|(position, _)| times.get(*position) < CLOSED)
        };
        found.extend(
            updating.new_doors.iter().filter(|door| is_reached(&door.joined)).map(|door| door.facility),
        );
        self.spare.put(times);
        Ok(found)
    }

    /// The origins that came to the facilities that some origins came to before the edits: a superset.
    fn before(&self, origins: &BTreeSet<u32>) -> Result<BTreeSet<u32>> {
        let (baseline, edited) = (self.baseline(), &self.updating.edited);
        let known = origins.iter().filter_map(|&origin| baseline.homes.get(origin as usize)?.1);
        let homes: Vec<Joined> = known.collect();
        let mut times = self.times();
        let seeds = homes.iter().flat_map(|home| baseline.home_legs(home));
        self.spread(seeds, |position| edited.hops_before(position, Side::Homes), &mut times)?;
        let nodes = baseline.network.node_count();
        let at = times.reached.iter().filter(|&&position| (position as usize) < nodes);
        let mut doors: BTreeSet<u32> =
            at.flat_map(|&position| baseline.doors_at.of(position)).copied().collect();
        doors.extend(homes.iter().flat_map(|home| baseline.doors_on.of(home.anchor.edge)));
        let doors: Vec<Joined> = doors.into_iter().map(|door| baseline.doors[door as usize].joined).collect();
        let seeds = doors.iter().flat_map(|door| baseline.door_legs(door));
        self.spread(seeds, |position| edited.hops_before(position, Side::Doors), &mut times)?;
        let mut found = self.homes_reached(&times);
        found.extend(doors.iter().flat_map(|door| baseline.homes_on.of(door.anchor.edge)));
        self.spare.put(times);
        Ok(found)
    }

    /// Every pair of some facilities now, of all origins or of some.
    fn columns(
        &self,
        facilities: &BTreeSet<u32>,
        wanted: Option<&BTreeSet<u32>>,
    ) -> Result<Vec<(u32, u32, Deciseconds)>> {
        let rows: Vec<u32> = facilities.iter().copied().collect();
        let columns: Vec<Vec<(u32, u32, Deciseconds)>> =
            rows.par_iter().map(|&facility| self.column(facility, wanted)).collect::<Result<_>>()?;
        Ok(columns.concat())
    }

    fn column(&self, facility: u32, wanted: Option<&BTreeSet<u32>>) -> Result<Vec<(u32, u32, Deciseconds)>> {
        let (updating, baseline) = (self.updating, self.baseline());
        let doors: Vec<Joined> = self.doors(facility).collect();
        let mut times = self.times();
        let seeds = doors.iter().flat_map(|door| updating.edited.door_legs(door));
        self.spread(seeds, |position| updating.edited.hops(position, Side::Doors), &mut times)?;
        let mut homes = self.homes_reached(&times);
        for door in &doors {
            let street = updating.edited.street(door.anchor.edge);
            homes.extend(street.map(|street| baseline.homes_on.of(street)).into_iter().flatten());
            let beside = updating
                .homes
                .iter()
                .filter(|(_, home)| home.is_some_and(|home| home.anchor.edge == door.anchor.edge));
            homes.extend(beside.map(|(&row, _)| row));
        }
        let mut column = Vec::with_capacity(homes.len());
        for origin in homes.into_iter().filter(|origin| wanted.is_none_or(|wanted| wanted.contains(origin))) {
            let Some(home) = self.home(origin) else { continue };
            let legs = updating.edited.home_legs(&home).into_iter();
            let over_nodes = legs.map(|(position, leg_ds)| times.get(position).saturating_add(leg_ds));
            let beside = doors.iter().filter(|door| door.anchor.edge == home.anchor.edge);
            let along = beside.map(|door| updating.edited.along_edge(&home, door));
            if let Some(time_ds) =
                over_nodes.chain(along).min().filter(|time_ds| *time_ds <= baseline.cutoff_ds)
            {
                column.push((origin, facility, time_ds));
            }
        }
        self.spare.put(times);
        Ok(column)
    }
}

/// Times of one search, by position; used again for the next.
struct Times {
    time_ds: Vec<Deciseconds>,
    reached: Vec<u32>,
    heap: BinaryHeap<Reverse<(Deciseconds, u32)>>,
}

impl Times {
    fn new(nodes: usize) -> Self {
        Self { time_ds: vec![CLOSED; nodes], reached: vec![], heap: BinaryHeap::new() }
    }

    fn forget(&mut self) {
        for &position in &self.reached {
            self.time_ds[position as usize] = CLOSED;
        }
        self.reached.clear();
        self.heap.clear();
    }

    fn get(&self, position: u32) -> Deciseconds {
        self.time_ds[position as usize]
    }

    fn offer(&mut self, position: u32, time_ds: Deciseconds, cutoff_ds: Deciseconds) {
        let known_ds = self.get(position);
        if time_ds <= cutoff_ds && time_ds < known_ds {
            if known_ds == CLOSED {
                self.reached.push(position);
            }
            self.time_ds[position as usize] = time_ds;
            self.heap.push(Reverse((time_ds, position)));
        }
    }
}
