//! The main line: one study from its files to its result folder.

use super::prepare::{Prepared, prepare};
use super::publish::{MARK, Staging};
use crate::io;
use crate::io::geoparquet::TableWriter;
use crate::io::given::Given;
use crate::io::hash::InputFile;
use crate::io::memory::MemoryLimit;
use crate::io::osm::LeftOut;
use crate::metrics::apportion::{self, Part};
use crate::metrics::coverage::coverage;
use crate::model::coverage::CoverageRow;
use crate::model::error::{Error, Result};
use crate::model::finding::{Tally, rejected_rows};
use crate::model::ids::Ids;
use crate::model::ledger::Status;
use crate::model::place::{Place, Spot};
use crate::model::population::{ByEvidence, Pixels};
use crate::model::problem::{Fault, Level, Problem};
use crate::model::profile::Profile;
use crate::model::progress::Progress;
use crate::model::study::{Study, minutes_to_ds};
use crate::model::times::Nearest;
use crate::network::components::{Connectedness, connectedness};
use crate::network::offset::{self, Source};
use crate::network::snap::Snap;
use crate::travel::doors::Walk;
use crate::travel::islands::{Inhabited, on_pieces};
use crate::travel::nearest::{self, NearestTimes, join_facilities};
use arrow_array::RecordBatch;
use serde::Serialize;
use std::collections::BTreeMap;
use std::ops::{Add, Range};
use std::path::Path;
use std::time::Instant;

/// What a run did, as it stands in `run.json`.
#[derive(Debug, Clone, Serialize)]
pub struct RunReport {
    /// Version of walkshed.
    pub walkshed: &'static str,
    /// The configuration.
    pub study: Study,
    /// Whether the streets say that they are made up.
    pub synthetic: bool,
    /// What the coordinates of the tables are.
    pub coordinates: &'static str,
    /// The files that were read.
    pub inputs: Vec<InputFile>,
    /// The network.
    pub network: NetworkReport,
    /// People and how they were joined.
    pub people: PeopleReport,
    /// Open facilities of each class.
    pub facilities: BTreeMap<String, usize>,
    /// Facilities that are not open, by status: nobody walks there.
    pub facilities_not_open: BTreeMap<&'static str, usize>,
    /// Classes of the catalogue that the sources hold none of: unknown, not uncovered.
    pub classes_without_facilities: Vec<String>,
    /// Classes of which no facility is open, so that nothing is computed for them.
    pub classes_not_open: Vec<String>,
    /// Rejected rows by reason.
    pub rejected: BTreeMap<&'static str, usize>,
    /// What is only told of rows that are used, by reason.
    pub told: BTreeMap<&'static str, usize>,
    /// How the network falls into pieces for each profile.
    pub islands: BTreeMap<String, IslandReport>,
    /// What the extract holds and the line does not use.
    pub left_out: LeftOut,
    /// Coverage of everybody, cells counted once whatever the areas.
    pub total: Vec<CoverageRow>,
    /// Rows of each table.
    pub rows: BTreeMap<&'static str, usize>,
    /// Seconds of each stage.
    pub seconds: BTreeMap<&'static str, f64>,
    /// Largest memory of the process so far, bytes; absent where the system does not tell.
    pub peak_memory_bytes: Option<u64>,
}

/// Size of a network.
#[derive(Debug, Clone, Serialize)]
pub struct NetworkReport {
    /// Nodes.
    pub nodes: usize,
    /// Edges; each is one street in both directions.
    pub edges: usize,
    /// Length by kind, kilometres.
    pub length_km: BTreeMap<&'static str, f64>,
    /// How much hangs together.
    #[serde(flatten)]
    pub connectedness: Connectedness,
}

/// Pieces of the network that a profile cannot leave, with who lives and what stands there.
#[derive(Debug, Clone, Default, Serialize)]
pub struct IslandReport {
    /// Number of pieces.
    pub pieces: usize,
    /// Length of the longest, kilometres.
    pub longest_km: f64,
    /// People whose nearest street is on another piece.
    pub people_elsewhere: f64,
    /// Facilities whose nearest street is on another piece.
    pub facilities_elsewhere: u64,
    /// Length of the pieces that are taken for drawing faults, kilometres; places are joined past them.
    pub left_out_km: f64,
    /// People whose nearest street is on one of those.
    pub people_on_left_out: f64,
    /// Facilities whose nearest street is on one of those.
    pub facilities_on_left_out: u64,
}

