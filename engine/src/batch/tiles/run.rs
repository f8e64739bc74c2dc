//! A tiled run as its driver sees it: what is to be done next, what came back, and the end.

use super::folder::{Folder, GROUND, Receipt, WALK, Written, read_json, write_json};
use super::gathered::{Gathered, Whole, gather, write_inputs};
use super::ground::{Site, terrain_region};
use super::plan::{self, BLOCK, MOST_ROUNDS, Plan, wishes};
use super::source::Source;
use super::union::Union;
use crate::batch::prepare::{self, Prepared};
use crate::batch::publish::Staging;
use crate::batch::refresh::CODE;
use crate::batch::study::{Clock, RunReport, check_groups, profiles};
use crate::io;
use crate::io::disk::FolderLock;
use crate::io::files::file_name;
use crate::io::given::Given;
use crate::io::memory::{MemoryLimit, peak_bytes};
use crate::io::osm::split::Wishes;
use crate::model::analysis_crs::AnalysisCrs;
use crate::model::cell;
use crate::model::error::{Error, Result};
use crate::model::problem::{Fault, Problem};
use crate::model::progress::Progress;
use crate::model::region::Region;
use crate::model::study::Study;
use crate::travel::nearest::NearestTimes;
use geo::BoundingRect;
use h3o::CellIndex;
use rayon::ThreadPoolBuilder;
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// How a study is cut and worked on.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The most memory of all jobs that run side by side, bytes.
    pub memory_bytes: Option<u64>,
    /// Resolution of all tiles; chosen by work where none is stated.
    pub tile_resolution: Option<u8>,
    /// Jobs that run side by side in that memory.
    pub parallel: u32,
}

/// Memory for sorting streets on the disk where no limit is stated.
const SORTING_BYTES: u64 = 512 << 20;

/// What a tiled run takes at least, beyond what the process holds.
const LEAST_BYTES: u64 = 128 << 20;

/// What the working folder knows of a run.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Record {
    /// The code that made it: workers of another build would make other bytes.
    code: String,
    /// The study's file.
    study: PathBuf,
    /// Tiles.
    plan: Plan,
    /// Pixels of the terrain without a height, and how many of them were filled.
    voids: (u64, u64),
}

/// A tiled run.
pub struct TiledRun {
    folder: Folder,
    record: Record,
    study: Study,
    given: Given,
    memory_bytes: u64,
    gathered: Option<Gathered>,
    clock: Clock,
    /// What is under way while the driver waits for the next call.
    waiting_for: &'static str,
    _lock: FolderLock,
}

