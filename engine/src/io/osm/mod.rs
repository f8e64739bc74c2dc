//! One reading of an OpenStreetMap extract: streets to walk on, facilities, and homes.
//!
//! Passes over the file (a look at everything, then relations, ways, nodes) keep in memory only what is wanted, whatever
//! the size of the file and the order of its parts.

mod blob;
mod block;
pub mod buildings;
mod features;
mod nodes;
mod orphans;
pub mod outlines;
mod pbf;
pub mod split;
mod streets;
pub mod walking;
mod wire;
pub mod write;

use crate::io::files::file_name;
use crate::model::catalogue::{Catalogue, Drawn};
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::ledger::{Capacity, Entry};
use crate::model::level::Level;
use crate::model::limits::Amount;
use crate::model::place::Place;
use crate::model::population::Dwellings;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::schema::FACILITIES;
use crate::model::street::{Barrier, Streets, WayKind};
use block::{Block, Kind, Relation, Way};
use buildings::BuildingRules;
use features::{FacilityRow, Part, Placed, Placing, RawFeature, RawPoint, of_class};
use nodes::{Mark, NodeTable};
use orphans::Orphans;
use pbf::Pbf;
use rayon::prelude::*;
use std::cmp::Reverse;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::{Path, PathBuf};
use streets::{Numbering, RawArea, RawWay};
use walking::{Judgement, Tags, WalkingRules};

/// What to take out of an extract.
#[derive(Debug, Clone, Copy)]
pub struct Wanted<'a> {
    /// What people may walk on.
    pub rules: &'a WalkingRules,
    /// Which features are facilities; none are read when absent.
    pub catalogue: Option<&'a Catalogue>,
    /// Which buildings are homes; none are read when absent.
    pub buildings: Option<&'a BuildingRules>,
}

/// What an extract holds.
#[derive(Debug, Clone)]
pub struct Extract {
    /// Streets to walk on.
    pub streets: Streets,
    /// Facilities by the catalogue, sorted by class and id.
    pub facilities: Option<Facilities>,
    /// Residential buildings with their floor area in m².
    pub dwellings: Dwellings,
    /// What was left out, and why.
    pub left_out: LeftOut,
    /// What is doubtful about the file as a whole.
    pub findings: Vec<Problem>,
}

/// Counts of what an extract holds and the line does not use.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LeftOut {
    /// Ways that people may not walk on: by kind, by the tag that says so.
    pub ways: BTreeMap<String, BTreeMap<String, u64>>,
    /// Lift nodes that are private, closed or out of order.
    pub lift_nodes: u64,
    /// References of walkable ways to nodes that the extract does not hold; the way is split there.
    pub missing_nodes: u64,
    /// Nodes with a position that is none.
    pub misplaced_nodes: u64,
    /// Outlines of squares, facilities and buildings that do not close, or whose nodes are missing.
    pub broken_outlines: u64,
    /// Elements that a later version of themselves, under the same id, stands for.
    #[serde(default)]
    pub repeated_elements: u64,
    /// Walkable ways of one node or none.
    #[serde(default)]
    pub short_ways: u64,
    /// Nodes of ways at 0° N 0° E, where a position that is missing ends up; they are kept.
    #[serde(default)]
    pub nodes_at_zero: u64,
    /// Texts that are no UTF-8; they are read with signs of replacement.
    #[serde(default)]
    pub garbled_texts: u64,
}

impl LeftOut {
    fn leave_out(&mut self, kind: WayKind, reason: String) {
        *self.ways.entry(kind.name().to_owned()).or_default().entry(reason).or_default() += 1;
    }

    /// Add what was left out elsewhere.
    pub fn add(&mut self, other: Self) {
        for (kind, reasons) in other.ways {
            let of_kind = self.ways.entry(kind).or_default();
            for (reason, count) in reasons {
                *of_kind.entry(reason).or_default() += count;
            }
        }
        self.lift_nodes += other.lift_nodes;
        self.missing_nodes += other.missing_nodes;
        self.misplaced_nodes += other.misplaced_nodes;
        self.broken_outlines += other.broken_outlines;
        self.repeated_elements += other.repeated_elements;
        self.short_ways += other.short_ways;
        self.nodes_at_zero += other.nodes_at_zero;
        self.garbled_texts += other.garbled_texts;
    }
}

