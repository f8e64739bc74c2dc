//! Columns of different lengths in one Arrow IPC file of one row, in which every column is a list.
//!
//! Any Arrow library reads it. The schema's metadata carry a version and the SHA-256 of all columns with their names and
//! types; a flipped bit is found on loading. A file appears whole or not at all.

use super::files::{file_name, guarded, unreadable};
use super::hash::hex;
use crate::model::error::{Error, Result};
use crate::model::ids::Ids;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Float64Type, Int64Type, UInt8Type, UInt64Type};
use arrow_array::{Array, ArrayRef, LargeListArray, PrimitiveArray, RecordBatch, StringArray};
use arrow_buffer::{Buffer, OffsetBuffer, ScalarBuffer};
use arrow_ipc::convert::fb_to_schema;
use arrow_ipc::reader::{FileDecoder, read_footer_length};
use arrow_ipc::writer::FileWriter;
use arrow_schema::{ArrowError, Field, Schema};
use rayon::prelude::*;
use sha2::{Digest, Sha256};
use std::fs::{File, Permissions};
use std::io::{BufWriter, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::sync::Arc;

/// A column with its name.
pub type Column = (&'static str, ArrayRef);

/// What a file is: its version, and what it is called when something else is found in its place.
#[derive(Debug, Clone, Copy)]
pub struct Layout {
    /// Version; a file of another is refused.
    pub version: &'static str,
    /// Such as `walkshed network`.
    pub expected: &'static str,
}

/// Write columns to a file, replacing an earlier one in one step.
///
/// # Errors
/// When the file system refuses.
pub fn save<N: AsRef<str> + Sync>(path: &Path, layout: Layout, columns: Vec<(N, ArrayRef)>) -> Result<()> {
    let folder = match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    };
    let mut file = tempfile::NamedTempFile::new_in(folder).map_err(Error::file(path))?;
    write(layout, columns, file.as_file_mut())
        .map_err(|error| Error::Internal(format!("{}: {error}", path.display())))?;
    // A temporary file is for its owner alone; others may read what is kept.
    file.as_file().set_permissions(Permissions::from_mode(0o644)).map_err(Error::file(path))?;
    file.as_file().sync_all().map_err(Error::file(path))?;
    file.persist(path).map_err(|error| Error::file(path)(error.error))?;
    File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file(folder))
}

/// The bytes of the file that [`save`] writes.
///
/// # Errors
/// Never on columns that are lists: our own failure.
pub fn encode<N: AsRef<str> + Sync>(layout: Layout, columns: Vec<(N, ArrayRef)>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    write(layout, columns, &mut bytes).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(bytes)
}

/// Read what [`save`] wrote, and make something of it; `None` from `make` is a damaged file.
///
/// # Errors
/// A problem when the file is missing, something else, of another version, or damaged.
pub fn load<T>(path: &Path, layout: Layout, make: impl FnOnce(&Lists) -> Option<T>) -> Result<T> {
    let name = file_name(path);
    if !path.is_file() {
        return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
    }
    let bytes = std::fs::read(path).map_err(Error::file(path))?;
    guarded(&name, || {
        let lists = decode(&name, layout, &Buffer::from(bytes))?;
        make(&lists).ok_or_else(|| Problem::of_file(&name, Fault::Corrupt).into())
    })
}

fn write<N: AsRef<str> + Sync>(
    layout: Layout,
    columns: Vec<(N, ArrayRef)>,
    file: impl Write,
) -> std::result::Result<(), ArrowError> {
    let field = |(name, array): &(N, ArrayRef)| Field::new(name.as_ref(), array.data_type().clone(), false);
    let fields: Vec<Field> = columns.iter().map(field).collect();
    let sha256 = checksum(columns.par_iter().map(|(name, column)| (name.as_ref(), column)));
    let metadata = [("version".to_owned(), layout.version.to_owned()), ("sha256".to_owned(), sha256)];
    let arrays: Vec<ArrayRef> = columns.into_iter().map(|(_, array)| array).collect();
    let schema = Arc::new(Schema::new_with_metadata(fields, metadata.into()));
    let batch = RecordBatch::try_new(schema.clone(), arrays)?;
    let mut writer = FileWriter::try_new(BufWriter::new(file), &schema)?;
    writer.write(&batch)?;
    writer.finish()?;
    writer.into_inner()?.flush()?;
    Ok(())
}

/// Numbers as a column.
pub fn list<T: ArrowPrimitiveType>(values: impl IntoIterator<Item = T::Native>) -> ArrayRef {
    one_row(Arc::new(PrimitiveArray::<T>::from_iter_values(values)))
}

