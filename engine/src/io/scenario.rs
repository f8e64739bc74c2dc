//! Scenarios from TOML, and from the edits that Python hands over: every fault of every edit together.

use super::files;
use super::hash;
use super::settings;
use crate::model::edit::{Change, Edit, LonLat};
use crate::model::edit_fault::EditFault;
use crate::model::error::{Error, Result};
use crate::model::ledger;
use crate::model::limits::Amount;
use crate::model::place::Place;
use crate::model::problem::{Fault, Problem};
use crate::model::scenario::Scenario;
use serde_json::{Map, Value};
use std::path::Path;

/// Read a scenario: `[scenario] name`, and `[[edit]]` after `[[edit]]`. A row of a fault is the number of the edit.
///
/// # Errors
/// Every fault that was found.
pub fn read(path: &Path) -> Result<Scenario> {
    let file = files::file_name(path);
    if !path.is_file() {
        return Err(Problem::of_file(path.display().to_string(), Fault::NotFound).into());
    }
    let text = files::read_text(path, Amount::SettingsBytes)?;
    let table: toml::Table = settings::parse(&file, &text).map_err(|fault| *fault)?;
    let mut problems = unknown_keys(&file, table.keys(), &["scenario", "edit"]);
    let name = match table.get("scenario") {
        None => None,
        Some(head) => named(&file, head, &mut problems),
    };
    let edits = match table.get("edit") {
        None => Value::Array(vec![]),
        Some(edits) => serde_json::to_value(edits).map_err(|error| {
            Problem::of_file(&file, Fault::Unreadable { reason: error.to_string() }).in_column("edit")
        })?,
    };
    let name = name.unwrap_or_else(|| file.trim_end_matches(".toml").to_owned());
    of_values(&name, &file, edits, problems)
}

fn unknown_keys<'a>(file: &str, keys: impl Iterator<Item = &'a String>, known: &[&str]) -> Vec<Problem> {
    let unknown = keys.filter(|key| !known.contains(&key.as_str()));
    let fault = || Fault::UnknownName { known: known.iter().map(|&name| name.to_owned()).collect() };
    unknown.map(|key| Problem::of_file(file, fault()).in_column(key)).collect()
}

/// The name that `[scenario]` gives, and what is wrong with that table.
fn named(file: &str, head: &toml::Value, problems: &mut Vec<Problem>) -> Option<String> {
    let wrong = |column: &str, value: &toml::Value, expected: &str| {
        Problem::of_file(file, Fault::Setting { expected: expected.to_owned() })
            .in_column(column)
            .with_value(value.to_string())
    };
    let Some(keys) = head.as_table() else {
        problems.push(wrong("scenario", head, "a table, [scenario]"));
        return None;
    };
    problems.extend(unknown_keys(file, keys.keys(), &["name"]));
    let name = keys.get("name")?;
    if name.as_str().is_none() {
        problems.push(wrong("scenario.name", name, "a text in quotes"));
    }
    name.as_str().map(str::to_owned)
}

/// The scenario of edits in JSON: a list of objects with the keys of `[[edit]]`.
///
/// # Errors
/// Every fault that was found.
pub fn from_json(name: &str, json: &str) -> Result<Scenario> {
    let edits = serde_json::from_str(json).map_err(|error| Error::Internal(format!("edits: {error}")))?;
    of_values(name, "scenario", edits, Vec::new())
}

fn of_values(name: &str, file: &str, edits: Value, mut problems: Vec<Problem>) -> Result<Scenario> {
    let Value::Array(values) = edits else {
        let fault = Fault::Setting { expected: "[[edit]] tables, one for each edit".to_owned() };
        return Err(Problem::of_file(file, fault).in_column("edit").into());
    };
    let mut read = Vec::with_capacity(values.len());
    for (number, value) in (1..).zip(values) {
        match edit(value) {
            Ok(edit) => {
                let faults = faults(&edit).into_iter();
                problems.extend(faults.map(|(key, value, fault)| {
                    Problem::of_file(file, fault).at_row(number).in_column(key).with_value(value)
                }));
                read.push(edit);
            }
            Err((key, value, fault)) => {
                let problem = Problem::of_file(file, fault.into()).at_row(number).in_column(key);
                problems.push(if value.is_empty() { problem } else { problem.with_value(value) });
            }
        }
    }
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let id = hash::of_text(&to_json(&read)?)[..16].to_owned();
    Ok(Scenario { name: name.to_owned(), file: file.to_owned(), edits: read, id })
}

