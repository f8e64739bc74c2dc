//! One walk from a place to another, leg by leg: what a planner looks at to see why a place is not covered.

use super::doors::{Joined, Walk, plus};
use super::tree::Tree;
use crate::io::facilities::with_geometry;
use crate::io::geometry;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::model::street::WayKind;
use crate::model::times::{Deciseconds, Direction, Reason};
use crate::network::graph::{CLOSED, Network};
use crate::network::line::Line;
use arrow_array::builder::{ListBuilder, StringBuilder};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, StringArray};
use geo::{Coord, Geometry, LineString, Point};
use std::sync::Arc;

/// A part of an edge that takes no tenth of a second and is shorter than this, as walked and as drawn, is no leg: the place is
/// at the corner.
const NO_STEP_M: f64 = 0.01;

/// The legs in the order of the walk, or why there is none.
pub type Route = std::result::Result<Vec<Leg>, NoRoute>;

/// Why there is no route.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum NoRoute {
    /// A place is too far from any street.
    NotSnapped {
        /// Which one; the origin when it is both.
        place: RouteEnd,
        /// Distance to the nearest street; `None` when there is no street at all.
        nearest_m: Option<f64>,
    },
    /// No way exists.
    NotConnected,
}

/// The two places of a route, as the arguments are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RouteEnd {
    /// Home.
    Origin,
    /// The facility.
    Destination,
}

impl NoRoute {
    /// The reason by the names of the other tables.
    pub const fn reason(self) -> Reason {
        match self {
            Self::NotSnapped { .. } => Reason::NotSnapped,
            Self::NotConnected => Reason::NotConnected,
        }
    }
}

/// A stretch of the walk of one kind.
#[derive(Debug, Clone, PartialEq)]
pub struct Leg {
    /// What is walked on; `None` between a place and the street.
    pub kind: Option<WayKind>,
    /// Length along the way, metres.
    pub length_m: f64,
    /// Metres up; `None` when heights are unknown.
    pub climb_m: Option<f64>,
    /// Metres down; `None` when heights are unknown.
    pub descent_m: Option<f64>,
    /// Walking time, waits included.
    pub time_ds: Deciseconds,
    /// Where it goes.
    pub line: Vec<Place>,
    /// The edges, in the order of the walk.
    pub edges: Vec<u32>,
}

impl Leg {
    /// The name of its kind in tables.
    pub fn kind_name(&self) -> &'static str {
        self.kind.map_or("off_street", WayKind::name)
    }
}

/// The fastest walk between two places: from origin to destination, or back when the walk is
/// [`Direction::FromFacility`]. Its time is the one that [`nearest`](super::nearest::nearest) gives.
///
/// Of equally fast ways: the one along the edge that both places share, else the one that [`Tree`] keeps.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn route(walk: &Walk<'_>, origin: Place, destination: Place, progress: &Progress) -> Result<Route> {
    let (home_snap, home) = walk.join(&[origin], progress)?[0];
    let (door_snap, doors) = walk.join_as_doors(&[destination], progress)?.remove(0);
    let not_snapped = |place, nearest_m| Ok(Err(NoRoute::NotSnapped { place, nearest_m }));
    let Some(home) = home else { return not_snapped(RouteEnd::Origin, home_snap.nearest_m) };
    if doors.is_empty() {
        return not_snapped(RouteEnd::Destination, door_snap.nearest_m);
    }
    let mut tree = Tree::default();
    let Some(start) = search(walk, &home, &doors, &mut tree, progress)? else {
        return Ok(Err(NoRoute::NotConnected));
    };
    let mut legs = Vec::new();
    legs.extend(off_street(walk, &home, |street| vec![origin, street]));
    let (parts, door) = parts(walk, &home, &doors, start, &tree);
    for part in parts {
        push_part(walk.network, &part, &mut legs);
    }
    legs.extend(off_street(walk, &door, |street| vec![street, destination]));
    if walk.direction == Direction::FromFacility {
        turn_round(&mut legs);
    }
    Ok(Ok(legs))
}

