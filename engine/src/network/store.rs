//! A built network on disk: one Arrow IPC file of one row, in which every column is a list.
//!
//! Any Arrow library reads it. The schema's metadata carry a version and the SHA-256 of all columns with their names and
//! types; a flipped bit is found on loading. The file appears whole or not at all.

use super::graph::{Edges, Flight, GivenTimes, HeightSource, Heights, Network, Origin, Ride, Ways};
use crate::io::files::{file_name, unreadable};
use crate::io::hash::hex;
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::level::Level;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::street::{Directions, WayKind};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int16Type, Int64Type, UInt8Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, LargeListArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{Field, Schema};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// Version of the layout; a file of another is refused.
const VERSION: &str = "walkshed-network/4";

/// How a missing floor is written.
const NO_LEVEL: i16 = i16::MIN;

/// What may be true, false or unknown, in the order of the codes.
const YES_NO: [Option<bool>; 3] = [None, Some(false), Some(true)];

/// Write a network to a file, replacing an earlier one in one step.
pub fn save(network: &Network, path: &Path) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(Error::file(path))?;
    write(network, file.as_file_mut())
        .map_err(|error| Error::Internal(format!("{}: {error}", path.display())))?;
    file.as_file().sync_all().map_err(Error::file(path))?;
    file.persist(path).map_err(|error| Error::file(path)(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file(folder))
}

/// Read a network that [`save`] wrote.
///
/// # Errors
/// A problem when the file is missing, something else, of another version, or damaged.
pub fn load(path: &Path) -> Result<Network> {
    let name = file_name(path);
    if !path.is_file() {
        return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
    }
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    crate::io::files::guarded(&name, || read(&name, &Buffer::from(bytes)))
}

/// A network as the bytes of the file that [`save`] writes.
///
/// # Errors
/// Never on a network: our own failure.
pub fn encode(network: &Network) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(network, &mut bytes).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(bytes)
}

fn write(network: &Network, file: impl Write) -> std::result::Result<(), arrow_schema::ArrowError> {
    let columns = columns(network);
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), false)).collect();
    let sha256 = checksum(columns.par_iter().map(|(name, column)| (*name, column)));
    let metadata = [("version".to_owned(), VERSION.to_owned()), ("sha256".to_owned(), sha256)];
    let arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, array)| array).collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata.into()));
    let batch = RecordBatch::try_new(schema.clone(), arrays)?;
    let mut writer = FileWriter::try_new(BufWriter::new(file), &schema)?;
    writer.write(&batch)?;
    writer.finish()?;
    writer.into_inner()?.flush()?;
    Ok(())
}

fn columns(network: &Network) -> Vec<(&'static str, ArrayRef)> {
    // About half of the bytes each.
    let (mut columns, others) = rayon::join(|| edge_columns(network), || other_columns(network));
    columns.extend(others);
    columns
}

fn lon(places: impl IntoIterator<Item = Place>) -> ArrayRef {
    list::<Float64Type>(places.into_iter().map(Place::lon))
}

fn lat(places: impl IntoIterator<Item = Place>) -> ArrayRef {
    list::<Float64Type>(places.into_iter().map(Place::lat))
}

fn flags(values: &[bool]) -> ArrayRef {
    list::<UInt8Type>(values.iter().map(|&value| u8::from(value)))
}

