//! The columns of a ledger: what stands there beside class and place.

use super::table::Table;
use crate::model::error::Result;
use crate::model::facility_fault::FacilityFault;
use crate::model::ledger::{Capacity, Day, Entry, ServiceLevel, Status, day};
use crate::model::problem::{Fault, Level, Problem};
use crate::model::schema::FACILITIES;
use arrow_array::{ArrayRef, BooleanArray, Date32Array, Float64Array, StringArray};
use std::collections::HashSet;
use std::sync::Arc;

/// Read the columns of a ledger that are there; a row with a value that cannot be is `None` and has a problem.
///
/// `service_level`, or words for one in `level` (which holds floors otherwise); `status` and the days `planned_on`,
/// `building_since`, `opened_on`, `closed_on`; `places`, `beds`, `floor_area_m2`, `land_area_m2`, `staff`, none of them
/// negative; `operator`, `source`; and, from a ledger that walkshed wrote, `class_rule`, `outline`, `merged_from`.
///
/// # Errors
/// A problem when a column cannot be read at all.
pub fn read(table: &Table, problems: &mut Vec<Problem>) -> Result<Vec<Option<Entry>>> {
    let mut own = Vec::new();
    let mut entries = vec![Entry::default(); table.rows()];
    service_levels(table, &mut entries, &mut own)?;
    status(table, &mut entries, &mut own)?;
    days(table, &mut entries, &mut own)?;
    capacities(table, &mut entries, &mut own)?;
    words(table, &mut entries)?;
    for (row, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.is_out_of_order()) {
        let days = entry.since.iter().flatten().map(Day::to_string).collect::<Vec<_>>().join(", ");
        own.push(table.problem(row, "opened_on", Some(days), FacilityFault::DatesOutOfOrder.into()));
    }
    let rejected = |problem: &&Problem| problem.fault.level() == Level::Rejected;
    let bad: HashSet<u64> = own.iter().filter(rejected).filter_map(|problem| problem.row).collect();
    problems.append(&mut own);
    Ok((1..).zip(entries).map(|(row, entry)| (!bad.contains(&row)).then_some(entry)).collect())
}

fn optional(table: &Table, column: &str) -> Result<Vec<Option<String>>> {
    if !table.has(column) {
        return Ok(vec![None; table.rows()]);
    }
    let filled = |text: String| Some(text.trim().to_owned()).filter(|text| !text.is_empty());
    Ok(table.text(column)?.into_iter().map(|text| text.and_then(filled)).collect())
}

fn service_levels(table: &Table, entries: &mut [Entry], problems: &mut Vec<Problem>) -> Result<()> {
    let (stated, floors) = (optional(table, "service_level")?, optional(table, "level")?);
    for (row, (stated, floor)) in stated.into_iter().zip(floors).enumerate() {
        let found = stated.as_deref().and_then(ServiceLevel::from_word);
        if found.is_none() && stated.is_some() {
            let fault = FacilityFault::UnknownServiceLevel { known: ServiceLevel::words() };
            problems.push(table.problem(row, "service_level", stated, fault.into()));
        }
        entries[row].service_level = found.or_else(|| floor.as_deref().and_then(ServiceLevel::from_word));
    }
    Ok(())
}

fn status(table: &Table, entries: &mut [Entry], problems: &mut Vec<Problem>) -> Result<()> {
    for (row, stated) in optional(table, "status")?.into_iter().enumerate() {
        entries[row].status = stated.as_deref().and_then(Status::from_word);
        if entries[row].status.is_none() && stated.is_some() {
            let fault = Fault::UnknownName { known: Status::words() };
            problems.push(table.problem(row, "status", stated, fault));
        }
    }
    Ok(())
}

fn days(table: &Table, entries: &mut [Entry], problems: &mut Vec<Problem>) -> Result<()> {
    for stage in Status::ALL {
        for (row, stated) in optional(table, stage.date_column())?.into_iter().enumerate() {
            let found = stated.as_deref().and_then(day);
            entries[row].since[stage as usize] = found;
            if found.is_none() && stated.is_some() {
                problems.push(table.problem(row, stage.date_column(), stated, Fault::NotADate));
            }
        }
    }
    Ok(())
}

fn capacities(table: &Table, entries: &mut [Entry], problems: &mut Vec<Problem>) -> Result<()> {
    for kind in Capacity::ALL {
        let column = FACILITIES.column(kind.column());
        for (entry, number) in
            entries.iter_mut().zip(table.declared_numbers(column, column.name, problems)?)
        {
            entry.capacity[kind as usize] = number;
        }
    }
    Ok(())
}

fn words(table: &Table, entries: &mut [Entry]) -> Result<()> {
    let mut take = |column: &str, of: fn(&mut Entry) -> &mut Option<String>| -> Result<()> {
        for (entry, word) in entries.iter_mut().zip(optional(table, column)?) {
            *of(entry) = word;
        }
        Ok(())
    };
    take("operator", |entry| &mut entry.operator)?;
    take("source", |entry| &mut entry.source)?;
    take("class_rule", |entry| &mut entry.class_rule)?;
    take("merged_from", |entry| &mut entry.merged_from)?;
    for (entry, outline) in entries.iter_mut().zip(optional(table, "outline")?) {
        entry.outline = outline.as_deref() == Some("true");
    }
    Ok(())
}

/// The columns of a ledger as [`read`] reads them; `state` beside is the status on the day, which [`read`] does not need.
pub fn columns(entries: &[Entry], day: Option<Day>) -> Vec<(&'static str, ArrayRef, bool)> {
    let text = |of: &dyn Fn(&Entry) -> Option<&str>| -> ArrayRef {
        Arc::new(entries.iter().map(of).collect::<StringArray>())
    };
    let mut columns = vec![
        ("service_level", text(&|entry| entry.service_level.map(ServiceLevel::name)), true),
        ("status", text(&|entry| entry.status.map(Status::name)), true),
        ("state", text(&|entry| Some(entry.status_on(day).name())), false),
    ];
    for stage in Status::ALL {
        let days: Date32Array =
            entries.iter().map(|entry| entry.since[stage as usize].map(days_since_1970)).collect();
        columns.push((stage.date_column(), Arc::new(days), true));
    }
    for kind in Capacity::ALL {
        let numbers: Float64Array = entries.iter().map(|entry| entry.capacity[kind as usize]).collect();
        columns.push((kind.column(), Arc::new(numbers), true));
    }
    let outline: BooleanArray = entries.iter().map(|entry| Some(entry.outline)).collect();
    columns.extend([
        ("operator", text(&|entry| entry.operator.as_deref()), true),
        ("source", text(&|entry| entry.source.as_deref()), true),
        ("class_rule", text(&|entry| entry.class_rule.as_deref()), true),
        ("merged_from", text(&|entry| entry.merged_from.as_deref()), true),
        ("outline", Arc::new(outline) as ArrayRef, false),
    ]);
    columns
}

/// Days as Arrow counts them.
fn days_since_1970(day: Day) -> i32 {
    day.signed_duration_since(Day::default()).num_days() as i32
}
