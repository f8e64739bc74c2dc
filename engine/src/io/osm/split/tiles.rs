//! The last steps: which tile holds which elements, and its file.

use super::elements::{Elements, id_of};
use super::places::{Grid, Places};
use super::record;
use super::{Located, TileFile, Wishes};
use crate::io::osm::write::{self, Writer};
use crate::io::sorted::{Key, Runs, Sorted, Sorter};
use crate::io::spool::Spool;
use crate::model::error::{Error, Result};
use crate::model::place::Place;
use crate::model::progress::Progress;
use h3o::CellIndex;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};
use std::fs;
use std::path::{Path, PathBuf};

/// Records of tiles: tile and kind in one number, id or number of the element, record.
const SHEAF: &str = "sheaf";

/// Kinds of records in the order of a file.
const NODE: u64 = 0;
const WAY: u64 = 1;
const RELATION: u64 = 2;

fn sheaf_key(tile: u32, kind: u64, order: u64) -> Key {
    [u64::from(tile) << 2 | kind, order]
}

/// What [`gather`] leaves.
#[derive(Debug, Serialize, Deserialize)]
pub struct Sheaf(Runs);

/// Everything that any tile wants, by tile.
pub fn gather(located: &Located, wishes: &Wishes, spool: &Spool, progress: &Progress) -> Result<Sheaf> {
    let Located { elements, places, spool: streets, .. } = located;
    let gathering = Gathering { elements, places, wishes, streets, spool, progress };
    progress.begin("splitting streets: tiles", 0)?;
    let mut sheaf = spool.sorter(SHEAF)?;
    let touches = gathering.touches()?;
    let ways = gathering.relations(&touches, &mut sheaf)?;
    let nodes = gathering.ways(&ways, &mut sheaf)?;
    gathering.nodes(&nodes, &mut sheaf)?;
    let sheaf = sheaf.finish(progress)?;
    spool.remove(&["touches", "way_tiles", "node_tiles"])?;
    Ok(Sheaf(sheaf))
}

struct Gathering<'a> {
    elements: &'a Elements,
    places: &'a Places,
    wishes: &'a Wishes,
    /// Where the elements are, and where what is made of them goes.
    streets: &'a Spool,
    spool: &'a Spool,
    progress: &'a Progress,
}

