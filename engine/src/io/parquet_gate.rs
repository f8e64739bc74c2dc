//! A look at a Parquet file before it is decoded: the decoder believes what a file says of itself and asks for that much
//! memory at once, so what it says is held against the file and the limits first.

use super::files::{known_by, unreadable};
use super::thrift::{Compact, LIST, MAP, NUMBER_32, SET, STRUCT};
use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_schema::DataType;
use parquet::file::metadata::{ColumnChunkMetaData, ParquetMetaData, ParquetMetaDataReader};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

/// Magic word, also at the end, and that of files with an encrypted footer.
const MAGIC: &[u8; 4] = b"PAR1";
const ENCRYPTED: &[u8; 4] = b"PARE";

/// Length of the footer and the magic word.
const TRAILER: u64 = 8;

/// The format numbers row groups with 16 bits.
const ROW_GROUPS: u64 = 1 << 15;

/// Bytes in memory that even the smallest file may fill, and the bytes for each of its own above that.
const MEMORY_FLOOR: u64 = 256 << 20;
const MEMORY_RATIO: u64 = 256;

/// Bytes of a value in memory, about: offsets of text are half of it, the text itself is counted while reading.
const VALUE_BYTES: u64 = 8;

/// Inflated bytes below which a ratio says nothing.
const RATIO_FLOOR: u64 = 64 << 20;

/// What a checked file may fill of the memory, in bytes.
#[derive(Debug, Clone, Copy)]
pub struct Allowance {
    /// Bytes of all columns together.
    pub memory: u64,
    /// Rows to decode at once, so that long values repeated by a dictionary do not fill the memory before they are counted.
    pub batch_rows: usize,
}

impl Allowance {
    /// # Errors
    /// A problem when decoded columns take more than the file may fill.
    pub fn check(self, name: &str, bytes: u64) -> Result<()> {
        at_most(name, Amount::TableBytes, bytes, self.memory)
    }
}

/// Bytes that a batch keeps in memory. Columns that share a dictionary or the bytes of a page with other batches count
/// with what is theirs.
pub fn memory(batch: &RecordBatch) -> u64 {
    let of_column = |column: &ArrayRef| match column.data_type() {
        DataType::Dictionary(_, _) => column.len() as u64 * VALUE_BYTES,
        DataType::Utf8View => views(column.len(), column.as_string_view().total_buffer_bytes_used()),
        DataType::BinaryView => views(column.len(), column.as_binary_view().total_buffer_bytes_used()),
        _ => column.get_array_memory_size() as u64,
    };
    batch.columns().iter().map(of_column).sum()
}

fn views(rows: usize, bytes: usize) -> u64 {
    (rows * 2) as u64 * VALUE_BYTES + bytes as u64
}

fn at_most(name: &str, amount: Amount, found: u64, most: u64) -> Result<()> {
    if found <= most {
        return Ok(());
    }
    Err(Problem::of_file(name, Fault::TooLarge { amount, found, most }).into())
}

fn within(name: &str, amount: Amount, found: u64) -> Result<()> {
    at_most(name, amount, found, amount.most())
}

/// Look at a file; the answer is its metadata and how much may come out of it.
///
/// # Errors
/// A problem when it is no Parquet, is damaged, contradicts itself, or asks for more than the limits allow.
pub fn check(mut file: &File, name: &str) -> Result<(ParquetMetaData, Allowance)> {
    let length = file.metadata().map_err(unreadable(name))?.len();
    let footer = read_footer(&mut file, length, name)?;
    let damaged = || unreadable(name)("the footer is damaged");
    check_footer(&footer).ok_or_else(damaged)?;
    let metadata = ParquetMetaDataReader::decode_metadata(&footer).map_err(unreadable(name))?;
    let memory = check_amounts(&metadata, length, name)?;
    let data_end = length - TRAILER - footer.len() as u64;
    let chunks = chunks(&metadata, data_end, name)?;
    let mut largest_dictionary = 0;
    for chunk in &chunks {
        largest_dictionary = largest_dictionary.max(check_pages(&mut file, chunk, name)?);
    }
    let batch_rows = ((512 << 20) / largest_dictionary.max(1)).clamp(1, 1024) as usize;
    Ok((metadata, Allowance { memory, batch_rows }))
}

