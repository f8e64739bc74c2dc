//! The nearest facility of every class from every origin: all classes spread over the network together.

use super::arcs::{Arcs, PER_EDGE_BYTES, PER_NODE_BYTES, Side};
use super::baseline::Word64;
use super::doors::{Door, Joined, Joins, Walk};
use super::lanes::{Connected, Label, Lanes, Nearest as Near, Reached, Word};
use super::sweep;
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::place::Spot;
use crate::model::progress::Progress;
use crate::model::times::{Deciseconds, Found, Nearest, Reason, Times};
use crate::network::graph::{CLOSED, Network};
use crate::network::snap::Snap;
use pulp::NullaryFnOnce;
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
pub(super) const TOGETHER: usize = 32;

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
    search_classes(walk, joins, facilities, &facilities.classes(), cutoff_ds, progress)
}

/// The same for classes of which there may be no facility: nobody is connected with those. `class` is sorted and holds the
/// class of every facility.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn search_classes(
    walk: &Walk<'_>,
    joins: &Joins,
    facilities: &Facilities,
    class: &[String],
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<Vec<Nearest>> {
    search_keeping(walk, joins, &by_class(facilities, class, &joins.doors), cutoff_ds, None, progress)
}

/// As [`search_classes`] on a part of a network, where nobody can tell who is connected with what: of facilities that are not
/// reached in time [`Reason::BeyondCutoff`] is certain, [`Reason::NotConnected`] means that the whole has to be asked.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn search_part(
    walk: &Walk<'_>,
    joins: &Joins,
    facilities: &Facilities,
    class: &[String],
    cutoff_ds: Deciseconds,
    progress: &Progress,
) -> Result<Vec<Nearest>> {
    let ranked = by_class(facilities, class, &joins.doors);
    search_with(walk, joins, &ranked, cutoff_ds, Beside { is_part: true, keep: None }, progress)
}

/// The same of facilities that are sorted by class; what every node knows is kept where that is asked for.
pub(super) fn search_keeping(
    walk: &Walk<'_>,
    joins: &Joins,
    ranked: &[Class],
    cutoff_ds: Deciseconds,
    keep: Option<&mut AtNodes>,
    progress: &Progress,
) -> Result<Vec<Nearest>> {
    search_with(walk, joins, ranked, cutoff_ds, Beside { is_part: false, keep }, progress)
}

/// What else is to be known of a search.
struct Beside<'a> {
    /// Whether the network is a part of another, so that it does not tell what is connected.
    is_part: bool,
    /// Where what every node knows is kept.
    keep: Option<&'a mut AtNodes>,
}

fn search_with(
    walk: &Walk<'_>,
    joins: &Joins,
    ranked: &[Class],
    cutoff_ds: Deciseconds,
    mut beside: Beside<'_>,
    progress: &Progress,
) -> Result<Vec<Nearest>> {
    progress.begin("walking times", ranked.len())?;
    let search = Search { walk, arcs: walk.arcs(Side::Doors), homes: &joins.homes, cutoff_ds, progress };
    let mut nearest = vec![Err(Reason::NotSnapped); joins.homes.len() * ranked.len()];
    for (number, group) in ranked.chunks(TOGETHER).enumerate() {
        let columns = Columns { all: ranked.len(), first: number * TOGETHER };
        search.group(group, columns, &mut nearest, &mut beside)?;
        progress.step(group.len())?;
    }
    Ok(nearest)
}

/// What every node knows of every class, by position; see [`super::baseline`].
#[derive(Debug, Default)]
pub(super) struct AtNodes {
    /// The nearest facility of every class, node by node.
    pub(super) nearest: Vec<Word64>,
    /// The classes that a node is connected with, 32 in an entry.
    pub(super) connected: Vec<u64>,
}

/// About how many bytes a search takes beside the network, its answer included.
pub fn memory_bytes(network: &Network, origins: usize, doors: usize, classes: usize) -> u64 {
    let lanes = TOGETHER.min(classes) * size_of::<u32>();
    let per_node = lanes + size_of::<Connected>() + PER_NODE_BYTES;
    let joined = (origins + doors) * size_of::<(Snap, Option<Joined>)>();
    let table = origins * classes * size_of::<Nearest>();
    (network.node_count() * per_node + network.edge_count() * PER_EDGE_BYTES + joined + table) as u64
}

/// How each facility would be joined: its nearest joined door, or the nearest street when none is.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn join_facilities(walk: &Walk<'_>, facilities: &Facilities, progress: &Progress) -> Result<Vec<Snap>> {
    Ok(walk.join_doors(facilities, progress)?.0)
}