impl IslandReport {
    /// Who is not on the first piece, and who is on those that are left out; `pieces` are lengths in metres, the longest first.
    pub(super) fn of(pieces: &[(f64, bool)], on: &Inhabited, people: &[f64]) -> Self {
        let longest_km = pieces.first().map_or(0.0, |(length_m, _)| length_m / 1000.0);
        let mut report = Self { pieces: pieces.len(), longest_km, ..Self::default() };
        report.left_out_km =
            pieces.iter().filter(|piece| piece.1).map(|piece| piece.0 / 1000.0).fold(0.0, Add::add);
        let is_left_out = |piece: u32| pieces[piece as usize].1;
        for (piece, people) in
            on.home.iter().zip(people).filter_map(|(piece, people)| Some(((*piece)?, people)))
        {
            report.people_elsewhere += if piece > 0 { *people } else { 0.0 };
            report.people_on_left_out += if is_left_out(piece) { *people } else { 0.0 };
        }
        for piece in on.facility.iter().flatten() {
            report.facilities_elsewhere += u64::from(*piece > 0);
            report.facilities_on_left_out += u64::from(is_left_out(*piece));
        }
        report
    }
}

/// People, and those who could not be joined.
#[derive(Debug, Clone, Serialize)]
pub struct PeopleReport {
    /// People that the source states in accepted rows.
    pub stated: f64,
    /// People in cells.
    pub in_cells: f64,
    /// Cells.
    pub cells: usize,
    /// People whose home is too far from any street, first profile.
    pub not_snapped: f64,
    /// People outside every area.
    pub outside_areas: f64,
    /// How many people came to their cells by which evidence.
    pub by_evidence: ByEvidence,
    /// The pixels of rasters of people, by group ("all" is everybody); none for other sources.
    pub pixels: BTreeMap<String, Pixels>,
}

/// What `validate` found in a study that can run.
#[derive(Debug, Clone, Serialize)]
pub struct Validation {
    /// The network.
    pub network: NetworkReport,
    /// People that the source states in accepted rows.
    pub people: f64,
    /// People whose home is too far from any street, first profile.
    pub people_not_snapped: f64,
    /// Cells with people.
    pub cells: usize,
    /// Open facilities of each class.
    pub facilities: BTreeMap<String, usize>,
    /// Facilities that are not open, by status: nobody walks there.
    pub facilities_not_open: BTreeMap<&'static str, usize>,
    /// Areas.
    pub areas: usize,
    /// What is only told of rows that are used, by reason.
    pub told: BTreeMap<&'static str, usize>,
    /// Rows of every input: in, used, left out.
    pub totals: Vec<Tally>,
    /// Every row that would be left out, and what is told of those that are used.
    #[serde(skip)]
    pub rejected: Vec<Problem>,
}

/// Read and check everything that a run would read, and compute nothing; tables that were read outside are taken as they are.
/// What was found before a fault that stops the study stays in `found`.
///
/// # Errors
/// Every fault that would stop the run.
pub fn validate(
    path: &Path,
    given: &Given,
    found: &mut Vec<Problem>,
    progress: &Progress,
) -> Result<Validation> {
    let study = io::study::read(path)?;
    let mut prepared = prepare(&study, given, found, progress)?;
    check_groups(path, &study, &prepared)?;
    let walks = profiles(&study);
    let walk = Walk::new(&prepared.network, &walks[0], study.coverage.direction);
    let homes = walk.join(&prepared.cells.place, progress)?;
    let doors = join_facilities(&walk, &prepared.facilities, progress)?;
    let unjoined = prepared.cells.people.iter().zip(&homes).filter(|(_, (snap, _))| snap.anchor.is_none());
    let people_not_snapped = total(unjoined.map(|(people, _)| *people));
    list_unjoined(&study, &mut prepared, &doors);
    list_offsets(&mut prepared, progress)?;
    Ok(Validation {
        people_not_snapped,
        network: network_report(&prepared),
        people: prepared.people_in,
        cells: prepared.cells.cell.len(),
        facilities: by_class(&prepared),
        facilities_not_open: not_open(&study, &prepared),
        areas: prepared.areas.id.len(),
        told: by_reason(&prepared, |level| level > Level::Rejected),
        totals: tallies(&study, &prepared)?,
        rejected: prepared.rejected,
    })
}

