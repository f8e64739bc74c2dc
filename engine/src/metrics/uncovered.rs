//! Where those live who are not covered.

use super::apportion::Part;
use crate::model::times::{Deciseconds, Times};

/// People of a cell who are not covered.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Uncovered {
    /// Position of the area.
    pub area: u32,
    /// Row of the cell.
    pub cell: u32,
    /// People of the cell who live in the area.
    pub people: f64,
}

/// Cells of each area whose people do not reach a class within a limit: area by area, most people first, then by row.
pub fn uncovered(
    times: &Times,
    class: usize,
    people: &[f64],
    parts: &[Vec<Part>],
    limit_ds: Deciseconds,
) -> Vec<Uncovered> {
    let classes = times.class.len();
    let beyond = |cell: u32| {
        times.nearest[cell as usize * classes + class].ok().is_none_or(|found| found.time_ds > limit_ds)
    };
    let mut all = Vec::new();
    for (area, parts) in (0..).zip(parts) {
        let of_area = parts.iter().filter(|part| beyond(part.cell));
        let mut of_area: Vec<Uncovered> = of_area
            .map(|part| Uncovered { area, cell: part.cell, people: people[part.cell as usize] * part.share })
            .filter(|uncovered| uncovered.people > 0.0)
            .collect();
        of_area.sort_by(|a, b| b.people.total_cmp(&a.people).then(a.cell.cmp(&b.cell)));
        all.extend(of_area);
    }
    all
}
