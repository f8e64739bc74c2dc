//! Ways and squares of an extract → [`Streets`]: nodes numbered, ways split where nodes are missing.

use super::nodes::NodeTable;
use super::outlines::close_rings;
use super::walking::Tags;
use crate::model::level::Level;
use crate::model::street::{Square, Street, StreetNode, Streets, Walkway, WayKind};
use std::collections::{BTreeMap, HashMap, HashSet};

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
    number: HashMap<usize, u32>,
    streets: Streets,
    /// References to nodes that the extract does not hold.
    pub missing_nodes: u64,
    /// Outlines of areas that do not close, or whose nodes are missing.
    pub broken_outlines: u64,
}

impl<'a> Numbering<'a> {
    /// Number the nodes that ways and areas use.
    pub fn new(nodes: &'a NodeTable, ids: &[i64]) -> Self {
        let mut used: Vec<usize> = ids.iter().filter_map(|&id| nodes.position(id)).collect();
        used.sort_unstable();
        used.dedup();
        let mut streets = Streets::default();
        for &position in &used {
            let mark = nodes.mark(position);
            streets.nodes.push(StreetNode {
                id: nodes.id[position],
                place: nodes.place_at(position).expect("only placed nodes are used"),
                ele_m: nodes.ele_m(position),
                barrier: mark.barrier,
                lift: mark.lift,
            });
        }
        let number: HashMap<usize, u32> = used.into_iter().zip(0..).collect();
        let levels = number.iter().filter_map(|(&at, &node)| Some((node, nodes.lift_levels(at)?.clone())));
        streets.lift_levels = levels.collect::<BTreeMap<_, _>>();
        Self { nodes, number, streets, missing_nodes: 0, broken_outlines: 0 }
    }

    /// Add a way, split where the extract lacks a node, once for every floor that it is repeated on.
    pub fn add_way(&mut self, raw: &RawWay) {
        let positions: Vec<Option<usize>> = raw.refs.iter().map(|&id| self.nodes.position(id)).collect();
        let missing = positions.iter().filter(|position| position.is_none()).count() as u64;
        self.missing_nodes += missing;
        for way in copies(raw) {
            if raw.area && missing == 0 && raw.refs.len() > 3 {
                let ring = self.numbers(&raw.refs[1..]);
                self.streets.squares.push(Square { id: raw.id, rings: vec![ring], way: way.clone() });
            }
            // A lift drawn as an area is a cabin, not a walk round it.
            if raw.area && way.kind == WayKind::Lift {
                continue;
            }
            for run in positions.split(Option::is_none).filter(|run| run.len() > 1) {
                let start = self.streets.refs.len();
                self.streets.refs.extend(run.iter().flatten().map(|position| self.number[position]));
                let nodes = start..self.streets.refs.len();
                self.streets.ways.push(Street { id: raw.id, nodes, way: way.clone() });
            }
        }
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
            let rings = outer.iter().chain(&inner).map(|ring| self.numbers(&ring[1..])).collect();
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
                self.add_way(&RawWay { id: *member, refs, way, repeats: vec![], area: false });
            }
        }
    }

    /// Add a wall; pieces whose nodes the extract lacks are left out.
    pub fn add_wall(&mut self, refs: &[i64]) {
        let ends =
            refs.windows(2).filter_map(|pair| Some([self.nodes.place(pair[0])?, self.nodes.place(pair[1])?]));
        self.streets.walls.extend(ends);
    }

    fn numbers(&mut self, refs: &[i64]) -> std::ops::Range<usize> {
        let start = self.streets.refs.len();
        let numbers =
            refs.iter().filter_map(|&id| self.nodes.position(id)).map(|position| self.number[&position]);
        self.streets.refs.extend(numbers);
        start..self.streets.refs.len()
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