/// A stage, and the tiles that are still to be done in it, the most work first.
pub type Job = (&'static str, Vec<String>);

impl TiledRun {
    /// Open a working folder, or go on with it: the study is read and its streets are cut into tiles.
    ///
    /// # Errors
    /// Every fault of study and streets; something else stands at `work`; [`Error::Busy`] when another run works there.
    pub fn open(
        path: &Path,
        work: &Path,
        given: Given,
        options: Options,
        progress: &Progress,
    ) -> Result<Self> {
        let clock = Clock::new();
        let study = io::study::read(path)?;
        progress.begin("checking inputs", 0)?;
        let inputs = prepare::identify(&study, &given)?;
        let job_bytes = options.memory_bytes.map(|bytes| bytes / 2 / u64::from(options.parallel.max(1)));
        let most_nodes = plan::most_nodes(job_bytes);
        let key = plan::key(&study, &inputs, options.tile_resolution)?;
        MemoryLimit::new(options.memory_bytes).check("run", LEAST_BYTES)?;
        let folder = Folder(work.to_owned());
        let lock = claim(&folder)?;
        let known: Option<Record> = read_json(&folder.plan())?;
        let memory_bytes = options.memory_bytes.map_or(SORTING_BYTES, |bytes| bytes / 8);
        let record = if let Some(record) = known.filter(|record| record.plan.key == key) {
            Record { study: absolute(path), ..record }
        } else {
            forget(&folder)?;
            let stated = (options.tile_resolution, most_nodes);
            Cutting { folder: &folder, study: &study, memory_bytes, progress }.first(path, stated, key)?
        };
        write_json(&folder.plan(), &record)?;
        Ok(Self {
            folder,
            record,
            study,
            given,
            memory_bytes,
            gathered: None,
            clock,
            waiting_for: "split",
            _lock: lock,
        })
    }

    /// What is to be done next; none when all tiles are done. Between stages the driver does its own work here.
    ///
    /// # Errors
    /// Every fault of the inputs, and a tile that can never be done by itself.
    pub fn stage(&mut self, progress: &Progress) -> Result<Option<Job>> {
        self.clock.stage(self.waiting_for);
        let next = self.next_stage(progress)?;
        self.waiting_for = next.as_ref().map_or("together", |(stage, _)| stage);
        Ok(next)
    }

    fn next_stage(&mut self, progress: &Progress) -> Result<Option<Job>> {
        let ground = loop {
            let receipts = self.receipts(GROUND);
            if let Some(missing) = self.missing(&receipts) {
                return Ok(Some((GROUND, missing)));
            }
            let receipts: Vec<Receipt> = receipts.into_iter().flatten().collect();
            let wants = self.wants(&receipts)?;
            if wants.iter().all(BTreeSet::is_empty) {
                break receipts;
            }
            self.look_farther(wants, progress)?;
            self.clock.stage("split");
        };
        self.gather(&ground, progress)?;
        Ok(self.missing(&self.receipts(WALK)).map(|keys| (WALK, keys)))
    }

    /// Take a receipt that came back from a worker.
    ///
    /// # Errors
    /// It is none of this run, or its files are not there.
    pub fn accept(&self, stage: &str, receipt: &[u8]) -> Result<()> {
        let wrong = || {
            let fault = Fault::WrongFormat { expected: "receipt of a tile" };
            Error::from(Problem::of_file(self.folder.0.display().to_string(), fault))
        };
        let receipt: Receipt = serde_json::from_slice(receipt).map_err(|_| wrong())?;
        let (_, tile) = self.record.plan.tile(&receipt.key)?;
        self.folder.check(stage, &receipt, &self.record.plan.key, tile.round)
    }

    /// Put all tiles together and publish the folder of the run.
    ///
    /// # Errors
    /// As of a run in one piece; a tile is not done.
    pub fn finish(&mut self, out: &Path, progress: &Progress) -> Result<RunReport> {
        Staging::check(out)?;
        let (mut gathered, receipts) = self.done(progress)?;
        let union = self.union(&gathered, &receipts, progress)?;
        union.publish(&mut gathered, out, &self.clock, progress)
    }

    /// Inputs and walking times of the whole, for tables that are refreshed.
    ///
    /// # Errors
    /// As of [`TiledRun::finish`].
    pub fn city(&mut self, progress: &Progress) -> Result<(Prepared, Vec<NearestTimes>)> {
        let (gathered, receipts) = self.done(progress)?;
        let times = self.union(&gathered, &receipts, progress)?.times(&gathered.prepared, progress)?;
        Ok((gathered.prepared, times))
    }

    /// What is put together once all tiles are done.
    fn done(&mut self, progress: &Progress) -> Result<(Gathered, [Vec<Receipt>; 2])> {
        if let Some((stage, keys)) = self.stage(progress)? {
            return Err(Error::Internal(format!("{stage} of {} tiles is still to be done", keys.len())));
        }
        let gathered = self.gathered.take().ok_or_else(|| Error::Internal("inputs are joined".to_owned()))?;
        Ok((gathered, [GROUND, WALK].map(|stage| self.receipts(stage).into_iter().flatten().collect())))
    }

    fn union<'a>(
        &'a self,
        gathered: &Gathered,
        [ground, walked]: &'a [Vec<Receipt>; 2],
        progress: &Progress,
    ) -> Result<Union<'a>> {
        let (folder, plan) = (&self.folder, &self.record.plan);
        Union::new(folder, plan, &self.study, &gathered.prepared, (ground, walked), progress)
    }

    /// The tiles and what was done with them.
    pub fn summary(&self) -> Summary {
        let stages = [GROUND, WALK].map(|stage| {
            let receipts: Vec<Receipt> = self.receipts(stage).into_iter().flatten().collect();
            let seconds = receipts.iter().map(|receipt| receipt.seconds).sum();
            let written =
                receipts.iter().flat_map(|receipt| &receipt.files).map(|file: &Written| file.bytes).sum();
            let peak_memory_bytes = receipts.iter().filter_map(|receipt| receipt.peak_memory_bytes).max();
            let network =
                receipts.iter().fold((0, 0), |sum, it| (sum.0 + it.network.0, sum.1 + it.network.1));
            (stage, StageSummary { tiles: receipts.len(), seconds, written, peak_memory_bytes, network })
        });
        Summary {
            tiles: self
                .record
                .plan
                .tiles
                .iter()
                .map(|tile| (tile.key.clone(), tile.nodes, tile.round))
                .collect(),
            stages: stages.into_iter().collect(),
        }
    }

    fn receipts(&self, stage: &str) -> Vec<Option<Receipt>> {
        let plan = &self.record.plan;
        let receipt = |tile: &plan::Tile| self.folder.receipt_of(stage, &tile.key, &plan.key, tile.round);
        plan.tiles.iter().map(receipt).collect()
    }

    /// Keys of the tiles without a receipt, the most work first.
    fn missing(&self, receipts: &[Option<Receipt>]) -> Option<Vec<String>> {
        let open = self.record.plan.tiles.iter().zip(receipts).filter(|(_, receipt)| receipt.is_none());
        let mut open: Vec<&plan::Tile> = open.map(|(tile, _)| tile).collect();
        open.sort_by_key(|tile| std::cmp::Reverse(tile.nodes));
        (!open.is_empty()).then(|| open.into_iter().map(|tile| tile.key.clone()).collect())
    }

    /// The blocks that each tile has to see too: what it asks for, and where streets begin that pass it without a corner.
    fn wants(&self, receipts: &[Receipt]) -> Result<Vec<BTreeSet<CellIndex>>> {
        let cells = |ids: &[String]| ids.iter().filter_map(|id| cell::from_hex(id)).collect::<Vec<_>>();
        let mut wants: Vec<BTreeSet<CellIndex>> =
            receipts.iter().map(|receipt| cells(&receipt.wants).into_iter().collect()).collect();
        let passing: Vec<Vec<CellIndex>> =
            receipts.iter().flat_map(|receipt| &receipt.passing).map(|piece| cells(piece)).collect();
        if passing.is_empty() {
            return Ok(wants);
        }
        for ((tile, receipt), wants) in self.record.plan.tiles.iter().zip(receipts).zip(&mut wants) {
            let (kept, seen) = self.record.plan.view(tile)?;
            let kept = kept.and(cells(&receipt.farther));
            let unknown = |piece: &&Vec<CellIndex>| {
                let corners = [piece.first(), piece.last()].into_iter().flatten();
                !corners.into_iter().any(|&corner| seen.has(corner))
                    && piece.iter().any(|&block| kept.has(block))
            };
            wants.extend(passing.iter().filter(unknown).filter_map(|piece| piece.first()));
        }
        Ok(wants)
    }

    /// Cut the terrain again of tiles that must see more than theirs.
    fn look_farther(&mut self, wants: Vec<BTreeSet<CellIndex>>, progress: &Progress) -> Result<()> {
        let mut record = self.record.clone();
        let mut asking = BTreeSet::new();
        for (number, (tile, wants)) in (0..).zip(record.plan.tiles.iter_mut().zip(wants)) {
            if wants.is_empty() {
                continue;
            }
            tile.round += 1;
            tile.more.extend(wants.iter().map(ToString::to_string));
            asking.insert(number);
            if tile.round > MOST_ROUNDS {
                let fault = Fault::TileUnbounded { rounds: MOST_ROUNDS };
                let name = file_name(self.study.streets.file());
                return Err(Problem::of_file(name, fault).with_id(&tile.key).into());
            }
        }
        let (folder, study, memory_bytes) = (&self.folder, &self.study, self.memory_bytes);
        Cutting { folder, study, memory_bytes, progress }.cut_terrain(&record.plan, &asking)?;
        write_json(&folder.plan(), &record)?;
        self.record = record;
        Ok(())
    }

    fn gather(&mut self, ground: &[Receipt], progress: &Progress) -> Result<()> {
        let (folder, plan) = (&self.folder, &self.record.plan);
        if self.gathered.is_none() {
            let source = Source::of(&self.study, folder.spool(), self.memory_bytes, progress)?;
            let told = source.told()?;
            let whole = Whole {
                left_out: told.left_out,
                findings: told.findings,
                synthetic: told.synthetic,
                voids: self.record.voids,
            };
            let gathered = gather(folder, plan, &self.study, &self.given, whole, ground, progress)?;
            check_groups(&self.record.study, &self.study, &gathered.prepared)?;
            if !gathered.facts.mainland {
                let name = file_name(self.study.streets.file());
                return Err(Problem::of_file(name, Fault::NoMainland).into());
            }
            self.gathered = Some(gathered);
            self.clock.stage("prepare");
        }
        let mark: Option<String> = read_json(&folder.inputs_mark())?;
        let Some(gathered) = &self.gathered else { return Ok(()) };
        if mark.as_ref() != Some(&plan.key) {
            write_inputs(folder, plan, &self.study, &gathered.prepared, ground, progress)?;
            self.clock.stage("inputs");
        }
        Ok(())
    }
}

