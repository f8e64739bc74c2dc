//! `facility_classes`, `classify`, `duplicates`, `merge_duplicates`.

use super::arrow::{Source, TableArgument, to_table};
use super::job;
use arrow_array::{ArrayRef, BooleanArray, Float64Array, RecordBatch, StringArray, UInt64Array};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3_arrow::PyTable;
use std::collections::HashSet;
use std::sync::Arc;
use walkshed::io;
use walkshed::io::classes::{Classified, Rules};
use walkshed::metrics::duplicates::{self, Pair, Sameness};
use walkshed::model::catalogue::Catalogue;
use walkshed::model::catalogue::PlanningLevel;
use walkshed::model::error::Result;
use walkshed::model::facility::Facilities;
use walkshed::model::problem::Problem;

/// The project's facility classes: id, major class, Chinese name, English name, planning level, minutes.
#[pyfunction]
pub fn catalogue() -> Vec<(String, String, String, String, String, f64)> {
    let row = |class: walkshed::model::catalogue::FacilityClass| {
        (class.id, class.major, class.name_zh, class.name_en, class.level, class.walk_minutes)
    };
    io::defaults::catalogue().classes.into_iter().map(row).collect()
}

/// The class of each row of a table, and why; and what is wrong with the mapping.
#[pyfunction]
pub fn classify(
    py: Python<'_>,
    table: TableArgument,
    mapping: Option<TableArgument>,
    column: String,
) -> PyResult<(PyTable, PyTable)> {
    let table = table.into_source(py, "table")?;
    let mapping = mapping.map(|mapping| mapping.into_source(py, "mapping")).transpose()?;
    let (found, rejected) = job::run(py, None, move |_| {
        let mut rejected = Vec::new();
        let table = table.read()?;
        let mapping =
            mapping.map(|mapping| io::mapping::read(&mapping.read()?, &mut rejected)).transpose()?;
        let catalogue = io::defaults::catalogue();
        let rules = Rules { catalogue: Some(&catalogue), mapping: mapping.as_ref() };
        // What is told of rows stands in the columns of the answer.
        let found = io::classes::classify(&table, &column, rules, &mut Vec::new())?;
        Ok((classes_batch(&found, &catalogue), rejected))
    })?;
    Ok((to_table(found)?, to_table(io::rejected::to_batch(&rejected))?))
}

fn classes_batch(found: &[Option<Classified>], catalogue: &Catalogue) -> RecordBatch {
    let text = |of: &dyn Fn(&Classified) -> Option<String>| -> ArrayRef {
        Arc::new(found.iter().map(|one| one.as_ref().and_then(of)).collect::<StringArray>())
    };
    let known = |one: &Classified| catalogue.has(&one.class);
    let in_catalogue: BooleanArray = found.iter().map(|one| one.as_ref().map(known)).collect();
    let listed = |words: &[String]| (!words.is_empty()).then(|| words.join(", "));
    RecordBatch::try_from_iter_with_nullable([
        ("row", Arc::new(UInt64Array::from_iter_values(1..=found.len() as u64)) as ArrayRef, false),
        ("class", text(&|one| Some(one.class.clone())), true),
        ("class_rule", text(&|one| Some(one.rule.clone())), true),
        ("others", text(&|one| listed(&one.others)), true),
        ("in_catalogue", Arc::new(in_catalogue), true),
        ("near", text(&|one| if known(one) { None } else { listed(&catalogue.near(&one.class)) }), true),
    ])
    .expect("all columns have one value per row")
}

/// Rows of several tables that are probably one facility.
#[pyfunction]
#[pyo3(name = "duplicates")]
pub fn find_duplicates(
    py: Python<'_>,
    tables: Vec<TableArgument>,
    same_source: bool,
) -> PyResult<(PyTable, PyTable)> {
    let sources = into_sources(py, tables)?;
    let (found, rejected) = job::run(py, None, move |progress| {
        let (facilities, rejected) = together(sources)?;
        let sameness = Sameness { same_source, ..Sameness::of(&io::defaults::catalogue()) };
        let pairs = duplicates::find(&facilities, &sameness, progress)?;
        Ok((pairs_batch(&facilities, &pairs), rejected))
    })?;
    Ok((to_table(found)?, to_table(io::rejected::to_batch(&rejected))?))
}

