//! The first step: which relations and ways the reader would use, and which nodes these name.

use super::record;
use crate::io::osm::block::{Block, Kind, Relation, Way};
use crate::io::osm::orphans::{Seen, in_sample};
use crate::io::osm::pbf::Pbf;
use crate::io::osm::{Found, LeftOut, RawFeature, Reading, Wanted};
use crate::io::sorted::{Runs, Sorted, Sorter};
use crate::io::spool::Spool;
use crate::model::error::Result;
use crate::model::progress::Progress;
use crate::model::street::WayKind;
use serde::{Deserialize, Serialize};

/// People walk on it.
pub const STREET: u8 = 1;
/// It is a facility, whose doors are where streets meet it.
pub const FACILITY: u8 = 2;
/// It is a facility or a home.
pub const FEATURE: u8 = 4;
/// It has an outline that must close: a missing node matters.
pub const OUTLINE: u8 = 8;
/// Missing nodes of it are counted.
pub const COUNTED: u8 = 16;

/// In place of the number of an element: one that is not used names this way or node.
pub const NAMED_ONLY: u64 = u64::MAX;

/// Relations and then ways that are used, numbered in the order of the file, as [`elements`] leaves them.
#[derive(Debug, Serialize, Deserialize)]
pub struct Elements {
    /// How many of the elements are relations: they have the first numbers.
    pub relations: u64,
    /// The relations: number, flags, record.
    pub relation_log: Runs,
    /// The ways: number, flags, record.
    pub way_log: Runs,
    /// Ways of relations: number of the relation, number of the way, record of the way.
    pub parts: Runs,
    /// Nodes of elements: id, number of the element, its flags. A node that a way names twice is here twice.
    pub users: Runs,
    /// Places that ways give their nodes, in the order of the file; none unless the file says that they do.
    pub spots: Option<Runs>,
    /// References of ways that people walk.
    pub references: u64,
    pub left_out: LeftOut,
    pub seen: Seen,
    /// Whether the source says that it is made up.
    pub synthetic: bool,
}

/// Ids as numbers of the same order.
pub const fn rank(id: i64) -> u64 {
    id.cast_unsigned() ^ (1 << 63)
}

/// The id of a rank.
pub const fn id_of(rank: u64) -> i64 {
    (rank ^ (1 << 63)).cast_signed()
}

/// Look at relations and ways.
pub fn elements(pbf: &Pbf, wanted: Wanted<'_>, spool: &Spool, progress: &Progress) -> Result<Elements> {
    let reading = Reading::new(wanted);
    let mut gathering = Gathering::new(pbf, spool, progress)?;
    progress.begin("splitting streets: relations", pbf.blobs())?;
    pbf.stream(
        Kind::Relation,
        progress,
        |block| look_at_relations(&reading, block),
        |(found, left_out)| gathering.add_relations(found, left_out),
    )?;
    let members = gathering.members.finish(progress)?;
    let mut numbering = Numbering {
        relations: gathering.number,
        number: gathering.number,
        members: spool.read("members", &members)?,
        streams: gathering.streams,
    };
    progress.begin("splitting streets: ways", pbf.blobs())?;
    pbf.stream(
        Kind::Way,
        progress,
        |block| look_at_ways(&reading, block),
        |(found, left_out)| numbering.add_ways(found, left_out),
    )?;
    let elements = numbering.finish(pbf.header.synthetic)?;
    spool.remove(&["members"])?;
    Ok(elements)
}

/// What is written while relations and ways go by.
struct Streams<'a> {
    relation_log: Sorter,
    way_log: Sorter,
    parts: Sorter,
    users: Sorter,
    spots: Option<Sorter>,
    spot: u64,
    references: u64,
    left_out: LeftOut,
    seen: Seen,
    progress: &'a Progress,
}

struct Gathering<'a> {
    number: u64,
    /// Ways of relations: id, number of the relation, its flags.
    members: Sorter,
    streams: Streams<'a>,
}

