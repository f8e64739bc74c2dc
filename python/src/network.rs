//! `Network`.

use super::arrow::{TableArgument, to_table};
use super::error::to_py;
use super::job;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::path::PathBuf;
use std::sync::Arc;
use walkshed::io;
use walkshed::io::osm::Wanted;
use walkshed::model::extent::Extent;
use walkshed::model::problem::{Fault, Problem};
use walkshed::model::profile::Profile;
use walkshed::model::progress::Progress;
use walkshed::model::study::minutes_to_ds;
use walkshed::model::times::Direction;
use walkshed::network::components::connectedness;
use walkshed::network::{build, graph, store, tables};
use walkshed::travel::doors::{self, Walk};
use walkshed::travel::nearest::nearest;

/// A walking network, shared and never changed.
#[pyclass(frozen, module = "walkshed._engine")]
pub struct Network {
    network: Arc<graph::Network>,
}

#[pymethods]
impl Network {
    #[staticmethod]
    #[pyo3(signature = (path, elevation, max_snap_m, report=None))]
    fn from_osm(
        py: Python<'_>,
        path: PathBuf,
        elevation: Vec<PathBuf>,
        max_snap_m: f64,
        report: Option<Py<PyAny>>,
    ) -> PyResult<Self> {
        let network = job::run(py, report.as_ref(), move |progress| {
            let elevation = io::elevation::read(&elevation)?;
            let rules = io::defaults::walking_rules();
            let wanted = Wanted { rules: &rules, catalogue: None, buildings: None };
            let extract = io::osm::read(&path, wanted, progress)?;
            build::from_streets(&extract.streets, &elevation, max_snap_m, progress)
        })?;
        Ok(Self { network: Arc::new(network) })
    }

    #[staticmethod]
    fn from_tables(
        py: Python<'_>,
        nodes: TableArgument,
        edges: TableArgument,
        max_snap_m: f64,
    ) -> PyResult<Self> {
        let (nodes, edges) = (nodes.into_source("nodes")?, edges.into_source("edges")?);
        let network = job::run(py, None, move |_| {
            build::from_survey(io::survey::read(&nodes.read()?, &edges.read()?)?, max_snap_m)
        })?;
        Ok(Self { network: Arc::new(network) })
    }

    #[staticmethod]
    fn load(py: Python<'_>, path: PathBuf) -> PyResult<Self> {
        let network = job::run(py, None, move |_| store::load(&path))?;
        Ok(Self { network: Arc::new(network) })
    }

    fn save(&self, py: Python<'_>, path: PathBuf) -> PyResult<()> {
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
        self.network.max_snap_m
    }

    /// Kilometres by kind of way, kinds in order.
    fn length_km(&self) -> Vec<(&'static str, f64)> {
        self.network.length_km_by_kind().into_iter().map(|(kind, km)| (kind.name(), km)).collect()
    }

    /// Number of pieces, and kilometres of way on islands.
    fn pieces(&self, py: Python<'_>) -> (usize, f64) {
        let found = py.detach(|| connectedness(&self.network));
        (found.pieces, found.island_km)
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

    fn snap(&self, py: Python<'_>, places: TableArgument, profile: &str) -> PyResult<(PyTable, PyTable)> {
        let profile = parse_profile(profile)?;
        let places = places.into_source("places")?;
        let network = Arc::clone(&self.network);
        let (snapped, rejected) = job::run(py, None, move |progress| {
            let mut rejected = Vec::new();
            let streets = Extent::of(&network.node_place);
            let places = io::cells::read_origins(&places.read()?.near(streets), &mut rejected)?;
            let walk = Walk::new(&network, &profile, Direction::ToFacility);
            let joined = walk.join(&places.place, progress)?;
            Ok((doors::to_batch(&walk, &places.id, &joined), rejected))
        })?;
        Ok((to_table(snapped)?, to_table(io::rejected::to_batch(&rejected))?))
    }

    #[pyo3(signature = (origins, facilities, profile, max_minutes, direction, report=None))]
    #[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
    fn nearest(
        &self,
        py: Python<'_>,
        origins: TableArgument,
        facilities: TableArgument,
        profile: &str,
        max_minutes: f64,
        direction: &str,
        report: Option<Py<PyAny>>,
    ) -> PyResult<(PyTable, PyTable)> {
        let profile = parse_profile(profile)?;
        let direction = Direction::from_name(direction).ok_or_else(|| {
            PyValueError::new_err(format!(
                "direction \"{direction}\": use \"to_facility\" or \"from_facility\""
            ))
        })?;
        let cutoff_ds = minutes_to_ds(max_minutes).ok_or_else(|| {
            PyValueError::new_err(format!("max_minutes {max_minutes}: use minutes above 0, at most 1440"))
        })?;
        let (origins, facilities) = (origins.into_source("origins")?, facilities.into_source("facilities")?);
        let network = Arc::clone(&self.network);
        let (times, rejected) = job::run(py, report.as_ref(), move |progress: &Progress| {
            let mut rejected: Vec<Problem> = Vec::new();
            let streets = Extent::of(&network.node_place);
            let origins = io::cells::read_origins(&origins.read()?.near(streets), &mut rejected)?;
            let facilities = facilities.read()?.near(streets);
            let facilities =
                io::facilities::read(&facilities, io::facilities::Columns::default(), &mut rejected)?;
            let walk = Walk::new(&network, &profile, direction);
            let found = nearest(&walk, &origins.id, &origins.place, &facilities, cutoff_ds, progress)?;
            for (row, snap) in
                found.facility_snap.iter().enumerate().filter(|(_, snap)| snap.anchor.is_none())
            {
                let fault = Fault::NotSnapped { nearest_m: snap.nearest_m, limit_m: network.max_snap_m };
                rejected.push(facilities.problem(row, fault));
            }
            Ok((io::times::to_batch(&found.times), rejected))
        })?;
        Ok((to_table(times)?, to_table(io::rejected::to_batch(&rejected))?))
    }
}

/// A profile as JSON, checked.
fn parse_profile(json: &str) -> PyResult<Profile> {
    let profile: Profile =
        serde_json::from_str(json).map_err(|error| PyValueError::new_err(format!("profile: {error}")))?;
    match profile.fault() {
        None => Ok(profile),
        Some((key, value, range)) => {
            Err(PyValueError::new_err(format!("profile {}, {key} {value}: use {range}", profile.name)))
        }
    }
}

/// The profiles known by name, as JSON.
#[pyfunction]
pub fn profiles(py: Python<'_>) -> PyResult<String> {
    serde_json::to_string(&io::defaults::profiles())
        .map_err(|error| to_py(py, walkshed::model::error::Error::Internal(error.to_string())))
}
