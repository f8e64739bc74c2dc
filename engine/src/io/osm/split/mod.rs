//! The streets of a nation, cut into a small file for every tile that holds all that touches it, as a stream: nothing is
//! kept in memory that grows with the file but numbers of blocks. How: docs/design/2026-11-tiles.md.

mod elements;
mod outlines;
mod places;
mod record;
#[cfg(test)]
mod tests;
mod tiles;

use super::pbf::Pbf;
use super::{LeftOut, Wanted, missing_nodes};
use crate::io::files::{Stamp, file_name, open};
use crate::io::hash;
use crate::io::spool::Spool;
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::error::{Error, Result};
use crate::model::limits::Amount;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use elements::{Elements, elements};
use h3o::{CellIndex, Resolution};
use outlines::broken_outlines;
use places::{Grid, Places, places};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, HashMap};
use std::path::Path;
pub use tiles::path as tile_path;

/// Which tiles want what lies in a block.
#[derive(Debug, Clone)]
pub struct Wishes {
    /// Resolution of the blocks.
    pub resolution: Resolution,
    /// The system in which places lie in blocks.
    pub system: AnalysisCrs,
    /// Numbers of tiles, ascending, by block.
    pub tiles_of: HashMap<CellIndex, Vec<u32>>,
}

/// What a split has written, and what reading the whole file would tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Split {
    /// As of the whole file.
    pub left_out: LeftOut,
    /// As of the whole file.
    pub findings: Vec<Problem>,
    /// Whether the source says that it is made up; the files of tiles say so too.
    pub synthetic: bool,
    /// The files, by number; a tile that nothing touches has none.
    pub tiles: Vec<TileFile>,
}

/// The file of a tile.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct TileFile {
    /// Number of the tile, and the name of its file ([`tile_path`]).
    pub number: u32,
    /// How many nodes it holds.
    pub nodes: u64,
    /// How many ways it holds.
    pub ways: u64,
    /// How many relations it holds.
    pub relations: u64,
    /// Its length.
    pub bytes: u64,
}

/// How many nodes of streets lie in each block, a measure of work; also blocks of which nothing but homes or facilities are
/// wanted.
///
/// What is found stays in `spool` for [`split`]; a call that was stopped goes on where it was.
///
/// # Errors
/// As [`super::read`], and a problem when ids do not rise.
pub fn survey(
    path: &Path,
    wanted: Wanted<'_>,
    (resolution, system): (Resolution, AnalysisCrs),
    spool: &Path,
    memory_bytes: u64,
    progress: &Progress,
) -> Result<BTreeMap<CellIndex, u64>> {
    let grid = Grid { resolution, system };
    let located = Located::find(path, wanted, grid, spool, memory_bytes, progress)?;
    let mut sorted = located.spool.read("counts", &located.places.counts)?;
    let mut counts = BTreeMap::new();
    while let Some(([block, count], _)) = sorted.next()? {
        let block = CellIndex::try_from(block).map_err(|_| located.spool.damaged("counts"))?;
        counts.insert(block, count);
    }
    Ok(counts)
}

/// Write `folder/NUMBER.osm.pbf` for every tile that something touches: each way and relation that [`super::read`] would use
/// and that has a node in a block of the tile, with all its parts; streets over the outlines of such facilities; nodes in
/// these blocks that are facilities. All with their tags, in the order of the source, places to the bit.
///
/// Reading the file of a tile gives of all that touches the tile what reading the whole gives. What does not touch it may
/// lack a part, and what the reader finds and leaves out is that of the file, not of the whole.
///
/// # Errors
/// As [`survey`].
pub fn split(
    path: &Path,
    wanted: Wanted<'_>,
    wishes: &Wishes,
    spool: &Path,
    folder: &Path,
    memory_bytes: u64,
    progress: &Progress,
) -> Result<Split> {
    let grid = Grid { resolution: wishes.resolution, system: wishes.system };
    let located = Located::find(path, wanted, grid, spool, memory_bytes, progress)?;
    let streets = &located.spool;
    let spool = streets.inside("tiles", &key_of_wishes(wishes))?;
    let synthetic = located.elements.synthetic;
    let tiles = if let Some(files) = tiles::files(&spool, folder) {
        files
    } else {
        let sheaf = spool.step("gathered", || tiles::gather(&located, wishes, &spool, progress))?;
        tiles::write_files(&sheaf, synthetic, &spool, folder, progress)?
    };
    let (left_out, findings) = located.told(&file_name(path));
    Ok(Split { left_out, findings, synthetic, tiles })
}

