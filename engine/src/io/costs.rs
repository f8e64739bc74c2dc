//! Pairs from tables, and what stands at both ends of them: people who set out, facilities that they reach.

use super::table::Table;
use crate::model::costs::Costs;
use crate::model::error::{Error, Result};
use crate::model::facility::Facilities;
use crate::model::ids::Ids;
use crate::model::problem::{Fault, Problem};
use crate::model::schema::{Column, DEMAND, PAIRS, SUPPLY, TableRules};
use arrow_array::{Array, StringArray};
use rayon::prelude::*;
use std::collections::{HashMap, HashSet};

/// Name of the class where a table has none: all facilities are of one kind.
pub const ONE_CLASS: &str = "all";

/// Facilities at the ends of pairs. They need no place: the way is in the pairs.
#[derive(Debug, Clone)]
pub struct Ends {
    /// Id of each.
    pub id: Ids,
    /// Class of each, a position in `classes`.
    pub class: Vec<u32>,
    /// The classes, sorted.
    pub classes: Vec<String>,
    /// What each holds; none where that is unknown, one each where no column was named.
    pub capacity: Vec<Option<f64>>,
}

impl Ends {
    /// Facilities that were read with their places.
    pub fn of(facilities: &Facilities) -> Self {
        let classes = facilities.classes();
        let place = |name: &String| classes.partition_point(|class| class < name) as u32;
        Self {
            id: facilities.id.clone(),
            class: facilities.class.iter().map(place).collect(),
            capacity: vec![Some(1.0); facilities.len()],
            classes,
        }
    }
}

/// Pairs, with the origins that they are rows of.
#[derive(Debug, Clone)]
pub struct Pairs {
    /// Who sets out.
    pub origin: Ids,
    /// Minutes between rows of both sides.
    pub costs: Costs,
}

/// A number for every row.
///
/// # Errors
/// A problem for every row that has none, or one that cannot be.
fn counted(table: &Table, rules: &TableRules, column: &'static str) -> Result<Vec<f64>> {
    table.require(rules, &str::to_owned)?;
    let mut problems = Vec::new();
    let found = table.declared_numbers(rules.column(column), column, &mut problems)?;
    if problems.is_empty() { Ok(found.into_iter().flatten().collect()) } else { Err(Error::Input(problems)) }
}

/// Ids that no two rows share.
fn own_ids(table: &Table, column: &str) -> Result<Ids> {
    let ids = table.ids(column)?;
    let mut first_rows: HashMap<String, u64> = HashMap::with_capacity(ids.len());
    let mut problems = Vec::new();
    for row in 0..ids.len() {
        let first_row = *first_rows.entry(ids.text(row)).or_insert(row as u64 + 1);
        if first_row != row as u64 + 1 {
            problems.push(table.problem(row, column, Some(ids.text(row)), Fault::DuplicateId { first_row }));
        }
    }
    if problems.is_empty() { Ok(ids) } else { Err(Error::Input(problems)) }
}

/// Ids of origins: `id`, else `cell`, as searches name them.
///
/// # Errors
/// Problems when the column is missing or an id is there twice.
pub fn read_origin_ids(table: &Table) -> Result<Ids> {
    own_ids(table, if table.has("id") || !table.has("cell") { "id" } else { "cell" })
}

/// People who set out: `origin_id`, `people`.
///
/// # Errors
/// Problems when a column is missing, an id is there twice, or a row has no number of people.
pub fn read_demand(table: &Table) -> Result<(Ids, Vec<f64>)> {
    let people = counted(table, &DEMAND, "people")?;
    Ok((own_ids(table, "origin_id")?, people))
}

/// What facilities hold: `facility_id`, `capacity`.
///
/// # Errors
/// Problems when a column is missing, an id is there twice, or a row has no capacity.
pub fn read_supply(table: &Table) -> Result<Ends> {
    let capacity = counted(table, &SUPPLY, "capacity")?.into_iter().map(Some).collect();
    let id = own_ids(table, "facility_id")?;
    Ok(Ends { class: vec![0; id.len()], classes: vec![ONE_CLASS.to_owned()], id, capacity })
}