/// Run a study and publish its result folder: `cells`, `times`, `coverage`, `areas`, `facilities` and `rejected` as Parquet, and
/// `run.json`.
///
/// # Errors
/// Every fault that stops the study; the folder is then as it was before.
pub fn run(path: &Path, out: &Path, progress: &Progress) -> Result<RunReport> {
    run_given(path, out, &Given::default(), MemoryLimit::new(None), progress)
}

/// The same, with tables that were read outside, and a limit of memory. What the rest of the line takes is known once the
/// inputs are read: a study that would take more is refused there, before anything is computed.
///
/// # Errors
/// Every fault that stops the study; the folder is then as it was before.
pub fn run_given(
    path: &Path,
    out: &Path,
    given: &Given,
    memory: MemoryLimit,
    progress: &Progress,
) -> Result<RunReport> {
    let mut clock = Clock::new();
    let study = io::study::read(path)?;
    Staging::check(out)?;
    memory.check("run", streets_bytes(&study))?;
    let mut prepared = prepare(&study, given, &mut Vec::new(), progress)?;
    check_groups(path, &study, &prepared)?;
    clock.stage("prepare");
    memory.check("run", memory_bytes(&study, &prepared))?;
    let times = walking_times(&study, &prepared, progress)?;
    clock.stage("times");
    let everywhere =
        vec![(0..prepared.cells.cell.len() as u32).map(|cell| Part { cell, share: 1.0 }).collect()];
    let total = total_coverage(&study, &prepared, &times, &everywhere, progress)?;
    list_unjoined(&study, &mut prepared, &times[0].facility_snap);
    progress.hold()?;
    let staging = Staging::begin(out)?;
    let mut sizes = BTreeMap::new();
    sizes.insert("coverage.parquet", write_coverage(&study, &prepared, &times, &staging, progress)?);
    clock.stage("coverage");
    progress.begin("writing", 4)?;
    let (times_rows, tables) = rayon::join(
        || write_times(&study, &times, &staging, progress),
        || write_tables(&study, &prepared, &times[0], &staging, progress),
    );
    sizes.insert("times.parquet", times_rows?);
    sizes.extend(tables?);
    clock.stage("write");
    let islands = islands(&study, &prepared, progress)?;
    let found = (network_report(&prepared), total, islands);
    let report = report(study, &prepared, &times[0], found, sizes, clock);
    write_report(&staging.folder().join(MARK), &report)?;
    progress.check()?;
    staging.publish()?;
    Ok(report)
}

/// About how many bytes the streets of a study take while they are read: what is packed in the file, many times over. Only a
/// first look, so that a file far beyond the memory is not read at all.
fn streets_bytes(study: &Study) -> u64 {
    const UNPACKED: u64 = 40;
    std::fs::metadata(study.streets.file()).map_or(0, |file| file.len()) * UNPACKED
}

/// About how many bytes the line takes from here on: one search after the other, the times of all profiles, and some row groups
/// of tables in the making.
pub(super) fn memory_bytes(study: &Study, prepared: &Prepared) -> u64 {
    const ROW_GROUPS_BYTES: u64 = 256 << 20;
    let (cells, classes) = (prepared.cells.cell.len(), prepared.facilities.classes().len());
    let doors = prepared.facilities.doors.iter().map(Vec::len).sum();
    let search = nearest::memory_bytes(&prepared.network, cells, doors, classes);
    let tables = study.coverage.profiles.len() * cells * classes * size_of::<Nearest>();
    search + tables as u64 + ROW_GROUPS_BYTES
}

