//! Ways and squares of an extract → [`Streets`]: nodes numbered, ways split where nodes are missing.

use super::nodes::NodeTable;
use super::outlines::close_rings;
use super::walking::Tags;
use crate::model::level::Level;
use crate::model::street::{Square, Street, StreetNode, Streets, Walkway, WayKind};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

/// Ways whose nodes are looked up side by side.
const WAYS_AT_ONCE: usize = 1 << 16;

/// A way that people walk, with ids of nodes.
pub struct RawWay {
    pub id: i64,
    pub refs: Vec<i64>,
    pub way: Walkway,
    /// How much higher each of its copies on other floors lies, tenths of a floor.
    pub repeats: Vec<i16>,
    /// Its outline is walked, and what is inside too.
    pub area: bool,
}

/// A multipolygon that people walk on.
pub struct RawArea {
    pub id: i64,
    pub way: Walkway,
    pub outer: Vec<i64>,
    pub inner: Vec<i64>,
}

/// Whether a closed way is an area: as tagged, else as mappers use the kind (OpenStreetMap wiki, "Key:area").
pub fn is_area(kind: WayKind, closed: bool, tags: &Tags<'_>) -> bool {
    closed
        && tags.get("area").map_or(matches!(kind, WayKind::Platform | WayKind::Lift), |value| *value != "no")
}

/// How far a way is repeated on other floors (`repeat_on`), tenths of a floor above its lowest level.
pub fn repeats(tags: &Tags<'_>, levels: &[Level]) -> Vec<i16> {
    let (Some(on), Some(lowest)) = (tags.get("repeat_on"), levels.first()) else { return vec![] };
    let up = Level::parse_list(on).into_iter().map(|level| level.0.saturating_sub(lowest.0));
    up.filter(|&up| up != 0).collect()
}

/// Ids of the nodes that ways and areas need.
pub fn needed(ways: &[RawWay], areas: &[RawArea], member_ways: &HashMap<i64, Vec<i64>>) -> Vec<i64> {
    let members = areas.iter().flat_map(|area| area.outer.iter().chain(&area.inner));
    let of_members = members.filter_map(|id| member_ways.get(id)).flatten();
    ways.iter().flat_map(|way| &way.refs).chain(of_members).copied().collect()
}

/// Builds [`Streets`].
pub struct Numbering<'a> {
    nodes: &'a NodeTable,
    /// Number of each used node, by its position in the table.
    number: Vec<Option<u32>>,
    streets: Streets,
    /// References to nodes that the extract does not hold.
    pub missing_nodes: u64,
    /// Outlines of areas that do not close, or whose nodes are missing.
    pub broken_outlines: u64,
}

impl<'a> Numbering<'a> {
    /// Number the nodes that ways and areas use, by their ids.
    pub fn new(nodes: &'a NodeTable, ids: &[i64]) -> Self {
        let mut used: Vec<usize> = ids.par_iter().filter_map(|&id| nodes.position(id)).collect();
        used.par_sort_unstable();
        used.dedup();
        let (mut streets, mut number) = (Streets::default(), vec![None; nodes.id.len()]);
        for (at, &position) in (0..).zip(&used) {
            number[position] = Some(at);
            let mark = nodes.mark(position);
            streets.nodes.push(StreetNode {
                id: nodes.id[position],
                place: nodes.place_at(position).expect("only placed nodes are used"),
                ele_m: nodes.ele_m(position),
                barrier: mark.barrier,
                lift: mark.lift,
            });
        }
        let levels = nodes.lift_levels().filter_map(|(at, levels)| Some((number[at]?, levels.clone())));
        streets.lift_levels = levels.collect();
        Self { nodes, number, streets, missing_nodes: 0, broken_outlines: 0 }
    }

    /// Add ways, split where the extract lacks a node.
    pub fn add_ways(&mut self, ways: &[RawWay]) {
        for ways in ways.chunks(WAYS_AT_ONCE) {
            let refs: Vec<Vec<Option<u32>>> = ways.par_iter().map(|way| self.numbers(&way.refs)).collect();
            for (way, refs) in ways.iter().zip(refs) {
                self.add_way(way, &refs);
            }
        }
    }

