//! The nightly job: the tables of a study brought up to its inputs.
//!
//! A refresh is a pure function of inputs, settings, day and code. The same of all four as in the last release: nothing is
//! done. Else everything is read and walked again, which takes seconds (docs/design/2026-11-tables.md has the figures);
//! each file has a fingerprint of what its rows are computed from, and only those whose fingerprint differs are computed
//! and written. Files are named by their contents, so a whole recompute gives the same files.

use super::city_tables::City;
use super::lake::{Lake, Recovered, Staged, TableState, Workbench, beside_path};
use super::parts::{self, Made, Workshop};
use super::prepare::{Ground, Prepared, identify, prepare_on};
use super::score::{Sources, card};
use super::study::{
    Clock, RowTables, by_reason, check_groups, list_unjoined, memory_bytes, people_report, profiles,
    row_tables, total_coverage, walking_times,
};
use super::tiles::TiledRun;
use crate::io;
use crate::io::delta::Changes;
use crate::io::disk::{self, Disk, LocalDisk};
use crate::io::given::Given;
use crate::io::hash;
use crate::io::memory::MemoryLimit;
use crate::io::scorecard::{Settings, points_to_batch, totals_to_batch};
use crate::metrics::apportion::Part as CellPart;
use crate::model::coverage::{CoverageRow, EVERYBODY};
use crate::model::error::{Error, Result};
use crate::model::gate::{GATES, ReleaseGates, shut};
use crate::model::problem::{Fault, Level, Problem};
use crate::model::progress::Progress;
use crate::model::release::{FORMAT, Facts, Release, ReleaseInput, StoredFile, Total};
use crate::model::standard::Applies;
use crate::model::study::{LEAST_KEPT, Study};
use crate::network::store;
use crate::travel::nearest::NearestTimes;
use arrow_array::RecordBatch;
use serde::Serialize;
use sha2::{Digest, Sha256};
use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::UNIX_EPOCH;

/// Which code made a table: its version, and a hash of its sources.
pub const CODE: &str = env!("WALKSHED_CODE");

/// A table that is published with the others, as it is handed over.
pub struct Extra {
    /// Its name.
    pub name: String,
    /// Its rows; cut by tiles where it has `lon` and `lat`.
    pub rows: RecordBatch,
}

/// What is asked of a refresh.
pub struct Request<'a> {
    /// The study.
    pub study: &'a Path,
    /// The folder of its tables; else what the study says.
    pub tables: Option<&'a Path>,
    /// Tables of the study that were read outside.
    pub given: &'a Given,
    /// More tables to publish.
    pub extra: Vec<Extra>,
    /// Compute everything again, whatever the fingerprints say.
    pub full: bool,
    /// Only tell what would be done.
    pub dry_run: bool,
    /// The day on which facilities are open, in place of the study's.
    pub as_of: Option<String>,
    /// Gates to pass over, each with a reason.
    pub overrides: BTreeMap<String, String>,
    /// Publish on a file system on which names may get lost.
    pub any_file_system: bool,
    /// The most memory.
    pub memory: MemoryLimit,
    /// Now, milliseconds since 1970: the time that the release carries, and nothing else.
    pub now_ms: u64,
    /// The study tile by tile, where it is worked on so: all its tiles are done.
    pub tiles: Option<&'a Mutex<TiledRun>>,
}

/// What a refresh did.
#[derive(Debug, Clone, Serialize)]
pub struct RefreshReport {
    /// `published`, `unchanged` or `dry_run`.
    pub status: &'static str,
    /// The folder of the tables.
    pub tables: PathBuf,
    /// The release that stands now; none where there is none yet.
    pub release: Option<u64>,
    /// What is new since the release before.
    pub why: Vec<Why>,
    /// What became of each table.
    pub made: BTreeMap<String, Made>,
    /// The record of the release, or what it would be.
    pub record: Option<Release>,
    /// The files that were read.
    pub inputs: Vec<ReleaseInput>,
    /// Coverage of everybody in the release before.
    pub total_before: Vec<Total>,
    /// People of cells and areas, and how they were joined.
    pub people: Option<serde_json::Value>,
    /// Rejected rows by reason.
    pub rejected: BTreeMap<&'static str, usize>,
    /// What is told of rows that are used, by reason.
    pub told: BTreeMap<&'static str, usize>,
    /// What somebody left who died, and is in order now.
    pub recovered: Vec<u64>,
    /// Unfinished work that was taken away.
    pub swept: usize,
    /// Files that no kept release needs, which were taken away, and their bytes.
    pub let_go: (u64, u64),
    /// What is odd and does not stop anything.
    pub warnings: Vec<String>,
    /// Seconds of each stage.
    pub seconds: BTreeMap<&'static str, f64>,
    /// Largest memory of the process so far, bytes.
    pub peak_memory_bytes: Option<u64>,
}

