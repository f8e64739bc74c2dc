//! A built network on disk: one Arrow IPC file of one row, in which every column is a list.
//!
//! Any Arrow library reads it. The schema's metadata carry a version and the SHA-256 of all columns with their names and
//! types; a flipped bit is found on loading. The file appears whole or not at all.

use super::graph::{Edges, GivenTimes, Network, Vertices};
use crate::io::hash::hex;
use crate::io::table::{file_name, unreadable};
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::street::{Directions, Incline, WayKind};
use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int64Type, UInt8Type, UInt32Type, UInt64Type,
};
use arrow_array::{Array, ArrayRef, LargeListArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer};
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{Field, Schema};
use sha2::{Digest, Sha256};
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::sync::Arc;

/// Version of the layout; a file of another is refused.
const VERSION: &str = "walkshed-network/1";

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
    crate::io::table::guarded(&name, || read(&name, &Buffer::from(bytes)))
}

fn write(network: &Network, file: &mut File) -> std::result::Result<(), arrow_schema::ArrowError> {
    let columns = columns(network);
    let fields: Vec<Field> =
        columns.iter().map(|(name, array)| Field::new(*name, array.data_type().clone(), false)).collect();
    let metadata = [("version".to_owned(), VERSION.to_owned()), ("sha256".to_owned(), checksum(&columns))];
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
    let (edges, vertices) = (&network.edges, &network.vertices);
    let lon = |places: &[Place]| list::<Float64Type>(places.iter().map(|place| place.lon()));
    let lat = |places: &[Place]| list::<Float64Type>(places.iter().map(|place| place.lat()));
    let bytes = |values: &mut dyn Iterator<Item = u8>| list::<UInt8Type>(values);
    let mut columns = vec![
        ("node_id", id_list(&network.node_id)),
        ("node_lon", lon(&network.node_place)),
        ("node_lat", lat(&network.node_place)),
        ("edge_id", id_list(&network.edge_id)),
        ("edge_from", list::<UInt32Type>(edges.from.iter().copied())),
        ("edge_to", list::<UInt32Type>(edges.to.iter().copied())),
        ("edge_length_m", list::<Float64Type>(edges.length_m.iter().copied())),
        ("edge_kind", bytes(&mut edges.kind.iter().map(|&kind| kind as u8))),
        ("edge_directions", bytes(&mut edges.directions.iter().map(|&value| value as u8))),
        ("edge_incline", bytes(&mut edges.incline.iter().map(|&value| value as u8))),
        ("edge_off_ground", bytes(&mut edges.off_ground.iter().map(|&value| u8::from(value)))),
        ("edge_ride_share", list::<Float32Type>(edges.ride_share.iter().copied())),
        ("edge_island", bytes(&mut edges.island.iter().map(|&value| u8::from(value)))),
        ("edge_first_vertex", list::<UInt32Type>(edges.first_vertex.iter().copied())),
        ("vertex_lon", lon(&vertices.place)),
        ("vertex_lat", lat(&vertices.place)),
        ("vertex_ele_m", list::<Float32Type>(vertices.ele_m.iter().copied())),
        ("max_snap_m", list::<Float64Type>(std::iter::once(network.max_snap_m))),
    ];
    if let Some(given) = &network.given {
        columns.push(("edge_forward_ds", list::<UInt32Type>(given.forward_ds.iter().copied())));
        columns.push(("edge_backward_ds", list::<UInt32Type>(given.backward_ds.iter().copied())));
    }
    columns
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

/// SHA-256 over name, type and buffers of every list, column by column.
fn checksum(columns: &[(&str, ArrayRef)]) -> String {
    let mut hasher = Sha256::new();
    for (name, column) in columns {
        hasher.update(format!("{name} {}\0", column.data_type()));
        let values = column.as_list::<i64>().value(0).to_data();
        hasher.update((values.len() as u64).to_le_bytes());
        for buffer in values.buffers() {
            hasher.update(buffer.as_slice());
        }
    }
    hex(&hasher.finalize())
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
    if batch.num_rows() != 1 || metadata.get("sha256") != Some(&checksum_of_whole(&batch)) {
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

/// Buffers read from a file may hold more than the values; they are copied tight before they are hashed.
fn checksum_of_whole(batch: &RecordBatch) -> String {
    let schema = batch.schema();
    let tight: Vec<(&str, ArrayRef)> = schema
        .fields()
        .iter()
        .zip(batch.columns())
        .map(|(field, column)| {
            let values = column.as_list::<i64>().value(0);
            let values =
                arrow_select::concat::concat(&[values.as_ref()]).expect("one array joins with itself");
            (field.name().as_str(), one_row(values))
        })
        .collect();
    checksum(&tight)
}

struct Lists {
    batch: RecordBatch,
}

impl Lists {
    fn values<T: ArrowPrimitiveType>(&self, name: &str) -> Option<Vec<T::Native>> {
        let list = self.batch.column_by_name(name)?.as_list_opt::<i64>()?.value(0);
        Some(list.as_primitive_opt::<T>()?.values().to_vec())
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
        let (lon, lat) = (self.values::<Float64Type>(lon)?, self.values::<Float64Type>(lat)?);
        lon.into_iter().zip(lat).map(|(lon, lat)| Place::new(lon, lat)).collect()
    }

    fn codes<T: Copy>(&self, name: &str, known: &[T]) -> Option<Vec<T>> {
        self.values::<UInt8Type>(name)?
            .into_iter()
            .map(|code| known.get(usize::from(code)).copied())
            .collect()
    }
}

fn network(lists: &Lists) -> Option<Network> {
    let edges = Edges {
        from: lists.values::<UInt32Type>("edge_from")?,
        to: lists.values::<UInt32Type>("edge_to")?,
        length_m: lists.values::<Float64Type>("edge_length_m")?,
        kind: lists.codes("edge_kind", &WayKind::ALL)?,
        directions: lists
            .codes("edge_directions", &[Directions::Both, Directions::Forward, Directions::Backward])?,
        incline: lists.codes("edge_incline", &[Incline::Unknown, Incline::Up, Incline::Down])?,
        off_ground: lists.codes("edge_off_ground", &[false, true])?,
        ride_share: lists.values::<Float32Type>("edge_ride_share")?,
        island: lists.codes("edge_island", &[false, true])?,
        first_vertex: lists.values::<UInt32Type>("edge_first_vertex")?,
    };
    let vertices = Vertices {
        place: lists.places("vertex_lon", "vertex_lat")?,
        ele_m: lists.values::<Float32Type>("vertex_ele_m")?,
    };
    let given = match lists.batch.column_by_name("edge_forward_ds") {
        None => None,
        Some(_) => Some(GivenTimes {
            forward_ds: lists.values::<UInt32Type>("edge_forward_ds")?,
            backward_ds: lists.values::<UInt32Type>("edge_backward_ds")?,
        }),
    };
    let node_place = lists.places("node_lon", "node_lat")?;
    let max_snap_m = *lists.values::<Float64Type>("max_snap_m")?.first()?;
    let (node_id, edge_id) = (lists.ids("node_id")?, lists.ids("edge_id")?);
    Some(Network::new(node_id, node_place, edge_id, edges, vertices, given, max_snap_m))
}
