//! One reading of an OpenStreetMap extract: streets to walk on, facilities, and homes.
//!
//! Three passes over the file (relations, ways, nodes) keep in memory only what is wanted, whatever the size of
//! the file and the order of its parts.

pub mod buildings;
pub mod outlines;
mod pbf;
pub mod walking;

use crate::model::catalogue::{Catalogue, Drawn};
use crate::model::error::Result;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::population::Dwellings;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::street::{Street, StreetNode, Streets};
use buildings::BuildingRules;
use geo::{Centroid, InteriorPoint, MultiPolygon};
use osmpbf::Element;
use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::Path;
use walking::{Judgement, Tags, WalkingRules, Walkway};

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
}

/// Counts of what an extract holds and the line does not use.
#[derive(Debug, Clone, Default, PartialEq, Eq, serde::Serialize)]
pub struct LeftOut {
    /// Ways that people may not walk on, by the tag that says so.
    pub ways: BTreeMap<String, u64>,
    /// References of walkable ways to nodes that the extract does not hold; the way is split there.
    pub missing_nodes: u64,
    /// Nodes with a position that is none.
    pub misplaced_nodes: u64,
    /// Outlines of facilities and buildings that do not close, or whose nodes are missing.
    pub broken_outlines: u64,
}

/// Read an extract.
///
/// # Errors
/// A problem when the file is missing, no PBF, cut off, damaged, or holds nothing to walk on.
pub fn read(path: &Path, wanted: Wanted<'_>, progress: &Progress) -> Result<Extract> {
    let blobs = pbf::check_frame(path)?;
    let mut reading = Reading::new(wanted);
    progress.begin("reading streets", blobs * 3)?;
    if wanted.catalogue.is_some() || wanted.buildings.is_some() {
        pbf::visit(path, progress, |block| reading.relations(block))?;
    }
    pbf::visit(path, progress, |block| reading.ways(block))?;
    reading.list_needed_nodes();
    pbf::visit(path, progress, |block| reading.nodes(block))?;
    reading.finish(path)
}

/// A way that people walk, with ids of nodes.
struct RawWay {
    id: i64,
    refs: Vec<i64>,
    walkway: Walkway,
}

/// A feature with an outline or a line: a facility, a home, or both.
struct RawFeature {
    id: String,
    classes: Vec<usize>,
    name: Option<String>,
    floors: Option<f64>,
    outer: Vec<Part>,
    inner: Vec<Part>,
}

/// A piece of an outline: known node ids, or the way that holds them.
enum Part {
    Nodes(Vec<i64>),
    Way(i64),
}

/// A facility drawn as a node.
struct RawPoint {
    id: i64,
    class: usize,
    name: Option<String>,
    place: Place,
}

struct Reading<'a> {
    wanted: Wanted<'a>,
    /// Keys that make a feature worth a closer look.
    keys: HashSet<&'a str>,
    ways: Vec<RawWay>,
    features: Vec<RawFeature>,
    points: Vec<RawPoint>,
    member_ways: HashMap<i64, Vec<i64>>,
    nodes: NodeTable,
    left_out: LeftOut,
}

/// Where the needed nodes are, sorted by id.
#[derive(Default)]
struct NodeTable {
    id: Vec<i64>,
    place: Vec<Option<Place>>,
    flags: Vec<u8>,
}

const BLOCKED: u8 = 1;
const LIFT: u8 = 2;
const ENTRANCE: u8 = 4;

impl NodeTable {
    fn position(&self, id: i64) -> Option<usize> {
        self.id.binary_search(&id).ok().filter(|&position| self.place[position].is_some())
    }

