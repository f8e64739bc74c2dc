//! `Network`.

use super::arrow::{Source, TableArgument, parse_analysis_crs, to_table};
use super::error::to_py;
use super::job;
use super::json::to_json;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::path::PathBuf;
use std::sync::Arc;
use walkshed::io;
use walkshed::io::osm::Wanted;
use walkshed::io::osm::walking::{OpenAt, WalkingRules};
use walkshed::model::error::Error;
use walkshed::model::ledger::{self, Day};
use walkshed::model::profile::Profile;
use walkshed::model::scenario::Scenario;
use walkshed::model::smoothing::Smoothing;
use walkshed::model::street::Gates;
use walkshed::model::times::Direction;
use walkshed::network::build::{self, Rules};
use walkshed::network::components::connectedness;
use walkshed::network::{graph, store, summary, tables};
use walkshed::travel::doors::{self, Walk};
use walkshed::travel::hierarchy::Contractions;
use walkshed::travel::islands::inhabited;

/// A walking network, shared and never changed.
#[pyclass(frozen, module = "walkshed._engine")]
#[expect(clippy::struct_field_names, reason = "the network of the engine, by its name there")]
pub struct Network {
    pub(crate) network: Arc<graph::Network>,
    /// What a large matrix leaves for the next.
    pub(crate) contractions: Arc<Contractions>,
    /// The scenario that it was made by, whose edits of facilities hold in every search.
    pub(crate) plan: Option<Arc<Scenario>>,
}

impl Network {
    fn new(network: graph::Network) -> Self {
        Self { network: Arc::new(network), contractions: Arc::default(), plan: None }
    }
}

#[pymethods]
impl Network {
    #[staticmethod]
    #[pyo3(signature = (path, elevation, elevation_crs, max_snap_m, gates, join_islands_m, open_at, analysis_crs, report=None))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
    fn from_osm(
        py: Python<'_>,
        path: PathBuf,
        elevation: Vec<PathBuf>,
        elevation_crs: Option<String>,
        max_snap_m: f64,
        gates: &str,
        join_islands_m: f64,
        open_at: Option<&str>,
        analysis_crs: &str,
        report: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let rules = Rules { max_snap_m, gates: parse_gates(gates)?, join_islands_m };
        let walking = walking_rules(open_at)?;
        let system = parse_analysis_crs(analysis_crs)?;
        let network = job::run(py, report.as_ref(), move |progress| {
            let elevation =
                io::elevation::read(&elevation, elevation_crs.as_deref(), Smoothing::SavitzkyGolay)?;
            let wanted = Wanted { rules: &walking, catalogue: None, buildings: None };
            let extract = io::osm::read(&path, wanted, progress)?;
            let network =
                build::from_streets(&extract.streets, &elevation, rules, extract.left_out, progress)?;
            Ok(network.moved(system))
        })?;
        Ok(Self::new(network))
    }

    #[staticmethod]
    #[pyo3(signature = (segments, connectors, elevation, elevation_crs, max_snap_m, gates, join_islands_m, open_at, analysis_crs, report=None))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
    fn from_overture(
        py: Python<'_>,
        segments: TableArgument,
        connectors: Option<TableArgument>,
        elevation: Vec<PathBuf>,
        elevation_crs: Option<String>,
        max_snap_m: f64,
        gates: &str,
        join_islands_m: f64,
        open_at: Option<&str>,
        analysis_crs: &str,
        report: Option<Py<PyAny>>,
    ) -> PyResult<(Self, PyTable)> {
        let rules = Rules { max_snap_m, gates: parse_gates(gates)?, join_islands_m };
        let walking = walking_rules(open_at)?;
        let system = parse_analysis_crs(analysis_crs)?;
        let segments = segments.into_source(py, "segments")?;
        let connectors = connectors.map(|table| table.into_source(py, "connectors")).transpose()?;
        let (network, rejected) = job::run(py, report.as_ref(), move |progress| {
            let elevation =
                io::elevation::read(&elevation, elevation_crs.as_deref(), Smoothing::SavitzkyGolay)?;
            let connectors = connectors.map(Source::read).transpose()?;
            let found = io::overture::read(&segments.read()?, connectors.as_ref(), &walking, progress)?;
            let network = build::from_streets(&found.streets, &elevation, rules, found.left_out, progress)?;
            Ok((network.moved(system), found.rejected))
        })?;
        Ok((Self::new(network), to_table(io::rejected::to_batch(&rejected))?))
    }

    #[staticmethod]
    fn from_tables(
        py: Python<'_>,
        nodes: TableArgument,
        edges: TableArgument,
        max_snap_m: f64,
        analysis_crs: &str,
    ) -> PyResult<Self> {
        let system = parse_analysis_crs(analysis_crs)?;
        let (nodes, edges) = (nodes.into_source(py, "nodes")?, edges.into_source(py, "edges")?);
        let network = job::run(py, None, move |_| {
            let nodes = nodes.read()?.analysed_in(system);
            let mut network = build::from_survey(io::survey::read(&nodes, &edges.read()?)?, max_snap_m)?;
            network.origin.analysis_crs = system;
            Ok(network)
        })?;
        Ok(Self::new(network))
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let network = job::run(py, None, move |_| store::load(&path))?;
        Ok(Self::new(network))
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
        if self.plan.is_some() {
            let told = "a network under a scenario is not saved: save its baseline, and keep the scenario";
            return Err(PyValueError::new_err(told));
        }
        let network = Arc::clone(&self.network);
        job::run(py, None, move |progress| {
            progress.hold()?;
            store::save(&network, &path)
        })
    }

    #[getter]
    fn node_count(&self) -> usize {
        self.network.node_count()
    }

