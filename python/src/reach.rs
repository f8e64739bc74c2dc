//! `nearest`, `reach`, `reach_batches`, `counts`, `nearest_few`, `node_times` and `matrix`.

use super::arrow::{Source, TableArgument, to_table, to_tables};
use super::job;
use super::network::{Network, parse_day, parse_direction, parse_profile};
use arrow_array::{RecordBatch, RecordBatchIterator};
use arrow_schema::ArrowError;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::{PyRecordBatchReader, PyTable};
use std::sync::Arc;
use std::sync::mpsc::sync_channel;
use std::thread;
use walkshed::io;
use walkshed::io::cells::{Origins, read_origins};
use walkshed::io::memory::MemoryLimit;
use walkshed::io::opportunities;
use walkshed::io::pairs::PairColumns;
use walkshed::model::error::{Error, Result};
use walkshed::model::facility::Facilities;
use walkshed::model::ids::Ids;
use walkshed::model::ledger::{Capacity, Day};
use walkshed::model::problem::{Fault, Problem};
use walkshed::model::profile::Profile;
use walkshed::model::progress::Progress;
use walkshed::model::scenario::Scenario;
use walkshed::model::study::minutes_to_ds;
use walkshed::model::times::{Deciseconds, Direction, Times};
use walkshed::network::graph;
use walkshed::network::snap::Snap;
use walkshed::planning::facilities as facility_edits;
use walkshed::travel::doors::{Joins, Walk};
use walkshed::travel::matrix as dense;
use walkshed::travel::node_times::node_times as times_at_nodes;
use walkshed::travel::pairs::{self, Pairs};
use walkshed::travel::{nearest as by_class, tally};

/// Batches that a stream keeps ready ahead of its reader.
const BATCHES_AHEAD: usize = 64;

/// What every search is asked with.
#[derive(FromPyObject)]
pub struct Question {
    #[pyo3(item)]
    origins: Option<TableArgument>,
    #[pyo3(item)]
    facilities: TableArgument,
    #[pyo3(item)]
    profile: String,
    #[pyo3(item)]
    direction: String,
    #[pyo3(item)]
    as_of: Option<String>,
    #[pyo3(item)]
    memory_limit: Option<u64>,
}

/// The same, understood.
struct Asked {
    network: Arc<graph::Network>,
    origins: Option<Source>,
    facilities: Source,
    profile: Profile,
    direction: Direction,
    day: Option<Day>,
    memory: MemoryLimit,
    plan: Option<Arc<Scenario>>,
}

/// Both sides, read and joined to streets.
struct Ready {
    origins: Origins,
    facilities: Facilities,
    /// The classes that are asked for, sorted.
    class: Vec<String>,
    joins: Joins,
    rejected: Vec<Problem>,
}

impl Question {
    fn understood(self, py: Python<'_>, network: &Network) -> PyResult<Asked> {
        let origins = self.origins.map(|table| table.into_source(py, "origins"));
        Ok(Asked {
            network: Arc::clone(&network.network),
            origins: origins.transpose()?,
            facilities: self.facilities.into_source(py, "facilities")?,
            profile: parse_profile(&self.profile)?,
            direction: parse_direction(&self.direction)?,
            day: self.as_of.as_deref().map(parse_day).transpose()?,
            memory: MemoryLimit::new(self.memory_limit),
            plan: network.plan.clone(),
        })
    }
}

impl Asked {
    /// Read both sides, join them to streets and search; the answer, and the rows that were left out.
    fn answer<T: Send + 'static>(
        self,
        py: Python<'_>,
        report: Option<&Py<PyAny>>,
        search: impl FnOnce(&Walk<'_>, &mut Ready, MemoryLimit, &Progress) -> Result<T> + Send + 'static,
    ) -> PyResult<(T, PyTable)> {
        let (answer, rejected) = job::run(py, report, move |progress| {
            let walk = Walk::new(&self.network, &self.profile, self.direction);
            let mut ready =
                ready(&walk, self.origins, self.facilities, self.day, self.plan.as_deref(), progress)?;
            let answer = search(&walk, &mut ready, self.memory, progress)?;
            Ok((answer, ready.rejected))
        })?;
        Ok((answer, rejected_table(&rejected)?))
    }
}