/// Of a complete extract a thousandth of the references, at most, are to nodes beyond its rim.
const MISSING_NODES_SHARE: f64 = 0.001;

/// Read an extract.
///
/// # Errors
/// A problem when the file is missing, no PBF, cut off, damaged, beyond the limits, or holds nothing to walk on.
pub fn read(path: &Path, wanted: Wanted<'_>, progress: &Progress) -> Result<Extract> {
    read_within(path, wanted, Amount::InflatedRatio.most(), progress)
}

/// The same for a file of which more, or fewer, bytes may come out of one than [`Amount::InflatedRatio`] says.
pub fn read_within(
    path: &Path,
    wanted: Wanted<'_>,
    inflated_ratio: u64,
    progress: &Progress,
) -> Result<Extract> {
    let pbf = Pbf::open(path, inflated_ratio, progress)?;
    read_all(&[pbf], &file_name(path), wanted, progress)
}

/// Read an extract whose sorted elements lie in several files, some in more than one of them, as if they lay in one. What is
/// left out and found there is not what the one would tell.
///
/// # Errors
/// As [`read`].
pub fn read_pieces(
    paths: &[PathBuf],
    name: &str,
    wanted: Wanted<'_>,
    progress: &Progress,
) -> Result<Extract> {
    let open = |path: &PathBuf| Pbf::open(path, Amount::InflatedRatio.most(), progress);
    let pbfs = paths.par_iter().map(open).collect::<Result<Vec<Pbf>>>()?;
    read_all(&pbfs, name, wanted, progress)
}

fn read_all(pbfs: &[Pbf], name: &str, wanted: Wanted<'_>, progress: &Progress) -> Result<Extract> {
    let mut reading = Reading::new(wanted);
    let locations_on_ways = pbfs.iter().any(|pbf| pbf.header.locations_on_ways);
    let passes = if locations_on_ways { 4 } else { 3 };
    progress.begin("reading streets", pbfs.iter().map(Pbf::blobs).sum::<usize>() * passes)?;
    reading.pass(pbfs, Kind::Relation, progress, Reading::relations)?;
    reading.pass(pbfs, Kind::Way, progress, Reading::ways)?;
    if pbfs.len() > 1 {
        reading.found.sort();
    }
    reading.list_needed_nodes();
    reading.pass(pbfs, Kind::Node, progress, Reading::nodes)?;
    if locations_on_ways {
        reading.pass(pbfs, Kind::Way, progress, Reading::nodes_on_ways)?;
    }
    for pbf in pbfs {
        reading.found.left_out.repeated_elements += pbf.repeated_elements;
        reading.found.left_out.garbled_texts += pbf.garbled_texts;
    }
    let mut extract = reading.finish(name)?;
    extract.streets.synthetic = pbfs.iter().any(|pbf| pbf.header.synthetic);
    Ok(extract)
}

/// What is wanted of a file, and what of it was found so far.
struct Reading<'a> {
    wanted: Wanted<'a>,
    /// Keys that make a feature worth a closer look.
    keys: HashSet<&'a str>,
    found: Found,
    member_ways: HashMap<i64, Vec<i64>>,
    nodes: NodeTable,
    orphans: Orphans,
}

/// What blocks hold of what is wanted.
#[derive(Default)]
struct Found {
    ways: Vec<RawWay>,
    areas: Vec<RawArea>,
    /// Id and nodes.
    walls: Vec<(i64, Vec<i64>)>,
    features: Vec<RawFeature>,
    points: Vec<RawPoint>,
    /// Ways that relations are made of, with their nodes as soon as these are known.
    members: Vec<(i64, Vec<i64>)>,
    /// Needed nodes by their position in the table, and what some of them say.
    nodes: Vec<(usize, Place, Mark)>,
    ele_m: Vec<(usize, f32)>,
    lift_levels: Vec<(usize, Vec<Level>)>,
    left_out: LeftOut,
    orphans: Orphans,
}

impl Found {
    /// Bring ways, relations and what they are into the order of a sorted file, each once.
    fn sort(&mut self) {
        self.ways.sort_by_key(|way| way.id);
        self.ways.dedup_by_key(|way| way.id);
        self.areas.sort_by_key(|area| area.id);
        self.areas.dedup_by_key(|area| area.id);
        self.walls.sort_by_key(|wall| wall.0);
        self.walls.dedup_by_key(|wall| wall.0);
        self.features.sort_by_key(|feature| (Reverse(feature.kind), feature.id));
        self.features.dedup_by_key(|feature| (feature.kind, feature.id));
    }
}

