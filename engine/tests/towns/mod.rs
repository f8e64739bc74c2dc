//! Tiny towns for tests, in metres and compass words.
//!
//! **All towns are synthetic**: every street, shop and building here is made up
//! and none is taken from a map. A reader should be able to solve a town in the
//! head ("200 m east, then 100 m north"), so a test can state its answer from
//! plain sums and not from what the engine happened to say. A town is written as
//! a real OSM PBF file and read back through the production path.
//!
//! ```ignore
//! let mut town = Town::new();
//! let home = town.corner(0.0, 0.0);
//! let stairs = town.street(home).east(200.0).north(100.0).done();
//! town.street(stairs).north(30.0).kind("steps").done();
//! town.shop(200.0, 105.0, &[("shop", "supermarket"), ("name", "山城超市")]);
//! town.write_pbf(&folder.join("town.osm.pbf"));
//! ```

#![allow(dead_code, reason = "each test file uses a part of the town builder")]

pub use walkshed::io::osm::write as pbf;
pub mod study;
pub mod walk;

use std::collections::HashMap;
use std::path::Path;

/// The id of a node in the town's file.
pub type NodeId = i64;

type Tags = Vec<(String, String)>;

/// Two places no further apart than this, east and north, are the same corner.
const SAME_PLACE_M: f64 = 0.001;

const SEMI_MAJOR_M: f64 = 6_378_137.0;
const FLATTENING: f64 = 1.0 / 298.257_223_563;
const ECCENTRICITY_SQUARED: f64 = FLATTENING * (2.0 - FLATTENING);

/// A synthetic town under construction.
///
/// Ids count from 1 in the order of building, and apart for nodes, ways and
/// relations, so the same number names three things, as it can in OSM: code that
/// mixes them up fails here. The last way's id is [`Town::way_count`].
pub struct Town {
    origin: (f64, f64),
    nodes: Vec<pbf::Node>,
    /// Metres east and north of the origin, one for each of `nodes`.
    places: Vec<(f64, f64)>,
    /// The corners, but no shops, by their place in whole millimetres.
    corners: HashMap<(i64, i64), NodeId>,
    ways: Vec<pbf::Way>,
    relations: Vec<pbf::Relation>,
}

impl Town {
    /// A town without anything in it, at about the latitude of a hilly city.
    pub fn new() -> Self {
        Self::at(106.55, 29.56)
    }

    /// An empty town elsewhere, for what depends on the latitude. Keep it a few
    /// kilometres wide: metres on a plane only then fit the round earth.
    pub fn at(lon: f64, lat: f64) -> Self {
        Self {
            origin: (lon, lat),
            nodes: Vec::new(),
            places: Vec::new(),
            corners: HashMap::new(),
            ways: Vec::new(),
            relations: Vec::new(),
        }
    }

    /// Degrees on the WGS-84 ellipsoid of a place in metres from the origin.
    ///
    /// Metres east are turned into degrees at the place's own latitude, so that
    /// every east-west street has the length that the test gave it.
    pub fn lon_lat(&self, east_m: f64, north_m: f64) -> (f64, f64) {
        let (lon0, lat0) = (self.origin.0.to_radians(), self.origin.1.to_radians());
        let mut lat = lat0;
        // The middle latitude depends on the answer; each pass gains far more
        // digits than the one before, so a few settle it.
        for _ in 0..4 {
            lat = lat0 + north_m / meridian_radius_m(f64::midpoint(lat0, lat));
        }
        let lon = lon0 + east_m / (prime_vertical_radius_m(lat) * lat.cos());
        (lon.to_degrees(), lat.to_degrees())
    }

    /// The node at a place, made if there is none yet: streets that come to the
    /// same place share it and are joined there, as streets of OSM are.
    pub fn corner(&mut self, east_m: f64, north_m: f64) -> NodeId {
        if let Some(node) = self.corner_near(east_m, north_m) {
            return node;
        }
        let node = self.add_node(east_m, north_m, Tags::new());
        self.corners.insert(millimetres(east_m, north_m), node);
        node
    }