impl Gathering<'_> {
    fn tiles_of(&self, block: u64) -> &[u32] {
        let block = CellIndex::try_from(block).ok();
        block.and_then(|block| self.wishes.tiles_of.get(&block)).map_or(&[], Vec::as_slice)
    }

    /// Elements with a node in a block that a tile wants, and streets that meet such a facility: number, tile.
    fn touches(&self) -> Result<Runs> {
        let mut blocks = self.streets.read("blocks", &self.places.blocks)?;
        let mut meetings = self.streets.read("meetings", &self.places.meetings)?;
        let mut touches = self.spool.sorter("touches")?.unique();
        let mut tiles = Vec::new();
        while let Some([number, _]) = blocks.key() {
            self.progress.step(1)?;
            tiles.clear();
            while let Some(([_, block], _)) = blocks.next_of(number)? {
                tiles.extend_from_slice(self.tiles_of(block));
            }
            tiles.sort_unstable();
            tiles.dedup();
            push_all(&mut touches, number, &tiles, self.progress)?;
            meetings.skip_to(number)?;
            while let Some(([_, street], _)) = meetings.next_of(number)? {
                push_all(&mut touches, street, &tiles, self.progress)?;
            }
        }
        touches.finish(self.progress)
    }

    /// Relations of tiles, and all ways: those that tiles hold by themselves and those of the relations.
    fn relations(&self, touches: &Runs, sheaf: &mut Sorter) -> Result<Runs> {
        let mut touches = self.spool.read("touches", touches)?;
        let mut relations = self.streets.read("relations", &self.elements.relation_log)?;
        let mut parts = self.streets.read("parts", &self.elements.parts)?;
        let mut ways = self.spool.sorter("way_tiles")?.unique();
        while let Some((number, tiles)) = next_tiles(&mut touches)? {
            self.progress.step(1)?;
            if number >= self.elements.relations {
                push_all(&mut ways, number, &tiles, self.progress)?;
                continue;
            }
            relations.skip_to(number)?;
            if let Some((_, record)) = relations.next_of(number)? {
                bind(sheaf, RELATION, number, &tiles, record, self.progress)?;
            }
            parts.skip_to(number)?;
            while let Some(([_, way], _)) = parts.next_of(number)? {
                push_all(&mut ways, way, &tiles, self.progress)?;
            }
        }
        ways.finish(self.progress)
    }

    /// Ways of tiles, and the nodes that they need.
    fn ways(&self, way_tiles: &Runs, sheaf: &mut Sorter) -> Result<Runs> {
        let mut way_tiles = self.spool.read("way_tiles", way_tiles)?;
        let mut ways = self.streets.read("ways", &self.elements.way_log)?;
        let mut nodes = self.spool.sorter("node_tiles")?.unique();
        while let Some((number, tiles)) = next_tiles(&mut way_tiles)? {
            self.progress.step(1)?;
            ways.skip_to(number)?;
            let Some((_, record)) = ways.next_of(number)? else { continue };
            bind(sheaf, WAY, number, &tiles, record, self.progress)?;
            let (_, refs) = record::refs(record).map_err(|_| self.streets.damaged("ways"))?;
            for id in refs {
                push_all(&mut nodes, super::elements::rank(id), &tiles, self.progress)?;
            }
        }
        nodes.finish(self.progress)
    }

    /// Nodes of tiles: those of their ways, and facilities in a block that they want.
    fn nodes(&self, node_tiles: &Runs, sheaf: &mut Sorter) -> Result<()> {
        let mut node_tiles = self.spool.read("node_tiles", node_tiles)?;
        let mut nodes = self.streets.read("nodes", &self.places.nodes)?;
        let grid = Grid { resolution: self.wishes.resolution, system: self.wishes.system };
        let mut tiles = Vec::new();
        while let Some(([rank, facility], record)) = nodes.next()? {
            self.progress.step(1)?;
            tiles.clear();
            node_tiles.skip_to(rank)?;
            while let Some(([_, tile], _)) = node_tiles.next_of(rank)? {
                tiles.push(tile as u32);
            }
            if facility != 0 {
                let node = record::node(id_of(rank), record).map_err(|_| self.streets.damaged("nodes"))?;
                let place = Place::new(node.lon, node.lat).ok_or_else(|| self.streets.damaged("nodes"))?;
                tiles.extend_from_slice(self.tiles_of(grid.block(place).into()));
                tiles.sort_unstable();
                tiles.dedup();
            }
            bind(sheaf, NODE, rank, &tiles, record, self.progress)?;
        }
        Ok(())
    }
}

fn push_all(sorter: &mut Sorter, first: u64, tiles: &[u32], progress: &Progress) -> Result<()> {
    tiles.iter().try_for_each(|&tile| sorter.push([first, u64::from(tile)], &[], progress))
}

fn bind(
    sheaf: &mut Sorter,
    kind: u64,
    order: u64,
    tiles: &[u32],
    record: &[u8],
    progress: &Progress,
) -> Result<()> {
    tiles.iter().try_for_each(|&tile| sheaf.push(sheaf_key(tile, kind, order), record, progress))
}

/// The next number with its tiles.
fn next_tiles(sorted: &mut Sorted) -> Result<Option<(u64, Vec<u32>)>> {
    let Some([number, _]) = sorted.key() else { return Ok(None) };
    let mut tiles = Vec::new();
    while let Some(([_, tile], _)) = sorted.next_of(number)? {
        tiles.push(tile as u32);
    }
    Ok(Some((number, tiles)))
}

/// The files that are written, one line each, and all of them.
const WRITTEN: &str = "written";
const FILES: &str = "files";

/// The path of a tile's file.
pub fn path(folder: &Path, tile: u32) -> PathBuf {
    folder.join(format!("{tile}.osm.pbf"))
}

/// All files, if an earlier call has written them and they are still there.
pub fn files(spool: &Spool, folder: &Path) -> Option<Vec<TileFile>> {
    let files: Vec<TileFile> = spool.marked(FILES)?;
    files.iter().all(|file| is_there(file, folder)).then_some(files)
}

fn is_there(file: &TileFile, folder: &Path) -> bool {
    fs::metadata(path(folder, file.number)).is_ok_and(|metadata| metadata.len() == file.bytes)
}

