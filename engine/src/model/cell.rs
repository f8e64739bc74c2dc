//! H3 cells: reading their ids, their places and outlines.

use super::place::Place;
use geo::MultiPolygon;
use h3o::{CellIndex, LatLng, Resolution};

/// The cell with this id, or `None` when the id is no H3 cell.
pub fn from_id(id: u64) -> Option<CellIndex> {
    CellIndex::try_from(id).ok()
}

/// The cell with this hexadecimal id, or `None` when the text is no H3 cell.
pub fn from_hex(text: &str) -> Option<CellIndex> {
    u64::from_str_radix(text.trim(), 16).ok().and_then(from_id)
}

/// The H3 resolution 0..15, or `None`.
pub fn resolution(number: u8) -> Option<Resolution> {
    Resolution::try_from(number).ok()
}

/// The cell that holds a place.
pub fn at(place: Place, resolution: Resolution) -> CellIndex {
    LatLng::new(place.lat(), place.lon()).expect("a place is finite").to_cell(resolution)
}

/// The centre of a cell.
pub fn centre(cell: CellIndex) -> Place {
    let centre = LatLng::from(cell);
    Place::new(centre.lng(), centre.lat()).expect("a cell centre is a place")
}

/// The outline of a cell in degrees; in two parts where it crosses the antimeridian.
pub fn outline(cell: CellIndex) -> MultiPolygon {
    h3o::geom::SolventBuilder::new()
        .build()
        .dissolve(Some(cell))
        .expect("one cell has no duplicates and one resolution")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_read_as_number_and_as_text() {
        let cell = at(Place::new(106.55, 29.56).unwrap(), Resolution::Ten);
        assert_eq!(from_id(u64::from(cell)), Some(cell));
        assert_eq!(from_hex(&format!(" {cell} ")), Some(cell));
        assert_eq!(from_hex("not a cell"), None);
        assert_eq!(from_id(7), None);
    }
}