fn read_footer(file: &mut &File, length: u64, name: &str) -> Result<Vec<u8>> {
    let mut first = Vec::new();
    file.take(512).read_to_end(&mut first).map_err(unreadable(name))?;
    let wrong = || {
        let mut problem = Problem::of_file(name, Fault::WrongFormat { expected: "Parquet" });
        problem.value = known_by(&first).filter(|kind| *kind != "Parquet").map(str::to_owned);
        Error::from(problem)
    };
    if length < MAGIC.len() as u64 + TRAILER {
        return Err(wrong());
    }
    let mut trailer = [0; TRAILER as usize];
    file.seek(SeekFrom::Start(length - TRAILER)).map_err(unreadable(name))?;
    file.read_exact(&mut trailer).map_err(unreadable(name))?;
    let (size, magic) = (u32::from_le_bytes([trailer[0], trailer[1], trailer[2], trailer[3]]), &trailer[4..]);
    if magic == ENCRYPTED || first.starts_with(ENCRYPTED) {
        return Err(unreadable(name)("it is encrypted"));
    }
    match (first.starts_with(MAGIC), magic == MAGIC) {
        (true, true) => {}
        (true, false) => return Err(unreadable(name)("it has no footer: it was not written to its end")),
        (false, _) => return Err(wrong()),
    }
    let size = u64::from(size);
    within(name, Amount::FooterBytes, size)?;
    if size > length - TRAILER - MAGIC.len() as u64 {
        return Err(unreadable(name)("its footer is longer than the file"));
    }
    let mut footer = vec![0; size as usize];
    file.seek(SeekFrom::Start(length - TRAILER - size)).map_err(unreadable(name))?;
    file.read_exact(&mut footer).map_err(unreadable(name))?;
    Ok(footer)
}

/// Whether the lists of a footer can be as long as they say: the decoder of its row groups asks for the memory of all of
/// them at once. Field 4 is the list of row groups.
fn check_footer(footer: &[u8]) -> Option<()> {
    Compact(footer).fields(|number, kind, mut value| {
        if (number, kind) == (4, LIST) {
            value.list().filter(|&(length, _)| length <= ROW_GROUPS)?;
        }
        Some(())
    })
}

/// Rows, columns and values of all row groups; the answer is the memory that the file may fill.
fn check_amounts(metadata: &ParquetMetaData, length: u64, name: &str) -> Result<u64> {
    let damaged = |_| unreadable(name)("a row group or column is of negative length");
    let whole = |number: i64| u64::try_from(number).map_err(damaged);
    within(name, Amount::Columns, metadata.file_metadata().schema_descr().num_columns() as u64)?;
    let (mut rows, mut values, mut packed, mut inflated) = (0_u64, 0_u64, 0_u64, 0_u64);
    for group in metadata.row_groups() {
        rows = rows.saturating_add(whole(group.num_rows())?);
        for column in group.columns() {
            values = values.saturating_add(whole(column.num_values())?);
            packed = packed.saturating_add(whole(column.compressed_size())?);
            inflated = inflated.saturating_add(whole(column.uncompressed_size())?);
        }
    }
    within(name, Amount::Rows, rows)?;
    if inflated > RATIO_FLOOR {
        within(name, Amount::ParquetRatio, inflated / packed.max(1))?;
    }
    let memory = length.saturating_mul(MEMORY_RATIO).clamp(MEMORY_FLOOR, Amount::TableBytes.most());
    let values = values.max(rows).saturating_mul(VALUE_BYTES);
    at_most(name, Amount::TableBytes, values.max(inflated), memory)?;
    Ok(memory)
}

/// Where the pages of a column of a row group lie.
struct Chunk {
    start: u64,
    end: u64,
    values: u64,
}

/// The chunks of a file in order; none may lie outside its data or share bytes with another.
fn chunks(metadata: &ParquetMetaData, data_end: u64, name: &str) -> Result<Vec<Chunk>> {
    let outside = || unreadable(name)("a column lies outside the file");
    let mut chunks = Vec::new();
    for column in metadata.row_groups().iter().flat_map(parquet::file::metadata::RowGroupMetaData::columns) {
        if column.file_path().is_some() {
            return Err(unreadable(name)("a column lies in another file"));
        }
        let chunk = chunk(column).ok_or_else(outside)?;
        if chunk.start < MAGIC.len() as u64 || chunk.end > data_end {
            return Err(outside());
        }
        chunks.push(chunk);
    }
    chunks.sort_unstable_by_key(|chunk| (chunk.start, chunk.end));
    let shared = chunks.windows(2).any(|pair| pair[0].end > pair[1].start);
    if shared { Err(unreadable(name)("columns or row groups overlap")) } else { Ok(chunks) }
}

