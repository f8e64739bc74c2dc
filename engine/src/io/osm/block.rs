//! A block of an OSM PBF file → its elements. Everything in a [`Block`] has been checked: indices lie in their tables,
//! sums have not overflowed, arrays that belong together are of one length.

use super::wire::{Decoded, Fields, Packed, Value, zigzag};
use crate::model::damage::Damage;
use std::ops::Range;

/// What an element is; the numbers are those of the format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Node = 0,
    Way = 1,
    Relation = 2,
}

impl Kind {
    pub const ALL: [Self; 3] = [Self::Node, Self::Way, Self::Relation];

    /// As ids are written.
    pub fn name(self) -> &'static str {
        ["node", "way", "relation"][self as usize]
    }

    fn from_number(number: u64) -> Decoded<Self> {
        usize::try_from(number).ok().and_then(|at| Self::ALL.get(at).copied()).ok_or(Damage::MemberKind)
    }
}

/// A run of entries in a table of the block.
pub type Run = Range<u32>;

#[derive(Debug)]
pub struct Node {
    pub id: i64,
    pub lon: f64,
    pub lat: f64,
    tags: Run,
}

#[derive(Debug)]
pub struct Way {
    pub id: i64,
    tags: Run,
    refs: Run,
    /// Degrees of each reference, where the file holds them.
    places: Run,
}

#[derive(Debug)]
pub struct Relation {
    pub id: i64,
    tags: Run,
    members: Run,
}

#[derive(Debug)]
pub struct Member {
    pub id: i64,
    pub kind: Kind,
    role: u32,
}

/// The elements of one kind in a block.
#[derive(Debug, Default)]
pub struct Block {
    pub nodes: Vec<Node>,
    pub ways: Vec<Way>,
    pub relations: Vec<Relation>,
    texts: Texts,
    tags: Vec<[u32; 2]>,
    refs: Vec<i64>,
    places: Vec<[f64; 2]>,
    members: Vec<Member>,
}

impl Block {
    pub fn node_tags(&self, node: &Node) -> impl Iterator<Item = (&str, &str)> {
        self.pairs(&node.tags)
    }

    pub fn way_tags(&self, way: &Way) -> impl Iterator<Item = (&str, &str)> {
        self.pairs(&way.tags)
    }

    pub fn relation_tags(&self, relation: &Relation) -> impl Iterator<Item = (&str, &str)> {
        self.pairs(&relation.tags)
    }

    pub fn refs(&self, way: &Way) -> &[i64] {
        &self.refs[run(&way.refs)]
    }

    /// Longitude and latitude of each reference; none where the file does not hold them.
    pub fn places(&self, way: &Way) -> &[[f64; 2]] {
        &self.places[run(&way.places)]
    }

    pub fn members(&self, relation: &Relation) -> &[Member] {
        &self.members[run(&relation.members)]
    }

    pub fn role(&self, member: &Member) -> &str {
        self.texts.get(member.role)
    }

    /// Keep the elements that are wanted; each is asked for once, in order.
    pub fn keep(&mut self, mut wanted: impl FnMut(i64) -> bool) {
        self.nodes.retain(|node| wanted(node.id));
        self.ways.retain(|way| wanted(way.id));
        self.relations.retain(|relation| wanted(relation.id));
    }

    fn pairs(&self, tags: &Run) -> impl Iterator<Item = (&str, &str)> {
        self.tags[run(tags)].iter().map(|&[key, value]| (self.texts.get(key), self.texts.get(value)))
    }
}

fn run(run: &Run) -> Range<usize> {
    run.start as usize..run.end as usize
}

/// The texts of a block, one after the other.
#[derive(Debug, Default)]
struct Texts {
    all: String,
    ends: Vec<u32>,
}

impl Texts {
    fn get(&self, index: u32) -> &str {
        let index = index as usize;
        let start = index.checked_sub(1).map_or(0, |before| self.ends[before]);
        &self.all[start as usize..self.ends[index] as usize]
    }

    fn index(&self, number: u64) -> Decoded<u32> {
        u32::try_from(number).ok().filter(|&at| (at as usize) < self.ends.len()).ok_or(Damage::TextIndex)
    }
}

/// Steps of the file → degrees.
#[derive(Debug, Clone, Copy)]
struct Grid {
    granularity: i64,
    lon_offset: i64,
    lat_offset: i64,
}

