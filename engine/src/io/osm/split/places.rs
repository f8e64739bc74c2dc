//! The second step: where the nodes of elements lie, in which blocks elements lie by them, and where streets meet facilities.

use super::elements::{COUNTED, Elements, FACILITY, NAMED_ONLY, OUTLINE, STREET, id_of, rank};
use super::record;
use crate::io::osm::block::{Block, Kind};
use crate::io::osm::orphans::{Seen, in_sample};
use crate::io::osm::pbf::Pbf;
use crate::io::osm::walking::Tags;
use crate::io::osm::{LeftOut, Reading, Wanted};
use crate::io::sorted::{Runs, Sorted, Sorter};
use crate::io::spool::Spool;
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::catalogue::Drawn;
use crate::model::cell;
use crate::model::error::Result;
use crate::model::finder::cells_at;
use crate::model::place::Place;
use crate::model::progress::Progress;
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// What [`places`] leaves.
#[derive(Debug, Serialize, Deserialize)]
pub struct Places {
    /// Nodes that elements use, and those that are facilities: id, whether it is a facility, record.
    pub nodes: Runs,
    /// Blocks of elements: number, block.
    pub blocks: Runs,
    /// Facilities and streets that share a node: number, number.
    pub meetings: Runs,
    /// Nodes of outlines that are missing: number of the element, id.
    pub missing: Runs,
    /// Blocks that hold anything that is wanted, and how many nodes of streets: block, how many.
    pub counts: Runs,
    /// All nodes of streets.
    pub street_nodes: u64,
    /// References to missing nodes that are counted as such, and what else nodes add to what is left out.
    pub left_out: LeftOut,
    pub seen: Seen,
}

/// Blocks of an analysis.
#[derive(Debug, Clone, Copy)]
pub struct Grid {
    pub resolution: Resolution,
    pub system: AnalysisCrs,
}

impl Grid {
    /// The block of a place of WGS-84.
    pub fn block(self, place: Place) -> CellIndex {
        cell::at(self.system.moved(place), self.resolution)
    }
}

/// Look at nodes.
pub fn places(
    pbf: &Pbf,
    wanted: Wanted<'_>,
    elements: &Elements,
    grid: Grid,
    spool: &Spool,
    progress: &Progress,
) -> Result<Places> {
    let reading = Reading::new(wanted);
    let spots = elements.spots.as_ref().map(|spots| spool.read("spots", spots)).transpose()?;
    let mut placing = Placing {
        users: spool.read("users", &elements.users)?,
        spots,
        grid,
        nodes: spool.sorter("nodes")?,
        blocks: spool.sorter("blocks")?.unique(),
        meetings: spool.sorter("meetings")?.unique(),
        missing: spool.sorter("missing")?.unique(),
        counts: BTreeMap::new(),
        left_out: LeftOut::default(),
        seen: Seen::default(),
        progress,
    };
    progress.begin("splitting streets: nodes", pbf.blobs())?;
    let look = |block: &Block| look_at_nodes(&reading, block);
    pbf.stream(Kind::Node, progress, look, |nodes| placing.add(&nodes))?;
    placing.finish(spool)
}

/// A node as a look at its block has it.
struct SeenNode {
    id: i64,
    /// None where its coordinates are none.
    place: Option<Place>,
    tagged: bool,
    facility: bool,
    /// A lift that nobody may use.
    refused_lift: bool,
    tags: Vec<u8>,
}

fn look_at_nodes(reading: &Reading<'_>, block: &Block) -> Vec<SeenNode> {
    let look = |node| {
        let tags: Tags<'_> = block.node_tags(node).collect();
        let mut left_out = LeftOut::default();
        reading.mark(&tags, &mut left_out);
        let feature = reading.feature((Kind::Node, node.id), &tags, Drawn::Point);
        SeenNode {
            id: node.id,
            place: Place::new(node.lon, node.lat),
            tagged: !tags.is_empty(),
            facility: feature.is_some_and(|feature| !feature.classes.is_empty()),
            refused_lift: left_out.lift_nodes > 0,
            tags: record::of_node(block, node),
        }
    };
    block.nodes.iter().map(look).collect()
}

/// A node with its place and those who use it.
struct Placed<'a> {
    id: i64,
    place: Place,
    facility: bool,
    tags: &'a [u8],
    users: Vec<User>,
}

/// An element that uses a node: its number and flags.
type User = (u64, u8);

struct Placing<'a> {
    users: Sorted,
    spots: Option<Sorted>,
    grid: Grid,
    nodes: Sorter,
    blocks: Sorter,
    meetings: Sorter,
    missing: Sorter,
    counts: BTreeMap<CellIndex, u64>,
    left_out: LeftOut,
    seen: Seen,
    progress: &'a Progress,
}

/// Nodes that no block of nodes holds, between two looks at the progress.
const ABSENT_AT_ONCE: usize = 1 << 14;

