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
mod streets;
pub mod walking;
mod wire;
pub mod write;

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
use block::{Block, Kind};
use buildings::BuildingRules;
use features::{FacilityRow, FacilityRows, Part, Placing, RawFeature, RawPoint, of_class};
use nodes::{Mark, NodeTable};
use orphans::Orphans;
use pbf::Pbf;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
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
    let mut reading = Reading::new(wanted);
    let passes = if pbf.locations_on_ways { 4 } else { 3 };
    progress.begin("reading streets", pbf.blobs() * passes)?;
    pbf.visit(Kind::Relation, progress, |block| reading.relations(block))?;
    pbf.visit(Kind::Way, progress, |block| reading.ways(block))?;
    reading.list_needed_nodes();
    pbf.visit(Kind::Node, progress, |block| reading.nodes(block))?;
    if pbf.locations_on_ways {
        pbf.visit(Kind::Way, progress, |block| reading.nodes_on_ways(block))?;
    }
    reading.left_out.repeated_elements = pbf.repeated_elements;
    reading.left_out.garbled_texts = pbf.garbled_texts;
    reading.finish(path)
}

struct Reading<'a> {
    wanted: Wanted<'a>,
    /// Keys that make a feature worth a closer look.
    keys: HashSet<&'a str>,
    ways: Vec<RawWay>,
    areas: Vec<RawArea>,
    walls: Vec<Vec<i64>>,
    features: Vec<RawFeature>,
    points: Vec<RawPoint>,
    member_ways: HashMap<i64, Vec<i64>>,
    nodes: NodeTable,
    orphans: Orphans,
    left_out: LeftOut,
}

impl<'a> Reading<'a> {
    fn new(wanted: Wanted<'a>) -> Self {
        let mut keys: HashSet<&str> =
            wanted.catalogue.map(Catalogue::keys).unwrap_or_default().into_iter().collect();
        if wanted.buildings.is_some() {
            keys.insert("building");
        }
        Self {
            wanted,
            keys,
            ways: Vec::new(),
            areas: Vec::new(),
            walls: Vec::new(),
            features: Vec::new(),
            points: Vec::new(),
            member_ways: HashMap::new(),
            nodes: NodeTable::default(),
            orphans: Orphans::default(),
            left_out: LeftOut::default(),
        }
    }

    fn relations(&mut self, block: &Block) {
        self.orphans.relations(block);
        for relation in &block.relations {
            let tags: Tags<'_> = block.relation_tags(relation).collect();
            if tags.get("type") != Some(&"multipolygon") {
                continue;
            }
            let (mut outer, mut inner) = (vec![], vec![]);
            for member in block.members(relation).iter().filter(|member| member.kind == Kind::Way) {
                let is_inner = block.role(member) == "inner";
                if is_inner { inner.push(member.id) } else { outer.push(member.id) }
            }
            let feature = self.feature(format!("relation/{}", relation.id), &tags, Drawn::Area);
            let area = self.area(relation.id, &tags, &outer, &inner);
            if feature.is_none() && area.is_none() {
                continue;
            }
            for &way in outer.iter().chain(&inner) {
                self.member_ways.entry(way).or_default();
            }
            self.areas.extend(area);
            self.features.extend(feature.map(|mut feature| {
                feature.outer = outer.into_iter().map(Part::Way).collect();
                feature.inner = inner.into_iter().map(Part::Way).collect();
                feature
            }));
        }
    }

    /// The square that the tags of a multipolygon describe.
    fn area(&mut self, id: i64, tags: &Tags<'_>, outer: &[i64], inner: &[i64]) -> Option<RawArea> {
        match self.wanted.rules.judge(tags) {
            Judgement::NotAWay => None,
            Judgement::LeftOut(kind, reason) => {
                self.leave_out(kind, reason);
                None
            }
            Judgement::Walk(way) => Some(RawArea { id, way, outer: outer.to_vec(), inner: inner.to_vec() }),
        }
    }

    fn leave_out(&mut self, kind: WayKind, reason: String) {
        *self.left_out.ways.entry(kind.name().to_owned()).or_default().entry(reason).or_default() += 1;
    }

    /// The facility or home that these tags describe, still without outline.
    fn feature(&self, id: String, tags: &Tags<'_>, drawn: Drawn) -> Option<RawFeature> {
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
        Some(RawFeature { id, classes, entry, name, level, floors, outer: vec![], inner: vec![] })
    }

    fn ways(&mut self, block: &Block) {
        for way in &block.ways {
            let refs = block.refs(way);
            if let Some(wanted) = self.member_ways.get_mut(&way.id) {
                *wanted = refs.to_vec();
            }
            let tags: Tags<'_> = block.way_tags(way).collect();
            self.orphans.way(way, refs, !tags.is_empty());
            let closed = refs.len() > 3 && refs.first() == refs.last();
            match self.wanted.rules.judge(&tags) {
                Judgement::NotAWay => {}
                Judgement::LeftOut(kind, reason) => self.leave_out(kind, reason),
                Judgement::Walk(_) if refs.len() < 2 => self.left_out.short_ways += 1,
                Judgement::Walk(walkway) => self.ways.push(RawWay {
                    id: way.id,
                    refs: refs.to_vec(),
                    repeats: streets::repeats(&tags, &walkway.levels),
                    area: streets::is_area(walkway.kind, closed, &tags),
                    way: walkway,
                }),
            }
            if self.wanted.rules.is_wall(&tags) {
                self.walls.push(refs.to_vec());
            }
            let drawn = if closed { Drawn::Area } else { Drawn::Point };
            if let Some(mut feature) = self.feature(format!("way/{}", way.id), &tags, drawn) {
                feature.outer.push(Part::Nodes(refs.to_vec()));
                self.features.push(feature);
            }
        }
    }