/// The facilities of one class.
#[derive(Debug)]
pub(super) struct Class {
    /// Their rows, in the order of their ids: the place of a facility here is its rank.
    pub(super) rows: Vec<u32>,
    /// Their doors, with the rank of the facility.
    doors: Vec<(u32, Joined)>,
}

/// Facilities and their doors by class, classes in order.
pub(super) fn by_class(facilities: &Facilities, class: &[String], doors: &[Door]) -> Vec<Class> {
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
    arcs: &'a Arcs,
    homes: &'a [(Snap, Option<Joined>)],
    cutoff_ds: Deciseconds,
    progress: &'a Progress,
}

impl Search<'_> {
    /// Choose lanes that are wide enough, and no more of them than are needed.
    fn group(
        &self,
        classes: &[Class],
        columns: Columns,
        table: &mut [Nearest],
        beside: &mut Beside<'_>,
    ) -> Result<()> {
        let most = classes.iter().map(|class| class.rows.len()).max().unwrap_or_default() as u64;
        let small = self.cutoff_ds <= Near::<32>::LONGEST_DS && most <= Near::<32>::RANKS;
        match (small, classes.len()) {
            (true, ..=4) => self.fill::<u32, 16, 4>(classes, columns, table, beside),
            (true, ..=16) => self.fill::<u32, 16, 16>(classes, columns, table, beside),
            (true, _) => self.fill::<u32, 16, 32>(classes, columns, table, beside),
            (false, ..=8) => self.fill::<u64, 32, 8>(classes, columns, table, beside),
            (false, _) => self.fill::<u64, 32, 32>(classes, columns, table, beside),
        }
    }

    fn fill<W: Word, const RANK: u32, const N: usize>(
        &self,
        classes: &[Class],
        columns: Columns,
        table: &mut [Nearest],
        beside: &mut Beside<'_>,
    ) -> Result<()> {
        let spread = Spread::<W, RANK, N>::new(self, classes, beside.is_part)?;
        if let Some(keep) = beside.keep.as_deref_mut() {
            spread.keep(columns, keep);
        }
        let simd = pulp::Arch::new();
        table.par_chunks_mut(columns.all * ORIGINS_PER_STEP).enumerate().try_for_each(|(part, rows)| {
            let homes = &self.homes[part * ORIGINS_PER_STEP..][..rows.len() / columns.all];
            simd.dispatch(Filling { spread: &spread, homes, columns, rows });
            self.progress.check()
        })
    }

    fn position(&self, node: u32) -> usize {
        self.walk.network.order().position[node as usize] as usize
    }
}

/// Classes spread over the whole network.
struct Spread<'a, W, const RANK: u32, const N: usize> {
    search: &'a Search<'a>,
    classes: &'a [Class],
    /// The nearest of every class at every node.
    labels: Vec<Lanes<W, RANK, N>>,
    /// The classes that each node is connected with, whatever the time.
    connected: Vec<Connected>,
    on_edge: HashMap<u32, Vec<Neighbour>>,
}

impl<'a, W: Word, const RANK: u32, const N: usize> Spread<'a, W, RANK, N> {
    fn new(search: &'a Search<'a>, classes: &'a [Class], is_part: bool) -> Result<Self> {
        let labels = vec![Lanes::NONE; search.arcs.node_count()];
        let mut spread = Self { search, classes, labels, connected: Vec::new(), on_edge: on_edge(classes) };
        spread.spread()?;
        if is_part {
            spread.connected = vec![Connected::NONE; spread.labels.len()];
        } else {
            spread.connect()?;
        }
        Ok(spread)
    }