/// The tiles of a run and what they took.
#[derive(Debug, Clone, Serialize)]
pub struct Summary {
    /// Key, nodes of its own, and how often it asked to see more.
    pub tiles: Vec<(String, u64, u32)>,
    /// By stage.
    pub stages: BTreeMap<&'static str, StageSummary>,
}

/// What a stage took in all tiles together.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct StageSummary {
    /// Tiles that are done.
    pub tiles: usize,
    /// Seconds of all jobs.
    pub seconds: f64,
    /// Bytes that they wrote.
    pub written: u64,
    /// Largest memory of a process that did a job.
    pub peak_memory_bytes: Option<u64>,
    /// Nodes and edges that they worked on, those around tiles counted again and again.
    pub network: (u64, u64),
}

/// Do a stage of one tile on so many threads: what a worker does. It reads the working folder and the study, writes files of names that nobody else has, and gives its
/// receipt, which is kept in the folder too.
///
/// # Errors
/// No such stage or tile; a file is missing or damaged; what building and walking say.
pub fn job(work: &Path, stage: &str, key: &str, threads: usize, progress: &Progress) -> Result<Vec<u8>> {
    let pool = ThreadPoolBuilder::new().num_threads(threads).build();
    let pool = pool.map_err(|error| Error::Internal(error.to_string()))?;
    pool.install(|| on_these_threads(work, stage, key, progress))
}

