//! `coverage`.

use super::arrow::{TableArgument, parse_analysis_crs, to_table, to_tables};
use super::job;
use super::network::parse_day;
use super::reach::parse_capacity;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::collections::HashMap;
use walkshed::io;
use walkshed::metrics::apportion;
use walkshed::metrics::capacity::held as held_by;
use walkshed::metrics::coverage::coverage as cover;
use walkshed::metrics::roll_up::roll_up_coverage;
use walkshed::metrics::together::together as join_classes;
use walkshed::metrics::uncovered::uncovered as not_covered;
use walkshed::model::area::Areas;
use walkshed::model::cell;
use walkshed::model::error::{Error, Result};
use walkshed::model::problem::{Fault, Problem};
use walkshed::model::study::minutes_to_ds;

/// Areas of a coverage: one for all, the parents of cells, or a table of outlines.
#[derive(FromPyObject)]
pub enum AreasArgument {
    /// H3 resolution of the parents.
    Parents(u8),
    /// Outlines.
    Table(TableArgument),
}

/// Coverage of areas by cells and their times; see the Python function.
#[pyfunction]
#[pyo3(signature = (times, cells, areas, minutes, groups, together, walkers, profile, analysis_crs, report=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
pub fn coverage(
    py: Python<'_>,
    times: TableArgument,
    cells: TableArgument,
    areas: Option<AreasArgument>,
    minutes: Vec<f64>,
    groups: Option<Vec<String>>,
    together: Vec<Vec<String>>,
    walkers: Option<HashMap<String, String>>,
    profile: &str,
    analysis_crs: &str,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let system = parse_analysis_crs(analysis_crs)?;
    if let Some(wrong) = minutes.iter().find(|&&minutes| minutes_to_ds(minutes).is_none()) {
        return Err(PyValueError::new_err(format!("minutes {wrong}: use minutes above 0, at most 1440")));
    }
    if minutes.is_empty() {
        return Err(PyValueError::new_err("minutes: give at least one number of minutes"));
    }
    let (times, cells) = (times.into_source(py, "times")?, cells.into_source(py, "cells")?);
    let parents = match &areas {
        Some(AreasArgument::Parents(number)) => Some(
            cell::resolution(*number)
                .ok_or_else(|| PyValueError::new_err(format!("areas {number}: an H3 resolution is 0..15")))?,
        ),
        _ => None,
    };
    let table = match areas {
        Some(AreasArgument::Table(table)) => Some(table.into_source(py, "areas")?),
        _ => None,
    };
    let profile = profile.to_owned();
    let (batches, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected = Vec::new();
        let cells = cells.read()?;
        let people = io::cells::read_people(&cells, groups.as_deref())?;
        let all_times = io::times::read(&times.read()?, &people.id, &profile)?;
        let (areas, parts) = match (parents, table) {
            (Some(resolution), _) => {
                // A cell coarser than the areas lies in no one of them, and its people would be lost.
                if let Some(row) = people.cell.iter().position(|cell| cell.resolution() < resolution) {
                    let fault = Fault::Setting {
                        expected: format!("a cell of resolution {resolution} or finer, as the areas are"),
                    };
                    let value = people.cell[row].to_string();
                    return Err(Error::Input(vec![cells.problem(row, "cell", Some(value), fault)]));
                }
                apportion::parents(&people.cell, resolution)
            }
            (None, table) => {
                let areas = match table {
                    Some(table) => {
                        io::areas::read(&table.read()?.analysed_in(system), "area_id", &mut rejected)?
                    }
                    None => Areas::everywhere(),
                };
                let parts = apportion::parts(&people.cell, &areas, progress)?;
                (areas, parts)
            }
        };
        progress.begin("coverage", areas.id.len() * all_times.len())?;
        let batch = |times| {
            let times = join_classes(times, &together);
            let coverage = cover(&*times, &people.cells, &areas.id, &parts, &minutes, progress)?;
            // Each group by the profile that is its own; `profile` walks for those without.
            let own = |group: &str| match &walkers {
                None => true,
                Some(walkers) => *walkers.get(group).unwrap_or(&profile) == times.profile,
            };
            Ok(io::coverage::to_batch(&coverage.of_groups(own)))
        };
        Ok((all_times.iter().map(batch).collect::<Result<Vec<_>>>()?, rejected))
    })?;
    Ok((to_tables(batches)?, to_table(io::rejected::to_batch(&rejected))?))
}

/// Coverage added up to the areas above; see the Python function.
#[pyfunction]
pub fn roll_up(py: Python<'_>, coverage: TableArgument, areas: TableArgument) -> PyResult<PyTable> {
    let (coverage, areas) = (coverage.into_source(py, "coverage")?, areas.into_source(py, "areas")?);
    let batch = job::run(py, None, move |_| {
        let rows = io::coverage::read(&coverage.read()?)?;
        let family = io::areas::read_family(&areas.read()?)?;
        Ok(io::coverage::rows_to_batch(&roll_up_coverage(rows, &family)?))
    })?;
    to_table(batch)
}