    fn place(&self, id: i64) -> Option<Place> {
        self.position(id).and_then(|position| self.place[position])
    }
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
            features: Vec::new(),
            points: Vec::new(),
            member_ways: HashMap::new(),
            nodes: NodeTable::default(),
            left_out: LeftOut::default(),
        }
    }

    fn relations(&mut self, block: &osmpbf::PrimitiveBlock) {
        for relation in block.groups().flat_map(|group| group.relations()) {
            let tags: Tags<'_> = relation.tags().collect();
            if tags.get("type") != Some(&"multipolygon") {
                continue;
            }
            let Some(mut feature) = self.feature(format!("relation/{}", relation.id()), &tags, Drawn::Area)
            else {
                continue;
            };
            for member in relation.members().filter(|member| member.member_type == osmpbf::RelMemberType::Way)
            {
                self.member_ways.entry(member.member_id).or_default();
                let part = Part::Way(member.member_id);
                let inner = member.role().is_ok_and(|role| role == "inner");
                if inner { feature.inner.push(part) } else { feature.outer.push(part) }
            }
            self.features.push(feature);
        }
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
        Some(RawFeature { id, classes, name: name_of(tags), floors, outer: vec![], inner: vec![] })
    }

    fn ways(&mut self, block: &osmpbf::PrimitiveBlock) {
        for way in block.groups().flat_map(|group| group.ways()) {
            if let Some(refs) = self.member_ways.get_mut(&way.id()) {
                *refs = way.refs().collect();
            }
            let tags: Tags<'_> = way.tags().collect();
            match self.wanted.rules.judge(&tags) {
                Judgement::NotAWay => {}
                Judgement::LeftOut(reason) => *self.left_out.ways.entry(reason).or_default() += 1,
                Judgement::Walk(walkway) => {
                    self.ways.push(RawWay { id: way.id(), refs: way.refs().collect(), walkway });
                }
            }
            // References are stored as differences, so those of a closed way after the first add up to nothing.
            let closed = way.raw_refs().len() > 3 && way.raw_refs()[1..].iter().sum::<i64>() == 0;
            let drawn = if closed { Drawn::Area } else { Drawn::Point };
            if let Some(mut feature) = self.feature(format!("way/{}", way.id()), &tags, drawn) {
                feature.outer.push(Part::Nodes(way.refs().collect()));
                self.features.push(feature);
            }
        }
    }

    fn list_needed_nodes(&mut self) {
        let mut ids: Vec<i64> = self.ways.iter().flat_map(|way| way.refs.iter().copied()).collect();
        for feature in &self.features {
            for part in feature.outer.iter().chain(&feature.inner) {
                ids.extend(self.refs_of(part));
            }
        }
        ids.sort_unstable();
        ids.dedup();
        self.nodes = NodeTable { place: vec![None; ids.len()], flags: vec![0; ids.len()], id: ids };
    }

    fn refs_of<'s>(&'s self, part: &'s Part) -> &'s [i64] {
        match part {
            Part::Nodes(refs) => refs,
            Part::Way(way) => self.member_ways.get(way).map_or(&[], Vec::as_slice),
        }
    }

    fn nodes(&mut self, block: &osmpbf::PrimitiveBlock) {
        for element in block.elements() {
            match element {
                Element::DenseNode(node) => {
                    let mut tags = node.tags().peekable();
                    let tags: Tags<'_> = if tags.peek().is_none() { Tags::new() } else { tags.collect() };
                    self.node(node.id(), node.lon(), node.lat(), &tags);
                }
                Element::Node(node) => self.node(node.id(), node.lon(), node.lat(), &node.tags().collect()),
                Element::Way(_) | Element::Relation(_) => {}
            }
        }
    }

    fn node(&mut self, id: i64, lon: f64, lat: f64, tags: &Tags<'_>) {
        let position = self.nodes.id.binary_search(&id).ok();
        if position.is_none() && tags.is_empty() {
            return;
        }
        let Some(place) = Place::new(lon, lat) else {
            self.left_out.misplaced_nodes += 1;
            return;
        };
        if let Some(position) = position {
            self.nodes.place[position] = Some(place);
            self.nodes.flags[position] = self.flags(tags);
        }
        if let Some(feature) = self.feature(String::new(), tags, Drawn::Point) {
            for class in feature.classes {
                self.points.push(RawPoint { id, class, name: feature.name.clone(), place });
            }
        }
    }

    fn flags(&self, tags: &Tags<'_>) -> u8 {
        if tags.is_empty() {
            return 0;
        }
        let blocked = if self.wanted.rules.stops(tags) { BLOCKED } else { 0 };
        let lift = if tags.get("highway") == Some(&"elevator") { LIFT } else { 0 };
        let gate = tags.contains_key("entrance") || tags.get("barrier").is_some_and(|kind| *kind == "gate");
        blocked | lift | if gate && blocked == 0 { ENTRANCE } else { 0 }
    }

    fn finish(mut self, path: &Path) -> Result<Extract> {
        let streets = self.streets();
        if streets.ways.is_empty() {
            let name = crate::io::table::file_name(path);
            return Err(Problem::of_file(name, Fault::NoWalkableWay).into());
        }
        let on_street: HashSet<i64> =
            streets.nodes.iter().filter(|node| !node.blocked).map(|node| node.id).collect();
        let mut dwellings = Dwellings::default();
        let mut rows = FacilityRows::default();
        for feature in std::mem::take(&mut self.features) {
            self.place_feature(&feature, &on_street, &mut dwellings, &mut rows);
        }
        for point in std::mem::take(&mut self.points) {
            rows.push(point.class, format!("node/{}", point.id), point.name, point.place, vec![point.place]);
        }
        let name = crate::io::table::file_name(path);
        let facilities = self.wanted.catalogue.map(|catalogue| rows.sorted(catalogue, &name));
        Ok(Extract { streets, facilities, dwellings, left_out: self.left_out })
    }

    /// Ways of node positions, split where the extract lacks a node.
    fn streets(&mut self) -> Streets {
        let mut used: Vec<usize> = self
            .ways
            .iter()
            .flat_map(|way| way.refs.iter().filter_map(|&id| self.nodes.position(id)))
            .collect();
        used.sort_unstable();
        used.dedup();
        let number: HashMap<usize, u32> = used.iter().copied().zip(0..).collect();
        let mut streets = Streets::default();
        for &position in &used {
            streets.nodes.push(StreetNode {
                id: self.nodes.id[position],
                place: self.nodes.place[position].expect("only placed nodes are used"),
                blocked: self.nodes.flags[position] & BLOCKED != 0,
                lift: self.nodes.flags[position] & LIFT != 0,
            });
        }
        for way in std::mem::take(&mut self.ways) {
            let positions: Vec<Option<usize>> = way.refs.iter().map(|&id| self.nodes.position(id)).collect();
            self.left_out.missing_nodes +=
                positions.iter().filter(|position| position.is_none()).count() as u64;
            for run in positions.split(Option::is_none).filter(|run| run.len() > 1) {
                let start = streets.refs.len();
                streets.refs.extend(run.iter().flatten().map(|position| number[position]));
                streets.ways.push(Street {
                    id: way.id,
                    nodes: start..streets.refs.len(),
                    kind: way.walkway.kind,
                    directions: way.walkway.directions,
                    incline: way.walkway.incline,
                    off_ground: way.walkway.off_ground,
                });
            }
        }
        streets
    }

    fn place_feature(
        &mut self,
        feature: &RawFeature,
        on_street: &HashSet<i64>,
        dwellings: &mut Dwellings,
        rows: &mut FacilityRows,
    ) {
        let Some(shape) = self.shape(feature) else {
            self.left_out.broken_outlines += 1;
            return;
        };
        if let (Some(floors), Some(outline)) = (feature.floors, &shape.outline) {
            let area_m2 = outlines::area_m2(outline);
            if let Some(centre) = outline.centroid().and_then(|centre| Place::new(centre.x(), centre.y())) {
                dwellings.place.push(centre);
                dwellings.weight.push(area_m2 * floors);
            }
        }
        let doors = self.doors(&shape, on_street);
        for &class in &feature.classes {
            rows.push(class, feature.id.clone(), feature.name.clone(), shape.place, doors.clone());
        }
    }

    /// Where a feature is; `None` when its outline does not close or its nodes are missing.
    fn shape(&mut self, feature: &RawFeature) -> Option<Shape> {
        if let ([Part::Nodes(refs)], []) = (feature.outer.as_slice(), feature.inner.as_slice())
            && refs.first() != refs.last()
        {
            let place = self.nodes.place(refs[refs.len() / 2])?;
            return Some(Shape { place, outline: None, corners: vec![] });
        }
        let rings = |parts: &[Part]| {
            outlines::close_rings(parts.iter().map(|part| self.refs_of(part).to_vec()).collect())
        };
        let (outer, outer_left) = rings(&feature.outer);
        let (inner, inner_left) = rings(&feature.inner);
        self.left_out.broken_outlines += u64::from(!outer.is_empty() && outer_left + inner_left > 0);
        let places =
            |ring: &Vec<i64>| ring.iter().map(|&id| self.nodes.place(id)).collect::<Option<Vec<_>>>();
        let outer_places = outer.iter().map(places).collect::<Option<Vec<_>>>()?;
        let inner_places = inner.iter().map(places).collect::<Option<Vec<_>>>()?;
        let outline = outlines::polygons(outer_places, inner_places);
        let inside = outline.interior_point()?;
        let place = Place::new(inside.x(), inside.y())?;
        Some(Shape { place, outline: Some(outline), corners: outer.concat() })
    }

    /// Entrances and gates on the outline; else where a street meets it; else the place inside.
    fn doors(&self, shape: &Shape, on_street: &HashSet<i64>) -> Vec<Place> {
        let is_entrance = |id: &i64| {
            self.nodes.position(*id).is_some_and(|position| self.nodes.flags[position] & ENTRANCE != 0)
        };
        let mut corners = shape.corners.clone();
        corners.sort_unstable();
        corners.dedup();
        let mut doors: Vec<i64> = corners.iter().copied().filter(is_entrance).collect();
        if doors.is_empty() {
            doors = corners.into_iter().filter(|id| on_street.contains(id)).collect();
        }
        if doors.is_empty() {
            return vec![shape.place];
        }
        doors.into_iter().filter_map(|id| self.nodes.place(id)).collect()
    }
}