fn on_these_threads(work: &Path, stage: &str, key: &str, progress: &Progress) -> Result<Vec<u8>> {
    let began = Instant::now();
    let folder = Folder(work.to_owned());
    let record: Record = read_json(&folder.plan())?
        .ok_or_else(|| Error::from(Problem::of_file(folder.plan().display().to_string(), Fault::NotFound)))?;
    if record.code != CODE {
        let expected = format!(
            "walkshed of the same build as the driver's, {}",
            &record.code[..8.min(record.code.len())]
        );
        let name = folder.plan().display().to_string();
        return Err(Problem::of_file(name, Fault::Setting { expected }).with_value(&CODE[..8]).into());
    }
    let study = io::study::read(&record.study)?;
    let (number, tile) = record.plan.tile(key)?;
    let site = Site { folder: &folder, study: &study, plan: &record.plan, number, tile };
    progress.begin(stage, 0)?;
    let mut receipt = match stage {
        GROUND => site.ground(progress)?,
        WALK => {
            let ground = folder.receipt_of(GROUND, key, &record.plan.key, tile.round);
            let missing = || Error::Internal(format!("the ground of {key} is not there"));
            site.walk(&ground.ok_or_else(missing)?, progress)?
        }
        other => {
            let fault = Fault::UnknownName { known: vec![GROUND.to_owned(), WALK.to_owned()] };
            return Err(Problem::of_file(folder.0.display().to_string(), fault).with_value(other).into());
        }
    };
    receipt.seconds = began.elapsed().as_secs_f64();
    receipt.peak_memory_bytes = peak_bytes();
    folder.keep(&receipt)
}

/// Workers have other current folders.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

/// Take hold of a working folder: an empty one, or one of an earlier run.
fn claim(folder: &Folder) -> Result<FolderLock> {
    let path = &folder.0;
    let is_ours = folder.plan().is_file() || path.join("lock").is_file();
    let is_empty = || fs::read_dir(path).is_ok_and(|mut entries| entries.next().is_none());
    if path.exists() && !is_ours && !is_empty() {
        return Err(Problem::of_file(path.display().to_string(), Fault::OutputExists).into());
    }
    fs::create_dir_all(path).map_err(Error::file(path))?;
    FolderLock::take(path.join("lock"), "a tiled run")
}

