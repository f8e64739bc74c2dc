//! Segments of a nation, cut into a small file for every tile that holds all that touches it, a few rows at a time.
//!
//! A connector lies where its table says, else where the first segment does that names it, and nodes are numbered as they come
//! first. So a tile also holds, of every connector of its segments, the first segment that names it.

use super::{Laying, Row, Rows, SOURCE_ROW, geometry};
use crate::io::files::{file_name, unreadable};
use crate::io::formats::{Part, parquet_batches};
use crate::io::geoparquet;
use crate::io::osm::LeftOut;
use crate::io::osm::split::Wishes;
use crate::io::osm::walking::WalkingRules;
use crate::io::sorted::{Key, Runs, Sorted, Sorter};
use crate::io::spool::Spool;
use crate::io::table::Table;
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::cell;
use crate::model::error::{Error, Result};
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use arrow_array::{RecordBatch, UInt32Array, UInt64Array};
use arrow_ipc::reader::StreamReader;
use arrow_ipc::writer::StreamWriter;
use arrow_schema::{DataType, Field, Schema};
use h3o::{CellIndex, Resolution};
use parquet::arrow::ArrowWriter;
use parquet::file::metadata::KeyValue;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, HashSet};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Segments of a place, and the table of their connectors where there is one.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// `GeoParquet` of segments.
    pub segments: &'a Path,
    /// `GeoParquet` of connectors.
    pub connectors: Option<&'a Path>,
}

/// What a split has written, and what reading the whole file would tell.
#[derive(Debug)]
pub struct Split {
    /// As of the whole file.
    pub left_out: LeftOut,
    /// As of the whole files.
    pub rejected: Vec<Problem>,
    /// Numbers of the tiles that something touches, with how many segments and connectors their files hold.
    pub tiles: BTreeMap<u32, [u64; 2]>,
}

/// The file of a tile's segments.
pub fn segments_path(folder: &Path, tile: u32) -> PathBuf {
    folder.join(format!("{tile}.segment.parquet"))
}

/// The file of a tile's connectors; there only if the source has a table of them.
pub fn connectors_path(folder: &Path, tile: u32) -> PathBuf {
    folder.join(format!("{tile}.connector.parquet"))
}

/// How many nodes of streets lie in each block: a measure of work.
///
/// # Errors
/// As [`super::read`].
pub fn survey(
    source: Source<'_>,
    rules: &WalkingRules,
    (resolution, system): (Resolution, AnalysisCrs),
    spool: &Path,
    memory_bytes: u64,
    progress: &Progress,
) -> Result<BTreeMap<CellIndex, u64>> {
    let spool = Spool::open(spool, "segments", &key("survey"), memory_bytes)?;
    Ok(Found::look(source, rules, (resolution, system), &spool, progress)?.counts)
}

/// What reading the whole files would tell: what is left out, and rows that are rejected.
///
/// # Errors
/// As [`super::read`].
pub fn told(
    source: Source<'_>,
    rules: &WalkingRules,
    (resolution, system): (Resolution, AnalysisCrs),
    spool: &Path,
    memory_bytes: u64,
    progress: &Progress,
) -> Result<(LeftOut, Vec<Problem>)> {
    let spool = Spool::open(spool, "segments", &key("told"), memory_bytes)?;
    let found = Found::look(source, rules, (resolution, system), &spool, progress)?;
    spool.clear()?;
    Ok((found.left_out, found.rejected))
}

/// Write the segments that touch a tile to [`segments_path`], whole and in their order, with the columns of the source and
/// the row there, and the connectors that they name to [`connectors_path`].
///
/// Reading these gives of all that touches the tile what reading the whole gives; nodes have other numbers in the same order.
///
/// # Errors
/// As [`super::read`].
pub fn split(
    source: Source<'_>,
    rules: &WalkingRules,
    wishes: &Wishes,
    spool: &Path,
    folder: &Path,
    memory_bytes: u64,
    progress: &Progress,
) -> Result<Split> {
    let spool = Spool::open(spool, "segments", &key("split"), memory_bytes)?;
    let found = Found::look(source, rules, (wishes.resolution, wishes.system), &spool, progress)?;
    let [rows, connectors] = found.tiles(wishes, &spool, progress)?;
    fs::create_dir_all(folder).map_err(Error::file(folder))?;
    let mut tiles: BTreeMap<u32, [u64; 2]> = BTreeMap::new();
    let sheaf = Sheaf::gather(source.segments, ("row_tiles", &rows), &spool, progress)?;
    for (tile, rows) in sheaf.write(&spool, |tile| segments_path(folder, tile), progress)? {
        tiles.entry(tile).or_default()[0] = rows;
    }
    if let Some(path) = source.connectors {
        let sheaf = Sheaf::gather(path, ("connector_tiles", &connectors), &spool, progress)?;
        for (tile, rows) in sheaf.write(&spool, |tile| connectors_path(folder, tile), progress)? {
            tiles.entry(tile).or_default()[1] = rows;
        }
    }
    spool.clear()?;
    Ok(Split { left_out: found.left_out, rejected: found.rejected, tiles })
}

