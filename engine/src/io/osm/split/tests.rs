//! Files of tiles against the whole file: what they hold against the obvious way to find it, and what the reader makes of
//! them against what it makes of the whole.

use crate::io::osm::buildings::BuildingRules;
use crate::io::osm::walking::WalkingRules;
use crate::io::osm::write::{self, Member, MemberKind, Message, deltas, push_blob, zigzag};

use super::*;
use crate::io::defaults;
use crate::io::osm::Reading;
use crate::io::osm::block::Kind;
use crate::io::osm::walking::{Judgement, Tags};
use crate::io::osm::{Extract, read, read_pieces};
use crate::model::catalogue::{Catalogue, Drawn};
use crate::model::cell;
use crate::model::place::Place;
use proptest::prelude::*;
use std::collections::{BTreeSet, HashSet};
use std::path::PathBuf;

/// What readers of a study want.
struct Rules {
    walking: WalkingRules,
    catalogue: Catalogue,
    buildings: BuildingRules,
}

impl Rules {
    fn new() -> Self {
        Self {
            walking: defaults::walking_rules(),
            catalogue: defaults::catalogue(),
            buildings: defaults::building_rules(),
        }
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted { rules: &self.walking, catalogue: Some(&self.catalogue), buildings: Some(&self.buildings) }
    }
}

/// Elements of a file, as they are written.
#[derive(Debug, Default)]
struct Raw {
    nodes: Vec<write::Node>,
    ways: Vec<write::Way>,
    relations: Vec<write::Relation>,
    /// Places of nodes, by the file and by its ways.
    places: HashMap<i64, Place>,
}

fn owned<'a>(tags: impl Iterator<Item = (&'a str, &'a str)>) -> write::Tags {
    tags.map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

fn tags(tags: &write::Tags) -> Tags<'_> {
    tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect()
}

impl Raw {
    fn of(path: &Path) -> Self {
        let (progress, mut raw) = (Progress::default(), Self::default());
        let pbf = Pbf::open(path, 1000, &progress).unwrap();
        let nodes = |block: &crate::io::osm::block::Block| -> Vec<write::Node> {
            let node = |node: &crate::io::osm::block::Node| write::Node {
                id: node.id,
                lon: node.lon,
                lat: node.lat,
                tags: owned(block.node_tags(node)),
            };
            block.nodes.iter().map(node).collect()
        };
        raw.nodes = pbf.look(Kind::Node, &progress, nodes).unwrap().concat();
        let ways = |block: &crate::io::osm::block::Block| -> Vec<(write::Way, Vec<[f64; 2]>)> {
            let way = |way: &crate::io::osm::block::Way| {
                let (nodes, tags) = (block.refs(way).to_vec(), owned(block.way_tags(way)));
                (write::Way { id: way.id, nodes, tags }, block.places(way).to_vec())
            };
            block.ways.iter().map(way).collect()
        };
        let ways = pbf.look(Kind::Way, &progress, ways).unwrap().concat();
        let relations = |block: &crate::io::osm::block::Block| -> Vec<write::Relation> {
            let relation = |relation: &crate::io::osm::block::Relation| {
                let kind = |kind| match kind {
                    Kind::Node => MemberKind::Node,
                    Kind::Way => MemberKind::Way,
                    Kind::Relation => MemberKind::Relation,
                };
                let members = block.members(relation).iter().map(|member| Member {
                    kind: kind(member.kind),
                    id: member.id,
                    role: block.role(member).to_owned(),
                });
                let (members, tags) = (members.collect(), owned(block.relation_tags(relation)));
                write::Relation { id: relation.id, members, tags }
            };
            block.relations.iter().map(relation).collect()
        };
        raw.relations = pbf.look(Kind::Relation, &progress, relations).unwrap().concat();
        for node in &raw.nodes {
            raw.places.extend(Place::new(node.lon, node.lat).map(|place| (node.id, place)));
        }
        for (way, places) in ways {
            if pbf.header.locations_on_ways {
                for (&id, [lon, lat]) in way.nodes.iter().zip(places) {
                    if let Some(place) = Place::new(lon, lat) {
                        raw.places.entry(id).or_insert(place);
                    }
                }
            }
            raw.ways.push(way);
        }
        raw
    }

    /// Whether any of these nodes lies in a block of a tile.
    fn touch(&self, refs: &[i64], blocks: &Blocks<'_>) -> bool {
        refs.iter().filter_map(|id| self.places.get(id)).any(|&place| blocks.hold(place))
    }