/// What reading the whole file would tell.
#[derive(Debug, Clone, PartialEq)]
pub struct Told {
    /// As of the whole file.
    pub left_out: LeftOut,
    /// As of the whole file.
    pub findings: Vec<Problem>,
    /// Whether the source says that it is made up.
    pub synthetic: bool,
}

/// What reading the whole file would tell, from what [`survey`] or [`split`] found.
///
/// # Errors
/// As [`survey`].
pub fn told(
    path: &Path,
    wanted: Wanted<'_>,
    (resolution, system): (Resolution, AnalysisCrs),
    spool: &Path,
    memory_bytes: u64,
    progress: &Progress,
) -> Result<Told> {
    let grid = Grid { resolution, system };
    let located = Located::find(path, wanted, grid, spool, memory_bytes, progress)?;
    let (left_out, findings) = located.told(&file_name(path));
    Ok(Told { left_out, findings, synthetic: located.elements.synthetic })
}

/// Elements and their places, which do not depend on tiles, and where they are kept.
struct Located {
    spool: Spool,
    elements: Elements,
    places: Places,
    broken_outlines: u64,
}

impl Located {
    fn find(
        path: &Path,
        wanted: Wanted<'_>,
        grid: Grid,
        spool: &Path,
        memory_bytes: u64,
        progress: &Progress,
    ) -> Result<Self> {
        let spool = Spool::open(spool, "streets", &key_of_streets(path, wanted, grid)?, memory_bytes)?;
        let (elements, places, broken_outlines) = spool.step("located", || {
            let pbf = Pbf::open_sorted(path, Amount::InflatedRatio.most(), progress)?;
            let elements = spool.step("elements", || elements(&pbf, wanted, &spool, progress))?;
            let places = spool.step("places", || places(&pbf, wanted, &elements, grid, &spool, progress))?;
            let broken_outlines = broken_outlines(&elements, &places, &spool, progress)?;
            Ok((elements, places, broken_outlines))
        })?;
        spool.remove(&["users", "spots", "missing"])?;
        if places.street_nodes == 0 {
            return Err(Problem::of_file(file_name(path), Fault::NoWalkableWay).into());
        }
        Ok(Self { spool, elements, places, broken_outlines })
    }

    /// What reading the whole file leaves out and finds.
    fn told(&self, name: &str) -> (LeftOut, Vec<Problem>) {
        let Self { elements, places, .. } = self;
        let mut left_out = elements.left_out.clone();
        left_out.add(places.left_out.clone());
        left_out.broken_outlines += self.broken_outlines;
        let mut seen = elements.seen;
        seen.add(places.seen);
        let faults =
            missing_nodes(left_out.missing_nodes, elements.references).into_iter().chain(seen.finding());
        let findings = faults.map(|fault| Problem::of_file(name, fault)).collect();
        (left_out, findings)
    }
}

/// What elements and places hang on: the file as it is now, what is wanted of it, the blocks, and this program.
fn key_of_streets(path: &Path, wanted: Wanted<'_>, grid: Grid) -> Result<String> {
    let stamp = open(path).and_then(|file| Stamp::of(&file).map_err(Error::file(path)))?;
    Ok(key(&format!("{CODE} {stamp:?} {grid:?} {wanted:?}")))
}

fn key_of_wishes(wishes: &Wishes) -> String {
    let tiles_of: BTreeMap<_, _> = wishes.tiles_of.iter().collect();
    let mut bytes = Vec::with_capacity(tiles_of.len() * 16);
    for (&block, tiles) in tiles_of {
        bytes.extend(u64::from(block).to_le_bytes());
        bytes.extend((tiles.len() as u64).to_le_bytes());
        bytes.extend(tiles.iter().flat_map(|tile| tile.to_le_bytes()));
    }
    hash::of_bytes(&bytes)[..KEY_LENGTH].to_owned()
}

fn key(text: &str) -> String {
    hash::of_text(text)[..KEY_LENGTH].to_owned()
}

/// A hash of the engine's sources: what another one has left is not gone on with.
const CODE: &str = env!("WALKSHED_CODE");

/// Hexadecimal digits of a hash in the name of a folder.
const KEY_LENGTH: usize = 16;
