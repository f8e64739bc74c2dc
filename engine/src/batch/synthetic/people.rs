//! Homes and people as the tables that institutes hold: buildings, cells, and totals of communities. All three count the
//! same people.

use super::City;
use super::buildings::People;
use super::communities::{Area, AreaLevel};
use super::table::{Columns, synthetic};
use crate::io::{facilities::with_geometry, geometry};
use crate::model::cell;
use arrow_array::RecordBatch;
use geo::{Coord, Geometry, LineString, Polygon};
use h3o::Resolution;
use rayon::prelude::*;
use std::collections::BTreeMap;

/// Resolution of the cells.
pub const RESOLUTION: Resolution = Resolution::Ten;

/// Residential buildings with their outlines.
pub fn buildings(city: &City) -> RecordBatch {
    let (rows, areas) = (&city.buildings, &city.communities.areas);
    let area =
        |level| rows.iter().map(move |row| areas[city.communities.of_point(row.mesh, level)].id.clone());
    let mut columns = Columns::default();
    columns.text("id", (0..rows.len()).map(|number| format!("syn-b{number:07}")));
    columns.text("estate_id", area(AreaLevel::Estate));
    columns.text("community_id", area(AreaLevel::Community));
    columns.text("use", rows.iter().map(|_| "residential".to_owned()));
    columns.counts("levels", rows.iter().map(|row| u32::from(row.floors)));
    columns.numbers("floor_area_m2", rows.iter().map(super::buildings::Building::floor_area_m2));
    columns.counts("households", rows.iter().map(|row| row.households));
    columns.counts("people", rows.iter().map(|row| row.people.all));
    for (at, name) in People::GROUPS.into_iter().enumerate() {
        columns.counts(name, rows.iter().map(|row| row.people.counts()[at]));
    }
    columns.text("source", rows.iter().map(|_| synthetic()));
    let degrees = |at: Coord| {
        let place = city.lattice.place(at);
        Coord { x: place.lon(), y: place.lat() }
    };
    let outlines: Vec<Geometry> = rows
        .par_iter()
        .map(|row| Polygon::new(LineString::from_iter(row.corners().map(degrees)), vec![]).into())
        .collect();
    with_geometry(columns.finish(), geometry::encode(outlines.into_iter()))
}

/// People per H3 cell, where their buildings stand.
pub fn cells(city: &City) -> RecordBatch {
    let at: Vec<u64> = city
        .buildings
        .par_iter()
        .map(|building| u64::from(cell::at(city.lattice.place(building.middle), RESOLUTION)))
        .collect();
    let mut sums: BTreeMap<u64, [u32; 9]> = BTreeMap::new();
    for (cell, building) in at.into_iter().zip(&city.buildings) {
        let counts = [building.households, building.people.all].into_iter().chain(building.people.counts());
        let sum = sums.entry(cell).or_default();
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
    }
    let mut columns = Columns::default();
    columns.cells("cell", sums.keys().copied());
    for (at, name) in ["households", "people"].into_iter().chain(People::GROUPS).enumerate() {
        columns.counts(name, sums.values().map(|sum| sum[at]));
    }
    columns.text("source", sums.keys().map(|_| synthetic()));
    columns.into_batch()
}

/// Yearbook totals: households and people of each community, with its outline.
pub fn totals(city: &City) -> RecordBatch {
    let areas = &city.communities.areas;
    let rows: Vec<&Area> = areas.iter().filter(|area| area.level == AreaLevel::Community).collect();
    let mut columns = Columns::default();
    columns.text("area_id", rows.iter().map(|row| row.id.clone()));
    columns.text("code", rows.iter().map(|row| row.code.clone()));
    columns.text("name", rows.iter().map(|row| row.name.clone()));
    columns.counts("households", rows.iter().map(|row| row.households));
    for (at, name) in Area::people_columns().enumerate() {
        columns.counts(name, rows.iter().map(|row| row.people[at]));
    }
    columns.text("source", rows.iter().map(|_| synthetic()));
    let outlines = rows.iter().map(|row| city.communities.outline(row, &city.lattice).into());
    with_geometry(columns.finish(), geometry::encode(outlines))
}

/// All areas of the three levels.
pub fn areas(city: &City) -> RecordBatch {
    let rows = &city.communities.areas;
    let mut columns = Columns::default();
    columns.text("area_id", rows.iter().map(|row| row.id.clone()));
    columns.text("name", rows.iter().map(|row| row.name.clone()));
    columns.text("level", rows.iter().map(|row| row.level.name().to_owned()));
    columns.some_text("parent_id", rows.iter().map(|row| row.parent.clone()));
    columns.text("code", rows.iter().map(|row| row.code.clone()));
    columns.counts("buildings", rows.iter().map(|row| row.buildings));
    columns.counts("households", rows.iter().map(|row| row.households));
    columns.counts("people", rows.iter().map(|row| row.people[0]));
    columns.text("source", rows.iter().map(|_| synthetic()));
    let outlines: Vec<Geometry> =
        rows.par_iter().map(|row| city.communities.outline(row, &city.lattice).into()).collect();
    with_geometry(columns.finish(), geometry::encode(outlines.into_iter()))
}
