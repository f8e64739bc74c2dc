//! Writing OSM PBF files, of synthetic towns and cities.
//!
//! Whoever makes up a place must enter the engine by the door that a real city uses, so it is written as a real file,
//! with every feature of the format that extracts of real cities have: zlib blobs, dense nodes, delta coding and string
//! tables. The few protobuf messages are encoded by hand, by `osmformat.proto` and `fileformat.proto`.

use crate::model::error::{Error, Result};
use crate::model::progress::Progress;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use rayon::prelude::*;
use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The usual number of elements that writers of real extracts put in one blob.
const ELEMENTS_PER_BLOB: usize = 8000;

/// Blobs made side by side; bounds the memory of writing, and the time between two looks at the progress.
const BLOBS_AT_ONCE: usize = 8;

/// Nanodegrees in one step of a stored coordinate, as in real extracts: about 1.1 cm of latitude, so a place read back is
/// off by up to half of that.
const GRANULARITY: i64 = 100;

/// Tags of an element: keys and values.
pub type Tags = Vec<(String, String)>;

/// What a relation's member is; the numbers are those of the file format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum MemberKind {
    /// A node.
    Node = 0,
    /// A way.
    Way = 1,
    /// A relation.
    Relation = 2,
}

/// How the name of a writing program ends that made up what it wrote.
pub const SYNTHETIC_WRITER: &str = ", synthetic";

/// One member of a relation.
#[derive(Clone, Debug)]
pub struct Member {
    /// What it is.
    pub kind: MemberKind,
    /// Its id.
    pub id: i64,
    /// Its role, such as `outer`.
    pub role: String,
}

/// A point in degrees.
#[derive(Clone, Debug)]
pub struct Node {
    /// Id, unique among nodes.
    pub id: i64,
    /// Degrees east.
    pub lon: f64,
    /// Degrees north.
    pub lat: f64,
    /// Tags.
    pub tags: Tags,
}

/// A line through nodes; they need not be in the file, as at an extract's edge.
#[derive(Clone, Debug)]
pub struct Way {
    /// Id, unique among ways.
    pub id: i64,
    /// Ids of its nodes, in order.
    pub nodes: Vec<i64>,
    /// Tags.
    pub tags: Tags,
}

/// A group of elements.
#[derive(Clone, Debug)]
pub struct Relation {
    /// Id, unique among relations.
    pub id: i64,
    /// Members, in order.
    pub members: Vec<Member>,
    /// Tags.
    pub tags: Tags,
}

/// The box of all nodes, degrees.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// Least longitude.
    pub west: f64,
    /// Least latitude.
    pub south: f64,
    /// Greatest longitude.
    pub east: f64,
    /// Greatest latitude.
    pub north: f64,
}

impl Bounds {
    /// The box of nodes; none of no nodes.
    pub fn of(nodes: &[Node]) -> Option<Self> {
        let first = nodes.first()?;
        let start = Self { west: first.lon, south: first.lat, east: first.lon, north: first.lat };
        Some(nodes.iter().fold(start, |bounds, node| Self {
            west: bounds.west.min(node.lon),
            south: bounds.south.min(node.lat),
            east: bounds.east.max(node.lon),
            north: bounds.north.max(node.lat),
        }))
    }
}

/// Writes the elements in the order given: nodes, then ways, then relations.
///
/// The same input gives the same bytes. Fails where a coordinate is not on the globe, because the format would store it
/// as a wrong place without a word.
pub fn write(path: &Path, nodes: &[Node], ways: &[Way], relations: &[Relation]) -> Result<()> {
    let progress = Progress::default();
    let mut writer = Writer::create(path, Bounds::of(nodes))?;
    writer.nodes(nodes.len(), |at| nodes[at].clone(), &progress)?;
    writer.ways(ways.len(), |at| ways[at].clone(), &progress)?;
    writer.relations(relations.len(), |at| relations[at].clone(), &progress)?;
    writer.finish()
}

/// A file in the making. Elements are asked for by number when their blob is made, on any thread, so that a city need not
/// be in memory as elements; the bytes do not depend on the threads.
pub struct Writer {
    path: PathBuf,
    file: BufWriter<File>,
    /// Nanodegrees in one step of a stored coordinate.
    granularity: i64,
    compression: Compression,
}

