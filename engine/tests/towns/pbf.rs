//! A minimal writer of OSM PBF files, for synthetic towns.
//!
//! Tests must enter the engine by the door that a real city uses, so a town is
//! written as a real file, with every feature of the format that extracts of
//! real cities have: zlib blobs, dense nodes, delta coding and string tables.
//! The few protobuf messages are encoded by hand, by `osmformat.proto` and
//! `fileformat.proto`, to keep the tests free of a code generator.

use std::collections::HashMap;
use std::io::{self, Write};
use std::path::Path;

use flate2::Compression;
use flate2::write::ZlibEncoder;

/// The usual number of elements that writers of real extracts put in one blob.
const ELEMENTS_PER_BLOB: usize = 8000;

/// Nanodegrees in one step of a stored coordinate, as in real extracts: about
/// 1.1 cm of latitude, so a place read back is off by up to half of that.
const GRANULARITY: i64 = 100;

/// What a relation's member is; the numbers are those of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    Node = 0,
    Way = 1,
    Relation = 2,
}

/// One member of a relation.
#[derive(Clone, Debug)]
pub struct Member {
    pub kind: MemberKind,
    pub id: i64,
    pub role: String,
}

/// A point in degrees.
#[derive(Clone, Debug)]
pub struct Node {
    pub id: i64,
    pub lon: f64,
    pub lat: f64,
    pub tags: Vec<(String, String)>,
}

/// A line through nodes; they need not be in the file, as at an extract's edge.
#[derive(Clone, Debug)]
pub struct Way {
    pub id: i64,
    pub nodes: Vec<i64>,
    pub tags: Vec<(String, String)>,
}

/// A group of elements.
#[derive(Clone, Debug)]
pub struct Relation {
    pub id: i64,
    pub members: Vec<Member>,
    pub tags: Vec<(String, String)>,
}

/// Writes the elements in the order given: nodes, then ways, then relations.
///
/// The same input gives the same bytes. Fails where a coordinate is not on the
/// globe, because the format would store it as a wrong place without a word.
pub fn write(path: &Path, nodes: &[Node], ways: &[Way], relations: &[Relation]) -> io::Result<()> {
    check_coordinates(nodes)?;
    let mut file = Vec::new();
    push_blob(&mut file, "OSMHeader", &header_block(nodes))?;
    for some in nodes.chunks(ELEMENTS_PER_BLOB) {
        push_blob(&mut file, "OSMData", &node_block(some))?;
    }
    for some in ways.chunks(ELEMENTS_PER_BLOB) {
        push_blob(&mut file, "OSMData", &way_block(some))?;
    }
    for some in relations.chunks(ELEMENTS_PER_BLOB) {
        push_blob(&mut file, "OSMData", &relation_block(some))?;
    }
    std::fs::write(path, file)
}

fn check_coordinates(nodes: &[Node]) -> io::Result<()> {
    let on_globe = |n: &&Node| n.lon.abs() <= 180.0 && n.lat.abs() <= 90.0;
    match nodes.iter().find(|n| !on_globe(n)) {
        None => Ok(()),
        Some(n) => Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("node {}: lon {} lat {} is not on the globe", n.id, n.lon, n.lat),
        )),
    }
}

/// Appends one blob: the length of its header, its header, and the zlib data.
pub fn push_blob(file: &mut Vec<u8>, kind: &str, content: &[u8]) -> io::Result<()> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content)?;
    let mut blob = Message::default();
    blob.varint(2, content.len() as u64);
    blob.bytes(3, &encoder.finish()?);
    let mut header = Message::default();
    header.bytes(1, kind.as_bytes());
    header.varint(3, blob.0.len() as u64);
    file.extend((header.0.len() as u32).to_be_bytes());
    file.extend(header.0);
    file.extend(blob.0);
    Ok(())
}

fn header_block(nodes: &[Node]) -> Vec<u8> {
    let mut block = Message::default();
    // A file without nodes covers no box, so it states none.
    if !nodes.is_empty() {
        block.bytes(1, &bounding_box(nodes).0);
    }
    block.bytes(4, b"OsmSchema-V0.6");
    block.bytes(4, b"DenseNodes");
    block.bytes(16, b"walkshed synthetic town");
    block.0
}

/// The box of all nodes, in plain nanodegrees as the header wants them.
fn bounding_box(nodes: &[Node]) -> Message {
    let lons = || nodes.iter().map(|n| steps(n.lon) * GRANULARITY);
    let lats = || nodes.iter().map(|n| steps(n.lat) * GRANULARITY);
    let sides = [lons().min(), lons().max(), lats().max(), lats().min()];
    let mut message = Message::default();
    for (field, side) in (1..).zip(sides) {
        message.varint(field, zigzag(side.unwrap_or_default()));
    }
    message
}

