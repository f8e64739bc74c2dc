//! Elements as bytes, on their way from the source to the files of tiles: what tags say is kept word for word.

use crate::io::osm::block::{Block, Kind, Node, Relation, Way};
use crate::io::osm::wire::{Decoded, Fields, Packed, zigzag as signed};
use crate::io::osm::write::{self, Member, MemberKind, Message, Tags, deltas, zigzag};
use crate::model::damage::Damage;
use crate::model::place::Place;

/// Fields of a record, as in protocol buffers.
const ID: u64 = 1;
const TEXT: u64 = 2;
const REFS: u64 = 3;
const KINDS: u64 = 4;
const ROLE: u64 = 5;
const LON: u64 = 6;
const LAT: u64 = 7;

/// Coordinates of files are whole nanodegrees; degrees that were made of them lead back to them exactly.
fn nanodegrees(degrees: f64) -> i64 {
    (degrees * 1e9).round() as i64
}

fn degrees(nanodegrees: i64) -> f64 {
    1e-9 * nanodegrees as f64
}

fn push_tags<'a>(message: &mut Message, tags: impl Iterator<Item = (&'a str, &'a str)>) {
    for (key, value) in tags {
        message.bytes(TEXT, key.as_bytes());
        message.bytes(TEXT, value.as_bytes());
    }
}

/// The tags of a node.
pub fn of_node(block: &Block, node: &Node) -> Vec<u8> {
    let mut message = Message::default();
    push_tags(&mut message, block.node_tags(node));
    message.0
}

/// A node where it is, with tags as [`of_node`] has them.
pub fn of_place(place: Place, tags: &[u8]) -> Vec<u8> {
    let mut message = Message::default();
    message.varint(LON, zigzag(nanodegrees(place.lon())));
    message.varint(LAT, zigzag(nanodegrees(place.lat())));
    message.0.extend_from_slice(tags);
    message.0
}

/// A way.
pub fn of_way(block: &Block, way: &Way) -> Vec<u8> {
    let mut message = Message::default();
    message.varint(ID, zigzag(way.id));
    message.packed(REFS, deltas(block.refs(way).iter().copied()));
    push_tags(&mut message, block.way_tags(way));
    message.0
}

/// A relation.
pub fn of_relation(block: &Block, relation: &Relation) -> Vec<u8> {
    let mut message = Message::default();
    message.varint(ID, zigzag(relation.id));
    let members = block.members(relation);
    message.packed(REFS, deltas(members.iter().map(|member| member.id)));
    message.packed(KINDS, members.iter().map(|member| member.kind as u64));
    for member in members {
        message.bytes(ROLE, block.role(member).as_bytes());
    }
    push_tags(&mut message, block.relation_tags(relation));
    message.0
}

/// What a record says.
#[derive(Default)]
struct Record<'a> {
    id: i64,
    texts: Vec<&'a str>,
    refs: &'a [u8],
    kinds: &'a [u8],
    roles: Vec<&'a str>,
    lon: i64,
    lat: i64,
}

impl<'a> Record<'a> {
    fn read(bytes: &'a [u8]) -> Decoded<Self> {
        let mut record = Self::default();
        let text = |bytes| std::str::from_utf8(bytes).map_err(|_| Damage::Size);
        for field in Fields(bytes) {
            match field? {
                (ID, number) => record.id = signed(number.number()?),
                (TEXT, value) => record.texts.push(text(value.bytes()?)?),
                (REFS, numbers) => numbers.only(&mut record.refs)?,
                (KINDS, numbers) => numbers.only(&mut record.kinds)?,
                (ROLE, value) => record.roles.push(text(value.bytes()?)?),
                (LON, number) => record.lon = signed(number.number()?),
                (LAT, number) => record.lat = signed(number.number()?),
                _ => return Err(Damage::FieldKind),
            }
        }
        Ok(record)
    }

    fn tags(&self) -> Tags {
        self.texts.chunks_exact(2).map(|pair| (pair[0].to_owned(), pair[1].to_owned())).collect()
    }

    fn refs(&self) -> Decoded<Vec<i64>> {
        Packed(self.refs).sums().collect()
    }
}

/// The node of this id that a record tells of.
pub fn node(id: i64, bytes: &[u8]) -> Decoded<write::Node> {
    let record = Record::read(bytes)?;
    Ok(write::Node { id, lon: degrees(record.lon), lat: degrees(record.lat), tags: record.tags() })
}

/// The way that a record tells of.
pub fn way(bytes: &[u8]) -> Decoded<write::Way> {
    let record = Record::read(bytes)?;
    Ok(write::Way { id: record.id, nodes: record.refs()?, tags: record.tags() })
}

/// Id and nodes of the way that a record tells of.
pub fn refs(bytes: &[u8]) -> Decoded<(i64, Vec<i64>)> {
    let record = Record::read(bytes)?;
    Ok((record.id, record.refs()?))
}

/// The relation that a record tells of.
pub fn relation(bytes: &[u8]) -> Decoded<write::Relation> {
    let record = Record::read(bytes)?;
    let (ids, kinds) = (record.refs()?, Packed(record.kinds).collect::<Decoded<Vec<u64>>>()?);
    let members = ids.into_iter().zip(kinds).zip(&record.roles).map(|((id, kind), role)| {
        let kind = match kind {
            kind if kind == Kind::Node as u64 => MemberKind::Node,
            kind if kind == Kind::Way as u64 => MemberKind::Way,
            _ => MemberKind::Relation,
        };
        Member { kind, id, role: (*role).to_owned() }
    });
    Ok(write::Relation { id: record.id, members: members.collect(), tags: record.tags() })
}
