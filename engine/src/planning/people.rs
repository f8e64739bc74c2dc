//! People who move in: their cells hold more, or there are more cells.

use crate::model::cell;
use crate::model::edit::{Change, NewHomes};
use crate::model::edit_fault::EditFault;
use crate::model::error::{Error, Result};
use crate::model::place::Place;
use crate::model::population::Cells;
use crate::model::problem::Problem;
use crate::model::scenario::Scenario;
use h3o::{CellIndex, Resolution};

/// The resolution of the cells of a city in which nobody lives yet: that of studies that name none.
const DEFAULT: Resolution = Resolution::Ten;

/// The cells after the edits of a scenario: rows keep their order, new cells come after them. People who move into a cell
/// that has some step out where those do.
///
/// # Errors
/// Groups that the cells do not have.
pub fn apply(scenario: &Scenario, mut cells: Cells) -> Result<Cells> {
    let resolution = cells.cell.first().map_or(DEFAULT, |cell| cell.resolution());
    let mut problems = Vec::new();
    for (number, edit) in (1..).zip(&scenario.edits) {
        let Change::NewHomes(homes) = &edit.change else { continue };
        let known = || cells.groups.iter().map(|group| group.name.clone()).collect::<Vec<_>>();
        for group in homes.groups.keys().filter(|group| !known().contains(group)) {
            let fault = EditFault::NoSuchGroup { known: known() };
            let problem = Problem::of_file(&scenario.file, fault.into()).at_row(number);
            problems.push(problem.in_column("groups").with_value(group));
        }
        // The reader has told of places that are none.
        if let Some(place) = Place::new(homes.place[0], homes.place[1]) {
            move_in(&mut cells, homes, place, cell::at(place, resolution));
        }
    }
    if problems.is_empty() { Ok(cells) } else { Err(Error::Input(problems)) }
}

fn move_in(cells: &mut Cells, homes: &NewHomes, place: Place, cell: CellIndex) {
    let row = cells.cell.iter().position(|&other| other == cell).unwrap_or_else(|| {
        cells.cell.push(cell);
        cells.place.push(place);
        cells.people.push(0.0);
        cells.households.iter_mut().for_each(|households| households.push(0.0));
        cells.groups.iter_mut().for_each(|group| group.people.push(0.0));
        cells.cell.len() - 1
    });
    cells.people[row] += homes.people;
    for group in &mut cells.groups {
        group.people[row] += homes.groups.get(&group.name).copied().unwrap_or_default();
    }
}