    /// Sets a tag of a node, such as a gate on a corner.
    #[track_caller]
    pub fn tag_node(&mut self, node: NodeId, key: &str, value: &str) {
        let index = self.index_of(node);
        set_tag(&mut self.nodes[index].tags, key, value);
    }

    /// Starts a street; compass words lead it on and `done` adds it.
    #[track_caller]
    pub fn street(&mut self, from: NodeId) -> StreetBuilder<'_> {
        let (east_m, north_m) = self.place(from);
        let start = self.corner(east_m, north_m);
        let mut tags = Tags::new();
        set_tag(&mut tags, "highway", "residential");
        StreetBuilder { town: self, nodes: vec![start], tags }
    }

    /// Streets every `block_m` to the east and north of the origin, each one way
    /// from edge to edge through all its crossings, like the grid of a desert
    /// town: a reader has to split them at the crossings by itself.
    pub fn grid(&mut self, blocks_east: usize, blocks_north: usize, block_m: f64) {
        for row in 0..=blocks_north {
            let start = self.corner(0.0, row as f64 * block_m);
            let street = self.street(start);
            (0..blocks_east).fold(street, |street, _| street.east(block_m)).done();
        }
        for column in 0..=blocks_east {
            let start = self.corner(column as f64 * block_m, 0.0);
            let street = self.street(start);
            (0..blocks_north).fold(street, |street, _| street.north(block_m)).done();
        }
    }

    /// A tagged node that stands alone: even where a street passes through the
    /// very place the two stay apart, since shops of OSM are not on street lines.
    pub fn shop(&mut self, east_m: f64, north_m: f64, tags: &[(&str, &str)]) -> NodeId {
        self.add_node(east_m, north_m, owned(tags))
    }

    /// A closed way, such as a building or a park; gives the way's id. The first
    /// corner need not be said again at the end.
    #[track_caller]
    pub fn ring(&mut self, corners: &[(f64, f64)], tags: &[(&str, &str)]) -> i64 {
        let mut nodes: Vec<NodeId> = corners.iter().map(|&(e, n)| self.corner(e, n)).collect();
        if nodes.first() != nodes.last() {
            nodes.push(nodes[0]);
        }
        assert!(nodes.len() >= 4, "a ring needs three corners or more, got {corners:?}");
        self.add_way(nodes, owned(tags))
    }

    /// An area as a relation, with a hole if `inner` has corners; gives the
    /// relation's id. The member ways have no tags: all is said by the relation.
    #[track_caller]
    pub fn multipolygon(&mut self, outer: &[(f64, f64)], inner: &[(f64, f64)], tags: &[(&str, &str)]) -> i64 {
        let mut members = vec![way_member(self.ring(outer, &[]), "outer")];
        if !inner.is_empty() {
            members.push(way_member(self.ring(inner, &[]), "inner"));
        }
        let mut tags = owned(tags);
        set_tag(&mut tags, "type", "multipolygon");
        let id = next_id(self.relations.len());
        self.relations.push(pbf::Relation { id, members, tags });
        id
    }

    /// How many ways the town has: streets, rings and parts of multipolygons.
    pub fn way_count(&self) -> usize {
        self.ways.len()
    }

    /// How many nodes the town has: corners and shops.
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// Writes the town as an OSM PBF file. The format keeps steps of about 1 cm,
    /// so a length read back can be a centimetre off.
    #[track_caller]
    pub fn write_pbf(&self, path: &Path) {
        if let Err(error) = pbf::write(path, &self.nodes, &self.ways, &self.relations) {
            panic!("cannot write the town to {}: {error}", path.display());
        }
    }

    /// A drawing of the town, north up, to look at when a test fails: streets
    /// black, steps red, outlines grey, tagged nodes blue with their tags as the
    /// tooltip.
    pub fn to_svg(&self) -> String {
        let (west, south, east, north) = self.bounds();
        let line = (east - west).max(north - south).max(1.0) / 200.0;
        let (left, top) = (west - 5.0 * line, -north - 5.0 * line);
        let (width, height) = (east - west + 10.0 * line, north - south + 10.0 * line);
        let mut svg = format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"800\" \
             viewBox=\"{left:.3} {top:.3} {width:.3} {height:.3}\">\n\
             <g fill=\"none\" stroke-width=\"{line:.3}\">\n"
        );
        svg.extend(self.ways.iter().map(|way| self.svg_line(way)));
        svg += "</g>\n<g fill=\"blue\">\n";
        let tagged = self.nodes.iter().filter(|node| !node.tags.is_empty());
        svg.extend(tagged.map(|node| self.svg_dot(node, 1.5 * line)));
        svg + "</g>\n</svg>\n"
    }

    fn svg_line(&self, way: &pbf::Way) -> String {
        let highway = way.tags.iter().find(|(key, _)| key == "highway");
        let colour = match highway.map(|(_, value)| value.as_str()) {
            Some("steps") => "red",
            Some(_) => "black",
            None => "grey",
        };
        let places = way.nodes.iter().map(|&node| self.place(node));
        let points: Vec<String> = places.map(|(e, n)| format!("{e:.3},{:.3}", -n)).collect();
        format!("<polyline stroke=\"{colour}\" points=\"{}\"/>\n", points.join(" "))
    }

    fn svg_dot(&self, node: &pbf::Node, radius: f64) -> String {
        let (east, north) = self.place(node.id);
        let tags: Vec<String> = node.tags.iter().map(|(k, v)| format!("{k}={v}")).collect();
        let title = tags.join(" ").replace('&', "&amp;").replace('<', "&lt;");
        format!(
            "<circle cx=\"{east:.3}\" cy=\"{:.3}\" r=\"{radius:.3}\">\
             <title>node {}: {title}</title></circle>\n",
            -north, node.id
        )
    }

    /// West, south, east and north of all nodes and the origin, in metres.
    fn bounds(&self) -> (f64, f64, f64, f64) {
        self.places
            .iter()
            .fold((0.0, 0.0, 0.0, 0.0), |(w, s, e, n), &(x, y)| (x.min(w), y.min(s), x.max(e), y.max(n)))
    }

    /// The nearest corner at the same place. Looks in the millimetres around as
    /// well, since a sum of legs may fall just across the edge of one.
    fn corner_near(&self, east_m: f64, north_m: f64) -> Option<NodeId> {
        let (column, row) = millimetres(east_m, north_m);
        let around = (-1..=1).flat_map(|x| (-1..=1).map(move |y| (column + x, row + y)));
        around
            .filter_map(|cell| self.corners.get(&cell).copied())
            .map(|node| (apart_m(self.place(node), (east_m, north_m)), node))
            .filter(|&(apart, _)| apart <= SAME_PLACE_M)
            .min_by(|a, b| a.0.total_cmp(&b.0))
            .map(|(_, node)| node)
    }

    #[track_caller]
    fn place(&self, node: NodeId) -> (f64, f64) {
        self.places[self.index_of(node)]
    }

    #[track_caller]
    fn index_of(&self, node: NodeId) -> usize {
        let index = usize::try_from(node - 1).ok().filter(|&i| i < self.nodes.len());
        index.unwrap_or_else(|| panic!("the town has no node {node}"))
    }

    fn add_node(&mut self, east_m: f64, north_m: f64, tags: Tags) -> NodeId {
        let id = next_id(self.nodes.len());
        let (lon, lat) = self.lon_lat(east_m, north_m);
        self.nodes.push(pbf::Node { id, lon, lat, tags });
        self.places.push((east_m, north_m));
        id
    }

    fn add_way(&mut self, nodes: Vec<NodeId>, tags: Tags) -> i64 {
        let id = next_id(self.ways.len());
        self.ways.push(pbf::Way { id, nodes, tags });
        id
    }
}

