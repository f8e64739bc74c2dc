//! People from tables of cells, points or outlines.

use super::facilities::refuse_if_none;
use super::geometry;
use super::table::{Table, out_of_range};
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::population::{Group, Home, Households};
use crate::model::problem::{Fault, Problem};
use crate::model::schema::COUNT;
use geo::Geometry;
use h3o::CellIndex;

/// Names of the columns of people.
#[derive(Debug, Clone, Copy)]
pub struct Columns<'a> {
    /// Column of everybody.
    pub people: &'a str,
    /// Column of H3 cells.
    pub cell: &'a str,
    /// Columns of groups.
    pub groups: &'a [String],
}

/// Read people: a number of people, and a cell (first choice), a point or an outline.
///
/// Rows without usable place or with a missing or negative number are left out and added to `rejected`.
///
/// # Errors
/// Problems when a column is missing or no row is left.
pub fn read(table: &Table, columns: Columns<'_>, rejected: &mut Vec<Problem>) -> Result<Households> {
    let mut problems = Vec::new();
    let people = table.numbers(columns.people, &mut problems)?;
    let mut groups = Vec::new();
    for name in columns.groups {
        groups.push((name, table.numbers(name, &mut problems)?));
    }
    let homes = homes(table, columns.cell, &mut problems)?;
    let empty = columns.groups.iter().map(|name| Group { name: name.clone(), people: vec![] }).collect();
    let mut households = Households { groups: empty, ..Households::default() };
    for (row, home) in homes.into_iter().enumerate() {
        let counts = std::iter::once((columns.people, people[row]))
            .chain(groups.iter().map(|(name, values)| (name.as_str(), values[row])));
        let faults: Vec<Problem> =
            counts.filter_map(|(name, count)| count_fault(table, row, name, count)).collect();
        let (Some(home), true) = (home, faults.is_empty()) else {
            problems.extend(faults.into_iter().take(1));
            continue;
        };
        households.home.push(home);
        households.people.push(people[row].unwrap_or_default());
        for (group, (_, values)) in households.groups.iter_mut().zip(&groups) {
            group.people.push(values[row].unwrap_or_default());
        }
    }
    problems.sort_by_key(|problem| problem.row);
    problems.dedup_by_key(|problem| problem.row);
    refuse_if_none(table, households.home.len(), &mut problems)?;
    rejected.append(&mut problems);
    Ok(households)
}

/// What is wrong with a number of people, if anything.
pub fn count_fault(table: &Table, row: usize, column: &str, count: Option<f64>) -> Option<Problem> {
    let Some(count) = count else { return Some(table.problem(row, column, None, Fault::MissingValue)) };
    out_of_range(COUNT, count).map(|fault| table.problem(row, column, Some(count.to_string()), fault))
}

/// Cells come first: a table of cells often has the centres beside them.
fn homes(table: &Table, cell: &str, problems: &mut Vec<Problem>) -> Result<Vec<Option<Home>>> {
    if table.has(cell) {
        let cells: Vec<Option<CellIndex>> = table.cells(cell, problems)?;
        return Ok(cells.into_iter().map(|cell| cell.map(Home::Cell)).collect());
    }
    let located = table.located(cell, problems)?;
    let mut homes = Vec::with_capacity(located.place.len());
    for (row, geometry) in located.place.into_iter().enumerate() {
        homes.push(match geometry {
            None => None,
            Some(Geometry::Point(point)) => Place::new(point.x(), point.y()).map(Home::Point),
            Some(outline) => match geometry::polygons_of(outline) {
                Ok(polygons) => Some(Home::Outline(polygons)),
                Err(fault) => {
                    problems.push(table.problem(row, "geometry", None, fault));
                    None
                }
            },
        });
    }
    Ok(homes)
}