    fn member_refs(&self, relation: &write::Relation, wants: impl Fn(&Member) -> bool) -> Vec<i64> {
        let members: HashSet<i64> = relation
            .members
            .iter()
            .filter(|member| member.kind == MemberKind::Way && wants(member))
            .map(|member| member.id)
            .collect();
        self.ways.iter().filter(|way| members.contains(&way.id)).flat_map(|way| way.nodes.clone()).collect()
    }
}

/// Blocks that a tile wants.
struct Blocks<'a> {
    wishes: &'a Wishes,
    tile: u32,
}

impl Blocks<'_> {
    fn hold(&self, place: Place) -> bool {
        let block = cell::at(self.wishes.system.moved(place), self.wishes.resolution);
        self.wishes.tiles_of.get(&block).is_some_and(|tiles| tiles.contains(&self.tile))
    }
}

/// What an element is to the reader.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct Use {
    used: bool,
    street: bool,
    facility: bool,
}

fn use_of_way(wanted: Wanted<'_>, way: &write::Way) -> Use {
    let tags = tags(&way.tags);
    let street = matches!(wanted.rules.judge(&tags), Judgement::Walk(_)) && way.nodes.len() > 1;
    let closed = way.nodes.len() > 3 && way.nodes.first() == way.nodes.last();
    let drawn = if closed { Drawn::Area } else { Drawn::Point };
    let feature = Reading::new(wanted).feature((Kind::Node, 0), &tags, drawn);
    let facility = feature.as_ref().is_some_and(|feature| !feature.classes.is_empty());
    Use { used: street || feature.is_some() || wanted.rules.is_wall(&tags), street, facility }
}

fn use_of_relation(wanted: Wanted<'_>, relation: &write::Relation) -> Use {
    let tags = tags(&relation.tags);
    if tags.get("type") != Some(&"multipolygon") {
        return Use::default();
    }
    let street = matches!(wanted.rules.judge(&tags), Judgement::Walk(_));
    let feature = Reading::new(wanted).feature((Kind::Node, 0), &tags, Drawn::Area);
    let facility = feature.as_ref().is_some_and(|feature| !feature.classes.is_empty());
    Use { used: street || feature.is_some(), street, facility }
}

/// Ids of the elements that the file of a tile must hold, found by going through the file again and again.
fn expected(raw: &Raw, wanted: Wanted<'_>, blocks: &Blocks<'_>) -> [BTreeSet<i64>; 3] {
    let ways: Vec<(&write::Way, Use)> = raw.ways.iter().map(|way| (way, use_of_way(wanted, way))).collect();
    let relations: Vec<(&write::Relation, Use, Vec<i64>)> = raw
        .relations
        .iter()
        .map(|relation| (relation, use_of_relation(wanted, relation), raw.member_refs(relation, |_| true)))
        .filter(|(_, is, _)| is.used)
        .collect();
    let mut doors = HashSet::new();
    let (mut way_ids, mut relation_ids) = (BTreeSet::new(), BTreeSet::new());
    for (way, is) in ways.iter().filter(|(way, is)| is.used && raw.touch(&way.nodes, blocks)) {
        way_ids.insert(way.id);
        doors.extend(way.nodes.iter().filter(|_| is.facility));
    }
    for (relation, is, refs) in relations.iter().filter(|(_, _, refs)| raw.touch(refs, blocks)) {
        relation_ids.insert(relation.id);
        doors.extend(refs.iter().filter(|_| is.facility));
    }
    doors.retain(|id| raw.places.contains_key(id));
    let at_door = |refs: &[i64]| refs.iter().any(|id| doors.contains(id));
    way_ids.extend(ways.iter().filter(|(way, is)| is.street && at_door(&way.nodes)).map(|(way, _)| way.id));
    let squares = relations.iter().filter(|(_, is, refs)| is.street && at_door(refs));
    relation_ids.extend(squares.map(|(relation, ..)| relation.id));
    let members = raw.relations.iter().filter(|relation| relation_ids.contains(&relation.id));
    let members: HashSet<i64> =
        members.flat_map(|relation| &relation.members).map(|member| member.id).collect();
    way_ids.extend(
        raw.ways
            .iter()
            .map(|way| way.id)
            .filter(|id| members.contains(id) && is_member(raw, &relation_ids, *id)),
    );
    let held = raw.ways.iter().filter(|way| way_ids.contains(&way.id));
    let mut node_ids: BTreeSet<i64> = held.flat_map(|way| way.nodes.clone()).collect();
    let reading = Reading::new(wanted);
    for node in &raw.nodes {
        let feature = reading.feature((Kind::Node, 0), &tags(&node.tags), Drawn::Point);
        let facility = feature.is_some_and(|feature| !feature.classes.is_empty());
        if facility && Place::new(node.lon, node.lat).is_some_and(|place| blocks.hold(place)) {
            node_ids.insert(node.id);
        }
    }
    node_ids.retain(|id| raw.places.contains_key(id));
    [node_ids, way_ids, relation_ids]
}