/// Read both sides and join them; `node_times` asks without origins.
fn ready(
    walk: &Walk<'_>,
    origins: Option<Source>,
    facilities: Source,
    day: Option<Day>,
    plan: Option<&Scenario>,
    progress: &Progress,
) -> Result<Ready> {
    let mut rejected: Vec<Problem> = Vec::new();
    let network = walk.network;
    let origins = match origins {
        Some(table) => read_origins(&table.read_for(network)?, &mut rejected)?,
        None => Origins { name: String::new(), id: Ids::UInt(vec![]), spot: vec![], row: vec![] },
    };
    let columns = io::facilities::Columns::default();
    let ledger = io::facilities::read(&facilities.read_for(network)?, columns, &mut rejected)?;
    // A class whose last facility a scenario closes is still asked for.
    let mut class = ledger.pick(&ledger.open_on(day)?).classes();
    let ledger = match plan {
        Some(plan) => facility_edits::resolve(plan, &ledger, day)?.apply(ledger),
        None => ledger,
    };
    let facilities = ledger.pick(&ledger.open_on(day)?);
    class.extend(facilities.classes());
    class.sort_unstable();
    class.dedup();
    rejected.extend(ledger.status_problems(day));
    let joins = walk.join_both(&origins.spot, &facilities, progress)?;
    rejected.extend(unjoined(walk, &joins.facility_snap, |row, fault| facilities.problem(row, fault)));
    Ok(Ready { origins, facilities, class, joins, rejected })
}

impl Ready {
    /// List origins that no street is near enough to, where the answer has no column that says so.
    fn list_unjoined_origins(&mut self, walk: &Walk<'_>) {
        let snaps = self.joins.homes.iter().map(|(snap, _)| snap);
        self.rejected.extend(unjoined(walk, snaps, |row, fault| self.origins.problem(row, fault)));
    }
}

/// Places that no street is near enough to; `problem` tells of the row.
fn unjoined<'a>(
    walk: &Walk<'_>,
    snaps: impl IntoIterator<Item = &'a Snap>,
    problem: impl Fn(usize, Fault) -> Problem,
) -> impl Iterator<Item = Problem> {
    let limit_m = walk.max_snap_m();
    let lonely = snaps.into_iter().enumerate().filter(|(_, snap)| snap.anchor.is_none());
    lonely.map(move |(row, snap)| problem(row, Fault::NotSnapped { nearest_m: snap.nearest_m, limit_m }))
}

/// A number of minutes as tenths of a second; `argument` is its name.
fn limit_ds(argument: &str, minutes: f64) -> PyResult<Deciseconds> {
    minutes_to_ds(minutes).ok_or_else(|| {
        PyValueError::new_err(format!("{argument} {minutes}: use minutes above 0, at most 1440"))
    })
}

fn rejected_table(rejected: &[Problem]) -> PyResult<PyTable> {
    to_table(io::rejected::to_batch(rejected))
}

/// Bytes of a row of an answer while it is made: what the search holds of it, and the columns of the table.
const ROW_BYTES: u64 = 96;

/// The nearest facility of every class; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, question, max_minutes, report=None))]
pub fn nearest(
    py: Python<'_>,
    network: &Network,
    question: Question,
    max_minutes: f64,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let cutoff_ds = limit_ds("max_minutes", max_minutes)?;
    let asked = question.understood(py, network)?;
    let (batch, rejected) = asked.answer(py, report.as_ref(), move |walk, ready, memory, progress| {
        let (origins, class) = (ready.origins.id.len(), ready.class.clone());
        let search_bytes =
            by_class::memory_bytes(walk.network, origins, ready.joins.doors.len(), class.len());
        memory.check("nearest", search_bytes + (origins * class.len()) as u64 * ROW_BYTES)?;
        let times = Times {
            profile: walk.profile.name.clone(),
            origin: ready.origins.id.clone(),
            facility: ready.facilities.id.clone(),
            nearest: by_class::search_classes(
                walk,
                &ready.joins,
                &ready.facilities,
                &class,
                cutoff_ds,
                progress,
            )?,
            class,
        };
        Ok(io::times::to_batch(&times))
    })?;
    Ok((to_table(batch)?, rejected))
}

/// All pairs within the cut-off, whole; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, question, max_minutes, report=None))]
pub fn reach(
    py: Python<'_>,
    network: &Network,
    question: Question,
    max_minutes: f64,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let cutoff_ds = limit_ds("max_minutes", max_minutes)?;
    let asked = question.understood(py, network)?;
    let (batches, rejected) = asked.answer(py, report.as_ref(), move |walk, ready, memory, progress| {
        ready.list_unjoined_origins(walk);
        let search_bytes = pairs::memory_bytes(walk.network, cutoff_ds);
        memory.check("reach", search_bytes)?;
        let pairs = Pairs::between(walk, &ready.joins, cutoff_ds);
        let columns = PairColumns::new(&ready.origins.id, &ready.facilities);
        memory.check("reach", search_bytes + pairs.estimate(progress)? * columns.row_bytes())?;
        let mut batches = vec![columns.batch(vec![], vec![], &[])];
        find(&pairs, &columns, progress, |batch| {
            batches.push(batch);
            Ok(())
        })?;
        Ok(batches)
    })?;
    Ok((to_tables(batches)?, rejected))
}