pub(super) fn walking_times(
    study: &Study,
    prepared: &Prepared,
    progress: &Progress,
) -> Result<Vec<NearestTimes>> {
    let longest = study.coverage.minutes.iter().copied().fold(0.0, f64::max);
    let cutoff_ds = minutes_to_ds(longest).unwrap_or_default();
    let ids = Ids::UInt(prepared.cells.cell.iter().map(|&cell| u64::from(cell)).collect());
    let of_profile = |profile: &Profile| {
        let walk = Walk::new(&prepared.network, profile, study.coverage.direction);
        nearest::nearest(&walk, &ids, &prepared.cells.place, &prepared.facilities, cutoff_ds, progress)
    };
    profiles(study).iter().map(of_profile).collect()
}

/// The profiles that a study names; the reader of studies has checked that each exists.
pub(super) fn profiles(study: &Study) -> Vec<Profile> {
    let known = study.known_profiles(io::defaults::profiles());
    let by_name = |name: &String| known.iter().find(|profile| profile.name == *name).cloned();
    study.coverage.profiles.iter().filter_map(by_name).collect()
}

/// A group that walks in its own way must be one of the people.
pub(super) fn check_groups(path: &Path, study: &Study, prepared: &Prepared) -> Result<()> {
    let known: Vec<String> = prepared.cells.groups.iter().map(|group| group.name.clone()).collect();
    let unknown = study.coverage.group_profiles.keys().find(|group| !known.contains(group));
    unknown.map_or(Ok(()), |group| {
        let fault = Fault::UnknownName { known };
        let file = io::files::file_name(path);
        Err(Problem::of_file(file, fault).in_column("coverage.group_profiles").with_value(group).into())
    })
}

/// Coverage of everybody, cells counted once whatever the areas.
pub(super) fn total_coverage(
    study: &Study,
    prepared: &Prepared,
    times: &[NearestTimes],
    everywhere: &[Vec<Part>],
    progress: &Progress,
) -> Result<Vec<CoverageRow>> {
    let (area, minutes) = (["all".to_owned()], &study.coverage.minutes);
    let mut rows = Vec::new();
    for of_profile in times {
        let total = coverage(&of_profile.times, &prepared.cells, &area, everywhere, minutes, progress)?;
        let profile = &of_profile.times.profile;
        let total = total.of_groups(|group| study.coverage.walks_as(group, profile));
        rows.extend(total.rows());
    }
    Ok(rows)
}

/// Rows of a table that are computed and written at a time.
pub(super) const ROWS_AT_ONCE: usize = io::geoparquet::ROW_GROUP_ROWS;

/// Compute and write the coverage some areas at a time: a metropolis has tens of millions of rows. How many there are.
fn write_coverage(
    study: &Study,
    prepared: &Prepared,
    times: &[NearestTimes],
    staging: &Staging,
    progress: &Progress,
) -> Result<usize> {
    let (areas, parts, minutes) = (&prepared.areas.id, &prepared.parts, &study.coverage.minutes);
    progress.begin("coverage", areas.len() * times.len())?;
    let groups = prepared.cells.groups.len() + 1;
    let per_area = times[0].times.class.len() * groups * minutes.len();
    let at_once = (ROWS_AT_ONCE / per_area.max(1)).max(1);
    let batch = |times: &NearestTimes, range: Range<usize>| {
        let (areas, parts) = (&areas[range.clone()], &parts[range]);
        let coverage = coverage(&times.times, &prepared.cells, areas, parts, minutes, progress)?;
        let profile = &times.times.profile;
        let coverage = coverage.of_groups(|group| study.coverage.walks_as(group, profile));
        Ok(io::geometry::labelled(&io::coverage::to_batch(&coverage), study.study.analysis_crs))
    };
    let ranges = times.iter().flat_map(|times| ranges(areas.len(), at_once).map(move |range| (times, range)));
    let batches = ranges.map(|(times, range)| batch(times, range));
    write_batches(staging, "coverage.parquet", &io::coverage::DISTINCT, batches, progress)
}

fn write_times(
    study: &Study,
    times: &[NearestTimes],
    staging: &Staging,
    progress: &Progress,
) -> Result<usize> {
    let (origins, classes) = (times[0].times.origin.len(), times[0].times.class.len());
    let at_once = (ROWS_AT_ONCE / classes.max(1)).max(1);
    let ranges = times.iter().flat_map(|times| ranges(origins, at_once).map(move |range| (times, range)));
    let batches = ranges.map(|(times, range)| {
        let batch = io::times::rows_to_batch(&times.times, range);
        Ok(io::geometry::labelled(&batch, study.study.analysis_crs))
    });
    write_batches(staging, "times.parquet", &[], batches, progress)
}