/// Cells whose people are not covered; see the Python function.
#[pyfunction]
#[pyo3(signature = (times, cells, areas, class, minutes, group, profile, analysis_crs, report=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
pub fn uncovered(
    py: Python<'_>,
    times: TableArgument,
    cells: TableArgument,
    areas: TableArgument,
    class: String,
    minutes: f64,
    group: Option<String>,
    profile: String,
    analysis_crs: &str,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let system = parse_analysis_crs(analysis_crs)?;
    let limit_ds = minutes_to_ds(minutes).ok_or_else(|| {
        PyValueError::new_err(format!("minutes {minutes}: use minutes above 0, at most 1440"))
    })?;
    let (times, cells) = (times.into_source(py, "times")?, cells.into_source(py, "cells")?);
    let areas = areas.into_source(py, "areas")?;
    let (batch, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected = Vec::new();
        let groups: Vec<String> = group.into_iter().collect();
        let people = io::cells::read_people(&cells.read()?, Some(&groups))?;
        let all_times = io::times::read(&times.read()?, &people.id, &profile)?;
        let areas = io::areas::read(&areas.read()?.analysed_in(system), "area_id", &mut rejected)?;
        let parts = apportion::parts(&people.cell, &areas, progress)?;
        let unknown = |column: &str, value: &str, known: Vec<String>| {
            Error::from(
                Problem::of_file("times", Fault::UnknownName { known }).in_column(column).with_value(value),
            )
        };
        let walked = all_times.iter().find(|times| times.profile == profile);
        let profiles = || all_times.iter().map(|times| times.profile.clone()).collect();
        let times = walked.ok_or_else(|| unknown("profile", &profile, profiles()))?;
        let at = times.class.iter().position(|known| *known == class);
        let at = at.ok_or_else(|| unknown("class", &class, times.class.clone()))?;
        let who = people.cells.groups.first().map_or(&people.cells.people, |group| &group.people);
        let found = not_covered(times, at, who, &parts, limit_ds);
        Ok((
            io::cells::uncovered_to_batch(found.iter().map(|found| {
                (
                    areas.id[found.area as usize].as_str(),
                    people.cell[found.cell as usize],
                    found.people,
                    times.nearest[found.cell as usize * times.class.len() + at],
                )
            })),
            rejected,
        ))
    })?;
    Ok((to_table(batch)?, to_table(io::rejected::to_batch(&rejected))?))
}

/// What areas hold for a group of their people; see the Python function.
#[pyfunction]
#[pyo3(signature = (facilities, cells, areas, capacity, group, per, as_of, analysis_crs, report=None))]
#[expect(clippy::too_many_arguments, reason = "the arguments of the public function, all by name there")]
pub fn capacity_per_group(
    py: Python<'_>,
    facilities: TableArgument,
    cells: TableArgument,
    areas: TableArgument,
    capacity: &str,
    group: Option<String>,
    per: f64,
    as_of: Option<&str>,
    analysis_crs: &str,
    report: Option<Py<PyAny>>,
) -> PyResult<(PyTable, PyTable)> {
    let kind = parse_capacity(capacity)?;
    let (system, day) = (parse_analysis_crs(analysis_crs)?, as_of.map(parse_day).transpose()?);
    if !(per > 0.0 && per.is_finite()) {
        return Err(PyValueError::new_err(format!("per {per}: use a number above 0")));
    }
    let (facilities, cells) = (facilities.into_source(py, "facilities")?, cells.into_source(py, "cells")?);
    let areas = areas.into_source(py, "areas")?;
    let (batch, rejected) = job::run(py, report.as_ref(), move |progress| {
        let mut rejected = Vec::new();
        let groups: Vec<String> = group.into_iter().collect();
        let people = io::cells::read_people(&cells.read()?, Some(&groups))?;
        let areas = io::areas::read(&areas.read()?.analysed_in(system), "area_id", &mut rejected)?;
        let columns = io::facilities::Columns::default();
        let ledger = io::facilities::read(&facilities.read()?.analysed_in(system), columns, &mut rejected)?;
        rejected.extend(ledger.status_problems(day));
        let open = ledger.pick(&ledger.open_on(day)?);
        let parts = apportion::parts(&people.cell, &areas, progress)?;
        let who = people.cells.groups.first().map_or(&people.cells.people, |group| &group.people);
        let capacity: Vec<Option<f64>> = open.entry.iter().map(|entry| entry.capacity[kind]).collect();
        let held: Vec<(u32, f64, u32)> = held_by(&areas, &open, &capacity)
            .iter()
            .map(|held| (held.count, held.capacity, held.unknown))
            .collect();
        let people = apportion::people(&parts, who);
        Ok((io::opportunities::held_to_batch(&areas.id, &open.classes(), &held, &people, per), rejected))
    })?;
    Ok((to_table(batch)?, to_table(io::rejected::to_batch(&rejected))?))
}