fn key(of: &str) -> String {
    crate::io::hash::of_text(of)[..16].to_owned()
}

/// Connectors as numbers that no two share: sorting text of this length would take longer and tell the same.
fn key_of_connector(id: &str) -> Key {
    let digest = Sha256::digest(id);
    let half = |at: usize| digest[at..at + 8].iter().fold(0, |number, &byte| number << 8 | u64::from(byte));
    [half(0), half(8)]
}

/// What a look at all segments finds, and leaves in the spool.
struct Found {
    left_out: LeftOut,
    rejected: Vec<Problem>,
    counts: BTreeMap<CellIndex, u64>,
    /// Blocks of segments: row, block.
    blocks: Runs,
    /// The first segment of a connector: row of another one, row of the first.
    firsts: Runs,
    /// Connectors of segments: row, row in the table of connectors.
    in_table: Runs,
}

impl Found {
    fn look(
        source: Source<'_>,
        rules: &WalkingRules,
        grid: (Resolution, AnalysisCrs),
        spool: &Spool,
        progress: &Progress,
    ) -> Result<Self> {
        let mut looking = Looking {
            rules,
            left_out: LeftOut::default(),
            rejected: Default::default(),
            rows: 0,
            used: false,
            ground: Ground {
                grid,
                counts: BTreeMap::new(),
                blocks: spool.sorter("blocks")?.unique(),
                progress,
            },
            names: spool.sorter("names")?,
            progress,
        };
        progress.begin("splitting streets: segments", 0)?;
        if let Some(path) = source.connectors {
            let mut rows = 0;
            parquet_batches(path, |part| looking.add_connectors(&table(path, &part)?, &mut rows))?;
        }
        parquet_batches(source.segments, |part| looking.add_segments(&table(source.segments, &part)?))?;
        looking.finish(&file_name(source.segments), spool)
    }

    /// Tiles of segments and of connectors: row, tile.
    fn tiles(&self, wishes: &Wishes, spool: &Spool, progress: &Progress) -> Result<[Runs; 2]> {
        let mut blocks = spool.read("blocks", &self.blocks)?;
        let mut firsts = spool.read("firsts", &self.firsts)?;
        let mut rows = spool.sorter("row_tiles")?.unique();
        while let Some([row, _]) = blocks.key() {
            progress.step(1)?;
            let mut tiles = HashSet::new();
            while let Some(([_, block], _)) = blocks.next_of(row)? {
                let block = CellIndex::try_from(block).map_err(|_| spool.damaged("blocks"))?;
                tiles.extend(wishes.tiles_of.get(&block).into_iter().flatten().copied());
            }
            let mut holders = vec![row];
            firsts.skip_to(row)?;
            while let Some(([_, first], _)) = firsts.next_of(row)? {
                holders.push(first);
            }
            for (&tile, &row) in tiles.iter().flat_map(|tile| holders.iter().map(move |row| (tile, row))) {
                rows.push([row, u64::from(tile)], &[], progress)?;
            }
        }
        let rows = rows.finish(progress)?;
        let connectors = self.connector_tiles(&rows, spool, progress)?;
        Ok([rows, connectors])
    }

    fn connector_tiles(&self, rows: &Runs, spool: &Spool, progress: &Progress) -> Result<Runs> {
        let mut rows = spool.read("row_tiles", rows)?;
        let mut in_table = spool.read("in_table", &self.in_table)?;
        let mut connectors = spool.sorter("connector_tiles")?.unique();
        while let Some([row, _]) = rows.key() {
            progress.step(1)?;
            let mut tiles = Vec::new();
            while let Some(([_, tile], _)) = rows.next_of(row)? {
                tiles.push(tile);
            }
            in_table.skip_to(row)?;
            while let Some(([_, connector], _)) = in_table.next_of(row)? {
                for &tile in &tiles {
                    connectors.push([connector, tile], &[], progress)?;
                }
            }
        }
        connectors.finish(progress)
    }
}

