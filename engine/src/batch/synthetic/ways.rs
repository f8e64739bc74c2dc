//! The city as an extract of OpenStreetMap: junctions, streets, stairs, machines, walls, buildings and rivers.

use super::City;
use super::buildings::Building;
use super::chance::Purpose;
use super::estates::{Post, SETBACK};
use super::lattice::ESTATE;
use super::machines::{Machine, MachineKind};
use super::names;
use super::streets::{Kind, Street};
use super::water::Water;
use crate::io::osm::write::{Bounds, Member, MemberKind, Node, Relation, Tags, Way, Writer};
use crate::model::error::Result;
use crate::model::progress::Progress;
use crate::model::synthetic::SOURCE;
use geo::Coord;
use std::collections::HashMap;
use std::path::Path;

/// Kinds of names.
const STREET_NAMES: u64 = 1;
const ESTATE_NAMES: u64 = 2;

/// The elements of a city by number.
pub struct Elements<'a> {
    city: &'a City,
    /// Positions of lifts with a tower among the machines; each is a node.
    towers: Vec<usize>,
    /// Posts of walls that no street passes.
    posts: Vec<Coord>,
    walls: Vec<Wall>,
    /// Shores: of the main river, of its island, of the side river.
    shores: [Vec<Coord>; 3],
}

/// The wall of an estate, by the ids of its nodes.
struct Wall {
    tile: usize,
    nodes: Vec<i64>,
}

/// Write the extract.
pub fn write(path: &Path, city: &City, progress: &Progress) -> Result<()> {
    let elements = Elements::new(city);
    let (nodes, ways) = (elements.nodes(), elements.ways());
    progress.begin("writing streets", nodes + ways)?;
    let mut writer = Writer::create(path, Some(city.bounds()))?;
    writer.nodes(nodes, |number| elements.node(number), progress)?;
    writer.ways(ways, |number| elements.way(number), progress)?;
    writer.relations(1, |_| elements.river(), progress)?;
    writer.finish()
}

impl<'a> Elements<'a> {
    /// Number the elements.
    pub fn new(city: &'a City) -> Self {
        let is_tower = |&at: &usize| matches!(city.machines[at].kind, MachineKind::Lift { .. });
        let towers = (0..city.machines.len()).filter(is_tower).collect();
        let Water { main, island, side } = Water::new(&city.lattice.terrain, city.half_m());
        let mut new = Self { city, towers, posts: vec![], walls: vec![], shores: [main, island, side] };
        new.put_up_walls();
        new
    }

    /// How many nodes: junctions, the middles of streets, lifts, posts of walls, corners of buildings and of shores.
    pub fn nodes(&self) -> usize {
        self.first_of_shore(self.shores.len())
    }

    /// How many ways: streets, machines (a tower has two ways), walls, buildings, shores.
    pub fn ways(&self) -> usize {
        self.first_shore() + self.shores.len()
    }

    fn first_middle(&self) -> usize {
        self.city.lattice.len()
    }

    fn first_tower(&self) -> usize {
        self.first_middle() + self.city.streets.len()
    }

    fn first_post(&self) -> usize {
        self.first_tower() + self.towers.len()
    }

    fn first_corner(&self) -> usize {
        self.first_post() + self.posts.len()
    }

    /// The first node of a shore: its last corner is its first.
    fn first_of_shore(&self, shore: usize) -> usize {
        let before: usize = self.shores[..shore].iter().map(|ring| ring.len() - 1).sum();
        self.first_corner() + 4 * self.city.buildings.len() + before
    }

    fn first_footbridge(&self) -> usize {
        self.city.streets.len() + self.city.machines.len()
    }

    fn first_wall(&self) -> usize {
        self.first_footbridge() + self.towers.len()
    }

    fn first_shore(&self) -> usize {
        self.first_wall() + self.walls.len() + self.city.buildings.len()
    }