    /// The number of each node, none where the extract lacks it.
    fn numbers(&self, ids: &[i64]) -> Vec<Option<u32>> {
        ids.iter().map(|&id| self.nodes.position(id).and_then(|position| self.number[position])).collect()
    }

    /// Add a way once for every floor that it is repeated on.
    fn add_way(&mut self, raw: &RawWay, refs: &[Option<u32>]) {
        let missing = refs.iter().filter(|node| node.is_none()).count() as u64;
        self.missing_nodes += missing;
        for way in copies(raw) {
            if raw.area && missing == 0 && refs.len() > 3 {
                let ring = self.push(&refs[1..]);
                self.streets.squares.push(Square { id: raw.id, rings: vec![ring], way: way.clone() });
            }
            // A lift drawn as an area is a cabin, not a walk round it.
            if raw.area && way.kind == WayKind::Lift {
                continue;
            }
            for run in refs.split(Option::is_none).filter(|run| run.len() > 1) {
                let nodes = self.push(run);
                self.streets.ways.push(Street { id: raw.id, nodes, way: way.clone() });
            }
        }
    }

    fn push(&mut self, refs: &[Option<u32>]) -> Range<usize> {
        let start = self.streets.refs.len();
        self.streets.refs.extend(refs.iter().flatten());
        start..self.streets.refs.len()
    }

    /// Add a multipolygon: its outlines as ways, unless they are ways of their own, and the square.
    pub fn add_area(&mut self, raw: &RawArea, member_ways: &HashMap<i64, Vec<i64>>, own_ways: &HashSet<i64>) {
        let pieces = |members: &[i64]| -> Vec<Vec<i64>> {
            members.iter().filter_map(|id| member_ways.get(id).cloned()).collect()
        };
        let (outer, outer_left) = close_rings(pieces(&raw.outer));
        let (inner, inner_left) = close_rings(pieces(&raw.inner));
        let placed = |ring: &Vec<i64>| ring.iter().all(|&id| self.nodes.position(id).is_some());
        if outer.is_empty() || outer_left + inner_left > 0 || !outer.iter().chain(&inner).all(placed) {
            self.broken_outlines += 1;
        } else {
            let rings = outer.iter().chain(&inner).map(|ring| self.push(&self.numbers(&ring[1..]))).collect();
            self.streets.squares.push(Square { id: raw.id, rings, way: raw.way.clone() });
        }
        if raw.way.kind == WayKind::Lift {
            return;
        }
        for (member, refs) in
            raw.outer.iter().chain(&raw.inner).filter_map(|id| Some((id, member_ways.get(id)?)))
        {
            if !own_ways.contains(member) {
                let (way, refs) = (raw.way.clone(), refs.clone());
                let numbers = self.numbers(&refs);
                self.add_way(&RawWay { id: *member, refs, way, repeats: vec![], area: false }, &numbers);
            }
        }
    }

    /// Add a wall; pieces whose nodes the extract lacks are left out.
    pub fn add_wall(&mut self, refs: &[i64]) {
        let ends =
            refs.windows(2).filter_map(|pair| Some([self.nodes.place(pair[0])?, self.nodes.place(pair[1])?]));
        self.streets.walls.extend(ends);
    }

    /// What was built.
    pub fn finish(self) -> Streets {
        self.streets
    }
}

/// The way itself and its copies on the floors that repeat it.
fn copies(raw: &RawWay) -> Vec<Walkway> {
    let on_floor = |up: i16| {
        let levels: Vec<Level> = raw.way.levels.iter().filter_map(|level| level.shifted(up)).collect();
        let on_ground = raw.way.on_ground && levels.iter().all(|level| *level == Level::GROUND);
        let joinable = levels.contains(&Level::GROUND) && raw.way.joinable;
        Walkway { levels, on_ground, joinable, ..raw.way.clone() }
    };
    std::iter::once(raw.way.clone()).chain(raw.repeats.iter().map(|&up| on_floor(up))).collect()
}