/// Write the files of tiles, one after the other; those that are there already stay.
pub fn write_files(
    sheaf: &Sheaf,
    synthetic: bool,
    spool: &Spool,
    folder: &Path,
    progress: &Progress,
) -> Result<Vec<TileFile>> {
    let mut done: Vec<TileFile> = spool.lines(WRITTEN);
    done.retain(|file| is_there(file, folder));
    remove_others(folder, &done)?;
    progress.begin("splitting streets: files", 0)?;
    let mut sorted = spool.read(SHEAF, &sheaf.0)?;
    while let Some([first, _]) = sorted.key() {
        let number = (first >> 2) as u32;
        if done.iter().any(|file| file.number == number) {
            while sorted.key().is_some_and(|[first, _]| (first >> 2) as u32 == number) {
                sorted.next()?;
                progress.step(1)?;
            }
            continue;
        }
        let file = write_file(number, &mut sorted, synthetic, spool, folder, progress)?;
        spool.add_line(WRITTEN, &file)?;
        done.push(file);
    }
    done.sort_unstable_by_key(|file| file.number);
    fs::File::open(folder).and_then(|folder| folder.sync_all()).map_err(Error::file(folder))?;
    spool.mark(FILES, &done)?;
    spool.remove(&["gathered", SHEAF, WRITTEN])?;
    Ok(done)
}

/// Files of tiles in the folder that are not these.
fn remove_others(folder: &Path, done: &[TileFile]) -> Result<()> {
    fs::create_dir_all(folder).map_err(Error::file(folder))?;
    for entry in fs::read_dir(folder).map_err(Error::file(folder))? {
        let path = entry.map_err(Error::file(folder))?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        let number = name.split_once('.').and_then(|(number, ending)| {
            ["osm.pbf", "osm.pbf.part"].contains(&ending).then(|| number.parse::<u32>().ok()).flatten()
        });
        let stays = |number| !name.ends_with("part") && done.iter().any(|file| file.number == number);
        if number.is_some_and(|number| !stays(number)) {
            fs::remove_file(&path).map_err(Error::file(&path))?;
        }
    }
    Ok(())
}

/// Elements and bytes of records that are made into blobs at once.
const ELEMENTS_AT_ONCE: usize = 64_000;
const BYTES_AT_ONCE: usize = 8 << 20;

/// Write the file of the tile whose records come next.
fn write_file(
    number: u32,
    sorted: &mut Sorted,
    synthetic: bool,
    spool: &Spool,
    folder: &Path,
    progress: &Progress,
) -> Result<TileFile> {
    let path = path(folder, number);
    let beside = path.with_extension("pbf.part");
    let mut writer = Writer::excerpt(&beside, synthetic)?;
    let mut counts = [0; 3];
    for kind in [NODE, WAY, RELATION] {
        let first = sheaf_key(number, kind, 0)[0];
        loop {
            let records = next_records(sorted, first)?;
            if records.is_empty() {
                break;
            }
            counts[kind as usize] += records.len() as u64;
            write_records(&mut writer, kind, &records, spool, progress)?;
        }
    }
    writer.finish()?;
    fs::rename(&beside, &path).map_err(Error::file(&path))?;
    let bytes = fs::metadata(&path).map_err(Error::file(&path))?.len();
    let [nodes, ways, relations] = counts;
    Ok(TileFile { number, nodes, ways, relations, bytes })
}

/// Some of the records that come next, of one tile and kind.
fn next_records(sorted: &mut Sorted, first: u64) -> Result<Vec<(u64, Vec<u8>)>> {
    let (mut records, mut bytes) = (Vec::new(), 0);
    while records.len() < ELEMENTS_AT_ONCE && bytes < BYTES_AT_ONCE {
        let Some(([_, order], record)) = sorted.next_of(first)? else { break };
        bytes += record.len();
        records.push((order, record.to_vec()));
    }
    Ok(records)
}

fn write_records(
    writer: &mut Writer,
    kind: u64,
    records: &[(u64, Vec<u8>)],
    spool: &Spool,
    progress: &Progress,
) -> Result<()> {
    let damaged = |_| spool.damaged(SHEAF);
    match kind {
        NODE => {
            let nodes = records.par_iter().map(|(rank, record)| record::node(id_of(*rank), record));
            let nodes: Vec<write::Node> = nodes.collect::<std::result::Result<_, _>>().map_err(damaged)?;
            writer.nodes(nodes.len(), |at| nodes[at].clone(), progress)
        }
        WAY => {
            let ways = records.par_iter().map(|(_, record)| record::way(record));
            let ways: Vec<write::Way> = ways.collect::<std::result::Result<_, _>>().map_err(damaged)?;
            writer.ways(ways.len(), |at| ways[at].clone(), progress)
        }
        _ => {
            let relations = records.par_iter().map(|(_, record)| record::relation(record));
            let relations: Vec<write::Relation> =
                relations.collect::<std::result::Result<_, _>>().map_err(damaged)?;
            writer.relations(relations.len(), |at| relations[at].clone(), progress)
        }
    }
}