    /// A node by its number.
    pub fn node(&self, number: usize) -> Node {
        let city = self.city;
        let (at, tags) = if number < self.first_middle() {
            (city.lattice.of_junction(number as u32), vec![])
        } else if number < self.first_tower() {
            let street = &city.streets[number - self.first_middle()];
            (city.middle_of(street, number - self.first_middle()), gate_tags(street.kind))
        } else if number < self.first_post() {
            self.tower(number - self.first_tower())
        } else if number < self.first_corner() {
            (self.posts[number - self.first_post()], vec![])
        } else if number < self.first_of_shore(0) {
            let corner = number - self.first_corner();
            (city.buildings[corner / 4].corners()[corner % 4], vec![])
        } else {
            let shore = (0..self.shores.len()).rfind(|&shore| self.first_of_shore(shore) <= number);
            let shore = shore.unwrap_or_default();
            (self.shores[shore][number - self.first_of_shore(shore)], vec![])
        };
        let place = city.lattice.place(at);
        Node { id: id(number), lon: place.lon(), lat: place.lat(), tags }
    }

    /// A lift stands where its stairs begin to climb, and its footbridge leads to their upper end.
    fn tower(&self, tower: usize) -> (Coord, Tags) {
        let machine = self.city.machines[self.towers[tower]];
        let [low, high] = self.low_high(machine).map(|end| self.city.lattice.of_junction(end));
        let tags = tags(&[
            ("highway", "elevator"),
            ("level", &format!("0;{}", floors(machine))),
            ("wheelchair", "yes"),
            ("source", SOURCE),
        ]);
        (beside(low, high, 0.25, 3.0), tags)
    }

    /// The ends of the stairs that a machine stands beside, the lower first.
    fn low_high(&self, machine: Machine) -> [u32; 2] {
        let street = &self.city.streets[machine.street];
        if street.kind.public_steps().is_some_and(|steps| steps < 0) {
            [street.to, street.from]
        } else {
            [street.from, street.to]
        }
    }

    /// A way by its number.
    pub fn way(&self, number: usize) -> Way {
        let (nodes, tags) = if number < self.city.streets.len() {
            self.street(number)
        } else if number < self.first_footbridge() {
            self.machine(number - self.city.streets.len())
        } else if number < self.first_wall() {
            self.footbridge(number - self.first_footbridge())
        } else if number < self.first_wall() + self.walls.len() {
            self.wall(&self.walls[number - self.first_wall()])
        } else if number < self.first_shore() {
            self.building(number - self.first_wall() - self.walls.len())
        } else {
            self.shore(number - self.first_shore())
        };
        Way { id: id(number), nodes, tags }
    }

    fn street(&self, number: usize) -> (Vec<i64>, Tags) {
        let street = &self.city.streets[number];
        let nodes = vec![id(street.from as usize), id(self.first_middle() + number), id(street.to as usize)];
        (nodes, self.street_tags(street, number))
    }

    fn street_tags(&self, street: &Street, number: usize) -> Tags {
        let mut draw = self.city.chance.of(Purpose::Street, (1 << 40) | number as u64);
        let mut tags = match street.kind {
            Kind::Primary => tags(&[("highway", "primary"), ("sidewalk", "both")]),
            Kind::Secondary => tags(&[("highway", "secondary"), ("sidewalk", "both")]),
            Kind::Tertiary => tags(&[("highway", "tertiary")]),
            Kind::Residential => tags(&[("highway", "residential")]),
            Kind::Service => tags(&[("highway", "service")]),
            Kind::Footway => tags(&[("highway", "footway")]),
            Kind::Steps(steps) => stairs(steps, draw.happens(0.7), draw.happens(0.1)),
            Kind::Bridge => {
                tags(&[("highway", "secondary"), ("sidewalk", "both"), ("bridge", "yes"), ("layer", "1")])
            }
            Kind::Tunnel => {
                tags(&[("highway", "secondary"), ("sidewalk", "both"), ("tunnel", "yes"), ("layer", "-1")])
            }
            Kind::Estate(cars) => {
                tags(&[("highway", if cars { "service" } else { "footway" }), ("access", "private")])
            }
            Kind::EstateSteps(steps) => {
                let mut tags = stairs(steps, draw.happens(0.8), draw.happens(0.3));
                tags.push(("access".to_owned(), "private".to_owned()));
                tags
            }
            Kind::Gate(_) => tags(&[("highway", "service"), ("access", "private")]),
        };
        if Self::has_name(street) {
            tags.push(("name".to_owned(), self.street_name(street)));
        }
        tags.push(("source".to_owned(), SOURCE.to_owned()));
        tags
    }

    /// Roads between estates and the streets through their middles have names.
    fn has_name(street: &Street) -> bool {
        let on_line = (street.line as usize / 2).is_multiple_of(ESTATE / 2);
        on_line && !matches!(street.kind, Kind::Estate(_) | Kind::EstateSteps(_) | Kind::Gate(_))
    }