impl Placing<'_> {
    /// Add the nodes of a block, and those before them that only ways know.
    fn add(&mut self, nodes: &[SeenNode]) -> Result<()> {
        let mut placed = Vec::new();
        for node in nodes {
            self.absent_before(Some(rank(node.id)), &mut placed)?;
            let (named, users) = self.users_of(node.id)?;
            self.look(node, named, users, &mut placed)?;
        }
        self.lay(placed)
    }

    /// Nodes that are used and not there, up to one that is; to the last without one.
    fn absent_before(&mut self, until: Option<u64>, placed: &mut Vec<Placed<'_>>) -> Result<()> {
        while let Some([next, _]) = self.users.key().filter(|key| until.is_none_or(|until| key[0] < until)) {
            let id = id_of(next);
            let (_, users) = self.users_of(id)?;
            if !users.is_empty() {
                self.take_from_ways(id, users, placed)?;
            }
            if placed.len() >= ABSENT_AT_ONCE {
                self.lay(std::mem::take(placed))?;
            }
        }
        Ok(())
    }

    /// Whether anything names a node, and who uses it.
    fn users_of(&mut self, id: i64) -> Result<(bool, Vec<User>)> {
        let (mut named, mut users) = (false, Vec::new());
        while let Some((key, flags)) = self.users.next_of(rank(id))? {
            named = true;
            if key[1] != NAMED_ONLY {
                users.extend(flags.first().map(|&flags| (key[1], flags)));
            }
        }
        Ok((named, users))
    }

    /// As the reader takes a node of the file.
    fn look<'n>(
        &mut self,
        node: &'n SeenNode,
        named: bool,
        users: Vec<User>,
        placed: &mut Vec<Placed<'n>>,
    ) -> Result<()> {
        if !node.tagged && in_sample(node.id) {
            self.seen.count(Kind::Node, named);
        }
        let needed = !users.is_empty();
        if !needed && !node.tagged {
            return Ok(());
        }
        let Some(place) = node.place else {
            self.left_out.misplaced_nodes += 1;
            return if needed { self.take_from_ways(node.id, users, placed) } else { Ok(()) };
        };
        self.left_out.lift_nodes += u64::from(needed && node.refused_lift);
        if needed || node.facility {
            placed.push(Placed { id: node.id, place, facility: node.facility, tags: &node.tags, users });
        }
        Ok(())
    }

    /// A used node that the file does not hold lies where the first way says that gives it a place.
    fn take_from_ways(&mut self, id: i64, users: Vec<User>, placed: &mut Vec<Placed<'_>>) -> Result<()> {
        let mut place = None;
        if let Some(spots) = &mut self.spots {
            spots.skip_to(rank(id))?;
            while let Some((_, degrees)) = spots.next_of(rank(id))? {
                let found = spot(degrees);
                self.left_out.misplaced_nodes += u64::from(found.is_none());
                place = place.or(found);
            }
        }
        if let Some(place) = place {
            placed.push(Placed { id, place, facility: false, tags: &[], users });
            return Ok(());
        }
        for (number, flags) in users {
            self.left_out.missing_nodes += u64::from(flags & COUNTED != 0);
            if flags & OUTLINE != 0 {
                self.missing.push([number, rank(id)], &[], self.progress)?;
            }
        }
        Ok(())
    }

    /// Write where nodes lie, and what follows for those who use them.
    fn lay(&mut self, placed: Vec<Placed<'_>>) -> Result<()> {
        let grid = self.grid;
        let moved: Vec<Place> = placed.par_iter().map(|node| grid.system.moved(node.place)).collect();
        let blocks = cells_at(&moved, grid.resolution);
        for (node, block) in placed.into_iter().zip(blocks) {
            let (key, record) =
                ([rank(node.id), u64::from(node.facility)], record::of_place(node.place, node.tags));
            self.nodes.push(key, &record, self.progress)?;
            let needed = !node.users.is_empty();
            self.left_out.nodes_at_zero +=
                u64::from(needed && node.place.lon() == 0.0 && node.place.lat() == 0.0);
            let of_street = node.users.iter().any(|(_, flags)| flags & STREET != 0);
            *self.counts.entry(block).or_default() += u64::from(of_street);
            for &(number, _) in &node.users {
                self.blocks.push([number, block.into()], &[], self.progress)?;
            }
            self.meet(&node.users)?;
        }
        Ok(())
    }

    /// Streets at a node of a facility: its doors may be there.
    fn meet(&mut self, users: &[User]) -> Result<()> {
        let with = |flag: u8| users.iter().filter(move |(_, flags)| flags & flag != 0);
        for (facility, _) in with(FACILITY) {
            for (street, _) in with(STREET).filter(|(street, _)| street != facility) {
                self.meetings.push([*facility, *street], &[], self.progress)?;
            }
        }
        Ok(())
    }

    fn finish(mut self, spool: &Spool) -> Result<Places> {
        let mut placed = Vec::new();
        self.absent_before(None, &mut placed)?;
        self.lay(placed)?;
        let mut counts = spool.sorter("counts")?;
        let street_nodes = self.counts.values().sum();
        for (block, count) in self.counts {
            counts.push([block.into(), count], &[], self.progress)?;
        }
        Ok(Places {
            nodes: self.nodes.finish(self.progress)?,
            blocks: self.blocks.finish(self.progress)?,
            meetings: self.meetings.finish(self.progress)?,
            missing: self.missing.finish(self.progress)?,
            counts: counts.finish(self.progress)?,
            street_nodes,
            left_out: self.left_out,
            seen: self.seen,
        })
    }
}

/// The place that a way gives a node, if it is one.
fn spot(degrees: &[u8]) -> Option<Place> {
    let (lon, lat) = degrees.split_first_chunk::<8>()?;
    let lat = lat.first_chunk::<8>()?;
    Place::new(f64::from_bits(u64::from_le_bytes(*lon)), f64::from_bits(u64::from_le_bytes(*lat)))
}