fn edge_columns(network: &Network) -> Vec<(&'static str, ArrayRef)> {
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

fn other_columns(network: &Network) -> Vec<(&'static str, ArrayRef)> {
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
        ("origin", one_row(Arc::new(StringArray::from_iter_values([origin_text(&network.origin)])))),
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

fn flight_columns(flights: &[Flight]) -> Vec<(&'static str, ArrayRef)> {
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

fn ride_columns(rides: &[Ride]) -> Vec<(&'static str, ArrayRef)> {
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

fn list<T: ArrowPrimitiveType>(values: impl IntoIterator<Item = T::Native>) -> ArrayRef {
    one_row(Arc::new(PrimitiveArray::<T>::from_iter_values(values)))
}

fn one_row(values: ArrayRef) -> ArrayRef {
    let field = Arc::new(Field::new("item", values.data_type().clone(), false));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    Arc::new(LargeListArray::new(field, offsets, values, None))
}

fn id_list(ids: &Ids) -> ArrayRef {
    match ids {
        Ids::Text(ids) => one_row(Arc::new(StringArray::from_iter_values(ids))),
        Ids::Int(ids) => list::<Int64Type>(ids.iter().copied()),
        Ids::UInt(ids) => list::<UInt64Type>(ids.iter().copied()),
    }
}

/// SHA-256 over those of all columns, which are hashed side by side.
fn checksum<'a>(columns: impl IntoParallelIterator<Item = (&'a str, &'a ArrayRef)>) -> String {
    let hashes: Vec<Vec<u8>> = columns.into_par_iter().map(|(name, column)| hashed(name, column)).collect();
    hex(&Sha256::digest(hashes.concat()))
}

/// SHA-256 over name, type and values of a list.
fn hashed(name: &str, column: &ArrayRef) -> Vec<u8> {
    let mut hasher = Sha256::new();
    hasher.update(format!("{name} {}\0", column.data_type()));
    let values = column.as_list::<i64>().value(0);
    hasher.update((values.len() as u64).to_le_bytes());
    // Buffers read from a file may hold more than the values, which would be hashed too.
    let data = values.to_data();
    if let Some(width) = data.data_type().primitive_width() {
        hasher.update(&data.buffers()[0].as_slice()[data.offset() * width..][..data.len() * width]);
    } else {
        let tight = arrow_select::concat::concat(&[values.as_ref()]).expect("one array joins with itself");
        for buffer in tight.to_data().buffers() {
            hasher.update(buffer.as_slice());
        }
    }
    hasher.finalize().to_vec()
}

fn read(name: &str, bytes: &Buffer) -> Result<Network> {
    let wrong = || Error::from(Problem::of_file(name, Fault::WrongFormat { expected: "walkshed network" }));
    let footer = footer(bytes).ok_or_else(wrong)?;
    let schema = Arc::new(fb_to_schema(footer.schema().ok_or_else(wrong)?));
    let metadata = schema.metadata().clone();
    match metadata.get("version").map(String::as_str) {
        Some(VERSION) => {}
        Some(other) => {
            let fault = Fault::UnknownName { known: vec![VERSION.to_owned()] };
            return Err(Problem::of_file(name, fault).in_column("version").with_value(other).into());
        }
        None => return Err(wrong()),
    }
    let corrupt = || Error::from(Problem::of_file(name, Fault::Corrupt));
    let block = footer.recordBatches().filter(|blocks| blocks.len() == 1).ok_or_else(corrupt)?.get(0);
    let block_bytes = part(bytes, block.offset(), i64::from(block.metaDataLength()), block.bodyLength());
    let decoder = FileDecoder::new(schema, footer.version());
    let batch =
        decoder.read_record_batch(block, &block_bytes.ok_or_else(corrupt)?).map_err(unreadable(name))?;
    let batch = batch.ok_or_else(corrupt)?;
    let fields = batch.schema();
    let columns: Vec<_> =
        fields.fields().iter().map(|field| field.name().as_str()).zip(batch.columns()).collect();
    if batch.num_rows() != 1 || metadata.get("sha256") != Some(&checksum(columns)) {
        return Err(corrupt());
    }
    network(&Lists { batch }).ok_or_else(corrupt)
}

/// The footer of an Arrow file: before the last ten bytes, which hold its length and the magic word.
fn footer(bytes: &[u8]) -> Option<arrow_ipc::Footer<'_>> {
    let (before, trailer) = bytes.split_last_chunk::<10>()?;
    let length = read_footer_length(*trailer).ok()?;
    arrow_ipc::root_as_footer(&before[before.len().checked_sub(length)?..]).ok()
}

/// A block of the file as its footer describes it; `None` where the file is shorter. The lengths are checked against the
/// bytes that are there, because a reader that trusts them asks for as much memory as a damaged length says.
fn part(bytes: &Buffer, offset: i64, metadata: i64, body: i64) -> Option<Buffer> {
    let length = usize::try_from(metadata.checked_add(body)?).ok()?;
    let offset = usize::try_from(offset).ok()?;
    let inside = offset.checked_add(length)? <= bytes.len();
    inside.then(|| bytes.slice_with_length(offset, length))
}

struct Lists {
    batch: RecordBatch,
}

impl Lists {
    fn buffer<T: ArrowPrimitiveType>(&self, name: &str) -> Option<ScalarBuffer<T::Native>> {
        let list = self.batch.column_by_name(name)?.as_list_opt::<i64>()?.value(0);
        Some(list.as_primitive_opt::<T>()?.values().clone())
    }

    fn values<T: ArrowPrimitiveType>(&self, name: &str) -> Option<Vec<T::Native>> {
        self.buffer::<T>(name).map(|values| values.to_vec())
    }

    fn ids(&self, name: &str) -> Option<Ids> {
        let list = self.batch.column_by_name(name)?.as_list_opt::<i64>()?.value(0);
        if let Some(text) = list.as_string_opt::<i32>() {
            return Some(Ids::Text(text.iter().flatten().map(str::to_owned).collect()));
        }
        let signed = self.values::<Int64Type>(name).map(Ids::Int);
        signed.or_else(|| self.values::<UInt64Type>(name).map(Ids::UInt))
    }

    fn places(&self, lon: &str, lat: &str) -> Option<Vec<Place>> {
        let (lon, lat) = (self.buffer::<Float64Type>(lon)?, self.buffer::<Float64Type>(lat)?);
        lon.iter().zip(&lat).map(|(&lon, &lat)| Place::new(lon, lat)).collect()
    }

    fn flags(&self, name: &str) -> Option<Vec<bool>> {
        self.codes(name, &[false, true])
    }

    fn codes<T: Copy>(&self, name: &str, known: &[T]) -> Option<Vec<T>> {
        let codes = self.buffer::<UInt8Type>(name)?;
        codes.iter().map(|&code| known.get(usize::from(code)).copied()).collect()
    }
}

fn network(lists: &Lists) -> Option<Network> {
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
    let given = match lists.batch.column_by_name("edge_forward_ds") {
        None => None,
        Some(_) => Some(GivenTimes {
            forward_ds: lists.values::<UInt32Type>("edge_forward_ds")?,
            backward_ds: lists.values::<UInt32Type>("edge_backward_ds")?,
        }),
    };
    let origin = lists.batch.column_by_name("origin")?.as_list_opt::<i64>()?.value(0);
    let origin: Origin = serde_json::from_str(origin.as_string_opt::<i32>()?.iter().next()??).ok()?;
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