    #[getter]
    fn edge_count(&self) -> usize {
        self.network.edge_count()
    }

    #[getter]
    fn max_snap_m(&self) -> f64 {
        self.network.origin.max_snap_m
    }

    #[getter]
    fn analysis_crs(&self) -> &'static str {
        self.network.origin.analysis_crs.name()
    }

    #[getter]
    fn synthetic(&self) -> bool {
        self.network.origin.synthetic
    }

    /// Kilometres by kind of way, kinds in order.
    fn length_km(&self) -> Vec<(&'static str, f64)> {
        self.network.length_km_by_kind().into_iter().map(|(kind, km)| (kind.name(), km)).collect()
    }

    /// What the network is made of and how it was made, as JSON.
    fn summary(&self, py: Python<'_>) -> PyResult<String> {
        let network = &self.network;
        let found = py.detach(|| {
            serde_json::json!({
                "kinds": summary::by_kind(network),
                "connectedness": connectedness(network),
                "origin": network.origin,
            })
        });
        to_json(py, &found)
    }

    fn islands(
        &self,
        py: Python<'_>,
        profile: &str,
        people: Option<TableArgument>,
        facilities: Option<TableArgument>,
    ) -> PyResult<(PyTable, PyTable)> {
        let profile = parse_profile(profile)?;
        let people = people.map(|table| table.into_source(py, "people")).transpose()?;
        let facilities = facilities.map(|table| table.into_source(py, "facilities")).transpose()?;
        let network = Arc::clone(&self.network);
        let (islands, rejected) = job::run(py, None, move |progress| {
            let mut rejected = Vec::new();
            let homes = people.map(|table| io::cells::read_homes(&table.read_for(&network)?, &mut rejected));
            let (homes, people) = homes.transpose()?.unwrap_or_default();
            let columns = io::facilities::Columns::default();
            let facilities = facilities
                .map(|table| io::facilities::read(&table.read_for(&network)?, columns, &mut rejected));
            let walk = Walk::new(&network, &profile, Direction::ToFacility);
            let found = inhabited(&walk, &homes, &people, facilities.transpose()?.as_ref(), progress)?;
            Ok((io::islands::to_batch(&found), rejected))
        })?;
        Ok((to_table(islands)?, to_table(io::rejected::to_batch(&rejected))?))
    }

    fn nodes(&self, py: Python<'_>) -> PyResult<PyTable> {
        to_table(py.detach(|| tables::nodes(&self.network)))
    }

    fn lines(&self, py: Python<'_>) -> PyResult<PyTable> {
        to_table(py.detach(|| tables::lines(&self.network)))
    }

    fn edges(&self, py: Python<'_>, profile: &str) -> PyResult<PyTable> {
        let profile = parse_profile(profile)?;
        to_table(py.detach(|| tables::edges(&self.network, &profile)))
    }

    fn snap(
        &self,
        py: Python<'_>,
        places: TableArgument,
        profile: &str,
        public: bool,
    ) -> PyResult<(PyTable, PyTable)> {
        let profile = parse_profile(profile)?;
        let places = places.into_source(py, "places")?;
        let network = Arc::clone(&self.network);
        let (snapped, rejected) = job::run(py, None, move |progress| {
            let mut rejected = Vec::new();
            let places = io::cells::read_origins(&places.read_for(&network)?, &mut rejected)?;
            let walk = Walk::new(&network, &profile, Direction::ToFacility);
            let joined = if public {
                walk.join_public(&places.spot, progress)?
            } else {
                walk.join(&places.spot, progress)?
            };
            Ok((doors::to_batch(&walk, &places.id, &joined), rejected))
        })?;
        Ok((to_table(snapped)?, to_table(io::rejected::to_batch(&rejected))?))
    }
}

fn parse_gates(name: &str) -> PyResult<Gates> {
    Gates::from_name(name)
        .ok_or_else(|| PyValueError::new_err(format!("gates \"{name}\": use {}", Gates::NAMES.join(", "))))
}

/// The walking rules, with opening hours looked at at a moment that the user names.
fn walking_rules(open_at: Option<&str>) -> PyResult<WalkingRules> {
    let rules = io::defaults::walking_rules();
    let Some(text) = open_at else { return Ok(rules) };
    let at = OpenAt::parse(text).ok_or_else(|| {
        PyValueError::new_err(format!("open_at \"{text}\": use \"always\" or \"2026-06-16T10:00\""))
    })?;
    Ok(rules.at(at))
}

/// A profile as JSON, checked.
pub(crate) fn parse_profile(json: &str) -> PyResult<Profile> {
    let profile: Profile =
        serde_json::from_str(json).map_err(|error| PyValueError::new_err(format!("profile: {error}")))?;
    match profile.fault() {
        None => Ok(profile),
        Some((key, value, range)) => {
            Err(PyValueError::new_err(format!("profile {}, {key} {value}: use {range}", profile.name)))
        }
    }
}

/// A day such as 2026-03-01.
pub(crate) fn parse_day(text: &str) -> PyResult<Day> {
    ledger::day(text)
        .ok_or_else(|| PyValueError::new_err(format!("as_of \"{text}\": use a day such as \"2026-03-01\"")))
}

/// A direction by its name.
pub(crate) fn parse_direction(name: &str) -> PyResult<Direction> {
    Direction::from_name(name).ok_or_else(|| {
        PyValueError::new_err(format!("direction \"{name}\": use \"to_facility\" or \"from_facility\""))
    })
}

/// The profiles known by name, as JSON.
#[pyfunction]
pub fn profiles(py: Python<'_>) -> PyResult<String> {
    serde_json::to_string(&io::defaults::profiles())
        .map_err(|error| to_py(py, Error::Internal(error.to_string())))
}