/// Some rows as the reader has them.
fn table(path: &Path, part: &Part<'_>) -> Result<Table> {
    Table::from_batches(&file_name(path), &part.marked.schema(), std::slice::from_ref(&part.marked))
}

/// Where a connector is named: in its table, or by a segment.
const TABLE: u8 = 0;
const SEGMENT: u8 = 1;

struct Looking<'a> {
    rules: &'a WalkingRules,
    left_out: LeftOut,
    /// Of segments, of connectors, and of rules of segments: the order in which the reader has them.
    rejected: [Vec<Problem>; 3],
    rows: u64,
    /// Whether people may walk on any segment.
    used: bool,
    ground: Ground<'a>,
    /// Connectors: id as numbers; where it is named, row and place.
    names: Sorter,
    progress: &'a Progress,
}

/// Which blocks segments lie in, and how many nodes.
struct Ground<'a> {
    grid: (Resolution, AnalysisCrs),
    counts: BTreeMap<CellIndex, u64>,
    blocks: Sorter,
    progress: &'a Progress,
}

impl Looking<'_> {
    fn name(&mut self, id: &str, whence: u8, row: u64, place: Place) -> Result<()> {
        let numbers = [row, place.lon().to_bits(), place.lat().to_bits()];
        let bytes: Vec<u8> =
            std::iter::once(whence).chain(numbers.into_iter().flat_map(u64::to_le_bytes)).collect();
        self.names.push(key_of_connector(id), &bytes, self.progress)
    }

    fn add_connectors(&mut self, table: &Table, rows: &mut u64) -> Result<()> {
        let mut rejected = Vec::new();
        let places = table.located("cell", &mut rejected)?.place;
        for (id, place) in table.text("id")?.into_iter().zip(places) {
            self.progress.step(1)?;
            if let (Some(id), Some(place)) = (id, place.as_ref().and_then(geometry::place_of)) {
                self.name(&id, TABLE, *rows, place)?;
            }
            *rows += 1;
        }
        let before = *rows - table.rows() as u64;
        self.rejected[1].extend(rejected.into_iter().map(|problem| moved_down(problem, before)));
        Ok(())
    }

    fn add_segments(&mut self, table: &Table) -> Result<()> {
        let (mut lines, mut others) = (Vec::new(), Vec::new());
        let rows = Rows::of(table, &mut lines)?;
        for row in 0..table.rows() {
            self.progress.step(1)?;
            match rows.row(row) {
                None => {}
                Some(Ok(read)) => self.add_segment(self.rows + row as u64, read)?,
                Some(Err(problem)) => others.push(*problem),
            }
        }
        for (problems, of) in [(lines, 0), (others, 2)] {
            let mut problems = problems;
            rows.name(&mut problems);
            self.rejected[of].extend(problems.into_iter().map(|problem| moved_down(problem, self.rows)));
        }
        self.rows += table.rows() as u64;
        Ok(())
    }

    /// A segment by itself: which nodes it has, and which of them are connectors.
    fn add_segment(&mut self, row: u64, (segment, joints, corners): Row) -> Result<()> {
        let mut laying = Laying::default();
        laying.add(row, &segment, joints, &corners, self.rules);
        self.left_out.add(laying.left_out);
        self.used |= !laying.streets.ways.is_empty();
        let mut shared = HashSet::new();
        let mut connectors: Vec<(String, u32)> = laying.number.into_iter().collect();
        connectors.sort_unstable_by_key(|(_, node)| *node);
        for (id, node) in connectors {
            shared.insert(node);
            self.name(&id, SEGMENT, row, laying.streets.nodes[node as usize].place)?;
        }
        for (node, at) in laying.streets.nodes.iter().zip(0..) {
            let block = self.ground.block(node.place);
            self.ground.blocks.push([row, block.into()], &[], self.progress)?;
            if !shared.contains(&at) {
                *self.ground.counts.entry(block).or_default() += 1;
            }
        }
        Ok(())
    }

    fn finish(self, name: &str, spool: &Spool) -> Result<Found> {
        let Self { left_out, rejected, rows, used, mut ground, names, progress, .. } = self;
        let mut rejected = rejected.concat();
        rejected.sort_by_key(|problem| problem.row);
        if !used {
            return Err(refusal(name, rows, &left_out, rejected));
        }
        let names = names.finish(progress)?;
        let [firsts, in_table] = ground.join(&mut spool.read("names", &names)?, spool)?;
        let Ground { counts, blocks, .. } = ground;
        Ok(Found { left_out, rejected, counts, blocks: blocks.finish(progress)?, firsts, in_table })
    }
}