impl<'a> Reading<'a> {
    fn new(wanted: Wanted<'a>) -> Self {
        let mut keys: HashSet<&str> =
            wanted.catalogue.map(Catalogue::keys).unwrap_or_default().into_iter().collect();
        if wanted.buildings.is_some() {
            keys.insert("building");
        }
        let (found, member_ways, nodes, orphans) = Default::default();
        Self { wanted, keys, found, member_ways, nodes, orphans }
    }

    /// Look at all blocks with elements of a kind, and keep what is wanted in the order of the files.
    fn pass(
        &mut self,
        pbfs: &[Pbf],
        kind: Kind,
        progress: &Progress,
        look: impl Fn(&Self, &Block) -> Found + Sync,
    ) -> Result<()> {
        let of_file = |pbf: &Pbf| pbf.look(kind, progress, |block| look(self, block));
        let found = pbfs.par_iter().map(of_file).collect::<Result<Vec<_>>>()?;
        for found in found.into_iter().flatten() {
            self.take(found);
        }
        self.orphans.sort();
        Ok(())
    }

    fn take(&mut self, found: Found) {
        let all = &mut self.found;
        all.ways.extend(found.ways);
        all.areas.extend(found.areas);
        all.walls.extend(found.walls);
        all.features.extend(found.features);
        all.points.extend(found.points);
        all.left_out.add(found.left_out);
        self.member_ways.extend(found.members);
        self.orphans.add(&found.orphans);
        for (position, place, mark) in found.nodes {
            if self.nodes.set(position, place, mark) {
                all.left_out.nodes_at_zero += u64::from(place.lon() == 0.0 && place.lat() == 0.0);
            }
        }
        self.nodes.note(found.ele_m, found.lift_levels);
    }

    fn relations(&self, block: &Block) -> Found {
        let mut found = Found { orphans: self.orphans.look(block), ..Found::default() };
        for relation in &block.relations {
            self.relation(block, relation, &mut found);
        }
        found
    }

    fn relation(&self, block: &Block, relation: &Relation, found: &mut Found) {
        let tags: Tags<'_> = block.relation_tags(relation).collect();
        if tags.get("type") != Some(&"multipolygon") {
            return;
        }
        let (mut outer, mut inner) = (vec![], vec![]);
        for member in block.members(relation).iter().filter(|member| member.kind == Kind::Way) {
            let is_inner = block.role(member) == "inner";
            if is_inner { inner.push(member.id) } else { outer.push(member.id) }
        }
        let feature = self.feature((Kind::Relation, relation.id), &tags, Drawn::Area);
        let area = match self.wanted.rules.judge(&tags) {
            Judgement::NotAWay => None,
            Judgement::LeftOut(kind, reason) => {
                found.left_out.leave_out(kind, reason);
                None
            }
            Judgement::Walk(way) => {
                Some(RawArea { id: relation.id, way, outer: outer.clone(), inner: inner.clone() })
            }
        };
        if feature.is_none() && area.is_none() {
            return;
        }
        found.members.extend(outer.iter().chain(&inner).map(|&way| (way, vec![])));
        found.areas.extend(area);
        found.features.extend(feature.map(|mut feature| {
            feature.outer = outer.into_iter().map(Part::Way).collect();
            feature.inner = inner.into_iter().map(Part::Way).collect();
            feature
        }));
    }

    /// The facility or home that these tags describe, still without outline.
    fn feature(&self, (kind, id): (Kind, i64), tags: &Tags<'_>, drawn: Drawn) -> Option<RawFeature> {
        if !tags.keys().any(|key| self.keys.contains(key)) {
            return None;
        }
        let classes =
            self.wanted.catalogue.map(|catalogue| catalogue.classify(tags, drawn)).unwrap_or_default();
        let floors = self.wanted.buildings.and_then(|rules| rules.home_floors(tags));
        if classes.is_empty() && floors.is_none() {
            return None;
        }
        let (name, level) = (name_of(tags), level_of(tags));
        let entry = if classes.is_empty() { Entry::default() } else { entry_of(tags) };
        Some(RawFeature { kind, id, classes, entry, name, level, floors, outer: vec![], inner: vec![] })
    }

