//! Places by the source that they come from, for a look at each.

use super::geometry;
use super::table::Table;
use crate::model::crs::Crs;
use crate::model::error::Result;
use crate::model::place::Place;
use crate::model::problem::Problem;
use std::collections::BTreeMap;

/// Places of a table by its column `source`; where it has none, the table is the source.
#[derive(Debug, Clone)]
pub struct Sources {
    /// The system that the table states, or is taken to be in.
    pub stated: Crs,
    /// Places of each source, sources in order of their names.
    pub place: BTreeMap<String, Vec<Place>>,
}

/// Read the places of a table: points as they are, of an outline a place inside. Rows without usable place are added to
/// `rejected`.
///
/// # Errors
/// Problems when there is no column of places, or no row is left.
pub fn read(table: &Table, rejected: &mut Vec<Problem>) -> Result<Sources> {
    let mut problems = Vec::new();
    let located = table.located("cell", &mut problems)?;
    let source = if table.has("source") { table.text("source")? } else { vec![None; table.rows()] };
    let mut place: BTreeMap<String, Vec<Place>> = BTreeMap::new();
    for (found, source) in located.place.iter().zip(source) {
        let Some(found) = found.as_ref().and_then(geometry::place_of) else { continue };
        place.entry(source.unwrap_or_else(|| table.name.clone())).or_default().push(found);
    }
    table.refuse_if_none(place.len(), &mut problems)?;
    rejected.append(&mut problems);
    Ok(Sources { stated: table.stated_crs()?, place })
}