impl Grid {
    fn degrees(self, offset: i64, steps: i64) -> Decoded<f64> {
        let nanodegrees = self.granularity.checked_mul(steps).and_then(|nano| nano.checked_add(offset));
        nanodegrees.map(|nano| 1e-9 * nano as f64).ok_or(Damage::Overflow)
    }

    fn lon(self, steps: i64) -> Decoded<f64> {
        self.degrees(self.lon_offset, steps)
    }

    fn lat(self, steps: i64) -> Decoded<f64> {
        self.degrees(self.lat_offset, steps)
    }
}

/// What a `PrimitiveBlock` message holds, still to be decoded.
struct Parts<'a> {
    texts: &'a [u8],
    groups: Vec<&'a [u8]>,
    grid: Grid,
}

fn parts(message: &[u8]) -> Decoded<Parts<'_>> {
    let grid = Grid { granularity: 100, lon_offset: 0, lat_offset: 0 };
    let mut parts = Parts { texts: &[], groups: Vec::new(), grid };
    for field in Fields(message) {
        match field? {
            (1, texts) => texts.only(&mut parts.texts)?,
            (2, group) => parts.groups.push(group.bytes()?),
            (17, number) => parts.grid.granularity = number.number()?.cast_signed(),
            (19, number) => parts.grid.lat_offset = number.number()?.cast_signed(),
            (20, number) => parts.grid.lon_offset = number.number()?.cast_signed(),
            _ => {}
        }
    }
    if parts.grid.granularity < 1 { Err(Damage::Granularity) } else { Ok(parts) }
}

/// The elements of one kind in a `PrimitiveBlock` message.
pub fn decode(message: &[u8], kind: Kind) -> Decoded<Block> {
    let parts = parts(message)?;
    let mut reading = Reading { grid: parts.grid, block: Block::default() };
    reading.texts(parts.texts)?;
    for group in parts.groups {
        for field in Fields(group) {
            match (kind, field?) {
                (Kind::Node, (1, node)) => reading.node(node.bytes()?)?,
                (Kind::Node, (2, nodes)) => reading.dense_nodes(nodes.bytes()?)?,
                (Kind::Way, (3, way)) => reading.way(way.bytes()?)?,
                (Kind::Relation, (4, relation)) => reading.relation(relation.bytes()?)?,
                _ => {}
            }
        }
    }
    Ok(reading.block)
}

struct Reading {
    grid: Grid,
    block: Block,
}

/// The fields that a node, a way and a relation have under the same numbers.
#[derive(Default)]
struct Element<'a> {
    id: Option<i64>,
    keys: &'a [u8],
    values: &'a [u8],
}

impl<'a> Element<'a> {
    /// Take a field; `zigzag_id` is how nodes write their ids.
    fn take(&mut self, number: u64, value: Value<'a>, zigzag_id: bool) -> Decoded<()> {
        match number {
            1 => {
                let number = value.number()?;
                self.id = Some(if zigzag_id { zigzag(number) } else { number.cast_signed() });
                Ok(())
            }
            2 => value.only(&mut self.keys),
            3 => value.only(&mut self.values),
            _ => Ok(()),
        }
    }

    fn id(&self) -> Decoded<i64> {
        self.id.ok_or(Damage::MissingField)
    }
}

impl Reading {
    /// The format wants UTF-8; texts of another kind get signs of replacement and are counted by [`garbled_texts`].
    fn texts(&mut self, message: &[u8]) -> Decoded<()> {
        let texts = &mut self.block.texts;
        texts.all.reserve(message.len());
        for field in Fields(message) {
            if let (1, text) = field? {
                let bytes = text.bytes()?;
                texts.all.push_str(&String::from_utf8_lossy(bytes));
                texts.ends.push(u32::try_from(texts.all.len()).map_err(|_| Damage::Overflow)?);
            }
        }
        Ok(())
    }

    /// Where the entries of a table that were added since `start` lie.
    fn since<T>(start: usize, table: &[T]) -> Decoded<Run> {
        let at = |length: usize| u32::try_from(length).map_err(|_| Damage::Overflow);
        Ok(at(start)?..at(table.len())?)
    }