impl<'a> Gathering<'a> {
    fn new(pbf: &Pbf, spool: &Spool, progress: &'a Progress) -> Result<Self> {
        let spots = pbf.header.locations_on_ways.then(|| spool.sorter("spots")).transpose()?;
        let streams = Streams {
            relation_log: spool.sorter("relations")?,
            way_log: spool.sorter("ways")?,
            parts: spool.sorter("parts")?.unique(),
            users: spool.sorter("users")?,
            spots,
            spot: 0,
            references: 0,
            left_out: LeftOut { garbled_texts: pbf.garbled_texts, ..LeftOut::default() },
            seen: Seen::default(),
            progress,
        };
        Ok(Self { number: 0, members: spool.sorter("members")?, streams })
    }

    fn add_relations(&mut self, relations: Vec<SeenRelation>, left_out: LeftOut) -> Result<()> {
        let Self { number, members, streams } = self;
        let progress = streams.progress;
        streams.left_out.add(left_out);
        for relation in relations {
            for id in relation.nodes {
                streams.users.push([rank(id), NAMED_ONLY], &[0], progress)?;
            }
            for id in relation.ways {
                members.push([rank(id), NAMED_ONLY], &[0], progress)?;
            }
            let Some(used) = relation.used else { continue };
            streams.relation_log.push([*number, u64::from(used.flags)], &used.record, progress)?;
            for id in used.ways {
                members.push([rank(id), *number], &[used.flags], progress)?;
            }
            *number += 1;
        }
        Ok(())
    }
}

/// A relation as a look at its block has it.
struct SeenRelation {
    /// Members of the sample.
    nodes: Vec<i64>,
    ways: Vec<i64>,
    used: Option<UsedRelation>,
}

struct UsedRelation {
    flags: u8,
    record: Vec<u8>,
    ways: Vec<i64>,
}

fn look_at_relations(reading: &Reading<'_>, block: &Block) -> (Vec<SeenRelation>, LeftOut) {
    let mut found = Found::default();
    let look = |relation| {
        let members = block.members(relation);
        let sample = |kind: Kind| {
            let named = members.iter().filter(move |member| member.kind == kind && in_sample(member.id));
            named.map(|member| member.id).collect()
        };
        let used = use_of_relation(reading, block, relation, &mut found);
        SeenRelation { nodes: sample(Kind::Node), ways: sample(Kind::Way), used }
    };
    (block.relations.iter().map(look).collect(), found.left_out)
}

fn use_of_relation(
    reading: &Reading<'_>,
    block: &Block,
    relation: &Relation,
    found: &mut Found,
) -> Option<UsedRelation> {
    reading.relation(block, relation, found);
    let (area, feature) = (found.areas.pop(), found.features.pop());
    let ways = found.members.drain(..).map(|(way, _)| way).collect();
    let mut flags = flags_of(feature.as_ref());
    if let Some(area) = area {
        // A lift that is drawn as an area has no outline to walk on.
        let counted = if area.way.kind == WayKind::Lift { 0 } else { COUNTED };
        flags |= STREET | OUTLINE | counted;
    }
    (flags != 0).then(|| UsedRelation { flags, record: record::of_relation(block, relation), ways })
}

fn flags_of(feature: Option<&RawFeature>) -> u8 {
    match feature {
        None => 0,
        Some(feature) if feature.classes.is_empty() => FEATURE | OUTLINE,
        Some(_) => FEATURE | OUTLINE | FACILITY,
    }
}

/// A way as a look at its block has it.
struct SeenWay {
    id: i64,
    /// Used by itself, with these flags; none when it may still be a part of a relation.
    flags: Option<u8>,
    tagged: bool,
    refs: Vec<i64>,
    places: Vec<[f64; 2]>,
    record: Vec<u8>,
}

