//! Which tiles a study is cut into, and what each sees.

use super::folder::short_hash;
use crate::batch::refresh::CODE;
use crate::io::hash::InputFile;
use crate::model::cell;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::profile::Profile;
use crate::model::region::{self, Region};
use crate::model::study::{Study, minutes_to_ds};
use crate::model::times::Deciseconds;
use crate::travel::halo::{deciding_rings, joining_rings};
use h3o::{CellIndex, Resolution};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Resolution of the blocks that regions are made of: cells of 170 m to a side.
pub const BLOCK: Resolution = Resolution::Nine;

/// Resolutions of tiles, unless one is stated.
const COARSEST: Resolution = Resolution::Four;
const FINEST: Resolution = Resolution::Six;

/// The finest that may be stated: a tile of 0.7 km², of which nearly all is ground around it.
const FINEST_STATED: Resolution = Resolution::Eight;

/// Slopes make people up to so much faster than on the level (Tobler: 1.19 on 5 % down); only the first guess hangs on it.
const DOWNHILL: f64 = 1.2;

/// Rows of blocks lie about so many edges apart.
const EDGES_PER_ROW: f64 = 1.5;

/// People may come by streets of so many metres without a junction; where they are longer, tiles ask for more.
const STREET_M: f64 = 500.0;

/// So much is seen around what is kept, that most of it is known for certain.
pub const AROUND_M: f64 = 600.0;

/// A tile may ask the driver so often for more.
pub const MOST_ROUNDS: u32 = 8;

/// Bytes that a job takes for each node that lies in a tile, with those around it (measured: benches/runs/2026-11-27-nation).
pub const BYTES_PER_NODE: u64 = 2_500;

/// Nodes of a tile at most where the memory does not say less: enough that the ground around it is a small part.
const MOST_NODES: u64 = 1_000_000;

/// Streets are cut into pieces so many resolutions finer than tiles, so that a tile reads hundreds of files at most.
const PIECES_FINER: u8 = 3;

/// The finest pieces: 5 km², of which a tile reads little that it need not see.
const FINEST_PIECE: Resolution = Resolution::Seven;

/// One tile.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Tile {
    /// H3 cell, hexadecimal.
    pub key: String,
    /// Nodes of streets in it: a measure of work.
    pub nodes: u64,
    /// How often it asked for more.
    pub round: u32,
    /// Blocks that it asked for.
    pub more: BTreeSet<String>,
}

/// The tiles of a study.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Plan {
    /// What it is made from: study, inputs, code, and how it was asked for.
    pub key: String,
    /// The tiles, in the order of their cells.
    pub tiles: Vec<Tile>,
    /// Rings of blocks around a tile whose network is built, and whose streets are read.
    pub rings: (u32, u32),
    /// Cells in which streets lie, ascending, hexadecimal: each is a file of its own.
    pub pieces: Vec<String>,
}

impl Tile {
    /// Its cell.
    pub fn cell(&self) -> Result<CellIndex> {
        cell::from_hex(&self.key).ok_or_else(|| Error::Internal(format!("{} is no H3 cell", self.key)))
    }

    /// The blocks that are its own.
    pub fn own(&self) -> Result<Region> {
        Ok(Region::of_tile(self.cell()?, BLOCK))
    }
}

impl Plan {
    /// The tile of a key, with its number.
    ///
    /// # Errors
    /// A problem when there is none.
    pub fn tile(&self, key: &str) -> Result<(u32, &Tile)> {
        let number = self.tiles.iter().position(|tile| tile.key == key);
        let number = number.ok_or_else(|| {
            let fault =
                Fault::UnknownName { known: self.tiles.iter().map(|tile| tile.key.clone()).collect() };
            Error::from(Problem::of_file("plan.json", fault).with_value(key))
        })?;
        Ok((number as u32, &self.tiles[number]))
    }

    /// The cells of all tiles, by resolution.
    ///
    /// # Errors
    /// The plan is damaged.
    pub fn cells(&self) -> Result<BTreeMap<Resolution, BTreeSet<CellIndex>>> {
        let mut cells: BTreeMap<Resolution, BTreeSet<CellIndex>> = BTreeMap::new();
        for tile in &self.tiles {
            let cell = tile.cell()?;
            cells.entry(cell.resolution()).or_default().insert(cell);
        }
        Ok(cells)
    }