    fn street_name(&self, street: &Street) -> String {
        let name = names::name(self.city.chance, STREET_NAMES, u64::from(street.line));
        let ending = match (street.kind, (street.line as usize / 2) % (2 * ESTATE)) {
            (Kind::Bridge, _) => "大桥",
            (Kind::Tunnel, _) => "隧道",
            (Kind::Steps(_), _) => "梯道",
            (_, 0) => "大道",
            _ => "路",
        };
        format!("{name}{ending}")
    }

    fn machine(&self, number: usize) -> (Vec<i64>, Tags) {
        let machine = self.city.machines[number];
        let [low, high] = self.low_high(machine).map(|end| id(end as usize));
        match machine.kind {
            MachineKind::Escalator => {
                let tags = tags(&[
                    ("highway", "steps"),
                    ("conveying", "forward"),
                    ("incline", "up"),
                    ("source", SOURCE),
                ]);
                (vec![low, high], tags)
            }
            MachineKind::InclinedLift => {
                let tags = tags(&[("highway", "elevator"), ("wheelchair", "yes"), ("source", SOURCE)]);
                (vec![low, high], tags)
            }
            MachineKind::Lift { .. } => {
                let tower = self.towers.partition_point(|&tower| tower < number);
                let tags = tags(&[("highway", "footway"), ("level", "0"), ("source", SOURCE)]);
                (vec![low, id(self.first_tower() + tower)], tags)
            }
        }
    }

    fn footbridge(&self, tower: usize) -> (Vec<i64>, Tags) {
        let machine = self.city.machines[self.towers[tower]];
        let [_, high] = self.low_high(machine).map(|end| id(end as usize));
        let tags = tags(&[
            ("highway", "footway"),
            ("bridge", "yes"),
            ("layer", "1"),
            ("level", &floors(machine).to_string()),
            ("source", SOURCE),
        ]);
        (vec![id(self.first_tower() + tower), high], tags)
    }

    fn wall(&self, wall: &Wall) -> (Vec<i64>, Tags) {
        let name = names::name(self.city.chance, ESTATE_NAMES, wall.tile as u64);
        let tags = tags(&[("barrier", "wall"), ("name", &format!("{name}小区围墙")), ("source", SOURCE)]);
        (wall.nodes.clone(), tags)
    }

    fn building(&self, number: usize) -> (Vec<i64>, Tags) {
        let building: &Building = &self.city.buildings[number];
        let first = self.first_corner() + 4 * number;
        let tags = tags(&[
            ("building", "apartments"),
            ("building:levels", &building.floors.to_string()),
            ("source", SOURCE),
        ]);
        ([0, 1, 2, 3, 0].iter().map(|corner| id(first + corner)).collect(), tags)
    }

    /// A shore; the tags of the main river are those of its relation.
    fn shore(&self, shore: usize) -> (Vec<i64>, Tags) {
        let first = self.first_of_shore(shore);
        let corners = self.shores[shore].len() - 1;
        let tags =
            if shore == 2 { water("synthetic side river 合成支流") } else { tags(&[("source", SOURCE)]) };
        ((0..=corners).map(|corner| id(first + corner % corners)).collect(), tags)
    }

    /// The main river around its island.
    pub fn river(&self) -> Relation {
        let member = |shore: usize, role: &str| Member {
            kind: MemberKind::Way,
            id: id(self.first_shore() + shore),
            role: role.to_owned(),
        };
        let mut tags = tags(&[("type", "multipolygon")]);
        tags.extend(water("synthetic main river 合成干流"));
        Relation { id: 1, members: vec![member(0, "outer"), member(1, "inner")], tags }
    }

    fn put_up_walls(&mut self) {
        let city = self.city;
        let mut gates: HashMap<[u32; 2], usize> = HashMap::new();
        for (number, street) in city.streets.iter().enumerate() {
            if matches!(street.kind, Kind::Gate(_)) {
                gates.insert([street.from, street.to], number);
            }
        }
        for tile in city.estates.walled() {
            let mut nodes: Vec<i64> = Vec::new();
            for post in city.estates.wall(&city.lattice, tile) {
                let gate = match post {
                    Post::Corner(..) => None,
                    Post::Street(outer, inner) => {
                        let mut ends = [outer, inner].map(|point| city.lattice.junction[point]);
                        ends.sort_unstable();
                        gates.get(&ends)
                    }
                };
                nodes.push(if let Some(&street) = gate {
                    id(self.first_middle() + street)
                } else {
                    self.posts.push(city.post(post));
                    id(self.first_post() + self.posts.len() - 1)
                });
            }
            nodes.extend(nodes.first().copied());
            self.walls.push(Wall { tile, nodes });
        }
    }
}