/// Texts as a column.
pub fn texts<S: AsRef<str>>(values: impl IntoIterator<Item = S>) -> ArrayRef {
    one_row(Arc::new(StringArray::from_iter_values(values)))
}

/// What is true or not as a column.
pub fn flags(values: &[bool]) -> ArrayRef {
    list::<UInt8Type>(values.iter().map(|&value| u8::from(value)))
}

/// Longitudes as a column.
pub fn lon(places: impl IntoIterator<Item = Place>) -> ArrayRef {
    list::<Float64Type>(places.into_iter().map(Place::lon))
}

/// Latitudes as a column.
pub fn lat(places: impl IntoIterator<Item = Place>) -> ArrayRef {
    list::<Float64Type>(places.into_iter().map(Place::lat))
}

/// Ids as a column of their own type.
pub fn id_list(ids: &Ids) -> ArrayRef {
    match ids {
        Ids::Text(ids) => texts(ids),
        Ids::Int(ids) => list::<Int64Type>(ids.iter().copied()),
        Ids::UInt(ids) => list::<UInt64Type>(ids.iter().copied()),
    }
}

fn one_row(values: ArrayRef) -> ArrayRef {
    let field = Arc::new(Field::new("item", values.data_type().clone(), false));
    let offsets = OffsetBuffer::from_lengths([values.len()]);
    Arc::new(LargeListArray::new(field, offsets, values, None))
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

/// The columns of a file whose bytes these are.
///
/// # Errors
/// A problem when they are something else, of another version, or damaged.
pub fn decode(name: &str, layout: Layout, bytes: &Buffer) -> Result<Lists> {
    let wrong = || Error::from(Problem::of_file(name, Fault::WrongFormat { expected: layout.expected }));
    let footer = footer(bytes).ok_or_else(wrong)?;
    let schema = Arc::new(fb_to_schema(footer.schema().ok_or_else(wrong)?));
    let metadata = schema.metadata().clone();
    match metadata.get("version").map(String::as_str) {
        Some(version) if version == layout.version => {}
        Some(other) => {
            let fault = Fault::UnknownName { known: vec![layout.version.to_owned()] };
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
    Ok(Lists { batch })
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

/// The columns of a file.
pub struct Lists {
    batch: RecordBatch,
}

impl Lists {
    /// Whether there is a column of this name.
    pub fn has(&self, name: &str) -> bool {
        self.batch.column_by_name(name).is_some()
    }

    /// The numbers of a column, as they lie in the file; none where there is no such column.
    pub fn buffer<T: ArrowPrimitiveType>(&self, name: &str) -> Option<ScalarBuffer<T::Native>> {
        let list = self.batch.column_by_name(name)?.as_list_opt::<i64>()?.value(0);
        Some(list.as_primitive_opt::<T>()?.values().clone())
    }

    /// The numbers of a column.
    pub fn values<T: ArrowPrimitiveType>(&self, name: &str) -> Option<Vec<T::Native>> {
        self.buffer::<T>(name).map(|values| values.to_vec())
    }

    /// Ids of any type.
    pub fn ids(&self, name: &str) -> Option<Ids> {
        let list = self.batch.column_by_name(name)?.as_list_opt::<i64>()?.value(0);
        if let Some(text) = list.as_string_opt::<i32>() {
            return Some(Ids::Text(text.iter().flatten().map(str::to_owned).collect()));
        }
        let signed = self.values::<Int64Type>(name).map(Ids::Int);
        signed.or_else(|| self.values::<UInt64Type>(name).map(Ids::UInt))
    }

    /// Places of two columns.
    pub fn places(&self, lon: &str, lat: &str) -> Option<Vec<Place>> {
        let (lon, lat) = (self.buffer::<Float64Type>(lon)?, self.buffer::<Float64Type>(lat)?);
        lon.iter().zip(&lat).map(|(&lon, &lat)| Place::new(lon, lat)).collect()
    }

    /// What is true or not.
    pub fn flags(&self, name: &str) -> Option<Vec<bool>> {
        self.codes(name, &[false, true])
    }

    /// Things known by their codes.
    pub fn codes<T: Copy>(&self, name: &str, known: &[T]) -> Option<Vec<T>> {
        let codes = self.buffer::<UInt8Type>(name)?;
        codes.iter().map(|&code| known.get(usize::from(code)).copied()).collect()
    }

    /// The texts of a column.
    pub fn texts(&self, name: &str) -> Option<Vec<String>> {
        match self.ids(name)? {
            Ids::Text(texts) => Some(texts),
            Ids::Int(_) | Ids::UInt(_) => None,
        }
    }
}