/// Something that is not as in the release before.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Why {
    /// `first`, `full`, `new`, `changed`, `gone`, `settings`, `day` or `code`.
    pub what: &'static str,
    /// The file, or what was and what is.
    pub of: String,
}

/// Bring the tables of a study up to its inputs.
///
/// # Errors
/// Every fault of the study or its inputs, and gates that stay shut; [`Error::Busy`] when another process publishes. The
/// tables are then as they were.
pub fn refresh(request: &Request<'_>, progress: &Progress) -> Result<RefreshReport> {
    let disk = LocalDisk::from_env();
    let mut clock = Clock::new();
    let study = on_day(request.study, request.as_of.clone())?;
    check_overrides(request)?;
    let root = request.tables.unwrap_or(&study.refresh.tables).to_owned();
    let lake = Lake::new(&root, &disk);
    let _lock = if request.dry_run { None } else { Some(lake.lock(&utc(request.now_ms))?) };
    if !request.dry_run {
        check_disk(&root, request)?;
    }
    let recovered = if request.dry_run { Recovered::default() } else { lake.recover()? };
    progress.begin("checking inputs", 0)?;
    let before = lake.last()?.map(|number| lake.release(number)).transpose()?;
    let draft = draft(request, &study, before.as_ref())?;
    let mut report = RefreshReport {
        status: "unchanged",
        tables: root.clone(),
        release: before.as_ref().map(|it| it.release),
        why: why(&draft, before.as_ref(), request.full),
        made: BTreeMap::new(),
        record: None,
        inputs: Vec::new(),
        total_before: before.as_ref().map(|it| it.total.clone()).unwrap_or_default(),
        people: None,
        rejected: BTreeMap::new(),
        told: BTreeMap::new(),
        recovered: recovered.finished,
        swept: recovered.swept,
        let_go: (0, 0),
        warnings: Vec::new(),
        seconds: BTreeMap::new(),
        peak_memory_bytes: None,
    };
    clock.stage("inputs");
    report.inputs.clone_from(&draft.inputs);
    if let Some(before) = before.as_ref().filter(|_| !request.full)
        && (before.key == draft.key || lake.remembers(&draft.key, before.release)?)
    {
        return Ok(finished(report, clock));
    }
    let night = Night { request, study: &study, lake: &lake, disk: &disk, before: before.as_ref() };
    night.work(draft, &mut report, &mut clock, progress)?;
    Ok(finished(report, clock))
}

/// Whether a refresh would have anything to do: inputs, settings, day or code are not those of the last release.
///
/// # Errors
/// Every fault of the study, or a file that is missing.
pub fn is_due(request: &Request<'_>) -> Result<bool> {
    let disk = LocalDisk::from_env();
    let study = on_day(request.study, request.as_of.clone())?;
    let root = request.tables.unwrap_or(&study.refresh.tables).to_owned();
    let lake = Lake::new(&root, &disk);
    let Some(before) = lake.last()?.map(|number| lake.release(number)).transpose()? else { return Ok(true) };
    let draft = draft(request, &study, Some(&before))?;
    Ok(request.full || before.key != draft.key && !lake.remembers(&draft.key, before.release)?)
}

fn finished(mut report: RefreshReport, clock: Clock) -> RefreshReport {
    report.seconds = clock.seconds;
    report.peak_memory_bytes = io::memory::peak_bytes();
    report
}

