//! Signs that an extract ends too early. The format has no end mark: a download that stops between two blobs is a valid,
//! shorter file. Nodes come before the ways that use them, and ways before relations, so what is lost shows in what is left:
//! nodes without tags that no way leads through, and ways without tags that belong to no relation.

use super::block::{Block, Kind, Node, Way};
use crate::model::problem::Fault;
use std::collections::HashSet;

/// Elements whose id is a multiple of this are looked at: a sample, because the ids of all would fill the memory.
const ONE_IN: i64 = 8;

/// Fewer elements of the sample without tags than this say nothing.
const LEAST: u64 = 20;

/// Of nodes and of ways without tags, the share that may be used by nothing. Whole extracts of five cities have no such node
/// at all, and up to 15 % such ways.
const MOST_LONELY: [f64; 2] = [0.005, 0.5];

/// What was seen of the sample.
#[derive(Default)]
pub struct Orphans {
    used: [HashSet<i64>; 2],
    /// Elements without tags, and those of them that nothing uses: nodes, then ways.
    plain: [u64; 2],
    lonely: [u64; 2],
}

fn in_sample(id: i64) -> bool {
    id % ONE_IN == 0
}

impl Orphans {
    pub fn relations(&mut self, block: &Block) {
        for member in block.relations.iter().flat_map(|relation| block.members(relation)) {
            if member.kind != Kind::Relation && in_sample(member.id) {
                self.used[member.kind as usize].insert(member.id);
            }
        }
    }

    pub fn way(&mut self, way: &Way, refs: &[i64], tagged: bool) {
        self.used[Kind::Node as usize].extend(refs.iter().filter(|id| in_sample(**id)));
        self.count(Kind::Way, way.id, tagged);
    }

    pub fn node(&mut self, node: &Node, tagged: bool) {
        self.count(Kind::Node, node.id, tagged);
    }

    fn count(&mut self, kind: Kind, id: i64, tagged: bool) {
        if !tagged && in_sample(id) {
            self.plain[kind as usize] += 1;
            self.lonely[kind as usize] += u64::from(!self.used[kind as usize].contains(&id));
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