fn node_block(nodes: &[Node]) -> Vec<u8> {
    let mut strings = StringTable::default();
    let mut tags = Vec::new();
    for node in nodes {
        for (key, value) in &node.tags {
            tags.extend([strings.index(key), strings.index(value)]);
        }
        tags.push(0); // ends the tags of this node
    }
    let mut dense = Message::default();
    dense.packed(1, deltas(nodes.iter().map(|n| n.id)));
    dense.packed(8, deltas(nodes.iter().map(|n| steps(n.lat))));
    dense.packed(9, deltas(nodes.iter().map(|n| steps(n.lon))));
    dense.packed(10, tags);
    let mut group = Message::default();
    group.bytes(2, &dense.0);
    primitive_block(&strings, &group)
}

fn way_block(ways: &[Way]) -> Vec<u8> {
    let mut strings = StringTable::default();
    let mut group = Message::default();
    for way in ways {
        let mut message = tagged_element(way.id, &way.tags, &mut strings);
        message.packed(8, deltas(way.nodes.iter().copied()));
        group.bytes(3, &message.0);
    }
    primitive_block(&strings, &group)
}

fn relation_block(relations: &[Relation]) -> Vec<u8> {
    let mut strings = StringTable::default();
    let mut group = Message::default();
    for relation in relations {
        let members = &relation.members;
        let mut message = tagged_element(relation.id, &relation.tags, &mut strings);
        message.packed(8, members.iter().map(|m| strings.index(&m.role)));
        message.packed(9, deltas(members.iter().map(|m| m.id)));
        message.packed(10, members.iter().map(|m| m.kind as u64));
        group.bytes(4, &message.0);
    }
    primitive_block(&strings, &group)
}

/// The first fields of a way and of a relation, which the format numbers alike.
fn tagged_element(id: i64, tags: &[(String, String)], strings: &mut StringTable) -> Message {
    let mut message = Message::default();
    message.varint(1, id.cast_unsigned());
    message.packed(2, tags.iter().map(|(key, _)| strings.index(key)));
    message.packed(3, tags.iter().map(|(_, value)| strings.index(value)));
    message
}

fn primitive_block(strings: &StringTable, group: &Message) -> Vec<u8> {
    let mut block = Message::default();
    block.bytes(1, &strings.message().0);
    block.bytes(2, &group.0);
    block.varint(17, GRANULARITY.cast_unsigned());
    block.0
}

/// Degrees as a whole number of stored steps, to the nearest.
fn steps(degrees: f64) -> i64 {
    (degrees * 1e9 / GRANULARITY as f64).round() as i64
}

/// Each value as its zigzagged difference from the one before, the first from 0.
pub fn deltas(values: impl Iterator<Item = i64>) -> impl Iterator<Item = u64> {
    let mut before = 0;
    values.map(move |value| zigzag(value - std::mem::replace(&mut before, value)))
}

/// Folds the sign into the lowest bit, so that small negatives stay short.
pub fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

/// The strings of one block, each stored once, in the order of first use.
#[derive(Default)]
struct StringTable {
    strings: Vec<String>,
    indices: HashMap<String, u64>,
}

impl StringTable {
    /// Counts from 1, because the format keeps index 0 as a delimiter.
    fn index(&mut self, text: &str) -> u64 {
        if let Some(&index) = self.indices.get(text) {
            return index;
        }
        self.strings.push(text.to_owned());
        let index = self.strings.len() as u64;
        self.indices.insert(text.to_owned(), index);
        index
    }

    fn message(&self) -> Message {
        let mut message = Message::default();
        message.bytes(1, b"");
        for text in &self.strings {
            message.bytes(1, text.as_bytes());
        }
        message
    }
}

/// The bytes of a protobuf message under construction.
#[derive(Default)]
pub struct Message(pub Vec<u8>);

impl Message {
    pub fn varint(&mut self, field: u64, value: u64) {
        push_varint(&mut self.0, field << 3);
        push_varint(&mut self.0, value);
    }

    pub fn bytes(&mut self, field: u64, bytes: &[u8]) {
        push_varint(&mut self.0, field << 3 | 2);
        push_varint(&mut self.0, bytes.len() as u64);
        self.0.extend(bytes);
    }

    pub fn packed(&mut self, field: u64, values: impl IntoIterator<Item = u64>) {
        let mut bytes = Vec::new();
        for value in values {
            push_varint(&mut bytes, value);
        }
        self.bytes(field, &bytes);
    }
}

/// Seven bits a byte, the lowest first; the top bit says that more follow.
fn push_varint(out: &mut Vec<u8>, mut value: u64) {
    while value > 0x7f {
        out.push((value & 0x7f) as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}
