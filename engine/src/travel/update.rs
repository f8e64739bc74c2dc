//! The nearest facilities under edits: only what the edits touch is searched again, and the answer is that of a whole search,
//! to the bit.
//!
//! Labels are repaired class by class. Where a door or a step is lost, the nodes whose nearest way used it forget what they
//! know (all that hang on them by tight steps: a superset, so nothing stale stays); they learn again from the nodes around
//! them, as do the nodes that something new comes to. Then the homes at nodes whose label changed are looked up again.
//!
//! Source of the method: Ramalingam and Reps (1996), An incremental algorithm for a generalization of the shortest-path
//! problem; here with every label a time and the facility that it is to.

use super::arcs::Side;
use super::baseline::{Baseline, MOST_BETWEEN, Word64, key_between, rank_of_key};
use super::doors::{Door, Joined};
use super::edited::Edited;
use super::nearest::TOGETHER;
use super::spare::Spare;
use super::tree::NODES_PER_LOOK;
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::place::Spot;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Found, Nearest, Reason};
use crate::network::graph::CLOSED;
use crate::network::overlay::Overlay;
use rayon::prelude::*;
use rstar::AABB;
use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, HashMap, HashSet, VecDeque};

/// A facility that opens, or is somewhere else.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Its id.
    pub id: String,
    /// Its class: a position in [`Edits::class`].
    pub class: u32,
    /// Its doors.
    pub doors: Vec<Spot>,
}

/// What is edited.
#[derive(Debug)]
pub struct Edits<'a> {
    /// The streets.
    pub overlay: &'a Overlay,
    /// The classes: those of the baseline, and new ones after them.
    pub class: &'a [String],
    /// Facilities of the baseline, by row, that close or are somewhere else.
    pub closed: &'a [u32],
    /// Facilities that open, numbered on from those of the baseline.
    pub opened: &'a [Opened],
    /// Places where people move in, numbered on from the origins of the baseline.
    pub origins: &'a [Spot],
}

/// An entry of the table that is not what it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Changed {
    /// Row of the origin.
    pub origin: u32,
    /// Position of the class in [`Edits::class`].
    pub class: u32,
    /// What it is now.
    pub nearest: Nearest,
}

/// The entries that differ from the baseline's, by origin and class; of new origins every entry. Before the edits nobody is
/// connected with a new class.
///
/// # Errors
/// More facilities than are counted; [`Error::Cancelled`] when the user stopped.
pub fn update(baseline: &Baseline, edits: &Edits<'_>, progress: &Progress) -> Result<Vec<Changed>> {
    let updating = Updating::new(baseline, edits, progress)?;
    let classes: Vec<u32> = updating.classes();
    let spare = Spare::default();
    let changed: Vec<Vec<Changed>> = classes
        .par_iter()
        .map(|&class| {
            let mut labels = spare.take(|| Labels::new(updating.edited.node_count()));
            let changed = updating.class(class, &mut labels);
            labels.forget();
            spare.put(labels);
            changed
        })
        .collect::<Result<_>>()?;
    let mut changed = changed.concat();
    changed.sort_unstable_by_key(|entry| (entry.origin, entry.class));
    Ok(changed)
}

/// A door of the edited city that the baseline does not have so.
#[derive(Debug, Clone, Copy)]
pub(super) struct NewDoor {
    class: u32,
    key: u64,
    /// Row of the facility, new ones numbered on.
    pub(super) facility: u32,
    pub(super) joined: Joined,
}

pub(super) struct Updating<'a> {
    pub(super) baseline: &'a Baseline,
    edits: &'a Edits<'a>,
    pub(super) edited: Edited<'a>,
    /// Doors of the baseline that are no more, or are joined otherwise.
    pub(super) gone: HashSet<u32>,
    pub(super) new_doors: Vec<NewDoor>,
    /// The facility of each key that no facility of the baseline has.
    row_of: HashMap<(u32, u64), u32>,
    /// Homes that are joined otherwise than in the baseline, new ones among them.
    pub(super) homes: BTreeMap<u32, Option<Joined>>,
    /// Steps that are no more, or take longer.
    pub(super) lost: Vec<(u32, u32, Deciseconds, bool)>,
    /// Whether the far end of every step that is no more is still reached from its near end.
    is_whole: bool,
    pub(super) progress: &'a Progress,
}