/// Where a feature is and what bounds it.
struct Shape {
    place: Place,
    outline: Option<MultiPolygon>,
    corners: Vec<i64>,
}

/// Facilities in the making.
#[derive(Default)]
struct FacilityRows {
    rows: Vec<FacilityRow>,
}

struct FacilityRow {
    class: usize,
    id: String,
    name: Option<String>,
    place: Place,
    doors: Vec<Place>,
}

impl FacilityRows {
    fn push(&mut self, class: usize, id: String, name: Option<String>, place: Place, doors: Vec<Place>) {
        self.rows.push(FacilityRow { class, id, name, place, doors });
    }

    fn sorted(mut self, catalogue: &Catalogue, file: &str) -> Facilities {
        self.rows.sort_by(|a, b| (a.class, &a.id).cmp(&(b.class, &b.id)));
        // Unsaved edits may repeat an id; the class list of one element never repeats a class.
        self.rows.dedup_by(|a, b| (a.class, &a.id) == (b.class, &b.id));
        let mut facilities = Facilities {
            id: Ids::Text(vec![]),
            class: vec![],
            name: vec![],
            place: vec![],
            file: vec![file.into(); self.rows.len()],
            row: vec![None; self.rows.len()],
            doors: vec![],
        };
        let mut ids = Vec::with_capacity(self.rows.len());
        for FacilityRow { class, id, name, place, doors } in self.rows {
            ids.push(id);
            facilities.class.push(catalogue.classes[class].id.clone());
            facilities.name.push(name);
            facilities.place.push(place);
            facilities.doors.push(doors);
        }
        facilities.id = Ids::Text(ids);
        facilities
    }
}

fn name_of(tags: &Tags<'_>) -> Option<String> {
    ["name", "name:zh", "name:en"].iter().find_map(|key| tags.get(key)).map(|name| (*name).to_owned())
}