    fn tags(&mut self, element: &Element<'_>) -> Decoded<Run> {
        let (keys, values) = (Packed(element.keys), Packed(element.values));
        if keys.clone().count() != values.clone().count() {
            return Err(Damage::UnequalColumns);
        }
        let (texts, start) = (&self.block.texts, self.block.tags.len());
        for (key, value) in keys.zip(values) {
            self.block.tags.push([texts.index(key?)?, texts.index(value?)?]);
        }
        Self::since(start, &self.block.tags)
    }

    fn node(&mut self, message: &[u8]) -> Decoded<()> {
        let (mut element, mut lat, mut lon) = (Element::default(), None, None);
        for field in Fields(message) {
            match field? {
                (8, number) => lat = Some(zigzag(number.number()?)),
                (9, number) => lon = Some(zigzag(number.number()?)),
                (number, value) => element.take(number, value, true)?,
            }
        }
        let lat = self.grid.lat(lat.ok_or(Damage::MissingField)?)?;
        let lon = self.grid.lon(lon.ok_or(Damage::MissingField)?)?;
        let (id, tags) = (element.id()?, self.tags(&element)?);
        self.block.nodes.push(Node { id, lon, lat, tags });
        Ok(())
    }

    fn dense_nodes(&mut self, message: &[u8]) -> Decoded<()> {
        let [mut ids, mut lats, mut lons, mut tags] = [&[][..]; 4];
        for field in Fields(message) {
            match field? {
                (1, numbers) => numbers.only(&mut ids)?,
                (8, numbers) => numbers.only(&mut lats)?,
                (9, numbers) => numbers.only(&mut lons)?,
                (10, numbers) => numbers.only(&mut tags)?,
                _ => {}
            }
        }
        let count = Packed(ids).count();
        if Packed(lats).count() != count || Packed(lons).count() != count {
            return Err(Damage::UnequalColumns);
        }
        self.block.nodes.reserve(count);
        let mut tags = DenseTags::new(tags);
        for ((id, lat), lon) in Packed(ids).sums().zip(Packed(lats).sums()).zip(Packed(lons).sums()) {
            let (lon, lat) = (self.grid.lon(lon?)?, self.grid.lat(lat?)?);
            let tags = tags.of_next(&mut self.block)?;
            self.block.nodes.push(Node { id: id?, lon, lat, tags });
        }
        if tags.numbers.next().is_some() { Err(Damage::UnequalColumns) } else { Ok(()) }
    }

    fn way(&mut self, message: &[u8]) -> Decoded<()> {
        let (mut element, [mut refs, mut lats, mut lons]) = (Element::default(), [&[][..]; 3]);
        for field in Fields(message) {
            match field? {
                (8, numbers) => numbers.only(&mut refs)?,
                (9, numbers) => numbers.only(&mut lats)?,
                (10, numbers) => numbers.only(&mut lons)?,
                (number, value) => element.take(number, value, false)?,
            }
        }
        let (id, tags) = (element.id()?, self.tags(&element)?);
        let start = self.block.refs.len();
        self.block.refs.reserve(Packed(refs).count());
        for id in Packed(refs).sums() {
            self.block.refs.push(id?);
        }
        let refs = Self::since(start, &self.block.refs)?;
        let places = self.places(lats, lons, refs.len())?;
        self.block.ways.push(Way { id, tags, refs, places });
        Ok(())
    }

    /// The places that some files write beside the references of a way.
    fn places(&mut self, lats: &[u8], lons: &[u8], refs: usize) -> Decoded<Run> {
        let counts = [Packed(lats).count(), Packed(lons).count()];
        if counts != [0, 0] && counts != [refs, refs] {
            return Err(Damage::UnequalColumns);
        }
        let start = self.block.places.len();
        for (lat, lon) in Packed(lats).sums().zip(Packed(lons).sums()) {
            self.block.places.push([self.grid.lon(lon?)?, self.grid.lat(lat?)?]);
        }
        Self::since(start, &self.block.places)
    }

    fn relation(&mut self, message: &[u8]) -> Decoded<()> {
        let (mut element, [mut roles, mut ids, mut kinds]) = (Element::default(), [&[][..]; 3]);
        for field in Fields(message) {
            match field? {
                (8, numbers) => numbers.only(&mut roles)?,
                (9, numbers) => numbers.only(&mut ids)?,
                (10, numbers) => numbers.only(&mut kinds)?,
                (number, value) => element.take(number, value, false)?,
            }
        }
        let (id, tags) = (element.id()?, self.tags(&element)?);
        let count = Packed(ids).count();
        if Packed(roles).count() != count || Packed(kinds).count() != count {
            return Err(Damage::UnequalColumns);
        }
        let start = self.block.members.len();
        for ((role, id), kind) in Packed(roles).zip(Packed(ids).sums()).zip(Packed(kinds)) {
            let role = self.block.texts.index(role?)?;
            self.block.members.push(Member { id: id?, kind: Kind::from_number(kind?)?, role });
        }
        let members = Self::since(start, &self.block.members)?;
        self.block.relations.push(Relation { id, tags, members });
        Ok(())
    }
}