/// What the reader says of segments of which none may be walked on.
fn refusal(name: &str, rows: u64, left_out: &LeftOut, mut rejected: Vec<Problem>) -> Error {
    let fault = if rows == 0 {
        Fault::EmptyTable
    } else if left_out.ways.is_empty() {
        rejected.sort_by_key(|problem| (problem.fault.level(), problem.row));
        Fault::AllRejected { first: rejected.first().map(ToString::to_string).unwrap_or_default() }
    } else {
        Fault::NoWalkableWay
    };
    Problem::of_file(name, fault).into()
}

impl Ground<'_> {
    fn block(&self, place: Place) -> CellIndex {
        cell::at(self.grid.1.moved(place), self.grid.0)
    }

    /// Where connectors lie, and what segments need for theirs.
    fn join(&mut self, names: &mut Sorted, spool: &Spool) -> Result<[Runs; 2]> {
        let mut firsts = spool.sorter("firsts")?.unique();
        let mut in_tables = spool.sorter("in_table")?.unique();
        while let Some(key) = names.key() {
            self.progress.step(1)?;
            let mut of: [Vec<(u64, Place)>; 2] = Default::default();
            while names.key() == Some(key)
                && let Some((_, bytes)) = names.next()?
            {
                let (whence, row, place) = naming(bytes).ok_or_else(|| spool.damaged("names"))?;
                of[usize::from(whence)].push((row, place));
            }
            let [in_table, by_segments] = of;
            let Some(&(first, place)) = by_segments.first() else { continue };
            let block = self.block(in_table.last().map_or(place, |&(_, place)| place));
            *self.counts.entry(block).or_default() += 1;
            for (row, _) in by_segments {
                self.blocks.push([row, block.into()], &[], self.progress)?;
                if row != first {
                    firsts.push([row, first], &[], self.progress)?;
                }
                for &(connector, _) in &in_table {
                    in_tables.push([row, connector], &[], self.progress)?;
                }
            }
        }
        Ok([firsts.finish(self.progress)?, in_tables.finish(self.progress)?])
    }
}

fn naming(bytes: &[u8]) -> Option<(u8, u64, Place)> {
    let (&whence, rest) = bytes.split_first()?;
    let mut numbers = rest.as_chunks::<8>().0.iter().map(|bytes| u64::from_le_bytes(*bytes));
    let (row, lon, lat) = (numbers.next()?, numbers.next()?, numbers.next()?);
    let place = Place::new(f64::from_bits(lon), f64::from_bits(lat))?;
    [TABLE, SEGMENT].contains(&whence).then_some((whence, row, place))
}

/// A problem of some rows of a file, as one of the file.
fn moved_down(mut problem: Problem, rows_before: u64) -> Problem {
    problem.row = problem.row.map(|row| row + rows_before);
    problem
}

/// Rows that are sent to tiles together.
const ROWS_AT_ONCE: usize = 1 << 14;

/// Rows of a file by tile: tile, first row; columns.
struct Sheaf {
    runs: Runs,
    geo: Option<String>,
}