/// Facilities: `id`, `class` where given, and the column `capacity` where one is named; a row may lack it unless all are `needed`.
///
/// # Errors
/// Problems when a column is missing or a value cannot be.
pub fn read_ends(table: &Table, capacity: Option<&str>, needed: bool) -> Result<Ends> {
    let id = table.ids("id")?;
    let named =
        if table.has("class") { table.text("class")? } else { vec![Some(ONE_CLASS.to_owned()); id.len()] };
    let mut problems: Vec<Problem> = (0..)
        .zip(&named)
        .filter(|(_, class)| class.is_none())
        .map(|(row, _)| table.problem(row, "class", None, Fault::MissingValue))
        .collect();
    let capacity = match capacity {
        None => vec![Some(1.0); id.len()],
        Some(column) => {
            if !table.has(column) {
                let found = table.column_names();
                let fault = Fault::MissingColumn { found };
                return Err(Problem::of_file(&table.name, fault).in_column(column).into());
            }
            table.declared_numbers(Column { needed, ..SUPPLY.column("capacity") }, column, &mut problems)?
        }
    };
    if !problems.is_empty() {
        return Err(Error::Input(problems));
    }
    let named: Vec<String> = named.into_iter().flatten().collect();
    let mut classes = named.clone();
    classes.sort_unstable();
    classes.dedup();
    let class = named.iter().map(|name| classes.partition_point(|class| class < name) as u32).collect();
    Ok(Ends { id, class, classes, capacity })
}

/// Read pairs: `origin_id`, `facility_id`, `time_s`, and `class` where facilities of several classes share an id.
///
/// Origins are those given, else those of the pairs in the order in which they come. Pairs of other origins or facilities are
/// not looked at: a table of pairs may hold more than is asked for. They come in the order of the origins, then of the facilities,
/// so that no sum hangs on the order of the table.
///
/// # Errors
/// Problems when a column is missing, a time is missing or below 0, a pair is there twice, or no pair joins the two sides.
pub fn read(table: &Table, origins: Option<Ids>, ends: &Ends) -> Result<Pairs> {
    let time_s = counted(table, &PAIRS, "time_s")?;
    let origin = match origins {
        Some(origins) => origins,
        None => distinct(table)?,
    };
    let origin_row = rows_in(&table.strings("origin_id")?, &origin);
    let facility_row = facility_rows(table, ends)?;
    let mut costs = Costs::default();
    let mut row_of = Vec::new();
    for (row, (origin, facility)) in origin_row.into_iter().zip(facility_row).enumerate() {
        if let (Some(origin), Some(facility)) = (origin, facility) {
            costs.origin.push(origin);
            costs.facility.push(facility);
            costs.minutes.push(time_s[row] / 60.0);
            row_of.push(row);
        }
    }
    if costs.is_empty() && table.rows() > 0 {
        let reason =
            "no row joins an origin and a facility of the other tables: ids must be the same".to_owned();
        return Err(Problem::of_file(&table.name, Fault::Unreadable { reason }).into());
    }
    let (costs, order) = costs.in_order();
    let row_of: Vec<usize> = order.into_iter().map(|at| row_of[at as usize]).collect();
    if let Some((first, again)) = costs.repeated(origin.len(), ends.id.len()) {
        let fault = Fault::DuplicateId { first_row: row_of[first] as u64 + 1 };
        let row = row_of[again];
        let value = format!(
            "{} – {}",
            origin.text(costs.origin[again] as usize),
            ends.id.text(costs.facility[again] as usize)
        );
        return Err(table.problem(row, "origin_id, facility_id", Some(value), fault).into());
    }
    Ok(Pairs { origin, costs })
}

/// Each id once, in the order in which they come.
fn distinct(table: &Table) -> Result<Ids> {
    let text = table.strings("origin_id")?;
    let mut seen = HashSet::new();
    let rows: Vec<usize> = (0..text.len()).filter(|&row| seen.insert(text.value(row))).collect();
    Ok(table.ids("origin_id")?.pick(&rows))
}

/// The row of each id; pairs are many, so their ids are looked up where they lie.
fn rows_in(wanted: &StringArray, ids: &Ids) -> Vec<Option<u32>> {
    let rows: HashMap<String, u32> = (0..ids.len()).map(|row| (ids.text(row), row as u32)).collect();
    let row_of = |row: usize| rows.get(wanted.is_valid(row).then(|| wanted.value(row))?).copied();
    (0..wanted.len()).into_par_iter().map(row_of).collect()
}

fn facility_rows(table: &Table, ends: &Ends) -> Result<Vec<Option<u32>>> {
    let wanted = table.strings("facility_id")?;
    if ends.id.distinct() == ends.id.len() {
        return Ok(rows_in(&wanted, &ends.id));
    }
    let class = table.text("class")?;
    let key = |row: usize| (ends.id.text(row), ends.classes[ends.class[row] as usize].as_str());
    let rows: HashMap<(String, &str), u32> = (0..ends.id.len()).map(|row| (key(row), row as u32)).collect();
    let row_of = |(id, class): (Option<&str>, &Option<String>)| {
        rows.get(&(id?.to_owned(), class.as_deref()?)).copied()
    };
    Ok(wanted.iter().zip(&class).map(row_of).collect())
}
