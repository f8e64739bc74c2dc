//! What a part of the streets knows of a city: the street nodes of which everything is there that the whole would have.

use super::build::{Builder, STATION_M, is_walked};
use super::components::Beyond;
use crate::model::finder::cells_at;
use crate::model::place::Place;
use crate::model::region::{self, Region};
use crate::model::street::{Square, Streets, WayKind};
use h3o::CellIndex;
use std::collections::{BTreeMap, BTreeSet};

/// Street nodes of a part, and what must be seen too before all is known of them.
///
/// A node is known when all that touches it is there, and so is all that says where ways are cut at it and which of them meet.
pub struct Known<'a> {
    streets: &'a Streets,
    seen: &'a Region,
    /// The block of each street node.
    pub block: Vec<CellIndex>,
    /// Blocks that are lacking, by street node; nothing at a node that is known.
    lacks: BTreeMap<u32, BTreeSet<CellIndex>>,
}

impl<'a> Known<'a> {
    /// Look at the part that lies in a region: everything that touches it, whole.
    pub fn new(streets: &'a Streets, seen: &'a Region) -> Self {
        let places: Vec<Place> = streets.nodes.iter().map(|node| node.place).collect();
        let block = cells_at(&places, seen.resolution());
        let mut known = Self { streets, seen, block, lacks: BTreeMap::new() };
        known.look_at_blocks();
        let (lifts, squares): (Vec<&Square>, Vec<&Square>) =
            streets.squares.iter().partition(|square| square.way.kind == WayKind::Lift);
        // What can be crossed straight hangs on where other ways come to any corner; the floor at one end of stairs on those
        // at the other.
        let stairs = streets.ways.iter().filter(|way| way.way.levels.len() > 1);
        let ends = stairs.map(|way| vec![streets.refs[way.nodes.start], streets.refs[way.nodes.end - 1]]);
        known.tie(ends.chain(squares.into_iter().map(|square| corners(streets, square))));
        // The doors of a lift's outline are what the ways that come to its corners say.
        known.tie(lifts.into_iter().map(|square| corners(streets, square)));
        known.tie(known.stations().into_iter());
        known
    }

    /// What must be seen too before all is known of a street node.
    pub fn lacking(&self, node: u32) -> impl Iterator<Item = CellIndex> + '_ {
        self.lacks.get(&node).into_iter().flatten().copied()
    }

    /// Whether all is known of a street node.
    pub fn has(&self, node: u32) -> bool {
        !self.lacks.contains_key(&node)
    }

    /// The street nodes of which not all is known.
    pub fn unknown(&self) -> impl Iterator<Item = u32> + '_ {
        self.lacks.keys().copied()
    }

    /// The blocks within so many metres of a block that are not seen.
    pub fn unseen_around(&self, block: CellIndex, within_m: f64) -> impl Iterator<Item = CellIndex> + '_ {
        let rings = region::rings(within_m, self.seen.resolution());
        block.grid_disk::<Vec<_>>(rings).into_iter().filter(|&cell| !self.seen.has(cell))
    }

    /// What is not known of the edges that were drawn from the part. Somewhere there is a piece that is no island.
    pub fn beyond(&self, builder: &Builder<'_>) -> Beyond {
        let is_unsure = |edge: &u32| under(builder, *edge).any(|node| !self.has(node));
        let edges = (0..builder.edges.from.len() as u32).filter(is_unsure).collect();
        Beyond { longest_m: f64::INFINITY, edges, nodes: BTreeSet::new() }
    }

    /// All that touches a node of a block is there when the block is seen; whether a station beside the streets is joined to
    /// the node, when the blocks around are.
    fn look_at_blocks(&mut self) {
        let blocks: BTreeSet<CellIndex> = self.block.iter().copied().collect();
        let around = |block| (block, self.unseen_around(block, STATION_M).collect::<BTreeSet<_>>());
        let unseen: BTreeMap<CellIndex, BTreeSet<CellIndex>> = blocks.into_iter().map(around).collect();
        let lacks = (0..).zip(&self.block).map(|(node, block)| (node, unseen[block].clone()));
        self.lacks = lacks.filter(|(_, lacking)| !lacking.is_empty()).collect();
    }

    /// What one of a group lacks, all of it do. Of every group it counts what its nodes lacked before.
    fn tie(&mut self, groups: impl Iterator<Item = Vec<u32>>) {
        let lacking = |group: &Vec<u32>| -> BTreeSet<CellIndex> {
            group.iter().flat_map(|&node| self.lacking(node)).collect()
        };
        let tied: Vec<_> = groups.map(|group| (lacking(&group), group)).collect();
        for (lacking, group) in tied.into_iter().filter(|(lacking, _)| !lacking.is_empty()) {
            for node in group {
                self.lacks.entry(node).or_default().extend(&lacking);
            }
        }
    }

    /// Every node of a cableway or ferry with the street nodes that it may be joined to.
    fn stations(&self) -> Vec<Vec<u32>> {
        let streets = self.streets;
        let rides = streets.ways.iter().filter(|way| !is_walked(way.way.kind));
        let stations: BTreeSet<u32> =
            rides.flat_map(|way| &streets.refs[way.nodes.clone()]).copied().collect();
        if stations.is_empty() {
            return vec![];
        }
        let mut in_block: BTreeMap<CellIndex, Vec<u32>> = BTreeMap::new();
        for (node, &block) in (0..).zip(&self.block) {
            in_block.entry(block).or_default().push(node);
        }
        let rings = region::rings(STATION_M, self.seen.resolution());
        let beside = |station: u32| {
            let place = streets.nodes[station as usize].place;
            let is_near = |&node: &u32| streets.nodes[node as usize].place.distance_m(place) <= STATION_M;
            let blocks = self.block[station as usize].grid_disk::<Vec<_>>(rings);
            let nodes = blocks.iter().filter_map(|block| in_block.get(block)).flatten().copied();
            nodes.filter(is_near).collect()
        };
        stations.into_iter().map(beside).collect()
    }
}

/// The street nodes that an edge hangs on.
pub fn under<'b>(builder: &'b Builder<'_>, edge: u32) -> impl Iterator<Item = u32> + 'b {
    let edge = edge as usize;
    let ends = [builder.edges.from[edge], builder.edges.to[edge]];
    let along = builder.along.get(edge).map(|along| &builder.streets.refs[along.clone()]);
    let ends = along.is_none().then(|| ends.map(|node| builder.street_node[node as usize]));
    along.into_iter().flatten().copied().chain(ends.into_iter().flatten())
}

fn corners(streets: &Streets, square: &Square) -> Vec<u32> {
    square.rings.iter().flat_map(|ring| &streets.refs[ring.clone()]).copied().collect()
}