    fn list_needed_nodes(&mut self) {
        let mut ids = streets::needed(&self.ways, &self.areas, &self.member_ways);
        let parts = self.features.iter().flat_map(|feature| feature.outer.iter().chain(&feature.inner));
        ids.extend(self.walls.iter().flatten());
        ids.extend(parts.flat_map(|part| part.refs(&self.member_ways)));
        self.nodes = NodeTable::of(ids);
    }

    fn nodes(&mut self, block: &Block) {
        for node in &block.nodes {
            let tags: Tags<'_> = block.node_tags(node).collect();
            self.orphans.node(node, !tags.is_empty());
            self.node(node.id, node.lon, node.lat, &tags);
        }
    }

    /// Files whose ways carry the places of their nodes leave out the nodes that have nothing else to say.
    fn nodes_on_ways(&mut self, block: &Block) {
        for way in &block.ways {
            for (&id, &[lon, lat]) in block.refs(way).iter().zip(block.places(way)) {
                if self.nodes.place(id).is_none() {
                    self.node(id, lon, lat, &Tags::new());
                }
            }
        }
    }

    fn node(&mut self, id: i64, lon: f64, lat: f64, tags: &Tags<'_>) {
        let position = self.nodes.wanted(id);
        if position.is_none() && tags.is_empty() {
            return;
        }
        let Some(place) = Place::new(lon, lat) else {
            self.left_out.misplaced_nodes += 1;
            return;
        };
        if let Some(position) = position {
            self.left_out.nodes_at_zero += u64::from(lon == 0.0 && lat == 0.0);
            let mark = self.mark(tags);
            self.nodes.set(position, place, mark);
            self.nodes.set_height(position, tags.get("ele").and_then(|text| ele_m(text)));
            if mark.lift {
                let tagged = ["level", "repeat_on"].iter().filter_map(|key| tags.get(key));
                self.nodes
                    .set_lift_levels(position, tagged.flat_map(|text| Level::parse_list(text)).collect());
            }
        }
        if let Some(feature) = self.feature(String::new(), tags, Drawn::Point) {
            for class in feature.classes {
                let (name, level, entry) = (feature.name.clone(), feature.level, feature.entry.clone());
                self.points.push(RawPoint { id, class, entry, name, level, place });
            }
        }
    }

    fn mark(&mut self, tags: &Tags<'_>) -> Mark {
        if tags.is_empty() {
            return Mark::default();
        }
        let barrier = self.wanted.rules.barrier(tags);
        let lift = tags.get("highway") == Some(&"elevator");
        let gate = tags.contains_key("entrance") || tags.get("barrier").is_some_and(|kind| *kind == "gate");
        let entrance = gate && matches!(barrier, Barrier::None | Barrier::Gate);
        if lift && !self.wanted.rules.lift_works(tags) {
            self.left_out.lift_nodes += 1;
            return Mark { barrier: Barrier::Closed, lift: false, entrance };
        }
        Mark { barrier, lift, entrance }
    }

    fn finish(self, path: &Path) -> Result<Extract> {
        let name = crate::io::files::file_name(path);
        let Self {
            wanted,
            ways,
            areas,
            walls,
            features,
            points,
            member_ways,
            nodes,
            orphans,
            mut left_out,
            ..
        } = self;
        let ids = streets::needed(&ways, &areas, &member_ways);
        let references = ways.iter().map(|way| way.refs.len() as u64).sum::<u64>();
        let own_ways: HashSet<i64> = ways.iter().map(|way| way.id).collect();
        let mut numbering = Numbering::new(&nodes, &ids);
        for way in &ways {
            numbering.add_way(way);
        }
        for area in &areas {
            numbering.add_area(area, &member_ways, &own_ways);
        }
        for wall in &walls {
            numbering.add_wall(wall);
        }
        left_out.missing_nodes += numbering.missing_nodes;
        left_out.broken_outlines += numbering.broken_outlines;
        let mut findings = Vec::new();
        if numbering.missing_nodes as f64 > references as f64 * MISSING_NODES_SHARE {
            let fault = Fault::MissingNodes { missing: numbering.missing_nodes, of: references };
            findings.push(Problem::of_file(&name, fault));
        }
        findings.extend(orphans.finding().map(|fault| Problem::of_file(&name, fault)));
        let streets = numbering.finish();
        if streets.ways.is_empty() {
            return Err(Problem::of_file(name, Fault::NoWalkableWay).into());
        }
        let open = streets.nodes.iter().filter(|node| matches!(node.barrier, Barrier::None | Barrier::Gate));
        let mut placing = Placing {
            nodes: &nodes,
            member_ways: &member_ways,
            on_street: open.map(|node| node.id).collect(),
            dwellings: Dwellings::default(),
            rows: FacilityRows::default(),
            broken_outlines: 0,
        };
        for feature in &features {
            placing.add(feature);
        }
        left_out.broken_outlines += placing.broken_outlines;
        let (mut rows, dwellings) = (placing.rows, placing.dwellings);
        for RawPoint { id, class, entry, name, level, place } in points {
            rows.push(FacilityRow {
                class: class.class,
                entry: of_class(&class, &entry),
                id: format!("node/{id}"),
                name,
                level,
                place,
                doors: vec![place],
            });
        }
        let facilities = wanted.catalogue.map(|catalogue| rows.sorted(catalogue, &name));
        Ok(Extract { streets, facilities, dwellings, left_out, findings })
    }
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