/// Whether a way, and not another element of its id, is in one of these relations.
fn is_member(raw: &Raw, relations: &BTreeSet<i64>, way: i64) -> bool {
    let mut members = raw.relations.iter().filter(|relation| relations.contains(&relation.id));
    members.any(|relation| {
        relation.members.iter().any(|member| member.kind == MemberKind::Way && member.id == way)
    })
}

/// That the file of a tile holds what it must and nothing else, word for word and bit for bit.
fn check_contents(whole: &Raw, of_tile: &Raw, wanted: Wanted<'_>, blocks: &Blocks<'_>) {
    let [nodes, ways, relations] = expected(whole, wanted, blocks);
    assert!(of_tile.nodes.iter().map(|node| node.id).eq(nodes), "nodes of tile {}", blocks.tile);
    let tags_of: HashMap<i64, &write::Tags> = whole
        .nodes
        .iter()
        .filter(|node| Place::new(node.lon, node.lat).is_some())
        .map(|node| (node.id, &node.tags))
        .collect();
    for node in &of_tile.nodes {
        assert_eq!(
            bits(Place::new(node.lon, node.lat).unwrap()),
            bits(whole.places[&node.id]),
            "{}",
            node.id
        );
        assert_eq!(node.tags, tags_of.get(&node.id).map_or(vec![], |tags| (*tags).clone()));
    }
    let wanted_ways: Vec<_> =
        whole.ways.iter().filter(|way| ways.contains(&way.id)).map(|way| format!("{way:?}")).collect();
    assert!(
        of_tile.ways.iter().map(|way| format!("{way:?}")).eq(wanted_ways),
        "ways of tile {}",
        blocks.tile
    );
    let wanted_relations: Vec<_> = whole
        .relations
        .iter()
        .filter(|relation| relations.contains(&relation.id))
        .map(|relation| format!("{relation:?}"))
        .collect();
    assert!(of_tile.relations.iter().map(|relation| format!("{relation:?}")).eq(wanted_relations));
}

fn bits(place: Place) -> [u64; 2] {
    [place.lon().to_bits(), place.lat().to_bits()]
}

/// What the reader says of all that touches a tile, as text: numbers of nodes differ, what they stand for may not.
fn touching(raw: &Raw, extract: &Extract, blocks: &Blocks<'_>) -> Vec<String> {
    let streets = &extract.streets;
    let node = |&number: &u32| {
        let node = &streets.nodes[number as usize];
        format!("{} {:?} {node:?} {:?}", node.id, bits(node.place), streets.lift_levels.get(&number))
    };
    let holds = |range: &std::ops::Range<usize>| {
        streets.refs[range.clone()].iter().any(|&number| blocks.hold(streets.nodes[number as usize].place))
    };
    let line =
        |range: &std::ops::Range<usize>| streets.refs[range.clone()].iter().map(node).collect::<Vec<_>>();
    let mut all = Vec::new();
    for way in streets.ways.iter().filter(|way| holds(&way.nodes)) {
        all.push(format!("way {} {:?} {:?}", way.id, line(&way.nodes), way.way));
    }
    for square in streets.squares.iter().filter(|square| square.rings.iter().any(holds)) {
        let rings: Vec<_> = square.rings.iter().map(line).collect();
        all.push(format!("square {} {rings:?} {:?}", square.id, square.way));
    }
    for wall in streets.walls.iter().filter(|wall| wall.iter().any(|&end| blocks.hold(end))) {
        all.push(format!("wall {:?}", wall.map(bits)));
    }
    let facilities = extract.facilities.as_ref().unwrap();
    for at in 0..facilities.id.len() {
        let id = facilities.id.text(at);
        let (kind, number) = id.split_once('/').unwrap();
        let number: i64 = number.parse().unwrap();
        let refs = match kind {
            "node" => vec![number],
            "way" => raw.ways.iter().find(|way| way.id == number).unwrap().nodes.clone(),
            _ => {
                let relation = raw.relations.iter().find(|relation| relation.id == number).unwrap();
                raw.member_refs(relation, |_| true)
            }
        };
        if raw.touch(&refs, blocks) {
            let doors: Vec<_> = facilities.doors[at].iter().copied().map(bits).collect();
            let (class, place) = (&facilities.class[at], bits(facilities.place[at]));
            let rest = (&facilities.name[at], facilities.level[at], &facilities.entry[at]);
            all.push(format!("facility {id} {class} {place:?} {doors:?} {rest:?}"));
        }
    }
    all
}

