//! Who walks shorter and who longer after a change, and by how much: people-minutes, by area, class and group.

use crate::model::population::Cells;
use crate::model::times::{Deciseconds, Nearest};
use std::collections::BTreeMap;

/// An entry of the table of times before and after.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Shift {
    /// Row of the cell.
    pub cell: u32,
    /// Its class.
    pub class: u32,
    /// What it was.
    pub before: Nearest,
    /// What it is.
    pub after: Nearest,
}

/// Who gains and who loses, of one area, class and group.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Gain {
    /// People whose walk is shorter, or who reach a facility now.
    pub people_gaining: f64,
    /// People whose walk is longer, or who reach none now.
    pub people_losing: f64,
    /// Minutes that all of them walk less, added up; less than 0 where they walk more. Who reaches none within the cut-off
    /// counts as if they walked so long.
    pub people_minutes_saved: f64,
}

/// Gains by area and class, for everybody and then for each group. `areas_of` gives the areas of a cell with its share in each.
/// Sums run in the order of the shifts.
pub fn gains<'a>(
    shifts: impl IntoIterator<Item = Shift>,
    cells: &Cells,
    cutoff_ds: Deciseconds,
    areas_of: impl Fn(u32) -> &'a [(u32, f64)],
) -> BTreeMap<(u32, u32), Vec<Gain>> {
    let people: Vec<&[f64]> = std::iter::once(cells.people.as_slice())
        .chain(cells.groups.iter().map(|group| group.people.as_slice()))
        .collect();
    let mut found: BTreeMap<(u32, u32), Vec<Gain>> = BTreeMap::new();
    for Shift { cell, class, before, after } in shifts {
        let walk_ds = |nearest: Nearest| nearest.map_or(cutoff_ds, |found| found.time_ds);
        let (was_ds, is_ds) = (walk_ds(before), walk_ds(after));
        let is_gain = is_ds < was_ds || before.is_err() && after.is_ok();
        let is_loss = is_ds > was_ds || before.is_ok() && after.is_err();
        if !is_gain && !is_loss {
            continue;
        }
        let minutes = (f64::from(was_ds) - f64::from(is_ds)) / 600.0;
        for &(area, share) in areas_of(cell) {
            let gains = found.entry((area, class)).or_insert_with(|| vec![Gain::default(); people.len()]);
            for (gain, people) in gains.iter_mut().zip(&people) {
                let people = people[cell as usize] * share;
                gain.people_gaining += if is_gain { people } else { 0.0 };
                gain.people_losing += if is_loss { people } else { 0.0 };
                gain.people_minutes_saved += people * minutes;
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::cell;
    use crate::model::place::Place;
    use crate::model::population::Group;
    use crate::model::times::{Found, Reason};

    #[test]
    fn minutes_are_counted_once_for_each_share_of_a_cell() {
        let place = Place::new(106.55, 29.56).unwrap();
        let at = cell::at(place, h3o::Resolution::Ten);
        let old = Group { name: "old".into(), people: vec![10.0, 0.0, 4.0] };
        let cells = Cells {
            cell: vec![at; 3],
            place: vec![place; 3],
            people: vec![100.0, 40.0, 8.0],
            households: None,
            groups: vec![old],
        };
        let minutes = |minutes: u32| Ok(Found::new(minutes * 600, 0));
        let beyond = Err(Reason::BeyondCutoff);
        let shift = |cell, before, after| Shift { cell, class: 0, before, after };
        // Cell 0 walks 4 minutes less; cell 1 reaches none any more, of 15 minutes; cell 2 is nearer to another facility only.
        let shifts = [
            shift(0, minutes(10), minutes(6)),
            shift(1, minutes(12), beyond),
            shift(2, minutes(5), Ok(Found::new(3000, 1))),
        ];
        let areas = [vec![(0, 0.5), (1, 0.5)], vec![(0, 1.0)], vec![(0, 1.0)]];
        let found = gains(shifts, &cells, 9000, |cell| &areas[cell as usize]);
        let gain = |people_gaining, people_losing, people_minutes_saved| Gain {
            people_gaining,
            people_losing,
            people_minutes_saved,
        };
        assert_eq!(found[&(0, 0)], [gain(50.0, 40.0, 200.0 - 120.0), gain(5.0, 0.0, 20.0)]);
        assert_eq!(found[&(1, 0)], [gain(50.0, 0.0, 200.0), gain(5.0, 0.0, 20.0)]);
    }
}