impl<'a> Updating<'a> {
    pub(super) fn new(baseline: &'a Baseline, edits: &'a Edits<'a>, progress: &'a Progress) -> Result<Self> {
        let edited = Edited::new(baseline, edits.overlay);
        let lost = edited.lost_steps();
        let mut updating = Self {
            baseline,
            edits,
            edited,
            gone: HashSet::new(),
            new_doors: vec![],
            row_of: HashMap::new(),
            homes: BTreeMap::new(),
            lost,
            is_whole: true,
            progress,
        };
        updating.join_doors()?;
        updating.join_homes()?;
        updating.is_whole = updating.is_still_whole()?;
        Ok(updating)
    }

    /// The facilities of the baseline whose doors are joined otherwise: on a street that is cut or takes another time, or so
    /// near to one that is closed that they may have been joined to it.
    fn displaced(&self) -> BTreeSet<u32> {
        let overlay = self.edits.overlay;
        let on = |street: &u32| {
            self.baseline.doors_on.of(*street).iter().map(|&door| self.baseline.doors[door as usize].facility)
        };
        let streets: BTreeSet<u32> = self.streets().collect();
        let mut found: BTreeSet<u32> = streets.iter().flat_map(on).collect();
        for &street in overlay.closed.iter().filter(|&&street| self.is_street(street)) {
            found.extend(
                self.near(street)
                    .map(|around| self.baseline.door_places.locate_in_envelope(&around))
                    .into_iter()
                    .flatten()
                    .map(|at| at.data),
            );
        }
        let closed: HashSet<u32> = self.edits.closed.iter().copied().collect();
        found.retain(|row| !closed.contains(row));
        found
    }

    fn is_street(&self, edge: u32) -> bool {
        (edge as usize) < self.baseline.network.edge_count()
    }