/// A study, with the day on which facilities are open where another is wanted.
///
/// # Errors
/// Every fault of the study, or the day is none.
pub fn on_day(path: &Path, as_of: Option<String>) -> Result<Study> {
    let mut study = io::study::read(path)?;
    if let Some(day) = as_of {
        study.study.as_of = Some(day);
    }
    if let Some(day) = study.study.as_of.as_ref().filter(|_| study.day().is_none()) {
        let fault = Fault::Setting { expected: "a day such as 2026-03-01".to_owned() };
        return Err(Problem::of_file(io::files::file_name(path), fault)
            .in_column("as_of")
            .with_value(day)
            .into());
    }
    Ok(study)
}

fn check_overrides(request: &Request<'_>) -> Result<()> {
    let file = io::files::file_name(request.study);
    let unknown = request.overrides.keys().find(|name| !GATES.contains(&name.as_str()));
    if let Some(unknown) = unknown {
        let fault = Fault::UnknownName { known: GATES.map(str::to_owned).to_vec() };
        return Err(Problem::of_file(file, fault).in_column("override").with_value(unknown).into());
    }
    if let Some((name, _)) = request.overrides.iter().find(|(_, reason)| reason.trim().is_empty()) {
        let fault = Fault::Setting { expected: "a reason, which is recorded".to_owned() };
        return Err(Problem::of_file(file, fault).in_column("override").with_value(name).into());
    }
    Ok(())
}

/// Names on some file systems are not safe when the system says so.
fn check_disk(root: &Path, request: &Request<'_>) -> Result<()> {
    let told = |expected: String| Problem::of_file(root.display().to_string(), Fault::Setting { expected });
    match disk::unsafe_file_system(root)? {
        Some(kind) if !request.any_file_system => {
            let expected = format!(
                "a local file system; {kind} may lose what is published when a machine fails (--any-file-system takes it)"
            );
            Err(told(expected).into())
        }
        _ => Ok(()),
    }
}

/// Half as much again as the tables take now: a night that rewrites everything fits.
fn check_space(root: &Path, before: Option<&Release>, inputs_bytes: u64) -> Result<()> {
    let tables = before.map_or(0, |it| it.tables.values().map(|table| table.bytes).sum());
    let needed_bytes = tables.max(inputs_bytes) / 2 * 3;
    let free_bytes = disk::free_bytes(root)?;
    if free_bytes < needed_bytes {
        let fault = Fault::DiskSpace { needed_bytes, free_bytes };
        return Err(Problem::of_file(root.display().to_string(), fault).into());
    }
    Ok(())
}

/// The record of a release before anything is computed.
fn draft(request: &Request<'_>, study: &Study, before: Option<&Release>) -> Result<Release> {
    let inputs = inputs(study, request.given)?;
    let settings = settings(study)?;
    let mut key = Sha256::new();
    for input in &inputs {
        key.update(format!("{} {}\n", input.path, input.sha256));
    }
    let as_of = study.study.as_of.clone();
    key.update(format!("{settings} {as_of:?} {CODE} {FORMAT}"));
    let at_ms = request.now_ms.max(before.map_or(0, |it| it.published_at_ms + 1));
    Ok(Release {
        format: FORMAT,
        release: 0,
        published_at: utc(at_ms),
        published_at_ms: at_ms,
        cause: "refresh".to_owned(),
        reason: None,
        study: study.study.name.clone(),
        as_of,
        walkshed: env!("CARGO_PKG_VERSION").to_owned(),
        coverage: study.coverage.clone(),
        profiles: profiles(study),
        analysis_crs: study.study.analysis_crs,
        code: CODE.to_owned(),
        settings,
        key: hash::hex(&key.finalize()),
        inputs,
        entries: String::new(),
        tables: BTreeMap::new(),
        files: BTreeMap::new(),
        facts: Facts::default(),
        total: Vec::new(),
        overridden: BTreeMap::new(),
        before_sha256: None,
        sha256: String::new(),
    })
}