/// Write the tables that have a row for each cell, area, facility or rejected row; how many rows there are.
pub(super) fn write_tables(
    study: &Study,
    prepared: &Prepared,
    times: &NearestTimes,
    staging: &Staging,
    progress: &Progress,
) -> Result<Vec<(&'static str, usize)>> {
    let RowTables { cells, areas, facilities } = row_tables(study, prepared, times);
    let rejected = io::rejected::to_batch(&prepared.rejected);
    let tables = [
        ("cells.parquet", cells),
        ("areas.parquet", areas),
        ("facilities.parquet", facilities),
        ("rejected.parquet", io::geometry::labelled(&rejected, study.study.analysis_crs)),
    ];
    let write = |(name, table): (&'static str, RecordBatch)| {
        io::geoparquet::write(&staging.folder().join(name), &table, progress)?;
        progress.step(1)?;
        Ok((name, table.num_rows()))
    };
    tables.into_iter().map(write).collect()
}

/// Ranges of at most so many, one after the other; an empty one where there is nothing, so that a table has its columns.
pub(super) fn ranges(count: usize, at_once: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count.max(1)).step_by(at_once).map(move |first| first.min(count)..(first + at_once).min(count))
}

/// Write batches as they come, each while the next is made; how many rows there were.
pub(super) fn write_batches(
    staging: &Staging,
    name: &str,
    distinct: &[&str],
    mut batches: impl Iterator<Item = Result<RecordBatch>> + Send,
    progress: &Progress,
) -> Result<usize> {
    let Some(mut batch) = batches.next().transpose()? else { return Ok(0) };
    let mut writer = TableWriter::create(&staging.folder().join(name), &batch.schema(), distinct)?;
    let mut rows = 0;
    loop {
        rows += batch.num_rows();
        let (written, next) = rayon::join(|| writer.write(&batch, progress), || batches.next());
        written?;
        match next.transpose()? {
            Some(next) => batch = next,
            None => break,
        }
    }
    writer.finish()?;
    Ok(rows)
}

/// What became of the rows of each input, once every row that is left out is listed.
fn tallies(study: &Study, prepared: &Prepared) -> Result<Vec<Tally>> {
    let left_out: u64 = prepared.network.origin.left_out.ways.values().flat_map(BTreeMap::values).sum();
    let ways = prepared.network.edge_id.distinct() as u64;
    let streets = io::files::file_name(study.streets.file());
    let mut tallies = vec![Tally::of("streets", streets, "ways", ways, left_out)];
    for (group, pixels) in &prepared.pixels {
        let raster = study.population.rasters.get(group).or(study.population.path.as_ref());
        let raster = raster.map(|path| io::files::file_name(path)).unwrap_or_default();
        let used = pixels.all - pixels.no_data - pixels.nan - pixels.rejected;
        tallies.push(Tally::of("population", raster, "pixels", used, pixels.all - used));
    }
    for counted in &prepared.counted {
        let file = &counted.file;
        let of_file =
            |problem: &&Problem| problem.file == *file && matches!(problem.fault, Fault::NotSnapped { .. });
        let unjoined = prepared.rejected.iter().filter(of_file).count();
        let rows = counted.rows as u64;
        let accepted = (counted.taken - if counted.input == "facilities" { unjoined } else { 0 }) as u64;
        // Where one file is two inputs, nobody can tell whose row a problem is.
        let shared = prepared.counted.iter().filter(|other| other.file == *file).count() > 1;
        let rejected = if shared { rows - accepted } else { rejected_rows(&prepared.rejected, file) };
        let (input, file) = (counted.input, file.clone());
        tallies.push(Tally { input, file, unit: "rows", rows, accepted, rejected }.balanced()?);
    }
    Ok(tallies)
}