    /// The streets of the baseline that edits touch.
    fn streets(&self) -> impl Iterator<Item = u32> + '_ {
        self.edits.overlay.touched().into_iter().filter(|&edge| self.is_street(edge))
    }

    /// The space around a street in which places may be joined to it.
    fn near(&self, street: u32) -> Option<AABB<[f64; 3]>> {
        let corners = self.baseline.network.vertices_of(street as usize).iter().map(|place| place.ecef_m());
        let points: Vec<[f64; 3]> = corners.collect();
        let first = *points.first()?;
        let around_m = self.baseline.max_snap_m() + 1.0;
        let corner = |sign: f64| {
            let most = |axis: usize| {
                points.iter().map(|point| point[axis] * sign).fold(first[axis] * sign, f64::max)
            };
            std::array::from_fn(|axis| (most(axis) + around_m) * sign)
        };
        Some(AABB::from_corners(corner(-1.0), corner(1.0)))
    }

    fn join_doors(&mut self) -> Result<()> {
        let baseline = self.baseline;
        for &row in self.edits.closed {
            self.gone.extend(baseline.doors_of.of(row));
        }
        for row in self.displaced() {
            let facilities = &baseline.facilities;
            let level = facilities.level[row as usize];
            let spots: Vec<Spot> =
                facilities.doors[row as usize].iter().map(|&place| Spot { place, level }).collect();
            self.gone.extend(baseline.doors_of.of(row));
            self.open_doors(row, baseline.class_of[row as usize], baseline.key_of[row as usize], &spots)?;
        }
        let keys = self.keys()?;
        for ((number, opened), key) in (baseline.facilities.len() as u32..).zip(self.edits.opened).zip(keys) {
            self.row_of.insert((opened.class, key), number);
            self.open_doors(number, opened.class, key, &opened.doors)?;
        }
        Ok(())
    }

    fn open_doors(&mut self, facility: u32, class: u32, key: u64, spots: &[Spot]) -> Result<()> {
        let doors = self.edited.join_doors(facility, spots, self.progress)?.into_iter();
        self.new_doors.extend(doors.map(|Door { facility, joined }| NewDoor {
            class,
            key,
            facility,
            joined,
        }));
        Ok(())
    }

    /// A key for every facility that opens: between those of the baseline whose ids come before and after.
    fn keys(&self) -> Result<Vec<u64>> {
        let ids = &self.baseline.facilities.id;
        let before = |opened: &Opened| {
            let ranked = self.baseline.ranked.get(opened.class as usize);
            ranked
                .map_or(0, |class| class.rows.partition_point(|&row| is_less(ids, row as usize, &opened.id)))
        };
        let mut order: Vec<(u32, usize, usize)> = (0..)
            .zip(self.edits.opened)
            .map(|(number, opened)| (opened.class, before(opened), number))
            .collect();
        let id = |number: usize| self.edits.opened[number].id.as_str();
        order.sort_by(|a, b| {
            (a.0, a.1).cmp(&(b.0, b.1)).then_with(|| compare(ids, id(a.2), id(b.2))).then(a.2.cmp(&b.2))
        });
        let mut keys = vec![0; order.len()];
        let mut same = 0;
        for (at, &(class, before, number)) in order.iter().enumerate() {
            let is_same = at > 0 && (order[at - 1].0, order[at - 1].1) == (class, before);
            same = if is_same { same + 1 } else { 0 };
            if same > MOST_BETWEEN {
                return Err(Error::Internal(format!(
                    "more than {MOST_BETWEEN} facilities open beside each other"
                )));
            }
            keys[number] = key_between(before, same);
        }
        Ok(keys)
    }

    fn join_homes(&mut self) -> Result<()> {
        let baseline = self.baseline;
        let mut again: BTreeSet<u32> = BTreeSet::new();
        for street in self.streets().collect::<Vec<_>>() {
            if !self.edits.overlay.closed.contains(&street) {
                for &row in baseline.homes_on.of(street) {
                    let (snap, _) = baseline.homes[row as usize];
                    self.homes.insert(row, snap.anchor.map(|anchor| self.edited.joined(anchor)));
                }
            } else if let Some(around) = self.near(street) {
                again.extend(baseline.home_places.locate_in_envelope(&around).map(|at| at.data));
            }
        }
        let rows: Vec<u32> = again.into_iter().collect();
        let spots: Vec<Spot> = rows.iter().map(|&row| baseline.origins[row as usize]).collect();
        let joined = self.edited.join(&spots, false, self.progress)?.into_iter().map(|(_, joined)| joined);
        self.homes.extend(rows.into_iter().zip(joined));
        let new = self.edited.join(self.edits.origins, false, self.progress)?.into_iter();
        self.homes.extend((baseline.origins.len() as u32..).zip(new.map(|(_, joined)| joined)));
        Ok(())
    }

    /// Whether every step that is no more has a way around it: then nobody is cut off by it.
    fn is_still_whole(&self) -> Result<bool> {
        for &(from, to, _, _) in self.lost.iter().filter(|(.., is_gone)| *is_gone) {
            if !self.leads(from, to)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Whether steps lead from one node to another: searched from both ends, a node each at a time, so that a dead end is soon
    /// known for one.
    fn leads(&self, from: u32, to: u32) -> Result<bool> {
        let mut sides = [Wave::of([from]), Wave::of([to])];
        loop {
            for (number, side) in [Side::Doors, Side::Homes].into_iter().enumerate() {
                let Some(here) = sides[number].next() else { return Ok(false) };
                if sides[1 - number].seen.contains(&here) {
                    return Ok(true);
                }
                for hop in self.edited.hops(here, side) {
                    sides[number].reach(hop.to);
                }
                if sides[number].seen.len().is_multiple_of(NODES_PER_LOOK) {
                    self.progress.check()?;
                }
            }
        }
    }

    /// The classes that the edits can touch: all where streets change or people move in.
    fn classes(&self) -> Vec<u32> {
        if !self.edits.overlay.is_empty() || !self.edits.origins.is_empty() {
            return (0..self.edits.class.len() as u32).collect();
        }
        let closed = self.edits.closed.iter().map(|&row| self.baseline.class_of[row as usize]);
        let opened = self.edits.opened.iter().map(|opened| opened.class);
        closed.chain(opened).collect::<BTreeSet<u32>>().into_iter().collect()
    }

    /// The entries of one class.
    fn class(&self, class: u32, labels: &mut Labels) -> Result<Vec<Changed>> {
        let of_class = OfClass { updating: self, class };
        of_class.forget_lost(labels)?;
        of_class.learn(labels)?;
        let connected = of_class.connected(labels)?;
        let mut homes: BTreeSet<u32> = self.homes.keys().copied().collect();
        for &position in labels.touched.iter().chain(connected.changed.iter()) {
            let known = (position as usize) < self.baseline.network.node_count();
            homes.extend(known.then(|| self.baseline.homes_at.of(position)).into_iter().flatten());
        }
        homes.extend(of_class.beside_changed_doors());
        let mut changed = Vec::new();
        for origin in homes {
            let nearest = of_class.at_home(origin, labels, &connected);
            if of_class.before(origin) != Some(nearest) {
                changed.push(Changed { origin, class, nearest });
            }
        }
        Ok(changed)
    }
}

/// A search over steps, whatever they take.
struct Wave {
    seen: HashSet<u32>,
    waiting: VecDeque<u32>,
}

impl Wave {
    fn of(positions: impl IntoIterator<Item = u32>) -> Self {
        let waiting: VecDeque<u32> = positions.into_iter().collect();
        Self { seen: waiting.iter().copied().collect(), waiting }
    }

    fn next(&mut self) -> Option<u32> {
        self.waiting.pop_front()
    }

    fn reach(&mut self, position: u32) {
        if self.seen.insert(position) {
            self.waiting.push_back(position);
        }
    }
}

/// Whether the id of a row comes before another.
fn is_less(ids: &Ids, row: usize, id: &str) -> bool {
    match ids {
        Ids::Text(ids) => ids[row].as_str() < id,
        Ids::Int(ids) => id.parse().is_ok_and(|id: i64| ids[row] < id),
        Ids::UInt(ids) => id.parse().is_ok_and(|id: u64| ids[row] < id),
    }
}

fn compare(ids: &Ids, a: &str, b: &str) -> std::cmp::Ordering {
    match ids {
        Ids::Text(_) => a.cmp(b),
        Ids::Int(_) => a.parse::<i64>().ok().cmp(&b.parse::<i64>().ok()),
        Ids::UInt(_) => a.parse::<u64>().ok().cmp(&b.parse::<u64>().ok()),
    }
}

/// Labels of one class that were looked at again; used again for the next.
struct Labels {
    /// One more than the place in `words`, by position.
    slot: Vec<u32>,
    touched: Vec<u32>,
    words: Vec<Word64>,
    forgotten: Vec<bool>,
    heap: BinaryHeap<Reverse<(Word64, u32)>>,
}

impl Labels {
    fn new(nodes: usize) -> Self {
        Self {
            slot: vec![0; nodes],
            touched: vec![],
            words: vec![],
            forgotten: vec![],
            heap: BinaryHeap::new(),
        }
    }

    fn forget(&mut self) {
        for &position in &self.touched {
            self.slot[position as usize] = 0;
        }
        self.touched.clear();
        self.words.clear();
        self.forgotten.clear();
        self.heap.clear();
    }

    fn get(&self, position: u32) -> Option<Word64> {
        self.slot[position as usize].checked_sub(1).map(|slot| self.words[slot as usize])
    }

    fn set(&mut self, position: u32, word: Word64) {
        if let Some(slot) = self.slot[position as usize].checked_sub(1) {
            self.words[slot as usize] = word;
            return;
        }
        self.touched.push(position);
        self.words.push(word);
        self.forgotten.push(false);
        self.slot[position as usize] = self.touched.len() as u32;
    }

    fn is_forgotten(&self, position: u32) -> bool {
        self.slot[position as usize].checked_sub(1).is_some_and(|slot| self.forgotten[slot as usize])
    }

    /// Forget what a node knows; whether it was not forgotten before.
    fn forget_at(&mut self, position: u32) -> bool {
        if self.is_forgotten(position) {
            return false;
        }
        self.set(position, Word64::NONE);
        let slot = self.slot[position as usize] as usize - 1;
        self.forgotten[slot] = true;
        true
    }
}

/// The nodes whose connection with the class is not what it was.
struct Connection {
    changed: HashSet<u32>,
}

/// One class of an update.
struct OfClass<'a> {
    updating: &'a Updating<'a>,
    class: u32,
}

