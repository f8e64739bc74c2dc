//! Signs that an extract ends too early. The format has no end mark: a download that stops between two blobs is a valid,
//! shorter file. Nodes come before the ways that use them, and ways before relations, so what is lost shows in what is left:
//! nodes without tags that no way leads through, and ways without tags that belong to no relation.

use super::block::{Block, Kind};
use crate::model::problem::Fault;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

/// Elements whose id is a multiple of this are looked at: a sample, because the ids of all would fill the memory.
const ONE_IN: i64 = 8;

/// Fewer elements of the sample without tags than this say nothing.
const LEAST: u64 = 20;

/// Of nodes and of ways without tags, the share that may be used by nothing. Whole extracts of five cities have no such node
/// at all, and up to 15 % such ways.
const MOST_LONELY: [f64; 2] = [0.005, 0.5];

/// What was seen of the sample, in a block or in all of them.
#[derive(Default)]
pub struct Orphans {
    /// Nodes, then ways, that something uses; sorted before they are looked for.
    used: [Vec<i64>; 2],
    pub seen: Seen,
}

/// Elements of the sample without tags, and those of them that nothing uses: nodes, then ways.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    plain: [u64; 2],
    lonely: [u64; 2],
}

/// Whether an element is one of those that are looked at.
pub fn in_sample(id: i64) -> bool {
    id % ONE_IN == 0
}

impl Orphans {
    /// What a block holds, by the users that came before.
    pub fn look(&self, block: &Block) -> Self {
        let mut seen = Self::default();
        let members = block.relations.iter().flat_map(|relation| block.members(relation));
        for member in members.filter(|member| member.kind != Kind::Relation && in_sample(member.id)) {
            seen.used[member.kind as usize].push(member.id);
        }
        for way in &block.ways {
            let refs = block.refs(way).iter().filter(|id| in_sample(**id));
            seen.used[Kind::Node as usize].extend(refs);
            let tagged = block.way_tags(way).next().is_some();
            self.count(&mut seen, Kind::Way, way.id, tagged);
        }
        for node in &block.nodes {
            let tagged = block.node_tags(node).next().is_some();
            self.count(&mut seen, Kind::Node, node.id, tagged);
        }
        seen
    }

    fn count(&self, seen: &mut Self, kind: Kind, id: i64, tagged: bool) {
        if !tagged && in_sample(id) {
            seen.seen.count(kind, self.used[kind as usize].binary_search(&id).is_ok());
        }
    }

    /// Add what was seen in a block.
    pub fn add(&mut self, seen: &Self) {
        for kind in [Kind::Node as usize, Kind::Way as usize] {
            self.used[kind].extend(&seen.used[kind]);
        }
        self.seen.add(seen.seen);
    }

    /// Make ready to look at what is used.
    pub fn sort(&mut self) {
        for used in &mut self.used {
            used.par_sort_unstable();
            used.dedup();
        }
    }
}

impl Seen {
    /// Count an element of the sample without tags.
    pub fn count(&mut self, kind: Kind, used: bool) {
        self.plain[kind as usize] += 1;
        self.lonely[kind as usize] += u64::from(!used);
    }

    /// Add what was seen elsewhere.
    pub fn add(&mut self, other: Self) {
        for kind in [Kind::Node as usize, Kind::Way as usize] {
            self.plain[kind] += other.plain[kind];
            self.lonely[kind] += other.lonely[kind];
        }
    }

    /// What is told when too many nodes, or ways, of the sample are used by nothing.
    pub fn finding(&self) -> Option<Fault> {
        let too_many = |kind: &Kind| {
            let (plain, lonely) = (self.plain[*kind as usize], self.lonely[*kind as usize]);
            plain >= LEAST && lonely as f64 > plain as f64 * MOST_LONELY[*kind as usize]
        };
        let kind = [Kind::Node, Kind::Way].into_iter().find(too_many)?;
        let (lonely, of) = (self.lonely[kind as usize], self.plain[kind as usize]);
        Some(Fault::LooksCut { ways: kind == Kind::Way, lonely, of })
    }
}