    /// The blocks of which a tile builds the network, and those whose streets it reads.
    ///
    /// # Errors
    /// The plan is damaged.
    pub fn view(&self, tile: &Tile) -> Result<(Region, Region)> {
        let more = tile.more.iter().filter_map(|id| cell::from_hex(id)).collect::<Vec<_>>();
        let kept = tile.own()?.grown(self.rings.0).and(more);
        let seen = kept.grown(self.around());
        Ok((kept, seen))
    }

    /// Rings of blocks that are seen around those whose network is built.
    pub fn around(&self) -> u32 {
        self.rings.1 - self.rings.0
    }

    /// The pieces in which blocks of the source lie, by number, and all blocks of their cells.
    pub fn pieces_of(&self, seen: &Region) -> (Vec<u32>, Region) {
        let number = |piece: &CellIndex| self.pieces.binary_search(&piece.to_string());
        let resolution = self.pieces.first().and_then(|id| cell::from_hex(id)).map(CellIndex::resolution);
        let of_block = |block: CellIndex| block.parent(resolution?);
        let cells: BTreeSet<CellIndex> = seen.cells().filter_map(of_block).collect();
        let blocks = cells.iter().flat_map(|piece| piece.children(BLOCK));
        (
            cells.iter().filter_map(|piece| number(piece).ok()).map(|at| at as u32).collect(),
            Region::new(BLOCK, blocks),
        )
    }
}

/// What a plan is made for. How much memory there is and who works is no part of it: others may go on with the tiles that there are.
pub fn key(study: &Study, inputs: &[InputFile], tile_resolution: Option<u8>) -> Result<String> {
    let settings = serde_json::to_string(study).map_err(|error| Error::Internal(error.to_string()))?;
    let files: Vec<&str> = inputs.iter().map(|file| file.sha256.as_str()).collect();
    Ok(short_hash(&format!("{CODE} {settings} {files:?} {tile_resolution:?}")))
}

/// Nodes of a tile at most, where so many bytes of memory are there for each job.
pub fn most_nodes(memory_bytes: Option<u64>) -> u64 {
    memory_bytes.map_or(MOST_NODES, |bytes| (bytes / BYTES_PER_NODE).clamp(1000, MOST_NODES))
}

/// The longest time that people walk, tenths of a second.
pub fn cutoff_ds(study: &Study) -> Deciseconds {
    let longest = study.coverage.minutes.iter().copied().fold(0.0, f64::max);
    minutes_to_ds(longest).unwrap_or_default()
}

/// The cells into which streets are cut that lie in these blocks of their source.
fn pieces(tiles: &BTreeMap<CellIndex, u64>, sources: impl Iterator<Item = CellIndex>) -> Vec<String> {
    let coarsest = tiles.keys().map(|tile| u8::from(tile.resolution())).min().unwrap_or_default();
    let resolution = cell::resolution(coarsest + PIECES_FINER).unwrap_or(FINEST_PIECE).min(FINEST_PIECE);
    let cells: BTreeSet<CellIndex> = sources.filter_map(|block| block.parent(resolution)).collect();
    let mut names: Vec<String> = cells.iter().map(ToString::to_string).collect();
    names.sort_unstable();
    names
}

/// Rings of blocks whose network is built and that are mostly not needed.
pub fn spare_rings() -> u32 {
    region::rings(STREET_M, BLOCK)
}