fn chunk(column: &ColumnChunkMetaData) -> Option<Chunk> {
    // A dictionary comes first; some writers state a place of 0 where there is none.
    let dictionary = column.dictionary_page_offset().filter(|&offset| offset > 0);
    let data = column.data_page_offset();
    let start = u64::try_from(dictionary.map_or(data, |dictionary| dictionary.min(data))).ok()?;
    let end = start.checked_add(u64::try_from(column.compressed_size()).ok()?)?;
    Some(Chunk { start, end, values: u64::try_from(column.num_values()).ok()? })
}

/// What the header of a page says.
#[derive(Debug, Default)]
pub(super) struct PageHeader {
    pub(super) packed: u64,
    inflated: u64,
    pub(super) values: u64,
    dictionary: bool,
    bytes: u64,
}

/// Look at all page headers of a chunk; the answer is the size of its dictionary.
fn check_pages(file: &mut &File, chunk: &Chunk, name: &str) -> Result<u64> {
    let (mut at, mut values, mut dictionary) = (chunk.start, 0, 0);
    // To the end, not to the last value: whoever decodes a list looks at the next page to see whether it goes on there.
    while at < chunk.end {
        let page = page_at(file, at, chunk.end, name)?;
        within(name, Amount::PageBytes, page.packed)?;
        within(name, Amount::InflatedPageBytes, page.inflated)?;
        at += page.bytes + page.packed;
        if page.dictionary {
            dictionary = page.inflated;
        } else {
            values += page.values;
        }
        if at > chunk.end || values > chunk.values {
            return Err(unreadable(name)("a column holds other pages than it says"));
        }
    }
    Ok(dictionary)
}

/// Headers hold statistics with values of the column, so their length is not known in advance.
fn page_at(file: &mut &File, at: u64, end: u64, name: &str) -> Result<PageHeader> {
    let mut window = 1 << 10;
    loop {
        let length = (end - at).min(window);
        let mut bytes = vec![0; length as usize];
        file.seek(SeekFrom::Start(at)).map_err(unreadable(name))?;
        file.read_exact(&mut bytes).map_err(unreadable(name))?;
        if let Some(page) = page_header(&bytes) {
            return Ok(page);
        }
        if length < window || window > Amount::PageBytes.most() {
            return Err(unreadable(name)("the header of a page is damaged"));
        }
        window *= 8;
    }
}

/// The decoder passes over lists that it does not know entry by entry without asking whether the file goes on, so that a few bytes
/// keep it busy for hours (found by a fuzzer). A header of a page has none, nor structures deeper than statistics.
fn without_lists(mut value: Compact<'_>, kind: u8, depth: usize) -> Option<()> {
    match kind {
        LIST | SET | MAP => None,
        STRUCT if depth == 2 => None,
        STRUCT => value.fields(|_, kind, inner| without_lists(inner, kind, depth + 1)),
        _ => Some(()),
    }
}

/// `PageHeader` of parquet.thrift: 2 and 3 are the sizes; 5, 7 and 8 the parts of data pages, dictionaries and data pages
/// of the second version, whose first field is the number of values.
pub(super) fn page_header(bytes: &[u8]) -> Option<PageHeader> {
    let mut header = PageHeader::default();
    let mut compact = Compact(bytes);
    compact.fields(|number, kind, mut value| {
        without_lists(value, kind, 0)?;
        let whole = |value: &mut Compact<'_>| value.number().and_then(|number| u64::try_from(number).ok());
        match (number, kind) {
            (2, NUMBER_32) => header.inflated = whole(&mut value)?,
            (3, NUMBER_32) => header.packed = whole(&mut value)?,
            (5 | 7 | 8, STRUCT) => {
                header.dictionary = number == 7;
                value.fields(|number, kind, mut value| {
                    if (number, kind) == (1, NUMBER_32) {
                        header.values = whole(&mut value)?;
                    }
                    Some(())
                })?;
            }
            _ => {}
        }
        Some(())
    })?;
    header.bytes = (bytes.len() - compact.0.len()) as u64;
    Some(header)
}