/// The facilities of several tables, each once.
#[pyfunction]
pub fn merge_duplicates(
    py: Python<'_>,
    tables: Vec<TableArgument>,
    same_source: bool,
) -> PyResult<(PyTable, PyTable)> {
    let sources = into_sources(py, tables)?;
    let (merged, rejected) = job::run(py, None, move |progress| {
        let (facilities, rejected) = together(sources)?;
        let sameness = Sameness { same_source, ..Sameness::of(&io::defaults::catalogue()) };
        let pairs = duplicates::find(&facilities, &sameness, progress)?;
        let merged = duplicates::merge(&facilities, &pairs).facilities;
        Ok((io::facilities::to_batch(&merged, &vec![None; merged.len()], None), rejected))
    })?;
    Ok((to_table(merged)?, to_table(io::rejected::to_batch(&rejected))?))
}

fn into_sources(py: Python<'_>, tables: Vec<TableArgument>) -> PyResult<Vec<Source>> {
    if tables.is_empty() {
        return Err(PyValueError::new_err("tables: give at least one"));
    }
    tables.into_iter().map(|table| table.into_source(py, "tables")).collect()
}

/// The facilities of all tables, one after the other; each table is a source with a name of its own.
fn together(sources: Vec<Source>) -> Result<(Facilities, Vec<Problem>)> {
    let mut rejected = Vec::new();
    let mut names = HashSet::new();
    let mut all: Option<Facilities> = None;
    let catalogue = io::defaults::catalogue();
    for (number, source) in sources.into_iter().enumerate() {
        let mut table = source.read()?;
        if table.name == "tables" || !names.insert(table.name.clone()) {
            table.name = format!("{}[{number}]", table.name);
        }
        let columns = io::facilities::Columns::usual(&catalogue);
        let facilities = io::facilities::read(&table, columns, &mut rejected)?;
        all = Some(match all {
            None => facilities,
            Some(before) => before.and(facilities),
        });
    }
    let none = || Facilities::new("tables", walkshed::model::ids::Ids::Text(vec![]), vec![], vec![]);
    Ok((all.unwrap_or_else(none), rejected))
}

fn pairs_batch(facilities: &Facilities, pairs: &[Pair]) -> RecordBatch {
    type Of<'a> = &'a dyn Fn(&Pair) -> usize;
    let text = |of: &dyn Fn(&Pair) -> Option<String>| -> ArrayRef {
        Arc::new(pairs.iter().map(of).collect::<StringArray>())
    };
    let number = |of: &dyn Fn(&Pair) -> f64| -> ArrayRef {
        Arc::new(Float64Array::from_iter_values(pairs.iter().map(of)))
    };
    let row = |of: Of<'_>| -> ArrayRef {
        Arc::new(pairs.iter().map(|pair| facilities.row[of(pair)]).collect::<UInt64Array>())
    };
    let file = |of: Of<'_>| text(&|pair| Some(facilities.file[of(pair)].to_string()));
    let id = |of: Of<'_>| text(&|pair| Some(facilities.id.text(of(pair))));
    let name = |of: Of<'_>| text(&|pair| facilities.name[of(pair)].clone());
    let (kept, other): (Of<'_>, Of<'_>) = (&|pair| pair.kept, &|pair| pair.other);
    RecordBatch::try_from_iter_with_nullable([
        ("class", text(&|pair| Some(facilities.class[pair.kept].clone())), false),
        ("file", file(kept), false),
        ("row", row(kept), true),
        ("id", id(kept), false),
        ("name", name(kept), true),
        ("other_file", file(other), false),
        ("other_row", row(other), true),
        ("other_id", id(other), false),
        ("other_name", name(other), true),
        ("distance_m", number(&|pair| pair.distance_m), false),
        ("similarity", number(&|pair| pair.similarity), false),
    ])
    .expect("all columns have one value per pair")
}

/// A planning level: id, Chinese and English name, minutes, radius in metres, fewest and most people, source.
type LevelRow = (String, String, String, f64, f64, f64, f64, String);

/// The catalogue's planning levels.
#[pyfunction]
pub fn levels() -> Vec<LevelRow> {
    let row = |level: PlanningLevel| {
        let [fewest, most] = level.population;
        let (minutes, radius_m) = (level.walk_minutes, level.standard_radius_m);
        (level.id, level.name_zh, level.name_en, minutes, radius_m, fewest, most, level.source)
    };
    io::defaults::catalogue().level.into_iter().map(row).collect()
}