/// Remove what another study or other code left.
fn forget(folder: &Folder) -> Result<()> {
    let entries = fs::read_dir(&folder.0).map_err(Error::file(&folder.0))?;
    for entry in entries {
        let path = entry.map_err(Error::file(&folder.0))?.path();
        let is_kept = path.file_name().is_some_and(|name| name == "lock" || name == "spool");
        if path.is_dir() && !is_kept {
            fs::remove_dir_all(&path).map_err(Error::file(&path))?;
        } else if !is_kept {
            fs::remove_file(&path).map_err(Error::file(&path))?;
        }
    }
    Ok(())
}

/// The source of a study, cut into tiles.
struct Cutting<'a> {
    folder: &'a Folder,
    study: &'a Study,
    memory_bytes: u64,
    progress: &'a Progress,
}

impl Cutting<'_> {
    /// Find the tiles and cut all of them.
    fn first(&self, path: &Path, stated: (Option<u8>, u64), key: String) -> Result<Record> {
        // Blocks are those of the analysis, where tiles are; in the source's system they lie a little elsewhere.
        let counts = self.source()?.survey()?;
        let system = self.study.study.analysis_crs;
        let mut nodes: BTreeMap<CellIndex, u64> = BTreeMap::new();
        for (&block, &count) in &counts {
            *nodes.entry(cell::at(system.moved(cell::centre(block)), BLOCK)).or_default() += count;
        }
        let sources = counts.keys().copied();
        let plan = plan::plan(self.study, &profiles(self.study), (sources.clone(), &nodes), stated, key)?;
        let tiles_of = wishes(&plan, sources);
        let wishes = Wishes { resolution: BLOCK, system: AnalysisCrs::Wgs84, tiles_of };
        let streets = self.folder.streets();
        fs::create_dir_all(&streets).map_err(Error::file(&streets))?;
        self.source()?.cut(&wishes, &streets)?;
        let voids = self.cut_terrain(&plan, &(0..plan.tiles.len() as u32).collect())?;
        Ok(Record { code: CODE.to_owned(), study: absolute(path), plan, voids })
    }

    fn source(&self) -> Result<Source<'_>> {
        Source::of(self.study, self.folder.spool(), self.memory_bytes, self.progress)
    }

    /// Cut the terrain for some tiles; its voids.
    fn cut_terrain(&self, plan: &Plan, which: &BTreeSet<u32>) -> Result<(u64, u64)> {
        let elevation = prepare::elevation(self.study)?;
        self.progress.begin("cutting the terrain", which.len())?;
        if elevation.grids.is_empty() {
            return Ok((elevation.voids.found, elevation.voids.filled));
        }
        for &number in which {
            let tile = &plan.tiles[number as usize];
            let path = self.folder.terrain(tile.round, number);
            let folder = path.parent().unwrap_or(&self.folder.0);
            fs::create_dir_all(folder).map_err(Error::file(folder))?;
            let (_, seen) = plan.view(tile)?;
            if let Some(frame) = frame(&terrain_region(&seen, self.study.study.analysis_crs)) {
                io::elevation::save(&path, &elevation.part(frame))?;
            }
            self.progress.step(1)?;
        }
        Ok((elevation.voids.found, elevation.voids.filled))
    }
}

/// Room beside blocks, degrees.
const BESIDE_DEG: f64 = 0.01;

/// The box around blocks and those beside them: west, south, east, north.
fn frame(region: &Region) -> Option<[f64; 4]> {
    let boxes = region.cells().filter_map(|block| cell::outline(block).bounding_rect());
    let all = boxes.reduce(|a, b| {
        let least = (a.min().x.min(b.min().x), a.min().y.min(b.min().y));
        geo::Rect::new(least, (a.max().x.max(b.max().x), a.max().y.max(b.max().y)))
    })?;
    Some([
        all.min().x - BESIDE_DEG,
        all.min().y - BESIDE_DEG,
        all.max().x + BESIDE_DEG,
        all.max().y + BESIDE_DEG,
    ])
}
