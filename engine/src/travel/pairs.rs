//! Every origin and facility within the cut-off of each other: neighbouring places search side by side, a lane each.

use super::arcs::{Arcs, PER_EDGE_BYTES, PER_NODE_BYTES, Side};
use super::doors::{Joined, Joins, Walk};
use super::index::Index;
use super::lanes::{Label, Lanes, LongTimes, Times, Word};
use super::positions::Positions;
use super::spare::Spare;
use crate::model::error::Result;
use crate::model::progress::Progress;
use crate::model::times::Deciseconds;
use crate::network::graph::{CLOSED, Network};
use crate::network::order::Order;
use pulp::NullaryFnOnce;
use rayon::prelude::*;

/// Searches side by side.
const TOGETHER: usize = 32;

/// Bundles that an estimate is made from.
const SAMPLES: usize = 16;

/// Bundles of searches between two deliveries: enough for many threads, and few enough that what they find stays small.
const BUNDLES_PER_GROUP: usize = 64;

/// Pairs within the cut-off, sorted by origin.
#[derive(Debug, Clone, Default)]
pub struct Block {
    /// Row of the origin.
    pub origin: Vec<u32>,
    /// Row of the facility.
    pub facility: Vec<u32>,
    /// Walking time, tenths of a second.
    pub time_ds: Vec<Deciseconds>,
}

impl Block {
    /// Number of pairs.
    pub fn len(&self) -> usize {
        self.origin.len()
    }

    /// Whether there is no pair.
    pub fn is_empty(&self) -> bool {
        self.origin.is_empty()
    }

    fn with_capacity(pairs: u32) -> Self {
        let column = || Vec::with_capacity(pairs as usize);
        Self { origin: column(), facility: column(), time_ds: column() }
    }

    #[expect(clippy::inline_always, reason = "part of an innermost loop")]
    #[inline(always)]
    fn push(&mut self, origin: u32, facility: u32, time_ds: Deciseconds) {
        self.origin.push(origin);
        self.facility.push(facility);
        self.time_ds.push(time_ds);
    }
}

/// The places of one side: rows, each with the points where it is joined to streets.
struct Places {
    first: Vec<u32>,
    joined: Vec<Joined>,
    /// Positions of the two ends of the edge, and the way between the place and each.
    legs: Vec<[(u32, Deciseconds); 2]>,
}

impl Places {
    fn new(rows: usize, joined: impl Iterator<Item = (u32, Joined)>, side: Side, walk: &Walk<'_>) -> Self {
        let (mut first, mut places) = (vec![0_u32; rows + 1], Vec::new());
        for (row, joined) in joined {
            first[row as usize + 1] += 1;
            places.push(joined);
        }
        for row in 0..rows {
            first[row + 1] += first[row];
        }
        let order = walk.network.order();
        let legs = |joined: &Joined| {
            let legs = match side {
                Side::Homes => walk.home_legs(joined),
                Side::Doors => walk.door_legs(joined),
            };
            legs.map(|(node, leg_ds)| (order.position[node as usize], leg_ds))
        };
        Self { first, legs: places.par_iter().map(legs).collect(), joined: places }
    }

    fn len(&self) -> usize {
        self.first.len() - 1
    }

    /// Where a row is joined, with its legs.
    #[expect(clippy::inline_always, reason = "part of an innermost loop")]
    #[inline(always)]
    fn of(&self, row: u32) -> impl Iterator<Item = (&Joined, &[(u32, Deciseconds); 2])> + Clone {
        let range = self.first[row as usize] as usize..self.first[row as usize + 1] as usize;
        self.joined[range.clone()].iter().zip(&self.legs[range])
    }

    /// Rows that are joined at all, neighbours next to each other.
    fn in_space(&self, order: &Order, walk: &Walk<'_>) -> Vec<u32> {
        let position = |row: u32| {
            let (joined, _) = self.of(row).next()?;
            Some(order.position[walk.network.edges.from[joined.anchor.edge as usize] as usize])
        };
        let mut rows: Vec<(u32, u32)> =
            (0..self.len() as u32).filter_map(|row| Some((position(row)?, row))).collect();
        rows.par_sort_unstable();
        rows.into_iter().map(|(_, row)| row).collect()
    }