    fn ways(&self, block: &Block) -> Found {
        let mut found = Found { orphans: self.orphans.look(block), ..Found::default() };
        for way in &block.ways {
            if self.member_ways.contains_key(&way.id) {
                found.members.push((way.id, block.refs(way).to_vec()));
            }
            self.way(block, way, &mut found);
        }
        found
    }

    /// What a way is by itself, whatever it is a member of.
    fn way(&self, block: &Block, way: &Way, found: &mut Found) {
        let refs = block.refs(way);
        let tags: Tags<'_> = block.way_tags(way).collect();
        let closed = refs.len() > 3 && refs.first() == refs.last();
        match self.wanted.rules.judge(&tags) {
            Judgement::NotAWay => {}
            Judgement::LeftOut(kind, reason) => found.left_out.leave_out(kind, reason),
            Judgement::Walk(_) if refs.len() < 2 => found.left_out.short_ways += 1,
            Judgement::Walk(walkway) => found.ways.push(RawWay {
                id: way.id,
                refs: refs.to_vec(),
                repeats: streets::repeats(&tags, &walkway.levels),
                area: streets::is_area(walkway.kind, closed, &tags),
                way: walkway,
            }),
        }
        if self.wanted.rules.is_wall(&tags) {
            found.walls.push((way.id, refs.to_vec()));
        }
        let drawn = if closed { Drawn::Area } else { Drawn::Point };
        if let Some(mut feature) = self.feature((Kind::Way, way.id), &tags, drawn) {
            feature.outer.push(Part::Nodes(refs.to_vec()));
            found.features.push(feature);
        }
    }

    fn list_needed_nodes(&mut self) {
        let Found { ways, areas, walls, features, .. } = &self.found;
        let mut ids = streets::needed(ways, areas, &self.member_ways);
        let parts = features.iter().flat_map(|feature| feature.outer.iter().chain(&feature.inner));
        ids.extend(walls.iter().flat_map(|(_, refs)| refs));
        ids.extend(parts.flat_map(|part| part.refs(&self.member_ways)));
        self.nodes = NodeTable::of(ids);
    }

    fn nodes(&self, block: &Block) -> Found {
        let mut found = Found { orphans: self.orphans.look(block), ..Found::default() };
        for node in &block.nodes {
            let tags: Tags<'_> = block.node_tags(node).collect();
            self.node(node.id, node.lon, node.lat, &tags, &mut found);
        }
        found
    }

    /// Files whose ways carry the places of their nodes leave out the nodes that have nothing else to say.
    fn nodes_on_ways(&self, block: &Block) -> Found {
        let mut found = Found::default();
        for way in &block.ways {
            for (&id, &[lon, lat]) in block.refs(way).iter().zip(block.places(way)) {
                if self.nodes.place(id).is_none() {
                    self.node(id, lon, lat, &Tags::new(), &mut found);
                }
            }
        }
        found
    }

    fn node(&self, id: i64, lon: f64, lat: f64, tags: &Tags<'_>, found: &mut Found) {
        let position = self.nodes.wanted(id);
        if position.is_none() && tags.is_empty() {
            return;
        }
        let Some(place) = Place::new(lon, lat) else {
            found.left_out.misplaced_nodes += 1;
            return;
        };
        if let Some(position) = position {
            let mark = self.mark(tags, &mut found.left_out);
            found.nodes.push((position, place, mark));
            let ele_m = tags.get("ele").and_then(|text| ele_m(text));
            found.ele_m.extend(ele_m.map(|ele_m| (position, ele_m)));
            if mark.lift {
                let tagged = ["level", "repeat_on"].iter().filter_map(|key| tags.get(key));
                let levels: Vec<Level> = tagged.flat_map(|text| Level::parse_list(text)).collect();
                found.lift_levels.push((position, levels));
            }
        }
        if let Some(feature) = self.feature((Kind::Node, id), tags, Drawn::Point) {
            for class in feature.classes {
                let (name, level, entry) = (feature.name.clone(), feature.level, feature.entry.clone());
                found.points.push(RawPoint { id, class, entry, name, level, place });
            }
        }
    }