/// How the walk leaves home.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Start {
    /// Along the edge, straight to the door of this number.
    Along(usize),
    /// Through an end of the edge: its first (0) or second (1) node.
    End(usize),
}

fn search(
    walk: &Walk<'_>,
    home: &Joined,
    doors: &[Joined],
    tree: &mut Tree,
    progress: &Progress,
) -> Result<Option<Start>> {
    let along = doors.iter().enumerate().filter(|(_, door)| home.anchor.edge == door.anchor.edge);
    let along = along.map(|(number, door)| (walk.along_edge(home, door).min(CLOSED), number)).min();
    let mut best_ds = along.map_or(CLOSED, |(time_ds, _)| time_ds);
    let mut start = along.filter(|(time_ds, _)| *time_ds < CLOSED).map(|(_, number)| Start::Along(number));
    let home_legs = walk.home_legs(home);
    let enough = |node, time_ds| {
        for (end, &(at, leg_ds)) in home_legs.iter().enumerate() {
            if at == node && plus(time_ds, leg_ds) < best_ds {
                best_ds = plus(time_ds, leg_ds);
                start = Some(Start::End(end));
            }
        }
        time_ds >= best_ds
    };
    walk.grow(doors, CLOSED - 1, enough, tree, progress)?;
    Ok(start)
}

/// A part of an edge, walked or to be turned round.
struct Part {
    edge: usize,
    from: f64,
    to: f64,
    time_ds: Deciseconds,
}

/// The parts of edges from home to the door, and the door that it is.
fn parts(walk: &Walk<'_>, home: &Joined, doors: &[Joined], start: Start, tree: &Tree) -> (Vec<Part>, Joined) {
    let first = home.anchor.edge as usize;
    let end = match start {
        Start::End(end) => end,
        Start::Along(number) => {
            let door = doors[number];
            let time_ds = walk.along_edge(home, &door) - home.leg_ds - door.leg_ds;
            return (
                vec![Part { edge: first, from: home.anchor.share, to: door.anchor.share, time_ds }],
                door,
            );
        }
    };
    let (mut node, leg_ds) = walk.home_legs(home)[end];
    let mut parts =
        vec![Part { edge: first, from: home.anchor.share, to: end as f64, time_ds: leg_ds - home.leg_ds }];
    while let Some(via) = tree.via(node as usize) {
        let (from, to) = if via.is_start() { (0.0, 1.0) } else { (1.0, 0.0) };
        let other = walk.network.other_end(via);
        let time_ds = tree.time_ds(node as usize) - tree.time_ds(other);
        parts.push(Part { edge: via.edge(), from, to, time_ds });
        node = other as u32;
    }
    let door_ds = tree.time_ds(node as usize);
    let arrives = |&(at, leg_ds): &(u32, Deciseconds)| at == node && leg_ds == door_ds;
    let ways_in =
        doors.iter().filter_map(|door| Some((door, walk.door_legs(door).iter().position(arrives)?)));
    let (door, end) = ways_in.into_iter().next().expect("the tree grew from a door");
    let time_ds = door_ds - door.leg_ds;
    let last = door.anchor.edge as usize;
    parts.push(Part { edge: last, from: end as f64, to: door.anchor.share, time_ds });
    (parts, *door)
}

/// The leg between a place and its point of the street; none when it takes no tenth of a second.
fn off_street(walk: &Walk<'_>, place: &Joined, line: impl Fn(Place) -> Vec<Place>) -> Option<Leg> {
    let street = Line::of(walk.network, place.anchor.edge as usize).at(place.anchor.share);
    (place.leg_ds > 0).then(|| Leg {
        kind: None,
        length_m: place.anchor.away_m,
        climb_m: None,
        descent_m: None,
        time_ds: place.leg_ds,
        line: line(street),
        edges: Vec::new(),
    })
}