/// Homes of a tile are homes of the whole, in the same order.
fn check_homes(whole: &Extract, of_tile: &Extract) {
    let homes = |extract: &Extract| -> Vec<[u64; 3]> {
        let homes = extract.dwellings.place.iter().zip(&extract.dwellings.weight);
        homes.map(|(&place, weight)| [bits(place)[0], bits(place)[1], weight.to_bits()]).collect()
    };
    let mut all = homes(whole).into_iter();
    assert!(homes(of_tile).into_iter().all(|home| all.any(|other| other == home)));
}

/// Tiles that see one ring of blocks around their own; some blocks of the file are wanted by none.
fn wishes(counts: &BTreeMap<CellIndex, u64>, coarser: u8, system: AnalysisCrs) -> Wishes {
    let resolution = counts.keys().next().unwrap().resolution();
    let parent = Resolution::try_from(u8::from(resolution) - coarser).unwrap();
    let parents: BTreeSet<CellIndex> = counts.keys().map(|block| block.parent(parent).unwrap()).collect();
    let mut tiles_of: HashMap<CellIndex, Vec<u32>> = HashMap::new();
    for (number, tile) in (0..).zip(parents).filter(|(number, _)| number % 5 != 4) {
        let around: BTreeSet<CellIndex> =
            tile.children(resolution).flat_map(|block| block.grid_disk::<Vec<_>>(1)).collect();
        for block in around {
            tiles_of.entry(block).or_default().push(number);
        }
    }
    Wishes { resolution, system, tiles_of }
}

/// A split and where its files are.
struct Done {
    folder: tempfile::TempDir,
    split: Split,
}

impl Done {
    fn of(path: &Path, wanted: Wanted<'_>, wishes: &Wishes, memory_bytes: u64) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (spool, tiles) = (folder.path().join("spool"), folder.path().join("tiles"));
        let split = split(path, wanted, wishes, &spool, &tiles, memory_bytes, &Progress::default()).unwrap();
        Self { folder, split }
    }

    fn tile(&self, number: u32) -> PathBuf {
        tile_path(&self.folder.path().join("tiles"), number)
    }

    fn contents(&self) -> Vec<Vec<u8>> {
        self.split.tiles.iter().map(|file| std::fs::read(self.tile(file.number)).unwrap()).collect()
    }
}

fn counts(
    path: &Path,
    wanted: Wanted<'_>,
    resolution: Resolution,
    system: AnalysisCrs,
) -> Result<BTreeMap<CellIndex, u64>> {
    let folder = tempfile::tempdir().unwrap();
    let mut counts =
        survey(path, wanted, (resolution, system), folder.path(), 1 << 20, &Progress::default())?;
    counts.retain(|_, count| *count > 0);
    Ok(counts)
}

