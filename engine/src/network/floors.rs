//! Floors: where ways of different levels share a node without meeting.

use crate::model::level::Level;
use crate::model::street::{Street, Streets};
use std::collections::{BTreeMap, BTreeSet};

/// Which ways meet at the nodes that ways of several floors share.
#[derive(Debug, Default)]
pub struct Floors {
    /// Floors at the first and the last node of ways that join floors, by way.
    ends: BTreeMap<usize, [Vec<Level>; 2]>,
    /// Groups of floors that meet, at nodes where not all do.
    apart: BTreeMap<u32, Vec<BTreeSet<Level>>>,
}

impl Floors {
    /// Look at all ways.
    pub fn new(streets: &Streets) -> Self {
        let mut singles: BTreeMap<u32, BTreeSet<Level>> = BTreeMap::new();
        for (way, node) in touches(streets) {
            if let Some(level) = way.way.level().filter(|_| !way.way.kind.changes_floor()) {
                singles.entry(node).or_default().insert(level);
            }
        }
        let mut floors = Self::default();
        for (at, way) in streets.ways.iter().enumerate() {
            if way.way.levels.len() > 1 {
                floors.ends.insert(at, vertical_ends(streets, way, &singles));
            } else if way.way.kind.changes_floor() {
                floors.ends.insert(at, ends_of(streets, way).map(|node| whatever_is_there(node, &singles)));
            }
        }
        floors.keep_apart(streets, &singles);
        floors
    }

    /// The floors that a way is on at one of its nodes; none where unknown.
    pub fn of<'a>(&'a self, streets: &'a Streets, way: usize, position: usize) -> &'a [Level] {
        let last = streets.ways[way].nodes.len() - 1;
        match (self.ends.get(&way), position) {
            (Some([start, _]), 0) => start,
            (Some([_, end]), position) if position == last => end,
            _ => &streets.ways[way].way.levels,
        }
    }

    /// The number of the group that a way on these floors belongs to at a node; ways meet within a group only. A way
    /// that does not say its floor is on the street where others are, else it meets the first.
    pub fn group(&self, node: u32, levels: &[Level]) -> usize {
        let Some(groups) = self.apart.get(&node) else { return 0 };
        let levels = if levels.is_empty() { &[Level::GROUND] } else { levels };
        groups.iter().position(|group| levels.iter().any(|level| group.contains(level))).unwrap_or(0)
    }

    /// Find the nodes at which ways of different floors only seem to meet.
    fn keep_apart(&mut self, streets: &Streets, singles: &BTreeMap<u32, BTreeSet<Level>>) {
        let many: BTreeMap<u32, BTreeSet<Level>> = singles
            .iter()
            .filter(|(_, levels)| levels.len() > 1)
            .map(|(&node, levels)| (node, levels.clone()))
            .collect();
        let mut joins: BTreeMap<u32, Vec<BTreeSet<Level>>> = BTreeMap::new();
        for at in 0..streets.ways.len() {
            let refs = &streets.refs[streets.ways[at].nodes.clone()];
            for (position, node) in refs.iter().enumerate().filter(|(_, node)| many.contains_key(node)) {
                joins
                    .entry(*node)
                    .or_default()
                    .push(self.of(streets, at, position).iter().copied().collect());
            }
        }
        for (node, touching) in joins {
            let groups = united(touching);
            if groups.len() > 1 {
                self.apart.insert(node, groups);
            }
        }
    }
}

fn touches(streets: &Streets) -> impl Iterator<Item = (&Street, u32)> {
    streets.ways.iter().flat_map(|way| streets.refs[way.nodes.clone()].iter().map(move |&node| (way, node)))
}

fn ends_of(streets: &Streets, way: &Street) -> [u32; 2] {
    [streets.refs[way.nodes.start], streets.refs[way.nodes.end - 1]]
}

/// Stairs that do not say which floors they join are on every floor that they touch.
fn whatever_is_there(node: u32, singles: &BTreeMap<u32, BTreeSet<Level>>) -> Vec<Level> {
    singles.get(&node).map_or(vec![], |levels| levels.iter().copied().collect())
}

/// Sets of floors, united where they share one; in the order of their lowest floor.
fn united(sets: Vec<BTreeSet<Level>>) -> Vec<BTreeSet<Level>> {
    let mut groups: Vec<BTreeSet<Level>> = vec![];
    for mut set in sets.into_iter().filter(|set| !set.is_empty()) {
        groups.retain(|group| {
            let meets = !group.is_disjoint(&set);
            if meets {
                set.extend(group);
            }
            !meets
        });
        groups.push(set);
    }
    groups.sort_by_key(|group| group.first().copied());
    groups
}

/// The floors at the two ends of stairs, ramps and the like: by the way's steepness, else by the floors that other ways
/// have there, else by the other end; else all of them.
fn vertical_ends(
    streets: &Streets,
    way: &Street,
    singles: &BTreeMap<u32, BTreeSet<Level>>,
) -> [Vec<Level>; 2] {
    let levels = &way.way.levels;
    let (low, high) = (levels[0], levels[levels.len() - 1]);
    match way.way.incline.climbs() {
        Some(true) => return [vec![low], vec![high]],
        Some(false) => return [vec![high], vec![low]],
        None => {}
    }
    let beside = |node: u32| -> Option<Level> {
        let there = singles.get(&node)?;
        let mut shared = levels.iter().filter(|level| there.contains(level));
        shared.next().filter(|_| shared.next().is_none()).copied()
    };
    let other = |end: Level| (end == low).then_some(high).or((end == high).then_some(low));
    let [start, end] = ends_of(streets, way).map(beside);
    let all = |end: Option<Level>| end.map_or_else(|| levels.clone(), |level| vec![level]);
    [all(start.or(end.and_then(other))), all(end.or(start.and_then(other)))]
}