/// The same as a stream; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, question, max_minutes, report=None))]
pub fn reach_batches(
    py: Python<'_>,
    network: &Network,
    question: Question,
    max_minutes: f64,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyRecordBatchReader, PyTable)> {
    let cutoff_ds = limit_ds("max_minutes", max_minutes)?;
    let asked = question.understood(py, network)?;
    let (network, profile, direction) = (Arc::clone(&asked.network), asked.profile, asked.direction);
    let (ready, profile) = job::run(py, report.as_ref(), move |progress| {
        asked.memory.check("reach_batches", pairs::memory_bytes(&asked.network, cutoff_ds))?;
        let walk = Walk::new(&asked.network, &profile, asked.direction);
        let mut ready =
            ready(&walk, asked.origins, asked.facilities, asked.day, asked.plan.as_deref(), progress)?;
        ready.list_unjoined_origins(&walk);
        drop(walk);
        Ok((ready, profile))
    })?;
    let rejected = rejected_table(&ready.rejected)?;
    let columns = PairColumns::new(&ready.origins.id, &ready.facilities);
    let schema = columns.schema();
    let (sender, receiver) = sync_channel(BATCHES_AHEAD);
    thread::spawn(move || {
        let walk = Walk::new(&network, &profile, direction);
        let pairs = Pairs::between(&walk, &ready.joins, cutoff_ds);
        let progress = Progress::default();
        // Whoever no longer reads has dropped the other end: nothing is left to do, and nobody to tell.
        let send = |batch| sender.send(Ok(batch)).map_err(|_| Error::Cancelled);
        if let Err(error) = find(&pairs, &columns, &progress, send)
            && !matches!(error, Error::Cancelled)
        {
            drop(sender.send(Err(ArrowError::ExternalError(Box::new(error)))));
        }
    });
    let reader = RecordBatchIterator::new(receiver, schema);
    Ok((PyRecordBatchReader::new(Box::new(reader)), rejected))
}

fn find(
    pairs: &Pairs<'_>,
    columns: &PairColumns,
    progress: &Progress,
    mut take: impl FnMut(RecordBatch) -> Result<()>,
) -> Result<()> {
    pairs.find(progress, |blocks| {
        for block in blocks.into_iter().filter(|block| !block.is_empty()) {
            take(columns.batch(block.origin, block.facility, &block.time_ds))?;
        }
        Ok(())
    })
}

/// Facilities within several limits; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, question, minutes, capacity, report=None))]
pub fn counts(
    py: Python<'_>,
    network: &Network,
    question: Question,
    minutes: Vec<f64>,
    capacity: Option<&str>,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    if minutes.is_empty() {
        return Err(PyValueError::new_err("minutes: give at least one number of minutes"));
    }
    let limits_ds: Vec<Deciseconds> =
        minutes.iter().map(|&minutes| limit_ds("minutes", minutes)).collect::<PyResult<_>>()?;
    let kind = capacity.map(parse_capacity).transpose()?;
    let asked = question.understood(py, network)?;
    let (batch, rejected) = asked.answer(py, report.as_ref(), move |walk, ready, memory, progress| {
        ready.list_unjoined_origins(walk);
        let Ready { origins, facilities, joins, .. } = ready;
        let classes = facilities.classes();
        let rows = (origins.id.len() * classes.len() * minutes.len()) as u64;
        let longest_ds = limits_ds.iter().copied().max().unwrap_or_default();
        memory.check("counts", pairs::memory_bytes(walk.network, longest_ds) + rows * ROW_BYTES)?;
        let (count, held) = match kind {
            None => (tally::counts(walk, joins, facilities, &limits_ds, progress)?, None),
            Some(kind) => {
                let capacity: Vec<_> = facilities.entry.iter().map(|entry| entry.capacity[kind]).collect();
                let held = tally::capacities(walk, joins, facilities, &capacity, &limits_ds, progress)?;
                let capacities = held.iter().map(|held| (held.capacity, held.unknown)).collect();
                (held.iter().map(|held| held.count).collect(), Some(capacities))
            }
        };
        Ok(opportunities::counts_to_batch(&origins.id, &classes, &minutes, count, held))
    })?;
    Ok((to_table(batch)?, rejected))
}

