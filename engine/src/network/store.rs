//! A built network on disk, as [`crate::io::lists`].

use super::graph::{Edges, Flight, GivenTimes, HeightSource, Heights, Network, Origin, Ride, Ways};
use crate::io::lists::{self, Column, Layout, Lists, flags, id_list, lat, list, lon, texts};
use crate::model::error::Result;
use crate::model::level::Level;
use crate::model::place::Place;
use crate::model::street::{Directions, WayKind};
use arrow_array::types::{Float32Type, Float64Type, Int16Type, UInt8Type, UInt32Type};
use std::path::Path;

const LAYOUT: Layout = Layout { version: "walkshed-network/4", expected: "walkshed network" };

/// How a missing floor is written.
const NO_LEVEL: i16 = i16::MIN;

/// What may be true, false or unknown, in the order of the codes.
const YES_NO: [Option<bool>; 3] = [None, Some(false), Some(true)];

/// Write a network to a file, replacing an earlier one in one step.
pub fn save(network: &Network, path: &Path) -> Result<()> {
    lists::save(path, LAYOUT, columns(network))
}

/// Read a network that [`save`] wrote.
///
/// # Errors
/// A problem when the file is missing, something else, of another version, or damaged.
pub fn load(path: &Path) -> Result<Network> {
    lists::load(path, LAYOUT, of_lists)
}

/// A network as the bytes of the file that [`save`] writes.
///
/// # Errors
/// Never on a network: our own failure.
pub fn encode(network: &Network) -> Result<Vec<u8>> {
    lists::encode(LAYOUT, columns(network))
}

/// A network as columns, which may lie in one file with others.
pub fn columns(network: &Network) -> Vec<Column> {
    // About half of the bytes each.
    let (mut columns, others) = rayon::join(|| edge_columns(network), || other_columns(network));
    columns.extend(others);
    columns
}

fn edge_columns(network: &Network) -> Vec<Column> {
    let edges = &network.edges;
    let bytes = |values: &mut dyn Iterator<Item = u8>| list::<UInt8Type>(values);
    let floor = |level: &Option<Level>| level.map_or(NO_LEVEL, |level| level.0);
    vec![
        ("edge_id", id_list(&network.edge_id)),
        ("edge_from", list::<UInt32Type>(edges.from.iter().copied())),
        ("edge_to", list::<UInt32Type>(edges.to.iter().copied())),
        ("edge_length_m", list::<Float64Type>(edges.length_m.iter().copied())),
        ("edge_kind", bytes(&mut edges.kind.iter().map(|&kind| kind as u8))),
        ("edge_directions", bytes(&mut edges.directions.iter().map(|&value| value as u8))),
        ("edge_level", list::<Int16Type>(edges.level.iter().map(floor))),
        ("edge_joinable", flags(&edges.joinable)),
        ("edge_residents", flags(&edges.residents)),
        ("edge_wheelchair", bytes(&mut edges.wheelchair.iter().map(|&value| code(value)))),
        ("edge_island", flags(&edges.island)),
        ("edge_first_vertex", list::<UInt32Type>(edges.first_vertex.iter().copied())),
        ("vertex_lon", lon(edges.vertices.iter().copied())),
    ]
}

fn other_columns(network: &Network) -> Vec<Column> {
    let heights = &network.heights;
    let wall_ends = |end: usize| network.walls.iter().map(move |wall| wall[end]);
    let mut columns = vec![
        ("vertex_lat", lat(network.edges.vertices.iter().copied())),
        ("edge_first_height", list::<UInt32Type>(heights.first.iter().copied())),
        ("height_m", list::<Float32Type>(heights.ele_m.iter().copied())),
        ("edge_height_source", list::<UInt8Type>(heights.source.iter().map(|&source| source as u8))),
        ("node_id", id_list(&network.node_id)),
        ("node_lon", lon(network.node_place.iter().copied())),
        ("node_lat", lat(network.node_place.iter().copied())),
        ("origin", texts([origin_text(&network.origin)])),
        ("wall_start_lon", lon(wall_ends(0))),
        ("wall_start_lat", lat(wall_ends(0))),
        ("wall_end_lon", lon(wall_ends(1))),
        ("wall_end_lat", lat(wall_ends(1))),
    ];
    columns.extend(flight_columns(&network.flights));
    columns.extend(ride_columns(&network.rides));
    if let Some(given) = &network.given {
        columns.push(("edge_forward_ds", list::<UInt32Type>(given.forward_ds.iter().copied())));
        columns.push(("edge_backward_ds", list::<UInt32Type>(given.backward_ds.iter().copied())));
    }
    columns
}

fn flight_columns(flights: &[Flight]) -> Vec<Column> {
    let metres = |of: fn(&Flight) -> f32| list::<Float32Type>(flights.iter().map(of));
    let bytes = |of: fn(&Flight) -> u8| list::<UInt8Type>(flights.iter().map(of));
    vec![
        ("flight_edge", list::<UInt32Type>(flights.iter().map(|flight| flight.edge))),
        ("flight_rise_m", metres(|flight| flight.rise_m)),
        ("flight_stairs_m", metres(|flight| flight.stairs_m)),
        ("flight_height_m", metres(|flight| flight.height_m)),
        ("flight_climbs", bytes(|flight| code(flight.climbs))),
        ("flight_wheelchair_ramp", bytes(|flight| u8::from(flight.wheelchair_ramp))),
        ("flight_stroller_ramp", bytes(|flight| u8::from(flight.stroller_ramp))),
        ("flight_handrail", bytes(|flight| code(flight.handrail))),
    ]
}