impl Writer {
    /// Begin a file; a file that covers no box states none.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn create(path: &Path, bounds: Option<Bounds>) -> Result<Self> {
        Self::begin(path, bounds, SYNTHETIC_WRITER, GRANULARITY, Compression::default())
    }

    /// Begin a file of elements of another one, which says of itself that it is made up if that does: coordinates are kept to
    /// the bit, and as it does not stay it is packed fast rather than small.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn excerpt(path: &Path, synthetic: bool) -> Result<Self> {
        Self::begin(path, None, if synthetic { SYNTHETIC_WRITER } else { "" }, 1, Compression::fast())
    }

    fn begin(
        path: &Path,
        bounds: Option<Bounds>,
        writer: &str,
        granularity: i64,
        compression: Compression,
    ) -> Result<Self> {
        let file = File::create(path).map_err(Error::file(path))?;
        let mut new = Self { path: path.to_owned(), file: BufWriter::new(file), granularity, compression };
        let header =
            blob("OSMHeader", &header_block(bounds, writer), compression).map_err(Error::file(path))?;
        new.file.write_all(&header).map_err(Error::file(path))?;
        Ok(new)
    }

    /// Write nodes number 0 to `count`.
    ///
    /// # Errors
    /// When a node is not on the globe or the file system refuses; [`Error::Cancelled`] between two groups of blobs.
    pub fn nodes(
        &mut self,
        count: usize,
        node: impl Fn(usize) -> Node + Sync,
        progress: &Progress,
    ) -> Result<()> {
        let granularity = self.granularity;
        self.blobs(count, progress, |range| node_block(range.map(&node), granularity))
    }

    /// Write ways number 0 to `count`.
    ///
    /// # Errors
    /// When the file system refuses; [`Error::Cancelled`] between two groups of blobs.
    pub fn ways(
        &mut self,
        count: usize,
        way: impl Fn(usize) -> Way + Sync,
        progress: &Progress,
    ) -> Result<()> {
        self.blobs(count, progress, |range| Ok(way_block(range.map(&way))))
    }

    /// Write relations number 0 to `count`.
    ///
    /// # Errors
    /// When the file system refuses; [`Error::Cancelled`] between two groups of blobs.
    pub fn relations(
        &mut self,
        count: usize,
        relation: impl Fn(usize) -> Relation + Sync,
        progress: &Progress,
    ) -> Result<()> {
        self.blobs(count, progress, |range| Ok(relation_block(range.map(&relation))))
    }

    /// Put everything on the disk.
    ///
    /// # Errors
    /// When the file system refuses.
    pub fn finish(self) -> Result<()> {
        let file = self.file.into_inner().map_err(|error| Error::file(&self.path)(error.into_error()))?;
        file.sync_all().map_err(Error::file(&self.path))
    }

    fn blobs(
        &mut self,
        count: usize,
        progress: &Progress,
        block: impl Fn(Range<usize>) -> io::Result<Vec<u8>> + Sync,
    ) -> Result<()> {
        for first in (0..count).step_by(ELEMENTS_PER_BLOB * BLOBS_AT_ONCE) {
            let last = (first + ELEMENTS_PER_BLOB * BLOBS_AT_ONCE).min(count);
            let starts: Vec<usize> = (first..last).step_by(ELEMENTS_PER_BLOB).collect();
            let compression = self.compression;
            let make = |&start: &usize| {
                blob("OSMData", &block(start..(start + ELEMENTS_PER_BLOB).min(last))?, compression)
            };
            let blobs: Vec<io::Result<Vec<u8>>> = starts.par_iter().map(make).collect();
            for blob in blobs {
                blob.and_then(|blob| self.file.write_all(&blob)).map_err(Error::file(&self.path))?;
            }
            progress.step(last - first)?;
        }
        Ok(())
    }
}

/// Append one blob, of content that may be as wrong as a test wants it.
///
/// # Errors
/// When the content cannot be packed.
pub fn push_blob(file: &mut Vec<u8>, kind: &str, content: &[u8]) -> io::Result<()> {
    file.extend(blob(kind, content, Compression::default())?);
    Ok(())
}

/// One blob: the length of its header, its header, and the zlib data.
fn blob(kind: &str, content: &[u8], compression: Compression) -> io::Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), compression);
    encoder.write_all(content)?;
    let mut blob = Message::default();
    blob.varint(2, content.len() as u64);
    blob.bytes(3, &encoder.finish()?);
    let mut header = Message::default();
    header.bytes(1, kind.as_bytes());
    header.varint(3, blob.0.len() as u64);
    let mut bytes = (header.0.len() as u32).to_be_bytes().to_vec();
    bytes.extend(header.0);
    bytes.extend(blob.0);
    Ok(bytes)
}

fn header_block(bounds: Option<Bounds>, writer: &str) -> Vec<u8> {
    let mut block = Message::default();
    if let Some(bounds) = bounds {
        block.bytes(1, &bounding_box(bounds).0);
    }
    block.bytes(4, b"OsmSchema-V0.6");
    block.bytes(4, b"DenseNodes");
    block.bytes(16, format!("walkshed {}{writer}", env!("CARGO_PKG_VERSION")).as_bytes());
    block.0
}