/// Add a part to the last leg where it is of the same kind, else as a new one.
fn push_part(network: &Network, part: &Part, legs: &mut Vec<Leg>) {
    let length_m = network.edges.length_m[part.edge] * (part.to - part.from).abs();
    let line = Line::of(network, part.edge);
    // A survey may state a length of nothing between two places far apart.
    let drawn_m = line.at(part.from).distance_m(line.at(part.to));
    if part.time_ds == 0 && length_m.max(drawn_m) < NO_STEP_M {
        return;
    }
    let places = line.stops(part.from, part.to).into_iter().map(|share| line.at(share)).collect();
    let climb = network.climb(part.edge, part.from, part.to);
    let leg = Leg {
        kind: Some(network.edges.kind[part.edge]),
        length_m,
        climb_m: climb.map(|climb| climb.up_m),
        descent_m: climb.map(|climb| climb.down_m),
        time_ds: part.time_ds,
        line: places,
        edges: vec![part.edge as u32],
    };
    match legs.last_mut() {
        Some(last) if last.kind == leg.kind => extend(last, leg),
        _ => legs.push(leg),
    }
}

fn extend(leg: &mut Leg, next: Leg) {
    let sum = |a: Option<f64>, b: Option<f64>| a.zip(b).map(|(a, b)| a + b);
    leg.length_m += next.length_m;
    leg.climb_m = sum(leg.climb_m, next.climb_m);
    leg.descent_m = sum(leg.descent_m, next.descent_m);
    leg.time_ds += next.time_ds;
    let known = usize::from(leg.line.last() == next.line.first());
    leg.line.extend(next.line.into_iter().skip(known));
    leg.edges.extend(next.edges);
}

fn turn_round(legs: &mut [Leg]) {
    legs.reverse();
    for leg in legs {
        std::mem::swap(&mut leg.climb_m, &mut leg.descent_m);
        leg.line.reverse();
        leg.edges.reverse();
    }
}

/// Legs as a table, in the order of the walk: `kind`, `length_m`, `climb_m`, `descent_m` (null where heights are
/// unknown), `time_s`, `source_ids` (the ways, as text), `geometry` (lines; a point where a leg has no length on the map,
/// as a lift).
pub fn to_batch(network: &Network, legs: &[Leg]) -> RecordBatch {
    let number = |of: &dyn Fn(&Leg) -> Option<f64>| -> ArrayRef {
        Arc::new(legs.iter().map(of).collect::<Float64Array>())
    };
    let mut ways = ListBuilder::new(StringBuilder::new());
    for leg in legs {
        let mut ids: Vec<String> =
            leg.edges.iter().map(|&edge| network.edge_id.text(edge as usize)).collect();
        ids.dedup();
        ways.append_value(ids.into_iter().map(Some));
    }
    let kinds = legs.iter().map(Leg::kind_name);
    with_geometry(
        vec![
            ("kind", Arc::new(StringArray::from_iter_values(kinds)), false),
            ("length_m", number(&|leg| Some(leg.length_m)), false),
            ("climb_m", number(&|leg| leg.climb_m), true),
            ("descent_m", number(&|leg| leg.descent_m), true),
            ("time_s", number(&|leg| Some(f64::from(leg.time_ds) / 10.0)), false),
            ("source_ids", Arc::new(ways.finish()), false),
        ],
        geometry::encode(legs.iter().map(|leg| drawn(&leg.line))),
    )
}

fn drawn(line: &[Place]) -> Geometry {
    let mut places = line.to_vec();
    places.dedup();
    let coord = |place: &Place| Coord { x: place.lon(), y: place.lat() };
    match places.as_slice() {
        [place] => Geometry::Point(Point(coord(place))),
        places => Geometry::LineString(places.iter().map(coord).collect::<LineString>()),
    }
}
