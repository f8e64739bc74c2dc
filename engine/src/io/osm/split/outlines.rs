//! The third step: outlines that do not close, or whose nodes are missing, counted as the reader counts them. No coordinates
//! are needed: of rings that close and whose nodes are there a place inside is always found.

use super::elements::{Elements, FEATURE, OUTLINE, STREET, id_of};
use super::places::Places;
use super::record;
use crate::io::osm::outlines::close_rings;
use crate::io::osm::write::{MemberKind, Relation};
use crate::io::sorted::Sorted;
use crate::io::spool::Spool;
use crate::model::error::Result;
use crate::model::progress::Progress;
use std::collections::{HashMap, HashSet};

/// Count them.
pub fn broken_outlines(
    elements: &Elements,
    places: &Places,
    spool: &Spool,
    progress: &Progress,
) -> Result<u64> {
    progress.begin("splitting streets: outlines", 0)?;
    let mut missing = spool.read("missing", &places.missing)?;
    let mut parts = spool.read("parts", &elements.parts)?;
    let mut broken = 0;
    let mut relations = spool.read("relations", &elements.relation_log)?;
    while let Some(([number, flags], bytes)) = relations.next()? {
        progress.step(1)?;
        let relation = record::relation(bytes).map_err(|_| spool.damaged("relations"))?;
        let mut ways = HashMap::new();
        parts.skip_to(number)?;
        while let Some((_, way)) = parts.next_of(number)? {
            ways.extend([record::refs(way).map_err(|_| spool.damaged("parts"))?]);
        }
        broken += broken_by_relation(&relation, flags as u8, &ways, &missing_of(number, &mut missing)?);
    }
    let mut ways = spool.read("ways", &elements.way_log)?;
    while let Some(([number, flags], bytes)) = ways.next()? {
        progress.step(1)?;
        if flags as u8 & FEATURE != 0 {
            let (_, refs) = record::refs(bytes).map_err(|_| spool.damaged("ways"))?;
            broken += broken_by_way(refs, &missing_of(number, &mut missing)?);
        }
    }
    Ok(broken)
}

fn missing_of(number: u64, missing: &mut Sorted) -> Result<HashSet<i64>> {
    let mut ids = HashSet::new();
    missing.skip_to(number)?;
    while let Some(([_, node], _)) = missing.next_of(number)? {
        ids.insert(id_of(node));
    }
    Ok(ids)
}

/// As [`crate::io::osm::streets::Numbering::add_area`] and [`crate::io::osm::features::Placing`] count.
fn broken_by_relation(
    relation: &Relation,
    flags: u8,
    ways: &HashMap<i64, Vec<i64>>,
    missing: &HashSet<i64>,
) -> u64 {
    debug_assert!(flags & OUTLINE != 0);
    let pieces = |wants_inner: bool| {
        let members = relation
            .members
            .iter()
            .filter(|member| member.kind == MemberKind::Way && (member.role == "inner") == wants_inner);
        close_rings(members.filter_map(|member| ways.get(&member.id).cloned()).collect())
    };
    let ((outer, outer_left), (inner, inner_left)) = (pieces(false), pieces(true));
    let left_over = outer_left + inner_left > 0;
    let placed = outer.iter().chain(&inner).flatten().all(|id| !missing.contains(id));
    let area = flags & STREET != 0 && (outer.is_empty() || left_over || !placed);
    let feature = if flags & FEATURE != 0 {
        u64::from(!outer.is_empty() && left_over) + u64::from(outer.is_empty() || !placed)
    } else {
        0
    };
    u64::from(area) + feature
}

/// A line is where its middle node is; an outline needs all of its nodes.
fn broken_by_way(refs: Vec<i64>, missing: &HashSet<i64>) -> u64 {
    if refs.first() != refs.last() {
        return u64::from(missing.contains(&refs[refs.len() / 2]));
    }
    let (rings, left_over) = close_rings(vec![refs]);
    let placed = rings.iter().flatten().all(|id| !missing.contains(id));
    u64::from(!rings.is_empty() && left_over > 0) + u64::from(rings.is_empty() || !placed)
}