impl Sheaf {
    fn gather(
        path: &Path,
        (of_rows, tiles): (&str, &Runs),
        spool: &Spool,
        progress: &Progress,
    ) -> Result<Self> {
        let (mut tiles, mut sorter) = (spool.read(of_rows, tiles)?, spool.sorter("sheaf")?);
        let (mut waiting, mut first, mut said) = (Vec::new(), 0, None);
        let name = file_name(path);
        let mut bind = |batches: &mut Vec<RecordBatch>, first: &mut u64| -> Result<()> {
            let Some(schema) = batches.first().map(RecordBatch::schema) else { return Ok(()) };
            let batch =
                arrow_select::concat::concat_batches(&schema, &*batches).map_err(unreadable(&name))?;
            batches.clear();
            let batch = with_rows(&batch, *first).map_err(unreadable(&name))?;
            let end = *first + batch.num_rows() as u64;
            let mut rows_of: BTreeMap<u64, Vec<u32>> = BTreeMap::new();
            while tiles.key().is_some_and(|[row, _]| row < end)
                && let Some(([row, tile], _)) = tiles.next()?
            {
                rows_of.entry(tile).or_default().push((row - *first) as u32);
            }
            for (tile, rows) in rows_of {
                let bytes = packed(&batch, rows).map_err(unreadable(&name))?;
                sorter.push([tile, *first], &bytes, progress)?;
            }
            *first = end;
            Ok(())
        };
        parquet_batches(path, |part| {
            progress.step(1)?;
            said = said.take().or_else(|| part.geo.map(str::to_owned));
            waiting.push(part.raw);
            if waiting.iter().map(RecordBatch::num_rows).sum::<usize>() >= ROWS_AT_ONCE {
                bind(&mut waiting, &mut first)?;
            }
            Ok(())
        })?;
        bind(&mut waiting, &mut first)?;
        Ok(Self { runs: sorter.finish(progress)?, geo: said })
    }

    /// Write tile after tile; the answer is how many rows each has.
    fn write(
        &self,
        spool: &Spool,
        path: impl Fn(u32) -> PathBuf,
        progress: &Progress,
    ) -> Result<Vec<(u32, u64)>> {
        let mut sorted = spool.read("sheaf", &self.runs)?;
        let mut written = Vec::new();
        while let Some([tile, _]) = sorted.key() {
            let path = path(tile as u32);
            let beside = path.with_extension("parquet.part");
            let refused = |error: parquet::errors::ParquetError| {
                Error::file(&beside)(std::io::Error::other(error.to_string()))
            };
            let (mut writer, mut rows) = (None, 0);
            while let Some((_, bytes)) = sorted.next_of(tile)? {
                progress.step(1)?;
                let batch = unpacked(bytes).ok_or_else(|| spool.damaged("sheaf"))?;
                if writer.is_none() {
                    let file = File::create(&beside).map_err(Error::file(&beside))?;
                    let properties = Some(geoparquet::properties(&[]));
                    writer = Some(ArrowWriter::try_new(file, batch.schema(), properties).map_err(refused)?);
                }
                rows += batch.num_rows() as u64;
                if let Some(writer) = &mut writer {
                    writer.write(&batch).map_err(refused)?;
                }
            }
            let Some(mut writer) = writer else { continue };
            if let Some(geo) = &self.geo {
                writer.append_key_value_metadata(KeyValue::new("geo".to_owned(), geo.clone()));
            }
            let file = writer.into_inner().map_err(refused)?;
            file.sync_all().and_then(|()| fs::rename(&beside, &path)).map_err(Error::file(&path))?;
            written.push((tile as u32, rows));
        }
        Ok(written)
    }
}

/// With the rows that these are in the whole file, unless it was itself cut out of another.
fn with_rows(batch: &RecordBatch, first: u64) -> std::result::Result<RecordBatch, arrow_schema::ArrowError> {
    let schema = batch.schema();
    if schema.index_of(SOURCE_ROW).is_ok() {
        return Ok(batch.clone());
    }
    let mut fields = schema.fields().to_vec();
    fields.push(Arc::new(Field::new(SOURCE_ROW, DataType::UInt64, false)));
    let mut columns = batch.columns().to_vec();
    columns.push(Arc::new(UInt64Array::from_iter_values(first + 1..=first + batch.num_rows() as u64)));
    RecordBatch::try_new(Arc::new(Schema::new_with_metadata(fields, schema.metadata().clone())), columns)
}

fn packed(batch: &RecordBatch, rows: Vec<u32>) -> std::result::Result<Vec<u8>, arrow_schema::ArrowError> {
    let some = arrow_select::take::take_record_batch(batch, &UInt32Array::from(rows))?;
    let mut writer = StreamWriter::try_new(Vec::new(), &some.schema())?;
    writer.write(&some)?;
    writer.into_inner()
}

fn unpacked(bytes: &[u8]) -> Option<RecordBatch> {
    StreamReader::try_new(bytes, None).ok()?.next()?.ok()
}

#[cfg(test)]
mod tests;