    /// Every door at the ends of its edge: lane, rank of the facility, position, and the way between door and node.
    fn doors(&self) -> impl Iterator<Item = (usize, u32, usize, Deciseconds)> + use<'a, W, RANK, N> {
        let search = self.search;
        self.classes.iter().enumerate().flat_map(move |(lane, class)| {
            class.doors.iter().flat_map(move |(rank, door)| {
                let legs = search.walk.door_legs(door);
                legs.map(|(node, leg_ds)| (lane, *rank, search.position(node), leg_ds))
            })
        })
    }

    fn spread(&mut self) -> Result<()> {
        let mut seeds = Vec::new();
        for (lane, rank, position, leg_ds) in self.doors() {
            if self.labels[position].offer(lane, leg_ds, rank, self.search.cutoff_ds) {
                seeds.push(position as u32);
            }
        }
        sweep::settle(self.search.arcs, &mut self.labels, seeds, self.search.progress)
    }

    /// Those that were reached, and what hangs on them.
    fn connect(&mut self) -> Result<()> {
        let simd = pulp::Arch::new();
        self.connected = vec![Connected::NONE; self.labels.len()];
        let parts = self.connected.par_chunks_mut(ORIGINS_PER_STEP);
        parts.zip(self.labels.par_chunks(ORIGINS_PER_STEP)).for_each(|(to, labels)| {
            simd.dispatch(Reached { labels, to });
        });
        for (lane, _, position, _) in self.doors().filter(|(.., leg_ds)| *leg_ds < CLOSED) {
            self.connected[position].0 |= 1 << lane;
        }
        let any = |(position, set): (u32, &Connected)| (set.0 != 0).then_some(position);
        let seeds: Vec<u32> = (0..).zip(&self.connected).filter_map(any).collect();
        sweep::settle(self.search.arcs, &mut self.connected, seeds, self.search.progress)
    }

    /// Keep what every node knows.
    fn keep(&self, columns: Columns, keep: &mut AtNodes) {
        let (nodes, groups) = (self.labels.len(), columns.all.div_ceil(TOGETHER));
        keep.nearest.resize(nodes * columns.all, Word64::NONE);
        keep.connected.resize(nodes * groups, 0);
        let own = columns.first..columns.first + self.classes.len();
        keep.nearest.par_chunks_mut(columns.all).zip(&self.labels).for_each(|(words, label)| {
            for (lane, word) in words[own.clone()].iter_mut().enumerate() {
                let found = label.get(lane, self.search.cutoff_ds);
                *word = found.map_or(Word64::NONE, |(time_ds, rank)| Word64::of_rank(time_ds, rank));
            }
        });
        for (set, connected) in keep.connected.chunks_mut(groups).zip(&self.connected) {
            set[columns.first / TOGETHER] = connected.0;
        }
    }

    /// The nearest of every class from a home: over the ends of its edge, or along the edge.
    #[expect(clippy::inline_always, reason = "compiled for the instructions of its caller")]
    #[inline(always)]
    fn at_home(&self, home: &Joined, neighbours: &[Neighbour]) -> Lanes<W, RANK, N> {
        let mut best = Lanes::NONE;
        for (node, leg_ds) in self.search.walk.home_legs(home) {
            best.improve(&self.labels[self.search.position(node)], leg_ds);
        }
        for neighbour in neighbours {
            let time_ds = self.search.walk.along_edge(home, &neighbour.door);
            best.offer(neighbour.lane, time_ds, neighbour.rank, self.search.cutoff_ds);
        }
        best
    }

    /// The classes that a home is connected with, whatever the time.
    fn connected_at(&self, home: &Joined, neighbours: &[Neighbour]) -> u64 {
        let walk = self.search.walk;
        let legs = walk.home_legs(home).into_iter().filter(|(_, leg_ds)| *leg_ds < CLOSED);
        let over_nodes = legs.map(|(node, _)| self.connected[self.search.position(node)].0);
        let along = neighbours.iter().filter(|neighbour| walk.along_edge(home, &neighbour.door) < CLOSED);
        over_nodes.chain(along.map(|neighbour| 1 << neighbour.lane)).fold(0, |all, one| all | one)
    }

    /// Write the entries of one home.
    #[expect(clippy::inline_always, reason = "compiled for the instructions of its caller")]
    #[inline(always)]
    fn write(&self, home: &Joined, row: &mut [Nearest]) {
        let neighbours = self.on_edge.get(&home.anchor.edge).map_or(&[][..], Vec::as_slice);
        let best = self.at_home(home, neighbours);
        let mut connected = None;
        for (lane, (entry, class)) in row.iter_mut().zip(self.classes).enumerate() {
            *entry = if let Some((time_ds, rank)) = best.get(lane, self.search.cutoff_ds) {
                Ok(Found::new(time_ds, class.rows[rank as usize]))
            } else {
                let connected = *connected.get_or_insert_with(|| self.connected_at(home, neighbours));
                Err(if connected >> lane & 1 == 1 { Reason::BeyondCutoff } else { Reason::NotConnected })
            };
        }
    }
}

/// Some homes and their rows of the table. A struct and no closure: only so is the work compiled for each set of instructions.
struct Filling<'a, W, const RANK: u32, const N: usize> {
    spread: &'a Spread<'a, W, RANK, N>,
    homes: &'a [(Snap, Option<Joined>)],
    columns: Columns,
    rows: &'a mut [Nearest],
}

impl<W: Word, const RANK: u32, const N: usize> NullaryFnOnce for Filling<'_, W, RANK, N> {
    type Output = ();

    #[expect(clippy::inline_always, reason = "compiled for the instructions of its caller")]
    #[inline(always)]
    fn call(self) {
        let own = self.columns.first..self.columns.first + self.spread.classes.len();
        for ((_, home), row) in self.homes.iter().zip(self.rows.chunks_mut(self.columns.all)) {
            if let Some(home) = home {
                self.spread.write(home, &mut row[own.clone()]);
            }
        }
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