/// Facilities that no street is near enough to are left out of the walk, so they are listed.
pub(super) fn list_unjoined(study: &Study, prepared: &mut Prepared, doors: &[Snap]) {
    let limit_m = study.streets.max_snap_m;
    for (row, snap) in doors.iter().enumerate().filter(|(_, snap)| snap.anchor.is_none()) {
        let fault = Fault::NotSnapped { nearest_m: snap.nearest_m, limit_m };
        prepared.rejected.push(prepared.facilities.problem(row, fault));
    }
}

/// Sources of the facility table, by its column `source` where it has one, whose places look like those of another system
/// than the one stated.
fn list_offsets(prepared: &mut Prepared, progress: &Progress) -> Result<()> {
    let Some(stated) = &prepared.facilities_crs else { return Ok(()) };
    let facilities = &prepared.ledger;
    let mut sources: BTreeMap<(&str, Option<&str>), Vec<Place>> = BTreeMap::new();
    for row in (0..facilities.len()).filter(|&row| facilities.row[row].is_some()) {
        let source = facilities.entry[row].source.as_deref();
        sources.entry((&facilities.file[row], source)).or_default().push(facilities.place[row]);
    }
    let mut suspected = Vec::new();
    for ((file, source), place) in sources {
        let verdict = offset::detect(&prepared.network, Source { stated, place: &place }, progress)?;
        let Some(fault) = verdict.fault(stated) else { continue };
        let problem = Problem::of_file(file, fault);
        suspected.push(match source {
            Some(source) => problem.in_column("source").with_value(source),
            None => problem,
        });
    }
    prepared.rejected.append(&mut suspected);
    Ok(())
}

/// Tables that have a row for each cell, area and facility, with the system that they are in.
pub(super) struct RowTables {
    pub(super) cells: RecordBatch,
    pub(super) areas: RecordBatch,
    pub(super) facilities: RecordBatch,
}

pub(super) fn row_tables(study: &Study, prepared: &Prepared, times: &NearestTimes) -> RowTables {
    let people = apportion::people(&prepared.parts, &prepared.cells.people);
    let labelled = |batch: &RecordBatch| io::geometry::labelled(batch, study.study.analysis_crs);
    RowTables {
        cells: labelled(&cells_table(prepared, times)),
        areas: labelled(&io::areas::to_batch(&prepared.areas, &people)),
        facilities: labelled(&facilities_table(study, prepared, times)),
    }
}

fn cells_table(prepared: &Prepared, times: &NearestTimes) -> RecordBatch {
    let snap_m: Vec<Option<f64>> =
        times.origin_snap.iter().map(|snap| snap.anchor.map(|anchor| anchor.away_m)).collect();
    io::cells::to_batch(&prepared.cells, &snap_m)
}

fn facilities_table(study: &Study, prepared: &Prepared, times: &NearestTimes) -> RecordBatch {
    let mut snap_m = vec![None; prepared.ledger.len()];
    for (&row, snap) in prepared.open.iter().zip(&times.facility_snap) {
        snap_m[row] = snap.anchor.map(|anchor| anchor.away_m);
    }
    io::facilities::to_batch(&prepared.ledger, &snap_m, study.day())
}

pub(super) fn by_class(prepared: &Prepared) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for class in &prepared.facilities.class {
        *counts.entry(class.clone()).or_default() += 1;
    }
    counts
}

pub(super) fn by_reason(prepared: &Prepared, which: impl Fn(Level) -> bool) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    for problem in prepared.rejected.iter().filter(|problem| which(problem.fault.level())) {
        *counts.entry(problem.fault.code()).or_default() += 1;
    }
    counts
}

fn not_open(study: &Study, prepared: &Prepared) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    let status = prepared.ledger.status_on(study.day());
    for status in status.into_iter().filter(|status| *status != Status::Open) {
        *counts.entry(status.name()).or_default() += 1;
    }
    counts
}

fn network_report(prepared: &Prepared) -> NetworkReport {
    let network = &prepared.network;
    let length_km = network.length_km_by_kind().into_iter().map(|(kind, km)| (kind.name(), km)).collect();
    NetworkReport {
        nodes: network.node_count(),
        edges: network.edge_count(),
        length_km,
        connectedness: connectedness(network),
    }
}