/// The files of the study, and those that only its tables ask for.
fn inputs(study: &Study, given: &Given) -> Result<Vec<ReleaseInput>> {
    let refresh = &study.refresh;
    let standard = refresh.standard.as_ref().map(PathBuf::from).filter(|path| path.extension().is_some());
    let more =
        [standard.as_ref(), refresh.survey.as_ref(), refresh.projects.as_ref(), refresh.requests.as_ref()];
    let mut files = identify(study, given)?;
    for path in more.into_iter().flatten() {
        if !path.is_file() {
            return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
        }
        files.push(hash::identify(path)?);
    }
    let modified_ms = |path: &str| -> Option<u64> {
        let modified = std::fs::metadata(path).ok()?.modified().ok()?;
        modified.duration_since(UNIX_EPOCH).ok()?.as_millis().try_into().ok()
    };
    let input = |file: hash::InputFile| ReleaseInput {
        modified_ms: modified_ms(&file.path),
        path: file.path,
        bytes: file.bytes,
        sha256: file.sha256,
    };
    Ok(files.into_iter().map(input).collect())
}

/// Hash of the settings that numbers hang on: not where tables lie, how long they are kept, or what gates let pass.
fn settings(study: &Study) -> Result<String> {
    let mut study = study.clone();
    study.study.as_of = None;
    study.refresh.tables = PathBuf::new();
    (study.refresh.keep_releases, study.refresh.keep_days) = LEAST_KEPT;
    study.refresh.gates = ReleaseGates::default();
    let text = serde_json::to_string(&study).map_err(|error| Error::Internal(error.to_string()))?;
    Ok(hash::of_text(&text))
}

/// What is new since the release before.
fn why(draft: &Release, before: Option<&Release>, full: bool) -> Vec<Why> {
    let Some(before) = before else { return vec![Why { what: "first", of: String::new() }] };
    let mut found = Vec::new();
    if full {
        found.push(Why { what: "full", of: String::new() });
    }
    for input in &draft.inputs {
        match before.inputs.iter().find(|was| was.path == input.path) {
            None => found.push(Why { what: "new", of: input.path.clone() }),
            Some(was) if was.sha256 != input.sha256 => {
                found.push(Why { what: "changed", of: input.path.clone() });
            }
            Some(_) => {}
        }
    }
    let is_gone = |was: &&ReleaseInput| !draft.inputs.iter().any(|input| input.path == was.path);
    found.extend(before.inputs.iter().filter(is_gone).map(|was| Why { what: "gone", of: was.path.clone() }));
    if draft.settings != before.settings {
        found.push(Why { what: "settings", of: String::new() });
    }
    if draft.as_of != before.as_of {
        let day = |day: &Option<String>| day.clone().unwrap_or_else(|| "-".to_owned());
        found.push(Why { what: "day", of: format!("{} → {}", day(&before.as_of), day(&draft.as_of)) });
    }
    if draft.code != before.code {
        found.push(Why { what: "code", of: format!("{} → {}", before.code, draft.code) });
    }
    found
}

/// A moment as text, UTC.
pub fn utc(ms: u64) -> String {
    let moment = chrono::DateTime::from_timestamp_millis(ms as i64).unwrap_or_default();
    moment.format("%Y-%m-%dT%H:%M:%S%.3fZ").to_string()
}

/// What a refresh that has something to do works with.
struct Night<'a> {
    request: &'a Request<'a>,
    study: &'a Study,
    lake: &'a Lake<'a>,
    disk: &'a dyn Disk,
    before: Option<&'a Release>,
}

