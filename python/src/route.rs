//! `route`.

use super::arrow::to_table;
use super::job;
use super::network::{Network, parse_direction, parse_profile};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::sync::Arc;
use walkshed::io::geometry;
use walkshed::model::analysis_crs::Passage;
use walkshed::model::crs::Crs;
use walkshed::model::error::Result;
use walkshed::model::extent::Extent;
use walkshed::model::place::Place;
use walkshed::model::problem::{Fault, Problem};
use walkshed::travel::doors::Walk;
use walkshed::travel::route::{self as routes, NoRoute, RouteEnd};

/// Why there is no route: the reason, the place that is not joined, and how far it is from a street.
type Why = (&'static str, Option<&'static str>, Option<f64>);

/// Legs, seconds, and why there is none; see the Python function.
#[pyfunction]
pub fn route(
    py: Python<'_>,
    network: &Network,
    origin: (f64, f64),
    destination: (f64, f64),
    profile: &str,
    direction: &str,
    crs: &str,
) -> PyResult<(PyTable, Option<f64>, Option<Why>)> {
    let stated = Crs::from_name(crs).filter(Crs::is_degrees).ok_or_else(|| {
        let known = "use \"EPSG:4326\", \"gcj02\" or \"bd09\", or another system in degrees";
        PyValueError::new_err(format!("crs {crs:?}: {known}"))
    })?;
    let (profile, direction) = (parse_profile(profile)?, parse_direction(direction)?);
    let network = Arc::clone(&network.network);
    let (legs, time_s, why) = job::run(py, None, move |progress| {
        let streets = Extent::of(&network.node_place);
        let system = network.origin.analysis_crs;
        let passage = Passage::new(stated, system);
        let place = |degrees, argument| place(degrees, argument, &passage, streets);
        let (from, to) = (place(origin, "origin")?, place(destination, "destination")?);
        let walk = Walk::new(&network, &profile, direction);
        let to_batch = |legs: &[_]| geometry::labelled(&routes::to_batch(&network, legs), system);
        Ok(match routes::route(&walk, from, to, progress)? {
            Ok(legs) => {
                let time_ds: u32 = legs.iter().map(|leg| leg.time_ds).sum();
                (to_batch(&legs), Some(f64::from(time_ds) / 10.0), None)
            }
            Err(none) => (to_batch(&[]), None, Some(why(none))),
        })
    })?;
    Ok((to_table(legs)?, time_s, why))
}

fn why(none: NoRoute) -> Why {
    let reason = none.reason().name();
    match none {
        NoRoute::NotConnected => (reason, None, None),
        NoRoute::NotSnapped { place: RouteEnd::Origin, nearest_m } => (reason, Some("origin"), nearest_m),
        NoRoute::NotSnapped { place: RouteEnd::Destination, nearest_m } => {
            (reason, Some("destination"), nearest_m)
        }
    }
}

/// A place given as longitude and latitude, refused like a row of a table.
fn place((lon, lat): (f64, f64), argument: &str, passage: &Passage, streets: Extent) -> Result<Place> {
    let refused = |fault| Problem::of_file(argument, fault).with_value(format!("{lon} {lat}")).into();
    match passage.place(lon, lat) {
        Some(place) if streets.looks_swapped(place) => Err(refused(Fault::SwappedLonLat)),
        Some(place) => Ok(place),
        None if Place::new(lat, lon).is_some() => Err(refused(Fault::SwappedLonLat)),
        None => Err(refused(Fault::OutOfRange { range: "longitude -180..180, latitude -90..90" })),
    }
}