pub(super) fn people_report(prepared: &Prepared, times: &NearestTimes) -> PeopleReport {
    let people = &prepared.cells.people;
    let mut in_areas = vec![0.0_f64; people.len()];
    for part in prepared.parts.iter().flatten() {
        in_areas[part.cell as usize] += part.share;
    }
    let unjoined = people.iter().zip(&times.origin_snap).filter(|(_, snap)| snap.anchor.is_none());
    PeopleReport {
        stated: prepared.people_in,
        in_cells: total(people.iter().copied()),
        cells: people.len(),
        not_snapped: total(unjoined.map(|(people, _)| *people)),
        outside_areas: total(
            people.iter().zip(&in_areas).map(|(people, share)| people * (1.0 - share).max(0.0)),
        ),
        pixels: prepared.pixels.clone(),
        by_evidence: prepared.people_by,
    }
}

/// A sum that is 0, not −0, where there is nothing to add.
fn total(people: impl Iterator<Item = f64>) -> f64 {
    people.fold(0.0, |sum, people| sum + people)
}

/// What was found of the whole, beside its inputs: network, coverage of everybody, and who cannot leave their piece.
pub(super) type Found = (NetworkReport, Vec<CoverageRow>, BTreeMap<String, IslandReport>);

pub(super) fn report(
    study: Study,
    prepared: &Prepared,
    times: &NearestTimes,
    (network, total, islands): Found,
    rows: BTreeMap<&'static str, usize>,
    clock: Clock,
) -> RunReport {
    let facilities = by_class(prepared);
    let known = prepared.ledger.classes();
    let absent = prepared.sought.iter().filter(|&id| known.binary_search(id).is_err()).cloned().collect();
    let none_open = known.into_iter().filter(|class| !facilities.contains_key(class)).collect();
    RunReport {
        walkshed: env!("CARGO_PKG_VERSION"),
        synthetic: prepared.network.origin.synthetic,
        coordinates: study.study.analysis_crs.note(),
        inputs: prepared.inputs.clone(),
        network,
        people: people_report(prepared, times),
        facilities,
        facilities_not_open: not_open(&study, prepared),
        classes_without_facilities: absent,
        classes_not_open: none_open,
        rejected: by_reason(prepared, |level| level <= Level::Rejected),
        told: by_reason(prepared, |level| level > Level::Rejected),
        islands,
        left_out: prepared.network.origin.left_out.clone(),
        total,
        rows,
        seconds: clock.seconds,
        peak_memory_bytes: io::memory::peak_bytes(),
        study,
    }
}

fn islands(
    study: &Study,
    prepared: &Prepared,
    progress: &Progress,
) -> Result<BTreeMap<String, IslandReport>> {
    let homes: Vec<Spot> = prepared.cells.place.iter().map(|&place| place.into()).collect();
    let of_profile = |profile: Profile| {
        let walk = Walk::new(&prepared.network, &profile, study.coverage.direction);
        let found = on_pieces(&walk, &homes, Some(&prepared.facilities), progress)?;
        let lengths = found.pieces.iter().map(|island| (island.length_m, island.left_out));
        let report = IslandReport::of(&lengths.collect::<Vec<_>>(), &found, &prepared.cells.people);
        drop(walk);
        Ok((profile.name, report))
    };
    profiles(study).into_iter().map(of_profile).collect()
}

pub(super) fn write_report(path: &Path, report: &RunReport) -> Result<()> {
    use std::io::Write;
    let text = serde_json::to_string_pretty(report).map_err(|error| Error::Internal(error.to_string()))?;
    let mut file = std::fs::File::create_new(path).map_err(Error::file(path))?;
    writeln!(file, "{text}").and_then(|()| file.sync_all()).map_err(Error::file(path))
}

/// Seconds of each stage.
#[derive(Clone)]
pub(super) struct Clock {
    since: Instant,
    pub(super) seconds: BTreeMap<&'static str, f64>,
}

impl Clock {
    pub(super) fn new() -> Self {
        Self { since: Instant::now(), seconds: BTreeMap::new() }
    }

    pub(super) fn stage(&mut self, name: &'static str) {
        *self.seconds.entry(name).or_default() += self.since.elapsed().as_secs_f64();
        self.since = Instant::now();
    }
}