impl Night<'_> {
    fn work(
        &self,
        mut draft: Release,
        report: &mut RefreshReport,
        clock: &mut Clock,
        progress: &Progress,
    ) -> Result<()> {
        let (study, request) = (self.study, self.request);
        let inputs_bytes = draft.inputs.iter().map(|input| input.bytes).sum();
        if !request.dry_run {
            check_space(self.lake.root(), self.before, inputs_bytes)?;
        }
        let streets = self.streets(&draft.inputs)?;
        let (mut prepared, times) = self.walked(&streets, clock, progress)?;
        let everywhere =
            vec![(0..prepared.cells.cell.len() as u32).map(|cell| CellPart { cell, share: 1.0 }).collect()];
        let total = total_coverage(study, &prepared, &times, &everywhere, progress)?;
        list_unjoined(study, &mut prepared, &times[0].facility_snap);
        clock.stage("times");
        draft.facts = facts(&prepared, &times);
        draft.total = total.into_iter().filter(|row| row.group == EVERYBODY).map(everybody).collect();
        report.people = serde_json::to_value(people_report(&prepared, &times[0])).ok();
        let rows = row_tables(study, &prepared, &times[0]);
        let scored = self.scorecard(&mut prepared, &rows, &times, progress)?;
        report.rejected = by_reason(&prepared, |level| level <= Level::Rejected);
        report.told = by_reason(&prepared, |level| level > Level::Rejected);
        clock.stage("scorecard");
        progress.hold()?;
        let bench = self.bench()?;
        let finish = || {
            let city = City::new(study, &prepared, &times, progress)?;
            let mut staged = self.make(&city, &rows, scored, bench.as_ref(), report, progress)?;
            clock.stage("tables");
            if let Some(bench) = &bench {
                staged.files = self.files(&prepared, rows, &streets, bench, progress)?;
            }
            clock.stage("files");
            draft.tables = staged.counts.clone();
            self.check_unchanged(&draft)?;
            self.gates(&mut draft, report)?;
            self.publish(bench.as_ref(), &staged, draft, report, progress)?;
            clock.stage("publish");
            Ok(())
        };
        let finished = finish();
        if let (Err(_), Some(bench)) = (&finished, &bench) {
            // What cannot be taken away now is taken away by the next refresh.
            let _ = self.lake.leave(bench);
        }
        finished
    }

    /// The inputs, joined, and the walking times.
    fn walked(
        &self,
        streets: &str,
        clock: &mut Clock,
        progress: &Progress,
    ) -> Result<(Prepared, Vec<NearestTimes>)> {
        let (study, request) = (self.study, self.request);
        if let Some(tiles) = request.tiles {
            return tiles.lock().unwrap_or_else(PoisonError::into_inner).city(progress);
        }
        let ground = self.known_ground(streets)?;
        let prepared = prepare_on(ground, study, request.given, &mut Vec::new(), progress)?;
        check_groups(request.study, study, &prepared)?;
        clock.stage("prepare");
        request.memory.check("refresh", memory_bytes(study, &prepared))?;
        let times = walking_times(study, &prepared, progress)?;
        Ok((prepared, times))
    }

    fn bench(&self) -> Result<Option<Workbench>> {
        let unique = format!("{}-{}", std::process::id(), self.request.now_ms);
        if self.request.dry_run { Ok(None) } else { self.lake.workbench(&unique).map(Some) }
    }

    /// The files are still those whose hashes the record has.
    fn check_unchanged(&self, draft: &Release) -> Result<()> {
        let now = inputs(self.study, self.request.given)?;
        let other = now.iter().zip(&draft.inputs).find(|(now, was)| now.sha256 != was.sha256);
        other.map_or(Ok(()), |(now, _)| Err(Problem::of_file(&now.path, Fault::ChangedWhileRead).into()))
    }

    /// The scorecard of the study's areas, where it names a standard.
    fn scorecard(
        &self,
        prepared: &mut Prepared,
        rows: &RowTables,
        times: &[NearestTimes],
        progress: &Progress,
    ) -> Result<Option<[RecordBatch; 2]>> {
        let study = self.study;
        let Some(name) = &study.refresh.standard else { return Ok(None) };
        let standard = io::standard::read(name)?;
        let table = |name: &str, batch: &RecordBatch| {
            let table = io::table::Table::from_batches(name, &batch.schema(), std::slice::from_ref(batch))?;
            Ok::<_, Error>(table.analysed_in(study.study.analysis_crs))
        };
        let answers = study.refresh.survey.as_ref().map(|path| io::table::Table::read(path)).transpose()?;
        let survey = answers.as_ref().map(|table| table.name.clone());
        let sources = Sources {
            facilities: table("facilities", &rows.facilities)?,
            areas: table("areas", &rows.areas)?,
            cells: table("cells", &rows.cells)?,
            answers,
        };
        let settings = Settings {
            profile: study.coverage.profiles[0].clone(),
            applies: Applies::Existing,
            complete: Vec::new(),
            day: study.day(),
        };
        let walked = |_: &io::cells::PeopleTable| Ok(times.iter().map(|it| it.times.clone()).collect());
        let level = study.refresh.level.as_deref();
        let mut told = Vec::new();
        let (card, facts) = card(&standard, sources, level, settings, walked, &mut told, progress)?;
        // What is odd of facilities and areas was told when the study read them.
        prepared.rejected.extend(told.into_iter().filter(|problem| Some(&problem.file) == survey.as_ref()));
        Ok(Some([points_to_batch(&card, &facts), totals_to_batch(&card, &facts)]))
    }

    /// Make every table, as far as it is not there already.
    fn make(
        &self,
        city: &City<'_>,
        rows: &RowTables,
        scored: Option<[RecordBatch; 2]>,
        bench: Option<&Workbench>,
        report: &mut RefreshReport,
        progress: &Progress,
    ) -> Result<Staged> {
        let mut tables = vec![
            city.coverage()?,
            city.times(),
            parts::tiled("cells", &rows.cells, &city.tile_of_cell)?,
            parts::tiled("areas", &rows.areas, &city.tile_of_area)?,
            parts::tiled("facilities", &rows.facilities, &city.tile_of_facility)?,
            parts::whole("rejected", &io::rejected::to_batch(&city.prepared.rejected))?,
        ];
        if let Some([points, totals]) = scored {
            tables.push(city.of_areas("scorecard_points", &points)?);
            tables.push(city.of_areas("scorecards", &totals)?);
        }
        for extra in &self.request.extra {
            tables.push(city.placed(&extra.name, &extra.rows)?);
        }
        let full = self.request.full;
        let workshop = Workshop { disk: self.disk, bench, full, progress };
        progress.begin("tables", tables.iter().map(|table| table.parts.len()).sum())?;
        let mut staged = Staged::default();
        let mut gone: BTreeSet<String> =
            self.before.map(|it| it.tables.keys().cloned().collect()).unwrap_or_default();
        for table in &tables {
            gone.remove(&table.name);
            let state = self.state(&table.name)?;
            let (changes, counts, made) =
                workshop.table(table, &state, &uuid(&self.study.study.name, &table.name))?;
            report.made.insert(table.name.clone(), made);
            staged.counts.insert(table.name.clone(), counts);
            staged.tables.insert(table.name.clone(), changes);
        }
        // A table that is made no more is empty from now on; its history stays.
        for name in gone {
            let (changes, counts) = Changes::between(&self.state(&name)?, None, Vec::new());
            staged.counts.insert(name.clone(), counts);
            staged.tables.insert(name, changes);
        }
        Ok(staged)
    }

    /// What lies beside the tables: what maps need and tables do not have, and the network, by which a later year can tell
    /// what streets did.
    fn files(
        &self,
        prepared: &Prepared,
        rows: RowTables,
        made_from: &str,
        bench: &Workbench,
        progress: &Progress,
    ) -> Result<BTreeMap<String, StoredFile>> {
        let maps = [("cells", rows.cells), ("areas", rows.areas), ("facilities", rows.facilities)];
        let mut files = BTreeMap::new();
        for (name, batch) in maps {
            let aside = bench.path(name);
            io::geoparquet::write(&aside, &batch, progress)?;
            progress.check()?;
            let contents = self.disk.read(&aside)?.unwrap_or_default();
            let file = stored(name, "parquet", &contents, String::new());
            self.disk.rename(&aside, &bench.path(&file.sha256))?;
            files.insert(name.to_owned(), file);
        }
        let network = match (self.known("network", made_from), self.request.tiles) {
            (Some(file), _) => Some(file.clone()),
            // The streets lie in tiles: nobody has the whole.
            (None, Some(_)) => None,
            (None, None) => {
                let contents = store::encode(&prepared.network)?;
                progress.check()?;
                Some(self.store("network", "network", &contents, made_from, bench)?)
            }
        };
        files.extend(network.map(|file| ("network".to_owned(), file)));
        let homes = match (self.known("homes", made_from), &prepared.homes) {
            (Some(file), _) => Some(file.clone()),
            (None, Some(homes)) => {
                let contents = io::geoparquet::encode(&io::population::dwellings_to_batch(homes), &[])?;
                Some(self.store("homes", "parquet", &contents, made_from, bench)?)
            }
            (None, None) => None,
        };
        files.extend(homes.map(|file| ("homes".to_owned(), file)));
        Ok(files)
    }

    /// A file of the release before that is still what would be made; `--full` makes it again.
    fn known(&self, name: &str, made_from: &str) -> Option<&StoredFile> {
        let file = self.before.filter(|_| !self.request.full)?.files.get(name)?;
        let is_there = || self.disk.exists(&self.lake.root().join(&file.path));
        (file.made_from == made_from && is_there()).then_some(file)
    }

    fn store(
        &self,
        name: &str,
        kind: &str,
        contents: &[u8],
        made_from: &str,
        bench: &Workbench,
    ) -> Result<StoredFile> {
        let file = stored(name, kind, contents, made_from.to_owned());
        self.disk.write(&bench.path(&file.sha256), contents, None)?;
        Ok(file)
    }

    /// Streets and homes as an earlier night read them from the same files, where all that is used of them was kept.
    fn known_ground(&self, made_from: &str) -> Result<Option<Ground>> {
        let files = (self.known("network", made_from), self.known("homes", made_from));
        let (Some(network), Some(homes)) = files else { return Ok(None) };
        if self.study.facilities.osm {
            return Ok(None);
        }
        let root = self.lake.root();
        let contents = self.disk.read(&root.join(&homes.path))?.unwrap_or_default();
        if hash::of_bytes(&contents) != homes.sha256 {
            let expected =
                "the file as it was published: --full makes it anew, `walkshed verify` tells of others";
            let fault = Fault::Setting { expected: expected.to_owned() };
            return Err(Problem::of_file(&homes.path, fault).into());
        }
        let homes = io::population::decode_dwellings(contents)?;
        let network = store::load(&root.join(&network.path))?;
        Ok(Some(Ground { network, homes, from_map: None, is_told: false }))
    }

    /// Hash of all that the network is made from.
    fn streets(&self, inputs: &[ReleaseInput]) -> Result<String> {
        let streets = &self.study.streets;
        let settings = (streets, self.study.study.analysis_crs);
        let mut text =
            serde_json::to_string(&settings).map_err(|error| Error::Internal(error.to_string()))?;
        let paths = [&streets.osm, &streets.overture, &streets.connectors].into_iter().flatten();
        let parts = paths.chain(&streets.elevation).flat_map(|path| io::files::parts(path));
        let paths: BTreeSet<String> = parts.map(|path| path.display().to_string()).collect();
        for input in inputs.iter().filter(|input| paths.contains(&input.path)) {
            text += &input.sha256;
        }
        Ok(hash::of_text(&(text + CODE)))
    }

    fn state(&self, table: &str) -> Result<TableState> {
        self.before.map_or(Ok(TableState::default()), |it| self.lake.table(table, it.release))
    }

    /// Gates that stay shut, unless somebody said why they may be passed.
    fn gates(&self, draft: &mut Release, report: &mut RefreshReport) -> Result<()> {
        let earlier = if self.before.is_some() { self.lake.history()? } else { Vec::new() };
        let earlier = &earlier[..earlier.len().saturating_sub(1)];
        let mut problems = Vec::new();
        for (of, fault) in shut(self.study.refresh.gates, draft, self.before, earlier) {
            match self.request.overrides.get(fault.gate()) {
                Some(reason) => {
                    draft.overridden.insert(fault.gate().to_owned(), reason.clone());
                }
                None => problems.push(Problem::of_file(of, fault.into())),
            }
        }
        if self.request.dry_run {
            report.warnings.extend(problems.iter().map(|problem| {
                let told = problem.message();
                format!("{} {}", told.en, told.zh)
            }));
            return Ok(());
        }
        if problems.is_empty() { Ok(()) } else { Err(Error::Input(problems)) }
    }

    fn publish(
        &self,
        bench: Option<&Workbench>,
        staged: &Staged,
        draft: Release,
        report: &mut RefreshReport,
        progress: &Progress,
    ) -> Result<()> {
        if self.before.is_some_and(|before| self.request.now_ms < before.published_at_ms) {
            let told =
                "the clock of this machine is before the last release; the release is dated just after that";
            report.warnings.push(format!("{told} 系统时钟早于上一版的发布时间"));
        }
        let is_other = |(name, file): (&String, &StoredFile)| {
            let was = self.before.and_then(|it| it.files.get(name));
            was.is_none_or(|was| was.sha256 != file.sha256)
        };
        let is_changed = |changes: &Changes| !changes.removed.is_empty() || changes.shape.is_some();
        let changed = self.before.is_none()
            || report.made.values().any(|made| made.changed > 0)
            || staged.tables.values().any(is_changed)
            || staged.files.iter().any(is_other);
        let Some(bench) = bench else {
            report.status = "dry_run";
            report.record = Some(draft);
            return Ok(());
        };
        if let Some(before) = self.before.filter(|_| !changed) {
            self.lake.remember(&draft.key, before.release)?;
            report.record = Some(draft);
            return self.lake.leave(bench);
        }
        progress.check()?;
        let release = self.lake.publish(bench, staged, draft, progress)?;
        report.status = "published";
        report.release = Some(release.release);
        // The release stands, whatever becomes of old files: they can go another night.
        match self.first_kept(&release).and_then(|first| self.lake.keep_from(first)) {
            Ok(let_go) => report.let_go = let_go,
            Err(error) => report.warnings.push(format!("old files are still there 旧文件未能清理: {error}")),
        }
        report.record = Some(release);
        Ok(())
    }

    /// The first release to keep: of the last so many, and of the last so many days, whichever are more.
    fn first_kept(&self, now: &Release) -> Result<u64> {
        const DAY_MS: u64 = 86_400_000;
        let settings = &self.study.refresh;
        let since_ms = now.published_at_ms.saturating_sub(settings.keep_days * DAY_MS);
        let by_count = (now.release + 1).saturating_sub(settings.keep_releases);
        // A reader of that day still reads what stood when it began.
        let history = self.lake.history()?;
        let stood = history.iter().rev().find(|it| it.published_at_ms <= since_ms);
        Ok(by_count.min(stood.map_or(0, |it| it.release)))
    }
}