/// A street on its way through the town.
#[must_use = "a street is added to the town by done()"]
pub struct StreetBuilder<'a> {
    town: &'a mut Town,
    nodes: Vec<NodeId>,
    tags: Tags,
}

impl StreetBuilder<'_> {
    /// Goes so many metres to the east.
    pub fn east(self, metres: f64) -> Self {
        self.leg(metres, 0.0)
    }

    /// Goes so many metres to the west.
    pub fn west(self, metres: f64) -> Self {
        self.leg(-metres, 0.0)
    }

    /// Goes so many metres to the north.
    pub fn north(self, metres: f64) -> Self {
        self.leg(0.0, metres)
    }

    /// Goes so many metres to the south.
    pub fn south(self, metres: f64) -> Self {
        self.leg(0.0, -metres)
    }

    /// Goes straight to the place of a node. A shop only lends its place: the
    /// street gets a corner of its own there.
    #[track_caller]
    pub fn to(mut self, node: NodeId) -> Self {
        let (east_m, north_m) = self.town.place(node);
        self.nodes.push(self.town.corner(east_m, north_m));
        self
    }

    /// Sets a tag of the street.
    pub fn tag(mut self, key: &str, value: &str) -> Self {
        set_tag(&mut self.tags, key, value);
        self
    }

    /// Sets what kind of street it is: the value of `highway`.
    pub fn kind(self, value: &str) -> Self {
        self.tag("highway", value)
    }

    /// Adds the street to the town; gives the node at its end, where the next
    /// street can start.
    #[track_caller]
    pub fn done(self) -> NodeId {
        assert!(self.nodes.len() >= 2, "a street needs a leg before done()");
        let end = self.nodes[self.nodes.len() - 1];
        self.town.add_way(self.nodes, self.tags);
        end
    }

    fn leg(mut self, east_m: f64, north_m: f64) -> Self {
        let (east, north) = self.town.place(self.nodes[self.nodes.len() - 1]);
        self.nodes.push(self.town.corner(east + east_m, north + north_m));
        self
    }
}