/// Tags of dense nodes: key, value, key, value … and a 0 after each node; nothing at all when no node has any.
struct DenseTags<'a> {
    numbers: Packed<'a>,
    any: bool,
}

impl<'a> DenseTags<'a> {
    fn new(numbers: &'a [u8]) -> Self {
        Self { numbers: Packed(numbers), any: !numbers.is_empty() }
    }

    fn of_next(&mut self, block: &mut Block) -> Decoded<Run> {
        let start = block.tags.len();
        while self.any {
            let key = self.numbers.next().ok_or(Damage::UnequalColumns)??;
            if key == 0 {
                break;
            }
            let value = self.numbers.next().ok_or(Damage::UnequalColumns)??;
            block.tags.push([block.texts.index(key)?, block.texts.index(value)?]);
        }
        Reading::since(start, &block.tags)
    }
}

/// What every element says of itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    pub kind: Kind,
    pub id: i64,
    /// 0 where the file holds no versions.
    pub version: u64,
    /// Whether it exists at present; false in files of history only.
    pub visible: bool,
}

/// The headers of all elements of a block, in their order, without the elements.
pub fn headers(message: &[u8], mut each: impl FnMut(Header)) -> Decoded<()> {
    for group in parts(message)?.groups {
        for field in Fields(group) {
            let field = field?;
            let kind = match field {
                (1, _) => Kind::Node,
                (2, nodes) => {
                    dense_headers(nodes.bytes()?, &mut each)?;
                    continue;
                }
                (3, _) => Kind::Way,
                (4, _) => Kind::Relation,
                _ => continue,
            };
            each(header(field.1.bytes()?, kind)?);
        }
    }
    Ok(())
}

fn header(message: &[u8], kind: Kind) -> Decoded<Header> {
    let (mut element, mut header) = (Element::default(), Header { kind, id: 0, version: 0, visible: true });
    for field in Fields(message) {
        match field? {
            (4, info) => {
                for field in Fields(info.bytes()?) {
                    match field? {
                        (1, number) => header.version = number.number()?,
                        (6, number) => header.visible = number.number()? != 0,
                        _ => {}
                    }
                }
            }
            (1, id) => element.take(1, id, kind == Kind::Node)?,
            _ => {}
        }
    }
    Ok(Header { id: element.id()?, ..header })
}

fn dense_headers(message: &[u8], each: &mut impl FnMut(Header)) -> Decoded<()> {
    let [mut ids, mut info, mut versions, mut visible] = [&[][..]; 4];
    for field in Fields(message) {
        match field? {
            (1, numbers) => numbers.only(&mut ids)?,
            (5, message) => message.only(&mut info)?,
            _ => {}
        }
    }
    for field in Fields(info) {
        match field? {
            (1, numbers) => numbers.only(&mut versions)?,
            (6, numbers) => numbers.only(&mut visible)?,
            _ => {}
        }
    }
    // A file may leave either away; what is there is one for each node.
    let count = Packed(ids).count();
    if [versions, visible].iter().any(|numbers| ![0, count].contains(&Packed(numbers).count())) {
        return Err(Damage::UnequalColumns);
    }
    let (mut versions, mut visible) = (Packed(versions), Packed(visible));
    for id in Packed(ids).sums() {
        let version = versions.next().transpose()?.unwrap_or_default();
        let visible = visible.next().transpose()?.is_none_or(|number| number != 0);
        each(Header { kind: Kind::Node, id: id?, version, visible });
    }
    Ok(())
}

/// How many texts of a block are no UTF-8.
pub fn garbled_texts(message: &[u8]) -> Decoded<u64> {
    let mut garbled = 0;
    for field in Fields(parts(message)?.texts) {
        if let (1, text) = field? {
            garbled += u64::from(std::str::from_utf8(text.bytes()?).is_err());
        }
    }
    Ok(garbled)
}
