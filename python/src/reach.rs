//! `reach`, `reach_batches`, `counts`, `nearest_few`, `node_times` and `matrix`.

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
use walkshed::model::study::minutes_to_ds;
use walkshed::model::times::{Deciseconds, Direction};
use walkshed::network::graph;
use walkshed::travel::doors::{Joins, Walk};
use walkshed::travel::matrix::matrix as dense;
use walkshed::travel::node_times::node_times as times_at_nodes;
use walkshed::travel::pairs::Pairs;
use walkshed::travel::tally;

/// Batches that a stream keeps ready ahead of its reader.
const BATCHES_AHEAD: usize = 64;

/// What every search of pairs is asked with.
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
}

/// Both sides, read and joined to streets.
struct Ready {
    origin_id: Ids,
    facilities: Facilities,
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
        })
    }
}

/// Read both sides and join them; without origins every node is one.
fn ready(
    walk: &Walk<'_>,
    origins: Option<Source>,
    facilities: Source,
    day: Option<Day>,
    progress: &Progress,
) -> Result<Ready> {
    let mut rejected: Vec<Problem> = Vec::new();
    let network = walk.network;
    let origins = origins.map(|table| io::cells::read_origins(&table.read_for(network)?, &mut rejected));
    let (origin_id, spots) = match origins.transpose()? {
        Some(origins) => (origins.id, origins.spot),
        None => (Ids::UInt(vec![]), vec![]),
    };
    let columns = io::facilities::Columns::default();
    let ledger = io::facilities::read(&facilities.read_for(network)?, columns, &mut rejected)?;
    let facilities = ledger.pick(&ledger.open_on(day)?);
    rejected.extend(ledger.status_problems(day));
    let joins = walk.join_both(&spots, &facilities, progress)?;
    for (row, snap) in joins.facility_snap.iter().enumerate().filter(|(_, snap)| snap.anchor.is_none()) {
        let fault = Fault::NotSnapped { nearest_m: snap.nearest_m, limit_m: walk.max_snap_m() };
        rejected.push(facilities.problem(row, fault));
    }
    Ok(Ready { origin_id, facilities, joins, rejected })
}

fn limits_ds(minutes: &[f64]) -> PyResult<Vec<Deciseconds>> {
    let limit = |&minutes: &f64| {
        minutes_to_ds(minutes).ok_or_else(|| {
            PyValueError::new_err(format!("minutes {minutes}: use minutes above 0, at most 1440"))
        })
    };
    if minutes.is_empty() {
        return Err(PyValueError::new_err("minutes: give at least one number of minutes"));
    }
    minutes.iter().map(limit).collect()
}

fn rejected_table(rejected: &[Problem]) -> PyResult<PyTable> {
    to_table(io::rejected::to_batch(rejected))
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
    let cutoff_ds = limits_ds(&[max_minutes])?[0];
    let asked = question.understood(py, network)?;
    let (batches, rejected) = job::run(py, report.as_ref(), move |progress| {
        let walk = Walk::new(&asked.network, &asked.profile, asked.direction);
        let ready = ready(&walk, asked.origins, asked.facilities, asked.day, progress)?;
        let pairs = Pairs::between(&walk, &ready.joins, cutoff_ds);
        let columns = PairColumns::new(&ready.origin_id, &ready.facilities);
        let result_bytes = pairs.estimate(progress)? * columns.row_bytes();
        asked.memory.check("reach", pairs.memory_bytes() + result_bytes)?;
        let mut batches = vec![columns.batch(vec![], vec![], &[])];
        find(&pairs, &columns, progress, |batch| {
            batches.push(batch);
            Ok(())
        })?;
        Ok((batches, ready.rejected))
    })?;
    Ok((to_tables(batches)?, rejected_table(&rejected)?))
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
    let cutoff_ds = limits_ds(&[max_minutes])?[0];
    let asked = question.understood(py, network)?;
    let (network, profile, direction) = (Arc::clone(&asked.network), asked.profile, asked.direction);
    let (ready, profile) = job::run(py, report.as_ref(), move |progress| {
        let walk = Walk::new(&asked.network, &profile, asked.direction);
        let ready = ready(&walk, asked.origins, asked.facilities, asked.day, progress)?;
        asked.memory.check("reach_batches", Pairs::between(&walk, &ready.joins, cutoff_ds).memory_bytes())?;
        drop(walk);
        Ok((ready, profile))
    })?;
    let rejected = rejected_table(&ready.rejected)?;
    let columns = PairColumns::new(&ready.origin_id, &ready.facilities);
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
    let limits_ds = limits_ds(&minutes)?;
    let kind = capacity.map(parse_capacity).transpose()?;
    let asked = question.understood(py, network)?;
    let (batch, rejected) = job::run(py, report.as_ref(), move |progress| {
        let walk = Walk::new(&asked.network, &asked.profile, asked.direction);
        let ready = ready(&walk, asked.origins, asked.facilities, asked.day, progress)?;
        let classes = ready.facilities.classes();
        let rows = ready.origin_id.len() * classes.len() * minutes.len();
        let longest_ds = limits_ds.iter().copied().max().unwrap_or_default();
        let search_bytes = Pairs::between(&walk, &ready.joins, longest_ds).memory_bytes();
        asked.memory.check("counts", search_bytes + rows as u64 * COUNT_ROW_BYTES)?;
        let capacity: Option<Vec<Option<f64>>> =
            kind.map(|kind| ready.facilities.entry.iter().map(|entry| entry.capacity[kind]).collect());
        let found = tally::opportunities(
            &walk,
            &ready.joins,
            &ready.facilities,
            capacity.as_deref(),
            &limits_ds,
            progress,
        )?;
        let held: Option<Vec<opportunities::Held>> =
            found.held.map(|held| held.into_iter().map(|held| (held.capacity, held.unknown)).collect());
        let batch = opportunities::counts_to_batch(
            &ready.origin_id,
            &classes,
            &minutes,
            found.count,
            held.as_deref(),
        );
        Ok((batch, ready.rejected))
    })?;
    Ok((to_table(batch)?, rejected_table(&rejected)?))
}

