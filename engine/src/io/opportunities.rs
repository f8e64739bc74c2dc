//! Cumulative opportunities, the nearest few, times at nodes and matrices, as tables.

use super::costs::{Ends, Pairs};
use super::repeated;
use crate::model::costs::Close;
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::times::{Deciseconds, Found};
use arrow_array::{ArrayRef, Float64Array, RecordBatch, UInt32Array};
use std::sync::Arc;

/// Counts as a table: `origin_id`, `class`, `minutes`, `count` and, where capacities were asked for, `capacity` (the sum of
/// those known) and `capacity_unknown` (facilities without one). No nulls. Rows: origin by origin, classes sorted, minutes in
/// their order.
pub fn counts_to_batch(
    origins: &Ids,
    classes: &[String],
    minutes: &[f64],
    count: Vec<u32>,
    held: Option<Vec<(f64, u32)>>,
) -> RecordBatch {
    let (rows, per_origin) = (count.len(), classes.len() * minutes.len());
    let mut columns = vec![
        (
            "origin_id",
            repeated::at_each(&repeated::ids(origins), (0..rows).map(|row| row / per_origin)),
            false,
        ),
        (
            "class",
            repeated::at_each(
                &repeated::texts(classes),
                (0..rows).map(|row| row / minutes.len() % classes.len()),
            ),
            false,
        ),
        ("minutes", number((0..rows).map(|row| minutes[row % minutes.len()])), false),
        ("count", Arc::new(UInt32Array::from(count)) as ArrayRef, false),
    ];
    if let Some(held) = held {
        let (capacity, unknown): (Vec<f64>, Vec<u32>) = held.into_iter().unzip();
        columns.push(("capacity", Arc::new(Float64Array::from(capacity)), false));
        columns.push(("capacity_unknown", Arc::new(UInt32Array::from(unknown)), false));
    }
    RecordBatch::try_from_iter_with_nullable(columns).expect("all columns have one value per row")
}

/// The nearest few as a table: `origin_id`, `class`, `rank` (1 is the nearest), `time_s`, `facility_id`. One row for each that
/// was found: origin by origin, classes sorted, the nearest first. No nulls.
pub fn nearest_few_to_batch(
    origins: &Ids,
    facilities: &Facilities,
    k: usize,
    found: &[Option<Found>],
) -> RecordBatch {
    let classes = facilities.classes();
    let rows: Vec<(usize, Found)> =
        (0..).zip(found).filter_map(|(entry, found)| Some((entry, (*found)?))).collect();
    let entries = || rows.iter().map(|(entry, _)| *entry);
    let rank = UInt32Array::from_iter_values(entries().map(|entry| (entry % k) as u32 + 1));
    RecordBatch::try_from_iter_with_nullable([
        (
            "origin_id",
            repeated::at_each(&repeated::ids(origins), entries().map(|entry| entry / (k * classes.len()))),
            false,
        ),
        (
            "class",
            repeated::at_each(&repeated::texts(&classes), entries().map(|entry| entry / k % classes.len())),
            false,
        ),
        ("rank", Arc::new(rank) as ArrayRef, false),
        ("time_s", number(rows.iter().map(|(_, found)| f64::from(found.time_ds) / 10.0)), false),
        (
            "facility_id",
            repeated::at_each(
                &repeated::ids(&facilities.id),
                rows.iter().map(|(_, found)| found.facility() as usize),
            ),
            false,
        ),
    ])
    .expect("all columns have one value per row")
}

/// The nearest few of pairs as a table, with the columns and the order of [`nearest_few_to_batch`].
pub fn closest_to_batch(origins: &Ids, ends: &Ends, found: &[Close]) -> RecordBatch {
    let facilities = || found.iter().map(|close| close.facility as usize);
    let class = facilities().map(|facility| ends.class[facility] as usize);
    let rank = UInt32Array::from_iter_values(found.iter().map(|close| close.rank));
    let origin = found.iter().map(|close| close.origin as usize);
    RecordBatch::try_from_iter_with_nullable([
        ("origin_id", repeated::at_each(&repeated::ids(origins), origin), false),
        ("class", repeated::at_each(&repeated::texts(&ends.classes), class), false),
        ("rank", Arc::new(rank) as ArrayRef, false),
        ("time_s", number(found.iter().map(|close| close.minutes * 60.0)), false),
        ("facility_id", repeated::at_each(&repeated::ids(&ends.id), facilities()), false),
    ])
    .expect("all columns have one value per row")
}

/// Walks beside straight lines as a table: `origin_id`, `class`, `facility_id`, `time_s`, `distance_m` (the straight line),
/// `detour_ratio` (the walk as metres at `speed_mps` over the straight line; null where that has no length).
pub fn detours_to_batch(pairs: &Pairs, ends: &Ends, distance_m: &[f64], speed_mps: f64) -> RecordBatch {
    let costs = &pairs.costs;
    let facilities = || costs.facility.iter().map(|&facility| facility as usize);
    let class = facilities().map(|facility| ends.class[facility] as usize);
    let ratio =
        costs.minutes.iter().zip(distance_m).map(|(minutes, &distance_m)| {
            (distance_m > 0.0).then(|| minutes * 60.0 * speed_mps / distance_m)
        });
    let ratio: Float64Array = ratio.collect();
    let origin = costs.origin.iter().map(|&origin| origin as usize);
    RecordBatch::try_from_iter_with_nullable([
        ("origin_id", repeated::at_each(&repeated::ids(&pairs.origin), origin), false),
        ("class", repeated::at_each(&repeated::texts(&ends.classes), class), false),
        ("facility_id", repeated::at_each(&repeated::ids(&ends.id), facilities()), false),
        ("time_s", number(costs.minutes.iter().map(|minutes| minutes * 60.0)), false),
        ("distance_m", number(distance_m.iter().copied()), false),
        ("detour_ratio", Arc::new(ratio) as ArrayRef, true),
    ])
    .expect("all columns have one value per pair")
}