/// The place of a capacity among those of the ledger.
pub fn parse_capacity(name: &str) -> PyResult<usize> {
    let names = Capacity::ALL.map(Capacity::column);
    names
        .iter()
        .position(|known| *known == name)
        .ok_or_else(|| PyValueError::new_err(format!("capacity {name:?}: use {}", names.join(", "))))
}

/// The nearest few of each class; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, question, k, max_minutes, report=None))]
pub fn nearest_few(
    py: Python<'_>,
    network: &Network,
    question: Question,
    k: usize,
    max_minutes: f64,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let cutoff_ds = limit_ds("max_minutes", max_minutes)?;
    if k == 0 {
        return Err(PyValueError::new_err("k 0: use a number above 0"));
    }
    let asked = question.understood(py, network)?;
    let (batch, rejected) = asked.answer(py, report.as_ref(), move |walk, ready, memory, progress| {
        ready.list_unjoined_origins(walk);
        let Ready { origins, facilities, joins, .. } = ready;
        let rows = (origins.id.len() * facilities.classes().len() * k) as u64;
        memory.check("nearest_few", pairs::memory_bytes(walk.network, cutoff_ds) + rows * ROW_BYTES)?;
        let found = tally::nearest_few(walk, joins, facilities, k, cutoff_ds, progress)?;
        Ok(opportunities::nearest_few_to_batch(&origins.id, facilities, k, &found))
    })?;
    Ok((to_table(batch)?, rejected))
}

/// Times at every node; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, question, max_minutes, report=None))]
pub fn node_times(
    py: Python<'_>,
    network: &Network,
    question: Question,
    max_minutes: f64,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let cutoff_ds = limit_ds("max_minutes", max_minutes)?;
    let asked = question.understood(py, network)?;
    let (batch, rejected) = asked.answer(py, report.as_ref(), move |walk, ready, memory, progress| {
        let (network, classes) = (walk.network, ready.facilities.classes().len());
        let search_bytes = by_class::memory_bytes(network, 0, ready.joins.doors.len(), classes);
        memory.check("node_times", search_bytes + (network.node_count() * classes) as u64 * ROW_BYTES)?;
        let found = times_at_nodes(walk, &ready.joins, &ready.facilities, cutoff_ds, progress)?;
        let time_ds = |node, class| found.get(node, class);
        Ok(opportunities::node_times_to_batch(&network.node_id, &found.class, time_ds))
    })?;
    Ok((to_table(batch)?, rejected))
}

/// Times between all places of two tables; see the Python function.
#[pyfunction]
#[pyo3(signature = (network, origins, destinations, profile, direction, memory_limit, report=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
pub fn matrix(
    py: Python<'_>,
    network: &Network,
    origins: TableArgument,
    destinations: TableArgument,
    profile: &str,
    direction: &str,
    memory_limit: Option<u64>,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let (profile, direction) = (parse_profile(profile)?, parse_direction(direction)?);
    let (origins, destinations) =
        (origins.into_source(py, "origins")?, destinations.into_source(py, "destinations")?);
    let (network, contractions) = (Arc::clone(&network.network), Arc::clone(&network.contractions));
    let memory = MemoryLimit::new(memory_limit);
    let (batch, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected = Vec::new();
        let origins = read_origins(&origins.read_for(&network)?, &mut rejected)?;
        let ends = read_origins(&destinations.read_for(&network)?, &mut rejected)?;
        let (starts, stops) = (origins.id.len(), ends.id.len());
        let search_bytes = dense::memory_bytes(&network, starts, stops);
        memory.check("matrix", search_bytes + starts as u64 * stops as u64 * ROW_BYTES)?;
        // To the engine a destination is a facility of one class.
        let class = vec![String::new(); ends.id.len()];
        let places = ends.spot.iter().map(|spot| spot.place).collect();
        let mut doors = Facilities::new("destinations", ends.id.clone(), class, places);
        doors.level = ends.spot.iter().map(|spot| spot.level).collect();
        let walk = Walk::new(&network, &profile, direction);
        let joins = walk.join_both(&origins.spot, &doors, progress)?;
        let snaps = joins.homes.iter().map(|(snap, _)| snap);
        rejected.extend(unjoined(&walk, snaps, |row, fault| origins.problem(row, fault)));
        rejected.extend(unjoined(&walk, &joins.facility_snap, |row, fault| ends.problem(row, fault)));
        let times = dense::matrix(&walk, &contractions, &joins, progress)?;
        Ok((opportunities::matrix_to_batch(&origins.id, &ends.id, &times), rejected))
    })?;
    Ok((to_table(batch)?, rejected_table(&rejected)?))
}