impl OfClass<'_> {
    fn is_new(&self) -> bool {
        self.class as usize >= self.updating.baseline.class.len()
    }

    fn is_known(&self, position: u32) -> bool {
        !self.is_new() && (position as usize) < self.updating.baseline.network.node_count()
    }

    /// What a node knew in the baseline.
    fn word_before(&self, position: u32) -> Word64 {
        let baseline = self.updating.baseline;
        if !self.is_known(position) {
            return Word64::NONE;
        }
        baseline.at_nodes.nearest[position as usize * baseline.class.len() + self.class as usize]
    }

    fn was_connected(&self, position: u32) -> bool {
        let baseline = self.updating.baseline;
        let (group, bit) = (self.class as usize / TOGETHER, self.class as usize % TOGETHER);
        self.is_known(position)
            && baseline.at_nodes.connected[position as usize * baseline.groups() + group] >> bit & 1 == 1
    }

    fn word(&self, position: u32, labels: &Labels) -> Word64 {
        labels.get(position).unwrap_or_else(|| self.word_before(position))
    }

    /// Doors of the baseline of this class at a node, that are there still: key and leg.
    fn doors_at(&self, position: u32) -> impl Iterator<Item = (u64, Deciseconds)> + '_ {
        let updating = self.updating;
        let baseline = updating.baseline;
        let known = self.is_known(position).then(|| baseline.doors_at.of(position)).into_iter().flatten();
        let there = known.filter(move |door| {
            let facility = baseline.doors[**door as usize].facility as usize;
            baseline.class_of[facility] == self.class && !updating.gone.contains(door)
        });
        there.flat_map(move |&door| {
            let Door { facility, joined } = baseline.doors[door as usize];
            let legs = updating.edited.door_legs(&joined).into_iter();
            let here = legs.filter(move |(at, leg_ds)| *at == position && *leg_ds < CLOSED);
            here.map(move |(_, leg_ds)| (baseline.key_of[facility as usize], leg_ds))
        })
    }

    /// New doors of this class at the nodes at the ends of their edges: position, key and leg.
    fn new_doors(&self) -> impl Iterator<Item = (u32, u64, Deciseconds)> + '_ {
        let own = self.updating.new_doors.iter().filter(|door| door.class == self.class);
        own.flat_map(|door| {
            let legs = self.updating.edited.door_legs(&door.joined).into_iter();
            legs.filter(|(_, leg_ds)| *leg_ds < CLOSED).map(|(at, leg_ds)| (at, door.key, leg_ds))
        })
    }

    /// Doors of the baseline of this class that are no more: door, and the nodes at the ends of its edge with its legs.
    fn gone_doors(&self) -> impl Iterator<Item = (u32, [(u32, Deciseconds); 2])> + '_ {
        let baseline = self.updating.baseline;
        let own = self.updating.gone.iter().filter(|door| {
            baseline.class_of[baseline.doors[**door as usize].facility as usize] == self.class
        });
        own.map(|&door| (door, baseline.door_legs(&baseline.doors[door as usize].joined)))
    }

    /// Forget what hangs on doors and steps that are no more.
    fn forget_lost(&self, labels: &mut Labels) -> Result<()> {
        let baseline = self.updating.baseline;
        let cutoff_ds = baseline.cutoff_ds;
        let mut waiting = Vec::new();
        for (door, legs) in self.gone_doors() {
            let key = baseline.key_of[baseline.doors[door as usize].facility as usize];
            for (position, leg_ds) in legs.into_iter().filter(|(_, leg_ds)| *leg_ds <= cutoff_ds) {
                if self.word_before(position) == Word64::new(leg_ds, key) && labels.forget_at(position) {
                    waiting.push(position);
                }
            }
        }
        for &(from, to, time_ds, _) in &self.updating.lost {
            let come = self.word_before(from).farther(time_ds, cutoff_ds);
            if come != Word64::NONE && self.word_before(to) == come && labels.forget_at(to) {
                waiting.push(to);
            }
        }
        let mut visited = 0;
        while let Some(position) = waiting.pop() {
            let word = self.word_before(position);
            for hop in baseline.arcs[Side::Doors as usize].from(position as usize) {
                let come = word.farther(hop.time_ds, cutoff_ds);
                if come != Word64::NONE && self.word_before(hop.to) == come && labels.forget_at(hop.to) {
                    waiting.push(hop.to);
                }
            }
            visited += 1;
            if visited % NODES_PER_LOOK == 0 {
                self.updating.progress.check()?;
            }
        }
        Ok(())
    }

    /// Learn from what is around, and from what is new.
    fn learn(&self, labels: &mut Labels) -> Result<()> {
        let (edited, cutoff_ds) = (&self.updating.edited, self.updating.baseline.cutoff_ds);
        for at in 0..labels.touched.len() {
            let position = labels.touched[at];
            for (key, leg_ds) in self.doors_at(position) {
                self.offer(position, Word64::new(leg_ds, key), leg_ds <= cutoff_ds, labels);
            }
            for hop in edited.hops(position, Side::Homes) {
                let come = self.word(hop.to, labels).farther(hop.time_ds, cutoff_ds);
                self.offer(position, come, true, labels);
            }
        }
        for (position, key, leg_ds) in self.new_doors() {
            self.offer(position, Word64::new(leg_ds, key), leg_ds <= cutoff_ds, labels);
        }
        for position in edited.touched_positions() {
            for hop in edited.hops(position, Side::Doors) {
                let come = self.word(position, labels).farther(hop.time_ds, cutoff_ds);
                self.offer(hop.to, come, true, labels);
            }
        }
        let mut visited = 0;
        while let Some(Reverse((word, position))) = labels.heap.pop() {
            if word > self.word(position, labels) {
                continue;
            }
            for hop in edited.hops(position, Side::Doors) {
                self.offer(hop.to, word.farther(hop.time_ds, cutoff_ds), true, labels);
            }
            visited += 1;
            if visited % NODES_PER_LOOK == 0 {
                self.updating.progress.check()?;
            }
        }
        Ok(())
    }

    fn offer(&self, position: u32, word: Word64, is_within: bool, labels: &mut Labels) {
        if is_within && word < self.word(position, labels) {
            labels.set(position, word);
            labels.heap.push(Reverse((word, position)));
        }
    }

    /// The nodes whose connection with the class changes.
    fn connected(&self, labels: &Labels) -> Result<Connection> {
        let edited = &self.updating.edited;
        let mut changed = self.cut_off(labels)?;
        let mut waiting: Vec<u32> = Vec::new();
        let is_connected = |position: u32, changed: &HashSet<u32>| {
            self.was_connected(position) != changed.contains(&position)
        };
        let gain = |position: u32, changed: &mut HashSet<u32>, waiting: &mut Vec<u32>| {
            if is_connected(position, changed) {
                return;
            }
            // What was connected before and was cut off is as before.
            if !changed.remove(&position) {
                changed.insert(position);
            }
            waiting.push(position);
        };
        for (position, _, _) in self.new_doors() {
            gain(position, &mut changed, &mut waiting);
        }
        for position in edited.touched_positions() {
            if is_connected(position, &changed) {
                for hop in edited.hops(position, Side::Doors) {
                    gain(hop.to, &mut changed, &mut waiting);
                }
            }
        }
        let mut visited = 0;
        while let Some(position) = waiting.pop() {
            for hop in edited.hops(position, Side::Doors) {
                gain(hop.to, &mut changed, &mut waiting);
            }
            visited += 1;
            if visited % NODES_PER_LOOK == 0 {
                self.updating.progress.check()?;
            }
        }
        Ok(Connection { changed })
    }

    /// The nodes that lose their connection with the class, if what is new is not counted.
    fn cut_off(&self, labels: &Labels) -> Result<HashSet<u32>> {
        let lost = self.ends_that_lose(labels)?;
        if lost.is_empty() {
            return Ok(HashSet::new());
        }
        // All that hang on these ends forget, and learn again from what is around them.
        let edited = &self.updating.edited;
        let mut wave = Wave::of(lost);
        let mut order = Vec::new();
        while let Some(position) = wave.next() {
            order.push(position);
            for hop in edited.hops(position, Side::Doors) {
                if self.was_connected(hop.to) || !self.is_known(hop.to) {
                    wave.reach(hop.to);
                }
            }
            if order.len() % NODES_PER_LOOK == 0 {
                self.updating.progress.check()?;
            }
        }
        let mut cut_off = wave.seen;
        let around = |position: u32| {
            let near = edited.hops(position, Side::Homes).iter();
            near.into_iter().any(|hop| self.was_connected(hop.to) && !cut_off.contains(&hop.to))
        };
        let mut waiting: Vec<u32> = order
            .into_iter()
            .filter(|&position| self.doors_at(position).next().is_some() || around(position))
            .collect();
        for position in &waiting {
            cut_off.remove(position);
        }
        while let Some(position) = waiting.pop() {
            for hop in edited.hops(position, Side::Doors) {
                if cut_off.remove(&hop.to) {
                    waiting.push(hop.to);
                }
            }
        }
        // New nodes had no connection to lose; what is new gives them theirs.
        cut_off.retain(|&position| self.is_known(position));
        Ok(cut_off)
    }

    /// Where doors and steps that are no more led, if nothing else is known to lead there: not where another facility is still
    /// within the cut-off, nor where steps that are left lead there from a door.
    fn ends_that_lose(&self, labels: &Labels) -> Result<Vec<u32>> {
        let legs = self.gone_doors().flat_map(|(_, legs)| legs);
        let doors = legs.filter(|(_, leg_ds)| *leg_ds < CLOSED).map(|(position, _)| position);
        let is_whole = self.updating.is_whole;
        let steps = self.updating.lost.iter().filter(|(.., is_gone)| *is_gone && !is_whole);
        let steps = steps.filter(|(from, ..)| self.was_connected(*from)).map(|&(_, to, ..)| to);
        let mut ends: Vec<u32> = doors.chain(steps).filter(|&end| self.was_connected(end)).collect();
        ends.sort_unstable();
        ends.dedup();
        let mut lost = Vec::new();
        for end in ends {
            if self.word(end, labels) == Word64::NONE && !self.finds_another(end)? {
                lost.push(end);
            }
        }
        Ok(lost)
    }

    /// Whether a node is connected with a door of the class that was there before.
    fn finds_another(&self, position: u32) -> Result<bool> {
        // In the main piece everybody is connected with everybody, as long as every step that is no more has a way around it.
        if self.updating.is_whole && self.updating.baseline.is_main(position) && self.is_in_main() {
            return Ok(true);
        }
        let mut wave = Wave::of([position]);
        while let Some(here) = wave.next() {
            if self.doors_at(here).next().is_some() {
                return Ok(true);
            }
            for hop in self.updating.edited.hops(here, Side::Homes) {
                wave.reach(hop.to);
            }
            if wave.seen.len().is_multiple_of(NODES_PER_LOOK) {
                self.updating.progress.check()?;
            }
        }
        Ok(false)
    }

    /// Whether a door of the baseline that is there still leads into the main piece.
    fn is_in_main(&self) -> bool {
        let baseline = self.updating.baseline;
        let is_main = |legs: &[(u32, Deciseconds); 2]| {
            legs.iter().any(|(position, leg_ds)| *leg_ds < CLOSED && baseline.is_main(*position))
        };
        let gone = self.gone_doors().filter(|(_, legs)| is_main(legs)).count();
        baseline.main_doors.get(self.class as usize).is_some_and(|&doors| doors as usize > gone)
    }

    /// Homes on the edges of doors that are gone or new.
    fn beside_changed_doors(&self) -> Vec<u32> {
        let baseline = self.updating.baseline;
        let gone = self.gone_doors().map(|(door, _)| baseline.doors[door as usize].joined.anchor.edge);
        let own = self.updating.new_doors.iter().filter(|door| door.class == self.class);
        let new = own.filter_map(|door| self.updating.edits.overlay.street(door.joined.anchor.edge));
        gone.chain(new).flat_map(|street| baseline.homes_on.of(street)).copied().collect()
    }

    /// The entry of the baseline; none for an origin that is new.
    fn before(&self, origin: u32) -> Option<Nearest> {
        let baseline = self.updating.baseline;
        let (_, home) = baseline.homes.get(origin as usize)?;
        if self.is_new() {
            return Some(Err(if home.is_some() { Reason::NotConnected } else { Reason::NotSnapped }));
        }
        Some(baseline.nearest[origin as usize * baseline.class.len() + self.class as usize])
    }

    fn at_home(&self, origin: u32, labels: &Labels, connected: &Connection) -> Nearest {
        let (updating, baseline) = (self.updating, self.updating.baseline);
        let home = updating.homes.get(&origin).copied();
        let home = home.or_else(|| baseline.homes.get(origin as usize).map(|(_, home)| *home)).flatten();
        let Some(home) = home else { return Err(Reason::NotSnapped) };
        let legs = updating.edited.home_legs(&home);
        let mut best = Word64::NONE;
        for (position, leg_ds) in legs {
            best = best.min(self.word(position, labels).farther(leg_ds, baseline.cutoff_ds));
        }
        let mut is_connected = legs.into_iter().any(|(position, leg_ds)| {
            leg_ds < CLOSED && (self.was_connected(position) ^ connected.changed.contains(&position))
        });
        for (key, door) in self.doors_beside(&home) {
            let time_ds = updating.edited.along_edge(&home, &door);
            is_connected |= time_ds < CLOSED;
            if time_ds <= baseline.cutoff_ds {
                best = best.min(Word64::new(time_ds, key));
            }
        }
        if best != Word64::NONE {
            return Ok(Found::new(best.time_ds(), self.facility(best.key())));
        }
        Err(if is_connected { Reason::BeyondCutoff } else { Reason::NotConnected })
    }

    /// Doors of the class on the edge of a home.
    fn doors_beside(&self, home: &Joined) -> impl Iterator<Item = (u64, Joined)> + '_ {
        let (updating, baseline, edge) = (self.updating, self.updating.baseline, home.anchor.edge);
        let street = (!self.is_new()).then(|| updating.edits.overlay.street(edge)).flatten();
        let known = street.map(|street| baseline.doors_on.of(street)).into_iter().flatten();
        let there = known.filter(move |door| {
            let Door { facility, joined } = baseline.doors[**door as usize];
            baseline.class_of[facility as usize] == self.class
                && !updating.gone.contains(door)
                && joined.anchor.edge == edge
        });
        let there = there.map(|&door| {
            let Door { facility, joined } = baseline.doors[door as usize];
            (baseline.key_of[facility as usize], joined)
        });
        let new = updating
            .new_doors
            .iter()
            .filter(move |door| door.class == self.class && door.joined.anchor.edge == edge);
        there.chain(new.map(|door| (door.key, door.joined)))
    }

    /// Row of the facility of a key.
    fn facility(&self, key: u64) -> u32 {
        match rank_of_key(key) {
            Some(rank) => self.updating.baseline.ranked[self.class as usize].rows[rank as usize],
            None => self.updating.row_of[&(self.class, key)],
        }
    }
}