impl City {
    /// A street bends a little in its middle; a gate stands in the wall that it leads through.
    fn middle_of(&self, street: &Street, number: usize) -> Coord {
        let [from, to] = [street.from, street.to].map(|end| self.lattice.of_junction(end));
        match street.kind {
            Kind::Bridge | Kind::Tunnel => from + (to - from) * 0.5,
            Kind::Gate(_) => {
                let point = self.lattice.point[street.from as usize] as usize;
                let outwards = self.estates.of_point(self.lattice.columns, point).is_some();
                from + (to - from) * if outwards { 1.0 - SETBACK } else { SETBACK }
            }
            _ => {
                let mut draw = self.chance.of(Purpose::Jitter, (1 << 40) | number as u64);
                beside(from, to, 0.5, draw.between(-3.0, 3.0))
            }
        }
    }

    fn post(&self, post: Post) -> Coord {
        match post {
            Post::Corner(mesh, [east, north]) => self.lattice.in_mesh(mesh, east, north),
            Post::Street(outer, inner) => {
                let [outer, inner] = [outer, inner].map(|point| self.lattice.at(point));
                outer + (inner - outer) * SETBACK
            }
        }
    }

    /// Metres from the middle to the edge of the extract, with room for what stands beside the lattice.
    fn half_m(&self) -> f64 {
        const ROOM_M: f64 = 300.0;
        self.lattice.half_side_m() + ROOM_M
    }

    /// The box of the extract.
    fn bounds(&self) -> Bounds {
        let half_m = self.half_m();
        let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)]
            .map(|(x, y)| self.lattice.place(Coord { x: x * half_m, y: y * half_m }));
        let least =
            |of: fn(&crate::model::place::Place) -> f64| corners.iter().map(of).fold(f64::MAX, f64::min);
        let most =
            |of: fn(&crate::model::place::Place) -> f64| corners.iter().map(of).fold(f64::MIN, f64::max);
        Bounds {
            west: least(|place| place.lon()),
            south: least(|place| place.lat()),
            east: most(|place| place.lon()),
            north: most(|place| place.lat()),
        }
    }
}

/// Ids of elements count from 1.
fn id(number: usize) -> i64 {
    number as i64 + 1
}

fn floors(machine: Machine) -> u16 {
    match machine.kind {
        MachineKind::Lift { floors } => floors,
        MachineKind::Escalator | MachineKind::InclinedLift => 0,
    }
}

fn gate_tags(kind: Kind) -> Tags {
    match kind {
        Kind::Gate(true) => tags(&[("barrier", "gate"), ("access", "private"), ("source", SOURCE)]),
        Kind::Gate(false) => tags(&[("barrier", "gate"), ("source", SOURCE)]),
        _ => vec![],
    }
}

fn stairs(steps: i16, handrail: bool, ramp: bool) -> Tags {
    let count = steps.abs().max(1).to_string();
    let incline = if steps < 0 { "down" } else { "up" };
    let mut tags = tags(&[("highway", "steps"), ("step_count", &count), ("incline", incline)]);
    if handrail {
        tags.push(("handrail".to_owned(), "yes".to_owned()));
    }
    if ramp {
        tags.push(("ramp:stroller".to_owned(), "yes".to_owned()));
    }
    tags
}

fn water(name: &str) -> Tags {
    tags(&[("natural", "water"), ("water", "river"), ("name", name), ("source", SOURCE)])
}

fn tags(pairs: &[(&str, &str)]) -> Tags {
    pairs.iter().map(|&(key, value)| (key.to_owned(), value.to_owned())).collect()
}

/// The place at a share of a straight line, so many metres to its left.
fn beside(from: Coord, to: Coord, share: f64, left_m: f64) -> Coord {
    let ahead = to - from;
    let length_m = ahead.x.hypot(ahead.y).max(1e-9);
    from + ahead * share + Coord { x: -ahead.y, y: ahead.x } * (left_m / length_m)
}