/// Split a file and hold every tile against the whole; how many tiles there are.
fn check(path: &Path, resolution: Resolution, coarser: u8, system: AnalysisCrs, memory_bytes: u64) -> usize {
    let rules = Rules::new();
    let wanted = rules.wanted();
    let whole = match read(path, wanted, &Progress::default()) {
        Ok(whole) => whole,
        Err(error) => {
            let refused = counts(path, wanted, resolution, system);
            // Streets of which no two nodes in a row are there may still have a node.
            assert!(error.to_string().contains("no way that people may walk on"), "{error}");
            assert!(refused.is_err() || !refused.unwrap().is_empty());
            return 0;
        }
    };
    let raw = Raw::of(path);
    let found = counts(path, wanted, resolution, system).unwrap();
    let mut slow: BTreeMap<CellIndex, u64> = BTreeMap::new();
    for node in &whole.streets.nodes {
        *slow.entry(cell::at(system.moved(node.place), resolution)).or_default() += 1;
    }
    assert_eq!(found, slow);
    check_pieces(path, (resolution, system), coarser, memory_bytes, &whole);
    let wishes = wishes(&found, coarser, system);
    let done = Done::of(path, wanted, &wishes, memory_bytes);
    assert_eq!(done.split.left_out, whole.left_out);
    assert_eq!(done.split.findings, whole.findings);
    assert_eq!(done.split.synthetic, whole.streets.synthetic);
    let asked: BTreeSet<u32> = wishes.tiles_of.values().flatten().copied().collect();
    for tile in asked {
        let blocks = Blocks { wishes: &wishes, tile };
        let Some(file) = done.split.tiles.iter().find(|file| file.number == tile) else {
            assert!(expected(&raw, wanted, &blocks).iter().all(BTreeSet::is_empty));
            assert!(!done.tile(tile).exists());
            continue;
        };
        let of_tile = Raw::of(&done.tile(tile));
        check_contents(&raw, &of_tile, wanted, &blocks);
        let sizes = [of_tile.nodes.len(), of_tile.ways.len(), of_tile.relations.len()];
        assert_eq!([file.nodes, file.ways, file.relations], sizes.map(|size| size as u64));
        match read(&done.tile(tile), wanted, &Progress::default()) {
            Ok(part) => {
                assert_eq!(touching(&raw, &part, &blocks), touching(&raw, &whole, &blocks));
                assert_eq!(part.streets.synthetic, whole.streets.synthetic);
                check_homes(&whole, &part);
            }
            Err(error) => {
                assert!(error.to_string().contains("no way that people may walk on"), "{error}");
                let streets = whole.streets.ways.iter().any(|way| {
                    let mut refs = whole.streets.refs[way.nodes.clone()].iter();
                    refs.any(|&number| blocks.hold(whole.streets.nodes[number as usize].place))
                });
                assert!(!streets);
            }
        }
    }
    done.split.tiles.len()
}

/// Cut a file into pieces that share nothing, and read them as one: that is the whole.
fn check_pieces(
    path: &Path,
    grid: (Resolution, AnalysisCrs),
    coarser: u8,
    memory_bytes: u64,
    whole: &Extract,
) {
    let rules = Rules::new();
    let spool = tempfile::tempdir().unwrap();
    let progress = Progress::default();
    let counts = survey(path, rules.wanted(), grid, spool.path(), memory_bytes, &progress).unwrap();
    let parent = Resolution::try_from(u8::from(grid.0) - coarser).unwrap();
    let parents: BTreeSet<CellIndex> = counts.keys().map(|block| block.parent(parent).unwrap()).collect();
    let number: HashMap<CellIndex, u32> = parents.into_iter().zip(0..).collect();
    let tiles_of =
        counts.keys().map(|&block| (block, vec![number[&block.parent(parent).unwrap()]])).collect();
    let wishes = Wishes { resolution: grid.0, system: grid.1, tiles_of };
    let done = Done::of(path, rules.wanted(), &wishes, memory_bytes);
    let mut paths: Vec<PathBuf> = done.split.tiles.iter().map(|file| done.tile(file.number)).collect();
    paths.reverse();
    let read = read_pieces(&paths, &file_name(path), rules.wanted(), &progress).unwrap();
    assert_eq!(format!("{:?}", read.streets), format!("{:?}", whole.streets));
    assert_eq!(format!("{:?}", read.facilities), format!("{:?}", whole.facilities));
    assert_eq!(format!("{:?}", read.dwellings), format!("{:?}", whole.dwellings));
}

/// The extract of a city, where the data are.
fn extract(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("WALKSHED_DATA").map(|data| PathBuf::from(data).join(name));
    let path = path.filter(|path| path.is_file());
    if path.is_none() {
        eprintln!("SKIPPED: no {name} in WALKSHED_DATA");
    }
    path
}

#[test]
fn tiles_of_cities_hold_what_the_whole_holds() {
    for (name, system, memory_bytes) in [
        ("helsinki/centre.osm.pbf", AnalysisCrs::Wgs84, 256 << 20),
        ("porto_alegre/streets.osm.pbf", AnalysisCrs::Wgs84, 200_000),
        ("munich/centre.osm.pbf", AnalysisCrs::Bd09, 1 << 20),
        ("portland/streets.osm.pbf", AnalysisCrs::Gcj02, 256 << 20),
    ] {
        let Some(path) = extract(name) else { continue };
        let tiles = check(&path, Resolution::Nine, 2, system, memory_bytes);
        assert!(tiles > 1, "{name}: {tiles} tiles");
    }
}