type Wrong = (&'static str, String, EditFault);

fn edit(value: Value) -> std::result::Result<Edit, Wrong> {
    let unreadable = |reason: String| ("edit", String::new(), EditFault::Unreadable { reason });
    let Value::Object(mut keys) = value else { return Err(unreadable("it is no table".to_owned())) };
    // Neither TOML nor Python hands over nothing: it is what JSON makes of `inf` and `nan`.
    if let Some((key, _)) = keys.iter().find(|(_, value)| holds_null(value)) {
        return Err(unreadable(format!("{key}: a number must be finite")));
    }
    let name = keys.get("do").and_then(Value::as_str).unwrap_or_default().to_owned();
    if !Change::NAMES.contains(&name.as_str()) {
        let known = Change::NAMES.map(str::to_owned).to_vec();
        return Err(("do", name, EditFault::UnknownChange { known }));
    }
    let cost_yuan = common(&mut keys, "cost_yuan", Value::as_f64)?;
    let project = common(&mut keys, "project", |value| match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    })?;
    let on = common(&mut keys, "on", |value| {
        // A date of TOML comes as a table of this one key.
        let text = value.as_str().or_else(|| value.get("$__toml_private_datetime")?.as_str())?;
        ledger::day(text)
    })?;
    let change =
        serde_json::from_value(Value::Object(keys)).map_err(|error| unreadable(error.to_string()))?;
    Ok(Edit { change, cost_yuan, project, on })
}

fn holds_null(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Array(values) => values.iter().any(holds_null),
        Value::Object(values) => values.values().any(holds_null),
        _ => false,
    }
}

/// Take out a key that every edit may have.
fn common<T>(
    keys: &mut Map<String, Value>,
    key: &'static str,
    read: impl Fn(&Value) -> Option<T>,
) -> std::result::Result<Option<T>, Wrong> {
    match keys.remove(key) {
        None => Ok(None),
        Some(value) => match read(&value) {
            Some(read) => Ok(Some(read)),
            None => Err((key, value.to_string(), EditFault::Unreadable { reason: format!("{key} {value}") })),
        },
    }
}

/// Values that cannot be.
fn faults(edit: &Edit) -> Vec<(&'static str, String, Fault)> {
    let mut found = Vec::new();
    let mut place = |key: &'static str, at: LonLat| {
        if Place::new(at[0], at[1]).is_none() {
            let range = "longitude -180..180, latitude -90..90";
            found.push((key, format!("{at:?}"), Fault::OutOfRange { range }));
        }
    };
    match &edit.change {
        Change::OpenFacility(open) => open.place.into_iter().for_each(|at| place("place", at)),
        Change::MoveFacility(moved) => place("place", moved.place),
        Change::NewHomes(homes) => place("place", homes.place),
        Change::AddLink(link) => {
            place("from", link.from);
            place("to", link.to);
            link.via.iter().for_each(|&at| place("via", at));
        }
        Change::CloseLink(which) | Change::OpenLink(which) => {
            which.at.into_iter().for_each(|at| place("at", at));
        }
        Change::RetimeLink(retimed) => retimed.at.into_iter().for_each(|at| place("at", at)),
        Change::SetArea(area) => area.outline.iter().flatten().for_each(|&at| place("outline", at)),
        Change::CloseFacility(_) | Change::ResizeFacility(_) => {}
    }
    let mut number = |key: &'static str, value: Option<f64>, most: f64| {
        if let Some(value) = value.filter(|value| !(0.0..=most).contains(value)) {
            found.push((key, value.to_string(), Fault::OutOfRange { range: "0 or more, and finite" }));
        }
    };
    number("cost_yuan", edit.cost_yuan, f64::MAX);
    match &edit.change {
        Change::OpenFacility(open) => {
            open.capacity.values().for_each(|&amount| number("capacity", Some(amount), f64::MAX));
        }
        Change::ResizeFacility(resized) => {
            resized.capacity.values().for_each(|&amount| number("capacity", Some(amount), f64::MAX));
        }
        Change::NewHomes(homes) => {
            number("people", Some(homes.people), f64::MAX);
            homes.groups.values().for_each(|&people| number("groups", Some(people), f64::MAX));
        }
        Change::AddLink(link) => {
            number("length_m", link.length_m, 1e6);
            number("floors", link.floors, 1e3);
            number("rise_m", link.rise_m.map(f64::abs), 1e4);
            number("forward_s", link.forward_s, 86_400.0);
            number("backward_s", link.backward_s, 86_400.0);
        }
        Change::RetimeLink(retimed) => {
            number("forward_s", retimed.forward_s, 86_400.0);
            number("backward_s", retimed.backward_s, 86_400.0);
        }
        _ => {}
    }
    found
}

/// The edits as they are written, keys in order: what the id is the hash of.
///
/// # Errors
/// None that an edit could cause.
pub fn to_json(edits: &[Edit]) -> Result<String> {
    let internal = |error: serde_json::Error| Error::Internal(error.to_string());
    let values: Vec<Value> = edits
        .iter()
        .map(|edit| {
            let mut value = serde_json::to_value(&edit.change).map_err(internal)?;
            if let Value::Object(keys) = &mut value {
                keys.extend(edit.cost_yuan.map(|cost| ("cost_yuan".to_owned(), Value::from(cost))));
                keys.extend(edit.project.clone().map(|project| ("project".to_owned(), Value::from(project))));
                keys.extend(edit.on.map(|day| ("on".to_owned(), Value::from(day.to_string()))));
            }
            Ok(value)
        })
        .collect::<Result<_>>()?;
    serde_json::to_string(&values).map_err(internal)
}