    fn mark(&self, tags: &Tags<'_>, left_out: &mut LeftOut) -> Mark {
        if tags.is_empty() {
            return Mark::default();
        }
        let barrier = self.wanted.rules.barrier(tags);
        let lift = tags.get("highway") == Some(&"elevator");
        let gate = tags.contains_key("entrance") || tags.get("barrier").is_some_and(|kind| *kind == "gate");
        let entrance = gate && matches!(barrier, Barrier::None | Barrier::Gate);
        if lift && !self.wanted.rules.lift_works(tags) {
            left_out.lift_nodes += 1;
            return Mark { barrier: Barrier::Closed, lift: false, entrance };
        }
        Mark { barrier, lift, entrance }
    }

    fn finish(self, name: &str) -> Result<Extract> {
        let Self { wanted, found, member_ways, nodes, orphans, .. } = self;
        let Found { ways, areas, walls, features, points, mut left_out, .. } = found;
        let references = ways.iter().map(|way| way.refs.len() as u64).sum::<u64>();
        let own = ways.iter().map(|way| way.id).filter(|id| member_ways.contains_key(id));
        let own_ways: HashSet<i64> = own.collect();
        let mut numbering = Numbering::new(&nodes, &streets::needed(&ways, &areas, &member_ways));
        numbering.add_ways(&ways);
        for area in &areas {
            numbering.add_area(area, &member_ways, &own_ways);
        }
        for (_, wall) in &walls {
            numbering.add_wall(wall);
        }
        left_out.missing_nodes += numbering.missing_nodes;
        left_out.broken_outlines += numbering.broken_outlines;
        let mut findings = Vec::new();
        findings.extend(missing_nodes(numbering.missing_nodes, references));
        findings.extend(orphans.seen.finding());
        let findings = findings.into_iter().map(|fault| Problem::of_file(name, fault)).collect();
        let streets = numbering.finish();
        if streets.ways.is_empty() {
            return Err(Problem::of_file(name, Fault::NoWalkableWay).into());
        }
        let placing = Placing { nodes: &nodes, member_ways: &member_ways, on_street: &streets.nodes };
        let Placed { dwellings, mut rows, broken_outlines } = placing.place_all(&features);
        left_out.broken_outlines += broken_outlines;
        for RawPoint { id, class, entry, name, level, place } in points {
            rows.push(FacilityRow {
                class: class.class,
                entry: of_class(&class, &entry),
                id: format!("{}/{id}", Kind::Node.name()),
                name,
                level,
                place,
                doors: vec![place],
            });
        }
        let facilities = wanted.catalogue.map(|catalogue| features::sorted(rows, catalogue, name));
        Ok(Extract { streets, facilities, dwellings, left_out, findings })
    }
}

/// What is told when more references of walkable ways than at the rim of an extract are to nodes that are missing.
fn missing_nodes(missing: u64, of: u64) -> Option<Fault> {
    (missing as f64 > of as f64 * MISSING_NODES_SHARE).then_some(Fault::MissingNodes { missing, of })
}

fn name_of(tags: &Tags<'_>) -> Option<String> {
    ["name", "name:zh", "name:en"].iter().find_map(|key| tags.get(key)).map(|name| (*name).to_owned())
}

/// What the tags say as a ledger would: who runs it, places and beds. The status is that of the map: it shows what is open.
///
/// Source: OpenStreetMap wiki, "Key:operator", "Key:capacity", "Key:capacity:beds", "Key:beds".
fn entry_of(tags: &Tags<'_>) -> Entry {
    let mut entry = Entry {
        operator: tags.get("operator").map(|&operator| operator.to_owned()),
        source: Some("OpenStreetMap".to_owned()),
        ..Entry::default()
    };
    for (kind, keys) in [(Capacity::Places, &["capacity"][..]), (Capacity::Beds, &["capacity:beds", "beds"])]
    {
        let number = keys.iter().find_map(|key| tags.get(key)?.trim().parse::<f64>().ok());
        entry.capacity[kind as usize] =
            number.filter(|&number| FACILITIES.column(kind.column()).rule.allows(number));
    }
    entry
}

/// The floor of a feature that is on one floor.
fn level_of(tags: &Tags<'_>) -> Option<Level> {
    match Level::parse_list(tags.get("level")?).as_slice() {
        [level] => Some(*level),
        _ => None,
    }
}

/// Metres above the sea; `12`, `12.5 m` (OpenStreetMap wiki, "Key:ele"). Heights beyond the earth's are none.
fn ele_m(text: &str) -> Option<f32> {
    let number = text.trim().trim_end_matches('m').trim().parse::<f32>().ok()?;
    (-450.0..=9000.0).contains(&number).then_some(number)
}