#[test]
fn bytes_do_not_hang_on_threads_or_memory() {
    let Some(path) = extract("helsinki/centre.osm.pbf") else { return };
    let rules = Rules::new();
    let found = counts(&path, rules.wanted(), Resolution::Nine, AnalysisCrs::Wgs84).unwrap();
    let wishes = wishes(&found, 1, AnalysisCrs::Wgs84);
    let on = |threads: usize, memory_bytes: u64| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        pool.install(|| Done::of(&path, rules.wanted(), &wishes, memory_bytes)).contents()
    };
    let one = on(1, 256 << 20);
    assert!(one == on(3, 100_000));
    assert!(one == on(2, 1 << 20));
}

/// A made-up file, with all that the format allows: any unit of coordinates, places beside the references of ways, places
/// that are none, elements that name what is not there.
#[derive(Debug, Clone)]
struct MadeUp {
    /// Id, steps east and north, tags. A step beyond the earth is a place that is none.
    nodes: Vec<(i64, [i64; 2], usize)>,
    ways: Vec<(i64, Vec<i64>, usize)>,
    relations: Vec<(i64, Vec<MadeUpMember>, usize)>,
    granularity: i64,
    offset: i64,
    locations_on_ways: bool,
    per_blob: usize,
}

/// Id, kind and role.
type MadeUpMember = (i64, usize, usize);

const NODE_TAGS: [&[(&str, &str)]; 7] = [
    &[],
    &[],
    &[("highway", "elevator"), ("level", "0;1")],
    &[("highway", "elevator"), ("access", "private")],
    &[("barrier", "gate"), ("access", "private")],
    &[("entrance", "yes"), ("ele", "12.5")],
    &[("amenity", "school"), ("name", "学校")],
];
const WAY_TAGS: [&[(&str, &str)]; 10] = [
    &[],
    &[("highway", "footway")],
    &[("highway", "residential"), ("name", "Main Street")],
    &[("highway", "motorway")],
    &[("highway", "pedestrian"), ("area", "yes")],
    &[("highway", "elevator"), ("level", "0;1"), ("repeat_on", "2")],
    &[("barrier", "wall")],
    &[("amenity", "school"), ("name", "School")],
    &[("building", "apartments"), ("building:levels", "4")],
    &[("leisure", "park"), ("highway", "footway")],
];
const RELATION_TAGS: [&[(&str, &str)]; 6] = [
    &[("type", "multipolygon"), ("highway", "pedestrian")],
    &[("type", "multipolygon"), ("highway", "elevator")],
    &[("type", "multipolygon"), ("amenity", "school")],
    &[("type", "multipolygon"), ("building", "apartments")],
    &[("type", "multipolygon"), ("leisure", "park"), ("highway", "pedestrian")],
    &[("type", "route")],
];

impl MadeUp {
    fn write(&self, path: &Path) {
        let mut file = Vec::new();
        let mut header = Message::default();
        header.bytes(4, b"OsmSchema-V0.6");
        header.bytes(4, b"DenseNodes");
        if self.locations_on_ways {
            header.bytes(5, b"LocationsOnWays");
        }
        push_blob(&mut file, "OSMHeader", &header.0).unwrap();
        let places: HashMap<i64, [i64; 2]> = self.nodes.iter().map(|&(id, place, _)| (id, place)).collect();
        // Where ways hold the places, nodes with nothing to say are left out, and some ways know it better.
        let held =
            |id: i64, tags: usize| !self.locations_on_ways || !NODE_TAGS[tags].is_empty() || id % 3 == 0;
        let nodes =
            self.nodes.iter().filter(|&&(id, _, tags)| held(id, tags)).map(|&(id, [east, north], tags)| {
                (1, NODE_TAGS[tags], move |message: &mut Message| {
                    message.varint(1, zigzag(id));
                    message.varint(8, zigzag(north));
                    message.varint(9, zigzag(east));
                })
            });
        self.blobs(&mut file, nodes);
        let ways = self.ways.iter().map(|(id, refs, tags)| {
            let side = |side: usize| -> Vec<i64> {
                let at = |node: &i64| Some(places.get(node)?[side] + (node + id) % 7 / 6);
                refs.iter().map(|node| at(node).unwrap_or(1 << 40)).collect()
            };
            let places = self.locations_on_ways.then(|| [side(1), side(0)]);
            (3, WAY_TAGS[*tags], move |message: &mut Message| {
                message.varint(1, id.cast_unsigned());
                message.packed(8, deltas(refs.iter().copied()));
                for (field, side) in (9..).zip(places.into_iter().flatten()) {
                    message.packed(field, deltas(side.into_iter()));
                }
            })
        });
        self.blobs(&mut file, ways.collect::<Vec<_>>().into_iter());
        let relations = self.relations.iter().map(|(id, members, tags)| {
            (4, RELATION_TAGS[*tags], move |message: &mut Message| {
                message.varint(1, id.cast_unsigned());
                message.packed(8, members.iter().map(|&(_, _, role)| role as u64));
                message.packed(9, deltas(members.iter().map(|&(id, ..)| id)));
                message.packed(10, members.iter().map(|&(_, kind, _)| kind as u64));
            })
        });
        self.blobs(&mut file, relations);
        std::fs::write(path, file).unwrap();
    }

