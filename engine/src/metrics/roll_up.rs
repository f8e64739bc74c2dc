//! Coverage of areas, added up to the areas above them. Nobody is lost and nobody counted twice: each area is added once to each
//! area above it.

use crate::io::coverage::CoverageRows;
use crate::model::area::{Areas, above};
use crate::model::error::Result;
use crate::model::problem::{Fault, Problem};
use std::collections::{BTreeSet, HashMap};

/// Rows of coverage by area and combination (class, group, profile, minutes), with their numbers of people.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Rows {
    /// Position of the area.
    pub area: Vec<u32>,
    /// Position of the combination.
    pub combination: Vec<u32>,
    /// Columns of people.
    pub people: Vec<Vec<f64>>,
}

/// The coverage of areas of one level, added up to the areas above them. `family` holds these and all areas above.
///
/// # Errors
/// A problem when an area is unknown, or is above another, so that people would count twice.
pub fn roll_up_coverage(rows: CoverageRows, family: &Areas) -> Result<CoverageRows> {
    let problem = |fault| Problem::of_file("coverage", fault).in_column("area_id");
    let place: HashMap<&str, u32> = family.id.iter().map(String::as_str).zip(0..).collect();
    if let Some((row, id)) = (1..).zip(&rows.area_id).find(|(_, id)| !place.contains_key(id.as_str())) {
        let fault = Fault::UnknownName { known: family.id.iter().take(3).cloned().collect() };
        return Err(problem(fault).at_row(row).with_value(id).into());
    }
    let area: Vec<u32> = rows.area_id.iter().map(|id| place[id.as_str()]).collect();
    let parents = family.parents();
    let here: BTreeSet<u32> = area.iter().copied().collect();
    let mut uppers = here.iter().flat_map(|&area| above(&parents, area as usize));
    if let Some(upper) = uppers.find(|&upper| here.contains(&(upper as u32))) {
        let expected =
            "areas of one level: this one is above others, whose people would count twice".to_owned();
        return Err(problem(Fault::Setting { expected }).with_value(&family.id[upper]).into());
    }
    let combinations = rows.of.minutes.len();
    let found = Rows { area, combination: rows.combination, people: rows.people };
    let rolled = roll_up(&found, &parents, combinations);
    Ok(CoverageRows {
        area_id: rolled.area.iter().map(|&area| family.id[area as usize].clone()).collect(),
        combination: rolled.combination,
        of: rows.of,
        people: rolled.people,
    })
}

/// Sum the rows of areas up to all areas above them: those by area, then by combination. `parents` are those of each area. Sums
/// run in the order of the rows.
pub fn roll_up(rows: &Rows, parents: &[Option<usize>], combinations: usize) -> Rows {
    let columns = rows.people.len();
    let uplines: Vec<Vec<usize>> = (0..parents.len()).map(|area| above(parents, area)).collect();
    let mut sums: Vec<Option<Vec<f64>>> = vec![None; parents.len() * combinations];
    for row in 0..rows.area.len() {
        for &upper in &uplines[rows.area[row] as usize] {
            let sum = sums[upper * combinations + rows.combination[row] as usize]
                .get_or_insert_with(|| vec![0.0; columns]);
            for (sum, column) in sum.iter_mut().zip(&rows.people) {
                *sum += column[row];
            }
        }
    }
    let mut rolled = Rows { people: vec![vec![]; columns], ..Rows::default() };
    for (entry, sum) in sums.into_iter().enumerate().filter_map(|(entry, sum)| Some((entry, sum?))) {
        rolled.area.push((entry / combinations) as u32);
        rolled.combination.push((entry % combinations) as u32);
        for (column, value) in rolled.people.iter_mut().zip(sum) {
            column.push(value);
        }
    }
    rolled
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        /// Communities of districts of one city: every level holds everybody.
        #[test]
        fn everybody_is_on_every_level(people in prop::collection::vec((0_usize..5, 0.0_f64..1000.0), 1..40)) {
            // Areas: communities first, then five districts, then the city.
            let (communities, districts) = (people.len(), 5);
            let city = communities + districts;
            let mut parents: Vec<Option<usize>> = people.iter().map(|(district, _)| Some(communities + district)).collect();
            parents.extend(vec![Some(city); districts]);
            parents.push(None);
            let rows = Rows {
                area: (0..communities as u32).collect(),
                combination: vec![0; communities],
                people: vec![people.iter().map(|(_, people)| *people).collect()],
            };
            let rolled = roll_up(&rows, &parents, 1);
            let all: f64 = rows.people[0].iter().sum();
            let of = |wanted: &dyn Fn(usize) -> bool| -> f64 {
                let rows = (0..rolled.area.len()).filter(|&row| wanted(rolled.area[row] as usize));
                rows.map(|row| rolled.people[0][row]).sum()
            };
            prop_assert!((of(&|area| area < city) - all).abs() <= 1e-9 * all.max(1.0));
            prop_assert!((of(&|area| area == city) - all).abs() <= 1e-9 * all.max(1.0));
        }
    }
}