/// The radius of the earth's curve along a meridian, at a latitude in radians.
fn meridian_radius_m(lat: f64) -> f64 {
    let flatter = 1.0 - ECCENTRICITY_SQUARED * lat.sin().powi(2);
    SEMI_MAJOR_M * (1.0 - ECCENTRICITY_SQUARED) / flatter.powf(1.5)
}

/// The radius of the earth's curve from east to west, at a latitude in radians.
fn prime_vertical_radius_m(lat: f64) -> f64 {
    SEMI_MAJOR_M / (1.0 - ECCENTRICITY_SQUARED * lat.sin().powi(2)).sqrt()
}

fn millimetres(east_m: f64, north_m: f64) -> (i64, i64) {
    ((east_m * 1000.0).round() as i64, (north_m * 1000.0).round() as i64)
}

/// How far apart two places are, east-west or north-south, whichever is more.
fn apart_m(a: (f64, f64), b: (f64, f64)) -> f64 {
    (a.0 - b.0).abs().max((a.1 - b.1).abs())
}

fn next_id(count: usize) -> i64 {
    i64::try_from(count + 1).expect("a town has fewer elements than an id can count")
}

fn owned(tags: &[(&str, &str)]) -> Tags {
    tags.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// Replaces an older value, because an OSM element has each key once.
fn set_tag(tags: &mut Tags, key: &str, value: &str) {
    match tags.iter_mut().find(|(known, _)| known == key) {
        Some((_, old)) => value.clone_into(old),
        None => tags.push((key.to_owned(), value.to_owned())),
    }
}

fn way_member(id: i64, role: &str) -> pbf::Member {
    pbf::Member { kind: pbf::MemberKind::Way, id, role: role.to_owned() }
}