    /// Texts 1 to 3 are roles; a few elements to a blob.
    fn blobs<'a, F: FnOnce(&mut Message)>(
        &self,
        file: &mut Vec<u8>,
        elements: impl Iterator<Item = (u64, &'a [(&'a str, &'a str)], F)>,
    ) {
        let elements: Vec<_> = elements.collect();
        let mut elements = elements.into_iter().peekable();
        while elements.peek().is_some() {
            let mut texts = vec!["", "outer", "inner", ""];
            let mut group = Message::default();
            for (field, tags, fill) in elements.by_ref().take(self.per_blob) {
                let mut message = Message::default();
                let mut indices = [vec![], vec![]];
                for &(key, value) in tags {
                    indices[0].push(texts.len() as u64);
                    indices[1].push(texts.len() as u64 + 1);
                    texts.extend([key, value]);
                }
                fill(&mut message);
                let [keys, values] = indices;
                message.packed(2, keys);
                message.packed(3, values);
                group.bytes(field, &message.0);
            }
            let (mut table, mut block) = (Message::default(), Message::default());
            for text in texts {
                table.bytes(1, text.as_bytes());
            }
            block.bytes(1, &table.0);
            block.bytes(2, &group.0);
            block.varint(17, self.granularity.cast_unsigned());
            block.varint(19, self.offset.cast_unsigned());
            block.varint(20, self.offset.cast_unsigned());
            push_blob(file, "OSMData", &block.0).unwrap();
        }
    }
}

fn made_up() -> impl Strategy<Value = MadeUp> {
    let ids = |most: i64, count: usize| prop::collection::btree_set(-2..most, 0..count);
    let step = || prop_oneof![20 => 0_i64..12, 1 => Just(1 << 40)];
    let node = (step(), step(), 0..NODE_TAGS.len());
    let way = (prop::collection::vec(-1_i64..40, 0..7), any::<bool>(), 0..WAY_TAGS.len());
    let member = (-1_i64..30, prop_oneof![9 => Just(1_usize), 1 => Just(0), 1 => Just(2)], 1_usize..4);
    let relation = (prop::collection::vec(member, 0..5), 0..RELATION_TAGS.len());
    let all = |count: usize| count..count + 1;
    let nodes = ids(38, 38)
        .prop_flat_map(move |ids| (Just(ids.clone()), prop::collection::vec(node.clone(), all(ids.len()))));
    let ways = ids(30, 30)
        .prop_flat_map(move |ids| (Just(ids.clone()), prop::collection::vec(way.clone(), all(ids.len()))));
    let relations = ids(9, 9).prop_flat_map(move |ids| {
        (Just(ids.clone()), prop::collection::vec(relation.clone(), all(ids.len())))
    });
    let form = (prop_oneof![Just(100_i64), Just(1), Just(7)], -50_i64..50, any::<bool>(), 1_usize..9);
    (nodes, ways, relations, form).prop_map(
        |(nodes, ways, relations, (granularity, offset, locations_on_ways, per_blob))| {
            // About 11 m to a step, from 0° E 0° N on.
            let far = 100_000 / granularity;
            let steps = |step: i64| if step > 99 { step } else { step * far };
            let node = |(id, (east, north, tags)): (i64, _)| (id, [steps(east), steps(north)], tags);
            let way = |(id, (mut refs, closed, tags)): (i64, (Vec<i64>, _, _))| {
                refs.extend(refs.first().copied().filter(|_| closed));
                (id, refs, tags)
            };
            MadeUp {
                nodes: nodes.0.into_iter().zip(nodes.1).map(node).collect(),
                ways: ways.0.into_iter().zip(ways.1).map(way).collect(),
                relations: relations
                    .0
                    .into_iter()
                    .zip(relations.1)
                    .map(|(id, (members, tags))| (id, members, tags))
                    .collect(),
                granularity,
                offset: offset.max(0),
                locations_on_ways,
                per_blob,
            }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(120))]

    #[test]
    fn tiles_of_any_file_hold_what_the_whole_holds(made_up in made_up(), memory_bytes in 0_u64..40_000, fine in 10_u8..=12) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("made_up.osm.pbf");
        made_up.write(&path);
        check(&path, Resolution::try_from(fine).unwrap(), 1, AnalysisCrs::Wgs84, memory_bytes);
    }
}

