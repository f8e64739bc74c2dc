//! Where the streets of a study come from, cut into tiles and read tile by tile.

use super::plan::BLOCK;
use crate::batch::prepare::Looking;
use crate::io;
use crate::io::files::file_name;
use crate::io::osm::LeftOut;
use crate::io::osm::split::{self, Wishes, tile_path};
use crate::io::overture;
use crate::io::table::Table;
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::error::{Error, Result};
use crate::model::facility::Facilities;
use crate::model::population::Dwellings;
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::street::Streets;
use crate::model::study::Study;
use h3o::{CellIndex, Resolution};
use rayon::prelude::*;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

/// Blocks are those of the source's own system: streets are built there, and move afterwards.
const GRID: (Resolution, AnalysisCrs) = (BLOCK, AnalysisCrs::Wgs84);

/// The source of a study's streets, and what of it is wanted.
pub struct Source<'a> {
    study: &'a Study,
    looking: Looking,
    spool: PathBuf,
    memory_bytes: u64,
    progress: &'a Progress,
}

/// What reading the whole source would tell.
pub struct Told {
    /// What is left out.
    pub left_out: LeftOut,
    /// What is doubtful, and rows that are rejected.
    pub findings: Vec<Problem>,
    /// Whether it says that it is made up.
    pub synthetic: bool,
}

/// What is read of a tile's part of the source.
#[derive(Default)]
pub struct TileExtract {
    /// Streets.
    pub streets: Streets,
    /// Residential buildings.
    pub homes: Dwellings,
    /// Facilities of the map, where they are sought there.
    pub facilities: Option<Facilities>,
}

impl<'a> Source<'a> {
    /// The source of a study; `spool` is where cutting keeps what it sorts.
    pub fn of(study: &'a Study, spool: PathBuf, memory_bytes: u64, progress: &'a Progress) -> Result<Self> {
        Ok(Self { study, looking: Looking::of(study)?, spool, memory_bytes, progress })
    }

    fn segments(&self) -> Option<overture::split::Source<'_>> {
        let segments = self.study.streets.overture.as_deref()?;
        Some(overture::split::Source { segments, connectors: self.study.streets.connectors.as_deref() })
    }

    /// How many nodes of streets lie in each block.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn survey(&self) -> Result<BTreeMap<CellIndex, u64>> {
        let (wanted, memory) = (self.looking.wanted(), self.memory_bytes);
        if let Some(from) = self.segments() {
            return overture::split::survey(from, wanted.rules, GRID, &self.spool, memory, self.progress);
        }
        split::survey(self.study.streets.file(), wanted, GRID, &self.spool, memory, self.progress)
    }

    /// Write a file for every piece.
    ///
    /// # Errors
    /// The source cannot be read, or the file system refuses.
    pub fn cut(&self, wishes: &Wishes, folder: &Path) -> Result<()> {
        let (wanted, memory, spool) = (self.looking.wanted(), self.memory_bytes, &self.spool);
        if let Some(from) = self.segments() {
            return overture::split::split(from, wanted.rules, wishes, spool, folder, memory, self.progress)
                .map(drop);
        }
        let path = self.study.streets.file();
        split::split(path, wanted, wishes, spool, folder, memory, self.progress).map(drop)
    }

    /// What reading all of it would tell.
    ///
    /// # Errors
    /// The source cannot be read.
    pub fn told(&self) -> Result<Told> {
        let (wanted, memory, spool) = (self.looking.wanted(), self.memory_bytes, &self.spool);
        if let Some(from) = self.segments() {
            let (left_out, findings) =
                overture::split::told(from, wanted.rules, GRID, spool, memory, self.progress)?;
            return Ok(Told { left_out, findings, synthetic: false });
        }
        let path = self.study.streets.file();
        let told = split::told(path, wanted, GRID, spool, memory, self.progress)?;
        Ok(Told { left_out: told.left_out, findings: told.findings, synthetic: told.synthetic })
    }
}

/// Read pieces of the source as if they were one, in the system of the analysis but for its streets.
///
/// # Errors
/// A file is damaged.
pub fn read(study: &Study, folder: &Path, pieces: &[u32], progress: &Progress) -> Result<TileExtract> {
    let (looking, system) = (Looking::of(study)?, study.study.analysis_crs);
    let there = |path: fn(&Path, u32) -> PathBuf| {
        pieces.iter().map(|&piece| path(folder, piece)).filter(|path| path.is_file()).collect::<Vec<_>>()
    };
    let found = if study.streets.overture.is_some() {
        let segments = there(overture::split::segments_path);
        let connectors = there(overture::split::connectors_path);
        read_segments(&segments, &connectors, &looking, progress)
    } else {
        let name = file_name(study.streets.file());
        let read = io::osm::read_pieces(&there(tile_path), &name, looking.wanted(), progress);
        read.map(|extract| TileExtract {
            streets: extract.streets,
            homes: extract.dwellings.moved(system),
            facilities: extract.facilities.map(|facilities| facilities.moved(system)),
        })
    };
    match found {
        Err(error) if is_without_streets(&error) => Ok(TileExtract::default()),
        found => found,
    }
}

fn read_segments(
    segments: &[PathBuf],
    connectors: &[PathBuf],
    looking: &Looking,
    progress: &Progress,
) -> Result<TileExtract> {
    if segments.is_empty() {
        return Ok(TileExtract::default());
    }
    let tables =
        |paths: &[PathBuf]| paths.par_iter().map(|path| Table::read(path)).collect::<Result<Vec<_>>>();
    let (segments, connectors) = (tables(segments)?, tables(connectors)?);
    let found = overture::read_pieces(&segments, &connectors, looking.wanted().rules, progress)?;
    Ok(TileExtract { streets: found.streets, ..TileExtract::default() })
}

/// Whether an error only says that there is no street.
fn is_without_streets(error: &Error) -> bool {
    matches!(error, Error::Input(problems) if problems.iter().all(|problem| problem.fault == Fault::NoWalkableWay))
}