/// Access as a table: `origin_id`, `class`, `access`. No nulls. Rows: origin by origin, classes sorted.
pub fn access_by_class_to_batch(origins: &Ids, classes: &[String], access: Vec<f64>) -> RecordBatch {
    let rows = 0..access.len();
    let origin = rows.clone().map(|row| row / classes.len());
    let class = rows.map(|row| row % classes.len());
    RecordBatch::try_from_iter_with_nullable([
        ("origin_id", repeated::at_each(&repeated::ids(origins), origin), false),
        ("class", repeated::at_each(&repeated::texts(classes), class), false),
        ("access", Arc::new(Float64Array::from(access)) as ArrayRef, false),
    ])
    .expect("all columns have one value per row")
}

/// What areas hold for their people as a table: `area_id`, `class`, `facilities`, `capacity` (the sum of those known),
/// `capacity_unknown`, `people`, `capacity_per` (for so many people; null where nobody lives).
pub fn held_to_batch(
    areas: &[String],
    classes: &[String],
    held: &[(u32, f64, u32)],
    people: &[f64],
    per: f64,
) -> RecordBatch {
    let area = || (0..held.len()).map(|row| row / classes.len());
    let ratio: Float64Array = area()
        .zip(held)
        .map(|(area, (_, capacity, _))| (people[area] > 0.0).then(|| capacity / people[area] * per))
        .collect();
    let class = (0..held.len()).map(|row| row % classes.len());
    let count = |of: fn(&(u32, f64, u32)) -> u32| -> ArrayRef {
        Arc::new(UInt32Array::from_iter_values(held.iter().map(of)))
    };
    RecordBatch::try_from_iter_with_nullable([
        ("area_id", repeated::at_each(&repeated::texts(areas), area()), false),
        ("class", repeated::at_each(&repeated::texts(classes), class), false),
        ("facilities", count(|held| held.0), false),
        ("capacity", number(held.iter().map(|held| held.1)), false),
        ("capacity_unknown", count(|held| held.2), false),
        ("people", number(area().map(|area| people[area])), false),
        ("capacity_per", Arc::new(ratio) as ArrayRef, true),
    ])
    .expect("all columns have one value per area and class")
}

/// Access as a table: `origin_id`, `access`. No nulls, one row for each origin.
pub fn access_to_batch(origins: &Ids, access: Vec<f64>) -> RecordBatch {
    RecordBatch::try_from_iter_with_nullable([
        ("origin_id", repeated::ids(origins), false),
        ("access", Arc::new(Float64Array::from(access)) as ArrayRef, false),
    ])
    .expect("all columns have one value per origin")
}

/// Times at nodes as a table: `node_id`, `class`, `time_s` (null beyond the cut-off). Rows: node by node, classes sorted.
pub fn node_times_to_batch(
    nodes: &Ids,
    classes: &[String],
    time_ds: impl Fn(usize, usize) -> Option<Deciseconds>,
) -> RecordBatch {
    let rows = nodes.len() * classes.len();
    let places = || (0..rows).map(|row| (row / classes.len(), row % classes.len()));
    let seconds = places().map(|(node, class)| time_ds(node, class).map(|time_ds| f64::from(time_ds) / 10.0));
    RecordBatch::try_from_iter_with_nullable([
        ("node_id", repeated::at_each(&repeated::ids(nodes), places().map(|(node, _)| node)), false),
        ("class", repeated::at_each(&repeated::texts(classes), places().map(|(_, class)| class)), false),
        ("time_s", Arc::new(seconds.collect::<Float64Array>()) as ArrayRef, true),
    ])
    .expect("all columns have one value per row")
}

/// A matrix as a table: `origin_id`, `destination_id`, `time_s` (null where no way leads). Rows: origin by origin.
pub fn matrix_to_batch(origins: &Ids, destinations: &Ids, time_ds: &[Option<Deciseconds>]) -> RecordBatch {
    let (rows, columns) = (time_ds.len(), destinations.len());
    let seconds: Float64Array =
        time_ds.iter().map(|time_ds| time_ds.map(|time_ds| f64::from(time_ds) / 10.0)).collect();
    RecordBatch::try_from_iter_with_nullable([
        ("origin_id", repeated::at_each(&repeated::ids(origins), (0..rows).map(|row| row / columns)), false),
        (
            "destination_id",
            repeated::at_each(&repeated::ids(destinations), (0..rows).map(|row| row % columns)),
            false,
        ),
        ("time_s", Arc::new(seconds) as ArrayRef, true),
    ])
    .expect("all columns have one value per pair")
}

fn number(values: impl Iterator<Item = f64>) -> ArrayRef {
    Arc::new(Float64Array::from_iter_values(values))
}
