//! How many people of an area reach a class of facility within some minutes.

use super::apportion::Part;
use crate::model::coverage::{CoverageRow, EVERYBODY};
use crate::model::error::Result;
use crate::model::population::Cells;
use crate::model::progress::Progress;
use crate::model::study::minutes_to_ds;
use crate::model::times::{Nearest, Reason, Times};
use rayon::prelude::*;

/// Sum people by what their cell's time says, for every area, class, group and threshold.
///
/// `times` has one origin per cell, in the order of the cells. Rows: area, class, group (everybody first), minutes.
/// Sums run in the order of the cells, whatever the number of threads.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn coverage(
    times: &Times,
    cells: &Cells,
    area_ids: &[String],
    parts: &[Vec<Part>],
    minutes: &[f64],
    progress: &Progress,
) -> Result<Vec<CoverageRow>> {
    progress.begin("coverage", area_ids.len())?;
    let groups: Vec<(&str, &[f64])> = std::iter::once((EVERYBODY, cells.people.as_slice()))
        .chain(cells.groups.iter().map(|group| (group.name.as_str(), group.people.as_slice())))
        .collect();
    let rows: Vec<Vec<CoverageRow>> = area_ids
        .par_iter()
        .zip(parts)
        .map(|(area_id, parts)| {
            progress.step(1)?;
            let mut rows = Vec::with_capacity(times.class.len() * groups.len() * minutes.len());
            for (position, class) in times.class.iter().enumerate() {
                let nearest = |part: &Part| times.nearest[part.cell as usize * times.class.len() + position];
                for &(group, people) in &groups {
                    for &threshold in minutes {
                        let mut row = empty_row(area_id, class, group, &times.profile, threshold);
                        for part in parts {
                            add(&mut row, nearest(part), people[part.cell as usize] * part.share);
                        }
                        rows.push(row);
                    }
                }
            }
            Ok(rows)
        })
        .collect::<Result<_>>()?;
    Ok(rows.concat())
}

fn empty_row(area_id: &str, class: &str, group: &str, profile: &str, minutes: f64) -> CoverageRow {
    CoverageRow {
        area_id: area_id.to_owned(),
        class: class.to_owned(),
        group: group.to_owned(),
        profile: profile.to_owned(),
        minutes,
        people: 0.0,
        people_covered: 0.0,
        people_beyond: 0.0,
        people_not_connected: 0.0,
        people_not_snapped: 0.0,
    }
}

fn add(row: &mut CoverageRow, nearest: Nearest, people: f64) {
    let limit_ds = minutes_to_ds(row.minutes).unwrap_or_default();
    row.people += people;
    let part = match nearest {
        Ok(found) if found.time_ds <= limit_ds => &mut row.people_covered,
        Ok(_) | Err(Reason::BeyondCutoff) => &mut row.people_beyond,
        Err(Reason::NotConnected) => &mut row.people_not_connected,
        Err(Reason::NotSnapped) => &mut row.people_not_snapped,
    };
    *part += people;
}