fn facts(prepared: &Prepared, times: &[NearestTimes]) -> Facts {
    let people = &prepared.cells.people;
    let unjoined = |it: &NearestTimes| {
        let cells = people.iter().zip(&it.origin_snap).filter(|(_, snap)| snap.anchor.is_none());
        cells.fold(0.0, |sum, (people, _)| sum + people)
    };
    let no_door = times[0].facility_snap.iter().filter(|snap| snap.anchor.is_none());
    Facts {
        people_stated: prepared.people_in,
        people_in_cells: people.iter().fold(0.0, |sum, people| sum + people),
        people_not_snapped: times.iter().map(unjoined).fold(0.0, f64::max),
        facilities: prepared.facilities.len() as u64,
        facilities_not_snapped: no_door.count() as u64,
    }
}

fn everybody(row: CoverageRow) -> Total {
    Total {
        class: row.class,
        profile: row.profile,
        minutes: row.minutes,
        people: row.people,
        people_covered: row.people_covered,
    }
}

fn stored(name: &str, kind: &str, contents: &[u8], made_from: String) -> StoredFile {
    let sha256 = hash::of_bytes(contents);
    StoredFile { path: beside_path(name, kind, &sha256), bytes: contents.len() as u64, sha256, made_from }
}

/// An id for a table that is the same whenever the table is made anew, in the form of a UUID.
fn uuid(study: &str, table: &str) -> String {
    let hex = hash::of_text(&format!("{study}/{table}"));
    format!("{}-{}-{}-{}-{}", &hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..32])
}