    /// How many rows are joined.
    fn joined_rows(&self) -> usize {
        self.first.windows(2).filter(|ends| ends[0] < ends[1]).count()
    }
}

/// About how many bytes a search of pairs takes beside the network, what is found not included.
pub fn memory_bytes(network: &Network, cutoff_ds: Deciseconds) -> u64 {
    let label = if cutoff_ds <= Times::LONGEST_DS { size_of::<Times>() } else { size_of::<LongTimes>() };
    let per_node = rayon::current_num_threads() * label + PER_NODE_BYTES;
    (network.node_count() * per_node + network.edge_count() * PER_EDGE_BYTES) as u64
}

/// A search for all pairs, from the side that has fewer places.
pub struct Pairs<'a> {
    walk: &'a Walk<'a>,
    arcs: &'a Arcs,
    side: Side,
    sources: Places,
    targets: Places,
    target_at: Index,
    target_on_edge: Index,
    cutoff_ds: Deciseconds,
}

impl<'a> Pairs<'a> {
    /// Make a search ready.
    pub fn between(walk: &'a Walk<'a>, joins: &Joins, cutoff_ds: Deciseconds) -> Self {
        let homes = (0..).zip(&joins.homes).filter_map(|(row, (_, home))| Some((row, (*home)?)));
        let homes = Places::new(joins.homes.len(), homes, Side::Homes, walk);
        let doors = joins.doors.iter().map(|door| (door.facility, door.joined));
        let doors = Places::new(joins.facility_snap.len(), doors, Side::Doors, walk);
        if homes.joined_rows() <= doors.joined_rows() {
            Self::from(Side::Homes, walk, homes, doors, cutoff_ds)
        } else {
            Self::from(Side::Doors, walk, doors, homes, cutoff_ds)
        }
    }

    fn from(
        side: Side,
        walk: &'a Walk<'a>,
        sources: Places,
        targets: Places,
        cutoff_ds: Deciseconds,
    ) -> Self {
        let rows =
            || (0..targets.len() as u32).flat_map(|row| targets.of(row).map(move |place| (row, place)));
        let ends = rows().flat_map(|(row, (_, legs))| legs.map(|(position, leg_ds)| (position, leg_ds, row)));
        let within = ends.filter(|(_, leg_ds, _)| *leg_ds <= cutoff_ds);
        let target_at =
            Index::new(walk.network.node_count(), within.map(|(position, _, row)| (position, row)));
        let on_edge = rows().map(|(row, (joined, _))| (joined.anchor.edge, row));
        let target_on_edge = Index::new(walk.network.edge_count(), on_edge);
        Self { walk, arcs: walk.arcs(side), side, sources, targets, target_at, target_on_edge, cutoff_ds }
    }

    /// About how many pairs there are, from some of the searches, evenly spread.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped.
    pub fn estimate(&self, progress: &Progress) -> Result<u64> {
        let rows = self.sources.in_space(self.walk.network.order(), self.walk);
        let bundles = rows.len().div_ceil(TOGETHER);
        let every = (bundles / SAMPLES).max(1);
        let sample: Vec<u32> = rows.chunks(TOGETHER).step_by(every).flatten().copied().collect();
        let mut pairs = 0;
        self.find_from(&sample, progress, |blocks| {
            pairs += blocks.iter().map(|block| block.len() as u64).sum::<u64>();
            Ok(())
        })?;
        Ok((pairs as f64 * rows.len() as f64 / sample.len().max(1) as f64).ceil() as u64)
    }

    /// Find all pairs; `take` is given them block by block, neighbours together, in an order that hangs on the places alone.
    ///
    /// # Errors
    /// [`crate::model::error::Error::Cancelled`] when the user stopped; what `take` returns.
    pub fn find(&self, progress: &Progress, take: impl FnMut(Vec<Block>) -> Result<()>) -> Result<()> {
        self.find_from(&self.sources.in_space(self.walk.network.order(), self.walk), progress, take)
    }