/// Bytes of a row of counts while it is made: the count, what is held, and the columns of the table.
const COUNT_ROW_BYTES: u64 = 80;

/// The place of a capacity among those of the ledger.
fn parse_capacity(name: &str) -> PyResult<usize> {
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
    let cutoff_ds = limits_ds(&[max_minutes])?[0];
    if k == 0 {
        return Err(PyValueError::new_err("k 0: use a number above 0"));
    }
    let asked = question.understood(py, network)?;
    let (batch, rejected) = job::run(py, report.as_ref(), move |progress| {
        let walk = Walk::new(&asked.network, &asked.profile, asked.direction);
        let ready = ready(&walk, asked.origins, asked.facilities, asked.day, progress)?;
        let rows = ready.origin_id.len() * ready.facilities.classes().len() * k;
        let search_bytes = Pairs::between(&walk, &ready.joins, cutoff_ds).memory_bytes();
        asked.memory.check("nearest_few", search_bytes + rows as u64 * COUNT_ROW_BYTES)?;
        let found = tally::nearest_few(&walk, &ready.joins, &ready.facilities, k, cutoff_ds, progress)?;
        let batch = opportunities::nearest_few_to_batch(&ready.origin_id, &ready.facilities, k, &found);
        Ok((batch, ready.rejected))
    })?;
    Ok((to_table(batch)?, rejected_table(&rejected)?))
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
    let cutoff_ds = limits_ds(&[max_minutes])?[0];
    let asked = question.understood(py, network)?;
    let (batch, rejected) = job::run(py, report.as_ref(), move |progress| {
        let walk = Walk::new(&asked.network, &asked.profile, asked.direction);
        let ready = ready(&walk, None, asked.facilities, asked.day, progress)?;
        let rows = asked.network.node_count() * ready.facilities.classes().len();
        asked.memory.check("node_times", rows as u64 * COUNT_ROW_BYTES)?;
        let found = times_at_nodes(&walk, &ready.joins, &ready.facilities, cutoff_ds, progress)?;
        let batch =
            opportunities::node_times_to_batch(&asked.network.node_id, &found.class, |node, class| {
                found.get(node, class)
            });
        drop(found);
        Ok((batch, ready.rejected))
    })?;
    Ok((to_table(batch)?, rejected_table(&rejected)?))
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
    let (network, memory) = (Arc::clone(&network.network), MemoryLimit::new(memory_limit));
    let (batch, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected = Vec::new();
        let origins = io::cells::read_origins(&origins.read_for(&network)?, &mut rejected)?;
        let ends = io::cells::read_origins(&destinations.read_for(&network)?, &mut rejected)?;
        let entries = origins.id.len() as u64 * ends.id.len() as u64;
        memory.check(
            "matrix",
            entries * COUNT_ROW_BYTES + network.node_count() as u64 * HIERARCHY_NODE_BYTES,
        )?;
        // To the engine a destination is a facility of one class.
        let class = vec![String::new(); ends.id.len()];
        let places = ends.spot.iter().map(|spot| spot.place).collect();
        let mut doors = Facilities::new("destinations", ends.id.clone(), class, places);
        doors.level = ends.spot.iter().map(|spot| spot.level).collect();
        let walk = Walk::new(&network, &profile, direction);
        let joins = walk.join_both(&origins.spot, &doors, progress)?;
        let times = dense(&walk, &joins, progress)?;
        Ok((opportunities::matrix_to_batch(&origins.id, &ends.id, &times), rejected))
    })?;
    Ok((to_table(batch)?, rejected_table(&rejected)?))
}

/// Bytes that a contraction takes for each node, lists and labels of threads included: an estimate from above.
const HIERARCHY_NODE_BYTES: u64 = 1200;