/// The box in plain nanodegrees, as the header wants it.
fn bounding_box(bounds: Bounds) -> Message {
    let sides = [bounds.west, bounds.east, bounds.north, bounds.south];
    let mut message = Message::default();
    for (field, side) in (1..).zip(sides) {
        message.varint(field, zigzag(steps(side, GRANULARITY) * GRANULARITY));
    }
    message
}

fn node_block(nodes: impl Iterator<Item = Node>, granularity: i64) -> io::Result<Vec<u8>> {
    let mut strings = StringTable::default();
    let (mut ids, mut lats, mut lons, mut tags) = (vec![], vec![], vec![], vec![]);
    for node in nodes {
        check_place(&node)?;
        ids.push(node.id);
        lats.push(steps(node.lat, granularity));
        lons.push(steps(node.lon, granularity));
        for (key, value) in &node.tags {
            tags.extend([strings.index(key), strings.index(value)]);
        }
        tags.push(0); // ends the tags of this node
    }
    let mut dense = Message::default();
    dense.packed(1, deltas(ids.into_iter()));
    dense.packed(8, deltas(lats.into_iter()));
    dense.packed(9, deltas(lons.into_iter()));
    dense.packed(10, tags);
    let mut group = Message::default();
    group.bytes(2, &dense.0);
    Ok(primitive_block(&strings, &group, granularity))
}

fn check_place(node: &Node) -> io::Result<()> {
    if node.lon.abs() <= 180.0 && node.lat.abs() <= 90.0 {
        return Ok(());
    }
    let text = format!("node {}: lon {} lat {} is not on the globe", node.id, node.lon, node.lat);
    Err(io::Error::new(io::ErrorKind::InvalidInput, text))
}

fn way_block(ways: impl Iterator<Item = Way>) -> Vec<u8> {
    let mut strings = StringTable::default();
    let mut group = Message::default();
    for way in ways {
        let mut message = tagged_element(way.id, &way.tags, &mut strings);
        message.packed(8, deltas(way.nodes.into_iter()));
        group.bytes(3, &message.0);
    }
    primitive_block(&strings, &group, GRANULARITY)
}

fn relation_block(relations: impl Iterator<Item = Relation>) -> Vec<u8> {
    let mut strings = StringTable::default();
    let mut group = Message::default();
    for relation in relations {
        let members = &relation.members;
        let mut message = tagged_element(relation.id, &relation.tags, &mut strings);
        message.packed(8, members.iter().map(|member| strings.index(&member.role)));
        message.packed(9, deltas(members.iter().map(|member| member.id)));
        message.packed(10, members.iter().map(|member| member.kind as u64));
        group.bytes(4, &message.0);
    }
    primitive_block(&strings, &group, GRANULARITY)
}

/// The first fields of a way and of a relation, which the format numbers alike.
fn tagged_element(id: i64, tags: &Tags, strings: &mut StringTable) -> Message {
    let mut message = Message::default();
    message.varint(1, id.cast_unsigned());
    message.packed(2, tags.iter().map(|(key, _)| strings.index(key)));
    message.packed(3, tags.iter().map(|(_, value)| strings.index(value)));
    message
}

fn primitive_block(strings: &StringTable, group: &Message, granularity: i64) -> Vec<u8> {
    let mut block = Message::default();
    block.bytes(1, &strings.message().0);
    block.bytes(2, &group.0);
    block.varint(17, granularity.cast_unsigned());
    block.0
}

/// Degrees as a whole number of stored steps, to the nearest.
fn steps(degrees: f64, granularity: i64) -> i64 {
    (degrees * 1e9 / granularity as f64).round() as i64
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
pub struct Message(
    /// The bytes so far.
    pub Vec<u8>,
);

impl Message {
    /// Add a number.
    pub fn varint(&mut self, field: u64, value: u64) {
        push_varint(&mut self.0, field << 3);
        push_varint(&mut self.0, value);
    }

    /// Add bytes, text or a message.
    pub fn bytes(&mut self, field: u64, bytes: &[u8]) {
        push_varint(&mut self.0, field << 3 | 2);
        push_varint(&mut self.0, bytes.len() as u64);
        self.0.extend(bytes);
    }

    /// Add a list of numbers; an empty one is left out, because GDAL stops reading where it finds one.
    pub fn packed(&mut self, field: u64, values: impl IntoIterator<Item = u64>) {
        let mut bytes = Vec::new();
        for value in values {
            push_varint(&mut bytes, value);
        }
        if !bytes.is_empty() {
            self.bytes(field, &bytes);
        }
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