    fn find_from(
        &self,
        rows: &[u32],
        progress: &Progress,
        take: impl FnMut(Vec<Block>) -> Result<()>,
    ) -> Result<()> {
        if self.cutoff_ds <= Times::LONGEST_DS {
            self.find_with::<u16>(rows, progress, take)
        } else {
            self.find_with::<u32>(rows, progress, take)
        }
    }

    fn find_with<W: Word>(
        &self,
        rows: &[u32],
        progress: &Progress,
        mut take: impl FnMut(Vec<Block>) -> Result<()>,
    ) -> Result<()> {
        assert!(self.cutoff_ds <= LongTimes::LONGEST_DS, "a cut-off is at most a day");
        let simd = pulp::Arch::new();
        let spare = Spare::default();
        progress.begin("walking times of all pairs", rows.len())?;
        for group in rows.chunks(TOGETHER * BUNDLES_PER_GROUP) {
            let blocks = group.par_chunks(TOGETHER).map(|rows| {
                let mut scratch = spare.take(|| Scratch::<W>::new(self.arcs, self.targets.len()));
                let block = simd.dispatch(Bundle { pairs: self, rows, scratch: &mut scratch, progress })?;
                spare.put(scratch);
                progress.step(rows.len())?;
                Ok(block)
            });
            take(blocks.collect::<Result<_>>()?)?;
        }
        Ok(())
    }

    /// Search from some places side by side, and read off the targets that were reached.
    #[expect(
        clippy::inline_always,
        reason = "must be compiled into its caller for the instructions that it may use"
    )]
    #[inline(always)]
    fn bundle<W: Word>(&self, rows: &[u32], scratch: &mut Scratch<W>, progress: &Progress) -> Result<Block> {
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        scratch.forget();
        for (lane, &row) in rows.iter().enumerate() {
            for (position, leg_ds) in self.sources.of(row).flat_map(|(_, legs)| *legs) {
                scratch.seed(lane, position, leg_ds, self.cutoff_ds);
            }
        }
        scratch.spread(self.arcs, progress)?;
        self.read_targets(&rows, scratch);
        Ok(self.block(&rows, &scratch.targets))
    }

    /// The lanes of every target that is attached to a node that was reached, or stands on the edge of a source.
    #[expect(clippy::inline_always, reason = "as its caller")]
    #[inline(always)]
    fn read_targets<W: Word>(&self, rows: &[u32], scratch: &mut Scratch<W>) {
        let Scratch { labels, reached, candidates, targets, .. } = scratch;
        for &position in reached.iter() {
            for &row in self.target_at.of(position) {
                candidates.insert(row as usize);
            }
        }
        // Sources on an edge with targets; one bit for each edge, so that most targets are done with at a glance.
        let mut on_edge: Vec<(u32, usize, &Joined)> = Vec::with_capacity(rows.len());
        let mut edges = 0_u64;
        for (lane, &row) in rows.iter().enumerate() {
            for (joined, _) in self.sources.of(row) {
                let edge = joined.anchor.edge;
                let neighbours = self.target_on_edge.of(edge);
                if !neighbours.is_empty() {
                    on_edge.push((edge, lane, joined));
                    edges |= 1 << (edge % 64);
                }
                for &row in neighbours {
                    candidates.insert(row as usize);
                }
            }
        }
        targets.clear();
        candidates.sweep(true, |_, row| {
            let mut lanes = Lanes::NONE;
            for (joined, legs) in self.targets.of(row as u32) {
                for &(position, leg_ds) in legs {
                    lanes.improve(&labels[position as usize], leg_ds);
                }
                if edges >> (joined.anchor.edge % 64) & 1 == 0 {
                    continue;
                }
                for &(_, lane, source) in on_edge.iter().filter(|(edge, ..)| *edge == joined.anchor.edge) {
                    let time_ds = match self.side {
                        Side::Homes => self.walk.along_edge(source, joined),
                        Side::Doors => self.walk.along_edge(joined, source),
                    };
                    if time_ds < CLOSED {
                        lanes.offer(lane, time_ds, 0, self.cutoff_ds);
                    }
                }
            }
            if !lanes.is_none() {
                targets.push((row as u32, lanes));
            }
        });
    }

    /// Pairs sorted by origin, then in the order of the other side.
    #[expect(clippy::inline_always, reason = "as its caller")]
    #[inline(always)]
    fn block<W: Word>(&self, rows: &[u32], targets: &[(u32, Lanes<W, 0, TOGETHER>)]) -> Block {
        let mut block =
            Block::with_capacity(targets.iter().map(|(_, lanes)| lanes.reached().count_ones()).sum());
        match self.side {
            Side::Homes => {
                for (lane, &origin) in rows.iter().enumerate() {
                    for (facility, lanes) in targets {
                        if let Some((time_ds, _)) = lanes.get(lane, self.cutoff_ds) {
                            block.push(origin, *facility, time_ds);
                        }
                    }
                }
            }
            Side::Doors => {
                for (origin, lanes) in targets {
                    let mut reached = lanes.reached();
                    while reached != 0 {
                        let lane = reached.trailing_zeros() as usize;
                        reached &= reached - 1;
                        if let Some((time_ds, _)) = lanes.get(lane, self.cutoff_ds) {
                            block.push(*origin, rows[lane], time_ds);
                        }
                    }
                }
            }
        }
        block
    }
}