fn ride_columns(rides: &[Ride]) -> Vec<Column> {
    let numbers = |of: fn(&Ride) -> f32| list::<Float32Type>(rides.iter().map(of));
    vec![
        ("ride_edge", list::<UInt32Type>(rides.iter().map(|ride| ride.edge))),
        ("ride_wait_share", numbers(|ride| ride.wait_share)),
        ("ride_floors", numbers(|ride| ride.floors)),
        ("ride_s", numbers(|ride| ride.ride_s)),
    ]
}

/// Yes, no or unknown as a number: a place in [`YES_NO`].
fn code(value: Option<bool>) -> u8 {
    YES_NO.iter().position(|known| *known == value).unwrap_or_default() as u8
}

fn origin_text(origin: &Origin) -> String {
    serde_json::to_string(origin).expect("an origin has no maps with keys that are not text")
}

/// The network of such columns; none where they are none.
pub fn of_lists(lists: &Lists) -> Option<Network> {
    // The long columns, side by side.
    let ((edges, heights), (node_place, (node_id, edge_id))) = rayon::join(
        || rayon::join(|| edges(lists), || heights(lists)),
        || {
            rayon::join(
                || lists.places("node_lon", "node_lat"),
                || (lists.ids("node_id"), lists.ids("edge_id")),
            )
        },
    );
    let (edges, heights) = (edges?, heights?);
    let given = if lists.has("edge_forward_ds") {
        Some(GivenTimes {
            forward_ds: lists.values::<UInt32Type>("edge_forward_ds")?,
            backward_ds: lists.values::<UInt32Type>("edge_backward_ds")?,
        })
    } else {
        None
    };
    let origin: Origin = serde_json::from_str(lists.texts("origin")?.first()?).ok()?;
    let ways =
        Ways { edges, heights, flights: flights(lists)?, rides: rides(lists)?, walls: walls(lists)?, given };
    Some(Network::new(node_id?, node_place?, edge_id?, ways, origin))
}

fn edges(lists: &Lists) -> Option<Edges> {
    let floor = |code: i16| (code != NO_LEVEL).then_some(Level(code));
    let directions = [Directions::Both, Directions::Forward, Directions::Backward];
    Some(Edges {
        from: lists.values::<UInt32Type>("edge_from")?,
        to: lists.values::<UInt32Type>("edge_to")?,
        length_m: lists.values::<Float64Type>("edge_length_m")?,
        kind: lists.codes("edge_kind", &WayKind::ALL)?,
        directions: lists.codes("edge_directions", &directions)?,
        level: lists.values::<Int16Type>("edge_level")?.into_iter().map(floor).collect(),
        joinable: lists.flags("edge_joinable")?,
        residents: lists.flags("edge_residents")?,
        wheelchair: lists.codes("edge_wheelchair", &YES_NO)?,
        island: lists.flags("edge_island")?,
        first_vertex: lists.values::<UInt32Type>("edge_first_vertex")?,
        vertices: lists.places("vertex_lon", "vertex_lat")?,
    })
}

fn heights(lists: &Lists) -> Option<Heights> {
    Some(Heights {
        first: lists.values::<UInt32Type>("edge_first_height")?,
        ele_m: lists.values::<Float32Type>("height_m")?,
        source: lists.codes("edge_height_source", &HeightSource::ALL)?,
    })
}

fn flights(lists: &Lists) -> Option<Vec<Flight>> {
    let edge = lists.values::<UInt32Type>("flight_edge")?;
    let metres = |name| lists.values::<Float32Type>(name);
    let (rise_m, stairs_m, height_m) =
        (metres("flight_rise_m")?, metres("flight_stairs_m")?, metres("flight_height_m")?);
    let climbs = lists.codes("flight_climbs", &YES_NO)?;
    let handrail = lists.codes("flight_handrail", &YES_NO)?;
    let wheelchair_ramp = lists.flags("flight_wheelchair_ramp")?;
    let stroller_ramp = lists.flags("flight_stroller_ramp")?;
    let flight = |at: usize| Flight {
        edge: edge[at],
        rise_m: rise_m[at],
        stairs_m: stairs_m[at],
        height_m: height_m[at],
        climbs: climbs[at],
        wheelchair_ramp: wheelchair_ramp[at],
        stroller_ramp: stroller_ramp[at],
        handrail: handrail[at],
    };
    Some((0..edge.len()).map(flight).collect())
}

fn walls(lists: &Lists) -> Option<Vec<[Place; 2]>> {
    let starts = lists.places("wall_start_lon", "wall_start_lat")?;
    let ends = lists.places("wall_end_lon", "wall_end_lat")?;
    Some(starts.into_iter().zip(ends).map(|(start, end)| [start, end]).collect())
}

fn rides(lists: &Lists) -> Option<Vec<Ride>> {
    let edge = lists.values::<UInt32Type>("ride_edge")?;
    let numbers = |name| lists.values::<Float32Type>(name);
    let (wait_share, floors, ride_s) =
        (numbers("ride_wait_share")?, numbers("ride_floors")?, numbers("ride_s")?);
    let ride = |at: usize| Ride {
        edge: edge[at],
        wait_share: wait_share[at],
        floors: floors[at],
        ride_s: ride_s[at],
    };
    Some((0..edge.len()).map(ride).collect())
}