fn look_at_ways(reading: &Reading<'_>, block: &Block) -> (Vec<SeenWay>, LeftOut) {
    let mut found = Found::default();
    let look = |way: &Way| {
        reading.way(block, way, &mut found);
        let (street, wall) = (found.ways.pop(), found.walls.pop());
        let feature = found.features.pop();
        let used = street.is_some() || wall.is_some() || feature.is_some();
        let street = if street.is_some() { STREET | COUNTED } else { 0 };
        SeenWay {
            id: way.id,
            flags: used.then(|| street | flags_of(feature.as_ref())),
            tagged: block.way_tags(way).next().is_some(),
            refs: block.refs(way).to_vec(),
            places: block.places(way).to_vec(),
            record: record::of_way(block, way),
        }
    };
    (block.ways.iter().map(look).collect(), found.left_out)
}

/// Gives ways their numbers, beside the sorted members of relations.
struct Numbering<'a> {
    relations: u64,
    number: u64,
    members: Sorted,
    streams: Streams<'a>,
}

impl Numbering<'_> {
    fn add_ways(&mut self, ways: Vec<SeenWay>, left_out: LeftOut) -> Result<()> {
        self.streams.left_out.add(left_out);
        ways.into_iter().try_for_each(|way| self.add_way(&way))
    }

    fn add_way(&mut self, way: &SeenWay) -> Result<()> {
        let (named, relations) = self.relations_of(way.id)?;
        let (progress, streams) = (self.streams.progress, &mut self.streams);
        streams.give_places(way)?;
        if !way.tagged && in_sample(way.id) {
            streams.seen.count(Kind::Way, named);
        }
        if way.flags.is_none() && relations.is_empty() {
            for &id in way.refs.iter().filter(|&&id| in_sample(id)) {
                streams.users.push([rank(id), NAMED_ONLY], &[0], progress)?;
            }
            return Ok(());
        }
        let (number, flags) = (self.number, way.flags.unwrap_or_default());
        self.number += 1;
        streams.way_log.push([number, u64::from(flags)], &way.record, progress)?;
        if way.flags.is_some() {
            streams.add_users(number, flags, &way.refs)?;
        }
        if flags & STREET != 0 {
            streams.references += way.refs.len() as u64;
        }
        for (relation, mut of_relation) in relations {
            streams.parts.push([relation, number], &way.record, progress)?;
            if flags & STREET != 0 {
                of_relation &= !COUNTED; // they are counted with the way
            }
            streams.add_users(relation, of_relation, &way.refs)?;
        }
        Ok(())
    }

    /// Whether any relation names a way, and those that are used, with their flags.
    fn relations_of(&mut self, id: i64) -> Result<(bool, Vec<(u64, u8)>)> {
        let (mut named, mut relations) = (false, Vec::new());
        self.members.skip_to(rank(id))?;
        while let Some((key, flags)) = self.members.next_of(rank(id))? {
            named = true;
            if key[1] != NAMED_ONLY {
                relations.extend(flags.first().map(|&flags| (key[1], flags)));
            }
        }
        Ok((named, relations))
    }

    fn finish(self, synthetic: bool) -> Result<Elements> {
        let Streams {
            relation_log, way_log, parts, users, spots, references, left_out, seen, progress, ..
        } = self.streams;
        Ok(Elements {
            relations: self.relations,
            relation_log: relation_log.finish(progress)?,
            way_log: way_log.finish(progress)?,
            parts: parts.finish(progress)?,
            users: users.finish(progress)?,
            spots: spots.map(|spots| spots.finish(progress)).transpose()?,
            references,
            left_out,
            seen,
            synthetic,
        })
    }
}

impl Streams<'_> {
    fn add_users(&mut self, number: u64, flags: u8, refs: &[i64]) -> Result<()> {
        let mut push = |&id: &i64| self.users.push([rank(id), number], &[flags], self.progress);
        refs.iter().try_for_each(&mut push)
    }

    fn give_places(&mut self, way: &SeenWay) -> Result<()> {
        let Some(spots) = &mut self.spots else { return Ok(()) };
        for (&id, &[lon, lat]) in way.refs.iter().zip(&way.places) {
            let degrees = [lon.to_bits().to_le_bytes(), lat.to_bits().to_le_bytes()].concat();
            spots.push([rank(id), self.spot], &degrees, self.progress)?;
            self.spot += 1;
        }
        Ok(())
    }
}