/// The plan of a study whose streets lie in these blocks of their source, and in these of the analysis.
///
/// # Errors
/// A problem when the stated resolution is none of tiles.
pub fn plan(
    study: &Study,
    profiles: &[Profile],
    (sources, nodes): (impl Iterator<Item = CellIndex>, &BTreeMap<CellIndex, u64>),
    (stated, most_nodes): (Option<u8>, u64),
    key: String,
) -> Result<Plan> {
    let cells = cell::resolution(study.study.resolution).unwrap_or(FINEST);
    let tiles = match stated {
        Some(stated) => {
            let finest = cells.min(FINEST_STATED);
            let resolution = cell::resolution(stated).filter(|resolution| *resolution <= finest);
            let resolution = resolution.ok_or_else(|| {
                let expected = format!("0..{}", u8::from(finest));
                let fault = Fault::Setting { expected };
                Error::from(
                    Problem::of_file("STUDY.toml", fault)
                        .in_column("tile_resolution")
                        .with_value(stated.to_string()),
                )
            })?;
            parents(nodes, resolution)
        }
        None => by_work(nodes, most_nodes, cells.min(FINEST)),
    };
    let farthest_m =
        profiles.iter().map(|who| who.max_snap_m.unwrap_or(study.streets.max_snap_m)).fold(0.0, f64::max);
    let fastest_mps = profiles.iter().map(|who| who.flat_mps * DOWNHILL).fold(0.0, f64::max);
    let reach_m = fastest_mps * f64::from(cutoff_ds(study)) / 10.0;
    // Beside homes, to the streets that they join, as far as people come, and to what decides how doors there are joined. A
    // first guess: each tile finds out for itself.
    let reached = (reach_m / (BLOCK.edge_length_m() * EDGES_PER_ROW)).ceil() as u32;
    let kept = 1
        + joining_rings(farthest_m, BLOCK)
        + reached
        + deciding_rings(farthest_m, BLOCK)
        + 1
        + spare_rings();
    let seen = kept + region::rings(AROUND_M.max(study.streets.join_islands_m), BLOCK);
    let tile = |(tile, nodes): (CellIndex, u64)| Tile {
        key: tile.to_string(),
        nodes,
        round: 0,
        more: BTreeSet::new(),
    };
    let pieces = pieces(&tiles, sources);
    let mut tiles: Vec<(CellIndex, u64)> = with_shores(tiles, nodes, region::rings(farthest_m, BLOCK) + 1);
    tiles.sort_unstable_by_key(|(tile, _)| tile.child_at(0, Resolution::Fifteen));
    Ok(Plan { key, tiles: tiles.into_iter().map(tile).collect(), rings: (kept, seen), pieces })
}

fn parents(nodes: &BTreeMap<CellIndex, u64>, resolution: Resolution) -> BTreeMap<CellIndex, u64> {
    let mut tiles = BTreeMap::new();
    for (block, count) in nodes {
        if let Some(tile) = block.parent(resolution) {
            *tiles.entry(tile).or_default() += count;
        }
    }
    tiles
}

/// Coarse tiles, divided where they hold more than is wanted.
fn by_work(
    nodes: &BTreeMap<CellIndex, u64>,
    most_nodes: u64,
    finest: Resolution,
) -> BTreeMap<CellIndex, u64> {
    let mut tiles = BTreeMap::new();
    let mut at = COARSEST.min(finest);
    let mut within: Option<BTreeMap<CellIndex, u64>> = None;
    loop {
        let is_open = |tile: &CellIndex| {
            within.as_ref().is_none_or(|large| {
                tile.parent(at.pred().unwrap_or(at)).is_some_and(|it| large.contains_key(&it))
            })
        };
        let all = parents(nodes, at).into_iter().filter(|(tile, _)| is_open(tile));
        let (small, large): (BTreeMap<_, _>, BTreeMap<_, _>) =
            all.partition(|(_, count)| *count <= most_nodes || at == finest);
        tiles.extend(small);
        match at.succ().filter(|_| !large.is_empty()) {
            Some(finer) => at = finer,
            None => return tiles,
        }
        within = Some(large);
    }
}

/// Homes may stand so near a street that lies in another tile: a tile for them too.
fn with_shores(
    tiles: BTreeMap<CellIndex, u64>,
    nodes: &BTreeMap<CellIndex, u64>,
    rings: u32,
) -> Vec<(CellIndex, u64)> {
    let resolutions: BTreeSet<Resolution> = tiles.keys().map(|tile| tile.resolution()).collect();
    let finest = resolutions.iter().max().copied();
    let has_tile = |block: CellIndex| {
        resolutions
            .iter()
            .any(|&resolution| block.parent(resolution).is_some_and(|tile| tiles.contains_key(&tile)))
    };
    let around = Region::new(BLOCK, nodes.keys().copied()).grown(rings);
    let shores: BTreeSet<CellIndex> =
        around.cells().filter(|&block| !has_tile(block)).filter_map(|block| block.parent(finest?)).collect();
    tiles.into_iter().chain(shores.into_iter().map(|tile| (tile, 0))).collect()
}

/// The blocks in which homes of a tile's cells stand: cells are not nested, so some stand just beside its own.
pub fn home_region(own: &Region, cells: Resolution) -> Region {
    own.grown(region::rings(cells.edge_length_m() / 2.0, BLOCK))
}

/// The piece into which each block of the source is cut.
pub fn wishes(plan: &Plan, blocks: impl Iterator<Item = CellIndex>) -> HashMap<CellIndex, Vec<u32>> {
    let of_block = |block| (block, plan.pieces_of(&Region::new(BLOCK, [block])).0);
    blocks.map(of_block).collect()
}