/// Stops the work as soon as it has begun a stage.
fn stop_at(stage: &str, progress: &Progress) {
    while !progress.state().0.ends_with(stage) && progress.state().0 != "done" {
        std::thread::yield_now();
    }
    progress.cancel();
}

#[test]
fn a_split_that_was_stopped_goes_on_and_ends_with_the_same_bytes() {
    let Some(path) = extract("helsinki/centre.osm.pbf") else { return };
    let rules = Rules::new();
    let found = counts(&path, rules.wanted(), Resolution::Nine, AnalysisCrs::Wgs84).unwrap();
    let wishes = wishes(&found, 1, AnalysisCrs::Wgs84);
    let once = Done::of(&path, rules.wanted(), &wishes, 1 << 20);
    let folder = tempfile::tempdir().unwrap();
    let (spool, tiles) = (folder.path().join("spool"), folder.path().join("tiles"));
    for left in ["streets-0123456789abcdef", "streets-of-another"] {
        std::fs::create_dir_all(spool.join(left)).unwrap();
    }
    std::fs::create_dir_all(&tiles).unwrap();
    for left in ["1.osm.pbf.part", "977.osm.pbf", "notes.txt"] {
        std::fs::write(tiles.join(left), "left by another run").unwrap();
    }
    let run = |progress: &Progress| {
        let done = split(&path, rules.wanted(), &wishes, &spool, &tiles, 1 << 20, progress);
        progress.begin("done", 0).map_or(done, |()| Err(Error::Internal("not stopped".to_owned())))
    };
    for stage in ["relations", "ways", "nodes", "outlines", "tiles", "files"] {
        let progress = Progress::default();
        let stopped = std::thread::scope(|scope| {
            scope.spawn(|| stop_at(stage, &progress));
            run(&progress)
        });
        assert!(stopped.is_ok() || matches!(stopped, Err(Error::Cancelled)), "{stage}: {stopped:?}");
    }
    let again =
        || split(&path, rules.wanted(), &wishes, &spool, &tiles, 1 << 20, &Progress::default()).unwrap();
    assert_eq!(again(), once.split);
    let contents = || -> Vec<Vec<u8>> {
        once.split.tiles.iter().map(|file| std::fs::read(tile_path(&tiles, file.number)).unwrap()).collect()
    };
    assert!(contents() == once.contents());
    let names = |folder: &Path| {
        std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect::<Vec<_>>()
    };
    assert_eq!(
        names(&tiles).len(),
        once.split.tiles.len() + 1,
        "files of other runs are removed, others not"
    );
    assert_eq!(names(&spool).len(), 2, "folders of other keys are removed, others not");
    // A file that was lost is made again, alone and the same.
    std::fs::remove_file(tile_path(&tiles, once.split.tiles[1].number)).unwrap();
    assert_eq!(again(), once.split);
    assert!(contents() == once.contents());
}

#[test]
fn files_that_are_not_sorted_are_refused_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("made_up.osm.pbf");
    let way = |id| (id, vec![1, 2], 1);
    let made_up = |ways: Vec<i64>, nodes: [i64; 2]| MadeUp {
        nodes: nodes.map(|id| (id, [id % 9, 0], 0)).to_vec(),
        ways: ways.into_iter().map(way).collect(),
        relations: vec![],
        granularity: 100,
        offset: 0,
        locations_on_ways: false,
        per_blob: 1,
    };
    let rules = Rules::new();
    let refusal = |made_up: MadeUp| {
        made_up.write(&path);
        match counts(&path, rules.wanted(), Resolution::Nine, AnalysisCrs::Wgs84) {
            Err(Error::Input(problems)) => problems[0].message(),
            other => panic!("{other:?}"),
        }
    };
    for (ways, nodes, kind) in
        [(vec![2, 1], [1, 2], "way"), (vec![1, 1], [1, 2], "way"), (vec![1], [2, 1], "node")]
    {
        let message = refusal(made_up(ways, nodes));
        assert!(message.en.contains(&format!("ids of its {kind}s")) && message.en.contains("osmium sort"));
        assert!(message.zh.contains("升序") && message.zh.contains("osmium sort"));
    }
    assert!(refusal(made_up(vec![1], [1, i64::MAX])).en.contains("node/9223372036854775807"));
}
