//! Where something could be built when nobody has drawn it: centres of cells near a street, in an area, on land that may be used.

use crate::metrics::population::cells_touching;
use crate::metrics::whose::inside_areas;
use crate::model::area::Areas;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::progress::Progress;
use crate::travel::doors::Walk;
use h3o::{CellIndex, Resolution};

/// A place that is a candidate.
#[derive(Debug, Clone, PartialEq)]
pub struct Candidate {
    /// Its position among the places that were looked at.
    pub row: usize,
    /// Id of the first area that holds it.
    pub area: Option<String>,
    /// Metres to the nearest street that can be walked.
    pub street_m: f64,
}

/// Cells of areas, ascending; an area without outline has none.
///
/// # Errors
/// A problem of the first area that has more cells than are taken.
pub fn cells_of(areas: &Areas, resolution: Resolution) -> Result<Vec<CellIndex>> {
    let mut cells = Vec::new();
    for (area, outline) in areas.outline.iter().enumerate() {
        let Some(outline) = outline else { continue };
        let touching = cells_touching(outline, resolution).map_err(|fault| areas.problem(area, fault))?;
        cells.extend(touching);
    }
    cells.sort_unstable();
    cells.dedup();
    Ok(cells)
}

/// Those of the places that lie in one of the areas, on the land, and near a street.
///
/// # Errors
/// [`crate::model::error::Error::Cancelled`] when the user stopped.
pub fn candidates(
    walk: &Walk<'_>,
    places: &[Place],
    areas: Option<&Areas>,
    land: Option<&Areas>,
    max_street_m: f64,
    progress: &Progress,
) -> Result<Vec<Candidate>> {
    let on_land = land.map(|land| first_area(land, places));
    let in_area = areas.map(|areas| first_area(areas, places));
    progress.begin("joining places to streets", places.len())?;
    let joined = walk.join(places, progress)?;
    let mut found = Vec::new();
    for (row, (snap, joined)) in joined.iter().enumerate() {
        let near = snap.nearest_m.filter(|&away_m| joined.is_some() && away_m <= max_street_m);
        let within = |of: &Option<Vec<Option<u32>>>| of.as_ref().is_none_or(|of| of[row].is_some());
        if let Some(street_m) = near.filter(|_| within(&on_land) && within(&in_area)) {
            let area = in_area.as_ref().and_then(|of| of[row]).zip(areas);
            let area = area.map(|(area, areas)| areas.id[area as usize].clone());
            found.push(Candidate { row, area, street_m });
        }
    }
    Ok(found)
}

/// The first area that holds each place.
fn first_area(areas: &Areas, places: &[Place]) -> Vec<Option<u32>> {
    let mut first = vec![None; places.len()];
    for (area, rows) in (0..).zip(inside_areas(areas, places)) {
        for row in rows {
            first[row as usize].get_or_insert(area);
        }
    }
    first
}