/// Sources that search side by side. A struct and no closure: only so is the work compiled for each set of instructions.
struct Bundle<'a, W> {
    pairs: &'a Pairs<'a>,
    rows: &'a [u32],
    scratch: &'a mut Scratch<W>,
    progress: &'a Progress,
}

impl<W: Word> NullaryFnOnce for Bundle<'_, W> {
    type Output = Result<Block>;

    #[expect(clippy::inline_always, reason = "compiled for the instructions of its caller")]
    #[inline(always)]
    fn call(self) -> Result<Block> {
        self.pairs.bundle(self.rows, self.scratch, self.progress)
    }
}

/// Working memory of one thread.
struct Scratch<W> {
    labels: Vec<Lanes<W, 0, TOGETHER>>,
    waiting: Positions,
    /// Positions that were reached.
    reached: Vec<u32>,
    is_reached: Positions,
    candidates: Positions,
    targets: Vec<(u32, Lanes<W, 0, TOGETHER>)>,
}

impl<W: Word> Scratch<W> {
    fn new(arcs: &Arcs, targets: usize) -> Self {
        let nodes = arcs.node_count();
        Self {
            labels: vec![Lanes::NONE; nodes],
            waiting: Positions::none(nodes),
            reached: Vec::new(),
            is_reached: Positions::none(nodes),
            candidates: Positions::none(targets),
            targets: Vec::new(),
        }
    }

    /// Forget the search before: only what it touched, because a city has many more nodes than a walkshed.
    fn forget(&mut self) {
        for &position in &self.reached {
            self.labels[position as usize] = Lanes::NONE;
        }
        self.reached.clear();
        self.is_reached.sweep(true, |_, _| ());
    }

    fn seed(&mut self, lane: usize, position: u32, leg_ds: Deciseconds, cutoff_ds: Deciseconds) {
        if self.labels[position as usize].offer(lane, leg_ds, 0, cutoff_ds) {
            self.waiting.insert(position as usize);
            if self.is_reached.insert(position as usize) {
                self.reached.push(position);
            }
        }
    }

    #[expect(
        clippy::inline_always,
        reason = "must be compiled into its caller for the instructions that it may use"
    )]
    #[inline(always)]
    fn spread(&mut self, arcs: &Arcs, progress: &Progress) -> Result<()> {
        let Self { labels, waiting, reached, is_reached, .. } = self;
        let mut upward = true;
        while waiting.sweep(
            upward,
            #[inline(always)]
            |waiting, at| {
                let here = labels[at];
                for hop in arcs.from(at) {
                    let there = hop.to as usize;
                    if labels[there].improve(&here, hop.time_ds) {
                        waiting.insert(there);
                        if is_reached.insert(there) {
                            reached.push(hop.to);
                        }
                    }
                }
            },
        ) {
            progress.check()?;
            upward = !upward;
        }
        Ok(())
    }
}
